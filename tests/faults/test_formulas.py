"""Rows 1 to 13 of docs/reliability.md: untrusted formulas."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import SMALL, assert_told, call, untouched
from conftest import Invoke
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from optiviz.surfaces.formula import formula
from optiviz.surfaces.syntax import AXES
from optiviz.system.errors import InputError

ANSWER = "--opt", "adam:lr=0.1,newton", "--steps", "3", *SMALL, "-o", "x.json"


def nested(pattern: str, times: int, inner: str = "x") -> str:
    for _ in range(times):
        inner = pattern.replace("@", inner)
    return inner


REFUSED: dict[int, dict[str, str]] = {  # with a part of the message
    1: {"__import__('os').system('touch ran')": "is not allowed", "open('/etc/passwd')": "unknown"},
    2: {"().__class__": "is not allowed", "x.real": "is not allowed"},
    3: {
        "(lambda: x)()": "is not allowed", "[a for a in x]": "is not allowed",
        "(x := 2)": "is not allowed", "f'{x}'": "is not allowed", "x[0] + y": "x is a number",
        "x # y": "no comments", "x; y": "at character 2", "x.sum() + y": "x is a number",
        "sum(x[i] for i in open('f'))": "unknown function 'open'", "np.load('x')": "unknown",
        "sum(().__class__ for i in x)": "is not allowed", "x[().__class__]": "is not allowed",
        "torch.hub.load('x')": "unknown function", "x if x.real else y": "is not allowed",
    },
    4: {
        "9**9**9": "exponents must be between -100", "x**1e9": "exponents must be between -100",
        "2**2**2**2**2": "exponents must be between -100",
        "10**99**1.1": "exponents must be between -100",
        "exp(1e12*log(3*x))": "exponents must be between -100",
        "e**(1e12*log(x))": "exponents must be between -100",
        "sinh(3**(1e12 + x))": "in an exponent must be between -10000",
        "(3**(9e11*x))**(1/x)": "in an exponent must be between -10000",
    },
    5: {
        "factorial(10**9)": "unknown function 'factorial'", "9" * 300: "between 1e-200 and 1e200",
        "9" * 5000: "is longer than 4000 characters",
    },
    6: {"1e400": "between 1e-200 and 1e200", "x*1e-400": "between 1e-200 and 1e200"},
    7: {
        "(" * 5000 + "x" + ")" * 5000: "is longer than 4000", "-" * 50_000 + "x": "is longer than",
        "(" * 1900 + "x" + ")" * 1900: "too many nested parentheses",
        "-" * 3900 + "x": "is nested too deeply", nested("sin(@)", 200): "more than 40 levels deep",
    },
    8: {
        "+".join(["x"] * 1000): "has more than 1500 terms and operators",
        "sum(x[i] for i in range(10**9))": "10 ** 9 is more than 20000",
        # Which of two limits comes first depends on the machine.
        "sum(sum(x[0]*i*j for i in range(999)) for j in range(999))": "formula 'sum(sum(",
        "max(i for i in range(0))": "max of nothing",
        "x[0]*x[5000]": "x[5000]: x has 100 coordinates",
    },
    9: {"ｘ**2": "'ｘ' is not a plain ASCII", "х + y": "'х' is not", "x²": "'²' is not"},
    10: {
        "sin()": "sin takes one argument, not 0", "sin(x, y)": "not 2", "hypot(x)": "2 arguments",
        "sine(x)": "did you mean 'sin' or", "z + x": "'z' is not a variable", "sin": "write sin(x)",
        "a*b*c": "3 variables, a, b and c", "where(x > 0, 1)": "where takes 3 arguments, not 2",
    },
    11: {"": "required, but missing", " \t": "required, but missing", "()": "write one number"},
    12: {
        "x/0": "division by zero", "x % 0": "division by zero", "mod(x, y - y)": "by zero",
        "sqrt(-1)": "finite real number", "log(0)*x": "finite real"},
    13: {
        "*".join(f"sin({n}*x + y)" for n in range(60)): "too long",
        nested("max(@, y*x)", 38): "too long",
    },
}  # fmt: skip
DRAWN: dict[int, list[str]] = {
    4: [
        "((x*9007199254740847/9007199254740881)**50)**50", "exp(-1e9*x**2)", "exp(50*log(x))",
        "1000000007**x*1000000009**x*1000000021**x", "x**x**x**x**x", "((x**99)**99)**99",
        "(x + y)**100",
    ],
    8: ["+".join(["sin(x*y)"] * 100), "+".join(f"{n}*x*y" for n in range(120))],
    10: ["X**2 + Y", "x if x > y else y", "0 < x < 1", "x % y", "mod(x, y)**-1", "theta**2"],
    12: [
        "log(x) + sqrt(y)", "1/x", "1/(x*y)", "x**y", "(-x)**0.3", "tan(x)", "log(log(log(x)))",
        "exp(exp(exp(exp(x))))", "log(-1 - x**2) + y",
    ],
    13: [nested("tan(@)", 12, "x*y"), nested("hypot(@, y)", 30), "x**sin(x**cos(x**tan(x*y)))"],
}  # fmt: skip


def cases(table: dict[int, object]) -> list[object]:
    return [
        pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.row(row))
        for row, found in table.items()
        for case in (found.items() if isinstance(found, dict) else found)  # type: ignore[attr-defined]
    ]


@pytest.mark.parametrize(("text", "said"), cases(dict(REFUSED)))
def test_a_hostile_formula_is_refused(text: str, said: str, invoke: Invoke, here: Path) -> None:
    with untouched(here):
        result = invoke("run", f"--formula={text}", *ANSWER)
    assert_told(result, 2, said)
    assert "formula" in result.stderr
    assert len(result.stderr) < 250


@pytest.mark.sample(10)
@pytest.mark.parametrize("text", cases(dict(DRAWN)))
def test_an_odd_formula_is_descended(text: str, invoke: Invoke, here: Path) -> None:
    result = invoke("run", f"--formula={text}", *ANSWER)
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.row(12)
def test_what_is_undefined_is_masked(invoke: Invoke, here: Path) -> None:
    result = invoke("plot", "--formula", "log(x) + y**2", *SMALL, "-o", "x.png")
    assert (result.exit_code, result.stderr) == (0, "")
    colors = np.array(Image.open("x.png").convert("RGB"))[100]
    background = colors[0]
    inside = [tuple(colors[column]) != tuple(background) for column in (130, 170, 200)]
    assert sorted(inside) == [False, True, True]


LIMITED = """
import resource, sys
limit = 500 * 2**20
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
resource.setrlimit(resource.RLIMIT_CPU, (600, 600))  # against hanging
import contextlib, io, json
from optiviz.cli import cli
for text in json.load(sys.stdin):
    with contextlib.suppress(SystemExit), contextlib.redirect_stderr(io.StringIO()) as told:
        cli(["run", f"--formula={text}", *sys.argv[1:]])
    assert "unexpected" not in told.getvalue(), told.getvalue()
