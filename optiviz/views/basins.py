"""The basins view: colour shows the minimum that each start reaches, brightness how soon."""

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.image import AxesImage

from optiviz.kinds.basins import BasinsScene
from optiviz.kinds.style import Style
from optiviz.objective import Array
from optiviz.themes import Theme
from optiviz.views import legend_entries
from optiviz.views.paths import minimum_style
from optiviz.views.plane import PlaneView

BRIGHT, DARK = 0.45, 0.55  # shares of white and of black that are mixed in at the ends
LEVELS = 24  # of brightness, few enough for the colours of a GIF
NOWHERE = 0.35  # share of the muted colour where no minimum is reached


class BasinsView(PlaneView):
    """The grid of starts after k steps, coloured where a run has reached a minimum and stayed.

    Colours are those of the minima, which are drawn as stars. Brightness runs from the first step
    to the last one at which a run of any optimizer in the picture arrives.
    """

    scene: BasinsScene
    legend_entries = (legend_entries.REACHED, legend_entries.SOONER, legend_entries.NOWHERE)

    def __init__(self, scene: BasinsScene, theme: Theme, style: Style) -> None:
        super().__init__(scene, theme, style)
        (self.entry,) = scene.entries
        self.image: AxesImage | None = None

    def build(self, axes: Axes) -> None:
        self.style_plane(axes)
        across, up = self.scene.surface.window.intervals
        self.colors = self._colors()
        self.empty = np.array(mixed(self.theme.background, self.theme.muted, NOWHERE))
        self.image = axes.imshow(
            self._picture(self.scene.steps), extent=(*across, *up), origin="lower", aspect="auto",
            interpolation="nearest", zorder=1,
        )  # fmt: skip
        style = minimum_style(self.theme, len(self.scene.minima))
        for number, point in enumerate(self.scene.minima):
            (drawn,) = axes.plot(*point, **style | {"color": minimum_color(self.theme, number)})
            drawn.set_markeredgecolor(self.theme.casing)
            self.redrawn.append(drawn)

    def _colors(self) -> Array:
        """Return the final colour of each cell, shape (rows, columns, 3)."""
        basins, last = self.entry.basins, max(self.scene.latest, 1)
        hues = np.array(
            [to_rgb(minimum_color(self.theme, each)) for each in range(len(self.scene.minima))]
        )
        if not len(hues):
            hues = np.zeros((1, 3))
        share = np.round(np.clip(basins.arrived / last, 0, 1) * (LEVELS - 1)) / (LEVELS - 1)
        toward = np.where(share < 0.5, 1.0, 0.0)[..., None]
        much = np.where(share < 0.5, BRIGHT * (1 - 2 * share), DARK * (2 * share - 1))[..., None]
        colors: Array = hues[basins.reached] * (1 - much) + toward * much
        return colors

    def _picture(self, step: int) -> Array:
        arrived = self.entry.basins.arrived
        here = (arrived >= 0) & (arrived <= step)
        picture: Array = np.where(here[..., None], self.colors, self.empty)
        return (255 * picture).round().astype(np.uint8)

    def update(self, step: int) -> Sequence[Artist]:
        assert self.image is not None
        self.image.set_data(self._picture(step))
        return [self.image, *self.redrawn]


def minimum_color(theme: Theme, number: int) -> str:
    """Return the colour of a minimum by its number; colours repeat after the last of the theme."""
    return theme.areas[number % len(theme.areas)]


def mixed(one: str, other: str, share: float) -> list[float]:
    """Return the RGB values of `one`, mixed with this share, from 0 to 1, of `other`."""
    return [a + share * (b - a) for a, b in zip(to_rgb(one), to_rgb(other), strict=True)]
