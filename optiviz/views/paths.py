"""How paths look and move: the same styles in every view and in the legend."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from optiviz.objective import Array
from optiviz.views.themes import Theme

NOWHERE = np.full((1, 2), np.nan)
EDGE_MARKERS = ("<", ">"), ("v", "^")  # by axis: at its lower and at its upper end
MARKERS = ("o", "s", "D", "^", "v", "<", ">")
DASHES: tuple[Any, ...] = (
    "-", (0, (4, 1.6)), (0, (1, 1.2)), (0, (6, 1.4, 1, 1.4)), (0, (9, 3)), (0, (3, 1, 1, 1, 1, 1))
)  # fmt: skip
LINE_WIDTH = 2.0
CASING_WIDTH = 1.0  # on each side of a line
HEAD_SIZE, OUTSIDE_SIZE = 9.0, 10.5
MINIMUM_SIZE = 15.0  # of up to a dozen minima; if there are more, they are smaller
FADED_OPACITY = 0.3  # opacity of the part of a path that the trail has left
MIN_OPACITY = 0.25  # opacity of a head as far from the drawn plane as can be

# Moving artists lie above all static ones, spines and ticks (2.5) included. Minima lie above the
# paths, which would hide them, and below the heads, so they are redrawn in every frame.
START_ZORDER, PATH_ZORDER, MINIMUM_ZORDER, HEAD_ZORDER = 3.0, 10.0, 90.0, 100.0


@dataclass(frozen=True)
class PathStyle:
    """The colour, marker and line style of one path, in matplotlib's terms."""

    color: str
    marker: str
    dash: Any


def path_style(theme: Theme, entry: int, start: int = 0) -> PathStyle:
    """Return the style of an entry's path from one start, both numbered from 0.

    After the last colour of the theme, colours repeat with another marker and line style.
    """
    again, hue = divmod(entry, len(theme.paths))
    marker = MARKERS[(entry + again) % len(MARKERS)]
    return PathStyle(theme.paths[hue], marker, DASHES[(start + again) % len(DASHES)])


class PathArtist:
    """A growing path: a line with a casing and a head, and the faded part beyond the trail.

    vertices has shape (n, 2), or (n, 3) in 3-D Axes. ends, of shape (steps + 1,), is the index of
    the vertex at which each step ends; at later steps the path stays at the last one. number is
    that of the entry and sets the drawing order. With a trail, only that many of the latest steps
    are drawn in full and older ones are faded. The casing is a thin border that sets the path off
    from a surface; charts do without. plane_proximity, from 0 to 1 for each step, makes the head
    paler the farther it is from the drawn plane. With a window, the intervals of the axes, a head
    outside it is drawn as a triangle at the edge. line has keywords of Axes.plot.
    """

    def __init__(
        self,
        axes: Axes,
        vertices: Array,
        ends: ArrayLike,
        style: PathStyle,
        theme: Theme,
        number: int,
        trail: int | None = None,
        casing: bool = True,
        head: bool = True,
        plane_proximity: Array | None = None,
        window: Sequence[tuple[float, float]] = (),
        **line: Any,
    ) -> None:
        self.vertices, self.ends, self.trail = vertices, np.asarray(ends, int), trail
        self.opacity = (
            None if plane_proximity is None else MIN_OPACITY + (1 - MIN_OPACITY) * plane_proximity
        )

        def add(**settings: Any) -> Line2D:
            (drawn,) = axes.plot(*[[]] * vertices.shape[1], **settings)
            return drawn

        above = PATH_ZORDER + number
        width = line.pop("linewidth", LINE_WIDTH)
        stroke = {
            "color": style.color, "linewidth": width, "linestyle": style.dash,
            "solid_capstyle": "round", **line,
        }  # fmt: skip
        self.faded = add(**stroke | {"alpha": FADED_OPACITY, "zorder": above}) if trail else None
        self.line = add(**stroke | {"zorder": above + 0.6})
        self.casing = self.head = self.outside = None
        if casing:
            self.casing = add(
                color=theme.casing, linewidth=width + 2 * CASING_WIDTH, alpha=0.85,
                solid_capstyle="round", zorder=above + 0.3,
            )  # fmt: skip
        if head:
            point: dict[str, Any] = {
                "color": style.color, "markersize": HEAD_SIZE, "linestyle": "none",
                "markeredgecolor": theme.casing, "markeredgewidth": 1.4,
                "zorder": HEAD_ZORDER + number,
            }  # fmt: skip
            self.head = add(marker=style.marker, **point)
            if window:
                self.outside = add(
                    marker="<", clip_on=False, **point | {"markersize": OUTSIDE_SIZE}
                )
        self.window: Array = np.reshape(window, (-1, 2)).astype(float)

    @property
    def artists(self) -> list[Artist]:
        """The artists that move."""
        moving = (self.faded, self.casing, self.line, self.head, self.outside)
        return [each for each in moving if each is not None]

    def update(self, step: int) -> list[Artist]:
        """Move to a step and return the artists that move."""
        last = len(self.ends) - 1
        end = self.ends[min(step, last)]
        begin = 0
        if self.faded is not None and self.trail is not None:
            begin = self.ends[min(max(step - self.trail, 0), last)]
            set_line_data(self.faded, self.vertices[: begin + 1])
        for line, first in [(self.casing, begin), (self.line, begin), (self.head, end)]:
            if line is not None:
                set_line_data(line, self.vertices[first : end + 1])
        if self.head is not None and self.opacity is not None:
            self.head.set_alpha(float(self.opacity[min(step, last)]))
        if self.outside is not None:
            place = self.vertices[end]
            low, high = self.window.T
            edge = place.clip(low, high)
            beyond = (place - edge) / (high - low)
            axis = int(np.abs(beyond).argmax())
            set_line_data(self.outside, NOWHERE)
            if beyond[axis]:
                set_line_data(self.outside, edge[None])
                set_line_data(self.head, NOWHERE)
                self.outside.set_marker(EDGE_MARKERS[axis][int(beyond[axis] > 0)])
        return self.artists


def set_line_data(line: Any, vertices: Array) -> None:
    """Set the data of a line in two or in three dimensions."""
    setter: Callable[..., None] = getattr(line, "set_data_3d", line.set_data)
    setter(*vertices.T)


def minimum_style(theme: Theme, many: int = 1) -> dict[str, Any]:
    """Return keywords of Axes.plot for known minima, of which there are `many`."""
    return {
        "linestyle": "none", "marker": "*", "color": theme.minimum, "markeredgewidth": 1.0,
        "markersize": MINIMUM_SIZE * min(1.0, (12 / max(many, 1)) ** 0.4),
        "markeredgecolor": theme.edge, "zorder": MINIMUM_ZORDER,
        "clip_on": False,
    }  # fmt: skip


def start_style(theme: Theme) -> dict[str, Any]:
    """Return keywords of Axes.plot for starting points."""
    return {
        "linestyle": "none", "marker": "o", "color": theme.casing, "markersize": 11.0,
        "markeredgecolor": theme.ink, "markeredgewidth": 1.6, "zorder": START_ZORDER,
        "clip_on": False,
    }  # fmt: skip
