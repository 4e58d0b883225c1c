"""The grammar of formulas: converts a text to a sympy expression.

The text may be untrusted and is never executed: `ast` parses it, and nodes on a whitelist are
converted to sympy's. Length, nodes, depth and powers are limited before sympy sees them, so that no
text hangs it.
"""

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import pairwise
from typing import TypeAlias

import sympy

from optiviz.surfaces import vocabulary
from optiviz.surfaces.nodes import ABOVE, EQUAL, MAX_EXACT, NODES, NOT_BELOW
from optiviz.surfaces.syntax import (
    AXES,
    NO_INTERVAL,
    free_names,
    in_order,
    named_formula,
    parse_text,
    refusal_of_call,
    rewritten,
)
from optiviz.surfaces.vocabulary import MODULES, spelled
from optiviz.system.errors import InputError
from optiviz.system.text import enumerated

MAX_BUILT = 20_000  # nodes, where sums over indices repeat some
MAX_DEPTH = 40
MAX_POWER = 100
MAX_GROWTH = 10_000
MAX_NUMBER = 10**200  # and its inverse: two derivatives of a power stay within float64
CONSTANTS = {"pi": sympy.pi, "e": sympy.E}


class Vector(tuple[sympy.Expr, ...]):
    """Several expressions, on which operators and functions work one by one."""

    __slots__ = ()


Value: TypeAlias = "sympy.Expr | Vector"

