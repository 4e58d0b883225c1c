"""Palettes of 256 colours: one for all frames, extended as new colours appear, and local ones.

The colours of the first frame are split into groups, the one with the largest squared error first,
and the middles of the groups move until each is the mean of what is nearest to it: k-means, Lloyd,
Least squares quantization in PCM, 1982. So smooth shading gets most entries. A colour that makes up
most of its group, such as that of a flat area or a path, is that group's entry exactly.

The entries of the common palette cannot change, because earlier blocks use them. A block that they
do not show well enough gets a palette of its own, found in the same way.
"""

from heapq import heappop, heappush
from itertools import count
from mmap import mmap
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Colors = NDArray[np.uint32]  # 0xAABBGGRR, of any shape; AA is ignored
Indices = NDArray[np.uint8]
Channels = NDArray[np.float32]  # red, green and blue, of shape (n, 3)

ENTRIES = 256
TRANSPARENT = 0  # the entry of pixels that do not change
FIRST = 160  # entries for the first frame at most; the rest is for later frames
FRESH = 24  # the most new entries per later frame
FOR_FLAT = 32  # entries that only flat colours may take
COMMON = 2048  # most common new colours of a frame, which count one by one
COARSE = np.uint32(0xF8F8F8)  # the others count together with those that share these bits
ALONE = np.uint32(1 << 24)
ROUNDS = 4  # of k-means
FLAT = 0.5  # share of the pixels of an entry from which their most common colour is that entry
RUNS, RUNS_SHARE = 8, 0.001  # pixels, and share of all, beside one of the same, flat colour
SAMPLE = 8192  # pixels among which flat colours are sought
EXACT = 2  # distance up to which a flat colour is shown well
NEAR = 8  # distance up to which a later colour needs no entry of its own
BEARABLE = 20  # root mean square of distances, up to which the edges of a block look right
RGB = np.uint32(0xFFFFFF)
PART = 1 << 16  # pixels that are looked up together
SQUARES = np.square(np.arange(256.0))


class Shown(NamedTuple):
    """How colours are shown: by which entries, and how far off those are.

    Distances are Euclidean, in levels of RGB, rounded, and 255 at most. `table` is the local
    palette, None for the common one.
    """

    indices: Indices
    distances: NDArray[np.uint8]
    squared_error: float  # the sum of all squared distances
    is_good: bool  # in flat colours, and on average
    table: bytes | None = None

    @classmethod
    def of(
        cls, indices: Indices, distances: NDArray[np.uint8], flat: bool, table: bytes | None = None
    ) -> "Shown":
        error = squared_sum(distances)
        return cls(indices, distances, error, flat and error <= BEARABLE**2 * indices.size, table)


class Palette:
    """256 colours, chosen as they appear; the first entry is transparent.

    In later frames, a new entry is the colour with the largest error: its squared distance to the
    nearest entry, times its number of pixels. A colour without an entry of its own is shown as the
    nearest entry.
    """

    def __init__(self) -> None:
        self._colors = np.zeros((1, 3), np.float32)
        # Of each colour that was met, its distance and, in the lower byte, its entry.
        # Mapped, so that only the pages that are used take memory and time.
        self._known = np.frombuffer(mmap(-1, 2 << 24), np.uint16)

    def show(self, colors: Colors) -> Shown:
        """Return how the colours of a 1-D array are shown. New colours may get entries."""
        keys = colors & RGB
        known = self._look_up(keys)
        poor = known == 0
        if len(self._colors) < ENTRIES - FOR_FLAT:
            poor |= known >= (NEAR + 1) << 8
        if poor.any():
            poor_keys = keys[poor]
            self._meet(*_counted(poor_keys))
            known[poor] = self._look_up(poor_keys)
        wrong = _flat_colors(keys, known >= (EXACT + 1) << 8)
        if wrong.size:
            added = wrong[: ENTRIES - len(self._colors)]
            self._known[added] = np.arange(len(added)) + len(self._colors)
            self._colors = np.concatenate([self._colors, _channels(added)])
            known = self._look_up(keys)
            wrong = wrong[len(added) :]
        entries, distances = (known & 255).astype(np.uint8), (known >> 8).astype(np.uint8)
        return Shown.of(entries, distances, not wrong.size)

    def table(self) -> bytes:
        """Return the 256 RGB triples as bytes."""
        return _table(self._colors)

    def _look_up(self, keys: Colors) -> NDArray[np.uint16]:
        found = np.empty(keys.size, np.uint16)
        for begin in range(0, keys.size, PART):  # an index takes eight bytes
            part = slice(begin, begin + PART)
            self._known.take(keys[part], out=found[part], mode="clip")
        return found

    def _meet(self, fresh: Colors, counts: NDArray[Any]) -> None:
        """Choose entries for colours that are not shown well, and keep the nearest of each."""
        group = _groups(fresh, counts)
        points, weights = _middles(group, fresh, counts)
        if len(self._colors) == 1:
            self._colors = _palette(points, weights, group, fresh, counts, FIRST)
        else:
            self._colors = np.concatenate([self._colors, self._needed(points, weights)])
        entries, distances = _shown_as(points, group, fresh, self._colors)
        self._known[fresh] = entries | distances.astype(np.uint16) << 8

    def _needed(self, points: Channels, weights: NDArray[np.float32]) -> Channels:
        """Return which points need an entry of their own, of those that are left."""
        known = self._colors[1:]
        distance = _squared(points - known[_nearest(points, known)])
        chosen: list[Channels] = []
        for _ in range(min(FRESH, ENTRIES - FOR_FLAT - len(self._colors))):
            worst = int(np.argmax(weights * distance))
            if distance[worst] <= NEAR**2:
                break
            chosen.append(np.round(points[worst]))
            np.minimum(distance, _squared(points - points[worst]), out=distance)
        return np.reshape(chosen, (-1, 3)).astype(np.float32)


