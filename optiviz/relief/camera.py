"""The camera: where points of the world are in a picture.

The world is a box: u and v lie within its sides, and w, the height, points upwards. The camera is a
shift lens, as architects use it: it looks straight ahead and is shifted instead of being tilted, so
that uprights stay upright and straight lines straight. With the azimuth a, the elevation e and the
strength q of the perspective,

    X = v cos a - u sin a            to the right
    Y = -(u cos a + v sin a)         away from the camera
    t = scale / (1 + q Y)            nearer things are larger
    x = x0 + X t
    y = y0 + (w cos e + Y sin e) t

so that a column of the picture, in which x is constant, shows a vertical plane of the world.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PERSPECTIVE = 0.28  # q; 0 would be a parallel projection


class Projected(NamedTuple):
    """Points in a picture: x to the right and y upwards, and their depth Y in the world."""

    x: Floats
    y: Floats
    depth: Floats


@dataclass(frozen=True)
class Camera:
    """A camera, and the scale and the place of the world in its picture.

    azimuth, in degrees, is the direction from the middle of the box to the camera,
    counter-clockwise from the u axis; elevation is how far above the ground it is, from 0 to 90.
    scale is the length of a unit of the world at the middle of the box, and x and y are where the
    middle of its ground is, all in the units of the picture.
    """

    azimuth: float
    elevation: float
    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0

    @property
    def right(self) -> Floats:
        """The unit vector (u, v) to the right."""
        angle = np.radians(self.azimuth)
        return np.array([-np.sin(angle), np.cos(angle)])

    @property
    def away(self) -> Floats:
        """The unit vector (u, v) away from the camera."""
        angle = np.radians(self.azimuth)
        return np.array([-np.cos(angle), -np.sin(angle)])

    @property
    def rise(self) -> tuple[float, float]:
        """How far up in the picture a unit of height is, and one of depth."""
        angle = np.radians(self.elevation)
        return float(np.cos(angle)), float(np.sin(angle))

    def project(self, points: NDArray[Any]) -> Projected:
        """Return where points (u, v, w), of shape (..., 3), are in the picture."""
        ground, height = points[..., :2], points[..., 2]
        depth = ground @ self.away
        size = self.scale / (1 + PERSPECTIVE * depth)
        by_height, by_depth = self.rise
        x = self.x + (ground @ self.right) * size
        return Projected(x, self.y + (height * by_height + depth * by_depth) * size, depth)

    def places(self, points: NDArray[Any]) -> Floats:
        """Return where points (u, v, w), of shape (..., 3), are in the picture, shape (..., 2)."""
        return np.stack(self.project(points)[:2], axis=-1)

    def turned(self, degrees: float) -> Self:
        """Return the camera after it has gone around the box, counter-clockwise."""
        return replace(self, azimuth=self.azimuth + degrees)

    def magnified(self, factor: float) -> Self:
        """Return the camera for a picture with more units, such as pixels, by a factor."""
        return replace(self, scale=self.scale * factor, x=self.x * factor, y=self.y * factor)

    def fitted(
        self,
        points: NDArray[Any],
        box: tuple[float, float, float, float],
        turns: Sequence[float] = (0.0,),
    ) -> Self:
        """Return the camera that shows points as large as possible in the middle of a box.

        points has shape (n, 3), box is (left, bottom, width, height), and turns are angles by which
        the camera will be turned, all of which fit.
        """
        unit = replace(self, scale=1.0, x=0.0, y=0.0)
        seen = [unit.turned(degrees).project(points) for degrees in turns]
        x, y = (np.concatenate([getattr(each, axis) for each in seen]) for axis in "xy")
        left, bottom, width, height = box
        scale = min(width / np.ptp(x), height / np.ptp(y))
        return replace(
            self,
            scale=float(scale),
            x=float(left + width / 2 - scale * (x.min() + x.max()) / 2),
            y=float(bottom + height / 2 - scale * (y.min() + y.max()) / 2),
        )
