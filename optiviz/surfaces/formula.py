"""Formulas: a text compiled to its value, exact gradient and Hessian.

The text may be untrusted and is never executed: the grammar converts it to an expression, sympy
differentiates this, and `lambdify` compiles the code that sympy prints.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from typing import Any

import numpy as np
import sympy

from optiviz.objective import Array
from optiviz.surfaces.grammar import NAMES, named_formula, parse_formula
from optiviz.surfaces.kinks import KINKED, CodePrinter, TextPrinter
from optiviz.system.errors import InputError
from optiviz.system.time_limit import TimeLimit

MAX_DERIVATIVE = 10_000  # nodes; about a second to differentiate and compile
MAX_SECONDS = 1.0  # to compile a formula; second derivatives may take as long again


def symbols(dim: int) -> tuple[sympy.Symbol, ...]:
    """Return the sympy symbols x, or x and y."""
    return tuple(sympy.symbols(NAMES[:dim], real=True))


class Formula:
    """A sympy expression in x (and y), differentiated and compiled when first used.

    Raises InputError, with `name` in the message, if its derivatives are too long or too slow.
    """

    def __init__(self, expression: sympy.Expr, dim: int, name: str, time_limit: TimeLimit) -> None:
        self.dim = dim
        self._name = name
        self._patience = time_limit
        self._more = TimeLimit(time_limit.seconds)  # for second derivatives
        self._symbols = symbols(dim)
        self._expression = expression

    def value(self, x: Array) -> Array:
        """Return f(x), shape (...), for x of shape (..., dim)."""
        return self._shaped(self._value(*self._coordinates(x)), x)[0]

    def gradient(self, x: Array) -> Array:
        """Return df/dx, shape (..., dim)."""
        return _vectors(self._shaped(self._gradient(*self._coordinates(x)), x))

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return value and gradient; common subexpressions are computed once."""
        value, *slope = self._shaped(self._value_and_gradient(*self._coordinates(x)), x)
        return value, _vectors(slope)

    def hessian(self, x: Array) -> Array:
        """Return d2f/dx2, shape (..., dim, dim)."""
        entries = self._shaped(self._hessian(*self._coordinates(x)), x)
        return np.stack(entries, axis=-1).reshape(*x.shape, self.dim)

    def gradient_text(self) -> tuple[str, ...]:
        """Return the derivative with respect to each coordinate, in the syntax of formulas."""
        with _waiting(self._name, self._patience):
            return tuple(TextPrinter().doprint(slope) for slope in self._slopes)

    @cached_property
    def _slopes(self) -> tuple[sympy.Expr, ...]:
        return tuple(self._derivative(self._expression, each) for each in self._symbols)

    @cached_property
    def _value(self) -> Callable[..., Any]:
        with _waiting(self._name, self._patience):
            return self._compile(self._expression)

    @cached_property
    def _gradient(self) -> Callable[..., Any]:
        with _waiting(self._name, self._patience):
            return self._compile(*self._slopes)

    @cached_property
    def _value_and_gradient(self) -> Callable[..., Any]:
        with _waiting(self._name, self._patience):
            return self._compile(self._expression, *self._slopes)

    @cached_property
    def _hessian(self) -> Callable[..., Any]:
        with _waiting(self._name, self._more):
            slopes, symbols = self._slopes, self._symbols
            return self._compile(*(self._derivative(s, each) for s in slopes for each in symbols))

    def _derivative(self, expression: sympy.Expr, symbol: sympy.Symbol) -> sympy.Expr:
        if _derivative_size(expression) > MAX_DERIVATIVE:
            raise InputError(f"{self._name}: its derivatives are too long: use fewer products")
        # sqrt(x**2) becomes sympy's own Abs, whose second derivative is a delta function: 0 except
        # at the kink.
        slope = sympy.diff(expression, symbol)
        return slope.replace(sympy.DiracDelta, lambda *_: sympy.Integer(0))

    def _compile(self, *expressions: sympy.Expr) -> Callable[..., Any]:
        # Passing "numpy" instead of its contents would import all of its submodules.
        compiled: Callable[..., Any] = sympy.lambdify(
            self._symbols,
            list(expressions),
            modules=[{kind.__name__: function for kind, function in KINKED.items()}, vars(np)],
            printer=CodePrinter(
                {
                    "fully_qualified_modules": False,
                    "inline": True,
                    "allow_unknown_functions": True,
                    "user_functions": {kind.__name__: kind.__name__ for kind in KINKED},
                }
            ),
            cse=True,
        )
        return compiled

    def _coordinates(self, x: Array) -> Iterator[Array]:
        return (x[..., i] for i in range(self.dim))

    def _shaped(self, values: list[Any], x: Array) -> list[Array]:
        # A constant derivative is returned as one number.
        return [np.array(np.broadcast_to(np.asarray(each, float), x.shape[:-1])) for each in values]


def _vectors(coordinates: list[Array]) -> Array:
    """Stack arrays along a new last axis, each contiguous in memory, which is faster."""
    return np.moveaxis(np.stack(coordinates), 0, -1)


@cache
def formula(text: str, dim: int, ours: bool = False) -> Formula:
    """Return the formula of a text; the same text is parsed and compiled once per process.

    A bundled formula (`ours`) has no time limit: it is known to finish, however slow the machine.
    """
    named, time_limit = named_formula(text), TimeLimit(math.inf if ours else MAX_SECONDS)
    with _waiting(named, time_limit):
        expression = parse_formula(text, dict(zip(NAMES, symbols(dim), strict=False)))
    return Formula(expression, dim, named, time_limit)


@contextmanager
def _waiting(named: str, time_limit: TimeLimit) -> Iterator[None]:
    try:
        with time_limit.running():
            yield
    except TimeoutError:
        raise InputError(f"{named} takes too long to differentiate: simplify it") from None


def _derivative_size(expression: sympy.Expr) -> int:
    """Return roughly how many nodes the derivative of an expression has.

    A product of n factors has n terms of n factors, so a short text can have a huge one.
    """
    sizes: dict[sympy.Basic, tuple[int, int]] = {}  # nodes of each expression and of its derivative
    for node in sympy.postorder_traversal(expression):
        if node in sizes:
            continue
        parts = [sizes[each] for each in node.args]
        size = 1 + sum(part for part, _ in parts)
        slope = sum(part for _, part in parts)
        if node.is_Mul:
            slope += sum(size - part for (part, varies) in parts if varies)
        elif slope and not node.is_Add:
            slope += 2 * size
        sizes[node] = (size, slope or int(node.is_Symbol))
    return sizes[expression][1]
