"""The gradient flow and the central flow under gradient descent and RMSprop."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from conftest import FORMULAS, Invoke
from scipy.optimize import minimize

from optiviz.descent.walk import descend, walk
from optiviz.objective import Array
from optiviz.optimizers.flows import complementary, complementary_pair, lowest
from optiviz.optimizers.spec import parse_spec
from optiviz.surfaces.surface import Surface

RING = FORMULAS["tightening-ring"]
TWIN = Surface(formula="exp(-2*x) + 2.6*x + exp(-3*y) + 1.8*y", domain="-1:2,-1:2")
COUPLED = Surface(formula=f"{TWIN.formula} - x*y/9", domain=TWIN.domain)
Rates = Callable[[Array], Array]


@cache
def at_the_edge() -> dict[str, Array]:
    return flows_of(RING, "flow+sgd:lr=0.5", RING.start, 90)


def flows_of(surface: Surface, text: str, start: Any, steps: int) -> dict[str, Array]:
    """Return the points of a path and of its flows, and the covariances, one row per step."""
    walked = list(walk(surface, parse_spec(text).build(), np.array(start, float), steps))
    return {
        "path": np.array([x for x, _ in walked]),
        "gradient": np.array([state.gradient.point for _, state in walked]),
        "central": np.array([state.central.point for _, state in walked]),
        "covariance": np.array([state.covariance for _, state in walked]),
    }


def differences(function: Any, x: Array, nudge: float = 1e-3) -> Array:
    """Return derivatives along a new last axis, by central differences of order 6."""
    weights = {1: 45 / 60, 2: -9 / 60, 3: 1 / 60}
    slopes = []
    for unit in np.eye(len(x)):
        ways = [
            w * (function(x + n * nudge * unit) - function(x - n * nudge * unit))
            for n, w in weights.items()
        ]
        slopes.append(sum(ways) / nudge)
    return np.stack(slopes, axis=-1)


def most_likely(a: Array, b: Array) -> Array:
    """Return the X = L L' with the least <a, X> + <X, b[X]>/2, for symmetric b, by descent."""

    def cost(entries: Array) -> float:
        x = of_root(entries)
        return float(np.sum(a * x) + np.einsum("ij,ijkl,kl", x, b, x) / 2)

    def of_root(entries: Array) -> Array:
        root = np.zeros_like(a)
        root[np.tril_indices(len(a))] = entries
        return np.asarray(root @ root.T)

    many = len(a) * (len(a) + 1) // 2
    starts = np.random.default_rng(0).normal(size=(3, many))
    ends = [
        minimize(cost, start, method="BFGS", options={"gtol": 1e-13, "maxiter": 2000})
        for start in starts
    ]
    return of_root(min(ends, key=lambda end: end.fun).x)


def reference(
    surface: Surface, rates: Rates, recall: float, x: Array, square: Array, steps: int
) -> tuple[Array, int]:
    """Return the points of a central flow, from the paper's equations, and the largest rank of X.

    rates is the diagonal of P**-1 for a mean square.
    """
    line, most = [x], 0
    for number in range(4 * steps):
        x, square, rank = reference_step(surface, rates, recall, x, square, 1 / 4)
        most = max(most, rank)
        line += [x] if number % 4 == 3 else []
    return np.array(line), most


def reference_step(
    surface: Surface, rates: Rates, recall: float, x: Array, square: Array, dt: float
) -> tuple[Array, Array, int]:
    """Return the point and the mean square after a time dt, and the rank of X.

    Derivatives are differences of those of lower order, and X in two directions is found by a
    general minimiser.
    """
    g, hessian, rate = surface.gradient(x), surface.hessian(x), rates(square)
    root = np.sqrt(rate)
    eigenvalues, turn = np.linalg.eigh(root[:, None] * hessian * root)
    keep = eigenvalues >= 1.95
    u = root[:, None] * turn[:, keep]

    def drawn(spread: Array) -> tuple[Array, Array]:
        s = u @ spread @ u.T
        push = differences(lambda z: np.sum(surface.hessian(z) * s), x)
        return -rate * push / 2, recall * np.diag(hessian @ s @ hessian)

    def slope(move: Array, change: Array) -> Array:
        def distance(t: Array) -> Array:
            stiffness = 2 * np.diag(1 / rates(square + t * change))
            return np.asarray(u.T @ (stiffness - surface.hessian(x + t * move)) @ u)

        fastest = max(np.abs(move).max(), np.abs(change / (square + 1e-9)).max(), 1e-9)
        return differences(distance, np.zeros(1), 1e-3 / fastest)[..., 0]

    move, change, rank = -rate * g, recall * (g * g - square), 0
    if keep.any():
        many = int(keep.sum())
        a = np.diag(2 - eigenvalues[keep]) + dt * slope(move, change)
        units = np.eye(many**2).reshape(many**2, many, many)
        b = dt * np.array([slope(*drawn((each + each.T) / 2)) for each in units])
        whole = np.moveaxis(b.reshape(*a.shape, *a.shape), (0, 1), (2, 3))
        spread = np.maximum(-a / b[0], 0) if many == 1 else most_likely(a, whole)
        pushed, grown = drawn(spread)
        move, change = move + pushed, change + grown
        rank = int(sum(np.linalg.eigvalsh(spread) > 1e-6))
    return x + dt * move, square + dt * change, rank


