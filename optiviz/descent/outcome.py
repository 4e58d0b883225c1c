"""Remarks on how a path ends on the surface on which it is drawn."""

import numpy as np

from optiviz.descent.trajectory import Trajectory
from optiviz.surfaces.surface import Surface

FLAT = 1e-9  # a slope smaller than this fraction of the starting slope counts as 0


def outcome(path: Trajectory, surface: Surface) -> str:
    """Return a remark if a path ended early, no lower than it began, or out of view, else "".

    A path that ends no lower is said to end at a minimum, maximum or saddle, or on flat ground, if
    the slope there is 0.
    """
    if path.ending:
        return path.ending
    if path.loss(path.steps) < path.loss(0):
        return "" if surface.window.contains(path.points[-1]) else "ended out of view"
    if (path.points == path.start).all():
        return "never moved"
    if path.distances is not None:  # projected: the plane does not show where it really is
        return "ended no lower"
    return f"ended {_ground(path, surface)}"


def _ground(path: Trajectory, surface: Surface) -> str:
    """Return on what kind of ground a path ends if the slope is 0 there, else "no lower"."""
    low, high = np.transpose(surface.window.intervals)
    side = high - low  # scales slopes and curvatures so that they can be compared
    with np.errstate(all="ignore"):
        first, slope = np.abs(surface.gradient(path.points[[0, -1]]) * side).max(axis=-1)
        hessian = surface.hessian(path.points[-1]) * np.outer(side, side)
        level = slope <= FLAT * first
    if not level or not np.isfinite(hessian).all():
        return "no lower"
    bends = np.linalg.eigvalsh(hessian)
    if np.abs(bends).max() <= FLAT * first:
        return "on flat ground"
    if bends.min() >= 0:
        return "at a minimum no lower"
    return "at a maximum" if bends.max() < 0 else "at a saddle"
