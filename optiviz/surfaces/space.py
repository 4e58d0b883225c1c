"""Objectives of many dimensions, which are drawn on a plane through the point where runs begin."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optiviz.objective import Array, Objective, Stream, TwiceDifferentiable
from optiviz.surfaces.config import PlaneConfig
from optiviz.surfaces.parts import Part, parts_of
from optiviz.surfaces.plane import Plane
from optiviz.system.errors import InputError

BLOCK = 2_000_000  # numbers of the points that are evaluated at once


class Space(ABC):
    """An objective of many dimensions, the point where runs begin, and the plane through it."""

    objective: Objective  # what is descended, in all dimensions
    initial: Array  # the point where runs begin unless specified, shape (dim,)
    parts: Sequence[Part]  # the named tensors in a point, in order
    plane_config: PlaneConfig

    @property
    @abstractmethod
    def plane(self) -> Plane:
        """The plane; raises InputError if it is known only after a descent."""

    @property
    @abstractmethod
    def axes(self) -> tuple[str, str]:
        """The names of the plane's coordinates, if it is known before a descent."""

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


class ArrayPlane(Plane):
    """A plane through an objective that is evaluated on arrays of points, block by block."""

    objective: TwiceDifferentiable

    def value(self, x: Array) -> Array:
        points = np.reshape(x, (-1, 2))
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
        """Return the exact second derivatives, shape (..., 2, 2)."""
        bend: Array = self.directions @ self.objective.hessian(self.to_weights(x))
        return bend @ self.directions.T

    def on(self, objective: TwiceDifferentiable) -> "ArrayPlane":  # type: ignore[override]
        return ArrayPlane(objective, self.origin, self.directions)


@dataclass(frozen=True, eq=False)
class VariablesSpace(Space):
    """A formula or a function of many variables."""

    objective: TwiceDifferentiable
    variables: Sequence[str]
    initial: Array
    plane_config: PlaneConfig

    @cached_property
    def plane(self) -> Plane:
        """The plane of two variables or of two random, orthonormal directions."""
        config, dim = self.plane_config, len(self.variables)
        if config.kind == "path":
            raise InputError("a path plane is known only after the descent")
        if config.kind == "coordinates":
            places = [self.variables.index(name) for name in config.coordinates]
            origin = self.initial.copy()
            origin[places] = 0
            return self.plane_through(origin, np.eye(dim)[places])
        drawn = np.random.default_rng(config.seed).normal(size=(dim, 2))
        return self.plane_through(self.initial, np.linalg.qr(drawn)[0].T)

    @property
    def axes(self) -> tuple[str, str]:
        if self.plane_config.kind == "coordinates":
            first, second = self.plane_config.coordinates
            return first, second
        return "direction 1", "direction 2"

    @property
    def parts(self) -> Sequence[Part]:  # type: ignore[override]
        """One part per variable."""
        return parts_of((name, ()) for name in self.variables)

    def plane_through(self, origin: Array, directions: Array) -> Plane:
        return ArrayPlane(self.objective, origin, directions)

    def hessian_product(self, x: Array, v: Array) -> Array:
        product: Array = self.objective.hessian(x) @ v
        return product
