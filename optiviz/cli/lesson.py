"""`optiviz lesson`: a lecture page, a handout, a film or a notebook of one lesson."""

import re
from collections.abc import Sequence
from typing import Any

import click

from optiviz.cli import debug_option
from optiviz.cli.help import Command, completes, section
from optiviz.cli.options import (
    Output,
    explicit_options,
    output_options,
    plugins_option,
    read_made,
    render_and_report,
    style_options,
)
from optiviz.system.errors import InputError
from optiviz.system.text import shorten


def _numbers(ctx: click.Context, option: click.Parameter, value: str | None) -> list[int] | None:
    if value is None:
        return None
    parts = value.split(",")
    if not all(re.fullmatch(r"\s*[0-9]{1,9}\s*", part) for part in parts):
        raise click.BadParameter(f"must be numbers of sections such as 2 or 1,3, not "
                                 f"{shorten(value, quoted=True)}")  # fmt: skip
    return [int(part) for part in parts]


@click.command(cls=Command, name="lesson", short_help="Make a lecture page, or list lessons.")
@click.argument("name", metavar="[NAME|FILE]", required=False, shell_complete=completes("lessons"))
@section(
    "Lesson",
    click.option(
        "--only", callback=_numbers, metavar="N,...", help="Only these sections, by their numbers."
    ),
    click.option(
        "--lang", metavar="NAME",
        help="Language of the texts, such as en.  [default: that of the lesson]",
    ),
    click.option("--yaml", is_flag=True, help="Print its file, to be copied and changed."),
    plugins_option,
)  # fmt: skip
@section("Picture", style_options)
@output_options("outputs/NAME.html", "page", "animation", ".pdf", "notebook")
@debug_option
def command(
    name: str | None,
    only: list[int] | None,
    lang: str | None,
    yaml: bool,
    allow_plugins: bool,
    **options: Any,
) -> None:
    """Make a page, film, handout or notebook of a lesson: pictures, each with a paragraph.

    \b
    optiviz lesson momentum -o momentum.html -o momentum.pdf
    optiviz lesson my_lesson.yaml --only 2 -o part.mp4

    Without a name, it lists the lessons. Each is one YAML file, which can be copied and changed:

    \b
    optiviz lesson momentum --yaml > my_lesson.yaml
    """
    if name is None:
        from optiviz.cli.inventory import list_names
        from optiviz.cli.listing import table

        if explicit_options(options) or only or lang or yaml:
            raise InputError("NAME: required, but missing: optiviz lesson lists all lessons")
        click.echo(table(list_names("lessons")))
        return
    if yaml:
        from optiviz.recipes.shipped_files import LESSONS
        from optiviz.system.yaml import read_text

        if explicit_options(options) or only or lang:
            raise InputError("--yaml prints the file of a lesson as it is: no option changes it")
        click.echo(read_text(LESSONS.file(name)), nl=False)
        return
    from optiviz.kinds.lesson import LessonRecipe
    from optiviz.recipes.lessons import read_lesson
    from optiviz.recipes.reading import input_files
    from optiviz.recipes.shipped_files import LESSONS

    output = Output.pop_from(options)
    made = read_lesson(name, lang)
    recipe, locate = read_made(made, explicit_options(options), output, allow_plugins, name)
    assert isinstance(recipe, LessonRecipe)
    if only is not None:
        try:
            recipe = recipe.only(only)
        except InputError as error:
            raise InputError(f"--only: {error}") from None

    def located(keys: Sequence[Any]) -> str:
        field, place, *inner = keys
        return locate([field, place if only is None else only[place] - 1, *inner])

    render_and_report(recipe, output, [LESSONS.file(name), *input_files(made.fields)], located)
