"""Which samples are in a batch: the same for every network and model with as many samples."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

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
