"""Smooth resampling of evenly spaced values: Catmull and Rom's cubic, which meets all of them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def between(count: int, many: int) -> NDArray[np.float32]:
    """Return the matrix, of shape (many, count), that resamples values from end to end."""
    return _matrix(count, np.linspace(0, count - 1, many))


def in_cells(count: int, many: int) -> NDArray[np.float32]:
    """Return the matrix, of shape (many, count), that resamples values in the middles of cells.

    The values are at the ends of a line and evenly between them; the cells divide the line.
    """
    return _matrix(count, (np.arange(many) + 0.5) / many * (count - 1))


def _matrix(count: int, place: NDArray[Any]) -> NDArray[np.float32]:
    first = np.clip(place.astype(int), 0, count - 2)
    x = place - first
    weights = np.stack(
        [-x + 2 * x**2 - x**3, 2 - 5 * x**2 + 3 * x**3, x + 4 * x**2 - 3 * x**3, x**3 - x**2]
    )
    matrix = np.zeros((len(place), count))
    for shift, weight in enumerate(weights / 2, start=-1):
        column = np.clip(first + shift, 0, count - 1)
        np.add.at(matrix, (np.arange(len(place)), column), weight)
    return matrix.astype(np.float32)
