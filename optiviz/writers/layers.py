"""A figure in layers: still artists are drawn once, and moving artists for each frame.

matplotlib draws artists one over the other. One full draw is observed for their order: everything
before the first moving artist is the background, and everything after it is drawn again.
"""

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from itertools import accumulate, chain, groupby
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import FigureBase, SubFigure
from matplotlib.ft2font import FT2Font
from numpy.typing import NDArray

Box = tuple[slice, slice]
Stroke = tuple[str, list[Any], dict[str, Any]]  # a method of Agg and its arguments
Pixels = NDArray[np.uint32]  # (height, width), the four bytes of RGBA in one number


class Canvas(FigureCanvasAgg):
    """A canvas for saving: it draws only on request, and then all artists, the moving included."""

    def draw_idle(self, *args: Any, **kwargs: Any) -> None:
        return

    def draw(self) -> None:
        """Draw all artists, also those marked as animated, which matplotlib would leave out."""
        moving = self.figure.findobj(lambda each: each.get_animated())
        try:
            for artist in moving:
                artist.set_animated(False)
            cast(Any, super()).draw()
        finally:
            for artist in moving:
                artist.set_animated(True)

    @property
    def agg(self) -> Any:
        """The renderer of the canvas, the same object while the size does not change."""
        return cast(Any, self).get_renderer()

    @property
    def frame(self) -> NDArray[np.uint8]:
        """The last drawing as a writable view, RGBA of shape (height, width, 4)."""
        return _frame_of(self.agg)

    @property
    def pixels(self) -> Pixels:
        """The same view, of shape (height, width)."""
        return _pixels_of(self.agg)

    def is_unchanged(self) -> bool:
        """Return whether no still artist has changed since `mark_drawn` was called."""
        return not any(each.stale for each in _figures(self.figure))

    def mark_drawn(self) -> None:
        """Mark all figures as drawn, since artists drawn alone leave them stale."""
        for each in _figures(self.figure):
            each.stale = False


class Layer(Protocol):
    """Something that is drawn again in each frame."""

    def draw(self, renderer: Any) -> None:
        """Draw onto the pixels of a renderer."""


class Layers:
    """A background, and the artists drawn on it for each frame: the moving and those above."""

    def __init__(self, canvas: Canvas, background: Pixels, layers: Sequence[Layer]) -> None:
        self._renderer = canvas.agg
        self._pixels = canvas.pixels
        self._background = background
        self._layers = layers

    def draw(self) -> None:
        """Draw the artists where they are now. Still artists must not have changed."""
        np.copyto(self._pixels, self._background)
        for layer in self._layers:
            layer.draw(self._renderer)


def find_layers(canvas: Canvas) -> Layers | None:
    """Draw a figure in full, and return its layers for further draws.

    Returns None if nothing moves, or if the layers do not give the same pixels as the full draw.
    """
    pixels = canvas.pixels
    sheet = _Sheet(canvas.agg)
    background: Pixels | None = None
    drawn: list[Layer | _Still] = []

    def watched(artist: Artist) -> Any:
        moves = _moves(artist)

        def draw(*args: Any, **kwargs: Any) -> None:
            nonlocal background
            cast(Any, artist).__dict__.pop("draw", None)  # observed once
            if background is None and moves:
                background = pixels.copy()
            if background is not None:
                drawn.append(_moving(artist) if moves else sheet.draw(artist))
            artist.draw(*args, **kwargs)

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
    exact = pixels.copy()
    found = Layers(canvas, background, list(_layers(drawn, pixels)))
    found.draw()
    if np.array_equal(pixels, exact):
        return found
    np.copyto(pixels, exact)
    return None


def box_of(marked: NDArray[np.bool_]) -> Box | None:
    """Return the smallest box around all marked pixels, None if no pixel is marked."""
    rows = np.flatnonzero(marked.any(axis=1))
    if not rows.size:
        return None
    height = slice(int(rows[0]), int(rows[-1]) + 1)
    columns = np.flatnonzero(marked[height].any(axis=0))
    return height, slice(int(columns[0]), int(columns[-1]) + 1)


class _Still(NamedTuple):
    """A still artist above a moving one, as it was drawn."""

    box: Box
    covered: NDArray[np.intp]  # flat indices of the pixels that it covers
    strokes: list[Stroke]


