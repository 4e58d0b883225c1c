"""A surface: a formula, the window worth drawing, and what is known about it."""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    PlainSerializer,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from optiviz.documents import plain_number, plain_text, shown
from optiviz.errors import InputError, unknown
from optiviz.objective import Array

if TYPE_CHECKING:
    from optiviz.surfaces.formula import Formula

MAX_STEPS = 1_000_000
MAX_COORDINATE = 1e100
AXES = ("x", "y")
CORNER = (0.1, 0.2)  # where a run begins if nobody says: these shares of the window's sides


@dataclass(frozen=True)
class Stranger:
    """The context in which a stranger's entry is validated: what else of it is looked at.

    Its formula is read at once, and its learning rates must be of these optimizers, if they are
    given. Of ours the tests do that, because reading all formulas would cost a second.
    axes is how many its domain has, if that can be told, so that a wrong interval hides no other
    fault.
    """

    optimizers: Collection[str] | None = None
    axes: int | None = None


def _axes(info: ValidationInfo) -> int | None:
    domain = info.data.get("domain")  # absent if it is wrong itself
    if isinstance(domain, Domain):
        return len(domain.intervals)
    return info.context.axes if isinstance(info.context, Stranger) else None


def _kebab(word: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", word):
        raise ValueError(f"{shown(word, quoted=True)} is not of the form small-letters-and-digits")
    return word


def spelt(point: Sequence[float]) -> str:
    """Write a point for a message: 1, 2."""
    return ", ".join(f"{each:g}" for each in point) or "an empty point"


def _fitting(point: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
    axes = _axes(info)
    if axes is not None and len(point) != axes:
        raise ValueError(f"{spelt(point)} does not fit a domain in {' and '.join(AXES[:axes])}")
    return point


def rising(levels: tuple[float, ...]) -> tuple[float, ...]:
    """Return levels of isolines; raise ValueError if they do not rise."""
    if list(levels) != sorted(set(levels)):
        raise ValueError("levels must rise")
    return levels


Text = Annotated[str, AfterValidator(plain_text)]
Kebab = Annotated[str, AfterValidator(_kebab)]
Number = Annotated[FiniteFloat, BeforeValidator(plain_number)]
Steps = Annotated[int, Field(ge=1, le=MAX_STEPS), BeforeValidator(plain_number)]
Interval = tuple[Number, Number]
Point = tuple[Number, ...]
PlacedPoint = Annotated[Point, AfterValidator(_fitting)]


def _rates(value: Any, info: ValidationInfo) -> Any:
    """Turn a mapping of learning rates into pairs; say of each that cannot be what is wrong."""
    if not isinstance(value, Mapping):
        if isinstance(value, tuple) and not value:
            return value
        raise ValueError("is no mapping from optimizers to learning rates")
    known = info.context.optimizers if isinstance(info.context, Stranger) else None
    faults = []
    for name, rate in value.items():
        if known is not None and name not in known:
            faults.append(unknown("optimizer", str(name), known))
        number = isinstance(rate, int | float) and not isinstance(rate, bool)
        if not (number and 0 < rate < math.inf):
            faults.append(f"{shown(name)} should be a number above 0, not {shown(rate, True)}")
    if faults:
        raise ValueError("; ".join(faults))
    return tuple(value.items())


def _mapping(pairs: tuple[tuple[str, float], ...]) -> dict[str, float]:
    return dict(pairs)


Rates = Annotated[tuple[tuple[str, float], ...], BeforeValidator(_rates), PlainSerializer(_mapping)]


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
        if not isinstance(value, Mapping | Domain):
            raise ValueError(f"{shown(value)} is no domain: write {{x: [-3, 3], y: [-3, 3]}}")
        return value

    @field_validator("x", "y")
    @classmethod
    def _ordered(cls, interval: Interval | None, info: ValidationInfo) -> Interval | None:
        if interval is None:
            return interval
        low, high = interval
        if not low < high:
            raise ValueError(
                f"the interval of {info.field_name} must rise, not go from {low:g} to {high:g}"
            )
        largest = max(abs(low), abs(high))
        if largest > MAX_COORDINATE or high - low < max(1e-12 * largest, 1 / MAX_COORDINATE):
            raise ValueError(
                f"the interval of {info.field_name} is too far, too wide or too narrow to draw"
            )
        return interval

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
    steps: Steps | None = None
    minima: tuple[PlacedPoint, ...] = ()
    levels: Annotated[tuple[Number, ...], AfterValidator(rising)] = ()
    learning_rates: Rates = ()
    tags: tuple[Kebab, ...] = ()
    aliases: tuple[Kebab, ...] = ()
    source: Text = ""

    @field_validator("formula")
    @classmethod
    def _readable(cls, text: str, info: ValidationInfo) -> str:
        text = " ".join(text.split())
        if isinstance(info.context, Stranger):
            _compiled(text, _axes(info) or dimension(text))
        return text

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
    def compiled(self) -> "Formula":
        """The formula, read; raises InputError if it is none."""
        try:
            return _compiled(self.formula, self.dim)
        except InputError as error:
            raise InputError(f"{self.name}: {error}" if self.name else str(error)) from None

    def distance_to_minimum(self, x: Sequence[float]) -> float | None:
        """Return how far x is from the nearest known minimum; None if none is known."""
        return min((math.dist(x, each) for each in self.minima), default=None)


def dimension(text: str) -> int:
    """Return how many coordinates a formula speaks of: two if there is a y in it."""
    return 2 if re.search(r"\by\b", text) else 1


def _compiled(text: str, dim: int) -> "Formula":
    # Imports sympy, which a list of surfaces need not wait for.
    from optiviz.surfaces.formula import formula

    return formula(text, dim)
