"""Basins of attraction: which minimum each start of a grid reaches, and when it arrives."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optiviz.descent.problem import feasible
from optiviz.descent.walk import walk
from optiviz.objective import Array, Objective, Stream
from optiviz.optimizers.base import Method, Optimizer, OptimizerError
from optiviz.surfaces.noise import unmoved
from optiviz.surfaces.surface import Surface
from optiviz.system.progress import Progress

BLOCK = 32_000_000  # bytes of the paths that are walked together
MIN_BLOCK, MAX_BLOCK = 64, 16_384  # starts per block: the arrays of a step stay in the cache
CROWD = 0.001  # fraction of all runs that must end together to search for a minimum
POLISH = 30  # Newton steps of that search
HELD = 1000  # projected steps of that search under constraints
ROUNDING = 1e-12  # of their length
AROUND = 16  # points around a minimum that must be higher
FLAT = 1e-6  # slope at a minimum, relative to the steepest slope at a start
MAX_FOUND = 60  # minima besides those that are listed


@dataclass(frozen=True, eq=False)
class Basins:
    """Where one optimizer ends from each start of a grid.

    Both arrays have shape (rows, columns), starting at the lower left corner of the window.
    reached is the index of the minimum at which a run ends, -1 for none. arrived is the first step
    from which on the run stays there, -1 if it reaches none.
    """

    reached: NDArray[np.intp]
    arrived: NDArray[np.intp]

    def share(self, step: int) -> float:
        """Return the fraction of starts that have arrived at a minimum by a step."""
        return float(((self.arrived >= 0) & (self.arrived <= step)).mean())


class StartGrid(NamedTuple):
    """A grid of starts, which are the centres of its cells, shape (n, 2), and their objective."""

    surface: Surface
    objective: Objective | Stream
    starts: Array
    shape: tuple[int, int]  # rows, columns
    steps: int


def start_grid(
    surface: Surface, objective: Objective | Stream, sides: tuple[int, int], steps: int
) -> StartGrid:
    """Return a grid of `sides`, (columns, rows), over the window of a surface."""
    middles = [
        low + (high - low) * (np.arange(many) + 0.5) / many
        for (low, high), many in zip(surface.window.intervals, sides, strict=True)
    ]
    starts = feasible(surface, np.stack(np.meshgrid(*middles), axis=-1).reshape(-1, 2))
    return StartGrid(surface, objective, starts, (sides[1], sides[0]), steps)


def map_basins(
    methods: Sequence[Method], grid: StartGrid, progress: Progress | None = None
) -> tuple[Array, list[Basins]]:
    """Return the minima that runs reach, shape (m, 2), and the basins of each method.

    The minima are the listed ones and any others at which many runs end. Those are found with
    Newton's method from the end with the lowest loss, and confirmed by their second derivatives;
    under constraints, by projected steps and by the losses around.
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
        if len(found):  # walk again from starts that reach one of the others
            late = late[_nearest(ends[late], found, grid.surface.minimum_radius) >= 0]
            again = _walk_many(method, grid, grid.starts[late], minima, lambda _: None)
            reached[late], arrived[late] = again[1:]
        maps.append(Basins(reached.reshape(grid.shape), arrived.reshape(grid.shape)))
    return minima, maps


_RunEnds = tuple[Array, NDArray[np.intp], NDArray[np.intp]]  # ends, reached, arrived


