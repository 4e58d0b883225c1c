"""The log barrier: its subproblems, its bound, its central path, and what it refuses."""

import numpy as np
import pytest
from conftest import Invoke
from scipy.optimize import minimize

import optiviz
from optiviz.objective import scipy_constraints
from optiviz.optimizers.barrier import barrier, centered, interior
from optiviz.optimizers.spec import parse_spec
from optiviz.shapes import Ellipse, is_finite, outline
from optiviz.surfaces.surface import Surface

SETS = {
    "a triangle": ("x + y <= 1", "x >= 0", "y >= 0"),
    "a disc": ("x**2 + y**2 <= 1",),
    "a diamond": ("abs(x) + abs(y) <= 1",),
    "a lens": ("x**2 + y**2 <= 1", "y >= x**2 - 0.5"),
    "a half-plane": ("x + 2*y <= 1",),
}
every_set = pytest.mark.parametrize("texts", SETS.values(), ids=SETS)


def surface_in(texts: tuple[str, ...], **fields: object) -> Surface:
    known = {"formula": "(x - 2)**2 + 3*(y - 1)**2 + x*y", "domain": "-2:2,-2:2"}
    return Surface(constraints=texts, **(known | fields))  # type: ignore[arg-type]


@every_set
def test_each_point_is_the_minimum_of_its_subproblem(texts: tuple[str, ...]) -> None:
    surface = surface_in(texts)
    assert surface.feasible_set is not None
    edges = surface.feasible_set.edges
    path = optiviz.descend(surface, "log-barrier:t=2:mu=3", steps=14)
    for step, x in enumerate(path.points[1:]):
        t = 2 * 3.0**step
        _, slope, bend = barrier(edges, x)
        g, hessian = t * surface.gradient(x) + slope, t * surface.hessian(x) + bend
        assert np.linalg.norm(np.linalg.solve(hessian, g)) < 1e-8
        assert (np.linalg.eigvalsh(hessian) > 0).all()
    solved = minimize(
        surface.value,
        path.points[1],
        jac=surface.gradient,
        method="SLSQP",
        constraints=scipy_constraints(edges),
        options={"ftol": 1e-14},
    )
    above = path.losses[1:] - solved.fun
    bound = len(edges) / (2 * 3.0 ** np.arange(14))
    assert (above <= bound + 1e-9).all()
    np.testing.assert_allclose(path.points[-1], solved.x, atol=1e-4)
    np.testing.assert_allclose(path.states["gap"][1:], bound)


@every_set
def test_the_derivatives_of_the_barrier_are_its_slopes(texts: tuple[str, ...]) -> None:
    surface = surface_in(texts)
    assert surface.feasible_set is not None
    edges, x, h = surface.feasible_set.edges, np.array([0.11, 0.07]), 1e-6
    _, slope, bend = barrier(edges, x)
    around = [(barrier(edges, x + way), barrier(edges, x - way)) for way in h * np.eye(2)]
    slopes = [(there[0] - back[0]) / (2 * h) for there, back in around]
    bends = [(there[1] - back[1]) / (2 * h) for there, back in around]
    np.testing.assert_allclose(slope, slopes, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(bend, bends, rtol=1e-6, atol=1e-4)


def test_the_sketch_is_the_path_between_two_points_and_an_ellipse_inside() -> None:
    surface = surface_in(SETS["a triangle"])
    method, allowed = parse_spec("log-barrier:mu=10").build(), surface.feasible_set
    assert allowed is not None
    x = np.array([0.2, 0.3])
    first, state = method.step(surface, x, method.init(x))
    assert [is_finite(each) for each in method.sketch(state)] == [False, True]
    second, state = method.step(surface, first, state)
    line, ellipse = method.sketch(state)
    np.testing.assert_allclose(line[0][[0, -1]], [first, second], atol=1e-9)
    between = parse_spec(f"log-barrier:t={10**0.5!r}").build()
    middle, _ = between.step(surface, x, between.init(x))
    np.testing.assert_allclose(line[0][2], middle, atol=1e-9)
    assert isinstance(ellipse, Ellipse)
    assert allowed.contains(outline(ellipse.center, ellipse.matrix)).all()


def test_the_path_ends_with_the_last_weight_and_needs_no_line_to_be_walked() -> None:
    surface, method = surface_in(SETS["a lens"]), parse_spec("log-barrier:t=1e9:mu=5").build()
    x, state = np.array([[0.2, 0.3], [0.0, -0.1]]), method.init(np.zeros((2, 2)))
    walked, kept, steps = x, method.walker.init(x), []
    for _ in range(4):
        x, state = method.step(surface, x, state)
        walked, kept = method.walker.step(surface, walked, kept)
        np.testing.assert_array_equal(walked, x)
        assert kept.line.shape == (2, 1, 2)
        steps.append(x)
    assert (steps[0] != steps[1]).any()
    np.testing.assert_array_equal(steps[3], steps[2])
    np.testing.assert_array_equal(state.line, np.stack([x] * 5, axis=-2))
    moved, _ = method.step(surface, 0.9 * x, state)  # by a wrapper, for example
    assert (surface.value(moved) < surface.value(0.9 * x)).all()


@every_set
def test_a_start_on_the_edge_is_moved_inside(texts: tuple[str, ...]) -> None:
    allowed = surface_in(texts).feasible_set
    assert allowed is not None
    starts = allowed.project(np.array([[3.0, 2.0], [-3.0, -2.5], [0.1, 0.1]]))
    found, inside = interior(allowed.edges, starts)
    assert inside.all()
    assert all((each.value(found) < 0).all() for each in allowed.edges)
    np.testing.assert_array_equal(found[2], starts[2])


@pytest.mark.parametrize(
    ("constraints", "said"),
    [
        (("x + y == 1",), "log-barrier: needs a set with an interior: an equality leaves none"),
        (
            ("x <= 0", "x >= 0"),
            "log-barrier: needs a set with an interior: these constraints leave none",
        ),
        (
            ("x + y <= 0", "x + y >= 0"),
            "log-barrier: needs a set with an interior: these constraints leave none",
        ),
        ((), "log-barrier needs constraints: write, for example"),
    ],
)
def test_a_set_without_an_interior_is_refused(
    invoke: Invoke, constraints: tuple[str, ...], said: str
) -> None:
    given = [word for each in constraints for word in ("--constraint", each)]
    result = invoke("run", "--surface", "bowl", "-o", "x.json", "--opt", "log-barrier", *given)
    assert result.exit_code == 2
    assert said in result.output


def test_a_centering_ends_where_gradients_contradict_values() -> None:
    """As noise does; 60 halvings in each of 100 steps would be 6000 evaluations."""
    seen = 0

    def contradicting(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        nonlocal seen
        seen += 1
        return (x * x).sum(axis=-1), 2 * x + 0.3, 2 * np.eye(2) + np.zeros((*x.shape, 2))

    edges = surface_in(SETS["a disc"]).feasible_set.edges  # type: ignore[union-attr]
    x = centered(contradicting, edges, np.array([0.5, 0.2]), np.array([50.0]))
    assert np.linalg.norm(x) < 0.3 and seen < 300
