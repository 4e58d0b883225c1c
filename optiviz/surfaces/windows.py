"""Windows of planes that nobody declares: around points, or as far as a loss rises."""

from typing import NamedTuple

import numpy as np

from optiviz.objective import Array
from optiviz.surfaces.domain import Domain
from optiviz.surfaces.plane import Plane
from optiviz.system.errors import InputError
from optiviz.system.validation import checked

MARGIN = 0.15  # around points, as a fraction of their longer side
MIN_ASPECT = 0.4  # smallest ratio of a window's sides
MIN_EXTENT = 1e-9  # relative extent of points below which they count as one

RISE = 10.0  # the loss at the edge of a window, as a multiple of that in its middle
EDGE = np.array([(-1, -1), (0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0)], float)
FARTHEST, NEAREST = 4, 12  # doublings and halvings that are tried
FINER = 3  # halvings, in powers, of what lies between two of them


class FoundWindow(NamedTuple):
    """A window, and how it was found, as a sentence; "" if that needs no words."""

    domain: Domain
    told: str = ""


def bounding_window(points: Array) -> Domain:
    """Return a window around points of shape (n, dim), with a margin.

    Raises InputError if the points are too far away.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    longest = float((high - low).max())
    if longest <= MIN_EXTENT * max(1.0, float(np.abs(points).max())):
        longest = 1.0
    side = np.maximum(high - low + 2 * MARGIN * longest, MIN_ASPECT * (1 + 2 * MARGIN) * longest)
    middle = (low + high) / 2
    ends = np.stack([middle - side / 2, middle + side / 2], axis=-1)
    found = checked(Domain, ends.tolist())
    if isinstance(found, list):
        raise InputError("the paths extend too far to be drawn: use smaller learning rates")
    return found


def rising_window(plane: Plane, usual: float) -> FoundWindow:
    """Return the square around the origin of a plane at whose edge the loss is RISE times as high.

    The loss at the edge is the median of those at its corners and at the middles of its sides;
    one that is not finite counts as infinite. The half side is `usual`, doubled or halved until the
    loss has just risen so far, and then found to a tenth. If that is nowhere, as where a loss is
    bounded or at most 0, it is `usual`. At most 8 * (FARTHEST + NEAREST + FINER) + 17 points are
    evaluated, one full pass each.
    """
    (middle,) = _losses(plane, np.zeros((1, 2)))

    def edge(power: float) -> float:
        return float(np.median(_losses(plane, usual * 2.0**power * EDGE)))

    def risen(power: float) -> bool:
        return bool(edge(power) >= RISE * middle)

    unchanged = f"window \N{PLUS-MINUS SIGN}{usual:.3g}"
    if not 0 < middle < np.inf:
        return FoundWindow(_square(usual), f"{unchanged}: the loss in its middle is {middle:.3g}")
    step = -1 if risen(0) else 1
    tried = range(step, step * (NEAREST if step < 0 else FARTHEST) + step, step)
    end = next((power for power in tried if risen(power) == (step > 0)), None)
    if end is None:
        which = "even nearer" if step < 0 else f"within {usual * 2**FARTHEST:.3g}"
        said = f"the loss does not rise to {RISE:g} times that in its middle {which}"
        if step < 0 and np.isinf(edge(step * NEAREST)):
            said = "at its edge, most of the loss is not finite, nor is it much nearer"
        return FoundWindow(_square(usual), f"{unchanged}: {said}")
    low, high = sorted((float(end), float(end - step)))
    for _ in range(FINER):
        half = (low + high) / 2
        low, high = (low, half) if risen(half) else (half, high)
    side = float(f"{usual * 2.0**high:.2g}")
    if np.isinf(edge(high)):
        told = "at its edge, most of the loss is not finite"
        return FoundWindow(_square(side), f"window \N{PLUS-MINUS SIGN}{side:.3g}: {told}")
    said = (
        f"window \N{PLUS-MINUS SIGN}{side:.3g}: the median loss at its edge is {RISE:g} times that "
        f"in its middle, {middle:.3g}"
    )
    return FoundWindow(_square(side), said)


def _losses(plane: Plane, points: Array) -> Array:
    """Return the losses at points, shape (n,); those that are not numbers are infinite."""
    with np.errstate(all="ignore"):
        found = plane.value(points)
    return np.where(np.isnan(found), np.inf, found)


def _square(side: float) -> Domain:
    return Domain(x=(-side, side), y=(-side, side))
