"""Words on a figure: measured before anything is drawn, and placed in points."""

import re
from typing import Any, Literal, NamedTuple

from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from optiviz.themes import Theme
from optiviz.views.live import LiveText

ELLIPSIS = "…"
TITLE, TEXT, SMALL = 16.0, 11.5, 10.0  # font sizes: of titles, of names and values, of all else


class Letters(NamedTuple):
    """The font sizes of a picture: those of its title, and of names and values."""

    title: float = TITLE
    text: float = TEXT


GROWING = Letters()  # the letters of a title are the largest
EVEN = Letters(SMALL, SMALL)  # all letters have the same size, as in a figure of a paper


class Extent(NamedTuple):
    """The width and the height of a text, and how much of the latter is below its baseline."""

    width: float
    height: float
    descent: float


class Ruler:
    """Measures texts of a figure, in points, and says how large its letters are."""

    def __init__(self, figure: Figure, letters: Letters = GROWING) -> None:
        self.letters = letters
        canvas = figure.canvas
        assert isinstance(canvas, FigureCanvasAgg)
        self._renderer: Any = canvas.get_renderer()
        self._pixels = figure.dpi / 72  # of a point
        self._known: dict[tuple[Any, ...], Extent] = {}

    def extent(
        self,
        said: str,
        size: float,
        weight: str = "normal",
        parse_math: bool = False,
        family: str | None = None,
        style: Literal["normal", "italic"] = "normal",
    ) -> Extent:
        """Return the extent of a line of text of this font size."""
        look = said, size, weight, parse_math, family, style
        if look not in self._known:
            font = FontProperties(family=family, size=size, weight=weight, style=style)
            sides = self._renderer.get_text_width_height_descent(said, font, ismath=parse_math)
            self._known[look] = Extent(*(side / self._pixels for side in sides))
        return self._known[look]

    def width(
        self, said: str, size: float, weight: str = "normal", parse_math: bool = False
    ) -> float:
        """Return the width of a line of text of this font size."""
        return self.extent(said, size, weight, parse_math).width

    def fitted(
        self, said: str, room: float, size: float, weight: str = "normal", between: str = ""
    ) -> str:
        """Return a text that is at most `room` points wide, cut and ended in an ellipsis if needed.

        A text is cut after any letter; one with a space for `between` only at a space or before a
        schedule, and never between a word and its number: a number cut short would be wrong.
        """
        parts = re.split(r"(?= (?!step |[-\d.])|@)", said) if between else list(said)
        for count in range(len(parts), 0, -1):
            cut = "" if count == len(parts) else between + ELLIPSIS
            shown = "".join(parts[:count]).rstrip() + cut
            if self.width(shown, size, weight) <= room:
                return shown
        return ELLIPSIS if self.width(ELLIPSIS, size, weight) <= room else ""


class Sheet:
    """Where words and marks are put on a figure, in points from the left and from the bottom.

    Still ones lie beneath the views and live ones above them, so that a frame does not draw still
    ones again. Both have Axes of their own, because matplotlib's writers lose animated text that
    belongs to the figure. `above` is for words on top of a panel: still ones are above it, too.
    """

    def __init__(self, figure: Figure, theme: Theme, above: bool = False) -> None:
        self.theme = theme
        width, height = 72 * figure.get_size_inches()
        self.still, self.live = (
            figure.add_axes((0, 0, 1, 1), zorder=order, xlim=(0, width), ylim=(0, height))
            for order in ((2, 3) if above else (-1, 1))
        )
        for axes in (self.still, self.live):
            axes.set(xticks=[], yticks=[])  # or they would be created, though never drawn
            axes.set_axis_off()
            axes.set_autoscale_on(False)

    def write(self, x: float, y: float, said: str, size: float, **look: Any) -> Text:
        """Write a text that stays as it is, in ink unless specified; y is that of its baseline."""
        return self.still.text(x, y, said, fontsize=size, **{"color": self.theme.ink} | look)

    def write_live(self, x: float, y: float, said: str, size: float, **look: Any) -> Text:
        """Write a text that changes from frame to frame."""
        settings: dict[str, Any] = {"color": self.theme.ink, "clip_on": False} | look
        text = LiveText(x, y, said, fontsize=size, **settings)
        self.live.add_artist(text)
        return text

    def fill(self, left: float, bottom: float, width: float, height: float) -> None:
        """Fill a rectangle with the background, so that words on it are legible."""
        box = Rectangle((left, bottom), width, height, linewidth=0.7)
        box.set(facecolor=self.theme.background, edgecolor=self.theme.rule)
        self.still.add_patch(box)

    def draw(self, x: Any, y: Any, **look: Any) -> None:
        """Draw a line or a mark that stays as it is."""
        self.still.plot(x, y, **look)

    def draw_live(self, x: Any, y: Any, **look: Any) -> Line2D:
        """Draw a line that changes from frame to frame."""
        (line,) = self.live.plot(x, y, **look)
        return line

    def artists(self) -> list[Artist]:
        """Return what changes from frame to frame."""
        return [*self.live.texts, *self.live.lines]
