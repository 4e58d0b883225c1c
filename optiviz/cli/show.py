"""`optiviz show`: the details of one surface or optimizer."""

import json
from typing import Any

import click

from optiviz.cli import debug_option
from optiviz.cli.help import Command, completes


@click.command(cls=Command, name="show", short_help="Show a surface or an optimizer.")
@click.argument("name", shell_complete=completes("names"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--surfaces", type=click.Path(), metavar="FILE", help="YAML file with more surfaces.")
@debug_option
def command(name: str, as_json: bool, surfaces: str | None) -> None:
    """Show the details of a surface or an optimizer.

    \b
    optiviz show wobbly
    optiviz show adam --json

    For a surface: formula, gradient, domain, start, minima and source. For an optimizer: update
    rule, hyperparameters and paper.
    """
    from optiviz.cli.inventory import describe

    known = describe(name, surfaces)
    if as_json:
        click.echo(json.dumps(known, indent=2))
        return
    known = {key: value for key, value in known.items() if value not in (None, "", [], {})}
    width = max(len(key) for key in known)
    for key, value in known.items():
        lines = _lines(value)
        for heading, line in zip([key.replace("_", " "), *[""] * len(lines)], lines, strict=False):
            click.echo(f"{heading:{width}}  {line}".rstrip())


def _lines(value: Any) -> list[str]:
    """Format a value for reading: one line for each member of a list or mapping."""
    match value:
        case dict():
            return [f"{key} {_inline(each)}" for key, each in value.items()] or ["-"]
        case [dict(), *_]:
            return [" ".join(_inline(each) for each in row.values()) for row in value]
        case list() if any(isinstance(each, list | str) for each in value):
            return [_inline(each) for each in value]
        case str():
            return value.splitlines() or ["-"]
    return [_inline(value)]


def _inline(value: Any) -> str:
    match value:
        case list():
            return ", ".join(_inline(each) for each in value) or "-"
        case bool():
            return str(value).lower()
        case None:
            return "-"
        case float():
            return repr(value).removesuffix(".0")
    return str(value)
