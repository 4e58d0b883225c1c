"""Feasible sets: the points that satisfy constraints, and the nearest ones to any point.

In one or two dimensions, the nearest point of an intersection of half-planes and ellipses is the
point itself, the nearest one of a single edge, or a corner, where two edges meet. So there are
finitely many candidates, and all formulas are closed but the one for an ellipse that is no circle.
Sets of other shapes are projected onto numerically.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array, Constraint, scipy_constraints
from optiviz.surfaces.constraints import Comparison, comparisons, parts_of
from optiviz.surfaces.domain import MAX_COORDINATE
from optiviz.surfaces.formula import formula
from optiviz.surfaces.syntax import named_formula
from optiviz.system.errors import InputError, require_package

NEAR = 1e-9  # distance up to which a point is feasible, relative to the size of the set
ROUNDING = 1e-12  # of candidates, in the same unit
NEWTON_STEPS = 40  # to the nearest point of an ellipse
ACTIVE, POLISHED = 1e-6, 4  # distance of an edge on which a point is; Newton steps onto it
TRIED = 5  # starts per side of a search for a feasible point
STEEPEST = 1e6  # slope up to which a value tells the distance from an edge
SAMPLED = 65  # points per side among which feasible ones are sought
AROUND, NARROWED = 9, 60  # points per side around a feasible one that are compared; how often
EMPTY = "no point satisfies all of {}"
NOT_FOUND = "found no point that satisfies all of {}"


@dataclass(frozen=True, eq=False)
class HalfSpace:
    """The points with normal'x <= offset or, if `equal`, normal'x == offset; |normal| is 1."""

    normal: Array  # (dim,)
    offset: float
    equal: bool = False

    def value(self, x: Array) -> Array:
        """Return by how much points are beyond the edge, shape (...)."""
        # Not a product of matrices, whose last bit depends on how many points there are.
        return np.asarray((x * self.normal).sum(axis=-1) - self.offset)

    def gradient(self, x: Array) -> Array:
        """Return its derivative, shape (..., dim)."""
        return np.broadcast_to(self.normal, x.shape)

    def hessian(self, x: Array) -> Array:
        """Return its second derivatives, all 0, shape (..., dim, dim)."""
        return np.zeros((*x.shape, x.shape[-1]))

    def excess(self, x: Array) -> Array:
        """Return the distances from the set, at most 0 inside, shape (...)."""
        beyond = self.value(x)
        return np.abs(beyond) if self.equal else beyond

    def nearest(self, x: Array) -> Array:
        """Return the nearest points of the edge, shape (..., dim)."""
        for _ in range(2):  # the second time corrects the rounding of a distant point
            x = x - self.value(x)[..., None] * self.normal
        return x

    @property
    def size(self) -> float:
        return abs(self.offset)


@dataclass(frozen=True, eq=False)
class Ellipse:
    """The points with (x - center)' matrix (x - center) <= 1, where matrix has shape (2, 2).

    side is 1 for these, 0 for the edge alone and -1 for the points outside, both of a circle.
    """

    center: Array
    matrix: Array
    side: int = 1

    @property
    def equal(self) -> bool:
        return self.side == 0

    @property
    def _sign(self) -> int:
        return self.side or 1

    @cached_property
    def _axes(self) -> tuple[Array, Array]:
        """The half axes, shape (2,), and their directions as columns."""
        squares, directions = np.linalg.eigh(self.matrix)
        radii = 1 / np.sqrt(squares)
        return radii, np.eye(len(radii)) if radii[0] == radii[-1] else directions

    @property
    def size(self) -> float:
        return float(np.abs(self.center).max() + self._axes[0].max())

    def value(self, x: Array) -> Array:
        """Return (x - center)' matrix (x - center) - 1, negated for points outside, shape (...)."""
        return np.asarray(self._sign * ((self._unit(x) ** 2).sum(axis=-1) - 1))

    def gradient(self, x: Array) -> Array:
        """Return its derivative, shape (..., dim)."""
        return 2 * self._sign * _product(x - self.center, self.matrix)

    def hessian(self, x: Array) -> Array:
        """Return its second derivatives, shape (..., dim, dim)."""
        return np.broadcast_to(2 * self._sign * self.matrix, (*x.shape, x.shape[-1]))

    def _unit(self, x: Array) -> Array:
        """Return points in coordinates in which it is the unit circle."""
        radii, directions = self._axes
        return _product(x - self.center, directions) / radii

    def _placed(self, unit: Array) -> Array:
        radii, directions = self._axes
        return self.center + _product(unit * radii, directions.T)

    def excess(self, x: Array) -> Array:
        """Return the distances from it, or slightly more, at most 0 inside, shape (...)."""
        beyond = (np.sqrt((self._unit(x) ** 2).sum(axis=-1)) - 1) * self._axes[0].max()
        return np.asarray(np.abs(beyond) if self.equal else self._sign * beyond)

    def nearest(self, x: Array) -> Array:
        """Return the nearest points of the edge, shape (..., dim); inside, only for a circle."""
        radii, _ = self._axes
        unit = self._unit(x)
        if radii[0] == radii[-1]:
            far = np.sqrt((unit**2).sum(axis=-1, keepdims=True))
            return self._placed(np.where(far == 0, [1.0, 0.0], unit / far))
        # The nearest point is y / (1 + t/radii**2) in its axes, where t > 0 solves `sum = 1`.
        squares = radii**2
        own = unit * squares  # radii * y
        t = np.maximum((np.abs(own) - squares).max(axis=-1, keepdims=True), 0.0)
        for _ in range(NEWTON_STEPS):
            share = own / (t + squares)
            total = (share**2).sum(axis=-1, keepdims=True)
            slope = (share**2 / (t + squares)).sum(axis=-1, keepdims=True)
            t = t + (total - 1) / (2 * slope)
        return self._placed(own / (t + squares))

    def lowest(self, slope: Array) -> Array:
        """Return the points with the least slope's, for slopes of shape (..., dim)."""
        radii, directions = self._axes
        steep = _product(slope, directions) * radii
        far = np.sqrt((steep**2).sum(axis=-1, keepdims=True))
        return self._placed(-steep / np.where(far == 0, 1.0, far))

    def around(self, angles: Array) -> Array:
        """Return points of the edge, shape (..., 2)."""
        return self._placed(np.stack([np.cos(angles), np.sin(angles)], axis=-1))


