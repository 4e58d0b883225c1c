"""Methods under constraints and penalties, compared with laws, brute force, papers and scipy."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from conftest import Invoke
from scipy.optimize import minimize

import optiviz
from optiviz.descent.walk import descend
from optiviz.objective import Array
from optiviz.optimizers import load_optimizer
from optiviz.optimizers.constrained import divergence, proximal, weights
from optiviz.optimizers.spec import parse_spec
from optiviz.registry import OPTIMIZERS
from optiviz.shapes import Points, Polygon, Segment

BOX = ("-1 <= x <= 0.5", "0 <= y <= 2")
TRIANGLE = ("x >= 0", "y >= 0", "x + y <= 1")
SEGMENT = ("x >= 0", "y >= 0", "x + y == 1")
DISC = ("x**2 + y**2 <= 1",)
PARABOLA = ("y >= x**2",)
SETS = [BOX, TRIANGLE, SEGMENT, DISC, ("x + y <= 1",), PARABOLA]
RESPECTING = [name for name in OPTIMIZERS if "feasible_set" in load_optimizer(name).respects]
ILL = "(x - 2)**2 + 3*(y - 1)**2 + x*y"


def surface(constraints: Sequence[str], formula: str = ILL) -> optiviz.Surface:
    return optiviz.Surface(
        formula=formula, domain="-3:3,-3:3", constraints=constraints, start=(0.2, 0.3)
    )


def path(name: str, on: optiviz.Surface, steps: int = 30, start: Sequence[float] = ()) -> Array:
    assert on.feasible_set is not None
    first = on.feasible_set.project(np.array(start or on.start))
    return descend(on, parse_spec(name).probe(), first, steps).finite_points


@pytest.mark.sample(16)
@pytest.mark.parametrize("name", RESPECTING)
@pytest.mark.parametrize("constraints", SETS, ids=str)
def test_feasible_iterates_stay_feasible(name: str, constraints: tuple[str, ...]) -> None:
    on = surface(constraints)
    spec = f"{name}:lr=0.1" if "lr" in load_optimizer(name).__dataclass_fields__ else name
    try:
        walked = path(spec, on)
    except optiviz.InputError:
        assert name in ("frank-wolfe", "mirror-descent", "l-bfgs-b", "log-barrier")
        return
    if name == "slsqp" and constraints in (DISC, SETS[-1]):
        return  # its points may violate curved constraints
    assert on.feasible_set is not None
    assert on.feasible_set.contains(walked).all()
    least = on.value(path("projected-gradient:lr=0.1", on, 80)[-1])
    assert least - 1e-5 <= on.value(walked[-1]) < on.value(walked[0]) + 1e-9


def test_projected_gradient_is_a_step_and_a_projection() -> None:
    on = surface(TRIANGLE)
    walked = path("projected-gradient:lr=0.2", on, 5)
    for before, after in pairwise(walked):
        tried = before - 0.2 * on.gradient(before)
        nearest = minimize(
            lambda x, tried=tried: ((x - tried) ** 2).sum(), [0.3, 0.3], method="SLSQP",
            bounds=[(0, 1)] * 2, constraints={"type": "ineq", "fun": lambda x: 1 - x.sum()},
            options={"ftol": 1e-15},
        ).x  # fmt: skip
        np.testing.assert_allclose(after, nearest, rtol=0, atol=1e-7)


@pytest.mark.parametrize("constraints", [BOX, TRIANGLE, DISC], ids=str)
def test_frank_wolfe_meets_its_bound(constraints: tuple[str, ...]) -> None:
    on = surface(constraints)
    losses = on.value(path("frank-wolfe", on, 200))
    least = on.value(path("projected-gradient:lr=0.15", on, 500)[-1])
    steep = np.linalg.eigvalsh(on.hessian(np.zeros(2))).max()
    width = {BOX: np.hypot(1.5, 2), TRIANGLE: np.sqrt(2), DISC: 2.0}[constraints]
    steps = np.arange(1, 201)
    assert (losses[1:] - least <= 2 * steep * width**2 / (steps + 2) + 1e-12).all()
    assert losses[-1] - least < 0.05


def test_frank_wolfe_walks_to_corners() -> None:
    """The first iterates by hand: f = |x - (0.6, 0.2)|**2 / 2 over the box [0, 1] x [0, 1/2]."""
    on = surface(("0 <= x <= 1", "0 <= y <= 0.5"), "((x - 0.6)**2 + (y - 0.2)**2)/2")
    expected = [[0, 0], [1, 1 / 2], [1 / 3, 1 / 6], [2 / 3, 1 / 3]]
    np.testing.assert_allclose(path("frank-wolfe", on, 3, (0, 0)), expected)


def test_mirror_descent_leaves_the_corner_at_which_it_starts() -> None:
    corner = optiviz.Surface(
        formula="(x - 0.2)**2 + (y - 0.5)**2",
        domain="0:1,0:1",
        constraints=("x + y <= 1", "x >= 0", "y >= 0"),
        start=(1, 0),
    )
    assert path("mirror-descent:lr=0.5", corner, 200)[-1] == pytest.approx([0.2, 0.5], abs=1e-6)


def test_mirror_descent_is_exponentiated_gradient() -> None:
    on = surface(SEGMENT)
    walked = path("mirror-descent:lr=0.3", on, 20)
    w = walked[0]
    for point in walked[1:]:
        w = w * np.exp(-0.3 * on.gradient(w))
        w = w / w.sum()
        np.testing.assert_allclose(point, w, rtol=1e-12, atol=0)
    filled = surface(TRIANGLE)
    before, after = path("mirror-descent:lr=0.3", filled, 1)
    w = np.append(before, 1 - before.sum()) * np.exp(-0.3 * np.append(filled.gradient(before), 0))
    np.testing.assert_allclose(after, (w / w.sum())[:2], rtol=1e-12)
    assert filled.feasible_set is not None
    corners = filled.feasible_set.corners
    np.testing.assert_allclose(weights(before, corners) @ corners, before, rtol=1e-12)


def test_a_proximal_step_is_the_argmin_by_brute_force() -> None:
    on = optiviz.Surface(formula="x**2", domain="-3:3,-3:3", l1=0.7)
    grid = np.linspace(-3, 3, 6001)
    for x in (-2.0, -0.2, 0.1, 1.3):
        costs = (grid - x) ** 2 / 2 + 0.4 * 0.7 * np.abs(grid)
        assert abs(proximal(on, np.array([x, x]), 0.4)[0] - grid[costs.argmin()]) <= 1e-3


def test_proximal_gradient_and_fista_find_zeros() -> None:
    on = optiviz.Surface(formula="(x - 2)**2 + 3*(y - 0.1)**2", domain="-3:3,-3:3", l1=1)
    for name in ("proximal-gradient", "fista"):
        end = descend(on, parse_spec(name).build(lr=0.1), [-1.0, -2.0], 200).end
        assert end[1] == 0
        np.testing.assert_allclose(end[0], 1.5, atol=1e-9)
    end = descend(on, parse_spec("sgd").build(lr=0.1), [-1.0, -2.0], 200).end
    assert end[1] != 0


def test_fista_meets_its_bound_and_is_faster() -> None:
    """F(x_k) - F* <= 2 L |x_0 - x*|**2 / (k + 1)**2, Beck and Teboulle, theorem 4.4."""
    on = optiviz.Surface(formula="(x - 2)**2/2 + 0.005*(y - 3)**2", domain="-3:3,-3:3", l1=0.01)
    start, least = np.array([-3.0, -3.0]), np.array([1.99, 2.0])
    path = descend(on, parse_spec("fista").build(lr=1.0), start, 60)
    steps = np.arange(1, 61)
    bound = 2 * ((start - least) ** 2).sum() / (steps + 1) ** 2
    assert (path.losses[1:] - on.value(least) <= bound + 1e-12).all()
    plain = descend(on, parse_spec("proximal-gradient").build(lr=1.0), start, 60)
    assert path.losses[-1] < plain.losses[-1]


def test_without_a_penalty_they_are_known_methods() -> None:
    bowl = optiviz.load_surface("wobbly")
    plain, proximal = (
        descend(bowl, parse_spec(name).build(lr=0.05), bowl.start, 30).points
        for name in ("sgd", "proximal-gradient")
    )
    np.testing.assert_array_equal(plain, proximal)
    x, y, t = np.array(bowl.start), np.array(bowl.start), 1.0
    for point in descend(bowl, parse_spec("fista").build(lr=0.05), x, 30).points[1:]:
        last, x = x, y - 0.05 * bowl.gradient(y)
        last_t, t = t, (1 + np.sqrt(1 + 4 * t * t)) / 2
        y = x + (last_t - 1) / t * (x - last)
        np.testing.assert_array_equal(point, x)


def test_noise_is_in_the_smooth_part_too() -> None:
    on = optiviz.Surface(formula="x**2 + y**2", domain="-3:3,-3:3", l1=0.1)
    quiet, noisy = (
        optiviz.descend(on, "proximal-gradient:lr=0.1", steps=5, noise=noise) for noise in (0, 1)
    )
    assert not np.allclose(quiet.points, noisy.points)


@pytest.mark.parametrize(
    ("name", "constraints"),
    [
        ("l-bfgs-b", BOX),
        ("slsqp", BOX),
        ("slsqp", SEGMENT),
        ("slsqp", DISC),
        ("slsqp", PARABOLA),
    ],
    ids=str,
)
def test_scipys_methods_are_scipys(name: str, constraints: tuple[str, ...]) -> None:
    on = surface(constraints)
    walked = path(name, on, 20)
    passed = [walked[0]]
    more = {
        BOX: {"bounds": [(-1, 0.5), (0, 2)]},
        SEGMENT: {
            "bounds": [(0, None)] * 2,
            "constraints": {
                "type": "eq",
                "fun": lambda x: (1 - x.sum()) / np.sqrt(2),
                "jac": lambda x: -np.ones(2) / np.sqrt(2),
            },
        },
        DISC: {
            "constraints": {"type": "ineq", "fun": lambda x: 1 - x @ x, "jac": lambda x: -2 * x}
        },
        PARABOLA: {
            "constraints": {
                "type": "ineq",
                "fun": lambda x: x[1] - x[0] ** 2,
                "jac": lambda x: np.array([-2 * x[0], 1.0]),
            }
        },
    }[constraints]
    seen = {"callback": lambda x: passed.append(x.copy()), "options": {"maxiter": 20}}
    minimize(on.value, walked[0], jac=on.gradient, method=name, **seen, **more)
    np.testing.assert_allclose(walked[: len(passed)], passed, rtol=0, atol=1e-9)


def test_sketches_show_what_was_tried() -> None:
    on = surface(TRIANGLE)

    def last(name: str) -> tuple[object, ...]:
        return descend(on, parse_spec(name).probe(), (0.2, 0.3), 2).sketches[-1]

    tried, way = last("projected-gradient")
    assert isinstance(tried, Points) and isinstance(way, Segment) and way.role == "accepted"
    np.testing.assert_array_equal(way.points[0], tried.points[0])
    vertex, ray = last("frank-wolfe")
    assert isinstance(vertex, Points) and isinstance(ray, Segment)
    assert vertex.points[0].tolist() in [[0, 0], [1, 0], [0, 1]]
    region, moved = last("mirror-descent:lr=0.1")
    assert isinstance(region, Polygon) and region.role == "region"
    assert on.feasible_set is not None and on.feasible_set.contains(region.points).all()
    corners = on.feasible_set.corners
    before, edge = (weights(each, corners) for each in (moved.points[0], region.points))
    far = divergence(weights(moved.points[1], corners), before)
    np.testing.assert_allclose(divergence(edge, before), far, rtol=1e-6)


FORMULA = ("run", "--formula", "x**2 + y**2", "--steps", "3", "-o", "x.json", "--opt")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["sgd:lr=1", "--constraint", "x >= 1"],
            "sgd does not know constraints: choose projected-grad",
        ),
        (
            ["l-bfgs-b", "--constraint", "x + y >= 1"],
            "l-bfgs-b: knows only bounds on each variable",
        ),
        (["frank-wolfe", "--constraint", "x >= 1"], "frank-wolfe: x >= 1 is not bounded"),
        (["mirror-descent", "--bounds", "0:1,0:1"], "mirror-descent: needs a simplex"),
        (["projected-gradient"], "projected-gradient needs constraints: write"),
        (
            ["slsqp", "--constraint", "x >= 1", "--constraint", "x <= 0"],
            "--constraint: no point satis",
        ),
        (
            ["slsqp", "--constraint", "x + w >= 1"],
            "--constraint: constraint 'x + w >= 1': unknown var",
        ),
        (
            ["slsqp", "--bounds", "1:0,0:1"],
            "--bounds: an interval must increase, not go from 1 to 0",
        ),
        (["slsqp", "--bounds", "0:1"], "--bounds: has 1 interval, but there are 2 variables"),
        (["slsqp", "--bounds", "0"], "--bounds: '0' are no bounds: write -1:1,0:2"),
        (
            ["fista", "--l1", "1", "--bounds", "0:1,0:1"],
            "--l1: cannot be combined with constraints",
        ),
        (["fista", "--l1", "-1"], "--l1: must be greater than or equal to 0"),
    ],
)
def test_bad_input_gets_one_sentence(words: list[str], said: str, invoke: Invoke) -> None:
    result = invoke(*FORMULA, *words)
    assert result.exit_code == 2
    assert said in result.output and result.output.count("\n") == 1


@pytest.mark.parametrize("surface", ["spirals", "rosenbrock:dim=3"])
def test_weights_and_many_variables_have_no_constraints(surface: str, invoke: Invoke) -> None:
    words = ("--opt", "sgd:lr=1", "--constraint", "x1 >= 0", "-o", "x.json")
    result = invoke("run", "--surface", surface, *words)
    assert result.exit_code == 2 and "--constraint: constraints are on" in result.output


@pytest.mark.parametrize("command", ["tune", "basins"])
def test_other_commands_refuse_them_too(command: str, invoke: Invoke) -> None:
    result = invoke(command, "--surface", "bowl", "--opt", "adam", "--bounds", "0:1,0:1")
    assert result.exit_code == 2 and "adam does not know constraints" in result.output


def test_a_start_that_violates_constraints_is_moved_and_told(invoke: Invoke) -> None:
    words = ("--constraint", "x + y <= 1", "--start", "2,2", "--steps", "3", "-o", "x.json")
    result = invoke("run", "--surface", "wobbly", "--opt", "projected-gradient:lr=.1", *words)
    assert result.exit_code == 0
    said = "start 2, 2 violates the constraints: the run begins at 0.5, 0.5, the nearest point"
    assert said in result.output
