"""GIF as a stream: one palette, only what changed, nothing kept but the last frame.

Pillow compresses each block; this file joins the blocks. See the GIF89a specification, 1990.
"""

from io import BytesIO
from struct import pack
from typing import Any

import numpy as np
from imageio.core.request import Request
from imageio.core.v3_plugin_api import PluginV3
from numpy.typing import NDArray
from PIL import Image

Indices = NDArray[np.uint8]
Codes = NDArray[np.uint32]

COLORS = 256
TRANSPARENT = 0  # the palette entry that means: what was here stays
EXACT = 64  # entries that the commonest colours of the first frame get
BLENDED = 24  # entries for its other colours; the rest waits for colours that come later
FRESH = 24  # at most so many new entries a frame
SHORTEST = 2  # hundredths of a second; browsers slow what is shorter down to 10
NEAR = 100.0  # squared distance in RGB under which a colour needs no entry of its own


class GifPlugin(PluginV3):
    """imageio plugin that writes an endlessly looping GIF, frame by frame."""

    size_step = 1

    def __init__(self, request: Request, *, fps: float) -> None:
        super().__init__(request)
        self._out = request.get_file()
        self._fps = fps
        self._palette = Palette()
        self._frames = 0
        self._closed = False
        self._shown: Codes | None = None
        self._dropped: Codes | None = None
        self._waiting: tuple[Indices, int, int, int] | None = None  # block, left, top, first frame

    def write(self, ndimage: Any) -> None:
        """Add an RGBA frame, uint8 of shape (height, width, 4).

        Above 50 frames a second those are dropped whose turn would come too early.
        """
        codes = _codes(np.asarray(ndimage))
        if self._shown is None:
            self._head(codes)
            self._waiting = (self._palette.indices(codes.ravel()).reshape(codes.shape), 0, 0, 0)
            self._shown = codes
        elif self._delay() < SHORTEST:
            self._dropped = codes
        else:
            self._show(codes)
        self._frames += 1

    def close(self) -> None:
        closed, self._closed = self._closed, True  # imageio may close it again
        try:
            if self._shown is not None and not closed:
                if self._dropped is not None:  # the last frame is shown in any case
                    self._show(self._dropped)
                    self._frames += 1
                self._flush()
                self._out.write(b";")
                self._out.seek(13)
                self._out.write(self._palette.table())
        finally:
            super().close()

    def _head(self, codes: Codes) -> None:
        height, width = codes.shape
        # 0xF7: a global palette of 256 colours, which is filled in when all are known.
        self._out.write(b"GIF89a" + pack("<HHBBB", width, height, 0xF7, TRANSPARENT, 0))
        self._out.write(bytes(3 * COLORS))
        self._out.write(b"!\xff\x0bNETSCAPE2.0\x03\x01" + pack("<H", 0) + b"\0")

    def _show(self, codes: Codes) -> None:
        """Let a frame wait for its end in place of the one before, unless it looks the same."""
        self._dropped = None
        changed = codes != self._shown
        if not changed.any():
            return
        self._flush()
        rows, columns = (np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0))
        top, left = int(rows[0]), int(columns[0])
        box = np.s_[top : rows[-1] + 1, left : columns[-1] + 1]
        block = np.full(changed[box].shape, TRANSPARENT, np.uint8)
        block[changed[box]] = self._palette.indices(codes[box][changed[box]])
        self._waiting = (block, left, top, self._frames)
        self._shown = codes

    def _delay(self) -> int:
        """Return how long the waiting block is shown so far, in whole hundredths of a second.

        What is cut off one delay is carried into the next.
        """
        assert self._waiting is not None
        first = self._waiting[-1]
        return round(100 * self._frames / self._fps) - round(100 * first / self._fps)

    def _flush(self) -> None:
        """Write the waiting block, now that it is known how long it is shown."""
        assert self._waiting is not None
        block, left, top, _ = self._waiting
        delay = self._delay()
        while delay >= 0:
            part = min(delay, 65535)
            # 0x05: what is drawn stays, and one entry is transparent.
            self._out.write(b"!\xf9\x04" + pack("<BHBB", 0x05, part, TRANSPARENT, 0))
            self._out.write(b"," + pack("<HHHHB", left, top, *block.shape[::-1], 0))
            self._out.write(_compressed(block))
            delay = delay - part or -1
            block = np.full((1, 1), TRANSPARENT, np.uint8)


