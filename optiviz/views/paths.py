"""How paths look and move: the same styles in every view and in the legend."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike

from optiviz.kinds.base import Entry
from optiviz.objective import Array
from optiviz.themes import Theme

EDGE_MARKERS = ("<", ">"), ("v", "^")  # by axis: at its lower and at its upper end
MARKERS = ("o", "s", "D", "^", "v", "<", ">")
DASHES: tuple[Any, ...] = (
    "-", (0, (4, 1.6)), (0, (1, 1.2)), (0, (6, 1.4, 1, 1.4)), (0, (9, 3)), (0, (3, 1, 1, 1, 1, 1))
)  # fmt: skip
LINE_WIDTH = 1.8
HIDDEN_WIDTH, HIDDEN_DASH = 1.3, (0, (0.1, 2.4))  # of what a hill hides; dots, with round ends
CASING_WIDTH = 0.9  # on each side of a line
# The latest steps of a path are drawn wider, like the tail of a comet: from and to so many steps
# back, and the width. Two tiers change fewer pixels from frame to frame than a smooth tail.
COMET = (10, 4, 2.7), (4, 0, 3.6)
HEAD_SIZE, CHART_HEAD_SIZE, OUTSIDE_SIZE, START_SIZE = 9.5, 7.0, 10.5, 10.0
ANCHOR_SIZE = 6.5
HEAD_EDGE = 1.5  # width
# By marker: its size, so that all look equally large.
MARKER_SCALES = {"s": 0.9, "D": 0.82, "^": 1.08, "v": 1.08, "<": 1.08, ">": 1.08}
REACH = 3.0 * HEAD_SIZE  # points from its end at which a head begins to move aside
MINIMUM_SIZE = 17.0  # of up to a dozen minima; if there are more, they are smaller
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


def path_style(theme: Theme, entry: Entry, start: int = 0) -> PathStyle:
    """Return the style of an entry's path from one start, numbered from 0.

    After the last colour of the theme, colours repeat with another marker and line style.
    """
    again, hue = divmod(entry.number, len(theme.paths))
    marker = MARKERS[(entry.number + again) % len(MARKERS)]
    dash = DASHES[(start + again * (not entry.color)) % len(DASHES)]
    return PathStyle(entry.color or theme.paths[hue], marker, dash)


def head_style(theme: Theme, style: PathStyle, size: float = HEAD_SIZE) -> dict[str, Any]:
    """Return keywords of Axes.plot for the head of a path: its marker, where it is now."""
    return {
        "color": style.color, "marker": style.marker, "linestyle": "none",
        "markersize": size * MARKER_SCALES.get(style.marker, 1.0),
        "markeredgecolor": theme.casing, "markeredgewidth": HEAD_EDGE * size / HEAD_SIZE,
    }  # fmt: skip


class Strokes:
    """The lines of a path in 2-D on a surface: its casing, and the comet of its latest steps.

    They are one artist, whose segments are drawn in order, so that a path lies above another as a
    whole.
    """

    def __init__(
        self,
        axes: Axes,
        style: PathStyle,
        theme: Theme,
        trail: bool,
        above: float,
        scale: float,
        **line: Any,
    ) -> None:
        tiers = [(LINE_WIDTH * scale, style.dash), *((width * scale, "-") for *_, width in COMET)]
        cased = [(theme.casing, width + 2 * CASING_WIDTH, "-") for width, _ in tiers]
        colored = [(style.color, *tier) for tier in tiers]
        faded = [(to_rgba(style.color, FADED_OPACITY), *tiers[0])] * trail
        colors, widths, dashes = zip(*faded, *cased, *colored, strict=True)
        self.trail = trail
        self.drawn = LineCollection(
            [], colors=colors, linewidths=widths, linestyles=dashes, capstyle="round",
            joinstyle="round", zorder=above, **line,
        )  # fmt: skip
        axes.add_collection(self.drawn, autolim=False)
        self.artists: list[Artist] = [self.drawn]

    def update(self, vertices: Array, begin: int, ends: Sequence[int]) -> None:
        """Draw the path from vertex `begin` on, fade what is before; ends are those of tiers."""
        end = ends[-1]
        tiers = [vertices[begin : end + 1]]
        for first, last in zip(ends[:-1:2], ends[1::2], strict=True):
            tiers.append(vertices[max(first, begin) : max(last, begin) + 1])
        faded = [vertices[: begin + 1]] * self.trail
        self.drawn.set_segments([*faded, *tiers, *tiers])


class Lines:
    """The line of a path in a chart, and the faded part before it.

    The head is a marker of the line itself.
    """

    def __init__(
        self, axes: Axes, style: PathStyle, trail: bool, above: float, **line: Any
    ) -> None:
        width = line.pop("linewidth", LINE_WIDTH)
        look: dict[str, Any] = {
            "color": style.color, "linewidth": width, "linestyle": style.dash,
            "solid_capstyle": "round", "solid_joinstyle": "round", **line,
        }  # fmt: skip

        def add(**settings: Any) -> Line2D:
            (drawn,) = axes.plot([], [], **settings)
            return drawn

        self.faded = add(**look | {"alpha": FADED_OPACITY, "zorder": above}) if trail else None
        self.line = add(**look | {"zorder": above + 0.6})
        self.artists: list[Artist] = [*([] if self.faded is None else [self.faded]), self.line]

    def update(self, vertices: Array, begin: int, ends: Sequence[int]) -> None:
        """Draw the path from vertex `begin` on, and fade what is before."""
        if self.faded is not None:
            self.faded.set_data(*vertices[: begin + 1].T)
        self.line.set_data(*vertices[begin : ends[-1] + 1].T)
        self.line.set_markevery([ends[-1] - begin])


class PathArtist:
    """A growing path: a line with a casing and a head, and the faded part beyond the trail.

    vertices has shape (n, 2). ends, of shape (steps + 1,), is the index of the vertex at which each
    step ends; at later steps the path stays at the last one. number is that of the entry, and layer
    says when the path is drawn, which is by number unless specified. With a trail, only that many
    of the latest steps are drawn in full; older ones are faded, or left out unless `faded`. The
    casing is a thin border that sets the path off from a surface; charts do without, and without
    the wider comet of the latest steps. plane_proximity, from 0 to 1 for each step, makes the head
    paler the farther it is from the drawn plane. With a window, the intervals of the axes, a head
    outside it is drawn as a triangle at the edge. scale is that of the width of the line, which has
    further keywords of Axes.plot.
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
        faded: bool = True,
        casing: bool = True,
        head: bool = True,
        plane_proximity: Array | None = None,
        window: Sequence[tuple[float, float]] = (),
        layer: int | None = None,
        scale: float = 1.0,
        **line: Any,
    ) -> None:
        self.vertices, self.ends, self.trail = vertices, np.asarray(ends, int), trail
        self.places = vertices  # of the head, at the same vertices
        self.opacity = (
            None if plane_proximity is None else MIN_OPACITY + (1 - MIN_OPACITY) * plane_proximity
        )
        layer = number if layer is None else layer
        above, fades = PATH_ZORDER + layer, faded and trail is not None
        self.strokes: Strokes | Lines
        if casing:
            self.strokes = Strokes(axes, style, theme, fades, above, scale, **line)
        else:
            self.strokes = Lines(axes, style, fades, above, **line)
        self.head: Line2D | None = None
        self.style = head_style(theme, style, HEAD_SIZE if casing else CHART_HEAD_SIZE)
        if head and not casing:
            self.strokes.artists[-1].set(**self.style | {"linestyle": style.dash})
        elif head:
            (self.head,) = axes.plot(
                [], [], **self.style, zorder=HEAD_ZORDER + layer,
                clip_on=not len(window),
            )  # fmt: skip
        self.window: Array = np.reshape(window, (-1, 2)).astype(float)
        self.number = number
        self.aside = self.points = np.zeros(2)

    @property
    def end(self) -> Array:
        """Where it ends, shape (2,)."""
        last: Array = self.places[-1]
        return last

    def move_aside(self, aside: Array, points: Array) -> None:
        """Let the head stand beside the end of the path, and move there as it comes near.

        aside is the distance in the units of the axes, and points that of one unit in points.
        """
        self.aside, self.points = aside, points

    @property
    def artists(self) -> list[Artist]:
        """The artists that move."""
        return [*self.strokes.artists, *([] if self.head is None else [self.head])]

    def update(self, step: int) -> list[Artist]:
        """Move to a step and return the artists that move."""
        last = len(self.ends) - 1
        end = int(self.ends[min(step, last)])
        begin = 0 if self.trail is None else int(self.ends[min(max(step - self.trail, 0), last)])
        back = [steps for tier in COMET for steps in tier[:2]]
        ends = [int(self.ends[max(min(step, last) - steps, 0)]) for steps in back]
        self.strokes.update(self.vertices, begin, [*ends[:-1], end])
        if self.head is not None:
            place = self.places[end : end + 1]
            if self.opacity is not None:
                self.head.set_alpha(float(self.opacity[min(step, last)]))
            if self.aside.any():
                place = place + aside_at(place[0], self.end, self.aside, self.points)
            self.head.set_data(*(self._within(place[0])[None] if len(self.window) else place).T)
        return self.artists

    def _within(self, place: Array) -> Array:
        """Return a place or, if it is outside the window, the nearest one at its edge.

        The head becomes a triangle that points out of the window there.
        """
        assert self.head is not None
        low, high = self.window.T
        edge: Array = place.clip(low, high)
        beyond = (place - edge) / (high - low)
        axis = int(np.abs(beyond).argmax())
        outside = bool(beyond[axis])
        marker = EDGE_MARKERS[axis][int(beyond[axis] > 0)] if outside else self.style["marker"]
        if self.head.get_marker() != marker:
            self.head.set_marker(marker)
            self.head.set_markersize(OUTSIDE_SIZE if outside else self.style["markersize"])
        return edge


