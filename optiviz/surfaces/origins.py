"""Origins of surfaces: a formula, a user's function, or a network on a plane of weights."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from optiviz.objective import Array
from optiviz.surfaces.bundled import is_bundled_formula
from optiviz.surfaces.config import FunctionConfig, NetworkConfig, PlaneConfig
from optiviz.surfaces.datasets import dataset_hash, files_of
from optiviz.surfaces.domain import AXES, Domain, Point
from optiviz.system.errors import InputError
from optiviz.system.plugins import file_hash, file_of

if TYPE_CHECKING:
    from optiviz.surfaces.formula import Formula
    from optiviz.surfaces.function import Function
    from optiviz.surfaces.network_model import NetworkModel
    from optiviz.surfaces.plane import Plane
    from optiviz.system.progress import Progress

Made = TypeVar("Made")

DEFAULT_DOMAINS = {"random": "-1:1,-1:1", "weights": "-10:10,-10:10"}  # windows by kind of plane
DEFAULT_START = (0.1, 0.2)  # the default starting point, in shares of the window's sides


@dataclass(frozen=True)
class Origin(ABC):
    """What a surface is made of, in its declared window; `name` is the surface's.

    Nothing is compiled, loaded or imported before it is needed.
    """

    name: str
    domain: Domain | None

    @property
    @abstractmethod
    def compiled(self) -> "Formula | Function | Plane":
        """The object with values and gradients; raises InputError if it cannot be built."""

    @property
    @abstractmethod
    def title(self) -> str:
        """The title of a surface without a name."""

    @property
    @abstractmethod
    def file_name(self) -> str:
        """The word for it in the names of files."""

    @property
    def reference(self) -> str:
        """The word that a user writes for it; "" if there is none."""
        return self.name

    @property
    def caption(self) -> str:
        """The line under the title, if there is no formula."""
        return ""

    @property
    def window(self) -> Domain:
        """The window that is drawn; raises InputError if it is known only after a descent."""
        assert self.domain is not None
        return self.domain

    @property
    def start(self) -> Point:
        """The default starting point."""
        sides = zip(self.window.intervals, DEFAULT_START, strict=False)
        return tuple(low + share * (high - low) for (low, high), share in sides)

    @property
    def axes(self) -> tuple[str, ...]:
        """The names of the coordinates."""
        return AXES[: len(self.window.intervals)]

    def grid_size(self, most: int) -> int:
        """Return the number of points per side to sample, at most `most`."""
        return most

    def sample_grid(self, x: Array, y: Array, progress: "Progress | None" = None) -> Array:
        """Return the loss on a grid, shape (len(y), len(x)); nan or inf where it is undefined."""
        return self.compiled.value(np.stack(np.meshgrid(x, y), axis=-1))

    @abstractmethod
    def to_dict(self, declared: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a surface as they are reported, in order."""

    def with_file_hashes(self) -> dict[str, Any]:
        """Return the field with the SHA-256 of its file added; {} if there is nothing to add."""
        return {}

    def check_file(self) -> None:  # noqa: B027  (not every origin has a file)
        """Raise InputError if its file has changed since it was declared."""

    def _named(self, make: Callable[[], Made]) -> Made:
        """Return make(); prefix an InputError with the surface's name."""
        try:
            return make()
        except InputError as error:
            raise InputError(f"{self.name}: {error}" if self.name else str(error)) from None


@dataclass(frozen=True)
class FormulaOrigin(Origin):
    """A formula in x, or in x and y."""

    text: str

    @property
    def compiled(self) -> "Formula":
        return self._named(lambda: compiled(self.text, len(self.window.intervals), self.name))

    @property
    def title(self) -> str:
        return self.text

    @property
    def file_name(self) -> str:
        return self.name or "formula"

    def to_dict(self, declared: Mapping[str, Any]) -> dict[str, Any]:
        slopes = zip(AXES, self.compiled.gradient_text(), strict=False)
        gradient = {f"d/d{axis}": slope for axis, slope in slopes}
        rest = {key: declared[key] for key in declared if key not in ("network", "plane")}
        return {"formula": rest.pop("formula"), "gradient": gradient} | rest


