"""The common style of all views' Axes: spines, ticks and labels."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.transforms import Transform

from optiviz.themes import Theme
from optiviz.views import BoxConstraints
from optiviz.views.ticks import TICKS, Ticks, ticks

LETTER = 6.4  # width of a tick label's letter, in points
TICK, LENGTH = 10.0, 2.5  # font size of labels, and length of ticks
PADS = 3.5, 2.0  # points from a tick to its label beneath, and beside the axes
BESIDE, BENEATH = (
    LENGTH + PADS[1],
    LENGTH + PADS[0] + 10.0,
)  # points that ticks and their labels take
NAME = 15.0  # points that a name outside of the labels takes
SHORT = {"x": 12, "y": 2}  # letters of names that stand between two labels of ticks
ABOVE = 16.0  # points that a heading takes
LINE = 0.7  # width of spines and ticks


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
    for axis, pad in zip((axes.xaxis, axes.yaxis), PADS, strict=True):
        axis.set_tick_params(
            length=LENGTH, width=LINE, pad=pad, color=theme.muted, labelsize=TICK,
            labelcolor=theme.muted,
        )  # fmt: skip
    axes.spines[:].set(linewidth=LINE, color=theme.muted)


def style_chart(axes: Axes, theme: Theme) -> None:
    """Style Axes as a chart: two spines and a faint grid."""
    style_axes(axes, theme)
    axes.patch.set_visible(False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=theme.rule, linewidth=LINE)
    axes.set_axisbelow(True)


def set_limits(
    axes: Axes,
    axis: Literal["x", "y"],
    ends: tuple[float, float],
    find: Callable[[int], Ticks] | None = None,
    name: str = "",
    labelled: str = "xy",
    packed: bool = False,
) -> None:
    """Set the limits of an axis, its name, and as many ticks as there is room for their labels.

    find(n) returns about n ticks; unless specified these are round values between the limits. The
    name is in italics, in the row or column of the labels, between the last two if there is room.
    If the axis is not among those that are labelled, it has neither labels nor a name. If it is
    packed beside others, no label along it reaches beyond its ends.
    """
    find = find or partial(ticks, *ends)
    along, side = axis == "x", size_in_inches(axes)["xy".index(axis)]
    if along:
        axes.set_xlim(*ends)
    else:
        axes.set_ylim(*ends)
    drawn = axes.xaxis if along else axes.yaxis
    inner = name if len(name) <= SHORT[axis] and axis in labelled else ""
    if packed and along:
        find = partial(_within, find, drawn.get_transform(), ends, side)
    places, said = _fitting(find, drawn.get_transform(), ends, side, along, inner)
    drawn.set_ticks(places, said)
    if axis not in labelled:
        axes.tick_params(axis, **{"labelbottom" if along else "labelleft": False})
    elif name:
        _write_name(axes, drawn, axis, name, ends)


def _within(
    find: Callable[[int], Ticks], scale: Transform, ends: Sequence[float], long: float, many: int
) -> Ticks:
    """Return about `many` ticks whose labels lie within an axis, `long` inches long."""
    low, high = scale.transform(ends)
    points = 72 * long
    kept = [
        (place, said)
        for place, said in zip(*find(many), strict=True)
        for at in [(float(scale.transform(place)) - low) / (high - low) * points]
        if LETTER * len(said) / 2 <= min(at, points - at) + 1
    ]
    return [place for place, _ in kept], [said for _, said in kept]


def _fitting(
    find: Callable[[int], Ticks],
    scale: Transform,
    ends: Sequence[float],
    long: float,
    along: bool,
    name: str,
) -> Ticks:
    """Return ticks whose labels do not overlap on an axis, `long` inches long.

    Labels run along the axis (x) or stand beside it (y), and so does the name between the last two.
    """
    low, high = scale.transform(ends)
    widest = max(map(len, find(TICKS)[1]), default=0)  # for which there is room beside the axis
    for many in range(TICKS, 0, -1):
        places, said = find(many)
        if not along and max(map(len, said), default=0) > widest:
            continue
        at = np.sort(scale.transform(places)) / (high - low) * 72 * long
        letters = max(map(len, said), default=0)
        room = LETTER * letters + 8 if along else TICK + 5
        named = (LETTER * (letters + len(name)) + 10 if along else 2 * TICK + 4) if name else 0.0
        if (np.diff(at) >= room).all() and (len(at) < 2 or at[-1] - at[-2] >= named):
            return places, said
    return places[:1], said[:1]


def _write_name(
    axes: Axes, drawn: Axis, axis: Literal["x", "y"], name: str, ends: Sequence[float]
) -> None:
    """Write the name of an axis between its last two ticks, or outside of the labels."""
    scale = drawn.get_transform()
    low, high = scale.transform(ends)
    at = np.sort((scale.transform(drawn.get_ticklocs()) - low) / (high - low))
    if len(at) > 1:
        middle = (at[-1] + at[-2]) / 2
    else:
        middle = at[0] / 2 if at.size and at[0] > 0.5 else 0.75
    look = {"fontsize": TICK, "style": "italic", "color": drawn.get_tick_params()["labelcolor"]}
    short = len(name) <= SHORT[axis]
    place: dict[str, Any]
    if axis == "x":
        down = -(LENGTH + PADS[0] + 7.5 + (0.0 if short else NAME))
        place = {"xy": (middle if short else 0.5, 0), "xytext": (0, down), "ha": "center"}
    elif short:
        place = {"xy": (0, middle), "xytext": (-BESIDE, 0), "ha": "right", "va": "center"}
    else:
        letters = max((len(label.get_text()) for label in drawn.get_ticklabels()), default=0)
        left = -(BESIDE + LETTER * letters + NAME / 2 + 1)
        place = {
            "xy": (0, 0.5),
            "xytext": (left, 0),
            "ha": "center",
            "va": "center",
            "rotation": 90,
        }
    axes.annotate(
        name, xycoords="axes fraction", textcoords="offset points", annotation_clip=False,
        **look | place,
    )  # fmt: skip


def size_in_inches(axes: Axes) -> tuple[float, float]:
    """Return the width and height of Axes in inches."""
    box, (width, height) = axes.get_position(), figure_of(axes).get_size_inches()
    return float(box.width * width), float(box.height * height)


def figure_of(axes: Axes) -> Figure:
    """Return the figure of a view's Axes."""
    assert isinstance(axes.figure, Figure)
    return axes.figure


