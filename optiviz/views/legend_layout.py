"""The layout of a legend, made before any text is drawn: widths are estimated per letter."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from optiviz.kinds.base import Entry, Scene
from optiviz.views.axes import Box
from optiviz.views.legend_entries import LegendEntry

NAME, DETAIL, STEP, KEY = 12.0, 10.5, 13.0, 10.0  # font sizes
# Widths of letters, as shares of the font size: bold, for names and settings on one line and for
# the step; for names on a line of their own; for the key; and for settings, on a line of their own
# and on a shared one.
BOLD, NAMED, SMALL, SETTINGS, BRIEF = 0.66, 0.64, 0.62, 0.58, 0.56
HEADER, FOOTER = 44.0, 26.0  # points above the first row, and for the key below the last one
# Heights of a row in points: the most, the most beneath views, and the least for two lines.
ROW, LOW, TIGHT = 46.0, 34.0, 25.0
COLUMN, BETWEEN = 215.0, 26.0  # points: the least width of a column, and the space between two
MIN_ROW_SCALE = 0.95  # least scale of the text of a row with two lines
SWATCH = 30.0  # points from the left edge to the names
SAMPLE, APART, LINE = 14.0, 18.0, 15.0  # points in the key: a marker, between two entries, a line


class LegendBoxes(NamedTuple):
    """The places of a legend's texts, in points from the left and from the bottom.

    step is the left end of the step counter's baseline. quantities are right ends of baselines,
    one per column. key is the lowest line of the key; more lines may stand above it. rows are the
    boxes of the entries.
    """

    step: tuple[float, float]
    key: Box
    quantities: Sequence[tuple[float, float]]
    rows: Sequence[Box]


class LegendLayout:
    """The layout of a scene's legend: rows for its entries, and lines of the key for `marks`."""

    def __init__(self, scene: Scene[Any], marks: Sequence[LegendEntry]) -> None:
        self.scene = scene
        self.legend_entries = marks
        self.longest = [longest_number(entry) for entry in scene.entries]

    def label(self, mark: LegendEntry) -> str:
        """Return the text of a mark in the key."""
        return mark.label.format(number(self.scene.max_plane_distance, 3))

    def stacked(self, place: Box, header: float = HEADER) -> LegendBoxes:
        """Return the layout of rows stacked in a place, in as many columns as fit.

        header is the distance from the top of the place to the first row, in points.
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
        if header < HEADER:  # beneath the panels, where nothing else is level with the key
            above = self._footer(place.width) - FOOTER  # the key's other lines
            key = max(key, min(row.bottom for row in rows) - 16 - above)
        foot = Box(place.left, key, place.width, KEY)
        return LegendBoxes((place.left, first), foot, [(x, first) for x in rights], rows)

    def above(self, panels: Sequence[Box], strip: Box) -> LegendBoxes:
        """Return the layout of one row above each panel, with the step and the key on a strip."""
        middle = strip.bottom + 8
        rows = [Box(panel.left, panel.top + 4, panel.width, LOW) for panel in panels]
        counter = self.scene.step_label(self.scene.steps)
        key = BOLD * STEP * len(counter) + BETWEEN if counter else 0.0
        line = Box(strip.left + key, middle, strip.width - key, KEY)
        return LegendBoxes((strip.left, middle), line, (), rows)

    def height(self, width: float) -> float:
        """Return the height of the legend at this width, in points, given enough room."""
        rows = -(-len(self.scene.entries) // self._columns(width))
        return LOW + LOW * rows + self._footer(width)

    def width(self, height: float) -> float:
        """Return about the width that shows all rows in full at this height, in points."""
        row = (height - HEADER - FOOTER) / len(self.scene.entries)
        if row >= TIGHT:
            return self.detailed
        lines = [
            BOLD * NAME * (len(entry.heading) + len(self.longest[number]))
            + BRIEF * DETAIL * len(self.detail(number, self.scene.steps))
            for number, entry in enumerate(self.scene.entries)
        ]
        return SWATCH + 20 + row_size(row) * max(lines)

    def _columns(self, width: float) -> int:
        fitting = int((width + BETWEEN) // (max(COLUMN, self.detailed) + BETWEEN))
        return max(1, min(fitting, len(self.scene.entries)))

    @property
    def detailed(self) -> float:
        """About the width of the longest row on two lines, in points."""
        lines = []
        for number, entry in enumerate(self.scene.entries):
            lines.append(NAMED * NAME * (len(entry.heading) + len(self.longest[number])) + 12)
            lines.append(SETTINGS * DETAIL * len(self.detail(number, self.scene.steps)))
        return SWATCH + max(lines)

    def detail(self, number: int, step: int) -> str:
        """Return the text beside the name of an entry at a step."""
        remark, detail = self.status(number, step), self.scene.entries[number].detail
        return f"{remark}  {detail}" if remark else detail

    def status(self, number: int, step: int) -> str:
        """Return the remark about an entry at a step, empty if there is none."""
        return self.scene.status(self.scene.entries[number], step)

    def key(self, width: float) -> list[list[LegendEntry]]:
        """Return the marks on each line of a key of this width in points, the lowest line first."""
        lines: list[list[LegendEntry]] = [[]]
        used = 0.0
        for mark in self.legend_entries:
            wide = SAMPLE + SMALL * KEY * len(self.label(mark)) + APART
            if lines[0] and used + wide > width:
                lines.insert(0, [])
                used = 0.0
            lines[0].append(mark)
            used += wide
        return lines

    def _footer(self, width: float) -> float:
        return FOOTER + LINE * (len(self.key(width)) - 1) if self.legend_entries else 0.0


def row_size(row: float) -> float:
    """Return the scale of the text in a row of this height in points, at most 1."""
    if row < TIGHT:
        return MIN_ROW_SCALE * min(1.0, row / (1.14 * NAME))
    return max(MIN_ROW_SCALE, min(1.0, row / (0.85 * ROW)))


def entry_number(entry: Entry, step: int) -> str:
    """Return an entry's number at a step as text, or the range of several.

    Without a finite number it is a dash.
    """
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
    """Format a number, equally long in every frame: 3.500, 1990, 24777, 3.12e-5.

    digits is the number of significant digits; numbers in scientific notation have three.
    """
    if 1e4 <= abs(value) < 1e5:
        return f"{value:.0f}"
    written = f"{value:#.{digits}g}"
    if "e" in written:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    return written.removesuffix(".")


def longest_number(entry: Entry) -> str:
    """Return the longest text of an entry's number, over up to 500 evenly spaced steps."""
    steps = np.unique(np.linspace(0, entry.steps, 500).astype(int))
    return max((entry_number(entry, step) for step in steps), key=len)
