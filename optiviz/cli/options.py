"""What the drawing commands share: their options, and how they write files and report."""

import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import (
    AbstractContextManager,
    ExitStack,
    contextmanager,
    nullcontext,
    redirect_stdout,
)
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.core import ParameterSource

from optiviz.cli.follow import following
from optiviz.cli.help import Choice, Decorator, completes, option_group, section
from optiviz.registry import (
    ASPECTS,
    BATCH_NORMS,
    BIASES,
    DEVICES,
    DTYPES,
    FIT_LOSSES,
    FORMATS,
    GRADIENT_FIELDS,
    HEIGHTS,
    KINDS,
    LEGEND_PLACES,
    NOISE_KINDS,
    NORMALIZATIONS,
    PACES,
    QUALITIES,
    THEMES,
    VIEWS,
    fits,
    format_of,
    option_of,
)
from optiviz.system.errors import FieldError, InputError, OptivizError, require_package
from optiviz.system.progress import SAMPLING, SCORING, TRYING

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from optiviz.kinds.base import BaseRecipe, Scene
    from optiviz.recipes import Fields
    from optiviz.recipes.provenance import RecipeSource
    from optiviz.system.validation import KeyLocator

DEFAULT = ParameterSource.DEFAULT
OUTPUTS = Path("outputs")
STDOUT = Path("-")
JUDGED, LONG = 2.0, 10.0  # seconds after which a search is judged, and that are said to be long
FIRST = 0.2  # share of a score that is done before it is judged
TEXT_FORMATS = "svg", "json", "csv", "html"  # that a terminal can show

# What messages call the options of some fields.
CALLED = {"random_starts": "--start random:N", "surfaces": "NAME", "fill": "--no-fill"}


def views_of(kind: str) -> str:
    """Return the names of the views that can show a kind of picture, separated by commas."""
    provided = KINDS[kind].provides
    return ", ".join(name for name, entry in VIEWS.items() if entry.requires in provided)


def _condition(ctx: click.Context, option: click.Parameter, values: tuple[str, ...]) -> str | None:
    if len(values) > 1:
        both = " and ".join(f"({value})" if " or " in value else value for value in values)
        raise click.BadParameter(f"only one condition is allowed: write {both!r}")
    return values[0] if values else None


def _levels(
    ctx: click.Context, option: click.Parameter, value: str | None
) -> int | tuple[float, ...] | None:
    if value is None or re.fullmatch(r"\d{1,9}", value):
        return None if value is None else int(value)
    try:
        return tuple(float(part) for part in value.removesuffix(",").split(","))
    except ValueError:
        raise click.BadParameter(
            f"must be a number of bands or losses such as 0.1,1,10, not {value!r}"
        ) from None


window_options = section(
    "Surface",
    click.option(
        "--surfaces", "catalogue", type=click.Path(path_type=Path), metavar="FILE",
        help="YAML file with more surfaces.",
    ),
    click.option(
        "--metric", metavar="TEXT,...",
        help='Metric of natural-gradient, row by row, such as "1, 0, 0, x**2".',
    ),
    click.option(
        "--variables", metavar="NAME,...",
        help="Variables of a formula or function, such as w,b.  [default: x,y, or the names in it]",
    ),
    click.option(
        "--param", "params", multiple=True, metavar="NAME=V,...",
        shell_complete=completes("params"),
        help="Value of another name in a formula, such as k=10; may be repeated.  A run compares "
        "several values, as in k=1,10,100.",
    ),
    click.option(
        "--dim", type=int, metavar="N",
        help="Number of variables, x1 to xN, of a formula of the vector x, a function or a test "
        "function.",
    ),
    click.option(
        "--domain", metavar="X0:X1,Y0:Y1",
        help="Window to draw.  [default: the surface's, or -3:3 for a --formula]",
    ),
    click.option(
        "--axes", metavar="NAME,NAME",
        help="Names of the axes, such as w,b.  [default: the surface's, or x,y]",
    ),
    click.option(
        "--constraint", "constraints", multiple=True, metavar="TEXT",
        help='Where steps must stay, such as "x + y <= 1" or "x**2 + y**2 <= 1"; may be repeated.',
    ),
    click.option(
        "--bounds", metavar="X0:X1,Y0:Y1",
        help="Interval for each variable in which steps must stay; 0: has no upper end.",
    ),
    click.option(
        "--l1", type=float, metavar="WEIGHT",
        help="Add a penalty, this weight times |x| + |y|, to a formula.",
    ),
)  # fmt: skip

