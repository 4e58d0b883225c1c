"""What a step of a descent minimises of a model, and functions that draw its batches."""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from optiviz.objective import Array, pass_on
from optiviz.surfaces.models.problem import ModelProblem
from optiviz.system.errors import InputError


class Evaluation(NamedTuple):
    """What a step can compute of a batch.

    both returns losses, shape (...), and gradients, shape (..., dim), from one forward and one
    backward pass; product the Hessian at x times v, both of shape (dim,).
    """

    both: Callable[[Array], tuple[Array, Array]]
    product: Callable[[Array, Array], Array]


class ModelStep:
    """What a step minimises, an Objective, whose last losses and gradients are kept.

    A run records the loss where the optimizer asks for the gradient.
    """

    def __init__(self, problem: ModelProblem, evaluation: Evaluation) -> None:
        self.dim, self._evaluate = problem.dim, evaluation.both
        pass_on(problem, self)
        self.hessian_product = evaluation.product
        self.full_batch = problem
        self._known: tuple[Array, Array, Array] | None = None  # points, losses, gradients

    def value(self, x: Array) -> Array:
        """Return the loss, shape (...), for x of shape (..., dim)."""
        return self.value_and_gradient(x)[0]

    def gradient(self, x: Array) -> Array:
        """Return its gradient, shape (..., dim)."""
        return self.value_and_gradient(x)[1]

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return loss and gradient together."""
        if self._known is None or not np.array_equal(self._known[0], x):
            self._known = np.array(x, float), *self._evaluate(x)
        return self._known[1].copy(), self._known[2].copy()


class ModelBatches:
    """A model on mini-batches: a Stream of its loss on each batch, the same as of a network.

    evaluation is what evaluates the batch of a step, as a ModelStep does: a pure function of the
    step. full_batch is the loss of all samples.
    """

    def __init__(self, problem: ModelProblem, evaluation: Callable[[int], Evaluation]) -> None:
        self.full_batch, self.dim, self._evaluation = problem, problem.dim, evaluation
        pass_on(problem, self)
        self._last: tuple[int, ModelStep] | None = None

    def at(self, step: int) -> ModelStep:
        """Return the loss of the batch of step number `step`."""
        if self._last is None or self._last[0] != step:
            self._last = step, ModelStep(self.full_batch, self._evaluation(step))
        return self._last[1]


def check_draws(function: Callable[..., Any]) -> None:
    """Raise InputError unless a function of data can be called with a seed and a step."""
    try:
        inspect.signature(function).bind(0, 0)
    except TypeError:
        raise InputError("data: a function must take (seed, step)") from None
    except ValueError:
        pass  # a builtin without a signature
