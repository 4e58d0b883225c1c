"""Which learning rate is fair here.

The word's own rate, else the one given for all, else the optimizer's default where it has one,
else the surface's, else one that is tuned: many rates are tried from the same starts with the same
number of steps, whoever the optimizer is, and the best is taken.
"""

import math
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, replace
from functools import partial
from itertools import islice
from typing import NamedTuple

import numpy as np

from optiviz.descent import descend, walk
from optiviz.errors import InputError, unknown
from optiviz.objective import Array
from optiviz.optimizers import OPTIMIZERS, load_optimizer
from optiviz.optimizers.base import Optimizer
from optiviz.optimizers.words import Word
from optiviz.surfaces.surface import Point, Surface

DECADES = (-4, 3)
PER_DECADE = 30
LOST = 0.1  # share of its descent that a run may have lost again at its end
DIGITS = 3  # of a rate, so that what is shown is what was used
MAX_STEPS = 1000  # longer runs are tuned on their beginning
MAX_STARTS = 9  # and more starts on the first of them


@dataclass(frozen=True, eq=False)
class Tuning:
    """The rates that were tried, rising, and the score of each: lower is better, inf is out.

    A rate's score is the loss of the best point so far, averaged over all steps and starts, so
    that speed counts. It is out if any of its runs leaves finite numbers, or the box with the
    centre of the surface's window and twice its sides (wider where a start is outside). It is
    also out if it loses at the end more than a tenth of its descent again, or ends outside the
    window, and others do not.
    """

    rates: Array
    scores: Array

    @property
    def best(self) -> float:
        """The rate with the lowest score, of equal ones the smallest."""
        return float(self.rates[np.argmin(self.scores)])

    @property
    def found(self) -> bool:
        """Whether there is a rate that is not out."""
        return bool(np.isfinite(self.scores).any())

    @property
    def remark(self) -> str:
        """What is written behind the rate that was used."""
        return "(tuned)" if self.found else "(none fits)"


def tune(
    word: Word, surface: Surface, starts: Sequence[Point], steps: int, also: Sequence[float] = ()
) -> Tuning:
    """Score rates from 1e-4 to 1e3, 30 a decade, and then all of 3 digits around the best.

    Seven decades more are tried below where all of these are out, and above where the largest is
    the best, up to three times. Each set of rates is descended at once, as one array; a rate of
    the word itself does not count. `also` are rates that are to be scored beside these.
    """
    settings = tuple((key, value) for key, value in word.settings if key != "lr")
    trial = partial(_trial, replace(word, settings=settings), surface, starts, steps)
    low, high = DECADES
    tried = trial(_decades(low, high))
    for shift in range(high - low, 4 * (high - low), high - low):
        if not np.isfinite(tried.score).any():
            tried = tried.joined(trial(_decades(low - shift, high - shift)))
        elif tried.best == len(tried.rate) - 1:
            tried = tried.joined(trial(_decades(low + shift, high + shift)))
    below, above = max(tried.best - 1, 0), min(tried.best + 1, len(tried.rate) - 1)
    tried = tried.joined(trial(_written_between(tried.rate[below], tried.rate[above])))
    if also:
        tried = tried.joined(trial(np.array(also)))
    # A chaotic run can end elsewhere when it is walked by itself, as it will be for the picture.
    while np.isfinite(tried.score).any():
        best = tried.best
        alone = trial(tried.rate[[best]], alone=True)
        if np.isfinite(alone.score[0]) and alone.end[0] >= tried.end[best]:
            break
        tried = alone.joined(tried)
    return Tuning(tried.rate, tried.ranked)


def with_rate(
    word: Word,
    surface: Surface,
    starts: Sequence[Point],
    steps: int,
    lr: float | None = None,
) -> tuple[Optimizer, Tuning | None]:
    """Return a word's optimizer with the learning rate that is right for it on this surface.

    With it comes the tuning, if the rate was tuned.
    """
    rates = dict(surface.learning_rates)
    for name in rates:
        if name not in OPTIMIZERS:
            raise InputError(
                f"{surface.name}: learning_rates: {unknown('optimizer', name, OPTIMIZERS)}"
            )
    declared = load_optimizer(word.name).__dataclass_fields__
    if "lr" in dict(word.settings) or "lr" not in declared:
        return word.build(), None
    if lr is None and needs_rate(word):
        lr = rates.get(word.name)
        if lr is None:
            tuning = tune(word, surface, starts, steps)
            return word.build(lr=tuning.best if tuning.found else 10.0 ** DECADES[0]), tuning
    return (word.build() if lr is None else word.build(lr=lr)), None