def _walk_many(
    method: Method, grid: StartGrid, starts: Array, minima: Array, advance: Callable[[int], None]
) -> _RunEnds:
    """Walk from many starts, in blocks, and return their ends, minima and arrivals."""
    vectorized = isinstance(method, Optimizer) and method.vectorized
    size = int(np.clip(BLOCK // (16 * (grid.steps + 1)), MIN_BLOCK, MAX_BLOCK)) if vectorized else 1
    paths = np.empty((grid.steps + 1, 2, size))  # reused: new memory costs as much as the steps
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
    """Walk from some starts; paths, shape (steps + 1, 2, starts), is overwritten."""
    # Each coordinate is contiguous in memory, which takes a third less time.
    x = np.ascontiguousarray(starts.T).T
    x = x if len(starts) > 1 else x[0]
    last = -1
    with np.errstate(all="ignore"):
        with suppress(OptimizerError):
            for last, (here, _) in enumerate(walk(grid.objective, method, x, grid.steps)):
                paths[last] = here.reshape(-1, 2).T
        paths[last + 1 :] = np.nan
        seen = unmoved(grid.objective, np.moveaxis(paths, 1, -1), range(grid.steps + 1))
        paths = np.moveaxis(seen, -1, 1)
        ends = paths[-1].T.copy()
        reached = _nearest(ends, minima, grid.surface.minimum_radius)
        arrived = np.full(len(starts), -1)
        staying = reached >= 0
        x_there, y_there = minima[reached].T if len(minima) else ends.T
        for step in range(grid.steps, -1, -1):  # back from the end, as long as runs stay near
            apart = (paths[step, 0] - x_there) ** 2
            apart += (paths[step, 1] - y_there) ** 2
            staying &= apart <= grid.surface.minimum_radius**2
            if not staying.any():
                break
            arrived[staying] = step
    return ends, reached, arrived


def _nearest(points: Array, minima: Array, radius: float) -> NDArray[np.intp]:
    """Return the index of the minimum within `radius` of each point, -1 if there is none."""
    best = np.full(len(points), radius**2)
    number = np.full(len(points), -1)
    for which, (x, y) in enumerate(minima):
        apart = (points[:, 0] - x) ** 2 + (points[:, 1] - y) ** 2
        nearer = apart <= best
        best[nearer], number[nearer] = apart[nearer], which
    return number


def _found(grid: StartGrid, listed: Array, ends: Sequence[Array]) -> Array:
    """Return the unlisted minima around which the given ends of runs gather, shape (m, 2)."""
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
    confirmed = _polished if grid.surface.feasible_set is None else _held
    minima: list[Array] = []
    while len(loose) >= few and len(minima) < MAX_FOUND:
        start = loose[int(np.argmin(losses))]
        crowd = np.hypot(*(loose - start).T) <= 2 * grid.surface.minimum_radius
        if int(crowd.sum()) >= few:
            point = confirmed(grid.surface, start, grid.surface.minimum_radius, steepest)
            if point is not None and ((low <= point) & (point <= high)).all():
                known = np.concatenate([listed, np.reshape(minima, (-1, 2))])
                if _nearest(point[None], known, grid.surface.minimum_radius)[0] < 0:
                    minima.append(point)
                crowd |= np.hypot(*(loose - point).T) <= grid.surface.minimum_radius
        loose, losses = loose[~crowd], losses[~crowd]
    return np.reshape(minima, (-1, 2))


def _polished(surface: Surface, start: Array, radius: float, steepest: float) -> Array | None:
    """Return the minimum near a point, None if there is none within twice the radius.

    steepest is the largest slope at any start, which scales the tolerance.
    """
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


def _held(surface: Surface, start: Array, radius: float, steepest: float) -> Array | None:
    """Return the minimum under constraints near a point, None if there is none, as in _polished."""
    rate = unit = radius / (steepest or 1.0)
    x, turns = start, np.linspace(0, 2 * np.pi, AROUND, endpoint=False)
    with np.errstate(all="ignore"):
        for _ in range(HELD):
            moved = feasible(surface, x - rate * surface.gradient(x))
            if (moved == x).all() or rate < ROUNDING * unit:
                break
            x, rate = (
                (moved, 2 * rate) if surface.value(moved) < surface.value(x) else (x, rate / 2)
            )
        left = feasible(surface, x - unit * surface.gradient(x)) - x
        if not (np.hypot(*left) <= FLAT * radius and np.hypot(*(x - start)) <= 2 * radius):
            return None
        circle = np.stack([np.cos(turns), np.sin(turns)], axis=-1)
        around = feasible(surface, x + radius / 10 * circle)
        around = around[np.hypot(*(around - x).T) >= radius / 20]
        rise = surface.value(around) - surface.value(x)
    return x if (rise > FLAT * steepest * radius).all() else None
