"""Successors of Adam, as in optax or by their authors: they form or use its moments otherwise.

Weight decay is decoupled in all of them: each step subtracts lr * weight_decay * x.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from optiviz.objective import Array, Objective
from optiviz.optimizers.adam import Moments
from optiviz.optimizers.adaptive import inverse
from optiviz.optimizers.base import (
    Hyper,
    Optimizer,
    alternating_limit,
    hyper,
    length,
    mean_response,
    offers,
    positive,
    random_numbers,
    seed_field,
)


def eps_root_field(default: float = 0.0) -> Hyper:
    """Declare what is added inside the square root, besides eps outside it."""
    field: Hyper = hyper(default, help="added inside the square root")
    return field


def decoupled_field() -> Hyper:
    """Declare decoupled weight decay."""
    field: Hyper = hyper(0.0, help="decoupled: each step subtracts lr * weight_decay * x")
    return field


@dataclass(frozen=True, eq=False, kw_only=True)
class Successor(Optimizer):
    """The hyperparameters that all successors share."""

    lr: Hyper = hyper(help="learning rate", within="(0, inf)")
    beta1: Hyper = hyper(0.9, help="decay rate of the mean gradient", within="[0, 1)")
    beta2: Hyper = hyper(0.999, help="decay rate of the mean squared gradient", within="[0, 1)")
    eps: Hyper = hyper(1e-8, help="avoids division by zero")


@dataclass(frozen=True, eq=False, kw_only=True)
class TwoMoments(Successor):
    """Successors with the same state as Adam."""

    def init(self, x: Array) -> Moments:
        return Moments(np.zeros_like(x), np.zeros_like(x), 0)


@dataclass(frozen=True, eq=False, kw_only=True)
class AdaBelief(TwoMoments):
    """Adam scaled by how much a gradient differs from its running mean, not by its size.

        m <- beta1 * m + (1 - beta1) * g
        s <- beta2 * s + (1 - beta2) * (g - m)**2 + eps_root
        x <- x - lr * m / (1 - beta1**t) / (sqrt(s / (1 - beta2**t)) + eps)     t = 1, 2, ...

    Paper: Zhuang et al., AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed
    Gradients, 2020, algorithm 2.

    The same as optax.adabelief. With nesterov, m is updated once more, with the same g, before it
    is used.
    """

    eps: Hyper = hyper(1e-16, help="avoids division by zero")
    eps_root: Hyper = hyper(1e-16, help="added to the squares in every step")
    nesterov: bool = hyper(False, help="update the mean once more before it is used")

    def step(self, objective: Objective, x: Array, state: Moments) -> tuple[Array, Moments]:
        g = objective.gradient(x)
        t = state.step + 1
        mean = self.beta1 * state.mean + (1 - self.beta1) * g
        surprise = g - mean
        square = self.beta2 * state.square + (1 - self.beta2) * surprise * surprise + self.eps_root
        down = np.sqrt(square / (1 - self.beta2**t)) + self.eps
        up = mean / (1 - self.beta1**t)
        if self.nesterov:
            ahead = mean / (1 - self.beta1 ** (t + 1))
            up = self.beta1 * ahead + (1 - self.beta1) * (g / (1 - self.beta1**t))
        return x - self.lr * (up / down), Moments(mean, square, t)

    def preconditioner(self, state: Moments) -> Array | None:
        t = np.maximum(state.step, 1)
        down = np.sqrt(state.square / (1 - self.beta2**t)) + self.eps
        return inverse(down if self.nesterov else (1 - self.beta1**t) * down)

    def stability_limit(self, step: int) -> float | None:
        response = mean_response(self.beta1)
        ahead = self.beta1 * response + 1 - self.beta1
        return alternating_limit(self.lr, ahead if self.nesterov else response)


@dataclass(frozen=True, eq=False, kw_only=True)
class Yogi(TwoMoments):
    """Adam whose mean square changes by a bounded amount, so that it cannot grow suddenly.

        m <- beta1 * m + (1 - beta1) * g
        s <- s - (1 - beta2) * sign(s - g**2) * g**2
        x <- x - lr * m / (1 - beta1**t) / (sqrt(s / (1 - beta2**t)) + eps)     t = 1, 2, ...

    Paper: Zaheer et al., Adaptive Methods for Nonconvex Optimization, 2018, algorithm 2.

    The same as optax.yogi: both moments start at initial_accumulator, including the mean.
    """

    eps: Hyper = hyper(1e-3, help="avoids division by zero")
    initial_accumulator: Hyper = hyper(1e-6, help="initial value of both moments")

    def init(self, x: Array) -> Moments:
        begun = np.zeros_like(x) + self.initial_accumulator
        return Moments(begun, begun, 0)

    def step(self, objective: Objective, x: Array, state: Moments) -> tuple[Array, Moments]:
        g = objective.gradient(x)
        t = state.step + 1
        mean = self.beta1 * state.mean + (1 - self.beta1) * g
        square = state.square - (1 - self.beta2) * np.sign(state.square - g * g) * g * g
        down = np.sqrt(square / (1 - self.beta2**t)) + self.eps
        return x - self.lr * (mean / (1 - self.beta1**t) / down), Moments(mean, square, t)

    def preconditioner(self, state: Moments) -> Array | None:
        t = np.maximum(state.step, 1)
        with np.errstate(invalid="ignore"):
            down = np.sqrt(state.square / (1 - self.beta2**t)) + self.eps
        return inverse((1 - self.beta1**t) * down)

    def stability_limit(self, step: int) -> float | None:
        return alternating_limit(self.lr, mean_response(self.beta1))


class ThreeMoments(NamedTuple):
    """State of Adan."""

    mean: Array  # (..., dim), running mean of gradients
    change: Array  # (..., dim), running mean of their changes
    square: Array  # (..., dim), running mean of squares
    gradient: Array  # (..., dim), the last one
    step: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Adan(Successor):
    """Adaptive Nesterov momentum: Adam that also follows how the gradient changes.

        d <- g - last g                                 (0 in the first step)
        m <- beta1 * m + (1 - beta1) * g
        v <- beta2 * v + (1 - beta2) * d
        n <- beta3 * n + (1 - beta3) * (g + (1 - beta2) * d)**2
        u <- (m / (1 - beta1**t) + (1 - beta2) * v / (1 - beta2**t))
             / (sqrt(n / (1 - beta3**t) + eps_root) + eps)                      t = 1, 2, ...
        x <- x - lr * (u + weight_decay * x)

    Paper: Xie et al., Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep
    Models, 2022, algorithm 1, whose betas are 1 minus these.

    The same as optax.adan, which weights changes by 1 - beta2 where the paper, in this notation,
    has beta2, and adds the weight decay instead of dividing by it.
    """

    beta1: Hyper = hyper(0.98, help="decay rate of the mean gradient", within="[0, 1)")
    beta2: Hyper = hyper(0.92, help="decay rate of the mean change", within="[0, 1)")
    beta3: Hyper = hyper(0.99, help="decay rate of the mean square", within="[0, 1)")
    eps_root: Hyper = hyper(1e-8, help="added inside the square root")
    weight_decay: Hyper = decoupled_field()

    def init(self, x: Array) -> ThreeMoments:
        zero = np.zeros_like(x)
        return ThreeMoments(zero, zero, zero, zero, 0)

    def step(
        self, objective: Objective, x: Array, state: ThreeMoments
    ) -> tuple[Array, ThreeMoments]:
        g = objective.gradient(x)
        t = state.step + 1
        difference = g - state.gradient if state.step else np.zeros_like(g)
        mean = self.beta1 * state.mean + (1 - self.beta1) * g
        change = self.beta2 * state.change + (1 - self.beta2) * difference
        ahead = g + (1 - self.beta2) * difference
        square = self.beta3 * state.square + (1 - self.beta3) * ahead * ahead
        up = mean / (1 - self.beta1**t) + (1 - self.beta2) * (change / (1 - self.beta2**t))
        move = up / (np.sqrt(square / (1 - self.beta3**t) + self.eps_root) + self.eps)
        moved = x - self.lr * (move + self.weight_decay * x)
        return moved, ThreeMoments(mean, change, square, g, t)

    def decayed(self, x: Array, state: Any) -> Array:
        return x * (1 - self.lr * self.weight_decay)

    def preconditioner(self, state: ThreeMoments) -> Array | None:
        left = 1 - self.beta3 ** np.maximum(state.step, 1)
        return inverse(np.sqrt(state.square / left + self.eps_root) + self.eps)


@dataclass(frozen=True, eq=False, kw_only=True)
class LAMB(TwoMoments):
    """Layer-wise Adam: each step is scaled to the length of x itself.

        u <- m / (1 - beta1**t) / (sqrt(s / (1 - beta2**t) + eps_root) + eps)   t = 1, 2, ...
        u <- u + weight_decay * x
        x <- x - lr * u * |x| / |u|                     (without the quotient if either is 0)

    Paper: You et al., Large Batch Optimization for Deep Learning: Training BERT in 76 minutes,
    2020, algorithm 2; all coordinates are one layer.

    The same as optax.lamb.
    """

    eps: Hyper = hyper(1e-6, help="avoids division by zero")
    eps_root: Hyper = eps_root_field()
    weight_decay: Hyper = decoupled_field()

    def step(self, objective: Objective, x: Array, state: Moments) -> tuple[Array, Moments]:
        g = objective.gradient(x)
        t = state.step + 1
        mean = self.beta1 * state.mean + (1 - self.beta1) * g
        square = self.beta2 * state.square + (1 - self.beta2) * g * g
        down = np.sqrt(square / (1 - self.beta2**t) + self.eps_root) + self.eps
        move = mean / (1 - self.beta1**t) / down + self.weight_decay * x
        far, long = length(x), length(move)
        still = (far == 0) | (long == 0)
        trust = np.where(still, 1.0, far / np.where(still, 1.0, long))
        return x - self.lr * (move * trust), Moments(mean, square, t)


class TwoMeans(NamedTuple):
    """State of AdEMAMix."""

    mean: Array  # (..., dim), running mean of gradients that forgets quickly
    slow: Array  # (..., dim), one that forgets slowly
    square: Array  # (..., dim)
    step: int


@dataclass(frozen=True, eq=False, kw_only=True)
class AdEMAMix(Successor):
    """Adam with a second mean of gradients, over a much longer period.

        m <- beta1 * m + (1 - beta1) * g
        n <- beta3 * n + (1 - beta3) * g
        s <- beta2 * s + (1 - beta2) * g**2
        u <- (m / (1 - beta1**t) + alpha * n) / (sqrt(s / (1 - beta2**t) + eps_root) + eps)
        x <- x - lr * (u + weight_decay * x)                                    t = 1, 2, ...

    Paper: Pagliardini, Ablin and Grangier, The AdEMAMix Optimizer: Better, Faster, Older, 2024,
    equation AdEMAMix.

    The same as optax.contrib.ademamix without schedules for alpha and beta3.
    """

    beta3: Hyper = hyper(0.9999, help="decay rate of the slow mean", within="[0, 1)")
    alpha: Hyper = hyper(5.0, help="weight of the slow mean")
    eps_root: Hyper = eps_root_field()
    weight_decay: Hyper = decoupled_field()

    def init(self, x: Array) -> TwoMeans:
        zero = np.zeros_like(x)
        return TwoMeans(zero, zero, zero, 0)

    def step(self, objective: Objective, x: Array, state: TwoMeans) -> tuple[Array, TwoMeans]:
        g = objective.gradient(x)
        t = state.step + 1
        mean = self.beta1 * state.mean + (1 - self.beta1) * g
        slow = self.beta3 * state.slow + (1 - self.beta3) * g
        square = self.beta2 * state.square + (1 - self.beta2) * g * g
        down = np.sqrt(square / (1 - self.beta2**t) + self.eps_root) + self.eps
        move = (mean / (1 - self.beta1**t) + self.alpha * slow) / down
        moved = x - self.lr * (move + self.weight_decay * x)
        return moved, TwoMeans(mean, slow, square, t)

    def decayed(self, x: Array, state: Any) -> Array:
        return x * (1 - self.lr * self.weight_decay)

    def preconditioner(self, state: TwoMeans) -> Array | None:
        left = 1 - self.beta2 ** np.maximum(state.step, 1)
        return inverse(np.sqrt(state.square / left + self.eps_root) + self.eps)

    def stability_limit(self, step: int) -> float | None:
        response = mean_response(self.beta1) + self.alpha * mean_response(self.beta3)
        return alternating_limit(self.lr, response, self.weight_decay)


@dataclass(frozen=True, eq=False, kw_only=True)
class ADOPT(TwoMoments):
    """Adam that divides by the mean square of earlier steps, and averages the quotients.

        u <- clip(g / max(sqrt(s), eps), -c, c)         c = t**(1/4), t = 0, 1, ...
        m <- beta1 * m + (1 - beta1) * u                (m stays 0 where t = 0)
        s <- beta2 * s + (1 - beta2) * g**2             (s <- g**2 where t = 0)
        x <- x - lr * m

    Paper: Taniguchi et al., ADOPT: Modified Adam Can Converge with Any beta2 with the Optimal
    Rate, 2024, algorithm 2.

    The same as optax.contrib.adopt: x does not move in the first step. With nesterov, m is updated
    once more, with the same u, before it is used.
    """

    beta2: Hyper = hyper(0.9999, help="decay rate of the mean squared gradient", within="[0, 1)")
    eps: Hyper = hyper(1e-6, help="smallest denominator")
    use_clipping: bool = hyper(
        True, help="clip the quotients at the fourth root of the step number"
    )
    nesterov: bool = hyper(False, help="update the mean once more before it is used")

    def step(self, objective: Objective, x: Array, state: Moments) -> tuple[Array, Moments]:
        g = objective.gradient(x)
        t = state.step
        up = g / np.maximum(np.sqrt(state.square), self.eps)
        if self.use_clipping:
            up = np.clip(up, -(t**0.25), t**0.25)
        beta1, beta2 = (self.beta1, self.beta2) if t else (1.0, 0.0)
        mean = beta1 * state.mean + (1 - beta1) * up
        square = beta2 * state.square + (1 - beta2) * g * g
        move = beta1 * mean + (1 - beta1) * up if self.nesterov else mean
        return x - self.lr * move, Moments(mean, square, t + 1)


class Curved(NamedTuple):
    """State of Sophia."""

    mean: Array  # (..., dim), running mean of gradients
    curvature: Array  # (..., dim), running mean of the Hessian's diagonal
    step: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Sophia(Optimizer):
    """Steps over the curvature of each coordinate, clipped where that is small or negative.

        m <- beta1 * m + (1 - beta1) * g
        every `period` steps: h <- beta2 * h + (1 - beta2) * (diagonal of the Hessian)
        x <- x - lr * (clip(m / max(gamma * h, eps), -1, 1) + weight_decay * x)

    Paper: Liu, Li, Hall, Liang and Ma, Sophia: A Scalable Stochastic Second-order Optimizer for
    Language Model Pre-training, 2023, algorithm 3; Sophia-H, with algorithm 1.

    The diagonal is exact where the Hessian is known, as that of a formula is. Where only its
    products are, as of networks and models, it is Hutchinson's estimate u * (H u), u ~ N(0, I),
    whose mean it is. Given the same diagonals or u, the same as pytorch_optimizer.SophiaH, whose p
    is gamma, and whose lr is lr / p.
    The paper's gamma is 0.01, for language models: there, a tenth to a half of the coordinates
    should not be clipped, and in the plane of a short run that takes a larger one.
    """

    needs: ClassVar[tuple[str, ...]] = ("hessian_product",)
    lr: Hyper = hyper(help="learning rate, the longest step of a coordinate", within="(0, inf)")
    beta1: Hyper = hyper(0.96, help="decay rate of the mean gradient", within="[0, 1)")
    beta2: Hyper = hyper(0.99, help="decay rate of the mean curvature", within="[0, 1)")
    gamma: Hyper = hyper(1.0, help="factor of the curvature: smaller ones clip more")
    eps: Hyper = hyper(1e-12, help="smallest denominator", within="(0, inf)")
    period: int = hyper(10, help="number of steps between Hessians", within="[1, 1e9]")
    weight_decay: Hyper = decoupled_field()
    seed: int = seed_field()

    def draws(self, objective: object) -> bool:
        return not offers(objective, "hessian")

    def init(self, x: Array) -> Curved:
        return Curved(np.zeros_like(x), np.zeros_like(x), 0)

    def step(self, objective: Objective, x: Array, state: Curved) -> tuple[Array, Curved]:
        g = objective.gradient(x)
        mean = self.beta1 * state.mean + (1 - self.beta1) * g
        curvature = state.curvature
        if state.step % self.period == 0:
            found = self._diagonal(objective, x, state.step)
            curvature = self.beta2 * curvature + (1 - self.beta2) * found
        move = np.clip(mean / self._down(curvature), -1, 1)
        moved = x * (1 - self.lr * self.weight_decay) - self.lr * move
        return moved, Curved(mean, curvature, state.step + 1)

    def _diagonal(self, objective: Any, x: Array, step: int) -> Array:
        """Return that of the Hessian, or an estimate, shape (..., dim)."""
        if not self.draws(objective):
            return diagonal(objective.hessian(x))
        u: Array = random_numbers(self.seed, step).standard_normal(x.shape[-1:])
        products = [objective.hessian_product(each, u) for each in x.reshape(-1, len(u))]
        return np.asarray(u * np.reshape(products, x.shape))

    def _down(self, curvature: Array) -> Array:
        down: Array = np.maximum(self.gamma * curvature, self.eps)
        return down

    def decayed(self, x: Array, state: Curved) -> Array:
        return x * (1 - self.lr * self.weight_decay)

    def preconditioner(self, state: Curved) -> Array | None:
        # A quotient that is clipped is one over the mean's own size.
        return positive(1 / np.maximum(self._down(state.curvature), np.abs(state.mean)))

    def stability_limit(self, step: int) -> float | None:
        return alternating_limit(self.lr, mean_response(self.beta1), self.weight_decay)


def diagonal(matrix: Array) -> Array:
    """Return the diagonals of matrices of shape (..., dim, dim), shape (..., dim)."""
    return np.stack([matrix[..., i, i] for i in range(matrix.shape[-1])], axis=-1)
