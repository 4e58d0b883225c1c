"""Optimizers that wrap another one, whose name they precede: lookahead+adam, sam+sgd."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from optiviz.objective import BESIDE, Array, Objective
from optiviz.optimizers.base import BaseWrapper, Hyper, SameRule, hyper, length
from optiviz.shapes import Ball, Points, Segment, Sketch
from optiviz.system.errors import InputError


@dataclass(frozen=True, eq=False, kw_only=True)
class Wrapper(BaseWrapper):
    """An optimizer that wraps another one, `inner`, and has the hyperparameters of both.

    One of its own that the inner optimizer also has is prefixed with the wrapper's name, as in
    sam_rho. `sets_rate` is whether it replaces the inner optimizer's learning rate, by 1. `alone`
    says why no other can wrap it, if so.
    """

    sets_rate: ClassVar[bool] = False
    alone: ClassVar[str] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.inner, Wrapper) and self.inner.alone:
            raise InputError(self.inner.alone)

    @classmethod
    def own(cls, inner: "list[str]") -> dict[str, str]:
        """Map the written names of its own hyperparameters to their names.

        inner are the names of the inner optimizer's hyperparameters.
        """
        names = [each.name for each in fields(cls) if each.name != "inner"]
        return {f"{cls.__name__.lower()}_{name}" if name in inner else name: name for name in names}

    def hyperparameters(self) -> dict[str, Any]:
        inner = self.inner.hyperparameters()
        written = self.own(list(inner))
        return inner | {name: getattr(self, own) for name, own in written.items()}

    def settings(self) -> dict[str, Any]:
        own = self.hyperparameters()
        kept = self.inner.settings()
        return kept | {name: own[name] for name in self.own(list(self.inner.hyperparameters()))}

    def scaled(self, factor: float) -> Self:
        return self.with_fields(inner=self.inner.scaled(factor))


class LookaheadState(NamedTuple):
    """State of Lookahead."""

    inner: Any  # state of the inner optimizer
    slow: Array  # (..., dim), the slow point
    step: int  # steps taken


@dataclass(frozen=True, eq=False, kw_only=True)
class Lookahead(Wrapper):
    """Lookahead: k steps forward, then back to a point between their end and their start.

        x <- one step of the inner optimizer
        every sync_period steps: s <- s + slow_step_size * (x - s) and x <- s

    Paper: Zhang et al., Lookahead Optimizer: k steps forward, 1 step back, 2019, algorithm 1.

    The same as optax.lookahead, whose fast point is x; the defaults are the paper's. The inner
    optimizer's state is kept when x moves back.
    """

    remembers_points = True

    sync_period: int = hyper(
        5, help="number of steps forward before each step back", within="[1, 1e9]"
    )
    slow_step_size: Hyper = hyper(
        0.5, help="fraction of the way forward that is kept", within="[0, 1]"
    )

    def init(self, x: Array) -> LookaheadState:
        return LookaheadState(self.inner.init(x), np.copy(x), 0)

    def step(
        self, objective: Objective, x: Array, state: LookaheadState
    ) -> tuple[Array, LookaheadState]:
        x, inner = self.inner.step(objective, x, state.inner)
        slow, step = state.slow, state.step + 1
        if step % self.sync_period == 0:
            slow = x = slow + self.slow_step_size * (x - slow)
        return x, LookaheadState(inner, slow, step)

    def sketch(self, state: LookaheadState) -> Sketch:
        return self.inner.sketch(state.inner)

    def preconditioner(self, state: LookaheadState) -> Array | None:
        back = state.step % self.sync_period == 0
        return None if back else self.inner.preconditioner(state.inner)


Change = Callable[[Objective, Array], Array]  # the gradient of an objective at x, changed
# What an objective offers from which gradients can be taken beside its own.
OTHER_GRADIENTS = "residuals", "jacobian", "full_batch", "sample_gradients"


class ChangedGradient:
    """An objective whose gradient is another one, and all else but OTHER_GRADIENTS the same."""

    def __init__(self, objective: Objective, change: Change) -> None:
        self._objective, self._change = objective, change
        for name in BESIDE:
            offered = None if name in OTHER_GRADIENTS else getattr(objective, name, None)
            setattr(self, name, offered)
        smooth = getattr(objective, "smooth", None)
        self.smooth = None if smooth is None else ChangedGradient(smooth, change)

    @property
    def dim(self) -> int:
        return self._objective.dim

    def value(self, x: Array) -> Array:
        return self._objective.value(x)

    def gradient(self, x: Array) -> Array:
        return self._change(self._objective, x)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        return self.value(x), self.gradient(x)


@dataclass(frozen=True, eq=False, kw_only=True)
class ChangesGradient(Wrapper):
    """A wrapper that changes the gradient that another optimizer asks for."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.inner.uses_gradient or set(self.inner.needs) & set(OTHER_GRADIENTS):
            name = type(self).__name__.lower()
            raise InputError(
                f"{name} changes a gradient from which no step is taken here: omit {name}+"
            )


