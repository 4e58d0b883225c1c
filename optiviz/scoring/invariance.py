"""Whether the path of an optimizer stays the same when the problem is rotated, moved or scaled."""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from optiviz.descent.walk import descend, walk
from optiviz.objective import Array, Objective, Stream
from optiviz.optimizers.base import Method, Optimizer, check_noise, check_offered
from optiviz.optimizers.lookup import factory_of, is_third_party_optimizer
from optiviz.optimizers.spec import OptimizerSpec
from optiviz.scoring.problems import TOLERANCE
from optiviz.scoring.rates import RATES, is_searched
from optiviz.surfaces.noise import GradientNoise
from optiviz.system.errors import InputError

TRANSFORMATIONS = {
    "rotation": "the variables are rotated",
    "translation": "the minimum is moved, and the start with it",
    "scale-x": "each variable is measured in another unit",
    "scale-f": "the loss is a thousand times as large",
    "noise": "Gaussian noise is added to each gradient",
}
STEPS = 60  # few enough that rounding does not grow to more than SAME
SAME = 1e-6  # difference, as a fraction of the loss at the start, up to which a path is the same
CONVERGED = 1e-12  # gap, as a fraction of that at the start, from which on rounding decides
NOISE, NOISES = 0.05, 5  # standard deviation, as a share of the first gradient; its seeds
ANGLE, MOVED, UNITS, FACTOR = 0.7, (3.0, -5.0), (20.0, 0.5), 1000.0
START = 2.6, -1.9


class Invariance(NamedTuple):
    """What a transformation of a problem does to an optimizer with the same hyperparameters.

    difference is the largest difference of its losses from those on the problem as it was, as a
    fraction of the loss at the start, until it has converged there. lost is by what factor its
    final gap is larger; gaps below TOLERANCE count as that much, since both are solved then. With
    noise, both are means over several seeds. passes is whether the difference is only one of
    rounding; it is None for noise, which changes every path, for random steps that differ, as they
    are drawn for each coordinate, and if nothing can be said: then difference and lost are nan, and
    cause says why.
    """

    passes: bool | None
    difference: float
    lost: float
    cause: str = ""


