"""A user's Python function as an objective: of coordinates, as f(x, y), or of one vector, as f(x).

How it is called is found by calling it: with arrays of points if that gives the same values as one
point after another, of which some are compared in every call. The gradient is exact if the function
can be traced, otherwise it is computed by central differences.
"""

import inspect
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from types import ModuleType
from typing import Any, cast
from warnings import catch_warnings

import numpy as np
from pydantic import BaseModel

from optiviz.objective import Array
from optiviz.surfaces.config import FunctionConfig
from optiviz.surfaces.derivation import MAX_SECONDS, Derivation, symbols
from optiviz.surfaces.domain import VariableNames
from optiviz.surfaces.formula import Formula
from optiviz.surfaces.models.problem import ModelProblem
from optiviz.surfaces.origins import DEFAULT_INTERVAL
from optiviz.surfaces.syntax import AXES, vector_names
from optiviz.surfaces.tracing import Untraceable, trace
from optiviz.system import plugins
from optiviz.system.errors import InputError
from optiviz.system.text import counted
from optiviz.system.time_limit import TimeLimit
from optiviz.system.validation import checked, validated

LOG = logging.getLogger("optiviz")
ORDER = 4  # of the differences: the error is of this order in the step size
WEIGHTS = {-2: 1 / 12, -1: -2 / 3, 1: 2 / 3, 2: -1 / 12}  # of the values so many steps away
STEP_SIZE = float(np.finfo(float).eps) ** (1 / (ORDER + 1))  # balances rounding and truncation
SECOND_STEP_SIZE = float(np.finfo(float).eps) ** (1 / (ORDER + 2))
# Points where a trace is compared with the function, if it is called with arrays or not; tolerance.
TRIED, TRIED_SINGLY, SAME = 2000, 300, 1e-9
COMPARED = 7, 3  # numbers of points that are evaluated together and one by one
CHECKED = 3  # points of every call with an array that are also evaluated one by one
REPEATED = 3  # points at which it is called twice
ANY = ("*",)  # the parameters of a function that takes any number of coordinates
SIZES = range(2, 21)  # of vectors that are tried
TENSORS = {"torch": "torch tensors", "jax": "jax arrays", "jaxlib": "jax arrays"}


