"""Methods that give each coordinate a step of its own from the squares of its gradients."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from optiviz.objective import Array, Objective
from optiviz.optimizers.base import Hyper, Optimizer, hyper, length, weight_decay_field


def root(square: Array, eps: Hyper, eps_in_sqrt: bool) -> Array:
    """Return sqrt(square) + eps, or sqrt(square + eps)."""
    return np.sqrt(square + eps) if eps_in_sqrt else np.sqrt(square) + eps


def eps_in_sqrt_field() -> bool:
    """Declare where eps stands, which libraries do not agree on."""
    field: bool = hyper(False, help="add eps inside the square root, as Lasagne and article 1 do")
    return field


class SumOfSquares(NamedTuple):
    """Adagrad's memory."""

    accumulator: Array  # (..., dim), sum of squared gradients
    step: int  # steps taken


@dataclass(frozen=True, eq=False, kw_only=True)
class Adagrad(Optimizer):
    """Adaptive gradient: coordinates that have moved much move less.

        G <- G + g**2                               (G begins at initial_accumulator)
        x <- x - lr / (1 + t * lr_decay) * g / (sqrt(G) + eps)     t = 0, 1, ...

    Paper: Duchi, Hazan and Singer, Adaptive Subgradient Methods for Online Learning and
    Stochastic Optimization, 2011, the diagonal form.

    The same as torch.optim.Adagrad; with eps_in_sqrt=true and eps=1e-6 as Lasagne's.
    """

    lr: Hyper = hyper(help="learning rate", within="(0, inf)")
    lr_decay: Hyper = hyper(0.0, help="decay of the learning rate by step")
    initial_accumulator: Hyper = hyper(0.0, help="what the sum of squares begins with")
    eps: Hyper = hyper(1e-10, help="keeps the denominator from zero")
    eps_in_sqrt: bool = eps_in_sqrt_field()
    weight_decay: Hyper = weight_decay_field()

    def init(self, x: Array) -> SumOfSquares:
        return SumOfSquares(np.zeros_like(x) + self.initial_accumulator, 0)

    def step(
        self, objective: Objective, x: Array, state: SumOfSquares
    ) -> tuple[Array, SumOfSquares]:
        g = objective.gradient(x) + self.weight_decay * x
        total = state.accumulator + g * g
        lr = self.lr / (1 + state.step * self.lr_decay)
        moved = x - lr * (g / root(total, self.eps, self.eps_in_sqrt))
        return moved, SumOfSquares(total, state.step + 1)


class MeanSquare(NamedTuple):
    """RMSprop's memory."""

    square: Array  # (..., dim), running mean of squared gradients
    mean: Array  # (..., dim), running mean of gradients, kept up if centered
    velocity: Array  # (..., dim)


@dataclass(frozen=True, eq=False, kw_only=True)
class RMSprop(Optimizer):
    """Root mean square propagation: Adagrad with a memory that fades.

        s <- rho * s + (1 - rho) * g**2
        x <- x - lr * g / (sqrt(s) + eps)

    with centered, s - m**2 stands under the root, where m <- rho * m + (1 - rho) * g; with
    momentum, v <- momentum * v + g / (sqrt(s) + eps) and x <- x - lr * v.

    Paper: Tieleman and Hinton, Lecture 6.5 of Neural Networks for Machine Learning, 2012;
    centered: Graves, Generating Sequences With Recurrent Neural Networks, 2013, equations 38-45.

    The same as torch.optim.RMSprop, whose rho is called alpha and is 0.99 by default; with
    eps_in_sqrt=true and eps=1e-6 as Lasagne's.
    """

    lr: Hyper = hyper(help="learning rate", within="(0, inf)")
    rho: Hyper = hyper(0.9, help="memory of the mean square", within="[0, 1)")
    eps: Hyper = hyper(1e-8, help="keeps the denominator from zero")
    eps_in_sqrt: bool = eps_in_sqrt_field()
    momentum: Hyper = hyper(0.0, help="share of the velocity that is kept")
    centered: bool = hyper(False, help="divide by the deviation instead of the root mean square")
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


