"""The Python face: what a script calls, in the words of the command line."""

import inspect
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import MISSING
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optiviz.descent.trajectory import Trajectory
from optiviz.kinds.base import BaseRecipe
from optiviz.kinds.basins import BasinsRecipe
from optiviz.kinds.plot import PlotRecipe
from optiviz.kinds.response import ResponseRecipe
from optiviz.kinds.run import Recipe
from optiviz.kinds.tune import TuneRecipe
from optiviz.optimizers import load_optimizer, load_wrapper
from optiviz.optimizers.base import Method
from optiviz.optimizers.describe import describe as describe_class
from optiviz.optimizers.lookup import GROUP, factory_of
from optiviz.optimizers.schedules import SCHEDULES
from optiviz.recipes.jobs import Job, read_jobs
from optiviz.recipes.provenance import metadata_for, read_source
from optiviz.recipes.reading import check_trusted, read_recipe
from optiviz.registry import FORMATS, OPTIMIZERS, SIGNALS, THEMES, VIEWS, WRAPPERS
from optiviz.rendering.batch import Result, run_jobs
from optiviz.rendering.render import make_picture, render
from optiviz.surfaces import GROUP as SURFACE_GROUP
from optiviz.surfaces.catalogue import Catalogue, find_surface, load_catalogue
from optiviz.surfaces.signal import Signal
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.files import real_path
from optiviz.system.plugins import find_plugin, installed_plugins, is_import_path
from optiviz.system.text import shorten
from optiviz.system.validation import validated
from optiviz.system.yaml import Document

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation

__all__ = [
    "BasinsRecipe",
    "PlotRecipe",
    "Recipe",
    "ResponseRecipe",
    "Signal",
    "Surface",
    "Trajectory",
    "TuneRecipe",
    "animate",
    "batch",
    "descend",
    "load_jobs",
    "load_recipe",
    "load_surface",
    "render",
]


def load_surface(name: str, surfaces: str | Path | None = None) -> Surface:
    """Return a named surface, of our catalogue or of a YAML file `surfaces` on top of it.

    Raises InputError, with the nearest right name, if there is none.
    """
    return find_surface(name, None if surfaces is None else Path(surfaces), OPTIMIZERS)


def _catalogue(surfaces: str | Path | None) -> Catalogue:
    return load_catalogue(None if surfaces is None else Path(surfaces), OPTIMIZERS)


def descend(
    surface: str | Surface,
    optimizer: str,
    start: Sequence[float] | None = None,
    steps: int | None = None,
    *,
    batch_size: int | None = None,
    noise: float = 0.0,
    seed: int = 0,
) -> Trajectory:
    """Walk one optimizer down a surface and return its trajectory.

    The optimizer is a word such as "adam:lr=0.25"; start and steps are the surface's if not
    given. A learning rate that is not given is the optimizer's default, else the surface's, else
    tuned from this start for so many steps. Of a network that is descended in all of its weights
    the points are these.

    >>> round(float(descend("wobbly", "adam:lr=0.25").losses[-1]), 4)
    0.9155
    """
    starts = () if start is None else (tuple(start),)
    recipe = _recipe(
        surface=surface, optimizers=optimizer, starts=starts, steps=steps,
        batch_size=batch_size, noise=noise, seed=seed,
    )  # fmt: skip
    if len(recipe.optimizers) != 1:
        raise InputError(f"descend takes one optimizer, not {len(recipe.optimizers)}")
    return recipe.full_trajectories()[0]


def animate(
    surface: str | Surface, optimizers: str | Sequence[str], **settings: Any
) -> "FuncAnimation":
    """Return the animation that `optiviz run` would write, as matplotlib's FuncAnimation.

    settings are the other fields of Recipe: starts, steps, fps, size, title ... At the end of a
    notebook's cell it shows itself.
    """
    recipe = _recipe(surface=surface, optimizers=optimizers, **settings)
    picture = make_picture(recipe)
    steps = recipe.frame_steps(picture.scene.steps)
    return picture.animation(recipe.fps, steps, comment=metadata_for(recipe))


def load_recipe(path: str | Path, *, allow_plugins: bool = False) -> BaseRecipe:
    """Return the recipe that a finished file of ours carries, or that a YAML file is.

    Raises InputError with all that is wrong with it, and if it names what would run a stranger's
    code, unless allow_plugins.
    """
    source = read_source(Path(path))
    if not allow_plugins:
        check_trusted(source.fields, source.locate)
    return read_recipe(source.fields, source.locate)


def load_jobs(path: str | Path, *, allow_plugins: bool = False) -> list[Job]:
    """Return the jobs of a YAML file as `optiviz batch` would make them, for `batch`.

    allow_plugins lets it name what runs a stranger's code.
    """
    return read_jobs(Document.read(Path(path)), allow_plugins)