@pytest.mark.parametrize(
    ("surface", "lr", "start", "steps", "rank"),
    [
        (RING, 0.3, (-2, 1), 3, 0),
        (RING, 0.5, (-1.3, 1.5), 8, 1),
        (COUPLED, 5 / 12, (-0.09, 0.21), 1, 1),
        (TWIN, 5 / 12, (-0.09, 0.21), 1, 2),
    ],
)
def test_central_flow_is_that_of_the_paper(
    surface: Surface, lr: float, start: tuple[float, float], steps: int, rank: int
) -> None:
    ours = flows_of(surface, f"flow+sgd:lr={lr}", start, steps)["central"]
    begun = np.array(start, float), np.zeros(2)
    theirs, most = reference(surface, lambda s: np.full_like(s, lr), 0.0, *begun, steps)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)
    assert most == rank


def test_central_flow_of_rmsprop_is_that_of_the_paper() -> None:
    start = np.array([-1.7, 1.0])
    ours = flows_of(RING, "flow+rmsprop:lr=0.05:rho=0.8", start, 8)["central"]
    square = 0.2 * RING.gradient(start) ** 2
    theirs, most = reference(
        RING, lambda s: 0.05 / (np.sqrt(s) + 1e-8), 0.2 / 0.8, start, square, 8
    )
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)
    assert most == 1


def test_complementarity_problem_of_two_directions() -> None:
    """X >= 0, a + b X >= 0 and <X, a + b X> = 0, for all ranks of X, by its definition."""
    random, ranks = np.random.default_rng(1), set[int]()
    for _ in range(200):
        factor, a = random.normal(size=(3, random.integers(2, 5))), random.normal(size=3)
        b = factor @ factor.T + 0.1 * random.normal(size=(3, 3)) * (len(ranks) > 2)
        x = complementary_pair(a, b)
        rest = a + b @ x
        if np.isnan(x).any():
            continue
        assert min(lowest(x), lowest(rest)) >= -1e-7 * (1 + np.abs(x).max())
        assert abs(x @ rest) <= 1e-7 * (1 + np.abs(x).max())
        ranks.add(int(sum(np.linalg.eigvalsh(matrix(x)) > 1e-6)))
    assert ranks == {0, 1, 2}


def test_complementarity_problem_has_the_solution_of_a_general_solver() -> None:
    random = np.random.default_rng(2)
    basis = np.array([matrix(each) for each in np.eye(3)])
    for _ in range(3):
        factor, a = random.normal(size=(3, 3)), random.normal(size=3)
        b = factor @ factor.T
        whole = np.einsum("aij,ab,bkl->ijkl", basis, b, basis)
        found = matrix(complementary_pair(a, b))
        np.testing.assert_allclose(found, most_likely(matrix(a), whole), rtol=0, atol=1e-5)


def test_an_oscillation_without_bound_has_no_solution() -> None:
    """On a quadratic, nothing pushes back: b is 0."""
    assert np.isnan(complementary_pair(-np.ones(3), np.zeros((3, 3)))).all()
    alone = complementary(-np.ones((1, 1)), np.zeros((1, 1, 1)), np.array([[True]]))
    assert np.isnan(alone).all()


def matrix(x: Array) -> Array:
    return np.array([[x[0], x[1] / np.sqrt(2)], [x[1] / np.sqrt(2), x[2]]])


