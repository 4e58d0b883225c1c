"""The classical baselines: scipy's own iterates, one per step."""

import numpy as np
import pytest
from conftest import Invoke
from scipy.optimize import LbfgsInvHessProduct, minimize

import optiviz
from optiviz.descent import problem_of
from optiviz.descent.walk import descend
from optiviz.optimizers import load_optimizer
from optiviz.optimizers.spec import parse_spec
from optiviz.registry import OPTIMIZERS
from optiviz.surfaces.surface import Surface

SCIPY = [name for name, each in OPTIMIZERS.items() if each.startswith("classical:")]
ROSENBROCK = optiviz.load_surface("rosenbrock")


def passed(name: str, surface: Surface, steps: int) -> np.ndarray:
    """Return the iterates of scipy's `minimize`, called as usual."""
    method = load_optimizer(name).method  # type: ignore[attr-defined]
    points = [np.array(surface.start)]
    minimize(
        lambda x: float(surface.value(x)),
        points[0],
        jac=None if name == "powell" else surface.gradient,
        method=method,
        callback=lambda xk: points.append(np.array(xk)),
        options={"maxiter": steps},
    )
    return np.array(points)


@pytest.mark.parametrize("name", SCIPY)
def test_a_step_is_an_iteration(name: str) -> None:
    path = optiviz.descend(ROSENBROCK, name, steps=30)
    points = passed(name, ROSENBROCK, 30)
    np.testing.assert_array_equal(path.points[: len(points)], points)
    assert len(path.points) == 31
    np.testing.assert_array_equal(path.points[len(points) :], points[[-1] * (31 - len(points))])


@pytest.mark.parametrize("name", SCIPY)
def test_it_comes_to_the_minimum_and_stays_there(name: str) -> None:
    path = optiviz.descend(ROSENBROCK, name, steps=200)
    assert path.losses[-1] < 1e-6
    assert not path.ending
    assert path.optimizer.rate == ""


@pytest.mark.parametrize("name", SCIPY)
@pytest.mark.parametrize(
    ("surface", "words"),
    [("wobbly", {"noise": 1.0}), ("spirals", {"batch_size": 10})],
)
def test_it_wants_the_same_objective_in_every_step(
    name: str, surface: str, words: dict[str, float]
) -> None:
    with pytest.raises(optiviz.InputError, match="it cannot be combined with"):
        optiviz.descend(surface, name, steps=3, **words)  # type: ignore[arg-type]


def test_it_answers_no_signal(invoke: Invoke) -> None:
    result = invoke("response", "--signal", "spikes", "--opt", "bfgs", "-o", "a.png")
    assert result.exit_code == 2
    assert "it cannot follow a signal" in result.stderr


@pytest.mark.parametrize("name", SCIPY)
def test_a_network_is_descended_too(name: str) -> None:
    path = optiviz.descend("xor", name, steps=20)
    assert path.losses[-1] < path.losses[0]


@pytest.mark.parametrize("name", ["bfgs", "l-bfgs", "conjugate-gradient"])
def test_directions_are_scipys(name: str) -> None:
    walked = list(load_optimizer(name)().run(ROSENBROCK, np.array(ROSENBROCK.start), 25))  # type: ignore[attr-defined]
    assert len(walked) > 20
    for _, state in walked:
        move = state.reached - state.point
        across = move[0] * state.direction[1] - move[1] * state.direction[0]
        assert abs(across) <= 1e-7 * np.linalg.norm(move) * np.linalg.norm(state.direction)
        assert move @ state.direction > 0


@pytest.mark.parametrize("name", ["bfgs", "l-bfgs"])
def test_the_model_is_scipys(name: str) -> None:
    for steps in (6, 10):  # scipy keeps ten changes, later ones not in their order
        method = load_optimizer(name)()
        points = [np.array(ROSENBROCK.start)]
        found = minimize(
            lambda x: float(ROSENBROCK.value(x)),
            points[0],
            jac=ROSENBROCK.gradient,
            method=method.method,  # type: ignore[attr-defined]
            callback=lambda xk: points.append(np.array(xk)),  # noqa: B023
            options={"maxiter": steps},
        )
        s = np.diff(points, axis=0)
        y = np.diff(ROSENBROCK.gradient(np.array(points)), axis=0)
        expected = found.hess_inv
        if name == "l-bfgs":  # scipy's operator starts at I, its steps at a multiple of it
            s, y = s[:-1], y[:-1]  # it stops before the last update
            np.testing.assert_allclose(found.hess_inv.sk, s[-10:], atol=1e-12)
            scale = (s[-1] @ y[-1]) / (y[-1] @ y[-1])
            expected = scale * LbfgsInvHessProduct(s[-10:] / scale, y[-10:]).todense()
        np.testing.assert_allclose(method.inverse(s, y), expected, rtol=1e-9, atol=1e-9)  # type: ignore[attr-defined]


def test_one_that_begins_at_the_minimum_has_nothing_to_sketch() -> None:
    surface = Surface(formula="x**2", domain="-1:1", bounds="0:1")
    path = descend(surface, parse_spec("l-bfgs-b").build(), [0.0], 3)
    assert path.points.tolist() == [[0.0]] * 4 and path.sketches == ((),) * 4


def test_conjugate_gradients_of_an_exact_search_solve_n_equations_in_n_steps() -> None:
    surface = Surface(formula="sum((i + 1)*x[i]**2 for i in range(5)) + x[0]*x[3]", variables=5)
    method = parse_spec("conjugate-gradient:c2=0.01").build()
    losses = descend(problem_of(surface).true_objective, method, [1.0] * 5, 5).losses
    assert losses[4] > 1e-5 and losses[5] < 1e-20
