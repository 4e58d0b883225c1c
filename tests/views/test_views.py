"""Each view, checked by the data of its artists."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

import optiviz
from optiviz.kinds.plot import PlotRecipe
from optiviz.kinds.response import ResponseRecipe, ResponseScene
from optiviz.kinds.run import Recipe
from optiviz.objective import Array
from optiviz.registry import THEMES
from optiviz.rendering.render import make_picture
from optiviz.themes import load_theme
from optiviz.views.curve import CurveView
from optiviz.views.figure import Picture
from optiviz.views.loss import LossView, trailing_mean
from optiviz.views.paths import FADED_OPACITY, path_style
from optiviz.views.scales import Scale
from optiviz.views.state import StateView


def picture(surface: object, optimizers: str, **rest: Any) -> Picture:
    return make_picture(Recipe(surface=surface, optimizers=optimizers, **rest))


def xy(line: Any) -> Array:
    found: Array = line.get_xydata()
    return found


# Curve


@pytest.mark.sample(6)
@pytest.mark.parametrize(
    ("surface", "word"),
    [
        ("parabola", "sgd:lr=0.015625"), ("parabola", "sgd:lr=0.125"), ("parabola", "sgd:lr=1"),
        ("parabola-cosine", "newton"), ("cosine", "newton"),
        ("cosine", "newton:damping=0.078125"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("step", [0, 1, 7, 60])
def test_a_curve_shows_the_point_its_tangent_and_the_points_before(
    surface: str, word: str, step: int
) -> None:
    drawn = picture(surface, word)
    view = drawn.cells[0].view
    assert isinstance(view, CurveView)
    walker, (path,) = view.path_artists[-1], drawn.scene.trajectories
    drawn.update(step)
    points = np.column_stack([path.points[: step + 1, 0], path.losses[: step + 1]])
    points[np.abs(points[:, 0]) > 20] = np.nan
    np.testing.assert_array_equal(xy(walker.past), points[:-1])
    if np.isnan(points[-1]).any():
        return
    np.testing.assert_array_equal(xy(walker.head), points[-1:])
    x, y = points[-1]
    (left, right), slope = xy(walker.tangent), drawn.scene.surface.gradient(path.points[step])[0]
    np.testing.assert_allclose((left + right) / 2, (x, y), rtol=1e-12, atol=1e-9)
    assert (right[1] - left[1]) / (right[0] - left[0]) == pytest.approx(slope, abs=1e-12)


def test_tangents_are_as_long_on_the_screen_whatever_their_slope() -> None:
    drawn = picture("parabola", "sgd")
    walker, axes = drawn.cells[0].view.path_artists[0], drawn.figure.axes[0]
    lengths = []
    for step in (0, 3, 50):
        drawn.update(step)
        lengths.append(np.hypot(*np.diff(axes.transData.transform(xy(walker.tangent)), axis=0)[0]))
    np.testing.assert_allclose(lengths, lengths[0], rtol=1e-6)


def test_a_curve_is_the_loss_and_its_range_is_shown_whole() -> None:
    drawn = picture("cosine", "sgd")
    axes = drawn.figure.axes[0]
    (curve,) = [line for line in axes.lines if len(line.get_xdata()) > 1000]
    x, y = xy(curve).T
    np.testing.assert_array_equal(y, drawn.scene.surface.value(x[:, None]))
    low, high = axes.get_ylim()
    assert low < y.min() < y.max() < high
    assert (x.min(), x.max()) == axes.get_xlim() == (-20, 20)


def test_a_point_outside_of_the_window_is_not_drawn() -> None:
    drawn = picture("parabola", "sgd:lr=1.01", steps=30)
    walker = drawn.cells[0].view.path_artists[0]
    assert abs(drawn.scene.trajectories[0].points[-1, 0]) > 20
    assert np.isnan(xy(walker.head)).all()
    side = np.sign(drawn.scene.trajectories[0].points[-1, 0])
    np.testing.assert_array_equal(xy(walker.away), [(20 * side, 400)])
    assert walker.away.get_marker() == (">" if side > 0 else "<")
    drawn.update(0)
    assert np.isnan(xy(walker.away)).all()
    np.testing.assert_array_equal(xy(walker.head), [(-20, 400)])


def test_a_plotted_curve_has_its_derivative_beside_it() -> None:
    drawn = make_picture(PlotRecipe(surfaces="tanh,softplus"))
    panels = [axes for axes in drawn.figure.axes if axes.axison]
    for axes, name in zip(panels, ("tanh", "softplus"), strict=True):
        surface = optiviz.load_surface(name)
        value, slope = (
            next(
                line
                for line in axes.lines
                if len(line.get_xdata()) > 1000 and dashed is line.is_dashed()
            )
            for dashed in (False, True)
        )
        x = np.array(value.get_xdata())[:, None]
        np.testing.assert_array_equal(value.get_ydata(), surface.value(x))
        np.testing.assert_array_equal(slope.get_ydata(), surface.gradient(x)[:, 0])


# Loss


@pytest.mark.sample(2)
@pytest.mark.parametrize("step", [0, 1, 60, 125])
def test_losses_grow_with_the_steps(step: int) -> None:
    drawn = picture("wobbly", "adam,rmsprop", view="loss")
    view = drawn.cells[0].view
    assert isinstance(view, LossView)
    drawn.update(step)
    for track, path in zip(view.path_artists, drawn.scene.trajectories, strict=True):
        expected = np.column_stack([np.arange(step + 1), path.losses[: step + 1]])
        np.testing.assert_allclose(xy(track.strokes.line), expected, rtol=1e-12)
        assert track.strokes.line.get_markevery() == [step], "the head is at the last one"


def test_losses_that_are_practically_zero_do_not_hide_the_others() -> None:
    surface = optiviz.Surface(formula="x**4", domain="-3:3", start=(2,))
    drawn = picture(surface, "newton,sgd:lr=0.01", view="loss", steps=200)
    view = drawn.cells[0].view
    assert isinstance(view, LossView)
    assert view.scale.ticks()[1][0] == "\N{LESS-THAN OR EQUAL TO}10\u207b\u00b9\u2074"
    assert view.scale.limits[0] > 1e-16
    drawn.update(200)
    ends = [xy(artist.strokes.line)[-1, 1] for artist in view.path_artists]
    assert ends == [1e-14, drawn.scene.trajectories[1].losses[-1]]


def test_smooth_losses_stand_before_the_losses_themselves() -> None:
    drawn = picture("wobbly", "rmsprop", view="loss", smooth=10)
    faint, smooth = drawn.cells[0].view.path_artists
    (path,) = drawn.scene.trajectories
    np.testing.assert_array_equal(xy(faint.strokes.line)[:, 1], path.losses)
    assert faint.strokes.line.get_alpha() == FADED_OPACITY
    assert xy(smooth.strokes.line)[50, 1] == pytest.approx(path.losses[41:51].mean())
    assert xy(smooth.strokes.line)[3, 1] == pytest.approx(path.losses[:4].mean())


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.integers(1, 40))
def test_a_trailing_mean_is_the_mean_of_the_last(values: list[float], many: int) -> None:
    found = trailing_mean(np.array(values), many)
    expected = [np.mean(values[max(0, end - many) : end]) for end in range(1, len(values) + 1)]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-6)


def test_a_trailing_mean_keeps_the_digits_of_small_values() -> None:
    found = trailing_mean(np.array([1e20, 1.0, 1e-10, 1e-10, 1e-10]), 2)
    assert found[-1] == pytest.approx(1e-10)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1.0, 2.0, 3.0], "linear"), ([1e-5, 1.0], "log"), ([0.0, 1e-5, 1.0], "log"),
        ([-1.0, 5.0], "linear"), ([-1.0, 1.0, 2.0, 1e9], "symlog"), ([0.0, 0.0], "linear"),
        ([np.nan], "linear"), ([np.inf, 3.0], "linear"), ([5e-324, 1e308], "log"),
        ([-1e300, 1.0, 2.0], "symlog"), ([7.0], "linear"),
    ],
)  # fmt: skip
def test_a_scale_holds_all_that_is_finite(values: list[float], kind: str) -> None:
    scale = Scale.for_values(np.array(values))
    assert scale.kind == kind
    finite = [each for each in values if np.isfinite(each) and (kind != "log" or each > 0)]
    low, high = scale.limits
    assert low < high and np.isfinite([low, high]).all()
    assert all(low <= each <= high for each in finite)
    places, said = scale.ticks()
    assert len(places) == len(said) == len(set(said)) <= 8
    assert all(low - 1e-9 <= place <= high + 1e-9 for place in places)


@settings(max_examples=20)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=20))
def test_any_numbers_have_a_scale_that_can_be_drawn(values: list[float]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    scale = Scale.for_values(np.array(values))
    figure = Figure((3, 2))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.2, 0.2, 0.7, 0.7))
    scale.apply(axes)
    low, high = axes.get_ylim()
    finite = [each for each in values if np.isfinite(each) and (scale.kind != "log" or each > 0)]
    assert all(low <= each <= high for each in finite)
    axes.figure.canvas.draw()


# State


def test_states_are_the_recorded_ones() -> None:
    drawn = picture("wobbly", "adam,momentum:lr=0.01,adagrad", view="state")
    view = drawn.cells[0].view
    assert isinstance(view, StateView)
    adam, momentum, adagrad = drawn.scene.trajectories
    expected = {
        "velocity": [adam.states["mean"], momentum.states["velocity"]],
        "accumulated squares": [adam.states["square"], adagrad.states["accumulator"]],
    }
    strips = {axes.get_title(loc="left"): axes for axes in drawn.figure.axes}
    for name, states in expected.items():
        lines = [line for line in strips[name].lines if len(line.get_xdata()) == 126]
        for line, values in zip(
            lines, [state[:, axis] for state in states for axis in (0, 1)], strict=True
        ):
            np.testing.assert_array_equal(line.get_ydata(), values)


def test_the_effective_step_is_how_far_each_coordinate_moved() -> None:
    drawn = picture("wobbly", "sgd:lr=0.01", view="state")
    (strip,) = [name for name in map(title, drawn.figure.axes) if name]
    assert strip == "effective step", "sgd has no state"
    (path,) = drawn.scene.trajectories
    axes = next(each for each in drawn.figure.axes if title(each))
    x, y = (line.get_ydata() for line in axes.lines if len(line.get_xdata()) == 126)
    moved = 0.01 * np.abs(drawn.scene.surface.gradient(path.points[:-1]))
    np.testing.assert_allclose(np.column_stack([x, y])[1:], moved, rtol=1e-9, atol=1e-15)


def title(axes: Axes) -> str:
    return axes.get_title(loc="left")


@pytest.mark.sample(2)
@pytest.mark.parametrize("formula", ["3", "log(-1 - x**2)", "log(x)", "1/x", "1e150*x", "abs(x)"])
@pytest.mark.parametrize("view", ["curve", "loss", "state"])
def test_odd_functions_still_have_every_view(formula: str, view: str) -> None:
    odd = optiviz.Surface(formula=formula, domain="-1:1")
    drawn = picture(odd, "sgd:lr=0.1,adam:lr=0.1", view=view, steps=3, size=(300, 200))
    drawn.figure.canvas.draw()


# Response


def test_a_response_draws_the_gradient_and_the_updates() -> None:
    recipe = ResponseRecipe(signal="rectangles", optimizers="momentum", vary="momentum=0.25,0.9")
    drawn = make_picture(recipe)
    scene, (view,) = drawn.scene, [cell.view for cell in drawn.cells]
    assert isinstance(scene, ResponseScene)
    lines = {line.get_label(): line for line in drawn.figure.axes[0].lines}
    gradient = next(line for line in lines.values() if line.get_linewidth() == 1.2)
    np.testing.assert_array_equal(gradient.get_ydata(), scene.signal.gradient)
    for step in (0, 100, 299):
        drawn.update(step)
        for entry in scene.entries:
            tracks = {each.strokes.line.get_label(): each for each in view.path_artists}
            track = tracks[entry.label]
            expected = np.column_stack([np.arange(step + 1), entry.update[: step + 1]])
            np.testing.assert_array_equal(xy(track.strokes.line), expected)
    low, high = drawn.figure.axes[0].get_ylim()
    assert low < min(scene.signal.gradient) and all(
        entry.update.max() < high for entry in scene.entries
    )


# All views


@pytest.mark.sample(2)
@pytest.mark.parametrize("view", ["contour", "loss", "state", "relief"])
def test_a_trail_fades_what_is_older(view: str) -> None:
    drawn = picture("wobbly", "adam", view=view, trail=20)
    track = drawn.cells[0].view.path_artists[0]
    drawn.update(100)
    if view in ("contour", "relief"):
        segments = track.strokes.drawn.get_segments()
        old, recent = segments[0].T, segments[1].T
        assert track.strokes.drawn.get_colors()[0][3] < 0.5
    else:
        lines = track.strokes.faded, track.strokes.line
        old, recent = (xy(line).T for line in lines)
        assert track.strokes.faded.get_alpha() < 0.5
    np.testing.assert_array_equal(old[:, -1], recent[:, 0])
    if view != "relief":
        assert recent.shape[1] == 21
        assert old.shape[1] == 81


@pytest.mark.parametrize("step", [0, 1, 3, 4, 9])
def test_a_trail_of_a_curve_fades_what_is_older(step: int) -> None:
    drawn = picture("parabola", "sgd", trail=3)
    (walker,), (path,) = drawn.cells[0].view.path_artists, drawn.scene.trajectories
    drawn.update(step)
    points = np.column_stack([path.points[:step, 0], path.losses[:step]])
    begin = max(step - 3, 0)
    np.testing.assert_array_equal(xy(walker.faded), points[:begin])
    np.testing.assert_array_equal(xy(walker.past), points[begin:])


@pytest.mark.parametrize("theme", THEMES)
def test_paths_differ_in_colour_marker_or_line_style(theme: str) -> None:
    drawn = load_theme(theme)
    words = ",".join(["sgd:lr=0.1"] * 3 * len(drawn.paths))
    entries = Recipe(surface="bowl", optimizers=words, steps=1).make_scene().entries
    styles = [path_style(drawn, entry) for entry in entries]
    assert len({(each.color, each.marker) for each in styles}) == len(styles)
    assert len({(each.color, each.dash) for each in styles}) == len(styles)


def test_optimizers_keep_their_colours_in_every_panel_and_cell() -> None:
    def colours(drawn: Picture) -> list[list[str]]:
        return [
            [
                to_hex(track.strokes.artists[-1].get_color()[-1])
                if hasattr(track.strokes, "drawn")
                else track.strokes.line.get_color()
                for track in cell.view.path_artists
            ]
            for cell in drawn.cells
        ]

    one, other = colours(picture("wobbly", "adam,rmsprop", view="contour+loss"))
    assert one == other and len(set(one)) == 2
    grid = picture("wobbly", "adam,rmsprop", layout="grid")
    assert colours(grid) == [[one[0]], [one[1]], one], "one panel each, and one loss chart"


def test_a_grid_has_one_scale() -> None:
    drawn = picture("wobbly", "adam,sgd:lr=0.001", view="loss", layout="grid")
    spans = {axes.get_ylim() for axes in drawn.figure.axes if axes.axison}
    assert len(spans) == 1