@pytest.mark.parametrize(
    ("text", "start", "nearer"),
    [("sgd:lr=0.5", (-2, 1), 4.0), ("rmsprop:lr=0.05", (-1.7, 1), 8.0)],
)
def test_central_flow_runs_through_the_middle_of_the_path(
    text: str, start: tuple[float, float], nearer: float
) -> None:
    """The weighted mean of three points is nearer to it than to the gradient flow."""
    flows = flows_of(RING, f"flow+{text}", start, 90)
    path = flows["path"]
    middle = (path[:-2] + 2 * path[1:-1] + path[2:]) / 4
    central, gradient = (
        np.sqrt((np.linalg.norm(middle - flows[each][1:-1], axis=-1) ** 2).mean())
        for each in ("central", "gradient")
    )
    assert nearer * central < gradient
    assert central < 0.12


def test_central_flow_stays_where_descent_is_stable() -> None:
    flows = at_the_edge()
    sharpness = {
        name: np.linalg.eigvalsh(RING.hessian(flows[name])).max(-1) * 0.5
        for name in ("central", "gradient")
    }
    np.testing.assert_allclose(sharpness["central"][25:], 2, atol=1e-2)
    assert sharpness["central"].max() < 2 + 1e-2
    assert sharpness["gradient"][-1] > 2.5


def test_oscillation_has_the_covariance_of_the_path_about_its_middle() -> None:
    flows = at_the_edge()
    path = flows["path"]
    away = (path[1:-1] - (path[:-2] + path[2:]) / 2) / 2  # half of what it jumps across
    found = np.sqrt(np.trace(flows["covariance"][1:-1], axis1=1, axis2=2))[55:70]
    np.testing.assert_allclose(found, np.linalg.norm(away, axis=-1)[55:70], rtol=0.25)
    assert not flows["covariance"][:15].any()


def test_far_from_the_edge_the_flows_are_one() -> None:
    """Up to the steps that they take: they are both Euler's method, of 4 and 10 steps."""
    flows = flows_of(RING, "flow+sgd:lr=0.1", RING.start, 60)
    assert not flows["covariance"].any()
    np.testing.assert_allclose(flows["central"], flows["gradient"], rtol=0, atol=0.03)
    np.testing.assert_allclose(flows["central"][-1], flows["gradient"][-1], rtol=0, atol=1e-3)


@pytest.mark.parametrize("inner", ["sgd:lr=0.5", "rmsprop:lr=0.05", "sgd:lr=0.4:weight_decay=0.1"])
def test_the_path_is_that_of_the_method(inner: str) -> None:
    start, steps = np.array(RING.start), 60
    plain = descend(RING, parse_spec(inner).build(), start, steps)
    beside = descend(RING, parse_spec(f"flow+{inner}").build(), start, steps)
    np.testing.assert_array_equal(plain.points, beside.points)
    assert {"gradient_flow", "central_flow"} <= set(beside.states)


def test_weight_decay_is_a_part_of_the_loss() -> None:
    """The flows are those of the sum of both."""
    whole = Surface(formula=f"{RING.formula} + (x**2 + y**2)/20", domain=RING.domain)
    ours = flows_of(RING, "flow+sgd:lr=0.45:weight_decay=0.1", RING.start, 15)
    theirs = flows_of(whole, "flow+sgd:lr=0.45", RING.start, 15)
    for name, each in ours.items():
        np.testing.assert_allclose(each, theirs[name], rtol=0, atol=1e-9)


def test_rmsprop_flow_holds_the_preconditioned_hessian_at_the_edge() -> None:
    """With P = diag(sqrt(s) + eps)/lr, the eigenvalues of P**-1 H are at most 2, up to Euler."""
    method = parse_spec("flow+rmsprop:lr=0.05").build()
    highest = []
    for _, state in walk(RING, method, np.array(RING.start), 45):
        if state.step:
            rate = 0.05 / (np.sqrt(state.central.square) + 1e-8)
            bend = RING.hessian(state.central.point)
            highest.append(np.linalg.eigvals(rate[:, None] * bend).real.max())
    assert max(highest[15:]) < 2.02
    assert min(highest[30:]) > 1.9


