"""Which samples are in a batch: the same for every objective with as many samples.

The samples of a sum of squares are its residuals.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array, FeasibleSet, Objective, SumOfSquares
from optiviz.system.errors import InputError


def samples_of_batch(samples: int, size: int, seed: int, step: int) -> NDArray[np.intp]:
    """Return which of `samples` samples are in the batch of a step, shape (size,).

    Each epoch goes through all samples in a new random order, `size` of them per step.
    """
    places = step * size + np.arange(size)
    first, last = int(places[0] // samples), int(places[-1] // samples)
    orders = [_shuffled(samples, seed, turn) for turn in range(first, last + 1)]
    chosen: NDArray[np.intp] = np.concatenate(orders)[places - first * samples]
    return chosen


def check_batch_size(size: int, samples: int, learner: str) -> None:
    """Raise InputError if a batch of this size has more samples than there are."""
    if size > samples:
        raise InputError(f"a batch cannot have {size} samples: the {learner} learns {samples}")


@lru_cache(maxsize=4)
def _shuffled(samples: int, seed: int, turn: int) -> NDArray[np.intp]:
    """Return the order of all samples in epoch number `turn`."""
    return np.random.default_rng([seed, turn, 0]).permutation(samples)


class Samples(Protocol):
    """A mean of losses, one for each of `count` samples."""

    @property
    def dim(self) -> int:
        """Number of coordinates of a point."""

    @property
    def count(self) -> int:
        """The number of samples."""

    def sample_losses(self, x: Array, chosen: NDArray[np.intp]) -> Array:
        """Return the losses of some samples, shape (..., b), for x of shape (..., dim)."""

    def sample_gradients(self, x: Array, chosen: NDArray[np.intp]) -> Array:
        """Return the gradients of the losses of some samples, shape (..., b, dim)."""


class Residuals:
    """The squares of residuals as losses, whose mean is half the sum of the squares."""

    def __init__(self, whole: SumOfSquares) -> None:
        self.whole, self.dim = whole, whole.dim
        with np.errstate(all="ignore"):
            self.count = int(whole.residuals(np.zeros(self.dim)).shape[-1])

    def sample_losses(self, x: Array, chosen: NDArray[np.intp]) -> Array:
        """Return half the squares of some residuals, times their number, shape (..., b)."""
        squares: Array = self.whole.residuals(x)[..., chosen] ** 2
        return self.count / 2 * squares

    def sample_gradients(self, x: Array, chosen: NDArray[np.intp]) -> Array:
        """Return their gradients, shape (..., b, dim)."""
        residuals = self.whole.residuals(x)[..., chosen, None]
        return np.asarray(self.count * residuals * self.whole.jacobian(x)[..., chosen, :])


@dataclass(frozen=True, eq=False)
class SampleBatch:
    """The mean loss of some samples of a whole, or of all: a Batch."""

    whole: Objective
    samples: Samples
    chosen: NDArray[np.intp]  # which samples, shape (b,)

    @property
    def dim(self) -> int:
        """Number of coordinates of a point."""
        return self.whole.dim

    @property
    def feasible_set(self) -> FeasibleSet | None:
        """The set in which x must stay, if there is one."""
        return getattr(self.whole, "feasible_set", None)

    @property
    def full_batch(self) -> "SampleBatch":
        """The objective of all samples."""
        return SampleBatch(self.whole, self.samples, np.arange(self.samples.count))

    def value(self, x: Array) -> Array:
        """Return the loss, shape (...), for x of shape (..., dim)."""
        return np.asarray(self.samples.sample_losses(x, self.chosen).mean(axis=-1))

    def gradient(self, x: Array) -> Array:
        """Return its gradient, shape (..., dim)."""
        return np.asarray(self.sample_gradients(x).mean(axis=-2))

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return value and gradient."""
        return self.value(x), self.gradient(x)

    def sample_gradients(self, x: Array) -> Array:
        """Return the gradient of each, shape (..., b, dim), whose mean is the gradient."""
        return self.samples.sample_gradients(x, self.chosen)


@dataclass(frozen=True, eq=False)
class SampleBatches:
    """A whole on batches of `size` of its samples: a Stream, the same as of a network."""

    whole: Objective
    samples: Samples
    size: int
    seed: int = 0

    def __post_init__(self) -> None:
        if getattr(self.whole, "l1", None):
            raise InputError("batches are of residuals, not of a penalty: leave out one of both")
        if self.size > self.samples.count:
            what = "residuals" if isinstance(self.samples, Residuals) else "samples"
            raise InputError(
                f"a batch cannot have {self.size} {what}: there are {self.samples.count}"
            )

    @property
    def dim(self) -> int:
        """Number of coordinates of a point."""
        return self.whole.dim

    @property
    def feasible_set(self) -> FeasibleSet | None:
        """The set in which x must stay, if there is one."""
        return getattr(self.whole, "feasible_set", None)

    @property
    def full_batch(self) -> SampleBatch:
        """The objective of all samples."""
        return SampleBatch(self.whole, self.samples, np.arange(self.samples.count))

    def sample_gradients(self, x: Array) -> Array:
        """Return the gradient of each, shape (..., samples, dim), whose mean is the gradient."""
        return self.full_batch.sample_gradients(x)

    def at(self, step: int) -> SampleBatch:
        """Return the objective of the batch of step number `step`."""
        chosen = samples_of_batch(self.samples.count, self.size, self.seed, step)
        return SampleBatch(self.whole, self.samples, chosen)
