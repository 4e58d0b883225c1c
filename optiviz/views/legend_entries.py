"""The static marks that a picture's key explains, each with its label and its style."""

from collections.abc import Callable
from typing import Any, NamedTuple

from optiviz.views.paths import minimum_style, start_style
from optiviz.views.themes import Theme

Style = dict[str, Any]  # keywords of Axes.plot


class LegendEntry(NamedTuple):
    """A mark of the key: its label and its style.

    {} in a label stands for the largest distance of a path from the plane. half_length is half the
    length of a line's sample, in points; sample is the room for it, 0 for a label alone.
    """

    label: str
    style: Callable[[Theme], Style] = lambda theme: {"linestyle": "none"}
    half_length: float = 0.0
    sample: float = 14.0


def _muted(marker: str, **more: Any) -> Callable[[Theme], Style]:
    """Return the style of a marker in the theme's muted colour."""
    return lambda theme: {"color": theme.muted, "marker": marker, "linestyle": "none", **more}


GRADIENT = LegendEntry(
    "gradient", lambda theme: {"color": theme.muted, "linewidth": 1.4}, half_length=4.0
)
COORDINATES = LegendEntry("x strong, y thin", sample=0.0)
REACHED = LegendEntry(
    "minimum",
    lambda theme: (
        minimum_style(theme) | {"markersize": 10.0, "color": theme.areas[0], "markeredgewidth": 0.0}
    ),
)
SOONER = LegendEntry("brighter: sooner", sample=0.0)
NOWHERE = LegendEntry("none", _muted("s", alpha=0.35))
SURFACE_ENTRIES = {  # by the names in a scene's legend_entries
    "start": LegendEntry(
        "start", lambda theme: start_style(theme) | {"markersize": 8.0, "markeredgewidth": 1.5}
    ),
    "minimum": LegendEntry(
        "minimum", lambda theme: minimum_style(theme) | {"markersize": 12.0, "markeredgewidth": 0.8}
    ),
    "away": LegendEntry("out of view", _muted(">")),
    "distance": LegendEntry("paler: up to {} off the plane", _muted("o", alpha=0.5)),
}