@dataclass(frozen=True, eq=False, kw_only=True)
class SAM(ChangesGradient):
    """Sharpness-aware minimisation: the gradient is evaluated a short way uphill.

        e <- rho * g / |g|                          (0 where g is 0)
        x <- one step of the inner optimizer with the gradient at x + e

    Paper: Foret et al., Sharpness-Aware Minimization for Efficiently Improving Generalization,
    2021, algorithm 1.

    The same as optax.contrib.sam with sgd(rho) on the normalised gradient as its adversary; one
    step here is two of its updates.
    """

    rho: Hyper = hyper(0.05, help="distance uphill at which the gradient is evaluated")

    def init(self, x: Array) -> Any:
        return self.inner.init(x)

    def step(self, objective: Objective, x: Array, state: Any) -> tuple[Array, Any]:
        return self.inner.step(ChangedGradient(objective, self._uphill), x, state)

    def _uphill(self, objective: Objective, x: Array) -> Array:
        """Return the gradient at distance rho uphill from x."""
        g = objective.gradient(x)
        size = length(g)
        flat = size == 0
        away = np.where(flat, 0.0, g / np.where(flat, 1.0, size))
        return objective.gradient(x + self.rho * away)

    def sketch(self, state: Any) -> Sketch:
        return self.inner.sketch(state)

    def preconditioner(self, state: Any) -> Array | None:
        return self.inner.preconditioner(state)

    def ball(self, state: Any, before: Array, after: Array) -> Ball:
        return self.inner.ball(state, before, after)


class AverageState(NamedTuple):
    """State of Polyak averaging."""

    inner: Any  # state of the inner optimizer
    average: Array  # (..., dim), mean of the points since step `start`; before it, the last point
    before: Array  # (..., dim), the average of the step before
    step: int  # steps taken


@dataclass(frozen=True, eq=False, kw_only=True)
class PolyakAveraging(SameRule, Wrapper):
    """Polyak averaging: the mean of all points, which noise moves less than the last one.

        x <- one step of the inner optimizer
        a <- a + (x - a) / max(1, t + 1 - start)                        t = 1, 2, ...

    Paper: Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging, 1992,
    equation 2; Ruppert, 1988.

    The path is that of x, which the average does not change; the average of the points of steps
    start, start + 1, ... is recorded as a state and drawn as a second line.
    """

    start: int = hyper(0, help="step at which averaging starts")

    @property
    def has_sketch(self) -> bool:
        return True

    @property
    def sampled_temperature(self) -> float | None:
        return self.inner.sampled_temperature

    def stationary_covariance(self, hessian: Array, noise: float) -> Array | None:
        return self.inner.stationary_covariance(hessian, noise)

    def init(self, x: Array) -> AverageState:
        return AverageState(self.inner.init(x), np.copy(x), np.copy(x), 0)

    def step(
        self, objective: Objective, x: Array, state: AverageState
    ) -> tuple[Array, AverageState]:
        x, inner = self.inner.step(objective, x, state.inner)
        step, last = state.step + 1, state.average
        share = 1 / np.maximum(1.0, step + 1 - self.start)
        average = np.where(share == 1, x, last + (x - last) * share)
        return x, AverageState(inner, average, last, step)

    def sketch(self, state: AverageState) -> Sketch:
        started = state.step > self.start
        line = np.where(started, np.stack([state.before, state.average]), np.nan)
        own = Segment(line, "average"), Points(line[1:], "average")
        return (*self.inner.sketch(state.inner), *own)
