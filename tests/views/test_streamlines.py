"""Streamlines of the gradient flow."""

import numpy as np
import pytest
from conftest import Invoke
from matplotlib.collections import LineCollection
from test_contour import picture

from optiviz.objective import Array
from optiviz.views.contour import FIELD
from optiviz.views.streamlines import NEAR, streamlines

SIDES, SPACING = np.array([4.0, 3.0]), 0.25


def to_the_middle(points: Array) -> Array:
    """Return the negative gradient of an elongated bowl around the middle."""
    return (SIDES / 2 - points) * (1.0, 4.0)


def test_lines_follow_the_flow_and_end_at_its_minimum() -> None:
    lines = streamlines(to_the_middle, SIDES, SPACING)
    reached = 0
    for line in lines:
        assert ((line >= 0) & (line <= SIDES)).all()
        x, y = (line - SIDES / 2).T
        inside = (np.abs(x) > 0.1) & (np.abs(y) > 0.1)
        invariant = np.log(np.abs(y[inside])) - 4 * np.log(np.abs(x[inside]))  # of this flow
        assert invariant.size == 0 or np.ptp(invariant) < 0.25
        losses = x**2 + 4 * y**2
        assert (np.diff(losses)[:-1] < 0).all()
        reached += bool(np.hypot(x[-1], y[-1]) < SPACING)
    assert reached


def test_lines_are_evenly_spaced() -> None:
    lines = streamlines(lambda points: np.ones_like(points) * (1.0, 0.2), SIDES, SPACING)
    heights = np.sort([line[:, 1].mean() - 0.2 * line[:, 0].mean() for line in lines if
                       np.ptp(line[:, 0]) > 0.8 * SIDES[0]])  # fmt: skip
    assert (np.diff(heights) > NEAR * SPACING / 2).all()
    points = np.concatenate(lines)
    tried = np.random.default_rng(0).uniform(0.1 * SIDES, 0.9 * SIDES, (200, 2))
    away = np.linalg.norm(tried[:, None] - points, axis=-1).min(axis=1)
    assert away.max() < 1.5 * SPACING


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_without_a_direction_there_is_no_line(value: float) -> None:
    assert streamlines(lambda points: np.full_like(points, value), SIDES, SPACING) == []


def test_a_field_of_streamlines_goes_down_on_the_surface() -> None:
    drawn = picture("wobbly", "adam", field="stream")
    axes = drawn.figure.axes[0]
    (lines,) = (
        each for each in axes.collections
        if isinstance(each, LineCollection) and each.zorder == FIELD
    )  # fmt: skip
    pieces = np.array(lines.get_segments())
    value = drawn.scene.surface.value
    assert (value(pieces[:, 1]) < value(pieces[:, 0])).mean() > 0.99
    assert np.ptp(lines.get_linewidths()) > 0.2  # wider where it is steep


def test_an_unknown_field_is_told(invoke: Invoke, here: object) -> None:
    result = invoke("run", "--surface", "bowl", "--opt", "sgd", "--field", "streams")
    assert "--field: unknown field 'streams': did you mean 'stream'?" in result.stderr
