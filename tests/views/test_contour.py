"""The contour view, checked by the data of its artists."""

import numpy as np
import pytest
from conftest import FORMULAS
from matplotlib.contour import ContourSet
from matplotlib.lines import Line2D
from matplotlib.quiver import Quiver

import optiviz
from optiviz.kinds.run import Recipe
from optiviz.objective import Array
from optiviz.rendering.render import make_picture
from optiviz.views.contour import ContourView, short
from optiviz.views.figure import Picture
from optiviz.views.sampled_surface import BANDS, POWERS, contour_levels

SURFACES = [name for name, each in FORMULAS.items() if each.dim == 2]


def picture(surface: object, optimizers: str = "adam,rmsprop", **rest: object) -> Picture:
    return make_picture(Recipe(surface=surface, optimizers=optimizers, **rest))


def view_of(drawn: Picture) -> ContourView:
    view = drawn.cells[0].view
    assert isinstance(view, ContourView)
    return view


@pytest.mark.sample(2)
@pytest.mark.parametrize("step", [0, 1, 60, 125])
def test_paths_and_heads_are_the_descended_points(step: int) -> None:
    drawn = picture("wobbly", "adam,rmsprop:lr=0.5")  # whose first step leaves the window
    drawn.update(step)
    for path, track in zip(drawn.scene.trajectories, view_of(drawn).path_artists, strict=True):
        for artist in (track.casing, track.line):
            np.testing.assert_array_equal(artist.get_xydata(), path.points[: step + 1])
        here = path.points[step : step + 1]
        (seen,) = drawn.scene.surface.window.contains(here)
        np.testing.assert_array_equal(track.head.get_xydata(), here if seen else [[np.nan] * 2])


def test_what_is_shown_depends_on_the_step_alone() -> None:
    drawn = picture("wobbly")
    forth = {id(each): each for each in drawn.update(125)}
    drawn.update(3)
    back = drawn.update(125)
    assert {id(each) for each in back} == set(forth)
    for track in view_of(drawn).path_artists:
        assert len(track.line.get_xdata()) == 126


@pytest.mark.sample(4)
@pytest.mark.parametrize("name", SURFACES[::3])
def test_the_window_is_the_domain_whatever_the_path_does(name: str) -> None:
    drawn = picture(name, "sgd:lr=5,adam:lr=3")
    axes = drawn.figure.axes[0]
    drawn.update(drawn.scene.steps)
    drawn.figure.canvas.draw()
    assert (axes.get_xlim(), axes.get_ylim()) == drawn.scene.surface.domain.intervals


def test_a_diverged_path_is_drawn_up_to_its_end() -> None:
    drawn = picture("beale", "sgd:lr=10")
    (trajectory,) = drawn.scene.trajectories
    (track,) = view_of(drawn).path_artists
    drawn.update(drawn.scene.steps)
    assert trajectory.diverged_at is not None
    ended = trajectory.points[: trajectory.diverged_at]
    np.testing.assert_array_equal(track.line.get_xydata(), ended)
    (low_x, high_x), (low_y, high_y) = drawn.scene.surface.window.intervals
    edge = ended[-1].clip((low_x, low_y), (high_x, high_y))
    np.testing.assert_array_equal(track.outside.get_xydata(), edge[None])


@pytest.mark.parametrize(
    ("start", "sides"), [((1, 0), "<>"), ((0, 1), "v^"), ((0.1, 1), "v^"), ((1, 0.9), "<>")]
)
def test_a_head_out_of_the_window_is_a_triangle_at_its_edge(
    start: tuple[float, float], sides: str
) -> None:
    bowl = optiviz.Surface(formula="x**2 + y**2", domain="-1.5:1.5,-1.5:1.5")
    drawn = picture(bowl, "sgd:lr=1.1", starts=[start], steps=4)  # to -1.2, 1.44, -1.728, 2.07
    (track,) = view_of(drawn).path_artists
    for step, away in enumerate([False, False, False, True, True]):
        drawn.update(step)
        point = drawn.scene.trajectories[0].points[step]
        head, edge = track.head.get_xydata(), track.outside.get_xydata()
        np.testing.assert_array_equal(edge if away else head, [point.clip(-1.5, 1.5)])
        assert np.isnan(head if away else edge).all()
        if away:
            assert track.outside.get_marker() == sides[step % 2 == 0]


