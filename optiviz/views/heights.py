"""How the values of a surface become heights of its relief.

Linear heights are in proportion to values. Where values span decades, a surface with linear heights
would be one wall, so heights are then compressed by

    height = log(1 + (value - lowest) / c),    c = m^2 / (h - 2m)

where m and h are how far the median and the highest value are above the lowest: half of the surface
is below half of its height. c is at most a tenth of h and at least 1/10,000. Below c heights are
nearly linear, so that minima stay round.

A pole, where values grow without bound, is cut off.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from optiviz.objective import Array
from optiviz.registry import Height
from optiviz.views.ticks import Ticks, signed, ticks

DECADES = 1 / 15  # share of the values at which the median is, from which heights are compressed
SOFTEST, HARDEST = 1e-1, 1e-4  # bounds of c, as shares of all values
TALL_POLE = 2.0  # how much higher than most of the surface the rest must be to be a pole
MOST = 0.98  # share of the surface that is lower than most of it
FARTHER = 0.25  # of all values, how far beyond those on a grid a surface may end
BEYOND = 1.0  # how far heights beyond the bounds are kept, as a share of the height
LARGE = 1e5  # from which numbers are written as powers of ten
ROUND = (1.0, 5.0, 2.0)  # first digits of ticks, the most welcome first


@dataclass(frozen=True)
class Heights:
    """The rule by which values become heights, from 0 for `low` to 1 for `high`.

    softness is c of a logarithmic height. is_cut says whether the surface goes on beyond low, and
    beyond high.
    """

    low: float
    high: float
    kind: Height
    softness: float
    is_cut: tuple[bool, bool] = (False, False)

    @classmethod
    def for_values(
        cls, values: Any, kind: Height | None, grows: Callable[[Any, bool], bool]
    ) -> Self:
        """Return the heights of values on a grid, masked where there is none.

        kind is chosen unless it is given. grows(values, above) returns whether the surface is
        higher, or lower, between the points of the grid around its highest, or lowest, one.
        """
        known = values.compressed()
        if not known.size:
            return cls(0.0, 1.0, "linear", 1.0)
        low, high = float(known.min()), float(known.max())
        parts = np.quantile(known, (1 - MOST, 0.5, MOST))
        below, middle, above = (float(each) for each in parts)
        is_cut = (
            middle - low > (1 + TALL_POLE) * (middle - below) and grows(values, False),
            high - middle > (1 + TALL_POLE) * (above - middle) and grows(values, True),
        )
        low, high = below if is_cut[0] else low, above if is_cut[1] else high
        if not high > low:
            low, high = low - max(abs(low), 1.0) / 2, high + max(abs(high), 1.0) / 2
        span, half = high - low, middle - low
        if kind is None:
            kind = "log" if half < DECADES * span else "linear"
        softness = half * (half / (span - 2 * half)) if half < span / 2 else np.inf
        bounds = HARDEST * span, SOFTEST * span
        return cls(low, high, kind, float(np.clip(softness, *bounds)), is_cut)

    def with_ends(self, values: Array) -> Self:
        """Return these heights for a surface that ends at values between the points of a grid.

        They reach that far or, if that is much farther, the surface is cut off.
        """
        known = values[np.isfinite(values)]
        if not known.size:
            return self
        span = self.high - self.low
        low, high = min(self.low, float(known.min())), max(self.high, float(known.max()))
        below, above = low < self.low - FARTHER * span, high > self.high + FARTHER * span
        return replace(
            self,
            low=self.low if below or self.is_cut[0] else low,
            high=self.high if above or self.is_cut[1] else high,
            is_cut=(self.is_cut[0] or below, self.is_cut[1] or above),
        )

    def of(self, values: Any) -> Array:
        """Return heights, those beyond the bounds only as far as to tell that they are."""
        span = self.high - self.low
        above: Array = np.asarray(values, float) - self.low
        if self.kind == "linear":
            found = above / span
        else:
            positive = np.log1p(np.maximum(above, 0) / self.softness)
            found = np.where(above < 0, above / span, positive / np.log1p(span / self.softness))
        return np.clip(found, -BEYOND, 1 + BEYOND)

    def ticks(self, most: int, scale: float, apart: float) -> Ticks:
        """Return at most `most` ticks as heights, at least `apart` from one another.

        Their labels tell values multiplied by scale.
        """
        evenly = self._even_ticks(most, scale, apart)
        if self.kind == "linear":
            return evenly
        kept: list[tuple[float, str]] = []
        for value in self._round_values(scale):
            height = float(self.of(value / scale))
            if len(kept) < most and all(abs(height - other) >= apart for other, _ in kept):
                said = f"{value:g}" if abs(value) < LARGE else f"{value:.0e}"
                kept.append((height, signed(said)))
        kept.sort()
        if len(kept) < 2:  # as between 1000 and 1001
            return evenly
        return [height for height, _ in kept], [said for _, said in kept]

    def _even_ticks(self, most: int, scale: float, apart: float) -> Ticks:
        """Return ticks at values with equal steps, as many as there is room for."""
        best: Ticks = [], []
        for stride in (1, 2):
            for many in range(2 * most, 1, -1):
                places, said = ticks(self.low * scale, self.high * scale, many)
                kept = self.of(np.array(places) / scale)[::stride]
                if len(best[0]) < len(kept) <= most and (np.diff(kept) >= apart).all():
                    best = kept.tolist(), said[::stride]
            if len(best[0]) > 1:
                return best
        return best[0] or kept[:1].tolist(), best[1] or said[:1]

    def _round_values(self, scale: float) -> list[float]:
        """Return round values between the bounds, the most welcome first."""
        low, high = self.low * scale, self.high * scale
        last = int(np.ceil(np.log10(max(abs(low), abs(high)))))
        powers = 10.0 ** np.arange(last, last - 7, -1)
        found = [
            sign * digit * power for digit in ROUND for power in powers for sign in (1.0, -1.0)
        ]
        return [value for value in [*found[:2], 0.0, *found[2:]] if low <= value <= high]

    def _written(self, value: float, scale: float) -> str:
        """Return a value in as many digits as tell it from others on the axis."""
        share = abs(value) / scale / (self.high - self.low)
        digits = 3 + max(0, int(np.log10(max(share, 1.0))))
        return signed(f"{value:.{min(digits, 17)}g}")

    def name(self, quantity: str, scale: float) -> str:
        """Return the name of the upright axis, which tells the rule and what is cut off."""
        said = quantity + (" (log)" if self.kind == "log" else "")
        low, high = (self._written(bound * scale, scale) for bound in (self.low, self.high))
        if all(self.is_cut):
            return f"{said} from {low} to {high}"
        return said + f" from {low}" * self.is_cut[0] + f" up to {high}" * self.is_cut[1]
