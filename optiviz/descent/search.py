"""Hyperparameter search, the same for every optimizer.

Each has the same number of trials, with the same starts and number of steps. The best trial has
the lowest median of the final loss over the starts. Ties are broken by fewer diverged runs, then by
smaller values.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from optiviz.descent import problem_of
from optiviz.descent.trials import See, Trials, walk_trials
from optiviz.descent.walk import descend
from optiviz.objective import Array, Objective, Stream
from optiviz.optimizers.base import check_offered
from optiviz.optimizers.factory import OptimizerFactory
from optiviz.optimizers.lookup import factory_of, is_third_party_optimizer
from optiviz.optimizers.spec import OptimizerSpec
from optiviz.surfaces.noise import unmoved
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.progress import Progress

TRIALS = 256
RATES = 1e-4, 1e3  # range of learning rates, unless specified
CLOSEST = 1e-4  # distance from 1 of the largest decay rate, unless specified
DIGITS = 4  # significant digits of a value, so that the printed value is the exact one
SPREAD = 0.25, 0.75  # quantiles over the starts that are shown
DECADE = 10.0  # ratio of the ends from which on a range is logarithmic


@dataclass(frozen=True)
class Range:
    """The range of a hyperparameter that is searched; bounds are None unless specified.

    Values are evenly spaced on a logarithmic scale if the ends are at least a decade apart, else on
    a linear one. Without bounds, those of a decay rate in [0, 1) are evenly spaced in the logarithm
    of their distance from 1.
    """

    key: str
    bounds: tuple[float, float] | None = None

    @classmethod
    def read(cls, text: str) -> "Range":
        """Parse a range such as "lr" or "beta1=0.5:0.99"; raise InputError if it is invalid."""
        key, equals, ends = (part.strip() for part in text.partition("="))
        if not key.isidentifier():
            raise InputError(f"{text!r} is not a valid range: write lr or beta1=0.5:0.99")
        if not equals:
            return cls(key)
        try:
            low, high = (float(end) for end in ends.split(":"))
        except ValueError:
            raise InputError(f"{text!r} is not a valid range: write {key}=0.5:0.99") from None
        if not low < high or not np.isfinite([low, high]).all():
            raise InputError(f"{text!r} is not a valid range: LOW must be below HIGH")
        return cls(key, (low, high))

    def __str__(self) -> str:
        if self.bounds is None:
            return self.key
        return f"{self.key}=" + ":".join(repr(end).removesuffix(".0") for end in self.bounds)

    def values(self, factory: OptimizerFactory, shares: Array) -> Array:
        """Return the values at fractions `shares` of the range, from 0 to 1.

        Raises InputError if there are no bounds, neither specified nor by default.
        """
        within = factory.parameters[self.key].within
        if self.bounds is None and self.key == factory.rate:
            low, high = RATES
        elif self.bounds is not None:
            low, high = self.bounds
        elif within == "[0, 1)":
            return _round_digits(1 - CLOSEST**shares)
        else:
            raise InputError(f"{self.key} has no default range: write {self.key}=LOW:HIGH")
        if low > 0 and high / low >= DECADE:
            return _round_digits(low * (high / low) ** shares)
        return _round_digits(low + (high - low) * shares)


def _round_digits(values: Array) -> Array:
    return np.array([float(f"{value:.{DIGITS}g}") for value in values])


@dataclass(frozen=True, eq=False)
class SearchResult:
    """The trials of one optimizer.

    values are those of each searched hyperparameter, shape (trials,). losses are final losses,
    shape (trials, starts), inf if the run diverged: it became non-finite, or ended outside the box
    with the centre of the window and twice its sides. reached, shape (trials, starts), is whether
    the run ended within 1 % of the window's diagonal of a global minimum, None if none is known.
    """

    spec: OptimizerSpec
    values: dict[str, Array]
    losses: Array
    reached: Array | None

    @property
    def trials(self) -> int:
        """The number of trials."""
        return len(self.losses)

    @cached_property
    def medians(self) -> Array:
        """The median final loss of each trial, inf if half of the runs have diverged."""
        medians: Array = np.quantile(self.losses, 0.5, axis=1, method="higher")
        return medians

    @cached_property
    def spread(self) -> tuple[Array, Array]:
        """The final losses between which the middle half of each trial's runs end."""
        low, high = (np.quantile(self.losses, each, axis=1, method="nearest") for each in SPREAD)
        return low, high

    @cached_property
    def diverged(self) -> Array:
        """The fraction of each trial's runs that have diverged."""
        shares: Array = np.isinf(self.losses).mean(axis=1)
        return shares

    @cached_property
    def best(self) -> int:
        """The index of the best trial."""
        order = np.lexsort((*reversed(self.values.values()), self.diverged, self.medians))
        return int(order[0])

    @property
    def any_usable(self) -> bool:
        """Whether the median final loss of any trial is finite."""
        return bool(np.isfinite(self.medians).any())

    @property
    def winner(self) -> OptimizerSpec:
        """The spec with the values of the best trial."""
        return self.at(self.best)

    def at(self, trial: int) -> OptimizerSpec:
        """Return the spec with the values of a trial."""
        found = tuple((key, float(values[trial])) for key, values in self.values.items())
        return replace(self.spec, settings=(*found, *self.spec.settings))


