"""A matplotlib MovieWriter over imageio that draws still artists once, moving ones per frame."""

import gc
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from matplotlib.animation import AbstractMovieWriter, writers
from matplotlib.figure import Figure

from optiviz.registry import QUALITIES, Quality, format_of
from optiviz.system.errors import InputError, did_you_mean
from optiviz.writers.layers import Canvas, Layers, find_layers

GROWTH = 1.25  # as in Python: collect all objects once there are this many times as many
_objects = 0  # number of objects after the last full collection


def _freeze() -> None:
    """Exclude all current objects from garbage collection, which takes a tenth of the time.

    Python does not collect frozen objects, so closed figures would pile up. A full collection
    therefore runs once there are many more of them.
    """
    global _objects
    gc.freeze()
    frozen = gc.get_freeze_count()  # counts them one by one
    _objects = _objects or frozen
    if frozen > GROWTH * _objects:
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        _objects = gc.get_freeze_count()


@writers.register("imageio")
class ImageioWriter(AbstractMovieWriter):
    """Save a FuncAnimation in any animation format of `optiviz.registry`, chosen by suffix.

    With `FuncAnimation(blit=True)` only the moving artists and those above them are drawn again.
    The frames equal those of a full draw, with a layout that is computed once. If no artist is
    animated, or the background changes, each frame is drawn in full, once.

    quality is "draft", "standard" or "high", for .mp4 and .webm. metadata is written into the file;
    a .webp keeps only its "comment". The last frame is held for `hold` seconds. Raises ValueError
    for a codec, bitrate or extra_args, and InputError for an unknown quality.
    """

    def __init__(
        self,
        fps: float = 5,
        codec: str | None = None,
        bitrate: int | None = None,
        extra_args: list[str] | None = None,
        metadata: dict[str, str] | None = None,
        quality: Quality = "standard",
        hold: float = 0,
    ) -> None:
        if codec is not None or bitrate is not None or extra_args is not None:
            raise ValueError("codec, bitrate and extra_args are not supported")
        if quality not in QUALITIES:
            raise InputError(did_you_mean("quality", quality, QUALITIES))
        self.quality = quality
        self.hold = hold
        super().__init__(fps=cast(int, fps), metadata=metadata)  # may be a fraction

    @classmethod
    def isAvailable(cls) -> bool:
        return True

    def setup(self, fig: Figure, outfile: str | Path, dpi: float | None = None) -> None:
        super().setup(fig, outfile, dpi)
        from imageio.v3 import imopen

        plugin = format_of(Path(outfile)).load()
        settings: dict[str, Any] = {"fps": self.fps, "metadata": self.metadata}
        if hasattr(plugin, "qualities"):
            settings["quality"] = self.quality
        self._file = imopen(outfile, "w", plugin=plugin, **settings)
        self._before = (fig.canvas, fig.dpi, tuple(fig.get_size_inches()), fig.get_facecolor())
        self._canvas = Canvas(fig)
        fig.dpi = self.dpi
        step = plugin.size_step
        if any(side % step for side in self.frame_size):
            width, height = (side + (-side) % step for side in self.frame_size)
            # 1e-6 keeps int(inches * dpi) from falling one pixel short.
            fig.set_size_inches((width + 1e-6) / self.dpi, (height + 1e-6) / self.dpi)
        self._layers: Layers | None = None
        self._layered = True  # until layers turn out not to be exact
        self._views: list[Any] | None = None
        self._freezes = not gc.get_freeze_count()  # else the caller froze objects
        if self._freezes:
            _freeze()

    def grab_frame(self, **savefig_kwargs: Any) -> None:
        """Draw the figure as it is now and add it. Of savefig_kwargs, only facecolor is used."""
        first, views = self._views is None, _views(self.fig)
        if first:
            self.fig.set_facecolor(savefig_kwargs.get("facecolor", self.fig.get_facecolor()))
        calm = self._canvas.is_unchanged() and views == self._views
        self._views = views
        if not calm:
            self._layers = None
        if self._layers is not None:
            self._layers.draw()
        elif self._layered and (first or calm):
            self._layers = find_layers(self._canvas)
            self._layered = self._layers is not None
        else:
            self._canvas.draw()
        self._canvas.mark_drawn()
        self._file.write(self._canvas.frame)

    def finish(self) -> None:
        try:
            with closing(self._file):
                if self._views is not None:
                    for _ in range(round(self.hold * self.fps)):
                        self._file.write(self._canvas.frame)
        finally:
            if self._freezes:
                gc.unfreeze()
            canvas, dpi, size, color = self._before
            canvas.figure = self.fig
            self.fig.set_canvas(canvas)
            self.fig.dpi = dpi
            self.fig.set_size_inches(size)
            self.fig.set_facecolor(color)


def _views(figure: Figure) -> list[Any]:
    """Return the projections of 3-D Axes, whose rotation does not mark the figure as stale."""
    return [axes.get_proj().tolist() for axes in figure.axes if hasattr(axes, "get_proj")]
