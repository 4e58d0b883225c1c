"""Descending, recording, and the reasons for an early end."""

import numpy as np
import pytest
from conftest import Slope

import optiviz
from optiviz.descent.walk import descend, walk
from optiviz.optimizers.momentum import SGD
from optiviz.surfaces.surface import Surface


def surface(formula: str, domain: str = "-3:3,-3:3", **rest: object) -> Surface:
    return Surface(formula=formula, domain=domain, **rest)


def test_a_trajectory_has_the_start_and_every_step() -> None:
    path = optiviz.descend("wobbly", "adam:lr=0.25", start=(1, 2), steps=7)
    assert path.points.shape == (8, 2)
    assert path.losses.shape == (8,)
    np.testing.assert_array_equal(path.start, [1, 2])
    wobbly = optiviz.load_surface("wobbly")
    np.testing.assert_array_equal(path.losses, wobbly.value(path.points))
    assert (path.label, path.steps, path.last, path.ending) == ("adam", 7, 7, "")


def test_leaving_finite_numbers_is_divergence() -> None:
    path = optiviz.descend(surface("x**4 + y**2"), "sgd:lr=10", steps=30)
    end = path.diverged_at
    assert end is not None
    assert path.no_gradient_at is None
    assert path.ending == f"diverged at step {end}"
    assert np.isfinite(path.losses[:end]).all()
    assert np.isnan(path.points[end + 1 :]).all()
    assert np.isnan(path.losses[end + 1 :]).all()
    assert path.last == end - 1


def test_a_step_to_infinity_is_divergence() -> None:
    assert optiviz.descend(surface("x**2 + y"), "sgd:lr=1e308", steps=9).diverged_at == 1


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "adagrad", "newton", "nadam"])
def test_a_missing_gradient_at_a_finite_point_is_not_divergence(optimizer: str) -> None:
    path = optiviz.descend(surface("sqrt(x**2 + y**2)"), optimizer, start=(0, 0), steps=5)
    assert path.no_gradient_at == 0
    assert path.diverged_at is None
    assert path.ending == "no gradient at step 0"
    np.testing.assert_array_equal(path.points[0], [0, 0])
    assert np.isnan(path.points[1:]).all()


def test_stepping_to_where_the_function_is_undefined_is_not_divergence() -> None:
    path = optiviz.descend(surface("log(x) + y**2"), "sgd:lr=0.5", start=(1.0, 1.0), steps=9)
    end = path.no_gradient_at
    assert end is not None
    assert path.points[end, 0] < 0
    assert np.isnan(path.losses[end])
    assert path.diverged_at is None


def test_an_undefined_start_ends_at_once() -> None:
    path = optiviz.descend(surface("log(x) + y"), "adam", start=(-1.0, 0.0), steps=3)
    assert path.no_gradient_at == 0
    assert path.last == 0


def test_an_overflow_is_divergence_and_not_a_missing_gradient() -> None:
    path = optiviz.descend(surface("exp(x**2) + y**2"), "sgd:lr=1", start=(3.0, 0.0), steps=9)
    assert path.diverged_at is not None
    assert path.no_gradient_at is None


def test_the_start_of_a_stranger_is_not_touched() -> None:
    start = np.array([1.0, 1.0])
    optiviz.descend("bowl", "sgd:lr=0.1", start=start, steps=3)
    np.testing.assert_array_equal(start, [1.0, 1.0])


class Steeper:
    """A stream whose slope is the step number."""

    dim = 1

    def at(self, step: int) -> Slope:
        return Slope(float(step))


def test_a_stream_is_asked_for_each_step() -> None:
    steps = walk(Steeper(), SGD(lr=1.0), np.zeros(1), 3)
    assert [float(x[0]) for x, _ in steps] == [0, 0, -1, -3]


def test_any_objective_can_be_descended() -> None:
    path = descend(Slope(2.0), SGD(lr=0.5), [0.0], 3, "slope")
    np.testing.assert_array_equal(path.points[:, 0], [0, -1, -2, -3])


def test_states_end_where_the_walk_does() -> None:
    path = optiviz.descend(surface("x**4 + y**2"), "momentum:lr=10", steps=30)
    assert path.diverged_at is not None
    assert np.isnan(path.states["velocity"][path.diverged_at + 1 :]).all()


ARTICLE_1 = ["nesterov", "rmsprop", "adadelta", "adagrad", "adam"]


def basin(name: str, optimizer: str) -> float:
    """Return the minimum that gradient descent reaches from the end of a run."""
    end = optiviz.descend(name, optimizer).points[-1]
    return float(optiviz.descend(name, "sgd:lr=0.02", start=end, steps=3000).losses[-1])


@pytest.mark.slow
def test_article_1_on_hills_and_canyon_adam_alone_finds_the_canyon() -> None:
    adam = optiviz.descend("hills-and-canyon", "adam").losses[-1]
    assert float(adam) == pytest.approx(0.0897, abs=1e-4)
    found = {each: basin("hills-and-canyon", each) for each in ARTICLE_1}
    assert found.pop("adam") == pytest.approx(0.0897, abs=5e-5)
    assert list(found.values()) == pytest.approx([6.644] * 4, abs=5e-4)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ARTICLE_1)
def test_article_1_on_wobbly_all_reach_the_one_basin(optimizer: str) -> None:
    assert basin("wobbly", optimizer) == pytest.approx(0.9155, abs=5e-5)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ARTICLE_1)
def test_article_1_on_two_minimums_all_stay_in_the_shallow_one(optimizer: str) -> None:
    assert basin("two-minimums", optimizer) == pytest.approx(3.49999, abs=5e-6)
