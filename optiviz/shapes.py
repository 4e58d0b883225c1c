"""Shapes: what a method looked at to take a step, such as the ray of a line search or a simplex.

`sketch` of a method returns them, views draw them, and neither knows the other. Coordinates are
those of the objective, of which there are one or two; of more, what is drawn is the shadow on a
plane. A shape with a number that is not finite is not drawn, so that a sketch may always have the
same shapes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from optiviz.objective import Array
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.text import shorten

# What a shape is to its method, which decides how it looks.
Role = Literal[
    "tried",  # points that were evaluated, or a step that was not taken
    "accepted",  # the point that was taken of those
    "region",  # where a step must stay, such as a trust region
    "model",  # of the objective
    "population",  # such as a simplex or a swarm, or the distribution of one
    "sample",  # of a distribution
    "average",  # of the path
    "spread",  # in which noise keeps the path
    "ball",  # of the norm in which the step is steepest
    "bound",  # the quadratic model to whose minimum the step leads
    "iterate",  # of which a path that is an average is one
    "gradient-point",  # at which such a method computes gradients
    "next",  # the point that is to be evaluated next
    "gradient-flow",  # a smooth curve under the steps: that of infinitely small ones
    "central-flow",  # and the moving average of steps that overshoot
    "oscillation",  # the spread of steps about the central flow
    "masked",  # what was left out of a step
    "central-path",  # of a set, that of the minima of the loss and a barrier
]
ROLES: tuple[Role, ...] = get_args(Role)

DRAWN = 2  # coordinates up to which shapes are drawn as they are; of more, their shadow is
CORNERS = 97  # vertices of an ellipse, the first of which is also the last
MOST_POINTS = 10_000  # of a step
SYMMETRIC = 1e-6  # error of a matrix that is symmetric and positive semi-definite, as a share


class Points(NamedTuple):
    """Single points."""

    points: Array  # (n, dim)
    role: Role = "tried"


class Segment(NamedTuple):
    """A line through points in their order, such as the ray of a line search."""

    points: Array  # (n, dim)
    role: Role = "tried"


class Polygon(NamedTuple):
    """A closed line through corners, such as a simplex."""

    points: Array  # (n, dim)
    role: Role = "population"


class Ellipse(NamedTuple):
    """The points x with (x - center)' matrix**-1 (x - center) = 1; in one dimension, an interval.

    A circle of radius r has the matrix r**2 I, and a distribution within one standard deviation its
    covariance. In more than two dimensions, a diagonal matrix may be given as its diagonal.
    """

    center: Array  # (dim,)
    matrix: Array  # (dim, dim), symmetric and positive semi-definite, or (dim,)
    role: Role = "region"


class QuadraticModel(NamedTuple):
    """A model of the objective: value + gradient'(x - point) + (x - point)' hessian (x - point)/2.

    It is drawn as a parabola in one dimension, and as its isolines in two.
    """

    point: Array  # (dim,)
    value: Array | float  # ()
    gradient: Array  # (dim,)
    hessian: Array  # (dim, dim)
    role: Role = "model"

    def at(self, x: Array) -> Array:
        """Return the model at points x of shape (..., dim), shape (...)."""
        away = x - self.point
        slope = away @ self.gradient
        bend: Array = np.einsum("...i,ij,...j->...", away, self.hessian, away)
        return np.asarray(self.value + slope + bend / 2)


class Body(NamedTuple):
    """A bounded convex set in many dimensions, known by its furthest points.

    Only its shadow is drawn.

    furthest(c) returns the vector d from the center to the point with the largest c'd, shape
    (n, dim), for directions c of shape (n, dim).
    """

    center: Array  # (dim,)
    furthest: Callable[[Array], Array]
    role: Role = "ball"


Shape = Points | Segment | Polygon | Ellipse | QuadraticModel
Sketch = tuple[Shape, ...]  # what a method looked at in one step
Ball = Ellipse | Polygon | Body  # of a norm, in any number of dimensions
SHAPES: dict[str, type[Shape]] = {
    "points": Points,
    "segment": Segment,
    "polygon": Polygon,
    "ellipse": Ellipse,
    "quadratic-model": QuadraticModel,
}


def is_finite(shape: Shape) -> bool:
    """Return whether all numbers of a shape are finite, so that it can be drawn."""
    return all(bool(np.isfinite(part).all()) for part in shape[:-1])


def shadow(shape: Shape | Body, along: Array, place: Callable[[Array], Array]) -> Shape | None:
    """Return the projection of a shape in many dimensions onto a plane or a line.

    along, shape (k, dim), turns vectors into their k coordinates in the plane, and place turns
    points, shape (n, dim), into theirs, (n, k). That of a body is a polygon of which all corners,
    in CORNERS directions, are exact. None for a model, which is a function of all coordinates.
    """
    if isinstance(shape, Points | Segment | Polygon):
        return shape._replace(points=place(shape.points))
    if isinstance(shape, QuadraticModel):
        return None
    (center,) = place(shape.center[None])
    if isinstance(shape, Ellipse):
        wide = along * shape.matrix if np.ndim(shape.matrix) < 2 else along @ shape.matrix
        return Ellipse(center, wide @ along.T, shape.role)
    far = shape.furthest(unit_vectors(len(along)) @ along)
    return Polygon(center + far @ along.T, shape.role)


def unit_vectors(dim: int) -> Array:
    """Return vectors of length 1 all around, shape (CORNERS, 2), or both in one dimension, (2, 1).

    The first one in two dimensions is also the last.
    """
    turn = np.linspace(0, 2 * np.pi, CORNERS)
    return np.array([[-1.0], [1.0]]) if dim == 1 else np.column_stack([np.cos(turn), np.sin(turn)])


def outline(center: Array, matrix: Array) -> Array:
    """Return the vertices of an ellipse, shape (CORNERS, 2), or the ends of an interval, (2, 1)."""
    axes, directions = np.linalg.eigh(matrix)
    radii = np.sqrt(np.maximum(axes, 0.0))
    vertices: Array = center + (unit_vectors(len(center)) * radii) @ directions.T
    return vertices


class ShapeForm(NamedTuple):
    """What of a shape are no numbers: its kind, its role, and the names and shapes of its parts."""

    kind: str
    role: Role
    parts: tuple[tuple[str, tuple[int, ...]], ...]

    @classmethod
    def of(cls, shape: Shape) -> "ShapeForm":
        """Return the form of a shape."""
        parts = ((name, np.shape(getattr(shape, name))) for name in shape._fields[:-1])
        return cls(kind_of(shape), shape.role, tuple(parts))


def kind_of(shape: Shape) -> str:
    """Return the name of a shape's kind in SHAPES."""
    return next(name for name, each in SHAPES.items() if isinstance(shape, each))


