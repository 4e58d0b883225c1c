"""What the figures of a score share: its table, its axes, and how optimizers look in them."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike

from optiviz.kinds.score import ScoreScene
from optiviz.kinds.style import Style
from optiviz.objective import Array
from optiviz.themes import Theme
from optiviz.themes.colors import lightness
from optiviz.views import BoxConstraints, View
from optiviz.views.axes import (
    ABOVE,
    BENEATH,
    BESIDE,
    LETTER,
    NAME,
    TICK,
    constraints_beside,
    figure_of,
    set_heading,
    set_limits,
    size_in_inches,
    style_chart,
)
from optiviz.views.basins import mixed
from optiviz.views.paths import HEAD_ZORDER, PATH_ZORDER, head_style, path_style
from optiviz.views.ramp import ramp
from optiviz.views.scales import Scale
from optiviz.views.ticks import Ticks, ticks
from optiviz.views.words import Ruler

WIDTH, FIRST_WIDTH = 2.0, 3.4  # of the lines of an optimizer, and of the one that is judged
SHADE = 0.13  # opacity of an interval
MARK, SMALL = 8.0, 0.85  # size of a marker, and of those along a line relative to it
SPACING = 0.34  # from a marker along a line to the next, in diagonals of the axes
AHEAD = 0.03  # share of an axis kept for the markers at its end
SWATCH, AFTER = 8.0, 12.0  # points: the side of a sample of a colour, and from a word to the next
LONGEST, WIDE_LETTER = 14, 8.0  # letters of a name beside its row, and points of each
TALLEST, ROW_LINE = 150.0, 1.25  # points of a row, and its least height in sizes of its letters
PALEST = 0.13  # share of the muted colour where nothing is solved


class ScoreView(View):
    """A figure of a score, which stands still: the optimizer that is judged is drawn strongest."""

    scene: ScoreScene

    def __init__(self, scene: ScoreScene, theme: Theme, style: Style) -> None:
        super().__init__(scene, theme, style)
        self.table = scene.table

    def draw_line(self, axes: Axes, number: int, x: ArrayLike, y: ArrayLike, **more: Any) -> None:
        """Draw the line of an optimizer, with its marker at the end; x and y have shape (n,)."""
        entry = self.scene.entries[number]
        look, above = path_style(self.theme, entry), len(self.scene.entries) - number
        first = SPACING * (number + 0.5) / len(self.scene.entries)  # apart from those of others
        marks = head_style(self.theme, look, SMALL * MARK)
        axes.plot(
            x, y,
            **marks | {
                "color": look.color, "linestyle": look.dash, "label": entry.label,
                "linewidth": WIDTH if number else FIRST_WIDTH, "zorder": PATH_ZORDER + above,
                "markevery": (first, SPACING), **more,
            },
        )  # fmt: skip
        self.draw_mark(axes, number, np.ravel(x)[-1], np.ravel(y)[-1])

    def draw_mark(self, axes: Axes, number: int, x: float, y: float, **more: Any) -> None:
        """Draw the marker of an optimizer at a point."""
        look = path_style(self.theme, self.scene.entries[number])
        above = HEAD_ZORDER + len(self.scene.entries) - number
        style = head_style(self.theme, look, MARK) | {"zorder": above, "clip_on": False}
        axes.plot([x], [y], **style | more)

    def style_shares(self, axes: Axes, *names: str) -> None:
        """Style Axes as a chart of shares, from 0 to 100 %, with the first name that fits."""
        style_chart(axes, self.theme)
        set_limits(axes, "y", (0.0, 1 + AHEAD), percents)
        set_heading(axes, self.theme, *names)

    def style_budget(self, axes: Axes) -> None:
        """Let the x axis be the share of the budget that is spent, logarithmic."""
        low = float(self.table.shares[0])
        set_log_limits(axes, low, 1.0, self.budget_names, percent=True)

    @property
    def budget_names(self) -> list[str]:
        """Names of the axis of the budget, the longest first."""
        low, high = int(self.table.budgets.min()), int(self.table.budgets.max())
        many = f"{high:,}" if low == high else f"{low:,} to {high:,}"
        said = f"{many} evaluations"
        return [f"share of the budget of {said}", f"of {said}", f"of {many}"]

    @property
    def names_width(self) -> float:
        """The points that the names of all optimizers take beside their rows."""
        longest = max(len(entry.heading) for entry in self.scene.entries)
        return WIDE_LETTER * min(longest, LONGEST)

    @property
    def of_rows(self) -> BoxConstraints:
        """The constraints of a chart with a row for each optimizer, and a named axis beneath."""
        left = BESIDE + self.names_width + MARK + 4
        return BoxConstraints(left, BENEATH + NAME, top=ABOVE)

    def name_rows(self, axes: Axes, rows: Sequence[float]) -> None:
        """Write the name of each optimizer, and draw its marker, to the left of its row."""
        ruler, letters = ruler_of(axes), row_letters(axes)
        for number, (entry, row) in enumerate(zip(self.scene.entries, rows, strict=True)):
            look = path_style(self.theme, entry)
            weight = "normal" if number else "bold"
            said = ruler.fitted(entry.heading, self.names_width, letters, weight)
            axes.annotate(
                said, (0, row), (-BESIDE - MARK - 3, 0), xycoords=("axes fraction", "data"),
                textcoords="offset points", ha="right", va="center", fontsize=letters,
                color=self.theme.ink, weight=weight, annotation_clip=False,
            )  # fmt: skip
            left = -(BESIDE + MARK / 2 - 1) / (72 * size_in_inches(axes)[0])
            axes.plot(
                [left], [row], transform=axes.get_yaxis_transform(), clip_on=False,
                **head_style(self.theme, look, MARK * letters / TICK),
            )  # fmt: skip

    @cached_property
    def shades(self) -> Array:
        """The colours from nothing solved to everything, shape (256, 3)."""
        red, green, blue = mixed(self.theme.background, self.theme.muted, PALEST)
        colors: Array = ramp((to_hex((red, green, blue)), self.theme.areas[0]))(
            np.linspace(0, 1, 256)
        )[:, :3]
        return colors

    def shade(self, share: float) -> Array:
        """Return the colour of a share from 0 to 1, shape (3,)."""
        found: Array = self.shades[round(255 * share)]
        return found


def row_limits(axes: Axes, many: int) -> list[float]:
    """Set the y axis to so many rows from the top, none too high; return their middles."""
    high = 72 * size_in_inches(axes)[1]
    axes.set_ylim(max(many, high / TALLEST), 0)
    axes.yaxis.set_ticks([])
    return [number + 0.5 for number in range(many)]


def row_letters(axes: Axes) -> float:
    """Return the font size of words in rows, after `row_limits`."""
    many = axes.get_ylim()[0]
    return min(TICK, 72 * size_in_inches(axes)[1] / many / ROW_LINE)


def ruler_of(axes: Axes) -> Ruler:
    """Return what measures words on the figure of Axes."""
    figure = figure_of(axes)
    assert isinstance(figure.canvas, FigureCanvasAgg)
    return Ruler(figure)


def letters_on(color: Any) -> str:
    """Return black or white, whichever is read better on a colour."""
    return "#000000" if lightness(np.array([to_rgb(color)]))[0] > 55 else "#ffffff"


def percent(share: float) -> str:
    """Return a share as a whole percentage, which is 0 or 100 only if the share is 0 or 1."""
    rounded = round(100 * share)
    if rounded in (0, 100) and 0 < share < 1:
        return "<1%" if share < 0.5 else ">99%"
    return f"{rounded}%"


def percents(many: int) -> Ticks:
    """Return about `many` ticks from 0 to 100 %."""
    places, said = ticks(0, 100, many)
    return [place / 100 for place in places], [f"{each}%" for each in said]


def set_log_limits(
    axes: Axes,
    low: float,
    high: float,
    names: Sequence[str],
    percent: bool = False,
    base: int = 10,
) -> None:
    """Make the x axis logarithmic, with room for a marker at its end, and the name that fits."""
    end = high * (high / low) ** AHEAD
    axes.set_xscale("log", base=base)
    axes.xaxis.set_minor_locator(NullLocator())
    decades = Scale("log", (low * 0.9999, high * 1.0001))

    def find(many: int) -> Ticks:
        if base != 10:
            return _powers(low, high, many, base)
        places, said = decades.ticks(many)
        return places, [f"{100 * place:g}%" for place in places] if percent else said

    room = 72 * size_in_inches(axes)[0]
    name = next((each for each in names if LETTER * len(each) <= room), names[-1])
    set_limits(axes, "x", (low, end), find, name)


def _powers(low: float, high: float, many: int, base: int) -> Ticks:
    """Return about `many` powers of a base between two positive numbers."""
    first, last = (round(np.log(each) / np.log(base), 9) for each in (low, high))
    powers = range(int(np.ceil(first)), int(np.floor(last)) + 1)
    kept = powers[:: max(1, -(-len(powers) // many))]
    return [float(base**power) for power in kept], [f"{base**power:g}" for power in kept]


def of_shares(named: bool = True) -> BoxConstraints:
    """Return the constraints of a chart of shares whose x axis has a long name."""
    return constraints_beside(["100%"], named=named, names=("x" * 20, ""))


def write_key(axes: Axes, theme: Theme, marks: Sequence[tuple[Any, str]]) -> None:
    """Explain colours above Axes, on the left, in smaller letters where there is little room.

    Each mark is a colour, or None for words alone, and a word.
    """
    ruler, (wide, high) = ruler_of(axes), (72 * side for side in size_in_inches(axes))
    samples = [0.0 if color is None else SWATCH + 4 for color, _ in marks]
    words = [ruler.width(word, TICK) for _, word in marks]
    size = min(1.0, wide / (sum(samples) + sum(words) + AFTER * (len(marks) - 1)))
    x = 0.0
    for (color, word), sample, room in zip(marks, samples, words, strict=True):
        if color is not None:
            axes.add_patch(
                Rectangle(
                    (x / wide, 1 + 5 / high), size * SWATCH / wide, size * SWATCH / high,
                    transform=axes.transAxes, clip_on=False, facecolor=color,
                    edgecolor=theme.muted, linewidth=0.5,
                )
            )  # fmt: skip
        axes.annotate(
            word, (0, 1), (x + size * sample, 5.5), xycoords="axes fraction",
            textcoords="offset points", fontsize=size * TICK, color=theme.muted,
            annotation_clip=False,
        )  # fmt: skip
        x += size * (sample + room + AFTER)
