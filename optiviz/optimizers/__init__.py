"""Who descends: one family of optimizers a file, and the table of their names.

The table holds strings only, so that help and completion stay light. To add an optimizer, write
its dataclass in its family's file and its word here.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from optiviz.errors import InputError, unknown

if TYPE_CHECKING:
    from optiviz.optimizers.base import Optimizer

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
}


def load_optimizer(name: str) -> type["Optimizer"]:
    """Return the class behind a name of the table."""
    if name not in OPTIMIZERS:
        raise InputError(unknown("optimizer", name, OPTIMIZERS))
    module, _, cls = OPTIMIZERS[name].partition(":")
    loaded: type[Optimizer] = getattr(import_module(f"{__name__}.{module}"), cls)
    return loaded
