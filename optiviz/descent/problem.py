"""Problems: what optimizers descend, and how that is drawn on a surface."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple, cast

import numpy as np

from optiviz.descent.trajectory import Trajectory
from optiviz.objective import Array, Objective, Stream, SumOfSquares, pass_on
from optiviz.registry import NoiseKind
from optiviz.surfaces.batches import Residuals, SampleBatches
from optiviz.surfaces.domain import Point
from optiviz.surfaces.fit import Fit
from optiviz.surfaces.noise import with_noise
from optiviz.surfaces.origins import FitOrigin
from optiviz.surfaces.surface import Surface


def feasible(surface: Surface, x: Array) -> Array:
    """Return points, shape (..., dim), or the nearest ones that satisfy a surface's constraints."""
    return x if surface.feasible_set is None else surface.feasible_set.project(x)


class RateGrid(NamedTuple):
    """The learning rates to try where runs are too expensive to search for a grid."""

    rates: Array  # increasing
    steps: int  # at most this many steps per run
    starts: int  # at most this many starting points


class Problem(ABC):
    """What optimizers descend on a surface. Data are loaded only for an objective.

    columns are the names of the numbers that its paths have besides point and loss.
    """

    columns: tuple[str, ...] = ()
    rates: RateGrid | None = None  # None: `tune` chooses a grid
    has_samples = False  # whether it can be descended in batches
    is_random = False  # whether steps depend on a seed even without batches or noise

    def __init__(self, surface: Surface) -> None:
        self.surface = surface

    @property
    def in_plane(self) -> bool:
        """Whether the coordinates that are drawn are all there are.

        Then there is a window.
        """
        return True

    @property
    def box(self) -> Array | None:
        """The interval of each coordinate of the objective, shape (dim, 2), in which paths are.

        None if it has none, and so many coordinates that runs are not walked as arrays.
        """
        return np.array(self.surface.window.intervals)

    @abstractmethod
    def without_noise(self, batch_size: int | None, seed: int) -> Objective | Stream:
        """Return the objective without noise; raise InputError if the batch is too large."""

    def objective(
        self,
        batch_size: int | None = None,
        noise: float = 0.0,
        seed: int = 0,
        noise_kind: NoiseKind = "gaussian",
    ) -> Objective | Stream:
        """Return what every optimizer descends: an objective, or a stream of batches and noise.

        noise is the SIGMA of a kind in NOISE_KINDS: the standard deviation of the noise added to
        each coordinate of a gradient, if it is Gaussian. Raises InputError if the batch is too
        large.
        """
        return with_noise(self.without_noise(batch_size, seed), noise, seed, noise_kind)

    @cached_property
    def true_objective(self) -> Objective:
        """The objective of all samples, without noise, at which paths are judged."""
        met = self.without_noise(None, 0)
        return met.full_batch if isinstance(met, Stream) else met  # type: ignore[attr-defined]

    @property
    def offered(self) -> object:
        """What offers what methods may need, beside its protocol, without loading data."""
        return self.surface

    def hessian(self, x: Array) -> Array | None:
        """Return the second derivatives of the true objective at x of shape (dim,).

        None if only products are known, those of `hessian_product`.
        """
        found = getattr(self.true_objective, "hessian", None)
        return None if found is None else np.asarray(found(x))

    def hessian_product(self, x: Array, v: Array) -> Array:
        """Return the second derivatives at x times v, both of shape (dim,)."""
        return np.asarray(self.true_objective.hessian(x) @ v)  # type: ignore[attr-defined]

    def start(self, point: Point) -> Array:
        """Return the starting point of a run, shape (dim,), for a point that is drawn.

        One that violates constraints is the nearest feasible point.
        """
        return feasible(self.surface, np.array(point, float))

    def project(
        self, paths: Sequence[Trajectory], spectra: bool = False
    ) -> tuple[Surface, list[Trajectory]]:
        """Return the surface and the paths, as they are drawn.

        spectra is whether they need the singular values of their matrices, if there are any.
        """
        return self.surface, list(paths)


class SurfaceObjective:
    """A surface as an objective, which asks once what it is made of."""

    def __init__(self, surface: Surface) -> None:
        pass_on(surface, self)
        made = surface.compiled
        self.dim = surface.dim
        self.value, self.gradient = made.value, made.gradient
        self.value_and_gradient = made.value_and_gradient
        self._surface = surface

    def __reduce__(self) -> tuple[Any, ...]:  # without what was compiled
        return type(self), (self._surface,)


class SurfaceProblem(Problem):
    """A formula or a function: the drawn surface itself is descended."""

    @property
    def has_samples(self) -> bool:  # type: ignore[override]
        return getattr(self.surface, "residuals", None) is not None

    def without_noise(self, batch_size: int | None, seed: int) -> Objective | Stream:
        if batch_size is None:
            return SurfaceObjective(self.surface)
        whole = cast(SumOfSquares, self.surface)
        return SampleBatches(whole, Residuals(whole), batch_size, seed)


class FittedSurface(SurfaceObjective):
    """A surface of a fit as an objective, which offers the residuals of a squared error."""

    def __init__(self, surface: Surface) -> None:
        super().__init__(surface)
        fit = cast(Fit, surface.compiled)
        if fit.is_least_squares:
            self.residuals, self.jacobian = fit.residuals, fit.jacobian


class FitProblem(Problem):
    """A curve is fitted to samples."""

    has_samples = True

    def __init__(self, surface: Surface, origin: FitOrigin) -> None:
        super().__init__(surface)
        self.origin = origin

    @property
    def offered(self) -> object:
        return self.without_noise(None, 0)

    def without_noise(self, batch_size: int | None, seed: int) -> Objective | Stream:
        whole = FittedSurface(self.surface)
        if batch_size is None:
            return whole
        return SampleBatches(whole, self.origin.compiled, batch_size, seed)
