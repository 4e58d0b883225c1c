"""`run`: optimizers that descend a surface."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field, ValidationInfo, field_validator

from optiviz.descent import problem_of
from optiviz.descent.learning_rate import configure, tune
from optiviz.descent.outcome import outcome
from optiviz.descent.search import Range, check_ranges
from optiviz.descent.trajectory import Trajectory
from optiviz.descent.walk import MAX_BYTES, MAX_ROWS, descend
from optiviz.kinds.base import (
    SETTINGS,
    STATUS,
    Column,
    Entry,
    OnSurface,
    Report,
    Row,
    Scene,
    finite_or_none,
)
from optiviz.kinds.fields import AnimationFields, StartFields, fitting_view, labelled
from optiviz.kinds.style import Style, check_views
from optiviz.kinds.tune import TuneRecipe, configure_best, run_search
from optiviz.kinds.types import Over, resolve_surface
from optiviz.objective import Array
from optiviz.optimizers.spec import format_value
from optiviz.registry import MANY_DIMENSIONS, VIEWS, Format, Pace
from optiviz.surfaces.domain import AXES
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import InputError
from optiviz.system.progress import TaskProgress, search_progress
from optiviz.system.text import counted

ZERO_DISTANCE = 1e-9  # fraction of the window's diagonal up to which a distance counts as 0


class Recipe(StartFields, AnimationFields, Style):
    """Optimizers that descend a surface: the starts, the steps, and how they are shown.

    view is one or several names of views, joined by "+"; tune names the hyperparameters to tune
    for every optimizer before it is drawn, written as `over` of a TuneRecipe; pace is "calm" if
    learning rates that nobody gives are chosen among those that draw a calm path, "fast" if among
    all.
    """

    kind: Literal["run"] = "run"
    formats: ClassVar = ("animation", "still", "data", "page")
    has_rate_report: ClassVar = True
    tune: Over | None = None
    pace: Pace = "calm"
    view: Annotated[str | None, Field(validate_default=True)] = None
    layout: Literal["panels", "grid"] = "panels"

    @field_validator("view")
    @classmethod
    def _fits(cls, view: str | None, info: ValidationInfo) -> str | None:
        surface = info.data.get("surface")
        provided = [] if surface is None else [_provided(resolve_surface(surface))]
        return fitting_view(view, provided, info)

    @field_validator("pace")
    @classmethod
    def _has_effect(cls, pace: Pace, info: ValidationInfo) -> Pace:
        if pace != "calm" and info.data.get("tune") is not None:
            raise InputError("applies to runs without --tune, which searches for the lowest loss")
        surface = info.data.get("surface")
        if pace != "calm" and surface is not None:
            found = resolve_surface(surface)
            if not problem_of(found).in_plane:
                raise InputError(f"needs a plane, but {found.name} is descended in all its weights")
        return pace

    @property
    def style(self) -> Style:
        return self

    @property
    def small_multiples(self) -> bool:
        return self.layout == "grid"

    def views(self, part: Scene[Any]) -> list[str]:
        return check_views(self.view, part.provides, self.changed_fields())

    def check_output(self, form: Format) -> None:
        if form.kind != "page":
            return
        fitting = [name for name, view in VIEWS.items() if view.page]
        for name in (self.view or "").split("+"):
            if name and name not in fitting:
                raise InputError(f"a page cannot show {name}: choose from {', '.join(fitting)}")
        if self.small_multiples:
            raise InputError("a page shows all optimizers in one panel: omit --layout grid")

    def conditions(self) -> tuple[str, ...]:
        search = self._search
        if search is None:
            return super().conditions()
        keys = " and ".join(Range.read(text).key for text in search.over)
        starts = counted(len(search.points()), "start")
        said = f"{keys} tuned for the median final loss of {starts}, {search.trials} trials each"
        return (said, *super().conditions())

    @property
    def _search(self) -> TuneRecipe | None:
        """The search that comes first: from the recipe's starts, else a TuneRecipe's defaults."""
        if self.tune is None:
            return None
        shared = {name: getattr(self, name) for name in StartFields.model_fields}
        if not (self.starts or self.random_starts):
            del shared["random_starts"]
        return TuneRecipe(optimizers=self.optimizers, over=self.tune, **shared)

    def make_scene(self, progress: TaskProgress | None = None) -> "RunScene":
        self.check()
        descended = self._descend_all(progress)
        paths = [path for entry in descended for path in entry.trajectories]
        surface, paths = self.problem.project(paths)
        many = len(paths) // len(descended)
        entries = tuple(
            replace(entry, trajectories=tuple(paths[number * many : (number + 1) * many]))
            for number, entry in enumerate(descended)
        )
        return RunScene(
            title=self.title_for(surface),
            surface=surface,
            entries=entries,
            conditions=self.conditions(),
        )

    def full_trajectories(self) -> tuple[Trajectory, ...]:
        """Return every path as it was descended, in all of a network's weights."""
        self.check()
        entries = self._descend_all()
        return tuple(path for entry in entries for path in entry.trajectories)

    def _descend_all(self, progress: TaskProgress | None = None) -> "list[RunEntry]":
        surface, steps = resolve_surface(self.surface), self.last_step
        objective, starts = self.objective(), self.start_points()
        rows = self.frame_steps(steps)
        max_bytes = MAX_BYTES // (len(self.specs) * len(starts))
        entries = []
        specs = self.loaded_specs(steps)
        setup = None if self._search is None else self._search.search_setup()
        if setup is not None:
            specs = [spec.with_default_rate(self.lr) for spec in specs]
            check_ranges(specs, setup.ranges, given=True)
        for number, (spec, label) in enumerate(labelled(specs)):
            if setup is None:
                watch = search_progress(label, progress)
                configured = configure(
                    spec, surface, starts, steps, self.lr, objective, watch, self.pace
                )
            else:
                configured = configure_best(run_search(spec, label, setup, progress))
            paths = tuple(
                descend(objective, configured.optimizer, start, steps, label, rows, max_bytes)
                for start in starts
            )
            entries.append(
                RunEntry(
                    spec=spec, label=label, configured=configured, number=number, trajectories=paths
                )
            )
            if progress is not None:
                progress("descending", number + 1, len(self.specs))
        return entries

    def rate_report(self, scene: Scene[Any]) -> str:
        """Return the score of every learning rate that was tried, or would be for tuning."""
        surface = resolve_surface(self.surface)
        objective, starts = self.objective(), self.start_points()
        blocks = []
        for entry in scene.entries:
            method = entry.configured.optimizer
            rate = method.hyperparameters().get(method.rate)
            if rate is None:
                blocks.append(f"{entry.label} has no learning rate")
                continue
            tuning = entry.configured.tuning or tune(
                entry.spec, surface, starts, scene.steps, [rate], objective, pace=self.pace
            )
            best = (
                f"best of {len(tuning.rates)} rates: {format_value(tuning.best)}"
                if tuning.any_usable
                else f"none of {len(tuning.rates)} rates is usable"
            )
            found = f"{entry.label}: lr {format_value(rate)} ({entry.configured.source}); {best}"
            blocks.append("\n".join(filter(None, [found, tuning.bounds(), tuning.table()])))
        return "\n\n".join(blocks)


