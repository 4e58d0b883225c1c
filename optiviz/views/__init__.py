"""Scene -> artists: one file a view, and the table of their names.

A view draws the still part of one panel once and then moves its own artists to a step. It knows
no files and no command line. What it shows depends on the step alone, because matplotlib may ask
for a frame more than once.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from optiviz.errors import InputError, unknown
from optiviz.scene import Scene
from optiviz.themes import Theme

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

VIEWS = {"contour": "contour:Contour"}


class View(Protocol):
    """One panel: made for a scene, built once into its Axes, then updated."""

    def __init__(self, scene: Scene, theme: Theme) -> None:
        """Remember what to draw; raise InputError if this view cannot draw it."""

    def build(self, axes: "Axes") -> None:
        """Draw the still part and make the artists that move."""

    def update(self, step: int) -> "Sequence[Artist]":
        """Move the artists to a step and return all of them, whatever the step."""


def load_view(name: str) -> type[View]:
    """Return the view of a name of the table."""
    if name not in VIEWS:
        raise InputError(unknown("view", name, VIEWS))
    module, _, cls = VIEWS[name].partition(":")
    view: type[View] = getattr(import_module(f"{__name__}.{module}"), cls)
    return view
