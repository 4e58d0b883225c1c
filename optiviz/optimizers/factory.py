"""Factories of optimizers: the hyperparameters that a named optimizer takes, and its builder."""

from collections.abc import Callable, Mapping
from dataclasses import Field
from typing import Any, NamedTuple

from optiviz.optimizers.base import Method

RATE_NAMES = ("lr", "learning_rate")  # possible names of a learning rate


class Parameter(NamedTuple):
    """A hyperparameter: its default (MISSING if it has none) and its type (None for any).

    within is the interval that it must lie in and help what it means, "" if unknown.
    """

    default: Any
    type: object = None
    within: str = ""
    help: str = ""


def parameter(field: "Field[Any]") -> Parameter:
    """Return the hyperparameter declared by a dataclass field."""
    known = (field.metadata.get(key, "") for key in ("within", "help"))
    return Parameter(field.default, field.type, *known)


class OptimizerFactory(NamedTuple):
    """Builder of a named optimizer. `rate` is the name of its learning rate, "" if it has none."""

    parameters: Mapping[str, Parameter]
    make: Callable[..., Method]
    rate: str
    open: bool = False  # whether it accepts other parameters as well
    sources: tuple[object, ...] = ()  # the classes or functions, outermost first
