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
from optiviz.descent.outcome import Outcome, outcome, until_left
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
from optiviz.kinds.fields import (
    AnimationFields,
    LegendFields,
    StartFields,
    check_samples,
    fitting_view,
)
from optiviz.kinds.style import Style, check_views
from optiviz.kinds.tune import TuneRecipe, configure_best, run_search
from optiviz.kinds.types import Over, resolve_surface
from optiviz.objective import Array
from optiviz.optimizers.spec import format_value, labelled, parse_spec
from optiviz.registry import MANY_DIMENSIONS, VIEWS, Format, Pace
from optiviz.surfaces.domain import AXES
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import InputError
from optiviz.system.progress import TaskProgress, search_progress
from optiviz.system.text import counted

ROOMY = 5.5, 3.6  # inches of a layout with room for a second view, unless specified
ZERO_DISTANCE = 1e-9  # fraction of the window's diagonal up to which a distance counts as 0


class Recipe(StartFields, AnimationFields, LegendFields, Style):
    """Optimizers that descend a surface: the starts, the steps, and how they are shown.

    view is one or several names of views, joined by "+"; tune names the hyperparameters to tune
    for every optimizer before it is drawn, written as `over` of a TuneRecipe; pace is "calm" if
    learning rates that nobody gives are chosen among those that draw a calm path, "fast" if among
    all.
    """

    kind: Literal["run"] = "run"
    formats: ClassVar = ("animation", "still", "data", "page")
    has_rate_report: ClassVar = True
    conditions_varied: ClassVar = ("noise", "batch_size", "steps")
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

    @field_validator("layout")
    @classmethod
    def _without_a_legend(cls, layout: str, info: ValidationInfo) -> str:
        if layout == "grid" and info.data.get("legend") is not None:
            raise InputError("has names above its panels instead of a legend: omit --legend")
        return layout

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
        options = self.changed_fields()
        names = check_views(self.view, part.provides, options)
        if self.view is None and not options - {*VIEWS[names[0]].options}:
            roomy = all(side >= least for side, least in zip(self.size.layout, ROOMY, strict=True))
            return names if roomy else names[:1]
        return names

    def check_output(self, form: Format) -> None:
        if form.kind != "page":
            return
        fitting = [name for name, view in VIEWS.items() if view.page]
        for name in (self.view or "").split("+"):
            if name and name not in fitting:
                raise InputError(f"a page cannot show {name}: choose from {', '.join(fitting)}")
        if self.legend is not None:
            raise InputError("a page has a legend of its own: omit --legend")
        if self.small_multiples:
            raise InputError("a page shows all optimizers in one panel: omit --layout grid")

    def check(self) -> None:
        super().check()
        sizes = [variant.batch_size for variant, _ in self.variants]
        if any(size is not None for size in sizes):
            try:
                check_samples(resolve_surface(self.surface))
            except ValueError as error:
                raise InputError(f"vary: {error}") from None

    @property
    def last_step(self) -> int:
        """The number of steps, of the longest run if it is varied."""
        if self.vary is None:
            return super().last_step
        return max(variant.last_step for variant, _ in self.variants)

    def conditions(self) -> tuple[str, ...]:
        """Return what all runs share: the optimizer that is varied, conditions, and a seed."""
        each = [StartFields.conditions(variant) for variant, _ in self.variants]
        said = dict.fromkeys(text for conditions in each for text in conditions)
        shared = [text for text in said if all(text in own for own in each)]
        shared += [text for text in said if text.startswith("seed ") and text not in shared]
        if self.vary is not None:
            shared = [parse_spec(self.optimizers[0]).heading, *shared]
        search = self._search
        if search is None:
            return tuple(shared)
        keys = " and ".join(Range.read(text).key for text in search.over)
        starts = counted(len(search.points()), "start")
        how = f"{keys} tuned for the median final loss of {starts}, {search.trials} trials each"
        return (how, *shared)

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
        surface, starts = resolve_surface(self.surface), self.start_points()
        variants = [variant for variant, _ in self.variants]
        specs = self.loaded_specs(*(variant.last_step for variant in variants))
        kept = self.frame_steps(self.last_step)
        max_bytes = MAX_BYTES // (len(specs) * len(starts))
        search = variants[0]._search
        setup = None if search is None else search.search_setup()
        if setup is not None:
            specs = [spec.with_default_rate(self.lr) for spec in specs]
            check_ranges(specs, setup.ranges, given=True)
        entries: list[RunEntry] = []
        for number, ((spec, label), variant) in enumerate(
            zip(labelled(specs), variants, strict=True)
        ):
            if self.varied_condition or not entries:
                steps, objective = variant.last_step, variant.objective()
            if entries and self.varied_condition:
                configured = entries[0].configured.for_spec(spec)
            elif setup is None:
                watch = search_progress(label, progress)
                configured = configure(
                    spec, surface, starts, steps, self.lr, objective, watch, self.pace
                )
            else:
                configured = configure_best(run_search(spec, label, setup, progress))
            rows = sorted({*(row for row in kept if row < steps), steps})
            paths = tuple(
                descend(objective, configured.optimizer, start, steps, label, rows, max_bytes)
                for start in starts
            )
            entries.append(
                RunEntry(
                    spec=spec,
                    label=label,
                    configured=configured,
                    number=number,
                    trajectories=paths,
                    varied=self.vary is not None,
                )
            )
            if progress is not None:
                progress("descending", number + 1, len(specs))
        return entries

    def rate_report(self, scene: Scene[Any]) -> str:
        """Return the score of every learning rate that was tried, or would be for tuning."""
        surface = resolve_surface(self.surface)
        starts = self.start_points()
        blocks = []
        for entry, (variant, _) in zip(scene.entries, self.variants, strict=True):
            method = entry.configured.optimizer
            rate = method.hyperparameters().get(method.rate)
            if rate is None:
                blocks.append(f"{entry.label} has no learning rate")
                continue
            tuning = entry.configured.tuning or tune(
                entry.spec,
                surface,
                starts,
                entry.steps,
                [rate],
                variant.objective(),
                pace=self.pace,
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
    varied: bool = False  # whether all entries are of one optimizer, which the caption names

    @property
    def names_optimizer(self) -> bool:
        return super().names_optimizer and not self.varied

    @property
    def steps(self) -> int:
        return self.trajectories[0].steps

    def values(self, step: int) -> Array:
        return np.array([path.loss(min(step, path.steps)) for path in self.trajectories])

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
        """Return how an entry's runs ended, from the step on at which they did."""
        ended = self._ended(entry, step)
        if len(entry.trajectories) == 1 or not ended:
            return ended[0].brief if ended else ""
        kinds = {each.text.partition(" at step")[0] for each in ended}
        what = kinds.pop() if len(kinds) == 1 else "went wrong"
        return f"{len(ended)} of {len(entry.trajectories)} {what}"

    def failed(self, entry: RunEntry, step: int) -> bool:
        return any(each.failed for each in self._ended(entry, step))

    def _ended(self, entry: RunEntry, step: int) -> list[Outcome]:
        """Return the outcomes of an entry's runs up to a step; only failures if there are any."""
        found = [self._outcomes[path] for path in entry.trajectories]
        ended = [each for each in found if each is not None and step >= each.since]
        return [each for each in ended if each.failed] or ended

    @cached_property
    def _outcomes(self) -> dict[Trajectory, Outcome | None]:
        return {path: outcome(path, self.surface) for path in self.trajectories}

    @property
    def remarks(self) -> tuple[str, ...]:
        said = (
            f"{entry.label} {found.text}{path.ending_detail}"
            for entry in self.entries
            for path in entry.trajectories
            if (found := self._outcomes[path]) is not None and found.failed
        )
        return tuple(dict.fromkeys(said))

    def changes(self, entry: RunEntry) -> list[int]:
        """Return the steps at which the remark on an entry changes, in order."""
        found = (self._outcomes[path] for path in entry.trajectories)
        return sorted({each.since for each in found if each is not None})

    def outcome(self, path: Trajectory) -> str:
        """Return how a path ended, or "" if there is nothing to say."""
        found = self._outcomes[path]
        return "" if found is None else found.text

    @cached_property
    def layers(self) -> dict[Trajectory, int]:
        """By path, when it is drawn: the longer ones first, so that they hide no shorter ones."""
        low, high = np.transpose(self.surface.window.intervals)
        lengths = {
            path: float(np.linalg.norm(np.diff(self.drawn_points(path), axis=0) / (high - low),
                                       axis=-1).sum())
            for path in self.trajectories
        }  # fmt: skip
        order = sorted(self.trajectories, key=lambda path: -lengths[path])
        return {path: layer for layer, path in enumerate(order)}

    def drawn_points(self, path: Trajectory) -> Array:
        """Return the points of a path on the surface, shape (n, dim).

        Once it has left the window for good, it stays where it crossed the edge.
        """
        return until_left(path.finite_points, self.surface.window)

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
            among = ", among those with calm paths" if recipe.pace == "calm" else ""
            for_all = f" with {self.entries[0].label}, for all" if recipe.varied_condition else ""
            yield (
                f"tuned: the rate with the lowest mean loss over the run{for_all}{among}; "
                "--tune seeks the lowest final loss"
            )
        frames = recipe.frame_steps(self.steps)
        kept = [
            len(path.points)
            for path in self.trajectories
            if len(path.points) < min(sum(step <= path.steps for step in frames), MAX_ROWS)
        ]
        if kept:
            yield f"only {min(kept)} points of each path are kept, to limit memory use"


def _learned(path: Trajectory) -> dict[str, Any]:
    """Return the values that only a network's path has; it may have fewer points than steps."""
    batches = {} if path.true_losses is None else {"batch_loss": path.losses}
    numbers = {"distance": path.row_distances, **batches}
    return {
        "path_steps": path.step_of_row.tolist(),
        **{key: [finite_or_none(each) for each in row.tolist()] for key, row in numbers.items()},
        "accuracy": path.accuracy,
    }
