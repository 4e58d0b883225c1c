"""Methods that adapt the step size of each coordinate to its squared gradients."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from optiviz.objective import Array, Objective
from optiviz.optimizers.base import (
    Hyper,
    Optimizer,
    alternating_limit,
    hyper,
    length,
    positive,
    weight_decay_field,
)
from optiviz.optimizers.momentum import kept


def root(square: Array, eps: Hyper, eps_in_sqrt: bool) -> Array:
    """Return sqrt(square + eps) if `eps_in_sqrt`, else sqrt(square) + eps."""
    return np.sqrt(square + eps) if eps_in_sqrt else np.sqrt(square) + eps


def inverse(down: Array) -> Array | None:
    """Return the preconditioner of a method that divides by `down`, None where that is 0."""
    with np.errstate(divide="ignore"):
        return positive(1 / down)


def eps_in_sqrt_field() -> bool:
    """Declare where eps is added, on which libraries differ."""
    field: bool = hyper(False, help="add eps inside the square root, as Lasagne and article 1 do")
    return field


class SumOfSquares(NamedTuple):
    """State of Adagrad."""

    accumulator: Array  # (..., dim), sum of squared gradients
    step: int  # steps taken


@dataclass(frozen=True, eq=False, kw_only=True)
class Adagrad(Optimizer):
    """Adaptive gradient: smaller steps for coordinates whose gradients have been large.

        G <- G + g**2                               (G starts at initial_accumulator)
        x <- x - lr / (1 + t * lr_decay) * g / (sqrt(G) + eps)     t = 0, 1, ...

    Paper: Duchi, Hazan and Singer, Adaptive Subgradient Methods for Online Learning and
    Stochastic Optimization, 2011, the diagonal form.

    The same as torch.optim.Adagrad; with eps_in_sqrt=true and eps=1e-6 as Lasagne's.
    """

    lr: Hyper = hyper(help="learning rate", within="(0, inf)")
    lr_decay: Hyper = hyper(0.0, help="decay of the learning rate per step")
    initial_accumulator: Hyper = hyper(0.0, help="initial sum of squares")
    eps: Hyper = hyper(1e-10, help="avoids division by zero")
    eps_in_sqrt: bool = eps_in_sqrt_field()
    weight_decay: Hyper = weight_decay_field()

    def init(self, x: Array) -> SumOfSquares:
        return SumOfSquares(np.zeros_like(x) + self.initial_accumulator, 0)

    def step(
        self, objective: Objective, x: Array, state: SumOfSquares
    ) -> tuple[Array, SumOfSquares]:
        g = objective.gradient(x) + self.weight_decay * x
        total = state.accumulator + g * g
        moved = x - self._rate(state.step) * (g / root(total, self.eps, self.eps_in_sqrt))
        return moved, SumOfSquares(total, state.step + 1)

    def _rate(self, step: int) -> Hyper:
        return self.lr / (1 + step * self.lr_decay)

    @property
    def follows_gradient(self) -> bool:  # type: ignore[override]
        return not np.any(self.weight_decay)

    def preconditioner(self, state: SumOfSquares) -> Array | None:
        return inverse(root(state.accumulator, self.eps, self.eps_in_sqrt))

    def stability_limit(self, step: int) -> float | None:
        return None if self.weight_decay else alternating_limit(self._rate(step), 1.0)


class MeanSquare(NamedTuple):
    """State of RMSprop."""

    square: Array  # (..., dim), running mean of squared gradients
    mean: Array  # (..., dim), running mean of gradients, updated if centered
    velocity: Array  # (..., dim)


@dataclass(frozen=True, eq=False, kw_only=True)
class RMSprop(Optimizer):
    """Root mean square propagation: Adagrad that gradually forgets old gradients.

        s <- rho * s + (1 - rho) * g**2
        x <- x - lr * g / (sqrt(s) + eps)

    With centered, s - m**2 replaces s under the root, where m <- rho * m + (1 - rho) * g. With
    momentum, v <- momentum * v + g / (sqrt(s) + eps) and x <- x - lr * v.

    Paper: Tieleman and Hinton, Lecture 6.5 of Neural Networks for Machine Learning, 2012;
    centered: Graves, Generating Sequences With Recurrent Neural Networks, 2013, equations 38-45.

    The same as torch.optim.RMSprop, whose rho is called alpha and is 0.99 by default; with
    eps_in_sqrt=true and eps=1e-6 as Lasagne's.
    """

    lr: Hyper = hyper(help="learning rate", within="(0, inf)")
    rho: Hyper = hyper(0.9, help="decay rate of the mean square", within="[0, 1)")
    eps: Hyper = hyper(1e-8, help="avoids division by zero")
    eps_in_sqrt: bool = eps_in_sqrt_field()
    momentum: Hyper = hyper(0.0, help="fraction of the velocity that is kept")
    centered: bool = hyper(
        False, help="divide by the standard deviation instead of the root mean square"
    )
    weight_decay: Hyper = weight_decay_field()

    def init(self, x: Array) -> MeanSquare:
        return MeanSquare(np.zeros_like(x), np.zeros_like(x), np.zeros_like(x))

    def step(self, objective: Objective, x: Array, state: MeanSquare) -> tuple[Array, MeanSquare]:
        g = objective.gradient(x) + self.weight_decay * x
        square = self.rho * state.square + (1 - self.rho) * g * g
        mean, spread = state.mean, square
        if self.centered:
            mean = self.rho * mean + (1 - self.rho) * g
            spread = square - mean * mean
        velocity = self.momentum * state.velocity + g / root(spread, self.eps, self.eps_in_sqrt)
        return x - self.lr * velocity, MeanSquare(square, mean, velocity)

    @property
    def follows_gradient(self) -> bool:  # type: ignore[override]
        return not (np.any(self.momentum) or np.any(self.weight_decay))

    def preconditioner(self, state: MeanSquare) -> Array | None:
        spread = state.square - state.mean * state.mean if self.centered else state.square
        return inverse(root(spread, self.eps, self.eps_in_sqrt))

    def stability_limit(self, step: int) -> float | None:
        return None if self.weight_decay else alternating_limit(self.lr, kept(self.momentum))


class TwoMeanSquares(NamedTuple):
    """State of Adadelta."""

    square: Array  # (..., dim), running mean of squared gradients
    update: Array  # (..., dim), running mean of squared updates


@dataclass(frozen=True, eq=False, kw_only=True)
class Adadelta(Optimizer):
    """RMSprop whose step size is the root mean square of its own past updates.

        s <- rho * s + (1 - rho) * g**2
        d <- sqrt(u + eps) / sqrt(s + eps) * g      (u starts at initial_update)
        u <- rho * u + (1 - rho) * d**2
        x <- x - lr * d

    Paper: Zeiler, ADADELTA: An Adaptive Learning Rate Method, 2012, algorithm 1, where lr is 1.

    The same as torch.optim.Adadelta, whose rho is 0.9 by default, and as Lasagne's: the
    accumulated updates do not include lr. initial_update is what article 1's script calls lr.
    """

    lr: Hyper = hyper(help="learning rate", within="(0, inf)")
    rho: Hyper = hyper(0.95, help="decay rate of both mean squares", within="[0, 1)")
    eps: Hyper = hyper(1e-6, help="makes the first update nonzero and avoids division by zero")
    initial_update: Hyper = hyper(0.0, help="initial mean squared update")
    weight_decay: Hyper = weight_decay_field()

    def init(self, x: Array) -> TwoMeanSquares:
        return TwoMeanSquares(np.zeros_like(x), np.zeros_like(x) + self.initial_update)

    def step(
        self, objective: Objective, x: Array, state: TwoMeanSquares
    ) -> tuple[Array, TwoMeanSquares]:
        g = objective.gradient(x) + self.weight_decay * x
        square = self.rho * state.square + (1 - self.rho) * g * g
        delta = np.sqrt(state.update + self.eps) / np.sqrt(square + self.eps) * g
        update = self.rho * state.update + (1 - self.rho) * delta * delta
        return x - self.lr * delta, TwoMeanSquares(square, update)


class GrowingMeanSquare(NamedTuple):
    """State of Adafactor."""

    square: Array  # (..., dim), mean of squared gradients over a growing period
    step: int  # steps taken


@dataclass(frozen=True, eq=False, kw_only=True)
class Adafactor(Optimizer):
    """Adaptive steps of bounded size, proportional to x itself.

        x <- x - lr * weight_decay * x
        s <- s + (g**2 - s) * t**beta2_decay                            t = 1, 2, ...
        u <- g / max(sqrt(s), eps1)
        u <- u / max(1, rms(u) / d)
        x <- x - max(eps2, rms(x)) * min(lr, 1 / sqrt(t)) * u

    rms is the root mean square over all coordinates; that of x is taken before the decay.

    Paper: Shazeer and Stern, Adafactor: Adaptive Learning Rates with Sublinear Memory Cost, 2018,
    algorithms 4 and 5: points are vectors, whose squares are not factored.

    The same as torch.optim.Adafactor, whose eps is (eps1, eps2); its eps1=None is float64's eps.
    """

    lr: Hyper = hyper(help="largest relative step", within="(0, inf)")
    beta2_decay: Hyper = hyper(
        -0.8, help="exponent of the step number in the weight of new squares", within="(-inf, 0]"
    )
    eps1: Hyper = hyper(float(np.finfo(float).eps), help="smallest denominator")
    eps2: Hyper = hyper(1e-3, help="smallest root mean square of x that scales the steps")
    d: Hyper = hyper(1.0, help="largest root mean square of an update", within="(0, inf)")
    weight_decay: Hyper = hyper(0.0, help="decoupled: each step subtracts lr * weight_decay * x")

    def init(self, x: Array) -> GrowingMeanSquare:
        return GrowingMeanSquare(np.zeros_like(x), 0)

    def step(
        self, objective: Objective, x: Array, state: GrowingMeanSquare
    ) -> tuple[Array, GrowingMeanSquare]:
        g = objective.gradient(x)
        t, side = state.step + 1, np.sqrt(x.shape[-1])
        square = state.square + (g * g - state.square) * t**self.beta2_decay
        update = g / np.maximum(np.sqrt(square), self.eps1)
        scale = np.maximum(1.0, length(update) / side / self.d)
        size = np.maximum(self.eps2, length(x) / side) * np.minimum(self.lr, 1 / np.sqrt(t))
        shrunk = x * (1 - self.lr * self.weight_decay)
        return shrunk - size * (update / scale), GrowingMeanSquare(square, t)
