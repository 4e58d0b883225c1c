"""Third-party optimizers: a user's class, a class of torch.optim, an optax transform.

Each keeps the names of its hyperparameters, which are passed through. An error in its code is
raised as OptimizerError, which ends its path alone.
"""

import inspect
import math
import pickle
import random
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np

from optiviz.objective import Array, Objective
from optiviz.optimizers.base import Method, Optimizer, OptimizerError, Scheduled, positive
from optiviz.optimizers.factory import RATE_NAMES
from optiviz.optimizers.schedules import Schedule
from optiviz.shapes import SHAPES, Sketch, checked_sketch
from optiviz.system import plugins
from optiviz.system.errors import InputError

EXAMPLE = """\
class Descent:
    def __init__(self, lr):
        self.lr = lr

    def init(self, x):
        return None  # what it remembers

    def step(self, objective, x, state):
        return x - self.lr * objective.gradient(x), state
"""


def asking_for_a_class(said: str) -> str:
    """Return a message that ends with what an optimizer has to be, and a complete example."""
    return (
        f"{said} write a class with init(x) and step(objective, x, state) in a file, such as\n\n"
        f"{EXAMPLE}\nand its file and name, such as my_optimizer.py:Descent"
    )


@contextmanager
def ending_the_path(name: str) -> Iterator[None]:
    """Raise whatever the code behind `name` raises as OptimizerError, which ends its path."""
    try:
        with warnings.catch_warnings(action="ignore"), np.errstate():  # undoes np.seterr
            yield
    except (KeyboardInterrupt, OptimizerError):
        raise
    except BaseException as error:
        where = plugins.line_of(error, plugins.file_of(name) or "")
        raise OptimizerError(plugins.describe_exception(error) + where) from error


def checked_point(found: Any, x: Array) -> Array:
    """Return points returned by third-party code; raise OptimizerError if they are invalid.

    It must have the shape of x and be real. A single point may be nan only if x was not finite
    already; in an array, one run must not end the others.
    """
    found = np.asarray(found)
    if np.iscomplexobj(found):
        raise OptimizerError("returned complex numbers")
    point = np.array(found, float).view(type(x))
    if point.shape != x.shape:
        raise OptimizerError(f"returned shape {point.shape}: a point has shape {x.shape}")
    if point.ndim == 1 and np.isnan(point).any() and np.isfinite(x).all():
        raise OptimizerError("returned nan")
    return point


def sketch_of(found: Any, dim: int) -> Sketch:
    """Return a copy of the shapes returned by third-party code in `dim` dimensions.

    Raises OptimizerError if they are no shapes, or have the wrong dimension or too many points.
    """
    if not isinstance(found, tuple | list) or isinstance(found, tuple(SHAPES.values())):
        raise OptimizerError("did not return a tuple of shapes from sketch")
    try:
        return checked_sketch(found, dim)
    except InputError as error:
        raise OptimizerError(f"sketched {error}") from None


def checked_preconditioner(found: Any, dim: int) -> Array | None:
    """Return a preconditioner returned by third-party code, None if it is not positive.

    Raises OptimizerError if it has none of the shapes of `Method.preconditioner`.
    """
    if found is None:
        return None
    matrix = np.array(found, float)
    if matrix.shape not in ((), (dim,), (dim, dim)):
        allowed = f"(), {(dim,)} or {(dim, dim)}"
        raise OptimizerError(f"returned a preconditioner of shape {matrix.shape}: choose {allowed}")
    return positive(matrix)


@dataclass(frozen=True, eq=False, kw_only=True)
class ThirdPartyOptimizer(Method):
    """A third-party class or function with the values of its hyperparameters."""

    name: str
    found: Callable[..., Any]
    values: Mapping[str, Any]

    def with_rate(self, rate: float) -> Self:
        """Return a copy with another learning rate."""
        return replace(self, values={**self.values, self.rate: rate})

    @property
    def rate(self) -> str:
        return next((each for each in RATE_NAMES if each in self.values), "")

    def hyperparameters(self) -> dict[str, Any]:
        return {key: plain_value(value) for key, value in self.values.items()}

    def settings(self) -> dict[str, Any]:
        shown = self.hyperparameters()
        return {
            key: value
            for key, value in shown.items()
            if value and not _holds_function(self.values[key])
        }


def leftovers(found: Any) -> list[bytes]:
    """Return what a run could leave behind for later ones, to be compared before and after it.

    That is the state of Python's and numpy's random generators, and the values of global variables
    and of attributes of classes in the module of a class or function and of its base classes.
    """
    bases = [each for each in getattr(found, "__mro__", (found,)) if each is not object]
    names = dict.fromkeys(getattr(each, "__module__", "") for each in bases)
    places: list[Mapping[str, Any]] = [
        vars(sys.modules[name]) for name in names if name in sys.modules
    ]
    classes = [each for place in places for each in place.values() if inspect.isclass(each)]
    places += [vars(each) for each in classes if each.__module__ in names]
    left = [pickle.dumps((random.getstate(), np.random.get_state()))]
    for name, value in (item for place in places for item in place.items()):
        if not (name.startswith("__") or callable(value)):
            with suppress(Exception):  # what cannot be pickled
                left.append(pickle.dumps((name, value)))
    return left


