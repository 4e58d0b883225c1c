"""Quadratics of many variables, whose curvatures and axes are known."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from optiviz.objective import Array
from optiviz.surfaces.config import QuadraticConfig

REFLECTIONS = 4  # at most, whose product is the rotation


@dataclass(frozen=True, eq=False)
class Quadratic:
    """Half the sum of d_i*y_i**2, where y is how far x is from (1, ..., 1), perhaps rotated.

    curvatures are the d_i, shape (dim,), the eigenvalues of its Hessian. The rotation is a product
    of Householder reflections along axes, shape (n, dim), which are orthonormal: each takes y to
    y - 2*(v @ y)*v, and the rotation is its own inverse. Points get the same numbers alone and in
    arrays.
    """

    curvatures: Array
    axes: Array

    @property
    def dim(self) -> int:
        """Number of coordinates of a point."""
        return len(self.curvatures)

    @property
    def caption(self) -> str:
        """What pictures say of it."""
        return f"condition number {self.curvatures[-1]:,.13g}"

    def value(self, x: Array) -> Array:
        """Return f(x), shape (...), for x of shape (..., dim)."""
        y = self._rotated(x - 1.0)
        value: Array = 0.5 * (self.curvatures * y * y).sum(axis=-1)
        return value

    def gradient(self, x: Array) -> Array:
        """Return df/dx, shape (..., dim)."""
        return self.value_and_gradient(x)[1]

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return value and gradient."""
        y = self._rotated(x - 1.0)
        slope = self.curvatures * y
        value: Array = 0.5 * (slope * y).sum(axis=-1)
        return value, self._rotated(slope)

    def hessian(self, x: Array) -> Array:
        """Return d2f/dx2, shape (..., dim, dim)."""
        rotation = self._rotated(np.eye(self.dim))
        hessian = (rotation * self.curvatures) @ rotation.T
        return np.broadcast_to((hessian + hessian.T) / 2, (*x.shape, self.dim)).copy()

    def _rotated(self, y: Array) -> Array:
        if not len(self.axes):
            return y
        # Products by einsum, whose sums have one order; those by @ depend on the number of points.
        along = np.einsum("...i,ki->...k", y, self.axes)
        turned: Array = y - 2 * np.einsum("...k,ki->...i", along, self.axes)
        return turned


@cache
def quadratic(config: QuadraticConfig, dim: int) -> Quadratic:
    """Return a quadratic in `dim` variables; equal ones are made once per process."""
    curvatures = np.geomspace(1.0, config.condition, dim)
    many = min(REFLECTIONS, dim // 2) if config.rotated else 0
    drawn = np.random.default_rng(config.seed).normal(size=(dim, many))
    return Quadratic(curvatures, np.ascontiguousarray(np.linalg.qr(drawn)[0].T))
