"""Which samples are in a batch: the same for every objective with as many samples.

The samples of a sum of squares are its residuals.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array, FeasibleSet, SumOfSquares
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


@dataclass(frozen=True, eq=False)
class ResidualBatch:
    """The squares of some residuals, times what makes up for the others: an Objective.

    The mean over all batches is half the sum of all squares.
    """

    whole: SumOfSquares
    chosen: NDArray[np.intp]  # which residuals, shape (b,)
    count: int  # of all residuals

    @property
    def dim(self) -> int:
        """Number of coordinates of a point."""
        return self.whole.dim

    @property
    def feasible_set(self) -> FeasibleSet | None:
        """The set in which x must stay, if there is one."""
        return getattr(self.whole, "feasible_set", None)

    @property
    def full_batch(self) -> "ResidualBatch":
        """The objective of all residuals."""
        return ResidualBatch(self.whole, np.arange(self.count), self.count)

    def value(self, x: Array) -> Array:
        """Return the loss, shape (...), for x of shape (..., dim)."""
        squares = self.whole.residuals(x)[..., self.chosen] ** 2
        return np.asarray(self.count / 2 * squares.mean(axis=-1))

    def gradient(self, x: Array) -> Array:
        """Return its gradient, shape (..., dim)."""
        return np.asarray(self.sample_gradients(x).mean(axis=-2))

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return value and gradient."""
        return self.value(x), self.gradient(x)

    def sample_gradients(self, x: Array) -> Array:
        """Return the gradient of each, shape (..., b, dim), whose mean is the gradient."""
        residuals = self.whole.residuals(x)[..., self.chosen, None]
        return np.asarray(self.count * residuals * self.whole.jacobian(x)[..., self.chosen, :])


@dataclass(frozen=True, eq=False)
class ResidualBatches:
    """A sum of squares on batches of `size` residuals: a Stream, the same as of a network."""

    whole: SumOfSquares
    size: int
    seed: int = 0

    def __post_init__(self) -> None:
        if getattr(self.whole, "l1", None):
            raise InputError("batches are of residuals, not of a penalty: leave out one of both")
        if self.size > self.count:
            raise InputError(f"a batch cannot have {self.size} residuals: there are {self.count}")

    @property
    def dim(self) -> int:
        """Number of coordinates of a point."""
        return self.whole.dim

    @cached_property
    def count(self) -> int:
        """The number of residuals."""
        with np.errstate(all="ignore"):
            return int(self.whole.residuals(np.zeros(self.dim)).shape[-1])

    @property
    def feasible_set(self) -> FeasibleSet | None:
        """The set in which x must stay, if there is one."""
        return getattr(self.whole, "feasible_set", None)

    @property
    def full_batch(self) -> ResidualBatch:
        """The objective of all residuals."""
        return ResidualBatch(self.whole, np.arange(self.count), self.count)

    def sample_gradients(self, x: Array) -> Array:
        """Return the gradient of each, shape (..., residuals, dim), whose mean is the gradient."""
        return self.full_batch.sample_gradients(x)

    def at(self, step: int) -> ResidualBatch:
        """Return the objective of the batch of step number `step`."""
        chosen = samples_of_batch(self.count, self.size, self.seed, step)
        return ResidualBatch(self.whole, chosen, self.count)
