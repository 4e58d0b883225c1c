"""Methods that stay in a feasible set, or descend a penalty |x| by its proximal operator."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from optiviz.objective import Array, FeasibleSet, Objective
from optiviz.optimizers.base import NEEDED, Hyper, Optimizer, hyper
from optiviz.shapes import Points, Polygon, Segment, Sketch
from optiviz.system.errors import InputError

RAYS = 96  # corners of a region that is drawn
HALVINGS = 50  # of the distance to its edge
INSIDE, ROUNDING = 0.01, 1e-12  # the weight for one that is 0, and what is as good as 0


def feasible_set(objective: Objective, name: str) -> FeasibleSet:
    """Return the feasible set of an objective; raise InputError if it has none."""
    found: FeasibleSet | None = getattr(objective, "feasible_set", None)
    if found is None:
        raise InputError(f"{name} needs {NEEDED['feasible_set']}")
    return found


class Projected(NamedTuple):
    """State of a method that corrects what it has tried."""

    tried: Array  # (..., dim), the point before it was corrected
    accepted: Array  # (..., dim), the point after


def corrected(state: Projected) -> Sketch:
    """Return the point that was tried and the way to the accepted one, unless they are the same."""
    tried = state.tried if (state.tried != state.accepted).any() else state.tried * np.nan
    way = np.stack([tried, state.accepted])
    return Points(tried[None]), Segment(way, "accepted")


@dataclass(frozen=True, eq=False, kw_only=True)
class ProjectedGradient(Optimizer):
    """Gradient descent that returns to the nearest feasible point after each step.

        x <- x - lr * g
        x <- P(x)                                   P(x) is the feasible point nearest to x

    Paper: Goldstein, Convex Programming in Hilbert Space, 1964; Levitin and Polyak, Constrained
    Minimization Methods, 1966; Bertsekas, Nonlinear Programming, 1999, section 2.3.

    On a set that is not convex, the nearest point may jump.
    """

    needs: ClassVar = ("feasible_set",)
    respects: ClassVar = ("feasible_set",)

    lr: Hyper = hyper(help="learning rate", within="(0, inf)")

    def init(self, x: Array) -> Projected:
        return Projected(np.copy(x), np.copy(x))

    def step(self, objective: Objective, x: Array, state: Projected) -> tuple[Array, Projected]:
        tried = x - self.lr * objective.gradient(x)
        x = feasible_set(objective, "projected-gradient").project(tried)
        return x, Projected(tried, x)

    def sketch(self, state: Projected) -> Sketch:
        return corrected(state)


class Vertex(NamedTuple):
    """State of the Frank-Wolfe method."""

    vertex: Array  # (..., dim), where the linear model is least
    left: Array  # (..., dim), the point before the step
    step: int  # steps taken


@dataclass(frozen=True, eq=False, kw_only=True)
class FrankWolfe(Optimizer):
    """Conditional gradient: a part of the way to where the linear model is least. No projection.

        s <- the feasible point where g's is least
        x <- x + 2 / (t + 2) * (s - x)              t = 0, 1, 2, ...

    Paper: Frank and Wolfe, An algorithm for quadratic programming, 1956; Jaggi, Revisiting
    Frank-Wolfe: Projection-Free Sparse Convex Optimization, 2013, algorithm 1.

    The set must be convex and bounded: a box, a polygon, a simplex, an ellipse, or what they share.
    The first step leads all the way to s. On a convex loss whose gradient changes by at most L per
    distance, the loss is after t steps at most 2 L D**2 / (t + 2) above the least, where D is the
    diameter of the set. A step may also rise.
    """

    needs: ClassVar = ("feasible_set",)
    respects: ClassVar = ("feasible_set",)

    def init(self, x: Array) -> Vertex:
        return Vertex(np.copy(x), np.copy(x), 0)

    def step(self, objective: Objective, x: Array, state: Vertex) -> tuple[Array, Vertex]:
        allowed = feasible_set(objective, "frank-wolfe")
        vertex = allowed.minimize_linear(objective.gradient(x))
        share = 2 / (state.step + 2)
        moved = (1 - share) * x + share * vertex
        return moved, Vertex(vertex, x, state.step + 1)

    def check_set(self, allowed: FeasibleSet) -> None:
        allowed.minimize_linear(np.zeros(len(allowed.box)))

    def sketch(self, state: Vertex) -> Sketch:
        return Points(state.vertex[None]), Segment(np.stack([state.left, state.vertex]))


class Mirrored(NamedTuple):
    """State of mirror descent."""

    left: Array  # (..., dim), the point before the step
    accepted: Array  # (..., dim), the point after
    corners: Array  # (n, dim), those of the simplex; none before the first step


@dataclass(frozen=True, eq=False, kw_only=True)
class MirrorDescent(Optimizer):
    """Entropic mirror descent, or exponentiated gradient, on a simplex: steps multiply weights.

        x = sum of w[i] * c[i]                      w[i] >= 0 with sum 1, c[i] the corners
        w[i] <- w[i] * exp(-lr * g'c[i])            then divided by their sum
        x <- x with the new weights

    Paper: Nemirovski and Yudin, Problem Complexity and Method Efficiency in Optimization, 1983;
    Beck and Teboulle, Mirror descent and nonlinear projected subgradient methods for convex
    optimization, 2003, section 5; Kivinen and Warmuth, 1997.

    The simplex is a segment or a triangle: x + y == 1 with x, y >= 0, whose weights are x and y, or
    x + y <= 1, where the third weight is the rest; any other triangle, too. It is the step with the
    least g'x + KL(w, last w) / lr; the sketch is the region of the same divergence KL about the
    last point. A weight of 0 would stay 0 for ever: one of a start counts as 0.01.
    """

    needs: ClassVar = ("feasible_set",)
    respects: ClassVar = ("feasible_set",)

    lr: Hyper = hyper(help="learning rate", within="(0, inf)")

    def init(self, x: Array) -> Mirrored:
        return Mirrored(np.copy(x), np.copy(x), np.empty((0, x.shape[-1])))

    def step(self, objective: Objective, x: Array, state: Mirrored) -> tuple[Array, Mirrored]:
        corners = simplex(feasible_set(objective, "mirror-descent"))
        before = np.maximum(weights(x, corners), 0.0)
        if not len(state.corners) and (before < ROUNDING).any():
            on_edge = (before < ROUNDING).any(axis=-1, keepdims=True)
            before = np.where(before < ROUNDING, INSIDE, before)
            mean = (before[..., None] * corners).sum(axis=-2) / before.sum(axis=-1, keepdims=True)
            x = np.where(on_edge, mean, x)
        slopes = (objective.gradient(x)[..., None, :] * corners).sum(axis=-1)
        with np.errstate(divide="ignore"):
            grown = np.log(before) - self.lr * slopes
        grown = np.exp(grown - grown.max(axis=-1, keepdims=True))
        shares = grown / grown.sum(axis=-1, keepdims=True)
        moved = (shares[..., None] * corners).sum(axis=-2)
        return moved, Mirrored(x, moved, corners)

    def check_set(self, allowed: FeasibleSet) -> None:
        simplex(allowed)

    def sketch(self, state: Mirrored) -> Sketch:
        corners = state.corners
        before, after = (weights(each, corners) for each in (state.left, state.accepted))
        if corners.shape[-1] == 1 or len(corners) < 3:
            return (Segment(np.stack([state.left, state.accepted]), "accepted"),)
        turns = 2 * np.pi * np.arange(RAYS) / RAYS
        ways = np.stack([np.cos(turns), np.sin(turns)], axis=-1)
        changes = weights(state.left + ways, corners) - before  # per distance along a ray
        with np.errstate(all="ignore"):
            low, high = np.zeros((RAYS, 1)), -before / changes
            high = np.where(changes < 0, high, np.inf).min(axis=-1, keepdims=True)
            radius = divergence(after, before)
            for _ in range(HALVINGS):
                middle = (low + high) / 2
                within = divergence(before + middle * changes, before)[:, None] <= radius
                low, high = np.where(within, middle, low), np.where(within, high, middle)
        return Polygon(state.left + low * ways, "region"), Segment(
            np.stack([state.left, state.accepted]), "accepted"
        )


def simplex(allowed: FeasibleSet) -> Array:
    """Return the corners of a segment or a triangle, shape (2 or 3, dim).

    Raises InputError if the set is neither.
    """
    if len(allowed.corners) not in (2, 3):
        raise InputError(
            'needs a simplex: write, for example, --constraint "x >= 0" '
            '--constraint "y >= 0" --constraint "x + y <= 1"'
        )
    return allowed.corners


def weights(x: Array, corners: Array) -> Array:
    """Return the weights of corners whose mean is x, shape (..., n), for x of shape (..., dim).

    They are the shares of the way from the opposite corner or edge.
    """
    found = []
    for number in range(len(corners)):
        own, first, *second = np.roll(corners, -number, axis=0)
        way = own - first
        if second:  # at a right angle to the opposite edge
            (edge,) = second - first
            way = np.stack([-edge[1], edge[0]])
        found.append(((x - first) * way).sum(axis=-1) / ((own - first) * way).sum())
    return np.stack(found, axis=-1)


def divergence(w: Array, other: Array) -> Array:
    """Return the Kullback-Leibler divergence of weights from others, shape (...)."""
    with np.errstate(all="ignore"):
        terms = np.where(w > 0, w * np.log(w / other), 0.0)
    return np.asarray(terms.sum(axis=-1))


def smooth_gradient(objective: Objective, x: Array) -> Array:
    """Return the gradient of an objective without its penalty, shape (..., dim)."""
    smooth: Objective = getattr(objective, "smooth", None) or objective
    return smooth.gradient(x)


def proximal(objective: Objective, x: Array, rate: Hyper) -> Array:
    """Return the points p with the least |p - x|**2 / 2 + rate * h(p), shape (..., dim).

    h is the objective's penalty l1 * |p| or, where it has constraints, 0 for feasible points.
    """
    weight = getattr(objective, "l1", None)
    if weight:
        return np.asarray(np.sign(x) * np.maximum(np.abs(x) - rate * weight, 0.0))
    allowed: FeasibleSet | None = getattr(objective, "feasible_set", None)
    return x if allowed is None else allowed.project(x)


@dataclass(frozen=True, eq=False, kw_only=True)
class ProximalGradient(Optimizer):
    """ISTA: a gradient step for the smooth part of the loss, then a proximal one for the penalty.

        x <- x - lr * g                             g without the penalty l1 * |x|
        x <- sign(x) * max(0, |x| - lr * l1)        the soft threshold

    Paper: Daubechies, Defrise and De Mol, An iterative thresholding algorithm for linear inverse
    problems with a sparsity constraint, 2004; Beck and Teboulle, A Fast Iterative
    Shrinkage-Thresholding Algorithm for Linear Inverse Problems, 2009, equation 1.4.

    Coordinates become exactly 0. With constraints instead of a penalty, the second step projects,
    as in projected-gradient; with neither, it is gradient descent.
    """

    respects: ClassVar = ("feasible_set",)

    lr: Hyper = hyper(help="learning rate", within="(0, inf)")

    def init(self, x: Array) -> Projected:
        return Projected(np.copy(x), np.copy(x))

    def step(self, objective: Objective, x: Array, state: Projected) -> tuple[Array, Projected]:
        tried = x - self.lr * smooth_gradient(objective, x)
        x = proximal(objective, tried, self.lr)
        return x, Projected(tried, x)

    def sketch(self, state: Projected) -> Sketch:
        return corrected(state)


class Ahead(NamedTuple):
    """State of FISTA."""

    lead: Array  # (..., dim), how far ahead of x the next step looks
    looked: Array  # (..., dim), that of this step
    tried: Array  # (..., dim), the gradient step from there
    accepted: Array  # (..., dim), the point
    momentum: float  # t


@dataclass(frozen=True, eq=False, kw_only=True)
class FISTA(Optimizer):
    """Accelerated proximal gradient: ISTA's step from a point ahead, further with each step.

        x <- y - lr * g(y), then the soft threshold as in proximal-gradient
        t <- (1 + sqrt(1 + 4 * t**2)) / 2           t starts at 1, y at x
        y <- x + (last t - 1) / t * (x - last x)

    Paper: Beck and Teboulle, A Fast Iterative Shrinkage-Thresholding Algorithm for Linear Inverse
    Problems, 2009, equations 4.1 to 4.3.

    With constraints instead of a penalty, steps are projected; with neither, it is the scheme of
    Nesterov, 1983. The look-ahead point y may be infeasible.
    """

    respects: ClassVar = ("feasible_set",)

    lr: Hyper = hyper(help="learning rate", within="(0, inf)")

    def init(self, x: Array) -> Ahead:
        return Ahead(np.zeros_like(x), np.copy(x), np.copy(x), np.copy(x), 1.0)

    def step(self, objective: Objective, x: Array, state: Ahead) -> tuple[Array, Ahead]:
        looked = x + state.lead
        tried = looked - self.lr * smooth_gradient(objective, looked)
        moved = proximal(objective, tried, self.lr)
        momentum = (1 + np.sqrt(1 + 4 * state.momentum**2)) / 2
        lead = (state.momentum - 1) / momentum * (moved - x)
        return moved, Ahead(lead, looked, tried, moved, momentum)

    def sketch(self, state: Ahead) -> Sketch:
        way = Segment(np.stack([state.looked, state.tried]))
        return Points(state.looked[None]), way, *corrected(Projected(state.tried, state.accepted))
