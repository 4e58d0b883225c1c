"""Which learning rate is fair here.

The word's own rate, else the one given for all, else the optimizer's default where it has one,
else the surface's, else one that is tuned: many rates are tried from the same starts with the same
number of steps, whoever the optimizer is, and the best is taken.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optiviz.descent import problem_of
from optiviz.descent.walk import descend, walk
from optiviz.objective import Array, Objective, Stream
from optiviz.optimizers.base import Method, Optimizer, OptimizerError
from optiviz.optimizers.lookup import factory_of
from optiviz.optimizers.spec import OptimizerSpec, format_value
from optiviz.registry import OPTIMIZERS
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import InputError, did_you_mean

DECADES = (-4, 3)
SHIFTS = 3  # times that as many decades again are tried on one side
PER_DECADE = 30
DIGITS = 3  # of a rate, so that what is shown is what was used
LOST = 0.1  # share of its descent that a run may have lost again at its end
SCORE = "the lowest loss so far, averaged over all steps; - of what cannot be used"
MAX_STEPS = 1000  # longer runs are tuned on their beginning
MAX_STARTS = 9  # and more starts on the first of them


@dataclass(frozen=True, eq=False)
class RateScores:
    """The rates that were tried, rising, and the score of each: lower is better, inf is out.

    A rate's score is the loss of the best point so far, averaged over steps and starts, so that
    speed counts. It is out if any of its runs leaves finite numbers, or the box with the centre
    of the surface's window and twice its sides (wider where a start is outside). It is also out
    if it loses at the end more than a tenth of its descent again, or ends outside the window,
    and others do not.

    Where all of a network's weights are descended there is no window: the score is the mean loss
    of all steps, each on its own batch, and a rate is out if any run leaves finite numbers, or
    ends no lower and others do.
    """

    rates: Array
    scores: Array

    @property
    def best(self) -> float:
        """The rate with the lowest score, of equal ones the smallest."""
        return float(self.rates[np.argmin(self.scores)])

    @property
    def any_usable(self) -> bool:
        """Whether there is a rate that is not out."""
        return bool(np.isfinite(self.scores).any())

    def table(self) -> str:
        """Return a line a rate, with its score, below their headings."""
        scores = zip(self.rates.tolist(), self.scores.tolist(), strict=True)
        lines = [
            f"{format_value(tried):<10}  {'-' if math.isinf(score) else f'{score:.6g}'}"
            for tried, score in scores
        ]
        return "\n".join([f"{'lr':<10}  score ({SCORE})", *lines])


class ConfiguredOptimizer(NamedTuple):
    """An optimizer with its learning rate, and where the rate comes from.

    source is "given", "default" (the optimizer's), "surface", "signal", "tuned", "none fits" (the
    smallest rate of the grid is used, because all are out), or "" without a learning rate. sought
    are the hyperparameters whose values were sought.
    """

    optimizer: Method
    source: str
    tuning: RateScores | None = None
    tuned: tuple[str, ...] = ()
    fits: bool = True  # whether any of the values that were tried can be used

    @property
    def tuned_label(self) -> str:
        """What is said of a value that was sought."""
        return "tuned" if self.fits else "none fits"


def configure(
    spec: OptimizerSpec,
    surface: Surface,
    starts: Sequence[ArrayLike],
    steps: int,
    lr: float | None = None,
    objective: Objective | Stream | None = None,
) -> ConfiguredOptimizer:
    """Return a word's optimizer with the learning rate that is right for it on this surface.

    met is what it meets there, the surface itself if None; starts are points of that.
    """
    rates = dict(surface.learning_rates)
    for name in rates:
        if name not in OPTIMIZERS:
            raise InputError(
                f"{surface.name}: learning_rates: {did_you_mean('optimizer', name, OPTIMIZERS)}"
            )
    known = without_tuning(spec, lr, rates, "surface")
    if known is not None:
        return known
    tuning = tune(spec, surface, starts, steps, objective=objective)
    sought = (factory_of(spec.name).rate,)
    if tuning.any_usable:
        return ConfiguredOptimizer(_with_rate(spec, tuning.best), "tuned", tuning, sought)
    lowest = max(float(tuning.rates[0]), 10.0 ** DECADES[0])
    return ConfiguredOptimizer(_with_rate(spec, lowest), "none fits", tuning, sought, fits=False)


def _with_rate(spec: OptimizerSpec, rate: float | Array) -> Method:
    return spec.build(**{factory_of(spec.name).rate: rate})


def without_tuning(
    spec: OptimizerSpec, lr: float | None, rates: Mapping[str, float], source: str
) -> ConfiguredOptimizer | None:
    """Return a word's optimizer if its learning rate is known without tuning, else None.

    rates are by optimizer; `source` is what a rate of theirs is called.
    """
    factory = factory_of(spec.name)
    if not factory.rate:
        return ConfiguredOptimizer(spec.build(), "")
    if factory.rate in dict(spec.settings):
        return ConfiguredOptimizer(spec.build(), "given")
    if lr is not None:
        return ConfiguredOptimizer(spec.build(**{factory.rate: lr}), "given")
    if factory.parameters[factory.rate].default is not MISSING:
        return ConfiguredOptimizer(spec.build(), "default")
    if spec.name in rates:
        return ConfiguredOptimizer(spec.build(**{factory.rate: rates[spec.name]}), source)
    return None


def tune(
    spec: OptimizerSpec,
    surface: Surface,
    starts: Sequence[ArrayLike],
    steps: int,
    also: Sequence[float] = (),
    objective: Objective | Stream | None = None,
) -> RateScores:
    """Score rates from 1e-4 to 1e3, 30 a decade, and then all of 3 digits around the best.

    Where the best is at an end of the grid, or all are out, seven decades more are tried there,
    up to three times. Each set of rates is descended at once, as one array. At most 1000 steps
    and 9 starts are walked; a rate of the word itself does not count. `also` are rates that are
    to be scored beside these. Of a problem that has a grid of its own, as networks have, those
    rates are tried. met is what is met on the surface, if not the surface itself.
    """
    sought = factory_of(spec.name).rate
    spec = replace(spec, settings=tuple(each for each in spec.settings if each[0] != sought))
    problem = problem_of(surface)
    grid = problem.rates
    if grid is not None:
        steps, starts = min(steps, grid.steps), starts[: grid.starts]
        rates = np.unique(np.concatenate([_round_digits(grid.rates), also]))
        if not problem.in_plane:
            return _score_network_rates(spec, objective or surface, starts, steps, rates)
        begin = np.array(starts, float)
        tried = _Runs(spec, objective or surface, begin, steps, surface).at(rates)
        return RateScores(tried.rates, tried.ranked)
    begin, steps = np.array(starts[:MAX_STARTS], float), min(steps, MAX_STEPS)
    runs = _Runs(spec, objective or surface, begin, steps, surface)
    tried = _refined(_widened(runs), runs)
    if also:
        tried = tried.joined(runs.at(np.array(also)))
    tried = _confirmed(tried, runs)
    return RateScores(tried.rates, tried.ranked)


def _widened(runs: "_Runs") -> "_Trials":
    """Try a grid of rates, and more on the side where its best one lies at the end."""
    low, high = DECADES
    more = high - low
    tried = runs.at(_decades(low, high))
    for _ in range(SHIFTS):
        if not tried.any_usable or (tried.best == 0 and tried.ranked[0] < tried.ranked[1]):
            tried = tried.joined(runs.at(_decades(low - more, low)))
            low -= more
        elif tried.best == len(tried.rates) - 1:
            tried = tried.joined(runs.at(_decades(high, high + more)))
            high += more
        else:
            break
    return tried


def _refined(tried: "_Trials", runs: "_Runs") -> "_Trials":
    """Try all rates of so many digits between the neighbours of the best one, too."""
    if not tried.any_usable:
        return tried
    beside = tried.rates[max(tried.best - 1, 0) : tried.best + 2]
    return tried.joined(runs.at(_all_rounded_between(beside[0], beside[-1])))


def _confirmed(tried: "_Trials", runs: "_Runs") -> "_Trials":
    """Walk the best rate again as it will be walked for the picture, until one keeps its place.

    A chaotic run can end elsewhere when it is walked by itself.
    """
    while tried.any_usable:
        best = tried.best
        alone = runs.walked_alone(tried.rates[[best]])
        if alone.any_usable and alone.ranks[0] >= tried.ranks[best]:
            break
        tried = alone.joined(tried)
    return tried


class _Trials(NamedTuple):
    """Rates, rising, their scores, and how well their runs ended."""

    rates: Array
    scores: Array  # inf for a run that left the box or finite numbers
    ranks: Array  # 4 if the descent was kept, 2 if they ended lower, 1 if in the window, added up

    @property
    def any_usable(self) -> bool:
        return bool(np.isfinite(self.scores).any())

    @property
    def ranked(self) -> Array:
        highest = self.ranks.max(initial=0, where=np.isfinite(self.scores))
        return np.where(self.ranks == highest, self.scores, np.inf)

    @property
    def best(self) -> int:
        return int(np.argmin(self.ranked))

    def joined(self, other: "_Trials") -> "_Trials":
        """Return the rates of both; what this says of a rate counts."""
        rates, order = np.unique(np.concatenate([self.rates, other.rates]), return_index=True)
        scores = np.concatenate([self.scores, other.scores])
        return _Trials(rates, scores[order], np.concatenate([self.ranks, other.ranks])[order])


class _Runs(NamedTuple):
    """Runs of an optimizer from the same starts, shape (starts, dim), at many rates."""

    spec: OptimizerSpec
    objective: Objective | Stream
    starts: Array
    steps: int
    surface: Surface

    def at(self, rates: Array) -> _Trials:
        """Walk at all rates, and score them."""
        return _score_runs(rates, self._walk_vectorized(rates), self.surface)

    def walked_alone(self, rate: Array) -> _Trials:
        """Walk from each start by itself at one rate, shape (1,), and score it."""
        optimizer = _with_rate(self.spec, float(rate[0]))
        paths = [descend(self.objective, optimizer, start, self.steps) for start in self.starts]
        points = np.stack([path.points for path in paths], axis=1)[:, None]
        return _score_runs(rate, points, self.surface)

    def _walk_vectorized(self, rates: Array) -> Array:
        """Return points of shape (steps + 1, rates, starts, dim)."""
        if not is_vectorized(self.spec, rates):
            return self._walk_each(rates)
        try:
            optimizer = _with_rate(self.spec, rates[:, None, None])
            with np.errstate(all="ignore"):
                begin = np.tile(self.starts, (len(rates), 1, 1))
                return np.stack([x for x, _ in walk(self.objective, optimizer, begin, self.steps)])
        except OptimizerError:  # a stranger's class that cannot do what it should
            return self._walk_each(rates)

    def _walk_each(self, rates: Array) -> Array:
        """Return the same of a method that can only walk run by run; nan where one has ended."""
        points = np.full((self.steps + 1, len(rates), *self.starts.shape), np.nan)
        points[0] = self.starts
        for number, rate in enumerate(rates):
            try:
                method = _with_rate(self.spec, float(rate))
            except InputError:  # a stranger's class may refuse a rate
                continue
            for place, start in enumerate(self.starts):
                with np.errstate(all="ignore"), suppress(OptimizerError):
                    for step, (x, _) in enumerate(walk(self.objective, method, start, self.steps)):
                        points[step, number, place] = x
                        if not np.isfinite(x).all():
                            break
        return points


def is_vectorized(spec: OptimizerSpec, rates: Array) -> bool:
    """Return whether a word's method walks all runs at once."""
    for rate in rates:
        with suppress(InputError):
            method = _with_rate(spec, float(rate))
            return isinstance(method, Optimizer) and method.vectorized
    return False


