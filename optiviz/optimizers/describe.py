"""Descriptions of optimizers, read from their docstrings and fields."""

import inspect
from dataclasses import MISSING, fields
from typing import NamedTuple

from optiviz.optimizers.base import Method


class Description(NamedTuple):
    """The parts of an optimizer's docstring, and its hyperparameters."""

    summary: str
    rule: str
    notes: str
    paper: str
    hyperparameters: tuple[tuple[str, float | bool | None, str], ...]  # name, default, meaning


def describe(optimizer: type[Method]) -> Description:
    """Read the summary, update rule, paper and hyperparameters of an optimizer's class.

    The first paragraph of the docstring is the summary, indented ones are the update rule, and the
    one that begins with "Paper:" is the source. All others are notes.
    """
    summary, *rest = inspect.cleandoc(optimizer.__doc__ or "").split("\n\n")
    rule = [part for part in rest if part.startswith("    ")]
    paper = [part for part in rest if part.startswith("Paper:")]
    notes = [part for part in rest if part not in rule + paper]
    return Description(
        summary=" ".join(summary.split()),
        rule=inspect.cleandoc("\n".join(rule)),
        notes="\n".join(" ".join(note.split()) for note in notes),
        paper=" ".join(" ".join(paper).removeprefix("Paper:").split()),
        hyperparameters=tuple(
            (each.name, None if each.default is MISSING else each.default, each.metadata["help"])
            for each in fields(optimizer)
            if "help" in each.metadata
        ),
    )
