"""The surface from above: filled contours with isolines, and the paths on them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D

from optiviz.errors import InputError
from optiviz.objective import Array
from optiviz.scene import Scene
from optiviz.themes import Theme
from optiviz.views.marks import CASING_WIDTH, HEAD_SIZE, LINE_WIDTH, mark
from optiviz.views.ticks import ticks

GRID = 321  # samples a side: eight for each wave of the finest surface, ripple
BANDS = 22
POWERS = 0.12, 4.0  # bounds of the exponent that spaces the levels

STAR_SIZE = 15  # of up to a dozen minima; more are smaller

# All that moves lies above all that does not, spines and ticks (2.5) included.
# Minima lie between the paths, which would hide them, and the heads, so they are drawn anew too.
ISOLINE, START, PATH, MINIMUM, HEAD = 1.5, 3.0, 10.0, 90.0, 100.0


def contour_levels(values: Array, bands: int = BANDS) -> Array:
    """Return rising levels that show the structure of a surface's values on a grid.

    With u the value scaled to [0, 1], levels are evenly spaced in u**p, where p puts the middle
    level at the median: half of the picture lies below it. So a canyon under steep walls and a
    shallow dip in a plateau both get lines. p stays between 0.12 and 4. Empty where no value is
    finite or all are equal.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return finite
    low, high = float(finite.min()), float(finite.max())
    middle = (float(np.median(finite)) - low) / (high - low) if high > low else 0.0
    power = float(np.clip(np.log(0.5) / np.log(np.clip(middle, 1e-9, 1 - 1e-9)), *POWERS))
    levels = low + (high - low) * np.linspace(0, 1, bands + 1) ** (1 / power)
    return np.unique(levels) if high > low else finite[:0]


class Contour:
    """The contour view of a surface in two dimensions. A path that leaves it is cut at the edge."""

    def __init__(self, scene: Scene, theme: Theme) -> None:
        if scene.surface.dim != 2:
            raise InputError(
                f"{scene.surface.title} has one dimension and the contour view needs two: "
                "write its numbers with -o FILE.json or -o FILE.csv"
            )
        self.scene = scene
        self.theme = theme
        self.paths: list[tuple[Array, Line2D, Line2D, Line2D]] = []
        self.minima: list[Line2D] = []

    def build(self, axes: Axes) -> None:
        self._draw_window(axes)
        self._draw_surface(axes)
        self._draw_marks(axes)
        for number, entry in enumerate(self.scene.entries):
            for start, trajectory in enumerate(entry.trajectories):
                look = mark(self.theme, number, start)
                above = PATH + 2 * number
                casing = axes.add_line(
                    Line2D(
                        [], [], color=self.theme.casing, lw=LINE_WIDTH + 2 * CASING_WIDTH,
                        alpha=0.85, solid_capstyle="round", zorder=above,
                    )
                )  # fmt: skip
                line = axes.add_line(
                    Line2D(
                        [], [], color=look.color, lw=LINE_WIDTH, linestyle=look.dash,
                        solid_capstyle="round", zorder=above + 1, label=entry.label,
                    )
                )  # fmt: skip
                head = axes.add_line(
                    Line2D(
                        [], [], color=look.color, marker=look.marker, markersize=HEAD_SIZE,
                        markeredgecolor=self.theme.casing, markeredgewidth=1.4,
                        linestyle="none", zorder=HEAD + number,
                    )
                )  # fmt: skip
                self.paths.append((trajectory.points[: trajectory.last + 1], casing, line, head))

    def update(self, step: int) -> Sequence[Artist]:
        moved: list[Artist] = [*self.minima]
        for points, casing, line, head in self.paths:
            so_far = points[: step + 1]
            casing.set_data(so_far[:, 0], so_far[:, 1])
            line.set_data(so_far[:, 0], so_far[:, 1])
            head.set_data(so_far[-1:, 0], so_far[-1:, 1])
            moved += (casing, line, head)
        return moved

    def _draw_window(self, axes: Axes) -> None:
        (left, right), (bottom, top) = self.scene.surface.domain.intervals
        axes.set_xlim(left, right)
        axes.set_ylim(bottom, top)
        axes.set_autoscale_on(False)
        axes.set_xlabel("x")
        axes.set_ylabel("y", rotation=0)
        axes.set_xticks(*ticks(left, right))
        axes.set_yticks(*ticks(bottom, top))
        axes.tick_params(length=3, width=0.8, color=self.theme.muted)
        axes.spines[:].set(linewidth=0.8, color=self.theme.muted)

    def _draw_surface(self, axes: Axes) -> None:
        (left, right), (bottom, top) = self.scene.surface.domain.intervals
        x, y = np.meshgrid(np.linspace(left, right, GRID), np.linspace(bottom, top, GRID))
        with np.errstate(all="ignore"):
            z = self.scene.surface.value(np.stack([x, y], axis=-1))
        shown = np.ma.masked_invalid(z)
        axes.set_facecolor(self.theme.background)  # seen where the surface is undefined
        if not shown.count():
            return
        # matplotlib takes 1e250 for infinity; the lines of z / 1e200 are those of z.
        scale = max(1.0, float(abs(shown).max()) / 1e200)
        shown = shown / scale
        own = np.array(self.scene.surface.levels) / scale
        levels = own if own.size else contour_levels(shown.compressed())
        ramp = LinearSegmentedColormap.from_list("ramp", self.theme.ramp)
        if len(levels) >= 2:
            fill = [ramp(share) for share in np.linspace(0, 1, len(levels) + 1)]
            axes.contourf(x, y, shown, levels, colors=fill, extend="both", zorder=1)
        else:
            axes.set_facecolor(ramp(0.5))
        lines = levels[(levels > shown.min()) & (levels < shown.max())]
        if lines.size:
            axes.contour(
                x, y, shown, lines, colors=self.theme.isoline, linewidths=0.6, alpha=0.55,
                linestyles="solid", zorder=ISOLINE,
            )  # fmt: skip

    def _draw_marks(self, axes: Axes) -> None:
        minima = self._seen(np.reshape(self.scene.surface.minima, (-1, 2)))
        self.minima = axes.plot(
            minima[:, 0], minima[:, 1], linestyle="none", marker="*", zorder=MINIMUM, clip_on=False,
            markersize=STAR_SIZE * min(1.0, (12 / max(len(minima), 1)) ** 0.4),
            color=self.theme.minimum, markeredgecolor=self.theme.ink, markeredgewidth=1.0,
        )  # fmt: skip
        starts = self._seen(np.array([each.start for each in self.scene.entries[0].trajectories]))
        axes.plot(
            starts[:, 0], starts[:, 1], linestyle="none", marker="o", markersize=11, zorder=START,
            clip_on=False, color=self.theme.casing, markeredgecolor=self.theme.ink,
            markeredgewidth=1.6,
        )  # fmt: skip

    def _seen(self, points: Array) -> Array:
        """Return the points in the window: their marks are whole, at its edge as well."""
        low, high = np.transpose(self.scene.surface.domain.intervals)
        seen: Array = points[((low <= points) & (points <= high)).all(axis=-1)]
        return seen
