"""Methods that ask for losses alone, and so also work where there is no gradient.

How far they look is measured in the sides of the window, so that the same defaults suit a window of
any size; where there is none, a side is 1.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array, Objective, Stream
from optiviz.optimizers.base import Hyper, Optimizer, hyper, random_numbers, seed_field
from optiviz.shapes import Points, Polygon, Sketch


def sides(objective: Objective | Stream) -> Array | float:
    """Return the sides of the window that an objective offers, shape (dim,); 1 without any."""
    offered: Array | None = getattr(objective, "sides", None)
    return 1.0 if offered is None else offered


def losses_at(objective: Objective, points: Array) -> Array:
    """Return the losses at points (..., dim), shape (..., 1), infinite where one is undefined."""
    losses = objective.value(points)[..., None]
    return np.where(np.isnan(losses), np.inf, losses)


def best_of(objective: Objective, points: Array) -> Array:
    """Return the lowest of points (..., n, dim), of equal ones the first, shape (..., dim)."""
    best = losses_at(objective, points).argmin(axis=-2)
    found: Array = np.take_along_axis(points, best[..., None], axis=-2)[..., 0, :]
    return found


def per_point(hyperparameter: Hyper) -> Array:
    """Return a hyperparameter of runs for arrays of several points per run."""
    return np.asarray(hyperparameter, float)[..., None]


class RandomSearchState(NamedTuple):
    """State of random search."""

    tried: Array  # (..., candidates, dim)
    step: int  # steps taken


@dataclass(frozen=True, eq=False, kw_only=True)
class RandomSearch(Optimizer):
    """Random search: the best of several points around the best one so far.

        y <- x + spread * w * z                     for each candidate; z ~ N(0, I)
        x <- x_best of x and all y

    Paper: Matyas, Random Optimization, 1965.

    w are the sides of the window.
    """

    uses_gradient = False

    candidates: int = hyper(8, help="points that are tried per step", within="[1, 10000]")
    spread: Hyper = hyper(
        0.05,
        help="standard deviation of the points, as a fraction of the window",
        within="(0, inf)",
    )
    seed: int = seed_field()

    def init(self, x: Array) -> RandomSearchState:
        return RandomSearchState(np.repeat(x[..., None, :], self.candidates, axis=-2), 0)

    def step(
        self, objective: Objective, x: Array, state: RandomSearchState
    ) -> tuple[Array, RandomSearchState]:
        z = random_numbers(self.seed, state.step).standard_normal((self.candidates, x.shape[-1]))
        tried = x[..., None, :] + per_point(self.spread) * sides(objective) * z
        both = np.concatenate([x[..., None, :], tried], axis=-2)
        return best_of(objective, both), RandomSearchState(tried, state.step + 1)

    def sketch(self, state: RandomSearchState) -> Sketch:
        return (Points(state.tried, "tried"),)


class AnnealingState(NamedTuple):
    """State of simulated annealing."""

    tried: Array  # (..., 1, dim)
    accepted: Array  # (..., 1, dim), what was tried; nan if it was rejected
    temperature: Hyper  # of the next step
    step: int  # steps taken


@dataclass(frozen=True, eq=False, kw_only=True)
class SimulatedAnnealing(Optimizer):
    """Simulated annealing: steps at random, also uphill, but ever less as it gets colder.

        y <- x + spread * w * z                     z ~ N(0, I)
        x <- x, or y if f(y) - f(x) <= -T * log(u)  u ~ U(0, 1): with probability e^(-(f(y)-f(x))/T)
        T <- cooling * T

    Paper: Kirkpatrick, Gelatt and Vecchi, Optimization by Simulated Annealing, 1983; the rule of
    acceptance: Metropolis et al., 1953.

    w are the sides of the window. The path is that of the present point, not of the best one.
    """

    uses_gradient = False

    temperature: Hyper = hyper(1.0, help="increase of the loss that is accepted one time in e")
    cooling: Hyper = hyper(0.95, help="factor of the temperature per step", within="[0, 1]")
    spread: Hyper = hyper(
        0.05, help="standard deviation of a step, as a fraction of the window", within="(0, inf)"
    )
    seed: int = seed_field()

    def init(self, x: Array) -> AnnealingState:
        nowhere = np.full_like(x, np.nan)[..., None, :]
        return AnnealingState(x[..., None, :], nowhere, self.temperature, 0)

    def step(
        self, objective: Objective, x: Array, state: AnnealingState
    ) -> tuple[Array, AnnealingState]:
        numbers = random_numbers(self.seed, state.step)
        y = x + self.spread * sides(objective) * numbers.standard_normal(x.shape[-1])
        allowed = -state.temperature * np.log(1 - numbers.random())
        accepted = (objective.value(y) - objective.value(x))[..., None] <= allowed
        after = AnnealingState(
            y[..., None, :],
            np.where(accepted, y, np.nan)[..., None, :],
            self.cooling * state.temperature,
            state.step + 1,
        )
        return np.where(accepted, y, x), after

    def sketch(self, state: AnnealingState) -> Sketch:
        return Points(state.tried, "tried"), Points(state.accepted, "accepted")


def scattered(
    objective: Objective, x: Array, spread: Hyper, many: int, numbers: np.random.Generator
) -> Array:
    """Return x and random points around it, in all `many` points, shape (..., many, dim).

    They are uniform in the box with x in its middle that reaches `spread` sides of the window to
    each side.
    """
    away = numbers.uniform(-1, 1, (many, x.shape[-1]))
    away[0] = 0
    return x[..., None, :] + per_point(spread) * sides(objective) * away


class SwarmState(NamedTuple):
    """State of a particle swarm, each of whose arrays has shape (..., popsize, dim)."""

    particles: Array
    velocities: Array
    bests: Array  # the best point that each particle has seen
    step: int  # steps taken


@dataclass(frozen=True, eq=False, kw_only=True)
class ParticleSwarm(Optimizer):
    """Particle swarm: particles fly on, drawn to the best point they have seen, and to all's best.

        v <- inertia * v + cognitive * r * (p - y) + social * s * (x - y)       r, s ~ U(0, 1)^dim
        y <- y + v                                  for each particle; p <- y if it is lower
        x <- x_best of x and all p

    Paper: Kennedy and Eberhart, Particle Swarm Optimization, 1995; the defaults are those of
    Clerc and Kennedy, The Particle Swarm, 2002: a constriction of 0.7298, with 2.05 for both.

    The first step places the swarm at rest around the start. The path is that of the best point.
    """

    uses_gradient = False

    popsize: int = hyper(20, help="number of particles", within="[2, 10000]")
    inertia: Hyper = hyper(0.7298, help="fraction of the velocity that is kept")
    cognitive: Hyper = hyper(1.49618, help="attraction to the best point of the particle")
    social: Hyper = hyper(1.49618, help="attraction to the best point of all")
    spread: Hyper = hyper(
        0.25, help="reach of the first swarm, as a fraction of the window", within="(0, inf)"
    )
    seed: int = seed_field()

    def init(self, x: Array) -> SwarmState:
        swarm = np.repeat(x[..., None, :], self.popsize, axis=-2)
        return SwarmState(swarm, np.zeros_like(swarm), swarm, 0)

    def step(self, objective: Objective, x: Array, state: SwarmState) -> tuple[Array, SwarmState]:
        numbers = random_numbers(self.seed, state.step)
        y, v, p, step = state
        if step == 0:
            y = p = scattered(objective, x, self.spread, self.popsize, numbers)
        else:
            r, s = numbers.random((2, *y.shape[-2:]))
            own = per_point(self.cognitive) * r * (p - y)
            v = per_point(self.inertia) * v + own
            v = v + per_point(self.social) * s * (x[..., None, :] - y)
            y = y + v
            p = np.where(losses_at(objective, y) < losses_at(objective, p), y, p)
        best = best_of(objective, np.concatenate([x[..., None, :], p], axis=-2))
        return best, SwarmState(y, v, p, step + 1)

    def sketch(self, state: SwarmState) -> Sketch:
        return (Points(state.particles, "population"),)


class EvolutionState(NamedTuple):
    """State of differential evolution, each of whose arrays has shape (..., popsize, dim)."""

    population: Array
    tried: Array  # the trial points of the step, nan before there are any
    step: int  # steps taken


@dataclass(frozen=True, eq=False, kw_only=True)
class DifferentialEvolution(Optimizer):
    """Differential evolution: members move by differences of others, if that is lower (rand/1/bin).

        v <- a + mutation * (b - c)                 for each member y; a, b, c are three others
        u <- v in one coordinate, and in others with probability recombination; else y
        y <- u if f(u) <= f(y)
        x <- x_best of x and all y

    Paper: Storn and Price, Differential Evolution, 1997, sections 2 and 3.

    The first step places the population around the start. The path is that of the best point.
    """

    uses_gradient = False

    popsize: int = hyper(20, help="number of members", within="[4, 10000]")
    mutation: Hyper = hyper(0.5, help="weight of the difference, F in the paper", within="[0, 2]")
    recombination: Hyper = hyper(
        0.9, help="probability of each new coordinate, CR in the paper", within="[0, 1]"
    )
    spread: Hyper = hyper(
        0.25, help="reach of the first population, as a fraction of the window", within="(0, inf)"
    )
    seed: int = seed_field()

    def init(self, x: Array) -> EvolutionState:
        everyone = np.repeat(x[..., None, :], self.popsize, axis=-2)
        return EvolutionState(everyone, np.full_like(everyone, np.nan), 0)

    def step(
        self, objective: Objective, x: Array, state: EvolutionState
    ) -> tuple[Array, EvolutionState]:
        numbers = random_numbers(self.seed, state.step)
        y, u, step = state
        many, dim = y.shape[-2:]
        if step == 0:
            y = scattered(objective, x, self.spread, many, numbers)
        else:
            order = numbers.random((many, many))
            np.fill_diagonal(order, 1)  # comes last
            a, b, c = np.moveaxis(y[..., order.argsort(axis=1)[:, :3], :], -2, 0)
            v = a + per_point(self.mutation) * (b - c)
            crossed = numbers.random((many, dim)) < per_point(self.recombination)
            crossed |= np.arange(dim) == numbers.integers(dim, size=(many, 1))
            u = np.where(crossed, v, y)
            y = np.where(losses_at(objective, u) <= losses_at(objective, y), u, y)
        best = best_of(objective, np.concatenate([x[..., None, :], y], axis=-2))
        return best, EvolutionState(y, u, step + 1)

    def sketch(self, state: EvolutionState) -> Sketch:
        return Points(state.population, "population"), Points(state.tried, "tried")


def one_of(points: Array, chosen: NDArray[np.intp]) -> Array:
    """Return the chosen ones, shape (..., 1, dim), of points (..., n, dim); chosen is (..., 1)."""
    found: Array = np.take_along_axis(points, chosen[..., None], axis=-2)
    return found


def ordered(objective: Objective, points: Array) -> tuple[Array, Array]:
    """Return points (..., n, dim) from the lowest to the highest, and their losses, (..., n)."""
    losses = objective.value(points)
    order = losses.argsort(axis=-1, kind="stable")
    return (
        np.take_along_axis(points, order[..., None], axis=-2),
        np.take_along_axis(losses, order, axis=-1),
    )


class SimplexState(NamedTuple):
    """State of the simplex method."""

    simplex: Array  # (..., dim + 1, dim), the best corner first, which is x
    reflected: Array  # (..., 1, dim), the first point that was tried; nan if none
    second: Array  # (..., 1, dim), the second one; nan if none
    step: int  # steps taken


@dataclass(frozen=True, eq=False, kw_only=True)
class NelderMead(Optimizer):
    """A simplex whose worst corner moves over the others: a triangle in two dimensions.

        m <- mean of all corners but the worst, w
        w <- m + t * (m - w)                        t = 1: reflects; 2: expands; ±1/2: contracts
        y <- y + (x_best - y) / 2                   for all corners, if no w is low: shrinks
        x <- x_best of the simplex

    Paper: Nelder and Mead, A Simplex Method for Function Minimization, 1965; adaptive: Gao and
    Han, Implementing the Nelder-Mead simplex algorithm with adaptive parameters, 2012.

    The same as scipy.optimize.minimize(method="Nelder-Mead"). A simplex that has converged stays.
    The first one is scipy's, as wide as 5 % of each coordinate of the start, unless spread is
    positive. The path is that of the best corner.
    """

    uses_gradient = False

    spread: Hyper = hyper(0.0, help="width of the first simplex, as a fraction of the window")
    xatol: Hyper = hyper(1e-4, help="size of the simplex at convergence")
    fatol: Hyper = hyper(1e-4, help="largest difference of losses at convergence")
    adaptive: bool = hyper(False, help="adapt the moves to the number of dimensions")

    def init(self, x: Array) -> SimplexState:
        nowhere = np.full_like(x, np.nan)[..., None, :]
        simplex = np.repeat(x[..., None, :], x.shape[-1] + 1, axis=-2)
        return SimplexState(simplex, nowhere, nowhere, 0)

    def first(self, objective: Objective | Stream, x: Array) -> Array:
        """Return the first simplex, of x and a corner along each axis, (..., dim + 1, dim)."""
        usual = np.where(x != 0, (1 + 0.05) * x, 0.00025)  # scipy's
        corners = np.where(np.asarray(self.spread) > 0, x + self.spread * sides(objective), usual)
        along = np.eye(x.shape[-1], dtype=bool)
        moved = np.where(along, corners[..., None, :], x[..., None, :])
        return np.concatenate([x[..., None, :], moved], axis=-2)

    def step(
        self, objective: Objective, x: Array, state: SimplexState
    ) -> tuple[Array, SimplexState]:
        if state.step == 0:
            simplex = self.first(objective, x)
        else:
            simplex = np.concatenate([x[..., None, :], state.simplex[..., 1:, :]], axis=-2)
        simplex, losses = ordered(objective, simplex)
        best, second, worst = (losses[..., place, None] for place in (0, -2, -1))
        apart = np.abs(simplex[..., 1:, :] - simplex[..., :1, :]).max(axis=(-2, -1))[..., None]
        drop = np.abs(losses[..., 1:] - best).max(axis=-1)[..., None]
        converged = ((apart <= self.xatol) & (drop <= self.fatol))[..., None]

        dim = x.shape[-1]
        chi, psi, sigma = 2.0, 0.5, 0.5
        if self.adaptive:
            chi, psi, sigma = 1 + 2 / dim, 0.75 - 1 / (2 * dim), 1 - 1 / dim
        middle, last = simplex[..., :-1, :].sum(axis=-2) / dim, simplex[..., -1, :]
        points = np.stack(
            [(1 + t) * middle - t * last for t in (1.0, chi, psi, -psi)], axis=-2
        )  # reflected, expanded, contracted to the outside and to the inside
        reflected = objective.value(points[..., :1, :])
        far = reflected < best
        near = ~far & (reflected < second)
        out = ~far & ~near & (reflected < worst)
        looked = np.where(far, 1, np.where(near, 0, np.where(out, 2, 3)))
        tried = objective.value(one_of(points, looked))  # again the reflected one, where near
        chosen = np.where(far & ~(tried < reflected), 0, looked)
        enough = far | near | np.where(out, tried <= reflected, tried < worst)

        replaced = np.concatenate([simplex[..., :-1, :], one_of(points, chosen)], axis=-2)
        shrunk = simplex[..., :1, :] + sigma * (simplex - simplex[..., :1, :])
        moved = np.where(enough[..., None], replaced, shrunk)
        simplex, _ = ordered(objective, np.where(converged, simplex, moved))
        again = ~converged & (looked > 0)[..., None]
        return simplex[..., 0, :], SimplexState(
            simplex,
            np.where(converged, np.nan, points[..., :1, :]),
            np.where(again, one_of(points, looked), np.nan),
            state.step + 1,
        )

    def first_sketch(self, objective: Objective | Stream, x: Array) -> Sketch:
        return (Polygon(self.first(objective, x), "population"),)

    def sketch(self, state: SimplexState) -> Sketch:
        return (
            Polygon(state.simplex, "population"),
            Points(state.reflected, "tried"),
            Points(state.second, "tried"),
        )
