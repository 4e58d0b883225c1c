"""Constraints as text: what they compare, and which shapes they have, by sympy.

The text may be untrusted and is never executed: both sides are formulas. Recognised shapes are
cached on disk, because importing sympy takes as long as a short run.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from optiviz.surfaces.syntax import free_names, parse_text, with_params
from optiviz.system.cache import cache_key, cached, source_hash
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.text import enumerated

if TYPE_CHECKING:
    import sympy

SHOWN = {"<=": "\u2264", ">=": "\u2265", "==": "="}
POWER = re.compile(r"\*\*([0-9]+|[a-pr-z])(?![\w.(])")  # a whole number, or one raised letter
RAISED = str.maketrans("0123456789abcdefghijklmnoprstuvwxyz", "⁰¹²³⁴⁵⁶⁷⁸⁹ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ")
SIZE = re.compile(r"\babs\(([^()|]*)\)")  # of a number, without another one in it
MINUS = re.compile(r"(?<![eE])-")  # not that of 1e-9
MAX_PARTS = 64  # of one constraint: a sum of n absolute values has 2**n
# What the recognised shape of a text depends on.
SOURCES = "constraints.py", "grammar.py", "nodes.py", "syntax.py", "vocabulary.py"


class Comparison(NamedTuple):
    """A formula that must be at most 0 or, if `equal`, 0."""

    formula: str
    equal: bool


def comparisons(
    text: str, names: Sequence[str], params: Mapping[str, float] = MappingProxyType({})
) -> tuple[Comparison, ...]:
    """Return what a constraint compares: two for 0 <= x <= 1. params are values of other names.

    Raises InputError if it compares nothing, or has other variables than `names`.
    """
    said = f"constraint {text!r}"
    if re.search(r"(?<![<>=!])=(?!=)", text):
        raise InputError(f"{said}: write == instead of =")
    match tree := parse_text(with_params(text, params)):
        case ast.Compare():
            pass
        case ast.BoolOp(op=ast.And(), values=several) | ast.Tuple(elts=several):
            each = " ".join(f'--constraint "{ast.unparse(part)}"' for part in several)
            raise InputError(f"{said} is more than one: write {each}")
        case ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            raise InputError(f"{said} must be a comparison: all constraints hold at once")
        case _:
            raise InputError(f"{said} compares nothing: write, for example, {text.strip()} <= 1")
    found = []
    for sign, (left, right) in zip(tree.ops, pairwise((tree.left, *tree.comparators)), strict=True):
        match sign:
            case ast.LtE() | ast.Eq():
                pair = left, right
            case ast.GtE():
                pair = right, left
            case ast.Lt() | ast.Gt():
                strict = "<" if isinstance(sign, ast.Lt) else ">"
                raise InputError(
                    f"{said}: write {strict}= instead of {strict}: the edge belongs to the set"
                )
            case _:
                raise InputError(f"{said}: compare with <=, >= or ==")
        used = free_names(left) | free_names(right)
        for name in sorted(used - set(names)):
            raise InputError(f"{said}: {did_you_mean('variable', name, names)}")
        if not used:
            raise InputError(f"{said} compares numbers, not {enumerated(names)}")
        first, second = map(ast.unparse, pair)
        formula = first if second == "0" else f"{first} - ({second})"
        found.append(Comparison(formula, isinstance(sign, ast.Eq)))
    return tuple(found)


def spaced(text: str) -> str:
    """Return a constraint with a space beside each sign that compares."""
    return " ".join(re.sub(r"(<=|>=|==)", r" \1 ", text).split())


def in_signs(text: str) -> str:
    """Return a constraint as people write it: x**2 <= 1 with a raised 2 and one sign, |x|."""
    text = POWER.sub(lambda found: found[1].translate(RAISED), text)
    text = SIZE.sub(r"|\1|", text)
    text = MINUS.sub("\N{MINUS SIGN}", text)
    for sign, shown in SHOWN.items():
        text = text.replace(sign, shown)
    return text


def penalized(formula: str, weight: float, names: Sequence[str]) -> str:
    """Return a formula with the penalty `weight` times the sum of absolute values."""
    match parse_text(formula):
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr()) | ast.IfExp() | ast.Compare() | ast.BoolOp():
            formula = f"({formula})"
    sizes = " + ".join(f"abs({name})" for name in names)
    if weight == 1:
        return f"{formula} + {sizes}"
    shown = repr(weight).removesuffix(".0")
    return f"{formula} + {shown}*" + (f"({sizes})" if len(names) > 1 else sizes)


Part = dict[str, Any]  # a shape as plain values: its kind, and its numbers


def parts_of(comparison: Comparison, names: tuple[str, ...]) -> list[Part]:
    """Return the shapes whose intersection a comparison is.

    They are half-spaces, {"normal", "offset"} with normal'x <= offset, or == if "equal"; ellipses,
    {"center", "matrix"} with (x - center)' matrix (x - center) <= 1 or, of a circle, == for "side"
    0 and >= for -1; or one "curved" shape, of which nothing is known. Raises InputError if it is
    not a formula.
    """
    key = cache_key(
        version("sympy"),
        source_hash("optiviz.surfaces", *SOURCES),
        *(",".join(names), comparison.formula, str(comparison.equal)),
    )
    known: list[Part] = json.loads(
        cached(f"constraints/{key}", lambda: json.dumps(_recognised(comparison, names)).encode())
    )
    return known


def _recognised(comparison: Comparison, names: tuple[str, ...]) -> list[Part]:
    from optiviz.surfaces.derivation import symbols
    from optiviz.surfaces.grammar import parse_formula

    coordinates = symbols(len(names))
    named = dict(zip(names, coordinates, strict=True))
    expression = parse_formula(comparison.formula, named)
    found = list(_parts(expression, coordinates, comparison.equal))
    curved = any("curved" in each for each in found) or len(found) > MAX_PARTS
    return [{"curved": True}] if curved else found


def _parts(
    expression: "sympy.Expr", coordinates: "Sequence[sympy.Symbol]", equal: bool, deep: int = 0
) -> Iterator[Part]:
    """Yield the shapes of expression <= 0: one for each sign of absolute values in it."""
    import sympy

    from optiviz.surfaces.nodes import NODES

    kinks = (NODES["abs"], NODES["max"])
    kink = next((e for e in sympy.preorder_traversal(expression) if isinstance(e, kinks)), None)
    if kink is not None and not equal and 2**deep <= MAX_PARTS:
        mark = sympy.Dummy(real=True)
        marked = expression.xreplace({kink: mark})
        slope = sympy.diff(marked, mark)
        if slope.is_number and slope > 0:  # the larger one of both counts
            sides = kink.args if len(kink.args) > 1 else (kink.args[0], -kink.args[0])
            for side in sides:
                yield from _parts(marked.xreplace({mark: side}), coordinates, equal, deep + 1)
            return
    yield _shape(expression, coordinates, equal)


def _shape(expression: "sympy.Expr", coordinates: "Sequence[sympy.Symbol]", equal: bool) -> Part:
    """Return the shape of expression <= 0 if it is a half-space or an ellipse."""
    import sympy

    curved: Part = {"curved": True}
    if not expression.is_polynomial(*coordinates):
        return curved
    degree = sympy.Poly(expression, *coordinates).total_degree()
    origin = dict.fromkeys(coordinates, 0)
    slope = sympy.Matrix([sympy.diff(expression, each) for each in coordinates])
    if degree <= 1:
        offset = -float(expression.subs(origin))
        return {"normal": [float(each) for each in slope], "offset": offset, "equal": equal}
    if degree > 2:
        return curved
    bend = sympy.hessian(expression, coordinates)
    side = 0 if equal else 1
    if bend[0, 0] < 0:
        expression, slope, bend, side = -expression, -slope, -bend, -side
    round_ = bend.rows > 1 and bend == bend[0, 0] * sympy.eye(bend.rows)
    definite = all(bend[:n, :n].det() > 0 for n in range(1, bend.rows + 1))
    if not definite or (side < 1 and not round_):
        return curved
    center = -bend.LUsolve(slope.subs(origin))
    least = sympy.expand(expression.subs(dict(zip(coordinates, center, strict=True))))
    if least > 0:  # no point, or all, as of a comparison of numbers
        return {"normal": [0.0] * bend.rows, "offset": -float(side or 1), "equal": False}
    if least == 0:  # one point
        return curved
    matrix = bend / (-2 * least)
    return {
        "center": [float(each) for each in center],
        "matrix": [[float(each) for each in row] for row in matrix.tolist()],
        "side": side,
    }
