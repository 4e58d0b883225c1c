"""Scene + views -> a matplotlib figure that can be moved from step to step, and its animation."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from textwrap import wrap
from typing import Any

from matplotlib.animation import FuncAnimation
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from optiviz.errors import InputError
from optiviz.scene import Scene, frame_steps
from optiviz.themes import Theme
from optiviz.themes.fonts import undrawable
from optiviz.views import View, load_view
from optiviz.views.legend import HEADER, ROW, Legend
from optiviz.views.ticks import ticks

HOLD = 2.0  # seconds that the last frame stays
TITLE, FORMULA = 16.0, 10.0  # points
MARGIN = 0.035  # of the width
XLABELS, GAP = 40.0, 26.0  # points under the view, and right of it
YLABEL, TICK_LETTER = 19.0, 6.4  # points left of the view, and for each letter of its ticks
EQUAL = 0.6  # share of the room that a view with equal scales must fill
BEHIND = -1.0  # what stands still is drawn before the views, so that no frame draws it again
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Picture:
    """A figure of a scene: the title, one panel for the view, the legend.

    `update(step)` moves it and returns the artists that it moved; everything else stands still.
    Sizes are in pixels. Text grows with the picture, but more slowly, so that it stays legible
    when the picture is small.
    """

    def __init__(
        self, scene: Scene, theme: Theme, view: str = "contour", size: tuple[int, int] = (960, 640)
    ) -> None:
        self.scene = scene
        self.theme = theme
        for text in (scene.title, *(entry.heading for entry in scene.entries)):
            if missing := undrawable(text):
                raise InputError(f"{text!r}: no font on this machine has {' '.join(missing)}")
        width, height = size
        dpi = 100 * (min(width, 1.5 * height) / 960) ** 0.65
        # The hair keeps int(inches * dpi) from falling one pixel short.
        self.figure = Figure(((width + 1e-6) / dpi, (height + 1e-6) / dpi), dpi=dpi)
        self.figure.set_facecolor(theme.background)
        FigureCanvasAgg(self.figure)
        top = self._write_title()
        legend = Legend(scene, theme)
        panel, words = self._layout(top, legend)
        self._panels: tuple[View, ...] = (load_view(view)(scene, theme), legend)
        for each, axes in zip(self._panels, (panel, words), strict=True):
            each.build(axes)
        self.update(scene.steps)

    def update(self, step: int) -> Sequence[Artist]:
        """Move every panel to a step and return the artists that move."""
        return [artist for panel in self._panels for artist in panel.update(step)]

    def animation(self, fps: float, duration: float, hold: float = HOLD) -> FuncAnimation:
        """Return the animation: every frame, then the last one for `hold` more seconds."""
        frames = frame_steps(self.scene.steps, fps, duration)
        with self._undrawn():
            return FuncAnimation(
                self.figure,
                self.update,
                frames=frames + frames[-1:] * round(hold * fps),
                interval=1000 / fps,
                blit=True,
                cache_frame_data=False,
            )

    @contextmanager
    def _undrawn(self) -> Iterator[None]:
        """Keep matplotlib from drawing what it would draw again before the first frame."""
        canvas: Any = self.figure.canvas
        canvas.draw_idle = lambda: None
        try:
            yield
        finally:
            del canvas.draw_idle

    @property
    def _points(self) -> tuple[float, float]:
        """Width and height of the figure in points."""
        width, height = self.figure.get_size_inches()
        return 72 * float(width), 72 * float(height)

    def _write_title(self) -> float:
        """Write title and formula; return what share of the height is left beneath them."""
        width, height = self._points
        room = width * (1 - 2 * MARGIN)
        y = 1 - 28 / height
        formula, title = readable(self.scene.surface.formula), self.scene.title
        letters = room / (0.62 * TITLE)
        if title == self.scene.surface.formula:
            title = formula if len(formula) <= letters else "f(x, y)"
        self.figure.text(
            MARGIN, y, _shortened(title, letters), fontsize=TITLE,
            weight="bold", color=self.theme.ink, zorder=BEHIND,
        )  # fmt: skip
        if formula == title:
            return y - 16 / height
        for size in (FORMULA, 0.9 * FORMULA, 0.8 * FORMULA):
            lines = wrap(_unbroken(formula), int(room / (0.52 * size)))
            if len(lines) <= 2:
                break
        if len(lines) > 2:
            lines = [lines[0], lines[1][:-1] + "…"]
        for line in lines:
            y -= 1.55 * size / height
            self.figure.text(MARGIN, y, line, fontsize=size, color=self.theme.muted, zorder=BEHIND)
        return y - 16 / height

    def _layout(self, top: float, legend: Legend) -> tuple[Axes, Axes]:
        """Return the Axes of the view and of the legend beside it; beneath it in a high picture.

        Both axes have one scale, unless that would leave much of the view's room empty.
        """
        width, height = self._points
        edge = MARGIN * width
        intervals = self.scene.surface.domain.intervals
        letters = max(len(label) for label in ticks(*intervals[-1])[1])
        left, top = edge + YLABEL + TICK_LETTER * letters, top * height
        beside = width > 1.1 * height
        if beside:
            bottom = XLABELS
            words = min(legend.line_width(top - bottom), 0.5 * width)
            wide = width - left - GAP - max(0.32 * width, 180.0, words) - edge
        else:
            rows = HEADER + ROW * len(self.scene.entries)
            bottom = edge + min(rows, 0.45 * top) + XLABELS
            wide = width - left - edge
        tall = top - bottom
        sides = [high - low for low, high in intervals]
        scales = wide / sides[0], tall / sides[-1]
        if min(scales) > EQUAL * max(scales):
            wide, tall = sides[0] * min(scales), sides[-1] * min(scales)
        panel = self._axes(left, top - tall, wide, tall)
        if beside:
            right = left + wide + GAP
            return panel, self._axes(right, bottom, width - right - edge, top - bottom)
        return panel, self._axes(edge, edge, width - 2 * edge, top - tall - XLABELS - edge)

    def _axes(self, left: float, bottom: float, width: float, height: float) -> Axes:
        """Add Axes at a place in points."""
        across, up = self._points
        axes = self.figure.add_axes((left / across, bottom / up, width / across, height / up))
        axes.tick_params(labelsize=10, labelcolor=self.theme.muted)
        for axis in (axes.xaxis, axes.yaxis):
            axis.label.set(fontsize=11, color=self.theme.muted)
        return axes


def readable(formula: str) -> str:
    """Return a formula as it is written by hand, as far as plain letters go: x² and 3·x."""
    powers = re.sub(r"\*\*(\d+)\b(?!\.)", lambda power: power[1].translate(SUPERSCRIPTS), formula)
    return powers.replace("**", "^").replace("*", "·")


def _unbroken(formula: str) -> str:
    """Return a formula whose parentheses are held together by no-break spaces."""
    depth, letters = 0, []
    for letter in formula:
        depth += (letter == "(") - (letter == ")")
        letters.append("\N{NO-BREAK SPACE}" if letter == " " and depth else letter)
    return "".join(letters)


def _shortened(text: str, letters: float) -> str:
    return text if len(text) <= letters else text[: int(letters) - 1].rstrip() + "…"