surface_options = option_group(
    section(
        "Surface",
        click.option(
            "--surface", metavar="NAME", shell_complete=completes("surfaces"),
            help="Surface by name, such as wobbly; optiviz list surfaces shows all.",
        ),
        click.option(
            "--formula", metavar="TEXT",
            help='Surface as a formula, such as "x**2 + 10*y**2"; optiviz list functions shows '
            "what it may hold.",
        ),
        click.option(
            "--residuals", metavar="TEXT,...",
            help='Surface as half the sum of squares of residuals, such as "y - x**2, 1 - x".',
        ),
        click.option(
            "--fit", metavar="TEXT",
            help='Surface as the loss of a curve that is fitted to the columns of --data, such as '
            '"y = w*x + b", over its one or two parameters.',
        ),
        click.option(
            "--loss", type=Choice("loss", FIT_LOSSES), metavar="|".join(FIT_LOSSES),
            help="Loss of a --fit: half the squared error, or that of labels 0 and 1.  "
            "[default: squared-error]",
        ),
    ),
    window_options,
)  # fmt: skip


problem_options = section(
    "Descent",
    click.option(
        "--seed", type=int, default=0, show_default=True,
        help="Seed for random starts, batches, dropout, noise and random methods.",
    ),
    click.option("--steps", type=int, help="Number of steps.  [default: the surface's]"),
    click.option(
        "--batch-size", type=int, metavar="N",
        help="Samples, or residuals of a sum of squares, per step.  [default: all]",
    ),
    click.option(
        "--noise", type=float, default=0, metavar="SIGMA",
        help="Noise on each gradient: its standard deviation, if it is Gaussian.",
    ),
    click.option(
        "--noise-kind", type=Choice("kind of noise", NOISE_KINDS), default="gaussian",
        show_default=True, metavar="KIND", shell_complete=completes("noise_kinds"),
        help="What --noise SIGMA is. " + "; ".join(
            f"{name}: {about}" for name, about in NOISE_KINDS.items()
        ) + ".",
    ),
)  # fmt: skip


def descent_options(start: str) -> Decorator:
    """Return the options that say where and how a surface is descended.

    start is the default that help shows for --start.
    """
    return section(
        "Descent",
        click.option(
            "--start", "starts", multiple=True, metavar="X,Y", shell_complete=completes("starts"),
            help="Starting point, or random:N for N random ones in the window; may be repeated.  "
            f"[default: {start}]",
        ),
        problem_options,
    )  # fmt: skip


learner_options = section(
    "Network or model",
    click.option(
        "--data", metavar="NAME", shell_complete=completes("data"),
        help="Data set of a network: digits, mnist, spirals, ..., idx:DIR or npz:FILE; or the "
        ".csv, .npz or .npy file of a --fit.",
    ),
    click.option("--samples", type=int, metavar="N", help="Number of samples a network learns."),
    click.option(
        "--device", type=Choice("device", DEVICES), metavar="|".join(DEVICES),
        help="Where your own model is evaluated.  [default: auto, where its parameters are]",
    ),
    click.option(
        "--dtype", type=Choice("dtype", DTYPES), metavar="|".join(DTYPES),
        help="Numbers in which your own model is evaluated.  [default: its own]",
    ),
    click.option(
        "--batch-norm", type=Choice("statistics", BATCH_NORMS), metavar="|".join(BATCH_NORMS),
        help="Statistics of a model's batch norm: as trained, or computed at each point.  "
        "[default: trained]",
    ),
)  # fmt: skip