class Function:
    """A user's function as an objective, with an exact gradient if `exact`.

    sides are the intervals in which it is tried, one per coordinate. `formula` is the function as a
    formula, None if it cannot be traced. Raises InputError if it fails
    everywhere, or does not take so many coordinates.
    """

    def __init__(self, config: FunctionConfig, sides: Sequence[tuple[float, float]]) -> None:
        self.name, self.dim = config.of, len(sides)
        self._call = _Call(config, self.dim)
        self._scale = np.array([(high - low) / 6 for low, high in sides])
        low, high = np.transpose(sides)
        self._tried = np.random.default_rng(0).uniform(low, high, (TRIED, self.dim))
        singly = self._singly(self._tried[: max(COMPARED)])  # raises errors that occur everywhere
        self._check_repeated(singly)
        self._arrays = self._takes_arrays(singly)
        self.formula = self._traced()
        if not self._arrays and self.formula is None:
            self._say_slow()

    def _say_slow(self) -> None:
        """Log that the function is called point by point, and what would be faster."""
        LOG.warning(
            "%s is called point by point, which is slower, because it does not take arrays of "
            "points: np.where instead of if, np.sin instead of math.sin, and sums over a last axis "
            "of their own, as in w[..., None]*data, do",
            self.name,
        )

    @property
    def exact(self) -> bool:
        """Whether the gradient is exact."""
        return self.formula is not None

    @property
    def caption(self) -> str:
        """The name, and how the gradient is computed."""
        how = "exact gradient" if self.exact else f"gradient by differences of order {ORDER}"
        return f"{self.name}, {how}"

    @property
    def is_quick(self) -> bool:
        """Whether many points are evaluated at once."""
        return self._arrays or self.formula is not None

    def value(self, x: Array) -> Array:
        """Return f(x), shape (...), for x of shape (..., dim)."""
        points = np.reshape(np.asarray(x, float), (-1, self.dim))
        if self.formula is not None and not self._arrays:
            return self.formula.value(np.asarray(x, float))
        several = self._arrays and len(points) > CHECKED
        together = self._checked_together(points) if several else None
        if together is None:  # where it fails, it is undefined: __init__ has found values
            together = self._singly(points, undefined=True)
        return together.reshape(x.shape[:-1])

    def _checked_together(self, points: Array) -> Array | None:
        """Return the values at points from one call, None if some are not what one point gives."""
        try:
            together = self._together(points)
        except InputError:
            return None
        places = np.unique(np.linspace(0, len(points) - 1, CHECKED).astype(int))
        some = self._singly(points[places], undefined=True)
        return together if _same(together[places], some) else None

    def gradient(self, x: Array) -> Array:
        """Return df/dx, shape (..., dim)."""
        if self.formula is not None:
            return self.formula.gradient(x)
        return self._differences(self.value, x, STEP_SIZE)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return value and gradient."""
        return self.value(x), self.gradient(x)

    def hessian(self, x: Array) -> Array:
        """Return d2f/dx2, shape (..., dim, dim)."""
        if self.formula is not None:
            return self.formula.hessian(x)
        return self._differences(self.gradient, x, SECOND_STEP_SIZE)

    @property
    def third_derivatives(self) -> Callable[[Array], Array] | None:
        """That of its formula; None if it is not traced."""
        return None if self.formula is None else self.formula.third_derivatives

    def _differences(self, of: Callable[[Array], Array], x: Array, apart: float) -> Array:
        """Return derivatives along a new last axis, one per coordinate, by central differences."""
        slopes = []
        for axis in range(self.dim):
            far = apart * np.maximum(self._scale[axis], np.abs(x[..., axis]))
            moved = np.zeros_like(x)
            moved[..., axis] = far
            change = sum(weight * of(x + many * moved) for many, weight in WEIGHTS.items())
            slopes.append(change / far[(..., *[None] * (np.ndim(change) - np.ndim(far)))])
        return np.stack(slopes, axis=-1)

    def _together(self, points: Array) -> Array:
        """Return the values at points of shape (n, dim), from one call."""
        value = self._call.array(points)
        if value.shape != points.shape[:1]:
            raise InputError(
                f"{self.name} returned an array of shape {value.shape} for {len(points)} points"
            )
        return value

    def _singly(self, points: Array, undefined: bool = False) -> Array:
        """Return the values at points of shape (n, dim), from one call for each.

        Where it fails, the value is nan if `undefined`, or if it succeeds elsewhere.
        """
        values, failure = np.full(len(points), np.nan), None
        for number, point in enumerate(points):
            try:
                value = self._call.array(point)
                if value.shape not in ((), (1,)):
                    raise InputError(
                        f"{self.name} returned an array of shape {value.shape} for one point"
                    )
                values[number] = value.item()
            except InputError as error:
                failure = failure or error
        if failure is not None and not undefined and np.isnan(values).all():
            raise failure
        return values

    def _check_repeated(self, singly: Array) -> None:
        """Raise InputError if the function returns other values when it is called again."""
        again = self._singly(self._tried[:REPEATED], undefined=True)
        if not np.array_equal(again, singly[:REPEATED], equal_nan=True):
            raise InputError(
                f"{self.name} returns another value each time: let it draw random numbers from a "
                "generator with a seed of its own (--noise adds noise to gradients)"
            )

    def _takes_arrays(self, singly: Array) -> bool:
        """Return whether calls with several points give what calls with one point give."""
        try:
            for many in COMPARED:
                if not _same(self._together(self._tried[:many]), singly[:many]):
                    return False
        except InputError:
            return False
        return True

    def _traced(self) -> Formula | None:
        """Return the function as an expression, or None if it cannot be traced."""
        try:
            time_limit = TimeLimit(MAX_SECONDS)
            with time_limit.running():
                found = trace(self._call.plainly, symbols(self.dim))
            names = vector_names(self.dim)
            formula = Formula(self.dim, Derivation(found, names, self.name, time_limit))
            with np.errstate(all="ignore"):
                traced, slopes = formula.value_and_gradient(self._tried)
                formula.hessian(self._tried[:1])
            expected = self._checked_together(self._tried) if self._arrays else None
            if expected is None:
                expected = self._singly(self._tried[:TRIED_SINGLY], undefined=True)
            same = _same(traced[: len(expected)], expected)
            return formula if same and np.shape(slopes) == self._tried.shape else None
        except (Exception, Untraceable):  # symbols can make code for arrays raise anything
            return None


def _same(values: Array, expected: Array) -> bool:
    return bool(np.isclose(values, expected, SAME, SAME, equal_nan=True).all())


class _Call:
    """How a function is called: with each coordinate, or with one vector of all."""

    def __init__(self, config: FunctionConfig, dim: int) -> None:
        self.name = config.of
        self._found = _found(config)
        self._file = "" if config.call else plugins.file_of(config.of) or ""
        takes = _parameters(config)
        self.vector = (
            takes != ANY and len(takes) == 1 and (dim > 1 or _vector_size(config) is not None)
        )
        if takes != ANY and not self.vector and len(takes) != dim:
            coordinates = counted(len(takes), "coordinate")
            raise InputError(f"{self.name} takes {coordinates}, but its domain has {dim}")

    def plainly(self, coordinates: Sequence[Any]) -> Any:
        """Return what the function returns for a list of coordinates of any type."""
        if not self.vector:
            return self._found(*coordinates)
        vector = np.empty(len(coordinates), object)
        vector[:] = coordinates
        return self._found(vector)

    def array(self, points: Array) -> Array:
        """Return the value at a point, shape (dim,), or at points, shape (n, dim)."""
        with plugins.third_party_code(self.name, self._file), np.errstate(all="ignore"):
            coordinates = np.array(points.T, float)
            try:
                if self.vector:
                    found = self._found(coordinates)
                else:
                    found = self._found(*(coordinates if points.ndim > 1 else points.tolist()))
            except (TypeError, AttributeError) as error:
                meant = isinstance(error, AttributeError) or "tensor" in str(error).lower()
                if meant and (kinds := self._tensors() & {*TENSORS.values()}):
                    raise self._refusal(kinds.pop(), f" ({error})") from error
                raise
            if found is None:
                raise InputError(f"{self.name} returned None")
            if isinstance(found, ModelProblem):
                raise InputError(
                    f"{self.name} returns a model's problem, so it must take no arguments"
                )
            if kind := TENSORS.get(_package(type(found).__module__)):
                raise self._refusal(kind)
            if np.iscomplexobj(found):
                raise InputError(f"{self.name} returned complex numbers")
            return np.asarray(found, float)

    def _tensors(self) -> set[str]:
        """Return for which kinds of tensors the function's module has imported a library."""
        known = getattr(self._found, "__globals__", {}).values()
        modules = (each.__name__ for each in known if isinstance(each, ModuleType))
        return {TENSORS.get(_package(each), "") for each in modules}

    def _refusal(self, kind: str, why: str = "") -> InputError:
        return InputError(
            f"{self.name} is a function of {kind}: write it with numpy's functions, such as "
            f"np.sin{why}"
        )


