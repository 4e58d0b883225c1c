"""How the paths of a scene are told apart, in every view and in the legend alike."""

from dataclasses import dataclass
from typing import Any

from optiviz.themes import Theme

MARKERS = ("o", "s", "D", "^", "v", "<", ">")
DASHES: tuple[Any, ...] = ("-", (0, (4, 1.6)), (0, (1, 1.2)), (0, (6, 1.4, 1, 1.4)))
LINE_WIDTH = 2.0
CASING_WIDTH = 1.0  # on each side of a line
HEAD_SIZE = 9.0


@dataclass(frozen=True)
class Mark:
    """The colour, head and line style of one path."""

    color: str
    marker: str
    dash: Any


def mark(theme: Theme, entry: int, start: int = 0) -> Mark:
    """Return the mark of an entry's path from one start.

    Past the palette colours come again, with another head and line style.
    """
    again, hue = divmod(entry, len(theme.paths))
    marker = MARKERS[(entry + again) % len(MARKERS)]
    return Mark(theme.paths[hue], marker, DASHES[(start + again) % len(DASHES)])
