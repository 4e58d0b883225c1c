"""Second-order methods: Newton's, plain and regularised, and within a trust region."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from optiviz.objective import Array, Objective, TwiceDifferentiable
from optiviz.optimizers.base import (
    Hyper,
    Optimizer,
    alternating_limit,
    hyper,
    length,
    positive,
)
from optiviz.shapes import Ellipse, Points, QuadraticModel, Segment, Sketch
from optiviz.system.errors import InputError

EPS = float(np.finfo(float).eps)


class LocalModel(NamedTuple):
    """State of Newton's method: the quadratic model at the point that the last step left."""

    point: Array  # (..., dim)
    value: Array  # (...)
    gradient: Array  # (..., dim)
    hessian: Array  # (..., dim, dim), with the damping


def unmodelled(x: Array) -> tuple[Array, Array, Array, Array]:
    """Return a model before the first step, of which nothing is known: zeros."""
    return x, np.zeros_like(x[..., 0]), np.zeros_like(x), times_identity(np.zeros_like(x))


def times_identity(diagonal: Array) -> Array:
    """Return matrices of shape (..., dim, dim) with these diagonals."""
    return diagonal[..., None] * np.eye(diagonal.shape[-1])


def derivatives(objective: Objective, x: Array, name: str) -> tuple[Array, Array, Array]:
    """Return value, gradient and Hessian; raise InputError if there is no Hessian."""
    if not isinstance(objective, TwiceDifferentiable):
        raise InputError(f"{name} needs second derivatives, which this objective does not have")
    # Not value and gradient together, whose last digit differs from the one that pages compute.
    return objective.value(x), objective.gradient(x), objective.hessian(x)


def solved(matrix: Array, vector: Array) -> Array:
    """Return matrix**-1 vector, nan where the matrix is singular or not finite."""
    singular = ~np.isfinite(matrix).all(axis=(-2, -1)) | (np.linalg.det(matrix) == 0)
    one = singular[..., None, None]
    found = np.linalg.solve(np.where(one, np.eye(vector.shape[-1]), matrix), vector[..., None])
    return np.where(singular[..., None], np.nan, found[..., 0])


def inverse_matrix(matrix: Array) -> Array | None:
    """Return the inverse of a matrix (dim, dim) that is positive definite, else None."""
    known = positive(matrix)
    if known is None:
        return None
    inverse = np.linalg.inv(known)
    return positive((inverse + inverse.T) / 2)


@dataclass(frozen=True, eq=False, kw_only=True)
class Newton(Optimizer):
    """Newton's method: a step to where the gradient of the quadratic model vanishes.

        x <- x - lr * (H + damping * I)**-1 * g

    Paper: Nocedal and Wright, Numerical Optimization, 2006, section 3.3; damping: Levenberg,
    1944, article 2's regularised Newton.

    Where the Hessian is not positive definite, the plain method climbs to a maximum or a saddle;
    enough damping turns it downhill. A singular matrix gives nan.
    """

    follows_gradient = True

    lr: Hyper = hyper(1.0, help="fraction of the full step", within="(0, inf)")
    damping: Hyper = hyper(0.0, help="added to the diagonal of the Hessian")

    def init(self, x: Array) -> LocalModel:
        return LocalModel(*unmodelled(x))

    def step(self, objective: Objective, x: Array, state: LocalModel) -> tuple[Array, LocalModel]:
        value, g, hessian = derivatives(objective, x, "newton")
        hessian = hessian + times_identity(self.damping * np.ones_like(g))
        return x - self.lr * solved(hessian, g), LocalModel(x, value, g, hessian)

    def sketch(self, state: LocalModel) -> Sketch:
        return (QuadraticModel(*state),)

    def preconditioner(self, state: LocalModel) -> Array | None:
        return inverse_matrix(state.hessian)

    def stability_limit(self, step: int) -> float | None:
        return alternating_limit(self.lr, 1.0)


def gain(before: Array, after: Array, predicted: Array) -> Array:
    """Return the actual over the predicted decrease, shape (..., 1); 1 if both are rounding errors.

    before and after have the shape (...), predicted (..., 1).
    """
    rounding = 10 * EPS * np.abs(before)[..., None] + np.finfo(float).tiny
    ratio: Array = ((before - after)[..., None] + rounding) / (predicted + rounding)
    return ratio


class Trusted(NamedTuple):
    """State of a trust-region method: what the last step looked at, and where that leads."""

    point: Array  # (..., dim), that the step left
    value: Array  # (...)
    gradient: Array  # (..., dim)
    hessian: Array  # (..., dim, dim)
    bend: Array  # (..., dim), the Cauchy point, where the path turns
    newton: Array  # (..., dim), the end of the path
    tried: Array  # (..., dim)
    accepted: Array  # (..., 1), 1 if the step went there
    region: Array  # (..., 1), radius within which the model was trusted
    ratio: Array  # (..., 1), actual over predicted decrease
    radius: Array  # (..., 1), for the next step

    @property
    def recorded(self) -> dict[str, Any]:
        """The numbers that are drawn against the step."""
        return {"radius": self.radius[..., 0], "ratio": self.ratio[..., 0]}