class TwoMeanSquares(NamedTuple):
    """Adadelta's memory."""

    square: Array  # (..., dim), running mean of squared gradients
    update: Array  # (..., dim), running mean of squared updates


@dataclass(frozen=True, eq=False, kw_only=True)
class Adadelta(Optimizer):
    """RMSprop whose rate is the root mean square of its own past updates.

        s <- rho * s + (1 - rho) * g**2
        d <- sqrt(u + eps) / sqrt(s + eps) * g      (u begins at initial_update)
        u <- rho * u + (1 - rho) * d**2
        x <- x - lr * d

    Paper: Zeiler, ADADELTA: An Adaptive Learning Rate Method, 2012, algorithm 1, where lr is 1.

    The same as torch.optim.Adadelta, whose rho is 0.9 by default, and as Lasagne's: lr
    multiplies outside the accumulator. initial_update is what article 1's script calls lr.
    """

    lr: Hyper = hyper(help="learning rate", within="(0, inf)")
    rho: Hyper = hyper(0.95, help="memory of both mean squares", within="[0, 1)")
    eps: Hyper = hyper(1e-6, help="starts the updates and keeps the denominator from zero")
    initial_update: Hyper = hyper(0.0, help="what the mean squared update begins with")
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
    """Adafactor's memory."""

    square: Array  # (..., dim), mean of squared gradients whose memory grows
    step: int  # steps taken


@dataclass(frozen=True, eq=False, kw_only=True)
class Adafactor(Optimizer):
    """Adaptive steps in proportion to x itself, of a bounded size.

        x <- x - lr * weight_decay * x
        s <- s + (g**2 - s) * t**beta2_decay                            t = 1, 2, ...
        u <- g / max(sqrt(s), eps1)
        u <- u / max(1, rms(u) / d)
        x <- x - max(eps2, rms(x)) * min(lr, 1 / sqrt(t)) * u

    rms is the root of the mean of squares over all coordinates; that of x is taken before the
    decay.

    Paper: Shazeer and Stern, Adafactor: Adaptive Learning Rates with Sublinear Memory Cost, 2018,
    algorithm 4 with 5: points are vectors, whose squares are not factored.

    The same as torch.optim.Adafactor, whose eps are eps1, eps2; its eps1 of None is float64's.
    """

    lr: Hyper = hyper(help="largest relative step", within="(0, inf)")
    beta2_decay: Hyper = hyper(-0.8, help="how the memory grows", within="(-inf, 0]")
    eps1: Hyper = hyper(float(np.finfo(float).eps), help="smallest denominator")
    eps2: Hyper = hyper(1e-3, help="smallest size of x that steps are in proportion to")
    d: Hyper = hyper(1.0, help="largest root mean square of an update", within="(0, inf)")
    weight_decay: Hyper = hyper(0.0, help="x shrinks by lr * weight_decay a step")

    def init(self, x: Array) -> GrowingMeanSquare:
        return GrowingMeanSquare(np.zeros_like(x), 0)

    def step(
        self, objective: Objective, x: Array, state: GrowingMeanSquare
    ) -> tuple[Array, GrowingMeanSquare]:
        g = objective.gradient(x)
        t, side = state.step + 1, np.sqrt(x.shape[-1])
        square = state.square + (g * g - state.square) * float(t) ** self.beta2_decay
        update = g / np.maximum(np.sqrt(square), self.eps1)
        scale = np.maximum(1.0, length(update) / side / self.d)
        size = np.maximum(self.eps2, length(x) / side) * np.minimum(self.lr, 1 / np.sqrt(t))
        shrunk = x * (1 - self.lr * self.weight_decay)
        return shrunk - size * (update / scale), GrowingMeanSquare(square, t)
