"""The data view: the curve that is fitted, among the samples."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patheffects import Normal, Stroke

from optiviz.descent.trajectory import Trajectory
from optiviz.kinds.run_entries import RunEntry
from optiviz.kinds.run_scene import RunScene
from optiviz.kinds.style import Style
from optiviz.objective import Array
from optiviz.surfaces.notation import symbol
from optiviz.surfaces.origins import FitOrigin
from optiviz.themes import Theme
from optiviz.views import BoxConstraints, View
from optiviz.views.axes import constraints_beside, set_heading, set_limits, style_chart
from optiviz.views.paths import CASING_WIDTH, LINE_WIDTH, MINIMUM_ZORDER, PATH_ZORDER, path_style
from optiviz.views.ticks import ticks

POINTS = 161  # of a curve
ROOM = 0.06  # beside the samples on each side, as a share of theirs
DOT_SIZE, FEW, LEAST_SIZE = 6.0, 30, 1.8  # of samples: up to few of them, and at least
WIDTH = 1.25 * LINE_WIDTH  # of curves
EARLIER, FADED = 7, (0.12, 0.4)  # curves of earlier steps, and their opacity, the oldest first
MOST_RESIDUALS = 60  # samples whose residuals are drawn


class DataView(View):
    """The samples as dots, and for each path the curve with its parameters at the present step.

    Curves of earlier steps are faint, and so are the residuals of a squared error, both of a single
    path. A curve that is not finite is not drawn. Those of a logistic loss are the probability of
    the label 1.
    """

    accompanies = True
    scene: RunScene

    def __init__(self, scene: RunScene, theme: Theme, style: Style) -> None:
        super().__init__(scene, theme, style)
        origin = scene.surface.origin
        assert isinstance(origin, FitOrigin)
        self.fit, self.names = origin.compiled, origin.fit.names
        self.across = _ends(self.fit.x)
        self.places = np.linspace(*self.across, POINTS)
        self.up = _ends(self._with_starts())

    def _with_starts(self) -> Array:
        """Return the labels of the samples, and the heights of curves at the starts near them.

        Near is at most so far away as the labels are apart, so that they remain large.
        """
        begins = [path.points[path.row_of_step[0]] for path in self.scene.trajectories]
        if not begins:
            return self.fit.y
        heights = self.fit.curve(np.array(begins), self.fit.x).ravel()
        low, high = self.fit.y.min(), self.fit.y.max()
        near = (2 * low - high <= heights) & (heights <= 2 * high - low)
        return np.concatenate([self.fit.y, heights[near]])

    @property
    def axis_names(self) -> tuple[str, str]:
        """The names of the columns."""
        return symbol(self.names.feature), symbol(self.names.target)

    @property
    def constraints(self) -> BoxConstraints:
        beside = constraints_beside(ticks(*self.up)[1], named=True, names=(self.axis_names[0], ""))
        return beside._replace(own_axis=True)

    @property
    def dot_size(self) -> float:
        """The diameter of a sample's dot, in points."""
        share: float = min(1.0, FEW / self.fit.count) ** 0.25
        return max(DOT_SIZE * share, LEAST_SIZE)

    @property
    def draws_residuals(self) -> bool:
        """Whether the residuals of a single path are drawn."""
        return self.fit.is_least_squares and self.fit.count <= MOST_RESIDUALS

    def build(self, axes: Axes) -> None:
        style_chart(axes, self.theme)
        across, up = self.axis_names
        set_limits(axes, "x", self.across, None, across, self.labelled, self.packed)
        set_limits(axes, "y", self.up, labelled=self.labelled)
        set_heading(axes, self.theme, up)
        size = self.dot_size
        self.redrawn += axes.plot(
            self.fit.x, self.fit.y, linestyle="none", marker="o", markersize=size,
            color=self.theme.ink, markeredgecolor=self.theme.background, markeredgewidth=size / 7,
            zorder=MINIMUM_ZORDER, clip_on=False,
        )  # fmt: skip
        alone = len(self.scene.trajectories) == 1
        for entry in self.scene.entries:
            for start, path in enumerate(entry.trajectories):
                self.path_artists.append(_Curve(self, axes, entry, start, path, alone))


class _Curve:
    """The curve of a path, and with `alone` those of earlier steps and its residuals."""

    def __init__(
        self,
        view: DataView,
        axes: Axes,
        entry: RunEntry,
        start: int,
        path: Trajectory,
        alone: bool,
    ) -> None:
        self.view, self.path = view, path
        style = path_style(view.theme, entry, start)
        above = PATH_ZORDER + entry.number
        look: dict[str, Any] = {"color": style.color, "solid_capstyle": "round"}
        (self.line,) = axes.plot(
            [], [], linewidth=WIDTH, linestyle=style.dash, zorder=above, label=entry.label, **look
        )
        casing = Stroke(linewidth=WIDTH + 2 * CASING_WIDTH, foreground=view.theme.casing)
        self.line.set_path_effects([casing, Normal()])
        self.earlier: LineCollection | None = None
        self.residuals: LineCollection | None = None
        if not alone:
            return
        self.earlier = LineCollection([], colors=style.color, linewidths=1.0, zorder=above - 2)
        axes.add_collection(self.earlier, autolim=False)
        if view.draws_residuals:
            self.residuals = LineCollection(
                [], colors=view.theme.muted, linewidths=0.9, zorder=above - 1.5
            )
            axes.add_collection(self.residuals, autolim=False)

    def update(self, step: int) -> Sequence[Artist]:
        view, fit = self.view, self.view.fit
        now = min(step, self.path.last)
        self.line.set_data(view.places, self._curves([now])[0])
        moved: list[Artist] = []
        if self.earlier is not None:
            steps = np.unique(np.linspace(0, now, EARLIER + 1).astype(int))[:-1]
            drawn = self._curves(steps.tolist())
            self.earlier.set_segments([np.column_stack([view.places, each]) for each in drawn])
            if len(steps):
                self.earlier.set_alpha(np.linspace(*FADED, len(steps)).tolist())
            moved.append(self.earlier)
        if self.residuals is not None:
            at = fit.curve(self._parameters([now]), fit.x)[0]
            self.residuals.set_segments(
                [[(x, y), (x, z)] for x, y, z in zip(fit.x, fit.y, at, strict=True)]
            )
            moved.append(self.residuals)
        return [*moved, self.line]

    def _parameters(self, steps: Sequence[int]) -> Array:
        return self.path.points[self.path.row_of_step[list(steps)]]

    def _curves(self, steps: Sequence[int]) -> Array:
        """Return the curves at some steps, shape (steps, points); nan where they leave the chart.

        Matplotlib clips them, but not numbers of any size.
        """
        drawn = self.view.fit.curve(self._parameters(steps), self.view.places)
        low, high = self.view.up
        far = 100 * (high - low)
        return np.where(np.abs(drawn - low) <= far, drawn, np.nan)


def _ends(values: Array) -> tuple[float, float]:
    """Return the limits of an axis for samples, with some room beside them."""
    low, high = float(values.min()), float(values.max())
    room = ROOM * (high - low) or max(abs(high), 1.0)
    return low - room, high + room
