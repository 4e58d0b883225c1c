"""Sets of a surface, shaded: where a condition holds, and a veil over what is infeasible."""

from collections.abc import Sized
from functools import cache, partial
from typing import Any, Literal, NamedTuple

import contourpy
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, ListedColormap, to_hex
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke

from optiviz.kinds.style import Style
from optiviz.objective import Array
from optiviz.relief.light import Coat
from optiviz.surfaces.region import Bools, Region, region_where
from optiviz.surfaces.surface import Surface
from optiviz.themes import Theme
from optiviz.themes.colors import from_oklab, oklab, rgb
from optiviz.views.ground import draw_bands
from optiviz.views.legend_entries import LegendEntry
from optiviz.views.ramp import SHADES, ramp
from optiviz.views.sampled_surface import SampledSurface

GRID, LINE = 641, 2001  # points per side at which a set is looked for, and along a line
HALVINGS = 14  # of the distance between two of them, until its edge is known
SHADE, EDGE = 1.2, 1.6  # zorders: above the bands beneath contour lines, and above these
WIDTH, CASED = 1.4, 0.9  # points: of an edge, and of the casing on either side
MARK = 10.0  # points: of a sample in the legend

VIVID = 0.06  # chroma of a set in OKLab
TURN = np.exp(1j * np.radians(60))  # from the hue of the ground to that of a set
FALLBACK = -1j  # the hue of a ground in greys
PALE = 0.5  # how far a veil is on the way to the background
# Place in the ramp, and opacity, of a set over a ground without a fill.
FLAT, OPACITIES = 0.7, {"set": 0.42, "infeasible": 1.0}

Look = Literal["set", "infeasible"]


class Shading(NamedTuple):
    """A set of a surface, and how it looks; flat where the ground has no fill."""

    region: Region
    look: Look
    surface: Surface
    flat: bool

    @property
    def mark(self) -> LegendEntry:
        """What the legend says of it."""
        return _mark(self.region.label, self.look, self.flat)

    def coat(self, theme: Theme, side: int) -> Coat:
        """Return what covers the ground of a relief with so many texels per side."""
        low, high = np.transpose(self.surface.window.intervals)
        middles = low + (high - low) * ((np.arange(side) + 0.5) / side)[:, None]
        inside = self.region.contains(np.stack(np.meshgrid(*middles.T), axis=-1))
        return Coat(inside, colors_of(theme, self.look)(np.arange(SHADES))[:, :3])

    def spans(self) -> Array:
        """Return the intervals of a line that it covers, shape (n, 2)."""
        ((low, high),) = self.surface.window.intervals
        x = np.linspace(low, high, LINE)
        known = np.pad(self.region.contains(x[:, None]), 1)
        begins, ends = (
            np.flatnonzero(~known[:-1] & known[1:]),
            np.flatnonzero(known[:-1] & ~known[1:]),
        )

        def edge(inside: Any, outside: Any) -> Array:
            outside = np.clip(outside, 0, LINE - 1)
            return _edge(self.region, x[inside][:, None], x[outside][:, None])[:, 0]

        return np.column_stack([edge(begins, begins - 1), edge(ends - 1, ends)])

    def outline(self) -> "Outline":
        """Return its outline in the plane."""
        low, high = np.transpose(self.surface.window.intervals)
        scale = (high - low) / (GRID - 1)
        x, y = (np.linspace(*ends, GRID) for ends in zip(low, high, strict=True))
        inside = self.region.contains(np.stack(np.meshgrid(x, y), axis=-1))
        # Between a point that is inside and one that is not, an edge is first put halfway.
        generator = contourpy.contour_generator(
            z=np.where(inside, 1.0, -1.0),
            line_type=contourpy.LineType.ChunkCombinedNan,
            fill_type=contourpy.FillType.ChunkCombinedCode,
        )

        def moved(vertices: Array) -> Array:
            between = np.flatnonzero((vertices % 1 > 0).any(axis=-1))
            ends = np.floor(vertices[between]).astype(int), np.ceil(vertices[between]).astype(int)
            first = inside[ends[0][:, 1], ends[0][:, 0]][:, None]
            here, there = (low + scale * np.where(first == way, *ends) for way in (True, False))
            found: Array = low + scale * vertices
            found[between] = _edge(self.region, here, there)
            return found

        area: Any = generator.filled(0.0, 2.0)
        line: Any = generator.lines(0.0)
        path = None if area[0][0] is None else Path(moved(area[0][0]), area[1][0])
        return Outline(path, moved(np.zeros((0, 2)) if line[0][0] is None else line[0][0]))


