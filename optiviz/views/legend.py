"""The words of a picture: the step, and each entry with its settings and its number.

One legend for all views of a picture: beside them, beneath them, or a row above each of them. It
stands in Axes of its own, because stock writers lose animated text that belongs to the figure.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.text import Text

from optiviz.kinds.base import Entry, Scene
from optiviz.views.axes import Box
from optiviz.views.live import LiveText
from optiviz.views.marks import HEAD_SIZE, LINE_WIDTH, mark, ring, star
from optiviz.views.themes import Theme

NAME, DETAIL, STEP, KEY = 12.0, 10.5, 13.0, 10.0  # font sizes
HEADER, FOOTER = 44.0, 26.0  # points above the first row, and for the key under the last one
ROW, LOW, TIGHT = 46.0, 34.0, 25.0  # points of a row; beneath views; with one line, not two
COLUMN, BETWEEN = 215.0, 26.0  # points of a column of rows at least, and between two
SMALLEST = 0.95  # share of their size that two lines have at least
SWATCH = 30.0  # points from the left edge to the names
SAMPLE, APART, LINE = 14.0, 18.0, 15.0  # points of the key: of a mark, between two, of a line
SHORTEST = 40.0  # points that the name has at least in a row of one line
MARKS = {
    "start": "start",
    "minimum": "known minimum",
    "gradient": "gradient",
    "away": "out of view",
    "distance": "paler: up to {} off the plane",
    "coordinates": "x strong, y thin",
    "reached": "minimum",
    "sooner": "brighter: sooner",
    "nowhere": "none",
}


class Words(NamedTuple):
    """Where the legend's words stand, in points from the left and from the bottom.

    step and quantities are where a line of words begins, or ends for the last; key is a line,
    above which there may be more; rows are the boxes of the entries.
    """

    step: tuple[float, float]
    key: Box
    quantities: Sequence[tuple[float, float]]
    rows: Sequence[Box]


class Legend:
    """The step counter, one row an entry (swatch, name, settings, current number), and a key.

    marks are what the key explains.
    """

    def __init__(self, scene: Scene[Any], theme: Theme, marks: Sequence[str]) -> None:
        self.scene = scene
        self.theme = theme
        self.marks = marks
        self.said = MARKS | {"distance": MARKS["distance"].format(number(scene.farthest, 3))}
        self.longest = [_longest(entry) for entry in scene.entries]
        self.losses: list[Text] = []
        self.remarks: dict[int, tuple[Text, float]] = {}  # by row: the text, its room in points
        self.brief = False  # whether there is no room to say of how many steps
        self.shown: dict[int, str] = {}  # by row: what the text says in whole

    def build(self, figure: Figure, words: Words) -> None:
        """Write the still words, in Axes over all of the figure whose unit is a point."""
        self.dpi = figure.dpi
        width, height = 72 * figure.get_size_inches()
        # What stands still is drawn before the views, and what is live after them, so that a frame
        # need not draw it again.
        self.axes, self.live = (
            figure.add_axes((0, 0, 1, 1), zorder=order, xlim=(0, width), ylim=(0, height))
            for order in (-1, 1)
        )
        for each in (self.axes, self.live):
            each.set_axis_off()
        self.step = self._write_live(*words.step, "", STEP, weight="bold")
        self.step.set_text(self.scene.counter(self.scene.steps))
        end = words.step[0] + self._width(self.step)
        for right, y in words.quantities:
            look = {"color": self.theme.muted, "ha": "right"}
            name = self._write(right, y, self.scene.quantity, DETAIL, **look)
            self.brief |= end > right - self._width(name)
        for number, (entry, row) in enumerate(zip(self.scene.entries, words.rows, strict=True)):
            self._build_row(number, entry, row)
        self._build_key(words.key)

    def update(self, step: int) -> Sequence[Artist]:
        counter = self.scene.counter(step)
        self.step.set_text(counter.partition(" of ")[0] if self.brief else counter)
        for entry, loss in zip(self.scene.entries, self.losses, strict=True):
            loss.set_text(_number(entry, step))
        for number, (text, room) in self.remarks.items():
            if (detail := self._detail(number, step)) != self.shown.get(number):
                self.shown[number] = detail
                text.set_text(detail)
                warned = self._remark(number, step)
                text.set_color(self.theme.warning if warned else self.theme.muted)
                self._fit(text, room, " ")
        return [self.step, *self.losses, *(text for text, _ in self.remarks.values())]

    def stacked(self, place: Box, header: float = HEADER) -> Words:
        """Return the words one under another in a place, in as many columns as fit.

        header is how many points the first row stands under the top.
        """
        columns = self._columns(place.width)
        lines = -(-len(self.scene.entries) // columns)
        wide = (place.width - BETWEEN * (columns - 1)) / columns
        high = min(ROW, (place.height - header - self._footer(place.width)) / lines)
        first = place.top - 14
        rows = []
        for number in range(len(self.scene.entries)):
            column, line = divmod(number, lines)
            top = place.top - header - line * high
            rows.append(Box(place.left + column * (wide + BETWEEN), top - high, wide, high))
        rights = dict.fromkeys(row.left + row.width for row in rows)
        key = place.bottom + 5
        if header < HEADER:  # beneath the panels: nothing stands at the key's height
            above = self._footer(place.width) - FOOTER  # the key's other lines
            key = max(key, min(row.bottom for row in rows) - 16 - above)
        foot = Box(place.left, key, place.width, KEY)
        return Words((place.left, first), foot, [(x, first) for x in rights], rows)

    def above(self, panels: Sequence[Box], strip: Box) -> Words:
        """Return the words as one row above each panel, the step and the key on a strip."""
        middle = strip.bottom + 8
        rows = [Box(panel.left, panel.top + 4, panel.width, LOW) for panel in panels]
        counter = self.scene.counter(self.scene.steps)
        key = 0.66 * STEP * len(counter) + BETWEEN if counter else 0.0
        line = Box(strip.left + key, middle, strip.width - key, KEY)
        return Words((strip.left, middle), line, (), rows)

    def height(self, width: float) -> float:
        """Return how high it is, in points, in so wide a place, if there is room enough."""
        rows = -(-len(self.scene.entries) // self._columns(width))
        return LOW + LOW * rows + self._footer(width)

    def width(self, height: float) -> float:
        """Return about how wide it must be in so high a place to show all rows whole, in points."""
        row = (height - HEADER - FOOTER) / len(self.scene.entries)
        if row >= TIGHT:
            return self.detailed
        lines = [
            0.66 * NAME * (len(entry.heading) + len(self.longest[number]))
            + 0.56 * DETAIL * len(self._detail(number, self.scene.steps))
            for number, entry in enumerate(self.scene.entries)
        ]
        return SWATCH + 20 + _size(row) * max(lines)

    def _columns(self, width: float) -> int:
        fitting = int((width + BETWEEN) // (max(COLUMN, self.detailed) + BETWEEN))
        return max(1, min(fitting, len(self.scene.entries)))

    @property
    def detailed(self) -> float:
        """About how wide the longest of all rows is on two lines."""
        lines = []
        for number, entry in enumerate(self.scene.entries):
            lines.append(0.64 * NAME * (len(entry.heading) + len(self.longest[number])) + 12)
            lines.append(0.58 * DETAIL * len(self._detail(number, self.scene.steps)))
        return SWATCH + max(lines)

    def _detail(self, number: int, step: int) -> str:
        """Return what stands beside the name in a step."""
        remark, detail = self._remark(number, step), self.scene.entries[number].detail
        return f"{remark}  {detail}" if remark else detail

    def _remark(self, number: int, step: int) -> str:
        return self.scene.remark(self.scene.entries[number], step)

    def _build_row(self, number: int, entry: Entry, row: Box) -> None:
        """Write an entry's row; in a tight one its settings stand behind its name."""
        tight, size = row.height < TIGHT, _size(row.height)
        right, y = row.left + row.width, row.top - NAME
        left = row.left + self.swatch
        if self.swatch:
            self._build_swatch(entry, row.left, y + 4 * size, size)
        loss = self._write_live(right, y, self.longest[number], NAME * size, ha="right")
        self.losses.append(loss)
        free = self._width(loss) + 8
        name = self._write(left, y, entry.heading, NAME * size, weight="bold")
        whole = self._detail(number, self.scene.steps)
        write = self._write if whole == entry.detail else self._write_live
        detail = write(0, y, whole, DETAIL * size, color=self.theme.muted)
        if tight:
            room = row.width - self.swatch - free
            self._fit(name, max(SHORTEST * size, room - 6 - self._width(detail)))
            x = left + self._width(name) + 6
        else:
            self._fit(name, row.width - self.swatch - free)
            x, y, free = left, y - min(15.0, row.height / 2), 0.0
        detail.set_position((x, y))
        self._fit(detail, right - free - x, " ")
        if whole != entry.detail:
            self.remarks[number] = (detail, right - free - x)

    @property
    def swatch(self) -> float:
        """How far names stand from the left edge, in points."""
        return SWATCH if self.scene.colored else 0.0

    def _build_swatch(self, entry: Entry, left: float, middle: float, size: float) -> None:
        """Draw a piece of an entry's path before its name."""
        look = mark(self.theme, entry.number)
        self.axes.plot(
            [left, left + 22], [middle, middle], color=look.color, linestyle=look.dash,
            linewidth=LINE_WIDTH * 1.2,
        )  # fmt: skip
        self.axes.plot(
            left + 22, middle, color=look.color, marker=look.marker, markersize=HEAD_SIZE * size,
            markeredgecolor=self.theme.background, markeredgewidth=1.2,
        )  # fmt: skip

    def _key(self, width: float) -> list[list[str]]:
        """Return the marks of each of the key's lines in so wide a place, the lowest first."""
        lines: list[list[str]] = [[]]
        used = 0.0
        for name in self.marks:
            wide = SAMPLE + 0.62 * KEY * len(self.said[name]) + APART
            if lines[0] and used + wide > width:
                lines.insert(0, [])
                used = 0.0
            lines[0].append(name)
            used += wide
        return lines

    def _footer(self, width: float) -> float:
        return FOOTER + LINE * (len(self._key(width)) - 1) if self.marks else 0.0

    def _build_key(self, place: Box) -> None:
        """Explain the marks that stand still."""
        known = {
            "start": ring(self.theme) | {"markersize": 7.0, "markeredgewidth": 1.0},
            "minimum": star(self.theme) | {"markersize": 10.0},
            "gradient": {"color": self.theme.muted, "linewidth": 1.4},
            "away": {"color": self.theme.muted, "marker": ">", "linestyle": "none"},
            "distance": {
                "color": self.theme.muted,
                "marker": "o",
                "linestyle": "none",
                "alpha": 0.5,
            },
            "coordinates": {"linestyle": "none"},
            "reached": star(self.theme)
            | {"markersize": 10.0, "color": self.theme.paths[0], "markeredgewidth": 0.0},
            "sooner": {"linestyle": "none"},
            "nowhere": {
                "color": self.theme.muted,
                "marker": "s",
                "linestyle": "none",
                "alpha": 0.35,
            },
        }
        for line, names in enumerate(self._key(place.width)):
            x, y = place.left + 5.0, place.bottom + LINE * line
            for name in names:
                wide = 4.0 if name == "gradient" else 0.0
                self.axes.plot([x - wide, x + wide], [y + 3.5] * 2, **known[name])
                left = x + SAMPLE - 5.0 if known[name].get("color") else x - 5.0
                text = self._write(left, y, self.said[name], KEY, color=self.theme.muted)
                x = left + self._width(text) + APART

    def _write(self, x: float, y: float, said: str, size: float, **look: object) -> Text:
        settings = {"color": self.theme.ink, "va": "baseline", "ha": "left"} | look
        return self.axes.text(x, y, said, fontsize=size, **settings)  # type: ignore[arg-type]

    def _write_live(self, x: float, y: float, said: str, size: float, **look: object) -> Text:
        settings = {"color": self.theme.ink} | look
        text = LiveText(x, y, said, fontsize=size, clip_on=False, **settings)  # type: ignore[arg-type]
        self.live.add_artist(text)
        return text

    def _width(self, text: Text) -> float:
        return float(text.get_window_extent().width) * 72 / self.dpi

    def _fit(self, text: Text, room: float, between: str = "") -> None:
        """Shorten a text that is wider than `room` points, ending in an ellipsis.

        A name is first set smaller and then cut at a letter; settings are cut at a space or before
        a schedule, so that no number is cut into another one.
        """
        size = float(text.get_fontsize())
        for share in (1.0, 0.94, 0.88) if not between else ():
            text.set_fontsize(share * size)
            if self._width(text) <= room:
                return
        said = text.get_text()
        parts = re.split("(?=[ @])", said) if between else list(said)
        for count in range(len(parts), 0, -1):
            whole = count == len(parts)
            text.set_text("".join(parts[:count]).rstrip() + ("" if whole else between + "…"))
            if self._width(text) <= room:
                return
        text.set_text("…")


def _size(row: float) -> float:
    """Return the share of their size that words have in a row of so many points."""
    if row < TIGHT:
        return SMALLEST * min(1.0, row / (1.14 * NAME))
    return max(SMALLEST, min(1.0, row / (0.85 * ROW)))


def _number(entry: Entry, step: int) -> str:
    """Write the one number of an entry in a step, or the lowest and the highest of several."""
    values = entry.values(step)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return "–"
    low, high = finite.min(), finite.max()
    if entry.shares:
        return f"{low:.1%}"
    if len(values) == 1:
        return number(low, 4)
    ends = [number(low, 3), number(high, 3)]
    return " to ".join(dict.fromkeys(ends))


def number(value: float, digits: int) -> str:
    """Write a number with the same digits in every frame: 3.500, 1990, 24777, 3.12e-5."""
    if 1e4 <= abs(value) < 1e5:
        return f"{value:.0f}"
    written = f"{value:#.{digits}g}"
    if "e" in written:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    return written.removesuffix(".")


def _longest(entry: Entry) -> str:
    """Return the longest that the number of an entry is in writing, of up to 500 steps."""
    steps = np.unique(np.linspace(0, entry.steps, 500).astype(int))
    return max((_number(entry, step) for step in steps), key=len)
