"""What a run has reached when parts of its budget are spent, from its points and their losses."""

from collections.abc import Callable
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array
from optiviz.scoring.problems import RESOLUTION, SHARES
from optiviz.scoring.results import ELSEWHERE, FAILED, MOVING, SOLVED

SMOOTHED = 10  # steps whose mean is the gap where steps are random
FLAT = 1e-6  # of the first slope, at a stationary point

Counts = NDArray[np.int64]


class Verdict(NamedTuple):
    """What runs have reached, as in Results; spent are the evaluations of each.

    steps are those that had any: a solver that has converged stays where it is.
    """

    gaps: Array  # (..., shares)
    solved_at: Array  # (...)
    endings: NDArray[np.int8]
    spent: Counts
    steps: Counts


class Standard(NamedTuple):
    """What runs are judged by: the first gaps of r runs and their slopes, shape (r,), and limits.

    slopes are nan where the objective moves, so that no point is stationary.
    """

    minimum: float
    first: Array
    slopes: Array
    tolerance: float
    budget: int
    smoothed: bool  # whether the gap is the mean of some steps


class Judge:
    """Judges runs by blocks of their steps, of which it keeps none."""

    def __init__(self, standard: Standard, dim: int) -> None:
        runs = len(standard.first)
        self._standard = standard
        self._recent = np.ones((SMOOTHED - 1 if standard.smoothed else 0, runs))
        self._low = np.full(runs, np.inf)
        self._alive = np.ones(runs, bool)
        self._failed = np.zeros(runs, bool)
        self._gaps = np.full((runs, len(SHARES)), np.inf)
        self._solved_at = np.full(runs, np.inf)
        self._ends = np.zeros((runs, dim))
        self._spent = self._steps = self._before = np.zeros(runs, np.int64)

    def take(self, points: Array, losses: Array, spent: Counts) -> bool:
        """Judge the next n steps; return whether any run still goes on.

        points have shape (n, r, dim), losses and spent (n, r): the evaluations before each point
        was reached. A loss of nan ends a run as failed.
        """
        standard = self._standard
        gap = (losses - standard.minimum) / standard.first
        going = np.isfinite(gap) & np.isfinite(points).all(axis=-1)
        alive = np.logical_and.accumulate(going) & self._alive
        gap[(gap < 0) & (gap >= -RESOLUTION)] = 0  # lower ones are of a wrong minimum
        gap = np.where(alive, gap, np.inf)
        if standard.smoothed:
            all_gaps = np.concatenate([self._recent, gap])
            self._recent = all_gaps[1 - SMOOTHED :]
            # Added in this order, as numpy's own sums depend on how many runs there are.
            gap = reduce(np.add, (all_gaps[n : n + len(gap)] for n in range(SMOOTHED))) / SMOOTHED
        low = np.minimum.accumulate(np.concatenate([self._low[None], gap]))[1:]
        self._low = low[-1]

        within = spent <= standard.budget
        solves = within & alive & (low <= standard.tolerance)
        first = solves.argmax(axis=0)
        across = np.arange(gap.shape[1])
        new = solves.any(axis=0) & np.isinf(self._solved_at)
        self._solved_at[new] = np.maximum(spent[first, across], 1)[
            new
        ]  # even of who evaluates none

        shown = np.where(alive, low, np.inf)
        for number, part in enumerate(SHARES * standard.budget):
            if part < spent[0].min():
                continue
            known = (spent <= part).sum(axis=0)
            self._gaps[:, number] = np.where(
                known > 0, shown[known - 1, across], self._gaps[:, number]
            )
        self._failed |= self._alive & (within & ~alive).any(axis=0)
        kept = (within & alive).sum(axis=0)
        self._ends = np.where(kept[:, None] > 0, points[kept - 1, across], self._ends)
        self._spent = np.where(kept > 0, spent[kept - 1, across], self._spent)
        before = np.concatenate([self._before[None], spent[:-1]])
        self._steps = self._steps + (within & alive & (spent > before)).sum(axis=0)
        self._before = spent[-1]
        self._alive = alive[-1]
        return bool((self._alive & within[-1]).any())

    def verdict(self, gradient: Callable[[Array], Array]) -> Verdict:
        """Return what the runs have reached; the gradient tells where it is flat."""
        standard = self._standard
        flat = slope(gradient(self._ends)) <= FLAT * standard.slopes
        endings = np.where(flat, ELSEWHERE, MOVING)
        endings = np.where(self._failed, FAILED, endings)
        endings = np.where(np.isfinite(self._solved_at), SOLVED, endings)
        return Verdict(
            self._gaps,
            self._solved_at,
            endings.astype(np.int8),
            np.minimum(self._spent, standard.budget),
            self._steps,
        )


def slope(gradient: Array) -> Array:
    """Return the lengths of gradients, (..., dim), without overflow."""
    largest = np.abs(gradient).max(axis=-1)
    scaled = gradient / np.where(largest > 0, largest, 1.0)[..., None]
    found: Array = largest * np.sqrt((scaled * scaled).sum(axis=-1))
    return found
