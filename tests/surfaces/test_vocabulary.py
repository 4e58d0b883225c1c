"""What people type: all words of formulas, other spellings, hints, and numbers that are extreme."""

import math
import re
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiviz.surfaces import code, scaled
from optiviz.surfaces.formula import formula
from optiviz.surfaces.grammar import FUNCTIONS as BUILDERS
from optiviz.surfaces.grammar import REDUCTIONS
from optiviz.surfaces.syntax import AXES, parse_text, rewritten, variables_of, vector_names
from optiviz.surfaces.vocabulary import (
    FUNCTIONS,
    MODULES,
    REWRITINGS,
    SPELLINGS,
    UNLIKE,
)
from optiviz.system.errors import InputError

X = AXES[:1]


def exact_round(a: mpmath.mpf) -> mpmath.mpf:
    return mpmath.nint(a)


# Each word as mpmath computes it, and points where it is smooth.
EXACT: dict[str, tuple[Callable[..., Any], tuple[float, ...]]] = {
    **{name: (getattr(mpmath, name), (0.3,)) for name in ("sin", "cos", "tan", "asin", "acos")},
    **{name: (getattr(mpmath, name), (0.3,)) for name in ("atan", "sinh", "cosh", "tanh", "exp")},
    **{
        name: (getattr(mpmath, name), (0.3,)) for name in ("asinh", "atanh", "expm1", "log", "sqrt")
    },
    **{name: (getattr(mpmath, name), (0.3,)) for name in ("log1p", "log10", "erf", "cbrt", "sign")},
    **{name: (getattr(mpmath, name), (2.3,)) for name in ("floor", "ceil", "acosh")},
    "atan2": (mpmath.atan2, (0.3, -1.2)),
    "exp2": (lambda a: mpmath.mpf(2) ** a, (0.3,)),
    "log2": (lambda a: mpmath.log(a, 2), (0.3,)),
    "logaddexp": (lambda a, b: mpmath.log(mpmath.exp(a) + mpmath.exp(b)), (0.3, -1.2)),
    "square": (lambda a: a * a, (0.3,)),
    "power": (lambda a, b: a**b, (0.3, -1.2)),
    "hypot": (mpmath.hypot, (0.3, -1.2)),
    "abs": (mpmath.fabs, (-1.2,)),
    "round": (mpmath.nint, (2.7,)),
    "mod": (lambda a, b: a - b * mpmath.floor(a / b), (-5.3, 2.1)),
    "max": (lambda *a: max(a), (0.3, -1.2)),
    "min": (lambda *a: min(a), (0.3, -1.2)),
    "clip": (lambda a, low, high: min(max(a, low), high), (0.3, -1.2, 2.0)),
    "where": (lambda c, a, b: a if c else b, (0.3, -1.2, 2.0)),
    "sigmoid": (lambda a: 1 / (1 + mpmath.exp(-a)), (0.3,)),
    "softplus": (lambda a: mpmath.log1p(mpmath.exp(a)), (0.3,)),
    "relu": (lambda a: max(mpmath.mpf(0), a), (0.3,)),
    "sinc": (mpmath.sincpi, (0.3,)),
}
UNDEFINED = {"cbrt": lambda a: mpmath.sign(a) * mpmath.cbrt(abs(a))}


def test_every_word_has_a_rule_and_numbers_of_any_size() -> None:
    assert {*BUILDERS, *REDUCTIONS, "dot", "power", "exp2"} == {*FUNCTIONS}
    assert {*EXACT} == {*FUNCTIONS} - {"sum", "prod", "mean", "norm", "dot", "len"}
    assert {*code.FUNCTIONS} == {*scaled.FUNCTIONS} == {*scaled.WATCHED}
    assert not {*SPELLINGS} & {*FUNCTIONS}
    assert not {*REWRITINGS, *UNLIKE} & {*FUNCTIONS, *SPELLINGS}
    assert not {*REWRITINGS} & UNLIKE


