"""How often a method computes a loss or its gradient, counted by walking its path once more."""

import numpy as np

from optiviz.descent.walk import walk
from optiviz.objective import Array, Objective, pass_on
from optiviz.optimizers.base import Method


def count_evaluations(
    objective: Objective, method: Method, start: Array, steps: int
) -> tuple[int, Array]:
    """Return the number of points at which a method evaluates an objective, and where it ends.

    start and the end have shape (dim,). Loss and gradient count once if they are computed together.
    """
    counting = _Counting(objective)
    x = start
    with np.errstate(all="ignore"):
        for x, _ in walk(counting, method, np.array(start, float), steps):  # noqa: B007
            pass
    return counting.points, x


class _Counting:
    """An objective that counts at how many points it is evaluated."""

    def __init__(self, objective: Objective) -> None:
        self.objective, self.dim, self.points = objective, objective.dim, 0
        pass_on(objective, self)

    def value(self, x: Array) -> Array:
        self._count(x)
        return self.objective.value(x)

    def gradient(self, x: Array) -> Array:
        self._count(x)
        return self.objective.gradient(x)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        self._count(x)
        return self.objective.value_and_gradient(x)

    def _count(self, x: Array) -> None:
        self.points += int(np.prod(np.shape(x)[:-1]))
