"""The colours of a surface, from the lowest loss to the highest."""

import numpy as np
from matplotlib.colors import ListedColormap

from optiviz.objective import Array
from optiviz.themes.colors import from_oklab, lightness, oklab, rgb

FINE = 513  # colours from which a ramp is chosen
ROUND = 61  # of them over which the corners at its anchors are rounded
SHADES = 256  # of a ramp


def ramp(anchors: tuple[str, ...]) -> ListedColormap:
    """Return the colours of a surface, from the lowest loss to the highest, in even steps of L*.

    anchors are colours of rising, or falling, lightness, through or near which the ramp goes.
    """
    corners = oklab(rgb(anchors))
    along, at = np.linspace(0, 1, FINE), np.linspace(0, 1, len(anchors))
    straight = np.stack([np.interp(along, at, each) for each in corners.T])
    kernel = np.hanning(ROUND + 2)[1:-1]
    ends = np.pad(straight, ((0, 0), (ROUND // 2, ROUND // 2)), "reflect", reflect_type="odd")
    smooth = [np.convolve(each, kernel / kernel.sum(), "valid") for each in ends]
    colors = from_oklab(np.stack(smooth, axis=-1))
    light = lightness(colors)
    if light[0] > light[-1]:
        return ListedColormap(_evenly(colors[::-1], light[::-1])[::-1])
    return ListedColormap(_evenly(colors, light))


def _evenly(colors: Array, light: Array) -> Array:
    """Return SHADES of these colours, whose lightness rises, in even steps of lightness."""
    even = np.linspace(light[0], light[-1], SHADES)
    return np.stack([np.interp(even, light, each) for each in colors.T], axis=-1)
