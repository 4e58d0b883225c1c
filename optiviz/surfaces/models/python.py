"""Any program's loss over a vector as a problem."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from optiviz.objective import Array
from optiviz.surfaces.models.problem import ModelProblem, name_of
from optiviz.surfaces.parts import parts_of
from optiviz.system import plugins
from optiviz.system.errors import InputError
from optiviz.system.text import counted


class PythonProblem(ModelProblem):
    """A loss of your own, in any language that Python can call, over a vector of any length.

    x0 is where runs begin, shape (dim,). value(x) returns the loss at a vector of float64, shape
    (dim,), and gradient(x) its gradient, shape (dim,). Both must return the same at each call, and
    leave x as it is. name is what pictures call it.

    Raises InputError if they return something else at x0.
    """

    def __init__(
        self,
        x0: ArrayLike,
        value: Callable[[Array], Any],
        gradient: Callable[[Array], ArrayLike],
        *,
        name: str = "",
    ) -> None:
        try:
            start = np.array(x0, float)
        except (TypeError, ValueError) as error:
            raise InputError(f"x0 must be a vector of numbers: {error}") from None
        if start.ndim != 1 or not start.size:
            raise InputError(f"x0 must have shape (dim,), not {start.shape}")
        if not np.isfinite(start).all():
            raise InputError("x0 must be finite")
        for what, given in (("value", value), ("gradient", gradient)):
            if not callable(given):
                raise InputError(f"{what} must be a function of x, not {type(given).__name__}")
        self.initial, self.parts = start, parts_of([("x", start.shape)])
        self._value, self._gradient = value, gradient
        self.name = name_of(name, getattr(value, "__name__", "value").strip("<>"))
        self.caption = f"{self.name}, {counted(len(start), 'parameter')}"
        loss, _ = self.value_and_gradient(start)
        if not np.isfinite(loss):
            raise InputError(f"{self.name} is {float(loss)} at x0, which must be finite")
        if self.value(start) != loss:
            raise InputError(
                f"{self.name} returns another value each time: let it draw random numbers from a "
                "generator with a seed of its own"
            )

    def value(self, x: Array) -> Array:
        points = np.reshape(np.asarray(x, float), (-1, self.dim))
        return np.array([self._loss(each) for each in points]).reshape(np.shape(x)[:-1])

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        points = np.reshape(np.asarray(x, float), (-1, self.dim))
        slopes = np.array([self._slope(each) for each in points])
        return self.value(x), slopes.reshape(np.shape(x))

    def thread_copy(self) -> None:
        """Return None: nobody knows whether any program bears several threads at once."""

    def fingerprint(self) -> tuple[bytes, ...]:
        return (b"python", self.name.encode())

    def _loss(self, x: Array) -> float:
        with plugins.third_party_code(self.name), np.errstate(all="ignore"):
            found = np.asarray(self._value(x.copy()))
        if found.size != 1 or found.dtype.kind not in "iuf":
            raise InputError(
                f"{self.name} must return one number, not {_described(found)}: a loss is a scalar"
            )
        return float(found.item())

    def _slope(self, x: Array) -> Array:
        with plugins.third_party_code(self.name), np.errstate(all="ignore"):
            found = np.asarray(self._gradient(x.copy()))
        if found.shape != x.shape or found.dtype.kind not in "iuf":
            raise InputError(
                f"the gradient of {self.name} must be numbers of shape {x.shape}, "
                f"not {_described(found)}"
            )
        return found.astype(float)


def _described(found: "np.ndarray[Any, Any]") -> str:
    """Return the kind and shape of an array as text."""
    return f"an array of {found.dtype} of shape {found.shape}"
