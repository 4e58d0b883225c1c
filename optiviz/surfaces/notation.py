"""Formulas in mathematical notation, in matplotlib's mathtext."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from unicodedata import lookup

from optiviz.surfaces.syntax import parse_text
from optiviz.surfaces.vocabulary import spelled

# Precedence of a node.
EITHER, BOTH, NOT, COMPARED, ADDED, NEGATED, MULTIPLIED, RAISED, ATOM = range(9)
SIGNS = {ast.Add: "+", ast.Sub: "-"}
COMPARISONS = {
    ast.Lt: "<", ast.LtE: r"\leq", ast.Gt: ">", ast.GtE: r"\geq", ast.Eq: "=", ast.NotEq: r"\neq",
}  # fmt: skip
GREEK = {
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"),
    *("lambda", "mu", "nu", "xi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"),
}
LARGE = {"sum": r"\Sigma", "prod": r"\Pi"}  # in letters, as large signs would need higher lines
POWERED = ("sin", "cos", "tan", "sinh", "cosh", "tanh", "log")  # written sin²(x)


def terms(formula: str, variables: Mapping[str, str] | None = None) -> list[str]:
    """Return the terms of a valid formula, in mathtext without dollar signs.

    All but the first begin with their sign. A line may be broken between two terms. variables maps
    names in the formula to those that are written for them. In front of a formula may be what it is
    equal to, a name, as in y = w*x + b.
    """
    name, equals, formula = formula.rpartition(" = ")
    tree = parse_text(formula)
    if variables:
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                node.id = variables.get(node.id, node.id)
    first, *others = _terms(tree)
    return [f"{_variable(name)} = {first}" if equals else first, *others]


def pieces(term: str, factors: bool = False) -> list[str]:
    """Return the parts of a term, in mathtext, between which a line may be broken if it must.

    They end before a sign, and with `factors` after a product's space or a comma, too, but not in
    braces, in which are powers, roots and indices.
    """
    found, begin, depth = [], 0, 0
    for place in range(1, len(term)):
        depth += {"{": 1, "}": -1}.get(term[place - 1], 0)
        before = term[begin:place].strip()
        ends = term.startswith(("+ ", "- "), place) or (
            factors and term[begin:place].endswith((r"\,", ", "))
        )
        if ends and before and not depth:
            found.append(before)
            begin = place
    return [*found, term[begin:]]


def _terms(node: ast.expr) -> Iterator[str]:
    chain: list[tuple[str, ast.expr]] = []  # signs and terms, the last one first
    while isinstance(node, ast.BinOp) and type(node.op) in SIGNS:
        chain.append((SIGNS[type(node.op)], node.right))
        node = node.left
    yield _written(node, EITHER if not chain else ADDED)
    for sign, term in reversed(chain):
        yield f"{sign} {_written(term, MULTIPLIED)}"


def _written(node: ast.expr, least: int = EITHER) -> str:
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
        case ast.Call(func=ast.Name(id=name), args=[over]) if spelled(name) in LARGE:
            return MULTIPLIED, _sum(LARGE[spelled(name)], over)
        case ast.Call(func=ast.Attribute(value=over, attr=name)) if spelled(name) in LARGE:
            return MULTIPLIED, _sum(LARGE[spelled(name)], over)
        case ast.Call(func=ast.Name(id=name), args=args):
            return _call(spelled(name), args)
        case ast.Call(func=ast.Attribute(value=over, attr=name)):
            return _call(spelled(name), [over])
        case ast.Subscript(value, index):
            said = _written(value, ATOM)
            said = said if isinstance(value, ast.Name) else f"({said})"
            return ATOM, f"{said}_{{{_index(index)}}}"
        case ast.Compare(left, ops, comparators):
            parts = [_written(left, ADDED)]
            for kind, right in zip(ops, comparators, strict=True):
                parts += [COMPARISONS[type(kind)], _written(right, ADDED)]
            return COMPARED, " ".join(parts)
        case ast.BoolOp(op, values):
            return _joined(isinstance(op, ast.And), values)
        case ast.BinOp(left, ast.BitAnd() | ast.BitOr() as op, right):
            return _joined(isinstance(op, ast.BitAnd), [left, right])
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return NOT, rf"\mathrm{{not}}\ {_written(operand, NOT)}"
        case ast.IfExp(test, body, orelse):
            return _call("where", [test, body, orelse])
        case ast.GeneratorExp(element, [loop]) | ast.ListComp(element, [loop]):
            return ATOM, f"{_written(element)},\\ {_loop(loop)}"
        case ast.BinOp(left, ast.Mod(), right):
            return _call("mod", [left, right])
        case ast.BinOp(left, ast.MatMult(), right):
            return MULTIPLIED, f"{_written(left, RAISED)}\\cdot {_written(right, RAISED)}"
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return ADDED, " ".join(_terms(node))
        case ast.BinOp(left, ast.Mult(), right):
            first, second = _written(left, NEGATED), _written(right, MULTIPLIED)
            first = f"({first})" if _divides(left) or _is_open(left) else first
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
    """Return the name of a variable: digits, and what follows an underscore, are an index."""
    if not name.strip("_"):
        return r"\_"
    base, _, index = name.partition("_")
    if not index and (stem := base.rstrip("0123456789")):
        base, index = stem, base[len(stem) :]
    said = base if len(base) == 1 else rf"\mathit{{{base}}}"
    if base in GREEK:
        said = rf"\{base}"
    return f"{said}_{{{index.replace('_', ',')}}}" if index else said


def symbol(name: str) -> str:
    """Return the letter that a name stands for, such as μ for mu, or else the name."""
    letter = "lamda" if name == "lambda" else name
    return lookup(f"GREEK SMALL LETTER {letter.upper()}") if name in GREEK else name


def _joined(both: bool, nodes: Sequence[ast.expr]) -> tuple[int, str]:
    held, word = (BOTH, "and") if both else (EITHER, "or")
    return held, rf"\ \mathrm{{{word}}}\ ".join(_written(each, held + 1) for each in nodes)


def _sum(sign: str, over: ast.expr) -> str:
    """Return a sum or product; what is summed has brackets if it is a sum itself."""
    match over:
        case ast.GeneratorExp(element, [loop]) | ast.ListComp(element, [loop]):
            return rf"{sign}_{{{_loop(loop)}}}\,{_written(element, MULTIPLIED)}"
    return rf"{sign}\,{_written(over, MULTIPLIED)}"


def _loop(loop: ast.comprehension) -> str:
    """Return the indices of a sum: i = 0 ... 9, or what runs over what."""
    match loop:
        case ast.comprehension(target=ast.Name(id=name), iter=ast.Call(ast.Name("range"), args)):
            numbers = [
                each.value
                for each in args
                if isinstance(each, ast.Constant) and isinstance(each.value, int)
            ]
            if len(numbers) == len(args) < 3 and (passed := range(*numbers)):
                return rf"{_variable(name)}={passed[0]}\ldots {passed[-1]}"
    names = [each.id for each in ast.walk(loop.target) if isinstance(each, ast.Name)]
    return rf"{','.join(map(_variable, names))}\ \mathrm{{in}}\ {_written(loop.iter)}"


def _index(node: ast.expr) -> str:
    """Return an index counted from 1, as variables are, or the ends of a part."""
    match node:
        case ast.Constant(value=int() as value):
            return str(value + 1)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1)):
            return "n"
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as value)):
            return f"n - {value - 1}"
        case ast.BinOp(base, ast.Add() | ast.Sub() as op, ast.Constant(int() as more)):
            moved = 1 + (more if isinstance(op, ast.Add) else -more)
            return _written(base) + (f" {'+' if moved > 0 else '-'} {abs(moved)}" * bool(moved))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return f"n - {_written(operand, MULTIPLIED)} + 1"
        case ast.Slice(lower, upper, None):
            begin = "1" if lower is None else _index(lower)
            return rf"{begin}\ldots {_last(upper)}"
    return f"{_written(node)} + 1"


def _last(upper: ast.expr | None) -> str:
    """Return the last index, counted from 1, of a part that ends before `upper`."""
    match upper:
        case None:
            return "n"
        case ast.Constant(value=int() as value):
            return str(value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as value)):
            return f"n - {value}"
    return _written(upper)


def _is_open(node: ast.expr) -> bool:
    """Return whether a node ends in a sum or product: what follows would look like a part of it."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=[_]) | ast.Call(func=ast.Attribute(attr=name)):
            return spelled(name) in LARGE
        case ast.BinOp(_, ast.Mult(), right) | ast.UnaryOp(operand=right):
            return _is_open(right)
    return False


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


def _call(name: str, args: Sequence[ast.expr]) -> tuple[int, str]:
    said = ", ".join(_written(arg) for arg in args)
    match name, args:
        case "sqrt", _:
            return ATOM, rf"\sqrt{{{said}}}"
        case "abs", _ if "|" not in said:
            return ATOM, f"|{said}|"
        case "floor", _:
            return ATOM, rf"\lfloor {said} \rfloor"
        case "ceil", _:
            return ATOM, rf"\lceil {said} \rceil"
        case "square", [arg]:
            return RAISED, f"{_written(arg, ATOM)}^{{2}}"
        case "power", [base, power]:
            return RAISED, f"{_written(base, ATOM)}^{{{_written(power)}}}"
        case "exp2", _:
            return RAISED, f"2^{{{said}}}"
    return ATOM, rf"\mathrm{{{name}}}({said})"
