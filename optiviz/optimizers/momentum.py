"""Gradient descent, plain or averaged, and methods that accumulate velocity."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from optiviz.objective import Array, Objective
from optiviz.optimizers.base import (
    IDENTITY,
    Hyper,
    Optimizer,
    alternating_limit,
    hyper,
    weight_decay_field,
)
from optiviz.shapes import Points, Segment, Sketch


class NoState(NamedTuple):
    """State of an optimizer that has none."""


class Velocity(NamedTuple):
    """State of a method with momentum."""

    velocity: Array  # (..., dim)
    step: int  # steps taken


def less(limit: float | None, weight_decay: Hyper) -> float | None:
    """Return the limit of a loss's curvature, to which an L2 penalty adds its own; None if none.

    For steps whose preconditioner is the identity.
    """
    return None if limit is None or limit <= weight_decay else float(limit - weight_decay)


def kept(momentum: Hyper) -> Hyper:
    """Return what v <- momentum * v + g is of gradients whose sign alternates.

    nan with a momentum of 1 or more, with which no rate is stable.
    """
    return 1 / (1 + momentum) if momentum < 1 else np.nan


def at_rest(x: Array) -> Velocity:
    """Return the state before the first step: no velocity."""
    return Velocity(np.zeros_like(x), 0)


@dataclass(frozen=True, eq=False, kw_only=True)
class SGD(Optimizer):
    """Gradient descent: a step against the gradient.

        x <- x - lr * g

    Paper: Robbins and Monro, A Stochastic Approximation Method, 1951; Cauchy, 1847.

    The same as torch.optim.SGD without momentum. Under gradient noise of standard deviation s, it
    ends in a ball about a minimum, whose variance along an eigenvector of the Hessian with the
    eigenvalue h is lr * s**2 / (h * (2 - lr * h)) (Mandt, Hoffman and Blei, Stochastic Gradient
    Descent as Approximate Bayesian Inference, 2017, whose lr * s**2 / (2 * h) is the limit of small
    lr).
    """

    lr: Hyper = hyper(help="learning rate", within="(0, inf)")
    weight_decay: Hyper = weight_decay_field()

    def init(self, x: Array) -> NoState:
        return NoState()

    def step(self, objective: Objective, x: Array, state: NoState) -> tuple[Array, NoState]:
        g = objective.gradient(x) + self.weight_decay * x
        return x - self.lr * g, state

    def preconditioner(self, state: NoState) -> Array:
        return IDENTITY

    @property
    def follows_gradient(self) -> bool:  # type: ignore[override]
        return not np.any(self.weight_decay)

    def stability_limit(self, step: int) -> float | None:
        return less(alternating_limit(self.lr, 1.0), self.weight_decay)

    def stationary_covariance(self, hessian: Array, noise: float) -> Array | None:
        if np.any(self.weight_decay):
            return None
        return heavy_ball_covariance(hessian, noise, self.lr, 0.0)


class Average(NamedTuple):
    """State of averaged gradient descent."""

    average: Array  # (..., dim), mean of the points since step t0; before it, the last point
    step: int  # steps taken


@dataclass(frozen=True, eq=False, kw_only=True)
class ASGD(Optimizer):
    """Gradient descent with a decaying learning rate, and the average of its points.

        x <- x - r * (lambd * x + g)                (r starts at lr)
        r <- lr / (1 + lambd * lr * t)**alpha                           t = 1, 2, ...
        a <- a + (x - a) / max(1, t - 1 - t0)

    Paper: Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging, 1992; Xu,
    Towards Optimal One Pass Large Scale Learning with Averaged Stochastic Gradient Descent, 2011.

    The same as torch.optim.ASGD. The path is that of x; the average is recorded as a state.
    """

    lr: Hyper = hyper(help="initial learning rate", within="(0, inf)")
    lambd: Hyper = hyper(1e-4, help="decay of x and of the learning rate")
    alpha: Hyper = hyper(0.75, help="exponent of the decay of the learning rate")
    t0: Hyper = hyper(1e6, help="step at which averaging starts")
    weight_decay: Hyper = weight_decay_field()

    def init(self, x: Array) -> Average:
        return Average(np.copy(x), 0)

    def step(self, objective: Objective, x: Array, state: Average) -> tuple[Array, Average]:
        g = objective.gradient(x) + self.weight_decay * x
        rate = self._rate(state.step)
        x = x * (1 - self.lambd * rate) - rate * g
        share = 1 / np.maximum(1.0, state.step - self.t0)
        average = np.where(share == 1, x, state.average + (x - state.average) * share)
        return x, Average(average, state.step + 1)

    def _rate(self, step: int) -> Hyper:
        return self.lr / (1 + self.lambd * self.lr * step) ** self.alpha

    def decayed(self, x: Array, state: Average) -> Array:
        return x * (1 - self.lambd * self._rate(state.step - 1))

    def preconditioner(self, state: Average) -> Array:
        return IDENTITY

    def stability_limit(self, step: int) -> float | None:
        limit = alternating_limit(self._rate(step), 1.0, self.lambd)
        return less(limit, self.weight_decay)


@dataclass(frozen=True, eq=False, kw_only=True)
class Momentum(Optimizer):
    """Gradient descent with momentum: a heavy ball that keeps part of its velocity.

        v <- momentum * v + (1 - dampening) * g     (v <- g on the first step)
        x <- x - lr * v

    Paper: Polyak, Some methods of speeding up the convergence of iteration methods, 1964.

    The same as torch.optim.SGD with momentum, whose first step is not dampened. At a constant
    learning rate, also the same as Lasagne's and article 4's, which store -lr * v instead of v.
    Under gradient noise of standard deviation s, its variance about a minimum along an eigenvector
    of the Hessian with the eigenvalue h is that of an autoregression of order 2, with m = momentum:
    (1 + m) / (1 - m) * lr * s**2 / (h * (2 * (1 + m) - lr * h)).
    """

    lr: Hyper = hyper(help="learning rate", within="(0, inf)")
    momentum: Hyper = hyper(0.9, help="fraction of the velocity that is kept")
    dampening: Hyper = hyper(0.0, help="fraction of the gradient that is left out", within="[0, 1]")
    weight_decay: Hyper = weight_decay_field()

    def init(self, x: Array) -> Velocity:
        return at_rest(x)

    def step(self, objective: Objective, x: Array, state: Velocity) -> tuple[Array, Velocity]:
        g = objective.gradient(x) + self.weight_decay * x
        v = self.momentum * state.velocity + (1 - self.dampening) * g if state.step else g
        return x - self.lr * v, Velocity(v, state.step + 1)

    def stationary_covariance(self, hessian: Array, noise: float) -> Array | None:
        if np.any(self.weight_decay):
            return None
        rate = self.lr * (1 - self.dampening)
        return heavy_ball_covariance(hessian, noise, rate, self.momentum)

    def preconditioner(self, state: Velocity) -> Array:
        return IDENTITY

    def stability_limit(self, step: int) -> float | None:
        response = (1 - self.dampening) * kept(self.momentum)
        return less(alternating_limit(self.lr, response), self.weight_decay)


def heavy_ball_covariance(hessian: Array, noise: float, lr: Hyper, momentum: Hyper) -> Array | None:
    """Return the covariance of a heavy ball about a minimum; None where it does not stay.

    Along an eigenvector, x_t = (1 + m - lr h) x_(t-1) - m x_(t-2) - lr * noise, whose variance Box
    and Jenkins give in Time Series Analysis, 1970, section 3.2.4.
    """
    bends, directions = np.linalg.eigh(hessian)
    push = lr * bends
    if not (np.all(momentum < 1) and (push > 0).all() and (push < 2 * (1 + momentum)).all()):
        return None
    spread = (1 + momentum) / (1 - momentum) * lr * noise**2 / bends / (2 * (1 + momentum) - push)
    covariance: Array = (directions * spread) @ directions.T
    return covariance


@dataclass(frozen=True, eq=False, kw_only=True)
class Nesterov(Optimizer):
    """Nesterov's accelerated gradient, in the form that evaluates the gradient at x itself.

        v <- momentum * v + g
        x <- x - lr * (g + momentum * v)

    Paper: Nesterov, A method of solving a convex programming problem with convergence rate
    O(1/k^2), 1983; in this form Sutskever et al., On the importance of initialization and
    momentum in deep learning, 2013, equations 3 and 4, after a change of variables.

    The same as torch.optim.SGD(nesterov=True) and, at a constant learning rate, Lasagne's and
    optax's. smoothed-nesterov with points=1 evaluates at the look-ahead point itself.
    """

    lr: Hyper = hyper(help="learning rate", within="(0, inf)")
    momentum: Hyper = hyper(0.9, help="fraction of the velocity that is kept")
    weight_decay: Hyper = weight_decay_field()

    def init(self, x: Array) -> Velocity:
        return at_rest(x)

    def step(self, objective: Objective, x: Array, state: Velocity) -> tuple[Array, Velocity]:
        g = objective.gradient(x) + self.weight_decay * x
        v = self.momentum * state.velocity + g
        return x - self.lr * (g + self.momentum * v), Velocity(v, state.step + 1)

    def preconditioner(self, state: Velocity) -> Array:
        return IDENTITY

    def stability_limit(self, step: int) -> float | None:
        response = 1 + self.momentum * kept(self.momentum)
        return less(alternating_limit(self.lr, response), self.weight_decay)


class LookAhead(NamedTuple):
    """State of a method that follows the gradient found on the way ahead."""

    velocity: Array  # (..., dim)
    step: int  # steps taken
    before: Array  # (..., dim), where the last step began
    ahead: Array  # (..., dim), that point minus the one at which it looked

    @property
    def recorded(self) -> dict[str, Any]:
        """The numbers that are drawn against the step."""
        return {"velocity": self.velocity, "step": self.step}


@dataclass(frozen=True, eq=False, kw_only=True)
class SmoothedNesterov(Optimizer):
    """Nesterov's look-ahead with the gradient averaged along the way to it.

        g <- mean of grad f(x - momentum * v * k / points) for k = 1 ... points
        v <- momentum * v + lr * g
        x <- x - v

    Paper: article 1's variation on Nesterov, 1983, SmoothedNM in its script; points=1 is
    Nesterov's own look-ahead.

    No library implements it. The velocity includes the learning rate, as in the article.
    """

    lr: Hyper = hyper(help="learning rate", within="(0, inf)")
    momentum: Hyper = hyper(0.9, help="fraction of the velocity that is kept")
    points: int = hyper(
        4, help="number of points on the way to the look-ahead point", within="[1, 1000]"
    )

    def init(self, x: Array) -> LookAhead:
        return LookAhead(np.zeros_like(x), 0, np.copy(x), np.zeros_like(x))

    def step(self, objective: Objective, x: Array, state: LookAhead) -> tuple[Array, LookAhead]:
        ahead = self.momentum * state.velocity
        v = ahead + self.lr * objective.gradient(self._passed(x, ahead)).mean(axis=0)
        return x - v, LookAhead(v, state.step + 1, x, ahead)

    def _passed(self, x: Array, ahead: Array) -> Array:
        """Return the points at which gradients are taken, shape (points, ..., dim)."""
        shares = np.arange(1, self.points + 1) / self.points
        return x - np.multiply.outer(shares, ahead)

    def sketch(self, state: LookAhead) -> Sketch:
        passed = self._passed(state.before, state.ahead)
        way = np.stack([state.before, state.before - state.ahead, state.before - state.velocity])
        return Points(passed, "gradient-point"), Segment(way, "gradient-point")

    def preconditioner(self, state: LookAhead) -> Array:
        return IDENTITY

    def stability_limit(self, step: int) -> float | None:
        # The mean gradient of a quadratic is the one at this share of the way.
        share = (1 + 1 / self.points) / 2
        ahead = 1 + 2 * share * self.momentum
        return alternating_limit(self.lr, ahead * kept(self.momentum))
