"""The eigenvectors of the Hessian at the head of a path: two lines, one for each curvature."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba

from optiviz.descent.trajectory import Trajectory
from optiviz.kinds.run_scene import RunScene
from optiviz.objective import Array
from optiviz.relief.field import Bools
from optiviz.themes import Theme
from optiviz.views.paths import MINIMUM_ZORDER, PathStyle

LONGEST = 29.0  # half a line, in points
SHORTEST = 0.4  # the least length of a line, as a share of the longer one's
FLAT = 1e-9  # a share of the larger curvature that is as good as 0
WIDTH, CASING = 1.9, 0.9  # points: of a line, and on each side of it
DASH = 0, (1.3, 0.8)  # in widths of the line
ALONG = 13  # vertices of half a line on a curved surface

Move = Callable[[Array], Array]  # of vertices, one for one


class Arms(NamedTuple):
    """Half of each line at points, shape (n, 2, 2), and whether the loss curves down along it.

    The second axis is that of the eigenvectors, of the smaller eigenvalue first, and the last that
    of coordinates. An arm is nan where there is no Hessian, or where it is 0.
    """

    ways: Array
    down: Bools  # (n, 2)


def arms(hessians: Array, units: Array, longest: float) -> Arms:
    """Return lines as long as axes of the ellipse in which the second-order term is constant.

    An axis is the longer, the flatter it is there: 1 / sqrt(|eigenvalue|). The longer one is
    `longest` in the picture, and the shorter at least SHORTEST of that. hessians has shape
    (n, 2, 2), and units, (2,), is the length in the picture of one unit of each coordinate.
    """
    largest = np.abs(hessians).max(axis=(1, 2), keepdims=True)
    known = np.isfinite(largest) & (largest > 0)
    bends, directions = np.linalg.eigh(np.divide(hessians, largest, where=known, out=_eye(known)))
    ways = np.where(known, np.swapaxes(directions, 1, 2), np.nan)
    seen = np.linalg.norm(ways * units, axis=2)
    stiff = np.sqrt(np.abs(bends)) / seen
    least = stiff.min(axis=1, keepdims=True)
    share = np.divide(least, stiff, where=stiff > least, out=np.ones_like(stiff))
    lengths = longest * np.maximum(share, SHORTEST)
    return Arms(ways * (lengths / seen)[..., None], bends < -FLAT)


def curve_down(scene: RunScene) -> bool:
    """Return whether the loss curves down along a line at a point of some path in view."""
    points = [scene.points_in_view(path) for each in scene.entries for path in each.trajectories]
    with np.errstate(all="ignore"):
        found = [arms(scene.surface.hessian(each), np.ones(2), 1.0) for each in points]
    return any(each.down.any() for each in found)


def _eye(known: Bools) -> Array:
    return np.broadcast_to(np.eye(2), (len(known), 2, 2)).copy()


class EigenvectorArtist:
    """The two lines at the head of a path, solid where the loss curves up and dashed where down.

    units is the length in the picture of one unit of each coordinate, shape (2,), and longest that
    of half of the longer line. lift puts vertices on the surface, which lines follow if they have
    more `vertices` than two. In each step, `project` turns them into places in the units of the
    axes.
    """

    def __init__(
        self,
        axes: Axes,
        scene: RunScene,
        path: Trajectory,
        style: PathStyle,
        theme: Theme,
        units: Array,
        longest: float,
        lift: Move = lambda vertices: vertices,
        vertices: int = 2,
    ) -> None:
        self.project: Move = lambda vertices: vertices
        self.rows, self.lift = path.row_of_step, lift
        self.points = scene.points_in_view(path)
        with np.errstate(all="ignore"):
            hessians = scene.surface.hessian(self.points)
            self.arms = arms(hessians, units, longest)
        self.share = np.append(np.linspace(0, 1, vertices), np.nan)[:, None]
        self.drawn = LineCollection(
            [],
            colors=[to_rgba(theme.casing), *[to_rgba(style.color)] * 2],
            linewidths=[WIDTH + 2 * CASING, WIDTH, WIDTH],
            linestyles=["-", "-", DASH],
            zorder=MINIMUM_ZORDER - 1,
        )
        axes.add_collection(self.drawn, autolim=False)

    def update(self, step: int) -> list[Artist]:
        """Move to a step and return the artists that move."""
        row = self.rows[min(step, len(self.rows) - 1)]
        lines = []
        for way in self.arms.ways[row]:
            vertices = [self.points[row] + self.share * side * way for side in (1, -1)]
            lines.append(self.project(self.lift(np.concatenate(vertices))))
        none, down = np.zeros((0, 2)), self.arms.down[row]
        dashed = np.concatenate([none, *(lines[each] for each in np.flatnonzero(down))])
        solid = np.concatenate([none, *(lines[each] for each in np.flatnonzero(~down))])
        self.drawn.set_segments([np.concatenate(lines), solid, dashed])
        return [self.drawn]
