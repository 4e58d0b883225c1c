"""Points, windows and numbers in the declarations of surfaces."""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
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

from optiviz.objective import Array
from optiviz.surfaces.syntax import AXES, MAX_VARIABLES, vector_names
from optiviz.surfaces.vocabulary import CONSTANTS, FUNCTIONS
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.json_schema import NUMBERS, TEXT, MappedSchema, any_of
from optiviz.system.text import counted, enumerated, plain_number, plain_text, shorten

MAX_STEPS = 1_000_000
MAX_COORDINATE = 1e100
COLUMNS = (
    *("label", "optimizer", "start", "step", "steps", "loss", "losses", "distance"),
    "plane_loss",
)
MAX_NAME = 40  # letters of the name of an axis


@dataclass(frozen=True)
class ValidationContext:
    """The context in which an entry of a user's file is validated.

    Its formula is parsed at once, and its learning rates must be of these optimizers, unless they
    are None. Bundled entries are validated without a context, because parsing all formulas would
    take a second; tests check them instead. axes is the number of axes in the entry's domain, None
    if unknown: with it, an invalid interval hides no other fault.
    """

    optimizers: Collection[str] | None = None
    axes: int | None = None


def axes_in(info: ValidationInfo) -> int | None:
    """Return the number of coordinates of points of a surface, or None if it is unknown."""
    if _learns(info):
        plane = info.data.get("plane")
        return len(AXES) if plane is None else int(plane.dim)
    if info.data.get("variables"):
        return len(info.data["variables"])
    domain = info.data.get("domain")  # absent if it is invalid
    if isinstance(domain, Domain):
        return len(domain.intervals)
    return info.context.axes if isinstance(info.context, ValidationContext) else None


def _learns(info: ValidationInfo) -> bool:
    """Return whether points are of the plane of a network or a model."""
    return any(info.data.get(kind) is not None for kind in ("network", "model"))


