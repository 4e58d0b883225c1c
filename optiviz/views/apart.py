"""Heads of paths that end at the same place, set apart so that each can be seen."""

from collections.abc import Sequence
from typing import Any, Protocol

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
    ends = [path.end.clip(low, high) * points for path in paths]
    _set_apart(paths, ends, ends, points, [(path.end < low) | (path.end > high) for path in paths])


def set_apart_by_places(paths: Sequence[Headed], places: Sequence[Array]) -> None:
    """Do the same with paths whose unit is the point, all within the picture.

    places, also in points, say which ends are near one another, for example in the last frame.
    """
    ends = [path.end for path in paths]
    _set_apart(paths, ends, places, np.ones(2), [np.zeros(2, bool)] * len(paths))


def _set_apart(
    paths: Sequence[Headed],
    ends: Sequence[Array],
    places: Sequence[Array],
    points: Array,
    outside: Sequence[Any],
) -> None:
    known = [number for number, end in enumerate(ends) if np.isfinite(end).all()]
    numbers = np.array([paths[each].number for each in known])
    for found in _groups(np.reshape([places[each] for each in known], (-1, 2)), numbers):
        group = [known[each] for each in found]
        entries = list(dict.fromkeys(paths[each].number for each in group))
        if len(entries) < 2:
            continue
        centre = np.mean([ends[each] for each in group], axis=0)
        for each in group:
            at = entries.index(paths[each].number)
            along = (at - (len(entries) - 1) / 2) * ROOM
            place = centre + (along if outside[each].any() else _around(at, len(entries)))
            aside = np.where(outside[each], 0.0, (place - ends[each]) / points)
            paths[each].move_aside(aside, points)


def _groups(ends: Array, numbers: Array) -> list[list[int]]:
    """Return the indices of ends that are near one another, each group in order.

    The heads of a group stand around its middle, and those that would be in their way belong to it.
    ends has shape (n, 2), and numbers, which are those of entries, (n,).
    """
    groups = _linked(_distances(ends) <= NEAR)
    while True:
        middles = np.reshape([ends[group].mean(axis=0) for group in groups], (-1, 2))
        radii = np.array([_radius(len(set(numbers[group]))) for group in groups])
        reach = radii[:, None] + radii
        merged = _linked((reach > 0) & (_distances(middles) <= reach + NEAR))
        if len(merged) == len(groups):
            return groups
        groups = [sorted(each for group in found for each in groups[group]) for found in merged]


def _distances(points: Array) -> Array:
    distances: Array = np.hypot(*(points[:, None] - points).transpose(2, 0, 1))
    return distances


def _linked(near: Any) -> list[list[int]]:
    """Return groups of indices that are linked, directly or through others, in order."""
    groups: list[list[int]] = []
    for number, links in enumerate(near):
        linked = [group for group in groups if links[group].any()]
        groups = [group for group in groups if group not in linked]
        groups.append(sorted([number, *(each for group in linked for each in group)]))
    return groups


def _radius(many: int) -> float:
    """Return the radius in points of a circle of so many heads, 0 for a head alone."""
    return max(LEAST_RADIUS, many * ROOM / (2 * np.pi)) if many > 1 else 0.0


def _around(place: int, many: int) -> Array:
    """Return one of `many` places on a circle, in points from its centre, from the left on."""
    angle = np.pi - 2 * np.pi * place / many
    return _radius(many) * np.array([np.cos(angle), np.sin(angle)])
