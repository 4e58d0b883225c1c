"""Titles, formulas and captions: the lines into which they are broken for a width."""

from collections.abc import Sequence
from functools import cached_property
from textwrap import wrap
from typing import Any, NamedTuple

from optiviz.kinds.base import Scene
from optiviz.surfaces.notation import pieces, symbol, terms
from optiviz.views.words import ELLIPSIS, SMALL, TITLE, Ruler, Sheet

TITLE_LINE, FORMULA_LINE, TEXT_LINE = 20.0, 17.5, 14.0  # points from one baseline to the next
MAX_TITLE, MAX_FORMULA = 4, 6  # lines
SHRUNK = 0.9  # of a formula whose first term is too long for a line
BETWEEN = 0.1  # space between two terms, in font sizes, besides that around their signs
LONGEST = 400  # letters of a formula that is typeset as mathematics, at most
JOINED = "\N{NO-BREAK SPACE}"
MANY = 3  # variables that a title lists


class Line(NamedTuple):
    """A line of a title: its pieces, each with its distance from the left end, and their look."""

    pieces: Sequence[tuple[float, str]]
    size: float
    leading: float  # points from the baseline of the line above
    look: dict[str, Any]
    leads: bool = False  # whether it is a title

    def write(self, sheet: Sheet, x: float, y: float) -> None:
        """Write the line with its baseline at y."""
        color = sheet.theme.ink if self.leads else sheet.theme.muted
        for away, said in self.pieces:
            sheet.write(x + away, y, said, self.size, color=color, **self.look)


MATH = {"parse_math": True}
DOTS = r"\ldots"
SIGNS = ("+ ", "- ")  # with which a part of a formula begins that is added


class TitleLines:
    """The lines of a scene's title, and of the formula or the caption beneath it."""

    def __init__(self, scene: Scene[Any], ruler: Ruler, size: float = 0.0) -> None:
        self.scene, self.ruler, self.size = scene, ruler, size or ruler.letters.title

    def title(self, room: float) -> list[Line]:
        """Return the lines of the title, which is a formula where there is no other."""
        title = self.scene.title
        if not title:
            return []
        if (alone := self._formula_alone(room)) is not None:
            return [alone]
        if title == self.scene.formula:
            title = f"f({_listed([*map(symbol, self.scene.variables.values())])})"
        lines = broken(title, room, self.size, self.ruler, "bold")
        if len(lines) > MAX_TITLE:
            rest = " ".join(lines[MAX_TITLE - 1 :])
            cut = self.ruler.fitted(f"{rest}{ELLIPSIS}", room, self.size, "bold")
            lines[MAX_TITLE - 1 :] = [cut]
        return [self._bold(said) for said in lines]

    def short_title(self, room: float) -> list[Line]:
        """Return the title as one line, cut if needed; a formula that does not fit is left out."""
        title = self.scene.title
        if title == self.scene.formula or not title:
            return self.title(room)[:1]
        return [self._bold(self.ruler.fitted(title, room, self.size, "bold"))]

    def details(self, room: float, most: int = MAX_FORMULA) -> list[Line]:
        """Return the lines of the formula and the caption beneath the title, `most` at most.

        A picture without a title has no formula either. Conditions of the runs are never left out;
        of a caption that is too long for the lines, they are kept.
        """
        conditions = ", ".join(self.scene.conditions)
        least = 1 if conditions else 0
        caption = self.scene.caption
        if conditions and len(broken(caption, room, SMALL, self.ruler)) > max(most, least):
            caption = conditions
        shown = most > least and self.scene.title and self._formula_alone(room) is None
        lines = self._formula(room, most - least) if shown else []
        return lines + self._plain(caption, room, max(most - len(lines), least))

    @property
    def _leading(self) -> float:
        return max(self.size * TITLE_LINE / TITLE, TEXT_LINE)

    def _bold(self, said: str) -> Line:
        return Line([(0.0, said)], self.size, self._leading, {"weight": "bold"}, leads=True)

    def _plain(self, said: str, room: float, most: int) -> list[Line]:
        lines = broken(said, room, SMALL, self.ruler) if said and most > 0 else []
        if len(lines) > most:
            rest = " ".join(lines[most - 1 :])
            lines[most - 1 :] = [self.ruler.fitted(rest, room, SMALL)]
        return [Line([(0.0, each)], SMALL, TEXT_LINE, {}) for each in lines]

    @cached_property
    def _terms(self) -> list[str]:
        """The terms of the formula as mathematics; none if it is too long or too deeply nested."""
        formula = self.scene.formula
        if not 0 < len(formula) <= LONGEST:
            return []
        try:
            parts = terms(formula, self.scene.variables)
            for part in parts:
                self._width(part, SMALL)
        except RecursionError:
            return []
        return parts

    def _width(self, part: str, size: float) -> float:
        return self.ruler.width(_math(part), size, parse_math=True)

    def _formula_alone(self, room: float) -> Line | None:
        """Return the formula as a title in one line, if it is the title and fits."""
        if self.scene.title != self.scene.formula or not self._terms:
            return None
        lines, cut = self._wrapped(self._terms, room, self.size, 1)
        return None if cut else lines[0]._replace(leading=self._leading, leads=True)

    def _formula(self, room: float, most: int) -> list[Line]:
        """Return a formula's lines, broken between terms and cut after the last one that fits.

        Where a term is too long for a line, it is broken, too, and if that is too long for the
        lines, only as much of it is shown as one line holds. So it is of a formula that cannot be
        typeset, which is written as it is in Python.
        """
        for size in (SMALL, SHRUNK * SMALL) if self._terms else ():
            if self._width(self._terms[0], size) <= room:
                return self._wrapped(self._terms, room, size, most)[0]
        for factors in (False, True):
            parts = [part for term in self._terms for part in pieces(term, factors)]
            lines, cut = self._wrapped(parts, room, SMALL, most)
            if cut:
                lines, _ = self._wrapped(parts, room, SMALL, min(most, 1))
            if lines:
                return lines
        formula = self.scene.formula
        too_long = len(broken(formula, room, SMALL, self.ruler)) > most
        return self._plain(formula, room, min(most, 1) if too_long else most)

    def _wrapped(
        self, parts: Sequence[str], room: float, size: float, most: int
    ) -> tuple[list[Line], bool]:
        """Return lines of parts that fit, and whether some are left out, for which dots stand."""
        widths = [self._width(part, size) for part in parts]
        lines: list[list[tuple[float, str]]] = [[]]
        used, cut = 0.0, False
        for number, (part, width) in enumerate(zip(parts, widths, strict=True)):
            rest = sum(widths[number + 1 :]) + BETWEEN * size * (len(widths) - number - 1)
            last = len(lines) == most and used + width + rest > room
            following = parts[number + 1] if rest else ""
            dots = self._width(_dots(following), size) + BETWEEN * size
            if used + width > room - (dots if last and rest else 0.0):
                if len(lines) == most or not lines[-1] or width > room:
                    cut = True
                    break
                lines.append([])
                used = 0.0
            lines[-1].append((used, _math(part)))
            used += width + BETWEEN * size
        if cut and lines[0]:
            lines[-1].append((used, _math(_dots(part))))
        return [Line(each, size, FORMULA_LINE, MATH) for each in lines if each], cut


