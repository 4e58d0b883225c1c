"""Networks at many points at once are what they are at each."""

from typing import Any

import numpy as np
import pytest

from optiviz.surfaces import network_arrays
from optiviz.surfaces.network import Architecture, Network
from optiviz.surfaces.network_arrays import NetworkArrays


@pytest.mark.parametrize("loss", ["squared-error", "cross-entropy"])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "softplus"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dropped", [True, False])
def test_many_points_are_each(
    loss: Any, activation: str, bias: bool, dropped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    layout = Architecture((3, 4, 5, 2), (activation, activation), loss, bias)
    masks = [random.integers(2, size=(6, units)) * 2.0 for units in (4, 5)] if dropped else []
    network = Network(layout, random.normal(size=(6, 3)), np.eye(2)[[0, 1, 1, 0, 1, 0]], masks)
    x = random.normal(size=(3, 2, layout.dim))
    for block in (network_arrays.BLOCK, 5000):
        monkeypatch.setattr(network_arrays, "BLOCK", block)
        value, gradient = NetworkArrays(network).value_and_gradient(x)
        np.testing.assert_allclose(value, network.value(x), rtol=1e-13)
        np.testing.assert_allclose(gradient, network.gradient(x), rtol=1e-11, atol=1e-15)
        np.testing.assert_allclose(NetworkArrays(network).value(x), network.value(x), rtol=1e-13)
