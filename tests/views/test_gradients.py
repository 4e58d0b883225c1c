"""The gradients of loss and constraints at the heads of paths."""

from typing import Any

import numpy as np
import pytest
from conftest import Invoke
from numpy.testing import assert_allclose

from optiviz.kinds.run import Recipe
from optiviz.rendering.render import make_picture
from optiviz.surfaces.surface import Surface
from optiviz.views.gradients import DOWN, OUT, GradientArtist, arrow, slopes

BOWL = "0.5*(x - 1.4)**2 + 1.5*(y - 0.9)**2 + 0.5*(x - 1.4)*(y - 0.9)"


def bowl(*constraints: str) -> Surface:
    return Surface(
        formula=BOWL, constraints=constraints, domain="-1.6:2.6,-1.4:2", start=(-0.6, -0.3)
    )


def artist(*constraints: str, **settings: Any) -> tuple[GradientArtist, Any]:
    """Return that of the only path, and its view."""
    known = {"optimizers": "projected-gradient:lr=0.1", "steps": 60, "view": "contour"} | settings
    recipe = Recipe(surface=bowl(*constraints), gradients=True, size=(480, 320), **known)
    panel = make_picture(recipe).cells[0].view
    (found,) = (each for each in panel.path_artists if isinstance(each, GradientArtist))
    return found, panel


def test_at_a_constrained_minimum_they_point_along_one_line() -> None:
    found, panel = artist("x**2 + y**2 <= 1")
    found.update(60)
    _, shaft, _, down, _ = (each.vertices for each in found.drawn.get_paths())
    out, along = (np.diff(each[np.isfinite(each[:, 0])][:2], axis=0)[0] for each in (shaft, down))
    assert_allclose(out @ along / np.hypot(*out) / np.hypot(*along), 1, atol=1e-6)
    assert_allclose([np.hypot(*(out * found.units)), np.hypot(*(along * found.units))], [OUT, DOWN])
    labels = [mark.label for mark in panel.legend_entries]
    assert {"\u2212\u2207f", "\u2207g"} <= set(labels)


def test_only_active_constraints_have_one() -> None:
    points = np.array([[0.0, 1.0], [0.5, 0.5], [0.0, 0.0], [1.0, 1.0]])
    out = slopes(bowl("abs(x) + abs(y) <= 1"), points).out
    assert np.isfinite(out).all(axis=-1).sum(axis=-1).tolist() == [2, 1, 0, 1]
    (corner,) = out[:1]
    ways = corner[np.isfinite(corner[:, 0])]
    assert_allclose(sorted(ways[:, 0] / np.hypot(*ways.T)), [-(0.5**0.5), 0.5**0.5])
    assert np.isfinite(slopes(bowl("x + y == 1"), points).out).all()  # an equality always has


def test_directions_are_those_of_the_gradients() -> None:
    surface, points = bowl("x**2 + y**2 <= 1"), np.array([[0.6, 0.8], [0.0, -1.0]])
    found = slopes(surface, points)
    assert_allclose(found.down, -surface.gradient(points))
    assert_allclose(found.out[:, 0], 2 * points)
    assert np.isnan(slopes(surface, np.array([[1.4, 0.9], [0.0, 0.0]])).down[0]).all()


def test_an_arrow_is_as_long_as_said_in_the_picture() -> None:
    units, point = np.array([40.0, 10.0]), np.array([1.0, 2.0])
    shaft, tip = arrow(point, np.array([3.0, 4.0]), units, 30.0)
    assert_allclose(np.hypot(*(np.diff(shaft, axis=0)[0] * units)), 30)
    assert_allclose((shaft[1] - point) @ [4, -3], 0, atol=1e-12)
    sides = (tip[[0, 2]] - tip[1]) * units
    assert_allclose(np.hypot(*sides.T), np.hypot(*sides[0]))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--view", "loss"), "--view: loss does not use --gradients; contour does"),
        (("--view", "relief"), "--view: relief does not use --gradients; contour does"),
    ],
)
def test_what_cannot_show_them_says_so(invoke: Invoke, words: tuple[str, ...], said: str) -> None:
    result = invoke("run", "--surface", "wobbly", "--opt", "adam:lr=0.1", "--gradients", *words)
    assert result.exit_code == 2
    assert said in result.output