@dataclass(frozen=True)
class FunctionOrigin(Origin):
    """A user's own function, in Python."""

    function: FunctionConfig

    @property
    def compiled(self) -> "Function":
        return self._named(self._loaded)

    def _loaded(self) -> "Function":
        from optiviz.surfaces.function import function

        return function(self.function.of, self.function.sha256, self.window.intervals)

    @property
    def title(self) -> str:
        return self.file_name

    @property
    def file_name(self) -> str:
        return re.split("[:.]", self.function.of)[-1]

    @property
    def reference(self) -> str:
        return self.function.of

    @property
    def caption(self) -> str:
        return self._loaded().caption

    def to_dict(self, declared: Mapping[str, Any]) -> dict[str, Any]:
        return {key: declared[key] for key in declared if key not in ("network", "plane")}

    def with_file_hashes(self) -> dict[str, Any]:
        path = file_of(self.function.of)
        if self.function.sha256 or path is None:
            return {}
        return {"function": self.function.model_copy(update={"sha256": file_hash(path)})}

    def check_file(self) -> None:
        path, known = file_of(self.function.of), self.function.sha256
        if path is not None and known and file_hash(path) != known:
            raise InputError(
                f"{path} has changed since the recipe was created: "
                f"to use the new version, pass --surface {self.function.of}"
            )


@dataclass(frozen=True)
class NetworkOrigin(Origin):
    """A network's loss on a plane through its weights."""

    network: NetworkConfig
    plane: PlaneConfig

    @property
    def compiled(self) -> "Plane":
        return self._named(lambda: self._network_model().plane)

    @property
    def network_model(self) -> "NetworkModel":
        """The network on its data; raises InputError if there are none."""
        return self._named(self._network_model)

    def _network_model(self) -> "NetworkModel":
        # Imports the data, which a list of surfaces does not need.
        from optiviz.surfaces.network_model import network_model

        return network_model(self.network, self.plane)

    @property
    def title(self) -> str:
        return "Network"

    @property
    def file_name(self) -> str:
        return self.name or "network"

    @property
    def caption(self) -> str:
        return self.network_model.caption

    @property
    def window(self) -> Domain:
        if self.domain is not None:
            return self.domain
        return Domain.model_validate(self._named(self._around))

    def _around(self) -> str:
        if self.plane.kind == "path":
            raise InputError(
                "a path plane is known only after the descent: use a random or weights plane"
            )
        return DEFAULT_DOMAINS[self.plane.kind]

    @property
    def start(self) -> Point:
        return ()  # its own weights

    @property
    def axes(self) -> tuple[str, ...]:
        return self.network_model.axes

    def grid_size(self, most: int) -> int:
        return min(most, self.plane.samples)

    def sample_grid(self, x: Array, y: Array, progress: "Progress | None" = None) -> Array:
        from optiviz.surfaces.grids import sample_grid

        return sample_grid(self.compiled, x, y, progress)

    def to_dict(self, declared: Mapping[str, Any]) -> dict[str, Any]:
        rest = {key: declared[key] for key in declared if key not in ("formula", "minima")}
        learned = rest["network"].items()
        return rest | {"network": {key: each for key, each in learned if each not in ("", None)}}

    def with_file_hashes(self) -> dict[str, Any]:
        if self.network.sha256 or not files_of(self.network.data):
            return {}
        digested = {"sha256": dataset_hash(self.network.data)}
        return {"network": self.network.model_copy(update=digested)}


@dataclass(frozen=True)
class PathPlaneOrigin(NetworkOrigin):
    """A network's loss on a plane computed after a descent."""

    found: "Plane"
    found_axes: tuple[str, str]

    @property
    def compiled(self) -> "Plane":
        return self.found

    @property
    def axes(self) -> tuple[str, ...]:
        return self.found_axes


@cache
def compiled(text: str, dim: int, name: str = "") -> "Formula":
    """Return the formula in `dim` coordinates; `name` is that of its surface, if it has one."""
    # Imports sympy, which a list of surfaces does not need.
    from optiviz.surfaces.formula import formula

    return formula(text, dim, is_bundled_formula(name, text))
