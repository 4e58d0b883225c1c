"""Learning rate schedules, written after the rate: lr=0.1@warmup/20@cosine.

Each gives a factor of the rate per step; several are multiplied.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np

from optiviz.system.errors import InputError, did_you_mean


class ScheduleForm(NamedTuple):
    """A kind of schedule: its factor at steps t = 0, 1, ... and the numbers that it takes."""

    about: str
    form: str
    factor: Callable[..., Any]

    @property
    def takes(self) -> list[str]:
        """The names of its numbers: N, a number of steps, or FACTOR."""
        return self.form.split("/")[1:]


# Of numpy, so that they can be recorded.
def _cosine(step: Any, steps: Any) -> Any:
    return (1 + np.cos(math.pi * np.minimum(step / steps, 1.0))) / 2


def _step(step: Any, every: Any, share: Any) -> Any:
    return _exp(step // every, share)


def _warmup(step: Any, steps: Any) -> Any:
    return np.minimum(1.0, (step + 1) / steps)


def _exp(step: Any, share: Any) -> Any:
    with np.errstate(over="ignore"):
        return np.power(share, step)


SCHEDULES = {
    "cosine": ScheduleForm(
        "falls to 0 along half a cosine, over N steps or the whole run", "cosine/N", _cosine
    ),
    "step": ScheduleForm("is multiplied by a factor every N steps", "step/N/FACTOR", _step),
    "warmup": ScheduleForm("rises linearly in the first N steps", "warmup/N", _warmup),
    "exp": ScheduleForm("is multiplied by a factor in every step", "exp/FACTOR", _exp),
}


@dataclass(frozen=True)
class Schedule:
    """One or more schedules, whose factors are multiplied.

    The same as PyTorch's CosineAnnealingLR, StepLR and ExponentialLR; warmup is its LinearLR from
    1 / N to 1 over N - 1 steps.
    """

    parts: tuple[tuple[str, tuple[float, ...]], ...]

    @classmethod
    def read(cls, text: str) -> Self:
        """Parse a text such as "warmup/20@cosine"; raise InputError if it is invalid."""
        return cls(tuple(_part(part.strip()) for part in text.split("@")))

    def __str__(self) -> str:
        parts = ("/".join([name, *map(_number, numbers)]) for name, numbers in self.parts)
        return "@".join(parts)

    def with_total_steps(self, steps: Any) -> Self:
        """Return the schedule for a run of `steps` steps, the length of a bare cosine."""
        parts = ((name, numbers or (1.0 * steps,)) for name, numbers in self.parts)
        return replace(self, parts=tuple(parts))

    def factor(self, step: Any) -> Any:
        """Return the factor of the learning rate at a step, which may be recorded."""
        factors = (SCHEDULES[name].factor(step, *numbers) for name, numbers in self.parts)
        return math.prod(factors)


def _number(number: float) -> str:
    return repr(number).removesuffix(".0")


def _part(text: str) -> tuple[str, tuple[float, ...]]:
    name, *written = (part.strip() for part in text.split("/"))
    if name not in SCHEDULES:
        raise InputError(did_you_mean("schedule", name, SCHEDULES))
    takes, form = SCHEDULES[name].takes, SCHEDULES[name].form
    if not written and name == "cosine":
        return name, ()
    if len(written) != len(takes):
        raise InputError(f"{text!r} is not a valid schedule: write {form}")
    numbers = []
    for word, taken in zip(written, takes, strict=True):
        try:
            number = float(word)
        except ValueError:
            raise InputError(f"{text!r} is not a valid schedule: write {form}") from None
        if taken == "N" and not (1 <= number <= 1e9 and number == int(number)):
            raise InputError(f"{text!r}: N must be a whole number between 1 and 1e9, not {word}")
        if taken == "FACTOR" and not 0 < number <= 10:
            raise InputError(f"{text!r}: FACTOR must be above 0 and at most 10, not {word}")
        numbers.append(number)
    return name, tuple(numbers)