def _holds_function(value: Any) -> bool:
    """Return whether a hyperparameter is or contains a function, which cannot be shown as text."""
    return callable(value) or (isinstance(value, tuple) and any(map(_holds_function, value)))


def plain_value(value: Any) -> Any:
    """Return a hyperparameter as a JSON value."""
    if isinstance(value, list | tuple):
        return tuple(plain_value(each) for each in value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(getattr(value, "__name__", type(value).__name__))


@dataclass(frozen=True, eq=False, kw_only=True)
class UserOptimizer(ThirdPartyOptimizer, Optimizer):
    """A class with init(x) -> state and step(objective, x, state) -> (x, state)."""

    def __post_init__(self) -> None:
        with plugins.third_party_code(self.name, plugins.file_of(self.name) or ""):
            self._new()  # raises an error for values that it rejects

    @property
    def vectorized(self) -> bool:  # type: ignore[override]
        return inspect.isclass(self.found) and issubclass(self.found, Optimizer)

    def with_schedule(self, schedule: Schedule) -> Method:
        if isinstance(self.values.get(self.rate), np.ndarray):  # one rate per run
            return Scheduled(inner=self, schedule=schedule)
        return super().with_schedule(schedule)

    def scaled(self, factor: float) -> Self:
        try:
            return self.with_rate(self.values[self.rate] * factor)
        except InputError as error:
            raise OptimizerError(str(error).removeprefix(f"{self.name}: ")) from error

    def init(self, x: Array) -> "UserRunState":
        with ending_the_path(self.name):
            instance = self._new()
            run = UserRunState.of(instance, None, self.values, x.shape[-1])
            return run._replace(state=instance.init(x.copy()))

    def step(
        self, objective: Objective, x: Array, state: "UserRunState"
    ) -> tuple[Array, "UserRunState"]:
        with ending_the_path(self.name):
            if state.values is not self.values:  # the learning rate has changed
                state = state.moved_to(self._new(), self.values)
            stepped = state.instance.step(objective, x.copy(), state.state)
            if not (isinstance(stepped, tuple) and len(stepped) == 2):
                raise OptimizerError("did not return (x, state)")
            return checked_point(stepped[0], x), state._replace(state=stepped[1])

    @property
    def has_sketch(self) -> bool:
        return getattr(self.found, "sketch", Method.sketch) is not Method.sketch

    def sketch(self, state: "UserRunState") -> Sketch:
        with ending_the_path(self.name):
            return sketch_of(state.instance.sketch(state.state), state.dim)

    @property
    def has_ball(self) -> bool:
        return getattr(self.found, "preconditioner", Method.preconditioner) is not (
            Method.preconditioner
        )

    def preconditioner(self, state: "UserRunState") -> Array | None:
        if not self.has_ball:
            return None
        with ending_the_path(self.name):
            return checked_preconditioner(state.instance.preconditioner(state.state), state.dim)

    def stability_limit(self, step: int) -> float | None:
        if not hasattr(self.found, "stability_limit"):
            return None
        with plugins.third_party_code(self.name, plugins.file_of(self.name) or ""):
            found = self._new().stability_limit(step)
            return None if found is None else float(found)

    def _new(self) -> Any:
        """Return an instance for one path alone, because it may store state in attributes.

        Arrays are copied, because it may change them in place.
        """
        values = {
            key: each.copy() if isinstance(each, np.ndarray) else each
            for key, each in self.values.items()
        }
        return self.found(**values)


class UserRunState(NamedTuple):
    """The instance of a path, the last state that it returned, and its initial attributes.

    dim is the number of coordinates of a point.
    """

    instance: Any
    state: Any
    values: Mapping[str, Any]
    initial_attributes: dict[str, Any]
    dim: int

    @property
    def recorded(self) -> Any:
        """The part that is recorded."""
        return self.state if isinstance(self.state, tuple | dict) else {"state": self.state}

    @classmethod
    def of(cls, instance: Any, state: Any, values: Mapping[str, Any], dim: int) -> Self:
        """Return the run state of an instance that was just created."""
        return cls(instance, state, values, dict(getattr(instance, "__dict__", {})), dim)

    def moved_to(self, instance: Any, values: Mapping[str, Any]) -> "UserRunState":
        """Return a copy with another instance, which gets the attributes that this one changed."""
        moved = UserRunState.of(instance, self.state, values, self.dim)
        for name, value in getattr(self.instance, "__dict__", {}).items():
            if self.initial_attributes.get(name) is not value:
                setattr(instance, name, value)
        return moved
