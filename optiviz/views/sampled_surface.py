"""A surface sampled on a grid, and contour levels that show its structure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from optiviz.objective import Array
from optiviz.surfaces.surface import Surface
from optiviz.system.progress import Progress

BANDS = 22
POWERS = 0.12, 4.0  # bounds of the exponent that spaces the levels


def contour_levels(values: Array, bands: int = BANDS) -> Array:
    """Return rising levels that show the structure of a surface's values on a grid.

    values may have any shape; what is not finite is ignored. With u the value scaled to [0, 1],
    levels are evenly spaced in u**p, where p puts the middle level at the median: half of the
    picture lies below it. So a canyon between steep walls and a shallow dip in a plateau both get
    lines. p is limited to 0.12 to 4. Returns shape (bands + 1,), equal levels left out, or an
    empty array if no value is finite or all are equal.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return finite
    low, high = float(finite.min()), float(finite.max())
    middle = (float(np.median(finite)) - low) / (high - low) if high > low else 0.0
    power = float(np.clip(np.log(0.5) / np.log(np.clip(middle, 1e-9, 1 - 1e-9)), *POWERS))
    levels = low + (high - low) * np.linspace(0, 1, bands + 1) ** (1 / power)
    return np.unique(levels) if high > low else finite[:0]


def _blank(blank: int, points: int) -> str:
    """Return a sentence on so many points of a plane that have no finite loss."""
    if blank == points:
        return f"none of {points} points of the plane has a finite loss: choose a smaller --domain"
    has = "has" if blank == 1 else "have"
    return f"{blank} of {points} points of the plane {has} no finite loss: left blank"


@dataclass(frozen=True, eq=False)
class SampledSurface:
    """A surface on a grid: x, y and values have shape (samples, samples).

    matplotlib treats 1e250 as infinity, so values are divided by `scale`, which is 1 except for
    very large values. levels, of shape (n,), apply to the divided values.
    """

    x: Array
    y: Array
    values: Any  # masked where the surface is undefined
    scale: float
    levels: Array
    remarks: tuple[str, ...] = ()  # on what is blank of the loss of a network or a model

    @classmethod
    def sample(
        cls,
        surface: Surface,
        most: int,
        levels: int | Sequence[float] | None = None,
        progress: Progress | None = None,
    ) -> "SampledSurface":
        """Sample a two-dimensional surface over its window, at most `most` points per side.

        levels are their number or their values. Unless specified they are the surface's own, or
        those of `contour_levels` if it has none.
        """
        (left, right), (bottom, top) = surface.window.intervals
        many = surface.grid_size(most)
        across, up = np.linspace(left, right, many), np.linspace(bottom, top, many)
        with np.errstate(all="ignore"):
            values = np.ma.masked_invalid(surface.sample_grid(across, up, progress))
        x, y = np.meshgrid(across, up)
        own = surface.levels if levels is None else levels
        largest = float(abs(values).max()) if values.count() else 0.0
        if not isinstance(own, int):
            largest = max([largest, *map(abs, own)])
        scale = max(1.0, largest / 1e200)
        values = values / scale
        if isinstance(own, int):
            chosen = contour_levels(values.compressed(), own)
        else:
            chosen = np.array(own) / scale if own else contour_levels(values.compressed())
        blank = values.size - values.count()
        remarks = [_blank(blank, values.size)] if blank and surface.learns else []
        return cls(x, y, values, scale, chosen, tuple(remarks))

    @property
    def inner(self) -> Array:
        """The levels between the lowest and the highest value, shape (n,)."""
        if not self.values.count():
            return self.levels[:0]
        low, high = self.values.min(), self.values.max()
        crossing: Array = self.levels[(self.levels > low) & (self.levels < high)]
        return crossing

    def shares(self, values: Any) -> Any:
        """Return the positions of values among the levels: 0 below the first, 1 above the last.

        The result has the shape of `values`; it is 0.5 if there are fewer than two levels.
        """
        places = np.linspace(0, 1, len(self.levels))
        if len(self.levels) < 2:
            return np.full(np.shape(values), 0.5)
        return np.interp(values, self.levels, places)