def shown_locally(colors: Colors) -> Shown:
    """Return how the colours of a 1-D array are shown by a palette for them alone."""
    keys = colors & RGB
    fresh, counts = _counted(keys)
    group = _groups(fresh, counts)
    points, weights = _middles(group, fresh, counts)
    entries = _palette(points, weights, group, fresh, counts, ENTRIES - 1)
    indices, distances = _shown_as(points, group, fresh, entries)
    at = np.searchsorted(fresh, keys)
    wrong = _flat_colors(keys, distances[at] > EXACT)
    return Shown.of(indices[at], distances[at], not wrong.size, _table(entries))


def squared_sum(distances: NDArray[np.uint8]) -> float:
    """Return the sum of all squared distances."""
    return float(np.bincount(distances.reshape(-1), minlength=256) @ SQUARES)


def _flat_colors(keys: Colors, off: NDArray[np.bool_]) -> Colors:
    """Return the colours of flat areas and lines among the pixels that are `off`."""
    beside = np.flatnonzero(off[1:] & (keys[1:] == keys[:-1]))
    if beside.size < RUNS:
        return keys[:0]
    step = 1 + beside.size // SAMPLE
    found, number = np.unique(keys[beside[::step]], return_counts=True)
    return found[number * step >= max(RUNS, RUNS_SHARE * keys.size)]


def _palette(
    points: Channels,
    weights: NDArray[np.float32],
    group: NDArray[np.intp],
    colors: Colors,
    counts: NDArray[Any],
    most: int,
) -> Channels:
    """Return a palette of at most `most` entries after the transparent one, for grouped colours."""
    entries = _means(points, weights, most)
    own = _nearest(points, entries)[group]
    exact = np.round(_with_flat(entries, own, _channels(colors), counts))
    return np.concatenate([np.zeros((1, 3), np.float32), exact])


def _shown_as(
    points: Channels, group: NDArray[np.intp], colors: Colors, entries: Channels
) -> tuple[Indices, NDArray[np.uint8]]:
    """Return the entry of each colour, which is the one nearest to its group, and the distance."""
    found = (_nearest(points, entries[1:]) + 1)[group]
    off = np.sqrt(_squared(_channels(colors) - entries[found]))
    return found.astype(np.uint8), np.minimum(np.rint(off), 255).astype(np.uint8)


def _middles(
    group: NDArray[np.intp], colors: Colors, counts: NDArray[Any]
) -> tuple[Channels, NDArray[np.float32]]:
    """Return the mean of each group of colours, and its number of pixels."""
    weights = np.bincount(group, weights=counts).astype(np.float32)
    sums = [np.bincount(group, weights=counts * each) for each in _channels(colors).T]
    return np.stack(sums, axis=-1).astype(np.float32) / weights[:, None], weights


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


def _means(points: Channels, weights: NDArray[np.float32], most: int) -> Channels:
    """Return at most `most` colours, shape (n, 3), each the mean of the points nearest to it."""
    entries = _split(points, weights, most)
    if len(entries) == len(points):
        return entries
    for _ in range(ROUNDS):
        own = _nearest(points, entries)
        total = np.bincount(own, weights, len(entries))
        sums = [np.bincount(own, weights * each, len(entries)) for each in points.T]
        used = total > 0
        entries[used] = np.stack(sums, axis=-1)[used] / total[used, None]
    return entries


def _split(points: Channels, weights: NDArray[np.float32], most: int) -> Channels:
    """Return the means of at most `most` groups of points.

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
    while len(groups) < min(most, len(points)):
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


def _table(colors: Channels) -> bytes:
    return colors.astype(np.uint8).tobytes().ljust(3 * ENTRIES, b"\0")
