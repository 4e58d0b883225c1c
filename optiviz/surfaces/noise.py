"""Gradient noise: any objective with noise added to its gradients."""

from dataclasses import dataclass

import numpy as np

from optiviz.objective import Array, Objective, Stream, pass_on


@dataclass(frozen=True, eq=False)
class GradientNoise:
    """A Stream: an objective, or another stream, with Gaussian noise added to its gradients.

    The noise of a step has standard deviation sigma in each coordinate. It depends only on
    (seed, step), wherever and however often the gradient is evaluated, so that all optimizers and
    runs get the same noise.
    """

    objective: Objective | Stream
    sigma: float
    seed: int = 0

    def __post_init__(self) -> None:
        pass_on(self.objective, self)

    @property
    def dim(self) -> int:
        """Number of coordinates of a point."""
        return self.objective.dim

    def at(self, step: int) -> "NoisyObjective":
        """Return the objective of step number `step`."""
        here = self.objective.at(step) if isinstance(self.objective, Stream) else self.objective
        return NoisyObjective(here, self.sigma * standard_noise(self.seed, step, self.dim))


def standard_noise(seed: int, step: int, dim: int) -> Array:
    """Return the noise of a step of standard deviation 1, shape (dim,)."""
    return np.random.default_rng([seed, step, 2]).standard_normal(dim)


@dataclass(frozen=True, eq=False)
class NoisyObjective:
    """An objective with a constant vector added to its gradient; its values are exact."""

    objective: Objective
    noise: Array  # (dim,)

    def __post_init__(self) -> None:
        pass_on(self.objective, self)
        if (smooth := getattr(self.objective, "smooth", None)) is not None:
            object.__setattr__(self, "smooth", NoisyObjective(smooth, self.noise))

    @property
    def dim(self) -> int:
        """Number of coordinates of a point."""
        return self.objective.dim

    def value(self, x: Array) -> Array:
        """Return f(x), shape (...)."""
        return self.objective.value(x)

    def gradient(self, x: Array) -> Array:
        """Return df/dx with the noise, shape (..., dim)."""
        return self.objective.gradient(x) + self.noise

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return value and gradient."""
        value, gradient = self.objective.value_and_gradient(x)
        return value, gradient + self.noise
