"""One optimizer's walk from one start, as it is kept."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array
from optiviz.optimizers.base import Method


@dataclass(frozen=True, eq=False)
class Trajectory:
    """One optimizer's walk from one start.

    losses has shape (steps + 1,) and points (rows, dim), the points of the steps that `rows`
    holds: all of them in one or two dimensions, a few in more. Row 0 is the start. A walk that
    ends early has nan in all rows after its last one, and says why:

    diverged_at is the first step whose point or loss is no finite number;
    no_gradient_at is the step at whose finite point the gradient, or the function itself, is
    undefined, so that no step can be taken from there;
    stopped_at is the step that a stranger's code could not take, and `stopped` says why not.

    A loss is that of the objective which the next step is taken on. Where each step has another
    one, true_losses, of shape (rows,), are those of the whole that they are drawn from.

    states holds what the optimizer remembers, by name, one row a step; nothing beyond two
    dimensions. distances, (rows,), is how far the walk was from the plane in which `points` are
    seen, if they are not where it really was; spaced are the steps of `rows` that do not depend on
    what is to be shown; accuracy is the share of held-out samples that the weights at its end get
    right.
    """

    label: str
    optimizer: Method
    points: Array
    losses: Array
    states: dict[str, Array]
    diverged_at: int | None = None
    no_gradient_at: int | None = None
    stopped_at: int | None = None
    stopped: str = ""
    rows: NDArray[np.intp] | None = None  # of every step if None
    true_losses: Array | None = None
    distances: Array | None = None
    spaced: NDArray[np.intp] | None = None
    accuracy: float | None = None

    @property
    def start(self) -> Array:
        """The point of step 0, shape (dim,)."""
        first: Array = self.points[0]
        return first

    @property
    def end(self) -> Array:
        """The last finite point that was kept, shape (dim,)."""
        last: Array = self.finite_points[-1]
        return last

    @property
    def steps(self) -> int:
        """The number of steps that were asked for."""
        return len(self.losses) - 1

    @cached_property
    def last(self) -> int:
        """The last step with a finite point and loss; 0 if not even the start has them."""
        whole = np.isfinite(self.losses)
        whole[self.step_of_row] &= np.isfinite(self.points).all(axis=-1)
        return int(np.flatnonzero(whole)[-1]) if whole.any() else 0

    @cached_property
    def step_of_row(self) -> NDArray[np.intp]:
        """The step of each row of points."""
        return np.arange(len(self.points)) if self.rows is None else self.rows

    @cached_property
    def finite_points(self) -> Array:
        """The points up to the last step, shape (n, dim)."""
        walked: Array = self.points[: self.row(self.last) + 1]
        return walked

    @cached_property
    def row_of_step(self) -> NDArray[np.intp]:
        """The row of `walked` that each step up to the last one has come to, shape (last + 1,)."""
        steps = np.arange(self.last + 1)
        return np.searchsorted(self.step_of_row, steps, side="right") - 1

    @property
    def away(self) -> Array:
        """How far each point of `walked` is from the plane in which it is seen."""
        return self.row_distances[: len(self.finite_points)]

    @property
    def row_distances(self) -> Array:
        """How far each point is from the plane in which it is seen, shape (rows,)."""
        return np.zeros(len(self.points)) if self.distances is None else self.distances

    @property
    def true_losses_by_step(self) -> Array:
        """The true losses, one a step; nan where there are batches and nobody measured it."""
        if self.true_losses is None:
            return self.losses
        losses = np.full(self.steps + 1, np.nan)
        losses[self.step_of_row] = self.true_losses
        return losses

    def row(self, step: int) -> int:
        """Return the row of the last point that was kept up to a step."""
        return int(np.searchsorted(self.step_of_row, step, side="right")) - 1

    def loss(self, step: int) -> float:
        """Return the true loss that a step, or the last one before it, has come to."""
        step = min(step, self.last)
        return float(
            self.losses[step] if self.true_losses is None else self.true_losses[self.row(step)]
        )

    @property
    def ended_at(self) -> int | None:
        """The step at which the walk ended early; None if it did not."""
        ends = (self.diverged_at, self.no_gradient_at, self.stopped_at)
        return next((end for end in ends if end is not None), None)

    @property
    def ending(self) -> str:
        """Why the walk ended early, as in "diverged at step 12"; empty if it did not."""
        if self.diverged_at is not None:
            return f"diverged at step {self.diverged_at}"
        if self.no_gradient_at is not None:
            return f"no gradient at step {self.no_gradient_at}"
        if self.stopped_at is not None:
            return f"{self.stopped.partition(':')[0]} at step {self.stopped_at}"
        return ""

    @property
    def ending_detail(self) -> str:
        """What more there is to say of a walk that ended early, as in ": too steep"."""
        if self.no_gradient_at == 0:
            return ": begin elsewhere"
        _, colon, said = self.stopped.partition(":")
        return colon + said
