"""Methods that need no learning rate: they estimate it from the gradients and the way so far."""

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
    length,
    mean_response,
    positive,
)
from optiviz.optimizers.step_sizes import squared


class Rated(NamedTuple):
    """State of AdGD."""

    point: Array  # (..., dim), that the last step left
    gradient: Array  # (..., dim), there
    rate: Array  # (..., 1), learning rate of the last step
    growth: Array  # (..., 1), over that of the step before; 0 if there was none
    step: int  # steps taken

    @property
    def recorded(self) -> dict[str, Any]:
        """The numbers that are drawn against the step."""
        return {"rate": self.rate[..., 0]}


@dataclass(frozen=True, eq=False, kw_only=True)
class AdGD(Optimizer):
    """Gradient descent whose learning rate follows the curvature, and grows slowly.

        s, y <- changes of x and g in the last step
        r <- min(sqrt(1 + growth) * r, |s| / (2 * |y|))     (r starts at first)
        growth <- r / its last value                (infinite at first)
        x <- x - r * g

    Paper: Malitsky and Mishchenko, Adaptive Gradient Descent without Descent, 2020, algorithm 1.

    `first` is so small that x hardly moves in the first step, from which the second learns the
    curvature. Where g has not changed, only the first of both bounds counts; where x has not moved
    either, or in the second step, r stays as it is.
    """

    remembers_points = True
    follows_gradient = True

    first: Hyper = hyper(1e-7, help="learning rate of the first step", within="(0, inf)")

    def init(self, x: Array) -> Rated:
        none = np.zeros_like(x[..., :1])
        return Rated(x, np.zeros_like(x), self.first + none, none, 0)

    def step(self, objective: Objective, x: Array, state: Rated) -> tuple[Array, Rated]:
        g = objective.gradient(x)
        moved, change = length(x - state.point), length(g - state.gradient)
        bent = change > 0
        grown = np.where(moved > 0, np.sqrt(1 + state.growth) * state.rate, state.rate)
        local = np.where(bent, moved / np.where(bent, 2 * change, 1.0), grown)
        bound = np.where(state.step > 1, np.minimum(grown, local), local)
        rate = np.where(state.step > 0, bound, state.rate)
        growth = np.where(state.step > 0, rate / state.rate, 0.0)
        return x - rate * g, Rated(x, g, rate, growth, state.step + 1)

    def preconditioner(self, state: Rated) -> Array:
        return IDENTITY


class Distanced(NamedTuple):
    """State of DoG."""

    start: Array  # (..., dim)
    distance: Array  # (..., 1), the largest one from there so far
    accumulator: Array  # (..., 1), sum of the squared lengths of gradients
    rate: Array  # (..., 1), learning rate of the last step

    @property
    def recorded(self) -> dict[str, Any]:
        """The numbers that are drawn against the step."""
        return {"distance": self.distance[..., 0], "rate": self.rate[..., 0]}


@dataclass(frozen=True, eq=False, kw_only=True)
class DoG(Optimizer):
    """Distance over gradients: the way so far, over the root of the sum of squared gradients.

        d <- max(d, |x - start|)                    (d starts at r_eps * (1 + |start|))
        G <- G + |g|**2
        x <- x - d / sqrt(G) * g                    (0 where G is 0)

    Paper: Ivgi, Hinder and Carmon, DoG is SGD's Best Friend: A Parameter-Free Dynamic Step Size
    Schedule, 2023, equation DoG, with their recommended first distance.

    The path is that of x; polyak-averaging+dog draws its average too, which their theorems are
    about, although with other weights.
    """

    remembers_points = True
    follows_gradient = True

    r_eps: Hyper = hyper(
        1e-6, help="first distance, as a fraction of 1 + |start|", within="(0, inf)"
    )

    def init(self, x: Array) -> Distanced:
        none = np.zeros_like(x[..., :1])
        return Distanced(np.copy(x), self.r_eps * (1 + length(x)), none, none)

    def step(self, objective: Objective, x: Array, state: Distanced) -> tuple[Array, Distanced]:
        g = objective.gradient(x)
        distance = np.maximum(state.distance, length(x - state.start))
        accumulator = state.accumulator + squared(g)
        sloped = accumulator > 0
        rate = np.where(sloped, distance / np.sqrt(np.where(sloped, accumulator, 1.0)), 0.0)
        return x - rate * g, Distanced(state.start, distance, accumulator, rate)

    def preconditioner(self, state: Distanced) -> Array:
        rate: Array = state.rate[0]
        return rate

    def stability_limit(self, step: int) -> float:
        return 2.0