@pytest.mark.parametrize("name", EXACT)
def test_words_and_their_slopes_are_those_of_50_digits(name: str) -> None:
    exact, point = EXACT[name]
    variables = vector_names(len(point))
    made = formula(f"{name}({', '.join(variables)})", variables)
    x = np.array(point)
    with mpmath.workdps(50):
        assert float(made.value(x)) == pytest.approx(float(exact(*map(mpmath.mpf, point))), 1e-15)
        units = np.eye(len(point), dtype=int)
        slopes = [float(mpmath.diff(exact, point, tuple(map(int, unit)))) for unit in units]
    np.testing.assert_allclose(made.gradient(x), slopes, rtol=1e-14, atol=1e-15)
    apart = 1e-6
    bends = [
        (made.gradient(x + apart * unit) - made.gradient(x - apart * unit)) / (2 * apart)
        for unit in units
    ]
    np.testing.assert_allclose(made.hessian(x), bends, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", sorted(SPELLINGS))
def test_a_spelling_of_others_is_the_same_function(name: str) -> None:
    word = SPELLINGS[name]
    if word in ("prod",):
        pytest.skip("of vectors")
    points = EXACT[word][1]
    variables = vector_names(len(points))
    made = formula(f"{name}({', '.join(variables)})", variables)
    theirs = {"expit": lambda a: 1 / (1 + np.exp(-a)), "logistic": lambda a: 1 / (1 + np.exp(-a)),
              "ln": np.log, "sgn": np.sign, "pow": np.power, "ceiling": np.ceil}  # fmt: skip
    expected = theirs.get(name) or getattr(np, name)
    value = np.max(points) if name == "amax" else np.min(points) if name == "amin" else None
    value = expected(*points) if value is None else value
    assert float(made.value(np.array(points))) == pytest.approx(float(value), 1e-15)


@pytest.mark.parametrize("module", MODULES)
def test_modules_may_stand_before_words(module: str) -> None:
    text = f"{module}.sin(x)*{module}.special.exp(-y) + {module}.pi"
    made = formula(text, AXES).value(np.array([1.0, 2.0]))
    assert float(made) == pytest.approx(math.sin(1) * math.exp(-2) + math.pi, 1e-15)
    assert variables_of(text) == AXES


def sigmoid(a: float) -> float:
    return 1 / (1 + math.exp(-a))


REFERENCES: dict[str, Callable[..., float]] = {
    "cot": mpmath.cot, "sec": mpmath.sec, "csc": mpmath.csc, "coth": mpmath.coth,
    "sech": mpmath.sech, "csch": mpmath.csch, "sqr": np.square, "cube": lambda a: a * a * a,
    "exp10": lambda a: math.pow(10, a), "reciprocal": np.reciprocal, "negative": np.negative,
    "radians": np.radians, "deg2rad": np.deg2rad, "degrees": np.degrees, "rad2deg": np.rad2deg,
    "sind": lambda a: math.sin(math.radians(a)), "cosd": lambda a: math.cos(math.radians(a)),
    "tand": lambda a: math.tan(math.radians(a)), "trunc": np.trunc, "fix": np.fix,
    "frac": lambda a: a - np.floor(a), "erfc": math.erfc, "logit": lambda a: math.log(a / (1 - a)),
    "sigm": sigmoid, "logsigmoid": lambda a: math.log(sigmoid(a)),
    "log_sigmoid": lambda a: math.log(sigmoid(a)),
    "silu": lambda a: a * sigmoid(a), "swish": lambda a: a * sigmoid(a),
    "mish": lambda a: a * math.tanh(math.log(1 + math.exp(a))),
    "gelu": lambda a: a * (1 + math.erf(a / math.sqrt(2))) / 2,
    "elu": lambda a: a if a > 0 else math.exp(a) - 1,
    "leaky_relu": lambda a: a if a > 0 else 0.01 * a, "relu6": lambda a: np.clip(a, 0, 6),
    "hardtanh": lambda a: np.clip(a, -1, 1), "softsign": lambda a: a / (1 + abs(a)),
    "heaviside": np.heaviside, "step": lambda a: float(a >= 0), "fmod": math.fmod,
    "clamp": np.clip, "add": np.add, "subtract": np.subtract, "multiply": np.multiply,
    "divide": np.divide,
}  # fmt: skip
POINTS = [(0.3, -1.2, 2.0), (-2.6, 1.7, 0.4), (0.8, 0.5, 0.9), (-0.4, 2.5, 3.0), (2.6, -1.5, -1.0)]


@pytest.mark.parametrize("name", sorted(REWRITINGS))
def test_what_is_to_be_written_instead_means_the_same(name: str) -> None:
    many = max(int(digit) for digit in re.findall(r"\{(\d)\}", REWRITINGS[name])) + 1
    variables = ("x", "y", "z")
    called = f"{name}({', '.join(f'{each} - 0.5' for each in variables[:many])})"
    with pytest.raises(InputError, match=f"there is no {name}: write (.*)") as refused:
        formula(f"3*{called}", variables)
    instead = str(refused.value).partition("write ")[2]
    checked = 0
    for point in POINTS:
        try:
            with np.errstate(all="raise"):
                expected = float(REFERENCES[name](*(np.array(point[:many]) - 0.5)))
        except (ValueError, ArithmeticError):  # outside of where the function is defined
            continue
        found = float(formula(instead, variables).value(np.array(point)))
        assert found == pytest.approx(3 * expected, rel=1e-13, abs=1e-15)
        checked += 1
    assert checked > (0 if name == "logit" else 3)


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("sinn(x)", "'sign' or 'sin' or 'sinc' or 'sinh'"), ("exo(x)", "'exp'"),
        ("Sin(x)", "'sin'"),
        ("sigmoit(x)", "'sigmoid'"), ("aboslute(x)", "'abs'"),
        ("arctann(x)", "'atan' or 'atanh'"), ("sofplus(x)", "'softplus'"),
        ("cosine(x)", None),
        ("gamma(x)", None), ("beta(x, y)", None), ("erfi(x)", None), ("erfinv(x)", None),
        ("isnan(x)", None), ("foo(x)", None), ("median(x)", None), ("softmax(x)", None),
        *((f"{name}(x)", None) for name in sorted(UNLIKE)),
    ],
)  # fmt: skip
def test_a_hint_is_a_slip_of_a_word(text: str, instead: str | None) -> None:
    with pytest.raises(InputError) as refused:
        formula(text, AXES)
    said = str(refused.value)
    assert ("did you mean" in said) == (instead is not None)
    assert instead is None or said.endswith(f"did you mean {instead}?")


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("x^2 + y^2", "x**2 + y**2"), ("100(y-x)", "100*(y-x)"), ("2x", "2*x"),
        ("sin(x)cos(y)", "sin(x)*cos(y)"), ("f(x,y)=x**2", "x**2"), ("z = x*y", "x*y"),
        ("lambda x, y: x*y", "x*y"), ("3sin(x)", "3*sin(x)"), ("x y", "x*y"),
        ("x(y+1)", "x*(y+1)"), ("(x+1)(y-1)", "(x+1)*(y-1)"), ("|x| + |y|", "abs(x) + abs(y)"),
        ("|x| + |y| <= 1", "abs(x) + abs(y) <= 1"),
        ("x.^2 + x.*y", "x**2 + x*y"), ("e^(-x^2)", "e**(-x**2)"), ("2pi*x", "2*pi*x"),
        ("100(y-x^2)^2 + (1-x)^2;", "100*(y-x**2)**2 + (1-x)**2"), ("1e3x", "1e3*x"),
        ("3xy + x^2", "3*x*y + x**2"), ("sin^2(x) + cos^2(y)", "sin(x)**2 + cos(y)**2"),
        ("@(x,y) x.^2 + y.^2", "x**2 + y**2"), ("log2(x)sin(y)", "log2(x)*sin(y)"),
        ("x|y|", "x*abs(y)"), ("x^{2}", "x**(2)"),
        ("2sin(x)cos(y)/2", "2*sin(x)*cos(y)/2"), ("3(x+y)(x-y)", "3*(x+y)*(x-y)"),
        ("2 x**2 if x > 0 else y", "2*x**2 if x > 0 else y"),
    ],
)  # fmt: skip
def test_what_is_no_expression_is_rewritten(text: str, instead: str) -> None:
    assert rewritten(text) == instead
    with pytest.raises(InputError) as refused:
        formula(text, AXES)
    assert str(refused.value).endswith(f"write {instead}")
    formula(instead, AXES)


