"""Scene + views -> a matplotlib figure that can be moved from step to step, and its animation."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from textwrap import wrap
from typing import Any, NamedTuple

from matplotlib.animation import FuncAnimation
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from optiviz.errors import InputError
from optiviz.scene import Scene, frame_steps
from optiviz.surfaces.notation import terms
from optiviz.themes import Theme
from optiviz.themes.fonts import undrawable
from optiviz.views import View, load_view
from optiviz.views.axes import BENEATH, Box
from optiviz.views.legend import LOW, Legend, Words
from optiviz.views.style import Style

HOLD = 2.0  # seconds that the last frame stays
TITLE, HEADING, FORMULA = 16.0, 11.0, 10.0  # points
LEADING = 1.8  # from line to line of a formula, whose roots are high
MARGIN = 0.035  # of the width
GAP = 26.0  # points between two panels, and between them and the legend
WORDS = 0.32, 180.0  # the least width of a legend beside the panels: of the picture's, in points
STRIP = 0.45  # the largest share of the height that a legend beneath the panels has
BOTTOM = 10.0  # points under everything
STEPS = 30.0  # points of the line under small multiples
ASIDE = 0.78  # of a panel's width, for the formula above it
LONGEST = 1.6  # ratio of a panel's sides beyond which more of one is no gain
NOTATION = 400  # letters of a formula that are set as mathematics
BEHIND = -1.0  # what stands still is drawn before the views, so that no frame draws it again


class Cell(NamedTuple):
    """One panel: a view, and the scene whose words stand above it, if any do."""

    view: View
    headed: Scene | None


class Picture:
    """A figure of a scene: the title, the panels, the legend.

    panels are the scenes to be drawn, the scene itself or its parts, and the views of each.
    `update(step)` moves it and returns the artists that it moved; everything else stands still.
    Sizes are in pixels. Text grows with the picture, but more slowly, so that it stays legible
    when the picture is small.
    """

    def __init__(
        self,
        scene: Scene,
        theme: Theme,
        panels: Sequence[tuple[Scene, Sequence[str]]],
        style: Style,
        size: tuple[int, int] = (960, 640),
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
        several = len(panels) > 1
        self.cells = [
            Cell(load_view(name)(part, theme, style), part if several and not number else None)
            for part, views in panels
            for number, name in enumerate(views)
        ]
        self._paired = len(panels[0][1]) if several else 1
        marks = dict.fromkeys(name for cell in self.cells for name in cell.view.marks)
        legend = Legend(scene, theme, tuple(marks)) if scene.entries else None
        places, words = self._layout(self._write_title(), legend)
        for cell, place in zip(self.cells, places, strict=True):
            if cell.headed and not cell.headed.entries:
                self._write_heading(cell.headed, place)
            cell.view.build(self._axes(place, cell.view.projection))
        self._moving: list[View | Legend] = [cell.view for cell in self.cells]
        if legend is not None and words is not None:
            legend.build(self.figure, words)
            self._moving.append(legend)
        self.update(scene.steps)

    def update(self, step: int) -> Sequence[Artist]:
        """Move every panel to a step and return the artists that move."""
        return [artist for panel in self._moving for artist in panel.update(step)]

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

    def _write(self, left: float, bottom: float, said: str, size: float, **look: Any) -> Text:
        """Write a text that stands still at a place in points."""
        width, height = self._points
        return self.figure.text(
            left / width, bottom / height, said, fontsize=size, zorder=BEHIND, **look
        )

    def _write_title(self) -> float:
        """Write title and formula; return how many points are left beneath them."""
        width, height = self._points
        room, edge = width * (1 - 2 * MARGIN), MARGIN * width
        y, formula, title = height - 28, self.scene.formula, self.scene.title
        if not title:
            return height - edge
        if title == formula:  # nobody gave it another
            math, formula = mathematics(formula), ""
            written = self._write(edge, y, math, TITLE, color=self.theme.ink, parse_math=True)
            if len(title) <= NOTATION and self._width(written) <= room:
                return y - 16
            written.remove()
            title, formula = "f(x, y)", self.scene.formula
        letters = int(room / (0.62 * TITLE))
        said = title if len(title) <= letters else title[: letters - 1].rstrip() + "…"
        self._write(edge, y, said, TITLE, color=self.theme.ink, weight="bold")
        return self._write_formula(edge, y, room, formula, FORMULA) - 16

    def _write_formula(
        self, left: float, y: float, room: float, formula: str, size: float, most: int = 2
    ) -> float:
        """Write a formula on so many lines at most, smaller if need be; return the last's place."""
        if not formula:
            return y
        pieces = terms(formula) if len(formula) <= NOTATION else []
        look: dict[str, Any] = {"color": self.theme.muted, "parse_math": True}
        for smaller in (size, 0.9 * size, 0.8 * size):
            lines = self._broken(pieces, room, smaller, most)
            if lines:
                break
        else:
            lines = self._broken(pieces, room, smaller, most, cut=True)
            if not lines and most > 1:
                look["parse_math"] = False
                wide = int(room / (0.57 * smaller))
                lines = wrap(formula, wide, max_lines=most, placeholder=" …")
        for line in lines:
            y -= LEADING * smaller
            self._write(left, y, line, smaller, **look)
        return y

    def _broken(
        self, pieces: Sequence[str], room: float, size: float, most: int, cut: bool = False
    ) -> list[str]:
        """Return one line of terms, or several, if they go into the room; none if they do not.

        With `cut`, as many of them as do.
        """
        lines: list[str] = []
        rest = list(pieces)
        while rest and len(lines) < most:
            last = cut and len(lines) == most - 1
            for count in range(len(rest), 0, -1):
                more = [r"+ \ldots"] if last and count < len(rest) else []
                line = f"${' '.join(rest[:count] + more)}$"
                if self._width(self._measured(line, size)) <= room:
                    break
            else:
                return []
            lines.append(line)
            rest = [] if last else rest[count:]
        return [] if rest else lines

    def _measured(self, said: str, size: float) -> Text:
        text = Text(0, 0, said, fontsize=size, parse_math=True)
        text.set_figure(self.figure)
        return text

    def _width(self, text: Text) -> float:
        return float(text.get_window_extent().width) * 72 / self.figure.dpi

    def _write_heading(self, scene: Scene, place: Box) -> None:
        """Write title and formula above a panel, from its left edge on."""
        y = place.top + 7 + 1.4 * FORMULA
        self._write(place.left, y, scene.title, HEADING, color=self.theme.ink, weight="bold")
        self._write_formula(place.left, y, ASIDE * place.width, scene.formula, 0.95 * FORMULA, 1)

    def _layout(self, top: float, legend: Legend | None) -> tuple[list[Box], Words | None]:
        """Return the places of the panels and of the legend's words.

        The legend stands beside the panels or beneath them, or its rows above those of small
        multiples. Of all ways to arrange them the one is taken that leaves the panels most.
        """
        width, _ = self._points
        edge = MARGIN * width
        whole = Box(edge, BOTTOM, width - 2 * edge, top - BOTTOM)
        if legend is None:
            _, places = self._best(whole)
            free = whole.left + whole.width - max(box.left + box.width for box in places)
            return [box._replace(left=box.left + free / 2) for box in places], None
        if self.cells[0].headed:
            strip = Box(edge, BOTTOM, whole.width, STEPS)
            room = Box(edge, strip.top, whole.width, top - strip.top)
            _, places = self._best(room, legend.detailed / self._paired)
            firsts, lasts = places[:: self._paired], places[self._paired - 1 :: self._paired]
            rows = []
            for first, last in zip(firsts, lasts, strict=True):
                ends = [each.left - GAP for each in firsts if each.left > first.left]
                most = min(ends, default=whole.left + whole.width) - first.left
                wide = max(last.left + last.width - first.left, min(most, legend.detailed))
                rows.append(first._replace(width=wide))
            return places, legend.above(rows, strip)
        words = max(WORDS[0] * width, WORDS[1], legend.width(whole.height - BENEATH))
        high = edge + min(legend.height(whole.width), STRIP * top)
        beside = self._best(whole._replace(width=whole.width - GAP - min(words, 0.5 * width)))
        beneath = self._best(whole._replace(bottom=high, height=top - high))
        if beneath[0] > beside[0]:
            under = min(box.bottom for box in beneath[1]) - BENEATH - 4
            place = whole._replace(bottom=edge, height=max(under, high) - edge)
            return beneath[1], legend.stacked(place, LOW)
        places = beside[1]
        right = max(box.left + box.width for box in places) + GAP
        bottom = min([BOTTOM + BENEATH, *(box.bottom for box in places)])
        return places, legend.stacked(Box(right, bottom, width - right - edge, top - bottom))

    def _best(self, region: Box, words: float = 1.0) -> tuple[float, list[Box]]:
        """Return the area of the smallest panel, and the places, where that is largest.

        What makes a panel longer than it should be does not count, and one that is narrower than
        the words above it counts less.
        """
        ways = [
            self._arranged(region, columns)
            for columns in range(1, len(self.cells) + 1)
            if columns % self._paired == 0
        ]

        def area(box: Box) -> float:
            wide, high = max(box.width, 0.0), max(box.height, 0.0)
            return (
                min(wide, LONGEST * high) * min(high, LONGEST * wide) * min(1.0, wide / words) ** 2
            )

        return max(((min(map(area, boxes)), boxes) for boxes in ways), key=lambda way: way[0])

    def _arranged(self, region: Box, columns: int) -> list[Box]:
        """Return the places of all panels in rows of so many, without the room around them.

        A view keeps its ratio; those that have none share what the others of a row leave over.
        """
        rows = -(-len(self.cells) // columns)
        wide, tall = (region.width - GAP * (columns - 1)) / columns, region.height / rows
        above = LOW + 4 if any(cell.headed for cell in self.cells) else 0.0
        every = [cell.view.room for cell in self.cells]
        every = [
            room._replace(left=max(each.left for each in every[number % columns :: columns]))
            for number, room in enumerate(every)
        ]
        boxes: list[Box] = []
        top = region.top
        for row in range(rows):
            rooms = every[row * columns : (row + 1) * columns]
            top -= above
            widths = [max(wide - room.left, 1.0) for room in rooms]
            heights = [max(tall - above - room.bottom, 1.0) for room in rooms]
            kept = [number for number, room in enumerate(rooms) if room.ratios is not None]
            for number in kept:
                least, most = rooms[number].ratios or (1.0, 1.0)
                ratio = min(max(widths[number] / heights[number], least), most)
                widths[number] = min(widths[number], heights[number] * ratio)
                heights[number] = widths[number] / ratio
            left = region.left
            over = sum(wide - rooms[number].left - widths[number] for number in kept)
            for number, room in enumerate(rooms):
                if number not in kept and kept:
                    widths[number] += over / (len(rooms) - len(kept))
                    highest = max(heights[each] for each in kept)
                    heights[number] = min(heights[number], highest)
                left += room.left
                boxes.append(Box(left, top - heights[number], widths[number], heights[number]))
                left += widths[number] + GAP
                if len(kept) == len(rooms):
                    left = region.left + (number + 1) * (wide + GAP)
            top -= max(height + room.bottom for height, room in zip(heights, rooms, strict=True))
        return boxes

    def _axes(self, place: Box, projection: str | None = None) -> Axes:
        """Add Axes at a place in points."""
        across, up = self._points
        box = (
            place.left / across, place.bottom / up, place.width / across, place.height / up
        )  # fmt: skip
        axes: Axes = self.figure.add_axes(box, projection=projection)
        return axes


def mathematics(formula: str) -> str:
    """Return a formula in mathtext."""
    return f"${' '.join(terms(formula))}$"