class Valley:
    """The problem that is transformed: half the sum of the squares of two residuals.

    They are u + v/2 + u**2/8 and 2*v - 1.2*u + v**3/12 with u = x - 1 and v = y + 1/2: a tilted
    valley with a bend, neither quadratic nor symmetric, whose variables are not separate. Its
    minimum is 0, at (1, -1/2). It has a metric as well, for methods that need one. Points have
    shape (..., 2).
    """

    dim = 2
    sides = np.array([8.0, 8.0])  # of the window in which it would be drawn

    def value(self, x: Array) -> Array:
        """Return f(x), shape (...)."""
        return np.asarray((self.residuals(x) ** 2).sum(axis=-1) / 2)

    def gradient(self, x: Array) -> Array:
        """Return df/dx, shape (..., 2)."""
        return (self.residuals(x)[..., None, :] @ self.jacobian(x))[..., 0, :]

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return value and gradient."""
        return self.value(x), self.gradient(x)

    def residuals(self, x: Array) -> Array:
        """Return the residuals, shape (..., 2)."""
        u, v = _from_minimum(x)
        return np.stack([u + v / 2 + u * u / 8, 2 * v - 1.2 * u + v**3 / 12], axis=-1)

    def jacobian(self, x: Array) -> Array:
        """Return their derivatives, shape (..., 2, 2)."""
        u, v = _from_minimum(x)
        rows = [1 + u / 4, 0.5 + 0 * u], [-1.2 + 0 * u, 2 + v * v / 4]
        return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)

    def hessian(self, x: Array) -> Array:
        """Return d2f/dx2, shape (..., 2, 2)."""
        slopes = self.jacobian(x)
        return slopes.swapaxes(-1, -2) @ slopes + _diagonal(self.residuals(x) * _bends(x))

    def third_derivatives(self, x: Array) -> Array:
        """Return d3f/dx3, shape (..., 2, 2, 2)."""
        bent = _bends(x)[..., None] * self.jacobian(x)  # of each residual, in its own variable
        found = np.zeros((*x.shape, 2, 2))
        for each in range(2):
            found[..., each, each, :] += bent[..., each, :]
            found[..., each, :, each] += bent[..., each, :]
            found[..., :, each, each] += bent[..., each, :]
        found[..., 1, 1, 1] += self.residuals(x)[..., 1] / 2
        return found

    def metric(self, x: Array) -> Array:
        """Return the metric of its space, shape (..., 2, 2)."""
        return _diagonal(1 + x * x / 4)


def _from_minimum(x: Array) -> tuple[Array, Array]:
    return x[..., 0] - 1, x[..., 1] + 0.5


def _bends(x: Array) -> Array:
    """Return the second derivative of each residual, in u and in v, shape (..., 2)."""
    return np.stack([np.full(x.shape[:-1], 0.25), (x[..., 1] + 0.5) / 2], axis=-1)


def _diagonal(numbers: Array) -> Array:
    """Return matrices with these on their diagonals, shape (..., 2, 2)."""
    return numbers[..., None] * np.eye(2)


def invariances(spec: OptimizerSpec, seed: int = 0) -> dict[str, Invariance]:
    """Return what each of TRANSFORMATIONS does to an optimizer.

    Its learning rate, if it is searched, is the one of RATES with the lowest mean loss of all steps
    on the problem as it is. seed is that of noise, and of random steps. Third-party code is run,
    and whatever it raises is the cause.
    """
    spec = replace(spec.with_total_steps(STEPS), seed=seed)
    name, valley, start = spec.heading, Valley(), np.array(START)
    try:
        if lacks := _lacks(spec.probe(), valley, name):
            return dict.fromkeys(TRANSFORMATIONS, _unknown(lacks))
        method = _configured(spec)
        plain = _losses(valley, method, start, name)
    except (InputError, _Ended) as error:
        return dict.fromkeys(TRANSFORMATIONS, _unknown(error))
    found = {}
    for each, (matrix, shift, factor) in _TRANSFORMED.items():
        there = Transformed(valley, matrix, shift, factor)
        try:
            losses = _losses(there, method, np.linalg.solve(matrix, start - shift), name)
        except _Ended as error:
            found[each] = _unknown(error)
            continue
        difference, lost = _compared(plain, losses / factor)
        same = difference <= SAME
        drawn = method.draws(valley) and not same
        cause = "its steps are drawn at random for each coordinate" if drawn else ""
        found[each] = Invariance(None if drawn else same, difference, lost, cause)
    return {**found, "noise": _with_noise(plain, method, seed, name)}


class Transformed:
    """An objective as a function of y, of factor * f(matrix @ y + shift).

    matrix has shape (dim, dim) and shift (dim,). What the objective offers beside its protocol is
    transformed as well: second and third derivatives, residuals, the metric, and the sides of the
    window, which are measured in the new units and stay the same in another frame.
    """

    def __init__(self, objective: Any, matrix: Array, shift: Array, factor: float) -> None:
        self._objective, self._matrix, self._shift = objective, matrix, shift
        self.dim: int = objective.dim
        self.sides = objective.sides / np.linalg.norm(matrix, axis=0)
        root = np.sqrt(factor)
        # Of each, the factor, and how many of its last axes are those of coordinates.
        for name, (times, axes) in {
            "hessian": (factor, 2),
            "third_derivatives": (factor, 3),
            "residuals": (root, 0),
            "jacobian": (root, 1),
            "metric": (1.0, 2),
        }.items():
            if getattr(objective, name, None) is not None:
                setattr(self, name, partial(self._of, name, times, axes))
        self._factor = factor

    def value(self, y: Array) -> Array:
        """Return its value, shape (...), for y of shape (..., dim)."""
        return self._of("value", self._factor, 0, y)

    def gradient(self, y: Array) -> Array:
        """Return its gradient, shape (..., dim)."""
        return self._of("gradient", self._factor, 1, y)

    def value_and_gradient(self, y: Array) -> tuple[Array, Array]:
        """Return value and gradient."""
        return self.value(y), self.gradient(y)

    def _of(self, name: str, times: float, axes: int, y: Array) -> Array:
        found = getattr(self._objective, name)(y @ self._matrix.T + self._shift)
        for _ in range(axes):  # the next axis comes to the end, so that all are back after the last
            found = np.moveaxis(found @ self._matrix, -1, -axes)
        return np.asarray(times * found)


def _rotation(angle: float) -> Array:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


_EYE, _ZERO = np.eye(2), np.zeros(2)
_TRANSFORMED = {
    "rotation": (_rotation(ANGLE), _ZERO, 1.0),
    "translation": (_EYE, np.array(MOVED), 1.0),
    "scale-x": (np.diag(UNITS), _ZERO, 1.0),
    "scale-f": (_EYE, _ZERO, FACTOR),
}


class _Ended(Exception):
    """A run that third-party code ended."""


def _unknown(cause: Exception | str) -> Invariance:
    return Invariance(None, np.nan, np.nan, str(cause))


def _lacks(method: Method, objective: Objective | Stream, name: str) -> str:
    """Return what an objective lacks that a method needs, as a sentence, "" if it lacks nothing."""
    try:
        check_offered(method, objective, name)
        if isinstance(objective, Stream):
            check_noise(method, name)
    except InputError as error:
        return str(error).partition(": ")[0]  # what follows is what to write in a command
    return ""


def _configured(spec: OptimizerSpec) -> Method:
    """Return an optimizer with the best of RATES, if its rate is searched."""
    if not is_searched(spec):
        return spec.build()
    rate = factory_of(spec.name).rate
    means = _mean_losses(spec, rate)
    return spec.build(**{rate: float(RATES[np.argmin(means)])})


def _mean_losses(spec: OptimizerSpec, rate: str) -> Array:
    """Return the mean loss of all steps with each of RATES; inf if one is not finite."""
    valley, start = Valley(), np.array(START)
    own = is_third_party_optimizer(spec.name)
    method = None if own else spec.build(**{rate: RATES[:, None]}).walker
    if isinstance(method, Optimizer) and method.vectorized:
        with np.errstate(all="ignore"):
            walked = walk(valley, method, np.tile(start, (len(RATES), 1)), STEPS)
            means = np.mean([valley.value(x) for x, _ in walked], axis=0)
        return np.where(np.isfinite(means), means, np.inf)
    means = np.full(len(RATES), np.inf)
    for place, each in enumerate(RATES.tolist()):
        with suppress(InputError, _Ended):  # third-party code may reject a rate
            means[place] = _losses(valley, spec.build(**{rate: each}), start, spec.heading).mean()
    return means


def _losses(objective: Objective | Stream, method: Method, start: Array, label: str) -> Array:
    """Return the loss before and after each step, shape (STEPS + 1,); inf once it is not finite.

    Raises _Ended if its code fails.
    """
    path = descend(objective, method, start, STEPS, label, sketch=False)
    if path.stopped:
        raise _Ended(path.stopped)
    return np.where(np.isnan(path.losses), np.inf, path.losses)


def _compared(plain: Array, losses: Array) -> tuple[float, float]:
    """Return the difference of losses from others, and what is lost; the minimum is 0."""
    both = plain / plain[0], losses / plain[0]
    going = np.logical_and.accumulate(both[0] > CONVERGED)
    with np.errstate(invalid="ignore"):  # both may be infinite, and then are not different
        difference = np.abs(np.where(both[0] == both[1], 0, both[1] - both[0])).max(
            where=going, initial=0
        )
        before, after = (max(float(each[-1]), TOLERANCE) for each in both)
        return float(difference), after / before if after != before else 1.0


def _with_noise(plain: Array, method: Method, seed: int, name: str) -> Invariance:
    valley, start = Valley(), np.array(START)
    sigma = NOISE * float(np.linalg.norm(valley.gradient(start)))
    noisy = [GradientNoise(valley, sigma, seed + number) for number in range(NOISES)]
    if lacks := _lacks(method, noisy[0], name):
        return _unknown(lacks)
    try:
        found = [_compared(plain, _losses(each, method, start, name)) for each in noisy]
    except _Ended as error:
        return _unknown(error)
    difference, lost = np.mean(found, axis=0).tolist()
    return Invariance(None, difference, lost)
