"""How much depends on hyperparameters: what is solved at multiples of the best values."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array
from optiviz.scoring.results import Results
from optiviz.scoring.table import best_rate

FACTORS = 10.0 ** np.linspace(-3, 3, 25)  # of the best rate
GOOD = 0.5  # share of what the best value solves, from which on a value is good
MIDDLE = 4  # values that are tried below the default, if all are possible


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


def value_sensitivity(results: Sequence[Results], key: str) -> Sensitivity:
    """Return the share of instances solved at factors of the default of a hyperparameter.

    Those of decay rates, which are varied towards 1, are factors of 1 - beta. Only problems on
    which it was varied count: those of which something is solved at the best rate.
    """
    varied = [each for each in results if key in each.values]
    values = varied[0].values[key]
    order = np.argsort(-values if decays(values) else values)
    scaled = (1 - values if decays(values) else values)[order]
    found = [each.solved_with[key][order] for each in varied]
    solved = sum(np.isfinite(each).sum(axis=1) for each in found)
    counted = np.full(len(values), float(sum(each.shape[1] for each in found)))
    return _sensitivity(scaled / scaled[_default(varied, found)], solved, counted)


def _sensitivity(factors: Array, solved: Array | NDArray[np.int64], counted: Array) -> Sensitivity:
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


def decays(values: Array) -> bool:
    """Return whether values are those of a decay rate: their distances from 1 are in proportion."""
    if len(values) < 3 or (values >= 1).any() or (values < 0).any():
        return False
    steps = np.diff(np.log(1 - values))
    return bool(abs(steps).min() > 1e-3 and np.allclose(steps, steps[0], rtol=1e-6))


def _default(varied: Sequence[Results], found: Sequence[Array]) -> int:
    """Return which value is the default: with it, runs are those at the best rate.

    Of several with which as many are, it is the one that is where defaults are.
    """
    same = np.zeros(len(found[0]))
    for each, solved in zip(varied, found, strict=True):
        same += (solved == each.solved_at[best_rate(each)]).sum(axis=1)
    tops = np.flatnonzero(same == same.max())
    return int(tops[np.argmin(abs(tops - MIDDLE))])
