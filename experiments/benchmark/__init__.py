"""Measurements, each a subcommand of `python -m experiments.benchmark`."""
