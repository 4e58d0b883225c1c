"""A formula's text in mathematical notation, as matplotlib's mathtext reads it."""

import ast
from collections.abc import Iterator

ADDED, NEGATED, MULTIPLIED, RAISED, ATOM = range(5)  # how tightly a node holds together
SIGNS = {ast.Add: "+", ast.Sub: "-"}
POWERED = ("sin", "cos", "tan", "sinh", "cosh", "tanh", "log")  # written sin²(x)


def terms(formula: str) -> list[str]:
    """Return the terms of a formula that may be written, in mathtext without its dollars.

    All but the first begin with their sign. A line may be broken between two of them.
    """
    node = ast.parse(formula.strip(), mode="eval").body
    return list(_terms(node, formula.strip()))


def _terms(node: ast.expr, text: str) -> Iterator[str]:
    chain: list[tuple[str, ast.expr]] = []  # of signs and terms, the last one first
    while isinstance(node, ast.BinOp) and type(node.op) in SIGNS:
        chain.append((SIGNS[type(node.op)], node.right))
        node = node.left
    yield _written(node, text, ADDED)
    for sign, term in reversed(chain):
        yield f"{sign} {_written(term, text, MULTIPLIED)}"


def _written(node: ast.expr, text: str, least: int = ADDED) -> str:
    """Return a node's notation, in parentheses if it holds together less tightly than `least`."""
    held, said = _notation(node, text)
    if said.startswith("-"):
        held = min(held, NEGATED)
    return said if held >= least else f"({said})"


def _notation(node: ast.expr, text: str) -> tuple[int, str]:
    match node:
        case ast.Call(func=ast.Name(id=name), args=args):
            return _call(name, args, text)
        case ast.Name(id="pi"):
            return ATOM, r"\pi"
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return ADDED, " ".join(_terms(node, text))
        case ast.BinOp(left, ast.Mult(), right):
            divided = isinstance(left, ast.BinOp) and isinstance(left.op, ast.Div)
            first = _written(left, text, ATOM if divided else NEGATED)
            second = _written(right, text, MULTIPLIED)
            between = r"\cdot " if second[0].isdigit() else r"\,"
            return MULTIPLIED, f"{first}{between}{second}"
        case ast.BinOp(left, ast.Div(), right):
            return MULTIPLIED, f"{_written(left, text, NEGATED)}/{_written(right, text, RAISED)}"
        case ast.BinOp(left, ast.Pow(), right):
            power = "{" + _written(right, text) + "}"
            match left:
                case ast.Call(func=ast.Name(id=name), args=args) if name in POWERED:
                    return RAISED, rf"\mathrm{{{name}}}^{power}({_written(args[0], text)})"
            return RAISED, f"{_written(left, text, ATOM)}^{power}"
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return NEGATED, f"-{_written(operand, text, MULTIPLIED)}"
        case ast.UnaryOp(operand=operand):
            return _notation(operand, text)
    said = ast.get_source_segment(text, node) or ""
    mantissa, exponent, power = said.lower().partition("e")
    if isinstance(node, ast.Constant) and exponent:
        return MULTIPLIED, rf"{mantissa}\cdot 10^{{{int(power)}}}"
    return ATOM, said


def _call(name: str, args: list[ast.expr], text: str) -> tuple[int, str]:
    said = ", ".join(_written(arg, text) for arg in args)
    match name:
        case "sqrt":
            return ATOM, rf"\sqrt{{{said}}}"
        case "abs":
            return ATOM, f"|{said}|"
        case "floor":
            return ATOM, rf"\lfloor {said} \rfloor"
    return ATOM, rf"\mathrm{{{name}}}({said})"
