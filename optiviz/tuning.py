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

from optiviz.descent import walk
from optiviz.errors import InputError, unknown
from optiviz.objective import Array
from optiviz.optimizers import OPTIMIZERS, load_optimizer
from optiviz.optimizers.base import Optimizer
from optiviz.optimizers.words import Word
from optiviz.surfaces.surface import Point, Surface

DECADES = (-4, 3)
PER_DECADE = 30
DIGITS = 3  # of a rate, so that what is shown is what was used
MAX_STEPS = 1000  # longer runs are tuned on their beginning
MAX_STARTS = 9  # and more starts on the first of them


@dataclass(frozen=True, eq=False)
class Tuning:
    """The rates that were tried, rising, and the score of each: lower is better, inf is out.

    A rate's score is the loss of the best point so far, averaged over all steps and starts, so
    that speed counts. It is out if any of its runs leaves finite numbers, or the box with the
    centre of the surface's window and twice its sides. It is also out if it ends no lower than it
    began and others do, or ends outside the window and others as low do not.
    """

    rates: Array
    scores: Array

    @property
    def best(self) -> float:
        """The rate with the lowest score, of equal ones the smallest."""
        return float(self.rates[np.argmin(self.scores)])


def tune(word: Word, surface: Surface, starts: Sequence[Point], steps: int) -> Tuning:
    """Score rates from 1e-4 to 1e3, 30 a decade, and then all of 3 digits around the best.

    Seven decades more are tried below where all of these are out, and above where the largest is
    the best. Each set of rates is descended at once, as one array; a rate of the word itself does
    not count.
    """
    settings = tuple((key, value) for key, value in word.settings if key != "lr")
    trial = partial(_trial, replace(word, settings=settings), surface, starts, steps)
    tried = trial(_decades(*DECADES))
    low, high = DECADES
    if not np.isfinite(tried.score).any():
        tried = tried.joined(trial(_decades(2 * low - high, low)))
    elif tried.best == len(tried.rate) - 1:
        tried = tried.joined(trial(_decades(high, 2 * high - low)))
    below, above = max(tried.best - 1, 0), min(tried.best + 1, len(tried.rate) - 1)
    tried = tried.joined(trial(_written_between(tried.rate[below], tried.rate[above])))
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
            return word.build(lr=tuning.best), tuning
    return (word.build() if lr is None else word.build(lr=lr)), None


def needs_rate(word: Word) -> bool:
    """Tell whether an optimizer has a learning rate and no default for it."""
    declared = load_optimizer(word.name).__dataclass_fields__
    return "lr" in declared and declared["lr"].default is MISSING


class _Tried(NamedTuple):
    """Rates, rising, their scores, and how well their runs ended."""

    rate: Array
    score: Array
    end: Array  # 2 if lower than at the start, plus 1 if in the window

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
    word: Word, surface: Surface, starts: Sequence[Point], steps: int, rates: Array
) -> _Tried:
    begin = np.array(starts[:MAX_STARTS], float)
    low, high = np.transpose(surface.domain.intervals)
    with np.errstate(all="ignore"):
        optimizer = word.build(lr=rates[:, None, None])
        walked = walk(surface, optimizer, np.tile(begin, (len(rates), 1, 1)))
        points = np.stack([x for x, _ in islice(walked, min(steps, MAX_STEPS) + 1)])
        losses = surface.value(points)  # shape (steps + 1, rates, starts)
        away = np.abs(points - (low + high) / 2) / (high - low)  # 0.5 is the window's edge
        staying = (away <= 1).all(axis=(0, 2, 3)) & np.isfinite(losses).all(axis=(0, 2))
        score = np.minimum.accumulate(losses).mean(axis=(0, 2))
        lower = losses[-1].mean(axis=-1) < losses[0].mean(axis=-1)
        shown = (away[-1] <= 0.5).all(axis=(-2, -1))
    return _Tried(rates, np.where(staying, score, np.inf), 2.0 * lower + shown)


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
