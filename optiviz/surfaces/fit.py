"""A curve fitted to samples, as an objective over its parameters, with exact derivatives."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array
from optiviz.surfaces.config import FitConfig
from optiviz.surfaces.formula import Formula
from optiviz.surfaces.origins import compiled
from optiviz.system.errors import InputError
from optiviz.system.text import enumerated

BLOCK = 2_000_000  # points times samples that are evaluated together
TRIED = (-100.0, -10.0, -3.0, -1.0, -0.3, -0.1, 0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
SEARCHED, ROUNDS = 8, 200  # points from which the best fit is sought, and the most steps to it
# Steps as shares of parameters, which count as if they were at least so large: those after which no
# more are taken, and that a minimum may be away.
CLOSE, NEAR, LEAST = 1e-14, 1e-6, 1e-3
POLISHING, SINGULAR = 3, 1e-12  # last steps; smallest curvature of a minimum over its largest
DIGITS = 1  # of the ends of a window, besides the first of its length


class SampleLoss(NamedTuple):
    """The loss of a sample with the target y, its first two derivatives by the model's value z.

    `curve` is what is drawn of z.
    """

    value: Callable[[Array, Array], Array]
    slope: Callable[[Array, Array], Array]
    curvature: Callable[[Array, Array], Array]
    curve: Callable[[Array], Array]


def logistic(z: Array) -> Array:
    """Return 1 / (1 + exp(-z)) without overflow."""
    found: Array = np.exp(-np.logaddexp(0.0, -z))
    return found


LOSSES = {
    "squared-error": SampleLoss(
        lambda z, y: (z - y) ** 2 / 2,
        lambda z, y: z - y,
        lambda z, y: np.ones_like(z - y),
        lambda z: z,
    ),
    # With the sign s = 1 - 2y of a label, log(1 + exp(s*z)), without cancellation.
    "logistic": SampleLoss(
        lambda z, y: np.logaddexp(0.0, (1 - 2 * y) * z),
        lambda z, y: (1 - 2 * y) * logistic((1 - 2 * y) * z),
        lambda z, y: logistic(z) * logistic(-z) + 0 * y,
        logistic,
    ),
}


@dataclass(frozen=True, eq=False)
class Fit:
    """The mean loss of samples (x, y), each of shape (n,), over the parameters of a model.

    model is the formula in the parameters and then the feature. The squared error is half the sum
    of the squares of residuals (z - y)/sqrt(n). Pickled as `declared`: what `fit` makes it from.
    """

    model: Formula
    x: Array
    y: Array
    loss: SampleLoss
    declared: tuple[FitConfig, tuple[str, ...]]

    def __reduce__(self) -> tuple[Any, ...]:
        return fit, self.declared

    @property
    def is_least_squares(self) -> bool:
        """Whether the loss is the squared error."""
        return self.loss is LOSSES["squared-error"]

    @property
    def dim(self) -> int:
        """Number of parameters."""
        return self.model.dim - 1

    @property
    def count(self) -> int:
        """Number of samples."""
        return len(self.x)

    def curve(self, parameters: Array, x: Array) -> Array:
        """Return the fitted curve, shape (..., m), at features of shape (m,)."""
        with np.errstate(all="ignore"):
            return self.loss.curve(self.model.value(_beside(parameters, x)))

    def value(self, x: Array) -> Array:
        """Return the mean loss, shape (...), for parameters of shape (..., dim)."""
        return self._blockwise(lambda each: self.sample_losses(each).mean(axis=-1), x, ())

    def gradient(self, x: Array) -> Array:
        """Return its gradient, shape (..., dim)."""
        return self._blockwise(
            lambda each: self.sample_gradients(each).mean(axis=-2), x, (self.dim,)
        )

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return value and gradient."""
        both = self._blockwise(self._means, x, (1 + self.dim,))
        return both[..., 0], both[..., 1:]

    def hessian(self, x: Array) -> Array:
        """Return its second derivatives, shape (..., dim, dim)."""
        return self._blockwise(self._mean_hessian, x, (self.dim, self.dim))

    def sample_losses(self, x: Array, chosen: NDArray[np.intp] | slice = slice(None)) -> Array:
        """Return the losses of some samples, shape (..., n)."""
        return self.loss.value(self.model.value(_beside(x, self.x[chosen])), self.y[chosen])

    def sample_gradients(self, x: Array, chosen: NDArray[np.intp] | slice = slice(None)) -> Array:
        """Return the gradients of the losses of some samples, shape (..., n, dim)."""
        z, slope = self.model.value_and_gradient(_beside(x, self.x[chosen]))
        found: Array = self.loss.slope(z, self.y[chosen])[..., None] * slope[..., : self.dim]
        return found

    def residuals(self, x: Array) -> Array:
        """Return the residuals of the squared error, shape (..., n)."""
        return (self.model.value(_beside(x, self.x)) - self.y) / math.sqrt(self.count)

    def jacobian(self, x: Array) -> Array:
        """Return their derivatives, shape (..., n, dim)."""
        slopes = self.model.gradient(_beside(x, self.x))[..., : self.dim]
        return slopes / math.sqrt(self.count)

    def _means(self, x: Array) -> Array:
        """Return value and gradient at points, shape (points, 1 + dim)."""
        z, slope = self.model.value_and_gradient(_beside(x, self.x))
        slopes = self.loss.slope(z, self.y)[..., None] * slope[..., : self.dim]
        losses = self.loss.value(z, self.y)
        return np.column_stack([losses.mean(axis=-1), slopes.mean(axis=-2)])

    def _mean_hessian(self, x: Array) -> Array:
        points = _beside(x, self.x)
        z, slope = self.model.value_and_gradient(points)
        slope, bent = slope[..., : self.dim], self.model.hessian(points)
        outer = slope[..., :, None] * slope[..., None, :]
        curved = self.loss.curvature(z, self.y)[..., None, None] * outer
        tilted = self.loss.slope(z, self.y)[..., None, None] * bent[..., : self.dim, : self.dim]
        mean: Array = (curved + tilted).mean(axis=-3)
        return mean

    def _blockwise(
        self, evaluate: Callable[[Array], Array], x: Array, shape: tuple[int, ...]
    ) -> Array:
        """Return what is evaluated at points, some of them at a time; each has a shape."""
        points, many = x.reshape(-1, self.dim), max(1, BLOCK // self.count)
        parts = [evaluate(points[at : at + many]) for at in range(0, len(points), many)]
        found = np.concatenate([np.empty((0, *shape)), *parts])
        return found.reshape((*x.shape[:-1], *shape))


def _beside(parameters: Array, x: Array) -> Array:
    """Return points of a model: parameters, shape (..., dim), beside features, shape (n,)."""
    dim = parameters.shape[-1]
    points = np.empty((*parameters.shape[:-1], len(x), dim + 1))
    points[..., :dim], points[..., dim] = parameters[..., None, :], x
    return points


@lru_cache(maxsize=8)
def fit(config: FitConfig, variables: tuple[str, ...]) -> Fit:
    """Return the fit of a declaration over its parameters in this order.

    Raises InputError if it has no samples, or other parameters.
    """
    names = config.names
    if sorted(names.parameters) != sorted(variables):
        said = f"{enumerated(names.parameters)}, not {enumerated(variables)}"
        raise InputError(f"the parameters of {config.formula} are {said}")
    model = compiled(config.formula, (*variables, names.feature))
    return Fit(model, *config.load(), LOSSES[config.loss], (config, variables))


class BestFit(NamedTuple):
    """The best parameters, and an interval of each around it; both are () if none was found."""

    parameters: tuple[float, ...] = ()
    window: tuple[tuple[float, float], ...] = ()


@lru_cache(maxsize=8)
def best_fit(config: FitConfig, variables: tuple[str, ...]) -> BestFit:
    """Return the best fit of a declaration, whose loss has no slope there and curves upwards.

    The window holds the ellipse in which the loss, to second order, is above its minimum by at most
    that of a fit that knows nothing: half the variance of y, or log 2 for labels.
    """
    objective = fit(config, variables)
    with np.errstate(all="ignore"):
        best = _descended(objective)
        if best is None:
            return BestFit()
        curved = objective.hessian(best)
        height = math.log(2) if config.loss == "logistic" else float(objective.y.var()) / 2
        half = np.sqrt(2 * (height or 1.0) * np.diag(np.linalg.inv(curved)))
    sides = []
    for middle, length in zip(best.tolist(), half.tolist(), strict=True):
        digits = DIGITS - math.floor(math.log10(length))
        ends = round(middle - length, digits) + 0.0, round(middle + length, digits) + 0.0
        sides.append(ends)
    return BestFit(tuple(best.tolist()), tuple(sides))


def _descended(objective: Fit) -> Array | None:
    """Return the least of the minima found from some round numbers, None if there is none.

    The steps are Newton's, damped as those of Levenberg and Marquardt, with the curvature's size.
    """
    grid = np.meshgrid(*[TRIED] * objective.dim, indexing="ij")
    tried = np.stack(grid, axis=-1).reshape(-1, objective.dim)
    losses = objective.value(tried)
    order = np.argsort(losses)[:SEARCHED]
    x = tried[order][np.isfinite(losses[order])]
    if not len(x):
        return None
    value, damping = objective.value(x), np.full((len(x), 1), 1e-3)
    for _ in range(ROUNDS):
        step = _newton_step(objective, x, damping)
        moved = x - step
        found = objective.value(moved)
        better = (found <= value)[:, None]
        small = _is_short(step, x, CLOSE)
        x, value = np.where(better, moved, x), np.where(better[:, 0], found, value)
        damping = np.where(better, damping / 10, damping * 10).clip(0.0, 1e16)
        if small.all():
            break
    best = x[[value.argmin()]]
    curved = np.linalg.eigvalsh(_finite(objective.hessian(best)))[0]
    for _ in range(POLISHING):  # as losses near a minimum differ by no more than rounding
        left = _newton_step(objective, best, np.zeros((1, 1)))
        if not (curved[0] > SINGULAR * curved[-1] and _is_short(left, best, NEAR).all()):
            return None
        best = best - left
    return np.asarray(best[0])


def _is_short(step: Array, x: Array, share: float) -> Array:
    """Return which steps are at most a share of points, both of shape (n, dim)."""
    return np.asarray((np.abs(step) <= share * (LEAST + np.abs(x))).all(axis=-1))


def _newton_step(objective: Fit, x: Array, damping: Array) -> Array:
    """Return the step to subtract from points of shape (n, dim), damped by shape (n, 1)."""
    curved, axes = np.linalg.eigh(_finite(objective.hessian(x)))
    size = np.abs(curved)
    scale = size + damping * size.max(axis=-1, keepdims=True)
    along = np.einsum("pij,pi->pj", axes, _finite(objective.gradient(x)))
    step: Array = np.einsum("pij,pj->pi", axes, along / np.where(scale > 0, scale, 1.0))
    return step


def _finite(numbers: Array) -> Array:
    return np.nan_to_num(numbers, nan=0.0, posinf=0.0, neginf=0.0)
