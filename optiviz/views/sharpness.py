"""The sharpness view: the largest curvature along each path, against the step."""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from optiviz.descent.trajectory import Trajectory
from optiviz.kinds.run_scene import RunScene
from optiviz.kinds.style import Style
from optiviz.objective import Array
from optiviz.shapes import Role
from optiviz.system.errors import InputError
from optiviz.themes import Theme
from optiviz.views import BoxConstraints, View
from optiviz.views.axes import LETTER, TICK, constraints_beside, size_in_inches
from optiviz.views.charts import style_steps
from optiviz.views.legend_entries import SKETCH_ENTRIES, LegendEntry
from optiviz.views.paths import PathArtist, PathStyle, path_style
from optiviz.views.scales import Scale
from optiviz.views.sketches import LOOKS, casing_of, darkened

DASHED, THIN = (0, (5, 2.5)), 1.1  # lines of limits
BENEATH = 9.0  # zorder of limits, that of paths is 10
GAP, APART, SAMPLES = 3.0, 12.0, 400  # points from a limit to its name, and to what is far
BEYOND = 1e3  # times the largest first limit or sharpness, from which a path leaves the chart
MOST_LIMIT = 10.0  # times the largest of these and all sharpness, from which a limit leaves it


class SharpnessView(View):
    """The sharpness of the loss at the points of each path, and the limit of stability.

    That is the largest eigenvalue of the Hessian, times the preconditioner of the step where it
    has one. The dashed limit, in the colour of the path, or the ink if all have the same, is the
    value beyond which the method does not stay in a quadratic valley. A path that diverges may
    leave the chart. Lines beside it are those of the sketch, such as a method's central flow.
    Raises InputError if no sharpness is known.
    """

    accompanies = True
    scene: RunScene

    def __init__(self, scene: RunScene, theme: Theme, style: Style) -> None:
        super().__init__(scene, theme, style)
        values = [
            line[:, 1]
            for path in scene.compared
            for line in (sharpness_line(path), *companion_lines(path).values())
            if len(line)
        ]
        if not values:
            raise InputError(
                "sharpness: no second derivatives are known on these paths: choose another view"
            )
        limits = [limit_line(path)[:, 1] for path in scene.compared]
        first = max(abs(float(each[0])) for each in [*limits, *values] if len(each))
        paths, bounds = np.concatenate(values), np.concatenate(limits)
        paths = paths[np.abs(paths) <= BEYOND * first]
        highest = max(first, float(np.abs(paths).max()))
        self.scale = Scale.for_values(
            np.concatenate([paths, bounds[bounds <= MOST_LIMIT * highest]])
        )

    @property
    def constraints(self) -> BoxConstraints:
        return constraints_beside(self.scale.ticks()[1], named=True)

    @property
    def legend_entries(self) -> Sequence[LegendEntry]:
        drawn = {role for path in self.scene.compared for role in companion_lines(path)}
        return [entry for role, entry in SKETCH_ENTRIES.items() if role in drawn]

    def build(self, axes: Axes) -> None:
        style_steps(axes, self, self.scale, *self.names)
        lines = []
        for entry in self.scene.entries:
            for start, path in enumerate(entry.trajectories):
                style, line = path_style(self.theme, entry, start), sharpness_line(path)
                if not len(line):
                    continue
                lines.append(line)
                self.path_artists.append(
                    PathArtist(
                        axes, line, latest_of(line, path), style, self.theme, entry.number,
                        self.style.trail, casing=False, label=entry.label,
                    )
                )  # fmt: skip
                for role, beside in companion_lines(path).items():
                    look = LOOKS[role]
                    lines.append(beside)
                    color = darkened(style.color, look, self.theme)
                    self.path_artists.append(
                        PathArtist(
                            axes, beside, latest_of(beside, path),
                            PathStyle(color, style.marker, "-"), self.theme, entry.number,
                            casing=False, head=False, layer=len(self.scene.entries),
                            linewidth=look.width, path_effects=casing_of(look, self.theme),
                        )
                    )  # fmt: skip
        self._draw_limits(axes, lines)

    @cached_property
    def limits(self) -> "list[Limit]":
        """Those of the paths, or a single one, of no path, if all are the same."""
        found = []
        for entry in self.scene.entries:
            for start, path in enumerate(entry.trajectories):
                color = path_style(self.theme, entry, start).color
                found.append(Limit(limit_line(path), color, is_plain(path), path))
        found = [each for each in found if len(each.line)]
        if len({value for each in found for value in each.line[:, 1].tolist()}) == 1:
            longest = max(found, key=lambda each: float(each.line[-1, 0]))
            return [longest._replace(color=self.theme.ink, path=None)]
        return found

    @property
    def limit_name(self) -> str:
        """What the limits are called."""
        return "2/lr" if all(each.is_plain for each in self.limits) else "stability limit"

    def _draw_limits(self, axes: Axes, paths: list[Array]) -> None:
        """Draw the limits, and write at one of them what they are."""
        limits, said = self.limits, self.limit_name
        for each in limits:
            axes.plot(
                *each.line.T, color=each.color, linewidth=THIN, linestyle=DASHED, zorder=BENEATH
            )
        if not limits:
            return
        drawn = [points_in(axes, line) for line in [*paths, *(each.line for each in limits)]]
        color = limits[0].color if len(limits) == 1 else self.theme.muted
        wide, high = (72 * side for side in size_in_inches(axes))
        beside = [
            place
            for each in limits
            for place in places_along(points_in(axes, each.line), said, each.color)
            if GAP <= place.corner[1] <= high - TICK
        ]
        apart = f"{said} dashed"
        corners = [
            Place((left, bottom), apart, color)
            for left in (wide - LETTER * len(apart), GAP)
            for bottom in (GAP, high - GAP - TICK)
        ]
        best = max(beside or corners, key=lambda place: place.room(drawn))
        if not best.room(drawn):
            best = max(corners, key=lambda place: place.room(drawn))
        axes.annotate(
            best.said, best.corner, xycoords="axes points", va="bottom",
            fontsize=TICK, color=best.color, zorder=BENEATH,
        )  # fmt: skip

    @property
    def names(self) -> list[str]:
        """What is drawn, the longest name first."""
        drawn = [
            path.is_preconditioned for entry in self.scene.entries for path in entry.trajectories
        ]
        if any(drawn) and not all(drawn):
            return ["sharpness, in part preconditioned", "sharpness"]
        return ["preconditioned sharpness"] * any(drawn) + ["sharpness"]