def _score_network_rates(
    spec: OptimizerSpec,
    objective: Objective | Stream,
    starts: Sequence[ArrayLike],
    steps: int,
    rates: Array,
) -> RateScores:
    """Score rates on a network, whose points are too large for an array of all runs."""
    scores, lower = np.full(len(rates), np.inf), np.zeros(len(rates), bool)
    for number, rate in enumerate(rates):
        optimizer = _with_rate(spec, float(rate))
        paths = [descend(objective, optimizer, start, steps) for start in starts]
        if all(path.ended_at is None for path in paths):
            scores[number] = np.mean([path.losses for path in paths])
            lower[number] = all(path.loss(path.steps) < path.loss(0) for path in paths)
    if lower.any():
        scores[~lower] = np.inf
    return RateScores(rates, scores)


def _score_runs(rates: Array, points: Array, surface: Surface) -> _Trials:
    """Score runs by their points, shape (steps + 1, rates, starts, dim)."""
    low, high = np.transpose(surface.window.intervals)
    with np.errstate(all="ignore"):
        losses = surface.value(points)
        away = np.abs(points - (low + high) / 2) / (high - low)  # 0.5 is the window's edge
        reach = np.maximum(1.0, 2 * away[0].max(axis=(0, 1)))
        staying = (away <= reach).all(axis=(0, 2, 3)) & np.isfinite(losses).all(axis=(0, 2))
        best = np.minimum.accumulate(losses).mean(axis=-1)
        first, last = losses[0].mean(axis=-1), losses[-1].mean(axis=-1)
        kept = last - best[-1] <= LOST * (first - best[-1])
        seen = (away[-1] <= 0.5).all(axis=(-2, -1))
        ranks = 4 * (kept & (last < first)) + 2 * (last < first) + 1.0 * seen
        return _Trials(rates, np.where(staying, best.mean(axis=0), np.inf), ranks)


def _decades(low: int, high: int) -> Array:
    """Return rates from 10**low to 10**high, evenly spaced in their logarithm."""
    return _round_digits(10 ** (np.arange(low * PER_DECADE, high * PER_DECADE + 1) / PER_DECADE))


def _all_rounded_between(low: float, high: float) -> Array:
    """Return all rates of so many digits between two."""
    last_digit = 10.0 ** (math.floor(math.log10(low)) - DIGITS + 1)
    return np.unique(_round_digits(np.arange(low, high, last_digit)))


def _round_digits(rates: NDArray[np.floating[Any]]) -> Array:
    """Return rates rounded to the digits that are shown."""
    return np.array([float(f"{rate:.{DIGITS}g}") for rate in rates])
