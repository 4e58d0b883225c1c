"""CMA-ES, as implemented by pycma."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from optiviz.objective import Array, Objective, Stream
from optiviz.optimizers.base import Hyper, Solver, hyper
from optiviz.optimizers.gradient_free import losses_at, sides
from optiviz.shapes import Ellipse, Points, Sketch
from optiviz.system.errors import InputError, require_package


class DistributionState(NamedTuple):
    """State of CMA-ES: what the step has drawn, and the distribution that it led to."""

    population: Array  # (popsize, dim)
    center: Array  # (dim,), which is x
    covariance: Array  # (dim, dim), of the distribution: the square of sigma is in it
    sigma: float


@dataclass(frozen=True, eq=False, kw_only=True)
class CMAES(Solver):
    """CMA-ES: draws points, and moves and shapes the distribution towards the best of them.

        y ~ N(x, sigma^2 * C)                       popsize points
        x <- x + sum of weights * (y - x)           over the better half, the best one most
        C, sigma <- those under which such steps, and the path of x, are likelier

    Paper: Hansen and Ostermeier, Completely Derandomized Self-Adaptation in Evolution Strategies,
    2001; Hansen, The CMA Evolution Strategy: A Tutorial, 2016.

    Runs pycma's CMAEvolutionStrategy(x, spread, {"CMA_stds": w, "seed": seed}), where w are the
    sides of the window; a seed of 0, which pycma replaces by the time, is numpy's. The path is that
    of the mean. It needs two coordinates or more.
    """

    uses_gradient = False

    spread: Hyper = hyper(0.15, help="first sigma, as a fraction of the window", within="(0, inf)")
    popsize: int = hyper(
        0,
        help="points per step, from 2; 0: 4 + 3 log dim, 6 in two dimensions",
        within="[0, 10000]",
    )
    seed: int = hyper(0, help="seed of its random numbers", within="[0, 4294967295]")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.popsize == 1:
            raise InputError("popsize must be 0 or at least 2, not 1")

    def run(
        self, objective: Objective | Stream, x: Array, steps: int
    ) -> Iterator[tuple[Array, DistributionState]]:
        if len(x) < 2:
            raise InputError("cma-es needs two coordinates or more, but there is one")
        with require_package("cma-es", "pycma", "optiviz-cli[cma]"):
            from cma import CMAEvolutionStrategy

        options: dict[str, Any] = {
            "randn": np.random.RandomState(self.seed).randn,  # pycma would seed that of all numpy
            "seed": np.nan,
            "CMA_stds": sides(objective) * np.ones(len(x)),
            "verbose": -10,  # neither says anything nor reads options from a file
            "verb_log": 0,
        }
        if self.popsize:
            options["popsize"] = self.popsize
        strategy = CMAEvolutionStrategy(x, self.spread, options)
        for step in range(steps):
            if strategy.stop():
                return
            here = objective.at(step) if isinstance(objective, Stream) else objective
            population = np.array(strategy.ask())
            strategy.tell(list(population), losses_at(here, population)[:, 0].tolist())
            center, sigma = np.array(strategy.mean), float(strategy.sigma)
            scale = sigma * strategy.sigma_vec * np.ones(len(x))
            covariance = scale[:, None] * strategy.sm.covariance_matrix * scale
            yield center, DistributionState(population, center, covariance, sigma)

    def first_sketch(self, objective: Objective | Stream, x: Array) -> Sketch:
        deviations = self.spread * sides(objective) * np.ones(len(x))
        return (Ellipse(x, np.diag(deviations**2), "population"),)

    def sketch(self, state: DistributionState) -> Sketch:
        return (
            Points(state.population, "population"),
            Ellipse(state.center, state.covariance, "population"),
        )
