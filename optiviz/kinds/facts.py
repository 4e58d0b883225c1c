"""Numbers of a picture in text: what `{{loss(adam)}}` stands for, and claims about them.

An expression is parsed as a formula is, and evaluated on the numbers of one picture; nothing in it
is executed. What the numbers are called, each scene says itself, as its `facts`.
"""

import ast
import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from inspect import signature
from typing import Any, TypeAlias

import numpy as np

from optiviz.surfaces.syntax import named_formula, parse_text
from optiviz.system.errors import InputError, did_you_mean

Fact: TypeAlias = "float | Callable[..., float]"
Facts: TypeAlias = Mapping[str, Fact]

QUOTED = re.compile(r"\{\{(.*?)\}\}")
PARTS = re.compile(r"\$([^$]*)\$|`([^`]+)`")  # of prose: a formula, code
DIGITS = 2  # significant ones of a number in text, unless specified
MAX_DIGITS = 15
PLAIN = 1e-4, 1e6  # between which numbers are written without a power of ten
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: math.pow, ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip
FUNCTIONS: Facts = {
    **{name: getattr(math, name) for name in ("sqrt", "exp", "log", "log10", "sin", "cos")},
    **{name: getattr(math, name) for name in ("floor", "ceil", "pi", "e")},
    **{"abs": abs, "min": min, "max": max, "round": round},
}


def evaluate(text: str, facts: Facts) -> Any:
    """Return the value of an expression: a number, or a truth if it compares numbers.

    Names that are no facts are labels of entries, which facts take as arguments. Raises InputError
    if it is no expression of facts, or has no finite value.
    """
    try:
        with np.errstate(all="ignore"):
            value = _Evaluator(text, facts).number(parse_text(text))
        finite = math.isfinite(value)
    except InputError:
        raise
    except (ArithmeticError, ValueError) as error:
        raise InputError(f"{text!r} has no value: {error}") from None
    except RecursionError:
        raise InputError(f"{text!r} is nested too deeply") from None
    if not finite:
        raise InputError(f"{text!r} is not a finite number")
    return value


def check_claim(text: str, facts: Facts) -> None:
    """Raise InputError with the numbers that it compares unless a claim is true."""
    if evaluate(text, facts) is not True:
        sides = dict.fromkeys(ast.unparse(side) for side in _compared(parse_text(text)))
        known = [f"{side} is {float(evaluate(side, facts)):.6g}" for side in sides]
        raise InputError(": ".join(filter(None, [f"{text} does not hold", ", ".join(known)])))


def check_expression(text: str) -> ast.expr:
    """Return the nodes of an expression; raise InputError if it can be none."""
    tree = parse_text(text)
    for node in ast.walk(tree):
        for inner in (node, *ast.iter_child_nodes(node)):
            if not isinstance(inner, _KNOWN):  # an operator alone has no text
                said = ast.unparse(inner) or ast.unparse(node)
                raise InputError(f"{named_formula(text)}: {said} is not allowed")
    return tree


def as_claim(text: str) -> str:
    """Return a claim; raise InputError unless it compares numbers."""
    if QUOTED.search(text):
        raise InputError(f"{text!r}: a claim is an expression, without braces")
    if re.search("[^<>=!]=(?!=)", text):
        raise InputError(f"{text!r}: equal numbers are compared by ==")
    if not isinstance(check_expression(text), ast.Compare | ast.BoolOp):
        raise InputError(f"{text!r} compares no numbers: write, for example, loss(adam) < 0.1")
    return text


def as_quoting(text: str) -> str:
    """Return a text with numbers in double braces; raise InputError if one can be no number."""
    for inside in QUOTED.findall(text):
        expression, _ = _quoted(inside)
        check_expression(expression)
    rest = QUOTED.sub("", text)
    if "{{" in rest:
        raise InputError("has {{ without }}")
    if any(found[1] == "" for found in PARTS.finditer(rest)):
        raise InputError("has $$: formulas stand between single dollar signs")
    words = PARTS.sub("", rest)
    if "$" in words:
        raise InputError("has an odd number of $: formulas stand between two")
    if brace := re.search(r"\{[^{}]*\}?|\}", words):
        raise InputError(f"has {brace[0]!r} in words: a number stands between {{{{ and }}}}")
    if command := re.search(r"\\(\(|[A-Za-z]+)", words):
        raise InputError(f"has {command[0]} in words: formulas stand between dollar signs")
    return text


def formulas(text: str) -> list[str]:
    """Return the formulas in a text, with a number for each expression."""
    return [found[1] for found in PARTS.finditer(QUOTED.sub("{1}", text)) if found[1] is not None]


def filled(text: str, facts: Facts) -> str:
    """Return a text with the numbers of its expressions, rounded to significant digits."""
    masked = QUOTED.sub(lambda found: "1" * len(found[0]), text)
    math = [found.span(1) for found in PARTS.finditer(masked) if found[1] is not None]

    def written(found: re.Match[str]) -> str:
        expression, digits = _quoted(found[1])
        value = evaluate(expression, facts)
        if not any(start <= found.start() < end for start, end in math):
            return number_text(value, digits)
        said = number_text(value, digits, math=True)
        return said if len(said) == 1 else f"{{{said}}}"  # as one, for what is before it

    return QUOTED.sub(written, text)


