"""A surface: what it is made of, the window to draw, and what is known about it."""

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    InstanceOf,
    ValidationInfo,
    field_validator,
    model_validator,
)

from optiviz.objective import Array
from optiviz.registry import Aspect
from optiviz.surfaces.config import FunctionConfig, NetworkConfig, PlaneConfig, WrittenPlane
from optiviz.surfaces.domain import (
    AXES,
    AxisNames,
    Domain,
    Kebab,
    Number,
    PlacedPoint,
    Point,
    Rates,
    Steps,
    Text,
    ValidationContext,
    Window,
    axes_in,
    increasing,
    kebab,
)
from optiviz.surfaces.origins import (
    FormulaOrigin,
    FunctionOrigin,
    NetworkOrigin,
    Origin,
    PathPlaneOrigin,
    compiled,
)
from optiviz.system.errors import REQUIRED

if TYPE_CHECKING:
    from optiviz.surfaces.formula import Formula
    from optiviz.surfaces.function import Function
    from optiviz.surfaces.plane import Plane
    from optiviz.system.progress import Progress


MAX_VARIABLE = 8  # letters of the name of an axis that is also written in the formula
MINIMUM_RADIUS = 0.01  # in window diagonals: a point this close to a minimum has reached it


class Surface(BaseModel):
    """An objective in one or two dimensions, declared by a formula, a network or a function.

    A network's loss is drawn on a plane through its weights; a function is a user's Python
    function. The fields are those of an entry in surfaces.yaml. Pickled as its declaration, which
    is compiled when first used.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, AfterValidator(lambda word: word and kebab(word))] = ""
    title: Text = ""
    network: NetworkConfig | None = None
    plane: WrittenPlane | None = None
    function: FunctionConfig | None = None
    domain: Annotated[Window | None, Field(validate_default=True)] = None
    axes: AxisNames = ()
    aspect: Aspect | None = None
    formula: Annotated[str, Field(validate_default=True)] = ""
    start: PlacedPoint = ()
    starts: tuple[PlacedPoint, ...] = ()
    steps: Steps | None = None
    minima: tuple[PlacedPoint, ...] = ()
    levels: Annotated[tuple[Number, ...], AfterValidator(increasing)] = ()
    learning_rates: Rates = ()
    tags: tuple[Kebab, ...] = ()
    aliases: tuple[Kebab, ...] = ()
    source: Text = ""

    @field_validator("plane")
    @classmethod
    def _of_a_network(cls, plane: PlaneConfig | None, info: ValidationInfo) -> PlaneConfig | None:
        if plane is not None and info.data.get("network", plane) is None:
            raise ValueError("needs a network, but there is none")
        return plane

    @field_validator("function")
    @classmethod
    def _alone(cls, function: FunctionConfig | None, info: ValidationInfo) -> FunctionConfig | None:
        if function is not None and info.data.get("network") is not None:
            raise ValueError("cannot be combined with a network: give only one")
        return function

    @field_validator("domain")
    @classmethod
    def _in_two_dimensions(cls, domain: Domain | None, info: ValidationInfo) -> Domain | None:
        network = info.data.get("network", ...)
        if domain is None and network is None:
            raise ValueError(REQUIRED)
        if network is not None and domain is not None and domain.y is None:
            raise ValueError("must have two intervals for a plane, as in -1:1,-1:1")
        return domain

    @field_validator("aspect")
    @classmethod
    def _of_a_plane(cls, aspect: Aspect | None, info: ValidationInfo) -> Aspect | None:
        if aspect is not None and axes_in(info) == 1:
            raise ValueError("needs two dimensions, but there is one")
        return aspect

    @field_validator("formula")
    @classmethod
    def _readable(cls, text: str, info: ValidationInfo) -> str:
        text = " ".join(text.split())
        others = {kind: info.data.get(kind, ...) for kind in ("network", "function")}
        given = [kind for kind, each in others.items() if each is not None]
        if not given and not text:
            raise ValueError(f"{REQUIRED} or empty")
        if given and text:
            raise ValueError(f"cannot be combined with a {given[0]}: give only one")
        if text and isinstance(info.context, ValidationContext):
            compiled(text, axes_in(info) or dimension(text))
        return text

    @model_validator(mode="after")
    def _complete(self) -> Self:
        named = self.name.replace("-", " ").capitalize()
        filled = {
            "title": self.title or named or self.origin.title,
            "start": self.start or next(iter(self.starts), ()) or self.origin.start,
        }
        for field, value in filled.items():
            object.__setattr__(self, field, value)  # the model is frozen
        return self

    @property
    def origin(self) -> Origin:
        """What the surface is made of."""
        if self.network is not None:
            return NetworkOrigin(self.name, self.domain, self.network, self.plane or PlaneConfig())
        if self.function is not None:
            return FunctionOrigin(self.name, self.domain, self.function)
        return FormulaOrigin(self.name, self.domain, self.formula)

    @property
    def dim(self) -> int:
        """Number of coordinates: one or two."""
        return 2 if self.domain is None else len(self.domain.intervals)

    @property
    def window(self) -> Domain:
        """The window that is drawn; raises InputError if it is known only after a descent."""
        return self.origin.window

    @property
    def default_starts(self) -> tuple[Point, ...]:
        """The default starting points; () stands for a network's initial weights."""
        return self.starts or (self.start,)

    @property
    def axis_names(self) -> tuple[str, ...]:
        """The names of the coordinates, as pictures show them.

        A name that would mislead in a formula is followed by that of the variable.
        """
        if not self.axes or not self.formula or self._formula_has_names:
            return self.axes or self.origin.axes
        return tuple(f"{name} ({axis})" for name, axis in zip(self.axes, AXES, strict=False))

    @property
    def variables(self) -> dict[str, str]:
        """The names that pictures show in the formula, by those of its variables."""
        names = self.axes if self._formula_has_names else AXES[: self.dim]
        return dict(zip(AXES, names, strict=False))

    @property
    def _formula_has_names(self) -> bool:
        """Whether the names of the axes are short single words, which a formula may have."""
        short = (len(name) <= MAX_VARIABLE and " " not in name for name in self.axes)
        return bool(self.axes) and all(short)

    @property
    def caption(self) -> str:
        """The line under the title, if there is no formula."""
        return self.origin.caption

    def grid_size(self, most: int) -> int:
        """Return the number of points per side to sample, at most `most`."""
        return self.origin.grid_size(most)

    def sample_grid(self, x: Array, y: Array, progress: "Progress | None" = None) -> Array:
        """Return the loss on a grid, shape (len(y), len(x)); nan or inf where it is undefined."""
        return self.origin.sample_grid(x, y, progress)

    def value(self, x: Array) -> Array:
        """Return f(x), shape (...), for x of shape (..., dim)."""
        return self.compiled.value(x)

    def gradient(self, x: Array) -> Array:
        """Return df/dx, shape (..., dim), for x of shape (..., dim)."""
        return self.compiled.gradient(x)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return value and gradient."""
        return self.compiled.value_and_gradient(x)

    def hessian(self, x: Array) -> Array:
        """Return d2f/dx2, shape (..., dim, dim), for x of shape (..., dim)."""
        return self.compiled.hessian(x)

    @property
    def compiled(self) -> "Formula | Function | Plane":
        """The formula, function or plane through the network; raises InputError if invalid."""
        return self.origin.compiled

    def to_dict(self) -> dict[str, Any]:
        """Return all that is known about it as plain values, and the derivatives of its formula."""
        declared = self.model_dump(mode="json")
        first = {key: declared.pop(key) for key in ("name", "title")}
        return first | self.origin.to_dict(declared)

    def with_file_hashes(self) -> "Surface":
        """Return the surface with the SHA-256 of its function's or data's file, if there is one."""
        return self.model_copy(update=self.origin.with_file_hashes())

    def within(self, domain: Domain) -> "Surface":
        """Return the surface in another window; a default starting point moves along."""
        moved = self.model_copy(update={"domain": domain})
        if {"start", "starts"} & self.model_fields_set:
            return moved
        return moved.model_copy(update={"start": moved.origin.start})

    def on_plane(self, plane: "Plane", axes: tuple[str, str], domain: Domain) -> "PathPlaneSurface":
        """Return a network's surface on a plane computed after a descent."""
        origin = self.origin
        assert isinstance(origin, NetworkOrigin)
        found = PathPlaneOrigin(self.name, domain, origin.network, origin.plane, plane, axes)
        return PathPlaneSurface.model_construct(**dict(self) | {"domain": domain, "found": found})

    @property
    def minimum_radius(self) -> float:
        """The distance from a minimum at which a point has reached it."""
        return MINIMUM_RADIUS * self.window.diagonal

    def distance_to_minimum(self, x: Sequence[float]) -> float | None:
        """Return the distance from x to the nearest known minimum, or None without any."""
        return min((math.dist(x, each) for each in self.minima), default=None)


class PathPlaneSurface(Surface):
    """A network's surface on a plane computed after a descent."""

    found: InstanceOf[PathPlaneOrigin] = Field(exclude=True, repr=False)

    @property
    def origin(self) -> PathPlaneOrigin:
        return self.found


def dimension(text: str) -> int:
    """Return the dimension of a formula: 2 if it contains y, else 1."""
    return 2 if re.search(r"\by\b", text) else 1
