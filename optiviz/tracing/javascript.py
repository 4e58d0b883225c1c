"""Programs as JavaScript. All that is written is made of the nodes of a graph."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from optiviz.tracing.graph import Branch, Node, Scalar, Tree, reachable
from optiviz.tracing.operations import PARTS
from optiviz.tracing.programs import MethodProgram

DEEPEST = 30  # nesting of an expression
# What is written for an operation; {0} and {1} are its arguments.
OPERATORS = {
    "add": "{0}+{1}",
    "subtract": "{0}-{1}",
    "multiply": "{0}*{1}",
    "divide": "{0}/{1}",
    "negative": "-{0}",
    "greater": "{0}>{1}",
    "greater_equal": "{0}>={1}",
    "less": "{0}<{1}",
    "less_equal": "{0}<={1}",
    "equal": "{0}=={1}",
    "not_equal": "{0}!={1}",
    "logical_and": "{0}&&{1}",
    "logical_or": "{0}||{1}",
    "logical_not": "!{0}",
    "where": "{0}?{1}:{2}",
}
CALLS = {
    **{name: f"Math.{name}" for name in ("sqrt", "cbrt", "exp", "expm1", "log", "log1p", "log2")},
    **{name: f"Math.{name}" for name in ("log10", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: f"Math.{name}" for name in ("sign", "floor", "ceil", "trunc", "hypot")},
    **{f"arc{name[1:]}": f"Math.{name}" for name in ("asin", "acos", "atan", "asinh", "acosh")},
    "arctanh": "Math.atanh",
    "arctan2": "Math.atan2",
    "absolute": "Math.abs",
    "maximum": "Math.max",
    "minimum": "Math.min",
    "power": "power",
    "isfinite": "Number.isFinite",
    "isnan": "Number.isNaN",
}
ROOTS: Mapping[Scalar, str] = {0.5: "Math.sqrt({0})", -1.0: "(1/{0})", -0.5: "(1/Math.sqrt({0}))"}
# Functions that JavaScript lacks, or has with other results.
HELPERS = {
    "power": "(a,b)=>b===0||a===1||a===-1&&Math.abs(b)===Infinity?1:Math.pow(a,b)",
    "remainder": "(a,b)=>{const r=a%b;return r!==0&&r<0!==b<0?r+b:r}",
    "floor_divide": "(a,b)=>{if(b===0)return a/b;const r=a%b;"
    "return Math.round((a-r)/b)-(r!==0&&r<0!==b<0?1:0)}",
    "fmod": "(a,b)=>a%b",
    "exp2": "(a)=>Math.pow(2,a)",
    "copysign": "(a,b)=>b<0||Object.is(b,-0)?-Math.abs(a):Math.abs(a)",
    "rint": "(a)=>{const r=Math.round(a);return r-a===0.5&&r%2?r-1:r}",
    "fmax": "(a,b)=>Number.isNaN(a)?b:Number.isNaN(b)?a:Math.max(a,b)",
    "fmin": "(a,b)=>Number.isNaN(a)?b:Number.isNaN(b)?a:Math.min(a,b)",
    "isinf": "(a)=>a===Infinity||a===-Infinity",
    "logaddexp": "(a,b)=>a===b?a+Math.LN2:Math.max(a,b)+Math.log1p(Math.exp(-Math.abs(a-b)))",
    # The series of Abramowitz and Stegun, 7.1.6, whose terms have the same sign.
    "erf": "(a)=>{if(!(Math.abs(a)<6))return Math.sign(a);let t=a,s=a;"
    "for(let n=1;Math.abs(t)>1e-17*Math.abs(s);n++){t*=2*a*a/(2*n+1);s+=t}"
    "return 2/Math.sqrt(Math.PI)*Math.exp(-a*a)*s}",
}


Returned = Callable[[Mapping[str, Sequence[str]]], str]  # the text of results, by their names


def script(
    objective: str, methods: Mapping[str, str], sets: Sequence[str] = (), curve: str = "null"
) -> str:
    """Return a script that declares `programs`: {objective, methods: {name: method}, sets, curve}.

    It uses nothing but Math and Number.
    """
    listed = ",".join(f"{_quoted(name)}:{text}" for name, text in methods.items())
    called = set(re.findall(r"\b(\w+)\(", "".join([objective, *methods.values(), *sets, curve])))
    used = "".join(f"const {name}={text};" for name, text in HELPERS.items() if name in called)
    made = f"{{objective:{objective},methods:{{{listed}}},sets:[{','.join(sets)}],curve:{curve}}}"
    return f"const programs=(()=>{{{used}return {made};}})();"


def _quoted(name: str) -> str:
    """Return a string that cannot close the HTML element around it."""
    return json.dumps(name).replace("<", "\\u003c")


def objective_text(programs: Mapping[str, Tree]) -> str:
    """Return an object with the functions value, gradient and hessian of a point, an array."""
    texts = [f"{part}:{_function(programs[part], 'x', _RETURNED[part])}" for part in programs]
    return f"{{{','.join(texts)}}}"


def method_text(program: MethodProgram) -> str:
    """Return an object with the functions `init`, `step` and perhaps `sketch` of an optimizer.

    init(x, h, n) returns the first state, a flat array, and step(f, x, s, h, n) the next point and
    state: f is the objective, x the point, s the state, h the hyperparameters and n the number of
    steps of the run. Both return null where the code raises an error. sketch(s, h, n) returns the
    numbers of the shapes of a state, a flat array, and null where there are none.
    """
    init = _function(program.init, "x,h,n", lambda row: _array(row["s"]))
    step = _function(
        program.step, "f,x,s,h,n", lambda row: _array([_array(row["x"]), _array(row["s"])])
    )
    functions = f"init:{init},step:{step}"
    if program.sketch is not None:
        text = _function(program.sketch.tree, "s,h,n", lambda row: _array(row["shapes"]))
        functions += f",sketch:{text}"
    return f"{{{functions}}}"


def _function(tree: Tree, arguments: str, returned: Returned) -> str:
    return f"({arguments})=>{{{_Writer(tree, returned).written(tree, set())}}}"


def _array(texts: Sequence[str]) -> str:
    return f"[{','.join(texts)}]"


def _square(texts: Sequence[str]) -> str:
    side = math.isqrt(len(texts))
    return _array([_array(texts[row : row + side]) for row in range(0, len(texts), side)])


_RETURNED: dict[str, Returned] = {
    "value": lambda row: row["value"][0],
    "gradient": lambda row: _array(row["gradient"]),
    "hessian": lambda row: _square(row["hessian"]),
}


class _Writer:
    """Writes one program: a node that is used once as an expression, others as constants."""

    def __init__(self, tree: Tree, returned: Returned) -> None:
        self._returned = returned
        wanted = list(_wanted(tree))
        nodes = reachable(wanted)
        uses = Counter(each for node in nodes for each in (*node.args,) if isinstance(each, Node))
        uses.update(each for each in wanted if isinstance(each, Node))
        depths: dict[Node, int] = {}
        self._names: dict[Node, str] = {}
        for node in nodes:
            inner = [depths[each] for each in node.args if isinstance(each, Node)]
            depths[node] = 1 + max(inner, default=0)
            shared = uses[node] > 1 and bool(node.args)
            if shared or node.name in PARTS or depths[node] > DEEPEST:
                depths[node] = 0
                self._names[node] = f"t{len(self._names)}"

    def written(self, tree: Tree, known: set[Node]) -> str:
        """Return the statements of a program; known are the nodes that are declared already."""
        if isinstance(tree, Branch):
            lines = self._declared([tree.condition], known)
            yes, no = (self.written(each, set(known)) for each in (tree.yes, tree.no))
            return f"{lines}if({self._text(tree.condition)}){{{yes}}}{no}"
        if not tree.results:
            return "return null;"
        lines = self._declared((each for result in tree.results.values() for each in result), known)
        texts = {name: [self._text(each) for each in row] for name, row in tree.results.items()}
        return f"{lines}return {self._returned(texts)};"

    def _declared(self, scalars: Iterable[Scalar], known: set[Node]) -> str:
        """Return the declarations of constants that some scalars need; they are then known."""
        needed = [node for node in reachable(scalars) if node in self._names.keys() - known]
        known.update(needed)
        return "".join(f"const {self._names[node]}={self._expression(node)};" for node in needed)

    def _text(self, scalar: Scalar) -> str:
        """Return what is written where a scalar is used."""
        if not isinstance(scalar, Node):
            return _literal(scalar)
        if scalar in self._names:
            return self._names[scalar]
        text = self._expression(scalar)
        return f"({text})" if scalar.name in OPERATORS else text

    def _expression(self, node: Node) -> str:
        if not node.args:
            array, slash, place = node.name.partition("/")
            return f"{array}[{place}]" if slash else array
        if node.name in PARTS:
            return f"f.{node.name}([{','.join(map(self._text, node.args))}])"
        if node.name == "item":
            call, *index = map(self._text, node.args)
            return call + "".join(f"[{each}]" for each in index)
        if node.name == "power" and node.args[1] in ROOTS:
            return ROOTS[node.args[1]].format(self._text(node.args[0]))
        texts = [self._text(each) for each in node.args]
        if node.name in OPERATORS:
            return OPERATORS[node.name].format(*texts)
        return f"{CALLS.get(node.name, node.name)}({','.join(texts)})"


def _wanted(tree: Tree) -> Iterator[Scalar]:
    """Yield the conditions and results of a program."""
    if isinstance(tree, Branch):
        yield tree.condition
        yield from _wanted(tree.yes)
        yield from _wanted(tree.no)
    else:
        yield from (each for result in tree.results.values() for each in result)


def _literal(number: float | bool) -> str:
    if isinstance(number, bool):
        return str(number).lower()
    if not math.isfinite(number):
        text = "NaN" if math.isnan(number) else "Infinity"
        return f"(-{text})" if number < 0 else text
    text = repr(number).removesuffix(".0")
    return f"({text})" if text.startswith("-") else text
