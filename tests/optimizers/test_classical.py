"""The classical baselines: scipy's own iterates, one per step."""

import numpy as np
import pytest
from conftest import Invoke
from scipy.optimize import minimize

import optiviz
from optiviz.optimizers import load_optimizer
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
    with pytest.raises(optiviz.InputError, match="needs a fixed objective: it cannot be combined"):
        optiviz.descend(surface, name, steps=3, **words)  # type: ignore[arg-type]


def test_it_answers_no_signal(invoke: Invoke) -> None:
    result = invoke("response", "--signal", "spikes", "--opt", "bfgs", "-o", "a.png")
    assert result.exit_code == 2
    assert "it cannot follow a signal" in result.stderr


@pytest.mark.parametrize("name", SCIPY)
def test_a_network_is_descended_too(name: str) -> None:
    path = optiviz.descend("xor", name, steps=20)
    assert path.losses[-1] < path.losses[0]
