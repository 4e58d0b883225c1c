"""`optiviz plot`: surfaces without a descent."""

from pathlib import Path
from typing import Any

import click

from optiviz.cli import debug_option
from optiviz.cli.options import (
    STILLS,
    default_path,
    ground_options,
    launch,
    look_options,
    named_surface,
    output_options,
    read_recipe,
    surfaces_option,
    views_of,
    write,
)


@click.command(name="plot", short_help="Draw surfaces without a descent.")
@click.argument("names", metavar="NAME[,NAME...]", nargs=-1, required=True)
@surfaces_option
@click.option(
    "--view",
    metavar="NAME",
    help=f"{', '.join(views_of('surface'))}.  [default: contour, or curve in 1-D]",
)
@ground_options
@look_options
@output_options("outputs/NAME.png", STILLS)
@debug_option
def command(
    names: tuple[str, ...],
    catalogue: Path | None,
    outs: tuple[Path, ...],
    quiet: bool,
    overwrite: bool,
    open_: bool,
    **settings: Any,
) -> None:
    """Draw one surface or several side by side; in one dimension with their derivatives.

    \b
    optiviz plot hills-and-canyon --view relief
    optiviz plot logistic,tanh,relu,softplus -o activations.png
    """
    from optiviz.recipe import PlotRecipe

    words = [word.strip() for text in names for word in text.split(",")]
    surfaces = [named_surface(word, catalogue) for word in words]
    recipe = read_recipe(PlotRecipe, {"surfaces": surfaces, **settings})
    paths = list(outs) or [default_path([each.name for each in surfaces], "surfaces", ".png")]
    write(recipe, paths, quiet, overwrite)
    if open_:
        launch(paths)
