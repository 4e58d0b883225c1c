"""The matplotlib figure of a scene, which can be moved from step to step."""

from collections.abc import Sequence
from math import inf
from typing import Any, NamedTuple

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from optiviz.kinds.base import Scene
from optiviz.kinds.size import Size
from optiviz.kinds.style import Style
from optiviz.registry import LegendPlace, Quality
from optiviz.system.errors import InputError
from optiviz.system.progress import Progress
from optiviz.themes import Theme
from optiviz.views import Animated, View, load_view
from optiviz.views.arrangement import Arrangement
from optiviz.views.axes import Box
from optiviz.views.fonts import check_drawable
from optiviz.views.inside import place_inside
from optiviz.views.layout import Layout
from optiviz.views.legend import Key, Legend, Rows
from optiviz.views.panels import Panels
from optiviz.views.plane import PlaneView
from optiviz.views.title import FORMULA_LINE, TEXT_LINE, TITLE_LINE, TitleLines
from optiviz.views.words import EVEN, GROWING, TEXT, TITLE, Ruler, Sheet

DEFAULT_SIZE = Size(960, 640)
# Points of the shorter side of a panel down to which scales are equal unless specified, or at all.
BEARABLE, LEAST_SIDE = 80.0, 24.0
MAX_HEAD = 2  # lines of the caption of a part
TITLED = TITLE_LINE * TEXT / TITLE + FORMULA_LINE  # points for the title and formula of a part


class Cell(NamedTuple):
    """One panel: a view, and the part of the scene that it shows."""

    view: View
    part: Scene[Any]


def blank_figure(theme: Theme, size: Size, scale: float = 1.0) -> Figure:
    """Return a figure of the background of a theme, of a size magnified by `scale`."""
    width, height = size.pixels(scale)
    dpi = width / size.layout[0]
    # The tiny margin keeps int(inches * dpi) from falling one pixel short.
    figure = Figure(((width + 1e-6) / dpi, (height + 1e-6) / dpi), dpi=dpi)
    figure.set_facecolor(theme.background)
    FigureCanvasAgg(figure)
    return figure


