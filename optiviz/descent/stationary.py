"""The ball about a minimum in which gradient noise keeps a method at a constant learning rate."""

from dataclasses import replace

import numpy as np

from optiviz.descent.trajectory import Trajectory
from optiviz.objective import Array
from optiviz.shapes import Ellipse
from optiviz.surfaces.surface import Surface

MOST_STEPS = 50  # of Newton's method
CLOSE = 1e-9  # its last step, as a fraction of the window


def with_ball(path: Trajectory, surface: Surface, noise: float) -> Trajectory:
    """Return a path whose first sketch has the ball about the minimum nearest to its end.

    Where no minima are known, that is the one which Newton's method finds from the mean of the
    second half of the path. The ball is one standard deviation of the method's distribution, on the
    quadratic that has the Hessian at the minimum, under gradient noise of a standard deviation. The
    path is returned as it is if there is no such minimum or ball.
    """
    ball = stationary_ball(path, surface, noise)
    if ball is None:
        return path
    first, *others = path.sketches or ((),) * (path.last + 1)
    return replace(path, sketches=((*first, ball), *others))


def stationary_ball(path: Trajectory, surface: Surface, noise: float) -> Ellipse | None:
    """Return the ball about the minimum nearest to a path's end, None if there is none."""
    known = np.reshape(surface.minima, (-1, surface.dim)).astype(float)
    minima = list(known[surface.window.contains(known)])
    if not noise or surface.learns or path.optimizer is None or path.ended_at is not None:
        return None
    minima = minima or minimum_near(surface, path.points[len(path.points) // 2 :].mean(axis=0))
    if not minima:
        return None
    nearest = min(minima, key=lambda each: float(np.linalg.norm(each - path.end)))
    with np.errstate(all="ignore"):
        hessian = surface.hessian(nearest)
    if not np.isfinite(hessian).all():
        return None
    covariance = path.optimizer.stationary_covariance(hessian, noise)
    return None if covariance is None else Ellipse(nearest, covariance, "spread")


def minimum_near(surface: Surface, x: Array) -> list[Array]:
    """Return the minimum that Newton's method finds from a point, if the surface is convex there.

    It is in the window.
    """
    low, high = np.transpose(surface.window.intervals)
    for _ in range(MOST_STEPS):
        with np.errstate(all="ignore"):
            slope, hessian = surface.gradient(x), surface.hessian(x)
        known = np.isfinite(slope).all() and np.isfinite(hessian).all()
        if not known or np.linalg.eigvalsh(hessian).min() <= 0:
            return []
        move = np.linalg.solve(hessian, slope)
        x = x - move
        if not ((low <= x) & (x <= high)).all():
            return []
        if (np.abs(move) <= CLOSE * (high - low)).all():
            return [x]
    return []
