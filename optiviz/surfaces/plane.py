"""Planes through an objective of many dimensions: objectives of two that can be drawn."""

import os
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optiviz.objective import Array, Objective
from optiviz.system.errors import InputError, OptivizError

MAX_THREADS = 8
MANY, BLOCK = 4, 256_000_000  # points of a block, and the bytes that they may take together
NUDGE = np.finfo(float).eps ** (1 / 3)  # relative step of central differences, optimal for order 2


@dataclass(frozen=True, eq=False)
class Plane:
    """An objective on the plane origin + a * directions[0] + b * directions[1].

    origin has shape (dim,), directions (2, dim); they need be neither orthogonal nor of length 1.
    A point of the plane is (a, b). With one direction, it is a line, and a point is (a,).
    """

    objective: Objective
    origin: Array
    directions: Array

    @property
    def dim(self) -> int:
        """Number of coordinates: two, or one of a line."""
        return len(self.directions)

    def to_weights(self, x: ArrayLike) -> Array:
        """Return points of the whole space, shape (..., dim of the objective)."""
        with np.errstate(over="ignore", invalid="ignore"):
            lifted: Array = self.origin + np.asarray(x, float) @ self.directions
        return lifted

    def value(self, x: Array) -> Array:
        """Return the loss, shape (...), for x of shape (..., dim)."""
        points = np.reshape(x, (-1, self.dim))
        losses = np.array([float(self.objective.value(self.to_weights(each))) for each in points])
        return losses.reshape(np.shape(x)[:-1])

    def gradient(self, x: Array) -> Array:
        """Return the slopes along the directions, shape (..., dim)."""
        return self.value_and_gradient(x)[1]

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return the loss and its slopes along the directions."""
        points = np.reshape(x, (-1, self.dim))
        losses, slopes = np.empty(len(points)), np.empty((len(points), self.dim))
        for number, point in enumerate(points):
            losses[number], slope = self.objective.value_and_gradient(self.to_weights(point))
            slopes[number] = self.directions @ slope
        return losses.reshape(np.shape(x)[:-1]), slopes.reshape(np.shape(x))

    @property
    def full_batch(self) -> "Plane | None":
        """The plane through the objective of all samples, None if this one is not of a batch."""
        found = self.objective.full_batch  # type: ignore[attr-defined]
        return None if found is None else self.on(found)

    @property
    def chosen(self) -> NDArray[np.intp]:
        """Which of all samples are in the batch, shape (b,)."""
        found: NDArray[np.intp] = self.objective.chosen  # type: ignore[attr-defined]
        return found

    @property
    def sample_gradients(self) -> Callable[[Array], Array]:
        """The function that returns the slopes of the loss of each sample, (..., b, dim)."""
        found = self.objective.sample_gradients  # type: ignore[attr-defined]
        return lambda x: found(self.to_weights(x)) @ self.directions.T

    def hessian(self, x: Array) -> Array:
        """Return central differences of order 2 of the exact gradient, shape (..., dim, dim)."""
        x = np.asarray(x, float)
        step = NUDGE * np.maximum(1.0, np.abs(x))
        rows = []
        for axis, unit in enumerate(np.eye(self.dim)):
            nudge = step * unit
            ways = self.gradient(x + nudge) - self.gradient(x - nudge)
            rows.append(ways / (2 * step[..., axis : axis + 1]))
        bend = np.stack(rows, axis=-2)
        symmetric: Array = (bend + np.swapaxes(bend, -1, -2)) / 2
        return symmetric

    def projected(self, points: Array) -> tuple[Array, Array]:
        """Return the nearest points of the plane, shape (n, dim), and their distances, (n,)."""
        away = points - self.origin
        along = self.directions @ away.T
        nearest = np.linalg.solve(self.directions @ self.directions.T, along).T.astype(float)
        rest = away - nearest @ self.directions
        return nearest, np.linalg.norm(rest, axis=-1).astype(float)

    def on(self, objective: Objective) -> "Plane":
        """Return the same plane through another objective."""
        return Plane(objective, self.origin, self.directions)

    def fingerprint(self, probes: Array) -> tuple[bytes, ...]:
        """Return what its losses depend on, beside origin and directions.

        probes, of shape (n, dim), are points to try if the objective does not know all of it.
        """
        known: tuple[bytes, ...] = self.objective.fingerprint()  # type: ignore[attr-defined]
        return known

    @property
    def can_be_cached(self) -> bool:
        """Whether its fingerprint tells apart what has other losses."""
        return True

    def blocks(self, points: int) -> list[slice]:
        """Return the slices of so many points that are evaluated together, in order.

        They are the same on every machine, as losses may have other bits in other company.
        """
        many = self._many()
        return [slice(begin, min(begin + many, points)) for begin in range(0, points, many)]

    def losses(self, points: Array) -> Array:
        """Return the losses at points of shape (n, dim), shape (n,); nan or inf if undefined.

        If memory is too short for all, they are evaluated in halves. Raises InputError that names
        the point if third-party code fails there, OptivizError if memory is too short for one.
        """
        try:
            with np.errstate(all="ignore"):
                return self.value(points)
        except (MemoryError, InputError) as error:
            if len(points) == 1:
                place = ", ".join(f"{each:.4g}" for each in points[0])
                where = f"at ({place}) of the plane"
                if isinstance(error, InputError):
                    raise InputError(f"{error}, {where}") from error
                raise OptivizError(f"memory is too short for the loss {where}") from error
        middle = len(points) // 2
        return np.concatenate([self.losses(points[:middle]), self.losses(points[middle:])])

    def sampled(
        self, points: Array, blocks: Sequence[slice], threads: int | None = None
    ) -> Generator[tuple[slice, Array], None, None]:
        """Yield blocks of points, shape (n, dim), with their losses, in the order of the blocks.

        They are evaluated on several threads, by default on one a core but at most MAX_THREADS;
        each holds the points of one block.
        """
        if threads == 1 or self._thread_copy() is None:
            for block in blocks:
                yield block, self.losses(points[block])
            return
        # Slow to import, and formulas do not need it.
        from concurrent.futures import ThreadPoolExecutor

        own = threading.local()

        def evaluate(block: slice) -> Array:
            if not hasattr(own, "plane"):
                own.plane = self._thread_copy()
            found: Array = own.plane.losses(points[block])
            return found

        with ThreadPoolExecutor(threads or min(os.cpu_count() or 1, MAX_THREADS)) as pool:
            try:
                yield from zip(blocks, pool.map(evaluate, blocks), strict=True)
            except BaseException:  # Ctrl-C waits only for blocks that have begun
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def copied(self) -> "Plane":
        """Return a plane that can be evaluated beside this one, as far as that is possible."""
        return self._thread_copy() or self

    def _many(self) -> int:
        """Return the number of points per block, which take at most BLOCK bytes unless one does."""
        return max(1, min(self._at_once, BLOCK // self.origin.nbytes))

    @property
    def _at_once(self) -> int:
        """The most points per block."""
        return MANY

    def _thread_copy(self) -> "Plane | None":
        """Return a plane that can be evaluated in another thread at the same time, if possible."""
        if not hasattr(self.objective, "thread_copy"):
            return self
        copied = self.objective.thread_copy()
        return None if copied is None else self.on(copied)


def difference_product(
    gradient: Callable[[Array], Array], x: Array, v: Array, nudge: float = NUDGE
) -> Array:
    """Return the Hessian at x times v, both of shape (dim,), by central differences of order 2.

    nudge is the step relative to x, which is best for a smooth function unless specified.
    """
    length = float(np.linalg.norm(v))
    if not length:
        return np.zeros_like(x)
    step = nudge * max(1.0, float(np.linalg.norm(x))) / length
    product: Array = (gradient(x + step * v) - gradient(x - step * v)) / (2 * step)
    return product


class PrincipalPlane(NamedTuple):
    """The plane of largest variance of points, and the share of the variance along each axis."""

    origin: Array  # (dim,), the mean
    directions: Array  # (2, dim), orthonormal
    shares: Array  # (2,)


def pca_plane(points: Array) -> PrincipalPlane:
    """Return the plane of the first two principal components of points, shape (n, dim).

    The entry of largest magnitude in each component is positive. A component without variance is
    replaced by an axis, made orthogonal.
    """
    origin = points.mean(axis=0)
    away = points - origin
    away /= np.abs(away).max(initial=0.0) or 1.0  # squares might overflow otherwise
    if len(away) <= points.shape[1]:  # both have the same non-zero eigenvalues: use the smaller
        strengths, mixes = np.linalg.eigh(away @ away.T)
        ways = (away.T @ mixes).T
    else:
        strengths, mixes = np.linalg.eigh(away.T @ away)
        ways = mixes.T
    total = float(strengths.clip(0).sum())
    directions, shares = np.zeros((2, points.shape[1])), np.zeros(2)
    for number in range(2):
        strength = strengths[-1 - number] if len(strengths) > number else 0.0
        if total > 0 and strength > 1e-12 * total:
            way = ways[-1 - number]
            shares[number] = strength / total
        else:
            free = int(np.abs(directions[:number]).sum(axis=0).argmin())
            way = np.eye(1, points.shape[1], free)[0]
        way = way - directions[:number].T @ (directions[:number] @ way)
        way /= np.linalg.norm(way)
        directions[number] = way * (np.sign(way[np.abs(way).argmax()]) or 1.0)
    return PrincipalPlane(origin, directions, shares)
