"""Who descends: one family of optimizers a file, and the tables of their names.

The tables hold strings only, so that help and completion stay light. To add an optimizer, write
its dataclass in its family's file and its word here.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from optiviz.system.errors import InputError, unknown

if TYPE_CHECKING:
    from optiviz.optimizers.base import Method
    from optiviz.optimizers.wrappers import Wrapper

OPTIMIZERS = {
    "sgd": "momentum:SGD",
    "asgd": "momentum:ASGD",
    "momentum": "momentum:Momentum",
    "nesterov": "momentum:Nesterov",
    "smoothed-nesterov": "momentum:SmoothedNesterov",
    "adagrad": "adaptive:Adagrad",
    "rmsprop": "adaptive:RMSprop",
    "adadelta": "adaptive:Adadelta",
    "adafactor": "adaptive:Adafactor",
    "adam": "adam:Adam",
    "amsgrad": "adam:AMSGrad",
    "adamw": "adam:AdamW",
    "adamax": "adam:Adamax",
    "nadam": "adam:NAdam",
    "radam": "adam:RAdam",
    "adabelief": "successors:AdaBelief",
    "yogi": "successors:Yogi",
    "adan": "successors:Adan",
    "lamb": "successors:LAMB",
    "ademamix": "successors:AdEMAMix",
    "adopt": "successors:ADOPT",
    "rprop": "sign:Rprop",
    "lion": "sign:Lion",
    "newton": "newton:Newton",
    "bfgs": "classical:BFGS",
    "l-bfgs": "classical:LBFGS",
    "conjugate-gradient": "classical:ConjugateGradient",
    "nelder-mead": "classical:NelderMead",
}
WRAPPERS = {
    "lookahead": "wrappers:Lookahead",
    "sam": "wrappers:SAM",
}


def load_optimizer(name: str) -> type["Method"]:
    """Return the class behind a name of the table of optimizers."""
    found: type[Method] = _loaded("optimizer", name, OPTIMIZERS)
    return found


def load_wrapper(name: str) -> type["Wrapper"]:
    """Return the class behind a name of the table of wrappers."""
    found: type[Wrapper] = _loaded("wrapper", name, WRAPPERS)
    return found


def _loaded(kind: str, name: str, table: dict[str, str]) -> Any:
    if name not in table:
        raise InputError(unknown(kind, name, table))
    module, _, cls = table[name].partition(":")
    return getattr(import_module(f"{__name__}.{module}"), cls)
