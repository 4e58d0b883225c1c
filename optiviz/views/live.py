"""Text that changes from frame to frame, composed of cached pieces.

Laying out and drawing a line of text takes longer than drawing a path. The same digits and words
recur in every frame, so in raster output each is drawn once and copied from then on.
"""

import re
from math import ceil
from typing import Any, NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.text import Text
from numpy.typing import NDArray

PIECES = re.compile(r"[\d.]|[^\d.]+")  # single digits, whole words
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

    _look: Any = None

    def draw(self, renderer: Any) -> None:
        if not isinstance(renderer, RendererAgg):
            super().draw(renderer)
            return
        if not self.get_visible():
            return
        look = hash(self.get_fontproperties()), self.get_color(), renderer.dpi
        if look != self._look:
            self._look = look
            self._pieces: dict[str, _Piece] = {}
        line = [self._piece(renderer, said) for said in PIECES.findall(self.get_text())]
        x, y = self.get_transform().transform(self.get_position())
        if self.get_horizontalalignment() == "right":
            x -= sum(piece.advance for piece in line)
        gc = renderer.new_gc()
        for piece in line:
            renderer.draw_image(gc, round(x) - MARGIN, round(y) - piece.below, piece.pixels)
            x += piece.advance
        gc.restore()
        self.stale = False

    def _piece(self, renderer: Any, said: str) -> _Piece:
        if said not in self._pieces:
            self._pieces[said] = self._drawn(renderer, said)
        return self._pieces[said]

    def _drawn(self, renderer: Any, said: str) -> _Piece:
        font = self.get_fontproperties()

        def measured(text: str) -> tuple[float, float, float]:
            size: tuple[float, float, float] = renderer.get_text_width_height_descent(
                text, font, ismath=False
            )
            return size

        width, height, descent = measured(said)
        below = ceil(max(descent, 0)) + MARGIN  # the box of a dash begins above the baseline
        rows = below + ceil(height - descent) + MARGIN
        small: Any = RendererAgg(ceil(width) + 2 * MARGIN, rows, renderer.dpi)
        gc = small.new_gc()
        gc.set_foreground(self.get_color())
        small.draw_text(gc, MARGIN, rows - below, said, font, 0)
        pixels = np.ascontiguousarray(np.asarray(small.buffer_rgba())[::-1])
        # The width of the piece within a line, including spaces at its ends.
        return _Piece(pixels, below, measured(f"0{said}0")[0] - measured("00")[0])
