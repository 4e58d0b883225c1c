"""The box around a relief: its edges, the ticks and the names of its axes.

All of it is in points. Which edges are axes depends on the camera: the two along the ground that
are nearest to it, and the upright one on the left. None of them crosses the surface, which is
within the box. Where the nearest corner is also the one on the left, the axis that would go back
from there, beside the upright one, is on the right instead.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D
from matplotlib.text import Text

from optiviz.objective import Array
from optiviz.relief.camera import Camera
from optiviz.relief.field import Bools
from optiviz.themes import Theme
from optiviz.views.axes import LENGTH, LINE, TICK
from optiviz.views.live import LiveText
from optiviz.views.relief_surface import joined
from optiviz.views.words import Ruler

HIGH = 7.6  # points of a digit of this font size
PAD = 3.5  # points between a tick and its label, and between labels and a name
APART = 5.0  # points between two labels
SHORT = 3  # letters of a name that stands upright; a longer one runs along its axis
EDGE, SLANT = 3.0, 0.8  # points around everything; share of a label beside the box
WALL, AXIS, LABEL = 0.4, 0.5, 2.0  # zorders: only words are above the surface
CHANGE, SHADES = 10.0, 5  # degrees within which the labels of an axis fade, and in how many steps


class Axis(NamedTuple):
    """An axis: the places of its ticks along it in the world, their labels, and its name."""

    places: Array
    said: Sequence[str]
    name: str


class Edges(NamedTuple):
    """Which edges are axes: on which side, -1 or 1, the x axis is along v and the y axis along u.

    left is the corner of the upright axis.
    """

    x_side: int
    y_side: int
    left: tuple[int, int]


class ReliefBox:
    """The box, whose artists are placed for a camera with the unit of the Axes, points.

    sides are those of its ground, and heights where it begins and ends. labels are the x, the y and
    the upright axis, with places in the world. If it fades, the labels of an axis do before it
    becomes another edge, as the camera turns.
    """

    def __init__(
        self,
        axes: Axes,
        theme: Theme,
        ruler: Ruler,
        sides: tuple[float, float],
        heights: tuple[float, float],
        labels: Sequence[Axis],
        fades: bool = False,
    ) -> None:
        self.theme, self.ruler, self.fades = theme, ruler, fades
        self.half, self.top = np.array(sides) / 2, axes.get_ylim()[1]
        self.low, self.high = heights
        self.x, self.y, self.upright = labels

        def line(color: str, width: float, above: float) -> Line2D:
            (drawn,) = axes.plot(
                [], [], color=color, linewidth=width, zorder=above, solid_capstyle="round"
            )
            return drawn

        self.walls = line(theme.rule, LINE, WALL)
        self.lines = line(theme.muted, LINE, AXIS)
        self.labels: list[list[Text]] = []
        self.names: list[Text] = []
        for axis in labels:
            texts = [_text(axes, said, True, color=theme.muted) for said in axis.said]
            upright = axis is self.upright or len(axis.name) <= SHORT
            name = _text(axes, axis.name, upright, color=theme.muted, style="italic")
            name.set_visible(bool(axis.name))
            self.labels.append(texts)
            self.names.append(name)

    @property
    def artists(self) -> list[Artist]:
        """All artists."""
        texts = [each for labels in self.labels for each in labels]
        return [self.walls, self.lines, *texts, *self.names]

    def margins(self) -> tuple[float, float, float, float]:
        """Return the points needed on the left, beneath, on the right and above the box."""
        named = PAD + HIGH if self.upright.name else 0.0
        if not self.upright.said:
            return EDGE, EDGE, EDGE, EDGE + named
        across, up, upright = (
            max((self.ruler.width(said, TICK) for said in axis.said), default=0.0)
            for axis in (self.x, self.y, self.upright)
        )
        beside = LENGTH + PAD
        ground = max(across, up)
        names = (PAD + HIGH) / 2 if self.x.name or self.y.name else 0.0
        return (
            beside + max(upright, SLANT * ground) + EDGE,
            beside + HIGH + EDGE + names,
            beside + SLANT * ground + EDGE,
            2 * PAD + named,
        )

    def corner(self, side: tuple[int, int], height: float) -> Array:
        """Return a corner of the box at some height, of shape (3,)."""
        return np.array([*(self.half * side), height])

    def place(self, camera: Camera, uncovered: Callable[[Array], Bools]) -> None:
        """Move all artists to where a camera sees the edges.

        uncovered(places) returns whether places, of shape (n, 2), show none of the surface. What
        would be written across it is left out.
        """
        edges = edges_seen(camera, self.half)
        self._uncovered = uncovered
        self._place_walls(camera)
        if self.fades:
            self._fade(camera, edges)
        drawn: list[Array] = []
        self._place_ground_axis(camera, 0, edges, drawn)
        self._place_ground_axis(camera, 1, edges, drawn)
        self._place_upright_axis(camera, edges, drawn)
        self.lines.set_data(*joined(drawn).T)

    def _fade(self, camera: Camera, edges: Edges) -> None:
        """Let the labels of an axis be the paler the sooner it is another edge, or has been."""
        opacity = [1.0, 1.0, 1.0]
        for shade in range(SHADES, 0, -1):
            for turn in (shade * CHANGE / SHADES, -shade * CHANGE / SHADES):
                soon = edges_seen(camera.turned(turn), self.half)
                for number, (one, other) in enumerate(zip(edges, soon, strict=True)):
                    if one != other:
                        opacity[number] = (shade - 1) / SHADES
        names: list[list[Text]] = [
            self.names[:1],
            self.names[1:2],
            [],
        ]  # the last stays where it is
        for labels, name, share in zip(self.labels, names, opacity, strict=True):
            for text in (*labels, *name):
                text.set_color(to_rgba(self.theme.muted, share))

    def _place_walls(self, camera: Camera) -> None:
        """Draw the two walls behind the surface, with a line at each tick of the upright axis."""
        near = _nearest(camera)
        back, others = (-near[0], -near[1]), [(-near[0], near[1]), (near[0], -near[1])]
        corners = [others[0], back, others[1]]
        drawn = [
            camera.places(np.array([self.corner(each, height) for each in corners]))
            for height in self._wall_heights()
        ]
        for each in corners:
            ends = [self.corner(each, height) for height in (self.low, self.high)]
            drawn.append(camera.places(np.array(ends)))
        drawn.append(camera.places(np.array([self.corner(each, self.low) for each in corners])))
        self.walls.set_data(*joined(drawn).T)

    def _wall_heights(self) -> Sequence[float]:
        """Return the heights of lines on the walls: the ticks, and the top if none is near."""
        near = 0.05 * (self.high - self.low)
        below = [float(each) for each in self.upright.places if each < self.high - near]
        return [*below, self.high]

    def _place_ground_axis(
        self, camera: Camera, number: int, edges: Edges, drawn: list[Array]
    ) -> None:
        """Draw the x or the y axis, with ticks across it and labels beyond them."""
        axis, labels, name = (self.x, self.y)[number], self.labels[number], self.names[number]
        side = (edges.x_side, edges.y_side)[number]

        half = self.half[number]
        ground = np.full((len(axis.places) + 3, 3), self.low)
        ground[:, number] = [-half, half, *axis.places, 0.0]
        ground[:, 1 - number] = side * self.half[1 - number]
        ground[-1, :2] = 0.0
        seen = camera.places(ground)
        ends, places, middle = seen[:2], seen[2:-1], seen[-1]
        drawn.append(ends)
        along = ends[1] - ends[0]
        out = np.array([along[1], -along[0]]) / max(np.hypot(*along), 1e-9)
        if out @ (ends.mean(axis=0) - middle) < 0:
            out = -out
        stride = self._stride(places, labels)
        wide = 0.0
        for nth, (at, text) in enumerate(zip(places, labels, strict=True)):
            text.set_visible(nth % stride == 0)
            if nth % stride:
                continue
            width = self.ruler.width(text.get_text(), TICK)
            reach = _reach(out, width)
            wide = max(wide, reach)
            middle = at + (LENGTH + PAD + reach) * out
            text.set_position(middle - (0, HIGH / 2))
            text.set_visible(self._is_free(middle, width))
            if text.get_visible():
                drawn.append(np.array([at, at + LENGTH * out]))
        middle = ends.mean(axis=0)
        beyond = LENGTH + 2 * PAD + 2 * wide
        if len(axis.name) <= SHORT:
            beyond += _reach(out, self.ruler.width(axis.name, TICK))
            name.set_position(middle + beyond * out - (0, HIGH / 2))
        else:
            angle = float(np.degrees(np.arctan2(along[1], along[0])))
            angle = (angle + 90) % 180 - 90
            name.set_position(middle + (beyond + HIGH / 2) * out)
            name.set_rotation(angle)

    def _stride(self, places: Array, labels: Sequence[Text]) -> int:
        """Return which ticks are labelled, every one or every second one and so on."""
        sizes = [self.ruler.width(text.get_text(), TICK) for text in labels]
        for stride in range(1, len(places)):
            kept = slice(None, None, stride)
            gaps = np.abs(np.diff(places[kept], axis=0))
            widths = np.array(sizes[kept])
            needed = (widths[1:] + widths[:-1]) / 2 + APART
            if ((gaps[:, 0] >= needed) | (gaps[:, 1] >= HIGH + APART)).all():
                return stride
        return max(len(places), 1)

    def _place_upright_axis(self, camera: Camera, edges: Edges, drawn: list[Array]) -> None:
        """Draw the upright axis, with ticks and labels on its left and its name above it."""
        axis, labels, name = self.upright, self.labels[2], self.names[2]
        low = min([self.low, *axis.places])
        heights = [low, self.high, *axis.places]
        seen = camera.places(np.array([self.corner(edges.left, each) for each in heights]))
        ends = seen[:2]
        drawn.append(ends)
        for at, text in zip(seen[2:], labels, strict=True):
            drawn.append(np.array([at, at - (LENGTH, 0)]))
            width = self.ruler.width(text.get_text(), TICK)
            text.set_position(at - (LENGTH + PAD + width / 2, HIGH / 2))
        width = self.ruler.width(axis.name, TICK)
        x, y = max(float(ends[1, 0]), width / 2 + 1), float(ends[1, 1]) + 2 * PAD + 2
        if self.fades or not self._is_free(np.array([x, y + HIGH / 2]), width):
            x, y = width / 2 + 1, self.top - HIGH - 2  # the corner of the panel
        name.set_position((x, y))

    def _is_free(self, middle: Array, width: float) -> bool:
        """Return whether a label shows none of the surface behind it."""
        across, up = np.meshgrid(np.linspace(-1, 1, 7), [-1, 0, 1])
        around = np.column_stack([across.ravel() * width / 2, up.ravel() * HIGH / 2])
        return bool(self._uncovered(middle + around).all())


def edges_seen(camera: Camera, half: Array) -> Edges:
    """Return which edges of a box are axes; half are half the sides of its ground."""
    nearest = _nearest(camera)
    corners = [(x, y) for x in (-1, 1) for y in (-1, 1)]
    ground = np.column_stack([corners * half, np.zeros(4)])
    across = dict(zip(corners, camera.project(ground).x.tolist(), strict=True))
    left = min(corners, key=lambda corner: across[corner])
    x_side, y_side = nearest[1], nearest[0]
    if left == nearest:
        # The nearest corner and the one behind it on the left have this coordinate in common.
        along_u, along_v = (-left[0], left[1]), (left[0], -left[1])
        if across[along_u] < across[along_v]:
            x_side = -x_side
        else:
            y_side = -y_side
    return Edges(x_side, y_side, left)


def _nearest(camera: Camera) -> tuple[int, int]:
    """Return the corner of the ground that is nearest to a camera."""
    u, v = camera.away
    return (-1 if u > 0 else 1), (-1 if v > 0 else 1)


def _reach(out: Array, width: float) -> float:
    """Return how far a label reaches from its middle in a direction."""
    return float(abs(out[0]) * width + abs(out[1]) * HIGH) / 2


def _text(axes: Axes, said: str, upright: bool, **look: Any) -> Text:
    """Add a text whose place is the middle of its baseline or, unless upright, its middle."""
    cls = LiveText if upright else Text
    text = cls(
        0, 0, said, fontsize=TICK, ha="center", va="baseline" if upright else "center",
        rotation_mode="anchor", clip_on=False, zorder=LABEL, **look,
    )  # fmt: skip
    axes.add_artist(text)
    return text
