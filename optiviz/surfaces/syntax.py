"""The syntax of formulas: text -> nodes of `ast`, and which names in it are variables.

Nothing is executed, and neither sympy nor numpy is imported. Text that is no expression is refused
with the rewriting that is, if there is one.
"""

import ast
import re
import unicodedata
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache

from optiviz.surfaces.vocabulary import (
    CONSTANTS,
    FUNCTIONS,
    MODULES,
    REWRITINGS,
    SPELLINGS,
    UNLIKE,
    spelled,
)
from optiviz.system.errors import InputError, did_you_mean, is_typo
from optiviz.system.text import enumerated

MAX_CHARACTERS = 4000
MAX_NODES = 1500
MAX_VARIABLES = 100  # of a formula or a function
AXES = ("x", "y")  # the variables unless others are named
NO_INTERVAL = "uses {}, but the domain has no interval for it: add one, as in -3:3,-3:3"
MAX_SHOWN = 60  # characters of a formula in a message
MAX_REWRITTEN = 120  # characters of a formula that is rewritten in a message
REDUCING = {"sum", "prod", "mean", "norm", "dot", "len"}  # functions of vectors
SIGNS = {
    "\u00b2": "**2", "\u00b3": "**3", "\u2074": "**4", "\u00b7": "*", "\u22c5": "*", "\u00d7": "*",
    "\u2212": "-", "\u2013": "-", "\u00f7": "/", "\u03c0": "pi", "\u221a": "sqrt", "\u2264": "<=",
    "\u2265": ">=", "\u2260": "!=",
}  # fmt: skip
# Variables whose customary order is not that of the alphabet.
ORDERED = ("w", "b"), ("m", "b"), ("k", "b"), ("m", "c"), ("weight", "bias"), ("slope", "intercept")
TOKEN = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|\*\*|\s+|."
)
FOREIGN = {".^": "**", ".*": "*", "./": "/", "^": "**", "{": "(", "}": ")"}  # signs of others
RAISED = re.compile(r"\b((?:a?(?:sin|cos|tan)h?)|log|exp)\s*\*\*\s*(\d)\s*(\([^()]*\))")  # sin^2(x)
DOUBTFUL = "/", "**", "%"  # operators before a factor whose product with the next one is doubtful
KEYWORDS = {"if", "else", "and", "or", "not", "for", "in"}
WRITTEN = (  # nodes of formulas that are rewritten
    *(ast.Expression, ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.Call, ast.Compare),
    *(
        ast.Subscript,
        ast.Slice,
        ast.IfExp,
        ast.BoolOp,
        ast.expr_context,
        ast.operator,
        ast.unaryop,
        ast.cmpop,
        ast.boolop,
    ),
)
DEFINED = re.compile(
    r"\s*(?:lambda\b[^:]*:|@\([^()]*\)|[A-Za-z_]\w*\s*(?:\([^()]*\))?\s*:?=(?!=))\s*"
)


def named_formula(text: str) -> str:
    """Return the start of a message about a formula."""
    shown = text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."
    return f"formula {shown!r}"


def parse_text(text: str) -> ast.expr:
    """Return the nodes of a formula, which may not be allowed; raise InputError if it has none.

    Names of modules before other names, as in np.sin, are left out.
    """
    named = named_formula(text)
    if not text.strip():
        raise InputError("the formula is empty")
    if not text.isascii():
        odd = next(letter for letter in text if not letter.isascii())
        greek = unicodedata.name(odd, "").partition("GREEK SMALL LETTER ")[2].lower()
        meant = SIGNS.get(odd) or greek.replace("lamda", "lam").partition(" ")[0]
        instead = f": write {meant}" if meant else ""
        raise InputError(f"{named}: {odd!r} is not a plain ASCII character{instead}")
    if "\\" in text:
        raise InputError(f"{named}: '\\' is not allowed: write as in Python, not LaTeX: sin(x)/2")
    if "#" in text:
        raise InputError(f"{named}: '#' is not allowed: a formula has no comments")
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"{named} is longer than {MAX_CHARACTERS} characters")
    try:
        tree = _parsed(text)
    except SyntaxError as error:
        raise InputError(_refusal(text, named, error)) from None
    except (RecursionError, MemoryError):
        raise InputError(f"{named} is nested too deeply") from None
    except ValueError as error:
        raise InputError(f"{named}: {error}") from None
    if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
        raise InputError(f"{named} has more than {MAX_NODES} terms and operators")
    _leave_out_modules(tree)
    return tree.body


def _parsed(text: str) -> ast.Expression:
    with warnings.catch_warnings(action="ignore"):  # such as for 1if, which is rejected anyway
        return ast.parse(text.strip(), mode="eval")


def _refusal(text: str, named: str, error: SyntaxError) -> str:
    if (instead := rewritten(text)) is not None:
        return f"{named} is not an expression: write {instead}"
    where = f" at character {error.offset}" if error.offset else ""
    return f"{named} is not an expression{where}: {error.msg}"


