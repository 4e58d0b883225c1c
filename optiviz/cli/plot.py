"""`optiviz plot`: surfaces without a descent."""

from pathlib import Path
from typing import Any

import click

from optiviz.cli import debug_option
from optiviz.cli.options import (
    STILLS,
    domain_option,
    given,
    ground_options,
    look_options,
    make,
    network_options,
    option,
    output_options,
    surfaces_option,
    views_of,
)


@click.command(name="plot", short_help="Draw surfaces without a descent.")
@click.argument("surfaces", metavar="NAME[,NAME...]", nargs=-1)
@click.option(
    "--formula",
    multiple=True,
    metavar="TEXT",
    help='Own surface, as in "x**2 + 10*y**2"; may be repeated.',
)
@domain_option
@surfaces_option
@network_options
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
    outs: tuple[Path, ...], quiet: bool, overwrite: bool, open_: bool, **words: Any
) -> None:
    """Draw one surface or several side by side; in one dimension with their derivatives.

    \b
    optiviz plot hills-and-canyon --view relief
    optiviz plot logistic,tanh,relu,softplus -o activations.png
    optiviz plot --formula "x**3 - 2*x" --domain -2:2 -o cubic.pdf
    """
    from optiviz.reading import read_recipe

    fields = {"kind": "plot", **given(words)}
    if "surfaces" in fields:
        fields["surfaces"] = ",".join(fields["surfaces"])
    recipe = read_recipe(fields, option)
    make(recipe, outs, quiet=quiet, overwrite=overwrite, open_=open_)
