"""Arrays of runs, computed to the last bit as each run is when it is walked alone.

numpy computes the same bits for a number as for an array, with one exception: powers. Alone, a
hyperparameter is a number, and so is what a formula computes from a coordinate. So what stands for
numbers is of a type of its own here, which takes powers one by one. What a user's class computes
from points is of another type, which refuses whatever a run alone could compute otherwise.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from optiviz.objective import Array, Objective, Stream


class Numbers(np.ndarray):
    """One number per run. What is computed from numbers alone is Numbers."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **more: Any) -> Any:
        plain, of_numbers = [], True
        for each in inputs:  # called for each operation of a formula, so types are compared first
            kind = type(each)
            if kind is Runs:
                return NotImplemented
            if kind is Numbers or kind is Points:
                each = each.view(np.ndarray)
            elif kind is not float and np.ndim(each):
                of_numbers = False
            plain.append(each)
        found = _called(ufunc, method, plain, more)
        return found.view(Numbers) if of_numbers and isinstance(found, np.ndarray) else found

    def __pow__(self, exponent: Any, modulo: None = None) -> Any:
        if isinstance(exponent, Runs):
            return NotImplemented
        if np.ndim(exponent):
            return _plain(self) ** _plain(exponent)
        return self._each(lambda number: number**exponent)

    def __rpow__(self, base: Any, modulo: None = None) -> Any:
        return self._each(lambda number: base**number)

    def _each(self, power: Callable[[Any], Any]) -> "Numbers":
        powers: Array = np.array([power(number) for number in _plain(self).flat], float)
        return powers.reshape(self.shape).view(Numbers)


class Points(Numbers):
    """Points and their coordinates. Alone, these are arrays, but all computed from them numbers."""

    def __pow__(self, exponent: Any, modulo: None = None) -> Any:
        return (_plain(self) ** _plain(exponent)).view(Numbers)

    def __rpow__(self, base: Any, modulo: None = None) -> Any:
        return (base ** _plain(self)).view(Numbers)


class Runs(np.ndarray):
    """What a user's class computes for all runs, shape (trials, starts, ...).

    Raises TypeError for anything that is not an array of all runs, such as their largest gradient,
    and for powers of one number per run.
    """

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **more: Any) -> Any:
        return self._of_all_runs(_called(ufunc, method, [_plain(each) for each in inputs], more))

    def __array_function__(self, *call: Any) -> Any:
        return self._of_all_runs(super().__array_function__(*call))

    def __pow__(self, exponent: Any, modulo: None = None) -> Any:
        return (self._vectors() ** exponent).view(Runs)

    def __rpow__(self, base: Any, modulo: None = None) -> Any:
        return (_plain(base) ** self._vectors()).view(Runs)

    def _vectors(self) -> Any:
        if self.ndim < 3:
            raise TypeError("a power of one number per run may have other bits")
        return _plain(self)

    def _of_all_runs(self, found: Any) -> Any:
        if isinstance(found, np.ndarray) and found.shape[:2] == self.shape[:2]:
            return found.view(Runs)
        if isinstance(found, np.ndarray | np.generic | bool):
            raise TypeError("runs may not depend on each other")
        return found


OURS = {Numbers, Points, Runs}


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if type(value) in OURS else value


def _called(ufunc: np.ufunc, method: str, inputs: list[Any], more: dict[str, Any]) -> Any:
    if "out" in more:
        more["out"] = tuple(map(_plain, more["out"]))
    return (ufunc if method == "__call__" else getattr(ufunc, method))(*inputs, **more)


class AloneObjective:
    """A stream that gives the points of an array what the objective or stream gives each alone."""

    def __init__(self, objective: Objective | Stream) -> None:
        self._objective: Any = objective

    @property
    def dim(self) -> int:
        """Number of coordinates of a point."""
        return int(self._objective.dim)

    def at(self, step: int) -> "AloneObjective":
        """Return the objective of step number `step`."""
        if not hasattr(self._objective, "at"):
            return self
        here = self._objective.at(step)
        return self if here is self._objective else AloneObjective(here)

    def value(self, x: Array) -> Runs:
        """Return f(x), shape (...)."""
        return _runs(self._objective.value(x.view(Points)))

    def gradient(self, x: Array) -> Runs:
        """Return df/dx, shape (..., dim)."""
        return _runs(self._objective.gradient(x.view(Points)))

    def value_and_gradient(self, x: Array) -> tuple[Runs, Runs]:
        """Return value and gradient."""
        value, gradient = self._objective.value_and_gradient(x.view(Points))
        return _runs(value), _runs(gradient)

    def hessian(self, x: Array) -> Runs:
        """Return d2f/dx2, shape (..., dim, dim), if the objective has second derivatives."""
        return _runs(self._objective.hessian(x.view(Points)))


def _runs(found: Array) -> Runs:
    """Return an array as Runs."""
    return found.view(Runs)
