"""Which learning rate is fair here.

The word's own rate, else the one given for all, else the optimizer's default where it has one,
else the surface's, else that of the table below.
"""

from optiviz.errors import InputError, unknown
from optiviz.optimizers import OPTIMIZERS, load_optimizer
from optiviz.optimizers.base import Optimizer
from optiviz.optimizers.words import Word
from optiviz.surfaces.surface import Surface

# Rates for surfaces whose slopes and sizes are of the order of 1 to 10.
RATES = {
    "sgd": 0.01,
    "momentum": 0.01,
    "nesterov": 0.01,
    "smoothed-nesterov": 0.01,
    "adagrad": 0.5,
    "rmsprop": 0.05,
    "adadelta": 10.0,
    "adam": 0.1,
    "amsgrad": 0.1,
    "adamw": 0.1,
    "adamax": 0.1,
    "nadam": 0.1,
    "radam": 0.1,
}


def with_rate(word: Word, surface: Surface, lr: float | None = None) -> Optimizer:
    """Return a word's optimizer with the learning rate that is right for it on this surface."""
    declared = load_optimizer(word.name).__dataclass_fields__
    rates = dict(surface.learning_rates)
    for name in rates:
        if name not in OPTIMIZERS:
            raise InputError(
                f"{surface.name}: learning_rates: {unknown('optimizer', name, OPTIMIZERS)}"
            )
    if "lr" in dict(word.settings) or "lr" not in declared:
        return word.build()
    if lr is not None:
        return word.build(lr=lr)
    if word.name not in RATES:
        return word.build()
    return word.build(lr=rates.get(word.name, RATES[word.name]))
