"""`optiviz tune`: the same hyperparameter search for every optimizer."""

from typing import Any

import click

from optiviz.cli import debug_option
from optiviz.cli.follow import follow_option
from optiviz.cli.help import Command, completes, section
from optiviz.cli.options import (
    Output,
    descent_options,
    explicit_options,
    legend_option,
    network_options,
    option_for,
    output_options,
    render_and_report,
    style_options,
    surface_options,
)


@click.command(
    cls=Command, name="tune", short_help="Tune hyperparameters fairly for every optimizer."
)
@surface_options
@network_options
@section(
    "Optimizers",
    click.option(
        "--opt",
        "optimizers",
        multiple=True,
        metavar="SPEC,...",
        shell_complete=completes("optimizers"),
        help="Optimizers, for example adam:beta1=0.8,rmsprop; may be repeated.",
    ),
    click.option(
        "--over",
        metavar="KEY[=LOW:HIGH],...",
        default="lr",
        show_default=True,
        shell_complete=completes("tunable"),
        help="Hyperparameters to tune, for example lr,beta1=0.5:0.99.",
    ),
    click.option(
        "--trials",
        type=int,
        default=256,
        show_default=True,
        metavar="N",
        help="Number of values, or combinations of values, to try for each optimizer.",
    ),
)
@descent_options("random:25")
@legend_option
@style_options
@output_options("outputs/SURFACE-OPT-tune.png", "still", "data")
@section("Output", follow_option)
@debug_option
def command(**options: Any) -> None:
    """Try many hyperparameter values with every optimizer, and draw the final losses.

    \b
    optiviz tune --surface hills-and-canyon --opt adam,momentum,rmsprop -o tune.png
    optiviz tune --surface wobbly --opt adam --over lr,beta1=0.5:0.99 -o tune.csv

    Every optimizer gets the same number of trials, the same starts and the same number of steps.
    The best trial has the lowest median final loss. A learning rate that is neither set nor tuned
    is chosen first, as `optiviz run` does. `optiviz run --tune` draws the runs with the values
    found.
    """
    from optiviz.recipes.reading import input_files, read_recipe

    output = Output.pop_from(options)
    fields = {"kind": "tune", **explicit_options(options)}
    recipe = read_recipe(fields, option_for)
    read = input_files(fields)
    render_and_report(recipe, output, read)
