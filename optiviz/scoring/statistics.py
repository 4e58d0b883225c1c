"""Medians with intervals, and paired tests: what a score says, and how sure that is."""

from collections.abc import Sequence
from math import erfc, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array
from optiviz.scoring.profiles import (
    by_problem,
    draw_problems,
    instance_counts,
    interval_ends,
    mean_ranks,
    resampled_shares,
    spent,
    sum_by_problem,
)
from optiviz.scoring.table import ScoreTable

UNSOLVED = 2.0  # budgets that an unsolved instance is taken to cost: more than any solved one
EXACT = 400  # differences up to which a p-value is exact
ROUNDING = 12  # decimals to which logarithms of costs are equal


class Summary(NamedTuple):
    """What a score says of one optimizer, with 95 % intervals over problems.

    solved is the share of instances that it solves, and median the median of the evaluations that
    it needs for one, as a share of the budget: inf if it leaves more than half unsolved. rank is
    its mean rank at the end of the budget. wins, ties and losses are the problems on which it
    needs fewer, as many or more evaluations than the first optimizer, p_value is that of the
    signed-rank test of these differences, and adjusted the same after Holm's correction for all
    comparisons with the first, which has itself nan.
    """

    label: str
    solved: float
    solved_interval: tuple[float, float]
    median: float
    median_interval: tuple[float, float]
    rank: float
    wins: int
    ties: int
    losses: int
    p_value: float
    adjusted: float


def summaries(table: ScoreTable, seed: int = 0) -> tuple[Summary, ...]:
    """Return what the table says of each optimizer. seed is that of the bootstrap."""
    differences = cost_differences(table)
    p_values = [signed_rank(each) for each in differences.T[1:]]
    solved = np.isfinite(table.solved_at)
    ends = interval_ends()
    shares = np.quantile(resampled_shares(table, solved, seed), ends, axis=0, method="inverted_cdf")
    medians, ranks = _median_intervals(table, seed), mean_ranks(table)[-1]
    return tuple(
        Summary(
            label,
            float(solved[:, number].mean()),
            (float(shares[0, number]), float(shares[1, number])),
            float(np.sort(spent(table)[:, number])[(len(solved) - 1) // 2]),
            (float(medians[0, number]), float(medians[1, number])),
            float(ranks[number]),
            int((differences[:, number] < 0).sum()),
            int((differences[:, number] == 0).sum()),
            int((differences[:, number] > 0).sum()),
            p_value,
            adjusted,
        )
        for number, (label, p_value, adjusted) in enumerate(
            zip(table.optimizers, [np.nan, *p_values], [np.nan, *holm(p_values)], strict=True)
        )
    )


def problem_costs(table: ScoreTable) -> Array:
    """Return how much each problem costs each optimizer, shape (p, k).

    That is the mean over instances of the logarithm of the share of the budget after which they are
    solved. An unsolved instance counts as two budgets, as in PAR2, the score of SAT competitions:
    as more than any solved one, and as equal to any other that is unsolved.
    """
    return by_problem(table, np.log(np.where(np.isfinite(table.solved_at), spent(table), UNSOLVED)))


def cost_differences(table: ScoreTable) -> Array:
    """Return how much more each problem costs each optimizer than the first one, shape (p, k)."""
    costs = problem_costs(table)
    return (costs - costs[:, :1]).round(ROUNDING)


def signed_rank(differences: Sequence[float] | Array) -> float:
    """Return the two-sided p-value of differences of pairs that are equal, apart from chance.

    Wilcoxon, "Individual comparisons by ranking methods", 1945: differences of zero are left out,
    and equal ones share their ranks. It is exact up to 400 differences, from the distribution of
    the sum of ranks over all signs; of more, the sum is taken to be normal.
    """
    signed = signed_ranks(differences)
    ranks = abs(signed)
    total = int(ranks.sum())
    lower = (total - abs(int(signed.sum()))) // 2  # the sum of those of the rarer sign
    if len(ranks) > EXACT:
        away = max(total / 2 - lower - 1, 0) / sqrt((ranks**2.0).sum() / 4)
        return erfc(away / sqrt(2))
    chances = np.zeros(lower + 1)  # of each sum of the ranks of one sign
    chances[0] = 1
    for rank in ranks:
        added = chances[: max(lower + 1 - rank, 0)] / 2
        chances /= 2
        chances[rank:] += added
    return min(2 * float(chances.sum()), 1.0)


def signed_ranks(differences: Sequence[float] | Array) -> NDArray[np.int64]:
    """Return twice the midranks of the sizes of the differences that are not 0, with their signs.

    >>> signed_ranks([0.5, -3, 0, 2, 0.5])
    array([ 3, -8,  6,  3])
    """
    signed = np.asarray(differences, float)
    signed = signed[signed != 0]
    _, places, counts = np.unique(abs(signed), return_inverse=True, return_counts=True)
    doubled = (2 * np.cumsum(counts) - counts + 1)[places]
    return np.where(signed > 0, doubled, -doubled)


def holm(p_values: Sequence[float] | Array) -> list[float]:
    """Return p-values adjusted for their number, so that at most 5 % of families have a false one.

    Holm, "A simple sequentially rejective multiple test procedure", 1979.
    """
    given = np.asarray(p_values, float)
    order = np.argsort(given, kind="stable")
    adjusted = np.empty(len(given))
    scaled = given[order] * np.arange(len(given), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return adjusted.tolist()


def extremes(
    table: ScoreTable, optimizer: int = 0, number: int = 5
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the indices of the problems where an optimizer does best and worst.

    They are those where its cost is furthest below and above the mean of the others', most extreme
    first, at most `number` of each; alone, it is compared with itself on the mean problem.
    """
    costs = problem_costs(table)
    own = costs[:, optimizer]
    others = np.delete(costs, optimizer, axis=1)
    usual = others.mean(axis=1) if others.size else own.mean()
    ahead = (usual - own).round(ROUNDING)
    best = [int(each) for each in np.argsort(-ahead, kind="stable") if ahead[each] > 0]
    worst = [int(each) for each in np.argsort(ahead, kind="stable") if ahead[each] < 0]
    return tuple(best[:number]), tuple(worst[:number])


def _median_intervals(table: ScoreTable, seed: int) -> Array:
    """Return the ends of bootstrap intervals of medians over instances, shape (2, k).

    The median of a resample is at most x if at least half of its instances are, so that each end
    is found by bisection, without any of the medians.
    """
    costs = spent(table)
    values = np.sort(costs, axis=0)
    drawn = draw_problems(table, seed)
    halves = (drawn @ instance_counts(table) / 2)[:, None]
    columns = np.arange(costs.shape[1])

    def place(quantile: float) -> Array:
        low, high = np.zeros(len(columns), int), np.full(len(columns), len(values) - 1)
        while (low < high).any():
            middle = (low + high) // 2
            below = drawn @ sum_by_problem(table, costs <= values[middle, columns])
            reached = (below >= halves).mean(axis=0) >= quantile
            low, high = np.where(reached, low, middle + 1), np.where(reached, middle, high)
        found: Array = values[low, columns]
        return found

    return np.stack([place(each) for each in interval_ends()])
