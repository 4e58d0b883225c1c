"""Where panels and words stand in a picture: rectangles only, in points, nothing that is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

from optiviz.views import BoxConstraints
from optiviz.views.axes import BENEATH, Box
from optiviz.views.legend_layout import LOW, LegendBoxes, LegendLayout

MARGIN = 0.035  # of the width
GAP = 26.0  # between two panels, and between them and the legend
LEGEND_WIDTH = (
    0.32,
    180.0,
)  # the least width of a legend beside the panels: of the picture's, in points
LEGEND_SHARE = 0.45  # the largest share of the height that a legend beneath the panels has
APART = 8.0  # between panels and the words beneath
BOTTOM = 10.0  # under everything
STEP_LINE = 30.0  # height of the line under small multiples
HEADING = LOW + 8  # height of the words above each of them
MAX_RATIO = 1.6  # ratio of a panel's sides beyond which more of one is no gain


@dataclass(frozen=True)
class Layout:
    """The arrangement of panels that want these rooms.

    With `paired`, they are small multiples of so many panels each, with words above them.
    """

    width: float  # of the picture
    top: float  # of what is left beneath the title
    constraints: Sequence[BoxConstraints]
    paired: int = 0

    @property
    def edge(self) -> float:
        """The margin on both sides."""
        return MARGIN * self.width

    @property
    def _above(self) -> float:
        """What every panel leaves for its name, so that all begin at one height."""
        return max(room.top for room in self.constraints)

    @property
    def _whole(self) -> Box:
        return Box(self.edge, BOTTOM, self.width - 2 * self.edge, self.top - BOTTOM)

    def arrange(self, legend: LegendLayout) -> tuple[list[Box], LegendBoxes]:
        """Return the places of panels, and of the words of a legend.

        It stands beside the panels or beneath them, whichever leaves them more, or its rows above
        those of small multiples. Without rows it is a line beneath, and panels are in the middle.
        """
        whole = self._whole
        if not legend.scene.entries:
            aside = max(0.0, max(room.right for room in self.constraints) - self.edge)
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
        # Words begin at the left edge of a panel, or before it where they need that.
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
        """Return the area of the smallest panel, and the places, where that is largest.

        What makes a panel longer than it should be does not count, and all count less where there
        is no room for the words above one.
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
        """Return the places of all panels in rows of so many, without the room around them."""
        rows = -(-len(self.constraints) // columns)
        wide, tall = (region.width - GAP * (columns - 1)) / columns, region.height / rows
        lefts = [
            max(room.left for room in self.constraints[each::columns]) for each in range(columns)
        ]
        places: list[Box] = []
        top = region.top
        for first in range(0, len(self.constraints), columns):
            row = [
                room._replace(left=left)
                for room, left in zip(
                    self.constraints[first : first + columns], lefts, strict=False
                )
            ]
            above = self._above + (HEADING if self.paired else 0.0)
            top -= above
            boxes = _in_a_row(row, region.left, top, wide, tall - above)
            places += boxes
            top -= max(box.height + room.bottom for box, room in zip(boxes, row, strict=True))
        return places


def _in_a_row(
    rooms: Sequence[BoxConstraints], left: float, top: float, wide: float, tall: float
) -> list[Box]:
    """Return the places of panels side by side, each with so much room, their own included.

    A view keeps its ratio; those that have none share what the others leave over.
    """
    sizes = [_fitted(room, wide, tall) for room in rooms]
    kept = [number for number, room in enumerate(rooms) if room.ratios is not None]
    over = sum(wide - rooms[number].left - sizes[number][0] for number in kept)
    highest = max((sizes[number][1] for number in kept), default=tall)
    boxes = []
    for number, (room, (width, height)) in enumerate(zip(rooms, sizes, strict=True)):
        if kept and number not in kept:
            width = max(width + over / (len(rooms) - len(kept)), 1.0)
            height = min(height, highest)
        boxes.append(Box(left + room.left, top - height, width, height))
        taken = wide if len(kept) == len(rooms) else room.left + width
        left += taken + GAP
    return boxes


def _fitted(room: BoxConstraints, wide: float, tall: float) -> tuple[float, float]:
    """Return width and height of Axes in so much room, their labels included."""
    width, height = max(wide - room.left, 1.0), max(tall - room.bottom, 1.0)
    if room.ratios is None:
        return width, height
    least, most = room.ratios
    ratio = min(max(width / height, least), most)
    width = min(width, height * ratio)
    return width, width / ratio