@pytest.mark.parametrize(
    "text",
    [
        "x +", "(x", "x))", "1 + * 2", "sin(", "x = ", "|x", "sin x", "sqrt x",
        "1.5.2*x", "0x1y", "x.0", "1/2x", "x/2y", "1/2(x+1)", "2^3x", "x**-2x", "2x % 3y",
        "1/sin(x)cos(y)", "x^{2", "where((x>0)|(y>0)|(x+y>3), x, y",
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_not_rewritten(text: str) -> None:
    assert rewritten(text) is None
    with pytest.raises(InputError, match="is not"):
        formula(text, AXES)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x\u00b2", "write **2"), ("2\u00b7x", "write *"), ("x \u2212 1", "write -"),
        ("\u03b8**2", "write theta"), ("\\sin(x)", "not LaTeX"), ("\u03bb*x", "write lam"),
        ("gelu(x) + 2*sqr(y)", "write x * (1 + erf(x / sqrt(2))) / 2 + 2 * y ** 2"),
        ("x**2 + z**2", "with --variables x,z"), ("\uff53in(x)", "plain ASCII"),
        ("0,5*x", "as in 0.5"),
        ("x & y", "& joins conditions: write (x > 0) & (y > 0)"), ("sin", "is a function"),
        ("x + np", "is a module"), ("a*b*c", "a, b and c: name them in order"),
        ("x + z", "name all with --variables"), ("sin(a=x)", "arguments have no names"),
        ("1/2(x + 1)", "is not allowed"), ("elu(x, 2)", "unknown function"),
        ("leaky_relu(x, 0.2)", "unknown function"), ("print(x)", "unknown function"),
        ("sum(range(10))", "range belongs into a sum"), ("sqrt(-x**2)", "is not a real number"),
        ("asin(sqrt(-exp(x)))", "is not a real number"),
        ("x // 2", "is not allowed"), ("x[0] + y", "x is a number"),
    ],
)  # fmt: skip
def test_other_slips_are_told(text: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        formula(text, AXES)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("x**2", "x"), ("y**2", "x y"), ("x + y", "x y"), ("X + Y", "x y"), ("7", "x"),
        ("theta**2", "theta"), ("(w - 1)**2 + b**2", "w b"), ("b**2 + w", "w b"),
        ("100*(v - u**2)**2", "u v"), ("x2 - x1", "x1 x2"), ("x10 + x2", "x2 x10"),
        ("np.sin(alpha)*beta", "alpha beta"), ("x[0]**2 + x[1]", "x1 x2"), ("sum(x**2)", "x1 x2"),
        ("x[3]*x[0]", "x1 x2 x3 x4"), ("sum(x[i] for i in range(5))", "x1 x2"),
        ("a*b*c", "x y"), ("x + a", "x y"), ("2x", "x y"), ("sin", "x"), ("x.mean()", "x1 x2"),
    ],
)  # fmt: skip
def test_names_that_occur_are_variables(text: str, variables: str) -> None:
    assert variables_of(text) == tuple(variables.split())


