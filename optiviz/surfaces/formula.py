"""A formula's text as value, exact gradient and Hessian.

The text may come from a stranger and never runs: `ast` parses it, a whitelist turns its nodes
into sympy's, sympy differentiates, and `lambdify` compiles what sympy prints. Length, nodes,
depth and powers are bounded before sympy sees them, so that no text hangs it.

Kinks: abs, sign, floor, min and max are functions of our own, because sympy's ask its assumptions
about every argument and differentiate to delta functions. The derivative of floor and sign is 0;
where max or min tie, the first argument's gradient is taken.
"""

import ast
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import cache, cached_property, reduce
from typing import Any

import numpy as np
import sympy
from sympy.printing.numpy import NumPyPrinter
from sympy.printing.str import StrPrinter

from optiviz.objective import Array
from optiviz.system.errors import InputError, unknown
from optiviz.system.time_limit import Patience

MAX_CHARACTERS = 4000
MAX_NODES = 1500
MAX_DEPTH = 40
MAX_POWER = 100
MAX_GROWTH = 10_000
MAX_EXACT = 2**53  # beyond it a fraction is written as a float
MAX_NUMBER = 10**200  # and its inverse: two derivatives of a power keep within float64
MAX_DERIVATIVE = 10_000  # nodes; about a second to differentiate and compile
LONGEST = 1.0  # seconds of computing until a formula is compiled; second derivatives: as many
NAMES = ("x", "y")


class _Kinked(sympy.Function):  # type: ignore[misc]
    """A function with kinks: sympy only has to know its name and its derivative."""

    nargs = 1
    is_real = True
    exact: Callable[..., sympy.Expr]  # of numbers

    @classmethod
    def eval(cls, *args: sympy.Expr) -> sympy.Expr | None:
        return cls.exact(*args) if all(arg.is_number for arg in args) else None

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return sympy.Integer(0)


class _Sign(_Kinked):
    spelling = "sign({})"
    exact = staticmethod(sympy.sign)


class _Floor(_Kinked):
    spelling = "floor({})"
    exact = staticmethod(sympy.floor)


class _Abs(_Kinked):
    spelling = "abs({})"
    exact = staticmethod(sympy.Abs)

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return _Sign(self.args[0])


class _NotBelow(_Kinked):
    """1 where the first argument is not below the second, else 0: Iverson's bracket."""

    nargs = 2
    spelling = "[{} >= {}]"
    exact = staticmethod(lambda a, b: sympy.Integer(bool(a >= b)))


class _Max(_Kinked):
    nargs = 2
    spelling = "max({}, {})"
    exact = staticmethod(sympy.Max)

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        first = _NotBelow(*self.args)
        return first if argindex == 1 else 1 - first


class _Min(_Kinked):
    nargs = 2
    spelling = "min({}, {})"
    exact = staticmethod(sympy.Min)

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        first = _NotBelow(self.args[1], self.args[0])
        return first if argindex == 1 else 1 - first


KINKED: dict[type[_Kinked], Any] = {
    _Sign: np.sign,
    _Floor: np.floor,
    _Abs: np.abs,
    _NotBelow: lambda a, b: np.where(np.greater_equal(a, b), 1.0, 0.0),  # bools do not add up
    _Max: np.maximum,
    _Min: np.minimum,
}
FUNCTIONS: dict[str, Callable[..., sympy.Expr]] = {
    **{name: getattr(sympy, name) for name in ("sin", "cos", "tan", "exp", "log", "sqrt", "atan")},
    **{name: getattr(sympy, name) for name in ("sinh", "cosh", "tanh")},
    "hypot": lambda a, b: sympy.sqrt(a**2 + b**2),
    "abs": _Abs,
    "sign": _Sign,
    "floor": _Floor,
    "max": lambda *args: reduce(_Max, args),
    "min": lambda *args: reduce(_Min, args),
}
MEANT = {"ln": "log", "arctan": "atan", "sgn": "sign", "fabs": "abs"}  # as others write them
ARITIES = {"hypot": (2, 2), "max": (2, 20), "min": (2, 20)}
CONSTANTS = {"pi": sympy.pi, "e": sympy.E}


