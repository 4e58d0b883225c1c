"""The table that all figures of a score are computed from: instances by optimizers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array


@dataclass(frozen=True, eq=False, kw_only=True)
class ScoreTable:
    """How each of k optimizers, at the rate that it uses there, did on each of n instances.

    There are p problems, with their groups, numbers of variables and budgets of evaluations, and
    problem, shape (n,), is the index of that of each instance; instances of a problem are next to
    each other. solved_at, shape (n, k), is after how many evaluations an instance was solved, inf
    if it was not. gaps, shape (n, k, shares), are the lowest gaps so far, as fractions of that at
    the start, at these `shares` of the budget. endings, shape (n, k), are indices of ENDINGS.
    rates, shape (p, k), are the learning rates used, nan where there is none.
    """

    optimizers: tuple[str, ...]
    problems: tuple[str, ...]
    groups: tuple[str, ...]
    dims: NDArray[np.intp]
    budgets: NDArray[np.intp]
    problem: NDArray[np.intp]
    solved_at: Array
    gaps: Array
    shares: Array
    endings: NDArray[np.int8]
    rates: Array

    def select(self, kept: NDArray[np.bool_]) -> "ScoreTable":
        """Return the table of some of the problems, shape (p,)."""
        instances = kept[self.problem]
        number = np.cumsum(kept) - 1
        return ScoreTable(
            optimizers=self.optimizers,
            problems=tuple(name for name, keep in zip(self.problems, kept, strict=True) if keep),
            groups=tuple(name for name, keep in zip(self.groups, kept, strict=True) if keep),
            dims=self.dims[kept],
            budgets=self.budgets[kept],
            problem=number[self.problem[instances]],
            solved_at=self.solved_at[instances],
            gaps=self.gaps[instances],
            shares=self.shares,
            endings=self.endings[instances],
            rates=self.rates[kept],
        )