class SearchSetup(NamedTuple):
    """The setup that all optimizers of a search share."""

    surface: Surface
    objective: Objective | Stream
    starts: Sequence[Array]
    steps: int
    ranges: Sequence[Range]
    trials: int
    seed: int

    def trials_of(self, spec: OptimizerSpec) -> int:
        """Return the number of trials of an optimizer: 1 if nothing that it has is searched."""
        return self.trials if _open_ranges(spec, factory_of(spec.name), self.ranges) else 1


def check_ranges(
    specs: Sequence[OptimizerSpec], ranges: Sequence[Range], given: bool = False
) -> None:
    """Raise InputError for a range of an unknown hyperparameter or with invalid values.

    Also if a spec sets a searched hyperparameter, unless `given` is true.
    """
    factories = [factory_of(spec.name) for spec in specs]
    for each in ranges:
        having = [
            (spec, factory)
            for spec, factory in zip(specs, factories, strict=True)
            if each.key in factory.parameters
        ]
        if not having:
            known = {key for factory in factories for key in factory.parameters}
            names = ", ".join(spec.name for spec in specs)
            raise InputError(f"{names}: {did_you_mean('hyperparameter', each.key, known)}")
        for spec, factory in having:
            if each.key in dict(spec.settings):
                if given:
                    continue
                raise InputError(f"{spec.name}: {each.key} cannot be both set and tuned")
            if factory.parameters[each.key].type in (bool, int):
                raise InputError(f"{spec.name}: {each.key} cannot be tuned: it is not continuous")
    for spec, factory in zip(specs, factories, strict=True):
        ranges_searched = _open_ranges(spec, factory, ranges)
        ends = [each.values(factory, np.array([0.0, 1.0])) for each in ranges_searched]
        if not is_third_party_optimizer(spec.name):  # which may reject a value
            rate = {factory.rate: 1.0} if factory.rate else {}
            for values in np.transpose(ends).tolist():
                keys = [each.key for each in ranges_searched]
                spec.build(**(rate | dict(zip(keys, values, strict=True))))


def _open_ranges(
    spec: OptimizerSpec, factory: OptimizerFactory, ranges: Sequence[Range]
) -> list[Range]:
    """Return the ranges of hyperparameters that an optimizer has and its spec does not set."""
    given = dict(spec.settings)
    return [each for each in ranges if each.key in factory.parameters and each.key not in given]


