"""The eigenvectors of the Hessian at the heads of paths."""

from typing import Any

import numpy as np
import pytest
from conftest import Invoke
from numpy.testing import assert_allclose, assert_array_equal

from optiviz.kinds.run import Recipe
from optiviz.rendering.render import make_picture
from optiviz.views.eigenvectors import ALONG, LONGEST, SHORTEST, EigenvectorArtist, arms
from optiviz.views.legend_entries import BENDS

TURN = np.array([[0.6, -0.8], [0.8, 0.6]])  # columns are directions


def artist(view: str = "contour", **settings: Any) -> tuple[EigenvectorArtist, Any]:
    """Return that of the only path, and its view."""
    recipe = Recipe(eigenvectors=True, view=view, size=(480, 320), **settings)
    panel = make_picture(recipe).cells[0].view
    (found,) = (each for each in panel.path_artists if isinstance(each, EigenvectorArtist))
    return found, panel


@pytest.mark.parametrize(
    ("bends", "lengths", "down"),
    [
        ((1.0, 4.0), (1.0, 0.5), (False, False)),
        ((1.0, 400.0), (1.0, SHORTEST), (False, False)),
        ((-1.0, 4.0), (1.0, 0.5), (True, False)),
        ((-4.0, -1.0), (0.5, 1.0), (True, True)),
        ((0.0, 3.0), (1.0, SHORTEST), (False, False)),
        ((-1e-300, 2e-300), (1.0, 0.5**0.5), (True, False)),
    ],
)
def test_lines_are_the_longer_the_flatter_it_is(
    bends: tuple[float, float], lengths: tuple[float, float], down: tuple[bool, bool]
) -> None:
    hessian = (TURN * bends) @ TURN.T
    found = arms(hessian[None], np.ones(2), 3.0)
    assert_allclose(np.linalg.norm(found.ways[0], axis=1), 3 * np.array(lengths), rtol=1e-12)
    assert_allclose(np.abs(np.sum(found.ways[0] * TURN.T, axis=1)), 3 * np.array(lengths))
    assert_array_equal(found.down[0], down)


def test_lengths_are_those_in_the_picture() -> None:
    """Directions are those of the true coordinates, and lines are axes of the ellipse as seen."""
    units = np.array([1.0, 3.0])
    ((one, other),) = arms((TURN * (1.0, 2.0) @ TURN.T)[None], units, 5.0).ways
    assert_allclose(one @ other, 0, atol=1e-12)
    seen = [np.hypot(*(way * units)) for way in (one, other)]
    expected = [
        np.hypot(*(way * units)) / bend**0.5 for way, bend in zip(TURN.T, (1, 2), strict=True)
    ]
    assert_allclose(seen, 5 * np.array(expected) / max(expected))


@pytest.mark.parametrize("entry", [0.0, np.nan, np.inf])
def test_where_it_has_no_curvature_nothing_is_drawn(entry: float) -> None:
    assert np.isnan(arms(np.full((1, 2, 2), entry), np.ones(2), 1.0).ways).all()


def test_they_move_with_the_head() -> None:
    drawn, panel = artist(surface="himmelblau", optimizers="sgd:lr=0.01", steps=5)
    (path,) = panel.scene.trajectories
    for step in (0, 3, 9):
        drawn.update(step)
        x = path.points[min(step, 5)]
        bends, directions = np.linalg.eigh(panel.scene.surface.hessian(x))
        both, solid, dashed = (each.vertices for each in drawn.drawn.get_paths())
        assert_array_equal(both[::3], [x] * 4)
        assert len(solid) // 3 == 2 * (bends >= 0).sum()
        assert len(dashed) // 3 == 2 * (bends < 0).sum()
        for way, ends in zip(directions.T, (both[[1, 4]], both[[7, 10]]), strict=True):
            away = ends - x
            assert_allclose(away[0], -away[1], rtol=1e-9)
            assert_allclose(away @ (-way[1], way[0]), 0, atol=1e-12)
        pixels = drawn.drawn.axes.transData.transform(both)
        points = np.hypot(*np.diff(pixels, axis=0).T) * 72 / drawn.drawn.axes.figure.dpi
        assert np.nanmax(points) == pytest.approx(LONGEST, rel=1e-6)


def test_on_a_relief_they_follow_the_surface() -> None:
    drawn, panel = artist("relief", surface="himmelblau", optimizers="sgd:lr=0.01", steps=2)
    lifted: list[Any] = []
    drawn.lift = lambda vertices: lifted.append(panel.surface.in_world(vertices)) or lifted[-1]
    drawn.update(1)
    assert len(lifted) == 2
    for line in lifted:
        half = line[:ALONG]
        assert np.isfinite(half).all()
        assert_allclose(np.diff(half[:, :2], 2, axis=0), 0, atol=1e-12)
        assert np.abs(np.diff(half[:, 2], 2)).max() > 1e-5  # no straight line


def test_out_of_the_window_there_are_none() -> None:
    drawn, _ = artist(surface="bowl", optimizers="sgd:lr=1e3", steps=2)
    drawn.update(2)
    assert not np.isfinite(drawn.drawn.get_paths()[0].vertices).any()


@pytest.mark.parametrize("view", ["contour", "relief"])
@pytest.mark.parametrize(("surface", "dashed"), [("bowl", False), ("himmelblau", True)])
def test_the_legend_names_dashes_only_where_there_are_any(
    surface: str, dashed: bool, view: str
) -> None:
    _, panel = artist(view, surface=surface, optimizers="sgd:lr=0.01", steps=2)
    assert (BENDS in panel.legend_entries) == dashed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--formula", "x**2", "--domain=-3:3"), "--view: curve does not use --eigenvectors"),
        (("--surface", "xor"), "eigenvectors: the Hessian needs second derivatives, which xor"),
        (("--surface", "wobbly", "--view", "loss"), "loss does not use --eigenvectors"),
        (
            ("--formula", "x**2+y**2", "--domain=-3:3,-3:3", "--l1", "1", "-o", "x.html"),
            "this page cannot show eigenvectors: it only replays",
        ),
    ],
)
def test_what_cannot_have_them_says_so(words: tuple[str, ...], said: str, invoke: Invoke) -> None:
    result = invoke("run", *words, "--opt", "adam:lr=0.1", "--steps", 2, "--eigenvectors")
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