def _leave_out_modules(tree: ast.AST) -> None:
    """Replace np.sin by sin, and np.linalg.norm by norm; a loop, as long sums nest deeply."""
    for parent in ast.walk(tree):
        for field, child in ast.iter_fields(parent):
            if isinstance(child, list):
                child[:] = [_without_module(each) for each in child]
            elif isinstance(child, ast.AST):
                setattr(parent, field, _without_module(child))


def _without_module(node: ast.AST) -> ast.AST:
    root = node
    while isinstance(root, ast.Attribute):
        root = root.value
    if isinstance(node, ast.Attribute) and isinstance(root, ast.Name) and root.id in MODULES:
        return ast.copy_location(ast.Name(node.attr, ast.Load()), node)
    return node


def rewritten(text: str, variables: Collection[str] = AXES) -> str | None:
    """Return a text as a formula that means the same, or None if it cannot be told.

    Products without a sign, powers as ^, absolute values as |x| and "f(x, y) =" are rewritten.
    Where it could mean two things, as 1/2x, it cannot be told.
    """
    if len(text) > MAX_REWRITTEN:
        return None
    changed = DEFINED.sub("", text.strip().removesuffix(";"), count=1)
    for sign, instead in FOREIGN.items():
        changed = changed.replace(sign, instead)
    changed = re.sub(r"(?<![A-Za-z_])([xy]{2,3})(?![\w(])", lambda each: "*".join(each[1]), changed)
    changed = RAISED.sub(r"\1\3**\2", changed)
    changed = re.sub(r"\s*\|([^|<>=]+)\|", r" abs(\1)", changed).strip()  # else | means or
    multiplied = _multiplied(changed, variables)
    if multiplied is None:
        return None
    try:
        tree = _parsed(multiplied)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    right = all(isinstance(node, WRITTEN) for node in ast.walk(tree))
    return multiplied if right and multiplied != text.strip() else None


def _multiplied(text: str, variables: Collection[str]) -> str | None:
    """Return a text with the signs of products that are left out, None if they are doubtful."""
    parts: list[str] = []
    before = ""  # the kind of the token before: a value, a function, a name or nothing of these
    operators = [""]  # before the current factor, one for each open bracket
    for token in TOKEN.finditer(text):
        said = token[0]
        if said.isspace():
            parts.append(said)
            continue
        number, name = token["number"] is not None, token["name"] is not None
        kind = _kind(said, variables) if name else "value" if number or said in ")]" else ""
        begins = number or said == "(" or (name and kind != "keyword")
        called = said == "(" and before in ("function", "name")
        hexadecimal = name and parts[-1:] == ["0"]  # 0x1
        if hexadecimal or (before == "function" and said != "("):  # sin x, sin**2
            return None
        if begins and before in ("value", "name") and not called:
            joined = bool(parts) and not parts[-1].isspace()
            if operators[-1] in DOUBTFUL or (number and (joined or before == "number")):
                return None
            while parts and parts[-1].isspace():
                parts.pop()
            parts.append("*")
            operators[-1] = "*"
        if said in "([":
            operators.append("")
        elif said in ")]" and len(operators) > 1:
            operators.pop()
        elif not (number or name) and (before or said not in "+-"):  # no sign of a number
            operators[-1] = said
        parts.append(said)
        before = kind
    return "".join(parts)


def _kind(name: str, variables: Collection[str]) -> str:
    """Return whether a name is a keyword, a value, a function, or of an unknown kind."""
    if name in KEYWORDS:
        return "keyword"
    if name in variables or name in CONSTANTS:
        return "value"
    if name in FUNCTIONS or name in SPELLINGS or name in REWRITINGS or name in UNLIKE:
        return "function"
    return "name"


def refusal_of_call(call: ast.Call, text: str, variables: Sequence[str]) -> str:
    """Return why a call is not one of a function that formulas have, and what to write instead."""
    match call:
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name not in variables:
            return _refusal_of_function(name, args, text)
        case ast.Call(keywords=[_, *_]):
            return f"{ast.unparse(call)[:40]!r} is not allowed: arguments have no names"
    if (instead := rewritten(text, variables)) is not None:
        return f"* is missing: write {instead}"
    return f"{ast.unparse(call)[:40]!r} is not allowed: write 2*(x), or sin(x)"


def _refusal_of_function(name: str, args: Sequence[ast.expr], text: str) -> str:
    if name in REWRITINGS and len(args) == len(set(re.findall(r"\{\d\}", REWRITINGS[name]))):
        return f"there is no {name}: write {_with_rewritings(text)}"
    near = [each for each in [*FUNCTIONS, *SPELLINGS] if is_typo(name, each)]
    near = [each for each in near if each == name.lower()] or near
    if near and name not in UNLIKE and name not in REWRITINGS:
        meant = sorted({spelled(each) for each in near})
        return f"unknown function {name!r}: did you mean {' or '.join(map(repr, meant))}?"
    return f"unknown function {name!r}: optiviz list functions shows those of formulas"


def _with_rewritings(text: str) -> str:
    """Return a formula in which functions of others are written out."""

    class Rewriter(ast.NodeTransformer):
        def visit_Call(self, call: ast.Call) -> ast.AST:
            self.generic_visit(call)
            match call:
                case ast.Call(func=ast.Name(id=name), args=args) if name in REWRITINGS:
                    said = REWRITINGS[name].format(*map(ast.unparse, args), *[""] * 3)
                    return ast.parse(said, mode="eval").body
            return call

    return ast.unparse(Rewriter().visit(parse_text(text)))


