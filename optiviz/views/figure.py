"""The matplotlib figure of a scene, which can be moved from step to step, and its animation."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from matplotlib.animation import FuncAnimation
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from optiviz.kinds.base import Scene
from optiviz.kinds.style import Style
from optiviz.registry import format_of
from optiviz.system.errors import InputError
from optiviz.system.progress import Progress
from optiviz.views import Animated, View, load_view
from optiviz.views.axes import Box
from optiviz.views.layout import MARGIN, Layout
from optiviz.views.legend import Legend
from optiviz.views.legend_layout import LegendLayout
from optiviz.views.themes import Theme
from optiviz.views.themes.fonts import undrawable
from optiviz.views.title import Titles

HOLD = 2.0  # seconds for which the last frame is shown


class Cell(NamedTuple):
    """One panel: a view, and the part of the scene whose first panel it is, if it is the first."""

    view: View
    first: Scene[Any] | None


class Animation(FuncAnimation):
    """An animation that a notebook displays as a GIF.

    Unless specified, `save` writes animations with the writer "imageio", which stores `comment` in
    the file's metadata.
    """

    def __init__(
        self, picture: "Picture", frames: Sequence[int], fps: float, comment: str = ""
    ) -> None:
        super().__init__(
            picture.figure,
            picture.update,
            frames=frames,
            interval=1000 / fps,
            blit=True,
            cache_frame_data=False,
        )
        self.comment = comment
        self.description = ": ".join(filter(None, [picture.scene.title, picture.scene.description]))

    def save(self, filename: Any, writer: Any = None, *words: Any, **settings: Any) -> None:
        if writer is None and format_of(Path(filename)).kind == "animation":
            writer = "imageio"
        if self.comment and writer == "imageio":
            settings.setdefault("metadata", {"comment": self.comment})
        super().save(filename, writer, *words, **settings)

    @cached_property
    def _shown(self) -> str:
        with TemporaryDirectory(prefix="optiviz-") as folder:
            path = Path(folder) / "shown.gif"
            self.save(path, writer="imageio")
            data = b64encode(path.read_bytes()).decode()
        return f'<img src="data:image/gif;base64,{data}" alt="{escape(self.description)}">'

    def _repr_html_(self) -> str:
        return self._shown


class Picture:
    """A figure of a scene: the title, the panels, the legend.

    panels are the scenes to draw, which are the scene itself or its parts, each with the names of
    its views. size is width and height in pixels. progress is called during slow work.
    `update(step)` moves the figure and returns the artists that move; everything else is static.
    Text grows with the picture, but more slowly, so that it stays legible in small pictures.

    Raises InputError if a title or a label has letters that no installed font has.
    """

    def __init__(
        self,
        scene: Scene[Any],
        theme: Theme,
        panels: Sequence[tuple[Scene[Any], Sequence[str]]],
        style: Style,
        size: tuple[int, int] = (960, 640),
        progress: Progress | None = None,
    ) -> None:
        self.scene = scene
        self.theme = theme
        titles = [scene.title, *(part.title for part, _ in panels)]
        for text in (*titles, *(entry.heading for entry in scene.entries)):
            if missing := undrawable(text):
                raise InputError(f"{text!r}: no font on this machine has {' '.join(missing)}")
        width, height = size
        dpi = 100 * (min(width, 1.5 * height) / 960) ** 0.65
        # The tiny margin keeps int(inches * dpi) from falling one pixel short.
        self.figure = Figure(((width + 1e-6) / dpi, (height + 1e-6) / dpi), dpi=dpi)
        self.figure.set_facecolor(theme.background)
        FigureCanvasAgg(self.figure)
        self.cells = [
            Cell(load_view(name)(part, theme, style), part if number == 0 else None)
            for part, views in panels
            for number, name in enumerate(views)
        ]
        marks = dict.fromkeys(mark for cell in self.cells for mark in cell.view.legend_entries)
        legend = Legend(LegendLayout(scene, tuple(marks)), theme)
        writing = Titles(self.figure, theme)
        layout = Layout(
            width=writing.width,
            top=writing.write(scene, MARGIN * writing.width),
            constraints=[cell.view.constraints for cell in self.cells],
            paired=len(panels[0][1]) if len(panels) > 1 or not scene.colored else 0,
        )
        places, words = layout.arrange(legend.layout)
        for cell, place in zip(self.cells, places, strict=True):
            if cell.first and layout.paired and not scene.entries:
                writing.write_above(cell.first, place)
            cell.view.progress = progress
            cell.view.build(self._axes(place, cell.view.projection))
        legend.build(self.figure, words)
        self._moving: list[Animated] = [*(cell.view for cell in self.cells), legend]
        self.update(scene.steps)

    def update(self, step: int) -> Sequence[Artist]:
        """Move every panel to a step and return the artists that move."""
        return [artist for panel in self._moving for artist in panel.update(step)]

    def animation(
        self, fps: float, steps: Sequence[int], hold: float = HOLD, comment: str = ""
    ) -> Animation:
        """Return the animation: a frame per step, then the last one for `hold` more seconds.

        fps is in frames per second. comment is written into the metadata of its files.
        """
        frames = list(steps)
        with self._undrawn():
            return Animation(self, frames + frames[-1:] * round(hold * fps), fps, comment)

    @contextmanager
    def _undrawn(self) -> Iterator[None]:
        """Suppress a draw that matplotlib would repeat before the first frame."""
        canvas: Any = self.figure.canvas
        canvas.draw_idle = lambda: None
        try:
            yield
        finally:
            del canvas.draw_idle

    def _axes(self, place: Box, projection: str | None) -> Axes:
        """Add Axes at a place given in points."""
        across, up = 72 * self.figure.get_size_inches()
        box = (
            place.left / across, place.bottom / up, place.width / across, place.height / up
        )  # fmt: skip
        axes: Axes = self.figure.add_axes(box, projection=projection)
        return axes