plane_options = section(
    "Plane",
    click.option(
        "--plane", metavar="PLANE", shell_complete=completes("planes"),
        help="Plane through all weights or many variables: path, random:SEED, hessian, between:A,B "
        "or through:A,B,C with checkpoints, fc2.weight[5,250],fc2.weight[5,251] or x1,x2.",
    ),
    click.option(
        "--normalize", type=Choice("normalization", NORMALIZATIONS),
        metavar="|".join(NORMALIZATIONS),
        help="Scale random directions to the length of each filter, of each layer, or not.  "
        "[default: filter]",
    ),
    click.option(
        "--biases", type=Choice("treatment", BIASES), metavar="|".join(BIASES),
        help="Biases in random directions: fixed, or growing along themselves.  [default: zero]",
    ),
)  # fmt: skip

network_options = option_group(learner_options, plane_options)


def workers_options(do: str, default: str, needed: str) -> Decorator:
    """Return the options that say who does work: what that is, by default whom, what it needs."""
    return option_group(
        click.option(
            "--jobs", "-j", type=click.IntRange(1, 1024), metavar="N",
            help=f"Number of processes that {do}.  [default: {default}]",
        ),
        click.option(
            "--scheduler", metavar="tcp://HOST:PORT",
            help=f"{do.capitalize()} on a dask cluster, which must find {needed}.",
        ),
    )  # fmt: skip


sampling_options = section(
    "Plane",
    click.option(
        "--resolution", type=int, metavar="N",
        help="Points per side at which a network or a model is evaluated.  [default: 51 for a "
        "model, else 41, or 161 for two weights; half with --preview]",
    ),
    workers_options("evaluate them", "this one, on all cores", "a model's file"),
)  # fmt: skip

optimizer_options = section(
    "Optimizers",
    click.option(
        "--opt", "optimizers", multiple=True, metavar="SPEC,...",
        shell_complete=completes("optimizers"),
        help="Optimizers, for example adam:lr=0.25:beta1=0.8,rmsprop; may be repeated.  label= and "
        "color= set the name and the colour of a path.",
    ),
    click.option(
        "--vary", metavar="KEY=V,V", shell_complete=completes("varied"),
        help="Run a single optimizer once with each of these values.",
    ),
    click.option(
        "--lr", type=float, help="Learning rate for optimizers that do not set their own."
    ),
)  # fmt: skip

pace_option = section(
    "Optimizers",
    click.option(
        "--pace", type=Choice("pace", PACES), default="calm", show_default=True,
        help="How rates that nobody gives are chosen: calm takes the best one without long or "
        "backward steps, fast the best of all.",
    ),
)  # fmt: skip

legend_option = section(
    "Picture",
    click.option(
        "--legend", type=Choice("place", LEGEND_PLACES), metavar="PLACE",
        help="Where names and numbers are: right, below, inside the main panel, or none.  "
        "[default: where the main panel is largest]",
    ),
)  # fmt: skip

plugins_option = click.option(
    "--allow-plugins", is_flag=True,
    help="Allow the file to use third-party optimizers and surfaces, and so run their code.",
)  # fmt: skip

aspect_option = section(
    "Picture",
    click.option(
        "--aspect", type=Choice("aspect", ASPECTS), metavar="equal|auto",
        help="Scales of x and y: equal, or auto to fill the room.  "
        "[default: equal if the panel is then high and wide enough]",
    ),
)  # fmt: skip

where_option = section(
    "Picture",
    click.option(
        "--where", multiple=True, callback=_condition, metavar="CONDITION",
        help='Shade the points at which a condition holds, such as "x**2 + y**2 < 1", or convex '
        "for those with a positive definite Hessian.",
    ),
)  # fmt: skip

