"""The protocols between objectives and optimizers.

Arrays of points have shape (..., dim): the last axis holds the coordinates, all other axes are
independent runs. All arrays are float64.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# What an objective or a stream may offer beside its protocol, and what wraps it passes on: its
# second derivatives, their product with a vector, both at one point, and third ones; its named
# tensors in a point, each with name, shape, offset and of(x); the dtype and device of torch in
# which it computes; the set in which x must stay; the weight of a penalty on |x|, and the objective
# without it; the residuals whose squares it sums, with their Jacobian; the metric of its space; the
# sides of its window; of a batch, the objective of all samples, which samples are in it, and the
# gradient of each. One that is None is not offered.
BESIDE = (
    *("hessian", "hessian_product", "third_derivatives", "parts", "tensor_kind"),
    *("feasible_set", "l1", "smooth", "residuals", "jacobian", "metric", "sides"),
    *("full_batch", "chosen", "sample_gradients"),
)
# What of these is a function of points, and what an objective.
FUNCTIONS = (
    *("hessian", "hessian_product", "third_derivatives", "residuals", "jacobian"),
    *("metric", "sample_gradients"),
)
OBJECTIVES = "smooth", "full_batch"


def pass_on(objective: object, wrapper: object) -> None:
    """Give a wrapper what the wrapped objective offers beside its protocol.

    Those are attributes because Python 3.12 ignores __getattr__ in protocol checks.
    """
    for name in BESIDE:
        if hasattr(objective, name):
            object.__setattr__(wrapper, name, getattr(objective, name))


class Spent(Exception):
    """Raised by an objective that may be evaluated no more, which ends a run where it is."""


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
        """Return value and gradient together, which is cheaper than two calls."""


@runtime_checkable
class TwiceDifferentiable(Objective, Protocol):
    """An objective that also has second derivatives."""

    def hessian(self, x: Array) -> Array:
        """Return d2f/dx2, shape (..., dim, dim), for x of shape (..., dim)."""


class Constraint(Protocol):
    """A function that must be at most 0 or, if `equal`, 0."""

    @property
    def equal(self) -> bool:
        """Whether it must be 0."""

    def value(self, x: Array) -> Array:
        """Return it, shape (...), for x of shape (..., dim)."""

    def gradient(self, x: Array) -> Array:
        """Return its derivatives, shape (..., dim)."""

    def hessian(self, x: Array) -> Array:
        """Return its second derivatives, shape (..., dim, dim)."""


def scipy_constraints(edges: Sequence[Constraint]) -> list[dict[str, Any]]:
    """Return constraints as scipy's methods take them."""
    return [
        {
            "type": "eq" if each.equal else "ineq",
            "fun": lambda x, each=each: -np.asarray(each.value(x)),
            "jac": lambda x, each=each: -np.asarray(each.gradient(x)),
        }
        for each in edges
    ]


class FeasibleSet(Protocol):
    """The points that satisfy all constraints, evaluated on arrays of points (..., dim).

    They are those of the box, the interval of each variable, that satisfy the other constraints.
    """

    @property
    def exact(self) -> bool:
        """Whether projected points are known to be the nearest ones, rather than near ones."""

    @property
    def convex(self) -> bool:
        """Whether segments between its points are known to stay in it."""

    @property
    def box(self) -> Array:
        """The interval of each variable, shape (dim, 2), infinite where it has no end."""

    @property
    def extent(self) -> Array | None:
        """The least interval of each variable that holds it, shape (dim, 2), None if unknown."""

    @property
    def constraints(self) -> Sequence[Constraint]:
        """The constraints beside the box."""

    @property
    def edges(self) -> Sequence[Constraint]:
        """All constraints, those that make the box included."""

    @property
    def corners(self) -> Array:
        """Those of an interval, a segment or a polygon, shape (n, dim); n is 0 for other sets."""

    def contains(self, x: Array) -> NDArray[np.bool_]:
        """Return whether points are feasible, shape (...), up to rounding."""

    def project(self, x: Array) -> Array:
        """Return the nearest feasible points, shape (..., dim)."""

    def minimize_linear(self, slope: Array) -> Array:
        """Return the feasible points s with the least slope's, for slopes of shape (..., dim).

        Raises InputError if the set is unbounded.
        """


class SumOfSquares(Objective, Protocol):
    """Half the sum of the squares of residuals."""

    def residuals(self, x: Array) -> Array:
        """Return the residuals, shape (..., m), for x of shape (..., dim)."""

    def jacobian(self, x: Array) -> Array:
        """Return their derivatives, shape (..., m, dim), for x of shape (..., dim)."""


class Batch(Objective, Protocol):
    """The mean loss of some samples, or of all."""

    @property
    def full_batch(self) -> "Batch":
        """The objective of all samples."""

    @property
    def chosen(self) -> NDArray[np.intp]:
        """Which of all samples these are, shape (b,)."""

    def sample_gradients(self, x: Array) -> Array:
        """Return the gradient of the loss of each, shape (..., b, dim), x of shape (..., dim)."""


@runtime_checkable
class Stream(Protocol):
    """An objective that changes with the step: mini-batches, gradient noise, a signal.

    `at` is pure: the same step always gives the same objective, so that every optimizer sees the
    same sequence.
    """

    @property
    def dim(self) -> int:
        """Number of coordinates of a point."""

    def at(self, step: int) -> Objective:
        """Return the objective of step number `step` (0, 1, ...)."""


class ShiftedObjective:
    """An objective evaluated at x + shift instead of x, with shift of shape (..., dim).

    Constraints and penalties are those of x.
    """

    def __init__(self, objective: Objective, shift: Array) -> None:
        self._objective, self._shift = objective, shift
        for name in FUNCTIONS:
            if getattr(objective, name, None) is not None:
                setattr(self, name, partial(self._at, name))

    def __getattr__(self, name: str) -> Any:
        if name not in BESIDE:
            raise AttributeError(name)
        found = getattr(self._objective, name)
        shifts = name in OBJECTIVES and found is not None
        return ShiftedObjective(found, self._shift) if shifts else found

    def _at(self, name: str, x: Array, *more: Array) -> Any:
        return getattr(self._objective, name)(x + self._shift, *more)

    @property
    def dim(self) -> int:
        return self._objective.dim

    def value(self, x: Array) -> Array:
        return self._objective.value(x + self._shift)

    def gradient(self, x: Array) -> Array:
        return self._objective.gradient(x + self._shift)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        return self._objective.value_and_gradient(x + self._shift)
