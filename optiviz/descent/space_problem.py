"""Descending an objective of many dimensions, in all or on a plane, and drawing it on a plane."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from optiviz.descent.problem import Problem, RateGrid
from optiviz.descent.trajectory import Trajectory
from optiviz.objective import Array, Objective, Stream
from optiviz.shapes import Sketch, shadow
from optiviz.surfaces.domain import MAX_COORDINATE, Domain, Point
from optiviz.surfaces.origins import SpaceOrigin
from optiviz.surfaces.parts import singular_values
from optiviz.surfaces.plane import Plane, pca_plane
from optiviz.surfaces.surface import Surface
from optiviz.surfaces.syntax import AXES
from optiviz.surfaces.windows import MARGIN, bounding_window
from optiviz.system.errors import InputError

MAX_POINTS = 2000  # of all paths, to which the plane of the paths is fitted
MAX_MATRICES = 3  # whose singular values are drawn: the first ones
MAX_DISTANCE = 1e-3 * MAX_COORDINATE  # of points that a window can contain
ON_PLANE = 1e-9  # distance of a point from a plane, relative to its size, that is none
MAX_STEPS, MAX_STARTS = 100, 3  # of the runs that try a learning rate
MANY_RATES, APART = 12, 0.5  # to try, and decades between them
LOWEST_RATE = {True: -2.0, False: -4.0}  # its decade, by whether the descent is on a plane


@dataclass(frozen=True, eq=False)
class PlaneStream:
    """A stream that restricts another one to a plane."""

    stream: Stream
    plane: Plane

    @property
    def dim(self) -> int:
        """Number of coordinates of a point: two, or one of a line."""
        return self.plane.dim

    @property
    def full_batch(self) -> Plane:
        """The plane, with the loss of all samples."""
        return self.plane

    def hessian(self, x: Array) -> Array:
        """Return the second derivatives of the loss of all samples, shape (..., dim, dim)."""
        return self.plane.hessian(x)

    @property
    def sample_gradients(self) -> Callable[[Array], Array]:
        """The function that returns the slopes of the loss of each sample, (..., samples, dim)."""
        return self.plane.sample_gradients

    def at(self, step: int) -> Plane:
        """Return the plane, with the loss of the batch of step number `step`."""
        return self.plane.on(self.stream.at(step))


class SpaceProblem(Problem):
    """An objective of many dimensions, which is drawn on a plane. The start () is its own."""

    def __init__(self, surface: Surface, origin: SpaceOrigin) -> None:
        super().__init__(surface)
        self.origin = origin

    @property
    def columns(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("distance", "batch_loss", "accuracy") if self.origin.learns else ("distance",)

    @property
    def has_samples(self) -> bool:  # type: ignore[override]
        return self.origin.has_samples

    @property
    def is_random(self) -> bool:  # type: ignore[override]
        return self.origin.is_random

    @property
    def rates(self) -> RateGrid | None:  # type: ignore[override]
        if not self.origin.learns:
            return None
        decades = LOWEST_RATE[self.in_plane] + APART * np.arange(MANY_RATES)
        return RateGrid(np.power(10.0, decades), MAX_STEPS, MAX_STARTS)

    @property
    def in_plane(self) -> bool:
        return self.origin.plane.descends_in_plane

    @property
    def box(self) -> Array | None:
        return super().box if self.in_plane else self.origin.box

    def without_noise(self, batch_size: int | None, seed: int) -> Objective | Stream:
        space = self.origin.space
        met = space.batches(batch_size, seed)
        if not self.in_plane:
            return met
        return PlaneStream(met, space.plane) if isinstance(met, Stream) else space.plane

    def hessian_product(self, x: Array, v: Array) -> Array:
        if self.in_plane:
            return super().hessian_product(x, v)
        return self.origin.space.hessian_product(x, v)

    def start(self, point: Point) -> Array:
        space, given = self.origin.space, np.array(point, float)
        if len(point) > len(AXES):  # all coordinates
            if not self.in_plane:
                return given
            if not np.array_equal(given, space.initial):
                raise InputError("a descent on the plane starts on it: give its two coordinates")
            point = ()
        if not point:
            own = space.initial
            return space.plane.projected(own[None])[0][0] if self.in_plane else own
        if self.in_plane:
            return given
        if self.origin.plane.kind == "path":
            raise InputError(
                "a start cannot be set in a path plane, which is known only after the descent"
            )
        return space.plane.to_weights(point)

    def project(
        self, paths: Sequence[Trajectory], spectra: bool = False
    ) -> tuple[Surface, list[Trajectory]]:
        """Return the surface and the paths, as they are drawn.

        If all dimensions are descended, the surface is the plane, the paths are projected onto it
        and have their distances from it. All paths have the accuracy at their end.
        """
        surface, space = self.surface, self.origin.space
        if self.in_plane:
            plane = space.plane
            return surface, [
                replace(path, accuracy=space.accuracy(plane.to_weights(path.end))) for path in paths
            ]
        if self.origin.plane.kind == "path":
            points = np.concatenate(_spaced(paths))
            fitted = pca_plane(points[:: -(-len(points) // MAX_POINTS)])
            plane = space.plane_through(fitted.origin, fitted.directions)
            first, second = (
                f"PC {number} ({share:.0%})" for number, share in enumerate(fitted.shares, start=1)
            )
            axes: tuple[str, ...] = (first, second)
        else:
            plane, axes = self._plane_through(paths), space.axes
        flat = []
        parts = [each for each in surface.parts or space.parts if spectra and len(each.shape) > 1]
        for path in paths:
            with np.errstate(all="ignore"):
                points, distances = plane.projected(path.points)
            drawn = replace(
                path,
                points=points,
                spectra={
                    each.name: singular_values(each, path.points) for each in parts[:MAX_MATRICES]
                },
                sketches=_shadows(path.sketches, plane),
                distances=distances,
                accuracy=space.accuracy(path.end) if path.accuracy is None else path.accuracy,
                whole=path.points if surface.variables else None,
            )
            flat.append(drawn)
        return surface.on_plane(plane, axes, self._window(flat)), flat

    def _plane_through(self, paths: Sequence[Trajectory]) -> Plane:
        """Return the plane, moved to where all paths start if that is one point beside it.

        A plane through checkpoints stays with them.
        """
        space, start = self.origin.space, paths[0].start
        if self.origin.anchors:
            return space.plane
        with np.errstate(all="ignore"):
            (nearest,), (away,) = space.plane.projected(start[None])
        beside = ON_PLANE * max(1.0, float(np.abs(start).max())) < away < np.inf
        if not beside or not all(np.array_equal(path.start, start) for path in paths):
            return space.plane
        directions = space.plane.directions
        return space.plane_through(start - nearest @ directions, directions)

    def _window(self, paths: Sequence[Trajectory]) -> Domain:
        """Return the window that is declared, else that around paths in a plane.

        Where the plane is known before, it shows at least the window without paths.
        """
        if self.origin.has_window:
            return self.origin.window
        points = np.concatenate(_spaced(paths))
        if self.origin.plane.kind == "path":
            return bounding_window(points)
        corners = _without_margin(np.array(self.origin.window.intervals).T)
        if ((corners[0] <= points) & (points <= corners[1])).all():
            return self.origin.window
        return bounding_window(np.concatenate([points, corners]))


def _shadows(sketches: Sequence[Sketch], plane: Plane) -> tuple[Sketch, ...]:
    """Return the sketches of each step as they are projected onto a plane."""
    if not any(sketches):
        return ()
    along: Array = np.linalg.pinv(plane.directions.T).astype(float)
    found: list[Sketch] = []
    for number, sketch in enumerate(sketches):
        if number and sketch is sketches[number - 1]:
            found.append(found[-1])
            continue
        cast = (shadow(each, along, lambda x: plane.projected(x)[0]) for each in sketch)
        found.append(tuple(each for each in cast if each is not None))
    return tuple(found)


def _without_margin(corners: Array) -> Array:
    """Return the corners of a window, shape (2, dim), nearer to its middle, without its margin."""
    middle = corners.mean(axis=0)
    moved: Array = middle + (corners - middle) / (1 + 2 * MARGIN)
    return moved


def _spaced(paths: Sequence[Trajectory]) -> list[Array]:
    """Return evenly spaced points of the paths that stay finite, else the start of each path.

    A path that diverges would hide all the others. The points do not depend on which frames are
    shown.
    """
    spaced = []
    for path in (each for each in paths if each.ended_at is None):
        assert path.spaced is not None
        spaced.append(
            path.finite_points[np.isin(path.step_of_row[: len(path.finite_points)], path.spaced)]
        )
    near = [points for points in spaced if np.abs(points).max() < MAX_DISTANCE]
    return near or [path.points[:1] for path in paths]
