"""The contour view, checked by the data of its artists."""

import numpy as np
import pytest
from conftest import FORMULAS
from matplotlib.colors import to_hex
from matplotlib.contour import ContourSet
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.quiver import Quiver
from matplotlib.text import Text

import optiviz
from optiviz.kinds.run import Recipe
from optiviz.objective import Array
from optiviz.rendering.render import make_picture
from optiviz.views.contour import GRID, ContourView, short
from optiviz.views.figure import Picture
from optiviz.views.ground import BAND, ISOLINE
from optiviz.views.paths import COMET, START_SIZE
from optiviz.views.sampled_surface import BANDS, POWERS, SampledSurface, contour_levels

SURFACES = [name for name, each in FORMULAS.items() if each.dim == 2]


def picture(surface: object, optimizers: str = "adam,rmsprop", **rest: object) -> Picture:
    return make_picture(Recipe(surface=surface, optimizers=optimizers, **rest))


def view_of(drawn: Picture) -> ContourView:
    view = drawn.cells[0].view
    assert isinstance(view, ContourView)
    return view


@pytest.mark.sample(1)
@pytest.mark.parametrize("step", [0, 1, 60, 125])
def test_paths_and_heads_are_the_descended_points(step: int) -> None:
    drawn = picture("wobbly", "adam,rmsprop:lr=0.5")  # whose first step leaves the window
    drawn.update(step)
    for path, track in zip(drawn.scene.trajectories, view_of(drawn).path_artists, strict=True):
        segments = track.strokes.drawn.get_segments()
        spans = [(step, 0), *((far, near) for far, near, _ in COMET)]
        for segment, (far, near) in zip(segments, [*spans, *spans], strict=True):
            expected = path.points[max(step - far, 0) : max(step - near, 0) + 1]
            np.testing.assert_array_equal(segment, expected)
        here = path.points[step : step + 1]
        low, high = np.transpose(drawn.scene.surface.window.intervals)
        np.testing.assert_array_equal(track.head.get_xydata(), here.clip(low, high))


def test_what_is_shown_depends_on_the_step_alone() -> None:
    drawn = picture("wobbly")
    forth = {id(each): each for each in drawn.update(125)}
    drawn.update(3)
    back = drawn.update(125)
    assert {id(each) for each in back} == set(forth)
    for track in view_of(drawn).path_artists:
        assert len(track.strokes.drawn.get_segments()[0]) == 126


@pytest.mark.sample(2)
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
    first, *left = track.strokes.drawn.get_segments()[0]
    np.testing.assert_array_equal(first, trajectory.start)
    np.testing.assert_array_equal(left, len(left) * [left[0]])
    assert len(left) == trajectory.diverged_at - 1
    (edge,) = track.head.get_xydata()
    assert not drawn.scene.surface.window.contains(left[0])
    np.testing.assert_allclose(left[0], edge, atol=1e-4)
    towards = trajectory.points[1] - trajectory.start
    assert np.dot(towards, edge - trajectory.start) == pytest.approx(
        np.linalg.norm(towards) * np.linalg.norm(edge - trajectory.start)
    )


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
        points = drawn.scene.trajectories[0].points
        last, beyond = points[2], points[3]
        crossing = last + (-1.5 - last.max()) / (beyond.min() - last.max()) * (beyond - last)
        here = crossing if away else points[step]
        np.testing.assert_allclose(track.head.get_xydata(), [here], atol=1e-5)
        assert track.head.get_marker() == (sides[0] if away else "o")


def test_minima_and_starts_are_marked() -> None:
    drawn = picture("hills-and-canyon", starts=[(1, 1), (-2, 0)])
    lines = [each for each in drawn.figure.axes[0].lines if isinstance(each, Line2D)]
    stars = next(each for each in lines if each.get_marker() == "*")
    np.testing.assert_array_equal(stars.get_xydata(), drawn.scene.surface.minima)
    rings = next(each for each in lines if each.get_markersize() == START_SIZE)
    np.testing.assert_array_equal(rings.get_xydata(), [(1, 1), (-2, 0)])


def test_a_mark_at_the_edge_is_whole_and_one_outside_is_not_there() -> None:
    edge = optiviz.Surface(
        formula="x + y", domain="-1:1,-1:1", start=(1, 0), minima=[(-1, -1), (-2, 0)]
    )
    lines = picture(edge, "sgd:lr=0.1").figure.axes[0].lines
    stars = next(each for each in lines if each.get_marker() == "*")
    np.testing.assert_array_equal(stars.get_xydata(), [(-1, -1)])
    rings = next(each for each in lines if each.get_markersize() == START_SIZE)
    assert not stars.get_clip_on()
    assert not rings.get_clip_on()


def test_optimizers_differ_by_colour_and_starts_by_line_style() -> None:
    drawn = picture("wobbly", starts=[(1, 1), (-2, 0)])
    drawn_lines = [track.strokes.drawn for track in view_of(drawn).path_artists]
    colors = [to_hex(each.get_colors()[-1]) for each in drawn_lines]
    dashes = [each.get_linestyles()[len(COMET) + 1] for each in drawn_lines]
    assert colors[::2] == colors[1::2] and colors[0] != colors[2]
    assert dashes[::2] == [dashes[0]] * 2 and dashes[0] != dashes[1]


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
    assert_isolines(picture(own), lines)


