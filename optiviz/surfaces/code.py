"""The code of formulas: a text of assignments and a list of results, compiled to numpy.

The text may come from a damaged file. Only nodes on a whitelist are compiled: arithmetic, numbers,
names that were assigned before, and the functions below.

    x0 = x**2
    [sin(x0) + y, 2*x*cos(x0), 1]

It is evaluated in float64. Where an intermediate result is too large or too small for that, or
undefined, it is evaluated again with numbers of any size, so that exp(a)/(exp(a) + exp(b)) has its
value wherever that is finite.
"""

import ast
import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from types import CodeType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array
from optiviz.surfaces.syntax import AXES

FEW = 0.5  # |pi*a| below which derivatives of sinc are computed from a series
SLOPE = -1 / 3, 1 / 30, -1 / 840, 1 / 45360, -1 / 3991680, 1 / 518918400
BEND = tuple((2 * power + 1) * each for power, each in enumerate(SLOPE))
THIRD = tuple(2 * power * each for power, each in enumerate((*BEND, -13 / 93405312000)) if power)
SERIES = {1: SLOPE, 2: BEND, 3: THIRD}


def not_below(a: Array, b: Array) -> Array:
    """Return 1.0 where a >= b, else 0.0 (Iverson bracket): booleans do not add up."""
    return np.where(np.greater_equal(a, b), 1.0, 0.0)


def above(a: Array, b: Array) -> Array:
    """Return 1.0 where a > b, else 0.0."""
    return np.where(np.greater(a, b), 1.0, 0.0)


def equal(a: Array, b: Array) -> Array:
    """Return 1.0 where a == b, else 0.0."""
    return np.where(np.equal(a, b), 1.0, 0.0)


def sigmoid(a: Array) -> Array:
    """Return 1/(1 + exp(-a)), which does not overflow."""
    small = np.exp(-np.abs(a))
    share: Array = np.where(np.greater_equal(a, 0), 1.0, small) / (1 + small)
    return share


def softplus(a: Array) -> Array:
    """Return log(1 + exp(a)), which does not overflow."""
    return np.logaddexp(0.0, a)


_erf = np.frompyfunc(math.erf, 1, 1)


def erf(a: Array) -> Array:
    """Return the error function."""
    return np.asarray(_erf(a), float)


def sinc(a: Array, order: int = 0) -> Array:
    """Return sin(pi*a)/(pi*a), or its first, second or third derivative."""
    if not order:
        return np.sinc(a)
    u = np.multiply(np.pi, a)
    squares = np.where(np.abs(u) < FEW, u * u, 0.0)
    near = np.polynomial.polynomial.polyval(squares, SERIES[order])
    far = np.where(np.abs(u) < FEW, 1.0, u)
    slope = (np.cos(far) - np.sin(far) / far) / far
    if order == 1:
        return np.pi * np.where(np.abs(u) < FEW, near * u, slope)
    bend = -np.sin(far) / far - 2 * slope / far
    if order == 2:
        return np.pi**2 * np.where(np.abs(u) < FEW, near, bend)
    turn = 2 * (slope / far - bend) / far - slope
    return np.pi**3 * np.where(np.abs(u) < FEW, near * u, turn)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in ("sin", "cos", "tan", "arcsin", "arccos", "arctan")},
    **{name: getattr(np, name) for name in ("sinh", "cosh", "tanh")},
    **{name: getattr(np, name) for name in ("arcsinh", "arccosh", "arctanh", "arctan2")},
    **{name: getattr(np, name) for name in ("exp", "expm1", "log", "log1p", "log2", "log10")},
    **{name: getattr(np, name) for name in ("logaddexp", "sqrt", "cbrt", "abs", "sign", "floor")},
    **{name: getattr(np, name) for name in ("ceil", "rint", "mod", "maximum", "minimum", "where")},
    "not_below": not_below,
    "above": above,
    "equal": equal,
    "sigmoid": sigmoid,
    "softplus": softplus,
    "erf": erf,
    "sinc": sinc,
}
CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}
ASSIGNED = re.compile(r"x\d+")  # names of common subexpressions


def coordinate_names(dim: int) -> tuple[str, ...]:
    """Return the names of coordinates in code: x, y, or, if there are more, c0, c1 and so on."""
    return AXES[:dim] if dim <= len(AXES) else tuple(f"c{number}" for number in range(dim))


