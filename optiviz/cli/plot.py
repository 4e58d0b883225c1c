"""`optiviz plot`: surfaces without a descent."""

from pathlib import Path
from typing import Any

import click

from optiviz.cli import debug_option
from optiviz.cli.options import (
    STILLS,
    default_path,
    domain_option,
    formula_surface,
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
from optiviz.errors import InputError


@click.command(name="plot", short_help="Draw surfaces without a descent.")
@click.argument("names", metavar="NAME[,NAME...]", nargs=-1)
@click.option(
    "--formula",
    "formulas",
    multiple=True,
    metavar="TEXT",
    help='Own surface, as in "x**2 + 10*y**2"; may be repeated.',
)
@domain_option
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
    formulas: tuple[str, ...],
    domain: str | None,
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
    optiviz plot --formula "x**3 - 2*x" --domain -2:2 -o cubic.pdf
    """
    from optiviz.recipe import PlotRecipe

    words = [word.strip() for text in names for word in text.split(",") if word.strip()]
    surfaces = [
        *(named_surface(word, catalogue, domain) for word in words),
        *(formula_surface(formula, domain) for formula in formulas),
    ]
    if not surfaces:
        raise InputError("name a surface, or give --formula TEXT: optiviz list surfaces shows all")
    recipe = read_recipe(PlotRecipe, {"surfaces": surfaces, **settings})
    names = tuple(each.name or "formula" for each in surfaces)
    paths = list(outs) or [default_path(names, "surfaces", ".png")]
    write(recipe, paths, quiet, overwrite)
    if open_:
        launch(paths)
