"""The layout of a picture: where panels and words are, in points; nothing is drawn here.

The main panel, which the picture is about, is as large as possible. In a wide picture the words
stand in a column beside it, and the side panels in the same column, beneath them. In a square or
tall picture, and where the main panel is a chart, which may be wide, the words and the side panels
are above and beneath it. What does not fit is left out in this order: the key, the formula, the
settings of the optimizers. Names, numbers and panels never are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from optiviz.views.arrangement import Arrangement, Counter, RowMode
from optiviz.views.axes import Box
from optiviz.views.legend import PROGRESS, ROW, Key, Rows
from optiviz.views.panels import EDGE, GAP, Panels
from optiviz.views.title import MAX_FORMULA, SMALL, TEXT, Line, TitleLines, height_of

TOP, RIGHT = 13.0, 15.0  # margins above the main panels and to the right of everything
WIDE = 1.2  # ratio of the sides from which a picture is wide
COLUMN = 0.27, 160.0  # the least width of the column: as a share of the width, and in points
SIDE, STRIP = 96.0, 55.0  # points kept for a side panel, and for each further strip
SIDE_BENEATH, STRIP_BENEATH = 112.0, 44.0  # the same beneath the main panel
NUMBERS = 28.0  # the most by which numbers stand to the right of the longest row
SPREAD = 1.35  # the most by which rows may be spread where there is room
MULTIPLE_COLUMNS = 18.0  # points between two columns of rows
LEAST = 0.5  # share of their height that side panels keep, however many rows there are
BAR = 90.0  # points of the line of progress behind the step, and the space before it
WORDS = 0.5  # least width of words, as a share of the width within the margins
ADJUSTED = 4  # times that the width of words is adjusted
AS_LARGE = 0.985  # of a main panel that counts as large as another
CHART = 0.45  # least height of a main panel that is a chart, as a share of the picture's
UNDER_TITLE, UNDER_STEP, UNDER_ROWS = 12.0, 6.0, 6.0  # points between groups of words


class Fullness(NamedTuple):
    """How much is said: whether there is a key, the lines of the formula, whether settings."""

    key: bool
    formula: int
    settings: bool


def fullnesses(most: int) -> Iterator[Fullness]:
    """Yield what may be said, from all of it to the least; most is of lines of a formula.

    Without settings there is room for lines of the formula again.
    """
    yield Fullness(True, most, True)
    for settings in (True, False):
        for lines in range(most, -1, -1):
            yield Fullness(False, lines, settings)


@dataclass(frozen=True)
class Layout:
    """What is to be arranged, in a picture of this width and height."""

    width: float
    height: float
    panels: Panels
    title: TitleLines
    rows: Rows
    key: Key

    @property
    def whole(self) -> float:
        """The width between the left margin of the main panels and the right one."""
        return self.width - self.panels.left - RIGHT

    @property
    def has_step(self) -> bool:
        """Whether the step is shown, or a note in its place."""
        return bool(self.rows.scene.entries)

    @property
    def listed(self) -> int:
        """The number of rows in the legend; there are none if they are above the multiples."""
        return 0 if self.panels.head else len(self.rows)

    def arrange(self) -> Arrangement:
        """Return the places of everything."""
        found = self._stacked()
        wide = self.width >= WIDE * self.height and not self.panels.are_charts
        if wide and (self.has_step or self.panels.parts == 1):
            beside = self._beside()
            if beside.least_area >= found.least_area:
                found = beside
        found.labelled = self.panels.labelled(found.columns)
        if self.panels.head:
            found.heads = self.panels.heads(found.mains)
        return found

    # With a column beside the main panels

    def _beside(self) -> Arrangement:
        least = max(COLUMN[0] * self.width, COLUMN[1])
        panels, bottom = self.panels, self.panels.bottom
        region = Box(panels.left, bottom, self.whole - GAP - least, self.height - TOP - bottom)
        found = Arrangement()
        found.mains, found.columns = panels.place_mains(region)
        left = found.ends[1] + GAP + max(each.right for each in panels.mains)
        low = min(box.bottom for box in found.mains)
        beneath = low - bottom if panels.parts == 1 else 0.0
        sides = panels.least_height(SIDE, STRIP)
        if panels.sides and beneath >= panels.least_height(SIDE_BENEATH, STRIP_BENEATH):
            region = Box(EDGE, EDGE, found.ends[1] - EDGE, low - bottom)
            found.sides, sides = panels.stack(panels.sides, region), 0.0
        if beneath > 0:
            low = bottom
        column = Box(left, low, self.width - left - RIGHT, self.height - TOP - low)
        title = self.title.title(column.width)
        lines = len(self.title.details(column.width, MAX_FORMULA))
        for fullness in fullnesses(lines):
            words = self._column_words(column, title, fullness)
            if words.height + sides <= column.height:
                break
        self._write_column(found, column, words, sides)
        return found

    class _Words(NamedTuple):
        lines: list[Line]
        mode: RowMode
        rows: list[float]  # heights
        key: float  # height
        height: float

    def _column_words(self, column: Box, title: Sequence[Line], fullness: Fullness) -> "_Words":
        lines = [*title, *self.title.details(column.width, fullness.formula)]
        mode: RowMode = "remark"
        if fullness.settings:
            mode = "beside" if self.rows.widest("beside") <= column.width else "beneath"
        rows = [self.rows.height(place, mode, column.width) for place in range(self.listed)]
        key = self.key.height(column.width) if fullness.key else 0.0
        height = height_of(lines) + UNDER_TITLE + sum(rows) + UNDER_ROWS + key
        if self.has_step:
            height += TEXT + PROGRESS + UNDER_STEP
        return self._Words(lines, mode, rows, key, height)

    def _write_column(self, found: Arrangement, column: Box, words: "_Words", sides: float) -> None:
        found.row_mode = words.mode
        y = found.put_lines(words.lines, column.left, column.top)
        right = column.left + min(column.width, self.rows.widest(words.mode) + NUMBERS)
        if self.has_step:
            baseline = y - UNDER_TITLE - TEXT
            y = baseline - PROGRESS
            end = column.right if sides or not self.listed else right
            found.counter = Counter(column.left, right, baseline, (column.left + 1, end - 1, y))
            if self.listed:
                found.quantity = right, baseline
            y -= UNDER_STEP
        rows = sum(words.rows)
        # What is too much even for names, numbers and panels makes panels smaller, then rows.
        sides = min(sides, max(LEAST * sides, y - column.bottom - rows - UNDER_ROWS))
        if rows:
            free = y - column.bottom - sides - words.key - UNDER_ROWS
            found.spread = min(1.0 if sides else SPREAD, free / rows)
        for row in words.rows:
            row *= found.spread
            y -= row
            found.rows.append(Box(column.left, y, right - column.left, row))
        y -= UNDER_ROWS
        if words.key:
            top = y if sides else column.bottom + words.key - 4
            found.key = Box(column.left, top - words.key, column.width, words.key)
            y = top - words.key
        if sides:
            region = Box(column.left, column.bottom, column.width, y - column.bottom)
            found.sides = self.panels.stack(self.panels.sides, region)

    # With the words above and beneath the main panels

    def _stacked(self) -> Arrangement:
        """Return the fullest arrangement in which the main panels are as wide as possible.

        A chart is always as wide as possible; it must be high enough.
        """
        tried = []
        for fullness in fullnesses(2):
            found = self._stack_all(fullness)
            tried.append(found)
            if self.panels.are_charts:
                enough = found.least_height >= CHART * self.height / self.panels.parts
            else:
                enough = found.across >= AS_LARGE * self.whole
            if enough:
                return found
        most = max(found.across for found in tried)
        return next(found for found in tried if found.across >= AS_LARGE * most)

    def _stack_all(self, fullness: Fullness) -> Arrangement:
        """Return an arrangement whose words are as wide as the main panels, where that suffices.

        Wider words need fewer lines; they are if that leaves more room for the main panels.
        """
        whole = Box(self.panels.left, 0, self.whole, self.height)
        wide = self._stack_words(whole, fullness)
        words, flush = whole, wide
        for _ in range(ADJUSTED):
            words = words._replace(left=flush.ends[0], width=flush.ends[1] - flush.ends[0])
            if words.width < WORDS * whole.width:
                return wide
            flush = self._stack_words(words, fullness)
        aligned = abs(flush.ends[0] - words.left) < 1
        return flush if aligned and flush.across >= AS_LARGE * wide.across else wide

    def _stack_words(self, words: Box, fullness: Fullness) -> Arrangement:
        """Return an arrangement with words between the left and the right edge of a box."""
        found = Arrangement()
        step = self._step_width() if self.has_step else 0.0
        title = self.title.title(words.width - step - GAP)
        details = self.title.details(words.width, fullness.formula)
        y = self.height - TOP + 2
        if self.has_step:
            first = y - (title[0].size if title else TEXT)
            bar = words.right - BAR + 12, words.right - 1, first + 4
            found.counter = Counter(words.right - step, bar[0] - 6, first, bar)
            y = first if not title else y
        y = found.put_lines([*title, *details], words.left, y)
        y -= UNDER_TITLE - 4 if found.lines or self.has_step else 0.0
        columns, found.row_mode, width = self._columns(words.width, fullness.settings)
        lines = -(-self.listed // columns)
        key = self.key.height(words.width) if fullness.key else 0.0
        panels = self.panels
        sides = 0.0 if panels.is_stack else panels.least_height(SIDE_BENEATH, STRIP_BENEATH)
        low = EDGE + ROW * lines + key + sides  # of everything beneath the main panels
        bottom = panels.bottom - (EDGE - 4 if low > EDGE else 0.0)
        if panels.is_stack:
            region = Box(EDGE, low, self.width - EDGE - RIGHT, y - low)
            boxes = panels.stack([*panels.mains, *panels.sides], region)
            found.mains, found.sides = boxes[: len(panels.mains)], boxes[len(panels.mains) :]
            y = low
        else:
            region = Box(panels.left, low + bottom, self.whole, y - low - bottom)
            found.mains, found.columns = panels.place_mains(region, centred=True)
            y = min(box.bottom for box in found.mains) - bottom
        unit = (words.width - MULTIPLE_COLUMNS * (columns - 1)) / columns
        quantity = self.rows.ruler.width(self.rows.scene.quantity, SMALL) + 5
        found.names_quantity = not panels.sides and unit >= width + quantity
        wide = min(unit, width + NUMBERS + quantity * found.names_quantity)
        for number in range(self.listed):
            column, line = divmod(number, lines)
            x = words.left + column * (unit + MULTIPLE_COLUMNS)
            found.rows.append(Box(x, y - (line + 1) * ROW, wide, ROW))
        y -= ROW * lines
        if key:
            found.key = Box(words.left, y - key, words.width, key)
            y -= key
        if sides:
            region = Box(words.left, EDGE, words.width, y - EDGE)
            found.sides = panels.stack(panels.sides, region, flush=True)
        elif y > EDGE:
            found = found.lowered((y - EDGE) / 2)
        return found

    def _step_width(self) -> float:
        ruler, scene = self.rows.ruler, self.rows.scene
        if scene.note:
            return ruler.width(scene.note, TEXT, "bold")
        last = scene.steps
        words = ruler.width(f"step {last}", TEXT, "bold") + ruler.width(f"of {last}", SMALL)
        return words + 4 + BAR

    def _columns(self, room: float, settings: bool) -> tuple[int, RowMode, float]:
        """Return the number of columns of rows beneath the panels, their mode and their width."""
        modes: list[tuple[RowMode, float]] = [("remark", self.rows.widest("remark"))]
        if settings:
            modes.insert(0, ("beside", self.rows.widest("beside")))
        mode, width = modes[0]
        fitting = int((room + MULTIPLE_COLUMNS) // (width + MULTIPLE_COLUMNS))
        columns = max(1, min(fitting, self.listed))
        lines = -(-self.listed // columns)
        return max(1, -(-self.listed // max(lines, 1))), mode, width
