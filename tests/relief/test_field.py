"""A field is drawn as marching along rays finds it, and what is seen of it is what they meet."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from optiviz.relief.camera import PERSPECTIVE, Camera
from optiviz.relief.field import Field, Shot

Array = NDArray[Any]

WIDTH, HEIGHT, SCALE, MIDDLE = 480, 320, 260, (240, 130)
STEPS = 3000  # of a march
TEXELS = 256
ABOVE, BELOW = 10, 200  # blue of the sides of the surface


def grid(radius: float) -> tuple[Array, Array]:
    along = np.linspace(-radius, radius, 301)
    x, y = np.meshgrid(along, along)
    return x, y


def wobbly() -> Array:
    x, y = grid(3)
    bump = 8 * np.exp(-2 * ((x + 1) ** 2 + (y + 2) ** 2))
    z = (x**2 + y**2) / 3 + abs(x) * np.sqrt(abs(x) + 0.1) + 3 * np.sin(x + y) + bump
    return np.asarray(0.6 * (z - z.min()) / np.ptp(z))


def himmelblau() -> Array:
    x, y = grid(5)
    z = (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2
    return np.asarray(0.6 * z / z.max())


def waves() -> Array:
    x, y = grid(5)
    return np.asarray(0.3 + 0.25 * np.sin(7 * x) * np.cos(6 * y))


def cliff() -> Array:
    x, y = grid(5)
    return np.where(x + 0.3 * y > 0, 0.6, 0.0)


def holes() -> Array:
    x, y = grid(3)
    hole = ((x - 0.5) ** 2 + (y - 0.3) ** 2 < 0.7) | ((x + 1.5) ** 2 + (y - 1) ** 2 < 0.3)
    return np.where(hole, np.nan, wobbly())


SURFACES: dict[str, Callable[[], Array]] = {
    each.__name__: each for each in (wobbly, himmelblau, waves, cliff, holes)
}
CAMERAS = [(-60, 33), (17, 20), (135, 60)]
every_view = pytest.mark.parametrize(
    ("name", "angles"), [(name, angles) for name in SURFACES for angles in CAMERAS]
)


def texture(side: int) -> Array:
    """Return colours that say where they are, and of which side."""
    column, row = np.meshgrid(np.arange(TEXELS), np.arange(TEXELS))
    ones = np.ones_like(row)
    return np.stack([column, row, side * ones, 255 * ones], axis=-1).astype(np.uint8)


def photographed(name: str, angles: tuple[float, float]) -> tuple[Field, Camera, Shot]:
    sides = (1.0, 0.6) if name == "himmelblau" else (1.0, 1.0)
    field = Field(SURFACES[name](), sides)
    camera = Camera(*angles, SCALE, *MIDDLE)
    return field, camera, field.shot(camera, (WIDTH, HEIGHT), samples=1, slices=400)


class Hits(NamedTuple):
    """Where rays meet the surface first, if they do, and whether from below.

    beneath is whether they are below the surface where they end.
    """

    found: Array
    below: Array
    places: Array
    beneath: Array


def marched(field: Field, camera: Camera, x: Array, y: Array, until: Array | float) -> Hits:
    """March along the rays of places in the picture, up to a depth."""
    across, up = (x - camera.x) / camera.scale, (y - camera.y) / camera.scale
    depth = -0.75 + (np.asarray(until) + 0.75) * np.linspace(0, 1, STEPS)[:, None]
    by_height, by_depth = camera.rise
    right = across * (1 + PERSPECTIVE * depth)
    u = right * camera.right[0] + depth * camera.away[0]
    v = right * camera.right[1] + depth * camera.away[1]
    ray = (up * (1 + PERSPECTIVE * depth) - depth * by_depth) / by_height
    inside = (abs(u) <= field.sides[0] / 2) & (abs(v) <= field.sides[1] / 2)
    above = np.where(inside, field.height(u, v) - ray, np.nan)  # of the surface over the ray
    known = np.isfinite(above[1:]) & np.isfinite(above[:-1])
    crosses = known & ((above[1:] >= 0) != (above[:-1] >= 0))
    first, each = crosses.argmax(axis=0), np.arange(len(x))
    places = np.column_stack([u[first, each], v[first, each]])
    last = np.where(np.isfinite(above), np.arange(STEPS)[:, None], 0).max(axis=0)
    return Hits(crosses.any(axis=0), above[first + 1, each] < 0, places, above[last, each] > 0)


@every_view
@pytest.mark.sample(3)
def test_each_pixel_shows_what_its_ray_meets_first(name: str, angles: tuple[float, float]) -> None:
    field, camera, shot = photographed(name, angles)
    pixels = shot.paint(texture(ABOVE), texture(BELOW)).astype(int)
    rng = np.random.default_rng(0)
    column, row = rng.integers(0, WIDTH, 800), rng.integers(0, HEIGHT, 800)
    hits = marched(field, camera, column + 0.5, row + 0.5, 0.75)
    shown = pixels[row, column]
    drawn = shown[:, 3] == 255
    assert (drawn != hits.found).mean() <= 0.003, "it may differ at silhouettes alone"
    both = drawn & hits.found
    assert both.sum() > 60
    assert ((shown[:, 2] == BELOW) != hits.below)[both].mean() <= 0.012
    places = ((shown[:, :2] + 0.5) / TEXELS - 0.5) * field.sides
    away = np.hypot(*(places - hits.places).T)[both]
    assert np.median(away) < 0.004
    assert (away > 0.02).mean() <= 0.011


@every_view
@pytest.mark.sample(2)
def test_what_is_seen_is_what_no_ray_meets_before(name: str, angles: tuple[float, float]) -> None:
    field, camera, shot = photographed(name, angles)
    rng = np.random.default_rng(1)
    ground = rng.uniform(-0.5, 0.5, (500, 2)) * field.sides
    points = np.column_stack([ground, field.height(*ground.T)])
    points = points[np.isfinite(points).all(axis=1)]
    found = camera.project(points)

    def hidden(across: float, up: float) -> Array:
        hits = marched(field, camera, found.x + across, found.y + up, found.depth - 0.006)
        return np.asarray(hits.found | hits.beneath)

    # Within a pixel or so of an edge either may be right.
    beside = [hidden(across, 1.5) for across in (-1, 0, 1)]
    surely_hidden = np.all(beside, axis=0)
    surely_seen = ~hidden(0, 0) & ~np.any(beside, axis=0)
    assert (surely_hidden | surely_seen).mean() > 0.6
    seen = shot.seen(points, slack=0.5)
    assert (seen & surely_hidden).mean() <= 0.004
    assert (~seen & surely_seen).mean() <= 0.012, "waves are only a few pixels wide"
    assert seen.any()


@pytest.mark.parametrize("samples", [2, 4])
@pytest.mark.parametrize("name", ["wobbly", "holes"])
def test_a_pixel_is_the_mean_of_its_samples(name: str, samples: int) -> None:
    field = Field(SURFACES[name](), (1.0, 1.0))
    camera = Camera(-60, 33, 130.0, 120.3, 65.8)
    textures = texture(ABOVE), texture(BELOW)
    mean = field.shot(camera, (240, 160), samples, 200).paint(*textures)
    large = field.shot(camera.magnified(samples), (240 * samples, 160 * samples), 1, 200)
    fine = large.paint(*textures).astype(float)
    blocks = fine.reshape(160, samples, 240, samples, 4).transpose(0, 2, 1, 3, 4)
    opaque = blocks[..., 3:] > 0
    share = opaque.mean(axis=(2, 3))
    np.testing.assert_allclose(mean[..., 3:], 255 * share, atol=1)
    colors = (blocks * opaque).sum(axis=(2, 3)) / np.maximum(opaque.sum(axis=(2, 3)), 1)
    np.testing.assert_allclose(mean[..., :3], colors[..., :3] * (share > 0), atol=1.01)
    assert ((share > 0) & (share < 1)).any(), "silhouettes are antialiased"


def test_a_hole_ends_between_the_points_of_the_grid() -> None:
    """Its edge is where `within` is 0, and what is behind it shows through."""
    along = np.linspace(-0.5, 0.5, 21)
    u, v = np.meshgrid(along, along)
    flat = np.zeros((21, 21))
    for radius in (0.2, 0.23):
        field = Field(flat, (1.0, 1.0), within=np.hypot(u, v) - radius)
        shot = field.shot(Camera(-60, 80, 300.0, 160.0, 160.0), (320, 320), 1, 400)
        drawn = shot.paint(texture(ABOVE), texture(BELOW))[..., 3] > 0
        whole = Field(flat, (1.0, 1.0)).shot(shot.camera, (320, 320), 1, 400)
        missing = (whole.paint(texture(ABOVE), texture(BELOW))[..., 3] > 0) & ~drawn
        rise = np.sin(np.radians(80))
        assert missing.sum() == pytest.approx(np.pi * radius**2 * 300**2 * rise, rel=0.06)


def test_a_steep_slope_ends_at_a_bound_at_the_same_height_everywhere() -> None:
    along = np.linspace(-0.5, 0.5, 101)
    u, _ = np.meshgrid(along, along)
    field = Field(0.6 - 40 * np.maximum(u, 0), (1.0, 1.0), bounds=(0.0, 0.6))
    camera = Camera(30, 30, 200.0, 160.0, 120.0)
    pixels = field.shot(camera, (320, 320), 1, 200).paint(texture(ABOVE), texture(BELOW))
    drawn = pixels[..., 3] > 0
    lowest = np.array([np.flatnonzero(column)[0] for column in drawn.T if column.any()])
    at = np.array([[0.015, each, 0.0] for each in (-0.5, 0.5)])
    ends = camera.project(at)
    columns = np.flatnonzero(drawn.any(axis=0))
    between = (columns > ends.x.min() + 2) & (columns < ends.x.max() - 2)
    straight = np.polyval(np.polyfit(columns[between], lowest[between], 1), columns[between])
    assert np.abs(lowest[between] - straight).max() <= 1.5, "there is no fringe"


def test_the_lower_side_takes_its_share() -> None:
    flat = Field(np.zeros((5, 5)), (1.0, 1.0))
    assert flat.shot(Camera(-60, 30, 100.0, 80.0, 60.0), (160, 120), 1, 50).below_share == 0
    rows = np.linspace(0, 1, 50)[:, None] * np.ones((1, 50))
    rising, falling = Field(rows, (1.0, 1.0)), Field(1 - rows, (1.0, 1.0))
    camera = Camera(-90, 10, 60.0, 80.0, 40.0)  # looks along v
    assert rising.shot(camera, (160, 160), 1, 50).below_share == 0
    assert falling.shot(camera, (160, 160), 1, 50).below_share == 1


def test_nothing_is_seen_where_there_is_nothing() -> None:
    nothing = Field(np.full((9, 9), np.nan), (1.0, 1.0))
    shot = nothing.shot(Camera(-60, 33, 100.0, 80.0, 60.0), (160, 120), 2, 50)
    assert not shot.paint(texture(ABOVE), texture(BELOW)).any()
    assert shot.below_share == 0
    aside = Field(np.zeros((9, 9)), (1.0, 1.0)).shot(Camera(-60, 33, 10.0, -900.0, 0.0), (16, 12))
    assert not aside.paint(texture(ABOVE), texture(BELOW)).any()
    assert not aside.seen(np.zeros((3, 3))).any()
