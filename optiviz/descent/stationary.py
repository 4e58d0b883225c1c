"""The ball about a minimum in which gradient noise keeps a method at a constant learning rate."""

from dataclasses import replace

import numpy as np

from optiviz.descent.trajectory import Trajectory
from optiviz.shapes import Ellipse
from optiviz.surfaces.surface import Surface


def with_ball(path: Trajectory, surface: Surface, noise: float) -> Trajectory:
    """Return a path whose first sketch has the ball about the known minimum nearest to its end.

    The ball is one standard deviation of the method's distribution, on the quadratic that has the
    Hessian at the minimum, under gradient noise of a standard deviation. The path is returned as it
    is if there is no such minimum or ball.
    """
    ball = stationary_ball(path, surface, noise)
    if ball is None:
        return path
    first, *others = path.sketches or ((),) * (path.last + 1)
    return replace(path, sketches=((*first, ball), *others))


def stationary_ball(path: Trajectory, surface: Surface, noise: float) -> Ellipse | None:
    """Return the ball about the known minimum nearest to a path's end, None if there is none."""
    known = np.reshape(surface.minima, (-1, surface.dim)).astype(float)
    minima = list(known[surface.window.contains(known)])
    if not (minima and noise) or path.optimizer is None or path.ended_at is not None:
        return None
    nearest = min(minima, key=lambda each: float(np.linalg.norm(each - path.end)))
    with np.errstate(all="ignore"):
        hessian = surface.hessian(nearest)
    if not np.isfinite(hessian).all():
        return None
    covariance = path.optimizer.stationary_covariance(hessian, noise)
    return None if covariance is None else Ellipse(nearest, covariance, "spread")
