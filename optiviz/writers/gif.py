"""GIF: one palette for all frames, extended as new colours appear. No dithering.

Pillow compresses each block, and this module joins the blocks. See the GIF89a specification, 1990.
"""

from struct import pack
from typing import Any

import numpy as np
from imageio.core.request import Request
from numpy.typing import NDArray
from PIL import Image

from optiviz.writers.delta import DeltaPlugin, FrameRect
from optiviz.writers.layers import Pixels

Colors = NDArray[np.uint32]  # 0xAABBGGRR, of any shape; AA is the same for all
Indices = NDArray[np.uint8]

ENTRIES = 256
TRANSPARENT = 0  # the palette entry of pixels that do not change
FIRST = 128  # palette entries for the first frame; the rest is for later frames
FRESH = 24  # the most new entries per later frame
CANDIDATES = 4096  # most common new colours of a frame, from which entries are chosen
NEAR = 64.0  # squared distance in RGB up to which a later colour needs no entry of its own


class GifPlugin(DeltaPlugin):
    """imageio plugin that writes a GIF. Browsers slow frames under 2/100 s down to 10/100."""

    ticks = 100
    shortest = 2

    def __init__(self, request: Request, **settings: Any) -> None:
        super().__init__(request, **settings)
        self._palette = Palette()

    def begin(self, width: int, height: int) -> None:
        # 0xF7: a global palette of 256 colours, which is filled in at the end.
        self.out.write(b"GIF89a" + pack("<HHBBB", width, height, 0xF7, TRANSPARENT, 0))
        self.out.write(bytes(3 * ENTRIES))
        self.out.write(b"!\xff\x0bNETSCAPE2.0\x03\x01" + pack("<H", 0) + b"\0")
        for key, value in self.tags.items():
            said = value if key == "comment" else f"{key}: {value}"
            self.out.write(b"!\xfe" + _sub_blocks(said.encode()))

    def encode(self, pixels: Pixels, new: NDArray[np.bool_]) -> bytes:
        block = np.full(new.shape, TRANSPARENT, np.uint8)
        at: Any = slice(None) if new.all() else np.flatnonzero(new)
        block.reshape(-1)[at] = self._palette.indices(np.ravel(pixels)[at])
        return _compressed(block)

    def add(self, rect: FrameRect, data: bytes, ticks: int) -> None:
        # 0x05: the frame is not disposed of, and one entry is transparent.
        self.out.write(b"!\xf9\x04" + pack("<BHBB", 0x05, ticks, TRANSPARENT, 0))
        self.out.write(b"," + pack("<HHHHB", *rect, 0) + data)

    def end(self) -> None:
        self.out.write(b";")
        self.out.seek(13)
        self.out.write(self._palette.table())


class Palette:
    """256 colours, chosen as they appear; the first entry is transparent.

    Each new entry is the colour with the largest error (its squared distance to the nearest entry,
    times its number of pixels), so flat areas and paths keep their exact colours. A colour without
    an entry of its own is shown as the nearest entry.
    """

    def __init__(self) -> None:
        self._colors = np.zeros((1, 3), np.float32)
        self._met = np.zeros(0, np.uint32)  # all colours so far, ascending
        self._entry = np.zeros(0, np.uint8)  # the entry of each of them

    def indices(self, colors: Colors) -> Indices:
        """Return the palette entry of each colour of a 1-D array. Runs of one colour are cheap."""
        differs = np.ones(colors.size, bool)  # from the previous colour
        np.not_equal(colors[1:], colors[:-1], out=differs[1:])
        begins = np.flatnonzero(differs)
        lengths = np.diff(begins, append=colors.size)
        found, run = np.unique(colors[begins], return_inverse=True)
        fresh = ~np.isin(found, self._met, assume_unique=True)
        if fresh.any():
            self._meet(found[fresh], np.bincount(run, weights=lengths)[fresh])
        return np.repeat(self._entry[np.searchsorted(self._met, found)][run], lengths)

    def table(self) -> bytes:
        """Return the 256 RGB triples as bytes."""
        return self._colors.astype(np.uint8).tobytes().ljust(3 * ENTRIES, b"\0")

    def _meet(self, fresh: Colors, counts: NDArray[Any]) -> None:
        """Choose entries for colours not met before, and store the nearest entry of each."""
        channels = _channels(fresh)
        common = np.argsort(-counts, kind="stable")[:CANDIDATES]
        self._choose(channels[common], counts[common])
        met = np.concatenate([self._met, fresh])
        order = np.argsort(met, kind="stable")
        self._met = met[order]
        self._entry = np.concatenate([self._entry, self._nearest(channels)])[order]

    def _choose(self, colors: NDArray[np.float32], counts: NDArray[Any]) -> None:
        if len(self._colors) == 1:
            room, near = FIRST, 0.0
            distance = np.full(len(colors), np.inf, np.float32)
        else:
            room, near = min(FRESH, ENTRIES - len(self._colors)), NEAR
            distance = _squared(colors - self._colors[self._nearest(colors)])
        chosen: list[NDArray[np.float32]] = []
        for _ in range(room):
            worst = int(np.argmax(counts * distance))
            if distance[worst] <= near:
                break
            chosen.append(colors[worst])
            np.minimum(distance, _squared(colors - colors[worst]), out=distance)
        if chosen:
            self._colors = np.concatenate([self._colors, chosen])

    def _nearest(self, colors: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return the index of the nearest entry to each colour."""
        known = self._colors[1:]
        half = _squared(known) / 2
        parts = (colors[first : first + 4096] for first in range(0, len(colors), 4096))
        # Half the squared distances, less the same term for all entries, 4 MB at a time.
        found = [(half - part @ known.T).argmin(axis=1) for part in parts]
        return (np.concatenate(found) + 1).astype(np.uint8)


def _squared(colors: NDArray[np.float32]) -> NDArray[np.float32]:
    squared: NDArray[np.float32] = np.einsum("ij,ij->i", colors, colors)
    return squared


def _channels(colors: Colors) -> NDArray[np.float32]:
    return np.stack([colors & 255, colors >> 8 & 255, colors >> 16 & 255], axis=-1).astype(
        np.float32
    )


def _sub_blocks(data: bytes) -> bytes:
    parts = (data[first : first + 255] for first in range(0, len(data), 255))
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def _compressed(block: Indices) -> bytes:
    """Return a block as LZW data of 8 bits per pixel."""
    return b"\x08" + Image.fromarray(block, "P").tobytes("gif", "P", 8, 0) + b"\0"