# Functions of one or several expressions.
FUNCTIONS: dict[str, Callable[..., sympy.Expr]] = {
    **{name: getattr(sympy, name) for name in ("sin", "cos", "tan", "asin", "acos", "atan")},
    **{name: getattr(sympy, name) for name in ("sinh", "cosh", "tanh")},
    **{name: getattr(sympy, name) for name in ("asinh", "acosh", "atanh", "exp", "log", "sqrt")},
    **NODES,
    "square": lambda a: a**2,
    "hypot": lambda a, b: sympy.sqrt(a**2 + b**2),
    "relu": lambda a: NODES["max"](0, a),
    "clip": lambda a, low, high: NODES["min"](NODES["max"](a, low), high),
    "max": lambda *args: reduce(NODES["max"], args),
    "min": lambda *args: reduce(NODES["min"], args),
}
# Functions of a vector, or of the numbers that a sum over indices yields.
REDUCTIONS: dict[str, Callable[[Sequence[sympy.Expr]], sympy.Expr]] = {
    "sum": lambda parts: sympy.Add(*parts),
    "prod": lambda parts: sympy.Mul(*parts),
    "mean": lambda parts: sympy.Add(*parts) / len(parts),
    "norm": lambda parts: sympy.sqrt(sympy.Add(*(part**2 for part in parts))),
    "max": lambda parts: reduce(NODES["max"], parts),
    "min": lambda parts: reduce(NODES["min"], parts),
    "len": lambda parts: sympy.Integer(len(parts)),
}
COMPARISON_NODES: dict[str, Callable[[sympy.Expr, sympy.Expr], sympy.Expr]] = {
    ">": ABOVE,
    ">=": NOT_BELOW,
    "<": lambda a, b: ABOVE(b, a),
    "<=": lambda a, b: NOT_BELOW(b, a),
    "==": EQUAL,
    "!=": lambda a, b: NODES["where"](EQUAL(a, b), sympy.Integer(0), sympy.Integer(1)),
}
COMPARISONS = {
    ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
CONDITIONS = ast.Compare, ast.BoolOp


def parse_formula(text: str, symbols: Mapping[str, sympy.Symbol]) -> sympy.Expr:
    """Return the expression of a text in the variables `symbols`, which has their names.

    Unless it is one of them, x is the vector of all. Raises InputError if it is not a formula.
    """
    named, tree = named_formula(text), parse_text(text)
    try:
        built = _Builder(text.strip(), tree, symbols).build(tree, 0)
    except InputError:
        raise
    except (RecursionError, MemoryError):
        raise InputError(f"{named} is nested too deeply") from None
    except ValueError as error:
        raise InputError(f"{named}: {error}") from None
    if isinstance(built, Vector):
        raise InputError(
            f"{named} is a vector of {len(built)} numbers, not a number: write, for example, "
            f"sum({named_formula(text)[9:-1]})"
        )
    if built.has(sympy.I):
        raise InputError(f"{named} is not a real number: it has the root of a negative one")
    return built


class _Builder:
    """Converts whitelisted `ast` nodes to sympy expressions."""

    def __init__(self, text: str, tree: ast.expr, symbols: Mapping[str, sympy.Symbol]) -> None:
        self.text, self.tree = text, tree
        self.variables = list(symbols)
        self.names: dict[str, Value] = {**CONSTANTS, **symbols}
        self.names.setdefault("x", Vector(symbols.values()))
        self.built = 0

    def refuse(self, why: str) -> InputError:
        return InputError(f"{named_formula(self.text)}: {why}")

    def build(self, node: ast.expr, depth: int) -> Value:
        if depth > MAX_DEPTH:
            raise self.refuse(f"nested more than {MAX_DEPTH} levels deep")
        self.built += 1
        if self.built > MAX_BUILT:
            raise self.refuse(f"has more than {MAX_BUILT} terms and operators")
        found = self._build(node, depth + 1)
        if isinstance(found, Vector):
            return Vector(self._limited(each, node) for each in found)
        return self._limited(found, node)

    def number(self, node: ast.expr, depth: int) -> sympy.Expr:
        """Return the expression of a node; raise InputError if it is a vector."""
        found = self.build(node, depth)
        if isinstance(found, Vector):
            shown = ast.unparse(node)[:40]
            raise self.refuse(f"{shown} is a vector of {len(found)} numbers, not a number")
        return found

    def _limited(self, expression: sympy.Expr, node: ast.expr) -> sympy.Expr:
        """Return an expression whose numbers are folded; raise InputError if they are too large."""
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

    def _build(self, node: ast.expr, depth: int) -> Value:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self._number(value, node)
            case ast.Name(id=name):
                return self._named(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return _each(operator.neg, self.build(operand, depth))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.build(operand, depth)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self._where(self.number(operand, depth), 0, 1)
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()):
                return self._chain(node, depth)
            case ast.BinOp(left=base, op=ast.Pow(), right=exponent):
                return self._together(
                    self._power, [self.build(base, depth), self.build(exponent, depth)]
                )
            case ast.BinOp(left, ast.Mod(), right):
                return self._apply("mod", [self.build(each, depth) for each in (left, right)])
            case ast.BinOp(left, ast.MatMult(), right):
                return self._dot([self.build(each, depth) for each in (left, right)])
            case ast.BinOp(left, ast.BitAnd() | ast.BitOr() as op, right):
                for each in (left, right):
                    if not isinstance(each, CONDITIONS) and not _joins(each):
                        sign = "&" if isinstance(op, ast.BitAnd) else "|"
                        raise self.refuse(f"{sign} joins conditions: write (x > 0) {sign} (y > 0)")
                return self._joined(isinstance(op, ast.BitAnd), [left, right], depth)
            case ast.BoolOp(op=op, values=values):
                return self._joined(isinstance(op, ast.And), values, depth)
            case ast.Compare():
                return self._compared(node, depth)
            case ast.IfExp(test, body, orelse):
                parts = [self.build(each, depth) for each in (test, body, orelse)]
                return self._apply("where", parts)
            case ast.Subscript(value, index):
                return self._at(value, index, depth)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._call(name, args, depth)
            case ast.Call(func=ast.Attribute(value=value, attr=name), args=[], keywords=[]) if (
                spelled(name) in REDUCTIONS  # a method of a vector, as in x.sum()
            ):
                return self._reduced(spelled(name), value, depth)
            case ast.Call() as call:
                raise self.refuse(refusal_of_call(call, self.text, self.variables))
            case ast.BinOp(op=ast.BitXor()):
                instead = rewritten(self.text, self.variables)
                raise self.refuse(f"^ is not the power operator: write {instead or '**'}")
            case ast.Tuple():
                raise self.refuse("write one number, and decimals with a point, as in 0.5")
            case ast.Lambda():
                raise self.refuse(f"write {rewritten(self.text, self.variables) or 'what it is'}")
        raise self.refuse(
            f"{ast.unparse(node)[:40]!r} is not allowed: use numbers, variables, + - * / ** "
            "and functions"
        )

    def _named(self, name: str) -> Value:
        if name in self.names:
            return self.names[name]
        if name in ("X", "Y") and name.lower() in self.variables:
            return self.names[name.lower()]
        if spelled(name) in vocabulary.FUNCTIONS:
            raise self.refuse(f"{name} is a function: write {name}(x)")
        if name in MODULES:
            raise self.refuse(f"{name} is a module: write, for example, {name}.sin(x)")
        if name in ("y", "Y") and self.variables == [AXES[0]]:
            raise self.refuse(NO_INTERVAL.format(name))
        raise self.refuse(self._refusal_of_name(name))

    def _refusal_of_name(self, name: str) -> str:
        unknown = in_order(free_names(self.tree))
        if self.variables != [*AXES[: len(self.variables)]]:
            shown = self.variables if len(self.variables) <= 4 else self.variables[:2]
            rest = "" if len(shown) == len(self.variables) else f", ..., {self.variables[-1]}"
            said = enumerated(shown) if not rest else ", ".join(shown) + rest
            return f"{name!r} is not one of the variables {said}: set it with --param {name}=1"
        if set(unknown) & {*AXES, "X", "Y"}:
            named = f" {','.join(unknown)}" if len(unknown) <= 4 else ""
            return (
                f"{name!r} is not a variable beside x and y: name all with --variables{named}, or "
                f"set it with --param {name}=1"
            )
        return (
            f"has {len(unknown)} variables, {enumerated(unknown)}: name them in order, as in "
            f"--variables {','.join(unknown)}"
        )

    def _number(self, value: float, node: ast.expr) -> sympy.Expr:
        mantissa = (ast.get_source_segment(self.text, node) or "").lower().partition("e")[0]
        vanished = isinstance(value, float) and not value and mantissa.strip("0._")
        if abs(value) > MAX_NUMBER or vanished:
            raise self.refuse("numbers must be between 1e-200 and 1e200")
        return sympy.Rational(repr(value))

    def _chain(self, node: ast.BinOp, depth: int) -> Value:
        """Build a + b - c ... or a * b / c ... as one node, because long chains nest deeply."""
        additive = isinstance(node.op, ast.Add | ast.Sub)
        together = (ast.Add, ast.Sub) if additive else (ast.Mult, ast.Div)
        parts: list[Value] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp) and isinstance(left.op, together):
            part = self.build(left.right, depth)
            if isinstance(left.op, ast.Sub):
                part = _each(operator.neg, part)
            elif isinstance(left.op, ast.Div):
                part = _each(self._inverse, part)
            parts.append(part)
            left = left.left
        parts.append(self.build(left, depth))
        return self._together(_added if additive else sympy.Mul, [*reversed(parts)])

    def _inverse(self, part: sympy.Expr) -> sympy.Expr:
        if part.is_zero:
            raise self.refuse("division by zero")
        exponent = _exponent(part - 1) if part.is_Add else None
        return 1 / part if exponent is None else NODES["sigmoid"](-exponent)

    def _together(self, function: Callable[..., sympy.Expr], parts: Sequence[Value]) -> Value:
        """Apply a function to numbers, or one by one to the coordinates of vectors among them."""
        sizes = {len(part) for part in parts if isinstance(part, Vector)}
        if not sizes:
            return function(*parts)
        if len(sizes) > 1:
            low, high = min(sizes), max(sizes)
            raise self.refuse(f"combines a vector of {low} numbers with one of {high}")
        size = sizes.pop()
        self.built += size * len(parts)
        columns = [part if isinstance(part, Vector) else [part] * size for part in parts]
        return Vector(function(*row) for row in zip(*columns, strict=True))

    def _apply(self, name: str, parts: Sequence[Value]) -> Value:
        return self._together(lambda *args: self._called(name, args), parts)

    def _called(self, name: str, args: Sequence[sympy.Expr]) -> sympy.Expr:
        if name == "power":
            return self._power(*args)
        if name == "exp2":
            return self._power(sympy.Integer(2), *args)
        if name == "exp":
            self._check_growth(sympy.E, args[0])
        if name == "log":
            return _logarithm(args[0])
        if name == "mod" and args[1].is_zero:
            raise self.refuse("the remainder of a division by zero")
        return FUNCTIONS[name](*args)

    def _where(self, condition: sympy.Expr, a: sympy.Expr | int, b: sympy.Expr | int) -> sympy.Expr:
        return NODES["where"](condition, sympy.sympify(a), sympy.sympify(b))

    def _joined(self, both: bool, nodes: Sequence[ast.expr], depth: int) -> Value:
        """Build a and b, or a or b, with the value that Python gives them."""
        join = (lambda a, b: self._where(a, b, a)) if both else (lambda a, b: self._where(a, a, b))
        parts = [self.build(each, depth) for each in nodes]
        return reduce(lambda a, b: self._together(join, [a, b]), parts)

    def _compared(self, node: ast.Compare, depth: int) -> Value:
        """Build a < b < c, which is a < b and b < c."""
        parts = [self.build(each, depth) for each in (node.left, *node.comparators)]
        found: list[Value] = []
        for kind, pair in zip(node.ops, pairwise(parts), strict=True):
            sign = COMPARISONS.get(type(kind))
            if sign is None:
                raise self.refuse("compare with < <= > >= == or !=")
            found.append(self._together(COMPARISON_NODES[sign], pair))
        return reduce(lambda a, b: self._together(lambda c, d: self._where(c, d, 0), [a, b]), found)

    def _at(self, value: ast.expr, index: ast.expr, depth: int) -> Value:
        """Build x[2] or x[1:]."""
        found, shown = self.build(value, depth), ast.unparse(value)[:40]
        if not isinstance(found, Vector):
            raise self.refuse(f"{shown} is a number, which has no {shown}[{ast.unparse(index)}]")
        if isinstance(index, ast.Slice):
            ends = (index.lower, index.upper, index.step)
            begin, end, step = (None if each is None else self._whole(each, depth) for each in ends)
            if step == 0 or not found[begin:end:step]:
                raise self.refuse(f"{shown}[{ast.unparse(index)}] is empty")
            return Vector(found[begin:end:step])
        place = self._whole(index, depth)
        if not -len(found) <= place < len(found):
            raise self.refuse(
                f"{shown}[{place}]: {shown} has {len(found)} coordinates, {shown}[0] to "
                f"{shown}[{len(found) - 1}]" + (": --dim sets their number" if shown == "x" else "")
            )
        return found[place]

    def _whole(self, node: ast.expr, depth: int) -> int:
        found = self.number(node, depth)
        if not found.is_Integer:
            raise self.refuse(f"{ast.unparse(node)[:40]} is not a whole number")
        if abs(found) > MAX_BUILT:
            raise self.refuse(f"{ast.unparse(node)[:40]} is more than {MAX_BUILT}")
        return int(found)

    def _dot(self, parts: Sequence[Value]) -> sympy.Expr:
        if not all(isinstance(part, Vector) for part in parts):
            raise self.refuse("@ and dot need two vectors")
        product = self._together(sympy.Mul, parts)
        return sympy.Add(*product)

    def _call(self, name: str, args: list[ast.expr], depth: int) -> Value:
        word = spelled(name)
        if name in ("range", "zip", "enumerate") and name not in self.variables:
            raise self.refuse(f"{name} belongs into a sum, as in sum(x[i] for i in range(9))")
        if name in self.variables or word not in vocabulary.FUNCTIONS:
            call = ast.Call(ast.Name(name), args, [])
            raise self.refuse(refusal_of_call(call, self.text, self.variables))
        if any(isinstance(arg, ast.Starred) for arg in args):
            raise self.refuse("* before an argument is not allowed")
        _, _, low, high = vocabulary.FUNCTIONS[word]
        if not low <= len(args) <= high:
            numbers = f"{low}" if low == high else f"{low} to {high}"
            wanted = "one argument" if high == 1 else f"{numbers} arguments"
            raise self.refuse(f"{name} takes {wanted}, not {len(args)}")
        if word in REDUCTIONS and len(args) == 1:
            return self._reduced(word, args[0], depth)
        parts = [self.build(arg, depth) for arg in args]
        return self._dot(parts) if word == "dot" else self._apply(word, parts)

    def _reduced(self, word: str, node: ast.expr, depth: int) -> sympy.Expr:
        """Build a sum, or the like, over a vector or over indices."""
        match node:
            case ast.GeneratorExp(element, [loop]) | ast.ListComp(element, [loop]):
                parts = [self.number(element, depth) for _ in self._passes(loop, depth)]
            case ast.GeneratorExp() | ast.ListComp():
                raise self.refuse("a sum may have only one for: write sums in sums")
            case _:
                found = self.build(node, depth)
                if not isinstance(found, Vector):
                    shown = ast.unparse(node)[:40]
                    raise self.refuse(
                        f"{word} needs a vector or a sum over indices, and {shown} is a number: "
                        "--dim N makes x a vector"
                    )
                parts = list(found)
        if not parts and word not in ("sum", "prod", "len"):
            raise self.refuse(f"{word} of nothing")
        return REDUCTIONS[word](parts)

    def _passes(self, loop: ast.comprehension, depth: int) -> Iterator[None]:
        """Bind the names of a loop to each of its values, one after another."""
        if loop.ifs or loop.is_async:
            raise self.refuse("a sum over indices may have no if: use where")
        names = loop.target.elts if isinstance(loop.target, ast.Tuple) else [loop.target]
        outside = dict(self.names)
        for values in self._items(loop.iter, depth):
            if len(values) != len(names) or not all(isinstance(each, ast.Name) for each in names):
                raise self.refuse(f"for {ast.unparse(loop.target)} does not fit what it runs over")
            self.names = outside | {
                each.id: value
                for each, value in zip(names, values, strict=True)
                if isinstance(each, ast.Name)
            }
            yield
        self.names = outside

    def _items(self, node: ast.expr, depth: int) -> Iterator[Sequence[Value]]:
        """Yield the values that a loop runs over, one for each of its names."""
        match node:
            case ast.Call(func=ast.Name(id="range" | "arange"), args=[_, *_] as args, keywords=[]):
                if len(args) > 3:
                    raise self.refuse("range takes at most three numbers")
                ends = [self._whole(each, depth) for each in args]
                if len(ends) == 3 and not ends[2]:
                    raise self.refuse("the step of a range cannot be 0")
                yield from ([sympy.Integer(each)] for each in range(*ends))
            case ast.Call(func=ast.Name(id="zip"), args=[_, *_] as args, keywords=[]):
                for row in zip(*(self._items(each, depth) for each in args), strict=False):
                    yield [value for values in row for value in values]
            case ast.Call(func=ast.Name(id="enumerate"), args=[inner], keywords=[]):
                for number, values in enumerate(self._items(inner, depth)):
                    yield [sympy.Integer(number), *values]
            case _:
                found = self.build(node, depth)
                if not isinstance(found, Vector):
                    shown = ast.unparse(node)[:40]
                    raise self.refuse(f"cannot run over {shown}: write for i in range(10)")
                yield from ([each] for each in found)

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


