"""A height field, drawn column by column.

A column of the picture looks along a straight line over the ground (see `camera`). The surface is
sampled at slices of that line, which appear at heights p in the picture. From the front to the
back, a slice shows its upper side in those rows by which it raises the highest p so far and, below
the first p, its lower side in those rows by which it lowers the lowest p so far. So where a row
hits the surface is read off a curve that only rises: the highest p so far, or the lowest one.

Where a height is nan the surface has a hole, behind which a new segment of the line begins. Within
a segment p is continuous, so that it covers all rows between its lowest and its highest p, and what
is behind it there. Segments are painted from the last to the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from optiviz.relief.camera import PERSPECTIVE, Camera

F = np.float32
Floats = NDArray[np.float32]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]
Packed = NDArray[np.uint32]  # the four bytes of RGBA in one number
Colors = NDArray[np.uint8]  # RGBA, of shape (side, side, 4), laid over the field

BLOCK = 128  # columns that are drawn together: what they need fits into a processor's cache
THINNEST = 1e-6  # the least length of a line over the ground that counts
HALVINGS = 8  # of the distance between two slices, until the edge of a hole is known
EDGE = 4.0  # pixels from an edge beyond which it does not matter how far away that is
BYTE, LOW = np.uint32(8), np.uint32(0xFFFF)  # bits
OTHER_BYTES = np.uint32(0x00FF00FF)  # every second byte, so that sums of them have room


class Field:
    """Heights over a rectangle.

    heights has shape (rows, columns). Rows run along v and columns along u; the outer ones are at
    the edges of the rectangle, whose sides along u and v are `sides`. There is a hole where a
    height is nan or beyond bounds, and where `within`, of the same shape, is negative: the distance
    from the edge of the hole, so that this is between the points of the grid.
    """

    def __init__(
        self,
        heights: NDArray[Any],
        sides: tuple[float, float],
        bounds: tuple[float, float] = (-np.inf, np.inf),
        within: NDArray[Any] | None = None,
    ) -> None:
        self.rows, self.columns = heights.shape
        self.sides = sides
        self.low, self.high = F(bounds[0]), F(bounds[1])
        self._cells = _cells(heights.astype(F))
        self._within = None if within is None else _cells(within.astype(F))
        beyond = (heights < bounds[0]) | (heights > bounds[1]) | ~np.isfinite(heights)
        self.is_whole = within is None and not beyond.any()

    def height(self, u: NDArray[Any], v: NDArray[Any]) -> Floats:
        """Return the heights at points of the rectangle, of any shape; bilinear, nan in holes."""
        x = _in_cells(u, self.sides[0], self.columns)
        y = _in_cells(v, self.sides[1], self.rows)
        column, cell = x.astype(np.int32), y.astype(np.int32)
        x -= column
        y -= cell
        cell *= self.columns - 1
        cell += column
        found = _interpolated(self._cells, cell, x, y)
        if not self.is_whole:
            hole = (found < self.low) | (found > self.high)
            if self._within is not None:
                hole |= _interpolated(self._within, cell, x, y) < 0
            found[hole] = np.nan
        return found

    def shot(
        self, camera: Camera, size: tuple[int, int], samples: int = 2, slices: int = 320
    ) -> "Shot":
        """Return what a camera sees in a picture of size (width, height) in pixels, its units.

        Each pixel is the mean of `samples` by `samples`, which is 1, 2 or 4. slices is the number
        of samples of the surface along each line over the ground.
        """
        fine = camera.magnified(samples)
        lines = _Lines.under(fine, self.sides, samples * size[0])
        # Blocks end at whole pixels.
        begins = range(-(lines.first % samples), len(lines.u), BLOCK)
        blocks = []
        for begin in begins:
            block = lines.part(begin, begin + BLOCK)
            blocks.append((block, _segments(block.trace(self, fine, slices), self.is_whole)))
        return Shot(self.sides, fine, size, samples, lines, blocks)


def _in_cells(along: NDArray[Any], side: float, count: int) -> Floats:
    """Return places along a side in cells from its beginning, none beyond the last cell."""
    places: Floats = along.astype(F) * F((count - 1) / side)
    places += F((count - 1) / 2)
    return np.clip(places, F(0), F(count - 1.001), out=places)


def _cells(grid: Floats) -> Floats:
    """Return numbers c0 to c3 for each cell of a grid, of shape (cells, 4).

    The value in a cell is c0 + x c1 + y (c2 + x c3), with x and y from 0 to 1 within it.
    """
    first, across, up, both = grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:]
    parts = [first, across - first, up - first, first - across - up + both]
    return np.stack(parts, axis=-1).reshape(-1, 4)


def _interpolated(cells: Floats, cell: Any, x: Floats, y: Floats) -> Floats:
    """Return the values at places x, y within cells."""
    of_cell = cells.take(cell, axis=0)
    found: Floats = of_cell[..., 2] + x * of_cell[..., 3]
    found *= y
    found += of_cell[..., 0]
    found += x * of_cell[..., 1]
    return found


class _Lines(NamedTuple):
    """The lines over the ground that the columns of a picture look along, arrays of shape (n,).

    They are those of columns next to one another, of which `first` is the first. u and v are where
    a line begins and depth is how far away that is; over_u, over_v and long are what is added to
    these until its end.
    """

    first: int
    u: Floats
    v: Floats
    depth: Floats
    over_u: Floats
    over_v: Floats
    long: Floats

    @classmethod
    def under(cls, camera: Camera, sides: tuple[float, float], columns: int) -> Self:
        """Return the lines over a rectangle with these sides."""
        x = (np.arange(columns) + 0.5 - camera.x) / camera.scale
        starts = x[:, None] * camera.right  # of shape (columns, 2), where the depth is 0
        ways = camera.away + PERSPECTIVE * starts  # and for each unit of depth
        half = np.array(sides) / 2
        with np.errstate(all="ignore"):
            crossed = np.sort([(-half - starts) / ways, (half - starts) / ways], axis=0)
        near, far = np.nanmax(crossed[0], axis=1), np.nanmin(crossed[1], axis=1)
        kept = np.flatnonzero(far - near > THINNEST)
        first = int(kept[0]) if kept.size else 0
        starts, ways, near, far = (each[kept] for each in (starts, ways, near, far))
        begins, long = starts + near[:, None] * ways, far - near
        arrays = (*begins.T, near, *(long[:, None] * ways).T, long)
        return cls(first, *(np.ascontiguousarray(each, F) for each in arrays))

    def part(self, begin: int, end: int) -> Self:
        """Return the lines from one to another, by their numbers."""
        begin = max(begin, 0)
        return type(self)(self.first + begin, *(each[begin:end] for each in self[1:]))

    def trace(self, field: Field, camera: Camera, slices: int) -> Floats:
        """Return how high up in the picture each slice of each line is, (n, slices)."""
        share = np.linspace(0, 1, slices, dtype=F)
        p = self._rows(field, camera, np.s_[:, None], share)
        if not field.is_whole:
            self._add_ends(field, camera, p)
        return p

    def _rows(self, field: Field, camera: Camera, lines: Any, share: Floats) -> Floats:
        """Return how high up in the picture points are at shares of lines, by their index."""
        u = self.u[lines] + self.over_u[lines] * share
        v = self.v[lines] + self.over_v[lines] * share
        depth = self.depth[lines] + self.long[lines] * share
        by_height, by_depth = camera.rise
        p = field.height(u, v)
        p *= F(by_height)
        p += depth * F(by_depth)
        depth *= F(PERSPECTIVE / camera.scale)
        depth += F(1 / camera.scale)
        p /= depth
        p += F(camera.y)
        return p

    def _add_ends(self, field: Field, camera: Camera, p: Floats) -> None:
        """Let the outer slices in a hole stand for its edges, which are just outside of them.

        So steep slopes end where they do, not at the last slice before. A hole of one or two
        slices stays as it is.
        """
        slices = p.shape[1]
        hole = np.pad(~np.isfinite(p), ((0, 0), (2, 2)), constant_values=True)
        here = hole[:, 2:-2]
        before = here & ~hole[:, 1:-3] & hole[:, 3:-1] & hole[:, 4:]
        behind = here & ~hole[:, 3:-1] & hole[:, 1:-3] & hole[:, :-4]
        line, end = np.nonzero(before | behind)
        beside = end + np.where(before[line, end], -1, 1)
        inside, outside = beside / F(slices - 1), end / F(slices - 1)
        rows = p[line, beside]
        for _ in range(HALVINGS):
            middle = ((inside + outside) / 2).astype(F)
            found = self._rows(field, camera, line, middle)
            there = np.isfinite(found)
            inside, outside = np.where(there, middle, inside), np.where(there, outside, middle)
            rows = np.where(there, found, rows)
        p[line, end] = rows


@dataclass(frozen=True, eq=False)
class _Segment:
    """Slices of some lines, from a first to a last one, between which the surface has no hole.

    lines are the numbers of the lines within their block, rising; first and last have their shape
    (n,). p and the highest p up to each slice have shape (n, slices). All slices before the first
    are as that one, and all behind the last are as that.
    """

    lines: Ints
    first: Ints
    last: Ints
    p: Floats
    highest: Floats

    @classmethod
    def of(cls, lines: Ints, first: Ints, last: Ints, p: Floats) -> Self:
        """Return a segment of slices at p."""
        return cls(lines, first, last, p, np.maximum.accumulate(p, axis=1))

    @cached_property
    def lowest(self) -> Floats:
        """The lowest p up to each slice."""
        return np.minimum.accumulate(self.p, axis=1)

    @property
    def shows_below(self) -> bool:
        """Whether any line sees the lower side."""
        return bool((self.p.min(axis=1) < self.p[:, 0]).any())


def _segments(p: Floats, whole: bool) -> list[_Segment]:
    """Return the segments of lines whose slices have heights p, the nearest of each line first."""
    slices = p.shape[1]
    if whole:
        lines = np.arange(len(p))
        return [_Segment.of(lines, np.zeros_like(lines), np.full_like(lines, slices - 1), p)]
    known = np.pad(np.isfinite(p), ((0, 0), (1, 1)))
    changes = np.diff(known.astype(np.int8), axis=1)
    lines, first = np.nonzero(changes > 0)
    _, behind = np.nonzero(changes < 0)
    nth = np.arange(len(lines)) - np.searchsorted(lines, lines)  # segment of its line
    found = []
    for number in range(nth.max(initial=-1) + 1):
        own = nth == number
        begin, end = first[own], behind[own] - 1
        held = np.clip(np.arange(slices), begin[:, None], end[:, None])
        part = np.take_along_axis(p[lines[own]], held, axis=1)
        found.append(_Segment.of(lines[own], begin, end, part))
    return found


def _paint(
    image: Packed, segment: _Segment, below: bool, lines: _Lines, texture: Packed, shot: "Shot"
) -> None:
    """Paint one side of the surface where it is seen; image has shape (columns, rows)."""
    reached = segment.lowest if below else segment.highest
    many, slices = reached.shape
    rows = image.shape[1]
    # Rows are painted whose middle is between the first p and the last of those reached.
    begins, ends = (np.clip(np.round(reached[:, at]), 0, rows).astype(np.intp) for at in (0, -1))
    counts = np.abs(ends - begins)
    until = np.cumsum(counts)
    if not until[-1]:
        return
    number = np.arange(until[-1])  # of a pixel, line by line
    up = -1 if below else 1
    row = np.repeat(begins - below - up * (until - counts), counts) + up * number
    # Curves that rise, one above the other, are one curve, which one interpolation reads off.
    apart = np.arange(many) * (float(np.ptp(reached)) + 1.0)
    curve = (up * reached + apart[:, None]).ravel()
    middle = up * (row + 0.5) + np.repeat(apart, counts)
    slice_ = np.interp(middle, curve, np.arange(many * slices, dtype=float))
    slice_ -= np.repeat(slices * np.arange(many, dtype=float), counts)
    share = slice_.astype(F) / F(slices - 1)
    side = len(texture)
    wide, deep = shot.sides
    texel = _texels(lines.v, lines.over_v, deep, segment.lines, counts, share, side)
    texel *= side
    texel += _texels(lines.u, lines.over_u, wide, segment.lines, counts, share, side)
    at = row + np.repeat(rows * segment.lines, counts)
    image.reshape(-1)[at] = texture.reshape(-1).take(texel)


def _texels(
    begin: Floats, over: Floats, side: float, lines: Ints, counts: Ints, share: Floats, texels: int
) -> NDArray[np.int32]:
    """Return the texels, along one side of the field, at shares of the way along each line."""
    scale = F(texels / side)
    place = np.repeat(over[lines] * scale, counts)
    place *= share
    place += np.repeat(begin[lines] * scale + F(texels / 2), counts)
    return np.clip(place, F(0), F(texels - 1), out=place).astype(np.int32)


def _averaged(drawn: Packed, samples: int) -> Packed:
    """Return the means of squares of samples, which are opaque or empty.

    The colours are those of the opaque samples, not multiplied by their share, which is the alpha.
    """
    if samples == 1:
        return drawn
    sums = [_sums(drawn & OTHER_BYTES, samples), _sums(drawn >> BYTE & OTHER_BYTES, samples)]
    shift = np.uint32(2 * (samples.bit_length() - 1))
    mean: Packed = (sums[0] >> shift & OTHER_BYTES) | (sums[1] >> shift & OTHER_BYTES) << BYTE
    opaque = sums[1] >> 2 * BYTE
    partly = (opaque != 0) & (opaque != 255 * samples**2)
    red_blue, green_alpha = (each[partly] for each in sums)
    alpha = green_alpha >> 2 * BYTE
    inside = alpha // np.uint32(255)
    red, blue = (red_blue & LOW) // inside, (red_blue >> 2 * BYTE) // inside
    green = (green_alpha & LOW) // inside
    mean[partly] = red | green << BYTE | blue << 2 * BYTE | (alpha >> shift) << 3 * BYTE
    return mean


def _sums(values: Packed, samples: int) -> Packed:
    """Return the sums of squares of values."""
    while samples > 1:
        values = values[0::2] + values[1::2]
        values = values[:, 0::2] + values[:, 1::2]
        samples //= 2
    return values


@dataclass(frozen=True, eq=False)
class Shot:
    """What a camera sees of a field, in a picture of size (width, height)."""

    sides: tuple[float, float]
    camera: Camera  # whose units are samples
    size: tuple[int, int]
    samples: int
    lines: _Lines
    blocks: Sequence[tuple[_Lines, Sequence[_Segment]]]

    def paint(self, above: Colors, below: Colors) -> Colors:
        """Return the picture, RGBA of shape (height, width, 4) with the lowest row first.

        above and below are the opaque colours of the upper and the lower side of the surface; they
        are laid over the field. Where there is no surface the picture is transparent.
        """
        width, height = self.size
        image = np.zeros((width, height), np.uint32)
        textures = [np.ascontiguousarray(each).view(np.uint32)[..., 0] for each in (above, below)]
        for lines, segments in self.blocks:
            margin = lines.first % self.samples  # columns of the first pixel that have no line
            columns = -(-(margin + len(lines.u)) // self.samples) * self.samples
            drawn = np.zeros((columns, self.samples * height), np.uint32)
            for segment in reversed(segments):
                for side in range(1 + segment.shows_below):
                    _paint(drawn[margin:], segment, bool(side), lines, textures[side], self)
            left = lines.first // self.samples
            image[left : left + columns // self.samples] = _averaged(drawn, self.samples)
        return np.ascontiguousarray(image.T).view(np.uint8).reshape(height, width, 4)

    @property
    def below_share(self) -> float:
        """The share of the picture of the surface that shows its lower side."""
        below = total = 0.0
        for _, segments in self.blocks:
            for each in segments:
                below += float((each.p[:, 0] - each.lowest[:, -1]).sum())
                total += float((each.highest[:, -1] - each.lowest[:, -1]).sum())
        return below / total if total else 0.0

    def seen(self, points: NDArray[Any], slack: float = 0.5) -> Bools:
        """Return whether points (u, v, w), of shape (n, 3), are not behind the surface.

        They are on the surface or outside of it. One is seen as long as it is less than `slack`
        pixels within what hides it.
        """
        seen = np.zeros(len(points), bool)
        if not len(self.lines.u):
            return seen
        x, y, depth = self.camera.project(points)
        known = np.isfinite(y)
        x, y, depth = x[known], y[known], depth[known]
        # Between the middles of two columns counts what lies between what they cover.
        column = np.floor(x - 0.5).astype(np.intp)
        cover = [self._cover(each - self.lines.first, depth, y) for each in (column, column + 1)]
        share = x - 0.5 - column
        seen[known] = cover[0] + share * (cover[1] - cover[0]) <= slack * self.samples
        return seen

    def _cover(self, line: Ints, depth: Any, y: Any) -> Any:
        """Return by how many rows the surface covers points behind lines, within a few.

        It covers what is behind a segment between its lowest and its highest row, and what nearer
        slices of the same segment cover. The result is negative where a point is not covered.
        """
        line = np.clip(line, 0, len(self.lines.u) - 1)
        share = (depth - self.lines.depth[line]) / self.lines.long[line]
        found = np.full(len(line), -np.inf)
        for segment in self._whole_segments:
            slices = segment.p.shape[1]
            at = np.clip(share * (slices - 1), 0, slices - 1).astype(np.intp)
            own = np.searchsorted(segment.lines, line).clip(0, len(segment.lines) - 1)
            covered = segment.highest[own, at] - y
            behind = at > segment.last[own]
            if behind.any():
                beneath = y - segment.lowest[own, at]
                covered = np.where(behind, np.minimum(covered, beneath), covered)
            before = (segment.lines[own] != line) | (at < segment.first[own])
            found = np.maximum(found, np.where(before, -np.inf, covered))
        return np.clip(found, -EDGE * self.samples, EDGE * self.samples)

    @cached_property
    def _whole_segments(self) -> list[_Segment]:
        """The segments of all blocks together, those that come first in their lines first."""
        begins = np.cumsum([0, *(len(lines.u) for lines, _ in self.blocks)])
        merged = []
        for number in range(max((len(segments) for _, segments in self.blocks), default=0)):
            parts = [
                (begin, segments[number])
                for begin, (_, segments) in zip(begins[:-1], self.blocks, strict=True)
                if number < len(segments)
            ]
            lines = np.concatenate([begin + part.lines for begin, part in parts])
            arrays = (
                np.concatenate([getattr(part, name) for _, part in parts])
                for name in ("first", "last", "p", "highest")
            )
            merged.append(_Segment(lines, *arrays))
        return merged
