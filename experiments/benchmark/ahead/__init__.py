"""Compiles the model for TPUs and GPUs that are not at hand.

    command      the options, one program after another, JSON files
    topology     chips and their rates, devices as a compiler sees them
    steps        a train step or a prediction, traced and lowered on shapes
    program      the text of a compiled program, as instructions
    costs        what each instruction multiplies, moves and sends
    roofline     the least time that this takes, by part of the model
    table        Markdown

Nothing is run: every time is an estimate, to be compared with other estimates.
"""

from experiments.benchmark.ahead.command import main

__all__ = ["main"]
