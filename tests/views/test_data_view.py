"""The view of the samples of a fit, and the curves among them."""

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from optiviz.kinds.run import Recipe
from optiviz.rendering.render import make_picture
from optiviz.views.data import DataView, _ends


def data_view(**settings: Any) -> DataView:
    """Return the view of data of a picture."""
    recipe = Recipe(size=(480, 320), steps=20, **settings)
    (view,) = (each.view for each in make_picture(recipe).cells if isinstance(each.view, DataView))
    return view


LINEAR: dict[str, Any] = {"surface": "linear-regression", "view": "contour+data"}


def test_the_curve_is_that_of_the_parameters_at_each_step() -> None:
    view: Any = data_view(optimizers="sgd:lr=0.01,adam:lr=0.1", **LINEAR)
    for step in (0, 3, 20):
        view.update(step)
        for artist, path in zip(view.path_artists, view.scene.trajectories, strict=True):
            w, b = path.points[step]
            x, y = artist.line.get_data()
            assert_allclose(y, w * x + b, rtol=1e-13)
            assert artist.line.get_label() == path.label
            assert artist.earlier is None and artist.residuals is None


@pytest.mark.parametrize(
    ("asked", "seen"),
    [({}, "auto"), ({"aspect": "equal"}, "equal"), ({"surface": "wobbly"}, "equal")],
    ids=["a fit", "asked for", "a formula"],
)
def test_parameters_that_have_units_of_their_own_fill_the_panel(
    asked: dict[str, Any], seen: str
) -> None:
    given: dict[str, Any] = {"surface": "logistic-regression", "view": "contour"} | asked
    recipe = Recipe(optimizers="sgd:lr=1", steps=2, **given)
    view: Any = make_picture(recipe).cells[0].view
    assert view.aspect == seen


def test_a_single_path_has_residuals_and_curves_of_earlier_steps() -> None:
    view: Any = data_view(optimizers="sgd:lr=0.01", **LINEAR)
    (artist,) = view.path_artists
    view.update(20)
    w, b = view.scene.trajectories[0].points[20]
    for (x, y), (same, fitted) in artist.residuals.get_segments():
        assert y == view.fit.y[view.fit.x == x] and same == x
        assert_allclose(fitted, w * x + b, rtol=1e-13)
    assert 3 < len(artist.earlier.get_segments()) < 10
    view.update(0)
    assert len(artist.earlier.get_segments()) == 0


def test_the_curve_of_labels_is_their_probability() -> None:
    view: Any = data_view(optimizers="sgd:lr=1", surface="logistic-regression", view="contour+data")
    (artist,) = view.path_artists
    view.update(7)
    w, b = view.scene.trajectories[0].points[7]
    x, y = artist.line.get_data()
    assert_allclose(y, 1 / (1 + np.exp(-(w * (x - 65) / 10 + b))), rtol=1e-12)
    assert artist.residuals is None
    assert view.axis_names == ("temp", "distress")


def test_all_samples_are_in_the_chart_and_nothing_far_outside_is_drawn() -> None:
    fit = {"model": "a/x + b", "data": {"x": [-1, 0.5, 2], "y": [3, 3, 3]}}
    view: Any = data_view(surface={"fit": fit}, optimizers="sgd:lr=0.1", view="data")
    for values, (low, high) in ((view.fit.x, view.across), (view.fit.y, view.up)):
        assert low < values.min() and values.max() < high
    view.update(20)
    drawn = view.path_artists[0].line.get_ydata()
    assert np.nanmax(np.abs(drawn)) <= 1000 * (view.up[1] - view.up[0])
    assert np.isfinite(drawn).any()


def test_curves_at_the_starts_are_seen_if_samples_remain_large() -> None:
    fit = {"model": "w*x + b", "data": {"x": [0, 1, 2], "y": [4, 5, 6]}}
    for b, shown in ((2.5, (2.5, 6)), (7, (4, 7)), (0.0, (4, 6))):
        surface = {"fit": fit, "domain": "-9:9,-9:9", "start": (0, b)}
        view = data_view(surface=surface, optimizers="sgd:lr=0.1", view="data")
        assert_allclose(view.up, _ends(np.array(shown, float)))


@pytest.mark.parametrize(("samples", "size"), [(5, 6.0), (30, 6.0), (480, 3.0), (9000, 1.8)])
def test_dots_are_the_smaller_the_more_there_are(samples: int, size: float) -> None:
    x = np.linspace(0, 1, samples)
    fit = {"model": "w*x", "data": {"x": x, "y": 2 * x}}
    view = data_view(surface={"fit": fit, "domain": "0:3"}, optimizers="sgd:lr=0.1", view="data")
    assert_allclose(view.dot_size, size)
    assert_array_equal(view.redrawn[0].get_xdata(), x)  # type: ignore[attr-defined]


def test_fits_are_drawn_beside_their_data_by_default() -> None:
    recipe = Recipe(surface="linear-regression", optimizers="sgd:lr=0.01", steps=5)
    assert recipe.views(recipe.make_scene()) == ["contour", "data"]
    line = Recipe(surface={"fit": {"model": "w*x", "data": [[1, 2], [2, 5]]}}, optimizers="sgd")
    assert line.views(line.make_scene()) == ["curve", "data"]
