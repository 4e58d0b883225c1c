"""The ground on which paths are drawn: bands of colour, and contour lines lit from the side.

Contour lines are white on slopes that face the light, dark on those that face away, and the
stronger the more directly a slope faces it: illuminated contours, by Kitiro Tanaka, The relief
contour method of representing topography on maps, 1950. Flat bands and lines give depth without
the shades that would be blotchy in a GIF.
"""

from typing import Any

import contourpy
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.contour import ContourSet
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from optiviz.objective import Array
from optiviz.themes import Theme
from optiviz.views.axes import size_in_inches
from optiviz.views.sampled_surface import SampledSurface

LIGHT = np.array([-1, 1]) / np.sqrt(2)  # unit vector towards the light, the upper left
CLASSES = 6  # of lines, on either side, by how directly the slope faces the light
REACH = 2  # vertices to either side from which the direction of a line is taken
WIDTHS = 0.45, 0.65  # points: of a line along the light, and what one across it has more
OPACITIES = 0.32, 0.68  # the same, as shares of the theme's
BAND, ISOLINE, HELD = 1.0, 1.5, 1.62  # zorders
# Of the isoline through a minimum that constraints hold: points, and dashes in them.
HELD_WIDTH, HELD_CASING, HELD_DASH = 1.3, 0.8, (4.0, 2.4)
ABOVE = 1e300  # above any value of a sampled surface


def draw_bands(
    axes: Axes, sampled: SampledSurface, ramp: Colormap, within: Path | None = None
) -> None:
    """Fill the surface, from the lowest band to the highest, all of it or within an area.

    Each area is all that is above a level, and covers those before it, so that no gap is visible
    between two. What is undefined remains free.
    """
    generator = contourpy.contour_generator(
        sampled.x, sampled.y, sampled.values, fill_type=contourpy.FillType.OuterCode
    )
    colors = ramp(np.linspace(0, 1, len(sampled.inner) + 1))
    for number, level in enumerate([-ABOVE, *sampled.inner]):
        outlines: Any = generator.filled(level, ABOVE)
        points, codes = outlines
        if points:
            area = Path(np.concatenate(points), np.concatenate(codes))
            band = PathPatch(area, color=colors[number], linewidth=0, zorder=BAND)
            axes.add_artist(band)
            if within is not None:
                band.set_clip_path(within, axes.transData)


def draw_held_line(axes: Axes, sampled: SampledSurface, level: float, theme: Theme) -> None:
    """Draw the isoline of a minimum that constraints hold, which touches their edge."""
    casing = withStroke(linewidth=HELD_WIDTH + 2 * HELD_CASING, foreground=theme.casing)
    axes.contour(
        sampled.x, sampled.y, sampled.values, [level / sampled.scale], colors=[theme.ink],
        linewidths=HELD_WIDTH, linestyles=[(0, HELD_DASH)], zorder=HELD,
    ).set_path_effects([casing])  # fmt: skip


def draw_lit_lines(axes: Axes, lines: ContourSet, theme: Theme, scale: float = 1.0) -> None:
    """Draw contour lines as the light falls on their slopes; scale is of their width."""
    paths = [path for path in lines.get_paths() if len(np.asarray(path.vertices))]
    if not paths:
        return
    vertices = np.concatenate([np.asarray(path.vertices) for path in paths])
    codes = np.concatenate([np.asarray(path.codes) for path in paths])
    goes_on = np.append(codes[1:] != Path.MOVETO, False)  # whether a line goes to the next vertex
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    scales = np.divide(size_in_inches(axes), (right - left, top - bottom))
    along = _directions(vertices * scales, goes_on)
    down = np.column_stack([along[:, 1], -along[:, 0]])  # higher values are on the left of a line
    with np.errstate(all="ignore"):
        facing = np.nan_to_num(down @ LIGHT / np.hypot(*down.T))
    classes = np.round(facing * CLASSES).astype(int)
    for number in range(-CLASSES, CLASSES + 1):
        drawn = goes_on & (classes == number)
        if drawn.any():
            color, opacity = theme.lit if number > 0 else theme.shaded
            share = abs(number) / CLASSES
            axes.add_artist(
                PathPatch(
                    _pieces(vertices, drawn), fill=False, edgecolor=color, capstyle="butt",
                    joinstyle="round", linewidth=scale * (WIDTHS[0] + share * WIDTHS[1]),
                    alpha=opacity * (OPACITIES[0] + share * OPACITIES[1]), zorder=ISOLINE,
                )
            )  # fmt: skip


def _directions(vertices: Array, goes_on: NDArray[np.bool_]) -> Array:
    """Return the direction of a line from each vertex to the next, shape (n, 2).

    It is that from the vertex REACH before to the one REACH after where the line is that long, so
    that the grid of samples does not show. Where no line goes on, it is of no account.
    """
    following = np.roll(vertices, -1, axis=0)
    near = far = following - vertices
    whole = goes_on.copy()
    for reach in range(1, REACH + 1):
        whole &= np.roll(goes_on, reach) & np.roll(goes_on, -reach)
        far = np.roll(following, -reach, axis=0) - np.roll(vertices, reach, axis=0)
    return np.where(whole[:, None], far, near)


def _pieces(vertices: Array, drawn: NDArray[np.bool_]) -> Path:
    """Return those lines from a vertex, of shape (n, 2), to the next that are drawn."""
    continued = np.roll(drawn, 1)
    kept = drawn | continued
    codes = np.where(continued, Path.LINETO, Path.MOVETO).astype(Path.code_type)
    return Path(vertices[kept], codes[kept])
