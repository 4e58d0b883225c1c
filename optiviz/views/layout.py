"""The layout of panels and texts in a picture: rectangles in points, nothing is drawn here."""

from collections.abc import Sequence
from dataclasses import dataclass

from optiviz.views import BoxConstraints
from optiviz.views.axes import BENEATH, Box
from optiviz.views.legend_layout import LOW, LegendBoxes, LegendLayout

MARGIN = 0.035  # share of the width
GAP = 26.0  # between two panels, and between them and the legend
# The least width of a legend beside the panels: as a share of the picture's width, and in points.
LEGEND_WIDTH = (0.32, 180.0)
LEGEND_SHARE = 0.45  # largest share of the height for a legend beneath the panels
APART = 8.0  # between panels and the texts beneath them
BOTTOM = 10.0  # below everything
STEP_LINE = 30.0  # height of the line under small multiples
HEADING = LOW + 8  # height of the texts above each of the small multiples
MAX_RATIO = 1.6  # ratio of a panel's sides beyond which a longer side is no gain


@dataclass(frozen=True)
class Layout:
    """The arrangement of panels with these constraints. All lengths are in points.

    With `paired` above 0, the panels are small multiples, groups of that many panels each, with
    texts above each group.
    """

    width: float  # of the picture
    top: float  # of the space beneath the title
    constraints: Sequence[BoxConstraints]
    paired: int = 0

    @property
    def edge(self) -> float:
        """The margin on both sides."""
        return MARGIN * self.width

    @property
    def _above(self) -> float:
        """The height of headings, the same for all panels, so that they align at the top."""
        return max(constraint.top for constraint in self.constraints)

    @property
    def _whole(self) -> Box:
        return Box(self.edge, BOTTOM, self.width - 2 * self.edge, self.top - BOTTOM)

    def arrange(self, legend: LegendLayout) -> tuple[list[Box], LegendBoxes]:
        """Return the places of the panels, and of the texts of a legend.

        The legend is beside or beneath the panels, whichever leaves them more room. For small
        multiples its rows are above the panels. A scene without entries has only a line of the
        key, beneath, and its panels are centred.
        """
        whole = self._whole
        if not legend.scene.entries:
            aside = max(0.0, max(constraint.right for constraint in self.constraints) - self.edge)
            whole = whole._replace(width=whole.width - 2 * aside)
            strip = whole._replace(height=STEP_LINE if legend.legend_entries else 0.0)
            _, places = self._best(whole._replace(bottom=strip.top, height=self.top - strip.top))
            free = self.width - self.edge - max(box.right for box in places)
            places = [box._replace(left=box.left + free / 2) for box in places]
            return places, legend.above([], strip)
        if self.paired:
            return self._multiples(legend)
        words = max(
            LEGEND_WIDTH[0] * self.width, LEGEND_WIDTH[1], legend.width(whole.height - BENEATH)
        )
        high = self.edge + min(legend.height(whole.width), LEGEND_SHARE * self.top)
        beside = whole._replace(width=whole.width - GAP - min(words, 0.5 * self.width))
        beneath = whole._replace(bottom=high + APART, height=self.top - high - APART)
        (one, right_of), (other, under) = self._best(beside), self._best(beneath)
        if other > one:
            ends = max(min(box.bottom for box in under) - BENEATH - APART, high)
            strip = whole._replace(bottom=self.edge, height=ends - self.edge)
            return under, legend.stacked(strip, LOW)
        left = max(box.right for box in right_of) + GAP
        bottom = min([BOTTOM + BENEATH, *(box.bottom for box in right_of)])
        column = Box(left, bottom, self.width - left - self.edge, self.top - bottom)
        return right_of, legend.stacked(column)

    def _multiples(self, legend: LegendLayout) -> tuple[list[Box], LegendBoxes]:
        strip = self._whole._replace(height=STEP_LINE)
        room = self._whole._replace(bottom=strip.top, height=self.top - strip.top)
        _, places = self._best(room, legend.detailed / self.paired)
        firsts, lasts = places[:: self.paired], places[self.paired - 1 :: self.paired]
        # Texts begin at the left edge of a panel, or further left where they need the room.
        rows = []
        widths = []
        for first, last in zip(firsts, lasts, strict=True):
            ends = [each.left - GAP for each in firsts if each.left > first.left]
            most = min(ends, default=room.right) - first.left
            widths.append(max(last.right - first.left, min(most, legend.detailed)))
        before = min(self.constraints[0].left, max(0.0, legend.detailed - min(widths)))
        for first, last, wide in zip(firsts, lasts, widths, strict=True):
            wide = max(last.right - first.left + before, wide)
            above = first.height + self._above
            rows.append(Box(first.left - before, first.bottom, wide, above))
        return places, legend.above(rows, strip)

    def _best(self, region: Box, words: float = 1.0) -> tuple[float, list[Box]]:
        """Return the largest area of the smallest panel over all arrangements, and its places.

        Length beyond MAX_RATIO does not count, and all areas count less where the texts above a
        panel, `words` points wide, do not fit.
        """

        def gain(boxes: Sequence[Box], columns: int) -> float:
            areas = [
                min(box.width, MAX_RATIO * box.height) * min(box.height, MAX_RATIO * box.width)
                for box in boxes
            ]
            room = (
                (region.width + GAP) / columns - GAP - max(each.left for each in self.constraints)
            )
            return min(areas) * min(1.0, room / words) ** 2

        step = max(self.paired, 1)
        ways = [
            (gain(boxes, columns), boxes)
            for columns in range(step, len(self.constraints) + 1, step)
            for boxes in [self._arranged(region, columns)]
        ]
        return max(ways, key=lambda way: way[0])

    def _arranged(self, region: Box, columns: int) -> list[Box]:
        """Return the places of all panels in rows of `columns`, their margins excluded."""
        rows = -(-len(self.constraints) // columns)
        wide, tall = (region.width - GAP * (columns - 1)) / columns, region.height / rows
        lefts = [
            max(constraint.left for constraint in self.constraints[each::columns])
            for each in range(columns)
        ]
        places: list[Box] = []
        top = region.top
        for first in range(0, len(self.constraints), columns):
            row = [
                constraint._replace(left=left)
                for constraint, left in zip(
                    self.constraints[first : first + columns], lefts, strict=False
                )
            ]
            above = self._above + (HEADING if self.paired else 0.0)
            top -= above
            boxes = _in_a_row(row, region.left, top, wide, tall - above)
            places += boxes
            top -= max(
                box.height + constraint.bottom for box, constraint in zip(boxes, row, strict=True)
            )
        return places


def _in_a_row(
    constraints: Sequence[BoxConstraints], left: float, top: float, wide: float, tall: float
) -> list[Box]:
    """Return the places of panels side by side, each within this room, its margins included.

    A view with a ratio keeps it; those without share what the others leave over.
    """
    sizes = [_fitted(constraint, wide, tall) for constraint in constraints]
    kept = [
        number for number, constraint in enumerate(constraints) if constraint.ratios is not None
    ]
    over = sum(wide - constraints[number].left - sizes[number][0] for number in kept)
    highest = max((sizes[number][1] for number in kept), default=tall)
    boxes = []
    for number, (constraint, (width, height)) in enumerate(zip(constraints, sizes, strict=True)):
        if kept and number not in kept:
            width = max(width + over / (len(constraints) - len(kept)), 1.0)
            height = min(height, highest)
        boxes.append(Box(left + constraint.left, top - height, width, height))
        taken = wide if len(kept) == len(constraints) else constraint.left + width
        left += taken + GAP
    return boxes


def _fitted(constraint: BoxConstraints, wide: float, tall: float) -> tuple[float, float]:
    """Return width and height of Axes within this room, their labels included."""
    width, height = max(wide - constraint.left, 1.0), max(tall - constraint.bottom, 1.0)
    if constraint.ratios is None:
        return width, height
    least, most = constraint.ratios
    ratio = min(max(width / height, least), most)
    width = min(width, height * ratio)
    return width, width / ratio
