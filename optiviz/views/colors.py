"""Colours as the eye sees them: lightness, and the ramp of a surface.

OKLab is a space in which equal distances look about equally different: Björn Ottosson, A perceptual
color space for image processing, 2020, whose matrices are copied here. L* is the lightness of
CIELAB, from 0 (black) to 100 (white).
"""

import numpy as np
from matplotlib.colors import ListedColormap, to_rgb

from optiviz.objective import Array

FROM_RGB = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
FROM_CONES = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # of linear RGB
FINE = 513  # colours from which a ramp is chosen
ROUND = 61  # of them over which the corners at its anchors are rounded
SHADES = 256  # of a ramp


def linear_rgb(rgb: Array) -> Array:
    """Return linear RGB for sRGB in [0, 1], shape (..., 3)."""
    linear: Array = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear


def lightness(rgb: Array) -> Array:
    """Return L* of sRGB colours, shape (...), for shape (..., 3)."""
    light = linear_rgb(rgb) @ LUMINANCE
    found: Array = np.where(light > 0.008856, 116 * np.cbrt(light) - 16, 903.3 * light)
    return found


def oklab(rgb: Array) -> Array:
    """Return OKLab coordinates of sRGB colours, both of shape (..., 3)."""
    coordinates: Array = np.cbrt(linear_rgb(rgb) @ FROM_RGB.T) @ FROM_CONES.T
    return coordinates


def from_oklab(coordinates: Array) -> Array:
    """Return sRGB colours, clipped to [0, 1], for OKLab coordinates, both of shape (..., 3)."""
    cones = coordinates @ np.linalg.inv(FROM_CONES).T
    linear = np.clip(cones**3 @ np.linalg.inv(FROM_RGB).T, 0, 1)
    rgb: Array = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return rgb


def ramp(anchors: tuple[str, ...]) -> ListedColormap:
    """Return the colours of a surface, from the lowest loss to the highest, in even steps of L*.

    anchors are colours of rising, or falling, lightness, through or near which the ramp goes.
    """
    corners = oklab(np.array([to_rgb(each) for each in anchors]))
    along, at = np.linspace(0, 1, FINE), np.linspace(0, 1, len(anchors))
    straight = np.stack([np.interp(along, at, each) for each in corners.T])
    kernel = np.hanning(ROUND + 2)[1:-1]
    ends = np.pad(straight, ((0, 0), (ROUND // 2, ROUND // 2)), "reflect", reflect_type="odd")
    smooth = [np.convolve(each, kernel / kernel.sum(), "valid") for each in ends]
    rgb = from_oklab(np.stack(smooth, axis=-1))
    light = lightness(rgb)
    if light[0] > light[-1]:
        rgb, light = rgb[::-1], light[::-1]
        return ListedColormap(_evenly(rgb, light)[::-1])
    return ListedColormap(_evenly(rgb, light))


def _evenly(rgb: Array, light: Array) -> Array:
    """Return SHADES of these colours, whose lightness rises, in even steps of lightness."""
    even = np.linspace(light[0], light[-1], SHADES)
    return np.stack([np.interp(even, light, each) for each in rgb.T], axis=-1)
