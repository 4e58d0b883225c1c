"""`optiviz run`: the main job."""

from pathlib import Path
from typing import Any

import click

from optiviz.cli import debug_option
from optiviz.cli.options import (
    default_path,
    domain_option,
    formula_surface,
    ground_options,
    launch,
    look_options,
    motion_options,
    named_surface,
    optimizer_options,
    output_options,
    read_recipe,
    surfaces_option,
    views_of,
    write,
)
from optiviz.errors import InputError
from optiviz.formats import FORMATS


@click.command(name="run", short_help="Descend a surface and draw the paths.")
@click.option("--surface", metavar="NAME", help="Named surface; optiviz list surfaces shows all.")
@click.option("--formula", metavar="TEXT", help='Own surface, as in "x**2 + 10*y**2".')
@domain_option
@surfaces_option
@optimizer_options
@click.option(
    "--start",
    "starts",
    multiple=True,
    metavar="X,Y",
    help="Where to begin, or random:N for N starts in the window; may be repeated.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of random starts.")
@click.option("--steps", type=int, help="Length of a run.  [default: the surface's]")
@click.option(
    "--view",
    metavar="NAME+NAME",
    help=f"Panels: {', '.join(views_of('surface', 'descent'))}.  "
    "[default: contour, or curve in 1-D]",
)
@click.option(
    "--layout",
    type=click.Choice(["panels", "grid"]),
    default="panels",
    show_default=True,
    help="All optimizers in one panel, or each in its own.",
)
@ground_options
@click.option("--trail", type=int, metavar="N", help="Fade the path older than N steps.")
@click.option("--smooth", type=int, default=1, metavar="N", help="Mean loss of N steps.")
@click.option(
    "--orbit", type=float, default=0, metavar="DEGREES", help="Turn the relief while it plays."
)
@motion_options
@look_options
@output_options("outputs/SURFACE-OPT.gif", tuple(FORMATS))
@click.option(
    "--lr-report", is_flag=True, help="Print the score of every learning rate of the grid."
)
@debug_option
def command(
    surface: str | None,
    formula: str | None,
    domain: str | None,
    catalogue: Path | None,
    opts: tuple[str, ...],
    starts: tuple[str, ...],
    outs: tuple[Path, ...],
    lr_report: bool,
    quiet: bool,
    overwrite: bool,
    open_: bool,
    **settings: Any,
) -> None:
    """Descend a surface with one or more optimizers and draw their paths.

    \b
    optiviz run --surface wobbly --opt adam,rmsprop
    optiviz run --formula "x**2 + 10*y**2" --opt sgd:lr=0.09,momentum -o bowl.mp4 -o bowl.json
    """
    from optiviz.recipe import Recipe
    from optiviz.scene import Run

    points, random_starts = _starts(starts)
    if (surface is None) == (formula is None):
        raise InputError("give either --surface NAME or --formula TEXT")
    descended = (
        formula_surface(formula, domain)
        if formula is not None
        else named_surface(surface or "", catalogue, domain)
    )
    fields = {"surface": descended, "optimizers": opts, "starts": points, **settings}
    recipe = read_recipe(Recipe, fields | {"random_starts": random_starts})
    names = [word.split(":")[0] for word in recipe.optimizers]
    paths = list(outs) or [default_path(names, "optimizers", ".gif", descended.name or "formula")]
    scene = write(recipe, paths, quiet, overwrite)
    assert isinstance(scene, Run)
    if not quiet or lr_report:
        from optiviz.cli.tables import print_rates, print_runs, print_skipped

        if not quiet:
            print_runs(scene, recipe)
            print_skipped(scene, recipe, paths)
        if lr_report:
            click.echo(nl=not quiet)
            print_rates(scene, recipe)
    if open_:
        launch(paths)


def _starts(words: tuple[str, ...]) -> tuple[list[tuple[float, ...]], int]:
    """Return the points that were given and the number of random ones that were asked for."""
    points, drawn = [], 0
    for word in words:
        kind, _, number = word.partition(":")
        try:
            if kind == "random":
                if not number.isdecimal() or int(number) < 1:
                    raise ValueError
                drawn += int(number)
            else:
                points.append(tuple(float(part) for part in word.split(",")))
        except ValueError:
            raise InputError(
                f"--start: {word!r} is neither X,Y nor random:N with N from 1"
            ) from None
    return points, drawn
