"""Paths over a surface in relief: a step is a straight line seen from above, cut at the window."""

from itertools import pairwise

import numpy as np

from optiviz.objective import Array

DRAPE = 160  # vertices of a path as long as a side of the window
# A distance treated as 0, as a share of the window's side, and the largest coordinate.
NEAR, FAR = 1e-15, 1e150


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
