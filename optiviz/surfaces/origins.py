"""Origins of surfaces: a formula, a user's function, or a network on a plane of weights."""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from optiviz.objective import Array
from optiviz.registry import Aspect
from optiviz.surfaces.bundled import is_bundled_formula
from optiviz.surfaces.checkpoint_files import checkpoint_hash
from optiviz.surfaces.config import (
    CHECKPOINTS,
    COARSE_GRID,
    MODEL_GRID,
    START,
    CodeConfig,
    FitConfig,
    FunctionConfig,
    ModelConfig,
    NetworkConfig,
    PlaneConfig,
    QuadraticConfig,
)
from optiviz.surfaces.datasets import dataset_hash, files_of
from optiviz.surfaces.domain import Domain, Interval, Point
from optiviz.surfaces.samples import samples_hash
from optiviz.surfaces.syntax import AXES, with_params
from optiviz.system.errors import InputError
from optiviz.system.plugins import file_hash, file_of
from optiviz.system.text import counted

if TYPE_CHECKING:
    from optiviz.surfaces.directions import Anchor
    from optiviz.surfaces.fit import Fit
    from optiviz.surfaces.formula import Formula
    from optiviz.surfaces.formulas import Formulas
    from optiviz.surfaces.function import Function
    from optiviz.surfaces.models.space import ModelSpace
    from optiviz.surfaces.network_model import NetworkModel
    from optiviz.surfaces.plane import Plane
    from optiviz.surfaces.quadratic import Quadratic
    from optiviz.surfaces.space import Space
    from optiviz.system.progress import Progress

Made = TypeVar("Made")

PROBLEM = "problem"  # the name of a function that says no more than its file does
DEFAULT_INTERVAL = (-3.0, 3.0)  # of a variable
MAX_EVALUATIONS = 100_000_000  # of a model at samples, for all points of a surface together
SLOW_GRID = 101  # points per side of a function that is called point by point
DEFAULT_START = (0.1, 0.2)  # the default starting point, in shares of the window's sides


@dataclass(frozen=True)
class Origin(ABC):
    """What a surface is made of, in its declared window; `name` is the surface's.

    Nothing is compiled, loaded or imported before it is needed.
    """

    aspect: ClassVar[Aspect | None] = None  # of the axes, unless declared
    name: str
    domain: Domain | None

    @property
    @abstractmethod
    def compiled(self) -> "Fit | Formula | Function | Plane | Quadratic":
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
    """A formula in one or two variables; params are the numbers that its other names stand for.

    residuals are those of a sum of squares that is undefined where one of them is, and simplified
    is not; None for any other formula.
    """

    text: str
    variables: tuple[str, ...]
    params: tuple[tuple[str, float], ...] = ()
    residuals: "Formulas | None" = None

    @property
    def compiled(self) -> "Formula":
        text = with_params(self.text, dict(self.params))
        found = self._named(lambda: compiled(text, self.variables, self.name))
        if self.residuals is None:
            return found
        from optiviz.surfaces.formula import DefinedFormula

        return DefinedFormula(found, self.residuals)

    @property
    def axes(self) -> tuple[str, ...]:
        return self.variables

    @property
    def title(self) -> str:
        return self.text

    @property
    def file_name(self) -> str:
        return self.name or "formula"

    def to_dict(self, declared: Mapping[str, Any]) -> dict[str, Any]:
        slopes = zip(self.variables, self.compiled.gradient_text(), strict=True)
        gradient = {f"d/d{axis}": slope for axis, slope in slopes}
        unused = "network", "plane", "formula"
        rest = {key: declared[key] for key in declared if key not in unused}
        return {"formula": self.text, "gradient": gradient} | rest


@dataclass(frozen=True)
class FunctionOrigin(Origin):
    """A user's own function, in Python, of one or two variables."""

    function: FunctionConfig
    variables: tuple[str, ...]  # () for those of its signature

    @property
    def compiled(self) -> "Function":
        return self._named(self._loaded)

    def _loaded(self) -> "Function":
        from optiviz.surfaces.function import function

        return function(self.function, self.window.intervals)

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

    @property
    def axes(self) -> tuple[str, ...]:
        return self.variables or super().axes

    def grid_size(self, most: int) -> int:
        return most if self.compiled.is_quick else min(most, SLOW_GRID)

    def to_dict(self, declared: Mapping[str, Any]) -> dict[str, Any]:
        return {key: declared[key] for key in declared if key not in ("network", "plane")}

    def with_file_hashes(self) -> dict[str, Any]:
        return _hashed("function", self.function)

    def check_file(self) -> None:
        _check_hash(self.function)


