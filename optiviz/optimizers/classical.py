"""Classical baselines, as implemented by scipy: one recorded point per iteration.

They choose the length of each step themselves, so there is no learning rate. A solver that has
converged stays where it is.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from optiviz.objective import Array, Objective, Stream
from optiviz.optimizers.base import Hyper, Solver, hyper
from optiviz.shapes import Points, Sketch
from optiviz.system.errors import require_package


class Tried(NamedTuple):
    """What a step of scipy evaluated."""

    tried: Array  # (n, dim)


@dataclass(frozen=True, eq=False, kw_only=True)
class Scipy(Solver):
    """A method of scipy.optimize.minimize; its fields are the options of that method."""

    method: ClassVar[str]
    needs_fixed_objective: ClassVar[bool] = True
    uses_gradient: ClassVar[bool] = True

    def run(
        self, objective: Objective | Stream, x: Array, steps: int
    ) -> Iterator[tuple[Array, Any]]:
        with require_package(self.method, "scipy", "optiviz-cli[scipy]"):
            from scipy.optimize import minimize

        here = objective.at(0) if isinstance(objective, Stream) else objective
        tried: list[Array] = []
        passed: list[tuple[Array, Tried]] = []

        def value(x: Array) -> float:
            if self.has_sketch:
                tried.append(x.copy())
            return float(here.value(x))

        def keep(xk: Array) -> None:
            passed.append((xk.copy(), Tried(np.array(tried))))
            tried.clear()

        options = {"maxiter": steps, **self.hyperparameters()}
        with warnings.catch_warnings(action="ignore"):
            minimize(
                value,
                x,
                jac=here.gradient if self.uses_gradient else None,
                method=self.method,
                callback=keep,
                options=options,
            )
        yield from passed


@dataclass(frozen=True, eq=False, kw_only=True)
class BFGS(Scipy):
    """Quasi-Newton: a matrix approximates second derivatives from changes of the gradient.

        p <- -H * g
        x <- x + a * p                              a from a line search (strong Wolfe)
        s, y <- changes of x and g
        H <- (I - s y' / y's) H (I - y s' / y's) + s s' / y's

    Paper: Broyden; Fletcher; Goldfarb; Shanno, all 1970; Nocedal and Wright, Numerical
    Optimization, 2006, algorithm 6.1.

    Runs scipy.optimize.minimize(method="BFGS").
    """

    method = "BFGS"
    gtol: Hyper = hyper(1e-5, help="largest gradient component at convergence")


@dataclass(frozen=True, eq=False, kw_only=True)
class LBFGS(Scipy):
    """BFGS that keeps only the last few changes instead of a matrix.

        p <- -H * g                                 H from the last maxcor changes of x and g
        x <- x + a * p                              a from a line search (strong Wolfe)

    Paper: Liu and Nocedal, On the limited memory BFGS method for large scale optimization, 1989;
    Nocedal and Wright, Numerical Optimization, 2006, algorithm 7.5.

    Runs scipy.optimize.minimize(method="L-BFGS-B") without bounds.
    """

    method = "L-BFGS-B"
    maxcor: int = hyper(10, help="number of changes that are kept", within="[1, 1000]")
    ftol: Hyper = hyper(
        2.220446049250313e-9, help="largest relative decrease of the loss at convergence"
    )
    gtol: Hyper = hyper(1e-5, help="largest gradient component at convergence")


@dataclass(frozen=True, eq=False, kw_only=True)
class ConjugateGradient(Scipy):
    """Conjugate directions: each keeps a fraction of the last and does not undo its progress.

        b <- max(0, g'(g - last g) / (last g)'(last g))
        p <- -g + b * p
        x <- x + a * p                              a from a line search (strong Wolfe)

    Paper: Polak and Ribiere, 1969; Nocedal and Wright, Numerical Optimization, 2006, section 5.2.

    Runs scipy.optimize.minimize(method="CG").
    """

    method = "CG"
    gtol: Hyper = hyper(1e-5, help="largest gradient component at convergence")


@dataclass(frozen=True, eq=False, kw_only=True)
class Powell(Scipy):
    """Powell's method: a line search along each of dim directions, which become conjugate.

        x <- x + a * p                              for each p; a minimises f along the line
        p <- change of x in all, for the p of the largest decrease, if that helps

    Paper: Powell, An efficient method for finding the minimum of a function of several variables
    without calculating derivatives, 1964; Press et al., Numerical Recipes, 2007, section 10.7.

    Runs scipy.optimize.minimize(method="Powell"). Its points tell the lines that it searches.
    """

    method = "Powell"
    uses_gradient = False
    xtol: Hyper = hyper(1e-4, help="largest relative change of x at convergence")
    ftol: Hyper = hyper(1e-4, help="largest relative change of the loss at convergence")

    def sketch(self, state: Tried) -> Sketch:
        return (Points(state.tried, "tried"),)
