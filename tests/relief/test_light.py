"""Light on a field: what faces the sun is lighter, what is behind a wall is in its shadow."""

import numpy as np

from optiviz.relief.light import SUN, shade

RAMP = np.linspace(0.2, 0.9, 256)[:, None] * np.ones(3)


def lightness(heights: np.ndarray, share: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of red, green and blue of both sides, of 64 x 64 texels."""
    shares = np.full(heights.shape, share)
    above, below = shade(heights, (1.0, 1.0), shares, RAMP, 64)
    assert above.shape == below.shape == (64, 64, 4)
    assert (above[..., 3] == 255).all() and (below[..., 3] == 255).all()
    return above[..., :3].mean(axis=-1), below[..., :3].mean(axis=-1)


def ground() -> tuple[np.ndarray, np.ndarray]:
    along = np.linspace(-0.5, 0.5, 101)
    u, v = np.meshgrid(along, along)
    return u, v


def test_level_ground_is_in_even_light_in_the_colours_of_the_ramp() -> None:
    u, _ = ground()
    for share in (0.0, 0.5, 1.0):
        above, below = lightness(0 * u, share)
        assert np.ptp(above) == 0
        expected = 255 * (0.2 + 0.7 * share)
        assert abs(above.mean() - expected) < 0.12 * expected
        assert (below < above).all() or share == 0.0


def test_slopes_that_face_the_sun_are_lighter() -> None:
    u, v = ground()
    towards = np.cos(np.radians(SUN[0])) * u + np.sin(np.radians(SUN[0])) * v
    facing, averted = lightness(-0.4 * towards)[0], lightness(0.4 * towards)[0]
    assert facing[32, 32] > lightness(0 * u)[0][32, 32] > averted[32, 32]


def test_a_wall_casts_a_soft_shadow_away_from_the_sun() -> None:
    u, v = ground()
    towards = np.cos(np.radians(SUN[0])) * u + np.sin(np.radians(SUN[0])) * v
    light = lightness(np.where(abs(towards) < 0.03, 0.25, 0.0))[0]
    texel = (np.arange(64) + 0.5) / 64 - 0.5
    row, column = np.meshgrid(texel, texel, indexing="ij")
    along = np.cos(np.radians(SUN[0])) * column + np.sin(np.radians(SUN[0])) * row
    middle = abs(np.sin(np.radians(SUN[0])) * column - np.cos(np.radians(SUN[0])) * row) < 0.15
    behind = light[middle & (along < -0.1) & (along > -0.2)]
    before = light[middle & (along > 0.1) & (along < 0.2)]
    assert behind.max() < before.min()
    assert len(np.unique(light[middle & (along < -0.2)].round())) > 4, "its border is soft"


def test_a_valley_sees_less_of_the_sky() -> None:
    u, v = ground()
    bowl = 2 * (u**2 + v**2)
    assert lightness(bowl)[0][32, 32] < lightness(-bowl)[0][32, 32]
