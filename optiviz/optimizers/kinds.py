"""What the name of an optimizer stands for: the hyperparameters it takes, and how it is made.

A name is one of our table, that of an entry point, or a stranger's, as in my.py:Lion and
torch.optim.AdamW; before it may stand wrappers, as in lookahead+adam. Only `kind_of` runs a
stranger's code.
"""

from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from optiviz.optimizers import load_optimizer, load_wrapper
from optiviz.optimizers.base import Method, Optimizer
from optiviz.registry import OPTIMIZERS, WRAPPERS
from optiviz.system.errors import InputError, unknown
from optiviz.system.plugins import file_of, is_source, offer, offers, versions

GROUP = "optiviz.optimizers"
RATES = ("lr", "learning_rate")  # what a learning rate may be called
BESIDE = {"optax": ("jax",)}  # what else decides a package's numbers


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


class Kind(NamedTuple):
    """What a name stands for. `rate` is the parameter that is its learning rate, "" if none is."""

    parameters: Mapping[str, Parameter]
    make: Callable[..., Method]
    rate: str
    open: bool = False  # whether it takes other parameters as well
    made_of: tuple[object, ...] = ()  # the classes or functions, the outermost first


def parts_of(name: str) -> tuple[list[str], str]:
    """Return the wrappers of a name, the outermost first, and what they are around."""
    wrappers = []
    first, plus, rest = name.partition("+")
    while plus and first in WRAPPERS:
        if first in wrappers:
            raise InputError(f"{first} goes around once")
        wrappers.append(first)
        name = rest
        first, plus, rest = name.partition("+")
    if plus and not is_source(name):
        raise InputError(unknown("wrapper", first, WRAPPERS))
    return wrappers, name


def is_strange(name: str) -> bool:
    """Return whether a name is of a stranger's code; raise InputError if it is of nothing."""
    _, core = parts_of(name)
    if is_source(core):
        return True
    if offer(GROUP, "optimizer", core, [*OPTIMIZERS, *WRAPPERS]) is not None:
        return True
    if core not in OPTIMIZERS:
        names = [*OPTIMIZERS, *(each.name for each in offers(GROUP))]
        if core in WRAPPERS:
            raise InputError(f"{core} goes around another optimizer, as in {core}+adam")
        raise InputError(unknown("optimizer", core, names))
    return False


def kind_of(name: str) -> Kind:
    """Return what a name stands for; raise InputError if it stands for nothing.

    The code of a stranger's name is run.
    """
    wrappers, core = parts_of(name)
    if is_strange(name):
        from optiviz.optimizers.strangers import stranger

        kind = stranger(core)
    else:
        kind = _ours(core)
    for wrapper in reversed(wrappers):
        kind = _around(wrapper, core, kind)
    return kind


@cache
def _ours(name: str) -> Kind:
    cls = load_optimizer(name)
    declared = {each.name: parameter(each) for each in fields(cls)}
    return Kind(declared, cls, "lr" if "lr" in declared else "", made_of=(cls,))


def packages_of(name: str) -> dict[str, str]:
    """Return the versions of the packages that a name is of beside ours. Nothing is loaded."""
    _, core = parts_of(name)
    if file_of(core) is not None:
        return {}
    if is_source(core):
        root = core.partition(".")[0]
        return versions(root, *BESIDE.get(root, ()))
    offered = offer(GROUP, "optimizer", core, OPTIMIZERS)
    if offered is not None:
        return versions(offered.package)
    return versions("scipy") if OPTIMIZERS[core].startswith("classical:") else {}


def _typed(key: str, value: Any, declared: Parameter) -> Any:
    """Return a wrapper's value, which was read as it looks around a stranger's."""
    if isinstance(value, np.ndarray):
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or (declared.type is int and value != int(value)):
        raise InputError(f"{key} must be a {'whole ' if declared.type is int else ''}number")
    return int(value) if declared.type is int else float(value)


def _around(name: str, core: str, kind: Kind) -> Kind:
    """Return what a wrapper around a kind is."""
    wrapper = load_wrapper(name)
    written = wrapper.own(list(kind.parameters))
    declared = wrapper.__dataclass_fields__
    parameters = {key: parameter(declared[own]) for key, own in written.items()}

    def make(**values: Any) -> Method:
        own = {
            written[key]: _typed(key, values.pop(key), parameters[key])
            for key in written
            if key in values
        }
        inner = kind.make(**values)
        if not isinstance(inner, Optimizer):
            raise InputError(
                f"{name} goes around pure steps: {core} has a loop and states of its own"
            )
        return wrapper(inner=inner, **own)

    made_of = (wrapper, *kind.made_of)
    return Kind({**kind.parameters, **parameters}, make, kind.rate, kind.open, made_of)
