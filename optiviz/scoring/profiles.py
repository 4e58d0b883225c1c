"""How many instances are solved, how fast, and who is ahead: curves computed from the table."""

import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array
from optiviz.scoring.problems import RESOLUTION
from optiviz.scoring.results import ENDINGS
from optiviz.scoring.table import ScoreTable

RESAMPLES = 2000  # of a bootstrap
CONFIDENCE = 0.95  # of its intervals


def performance_profile(table: ScoreTable, ratios: Array) -> Array:
    """Return the share of instances that each optimizer solves within a ratio of the fastest.

    The result has shape (len(ratios), k). It is rho_s(tau) of Dolan and More, "Benchmarking
    optimization software with performance profiles", 2002: a ratio is the evaluations until an
    instance is solved, divided by those of the optimizer that solves it first. Instances that
    nobody solves count as unsolved.
    """
    fastest = table.solved_at.min(axis=1, keepdims=True)
    solved = np.isfinite(table.solved_at)
    slower = np.divide(table.solved_at, fastest, out=np.full(solved.shape, np.inf), where=solved)
    return _reached(slower, ratios)


def data_profile(table: ScoreTable, kappas: Array) -> Array:
    """Return the share of instances solved within kappa simplex gradients, shape (len(kappas), k).

    A simplex gradient is dim + 1 evaluations: d_s(kappa) of More and Wild, "Benchmarking
    derivative-free optimization algorithms", 2009.
    """
    return _reached(table.solved_at / (table.dims[table.problem] + 1)[:, None], kappas)


def solved_share(table: ScoreTable, shares: Array | None = None) -> Array:
    """Return the share of instances solved within each share of the budget, shape (shares, k).

    Those shares are the ones of the table unless others are specified.
    """
    return _reached(spent(table), table.shares if shares is None else shares)


def solved_bands(table: ScoreTable, seed: int = 0) -> tuple[Array, Array]:
    """Return the ends of 95 % confidence intervals of `solved_share`, each of shape (shares, k).

    They are those of a percentile bootstrap in which problems are drawn, with all their instances,
    as starts of one problem are no independent evidence.
    """
    within = spent(table)[:, None, :] <= table.shares[:, None]
    shares = resampled_shares(table, within.reshape(len(within), -1), seed)
    low, high = np.quantile(shares, interval_ends(), axis=0, method="inverted_cdf")
    return low.reshape(within.shape[1:]), high.reshape(within.shape[1:])


def mean_ranks(table: ScoreTable) -> Array:
    """Return the mean rank of each optimizer at each share of the budget, shape (shares, k).

    1 is the lowest gap on an instance, and equal gaps share the mean of their ranks, as do those
    that are so low that minima are not known better.
    """
    means: Array = instance_ranks(table).mean(axis=0).T
    return means


def order_changes(table: ScoreTable) -> list[tuple[float, tuple[str, ...]]]:
    """Return the order of the optimizers by mean rank, at each share where it is another one.

    The first item is the order where ranks first differ. Ties leave it as it was.
    """
    changes = list[tuple[float, tuple[str, ...]]]()
    order = list(range(len(table.optimizers)))
    found = mean_ranks(table).round(12)
    begin = int((np.ptp(found, axis=1) > 0).argmax())
    for share, ranks in zip(table.shares[begin:], found[begin:], strict=True):
        before, order = order, sorted(order, key=ranks.__getitem__)
        if order != before or not changes:
            changes.append((float(share), tuple(table.optimizers[each] for each in order)))
    return changes


def problem_shares(table: ScoreTable) -> Array:
    """Return the share of the instances of each problem that each optimizer solves, (p, k)."""
    return by_problem(table, np.isfinite(table.solved_at))


def problem_ranks(table: ScoreTable) -> Array:
    """Return the mean rank of each optimizer on each problem at the end of the budget, (p, k)."""
    return by_problem(table, instance_ranks(table)[..., -1])


def ending_shares(table: ScoreTable) -> Array:
    """Return the share of the runs of each optimizer with each of ENDINGS, shape (k, endings)."""
    shares: Array = (table.endings[..., None] == np.arange(len(ENDINGS))).mean(axis=0)
    return shares


def spent(table: ScoreTable) -> Array:
    """Return the share of the budget after which each instance was solved, shape (n, k)."""
    return table.solved_at / table.budgets[table.problem, None]


def instance_ranks(table: ScoreTable) -> Array:
    """Return the rank of each optimizer on each instance at each share, shape (n, k, shares)."""
    gaps = np.maximum(np.where(np.isnan(table.gaps), np.inf, table.gaps), RESOLUTION)
    doubled = np.ones(gaps.shape, np.int16)
    for other in range(gaps.shape[1]):
        theirs = gaps[:, other : other + 1]
        doubled += theirs < gaps
        doubled += theirs <= gaps
    return doubled / 2


def by_problem(table: ScoreTable, values: Array | NDArray[np.bool_]) -> Array:
    """Return the means over the instances of each problem, shape (p, ...), of (n, ...)."""
    sums = sum_by_problem(table, values)
    return sums / instance_counts(table).reshape(-1, *[1] * (sums.ndim - 1))


def sum_by_problem(table: ScoreTable, values: Array | NDArray[np.bool_]) -> Array:
    """Return the sums over the instances of each problem, shape (p, ...), of (n, ...)."""
    firsts = np.searchsorted(table.problem, np.arange(len(table.problems)))
    return np.add.reduceat(values, firsts, axis=0, dtype=float)


def instance_counts(table: ScoreTable) -> Array:
    """Return the number of instances of each problem, shape (p,)."""
    return np.bincount(table.problem, minlength=len(table.problems)).astype(float)


def draw_problems(table: ScoreTable, seed: int) -> Array:
    """Return how often each problem is drawn in each resample of a bootstrap, (resamples, p)."""
    number = len(table.problems)
    drawn = np.random.default_rng(seed).integers(number, size=(RESAMPLES, number))
    places = drawn + number * np.arange(RESAMPLES)[:, None]
    counts = np.bincount(places.ravel(), minlength=RESAMPLES * number)
    return counts.reshape(RESAMPLES, number).astype(float)


def resampled_shares(table: ScoreTable, solved: NDArray[np.bool_], seed: int) -> Array:
    """Return the share of instances for which something holds, in each resample of problems.

    solved has shape (n, m), and the result (resamples, m). Sums are of whole numbers, and exact.
    """
    drawn = draw_problems(table, seed)
    return (drawn @ sum_by_problem(table, solved)) / (drawn @ instance_counts(table))[:, None]


def interval_ends() -> Array:
    """Return the quantiles at the ends of a confidence interval."""
    return np.array([(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])


def _reached(costs: Array, limits: Array) -> Array:
    """Return the share of instances whose finite costs, shape (n, k), are within each limit."""
    columns = [np.sort(each[np.isfinite(each)]) for each in costs.T]
    limits = np.asarray(limits, float)
    return np.stack([np.searchsorted(each, limits, "right") for each in columns], 1) / len(costs)