"""


@pytest.mark.slow
@pytest.mark.row(4, 5, 6, 7, 8, 13)
@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
def test_half_a_gigabyte_is_enough_for_any(here: Path) -> None:
    import json

    texts = [*(text for each in REFUSED.values() for text in each)]
    texts += [text for each in DRAWN.values() for text in each]
    subprocess.run(
        [sys.executable, "-c", LIMITED, *ANSWER], input=json.dumps(texts), text=True, check=True
    )


FRAGMENTS = [
    "__import__('os')", "().__class__", "x.y", "lambda: x", "[x]", "{x}", "x[0]", "(x := 1)", "'x'",
    "f'{x}'", "*x", "x if x else x", "x < y", "not x", "x.__init__()", "9**9**9", "1e999", "#",
    "9" * 400, "\\", "\n", "\0", "ｘ", "'''", "1_0", "0x1F", "1j", "...", "@", "`", ";", "\ud800",
]  # fmt: skip
valid = st.recursive(
    st.sampled_from(["x", "y", "1", "0", "2.5e-3", "pi", "e"]),
    lambda inner: st.one_of(
        st.builds("({}){}({})".format, inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner),
        st.builds("{}({})".format, st.sampled_from(["sin", "log", "abs", "floor", "exp"]), inner),
        st.builds(
            "{}({}, {})".format, st.sampled_from(["max", "mod", "hypot", "atan2"]), inner, inner
        ),
        st.builds("where({} > {}, {}, {})".format, inner, inner, inner, inner),
        st.builds("{}({})".format, st.sampled_from(["sigmoid", "sinc", "erf", "round"]), inner),
        st.builds("-{}".format, inner),
    ),
    max_leaves=12,
)
hostile = st.recursive(
    st.sampled_from(FRAGMENTS) | valid,
    lambda inner: st.one_of(
        st.builds("{}{}{}".format, inner, st.sampled_from("+-*/ (),.:=[]{}%&|~"), inner),
        st.builds("{}({})".format, inner, inner),
        st.builds("({})**({})".format, inner, inner),
        st.builds(lambda text, times: "(" * times + text, inner, st.integers(1, 500)),
    ),
    max_leaves=6,
)


@pytest.mark.row(1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 13)
@given(text=valid | hostile)
def test_a_generated_formula_is_real_or_refused(text: str) -> None:
    x = np.array([[0.3, -1.2], [0.0, 0.0], [2.0, 5.0]])
    try:
        made = formula(text, AXES)
        with np.errstate(all="ignore"):
            value, slope = made.value_and_gradient(x)
    except InputError as refused:
        assert "\n" not in str(refused) and len(str(refused)) < 250
    else:
        assert (value.dtype, value.shape) == (np.float64, (3,))
        assert (slope.dtype, slope.shape) == (np.float64, (3, 2))


@pytest.mark.row(1)
def test_nothing_of_a_formula_runs(here: Path) -> None:
    with untouched(here):
        ended = call("plot", "--formula", "__import__('os').system('touch ran')", "-o", "x.png")
    assert_told(ended, 2, "is not allowed")
