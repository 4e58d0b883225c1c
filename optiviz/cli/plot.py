"""`optiviz plot`: surfaces without a descent."""

from typing import Any

import click

from optiviz.cli import debug_option
from optiviz.cli.help import Command, completes, section
from optiviz.cli.options import (
    Output,
    contour_options,
    explicit_options,
    network_options,
    option_for,
    output_options,
    relief_options,
    render_and_report,
    sampling_options,
    style_options,
    views_of,
    window_options,
)


@click.command(cls=Command, name="plot", short_help="Draw surfaces without a descent.")
@click.argument(
    "surfaces", metavar="NAME[,NAME...]", nargs=-1, shell_complete=completes("listed_surfaces")
)
@section(
    "Surface",
    click.option(
        "--formula",
        multiple=True,
        metavar="TEXT",
        help='Surface as a formula, such as "x**2 + 10*y**2"; may be repeated.',
    ),
    window_options,
)
@network_options
@sampling_options
@section(
    "Picture",
    click.option(
        "--view",
        metavar="NAME",
        shell_complete=completes("views"),
        help=f"View: {views_of('plot')}.  [default: contour, or curve in 1-D]",
    ),
    contour_options,
    relief_options,
    style_options,
)
@output_options("outputs/NAME.png", "still")
@debug_option
def command(**options: Any) -> None:
    """Draw one or more surfaces side by side; 1-D surfaces are drawn with their derivatives.

    \b
    optiviz plot logistic,tanh,relu,softplus -o activations.png
    optiviz plot --formula "x**3 - 2*x" --domain -2:2 -o cubic.pdf
    """
    from optiviz.recipes.reading import read_recipe

    output = Output.pop_from(options)
    fields = {"kind": "plot", **explicit_options(options)}
    if "surfaces" in fields:
        fields["surfaces"] = ",".join(fields["surfaces"])
    with output.redirect_messages():  # those of third-party code, which is run
        recipe = read_recipe(fields, option_for)
    render_and_report(recipe, output)
