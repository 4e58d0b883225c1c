"""Line searches along the step of another optimizer, whose name they precede: wolfe+newton."""

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from optiviz.objective import Array, Objective
from optiviz.optimizers.base import IDENTITY, Hyper, hyper
from optiviz.optimizers.wrappers import Wrapper
from optiviz.shapes import Points, Segment, Sketch
from optiviz.system.errors import InputError

MOST_TRIALS = 60  # of backtracking, each at most half as long as the one before by default
MOST_BISECTIONS = 150
SHOWN = 10  # lengths that a bisection has tried and a sketch shows
ROUNDING = 10 * float(np.finfo(float).eps)  # relative error of a value
SCIPY_TRIALS = 11  # in an interval, as scipy has
MOST_DOUBLINGS, MOST_HALVINGS = 60, 60  # of a Wolfe search, and of its last interval


Trial = tuple[Array, Array]  # lengths, and by how much the values there are above the tangent


class SearchState(NamedTuple):
    """State of a line search: what the last step has searched."""

    inner: Any  # state of the inner optimizer
    point: Array  # (..., dim), that the step left
    direction: Array  # (..., dim)
    tried: Array  # (..., n), lengths in their order; nan where a search was done before others
    length: Array  # (..., 1), that was accepted
    downhill: Array  # (..., 1), 1 if the inner optimizer's step was, and so is the direction

    @property
    def recorded(self) -> dict[str, Any]:
        """The numbers that are drawn against the step."""
        return {"inner": self.inner, "length": self.length[..., 0]}


class Ray(NamedTuple):
    """An objective along x + t * direction: values and slopes of shape (..., 1)."""

    objective: Objective
    x: Array
    direction: Array
    value: Array  # at t = 0
    slope: Array  # at t = 0, negative or 0

    def value_at(self, t: Any) -> Array:
        """Return f(x + t * direction)."""
        return self.objective.value(self.x + t * self.direction)[..., None]

    def at(self, t: Any) -> tuple[Array, Array]:
        """Return value and slope."""
        value, g = self.objective.value_and_gradient(self.x + t * self.direction)
        return value[..., None], (g * self.direction).sum(axis=-1, keepdims=True)


@dataclass(frozen=True, eq=False, kw_only=True)
class LineSearch(Wrapper):
    """A wrapper that takes the step of another optimizer at a rate of 1 as a direction only.

    The inner optimizer keeps its state, which knows nothing of the length. Its learning rate is no
    hyperparameter.
    """

    sets_rate = True

    @property
    def uses_gradient(self) -> bool:  # type: ignore[override]
        return True

    @property
    def rate(self) -> str:
        return ""

    @property
    def has_loops(self) -> bool:  # type: ignore[override]
        return True

    @property
    def has_sketch(self) -> bool:
        return True

    @property
    def follows_gradient(self) -> bool:  # type: ignore[override]
        return self.inner.follows_gradient

    @property
    def has_ball(self) -> bool:
        return self.inner.has_ball and self.follows_gradient

    def hyperparameters(self) -> dict[str, Any]:
        return self._without_rate(super().hyperparameters())

    def settings(self) -> dict[str, Any]:
        return self._without_rate(super().settings())

    def _without_rate(self, values: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if name != self.inner.rate}

    def init(self, x: Array) -> SearchState:
        none = np.zeros_like(x[..., :1])
        return SearchState(self.inner.init(x), x, np.zeros_like(x), none[..., :0], none, none)

    def step(self, objective: Objective, x: Array, state: SearchState) -> tuple[Array, SearchState]:
        moved, inner = self.inner.step(objective, x, state.inner)
        value, g = objective.value_and_gradient(x)
        direction = moved - x
        slope = (g * direction).sum(axis=-1, keepdims=True)
        downhill = slope < 0
        direction = np.where(downhill, direction, -g)
        slope = np.where(downhill, slope, -(g * g).sum(axis=-1, keepdims=True))
        length, tried = self.search(Ray(objective, x, direction, value[..., None], slope))
        kept = np.where(downhill, 1.0, 0.0)
        return x + length * direction, SearchState(inner, x, direction, tried, length, kept)

    @abstractmethod
    def search(self, ray: Ray) -> tuple[Array, Array]:
        """Return the length that is accepted, shape (..., 1), and those tried, shape (..., n)."""

    def sketch(self, state: SearchState) -> Sketch:
        tried = state.tried[np.isfinite(state.tried) & (state.tried != state.length)]
        ends = np.array([0.0, *tried, *state.length]).max() * np.array([[0.0], [1.0]])
        return (
            *self.inner.sketch(state.inner),
            Segment(state.point + ends * state.direction),
            Points(state.point + tried[:, None] * state.direction),
            Points(state.point + state.length[:, None] * state.direction, "accepted"),
        )

    def preconditioner(self, state: SearchState) -> Array | None:
        return self.inner.preconditioner(state.inner) if state.downhill else IDENTITY


