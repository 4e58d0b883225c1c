"""What commands print after drawing: a table of results, notes, and which steps are shown."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from optiviz.kinds.base import BaseRecipe, Report, Scene
from optiviz.registry import format_of

LONG = 120  # seconds of an animation that is too long to propose
WIDE = 10_000  # columns, so that rows are not wrapped where there is no terminal


def print_scene(scene: Scene[Any], recipe: BaseRecipe) -> None:
    """Print a table of results, if there are any, and notes below it."""
    report = scene.report(recipe)
    if report is not None:
        if report.columns:
            console = Console(highlight=False, emoji=False, markup=False)
            if not console.is_terminal:
                console.width = WIDE
            console.print(table_of(report))
        for note in report.notes:
            click.echo(note)


def print_skipped(scene: Scene[Any], recipe: BaseRecipe, paths: Sequence[Path]) -> None:
    """Print how many steps an animation shows, if not all of them."""
    shown = recipe.timeline
    if shown is None or len(shown.steps) > shown.last:
        return
    if any(format_of(path).kind == "animation" for path in paths):
        whole = math.ceil((shown.last + 1) / shown.fps)
        short = shown.evenly_spaced and whole <= LONG
        more = f": --duration {whole} would show every step" if short else ""
        click.echo(f"{len(shown.steps)} frames cover steps 0 to {shown.last}{more}")


def table_of(report: Report) -> Table:
    """Return the table of a report."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    for each in report.columns:
        if each.wraps:
            table.add_column(each.heading, overflow="fold")
        else:
            table.add_column(each.heading, justify="right" if each.number else "left", no_wrap=True)
    for row in report.rows:
        table.add_row(*map(Text, row))
    return table
