"""The handout of a lesson: a PDF with a page for each picture, and room to answer its question.

The answer is at the foot, small and upside down.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.mathtext import MathTextParser

from optiviz.kinds.base import BaseRecipe
from optiviz.kinds.lesson import PROSE, LessonRecipe, LessonScene, Passage, located
from optiviz.rendering.lesson.prose import Part, prose_parts
from optiviz.rendering.render import make_picture
from optiviz.system.errors import InputError
from optiviz.system.progress import Progress
from optiviz.system.text import shorten
from optiviz.themes import Theme, load_theme
from optiviz.views.fonts import check_drawable
from optiviz.views.settings import drawing_settings
from optiviz.views.title import broken
from optiviz.views.words import Ruler, Sheet
from optiviz.writers.still import Placed, save_pages

# All lengths are in points.
PAGE = 595.28, 841.89  # A4
MARGIN, FOOT = 54.0, 34.0  # at the sides and above; from the lower edge to the page number
HEADING, SMALL = 20.0, 8.5  # font sizes: of the heading, and of all at the foot
SIZES = 11.5, 11.0, 10.5, 10.0, 9.5, 9.0  # of the text: the largest that fits
LEADING, NEAR = 1.45, 1.5  # from baseline to baseline, in font sizes; least space between lines
GAP = 18.0  # between the parts of a page
RULED, FEWEST, MOST = 23.0, 2, 7  # distance and number of the lines on which to write
LONGEST = 72  # letters of a formula above a picture, where a longer one would be cut
TALLEST = 0.5  # of the page, of a picture that would be higher at full width
DOTS_PER_INCH = 288.0  # at which texts are measured
# Names of LaTeX that matplotlib lacks, as it has them.
SYNONYMS = {
    "le": r"\leq", "ge": r"\geq", "lvert": r"\vert", "rvert": r"\vert", "lVert": r"\Vert",
    "rVert": r"\Vert", "gets": r"\leftarrow", "implies": r"\Rightarrow", "iff": r"\Leftrightarrow",
    "land": r"\wedge", "lor": r"\vee", "lnot": r"\neg", "dotsc": r"\ldots", "tfrac": r"\frac",
    "bm": r"\boldsymbol", "textbf": r"\mathbf", "textrm": r"\mathrm", "textit": r"\mathit",
    "argmin": r"\operatorname{arg\,min}", "argmax": r"\operatorname{arg\,max}", "coloneqq": ":=",
    "stackrel": r"\overset", "bmod": r"\operatorname{mod}",
    **dict.fromkeys(("displaystyle", "textstyle", "limits", "mathop"), ""),
    **dict.fromkeys(("big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr"), ""),
}  # fmt: skip

Look = dict[str, Any]  # of a text, as matplotlib's arguments
Word = list[tuple[str, Look]]  # its pieces
BOLD: Look = {"weight": "bold"}
CODE: Look = {"family": "DejaVu Sans Mono"}
MARKED: dict[str, Look] = {"strong": BOLD, "stressed": {"style": "italic"}}
MATH: Look = {"parse_math": True}


def save_handout(
    scene: LessonScene,
    recipe: LessonRecipe,
    path: Path,
    comment: str,
    progress: Progress | None = None,
) -> tuple[str, ...]:
    """Write the handout of a lesson to a path, with `comment` as its subject.

    Returns sentences on what is blank in its pictures. Raises FieldError for a formula that
    matplotlib cannot set, and for texts that do not fit on a page.
    """
    theme, count = load_theme(recipe.theme), len(scene.passages)
    pages, blanks = [], dict[str, None]()
    with drawing_settings():
        for number, (passage, picture) in enumerate(
            zip(scene.passages, recipe.pictures, strict=True)
        ):
            _check(number, passage)
            page = HandoutPage(theme)
            with located("sections", number):
                page.write(f"{number + 1}", passage, picture)
            page.write_foot(scene.title, f"{number + 1} / {count}")
            # The heading is above it, so that of a title only the formula remains.
            formula = passage.scene.formula
            named = replace(passage.scene, title=formula if len(formula) <= LONGEST else "")
            with located("sections", number, "picture"):
                drawn = make_picture(picture, named)
            drawn.update(passage.scene.steps)
            blanks |= dict.fromkeys(drawn.remarks)
            box = (side / 72 for side in page.picture)
            pages.append([Placed(page.figure, 0, 0, *page.inches), Placed(drawn.figure, *box)])
        save_pages(pages, path, comment, page.inches)
    return tuple(blanks)


def _check(number: int, passage: Passage) -> None:
    """Raise FieldError if a text of a section, the first of which is 0, cannot be set."""
    for key in ("heading", *PROSE):
        with located("sections", number, key):
            _check_prose(getattr(passage, key))
    for place, source in enumerate(passage.sources):
        with located("sections", number, "sources", place):
            check_drawable(source)


def _check_prose(text: str) -> None:
    for part in prose_parts(text):
        check = _check_prose if part.kind in MARKED else check_drawable
        (check_formula if part.kind == "formula" else check)(part.text)


def known_formula(formula: str) -> str:
    """Return a formula of LaTeX as matplotlib knows it, between dollar signs."""
    said = re.sub(r"\\([A-Za-z]+)", lambda found: SYNONYMS.get(found[1], found[0]), formula)
    said = re.sub(r"(?<=frac)(\d)(\d)", r"{\1}{\2}", said)
    return f"${said}$".replace(r"\operatorname*", r"\operatorname")


def check_formula(formula: str) -> None:
    """Raise InputError if matplotlib cannot set a formula of LaTeX."""
    try:
        MathTextParser("path").parse(known_formula(formula))
    except ValueError as error:
        why = re.sub(r"^\w+: |, found .*| *\(at char.*", "", str(error).splitlines()[-1])
        raise InputError(f"${formula}$ cannot be set in a .pdf: {why}") from None
    except RecursionError:
        said = shorten(formula, quoted=True)
        raise InputError(f"{said} cannot be set in a .pdf: it is nested too deeply") from None


class HandoutPage:
    """A page of a handout: a figure of its words, and the place of its picture."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self.inches = PAGE[0] / 72, PAGE[1] / 72
        self.figure = Figure(self.inches, dpi=DOTS_PER_INCH, facecolor=theme.background)
        FigureCanvasAgg(self.figure)
        self.picture = 0.0, 0.0, 0.0, 0.0  # left, bottom, width, height
        self.ruler, self.sheet = Ruler(self.figure), Sheet(self.figure, theme)
        self.room = PAGE[0] - 2 * MARGIN

    def write(self, number: str, passage: Passage, picture: BaseRecipe) -> None:
        """Write a section around the place of its picture; raise InputError if it does not fit."""
        y = PAGE[1] - MARGIN - HEADING
        for line in broken(f"{number}  {passage.heading}", self.room, HEADING, self.ruler, "bold"):
            self.sheet.write(MARGIN, y, line, HEADING, weight="bold")
            y -= 1.25 * HEADING
        across, up = picture.size.inches
        scale = min(self.room / across, TALLEST * PAGE[1] / up)
        width, height = scale * across, scale * up
        y += 0.6 * HEADING
        self.picture = (PAGE[0] - width) / 2, y - height, width, height
        y -= height + GAP
        answer = set_prose(prose_parts(passage.answer), self.room, SMALL, self.ruler)
        sources = [
            set_prose([Part("words", each)], self.room, SMALL, self.ruler)
            for each in passage.sources
        ]
        if answer is None:
            raise InputError("its answer has a formula that is wider than a page of a .pdf")
        spaces = sum(each.height + 0.4 * SMALL for each in sources if each is not None)
        foot = FOOT + 2.2 * SMALL + answer.height + GAP + spaces
        for size in SIZES:
            text = set_prose(prose_parts(passage.text), self.room, size, self.ruler)
            question = set_prose(prose_parts(passage.question), self.room, size, self.ruler, BOLD)
            if text is None or question is None:
                continue
            end = y - text.height - GAP - question.height
            ruled = int((end - foot - GAP) / RULED)
            if ruled >= FEWEST:
                text.write(self.sheet, MARGIN, y)
                question.write(self.sheet, MARGIN, end + question.height)
                self._rule(end, min(ruled, MOST))
                for source in filter(None, sources):
                    source.write(self.sheet, MARGIN, foot, self.theme.muted)
                    foot -= source.height + 0.4 * SMALL
                # Nobody reads by chance what is upside down.
                corner = PAGE[0] - MARGIN, foot - GAP - answer.height
                answer.write(self.sheet, *corner, self.theme.muted, upside_down=True)
                return
        raise InputError("its texts are too long for one page of a .pdf")

    def _rule(self, y: float, count: int) -> None:
        """Draw lines on which to write, beneath a height."""
        for number in range(1, count + 1):
            level = y - number * RULED
            look = {"color": self.theme.muted, "linewidth": 0.3}
            self.sheet.draw([MARGIN, MARGIN + self.room], [level, level], **look)

    def write_foot(self, title: str, numbered: str) -> None:
        """Write the title of the lesson, and the number of the page."""
        look = {"color": self.theme.muted}
        room = self.room - self.ruler.width(numbered, SMALL) - GAP
        self.sheet.write(
            MARGIN, FOOT, self.ruler.fitted(title, room, SMALL, between=" "), SMALL, **look
        )
        self.sheet.write(PAGE[0] - MARGIN, FOOT, numbered, SMALL, ha="right", **look)


