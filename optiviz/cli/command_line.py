"""A recipe as the command line that renders it."""

import shlex
from importlib import import_module

import click

from optiviz.kinds.base import BaseRecipe
from optiviz.optimizers.spec import format_value
from optiviz.recipes.command import arguments_for, command_fields


def command_of(recipe: BaseRecipe) -> str | None:
    """Return the command line of a recipe; None if options cannot express all of it.

    Also None if third-party code would have to run to find out.
    """
    fields = command_fields(recipe)
    if fields is None:
        return None
    arguments = ["optiviz", recipe.kind]
    for option in import_module(f"optiviz.cli.{recipe.kind}").command.params:
        name = str(option.name)
        if name not in fields:
            continue
        if isinstance(option, click.Argument):
            arguments.append(fields[name])
        elif option.nargs > 1:
            arguments += [option.opts[0], *map(format_value, fields[name])]
        else:
            arguments += arguments_for(name, fields[name])
    return shlex.join(arguments)
