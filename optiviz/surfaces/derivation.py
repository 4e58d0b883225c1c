"""Derivations: the code of an expression, its gradient and its Hessian, by sympy."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, lru_cache
from itertools import product

import sympy

from optiviz.surfaces.code import coordinate_names
from optiviz.surfaces.grammar import parse_formula
from optiviz.surfaces.nodes import CodePrinter, TextPrinter
from optiviz.surfaces.syntax import named_formula
from optiviz.system.errors import InputError
from optiviz.system.time_limit import TimeLimit

MAX_DERIVATIVE = 10_000  # nodes; about a second to differentiate and print
MAX_SECONDS = 1.0  # to derive the code of a formula; each higher order may take as long again
FEW_VARIABLES = 25  # with more of them, it may take longer in proportion


def symbols(dim: int) -> tuple[sympy.Symbol, ...]:
    """Return the sympy symbols of the coordinates."""
    return tuple(sympy.symbols(coordinate_names(dim), real=True))


class Derivation:
    """A sympy expression in `symbols` of the variables, differentiated when first asked.

    Raises InputError, with `name` in the message, if its derivatives are too long or too slow.
    """

    def __init__(
        self,
        expression: sympy.Expr,
        variables: Sequence[str],
        name: str,
        time_limit: TimeLimit,
    ) -> None:
        self._name = name
        self._first = time_limit
        higher = ("hessian", "third_derivatives")
        self._higher = {part: TimeLimit(time_limit.seconds) for part in higher}
        self._variables = variables
        self._symbols = symbols(len(variables))
        self._expression = expression
        self._most = MAX_DERIVATIVE if math.isfinite(time_limit.seconds) else math.inf

    def code(self, part: str) -> str:
        """Return the code of a part.

        That is "value", "gradient", "value_and_gradient", "hessian" or "third_derivatives". Common
        subexpressions are computed once.
        """
        with _limited(self._name, self._higher.get(part, self._first)):
            match part:
                case "value":
                    return _printed([self._expression])
                case "gradient":
                    return _printed(self._slopes)
                case "value_and_gradient":
                    return _printed([self._expression, *self._slopes])
                case "hessian":
                    slopes, symbols = self._slopes, self._symbols
                    return _printed([self._derivative(s, each) for s in slopes for each in symbols])
                case "third_derivatives":
                    return _printed(self._third)
        raise ValueError(part)

    def gradient_text(self) -> tuple[str, ...]:
        """Return the derivative with respect to each coordinate, in the syntax of formulas."""
        with _limited(self._name, self._first):
            named = dict(zip(self._symbols, map(sympy.Symbol, self._variables), strict=True))
            return tuple(TextPrinter().doprint(slope.xreplace(named)) for slope in self._slopes)

    @cached_property
    def _slopes(self) -> tuple[sympy.Expr, ...]:
        return tuple(self._derivative(self._expression, each) for each in self._symbols)

    @property
    def _third(self) -> list[sympy.Expr]:
        """All third derivatives, of which those in another order are the same."""
        axes, found = range(len(self._symbols)), dict[tuple[int, ...], sympy.Expr]()
        for i in axes:
            for j in axes[i:]:
                bend = self._derivative(self._slopes[i], self._symbols[j])
                for k in axes[j:]:
                    found[i, j, k] = self._derivative(bend, self._symbols[k])
        return [found[tuple(sorted(each))] for each in product(axes, repeat=3)]

    def _derivative(self, expression: sympy.Expr, symbol: sympy.Symbol) -> sympy.Expr:
        if _derivative_size(expression) > self._most:
            raise InputError(f"{self._name}: its derivatives are too long: use fewer products")
        terms = [each for each in sympy.Add.make_args(expression) if symbol in _symbols_in(each)]
        slope = sympy.Add(*(sympy.diff(each, symbol) for each in terms))
        # sqrt(x**2) becomes sympy's own Abs, whose second derivative is a delta function: 0 except
        # at the kink.
        slope = slope.replace(sympy.DiracDelta, lambda *_: sympy.Integer(0))
        return sympy.nan if slope.has(sympy.I) else slope  # it is nowhere a real number


def derive(text: str, variables: Sequence[str], ours: bool = False) -> Derivation:
    """Return the derivation of a formula; raise InputError if the text is not one.

    A bundled formula (`ours`) has no limit of time and length: it is known to finish, however slow
    the machine.
    """
    seconds = MAX_SECONDS * max(1.0, len(variables) / FEW_VARIABLES)
    named, time_limit = named_formula(text), TimeLimit(math.inf if ours else seconds)
    with _limited(named, time_limit):
        coordinates = symbols(len(variables))
        expression = parse_formula(text, dict(zip(variables, coordinates, strict=True)))
    return Derivation(expression, variables, named, time_limit)


def _printed(expressions: Sequence[sympy.Expr]) -> str:
    assigned, results = sympy.cse(list(expressions), list=False)
    printer = CodePrinter()
    lines = [f"{name} = {printer.doprint(value)}" for name, value in assigned]
    return "\n".join([*lines, f"[{', '.join(map(printer.doprint, results))}]"])


@contextmanager
def _limited(named: str, time_limit: TimeLimit) -> Iterator[None]:
    try:
        with time_limit.running():
            yield
    except TimeoutError:
        raise InputError(f"{named} takes too long to differentiate: simplify it") from None


@lru_cache(maxsize=1000)
def _symbols_in(expression: sympy.Expr) -> set[sympy.Symbol]:
    symbols: set[sympy.Symbol] = expression.free_symbols
    return symbols


@lru_cache(maxsize=200)
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