class Run(NamedTuple):
    """A text of one look in a line, and its distance from the beginning of that."""

    x: float
    said: str
    look: Look


class Block(NamedTuple):
    """Lines of prose, each with the depth of its baseline below the top of the block."""

    lines: Sequence[tuple[float, Sequence[Run]]]
    size: float
    height: float

    def write(
        self, sheet: Sheet, x: float, y: float, color: str = "", upside_down: bool = False
    ) -> None:
        """Write it with its upper left corner at a point."""
        sign, turned = (
            (-1, {"rotation": 180, "rotation_mode": "anchor"}) if upside_down else (1, {})
        )
        for depth, line in self.lines:
            for run in line:
                look = {"color": color or sheet.theme.ink} | run.look | turned
                sheet.write(x + sign * run.x, y - sign * depth, run.said, self.size, **look)


def set_prose(
    parts: Iterable[Part], room: float, size: float, ruler: Ruler, look: Look | None = None
) -> Block | None:
    """Return parts of prose as lines of a width; None if a formula or code is wider than that.

    look is that of its words.
    """
    lines: list[tuple[float, list[Run]]] = []
    depth = below = 0.0
    for line in _lines(parts, room, size, ruler, look or {}):
        extents = [ruler.extent(run.said, size, **run.look) for run in line]
        if line[-1].x + extents[-1].width > room:
            return None
        above = max(each.height - each.descent for each in extents)
        depth += max(LEADING * size, below + above + NEAR) if lines else max(size, above)
        below = max(each.descent for each in extents)
        lines.append((depth, line))
    return Block(lines, size, depth + below)


