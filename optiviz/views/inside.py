"""A legend inside a panel: the corner that is least covered by what the panel shows."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from optiviz.objective import Array
from optiviz.system.errors import InputError
from optiviz.views import View
from optiviz.views.arrangement import Arrangement, RowMode
from optiviz.views.axes import Box, figure_of
from optiviz.views.legend import Rows

INSET, PAD = 7.0, 6.0  # points from the edge of the panel to the box, and from there to its rows
SETTINGS, MOST = 0.5, 0.8  # shares of the panel's width: with settings at most, and at all
COVERED = 0.45  # most of the panel's area
BETWEEN = 3.0  # points between two places of a line that are looked at
MARK = 300  # as many points as a mark counts


def place_inside(found: Arrangement, rows: Rows, view: View, axes: Axes) -> Box:
    """Put the rows of a legend into the main panel of a view, and return the box behind them.

    Raises InputError if there is no room.
    """
    panel = found.mains[0]
    mode: RowMode = "beside"
    if rows.widest(mode) > SETTINGS * panel.width:
        mode = "remark"
    width, height = rows.widest(mode) + 2 * PAD, rows.row * len(rows) + 2 * PAD - 4
    named = width + rows.quantity
    found.names_quantity = named <= MOST * panel.width
    width = named if found.names_quantity else width
    roomy = width <= MOST * panel.width and height <= MOST * panel.height
    if not roomy or width * height > COVERED * panel.width * panel.height:
        raise InputError(
            f"legend: the names of {len(rows)} optimizers leave too little of the panel inside: "
            "choose right, below or none, or a larger size"
        )
    left, bottom = panel.left + INSET, panel.bottom + INSET
    right, top = panel.right - INSET - width, panel.top - INSET - height
    corners = [Box(x, y, width, height) for x in (right, left) for y in (top, bottom)]
    shown = _shown(view, axes)
    box = min(corners, key=lambda corner: _covered(corner, shown))
    scale = figure_of(axes).dpi / 72
    covered = Bbox.from_bounds(*(scale * each for each in box))
    for text in _words(axes):
        if covered.overlaps(text.get_window_extent()):
            text.set_text("")  # or half of it would be seen
    found.row_mode = mode
    found.rows = [
        Box(box.left + PAD, box.top - PAD + 2 - rows.row * (place + 1), width - 2 * PAD, rows.row)
        for place in range(len(rows))
    ]
    return box


def _shown(view: View, axes: Axes) -> Array:
    """Return points along all lines and words of a panel, in points, shape (n, 2)."""
    lines: list[Array] = [each.vertices for each in view.path_artists if hasattr(each, "vertices")]
    found = [np.zeros((0, 2))]
    for drawn in axes.lines:
        points = np.asarray(drawn.get_xydata())
        if drawn.get_linestyle() == "None" and points.shape[1:] == (2,):
            found.append(axes.transData.transform(np.repeat(points, MARK, axis=0)))
        else:
            lines.append(points)
    for text in _words(axes):
        box = text.get_window_extent()
        found.append(np.repeat([box.p0, (box.p0 + box.p1) / 2, box.p1], MARK, axis=0))
    scale = figure_of(axes).dpi / 72
    for line in lines:
        if line.shape[1:] == (2,) and len(line) > 1:
            found.append(_dense(axes.transData.transform(line), scale))
    pixels = np.concatenate(found)
    return pixels[np.isfinite(pixels).all(axis=1)] * 72 / figure_of(axes).dpi


def _dense(line: Array, scale: float) -> Array:
    """Return points along a line in pixels, of which a point has `scale`."""
    long = np.hypot(*np.diff(line, axis=0).T) / scale / BETWEEN
    counts = np.where(np.isfinite(long), 1 + np.clip(long, 0, MARK), 1).astype(int)
    number = np.repeat(np.arange(len(counts)), counts)
    share = (np.arange(len(number)) - np.repeat(np.cumsum(counts) - counts, counts)) / counts[
        number
    ]
    points: Array = line[number] + share[:, None] * (line[number + 1] - line[number])
    return points


def _words(axes: Axes) -> list[Text]:
    """Return the words of a panel."""
    return [text for text in axes.texts if text.get_visible() and text.get_text()]


def _covered(box: Box, points: Array) -> int:
    """Return how many points a box covers."""
    x, y = points.T
    inside = (box.left <= x) & (x <= box.right) & (box.bottom <= y) & (y <= box.top)
    return int(inside.sum())
