"""How often a method evaluates its objective."""

import numpy as np

from optiviz.descent.walk import walk
from optiviz.objective import Array, Objective, pass_on
from optiviz.optimizers.base import Method


def count_evaluations(
    objective: Objective, method: Method, start: Array, steps: int
) -> tuple[int, Array]:
    """Return at how many points a method evaluates an objective in `steps` steps, and their end.

    start and the end have shape (dim,). A point counts once, whatever is evaluated there, and
    however often.
    """
    counted, x = _Counted(objective), start
    with np.errstate(all="ignore"):
        for point, _ in walk(counted, method, start, steps):
            x = point
    return len(counted.seen), x


class _Counted:
    """An objective that remembers the points at which it is evaluated."""

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self.seen: set[bytes] = set()
        pass_on(objective, self)

    @property
    def dim(self) -> int:
        return self._objective.dim

    def value(self, x: Array) -> Array:
        return self._met(x).value(x)

    def gradient(self, x: Array) -> Array:
        return self._met(x).gradient(x)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        return self._met(x).value_and_gradient(x)

    def _met(self, x: Array) -> Objective:
        self.seen.update(point.tobytes() for point in x.reshape(-1, self.dim))
        return self._objective