def _math(part: str) -> str:
    """Return a part of a formula as matplotlib typesets it.

    An empty group in front makes a sign a binary operator.
    """
    return f"${{}} {part}$" if part.startswith(SIGNS) else f"${part}$"


def _dots(part: str) -> str:
    """Return what stands for a part and all that follows it."""
    return f"+ {DOTS}" if part.startswith(SIGNS) else DOTS


def broken(said: str, room: float, size: float, ruler: Ruler, weight: str = "normal") -> list[str]:
    """Return a text broken into lines at most `room` points wide, between words if possible.

    What stands between commas stays on one line, if that is wide enough, such as 0 <= x <= 1.
    """

    def fits(line: str) -> bool:
        return ruler.width(line, size, weight) <= room

    parts = said.split(", ")
    said = ", ".join(part.replace(" ", JOINED) if fits(f"{part},") else part for part in parts)
    cut = not all(map(fits, said.split(" ")))
    letters = max(1, len(said))
    while letters > 1:
        lines = wrap(said, letters, break_on_hyphens=False, break_long_words=cut)
        widest = max(ruler.width(line, size, weight) for line in lines)
        if widest <= room:
            return [line.replace(JOINED, " ") for line in lines]
        letters = min(letters - 1, int(max(map(len, lines)) * max(room / widest, 0.5)) + 1)
    return wrap(said, letters)


def height_of(lines: Sequence[Line]) -> float:
    """Return the height of lines, in points."""
    return sum(line.leading for line in lines)


def _listed(names: Sequence[str]) -> str:
    """Return names separated by commas; of many, the first two and the last."""
    return ", ".join(names if len(names) <= MANY else [*names[:2], "...", names[-1]])
