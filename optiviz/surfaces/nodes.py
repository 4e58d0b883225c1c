"""Functions of formulas that sympy lacks, their derivatives, and the printers of formulas.

sympy's own abs, sign, floor, min and max are not used, because they query assumptions about every
argument and differentiate to delta functions. Functions that jump have the derivative 0; where
arguments of max or min tie, the derivative of the first one is used, and a condition is not
differentiated.

Class names begin with an underscore, because sympy's printers choose a method by class name and
would take these classes for sympy's own.
"""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import sympy
from sympy.printing.numpy import NumPyPrinter
from sympy.printing.str import StrPrinter

from optiviz.surfaces.code import FUNCTIONS

MAX_EXACT = 2**53  # fractions of larger numbers are written as floats


class _Node(sympy.Function):  # type: ignore[misc]
    """A function: sympy needs only its name, its values for numbers and its derivative."""

    nargs: int | tuple[int, ...] = 1
    is_real: bool | None = True
    code: str  # its name in code
    spelling: str  # in the syntax of formulas
    exact: Callable[..., sympy.Expr]  # its value for numbers

    @classmethod
    def eval(cls, *args: sympy.Expr) -> sympy.Expr | None:
        if not all(arg.is_number for arg in args):
            return None
        if any(arg.is_Float for arg in args):  # sympy's functions would lose digits
            with np.errstate(all="ignore"):
                return sympy.Float(float(FUNCTIONS[cls.code](*map(float, args))))
        return cls.exact(*args)

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return sympy.Integer(0)


class _Sign(_Node):
    code = "sign"
    spelling = "sign({})"
    exact = staticmethod(sympy.sign)


class _Floor(_Node):
    code = "floor"
    spelling = "floor({})"
    exact = staticmethod(sympy.floor)


class _Ceil(_Node):
    code = "ceil"
    spelling = "ceil({})"
    exact = staticmethod(sympy.ceiling)


def _rounded(number: sympy.Expr) -> sympy.Expr:
    exact = Fraction(number.p, number.q) if number.is_Rational else float(number)
    return sympy.Integer(round(exact))


class _Round(_Node):
    code = "rint"
    spelling = "round({})"
    exact = staticmethod(_rounded)


class _Abs(_Node):
    code = "abs"
    spelling = "abs({})"
    exact = staticmethod(sympy.Abs)

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return _Sign(self.args[0])


class _Mod(_Node):
    """The remainder a - b*floor(a/b)."""

    nargs = 2
    code = "mod"
    spelling = "mod({}, {})"
    exact = staticmethod(lambda a, b: a - b * sympy.floor(a / b))

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        a, b = self.args
        return sympy.Integer(1) if argindex == 1 else -_Floor(a / b)


class _Sigmoid(_Node):
    code = "sigmoid"
    spelling = "sigmoid({})"
    exact = staticmethod(lambda a: 1 / (1 + sympy.exp(-a)))

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return _Sigmoid(self.args[0]) * _Sigmoid(-self.args[0])


class _Softplus(_Node):
    code = "softplus"
    spelling = "softplus({})"
    exact = staticmethod(lambda a: sympy.log(1 + sympy.exp(a)))

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return _Sigmoid(self.args[0])


class _LogAddExp(_Node):
    nargs = 2
    code = "logaddexp"
    spelling = "logaddexp({}, {})"
    exact = staticmethod(lambda a, b: sympy.log(sympy.exp(a) + sympy.exp(b)))

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        a, b = self.args
        return _Sigmoid(a - b if argindex == 1 else b - a)


class _Erf(_Node):
    code = "erf"
    spelling = "erf({})"
    exact = staticmethod(sympy.erf)

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return 2 / sympy.sqrt(sympy.pi) * sympy.exp(-(self.args[0] ** 2))


class _Sinc(_Node):
    """sin(pi*a)/(pi*a), or the derivative of it whose order is the second argument, if any."""

    nargs = (1, 2)
    code = "sinc"

    @property
    def spelling(self) -> str:  # type: ignore[override]
        """Written out for derivatives, which formulas have no word for."""
        slope = "(cos(pi*({0})) - sinc({0}))/({0})"
        bend = f"-pi**2*sinc({{0}}) - 2*({slope})/({{0}})"
        orders = (
            "sinc({0})",
            f"where(({{0}}) == 0, 0, {slope})",
            f"where(({{0}}) == 0, -pi**2/3, {bend})",
        )
        return orders[int(self.args[1]) if len(self.args) > 1 else 0]

    @classmethod
    def eval(cls, a: sympy.Expr, order: sympy.Expr | int = 0) -> sympy.Expr | None:
        if not a.is_number:
            return None
        if a.is_zero:
            return {0: sympy.Integer(1), 1: sympy.Integer(0)}.get(order, -(sympy.pi**2) / 3)
        u = sympy.Dummy()
        return sympy.diff(sympy.sin(sympy.pi * u) / (sympy.pi * u), u, order).subs(u, a)

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        order = self.args[1] if len(self.args) > 1 else 0
        return _Sinc(self.args[0], sympy.Integer(order + 1))


class _Log1p(_Node):
    is_real = None
    code = "log1p"
    spelling = "log1p({})"
    exact = staticmethod(lambda a: sympy.log(1 + a))

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return 1 / (1 + self.args[0])


class _Expm1(_Node):
    code = "expm1"
    spelling = "expm1({})"
    exact = staticmethod(lambda a: sympy.exp(a) - 1)

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return sympy.exp(self.args[0])


