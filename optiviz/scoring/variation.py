"""The values of hyperparameters, other than the learning rate, that a job tries."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array
from optiviz.optimizers.base import ends
from optiviz.optimizers.lookup import factory_of
from optiviz.optimizers.spec import OptimizerSpec
from optiviz.system.errors import InputError

FACTORS = np.power(10.0, np.linspace(-2, 2, 9))  # two a decade
DECAY_RATES = "[0, 1)"  # the interval of those whose distance from 1 is varied
DIGITS = 12  # of a decay rate behind the point
UNDECLARED = 0.5  # from which on a user's number below 1 is taken for one


class Varied(NamedTuple):
    """A hyperparameter's default, and the values that are tried, it among them.

    They have these factors, increasing: of the default, or of its distance from 1.
    """

    default: float
    values: Array
    factors: Array


def varied_values(spec: OptimizerSpec, best: Mapping[str, float]) -> dict[str, Varied]:
    """Return what is tried of each hyperparameter that has an effect and is a number.

    best are the values of others. Those that the spec sets, or that are 0, are left out.
    """
    factory = factory_of(spec.name)
    active = spec.build(**best).settings()
    found = {}
    for key, declared in factory.parameters.items():
        default = declared.default
        if key in best or key in dict(spec.settings) or key not in active or key == factory.rate:
            continue
        if declared.type in (int, bool) or not isinstance(default, float) or not default > 0:
            continue
        values = _values(default, declared.within)
        allowed = _within(values, declared.within)
        if not declared.within:
            allowed &= [_builds(spec, {**best, key: each}) for each in values.tolist()]
        if allowed.sum() > 1:
            found[key] = Varied(default, values[allowed], FACTORS[allowed])
    return found


def _values(default: float, within: str) -> Array:
    """Return FACTORS of a default, or of its distance from 1 if it is a decay rate."""
    if within == DECAY_RATES or (not within and UNDECLARED <= default < 1):
        values = np.round(1 - (1 - default) * FACTORS, DIGITS)  # 0 is within
    else:
        values = default * FACTORS
    values[len(values) // 2] = default  # to the last bit
    return values


def _within(values: Array, within: str) -> NDArray[np.bool_]:
    """Return which values lie in an interval, those that are not negative if it is ""."""
    within = within or "[0, inf)"
    low, high = ends(within)
    return (values >= low if within[0] == "[" else values > low) & (values < high)


def _builds(spec: OptimizerSpec, values: Mapping[str, float]) -> bool:
    """Return whether third-party code takes some values."""
    try:
        spec.build(**values)
    except InputError:
        return False
    return True