def variables_of(text: str) -> tuple[str, ...]:
    """Return the variables of a formula that names none itself: x, or x and y, or its own.

    If neither occurs, one or two unknown names are the variables, as in w and b, and x[0] and x[1]
    are x1 and x2. Text that is no formula counts as one in x and y.
    """
    try:
        tree = parse_text(text)
    except InputError:
        return AXES
    if (size := vector_size(tree)) is not None:
        return vector_names(size)
    names = free_names(tree)
    if not names or names & {"x", "y", "X", "Y"} or len(names) > len(AXES):
        return AXES if names & {"y", "Y"} or len(names) > 1 else AXES[:1]
    return in_order(names)


def with_params(text: str, params: Mapping[str, float]) -> str:
    """Return a formula with numbers for its parameters; text that is no formula as it is."""
    return _substituted(text, tuple(params.items())) if params else text


@lru_cache(maxsize=1000)  # a surface asks in every step
def _substituted(text: str, pairs: tuple[tuple[str, float], ...]) -> str:
    try:
        tree = parse_text(text)
    except InputError:
        return text
    params = dict(pairs)

    class Substitution(ast.NodeTransformer):
        def visit_Name(self, name: ast.Name) -> ast.expr:
            if name.id not in params:
                return name
            number = ast.Constant(abs(params[name.id]))
            return ast.UnaryOp(ast.USub(), number) if params[name.id] < 0 else number

    return ast.unparse(Substitution().visit(tree))


def check_params(
    params: Mapping[str, float], text: str, variables: Sequence[str], constraints: Sequence[str]
) -> None:
    """Raise InputError for a parameter that neither the formula nor a constraint has."""
    used = free_names(parse_text(text))
    for each in constraints:
        with suppress(InputError):  # faults of constraints are told by themselves
            used |= free_names(parse_text(each))
    for name in params:
        if name in CONSTANTS or spelled(name) in FUNCTIONS:
            raise InputError(f"{name} is a {'constant' if name in CONSTANTS else 'function'}")
        if name in variables or name in ("x", "y"):
            raise InputError(f"{name} is a variable: choose another name for the parameter")
        if name not in used:
            others = used - {*variables, "x", "y", "X", "Y"}
            if others:
                raise InputError(did_you_mean("parameter", name, others))
            raise InputError(f"{name} is not in {named_formula(text)}, which has no parameters")


def uses_y(text: str) -> bool:
    """Return whether y is a variable in a formula; text that is no formula has none."""
    try:
        return bool(free_names(parse_text(text)) & {"y", "Y"})
    except InputError:
        return False


def vector_names(size: int) -> tuple[str, ...]:
    """Return the names of the coordinates of a vector: x1, x2 and so on."""
    return tuple(f"x{number}" for number in range(1, size + 1))


def in_order(names: Collection[str]) -> tuple[str, ...]:
    """Return names of variables in their customary order: w, b; x2, x10; alpha, beta."""
    for known in ORDERED:
        if set(names) == set(known):
            return known

    def key(name: str) -> tuple[str, int]:
        stem = name.rstrip("0123456789")
        return stem, int(name[len(stem) :] or 0)

    return tuple(sorted(names, key=key))


def free_names(tree: ast.expr) -> set[str]:
    """Return the names in a formula that are neither functions nor constants nor indices."""
    bound = {
        name.id
        for node in ast.walk(tree)
        if isinstance(node, ast.comprehension)
        for name in ast.walk(node.target)
        if isinstance(name, ast.Name)
    }
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and id(node) not in called
        if node.id not in CONSTANTS and node.id not in bound
        if spelled(node.id) not in FUNCTIONS
    }


def vector_size(tree: ast.expr) -> int | None:
    """Return how many coordinates of the vector x a formula needs, None if x is none in it."""
    used = [2]
    whole = any(_wholly(node) for node in ast.walk(tree))
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=ast.Name(id="x"), slice=index):
                whole = True
                if isinstance(index, ast.Constant) and isinstance(index.value, int):
                    used.append(index.value + 1)
    return min(max(used), MAX_VARIABLES) if whole and "y" not in free_names(tree) else None


def _wholly(node: ast.AST) -> bool:
    """Return whether a node is a sum or the like over the vector x."""
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in REDUCING:
            return any(_is_vector(each) for each in _inside(node))
        case ast.Call(func=ast.Attribute(attr=name), args=[]) if name in REDUCING:
            return True
    return False


def _inside(node: ast.Call) -> Iterator[ast.AST]:
    for argument in node.args:
        yield from ast.walk(argument)


def _is_vector(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "x"


def say_variables(names: Sequence[str]) -> str:
    """Return a sentence that says which names were taken for the variables of a formula."""
    if len(names) == 1:
        return f"{names[0]} is the variable"
    return f"{enumerated(names)} are the {len(names) if len(names) > 2 else 'two'} variables"
