"""Walking an optimizer with many values of its hyperparameters, each from the same starts.

Built-in optimizers walk all runs as arrays. A user's class is tried with arrays, and otherwise
walks its runs one by one, on all cores, as solvers do.
"""

from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor
from typing import NamedTuple

import numpy as np

from optiviz.descent import problem_of
from optiviz.descent.run_arrays import AloneObjective, Numbers, Runs
from optiviz.descent.walk import descend, walk
from optiviz.objective import Array, Objective, Stream
from optiviz.optimizers.base import BaseWrapper, Method, Optimizer, OptimizerError
from optiviz.optimizers.lookup import factory_of, is_third_party_optimizer
from optiviz.optimizers.spec import OptimizerSpec
from optiviz.optimizers.third_party import UserOptimizer, leftovers
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import InputError, OptivizError
from optiviz.system.progress import Progress

ROWS = 16_384  # runs that are walked at once, so that they stay in the cache
See = Callable[[Callable[[], Array]], None]  # is told what returns the outcomes of trials so far
COMPARED = 5  # trials, at most, that are walked both ways besides the first


class Trials(NamedTuple):
    """Values of hyperparameters, shape (trials,), the starts, shape (starts, dim), and the steps.

    objective is what is descended on the surface; `kept` is how many points of each run are wanted,
    counted from its end.
    """

    spec: OptimizerSpec
    values: Mapping[str, Array]
    surface: Surface
    objective: Objective | Stream
    starts: Array
    steps: int
    kept: int

    @property
    def number(self) -> int:
        """The number of trials."""
        return max(map(len, self.values.values()), default=1)

    @property
    def block(self) -> int:
        """The number of trials that are walked as one array."""
        return max(1, ROWS // len(self.starts))

    def method(self, trial: int) -> Method:
        """Return the optimizer of a trial; raise InputError if it rejects a value."""
        settings = {key: float(each[trial]) for key, each in self.values.items()}
        return self.spec.build(**settings).walker

    def walk_one(self, trial: int) -> Array:
        """Walk the runs of a trial one by one and return their points, shape (kept, starts, dim).

        They are nan from the step on at which a run ends; the first one is always the start.
        """
        points = np.full((self.steps + 1, *self.starts.shape), np.nan)
        points[0] = self.starts
        try:
            method = self.method(trial)
        except InputError:  # third-party code may reject a value
            return points[-self.kept :]
        for place, start in enumerate(self.starts):
            path = descend(self.objective, method, start, self.steps)
            finite = np.isfinite(path.points).all(axis=-1) & np.isfinite(path.losses)
            going = np.logical_and.accumulate(finite)[1:, None]
            points[1:, place] = np.where(going, path.points[1:], np.nan)
        return points[-self.kept :]

    def walk_block(self, first: int) -> Array:
        """Walk a block of trials as one array; return points of shape (kept, trials, starts, dim).

        A run that leaves the finite numbers goes on, and its bits may differ from those of
        `walk_one`.
        """
        values = {key: each[first : first + self.block] for key, each in self.values.items()}
        method = self.spec.build(
            **{key: each[:, None, None] for key, each in values.items()}
        ).walker
        starts = self._block_starts(first)
        with np.errstate(all="ignore"):
            walked = (x for x, _ in walk(self.objective, method, starts, self.steps))
            return np.stack(deque(walked, maxlen=self.kept))

    def walk_block_exactly(self, first: int) -> Array:
        """Return the points that `walk_one` returns for a block of trials, walked as one array.

        That holds for an optimizer that computes each run from nothing but itself. Raises
        InputError or OptimizerError if it cannot walk arrays.
        """
        values = {key: each[first : first + self.block] for key, each in self.values.items()}
        numbers = {key: each[:, None, None].view(Numbers) for key, each in values.items()}
        method, objective = self.spec.build(**numbers).walker, AloneObjective(self.objective)
        starts = self._block_starts(first).view(Runs)
        points: deque[Array] = deque(maxlen=self.kept)
        going = np.ones(starts.shape[:-1], bool)
        with np.errstate(all="ignore"):
            for step, (runs, _) in enumerate(walk(objective, method, starts, self.steps)):
                x, losses = np.asarray(runs), np.asarray(objective.at(step).value(runs))
                going &= np.isfinite(x).all(axis=-1) & np.isfinite(losses)
                points.append(np.where(going[..., None], x, np.nan) if step else x)
        return np.stack(points)

    def _block_starts(self, first: int) -> Array:
        return np.tile(self.starts, (min(self.block, self.number - first), 1, 1))


def walk_trials(trials: Trials, progress: Progress | None = None, see: See | None = None) -> Array:
    """Walk every trial; return the points of all runs, shape (kept, trials, starts, dim).

    Runs of built-in optimizers are walked as arrays; those of solvers and third-party code give
    what `Trials.walk_one` gives, to the last bit. Neither progress nor see is called while arrays
    are tried.

    A user's class is walked as arrays if several trials, also walked one by one, agree: the first,
    those of the lowest, middle and highest value, and those with the lowest and the flattest end,
    where a class that stops by itself would have stopped. Arrays are not tried if the first trial
    changes anything that later ones could see: then all are walked in order, in this process. So
    they are if the first trial, repeated, gives something else.
    """
    if not is_third_party_optimizer(trials.spec.name):
        method = trials.method(0)
        if isinstance(method, Optimizer) and method.vectorized:
            return _walk_blocks(trials, trials.walk_block, progress, see)
        return _walk_each(trials, False, progress, see)
    if trials.number <= COMPARED:
        return _walk_each(trials, True, progress, see)
    found = factory_of(trials.spec.name).sources[-1]
    before = leftovers(found)
    first = trials.walk_one(0)
    if leftovers(found) != before:
        return _walk_each(trials, True, progress, see, first)
    together = _walk_together(trials, first)
    if together is not None:
        return together
    return _walk_each(trials, not _same(trials.walk_one(0), first), progress, see, first)


def _walk_blocks(
    trials: Trials,
    walk_block: Callable[[int], Array],
    progress: Progress | None = None,
    see: See | None = None,
) -> Array:
    blocks: list[Array] = []
    for first in range(0, trials.number, trials.block):
        blocks.append(walk_block(first))
        if progress is not None:
            progress(min(first + trials.block, trials.number), trials.number)
        if see is not None:
            see(lambda: np.concatenate(blocks, axis=1))
    return np.concatenate(blocks, axis=1)


def _walk_each(
    trials: Trials, in_order: bool, progress: Progress | None, see: See | None, *known: Array
) -> Array:
    """Walk the trials one by one, except the first ones, whose points are known."""
    # Imports multiprocessing, which most runs do not need.
    from optiviz.system.processes import call_each

    def watch(walked: list[Array]) -> None:
        if see is not None:
            see(lambda: np.stack([*known, *walked], axis=1))

    left = range(len(known), trials.number)
    try:
        walked = call_each(trials.walk_one, left, in_order, progress, watch)
    except BrokenExecutor as error:
        raise OptivizError(f"{trials.spec.heading}: {error}") from None
    return np.stack([*known, *walked], axis=1)


def _walk_together(trials: Trials, first: Array) -> Array | None:
    """Return the points of a user's class, walked as arrays; None if that gives something else.

    first are the points of the first trial. If the surface is a user's function, arrays are not
    tried: its values may have other bits for arrays.
    """
    if trials.surface.function is not None:
        return None
    try:
        if not isinstance(innermost(trials.method(0)), UserOptimizer):
            return None
        points = _walk_blocks(trials, trials.walk_block_exactly)
    except (InputError, OptimizerError):
        return None
    if not _same(points[:, 0], first):
        return None
    same = (_same(points[:, each], trials.walk_one(each)) for each in _compared(trials, points[-1]))
    return points if all(same) else None


def innermost(method: Method) -> Method:
    """Return the method inside all wrappers."""
    while isinstance(method, BaseWrapper):
        method = method.inner
    return method


def _compared(trials: Trials, ends: Array) -> list[int]:
    """Return the trials to walk both ways, besides the first; ends has shape (trials, ...)."""
    order = np.lexsort(tuple(trials.values.values()))
    with np.errstate(all="ignore"):
        judge = problem_of(trials.surface).true_objective
        losses, slopes = judge.value(ends), np.abs(judge.gradient(ends)).max(axis=-1)
    picked = {int(order[0]), int(order[len(order) // 2]), int(order[-1])}
    for low in (losses, slopes):
        best = np.where(np.isnan(low), np.inf, low).min(axis=1)
        picked.add(int(best.argmin()))
    return sorted(picked - {0})


def _same(one: Array, other: Array) -> bool:
    """Return whether all bits are the same; any nan equals any other."""
    signs = np.signbit(one) == np.signbit(other)
    return bool(((one == other) & signs | np.isnan(one) & np.isnan(other)).all())
