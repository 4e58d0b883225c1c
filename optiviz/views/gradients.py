"""Gradients at the head of a path: down the loss, and those of the constraints that hold it."""

from typing import NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba

from optiviz.descent.trajectory import Trajectory
from optiviz.kinds.run_scene import RunScene
from optiviz.objective import Array
from optiviz.surfaces.surface import Surface
from optiviz.themes import Theme
from optiviz.views.paths import MINIMUM_ZORDER, PathStyle

# Points: of an arrow down the loss, and of one of a constraint, which is longer, so that both are
# seen where one covers the other.
DOWN, OUT = 34.0, 50.0
BARB, TURN = 7.0, np.radians(26)  # points and angle of each half of a tip
WIDTH, CASING = 2.0, 0.9  # points: of a line, and on each side of it
DASH = 0, (2.2, 1.1)  # in widths of the line
NEAR = 0.01  # distance, as a share of the window's diagonal, up to which a constraint is active
FLAT = 1e-6  # share of the steepest slope in the window that is as good as none


class Slopes(NamedTuple):
    """Directions at points, shapes (n, 2) and (n, m, 2); nan where there is none.

    down is that of the negative gradient of the loss, and out those of the gradients of m
    constraints g(x) <= 0 or g(x) == 0 that are active there: nearly 0, or violated.
    """

    down: Array
    out: Array


def slopes(surface: Surface, points: Array) -> Slopes:
    """Return the directions of gradients on a surface at points of shape (n, 2)."""
    with np.errstate(all="ignore"):
        down = -surface.gradient(points)
        steep = np.linalg.norm(down, axis=-1, keepdims=True)
        known = np.isfinite(steep)
        largest = steep[known[:, 0] & surface.window.contains(points)].max(initial=0.0)
        down = np.where(known & (steep > FLAT * largest), down, np.nan)
        allowed = surface.feasible_set
        found = []
        for each in () if allowed is None else allowed.edges:
            slope = each.gradient(points)
            far = np.abs(each.value(points)) / np.linalg.norm(slope, axis=-1)
            active = (each.value(points) > 0) | (far <= NEAR * surface.window.diagonal)
            found.append(np.where(active[:, None] | each.equal, slope, np.nan))
    return Slopes(down, np.stack(found, axis=1) if found else np.zeros((len(points), 0, 2)))


def arrow(point: Array, way: Array, units: Array, long: float) -> tuple[Array, Array]:
    """Return the shaft and the tip of an arrow from a point, shapes (2, 2) and (3, 2).

    units is the length in the picture of one unit of each coordinate, in points, and long the
    arrow's length.
    """
    seen = way * units
    seen = seen / np.hypot(*seen)
    end = point + long * seen / units
    cos, sin = np.cos(TURN), np.sin(TURN)
    sides = [np.array([[cos, turn * sin], [-turn * sin, cos]]) @ seen for turn in (1, -1)]
    first, other = (end - BARB * side / units for side in sides)
    return np.stack([point, end]), np.stack([first, end, other])


class GradientArtist:
    """The arrows at the head of a path: one in its colour, and dashed ones of constraints."""

    def __init__(
        self,
        axes: Axes,
        scene: RunScene,
        path: Trajectory,
        style: PathStyle,
        theme: Theme,
        units: Array,
    ) -> None:
        self.rows, self.units = path.row_of_step, units
        self.points = scene.points_in_view(path)
        self.slopes = slopes(scene.surface, self.points)
        casing, ink, own = (to_rgba(each) for each in (theme.casing, theme.ink, style.color))
        wide = WIDTH + 2 * CASING
        self.drawn = LineCollection(
            [],
            colors=[casing, ink, ink, casing, own],
            linewidths=[wide, WIDTH, WIDTH, wide, WIDTH],
            linestyles=["-", DASH, "-", "-", "-"],
            joinstyle="round",
            zorder=MINIMUM_ZORDER - 1,
        )
        axes.add_collection(self.drawn, autolim=False)

    def update(self, step: int) -> list[Artist]:
        """Move to a step and return the artists that move."""
        row = self.rows[min(step, len(self.rows) - 1)]
        point, gap = self.points[row], np.full((1, 2), np.nan)

        def arrows(ways: Array, long: float) -> tuple[Array, Array]:
            drawn = [
                arrow(point, way, self.units, long)
                for way in ways
                if np.isfinite([way, point]).all() and way.any()
            ]
            shafts = [part for shaft, _ in drawn for part in (shaft, gap)]
            tips = [part for _, tip in drawn for part in (tip, gap)]
            return np.concatenate([gap, *shafts]), np.concatenate([gap, *tips])

        out, tips = arrows(self.slopes.out[row], OUT)
        down = np.concatenate(arrows(self.slopes.down[row][None], DOWN))
        self.drawn.set_segments([np.concatenate([out, tips]), out, tips, down, down])
        return [self.drawn]
