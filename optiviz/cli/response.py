"""`optiviz response`: how optimizers respond to a signal of gradients."""

from typing import Any

import click

from optiviz.cli import debug_option
from optiviz.cli.help import Command, completes, section
from optiviz.cli.options import (
    Output,
    animation_options,
    explicit_options,
    legend_option,
    optimizer_options,
    option_for,
    output_options,
    render_and_report,
    style_options,
)
from optiviz.registry import SIGNALS


@click.command(
    cls=Command, name="response", short_help="Draw how optimizers respond to a signal of gradients."
)
@section(
    "Signal",
    click.option(
        "--signal",
        metavar="NAME",
        shell_complete=completes("signals"),
        help=f"Signal: {', '.join(SIGNALS)}, or a .csv file with one number per line.",
    ),
)
@optimizer_options
@animation_options
@legend_option
@style_options
@output_options("outputs/SIGNAL-OPT.gif", "animation", "still", "data")
@debug_option
def command(**options: Any) -> None:
    """Draw a signal of gradients over time, and each optimizer's updates in response.

    \b
    optiviz response --signal spikes --opt rmsprop --vary rho=0.25,0.9,0.975 -o spikes.png
    optiviz response --signal noisy-sine --opt momentum,adam:lr=0.1 -o responses.mp4

    An update is what is subtracted from x, so positive gradients give positive updates. The
    default learning rates are 0.25, and 2.5 for adagrad, as in article 1, and 1 for adadelta.
    """
    from optiviz.recipes.reading import input_files, read_recipe

    output = Output.pop_from(options)
    fields = {"kind": "response", **explicit_options(options)}
    recipe = read_recipe(fields, option_for)
    read = input_files(fields)
    render_and_report(recipe, output, read)
