"""The size of a picture: in pixels, or on paper."""

import math
import re
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, PlainSerializer

from optiviz.system.errors import did_you_mean
from optiviz.system.json_schema import NUMBERS, TEXT, MappedSchema, any_of
from optiviz.system.text import shorten

UNITS = {"px": 1 / 96, "in": 1.0, "cm": 1 / 2.54, "mm": 1 / 25.4, "pt": 1 / 72}  # inches
PIXEL, PRINT = 96, 200  # pixels of an inch: of a size in pixels, as in CSS, and of one on paper
SMALL_LETTERS, ON_PAPER = 10.0, 8.0  # points of most letters: in a layout, and on paper
PLAIN = 960, 0.65  # a side in pixels at which the layout has 100 to the inch; letters grow by this
MIN_PIXELS, MIN_PAPER = (240, 160), (2.5, 1.9)  # least width and height, the latter in inches
MAX_SIDE, MAX_PIXELS = 16_384, 36_000_000
NUMBER, UNIT = r"\s*(\d{1,6}(?:\.\d{1,6})?)\s*", r"([a-z]*?)\s*"
WRITTEN = re.compile(f"{NUMBER}{UNIT}[x×]{NUMBER}{UNIT}", re.IGNORECASE)


class Size(NamedTuple):
    """Width and height of a picture in a unit: pixels, or one of length on paper.

    On paper, letters have a fixed size. In a picture of a size in pixels they grow with it, but
    more slowly, so that they stay legible in small pictures; its pixels are those of CSS.
    """

    width: float
    height: float
    unit: str = "px"

    def __str__(self) -> str:
        """Return the size as it is written: 960x640, or 3.25inx2.5in."""
        unit = "" if self.unit == "px" else self.unit
        return "x".join(f"{side:.10g}{unit}" for side in (self.width, self.height))

    @property
    def inches(self) -> tuple[float, float]:
        """Width and height of the page of a vector format, in inches."""
        return self.width * UNITS[self.unit], self.height * UNITS[self.unit]

    @property
    def letters(self) -> float:
        """The size of letters on the page, relative to that in the layout."""
        if self.unit != "px":
            return ON_PAPER / SMALL_LETTERS
        side = min(self.width, 1.5 * self.height)
        return 100 / PIXEL * math.pow(side / PLAIN[0], PLAIN[1])

    @property
    def layout(self) -> tuple[float, float]:
        """Width and height in the inches of the layout."""
        across, up = self.inches
        return across / self.letters, up / self.letters

    def pixels(self, scale: float = 1.0) -> tuple[int, int]:
        """Return width and height in pixels, magnified by `scale`."""
        dense = scale * (PIXEL if self.unit == "px" else PRINT)
        across, up = self.inches
        return round(across * dense), round(up * dense)

    def halved(self) -> "Size":
        """Return half the size in pixels, but not less than is possible."""
        least_width, least_height = MIN_PIXELS
        return Size(max(least_width, self.width // 2), max(least_height, self.height // 2))

    def check(self, scale: float = 1.0) -> None:
        """Raise ValueError if it is too small for words, or too large for videos or memory."""
        paper = self.unit != "px"
        least = MIN_PAPER if paper else MIN_PIXELS
        sides = self.inches if paper else (self.width, self.height)
        small = any(side < bound for side, bound in zip(sides, least, strict=True))
        if not paper and (small or max(sides) > MAX_SIDE):
            bounds = f"{least[0]}x{least[1]} and {MAX_SIDE}x{MAX_SIDE}"
            raise ValueError(f"must be between {bounds}, not {self}")
        if small:
            width, height = (math.ceil(100 * side / UNITS[self.unit]) / 100 for side in least)
            raise ValueError(f"must be at least {Size(width, height, self.unit)}, not {self}")
        pixels = self.pixels(scale)
        shown = "x".join(map(str, pixels))
        if max(pixels) > MAX_SIDE:
            raise ValueError(f"at most {MAX_SIDE} pixels a side are allowed, not {shown}")
        if pixels[0] * pixels[1] > MAX_PIXELS:
            raise ValueError(f"at most {MAX_PIXELS} pixels are allowed, not {shown}")


def _size(value: Any) -> Any:
    if isinstance(value, Size):
        value = str(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        if len(value) != 2 or not all(_is_whole(side) for side in value):
            raise ValueError(f"must be a width and a height in pixels, not {shorten(value)}")
        return Size(value[0], value[1])
    found = WRITTEN.fullmatch(str(value))
    if found is None:
        raise ValueError(
            f"{shorten(value, quoted=True)} is not a valid size: write, for example, 960x640 "
            "or 3.25inx2.5in"
        )
    width, first, height, second = found.groups()
    units = {unit.lower() for unit in (first, second) if unit} or {"px"}
    for unit in sorted(units):
        if unit not in UNITS:
            raise ValueError(did_you_mean("unit", unit, UNITS))
    if len(units) > 1:
        raise ValueError(f"{shorten(value, quoted=True)} has two units: write both sides in one")
    (unit,) = units
    if unit == "px" and "." in width + height:
        said = f"{shorten(value, quoted=True)} has no unit, and pixels are whole"
        raise ValueError(f"{said}: write, for example, 3.25inx2.5in")
    return Size(float(width), float(height), unit)


def _is_whole(side: Any) -> bool:
    return isinstance(side, int) and not isinstance(side, bool) and 0 < side < 10**6


def _stored(size: Size) -> list[int] | str:
    return [int(size.width), int(size.height)] if size.unit == "px" else str(size)


PictureSize = Annotated[
    Size,
    BeforeValidator(_size),
    PlainSerializer(_stored),
    MappedSchema(
        lambda kept: any_of(
            TEXT | {"pattern": f"^{WRITTEN.pattern}$"},
            NUMBERS | {"minItems": 2, "maxItems": 2},
        )
    ),
]
