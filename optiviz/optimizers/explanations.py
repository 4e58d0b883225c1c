"""Why a step is what it is: of what it is the lowest point, drawn as a sketch.

A method says in which norm its steps are steepest, and whether they follow the gradient. What is
here remembers where a step began, so that both can be drawn.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from optiviz.objective import Array, Objective, Stream
from optiviz.optimizers.base import Method, Optimizer, SameRule, Solver, inverse_times
from optiviz.registry import Explanation
from optiviz.shapes import QuadraticModel, Sketch
from optiviz.system.errors import InputError


class Reason(ABC):
    """What a step is explained by: what is remembered of it, in `rows` vectors, and drawn."""

    rows: ClassVar[int]
    lacking: ClassVar[str]  # says that no method of a run has it, and names some that do
    needless: ClassVar[str] = ""  # says why it is not drawn in one dimension, if it is not
    has_shadow: ClassVar[bool] = False  # whether it is also drawn of more than two dimensions

    @staticmethod
    @abstractmethod
    def holds(method: Method) -> bool:
        """Return whether it explains steps of a method."""

    @staticmethod
    @abstractmethod
    def remembered(objective: Objective, x: Array, after: Array) -> tuple[Array, ...]:
        """Return what is remembered of a step from x: vectors of shape (..., dim)."""

    @staticmethod
    @abstractmethod
    def sketch(method: Method, state: Any, step: Array) -> Sketch:
        """Return what is drawn of the step that led to a state, (rows, dim)."""


class NormBall(Reason):
    """The step is the steepest one in the ball of a norm."""

    rows = 2
    lacking = "no method of this run takes steps that are steepest in a norm: choose sgd or lion"
    needless = "in one dimension all norms have the same balls: write --explain bound"
    has_shadow = True

    @staticmethod
    def holds(method: Method) -> bool:
        return method.has_ball

    @staticmethod
    def remembered(objective: Objective, x: Array, after: Array) -> tuple[Array, ...]:
        return x, after

    @staticmethod
    def sketch(method: Method, state: Any, step: Array) -> Sketch:
        return (method.ball(state, step[0], step[1]),)  # type: ignore[return-value]  # its shadow


class QuadraticBound(Reason):
    """The step leads to the minimum of the model f(x) + g'd + d' P**-1 d / (2 * rate).

    P is the preconditioner, I for gradient descent. Where P**-1 / rate is no smaller than the
    Hessian, so where lr <= 1/L, the model is an upper bound of f, and f falls with the step: the
    descent lemma (Nesterov, Lectures on Convex Optimization, 2018, lemma 1.2.3).
    """

    rows = 4
    lacking = (
        "no method of this run steps to the minimum of a quadratic model: choose sgd or newton"
    )

    @staticmethod
    def holds(method: Method) -> bool:
        return method.follows_gradient

    @staticmethod
    def remembered(objective: Objective, x: Array, after: Array) -> tuple[Array, ...]:
        value = objective.value(x)[..., None] * np.ones_like(x)
        return x, after, objective.gradient(x), value

    @staticmethod
    def sketch(method: Method, state: Any, step: Array) -> Sketch:
        x, moved, g, value = step[0], step[1] - step[0], step[2], step[3, 0]
        metric, eye = method.preconditioner(state), np.eye(step.shape[-1])
        if metric is None:
            return (QuadraticModel(x, value, g, np.nan * eye, "bound"),)
        rate = (moved * inverse_times(metric, moved)).sum(axis=-1) / -(g * moved).sum(axis=-1)
        return (QuadraticModel(x, value, g, inverse_times(metric, eye) / rate, "bound"),)


REASONS: dict[Explanation, type[Reason]] = {"ball": NormBall, "bound": QuadraticBound}


class Explained(NamedTuple):
    """State of an explained method."""

    inner: Any  # state of the inner method
    last: Array  # (..., rows, dim), what is remembered of the last step


@dataclass(frozen=True, eq=False, kw_only=True)
class ExplainedOptimizer(SameRule):
    """An optimizer with the same steps, and a sketch that explains them in place of its own."""

    reason: type[Reason]
    has_sketch = True

    def hyperparameters(self) -> dict[str, Any]:
        return self.inner.hyperparameters()

    def init(self, x: Array) -> Explained:
        none = np.zeros_like(x)
        return Explained(self.inner.init(x), np.stack([none] * self.reason.rows, axis=-2))

    def step(self, objective: Objective, x: Array, state: Explained) -> tuple[Array, Explained]:
        after, inner = self.inner.step(objective, x, state.inner)
        last = self.reason.remembered(objective, x, after)
        return after, Explained(inner, np.stack(last, axis=-2))

    def sketch(self, state: Explained) -> Sketch:
        return self.reason.sketch(self.inner, state.inner, state.last)


@dataclass(frozen=True, eq=False, kw_only=True)
class ExplainedSolver(Solver):
    """A solver with the same steps, and a sketch that explains them in place of its own."""

    inner: Solver
    reason: type[Reason]

    def run(
        self, objective: Objective | Stream, x: Array, steps: int
    ) -> Iterator[tuple[Array, Explained]]:
        for step, (after, inner) in enumerate(self.inner.run(objective, x, steps)):
            here = objective.at(step) if isinstance(objective, Stream) else objective
            last = self.reason.remembered(here, x, after)
            yield after, Explained(inner, np.stack(last, axis=-2))
            x = after

    def sketch(self, state: Explained) -> Sketch:
        return self.reason.sketch(self.inner, state.inner, state.last)

    def preconditioner(self, state: Explained) -> Array | None:
        return self.inner.preconditioner(state.inner)


def explained(method: Method, how: Explanation | None) -> Method:
    """Return a method whose sketch explains its steps; the method itself if that is unknown."""
    if how is None or not REASONS[how].holds(method):
        return method
    if isinstance(method, Solver):
        return ExplainedSolver(inner=method, reason=REASONS[how])
    assert isinstance(method, Optimizer)
    return ExplainedOptimizer(inner=method, reason=REASONS[how])


def check_explained(methods: Sequence[Method], how: Explanation, dim: int) -> None:
    """Raise InputError if no step of the methods in `dim` dimensions is explained so."""
    reason = REASONS[how]
    if dim == 1 and reason.needless:
        raise InputError(reason.needless)
    if not any(reason.holds(method) for method in methods):
        raise InputError(reason.lacking)
