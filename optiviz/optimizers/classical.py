"""Classical baselines, as implemented by scipy: one recorded point per iteration.

They choose the length of each step themselves, so there is no learning rate. A solver that has
converged stays where it is.
"""

import warnings
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple

import numpy as np

from optiviz.objective import Array, FeasibleSet, Objective, Spent, Stream, scipy_constraints
from optiviz.optimizers.base import IDENTITY, Hyper, Solver, hyper
from optiviz.optimizers.newton import inverse_matrix, solved
from optiviz.shapes import DRAWN, Points, QuadraticModel, Segment, Sketch
from optiviz.system.errors import InputError, require_package


class Tried(NamedTuple):
    """What a step of scipy evaluated."""

    tried: Array  # (n, dim)


@dataclass(frozen=True, eq=False, kw_only=True)
class Scipy(Solver):
    """A method of scipy.optimize.minimize; its fields are the options of that method."""

    method: ClassVar[str]
    needs_fixed_objective: ClassVar[bool] = True

    def run(
        self, objective: Objective | Stream, x: Array, steps: int
    ) -> Iterator[tuple[Array, Any]]:
        with require_package(self.method, "scipy", "optiviz-cli[scipy]"):
            from scipy.optimize import minimize

        here = objective.at(0) if isinstance(objective, Stream) else objective
        allowed: FeasibleSet | None = getattr(here, "feasible_set", None)
        tried: list[Array] = []
        passed: list[tuple[Array, Tried]] = []

        def value(x: Array) -> float:
            if self.has_sketch and x.size <= DRAWN:
                tried.append(x.copy())
            return float(here.value(x))

        def keep(xk: Array) -> None:
            passed.append((xk.copy(), Tried(np.array(tried))))
            tried.clear()

        options = {"maxiter": steps, **self.hyperparameters()}
        with warnings.catch_warnings(action="ignore"), suppress(Spent):
            minimize(
                value,
                x,
                jac=here.gradient if self.uses_gradient else None,
                method=self.method,
                callback=keep,
                options=options,
                **({} if allowed is None else self.limits(allowed)),
            )
        yield from passed

    def limits(self, allowed: FeasibleSet) -> dict[str, Any]:
        """Return a feasible set as arguments of minimize, for a method that respects it."""
        return {}


class Step(NamedTuple):
    """State of a method with a direction: what the last step looked at."""

    point: Array  # (dim,), that the step left
    reached: Array  # (dim,), where it led
    direction: Array  # (dim,), of full length
    value: Array  # ()
    gradient: Array  # (dim,)
    hessian: Array  # (dim, dim), of its model; nan if it has none

    @property
    def recorded(self) -> dict[str, Any]:
        """No numbers are drawn against the step."""
        return {}


class Directed(Scipy):
    """A method whose directions follow from the points and gradients of its path."""

    @abstractmethod
    def steps(self, points: Array, gradients: Array) -> Iterator[tuple[Array, Array]]:
        """Yield the direction of each step, and the Hessian of its model, nan if it has none."""

    def run(
        self, objective: Objective | Stream, x: Array, steps: int
    ) -> Iterator[tuple[Array, Any]]:
        walked = list(super().run(objective, x, steps))
        if len(x) > DRAWN or not walked:
            yield from walked
            return
        here = objective.at(0) if isinstance(objective, Stream) else objective
        points = np.array([x, *(point for point, _ in walked)])
        values, gradients = here.value_and_gradient(points)
        looked_at = self.steps(points, gradients)
        for step, (p, hessian) in enumerate(looked_at):
            after = points[step + 1]
            yield after, Step(points[step], after, p, values[step], gradients[step], hessian)


class QuasiNewton(Directed):
    """A method with a model of the inverse Hessian, from changes s of x and y of the gradient."""

    follows_gradient = True

    @abstractmethod
    def inverse(self, s: Array, y: Array) -> Array:
        """Return the inverse Hessian, (dim, dim), after changes of shape (steps, dim)."""

    def steps(self, points: Array, gradients: Array) -> Iterator[tuple[Array, Array]]:
        s, y = np.diff(points, axis=0), np.diff(gradients, axis=0)
        for step, g in enumerate(gradients[:-1]):
            inverse = self.inverse(s[:step], y[:step])
            hessian = solved(inverse, np.eye(len(g))) if step else np.full_like(inverse, np.nan)
            yield -inverse @ g, hessian

    def sketch(self, state: Step) -> Sketch:
        return (QuadraticModel(state.point, state.value, state.gradient, state.hessian),)

    def preconditioner(self, state: Any) -> Array | None:
        if not isinstance(state, Step):
            return None
        first = np.isnan(state.hessian).all()  # a step against the gradient
        return IDENTITY if first else inverse_matrix(state.hessian)


