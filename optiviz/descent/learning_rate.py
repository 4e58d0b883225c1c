"""Choosing a fair learning rate for each optimizer.

It is the spec's own rate, else the one set for all optimizers, else the optimizer's default, else
the surface's, else it is tuned: many rates are tried from the same starts with the same number of
steps for every optimizer, and the best is used, of those that draw a calm path unless specified.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optiviz.descent import problem_of
from optiviz.descent.problem import Problem
from optiviz.descent.trials import Trials, walk_trials
from optiviz.descent.walk import ALL, MAX_ROWS, descend
from optiviz.objective import Array, Objective, Stream
from optiviz.optimizers.base import Method, check_offered
from optiviz.optimizers.lookup import factory_of
from optiviz.optimizers.spec import OptimizerSpec, format_value
from optiviz.registry import OPTIMIZERS, Pace
from optiviz.surfaces.noise import unmoved
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.progress import Progress

DECADES = (-4, 3)
SHIFTS = 3  # times that the grid is extended by as many decades
PER_DECADE = 30
DIGITS = 3  # significant digits of a rate, so that the printed rate is the exact one
LOST = 0.1  # fraction of its descent that a run may lose again by its end
# The bounds of a calm path, as shares of the diagonal of the window.
MAX_STEP, MAX_BACKWARD = 0.06, 0.15
LOWER = 2  # the rank of a rate whose runs end lower
SCORE = "the lowest loss so far, averaged over all steps"
NETWORK_SCORE = "the loss, averaged over all steps"
MAX_STEPS = 1000  # longer runs are tuned on their first steps
MAX_STARTS = 9  # more starts are tuned on the first ones
MAX_NUMBERS = 20_000_000  # coordinates of all points of the runs of a grid, in many dimensions


@dataclass(frozen=True, eq=False)
class RateScores:
    """The rates that were tried, increasing, and their scores: lower is better, inf is unusable.

    A rate's score is the lowest loss so far, averaged over steps and starts, so that speed counts.
    A rate is unusable if any of its runs becomes non-finite or leaves the box with the centre of
    the surface's window and twice its sides (larger if a start is outside). It is also unusable if
    its runs lose more than a tenth of their descent again by the end, or end outside the window,
    and those of other rates do not.

    A calm rate's largest step is at most 6 % of the diagonal of the window, and its path walks at
    most 15 % of it backwards: the sum, over steps that turn by more than 90 degrees, of the shorter
    of the step and the one before. Both are the largest of all starts. `bound` is by how much these
    bounds are multiplied: 1 if any rate within them is usable and ends lower, else the least power
    of two for which one does; infinite if any pace will do.

    If all weights of a network are descended, there is no window. The score is then the mean loss
    of all steps, each on its own batch, and a rate is unusable if any run becomes non-finite, or
    ends no lower than it started and those of another rate do not.
    """

    rates: Array
    scores: Array
    largest_steps: Array | None = None  # as shares of the diagonal
    backward: Array | None = None
    bound: float = math.inf
    measure: str = SCORE  # what a score is

    @property
    def best(self) -> float:
        """The rate with the lowest score among the calm ones; the smallest of equal ones."""
        return float(self.rates[np.argmin(np.where(self.calm, self.scores, np.inf))])

    @property
    def calm(self) -> NDArray[np.bool_]:
        """Which rates are within the bounds, shape (n,)."""
        if self.largest_steps is None or self.backward is None:
            return np.ones(len(self.rates), bool)
        return wildness(self.largest_steps, self.backward) <= self.bound

    @property
    def any_usable(self) -> bool:
        """Whether any rate is usable."""
        return bool(np.isfinite(self.scores).any())

    def table(self) -> str:
        """Return a table with one line per rate, its score and its pace, below a heading."""
        columns = [
            [format_value(rate) for rate in self.rates.tolist()],
            ["-" if math.isinf(score) else f"{score:.6g}" for score in self.scores.tolist()],
        ]
        headings = ["lr", "score"]
        if self.largest_steps is not None and self.backward is not None:
            columns += [_percentages(self.largest_steps), _percentages(self.backward)]
            headings += ["largest step %", "backwards %"]
        widths = [10, 12, 16, 11]
        lines = [
            "".join(f"{each:<{width}}" for each, width in zip(row, widths, strict=False)).rstrip()
            for row in zip(*columns, strict=True)
        ]
        heading = "".join(f"{each:<{width}}" for each, width in zip(headings, widths, strict=False))
        return "\n".join(
            [f"score: {self.measure}; - if the rate is unusable", heading.rstrip(), *lines]
        )

    def bounds(self) -> str:
        """Return a sentence that says within which bounds the best rate was sought."""
        if math.isinf(self.bound):
            return ""
        step, backward = (f"{100 * self.bound * share:.3g}" for share in (MAX_STEP, MAX_BACKWARD))
        doubled = ", because no rate within smaller bounds ends lower" if self.bound > 1 else ""
        return (
            f"sought among rates whose largest step is at most {step} % of the window's diagonal, "
            f"and that walk at most {backward} % of it backwards{doubled}"
        )


def wildness(largest_steps: Array, backward: Array) -> Array:
    """Return by how much the bounds of a calm path must be multiplied for it to be within them."""
    both = np.maximum(largest_steps / MAX_STEP, backward / MAX_BACKWARD)
    found: Array = np.where(np.isnan(both), np.inf, both)
    return found


def _percentages(shares: Array) -> list[str]:
    return [f"{100 * share:.2f}" if share < 100 else "-" for share in shares.tolist()]


class ConfiguredOptimizer(NamedTuple):
    """An optimizer with its learning rate, and where the rate comes from.

    source is "given", "default" (the optimizer's), "surface", "signal", "tuned", "none fits" (all
    rates are unusable, so the smallest of the grid is used), or "" without a learning rate. tuned
    are the names of the hyperparameters that were tuned.
    """

    optimizer: Method
    source: str
    tuning: RateScores | None = None
    tuned: tuple[str, ...] = ()
    fits: bool = True  # whether any of the tried values is usable

    def for_spec(self, spec: OptimizerSpec) -> "ConfiguredOptimizer":
        """Return the same rate, and the same tuned values, for a spec that does not set them."""
        values, given = self.optimizer.hyperparameters(), dict(spec.settings)
        keys = {self.optimizer.rate, *self.tuned} - given.keys() - {""}
        return self._replace(optimizer=spec.build(**{key: values[key] for key in keys}))

    @property
    def tuned_label(self) -> str:
        """The remark on a tuned value."""
        return "tuned" if self.fits else "none fits"


def configure(
    spec: OptimizerSpec,
    surface: Surface,
    starts: Sequence[ArrayLike],
    steps: int,
    lr: float | None = None,
    objective: Objective | Stream | None = None,
    progress: Progress | None = None,
    pace: Pace = "calm",
) -> ConfiguredOptimizer:
    """Return a spec's optimizer with a fair learning rate on a surface.

    objective is what is descended, the surface itself if None; starts are its points. Raises
    InputError if the surface declares a rate for an unknown optimizer.
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
    tuning = tune(spec, surface, starts, steps, (), objective, progress, pace)
    tuned = (factory_of(spec.name).rate,)
    if tuning.any_usable:
        return ConfiguredOptimizer(_with_rate(spec, tuning.best), "tuned", tuning, tuned)
    lowest = max(float(tuning.rates[0]), 10.0 ** DECADES[0])
    return ConfiguredOptimizer(_with_rate(spec, lowest), "none fits", tuning, tuned, fits=False)


