"""The Python API. Names, fields and values are those of the command line."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optiviz.descent.trajectory import Trajectory
from optiviz.kinds.base import BaseRecipe
from optiviz.kinds.basins import BasinsRecipe
from optiviz.kinds.lesson import LessonRecipe
from optiviz.kinds.plot import PlotRecipe
from optiviz.kinds.response import ResponseRecipe
from optiviz.kinds.run import Recipe
from optiviz.kinds.score import ScoreRecipe
from optiviz.kinds.suite import Suite
from optiviz.kinds.tune import TuneRecipe
from optiviz.recipes.jobs import Job, read_jobs
from optiviz.recipes.lessons import read_lesson, with_lesson
from optiviz.recipes.provenance import RecipeSource, read_source
from optiviz.recipes.reading import check_trusted, read_recipe
from optiviz.recipes.suites import read_suite
from optiviz.registry import OPTIMIZERS, NoiseKind
from optiviz.rendering.batch import Result, run_jobs
from optiviz.rendering.render import make_picture, render
from optiviz.surfaces.catalogue import find_surface
from optiviz.surfaces.signal import Signal
from optiviz.surfaces.surface import Surface
from optiviz.surfaces.syntax import AXES
from optiviz.system.errors import InputError
from optiviz.system.files import real_path
from optiviz.system.text import shorten
from optiviz.system.yaml import Document

if TYPE_CHECKING:
    from optiviz.rendering.animation import Animation, Still
    from optiviz.rendering.explorer import Explorer

__all__ = [
    "BasinsRecipe",
    "LessonRecipe",
    "PlotRecipe",
    "Recipe",
    "ResponseRecipe",
    "ScoreRecipe",
    "Signal",
    "Surface",
    "Trajectory",
    "TuneRecipe",
    "animate",
    "batch",
    "descend",
    "draw",
    "explore",
    "load_jobs",
    "load_lesson",
    "load_recipe",
    "load_suite",
    "load_surface",
    "render",
]


def load_surface(name: str, surfaces: str | Path | None = None) -> Surface:
    """Return a surface by name.

    name is the name or alias of a built-in surface, such as "wobbly", or of one in a YAML file:
    surfaces is the path of such a file, whose surfaces are added to the built-in ones and replace
    those of the same name. name can also be third-party code, whose module is then imported: a
    function in a file, "my_surface.py:f", an import path, or the name of an entry point of an
    installed package.

    Returns a Surface in one or two dimensions. Raises InputError if there is no such surface, with
    the nearest known name, or if the file cannot be read or is invalid.
    """
    return find_surface(name, None if surfaces is None else Path(surfaces), OPTIMIZERS)


def descend(
    surface: str | Surface | Callable[..., Any],
    optimizer: str,
    start: Sequence[float] | None = None,
    steps: int | None = None,
    *,
    batch_size: int | None = None,
    noise: float = 0.0,
    noise_kind: NoiseKind = "gaussian",
    seed: int = 0,
) -> Trajectory:
    """Run one optimizer on a surface and return its trajectory.

    surface is the name of a surface, as for `load_surface`, a Surface, or a function: of
    coordinates, f(x, y), or of one vector. optimizer is the spec of an optimizer: its name and,
    optionally, its hyperparameters, such as "adam:lr=0.25". Unless specified, the learning rate is
    the optimizer's default. An optimizer without a default uses the surface's learning rate or, if
    there is none, one that is tuned from this start for this number of steps, among those with calm
    paths.

    start is the starting point, of shape (dim,), in the coordinates that pictures show. Unless
    specified, start and steps are those of the surface; steps is 120 if it has none. batch_size is
    the number of samples of a network's data per step, all of them if None. noise is the standard
    deviation of Gaussian noise that is added to each coordinate of the gradient; noise_kind is
    another kind, as in the help of `optiviz run`. seed is the seed of batches, noise, dropout and
    random methods.

    Returns a Trajectory, whose `losses` have shape (steps + 1,) and whose `points` have shape
    (rows, dim): every step in one or two dimensions, a selection of steps in more. For a network
    that is descended in all of its weights, dim is their number. Divergence is not an error:
    `diverged_at` is the step at which it happens.

    Raises InputError if an argument is invalid, if optimizer specifies more than one, if start has
    the wrong number of coordinates, or if a batch is larger than the data.

    >>> round(float(descend("wobbly", "adam:lr=0.25").losses[-1]), 4)
    0.9155
    """
    starts = () if start is None else (tuple(start),)
    recipe = _recipe(
        surface=surface, optimizers=optimizer, starts=starts, steps=steps,
        batch_size=batch_size, noise=noise, noise_kind=noise_kind, seed=seed,
    )  # fmt: skip
    if len(recipe.optimizers) != 1:
        raise InputError(f"descend needs exactly one optimizer, not {len(recipe.optimizers)}")
    return recipe.full_trajectories()[0]


def animate(
    surface: str | Surface | Callable[..., Any],
    optimizers: str | Sequence[str] = (),
    **settings: Any,
) -> "Animation":
    """Return the animation that `optiviz run` would write, as matplotlib's FuncAnimation.

    surface is the name of a surface, as for `load_surface`, a Surface, or a function: of
    coordinates, f(x, y), or of one vector. optimizers are specs such as "adam:lr=0.25", in a
    sequence or in one comma-separated string. settings are the other fields of Recipe: starts,
    steps, fps, size (width and height in pixels), title and so on, and those that change a surface:
    domain, axes, variables, dim, plane, data, samples and resolution.
    tracks=[...] draws paths that your own program recorded, each a `Trajectory.of(points)` or a
    file such as "run.csv", beside those of the optimizers, or alone.

    The optimizers run and the figure is drawn before this function returns; frames are drawn when
    the animation is saved. Its `save` uses the writer "imageio" by default, and stores the recipe
    in the file; for a still, such as "x.png", it writes the last frame. What is added to its
    `figure` is in every frame, and files then have no recipe. At the end of a notebook cell, the
    animation is displayed as a GIF.

    Raises InputError if an argument is invalid.
    """
    from optiviz.rendering.animation import Animation

    recipe = _recipe(surface=surface, optimizers=optimizers, **settings)
    recipe.check_kinds(["animation"])
    return Animation(recipe, make_picture(recipe))


def draw(recipe: BaseRecipe) -> "Still | Animation":
    """Return the picture of a recipe, which a notebook displays: a still, or an animation.

    recipe is of any kind but a lesson, such as TuneRecipe(surface="wobbly", optimizers="adam,sgd").
    It is an animation if it has one, as those of runs, responses and basins do. Its `save(path)`
    writes it, and its `figure` is matplotlib's.

    Raises InputError if the recipe cannot be run or drawn.
    """
    from optiviz.rendering.animation import drawn

    if not isinstance(recipe, BaseRecipe):
        raise InputError(f"{shorten(recipe)} is not a recipe: write, for example, "
                         "TuneRecipe(surface=..., optimizers=...)")  # fmt: skip
    if recipe.kind == "lesson":
        raise InputError("a lesson has several pictures: draw one, as lesson.sections[0].picture")
    recipe.check_kinds(["still"])
    return drawn(recipe)


def explore(
    surface: str | Surface | Callable[..., Any],
    optimizers: str | Sequence[str] = (),
    **settings: Any,
) -> "Explorer":
    """Return the interactive page that `optiviz run -o x.html` would write.

    surface, optimizers and settings are those of `animate`; presets="too large: sgd:lr=1.05", a
    list of such texts, or a mapping of names to optimizers, adds buttons.

    The optimizers run when the page is first shown or saved. At the end of a notebook cell, it is
    displayed in a frame as wide as the cell, which needs neither a server nor the internet. Its
    `save(path)` writes it as an .html file.

    Raises InputError if an argument is invalid, or if a page cannot show what is asked for.
    """
    from optiviz.rendering.explorer import Explorer

    return Explorer(_recipe(surface=surface, optimizers=optimizers, **settings))


def load_recipe(path: str | Path, *, allow_plugins: bool = False) -> BaseRecipe:
    """Return the recipe in a file.

    path is a file written by optiviz, which contains the recipe it was created from, or a YAML file
    with the fields of one recipe. allow_plugins permits recipes that use third-party code, such as
    optimizers or surfaces from Python files, and so lets that code run.

    Returns a Recipe, or a recipe of another kind such as LessonRecipe. Raises InputError if
    the file cannot be read or has no recipe, if the recipe is invalid, with one line per error, or
    if it uses third-party code without allow_plugins.
    """
    return _trusted(with_lesson(read_source(Path(path))), allow_plugins)


def load_lesson(name: str, lang: str | None = None, *, allow_plugins: bool = False) -> LessonRecipe:
    """Return the recipe of a lesson, which `render` turns into a page, a film and so on.

    name is that of a shipped lesson, as `optiviz lesson` lists them, or the path of a YAML file or
    of a finished one. lang is the language of its texts, such as "en"; unless specified, they are
    those in its file. allow_plugins permits third-party code in its pictures.

    Returns a LessonRecipe, whose `sections` have texts and recipes. Raises InputError if there is
    no such lesson, or none in this language, and as `load_recipe` does.
    """
    recipe = _trusted(read_lesson(name, lang), allow_plugins)
    assert isinstance(recipe, LessonRecipe)
    return recipe


def load_suite(name: str, *, allow_plugins: bool = False) -> Suite:
    """Return a suite of problems, for a `ScoreRecipe`.

    name is that of a shipped suite, "quick" or "full", or the path of a YAML file. allow_plugins
    permits third-party code in its problems.

    Returns a Suite, whose `problems` have surfaces and the conditions of runs. Raises InputError
    if there is no such suite, or with all that is wrong with the file.
    """
    return read_suite(name, allow_plugins)


def _trusted(source: RecipeSource, allow_plugins: bool) -> BaseRecipe:
    """Return a recipe that others may have written."""
    if not allow_plugins:
        check_trusted(source.fields, source.locate)
    return read_recipe(source.fields, source.locate)


def load_jobs(path: str | Path, *, allow_plugins: bool = False) -> list[Job]:
    """Return the jobs of a YAML file, as `optiviz batch` reads them, to pass to `batch`.

    path is a YAML file with `jobs:` and, optionally, `defaults:`. allow_plugins permits jobs that
    use third-party code.

    Returns a list of jobs, each with its `recipe`, its output `paths` and its `name`; a job with a
    `matrix:` yields one job per combination. Raises InputError with every error in the file, one
    per line, each with its line and column, and for third-party code without allow_plugins.
    """
    return read_jobs(Document.read(Path(path)), allow_plugins)


def batch(
    recipes: Iterable[tuple[BaseRecipe, str | Path | Sequence[str | Path]] | Job],
    executor: Executor | None = None,
    *,
    force: bool = False,
    fail_fast: bool = False,
) -> list[Result]:
    """Render many recipes into files, as `render` does.

    recipes are pairs of a recipe and its output path, or a sequence of its output paths; jobs from
    `load_jobs` can be among them. executor is any executor of concurrent.futures, whose processes
    must be able to import optiviz. Without one, recipes are rendered one after another.

    Recipes whose files are up to date, that is, written from the same recipe with the same
    versions, are skipped unless force is set. A failure does not stop other recipes; with
    fail_fast, those that have not begun are skipped.

    Returns a list of results in the order of `recipes`. Each has its `job`, a `status` ("made",
    "up to date", "failed" or "not begun"), the `seconds` it took, the `cause` of a failure and
    `remarks` on runs that ended badly. Raises InputError, before any work, if an item is not such
    a pair, if a path has an unknown format or one that does not fit the recipe, or if two outputs
    have the same path.
    """
    jobs = []
    for item in recipes:
        if not (isinstance(item, tuple) and len(item) > 1 and isinstance(item[0], BaseRecipe)):
            raise InputError(f"{shorten(item)} is not a pair of a recipe and its output path")
        recipe, out, *name = item
        paths = tuple(Path(each) for each in ([out] if isinstance(out, str | Path) else out))
        if not paths:
            raise InputError("every recipe needs at least one output path")
        named = Job(recipe, paths, str(name[0]) if name else paths[0].stem)
        jobs.append(item if isinstance(item, Job) else named)
        for path in paths:
            recipe.output_format(path)
    places: Counter[Path] = Counter()
    for path in (each for job in jobs for each in job.paths):
        places[real_path(path)] += 1
    for place, number in places.items():
        if number > 1:
            raise InputError(f"{place} would be written {number} times")
    if executor is not None:
        return run_jobs(jobs, executor, force=force, fail_fast=fail_fast)
    with ThreadPoolExecutor(1) as here:
        return run_jobs(jobs, here, force=force, fail_fast=fail_fast)


def _recipe(**fields: Any) -> Recipe:
    """Return the recipe of fields, which may be written as on the command line."""
    given = {key: value for key, value in fields.items() if value is not None}
    starts = given.get("starts")
    if callable(given.get("surface")) and not {"dim", "variables"} & given.keys() and starts:
        sizes = {len(each) for each in starts if not isinstance(each, str | float | int)}
        if len(sizes) == 1 and (many := sizes.pop()) > len(AXES):  # a vector of any size
            given["dim"] = many
    recipe = read_recipe(given, lambda keys: ".".join(map(str, keys)) or "recipe")
    assert isinstance(recipe, Recipe)
    return recipe