class Palette:
    """256 colours that are chosen as they come, the first entry transparent.

    The commonest colours get entries of their own, so flat areas and paths keep theirs exactly;
    a colour without one is shown as the nearest that has.
    """

    def __init__(self) -> None:
        self._colors = np.zeros((1, 3), np.int32)
        self._index = np.zeros(1 << 24, np.uint8)  # of each 24-bit colour; 0 is not met yet

    def indices(self, codes: Codes) -> Indices:
        """Return the palette entry of each colour 0xRRGGBB."""
        found = self._index[codes]
        unmet = found == 0
        if unmet.any():
            self._meet(codes[unmet])
            found[unmet] = self._index[codes[unmet]]
        return found

    def table(self) -> bytes:
        """Return the 256 RGB triples."""
        return self._colors.astype(np.uint8).tobytes().ljust(3 * COLORS, b"\0")

    def _meet(self, codes: Codes) -> None:
        fresh, counts = np.unique(codes, return_counts=True)
        colors = _channels(fresh)
        if len(self._colors) == 1:
            order = np.argsort(-counts, kind="stable")
            self._add(colors[order[:EXACT]])
            rest = codes[~np.isin(codes, fresh[order[:EXACT]])]
            if rest.size:
                sample = Image.fromarray(_channels(rest).astype(np.uint8)[None], "RGB")
                reduced = sample.quantize(BLENDED, Image.Quantize.MEDIANCUT)
                self._add(np.reshape(reduced.getpalette() or [], (-1, 3))[:BLENDED])
        nearest, distance = self._nearest(colors)
        for _ in range(min(FRESH, COLORS - len(self._colors))):
            worst = int(np.argmax(counts * distance))
            if distance[worst] <= NEAR:
                break
            self._add(colors[worst : worst + 1])
            to_new = ((colors - colors[worst]) ** 2).sum(axis=1)
            closer = to_new < distance
            nearest[closer], distance[closer] = len(self._colors) - 1, to_new[closer]
        self._index[fresh] = nearest

    def _add(self, colors: NDArray[Any]) -> None:
        self._colors = np.concatenate([self._colors, colors.astype(np.int32)])

    def _nearest(self, colors: NDArray[np.int32]) -> tuple[NDArray[Any], NDArray[Any]]:
        known = self._colors[1:].astype(np.float32)
        nearest = np.empty(len(colors), np.int64)
        distance = np.empty(len(colors), np.float32)
        for first in range(0, len(colors), 4096):  # 4 MB of distances at a time
            some = np.s_[first : first + 4096]
            block = colors[some].astype(np.float32)
            squared = (block**2).sum(1)[:, None] - 2 * block @ known.T + (known**2).sum(1)
            best = squared.argmin(axis=1)
            nearest[some] = best + 1
            distance[some] = ((block - known[best]) ** 2).sum(axis=1)
        return nearest, distance


def _codes(frame: NDArray[np.uint8]) -> Codes:
    """Return 0xRRGGBB of each RGBA pixel."""
    return np.ascontiguousarray(frame).view(">u4")[..., 0].astype(np.uint32) >> np.uint32(8)


def _channels(codes: Codes) -> NDArray[np.int32]:
    return np.stack([(codes >> bits & 255).astype(np.int32) for bits in (16, 8, 0)], axis=-1)


def _compressed(block: Indices) -> bytes:
    """Return a block's LZW data, taken from a GIF of that one block."""
    image = Image.fromarray(block, "P")
    image.putpalette(bytes(3 * COLORS))
    buffer = BytesIO()
    image.save(buffer, "GIF", optimize=False, interlace=0)
    data = buffer.getvalue()
    at = 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
    while data[at] == 0x21:  # an extension: its label, then sub-blocks
        at += 2
        while data[at]:
            at += 1 + data[at]
        at += 1
    flags = data[at + 9]
    at += 10 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    return data[at:-1]