def aside_at(place: Array, end: Array, aside: Array, points: Array) -> Array:
    """Return how far a head stands aside at a place on the way to its end, all of shape (2,).

    aside is how far it stands aside at its end, and points is the length of each unit in points.
    """
    away = float(np.hypot(*((place - end) * points)))
    return max(0.0, 1 - away / REACH) * aside


def minimum_style(theme: Theme, many: int = 1) -> dict[str, Any]:
    """Return keywords of Axes.plot for known minima, of which there are `many`."""
    return {
        "linestyle": "none", "marker": "*", "color": theme.minimum, "markeredgewidth": 1.1,
        "markersize": MINIMUM_SIZE * min(1.0, (12 / max(many, 1)) ** 0.4),
        "markeredgecolor": theme.edge, "zorder": MINIMUM_ZORDER,
        "clip_on": False,
    }  # fmt: skip


def anchor_style(theme: Theme) -> dict[str, Any]:
    """Return keywords of Axes.plot for the checkpoints that a plane leads through."""
    return {
        "linestyle": "none", "marker": "D", "color": theme.background, "markersize": ANCHOR_SIZE,
        "markeredgecolor": theme.ink, "markeredgewidth": 1.3, "zorder": START_ZORDER - 0.2,
        "clip_on": False,
    }  # fmt: skip


def draw_anchors(axes: Axes, theme: Theme, names: Sequence[str], points: Array) -> None:
    """Draw named points, shape (n, 2), each with its name above it."""
    axes.plot(*points.T, **anchor_style(theme))
    for name, point in zip(names, points, strict=True):
        said = axes.annotate(
            name, tuple(point), (0, 8), textcoords="offset points", ha="center", va="bottom",
            fontsize=9, color=theme.ink, zorder=START_ZORDER,
        )  # fmt: skip
        said.set_path_effects([withStroke(linewidth=2.5, foreground=theme.background)])


def start_style(theme: Theme) -> dict[str, Any]:
    """Return keywords of Axes.plot for starting points."""
    return {
        "linestyle": "none", "marker": "o", "color": theme.background, "markersize": START_SIZE,
        "markeredgecolor": theme.ink, "markeredgewidth": 1.8, "zorder": START_ZORDER,
        "clip_on": False,
    }  # fmt: skip
