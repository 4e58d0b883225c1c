"""Methods along the gradient, or one axis, that find the length of their steps themselves."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from optiviz.objective import Array, Objective
from optiviz.optimizers.base import IDENTITY, Hyper, Optimizer, hyper
from optiviz.optimizers.line_searches import Ray, bisected
from optiviz.optimizers.momentum import NoState
from optiviz.shapes import Segment, Sketch


def squared(x: Array) -> Array:
    """Return the squared length of each vector, shape (..., 1)."""
    squares: Array = (x * x).sum(axis=-1, keepdims=True)
    return squares


@dataclass(frozen=True, eq=False, kw_only=True)
class Polyak(Optimizer):
    """Gradient descent with the step to where the tangent reaches the lowest value of f.

        x <- x - max(0, f(x) - f_star) / |g|**2 * g             (0 where g is 0)

    Paper: Polyak, Minimization of unsmooth functionals, 1969; Introduction to Optimization, 1987,
    section 5.3.

    If f_star is above the lowest value, the path ends where f is f_star; if it is far below, steps
    are too long.
    """

    follows_gradient = True

    f_star: Hyper = hyper(0.0, help="the lowest value of f", within="(-inf, inf)")

    def init(self, x: Array) -> NoState:
        return NoState()

    def step(self, objective: Objective, x: Array, state: NoState) -> tuple[Array, NoState]:
        value, g = objective.value_and_gradient(x)
        square = squared(g)
        above = np.maximum(value[..., None] - self.f_star, 0.0)
        return x - above / np.where(square == 0, 1.0, square) * g, state

    def preconditioner(self, state: NoState) -> Array:
        return IDENTITY


class Secant(NamedTuple):
    """State of Barzilai and Borwein's method."""

    point: Array  # (..., dim), that the last step left
    gradient: Array  # (..., dim), there
    step: int  # steps taken


@dataclass(frozen=True, eq=False, kw_only=True)
class BarzilaiBorwein(Optimizer):
    """Gradient descent with the curvature along the last step as its learning rate.

        s, y <- changes of x and g in the last step
        x <- x - s's / s'y * g                      BB1; with short, s'y / y'y, BB2

    Paper: Barzilai and Borwein, Two-Point Step Size Gradient Methods, 1988, equations 5 and 6.

    The first step is lr * g, and so is one where f curves downwards along the last step, s'y <= 0.
    The loss may rise on the way.
    """

    remembers_points = True
    follows_gradient = True

    lr: Hyper = hyper(help="learning rate of the first step", within="(0, inf)")
    short: bool = hyper(False, help="take the shorter step, BB2")

    def init(self, x: Array) -> Secant:
        return Secant(x, np.zeros_like(x), 0)

    def step(self, objective: Objective, x: Array, state: Secant) -> tuple[Array, Secant]:
        g = objective.gradient(x)
        s, y = x - state.point, g - state.gradient
        product = (s * y).sum(axis=-1, keepdims=True)
        above, below = (product, squared(y)) if self.short else (squared(s), product)
        upward = product > 0
        rate = np.where(upward, above / np.where(upward, below, 1.0), self.lr)
        return x - rate * g, Secant(x, g, state.step + 1)

    def preconditioner(self, state: Secant) -> Array:
        return IDENTITY


class AxisStep(NamedTuple):
    """State of coordinate descent."""

    point: Array  # (..., dim), that the last step left
    reached: Array  # (..., dim), where it led
    step: int  # steps taken


@dataclass(frozen=True, eq=False, kw_only=True)
class CoordinateDescent(Optimizer):
    """One coordinate after the other, each to the minimum along its axis: a staircase.

        i <- t mod dim                                                  t = 0, 1, ...
        x <- x + a * e_i                            a = argmin f(x + a * e_i)

    Paper: Wright, Coordinate descent algorithms, 2015, algorithm 2; on a quadratic, the method of
    Gauss and Seidel.

    Each minimum is found as by exact, in the direction in which f falls. The sketch is the line
    along which it is the lowest, as far beyond the minimum as the step is long.
    """

    has_loops = True

    def init(self, x: Array) -> AxisStep:
        return AxisStep(x, x, 0)

    def step(self, objective: Objective, x: Array, state: AxisStep) -> tuple[Array, AxisStep]:
        value, g = objective.value_and_gradient(x)
        axis = np.eye(x.shape[-1])[state.step % x.shape[-1]]
        direction = -np.sign(g) * axis
        slope = (g * direction).sum(axis=-1, keepdims=True)
        length, _ = bisected(Ray(objective, x, direction, value[..., None], slope), 1.0)
        reached = x + length * direction
        return reached, AxisStep(x, reached, state.step + 1)

    def sketch(self, state: AxisStep) -> Sketch:
        beyond = 2 * state.reached - state.point
        return (Segment(np.stack([state.point, beyond])),)