ROSENBROCK = "sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)"


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (ROSENBROCK, "sum(100*(x[i+1] - x[i]**2)**2 + (1 - x[i])**2 for i in range(4))"),
        (ROSENBROCK, "sum(100*(b - a**2)**2 + (1 - a)**2 for a, b in zip(x[:-1], x[1:]))"),
        (ROSENBROCK, "np.sum(100*np.square(x[1:] - x[:-1]**2)) + ((1 - x[:-1])**2).sum()"),
        ("mean(x)", "sum(x)/len(x)"), ("norm(x)", "sqrt(sum(x**2))"), ("x @ x", "dot(x, x)"),
        ("np.linalg.norm(x - 1)", "sqrt(sum([(a - 1)**2 for a in x]))"), ("x[-1]", "x5"),
        ("max(x)", "max(x1, x2, x3, x4, x5)"), ("min(x)", "min(x[0], x[1], x[2:].min())"),
        ("prod(cos(v/sqrt(i + 1)) for i, v in enumerate(x))",
         "cos(x1)*cos(x2/sqrt(2))*cos(x3/sqrt(3))*cos(x4/2)*cos(x5/sqrt(5))"),
        ("sum(x[::2])", "x1 + x3 + x5"),
        ("sum(sum(x[i]*x[j] for j in range(i)) for i in range(3))", "x1*x2 + x1*x3 + x2*x3"),
        ("prod(x[i] for i in range(0))*x[0]", "x1"),
        ("sum(where(x > 0, x, 0))", "sum(max(0, v) for v in x)"),
        ("sum(sum(x[j] for j in range(i + 1))**2 for i in range(5))",
         "x1**2 + (x1+x2)**2 + (x1+x2+x3)**2 + (x1+x2+x3+x4)**2 + (x1+x2+x3+x4+x5)**2"),
    ],
)  # fmt: skip
def test_sums_over_indices_and_vectors_are_those_written_out(text: str, same: str) -> None:
    made, written = formula(text, vector_names(5)), formula(same, vector_names(5))
    x = np.random.default_rng(3).normal(size=(7, 5))
    np.testing.assert_allclose(made.value(x), written.value(x), rtol=1e-13)
    np.testing.assert_allclose(made.gradient(x), written.gradient(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "is a vector of 5 numbers, not a number"), ("x[5]", "x has 5 coordinates"),
        ("x[0.5]", "is not a whole number"), ("x[1:] + x", "a vector of 4 numbers with one of 5"),
        ("sum(x for i in range(3) if i)", "may have no if"), ("x[7:]", "is empty"),
        ("sum(a + b for a in zip(x, x))", "does not fit"), ("x1[0]", "is a number"),
        ("sum(i for i in x1)", "cannot run over x1"), ("y", "'y' is not one of the variables"),
    ],
)  # fmt: skip
def test_what_is_no_number_is_told(text: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        formula(text, vector_names(5))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "at", "slope"),
    [
        ("where(x > 0, sqrt(x), x)", -2.0, 1.0), ("where(x > 0, log(x), 0)", -1.0, 0.0),
        ("x**2 if x >= 0 else -x", -2.0, -1.0), ("x*(x > 1)", 2.0, 1.0),
        ("where(0 < x < 1, x, 5)", 0.5, 1.0), ("where(0 < x < 1, x, 5)", 1.5, 0.0),
        ("where((x > 0) & (x < 1), x, 5)", 0.5, 1.0), ("where(x < 0 or x > 1, x, 5)", 1.5, 1.0),
        ("where(not x > 0, x, 5)", 1.5, 0.0),
        ("relu(x)", 0.0, 0.0), ("abs(x)", 0.0, 0.0), ("x % 2", 3.5, 1.0), ("mod(7, x)", 2.5, -2.0),
        ("round(x)", 2.3, 0.0), ("ceil(x)*x", 2.3, 3.0), ("sinc(x)", 0.0, 0.0),
        ("sinc(x)", 1e-9, -math.pi**2 / 3 * 1e-9), ("hypot(x, 0)", -3.0, -1.0),
        ("clip(x, -1, 1)", 0.5, 1.0), ("clip(x, -1, 1)", 3.0, 0.0), ("x == 2", 2.0, 0.0),
    ],
)  # fmt: skip
def test_slopes_at_kinks_are_those_of_the_branch(text: str, at: float, slope: float) -> None:
    found = formula(text, X).gradient(np.array([at]))
    np.testing.assert_allclose(found, [slope], rtol=1e-12)


