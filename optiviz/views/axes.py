"""How the Axes of all views are dressed: spines, ticks and the words beside them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Transform

from optiviz.views import BoxConstraints
from optiviz.views.themes import Theme
from optiviz.views.ticks import TICKS, Ticks, ticks

LETTER = 6.4  # points of a tick's letter
BESIDE, BENEATH = 19.0, 30.0  # points of an axis label with its ticks, letters not counted
ABOVE = 16.0  # points of a name above
LABEL, TICK = 11.0, 10.0  # font sizes


class Box(NamedTuple):
    """A place in points, from the left and from the bottom."""

    left: float
    bottom: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def top(self) -> float:
        """Its upper edge."""
        return self.bottom + self.height


def style_axes(axes: Axes, theme: Theme) -> None:
    """Give Axes the look of the theme."""
    axes.set_facecolor(theme.background)
    axes.set_autoscale_on(False)
    axes.tick_params(length=3, width=0.8, color=theme.muted, labelsize=TICK, labelcolor=theme.muted)
    axes.spines[:].set(linewidth=0.8, color=theme.muted)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set(fontsize=LABEL, color=theme.muted)


def style_chart(axes: Axes, theme: Theme) -> None:
    """Give Axes the look of a chart of numbers: two spines and a faint grid."""
    style_axes(axes, theme)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=theme.muted, alpha=0.18, linewidth=0.8)
    axes.set_axisbelow(True)


def set_limits(
    axes: Axes,
    axis: Literal["x", "y"],
    ends: tuple[float, float],
    find: Callable[[int], Ticks] | None = None,
) -> None:
    """Set the ends of an axis, and as many ticks as there is room for their words.

    find returns about so many ticks; few and round ones between the ends if it is not given.
    """
    find = find or partial(ticks, *ends)
    if axis == "x":
        axes.set_xlim(*ends)
        axes.set_xticks(
            *_fitting(find, axes.xaxis.get_transform(), ends, size_in_inches(axes)[0], True)
        )
    else:
        axes.set_ylim(*ends)
        axes.set_yticks(
            *_fitting(find, axes.yaxis.get_transform(), ends, size_in_inches(axes)[1], False)
        )


def _fitting(
    find: Callable[[int], Ticks], scale: Transform, ends: Sequence[float], long: float, along: bool
) -> Ticks:
    """Return ticks whose words stand apart on an axis of so many inches."""
    low, high = scale.transform(ends)
    for many in range(TICKS, 0, -1):
        places, said = find(many)
        at = np.sort(scale.transform(places)) / (high - low) * 72 * long
        room = LETTER * max(map(len, said), default=0) + 8 if along else TICK + 5
        if (np.diff(at) >= room).all():
            return places, said
    return places[:1], said[:1]


def size_in_inches(axes: Axes) -> tuple[float, float]:
    """Return width and height of Axes."""
    box, (width, height) = axes.get_position(), figure_of(axes).get_size_inches()
    return float(box.width * width), float(box.height * height)


def figure_of(axes: Axes) -> Figure:
    """Return the figure that Axes of a view stand in."""
    assert isinstance(axes.figure, Figure)
    return axes.figure


def set_step_limits(axes: Axes, steps: int) -> None:
    """Let the x axis run over all steps, with room for heads at its end."""
    last = max(steps, 1)
    set_limits(axes, "x", (-0.01 * last, 1.02 * last), partial(ticks, 0, last))
    axes.set_xlabel("step")


def set_heading(axes: Axes, theme: Theme, *ways: str) -> None:
    """Say above Axes, on the left, what they show, in the first of these ways that fits."""
    room = 72 * size_in_inches(axes)[0]
    said = next((each for each in ways if LETTER * len(each) <= room), ways[-1])
    axes.set_title(said, loc="left", fontsize=TICK, color=theme.muted, pad=4)


def annotate_empty(axes: Axes, theme: Theme) -> None:
    """Say in the middle of Axes why there is nothing to see."""
    axes.annotate(
        "no finite value here", (0.5, 0.5), xycoords="axes fraction", ha="center", va="center",
        fontsize=TICK, color=theme.muted,
    )  # fmt: skip


def constraints_beside(
    labels: Sequence[str], ratios: tuple[float, float] | None = None, named: bool = False
) -> BoxConstraints:
    """Return the room of a view with axis labels and with these words at its ticks.

    A named one has words above.
    """
    left = BESIDE + LETTER * max(map(len, labels), default=1)
    return BoxConstraints(left, BENEATH, ratios, ABOVE if named else 0.0)
