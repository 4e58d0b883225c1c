"""What a name of an optimizer stands for: the hyperparameters it takes, and how it is made."""

from collections.abc import Callable, Mapping
from dataclasses import Field
from typing import Any, NamedTuple

from optiviz.optimizers.base import Method

RATE_NAMES = ("lr", "learning_rate")  # what a learning rate may be called


class Parameter(NamedTuple):
    """A hyperparameter: its default, MISSING if it has none, its type, None if any will do.

    within is the interval that it must lie in, if that is known.
    """

    default: Any
    type: object = None
    within: str = ""


def parameter(field: "Field[Any]") -> Parameter:
    """Return the hyperparameter that a field declares."""
    return Parameter(field.default, field.type, field.metadata.get("within", ""))


class OptimizerFactory(NamedTuple):
    """What a name stands for. `rate` is the parameter that is its learning rate, "" if none is."""

    parameters: Mapping[str, Parameter]
    make: Callable[..., Method]
    rate: str
    open: bool = False  # whether it takes other parameters as well
    sources: tuple[object, ...] = ()  # the classes or functions, the outermost first
