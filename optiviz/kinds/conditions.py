"""The conditions of a run, which can be varied and which a preset can set."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any

from pydantic import BaseModel, Field

from optiviz.optimizers.spec import format_value
from optiviz.registry import NoiseKind
from optiviz.surfaces.config import MAX_SAMPLES
from optiviz.surfaces.domain import MAX_COORDINATE, Steps
from optiviz.system.errors import InputError
from optiviz.system.validation import checked

ALL = "all"  # samples of a batch

BatchSize = Annotated[int, Field(ge=1, le=MAX_SAMPLES)]
Noise = Annotated[float, Field(ge=0, le=MAX_COORDINATE, allow_inf_nan=False)]

NOISE_TOLD: dict[NoiseKind, tuple[str, str]] = {  # what it is called, and its size, in percent {1}
    "gaussian": ("gradient noise", " {0:g}"),
    "cauchy": ("Cauchy noise", " {0:g}"),
    "multiplicative": ("multiplicative noise", " {0:g}"),
    "sparse": ("sparse gradients", ": {1:g} % of coordinates missing"),
    "drift": ("the minimum drifts", " by {0:g} a step"),
}
DRAWN_FIRST = "the surface is that of step 0"  # a condition of what is drawn of one that drifts


class Conditions(BaseModel):
    """The conditions of a run that can be varied like hyperparameters."""

    noise: Noise = 0.0
    batch_size: BatchSize | None = None
    steps: Steps | None = None


def vary_condition(key: str, values: Sequence[str]) -> list[Any]:
    """Return the values of a condition, written as text; raise InputError if one is invalid."""
    read: list[Any] = []
    for value in values:
        number: Any = None if (key, value) == ("batch_size", ALL) else value
        with suppress(TypeError, ValueError, OverflowError):
            number = float(number)
            number = int(number) if number == int(number) and key != "noise" else number
        found = checked(Conditions, {key: number})
        if isinstance(found, list):
            raise InputError(f"{key}: {found[0].message}")
        read.append(getattr(found, key))
    if len(set(read)) < len(read):
        raise InputError(f"{key}={','.join(values)} lists a value twice")
    return read


def format_condition(value: Any) -> str:
    """Return a value of a condition as text."""
    return ALL if value is None else format_value(value)


def noise_told(kind: NoiseKind, noise: float) -> str:
    """Return noise of a kind as a condition of a run."""
    name, size = NOISE_TOLD[kind]
    return name + size.format(noise, 100 * noise)


def check_noise_kind(kind: NoiseKind, noises: Sequence[float]) -> None:
    """Raise InputError if noise of a kind cannot have these sizes."""
    if kind != "gaussian" and not any(noises):
        raise InputError(f"{kind} has no effect without noise, such as noise 0.1")
    if kind == "sparse" and max(noises) >= 1:
        said = format_value(max(noises))
        raise InputError(f"noise of sparse gradients is a probability below 1, not {said}")