def _with_rate(spec: OptimizerSpec, rate: float | Array) -> Method:
    return spec.build(**{factory_of(spec.name).rate: rate})


def without_tuning(
    spec: OptimizerSpec, lr: float | None, rates: Mapping[str, float], source: str
) -> ConfiguredOptimizer | None:
    """Return a spec's optimizer if its learning rate is known without tuning, else None.

    rates maps names of optimizers to rates, whose source is called `source`.
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
    progress: Progress | None = None,
    pace: Pace = "calm",
) -> RateScores:
    """Score rates from 1e-4 to 1e3, 30 per decade, and then all of 3 digits around the best.

    If the best is at an end of the grid, or none is usable or calm, seven more decades are tried
    there, up to three times. All rates of a grid are descended at once, as one array. At most 1000
    steps and 9 starts are used. A rate set in the spec is ignored. The rates in `also` are scored
    as well. If the problem has its own grid, as networks have, its rates are tried instead.
    objective is what is descended, without noise if None. In more than two dimensions, at most as
    many steps and starts are used as are recorded and fit into memory. Raises InputError if the
    objective lacks what the optimizer needs.
    """
    rate_key = factory_of(spec.name).rate
    spec = replace(spec, settings=tuple(each for each in spec.settings if each[0] != rate_key))
    problem = problem_of(surface)
    descended = objective or problem.true_objective
    check_offered(spec.probe(), descended, spec.name)
    grid = problem.rates
    if grid is not None:
        steps, starts = min(steps, grid.steps), starts[: grid.starts]
        rates = np.unique(np.concatenate([_round_digits(grid.rates), also]))
        if problem.box is None:
            return _score_network_rates(spec, descended, starts, steps, rates, progress)
        begin = np.array(starts, float)
        return _Runs(spec, descended, begin, steps, problem, pace, progress).at(rates).told
    dim = problem.true_objective.dim
    steps = min(steps, MAX_STEPS if dim <= ALL else MAX_ROWS - 1)
    many = MAX_STARTS
    if dim > ALL:
        many = max(1, MAX_NUMBERS // (steps * dim * PER_DECADE * (DECADES[1] - DECADES[0])))
    begin = np.array(starts[: min(many, MAX_STARTS)], float)
    runs = _Runs(spec, descended, begin, steps, problem, pace, progress)
    tried = _refined(_widened(runs), runs)
    if also:
        tried = tried.joined(runs.at(np.array(also)))
    return _confirmed(tried, runs).told


def _widened(runs: "_Runs") -> "_Trials":
    """Try a grid of rates, and extend it on the side where the best one is at its end."""
    low, high = DECADES
    more = high - low
    tried = runs.at(_decades(low, high))
    for _ in range(SHIFTS):
        smallest = tried.best == 0 and tried.ranked[0] < tried.ranked[1]
        wild = tried.bound > 1 and tried.wildness[0] > 1
        if not tried.any_usable or smallest or wild:
            tried = tried.joined(runs.at(_decades(low - more, low)))
            low -= more
        elif tried.best == len(tried.rates) - 1:
            tried = tried.joined(runs.at(_decades(high, high + more)))
            high += more
        else:
            break
    return tried


def _refined(tried: "_Trials", runs: "_Runs") -> "_Trials":
    """Also try all rates of DIGITS digits between the neighbours of the best one."""
    if not tried.any_usable:
        return tried
    beside = tried.rates[max(tried.best - 1, 0) : tried.best + 2]
    return tried.joined(runs.at(_all_rounded_between(beside[0], beside[-1])))


def _confirmed(tried: "_Trials", runs: "_Runs") -> "_Trials":
    """Walk the best rate again run by run, as for the picture, until one is confirmed.

    A chaotic run can end elsewhere when it is walked alone.
    """
    while tried.any_usable:
        best = tried.best
        alone = runs.walked_alone(tried.rates[[best]])
        within = alone.wildness[0] <= tried.bound
        if alone.any_usable and alone.ranks[0] >= tried.ranks[best] and within:
            break
        tried = alone.joined(tried)
    return tried


class _Trials(NamedTuple):
    """Rates, increasing, their scores, how well their runs ended, and how calm they were."""

    rates: Array
    scores: Array  # inf if a run left the box or became non-finite
    ranks: Array  # the sum of 4 if the descent was kept, 2 if lower at the end, 1 if in the window
    largest_steps: Array
    backward: Array
    pace: Pace

    @property
    def any_usable(self) -> bool:
        return bool(np.isfinite(self.scores).any())

    @property
    def wildness(self) -> Array:
        return wildness(self.largest_steps, self.backward)

    @property
    def bound(self) -> float:
        """The least power of two, at least 1, within which a rate ends lower; else infinite."""
        lower = np.isfinite(self.scores) & (self.ranks >= LOWER)
        least = self.wildness.min(initial=np.inf, where=lower)
        if self.pace == "fast" or np.isinf(least):
            return math.inf
        return float(2.0 ** max(0, math.ceil(math.log2(max(least, 1.0)))))

    @property
    def usable(self) -> Array:
        """The scores; inf if a rate is unusable."""
        known = np.isfinite(self.scores) & (self.wildness <= self.bound)
        highest = self.ranks.max(initial=0, where=known)
        return np.where(self.ranks >= highest, self.scores, np.inf)

    @property
    def ranked(self) -> Array:
        """The scores; inf if a rate is unusable, or out of bounds."""
        return np.where(self.wildness <= self.bound, self.usable, np.inf)

    @property
    def best(self) -> int:
        return int(np.argmin(self.ranked))

    @property
    def told(self) -> RateScores:
        return RateScores(self.rates, self.usable, self.largest_steps, self.backward, self.bound)

    def joined(self, other: "_Trials") -> "_Trials":
        """Return the rates of both; for rates in both, the scores of this one."""
        _, order = np.unique(np.concatenate([self.rates, other.rates]), return_index=True)

        def both(mine: Array, theirs: Array) -> Array:
            joined: Array = np.concatenate([mine, theirs])[order]
            return joined

        return _Trials(
            both(self.rates, other.rates),
            both(self.scores, other.scores),
            both(self.ranks, other.ranks),
            both(self.largest_steps, other.largest_steps),
            both(self.backward, other.backward),
            self.pace,
        )


class _Runs(NamedTuple):
    """Runs of an optimizer at many rates from the same starts, shape (starts, dim)."""

    spec: OptimizerSpec
    objective: Objective | Stream
    starts: Array
    steps: int
    problem: Problem
    pace: Pace
    progress: Progress | None = None

    def at(self, rates: Array) -> _Trials:
        """Walk at all rates, shape (n,), and score them."""
        return self._scored(rates, self._walk(rates))

    def walked_alone(self, rate: Array) -> _Trials:
        """Walk from each start alone at one rate, shape (1,), and score it."""
        optimizer = _with_rate(self.spec, float(rate[0]))
        paths = [descend(self.objective, optimizer, start, self.steps) for start in self.starts]
        points = np.stack([path.points for path in paths], axis=1)[:, None]
        return self._scored(rate, points)

    def _scored(self, rates: Array, points: Array) -> _Trials:
        """Score runs by their points, shape (steps + 1, rates, starts, dim)."""
        seen = unmoved(self.objective, points, range(len(points)))
        with np.errstate(all="ignore"):
            losses = self.problem.true_objective.value(seen)
        return _score_runs(rates, points, losses, self.problem, self.pace)

    def _walk(self, rates: Array) -> Array:
        """Return points of shape (steps + 1, rates, starts, dim)."""
        values = {factory_of(self.spec.name).rate: rates}
        kept = self.steps + 1
        return walk_trials(
            Trials(
                self.spec,
                values,
                self.problem.surface,
                self.objective,
                self.starts,
                self.steps,
                kept,
            ),
            self.progress,
        )


def _score_network_rates(
    spec: OptimizerSpec,
    objective: Objective | Stream,
    starts: Sequence[ArrayLike],
    steps: int,
    rates: Array,
    progress: Progress | None,
) -> RateScores:
    """Score rates on a network, whose points are too large to walk all runs as one array."""
    scores, lower = np.full(len(rates), np.inf), np.zeros(len(rates), bool)
    for number, rate in enumerate(rates):
        optimizer = _with_rate(spec, float(rate))
        paths = [descend(objective, optimizer, start, steps) for start in starts]
        if all(path.ended_at is None for path in paths):
            scores[number] = np.mean([path.losses for path in paths])
            lower[number] = all(path.loss(path.steps) < path.loss(0) for path in paths)
        if progress is not None:
            progress(number + 1, len(rates))
    if lower.any():
        scores[~lower] = np.inf
    return RateScores(rates, scores, measure=NETWORK_SCORE)


def _score_runs(
    rates: Array, points: Array, losses: Array, problem: Problem, pace: Pace
) -> _Trials:
    """Score runs by their points, (steps + 1, rates, starts, dim), and the losses there."""
    assert problem.box is not None
    low, high = problem.box.T
    with np.errstate(all="ignore"):
        away = np.abs(points - (low + high) / 2) / (high - low)  # 0.5 is the edge of the window
        reach = np.maximum(1.0, 2 * away[0].max(axis=(0, 1)))
        staying = (away <= reach).all(axis=(0, 2, 3)) & np.isfinite(losses).all(axis=(0, 2))
        best = np.minimum.accumulate(losses).mean(axis=-1)
        first, last = losses[0].mean(axis=-1), losses[-1].mean(axis=-1)
        kept = last - best[-1] <= LOST * (first - best[-1])
        seen = (away[-1] <= 0.5).all(axis=(-2, -1))
        ranks = 4 * (kept & (last < first)) + LOWER * (last < first) + 1.0 * seen
        largest, backward = (
            each.max(axis=-1) / math.hypot(*(high - low)) for each in strides(points)
        )
        scores = np.where(staying, best.mean(axis=0), np.inf)
        return _Trials(rates, scores, ranks, largest, backward, pace)


def strides(points: Array) -> tuple[Array, Array]:
    """Return the length of the largest step, and of all backward walking, shape (...).

    points has shape (steps + 1, ..., dim). Of two consecutive steps that turn by more than 90
    degrees, the shorter one counts as walked backwards.
    """
    moved = np.diff(points, axis=0)
    with np.errstate(all="ignore"):
        lengths = np.sqrt(np.sum(moved**2, axis=-1))
        turned = np.sum(moved[1:] * moved[:-1], axis=-1) < 0
        shorter = np.minimum(lengths[1:], lengths[:-1])
        return lengths.max(axis=0), np.where(turned, shorter, 0.0).sum(axis=0)


def _decades(low: int, high: int) -> Array:
    """Return rates from 10**low to 10**high, evenly spaced in their logarithm."""
    return _round_digits(10 ** (np.arange(low * PER_DECADE, high * PER_DECADE + 1) / PER_DECADE))


def _all_rounded_between(low: float, high: float) -> Array:
    """Return all rates of DIGITS digits between two."""
    last_digit = 10.0 ** (math.floor(math.log10(low)) - DIGITS + 1)
    return np.unique(_round_digits(np.arange(low, high, last_digit)))


def _round_digits(rates: NDArray[np.floating[Any]]) -> Array:
    """Return rates rounded to DIGITS digits."""
    return np.array([float(f"{rate:.{DIGITS}g}") for rate in rates])
