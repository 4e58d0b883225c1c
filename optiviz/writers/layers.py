"""A figure in layers: what stands still is drawn once, and for each frame only what moves.

matplotlib draws artists one over the other. One full draw is watched for their order: all that
came before the first moving artist is the background, and what came after it is drawn again.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, cast

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import FigureBase, SubFigure
from numpy.typing import NDArray

Pixels = NDArray[np.uint32]  # (height, width), the four bytes of RGBA in one number


class Canvas(FigureCanvasAgg):
    """A canvas to save from: it draws when told to, and then all, that which moves included."""

    def draw_idle(self, *args: Any, **kwargs: Any) -> None:
        return

    def is_saving(self) -> bool:
        return True

    def draw(self) -> None:
        """Draw in full. matplotlib leaves out what moves and belongs to no Axes; this does not."""
        with _as_still(
            artist
            for figure in _figures(self.figure)
            for artist in figure.get_children()
            if artist.get_animated()
        ):
            cast(Any, super()).draw()

    @property
    def agg(self) -> Any:
        """What draws for the canvas; the same as long as its size is."""
        return cast(Any, self).get_renderer()

    @property
    def frame(self) -> NDArray[np.uint8]:
        """What was drawn last, RGBA of shape (height, width, 4), as a view that can be changed."""
        return np.asarray(self.agg.buffer_rgba())

    @property
    def pixels(self) -> Pixels:
        """The same view, of shape (height, width)."""
        return self.frame.view(np.uint32)[..., 0]

    def settled(self) -> bool:
        """Whether what stands still has not changed since `settle` was called."""
        return not any(each.stale for each in _figures(self.figure))

    def settle(self) -> None:
        """Take all as drawn: artists that are drawn by themselves may say otherwise."""
        for each in _figures(self.figure):
            each.stale = False


class Layer(Protocol):
    """What is drawn anew in each frame."""

    def draw(self, renderer: Any) -> None:
        """Draw onto the pixels of a renderer."""


class Layers:
    """A background, and what is drawn on it for each frame: what moves, and what lies above it."""

    def __init__(self, canvas: Canvas, background: Pixels, layers: Sequence[Layer]) -> None:
        self._renderer = canvas.agg
        self._pixels = canvas.pixels
        self._background = background
        self._layers = layers

    def draw(self) -> None:
        """Draw the artists where they are now. Those that stand still must not have changed."""
        np.copyto(self._pixels, self._background)
        for layer in self._layers:
            layer.draw(self._renderer)


def find_layers(canvas: Canvas) -> Layers | None:
    """Draw a figure in full, and return how to draw it in layers from then on.

    None where nothing moves, or where layers would not give the same pixels as the full draw.
    """
    renderer = canvas.agg
    pixels = canvas.pixels
    spare = np.empty_like(pixels)
    background: Pixels | None = None
    layers: list[Layer] = []

    def watched(artist: Artist) -> Any:
        moves = _moves(artist)

        def draw(*args: Any, **kwargs: Any) -> None:
            nonlocal background
            cast(Any, artist).__dict__.pop("draw", None)  # seen
            if background is None and moves:
                background = pixels.copy()
            if background is None:
                artist.draw(*args, **kwargs)
            else:
                layer = _moving(artist) if moves else _Still(artist, renderer, pixels, spare)
                layers.append(layer)
                layer.draw(renderer)

        return draw

    artists = list(_drawn_one_by_one(canvas.figure))
    try:
        for artist in artists:
            cast(Any, artist).draw = watched(artist)
        canvas.draw()
    finally:
        for artist in artists:
            cast(Any, artist).__dict__.pop("draw", None)
    if background is None:
        return None
    exact = spare
    np.copyto(exact, pixels)
    found = Layers(canvas, background, layers)
    found.draw()
    if np.array_equal(pixels, exact):
        return found
    np.copyto(pixels, exact)
    return None


def box_of(marked: NDArray[np.bool_]) -> tuple[slice, slice] | None:
    """Return the smallest box around all marked pixels, None if there is none."""
    rows = np.flatnonzero(marked.any(axis=1))
    if not rows.size:
        return None
    height = slice(int(rows[0]), int(rows[-1]) + 1)
    columns = np.flatnonzero(marked[height].any(axis=0))
    return height, slice(int(columns[0]), int(columns[-1]) + 1)


class _Still:
    """A still artist above a moving one, drawn anew only when a pixel that it covers has changed.

    To find out which it covers, it is drawn by itself once, while `spare` keeps what was there.
    """

    def __init__(self, artist: Artist, renderer: Any, pixels: Pixels, spare: Pixels) -> None:
        np.copyto(spare, pixels)
        renderer.clear()
        blank = pixels[0, 0]
        artist.draw(renderer)
        covered = pixels != blank
        np.copyto(pixels, spare)
        box = box_of(covered) or np.s_[:0, :0]
        self._artist = artist
        self._pixels = pixels[box]
        self._covered = covered[box].copy()
        self._before = self._after = ~self._pixels

    def draw(self, renderer: Any) -> None:
        changed = self._pixels != self._before
        if (changed & self._covered).any():
            self._before = self._pixels.copy()
            self._artist.draw(renderer)
            self._after = self._pixels.copy()
        else:
            np.copyto(self._pixels, self._after, where=self._covered)


def _moving(artist: Artist) -> Layer:
    return _Projected(artist) if hasattr(artist, "do_3d_projection") else artist


class _Projected:
    """A moving collection of 3-D Axes, whose place in the picture is found before it is drawn."""

    def __init__(self, artist: Any) -> None:
        self._artist = artist

    def draw(self, renderer: Any) -> None:
        self._artist.do_3d_projection()
        self._artist.draw(renderer)


def _figures(figure: FigureBase) -> Iterator[FigureBase]:
    yield figure
    for each in figure.subfigs:
        yield from _figures(each)


def _drawn_one_by_one(parent: Artist) -> Iterator[Artist]:
    """Yield what Axes and figures draw as a whole, such as a line, an axis or a legend."""
    for child in parent.get_children():
        if isinstance(child, Axes | SubFigure):
            yield from _drawn_one_by_one(child)
        else:
            yield child


def _moves(artist: Artist) -> bool:
    """Whether an animation moves an artist or a part of it, as a text of a legend."""
    return bool(artist.findobj(lambda each: each.get_animated()))


@contextmanager
def _as_still(artists: Iterable[Artist]) -> Iterator[None]:
    shown = list(artists)
    for artist in shown:
        artist.set_animated(False)
    try:
        yield
    finally:
        for artist in shown:
            artist.set_animated(True)