def to_dict(shape: Shape) -> dict[str, Any]:
    """Return a shape as plain values: its kind, its role, and its numbers."""
    numbers = {
        name: np.asarray(getattr(shape, name), float).tolist() for name in shape._fields[:-1]
    }
    return {"shape": kind_of(shape), "role": shape.role, **numbers}


def plain_sketch(shapes: Sequence[Shape]) -> list[dict[str, Any]]:
    """Return the shapes of one step that can be drawn, as plain values."""
    return [to_dict(shape) for shape in shapes if is_finite(shape)]


def plain_sketches(sketches: Sequence[Sketch]) -> list[dict[str, Any]]:
    """Return the shapes that can be drawn of the steps 0, 1, ... as plain values.

    A step that has any becomes {"step": 3, "shapes": [...]}.
    """
    found = enumerate(map(plain_sketch, sketches))
    return [{"step": step, "shapes": shapes} for step, shapes in found if shapes]


def from_dict(given: Any) -> Shape:
    """Return the shape of plain values, as `to_dict` returns them.

    Raises InputError if they are of no shape, or have no numbers that are finite.
    """
    if not isinstance(given, Mapping):
        raise InputError(f"a shape must be an object, not {shorten(given, quoted=True)}")
    known: dict[str, list[str]] = {"shape": [*SHAPES], "role": [*ROLES]}
    for key, choices in known.items():
        if key not in given:
            raise InputError(f"a shape has no {key}")
        if given[key] not in choices:
            raise InputError(did_you_mean(key, str(given[key]), choices))
    kind: Any = SHAPES[given["shape"]]
    names = kind._fields[:-1]
    for key in given:
        if key not in (*names, "shape", "role"):
            raise InputError(f"{given['shape']}: {did_you_mean('key', str(key), names)}")
    missing = [name for name in names if name not in given]
    if missing:
        raise InputError(f"{given['shape']}: has no {missing[0]}")
    numbers: list[Any] = [_finite(given[name], f"{given['shape']}: {name}") for name in names]
    made: Shape = kind(*numbers, given["role"])
    return made