def _each(function: Callable[[sympy.Expr], sympy.Expr], value: Value) -> Value:
    """Apply a function to a number, or to each coordinate of a vector."""
    return Vector(map(function, value)) if isinstance(value, Vector) else function(value)


def _exponent(expression: sympy.Expr) -> sympy.Expr | None:
    """Return z of exp(z), None for any other expression."""
    return expression.args[0] if isinstance(expression, sympy.exp) else None


def _added(*parts: sympy.Expr) -> sympy.Expr:
    """Return a sum, where 1 - sigmoid(z) is sigmoid(-z): it does not vanish."""
    total = sympy.Add(*parts)
    rest = 1 - total if total.is_Add else None
    return NODES["sigmoid"](-rest.args[0]) if isinstance(rest, NODES["sigmoid"]) else total


def _logarithm(of: sympy.Expr) -> sympy.Expr:
    """Return a logarithm, where that of 1 + exp(z) or sigmoid(z) is a softplus, exact for all z."""
    if isinstance(of, NODES["sigmoid"]):
        return -NODES["softplus"](-of.args[0])
    exponent = _exponent(of - 1) if of.is_Add else None
    return sympy.log(of) if exponent is None else NODES["softplus"](exponent)


def _joins(node: ast.expr) -> bool:
    """Return whether a node joins conditions with & or |."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr)
