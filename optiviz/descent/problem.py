"""What is descended, and how that is shown: the one contract that a surface stands behind."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from optiviz.descent.trajectory import Trajectory
from optiviz.objective import Array, Objective, Stream
from optiviz.surfaces.domain import Point
from optiviz.surfaces.noise import GradientNoise
from optiviz.surfaces.surface import Surface


class RateGrid(NamedTuple):
    """The learning rates that are tried where runs cost too much to seek a grid for them."""

    rates: Array  # rising
    steps: int  # that are walked at most
    starts: int  # that are walked from at most


class Problem(ABC):
    """What optimizers descend on a surface. It loads no data before it is asked for an objective.

    columns are the numbers that its paths have beside point and loss.
    """

    columns: tuple[str, ...] = ()
    rates: RateGrid | None = None  # None: a grid is sought, as `tune` says
    has_samples = False  # whether there are batches of them
    is_random = False  # whether its steps depend on a seed without batches or noise

    def __init__(self, surface: Surface) -> None:
        self.surface = surface

    @property
    def in_plane(self) -> bool:
        """Whether the coordinates that are drawn are all that is descended.

        Then points are small: whole arrays of runs are walked at once, and have a window.
        """
        return True

    @abstractmethod
    def without_noise(self, batch_size: int | None, seed: int) -> Objective | Stream:
        """Return what is met without noise; InputError for more in a batch than there is."""

    def objective(
        self, batch_size: int | None = None, noise: float = 0.0, seed: int = 0
    ) -> Objective | Stream:
        """Return what every optimizer meets: an objective, or a stream of batches and noise.

        noise is the standard deviation of what is added to each coordinate of a gradient.
        """
        met = self.without_noise(batch_size, seed)
        return GradientNoise(met, noise, seed) if noise else met

    def start(self, point: Point) -> Array:
        """Return the point that a run begins at, shape (dim,), for one that is drawn."""
        return np.array(point, float)

    def project(self, paths: Sequence[Trajectory]) -> tuple[Surface, list[Trajectory]]:
        """Return the surface and the paths as they are drawn."""
        return self.surface, list(paths)


class SurfaceProblem(Problem):
    """A formula or a function: what is drawn is what is descended."""

    def without_noise(self, batch_size: int | None, seed: int) -> Objective:
        return self.surface
