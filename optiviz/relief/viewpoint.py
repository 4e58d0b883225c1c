"""The default camera: of some azimuths and elevations, the one that hides least."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optiviz.relief.camera import Camera
from optiviz.relief.field import Field

# The directions of the axes, along which a box looks flat, are left out.
AZIMUTHS = (-60.0, -30.0, 30.0, 60.0, 120.0, 150.0, -150.0, -120.0)
BETWEEN = -15.0, 0.0, 15.0  # degrees from the best of these that are tried, too
ELEVATIONS = 33.0, 38.0, 44.0, 49.0, 54.0, 62.0, 70.0
FEW = 38.0, 54.0  # of them, which are tried with all azimuths
BEST = 3  # azimuths with which all elevations are tried
SIDE, SLICES = 120, 80  # pixels and slices of the pictures that are tried
SPOTS = 20  # of the surface along each side
MOST = 300  # points of a path that are looked at
SLACK = 0.5  # pixels
# What it counts that all of these are seen: of paths, of where they end and begin, and so on.
PATHS, ENDS, STARTS, MINIMA, SURFACE, BELOW = 2.0, 1.0, 0.5, 1.0, 0.5, 1.0
STEEPER = 0.006  # what a degree of elevation costs
TURNED = 1 / 3, 2 / 3, 1.0  # shares of a turn at which it counts what is seen


def best_camera(
    field: Field, paths: Sequence[NDArray[Any]], minima: NDArray[Any], turn: float = 0.0
) -> Camera:
    """Return the camera that hides least, and shows least of below, as it turns by an angle.

    paths are points (u, v, w) of shape (n, 3), as minima are. Among equally good cameras it is the
    first one in the tables above. It is not fitted to a picture.
    """
    along = [side * ((np.arange(SPOTS) + 0.5) / SPOTS - 0.5) for side in field.sides]
    u, v = (each.ravel() for each in np.meshgrid(*along))
    spots = _known(np.column_stack([u, v, field.height(u, v)]))
    first = Camera(AZIMUTHS[0], ELEVATIONS[0])
    if not len(spots):
        return first
    drawn = [_known(path) for path in paths]
    drawn = [path for path in drawn if len(path)]
    parts = [
        (SURFACE, [spots]),
        (PATHS, [path[:: max(1, len(path) // MOST)] for path in drawn]),
        (ENDS, [path[-1:] for path in drawn]),
        (STARTS, [path[:1] for path in drawn]),
        (MINIMA, [each for each in [_known(minima)] if len(each)]),
    ]
    scores: dict[Camera, float] = {}

    def score(camera: Camera) -> float:
        if camera not in scores:
            shares = TURNED if turn else (1.0,)
            seen = [_seen(field, camera.turned(share * turn), parts) for share in shares]
            scores[camera] = float(np.mean(seen)) - STEEPER * camera.elevation
        return scores[camera]

    tried = [Camera(azimuth, elevation) for elevation, azimuth in product(FEW, AZIMUTHS)]
    tried.sort(key=score, reverse=True)
    azimuths = list(dict.fromkeys(camera.azimuth for camera in tried))[:BEST]
    tried = [Camera(azimuth, elevation) for elevation, azimuth in product(ELEVATIONS, azimuths)]
    best = max(tried, key=score)
    beside = [Camera(best.azimuth + turn, best.elevation) for turn in BETWEEN]
    return max([best, *beside], key=score)


def _seen(
    field: Field, camera: Camera, parts: Sequence[tuple[float, Sequence[NDArray[Any]]]]
) -> float:
    """Return how much of some points is seen, each part by its weight, less what shows below."""
    spots = parts[0][1][0]
    shot = field.shot(camera.fitted(spots, (0, 0, SIDE, SIDE)), (SIDE, SIDE), 1, SLICES)
    every = np.concatenate([points for _, groups in parts for points in groups])
    seen = shot.seen(every, SLACK)
    total, begin = -BELOW * shot.below_share, 0
    for weight, groups in parts:
        shares = []
        for points in groups:
            shares.append(seen[begin : begin + len(points)].mean())
            begin += len(points)
        total += weight * float(np.mean(shares)) if shares else 0.0
    return total


def _known(points: NDArray[Any]) -> NDArray[Any]:
    known: NDArray[Any] = points[np.isfinite(points).all(axis=-1)]
    return known