class Compiled:
    """A code as a function of the coordinates: `run` returns its results."""

    def __init__(self, code: CodeType) -> None:
        self._code = code

    def run(self, *coordinates: Array) -> list[Array]:
        """Return the results, each of the shape of the coordinates, which is the same for all."""
        raised: set[str] = set()
        with np.errstate(all="call", call=lambda kind, _: raised.add(kind)):
            results = [_shaped(each, coordinates[0].shape) for each in self._plain(*coordinates)]
        if raised:
            self._extend(results, coordinates, bool({"overflow", "underflow"} & raised))
        return results

    def _extend(self, results: list[Array], coordinates: tuple[Array, ...], left: bool) -> None:
        """Replace results that need numbers beyond float64; errors are signalled as usual.

        If no intermediate result has `left` the range of float64, these are among those that are
        not finite. Otherwise, finite ones may be wrong, too, as those of huge/(huge + too_large).
        """
        from optiviz.surfaces import scaled

        wrong = ~_all_finite(results)
        if left:
            wrong |= scaled.leaves_range(self._watched, coordinates)
        wrong &= _all_finite(coordinates)
        if not wrong.any():
            return
        with np.errstate(all="ignore"):
            some = (scaled.Scaled.of(each[wrong]) for each in coordinates)
            for result, each in zip(results, self._extended(*some), strict=True):
                result[wrong] = scaled.Scaled.of(each).to_float()
        wrong &= ~_all_finite(results)
        if wrong.any():
            self._plain(*(each[wrong] for each in coordinates))  # signals why

    @cached_property
    def _plain(self) -> Callable[..., list[Any]]:
        return self.bind(FUNCTIONS)

    @cached_property
    def _watched(self) -> Callable[..., list[Any]]:
        from optiviz.surfaces.scaled import WATCHED

        return self.bind(WATCHED)

    @cached_property
    def _extended(self) -> Callable[..., list[Any]]:
        from optiviz.surfaces.scaled import FUNCTIONS as OF_ANY_SIZE

        return self.bind(OF_ANY_SIZE)

    def bind(self, functions: Mapping[str, Callable[..., Any]]) -> Callable[..., list[Any]]:
        """Return the code as a Python function that calls these functions and no others."""
        space: dict[str, Any] = {"__builtins__": {}, **functions, **CONSTANTS}
        exec(self._code, space)
        bound: Callable[..., list[Any]] = space["compiled"]
        return bound


def _all_finite(arrays: Sequence[Array]) -> NDArray[np.bool_]:
    """Return where all of several arrays of one shape are finite."""
    finite: NDArray[np.bool_] = np.logical_and.reduce([np.isfinite(each) for each in arrays])
    return finite


def _shaped(result: Any, shape: tuple[int, ...]) -> Array:
    """Return a result as an array of its own; a constant one is a single number in code."""
    found: Array = np.array(result, float)
    return found if found.shape == shape else np.full(shape, found)


@cache
def compile_code(code: str, dim: int) -> Compiled:
    """Return the function of a code in `dim` coordinates; raise ValueError if it is not valid."""
    try:
        body = ast.parse(code).body
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"not valid code: {error}") from None
    coordinates = coordinate_names(dim)
    known = {*coordinates, *CONSTANTS}
    *assignments, last = body or [ast.Pass()]
    for each in assignments:
        match each:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if ASSIGNED.fullmatch(name):
                _check(value, known)
                known.add(name)
            case _:
                raise ValueError(f"not valid code: {type(each).__name__} is not allowed")
    match last:
        case ast.Expr(value=ast.List(elts=results) as returned):
            for result in results:
                _check(result, known)
        case _:
            raise ValueError("not valid code: it does not end with a list")
    module = ast.parse(f"def compiled({', '.join(coordinates)}): pass")
    defined = module.body[0]
    assert isinstance(defined, ast.FunctionDef)
    defined.body = [*assignments, ast.Return(returned)]
    return Compiled(compile(ast.fix_missing_locations(module), "<formula>", "exec"))


def _check(expression: ast.expr, known: set[str]) -> None:
    """Raise ValueError unless all nodes of an expression are on the whitelist."""
    left_to_check = [expression]  # a long sum nests too deeply for a recursion
    while left_to_check:
        match left_to_check.pop():
            case ast.Constant(value=int() | float()):
                pass
            case ast.Name(id=name) if name in known:
                pass
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                left_to_check.append(operand)
            case ast.BinOp(left, ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow(), right):
                left_to_check += [left, right]
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
                left_to_check += args
            case node:
                raise ValueError(f"not valid code: {type(node).__name__} is not allowed")
