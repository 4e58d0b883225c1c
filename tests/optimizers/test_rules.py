"""Update rules computed by hand, because no library has reference numbers for them."""

import numpy as np
import pytest

import optiviz
from optiviz.optimizers.momentum import Nesterov, SmoothedNesterov

wobbly = optiviz.load_surface("wobbly")


@pytest.mark.parametrize("points", [1, 2, 4])
def test_smoothed_nesterov_averages_the_gradient_on_the_way_to_the_look_ahead(points: int) -> None:
    path = optiviz.descend(wobbly, f"smoothed-nesterov:lr=0.01:momentum=0.9:points={points}")
    x, v = np.array(wobbly.start), np.zeros(2)
    ways = [x] * points
    for row, sketch in zip(path.points, path.sketches, strict=True):
        np.testing.assert_allclose(row, x, atol=1e-12)
        if sketch:
            looked, way = sketch
            np.testing.assert_allclose(looked.points, ways, atol=1e-12)
            np.testing.assert_allclose(way.points[1:], [ways[-1], x], atol=1e-12)
        ways = [x - 0.9 * v * k / points for k in range(1, points + 1)]
        v = 0.9 * v + 0.01 * np.mean([wobbly.gradient(way) for way in ways], axis=0)
        x = x - v


def test_nesterov_without_look_ahead_is_the_same_path_seen_from_ahead() -> None:
    # Sutskever's change of variables: the points of one are the look-aheads of the other.
    ahead = optiviz.descend(wobbly, "nesterov:lr=0.01:momentum=0.9", steps=50)
    own = optiviz.descend(wobbly, "smoothed-nesterov:lr=0.01:momentum=0.9:points=1", steps=50)
    velocity = own.states["velocity"]
    np.testing.assert_allclose(ahead.points, own.points - 0.9 * velocity, atol=1e-10)


def test_newton_climbs_the_cosine_and_damping_turns_it_downhill() -> None:
    climbing = optiviz.descend("cosine", "newton")
    assert climbing.losses[-1] == pytest.approx(1.0)
    damped = optiviz.descend("cosine", "newton:damping=0.078125")
    assert np.all(np.diff(damped.losses) <= 0)
    assert damped.losses[-1] == pytest.approx(-1.0)


def test_newton_at_a_singular_hessian_leaves_finite_numbers() -> None:
    flat = optiviz.Surface(formula="x + y", domain="-1:1,-1:1")
    assert optiviz.descend(flat, "newton", steps=3).diverged_at == 1


def test_newton_says_that_it_needs_second_derivatives() -> None:
    class Slope:
        dim = 2

        def gradient(self, x: np.ndarray) -> np.ndarray:
            return x

    newton = optiviz.optimizers.load_optimizer("newton")()
    with pytest.raises(optiviz.InputError, match="second derivatives"):
        newton.step(Slope(), np.ones(2), newton.init(np.ones(2)))


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_hyperparameters_out_of_bounds_are_refused(value: float) -> None:
    with pytest.raises(optiviz.InputError, match="momentum must lie in"):
        Nesterov(lr=0.1, momentum=value)
    with pytest.raises(optiviz.InputError, match="lr must lie in"):
        SmoothedNesterov(lr=np.array([[0.1], [value]]))
