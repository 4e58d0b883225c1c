"""What the commands that draw have in common: their options, and how they write and report."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from optiviz.errors import InputError
from optiviz.formats import FORMATS, QUALITIES
from optiviz.themes import THEMES
from optiviz.views import VIEWS

if TYPE_CHECKING:
    from pydantic import BaseModel

    from optiviz.rendering import AnyRecipe, Progress
    from optiviz.scene import Scene
    from optiviz.surfaces.surface import Domain, Surface

    Model = TypeVar("Model", bound=BaseModel)

OUTPUTS = Path("outputs")
SIDE = "-3:3"  # of the window, by default
STILLS = tuple(suffix for suffix, form in FORMATS.items() if form.kind == "still")
Command = Callable[..., Any]

# The options behind the fields of a recipe, where the two differ.
FIELDS = {
    "optimizers": "--opt",
    "starts": "--start",
    "random_starts": "--start random:N",
    "surface": "--formula",
    "surfaces": "NAME",
    "fill": "--no-fill",
}


def views_of(*kinds: str) -> list[str]:
    """Return the views that draw a surface, a descent, or a response."""
    return [name for name, sort in VIEWS.items() if sort.of in kinds]


def grouped(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return a decorator that adds several options, in the order in which help shows them."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _size(ctx: click.Context, option: click.Parameter, value: str) -> tuple[int, int]:
    width, _, height = value.lower().partition("x")
    if not (re.fullmatch(r"\d{1,6}", width) and re.fullmatch(r"\d{1,6}", height)):
        raise click.BadParameter(f"{value!r} is not of the form 960x640")
    return int(width), int(height)


def _levels(
    ctx: click.Context, option: click.Parameter, value: str | None
) -> int | tuple[float, ...] | None:
    if value is None or re.fullmatch(r"\d{1,9}", value):
        return None if value is None else int(value)
    try:
        return tuple(float(part) for part in value.removesuffix(",").split(","))
    except ValueError:
        raise click.BadParameter(f"{value!r} is neither a number of bands nor L,L,...") from None


domain_option = click.option(
    "--domain", metavar="X0:X1,Y0:Y1",
    help=f"Drawn window.  [default: the surface's; with --formula {SIDE} each way]",
)  # fmt: skip

surfaces_option = click.option(
    "--surfaces", "catalogue", type=click.Path(path_type=Path), metavar="FILE",
    help="Own catalogue in YAML, on top of ours.",
)  # fmt: skip

optimizer_options = grouped(
    click.option(
        "--opt", "opts", multiple=True, required=True, metavar="WORDS",
        help="Optimizers, as in adam:lr=0.25:beta1=0.8,rmsprop; may be repeated.",
    ),
    click.option(
        "--vary", metavar="KEY=V,V", help="Draw the one optimizer once for each of these values."
    ),
    click.option("--lr", type=float, help="Learning rate of all that give none of their own."),
)  # fmt: skip

ground_options = grouped(
    click.option(
        "--levels", callback=_levels, metavar="N|L,L",
        help="Isolines: into how many bands, or at which losses.",
    ),
    click.option("--labels/--no-labels", default=None, help="Write their loss on isolines."),
    click.option("--field", is_flag=True, help="Draw arrows down the gradient."),
    click.option("--fill/--no-fill", default=None, help="Colour the ground between isolines."),
)  # fmt: skip

motion_options = grouped(
    click.option("--fps", type=float, default=12, show_default=True, help="Frames a second."),
    click.option(
        "--duration", type=float, default=10, show_default=True,
        help="Seconds at most, before the last frame is held; longer runs skip steps.",
    ),
    click.option(
        "--quality", type=click.Choice(QUALITIES), default="standard", show_default=True,
        help="Of .mp4 and .webm; the other formats have only one.",
    ),
)  # fmt: skip

look_options = grouped(
    click.option(
        "--theme", default="light", show_default=True, metavar="NAME",
        help=f"{', '.join(THEMES)}.",
    ),
    click.option(
        "--size", callback=_size, default="960x640", show_default=True, metavar="WxH",
        help="In pixels.",
    ),
    click.option("--title", help="Title instead of its own."),
)  # fmt: skip


def output_options(default: str, suffixes: Sequence[str]) -> Callable[[Command], Command]:
    """Return the options of what is written where; `default` is the path if none is given."""
    return grouped(
        click.option(
            "-o", "--out", "outs", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
            help=f"Where to write: {' '.join(suffixes)}; may be repeated.  [default: {default}]",
        ),
        click.option("--quiet", "-q", is_flag=True, help="Print no paths, table or progress."),
        click.option(
            "--overwrite/--no-overwrite", default=True, show_default=True,
            help="Replace files that exist.",
        ),
        click.option("--open", "open_", is_flag=True, help="Open what was written."),
    )  # fmt: skip


def read_recipe(model: "type[Model]", fields: Mapping[str, Any]) -> "Model":
    """Return a recipe from options; raise InputError that names the option of each mistake."""
    from optiviz.documents import validated

    return validated(
        model,
        fields,
        lambda keys: FIELDS.get(str(keys[0]), f"--{keys[0]}") if keys else "options",
    )


def named_surface(name: str, catalogue: Path | None, domain: str | None = None) -> "Surface":
    """Return a surface of our catalogue, or of the user's, in a window of its own or in another."""
    from optiviz.optimizers import OPTIMIZERS
    from optiviz.surfaces.catalogue import find_surface

    found = find_surface(name, catalogue, OPTIMIZERS)
    if domain is None:
        return found
    window = _window(domain)
    if len(window.intervals) != found.dim:
        raise InputError(f"--domain: {found.name} has {found.dim} coordinates")
    return found.model_copy(update={"domain": window})


def formula_surface(formula: str, domain: str | None) -> "Surface":
    """Return the surface of a formula; raise InputError before any work if it is none."""
    from optiviz.surfaces.surface import Surface, dimension

    sides = domain or ",".join([SIDE] * dimension(formula))
    made = Surface(formula=formula, domain=_window(sides))
    made.compiled  # noqa: B018  reads it
    return made


def _window(sides: str) -> "Domain":
    from optiviz.documents import validated
    from optiviz.surfaces.surface import Domain

    return validated(Domain, sides, lambda keys: "--domain")


def write(recipe: "AnyRecipe", paths: Sequence[Path], quiet: bool, overwrite: bool) -> "Scene":
    """Make the pictures of a recipe and name them."""
    from optiviz.rendering import render

    with _progress(shown=not quiet) as progress:
        scene = render(recipe, paths, overwrite=overwrite, progress=progress)
    if not quiet:
        for path in paths:
            click.echo(path)
    return scene


def launch(paths: Sequence[Path]) -> None:
    """Open files with what the system opens them with."""
    for path in paths:
        click.launch(str(path))


def default_path(names: Sequence[str], kind: str, suffix: str, subject: str = "") -> Path:
    """Return where a picture goes if nobody says: outputs/SUBJECT-NAMES.SUFFIX.

    Many names, which are of "optimizers" or "surfaces", are only counted.
    """
    joined = "-".join(names)
    if len(joined) > 100:
        joined = f"{len(names)}-{kind}"
    return OUTPUTS / f"{subject}{'-' if subject else ''}{joined}{suffix}"


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
