"""A benchmark problem as it is run: where runs start, what they descend, what judges them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from optiviz.descent import problem_of
from optiviz.descent.problem import Problem, feasible
from optiviz.objective import Array, Objective, Stream, pass_on
from optiviz.scoring.judging import Standard, slope
from optiviz.scoring.problems import BenchmarkProblem, start_seed
from optiviz.surfaces.network import Batches, Network
from optiviz.surfaces.network_arrays import NetworkArrayBatches, NetworkArrays
from optiviz.surfaces.noise import GradientNoise, NoisyObjective, with_noise
from optiviz.system.errors import InputError

DRAWS = 100  # for each start, of which the first with a loss above the minimum is taken


class Group(NamedTuple):
    """Starts of a problem whose runs are walked as one array."""

    objective: Objective | Stream  # of that array
    starts: Array  # (s, dim)
    alone: Sequence[Objective | Stream]  # of each run alone


class NoiseOfStarts:
    """A stream that gives the runs from each start their own noise, as an array (..., s, dim)."""

    def __init__(self, streams: Sequence[GradientNoise]) -> None:
        pass_on(streams[0], self)
        self._streams, self.dim = streams, streams[0].dim

    def at(self, step: int) -> NoisyObjective:
        """Return the objective of step number `step`."""
        here = [each.at(step) for each in self._streams]
        shape = self.dim
        added = np.stack([np.broadcast_to(each.noise, shape) for each in here])
        factor = np.stack([np.broadcast_to(each.factor, shape) for each in here])
        return NoisyObjective(here[0].objective, added, factor)


def together(objective: Objective | Stream) -> Objective | Stream:
    """Return an objective that is evaluated quickly at many points: that of a network is not."""
    if isinstance(objective, Network):
        return NetworkArrays(objective)
    return NetworkArrayBatches(objective) if isinstance(objective, Batches) else objective


@dataclass(frozen=True, eq=False)
class Setting:
    """A benchmark problem as it is run."""

    problem: BenchmarkProblem

    @cached_property
    def posed(self) -> Problem:
        """What optimizers descend."""
        return problem_of(self.problem.surface)

    @cached_property
    def true(self) -> Objective:
        """The objective at which runs are judged, of all samples and without noise."""
        found = together(self.posed.true_objective)
        assert not isinstance(found, Stream)
        return found

    @property
    def drifts(self) -> bool:
        """Whether the objective moves, so that a step is judged at its own."""
        return self.problem.noise > 0 and self.problem.noise_kind == "drift"

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The starts: as one array where that is possible, if steps are random with own seeds."""
        alone = [self._objective(number) for number in range(len(self.starts))]
        noisy = [each for each in alone if isinstance(each, GradientNoise)]
        if not isinstance(alone[0], Stream):
            return (Group(alone[0], self.starts, alone),)
        if len(noisy) == len(alone) and not isinstance(noisy[0].objective, Stream):
            return (Group(NoiseOfStarts(noisy), self.starts, alone),)
        return tuple(
            Group(each, self.starts[number : number + 1], [each])
            for number, each in enumerate(alone)
        )

    def _objective(self, number: int) -> Objective | Stream:
        """Return what is descended from a start."""
        seed = start_seed(self.problem.seed, number)
        met = together(self.posed.without_noise(self.problem.batch_size, seed))
        return with_noise(met, self.problem.noise, seed, self.problem.noise_kind)

    @property
    def is_random(self) -> bool:
        """Whether steps are random: of batches, dropout or noise."""
        return isinstance(self.groups[0].objective, Stream)

    @cached_property
    def starts(self) -> Array:
        """The points where runs start, shape (starts, dim); raises InputError if they are too few.

        The first is the surface's own. The others are uniform in its window or box, and for a
        network they are its weights with other seeds. All losses there are above the minimum.
        """
        found = [self.posed.start(self.problem.surface.start)]
        if not self._gap(found[0]) > 0:
            raise InputError(f"{self.problem.name}: the loss at its start is not above the minimum")
        for x in self._drawn():
            if len(found) == self.problem.starts:
                break
            with np.errstate(all="ignore"):
                usable = np.isfinite(self.true.gradient(x)).all()
            if usable and 0 < self._gap(x) < np.inf:
                found.append(x)
        if len(found) < self.problem.starts:
            raise InputError(
                f"{self.problem.name}: {len(found)} of {self.problem.starts} starts were found "
                "with a loss above the minimum"
            )
        return np.stack(found)

    def _gap(self, x: Array) -> float:
        with np.errstate(all="ignore"):
            return float(self.true.value(x) - self.problem.minimum)

    def _drawn(self) -> Iterator[Array]:
        """Yield random points where runs may start."""
        many = DRAWS * self.problem.starts
        box = self.posed.box
        if box is not None:
            random = np.random.default_rng([self.problem.seed, 4])
            low, high = box.T
            for _ in range(many):
                yield feasible(self.problem.surface, random.uniform(low, high))
            return
        network = self.problem.surface.network
        if network is None:
            if self.problem.starts > 1:
                raise InputError(f"{self.problem.name}: a model starts at its own parameters alone")
            return
        architecture = self.posed.origin.space.architecture  # type: ignore[attr-defined]
        for number in range(1, many):
            yield architecture.initial(network.init, network.seed + self.problem.seed + number)

    def standard(self, group: Group, trials: int) -> Standard:
        """Return what the runs of a group, each with so many trials, are judged by."""
        problem = self.problem
        with np.errstate(all="ignore"):
            first = self.true.value(group.starts) - problem.minimum
            slopes = slope(self.stationarity(group.starts))
        return Standard(
            problem.minimum,
            np.tile(first, trials),
            np.tile(np.full(len(first), np.nan) if self.drifts else slopes, trials),
            problem.tolerance,
            problem.budget,
            self.is_random,
        )

    def stationarity(self, x: Array) -> Array:
        """Return what is 0 at a stationary point: the gradient, or how far it leads if allowed."""
        gradient = self.true.gradient(x)
        if self.problem.surface.feasible_set is None:
            return gradient
        return x - feasible(self.problem.surface, x - gradient)

    def losses(self, group: Group, points: Array, step: int) -> Array:
        """Return the true losses, shape (n, r), of n steps from one on, points of (n, r, dim)."""
        if not self.drifts:
            return np.asarray(self.true.value(points))
        stream = group.objective  # of one start, as what moves is no array of them
        assert isinstance(stream, Stream)
        return np.stack([stream.at(step + n).value(x) for n, x in enumerate(points)])
