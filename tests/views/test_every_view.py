"""Properties of every view, in every theme."""

from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
import pytest
from pictures import assert_tidy, shown

from optiviz import InputError, Trajectory
from optiviz.kinds.base import BaseRecipe
from optiviz.kinds.basins import BasinsRecipe
from optiviz.kinds.plot import PlotRecipe
from optiviz.kinds.response import ResponseRecipe
from optiviz.kinds.run import Recipe
from optiviz.kinds.style import check_views
from optiviz.kinds.tune import TuneRecipe
from optiviz.objective import Array
from optiviz.registry import MANY_DIMENSIONS, THEMES, VIEWS
from optiviz.rendering.render import make_picture, render
from optiviz.themes import load_theme
from optiviz.views.figure import Picture

SMALL = (480, 320)
OWN = {"base": "dark", "background": "#203040", "labels": True, "paths": ["red", "#0a7"]}
SPARSE = [1, 2, 4, 8, 9, 12]
WORDS = "adam:lr=0.1,momentum:lr=0.01,rmsprop:lr=0.05"


def track(dim: int, **given: Any) -> Trajectory:
    """Return a path that another program recorded."""
    moved = 0.9 ** np.arange(len(given.get("steps", range(13))))[:, None]
    start = np.ones(354) if dim == MANY_DIMENSIONS else np.array([2.0, -1.0])[:dim]
    turned = np.cos(np.outer(np.arange(len(moved)), np.arange(1, len(start) + 1)))
    return Trajectory.of(start * moved * turned, label="mine", **given)


def recipes(**settings: Any) -> dict[str, BaseRecipe]:
    """Return one recipe for every view and dimension, and for panels, grids and plots."""
    surfaces = {1: "cosine", 2: "hills-and-canyon", MANY_DIMENSIONS: "spirals"}
    runs: dict[str, dict[str, Any]] = {
        f"{name}-{dim}d": {"view": name, "surface": surfaces[dim]}
        for name, entry in VIEWS.items()
        for dim in entry.dims
        if entry.requires in ("surface", "descent")
    }
    runs["contour-options"] = {
        "view": "contour", "surface": "ellipse", "labels": True, "field": "arrows", "fill": False,
        "trail": 3, "levels": 7,
    }  # fmt: skip
    runs["network"] = {
        "view": "contour+relief+loss", "surface": "spirals", "batch_size": 50, "smooth": 2,
        "field": "arrows",
    }  # fmt: skip
    for name, entry in VIEWS.items():
        for dim in entry.dims if entry.requires in ("surface", "descent") else ():
            runs[f"{name}-track-{dim}d"] = {
                "view": name, "surface": surfaces[dim],
                "tracks": [track(dim), track(dim, steps=SPARSE)],
            }  # fmt: skip
            if name != "rate":
                runs[f"{name}-track-alone-{dim}d"] = {
                    "view": name, "surface": surfaces[dim], "tracks": track(dim),
                    "optimizers": (), "steps": None,
                }  # fmt: skip
    runs["tracks"] = {"surface": "wobbly", "tracks": track(2), "random_starts": 2}
    runs["grid-of-tracks"] = {"layout": "grid", "surface": "wobbly", "tracks": [track(2)] * 2}
    runs["panels"] = {"view": "contour+loss", "surface": "wobbly", "trail": 2, "smooth": 3}
    runs["three-panels"] = {"view": "relief+loss+state", "surface": "wobbly"}
    runs["ravine"] = {
        "surface": {"formula": "x**2 + 9*y**2", "domain": "-7:7,-1.5:1.5", "start": [-6, 1]},
        "aspect": "equal",
    }
    runs["legend-below"] = {"surface": "wobbly", "legend": "below"}
    runs["legend-inside"] = {"surface": "wobbly", "legend": "inside", "fill": True}
    runs["conditions"] = {"surface": "wobbly", "optimizers": "adam", "vary": "noise=0,1,3"}
    runs["grid"] = {"layout": "grid", "surface": "ellipse"}
    runs["grid-of-pairs"] = {"layout": "grid", "view": "contour+loss", "surface": "beale"}
    runs["grid-of-curves"] = {"layout": "grid", "surface": "parabola"}
    made: dict[str, BaseRecipe] = {
        name: Recipe(**{"optimizers": WORDS, "steps": 12} | each, **settings)
        for name, each in runs.items()
    }
    made["starts"] = Recipe(
        surface="wobbly", optimizers=WORDS, steps=12, random_starts=3, view="contour+loss",
        **settings,
    )  # fmt: skip
    made["response"] = ResponseRecipe(
        signal="rectangles", optimizers="rmsprop", vary="rho=0.25,0.9,0.975", **settings
    )
    made["basins"] = BasinsRecipe(
        surface="himmelblau",
        optimizers="sgd:lr=0.01,adam:lr=0.5",
        grid=(20, 10),
        steps=12,
        **settings,
    )
    made["plot-tune"] = TuneRecipe(
        surface="wobbly", optimizers="adam,rmsprop,bfgs", trials=9, steps=12, **settings
    )
    made["plot-1d"] = PlotRecipe(surfaces="logistic,tanh,relu,softplus", **settings)
    made["plot-2d"] = PlotRecipe(surfaces="wobbly,beale,ripple", **settings)
    made["plot-relief"] = PlotRecipe(surfaces="beale,rosenbrock", view="relief", **settings)
    made["plot-one"] = PlotRecipe(surfaces="himmelblau", field="arrows", **settings)
    return made


