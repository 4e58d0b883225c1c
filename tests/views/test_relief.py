"""The relief: paths lie on the surface, hills hide them, and axes are where nothing is."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

import optiviz
from optiviz.kinds.plot import PlotRecipe
from optiviz.kinds.run import Recipe
from optiviz.registry import THEMES
from optiviz.relief.viewpoint import ELEVATIONS
from optiviz.rendering.render import make_picture, render
from optiviz.surfaces.catalogue import find_surface
from optiviz.system.errors import InputError
from optiviz.views.figure import Picture
from optiviz.views.relief import ReliefView
from optiviz.views.relief_box import edges_seen
from optiviz.views.relief_path import PALE, ReliefPath
from optiviz.views.relief_surface import LIFT, TALL, ReliefSurface
from optiviz.views.sampled_surface import SampledSurface
from tests.pictures import assert_tidy, shown

SMALL: Any = {"size": (480, 320), "view": "relief"}


def drawn(surface: object = "wobbly", optimizers: str = "adam", **rest: Any) -> Picture:
    return make_picture(Recipe(surface=surface, optimizers=optimizers, **SMALL | rest))


def view_of(picture: Picture) -> ReliefView:
    view = picture.cells[0].view
    assert isinstance(view, ReliefView)
    return view


def paths_of(picture: Picture) -> list[ReliefPath]:
    return [each for each in view_of(picture).path_artists if isinstance(each, ReliefPath)]


def frame(picture: Picture) -> np.ndarray:
    picture.figure.canvas.draw()
    return np.asarray(picture.figure.canvas.buffer_rgba())[::-1, :, :3].astype(int)  # type: ignore[attr-defined]


# Paths


def test_a_path_lies_on_the_surface_that_is_drawn() -> None:
    picture = drawn()
    view, (track,) = view_of(picture), paths_of(picture)
    (path,) = picture.scene.trajectories
    low, high = np.transpose(picture.scene.surface.window.intervals)
    world = track.world[track.ends]
    inside = ((low <= path.points) & (path.points <= high)).all(axis=1)
    places = low + (world[:, :2] / view.sides + 0.5) * (high - low)
    np.testing.assert_allclose(places[inside], path.points[inside], atol=1e-9)
    values = picture.scene.surface.value(path.points[inside])
    exact = view.surface.heights.of(values) * TALL
    np.testing.assert_allclose(world[inside, 2] - LIFT, exact, atol=0.004)
    for step in (0, 1, 40, 125):
        picture.update(step)
        (x,), (y,) = track.head.get_data()
        seen = view.camera.project(track.world[track.ends[step]])
        if not track.aside.any():
            assert (x, y) == pytest.approx((float(seen.x), float(seen.y)))


def over_a_ridge(azimuth: float, **rest: Any) -> Picture:
    """Return a path that goes down the far side of a ridge, seen from an azimuth."""
    ridge = optiviz.Surface(formula="3*exp(-9*x**2) + y**2/9 - x/9", domain="-2:2,-2:2")
    return drawn(
        ridge, "sgd:lr=0.05", starts=[(0.2, 0.3)], steps=60, camera=(azimuth, 25), **rest
    )  # fmt: skip


def test_what_a_hill_hides_is_dotted_and_pale() -> None:
    picture = over_a_ridge(180)
    (track,) = paths_of(picture)
    picture.update(60)
    hidden, known = np.isnan(track.vertices[:, 0]), np.isfinite(track.world[:, 2])
    assert hidden[known].mean() > 0.5
    assert np.isfinite(track.behind[hidden & known]).all(), "it is drawn all the same"
    assert track.hidden.get_visible() and track.hidden.is_dashed()
    assert track.hidden.get_linewidth() < 1.5
    assert track.head.get_alpha() == pytest.approx(PALE)
    picture = over_a_ridge(0)
    (track,) = paths_of(picture)
    picture.update(60)
    known = np.isfinite(track.world[:, 2])
    assert np.isnan(track.vertices[known, 0]).mean() < 0.05
    assert track.head.get_alpha() == 1.0


def test_a_hidden_star_is_pale_and_a_hidden_ring_too() -> None:
    hill = optiviz.Surface(
        formula="4*exp(-4*x**2) + y**2/9", domain="-2:2,-2:2", minima=[[1.2, 0], [-1.2, 0]]
    )
    view = view_of(make_picture(PlotRecipe(surfaces=[hill], view="relief", camera=(0, 20))))
    (points, (seen, pale)), _ = view.marks
    assert len(points) == 2
    assert len(seen.get_xdata()) == len(pale.get_xdata()) == 1
    assert pale.get_alpha() == pytest.approx(PALE)


def test_no_path_shines_through_a_hill() -> None:
    """Without dots and head, pixels where a path is hidden are those of the bare surface."""
    picture = over_a_ridge(180)
    (track,) = paths_of(picture)
    picture.update(60)
    for dots in (track.hidden, track.head):
        dots.set_visible(False)
    with_path = frame(picture)
    for each in track.artists:
        each.set_visible(False)
    bare = frame(picture)
    view = view_of(picture)
    places = track.places[np.isnan(track.vertices[:, 0])]
    places = places[np.isfinite(places).all(axis=1)]
    column, row = (places * view.image.photo.frame.scale + view.axes.bbox.p0).astype(int).T
    assert len(places) > 50
    differs = (with_path[row, column] != bare[row, column]).any(axis=1)
    assert differs.mean() < 0.1, "at the edge of the hill alone"


@pytest.mark.slow
def test_a_head_off_the_surface_waits_at_its_edge_as_a_triangle() -> None:
    saddle = optiviz.Surface(formula="x**2 - y**2", domain="-2:2,-2:2")
    picture = drawn(saddle, "sgd:lr=0.1", starts=[(-1.5, 0.1)], steps=40, camera=(75, 44))
    (track,) = paths_of(picture)
    picture.update(2)
    assert track.head.get_marker() == track.style["marker"]
    picture.update(40)
    u, v, w = track.tips[-1]
    assert abs(u) <= 0.5 and v == pytest.approx(0.5) and 0 <= w <= TALL + LIFT
    picture = drawn("wobbly", "sgd:lr=0.01", starts=[(50, 50)], steps=5)
    (track,) = paths_of(picture)
    assert track.away.all() and track.head.get_marker() in "<>^v"
    assert np.isfinite(np.ravel(track.head.get_data())).all()
    assert "out of view" in {text.get_text() for text in shown(picture)}
    pole = optiviz.Surface(formula="-1/(x**2 + y**2)", domain="-2:2,-2:2")
    picture = drawn(pole, "sgd:lr=0.01", starts=[(0.3, 0.35)], steps=60)
    (track,) = paths_of(picture)
    assert track.away[-1] and np.isfinite(np.ravel(track.head.get_data())).all()


def test_the_key_tells_what_dots_mean_if_there_are_any() -> None:
    assert "hidden" in {text.get_text() for text in shown(over_a_ridge(180))}
    assert "hidden" not in {text.get_text() for text in shown(over_a_ridge(0))}


def test_heads_at_one_place_stand_apart() -> None:
    picture = drawn("bowl", "sgd:lr=0.2,momentum:lr=0.02,adam:lr=0.3", steps=150)
    ends = np.array([np.ravel(track.head.get_data()) for track in paths_of(picture)])
    for one in range(3):
        for other in range(one):
            assert np.hypot(*(ends[one] - ends[other])) > 5


@pytest.mark.slow
def test_a_trail_fades_a_path_and_its_shadow() -> None:
    picture = drawn(trail=10)
    (track,) = paths_of(picture)
    picture.update(100)
    assert len(track.shadow.get_xdata()) < len(track.fallen[: track.ends[100]])
    whole = paths_of(drawn())[0]
    assert len(whole.shadow.get_xdata()) == track.ends[125] + 1


# The floor


@pytest.mark.slow
def test_without_a_floor_the_box_is_lower_and_has_no_shadows() -> None:
    with_floor, without = view_of(drawn()), view_of(drawn(floor=False))
    assert without.base == 0 > with_floor.base
    assert len(with_floor.floor.get_segments()) == len(with_floor.surface.isolines) > 10
    assert not hasattr(without, "floor")
    assert paths_of(drawn(floor=False))[0].shadow is None
    assert without.camera.scale > 1.05 * with_floor.camera.scale, "the surface is larger"


def test_a_shadow_lies_beneath_its_path_and_under_no_surface() -> None:
    picture = drawn(camera=(-60, 33), orbit=1)
    view, (track,) = view_of(picture), paths_of(picture)
    fallen = np.isfinite(track.fallen).all(axis=1)
    assert 0.05 < fallen.mean() < 1
    assert (track.fallen[fallen, 1] < track.places[fallen, 1]).all()
    assert view.image.photo.uncovered(track.fallen[fallen]).all()


# Heights, and where a surface ends


@pytest.mark.slow
def test_the_picture_says_how_heights_are_compressed() -> None:
    for surface, fields, said in (
        ("rosenbrock", {}, "loss (log)"),
        ("rosenbrock", {"height": "linear"}, "loss"),
        ("wobbly", {"height": "log"}, "loss (log)"),
        ("wobbly", {}, "loss"),
    ):
        texts = {text.get_text() for text in view_of(drawn(surface, **fields)).axes.texts}
        assert said in texts
    tiny = drawn("rosenbrock", "adam,sgd,momentum,rmsprop", layout="grid", size=(300, 200))
    assert "loss (log)" in {text.get_text() for text in view_of(tiny).axes.texts}


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("formula", "is_cut"),
    [
        ("1/x + y", (True, True)), ("1/(x**2 + y**2)", (False, True)),
        ("log(x) + y", (True, False)),
        ("x**2 + y**2", (False, False)), ("-exp(-99*((x - 0.3)**2 + y**2))", (False, False)),
        ("sqrt(1 - x**2 - y**2)", (False, False)), ("exp(9*x**2 + y)", (False, False)),
    ],
)  # fmt: skip
def test_poles_are_cut_off_and_that_is_told_but_needles_are_not(
    formula: str, is_cut: tuple[bool, bool]
) -> None:
    surface = optiviz.Surface(formula=formula, domain="-2:2,-2:2")
    view = view_of(make_picture(PlotRecipe(surfaces=[surface], view="relief")))
    assert view.surface.heights.is_cut == is_cut
    name = view.box.upright.name
    assert ("up to" in name or " to " in name) == is_cut[1]
    assert ("from" in name) == is_cut[0]


def test_where_a_surface_ends_there_is_an_edge() -> None:
    dome = optiviz.Surface(formula="sqrt(1 - x**2 - y**2)", domain="-2:2,-2:2")
    view = view_of(make_picture(PlotRecipe(surfaces=[dome], view="relief")))
    rim = view.surface.rim
    rim = rim[np.isfinite(rim).all(axis=1)]
    np.testing.assert_allclose(np.hypot(*rim[:, :2].T) * 4, 1, atol=0.02)
    assert rim[:, 2].max() < 0.25 * TALL, "it is at the bottom"
    assert view.surface.field.height(np.zeros(1), np.zeros(1)) == pytest.approx(TALL)
    assert np.isnan(view.surface.field.height(np.full(1, 0.26), np.zeros(1))).all()


@pytest.mark.sample(1)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    "formula",
    [
        "3",
        "log(-1 - x**2)",
        "log(x)",
        "1/x + y",
        "1e150*x*y",
        "1/(x*y)",
        "floor(x) + y",
        "tan(9*x*y)",
    ],
)
def test_odd_surfaces_still_have_a_relief(formula: str, theme: str, tmp_path: Path) -> None:
    odd = optiviz.Surface(formula=formula, domain="-1:1,-1:1")
    recipe = Recipe(
        surface=odd, optimizers="sgd:lr=0.1", view="relief", steps=3, size=(300, 200), theme=theme
    )
    render(recipe, tmp_path / "x.png")


def test_a_coarse_grid_has_no_facets() -> None:
    """The heights of a network are known at few points, between which they are smooth."""
    surface, along = find_surface("bowl"), np.linspace(-3, 3, 21)
    x, y = np.meshgrid(along, along)
    few = SampledSurface(x, y, np.ma.masked_invalid(x**2 + y**2), 1.0, np.linspace(0, 18, 9))
    relief = ReliefSurface(surface, few, (1.0, 1.0), None)
    assert len(relief.grids[0]) >= 161
    u, v = np.meshgrid(*[np.linspace(-0.45, 0.45, 200)] * 2)
    exact = (36 * u**2 + 36 * v**2) / 18 * TALL
    np.testing.assert_allclose(relief.field.height(u, v), exact, atol=4e-4)
    assert {points.shape[1] for _, points in relief.isolines} == {3}


# The camera


def test_an_orbit_turns_by_its_degrees_and_stands_still_without() -> None:
    angles = []
    picture = drawn("bowl", "sgd", orbit=90, steps=30)
    for step in (0, 15, 30, 0):
        picture.update(step)
        angles.append(view_of(picture).image.photo.camera.azimuth)
    np.testing.assert_allclose(np.array(angles) - angles[0], [0, 45, 90, 0])
    still = drawn("bowl", "sgd", steps=30)
    photo = view_of(still).image.photo
    still.update(7)
    assert view_of(still).image.photo is photo


@pytest.mark.slow
def test_a_camera_is_where_it_is_asked_to_be() -> None:
    camera = view_of(drawn(camera="-20,50")).camera
    assert (camera.azimuth, camera.elevation) == (-20, 50)
    default = view_of(drawn()).camera
    assert 15 <= default.azimuth % 90 <= 75 and default.elevation in ELEVATIONS
    grid = drawn("wobbly", "adam,sgd,rmsprop", layout="grid", size=(600, 400))
    cameras = [cell.view.camera for cell in grid.cells if isinstance(cell.view, ReliefView)]
    assert len({(camera.azimuth, camera.elevation) for camera in cameras}) == 1 < len(cameras)


@pytest.mark.parametrize(
    ("camera", "said"),
    [
        ("30", "'30' is not a camera: write AZIMUTH,ELEVATION in degrees, for example -60,35"),
        ("a,b", "'a,b' is not a camera"), ("1,2,3", "'1,2,3' is not a camera"), ("", "'' is not"),
        ("nan,30", "the azimuth must be from -360 to 360 degrees"),
        ("-60,90", "the elevation must be from 5 to 85 degrees"),
        ("-60,-30", "the elevation must be"), ("400,30", "the azimuth must be"),
        ((-60, float("nan")), "the elevation must be"), ({"a": 1}, "is not a camera"),
    ],
)  # fmt: skip
def test_a_camera_out_of_range_is_told(camera: Any, said: str) -> None:
    with pytest.raises((ValueError, InputError)) as caught:
        Recipe(surface="bowl", optimizers="sgd", view="relief", camera=camera)
    assert said in str(caught.value)


@pytest.mark.slow
def test_every_camera_has_axes_that_do_not_cross_the_surface() -> None:
    """Lines of axes are beneath the surface, and most cameras do not even hide them."""
    picture = drawn(camera=(0, 33), orbit=360, steps=36, size=(360, 240))
    view = view_of(picture)
    assert view.box.lines.get_zorder() < view.image.get_zorder()
    corners = [(x, y) for x in (-1, 1) for y in (-1, 1)]
    for step in range(36):
        picture.update(step)
        photo = view.image.photo
        edges = edges_seen(photo.camera, view.box.half)
        across = [float(photo.camera.project(view.box.corner(each, 0.0)).x) for each in corners]
        assert edges.left == corners[int(np.argmin(across))]
        for text in (text for labels in view.box.labels[:2] for text in labels):
            if text.get_visible():
                x, y = text.get_position()
                assert photo.uncovered(np.array([[x, y + 3.0]])).all(), "no label is across it"
        if 30 <= photo.camera.azimuth % 90 <= 60:
            lines = pairwise(np.column_stack(view.box.lines.get_data()))
            dense = [
                np.linspace(one, other, 50)
                for one, other in lines
                if np.isfinite([*one, *other]).all()
            ]
            assert photo.uncovered(np.concatenate(dense)).mean() > 0.97, photo.camera


@pytest.mark.slow
@pytest.mark.parametrize("azimuth", range(-180, 180, 40))
def test_words_stand_apart_from_every_side(azimuth: int) -> None:
    theme = "light" if azimuth % 80 else "dark"
    for size in ((480, 320), (300, 240)):
        assert_tidy(drawn(camera=(azimuth, 33 + azimuth % 30), size=size, theme=theme))


@pytest.mark.slow
def test_labels_fade_before_their_axis_is_another_edge() -> None:
    picture = drawn("bowl", "sgd", orbit=180, steps=90)
    view = view_of(picture)
    labels = view.box.labels[0]
    faded, jumps = False, []
    before = None
    for step in range(0, 91):
        picture.update(step)
        opacity = labels[1].get_color()[3]
        place = np.array(labels[1].get_position())
        faded |= opacity < 1
        if before is not None and np.hypot(*(place - before)) > 30:
            jumps.append(opacity)
        before = place
    assert faded and jumps and max(jumps) <= 0.5


# Images


@pytest.mark.slow
def test_a_draft_has_no_antialiasing_and_high_quality_more(tmp_path: Path) -> None:
    softened = []
    for quality in ("draft", "standard", "high"):
        view = view_of(drawn(quality=quality))
        alpha = view.image.photo.pixels[..., 3]
        softened.append(len(np.unique(alpha)))
    assert softened == [2, 5, 17]
    assert Recipe(surface="bowl", optimizers="sgd").draft().quality == "draft"


@pytest.mark.sample(1)
@pytest.mark.parametrize("suffix", [".svg", ".pdf"])
def test_vectors_hold_the_surface_as_an_image_and_words_as_words(
    suffix: str, tmp_path: Path
) -> None:
    target = tmp_path / f"x{suffix}"
    render(Recipe(surface="wobbly", optimizers="adam", **SMALL), target)
    data = target.read_bytes()
    assert data.count(b"<image" if suffix == ".svg" else b"/Subtype /Image") >= 1
    if suffix == ".svg":
        for said in (b">loss<", b">x<", b">Wobbly<", "−2".encode()):
            assert said in data


@pytest.mark.slow
def test_a_gif_keeps_smooth_shading_paths_and_words(tmp_path: Path) -> None:
    for orbit in (0, 60):
        recipe = Recipe(surface="wobbly", optimizers="adam,sgd", steps=10, orbit=orbit, **SMALL)
        render(recipe, tmp_path / "x.gif")
        picture = make_picture(recipe)
        with Image.open(tmp_path / "x.gif") as film:
            for step, shown in zip(range(11), ImageSequence.Iterator(film), strict=False):
                picture.update(step)
                exact = frame(picture)[::-1]
                error = np.mean((np.array(shown.convert("RGB")).astype(float) - exact) ** 2)
                assert 10 * np.log10(255**2 / error) >= 40


@pytest.mark.slow
def test_the_same_recipe_gives_the_same_bytes(tmp_path: Path) -> None:
    recipe = Recipe(surface="wobbly", optimizers="adam", steps=9, orbit=40, **SMALL)
    for name in "ab":
        render(recipe, tmp_path / f"{name}.gif")
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()
