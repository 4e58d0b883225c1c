"""A card of words alone, before a picture of a film."""

from collections.abc import Sequence
from typing import ClassVar

from matplotlib.artist import Artist

from optiviz.kinds.base import Card
from optiviz.kinds.size import Size
from optiviz.themes import Theme
from optiviz.views.figure import blank_figure
from optiviz.views.fonts import check_drawable
from optiviz.views.title import broken
from optiviz.views.words import ELLIPSIS, Ruler, Sheet

# Of the width, or of one and a half of the height if that is less:
MARGIN, LARGE, SMALL = 0.09, 0.062, 0.026  # margins, and font sizes of the heading and of all else
LEADING = 1.25  # of the font size
TALL = 0.56  # of the height, the most for the heading
SHRINK = 0.9  # of a heading that needs more, again and again down to the small letters


class TitleCard:
    """A figure of a card, which stands still as `Picture`s move.

    Raises InputError if it has letters that no installed font has.
    """

    remarks: ClassVar[tuple[str, ...]] = ()

    def __init__(self, card: Card, theme: Theme, size: Size, scale: float = 1.0) -> None:
        for text in card:
            check_drawable(text)
        self.figure = blank_figure(theme, size, scale)
        width, height = 72 * self.figure.get_size_inches()
        unit = min(width, 1.5 * height)
        ruler, sheet = Ruler(self.figure), Sheet(self.figure, theme)
        left, small, large = MARGIN * unit, SMALL * unit, LARGE * unit
        room = width - 2 * left
        lines = broken(card.heading, room, large, ruler, "bold")
        while len(lines) * large * LEADING > TALL * height and large > small:
            large *= SHRINK
            lines = broken(card.heading, room, large, ruler, "bold")
        # The heading is in the middle, its number above it, and what it belongs to at the foot.
        y = height / 2 + (len(lines) / 2 - 0.8) * large * LEADING
        sheet.write(left, y + 1.25 * large, card.number, 1.1 * large, color=theme.muted)
        for line in lines:
            sheet.write(left, y, line, large, weight="bold")
            y -= large * LEADING
        said = ruler.fitted(card.title, room, small, between=" ") or ELLIPSIS
        sheet.write(left, left, said, small, color=theme.muted)

    def update(self, step: int) -> Sequence[Artist]:
        """Return the artists that move from step to step, which are none."""
        return []
