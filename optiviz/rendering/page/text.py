"""Numbers and formulas in the form that a page has them."""

import json
from collections.abc import Iterator, Sequence
from math import ceil, log10
from typing import Any

import numpy as np
from matplotlib.path import Path as Outline
from matplotlib.textpath import TextPath

from optiviz.objective import Array

DIGITS, MAX_DIGITS = 7, 17  # of a number on an axis that begins at 0, and at most
LETTERS = 15.0  # font size of a formula, in pixels


def rounded_points(points: Array, axes: Sequence[tuple[float, float]]) -> list[list[float | None]]:
    """Return points, of shape (n, dim), rounded by `rounded` for axes with these limits."""
    columns = [rounded(row, ends) for row, ends in zip(points.T, axes, strict=True)]
    return [list(point) for point in zip(*columns, strict=True)]


def rounded(values: Any, ends: tuple[float, float] = (0.0, 1.0)) -> list[float | None]:
    """Return numbers with as many digits as are distinguishable on an axis with these limits.

    values has shape (n,). A value that is not finite becomes None.
    """
    low, high = ends
    far = max(abs(low), abs(high)) / (high - low)
    digits = min(MAX_DIGITS, DIGITS + max(0, ceil(log10(far)))) if far > 0 else DIGITS
    known = (float(value) for value in values)
    return [float(f"{value:.{digits}g}") if np.isfinite(value) else None for value in known]


def short(value: float) -> str:
    """Format a number with four significant digits."""
    return f"{value:.4g}"


def point_text(point: Array) -> str:
    """Format a point, as in (1, 2)."""
    return f"({', '.join(map(short, point))})"


def ordinal(stride: int) -> str:
    """Format a stride as an ordinal number, as in "third"."""
    return {2: "second", 3: "third"}.get(stride, f"{stride}th")


def outlines(term: str) -> str:
    """Return a term of a formula as inline SVG outlines, which take the colour of the text."""
    outline = TextPath((0, 0), f"${term}$", size=LETTERS)
    box = outline.get_extents()
    drawn = " ".join(_outlined(outline))
    width, height = box.width + 2, box.height + 2
    view = f"{box.x0 - 1:.1f} {-box.y1 - 1:.1f} {width:.1f} {height:.1f}"
    down = min(box.y0 - 1, 0.0)
    return (
        f'<svg aria-hidden="true" viewBox="{view}" width="{width:.1f}" height="{height:.1f}" '
        f'data-down="{down:.1f}"><path d="{drawn}"/></svg>'
    )


def _outlined(outline: Outline) -> Iterator[str]:
    letters = {
        Outline.MOVETO: "M", Outline.LINETO: "L", Outline.CURVE3: "Q", Outline.CURVE4: "C",
    }  # fmt: skip
    for vertices, code in outline.iter_segments(curves=True, simplify=False):
        if code == Outline.CLOSEPOLY:
            yield "Z"
        else:
            points = np.reshape(vertices, (-1, 2)) * (1, -1)
            yield letters[code] + " ".join(f"{x:.1f} {y:.1f}" for x, y in points)


def embedded(value: Any) -> str:
    """Return a value as JSON in ASCII that cannot close the HTML element around it.

    Raises ValueError if a number is not finite.
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")
