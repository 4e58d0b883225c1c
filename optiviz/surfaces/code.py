"""The code of formulas: a text of assignments and a list of results, compiled to numpy.

The text may come from a damaged file. Only nodes on a whitelist are compiled: arithmetic, numbers,
names that were assigned before, and the functions below.

    x0 = x**2
    [sin(x0) + y, 2*x*cos(x0), 1]
"""

import ast
import math
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from optiviz.objective import Array
from optiviz.surfaces.domain import AXES

Compiled = Callable[..., list[Any]]  # of the coordinates; a result may be a number, not an array


def not_below(a: Array, b: Array) -> Array:
    """Return 1.0 where a >= b, else 0.0 (Iverson bracket): booleans do not add up."""
    return np.where(np.greater_equal(a, b), 1.0, 0.0)


FUNCTIONS: dict[str, Callable[..., Array]] = {
    **{name: getattr(np, name) for name in ("sin", "cos", "tan", "exp", "log", "sqrt", "arctan")},
    **{name: getattr(np, name) for name in ("sinh", "cosh", "tanh", "abs", "sign", "floor")},
    **{name: getattr(np, name) for name in ("maximum", "minimum")},
    "not_below": not_below,
}
CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}
ASSIGNED = re.compile(r"x\d+")  # names of common subexpressions


@cache
def compile_code(code: str, dim: int) -> Compiled:
    """Return the function of a code in `dim` coordinates; raise ValueError if it is not valid."""
    try:
        body = ast.parse(code).body
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"not valid code: {error}") from None
    coordinates = AXES[:dim]
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
    space: dict[str, Any] = {"__builtins__": {}, **FUNCTIONS, **CONSTANTS}
    exec(compile(ast.fix_missing_locations(module), "<formula>", "exec"), space)
    compiled: Compiled = space["compiled"]
    return compiled


def _check(expression: ast.expr, known: set[str]) -> None:
    """Raise ValueError unless all nodes of an expression are on the whitelist."""
    left_to_check = [expression]  # a long sum nests too deeply for a recursion
    while left_to_check:
        match left_to_check.pop():
            case ast.Constant(value=int() | float() | complex()):
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
