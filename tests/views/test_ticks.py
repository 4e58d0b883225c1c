"""Ticks: few, inside the window, and with distinct labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiviz.views.ticks import ticks


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (-3, 3, ["−3", "−2", "−1", "0", "1", "2", "3"]),
        (-4.5, 4.5, ["−4", "−2", "0", "2", "4"]),
        (0, 1, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0, 0.5, ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"]),
        (-10, 10, ["−10", "−5", "0", "5", "10"]),
        (-600, 600, ["−600", "−400", "−200", "0", "200", "400", "600"]),
        (0, 1e-4, ["0", "2e-5", "4e-5", "6e-5", "8e-5", "0.0001"]),
        (-1e6, 1e6, ["−1e6", "−5e5", "0", "5e5", "1e6"]),
    ],
)
def test_ordinary_windows(low: float, high: float, labels: list[str]) -> None:
    assert ticks(low, high)[1] == labels


@given(low=st.floats(-1e9, 1e9), width=st.floats(-6, 9))
def test_any_window(low: float, width: float) -> None:
    high = low + max(10**width, 1e-9 * abs(low))
    places, labels = ticks(low, high)
    slack = 1e-6 * (high - low)
    assert 2 <= len(places) == len(labels) <= 8
    assert all(low - slack <= place <= high + slack for place in places)
    assert len(set(labels)) == len(labels)
    written = [float(label.replace("−", "-")) for label in labels]
    np.testing.assert_allclose(written, places, rtol=1e-9, atol=(high - low) / 100)
