"""Scene -> artists: one file a view, and the table of their names.

A view draws the still part of one panel once and then moves its own artists to a step. It knows
no files and no command line. What it shows depends on the step alone, because matplotlib may ask
for a frame more than once. The table holds strings only, so that help stays light.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol

from optiviz.system.errors import InputError, unknown

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from optiviz.kinds.style import Style
    from optiviz.surfaces.plane import Progress
    from optiviz.views.themes import Theme


class Sort(NamedTuple):
    """What a name of the table stands for: "module:class", and what it can draw.

    options are the fields of Style that it heeds. dims are those of the surface, or of what is
    descended.
    """

    target: str
    dims: tuple[int, ...]
    of: Literal["surface", "descent", "response", "search", "basins"]
    options: tuple[str, ...]
    about: str


MANY = 3  # dimensions: those of all of a network's weights

# The first that fits is the default.
VIEWS = {
    "contour": Sort(
        "contour:Contour", (2,), "surface", ("levels", "labels", "field", "fill", "trail"),
        "the surface from above, with isolines",
    ),
    "curve": Sort(
        "curve:Curve", (1,), "surface", ("trail",), "a loss in one dimension, with tangents"
    ),
    "relief": Sort(
        "relief:Relief", (2,), "surface", ("levels", "trail", "orbit"), "the surface in 3-D"
    ),
    "loss": Sort("loss:Loss", (1, 2, MANY), "descent", ("smooth", "trail"), "loss against step"),
    "state": Sort(
        "state:State", (1, 2), "descent", ("trail",), "what an optimizer remembers, against step"
    ),
    "response": Sort(
        "response:Answers", (1,), "response", (), "a signal and its answers, in optiviz response"
    ),
    "trials": Sort(
        "trials:Trials", (1, 2, MANY), "search", (),
        "final loss against what was tried, in optiviz tune",
    ),
    "basins": Sort(
        "basins:Map", (2,), "basins", (), "which minimum each start reaches, in optiviz basins"
    ),
}  # fmt: skip


class Room(NamedTuple):
    """What a view wants around and of its Axes, in points."""

    left: float
    bottom: float
    ratios: tuple[float, float] | None = None  # least and most of width over height, if not any
    top: float = 0.0
    right: float = 0.0  # the margin of a picture counts as such


class Moving(Protocol):
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
        self.tracks: list[Moving] = []
        self.between: list[Artist] = []  # stand still, but are drawn anew between those that move
        self.progress: Progress | None = None  # who is told of what takes its time

    @property
    @abstractmethod
    def room(self) -> Room:
        """How much room it wants."""

    @property
    def marks(self) -> Sequence[str]:
        """The marks that the legend is to explain."""
        return ()

    @abstractmethod
    def build(self, axes: "Axes") -> None:
        """Draw the still part and make what moves."""

    def update(self, step: int) -> "Sequence[Artist]":
        """Move the artists to a step and return all of them, whatever the step."""
        return [*self.between, *(each for track in self.tracks for each in track.update(step))]


def check_views(view: str | None, dim: int, space: int, options: Collection[str]) -> list[str]:
    """Return the names in "contour+loss"; those that fit by default if None.

    dim is how many dimensions the surface has, space how many those who descend it move in, 0 if
    nobody does. Raises InputError for a name that is none, for a view that cannot draw so many
    dimensions, and for one of `options`, fields of a Style, that no view heeds.
    """
    provided = {"surface": dim} | ({"descent": space} if space else {})
    fitting = [name for name, sort in VIEWS.items() if provided.get(sort.of) in sort.dims]
    names = fitting[:1] if view is None else [name.strip() for name in view.split("+")]
    if view is not None and "," in view:
        raise InputError(f"{view!r}: + goes between two views, as in {view.replace(',', '+')}")
    for name in names:
        if name not in VIEWS:
            raise InputError(
                unknown("view", name, [each for each in VIEWS if VIEWS[each].of in provided])
            )
        if name not in fitting:
            sort = VIEWS[name]
            drawn = " or ".join(DIMENSIONS[each] for each in sort.dims)
            why = (
                f"draws {drawn}, not {DIMENSIONS[provided[sort.of]]}"
                if sort.of in provided
                else f"draws a {sort.of}, and there is none"
            )
            raise InputError(f"{name} {why}: choose from {', '.join(fitting)}")
    if len(set(names)) < len(names):
        raise InputError(f"{view!r} names a view twice")
    for option in sorted(options):
        heeding = [
            name
            for name in fitting
            if option in VIEWS[name].options and (space or option not in MOVING)
        ]
        if not set(heeding) & set(names):
            who = " and ".join(heeding) or f"no view of {DIMENSIONS[dim]} here"
            raise InputError(f"{'+'.join(names)} does not heed {option}: {who} would")
    return names


MOVING = ("trail", "smooth", "orbit")  # options that are of steps
DIMENSIONS = {1: "one dimension", 2: "two dimensions", MANY: "all of a network's weights"}


def load_view(name: str) -> type[View]:
    """Return the view of a name of the table."""
    module, _, cls = VIEWS[name].target.partition(":")
    view: type[View] = getattr(import_module(f"{__name__}.{module}"), cls)
    return view
