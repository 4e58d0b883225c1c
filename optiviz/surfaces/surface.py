"""A surface: a formula, the window worth drawing, and what is known about it."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    PlainSerializer,
    PositiveFloat,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from optiviz.documents import plain_text
from optiviz.errors import InputError
from optiviz.objective import Array
from optiviz.surfaces.formula import Formula, dimension, formula

MAX_STEPS = 1_000_000
MAX_COORDINATE = 1e100
AXES = ("x", "y")
CORNER = (0.1, 0.2)  # where a run begins if nobody says: these shares of the window's sides
READ_FORMULA = "read formula"  # in a validation's context: whether to read it at once


def _kebab(word: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", word):
        raise ValueError(f"{word!r} is not of the form small-letters-and-digits")
    return word


def _fitting(point: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
    domain = info.data.get("domain")  # None if it is wrong itself
    if isinstance(domain, Domain) and len(point) != len(domain.intervals):
        raise ValueError(
            f"{', '.join(f'{each:g}' for each in point) or 'no number'} does not fit "
            f"a domain in {' and '.join(AXES[: len(domain.intervals)])}"
        )
    return point


Text = Annotated[str, AfterValidator(plain_text)]
Kebab = Annotated[str, AfterValidator(_kebab)]
Interval = tuple[FiniteFloat, FiniteFloat]
Point = tuple[FiniteFloat, ...]
PlacedPoint = Annotated[Point, AfterValidator(_fitting)]


def _pairs(value: Any) -> Any:
    return tuple(value.items()) if isinstance(value, Mapping) else value


def _mapping(pairs: tuple[tuple[str, float], ...]) -> dict[str, float]:
    return dict(pairs)


Rates = Annotated[
    tuple[tuple[str, PositiveFloat], ...], BeforeValidator(_pairs), PlainSerializer(_mapping)
]


class Domain(BaseModel):
    """The window that is drawn: an interval for x and, in two dimensions, one for y.

    Also made from "-3:3,-2:2" and from [[-3, 3], [-2, 2]].
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    x: Interval
    y: Interval | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_words(cls, value: Any) -> Any:
        if isinstance(value, str):
            try:
                ends = [side.split(":") for side in value.split(",")]
                value = [(float(low), float(high)) for low, high in ends]
            except ValueError:
                raise ValueError(f"{value!r} is not of the form -3:3,-2:2") from None
        if isinstance(value, Sequence):
            if not 1 <= len(value) <= len(AXES):
                raise ValueError("a domain has one or two intervals, as in -3:3,-3:3")
            return dict(zip(AXES, value, strict=False))
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for axis, (low, high) in zip(AXES, self.intervals, strict=False):
            if not low < high:
                raise ValueError(f"the interval of {axis} goes from {low:g} down to {high:g}")
            largest = max(abs(low), abs(high))
            if largest > MAX_COORDINATE or high - low < max(1e-12 * largest, 1 / MAX_COORDINATE):
                raise ValueError(
                    f"the interval of {axis} is too far, too wide or too narrow to draw"
                )
        return self

    @model_serializer
    def _as_mapping(self) -> dict[str, Interval]:
        return dict(zip(AXES, self.intervals, strict=False))

    @property
    def intervals(self) -> tuple[Interval, ...]:
        """The intervals of all axes, in order."""
        return (self.x,) if self.y is None else (self.x, self.y)


class Surface(BaseModel):
    """An objective in one or two dimensions that is declared by its formula.

    Its words are those of an entry of surfaces.yaml. Pickles as its declaration; the formula is
    read and compiled when it is first used.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, AfterValidator(lambda word: word and _kebab(word))] = ""
    title: Text = ""
    domain: Domain
    formula: str
    start: PlacedPoint = ()
    steps: Annotated[int, Field(ge=1, le=MAX_STEPS)] | None = None
    minima: tuple[PlacedPoint, ...] = ()
    levels: tuple[FiniteFloat, ...] = ()
    learning_rates: Rates = ()
    tags: tuple[Kebab, ...] = ()
    aliases: tuple[Kebab, ...] = ()
    source: Text = ""

    @field_validator("formula")
    @classmethod
    def _readable(cls, text: str, info: ValidationInfo) -> str:
        if info.context and info.context.get(READ_FORMULA):
            domain = info.data.get("domain")
            formula(text, len(domain.intervals) if domain else dimension(text))
        return text

    @field_validator("levels")
    @classmethod
    def _rising(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if list(levels) != sorted(set(levels)):
            raise ValueError("levels must rise")
        return levels

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.start:
            sides = zip(self.domain.intervals, CORNER, strict=False)
            corner = tuple(low + share * (high - low) for (low, high), share in sides)
            object.__setattr__(self, "start", corner)
        if not self.title:
            named = self.name.replace("-", " ").capitalize()
            object.__setattr__(self, "title", named or self.formula)
        return self

    @property
    def dim(self) -> int:
        """Number of coordinates: one or two."""
        return len(self.domain.intervals)

    def value(self, x: Array) -> Array:
        """Return f(x), shape (...), for x of shape (..., dim)."""
        return self.compiled.value(x)

    def gradient(self, x: Array) -> Array:
        """Return df/dx, shape (..., dim), for x of shape (..., dim)."""
        return self.compiled.gradient(x)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return both at once."""
        return self.compiled.value_and_gradient(x)

    def hessian(self, x: Array) -> Array:
        """Return d2f/dx2, shape (..., dim, dim), for x of shape (..., dim)."""
        return self.compiled.hessian(x)

    @property
    def compiled(self) -> Formula:
        """The formula, read; raises InputError if it is none."""
        try:
            return formula(self.formula, self.dim)
        except InputError as error:
            raise InputError(f"{self.name}: {error}" if self.name else str(error)) from None

    def distance_to_minimum(self, x: Sequence[float]) -> float | None:
        """Return how far x is from the nearest known minimum; None if none is known."""
        return min((math.dist(x, each) for each in self.minima), default=None)