class _Log2(_Node):
    is_real = None
    code = "log2"
    spelling = "log2({})"
    exact = staticmethod(lambda a: sympy.log(a) / sympy.log(2))

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return 1 / (self.args[0] * sympy.log(2))


class _Log10(_Node):
    is_real = None
    code = "log10"
    spelling = "log10({})"
    exact = staticmethod(lambda a: sympy.log(a) / sympy.log(10))

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return 1 / (self.args[0] * sympy.log(10))


class _Cbrt(_Node):
    code = "cbrt"
    spelling = "cbrt({})"
    exact = staticmethod(lambda a: sympy.sign(a) * sympy.cbrt(sympy.Abs(a)))

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return 1 / (3 * _Cbrt(self.args[0]) ** 2)


class _Atan2(_Node):
    """The angle of the point whose ordinate comes first."""

    nargs = 2
    code = "arctan2"
    spelling = "atan2({}, {})"
    exact = staticmethod(sympy.atan2)

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        b, a = self.args
        return (a if argindex == 1 else -b) / (a**2 + b**2)


class _NotBelow(_Node):
    """1 where a >= b, else 0 (Iverson bracket)."""

    nargs = 2
    code = "not_below"
    spelling = "({} >= {})"
    exact = staticmethod(lambda a, b: sympy.Integer(bool(a >= b)))


class _Above(_Node):
    """1 where a > b, else 0."""

    nargs = 2
    code = "above"
    spelling = "({} > {})"
    exact = staticmethod(lambda a, b: sympy.Integer(bool(a > b)))


class _Equal(_Node):
    """1 where a == b, else 0."""

    nargs = 2
    code = "equal"
    spelling = "({} == {})"
    exact = staticmethod(lambda a, b: sympy.Integer(bool(sympy.Eq(a, b))))


class _Where(_Node):
    """a where the condition is not 0, else b; each branch is differentiated by itself."""

    nargs = 3
    code = "where"
    spelling = "where({}, {}, {})"

    @classmethod
    def eval(cls, condition: sympy.Expr, a: sympy.Expr, b: sympy.Expr) -> sympy.Expr | None:
        if a == b:
            return a
        return (b if condition.is_zero else a) if condition.is_number else None

    def _eval_derivative(self, symbol: sympy.Symbol) -> sympy.Expr:
        condition, a, b = self.args
        return _Where(condition, a.diff(symbol), b.diff(symbol))


class _Max(_Node):
    nargs = 2
    code = "maximum"
    spelling = "max({}, {})"
    exact = staticmethod(sympy.Max)

    def _eval_derivative(self, symbol: sympy.Symbol) -> sympy.Expr:
        a, b = self.args
        return _Where(_NotBelow(a, b), a.diff(symbol), b.diff(symbol))


class _Min(_Node):
    nargs = 2
    code = "minimum"
    spelling = "min({}, {})"
    exact = staticmethod(sympy.Min)

    def _eval_derivative(self, symbol: sympy.Symbol) -> sympy.Expr:
        a, b = self.args
        return _Where(_NotBelow(b, a), a.diff(symbol), b.diff(symbol))


# By name in formulas; max and min take more arguments in pairs.
NODES: dict[str, type[_Node]] = {
    "abs": _Abs,
    "sign": _Sign,
    "floor": _Floor,
    "ceil": _Ceil,
    "round": _Round,
    "mod": _Mod,
    "max": _Max,
    "min": _Min,
    "where": _Where,
    "sigmoid": _Sigmoid,
    "softplus": _Softplus,
    "logaddexp": _LogAddExp,
    "erf": _Erf,
    "sinc": _Sinc,
    "log1p": _Log1p,
    "expm1": _Expm1,
    "log2": _Log2,
    "log10": _Log10,
    "cbrt": _Cbrt,
    "atan2": _Atan2,
}
NOT_BELOW, ABOVE, EQUAL = _NotBelow, _Above, _Equal


class TextPrinter(StrPrinter):  # type: ignore[misc]
    """Writes an expression in the syntax of formulas, with decimals as decimals."""

    def _print_Function(self, expr: sympy.Function) -> str:
        spelling = getattr(expr, "spelling", f"{expr.func.__name__.lower()}({{}})")
        return spelling.format(*(self.doprint(arg) for arg in expr.args))

    def _print_Rational(self, expr: sympy.Rational) -> str:
        decimal = repr(float(expr))
        same = "e" not in decimal and Fraction(decimal) == Fraction(expr.p, expr.q)
        return decimal if same else f"{expr.p}/{expr.q}"

    def _print_Exp1(self, expr: sympy.Expr) -> str:
        return "e"


class CodePrinter(NumPyPrinter):  # type: ignore[misc]
    """Writes an expression as code; numbers too long for exact floats are written as floats."""

    def __init__(self) -> None:
        super().__init__(
            {
                "fully_qualified_modules": False,
                "allow_unknown_functions": True,
                "user_functions": {kind.__name__: kind.code for kind in _Node.__subclasses__()},
            }
        )

    def _print_Integer(self, expr: sympy.Integer) -> str:
        return str(expr.p) if abs(expr.p) <= MAX_EXACT else _approximate(expr.p, 1)

    def _print_Float(self, expr: sympy.Float) -> str:
        return repr(float(expr))  # sympy writes 15 digits

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
