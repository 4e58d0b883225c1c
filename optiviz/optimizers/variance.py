"""Variance reduction: gradients of batches, less their noise, as far as it is known from before.

The gradient of a batch differs from that of all samples by nearly as much at a point not far away.
So the difference there, which is known, is subtracted.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from optiviz.objective import Array, Batch, Objective
from optiviz.optimizers.base import IDENTITY, Hyper, Optimizer, alternating_limit, hyper
from optiviz.shapes import Points, Segment, Sketch
from optiviz.system.errors import InputError

MAX_TABLE = 64_000_000  # bytes of the gradients that saga keeps


class SnapshotState(NamedTuple):
    """State of SVRG."""

    snapshot: Array  # (..., dim), the last point at which the gradient of all samples was taken
    full: Array  # (..., dim), that gradient
    before: Array  # (..., dim), the point before the last step
    plain: Array  # (..., dim), where gradient descent on the batch would have gone
    step: int  # steps taken


@dataclass(frozen=True, eq=False, kw_only=True)
class SVRG(Optimizer):
    """Stochastic variance-reduced gradient: a batch's gradient, corrected by a snapshot.

        every `period` steps: s <- x, m <- gradient at s of all samples
        g <- gradient at x of the batch - gradient at s of the batch + m
        x <- x - lr * g

    Paper: Johnson and Zhang, Accelerating Stochastic Gradient Descent using Predictive Variance
    Reduction, 2013, figure 1, option I.

    The mean of g over all batches is the gradient of all samples. As x and s approach the minimum,
    g becomes 0, so that lr need not fall.
    """

    needs: ClassVar[tuple[str, ...]] = ("full_batch",)
    lr: Hyper = hyper(help="learning rate", within="(0, inf)")
    period: int = hyper(20, help="number of steps between snapshots", within="[1, 1e9]")

    def init(self, x: Array) -> SnapshotState:
        return SnapshotState(np.copy(x), np.zeros_like(x), np.copy(x), np.copy(x), 0)

    def step(
        self, objective: Objective, x: Array, state: SnapshotState
    ) -> tuple[Array, SnapshotState]:
        snapshot, full = state.snapshot, state.full
        if state.step % self.period == 0:
            snapshot, full = x, objective.full_batch.gradient(x)  # type: ignore[attr-defined]
        g = objective.gradient(x)
        correction = full - objective.gradient(snapshot)
        moved = x - self.lr * (g + correction)
        return moved, SnapshotState(snapshot, full, x, x - self.lr * g, state.step + 1)

    def sketch(self, state: SnapshotState) -> Sketch:
        return plain_step(state)

    def preconditioner(self, state: SnapshotState) -> Array:
        return IDENTITY

    def stability_limit(self, step: int) -> float | None:
        return alternating_limit(self.lr, 1.0)


class TableState(NamedTuple):
    """State of SAGA."""

    table: Array  # (..., samples, dim), the last known gradient of each sample
    mean: Array  # (..., dim), their mean
    before: Array  # (..., dim), the point before the last step
    plain: Array  # (..., dim), where gradient descent on the batch would have gone
    step: int  # steps taken


@dataclass(frozen=True, eq=False, kw_only=True)
class SAGA(Optimizer):
    """SAGA: a batch's gradient, corrected by a table of the last gradient of each sample.

        g <- gradient of the batch - mean of its rows of the table + mean of the table
        x <- x - lr * g
        rows of the batch in the table <- gradients of its samples, before the step

    Paper: Defazio, Bach and Lacoste-Julien, SAGA: A Fast Incremental Gradient Method With Support
    for Non-Strongly Convex Composite Objectives, 2014, equations 1 and 2.

    The table begins with the gradients of all samples at the start. The mean of g over all batches
    is the gradient of all samples.
    """

    needs: ClassVar[tuple[str, ...]] = ("full_batch", "sample_gradients")
    lr: Hyper = hyper(help="learning rate", within="(0, inf)")

    def init(self, x: Array) -> TableState:
        table = np.zeros((*x.shape[:-1], 0, x.shape[-1]))
        return TableState(table, np.zeros_like(x), np.copy(x), np.copy(x), 0)

    def step(self, objective: Objective, x: Array, state: TableState) -> tuple[Array, TableState]:
        table, mean = state.table, state.mean
        if not state.step:
            table = first_table(objective, x)
            mean = table.mean(axis=-2)
        rows = objective.chosen  # type: ignore[attr-defined]
        kept = table[..., rows, :]
        change = objective.sample_gradients(x) - kept  # type: ignore[attr-defined]
        g = objective.gradient(x)
        moved = x - self.lr * (g - kept.mean(axis=-2) + mean)
        table = table.copy()
        table[..., rows, :] += change
        mean = mean + change.sum(axis=-2) / table.shape[-2]
        return moved, TableState(table, mean, x, x - self.lr * g, state.step + 1)

    def sketch(self, state: TableState) -> Sketch:
        return plain_step(state)

    def preconditioner(self, state: TableState) -> Array:
        return IDENTITY

    def stability_limit(self, step: int) -> float | None:
        return alternating_limit(self.lr, 1.0)


def plain_step(state: SnapshotState | TableState) -> Sketch:
    """Return the step that gradient descent on the batch would have taken."""
    line = np.stack([state.before, state.plain])
    return Segment(line, "tried"), Points(line[1:], "tried")


def first_table(objective: Objective, x: Array) -> Array:
    """Return the gradient of each sample, (..., samples, dim); raise InputError if too large."""
    whole: Batch = objective.full_batch  # type: ignore[attr-defined]
    samples, dim = len(whole.chosen), x.shape[-1]
    needed = 8 * samples * dim
    if needed > MAX_TABLE:
        raise InputError(
            f"saga keeps {samples} gradients of {dim} coordinates, which take "
            f"{needed / 1e6:.0f} MB, but at most {MAX_TABLE / 1e6:.0f} MB are allowed: choose svrg"
        )
    return whole.sample_gradients(x)
