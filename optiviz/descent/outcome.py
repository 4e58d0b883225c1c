"""Remarks on how a path ends on the surface on which it is drawn."""

from typing import NamedTuple

import numpy as np

from optiviz.descent.trajectory import Trajectory
from optiviz.objective import Array
from optiviz.surfaces.domain import Domain
from optiviz.surfaces.surface import Surface

PARTS = 4  # of a run, whose losses are compared
OUTSIDE = 1e-6  # share of a side by which a path that stops at the edge is outside
LEFT = "left the window"
FLAT = 1e-9  # a slope smaller than this fraction of the starting slope counts as 0
UNSTABLE = "at a maximum", "at a saddle"  # where no run should end, even if it is lower


class Outcome(NamedTuple):
    """How a path ends: a remark, the step from which on it holds, and whether the run failed."""

    text: str
    since: int
    failed: bool = True

    @property
    def brief(self) -> str:
        """The remark, without the step at which a path has left its window."""
        return LEFT if self.text.startswith(LEFT) else self.text


def outcome(path: Trajectory, surface: Surface) -> Outcome | None:
    """Return a remark if a path ended early, no lower than it began, or out of view, else None.

    A path is said to end at a maximum or saddle and, if it ends no lower, at a minimum or on flat
    ground, if the slope there is 0. Otherwise a path that ends no lower is growing if its losses
    keep rising, or has left the window. To end lower out of view is no failure.
    """
    if path.ending:
        return Outcome(path.ending, path.steps if path.ended_at is None else path.ended_at)
    gone, last = left_at(path.finite_points, surface.window), path.steps
    failed = not path.loss(path.steps) < path.loss(0)
    if failed and (path.points == path.start).all():
        return Outcome("never moved", last)
    # Of a projected path the plane does not show where it really is.
    ground = "no lower" if path.distances is not None else _ground(path, surface)
    if ground in UNSTABLE or (failed and ground != "no lower"):
        return Outcome(f"ended {ground}", last)
    if failed and _is_growing(path.losses[path.known_steps]):
        no_higher = np.flatnonzero(path.losses <= path.losses[path.known_steps[0]])
        return Outcome("growing", int(no_higher[-1]) + 1)
    if gone is not None:
        step = int(path.step_of_row[gone])
        text = f"{LEFT} at step {step}" if step else "outside the window"
        return Outcome(text, step, failed)
    return Outcome("ended no lower", last) if failed else None


def left_at(points: Array, window: Domain) -> int | None:
    """Return the first of the points, shape (n, dim), from which on all are outside of a window.

    None if the last one is inside.
    """
    inside = np.flatnonzero(window.contains(points))
    gone = int(inside[-1]) + 1 if inside.size else 0
    return None if gone == len(points) else gone


def until_left(points: Array, window: Domain) -> Array:
    """Return points that stay at the edge of a window once they have left it for good.

    There, the step out of the window crosses the edge; they lie just outside of it.
    """
    gone = left_at(points, window)
    if not gone:
        return points
    low, high = np.transpose(window.intervals)
    last, beyond = points[gone - 1], points[gone]
    with np.errstate(all="ignore"):
        bounds = np.where(beyond > high, high, np.where(beyond < low, low, np.nan))
        shares = (bounds - last) / (beyond - last)
    axis = int(np.nanargmin(shares))
    edge = last + shares[axis] * (beyond - last)
    edge[axis] = bounds[axis] + np.sign(beyond[axis] - last[axis]) * OUTSIDE * (high - low)[axis]
    stopped = points.copy()
    stopped[gone:] = edge
    return stopped


def _is_growing(losses: Array) -> bool:
    """Return whether the losses of each quarter of a run are higher than those before."""
    middles = [float(np.median(part)) for part in np.array_split(losses, PARTS) if len(part)]
    return len(middles) == PARTS and bool((np.diff(middles) > 0).all())


def _ground(path: Trajectory, surface: Surface) -> str:
    """Return on what kind of ground a path ends if the slope is 0 there, else "no lower"."""
    low, high = np.transpose(surface.window.intervals)
    side = high - low  # scales slopes and curvatures so that they can be compared
    with np.errstate(all="ignore"):
        first, slope = np.abs(surface.gradient(path.points[[0, -1]]) * side).max(axis=-1)
        if not slope <= FLAT * first:
            return "no lower"
        hessian = surface.hessian(path.points[-1]) * np.outer(side, side)
    if not np.isfinite(hessian).all():
        return "no lower"
    bends = np.linalg.eigvalsh(hessian)
    if np.abs(bends).max() <= FLAT * first:
        return "on flat ground"
    if bends.min() >= -FLAT * bends.max():
        return "at a minimum no lower"
    return "at a maximum" if bends.max() < 0 else "at a saddle"
