"""The log barrier: an interior-point method, whose points follow the central path of a set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array, Constraint, FeasibleSet, Objective
from optiviz.optimizers.base import Hyper, Method, Optimizer, OptimizerError, hyper
from optiviz.optimizers.constrained import feasible_set
from optiviz.optimizers.newton import derivatives, times_identity
from optiviz.shapes import Ellipse, Segment, Sketch
from optiviz.system.errors import InputError

MOST_T = 1e10  # beyond it, rounding decides
NEWTON_STEPS, HALVINGS = 100, 60  # of one centering, and of each of its steps
# Squares of the Newton decrement: at which a point counts as the center, and below which one that
# no longer shrinks by this factor is a rounding error.
CENTERED, CLOSE, SHRINKS = 1e-24, 1e-10, 4.0
SLOPE, ROUNDING = 0.01, 10 * float(np.finfo(float).eps)  # of a decrease that is enough
FLATTEST = 1e-12  # the least curvature that is used, as a share of the largest
VERTICES = 5  # of the central path from one point to the next
INSIDE, FIRMER, PHASES = 1e-9, 10.0, 12  # of the search for a point inside
NO_INTERIOR = "needs a set with an interior: {} none"

Derivatives = Callable[[Array], tuple[Array, Array, Array]]  # value, gradient and Hessian


class Lowered(NamedTuple):
    """A constraint g(x) <= s on points (x, s)."""

    inner: Constraint
    equal: bool = False

    def value(self, z: Array) -> Array:
        """Return g(x) - s, shape (...)."""
        return np.asarray(self.inner.value(z[..., :-1]) - z[..., -1])

    def gradient(self, z: Array) -> Array:
        """Return its derivatives, shape (..., dim + 1)."""
        slope = self.inner.gradient(z[..., :-1])
        return np.concatenate([slope, -np.ones_like(z[..., :1])], axis=-1)

    def hessian(self, z: Array) -> Array:
        """Return its second derivatives, shape (..., dim + 1, dim + 1)."""
        found = np.zeros((*z.shape, z.shape[-1]))
        found[..., :-1, :-1] = self.inner.hessian(z[..., :-1])
        return found


def slacks(edges: Sequence[Constraint], x: Array) -> Array:
    """Return how far each constraint is from its bound, shape (..., m); negative outside."""
    return np.stack([-each.value(x) for each in edges], axis=-1)


def barrier(edges: Sequence[Constraint], x: Array) -> tuple[Array, Array, Array]:
    """Return -sum of log(-g) over the constraints g, its gradient and its Hessian; inf outside."""
    free = slacks(edges, x)
    inside = np.asarray((free > 0).all(axis=-1))
    free = np.where(inside[..., None], free, 1.0)
    value = np.where(inside, -np.log(free).sum(axis=-1), np.inf)
    gradient, hessian = np.zeros_like(x), times_identity(np.zeros_like(x))
    for number, each in enumerate(edges):
        room, slope = free[..., number, None], each.gradient(x)
        gradient = gradient + slope / room
        steep = slope / room
        hessian = hessian + steep[..., :, None] * steep[..., None, :]
        hessian = hessian + each.hessian(x) / room[..., None]
    return value, gradient, hessian


def centered(of: Derivatives, edges: Sequence[Constraint], x: Array, t: Array) -> Array:
    """Return where t * f plus the barrier is least, shape (..., dim), from points x inside.

    t has shape (..., 1). Newton's method with backtracking; where the Hessian is not positive
    definite, with its eigenvalues replaced by their magnitudes. It ends where no step is short
    enough, as where noise on gradients contradicts the values.
    """

    def total(x: Array) -> tuple[Array, Array, Array]:
        with np.errstate(all="ignore"):
            f, wall = of(x), barrier(edges, x)
        value = t[..., 0] * f[0] + wall[0]
        return value, t * f[1] + wall[1], t[..., None] * f[2] + wall[2]

    value, g, hessian = total(x)
    last, stuck = np.full_like(value, np.inf), np.zeros(value.shape, bool)
    for _ in range(NEWTON_STEPS):
        known = np.asarray(np.isfinite(hessian).all(axis=(-2, -1)) & np.isfinite(g).all(axis=-1))
        eye = np.eye(x.shape[-1])
        bends, axes = np.linalg.eigh(np.where(known[..., None, None], hessian, eye))
        bends = np.abs(bends)
        bends = np.maximum(bends, FLATTEST * bends.max(axis=-1, keepdims=True))
        along = (axes * g[..., None]).sum(axis=-2)
        away = (axes * (-along / bends)[..., None, :]).sum(axis=-1)
        decrement = (along**2 / bends).sum(axis=-1)
        rounded = (decrement < CLOSE) & (decrement * SHRINKS > last)
        done: NDArray[np.bool_] = ~known | (decrement <= CENTERED) | rounded | stuck
        last = decrement
        length = np.where(done, 0.0, 1.0)
        for _ in range(HALVINGS):
            moved = x + length[..., None] * away
            there = total(moved)
            falls, rounding = SLOPE * length * decrement, ROUNDING * np.abs(value)
            fits = done | (there[0] <= value - falls + rounding)
            if fits.all():
                break
            length = np.where(fits, length, length / 2)
        going, stuck = fits & ~done, stuck | ~fits | ((length < 1) & (falls < rounding))
        if not going.any():
            break
        x, value = np.where(going[..., None], moved, x), np.where(going, there[0], value)
        g = np.where(going[..., None], there[1], g)
        hessian = np.where(going[..., None, None], there[2], hessian)
    return x


def interior(edges: Sequence[Constraint], x: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return points inside, x itself where it is, and whether there are any, shape (...).

    Phase I of Boyd and Vandenberghe, 11.4.1: s + |p - x|**2 / 2 is lowered subject to g(p) <= s,
    until s is negative.
    """
    start, size = x, x.shape[-1]

    def lowered(z: Array) -> tuple[Array, Array, Array]:
        away = z[..., :-1] - start
        gradient = np.concatenate([away, np.ones_like(z[..., :1])], axis=-1)
        flat = np.ones_like(z)
        flat[..., -1] = 0.0
        return z[..., -1] + (away * away).sum(axis=-1) / 2, gradient, times_identity(flat)

    inside = slacks(edges, x).min(axis=-1) > INSIDE
    above = 1 - slacks(edges, x).min(axis=-1, keepdims=True)
    z, t = np.concatenate([x, above], axis=-1), np.ones_like(above)
    for _ in range(PHASES):
        if inside.all():
            break
        z = centered(lowered, [Lowered(each) for each in edges], z, t)
        found = slacks(edges, z[..., :size]).min(axis=-1) > INSIDE
        x = np.where((found & ~inside)[..., None], z[..., :size], x)
        inside, t = inside | found, FIRMER * t
    return x, inside