def _finite(given: Any, name: str) -> Array:
    """Return numbers in lists of lists, lists or alone; raise InputError if any is no number."""
    rows = given if isinstance(given, list | tuple) else [given]
    cells = [each for row in rows for each in (row if isinstance(row, list | tuple) else [row])]
    wrong = [each for each in cells if type(each) not in (int, float)]
    if wrong:
        raise InputError(f"{name} must be numbers, not {shorten(wrong[0], quoted=True)}")
    try:
        found = np.array(given, float)
    except (ValueError, OverflowError):
        raise InputError(f"{name} must be rows of equally many numbers") from None
    if not np.isfinite(found).all():
        raise InputError(f"{name} must be finite numbers")
    return found


def checked_sketch(shapes: Sequence[Any], dim: int) -> Sketch:
    """Return a copy of the shapes of one step in `dim` dimensions.

    Raises InputError, which begins with what is wrong, if they are no shapes, or have the wrong
    dimension or too many points.
    """
    found = tuple(_checked_shape(each, dim) for each in shapes)
    many = sum(len(shape[0]) for shape in found if np.ndim(shape[0]) == 2)
    if many > MOST_POINTS:
        raise InputError(f"{many} points: a step may have {MOST_POINTS}")
    return found


def _array(given: Any, name: str) -> Array:
    try:
        return np.array(given, float)
    except Exception:  # what third-party code returns may be anything
        raise InputError(f"{name} that are no array of numbers") from None


def _checked_shape(shape: Any, dim: int) -> Shape:
    kind = type(shape)
    if kind not in SHAPES.values():
        raise InputError(f"a {kind.__name__}: choose from those in optiviz.shapes")
    if shape.role not in ROLES:
        raise InputError(f"the role {shape.role!r}: choose from {', '.join(ROLES)}")
    expected = {"points": ("n", dim), "matrix": (dim, dim), "hessian": (dim, dim), "value": ()}
    numbers = []
    for name, given in zip(shape._fields, shape[:-1], strict=False):
        array, wanted = _array(given, name), expected.get(name, (dim,))
        fits = all(each in ("n", side) for side, each in zip(array.shape, wanted, strict=False))
        if array.ndim != len(wanted) or not fits:
            raise InputError(
                f"{name} of shape {array.shape}: those of a {kind.__name__} here have "
                f"shape ({', '.join(map(str, wanted))})"
            )
        numbers.append(array)
    made: Shape = kind(*numbers, shape.role)
    if isinstance(made, Ellipse) and is_finite(made):
        matrix = made.matrix
        slack = SYMMETRIC * np.abs(matrix).max()
        if np.abs(matrix - matrix.T).max() > slack or np.linalg.eigvalsh(matrix).min() < -slack:
            raise InputError("a matrix of an ellipse that is not symmetric positive semi-definite")
    return made
