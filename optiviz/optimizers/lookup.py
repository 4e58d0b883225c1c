"""Look up optimizers by name.

A name is a built-in one, that of an entry point, or an import path to third-party code, such as
my.py:Lion or torch.optim.AdamW. Wrappers may precede it: lookahead+adam. Only `factory_of` and
`third_party_factory` run third-party code.
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
from optiviz.optimizers.third_party import ThirdPartyOptimizer, UserOptimizer, asking_for_a_class
from optiviz.optimizers.torch_adapter import Torch, makes_from_parameters
from optiviz.registry import OPTIMIZERS, PACKAGES, WRAPPERS
from optiviz.system import plugins
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.plugins import file_of, find_plugin, installed_plugins, is_import_path, versions

GROUP = "optiviz.optimizers"
COMPANION_PACKAGES = {"optax": ("jax",)}  # other packages that affect a package's results


def split_wrappers(name: str) -> tuple[list[str], str]:
    """Return the wrappers in a name, outermost first, and the name that they wrap.

    Raises InputError for an unknown or repeated wrapper.
    """
    wrappers = []
    first, plus, rest = name.partition("+")
    while plus and first in WRAPPERS:
        if first in wrappers:
            raise InputError(f"{first} can wrap an optimizer only once")
        wrappers.append(first)
        name = rest
        first, plus, rest = name.partition("+")
    if plus and not is_import_path(name):
        raise InputError(did_you_mean("wrapper", first, WRAPPERS))
    return wrappers, name


def is_third_party_optimizer(name: str) -> bool:
    """Return whether a name refers to third-party code; raise InputError if it is unknown."""
    _, core = split_wrappers(name)
    if is_import_path(core):
        return True
    if find_plugin(GROUP, "optimizer", core, [*OPTIMIZERS, *WRAPPERS]) is not None:
        return True
    if core not in OPTIMIZERS:
        if core in WRAPPERS:
            raise InputError(f"{core} is a wrapper: add an optimizer, as in {core}+sgd")
        wrapped = [f"{each}+sgd" for each in WRAPPERS]  # some are known by names of their own
        names = [*OPTIMIZERS, *(each.name for each in installed_plugins(GROUP)), *wrapped]
        raise InputError(did_you_mean("optimizer", core, names))
    return False


def factory_of(name: str) -> OptimizerFactory:
    """Return the factory of a named optimizer; raise InputError if the name is unknown.

    Third-party code is run.
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
    """Return the versions of the packages that an optimizer needs besides optiviz.

    Nothing is imported.
    """
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
    """Convert a wrapper's value, whose type may have been inferred from its text."""
    if isinstance(value, np.ndarray):
        return value
    if declared.type is bool:
        if not isinstance(value, bool):
            raise InputError(f"{key} must be true or false, not {value!r}")
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or (declared.type is int and value != int(value)):
        raise InputError(
            f"{key} must be a {'whole ' if declared.type is int else ''}number, not {value!r}"
        )
    return int(value) if declared.type is int else float(value)


def _wrapped(name: str, core: str, factory: OptimizerFactory) -> OptimizerFactory:
    """Return the factory of a wrapper around another factory."""
    wrapper = load_wrapper(name)
    fixed = {factory.rate: 1.0} if wrapper.sets_rate and factory.rate else {}
    inherited = {key: each for key, each in factory.parameters.items() if key not in fixed}
    written = wrapper.own(list(inherited))
    declared = wrapper.__dataclass_fields__
    parameters = {key: parameter(declared[own]) for key, own in written.items()}

    def make(**values: Any) -> Method:
        own = {
            written[key]: _typed(key, values.pop(key), parameters[key])
            for key in written
            if key in values
        }
        inner = factory.make(**values, **fixed)
        if not isinstance(inner, Optimizer):
            raise InputError(f"{name} cannot wrap {core}, which runs its own loop")
        return wrapper(inner=inner, **own)

    rate = "" if wrapper.sets_rate else factory.rate
    sources = (wrapper, *factory.sources)
    return OptimizerFactory({**inherited, **parameters}, make, rate, factory.open, sources)


def third_party_factory(name: str) -> OptimizerFactory:
    """Return the factory behind an entry point or an import path, whose code is run.

    Raises InputError if it cannot be loaded or is not an optimizer.
    """
    offered = (
        None if plugins.is_import_path(name) else plugins.find_plugin(GROUP, "optimizer", name, ())
    )
    found = plugins.load(name) if offered is None else offered.load()
    if not callable(found):
        of = "" if offered is None else f" from the package {offered.package}"
        raise InputError(f"{name}{of} is not an optimizer")
    if _is_torch(found):
        return _adapted(name, found, Torch, skipped=1)
    if all(callable(getattr(found, each, None)) for each in ("init", "step")):
        return _adapted(name, found, UserOptimizer)
    if makes_from_parameters(found):
        return _adapted(name, found, Torch, skipped=1)
    if not inspect.isclass(found):
        from optiviz.optimizers.optax_adapter import Transform

        return _adapted(name, found, Transform)
    raise InputError(
        asking_for_a_class(
            f"{name} is not an optimizer: name a torch.optim.Optimizer or a function that returns "
            "an optax transform, or"
        )
    )


def _is_torch(found: Any) -> bool:
    """Return whether an object is a torch optimizer class, without importing torch."""
    return inspect.isclass(found) and any(
        f"{each.__module__}.{each.__qualname__}" == "torch.optim.optimizer.Optimizer"
        for each in found.__mro__
    )


def _adapted(
    name: str, found: Callable[..., Any], adapter: "type[ThirdPartyOptimizer]", skipped: int = 0
) -> OptimizerFactory:
    """Return a factory that adapts a class or function."""
    parameters, free = _signature(found, skipped)
    defaults = {key: each.default for key, each in parameters.items()}

    def make(**values: Any) -> Method:
        for key, default in defaults.items():
            if default is MISSING and key not in values:
                said = f"{name}: {key} is required, but missing"
                if inspect.isfunction(found):
                    said += "; if it returns no optax transform,"
                    raise InputError(asking_for_a_class(said))
                raise InputError(said)
            if isinstance(default, float) and type(values.get(key)) is int:
                values[key] = float(values[key])
        return adapter(name=name, found=found, values={**defaults, **values})

    rate = next((each for each in RATE_NAMES if each in parameters), "")
    return OptimizerFactory(parameters, make, rate, free, (found,))


def _signature(found: Callable[..., Any], skipped: int) -> tuple[dict[str, Parameter], bool]:
    """Return the parameters of a class or function, and whether it accepts arbitrary others."""
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