def number_text(value: float, digits: int = DIGITS, math: bool = False) -> str:
    """Return a number as it is written in prose, or in a formula of LaTeX; whole ones as they are.

    >>> number_text(0.012345), number_text(1234.5, 3), number_text(61.0), number_text(1.2e-7)
    ('0.012', '1230', '61', '1.2 × 10⁻⁷')
    """
    minus = "-" if math else "\N{MINUS SIGN}"
    if float(value).is_integer() and abs(value) < PLAIN[1]:
        return f"{value:.0f}".replace("-", minus)
    rounded = float(f"{value:.{digits}g}")
    if PLAIN[0] <= abs(rounded) < PLAIN[1]:
        return f"{rounded:.15g}".replace("-", minus)
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = str(int(exponent))
    if math:
        return f"{mantissa} \\times 10^{{{power}}}"
    return f"{mantissa} × 10{power.translate(RAISED)}".replace("-", minus)


def call_of(name: str, function: Callable[..., float]) -> str:
    """Return how a function is called, for example loss(path[, step, start])."""
    needed, optional = list[str](), list[str]()
    for each in signature(function).parameters.values():
        many = each.kind is each.VAR_POSITIONAL
        (needed if each.default is each.empty else optional).append(
            f"{each.name}, ..." if many else each.name
        )
    rest = f"[, {', '.join(optional)}]" if optional else ""
    return f"{name}({', '.join(needed)}{rest})"


def part(parts: Any, number: float, what: str) -> Any:
    """Return one of several parts by its number, the first of which is 1."""
    if number != int(number) or not 1 <= number <= len(parts):
        raise InputError(f"there is no {what} {number:g}: there are {len(parts)}")
    return parts[int(number) - 1]


def setting(known: Mapping[str, Any], name: str) -> float:
    """Return a hyperparameter that is a number, by its name."""
    numbers = {key: value for key, value in known.items() if isinstance(value, int | float)}
    if name not in numbers:
        raise InputError(did_you_mean("hyperparameter", name, numbers))
    return float(numbers[name])


def _quoted(inside: str) -> tuple[str, int]:
    """Return the expression in double braces, and the number of digits that is asked for."""
    expression, colon, digits = inside.rpartition(":")
    if not colon:
        return inside.strip(), DIGITS
    if not digits.strip().isdecimal() or not 1 <= int(digits) <= MAX_DIGITS:
        raise InputError(f"{inside.strip()!r}: a number of digits, from 1 to {MAX_DIGITS}, is "
                         "what stands after a colon")  # fmt: skip
    return expression.strip(), int(digits)


def _compared(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the sides of all comparisons of a claim that are no plain numbers."""
    for each in ast.walk(node):
        if isinstance(each, ast.Compare):
            for side in (each.left, *each.comparators):
                if not isinstance(side, ast.Constant):
                    yield side


_KNOWN: tuple[type[ast.AST], ...] = (
    *(ast.Constant, ast.Name, ast.Load, ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.Call),
    *(ast.And, ast.Or),
    *OPERATORS,
)


class _Evaluator:
    """Evaluates whitelisted nodes of `ast`; what a fact takes as text is the label of an entry."""

    def __init__(self, text: str, facts: Facts) -> None:
        self.text = text
        self.facts = {**FUNCTIONS, **facts}

    def number(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=int() | float() as value):
                return value
            case ast.Name(id=name) if name in self.facts:
                found = self.facts[name]
                if callable(found):
                    raise InputError(f"{self.text!r}: write {call_of(name, found)}")
                return found
            case ast.Name(id=name) | ast.Constant(value=str() as name):
                names = [each for each, fact in self.facts.items() if not callable(fact)]
                raise InputError(f"{self.text!r}: {did_you_mean('number', name, names)}")
            case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
                return OPERATORS[type(op)](self.number(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                return OPERATORS[type(op)](self.number(left), self.number(right))
            case ast.BoolOp(op=op, values=values):
                truths = [bool(self.number(each)) for each in values]
                return all(truths) if isinstance(op, ast.And) else any(truths)
            case ast.Compare(left=left, ops=ops, comparators=others):
                sides = [self.number(each) for each in (left, *others)]
                pairs = zip(ops, sides, sides[1:], strict=False)
                return reduce(operator.and_, (OPERATORS[type(op)](a, b) for op, a, b in pairs))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._called(name, args)
        raise InputError(f"{self.text!r}: {ast.unparse(node)} is not allowed")

    def _called(self, name: str, args: list[ast.expr]) -> float:
        function = self.facts.get(name)
        if not callable(function):
            names = [each for each, fact in self.facts.items() if callable(fact)]
            raise InputError(f"{self.text!r}: {did_you_mean('function', name, names)}")
        try:
            if name in FUNCTIONS:
                return function(*map(self.number, args))
            given = signature(function).bind(*args)
        except TypeError:
            raise InputError(f"{self.text!r}: write {call_of(name, function)}") from None
        for key, arg in given.arguments.items():
            if given.signature.parameters[key].annotation is str:
                given.arguments[key] = self._label(arg)
            elif isinstance(arg, tuple):
                given.arguments[key] = tuple(map(self.number, arg))
            else:
                given.arguments[key] = self.number(arg)
        return function(*given.args)

    def _label(self, node: ast.expr) -> str:
        """Return a label or another name, whatever else is called so."""
        match node:
            case ast.Name(id=name) | ast.Constant(value=str() as name):
                return name
        raise InputError(f"{self.text!r}: {ast.unparse(node)} is no name: write one, or text")