class Limit(NamedTuple):
    """A limit of stability: steps and values, its colour, and whether it is 2 over the rate."""

    line: Array  # (n, 2)
    color: str
    is_plain: bool
    path: Trajectory | None  # None if it is that of all paths


class Place(NamedTuple):
    """A place for words, in points from the lower left corner of the axes."""

    corner: tuple[float, float]
    said: str
    color: str

    def room(self, lines: list[Array]) -> float:
        """Return how far lines, of shape (n, 2), keep from the words, in points; at most APART."""
        half = np.array([LETTER * len(self.said), TICK]) / 2
        middle = np.array(self.corner) + half
        found = APART
        for line in lines:
            many = np.linspace(0, len(line) - 1, max(2, SAMPLES))
            along = [np.interp(many, np.arange(len(line)), column) for column in line.T]
            beside = np.maximum(np.abs(np.column_stack([*along]) - middle) - half, 0.0)
            beside = np.concatenate([beside, np.maximum(np.abs(line - middle) - half, 0.0)])
            found = min(found, float(np.hypot(*beside.T).min()))
        return found


def places_along(line: Array, said: str, color: str) -> list[Place]:
    """Return places for words above and beneath a line, at its end and at its beginning."""
    places, width = [], LETTER * len(said)
    for at in (line[-1, 0] - width, line[0, 0] + GAP):
        over = line[(at <= line[:, 0]) & (line[:, 0] <= at + width), 1]
        over = over if len(over) else line[:1, 1]
        for bottom in (over.max() + GAP, over.min() - GAP - TICK):
            places.append(Place((float(at), float(bottom)), said, color))
    return places


def points_in(axes: Axes, line: Array) -> Array:
    """Return a line, of shape (n, 2), in points from the lower left corner of Axes."""
    shares = axes.transAxes.inverted().transform(axes.transData.transform(line))
    return np.asarray(shares * size_in_inches(axes) * 72)


def sharpness_line(path: Trajectory) -> Array:
    """Return steps and sharpness where that is known, shape (n, 2)."""
    if path.sharpness is None:
        return np.zeros((0, 2))
    many = len(path.finite_points)
    line = np.column_stack([path.step_of_row[:many], path.sharpness[:many]])
    return line[np.isfinite(line).all(axis=-1)]


def companion_lines(path: Trajectory) -> dict[Role, Array]:
    """Return steps and sharpness of the points beside a path, each of shape (n, 2), by role."""
    found = {}
    for role, values in path.companions_sharpness.items():
        line = np.column_stack([path.step_of_row, values])[: len(path.finite_points)]
        if len(line := line[np.isfinite(line).all(axis=-1)]):
            found[role] = line
    return found


def latest_of(line: Array, path: Trajectory) -> NDArray[np.intp]:
    """Return which point of a line, of shape (n, 2), is the latest in each step of a path."""
    latest = np.searchsorted(line[:, 0], np.arange(path.last + 1), side="right") - 1
    return np.maximum(latest, 0)


def limit_line(path: Trajectory) -> Array:
    """Return steps and the limit of stability where that is known, shape (n, 2)."""
    line = np.column_stack([path.step_of_row, path.stability_limits])
    return line[np.isfinite(line).all(axis=-1)]


def is_plain(path: Trajectory) -> bool:
    """Return whether the limit of a path is 2 over its learning rate in every step."""
    if path.optimizer is None:
        return False
    line = limit_line(path)
    rates = (path.optimizer.rate_at(int(step)) for step in line[:, 0])
    return all(
        rate and np.isclose(limit * rate, 2) for rate, limit in zip(rates, line[:, 1], strict=True)
    )
