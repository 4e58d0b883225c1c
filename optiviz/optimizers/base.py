"""Base classes: an optimizer is a frozen set of hyperparameters and two pure functions.

An optimizer works on arrays of points (..., dim): leading axes are independent runs, and a
hyperparameter may be an array (..., 1) with one value per run. So five hundred learning rates, a
grid of starting points and a single run are the same code. A solver runs its own loop instead.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from optiviz.objective import Array, FeasibleSet, Objective, Stream
from optiviz.optimizers.schedules import Schedule
from optiviz.registry import OPTIMIZERS
from optiviz.shapes import DRAWN, Ball, Ellipse, Role, Sketch
from optiviz.system.errors import InputError

Hyper = float | Array
IDENTITY: Array = np.ones(())  # the preconditioner of a step along the mean gradient


def hyper(default: Any = MISSING, *, help: str, within: str = "[0, inf)") -> Any:
    """Declare a hyperparameter: its default, its meaning and the interval it must lie in."""
    metadata = {"help": help, "within": within}
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


def weight_decay_field() -> Any:
    """Declare the L2 penalty, which most optimizers share."""
    return hyper(0.0, help="L2 penalty: weight_decay * x is added to the gradient")


def seed_field() -> Any:
    """Declare the seed of a random method, which is the recipe's unless the spec sets it."""
    return hyper(0, help="seed of its random numbers", within="[0, inf)")


def random_numbers(seed: int, step: int) -> np.random.Generator:
    """Return the generator of a step's random numbers, a function of seed and step alone.

    What is drawn has the shape of one run, and is the same for all runs of an array.
    """
    return np.random.default_rng([int(seed), int(step), 3])


# What a method may need of an objective, and how a user gives it.
NEEDED = {
    "hessian": "second derivatives, which this objective does not have",
    "hessian_product": "second derivatives, or their products, which this objective does not have",
    "third_derivatives": "third derivatives, which only formulas of one or two variables have",
    "residuals": 'residuals: write, for example, --residuals "y - x**2, 1 - x"',
    "feasible_set": 'constraints: write, for example, --constraint "x + y <= 1"',
    "full_batch": "samples: give a network, a model or residuals, and add --batch-size 16",
    "sample_gradients": "the gradients of single samples, which this objective does not have",
    "metric": 'a metric: write, for example, --metric "1, 0, 0, x**2"',
    "matrices": "a matrix: its step is that of all entries together, so choose a network, or a "
    "surface over a matrix, such as linear-layer",
}
# What a method ignores unless it says otherwise, and what that is called.
RESPECTED = {"feasible_set": "constraints"}


class OptimizerError(Exception):
    """A failure of third-party code, or a step that does not exist, which ends the path.

    The message names the failure, with details after a colon: "raised ValueError: too steep".
    """


