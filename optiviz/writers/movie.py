"""A matplotlib MovieWriter over imageio: draws what stands still once, then only what moves."""

from pathlib import Path
from typing import Any, cast

import numpy as np
from matplotlib.animation import AbstractMovieWriter, writers
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from optiviz.formats import format_of


class _Canvas(FigureCanvasAgg):
    """A canvas that draws when told to, and not whenever an animation has moved an artist."""

    def draw_idle(self, *args: Any, **kwargs: Any) -> None:
        return


@writers.register("imageio")
class ImageioWriter(AbstractMovieWriter):
    """Saves a FuncAnimation in any animated format of `optiviz.formats`, chosen by suffix.

    With `FuncAnimation(blit=True)` the background is drawn once and each frame adds the artists
    that the animation moves. Where something that stands still lies above something that moves,
    or nothing is marked as moving, each frame is drawn in full.
    """

    def __init__(
        self,
        fps: float = 5,
        codec: str | None = None,
        bitrate: int | None = None,
        extra_args: list[str] | None = None,
        metadata: dict[str, str] | None = None,
    ) -> None:
        if codec is not None or bitrate is not None or extra_args is not None:
            raise ValueError("the imageio writer chooses its own codec, bitrate and arguments")
        super().__init__(fps=cast(int, fps), metadata=metadata)  # it may be a fraction

    @classmethod
    def isAvailable(cls) -> bool:
        return True

    def setup(self, fig: Figure, outfile: str | Path, dpi: float | None = None) -> None:
        super().setup(fig, outfile, dpi)
        from imageio.v3 import imopen

        plugin = format_of(Path(outfile)).load()
        self._before = (fig.canvas, fig.dpi, tuple(fig.get_size_inches()))
        self._canvas: Any = _Canvas(fig)
        fig.dpi = self.dpi
        step = plugin.size_step
        width, height = (side + (-side) % step for side in self.frame_size)
        fig.set_size_inches((width + 1e-6) / self.dpi, (height + 1e-6) / self.dpi)
        self._background: Any = None
        self._moving: list[Artist] | None = None  # not looked yet; empty: frames drawn in full
        self._file = imopen(outfile, "w", plugin=plugin, fps=self.fps)

    def grab_frame(self, **savefig_kwargs: Any) -> None:
        if self._moving is None or self.fig.stale:
            self._moving = _movable(self.fig)
            if self._moving:
                self._draw_background()
        if self._moving:
            self._canvas.restore_region(self._background)
            for artist in self._moving:
                artist.draw(self._canvas.get_renderer())
            self.fig.stale = False
        else:
            self._canvas.draw()
        self._file.write(np.asarray(self._canvas.buffer_rgba()))

    def finish(self) -> None:
        try:
            self._file.close()
        finally:
            canvas, dpi, size = self._before
            canvas.figure = self.fig
            self.fig.set_canvas(canvas)
            self.fig.dpi = dpi
            self.fig.set_size_inches(size)

    def _draw_background(self) -> None:
        # While saving, Axes draw their animated artists too; here they must not.
        saving, self._canvas._is_saving = self._canvas._is_saving, False
        self._canvas.draw()
        self._canvas._is_saving = saving
        self._background = self._canvas.copy_from_bbox(self.fig.bbox)


def _movable(figure: Figure) -> list[Artist]:
    """Return the artists to draw on the background, in order; none if that would be wrong."""
    moving = [artist for artist in _artists(figure) if artist.get_animated()]
    moving.sort(key=lambda artist: artist.get_zorder())
    return [] if _covered(figure, moving) else moving


def _artists(parent: Artist) -> list[Artist]:
    return [each for child in parent.get_children() for each in (child, *_artists(child))]


def _covered(figure: Figure, moving: list[Artist]) -> bool:
    """Whether a still artist may lie above a moving one, so that only a full draw is right."""
    panels = {artist.axes for artist in moving}
    for panel in panels:
        if not isinstance(panel, Axes):
            return True
        lowest = min(artist.get_zorder() for artist in moving if artist.axes is panel)
        still = (each for each in panel.get_children() if not each.get_animated())
        if any(each.get_visible() and each.get_zorder() >= lowest for each in still):
            return True
        others = [each for each in figure.get_children() if each not in (panel, figure.patch)]
        boxes = [each.get_tightbbox() for each in others if each.get_visible()]
        if any(box is not None and panel.bbox.overlaps(box) for box in boxes):
            return True
    return False
