"""Where every start of a grid ends: at which minimum, and since when it has stayed there."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optiviz.descent.walk import walk
from optiviz.objective import Array, Objective, Stream
from optiviz.optimizers.base import Method, Optimizer, OptimizerError
from optiviz.surfaces.surface import Surface
from optiviz.system.progress import Progress

BLOCK = 32_000_000  # bytes of the paths of starts that are walked together
MIN_BLOCK, MAX_BLOCK = 64, 16_384  # starts of a block: the arrays of a step stay in the cache
CROWD = 0.001  # share of all runs that end together where a minimum is looked for
POLISH = 30  # Newton steps to it
FLAT = 1e-6  # slope, of the steepest that any run began with, at which it is found
MAX_FOUND = 60  # minima beside those that are listed


@dataclass(frozen=True, eq=False)
class Basins:
    """What became of each start of a grid with one optimizer.

    All arrays have shape (rows, columns), from the lower left corner of the window on. reached is
    the number of the minimum that a run ends at, -1 for none; arrived the first step after which
    it never leaves that again, -1 if it does not reach it.
    """

    reached: NDArray[np.intp]
    arrived: NDArray[np.intp]

    def share(self, step: int) -> float:
        """Return the share of starts that have come to stay at a minimum by a step."""
        return float(((self.arrived >= 0) & (self.arrived <= step)).mean())


class StartGrid(NamedTuple):
    """What is descended, and from where: the centres of the cells of a grid, (n, 2)."""

    surface: Surface
    objective: Objective | Stream
    starts: Array
    shape: tuple[int, int]  # rows, columns
    steps: int


def start_grid(
    surface: Surface, objective: Objective | Stream, sides: tuple[int, int], steps: int
) -> StartGrid:
    """Return the grid of so many columns and rows over the window of a surface."""
    middles = [
        low + (high - low) * (np.arange(many) + 0.5) / many
        for (low, high), many in zip(surface.window.intervals, sides, strict=True)
    ]
    starts = np.stack(np.meshgrid(*middles), axis=-1).reshape(-1, 2)
    return StartGrid(surface, objective, starts, (sides[1], sides[0]), steps)


def map_basins(
    methods: Sequence[Method], grid: StartGrid, progress: Progress | None = None
) -> tuple[Array, list[Basins]]:
    """Return the minima that runs reach, shape (m, 2), and what became of every start.

    The minima are the listed ones, and those among which many runs end that are not listed: where
    the loss around them is lowest, Newton's method finds them, and the second derivatives say so.
    """
    listed = np.reshape(grid.surface.minima, (-1, 2)).astype(float)
    total = len(methods) * len(grid.starts)
    done = 0

    def advance(many: int) -> None:
        nonlocal done
        done += many
        if progress is not None:
            progress(min(done, total), total)

    walked = [_walk_many(method, grid, grid.starts, listed, advance) for method in methods]
    found = _found(grid, listed, [ends[reached < 0] for ends, reached, _ in walked])
    minima = np.concatenate([listed, found])
    maps = []
    for method, (ends, reached, arrived) in zip(methods, walked, strict=True):
        late = np.flatnonzero(reached < 0)
        if len(found):  # which of those that are at none of the listed ones have to be seen again
            late = late[_nearest(ends[late], found, grid.surface.minimum_radius) >= 0]
            again = _walk_many(method, grid, grid.starts[late], minima, lambda _: None)
            reached[late], arrived[late] = again[1:]
        maps.append(Basins(reached.reshape(grid.shape), arrived.reshape(grid.shape)))
    return minima, maps


_RunEnds = tuple[Array, NDArray[np.intp], NDArray[np.intp]]  # ends, reached, arrived


def _walk_many(
    method: Method, grid: StartGrid, starts: Array, minima: Array, advance: Callable[[int], None]
) -> _RunEnds:
    """Walk from many starts: where they end, at which minimum, and since when."""
    vectorized = isinstance(method, Optimizer) and method.vectorized
    size = int(np.clip(BLOCK // (16 * (grid.steps + 1)), MIN_BLOCK, MAX_BLOCK)) if vectorized else 1
    paths = np.empty((grid.steps + 1, 2, size))  # fresh memory would cost as much as the steps
    parts: list[_RunEnds] = []
    for first in range(0, len(starts), size):
        block = starts[first : first + size]
        parts.append(_walk_block(method, grid, minima, block, paths[..., : len(block)]))
        advance(len(block))
    if not parts:
        return np.empty((0, 2)), np.empty(0, np.intp), np.empty(0, np.intp)
    ends, reached, arrived = (np.concatenate(column) for column in zip(*parts, strict=True))
    return ends, reached, arrived


def _walk_block(
    method: Method, grid: StartGrid, minima: Array, starts: Array, paths: Array
) -> _RunEnds:
    """Walk from some starts, with room for their paths, (steps + 1, 2, starts)."""
    # Coordinates lie one after another in memory, which takes a third less time.
    x = np.ascontiguousarray(starts.T).T
    x = x if len(starts) > 1 else x[0]
    last = -1
    with np.errstate(all="ignore"):
        with suppress(OptimizerError):
            for last, (here, _) in enumerate(walk(grid.objective, method, x, grid.steps)):
                paths[last] = here.reshape(-1, 2).T
        paths[last + 1 :] = np.nan
        ends = paths[-1].T.copy()
        reached = _nearest(ends, minima, grid.surface.minimum_radius)
        arrived = np.full(len(starts), -1)
        staying = reached >= 0
        x_there, y_there = minima[reached].T if len(minima) else ends.T
        for step in range(grid.steps, -1, -1):  # back from the end, while it is near
            apart = (paths[step, 0] - x_there) ** 2
            apart += (paths[step, 1] - y_there) ** 2
            staying &= apart <= grid.surface.minimum_radius**2
            if not staying.any():
                break
            arrived[staying] = step
    return ends, reached, arrived


def _nearest(points: Array, minima: Array, radius: float) -> NDArray[np.intp]:
    """Return the number of the minimum that each point is at, -1 if at none."""
    best = np.full(len(points), radius**2)
    number = np.full(len(points), -1)
    for which, (x, y) in enumerate(minima):
        apart = (points[:, 0] - x) ** 2 + (points[:, 1] - y) ** 2
        nearer = apart <= best
        best[nearer], number[nearer] = apart[nearer], which
    return number


def _found(grid: StartGrid, listed: Array, ends: Sequence[Array]) -> Array:
    """Return the minima, none of them listed, around which runs end that have reached none."""
    low, high = np.transpose(grid.surface.window.intervals)
    loose = np.concatenate(ends)
    with np.errstate(all="ignore"):
        losses = grid.surface.value(loose)
        seen = np.isfinite(losses) & ((low <= loose) & (loose <= high)).all(axis=1)
        loose, losses = loose[seen], losses[seen]
        if not len(loose):
            return np.empty((0, 2))
        steepest = float(np.nanmax(np.abs(grid.surface.gradient(grid.starts))))
    few = max(2, int(CROWD * len(grid.starts)))
    minima: list[Array] = []
    while len(loose) >= few and len(minima) < MAX_FOUND:
        start = loose[int(np.argmin(losses))]
        crowd = np.hypot(*(loose - start).T) <= 2 * grid.surface.minimum_radius
        if int(crowd.sum()) >= few:
            point = _polished(grid.surface, start, grid.surface.minimum_radius, steepest)
            if point is not None and ((low <= point) & (point <= high)).all():
                known = np.concatenate([listed, np.reshape(minima, (-1, 2))])
                if _nearest(point[None], known, grid.surface.minimum_radius)[0] < 0:
                    minima.append(point)
                crowd |= np.hypot(*(loose - point).T) <= grid.surface.minimum_radius
        loose, losses = loose[~crowd], losses[~crowd]
    return np.reshape(minima, (-1, 2))


def _polished(surface: Surface, start: Array, radius: float, steepest: float) -> Array | None:
    """Return the minimum near a point, None if there is none within twice the radius."""
    x = start
    with np.errstate(all="ignore"):
        for _ in range(POLISH):
            g, hessian = surface.gradient(x), surface.hessian(x)
            if not np.isfinite(hessian).all():
                return None
            if np.abs(g).max() <= FLAT * steepest:
                break
            try:
                x = x - np.linalg.solve(hessian, g)
            except np.linalg.LinAlgError:
                return None
            if not np.isfinite(x).all() or np.hypot(*(x - start)) > 2 * radius:
                return None
        flat = bool(np.abs(surface.gradient(x)).max() <= FLAT * steepest)
        least = float(np.linalg.eigvalsh(surface.hessian(x)).min())
    return x if flat and least > 0 else None
