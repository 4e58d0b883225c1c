"""Why a step is what it is: of what it is the lowest point, drawn as shapes.

A method says in which norm its steps are steepest, or that they follow the gradient. What is here
remembers where a step began, and draws what the method says.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from optiviz.objective import Array, Objective
from optiviz.optimizers.base import BaseWrapper, Method, Optimizer, solved
from optiviz.registry import Explanation
from optiviz.shapes import QuadraticModel, Sketch
from optiviz.system.errors import InputError


class Left(NamedTuple):
    """State of an explained optimizer: from where to where its last step led."""

    inner: Any  # state of the inner optimizer
    ends: Array  # (..., 2, dim)


class LeftSlope(NamedTuple):
    """The same, with the objective where the step began."""

    inner: Any  # state of the inner optimizer
    ends: Array  # (..., 3, dim), and the gradient
    value: Array  # (...)


@dataclass(frozen=True, eq=False, kw_only=True)
class Explained(BaseWrapper, ABC):
    """An optimizer with the same steps, whose sketch says why they are what they are.

    It takes the place of the inner optimizer's own sketch.
    """

    has_sketch = True

    @classmethod
    @abstractmethod
    def explains(cls, method: Method) -> bool:
        """Return whether there is such a sketch of a method's steps."""

    lacking: ClassVar[str]  # says that there is none, and names methods that have one

    def hyperparameters(self) -> dict[str, Any]:
        return self.inner.hyperparameters()

    def settings(self) -> dict[str, Any]:
        return self.inner.settings()


@dataclass(frozen=True, eq=False, kw_only=True)
class InBall(Explained):
    """The step is the steepest one in the ball of a norm."""

    lacking = "no method of this run takes steps that are steepest in a norm: choose sgd or lion"

    @classmethod
    def explains(cls, method: Method) -> bool:
        return method.has_ball

    def init(self, x: Array) -> Left:
        return Left(self.inner.init(x), np.stack([x, x], axis=-2))

    def step(self, objective: Objective, x: Array, state: Left) -> tuple[Array, Left]:
        after, inner = self.inner.step(objective, x, state.inner)
        return after, Left(inner, np.stack([x, after], axis=-2))

    def sketch(self, state: Left) -> Sketch:
        return self.inner.ball(state.inner, state.ends[0], state.ends[1])


@dataclass(frozen=True, eq=False, kw_only=True)
class OnBound(Explained):
    """The step leads to the minimum of the model f(x) + g'd + d' P**-1 d / (2 * rate).

    P is the preconditioner, I for gradient descent. Where P**-1 / rate is no smaller than the
    Hessian, so where lr <= 1/L, the model is an upper bound of f, and f falls with the step: the
    descent lemma (Nesterov, Lectures on Convex Optimization, 2018, lemma 1.2.3).
    """

    lacking = (
        "no method of this run steps to the minimum of a quadratic model: choose sgd or newton"
    )

    @classmethod
    def explains(cls, method: Method) -> bool:
        return method.follows_gradient

    def init(self, x: Array) -> LeftSlope:
        ends = np.stack([x, x, np.zeros_like(x)], axis=-2)
        return LeftSlope(self.inner.init(x), ends, np.zeros_like(x[..., 0]))

    def step(self, objective: Objective, x: Array, state: LeftSlope) -> tuple[Array, LeftSlope]:
        value, g = objective.value(x), objective.gradient(x)
        after, inner = self.inner.step(objective, x, state.inner)
        return after, LeftSlope(inner, np.stack([x, after, g], axis=-2), value)

    def sketch(self, state: LeftSlope) -> Sketch:
        before, after, g = state.ends[0], state.ends[1], state.ends[2]
        metric, eye = self.inner.preconditioner(state.inner), np.eye(before.shape[-1])
        if metric is None:
            return (QuadraticModel(before, state.value, g, np.nan * eye, "bound"),)
        moved = after - before
        rate = (moved * solved(metric, moved)).sum(axis=-1) / -(g * moved).sum(axis=-1)
        return (QuadraticModel(before, state.value, g, solved(metric, eye) / rate, "bound"),)


EXPLAINED: dict[Explanation, type[Explained]] = {"ball": InBall, "bound": OnBound}


def explained(method: Method, how: Explanation | None) -> Method:
    """Return a method whose sketch explains its steps; the method itself where none does."""
    if how is None or not isinstance(method, Optimizer) or not EXPLAINED[how].explains(method):
        return method
    return EXPLAINED[how](inner=method)


def check_explained(methods: Sequence[Method], how: Explanation) -> None:
    """Raise InputError if the steps of none of the methods can be explained so."""
    if not any(isinstance(explained(each, how), Explained) for each in methods):
        raise InputError(EXPLAINED[how].lacking)
