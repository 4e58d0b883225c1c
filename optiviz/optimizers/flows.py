"""The smooth curves under an optimizer's steps, drawn beside its path: flow+sgd."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array, Objective
from optiviz.optimizers.adaptive import RMSprop, root
from optiviz.optimizers.base import Optimizer, SameRule
from optiviz.optimizers.momentum import SGD
from optiviz.optimizers.wrappers import Wrapper
from optiviz.shapes import Ellipse, Points, Role, Segment, Sketch
from optiviz.system.errors import InputError

CENTRAL, PLAIN = 4, 10  # Euler steps of each flow per step of the path, as in the paper's code
NEAR = 1.95  # eigenvalues from which on a direction may oscillate; it does at 2
AGREED = 1e-6  # relative error up to which the conditions of complementarity hold
# An orthonormal basis of the symmetric matrices in one dimension and in two, and how the adjugate
# changes coordinates in the second.
SIDE = np.sqrt(0.5)
SYMMETRIC = {
    1: np.ones((1, 1, 1)),
    2: np.array([[[1.0, 0.0], [0.0, 0.0]], [[0.0, SIDE], [SIDE, 0.0]], [[0.0, 0.0], [0.0, 1.0]]]),
}
ADJOINT = np.array([[0.0, 0.0, 1.0], [0.0, -1.0, 0.0], [1.0, 0.0, 0.0]])


class Smooth(NamedTuple):
    """A flow: its points during the last step, and the mean square that it carries along."""

    line: Array  # (..., n + 1, dim), the first of which is where the step began
    square: Array  # (..., dim), running mean of squared gradients; 0 if the method has none

    @property
    def point(self) -> Array:
        """Where it is, shape (..., dim)."""
        return self.line[..., -1, :]


class FlowState(NamedTuple):
    """State of a method and its flows."""

    inner: Any  # state of the inner optimizer
    gradient: Smooth
    central: Smooth
    covariance: Array  # (..., dim, dim), of the oscillation about the central flow
    step: int  # steps taken

    @property
    def recorded(self) -> dict[str, Any]:
        """The numbers that are drawn against the step."""
        flows = {"gradient_flow": self.gradient.point, "central_flow": self.central.point}
        return {"inner": self.inner, **flows}


@dataclass(frozen=True, eq=False, kw_only=True)
class Flow(SameRule, Wrapper):
    """The gradient flow and the central flow of gradient descent, beside its path.

        x <- one step of the inner optimizer
        P = 1/lr                                    (sgd; diag(sqrt(s) + eps)/lr for rmsprop)
        dw/dt = -P**-1 grad L                       gradient flow
        dw/dt = -P**-1 grad (L + <H, S>/2)          central flow, with S the covariance
        S >= 0,   H <= 2 P,   S (2 P - H) = 0       of the oscillation, and t the step
        ds/dt = (1 - rho)/rho * (g**2 + diag(H S H) - s)

    Paper: Cohen, Damian, Talwalkar, Kolter and Lee, Understanding Optimization in Deep Learning
    with Central Flows, ICLR 2025, arXiv 2410.24206, for gradient descent and RMSProp.

    The path is that of the inner optimizer, sgd or rmsprop, which the flows do not change. Where
    the Hessian bends more than 2 P, steps overshoot, and the gradient flow no longer tells where
    they lead; the central flow is their moving average, kept where the Hessian bends 2 P at most,
    and the ellipse is one standard deviation of the oscillation about it. Both take Euler steps as
    the authors do, 10 and 4 in each step. The inequalities are those of a semidefinite
    complementarity problem among the eigenvectors whose eigenvalues are above 1.95, solved in each
    of these. A flow ends where it has no solution: where the method itself diverges, as on a
    quadratic. s starts as the first step leaves it.
    """

    needs_fixed_objective: ClassVar[bool] = True
    alone: ClassVar[str] = "flow comes first, as its curves are those of the plain method"

    def __post_init__(self) -> None:
        super().__post_init__()
        method = self.inner
        if type(method) not in (SGD, RMSprop):
            raise InputError("the central flow is known for sgd and rmsprop only: write flow+sgd")
        if isinstance(method, RMSprop) and (np.any(method.momentum) or method.centered):
            raise InputError("the central flow is known for rmsprop without momentum, not centered")
        if np.any(forgetting(method) > CENTRAL):
            least = 1 / (1 + CENTRAL)
            raise InputError(f"rho must be {least:g} at least: below, no flow follows its squares")

    @property
    def needs(self) -> tuple[str, ...]:  # type: ignore[override]
        return (*self.inner.needs, "third_derivatives", "hessian")

    @property
    def walker(self) -> Optimizer:
        return self.inner

    @property
    def has_sketch(self) -> bool:
        return True

    def companions(self, state: FlowState) -> Mapping[Role, tuple[Array, Array]]:
        flows: dict[Role, Smooth] = {"gradient-flow": state.gradient, "central-flow": state.central}
        return {
            role: (flow.point, rates(self.inner, flow.square) / self.inner.lr)  # type: ignore[attr-defined]
            for role, flow in flows.items()
        }

    def init(self, x: Array) -> FlowState:
        flows = [
            Smooth(np.repeat(x[..., None, :], many + 1, axis=-2), np.zeros_like(x))
            for many in (PLAIN, CENTRAL)
        ]
        none = np.zeros((*x.shape, x.shape[-1]))
        return FlowState(self.inner.init(x), flows[0], flows[1], none, 0)

    def step(self, objective: Objective, x: Array, state: FlowState) -> tuple[Array, FlowState]:
        moved, inner = self.inner.step(objective, x, state.inner)
        loss, gradient, central = Regular(objective, self.inner), state.gradient, state.central
        if not state.step and isinstance(self.inner, RMSprop):
            gradient = gradient._replace(square=inner.square)
            central = central._replace(square=inner.square)
        with np.errstate(all="ignore"):  # beyond the window, where the path may never come
            plain = self._gradient_flow(loss, gradient)
            central, covariance = self._central_flow(loss, central)
        return moved, FlowState(inner, plain, central, covariance, state.step + 1)

    def _gradient_flow(self, loss: "Regular", flow: Smooth) -> Smooth:
        x, square = flow.point, flow.square
        line = [x]
        for _ in range(PLAIN):
            g = loss.gradient(x)
            slope = forgetting(self.inner) * (g * g - square)
            x, square = x - rates(self.inner, square) * g / PLAIN, square + slope / PLAIN
            line.append(x)
        return Smooth(np.stack(line, axis=-2), square)

    def _central_flow(self, loss: "Regular", flow: Smooth) -> tuple[Smooth, Array]:
        x, square = flow.point, flow.square
        line, covariance = [x], np.zeros(0)
        for _ in range(CENTRAL):
            x, square, covariance = central_step(loss, self.inner, x, square, 1 / CENTRAL)
            line.append(x)
        return Smooth(np.stack(line, axis=-2), square), covariance

    def sketch(self, state: FlowState) -> Sketch:
        gradient, central = state.gradient, state.central
        return (
            *self.inner.sketch(state.inner),
            Segment(gradient.line, "gradient-flow"),
            Ellipse(central.point, state.covariance, "oscillation"),
            Segment(central.line, "central-flow"),
            Points(central.line[-1:], "central-flow"),
        )


class Regular:
    """An objective with the L2 penalty that an optimizer adds to its gradient."""

    def __init__(self, objective: Any, method: Any) -> None:
        self._objective, self._decay = objective, method.weight_decay
        self.third_derivatives = objective.third_derivatives

    def gradient(self, x: Array) -> Array:
        """Return the first derivatives, shape (..., dim)."""
        return np.asarray(self._objective.gradient(x) + self._decay * x)

    def hessian(self, x: Array) -> Array:
        """Return the second derivatives, shape (..., dim, dim)."""
        penalty = np.asarray(self._decay)[..., None] * np.eye(x.shape[-1])
        return np.asarray(self._objective.hessian(x) + penalty)


def rates(method: Optimizer, square: Array) -> Array:
    """Return the diagonal of P**-1, shape (..., dim), for a mean square of that shape."""
    if isinstance(method, RMSprop):
        return np.asarray(method.lr / root(square, method.eps, method.eps_in_sqrt))
    assert isinstance(method, SGD)
    return method.lr * np.ones_like(square)


def forgetting(method: Optimizer) -> float | Array:
    """Return how fast, per step, a mean square approaches the squares; 0 if there is none."""
    return (1 - method.rho) / method.rho if isinstance(method, RMSprop) else 0.0


def stiffening(method: Optimizer, square: Array) -> Array:
    """Return the derivative of the logarithm of the diagonal of P by the mean square.

    Both have shape (..., dim).
    """
    if not isinstance(method, RMSprop):
        return np.zeros_like(square)
    inside = square + method.eps if method.eps_in_sqrt else square
    side = root(square, method.eps, method.eps_in_sqrt)
    return np.asarray(1 / (2 * np.sqrt(inside) * side))


def central_step(
    loss: Regular, method: Optimizer, x: Array, square: Array, dt: float
) -> tuple[Array, Array, Array]:
    """Return a central flow's points and mean squares after a time dt, and the covariances.

    With U the eigenvectors that may oscillate, U'PU = 1, and S = U X U', the distance that the
    Hessian keeps from 2 P is 2 - U'HU, and after the time dt it is a + B[X], for a linear B.
    """
    g, hessian = loss.gradient(x), loss.hessian(x)
    rate, recall, dim = rates(method, square), forgetting(method), x.shape[-1]
    side = np.sqrt(rate)
    scaled = side[..., :, None] * hessian * side[..., None, :]
    known = np.asarray(np.isfinite(scaled).all(axis=(-2, -1), keepdims=True))
    eigenvalues, turn = np.linalg.eigh(np.where(known, scaled, 0.0))
    near = eigenvalues >= NEAR
    move, change = np.where(known[..., 0], -rate * g, np.nan), recall * (g * g - square)
    if not near.any():
        return x + dt * move, square + dt * change, np.zeros_like(hessian)
    oscillates = np.asarray(near.any(axis=-1))[..., None, None, None]
    stiff = stiffening(method, square)
    third = np.where(oscillates, loss.third_derivatives(x), 0.0)
    vectors = side[..., None] * turn

    def distances(move: Array, change: Array) -> Array:
        """Return how fast 2 - U'HU changes, as coordinates, if x and the square move so."""
        stiffer = 2 * (stiff * change)[..., None] * np.eye(dim)
        bent = np.einsum("...ijk,...k->...ij", third, move)
        return coordinates(within(turn, stiffer) - within(vectors, bent))

    basis = [within(np.swapaxes(vectors, -1, -2), each) for each in SYMMETRIC[dim]]
    drawn = [
        (
            -rate * np.einsum("...ijk,...jk->...i", third, each) / 2,
            recall * np.diagonal(hessian @ each @ hessian, axis1=-2, axis2=-1),
        )
        for each in basis
    ]
    apart = coordinates((2 - eigenvalues)[..., None] * np.eye(dim))
    a = apart + dt * distances(move, change)
    b = dt * np.stack([distances(*each) for each in drawn], axis=-1)
    shares = np.moveaxis(complementary(a, b, near), -1, 0)[..., None]
    covariance = np.zeros_like(hessian)
    for share, each, (pushed, grown) in zip(shares, basis, drawn, strict=True):
        move, change = move + share * pushed, change + share * grown
        covariance = covariance + share[..., None] * each
    return x + dt * move, square + dt * change, covariance