@dataclass(frozen=True)
class QuadraticOrigin(Origin):
    """A quadratic of so many variables."""

    aspect: ClassVar = "equal"
    quadratic: QuadraticConfig
    variables: tuple[str, ...]

    @property
    def compiled(self) -> "Quadratic":
        from optiviz.surfaces.quadratic import quadratic

        return quadratic(self.quadratic, len(self.variables))

    @property
    def title(self) -> str:
        return f"A {'rotated ' * self.quadratic.rotated}quadratic"

    @property
    def file_name(self) -> str:
        condition = f"{self.quadratic.condition:.3g}".replace("e+", "e").replace("e0", "e")
        return f"quadratic-{condition}{'-rotated' * self.quadratic.rotated}"

    @property
    def caption(self) -> str:
        return self.compiled.caption

    @property
    def axes(self) -> tuple[str, ...]:
        return self.variables

    def to_dict(self, declared: Mapping[str, Any]) -> dict[str, Any]:
        unused = "network", "plane", "formula"
        return {key: declared[key] for key in declared if key not in unused}


@dataclass(frozen=True)
class FitOrigin(Origin):
    """A curve that is fitted to samples, over its parameters, whose units differ."""

    aspect: ClassVar[Aspect | None] = "auto"
    fit: FitConfig
    variables: tuple[str, ...]

    @property
    def compiled(self) -> "Fit":
        # Imports a compiler, which a list of surfaces does not need.
        from optiviz.surfaces.fit import fit

        return self._named(lambda: fit(self.fit, self.variables))

    @property
    def title(self) -> str:
        return "Logistic regression" if self.fit.loss == "logistic" else "Least squares"

    @property
    def file_name(self) -> str:
        return self.name or "fit"

    @property
    def axes(self) -> tuple[str, ...]:
        return self.variables

    @property
    def caption(self) -> str:
        return counted(self.compiled.count, "sample")

    def grid_size(self, most: int) -> int:
        return min(most, max(COARSE_GRID, math.isqrt(MAX_EVALUATIONS // self.compiled.count)))

    def to_dict(self, declared: Mapping[str, Any]) -> dict[str, Any]:
        unused = "network", "plane", "formula"
        rest = {key: declared[key] for key in declared if key not in unused}
        fitted = rest["fit"].items()
        return rest | {"fit": {key: each for key, each in fitted if each != ""}}

    def with_file_hashes(self) -> dict[str, Any]:
        if self.fit.sha256 or not isinstance(self.fit.data, str):
            return {}
        return {"fit": self.fit.model_copy(update={"sha256": samples_hash(self.fit.data)})}

    def check_file(self) -> None:
        file = self.fit.data
        if isinstance(file, str) and self.fit.sha256 and samples_hash(file) != self.fit.sha256:
            raise InputError(
                f"{file} has changed since the recipe was created: "
                f"to use the new version, pass --fit and --data {file}"
            )


@dataclass(frozen=True)
class SpaceOrigin(Origin):
    """An objective of many dimensions on a plane, which may be found only after a descent."""

    learns: ClassVar[bool] = False  # whether it is a model that learns samples, at some cost
    plane: PlaneConfig
    found: "tuple[Plane, tuple[str, ...]] | None" = field(default=None, kw_only=True)

    @property
    @abstractmethod
    def space(self) -> "Space":
        """The objective; raises InputError if it cannot be built."""

    @property
    def compiled(self) -> "Plane":
        return self.space.plane if self.found is None else self.found[0]

    @property
    def axes(self) -> tuple[str, ...]:
        return self.space.axes if self.found is None else self.found[1]

    @property
    def remade(self) -> "Callable[[], Plane]":
        """A function that returns its plane in another process, to which it is sent pickled."""
        if self.found is None:
            return partial(_plane_of, self)
        plane = self.found[0]
        return partial(_plane_of, replace(self, found=None), plane.origin, plane.directions)

    @property
    def has_window(self) -> bool:
        """Whether the window of the plane is declared."""
        return self.domain is not None and len(self.domain.intervals) == self.plane.dim

    @property
    def window(self) -> Domain:
        if self.domain is not None and self.has_window:
            return self.domain
        return self._named(self._default_window)

    def _default_window(self) -> Domain:
        if self.plane.kind == "path":
            raise InputError(
                "a path plane is known only after a descent: choose another, such as "
                "--plane random:0 or --plane hessian"
            )
        return self._around

    def sample_grid(self, x: Array, y: Array, progress: "Progress | None" = None) -> Array:
        plane = self.compiled
        return plane.value(np.stack(np.meshgrid(x, y), axis=-1)[..., : plane.dim])

    @property
    def window_told(self) -> str:
        """How the window was found, as a sentence; "" if it is declared, or needs no words."""
        known = self.has_window or self.plane.kind == "path"
        return "" if known else self._named(lambda: self.space.window.told)

    @property
    def plane_caption(self) -> str:
        """How the plane's directions were made; "" if the names of the axes say so."""
        if self.plane.kind not in ("random", "hessian"):
            return ""
        return self._named(lambda: self.space.frame.caption)

    @property
    def anchors(self) -> "tuple[Anchor, ...]":
        """The named points that the plane leads through."""
        known = self.plane.kind in CHECKPOINTS
        return self._named(lambda: self.space.frame.anchors) if known else ()

    def _captioned(self, said: str) -> str:
        """Return a caption with that of the plane behind it."""
        return ", ".join(filter(None, (said, self.plane_caption)))

    def plane_hashes(self) -> dict[str, Any]:
        """Return the plane with the SHA-256 of its checkpoints; {} if there is nothing to add."""
        if not self.plane.files or self.plane.sha256:
            return {}
        digested = tuple(
            "" if each == START else checkpoint_hash(each) for each in self.plane.checkpoints
        )
        return {"plane": self.plane.model_copy(update={"sha256": digested})}

    def check_file(self) -> None:
        for file, sha256 in zip(self.plane.checkpoints, self.plane.sha256, strict=False):
            if file != START and checkpoint_hash(file) != sha256:
                raise InputError(
                    f"{file} has changed since the recipe was created: "
                    f"to use the new version, pass --plane {self.plane.as_text}"
                )

    @property
    def box(self) -> Array | None:
        """The interval of each coordinate, shape (dim, 2), None if there is none."""
        return None

    @property
    def has_samples(self) -> bool:
        """Whether it can be descended in batches."""
        return False

    @property
    def is_random(self) -> bool:
        """Whether steps depend on a seed even without batches or noise."""
        return False

    @property
    @abstractmethod
    def _around(self) -> Domain:
        """The window unless specified, of a plane that is known before a descent."""


@dataclass(frozen=True)
class VariablesOrigin(SpaceOrigin):
    """A formula, a function or a quadratic of more than two variables.

    A domain with one interval is that of each variable, DEFAULT_INTERVAL unless specified; one with
    two is the window of the plane. On a line, one interval is its window.
    """

    source: FormulaOrigin | FunctionOrigin | QuadraticOrigin
    variables: tuple[str, ...]
    begin: Point  # () for the default one
    matrix: tuple[int, int] | None = None  # rows and columns of that which the variables are

    @property
    def space(self) -> "Space":
        from optiviz.surfaces.space import variables_space

        return self._named(
            lambda: variables_space(
                self._objective, self.variables, self.start, self.plane, self.matrix
            )
        )

    @property
    def _objective(self) -> "Formula | Function | Quadratic":
        source = self.source
        if not isinstance(source, FunctionOrigin):
            return source.compiled
        from optiviz.surfaces.function import function

        sides = (self.interval,) * len(self.variables)
        return self._named(lambda: function(source.function, sides))

    @property
    def interval(self) -> Interval:
        """The interval of each variable from which random starts are drawn."""
        if self.domain is None or self.has_window:
            return DEFAULT_INTERVAL
        return self.domain.x

    @property
    def box(self) -> Array:
        return np.array([self.interval] * len(self.variables))

    @property
    def title(self) -> str:
        return self.source.title

    @property
    def file_name(self) -> str:
        return self.source.file_name

    @property
    def reference(self) -> str:
        return self.source.reference

    @property
    def caption(self) -> str:
        said = getattr(self._objective, "caption", "")  # that of a function or a quadratic
        many = f"{len(self.variables)} variables"
        if self.matrix is not None:
            many = "a matrix of {} x {}".format(*self.matrix)
        return self._captioned(", ".join(filter(None, (said, many))))

    @property
    def _around(self) -> Domain:
        if self.plane.kind in CHECKPOINTS:
            return self.space.window.domain
        low, high = self.interval
        if self.plane.kind in ("random", "hessian"):  # the start is their middle
            low, high = (low - high) / 2, (high - low) / 2
        return Domain(x=(low, high), y=(low, high))

    @property
    def window_told(self) -> str:
        return ""

    @property
    def start(self) -> Point:
        low, high = self.interval
        shares = [DEFAULT_START[number % 2] for number in range(len(self.variables))]
        return self.begin or tuple(low + share * (high - low) for share in shares)

    def to_dict(self, declared: Mapping[str, Any]) -> dict[str, Any]:
        return {key: declared[key] for key in declared if key != "network"}

    def with_file_hashes(self) -> dict[str, Any]:
        return self.source.with_file_hashes()

    def check_file(self) -> None:
        super().check_file()
        self.source.check_file()


@dataclass(frozen=True)
class NetworkOrigin(SpaceOrigin):
    """A network's loss on a plane through its weights."""

    learns: ClassVar = True
    network: NetworkConfig

    @property
    def has_samples(self) -> bool:
        return True

    @property
    def is_random(self) -> bool:
        return bool(self.network.dropout)

    @property
    def space(self) -> "NetworkModel":
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
        return self._captioned(self.space.caption)

    @property
    def _around(self) -> Domain:
        return self.space.window.domain

    @property
    def start(self) -> Point:
        return ()  # its own weights

    def grid_size(self, most: int) -> int:
        return min(most, self.plane.samples)

    def sample_grid(self, x: Array, y: Array, progress: "Progress | None" = None) -> Array:
        from optiviz.surfaces.grids import sample_grid

        return sample_grid(self.compiled, x, y, progress, self.remade)

    def to_dict(self, declared: Mapping[str, Any]) -> dict[str, Any]:
        unused = "formula", "minima", "variables"
        rest = {key: declared[key] for key in declared if key not in unused}
        learned = rest["network"].items()
        return rest | {"network": {key: each for key, each in learned if each not in ("", None)}}

    def with_file_hashes(self) -> dict[str, Any]:
        if self.network.sha256 or not files_of(self.network.data):
            return {}
        digested = {"sha256": dataset_hash(self.network.data)}
        return {"network": self.network.model_copy(update=digested)}


@dataclass(frozen=True)
class ModelOrigin(SpaceOrigin):
    """A user's own model on a plane through its parameters."""

    learns: ClassVar = True
    model: ModelConfig

    @property
    def space(self) -> "ModelSpace":
        from optiviz.surfaces.models.space import model_space

        return self._named(lambda: model_space(self.model, self.plane))

    @property
    def has_samples(self) -> bool:
        return self.space.problem.samples is not None

    @property
    def is_random(self) -> bool:
        return self.space.problem.is_random

    @property
    def title(self) -> str:
        return self.file_name.replace("_", " ").capitalize()

    @property
    def file_name(self) -> str:
        path, _, name = self.model.of.replace(".py:", ":").replace(":", ".").rpartition(".")
        return re.split(r"[./\\]", path)[-1] if path and name == PROBLEM else name

    @property
    def reference(self) -> str:
        return self.model.of

    @property
    def caption(self) -> str:
        return self._captioned(self.space.problem.caption)

    @property
    def _around(self) -> Domain:
        return self.space.window.domain

    @property
    def start(self) -> Point:
        return ()  # its own parameters

    def grid_size(self, most: int) -> int:
        return min(most, self.plane.grid or MODEL_GRID)

    def sample_grid(self, x: Array, y: Array, progress: "Progress | None" = None) -> Array:
        from optiviz.surfaces.grids import sample_grid

        return sample_grid(self.compiled, x, y, progress, self.remade)

    def to_dict(self, declared: Mapping[str, Any]) -> dict[str, Any]:
        space = self.space
        with np.errstate(all="ignore"):
            loss = float(space.objective.value(space.initial))
        return {
            "name": self.reference,
            "caption": self.caption,
            "model": {key: each for key, each in declared["model"].items() if each},
            "parameters": {part.name: "x".join(map(str, part.shape)) for part in space.parts},
            "loss": loss,
        }

    def with_file_hashes(self) -> dict[str, Any]:
        return _hashed("model", self.model)

    def check_file(self) -> None:
        super().check_file()
        _check_hash(self.model)


def _plane_of(origin: SpaceOrigin, *found: Array) -> "Plane":
    """Return the plane of an origin: its own, or that through a point in directions."""
    origin.check_file()
    return origin.space.plane_through(*found) if found else origin.space.plane


def _hashed(field: str, code: CodeConfig) -> dict[str, Any]:
    """Return the field of third-party code with the SHA-256 of its file, {} if it has none."""
    path = file_of(code.of)
    if code.call or code.sha256 or path is None:
        return {}
    return {field: code.model_copy(update={"sha256": file_hash(path)})}


def _check_hash(code: CodeConfig) -> None:
    """Raise InputError if the file of third-party code has changed since it was declared."""
    path = file_of(code.of)
    if path is not None and code.sha256 and file_hash(path) != code.sha256:
        raise InputError(
            f"{path} has changed since the recipe was created: "
            f"to use the new version, pass --surface {code.of}"
        )


@cache
def compiled(text: str, variables: tuple[str, ...], name: str = "") -> "Formula":
    """Return the formula in these variables; `name` is that of its surface, if it has one."""
    # Imports sympy, which a list of surfaces does not need.
    from optiviz.surfaces.formula import formula

    return formula(text, variables, is_bundled_formula(name, text))
