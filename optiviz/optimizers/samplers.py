"""Samplers: methods whose points are draws from the density exp(-f / T), up to a constant.

Their random numbers depend only on (seed, step), and are the same for all runs of an array, so
independent chains need seeds of their own. Bayesians sample a posterior in this way: f is then its
negative logarithm, and T is 1.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from optiviz.objective import Array, Objective
from optiviz.optimizers.base import Hyper, Optimizer, hyper, random_numbers, seed_field
from optiviz.shapes import Points, Segment, Sketch

DRAWN = 4096  # numbers that are drawn at once, since a generator takes longer to make than to use


@dataclass(frozen=True, eq=False, kw_only=True)
class Sampler(Optimizer):
    """A method whose points are draws from the density exp(-f / temperature)."""

    temperature: Hyper

    @property
    def sampled_temperature(self) -> float | None:
        number = isinstance(self.temperature, int | float)
        return float(self.temperature) if number else None


class Chain(NamedTuple):
    """State of Langevin dynamics."""

    sample: Array  # (..., dim), the last draw
    step: int  # steps taken


@dataclass(frozen=True, eq=False, kw_only=True)
class Langevin(Sampler):
    """Langevin dynamics: gradient descent with as much noise as makes its points a distribution.

        x <- x - lr * g + sqrt(2 * lr * T) * xi     xi standard normal

    Paper: Roberts and Tweedie, Exponential convergence of Langevin distributions and their
    discrete approximations, 1996, the unadjusted algorithm; Welling and Teh, Bayesian Learning via
    Stochastic Gradient Langevin Dynamics, 2011, with gradients of batches and a falling lr.

    Each step is a sample of exp(-f / T), as exactly as lr is small: on a quadratic, the variance
    along an eigenvector of the Hessian with the eigenvalue h is (T / h) / (1 - lr * h / 2).
    """

    lr: Hyper = hyper(
        0.01, help="time of a step, small beside 2 / the largest curvature", within="(0, inf)"
    )
    temperature: Hyper = hyper(
        1.0, help="temperature T of the density exp(-f / T)", within="(0, inf)"
    )
    seed: int = seed_field()

    def init(self, x: Array) -> Chain:
        return Chain(np.copy(x), 0)

    def step(self, objective: Objective, x: Array, state: Chain) -> tuple[Array, Chain]:
        xi, _ = draws(self.seed, state.step, x.shape[-1])
        x = x - self.lr * objective.gradient(x) + np.sqrt(2 * self.lr * self.temperature) * xi
        return x, Chain(x, state.step + 1)

    def sketch(self, state: Chain) -> Sketch:
        return (Points(state.sample[None], "sample"),)


class LeapfrogState(NamedTuple):
    """State of Hamiltonian Monte Carlo."""

    path: Array  # (..., leapfrog_steps + 1, dim), the way of the last step to what it proposed
    sample: Array  # (..., dim), the last draw: what was proposed, or the one before
    step: int  # steps taken


@dataclass(frozen=True, eq=False, kw_only=True)
class HMC(Sampler):
    """Hamiltonian Monte Carlo: a ball is kicked, rolls without friction, and is kept or not.

        p <- a standard normal kick, q <- x
        repeat leapfrog_steps times:
            p <- p - lr/2 * grad f(q) / T
            q <- q + lr * p
            p <- p - lr/2 * grad f(q) / T
        x <- x or, with probability min(1, exp(H before - H after)), q        H = f(q)/T + p'p/2

    Paper: Duane, Kennedy, Pendleton and Roweth, Hybrid Monte Carlo, 1987; in this form Neal, MCMC
    using Hamiltonian dynamics, 2011, figure 2.

    Each step is a sample of exp(-f / T), whatever lr is, since Metropolis' rule corrects the error
    of the leapfrog; if lr is too large, nothing is accepted.
    """

    lr: Hyper = hyper(
        0.04,
        help="size of a leapfrog step, below 2 / sqrt(the largest curvature / T)",
        within="(0, inf)",
    )
    leapfrog_steps: int = hyper(10, help="number of leapfrog steps", within="[1, 1000]")
    temperature: Hyper = hyper(
        1.0, help="temperature T of the density exp(-f / T)", within="(0, inf)"
    )
    seed: int = seed_field()

    def init(self, x: Array) -> LeapfrogState:
        path = np.repeat(x[..., None, :], self.leapfrog_steps + 1, axis=-2)
        return LeapfrogState(path, np.copy(x), 0)

    def step(
        self, objective: Objective, x: Array, state: LeapfrogState
    ) -> tuple[Array, LeapfrogState]:
        p, u = draws(self.seed, state.step, x.shape[-1])
        value, g = objective.value_and_gradient(x)
        before = self._energy(value, p)
        q, path = x, [x]
        for _ in range(self.leapfrog_steps):
            p = p - self.lr / 2 * g / self.temperature
            q = q + self.lr * p
            value, g = objective.value_and_gradient(q)
            p = p - self.lr / 2 * g / self.temperature
            path.append(q)
        accepted = np.log(u) < before - self._energy(value, p)
        x = np.where(accepted, q, x)
        return x, LeapfrogState(np.stack(path, axis=-2), x, state.step + 1)

    def _energy(self, value: Array, p: Array) -> Array:
        """Return the potential and the kinetic energy, shape (..., 1)."""
        kinetic: Array = (p * p).sum(axis=-1, keepdims=True) / 2
        return value[..., None] / self.temperature + kinetic

    def sketch(self, state: LeapfrogState) -> Sketch:
        end, nowhere = state.path[-1:], np.full_like(state.path[-1:], np.nan)
        kept = bool((end[0] == state.sample).all())
        return (
            Segment(state.path, "tried"),
            Points(nowhere if kept else end, "tried"),
            Points(end if kept else nowhere, "accepted"),
            Points(state.sample[None], "sample"),
        )


def draws(seed: int, step: int, dim: int) -> tuple[Array, float]:
    """Return the random numbers of a step: standard normal ones, (dim,), and a uniform one."""
    many = max(1, DRAWN // dim)
    normal, uniform = _drawn(seed, step // many, dim, many)
    return normal[step % many], float(uniform[step % many])


@lru_cache(maxsize=8)
def _drawn(seed: int, block: int, dim: int, many: int) -> tuple[Array, Array]:
    """Return the random numbers of `many` steps, shapes (many, dim) and (many,)."""
    random = random_numbers(seed, block)
    return random.standard_normal((many, dim)), 1 - random.random(many)
