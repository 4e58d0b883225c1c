"""A figure in layers: still artists are drawn once, and moving artists for each frame.

matplotlib draws artists one over the other. One full draw is observed for their order: everything
before the first moving artist is the background, and everything after it is drawn again.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from copy import copy
from itertools import accumulate, chain, groupby
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.ft2font import FT2Font
from numpy.typing import NDArray

from optiviz.writers.canvas import Box, Canvas, Pixels, box_of, pixels_of, replaced, tree

Stroke = tuple[str, list[Any], dict[str, Any]]  # a method of Agg and its arguments


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


def find_layers(canvas: Canvas, moving: Collection[Artist]) -> Layers | None:
    """Draw a figure in full, and return its layers for further draws, in which some artists move.

    Returns None if the layers do not give the pixels of the full draw.
    """
    pixels = canvas.pixels
    sheet = _Sheet(canvas.agg)
    background: Pixels | None = None
    drawn: list[Layer | _Still] = []

    def watched(artist: Artist) -> Any:
        moves = artist in moving
        draw = artist.draw
        is_first = True

        def watch(*args: Any, **kwargs: Any) -> None:
            nonlocal background, is_first
            once, is_first = is_first, False
            if once and moves:
                background = pixels.copy() if background is None else background
                drawn.append(_moving(artist))
            if once and not moves and background is not None:
                drawn.append(sheet.draw(draw))
            else:
                draw(*args, **kwargs)

        return watch

    with ExitStack() as stack:
        for _, artists in tree(canvas.figure):
            for artist in artists:
                stack.enter_context(replaced(artist, "draw", watched(artist)))
        canvas.draw()
    exact = pixels.copy()
    if background is None:
        background = exact
    found = Layers(canvas, background, list(_layers(drawn, pixels)))
    found.draw()
    if np.array_equal(pixels, exact):
        return found
    np.copyto(pixels, exact)
    return None


class _Still(NamedTuple):
    """A still artist above a moving one, as it was drawn."""

    box: Box
    covered: NDArray[np.intp]  # flat indices of the pixels that it covers
    strokes: list[Stroke]


class _Sheet:
    """Records the strokes of artists, and repeats them on an empty sheet to see what they cover.

    Strokes are the calls of matplotlib's Agg: paths, glyphs, images. Repeating them takes a tenth
    of the time of `Artist.draw`, which must first compute them.
    """

    def __init__(self, renderer: Any) -> None:
        own: Any = cast(Any, RendererAgg)(renderer.width, renderer.height, renderer.dpi)
        self._pixels = pixels_of(own)
        self._empty = self._pixels[0, 0]
        self._strokes: list[Stroke] = []
        self._renderer = renderer
        self._agg = renderer._renderer
        self._own = own._renderer

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self._agg, name)

        def stroke(*args: Any, **settings: Any) -> None:
            asked(*args, **settings)
            self._strokes.append((name, [_kept(each) for each in args], settings))

        return stroke if name.startswith("draw_") else asked

    def draw(self, draw: Callable[[Any], None]) -> _Still:
        """Let an artist draw onto the pixels of the renderer; return what it has drawn."""
        self._strokes = []
        self._record(self)
        try:
            draw(self._renderer)
        finally:
            self._record(self._agg)
        for name, args, settings in self._strokes:
            getattr(self._own, name)(*args, **settings)
        covered = self._pixels != self._empty
        box = box_of(covered) or np.s_[0:0, 0:0]
        rows, columns = np.nonzero(covered[box])
        where = (rows + box[0].start) * covered.shape[1] + columns + box[1].start
        self._pixels[box] = self._empty
        return _Still(box, where, self._strokes)

    def _record(self, agg: Any) -> None:
        """Let the renderer call Agg itself, or this in its place."""
        self._renderer._renderer = agg
        self._renderer._update_methods()


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


def _moving(artist: Artist) -> Layer:
    return _Projected(artist) if hasattr(artist, "do_3d_projection") else artist


class _Projected:
    """A moving collection of 3-D Axes, which must be projected before it is drawn."""

    def __init__(self, artist: Any) -> None:
        self._artist = artist

    def draw(self, renderer: Any) -> None:
        self._artist.do_3d_projection()
        self._artist.draw(renderer)
