"""The surface of a relief: its heights in the box, its edges, its contour lines, its colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any, NamedTuple

import contourpy
import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array
from optiviz.registry import Height
from optiviz.relief.camera import Camera
from optiviz.relief.field import Bools, Colors, Field
from optiviz.relief.light import Coat, shade
from optiviz.relief.resampling import between
from optiviz.relief.viewpoint import best_camera
from optiviz.surfaces.surface import Surface
from optiviz.views.heights import Heights
from optiviz.views.ramp import SHADES, ramp
from optiviz.views.sampled_surface import SampledSurface

GRID = 321  # samples per side
COARSE = 161  # samples per side below which heights are resampled, so that no facets are seen
TEXELS = 512  # per side of the colours
TALL = 0.6  # height of the surface; the longer side of the box is 1
LIFT = 0.004  # of paths above the surface
CLOSER, GROWTH = 17, 1.5  # points per side that a pole is sought in, and how much it grows
HALVINGS = 12  # of the distance to an edge of the surface, until it is known
LEAST = 0.05  # the least share of a cell, so that no height beyond an edge is far away
JUST = 0.02  # cells within an edge of the surface at which it is drawn
LEVELS_APART, FEWEST = 0.012, 4  # mean distance between contour lines, and the fewest levels
CRUMB = 0.015  # size of a closed contour line below which it is only a speck


Index = tuple[NDArray[np.intp], NDArray[np.intp]]  # of points of a grid: rows and columns


class Edge(NamedTuple):
    """Where a surface ends between a point of the grid that has a value and one that has not.

    inside and outside are indices, each two arrays of shape (n,); share is how far from the one to
    the other the surface goes, and value what it is there.
    """

    inside: Index
    outside: Index
    share: Array
    value: Array


@dataclass(frozen=True, eq=False)
class ReliefSurface:
    """A sampled surface in a box with these sides."""

    surface: Surface
    sampled: SampledSurface
    sides: tuple[float, float]
    height: Height | None

    @cached_property
    def heights(self) -> Heights:
        """How values become heights."""
        found = Heights.for_values(self.sampled.values, self.height, self._grows)
        return found.with_ends(self.edge.value)

    @cached_property
    def edge(self) -> Edge:
        """Where the surface ends inside of the window."""
        known = ~np.ma.getmaskarray(self.sampled.values)
        inside, outside = _ends(known)
        points = np.stack([self.sampled.x, self.sampled.y], axis=-1)
        here, there = points[inside], points[outside]
        share, value = np.zeros(len(here)), self.sampled.values.data[inside]
        sought = len(here) and not self.surface.learns  # which would take longer than the grid
        for halving in 0.5 ** np.arange(1, HALVINGS + 1) if sought else ():
            with np.errstate(all="ignore"):
                tried = self.surface.value(here + (share + halving)[:, None] * (there - here))
            goes_on = np.isfinite(tried)
            share, value = (
                share + halving * goes_on,
                np.where(goes_on, self.sampled.value(tried), value),
            )
        return Edge(inside, outside, share, value)

    @cached_property
    def grids(self) -> tuple[Array, Array | None]:
        """The heights in the box, and the distance within its edges in cells; None if it has none.

        Both have the shape of the grid. Beyond an edge, heights go on as they would have to so
        that the edge is where it is.
        """
        grid = self.heights.of(self.sampled.values.filled(np.nan)) * TALL
        edge = self.edge
        ends = self.heights.of(edge.value) * TALL
        with np.errstate(invalid="ignore"):
            low, high = grid < 0, grid > TALL
        np.logical_or.at(low, edge.outside, ends < 0)
        np.logical_or.at(high, edge.outside, ends > TALL)
        torn = _torn(low, high)
        known = np.isfinite(grid) & ~torn
        if known.all():
            count = len(grid)
            if count < COARSE:
                matrix = between(count, (count - 1) * -(-COARSE // (count - 1)) + 1)
                grid = np.clip(matrix @ grid @ matrix.T, 0, TALL)
            return grid, None
        within = np.where(known, 1.0, -1.0)
        share = np.clip(edge.share, LEAST, 1 - LEAST)
        np.minimum.at(within, edge.inside, share)
        np.maximum.at(within, edge.outside, share - 1)
        inside = grid[edge.inside]
        total, weight = np.zeros(grid.shape), np.zeros(grid.shape)
        # That is inside + (ends - inside) / share, and counts the more the farther the edge is.
        np.add.at(total, edge.outside, inside * share + ends - inside)
        np.add.at(weight, edge.outside, share)
        grid = np.where(weight > 0, total / np.maximum(weight, LEAST), grid)
        within[torn] = -1.0
        return _filled(grid), within

    @cached_property
    def field(self) -> Field:
        """The surface as it is drawn."""
        grid, within = self.grids
        return Field(grid, self.sides, (0.0, TALL), within)

    @cached_property
    def _distance(self) -> Field:
        """The distance within an edge, as if it were a height."""
        return Field(np.asarray(self.grids[1]), self.sides)

    def _ground(self, points: Array) -> Array:
        """Return points (x, y) as points (u, v) of the box."""
        low, high = np.transpose(self.surface.window.intervals)
        ground: Array = ((points - low) / (high - low) - 0.5) * self.sides
        return ground

    def tips(self, points: Array) -> tuple[Array, Bools]:
        """Return where heads at points (x, y) stand, shape (n, 3), and whether that is elsewhere.

        One off the surface stands at its edge or, where the surface is cut off, at the end of the
        box.
        """
        low, high = np.transpose(self.surface.window.intervals)
        ground = self._ground(points.clip(low, high))
        height = self._unbounded.height(*ground.T).clip(0, TALL) + LIFT
        away = (points < low).any(axis=1) | (points > high).any(axis=1)
        away |= np.isnan(self.field.height(*ground.T))
        return np.column_stack([ground, height]), away

    @cached_property
    def _unbounded(self) -> Field:
        """The surface as it goes on where it is cut off."""
        return Field(self.grids[0], self.sides)

    def in_world(self, points: Array) -> Array:
        """Return points (x, y), of shape (n, 2), slightly above the surface, nan off it."""
        ground = self._ground(points)
        inside = (np.abs(ground) <= np.array(self.sides) / 2 * (1 + 1e-9)).all(axis=-1)
        height = np.full(len(ground), np.nan)
        height[inside] = self.field.height(*ground[inside].T) + LIFT
        ground[~np.isfinite(height)] = np.nan
        return np.column_stack([ground, height])

    def best_camera(self, paths: Sequence[Array], minima: Array, turn: float) -> Camera:
        """Return the camera that hides least of paths and minima, points of shape (n, 2)."""
        drawn = [np.concatenate([self.in_world(path), self.tips(path[-1:])[0]]) for path in paths]
        return best_camera(self.field, drawn, self.in_world(minima), turn)

    @cached_property
    def isolines(self) -> list[tuple[float, Array]]:
        """The contour lines: their place in the ramp, and points of shape (n, 3), nan between."""
        heights, sampled = self.heights, self.sampled
        levels = sampled.inner[(sampled.inner > heights.low) & (sampled.inner < heights.high)]
        stride = 2 if len(self.grids[0]) >= 2 * COARSE - 1 else 1  # as many vertices as are seen
        lines = _lines(self.grids[0], self.sides, stride)
        found = [
            (float(share), without_crumbs(self._on_surface(lines(float(height) * TALL))))
            for share, height in zip(sampled.shares(levels), heights.of(levels), strict=True)
        ]
        long = sum(float(np.nansum(np.hypot(*np.diff(each[:, :2], axis=0).T))) for _, each in found)
        area = self.sides[0] * self.sides[1]
        stride = ceil(min(LEVELS_APART * long / area, max(len(found) / FEWEST, 1)))
        return found[stride // 2 :: max(stride, 1)]

    @cached_property
    def rim(self) -> Array:
        """The edges of the surface as lines, points of shape (n, 3), nan between them."""
        grid, within = self.grids
        count = len(grid)
        across, up = (np.linspace(-side / 2, side / 2, count) for side in self.sides)
        wide, deep = (np.full(count, side / 2) for side in self.sides)
        sides = [(across, -deep), (across, deep), (-wide, up), (wide, up)]
        found = [self._on_surface(np.column_stack([*line, np.zeros(count)])) for line in sides]
        lines = _lines(grid, self.sides, 1)
        for cut, height in zip(self.heights.is_cut, (0.0, TALL), strict=True):
            if cut:
                points = lines(height)
                if within is not None:
                    points[self._distance.height(*np.nan_to_num(points[:, :2]).T) < 0] = np.nan
                found.append(points)
        if within is not None:
            found.append(self._on_surface(_lines(within, self.sides, 1)(JUST)))
        return joined(found)

    def _on_surface(self, points: Array) -> Array:
        """Return points of the ground on the surface, nan where there is none."""
        found = points.copy()
        found[:, 2] = self.field.height(*np.nan_to_num(points[:, :2]).T)
        found[np.isnan(points[:, 0]) | np.isnan(found[:, 2])] = np.nan
        return found

    def colors(
        self, theme_ramp: tuple[str, ...], coats: Sequence[Coat] = ()
    ) -> tuple[Colors, Colors]:
        """Return the colours of the upper and the lower side, which coats may cover."""
        sampled = self.sampled
        shares = _filled(sampled.shares(sampled.values.filled(np.nan)))
        grid = np.clip(self.grids[0], 0, TALL)
        if grid.shape != shares.shape:
            matrix = between(len(shares), len(grid))
            shares = matrix @ shares @ matrix.T
        table = ramp(theme_ramp)(np.arange(SHADES))[:, :3]
        return shade(grid, self.sides, shares, table, TEXELS, coats)

    def _grows(self, values: Any, above: bool) -> bool:
        """Return whether the surface has a pole at its highest, or lowest, point on the grid.

        At a pole it has no value, or goes on growing where it is looked at more closely.
        """
        sampled = self.sampled
        at = np.unravel_index(values.argmax() if above else values.argmin(), values.shape)
        low, high = np.transpose(self.surface.window.intervals)
        around = np.linspace(-1, 1, CLOSER)
        steps = np.stack(np.meshgrid(around, around), axis=-1).reshape(-1, 2)
        near = np.array([sampled.x[at], sampled.y[at]]) + steps * (high - low) / (len(values) - 1)
        with np.errstate(all="ignore"):
            found = sampled.value(self.surface.value(near.clip(low, high)))
        if not np.isfinite(found).all():
            return True
        middle = float(np.median(values.compressed()))
        most = found.max() if above else found.min()
        return bool(abs(most - middle) > GROWTH * abs(values[at] - middle))


def without_crumbs(points: Array) -> Array:
    """Return lines, points of shape (n, 3) with nan between them, without very short ones."""
    if not len(points):
        return points
    ends = np.flatnonzero(np.isnan(points[:, 0]))
    kept = [
        piece
        for piece in np.split(points, ends)
        if len(piece) > 2 and np.nanmax(np.ptp(piece[1:, :2], axis=0)) >= CRUMB
    ]
    return np.concatenate(kept) if kept else points[:0]


def joined(lines: Sequence[Array]) -> Array:
    """Return lines, all of shape (m, 2) or (m, 3), as one with nan between them."""
    gap = np.full((1, lines[0].shape[1] if lines else 3), np.nan)
    return np.concatenate([gap, *(each for line in lines for each in (line, gap))])


def _lines(grid: Array, sides: tuple[float, float], stride: int) -> Any:
    """Return a function of a height that returns contour lines, points of shape (n, 3)."""
    u, v = (np.linspace(-side / 2, side / 2, len(grid))[::stride] for side in sides)
    generator = contourpy.contour_generator(
        u, v, grid[::stride, ::stride], line_type=contourpy.LineType.ChunkCombinedNan
    )

    def lines(height: float) -> Array:
        found: Any = generator.lines(height)
        points = np.zeros((0, 2)) if found[0][0] is None else found[0][0]
        return np.column_stack([points, np.full(len(points), height)])

    return lines


def _ends(known: Bools) -> tuple[Index, Index]:
    """Return the points of a grid that are known and, of each, a neighbour that is not."""
    inside, outside = [], []
    for step in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        beside = np.roll(np.pad(known, 1, constant_values=True), np.negative(step), (0, 1))
        found = np.argwhere(known & ~beside[1:-1, 1:-1])
        inside.append(found)
        outside.append(found + step)
    first, second = (np.concatenate(each).T for each in (inside, outside))
    return (first[0], first[1]), (second[0], second[1])


def _torn(low: Bools, high: Bools) -> Bools:
    """Return which points of a grid are near a cell that reaches from beneath the box above it."""

    def cells(points: Bools) -> Bools:
        return points[:-1, :-1] | points[:-1, 1:] | points[1:, :-1] | points[1:, 1:]

    torn = cells(low) & cells(high)
    return cells(cells(np.pad(cells(np.pad(torn, 1)), 1)))  # one more point in each direction


def _filled(grid: Array) -> Array:
    """Return a grid in which the last known value of its row or column stands for nan."""
    filled = grid.copy()
    for _ in range(2):
        for _ in range(2):
            known = np.isfinite(filled)
            last = np.maximum.accumulate(np.where(known, np.arange(filled.shape[1]), 0), axis=1)
            filled = np.take_along_axis(filled, last, axis=1)[:, ::-1]
        filled = filled.T
    return np.nan_to_num(filled)
