"""Evenly spaced streamlines of a flow in the plane.

A line goes through each point of a grid, along the flow and against it, by the midpoint rule. The
longest ones are kept first. A line is cut where it comes too near those that are kept, and left
out if it begins near one or if what is left of it is short: Jobard and Lefer, Creating
evenly-spaced streamlines of arbitrary density, 1997, with all lines traced at once.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array

STEP = 0.2  # length of a step, as a share of the spacing
DENSITY = 1.3  # points through which lines are traced, per spacing
NEAR = 0.5  # how near lines may come, as a share of their spacing
SHORTEST = 1.6  # of a line that is kept, in spacings
LONGEST = 2.0  # of a line either way, in longer sides
CELLS = 6  # of the raster of what is near a line, per spacing


def streamlines(flow: Callable[[Array], Array], sides: Array, spacing: float) -> list[Array]:
    """Return streamlines in a rectangle from (0, 0) to its sides, arrays of shape (n, 2).

    flow returns the direction at points of shape (n, 2), of any length; lines end where it is nan
    or turns back, as at a minimum. spacing is about the distance between two lines.
    """
    counts = [max(2, round(DENSITY * side / spacing)) for side in sides]
    middles = [
        side * (np.arange(count) + 0.5) / count for side, count in zip(sides, counts, strict=True)
    ]
    seeds = np.stack(np.meshgrid(*middles), axis=-1).reshape(-1, 2)
    step = STEP * spacing
    ways = [_traced(flow, seeds, sides, way * step) for way in (1.0, -1.0)]
    lengths = sum(np.isfinite(way[..., 0]).sum(axis=0) for way in ways)
    cell = spacing / CELLS
    shape = [int(side / cell) + 1 for side in sides]
    taken, close = np.zeros(shape, bool), np.zeros(shape, bool)
    kept: list[Array] = []
    for number in np.argsort(-lengths, kind="stable"):
        place = (seeds[number] / cell).astype(int)
        if taken[tuple(place)]:
            continue
        parts = [_free(way[:, number], close, cell) for way in ways]
        line = np.concatenate([parts[1][:0:-1], parts[0]])
        if len(line) * step < SHORTEST * spacing:
            continue
        kept.append(line)
        _mark(taken, line, cell, spacing)
        _mark(close, line, cell, NEAR * spacing)
    return kept


def _traced(flow: Callable[[Array], Array], seeds: Array, sides: Array, step: float) -> Array:
    """Return the points of lines from seeds, shape (steps, seeds, 2), nan behind their ends."""
    found = [seeds]
    going, points, before = np.arange(len(seeds)), seeds, np.zeros_like(seeds)
    for _ in range(int(LONGEST * sides.max() / abs(step))):
        way = _unit(flow(points + step / 2 * _unit(flow(points))))
        points = points + step * way
        goes_on = ((points >= 0) & (points <= sides)).all(axis=-1)
        goes_on &= (way * before).sum(axis=-1) >= 0
        going, points, before = going[goes_on], points[goes_on], way[goes_on]
        if not going.size:
            break
        found.append(np.full_like(seeds, np.nan))
        found[-1][going] = points
    return np.stack(found)


def _unit(directions: Array) -> Array:
    """Return directions of length 1, nan for those without any."""
    with np.errstate(all="ignore"):
        return np.asarray(directions / np.hypot(*directions.T)[:, None])


def _free(line: Array, close: NDArray[np.bool_], cell: float) -> Array:
    """Return the part of a line before its end, or before it comes close to another one."""
    known = line[: int(np.isfinite(line[:, 0]).sum())]
    near = close[tuple((known / cell).astype(int).T)]
    return known[: int(near.argmax()) if near.any() else len(known)]


def _mark(raster: NDArray[np.bool_], line: Array, cell: float, reach: float) -> None:
    """Mark the cells of a raster that are within reach of a line."""
    around = np.arange(-int(reach / cell), int(reach / cell) + 1)
    disc = np.stack(np.meshgrid(around, around), axis=-1).reshape(-1, 2)
    disc = disc[np.hypot(*disc.T) * cell <= reach]
    cells = ((line / cell).astype(int)[:, None] + disc).reshape(-1, 2)
    cells = cells[((cells >= 0) & (cells < raster.shape)).all(axis=-1)]
    raster[tuple(cells.T)] = True
