"""Functions with kinks, their derivatives, and the printers of formulas.

sympy's own abs, sign, floor, min and max are not used, because they query assumptions about every
argument and differentiate to delta functions. The derivative of floor and sign is 0; where the
arguments of max or min tie, the gradient of the first one is used.

Class names begin with an underscore, because sympy's printers choose a method by class name and
would take these classes for sympy's own.
"""

from collections.abc import Callable
from fractions import Fraction

import sympy
from sympy.printing.numpy import NumPyPrinter
from sympy.printing.str import StrPrinter

MAX_EXACT = 2**53  # fractions of larger numbers are written as floats


class _Kinked(sympy.Function):  # type: ignore[misc]
    """A function with kinks: sympy needs only its name and derivative."""

    nargs = 1
    is_real = True
    code: str  # its name in code
    spelling: str  # in the syntax of formulas
    exact: Callable[..., sympy.Expr]  # its value for numbers

    @classmethod
    def eval(cls, *args: sympy.Expr) -> sympy.Expr | None:
        return cls.exact(*args) if all(arg.is_number for arg in args) else None

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return sympy.Integer(0)


class _Sign(_Kinked):
    """sign(x), whose derivative is 0."""

    code = "sign"
    spelling = "sign({})"
    exact = staticmethod(sympy.sign)


class _Floor(_Kinked):
    """floor(x), whose derivative is 0."""

    code = "floor"
    spelling = "floor({})"
    exact = staticmethod(sympy.floor)


class _Abs(_Kinked):
    """abs(x), whose derivative is sign(x)."""

    code = "abs"
    spelling = "abs({})"
    exact = staticmethod(sympy.Abs)

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return _Sign(self.args[0])


class _NotBelow(_Kinked):
    """1 where the first argument is at least the second, else 0 (Iverson bracket)."""

    nargs = 2
    code = "not_below"
    spelling = "[{} >= {}]"
    exact = staticmethod(lambda a, b: sympy.Integer(bool(a >= b)))


class _Max(_Kinked):
    """max(a, b), with the gradient of a where they tie."""

    nargs = 2
    code = "maximum"
    spelling = "max({}, {})"
    exact = staticmethod(sympy.Max)

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        first = _NotBelow(*self.args)
        return first if argindex == 1 else 1 - first


class _Min(_Kinked):
    """min(a, b), with the gradient of a where they tie."""

    nargs = 2
    code = "minimum"
    spelling = "min({}, {})"
    exact = staticmethod(sympy.Min)

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        first = _NotBelow(self.args[1], self.args[0])
        return first if argindex == 1 else 1 - first


# By name in formulas; max and min take more arguments in pairs.
KINKS: dict[str, type[_Kinked]] = {
    "abs": _Abs,
    "sign": _Sign,
    "floor": _Floor,
    "max": _Max,
    "min": _Min,
}


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
                "user_functions": {kind.__name__: kind.code for kind in _Kinked.__subclasses__()},
            }
        )

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
