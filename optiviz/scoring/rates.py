"""The learning rates that are tried: one grid for all optimizers whose rate is searched."""

from dataclasses import MISSING

import numpy as np

from optiviz.optimizers.lookup import factory_of, is_third_party_optimizer
from optiviz.optimizers.spec import OptimizerSpec

RATES = np.power(10.0, np.linspace(-7, 3, 41))  # four a decade
NETWORK_RATES = RATES[12:35:2]  # two a decade, from 1e-4


def is_searched(spec: OptimizerSpec) -> bool:
    """Return whether the learning rate of an optimizer is searched.

    It is not if there is none, if the spec sets it, or if a built-in optimizer has a default.
    Raises InputError if third-party code cannot be loaded.
    """
    factory = factory_of(spec.name)
    if not factory.rate or factory.rate in dict(spec.settings):
        return False
    chosen = factory.parameters[factory.rate].default is not MISSING
    return is_third_party_optimizer(spec.name) or not chosen
