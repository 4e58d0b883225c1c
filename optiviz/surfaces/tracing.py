"""Tracing: a Python function is called with symbols, which record what it does with them.

So it becomes an expression, with exact derivatives. What cannot be recorded, such as a branch on a
value, ends the attempt.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy
from numpy.lib.mixins import NDArrayOperatorsMixin

from optiviz.surfaces.grammar import COMPARISON_NODES, FUNCTIONS

MAX_OPERATIONS = 1000

UFUNCS: dict[np.ufunc, Callable[..., sympy.Expr]] = {
    np.add: lambda a, b: a + b,
    np.subtract: lambda a, b: a - b,
    np.multiply: lambda a, b: a * b,
    np.divide: lambda a, b: a / b,
    np.power: lambda a, b: a**b,
    np.float_power: lambda a, b: a**b,
    np.negative: lambda a: -a,
    np.positive: lambda a: a,
    np.reciprocal: lambda a: 1 / a,
    np.exp2: lambda a: 2**a,
    np.absolute: FUNCTIONS["abs"],
    np.fabs: FUNCTIONS["abs"],
    np.maximum: FUNCTIONS["max"],
    np.minimum: FUNCTIONS["min"],
    np.fmax: FUNCTIONS["max"],
    np.fmin: FUNCTIONS["min"],
    np.remainder: FUNCTIONS["mod"],
    np.rint: FUNCTIONS["round"],
    np.arcsin: FUNCTIONS["asin"],
    np.arccos: FUNCTIONS["acos"],
    np.arctan: FUNCTIONS["atan"],
    np.arctan2: FUNCTIONS["atan2"],
    np.arcsinh: FUNCTIONS["asinh"],
    np.arccosh: FUNCTIONS["acosh"],
    np.arctanh: FUNCTIONS["atanh"],
    **{
        getattr(np, name): FUNCTIONS[name] for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")
    },
    **{getattr(np, name): FUNCTIONS[name] for name in ("exp", "expm1", "log", "log1p", "log2")},
    **{getattr(np, name): FUNCTIONS[name] for name in ("log10", "logaddexp", "sqrt", "cbrt")},
    **{getattr(np, name): FUNCTIONS[name] for name in ("square", "hypot", "sign", "floor", "ceil")},
    np.greater: COMPARISON_NODES[">"],
    np.greater_equal: COMPARISON_NODES[">="],
    np.less: COMPARISON_NODES["<"],
    np.less_equal: COMPARISON_NODES["<="],
    np.equal: COMPARISON_NODES["=="],
    np.not_equal: COMPARISON_NODES["!="],
    np.logical_and: lambda a, b: FUNCTIONS["where"](a, b, sympy.Integer(0)),
    np.logical_or: lambda a, b: FUNCTIONS["where"](a, sympy.Integer(1), b),
    np.logical_not: lambda a: FUNCTIONS["where"](a, sympy.Integer(0), sympy.Integer(1)),
    np.bitwise_and: lambda a, b: FUNCTIONS["where"](a, b, sympy.Integer(0)),
    np.bitwise_or: lambda a, b: FUNCTIONS["where"](a, sympy.Integer(1), b),
}
OTHERS: dict[Callable[..., Any], Callable[..., sympy.Expr]] = {  # no ufuncs, of numbers alone
    np.where: FUNCTIONS["where"],
    np.clip: FUNCTIONS["clip"],
    np.sinc: FUNCTIONS["sinc"],
    np.round: FUNCTIONS["round"],
}


class Untraceable(BaseException):
    """An operation on a symbol that cannot be traced; `except Exception` does not catch it."""


class Traced(NDArrayOperatorsMixin):
    """A symbol in place of a number, which records the operations on it.

    Together with an array it gives an array of objects, each a symbol, whose functions numpy looks
    up as their methods.
    """

    operations = 0

    def __init__(self, expression: sympy.Expr) -> None:
        self.expression = expression

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **more: Any) -> Any:
        if method != "__call__" or more or ufunc not in UFUNCS:
            raise Untraceable
        if any(isinstance(each, np.ndarray) and each.ndim for each in inputs):
            return np.frompyfunc(ufunc, len(inputs), 1)(*map(_as_objects, inputs))
        return _recorded(UFUNCS[ufunc], inputs)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Sequence[Any], more: dict[str, Any]
    ) -> "Traced":
        whole = any(isinstance(each, np.ndarray | list | tuple) for each in args)
        if more or function not in OTHERS or whole:
            raise Untraceable
        return _recorded(OTHERS[function], args)

    def __bool__(self) -> bool:
        raise Untraceable

    __float__ = __int__ = __index__ = __bool__


def _method(ufunc: np.ufunc) -> Callable[..., Any]:
    return lambda self, *others: ufunc(self, *others)


for _ufunc in UFUNCS:
    setattr(Traced, _ufunc.__name__, _method(_ufunc))


def _as_objects(value: Any) -> Any:
    """Return an array whose elements are kept as they are, without converting symbols."""
    if not isinstance(value, Traced):
        return np.asarray(value, object)
    held = np.empty((), object)
    held[()] = value
    return held


def _recorded(operation: Callable[..., sympy.Expr], inputs: Sequence[Any]) -> Traced:
    Traced.operations += 1
    if Traced.operations > MAX_OPERATIONS:
        raise Untraceable
    return Traced(operation(*map(expression_of, inputs)))


def expression_of(value: Any) -> sympy.Expr:
    """Return the expression of a traced value, or a number as one; raise Untraceable otherwise."""
    if isinstance(value, np.ndarray) and not value.ndim:
        value = value[()]
    if isinstance(value, Traced):
        return value.expression
    if np.ndim(value) or isinstance(value, complex) or not np.isfinite(value):
        raise Untraceable
    return sympy.Rational(repr(float(value)))


def trace(call: Callable[[list[Any]], Any], symbols: Sequence[sympy.Symbol]) -> sympy.Expr:
    """Return the expression that a function computes from a list of coordinates.

    Raises Untraceable, or anything that the function raises, if there is none.
    """
    Traced.operations = 0
    return expression_of(call([Traced(each) for each in symbols]))
