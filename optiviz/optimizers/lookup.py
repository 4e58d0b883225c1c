"""Names of optimizers -> what they stand for.

A name is one of our table, that of an entry point, or a stranger's, as in my.py:Lion and
torch.optim.AdamW; before it may stand wrappers, as in lookahead+adam. Only `factory_of` runs a
stranger's code.
"""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from functools import cache
from typing import Any

import numpy as np

from optiviz.optimizers import load_optimizer, load_wrapper
from optiviz.optimizers.base import Method, Optimizer
from optiviz.optimizers.factory import RATE_NAMES, OptimizerFactory, Parameter, parameter
from optiviz.optimizers.third_party import ThirdPartyOptimizer, UserOptimizer
from optiviz.registry import OPTIMIZERS, PACKAGES, WRAPPERS
from optiviz.system import plugins
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.plugins import file_of, find_plugin, installed_plugins, is_import_path, versions

GROUP = "optiviz.optimizers"
COMPANION_PACKAGES = {"optax": ("jax",)}  # what else decides a package's numbers


def split_wrappers(name: str) -> tuple[list[str], str]:
    """Return the wrappers of a name, the outermost first, and what they are around."""
    wrappers = []
    first, plus, rest = name.partition("+")
    while plus and first in WRAPPERS:
        if first in wrappers:
            raise InputError(f"{first} goes around once")
        wrappers.append(first)
        name = rest
        first, plus, rest = name.partition("+")
    if plus and not is_import_path(name):
        raise InputError(did_you_mean("wrapper", first, WRAPPERS))
    return wrappers, name


def is_third_party_optimizer(name: str) -> bool:
    """Return whether a name is of a stranger's code; raise InputError if it is of nothing."""
    _, core = split_wrappers(name)
    if is_import_path(core):
        return True
    if find_plugin(GROUP, "optimizer", core, [*OPTIMIZERS, *WRAPPERS]) is not None:
        return True
    if core not in OPTIMIZERS:
        names = [*OPTIMIZERS, *(each.name for each in installed_plugins(GROUP))]
        if core in WRAPPERS:
            raise InputError(f"{core} goes around another optimizer, as in {core}+adam")
        raise InputError(did_you_mean("optimizer", core, names))
    return False


def factory_of(name: str) -> OptimizerFactory:
    """Return what a name stands for; raise InputError if it stands for nothing.

    The code of a stranger's name is run.
    """
    wrappers, core = split_wrappers(name)
    if is_third_party_optimizer(name):
        factory = third_party_factory(core)
    else:
        factory = _built_in(core)
    for wrapper in reversed(wrappers):
        factory = _wrapped(wrapper, core, factory)
    return factory


@cache
def _built_in(name: str) -> OptimizerFactory:
    cls = load_optimizer(name)
    declared = {each.name: parameter(each) for each in fields(cls)}
    return OptimizerFactory(declared, cls, "lr" if "lr" in declared else "", sources=(cls,))


def packages_of(name: str) -> dict[str, str]:
    """Return the versions of the packages that a name is of beside ours. Nothing is loaded."""
    _, core = split_wrappers(name)
    if file_of(core) is not None:
        return {}
    if is_import_path(core):
        root = core.partition(".")[0]
        return versions(root, *COMPANION_PACKAGES.get(root, ()))
    offered = find_plugin(GROUP, "optimizer", core, OPTIMIZERS)
    if offered is not None:
        return versions(offered.package)
    return versions(*PACKAGES.get(OPTIMIZERS[core].partition(":")[0], ()))


def _typed(key: str, value: Any, declared: Parameter) -> Any:
    """Return a wrapper's value, which was read as it looks around a stranger's."""
    if isinstance(value, np.ndarray):
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or (declared.type is int and value != int(value)):
        raise InputError(f"{key} must be a {'whole ' if declared.type is int else ''}number")
    return int(value) if declared.type is int else float(value)


def _wrapped(name: str, core: str, factory: OptimizerFactory) -> OptimizerFactory:
    """Return what a wrapper around a kind is."""
    wrapper = load_wrapper(name)
    written = wrapper.own(list(factory.parameters))
    declared = wrapper.__dataclass_fields__
    parameters = {key: parameter(declared[own]) for key, own in written.items()}

    def make(**values: Any) -> Method:
        own = {
            written[key]: _typed(key, values.pop(key), parameters[key])
            for key in written
            if key in values
        }
        inner = factory.make(**values)
        if not isinstance(inner, Optimizer):
            raise InputError(
                f"{name} goes around pure steps: {core} has a loop and states of its own"
            )
        return wrapper(inner=inner, **own)

    sources = (wrapper, *factory.sources)
    return OptimizerFactory(
        {**factory.parameters, **parameters}, make, factory.rate, factory.open, sources
    )


def third_party_factory(name: str) -> OptimizerFactory:
    """Return what the name of an entry point or of a stranger's code stands for.

    Raises InputError if it cannot be loaded or is no optimizer.
    """
    offered = (
        None if plugins.is_import_path(name) else plugins.find_plugin(GROUP, "optimizer", name, ())
    )
    found = plugins.load(name) if offered is None else offered.load()
    if not callable(found):
        of = "" if offered is None else f", of the package {offered.package},"
        raise InputError(f"{name}{of} is no optimizer")
    if _is_torch(found):
        from optiviz.optimizers.torch_adapter import Torch

        return _adapted(name, found, Torch, skipped=1)
    if all(callable(getattr(found, each, None)) for each in ("init", "step")):
        return _adapted(name, found, UserOptimizer)
    if not inspect.isclass(found):
        from optiviz.optimizers.optax_adapter import Transform

        return _adapted(name, found, Transform)
    raise InputError(
        f"{name} is no optimizer: write a class with init(x) and step(objective, x, state), "
        "a torch.optim.Optimizer or a function that returns an optax transform"
    )


def _is_torch(found: Any) -> bool:
    """Return whether something is a class of torch's optimizers. torch is not imported for it."""
    return inspect.isclass(found) and any(
        f"{each.__module__}.{each.__qualname__}" == "torch.optim.optimizer.Optimizer"
        for each in found.__mro__
    )


def _adapted(
    name: str, found: Callable[..., Any], adapter: "type[ThirdPartyOptimizer]", skipped: int = 0
) -> OptimizerFactory:
    """Return the kind of an adapter around a class or function."""
    parameters, free = _signature(found, skipped)
    defaults = {key: each.default for key, each in parameters.items()}

    def make(**values: Any) -> Method:
        for key, default in defaults.items():
            if default is MISSING and key not in values:
                raise InputError(f"{name}: {key} has no default, and is not given")
            if isinstance(default, float) and type(values.get(key)) is int:
                values[key] = float(values[key])
        return adapter(name=name, found=found, values={**defaults, **values})

    rate = next((each for each in RATE_NAMES if each in parameters), "")
    return OptimizerFactory(parameters, make, rate, free, (found,))


def _signature(found: Callable[..., Any], skipped: int) -> tuple[dict[str, Parameter], bool]:
    """Return the parameters of a class or function, and whether it takes any others."""
    try:
        declared = list(inspect.signature(found).parameters.values())[skipped:]
    except (TypeError, ValueError):
        return {}, True
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = {
        each.name: Parameter(MISSING if each.default is each.empty else each.default)
        for each in declared
        if each.kind in named
    }
    return parameters, any(each.kind is each.VAR_KEYWORD for each in declared)