NAMES = list(recipes())
every_picture = pytest.mark.parametrize("name", NAMES)
every_theme = pytest.mark.parametrize("theme", THEMES)


def picture(name: str, **settings: Any) -> Picture:
    return make_picture(recipes(**settings)[name])


def pixels(drawn: Picture) -> Array:
    drawn.figure.canvas.draw()
    return np.array(drawn.figure.canvas.buffer_rgba())  # type: ignore[attr-defined]


@pytest.mark.sample(1)
@every_picture
def test_what_is_shown_depends_on_the_step_alone(name: str) -> None:
    drawn = picture(name, size=(300, 200))
    moved = {id(artist) for artist in drawn.update(5)}
    frames = [pixels(drawn)]
    for step in (0, drawn.scene.steps, 5):
        assert {id(artist) for artist in drawn.update(step)} == moved
        frames.append(pixels(drawn))
    np.testing.assert_array_equal(frames.pop(), frames[0])
    if not name.startswith("plot"):
        assert all((one != other).any() for one, other in combinations(frames, 2))


# In the other themes, all texts except labels of contour lines have the places of the light theme.
LOOKS = [
    pytest.param(size, theme, marks=[] if (size, theme) == (SMALL, "light") else pytest.mark.slow)
    for size in (SMALL, (1200, 800), (540, 800))
    for theme in THEMES
    if theme == "light" or size == SMALL
]


@pytest.mark.sample(1)
@pytest.mark.parametrize(("size", "theme"), LOOKS)
@every_picture
def test_words_stand_apart_and_are_legible(name: str, size: tuple[int, int], theme: str) -> None:
    drawn = picture(name, size=size, theme=theme)
    assert_tidy(drawn)
    for text in shown(drawn):
        least = 6.5 if text in drawn.figure.texts else 7.5
        assert text.get_fontsize() * drawn.figure.dpi / 72 >= least, text.get_text()


@pytest.mark.parametrize("name", ["panels", "grid", "response", "basins"])
@pytest.mark.sample(1)
def test_words_stand_apart_in_a_theme_of_ones_own(name: str) -> None:
    assert_tidy(picture(name, size=SMALL, theme=OWN))


@pytest.mark.slow
def test_the_upright_axis_of_a_relief_has_room_at_the_edge() -> None:
    assert_tidy(picture("plot-relief", size=(300, 200)))


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    "name", [name for name in NAMES if "relief" not in name and "three" not in name]
)
def test_panels_do_not_overlap(name: str) -> None:
    drawn = picture(name)
    panels = [axes.get_position() for axes in drawn.figure.axes if axes.axison]
    for one, other in combinations(panels, 2):
        assert (
            min(one.x1, other.x1) - max(one.x0, other.x0) < 1e-9
            or min(one.y1, other.y1) - max(one.y0, other.y0) < 1e-9
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "response",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("contour-options", "plot-1d", "network", "relief-2d", "state-2d")
        ),
    ],
)
def test_a_still_and_its_vectors_are_the_same_bytes_again(name: str, tmp_path: Path) -> None:
    recipe = recipes(size=(300, 200))[name]
    for suffix in (".png", ".svg", ".pdf"):
        for again in "ab":
            render(recipe, tmp_path / f"{again}{suffix}")
        written = (tmp_path / f"a{suffix}").read_bytes()
        assert written == (tmp_path / f"b{suffix}").read_bytes()
        assert str(tmp_path).encode() not in written