def exactly(text: str, point: tuple[float, ...]) -> tuple[float, list[float]]:
    """Return value and gradient of a text in x and y with 400 digits and any exponent.

    So many are needed for 1 - 1/(1 + exp(-800)).
    """
    same = "exp", "log", "sqrt", "cosh", "sinh", "tanh", "sin", "tan", "asin", "atan", "asinh"
    names = {name: getattr(mpmath, name) for name in (*same, "erf", "log1p", "expm1", "sign")}
    names |= {name: EXACT[name][0] for name in ("softplus", "atan2", "cbrt", "where", "abs")}

    def value(*at: mpmath.mpf) -> mpmath.mpf:
        return eval(text, {"__builtins__": {}, **names, **dict(zip(AXES, at, strict=True))})

    with mpmath.workdps(400):
        at = [mpmath.mpf(each) for each in point]
        slopes = [mpmath.diff(value, at, unit) for unit in ((1, 0), (0, 1))]
        return float(value(*at)), [float(each) for each in slopes]


STABLE = [
    "softplus(x)/exp(x)", "log(softplus(x)) + y", "log(log1p(exp(x)))",
    "(exp(x) + exp(2*x))**0.01", "atan2(exp(x), exp(y))", "sign(exp(x)) + y", "cbrt(exp(x))",
    "where(exp(x) > exp(y + 0.3), x, y)", "log(cbrt(exp(x) + exp(y)))", "log(1 + exp(x))",
    "log(1 + exp(-30*x)) + y", "log(exp(x) + exp(y))", "sqrt(x*x) + y", "exp(x)/(exp(x) + exp(y))",
    "-log(exp(x)/(exp(x) + exp(y)))", "1/(1 + exp(-x*y))", "log(1/(1 + exp(-x)))",
    "log(1 - 1/(1 + exp(-x)))", "x/(1 + exp(-x)) + y", "log(cosh(x + y))", "sinh(x)/cosh(x)",
    "(exp(x) - exp(-x))/(exp(x) + exp(-x)) + y", "log(exp(-x**2) + exp(-y**2))",
    "sqrt(1 + exp(2*x))*exp(-x)", "log(sqrt(exp(x)*exp(y) + 1))", "exp(x)**2/(1 + exp(x))**2",
    "log(x**100 + y**100)", "sqrt(x**2 + y**2)", "exp(log(1 + exp(x)) - x)", "atan(exp(x)*y)",
    "abs(exp(x) - exp(y))/(exp(x) + exp(y))", "log1p(exp(x)) - log1p(exp(y))",
]  # fmt: skip
TINY = [f"{name}(exp(-x**2))*exp(x**2)" for name in ("sin", "tan", "tanh", "erf", "expm1")]
TINY += [f"{name}(exp(-x**2))*exp(x**2) + y" for name in ("sinh", "asinh", "atan", "log1p", "asin")]
SIZES = [1e-3, 1.0, 7.0, 30.0, 100.0, 400.0, 710.0, 800.0, 5000.0, 1e5]


