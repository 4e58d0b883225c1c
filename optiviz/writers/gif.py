"""GIF: one palette for all frames, extended as new colours appear. No dithering.

The colours of the first frame are split into groups, the one with the largest squared error first,
and the middles of the groups move until each is the mean of what is nearest to it: k-means, Lloyd,
Least squares quantization in PCM, 1982. So smooth shading gets most entries. A colour that makes up
most of its group, such as that of a flat area or a path, is that group's entry exactly.

Pillow compresses each block, and this module joins the blocks. See the GIF89a specification, 1990.
"""

from heapq import heappop, heappush
from itertools import count
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
Channels = NDArray[np.float32]  # red, green and blue, of shape (n, 3)

ENTRIES = 256
TRANSPARENT = 0  # the palette entry of pixels that do not change
FIRST = 160  # palette entries for the first frame at most; the rest is for later frames
FRESH = 24  # the most new entries per later frame
COMMON = 2048  # most common new colours of a frame, which count one by one
COARSE = np.uint32(0xF8F8F8)  # the others count together with those that share these bits
ALONE = np.uint32(1 << 24)
ROUNDS = 4  # of k-means
FLAT = 0.5  # share of the pixels of an entry from which their most common colour is that entry
NEAR = 64.0  # squared distance in RGB up to which a later colour needs no entry of its own
RGB = np.uint32(0xFFFFFF)
BLOCK = 1 << 16  # pixels that are looked up together


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

    In later frames, a new entry is the colour with the largest error: its squared distance to the
    nearest entry, times its number of pixels. A colour without an entry of its own is shown as the
    nearest entry.
    """

    def __init__(self) -> None:
        self._colors = np.zeros((1, 3), np.float32)
        self._entry = np.zeros(1 << 24, np.uint8)  # of each colour that was met

    def indices(self, colors: Colors) -> Indices:
        """Return the palette entry of each colour of a 1-D array."""
        keys = colors & RGB
        found = self._known(keys)
        unknown = found == TRANSPARENT
        if unknown.any():
            fresh = keys[unknown]
            self._meet(*_counted(fresh))
            found[unknown] = self._known(fresh)
        return found

    def _known(self, keys: Colors) -> Indices:
        """Return the entries of colours, TRANSPARENT for those not met."""
        found = np.empty(keys.size, np.uint8)
        for begin in range(0, keys.size, BLOCK):  # an index takes eight bytes
            part = slice(begin, begin + BLOCK)
            self._entry.take(keys[part], out=found[part], mode="clip")
        return found

    def table(self) -> bytes:
        """Return the 256 RGB triples as bytes."""
        return self._colors.astype(np.uint8).tobytes().ljust(3 * ENTRIES, b"\0")

    def _meet(self, fresh: Colors, counts: NDArray[Any]) -> None:
        """Choose entries for colours not met before, and keep the nearest entry of each."""
        group = _groups(fresh, counts)
        weights = np.bincount(group, weights=counts).astype(np.float32)
        channels = _channels(fresh)
        points = (
            np.stack(
                [np.bincount(group, weights=counts * each) for each in channels.T], axis=-1
            ).astype(np.float32)
            / weights[:, None]
        )
        if len(self._colors) == 1:
            entries = _means(points, weights)
            own = _nearest(points, entries)[group]
            entries = np.round(_with_flat(entries, own, channels, counts))
        else:
            entries = self._needed(points, weights)
        self._colors = np.concatenate([self._colors, entries])
        self._entry[fresh] = _nearest(points, self._colors[1:])[group] + 1

    def _needed(self, points: Channels, weights: NDArray[np.float32]) -> Channels:
        """Return which points need an entry of their own, of those that are left."""
        known = self._colors[1:]
        distance = _squared(points - known[_nearest(points, known)])
        chosen: list[Channels] = []
        for _ in range(min(FRESH, ENTRIES - len(self._colors))):
            worst = int(np.argmax(weights * distance))
            if distance[worst] <= NEAR:
                break
            chosen.append(np.round(points[worst]))
            np.minimum(distance, _squared(points - points[worst]), out=distance)
        return np.reshape(chosen, (-1, 3)).astype(np.float32)


def _counted(colors: Colors) -> tuple[Colors, NDArray[Any]]:
    """Return different colours and how often they occur. Runs of one colour are cheap."""
    differs = np.ones(colors.size, bool)  # from the previous colour
    np.not_equal(colors[1:], colors[:-1], out=differs[1:])
    begins = np.flatnonzero(differs)
    lengths = np.diff(begins, append=colors.size)
    found, run = np.unique(colors[begins], return_inverse=True)
    return found, np.bincount(run, weights=lengths)


def _groups(colors: Colors, counts: NDArray[Any]) -> NDArray[np.intp]:
    """Return the group of each colour: its own for common ones, that of similar ones for others."""
    if len(colors) <= COMMON:
        return np.arange(len(colors))
    keys = colors & COARSE
    common = np.argpartition(-counts, COMMON)[:COMMON]
    keys[common] = colors[common] | ALONE
    group: NDArray[np.intp] = np.unique(keys, return_inverse=True)[1]
    return group


def _means(points: Channels, weights: NDArray[np.float32]) -> Channels:
    """Return at most FIRST colours, shape (n, 3), each the mean of the points nearest to it."""
    entries = _split(points, weights)
    if len(entries) == len(points):
        return entries
    for _ in range(ROUNDS):
        own = _nearest(points, entries)
        total = np.bincount(own, weights, len(entries))
        sums = [np.bincount(own, weights * each, len(entries)) for each in points.T]
        used = total > 0
        entries[used] = np.stack(sums, axis=-1)[used] / total[used, None]
    return entries


def _split(points: Channels, weights: NDArray[np.float32]) -> Channels:
    """Return the means of at most FIRST groups of points.

    The group with the largest squared error is split at its mean, along the channel in which it is
    widest.
    """
    groups: list[tuple[float, int, Channels, NDArray[np.float32], Channels]] = []

    def add(some: Channels, weight: NDArray[np.float32]) -> None:
        mean = weight @ some / weight.sum()
        spread = weight @ (some - mean) ** 2
        heappush(groups, (-float(spread.sum()), next(number), some, weight, mean))

    number = count()
    add(points, weights)
    while len(groups) < min(FIRST, len(points)):
        error, _, some, weight, mean = heappop(groups)
        spread = weight @ (some - mean) ** 2
        axis = int(spread.argmax())
        low = some[:, axis] <= mean[axis]
        if error == 0 or low.all():
            heappush(groups, (0.0, next(number), some, weight, mean))
            break
        add(some[low], weight[low])
        add(some[~low], weight[~low])
    return np.stack([each[-1] for each in groups]).astype(np.float32)


def _with_flat(
    entries: Channels, own: NDArray[np.intp], channels: Channels, counts: NDArray[Any]
) -> Channels:
    """Return entries, those exact that are mostly of one colour; own are those of the colours."""
    order = np.lexsort((-counts, own))
    first = order[np.flatnonzero(np.diff(own[order], prepend=-1))]  # the most common of an entry
    total = np.bincount(own, counts, len(entries))
    flat = first[counts[first] >= FLAT * total[own[first]]]
    exact = entries.copy()
    exact[own[flat]] = channels[flat]
    return exact


def _nearest(points: Channels, entries: Channels) -> NDArray[np.intp]:
    """Return the index of the nearest entry to each point."""
    half = _squared(entries) / 2
    parts = (points[first : first + 4096] for first in range(0, len(points), 4096))
    # Half the squared distances, less the same term for all entries, 4 MB at a time.
    return np.concatenate([(half - part @ entries.T).argmin(axis=1) for part in parts])


def _squared(colors: Channels) -> NDArray[np.float32]:
    squared: NDArray[np.float32] = np.einsum("ij,ij->i", colors, colors)
    return squared


def _channels(colors: Colors) -> Channels:
    return np.stack([colors & 255, colors >> 8 & 255, colors >> 16 & 255], axis=-1).astype(
        np.float32
    )


def _sub_blocks(data: bytes) -> bytes:
    parts = (data[first : first + 255] for first in range(0, len(data), 255))
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def _compressed(block: Indices) -> bytes:
    """Return a block as LZW data of 8 bits per pixel."""
    return b"\x08" + Image.fromarray(block, "P").tobytes("gif", "P", 8, 0) + b"\0"
