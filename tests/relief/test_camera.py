"""What a shift lens keeps: uprights upright, straight lines straight, and room for everything."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiviz.relief.camera import Camera

cameras = st.builds(
    Camera, st.floats(-360, 360), st.floats(5, 85), st.floats(1, 500), st.floats(-99, 99)
)
places = st.tuples(*[st.floats(-0.5, 0.5)] * 2)
heights = st.floats(-0.3, 0.6)


@given(cameras, places, heights, heights)
def test_uprights_stay_upright(
    camera: Camera, place: tuple[float, float], one: float, other: float
) -> None:
    seen = camera.project(np.array([[*place, each] for each in sorted([one, other])]))
    assert seen.x[0] == pytest.approx(seen.x[1])
    assert seen.y[1] >= seen.y[0]


@given(cameras, places, places, heights, heights)
def test_straight_lines_stay_straight(
    camera: Camera, one: tuple[float, float], other: tuple[float, float], low: float, high: float
) -> None:
    ends = np.array([[*one, low], [*other, high]])
    shares = np.array([0, 0.3, 1])[:, None]
    x, y, _ = camera.project(ends[0] + shares * (ends[1] - ends[0]))
    area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
    assert area == pytest.approx(0, abs=1e-9 * camera.scale**2)


@given(cameras, places)
def test_nearer_things_are_larger(camera: Camera, place: tuple[float, float]) -> None:
    upright = np.array([[*place, 0.0], [*place, 0.1]])
    nearer = upright - np.array([*camera.away, 0.0]) / 10
    sizes = [float(np.ptp(camera.project(each).y)) for each in (upright, nearer)]
    assert sizes[1] > sizes[0]


@given(st.floats(-360, 360), st.floats(5, 85), st.floats(-400, 400))
def test_a_fitted_camera_shows_everything_as_it_turns(
    azimuth: float, elevation: float, orbit: float
) -> None:
    axis = [-0.5, 0.5]
    corners = np.stack(np.meshgrid(axis, axis, [-0.26, 0.6]), axis=-1).reshape(-1, 3)
    turns = [float(each) for each in np.linspace(0, orbit, 41)]
    box = 10.0, 20.0, 300.0, 200.0
    camera = Camera(azimuth, elevation).fitted(corners, box, turns)
    seen = [camera.turned(each).project(corners) for each in turns]
    x, y = (np.concatenate([getattr(each, axis) for each in seen]) for axis in "xy")
    assert x.min() >= 10 - 1e-6 and x.max() <= 310 + 1e-6
    assert y.min() >= 20 - 1e-6 and y.max() <= 220 + 1e-6
    assert np.ptp(x) == pytest.approx(300) or np.ptp(y) == pytest.approx(200)


def test_angles_are_those_of_matplotlib() -> None:
    """At azimuth -90 the u axis points to the right, and v away from the camera."""
    camera = Camera(-90, 30)
    u, v = camera.project(np.array([[0.1, 0, 0], [0, 0.1, 0]])).x
    assert u > 0.09 and v == pytest.approx(0)
    assert camera.project(np.array([0, 0.1, 0.0])).depth == pytest.approx(0.1)