contour_options = section(
    "Picture",
    click.option(
        "--levels", callback=_levels, metavar="N|L,L",
        help="Contour lines: the number of bands, or their losses.",
    ),
    click.option("--labels/--no-labels", default=None, help="Label contour lines with losses."),
    click.option(
        "--field", is_flag=False, flag_value="arrows", type=Choice("field", GRADIENT_FIELDS),
        metavar="[arrows|stream]",
        help="Draw arrows along the negative gradient, or the streamlines of its flow.",
    ),
    click.option("--fill/--no-fill", default=None, help="Fill the bands between contour lines."),
    where_option,
    click.option(
        "--density", type=float, metavar="T",
        help="Draw the density exp(-(f - min f) / T) instead of the loss f; 0 for the loss.  "
        "[default: the temperature of samplers, if all optimizers are]",
    ),
    aspect_option,
)  # fmt: skip

relief_options = section(
    "Picture",
    click.option(
        "--camera", metavar="AZIMUTH,ELEVATION",
        help="Where a relief is seen from, in degrees, such as -60,35.  "
        "[default: where it hides least of the paths]",
    ),
    click.option(
        "--height", type=Choice("height", HEIGHTS), metavar="linear|log",
        help="How losses become heights of a relief.  [default: log if they span decades]",
    ),
    click.option(
        "--floor/--no-floor", default=None,
        help="Draw contour lines and shadows of paths beneath a relief.  [default: floor]",
    ),
)  # fmt: skip

animation_options = section(
    "Animation",
    click.option(
        "--fps", type=float,
        help="Frames per second.  [default: 12, and up to 50 to show every step in 10 seconds]",
    ),
    click.option(
        "--duration", type=float,
        help="Maximum length in seconds, not counting the final hold; longer runs skip steps.  "
        "[default: all of up to 525 steps, else 10 seconds]",
    ),
    click.option(
        "--frames", metavar="START:STOP:STEP,...",
        help="Steps to show, as in Python slices; the last step is always shown.  "
        "[default: evenly spaced]",
    ),
    click.option(
        "--quality", type=Choice("quality", QUALITIES), default="standard", show_default=True,
        help="Quality of videos, and of the edges of a relief; ignored otherwise.",
    ),
)  # fmt: skip

style_options = section(
    "Picture",
    click.option(
        "--theme", default="light", show_default=True, metavar="NAME|FILE",
        shell_complete=completes("themes"),
        help=f"Theme: {', '.join(THEMES)}, or a YAML file with colours of your own.",
    ),
    click.option(
        "--size", default="960x640", show_default=True, metavar="WxH",
        help="Width and height in pixels, or on paper, such as 3.25inx2.5in (in, cm, mm, pt), with "
        "letters of 8 pt.",
    ),
    click.option(
        "--scale", type=float, default=1, show_default=True, metavar="FACTOR",
        help="Multiply the pixels of the same layout, for example by 2.",
    ),
    click.option("--title", help="Title of the picture, instead of the default one."),
)  # fmt: skip


