"""Classical baselines, as implemented by scipy: one recorded point per iteration.

They choose the length of each step themselves, so there is no learning rate. A solver that has
converged stays where it is.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from optiviz.objective import Array, Objective, Stream
from optiviz.optimizers.base import Hyper, Solver, hyper
from optiviz.optimizers.momentum import NoState
from optiviz.system.errors import require_package


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
        passed: list[Array] = []
        options = {"maxiter": steps, **self.hyperparameters()}
        with warnings.catch_warnings(action="ignore"):
            minimize(
                lambda x: float(here.value(x)),
                x,
                jac=here.gradient if self.uses_gradient else None,
                method=self.method,
                callback=lambda xk: passed.append(xk.copy()),
                options=options,
            )
        for point in passed:
            yield point, NoState()


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
class NelderMead(Scipy):
    """A simplex that reflects its worst corner, expands and shrinks. It needs no gradient.

        x <- x_best of the simplex                  after it reflects, expands, contracts or shrinks

    Paper: Nelder and Mead, A Simplex Method for Function Minimization, 1965.

    Runs scipy.optimize.minimize(method="Nelder-Mead"). The path is that of the best corner.
    """

    method = "Nelder-Mead"
    uses_gradient = False
    xatol: Hyper = hyper(1e-4, help="size of the simplex at convergence")
    fatol: Hyper = hyper(1e-4, help="largest difference of losses at convergence")
    adaptive: bool = hyper(False, help="adapt the moves to the number of dimensions")