@dataclass(frozen=True, eq=False, kw_only=True)
class Exact(LineSearch):
    """An exact line search: to a minimum along the step of another optimizer.

        p <- step of the inner optimizer with lr = 1        (-g if that is no descent direction)
        x <- x + t * p                                      t = argmin f(x + t * p), t > 0

    Paper: Cauchy, Methode generale pour la resolution des systemes d'equations simultanees, 1847;
    Nocedal and Wright, Numerical Optimization, 2006, section 3.1.

    t is doubled from `first` on while f falls and slopes down, and then bisected to the last digit;
    of several minima along the ray, it ends in one that is lower than x. If f falls without end,
    so does the path.
    """

    first: Hyper = hyper(1.0, help="length that is tried first", within="(0, inf)")

    def search(self, ray: Ray) -> tuple[Array, Array]:
        return bisected(ray, self.first)


def bisected(ray: Ray, first: Hyper) -> tuple[Array, Array]:
    """Return lengths to a minimum along rays, shape (..., 1), and the first that were tried."""
    low, lowest = np.zeros_like(ray.value), ray.value
    high = np.full_like(low, np.inf)
    tried = []
    for _ in range(MOST_BISECTIONS):
        t = np.where(np.isinf(high), np.where(low == 0, first, 2 * low), low + (high - low) / 2)
        ended = (t == low) | (t == high) | (ray.slope == 0)
        if ended.all():
            break
        value, slope = ray.at(t)
        falls = (value <= lowest + ROUNDING * np.abs(lowest)) & (slope < 0)
        falls &= np.isfinite(value) & np.isfinite(slope)
        low, lowest = np.where(falls, t, low), np.where(falls, value, lowest)
        high = np.where(falls, high, t)
        tried.append(np.where(ended, np.nan, t))
    return low, np.concatenate([low[..., :0], *tried[:SHOWN]], axis=-1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Backtracking(LineSearch):
    """Backtracking: the step of another optimizer is shortened until f falls enough.

        p <- step of the inner optimizer with lr = 1        (-g if that is no descent direction)
        t <- first, shrink * first, shrink**2 * first ...
             until f(x + t * p) <= f(x) + c1 * t * g'p      Armijo's condition
        x <- x + t * p

    Paper: Armijo, Minimization of functions having Lipschitz continuous first partial derivatives,
    1966; Nocedal and Wright, Numerical Optimization, 2006, algorithm 3.1; interpolation: section
    3.5.

    With interpolate, the same as scipy's line_search_armijo. After 60 trials x stays where it is.
    """

    first: Hyper = hyper(1.0, help="length that is tried first", within="(0, inf)")
    c1: Hyper = hyper(1e-4, help="fraction of the decrease of the tangent", within="(0, 1)")
    shrink: Hyper = hyper(0.5, help="factor of each further length", within="(0, 1)")
    interpolate: bool = hyper(
        False, help="try the minimum of a parabola, then of cubics, through what is known"
    )

    def search(self, ray: Ray) -> tuple[Array, Array]:
        t = self.first * np.ones_like(ray.value)
        length, done = np.zeros_like(t), np.zeros_like(t, bool)
        tried, known = [], list[Trial]()
        for number in range(MOST_TRIALS):
            tried.append(np.where(done, np.nan, t))
            value = ray.value_at(t)
            falls = np.isfinite(value) & (value <= ray.value + self.c1 * t * ray.slope)
            length, done = np.where(falls & ~done, t, length), falls | done
            if done.all():
                break
            following = self.shrink * t
            if self.interpolate:
                if number > 1:  # a cubic's minimum that is too near or too far counts as half
                    last = known[-1][0]
                    t = np.where((last - t > last / 2) | (1 - t / last < 0.96), last / 2, t)
                known.append((t, value - ray.value - ray.slope * t))
                with np.errstate(all="ignore"):  # of runs that are done
                    guess = _interpolated(ray.slope, *known[-2:])
                following = np.where(np.isfinite(guess) & (guess > 0), guess, following)
            t = following
        return length, np.concatenate(tried, axis=-1)


def _interpolated(slope: Array, first: Trial, second: Trial | None = None) -> Array:
    """Return the minimum of the parabola through one trial, or of the cubic through two."""
    t, above = first
    if second is None:
        return -slope * t**2 / 2 / above
    last, high = second
    factor = t**2 * last**2 * (last - t)
    a = (t**2 * high - last**2 * above) / factor
    b = (last**3 * above - t**3 * high) / factor
    return (np.sqrt(np.abs(b**2 - 3 * a * slope)) - b) / (3 * a)


@dataclass(frozen=True, eq=False, kw_only=True)
class Wolfe(LineSearch):
    """A search for a length at which f is lower and its slope along the step is flatter.

        p <- step of the inner optimizer with lr = 1        (-g if that is no descent direction)
        t <- first, 2 * first, 4 * first ... until it is too long, then within the last interval,
             until f(x + t * p) <= f(x) + c1 * t * g'p      the strong Wolfe conditions
             and abs(g(x + t * p)'p) <= c2 * abs(g'p)
        x <- x + t * p

    Paper: Wolfe, Convergence Conditions for Ascent Methods, 1969; Nocedal and Wright, Numerical
    Optimization, 2006, algorithms 3.5 and 3.6.

    The same as scipy.optimize.line_search where that finds a length; where it gives up, after 10
    doublings or 11 trials in the interval, t is doubled further, up to 60 times, and the interval
    is halved. If no length meets both conditions, as where f falls without end along p or is flat
    up to rounding, the lowest that was found to meet the first one is taken.
    """

    first: Hyper = hyper(1.0, help="length that is tried first", within="(0, inf)")
    c1: Hyper = hyper(1e-4, help="fraction of the decrease of the tangent", within="(0, 1)")
    c2: Hyper = hyper(0.9, help="fraction of the slope", within="(0, 1)")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not np.less(self.c1, self.c2).all():
            raise InputError(f"c1 must be smaller than c2, not {self.c1} and {self.c2}")

    @property
    def vectorized(self) -> bool:  # type: ignore[override]
        return False

    def search(self, ray: Ray) -> tuple[Array, Array]:
        tried: list[float] = []
        length = _Search(ray, float(self.c1), float(self.c2), tried).length(float(self.first))
        return np.array([length]), np.array(tried)


class _Trial(NamedTuple):
    """A length, and value and slope there."""

    t: float
    value: float
    slope: float


class _Search:
    """The search of algorithms 3.5 and 3.6, along one ray."""

    def __init__(self, ray: Ray, c1: float, c2: float, tried: list[float]) -> None:
        self.ray, self.c1, self.c2, self.tried = ray, c1, c2, tried
        self.begin = _Trial(0.0, ray.value.item(), ray.slope.item())

    def length(self, t: float) -> float:
        """Return the length that is accepted, of which t is tried first."""
        last = self.begin
        for number in range(MOST_DOUBLINGS):
            here = self._at(t)
            if self._is_high(here) or (number and here.value >= last.value):
                return self._within(last, here)
            if self._is_flat(here):
                return t
            if here.slope >= 0:
                return self._within(here, last)
            last, t = here, 2 * t
        return last.t

    def _at(self, t: float) -> _Trial:
        self.tried.append(t)
        value, slope = self.ray.at(t)
        return _Trial(t, value.item(), slope.item())

    def _is_high(self, here: _Trial) -> bool:
        if not (math.isfinite(here.value) and math.isfinite(here.slope)):
            return True
        return here.value > self.begin.value + self.c1 * here.t * self.begin.slope

    def _is_flat(self, here: _Trial) -> bool:
        return abs(here.slope) <= -self.c2 * self.begin.slope

    def _within(self, low: _Trial, high: _Trial) -> float:
        """Return a length between two, of which `low` has the lower value."""
        found, met = self._zoomed(low, high, SCIPY_TRIALS, self._guess)
        if met:
            return found.t
        halved, met = self._zoomed(low, high, MOST_HALVINGS, _middle)
        return halved.t if met or halved.value < found.value else found.t

    def _zoomed(
        self, low: _Trial, high: _Trial, most: int, guess: Callable[..., float]
    ) -> tuple[_Trial, bool]:
        """Return the lowest length that was found, and whether it meets both conditions."""
        other = None  # the end of the interval that was given up last
        for _ in range(most):
            here = self._at(guess(low, high, other))
            if self._is_high(here) or here.value >= low.value:
                other, high = high, here
                continue
            if self._is_flat(here):
                return here, True
            if here.slope * (high.t - low.t) >= 0:
                other, high = high, low
            else:
                other = low
            low = here
        return low, False

    def _guess(self, low: _Trial, high: _Trial, other: _Trial | None) -> float:
        """Return the minimum of a cubic or a parabola, or the middle if that is near an end."""
        width = high.t - low.t
        guesses = [(_parabola(low, high), 0.1)]
        if other is not None:
            guesses.insert(0, (_cubic(low, high, other), 0.2))
        for guess, share in guesses:
            # As in scipy, where the margin is negative if `high` is the shorter end.
            begin, end = min(low.t, high.t), max(low.t, high.t)
            if begin + share * width <= guess <= end - share * width:
                return guess
        return _middle(low, high, other)


def _middle(low: _Trial, high: _Trial, other: _Trial | None) -> float:
    """Return the middle of an interval."""
    return low.t + (high.t - low.t) / 2


def _parabola(low: _Trial, high: _Trial) -> float:
    """Return the minimum of the parabola through two values and the slope at `low`."""
    width = np.float64(high.t - low.t)
    return float(low.t - low.slope / (2 * (high.value - low.value - low.slope * width) / width**2))


def _cubic(low: _Trial, high: _Trial, other: _Trial) -> float:
    """Return the minimum of the cubic through three values and the slope at `low`, else nan."""
    first, second = np.float64(high.t - low.t), np.float64(other.t - low.t)
    rise = high.value - low.value - low.slope * first
    other_rise = other.value - low.value - low.slope * second
    factor = (first * second) ** 2 * (first - second)
    a = (second**2 * rise - first**2 * other_rise) / factor
    b = (first**3 * other_rise - second**3 * rise) / factor
    return float(low.t + (np.sqrt(b * b - 3 * a * low.slope) - b) / (3 * a))
