"""What the commands that draw have in common: their options, and how they write and report."""

import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.core import ParameterSource

from optiviz.cli.help import Choice, Decorator, completes, option_group, section
from optiviz.registry import FORMATS, KINDS, QUALITIES, THEMES, VIEWS, format_of
from optiviz.system.errors import InputError, OptivizError

if TYPE_CHECKING:
    from optiviz.kinds.base import BaseRecipe, Scene
    from optiviz.recipes.reading import Fields
    from optiviz.system.progress import TaskProgress

DEFAULT = ParameterSource.DEFAULT
OUTPUTS = Path("outputs")
STDOUT = Path("-")
TEXT_FORMATS = "svg", "json", "csv", "html"  # formats that a terminal can show

# The options behind the fields of a recipe, where the two differ.
OPTION_OF_FIELD = {
    "optimizers": "--opt",
    "starts": "--start",
    "random_starts": "--start random:N",
    "surfaces": "NAME",
    "catalogue": "--surfaces",
    "fill": "--no-fill",
    "batch_size": "--batch-size",
}


def views_of(kind: str) -> str:
    """Return the names of the views that a kind of picture has."""
    provided = KINDS[kind].provides
    return ", ".join(name for name, entry in VIEWS.items() if entry.requires in provided)


def _levels(
    ctx: click.Context, option: click.Parameter, value: str | None
) -> int | tuple[float, ...] | None:
    if value is None or re.fullmatch(r"\d{1,9}", value):
        return None if value is None else int(value)
    try:
        return tuple(float(part) for part in value.removesuffix(",").split(","))
    except ValueError:
        raise click.BadParameter(f"{value!r} is neither a number of bands nor L,L,...") from None


window_options = section(
    "Surface",
    click.option(
        "--surfaces", "catalogue", type=click.Path(path_type=Path), metavar="FILE",
        help="Own catalogue in YAML, on top of ours.",
    ),
    click.option(
        "--domain", metavar="X0:X1,Y0:Y1",
        help="Drawn window.  [default: the surface's; with --formula -3:3 each way]",
    ),
)  # fmt: skip

surface_options = option_group(
    section(
        "Surface",
        click.option(
            "--surface", metavar="NAME", shell_complete=completes("surfaces"),
            help="Named surface; optiviz list surfaces shows all.",
        ),
        click.option("--formula", metavar="TEXT", help='Own surface, as in "x**2 + 10*y**2".'),
    ),
    window_options,
)  # fmt: skip


problem_options = section(
    "Descent",
    click.option(
        "--seed", type=int, default=0, show_default=True,
        help="Seed of random starts, batches, dropout and noise.",
    ),
    click.option("--steps", type=int, help="Length of a run.  [default: the surface's]"),
    click.option(
        "--batch-size", type=int, metavar="N", help="Samples of a network a step.  [default: all]"
    ),
    click.option(
        "--noise", type=float, default=0, metavar="SIGMA", help="Gaussian noise on each gradient."
    ),
)  # fmt: skip


def descent_options(start: str) -> Decorator:
    """Return the options of where and how a surface is descended; `start` is if nobody says."""
    return section(
        "Descent",
        click.option(
            "--start", "starts", multiple=True, metavar="X,Y", shell_complete=completes("starts"),
            help="Where to begin, or random:N for N starts in the window; may be repeated.  "
            f"[default: {start}]",
        ),
        problem_options,
    )  # fmt: skip


network_options = section(
    "Network",
    click.option(
        "--data", metavar="NAME", shell_complete=completes("data"),
        help="What a network learns: digits, mnist, spirals, ..., idx:DIR or npz:FILE.",
    ),
    click.option("--samples", type=int, metavar="N", help="How many samples a network learns."),
    click.option(
        "--plane", metavar="WORDS", shell_complete=completes("planes"),
        help="Through a network's weights: path, random:SEED or L/ROW/COL,L/ROW/COL.",
    ),
)  # fmt: skip