def _provided(surface: Surface) -> Mapping[str, int]:
    """Return what a surface and its descent offer to views."""
    return {
        "surface": surface.dim,
        "descent": surface.dim if problem_of(surface).in_plane else MANY_DIMENSIONS,
    }


@dataclass(frozen=True, eq=False, kw_only=True)
class RunEntry(Entry):
    """An optimizer on a surface: one path per start; its values are their losses."""

    trajectories: tuple[Trajectory, ...]

    @property
    def steps(self) -> int:
        return self.trajectories[0].steps

    def values(self, step: int) -> Array:
        return np.array([path.loss(step) for path in self.trajectories])

    def to_dict(self, path: Trajectory, learned: bool) -> dict[str, Any]:
        """Return a path as plain values, in full precision."""
        return {
            "label": self.label,
            "optimizer": self.spec.name,
            "hyperparameters": path.optimizer.hyperparameters(),
            "lr_source": self.configured.source,
            "start": [finite_or_none(each) for each in path.start.tolist()],
            "path": [[finite_or_none(each) for each in point] for point in path.points.tolist()],
            "loss": [finite_or_none(each) for each in path.true_losses_by_step.tolist()],
            "diverged_at": path.diverged_at,
            "no_gradient_at": path.no_gradient_at,
            "stopped_at": path.stopped_at,
        } | (_learned(path) if learned else {})