class Outline(NamedTuple):
    """A set in the plane: its area, None if it is empty, and its edge within the window.

    The edge has shape (n, 2), nan between its parts.
    """

    area: Path | None
    edge: Array


def shadings(surface: Surface, style: Style, flat: bool = False) -> list[Shading]:
    """Return the sets of a surface that are shaded; flat if it has no fill."""
    found = []
    feasible: Any = getattr(surface, "feasible_set", None)
    if feasible is not None:
        outside = Region("infeasible", lambda points: ~feasible.contains(points))
        found.append(Shading(outside, "infeasible", surface, flat))
    if style.where is not None:
        found.append(Shading(region_where(style.where, surface), "set", surface, flat))
    return found


def draw_shading(
    axes: Axes, shading: Shading, theme: Theme, sampled: SampledSurface | None = None
) -> tuple[str, ...]:
    """Shade a set in the plane, or on a line; return a sentence if there is none of it.

    Where the surface is filled, as it was sampled, bands have the same lightness in the set, but
    another hue.
    """
    colors = colors_of(theme, shading.look)
    look: dict[str, Any] = {
        "color": colors(FLAT), "alpha": OPACITIES[shading.look], "linewidth": 0, "zorder": SHADE,
    }  # fmt: skip
    line = edge_style(theme) | {"zorder": EDGE}
    if shading.surface.dim == 1:
        spans = shading.spans()
        for low, high in spans:
            axes.axvspan(low, high, **look)
        ends = set(spans.ravel().tolist()) - {*shading.surface.window.intervals[0]}
        for end in ends:
            axes.axvline(end, **line)
        return () if len(spans) and not _excludes(shading, ends) else _nowhere(shading)
    outline = shading.outline()
    if outline.area is None:
        return _nowhere(shading)
    if sampled is None:
        axes.add_artist(PathPatch(outline.area, **look))
    else:
        draw_bands(axes, sampled, colors, outline.area)
    axes.plot(*outline.edge.T, **line)
    return _nowhere(shading) if _excludes(shading, outline.edge) else ()


def _excludes(shading: Shading, edge: Sized) -> bool:
    """Return whether a veil without an edge lies over the whole window."""
    if shading.look != "infeasible" or len(edge):
        return False
    window, allowed = shading.surface.window, shading.surface.feasible_set
    middle = np.mean(window.intervals, axis=1)
    return allowed is not None and not window.contains(allowed.project(middle))


def _nowhere(shading: Shading) -> tuple[str, ...]:
    if shading.look != "infeasible":
        return (f"{shading.region.label} holds nowhere in the window",)
    said = "no point in the window satisfies the constraints"
    return (said,) if _excludes(shading, ()) else ()


def edge_style(theme: Theme) -> dict[str, Any]:
    """Return keywords of Axes.plot for the edge of a set."""
    casing = withStroke(linewidth=WIDTH + 2 * CASED, foreground=theme.casing)
    return {"color": theme.ink, "linewidth": WIDTH, "path_effects": [casing]}


def colors_of(theme: Theme, look: Look) -> Colormap:
    """Return the ramp of the ground in a set, as light as elsewhere, or as a grey and pale veil."""
    ground = oklab(ramp(theme.ramp)(np.arange(SHADES))[:, :3])
    if look == "set":
        mean = complex(*ground[:, 1:].mean(axis=0))
        hue = TURN * (mean if abs(mean) > VIVID / 10 else FALLBACK)
        ground[:, 1:] = VIVID / abs(hue) * np.array([hue.real, hue.imag])
    else:
        ground += PALE * (oklab(rgb([theme.background])) - ground)
        ground[:, 1:] = 0
    return ListedColormap(from_oklab(ground))


@cache
def _mark(label: str, look: Look, flat: bool) -> LegendEntry:
    return LegendEntry(label, partial(_sample, look, flat))


def _sample(look: Look, flat: bool, theme: Theme) -> dict[str, Any]:
    """Return keywords of Axes.plot for a sample of a set."""
    covered, paper = np.array(colors_of(theme, look)(FLAT)[:3]), rgb([theme.background])[0]
    share = OPACITIES[look] if flat else 1.0
    return {
        "linestyle": "none", "marker": "s", "markersize": MARK,
        "color": to_hex(share * covered + (1 - share) * paper),
        "markeredgecolor": theme.ink, "markeredgewidth": 1.0,
    }  # fmt: skip


def _edge(region: Region, inside: Array, outside: Array) -> Array:
    """Return where a region ends between points inside and outside of it, all of shape (n, dim)."""
    known: Bools
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        known = region.contains(middle)[:, None]
        inside, outside = np.where(known, middle, inside), np.where(known, outside, middle)
    return inside