def test_flows_end_where_they_have_no_solution_and_the_path_goes_on() -> None:
    valley = Surface(formula="x**2/2 + 3*y**2", domain="-3:3,-3:3")
    flows = flows_of(valley, "flow+sgd:lr=0.35", (2.0, 0.5), 12)
    assert np.isfinite(flows["path"]).all()
    assert np.isnan(flows["central"][1:]).all()
    path = descend(valley, parse_spec("flow+sgd:lr=0.35").build(), (2.0, 0.5), 12)
    assert not path.ending
    assert [shape.role for shape in path.sketches[5]].count("central-flow") == 2


def test_flows_of_one_dimension() -> None:
    """Where the loss bends 2/lr, and its slope is half the third derivative times the variance."""
    surface = Surface(formula="exp(-2*x)/4 + x/2", domain="-1:2")
    flows = flows_of(surface, "flow+sgd:lr=2.2", [-0.1], 60)
    end, variance = flows["central"][-1], flows["covariance"][-1, 0, 0]
    assert surface.hessian(end)[0, 0] == pytest.approx(2 / 2.2, abs=1e-3)
    assert surface.third_derivatives is not None
    push = surface.third_derivatives(end)[0, 0, 0] * variance / 2
    assert surface.gradient(end)[0] == pytest.approx(-push, abs=1e-3)


@pytest.mark.sample(4)
@pytest.mark.parametrize("name", FORMULAS)
def test_third_derivatives_are_those_of_the_hessian(name: str) -> None:
    surface = FORMULAS[name]
    assert surface.third_derivatives is not None
    sides = np.array(surface.window.intervals)
    points = np.random.default_rng(5).uniform(*sides.T, (4, len(sides)))
    found = surface.third_derivatives(points)
    nudge = 1e-4 * np.ptp(sides, axis=1).min()
    for point, third in zip(points, found, strict=True):
        with np.errstate(all="ignore"):
            expected = differences(surface.hessian, point, nudge)
        scale = np.abs(expected).max() + np.abs(surface.hessian(point)).max()
        np.testing.assert_allclose(third, expected, rtol=1e-5, atol=1e-6 * scale)


@pytest.mark.parametrize("at", [1e-6, 0.1, 0.159, 0.16, 0.9, -0.1])
def test_third_derivative_of_sinc(at: float) -> None:
    surface = Surface(formula="sinc(x)", domain="-2:2")
    assert surface.third_derivatives is not None
    third = surface.third_derivatives(np.array([at]))
    expected = differences(surface.hessian, np.array([at]), 1e-2)
    np.testing.assert_allclose(third, expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "--surface bowl --opt flow+adam",
            "flow+adam: the central flow is known for sgd and rmsprop",
        ),
        ("--surface bowl --opt flow+sam+sgd", "known for sgd and rmsprop only: write flow+sgd"),
        ("--surface bowl --opt flow+rmsprop:momentum=0.9", "without momentum, not centered"),
        ("--surface bowl --opt flow+rmsprop:rho=0.1", "rho must be 0.2 at least"),
        ("--surface bowl --opt lookahead+flow+sgd", "flow comes first"),
        ("--surface bowl --opt flow+sgd:lr=0.1 --noise 1", "cannot be combined with batches"),
        ("--surface xor --opt flow+sgd:lr=0.1", "which only formulas of one or two"),
    ],
)
def test_what_has_no_central_flow_is_refused(invoke: Invoke, words: str, said: str) -> None:
    result = invoke("run", *words.split(), "-o", "x.json")
    assert result.exit_code == 2
    assert said in result.output
    assert result.output.count("\n") == 1


@pytest.mark.parametrize("text", ["flow+sgd:lr=0.5", "flow+rmsprop:lr=0.1", "flow+sgd:lr=1@cosine"])
def test_a_search_walks_the_same_path_without_the_flows(text: str) -> None:
    method = parse_spec(text).with_total_steps(20).build()
    paths = [descend(RING, each, np.array(RING.start), 20) for each in (method, method.walker)]
    np.testing.assert_array_equal(paths[0].points, paths[1].points)
    assert method.has_sketch and not method.walker.has_sketch


def test_a_flow_ends_where_its_equations_overflow() -> None:
    a = np.array([-1e120, 2e119, -3e120])
    with np.errstate(all="ignore"):  # as in a step of the flows
        assert np.isnan(complementary_pair(a, 1e120 * (np.eye(3) + 0.1))).all()