class _Printer(StrPrinter):  # type: ignore[misc]
    """Writes an expression in the grammar that a formula is written in, decimals as decimals."""

    def _print_Function(self, expr: sympy.Function) -> str:
        spelling = getattr(expr, "spelling", f"{expr.func.__name__.lower()}({{}})")
        return spelling.format(*(self.doprint(arg) for arg in expr.args))

    def _print_Rational(self, expr: sympy.Rational) -> str:
        decimal = repr(float(expr))
        same = "e" not in decimal and Fraction(decimal) == Fraction(expr.p, expr.q)
        return decimal if same else f"{expr.p}/{expr.q}"

    def _print_Exp1(self, expr: sympy.Expr) -> str:
        return "e"


class _Compiled(NumPyPrinter):  # type: ignore[misc]
    """Writes what numpy computes; numpy knows no integers that are longer than a float's."""

    def _print_Integer(self, expr: sympy.Integer) -> str:
        return str(expr.p) if abs(expr.p) <= MAX_EXACT else _approximate(expr.p, 1)

    def _print_Rational(self, expr: sympy.Rational) -> str:
        if max(abs(expr.p), expr.q) <= MAX_EXACT:
            written: str = super()._print_Rational(expr)
            return written
        return _approximate(expr.p, expr.q)


def _approximate(numerator: int, denominator: int) -> str:
    try:
        return repr(numerator / denominator)
    except OverflowError:
        return "inf" if numerator > 0 else "-inf"


def symbols(dim: int) -> tuple[sympy.Symbol, ...]:
    """Return x, or x and y, as sympy has them."""
    return tuple(sympy.symbols(NAMES[:dim], real=True))


