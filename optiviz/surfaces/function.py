"""A user's Python function as a surface: f(x) or f(x, y) of numpy arrays.

The gradient is exact if the function can be traced: if calling it with symbols instead of arrays
gives an expression with the same values. Otherwise it is computed by central differences.
"""

import inspect
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import sympy
from numpy.lib.mixins import NDArrayOperatorsMixin

from optiviz.objective import Array
from optiviz.surfaces.derivation import MAX_SECONDS, Derivation, symbols
from optiviz.surfaces.formula import Formula
from optiviz.surfaces.grammar import FUNCTIONS
from optiviz.system import plugins
from optiviz.system.errors import InputError
from optiviz.system.text import counted
from optiviz.system.time_limit import TimeLimit

ORDER = 4  # of the differences: the error is of this order in the step size
WEIGHTS = {-2: 1 / 12, -1: -2 / 3, 1: 2 / 3, 2: -1 / 12}  # of the values so many steps away
STEP_SIZE = float(np.finfo(float).eps) ** (1 / (ORDER + 1))  # balances rounding and truncation
SECOND_STEP_SIZE = float(np.finfo(float).eps) ** (1 / (ORDER + 2))
MAX_OPERATIONS = 1000  # while a function is traced
TRIED, SAME = 100, 1e-9  # points where a trace is compared with the function; tolerance

UFUNCS: dict[np.ufunc, Callable[..., sympy.Expr]] = {
    np.add: lambda a, b: a + b,
    np.subtract: lambda a, b: a - b,
    np.multiply: lambda a, b: a * b,
    np.divide: lambda a, b: a / b,
    np.power: lambda a, b: a**b,
    np.float_power: lambda a, b: a**b,
    np.negative: lambda a: -a,
    np.positive: lambda a: a,
    np.square: lambda a: a**2,
    np.reciprocal: lambda a: 1 / a,
    np.arctan: sympy.atan,
    np.exp2: lambda a: 2**a,
    np.expm1: lambda a: sympy.exp(a) - 1,
    np.log1p: lambda a: sympy.log(1 + a),
    np.log2: lambda a: sympy.log(a) / sympy.log(2),
    np.log10: lambda a: sympy.log(a) / sympy.log(10),
    np.absolute: FUNCTIONS["abs"],
    np.fabs: FUNCTIONS["abs"],
    np.maximum: FUNCTIONS["max"],
    np.minimum: FUNCTIONS["min"],
    **{getattr(np, name): FUNCTIONS[name] for name in ("sin", "cos", "tan", "exp", "log", "sqrt")},
    **{getattr(np, name): FUNCTIONS[name] for name in ("sinh", "cosh", "tanh", "hypot", "sign")},
    np.floor: FUNCTIONS["floor"],
}


class Untraceable(Exception):
    """An operation on a symbol that cannot be traced."""


class Traced(NDArrayOperatorsMixin):
    """A symbol in place of an array, which records the operations on it."""

    operations = 0

    def __init__(self, expression: sympy.Expr) -> None:
        self.expression = expression

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **more: Any) -> "Traced":
        Traced.operations += 1
        if method != "__call__" or more or ufunc not in UFUNCS:
            raise Untraceable
        if Traced.operations > MAX_OPERATIONS:
            raise Untraceable
        return Traced(UFUNCS[ufunc](*map(_expression, inputs)))

    def __bool__(self) -> bool:
        raise Untraceable

    __float__ = __int__ = __index__ = __array__ = __bool__


def _expression(value: Any) -> sympy.Expr:
    if isinstance(value, Traced):
        return value.expression
    if np.ndim(value) or isinstance(value, complex) or not np.isfinite(value):
        raise Untraceable
    return sympy.Rational(repr(float(value)))


