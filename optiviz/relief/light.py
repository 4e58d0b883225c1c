"""The light on a height field, computed once: from wherever it is seen, the colours stay the same.

A warm sun shines from one side and casts soft shadows, and a cool sky shines from everywhere but is
hidden by hills. What either gives is added up in linear light. A soft shoulder, 1 - exp(-x), ends
in white without ever being cut off.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from optiviz.relief.resampling import in_cells

F = np.float32
Floats = NDArray[np.float32]
Colors = NDArray[np.uint8]

GRID = 160  # points per side for shadows and for the sky, which are soft
SUN = 150.0, 42.0  # degrees: the azimuth and the elevation of the sun, which stands in the world
SUN_COLOR, SKY_COLOR = (1.06, 1.0, 0.91), (0.86, 0.98, 1.17)  # linear RGB
SUN_SHARE, SKY_SHARE = 0.66, 0.56  # of the light on level ground
WRAP = 0.25  # how far, as a cosine, the sun reaches around slopes that face away
SHADOW = 0.62  # share of the sun's light that a shadow takes
SUNS, SUN_WIDTH = 5, 20.0  # directions that stand for a sun of so many degrees, for soft shadows
PENUMBRA = 0.02, 0.2  # width of the border of a shadow: at what casts it, and by distance
DIRECTIONS, DISTANCES, REACH = 16, 9, 0.6  # in which the sky is looked for, and how far
BARE = -9.0  # height outside of the field: nothing is there
VIVID = 1.25  # how much farther colours are from grey than those of the ramp
KNEE = 1.5  # how soon the shoulder bends
BELOW_TINT, BELOW_MIX = (0.6, 0.76, 1.0), 0.65  # the lower side: its tint, and how much of it
BELOW_LIGHT = 0.62, 0.3  # on the lower side: everywhere, and by its slope towards the sun


class Ground(NamedTuple):
    """Heights on a grid over a rectangle with these sides; rows run along v, columns along u."""

    heights: Floats
    sides: tuple[float, float]

    @property
    def cell(self) -> tuple[float, float]:
        """The distances along u and v between two points of the grid."""
        rows, columns = self.heights.shape
        return self.sides[0] / (columns - 1), self.sides[1] / (rows - 1)

    def slopes(self) -> tuple[Floats, Floats]:
        """Return the slopes along u and v."""
        along_u, along_v = self.cell
        rise_v, rise_u = (
            np.asarray(rise, F) for rise in np.gradient(self.heights, along_v, along_u)
        )
        return rise_u, rise_v

    def ahead(self, angle: float, distance: float) -> tuple[Floats, float]:
        """Return the heights at a distance in a direction, and how far these points really are."""
        along_u, along_v = self.cell
        right = round(distance * np.cos(angle) / along_u)
        up = round(distance * np.sin(angle) / along_v)
        found = np.full_like(self.heights, BARE)
        rows, columns = found.shape
        if abs(up) < rows and abs(right) < columns:
            found[_kept(-up, rows), _kept(-right, columns)] = self.heights[
                _kept(up, rows), _kept(right, columns)
            ]
        return found, float(np.hypot(right * along_u, up * along_v))


def _kept(shift: int, count: int) -> slice:
    return slice(max(shift, 0), count + min(shift, 0))


class Coat(NamedTuple):
    """A second ramp, and how much of it there is: opacity has shape (side, side)."""

    opacity: NDArray[Any]
    ramp: NDArray[Any]


def shade(
    heights: NDArray[Any],
    sides: tuple[float, float],
    shares: NDArray[Any],
    ramp: Any,
    side: int,
    coats: Sequence[Coat] = (),
) -> tuple[Colors, Colors]:
    """Return the colours of the upper and the lower side of a field in the light.

    heights and shares have shape (rows, columns) and must be finite; shares are places in the ramp,
    from 0 to 1. ramp has shape (n, 3), sRGB from 0 to 1, and so have those of coats, which cover
    it one after the other. The results have shape (side, side, 4).
    """
    ground = Ground(heights.astype(F), sides)
    rows, columns = heights.shape
    up, across = in_cells(rows, side), in_cells(columns, side).T

    def fine(values: NDArray[Any]) -> Floats:
        return up @ values.astype(F) @ across

    few = in_cells(rows, GRID) @ ground.heights @ in_cells(columns, GRID).T
    coarse = Ground(few.astype(F), sides)
    back = in_cells(GRID, side)
    rise_u, rise_v = (fine(each) for each in ground.slopes())
    sun = np.array([*_towards(SUN[0], np.cos(np.radians(SUN[1]))), np.sin(np.radians(SUN[1]))], F)
    length = np.sqrt(1 + rise_u**2 + rise_v**2)
    facing = (sun[2] - rise_u * sun[0] - rise_v * sun[1]) / length
    lit = (1 - SHADOW) + SHADOW * np.clip(back @ _sunlit(coarse) @ back.T, 0, 1)
    sunlight = SUN_SHARE * np.clip((facing + WRAP) / (sun[2] + WRAP), 0, None) * lit
    skylight = SKY_SHARE * np.clip(back @ _open_sky(coarse) @ back.T, 0, 1)
    base = _vivid(_linear(np.asarray(ramp, F)))
    at = np.clip(fine(shares), 0, 1)
    color = _colored(base, at)
    for coat in coats:
        over = _colored(_vivid(_linear(np.asarray(coat.ramp, F))), at)
        color += coat.opacity[..., None].astype(F) * (over - color)
    light = sunlight[..., None] * np.array(SUN_COLOR, F) + skylight[..., None] * np.array(
        SKY_COLOR, F
    )
    above = color * ((1 - np.exp(-KNEE * light)) / F(1 - np.exp(-KNEE)))
    tilt = BELOW_LIGHT[0] + BELOW_LIGHT[1] * (rise_u * sun[0] + rise_v * sun[1]) / length
    tint = np.array(BELOW_TINT, F) * base.mean()  # as light as the ramp
    below = (1 - BELOW_MIX) * color + BELOW_MIX * tint
    return _bytes(above), _bytes(below * tilt[..., None])


def _colored(ramp: Floats, shares: Floats) -> Floats:
    """Return the colours of a ramp at shares of it."""
    at = shares * F(len(ramp) - 1)
    return np.stack([np.interp(at, np.arange(len(ramp)), each) for each in ramp.T], -1).astype(F)


def _towards(degrees: float, length: float) -> tuple[float, float]:
    angle = np.radians(degrees)
    return float(length * np.cos(angle)), float(length * np.sin(angle))


def _open_sky(ground: Ground) -> Floats:
    """Return the share of the light of the sky that reaches each point of a grid.

    In each direction, the sky begins at the highest slope to what is seen there.
    """
    rise_u, rise_v = ground.slopes()
    total = np.zeros_like(ground.heights)
    nearest = max(ground.cell)
    for angle in np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS):
        steepest = rise_u * F(np.cos(angle)) + rise_v * F(np.sin(angle))
        for distance in np.geomspace(nearest, REACH * max(ground.sides), DISTANCES):
            ahead, far = ground.ahead(angle, distance)
            ahead -= ground.heights
            ahead *= F(1 / far)
            np.maximum(steepest, ahead, out=steepest)
        np.clip(steepest, 0, None, out=steepest)
        total += 1 - steepest / np.sqrt(1 + steepest**2)
    return total / F(DIRECTIONS)


def _sunlit(ground: Ground) -> Floats:
    """Return the share of the sun that is seen from each point of a grid.

    In the direction of the sun, what rises above a ray towards it hides it, the more the higher.
    """
    total = np.zeros_like(ground.heights)
    drop = np.tan(np.radians(SUN[1]))
    step = 2 * max(ground.cell)
    farthest = min(float(np.ptp(ground.heights)) / drop, float(np.hypot(*ground.sides)))
    for turn in np.linspace(-SUN_WIDTH / 2, SUN_WIDTH / 2, SUNS):
        angle = np.radians(SUN[0] + turn)
        hidden = np.full_like(ground.heights, -1.0)
        for distance in np.arange(step, farthest, step):
            ahead, far = ground.ahead(angle, distance)
            ahead -= ground.heights
            ahead -= F(drop * far)
            ahead *= F(1 / (PENUMBRA[0] + PENUMBRA[1] * far))
            np.maximum(hidden, ahead, out=hidden)
        share = np.clip(hidden + 0.5, 0, 1)
        total += 1 - share**2 * (3 - 2 * share)
    return total / F(SUNS)


def _vivid(linear: Floats) -> Floats:
    """Return colours farther from the grey of their mean, as light and shadow take from them."""
    grey = linear.mean(axis=-1, keepdims=True)
    return np.asarray(np.clip(grey + F(VIVID) * (linear - grey), 0, 1))


def _linear(color: Floats) -> Floats:
    """Return linear RGB of sRGB, both from 0 to 1."""
    return np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4).astype(F)


def _bytes(linear: Floats) -> Colors:
    """Return opaque sRGB, in bytes, of linear RGB."""
    linear = np.clip(linear, 0, 1)
    color = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** F(1 / 2.4) - 0.055)
    rgb = np.round(255 * color).astype(np.uint8)
    return np.concatenate([rgb, np.full((*rgb.shape[:2], 1), 255, np.uint8)], axis=-1)
