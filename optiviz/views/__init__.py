"""Scene -> artists: one file a view.

A view draws the still part of one panel once and then moves its own artists to a step. It knows
no files and no command line. What it shows depends on the step alone, because matplotlib may ask
for a frame more than once.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from optiviz.registry import VIEWS

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from optiviz.kinds.style import Style
    from optiviz.system.progress import Progress
    from optiviz.views.legend_entries import LegendEntry
    from optiviz.views.themes import Theme


class BoxConstraints(NamedTuple):
    """What a view wants around and of its Axes, in points."""

    left: float
    bottom: float
    ratios: tuple[float, float] | None = None  # least and most of width over height, if not any
    top: float = 0.0
    right: float = 0.0  # the margin of a picture counts as such


class Animated(Protocol):
    """Artists that belong together and are moved to a step."""

    def update(self, step: int) -> "Sequence[Artist]":
        """Move to a step and return what moved."""


class View(ABC):
    """One panel: made for a scene, built once into its Axes, then updated."""

    projection: ClassVar[str | None] = None  # of the Axes, in matplotlib's words

    def __init__(self, scene: Any, theme: "Theme", style: "Style") -> None:
        self.scene = scene
        self.theme = theme
        self.style = style
        self.path_artists: list[Animated] = []
        self.redrawn: list[Artist] = []  # stand still, but are drawn anew between those that move
        self.progress: Progress | None = None  # who is told of what takes its time

    @property
    @abstractmethod
    def constraints(self) -> BoxConstraints:
        """How much room it wants."""

    @property
    def legend_entries(self) -> "Sequence[LegendEntry]":
        """The marks that the legend is to explain: those of `key.py`, or its own."""
        return ()

    @abstractmethod
    def build(self, axes: "Axes") -> None:
        """Draw the still part and make what moves."""

    def update(self, step: int) -> "Sequence[Artist]":
        """Move the artists to a step and return all of them, whatever the step."""
        return [
            *self.redrawn,
            *(each for track in self.path_artists for each in track.update(step)),
        ]


def load_view(name: str) -> type[View]:
    """Return the view of a name of the table."""
    module, _, cls = VIEWS[name].target.partition(":")
    view: type[View] = getattr(import_module(f"{__name__}.{module}"), cls)
    return view
