"""`optiviz basins`: which minimum each start of a grid reaches."""

from pathlib import Path
from typing import Any

import click

from optiviz.cli import debug_option
from optiviz.cli.options import (
    domain_option,
    given,
    look_options,
    make,
    met_options,
    motion_options,
    network_options,
    optimizer_options,
    option,
    output_options,
    surface_options,
)
from optiviz.formats import FORMATS


@click.command(name="basins", short_help="Draw which minimum each start of a grid reaches.")
@surface_options
@domain_option
@network_options
@optimizer_options
@click.option(
    "--grid",
    default="256x256",
    show_default=True,
    metavar="WxH",
    help="How many starts, evenly over the window.",
)
@met_options
@motion_options
@look_options
@output_options("outputs/SURFACE-OPT-basins.png", tuple(FORMATS))
@debug_option
def command(
    outs: tuple[Path, ...], quiet: bool, overwrite: bool, open_: bool, **words: Any
) -> None:
    """Descend from every point of a grid, and colour it by the minimum that it leads to.

    The minima are those that are known and those where many runs end. The brighter a start, the
    sooner its run is there to stay; an animation shows which are there after each step.

    \b
    optiviz basins --surface hills-and-canyon --opt adam,momentum -o basins.png
    optiviz basins --surface himmelblau --opt sgd,newton --grid 512x512 -o basins.gif
    """
    from optiviz.reading import read_recipe, sources_of

    fields = {"kind": "basins", **given(words)}
    recipe = read_recipe(fields, option)
    read = sources_of(fields)
    make(recipe, outs, quiet=quiet, overwrite=overwrite, open_=open_, sources=read)