class Picture:
    """A figure of a scene: the title, the panels, the legend.

    panels are the scenes to draw, which are the scene itself or its parts, each with the names of
    its views. Of several views, those that accompany others are drawn once, for the whole scene.
    scale multiplies the pixels of its size. legend is the place of the legend, and quality is that
    of images in it. progress is called during slow work. `update(step)` moves the figure and
    returns the artists that move; everything else is static.

    Raises InputError if a title or a label has letters that no installed font has.
    """

    def __init__(
        self,
        scene: Scene[Any],
        theme: Theme,
        panels: Sequence[tuple[Scene[Any], Sequence[str]]],
        style: Style,
        size: Size = DEFAULT_SIZE,
        scale: float = 1.0,
        legend: LegendPlace | None = None,
        quality: Quality = "standard",
        progress: Progress | None = None,
    ) -> None:
        self.scene = scene
        self.theme = theme
        titles = [scene.title, *(part.title for part, _ in panels)]
        for text in (*titles, *(entry.heading for entry in scene.entries)):
            check_drawable(text)
        self.figure = blank_figure(theme, size, scale)
        self.letters = GROWING if size.unit == "px" else EVEN
        mains, sides = zip(*(_views_of(names) for _, names in panels), strict=True)
        drawn = [
            (part, name) for (part, _), names in zip(panels, mains, strict=True) for name in names
        ]
        drawn += [(scene if len(panels) > 1 else panels[0][0], name) for name in sides[0]]
        self.cells = [Cell(load_view(name)(part, theme, style), part) for part, name in drawn]
        for cell in self.cells:
            cell.view.progress, cell.view.quality = progress, quality
        self._build(len(panels), len(mains[0]) * len(panels), legend)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences on what its views could not draw."""
        return tuple(dict.fromkeys(each for cell in self.cells for each in cell.view.remarks))

    def _build(self, parts: int, mains: int, place: LegendPlace | None) -> None:
        """Arrange everything and draw what stands still; `mains` cells are main panels."""
        scene, views = self.scene, [cell.view for cell in self.cells]
        ruler = Ruler(self.figure, self.letters)
        rows = Rows(scene, ruler)
        layout = self._layout(parts, mains, place, rows)
        found = layout.arrange()
        if _shortest_equal(views, found) < BEARABLE:
            for view in views:
                view.may_stretch = True
            layout = self._layout(parts, mains, place, rows)
            found = layout.arrange()
        if scene.entries and any(
            head.width < rows.width(number, "remark") for number, head in enumerate(found.heads)
        ):
            layout = self._layout(parts, mains, place, rows, tall=True)
            found = layout.arrange()
        if _shortest_equal(views, found) < LEAST_SIDE:
            raise InputError(
                "aspect: equal leaves too little of a panel: choose auto, another size or another "
                "domain"
            )
        asked = place is not None or self.letters is EVEN
        if asked and min(min(box.width, box.height) for box in found.mains) < LEAST_SIDE:
            raise InputError(
                "size: leaves too little of a panel beside all the words: choose a larger size, "
                "fewer optimizers or views, or legend none"
            )
        drawn = []
        for number, (view, box) in enumerate(zip(views, [*found.mains, *found.sides], strict=True)):
            view.labelled = found.labelled[number]
            view.packed = layout.panels.shared and number < mains
            drawn.append(self._axes(box))
            view.build(drawn[-1])
        sheet, above = Sheet(self.figure, self.theme), None
        if place == "inside":
            above = Sheet(self.figure, self.theme, above=True)
            above.fill(*place_inside(found, rows, views[0], drawn[0]))
        for line, x, y in found.lines:
            line.write(sheet, x, y)
        legend = Legend(scene, rows, sheet, above)
        legend.write(found)
        layout.key.write(sheet, found.key)
        if not scene.entries:
            for cell, head in zip(self.cells[:: mains // parts], found.heads, strict=False):
                title = TitleLines(cell.part, ruler, ruler.letters.text)
                self._write_head(title, sheet, head, self._head_lines(rows, parts))
        self._moving: list[Animated] = [*views, legend]
        self.update(scene.steps)

    def _layout(
        self, parts: int, mains: int, place: LegendPlace | None, rows: Rows, tall: bool = False
    ) -> Layout:
        """Return what is to be arranged; `tall` gives texts above small multiples two lines."""
        scene, views = self.scene, [cell.view for cell in self.cells]
        width, height = 72 * self.figure.get_size_inches()
        marks = dict.fromkeys(mark for view in views for mark in view.legend_entries)
        constraints = [view.constraints for view in views]
        head = rows.tall_row if tall else rows.row
        if not scene.entries:
            head = TITLED + TEXT_LINE * (self._head_lines(rows, parts) - 1)
        return Layout(
            width=width,
            height=height,
            panels=Panels(
                mains=constraints[:mains],
                sides=constraints[mains:],
                parts=parts,
                shared=mains == parts > 1 and bool(scene.entries),
                head=0.0 if parts == 1 else head,
                head_width=self._head_width(rows) if parts > 1 else 0.0,
            ),
            title=TitleLines(scene, rows.ruler),
            rows=rows,
            key=Key(scene, tuple(marks), rows.ruler),
            legend=place,
        )

    def _head_width(self, rows: Rows) -> float:
        """Return the width that the texts above each part need."""
        if self.scene.entries:
            return rows.widest("remark")
        return max(rows.ruler.width(cell.part.title, rows.text, "bold") for cell in self.cells)

    def _head_lines(self, rows: Rows, parts: int) -> int:
        """Return how many lines the formula or the caption above each part may have."""
        room = 72 * self.figure.get_size_inches()[0] / parts
        titles = [TitleLines(cell.part, rows.ruler) for cell in self.cells if cell.part.caption]
        return max((len(each.details(room, MAX_HEAD)) for each in titles), default=1)

    def _write_head(self, title: TitleLines, sheet: Sheet, head: Box, lines: int) -> None:
        """Write the title and the formula of a part above its panels."""
        y = head.top
        for line in [*title.short_title(head.width), *title.details(head.width, lines)]:
            y -= line.leading
            line.write(sheet, head.left, y + 4)

    def update(self, step: int) -> Sequence[Artist]:
        """Move every panel to a step and return the artists that move."""
        return [artist for panel in self._moving for artist in panel.update(step)]

    def _axes(self, place: Box) -> Axes:
        """Add Axes at a place given in points."""
        across, up = 72 * self.figure.get_size_inches()
        box = (
            place.left / across, place.bottom / up, place.width / across, place.height / up
        )  # fmt: skip
        axes: Axes = self.figure.add_axes(box)
        return axes


def _shortest_equal(views: Sequence[View], found: Arrangement) -> float:
    """Return the shorter side of the smallest panel in which x and y have the same scale."""
    sides = (
        min(box.width, box.height)
        for view, box in zip(views, found.mains, strict=False)
        if isinstance(view, PlaneView) and view.aspect == "equal"
    )
    return min(sides, default=inf)


def _views_of(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the names of the main views of a part, and of those that accompany them."""
    beside = [name for name in names if load_view(name).accompanies]
    mains = [name for name in names if name not in beside] or beside[:1]
    return mains, [name for name in names if name not in mains]
