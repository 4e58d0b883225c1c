"""Optimizers on a surface or a network: what they meet, where they begin, and what shows them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from optiviz.descent import Trajectory
from optiviz.errors import InputError
from optiviz.objective import Array, Objective, Stream
from optiviz.surfaces.network import Batches
from optiviz.surfaces.noise import GradientNoise
from optiviz.surfaces.plane import Plane, principal
from optiviz.surfaces.surface import MAX_COORDINATE, Domain, Point, Shown, Surface

MARGIN = 0.15  # around all paths, of the longer side that they need
NARROWEST = 0.4  # side of a window, of the other one
STILL = 1e-9  # how far nobody went who is said to have stayed
FIRST = np.zeros(1, dtype=np.intp)


@dataclass(frozen=True, eq=False)
class OnPlane:
    """A Stream: another one, descended on a plane alone."""

    stream: Stream
    plane: Plane

    @property
    def dim(self) -> int:
        """Number of coordinates: two."""
        return self.plane.dim

    @property
    def whole(self) -> Plane:
        """The plane through all samples."""
        return self.plane

    def at(self, step: int) -> Plane:
        """Return the plane through the batch of step number `step`."""
        return self.plane.on(self.stream.at(step))


def met(
    surface: Surface, batch_size: int | None = None, noise: float = 0.0, seed: int = 0
) -> Objective | Stream:
    """Return what all optimizers meet: the surface, or a stream of batches and noise.

    Raises InputError for larger batches than there are samples.
    """
    objective: Objective | Stream = surface
    if surface.network is not None:
        objective = _learned(surface, batch_size, seed)
    return GradientNoise(objective, noise, seed) if noise else objective


def _learned(surface: Surface, batch_size: int | None, seed: int) -> Objective | Stream:
    landscape = surface.landscape
    network, dropout = landscape.network, landscape.words.dropout
    size = batch_size or network.samples
    if size > network.samples:
        raise InputError(f"a batch of {size}: {landscape.words.data} has {network.samples} samples")
    if batch_size is None and not dropout:
        return landscape.plane if surface.inside else network
    batches = Batches(network, size, seed, dropout)
    return OnPlane(batches, landscape.plane) if surface.inside else batches


def begin(surface: Surface, start: Point) -> Array:
    """Return the point that a run begins at: a network's own weights if start is ()."""
    if surface.inside:
        return np.array(start, float)
    landscape = surface.landscape
    if not start:
        return landscape.initial
    if landscape.plane_words.kind == "path":
        raise InputError(
            "a start in the plane of the paths is known only after the descent: give none"
        )
    return landscape.plane.lifted(start)


def seen(surface: Surface, paths: Sequence[Trajectory]) -> tuple[Surface, list[Trajectory]]:
    """Return the surface and the paths as they are seen.

    Of a network that is descended in all of its weights it is the plane with the paths projected
    onto it, and how far from it they are; of all networks the paths say what they learned.
    """
    if surface.network is None:
        return surface, list(paths)
    landscape = surface.landscape
    if surface.inside:
        plane = landscape.plane
        return surface, [
            replace(path, accuracy=landscape.accuracy(plane.lifted(path.end))) for path in paths
        ]
    if landscape.plane_words.kind == "path":
        spread = principal(np.concatenate([path.walked for path in _near(paths)]))
        plane = Plane(landscape.network, spread.origin, spread.directions)
        first, second = (
            f"PC {number} ({share:.0%})" for number, share in enumerate(spread.shares, start=1)
        )
        axes = first, second
    else:
        plane, axes = landscape.plane, landscape.axes
    flat = []
    for path in paths:
        with np.errstate(all="ignore"):
            points, distances = plane.projected(path.points)
        accuracy = landscape.accuracy(path.end)
        flat.append(replace(path, points=points, distances=distances, accuracy=accuracy))
    return surface.seen_on(Shown(plane, axes), surface.domain or around(_near(flat))), flat


def _near(paths: Sequence[Trajectory]) -> list[Trajectory]:
    """Return the paths that stay among numbers; where none does, what they all began with.

    A path that leaves them would leave nothing to see of the others.
    """
    near = [
        path
        for path in paths
        if path.ended_at is None and np.abs(path.walked).max() < MAX_COORDINATE
    ]
    return near or [replace(path, points=path.points[:1], rows=FIRST) for path in paths]


def around(paths: Sequence[Trajectory]) -> Domain:
    """Return a window with all paths in it, and some room around them."""
    points = np.concatenate([path.walked for path in paths])
    low, high = points.min(axis=0), points.max(axis=0)
    longest = float((high - low).max())
    if longest <= STILL * max(1.0, float(np.abs(points).max())):
        longest = 1.0
    side = np.maximum(high - low + 2 * MARGIN * longest, NARROWEST * (1 + 2 * MARGIN) * longest)
    middle = (low + high) / 2
    ends = np.stack([middle - side / 2, middle + side / 2], axis=-1)
    return Domain.model_validate(ends.tolist())
