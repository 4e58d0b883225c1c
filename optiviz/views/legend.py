"""The panel of words beside the views: the step, and each optimizer with its rate and its loss.

One for all views of a picture. It stands in an Axes of its own, because stock writers lose
animated text that belongs to the figure.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.text import Text

from optiviz.scene import Entry, Scene
from optiviz.themes import Theme
from optiviz.views.marks import HEAD_SIZE, LINE_WIDTH, mark

MOVING = 10.0  # above all that stands still
NAME, DETAIL, STEP = 12.0, 10.5, 13.0  # points
HEADER = 44.0  # points from the top to the first row
ROW = 46.0  # points
SWATCH = 30.0  # points from the left edge to the names
LOSS, LOSSES = 78.0, 150.0  # points kept free for one number, and for "from to"


class Legend:
    """The step counter and one row an optimizer: swatch, name, settings, current loss."""

    def __init__(self, scene: Scene, theme: Theme) -> None:
        self.scene = scene
        self.theme = theme
        self.losses: list[Text] = []
        self.endings: list[Text] = []

    def build(self, axes: Axes) -> None:
        """Write the still words; the Axes' width and height are taken as points."""
        figure = axes.get_figure(root=True)
        assert figure is not None
        box = axes.get_position()
        width, height = (figure.get_size_inches() * (box.width, box.height)) * 72
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        axes.set_axis_off()
        row = min(ROW, (height - HEADER) / len(self.scene.entries))
        shrink = min(1.0, row / (0.85 * ROW))

        def write(x: float, y: float, said: str, size: float, **look: object) -> Text:
            settings = {"color": self.theme.ink, "va": "baseline", "ha": "left"} | look
            return axes.text(x, y, said, fontsize=size, **settings)  # type: ignore[arg-type]

        self.step = write(0, 14, "", STEP, weight="bold", zorder=MOVING)
        write(width, 14, "loss", DETAIL, color=self.theme.muted, ha="right")
        for number, entry in enumerate(self.scene.entries):
            y = HEADER + number * row
            look = mark(self.theme, number)
            axes.add_line(
                Line2D(
                    [0, 20], [y - 4 * shrink] * 2, color=look.color, lw=LINE_WIDTH * 1.2,
                    solid_capstyle="round",
                )
            )  # fmt: skip
            axes.add_line(
                Line2D(
                    [20], [y - 4 * shrink], color=look.color, marker=look.marker,
                    markersize=HEAD_SIZE * shrink, markeredgecolor=self.theme.background,
                    markeredgewidth=1.2,
                )
            )  # fmt: skip
            loss = write(width, y, "", NAME * shrink, ha="right", zorder=MOVING)
            free = LOSS if len(entry.trajectories) == 1 else LOSSES
            room = width - SWATCH - free * shrink
            self._fit(write(SWATCH, y, entry.label, NAME * shrink, weight="bold"), room)
            below = y + 15 * shrink
            detail = write(SWATCH, below, entry.detail, DETAIL * shrink, color=self.theme.muted)
            ending = write(SWATCH, below, "", DETAIL * shrink, zorder=MOVING)
            if any(path.ending for path in entry.trajectories):
                detail.set_text("")
            self._fit(detail, width - SWATCH)
            self.losses.append(loss)
            self.endings.append(ending)

    def update(self, step: int) -> Sequence[Artist]:
        self.step.set_text(f"step {step} of {self.scene.steps}")
        for entry, loss, ending in zip(self.scene.entries, self.losses, self.endings, strict=True):
            loss.set_text(_loss(entry, step))
            ended = _ending(entry, step)
            if any(path.ending for path in entry.trajectories):
                ending.set_text(ended or entry.detail)
                ending.set_color(self.theme.warning if ended else self.theme.muted)
        return [self.step, *self.losses, *self.endings]

    def _fit(self, text: Text, room: float) -> None:
        """Shorten a text that is wider than `room` points, ending in an ellipsis."""
        figure = text.get_figure(root=True)
        assert figure is not None
        whole = text.get_text()
        for length in range(len(whole), 0, -1):
            text.set_text(whole if length == len(whole) else whole[:length].rstrip() + "…")
            if text.get_window_extent().width * 72 / figure.dpi <= room:
                break


def _loss(entry: Entry, step: int) -> str:
    """Write the loss of an entry at a step, or its lowest and highest over all starts."""
    losses = np.array([path.losses[min(step, path.last)] for path in entry.trajectories])
    finite = losses[np.isfinite(losses)]
    if not finite.size:
        return "–"
    low, high = finite.min(), finite.max()
    return f"{low:#.4g}" if len(losses) == 1 else f"{low:#.3g} to {high:#.3g}"


def _ending(entry: Entry, step: int) -> str:
    ended = [
        path for path in entry.trajectories if path.ended_at is not None and step >= path.ended_at
    ]
    if len(ended) > 1:
        return f"{len(ended)} of {len(entry.trajectories)} runs ended early"
    return ended[0].ending if ended else ""