def test_minima_and_starts_are_marked() -> None:
    drawn = picture("hills-and-canyon", starts=[(1, 1), (-2, 0)])
    lines = [each for each in drawn.figure.axes[0].lines if isinstance(each, Line2D)]
    stars = next(each for each in lines if each.get_marker() == "*")
    np.testing.assert_array_equal(stars.get_xydata(), drawn.scene.surface.minima)
    rings = next(each for each in lines if each.get_markersize() == 11)
    np.testing.assert_array_equal(rings.get_xydata(), [(1, 1), (-2, 0)])


def test_a_mark_at_the_edge_is_whole_and_one_outside_is_not_there() -> None:
    edge = optiviz.Surface(
        formula="x + y", domain="-1:1,-1:1", start=(1, 0), minima=[(-1, -1), (-2, 0)]
    )
    lines = picture(edge, "sgd:lr=0.1").figure.axes[0].lines
    stars = next(each for each in lines if each.get_marker() == "*")
    np.testing.assert_array_equal(stars.get_xydata(), [(-1, -1)])
    rings = next(each for each in lines if each.get_markersize() == 11)
    assert not stars.get_clip_on()
    assert not rings.get_clip_on()


def test_optimizers_differ_by_colour_and_starts_by_line_style() -> None:
    drawn = picture("wobbly", starts=[(1, 1), (-2, 0)])
    lines = [track.line for track in view_of(drawn).path_artists]
    assert [line.get_color() for line in lines[::2]] == [line.get_color() for line in lines[1::2]]
    assert lines[0].get_color() != lines[2].get_color()
    assert lines[0].is_dashed() != lines[1].is_dashed()


def sampled(name: str) -> Array:
    """Return a surface's values on a grid over its window."""
    surface = optiviz.load_surface(name)
    axes = [np.linspace(low, high, 99) for low, high in surface.domain.intervals]
    return surface.value(np.stack(np.meshgrid(*axes), axis=-1))


