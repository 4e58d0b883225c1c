"""The sharpness along paths, against eigenvalues of whole matrices."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import FITTING, Invoke

import optiviz
from optiviz.descent import problem_of
from optiviz.descent.sharpness import sharpness
from optiviz.descent.walk import walk
from optiviz.kinds.run import Recipe
from optiviz.objective import Array
from optiviz.optimizers.base import Method
from optiviz.surfaces.curvature import largest_eigenvalue
from optiviz.surfaces.surface import Surface

STEPS = 12
METHODS = ["sgd:lr=0.002", "momentum:lr=0.001", "adam:lr=0.1", "rmsprop:lr=0.05", "nelder-mead"]
METHODS += ["bfgs", "lookahead+adagrad:lr=0.3:sync_period=3", "radam:lr=1e-4", "newton:damping=30"]


def paths_of(surface: Any, *methods: str, **settings: Any) -> tuple[Any, ...]:
    recipe = Recipe(surface=surface, optimizers=methods, view="sharpness", steps=STEPS, **settings)
    paths: tuple[Any, ...] = recipe.make_scene().trajectories
    return paths


def preconditioners(surface: Any, method: Method, start: Array) -> list[Array]:
    """Return that of the step from each point, the last one known where there is none."""
    found, last = [], np.eye(len(start))
    states = [state for _, state in walk(surface, method, start, STEPS)]
    for state in [*states[1:], None]:
        matrix = None if state is None else method.preconditioner(state)
        if matrix is not None:
            last = matrix if matrix.ndim == 2 else np.diag(matrix * np.ones(len(start)))
        found.append(last)
    return found


@pytest.mark.parametrize("name", ["rosenbrock", "himmelblau", "wobbly", "parabola-cosine"])
def test_it_is_the_largest_eigenvalue_of_the_preconditioned_hessian(name: str) -> None:
    surface = optiviz.load_surface(name)
    for path in paths_of(name, *METHODS):
        found = preconditioners(surface, path.optimizer, path.start)
        for x, matrix, value in zip(path.finite_points, found, path.sharpness, strict=False):
            exact = np.linalg.eigvals(matrix @ surface.hessian(x)).real.max()
            assert value == pytest.approx(exact, rel=1e-9, abs=1e-9 * np.abs(matrix).max())
    assert [path.is_preconditioned for path in paths_of(name, "sgd:lr=0.01", "adam:lr=0.1")] == [
        False,
        True,
    ]


@pytest.mark.parametrize("words", ["flow+sgd:lr=0.5", "flow+rmsprop:lr=0.02@step/5/0.5"])
def test_the_flows_beside_a_path_have_a_sharpness_of_their_own(words: str) -> None:
    surface = optiviz.load_surface("tightening-ring")
    (path,) = paths_of("tightening-ring", words)
    states = [state for _, state in walk(surface, path.optimizer, path.start, STEPS)]
    for role, name in (("gradient-flow", "gradient"), ("central-flow", "central")):
        values = path.companions_sharpness[role]
        assert values[0] == path.sharpness[0]
        for value, state in zip(values[1:], states[1:], strict=True):
            flow = getattr(state.inner if "@" in words else state, name)
            p = 1 / (np.sqrt(flow.square) + 1e-8) if "rmsprop" in words else np.ones(2)
            exact = np.linalg.eigvals(np.diag(p) @ surface.hessian(flow.point)).real.max()
            assert value == pytest.approx(exact, rel=1e-9)


def test_natural_gradient_sees_the_curvature_in_its_metric() -> None:
    surface = FITTING["metric"]
    (path,) = paths_of(surface, "natural-gradient:lr=0.1", starts=((1.2, -0.7),))
    for x, value in zip(path.points[:-1], path.sharpness[:-1], strict=True):
        matrix = np.linalg.inv(surface.metric(x)) @ surface.hessian(x)  # type: ignore[misc]
        assert value == pytest.approx(np.linalg.eigvals(matrix).max(), rel=1e-9)


@pytest.mark.parametrize("name", ["rosenbrock:dim=40", "styblinski-tang:dim=33"])
def test_the_lanczos_method_finds_that_of_many_variables(name: str) -> None:
    problem = problem_of(optiviz.load_surface(name))
    rng = np.random.default_rng(3)
    x = problem.start(()) + rng.normal(size=problem.true_objective.dim)
    hessian = problem.hessian(x)
    assert hessian is not None
    exact = np.linalg.eigvalsh(hessian)[-1]
    assert sharpness(problem, x) == exact
    assert largest_eigenvalue(lambda v: hessian @ v, len(x)) == pytest.approx(exact, rel=1e-9)
    scale = rng.uniform(0.1, 10, len(x))
    exact = np.linalg.eigvals(scale[:, None] * hessian).real.max()
    assert sharpness(problem, x, scale) == pytest.approx(exact, rel=1e-9)
    assert sharpness(problem, x, np.diag(scale)) == pytest.approx(exact, rel=1e-9)


def test_the_lanczos_method_finds_that_of_a_network() -> None:
    problem = problem_of(optiviz.load_surface("xor"))
    x = problem.start(())
    assert problem.hessian(x) is None
    rows = np.array([problem.hessian_product(x, unit) for unit in np.eye(len(x))])
    scale = np.random.default_rng(2).uniform(0.1, 10, len(x))
    for diagonal in (np.ones(len(x)), scale):
        exact = np.linalg.eigvals(diagonal[:, None] * (rows + rows.T) / 2).real.max()
        assert sharpness(problem, x, diagonal) == pytest.approx(exact, rel=1e-6)
        root = np.sqrt(diagonal)
        found = largest_eigenvalue(
            lambda v, root=root: root * problem.hessian_product(x, root * v), len(x)
        )
        assert found == pytest.approx(exact, rel=1e-6)


def test_there_is_no_eigenvalue_of_a_matrix_that_is_not_finite() -> None:
    for dim in (3, 50):
        assert np.isnan(largest_eigenvalue(lambda v: v * np.nan, dim))


def test_gradient_descent_hovers_at_two_over_its_rate() -> None:
    """And a flow, whose steps are short, passes it."""
    recipe = Recipe(
        surface="narrowing-valley",
        optimizers=["sgd:lr=0.65,sgd:lr=0.05"],
        view="sharpness",
        steps=400,
    )
    large, small = recipe.make_scene().trajectories
    assert np.abs(large.sharpness[-100:] - 2 / 0.65).max() < 0.25
    assert small.sharpness[-1] > 4
    np.testing.assert_allclose(large.stability_limits, 2 / 0.65)


def test_it_is_known_only_when_it_is_drawn_and_only_where_it_is_finite() -> None:
    (path,) = Recipe(surface="wobbly", optimizers=["sgd"], steps=3).make_scene().trajectories
    assert path.sharpness is None
    kinked = Surface(formula="abs(x)**1.5 + y**2", domain="-2:2,-2:2", start=(0.0, 1.0))
    (path,) = paths_of(kinked, "sgd:lr=0.1")
    assert not np.isfinite(path.sharpness).any()
    (path,) = paths_of("rosenbrock", "sgd:lr=0.1")
    assert path.diverged_at and np.isfinite(path.sharpness[: path.last - 1]).all()


def test_numbers_have_it_with_its_limit(invoke: Invoke) -> None:
    Path("run.csv").write_text("x,y\n1,1\n0.5,0.5\n0.2,0.1\n")
    words = ["run", "--formula", "x**2 + 3*y**2", "--opt", "sgd:lr=0.1@step/2/0.5"]
    done = invoke(*words, "--steps", 4, "--track", "run.csv", "--view", "sharpness", "-o", "x.json")
    assert done.exit_code == 0, done.output
    descent, track = json.loads(Path("x.json").read_text())["trajectories"]
    assert descent["sharpness"] == [6] * 5
    assert descent["stability_limit"] == pytest.approx([20, 20, 40, 40, 40])
    assert track["sharpness"] == [6] * 3 and track["stability_limit"] == [None] * 3


def test_what_cannot_be_drawn_is_said(invoke: Invoke) -> None:
    words = ["run", "--opt", "sgd:lr=0.1", "--view", "sharpness"]
    kinked = ["--formula", "abs(x)**1.5 + y**2", "--domain", "-2:2,-2:2", "--start", "0,1"]
    done = invoke(*words, *kinked, "--steps", 5, "-o", "x.png")
    assert done.exit_code == 2
    assert "sharpness: no second derivatives are known on these paths" in done.output
