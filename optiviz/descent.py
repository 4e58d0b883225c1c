"""Walking an optimizer down an objective, and recording the walk.

`walk` is the loop; `descend` keeps what it passes and notices where it ends early.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count, islice
from typing import Any

import numpy as np

from optiviz.objective import Array, Objective, Stream
from optiviz.optimizers.base import Optimizer


@dataclass(frozen=True, eq=False)
class Trajectory:
    """One optimizer's walk from one start.

    points has shape (steps + 1, dim) and losses (steps + 1,); row 0 is the start. A walk that
    ends early has nan in all rows after its last one, and says why:

    diverged_at is the first step whose point or loss is no finite number;
    no_gradient_at is the step at whose finite point the gradient, or the function itself, is
    undefined, so that no step can be taken from there.

    states holds what the optimizer remembers, by name, one row a step.
    """

    label: str
    optimizer: Optimizer
    points: Array
    losses: Array
    states: dict[str, Array]
    diverged_at: int | None = None
    no_gradient_at: int | None = None

    @property
    def start(self) -> Array:
        """The point of step 0, shape (dim,)."""
        first: Array = self.points[0]
        return first

    @property
    def steps(self) -> int:
        """The number of steps that were asked for."""
        return len(self.points) - 1

    @cached_property
    def last(self) -> int:
        """The last step with a finite point and loss; 0 if not even the start has them."""
        whole = np.isfinite(self.losses) & np.isfinite(self.points).all(axis=-1)
        return int(np.flatnonzero(whole)[-1]) if whole.any() else 0

    @property
    def ended_at(self) -> int | None:
        """The step at which the walk ended early; None if it did not."""
        return self.no_gradient_at if self.diverged_at is None else self.diverged_at

    @property
    def ending(self) -> str:
        """Why the walk ended early, as in "diverged at step 12"; empty if it did not."""
        if self.diverged_at is not None:
            return f"diverged at step {self.diverged_at}"
        if self.no_gradient_at is not None:
            return f"no gradient at step {self.no_gradient_at}"
        return ""


def walk(
    objective: Objective | Stream, optimizer: Optimizer, x: Array
) -> Iterator[tuple[Array, Any]]:
    """Yield (x, state) of step 0, 1, 2 ... without end.

    x has shape (..., dim); leading axes are independent runs.
    """
    state = optimizer.init(x)
    yield x, state
    for step in count():
        here = objective.at(step) if isinstance(objective, Stream) else objective
        x, state = optimizer.step(here, x, state)
        yield x, state


def descend(
    objective: Objective, optimizer: Optimizer, start: Sequence[float], steps: int, label: str = ""
) -> Trajectory:
    """Walk `steps` steps from `start`, one run, and record every one of them."""
    watched = _Watched(objective)
    rows = []
    diverged_at = no_gradient_at = None
    with np.errstate(all="ignore"):
        for step, (x, state) in enumerate(
            islice(walk(watched, optimizer, np.array(start, float)), steps + 1)
        ):
            if watched.undefined and not np.isfinite(x).all():
                no_gradient_at = step - 1
                break
            loss = objective.value(x)
            rows.append((x, float(loss), state))
            if not np.isfinite(x).all() or not np.isfinite(loss):
                if np.isfinite(x).all() and not _overflows(objective, x):
                    no_gradient_at = step
                else:
                    diverged_at = step
                break
    return Trajectory(
        label,
        optimizer,
        points=_column([x for x, _, _ in rows], steps),
        losses=_column([loss for _, loss, _ in rows], steps),
        states={
            name: _column([getattr(state, name) for _, _, state in rows], steps)
            for name in getattr(rows[0][2], "_fields", ())
        },
        diverged_at=diverged_at,
        no_gradient_at=no_gradient_at,
    )


def respond(signal: Stream, optimizer: Optimizer, steps: int) -> Array:
    """Return what an optimizer answers to a signal of gradients, shape (steps,).

    A positive gradient is answered by a positive update: what is taken off x. Every step begins
    at x = 0, so that no digit of a small update is lost beside a large x.
    """
    x = np.zeros(signal.dim)
    state, updates = optimizer.init(x), np.empty(steps)
    with np.errstate(all="ignore"):
        for step in range(steps):
            moved, state = optimizer.step(signal.at(step), x, state)
            updates[step] = (x - moved)[0]
    return updates


def _column(rows: Sequence[Any], steps: int) -> Array:
    """Stack rows and fill up with nan to steps + 1 of them."""
    stacked = np.array(rows, float)
    missing = np.full((steps + 1 - len(rows), *stacked.shape[1:]), np.nan)
    return np.concatenate([stacked, missing])


def _overflows(objective: Objective, x: Array) -> bool:
    """Tell numbers too large for float64 from a function that is undefined at x."""
    try:
        with np.errstate(over="raise"):
            objective.value_and_gradient(x)
    except FloatingPointError:
        return True
    return False


class _Watched:
    """An objective that remembers whether it was asked for a gradient it does not have."""

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self.undefined = False
        if hasattr(objective, "hessian"):
            self.hessian = objective.hessian

    @property
    def dim(self) -> int:
        return self._objective.dim

    def value(self, x: Array) -> Array:
        return self._objective.value(x)

    def gradient(self, x: Array) -> Array:
        gradient = self._objective.gradient(x)
        self._look(x, gradient)
        return gradient

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        value, gradient = self._objective.value_and_gradient(x)
        self._look(x, gradient)
        return value, gradient

    def _look(self, x: Array, gradient: Array) -> None:
        if np.isfinite(x).all() and not np.isfinite(gradient).all():
            self.undefined = not _overflows(self._objective, x)
