"""Who chooses thresholds; baselines, intervals, subgroups."""
