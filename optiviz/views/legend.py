"""The legend of a picture: the step, and each entry with its settings and its number."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.lines import Line2D
from matplotlib.text import Text

from optiviz.kinds.base import Entry, Scene
from optiviz.views.arrangement import Arrangement, Counter, RowMode
from optiviz.views.axes import Box
from optiviz.views.legend_entries import LegendEntry
from optiviz.views.paths import HEAD_SIZE, head_style, path_style
from optiviz.views.ticks import signed
from optiviz.views.words import SMALL, TEXT, Ruler, Sheet

SWATCH = 24.0  # points from the left edge to the names
BESIDE, APART = 6.0, 12.0  # points between a name and its settings, and before the number
NAME, DETAIL = 13.5, 13.5  # points from the top of a row to the name, and from there to settings
ROW, TALL_ROW = 19.0, 34.0  # heights of a row in points, with settings beside and beneath the name
KEY_LINE, SAMPLE, BETWEEN = 15.0, 14.0, 14.0  # points in the key: a line, a sample, two entries
PROGRESS = 8.0  # points from the baseline of the step to the line of progress
PROGRESS_WIDTH = 2.4
SLACK = 0.97  # share of its room that a shrunk name takes, as widths do not shrink evenly
SMALLEST = 1e-3  # number that is written without an exponent


class Detail(NamedTuple):
    """A text beside a name that changes: the settings in it, and its room in points."""

    text: Text
    settings: str
    room: float


class Rows:
    """The words of a scene's entries, measured: names, settings and numbers.

    Settings include the last remark on a run, which is the longest.
    """

    def __init__(self, scene: Scene[Any], ruler: Ruler) -> None:
        self.scene, self.ruler = scene, ruler
        self.remarks = [scene.status(entry, scene.steps) for entry in scene.entries]
        self.details = [
            "  ".join(filter(None, [remark, entry.detail]))
            for remark, entry in zip(self.remarks, scene.entries, strict=True)
        ]
        self.longest = [longest_number(entry) for entry in scene.entries]
        self.swatch = SWATCH if scene.colored else 0.0
        self.text = ruler.letters.text
        self.row = ROW * self.text / TEXT  # height of a row with settings beside the name
        self.tall_row = self.row + TALL_ROW - ROW  # and with settings beneath it
        self.smallest_name = SMALL / self.text  # scale of a name too long for its row

    def __len__(self) -> int:
        return len(self.scene.entries)

    @property
    def quantity(self) -> float:
        """The width of the name of the numbers, and of the space before it."""
        return self.ruler.width(self.scene.quantity, SMALL) + 5

    @property
    def numbers(self) -> float:
        """The width of the widest number."""
        return max((self.ruler.width(said, self.text) for said in self.longest), default=0.0)

    def width(self, place: int, mode: RowMode) -> float:
        """Return the width of a row, by its place among the entries, with settings or without."""
        name = self.ruler.width(self.scene.entries[place].heading, self.text, "bold")
        said = self.remarks[place] if mode == "remark" else self.details[place]
        settings = self.ruler.width(said, SMALL) if said else 0.0
        if mode != "beneath" and settings:
            name += BESIDE + settings
        width = name + APART + self.numbers
        return self.swatch + (max(width, settings) if mode == "beneath" else width)

    def height(self, place: int, mode: RowMode, room: float) -> float:
        """Return the height of a row in so much room; what does not fit needs another line."""
        if mode != "remark":
            return self.tall_row if mode == "beneath" else self.row
        remark = self.remarks[place]
        beside = BESIDE + self.ruler.width(remark, SMALL) if remark else 0.0
        fits = self.has_room(place, self.before_number(place, room) - self.swatch - beside)
        return self.row if fits else self.tall_row

    def before_number(self, place: int, right: float, size: float = 1.0) -> float:
        """Return where the room before the number of a row ends, whose right end is known."""
        return right - self.ruler.width(self.longest[place], self.text * size) - 8

    def has_room(self, place: int, room: float, size: float = 1.0) -> bool:
        """Return whether the name of a row fits into so much room, shrunk if need be."""
        name = self.ruler.width(self.scene.entries[place].heading, self.text * size, "bold")
        return self.smallest_name * name <= SLACK * room

    def widest(self, mode: RowMode) -> float:
        """Return the width of the widest row."""
        return max((self.width(place, mode) for place in range(len(self))), default=0.0)


class Key:
    """The marks that a picture explains, in as many lines as it takes."""

    def __init__(self, scene: Scene[Any], marks: Sequence[LegendEntry], ruler: Ruler) -> None:
        self.ruler = ruler
        farthest = number(scene.max_plane_distance, 3)
        self.marks = [(mark, mark.label.format(farthest)) for mark in marks]

    def _fitted(self, mark: LegendEntry, label: str, room: float) -> str:
        return self.ruler.fitted(label, room - mark.sample, SMALL, between=" ")

    def lines(self, room: float) -> list[list[tuple[LegendEntry, str]]]:
        """Return the marks of each line with their labels, from the first line on."""
        lines: list[list[tuple[LegendEntry, str]]] = []
        used = room
        for mark, whole in self.marks:
            label = self._fitted(mark, whole, room)
            wide = mark.sample + self.ruler.width(label, SMALL)
            if not lines or used + BETWEEN + wide > room:
                lines.append([])
                used = -BETWEEN
            lines[-1].append((mark, label))
            used += BETWEEN + wide
        return lines

    def height(self, room: float) -> float:
        """Return the height of its lines, in points."""
        return KEY_LINE * len(self.lines(room))

    def write(self, sheet: Sheet, place: Box | None) -> None:
        """Write its lines into a place, from the top, if there is one."""
        if place is None:
            return
        for number, line in enumerate(self.lines(place.width), start=1):
            x, y = place.left, place.top - KEY_LINE * number + 4
            for mark, label in line:
                look = mark.style(sheet.theme)
                middle = x + (mark.sample - SAMPLE) / 2 + 5
                sheet.draw(
                    [middle - mark.half_length, middle + mark.half_length], [y + 3.6] * 2, **look
                )
                sheet.write(x + mark.sample, y, label, SMALL, color=sheet.theme.muted)
                x += mark.sample + self.ruler.width(label, SMALL) + BETWEEN


class Legend:
    """What is written about the entries: the step, and a row for each of them.

    A row has a sample of the path, the name, the settings and the number at the current step. The
    step is on one sheet, and the rows are on `above`, if there is one.
    """

    def __init__(
        self, scene: Scene[Any], rows: Rows, sheet: Sheet, above: Sheet | None = None
    ) -> None:
        self.scene, self.rows, self.sheet, self.counted = scene, rows, above or sheet, sheet
        self.ruler, self.theme, self.text = rows.ruler, sheet.theme, rows.text
        self.step: Text | None = None
        self.progress: Line2D | None = None
        self.numbers: list[Text] = []
        self.details: dict[int, Detail] = {}  # by row
        self.shown: dict[int, str] = {}  # by row: the remark

    def write(self, found: Arrangement) -> None:
        """Write everything at its place."""
        if found.counter is not None:
            self.write_counter(found.counter)
        if found.quantity is not None:
            x, y = found.quantity
            look = {"color": self.theme.muted, "ha": "right"}
            self.sheet.write(x, y, self.scene.quantity, SMALL, **look)
        quantity = self.scene.quantity if found.names_quantity else ""
        for number, (entry, row) in enumerate(
            zip(self.scene.entries, found.rows or found.heads, strict=False)
        ):
            mode = found.row_mode
            if found.heads:
                one_line = row.height < 0.9 * self.rows.tall_row
                fits = one_line and self.rows.width(number, "beside") <= row.width
                mode = "beside" if fits else "remark"
            self.write_row(entry, row, mode, found.spread, quantity)

    def write_counter(self, place: Counter) -> None:
        """Write the step and the number of steps, and draw how far that is."""
        last = self.scene.steps
        if self.scene.note:
            self.counted.write(
                place.left, place.baseline, self.scene.note, self.text, weight="bold"
            )
            return
        unit, bold = self.scene.unit, "bold"
        self.counted.write(place.left, place.baseline, unit, self.text, weight=bold)
        end = place.left + self.ruler.width(f"{unit} {last}", self.text, bold)
        self.step = self.counted.write_live(
            end, place.baseline, "", self.text, weight=bold, ha="right"
        )
        total = f"of {last}"
        if end + 4 + self.ruler.width(total, SMALL) <= place.right:
            self.counted.write(end + 4, place.baseline, total, SMALL, color=self.theme.muted)
        if place.progress is None:
            return
        left, right, y = place.progress
        self.ends = left, right
        line = {"linewidth": PROGRESS_WIDTH, "solid_capstyle": "round"}
        self.counted.draw([left, right], [y, y], color=self.theme.rule, **line)
        self.progress = self.counted.draw_live([left, left], [y, y], color=self.theme.ink, **line)

    def write_row(
        self, entry: Entry, row: Box, mode: RowMode, spread: float, quantity: str
    ) -> None:
        """Write an entry's row into a box whose height is that of a row, times `spread`.

        quantity is written before the number. Settings, or a remark, stand beneath the name in a
        box that is high enough.
        """
        place, size = len(self.numbers), min(1.0, spread)
        x, y = row.left + self.rows.swatch, row.top - size * NAME * self.text / TEXT
        beneath = y - size * DETAIL if row.height > 0.9 * spread * self.rows.tall_row else None
        if self.rows.swatch:
            self._draw_swatch(entry, row.left, y + 4.2 * size, size)
        free = self.rows.before_number(place, row.right, size)
        wide = self.ruler.width(entry.heading, self.text * size, "bold")
        named, end, level = free, row.right, y
        shrinks = mode != "remark"  # else there is room for the number beneath
        fits = self.rows.has_room(place, free - x, size) if shrinks else wide <= free - x
        if beneath is not None and not fits:
            # The number goes there, too.
            named, end, level = row.right, free, beneath
        self.numbers.append(
            self.sheet.write_live(row.right, level, "", self.text * size, ha="right")
        )
        if quantity:
            at = row.right - size * self.rows.numbers - 4  # above those of the other rows
            self.sheet.write(at, level, quantity, SMALL, color=self.theme.muted, ha="right")
            named = at - self.ruler.width(quantity, SMALL) - 4
        letters = (
            self.text * size * min(1.0, max(self.rows.smallest_name, SLACK * (named - x) / wide))
        )
        name = self.ruler.fitted(entry.heading, named - x + 0.01, letters, "bold")
        self.sheet.write(x, y, name, letters, weight="bold")
        if beneath is None:
            x, end = x + self.ruler.width(name, letters, "bold") + BESIDE, named
        self._write_detail(place, entry, (x, beneath or y, end - x), SMALL * size, mode)

    def _write_detail(
        self,
        place: int,
        entry: Entry,
        at: tuple[float, float, float],
        size: float,
        mode: RowMode,
    ) -> None:
        """Write the settings of a row, and what may be remarked on its run."""
        x, y, room = at
        settings = "" if mode == "remark" else entry.detail
        if self.scene.status(entry, self.scene.steps):
            text = self.sheet.write_live(x, y, "", size)
            self.details[place] = Detail(text, settings, room)
        elif settings:
            said = self.ruler.fitted(settings, room, size, between=" ")
            self.sheet.write(x, y, said, size, color=self.theme.muted)

    def _draw_swatch(self, entry: Entry, left: float, middle: float, size: float) -> None:
        """Draw a sample of an entry's path in front of its name."""
        look = path_style(self.theme, entry)
        right = left + (SWATCH - 9) * size
        self.sheet.draw(
            [left + 1, right], [middle, middle], color=look.color, linestyle=look.dash,
            linewidth=2.8, solid_capstyle="round",
        )  # fmt: skip
        self.sheet.draw(right, middle, **head_style(self.theme, look, 0.95 * HEAD_SIZE * size))

    def update(self, step: int) -> Sequence[Artist]:
        """Move to a step and return the artists that move."""
        if self.step is not None:
            self.step.set_text(str(step))
        if self.progress is not None:
            left, right = self.ends
            share = step / max(self.scene.steps, 1)
            self.progress.set_xdata([left, left + share * (right - left)])
        for text, entry in zip(self.numbers, self.scene.entries, strict=False):
            text.set_text(entry_number(entry, step))
        for place, (text, settings, room) in self.details.items():
            remark = self.scene.status(self.scene.entries[place], step)
            if self.shown.get(place) != remark:
                self.shown[place] = remark
                said = "  ".join(filter(None, [remark, settings]))
                text.set_text(
                    self.ruler.fitted(said, room, float(text.get_fontsize()), between=" ")
                )
                failed = self.scene.failed(self.scene.entries[place], step)
                text.set_color(self.theme.warning if failed else self.theme.muted)
        artists = self.sheet.artists()
        return artists if self.sheet is self.counted else [*self.counted.artists(), *artists]


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
        return signed(number(low, 4))
    ends = [signed(number(low, 3)), signed(number(high, 3))]
    return " to ".join(dict.fromkeys(ends))


def number(value: float, digits: int) -> str:
    """Format a number, equally long in every frame: 3.500, 1990, 24777, 3.12e-5.

    digits is the number of significant digits; numbers in scientific notation have three.
    """
    if 1e4 <= abs(value) < 1e5:
        return f"{value:.0f}"
    written = f"{value:#.{digits}g}"
    if "e" in written or 0 < abs(value) < SMALLEST:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    return written.removesuffix(".")


def longest_number(entry: Entry) -> str:
    """Return the longest text of an entry's number, over up to 500 evenly spaced steps."""
    steps = np.unique(np.linspace(0, entry.steps, 500).astype(int))
    return max((entry_number(entry, step) for step in steps), key=len)