@dataclass(frozen=True, eq=False, kw_only=True)
class Method:
    """A frozen dataclass of hyperparameters: an optimizer or a solver.

    `has_loops` is whether a step has loops of a length that depends on the point, so that it cannot
    be recorded. `needs` are names in NEEDED, what an objective must offer to it, and `respects` are
    names in RESPECTED, what would be ignored by others. `uses_gradient` is whether it asks for
    gradients, without which noise on them changes nothing, `remembers_points` whether a step
    depends on earlier points, not only on gradients, and `needs_fixed_objective` whether all steps
    need the same objective. `follows_gradient` is whether each step is x <- x - rate * P g, with g
    the gradient of the loss itself, P the preconditioner and perhaps another rate in each step. A
    method that draws numbers has a field `seed`.
    """

    uses_gradient: ClassVar[bool] = True
    remembers_points: ClassVar[bool] = False
    has_loops: ClassVar[bool] = False
    needs_fixed_objective: ClassVar[bool] = False
    follows_gradient: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ()
    respects: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for each in fields(self):
            if "within" in each.metadata:
                check(each, getattr(self, each.name))

    @property
    def rate(self) -> str:
        """The name of the learning rate; empty if there is none."""
        return "lr" if "lr" in self.__dataclass_fields__ else ""

    def draws(self, objective: object) -> bool:
        """Return whether steps on an objective draw random numbers, which depend on a seed."""
        return "seed" in self.hyperparameters()

    def hyperparameters(self) -> dict[str, Any]:
        """Return every hyperparameter by name, in order of declaration."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def rate_at(self, step: int) -> float | None:
        """Return the learning rate of a step, numbered from 0; None if it is no number."""
        rate = self.hyperparameters().get(self.rate)
        number = isinstance(rate, int | float) and not isinstance(rate, bool)
        return float(rate) if number and rate is not None else None

    def sketch(self, state: Any) -> Sketch:
        """Return what the method looked at in the step that led to a state of one run.

        The state before the first step has no sketch, and neither has a method that only follows
        the gradient.
        """
        return ()

    def first_sketch(self, objective: Objective | Stream, x: Array) -> Sketch:
        """Return what the method begins with at a start of shape (dim,), before its first step.

        That is something of its own to look at, such as a first simplex. Pages do not compute it:
        a method that they run has none.
        """
        return ()

    @property
    def walker(self) -> "Method":
        """The method with the same path, without what it computes only to be drawn."""
        return self

    @property
    def has_sketch(self) -> bool:
        """Whether `sketch` may return shapes."""
        return type(self).sketch is not Method.sketch

    def check_set(self, allowed: FeasibleSet) -> None:
        """Raise InputError if a method that respects constraints cannot stay in such a set."""

    def stationary_covariance(self, hessian: Array, noise: float) -> Array | None:
        """Return the covariance about a minimum that gradient noise leaves, shape (dim, dim).

        hessian is the one at the minimum, and noise the standard deviation of each coordinate.
        None if it is not known, or if the method does not stay there.
        """
        return None

    def preconditioner(self, state: Any) -> Array | None:
        """Return the matrix P of the step that led to a state of one run.

        That step was x <- x - rate * P m, besides weight decay, with m the gradient or a mean of
        gradients, and rate the learning rate of that step, or the length that the method chose. P
        is symmetric and positive: a number, of shape (), where it is that number times the
        identity; the diagonal, (dim,); or the matrix, (dim, dim). None if the step was none of this
        kind.
        """
        return None

    def companions(self, state: Any) -> Mapping[Role, tuple[Array, Array]]:
        """Return the points beside that of one run whose sharpness is compared with its own.

        They have the roles of their lines in the sketch, and each its preconditioner.
        """
        return {}

    def stability_limit(self, step: int) -> float | None:
        """Return the eigenvalue of P times the Hessian beyond which a step, from 0, is unstable.

        P is the preconditioner. On a quadratic whose largest eigenvalue exceeds it, the method
        moves away from the minimum in growing oscillations: 2 / lr for gradient descent. None if it
        is not known.
        """
        return None

    def decayed(self, x: Array, state: Any) -> Array:
        """Return where the step from x that led to a state would have led with an m of 0.

        That is x, but for decoupled weight decay.
        """
        return x

    def ball(self, state: Any, before: Array, after: Array) -> Ball:
        """Return the ball of the norm in which the step that led to a state is steepest.

        before and after, shape (dim,), are the points that the step left and reached. Of all steps
        d in the ball, it is the one with the lowest m'd, and it ends on the edge. With the
        preconditioner P the norm is |d| = sqrt(d' P**-1 d) (Boyd and Vandenberghe, Convex
        Optimization, 2004, section 9.4). nan where the step is steepest in no norm, so that the
        shapes are always the same.
        """
        center, metric = self.decayed(before, state), self.preconditioner(state)
        many = before.shape[-1]
        eye = np.eye(many) if many <= DRAWN else np.ones(many)  # as a diagonal
        if metric is None:
            return Ellipse(center, np.nan * eye, "ball")
        moved = after - center
        square = (moved * inverse_times(metric, moved)).sum(axis=-1)
        return Ellipse(center, square * (metric if np.ndim(metric) == 2 else metric * eye), "ball")

    @property
    def has_ball(self) -> bool:
        """Whether `ball` may return shapes that can be drawn."""
        own, none = type(self), Method
        return own.preconditioner is not none.preconditioner or own.ball is not none.ball

    @property
    def sampled_temperature(self) -> float | None:
        """The temperature T of the density exp(-f / T) from which its points are samples.

        None for a method that is not a sampler.
        """
        return None

    def with_schedule(self, schedule: Schedule) -> "Method":
        """Return a copy whose learning rate follows a schedule; raise InputError if it has none."""
        raise InputError("has no learning rate for a schedule to change")

    def settings(self) -> dict[str, Any]:
        """Return the hyperparameters that have an effect: all but those left at a default of 0."""
        off = {each.name for each in fields(self) if each.default == 0}
        return {
            name: value
            for name, value in self.hyperparameters().items()
            if name not in off or np.any(value)
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class Optimizer(Method, ABC):
    """A method with pure functions `init` and `step`.

    `vectorized` is whether x may have leading axes.
    """

    vectorized: ClassVar[bool] = True

    @abstractmethod
    def init(self, x: Array) -> Any:
        """Return the state before the first step: a NamedTuple of arrays."""

    @abstractmethod
    def step(self, objective: Objective, x: Array, state: Any) -> tuple[Array, Any]:
        """Return the next points, shape (..., dim), and state. Neither x nor state is modified."""

    def with_schedule(self, schedule: Schedule) -> "Method":
        if not self.rate:
            return super().with_schedule(schedule)
        rate = self.hyperparameters()[self.rate]
        if isinstance(rate, str | tuple | bool | None):
            raise InputError(f"{self.rate} must be a number to follow a schedule, not {rate}")
        return Scheduled(inner=self, schedule=schedule)

    def with_fields(self, **changed: Any) -> Self:
        """Return a copy with other values of fields, which are not checked."""
        other = copy.copy(self)
        for name, value in changed.items():
            object.__setattr__(other, name, value)
        return other

    def scaled(self, factor: float) -> Self:
        """Return a copy with the learning rate multiplied by `factor`, which may be 0."""
        return self.with_fields(**{self.rate: getattr(self, self.rate) * factor})


@dataclass(frozen=True, eq=False, kw_only=True)
class BaseWrapper(Optimizer, ABC):
    """An optimizer that wraps another one, `inner`."""

    inner: Optimizer

    @property
    def vectorized(self) -> bool:  # type: ignore[override]
        return self.inner.vectorized

    @property
    def rate(self) -> str:
        return self.inner.rate

    @property
    def uses_gradient(self) -> bool:  # type: ignore[override]
        return self.inner.uses_gradient

    @property
    def remembers_points(self) -> bool:  # type: ignore[override]
        return self.inner.remembers_points

    @property
    def has_loops(self) -> bool:  # type: ignore[override]
        return self.inner.has_loops

    @property
    def needs_fixed_objective(self) -> bool:  # type: ignore[override]
        return self.inner.needs_fixed_objective

    @property
    def needs(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.inner.needs

    @property
    def respects(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.inner.respects

    @property
    def has_sketch(self) -> bool:
        return self.inner.has_sketch

    def first_sketch(self, objective: Objective | Stream, x: Array) -> Sketch:
        return self.inner.first_sketch(objective, x)

    @property
    def has_ball(self) -> bool:
        return type(self).ball is not Method.ball and self.inner.has_ball

    def check_set(self, allowed: FeasibleSet) -> None:
        self.inner.check_set(allowed)

    def draws(self, objective: object) -> bool:
        return self.inner.draws(objective)


class SameRule(BaseWrapper, ABC):
    """A wrapper that takes the steps of `inner`, at most at another rate or of a shorter gradient.

    What explains those explains its own. Its state has that of the inner optimizer as `inner`.
    """

    def preconditioner(self, state: Any) -> Array | None:
        return self.inner.preconditioner(state.inner)

    def stability_limit(self, step: int) -> float | None:
        return self.inner.stability_limit(step)

    @property
    def follows_gradient(self) -> bool:  # type: ignore[override]
        return self.inner.follows_gradient

    def ball(self, state: Any, before: Array, after: Array) -> Ball:
        return self.inner.ball(state.inner, before, after)


class ScheduledState(NamedTuple):
    """State of a scheduled optimizer."""

    inner: Any  # state of the inner optimizer
    step: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Scheduled(SameRule):
    """An optimizer whose learning rate is multiplied by a factor for each step."""

    schedule: Schedule

    @property
    def walker(self) -> "Method":
        return self.with_fields(inner=self.inner.walker)

    def hyperparameters(self) -> dict[str, Any]:
        return self.inner.hyperparameters() | {"schedule": str(self.schedule)}

    def settings(self) -> dict[str, Any]:
        return self.inner.settings()

    def rate_at(self, step: int) -> float | None:
        rate = self.inner.rate_at(step)
        return None if rate is None else float(rate * self.schedule.factor(step))

    @property
    def sampled_temperature(self) -> float | None:
        return self.inner.sampled_temperature

    def init(self, x: Array) -> ScheduledState:
        return ScheduledState(self.inner.init(x), 0)

    def step(
        self, objective: Objective, x: Array, state: ScheduledState
    ) -> tuple[Array, ScheduledState]:
        here = self.inner.scaled(self.schedule.factor(state.step))
        x, inner = here.step(objective, x, state.inner)
        return x, ScheduledState(inner, state.step + 1)

    def sketch(self, state: ScheduledState) -> Sketch:
        return self.inner.sketch(state.inner)

    def companions(self, state: ScheduledState) -> Mapping[Role, tuple[Array, Array]]:
        return self.inner.companions(state.inner)

    def ball(self, state: ScheduledState, before: Array, after: Array) -> Ball:
        here = self.inner.scaled(self.schedule.factor(state.step - 1))
        return here.ball(state.inner, before, after)

    def stability_limit(self, step: int) -> float | None:
        factor, limit = self.schedule.factor(step), self.inner.stability_limit(step)
        return limit / factor if limit is not None and factor > 0 else None


@dataclass(frozen=True, eq=False, kw_only=True)
class Solver(Method, ABC):
    """A method that runs its own loop, as in other libraries. It walks one run at a time."""

    @abstractmethod
    def run(
        self, objective: Objective | Stream, x: Array, steps: int
    ) -> Iterator[tuple[Array, Any]]:
        """Yield (x, state) after steps 1, 2, ... `steps`, starting at x of shape (dim,)."""


def positive(matrix: Array) -> Array | None:
    """Return a preconditioner if it is finite and positive, as it has to be, else None."""
    if not np.isfinite(matrix).all():
        return None
    values = np.linalg.eigvalsh(matrix) if np.ndim(matrix) == 2 else matrix
    return matrix if np.min(values) > 0 else None


def mean_response(beta: Hyper) -> Hyper:
    """Return what m <- beta * m + (1 - beta) * g is of gradients whose sign alternates."""
    return (1 - beta) / (1 + beta)


def alternating_limit(rate: Hyper, response: Hyper, decay: Hyper = 0.0) -> float | None:
    """Return the curvature at which x <- (1 - rate * decay) * x - rate * m turns into -x.

    m is `response` times the gradient while the signs of gradients alternate. Beyond that
    curvature, x moves away from a minimum: the limit of stability of gradient descent, and of
    methods with momentum (Cohen et al., Adaptive Gradient Methods at the Edge of Stability, 2022,
    table 1). None if it is not positive and finite.
    """
    with np.errstate(all="ignore"):
        limit = float((2 - rate * decay) / np.float64(rate * response))
    return limit if 0 < limit < np.inf else None


def check_offered(method: Method, objective: Any, name: str) -> None:
    """Raise InputError if an objective lacks what a method needs, or has what it would ignore.

    What it may need is also that all steps have the same objective.
    """
    if isinstance(objective, Stream) and method.needs_fixed_objective:
        raise InputError(
            f"{name} needs a fixed objective: it cannot be combined with batches, dropout or noise"
        )
    for each in method.needs:
        if not offers(objective, each):
            if offers(getattr(objective, "whole", None), each):
                raise InputError(f"{name} takes no batches: omit --batch-size")
            raise InputError(f"{name} needs {NEEDED[each]}")
    if "residuals" in method.needs and getattr(objective, "l1", None):
        raise InputError(f"{name} sees residuals, not a penalty: choose proximal-gradient or fista")
    for each, said in RESPECTED.items():
        offered = getattr(objective, each, None)
        if offered is not None and each in method.respects:
            try:
                method.check_set(offered)
            except InputError as error:
                raise InputError(f"{name}: {error}") from None
        elif offered is not None:
            *others, last = _respecting(each)
            raise InputError(f"{name} does not know {said}: choose {', '.join(others)} or {last}")


def offers(objective: Any, need: str) -> bool:
    """Return whether an objective offers what a method needs: a name in NEEDED."""
    if need == "matrices":
        return any(len(part.shape) > 1 for part in getattr(objective, "parts", None) or ())
    if need == "hessian_product" and offers(objective, "hessian"):
        return True
    return getattr(objective, need, None) is not None


def check_noise(method: Method, name: str) -> None:
    """Raise InputError if noise on gradients would change nothing."""
    if not method.uses_gradient:
        raise InputError(f"{name} never asks for a gradient: it cannot be combined with noise")


def _respecting(offered: str) -> list[str]:
    """Return the names of the built-in methods that do not ignore what an objective offers."""
    from optiviz.optimizers import load_optimizer

    return [name for name in OPTIMIZERS if offered in load_optimizer(name).respects]


def inverse_times(metric: Array, vector: Array) -> Array:
    """Return P**-1 vector for a preconditioner P, or P**-1 for the identity as the vector."""
    if np.ndim(metric) == 2:
        return np.linalg.solve(metric, vector).astype(float)
    return vector / metric


def length(x: Array) -> Array:
    """Return the Euclidean length of each vector, shape (..., 1), of x of shape (..., dim)."""
    squares: Array = (x * x).sum(axis=-1, keepdims=True)
    return np.sqrt(squares)


def ends(within: str) -> tuple[float, float]:
    """Return the ends of an interval, such as "[0, 1)"."""
    low, high = (float(end) for end in within[1:-1].split(","))
    return low, high


def check(declared: "Field[Any]", value: Any) -> None:
    """Raise InputError if a hyperparameter's value is outside its declared interval."""
    if declared.type is bool:
        return
    within = declared.metadata["within"]
    low, high = ends(within)
    above = np.greater_equal(value, low) if within[0] == "[" else np.greater(value, low)
    below = np.less_equal(value, high) if within[-1] == "]" else np.less(value, high)
    if not np.all(above & below):
        raise InputError(f"{declared.name} must lie in {within}, not {value}")
