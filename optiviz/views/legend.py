"""The panel of words beside the views: the step, and each optimizer with its rate and its loss.

One for all views of a picture. It stands in an Axes of its own, because stock writers lose
animated text that belongs to the figure.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from optiviz.scene import Entry, Scene
from optiviz.themes import Theme
from optiviz.views.marks import HEAD_SIZE, LINE_WIDTH, mark

MOVING = 10.0  # above all that stands still
NAME, DETAIL, STEP, KEY = 12.0, 10.5, 13.0, 10.0  # font sizes
HEADER, FOOTER = 44.0, 26.0  # points above the first row, and for the key under the last one
ROW, TIGHT = 46.0, 37.0  # points of a row, and under how many it has one line instead of two
SWATCH = 30.0  # points from the left edge to the names
SETTING = 40.0  # points kept free for the settings in a row of one line


class Legend:
    """The step counter, one row an optimizer (swatch, name, settings, current loss), and a key."""

    def __init__(self, scene: Scene, theme: Theme) -> None:
        self.scene = scene
        self.theme = theme
        self.losses: list[Text] = []
        self.endings: dict[int, tuple[Text, float]] = {}  # by row: the text, its room in points

    def build(self, axes: Axes) -> None:
        """Write the still words; the Axes' width and height are taken as points."""
        assert isinstance(axes.figure, Figure)
        self.axes, self.dpi = axes, axes.figure.dpi
        box, inches = axes.get_position(), axes.figure.get_size_inches()
        self.width = 72 * float(box.width * inches[0])
        height = 72 * float(box.height * inches[1])
        axes.set_xlim(0, self.width)
        axes.set_ylim(height, 0)
        axes.set_axis_off()
        self.step = self._write(0, 14, "", STEP, weight="bold", zorder=MOVING)
        self._write(self.width, 14, "loss", DETAIL, color=self.theme.muted, ha="right")
        row = min(ROW, (height - HEADER - FOOTER) / len(self.scene.entries))
        for number, entry in enumerate(self.scene.entries):
            self._build_row(number, entry, HEADER + number * row, row)
        self._build_key(height - 5)

    def update(self, step: int) -> Sequence[Artist]:
        self.step.set_text(f"step {step} of {self.scene.steps}")
        for entry, loss in zip(self.scene.entries, self.losses, strict=True):
            loss.set_text(_loss(entry, step))
        for number, (detail, room) in self.endings.items():
            entry = self.scene.entries[number]
            ended = _ending(entry, step)
            detail.set_text(f"{ended}  {entry.detail}" if ended else entry.detail)
            detail.set_color(self.theme.warning if ended else self.theme.muted)
            self._fit(detail, room)
        return [self.step, *self.losses, *(detail for detail, _ in self.endings.values())]

    def _build_row(self, number: int, entry: Entry, y: float, row: float) -> None:
        """Write an optimizer's row; in a tight one its settings stand behind its name."""
        tight = row < TIGHT
        size = min(0.95, row / (1.2 * NAME)) if tight else min(1.0, row / (0.85 * ROW))
        look = mark(self.theme, number)
        middle = y - 4 * size
        self.axes.plot(
            [0, 22], [middle, middle], color=look.color, lw=LINE_WIDTH * 1.2, linestyle=look.dash
        )
        self.axes.plot(
            22, middle, color=look.color, marker=look.marker, markersize=HEAD_SIZE * size,
            markeredgecolor=self.theme.background, markeredgewidth=1.2,
        )  # fmt: skip
        loss = self._write(self.width, y, _longest_loss(entry), NAME * size, ha="right")
        loss.set_zorder(MOVING)
        self.losses.append(loss)
        free = self._width(loss) + 8
        name = self._write(SWATCH, y, entry.heading, NAME * size, weight="bold")
        if tight:
            self._fit(name, self.width - SWATCH - free - SETTING * size)
            x, room = SWATCH + self._width(name) + 6, self.width - free
        else:
            self._fit(name, self.width - SWATCH - free)
            x, y, room = SWATCH, y + 15 * size, self.width
        detail = self._write(x, y, entry.detail, DETAIL * size, color=self.theme.muted)
        self._fit(detail, room - x)
        if any(path.ending for path in entry.trajectories):
            detail.set_zorder(MOVING)
            self.endings[number] = (detail, room - x)

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

    def _width(self, text: Text) -> float:
        return float(text.get_window_extent().width) * 72 / self.dpi

    def _fit(self, text: Text, room: float) -> None:
        """Shorten a text that is wider than `room` points, ending in an ellipsis."""
        whole = text.get_text()
        for length in range(len(whole), 0, -1):
            text.set_text(whole if length == len(whole) else whole[:length].rstrip() + "…")
            if self._width(text) <= room:
                break


def _loss(entry: Entry, step: int) -> str:
    """Write the loss of an entry at a step, or its lowest and highest over all starts."""
    losses = np.array([path.losses[min(step, path.last)] for path in entry.trajectories])
    finite = losses[np.isfinite(losses)]
    if not finite.size:
        return "–"
    low, high = finite.min(), finite.max()
    if len(losses) == 1:
        return _number(low, 4)
    return f"{_number(low, 3)} to {_number(high, 3)}"


def _number(value: float, digits: int) -> str:
    """Write a number with the same digits in every frame: 3.500, and 1990 without a point."""
    return f"{value:#.{digits}g}".removesuffix(".")


def _longest_loss(entry: Entry) -> str:
    """Return the longest that the loss of an entry is in writing, of up to 500 steps."""
    steps = np.linspace(0, entry.trajectories[0].steps, 500).astype(int)
    return max((_loss(entry, step) for step in np.unique(steps)), key=len)


def _ending(entry: Entry, step: int) -> str:
    ended = [
        path for path in entry.trajectories if path.ended_at is not None and step >= path.ended_at
    ]
    if len(ended) > 1:
        return f"{len(ended)} of {len(entry.trajectories)} runs ended early"
    return ended[0].ending if ended else ""