@pytest.mark.sample(2)
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


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "domain", ["0:1e-90,0:1e-90", "-1e99:1e99,0:1", "0:1e-90,-1e99:1e99", "1e9:1000000001,0:1"]
)
def test_odd_windows_are_still_drawn(domain: str) -> None:
    drawn = picture(optiviz.Surface(formula="x + y", domain=domain))
    drawn.figure.canvas.draw()


def parts_of(drawn: Picture, zorder: float) -> list[PathPatch]:
    """Return the bands or the pieces of contour lines of a filled ground."""
    patches = drawn.figure.axes[0].findobj(PathPatch)
    return [each for each in patches if each.get_zorder() == zorder]


def assert_isolines(drawn: Picture, levels: list[float]) -> None:
    """Assert that a filled ground has contour lines at these losses, and bands between them."""
    surface, pieces = drawn.scene.surface, parts_of(drawn, ISOLINE)
    points = np.concatenate([each.get_path().vertices for each in pieces])
    away = np.abs(surface.value(points)[:, None] - np.array(levels))
    spread = np.ptp(levels) if len(levels) > 1 else 1.0
    assert away.min(axis=0).max() < 0.01 * spread, "every level has a line"
    assert away.min(axis=1).max() < 0.05 * spread, "every line has a level"
    assert len(parts_of(drawn, BAND)) == len(levels) + 1


def sets_of(drawn: Picture) -> list[ContourSet]:
    return [each for each in drawn.figure.axes[0].collections if isinstance(each, ContourSet)]


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("levels", "lines"), [((1.0, 5.0), [1.0, 5.0]), (4, None), (None, None), ((9.0,), [9.0])]
)
def test_levels_can_be_chosen(levels: object, lines: list[float] | None) -> None:
    drawn = picture("wobbly", "adam", levels=levels)
    if lines is None:
        assert len(parts_of(drawn, BAND)) == (levels or BANDS)
    else:
        assert_isolines(drawn, lines)


def test_no_fill_leaves_isolines_alone() -> None:
    for bare in ({"fill": False}, {"theme": "article"}):
        drawn = picture("wobbly", "adam", **bare)
        assert [each.filled for each in sets_of(drawn)] == [False]
        assert not parts_of(drawn, BAND)
    for filled in ({}, {"theme": "article", "fill": True}):
        drawn = picture("wobbly", "adam", **filled)
        assert not sets_of(drawn)
        assert len(parts_of(drawn, BAND)) == BANDS


def test_bands_cover_each_other_without_gaps_and_leave_what_is_undefined_free() -> None:
    drawn = picture(optiviz.Surface(formula="sqrt(x) + y", domain="-1:1,-1:1", start=(0.5, 0.5)))
    bands = parts_of(drawn, BAND)
    values = np.random.default_rng(0).uniform(-1, 1, (300, 2))
    for point in values[np.abs(values[:, 0]) > 0.02]:
        covered = [band.get_path().contains_point(point) for band in bands]
        if point[0] < 0:
            assert not any(covered)
        else:
            assert covered[0] and covered == sorted(covered, reverse=True)


def test_contour_lines_are_lit_from_the_upper_left() -> None:
    hill = optiviz.Surface(formula="exp(-(x**2 + y**2))", domain="-2:2,-2:2", start=(1, 1))
    pieces = parts_of(picture(hill, levels=6), ISOLINE)
    lit = [each for each in pieces if each.get_edgecolor()[:3] == (1, 1, 1)]
    assert 0 < len(lit) < len(pieces)
    for piece in pieces:
        facing = piece.get_path().vertices @ (-1, 1)  # downhill is away from the middle
        assert (facing.min() > -0.2) if piece in lit else (facing.max() < 0.3)
    widest = max(pieces, key=lambda each: each.get_linewidth())
    narrowest = min(pieces, key=lambda each: each.get_linewidth())
    assert widest.get_alpha() > narrowest.get_alpha()


def test_labels_are_the_losses_of_their_isolines() -> None:
    drawn = picture("wobbly", "adam", labels=True)
    surface = drawn.scene.surface
    levels = SampledSurface.sample(surface, GRID).levels
    texts = losses_on(drawn)
    assert len(texts) >= 3
    for text in texts:
        said = float(text.get_text().replace("\N{MINUS SIGN}", "-"))
        nearest = levels[np.abs(levels - said).argmin()]
        assert said == pytest.approx(nearest, rel=0.02)
        assert surface.value(np.array(text.get_position())) == pytest.approx(nearest, rel=0.05)
    assert not losses_on(picture("wobbly", "adam"))
    assert not losses_on(picture("wobbly", "adam", theme="article", labels=False))


def losses_on(drawn: Picture) -> list[Text]:
    """Return the labels of contour lines, which are the texts that are no names of axes."""
    texts = drawn.figure.axes[0].texts
    return [text for text in texts if text.get_visible() and text.get_text() not in ("x", "y")]


def test_a_field_points_down_the_gradient() -> None:
    drawn = picture("wobbly", "adam", field="arrows")
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
        ([1.0, 2.0, 5.0, 10.0, 20.0, 50.0], ["1", "2", "5", "10", "20", "50"]),
        ([100.0, 2000.0], ["100", "2000"]), ([0.001, 10.0], ["0.001", "10"]),
    ],
)  # fmt: skip
def test_levels_are_written_short(levels: list[float], written: list[str]) -> None:
    assert short(np.array(levels)) == written
