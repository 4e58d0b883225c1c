"""Methods that ask for losses alone, and so also work where there is no gradient.

How far they look is measured in the sides of the window, so that the same defaults suit a window of
any size; where there is none, a side is 1.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from optiviz.objective import Array, Objective
from optiviz.optimizers.base import Hyper, Optimizer, hyper, random_numbers, seed_field
from optiviz.shapes import Points, Sketch


def sides(objective: Objective) -> Array | float:
    """Return the sides of the window that an objective offers, shape (dim,); 1 without any."""
    offered: Array | None = getattr(objective, "sides", None)
    return 1.0 if offered is None else offered


def best_of(objective: Objective, points: Array) -> Array:
    """Return the point of the lowest loss, shape (..., dim), of points of shape (..., n, dim).

    Of equal ones it is the first; a loss that is undefined counts as the highest.
    """
    losses = objective.value(points)
    best = np.where(np.isnan(losses), np.inf, losses).argmin(axis=-1)
    found: Array = np.take_along_axis(points, best[..., None, None], axis=-2)[..., 0, :]
    return found


def each(hyperparameter: Hyper) -> Array:
    """Return a hyperparameter of runs for arrays of several points per run."""
    return np.asarray(hyperparameter, float)[..., None]


class RandomSearchState(NamedTuple):
    """State of random search."""

    tried: Array  # (..., candidates, dim)
    step: int  # steps taken


@dataclass(frozen=True, eq=False, kw_only=True)
class RandomSearch(Optimizer):
    """Random search: the best of several points around the best one so far.

        y <- x + spread * w * z                     for each candidate; z ~ N(0, I)
        x <- x_best of x and all y

    Paper: Matyas, Random Optimization, 1965.

    w are the sides of the window.
    """

    candidates: int = hyper(8, help="points that are tried per step", within="[1, 10000]")
    spread: Hyper = hyper(
        0.05,
        help="standard deviation of the points, as a fraction of the window",
        within="(0, inf)",
    )
    seed: int = seed_field()

    def init(self, x: Array) -> RandomSearchState:
        return RandomSearchState(np.repeat(x[..., None, :], self.candidates, axis=-2), 0)

    def step(
        self, objective: Objective, x: Array, state: RandomSearchState
    ) -> tuple[Array, RandomSearchState]:
        z = random_numbers(self.seed, state.step).standard_normal((self.candidates, x.shape[-1]))
        tried = x[..., None, :] + each(self.spread) * sides(objective) * z
        both = np.concatenate([x[..., None, :], tried], axis=-2)
        return best_of(objective, both), RandomSearchState(tried, state.step + 1)

    def sketch(self, state: RandomSearchState) -> Sketch:
        return (Points(state.tried, "tried"),)