def kebab(word: str) -> str:
    """Return a word unchanged; raise ValueError if it is not in kebab-case."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", word):
        raise ValueError(
            "must consist of lower-case letters, digits and single hyphens, "
            f"not {shorten(word, quoted=True)}"
        )
    return word


def format_point(point: Sequence[float]) -> str:
    """Return a point as text: 1, 2."""
    return ", ".join(f"{each + 0.0:g}" for each in point) or "an empty point"


def _fitting(point: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
    axes = axes_in(info)
    if not point and info.field_name == "start" and _learns(info):
        return point  # its own weights
    if axes is not None and len(point) != axes:
        many = counted(len(point), "coordinate")
        whose = "there are variables" if info.data.get("variables") else "the domain has"
        raise ValueError(f"{format_point(point)} has {many}, but {whose} {axes}")
    return point


def increasing(levels: tuple[float, ...]) -> tuple[float, ...]:
    """Return levels of contour lines; raise ValueError if they do not increase."""
    if list(levels) != sorted(set(levels)):
        raise ValueError("must increase")
    return levels


Text = Annotated[str, AfterValidator(plain_text)]
Kebab = Annotated[str, AfterValidator(kebab)]
Number = Annotated[FiniteFloat, BeforeValidator(plain_number)]
Steps = Annotated[int, Field(ge=1, le=MAX_STEPS), BeforeValidator(plain_number)]
Interval = tuple[Number, Number]
Point = tuple[Number, ...]
PlacedPoint = Annotated[Point, AfterValidator(_fitting)]


def _rates(value: Any, info: ValidationInfo) -> Any:
    """Return a mapping of learning rates as pairs; raise ValueError with every fault."""
    if not isinstance(value, Mapping):
        if isinstance(value, tuple) and not value:
            return value
        raise ValueError("must be a mapping from optimizers to learning rates")
    known = info.context.optimizers if isinstance(info.context, ValidationContext) else None
    faults = []
    for name, rate in value.items():
        if known is not None and name not in known:
            faults.append(did_you_mean("optimizer", str(name), known))
        number = isinstance(rate, int | float) and not isinstance(rate, bool)
        if not (number and 0 < rate < math.inf):
            faults.append(f"{shorten(name)} must be a number above 0, not {shorten(rate, True)}")
    if faults:
        raise ValueError("; ".join(faults))
    return tuple(value.items())


def _mapping(pairs: tuple[tuple[str, float], ...]) -> dict[str, float]:
    return dict(pairs)


def _params(value: Any) -> Any:
    """Return a mapping of parameters as pairs; raise ValueError with every fault."""
    if not isinstance(value, Mapping):
        if isinstance(value, tuple) and not value:
            return value
        raise ValueError("must be a mapping from parameters to numbers")
    faults = []
    for name, number in value.items():
        if not (isinstance(name, str) and name.isidentifier() and name.isascii()):
            faults.append(f"{shorten(name, quoted=True)} is not a name, such as k")
        plain = isinstance(number, int | float) and not isinstance(number, bool)
        if not (plain and math.isfinite(number)):
            faults.append(f"{shorten(name)} must be a number, not {shorten(number, quoted=True)}")
        elif abs(number) > MAX_COORDINATE:
            faults.append(f"{shorten(name)} must lie in [-1e100, 1e100], not {number:g}")
    if faults:
        raise ValueError("; ".join(faults))
    return tuple((name, float(number)) for name, number in value.items())


Params = Annotated[
    tuple[tuple[str, float], ...],
    BeforeValidator(_params),
    PlainSerializer(_mapping),
    MappedSchema(lambda kept: {"type": "object", "additionalProperties": {"type": "number"}}),
]
Rates = Annotated[
    tuple[tuple[str, float], ...],
    BeforeValidator(_rates),
    PlainSerializer(_mapping),
    MappedSchema(lambda kept: {"type": "object", "additionalProperties": {"type": "number"}}),
]


class Domain(BaseModel):
    """The window that is drawn: an interval for x and, in two dimensions, one for y.

    Also accepts "-3:3,-2:2" or [[-3, 3], [-2, 2]].
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
                raise ValueError(f"{value!r} is not a valid domain: write -3:3,-2:2") from None
        if isinstance(value, Sequence):
            if not 1 <= len(value) <= len(AXES):
                raise ValueError("must have one or two intervals, as in -3:3,-2:2")
            return dict(zip(AXES, value, strict=False))
        if not isinstance(value, Mapping | Domain):
            raise ValueError(
                f"{shorten(value)} is not a valid domain: write {{x: [-3, 3], y: [-3, 3]}}"
            )
        return value

    @field_validator("x", "y")
    @classmethod
    def _ordered(cls, interval: Interval | None, info: ValidationInfo) -> Interval | None:
        if interval is None:
            return interval
        low, high = interval
        if not low < high:
            raise ValueError(
                f"the interval of {info.field_name} must increase, not go from {low:g} to {high:g}"
            )
        largest = max(abs(low), abs(high))
        if largest > MAX_COORDINATE or high - low < max(1e-12 * largest, 1 / MAX_COORDINATE):
            raise ValueError(
                f"the interval of {info.field_name} is too far from 0, too wide or too narrow"
            )
        return interval

    @model_serializer
    def _as_mapping(self) -> dict[str, Interval]:
        return dict(zip(AXES, self.intervals, strict=False))

    @property
    def intervals(self) -> tuple[Interval, ...]:
        """The intervals of all axes, in order."""
        return (self.x,) if self.y is None else (self.x, self.y)

    def contains(self, points: Array) -> NDArray[np.bool_]:
        """Return whether points of shape (..., dim) lie in the window, edges included."""
        low, high = np.transpose(self.intervals)
        inside: NDArray[np.bool_] = ((low <= points) & (points <= high)).all(axis=-1)
        return inside

    @property
    def diagonal(self) -> float:
        """The length of the window's diagonal."""
        return math.hypot(*(high - low for low, high in self.intervals))


def _bounds(value: Any) -> Any:
    """Return the intervals in a text such as -1:1,0: as pairs, with None for an open end."""
    if not isinstance(value, str):
        return value
    try:
        sides = [side.split(":") for side in value.split(",")]
        return [(_end(low, -math.inf), _end(high, math.inf)) for low, high in sides]
    except ValueError:
        raise ValueError(f"{value!r} are no bounds: write -1:1,0:2, or 0: without an end") from None


