"""How much of a picture shows data, how little is empty, and whether all eyes tell paths apart."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from optiviz.kinds.run import Recipe
from optiviz.registry import THEMES
from optiviz.rendering.render import make_picture
from optiviz.themes import load_theme
from optiviz.themes.colors import SIGHT, from_oklab, lightness, oklab, rgb, seen
from optiviz.views.figure import Picture
from optiviz.views.ramp import ramp
from optiviz.views.sampled_surface import BANDS

SIZES = [(480, 320), (640, 640), (960, 640), (600, 800), (1200, 800), (1920, 1080)]
FIVE = "sgd:lr=0.191,momentum:lr=0.175,nesterov:lr=0.01,rmsprop:lr=0.25,adam:lr=0.25"
SEVEN = [*FIVE.split(","), "adagrad:lr=1", "adamax:lr=0.3"]
SQUARE = "-3:3,-3:3"
COARSE = 4  # side in pixels of the squares in which empty rectangles are sought


def picture(**fields: Any) -> Picture:
    surface: Any = {
        "title": "Wobbly",
        "formula": "(x**2 + y**2)/3 + abs(x)*sqrt(abs(x) + 0.1) + 3*sin(x + y) + 3"
        " + 8*exp(-2*((x + 1)**2 + (y + 2)**2))",
        "domain": SQUARE,
        "start": [-2.8, -2.5],
        "minima": [[-0.17242, -0.9063]],
    }
    return make_picture(Recipe(surface=surface, steps=125, **fields))


def panels(drawn: Picture) -> list[Any]:
    """Return the boxes of all panels, as shares of the picture."""
    return [axes.get_position() for axes in drawn.figure.axes if axes.axison]


# The share of a picture that its panels cover, in %, and that its largest one does.
@pytest.mark.sample(3)
@pytest.mark.parametrize(
    ("view", "layout", "size", "covered", "largest"),
    [
        ("contour", "panels", (960, 640), 57, 57),
        ("contour+loss", "panels", (960, 640), 68, 57),
        ("contour+loss+state", "panels", (1200, 800), 69, 58),
        ("contour+loss", "grid", (960, 640), 66, 11.9),
        ("contour", "panels", (480, 320), 52, 52),
        ("contour+loss", "panels", (480, 320), 58, 52),
        ("contour+loss", "panels", (600, 800), 69, 59),
        ("contour+loss", "panels", (1920, 1080), 71, 50),
        ("contour", "panels", (640, 640), 67, 67),
    ],
)
def test_panels_cover_most_of_a_picture(
    view: str, layout: str, size: tuple[int, int], covered: float, largest: float
) -> None:
    optimizers = ",".join(SEVEN[:4]) if layout == "grid" else FIVE
    drawn = picture(optimizers=optimizers, view=view, layout=layout, size=size)
    areas = sorted(100 * box.width * box.height for box in panels(drawn))
    assert sum(areas) >= covered - 2
    assert areas[-4 if layout == "grid" else -1] >= largest - 2


# With a legend at each place, the share of a picture that its panels cover, in %, by its size.
LEGENDS = {
    "right": {(480, 320): 58, (960, 640): 68, (600, 800): 57, (1920, 1080): 70},
    "below": {(480, 320): 60, (960, 640): 64, (600, 800): 75, (1920, 1080): 74},
    "inside": {(480, 320): 63, (960, 640): 73, (600, 800): 78, (1920, 1080): 77},
    "none": {(480, 320): 65, (960, 640): 74, (600, 800): 80, (1920, 1080): 78},
}


@pytest.mark.sample(2)
@pytest.mark.parametrize("size", LEGENDS["right"])
@pytest.mark.parametrize("place", LEGENDS)
def test_panels_cover_most_of_a_picture_wherever_its_legend_is(
    place: str, size: tuple[int, int]
) -> None:
    drawn = picture(optimizers=FIVE, legend=place, size=size)
    areas = [100 * box.width * box.height for box in panels(drawn)]
    assert sum(areas) >= LEGENDS[place][size] - 2
    # Beside a panel that is as wide as a tall picture allows, a column of words has room left.
    assert largest_blank(drawn) <= (0.18 if (place, size) == ("right", (600, 800)) else 0.12)


def test_a_legend_takes_little_of_a_small_picture() -> None:
    drawn = picture(optimizers=",".join(SEVEN[:3]), size=(300, 240))
    assert sum(box.width * box.height for box in panels(drawn)) >= 0.48
    assert largest_blank(drawn) <= 0.08


@pytest.mark.sample(1)
@pytest.mark.parametrize("size", [*SIZES, "6.5inx4in"])
@pytest.mark.parametrize("domain", ["-7:7,-1.5:1.5", "-1.5:1.5,-7:7"])
def test_a_long_window_fills_a_picture_too(domain: str, size: Any) -> None:
    long = {"formula": "x**2 + 9*y**2", "domain": domain, "start": [-1.2, 1.2]}
    recipe = Recipe(surface=long, optimizers="sgd:lr=0.02,adam:lr=0.1", steps=20, size=size)
    drawn = make_picture(recipe)
    assert sum(box.width * box.height for box in panels(drawn)) >= 0.28
    assert largest_blank(drawn) <= 0.17


@pytest.mark.sample(3)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("view", "many"),
    [
        *((None, many) for many in (2, 3, 5, 7)),
        ("contour+loss+state", 2),
        ("contour+loss+state", 7),
    ],
)
def test_no_large_part_of_a_picture_is_empty(
    view: str | None, many: int, size: tuple[int, int]
) -> None:
    drawn = picture(optimizers=",".join(SEVEN[:many]), view=view, size=size)
    # Beside a square that has to leave room for four charts beneath it, a square has more.
    most = 0.135 if view and size[0] == size[1] else 0.12
    assert largest_blank(drawn) <= most


def largest_blank(drawn: Picture) -> float:
    """Return the area of the largest rectangle outside of panels without a mark, as a share."""
    figure = drawn.figure
    for box in panels(drawn):
        figure.add_artist(Rectangle(box.p0, box.width, box.height, color="red"))
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(int)  # type: ignore[attr-defined]
    marked = (np.abs(pixels - pixels[0, 0]) > 8).any(axis=-1)
    rows, columns = (side // COARSE for side in marked.shape)
    squares = marked[: rows * COARSE, : columns * COARSE].reshape(rows, COARSE, columns, COARSE)
    free = ~squares.any(axis=(1, 3))
    return largest_rectangle(free) / free.size


def largest_rectangle(free: NDArray[np.bool_]) -> int:
    """Return the area of the largest rectangle that is all free."""
    best = 0
    heights = np.zeros(free.shape[1] + 1, int)
    for row in free:
        heights[:-1] = np.where(row, heights[:-1] + 1, 0)
        stack: list[int] = []
        for place, height in enumerate(heights.tolist()):
            while stack and heights[stack[-1]] >= height:
                high = int(heights[stack.pop()])
                best = max(best, high * (place - (stack[-1] + 1 if stack else 0)))
            stack.append(place)
    return best


def test_the_largest_rectangle_is_found() -> None:
    free = np.ones((6, 8), bool)
    assert largest_rectangle(free) == 48
    free[2, 3] = False
    assert largest_rectangle(free) == 24
    free[:, 5] = False
    assert largest_rectangle(free) == 18
    assert largest_rectangle(~free) == 6


# The least distance of two of the first five paths in OKLab, times 100, to each kind of eye.
APART = {
    "light": {"normal sight": 26, "protanopia": 19, "deuteranopia": 23, "tritanopia": 20},
    "dark": {"normal sight": 21, "protanopia": 17, "deuteranopia": 13, "tritanopia": 15},
}


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", APART)
def test_every_kind_of_eye_tells_the_first_five_paths_apart(theme: str, sight: str) -> None:
    paths = oklab(seen(rgb(load_theme(theme).paths[:5]), sight))
    least = min(np.linalg.norm(one - other) for one, other in combinations(paths, 2))
    assert 100 * least >= APART[theme][sight] - 0.5


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", APART)
def test_a_path_or_its_casing_stands_out_from_every_band(theme: str, sight: str) -> None:
    look = load_theme(theme)
    bands = oklab(seen(ramp(look.ramp)(np.linspace(0, 1, BANDS))[:, :3], sight))
    casing = np.linalg.norm(oklab(seen(rgb([look.casing]), sight)) - bands, axis=-1)
    for color in look.paths:
        path = np.linalg.norm(oklab(seen(rgb([color]), sight)) - bands, axis=-1)
        assert 100 * np.maximum(path, casing).min() >= 15, color


@pytest.mark.parametrize(("theme", "ends"), [("light", (45, 97)), ("dark", (5, 50))])
def test_a_ramp_rises_in_even_steps_of_lightness(theme: str, ends: tuple[float, float]) -> None:
    light = lightness(ramp(load_theme(theme).ramp)(np.linspace(0, 1, BANDS))[:, :3])
    assert (light[0], light[-1]) == pytest.approx(ends, abs=1)
    np.testing.assert_allclose(np.diff(light), np.diff(light).mean(), rtol=0.1)


@pytest.mark.parametrize("theme", THEMES)
def test_a_ramp_begins_and_ends_with_its_first_and_last_colour(theme: str) -> None:
    anchors = load_theme(theme).ramp
    np.testing.assert_allclose(ramp(anchors)(0.0)[:3], rgb([anchors[0]])[0], atol=0.01)
    np.testing.assert_allclose(ramp(anchors)(1.0)[:3], rgb([anchors[-1]])[0], atol=0.01)
    np.testing.assert_allclose(ramp(anchors[::-1])(1.0)[:3], rgb([anchors[0]])[0], atol=0.01)


def test_colours_come_back_from_oklab() -> None:
    colors = np.random.default_rng(0).uniform(size=(100, 3))
    np.testing.assert_allclose(from_oklab(oklab(colors)), colors, atol=1e-6)
    assert lightness(np.array([[0.0] * 3, [1.0] * 3])) == pytest.approx([0, 100])