optimizer_options = section(
    "Optimizers",
    click.option(
        "--opt", "optimizers", multiple=True, metavar="WORDS",
        shell_complete=completes("optimizers"),
        help="Optimizers, as in adam:lr=0.25:beta1=0.8,rmsprop; may be repeated.",
    ),
    click.option(
        "--vary", metavar="KEY=V,V", shell_complete=completes("varied"),
        help="Draw the one optimizer once for each of these values.",
    ),
    click.option("--lr", type=float, help="Learning rate of all that give none of their own."),
)  # fmt: skip

plugins_option = click.option(
    "--allow-plugins", is_flag=True,
    help="Let a file name optimizers and surfaces that run code of their own.",
)  # fmt: skip

contour_options = section(
    "Picture",
    click.option(
        "--levels", callback=_levels, metavar="N|L,L",
        help="Isolines: into how many bands, or at which losses.",
    ),
    click.option("--labels/--no-labels", default=None, help="Write their loss on isolines."),
    click.option("--field", is_flag=True, help="Draw arrows down the gradient."),
    click.option("--fill/--no-fill", default=None, help="Colour the ground between isolines."),
)  # fmt: skip

animation_options = section(
    "Animation",
    click.option("--fps", type=float, default=12, show_default=True, help="Frames a second."),
    click.option(
        "--duration", type=float, default=10, show_default=True,
        help="Seconds at most, before the last frame is held; longer runs skip steps.",
    ),
    click.option(
        "--frames", metavar="A:B:K,...",
        help="Show each K-th step from A until B, and the last, instead of evenly strided ones.",
    ),
    click.option(
        "--quality", type=Choice("quality", QUALITIES), default="standard", show_default=True,
        help="Of .mp4 and .webm; the other formats have only one.",
    ),
)  # fmt: skip

style_options = section(
    "Picture",
    click.option(
        "--theme", default="light", show_default=True, metavar="NAME",
        shell_complete=completes("themes"), help=f"{', '.join(THEMES)}.",
    ),
    click.option(
        "--size", default="960x640", show_default=True, metavar="WxH", help="In pixels."
    ),
    click.option("--title", help="Title instead of its own."),
)  # fmt: skip


