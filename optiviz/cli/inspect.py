"""`optiviz inspect`: the recipe inside a finished file."""

import shlex
from pathlib import Path

import click

from optiviz.cli import debug_option
from optiviz.cli.help import Command
from optiviz.cli.options import plugins_option


@click.command(cls=Command, name="inspect", short_help="Print the recipe inside a finished file.")
@click.argument("path", type=click.Path(path_type=Path), metavar="FILE")
@plugins_option
@debug_option
def command(path: Path, allow_plugins: bool) -> None:
    """Print the recipe inside a finished file as YAML, and as a command if possible.

    \b
    optiviz inspect outputs/wobbly-adam-rmsprop.gif
    optiviz inspect talk.mp4 > recipe.yaml

    The output is a recipe for `optiviz run --recipe` and a job for `optiviz batch`.
    """
    from optiviz.cli.command_line import command_of
    from optiviz.kinds.base import to_dict
    from optiviz.recipes.provenance import read_source
    from optiviz.recipes.reading import check_trusted, read_recipe
    from optiviz.system.yaml import yaml_text

    made = read_source(path)
    if not allow_plugins:
        check_trusted(made.fields, made.locate, reading=True)
    recipe = read_recipe(made.fields, made.locate)
    if made.versions:
        said = ", ".join(f"{name} {each}" for name, each in made.versions.items())
        click.echo(f"# written with {said}")
    command = command_of(recipe)
    if command is not None:
        target = f" -o {shlex.quote(str(path))}" if made.versions else ""
        click.echo(f"# {command}{target}")
    click.echo(yaml_text(to_dict(recipe)), nl=False)