def _product(x: Array, matrix: Array) -> Array:
    """Return x @ matrix for one or two coordinates; its bits are the same for any shape of x."""
    return np.asarray((x[..., None] * matrix).sum(axis=-2))


@dataclass(frozen=True, eq=False)
class ExactSet:
    """An intersection of half-spaces and ellipses in one or two dimensions, which is not empty.

    Raises InputError if it is empty; `told` is what a message calls its constraints.
    """

    dim: int
    edges: tuple[HalfSpace | Ellipse, ...]
    told: str
    exact: ClassVar = True

    def __post_init__(self) -> None:
        if not self._projected(np.zeros(self.dim))[1].all():
            raise InputError(EMPTY.format(self.told))

    @cached_property
    def _size(self) -> float:
        return max(1.0, *(each.size for each in self.edges))

    def _excess(self, x: Array) -> Array:
        return np.asarray(np.stack([each.excess(x) for each in self.edges]).max(axis=0))

    def contains(self, x: Array) -> NDArray[np.bool_]:
        """Return whether points are feasible, shape (...), up to rounding."""
        with np.errstate(all="ignore"):
            return np.asarray(self._excess(x) <= NEAR * self._size)

    def project(self, x: Array) -> Array:
        """Return the nearest feasible points, shape (..., dim)."""
        return self._projected(x)[0]

    def _projected(self, x: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Return the nearest feasible points, and whether there are any, shape (...)."""
        with np.errstate(all="ignore"):
            corners = (np.broadcast_to(each, x.shape) for each in self._corners)
            tried = np.stack([x, *(each.nearest(x) for each in self.edges), *corners])
            beyond = self._excess(tried)
            beyond = np.where(np.isnan(beyond), np.inf, beyond)
            far = np.sqrt(((tried - x) ** 2).sum(axis=-1))
        allowed = beyond <= ROUNDING * self._size
        known: NDArray[np.bool_] = np.asarray(allowed.any(axis=0))
        cost = np.where(allowed, far, np.where(known, np.inf, beyond))
        return _chosen(tried, cost), known

    def minimize_linear(self, slope: Array) -> Array:
        """Return the feasible points s with the least slope's, for slopes of shape (..., dim).

        Raises InputError if the set is unbounded or not convex.
        """
        if not self.convex:
            raise InputError(f"{self.told} is not convex: segments between its points leave it")
        if not self.bounded:
            raise InputError(f"{self.told} is not bounded: give each variable two bounds")
        with np.errstate(all="ignore"):
            corners = [np.broadcast_to(each, slope.shape) for each in self._corners]
            round_ = (each for each in self.edges if isinstance(each, Ellipse))
            tried = np.stack([*corners, *(each.lowest(slope) for each in round_)])
            allowed = self._excess(tried) <= ROUNDING * self._size
            height = (tried * slope).sum(axis=-1)
        return _chosen(tried, np.where(allowed, height, np.inf))

    @property
    def convex(self) -> bool:
        """Whether segments between its points stay in it."""
        return not any(isinstance(each, Ellipse) and each.side < 1 for each in self.edges)

    @cached_property
    def bounded(self) -> bool:
        """Whether its points are at most at some distance."""
        if any(isinstance(each, Ellipse) and each.side >= 0 for each in self.edges):
            return True
        lines = [each for each in self.edges if isinstance(each, HalfSpace)]
        normals = np.reshape([each.normal for each in lines], (-1, self.dim))
        equal = np.array([each.equal for each in lines], bool)
        turned = np.ones((1, 1)) if self.dim == 1 else normals[:, ::-1] * [1.0, -1.0]
        for way in (*turned, *-turned):  # an unbounded set has an edge that goes on
            rise = normals @ way
            if (np.where(equal, np.abs(rise), rise) <= ROUNDING).all():
                return False
        return True

    @property
    def extent(self) -> Array | None:
        """The least interval of each variable that holds it, shape (dim, 2), None if unbounded."""
        if not self.bounded:
            return None
        round_ = [each for each in self.edges if isinstance(each, Ellipse)]
        ways = np.concatenate([np.eye(self.dim), -np.eye(self.dim)])
        tried = np.concatenate([self._corners, *(each.lowest(ways) for each in round_)])
        allowed = tried[self._excess(tried) <= NEAR * self._size]
        return np.stack([allowed.min(axis=0), allowed.max(axis=0)], axis=-1)

    @property
    def corners(self) -> Array:
        """Those of an interval, a segment or a polygon, shape (n, dim); n is 0 for other sets."""
        polygonal = all(isinstance(each, HalfSpace) for each in self.edges) and self.bounded
        return self._corners if polygonal else np.empty((0, self.dim))

    @cached_property
    def _corners(self) -> Array:
        """The points where two edges meet, or that are an end of an interval, shape (n, dim)."""
        found = np.reshape([*self._meetings()], (-1, self.dim))
        with np.errstate(all="ignore"):
            found = found[self._excess(found) <= 10 * ROUNDING * self._size]
        kept: list[Array] = []
        for each in found:
            if all(np.abs(each - other).max() > NEAR * self._size for other in kept):
                kept.append(each)
        return np.reshape(kept, (-1, self.dim))

    def _meetings(self) -> Iterator[Array]:
        if self.dim == 1:
            yield from (e.normal * e.offset for e in self.edges if isinstance(e, HalfSpace))
            return
        for pair in combinations(self.edges, 2):
            match pair:
                case HalfSpace(), HalfSpace():
                    yield from _crossing(*pair)
                case (HalfSpace() as line, Ellipse() as curve) | (
                    Ellipse() as curve,
                    HalfSpace() as line,
                ):
                    yield from _on_line(curve, line)
                case Ellipse() as one, Ellipse() as other:
                    yield from _on_both(one, other)

    @property
    def box(self) -> Array:
        """The interval of each variable that constraints on it alone leave, shape (dim, 2)."""
        low, high = np.full(self.dim, -np.inf), np.full(self.dim, np.inf)
        for each in self.edges:
            if isinstance(each, HalfSpace) and _is_side(each):
                axis = int(np.argmax(np.abs(each.normal)))
                end = each.offset * each.normal[axis]
                if each.equal or each.normal[axis] > 0:
                    high[axis] = min(high[axis], end)
                if each.equal or each.normal[axis] < 0:
                    low[axis] = max(low[axis], end)
        return np.stack([low, high], axis=-1)

    @property
    def constraints(self) -> Sequence[Constraint]:
        """The constraints on more than one variable."""
        return [each for each in self.edges if not (isinstance(each, HalfSpace) and _is_side(each))]


def _is_side(edge: HalfSpace) -> bool:
    """Return whether a half-space bounds one variable."""
    return int(np.count_nonzero(edge.normal)) == 1


def _distance(x: Array, to: Array) -> float:
    return float(np.sqrt(((x - to) ** 2).sum()))


def _closest(points: Array, to: Array) -> Array:
    """Return the closest point, shape (1, dim), or none of none."""
    return points[((points - to) ** 2).sum(axis=-1).argmin()][None] if len(points) else points


def _grid(intervals: Sequence[tuple[float, float]], many: int) -> Array:
    """Return points of a window, `many` on each side, shape (n, dim)."""
    sides = [np.linspace(low, high, many) for low, high in intervals]
    return np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, len(sides))


def _chosen(tried: Array, cost: Array) -> Array:
    """Return the candidates of the least cost, shape (..., dim), of those along the first axis."""
    best = np.argmin(cost, axis=0)[None, ..., None]
    return np.asarray(np.take_along_axis(tried, best, axis=0)[0])


def _crossing(one: HalfSpace, other: HalfSpace) -> Iterator[Array]:
    normals = np.array([one.normal, other.normal])
    (a, b), (c, d) = normals
    turn = a * d - b * c
    if abs(turn) > ROUNDING:
        x, y = one.offset * d - other.offset * b, other.offset * a - one.offset * c
        yield np.array([x, y]) / turn


def _on_line(curve: Ellipse, line: HalfSpace) -> Iterator[Array]:
    """Yield the points of an ellipse's edge on a line."""
    way = line.normal[::-1] * [1.0, -1.0]
    foot = line.nearest(curve.center)
    away = foot - curve.center
    a, b = way @ curve.matrix @ way, way @ curve.matrix @ away
    root = float(b * b - a * (away @ curve.matrix @ away - 1))
    if root > -ROUNDING:
        for sign in (-1.0, 1.0):
            yield foot + (-b + sign * np.sqrt(max(root, 0.0))) / a * way


def _on_both(one: Ellipse, other: Ellipse) -> Iterator[Array]:
    """Yield the points of two ellipses' edges: roots of a quartic in the angle on the first."""
    angles: Array = 2 * np.pi * np.arange(5) / 5  # five values determine the polynomial
    found = np.fft.fft(other.value(one.around(angles))) / 5
    quartic = [found[2], found[1], found[0], found[-1], found[-2]]
    for root in np.roots(quartic):
        if abs(abs(root) - 1) < 1e-4:
            angle: Array = np.asarray(np.angle(root))
            for _ in range(3):  # Newton steps, as roots have lost digits
                there = one.around(angle)
                turned = one.around(angle + np.pi / 2) - one.center
                slope = other.gradient(there) @ turned
                angle = angle - other.value(there) / slope if slope else angle
            yield one.around(angle)


class Undefined(Exception):
    """A search has left the points at which the constraints are defined."""


@dataclass(frozen=True, eq=False)
class NumericSet:
    """A set with an edge of any shape; points are projected one by one, by scipy.

    Where scipy finds no nearest point, as the constraints have steps or end where they are no
    longer defined, feasible points around the best one known are compared. Raises InputError if no
    feasible point is found in a window of these intervals.
    """

    dim: int
    edges: tuple[Any, ...]  # each with value, gradient and equal
    told: str
    intervals: tuple[tuple[float, float], ...]
    exact: ClassVar = False
    convex: ClassVar = False

    def __post_init__(self) -> None:
        _ = self._inside

    def contains(self, x: Array) -> NDArray[np.bool_]:
        """Return whether points are feasible, shape (...), up to rounding."""
        return self._excess(x) <= NEAR

    def _excess(self, x: Array) -> Array:
        """Return about how far points are from the set, shape (...), inf where it is undefined."""
        most = np.zeros(x.shape[:-1])
        with np.errstate(all="ignore"):
            for each in self.edges:
                value, slope = each.value(x), each.gradient(x)
                steep = np.sqrt((slope**2).sum(axis=-1))
                steep = np.where(np.isfinite(steep), np.clip(steep, 1.0, STEEPEST), 1.0)
                far = (np.abs(value) if each.equal else value) / steep
                most = np.maximum(most, np.where(np.isnan(far), np.inf, far))
        return most

    def project(self, x: Array) -> Array:
        """Return the nearest feasible points that are found, shape (..., dim)."""
        points = np.reshape(x, (-1, self.dim)).copy()
        beyond = (self._excess(points) > ROUNDING) & np.isfinite(points).all(axis=-1)
        for place in np.flatnonzero(beyond):
            points[place] = self._nearest(points[place])
        return points.reshape(x.shape)

    def _nearest(self, to: Array) -> Array:
        inside, close = (_closest(grid, to) for grid in (self._grid_inside, self._grid_close))
        known = inside if len(inside) else self._inside[None]
        far = _distance(inside[0], to) if len(inside) else np.inf
        if len(close):  # the set is within about a cell of it
            far = min(far, _distance(close[0], to) + 2 * max(self._cell))
        found = [*known]
        for start in (*inside, *close, to, *known):
            ended = self._searched(to, start)
            if self._is_in(ended):
                found.append(ended)
                if _distance(ended, to) <= far and self._is_stationary(ended, to):
                    return ended
        best = min(found, key=lambda x: _distance(x, to))
        return best if self._is_stationary(best, to) else self._compared(best, to)

    def _is_in(self, x: Array) -> bool:
        return bool(self.contains(x))

    def _searched(self, to: Array, start: Array) -> Array:
        """Return the feasible point nearest to `to` that scipy finds from a start, or nan."""
        with require_package("a curved constraint", "scipy", "optiviz-cli[scipy]"):
            from scipy.optimize import minimize

        def defined(of: Callable[[Array], Array]) -> Callable[[Array], Array]:
            def checked(x: Array) -> Array:
                found = of(x)
                if not np.isfinite(found).all():
                    raise Undefined
                return found

            return checked

        limits = [
            each | {"fun": defined(each["fun"]), "jac": defined(each["jac"])}
            for each in scipy_constraints(self.edges)
        ]
        try:
            with np.errstate(all="ignore"):
                ended = minimize(
                    lambda x: float(((x - to) ** 2).sum() / 2),
                    start,
                    jac=lambda x: x - to,
                    method="SLSQP",
                    constraints=limits,
                    options={"ftol": 1e-12, "maxiter": 200},
                ).x
                return self._polished(ended, to)
        except Undefined:
            return np.full_like(to, np.nan)

    def _active(self, x: Array) -> list[Any]:
        return [each for each in self.edges if each.equal or each.value(x) > -ACTIVE]

    def _polished(self, x: Array, to: Array) -> Array:
        """Return a nearest point with all digits: Newton steps on its optimality conditions."""
        active = self._active(x)
        if not active or len(active) > self.dim:
            return x
        for _ in range(POLISHED):
            slopes = np.array([each.gradient(x) for each in active])
            bends = np.array([each.hessian(x) for each in active])
            values = np.array([each.value(x) for each in active])
            if not all(np.isfinite(each).all() for each in (slopes, bends, values)):
                raise Undefined
            weights = np.linalg.lstsq(slopes.T, to - x, rcond=None)[0]
            bent = np.eye(self.dim) + np.tensordot(weights, bends, axes=1)
            zeros = np.zeros((len(active), len(active)))
            matrix = np.block([[bent, slopes.T], [slopes, zeros]])
            wrong = np.concatenate([to - x, -values])
            x = x + np.linalg.lstsq(matrix, wrong, rcond=None)[0][: self.dim]
        return x

    def _is_stationary(self, x: Array, to: Array) -> bool:
        """Return whether `to` lies beyond x along the slopes of the edges on which x is."""
        with np.errstate(all="ignore"):
            active = self._active(x)
            slopes = np.reshape([each.gradient(x) for each in active], (-1, self.dim))
        if not active or not np.isfinite(slopes).all():
            return False
        weights = np.linalg.lstsq(slopes.T, to - x, rcond=None)[0]
        pushed = all(w >= 0 or each.equal for w, each in zip(weights, active, strict=True))
        missed = to - x - weights @ slopes
        return pushed and bool(np.abs(missed).max() <= ACTIVE * max(1.0, np.abs(to - x).max()))

    def _compared(self, x: Array, to: Array) -> Array:
        """Return a feasible point nearer to `to` than x: the best around it, ever closer to it."""
        steps = [np.linspace(-1.0, 1.0, AROUND)] * self.dim
        around = np.stack(np.meshgrid(*steps), axis=-1).reshape(-1, self.dim)
        towards = np.linspace(0.0, 1.0, AROUND)[:, None]
        reach = np.array(self._cell)
        for _ in range(NARROWED):
            tried = np.concatenate([x[None], x + reach * around, x + towards * (to - x)])
            far = ((tried - to) ** 2).sum(axis=-1)
            best = tried[np.where(self.contains(tried), far, np.inf).argmin()]
            if (best == x).all() or not self._is_in(best):
                reach = reach / 2
            else:
                x = best
        return x

    @cached_property
    def _cell(self) -> tuple[float, ...]:
        """The sides of a cell of the grid on which the set is sampled."""
        return tuple((high - low) / (SAMPLED - 1) for low, high in self.intervals)

    @cached_property
    def _grid(self) -> tuple[Array, Array]:
        """Points of the window, shape (n, dim), and about how far each is from the set."""
        points = _grid(self.intervals, SAMPLED)
        return points, self._excess(points)

    @cached_property
    def _grid_inside(self) -> Array:
        points, excess = self._grid
        return points[excess <= NEAR]

    @cached_property
    def _grid_close(self) -> Array:
        """Those from which the set is about a cell away, or which are in it."""
        points, excess = self._grid
        return points[excess <= max(self._cell)]

    @cached_property
    def _inside(self) -> Array:
        """A feasible point, the nearest to the middle of the window of those that are found."""
        middle = np.mean(self.intervals, axis=1)
        found = [*self._grid_inside]
        if not found:
            starts = [*_grid(self.intervals, TRIED), *self._grid_close[:TRIED]]
            searched = (self._searched(middle, start) for start in starts)
            found = [each for each in searched if self._is_in(each)]
        if not found:
            raise InputError(NOT_FOUND.format(self.told))
        return min(found, key=lambda x: _distance(x, middle))

    def minimize_linear(self, slope: Array) -> Array:
        """Raise InputError: no formula is known for such a set."""
        raise InputError(
            f"{self.told} is no polygon or ellipse, of which the lowest point of a linear function "
            "is known"
        )

    @property
    def box(self) -> Array:
        """No interval is known: shape (dim, 2)."""
        return np.tile([-np.inf, np.inf], (self.dim, 1))

    @property
    def extent(self) -> Array | None:
        """None is known."""
        return None

    @property
    def constraints(self) -> Sequence[Constraint]:
        """All constraints."""
        return self.edges

    @property
    def corners(self) -> Array:
        """None are known: shape (0, dim)."""
        return np.empty((0, self.dim))


@dataclass(frozen=True, eq=False)
class Curve:
    """A constraint of any shape: value(x) <= 0, or == 0 if `equal`."""

    objective: Any
    equal: bool

    def value(self, x: Array) -> Array:
        """Return the formula's values, shape (...)."""
        return np.asarray(self.objective.value(x))

    def gradient(self, x: Array) -> Array:
        """Return its derivative, shape (..., dim)."""
        return np.asarray(self.objective.gradient(x))

    def hessian(self, x: Array) -> Array:
        """Return its second derivatives, shape (..., dim, dim)."""
        return np.asarray(self.objective.hessian(x))


@cache
def feasible_set(
    texts: tuple[str, ...], names: tuple[str, ...], intervals: tuple[tuple[float, float], ...]
) -> ExactSet | NumericSet:
    """Return the points that satisfy constraints in these variables.

    intervals are those of the window, in which a feasible point is sought. Raises InputError if a
    constraint is invalid, or if there is no such point.
    """
    told = ", ".join(texts)
    edges: list[Any] = []
    compared = [(text, each) for text in texts for each in comparisons(text, names)]
    for text, comparison in compared:
        try:
            for part in parts_of(comparison, names):
                edges += _edges(part, comparison, names, told)
        except InputError as error:  # quotes both sides as one formula
            fault = str(error).removeprefix(named_formula(comparison.formula))
            raise InputError(
                fault if fault == str(error) else f"constraint {text!r}{fault}"
            ) from None
    far = max((each.size for each in edges if not isinstance(each, Curve)), default=0.0)
    if not far <= MAX_COORDINATE:
        raise InputError(f"{told}: numbers must be at most {MAX_COORDINATE:g}")
    if all(isinstance(each, HalfSpace | Ellipse) for each in edges):
        return ExactSet(len(names), tuple(edges), told)
    return NumericSet(len(names), tuple(edges), told, intervals)


def _edges(
    part: dict[str, Any], comparison: Comparison, names: tuple[str, ...], told: str
) -> Iterator[HalfSpace | Ellipse | Curve]:
    if "normal" in part:
        normal = np.array(part["normal"])
        steep = float(np.sqrt((normal**2).sum()))
        if steep:
            yield HalfSpace(normal / steep, part["offset"] / steep, part["equal"])
        elif part["offset"] < 0 or (part["equal"] and part["offset"]):
            raise InputError(EMPTY.format(told))
    elif "center" in part:
        center, matrix = np.array(part["center"]), np.array(part["matrix"])
        if len(names) > 1:
            yield Ellipse(center, matrix, part["side"])
        else:
            far = float(1 / np.sqrt(matrix[0, 0]))
            yield from (
                HalfSpace(np.array([sign]), float(sign * center[0] + far)) for sign in (-1.0, 1.0)
            )
    else:
        yield Curve(formula(comparison.formula, names), comparison.equal)
