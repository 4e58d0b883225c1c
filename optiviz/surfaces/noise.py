"""Noise: objectives whose gradients are noisy, or whose minimum moves.

The kinds are those of Schaul, Antonoglou, Silver, Unit Tests for Stochastic Optimization, 2013:
additive, heavy-tailed, multiplicative and mask-out noise, and non-stationarity. All of it depends
only on (seed, step), wherever and however often an objective is evaluated, so that all optimizers
and runs get the same noise.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from optiviz.objective import Array, Objective, ShiftedObjective, Stream, pass_on
from optiviz.registry import NoiseKind

KEPT = 1_000_000  # numbers of a random walk that are kept


def with_noise(
    objective: Objective | Stream, noise: float, seed: int = 0, kind: NoiseKind = "gaussian"
) -> Objective | Stream:
    """Return an objective, or another stream, with noise of a kind in NOISE_KINDS.

    noise is the SIGMA of that table; the objective itself is returned if it is 0.
    """
    if not noise:
        return objective
    if kind == "drift":
        return Drift(objective, noise, seed)
    return GradientNoise(objective, noise, seed, kind)


@dataclass(frozen=True, eq=False)
class GradientNoise:
    """A Stream: an objective, or another stream, with noise on its gradients.

    kind is any in NOISE_KINDS but drift. The noise of each coordinate is independent, and leaves
    the mean of a gradient as it is; Cauchy noise has no mean.
    """

    objective: Objective | Stream
    sigma: float
    seed: int = 0
    kind: NoiseKind = "gaussian"

    def __post_init__(self) -> None:
        pass_on(self.objective, self)

    def __reduce__(self) -> tuple[Any, ...]:  # without what is passed on
        return GradientNoise, (self.objective, self.sigma, self.seed, self.kind)

    @property
    def dim(self) -> int:
        """Number of coordinates of a point."""
        return self.objective.dim

    def at(self, step: int) -> "NoisyObjective":
        """Return the objective of step number `step`."""
        factor, added = DRAWN[self.kind](_generator(self.seed, step), self.sigma, self.dim)
        return NoisyObjective(_at(self.objective, step), added, factor)


def standard_noise(seed: int, step: int, dim: int) -> Array:
    """Return the Gaussian noise of a step of standard deviation 1, shape (dim,)."""
    return _generator(seed, step).standard_normal(dim)


def _generator(seed: int, step: int) -> np.random.Generator:
    return np.random.default_rng([seed, step, 2])


def _at(objective: Objective | Stream, step: int) -> Objective:
    known: Any = objective  # isinstance(objective, Stream) is slower than a step
    found: Objective = known.at(step) if hasattr(known, "at") else known
    return found


Drawn = tuple[Array | float, Array | float]  # by what a gradient is multiplied, what is added


def _gaussian(random: np.random.Generator, sigma: float, dim: int) -> Drawn:
    return 1.0, sigma * random.standard_normal(dim)


def _cauchy(random: np.random.Generator, sigma: float, dim: int) -> Drawn:
    return 1.0, sigma * random.standard_cauchy(dim)


def _multiplicative(random: np.random.Generator, sigma: float, dim: int) -> Drawn:
    return 1 + sigma * random.standard_normal(dim), 0.0


def _sparse(random: np.random.Generator, sigma: float, dim: int) -> Drawn:
    return (random.random(dim) >= sigma) / (1 - sigma), 0.0


DRAWN: dict[NoiseKind, Callable[[np.random.Generator, float, int], Drawn]] = {
    "gaussian": _gaussian,
    "cauchy": _cauchy,
    "multiplicative": _multiplicative,
    "sparse": _sparse,
}


@dataclass(frozen=True, eq=False)
class NoisyObjective:
    """An objective whose gradient is multiplied and added to; its values are exact."""

    objective: Objective
    noise: Array | float  # that is added, (dim,)
    factor: Array | float = 1.0  # (dim,)

    def __post_init__(self) -> None:
        pass_on(self.objective, self)
        if (smooth := getattr(self.objective, "smooth", None)) is not None:
            object.__setattr__(self, "smooth", NoisyObjective(smooth, self.noise, self.factor))

    @property
    def dim(self) -> int:
        """Number of coordinates of a point."""
        return self.objective.dim

    def value(self, x: Array) -> Array:
        """Return f(x), shape (...)."""
        return self.objective.value(x)

    def gradient(self, x: Array) -> Array:
        """Return df/dx with the noise, shape (..., dim)."""
        return self.objective.gradient(x) * self.factor + self.noise

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return value and gradient."""
        value, gradient = self.objective.value_and_gradient(x)
        return value, gradient * self.factor + self.noise


@dataclass(frozen=True, eq=False)
class Drift:
    """A Stream: an objective, or another stream, that moves as a random walk.

    That of step t is f(x - d), where the steps of d have standard deviation sigma in each
    coordinate, and d = 0 at step 0. Constraints do not move.
    """

    objective: Objective | Stream
    sigma: float
    seed: int = 0
    _kept: dict[int, Array] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        pass_on(self.objective, self)

    def __reduce__(self) -> tuple[Any, ...]:  # without what is passed on
        return Drift, (self.objective, self.sigma, self.seed)

    @property
    def dim(self) -> int:
        """Number of coordinates of a point."""
        return self.objective.dim

    def at(self, step: int) -> ShiftedObjective:
        """Return the objective of step number `step`."""
        return ShiftedObjective(_at(self.objective, step), -self.moved(step))

    def moved(self, step: int) -> Array:
        """Return how far it has moved by a step, shape (dim,)."""
        known = step  # or an earlier one, from which it is summed up
        while known and known not in self._kept:
            known -= 1
        place = self._kept[known] if known else np.zeros(self.dim)
        for each in range(known + 1, step + 1):
            place = place + self.sigma * standard_noise(self.seed, each, self.dim)
            while len(self._kept) >= max(2, KEPT // self.dim):
                self._kept.pop(next(iter(self._kept)))
            self._kept[each] = place
        return place


def unmoved(objective: Objective | Stream | None, points: Array, steps: Sequence[int]) -> Array:
    """Return points of paths, shape (len(steps), ..., dim), as they are seen from an objective.

    One that drifts takes its minimum with it; seen from any other, points are where they are.
    """
    if not isinstance(objective, Drift):
        return points
    places = np.stack([objective.moved(step) for step in steps])
    return points - places.reshape(len(steps), *(1,) * (points.ndim - 2), -1)
