"""Presets: the named situations that a page offers as buttons."""

import math
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field

from optiviz.kinds.base import BaseRecipe
from optiviz.kinds.conditions import vary_condition
from optiviz.kinds.types import MAX_OPTIMIZERS, fitting_start
from optiviz.optimizers.lookup import is_third_party_optimizer
from optiviz.optimizers.spec import OptimizerSpec, format_value, parse_spec, parse_specs
from optiviz.surfaces.domain import Point
from optiviz.surfaces.presets import EXAMPLE, MAX_PRESETS, OPTIONS, preset_schema, preset_texts
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.json_schema import MappedSchema
from optiviz.system.text import plain_text, shorten

MAX_NAME = 40  # characters of what is written on a button


@dataclass(frozen=True)
class Preset:
    """A named situation: the optimizers that run, and what differs from the recipe's conditions.

    starts are () and steps and noise None where those of the recipe apply.
    """

    name: str
    optimizers: tuple[str, ...]  # specs, canonical
    starts: tuple[Point, ...] = ()
    steps: int | None = None
    noise: float | None = None

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the preset in a text such as "trapped: sgd:lr=0.1 --start 1,2 --steps 60".

        Raises InputError that begins with its name, if there is one.
        """
        name, colon, rest = (part.strip() for part in text.partition(":"))
        specs, *words = re.split(r"(?:^|\s+)--(?=\S)", rest)
        said = shorten(text, quoted=True)
        if not colon or (name and not specs):
            raise InputError(f"{said} is not a preset: write NAME: OPTIMIZERS, as in {EXAMPLE}")
        try:
            return cls(_checked_name(name), _specs(specs), **_conditions(words))
        except ValueError as error:
            if _is_spec(text):
                raise InputError(f"{said} has no name: write NAME: {text}") from None
            raise InputError(f"{shorten(name, quoted=True)}: {error}") from None

    def __str__(self) -> str:
        """Return the canonical spelling, which reads as the same preset."""
        words = [f"{self.name}: {','.join(self.optimizers)}"]
        words += [f"--start {','.join(map(format_value, start))}" for start in self.starts]
        for key in ("steps", "noise"):
            if getattr(self, key) is not None:
                words.append(f"{OPTIONS[key]} {format_value(getattr(self, key))}")
        return " ".join(words)

    @property
    def specs(self) -> tuple[OptimizerSpec, ...]:
        """Its optimizers."""
        return tuple(map(parse_spec, self.optimizers))

    def check_starts(self, surface: Surface) -> None:
        """Raise InputError if a start has the wrong number of coordinates for a surface."""
        try:
            for start in self.starts:
                fitting_start(start, surface)
        except ValueError as error:
            raise InputError(f"{shorten(self.name, quoted=True)}: {error}") from None


def _is_spec(text: str) -> bool:
    with suppress(InputError):
        return bool(parse_specs(text))
    return False


def _checked_name(name: str) -> str:
    name = plain_text(name)
    if not 1 <= len(name) <= MAX_NAME:
        raise ValueError(f"a name must have from 1 to {MAX_NAME} characters, not {len(name)}")
    return name


def _specs(text: str) -> tuple[str, ...]:
    specs = tuple(map(str, parse_specs(text)))
    if len(specs) > MAX_OPTIMIZERS:
        raise ValueError(f"more than {MAX_OPTIMIZERS} optimizers are not allowed")
    return specs


def _conditions(options: list[str]) -> dict[str, Any]:
    """Return the fields that options set, each without its dashes, such as "steps 60"."""
    fields: dict[str, Any] = {}
    keys = {option.removeprefix("--"): key for key, option in OPTIONS.items()}
    for written in options:
        word, _, value = re.sub(r"[\s=]+", " ", written, count=1).partition(" ")
        if word not in keys:
            raise ValueError(did_you_mean("option", f"--{word}", OPTIONS.values()))
        if not value:
            raise ValueError(f"--{word}: the value is missing")
        key = keys[word]
        if key == "starts":
            fields[key] = (*fields.get(key, ()), _start(value))
        elif key in fields:
            raise ValueError(f"sets --{word} twice")
        else:
            (fields[key],) = vary_condition(key, [value])
    return fields


def _start(text: str) -> Point:
    try:
        point = tuple(float(part) for part in text.split(","))
    except ValueError:
        point = (math.nan,)
    if not all(map(math.isfinite, point)):
        raise ValueError(f"{shorten(text, quoted=True)} is not a valid start: write X,Y")
    return point


def read_presets(texts: tuple[str, ...] | None) -> tuple[Preset, ...]:
    """Return the presets in texts; raise InputError if one is invalid or a name is repeated."""
    presets = tuple(map(Preset.read, texts or ()))
    if len(presets) > MAX_PRESETS:
        raise InputError(f"at most {MAX_PRESETS} values are allowed, not {len(presets)}")
    names = [preset.name for preset in presets]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two are called {shorten(name, quoted=True)}")
    return presets


def surface_presets(surface: Surface) -> tuple[Preset, ...]:
    """Return the presets that a surface declares; raise InputError if one is invalid.

    They cannot name third-party code, which nobody would have allowed.
    """
    presets = read_presets(surface.presets)
    for preset in presets:
        for spec in preset.specs:
            if is_third_party_optimizer(spec.name):
                said = f"{shorten(preset.name, quoted=True)}: {shorten(spec.name)}"
                raise InputError(
                    f"{said} is third-party code, which a surface cannot name: pass --preset"
                )
        preset.check_starts(surface)
    return presets


def _canonical(value: Any) -> Any:
    return tuple(map(str, read_presets(preset_texts(value))))


Presets = Annotated[
    tuple[str, ...],
    BeforeValidator(_canonical),
    Field(max_length=MAX_PRESETS),
    MappedSchema(preset_schema),
]


class PresetFields(BaseRecipe):
    """The situations that a page offers as buttons beside what it shows first.

    presets are texts such as "too large: sgd:lr=1.05 --steps 20", or a mapping of names to
    optimizers; those of the surface if there are none.
    """

    presets: Presets | None = None
