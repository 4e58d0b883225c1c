"""What a run shows: paths on a surface, of optimizers and recorded ones."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optiviz.descent import problem_of
from optiviz.descent.constrained import constrained_minimum
from optiviz.descent.outcome import Outcome, outcome, until_left
from optiviz.descent.trajectory import Trajectory
from optiviz.descent.walk import MAX_ROWS
from optiviz.kinds.base import SETTINGS, STATUS, Column, OnSurface, Report, Row
from optiviz.kinds.facts import Facts
from optiviz.kinds.run_entries import RunEntry
from optiviz.kinds.run_facts import run_facts
from optiviz.objective import Array
from optiviz.optimizers.spec import format_value
from optiviz.registry import MANY_DIMENSIONS
from optiviz.surfaces.origins import SpaceOrigin
from optiviz.surfaces.surface import Surface

if TYPE_CHECKING:
    from optiviz.kinds.run import Recipe

MANY = 4  # coordinates of a start that are all shown
DENSITY = "density exp(\N{MINUS SIGN}f/T)"
GROWING = {"sample", "average", "spread"}  # roles of what a path would hide in the end
SHORT_TRAIL = 6  # steps, of such a path
MAX_JUDGED = 200  # points of a path at which the loss of a plane is evaluated
SAME = 1e-4  # fraction of the window's diagonal up to which two minima are one
HELD = 1e-3  # fall of the tangent across the window, from a minimum that constraints hold
ZERO_DISTANCE = 1e-9  # fraction of the window's diagonal up to which a distance counts as 0


def provided_by(surface: Surface) -> Mapping[str, int]:
    """Return what a surface and its descent offer to views."""
    provided = {"surface": surface.dim, "descent": surface.dim}
    if surface.fit is not None:
        provided["samples"] = surface.dim
    if not problem_of(surface).in_plane:
        provided["descent"] = MANY_DIMENSIONS
        if surface.learns or surface.parts:
            provided["matrices"] = MANY_DIMENSIONS
    return provided


@dataclass(frozen=True, eq=False, kw_only=True)
class RunScene(OnSurface[RunEntry]):
    """A surface and the optimizers that descended it, none where only the surface is drawn.

    The paths of an entry differ by line style.
    """

    entries: tuple[RunEntry, ...] = ()
    siblings: tuple[RunEntry, ...] = ()
    window_told: str = ""  # how the window was found, as a sentence
    starts_told: str = ""  # which starts were moved, as a sentence
    drifts: bool = False  # whether the surface moves, and is drawn as it is at first
    temperature: float | None = None  # of the density that is drawn instead of the loss, if any
    quantity = "loss"

    @property
    def unit(self) -> str:
        """What its steps are called: those of other programs' solvers are iterations."""
        solved = [any(path.sketches) or path.evaluations is not None for path in self.compared]
        recorded = all(path.optimizer is None for path in self.compared)
        return "iteration" if solved and all(solved) and recorded else "step"

    @property
    def ground(self) -> str:
        """What is drawn of the surface: "loss" or "density"."""
        return "loss" if self.temperature is None else "density"

    def trail(self, path: Trajectory, asked: int | None) -> int | None:
        """Return the steps after which a path on the surface fades: those asked for, if any.

        One that would hide its samples, its average or the spread of noise fades early.
        """
        hides = any(shape.role in GROWING for sketch in path.sketches[:2] for shape in sketch)
        return SHORT_TRAIL if asked is None and hides else asked

    def fades(self, path: Trajectory, asked: int | None) -> bool:
        """Return whether what a trail has left is faded: of a path of samples, only if asked for.

        Otherwise it is left out, since it leads across its samples.
        """
        samples = any(shape.role == "sample" for sketch in path.sketches[:2] for shape in sketch)
        return asked is not None or not samples

    def with_density(self, temperature: float | None) -> Self:
        """Return the scene whose ground is exp(-(f - min f) / temperature), the loss if None."""
        said = [each for each in self.conditions if not each.startswith(DENSITY)]
        if temperature is not None:
            said.append(f"{DENSITY}, T = {temperature:g}")
        return replace(self, temperature=temperature, conditions=tuple(said))

    def parts(self) -> "tuple[RunScene, ...]":
        return tuple(
            replace(self, surface=each.surface or self.surface, entries=(each,),
                    siblings=self.entries, title=each.heading)
            for each in self.entries
        )  # fmt: skip

    def judged_rows(self, path: Trajectory) -> "NDArray[np.intp]":
        """Return the rows of a path at which the plane is judged, shape (n,): up to 200."""
        many = len(path.finite_points)
        rows = np.arange(many)
        if path.spaced is not None:
            rows = np.flatnonzero(np.isin(path.step_of_row[:many], path.spaced))
        return rows[:: -(-len(rows) // MAX_JUDGED)]

    def plane_losses(self, path: Trajectory) -> Array:
        """Return the losses of the plane at a path's nearest points, shape (rows,).

        They are computed when first asked for, one pass each, and nan but in `judged_rows`. A path
        on the plane has its own.
        """
        if path not in self._plane_losses:
            losses, rows = np.full(len(path.points), np.nan), self.judged_rows(path)
            if path.distances is None:
                losses[rows] = path.true_losses_by_step[path.step_of_row[rows]]
            else:
                with np.errstate(all="ignore"):
                    losses[rows] = self.surface.value(path.points[rows])
            self._plane_losses[path] = losses
        return self._plane_losses[path]

    @cached_property
    def _plane_losses(self) -> dict[Trajectory, Array]:
        return {}

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
    def common_starts(self) -> Array:
        """The starting points of an optimizer's paths, shape (starts, dim), by line style."""
        paths = self.entries[0].trajectories if self.entries else ()
        return np.reshape([path.start for path in paths], (-1, self.surface.dim))

    @cached_property
    def starts(self) -> Array:
        """All starting points, shape (n, dim): the common ones, then those of single paths."""
        found = self.common_starts
        for path in (each.trajectories[0] for each in self.entries if len(each.trajectories) == 1):
            apart = np.linalg.norm(found - path.start, axis=-1)
            if (apart > ZERO_DISTANCE * self.surface.window.diagonal).all():
                found = np.vstack([found, path.start])
        return found

    @cached_property
    def minima(self) -> Array:
        """The known minima, shape (n, dim): under constraints, the feasible ones and the least."""
        listed = np.reshape(self.surface.minima, (-1, self.surface.dim)).astype(float)
        allowed, found = self.surface.feasible_set, self._constrained
        if allowed is not None:
            listed = listed[allowed.contains(listed)]
        if found is None:
            return listed
        apart = np.linalg.norm(listed - found, axis=-1) > SAME * self.surface.window.diagonal
        return np.concatenate([listed[apart], found[None]])

    @cached_property
    def _constrained(self) -> Array | None:
        return constrained_minimum(self.surface)

    @cached_property
    def held_level(self) -> float | None:
        """The loss at the minimum of a plane, if constraints hold it there; otherwise None.

        Its isoline touches their edge. A density has none.
        """
        found = self._constrained if self.surface.dim == 2 else None
        if found is None or self.temperature is not None:
            return None
        with np.errstate(all="ignore"):
            loss, slope = float(self.surface.value(found)), self.surface.gradient(found)
        drop = float(np.abs(slope).max()) * self.surface.window.diagonal
        return loss if drop > HELD * max(abs(loss), 1.0) else None

    @property
    def legend_entries(self) -> tuple[str, ...]:
        """The marks on its surface that the legend explains."""
        known = {
            "start": self.entries,
            "minimum": len(self.minima),
            "checkpoint": self.anchors_in_window[0],
            "distance" if self.surface.dim > 1 else "beside": self.max_plane_distance,
            "away": self.leaves_window,
        }
        return tuple(name for name, marked in known.items() if marked)

    @property
    def anchors_in_window(self) -> tuple[list[str], Array]:
        """The names of the checkpoints of the plane that are in the window, and the points."""
        origin = self.surface.origin
        anchors = origin.anchors if isinstance(origin, SpaceOrigin) else ()
        seen = [each for each in anchors if self.surface.window.contains(each.point)]
        points = np.reshape([each.point for each in seen], (-1, self.surface.dim))
        return [each.name for each in seen], points

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
        """Return how an entry's runs ended, from the step on at which they did.

        Before it stands how often the objective had been evaluated, if that was recorded.
        """
        ended, (path, *_) = self._ended(entry, step), entry.trajectories
        if path.evaluations is not None:
            said = path.evaluated(min(step, path.last))
            return "  ".join([said, *(each.brief for each in ended)])
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
        return {
            path: outcome(path, entry.surface or self.surface)
            for entry in self.entries
            for path in entry.trajectories
        }

    @property
    def remarks(self) -> tuple[str, ...]:
        said = (
            f"{entry.label} {found.text}{path.ending_detail}"
            for entry in self.entries
            for path in entry.trajectories
            if (found := self._outcomes[path]) is not None and found.failed
        )
        notes = (note for entry in self.entries for note in entry.notes)
        return tuple(dict.fromkeys([*said, *notes]))

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

    def points_in_view(self, path: Trajectory) -> Array:
        """Return its points on the surface, shape (n, dim), those outside the window as nan."""
        points = self.drawn_points(path)
        return np.where(self.surface.window.contains(points)[:, None], points, np.nan)

    @property
    def provides(self) -> Mapping[str, int]:
        return provided_by(self.surface) if self.entries else {"surface": self.surface.dim}

    @property
    def columns(self) -> tuple[str, ...]:
        """The quantities of its paths beside point and loss."""
        return problem_of(self.surface).columns

    @property
    def facts(self) -> Facts:
        return run_facts(self)

    def to_dict(self) -> dict[str, Any]:
        learned = bool(self.columns)
        trajectories = [
            entry.to_dict(
                path, learned, None if path.distances is None else self.plane_losses(path)
            )
            for entry in self.entries
            for path in entry.trajectories
        ]
        if not learned:
            return {"trajectories": trajectories}
        origin, (names, points) = self.surface.origin, self.anchors_in_window
        known = {
            "directions": origin.plane_caption if isinstance(origin, SpaceOrigin) else "",
            "checkpoints": dict(zip(names, points.tolist(), strict=True)),
            "window": self.window_told,
        }
        plane = {
            "axes": self.surface.axis_names,
            "domain": self.surface.window.model_dump(mode="json"),
            **{key: value for key, value in known.items() if value},
        }
        return {"plane": plane, "trajectories": trajectories}

    def rows(self) -> Row:
        batches = any(path.true_losses is not None for path in self.trajectories)
        whole = any(path.whole is not None for path in self.trajectories)
        projected = any(path.distances is not None for path in self.trajectories)
        beside = projected and not whole  # of points, which a whole table has not
        known = {"distance": not whole, "plane_loss": beside, "batch_loss": batches}
        listed = [self.columns[:1], ("plane_loss",), self.columns[1:]] if self.columns else []
        added = [name for names in listed for name in names if known.get(name)]
        names = self.surface.variables if whole else self.surface.columns
        dim = len(names)
        yield ["label", "optimizer", "start", "step", *names, "loss", *added]
        for entry in self.entries:
            for start, path in enumerate(entry.trajectories):
                table = np.full((path.steps + 1, dim + 1 + len(added)), np.nan)
                table[path.step_of_row, :dim] = path.points if path.whole is None else path.whole
                table[:, dim] = path.true_losses_by_step
                for column, name in enumerate(added, start=dim + 1):
                    if name == "distance":
                        table[path.step_of_row, column] = path.row_distances
                    elif name == "plane_loss":
                        table[path.step_of_row, column] = self.plane_losses(path)
                    else:
                        table[:, column] = path.losses
                for step, row in enumerate(table.tolist()):
                    yield [entry.label, entry.optimizer or "", start, step, *row]

    def report(self, recipe: "Recipe") -> Report:
        """Return one row per run: its settings, how far it got, and what went wrong."""
        several = len(self.starts) > 1
        learned = "accuracy" in self.columns
        known = bool(self.surface.minima) and not self.drifts
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
                        *([_shown_start(path)] if several else []),
                        "  ".join(entry.settings),
                        str(path.last),
                        f"{path.loss(path.last):.6g}",
                        *figures,
                        self._told_of(path),
                    ]
                )
        names = [Column("optimizer"), *([Column("start")] if several else [])]
        numbers = [Column(each, number=True) for each in ("steps", "final loss", *added)]
        return Report([*names, SETTINGS, *numbers, STATUS], rows, list(self._notes(recipe)))

    def _told_of(self, path: Trajectory) -> str:
        """Return how often the objective was evaluated on a path, if known, and how it ended."""
        ended = self.outcome(path) + path.ending_detail
        return ", ".join(filter(None, [path.evaluated(path.last), ended]))

    def _notes(self, recipe: "Recipe") -> Iterator[str]:
        seeded = any(each.startswith("seed ") for each in self.conditions)
        if recipe.random_starts or recipe.tune or seeded:
            yield f"seed {recipe.seed}"
        if not recipe.tune and any(entry.rate_source == "tuned" for entry in self.entries):
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
            if path.optimizer is not None
            and len(path.points) < min(sum(step <= path.steps for step in frames), MAX_ROWS)
        ]
        if kept:
            yield f"only {min(kept)} points of each path are kept, to limit memory use"
        yield from filter(None, (self.window_told, self.starts_told))
        for entry in self.entries:
            yield from entry.notes
            decay = entry.hyperparameters.get("weight_decay")
            if decay and self.columns:
                yield (
                    f"{entry.label}: its weight decay of {format_value(decay)} is not in the "
                    "loss that is drawn"
                )


def _shown_start(path: Trajectory) -> str:
    """Return the start of a path as text; of many coordinates, the first two and the last."""
    start = path.start if path.whole is None else path.whole[0]
    said = [f"{each:.4g}" for each in start]
    return ",".join(said if len(said) <= MANY else [*said[:2], "...", said[-1]])