def batch(
    recipes: Iterable[tuple[BaseRecipe, str | Path | Sequence[str | Path]] | Job],
    executor: Executor | None = None,
    *,
    force: bool = False,
    fail_fast: bool = False,
) -> list[Result]:
    """Make many recipes, each with the path or paths it is written to, as `render` would.

    What is up to date, made by the same recipe and versions, is left unless `force`. A failure
    stops no other recipe; with fail_fast those that have not begun are left. The executor is any
    of concurrent.futures, whose processes must be able to import optiviz; without one it is done
    here, one after another. Returns what became of each, in order: job, status ("made", "up to
    date", "failed" or "not begun"), seconds, and the cause of a failure. Raises InputError before
    any work if two have the same path, or a path is none.
    """
    jobs = []
    for item in recipes:
        if not (isinstance(item, tuple) and len(item) > 1 and isinstance(item[0], BaseRecipe)):
            raise InputError(f"{shorten(item)} is no recipe with the path it is written to")
        recipe, out, *name = item
        paths = tuple(Path(each) for each in ([out] if isinstance(out, str | Path) else out))
        if not paths:
            raise InputError("a job has no output")
        jobs.append(Job(recipe, paths, *(name or [paths[0].stem])))
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
    return validated(Recipe, fields, lambda keys: ".".join(str(key) for key in keys) or "recipe")


def list_names(
    kind: str, surfaces: str | Path | None = None, tags: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Return name and one line about every one of "surfaces", "optimizers", "views" ...

    Of surfaces only those that have all of `tags`; InputError for a tag that none has.
    """
    if kind == "surfaces":
        catalogue = _catalogue(surfaces)
        found = catalogue.tagged(tags)
        offered = [] if tags else _list_plugins(SURFACE_GROUP, "surface", catalogue.surfaces)
        return [
            {
                "name": each.name,
                "about": each.title
                + (f" [{', '.join(each.tags)}]" if each.tags else "")
                + (f", also {', '.join(each.aliases)}" if each.aliases else ""),
                "dim": each.dim,
                "tags": list(each.tags),
                "aliases": list(each.aliases),
            }
            for each in found
        ] + offered
    if kind in ("optimizers", "wrappers"):
        names = OPTIMIZERS if kind == "optimizers" else WRAPPERS
        rows = [{"name": name, "about": describe_class(_class(name)).summary} for name in names]
        return rows + (
            _list_plugins(GROUP, "optimizer", OPTIMIZERS) if kind == "optimizers" else []
        )
    if kind == "formats":
        return [
            {"name": suffix, "about": form.about, "kind": form.kind}
            for suffix, form in FORMATS.items()
        ]
    abouts = {
        "schedules": {each.form: each.about for each in SCHEDULES.values()},
        "views": {name: entry.about for name, entry in VIEWS.items()},
        "signals": SIGNALS,
        "themes": THEMES,
    }
    return [{"name": name, "about": about} for name, about in abouts[kind].items()]


def _list_plugins(group: str, kind: str, ours: Iterable[str]) -> list[dict[str, Any]]:
    """Return name and one line about what installed packages add. It is loaded for that.

    Warns of one that cannot be; raises InputError if two have a name.
    """
    rows = []
    for each in installed_plugins(group):
        find_plugin(group, kind, each.name, list(ours))
        try:
            found = each.load()
        except InputError as error:
            warnings.warn(str(error), stacklevel=3)
            continue
        about = (inspect.getdoc(found) or "").partition("\n")[0]
        rows.append({"name": each.name, "about": about or f"of the package {each.package}"})
    return rows


def _class(name: str) -> type[Method]:
    return load_optimizer(name) if name in OPTIMIZERS else load_wrapper(name)


def _describe_factory(name: str) -> dict[str, Any]:
    """Return what is known of a wrapped optimizer or a stranger's, whose code is run."""
    from optiviz.optimizers.third_party import plain_value

    factory = factory_of(name)
    return {
        "name": name,
        "summary": " ".join(filter(None, map(_summary, factory.sources))),
        "hyperparameters": [
            {"name": key, "default": None if each.default is MISSING else plain_value(each.default)}
            for key, each in factory.parameters.items()
        ],
        "learning rate": factory.rate,
    }


def _summary(found: object) -> str:
    """Return the first paragraph of a docstring, "" if there is none but a dataclass's own."""
    said = " ".join((inspect.getdoc(found) or "").partition("\n\n")[0].split())
    return "" if said.startswith(f"{getattr(found, '__name__', '')}(") else said


OTHER_TABLES: dict[str, Collection[str]] = {
    "view": VIEWS, "theme": THEMES, "schedule": SCHEDULES, "signal": SIGNALS, "format": FORMATS
}  # fmt: skip


def describe(name: str, surfaces: str | Path | None = None) -> dict[str, Any]:
    """Return all that is known of a surface or an optimizer, as plain values."""
    catalogue = _catalogue(surfaces)
    if name in OPTIMIZERS or name in WRAPPERS:
        known = describe_class(_class(name))
        return {
            "name": name,
            "summary": known.summary,
            "rule": known.rule,
            "hyperparameters": [
                {"name": key, "default": default, "meaning": meaning}
                for key, default, meaning in known.hyperparameters
            ],
            "paper": known.paper,
            "notes": known.notes,
        }
    if is_import_path(name) or "+" in name:
        return _describe_factory(name)
    if catalogue.aliases.get(name, name) not in catalogue.surfaces:
        for kind, table in OTHER_TABLES.items():
            if name in table:
                raise InputError(f"{name} is a {kind}: optiviz list {kind}s tells of all")
        words = [*OPTIMIZERS, *WRAPPERS, *catalogue.surfaces, *catalogue.aliases]
        raise InputError(did_you_mean("surface or optimizer", name, words))
    return catalogue[name].to_dict()
