"""A network's loss: descended in all weights or on a plane through them, and seen on one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from optiviz.descent.problem import Problem, RateGrid
from optiviz.descent.trajectory import Trajectory
from optiviz.objective import Array, Objective, Stream
from optiviz.surfaces.domain import MAX_COORDINATE, Domain, Point
from optiviz.surfaces.network import Batches
from optiviz.surfaces.origins import NetworkOrigin
from optiviz.surfaces.plane import Plane, pca_plane
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import InputError
from optiviz.system.validation import checked

MARGIN = 0.15  # around all paths, of the longer side that they need
MIN_ASPECT = 0.4  # side of a window, of the other one
MAX_MASKED = 50_000_000  # units times samples that dropout may silence in a step
MAX_POINTS = 2000  # of all paths, of which the plane of the paths is made
MAX_DISTANCE = 1e-3 * MAX_COORDINATE  # of points that a window can be around
MIN_EXTENT = 1e-9  # how far nobody went who is said to have stayed
MAX_STEPS, MAX_STARTS = 100, 3  # of runs with which a rate is tried
MANY_RATES, APART = 12, 0.5  # that are tried, and decades from one to the next
LOWEST_RATE = {True: -2.0, False: -4.0}  # its decade, on a plane alone or in all weights


@dataclass(frozen=True, eq=False)
class PlaneStream:
    """A Stream: another one, descended on a plane alone."""

    stream: Stream
    plane: Plane

    @property
    def dim(self) -> int:
        """Number of coordinates: two."""
        return self.plane.dim

    @property
    def full_batch(self) -> Plane:
        """The plane through all samples."""
        return self.plane

    def at(self, step: int) -> Plane:
        """Return the plane through the batch of step number `step`."""
        return self.plane.on(self.stream.at(step))


class NetworkProblem(Problem):
    """A network on its data. A start of () stands for its own weights."""

    columns = "distance", "batch_loss", "accuracy"
    has_samples = True

    def __init__(self, surface: Surface, origin: NetworkOrigin) -> None:
        super().__init__(surface)
        self.origin = origin

    @property
    def in_plane(self) -> bool:
        return self.origin.plane.descends_in_plane

    @property
    def is_random(self) -> bool:  # type: ignore[override]
        return bool(self.origin.network.dropout)

    @property
    def rates(self) -> RateGrid:  # type: ignore[override]
        decades = LOWEST_RATE[self.in_plane] + APART * np.arange(MANY_RATES)
        return RateGrid(np.power(10.0, decades), MAX_STEPS, MAX_STARTS)

    def without_noise(self, batch_size: int | None, seed: int) -> Objective | Stream:
        model = self.origin.network_model
        network, dropout = model.network, model.config.dropout
        size = batch_size or network.samples
        if size > network.samples:
            raise InputError(
                f"a batch of {size}: {model.config.data} has {network.samples} samples"
            )
        if batch_size is None and not dropout:
            return model.plane if self.in_plane else network
        units = sum(network.architecture.sizes[1:-1])
        if dropout and size * units > MAX_MASKED:
            raise InputError(
                f"dropout of {units} units in batches of {size} takes too much memory: "
                "take smaller batches"
            )
        batches = Batches(network, size, seed, dropout)
        return PlaneStream(batches, model.plane) if self.in_plane else batches

    def start(self, point: Point) -> Array:
        model = self.origin.network_model
        if not point:
            own = model.initial
            return model.plane.projected(own[None])[0][0] if self.in_plane else own
        if self.in_plane:
            return super().start(point)
        if model.plane_config.kind == "path":
            raise InputError(
                "a start in the plane of the paths is known only after the descent: give none"
            )
        return model.plane.to_weights(point)

    def project(self, paths: Sequence[Trajectory]) -> tuple[Surface, list[Trajectory]]:
        """Return the surface and the paths as they are drawn.

        Of a network that is descended in all of its weights it is the plane with the paths
        projected onto it, and how far from it they are; all paths say what they learned.
        """
        surface, model = self.surface, self.origin.network_model
        if self.in_plane:
            plane = model.plane
            return surface, [
                replace(path, accuracy=model.accuracy(plane.to_weights(path.end))) for path in paths
            ]
        if model.plane_config.kind == "path":
            points = np.concatenate(_spaced(paths))
            fitted = pca_plane(points[:: -(-len(points) // MAX_POINTS)])
            plane = Plane(model.network, fitted.origin, fitted.directions)
            first, second = (
                f"PC {number} ({share:.0%})" for number, share in enumerate(fitted.shares, start=1)
            )
            axes = first, second
        else:
            plane, axes = model.plane, model.axes
        flat = []
        for path in paths:
            with np.errstate(all="ignore"):
                points, distances = plane.projected(path.points)
            accuracy = model.accuracy(path.end)
            flat.append(replace(path, points=points, distances=distances, accuracy=accuracy))
        return surface.on_plane(plane, axes, surface.domain or self._window(flat)), flat

    def _window(self, paths: Sequence[Trajectory]) -> Domain:
        """Return the window of paths in a plane; of random directions it has a unit each way."""
        points = _spaced(paths)
        if self.origin.plane.kind == "random":
            points.append(np.array(self.origin.window.intervals).T / (1 + 2 * MARGIN))
        return bounding_window(np.concatenate(points))


def _spaced(paths: Sequence[Trajectory]) -> list[Array]:
    """Return evenly spaced points of the paths that stay among numbers, else what they began with.

    A path that leaves them would leave nothing to see of the others. Which frames are shown makes
    no difference.
    """
    spaced = []
    for path in (each for each in paths if each.ended_at is None):
        assert path.spaced is not None
        spaced.append(
            path.finite_points[np.isin(path.step_of_row[: len(path.finite_points)], path.spaced)]
        )
    near = [points for points in spaced if np.abs(points).max() < MAX_DISTANCE]
    return near or [path.points[:1] for path in paths]


def bounding_window(points: Array) -> Domain:
    """Return a window with all points in it, shape (n, 2), and some room around them."""
    low, high = points.min(axis=0), points.max(axis=0)
    longest = float((high - low).max())
    if longest <= MIN_EXTENT * max(1.0, float(np.abs(points).max())):
        longest = 1.0
    side = np.maximum(high - low + 2 * MARGIN * longest, MIN_ASPECT * (1 + 2 * MARGIN) * longest)
    middle = (low + high) / 2
    ends = np.stack([middle - side / 2, middle + side / 2], axis=-1)
    found = checked(Domain, ends.tolist())
    if isinstance(found, list):
        raise InputError("the paths lead too far away to be drawn: take a smaller learning rate")
    return found
