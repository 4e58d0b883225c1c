"""The contour view: filled contours and contour lines of a surface, with the paths on top."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.contour import ContourSet
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

from optiviz.kinds.run_scene import RunScene
from optiviz.kinds.style import Style
from optiviz.objective import Array
from optiviz.themes import Theme
from optiviz.views.apart import set_apart
from optiviz.views.axes import annotate_empty, size_in_inches
from optiviz.views.eigenvectors import LONGEST, EigenvectorArtist
from optiviz.views.gradients import GradientArtist
from optiviz.views.ground import ISOLINE, draw_bands, draw_held_line, draw_lit_lines
from optiviz.views.legend_entries import LegendEntry, slope_entries, surface_entries
from optiviz.views.paths import PathArtist, draw_anchors, minimum_style, path_style, start_style
from optiviz.views.plane import PlaneView
from optiviz.views.ramp import ramp
from optiviz.views.region import Shading, draw_shading, shadings
from optiviz.views.sampled_surface import SampledSurface
from optiviz.views.scales import plain
from optiviz.views.sketches import SketchArtist
from optiviz.views.streamlines import streamlines
from optiviz.views.ticks import signed

GRID = 321  # samples per side: eight per wave of ripple, the finest surface
# Arrows of the gradient field: the most along the longer side, and the least spacing in inches.
ARROWS, APART = 17, 0.24
# Of streamlines: the spacing as a share of the longer side, the widths in points where it is flat
# and where it is steep, and the length of an arrow in inches.
SPACING, STREAM, BARB = 1 / 24, (0.45, 1.3), 0.055
# A side in points below which there are fewer bands, and lines are finer by this factor.
SMALL, FEW_BANDS, FINE = 260.0, 16, 0.8
LABELLED = 2.2  # labelled contour lines per inch
FIELD, LABEL = 2.2, 2.3  # zorders


class ContourView(PlaneView):
    """The contour view of a surface in two dimensions.

    A path that leaves the window is cut off at the edge. While it is outside, a triangle at the
    edge shows where.

    With a field of arrows, these point down the gradient. An arrow is g / (g + the median g) long,
    where g is the length of the gradient, so that slopes of very different size are visible
    together. Streamlines are as much wider where it is steep.
    """

    scene: RunScene

    def __init__(self, scene: RunScene, theme: Theme, style: Style) -> None:
        super().__init__(scene, theme, style)
        self.fill = theme.fill if style.fill is None else style.fill
        self.writes_losses = theme.labels if style.labels is None else style.labels

    @property
    def legend_entries(self) -> Sequence[LegendEntry]:
        known = surface_entries(self.scene, self.style.eigenvectors)
        if self.style.gradients and self.scene.entries:
            known += slope_entries(self.scene.surface.feasible_set is not None)
        return [*known, *(each.mark for each in self.shadings)]

    @cached_property
    def shadings(self) -> list[Shading]:
        """The sets that are shaded."""
        return shadings(self.scene.surface, self.style, flat=not self.fill)

    def build(self, axes: Axes) -> None:
        self.style_plane(axes)
        self._draw_surface(axes)
        if self.style.field == "arrows":
            self._draw_arrows(axes)
        minima = self.scene.in_window(self.scene.minima)
        self.redrawn += axes.plot(*minima.T, **minimum_style(self.theme, len(minima)))
        axes.plot(*self.scene.in_window(self.scene.starts).T, **start_style(self.theme))
        draw_anchors(axes, self.theme, *self.scene.anchors_in_window)
        window = self.scene.surface.window.intervals
        units = 72 * np.divide(size_in_inches(axes), np.ptp(window, axis=1))
        for entry in self.scene.entries:
            for start, path in enumerate(entry.trajectories):
                style = path_style(self.theme, entry, start)
                if self.style.eigenvectors:
                    self.path_artists.append(
                        EigenvectorArtist(axes, self.scene, path, style, self.theme, units, LONGEST)
                    )
                if self.style.gradients:
                    self.path_artists.append(
                        GradientArtist(axes, self.scene, path, style, self.theme, units)
                    )
                if any(path.sketches):
                    self.path_artists.append(
                        SketchArtist(
                            axes,
                            path,
                            style,
                            self.theme,
                            window,
                            self.scene.trail(path, self.style.trail),
                        )
                    )
                self.path_artists.append(
                    PathArtist(
                        axes, self.scene.drawn_points(path), path.row_of_step, style, self.theme,
                        entry.number, self.scene.trail(path, self.style.trail), label=entry.label,
                        plane_proximity=self.scene.plane_proximity(path),
                        window=self.scene.surface.window.intervals,
                        layer=self.scene.layers[path],
                        faded=self.scene.fades(path, self.style.trail),
                    )
                )  # fmt: skip
        set_apart(axes, [each for each in self.path_artists if isinstance(each, PathArtist)])

    def _draw_surface(self, axes: Axes) -> None:
        levels = self.style.levels
        small = 72 * min(size_in_inches(axes)) < SMALL
        if levels is None and small and not self.scene.surface.levels:
            levels = FEW_BANDS
        sampled = SampledSurface.sample(
            self.scene.surface, GRID, levels, self.progress, self.scene.temperature
        )
        self.remarks = sampled.remarks
        if not sampled.values.count():
            annotate_empty(axes, self.theme)
            return
        colors = ramp(self.theme.ramp)
        if self.fill:
            draw_bands(axes, sampled, colors)
        for each in self.shadings:
            self.remarks += draw_shading(axes, each, self.theme, sampled if self.fill else None)
        if self.scene.held_level is not None:
            draw_held_line(axes, sampled, self.scene.held_level, self.theme)
        if not sampled.inner.size:
            return
        colored = [colors(share) for share in sampled.shares(sampled.inner)]
        if self.style.field == "stream":
            losses = sampled
            if sampled.density is not None:
                losses = SampledSurface.sample(self.scene.surface, GRID, levels, self.progress)
            self._draw_streamlines(axes, losses)
        lines = axes.contour(
            sampled.x, sampled.y, sampled.values, sampled.inner, linestyles="solid",
            colors=self.theme.isoline or colored, linewidths=0.9 if self.writes_losses else 0.6,
            alpha=0.9, zorder=ISOLINE,
        )  # fmt: skip
        if self.writes_losses:
            self._label(axes, lines, sampled)
        if self.fill:
            draw_lit_lines(axes, lines, self.theme, FINE if small else 1.0)
            lines.labelTexts.clear()  # which would be removed along with the lines
            lines.remove()

    def _label(self, axes: Axes, lines: ContourSet, sampled: SampledSurface) -> None:
        """Label some of the contour lines with their loss, in as many digits as tell them apart."""
        many = max(2, int(LABELLED * min(size_in_inches(axes))))
        stride = -(-len(sampled.inner) // many)
        shown = sampled.inner[::stride]
        written = dict(zip(shown, short(shown * sampled.scale), strict=True))
        style: dict[str, Any] = {"fmt": written, "fontsize": 9}
        kept: list[Bbox] = []
        places = []
        for label in list(axes.clabel(lines, shown, inline=False, **style)):
            box = label.get_window_extent()
            inside = axes.bbox.x0 < box.x0 < box.x1 < axes.bbox.x1
            inside &= axes.bbox.y0 < box.y0 < box.y1 < axes.bbox.y1
            if inside and not any(box.overlaps(other) for other in kept):
                kept.append(box)
                places.append(label.get_position())
            label.remove()
        lines.labelTexts.clear()
        # Lines are only broken now, so that none has a gap without a label. All levels are passed,
        # because matplotlib 3.10 looks up the label by the index of the level.
        labels = axes.clabel(lines, inline_spacing=3, manual=places, **style)
        halo = self.theme.ramp[len(self.theme.ramp) // 2] if self.fill else self.theme.background
        for label in labels:
            label.set(color=self.theme.muted, zorder=LABEL, clip_on=True)
            label.set_path_effects([withStroke(linewidth=2.0, foreground=halo)])

    def _draw_arrows(self, axes: Axes) -> None:
        """Draw arrows along the negative gradient, one in the middle of each cell of a grid."""
        (left, right), (bottom, top) = self.scene.surface.window.intervals
        width, height = size_in_inches(axes)
        side = max(max(width, height) / ARROWS, APART)
        middles = [
            low + (high - low) * (np.arange(count) + 0.5) / count
            for low, high, count in (
                (left, right, max(1, round(width / side))),
                (bottom, top, max(1, round(height / side))),
            )
        ]
        places = np.stack(np.meshgrid(*middles), axis=-1).reshape(-1, 2)
        with np.errstate(all="ignore"):
            # The direction on the screen, where x and y may have different scales.
            down = -self.scene.surface.gradient(places)
            seen = down * np.divide((width, height), (right - left, top - bottom))
            length = np.hypot(*down.T)
            if not np.isfinite(length).any():
                return
            share = length / (length + np.median(length[np.isfinite(length)]))
            arrows = seen * (share / np.hypot(*seen.T))[:, None]
        known = np.isfinite(arrows).all(axis=-1)
        axes.quiver(
            *places[known].T, *arrows[known].T, color=self.theme.muted, alpha=0.75, zorder=FIELD,
            units="inches", scale_units="inches", scale=1 / (0.92 * side), width=side / 20,
            angles="uv", pivot="mid", headwidth=4.5, headlength=5, headaxislength=4.4,
            minlength=0.5,
        )  # fmt: skip

    def _draw_streamlines(self, axes: Axes, sampled: SampledSurface) -> None:
        """Draw lines along the negative gradient of the sampled surface, each with an arrow."""
        low, high = np.transpose(self.scene.surface.window.intervals)
        sides = np.array(size_in_inches(axes))
        inches = sides / (high - low)  # per unit of x and of y
        last = len(sampled.values) - 1
        rises = np.gradient(sampled.values.filled(np.nan), *(high - low)[::-1] / last)
        down = -np.stack(rises[::-1], axis=-1)

        def slope(points: Array) -> Array:
            at = points / sides * last
            cells = np.nan_to_num(at).astype(int).clip(0, last - 1)
            column, row = cells.T
            x, y = (at - cells).T[..., None]
            lower = (1 - x) * down[row, column] + x * down[row, column + 1]
            upper = (1 - x) * down[row + 1, column] + x * down[row + 1, column + 1]
            return np.asarray((1 - y) * lower + y * upper)

        spacing = max(SPACING * max(sides), APART)
        lines = streamlines(lambda points: slope(points) * inches, sides, spacing)
        steep = np.hypot(*down.reshape(-1, 2).T)
        median = np.nanmedian(steep) if np.isfinite(steep).any() else 1.0
        pieces, widths, tips, ways = [], [], [], []
        for line in lines:
            length = np.hypot(*slope(line).T)
            share = np.nan_to_num(length / (length + median))
            pieces.append(np.stack([line[:-1], line[1:]], axis=1))
            widths.append(STREAM[0] + (STREAM[1] - STREAM[0]) * (share[:-1] + share[1:]) / 2)
            middle = len(line) // 2
            tips.append(line[middle])
            ways.append(line[middle + 1] - line[middle - 1])
        if not lines:
            return
        look: dict[str, Any] = {"color": self.theme.muted, "alpha": 0.7, "zorder": FIELD}
        axes.add_collection(
            LineCollection(
                low + np.concatenate(pieces) / inches, linewidths=np.concatenate(widths),
                capstyle="round", **look,
            ),
            autolim=False,
        )  # fmt: skip
        along = np.array(ways) / np.hypot(*np.transpose(ways))[:, None]
        across = along[:, ::-1] * (-1, 1)
        corners = [
            (BARB, 0.0),
            (-0.7 * BARB, 0.7 * BARB),
            (-0.35 * BARB, 0.0),
            (-0.7 * BARB, -0.7 * BARB),
        ]
        barbs = np.stack([tips + a * along + b * across for a, b in corners], axis=1)
        axes.add_collection(
            PolyCollection(low + barbs / inches, linewidths=0, **look), autolim=False
        )


def short(levels: Array) -> list[str]:
    """Format levels in as few digits as tell them apart, each within 2% of its value.

    levels has shape (n,). There is one label per level.
    """
    for digits in range(1, 17):
        written = [f"{level:.{digits}g}" for level in levels]
        close = np.allclose([float(each) for each in written], levels, rtol=0.02, atol=0)
        if len(set(written)) == len(written) and close:
            break
    return [
        plain(float(each)) if 1e-3 <= abs(float(each)) < 1e4 else signed(each) for each in written
    ]