def _end(text: str, open_end: float) -> float | None:
    number = float(text) if text.strip() else open_end
    return None if number == open_end else number


def _uncrossed(bounds: "Bounds") -> "Bounds":
    for low, high in bounds:
        if low is not None and high is not None and low > high:
            raise ValueError(f"an interval must increase, not go from {low:g} to {high:g}")
    return bounds


def _named(names: Any) -> Any:
    return tuple(name.strip() for name in names.split(",")) if isinstance(names, str) else names


def axis_names(names: tuple[str, ...], axes: int | None) -> tuple[str, ...]:
    """Return the names of axes; raise ValueError if one of them or their number is invalid.

    axes is their right number, None if that is unknown.
    """
    for name in names:
        if not all(each.isalnum() or each in " _" for each in name) or not name[:1].isalpha():
            raise ValueError(
                f"{shorten(name, quoted=True)} must begin with a letter and consist of letters, "
                "digits, spaces and underscores"
            )
        if len(name) > MAX_NAME:
            raise ValueError(f"{shorten(name, quoted=True)} is longer than {MAX_NAME} letters")
        if name in FUNCTIONS or name in CONSTANTS:
            kind = "function" if name in FUNCTIONS else "constant"
            raise ValueError(f"{name!r} is the name of a {kind}: choose another one")
        if names.count(name) > 1:
            raise ValueError(f"{name!r} is the name of two axes: choose another one")
    if axes is not None and len(names) != axes:
        many = "one axis" if axes == 1 else f"{axes} axes"
        raise ValueError(f"{','.join(names)} is {counted(len(names), 'name')} for {many}")
    return names


def check_unmistakable(
    used: Collection[str], variables: Sequence[str], axes: Sequence[str]
) -> None:
    """Raise InputError if a name that a text uses is a variable, and the name of another axis."""
    for axis, variable in zip(axes, variables, strict=False):
        if axis != variable and axis in used and axis in variables:
            raise InputError(f"{axis} is a variable, but names the axis of {variable}: rename axes")


def variable_names(given: Any) -> Any:
    """Return names of variables, from names separated by commas, or from their number."""
    if isinstance(given, int) and not isinstance(given, bool):
        if not 1 <= given <= MAX_VARIABLES:
            raise ValueError(f"there can be 1 to {MAX_VARIABLES} variables, not {given}")
        return vector_names(given)
    return _named(given)


def _identifiers(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of variables; raise ValueError if a formula cannot have one of them."""
    if len(names) > MAX_VARIABLES:
        raise ValueError(f"there can be 1 to {MAX_VARIABLES} variables, not {len(names)}")
    for known in AXES, vector_names(len(names)):
        if set(names) == set(known) and names != known:
            raise ValueError(f"{enumerated(known)} must be in this order")
    for name in names:
        if name.lower() in COLUMNS:
            raise ValueError(f"{name!r} is the name of a column in tables: choose another one")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or iskeyword(name):
            raise ValueError(
                f"{shorten(name, quoted=True)} must be letters, digits and underscores, as w1"
            )
    return axis_names(names, None)


def _own_names(names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    return axis_names(names, axes_in(info)) if names else names


VariableNames = Annotated[
    tuple[Text, ...],
    BeforeValidator(variable_names),
    AfterValidator(_identifiers),
    MappedSchema(lambda kept: any_of(TEXT, {"type": "integer", "minimum": 1}, kept)),
]
AxisNames = Annotated[
    tuple[Text, ...],
    BeforeValidator(_named),
    AfterValidator(_own_names),
    MappedSchema(lambda kept: any_of(TEXT, kept)),
]
Bounds = Annotated[
    tuple[tuple[Number | None, Number | None], ...],
    BeforeValidator(_bounds),
    AfterValidator(_uncrossed),
    MappedSchema(lambda kept: any_of(TEXT, kept)),
]
Window = Annotated[
    Domain,
    MappedSchema(lambda kept: any_of(TEXT, {"type": "array", "items": NUMBERS}, kept)),
]