def _lines(
    parts: Iterable[Part], room: float, size: float, ruler: Ruler, look: Look
) -> Iterator[list[Run]]:
    """Yield lines of runs, each as long as it may be."""
    line: list[Run] = []
    words = (cut for word in _words(parts, look) for cut in _cut(word, room, size, ruler))
    for word in words:
        longer = _with(line, word, size, ruler)
        if (
            line
            and longer[-1].x + ruler.extent(longer[-1].said, size, **longer[-1].look).width > room
        ):
            yield line
            longer = _with([], word, size, ruler)
        line = longer
    if line:
        yield line


def _words(parts: Iterable[Part], look: Look) -> Iterator[Word]:
    """Yield what stands between the places at which lines may be broken, as pieces of one look."""
    word: Word = []
    for part in parts:
        if part.kind == "formula":
            word.append((known_formula(part.text), MATH))
            continue
        if part.kind in MARKED:
            first, *others = _words(prose_parts(part.text), look | MARKED[part.kind])
            word += first
            for other in others:
                yield word
                word = other
            continue
        for number, said in enumerate(re.split(r"\s+", part.text)):
            if number and word:
                yield word
                word = []
            if said:
                word.append((said, CODE if part.kind == "code" else look))
    if word:
        yield word


def _cut(word: Word, room: float, size: float, ruler: Ruler) -> Iterator[Word]:
    """Yield a word; if it is wider than a line, such as a long address, pieces of it."""
    (said, look), *others = word
    while not others and look is not MATH and len(said) > 1:
        wide = ruler.extent(said, size, **look).width
        if wide <= room:
            break
        letters = max(1, int(0.9 * len(said) * room / wide))
        yield [(said[:letters], look)]
        said = said[letters:]
    yield [(said, look), *others]


def _with(line: Sequence[Run], word: Word, size: float, ruler: Ruler) -> list[Run]:
    """Return a line with one more word; what looks the same becomes one run."""
    made = [*line]
    space = ruler.width("n n", size) - ruler.width("nn", size)
    for number, (said, look) in enumerate(word):
        last = made[-1] if made else None
        between = " " if made and not number else ""
        if last is not None and last.look == look and look is not MATH:
            made[-1] = last._replace(said=f"{last.said}{between}{said}")
            continue
        end = 0.0 if last is None else last.x + ruler.extent(last.said, size, **last.look).width
        made.append(Run(end + (space if between else 0.0), said, look))
    return made
