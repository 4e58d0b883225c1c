"""Formulas in mathematical notation."""

import re

import numpy as np
import pytest
from conftest import FORMULAS
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.mathtext import MathTextParser

from optiviz.surfaces.formula import formula
from optiviz.surfaces.notation import pieces, terms
from optiviz.surfaces.syntax import AXES


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("x**2 + 3*y", r"x^{2} + 3\,y"), ("-x**2", "-x^{2}"), ("(-x)**2", "(-x)^{2}"),
        ("2**-x", "2^{-x}"), ("x**y**2", "x^{y^{2}}"), ("(x**2)**3", "(x^{2})^{3}"),
        ("x - (y - 1)", "x - (y - 1)"), ("x - y - 1", "x - y - 1"), ("x - (-y)", "x - (-y)"),
        ("x/(2*y)", r"x/(2\,y)"), ("x/y/2", "x/y/2"), ("5/pi*x", r"(5/\pi)\,x"),
        ("x*2", r"x\cdot 2"), ("x*(-2)", r"x\,(-2)"), ("-2*x", r"-2\,x"), ("+x", "x"),
        ("sin(4*x)**2", r"\mathrm{sin}^{2}(4\,x)"), ("exp(-x)", r"\mathrm{exp}(-x)"),
        ("abs(abs(x) - 1)", r"\mathrm{abs}(|x| - 1)"), ("sqrt(x + 1)", r"\sqrt{x + 1}"),
        ("floor(x)", r"\lfloor x \rfloor"), ("max(0, x)", r"\mathrm{max}(0, x)"),
        ("np.sin(X) + math.pi", r"\mathrm{sin}(X) + \pi"), ("square(x + 1)", "(x + 1)^{2}"),
        ("power(x, y)", "x^{y}"), ("ceil(x)", r"\lceil x \rceil"),
        ("arctan(x)", r"\mathrm{atan}(x)"),
        ("where(x > 0 and y <= 2, x, -y)",
         r"\mathrm{where}(x > 0\ \mathrm{and}\ y \leq 2, x, -y)"),
        ("x if x > y else y", r"\mathrm{where}(x > y, x, y)"), ("x % 2", r"\mathrm{mod}(x, 2)"),
        ("(x > 0)*x", r"(x > 0)\,x"), ("x1 + theta_0", r"x_{1} + \theta_{0}"),
        ("x[0] + x[-1]", "x_{1} + x_{n}"), ("sum(x[1:]**2)", r"\Sigma\,x_{2\ldots n}^{2}"),
        ("sum((x[i+1] - x[i-1])**2 for i in range(1, 9))",
         r"\Sigma_{i=1\ldots 8}\,(x_{i + 2} - x_{i})^{2}"),
        ("sum(x[2*i] for i in range(3, 0, -1))",
         r"\Sigma_{i\ \mathrm{in}\ \mathrm{range}(3, 0, -1)}\,x_{2\,i + 1}"),
        ("prod(x)*2", r"(\Pi\,x)\cdot 2"), ("2*sum(x)", r"2\,\Sigma\,x"),
        ("x[len(x)-1]", r"x_{\mathrm{len}(x)}"), ("x[1:][0]", r"(x_{2\ldots n})_{1}"),
        ("1e-9*x", r"1\cdot 10^{-9}\,x"), ("2.5E4 + x", "25000 + x"),
        ("2*.5*x", r"2\cdot 0.5\,x"), ("1_000*x", r"1000\,x"),
        ("0x1e*x", r"30\,x"),
        ("-(x/2)*y", r"-(x/2)\,y"), ("+(x/2)*y", r"(x/2)\,y"), ("2*(x/3)*y", r"2\,(x/3)\,y"),
        ("sin(x)**-1", r"\mathrm{sin}(x)^{-1}"), ("-x/2 + y", "-x/2 + y"), ("-(x/2)", "-(x/2)"),
    ],
)  # fmt: skip
def test_it_is_written_by_hand(text: str, written: str) -> None:
    assert " ".join(terms(text)) == written
    MathTextParser("agg").parse(f"${written}$")


@pytest.mark.parametrize(
    ("text", "factors", "parts"),
    [
        ("exp(x - 1)*(3*sqrt(x + y) - 7)/2", False,
         [r"\mathrm{exp}(x", r"- 1)\,(3\,\sqrt{x + y}", "- 7)/2"]),
        ("exp(x - 1)*(3*sqrt(x + y) - 7)/2", True,
         [r"\mathrm{exp}(x", r"- 1)\,", r"(3\,", r"\sqrt{x + y}", "- 7)/2"]),
        ("2**(x + 1)*max(-x, y)", True, [r"2^{x + 1}\,", r"\mathrm{max}(-x,", "y)"]),
    ],
)  # fmt: skip
def test_a_term_is_broken_outside_of_braces(text: str, factors: bool, parts: list[str]) -> None:
    assert pieces(*terms(text), factors) == parts
    for part in parts:
        MathTextParser("agg").parse(f"${part}$")


@pytest.mark.parametrize(
    ("name", "written"),
    [("w", "w^{2}"), ("w_1", "w_{1}^{2}"), ("rate", r"\mathit{rate}^{2}")],
)
def test_variables_may_have_other_names(name: str, written: str) -> None:
    assert terms("x**2", {"x": name}) == [written]
    assert terms("x*y", {"x": "y", "y": "x"}) == [r"y\,x"]


def read_back(written: str) -> str:
    """Return the formula for its mathematical notation."""
    text = written.replace(r"\,", "*").replace(r"\cdot ", "*").replace(r"\pi", "pi")
    while "^{2}(" in text and (power := re.search(r"\\mathrm\{(\w+)\}\^\{2\}\(", text)):
        end, depth = power.end(), 1
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        inner = text[power.end() - 1 : end]
        text = f"{text[: power.start()]}{power[1]}{inner}**(2){text[end:]}"
    text = re.sub(r"\\mathrm\{(\w+)\}", r"\1", text)
    return text.replace("^{", "**(").replace("}", ")")


leaves = st.sampled_from(["x", "y", "2", "0.5", "pi"])
formulas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        inner.map(lambda each: f"-({each})"),
        inner.map(lambda each: f"({each})**2"),
        inner.map(lambda each: f"cos({each})"),
    ),
    max_leaves=6,
)


@given(formulas)
def test_it_means_what_the_formula_means(text: str) -> None:
    """No necessary parentheses are left out."""
    points = np.array([[0.7, -1.3], [2.1, 0.4]])
    with np.errstate(all="ignore"):
        try:
            expected = formula(text, AXES).value(points)
        except ValueError:  # a constant without a value, such as 1/0
            return
        again = formula(read_back(" ".join(terms(text))), AXES).value(points)
    np.testing.assert_allclose(again, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.sample(25)
@pytest.mark.parametrize("surface", FORMULAS.values(), ids=lambda each: each.name)
def test_matplotlib_can_read_it(surface: object) -> None:
    from matplotlib.mathtext import MathTextParser

    parser = MathTextParser("path")
    for term in terms(surface.formula):  # type: ignore[attr-defined]
        parser.parse(f"${term}$")
