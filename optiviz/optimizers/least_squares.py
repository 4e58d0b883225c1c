"""Methods for sums of squares, which model the residuals instead of the objective."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from optiviz.objective import Array, Objective, SumOfSquares
from optiviz.optimizers.base import (
    Hyper,
    Optimizer,
    OptimizerError,
    alternating_limit,
    hyper,
    positive,
)
from optiviz.optimizers.newton import (
    LocalModel,
    gain,
    inverse_matrix,
    solved,
    times_identity,
    unmodelled,
)
from optiviz.shapes import Ellipse, Points, QuadraticModel, Sketch


def linearized(objective: SumOfSquares, x: Array) -> tuple[Array, Array, Array]:
    """Return r'r / 2, its gradient J'r, and J'J, of the residuals r and their Jacobian J."""
    r, jacobian = objective.residuals(x), objective.jacobian(x)
    turned = np.swapaxes(jacobian, -1, -2)
    slope: Array = (turned @ r[..., None])[..., 0]
    return (r * r).sum(axis=-1) / 2, slope, turned @ jacobian


def stop_if(impossible: Any, x: Array, said: str) -> None:
    """Raise OptimizerError, which ends a single run, if there is no step from x."""
    if x.ndim == 1 and impossible:
        raise OptimizerError(f"stopped: {said} at {', '.join(f'{each:.4g}' for each in x)}")


@dataclass(frozen=True, eq=False, kw_only=True)
class GaussNewton(Optimizer):
    """Newton's method for sums of squares, with the Hessian of linear residuals.

        r, J <- the residuals and their Jacobian at x           f = r'r / 2
        x <- x - lr * (J'J)**-1 * J'r

    Paper: Gauss, Theoria motus, 1809; Nocedal and Wright, Numerical Optimization, 2006, section
    10.3.

    Far from a minimum, a full step may climb. Where J'J is singular, the path stops.
    """

    needs = ("residuals",)
    uses_gradient = False
    follows_gradient = True

    lr: Hyper = hyper(1.0, help="fraction of the full step", within="(0, inf)")

    def init(self, x: Array) -> LocalModel:
        return LocalModel(*unmodelled(x))

    def step(self, objective: Objective, x: Array, state: LocalModel) -> tuple[Array, LocalModel]:
        model = LocalModel(x, *linearized(objective, x))  # type: ignore[arg-type]
        stop_if(np.linalg.det(model.hessian) == 0, x, "J'J is singular")
        return x - self.lr * solved(model.hessian, model.gradient), model

    def sketch(self, state: LocalModel) -> Sketch:
        return (QuadraticModel(*state),)

    def preconditioner(self, state: LocalModel) -> Array | None:
        return inverse_matrix(state.hessian)

    def stability_limit(self, step: int) -> float | None:
        return alternating_limit(self.lr, 1.0)


class Damped(NamedTuple):
    """State of Levenberg and Marquardt's method."""

    point: Array  # (..., dim), that the last step left
    value: Array  # (...)
    gradient: Array  # (..., dim)
    hessian: Array  # (..., dim, dim), J'J
    tried: Array  # (..., dim)
    accepted: Array  # (..., 1), 1 if the step went there
    gain: Array  # (..., 1), actual over predicted decrease
    damping: Array  # (..., 1), mu for the next step, before the first one 0
    growth: Array  # (..., 1), nu, by which it grows if the next step is rejected

    @property
    def recorded(self) -> dict[str, Any]:
        """The numbers that are drawn against the step."""
        return {"damping": self.damping[..., 0], "gain": self.gain[..., 0]}