def _outs(ctx: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[Path, ...]:
    """Return paths, of which only a bare - is the standard output: ./- is a file of that name."""
    paths = [Path(value) for value in values]
    return tuple(
        path.absolute() if path == STDOUT and value != str(STDOUT) else path
        for value, path in zip(values, paths, strict=True)
    )


def output_options(default: str, *kinds: str) -> Decorator:
    """Return the options of what is written where, in formats of these kinds.

    default is the path if none is given.
    """
    suffixes = [suffix for suffix, form in FORMATS.items() if form.kind in kinds]
    moving = click.option(
        "--last-frame", is_flag=True,
        help="Write the final picture alone, as .png if nothing else is asked for.",
    )  # fmt: skip
    return section(
        "Output",
        click.option(
            "-o", "--out", "outs", multiple=True, metavar="FILE",
            type=click.Path(allow_dash=True),
            callback=_outs,
            help=f"Where to write: {' '.join(suffixes)}; may be repeated. - is the standard "
            f"output.  [default: {default}]",
        ),
        click.option(
            "--format", "form", metavar="NAME",
            type=Choice("format", [suffix.removeprefix(".") for suffix in suffixes]),
            help="What -o - is, or the file if there is no -o, as in mp4.",
        ),
        click.option(
            "--preview", is_flag=True, help="A quick draft: half the size, a third of the frames."
        ),
        *([moving] if "animation" in kinds else []),
        click.option(
            "--overwrite/--no-overwrite", default=True, show_default=True,
            help="Replace files that exist.",
        ),
        click.option("--open", "open_", is_flag=True, help="Open what was written."),
        click.option("--quiet", "-q", is_flag=True, help="Print no paths, table or progress."),
    )  # fmt: skip


class Output(NamedTuple):
    """What the options of `output_options` say."""

    outs: tuple[Path, ...]
    form: str | None
    preview: bool
    overwrite: bool
    open_: bool
    quiet: bool
    last_frame: bool = False

    @classmethod
    def pop_from(cls, options: dict[str, Any]) -> "Output":
        """Take them from the words of a command line."""
        return cls(**{name: options.pop(name) for name in cls._fields if name in options})

    @property
    def to_stdout(self) -> bool:
        """Whether a picture goes to the standard output."""
        return STDOUT in self.outs

    def redirect_messages(self) -> AbstractContextManager[Any]:
        """Return a context in which words are printed where they are in the way of no picture."""
        return redirect_stdout(sys.stderr) if self.to_stdout else nullcontext()

    def paths(self, recipe: "BaseRecipe") -> tuple[Path, ...]:
        """Return where the pictures of a recipe go; - is the standard output.

        Raises InputError for options that contradict each other.
        """
        if self.form is not None and self.outs and not self.to_stdout:
            raise InputError(f"--format is for -o - and for no -o: {self.outs[0]} has a suffix")
        if self.outs:
            return self.outs
        path = default_path(recipe)
        if self.preview:
            path = path.with_name(f"{path.stem}-preview{path.suffix}")
        suffix = f".{self.form}" if self.form else ".png" if self.last_frame else path.suffix
        return (path.with_name(path.stem + suffix),)


def explicit_options(options: Mapping[str, Any]) -> "Fields":
    """Return the words of the command line that the user wrote."""
    source = click.get_current_context().get_parameter_source
    return {name: value for name, value in options.items() if source(name) is not DEFAULT}


def option_for(keys: Sequence[Any]) -> str:
    """Return the option behind the field that `keys` lead to."""
    return OPTION_OF_FIELD.get(str(keys[0]), f"--{keys[0]}") if keys else "options"


def render_and_report(
    recipe: "BaseRecipe", output: Output, sources: Sequence[Path] = ()
) -> "Scene[Any]":
    """Make the pictures of a recipe, name them, and tell what came out.

    sources are files that it was read from, and that are not to be lost.
    """
    from optiviz.recipes.reading import check_not_input
    from optiviz.rendering.render import render

    paths = output.paths(recipe)
    for path in paths:
        check_not_input(path, sources)
    if output.preview:
        recipe = recipe.draft()
    with _stdout(output) as stdout:
        targets = [stdout if path == STDOUT else path for path in paths]
        if output.last_frame and any(format_of(each).kind == "animation" for each in targets):
            recipe = recipe.last_frame()
        with _progress(shown=not output.quiet) as progress:
            scene = render(recipe, targets, overwrite=output.overwrite, progress=progress)
    if not output.quiet:
        from optiviz.cli.tables import print_scene, print_skipped

        with output.redirect_messages():
            for path in paths:
                if path != STDOUT:
                    click.echo(path)
            print_scene(scene, recipe)
            if not (output.preview or output.last_frame):
                print_skipped(scene, recipe, targets)
    if output.open_:
        for path in paths:
            click.launch(str(path))
    return scene


@contextmanager
def _stdout(output: Output) -> Iterator[Path]:
    """Yield a path to write what goes to the standard output, if anything does.

    Raises InputError if it cannot go there.
    """
    if not output.to_stdout:
        yield STDOUT
        return
    if output.form is None:
        raise InputError("-o - has no suffix: say what it is, as in --format png")
    if output.outs.count(STDOUT) > 1:
        raise InputError("two outputs have the same path")
    if output.open_:
        raise InputError("--open: what goes to the standard output cannot be opened")
    if sys.stdout is None:
        raise OptivizError("-o -: the standard output is closed")
    if sys.stdout.isatty() and output.form not in TEXT_FORMATS:
        raise InputError(f"-o -: a terminal shows no {output.form}: lead it to a file or a program")
    with TemporaryDirectory(prefix="optiviz-") as folder:
        path = Path(folder) / f"picture.{output.form}"
        yield path
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.flush()


def default_path(recipe: "BaseRecipe") -> Path:
    """Return where a picture goes if nobody says: outputs/SUBJECT-OPT.gif, a plot's is a .png.

    Many names are only counted.
    """
    return OUTPUTS / f"{recipe.file_stem}{recipe.default_suffix}"


@contextmanager
def _progress(shown: bool) -> "Iterator[TaskProgress | None]":
    from rich.console import Console

    console = Console(stderr=True)
    if not (shown and console.is_terminal):
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("descending", total=None)
        yield lambda doing, done, total: bar.update(
            task, description=doing, completed=done, total=total
        )
