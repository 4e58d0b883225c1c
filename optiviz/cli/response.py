"""`optiviz response`: what optimizers answer to a signal of gradients."""

from pathlib import Path
from typing import Any

import click

from optiviz.cli import debug_option
from optiviz.cli.options import (
    given,
    look_options,
    make,
    motion_options,
    optimizer_options,
    option,
    output_options,
)
from optiviz.formats import FORMATS
from optiviz.surfaces import SIGNALS


@click.command(name="response", short_help="Draw what optimizers answer to a signal of gradients.")
@click.option(
    "--signal", metavar="NAME",
    help=f"{', '.join(SIGNALS)}, or a .csv file of one number a line.",
)  # fmt: skip
@optimizer_options
@motion_options
@look_options
@output_options("outputs/SIGNAL-OPT.gif", tuple(FORMATS))
@debug_option
def command(
    outs: tuple[Path, ...], quiet: bool, overwrite: bool, open_: bool, **words: Any
) -> None:
    """Draw a signal of gradients over time, and the update that each optimizer answers with.

    A positive gradient is answered by a positive update: what is taken off. Learning rates that
    nobody gives are those of article 1: 0.25, adagrad's 2.5, adadelta's 1.

    \b
    optiviz response --signal spikes --opt rmsprop --vary rho=0.25,0.9,0.975 -o spikes.png
    optiviz response --signal my.csv --opt momentum,adam:lr=0.1 -o answers.mp4
    """
    from optiviz.reading import read_recipe, sources_of

    fields = {"kind": "response", **given(words)}
    recipe = read_recipe(fields, option)
    read = sources_of(fields)
    make(recipe, outs, quiet=quiet, overwrite=overwrite, open_=open_, sources=read)
