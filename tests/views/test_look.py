"""How much of a picture shows data, how little is empty, and whether all eyes tell paths apart."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from optiviz.kinds.run import Recipe
from optiviz.objective import Array
from optiviz.registry import THEMES
from optiviz.rendering.render import make_picture
from optiviz.views.colors import from_oklab, lightness, linear_rgb, oklab, ramp
from optiviz.views.figure import Picture
from optiviz.views.sampled_surface import BANDS
from optiviz.views.themes import load_theme

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


@pytest.mark.sample(6)
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


# Machado, Oliveira and Fernandes, A Physiologically-based Model for Simulation of Color Vision
# Deficiency, 2009: linear RGB as it is seen with a deficiency of severity 1.
SIGHT = {
    "normal": np.eye(3),
    "protan": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deutan": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritan": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
# The least distance of two of the first five paths in OKLab, times 100, to each kind of eye.
APART = {
    "light": {"normal": 26, "protan": 19, "deutan": 23, "tritan": 20},
    "dark": {"normal": 21, "protan": 17, "deutan": 13, "tritan": 15},
}


def seen(rgb: Array, sight: str) -> Array:
    """Return the OKLab coordinates of sRGB colours as an eye sees them, both of shape (n, 3)."""
    linear = np.clip(linear_rgb(rgb) @ SIGHT[sight].T, 0, 1)
    rgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return oklab(rgb)


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", APART)
def test_every_kind_of_eye_tells_the_first_five_paths_apart(theme: str, sight: str) -> None:
    paths = seen(np.array([to_rgb(each) for each in load_theme(theme).paths[:5]]), sight)
    least = min(np.linalg.norm(one - other) for one, other in combinations(paths, 2))
    assert 100 * least >= APART[theme][sight] - 0.5


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", APART)
def test_a_path_or_its_casing_stands_out_from_every_band(theme: str, sight: str) -> None:
    look = load_theme(theme)
    bands = seen(ramp(look.ramp)(np.linspace(0, 1, BANDS))[:, :3], sight)
    casing = np.linalg.norm(seen(np.array([to_rgb(look.casing)]), sight) - bands, axis=-1)
    for color in look.paths:
        path = np.linalg.norm(seen(np.array([to_rgb(color)]), sight) - bands, axis=-1)
        assert 100 * np.maximum(path, casing).min() >= 15, color


@pytest.mark.parametrize(("theme", "ends"), [("light", (45, 97)), ("dark", (5, 50))])
def test_a_ramp_rises_in_even_steps_of_lightness(theme: str, ends: tuple[float, float]) -> None:
    light = lightness(ramp(load_theme(theme).ramp)(np.linspace(0, 1, BANDS))[:, :3])
    assert (light[0], light[-1]) == pytest.approx(ends, abs=1)
    np.testing.assert_allclose(np.diff(light), np.diff(light).mean(), rtol=0.1)


@pytest.mark.parametrize("theme", THEMES)
def test_a_ramp_begins_and_ends_with_its_first_and_last_colour(theme: str) -> None:
    anchors = load_theme(theme).ramp
    np.testing.assert_allclose(ramp(anchors)(0.0)[:3], to_rgb(anchors[0]), atol=0.01)
    np.testing.assert_allclose(ramp(anchors)(1.0)[:3], to_rgb(anchors[-1]), atol=0.01)
    np.testing.assert_allclose(ramp(anchors[::-1])(1.0)[:3], to_rgb(anchors[0]), atol=0.01)


def test_colours_come_back_from_oklab() -> None:
    rgb = np.random.default_rng(0).uniform(size=(100, 3))
    np.testing.assert_allclose(from_oklab(oklab(rgb)), rgb, atol=1e-6)
    assert lightness(np.array([[0.0] * 3, [1.0] * 3])) == pytest.approx([0, 100])
