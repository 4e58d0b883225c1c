"""The common style of all views' Axes: spines, ticks and labels."""

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

LETTER = 6.4  # width of a tick label's letter, in points
BESIDE, BENEATH = 19.0, 30.0  # points that an axis label and ticks take, without letters
ABOVE = 16.0  # points that a heading takes
LABEL, TICK = 11.0, 10.0  # font sizes


class Box(NamedTuple):
    """A rectangle in points, from the left and from the bottom of the picture."""

    left: float
    bottom: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.left + self.width

    @property
    def top(self) -> float:
        """The upper edge."""
        return self.bottom + self.height


def style_axes(axes: Axes, theme: Theme) -> None:
    """Style Axes in the colours of the theme."""
    axes.set_facecolor(theme.background)
    axes.set_autoscale_on(False)
    axes.tick_params(length=3, width=0.8, color=theme.muted, labelsize=TICK, labelcolor=theme.muted)
    axes.spines[:].set(linewidth=0.8, color=theme.muted)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set(fontsize=LABEL, color=theme.muted)


def style_chart(axes: Axes, theme: Theme) -> None:
    """Style Axes as a chart: two spines and a faint grid."""
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
    """Set the limits of an axis, and as many ticks as there is room for their labels.

    find(n) returns about n ticks; unless specified these are round values between the limits.
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
    """Return ticks whose labels do not overlap on an axis, `long` inches long.

    Labels run along the axis (x) or stand beside it (y).
    """
    low, high = scale.transform(ends)
    for many in range(TICKS, 0, -1):
        places, said = find(many)
        at = np.sort(scale.transform(places)) / (high - low) * 72 * long
        room = LETTER * max(map(len, said), default=0) + 8 if along else TICK + 5
        if (np.diff(at) >= room).all():
            return places, said
    return places[:1], said[:1]


def size_in_inches(axes: Axes) -> tuple[float, float]:
    """Return the width and height of Axes in inches."""
    box, (width, height) = axes.get_position(), figure_of(axes).get_size_inches()
    return float(box.width * width), float(box.height * height)


def figure_of(axes: Axes) -> Figure:
    """Return the figure of a view's Axes."""
    assert isinstance(axes.figure, Figure)
    return axes.figure


def set_step_limits(axes: Axes, steps: int) -> None:
    """Set the x axis to all steps, with room for heads at its end."""
    last = max(steps, 1)
    set_limits(axes, "x", (-0.01 * last, 1.02 * last), partial(ticks, 0, last))
    axes.set_xlabel("step")


def set_heading(axes: Axes, theme: Theme, *ways: str) -> None:
    """Write a heading above Axes, on the left: the first of `ways` that fits."""
    room = 72 * size_in_inches(axes)[0]
    said = next((each for each in ways if LETTER * len(each) <= room), ways[-1])
    axes.set_title(said, loc="left", fontsize=TICK, color=theme.muted, pad=4)


def annotate_empty(axes: Axes, theme: Theme) -> None:
    """Note in the middle of Axes that there is nothing to draw."""
    axes.annotate(
        "no finite value here", (0.5, 0.5), xycoords="axes fraction", ha="center", va="center",
        fontsize=TICK, color=theme.muted,
    )  # fmt: skip


def constraints_beside(
    labels: Sequence[str], ratios: tuple[float, float] | None = None, named: bool = False
) -> BoxConstraints:
    """Return the constraints of a view with axis labels, from the labels of its vertical ticks.

    With `named`, the view has a heading.
    """
    left = BESIDE + LETTER * max(map(len, labels), default=1)
    return BoxConstraints(left, BENEATH, ratios, ABOVE if named else 0.0)
