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


@dataclass(frozen=True)
class Density:
    """The density exp(-(f - lowest) / temperature), which is 1 where the loss f is lowest."""

    temperature: float
    lowest: float

    @classmethod
    def of_losses(cls, losses: Any, temperature: float) -> "Density":
        """Return the density of losses, of which those that are not finite are ignored."""
        known = np.ma.masked_invalid(losses).compressed()
        return cls(temperature, float(known.min()) if known.size else 0.0)

    def of(self, losses: Any) -> Any:
        """Return the density where the loss is `losses`."""
        return np.exp(-(losses - self.lowest) / self.temperature)

    def slope(self, losses: Array, slopes: Array) -> Array:
        """Return the slope of the density where the loss has these slopes."""
        return np.asarray(-slopes / self.temperature * self.of(losses))


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
    density: Density | None = None  # of which values are, None if they are losses

    @classmethod
    def sample(
        cls,
        surface: Surface,
        most: int,
        levels: int | Sequence[float] | None = None,
        progress: Progress | None = None,
        temperature: float | None = None,
    ) -> "SampledSurface":
        """Sample a two-dimensional surface over its window, at most `most` points per side.

        levels are their number or their values. Unless specified they are the surface's own, or
        those of `contour_levels` if it has none. With a temperature, the values are those of the
        density, whose levels are evenly spaced.
        """
        (left, right), (bottom, top) = surface.window.intervals
        many = surface.grid_size(most)
        across, up = np.linspace(left, right, many), np.linspace(bottom, top, many)
        with np.errstate(all="ignore"):
            values = np.ma.masked_invalid(surface.sample_grid(across, up, progress))
        x, y = np.meshgrid(across, up)
        density = None if temperature is None else Density.of_losses(values, temperature)
        own = surface.levels if levels is None else levels
        if density is not None:
            values = density.of(values)
            bands = BANDS if levels is None else levels
            own = tuple(np.linspace(0, 1, bands + 1)) if isinstance(bands, int) else bands
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
        return cls(x, y, values, scale, chosen, tuple(remarks), density)

    def value(self, losses: Array) -> Array:
        """Return values where the surface has these losses."""
        values = losses if self.density is None else self.density.of(losses)
        return np.asarray(values / self.scale)

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