@dataclass(frozen=True, eq=False, kw_only=True)
class TrustRegion(Optimizer):
    """A dogleg: towards the minimum of a quadratic model, as far as the model is trusted.

        c <- -(g'g / g'Hg) * g                      the Cauchy point
        n <- -H**-1 * g                             Newton's step
        p <- the end, or where it leaves the radius, of the path 0, c, n
        ratio <- (f(x) - f(x + p)) / (m(0) - m(p))  m(p) = f(x) + g'p + p'Hp / 2
        radius <- radius / 4                        if ratio < 1/4
        radius <- min(2 * radius, max_radius)       if ratio > 3/4 and |p| = radius
        x <- x + p                                  if ratio > eta

    Paper: Powell, A new algorithm for unconstrained optimization, 1970; Nocedal and Wright,
    Numerical Optimization, 2006, algorithm 4.1 and section 4.1.

    The same as scipy.optimize.minimize(method="dogleg") where the Hessian is positive definite.
    Where it is not, scipy stops; here the step is the Cauchy point of their equation 4.11, and
    without positive curvature along g it ends at the radius. Ten rounding errors of f are added to
    both decreases, so that the ratio of two that are nearly 0 is 1 (Conn, Gould and Toint,
    Trust-Region Methods, 2000, section 17.4.2).
    """

    radius: Hyper = hyper(
        1.0,
        help="initial radius in which the model is trusted, at most max_radius",
        within="(0, inf)",
    )
    max_radius: Hyper = hyper(1000.0, help="largest radius", within="(0, inf)")
    eta: Hyper = hyper(0.15, help="ratio above which a step is accepted", within="[0, 0.25)")

    def __post_init__(self) -> None:
        super().__post_init__()
        if np.greater(self.radius, self.max_radius).any():
            least = np.minimum(self.radius, self.max_radius)
            object.__setattr__(self, "radius", least if np.ndim(least) else float(least))

    def init(self, x: Array) -> Trusted:
        none = np.zeros_like(x[..., :1])
        return Trusted(*unmodelled(x), x, x, x, none, none, none, self.radius + none)

    def step(self, objective: Objective, x: Array, state: Trusted) -> tuple[Array, Trusted]:
        value, g, hessian = derivatives(objective, x, "trust-region")
        radius = state.radius
        bend, newton = self._path(g, hessian, radius)
        p, at_radius = _along(bend, newton, radius), length(newton) >= radius
        predicted = -(g * p).sum(axis=-1, keepdims=True) - _curvature(p, hessian) / 2
        ratio = gain(value, objective.value(x + p), predicted)
        longer = np.where(
            at_radius & (ratio > 0.75), np.minimum(2 * radius, self.max_radius), radius
        )
        accepted = ratio > self.eta
        looked_at = x, value, g, hessian, x + bend, x + newton, x + p
        following = np.where(ratio < 0.25, radius / 4, longer)
        return np.where(accepted, x + p, x), Trusted(
            *looked_at, np.where(accepted, 1.0, 0.0), radius, ratio, following
        )

    def _path(self, g: Array, hessian: Array, radius: Array) -> tuple[Array, Array]:
        """Return the Cauchy point and the end of the path."""
        size, curvature = length(g), _curvature(g, hessian)
        downhill = -g / np.where(size == 0, 1.0, size)
        upward = curvature > 0
        reach = np.where(upward, size**3 / np.where(upward, curvature, 1.0), 2 * radius)
        bend = reach * downhill
        definite = np.linalg.eigvalsh(hessian).min(axis=-1, keepdims=True) > 0
        return bend, np.where(definite, -solved(hessian, g), bend)

    def sketch(self, state: Trusted) -> Sketch:
        rejected = np.where(state.accepted, np.nan, state.tried)
        return (
            QuadraticModel(state.point, state.value, state.gradient, state.hessian),
            Ellipse(state.point, times_identity(state.region**2 * np.ones_like(state.point))),
            Segment(np.stack([state.point, state.bend, state.newton])),
            Points(rejected[None]),
        )


def _curvature(p: Array, hessian: Array) -> Array:
    """Return p'Hp, shape (..., 1)."""
    curvature: Array = (p * (hessian * p[..., None, :]).sum(axis=-1)).sum(axis=-1, keepdims=True)
    return curvature


def _along(bend: Array, newton: Array, radius: Array) -> Array:
    """Return the end of a path from 0 by way of `bend`, or where it leaves a ball."""
    reach, leg = length(bend), newton - bend
    square, half = (leg * leg).sum(axis=-1, keepdims=True), (bend * leg).sum(axis=-1, keepdims=True)
    root = np.sqrt(np.maximum(half**2 + square * (radius**2 - reach**2), 0.0))
    share = (root - half) / np.where(square == 0, 1.0, square)
    first = bend * (radius / np.where(reach == 0, 1.0, reach))
    left = np.where(reach >= radius, first, bend + share * leg)
    return np.where(length(newton) < radius, newton, left)