@dataclass(frozen=True, eq=False, kw_only=True)
class LevenbergMarquardt(Optimizer):
    """Gauss and Newton's step, damped towards a short one along the gradient until f falls.

        r, J <- the residuals and their Jacobian at x           f = r'r / 2
        h <- -(J'J + mu * I)**-1 * J'r              mu starts at tau * max diag(J'J)
        gain <- (f(x) - f(x + h)) / (h'(mu * h - J'r) / 2)
        x <- x + h                                  if gain > 0
        mu <- mu * max(1/3, 1 - (2 * gain - 1)**3), nu <- 2     if gain > 0
        mu <- nu * mu, nu <- 2 * nu                 otherwise

    Paper: Levenberg, 1944; Marquardt, 1963; Madsen, Nielsen and Tingleff, Methods for Non-Linear
    Least Squares Problems, 2004, algorithm 3.16.

    Ten rounding errors of f are added to both decreases, as in trust-region.
    """

    needs = ("residuals",)
    uses_gradient = False
    follows_gradient = True

    tau: Hyper = hyper(1e-3, help="initial damping, as a share of J'J", within="(0, inf)")

    def init(self, x: Array) -> Damped:
        none = np.zeros_like(x[..., :1])
        return Damped(*unmodelled(x), x, none, none, none, none + 2)

    def step(self, objective: Objective, x: Array, state: Damped) -> tuple[Array, Damped]:
        value, g, hessian = linearized(objective, x)  # type: ignore[arg-type]
        largest = np.diagonal(hessian, axis1=-2, axis2=-1).max(axis=-1, keepdims=True)
        mu = np.where(state.damping == 0, self.tau * largest, state.damping)
        h = -solved(hessian + times_identity(mu * np.ones_like(x)), g)
        predicted = (h * (mu * h - g)).sum(axis=-1, keepdims=True) / 2
        ratio = gain(value, objective.value(x + h), predicted)
        falls, nu = ratio > 0, state.growth
        damping = mu * np.where(falls, shrinkage(ratio), nu)
        growth = np.where(falls, 2.0, 2 * nu)
        looked_at = LocalModel(x, value, g, hessian)
        after = Damped(*looked_at, x + h, np.where(falls, 1.0, 0.0), ratio, damping, growth)
        return np.where(falls, x + h, x), after

    def sketch(self, state: Damped) -> Sketch:
        rejected = np.where(state.accepted, np.nan, state.tried)
        model = QuadraticModel(state.point, state.value, state.gradient, state.hessian)
        return (model, Points(rejected[None]))

    def preconditioner(self, state: Damped) -> Array | None:
        if not state.accepted:
            return None
        mu = state.damping / shrinkage(state.gain)
        return inverse_matrix(state.hessian + times_identity(mu * np.ones_like(state.point)))


def shrinkage(gain: Array) -> Array:
    """Return what multiplies the damping after a step that was accepted."""
    return np.maximum(1 / 3, 1 - (2 * gain - 1) ** 3)


class Measured(NamedTuple):
    """State of natural gradient descent."""

    point: Array  # (..., dim), that the last step left
    ball: Array  # (..., dim, dim), of the ellipse of points as far from there as the step led
    inverse: Array  # (..., dim, dim), of the metric there


@dataclass(frozen=True, eq=False, kw_only=True)
class NaturalGradient(Optimizer):
    """Gradient descent where lengths are measured by a metric that differs from point to point.

        G <- the metric at x
        x <- x - lr * G**-1 * g

    Paper: Amari, Natural Gradient Works Efficiently in Learning, 1998, theorem 1.

    The sketch is the ellipse of points that are, by the metric, as far as the step leads: none of
    them is lower to first order. Where the metric is not positive definite, the path stops.
    """

    needs = ("metric",)
    follows_gradient = True

    lr: Hyper = hyper(help="learning rate", within="(0, inf)")

    def init(self, x: Array) -> Measured:
        none = times_identity(np.zeros_like(x))
        return Measured(x, none, none)

    def step(self, objective: Objective, x: Array, state: Measured) -> tuple[Array, Measured]:
        metric = objective.metric(x)  # type: ignore[attr-defined]
        definite = np.isfinite(metric).all() and np.linalg.eigvalsh(metric).min() > 0
        stop_if(not definite, x, "the metric is not positive definite")
        columns = [solved(metric, column + np.zeros_like(x)) for column in np.eye(x.shape[-1])]
        inverse = np.stack(columns, axis=-1)
        g = objective.gradient(x)
        move = self.lr * solved(metric, g)
        square = (self.lr * move * g).sum(axis=-1)[..., None, None]  # of the length of the step
        return x - move, Measured(x, square * inverse, inverse)

    def sketch(self, state: Measured) -> Sketch:
        return (Ellipse(state.point, state.ball),)

    def preconditioner(self, state: Measured) -> Array | None:
        return positive((state.inverse + state.inverse.T) / 2)

    def stability_limit(self, step: int) -> float | None:
        return alternating_limit(self.lr, 1.0)
