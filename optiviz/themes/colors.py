"""Colours as the eye sees them: how they are written, their lightness, and what contrasts.

OKLab is a space in which equal distances look about equally different: Björn Ottosson, A perceptual
color space for image processing, 2020, whose matrices are copied here. L* is the lightness of
CIELAB, from 0 (black) to 100 (white). Colour deficiencies are those of Machado, Oliveira and
Fernandes, A Physiologically-based Model for Simulation of Color Vision Deficiency, 2009, at
severity 1. Contrast is the ratio of WCAG 2.2.
"""

import re
from collections.abc import Sequence

import numpy as np

from optiviz.objective import Array
from optiviz.system.errors import did_you_mean
from optiviz.system.text import shorten

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
SIGHT = {  # linear RGB as it is seen
    "normal sight": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def color(text: str) -> str:
    """Return a colour in lower case; raise ValueError if it is no CSS name, #rgb or #rrggbb."""
    text = text.strip().lower()
    if text.startswith("#"):
        if not re.fullmatch("#([0-9a-f]{3}|[0-9a-f]{6})", text):
            raise ValueError(f"{shorten(text, quoted=True)} is not a colour: write #rgb or #rrggbb")
        return text
    names = _names()
    if text not in names:
        said = did_you_mean("colour", text, names)
        if "did you mean" not in said:
            said = f"unknown colour {shorten(text, quoted=True)}: write, for example, red or #0a7"
        raise ValueError(said)
    return text


def _names() -> dict[str, str]:
    """Return the colours of CSS by name."""
    from PIL import ImageColor  # only named colours need it

    # Pillow replaces the text of a name that it has used by numbers.
    return {
        name: value if isinstance(value, str) else "#{:02x}{:02x}{:02x}".format(*value)
        for name, value in ImageColor.colormap.items()
    }


def rgb(colors: Sequence[str]) -> Array:
    """Return sRGB in [0, 1], shape (n, 3), for colours as `color` returns them."""
    found = []
    for text in colors:
        digits = (text if text.startswith("#") else _names()[text])[1:]
        digits = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
        found.append([int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)])
    return np.array(found)


def seen(rgb: Array, sight: str) -> Array:
    """Return sRGB as it is seen with a kind of sight in SIGHT, both of shape (..., 3)."""
    return _from_linear(np.clip(linear_rgb(rgb) @ SIGHT[sight].T, 0, 1))


def distance(one: Array, other: Array) -> Array:
    """Return the distance in OKLab of sRGB colours of shape (..., 3)."""
    apart: Array = np.linalg.norm(oklab(one) - oklab(other), axis=-1)
    return apart


def contrast(one: Array, other: Array) -> Array:
    """Return the contrast ratio, from 1 to 21, of sRGB colours of shape (..., 3)."""
    light = [linear_rgb(each) @ LUMINANCE + 0.05 for each in (one, other)]
    ratio: Array = np.maximum(*light) / np.minimum(*light)
    return ratio


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
    return _from_linear(linear)


def _from_linear(linear: Array) -> Array:
    rgb: Array = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return rgb