@pytest.mark.slow
@pytest.mark.parametrize("name", ["three-panels", "curve-1d", "relief-2d", "grid", "response"])
def test_frames_of_an_animation_are_full_draws(name: str, tmp_path: Path) -> None:
    """APNG is lossless, so frames drawn in layers can be compared with full draws."""
    from PIL import Image, ImageSequence

    recipe = recipes(size=(360, 240))[name]
    render(recipe, tmp_path / "x.apng")
    drawn = make_picture(recipe)
    with Image.open(tmp_path / "x.apng") as film:
        frames = [np.array(frame.convert("RGB")) for frame in ImageSequence.Iterator(film)]
    assert recipe.timeline is not None
    for number in (0, 1, len(frames) // 2):
        drawn.update(recipe.timeline.steps[number])
        np.testing.assert_array_equal(frames[number], pixels(drawn)[..., :3])


@pytest.mark.slow
def test_a_camera_that_moves_costs_one_draw_a_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws = 0
    draw = matplotlib.figure.Figure.draw

    def counted(*args: Any, **settings: Any) -> Any:
        nonlocal draws
        draws += 1
        return draw(*args, **settings)

    recipe = Recipe(
        surface="bowl", optimizers="sgd", steps=9, view="relief", orbit=90, size=(300, 200)
    )
    monkeypatch.setattr(matplotlib.figure.Figure, "draw", counted)
    render(recipe, tmp_path / "x.gif")
    assert draws <= 10 + 2, "one per frame, and two to find out what moves"


@pytest.mark.parametrize(
    ("view", "dim", "descended", "options", "said"),
    [
        ("conture", 2, True, [], "unknown view 'conture': did you mean 'contour'?"),
        ("contour", 1, True, [], "contour draws two dimensions, not one dimension"),
        ("curve", 2, True, [], "curve draws one dimension, not two dimensions"),
        ("loss", 2, False, [], "loss has no descent to draw: choose from contour, rel"),
        ("response", 1, True, [], "response has no response to draw"),
        ("loss+loss", 2, True, [], "'loss\\+loss' names a view twice"),
        ("loss", 2, True, ["labels"], "loss does not use --labels; contour does"),
        ("contour", 2, True, ["orbit"], "contour does not use --orbit; relief does"),
        (
            "contour",
            2,
            False,
            ["trail"],
            "contour does not use --trail, nor does any other view of two dimensions here",
        ),
        (
            "contour+loss",
            2,
            True,
            ["orbit"],
            "contour and loss do not use --orbit; relief does",
        ),
        ("loss", 2, True, ["levels"], "loss does not use --levels; contour and relief do"),
        (
            None,
            1,
            True,
            ["field"],
            "curve does not use --field, nor does any other view of one dimension here",
        ),
    ],
)
def test_a_view_that_does_not_fit_is_told(
    view: str | None, dim: int, descended: bool, options: list[str], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        check_views(view, {"surface": dim} | ({"descent": dim} if descended else {}), options)


def test_the_default_fits_the_dimension() -> None:
    assert check_views(None, {"surface": 1, "descent": 1}, []) == ["curve"]
    assert check_views(None, {"surface": 2}, []) == ["contour"]
    assert check_views("relief + loss", {"surface": 2, "descent": 2}, ["orbit"]) == [
        "relief",
        "loss",
    ]


def luminance(color: str) -> float:
    from matplotlib.colors import to_rgb

    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio that WCAG 2 defines."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@every_theme
def test_words_and_paths_stand_out(theme: str) -> None:
    look = load_theme(theme)
    assert contrast(look.ink, look.background) >= 12
    assert contrast(look.muted, look.background) >= 4.5
    assert contrast(look.warning, look.background) >= 4.5
    assert len(set(look.paths)) == 7
    ground = look.ramp if look.fill else (look.background,)
    for path in look.paths:
        assert max(contrast(path, color) for color in ground) >= 1.9, path
    rising = [luminance(color) for color in look.ramp]
    assert rising == sorted(rising), "the lower, the darker"


# Viénot, Brettel and Mollon, Digital video colourmaps for checking the legibility of displays by
# dichromats, 1999: linear RGB as a protanope and a deuteranope see it.
DICHROMATS = {
    "protanope": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deuteranope": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
}


@pytest.mark.parametrize("eyes", DICHROMATS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colour_blind_readers_can_tell_the_first_five_apart(theme: str, eyes: str) -> None:
    from matplotlib.colors import to_rgb

    def lab(color: str) -> Array:
        rgb = np.array(to_rgb(color))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        seen = np.clip(np.array(DICHROMATS[eyes]) @ linear, 0, 1)
        xyz = np.array(
            [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
        )
        x, y, z = np.cbrt(xyz @ seen / (0.9505, 1.0, 1.089))
        return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])

    colors = [lab(color) for color in load_theme(theme).paths[:5]]
    for one, other in combinations(colors, 2):
        assert np.linalg.norm(one - other) > 10
