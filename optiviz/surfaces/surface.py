"""A surface: a formula, the window worth drawing, and what is known about it."""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    PlainSerializer,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from optiviz.objective import Array
from optiviz.surfaces.datasets import digest_of, files_of
from optiviz.surfaces.words import FunctionWords, NetworkWords, PlaneWords
from optiviz.system.errors import InputError, unknown
from optiviz.system.plugins import digest, file_of
from optiviz.system.text import plain_number, plain_text, shown

if TYPE_CHECKING:
    from optiviz.surfaces.formula import Formula
    from optiviz.surfaces.function import Function
    from optiviz.surfaces.landscape import Landscape
    from optiviz.surfaces.plane import Plane, Progress

MAX_STEPS = 1_000_000
MAX_COORDINATE = 1e100
AXES = ("x", "y")
AROUND = {"random": "-1:1,-1:1", "weights": "-10:10,-10:10"}  # windows, if nobody says
MISSING = "is missing"
NEAR = 0.01  # of the window's diagonal: how near a minimum counts as being at it
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
    if info.data.get("network") is not None:
        return len(AXES)
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
    if not point and info.field_name == "start" and info.data.get("network") is not None:
        return point  # a network's own weights
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

    @property
    def diagonal(self) -> float:
        """The length from corner to corner."""
        return math.hypot(*(high - low for low, high in self.intervals))


