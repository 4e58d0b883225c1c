"""The default camera shows paths and minima, whichever side of a hill they are on."""

import numpy as np
import pytest

from optiviz.relief.field import Field
from optiviz.relief.viewpoint import AZIMUTHS, ELEVATIONS, SIDE, best_camera

NONE = np.zeros((0, 3))


def ridge() -> Field:
    """Return a ridge along v, in the middle."""
    u = np.linspace(-0.5, 0.5, 101)
    return Field(np.ones((101, 1)) * 0.6 * np.exp(-((u / 0.08) ** 2)), (1.0, 1.0))


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("turn", [0.0, 90.0])
def test_it_stands_on_the_side_of_the_path(side: int, turn: float) -> None:
    field = ridge()
    along = np.linspace(-0.3, 0.3, 50)
    path = np.column_stack([np.full(50, side * 0.12), along, np.full(50, 0.08)])
    path[:, 2] = field.height(path[:, 0], path[:, 1]) + 0.004
    camera = best_camera(field, [path], NONE, turn)
    assert camera.elevation in ELEVATIONS
    assert 15 <= camera.azimuth % 90 <= 75, "off the directions of the axes"
    seen = []
    for share in (1 / 3, 2 / 3, 1):
        turned = camera.turned(share * turn)
        shot = field.shot(turned.fitted(path, (0, 0, SIDE, SIDE)), (SIDE, SIDE))
        seen.append(shot.seen(path, 1.0).mean())
    assert np.mean(seen) > 0.9
    middle = camera.turned(2 / 3 * turn)
    assert np.sign(np.cos(np.radians(middle.azimuth))) == side
    minimum = best_camera(field, [], path[:1], turn).turned(2 / 3 * turn)
    assert np.sign(np.cos(np.radians(minimum.azimuth))) == side


def test_it_is_the_first_one_where_nothing_counts() -> None:
    for heights in (np.zeros((9, 9)), np.full((9, 9), np.nan)):
        found = best_camera(Field(heights, (1.0, 1.0)), [np.full((3, 3), np.nan)], NONE)
        assert (found.azimuth, found.elevation) == (AZIMUTHS[0], ELEVATIONS[0])
