"""The curve view: a one-dimensional loss, and points that move on it with their tangents."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from optiviz.descent.trajectory import Trajectory
from optiviz.kinds.run_entries import RunEntry
from optiviz.kinds.run_scene import RunScene
from optiviz.kinds.style import Style
from optiviz.objective import Array
from optiviz.themes import Theme
from optiviz.views import BoxConstraints, View
from optiviz.views.apart import set_apart
from optiviz.views.axes import (
    TICK,
    annotate_empty,
    constraints_beside,
    set_heading,
    set_limits,
    size_in_inches,
    style_chart,
)
from optiviz.views.legend_entries import LegendEntry, surface_entries
from optiviz.views.paths import (
    EDGE_MARKERS,
    FADED_OPACITY,
    HEAD_SIZE,
    HEAD_ZORDER,
    PATH_ZORDER,
    aside_at,
    draw_anchors,
    minimum_style,
    path_style,
    start_style,
)
from optiviz.views.region import Shading, draw_shading, shadings
from optiviz.views.sampled_surface import Density
from optiviz.views.scales import Scale
from optiviz.views.sketches import SketchArtist

SAMPLES = 2001
STEEPEST = 1e100  # largest slope for which a tangent is drawn
SPACING = 1 / 400  # of vertices on the curve, as a share of the window
SKETCH_SCALE = 2.2  # of lines on the curve, which is wide itself
TANGENT = 0.11  # half the length of a tangent, as a share of the view's diagonal


class CurveView(View):
    """The curve of a one-dimensional surface.

    A point outside the window is drawn as a triangle at the edge, which points towards it. In a
    scene without optimizers, the derivative is drawn along with the function. Paths that are
    projected on a line through many dimensions are drawn at its height, without tangents.
    """

    scene: RunScene

    def __init__(self, scene: RunScene, theme: Theme, style: Style) -> None:
        super().__init__(scene, theme, style)
        ((left, right),) = scene.surface.window.intervals
        self.x, self.value, self.slope = scene.surface.sample_line(SAMPLES)
        self.density: Density | None = None
        if scene.temperature is not None:
            self.density = Density.of_losses(self.value, scene.temperature)
            self.slope = self.density.slope(self.value, self.slope)
            self.value = self.density.of(self.value)
        shown = [self.value] if scene.entries else [self.value, self.slope]
        for entry in scene.siblings:  # small multiples share their axes
            if entry.surface is not None and scene.temperature is None:
                shown.append(entry.surface.sample_line(SAMPLES)[1])
        for path in scene.compared:  # a path may visit a pole between two samples
            if path.distances is not None:
                continue
            seen = ((left <= path.points) & (path.points <= right))[:, 0]
            shown.append(self.heights(path.true_losses_by_step[path.step_of_row[seen]]))
        self.scale = Scale.for_values(np.concatenate(shown), linear=True)

    @property
    def constraints(self) -> BoxConstraints:
        labels = self.scale.ticks()[1]
        names = self.scene.surface.axis_symbols[0], ""
        return constraints_beside(labels, named=True, names=names)._replace(own_axis=True)

    @property
    def legend_entries(self) -> Sequence[LegendEntry]:
        return [*surface_entries(self.scene), *(each.mark for each in self.shadings)]

    @cached_property
    def shadings(self) -> list[Shading]:
        """The sets that are shaded."""
        return shadings(self.scene.surface, self.style, flat=True)

    def build(self, axes: Axes) -> None:
        surface = self.scene.surface
        ends = surface.window.intervals[0]
        style_chart(axes, self.theme)
        set_limits(axes, "x", ends, None, surface.axis_symbols[0], self.labelled, self.packed)
        self.scale.apply(axes, self.labelled)
        for each in self.shadings:
            self.remarks += draw_shading(axes, each, self.theme)
        if self.scene.entries:
            set_heading(axes, self.theme, self.scene.ground)
        else:
            self._draw_derivative(axes)
        axes.plot(
            self.x, self.value, color=self.theme.muted, linewidth=1.8, zorder=2.2,
            solid_capstyle="round",
        )  # fmt: skip
        if not np.isfinite(self.value).any():
            annotate_empty(axes, self.theme)
        minima, starts = (
            self.scene.in_window(self.scene.minima),
            self.scene.in_window(self.scene.starts),
        )
        self.redrawn += axes.plot(minima[:, 0], self._heights(minima), **minimum_style(self.theme))
        axes.plot(starts[:, 0], self._heights(starts), **start_style(self.theme))
        names, points = self.scene.anchors_in_window
        draw_anchors(
            axes, self.theme, names, np.column_stack([points[:, 0], self._heights(points)])
        )
        for entry in self.scene.entries:
            for start, path in enumerate(entry.trajectories):
                if any(path.sketches):
                    style = path_style(self.theme, entry, start)
                    self.path_artists.append(
                        SketchArtist(
                            axes, path, style, self.theme, [ends],
                            self.scene.trail(path, self.style.trail),
                            self._on_curve, SPACING, SKETCH_SCALE,
                        )
                    )  # fmt: skip
                self.path_artists.append(_Walker(self, axes, entry, start))
        if self.scale.kind == "linear":
            set_apart(axes, [each for each in self.path_artists if isinstance(each, _Walker)])

    def _on_curve(self, vertices: Array) -> Array:
        """Return points of shape (n, 1) on the curve, shape (n, 2), nan outside of the window."""
        places = np.full((len(vertices), 2), np.nan)
        seen = self.scene.surface.window.contains(vertices)
        places[seen] = np.column_stack([vertices[seen], self._heights(vertices[seen])])
        return places

    def _heights(self, points: Array) -> Array:
        """Return the losses at points of shape (n, 1) that are not on a path, shape (n,)."""
        if self.x.size < SAMPLES:  # too costly to be evaluated anew
            return np.interp(points[:, 0], self.x, self.value)
        with np.errstate(all="ignore"):
            return self.heights(self.scene.surface.value(points))

    def heights(self, losses: Array) -> Array:
        """Return the heights at which losses are drawn."""
        return losses if self.density is None else np.asarray(self.density.of(losses))

    def _draw_derivative(self, axes: Axes) -> None:
        color = self.theme.paths[0]
        axes.axhline(0, color=self.theme.muted, linewidth=0.8, alpha=0.6, zorder=1)
        axes.plot(self.x, self.slope, color=color, linewidth=1.8, linestyle=(0, (4, 1.6)))
        axes.annotate(
            "derivative", (1, 1), (0, 6), xycoords="axes fraction", textcoords="offset points",
            ha="right", fontsize=0.9 * TICK, color=color,
        )  # fmt: skip


class _Walker:
    """One path on the curve: the current point, its tangent, and the earlier points."""

    def __init__(self, view: CurveView, axes: Axes, entry: RunEntry, start: int) -> None:
        path: Trajectory = entry.trajectories[start]
        style = path_style(view.theme, entry, start)
        surface = view.scene.surface
        x = path.finite_points[:, 0]
        (self.low, self.high), self.trail = (
            axes.get_xlim(),
            view.scene.trail(path, view.style.trail),
        )
        self.fades = view.scene.fades(path, view.style.trail)
        losses = path.true_losses_by_step[path.step_of_row[: len(x)]]
        if path.distances is not None:  # drawn at the height of the line, which it is beside
            losses, slope = np.interp(x, view.x, view.value), np.full(len(x), np.nan)
        else:
            with np.errstate(all="ignore"):
                slope = surface.gradient(x[:, None])[:, 0]
                losses = surface.value(x[:, None]) if view.scene.drifts else losses
                if view.density is not None:
                    slope = view.density.slope(losses, slope)
                losses = view.heights(losses)
                slope = np.where(np.abs(slope) < STEEPEST, slope, np.nan)
        self.outside = np.where(x > self.high, 1, np.where(x < self.low, -1, 0))
        self.ends = np.column_stack([view.x, view.value])[[0, -1]]
        seen = self.outside == 0
        self.rows = path.row_of_step
        self.x, self.y = np.where(seen, x, np.nan), np.where(seen, losses, np.nan)
        # Half of a tangent, equally long on the screen for every slope.
        width, height = size_in_inches(axes)
        across, up = self.high - self.low, float(np.diff(axes.get_ylim())[0])
        rise = slope * across / up * height / width  # on the screen
        run = TANGENT * np.hypot(width, height) / width * across / np.sqrt(1 + rise**2)
        self.run, self.rise = run, slope * run
        dots: dict[str, Any] = {
            "color": style.color, "linestyle": "none", "marker": style.marker,
            "markersize": 0.6 * HEAD_SIZE, "markeredgewidth": 0,
        }  # fmt: skip
        above = PATH_ZORDER + entry.number
        (self.faded,) = axes.plot([], [], **dots, alpha=FADED_OPACITY / 2, zorder=above)
        (self.past,) = axes.plot([], [], **dots, alpha=2 * FADED_OPACITY, zorder=above + 0.2)
        (self.tangent,) = axes.plot(
            [], [], color=style.color, linewidth=1.6, linestyle=style.dash, zorder=above + 0.4
        )
        head: dict[str, Any] = {
            "color": style.color, "linestyle": "none", "markeredgecolor": view.theme.casing,
            "markersize": 1.15 * HEAD_SIZE, "markeredgewidth": 1.4, "clip_on": False,
            "zorder": HEAD_ZORDER + entry.number,
        }  # fmt: skip
        (self.head,) = axes.plot([], [], marker=style.marker, label=entry.label, **head)
        (self.away,) = axes.plot([], [], marker="<", **head)
        self.number = entry.number
        self.aside = self.points = np.zeros(2)

    @property
    def end(self) -> Array:
        """The last point, shape (2,); nan if it is outside of the window."""
        return np.array([self.x[-1], self.y[-1]])

    def move_aside(self, aside: Array, points: Array) -> None:
        """Let the head stand beside the end of the path, and move there as it comes near."""
        self.aside, self.points = aside, points

    def update(self, step: int) -> list[Artist]:
        last = len(self.rows) - 1
        here = self.rows[min(step, last)]
        begin = 0 if self.trail is None else self.rows[min(max(step - self.trail, 0), last)]
        faded = begin if self.fades else 0
        self.faded.set_data(self.x[:faded], self.y[:faded])
        self.past.set_data(self.x[begin:here], self.y[begin:here])
        x, y = self.x[here], self.y[here]
        ends = np.array([-1, 1])
        self.tangent.set_data(x + ends * self.run[here], y + ends * self.rise[here])
        place = np.array([x, y])
        if self.aside.any():
            place += aside_at(place, self.end, self.aside, self.points)
        self.head.set_data(*place[:, None])
        right = self.outside[here] > 0
        edge = self.ends[int(right)] if self.outside[here] else (np.nan, np.nan)
        self.away.set_data([edge[0]], [edge[1]])
        self.away.set_marker(EDGE_MARKERS[0][int(right)])
        return [self.faded, self.past, self.tangent, self.head, self.away]
