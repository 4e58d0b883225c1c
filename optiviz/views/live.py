"""Text that changes from frame to frame, composed of cached pieces.

Laying out and drawing a line of text takes longer than drawing a path. The same digits and words
recur in every frame, so in raster output each is drawn once and copied from then on.
"""

import re
from functools import lru_cache
from math import ceil
from typing import Any, NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from numpy.typing import NDArray

PIECES = re.compile(r"[\d.]|[^\d.]+")  # single digits, whole words
BEFORE = {"left": 0.0, "center": 0.5, "right": 1.0}  # shares of a text before its place
KEPT = 1024  # pieces
MARGIN = 3  # pixels around a piece, because letters can extend beyond their boxes


class _Piece(NamedTuple):
    """A piece of text: its pixels, RGBA from the bottom row up, and its width in pixels."""

    pixels: NDArray[np.uint8]
    below: int  # rows below the baseline
    advance: float


class LiveText(Text):
    """A line of plain, unrotated text, aligned at its baseline.

    In vector formats it is drawn like any other Text.
    """

    def draw(self, renderer: Any) -> None:
        if not isinstance(renderer, RendererAgg):
            super().draw(renderer)
            return
        if not self.get_visible():
            return
        font = self.get_fontproperties()  # whose own hash is slow
        letters = tuple(font.get_family()), font.get_style(), font.get_weight(), font.get_size()
        look = letters, self.get_color(), renderer.dpi
        line = [_piece(said, *look) for said in PIECES.findall(self.get_text())]
        x, y = self.get_transform().transform(self.get_position())
        before = BEFORE[self.get_horizontalalignment()]
        if before:
            x -= before * sum(piece.advance for piece in line)
        gc = renderer.new_gc()
        for piece in line:
            renderer.draw_image(gc, round(x) - MARGIN, round(y) - piece.below, piece.pixels)
            x += piece.advance
        gc.restore()
        self.stale = False


@lru_cache(maxsize=KEPT)
def _piece(said: str, letters: tuple[Any, ...], color: Any, dpi: float) -> _Piece:
    """Return a piece of text, drawn; letters are the family, style, weight and size of a font."""
    family, style, weight, points = letters
    font = FontProperties(family=list(family), style=style, weight=weight, size=points)

    def measured(text: str) -> tuple[float, float, float]:
        size: tuple[float, float, float] = _renderer(dpi).get_text_width_height_descent(
            text, font, ismath=False
        )
        return size

    width, height, descent = measured(said)
    below = ceil(max(descent, 0)) + MARGIN  # the box of a dash begins above the baseline
    rows = below + ceil(height - descent) + MARGIN
    small: Any = RendererAgg(ceil(width) + 2 * MARGIN, rows, dpi)
    gc = small.new_gc()
    gc.set_foreground(color)
    small.draw_text(gc, MARGIN, rows - below, said, font, 0)
    pixels = np.ascontiguousarray(np.asarray(small.buffer_rgba())[::-1])
    # The width of the piece within a line, including spaces at its ends.
    return _Piece(pixels, below, measured(f"0{said}0")[0] - measured("00")[0])


@lru_cache(maxsize=KEPT)
def _renderer(dpi: float) -> Any:
    """Return a renderer that measures texts."""
    return RendererAgg(1, 1, dpi)
