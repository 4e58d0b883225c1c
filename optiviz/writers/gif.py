"""GIF: one palette for all frames, and local ones for blocks that it cannot show. No dithering.

Pillow compresses each block, and this module joins the blocks. See the GIF89a specification, 1990.
"""

from struct import pack
from typing import Any

import numpy as np
from imageio.core.request import Request
from numpy.typing import NDArray
from PIL import Image

from optiviz.writers.canvas import Box, Pixels
from optiviz.writers.delta import Block, DeltaPlugin, FrameRect
from optiviz.writers.palette import (
    ENTRIES,
    TRANSPARENT,
    Indices,
    Palette,
    Shown,
    shown_locally,
    squared_sum,
)

WORST = 4.0  # mean squared error of a channel up to which a frame is shown well: 42 dB
LOCAL = 0x87  # flags of a block: it has a palette of 256 colours


class GifPlugin(DeltaPlugin):
    """imageio plugin that writes a GIF. Browsers slow frames under 2/100 s down to 10/100.

    A pixel is either opaque or transparent, whichever is nearer.
    """

    ticks = 100
    shortest = 2

    def __init__(self, request: Request, **settings: Any) -> None:
        super().__init__(request, **settings)
        self._palette = Palette()

    def begin(self, width: int, height: int) -> None:
        self._distances = np.zeros((height, width), np.uint8)  # from what the frame is to be
        self._squared_error = 0.0  # of all pixels
        # 0xF7: a global palette of 256 colours, which is filled in at the end.
        self.out.write(b"GIF89a" + pack("<HHBBB", width, height, 0xF7, TRANSPARENT, 0))
        self.out.write(bytes(3 * ENTRIES))
        if self.loop != 1:  # the number is that of repetitions
            again = pack("<H", max(self.loop - 1, 0))
            self.out.write(b"!\xff\x0bNETSCAPE2.0\x03\x01" + again + b"\0")
        for key, value in self.tags.items():
            said = value if key == "comment" else f"{key}: {value}"
            self.out.write(b"!\xfe" + _sub_blocks(said.encode()))

    def encode(self, pixels: Pixels, box: Box, new: NDArray[np.bool_]) -> Block:
        inside = pixels[box]
        drawn = new if self.is_opaque else new & _is_opaque(inside)
        at: Any = slice(None) if drawn.all() else np.flatnonzero(drawn)
        shown = self._shown_as(np.ravel(inside)[at], box, at)
        block = np.full(new.shape, TRANSPARENT, np.uint8)
        block.reshape(-1)[at] = shown.indices
        table, flags = (b"", 0) if shown.table is None else (shown.table, LOCAL)
        return Block(FrameRect.of(box), table + _compressed(block), flags)

    def add(self, block: Block, ticks: int, clear: bool) -> None:
        # One entry is transparent, and afterwards the block stays or is cleared.
        flags = 0x09 if clear else 0x05
        self.out.write(b"!\xf9\x04" + pack("<BHBB", flags, ticks, TRANSPARENT, 0))
        self.out.write(b"," + pack("<HHHHB", *block.rect, block.flags) + block.data)

    def vanishing(self, pixels: Pixels, shown: Pixels) -> NDArray[np.bool_] | None:
        gone = _is_opaque(shown) & ~_is_opaque(pixels)
        return gone if gone.any() else None

    def end(self) -> None:
        self.out.write(b";")
        self.out.seek(13)
        self.out.write(self._palette.table())

    def _shown_as(self, colors: Pixels, box: Box, at: Any) -> Shown:
        """Return how the colours at some places in a box are shown: locally if that is needed."""
        distances = self._distances[box].reshape(-1)
        others = self._squared_error - squared_sum(distances[at])
        limit = WORST * 3 * self._distances.size
        shown = self._palette.show(colors)
        if not shown.is_good or others + shown.squared_error > limit:
            local = shown_locally(colors)
            if local.squared_error < shown.squared_error:
                shown = local
        self._squared_error = others + shown.squared_error
        distances[at] = shown.distances
        self._distances[box] = distances.reshape(self._distances[box].shape)
        return shown


def _is_opaque(pixels: Pixels) -> NDArray[np.bool_]:
    return pixels.view(np.int32) < 0  # the highest bit of alpha


def _sub_blocks(data: bytes) -> bytes:
    parts = (data[first : first + 255] for first in range(0, len(data), 255))
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def _compressed(block: Indices) -> bytes:
    """Return a block as LZW data of 8 bits per pixel."""
    return b"\x08" + Image.fromarray(block, "P").tobytes("gif", "P", 8, 0) + b"\0"
