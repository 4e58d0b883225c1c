"""The layout of a picture: where panels and words are, in points; nothing is drawn here.

The main panel, which the picture is about, is as large as possible. There are three ways: the words
and the side panels stand in a column beside it; or both are above and beneath it; or the side
panels are beside it and the words above and beneath. Among those in which it is about equally
large, the one counts whose panels cover most. A chart, which may be wide, has words and other
charts above and beneath it. Who asks for a place for the legend restricts the choice. What does not
fit is left out in this order: the key, the formula, the settings of the optimizers. Names, numbers
and panels never are.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from optiviz.registry import LegendPlace
from optiviz.views.arrangement import Arrangement, Counter, RowMode
from optiviz.views.axes import Box
from optiviz.views.legend import PROGRESS, Key, Rows
from optiviz.views.panels import EDGE, GAP, Panels
from optiviz.views.title import MAX_FORMULA, Line, TitleLines, height_of
from optiviz.views.words import SMALL, TEXT

TOP, RIGHT = 13.0, 15.0  # margins above the main panels and to the right of everything
COLUMN = 0.27, 160.0  # the least width of the column: as a share of the width, and in points
SIDE, STRIP = 96.0, 55.0  # points kept for a side panel, and for each further strip
SIDE_BENEATH, STRIP_BENEATH = 112.0, 44.0  # the same beneath the main panel
NUMBERS = 28.0  # the most by which numbers stand to the right of the longest row
SPREAD = 1.35  # the most by which rows may be spread where there is room
MULTIPLE_COLUMNS = 18.0  # points between two columns of rows
LEAST = 0.5  # share of their height that side panels keep, however many rows there are
BAR = 90.0  # points of the line of progress behind the step, and the space before it
LONG_WORDS = 400.0  # width of words in points from which a title rather wraps than the line goes
APART_SHARE = 0.4  # most of the width that side panels keep beside the main ones
WORDS = 0.5  # least width of words, as a share of the width within the margins
ADJUSTED = 4  # times that the width of words is adjusted
ABOUT_AS_LARGE = 0.95  # share of the largest main panel from which others count as large
AS_LARGE = 0.985  # of a main panel that counts as large as another
WORTH = 0.94  # the same where words below are asked for, or charts are beside the main panels
CHART = 0.45  # least height of a main panel that is a chart, as a share of the picture's
UNDER_TITLE, UNDER_STEP, UNDER_ROWS = 12.0, 6.0, 6.0  # points between groups of words


class Fullness(NamedTuple):
    """How much is said: whether there is a key, the lines of the formula, whether settings."""

    key: bool
    formula: int
    settings: bool


def fullnesses(most: int, key: bool) -> Iterator[Fullness]:
    """Yield what may be said, from all of it to the least.

    most is the number of lines of a formula, and key whether there may be one. Without settings
    there is room for lines of the formula again.
    """
    if key:
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
    legend: LegendPlace | None = None  # None: where the main panels are largest

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
        """The number of rows in the legend beside or below the panels."""
        elsewhere = self.panels.head or self.legend in ("inside", "none")
        return 0 if elsewhere else len(self.rows)

    def arrange(self) -> Arrangement:
        """Return the places of everything."""
        tried = [way() for way in self._ways()]
        most = max(each.least_area for each in tried)
        large = [each for each in tried if each.least_area >= ABOUT_AS_LARGE * most]
        found = max(large, key=lambda each: each.panel_area)
        found.labelled = self.panels.labelled(found.columns)
        if self.panels.head:
            found.heads = self.panels.heads(found.mains)
            needed = self.rows.widest("remark") + self.rows.quantity
            found.names_quantity &= min(head.width for head in found.heads) >= needed
        return found

    def _ways(self) -> Iterator[Callable[[], Arrangement]]:
        """Yield functions that return arrangements among which there is a choice."""
        charts = self.panels.are_charts
        if self.legend != "right":
            yield self._stacked
            if self.panels.sides and self.panels.parts == 1 and not charts:
                yield self._apart
        if self.legend == "right" or (
            self.legend != "below" and not charts and (self.has_step or self.panels.parts == 1)
        ):
            yield self._beside

    # With a column beside the main panels

    @property
    def _least_column(self) -> float:
        return max(COLUMN[0] * self.width, COLUMN[1] * self.rows.text / TEXT)

    def _beside(self) -> Arrangement:
        least = self._least_column
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
        for fullness in fullnesses(lines, self.legend != "none"):
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
            height += self.rows.text + PROGRESS + UNDER_STEP
        return self._Words(lines, mode, rows, key, height)

    def _write_column(self, found: Arrangement, column: Box, words: "_Words", sides: float) -> None:
        found.row_mode = words.mode
        y = found.put_lines(words.lines, column.left, column.top)
        right = column.left + min(column.width, self.rows.widest(words.mode) + NUMBERS)
        if self.has_step:
            baseline = y - UNDER_TITLE - self.rows.text
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

        A chart is always as wide as possible; it must be high enough, or as high as possible.
        """
        tried = []
        for fullness in fullnesses(2, self.legend != "none"):
            found = self._stack_all(fullness)
            tried.append(found)
            if self.panels.are_charts:
                enough = found.least_height >= CHART * self.height / self.panels.parts
            else:
                enough = found.across >= AS_LARGE * self.whole
            if enough:
                return found
        if self.panels.are_charts:
            return max(tried, key=lambda each: each.least_height)
        most = max(found.across for found in tried)
        worth = WORTH if self.legend == "below" else AS_LARGE
        return next(found for found in tried if found.across >= worth * most)

    def _apart(self) -> Arrangement:
        """Return the fullest arrangement with the side panels beside the main ones."""
        whole = Box(self.panels.left, 0, self.whole, self.height)
        tried = [
            self._stack_words(whole, fullness, apart=True)
            for fullness in fullnesses(2, self.legend != "none")
        ]
        most = max(each.least_area for each in tried)
        return next(each for each in tried if each.least_area >= WORTH**2 * most)

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

    def _stack_words(self, words: Box, fullness: Fullness, apart: bool = False) -> Arrangement:
        """Return an arrangement with words between the left and the right edge of a box.

        With `apart` the side panels are beside the main ones instead of beneath the words.
        """
        found = Arrangement()
        step, bar = self._step_width() if self.has_step else (0.0, 0.0)
        title = self.title.title(words.width - step - bar - GAP)
        if len(title) > 1 and bar and words.width < LONG_WORDS:
            bar = 0.0
            title = self.title.title(words.width - step - GAP)
        details = self.title.details(words.width, fullness.formula)
        y = self.height - TOP + 2
        if self.has_step:
            first = y - (title[0].size if title else self.rows.text)
            end = words.right - bar
            progress = (end + 12, words.right - 1, first + 4) if bar else None
            found.counter = Counter(end - step, end + 6, first, progress)
            if not title:  # what is next keeps clear of the step
                y = first - (details[0].leading - details[0].size if details else 0.0)
        y = found.put_lines([*title, *details], words.left, y)
        y -= UNDER_TITLE - 4 if found.lines or self.has_step else 0.0
        columns, found.row_mode, width = self._columns(words.width, fullness.settings)
        lines = -(-self.listed // columns)
        key = self.key.height(words.width) if fullness.key else 0.0
        panels = self.panels
        sides = panels.least_height(SIDE_BENEATH, STRIP_BENEATH)
        if panels.is_stack or apart:
            sides = 0.0
        low = EDGE + self.rows.row * lines + key + sides  # of everything beneath the main panels
        bottom = panels.bottom - (EDGE - 4 if low > EDGE else 0.0)
        if panels.is_stack:
            region = Box(EDGE, low, self.width - EDGE - RIGHT, y - low)
            boxes = panels.stack([*panels.mains, *panels.sides], region)
            found.mains, found.sides = boxes[: len(panels.mains)], boxes[len(panels.mains) :]
            y = low
        else:
            region = Box(panels.left, low + bottom, self.whole, y - low - bottom)
            if apart:
                least = min(self._least_column, max(SIDE, APART_SHARE * region.width))
                region = region._replace(width=region.width - GAP - least)
            found.mains, found.columns = panels.place_mains(region, centred=not apart)
            y = low = min(box.bottom for box in found.mains) - bottom
            if apart:
                left = found.ends[1] + GAP
                region = Box(left, low + EDGE, words.right - left, region.top - low - EDGE)
                found.sides = panels.stack(panels.sides, region)
        unit = (words.width - MULTIPLE_COLUMNS * (columns - 1)) / columns
        found.names_quantity = not panels.sides and unit >= width + self.rows.quantity
        wide = min(unit, width + NUMBERS + self.rows.quantity * found.names_quantity)
        for number in range(self.listed):
            column, line = divmod(number, lines)
            x = words.left + column * (unit + MULTIPLE_COLUMNS)
            found.rows.append(Box(x, y - (line + 1) * self.rows.row, wide, self.rows.row))
        y -= self.rows.row * lines
        if key:
            found.key = Box(words.left, y - key, words.width, key)
            y -= key
        if sides:
            region = Box(words.left, EDGE, words.width, y - EDGE)
            found.sides = panels.stack(panels.sides, region, flush=True)
        elif y > EDGE:
            found = found.lowered((y - EDGE) / 2)
        return found

    def _step_width(self) -> tuple[float, float]:
        """Return the widths of the step and of the line of progress behind it."""
        ruler, scene, text = self.rows.ruler, self.rows.scene, self.rows.text
        if scene.note:
            return ruler.width(scene.note, text, "bold"), 0.0
        last = scene.steps
        words = ruler.width(f"{scene.unit} {last}", text, "bold") + ruler.width(f"of {last}", SMALL)
        return words + 4, BAR

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