class _Sheet:
    """An empty sheet, on which an artist is drawn alone while its strokes are recorded.

    Strokes are the calls of matplotlib's Agg: paths, glyphs, images. Repeating them takes a tenth
    of the time of `Artist.draw`, which must first compute them.
    """

    def __init__(self, renderer: Any) -> None:
        own: Any = cast(Any, RendererAgg)(renderer.width, renderer.height, renderer.dpi)
        self._pixels = _pixels_of(own)
        self._empty = self._pixels[0, 0]
        self._strokes: list[Stroke] = []
        self._agg = own._renderer
        own._renderer = self
        own._update_methods()
        self._renderer = own

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self._agg, name)

        def stroke(*args: Any, **settings: Any) -> None:
            asked(*args, **settings)
            self._strokes.append((name, [_kept(each) for each in args], settings))

        return stroke if name.startswith("draw_") else asked

    def draw(self, artist: Artist) -> _Still:
        """Draw an artist, return its pixels and strokes, and clear the sheet."""
        self._strokes = []
        artist.draw(self._renderer)
        covered = self._pixels != self._empty
        box = box_of(covered) or np.s_[0:0, 0:0]
        rows, columns = np.nonzero(covered[box])
        where = (rows + box[0].start) * covered.shape[1] + columns + box[1].start
        self._pixels[box] = self._empty
        return _Still(box, where, self._strokes)


class _Stills:
    """Still artists above moving ones, drawn again only where a pixel under them has changed.

    Artists with overlapping boxes form a group and are drawn again together.
    """

    def __init__(self, stills: Iterable[_Still], pixels: Pixels) -> None:
        groups: list[list[_Still]] = []
        for still in stills:
            near = [g for g in groups if any(_overlap(still.box, other.box) for other in g)]
            groups = [g for g in groups if g not in near] + [[*chain(*near), still]]
        parts = [np.concatenate([each.covered for each in group]) for group in groups]
        ends = accumulate(map(len, parts))
        self._parts = [slice(end - len(part), end) for part, end in zip(parts, ends, strict=True)]
        self._group = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        self._strokes = [[stroke for each in group for stroke in each.strokes] for group in groups]
        self._covered = np.concatenate(parts)
        self._pixels = pixels.reshape(-1)
        self._before = ~self._pixels[self._covered]
        self._after = self._before.copy()

    def draw(self, renderer: Any) -> None:
        under = self._pixels[self._covered]
        changed = np.unique(self._group[under != self._before])
        self._pixels[self._covered] = self._after
        for group in changed:
            part = self._parts[group]
            covered = self._covered[part]
            self._pixels[covered] = under[part]
            for name, args, settings in self._strokes[group]:
                getattr(renderer._renderer, name)(*args, **settings)
            self._after[part] = self._pixels[covered]
        self._before = under


def _layers(drawn: Iterable[Layer | _Still], pixels: Pixels) -> Iterator[Layer]:
    """Yield each moving artist, and each run of still artists as one layer."""
    for still, run in groupby(drawn, lambda each: isinstance(each, _Still)):
        if still:
            yield _Stills(cast(Iterable[_Still], run), pixels)
        else:
            yield from cast(Iterable[Layer], run)


def _overlap(one: Box, other: Box) -> bool:
    return all(a.start < b.stop and b.start < a.stop for a, b in zip(one, other, strict=True))


def _kept(value: Any) -> Any:
    """Return a copy of an argument of a stroke if matplotlib changes it for the next stroke."""
    if isinstance(value, GraphicsContextBase):
        return copy(value)
    return np.array(value) if isinstance(value, FT2Font) else value


def _frame_of(renderer: Any) -> NDArray[np.uint8]:
    return np.asarray(renderer.buffer_rgba())


def _pixels_of(renderer: Any) -> Pixels:
    return _frame_of(renderer).view(np.uint32)[..., 0]


def _moving(artist: Artist) -> Layer:
    return _Projected(artist) if hasattr(artist, "do_3d_projection") else artist


class _Projected:
    """A moving collection of 3-D Axes, which must be projected before it is drawn."""

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
    """Yield the artists that Axes and figures draw as a whole: lines, axes, legends and so on."""
    for child in parent.get_children():
        if isinstance(child, Axes | SubFigure):
            yield from _drawn_one_by_one(child)
        else:
            yield child


def _moves(artist: Artist) -> bool:
    """Return whether an artist or a part of it is animated, for example a text of a legend."""
    return bool(artist.findobj(lambda each: each.get_animated()))