class Surface(BaseModel):
    """An objective in one or two dimensions that is declared: by a formula, network or function.

    A network's loss is drawn on a plane through its weights; a function is a user's own, in
    Python. The words are those of an entry of surfaces.yaml. Pickles as its declaration, which is
    compiled when it is first used.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, AfterValidator(lambda word: word and _kebab(word))] = ""
    title: Text = ""
    network: NetworkWords | None = None
    plane: PlaneWords | None = None
    function: FunctionWords | None = None
    domain: Annotated[Domain | None, Field(validate_default=True)] = None
    formula: Annotated[str, Field(validate_default=True)] = ""
    start: PlacedPoint = ()
    starts: tuple[PlacedPoint, ...] = ()
    steps: Steps | None = None
    minima: tuple[PlacedPoint, ...] = ()
    levels: Annotated[tuple[Number, ...], AfterValidator(rising)] = ()
    learning_rates: Rates = ()
    tags: tuple[Kebab, ...] = ()
    aliases: tuple[Kebab, ...] = ()
    source: Text = ""
    _shown: "Shown | None" = PrivateAttr(default=None)

    @field_validator("plane")
    @classmethod
    def _of_a_network(cls, plane: PlaneWords | None, info: ValidationInfo) -> PlaneWords | None:
        if plane is not None and info.data.get("network", plane) is None:
            raise ValueError("is of a network, and there is none")
        return plane

    @field_validator("function")
    @classmethod
    def _alone(cls, function: FunctionWords | None, info: ValidationInfo) -> FunctionWords | None:
        if function is not None and info.data.get("network") is not None:
            raise ValueError("is given, and so is a network: give one of them")
        return function

    @field_validator("domain")
    @classmethod
    def _in_two_dimensions(cls, domain: Domain | None, info: ValidationInfo) -> Domain | None:
        network = info.data.get("network", ...)
        if domain is None and network is None:
            raise ValueError(MISSING)
        if network is not None and domain is not None and domain.y is None:
            raise ValueError("a plane has two intervals, as in -1:1,-1:1")
        return domain

    @field_validator("formula")
    @classmethod
    def _readable(cls, text: str, info: ValidationInfo) -> str:
        text = " ".join(text.split())
        others = {kind: info.data.get(kind, ...) for kind in ("network", "function")}
        given = [kind for kind, each in others.items() if each is not None]
        if not given and not text:
            raise ValueError("is missing or empty")
        if given and text:
            raise ValueError(f"is given, and so is a {given[0]}: give one of them")
        if text and isinstance(info.context, Stranger):
            _compiled(text, _axes(info) or dimension(text))
        return text

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.starts and not self.start:
            object.__setattr__(self, "start", self.starts[0])
        elif not self.start and self.network is None:
            sides = zip(self.window.intervals, CORNER, strict=False)
            corner = tuple(low + share * (high - low) for (low, high), share in sides)
            object.__setattr__(self, "start", corner)
        if not self.title:
            named = self.name.replace("-", " ").capitalize()
            of = "" if self.function is None else re.split("[:.]", self.function.of)[-1]
            object.__setattr__(self, "title", named or self.formula or of or "Network")
        return self

    @property
    def dim(self) -> int:
        """Number of coordinates: one or two."""
        return 2 if self.domain is None else len(self.domain.intervals)

    @property
    def window(self) -> Domain:
        """The window that is drawn; raises InputError if it is known only after a descent."""
        if self.domain is not None:
            return self.domain
        if self.plane_words.kind == "path":
            raise InputError(
                f"{self._called}the plane of the paths is known only after a descent: "
                "random ones and those of weights are known before"
            )
        return Domain.model_validate(AROUND[self.plane_words.kind])

    @property
    def begins(self) -> tuple[Point, ...]:
        """Where runs begin, if nobody says; () stands for a network's own weights."""
        return self.starts or (self.start,)

    @property
    def plane_words(self) -> PlaneWords:
        """What is said of the plane through a network."""
        return self.plane or PlaneWords()

    @property
    def inside(self) -> bool:
        """Whether the coordinates that are drawn are all that is descended."""
        return self.network is None or self.plane_words.inside

    @property
    def axes(self) -> tuple[str, ...]:
        """The names of the coordinates."""
        if self._shown is not None:
            return self._shown.axes
        return AXES[: self.dim] if self.network is None else self.landscape.axes

    @property
    def caption(self) -> str:
        """What stands under the title where there is no formula."""
        if self.function is not None:
            return self._function.caption
        return "" if self.network is None else self.landscape.caption

    def fineness(self, most: int) -> int:
        """Return on how many points a side it is sampled where `most` are asked for."""
        return most if self.network is None else min(most, self.plane_words.samples)

    def sampled(self, x: Array, y: Array, progress: "Progress | None" = None) -> Array:
        """Return the loss on a grid, shape (len(y), len(x)); nan or inf where it has none."""
        compiled = self.compiled
        if self.network is None:
            return compiled.value(np.stack(np.meshgrid(x, y), axis=-1))
        from optiviz.surfaces.grids import sampled
        from optiviz.surfaces.plane import Plane

        assert isinstance(compiled, Plane)
        return sampled(compiled, x, y, progress)

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
    def compiled(self) -> "Formula | Function | Plane":
        """The formula, the function, or the plane through the network; InputError if it is none."""
        if self._shown is not None:
            return self._shown.plane
        try:
            if self.network is not None:
                return self.landscape.plane
            if self.function is not None:
                return self._function
            return _compiled(self.formula, self.dim, self.name)
        except InputError as error:
            raise InputError(f"{self._called}{error}") from None

    @property
    def _function(self) -> "Function":
        from optiviz.surfaces.function import function

        assert self.function is not None
        return function(self.function.of, self.function.sha256, self.window.intervals)

    def slopes(self) -> list[str]:
        """Return the derivatives of the formula as text, one a coordinate."""
        return list(_compiled(self.formula, self.dim, self.name).gradient_text())

    @property
    def landscape(self) -> "Landscape":
        """The network on its data; raises InputError if there are none."""
        # Imports the data, which a list of surfaces need not wait for.
        from optiviz.surfaces.landscape import landscape

        assert self.network is not None
        try:
            return landscape(self.network, self.plane_words)
        except InputError as error:
            raise InputError(f"{self._called}{error}") from None

    def fixed(self) -> "Surface":
        """Return the surface with the SHA-256 of the file that it is of, or that it learns."""
        if self.function is not None:
            path = file_of(self.function.of)
            if self.function.sha256 or path is None:
                return self
            function = self.function.model_copy(update={"sha256": digest(path)})
            return self.model_copy(update={"function": function})
        if self.network is None or self.network.sha256 or not files_of(self.network.data):
            return self
        network = self.network.model_copy(update={"sha256": digest_of(self.network.data)})
        return self.model_copy(update={"network": network})

    def check_file(self) -> None:
        """Raise InputError if the file of its function is not the one that it was declared with."""
        if self.function is None:
            return
        path, known = file_of(self.function.of), self.function.sha256
        if path is not None and known and digest(path) != known:
            raise InputError(
                f"{path} is not the file that the recipe was made with: "
                f"if it is meant, name it anew: --surface {self.function.of}"
            )

    def seen_on(self, shown: "Shown", domain: Domain) -> "Surface":
        """Return the surface as it is seen on a plane that was found after a descent."""
        found = self.model_copy(update={"domain": domain})
        found._shown = shown
        return found

    @property
    def _called(self) -> str:
        return f"{self.name}: " if self.name else ""

    @property
    def radius(self) -> float:
        """How near a minimum counts as being at it."""
        return NEAR * self.window.diagonal

    def distance_to_minimum(self, x: Sequence[float]) -> float | None:
        """Return how far x is from the nearest known minimum; None if none is known."""
        return min((math.dist(x, each) for each in self.minima), default=None)


class Shown(NamedTuple):
    """A plane that was found after a descent, and the names of its coordinates."""

    plane: "Plane"
    axes: tuple[str, str]


def dimension(text: str) -> int:
    """Return how many coordinates a formula speaks of: two if there is a y in it."""
    return 2 if re.search(r"\by\b", text) else 1


@cache
def _compiled(text: str, dim: int, name: str = "") -> "Formula":
    # Imports sympy, which a list of surfaces need not wait for.
    from optiviz.surfaces.catalogue import our_surface
    from optiviz.surfaces.formula import formula

    ours = our_surface(name)
    return formula(text, dim, ours is not None and ours.formula == text)
