"""`optiviz response`: what optimizers answer to a signal of gradients."""

from pathlib import Path
from typing import Any

import click

from optiviz.cli import debug_option
from optiviz.cli.options import (
    default_path,
    launch,
    look_options,
    motion_options,
    optimizer_options,
    output_options,
    read_recipe,
    write,
)
from optiviz.formats import FORMATS
from optiviz.surfaces import SIGNALS


@click.command(name="response", short_help="Draw what optimizers answer to a signal of gradients.")
@click.option(
    "--signal", required=True, metavar="NAME",
    help=f"{', '.join(SIGNALS)}, or a .csv file of one number a line.",
)  # fmt: skip
@optimizer_options
@motion_options
@look_options
@output_options("outputs/SIGNAL-OPT.gif", tuple(FORMATS))
@debug_option
def command(
    opts: tuple[str, ...],
    outs: tuple[Path, ...],
    quiet: bool,
    overwrite: bool,
    open_: bool,
    **settings: Any,
) -> None:
    """Draw a signal of gradients over time, and the update that each optimizer answers with.

    A positive gradient is answered by a positive update: what is taken off. Learning rates that
    nobody gives are those of article 1: 0.25, adagrad's 2.5, adadelta's 1.

    \b
    optiviz response --signal spikes --opt rmsprop --vary rho=0.25,0.9,0.975 -o spikes.png
    optiviz response --signal my.csv --opt momentum,adam:lr=0.1 -o answers.mp4
    """
    from optiviz.cli.tables import print_responses, print_skipped
    from optiviz.recipe import ResponseRecipe
    from optiviz.scene import Response

    recipe = read_recipe(ResponseRecipe, {"optimizers": opts, **settings})
    names = [word.split(":")[0] for word in recipe.optimizers]
    signal = recipe.signal if isinstance(recipe.signal, str) else recipe.signal.name
    paths = list(outs) or [default_path(names, "optimizers", ".gif", signal or "signal")]
    scene = write(recipe, paths, quiet, overwrite)
    assert isinstance(scene, Response)
    if not quiet:
        print_responses(scene)
        print_skipped(scene, recipe, paths)
    if open_:
        launch(paths)
