"""The table that all figures of a score are computed from: instances by optimizers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from optiviz.descent import problem_of
from optiviz.objective import Array
from optiviz.scoring.problems import SHARES, BenchmarkProblem
from optiviz.scoring.results import Results
from optiviz.system.errors import InputError, did_you_mean

ALL = "all"  # problems, on which a rate is tuned
ROUNDING = 9  # decimals to which rates are as near


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


def table_of(
    problems: Sequence[BenchmarkProblem],
    labels: Sequence[str],
    results: Sequence[Sequence[Results]],
    tuned_on: str | None = None,
) -> ScoreTable:
    """Return the table of optimizers with these labels: their results, each one per problem.

    On each problem an optimizer uses its own best rate there. With tuned_on, the name of a problem
    or a group, or "all", it uses the rate that is best over those problems, or the nearest one that
    was tried, everywhere. Raises InputError if there is no such problem.
    """
    judged = judging(problems, tuned_on)
    chosen = [_chosen(problems, each, judged) for each in results]  # (k, p) indices of rates
    used = [
        list(zip(each, rates, strict=True)) for each, rates in zip(results, chosen, strict=True)
    ]
    return ScoreTable(
        optimizers=tuple(labels),
        problems=tuple(each.name for each in problems),
        groups=tuple(each.group for each in problems),
        dims=np.array([_variables(each) for each in problems], np.intp),
        budgets=np.array([each.budget for each in problems], np.intp),
        problem=np.repeat(
            np.arange(len(problems)), [len(each.solved_at[0]) for each in results[0]]
        ),
        solved_at=np.stack([np.concatenate([r.solved_at[i] for r, i in row]) for row in used], 1),
        gaps=np.stack([np.concatenate([r.gaps[i] for r, i in row]) for row in used], 1),
        shares=SHARES,
        endings=np.stack([np.concatenate([r.endings[i] for r, i in row]) for row in used], 1),
        rates=np.stack([np.array([r.rates[i] for r, i in row]) for row in used], 1),
    )


def best_rate(results: Results) -> int:
    """Return the index of the rate that is best on one problem.

    That is the one that solves most instances, then needs the fewest evaluations for these, then
    has the lowest median of final gaps, then the smallest one.
    """
    return _nearest(results, _best([_Tried(results, 1)]))


def read_tuned(content: bytes) -> Results:
    """Return the results in the bytes of a file with what a score needs of their best rate."""
    found = Results.from_bytes(content)
    return found.at_rate(best_rate(found))


def nearest_rates(rates: Array, wanted: Array) -> NDArray[np.intp]:
    """Return the indices of the rates that are nearest to those wanted, as factors.

    The smaller of two that are as near, and 0 if none was searched, so that both are nan.
    """
    away = abs(np.log(rates) - np.log(wanted)[:, None])
    nearest: NDArray[np.intp] = np.argmin(away.round(ROUNDING), axis=1)
    return nearest


class _Tried(NamedTuple):
    """Results on a problem, and its budget, in which evaluations are counted there."""

    results: Results
    budget: int


def _best(tried: Sequence[_Tried]) -> float:
    """Return the rate that is best over some problems; nan if none was searched."""
    searched = [each for each in tried if not np.isnan(each.results.rates).all()]
    if not searched:
        return np.nan
    rates = np.unique(np.concatenate([each.results.rates for each in searched]))

    places = [nearest_rates(each.results.rates, rates) for each in searched]
    pairs = list(zip(searched, places, strict=True))
    spent = np.concatenate([each.results.solved_at[i] / each.budget for each, i in pairs], 1)
    last = np.concatenate([each.results.last_gaps[i] for each, i in pairs], 1)
    solved = np.isfinite(spent)
    medians = np.median(np.where(np.isnan(last), np.inf, last), axis=1)
    merits = rates, medians, np.where(solved, spent, 0).sum(axis=1), -solved.sum(axis=1)
    return float(rates[np.lexsort(merits)[0]])


def _variables(problem: BenchmarkProblem) -> int:
    """Return the number of variables that are descended, which may be more than are drawn."""
    return problem_of(problem.surface).start(problem.surface.default_starts[0]).size


class Grouped(Protocol):
    """A problem by its name and its group."""

    @property
    def name(self) -> str: ...

    @property
    def group(self) -> str: ...


def judging(problems: Sequence[Grouped], tuned_on: str | None) -> list[int] | None:
    """Return the indices of the problems on which rates are tuned, None for each on its own.

    Raises InputError if tuned_on is no problem or group of these, nor "all".
    """
    if tuned_on is None:
        return None
    names = [each.name for each in problems]
    if tuned_on in names:
        return [names.index(tuned_on)]
    groups = [each.group for each in problems]
    found = [
        number for number, group in enumerate(groups) if (group == tuned_on or tuned_on == ALL)
    ]
    if not found:
        raise InputError(did_you_mean("problem or group", tuned_on, {*names, *groups, ALL}))
    return found


def _chosen(
    problems: Sequence[BenchmarkProblem], results: Sequence[Results], judges: list[int] | None
) -> list[int]:
    """Return the index of the rate that an optimizer uses on each problem."""
    if judges is None:
        return [best_rate(each) for each in results]
    rate = _best([_Tried(results[number], problems[number].budget) for number in judges])
    return [_nearest(each, rate) for each in results]


def _nearest(results: Results, rate: float) -> int:
    return int(nearest_rates(results.rates, np.array([rate]))[0])