class Central(NamedTuple):
    """State of the log-barrier method."""

    t: Array  # (..., 1), weight of the objective in the next step
    center: Array  # (..., dim), the point on the central path
    hessian: Array  # (..., dim, dim), that of the barrier there
    line: Array  # (..., n, dim), the central path from the last point; nan of the first step
    gap: Array  # (..., 1), how far above the least loss the point may be

    @property
    def recorded(self) -> dict[str, Any]:
        """The numbers that are drawn against the step."""
        return {"t": self.t[..., 0], "gap": self.gap[..., 0]}


@dataclass(frozen=True, eq=False, kw_only=True)
class LogBarrier(Optimizer):
    """An interior-point method: each point balances the loss and a barrier at the constraints.

        x <- argmin of t * f(x) - sum of log(-g(x))         over the constraints g(x) <= 0
        t <- mu * t

    Paper: Boyd and Vandenberghe, Convex Optimization, 2004, algorithm 11.1.

    Each minimum is found by Newton's method, and all of them, for every t, are the central path. On
    a convex problem with m constraints, the loss is at most m / t above the least. The first step
    leads onto the path; a start that is not inside is moved inside before it (phase I). t ends at
    1e10, and the path then stays where it is. With a mu of 10 to 20, as the book advises, it takes
    few steps. The sketch is the central path, and the ellipse (y - x)'H(y - x) <= 1 with the
    barrier's Hessian H, which lies inside the set if that is convex (Dikin, 1967).
    """

    needs: ClassVar = ("feasible_set", "hessian")
    respects: ClassVar = ("feasible_set",)
    has_loops: ClassVar = True
    vertices: ClassVar[int] = VERTICES

    t: Hyper = hyper(1.0, help="weight of the loss in the first step", within="(0, 1e10]")
    mu: Hyper = hyper(2.0, help="factor of t in each step", within="(1, inf)")

    @property
    def walker(self) -> Method:
        return self.with_fields(vertices=1)

    def init(self, x: Array) -> Central:
        none = np.zeros_like(x[..., :1])
        line = self._repeated(x) * np.nan
        return Central(self.t + none, np.copy(x), times_identity(np.ones_like(x)), line, none)

    def step(self, objective: Objective, x: Array, state: Central) -> tuple[Array, Central]:
        edges = feasible_set(objective, "log-barrier").edges

        def of(x: Array) -> tuple[Array, Array, Array]:
            return derivatives(objective, x, "log-barrier")

        t, first = state.t, bool(np.isnan(state.line).all() and not state.gap.any())
        here, ended = x, (state.gap == len(edges) / t) & (x == state.center).all(-1, keepdims=True)
        if ended.all():
            return here, state._replace(line=self._repeated(here))
        x, inside = interior(edges, x)
        if not inside.all():
            raise OptimizerError("found no point inside the constraints")
        weights = np.stack([np.copy(t)] * self.vertices)
        if not first:
            shares = np.linspace(0, -1, self.vertices)[::-1].reshape(-1, *[1] * t.ndim)
            weights = t * (t / self._before(t)) ** shares
        points = centered(of, edges, np.stack([x] * self.vertices), weights)
        line = np.moveaxis(points * np.nan if first else points, 0, -2)
        line = np.where(ended[..., None], self._repeated(here), line)
        x = np.where(ended, here, points[-1])
        following = np.minimum(self.mu * t, MOST_T)
        return x, Central(following, x, barrier(edges, x)[2], line, len(edges) / t)

    def _repeated(self, x: Array) -> Array:
        """Return a line that stays at a point, shape (..., vertices, dim)."""
        return np.repeat(x[..., None, :], self.vertices, axis=-2)

    def _before(self, t: Array) -> Array:
        """Return the weight of the step before that of weight t."""
        return np.asarray(np.maximum(t / self.mu, self.t))

    def check_set(self, allowed: FeasibleSet) -> None:
        if any(each.equal for each in allowed.edges):
            raise InputError(NO_INTERIOR.format("an equality leaves"))
        _, inside = interior(allowed.edges, allowed.project(np.zeros(len(allowed.box))))
        if not inside.all():
            raise InputError(NO_INTERIOR.format("these constraints leave"))

    def sketch(self, state: Central) -> Sketch:
        started = state.gap > 0
        bends, axes = np.linalg.eigh(state.hessian)
        radii = np.where(started, 1 / np.maximum(bends, np.finfo(float).tiny), np.nan)
        return (
            Segment(state.line, "central-path"),
            Ellipse(state.center, (axes * radii) @ axes.T),
        )