def updated(inverse: Array, s: Array, y: Array) -> Array:
    """Return an inverse Hessian after an update for each change, as in algorithm 6.1."""
    for moved, changed in zip(s, y, strict=True):
        product = moved @ changed
        rho = 1 / product if product else 1000.0  # as in scipy
        left = np.eye(len(moved)) - rho * np.outer(moved, changed)
        inverse = left @ inverse @ left.T + rho * np.outer(moved, moved)
    return inverse


@dataclass(frozen=True, eq=False, kw_only=True)
class BFGS(QuasiNewton):
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

    def inverse(self, s: Array, y: Array) -> Array:
        return updated(np.eye(s.shape[-1]), s, y)


@dataclass(frozen=True, eq=False, kw_only=True)
class LBFGS(QuasiNewton):
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

    def inverse(self, s: Array, y: Array) -> Array:
        used = (s * y).sum(axis=-1) > 0
        s, y = s[used][-self.maxcor :], y[used][-self.maxcor :]
        scale = (s[-1] @ y[-1]) / (y[-1] @ y[-1]) if len(s) else 1.0
        return updated(scale * np.eye(s.shape[-1]), s, y)


@dataclass(frozen=True, eq=False, kw_only=True)
class LBFGSB(LBFGS):
    """L-BFGS within bounds: at first it finds the bounds that hold, then it is L-BFGS on the rest.

        c <- the first minimum of the model along x - t * g, where each coordinate ends at its bound
        p <- x of the least model on the free coordinates of c, within bounds, minus x
        x <- x + a * p                              a from a line search (strong Wolfe)

    Paper: Byrd, Lu, Nocedal and Zhu, A Limited Memory Algorithm for Bound Constrained
    Optimization, 1995.

    Runs scipy.optimize.minimize(method="L-BFGS-B") with the bounds of the surface.
    """

    respects: ClassVar = ("feasible_set",)
    has_ball = follows_gradient = False  # where a bound holds

    def check_set(self, allowed: FeasibleSet) -> None:
        if allowed.constraints:
            raise InputError("knows only bounds on each variable: choose slsqp, for example")

    def limits(self, allowed: FeasibleSet) -> dict[str, Any]:
        return {"bounds": allowed.box.tolist()}


@dataclass(frozen=True, eq=False, kw_only=True)
class SLSQP(Scipy):
    """Sequential quadratic programming: each step minimises a model under linear constraints.

        p <- least g'p + p' B p / 2 with c + c' p <= 0        B approximates second derivatives
        x <- x + a * p                              a from a line search on a merit function

    Paper: Kraft, A software package for sequential quadratic programming, 1988; Wilson, 1963;
    Han, 1977; Powell, 1978.

    Runs scipy.optimize.minimize(method="SLSQP") with the constraints of the surface, of which some
    may be equalities. Points on the way may violate those that are not linear.
    """

    method = "SLSQP"
    respects: ClassVar = ("feasible_set",)
    ftol: Hyper = hyper(1e-6, help="change of the loss at convergence")

    def limits(self, allowed: FeasibleSet) -> dict[str, Any]:
        bounds, others = allowed.box.tolist(), scipy_constraints(allowed.constraints)
        return {"bounds": bounds, "constraints": others}


@dataclass(frozen=True, eq=False, kw_only=True)
class ConjugateGradient(Directed):
    """Conjugate directions: each keeps a fraction of the last and does not undo its progress.

        b <- max(0, g'(g - last g) / (last g)'(last g))
        p <- -g + b * p
        x <- x + a * p                              a from a line search (strong Wolfe)

    Paper: Polak and Ribiere, 1969; Nocedal and Wright, Numerical Optimization, 2006, section 5.2.

    Runs scipy.optimize.minimize(method="CG").
    """

    method = "CG"
    gtol: Hyper = hyper(1e-5, help="largest gradient component at convergence")
    c2: Hyper = hyper(0.4, help="fraction of the slope that a search leaves", within="(0.0001, 1)")

    def steps(self, points: Array, gradients: Array) -> Iterator[tuple[Array, Array]]:
        p, none = -gradients[0], np.full((points.shape[-1],) * 2, np.nan)
        for last, g in pairwise(gradients):
            yield p, none
            p = max(0.0, (g - last) @ g / (last @ last)) * p - g

    def sketch(self, state: Step) -> Sketch:
        beyond = 2 * state.reached - state.point  # the direction itself may be as long as g
        return Segment(np.stack([state.point, beyond])), Points(state.reached[None], "accepted")


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