def within(vectors: Array, matrix: Array) -> Array:
    """Return V' M V, for the columns V of shape (..., dim, dim)."""
    return np.asarray(np.swapaxes(vectors, -1, -2) @ matrix @ vectors)


def coordinates(matrix: Array) -> Array:
    """Return the coordinates, shape (..., n), of symmetric matrices, (..., dim, dim)."""
    return np.asarray(np.einsum("kij,...ij->...k", SYMMETRIC[matrix.shape[-1]], matrix))


def complementary(a: Array, b: Array, near: NDArray[np.bool_]) -> Array:
    """Return the X >= 0 with a + b X >= 0 and <X, a + b X> = 0, in coordinates, shape (..., n).

    a has shape (..., n) and b (..., n, n). Only eigenvectors that are `near`, shape (..., dim), of
    increasing eigenvalues, have a share in X. It is nan where there is no such X.
    """
    first, slope = a[..., -1], b[..., -1, -1]
    alone = np.where(slope > 0, -first / np.where(slope > 0, slope, 1.0), np.nan)
    found = np.zeros_like(a)
    found[..., -1] = np.where(near[..., -1] & (first < 0), alone, 0.0)
    if near.shape[-1] == 2:
        for run in map(tuple, np.argwhere(near.all(axis=-1))):
            found[run] = complementary_pair(a[run], b[run])
    return found