@pytest.mark.parametrize("name", SURFACES)
def test_levels_rise_and_half_of_the_picture_lies_below_the_middle(name: str) -> None:
    values = sampled(name)
    levels = contour_levels(values)
    assert len(levels) == BANDS + 1
    assert (np.diff(levels) > 0).all()
    assert (levels[0], levels[-1]) == pytest.approx((values.min(), values.max()))
    below = (values < levels[BANDS // 2]).mean()
    if below < 0.45:  # so flat that the exponent is limited
        assert POWERS[1] == pytest.approx(
            np.log(0.5) / np.log((levels[BANDS // 2] - levels[0]) / np.ptp(levels))
        )
    else:
        assert below == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("name", SURFACES)
def test_levels_show_structure_everywhere(name: str) -> None:
    """Contour lines cross the picture: most bands are visible, and no single band fills it."""
    values = sampled(name)
    shares = np.histogram(values, contour_levels(values))[0] / values.size
    assert (shares > 0.001).sum() >= 15
    assert shares.max() < 0.9


def test_a_shallow_dip_gets_lines_beside_a_deep_one() -> None:
    levels = contour_levels(sampled("two-minimums"))
    assert ((levels > 3.5) & (levels < 3.999)).sum() >= 5


def test_levels_of_a_flat_or_undefined_surface_are_none() -> None:
    assert contour_levels(np.full((3, 3), 7.0)).size == 0
    assert contour_levels(np.full((3, 3), np.nan)).size == 0
    assert np.isfinite(contour_levels(np.array([np.nan, np.inf, 1.0, 2.0]))).all()


@pytest.mark.parametrize(
    ("levels", "lines"),
    [((0.5, 1.0, 1.5), [0.5, 1.0, 1.5]), ((1.0,), [1.0]), ((-1.0, 1.0, 9.0), [1.0])],
)
def test_own_levels_are_drawn_all(levels: tuple[float, ...], lines: list[float]) -> None:
    own = optiviz.Surface(formula="x**2 + y**2", domain="-1:1,-1:1", levels=levels)
    sets = [each for each in picture(own).figure.axes[0].collections if hasattr(each, "levels")]
    np.testing.assert_array_equal(sets[-1].levels, lines)
    assert len(sets) == (2 if len(levels) > 1 else 1)


@pytest.mark.sample(4)
@pytest.mark.parametrize(
    "formula",
    [
        "3", "log(-1 - x**2)", "log(x)", "1/x", "x + 0*y", "1e150*x", "exp(700*x)", "1e-150*x",
        "(x*x + y*y + 1e3)**100", "1e190*(x - y)**3*exp(80*x)",
    ],
)  # fmt: skip
def test_odd_surfaces_are_still_drawn(formula: str) -> None:
    drawn = picture(optiviz.Surface(formula=formula, domain="-1:1,-1:1"))
    drawn.figure.canvas.draw()


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    "domain", ["0:1e-90,0:1e-90", "-1e99:1e99,0:1", "0:1e-90,-1e99:1e99", "1e9:1000000001,0:1"]
)
def test_odd_windows_are_still_drawn(domain: str) -> None:
    drawn = picture(optiviz.Surface(formula="x + y", domain=domain))
    drawn.figure.canvas.draw()


def sets_of(drawn: Picture) -> list[ContourSet]:
    return [each for each in drawn.figure.axes[0].collections if isinstance(each, ContourSet)]


@pytest.mark.parametrize(
    ("levels", "lines"), [((1.0, 5.0), [1.0, 5.0]), (4, None), (None, None), ((9.0,), [9.0])]
)
def test_levels_can_be_chosen(levels: object, lines: list[float] | None) -> None:
    drawn = picture("wobbly", "adam", levels=levels)
    isolines = sets_of(drawn)[-1].levels
    if lines is None:
        assert len(isolines) == (levels or BANDS) - 1
    else:
        np.testing.assert_array_equal(isolines, lines)


def test_no_fill_leaves_isolines_alone() -> None:
    assert [each.filled for each in sets_of(picture("wobbly", "adam"))] == [True, False]
    assert [each.filled for each in sets_of(picture("wobbly", "adam", fill=False))] == [False]
    assert [each.filled for each in sets_of(picture("wobbly", "adam", theme="article"))] == [False]
    assert len(sets_of(picture("wobbly", "adam", theme="article", fill=True))) == 2


def test_labels_are_the_losses_of_their_isolines() -> None:
    drawn = picture("wobbly", "adam", labels=True)
    levels = sets_of(drawn)[-1].levels
    texts = [text for text in drawn.figure.axes[0].texts if text.get_visible()]
    assert len(texts) >= 3
    surface = drawn.scene.surface
    for text in texts:
        said = float(text.get_text().replace("\N{MINUS SIGN}", "-"))
        nearest = levels[np.abs(levels - said).argmin()]
        assert said == pytest.approx(nearest, rel=0.02)
        assert surface.value(np.array(text.get_position())) == pytest.approx(nearest, rel=0.05)
    assert not picture("wobbly", "adam").figure.axes[0].texts
    assert not picture("wobbly", "adam", theme="article", labels=False).figure.axes[0].texts


def test_a_field_points_down_the_gradient() -> None:
    drawn = picture("wobbly", "adam", field=True)
    (field,) = (each for each in drawn.figure.axes[0].collections if isinstance(each, Quiver))
    axes = drawn.figure.axes[0]
    places, arrows = field.XY, np.column_stack([field.U, field.V])
    down = -drawn.scene.surface.gradient(places)
    # Arrows are drawn in inches, gradients are in data units.
    box = axes.get_window_extent()
    seen = down * (box.width / np.ptp(axes.get_xlim()), box.height / np.ptp(axes.get_ylim()))
    cross = arrows[:, 0] * seen[:, 1] - arrows[:, 1] * seen[:, 0]
    np.testing.assert_allclose(cross / np.hypot(*seen.T), 0, atol=1e-9)
    assert (np.sum(arrows * seen, axis=1) > 0).all()
    slope, length = np.hypot(*down.T), np.hypot(*arrows.T)
    np.testing.assert_allclose(length, slope / (slope + np.median(slope)), rtol=1e-9)


@pytest.mark.parametrize(
    ("levels", "written"),
    [
        ([0.1, 0.25, 0.5], ["0.1", "0.25", "0.5"]), ([1.234, 5.678], ["1.23", "5.68"]),
        ([-2.0, 0.0, 2.0], ["−2", "0", "2"]), ([1e5, 2e5], ["1e5", "2e5"]), ([3.0], ["3"]),
        ([1.001, 1.002], ["1.001", "1.002"]), ([1.5e-7, 3e-7], ["1.5e-7", "3e-7"]),
    ],
)  # fmt: skip
def test_levels_are_written_short(levels: list[float], written: list[str]) -> None:
    assert short(np.array(levels)) == written
