"""Heads of paths that end at the same place, set apart so that each can be seen."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes

from optiviz.objective import Array
from optiviz.views.axes import size_in_inches
from optiviz.views.paths import HEAD_SIZE

NEAR = 0.75 * HEAD_SIZE  # points between two heads up to which they hide each other
ROOM = 0.95 * HEAD_SIZE  # points of a circle's circumference for each head on it
LEAST_RADIUS = 0.8 * HEAD_SIZE


class Headed(Protocol):
    """A path with a head: the number of its entry, and where it ends, shape (2,)."""

    number: int

    @property
    def end(self) -> Array:
        """The last vertex, in the units of the axes."""

    def move_aside(self, aside: Array, points: Array) -> None:
        """Let the head stand beside the end."""


def set_apart(axes: Axes, paths: Sequence[Headed]) -> None:
    """Let heads of different entries that end at the same place stand around it.

    The lines end where the paths do; a head moves aside as it comes near. Heads outside of the
    window, which are at its edge, are set apart along that.
    """
    low, high = np.transpose([axes.get_xlim(), axes.get_ylim()])
    points = 72 * np.array(size_in_inches(axes)) / (high - low)
    known = [path for path in paths if np.isfinite(path.end).all()]
    ends = [path.end.clip(low, high) * points for path in known]
    for group in _groups(ends):
        numbers = list(dict.fromkeys(known[each].number for each in group))
        if len(numbers) < 2:
            continue
        centre = np.mean([ends[each] for each in group], axis=0)
        for each in group:
            path, end = known[each], ends[each]
            outside = (path.end < low) | (path.end > high)
            at = numbers.index(path.number)
            along = (at - (len(numbers) - 1) / 2) * ROOM
            place = centre + (along if outside.any() else _around(at, len(numbers)))
            path.move_aside(np.where(outside, 0.0, (place - end) / points), points)


def _groups(ends: Sequence[Array]) -> list[list[int]]:
    """Return the indices of ends that are near one another, each group in order."""
    groups: list[list[int]] = []
    for number, end in enumerate(ends):
        near = [
            group
            for group in groups
            if any(np.hypot(*(end - ends[each])) <= NEAR for each in group)
        ]
        groups = [group for group in groups if group not in near]
        groups.append(sorted([number, *(each for group in near for each in group)]))
    return groups


def _around(place: int, many: int) -> Array:
    """Return one of `many` places on a circle, in points from its centre, from the left on."""
    radius = max(LEAST_RADIUS, many * ROOM / (2 * np.pi))
    angle = np.pi - 2 * np.pi * place / many
    return radius * np.array([np.cos(angle), np.sin(angle)])