@pytest.mark.sample(3)
@pytest.mark.parametrize("text", STABLE + TINY)
def test_no_formula_overflows_where_its_value_does_not(text: str) -> None:
    points = [
        (a * s, b * t) for a in SIZES for b in (1.0, a, 30.0) for s in (1, -1) for t in (1, -1)
    ]
    made = formula(text, AXES)
    with np.errstate(all="ignore"):
        found, slopes = made.value_and_gradient(np.array(points))
    for point, value, slope in zip(points, found, slopes, strict=True):
        try:
            expected, exact = exactly(text, point)
        except (ZeroDivisionError, OverflowError, ValueError):  # beyond 400 digits
            continue
        if not math.isfinite(expected):
            continue
        assert value == pytest.approx(expected, rel=1e-11, abs=1e-11), point
        if all(map(math.isfinite, exact)) and expected:
            np.testing.assert_allclose(slope, exact, rtol=1e-9, atol=1e-9, err_msg=str(point))


big = st.floats(-1e4, 1e4, allow_subnormal=False)


@given(x=big, y=big)
def test_softmax_and_cross_entropy_are_finite_everywhere(x: float, y: float) -> None:
    point = np.array([x, y])
    shares = formula("exp(x)/(exp(x) + exp(y))", AXES).value(point)
    assert float(shares) == pytest.approx(float(formula("sigmoid(x - y)", AXES).value(point)))
    loss = formula("-log(exp(x)/(exp(x) + exp(y)))", AXES)
    expected = formula("softplus(y - x)", AXES)
    np.testing.assert_allclose(loss.value(point), expected.value(point), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(loss.gradient(point), expected.gradient(point), atol=1e-12)


def test_errors_are_signalled_where_a_value_is_not_finite() -> None:
    made = formula("exp(x)*y", AXES)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        made.value(np.array([1000.0, 1.0]))
    with np.errstate(over="raise", invalid="raise"):
        assert made.value(np.array([1000.0, 1e-200])) == pytest.approx(1.970071114017047e234)
    with np.errstate(invalid="raise"), pytest.raises(FloatingPointError):
        formula("log(x)", X).value(np.array([-1.0]))


def test_only_text_is_read() -> None:
    assert parse_text("np.sin(x)").func.id == "sin"  # type: ignore[attr-defined]