def _outs(ctx: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[Path, ...]:
    """Return paths; only a bare - is standard output, ./- is a file called -."""
    paths = [Path(value) for value in values]
    return tuple(
        path.absolute() if path == STDOUT and value != str(STDOUT) else path
        for value, path in zip(values, paths, strict=True)
    )


def output_options(default: str, *kinds: str) -> Decorator:
    """Return the options that say which files are written, in formats of these kinds or suffixes.

    default is the path that help shows for --out.
    """
    suffixes = [suffix for suffix in FORMATS if fits(suffix, kinds)]
    moving = click.option(
        "--last-frame", is_flag=True,
        help="Write only the final picture, as .png unless another format is specified.",
    )  # fmt: skip
    return section(
        "Output",
        click.option(
            "-o", "--out", "outs", multiple=True, metavar="FILE",
            type=click.Path(allow_dash=True),
            callback=_outs,
            help=f"File to write: {' '.join(suffixes)}; may be repeated. - is standard "
            f"output.  [default: {default}]",
        ),
        click.option(
            "--format", "form", metavar="NAME",
            type=Choice("format", [suffix.removeprefix(".") for suffix in suffixes]),
            help="Format of -o -, or of the default file without -o, for example png.",
        ),
        click.option(
            "--preview", is_flag=True, help="Quick draft: half the size, a third of the frames."
        ),
        *([moving] if {"animation", "still"} <= {*kinds} else []),
        click.option(
            "--overwrite/--no-overwrite", default=True, show_default=True,
            help="Replace existing files.",
        ),
        click.option(
            "--open", "open_", is_flag=True, help="Open the page, else the first file, at the end."
        ),
        click.option("--quiet", "-q", is_flag=True, help="Do not print paths, tables or progress."),
    )  # fmt: skip


class Output(NamedTuple):
    """The values of the options that `output_options` adds."""

    outs: tuple[Path, ...]
    form: str | None
    preview: bool
    overwrite: bool
    open_: bool
    quiet: bool
    last_frame: bool = False
    jobs: int | None = None
    scheduler: str | None = None
    follow: bool = False

    @classmethod
    def pop_from(cls, options: dict[str, Any]) -> "Output":
        """Remove them from a command's options and return them."""
        return cls(**{name: options.pop(name) for name in cls._fields if name in options})

    @property
    def to_stdout(self) -> bool:
        """Whether a picture is written to standard output."""
        return STDOUT in self.outs

    @contextmanager
    def workers(self, recipe: "BaseRecipe") -> "Iterator[int | Executor | None]":
        """Yield who shares the work of a recipe; raise InputError if there is none to share."""
        chosen = "--jobs" if self.scheduler is None else "--scheduler"
        if (self.jobs or self.scheduler) and not recipe.shares_work:
            raise InputError(f"{chosen}: needs a network or a model, but there is none")
        check_workers(self.jobs, self.scheduler)
        if self.scheduler is None:
            yield self.jobs
            return
        with executor_for(1, self.scheduler) as executor:
            yield executor

    def redirect_messages(self) -> AbstractContextManager[Any]:
        """Return a context that prints to stderr if a picture is written to stdout."""
        return redirect_stdout(sys.stderr) if self.to_stdout else nullcontext()

    def paths(self, recipe: "BaseRecipe") -> tuple[Path, ...]:
        """Return the paths of a recipe's pictures; - is standard output.

        Raises InputError for options that contradict each other.
        """
        if self.form is not None and self.outs and not self.to_stdout:
            raise InputError(
                f"--format applies to -o - or the default file: {self.outs[0]} already has a suffix"
            )
        if self.outs:
            return self.outs
        path = default_path(recipe)
        if self.preview:
            path = path.with_name(f"{path.stem}-preview{path.suffix}")
        suffix = f".{self.form}" if self.form else ".png" if self.last_frame else path.suffix
        return (path.with_name(path.stem + suffix),)


def explicit_options(options: Mapping[str, Any]) -> "Fields":
    """Return the options that the user specified, without defaults."""
    source = click.get_current_context().get_parameter_source
    return {name: value for name, value in options.items() if source(name) is not DEFAULT}


def option_for(keys: Sequence[Any]) -> str:
    """Return the option that sets the field under `keys`."""
    field = str(keys[0]) if keys else ""
    return CALLED.get(field, option_of(field)) if field else "options"


def read_made(
    made: "RecipeSource",
    changed: "Fields",
    output: Output,
    allow_plugins: bool,
    name: str | Path | None,
) -> "tuple[BaseRecipe, KeyLocator]":
    """Return a recipe that is in a file, with the options that change it, and where its fields are.

    name is what the user calls the file. Raises InputError if the recipe is invalid, or if it would
    run third-party code that is not allowed.
    """
    from optiviz.recipes.reading import check_trusted, merge_fields, read_recipe

    fields = merge_fields(made.fields, changed)
    if not allow_plugins:
        theirs = {key: value for key, value in fields.items() if key not in changed}
        check_trusted(theirs, made.locate)

    def locate(keys: Sequence[Any]) -> str:
        return (option_for if keys and keys[0] in changed else made.locate)(keys)

    with output.redirect_messages():  # those of third-party code, which is run
        recipe = read_recipe(fields, locate)
    if made.version_differences and not output.quiet:
        click.echo(
            f"{name} was written with {made.version_differences}: the bytes may differ", err=True
        )
    return recipe, locate


def render_and_report(
    recipe: "BaseRecipe",
    output: Output,
    sources: Sequence[Path] = (),
    locate: "KeyLocator | None" = None,
) -> "Scene[Any]":
    """Render the pictures of a recipe, and print their paths and a report.

    sources are the files that it was read from, which must not be overwritten, and locate tells
    where in them each of its fields is.
    """
    from optiviz.recipes.reading import check_not_input
    from optiviz.rendering.render import render

    if not output.quiet:
        _say_variables(recipe)

    paths = output.paths(recipe)
    for path in paths:
        check_not_input(path, sources)
    if output.preview:
        recipe = recipe.draft()
    # What third-party code prints is no part of a picture.
    with _stdout(output) as stdout, output.redirect_messages():
        targets = [stdout if path == STDOUT else path for path in paths]
        if output.last_frame and any(format_of(each).kind == "animation" for each in targets):
            recipe = recipe.last_frame()
        if output.follow and output.to_stdout:
            raise InputError("--follow writes a file again and again: -o - is none")
        with (
            output.workers(recipe) as jobs,
            _progress(_ways_out(recipe), shown=not output.quiet) as progress,
            following(recipe, targets, progress) if output.follow else nullcontext(),
        ):
            try:
                scene = render(
                    recipe, targets, overwrite=output.overwrite, progress=progress, jobs=jobs
                )
            except FieldError as error:
                if locate is None:
                    raise
                raise InputError(f"{locate(error.keys)}: {error.message}") from None
    if not output.quiet:
        from optiviz.cli.tables import print_scene, print_skipped

        with output.redirect_messages():
            for path in paths:
                if path != STDOUT:
                    click.echo(path)
            print_scene(scene, recipe)
            for blank in scene.blanks:
                click.echo(blank)
            for hint in recipe.hints(targets):
                click.echo(hint)
            if not (output.preview or output.last_frame):
                print_skipped(scene, recipe, targets)
    if output.open_:
        pages = [path for path in paths if format_of(path).kind == "page"]
        click.launch(str([*pages, *paths][0]))
    return scene


def _say_variables(recipe: "BaseRecipe") -> None:
    """Print which names in a formula were taken for its variables, unless they were given."""
    from optiviz.surfaces.surface import Surface
    from optiviz.surfaces.syntax import say_variables

    options = click.get_current_context().params
    if options.get("formula") and not (options.get("variables") or options.get("dim")):
        for surface in recipe.drawn_surfaces:
            if isinstance(surface, Surface) and surface.formula and surface.variables:
                click.echo(say_variables(surface.variables), err=True)


@contextmanager
def _stdout(output: Output) -> Iterator[Path]:
    """Yield a temporary file whose content is copied to standard output, if -o - is set.

    Raises InputError if that is impossible.
    """
    if not output.to_stdout:
        yield STDOUT
        return
    if output.form is None:
        raise InputError("-o - has no suffix: set its format, for example --format png")
    if output.outs.count(STDOUT) > 1:
        raise InputError("-o: two outputs have the same path")
    if output.open_:
        raise InputError("--open cannot be combined with -o -")
    if sys.stdout is None:
        raise OptivizError("-o -: standard output is closed")
    if sys.stdout.isatty() and output.form not in TEXT_FORMATS:
        raise InputError(
            f"-o -: a terminal cannot show {output.form}: redirect it to a file or a program"
        )
    with TemporaryDirectory(prefix="optiviz-") as folder:
        path = Path(folder) / f"picture.{output.form}"
        yield path
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.flush()


def default_path(recipe: "BaseRecipe") -> Path:
    """Return the default path, for example outputs/SURFACE-OPT.gif, or a .png for a plot.

    A long list of names is replaced by its length.
    """
    return OUTPUTS / f"{recipe.file_stem}{recipe.default_suffix}"


def check_workers(jobs: int | None, scheduler: str | None) -> None:
    """Raise InputError if options ask for both processes here and a cluster."""
    if jobs is not None and scheduler is not None:
        raise InputError("--jobs cannot be combined with --scheduler, which has its own processes")


@contextmanager
def executor_for(processes: int, scheduler: str | None) -> "Iterator[Executor]":
    """Yield an executor on processes here, or on a dask cluster unless scheduler is None.

    Raises InputError or OptivizError if there is no such cluster.
    """
    from optiviz.system.processes import ProcessExecutor, dask_cluster

    if scheduler is None:
        with ProcessExecutor(processes) as here:
            yield here
        return
    with require_package("--scheduler", "dask", "optiviz-cli[cluster]"):
        import distributed  # noqa: F401
    with ExitStack() as opened:
        try:
            executor = opened.enter_context(dask_cluster(scheduler))
        except (ValueError, TypeError, RuntimeError) as error:
            raise InputError(f"--scheduler: {scheduler!r}: {error}") from None
        except OSError:
            raise OptivizError(f"--scheduler: no answer from {scheduler}") from None
        yield executor


def _ways_out(recipe: "BaseRecipe") -> dict[str, str]:
    """Return how to shorten the long tasks of a recipe, by how their names begin."""
    search = "lr=RATE in --opt saves the search"
    if recipe.kind == "tune":
        search = "--trials N tries fewer values"
    elif getattr(recipe, "tune", None):
        search = "optiviz tune --trials N tries fewer values, lr=RATE in --opt none"
    return {TRYING: search, SAMPLING: "--resolution N evaluates fewer points",
            SCORING: "--starts N and --budget N run less; what is done is kept"}  # fmt: skip


@contextmanager
def _progress(ways_out: Mapping[str, str], shown: bool) -> "Iterator[Display | None]":
    """Yield a callback that shows progress on a terminal, and the expected time of long tasks.

    ways_out is how to shorten them, by how their names begin.
    """
    if not shown:
        yield None
        return
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield Display(ways_out)
        return
    from optiviz.cli.terminal import TerminalDisplay

    with TerminalDisplay(ways_out, console) as display:
        yield display


class Display:
    """A callback that says how work goes on, line by line."""

    def __init__(self, ways_out: Mapping[str, str]) -> None:
        self._time = ExpectedTime(ways_out, self.say)

    def __call__(self, task: str, done: int, total: int) -> None:
        self._time(task, done, total)

    def say(self, text: str) -> None:
        """Say something that stays."""
        click.echo(text, err=True)

    def show(self, scene: "Scene[Any]", recipe: "BaseRecipe") -> None:
        """Show what there is so far of a scene."""
        self.say(scene.unfinished)


class ExpectedTime:
    """A callback for progress that says how long a task will take, once, if that is long.

    That is judged JUDGED seconds after its first call, from the second half of these, and not
    before a fifth of a score is done, which begins with what takes longest. ways_out is how to
    shorten the tasks that it judges, by how their names begin.
    """

    def __init__(self, ways_out: Mapping[str, str], say: Callable[[str], Any]) -> None:
        self._ways_out, self._say = ways_out, say
        self._calls: dict[str, list[tuple[float, int]]] = {}  # of each task: when, and how much
        self._said: set[str] = set()

    def __call__(self, task: str, done: int, total: int) -> None:
        ways_out = [way for start, way in self._ways_out.items() if task.startswith(start)]
        if not ways_out or task in self._said:
            return
        now, calls = monotonic(), self._calls.setdefault(task, [])
        if calls and done <= calls[-1][1]:  # more values are tried
            calls.clear()
        calls.append((now, done))
        began = calls[0][0]
        if now - began < JUDGED or (task == SCORING and done < FIRST * total):
            return
        when, before = next(
            call for call in calls if call[0] >= (began + now) / 2 or call == calls[-2]
        )
        seconds = now - began + (total - done) * (now - when) / (done - before)
        if seconds >= LONG:
            self._say(f"{task} takes about {seconds:.0f} s: {ways_out[0]}")
        self._said.add(task)
