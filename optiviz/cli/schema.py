"""`optiviz schema`: the JSON Schema of recipes and batches, for editors."""

import json
from importlib import import_module

import click

from optiviz.cli import COMMANDS, debug_option
from optiviz.cli.help import Command
from optiviz.registry import KINDS


@click.command(
    cls=Command, name="schema", short_help="Print the JSON Schema of recipes and batches."
)
@debug_option
def command() -> None:
    """Print the JSON Schema of YAML recipes and batches, for editors to check and complete them.

    \b
    optiviz schema > optiviz.schema.json
    optiviz schema | python -m json.tool
    """
    from optiviz.recipes.schema import schema

    commands = [import_module(f"optiviz.cli.{COMMANDS[kind]}").command for kind in reversed(KINDS)]
    descriptions = {
        option.name: option.help
        for each in commands
        for option in each.params
        if getattr(option, "help", None)
    }
    click.echo(json.dumps(schema(descriptions), indent=1))
