"""What noise does to optimizers: averages, reduced variance, samples of a distribution."""

import numpy as np
import pytest

import optiviz
from optiviz.shapes import Points, Segment, is_finite


@pytest.mark.parametrize("start", [0, 7])
def test_polyak_averaging_is_the_mean_of_a_path_that_it_leaves_alone(start: int) -> None:
    surface = optiviz.load_surface("wobbly")
    plain = optiviz.descend(surface, "adam:lr=0.1", steps=20)
    path = optiviz.descend(surface, f"polyak-averaging+adam:lr=0.1:start={start}", steps=20)
    np.testing.assert_array_equal(path.points, plain.points)
    means = np.array([path.points[start : step + 1].mean(axis=0) for step in range(start, 21)])
    np.testing.assert_allclose(path.states["average"][start:], means, rtol=1e-13)
    line = []
    for step, sketch in enumerate(path.sketches[1:], start=1):
        segment, point = sketch
        assert isinstance(segment, Segment) and isinstance(point, Points)
        assert is_finite(segment) == is_finite(point) == (step > start)
        line += [segment.points[0]] if step > start else []
    np.testing.assert_allclose(line, means[:-1], rtol=1e-13)