def function_variables(config: FunctionConfig) -> tuple[str, ...]:
    """Return the variables of a function, which is called: x1, x2 ... for those of a vector.

    Raises InputError if it takes any number of coordinates, or none.
    """
    takes = _parameters(config)
    if takes == ANY:
        raise InputError(f"{config.of} takes any number of coordinates: --dim N says how many")
    size = _vector_size(config) if len(takes) == 1 else None
    if size is not None:
        return vector_names(size)
    if isinstance(checked(Named, {"variables": takes}), list):  # names that a formula has not
        return AXES[: len(takes)] if len(takes) <= len(AXES) else vector_names(len(takes))
    return takes


def declaration(function: Any, names: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the declaration of a function's surface in the default window.

    names are its variables; without any, it is called to find them. Raises InputError if it takes
    no coordinates.
    """
    config = validated(FunctionConfig, function, lambda keys: "function")
    names = names or function_variables(config)
    declared: dict[str, Any] = {"function": config}
    if len(names) <= len(AXES):
        declared["domain"] = [DEFAULT_INTERVAL] * len(names)
    return declared if names == AXES[: len(names)] else declared | {"variables": names}


class Named(BaseModel):
    """Variables of a formula or function."""

    variables: VariableNames


def _found(config: FunctionConfig) -> Callable[..., Any]:
    return plugins.load(config.of) if config.call is None else cast(Callable[..., Any], config.call)


def _package(module: str) -> str:
    return module.partition(".")[0]


def _parameters(config: FunctionConfig) -> tuple[str, ...]:
    """Return the names of the parameters without defaults; ANY if it takes any number."""
    found = _found(config)
    try:
        declared = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        said = f"{config.of} has no signature: wrap it in a function of x and y"
        raise InputError(said) from None
    if any(each.kind is each.VAR_POSITIONAL for each in declared):
        return ANY
    takes = tuple(
        each.name
        for each in declared
        if each.default is each.empty
        and each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
    )
    if not takes:
        raise InputError(f"{config.of} takes no coordinates: write f(x, y), or f(x) of a vector")
    return takes


def _vector_size(config: FunctionConfig) -> int | None:
    """Return the size of the smallest vector for which a function returns one number.

    None if there is none, or if it returns a vector, as a function of one coordinate does.
    """
    for size in SIZES:
        with suppress(Exception), np.errstate(all="ignore"), catch_warnings(action="ignore"):
            found = np.shape(_found(config)(np.linspace(0.3, 0.7, size)))
            if found == (size,):
                return None
            if found in ((), (1,)):
                return size
    return None


@cache
def function(config: FunctionConfig, sides: tuple[tuple[float, float], ...]) -> Function:
    """Return the function of a declaration, which names the SHA-256 of its file, in a window."""
    return Function(config, sides)
