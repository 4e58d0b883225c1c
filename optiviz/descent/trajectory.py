"""The recorded path of one optimizer from one starting point."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array
from optiviz.optimizers.base import Method


@dataclass(frozen=True, eq=False)
class Trajectory:
    """The path of one optimizer from one starting point.

    losses has shape (steps + 1,) and points (rows, dim), the points of the steps in `rows`: all
    steps in one or two dimensions, a few in more. Row 0 is the starting point. If the path ends
    early, all rows after the last one are nan, and one of these says why:

    diverged_at is the first step whose point or loss is not finite;
    no_gradient_at is the step at whose finite point the gradient, or the function itself, is
    undefined, so that no step can be taken from there;
    stopped_at is the step at which third-party code failed, and `stopped` is the reason.

    Each loss is evaluated on the objective of the next step. If steps have different objectives,
    true_losses, shape (rows,), are evaluated on all samples.

    states holds the optimizer's state by name, one row per step; it is empty in more than two
    dimensions. distances, shape (rows,), are those of the original points from the plane onto which
    `points` are projected, None if there is no projection. spaced are the steps in `rows` that do
    not depend on which frames are shown. accuracy is the fraction of held-out samples that the
    last weights classify correctly.
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
    rows: NDArray[np.intp] | None = None  # every step if None
    true_losses: Array | None = None
    distances: Array | None = None
    spaced: NDArray[np.intp] | None = None
    accuracy: float | None = None

    @property
    def start(self) -> Array:
        """The starting point, shape (dim,)."""
        first: Array = self.points[0]
        return first

    @property
    def end(self) -> Array:
        """The last finite point that was recorded, shape (dim,)."""
        last: Array = self.finite_points[-1]
        return last

    @property
    def steps(self) -> int:
        """The number of steps requested."""
        return len(self.losses) - 1

    @cached_property
    def last(self) -> int:
        """The last step with a finite point and loss; 0 if not even the starting point has them."""
        whole = np.isfinite(self.losses)
        whole[self.step_of_row] &= np.isfinite(self.points).all(axis=-1)
        return int(np.flatnonzero(whole)[-1]) if whole.any() else 0

    @cached_property
    def step_of_row(self) -> NDArray[np.intp]:
        """The step of each row of points."""
        return np.arange(len(self.points)) if self.rows is None else self.rows

    @cached_property
    def finite_points(self) -> Array:
        """The recorded points up to the last finite step, shape (n, dim)."""
        walked: Array = self.points[: self.row(self.last) + 1]
        return walked

    @cached_property
    def row_of_step(self) -> NDArray[np.intp]:
        """The row of `finite_points` for each step up to the last one, shape (last + 1,)."""
        steps = np.arange(self.last + 1)
        return np.searchsorted(self.step_of_row, steps, side="right") - 1

    @property
    def away(self) -> Array:
        """Distance of each of `finite_points` from the plane on which it is drawn, shape (n,)."""
        return self.row_distances[: len(self.finite_points)]

    @property
    def row_distances(self) -> Array:
        """Distance of each point from the plane on which it is drawn, shape (rows,)."""
        return np.zeros(len(self.points)) if self.distances is None else self.distances

    @property
    def true_losses_by_step(self) -> Array:
        """The true loss of each step, shape (steps + 1,); nan where it was not evaluated."""
        if self.true_losses is None:
            return self.losses
        losses = np.full(self.steps + 1, np.nan)
        losses[self.step_of_row] = self.true_losses
        return losses

    def row(self, step: int) -> int:
        """Return the row of the last point that was recorded up to a step."""
        return int(np.searchsorted(self.step_of_row, step, side="right")) - 1

    def loss(self, step: int) -> float:
        """Return the true loss at a step, or at the last one before it that has one."""
        step = min(step, self.last)
        return float(
            self.losses[step] if self.true_losses is None else self.true_losses[self.row(step)]
        )

    @property
    def ended_at(self) -> int | None:
        """The step at which the path ended early; None if it did not."""
        ends = (self.diverged_at, self.no_gradient_at, self.stopped_at)
        return next((end for end in ends if end is not None), None)

    @property
    def ending(self) -> str:
        """Why the path ended early, for example "diverged at step 12"; empty if it did not."""
        if self.diverged_at is not None:
            return f"diverged at step {self.diverged_at}"
        if self.no_gradient_at is not None:
            return f"no gradient at step {self.no_gradient_at}"
        if self.stopped_at is not None:
            return f"{self.stopped.partition(':')[0]} at step {self.stopped_at}"
        return ""

    @property
    def ending_detail(self) -> str:
        """Details of why the path ended early, for example ": too steep"; may be empty."""
        if self.no_gradient_at == 0:
            return ": choose another starting point"
        _, colon, said = self.stopped.partition(":")
        return colon + said
