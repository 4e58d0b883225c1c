"""Views, which turn a scene into matplotlib artists: one file per view.

A view draws the static part of its panel once and then moves its artists to a step. It knows
nothing of files or the command line. What it shows depends on the step alone, because matplotlib
may request a frame more than once.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from optiviz.registry import VIEWS, Quality

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from optiviz.kinds.style import Style
    from optiviz.system.progress import Progress
    from optiviz.themes import Theme
    from optiviz.views.legend_entries import LegendEntry


class BoxConstraints(NamedTuple):
    """What the Axes of a view need: points for labels on each side, and an aspect ratio.

    ratios are bounds of width over height; a chart has none. A view is as high as its weight says
    where several charts share a height, and has as many strips with a name above each. With
    own_axis the horizontal axis of a chart is not that of steps, which charts share.
    """

    left: float
    bottom: float
    ratios: tuple[float, float] | None = None
    top: float = 0.0
    right: float = 0.0
    weight: float = 1.9
    strips: int = 1
    own_axis: bool = False


class Animated(Protocol):
    """A group of artists that can be moved to a step."""

    def update(self, step: int) -> "Sequence[Artist]":
        """Move to a step and return the artists that move."""


class View(ABC):
    """One panel of a scene: created, built once into its Axes, then updated."""

    accompanies: ClassVar[bool] = False  # whether it stands beside what a picture is about

    def __init__(self, scene: Any, theme: "Theme", style: "Style") -> None:
        self.scene = scene
        self.theme = theme
        self.style = style
        self.path_artists: list[Animated] = []
        self.redrawn: list[Artist] = []  # static, but redrawn among the moving ones
        self.remarks: tuple[str, ...] = ()  # on what it could not draw, after `build`
        self.progress: Progress | None = None  # called during slow work
        self.quality: Quality = "standard"  # of images
        self.labelled = "xy"  # the axes whose ticks have labels, and which have a name
        self.may_stretch = False  # whether x and y may differ in scale unless specified
        self.packed = False  # whether others are so near that no label may reach beyond the axes

    @property
    @abstractmethod
    def constraints(self) -> BoxConstraints:
        """The margins and the aspect ratio that the Axes need, known before `build`."""

    @property
    def legend_entries(self) -> "Sequence[LegendEntry]":
        """The marks that the key explains."""
        return ()

    @abstractmethod
    def build(self, axes: "Axes") -> None:
        """Draw the static part into Axes and create the moving artists."""

    def update(self, step: int) -> "Sequence[Artist]":
        """Move the artists to a step and return all of them, the same at every step."""
        return [
            *self.redrawn,
            *(each for track in self.path_artists for each in track.update(step)),
        ]


def load_view(name: str) -> type[View]:
    """Return the class of a view, by its name in `registry.VIEWS`."""
    module, _, cls = VIEWS[name].target.partition(":")
    view: type[View] = getattr(import_module(f"{__name__}.{module}"), cls)
    return view
