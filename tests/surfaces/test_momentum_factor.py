"""The surface of rates and momenta, beside the matrix of a step and the method itself."""

import numpy as np
import pytest

import optiviz
from optiviz.descent.walk import descend
from optiviz.optimizers.momentum import Momentum
from optiviz.surfaces.surface import Surface

FACTOR = optiviz.load_surface("momentum-factor")


def test_it_is_the_spectral_radius_of_a_step() -> None:
    bends = np.array(list(dict(FACTOR.params).values()))
    limit = 2 / bends.max()
    settings = np.random.default_rng(0).uniform((0, 0), (2 * limit, 1), (200, 2))
    rate, momentum = settings[:, :1], settings[:, 1:]
    steps = np.zeros((200, 2, 2, 2))
    steps[..., 0, 0], steps[..., 0, 1] = 1 + momentum - rate * bends, -momentum
    steps[..., 1, 0] = 1
    expected = np.abs(np.linalg.eigvals(steps)).max(axis=(1, 2))
    np.testing.assert_allclose(FACTOR.value(settings), expected, rtol=1e-12)
    np.testing.assert_array_equal(expected < 1, (rate < limit * (1 + momentum))[:, 0])


@pytest.mark.parametrize("settings", [(0.05, 0.1), (0.19, 0.05), (0.21, 0.2), (0.1, 0.9)])
def test_momentum_converges_at_that_factor(settings: tuple[float, float]) -> None:
    rate, momentum = settings
    quadratic = Surface(formula="(x**2 + 10*y**2)/2", domain="-3:3,-3:3")
    path = descend(quadratic, Momentum(lr=rate, momentum=momentum), [2.0, 1.5], 400)
    distances = np.linalg.norm(path.points, axis=1)
    earlier, later = (distances[step : step + 50].max() for step in (100, 350))
    found = (later / earlier) ** (1 / 250)
    np.testing.assert_allclose(found, FACTOR.value(np.array(settings)), rtol=2e-3)
