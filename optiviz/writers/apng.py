"""APNG: lossless animations, compressed by zlib.

See the Portable Network Graphics Specification, Third Edition, W3C, 2025, sections 5 and 11.
"""

import zlib
from struct import pack
from typing import Any

import numpy as np
from imageio.core.request import Request
from numpy.typing import NDArray

from optiviz.writers.delta import DeltaPlugin, FrameRect
from optiviz.writers.layers import Pixels

RGBA = 6
LEVEL = 6  # of zlib, 1 to 9


class ApngPlugin(DeltaPlugin):
    """imageio plugin that writes an animated PNG, without loss."""

    ticks = 1000
    shortest = 10

    def __init__(self, request: Request, **settings: Any) -> None:
        super().__init__(request, **settings)
        self._frames_written = self._chunks_numbered = 0

    def begin(self, width: int, height: int) -> None:
        self.out.write(b"\x89PNG\r\n\x1a\n")
        self._chunk(b"IHDR", pack(">IIBBBBB", width, height, 8, RGBA, 0, 0, 0))
        self._counted_at = self.out.tell()
        self._count()
        for key, value in self.tags.items():
            keyword = key.capitalize().encode("latin-1")
            self._chunk(b"iTXt", keyword + b"\0\0\0\0\0" + value.encode())

    def encode(self, pixels: Pixels, new: NDArray[np.bool_]) -> bytes:
        height, width = new.shape
        rows = np.zeros((height, 1 + 4 * width), np.uint8)  # 0, the first byte, is the filter: none
        rows[:, 1:] = np.where(new, pixels, np.uint32(0)).view(np.uint8)
        return zlib.compress(rows.data, LEVEL)

    def add(self, rect: FrameRect, data: bytes, ticks: int) -> None:
        # 0, 1: the frame is not disposed of, and is blended over the previous one.
        size = rect.width, rect.height, rect.left, rect.top
        self._chunk(b"fcTL", self._number() + pack(">IIIIHHBB", *size, ticks, self.ticks, 0, 1))
        if self._frames_written:
            self._chunk(b"fdAT", self._number() + data)
        else:
            self._chunk(b"IDAT", data)
        self._frames_written += 1

    def end(self) -> None:
        self._chunk(b"IEND", b"")
        self.out.seek(self._counted_at)
        self._count()

    def _count(self) -> None:
        """Write the number of frames, and that they loop forever."""
        self._chunk(b"acTL", pack(">II", self._frames_written, 0))

    def _number(self) -> bytes:
        self._chunks_numbered += 1
        return pack(">I", self._chunks_numbered - 1)

    def _chunk(self, kind: bytes, data: bytes) -> None:
        self.out.write(pack(">I", len(data)) + kind + data)
        self.out.write(pack(">I", zlib.crc32(kind + data)))