class Function:
    """A function of one or two arrays as an objective, with an exact gradient if `exact`."""

    def __init__(self, name: str, sides: Sequence[tuple[float, float]]) -> None:
        self.name, self.dim = name, len(sides)
        self._found = plugins.load(name)
        self._file = plugins.file_of(name) or ""
        takes = arguments(name)
        if takes != self.dim:
            coordinates = counted(takes, "coordinate")
            raise InputError(f"{name} takes {coordinates}, but its domain has {self.dim}")
        self._scale = np.array([(high - low) / 6 for low, high in sides])
        low, high = np.transpose(sides)
        self._tried = np.random.default_rng(0).uniform(low, high, (TRIED, self.dim))
        self._value(self._tried)  # raises errors that occur everywhere
        self._formula = self._traced()

    @property
    def exact(self) -> bool:
        """Whether the gradient is exact."""
        return self._formula is not None

    @property
    def caption(self) -> str:
        """The name, and how the gradient is computed."""
        how = "exact gradient" if self.exact else f"gradient by differences of order {ORDER}"
        return f"{self.name}, {how}"

    def value(self, x: Array) -> Array:
        """Return f(x), shape (...), for x of shape (..., dim)."""
        try:
            return self._value(x)
        except InputError:  # __init__ found values, so it is only undefined here
            return np.full(x.shape[:-1], np.nan)

    def _value(self, x: Array) -> Array:
        with plugins.third_party_code(self.name, self._file), np.errstate(all="ignore"):
            found = self._found(*np.moveaxis(np.array(x, float), -1, 0))
            if found is None:
                raise InputError(f"{self.name} returned None")
            if np.iscomplexobj(found):
                raise InputError(f"{self.name} returned complex numbers")
            value = np.asarray(found, float)
            if value.shape not in ((), x.shape[:-1]):
                raise InputError(
                    f"{self.name} returned an array of shape {value.shape} for coordinates of "
                    f"shape {x.shape[:-1]}"
                )
            return np.array(np.broadcast_to(value, x.shape[:-1]))

    def gradient(self, x: Array) -> Array:
        """Return df/dx, shape (..., dim)."""
        if self._formula is not None:
            return self._formula.gradient(x)
        return self._differences(self.value, x, STEP_SIZE)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return value and gradient."""
        return self.value(x), self.gradient(x)

    def hessian(self, x: Array) -> Array:
        """Return d2f/dx2, shape (..., dim, dim)."""
        if self._formula is not None:
            return self._formula.hessian(x)
        return self._differences(self.gradient, x, SECOND_STEP_SIZE)

    def _differences(self, of: Callable[[Array], Array], x: Array, apart: float) -> Array:
        """Return derivatives along a new last axis, one per coordinate, by central differences."""
        slopes = []
        for axis in range(self.dim):
            far = apart * np.maximum(self._scale[axis], np.abs(x[..., axis]))
            moved = np.zeros_like(x)
            moved[..., axis] = far
            change = sum(weight * of(x + many * moved) for many, weight in WEIGHTS.items())
            slopes.append(change / far[(..., *[None] * (np.ndim(change) - np.ndim(far)))])
        return np.stack(slopes, axis=-1)

    def _traced(self) -> Formula | None:
        """Return the function as an expression, or None if it cannot be traced."""
        Traced.operations = 0
        try:
            time_limit = TimeLimit(MAX_SECONDS)
            with time_limit.running():
                found = _expression(self._found(*(Traced(each) for each in symbols(self.dim))))
            formula = Formula(self.dim, Derivation(found, self.dim, self.name, time_limit))
            with np.errstate(all="ignore"):
                traced, slopes = formula.value_and_gradient(self._tried)
                formula.hessian(self._tried[:1])
            same = np.isclose(traced, self.value(self._tried), SAME, SAME, equal_nan=True).all()
            return formula if same and np.shape(slopes) == self._tried.shape else None
        except Exception:  # symbols can make code for arrays raise anything
            return None


def arguments(name: str) -> int:
    """Return how many coordinates a function takes; raise InputError if not one or two.

    The file or module that defines it is run.
    """
    found = plugins.load(name)
    try:
        declared = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        raise InputError(f"{name} has no signature: wrap it in a function of x and y") from None
    takes = [
        each
        for each in declared
        if each.default is each.empty
        and each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
    ]
    if not 1 <= len(takes) <= 2:
        raise InputError(f"{name} must take one or two coordinates, not {len(takes)}")
    return len(takes)


@cache
def function(name: str, digest: str, sides: tuple[tuple[float, float], ...]) -> Function:
    """Return the function of a name, whose file has the SHA-256 `digest`, in a window."""
    return Function(name, sides)
