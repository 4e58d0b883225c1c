"""Methods without gradients: those of libraries, and properties of the others."""

from typing import Any

import numpy as np
import pytest
from conftest import LIVE, Invoke
from scipy.optimize import minimize

import optiviz
from optiviz.descent.evaluations import count_evaluations
from optiviz.descent.problem import SurfaceObjective
from optiviz.descent.trajectory import Trajectory
from optiviz.descent.walk import descend
from optiviz.objective import Array
from optiviz.optimizers.base import Method
from optiviz.optimizers.spec import parse_spec
from optiviz.shapes import Ellipse, Points, is_finite

WITHOUT_GRADIENT = [
    *("powell", "nelder-mead", "random-search", "simulated-annealing"),
    *("particle-swarm", "differential-evolution", "cma-es"),
]
MONOTONE = WITHOUT_GRADIENT[:3] + WITHOUT_GRADIENT[4:6]
every_name = pytest.mark.parametrize("name", WITHOUT_GRADIENT)


class ValuesAlone:
    """An objective without a gradient, and without a value left of x = -wall."""

    dim, sides = 2, np.array([6.0, 6.0])

    def __init__(self, wall: float) -> None:
        self.wall = wall

    def value(self, x: Array) -> Array:
        found: Array = np.where(x[..., 0] < -self.wall, np.nan, x[..., 0] ** 2 + x[..., 1] ** 2)
        return found


def walked(objective: Any, name: str) -> Trajectory:
    return descend(objective, parse_spec(name).build(), (0.5, 2.0), 60)


@every_name
def test_it_needs_no_gradient(name: str) -> None:
    path = walked(ValuesAlone(np.inf), name)
    assert not path.ending
    assert path.losses.min() < path.losses[0] / 3


@pytest.mark.parametrize("name", WITHOUT_GRADIENT[1:])  # scipy's powell ends at a wall
def test_it_stays_where_there_are_losses(name: str) -> None:
    path = walked(ValuesAlone(0.25), name)
    assert not path.ending
    assert path.losses.min() < path.losses[0] / 3


@pytest.mark.parametrize("name", MONOTONE)
def test_the_best_point_never_gets_worse(name: str) -> None:
    path = optiviz.descend("rastrigin", name, steps=60)
    assert (np.diff(path.losses) <= 0).all()
    assert path.losses[-1] < path.losses[0]


@pytest.mark.parametrize("name", ["nelder-mead:spread=0.1", *WITHOUT_GRADIENT[2:]])
def test_the_window_is_the_unit_of_length(name: str) -> None:
    """A surface a thousand times as wide gives a path a thousand times as long."""

    def path(k: int) -> Array:
        surface = optiviz.Surface(
            formula=f"(x/{k})**2 + 3*(y/{k} - 1)**2",
            domain=f"{-2 * k}:{2 * k},{-2 * k}:{2 * k}",
            start=(k, -k),
        )
        return optiviz.descend(surface, name, steps=8).points / k

    np.testing.assert_allclose(path(1024), path(1), rtol=1e-9)


def test_a_small_simplex_ends_a_run() -> None:
    for words, still in [("xatol=9:fatol=9999", True), ("xatol=9", False), ("fatol=9999", False)]:
        path = optiviz.descend("rosenbrock", f"nelder-mead:{words}", steps=5)
        assert (path.points[5] == path.points[1]).all() == still


@pytest.mark.parametrize("surface", ["rosenbrock", "beale", "cosine"])
@pytest.mark.parametrize("adaptive", [False, True])
def test_nelder_mead_is_scipys(surface: str, adaptive: bool) -> None:
    found = optiviz.load_surface(surface)
    points = [np.array(found.start)]
    minimize(
        lambda x: float(found.value(x)),
        points[0],
        method="Nelder-Mead",
        callback=lambda xk: points.append(xk.copy()),
        options={"maxiter": 101, "adaptive": adaptive},
    )
    path = optiviz.descend(found, f"nelder-mead:adaptive={str(adaptive).lower()}", steps=100)
    together = np.concatenate([points, np.repeat(points[-1:], 101 - len(points), axis=0)])
    np.testing.assert_allclose(path.points, together, rtol=0, atol=1e-9)
    assert len(points) < 101  # it has converged


@pytest.mark.parametrize("surface", ["rosenbrock", "beale", "cosine"])
def test_nelder_mead_evaluates_no_more_points_than_scipys(surface: str) -> None:
    found, method = optiviz.load_surface(surface), parse_spec("nelder-mead").build()
    start = np.array(found.start)
    options = {"maxiter": 31}
    theirs = minimize(lambda x: float(found.value(x)), start, method="Nelder-Mead", options=options)
    ours, end = count_evaluations(SurfaceObjective(found), method, start, 30)
    assert ours == theirs.nfev
    np.testing.assert_allclose(end, theirs.x, rtol=0, atol=1e-9)


def test_a_simplex_has_a_corner_at_each_point_of_the_path() -> None:
    path = optiviz.descend("beale", "nelder-mead:spread=0.2", steps=30)
    kinds = set()
    for point, (simplex, *tried) in zip(path.points[1:], path.sketches[1:], strict=True):
        corners: Any = simplex
        np.testing.assert_array_equal(corners.points[0], point)
        kinds.add(sum(map(is_finite, tried)))
    assert kinds == {1, 2}  # reflected alone, or with another point