@dataclass(frozen=True, eq=False, kw_only=True)
class RunScene(OnSurface[RunEntry]):
    """A surface and the optimizers that descended it, none where only the surface is drawn.

    The paths of an entry differ by line style.
    """

    entries: tuple[RunEntry, ...] = ()
    siblings: tuple[RunEntry, ...] = ()
    quantity = "loss"

    def plane_proximity(self, path: Trajectory) -> Array | None:
        """Return how near the plane each step of a path is, shape (last + 1,).

        1 is on the plane, and 0 the diagonal of the window or more away. None if all paths are
        on the plane.
        """
        if not self.max_plane_distance:
            return None
        shares: Array = 1 - np.minimum(
            path.away[path.row_of_step] / self.surface.window.diagonal, 1.0
        )
        return shares

    @cached_property
    def max_plane_distance(self) -> float:
        away = [path.away.max(initial=0.0) for path in self.compared if path.ended_at is None]
        farthest = float(max(away, default=0.0))
        return farthest if farthest > ZERO_DISTANCE * self.surface.window.diagonal else 0.0

    @property
    def trajectories(self) -> tuple[Trajectory, ...]:
        """All paths, by optimizer, then by start."""
        return tuple(path for entry in self.entries for path in entry.trajectories)

    @property
    def compared(self) -> tuple[Trajectory, ...]:
        """All paths that share the scales of this scene, its own included."""
        return tuple(path for entry in self.siblings or self.entries for path in entry.trajectories)

    @property
    def starts(self) -> Array:
        """The starting points, shape (starts, dim)."""
        paths = self.entries[0].trajectories if self.entries else ()
        return np.reshape([path.start for path in paths], (-1, self.surface.dim))

    @property
    def legend_entries(self) -> tuple[str, ...]:
        """The marks on its surface that the legend explains."""
        known = {
            "start": self.entries,
            "minimum": self.surface.minima,
            "distance": self.max_plane_distance,
            "away": self.leaves_window,
        }
        return tuple(name for name, marked in known.items() if marked)

    @property
    def leaves_window(self) -> bool:
        """Whether a path leaves the window."""
        return any(
            len(self.in_window(path.finite_points)) < len(path.finite_points)
            for path in self.compared
        )

    def in_window(self, points: ArrayLike) -> Array:
        """Return the points inside the window, shape (n, dim)."""
        given = np.reshape(points, (-1, self.surface.dim))
        inside: Array = given[self.surface.window.contains(given)]
        return inside

    def status(self, entry: RunEntry, step: int) -> str:
        """Return what went wrong with an entry's runs, from the step on at which they ended."""
        paths = entry.trajectories
        ended = [
            self._outcomes[path]
            for path in paths
            if self._outcomes[path]
            and step >= (path.steps if path.ended_at is None else path.ended_at)
        ]
        if len(paths) == 1 or not ended:
            return ended[0] if ended else ""
        kinds = {verdict.partition(" at step")[0] for verdict in ended}
        what = kinds.pop() if len(kinds) == 1 else "went wrong"
        return f"{len(ended)} of {len(paths)} {what}"

    @cached_property
    def _outcomes(self) -> dict[Trajectory, str]:
        return {path: self.outcome(path) for path in self.trajectories}

    @property
    def remarks(self) -> tuple[str, ...]:
        said = (
            f"{entry.label} {verdict}{path.ending_detail}"
            for entry in self.entries
            for path in entry.trajectories
            if (verdict := self.outcome(path))
        )
        return tuple(dict.fromkeys(said))

    def outcome(self, path: Trajectory) -> str:
        """Return how a path ended, or "" if nothing went wrong."""
        return outcome(path, self.surface)

    @property
    def provides(self) -> Mapping[str, int]:
        return _provided(self.surface) if self.entries else {"surface": self.surface.dim}

    @property
    def columns(self) -> tuple[str, ...]:
        """The quantities of its paths beside point and loss."""
        return problem_of(self.surface).columns

    def to_dict(self) -> dict[str, Any]:
        learned = bool(self.columns)
        trajectories = [
            entry.to_dict(path, learned) for entry in self.entries for path in entry.trajectories
        ]
        if not learned:
            return {"trajectories": trajectories}
        plane = {
            "axes": self.surface.axis_names,
            "domain": self.surface.window.model_dump(mode="json"),
        }
        return {"plane": plane, "trajectories": trajectories}

    def rows(self) -> Row:
        batches = any(path.true_losses is not None for path in self.trajectories)
        known = {"distance": True, "batch_loss": batches}
        added = [name for name in self.columns if known.get(name)]
        yield ["label", "optimizer", "start", "step", *AXES[: self.surface.dim], "loss", *added]
        for entry in self.entries:
            for start, path in enumerate(entry.trajectories):
                table = np.full((path.steps + 1, self.surface.dim + 1 + len(added)), np.nan)
                table[path.step_of_row, : self.surface.dim] = path.points
                table[:, self.surface.dim] = path.true_losses_by_step
                for column, name in enumerate(added, start=self.surface.dim + 1):
                    if name == "distance":
                        table[path.step_of_row, column] = path.row_distances
                    else:
                        table[:, column] = path.losses
                for step, row in enumerate(table.tolist()):
                    yield [entry.label, entry.spec.name, start, step, *row]

    def report(self, recipe: Recipe) -> Report:
        """Return one row per run: its settings, how far it got, and what went wrong."""
        several = len(self.entries[0].trajectories) > 1
        learned = "accuracy" in self.columns
        known = bool(self.surface.minima)
        added = ["to nearest minimum"] * known
        if learned:
            added = ["accuracy", *(["off plane"] if self.max_plane_distance else [])]
        rows = []
        for entry in self.entries:
            for path in entry.trajectories:
                away = self.surface.distance_to_minimum(path.end.tolist())
                figures = ["-" if away is None else f"{away:.4g}"] * known
                if learned:
                    figures = ["-" if path.accuracy is None else f"{path.accuracy:.1%}"]
                    figures += [f"{path.away[-1]:.4g}"] if self.max_plane_distance else []
                rows.append(
                    [
                        entry.label,
                        *([",".join(f"{each:.4g}" for each in path.start)] if several else []),
                        "  ".join(entry.settings),
                        str(path.last),
                        f"{path.loss(path.last):.6g}",
                        *figures,
                        self.outcome(path) + path.ending_detail,
                    ]
                )
        names = [Column("optimizer"), *([Column("start")] if several else [])]
        numbers = [Column(each, number=True) for each in ("steps", "final loss", *added)]
        return Report([*names, SETTINGS, *numbers, STATUS], rows, list(self._notes(recipe)))

    def _notes(self, recipe: Recipe) -> Iterator[str]:
        seeded = any(each.startswith("seed ") for each in self.conditions)
        if recipe.random_starts or recipe.tune or seeded:
            yield f"seed {recipe.seed}"
        if not recipe.tune and any(entry.configured.source == "tuned" for entry in self.entries):
            among = ", of those with calm paths" if recipe.pace == "calm" else ""
            yield (
                "tuned rates minimise the loss averaged over the whole run from these "
                f"starts{among}, whereas --tune minimises the final loss"
            )
        kept = min(len(path.points) for path in self.trajectories)
        if kept < min(len(recipe.frame_steps(self.steps)), MAX_ROWS):
            yield f"only {kept} points of each path are kept, to limit memory use"


def _learned(path: Trajectory) -> dict[str, Any]:
    """Return the values that only a network's path has; it may have fewer points than steps."""
    batches = {} if path.true_losses is None else {"batch_loss": path.losses}
    numbers = {"distance": path.row_distances, **batches}
    return {
        "path_steps": path.step_of_row.tolist(),
        **{key: [finite_or_none(each) for each in row.tolist()] for key, row in numbers.items()},
        "accuracy": path.accuracy,
    }
