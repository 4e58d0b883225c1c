"""The relief view: a surface in 3-D, with the paths on it and its contour lines on the floor."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from optiviz.kinds.run import RunScene
from optiviz.objective import Array
from optiviz.registry import Aspect
from optiviz.views import BoxConstraints, View
from optiviz.views.axes import TICK, annotate_empty, size_in_inches
from optiviz.views.legend_entries import SURFACE_ENTRIES, LegendEntry, surface_entries
from optiviz.views.paths import PathArtist, minimum_style, path_style, start_style
from optiviz.views.ramp import ramp
from optiviz.views.sampled_surface import SampledSurface
from optiviz.views.ticks import TICKS, Ticks, ticks

GRID = 61  # samples per side: a moving camera redraws all faces in every frame
TICKS_AN_INCH = 1.5  # along the view's smaller side
DRAPE = 60  # vertices of a path as long as a side of the window
UPRIGHT = 0.28  # height of the surface on the screen, as a share of the width
# Distances of paths above the surface and of the floor below it, as shares of its height.
LIFT, DEPTH = 0.02, 0.35
NAMED = 26.0  # points below the view if its axes have long names
ASIDE = 40.0  # points on the right, for the labels of the vertical axis
# A distance treated as 0, as a share of the window's side, and the largest coordinate.
NEAR, FAR = 1e-15, 1e150
MAX_RATIO = 1.8  # of the sides of a window that have the same scale unless specified
TALL = 0.62  # height of the 3-D box, as a share of its width
LIGHT = np.array([-0.55, 0.45, 0.7])  # unit vector towards the light
SHADE = 0.5  # largest share of ink that shading mixes in
ON_TOP = 9.0  # zorder above the surface, whose faces are not sorted by depth
ELEVATION, AZIMUTH = 34.0, -58.0  # degrees


class ReliefView(View):
    """The surface in relief, seen by a fixed camera, or by one that orbits it.

    matplotlib's 3-D has no true occlusion: artists are drawn in order, not by depth. So paths are
    drawn over all of the surface, slightly lifted, and a path behind a hill shines through it. A
    step is a straight line seen from above and follows the surface. Paths are cut off at the edge
    of the window.
    """

    projection = "3d"
    scene: RunScene

    @property
    def aspect(self) -> Aspect:
        """Whether x and y have the same scale."""
        asked = self.style.aspect or self.scene.surface.aspect
        (left, right), (bottom, top) = self.scene.surface.window.intervals
        ratio = (right - left) / (top - bottom)
        return asked or ("equal" if 1 / MAX_RATIO <= ratio <= MAX_RATIO else "auto")

    @property
    def constraints(self) -> BoxConstraints:
        longest = max(map(len, self.scene.surface.axis_names))
        return BoxConstraints(4.0, NAMED if longest > 1 else 24.0, (1.1, 1.1), right=ASIDE)

    @property
    def legend_entries(self) -> Sequence[LegendEntry]:
        away = SURFACE_ENTRIES["away"]  # paths are cut off
        return [each for each in surface_entries(self.scene) if each != away]

    def build(self, axes: Axes) -> None:
        self.axes: Any = axes
        sampled = SampledSurface.sample(self.scene.surface, GRID, self.style.levels, self.progress)
        self._draw_surface(sampled)
        if not sampled.values.count():
            annotate_empty(axes, self.theme)
        minima, starts = (
            self.scene.in_window(self.scene.surface.minima),
            self.scene.in_window(self.scene.starts),
        )
        self.redrawn += self.axes.plot(
            *self._lifted(minima).T, **minimum_style(self.theme, len(minima))
        )
        self.axes.plot(*self._lifted(starts).T, **start_style(self.theme) | {"zorder": ON_TOP})
        low, high = np.transpose(self.scene.surface.window.intervals)
        for entry in self.scene.entries:
            for start, path in enumerate(entry.trajectories):
                vertices, ends = draped(self.scene.drawn_points(path), low, high)
                style = path_style(self.theme, entry, start)
                self.path_artists.append(
                    PathArtist(
                        axes, self._lifted(vertices), ends[path.row_of_step], style, self.theme,
                        entry.number, self.style.trail, label=entry.label,
                        layer=self.scene.layers[path],
                        plane_proximity=self.scene.plane_proximity(path),
                    )
                )  # fmt: skip

    def update(self, step: int) -> Sequence[Artist]:
        if self.style.orbit:
            turned = self.style.orbit * step / max(self.scene.steps, 1)
            self.axes.view_init(ELEVATION, AZIMUTH + turned)
        return super().update(step)

    def _lifted(self, points: Array) -> Array:
        """Return points slightly above the surface, shape (n, 3), for points of shape (n, 2)."""
        with np.errstate(all="ignore"):
            loss = self.scene.surface.value(points) / self.scale
        return np.column_stack([points, loss + LIFT * self.height])

    def _draw_surface(self, sampled: SampledSurface) -> None:
        axes, theme = self.axes, self.theme
        (left, right), (bottom, top) = self.scene.surface.window.intervals
        known = sampled.values.compressed()
        low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
        self.scale, self.height = sampled.scale, high - low or 1.0
        floor = low - DEPTH * self.height
        axes.computed_zorder = False
        axes.set_proj_type("persp", focal_length=1.6)
        axes.view_init(ELEVATION, AZIMUTH)
        sides = np.array([right - left, top - bottom]) if self.aspect == "equal" else np.ones(2)
        axes.set_box_aspect((*sides / sides.max(), TALL), zoom=1.1)
        axes.set(xlim=(left, right), ylim=(bottom, top), zlim=(floor, high + LIFT * self.height))
        axes.set_facecolor("none")
        many = max(2, min(TICKS, round(TICKS_AN_INCH * min(size_in_inches(axes)))))
        axes.set_xticks(*_between(left, right, many))
        axes.set_yticks(*_between(bottom, top, many))
        places, said = self._upright(low * sampled.scale, high * sampled.scale, many)
        axes.set_zticks([place / sampled.scale for place in places], said)
        axes.tick_params(labelsize=0.85 * TICK, labelcolor=theme.muted, color=theme.muted, pad=1)
        names = self.scene.surface.axis_names
        for axis, label in zip((axes.xaxis, axes.yaxis, axes.zaxis), (*names, ""), strict=True):
            axis.set_label_text(label, color=theme.muted)
            axis.pane.set(visible=False)
            axis.line.set(color=theme.muted, linewidth=0.8)
            axis._axinfo["grid"].update(color=(0, 0, 0, 0))
        if not known.size:
            return
        colors = ramp(theme.ramp)
        axes.plot_surface(
            sampled.x, sampled.y, sampled.values.filled(np.nan),
            rcount=len(sampled.x), ccount=len(sampled.x), facecolors=self._faces(sampled),
            linewidth=0.4, shade=False, zorder=1,
        )  # fmt: skip
        if sampled.inner.size:
            axes.contour(
                sampled.x, sampled.y, sampled.values, sampled.inner, zdir="z", offset=floor,
                colors=[colors(share) for share in sampled.shares(sampled.inner)], linewidths=0.8,
                linestyles="solid", zorder=0,
            )  # fmt: skip

    def _upright(self, low: float, high: float, many: int) -> Ticks:
        """Return about `many` ticks of the vertical axis at most, whose labels do not overlap."""
        point = (high - low or 1.0) / (72 * UPRIGHT * size_in_inches(self.axes)[0])
        places, said = ticks(low, high, many)
        while (np.diff(places) < (TICK + 2) * point).any():
            places, said = places[::2], said[::2]
        return places, said

    def _faces(self, sampled: SampledSurface) -> Array:
        """Return the colour of each face of the grid: that of the contour view, softly shaded."""
        corners = np.ma.filled(sampled.values, np.nan)
        a, b, c, d = corners[:-1, :-1], corners[:-1, 1:], corners[1:, :-1], corners[1:, 1:]
        # Slopes on the screen, in a box as wide as it is deep.
        steep = (len(sampled.x) - 1) * TALL / self.height / 2
        slopes = np.stack([(a + c - b - d) * steep, (a + b - c - d) * steep, np.ones_like(a)])
        light = np.tensordot(LIGHT, slopes / np.linalg.norm(slopes, axis=0), axes=1)
        faces: Array = ramp(self.theme.ramp)(sampled.shares((a + b + c + d) / 4))
        # Dark ink shades faces turned away from the light; pale ink lights those turned towards it.
        ink, paper = (np.array(to_rgb(color)) for color in (self.theme.ink, self.theme.background))
        share = np.clip(light if ink.sum() > paper.sum() else 1 - light, 0, 1)
        share = SHADE * np.where(np.isfinite(share), share, 0.0)[..., None]
        faces[..., :3] = (1 - share) * faces[..., :3] + share * ink
        return faces


def _between(low: float, high: float, many: int) -> Ticks:
    """Return ticks away from the corners, where those of two axes would collide."""
    slack = 0.02 * (high - low)
    inner = [
        (place, said)
        for place, said in zip(*ticks(low, high, many), strict=True)
        if low + slack < place < high - slack
    ]
    return [place for place, _ in inner], [said for _, said in inner]


def draped(points: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """Return vertices dense enough to follow a surface, and the vertex at which each step ends.

    points has shape (n, 2); low and high, of shape (2,), are corners of the window. Returns
    vertices of shape (m, 2), nan where a step is outside the window, and indices of shape (n,).
    """
    spacing = (high - low) / DRAPE
    points = points.clip(-FAR, FAR)  # so that no length overflows
    pieces, ends = [_inside(points[:1], low, high)], [0]
    for begin, end in pairwise(points):
        first, last = _clipped(begin, end, low, high)
        if first >= last:
            piece = np.full((1, 2), np.nan)
        else:
            length = np.abs((last - first) * (end - begin) / spacing).max()
            shares = np.linspace(first, last, int(length) + 2)[1 if first == 0 else 0 :, None]
            piece = begin + shares * (end - begin)
            edge = np.full((1, 2), np.nan)
            piece = np.concatenate([edge] * int(first > 0) + [piece] + [edge] * int(last < 1))
        pieces.append(piece)
        ends.append(ends[-1] + len(piece))
    return np.concatenate(pieces), np.array(ends)


def _inside(points: Array, low: Array, high: Array) -> Array:
    inside = ((low <= points) & (points <= high)).all(axis=-1, keepdims=True)
    return np.where(inside, points, np.nan)


def _clipped(begin: Array, end: Array, low: Array, high: Array) -> tuple[float, float]:
    """Return the shares of a line at which it enters and leaves a box.

    The first is larger if the line misses the box (Liang and Barsky, 1984).
    """
    first, last = 0.0, 1.0
    for start, way, least, most in zip(begin, end - begin, low, high, strict=True):
        if abs(way) <= NEAR * (most - least):
            if not least <= start <= most:
                return 1.0, 0.0
            continue
        near, far = sorted(((least - start) / way, (most - start) / way))
        first, last = max(first, near), min(last, far)
    return first, last
