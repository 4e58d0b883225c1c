"""`optiviz list`: the names of surfaces, optimizers, views and so on."""

import json
import warnings
from typing import Any

import click

from optiviz.cli import debug_option
from optiviz.cli.help import Choice, Command, completes
from optiviz.system.errors import InputError

KINDS = (
    *("surfaces", "optimizers", "wrappers", "schedules"),
    *("views", "functions", "signals", "lessons", "suites", "themes", "formats"),
)


@click.command(
    cls=Command, name="list", short_help="List surfaces, optimizers, views, formats and so on."
)
@click.argument("kind", required=False, type=Choice("kind", KINDS))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--surfaces", type=click.Path(), metavar="FILE", help="YAML file with more surfaces.")
@click.option(
    "--tag",
    "tags",
    multiple=True,
    shell_complete=completes("tags"),
    help="List only surfaces with this tag; may be repeated to require several.",
)
@debug_option
def command(kind: str | None, as_json: bool, surfaces: str | None, tags: tuple[str, ...]) -> None:
    """List everything that can be chosen by name, or only one kind, such as surfaces.

    \b
    optiviz list surfaces --tag valley
    optiviz list optimizers --json
    """
    from optiviz.cli.inventory import list_names

    if kind not in (None, "surfaces") and (tags or surfaces):
        raise InputError(f"{'--tag' if tags else '--surfaces'} applies to surfaces, not to {kind}")
    wanted = [tag.strip() for words in tags for tag in words.split(",")]
    kinds = ["surfaces"] if tags else [each for each in KINDS if kind in (None, each)]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        shown = {each: list_names(each, surfaces, wanted) for each in kinds}
    for warning in warned:
        click.echo(f"optiviz: warning: {warning.message}", err=True)
    if as_json:
        click.echo(json.dumps(shown, indent=2))
        return
    if tags and not shown["surfaces"]:
        click.echo(
            f"no surface has the tag{'s' if len(wanted) > 1 else ''} {' and '.join(wanted)}",
            err=True,
        )
        return
    blocks = [table(rows, each if len(shown) > 1 else "") for each, rows in shown.items()]
    click.echo("\n\n".join(blocks))


def table(rows: list[dict[str, Any]], title: str = "") -> str:
    """Return the names and descriptions of rows as lines, with titles of families."""
    width = max(len(row["name"]) for row in rows)
    lines = [title] if title else []
    family = None
    for row in rows:
        if row.get("family") != family:
            family = row["family"]
            lines += [*([""] if lines else []), f"{family}:"]
        lines.append(f"{row['name']:{width}}  {row['about']}")
    return "\n".join(lines)
