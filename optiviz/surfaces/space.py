"""Objectives of many dimensions, which are drawn on a plane through the point where runs begin."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Self

import numpy as np

from optiviz.objective import Array, Objective, Stream, TwiceDifferentiable, pass_on
from optiviz.surfaces.config import PlaneConfig
from optiviz.surfaces.directions import Frame, frame_of, is_flat, random_directions
from optiviz.surfaces.domain import Domain
from optiviz.surfaces.parts import Part, flat_vector, matrix_parts, parts_of
from optiviz.surfaces.plane import Plane
from optiviz.surfaces.windows import RISE, FoundWindow, bounding_window, rising_window

BETWEEN = (-0.25, 1.25)  # the window of a line between two checkpoints
OF_WEIGHTS = (-10.0, 10.0)  # of each of two weights
BLOCK = 2_000_000  # numbers of the points that are evaluated at once
NORMALIZED = {"filter": "filter-normalised", "layer": "layer-normalised", "none": "not normalised"}
FIXED = {"zero": "biases fixed", "keep": "biases along themselves"}


class Space(ABC):
    """An objective of many dimensions, the point where runs begin, and the plane through it."""

    objective: Objective  # what is descended, in all dimensions
    initial: Array  # the point where runs begin unless specified, shape (dim,)
    parts: Sequence[Part]  # the named tensors in a point, in order
    plane_config: PlaneConfig

    @cached_property
    def frame(self) -> Frame:
        """Where the plane is; raises InputError if it is known only after a descent."""
        return frame_of(self)

    @cached_property
    def plane(self) -> Plane:
        """The plane; raises InputError if it is known only after a descent."""
        return self.plane_through(self.frame.origin, self.frame.directions)

    @property
    def axes(self) -> tuple[str, ...]:
        """The names of the plane's coordinates, if it is known before a descent."""
        return self.frame.axes

    @cached_property
    def window(self) -> FoundWindow:
        """The window of the plane unless declared, if it is known before a descent."""
        kind, frame = self.plane_config.kind, self.frame
        told = "; ".join(each.told for each in frame.anchors if each.told)
        if kind == "between":
            return FoundWindow(Domain(x=BETWEEN), told)
        if kind == "through":
            around = bounding_window(np.array([each.point for each in frame.anchors]))
            return FoundWindow(around, told)
        if kind in ("weights", "coordinates"):
            return FoundWindow(Domain(x=OF_WEIGHTS, y=OF_WEIGHTS))
        return rising_window(self.plane, self._usual_side)

    @property
    def _usual_side(self) -> float:
        """Half the side of a window that is tried first.

        It is 1 for random directions, which are as long as the parameters. Along an eigenvector, it
        is where a parabola of its bend is RISE times as high as in its middle, if it is one.
        """
        if self.plane_config.kind != "hessian":
            return 1.0
        (loss,) = self.plane.value(np.zeros((1, 2)))
        bend = abs(
            float(
                self.plane.directions[0]
                @ self.hessian_product(self.initial, self.plane.directions[0])
            )
        )
        side = float(np.sqrt(2 * (RISE - 1) * loss / bend)) if loss > 0 and bend else 1.0
        return float(f"{side:.2g}")

    def random_directions(self) -> Array:
        """Return the directions of a random plane, shape (2, dim)."""
        config = self.plane_config
        return random_directions(
            self.parts, self.initial, config.seed, config.normalize, config.biases
        )

    @property
    def random_caption(self) -> str:
        """How pictures say that random directions were made."""
        config = self.plane_config
        if is_flat(self.parts):
            return "random directions" + ", not normalised" * (config.normalize == "none")
        return f"random directions, {NORMALIZED[config.normalize]}, {FIXED[config.biases]}"

    def plane_through(self, origin: Array, directions: Array) -> Plane:
        """Return another plane through the objective."""
        return Plane(self.objective, origin, directions)

    def batches(self, size: int | None, seed: int) -> Objective | Stream:
        """Return what is descended: batches of `size` samples, or all at every step if None.

        Raises InputError if there are no batches of this size.
        """
        return self.objective

    @abstractmethod
    def hessian_product(self, x: Array, v: Array) -> Array:
        """Return the Hessian of the objective at x times v, both of shape (dim,)."""

    def accuracy(self, x: Array) -> float | None:
        """Return the share of test samples classified correctly at x; None if there are none."""
        return None

    def from_tensors(self, found: Mapping[str, Any], file: str) -> tuple[Array, Self]:
        """Return the point in a checkpoint, shape (dim,), and the space with its buffers.

        Raises InputError that begins with the name of the file and names the first key that
        differs, if it is of another model.
        """
        return flat_vector(found, self.parts, file), self


