"""Formulas in mathematical notation, in matplotlib's mathtext."""

import ast
from collections.abc import Iterator, Mapping

ADDED, NEGATED, MULTIPLIED, RAISED, ATOM = range(5)  # precedence of a node
SIGNS = {ast.Add: "+", ast.Sub: "-"}
POWERED = ("sin", "cos", "tan", "sinh", "cosh", "tanh", "log")  # written sin²(x)


def terms(formula: str, variables: Mapping[str, str] | None = None) -> list[str]:
    """Return the terms of a valid formula, in mathtext without dollar signs.

    All but the first begin with their sign. A line may be broken between two terms. variables maps
    names in the formula to those that are written for them.
    """
    tree = ast.parse(formula.strip(), mode="eval")
    if variables:
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                node.id = variables.get(node.id, node.id)
    return list(_terms(tree.body))


def _terms(node: ast.expr) -> Iterator[str]:
    chain: list[tuple[str, ast.expr]] = []  # signs and terms, the last one first
    while isinstance(node, ast.BinOp) and type(node.op) in SIGNS:
        chain.append((SIGNS[type(node.op)], node.right))
        node = node.left
    yield _written(node, ADDED)
    for sign, term in reversed(chain):
        yield f"{sign} {_written(term, MULTIPLIED)}"


def _written(node: ast.expr, least: int = ADDED) -> str:
    """Return a node's notation, in parentheses if its precedence is below `least`."""
    held, said = _notation(node)
    if said.startswith("-"):
        held = min(held, NEGATED)
    return said if held >= least else f"({said})"


def _notation(node: ast.expr) -> tuple[int, str]:
    match node:
        case ast.Constant(value=int() | float() as value):
            return _number(value)
        case ast.Name(id=name):
            return ATOM, r"\pi" if name == "pi" else _variable(name)
        case ast.Call(func=ast.Name(id=name), args=args):
            return ATOM, _call(name, args)
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return ADDED, " ".join(_terms(node))
        case ast.BinOp(left, ast.Mult(), right):
            first, second = _written(left, NEGATED), _written(right, MULTIPLIED)
            first = f"({first})" if _divides(left) else first
            second = f"({second})" if _divides(right) else second
            between = r"\cdot " if second[0].isdigit() else r"\,"
            return MULTIPLIED, f"{first}{between}{second}"
        case ast.BinOp(left, ast.Div(), right):
            return MULTIPLIED, f"{_written(left, NEGATED)}/{_written(right, RAISED)}"
        case ast.BinOp(left, ast.Pow(), right):
            power = "{" + _written(right) + "}"
            match left, right:
                case ast.Call(func=ast.Name(id=name), args=[arg]), ast.Constant(value=int()) if (
                    name in POWERED
                ):
                    return RAISED, rf"\mathrm{{{name}}}^{power}({_written(arg)})"
            return RAISED, f"{_written(left, ATOM)}^{power}"
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            said = _written(operand, MULTIPLIED)
            return NEGATED, f"-({said})" if _divides(operand) else f"-{said}"
        case ast.UnaryOp(operand=operand):
            return _notation(operand)
    raise ValueError(f"{ast.dump(node)} is not allowed in a formula")


def _variable(name: str) -> str:
    """Return the name of a variable: what follows an underscore is an index."""
    base, _, index = name.partition("_")
    said = base if len(base) == 1 else rf"\mathit{{{base}}}"
    return f"{said}_{{{index.replace('_', ',')}}}" if index else said


def _divides(node: ast.expr) -> bool:
    """Return whether a node is a quotient: a factor after it would look like its denominator."""
    while isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd):
        node = node.operand
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)


def _number(value: float) -> tuple[int, str]:
    mantissa, exponent, power = repr(value).removesuffix(".0").partition("e")
    if exponent:
        return MULTIPLIED, rf"{mantissa}\cdot 10^{{{int(power)}}}"
    return ATOM, mantissa


def _call(name: str, args: list[ast.expr]) -> str:
    said = ", ".join(_written(arg) for arg in args)
    match name:
        case "sqrt":
            return rf"\sqrt{{{said}}}"
        case "abs" if "|" not in said:
            return f"|{said}|"
        case "floor":
            return rf"\lfloor {said} \rfloor"
    return rf"\mathrm{{{name}}}({said})"
