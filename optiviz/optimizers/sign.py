"""Methods that use the sign of the gradient and not its size."""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from optiviz.objective import Array, Objective
from optiviz.optimizers.base import Hyper, Method, Optimizer, hyper
from optiviz.optimizers.schedules import Schedule
from optiviz.shapes import DRAWN, Ball, Body, Polygon
from optiviz.system.errors import InputError


def box(center: Array, sides: Array) -> Ball:
    """Return the points x with abs(x - center) <= sides in each coordinate.

    It is the ball of the largest coordinate, in which signs are steepest (Bernstein and Newhouse,
    Old Optimizer, New Norm: An Anthology, 2024, proposition 2).
    """
    if center.shape[-1] > DRAWN:
        return Body(center, partial(_corners, sides))
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1)) if center.shape[-1] == 2 else ((-1,), (1,))
    return Polygon(center + np.array(signs) * sides, "ball")


def _corners(sides: Array, directions: Array) -> Array:
    """Return the corner of a box that is furthest along each direction, shape (n, dim)."""
    return sides * np.sign(directions)


class StepSizes(NamedTuple):
    """State of Rprop."""

    step_size: Array  # (..., dim), step size of each coordinate
    gradient: Array  # (..., dim), the last one; 0 where its sign changed


@dataclass(frozen=True, eq=False, kw_only=True)
class Rprop(Optimizer):
    """Resilient backpropagation: steps grow while a slope keeps its sign and shrink if it flips.

        d <- clip(d * eta2, step_size1, step_size2)     where g has the sign of the last one
        d <- clip(d * eta1, step_size1, step_size2)     where its sign has changed, and g <- 0
        x <- x - d * sign(g)                            (d starts at lr)

    Paper: Riedmiller and Braun, A Direct Adaptive Method for Faster Backpropagation Learning:
    The RPROP Algorithm, 1993; without its weight backtracking: Igel and Huesken, 2000, iRprop-.

    The same as torch.optim.Rprop, whose etas are (eta1, eta2) and whose step_sizes are
    (step_size1, step_size2). optax's rprop applies each update one step late.
    """

    lr: Hyper = hyper(help="initial step size of each coordinate", within="(0, inf)")
    eta1: Hyper = hyper(
        0.5, help="step size factor where the gradient changes sign", within="(0, 1)"
    )
    eta2: Hyper = hyper(1.2, help="step size factor where it keeps its sign", within="(1, inf)")
    step_size1: Hyper = hyper(1e-6, help="smallest step size")
    step_size2: Hyper = hyper(50.0, help="largest step size")

    def with_schedule(self, schedule: Schedule) -> Method:
        raise InputError("cannot follow a schedule, because lr sets only the first step")

    def init(self, x: Array) -> StepSizes:
        return StepSizes(np.zeros_like(x) + self.lr, np.zeros_like(x))

    def step(self, objective: Objective, x: Array, state: StepSizes) -> tuple[Array, StepSizes]:
        g = objective.gradient(x)
        agreed = np.sign(g * state.gradient)
        factor = np.where(agreed > 0, self.eta2, np.where(agreed < 0, self.eta1, 1.0))
        size = np.clip(state.step_size * factor, self.step_size1, self.step_size2)
        g = np.where(agreed < 0, 0.0, g)
        return x - size * np.sign(g), StepSizes(size, g)

    def ball(self, state: StepSizes, before: Array, after: Array) -> Ball:
        return box(before, state.step_size)


class Mean(NamedTuple):
    """State of Lion."""

    mean: Array  # (..., dim), running mean of gradients


@dataclass(frozen=True, eq=False, kw_only=True)
class Lion(Optimizer):
    """Evolved sign momentum: every coordinate moves by lr, against the sign of the mean gradient.

        u <- sign(beta1 * m + (1 - beta1) * g)
        m <- beta2 * m + (1 - beta2) * g
        x <- x - lr * (u + weight_decay * x)

    Paper: Chen et al., Symbolic Discovery of Optimization Algorithms, 2023, algorithm 2.

    The same as optax.lion.
    """

    lr: Hyper = hyper(help="learning rate", within="(0, inf)")
    beta1: Hyper = hyper(0.9, help="weight of the mean gradient in the direction", within="[0, 1)")
    beta2: Hyper = hyper(0.99, help="decay rate of the mean gradient", within="[0, 1)")
    weight_decay: Hyper = hyper(0.001, help="decoupled: each step subtracts lr * weight_decay * x")

    def init(self, x: Array) -> Mean:
        return Mean(np.zeros_like(x))

    def step(self, objective: Objective, x: Array, state: Mean) -> tuple[Array, Mean]:
        g = objective.gradient(x)
        direction = np.sign(self.beta1 * state.mean + (1 - self.beta1) * g)
        mean = self.beta2 * state.mean + (1 - self.beta2) * g
        return x - self.lr * (direction + self.weight_decay * x), Mean(mean)

    def decayed(self, x: Array, state: Mean) -> Array:
        return x * (1 - self.lr * self.weight_decay)

    def ball(self, state: Mean, before: Array, after: Array) -> Ball:
        return box(self.decayed(before, state), self.lr * np.ones_like(before))
