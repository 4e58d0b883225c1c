"""Optimizers, one family per module.

To add one, write its dataclass in the module of its family and its name in `registry.py`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from optiviz.registry import OPTIMIZERS, WRAPPERS
from optiviz.system.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from optiviz.optimizers.base import Method
    from optiviz.optimizers.wrappers import Wrapper


def load_optimizer(name: str) -> type["Method"]:
    """Return the class of a built-in optimizer; raise InputError if the name is unknown."""
    found: type[Method] = _loaded("optimizer", name, OPTIMIZERS)
    return found


def load_wrapper(name: str) -> type["Wrapper"]:
    """Return the class of a wrapper; raise InputError if the name is unknown."""
    found: type[Wrapper] = _loaded("wrapper", name, WRAPPERS)
    return found


def _loaded(kind: str, name: str, table: dict[str, str]) -> Any:
    if name not in table:
        raise InputError(did_you_mean(kind, name, table))
    module, _, cls = table[name].partition(":")
    return getattr(import_module(f"{__name__}.{module}"), cls)
