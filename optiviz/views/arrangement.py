"""The places of everything in a picture, in points from the left and from the bottom."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from optiviz.views.axes import Box
from optiviz.views.title import Line

RowMode = Literal["beneath", "beside", "remark"]  # where settings are; "remark": only remarks


class Counter(NamedTuple):
    """The place of the step: its baseline, and the ends of it and of a line of progress."""

    left: float
    right: float
    baseline: float
    progress: tuple[float, float, float] | None  # the left and the right end, and the height


@dataclass
class Arrangement:
    """The places of all panels and words, in points from the left and from the bottom.

    heads are the places of texts above small multiples, and labelled says for each panel which of
    its axes, "x" and "y", have labels. lines are those of the title, each with its left end and its
    baseline.
    """

    mains: list[Box] = field(default_factory=list)
    columns: int = 1  # of main panels
    sides: list[Box] = field(default_factory=list)
    heads: list[Box] = field(default_factory=list)
    labelled: list[str] = field(default_factory=list)
    lines: list[tuple[Line, float, float]] = field(default_factory=list)
    counter: Counter | None = None
    quantity: tuple[float, float] | None = None  # the right end and the baseline of its name
    names_quantity: bool = False  # whether each row has its name
    rows: list[Box] = field(default_factory=list)
    row_mode: RowMode = "beside"
    spread: float = 1.0  # scale of the heights of rows
    key: Box | None = None

    @property
    def least_area(self) -> float:
        """The area of the smallest main panel."""
        return min(box.width * box.height for box in self.mains)

    @property
    def panel_area(self) -> float:
        """The area of all panels."""
        return sum(box.width * box.height for box in [*self.mains, *self.sides])

    @property
    def least_height(self) -> float:
        """The height of the lowest main panel."""
        return min(box.height for box in self.mains)

    @property
    def ends(self) -> tuple[float, float]:
        """The left and the right edge of all main panels."""
        return min(box.left for box in self.mains), max(box.right for box in self.mains)

    @property
    def across(self) -> float:
        """The width of all main panels."""
        return self.ends[1] - self.ends[0]

    def lowered(self, by: float) -> "Arrangement":
        """Return the same places, all of them lower."""

        def lower(boxes: Sequence[Box]) -> list[Box]:
            return [box._replace(bottom=box.bottom - by) for box in boxes]

        counter, key = self.counter, self.key
        if counter is not None:
            counter = counter._replace(baseline=counter.baseline - by)
            if counter.progress is not None:
                left, right, y = counter.progress
                counter = counter._replace(progress=(left, right, y - by))
        return replace(
            self,
            mains=lower(self.mains),
            sides=lower(self.sides),
            rows=lower(self.rows),
            lines=[(line, x, y - by) for line, x, y in self.lines],
            counter=counter,
            key=None if key is None else lower([key])[0],
        )

    def put_lines(self, lines: Sequence[Line], left: float, top: float) -> float:
        """Put lines of a title beneath each other, and return the height of their lower end."""
        y = top
        for number, line in enumerate(lines):
            y -= line.leading if number else line.size
            self.lines.append((line, left, y))
        return y