def search(
    spec: OptimizerSpec,
    setup: SearchSetup,
    progress: Progress | None = None,
    watch: Callable[[Callable[[], "SearchResult"]], None] | None = None,
) -> SearchResult:
    """Try an optimizer with many values of the searched hyperparameters, each from all starts.

    watch is called after some of the trials, with what returns the result of those so far. Raises
    InputError if the objective lacks what the optimizer needs.
    """
    factory = factory_of(spec.name)
    check_offered(spec.probe(), setup.objective, spec.name)
    ranges_searched = _open_ranges(spec, factory, setup.ranges)
    trials = setup.trials_of(spec)
    shares = _shares(len(ranges_searched), trials, setup.seed)
    values = {
        each.key: each.values(factory, share)
        for each, share in zip(ranges_searched, shares, strict=True)
    }
    starts = np.array(setup.starts, float)
    many = Trials(spec, values, setup.surface, setup.objective, starts, setup.steps, kept=1)
    in_plane = problem_of(setup.surface).in_plane

    def result(found: Array) -> SearchResult:
        """Return the result of the first trials, from their last points, or their losses."""
        if not in_plane:
            return SearchResult(spec, _first(values, len(found)), found, None)
        (ends,) = unmoved(setup.objective, found, [setup.steps])
        scores = _score_runs(ends, starts, setup.surface)
        return SearchResult(spec, _first(values, len(ends)), *scores)

    def see(found: Callable[[], Array]) -> None:
        if watch is not None:
            watch(lambda: result(found()))

    return result((walk_trials if in_plane else _network_losses)(many, progress, see))


def _first(values: Mapping[str, Array], number: int) -> dict[str, Array]:
    return {key: each[:number] for key, each in values.items()}


def _network_losses(many: Trials, progress: Progress | None, see: See) -> Array:
    """Return the final losses on a network, shape (trials, starts), inf if a run has ended."""
    losses = np.full((many.number, len(many.starts)), np.inf)
    for trial in range(many.number):
        with suppress(InputError):  # third-party code may reject a value
            method = many.method(trial)
            for place, start in enumerate(many.starts):
                path = descend(many.objective, method, start, many.steps)
                if path.ended_at is None:
                    losses[trial, place] = path.loss(path.steps)
        if progress is not None:
            progress(trial + 1, many.number)
        see(lambda done=trial + 1: losses[:done].copy())  # type: ignore[misc]
    return losses


def _shares(keys: int, trials: int, seed: int) -> Iterator[Array]:
    """Yield the trials' fractions of each range: even for one range, else a Latin hypercube."""
    if keys == 1:
        yield np.linspace(0, 1, trials)
        return
    rng = np.random.default_rng(seed)
    for _ in range(keys):
        yield (rng.permutation(trials) + 0.5) / trials


def _score_runs(ends: Array, starts: Array, surface: Surface) -> tuple[Array, Array | None]:
    """Return the final losses, inf if a run has diverged, and which runs reached a minimum."""
    low, high = np.transpose(surface.window.intervals)
    with np.errstate(all="ignore"):
        losses = surface.value(ends)
        away = np.abs(ends - (low + high) / 2) / (high - low)
        reach = np.maximum(1.0, 2 * np.abs(starts - (low + high) / 2) / (high - low))
        staying = (away <= reach).all(axis=-1) & np.isfinite(losses)
    losses = np.where(staying, losses, np.inf)
    minima = global_minima(surface)
    if not len(minima):
        return losses, None
    with np.errstate(all="ignore"):
        distances = np.linalg.norm(ends[..., None, :] - minima, axis=-1).min(axis=-1)
    return losses, staying & (distances <= surface.minimum_radius)


def global_minima(surface: Surface) -> Array:
    """Return the known global minima, shape (n, dim)."""
    known = np.reshape(surface.minima, (-1, surface.dim)).astype(float)
    if not len(known):
        return known
    values = surface.value(known)
    lowest = values.min()
    lowest_of_all: Array = known[values <= lowest + 1e-6 * max(1.0, abs(float(lowest)))]
    return lowest_of_all
