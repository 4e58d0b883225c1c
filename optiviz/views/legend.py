"""The panel of words beside the views: the step, and each optimizer with its rate and its loss.

One for all views of a picture. It stands in an Axes of its own, because stock writers lose
animated text that belongs to the figure.
"""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from optiviz.scene import Entry, Scene
from optiviz.themes import Theme
from optiviz.views.live import LiveText
from optiviz.views.marks import HEAD_SIZE, LINE_WIDTH, mark

NAME, DETAIL, STEP, KEY = 12.0, 10.5, 13.0, 10.0  # font sizes
HEADER, FOOTER = 44.0, 26.0  # points above the first row, and for the key under the last one
ROW, TIGHT = 46.0, 25.0  # points of a row, and under how many it has one line instead of two
SMALLEST = 0.95  # share of their size that two lines have at least
SWATCH = 30.0  # points from the left edge to the names
SHORTEST = 40.0  # points that the name has at least in a row of one line


class Legend:
    """The step counter, one row an optimizer (swatch, name, settings, current loss), and a key."""

    def __init__(self, scene: Scene, theme: Theme) -> None:
        self.scene = scene
        self.theme = theme
        self.said = [_remarks(scene, entry) for entry in scene.entries]
        self.longest = [_longest_loss(entry) for entry in scene.entries]
        self.losses: list[Text] = []
        self.remarks: dict[int, tuple[Text, float]] = {}  # by row: the text, its room in points
        self.shown: dict[int, str] = {}  # by row: what the text says in whole

    def build(self, axes: Axes) -> None:
        """Write the still words; the Axes' width and height are taken as points."""
        assert isinstance(axes.figure, Figure)
        self.axes, self.dpi = axes, axes.figure.dpi
        box, inches = axes.get_position(), axes.figure.get_size_inches()
        self.width = 72 * float(box.width * inches[0])
        height = 72 * float(box.height * inches[1])
        # What stands still is drawn before the views, and what is live after them, so that a frame
        # need not draw it again.
        axes.set_zorder(-1)
        self.live = axes.figure.add_axes(box.bounds, zorder=1)
        for each in (axes, self.live):
            each.set_xlim(0, self.width)
            each.set_ylim(height, 0)
            each.set_axis_off()
        self.step = self._write_live(0, 14, "", STEP, weight="bold")
        self._write(self.width, 14, "loss", DETAIL, color=self.theme.muted, ha="right")
        row = min(ROW, (height - HEADER - FOOTER) / len(self.scene.entries))
        for number, entry in enumerate(self.scene.entries):
            self._build_row(number, entry, HEADER + number * row, row)
        self._build_key(height - 5)

    def update(self, step: int) -> Sequence[Artist]:
        self.step.set_text(f"step {step} of {self.scene.steps}")
        for entry, loss in zip(self.scene.entries, self.losses, strict=True):
            loss.set_text(_loss(entry, step))
        for number, (text, room) in self.remarks.items():
            if (detail := self._detail(number, step)) != self.shown.get(number):
                self.shown[number] = detail
                text.set_text(detail)
                text.set_color(self.theme.warning if self.said[number](step) else self.theme.muted)
                self._fit(text, room, " ")
        return [self.step, *self.losses, *(text for text, _ in self.remarks.values())]

    def line_width(self, height: float) -> float:
        """Return about how wide it must be to show rows of one line whole, in points.

        0 where a height of so many points is enough for rows of two lines.
        """
        row = (height - HEADER - FOOTER) / len(self.scene.entries)
        if row >= TIGHT:
            return 0.0
        lines = [
            0.66 * NAME * (len(entry.heading) + len(self.longest[number]))
            + 0.56 * DETAIL * len(self._detail(number, self.scene.steps))
            for number, entry in enumerate(self.scene.entries)
        ]
        return SWATCH + 20 + _size(row) * max(lines)

    def _detail(self, number: int, step: int) -> str:
        """Return what stands beside the name in a step."""
        remark, detail = self.said[number](step), self.scene.entries[number].detail
        return f"{remark}  {detail}" if remark else detail

    def _build_row(self, number: int, entry: Entry, y: float, row: float) -> None:
        """Write an optimizer's row; in a tight one its settings stand behind its name."""
        tight, size = row < TIGHT, _size(row)
        look = mark(self.theme, number)
        middle = y - 4 * size
        self.axes.plot(
            [0, 22], [middle, middle], color=look.color, lw=LINE_WIDTH * 1.2, linestyle=look.dash
        )
        self.axes.plot(
            22, middle, color=look.color, marker=look.marker, markersize=HEAD_SIZE * size,
            markeredgecolor=self.theme.background, markeredgewidth=1.2,
        )  # fmt: skip
        loss = self._write_live(self.width, y, self.longest[number], NAME * size, ha="right")
        self.losses.append(loss)
        free = self._width(loss) + 8
        name = self._write(SWATCH, y, entry.heading, NAME * size, weight="bold")
        whole = self._detail(number, self.scene.steps)
        write = self._write if whole == entry.detail else self._write_live
        detail = write(0, y, whole, DETAIL * size, color=self.theme.muted)
        if tight:
            room = self.width - SWATCH - free
            self._fit(name, max(SHORTEST * size, room - 6 - self._width(detail)))
            x = SWATCH + self._width(name) + 6
        else:
            self._fit(name, self.width - SWATCH - free)
            x, y, free = SWATCH, y + min(15.0, row / 2), 0.0
        detail.set_position((x, y))
        self._fit(detail, self.width - free - x, " ")
        if whole != entry.detail:
            self.remarks[number] = (detail, self.width - free - x)

    def _build_key(self, y: float) -> None:
        """Explain the marks that stand still."""
        ring = {"marker": "o", "markersize": 7, "color": self.theme.background}
        star = {"marker": "*", "markersize": 10, "color": self.theme.minimum}
        known = [(ring, "start"), (star, "known minimum")][: 1 + bool(self.scene.surface.minima)]
        x = 5.0
        for look, said in known:
            self.axes.plot(
                x, y - 3.5, markeredgecolor=self.theme.ink, markeredgewidth=1.0,
                **look,  # type: ignore[arg-type]
            )  # fmt: skip
            text = self._write(x + 9, y, said, KEY, color=self.theme.muted)
            x += 9 + self._width(text) + 18

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

        A name is first set smaller and then cut at a letter; settings are cut at a space, so that
        no number is cut into another one.
        """
        size = float(text.get_fontsize())
        for share in (1.0, 0.94, 0.88) if not between else ():
            text.set_fontsize(share * size)
            if self._width(text) <= room:
                return
        parts = text.get_text().split(between) if between else list(text.get_text())
        for count in range(len(parts), 0, -1):
            whole = count == len(parts)
            text.set_text(between.join(parts[:count]).rstrip() + ("" if whole else between + "…"))
            if self._width(text) <= room:
                return
        text.set_text("…")


def _size(row: float) -> float:
    """Return the share of their size that words have in a row of so many points."""
    if row < TIGHT:
        return SMALLEST * min(1.0, row / (1.14 * NAME))
    return max(SMALLEST, min(1.0, row / (0.85 * ROW)))


def _loss(entry: Entry, step: int) -> str:
    """Write the loss of an entry at a step, or its lowest and highest over all starts."""
    losses = np.array([path.losses[min(step, path.last)] for path in entry.trajectories])
    finite = losses[np.isfinite(losses)]
    if not finite.size:
        return "–"
    low, high = finite.min(), finite.max()
    if len(losses) == 1:
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


def _longest_loss(entry: Entry) -> str:
    """Return the longest that the loss of an entry is in writing, of up to 500 steps."""
    steps = np.linspace(0, entry.trajectories[0].steps, 500).astype(int)
    return max((_loss(entry, step) for step in np.unique(steps)), key=len)


def _remarks(scene: Scene, entry: Entry) -> Callable[[int], str]:
    """Return what is to be said of an entry in a step, which is most in the last one.

    What went wrong with a run is said from the step on at which it ended.
    """
    paths = entry.trajectories
    verdicts = [(path, scene.verdict(path)) for path in paths]

    def said(step: int) -> str:
        ended = [
            verdict
            for path, verdict in verdicts
            if verdict and step >= (path.steps if path.ended_at is None else path.ended_at)
        ]
        if len(paths) == 1 or not ended:
            return ended[0] if ended else ""
        kinds = {verdict.partition(" at step")[0] for verdict in ended}
        what = kinds.pop() if len(kinds) == 1 else "went wrong"
        return f"{len(ended)} of {len(paths)} {what}"

    return said