def stacked(axes: Axes, heights: Sequence[float]) -> list[Axes]:
    """Return panels one below the other, of these relative heights, in place of a view's Axes."""
    figure, box = figure_of(axes), axes.get_position()
    axes.set_axis_off()
    between = ABOVE / 72 / figure.get_size_inches()[1]
    unit = (box.height - between * (len(heights) - 1)) / sum(heights)
    panels, top = [], box.y1
    for high in heights:
        panels.append(figure.add_axes((box.x0, top - high * unit, box.width, high * unit)))
        top -= high * unit + between
    return panels


def set_step_limits(
    axes: Axes, steps: int, labelled: str = "xy", packed: bool = False, unit: str = "step"
) -> None:
    """Set the x axis to all steps, which are called `unit`, with room for heads at its end."""
    last = max(steps, 1)
    ends = -0.01 * last, 1.03 * last
    set_limits(axes, "x", ends, partial(_whole, last), unit, labelled, packed)


def _whole(last: int, many: int) -> Ticks:
    """Return about `many` ticks at whole steps, of which `last` is the last one."""
    while True:
        places, said = ticks(0, last, many)
        if many == 1 or all(place == int(place) for place in places):
            return places, said
        many -= 1


def set_heading(axes: Axes, theme: Theme, *ways: str) -> None:
    """Write a heading above Axes, on the left: the first of `ways` that fits."""
    room = 72 * size_in_inches(axes)[0]
    said = next((each for each in ways if LETTER * len(each) <= room), ways[-1])
    axes.set_title(said, loc="left", fontsize=TICK, color=theme.muted, pad=4.5)


def annotate_empty(axes: Axes, theme: Theme, said: str = "no finite value here") -> None:
    """Note in the middle of Axes that there is nothing to draw, and why."""
    axes.annotate(
        said, (0.5, 0.5), xycoords="axes fraction", ha="center", va="center",
        fontsize=TICK, color=theme.muted,
    )  # fmt: skip


def constraints_beside(
    labels: Sequence[str],
    ratios: tuple[float, float] | None = None,
    named: bool = False,
    names: tuple[str, str] = ("", ""),
) -> BoxConstraints:
    """Return the constraints of a view with axis labels, from the labels of its vertical ticks.

    With `named`, the view has a heading. names are those of its axes.
    """
    across, up = (len(name) > SHORT[axis] for axis, name in zip("xy", names, strict=True))
    left = BESIDE + LETTER * max(map(len, labels), default=1) + NAME * up
    return BoxConstraints(left, BENEATH + NAME * across, ratios, ABOVE if named else 0.0)
