"""The places of panels: main ones in a grid, charts on top of each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from optiviz.views import BoxConstraints
from optiviz.views.axes import Box

LEFT, BOTTOM = 27.0, 21.0  # margins to the left of the main panels, and beneath them
EDGE = 8.0  # the least between the labels of ticks and the edge of the picture
GAP = 22.0  # between main panels with labels of their own
NARROW, LOW = 11.0, 5.0  # between small multiples that share their axes, beside and beneath
SHAPES = 1.1, 2.6  # width over height between which charts are best
HEADING = 16.0  # points of the name above a chart


@dataclass(frozen=True)
class Panels:
    """The panels of a picture, whose places are to be found. All lengths are in points.

    mains has the constraints of the main panels: those of one part of the scene, one part after
    the other, `parts` in number. sides are those of the side panels. With `shared`, all main
    panels have the same axes, so that only those at the edges have labels. head and head_width are
    the height and the width of the texts above each part.
    """

    mains: Sequence[BoxConstraints]
    sides: Sequence[BoxConstraints]
    parts: int = 1
    shared: bool = False
    head: float = 0.0
    head_width: float = 0.0

    @property
    def are_charts(self) -> bool:
        """Whether the main panels are charts, which may have any proportions."""
        return all(each.ratios is None for each in self.mains)

    @property
    def are_different_charts(self) -> bool:
        """Whether the main panels are charts, and no small multiples, which are all alike."""
        return self.are_charts and self.parts == 1

    @property
    def left(self) -> float:
        """The left margin of the first main panel."""
        return max(LEFT, EDGE + self.mains[0].left)

    @property
    def bottom(self) -> float:
        """The margin beneath the last main panel."""
        return max(BOTTOM, EDGE + max(each.bottom for each in self.mains) - 2)

    def labelled(self, columns: int) -> list[str]:
        """Return which axes of each panel have labels: "x", "y", both or none.

        columns is the number of columns of main panels.
        """
        many = len(self.mains)
        labelled = []
        for number in range(many):
            above = self.shared and number + columns < many
            above |= self.is_stack and not self.mains[number].own_axis
            left = not self.shared or number % columns == 0
            labelled.append("x" * (not above) + "y" * left)
        return [*labelled, *["y"] * (len(self.sides) - 1), *["xy"] * bool(self.sides)]

    @property
    def is_stack(self) -> bool:
        """Whether all panels are charts on top of each other, which share the axis of steps."""
        return self.are_different_charts and bool(self.sides)

    def place_mains(self, region: Box, centred: bool = False) -> tuple[list[Box], int]:
        """Return the places of the main panels, as large as possible, and the number of columns."""
        many = len(self.mains) // self.parts  # panels of each part
        ways = []
        for columns in range(many, len(self.mains) + 1, many):
            boxes = self._grid(region, columns)
            area = min(map(self._worth, boxes))
            head = min(1.0, min(box.width for box in boxes) * many / max(self.head_width, 1.0))
            ways.append((area * head**2, columns, boxes))
        for columns in range(1, many) if self.parts == 1 else ():  # or beneath each other
            boxes = self._grid(region, columns)
            ways.append((min(map(self._worth, boxes)), columns, boxes))
        _, columns, boxes = max(ways, key=lambda way: way[0])
        if centred:
            free = region.right - max(box.right for box in boxes)
            boxes = [box._replace(left=box.left + free / 2) for box in boxes]
        return boxes, columns

    def _worth(self, box: Box) -> float:
        """Return the area of a panel, less if it is a chart that is narrow or low."""
        ratio = box.width / max(box.height, 1.0)
        shape = min(1.0, ratio / SHAPES[0], SHAPES[1] / ratio) if self.are_different_charts else 1.0
        return box.width * box.height * shape

    def heads(self, places: Sequence[Box]) -> list[Box]:
        """Return the places of the texts above each part, whose main panels have these places."""
        many = len(self.mains) // self.parts
        above = 1 + max(each.top for each in self.mains)
        ends = zip(places[::many], places[many - 1 :: many], strict=True)
        return [
            Box(first.left, first.top + above, last.right - first.left, self.head)
            for first, last in ends
        ]

    def _grid(self, region: Box, columns: int) -> list[Box]:
        """Return the places of the main panels in rows of `columns`."""
        rows = -(-len(self.mains) // columns)
        across = NARROW if self.shared else GAP + max(each.left for each in self.mains) - 8
        apart = LOW if self.shared else self.bottom
        widest = max(each.left for each in self.mains[::columns])
        left = region.left + max(0.0, EDGE + widest - self.left)  # as rows are flush with the first
        wide = (region.right - left - across * (columns - 1)) / columns
        aside = max(each.right for each in self.mains)
        above = self.head + max(each.top for each in self.mains)
        tall = (region.height - apart * (rows - 1)) / rows - above
        sizes = [_fitted(each, wide - aside, tall) for each in self.mains]
        widths = [max(width for width, _ in sizes[place::columns]) for place in range(columns)]
        boxes = []
        top = region.top
        for row in range(rows):
            line = sizes[row * columns : (row + 1) * columns]
            if self.are_different_charts and len(line) < columns:  # which fill the last row
                each = (region.right - left + across) / len(line) - across - aside
                line = [(each, height) for _, height in line]
                widths = [each] * len(line)
            high = max(height for _, height in line)
            upper = top - above
            x = left
            for place, (width, height) in enumerate(line):
                boxes.append(Box(x, upper - height, width, height))
                x += widths[place] + across + aside
            top = upper - high - apart
        return boxes

    def least_height(self, first: float, further: float) -> float:
        """Return the height kept for the side panels, their names and steps included."""
        strips = sum(each.strips for each in self.sides)
        return first + further * (strips - 1) if strips else 0.0

    def stack(
        self, panels: Sequence[BoxConstraints], region: Box, flush: bool = False
    ) -> list[Box]:
        """Return the places of charts on top of each other, which share the axis of steps.

        Their labels are inside of the region; with `flush` those on the left are outside of it, as
        far as that is possible.
        """
        label = max(each.left for each in panels)
        left = region.left + label
        if flush:
            left = max(EDGE + label, region.left)
        strips = sum(each.strips for each in panels)
        beneath = [each.bottom * each.own_axis for each in panels[:-1]] + [panels[-1].bottom]
        free = region.height - sum(beneath) - HEADING * strips
        share = max(free, strips) / sum(each.weight for each in panels)
        boxes = []
        top = region.top
        for each, margin in zip(panels, beneath, strict=True):
            high = share * each.weight + HEADING * (each.strips - 1)
            boxes.append(Box(left, top - HEADING - high, region.right - left, high))
            top -= HEADING + high + margin
        return boxes


def _fitted(constraint: BoxConstraints, width: float, height: float) -> tuple[float, float]:
    """Return width and height of Axes within this room."""
    width, height = max(width, 1.0), max(height, 1.0)
    if constraint.ratios is None:
        return width, height
    least, most = constraint.ratios
    ratio = min(max(width / height, least), most)
    width = min(width, height * ratio)
    return width, width / ratio
