"""Paths over a relief are dense enough to follow it, and end at the window."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from optiviz.views.draped import DRAPE, draped

LOW, HIGH = np.array([-1.0, -2.0]), np.array([1.0, 2.0])
places = st.tuples(st.floats(-4, 4), st.floats(-4, 4))


@given(st.lists(places, min_size=1, max_size=8))
def test_a_draped_path_lies_on_its_steps_inside_of_the_window(
    points: list[tuple[float, float]],
) -> None:
    path = np.array(points)
    vertices, ends = draped(path, LOW, HIGH)
    assert len(ends) == len(path)
    assert ends[-1] == len(vertices) - 1
    known = np.isfinite(vertices).all(axis=-1)
    assert ((vertices[known] >= LOW - 1e-9) & (vertices[known] <= HIGH + 1e-9)).all()
    inside = ((path >= LOW) & (path <= HIGH)).all(axis=-1)
    np.testing.assert_allclose(vertices[ends[inside]], path[inside], atol=1e-12)
    begin = 0
    for number, end in enumerate(ends[1:]):
        piece = vertices[begin + 1 : end + 1]
        piece = piece[np.isfinite(piece).all(axis=-1)]
        way, rest = path[number + 1] - path[number], piece - path[number]
        np.testing.assert_allclose(way[0] * rest[:, 1] - way[1] * rest[:, 0], 0, atol=1e-9)
        begin = end
    gaps = np.abs(np.diff(vertices, axis=0)) / (HIGH - LOW)
    assert np.nanmax(gaps, initial=0.0) <= 1 / (DRAPE - 1)


def test_a_path_that_leaves_the_window_is_cut_at_its_edge() -> None:
    vertices, ends = draped(np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 5.0]]), LOW, HIGH)
    known = vertices[np.isfinite(vertices).all(axis=-1)]
    np.testing.assert_allclose(known[-1], [1.0, 0.0])
    assert np.isnan(vertices[ends[1:]]).all()
