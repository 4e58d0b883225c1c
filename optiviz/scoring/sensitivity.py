"""How much depends on hyperparameters: what is solved at multiples of the best values."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from optiviz.objective import Array
from optiviz.scoring.results import Results

FACTORS = 10.0 ** np.linspace(-3, 3, 25)  # of the rate used
GOOD = 0.5  # share of what the best value solves, from which on a value is good


class Sensitivity(NamedTuple):
    """The share of instances solved when a hyperparameter is multiplied by factors.

    factors and solved have the same shape. region are the factors at the ends of the good region,
    where at least half as many instances are solved as at the best factor, around that; width is
    that of this region in decades. All are nan if nothing was varied, or nothing solved.
    """

    factors: Array
    solved: Array
    region: tuple[float, float]

    @property
    def width(self) -> float:
        return float(np.log10(self.region[1] / self.region[0]))


def rate_sensitivity(results: Sequence[Results], table_rates: Array) -> Sensitivity:
    """Return the share of instances solved at FACTORS of the rate used on each problem, (p,).

    Between two rates that were tried it is interpolated; problems count only at factors that are
    among the rates tried there.
    """
    solved, counted = np.zeros(len(FACTORS)), np.zeros(len(FACTORS))
    for each, rate in zip(results, table_rates, strict=True):
        if np.isnan(rate):
            continue
        wins = np.isfinite(each.solved_at).sum(axis=1)
        places = np.log10(rate * FACTORS).round(9), np.log10(each.rates).round(9)
        found = np.interp(*places, wins, left=np.nan, right=np.nan)
        solved += np.nan_to_num(found)
        counted += np.where(np.isnan(found), 0, each.solved_at.shape[1])
    return _sensitivity(FACTORS, solved, counted)


def sensitivities(
    results: Sequence[Results], rate: str | None, table_rates: Array
) -> dict[str, Sensitivity]:
    """Return that to each hyperparameter of an optimizer that was varied, by name.

    The first is that to the rate, of this name, if it was searched.
    """
    found = {}
    if rate and not np.isnan(table_rates).all():
        found[rate] = rate_sensitivity(results, table_rates)
    keys = dict.fromkeys(key for each in results for key in each.values)
    return found | {key: value_sensitivity(results, key) for key in keys}


def value_sensitivity(results: Sequence[Results], key: str) -> Sensitivity:
    """Return the share of instances solved at factors of the default of a hyperparameter.

    Those of decay rates, which are varied towards 1, are factors of 1 - beta. Only problems on
    which it was varied count: those of which something is solved at the best rate.
    """
    varied = [each for each in results if key in each.factors]
    factors = np.unique(np.concatenate([each.factors[key] for each in varied]))
    solved, counted = np.zeros(len(factors)), np.zeros(len(factors))
    for each in varied:
        places = np.searchsorted(factors, each.factors[key])
        wins = np.isfinite(each.solved_with[key])
        solved[places] += wins.sum(axis=1)
        counted[places] += wins.shape[1]
    return _sensitivity(factors, solved, counted)


def _sensitivity(factors: Array, solved: Array, counted: Array) -> Sensitivity:
    """Return what is solved of the instances counted at each factor, with the good region."""
    known = counted > 0
    if not known.any():
        return Sensitivity(factors, np.full(len(factors), np.nan), (np.nan, np.nan))
    factors, shares = factors[known], solved[known] / counted[known]
    if not shares.any():
        return Sensitivity(factors, shares, (np.nan, np.nan))
    tops = np.flatnonzero(shares == shares.max())
    best = tops[np.argmin(abs(np.log(factors[tops])))]
    poor = np.flatnonzero(shares < GOOD * shares[best])
    begin = poor[poor < best].max(initial=-1) + 1
    end = poor[poor > best].min(initial=len(factors)) - 1
    return Sensitivity(factors, shares, (float(factors[begin]), float(factors[end])))
