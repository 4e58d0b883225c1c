"""`optiviz run`: the main job."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optiviz.cli import debug_option
from optiviz.errors import InputError
from optiviz.formats import FORMATS, QUALITIES

if TYPE_CHECKING:
    from optiviz.rendering import Progress
    from optiviz.surfaces.surface import Surface

OUTPUTS = Path("outputs")
SIDE = "-3:3"  # of the window, by default
SUFFIXES = " ".join(FORMATS)


def _size(ctx: click.Context, option: click.Parameter, value: str) -> tuple[int, int]:
    width, _, height = value.lower().partition("x")
    if not (re.fullmatch(r"\d{1,6}", width) and re.fullmatch(r"\d{1,6}", height)):
        raise click.BadParameter(f"{value!r} is not of the form 960x640")
    return int(width), int(height)


@click.command(name="run", short_help="Descend a surface and draw the paths.")
@click.option("--surface", metavar="NAME", help="Named surface; optiviz list surfaces shows all.")
@click.option("--formula", metavar="TEXT", help='Own surface, as in "x**2 + 10*y**2".')
@click.option(
    "--domain",
    metavar="X0:X1,Y0:Y1",
    help=f"Drawn window.  [default: the surface's; with --formula {SIDE} each way]",
)
@click.option(
    "--surfaces",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Own catalogue in YAML, on top of ours.",
)
@click.option(
    "--opt",
    "opts",
    multiple=True,
    required=True,
    metavar="WORDS",
    help="Optimizers, as in adam:lr=0.25:beta1=0.8,rmsprop; may be repeated.",
)
@click.option("--lr", type=float, help="Learning rate of all that give none of their own.")
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
    "-o",
    "--out",
    "outs",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=f"Where to write: {SUFFIXES}; may be repeated.  [default: outputs/SURFACE-OPT.gif]",
)
@click.option("--fps", type=float, default=12, show_default=True, help="Frames a second.")
@click.option(
    "--duration",
    type=float,
    default=10,
    show_default=True,
    help="Seconds at most, before the last frame is held; longer runs skip steps.",
)
@click.option(
    "--size", callback=_size, default="960x640", show_default=True, metavar="WxH", help="In pixels."
)
@click.option(
    "--quality",
    type=click.Choice(QUALITIES),
    default="standard",
    show_default=True,
    help="Of .mp4 and .webm; the other formats have only one.",
)
@click.option("--title", help="Title instead of the surface's.")
@click.option(
    "--lr-report", is_flag=True, help="Print the score of every learning rate of the grid."
)
@click.option("--quiet", "-q", is_flag=True, help="Print no paths, table or progress.")
@click.option(
    "--overwrite/--no-overwrite",
    default=True,
    show_default=True,
    help="Replace files that exist.",
)
@click.option("--open", "open_", is_flag=True, help="Open what was written.")
@debug_option
def command(
    surface: str | None,
    formula: str | None,
    domain: str | None,
    surfaces: Path | None,
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
    from optiviz.cli.tables import print_rates, print_runs
    from optiviz.documents import validated
    from optiviz.recipe import Recipe
    from optiviz.rendering import render

    points, random_starts = _starts(starts)
    descended = _surface(surface, formula, domain, surfaces)
    fields = {"surface": descended, "optimizers": opts, "starts": points, **settings}
    recipe = validated(
        Recipe,
        fields | {"random_starts": random_starts},
        lambda keys: OPTIONS.get(str(keys[0]), f"--{keys[0]}") if keys else "options",
    )
    paths = list(outs) or [_default_path(descended, recipe.optimizers)]
    with _progress(shown=not quiet) as progress:
        scene = render(recipe, paths, overwrite=overwrite, progress=progress)
    if not quiet:
        for path in paths:
            click.echo(path)
        print_runs(scene, recipe)
        if lr_report:
            click.echo()
    if lr_report:
        print_rates(scene, recipe)
    if open_:
        for path in paths:
            click.launch(str(path))


# The options behind the fields of a recipe, where the two differ.
OPTIONS = {
    "optimizers": "--opt",
    "starts": "--start",
    "random_starts": "--start random:N",
    "surface": "--formula",
}


def _surface(
    name: str | None, formula: str | None, domain: str | None, surfaces: Path | None
) -> "Surface":
    from optiviz.documents import validated
    from optiviz.optimizers import OPTIMIZERS
    from optiviz.surfaces.catalogue import find_surface
    from optiviz.surfaces.surface import Domain, Surface, dimension

    if (name is None) == (formula is None):
        raise InputError("give either --surface NAME or --formula TEXT")

    def place(keys: Any) -> str:
        return "--domain"

    if formula is not None:
        sides = domain or ",".join([SIDE] * dimension(formula))
        made = Surface(formula=formula, domain=validated(Domain, sides, place))
        made.compiled  # noqa: B018  a formula that is none is refused before any work
        return made
    found = find_surface(name or "", surfaces, OPTIMIZERS)
    if domain is None:
        return found
    window = validated(Domain, domain, place)
    if len(window.intervals) != found.dim:
        raise InputError(f"--domain: {found.name} has {found.dim} coordinates")
    return found.model_copy(update={"domain": window})


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


def _default_path(surface: "Surface", optimizers: tuple[str, ...]) -> Path:
    names = "-".join(word.split(":")[0] for word in optimizers)
    if len(names) > 100:
        names = f"{len(optimizers)}-optimizers"
    suffix = ".gif" if surface.dim == 2 else ".json"
    return OUTPUTS / f"{surface.name or 'formula'}-{names}{suffix}"


@contextmanager
def _progress(shown: bool) -> "Iterator[Progress | None]":
    from rich.console import Console

    console = Console(stderr=True)
    if not (shown and console.is_terminal):
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("drawing", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
