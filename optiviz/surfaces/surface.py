"""A surface: a formula, the window worth drawing, and what is known about it."""

import math
import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from optiviz.objective import Array
from optiviz.surfaces.datasets import digest_of, files_of
from optiviz.surfaces.domain import (
    AXES,
    MISSING,
    Domain,
    Kebab,
    Number,
    PlacedPoint,
    Point,
    Rates,
    Steps,
    Stranger,
    Text,
    Window,
    axes_in,
    kebab,
    rising,
)
from optiviz.surfaces.shipped import is_our_formula
from optiviz.surfaces.words import FunctionWords, NetworkWords, PlaneWords, WrittenPlane
from optiviz.system.errors import InputError
from optiviz.system.plugins import digest, file_of

if TYPE_CHECKING:
    from optiviz.surfaces.formula import Formula
    from optiviz.surfaces.function import Function
    from optiviz.surfaces.landscape import Landscape
    from optiviz.surfaces.plane import Plane, Progress


AROUND = {"random": "-1:1,-1:1", "weights": "-10:10,-10:10"}  # windows, if nobody says
NEAR = 0.01  # of the window's diagonal: how near a minimum counts as being at it
CORNER = (0.1, 0.2)  # where a run begins if nobody says: these shares of the window's sides


class Surface(BaseModel):
    """An objective in one or two dimensions that is declared: by a formula, network or function.

    A network's loss is drawn on a plane through its weights; a function is a user's own, in
    Python. The words are those of an entry of surfaces.yaml. Pickles as its declaration, which is
    compiled when it is first used.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, AfterValidator(lambda word: word and kebab(word))] = ""
    title: Text = ""
    network: NetworkWords | None = None
    plane: WrittenPlane | None = None
    function: FunctionWords | None = None
    domain: Annotated[Window | None, Field(validate_default=True)] = None
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
            _compiled(text, axes_in(info) or dimension(text))
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
            title = named or self.formula or self._attribute or "Network"
            object.__setattr__(self, "title", title)
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
    def reference(self) -> str:
        """What a user writes for it: its name, or what function it is; "" of a formula alone."""
        return self.name if self.function is None else self.function.of

    @property
    def file_name(self) -> str:
        """What the name of a file calls it."""
        if self.function is not None:
            return self._attribute
        return self.name or ("formula" if self.network is None else "network")

    @property
    def _attribute(self) -> str:
        return "" if self.function is None else re.split("[:.]", self.function.of)[-1]

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

    def described(self) -> dict[str, Any]:
        """Return all that is known of it as plain values, with the derivatives of its formula."""
        declared = self.model_dump(mode="json")
        first = {key: declared.pop(key) for key in ("name", "title")}
        absent = ("network", "plane") if self.network is None else ("formula", "minima")
        declared = {key: value for key, value in declared.items() if key not in absent}
        if self.network is not None:
            learned = declared["network"].items()
            told = {key: value for key, value in learned if value not in ("", None)}
            return first | declared | {"network": told}
        slopes = zip(AXES, self.slopes(), strict=False)
        gradient = {f"d/d{axis}": slope for axis, slope in slopes}
        return first | {"formula": declared.pop("formula"), "gradient": gradient} | declared

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
    from optiviz.surfaces.formula import formula

    return formula(text, dim, is_our_formula(name, text))
