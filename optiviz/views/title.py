"""Titles of pictures and panels, and the formulas beneath them, typeset as mathematics."""

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from matplotlib.figure import Figure
from matplotlib.text import Text

from optiviz.kinds.base import Scene
from optiviz.surfaces.notation import terms
from optiviz.views.axes import Box
from optiviz.views.themes import Theme

TITLE, HEADING, FORMULA, SMALL = 16.0, 11.0, 10.0, 9.5  # font sizes, the last for panels
SHRUNK = (1.0, 0.9, 0.8)  # scales that are tried until a formula fits
BASELINE = 28.0  # points from the top to the title's baseline
UNDER = 16.0  # points from the last baseline to the panels
LEADING = 1.8  # line height of a formula, in font sizes: roots are tall
LETTER = 0.62  # width of a title's letter, in font sizes
BETWEEN = 0.5  # space between two terms, in font sizes
ASIDE = 0.78  # share of a panel's width for the formula above it
LONGEST = 400  # letters of a formula that is typeset as mathematics, at most
BEHIND = -1.0  # zorder below the views, so that frames do not redraw static text


class Titles:
    """Writes titles on a figure, at places in points from the left and from the bottom."""

    def __init__(self, figure: Figure, theme: Theme) -> None:
        self.figure = figure
        self.theme = theme
        self.width, self.height = (72 * float(side) for side in figure.get_size_inches())

    def write(self, scene: Scene[Any], margin: float) -> float:
        """Write a picture's title, formula and caption; return the height left beneath, in points.

        A picture without a title has no formula either.
        """
        room, y = self.width - 2 * margin, self.height - BASELINE
        title, formula = scene.title, scene.formula
        if not title:
            if not scene.caption:
                return self.height - margin
            return self._put_words(margin, self.height - margin / 2, room, scene.caption) - UNDER
        if formula and title == formula:  # there is no other title
            lines = self._lines(formula, room, TITLE, 1) if len(formula) <= LONGEST else None
            if lines and lines[1] == TITLE:
                self._put(margin, y, lines[0][0], TITLE, self.theme.ink, parse_math=True)
                return self._put_words(margin, y, room, scene.caption) - UNDER
            title = "f(x, y)"
        letters = int(room / (LETTER * TITLE))
        said = title if len(title) <= letters else title[: letters - 1].rstrip() + "…"
        self._put(margin, y, said, TITLE, self.theme.ink, weight="bold")
        y = self._put_formula(margin, y, room, formula, FORMULA, 2)
        return self._put_words(margin, y, room, scene.caption) - UNDER

    def write_above(self, scene: Scene[Any], panel: Box) -> None:
        """Write a panel's title and formula, or caption, above it, from its left edge."""
        y = panel.top + 7 + LEADING * 0.8 * SMALL
        if scene.formula and scene.title == scene.formula:
            room = ASIDE * panel.width
            self._put_formula(panel.left, y + 0.5 * HEADING, room, scene.formula, HEADING, 1)
            return
        self._put(panel.left, y, scene.title, HEADING, self.theme.ink, weight="bold")
        y = self._put_formula(panel.left, y, ASIDE * panel.width, scene.formula, SMALL, 1)
        if scene.caption and not scene.formula:
            self._put_words(panel.left, y, ASIDE * panel.width, scene.caption, SMALL, 1)

    def _put(self, x: float, y: float, said: str, size: float, color: str, **look: Any) -> None:
        self.figure.text(
            x / self.width, y / self.height, said, fontsize=size, color=color, zorder=BEHIND, **look
        )

    def _put_formula(
        self, x: float, y: float, room: float, formula: str, size: float, most: int
    ) -> float:
        """Write a formula on `most` lines at most; return the baseline of the last one."""
        lines, size = self._lines(formula, room, size, most)
        math = bool(lines)
        if not math and most > 1:
            wide = int(room / (0.9 * LETTER * size))
            lines = wrap(formula, wide, max_lines=most, placeholder=" …")
        for line in lines:
            y -= LEADING * size
            self._put(x, y, line, size, self.theme.muted, parse_math=math)
        return y

    def _put_words(
        self, x: float, y: float, room: float, said: str, large: float = FORMULA, most: int = 2
    ) -> float:
        """Write a caption, smaller if needed; return the baseline of its last line."""
        if not said:
            return y
        y -= LEADING * large
        for size in (large, SHRUNK[-1] * large):
            wide = int(room / (0.9 * LETTER * size))
            if len(said) <= wide:
                break
        for line in wrap(said, wide, max_lines=most, placeholder=" …"):
            self._put(x, y, line, size, self.theme.muted)
            y -= 1.4 * size
        return y + 1.4 * size

    def _lines(self, formula: str, room: float, size: float, most: int) -> tuple[list[str], float]:
        """Return a formula's lines and font size: smaller if needed, and cut if still too long.

        There are no lines if not even the first term fits, or if the formula is too long or too
        deeply nested to be typeset.
        """
        if not formula or len(formula) > LONGEST:
            return [], SHRUNK[-1] * size
        try:
            return self._mathematics(formula, room, size, most)
        except RecursionError:  # nested too deeply for matplotlib's parser
            return [], SHRUNK[-1] * size

    def _mathematics(
        self, formula: str, room: float, size: float, most: int
    ) -> tuple[list[str], float]:
        parts = terms(formula)
        whole = f"${' '.join(parts)}$"
        if self._width(whole, size) <= room:  # the usual case, measured only once
            return [whole], size
        widths = [self._width(f"${part}$", size) / size for part in parts]
        for share in SHRUNK:
            lines, rest = _wrap_terms(parts, widths, room / (share * size), most)
            if not rest:
                return lines, share * size
        dots = r"+ \ldots"
        kept = self._width(f"${dots}$", size) / size
        lines, _ = _wrap_terms(parts, widths, room / (share * size), most, kept)
        lines[-1:] = [f"{line[:-1]} {dots}$" for line in lines[-1:]]
        return lines, share * size

    def _width(self, math: str, size: float) -> float:
        """Return the width of typeset mathematics in points."""
        text = Text(0, 0, math, fontsize=size, parse_math=True)
        text.set_figure(self.figure)
        return float(text.get_window_extent().width) * 72 / self.figure.dpi


def _wrap_terms(
    parts: Sequence[str], widths: Sequence[float], room: float, most: int, kept: float = 0.0
) -> tuple[list[str], bool]:
    """Return lines of terms that fit into this room, and whether terms are left over.

    `kept` is room to leave free on the last line. Widths are in font sizes.
    """
    lines: list[list[str]] = [[]]
    used = 0.0
    for part, width in zip(parts, widths, strict=True):
        free = room - (kept if len(lines) == most else 0.0)
        if used + width > free:
            if len(lines) == most or not lines[-1]:
                return [f"${' '.join(line)}$" for line in lines if line], True
            lines.append([])
            used = 0.0
        lines[-1].append(part)
        used += width + BETWEEN
    return [f"${' '.join(line)}$" for line in lines], False
