"""APNG: lossless animations, compressed by zlib.

See the Portable Network Graphics Specification, Third Edition, W3C, 2025, sections 5 and 11.
"""

import zlib
from collections.abc import Mapping
from struct import pack
from typing import Any

import numpy as np
from imageio.core.request import Request
from numpy.typing import NDArray

from optiviz.system.errors import InputError
from optiviz.writers.canvas import Box, Pixels
from optiviz.writers.delta import OPAQUE, Block, DeltaPlugin, FrameRect

RGBA = 6
SOURCE, OVER = 0, 1  # whether pixels replace those of the previous frame, or lie over them
LEVEL = 6  # of zlib, 1 to 9


class ApngPlugin(DeltaPlugin):
    """imageio plugin that writes an animated PNG, without loss."""

    ticks = 1000
    shortest = 10

    def __init__(self, request: Request, *, metadata: Mapping[str, str], **settings: Any) -> None:
        tags = {_keyword(name): text for name, text in metadata.items()}
        super().__init__(request, metadata=metadata, **settings)
        self._texts = tags
        self._frames_written = self._chunks_numbered = 0

    def begin(self, width: int, height: int) -> None:
        self.out.write(b"\x89PNG\r\n\x1a\n")
        self._chunk(b"IHDR", pack(">IIBBBBB", width, height, 8, RGBA, 0, 0, 0))
        self._counted_at = self.out.tell()
        self._count()
        for keyword, text in self._texts.items():
            self._chunk(b"iTXt", keyword + b"\0\0\0\0\0" + text.encode())

    def encode(self, pixels: Pixels, box: Box, new: NDArray[np.bool_]) -> Block:
        inside = pixels[box]
        if self.is_opaque or (inside[new] >= OPAQUE).all():
            flags, shown = OVER, np.where(new, inside, np.uint32(0))
        else:
            flags, shown = SOURCE, np.ascontiguousarray(inside)
        height, width = new.shape
        rows = np.zeros((height, 1 + 4 * width), np.uint8)  # 0, the first byte, is the filter: none
        rows[:, 1:] = shown.view(np.uint8)
        return Block(FrameRect.of(box), zlib.compress(rows.data, LEVEL), flags)

    def add(self, block: Block, ticks: int, clear: bool) -> None:
        rect = block.rect
        size = rect.width, rect.height, rect.left, rect.top
        # 0: the frame is not disposed of.
        control = pack(">IIIIHHBB", *size, ticks, self.ticks, 0, block.flags)
        self._chunk(b"fcTL", self._number() + control)
        if self._frames_written:
            self._chunk(b"fdAT", self._number() + block.data)
        else:
            self._chunk(b"IDAT", block.data)
        self._frames_written += 1

    def end(self) -> None:
        self._chunk(b"IEND", b"")
        self.out.seek(self._counted_at)
        self._count()

    def _count(self) -> None:
        """Write the number of frames, and how often they are played."""
        self._chunk(b"acTL", pack(">II", self._frames_written, self.loop))

    def _number(self) -> bytes:
        self._chunks_numbered += 1
        return pack(">I", self._chunks_numbered - 1)

    def _chunk(self, kind: bytes, data: bytes) -> None:
        self.out.write(pack(">I", len(data)) + kind + data)
        self.out.write(pack(">I", zlib.crc32(kind + data)))


def _keyword(name: str) -> bytes:
    """Return the keyword of a text, as PNG allows it."""
    try:
        keyword = name.capitalize().strip().encode("latin-1")
    except UnicodeEncodeError:
        keyword = b""
    if not 0 < len(keyword) < 80:
        raise InputError(
            f"metadata: {name!r} cannot be a keyword of an .apng: use 1 to 79 Latin letters"
        )
    return keyword