def test_a_first_simplex_has_a_frame_of_its_own() -> None:
    start, calls = np.array([1.0, -2.0]), []
    minimize(
        lambda x: calls.append(x.copy()) or float(x @ x),  # type: ignore[func-returns-value]
        start,
        method="Nelder-Mead",
        options={"maxiter": 2},
    )
    for name in ("nelder-mead", "lookahead+nelder-mead"):
        path = optiviz.descend("bowl", name, start=[1, -2], steps=3)
        ((simplex,), *_) = path.sketches
        np.testing.assert_array_equal(simplex[0], calls[:3])
    bowl = optiviz.load_surface("bowl")
    ((first,), *_) = optiviz.descend(bowl, "cma-es:spread=0.1", steps=3).sketches
    sides = np.diff(bowl.window.intervals, axis=1)[:, 0]
    np.testing.assert_allclose(first[1], np.diag((0.1 * sides) ** 2))


@pytest.mark.parametrize("name", LIVE)
def test_pages_do_not_have_to_compute_a_first_sketch(name: str) -> None:
    method = parse_spec(name).probe()
    assert type(method).first_sketch is Method.first_sketch


@pytest.mark.parametrize("seed", [3, 11])
def test_cma_es_is_pycmas(seed: int) -> None:
    import cma  # takes a second, as it imports all of scipy

    surface = optiviz.load_surface("rosenbrock")
    path = optiviz.descend(surface, "cma-es", steps=130, seed=seed)
    options = {"CMA_stds": surface.sides, "seed": seed, "verbose": -9, "verb_log": 0}
    state = np.random.get_state()
    its = cma.CMAEvolutionStrategy(surface.start, 0.15, options)
    for step in range(1, 131):
        if not its.stop():
            drawn = its.ask()
            its.tell(drawn, [float(surface.value(x)) for x in drawn])
            population, ellipse = path.sketches[step]
            assert isinstance(population, Points) and isinstance(ellipse, Ellipse)
            np.testing.assert_allclose(population.points, drawn, rtol=0, atol=1e-9)
            spread = np.sqrt(np.diag(ellipse.matrix))
            np.testing.assert_allclose(spread, its.stds, rtol=1e-9)
        np.testing.assert_allclose(path.points[step], its.mean, rtol=0, atol=1e-9)
    np.random.set_state(state)
    assert path.losses[-1] < 1e-7


def test_cma_es_leaves_the_random_numbers_of_others_alone() -> None:
    np.random.seed(5)
    expected = np.random.rand()
    np.random.seed(5)
    optiviz.descend("beale", "cma-es", steps=3)
    assert np.random.rand() == expected


def test_cma_es_needs_two_coordinates(invoke: Invoke) -> None:
    result = invoke("run", "--surface", "cosine", "--opt", "cma-es", "-o", "a.png")
    assert result.exit_code == 2
    assert "cma-es needs two coordinates or more, but there is one" in result.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["cma-es:popsize=1"], "popsize must be 0 or at least 2, not 1"),
        (["cma-es", "--seed", str(2**32)], f"cma-es: seed must lie in [0, {2**32 - 1}]"),
        (["lookahead+random-search", "--noise", "1"], "random-search never asks for a gradient"),
        (["nelder-mead", "--vary", "noise=0,1"], "nelder-mead never asks for a gradient"),
    ],
)
def test_impossible_settings_are_named(given: list[str], said: str, invoke: Invoke) -> None:
    result = invoke("run", "--surface", "bowl", "--steps", 3, "-o", "a.json", "--opt", *given)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize("name", ["particle-swarm", "differential-evolution"])
def test_a_population_gathers_at_the_best_point(name: str) -> None:
    path = optiviz.descend("sphere", name, steps=80)

    def size(step: int) -> float:
        (population, *_) = path.sketches[step]
        return float(np.ptp(population.points, axis=0).max())  # type: ignore[union-attr]

    assert size(80) < size(1) / 8
    assert path.losses[-1] < 1e-3


def test_annealing_climbs_while_it_is_hot() -> None:
    def climbs(temperature: str) -> int:
        path = optiviz.descend("himmelblau", f"simulated-annealing:{temperature}", steps=100)
        return int((np.diff(path.losses) > 0).sum())

    assert climbs("temperature=0") == 0
    assert climbs("temperature=1000:cooling=1") > 30


@pytest.mark.slow
def test_annealing_accepts_as_metropolis_does() -> None:
    """In the end, points are spread as exp(-f/T): on a parabola, with a variance of T."""
    surface = optiviz.Surface(formula="x**2 / 2", domain="-5:5", start=(0.0,))
    words = "simulated-annealing:temperature=0.5:cooling=1:spread=0.15"
    points = optiviz.descend(surface, words, steps=20_000).points[:, 0]
    assert np.mean(points**2) == pytest.approx(0.5, rel=0.06)


def test_basins_of_a_method_with_a_population(invoke: Invoke) -> None:
    result = invoke(
        *("basins", "--surface", "himmelblau", "--opt", "nelder-mead,particle-swarm"),
        *("--grid", "8x8", "--steps", 40, "-o", "a.csv"),
    )
    assert result.exit_code == 0, result.output
