"""The scale of an axis: linear, or logarithmic where that helps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from optiviz.objective import Array
from optiviz.views.axes import set_limits
from optiviz.views.ticks import TICKS, Ticks, signed, ticks

MIN_POSITIVE, MAX_EXPONENT = 5e-324, 308.25  # least positive float64, and the largest power of 10
MIN_LENGTH = 1e-290  # length of an axis too short to be divided in float64
MAX_LENGTH = 1e300  # beyond it the length of an axis may overflow
MARGIN = 0.05  # share of the height at both ends
DECADES = 1  # between smallest and largest value, at least, on a logarithmic scale
FEW_DECADES = 2.2  # up to which ticks are at 1, 2 and 5, and not at powers of ten alone
SYMLOG_RATIO = 1e4  # largest value over median above which values with negative ones get "symlog"
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Scale:
    """The scale of an axis: its kind and its limits.

    "symlog" is logarithmic beyond `threshold` on both sides of 0 and linear between. With a floor,
    values below it are drawn at it, and its tick says so.
    """

    kind: Literal["linear", "log", "symlog"]
    limits: tuple[float, float]
    threshold: float = 1.0
    floor: float = 0.0

    @classmethod
    def for_values(cls, values: Array, linear: bool = False, floor: float = 0.0) -> "Scale":
        """Return the scale on which all finite values are visible and distinguishable.

        values may have any shape. With `linear` the scale is linear, unless the values are too
        large for that. A logarithmic scale need not tell apart what is below a floor.
        """
        finite = values[np.isfinite(values)]
        if not finite.size:
            return cls("linear", (0.0, 1.0))
        low, high = float(finite.min()), float(finite.max())
        positive = finite[finite > 0]
        if (
            not linear
            and low >= 0
            and positive.size
            and high / float(positive.min()) >= 10**DECADES
        ):
            least = float(positive.min())
            floor = floor if least < floor < high else 0.0
            first, last = math.log10(max(least, floor)), math.log10(high)
            extra = MARGIN * (last - first)
            least, most = 10 ** (first - extra), 10 ** min(last + extra, MAX_EXPONENT)
            return cls("log", (max(least, MIN_POSITIVE), most), floor=floor)
        size = np.sort(np.abs(finite[finite != 0]))
        large, middle = max(-low, high), float(size[len(size) // 2]) if size.size else 0.0
        if large > MAX_LENGTH or (not linear and low < 0 and large > SYMLOG_RATIO * middle):
            most = max(2 * min(large, MAX_LENGTH), large)
            threshold = min(middle, MAX_LENGTH / SYMLOG_RATIO)
            return cls("symlog", (-most if low < 0 else 0.0, most if high > 0 else 0.0), threshold)
        side = high - low or abs(high)
        side = side if side > MIN_LENGTH else 1.0
        return cls("linear", (low - MARGIN * side, high + MARGIN * side))

    def ticks(self, many: int = TICKS) -> Ticks:
        """Return about `many` ticks."""
        low, high = self.limits
        if self.kind == "linear":
            return ticks(low, high, many)
        if self.kind == "log":
            fine = _fine(low, high) if high < low * 10**FEW_DECADES else ([], [])
            if 1 < len(fine[0]) <= many:
                return fine
            places, said = _decades(self.floor or low, high, many)
            lowest = "\N{LESS-THAN OR EQUAL TO}" if self.floor else ""
            return places, [f"{lowest}{said[0]}", *said[1:]] if said else []
        half = max(many // 2, 1)
        above = _decades(self.threshold, high, half) if high > self.threshold else ([], [])
        below = _decades(self.threshold, -low, half) if -low > self.threshold else ([], [])
        places = [*(-place for place in below[0]), 0.0, *above[0]]
        return places, [*("\N{MINUS SIGN}" + said for said in below[1]), "0", *above[1]]

    def raised(self, values: Array) -> Array:
        """Return values with those below the floor raised to it."""
        return np.maximum(values, self.floor) if self.floor else values

    def apply(self, axes: Axes, labelled: str = "xy") -> None:
        """Set the scale, the limits and the ticks of the y axis, labelled if it is named."""
        settings: dict[str, Any] = {
            "log": {"nonpositive": "clip"},
            "symlog": {"linthresh": self.threshold},
        }
        axes.set_yscale(self.kind, **settings.get(self.kind, {}))
        set_limits(axes, "y", self.limits, self.ticks, labelled=labelled)
        axes.yaxis.set_minor_locator(NullLocator())


def _fine(low: float, high: float) -> Ticks:
    """Return the places 1, 2 and 5 of each decade between two positive numbers, and labels."""
    powers = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
    places = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
    inside = [place for place in places if low <= place <= high]
    return inside, [plain(place) for place in inside]


def _decades(low: float, high: float, many: int) -> Ticks:
    """Return about `many` powers of ten between two positive numbers, and their labels."""
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
    stride = max(1, -(-(last - first + 1) // many))
    powers: Sequence[int] = range(first, last + 1, stride)
    return [10.0**power for power in powers], [power_of_ten(power) for power in powers]


def power_above(value: float) -> float:
    """Return the least power of ten not below a number, 0 if that is not positive."""
    return float(f"1e{math.ceil(math.log10(value))}") if value > 0 else 0.0


def plain(value: float) -> str:
    """Format a number without an exponent where that is short: 0.002, 50, 2e5."""
    return signed(f"{value:g}")


def power_of_ten(power: int) -> str:
    """Format a power of ten: as a number where that is short, otherwise as 10⁻⁵."""
    return f"{10.0**power:g}" if -3 <= power <= 4 else f"10{str(power).translate(SUPERSCRIPTS)}"
