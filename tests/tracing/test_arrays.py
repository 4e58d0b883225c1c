"""Arrays that record: what is recorded is what numpy computes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from optiviz.tracing.arrays import TracedArray, input_array, scalars
from optiviz.tracing.graph import Graph, Untraceable
from optiviz.tracing.programs import run

X, Y = np.array([0.3, -1.7]), np.array([-0.2, 2.5])
M = np.array([[2.0, -0.5], [0.25, 0.125]])


def in_place(x: Any) -> Any:
    moved = x.copy()
    moved -= 0.5 * x
    moved[0] = 2 * x[1]
    moved *= x
    return moved


def loop(x: Any) -> Any:
    total = 0.0
    for each in x:
        total = total + each**3
    return total


def halved(x: Any) -> Any:
    while x[0] > 1:
        x = x / 2
    return x


def guarded(x: Any) -> Any:
    try:
        return float(x[0])
    except Exception:
        return 1.0


EXPRESSIONS: list[Callable[..., Any]] = [
    lambda x, y: x + y - 2 * x / y,
    lambda x, y: -(x**2) + y**-1 + 2.0**x + abs(y) ** 0.5 + abs(x) ** y,
    lambda x, y: np.sqrt(np.abs(x)) + np.cbrt(y) + np.square(x) + np.reciprocal(y) + +x,
    lambda x, y: np.exp(x) + np.expm1(y) + np.log(np.abs(x)) + np.log1p(x * x) + np.exp2(x),
    lambda x, y: np.sin(x) * np.cos(y) + np.tan(x) + np.tanh(y) + np.arctan2(x, y) + np.sinh(x),
    lambda x, y: np.arcsin(x / 9) + np.arccos(y / 9) + np.arctan(x) + np.arcsinh(y),
    lambda x, y: np.arccosh(1 + x * x) + np.arctanh(y / 9) + np.cosh(x) + np.hypot(x, y),
    lambda x, y: np.maximum(x, y) + np.minimum(x, 0.1) + np.fmax(x, y) + np.fmin(x, np.nan),
    lambda x, y: np.floor(x) + np.ceil(y) + np.rint(x) + np.trunc(y) + np.sign(x),
    lambda x, y: x % 0.7 + y // 0.4 + np.fmod(x, 0.3) + np.copysign(x, y) + np.logaddexp(x, y),
    lambda x, y: (
        np.where(x > y, x, y)
        + np.where((x < 0) & (y > 0) | ~(x >= y), 1.0, 2.0)
        + np.where((x < 0) ^ (y > 0), 3.0, 4.0)
    ),
    lambda x, y: (x > 0) * 2.0 + (x != y).astype(float) + np.isfinite(y) + np.isnan(x) * 1.0,
    lambda x, y: np.clip(x, -0.5, 0.2) + x.clip(-0.1, None) + np.clip(y, x, 9),
    lambda x, y: x.sum() + np.sum(y) + x.mean() + np.prod(y) + x.max() + np.min(y) + np.mean(x),
    lambda x, y: x.sum(axis=-1, keepdims=True) + np.outer(x, y) + np.add.outer(x, y),
    lambda x, y: np.linalg.norm(x) + np.linalg.norm(y, 1) + np.linalg.norm(x, np.inf),
    lambda x, y: x @ y + np.dot(x, y) + x.dot(y) + (M @ x) @ y + np.vdot(x, x) + x @ M,
    lambda x, y: np.linalg.solve(M + np.outer(x, x), y),
    lambda x, y: np.linalg.solve(np.array([[0.0, 1.0], [2.0, 1.0]]) * (1 + x[0] * x[0]), y),
    lambda x, y: np.linalg.inv(M + np.outer(x, y)) + np.linalg.inv(M[:1, :1] * x[:1, None]),
    lambda x, y: np.linalg.det(M + np.outer(x, y)) + np.sinc(x) + np.sinc(0 * y),
    lambda x, y: np.zeros_like(x) + np.ones_like(y) + np.full_like(x, 3.5) + np.copy(x),
    lambda x, y: np.stack([x, y]).T + np.concatenate([x, y]).reshape(2, 2),
    lambda x, y: x[::-1] + y[..., None] + np.flip(x) + x[[1, 0]] + np.roll(y, 1),
    lambda x, y: (x > 0).sum() + (x < y).mean() + np.sum(np.isfinite(x)) + np.prod(x > -9),
    lambda x, y: np.any(x > 0) * 1.0 + (y > 5).all() * 1.0 + x.ravel() + y.squeeze(),
    lambda x, y: in_place(x) + loop(y),
    lambda x, y: x.shape[-1] * x + len(y) + y.ndim + np.shape(x)[0] + y.size,
    lambda x, y: x if x[0] > y[0] else y,
    lambda x, y: x / y if np.linalg.norm(x) > 1 and y.sum() < 9 else x * 0,
]


@pytest.mark.parametrize("place", range(len(EXPRESSIONS)))
def test_what_is_recorded_is_what_numpy_computes(place: int) -> None:
    expression = EXPRESSIONS[place]
    graph = Graph()

    def code() -> Any:
        found = expression(input_array(graph, "x", (2,)), input_array(graph, "y", (2,)))
        return {"found": scalars(found)}

    tree = graph.explore(code)
    for x, y in ((X, Y), (Y, X), (X, 2 * X), (np.array([np.nan, 1.0]), Y)):
        with np.errstate(all="ignore"):
            expected = np.ravel(expression(x, y)).astype(float)
        found = run(tree, {"x": x.tolist(), "y": y.tolist()})["found"]
        np.testing.assert_allclose(np.array(found, float), expected, rtol=1e-15, atol=0)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (lambda x: float(x[0]), "as a number"),
        (lambda x: np.array(x), "as a number"),
        (lambda x: np.zeros(2) + np.fft.fft(x), "as a number|np.fft"),
        (lambda x: np.percentile(x, 50), "np.percentile"),
        (lambda x: x[x > 0], "np.where can be recorded"),
        (lambda x: np.linalg.norm(x, 7), "np.linalg.norm"),
        (lambda x: x + "word", "computes with str"),
        (lambda x: np.add(x, 1, out=np.zeros(2)), "writes one of its values"),
        (lambda x: halved(x), "too often"),
        (lambda x: 1 / 0, "raises ZeroDivisionError"),
        (lambda x: np.heaviside(x, 0.5), "np.heaviside"),
        (lambda x: (x > 0) + (x < 1), "adds truths"),
        (lambda x: x & 1, "np.bitwise_and of numbers"),
        (lambda x: np.logical_xor(x, 1), "np.logical_xor"),
        (lambda x: x.std(), r"uses \.std"),
        (lambda x: round(x[0]), "as a number"),
        (lambda x: f"{x[0]:.3f}", "as a number"),
        (lambda x: [repr(x), str(x)], "as a number"),
        (lambda x: hasattr(x, "std"), r"uses \.std"),
        (lambda x: guarded(x), "as a number"),
        (lambda x: range(x[0]), "as a number"),
    ],
)
def test_what_cannot_be_recorded_is_told(code: Callable[[TracedArray], Any], said: str) -> None:
    graph = Graph()

    def run_code() -> Any:
        code(input_array(graph, "x", (2,)))
        return {}

    with pytest.raises(Untraceable, match=said):
        graph.explore(run_code)


def test_an_error_on_one_way_is_the_end_of_that_way_alone() -> None:
    graph = Graph()

    def code() -> Any:
        x = input_array(graph, "x", ())
        if x < 0:
            raise ValueError("negative")
        return {"found": scalars(2 * x)}

    tree = graph.explore(code)
    assert run(tree, {"x": [3.0]}) == {"found": [6.0]}
    assert run(tree, {"x": [-3.0]}) == {}
