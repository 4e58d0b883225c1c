"""The grammar of formulas: converts a text to a sympy expression.

The text may be untrusted and is never executed: `ast` parses it, and nodes on a whitelist are
converted to sympy's. Length, nodes, depth and powers are limited before sympy sees them, so that no
text hangs it.
"""

import ast
import math
import warnings
from collections.abc import Callable
from functools import reduce

import sympy

from optiviz.surfaces.domain import AXES
from optiviz.surfaces.kinks import KINKS, MAX_EXACT
from optiviz.system.errors import InputError, did_you_mean

MAX_CHARACTERS = 4000
MAX_NODES = 1500
MAX_DEPTH = 40
MAX_POWER = 100
MAX_GROWTH = 10_000
MAX_NUMBER = 10**200  # and its inverse: two derivatives of a power stay within float64
FUNCTIONS: dict[str, Callable[..., sympy.Expr]] = {
    **{name: getattr(sympy, name) for name in ("sin", "cos", "tan", "exp", "log", "sqrt", "atan")},
    **{name: getattr(sympy, name) for name in ("sinh", "cosh", "tanh")},
    "hypot": lambda a, b: sympy.sqrt(a**2 + b**2),
    **{name: KINKS[name] for name in ("abs", "sign", "floor")},
    "max": lambda *args: reduce(KINKS["max"], args),
    "min": lambda *args: reduce(KINKS["min"], args),
}
MEANT = {"ln": "log", "arctan": "atan", "sgn": "sign", "fabs": "abs"}  # spellings elsewhere
ARITIES = {"hypot": (2, 2), "max": (2, 20), "min": (2, 20)}
CONSTANTS = {"pi": sympy.pi, "e": sympy.E}


def named_formula(text: str) -> str:
    """Return the start of a message about a formula."""
    shown = text if len(text) <= 60 else text[:57] + "..."
    return f"formula {shown!r}"


def parse_formula(text: str, symbols: dict[str, sympy.Symbol]) -> sympy.Expr:
    """Return the expression of a text; raise InputError if it is not a formula in `symbols`."""
    named = named_formula(text)
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
        with warnings.catch_warnings(action="ignore"):  # such as for 1if, which is rejected anyway
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
    """Converts whitelisted `ast` nodes to sympy expressions."""

    def __init__(self, text: str, symbols: dict[str, sympy.Symbol]) -> None:
        self.text = text
        self.symbols = symbols

    def refuse(self, why: str) -> InputError:
        return InputError(f"{named_formula(self.text)}: {why}")

    def build(self, node: ast.expr, depth: int) -> sympy.Expr:
        if depth > MAX_DEPTH:
            raise self.refuse(f"nested more than {MAX_DEPTH} levels deep")
        expression = self._build(node, depth + 1)
        if expression.is_number and expression not in CONSTANTS.values():
            expression = self._folded(expression, node)
        for number in (expression.as_coeff_Mul()[0], expression.as_coeff_Add()[0]):
            if number and not 1 <= abs(number) * MAX_NUMBER <= MAX_NUMBER**2:
                raise self.refuse("numbers must be between 1e-200 and 1e200")
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
                if name in AXES and name not in known:
                    raise self.refuse(
                        f"uses {name}, but the domain has no interval for it: add one, "
                        "as in -3:3,-3:3"
                    )
                if name not in known:
                    raise self.refuse(did_you_mean("name", name, {*known, *AXES}))
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
                raise self.refuse("comparisons and conditions are not allowed: use min, max, sign")
            case ast.BinOp(op=ast.BitXor()):
                raise self.refuse("^ is not the power operator: write **")
        raise self.refuse(
            f"{ast.unparse(node)[:40]!r} is not allowed: use numbers, x, y, + - * / ** "
            "and functions"
        )

    def _number(self, value: float, node: ast.expr) -> sympy.Expr:
        mantissa = (ast.get_source_segment(self.text, node) or "").lower().partition("e")[0]
        vanished = isinstance(value, float) and not value and mantissa.strip("0._")
        if abs(value) > MAX_NUMBER or vanished:
            raise self.refuse("numbers must be between 1e-200 and 1e200")
        return sympy.Rational(repr(value))

    def _chain(self, node: ast.BinOp, depth: int) -> sympy.Expr:
        """Build a + b - c ... or a * b / c ... as one node, because long chains nest deeply."""
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
            raise self.refuse(f"exponents must be between -{MAX_POWER} and {MAX_POWER}")
        if base.is_number and exponent.is_number:
            try:
                result = abs(float(base) ** float(exponent))
            except (OverflowError, ZeroDivisionError):
                result = math.inf
            if result > MAX_NUMBER:
                raise self.refuse("a power of two numbers is undefined or too large")
        elif base.is_number and (base.is_zero or base.is_negative):
            raise self.refuse("0 or a negative number cannot be raised to a variable power")
        self._check_growth(base, exponent)
        power = base**exponent
        if power.is_Pow:  # a power of a power is one power
            self._check_growth(power.base, power.exp)
        return power

    def _check_growth(self, base: sympy.Expr, exponent: sympy.Expr) -> None:
        """Reject what sympy would expand: 3**(n + x) to 3**n*3**x, exp(n*log(u)) to u**n."""
        for term in sympy.Add.make_args(exponent):
            number, rest = term.as_coeff_Mul()
            logarithmic = any(isinstance(each, sympy.log) for each in sympy.Mul.make_args(rest))
            if base is sympy.E and logarithmic and abs(float(number)) > MAX_POWER:
                raise self.refuse(f"exponents must be between -{MAX_POWER} and {MAX_POWER}")
            if base.is_Rational and abs(float(number)) > MAX_GROWTH:
                raise self.refuse(
                    f"numbers in an exponent must be between -{MAX_GROWTH} and {MAX_GROWTH}"
                )

    def _call(self, name: str, args: list[ast.expr], depth: int) -> sympy.Expr:
        if name not in FUNCTIONS:
            if name in MEANT:
                raise self.refuse(f"unknown function {name!r}: did you mean {MEANT[name]!r}?")
            raise self.refuse(did_you_mean("function", name, FUNCTIONS))
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
        """Return a number as a short fraction or a float: nested roots can hang sympy."""
        if number.is_Rational and max(abs(number.p), number.q) <= MAX_EXACT:
            return number
        try:
            value = complex(number)
        except (TypeError, OverflowError):
            value = complex(math.nan)
        if value.imag or not math.isfinite(value.real):
            raise self.refuse(f"{ast.unparse(node)[:40]} is not a finite real number")
        return sympy.Float(value.real)
