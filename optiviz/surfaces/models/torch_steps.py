"""What optimizers descend of a PyTorch model: its loss on batches, step by step."""

from typing import TYPE_CHECKING, Any

import numpy as np

from optiviz.objective import Array

if TYPE_CHECKING:
    from optiviz.surfaces.models.torch import TorchProblem


class TorchStep:
    """What a step minimises: the loss of a batch in the mode that the model is in, an Objective.

    Loss and gradient at the last points are kept: a run records the loss where the optimizer asks
    for the gradient.
    """

    def __init__(self, problem: "TorchProblem", batch: Any, seed: int = 0, step: int = 0) -> None:
        self.problem, self._batch, self._chance = problem, batch, (seed, step)
        self.dim, self.parts, self.tensor_kind = problem.dim, problem.parts, problem.tensor_kind
        self.full_batch = problem
        self._known: tuple[Array, Array, Array] | None = None  # points, losses, gradients

    def value(self, x: Array) -> Array:
        """Return the loss, shape (...), for x of shape (..., dim)."""
        return self.value_and_gradient(x)[0]

    def gradient(self, x: Array) -> Array:
        """Return its gradient, shape (..., dim)."""
        return self.value_and_gradient(x)[1]

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return loss and gradient from one forward and one backward pass."""
        if self._known is None or not np.array_equal(self._known[0], x):
            losses, slopes = np.empty(np.shape(x)[:-1]), np.empty(np.shape(x))
            points = np.reshape(np.asarray(x, float), (-1, self.dim))
            rows = slopes.reshape(-1, self.dim)
            for number, point in enumerate(points):
                losses.reshape(-1)[number], rows[number] = self.problem.loss_and_slope(
                    point, self._batch, *self._chance
                )
            self._known = np.array(x, float), losses, slopes
        return self._known[1].copy(), self._known[2].copy()


class TorchBatches:
    """A model on mini-batches: a Stream of its loss on each batch, the same as of a network.

    With size None, each batch is all samples, or what a function draws. Batches and dropout depend
    only on (seed, step).
    """

    def __init__(self, problem: "TorchProblem", size: int | None, seed: int) -> None:
        self.problem, self.size, self.seed = problem, size, seed
        self.dim, self.parts, self.tensor_kind = problem.dim, problem.parts, problem.tensor_kind
        self._last: tuple[int, TorchStep] | None = None

    @property
    def full_batch(self) -> "TorchProblem":
        """The loss of all samples, without dropout."""
        return self.problem

    def at(self, step: int) -> TorchStep:
        """Return the model on the batch of step number `step`."""
        if self._last is None or self._last[0] != step:
            batch = self.problem.batch_of(self.size, self.seed, step)
            self._last = step, TorchStep(self.problem, batch, self.seed, step)
        return self._last[1]