class Estimated(NamedTuple):
    """State of Prodigy."""

    mean: Array  # (..., dim), running mean of gradients times d
    square: Array  # (..., dim), running mean of their squares
    start: Array  # (..., dim)
    weighted: Array  # (..., dim), running sum of weighted gradients
    gained: Array  # (..., 1), running sum of how far they point back to the start
    distance: Array  # (..., 1), the estimate d
    rate: Array  # (..., 1), learning rate of the last step, with the estimate before
    step: int  # steps taken

    @property
    def recorded(self) -> dict[str, Any]:
        """The numbers that are drawn against the step."""
        rates = {"distance": self.distance[..., 0], "rate": self.rate[..., 0]}
        return {"mean": self.mean, "square": self.square, **rates}


@dataclass(frozen=True, eq=False, kw_only=True)
class Prodigy(Optimizer):
    """Adam whose learning rate is an estimate of the distance from the start to the minimum.

        a <- lr * d * sqrt(1 - beta2**t) / (1 - beta1**t)   (d starts at d0)    t = 1, 2, ...
        r <- sqrt(beta2) * r + d * a / d0 * g'(start - x)
        w <- sqrt(beta2) * w + d * a / d0 * g
        m <- beta1 * m + (1 - beta1) * d * g
        s <- beta2 * s + (1 - beta2) * (d * g)**2
        d <- max(d, d_coef * r / sum(abs(w)))
        x <- x - a * (m / (sqrt(s) + d * eps) + weight_decay * x)

    Paper: Mishchenko and Defazio, Prodigy: An Expeditiously Adaptive Parameter-Free Learner, 2023,
    algorithm 4, in the form of the authors' code.

    The same as pytorch_optimizer.Prodigy; there, bias_correction is off by default, so that
    the first hundreds of steps are longer. d never falls. It is a lower bound of the distance where
    f is convex, and may be too large where f is not.
    """

    remembers_points = True
    lr: Hyper = hyper(1.0, help="factor of the estimated learning rate", within="(0, inf)")
    beta1: Hyper = hyper(0.9, help="decay rate of the mean gradient", within="[0, 1)")
    beta2: Hyper = hyper(0.999, help="decay rate of the mean squared gradient", within="[0, 1)")
    eps: Hyper = hyper(1e-8, help="avoids division by zero")
    d0: Hyper = hyper(1e-6, help="first estimate of the distance", within="(0, inf)")
    d_coef: Hyper = hyper(1.0, help="factor of all later estimates", within="(0, inf)")
    bias_correction: bool = hyper(True, help="correct the bias of both moments, as adam does")
    weight_decay: Hyper = hyper(0.0, help="decoupled: each step subtracts a * weight_decay * x")

    def init(self, x: Array) -> Estimated:
        zero, none = np.zeros_like(x), np.zeros_like(x[..., :1])
        d = self.d0 + none
        return Estimated(zero, zero, np.copy(x), zero, none, d, none, 0)

    def step(self, objective: Objective, x: Array, state: Estimated) -> tuple[Array, Estimated]:
        g = objective.gradient(x)
        t, d = state.step + 1, state.distance
        rate = self.lr * d * self._correction(t)
        kept, weight = np.sqrt(self.beta2), d / self.d0 * rate
        back = (g * (state.start - x)).sum(axis=-1, keepdims=True)
        gained = kept * state.gained + weight * back
        weighted = kept * state.weighted + weight * g
        mean = self.beta1 * state.mean + (1 - self.beta1) * d * g
        square = self.beta2 * state.square + (1 - self.beta2) * d * d * g * g
        total = np.abs(weighted).sum(axis=-1, keepdims=True)
        known = total > 0
        estimate = np.where(known, self.d_coef * gained / np.where(known, total, 1.0), 0.0)
        distance = np.maximum(d, estimate)
        x = x * (1 - self.weight_decay * rate)
        moved = x - rate * mean / (np.sqrt(square) + distance * self.eps)
        return moved, Estimated(mean, square, state.start, weighted, gained, distance, rate, t)

    def _correction(self, t: int) -> Hyper:
        """Return the factor of the learning rate of step t, from 1, that corrects the bias."""
        if not self.bias_correction:
            return 1.0
        factor: Hyper = np.sqrt(1 - self.beta2**t) / (1 - self.beta1**t)
        return factor

    def decayed(self, x: Array, state: Estimated) -> Array:
        return x * (1 - self.weight_decay * state.rate)

    def preconditioner(self, state: Estimated) -> Array | None:
        used = state.rate / self.lr / self._correction(state.step)  # the estimate in the step
        down = np.sqrt(state.square) + state.distance * self.eps
        with np.errstate(all="ignore"):
            return positive(state.rate / self.lr * used / down)

    def stability_limit(self, step: int) -> float | None:
        return None if self.weight_decay else alternating_limit(self.lr, mean_response(self.beta1))
