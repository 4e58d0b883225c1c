"""A problem of a suite as it is run: what is descended, from where, and what counts as solved."""

from typing import NamedTuple

import numpy as np

from optiviz.registry import NoiseKind
from optiviz.surfaces.surface import Surface

SHARES = np.geomspace(0.002, 1.0, 40)  # of a budget, at which the loss of each run is kept
RESOLUTION = 1e-9  # of gaps: minima are known to it, so that those below it are equal
TOLERANCE = 1e-3  # of the gap at the start, unless a problem has its own


def start_seed(seed: int, number: int) -> int:
    """Return the seed of the batches and the noise of runs from a start, given a problem's."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


class BenchmarkProblem(NamedTuple):
    """A problem of a suite: a surface, its conditions, and what counts as solved.

    minimum is the lowest loss there is, or a bound that no loss is below. An instance is solved
    when the gap, which is how far the loss is above it, is at most `tolerance` times that at the
    start. budget is how many evaluations a run may take, and seed is that of starts, batches and
    noise, which differ between starts and are the same for all optimizers.
    """

    name: str
    group: str
    surface: Surface
    minimum: float
    budget: int
    starts: int
    tolerance: float
    batch_size: int | None
    noise: float
    noise_kind: NoiseKind
    seed: int
