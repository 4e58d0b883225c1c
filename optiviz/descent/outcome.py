"""What is to be said of a walk's end, on the surface on which it is seen."""

import numpy as np

from optiviz.descent.trajectory import Trajectory
from optiviz.surfaces.surface import Surface

FLAT = 1e-9  # a slope that is a smaller share of the start's is none


def outcome(path: Trajectory, surface: Surface) -> str:
    """Say why a walk ended early, or no lower than it began, or where it cannot be seen.

    Empty if it did none of these.
    """
    if path.ending:
        return path.ending
    if path.loss(path.steps) < path.loss(0):
        return "" if surface.window.contains(path.points[-1]) else "ended out of view"
    if (path.points == path.start).all():
        return "never moved"
    if path.distances is not None:  # the ground of the plane is not what it stands on
        return "ended no lower"
    return f"ended {_ground(path, surface)}"


def _ground(path: Trajectory, surface: Surface) -> str:
    """Say on what kind of ground a path ends, if the slope is 0 there."""
    low, high = np.transpose(surface.window.intervals)
    side = high - low  # in units of which slopes and curvatures can be compared
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
