"""The legend of a picture: the step, and each entry with its settings and its number.

All views of a picture share one legend: beside them, beneath them, or as a row above each of them.
It has Axes of its own, because matplotlib's writers lose animated text that belongs to the figure.
"""

import re
from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.text import Text

from optiviz.kinds.base import Entry
from optiviz.views.axes import Box
from optiviz.views.legend_layout import (
    APART,
    DETAIL,
    KEY,
    LINE,
    NAME,
    SAMPLE,
    STEP,
    SWATCH,
    TIGHT,
    LegendBoxes,
    LegendLayout,
    entry_number,
    row_size,
)
from optiviz.views.live import LiveText
from optiviz.views.paths import HEAD_SIZE, LINE_WIDTH, path_style
from optiviz.views.themes import Theme

MIN_NAME_WIDTH = 40.0  # least width of the name in a row of one line, in points


class Legend:
    """The step counter, a row per entry (swatch, name, settings, current number), and the key."""

    def __init__(self, layout: LegendLayout, theme: Theme) -> None:
        self.layout = layout
        self.scene = layout.scene
        self.theme = theme
        self.numbers: list[Text] = []
        self.details: dict[int, tuple[Text, float]] = {}  # by row: the text, and its room in points
        self.brief = False  # whether the step counter leaves out "of ..." for lack of room
        self.shown: dict[int, str] = {}  # by row: the full text

    def build(self, figure: Figure, words: LegendBoxes) -> None:
        """Write all texts, in Axes that cover the figure and whose unit is a point."""
        self.dpi = figure.dpi
        width, height = 72 * figure.get_size_inches()
        # Static texts are drawn before the views and live ones after them, so that a frame does
        # not redraw the static ones.
        self.axes, self.live = (
            figure.add_axes((0, 0, 1, 1), zorder=order, xlim=(0, width), ylim=(0, height))
            for order in (-1, 1)
        )
        for each in (self.axes, self.live):
            each.set_axis_off()
        self.step = self._write_live(*words.step, "", STEP, weight="bold")
        self.step.set_text(self.scene.step_label(self.scene.steps))
        end = words.step[0] + self._width(self.step)
        for right, y in words.quantities:
            look = {"color": self.theme.muted, "ha": "right"}
            name = self._write(right, y, self.scene.quantity, DETAIL, **look)
            self.brief |= end > right - self._width(name)
        for number, (entry, row) in enumerate(zip(self.scene.entries, words.rows, strict=True)):
            self._build_row(number, entry, row)
        self._build_key(words.key)

    def update(self, step: int) -> Sequence[Artist]:
        counter = self.scene.step_label(step)
        self.step.set_text(counter.partition(" of ")[0] if self.brief else counter)
        for entry, loss in zip(self.scene.entries, self.numbers, strict=True):
            loss.set_text(entry_number(entry, step))
        for number, (text, room) in self.details.items():
            if (detail := self.layout.detail(number, step)) != self.shown.get(number):
                self.shown[number] = detail
                text.set_text(detail)
                warned = self.layout.status(number, step)
                text.set_color(self.theme.warning if warned else self.theme.muted)
                self._fit(text, room, " ")
        return [self.step, *self.numbers, *(text for text, _ in self.details.values())]

    def _build_row(self, number: int, entry: Entry, row: Box) -> None:
        """Write an entry's row; a tight row has the settings on the same line as the name."""
        tight, size = row.height < TIGHT, row_size(row.height)
        right, y = row.left + row.width, row.top - NAME
        left = row.left + self.swatch
        if self.swatch:
            self._build_swatch(entry, row.left, y + 4 * size, size)
        loss = self._write_live(right, y, self.layout.longest[number], NAME * size, ha="right")
        self.numbers.append(loss)
        free = self._width(loss) + 8
        name = self._write(left, y, entry.heading, NAME * size, weight="bold")
        whole = self.layout.detail(number, self.scene.steps)
        write = self._write if whole == entry.detail else self._write_live
        detail = write(0, y, whole, DETAIL * size, color=self.theme.muted)
        if tight:
            room = row.width - self.swatch - free
            self._fit(name, max(MIN_NAME_WIDTH * size, room - 6 - self._width(detail)))
            x = left + self._width(name) + 6
        else:
            self._fit(name, row.width - self.swatch - free)
            x, y, free = left, y - min(15.0, row.height / 2), 0.0
        detail.set_position((x, y))
        self._fit(detail, right - free - x, " ")
        if whole != entry.detail:
            self.details[number] = (detail, right - free - x)

    @property
    def swatch(self) -> float:
        """The distance of names from the left edge, in points."""
        return SWATCH if self.scene.colored else 0.0

    def _build_swatch(self, entry: Entry, left: float, middle: float, size: float) -> None:
        """Draw a sample of an entry's path in front of its name."""
        look = path_style(self.theme, entry.number)
        self.axes.plot(
            [left, left + 22], [middle, middle], color=look.color, linestyle=look.dash,
            linewidth=LINE_WIDTH * 1.2,
        )  # fmt: skip
        self.axes.plot(
            left + 22, middle, color=look.color, marker=look.marker, markersize=HEAD_SIZE * size,
            markeredgecolor=self.theme.background, markeredgewidth=1.2,
        )  # fmt: skip

    def _build_key(self, place: Box) -> None:
        """Write the key, which explains the static marks."""
        for line, marks in enumerate(self.layout.key(place.width)):
            x, y = place.left + 5.0, place.bottom + LINE * line
            for each in marks:
                look = each.style(self.theme)
                self.axes.plot([x - each.half_length, x + each.half_length], [y + 3.5] * 2, **look)
                left = x + SAMPLE - 5.0 if look.get("color") else x - 5.0
                said = self.layout.label(each)
                text = self._write(left, y, said, KEY, color=self.theme.muted)
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
        """Shorten a text that is wider than `room` points, and end it in an ellipsis.

        A name is first set smaller and then cut after any letter. Settings, where `between` is a
        space, are only cut at a space or before a schedule: a number cut short would be wrong.
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