def complementary_pair(a: Array, b: Array) -> Array:
    """Return the same for two directions, of a in shape (3,) and b in (3, 3).

    X and R = a + b X have no direction in common: X is 0, or R is, or both have rank one. Then R is
    m adj(X) for a number m, a root of a polynomial of degree 4: adj(X) = J X in coordinates, so
    that (J b - m) X = -J a, and X has the determinant 0.
    """
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return np.full(3, np.nan)
    k, right = ADJOINT @ b, ADJOINT @ a
    trace = np.trace(k)
    minors = (trace**2 - np.trace(k @ k)) / 2
    # (k - m)**-1 right is a polynomial of m, with these coefficients, over a determinant.
    powers = [
        k @ k @ right - trace * (k @ right) + minors * right,
        k @ right - trace * right,
        right,
    ]
    quartic = np.zeros(5)
    for i, one in enumerate(powers):
        for j, other in enumerate(powers):
            quartic[i + j] += one @ ADJOINT @ other
    if not np.isfinite(quartic).all():
        return np.full(3, np.nan)  # too steep for numbers, far outside the window
    tried = [np.zeros(3), shortest_solution(b, -a)]
    tried += [shortest_solution(k - m * np.eye(3), -right) for m in np.roots(quartic[::-1]).real]
    best = min(tried, key=lambda x: violation(x, a, b))
    return best if violation(best, a, b) <= AGREED else np.full(3, np.nan)


def shortest_solution(matrix: Array, vector: Array) -> Array:
    """Return the shortest of the x that come nearest to matrix x = vector."""
    return np.asarray(np.linalg.lstsq(matrix, vector, rcond=None)[0], float)


def violation(x: Array, a: Array, b: Array) -> float:
    """Return by how much X misses the conditions, relative to the sizes of X and a."""
    rest = a + b @ x
    size, scale = (float(np.abs(each).max()) or 1.0 for each in (x, a))
    return max(-lowest(x) / size, -lowest(rest) / scale, abs(float(x @ rest)) / (size * scale))


def lowest(x: Array) -> float:
    """Return the lower eigenvalue of a symmetric matrix, from its coordinates."""
    return float((x[0] + x[2]) / 2 - np.hypot((x[0] - x[2]) / 2, x[1] * SIDE))
