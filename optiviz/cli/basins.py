"""`optiviz basins`: which minimum each starting point of a grid reaches."""

from typing import Any

import click

from optiviz.cli import debug_option
from optiviz.cli.help import Command, section
from optiviz.cli.options import (
    Output,
    animation_options,
    aspect_option,
    explicit_options,
    network_options,
    optimizer_options,
    option_for,
    output_options,
    pace_option,
    problem_options,
    render_and_report,
    style_options,
    surface_options,
)


@click.command(
    cls=Command, name="basins", short_help="Draw which minimum each starting point reaches."
)
@surface_options
@network_options
@optimizer_options
@pace_option
@section(
    "Descent",
    click.option(
        "--grid",
        default="256x256",
        show_default=True,
        metavar="WxH",
        help="Columns and rows of starting points, evenly spaced over the window.",
    ),
    problem_options,
)
@aspect_option
@animation_options
@style_options
@output_options("outputs/SURFACE-OPT-basins.png", "animation", "still", "data")
@debug_option
def command(**options: Any) -> None:
    """Descend from every point of a grid, and colour the point by the minimum reached.

    \b
    optiviz basins --surface hills-and-canyon --opt adam,momentum -o basins.png
    optiviz basins --surface himmelblau --opt sgd,newton --grid 512x512 -o basins.gif

    The minima are the known ones, and any others at which many runs end. The brighter a point, the
    sooner its run settles at its minimum; an animation shows which have settled after each step.
    """
    from optiviz.recipes.reading import input_files, read_recipe

    output = Output.pop_from(options)
    fields = {"kind": "basins", **explicit_options(options)}
    recipe = read_recipe(fields, option_for)
    read = input_files(fields)
    render_and_report(recipe, output, read)