class Formula:
    """An expression of sympy's in x (and y), differentiated and compiled when first used.

    Raises InputError, which calls it by `name`, if its derivatives have no end.
    """

    def __init__(self, expression: sympy.Expr, dim: int, name: str, patience: Patience) -> None:
        self.dim = dim
        self._name = name
        self._patience = patience
        self._more = Patience(patience.whole)  # for second derivatives
        self._symbols = symbols(dim)
        self._expression = expression

    def value(self, x: Array) -> Array:
        """Return f(x), shape (...), for x of shape (..., dim)."""
        return self._shaped(self._value(*self._coordinates(x)), x)[0]

    def gradient(self, x: Array) -> Array:
        """Return df/dx, shape (..., dim)."""
        return _vectors(self._shaped(self._gradient(*self._coordinates(x)), x))

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return both; what they have in common is computed once."""
        value, *slope = self._shaped(self._value_and_gradient(*self._coordinates(x)), x)
        return value, _vectors(slope)

    def hessian(self, x: Array) -> Array:
        """Return d2f/dx2, shape (..., dim, dim)."""
        entries = self._shaped(self._hessian(*self._coordinates(x)), x)
        return np.stack(entries, axis=-1).reshape(*x.shape, self.dim)

    def gradient_text(self) -> tuple[str, ...]:
        """Return the derivative by each coordinate, in the words of a formula."""
        with _waiting(self._name, self._patience):
            return tuple(_Printer().doprint(slope) for slope in self._slopes)

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
        # sqrt(x**2) becomes sympy's own Abs, whose second derivative is a delta function: 0 but at
        # the kink.
        slope = sympy.diff(expression, symbol)
        return slope.replace(sympy.DiracDelta, lambda *_: sympy.Integer(0))

    def _compile(self, *expressions: sympy.Expr) -> Callable[..., Any]:
        # The module's name instead of its contents would import every corner of numpy.
        compiled: Callable[..., Any] = sympy.lambdify(
            self._symbols,
            list(expressions),
            modules=[{kind.__name__: function for kind, function in KINKED.items()}, vars(np)],
            printer=_Compiled(
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
        # A constant derivative comes back as one number.
        return [np.array(np.broadcast_to(np.asarray(each, float), x.shape[:-1])) for each in values]


def _vectors(coordinates: list[Array]) -> Array:
    """Return arrays as the last axis of one, each contiguous in memory, which is quicker."""
    return np.moveaxis(np.stack(coordinates), 0, -1)


@cache
def formula(text: str, dim: int, ours: bool = False) -> Formula:
    """Return the formula of a text; the same text is parsed and compiled once a process.

    One of ours is known to end, and is waited for, however slow the machine.
    """
    named, patience = _named(text), Patience(math.inf if ours else LONGEST)
    with _waiting(named, patience):
        expression = _parse(text, dict(zip(NAMES, symbols(dim), strict=False)))
    return Formula(expression, dim, named, patience)


@contextmanager
def _waiting(named: str, patience: Patience) -> Iterator[None]:
    try:
        with patience.spent():
            yield
    except TimeoutError:
        raise InputError(f"{named} takes too long to differentiate: write it simpler") from None


def _named(text: str) -> str:
    shown = text if len(text) <= 60 else text[:57] + "..."
    return f"formula {shown!r}"


def _derivative_size(expression: sympy.Expr) -> int:
    """Return about how many nodes the derivative of an expression has.

    A product of n factors has n terms of n factors, so a short text can have an endless one.
    """
    sizes: dict[sympy.Basic, tuple[int, int]] = {}  # nodes of an expression, of its derivative
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


def _parse(text: str, symbols: dict[str, sympy.Symbol]) -> sympy.Expr:
    named = _named(text)
    if not text.strip():
        raise InputError("the formula is empty")
    if not text.isascii():
        odd = next(letter for letter in text if not letter.isascii())
        raise InputError(f"{named}: {odd!r} is not a plain ASCII character")
    if "#" in text:
        raise InputError(f"{named}: '#' is not allowed: a formula has no comments")
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"{named} is longer than {MAX_CHARACTERS} characters")
    try:
        with warnings.catch_warnings(action="ignore"):  # as of 1if, which is refused anyway
            tree = ast.parse(text.strip(), mode="eval").body
        if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
            raise InputError(f"{named} has more than {MAX_NODES} terms and operators")
        return _Builder(text.strip(), symbols).build(tree, 0)
    except InputError:
        raise
    except SyntaxError as error:
        where = f" at character {error.offset}" if error.offset else ""
        why = "write 2*x, not 2x" if error.msg == "invalid decimal literal" else error.msg
        raise InputError(f"{named} is not an expression{where}: {why}") from None
    except (RecursionError, MemoryError):
        raise InputError(f"{named} is nested too deeply") from None
    except ValueError as error:
        raise InputError(f"{named}: {error}") from None


class _Builder:
    """Turns whitelisted `ast` nodes into sympy's."""

    def __init__(self, text: str, symbols: dict[str, sympy.Symbol]) -> None:
        self.text = text
        self.symbols = symbols

    def refuse(self, why: str) -> InputError:
        return InputError(f"{_named(self.text)}: {why}")

    def build(self, node: ast.expr, depth: int) -> sympy.Expr:
        if depth > MAX_DEPTH:
            raise self.refuse(f"nested more than {MAX_DEPTH} deep")
        expression = self._build(node, depth + 1)
        if expression.is_number and expression not in CONSTANTS.values():
            expression = self._folded(expression, node)
        for number in (expression.as_coeff_Mul()[0], expression.as_coeff_Add()[0]):
            if number and not 1 <= abs(number) * MAX_NUMBER <= MAX_NUMBER**2:
                raise self.refuse("numbers lie between 1e-200 and 1e200")
        number, rest = expression.as_coeff_Mul()
        if (
            number.is_Rational and max(abs(number.p), number.q) > MAX_NUMBER
        ):  # a power of a fraction
            expression = sympy.Float(number.p / number.q) * rest
        return expression

    def _build(self, node: ast.expr, depth: int) -> sympy.Expr:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self._number(value, node)
            case ast.Name(id=name):
                known = self.symbols | CONSTANTS
                if name in FUNCTIONS:
                    raise self.refuse(f"{name} is a function: write {name}(x)")
                if name in NAMES and name not in known:
                    raise self.refuse(
                        f"uses {name}, and its domain has no interval for it: write one more, "
                        "as in -3:3,-3:3"
                    )
                if name not in known:
                    raise self.refuse(unknown("name", name, {*known, *NAMES}))
                return known[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.build(operand, depth)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.build(operand, depth)
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()):
                return self._chain(node, depth)
            case ast.BinOp(left=base, op=ast.Pow(), right=exponent):
                return self._power(self.build(base, depth), self.build(exponent, depth))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._call(name, args, depth)
            case ast.Compare() | ast.BoolOp() | ast.IfExp():
                raise self.refuse("comparisons and conditions are not allowed; use min, max, sign")
            case ast.BinOp(op=ast.BitXor()):
                raise self.refuse("^ is not a power; write **")
        raise self.refuse(
            f"{ast.unparse(node)[:40]!r} is not allowed: a formula has numbers, x, y, + - * / ** "
            "and functions"
        )

    def _number(self, value: float, node: ast.expr) -> sympy.Expr:
        mantissa = (ast.get_source_segment(self.text, node) or "").lower().partition("e")[0]
        vanished = isinstance(value, float) and not value and mantissa.strip("0._")
        if abs(value) > MAX_NUMBER or vanished:
            raise self.refuse("numbers lie between 1e-200 and 1e200")
        return sympy.Rational(repr(value))

    def _chain(self, node: ast.BinOp, depth: int) -> sympy.Expr:
        """Build a + b - c ... or a * b / c ... as one node: long sums lean left and recurse."""
        additive = isinstance(node.op, ast.Add | ast.Sub)
        together = (ast.Add, ast.Sub) if additive else (ast.Mult, ast.Div)
        parts = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp) and isinstance(left.op, together):
            part = self.build(left.right, depth)
            if isinstance(left.op, ast.Sub):
                part = -part
            elif isinstance(left.op, ast.Div):
                if part.is_zero:
                    raise self.refuse("division by zero")
                part = 1 / part
            parts.append(part)
            left = left.left
        parts.append(self.build(left, depth))
        return (sympy.Add if additive else sympy.Mul)(*reversed(parts))

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
        if exponent.is_number and abs(float(exponent)) > MAX_POWER:
            raise self.refuse(f"powers go up to {MAX_POWER}")
        if base.is_number and exponent.is_number:
            try:
                result = abs(float(base) ** float(exponent))
            except (OverflowError, ZeroDivisionError):
                result = math.inf
            if result > MAX_NUMBER:
                raise self.refuse("a power of two numbers is undefined or too large")
        elif base.is_number and (base.is_zero or base.is_negative):
            raise self.refuse("0 or a negative number cannot be raised to a power that varies")
        self._check_growth(base, exponent)
        power = base**exponent
        if power.is_Pow:  # one within another is one
            self._check_growth(power.base, power.exp)
        return power

    def _check_growth(self, base: sympy.Expr, exponent: sympy.Expr) -> None:
        """Refuse what sympy would write out: 3**(n + x) as 3**n*3**x, exp(n*log(u)) as u**n."""
        for term in sympy.Add.make_args(exponent):
            number, rest = term.as_coeff_Mul()
            logarithmic = any(isinstance(each, sympy.log) for each in sympy.Mul.make_args(rest))
            if base is sympy.E and logarithmic and abs(float(number)) > MAX_POWER:
                raise self.refuse(f"powers go up to {MAX_POWER}")
            if base.is_Rational and abs(float(number)) > MAX_GROWTH:
                raise self.refuse(f"numbers in an exponent go up to {MAX_GROWTH}")

    def _call(self, name: str, args: list[ast.expr], depth: int) -> sympy.Expr:
        if name not in FUNCTIONS:
            if name in MEANT:
                raise self.refuse(f"unknown function {name!r}: did you mean {MEANT[name]!r}?")
            raise self.refuse(unknown("function", name, FUNCTIONS))
        if any(isinstance(arg, ast.Starred) for arg in args):
            raise self.refuse("* before an argument is not allowed")
        low, high = ARITIES.get(name, (1, 1))
        if not low <= len(args) <= high:
            numbers = f"{low}" if low == high else f"{low} to {high}"
            wanted = "one argument" if high == 1 else f"{numbers} arguments"
            raise self.refuse(f"{name} takes {wanted}, not {len(args)}")
        built = [self.build(arg, depth) for arg in args]
        if name == "exp":
            self._check_growth(sympy.E, built[0])
        return FUNCTIONS[name](*built)

    def _folded(self, number: sympy.Expr, node: ast.expr) -> sympy.Expr:
        """Return a number as a short fraction or a float: sympy is endless with nested roots."""
        if number.is_Rational and max(abs(number.p), number.q) <= MAX_EXACT:
            return number
        try:
            value = complex(number)
        except (TypeError, OverflowError):
            value = complex(math.nan)
        if value.imag or not math.isfinite(value.real):
            raise self.refuse(f"{ast.unparse(node)[:40]} is not a finite real number")
        return sympy.Float(value.real)
