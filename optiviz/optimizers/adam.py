"""Adam and its variants: momentum, and an adaptive step size for each coordinate."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from optiviz.objective import Array, Objective
from optiviz.optimizers.adaptive import eps_in_sqrt_field, inverse, root
from optiviz.optimizers.base import (
    IDENTITY,
    Hyper,
    Optimizer,
    alternating_limit,
    hyper,
    mean_response,
    positive,
    weight_decay_field,
)


class Moments(NamedTuple):
    """State of Adam and most of its variants."""

    mean: Array  # (..., dim), running mean of gradients
    square: Array  # (..., dim), running mean of squared gradients (adamax: running maximum)
    step: int  # steps taken


class MaxMoments(NamedTuple):
    """State of AMSGrad: the moments, and the largest mean square so far."""

    mean: Array  # (..., dim)
    square: Array  # (..., dim)
    largest: Array  # (..., dim), elementwise maximum of `square` over all steps
    step: int


class ScheduledMoments(NamedTuple):
    """State of NAdam: the moments, and the product of its momentum schedule."""

    mean: Array  # (..., dim)
    square: Array  # (..., dim)
    product: Hyper  # mu_1 * ... * mu_t
    step: int


@dataclass(frozen=True, eq=False, kw_only=True)
class MomentMethod(Optimizer):
    """The hyperparameters and moments that Adam, AMSGrad, NAdam and RAdam share."""

    lr: Hyper = hyper(help="learning rate", within="(0, inf)")
    beta1: Hyper = hyper(0.9, help="decay rate of the mean gradient", within="[0, 1)")
    beta2: Hyper = hyper(0.999, help="decay rate of the mean squared gradient", within="[0, 1)")
    eps: Hyper = hyper(1e-8, help="avoids division by zero")
    eps_in_sqrt: bool = eps_in_sqrt_field()
    weight_decay: Hyper = weight_decay_field()
    decoupled_weight_decay: bool = hyper(
        False, help="apply weight decay to x itself instead of the gradient, as adamw does"
    )

    def advance(
        self, objective: Objective, x: Array, mean: Array, square: Array
    ) -> tuple[Array, Array, Array, Array]:
        """Return (x, g, mean, square) after weight decay and the update of both moments."""
        g = objective.gradient(x)
        if self.decoupled_weight_decay:
            x = x * (1 - self.lr * self.weight_decay)
        else:
            g = g + self.weight_decay * x
        mean = self.beta1 * mean + (1 - self.beta1) * g
        square = self.beta2 * square + (1 - self.beta2) * g * g
        return x, g, mean, square

    def decayed(self, x: Array, state: Any) -> Array:
        decay = self.weight_decay if self.decoupled_weight_decay else 0.0
        return x * (1 - self.lr * decay)

    def stability_limit(self, step: int) -> float | None:
        return self._limit(mean_response(self.beta1))

    def _limit(self, response: Hyper) -> float | None:
        """Return the limit of a mean of gradients that responds to alternating ones."""
        if self.weight_decay and not self.decoupled_weight_decay:
            return None
        return alternating_limit(self.lr, response, self.weight_decay)


@dataclass(frozen=True, eq=False, kw_only=True)
class Adam(MomentMethod):
    """Adaptive moments: the mean gradient over its root mean square, both bias-corrected.

        m <- beta1 * m + (1 - beta1) * g
        s <- beta2 * s + (1 - beta2) * g**2
        x <- x - lr * m / (1 - beta1**t) / (sqrt(s / (1 - beta2**t)) + eps)     t = 1, 2, ...

    Paper: Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015, algorithm 1.

    The same as torch.optim.Adam. Lasagne and article 4 fold the two corrections into lr, so
    that their eps is effectively smaller; article 1's script adds eps inside the root.
    """

    def init(self, x: Array) -> Moments:
        return Moments(np.zeros_like(x), np.zeros_like(x), 0)

    def step(self, objective: Objective, x: Array, state: Moments) -> tuple[Array, Moments]:
        x, _, mean, square = self.advance(objective, x, state.mean, state.square)
        t = state.step + 1
        down = root(square / (1 - self.beta2**t), self.eps, self.eps_in_sqrt)
        return x - self.lr / (1 - self.beta1**t) * (mean / down), Moments(mean, square, t)

    def preconditioner(self, state: Moments) -> Array | None:
        t = np.maximum(state.step, 1)
        down = root(state.square / (1 - self.beta2**t), self.eps, self.eps_in_sqrt)
        return inverse((1 - self.beta1**t) * down)


@dataclass(frozen=True, eq=False, kw_only=True)
class AdamW(Adam):
    """Adam with decoupled weight decay: x shrinks directly, not through the moments.

        x <- x - lr * weight_decay * x
        then Adam's step with the gradient from before the decay

    Paper: Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019, algorithm 2.

    The same as torch.optim.AdamW: the decay is multiplied by lr.
    """

    weight_decay: Hyper = hyper(0.01, help="decoupled: each step subtracts lr * weight_decay * x")
    decoupled_weight_decay: bool = hyper(
        True, help="if false, weight decay is an L2 penalty, as in adam"
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class AMSGrad(MomentMethod):
    """Adam whose mean square never decreases, so that its step size never grows.

        m and s as in Adam
        r <- max(r, s)
        x <- x - lr * m / (1 - beta1**t) / (sqrt(r / (1 - beta2**t)) + eps)     t = 1, 2, ...

    Paper: Reddi, Kale and Kumar, On the Convergence of Adam and Beyond, 2018, algorithm 2.

    The same as torch.optim.Adam(amsgrad=True) and Lasagne's: the maximum is taken before the
    bias correction. optax corrects first.
    """

    def init(self, x: Array) -> MaxMoments:
        return MaxMoments(np.zeros_like(x), np.zeros_like(x), np.zeros_like(x), 0)

    def step(self, objective: Objective, x: Array, state: MaxMoments) -> tuple[Array, MaxMoments]:
        x, _, mean, square = self.advance(objective, x, state.mean, state.square)
        t = state.step + 1
        largest = np.maximum(state.largest, square)
        down = root(largest / (1 - self.beta2**t), self.eps, self.eps_in_sqrt)
        moved = x - self.lr / (1 - self.beta1**t) * (mean / down)
        return moved, MaxMoments(mean, square, largest, t)

    def preconditioner(self, state: MaxMoments) -> Array | None:
        t = np.maximum(state.step, 1)
        down = root(state.largest / (1 - self.beta2**t), self.eps, self.eps_in_sqrt)
        return inverse((1 - self.beta1**t) * down)


@dataclass(frozen=True, eq=False, kw_only=True)
class NAdam(MomentMethod):
    """Adam with Nesterov's look-ahead and a momentum that warms up.

        mu_t = beta1 * (1 - 0.96**(t * momentum_decay) / 2)                     t = 1, 2, ...
        x <- x - lr * ((1 - mu_t) / (1 - mu_1...mu_t) * g
                       + mu_(t+1) / (1 - mu_1...mu_(t+1)) * m)
                    / (sqrt(s / (1 - beta2**t)) + eps)

    Paper: Dozat, Incorporating Nesterov Momentum into Adam, 2016.

    The same as torch.optim.NAdam. optax's nadam has no momentum schedule.
    """

    momentum_decay: Hyper = hyper(0.004, help="how quickly the momentum warms up")

    def init(self, x: Array) -> ScheduledMoments:
        return ScheduledMoments(np.zeros_like(x), np.zeros_like(x), 1.0, 0)

    def step(
        self, objective: Objective, x: Array, state: ScheduledMoments
    ) -> tuple[Array, ScheduledMoments]:
        x, g, mean, square = self.advance(objective, x, state.mean, state.square)
        t = state.step + 1
        mu, following = self._momentum(t), self._momentum(t + 1)
        product = state.product * mu
        down = root(square / (1 - self.beta2**t), self.eps, self.eps_in_sqrt)
        ahead = (1 - mu) / (1 - product) * g + following / (1 - product * following) * mean
        return x - self.lr * (ahead / down), ScheduledMoments(mean, square, product, t)

    def _momentum(self, t: int) -> Hyper:
        return self.beta1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay))

    def preconditioner(self, state: ScheduledMoments) -> Array | None:
        t = np.maximum(state.step, 1)
        return inverse(root(state.square / (1 - self.beta2**t), self.eps, self.eps_in_sqrt))

    def stability_limit(self, step: int) -> float | None:
        # Of the momentum of this step, without the bias corrections of the first steps.
        mu, following = self._momentum(step + 1), self._momentum(step + 2)
        return self._limit(1 - mu + following * mean_response(self.beta1))


@dataclass(frozen=True, eq=False, kw_only=True)
class RAdam(MomentMethod):
    """Adam that adapts its step size only once the mean square is reliable.

        rho = 2 / (1 - beta2) - 1
        rho_t = rho - 2 * t * beta2**t / (1 - beta2**t)                         t = 1, 2, ...
        r = sqrt((rho_t - 4) * (rho_t - 2) * rho / ((rho - 4) * (rho - 2) * rho_t))
        x <- x - lr * r * m / (1 - beta1**t) * sqrt(1 - beta2**t) / (sqrt(s) + eps)    if rho_t > 5
        x <- x - lr * m / (1 - beta1**t)                                               otherwise

    Paper: Liu et al., On the Variance of the Adaptive Learning Rate and Beyond, 2020,
    algorithm 2.

    The same as torch.optim.RAdam: the early steps are not normalised, and eps is added before
    the bias correction.
    """

    def init(self, x: Array) -> Moments:
        return Moments(np.zeros_like(x), np.zeros_like(x), 0)

    def step(self, objective: Objective, x: Array, state: Moments) -> tuple[Array, Moments]:
        x, _, mean, square = self.advance(objective, x, state.mean, state.square)
        t = state.step + 1
        trusted, rectified = self._rectified(t)
        adaptive = rectified / root(square, self.eps, self.eps_in_sqrt)
        rate = self.lr * np.where(trusted, adaptive, 1.0)
        return x - rate * (mean / (1 - self.beta1**t)), Moments(mean, square, t)

    def _rectified(self, t: int) -> tuple[Array, Array]:
        """Return whether the mean square of step t is reliable, and what multiplies the step."""
        left = 1 - self.beta2**t
        limit = 2 / (1 - self.beta2) - 1
        length = limit - 2 * t * self.beta2**t / left
        trusted = np.greater(length, 5)
        share = (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
        return trusted, np.sqrt(np.where(trusted, share, 1.0)) * np.sqrt(left)

    def preconditioner(self, state: Moments) -> Array | None:
        t = np.maximum(state.step, 1)
        trusted, rectified = self._rectified(t)
        if not trusted:
            return positive(IDENTITY / (1 - self.beta1**t))
        down = root(state.square, self.eps, self.eps_in_sqrt)
        return inverse((1 - self.beta1**t) / rectified * down)


@dataclass(frozen=True, eq=False, kw_only=True)
class Adamax(Optimizer):
    """Adam with the largest recent gradient instead of the root mean square.

        m <- beta1 * m + (1 - beta1) * g
        u <- max(beta2 * u, abs(g) + eps)
        x <- x - lr / (1 - beta1**t) * m / u                                    t = 1, 2, ...

    Paper: Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015, algorithm 2.

    The same as torch.optim.Adamax, which adds eps inside the maximum.
    """

    lr: Hyper = hyper(help="learning rate", within="(0, inf)")
    beta1: Hyper = hyper(0.9, help="decay rate of the mean gradient", within="[0, 1)")
    beta2: Hyper = hyper(0.999, help="decay rate of the largest gradient", within="[0, 1)")
    eps: Hyper = hyper(1e-8, help="avoids division by zero")
    weight_decay: Hyper = weight_decay_field()

    def init(self, x: Array) -> Moments:
        return Moments(np.zeros_like(x), np.zeros_like(x), 0)

    def step(self, objective: Objective, x: Array, state: Moments) -> tuple[Array, Moments]:
        g = objective.gradient(x) + self.weight_decay * x
        t = state.step + 1
        mean = self.beta1 * state.mean + (1 - self.beta1) * g
        largest = np.maximum(self.beta2 * state.square, np.abs(g) + self.eps)
        return x - self.lr / (1 - self.beta1**t) * (mean / largest), Moments(mean, largest, t)

    def preconditioner(self, state: Moments) -> Array | None:
        return inverse((1 - self.beta1 ** np.maximum(state.step, 1)) * state.square)

    def stability_limit(self, step: int) -> float | None:
        return None if self.weight_decay else alternating_limit(self.lr, mean_response(self.beta1))