class ArrayPlane(Plane):
    """A plane through an objective that is evaluated on arrays of points, block by block."""

    objective: TwiceDifferentiable

    def value(self, x: Array) -> Array:
        points = np.reshape(x, (-1, self.dim))
        many = max(1, BLOCK // len(self.origin))
        blocks = [
            self.objective.value(self.to_weights(points[begin : begin + many]))
            for begin in range(0, len(points), many)
        ]
        return np.concatenate([*blocks, np.zeros(0)]).reshape(np.shape(x)[:-1])

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        value, slopes = self.objective.value_and_gradient(self.to_weights(x))
        return value, slopes @ self.directions.T

    def hessian(self, x: Array) -> Array:
        """Return the exact second derivatives, shape (..., dim, dim)."""
        bend: Array = self.directions @ self.objective.hessian(self.to_weights(x))
        return bend @ self.directions.T

    def on(self, objective: TwiceDifferentiable) -> "ArrayPlane":  # type: ignore[override]
        return ArrayPlane(objective, self.origin, self.directions)


@dataclass(frozen=True, eq=False)
class OfMatrix:
    """An objective of many variables that are the entries of a matrix, row by row."""

    objective: TwiceDifferentiable
    parts: Sequence[Part]

    def __post_init__(self) -> None:
        pass_on(self.objective, self)

    @property
    def dim(self) -> int:
        """The number of entries."""
        return self.objective.dim

    def value(self, x: Array) -> Array:
        """Return f(x), shape (...), for x of shape (..., dim)."""
        return self.objective.value(x)

    def gradient(self, x: Array) -> Array:
        """Return df/dx, shape (..., dim)."""
        return self.objective.gradient(x)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return value and gradient."""
        return self.objective.value_and_gradient(x)


@dataclass(frozen=True, eq=False)
class VariablesSpace(Space):
    """A formula or a function of many variables, which may be the entries of a matrix."""

    objective: TwiceDifferentiable
    variables: Sequence[str]
    initial: Array
    plane_config: PlaneConfig
    matrix: tuple[int, int] | None = None

    def batches(self, size: int | None, seed: int) -> Objective | Stream:
        if self.matrix is None:
            return self.objective
        return OfMatrix(self.objective, matrix_parts(self.matrix))

    def random_directions(self) -> Array:
        """Return two random, orthonormal directions: variables have no layers to compare with."""
        drawn = np.random.default_rng(self.plane_config.seed).normal(size=(len(self.variables), 2))
        return np.linalg.qr(drawn)[0].T

    @property
    def random_caption(self) -> str:
        return "random directions, orthonormal"

    @property
    def parts(self) -> Sequence[Part]:  # type: ignore[override]
        """One part per variable."""
        return parts_of((name, ()) for name in self.variables)

    def plane_through(self, origin: Array, directions: Array) -> Plane:
        return ArrayPlane(self.objective, origin, directions)

    def hessian_product(self, x: Array, v: Array) -> Array:
        product: Array = self.objective.hessian(x) @ v
        return product


@lru_cache(maxsize=8)
def variables_space(
    objective: TwiceDifferentiable,
    variables: tuple[str, ...],
    initial: tuple[float, ...],
    plane: PlaneConfig,
    matrix: tuple[int, int] | None = None,
) -> VariablesSpace:
    """Return the space of a formula or a function with its plane; equal ones share one."""
    return VariablesSpace(objective, variables, np.array(initial, float), plane, matrix)
