"""Marks that stand still and are explained by a picture's key, each with its words and its look."""

from collections.abc import Callable
from typing import Any, NamedTuple

from optiviz.views.marks import ring, star
from optiviz.views.themes import Theme

Look = dict[str, Any]  # keywords of Axes.plot


class KeyMark(NamedTuple):
    """A mark: what the key says of it, where {} is how far paths are off the plane, and its look.

    A look without a colour has no sample. reach is half the length of a line's sample, in points.
    """

    words: str
    look: Callable[[Theme], Look] = lambda theme: {"linestyle": "none"}
    reach: float = 0.0


def _muted(marker: str, **more: Any) -> Callable[[Theme], Look]:
    """Return the look of a marker in the colour of what is read second."""
    return lambda theme: {"color": theme.muted, "marker": marker, "linestyle": "none", **more}


GRADIENT = KeyMark("gradient", lambda theme: {"color": theme.muted, "linewidth": 1.4}, reach=4.0)
COORDINATES = KeyMark("x strong, y thin")
REACHED = KeyMark(
    "minimum",
    lambda theme: (
        star(theme) | {"markersize": 10.0, "color": theme.paths[0], "markeredgewidth": 0.0}
    ),
)
SOONER = KeyMark("brighter: sooner")
NOWHERE = KeyMark("none", _muted("s", alpha=0.35))
OF_SURFACE = {  # by the names that a scene has for them
    "start": KeyMark(
        "start", lambda theme: ring(theme) | {"markersize": 7.0, "markeredgewidth": 1.0}
    ),
    "minimum": KeyMark("known minimum", lambda theme: star(theme) | {"markersize": 10.0}),
    "away": KeyMark("out of view", _muted(">")),
    "distance": KeyMark("paler: up to {} off the plane", _muted("o", alpha=0.5)),
}
