"""The contract between what is descended and who descends.

Arrays of points have shape (..., dim): the last axis is the space, all axes before it are
independent runs. Everything is float64.
"""

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Objective(Protocol):
    """A differentiable function from R^dim to R, evaluated on arrays of points."""

    @property
    def dim(self) -> int:
        """Number of coordinates of a point."""

    def value(self, x: Array) -> Array:
        """Return f(x), shape (...), for x of shape (..., dim)."""

    def gradient(self, x: Array) -> Array:
        """Return df/dx, shape (..., dim), for x of shape (..., dim)."""

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return both at once, for less than the price of two calls."""


@runtime_checkable
class TwiceDifferentiable(Objective, Protocol):
    """An objective that also knows its second derivatives."""

    def hessian(self, x: Array) -> Array:
        """Return d2f/dx2, shape (..., dim, dim), for x of shape (..., dim)."""


@runtime_checkable
class Stream(Protocol):
    """An objective that changes by step: mini-batches, gradient noise, a signal.

    `at` is pure: the same step always gives the same objective, so that every optimizer meets
    the same sequence.
    """

    @property
    def dim(self) -> int:
        """Number of coordinates of a point."""

    def at(self, step: int) -> Objective:
        """Return the objective that step number `step` (0, 1, ...) is taken on."""