def needs_rate(word: Word) -> bool:
    """Tell whether an optimizer has a learning rate and no default for it."""
    declared = load_optimizer(word.name).__dataclass_fields__
    return "lr" in declared and declared["lr"].default is MISSING


class _Tried(NamedTuple):
    """Rates, rising, their scores, and how well their runs ended."""

    rate: Array
    score: Array
    end: Array  # 4 if the descent was kept, 2 if they ended lower, 1 if in the window, added up

    @property
    def ranked(self) -> Array:
        best_end = self.end.max(initial=0, where=np.isfinite(self.score))
        return np.where(self.end == best_end, self.score, np.inf)

    @property
    def best(self) -> int:
        return int(np.argmin(self.ranked))

    def joined(self, other: "_Tried") -> "_Tried":
        rates, order = np.unique(np.concatenate([self.rate, other.rate]), return_index=True)
        score = np.concatenate([self.score, other.score])[order]
        return _Tried(rates, score, np.concatenate([self.end, other.end])[order])


def _trial(
    word: Word,
    surface: Surface,
    starts: Sequence[Point],
    steps: int,
    rates: Array,
    alone: bool = False,
) -> _Tried:
    """Walk from all starts at all rates, as one array; or at one rate, each start alone."""
    begin, steps = np.array(starts[:MAX_STARTS], float), min(steps, MAX_STEPS)
    with np.errstate(all="ignore"):
        if alone:
            optimizer = word.build(lr=float(rates[0]))
            paths = [descend(surface, optimizer, start, steps) for start in begin]
            points = np.stack([path.points for path in paths], axis=1)[:, None]
        else:
            optimizer = word.build(lr=rates[:, None, None])
            walked = walk(surface, optimizer, np.tile(begin, (len(rates), 1, 1)))
            points = np.stack([x for x, _ in islice(walked, steps + 1)])
        return _judged(rates, points, surface.value(points), surface)


def _judged(rates: Array, points: Array, losses: Array, surface: Surface) -> _Tried:
    """Score runs by their points, shape (steps + 1, rates, starts, dim), and their losses."""
    low, high = np.transpose(surface.domain.intervals)
    away = np.abs(points - (low + high) / 2) / (high - low)  # 0.5 is the window's edge
    reach = np.maximum(1.0, 2 * away[0].max(axis=(0, 1)))
    staying = (away <= reach).all(axis=(0, 2, 3)) & np.isfinite(losses).all(axis=(0, 2))
    best = np.minimum.accumulate(losses).mean(axis=-1)
    first, last = losses[0].mean(axis=-1), losses[-1].mean(axis=-1)
    kept = last - best[-1] <= LOST * (first - best[-1])
    seen = (away[-1] <= 0.5).all(axis=(-2, -1))
    end = 4.0 * (kept & (last < first)) + 2.0 * (last < first) + seen
    return _Tried(rates, np.where(staying, best.mean(axis=0), np.inf), end)


def _decades(low: int, high: int) -> Array:
    """Return rates from 10**low to 10**high, evenly spaced in their logarithm."""
    return _written(10 ** (np.arange(low * PER_DECADE, high * PER_DECADE + 1) / PER_DECADE))


def _written_between(low: float, high: float) -> Array:
    """Return all rates of so many digits between two."""
    last_digit = 10.0 ** (math.floor(math.log10(low)) - DIGITS + 1)
    return np.unique(_written(np.arange(low, high, last_digit)))


def _written(rates: Array) -> Array:
    """Return rates rounded to the digits that are shown."""
    return np.array([float(f"{rate:.{DIGITS}g}") for rate in rates])
