"""Thresholds and who chooses them; baselines, intervals, subgroups, gains."""
