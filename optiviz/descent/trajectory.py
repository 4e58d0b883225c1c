"""The recorded path of one optimizer from one starting point."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optiviz.objective import Array
from optiviz.optimizers.base import Method
from optiviz.shapes import DRAWN, Role, Shape, Sketch, checked_sketch, plain_sketches
from optiviz.surfaces.domain import MAX_STEPS
from optiviz.system.errors import InputError
from optiviz.system.files import atomic_write
from optiviz.system.text import counted, shorten

MAX_EVALUATIONS = 10**12
MAX_SPACED = 200  # rows of a recorded path to which a plane is fitted
COPY = "append a copy, path.append(vector.copy()), of a vector that changes in place"


@dataclass(frozen=True, eq=False)
class Trajectory:
    """The path of one optimizer from one starting point, or one that another program recorded.

    losses has shape (steps + 1,) and points (rows, dim), the points of the steps in `rows`: all
    steps in one or two dimensions, a few in more. Row 0 is the starting point. A path of another
    program has no optimizer, and losses are nan where none was recorded. If the path ends
    early, all rows after the last one are nan, and one of these says why:

    diverged_at is the first step whose point or loss is not finite;
    no_gradient_at is the step at whose finite point the gradient, or the function itself, is
    undefined, so that no step can be taken from there;
    stopped_at is the step at which third-party code failed, and `stopped` is the reason.

    Each loss is evaluated on the objective of the next step. If steps have different objectives,
    true_losses, shape (rows,), are evaluated on all samples.

    states holds the optimizer's state by name, one row per step; it is empty in more than two
    dimensions. distances, shape (rows,), are those of the original points from the plane onto
    which `points` are projected, None if there is no projection. spaced are the steps in `rows`
    that do not depend on which frames are shown. accuracy is the fraction of held-out samples that
    the last weights classify correctly. sketches are what the method looked at in each step up to
    the end, () for one that has none and if they are not wanted; row 0 has what is the same for
    all steps. In more than two dimensions they are those of `rows`, which the steps after each
    share, as shadows on the plane that is drawn. spectra are the singular values of matrices by
    name, shape (rows, k), the largest first, if they are wanted. sharpness, shape (rows,), is the
    largest eigenvalue of the Hessian of the true loss at each point, multiplied by the
    preconditioner of the step from there where the method has one, and of the last that is known
    at the end; None if it is not wanted. companions_sharpness is that of points beside the path,
    such as the central flow of a method, by their role in the sketches. is_preconditioned is
    whether any of them is no multiple of the identity.
    """

    label: str
    optimizer: Method | None
    points: Array
    losses: Array
    states: dict[str, Array]
    diverged_at: int | None = None
    no_gradient_at: int | None = None
    stopped_at: int | None = None
    stopped: str = ""
    rows: NDArray[np.intp] | None = None  # every step if None
    true_losses: Array | None = None
    distances: Array | None = None
    spaced: NDArray[np.intp] | None = None
    accuracy: float | None = None
    whole: Array | None = None  # the points before projection, shape (rows, variables), if few
    sketches: tuple[Sketch, ...] = ()
    spectra: dict[str, Array] = field(default_factory=dict)
    evaluations: Array | None = None  # of a recorded path: those up to each row, shape (rows,)
    sharpness: Array | None = None
    companions_sharpness: dict[Role, Array] = field(default_factory=dict)
    is_preconditioned: bool = False

    @classmethod
    def of(
        cls,
        points: ArrayLike,
        label: str = "track",
        losses: ArrayLike | None = None,
        steps: ArrayLike | None = None,
        sketches: Sequence[Sequence[Shape]] = (),
        evaluations: ArrayLike | None = None,
    ) -> "Trajectory":
        """Return a path that your own program recorded, to be drawn as a track.

        points has shape (rows, dim), or (rows,) in one dimension. losses, of shape (rows,), are the
        losses that were recorded there; without them, they are those of the surface on which the
        path is drawn. steps, of shape (rows,), are the steps of the rows, which are 0, 1, ...
        unless specified: whole numbers that increase, up to a million. A path that ends early may
        end in rows that are nan or infinite. sketches are, for each row, the shapes of
        `optiviz.shapes` that show what your program looked at in this step, () if there are none;
        they need one or two dimensions. evaluations, of shape (rows,), are how often the objective
        had been evaluated by then.

        Returns a Trajectory without an optimizer, whose losses are nan where none was recorded.
        Raises InputError if a shape or a value is invalid, or if all points are the same, as those
        of `path.append(vector)` are if the vector then changes in place.

        >>> Trajectory.of([[1, 2], [0.5, 1]], label="mine").steps
        1
        """
        _check_copies(points)
        found = _numbers(points, "points")
        found = found[:, None] if found.ndim == 1 else found
        if found.ndim != 2 or not found.shape[1]:
            raise InputError(f"points must have shape (rows, dim), not {found.shape}")
        rows = len(found)
        if not 2 <= rows <= MAX_STEPS + 1:
            raise InputError(f"a path must have from 2 to {MAX_STEPS + 1} points, not {rows}")
        step_of_row = _steps(np.arange(rows) if steps is None else steps, rows)
        known = np.full(rows, np.nan)
        if losses is not None:
            known = _numbers(losses, "losses")
            if known.shape != (rows,):
                raise InputError(f"losses must have shape ({rows},), not {known.shape}")
        of_steps = np.full(step_of_row[-1] + 1, np.nan)
        of_steps[step_of_row] = known
        evenly = np.linspace(0, rows - 1, min(rows, MAX_SPACED)).round().astype(int)
        return cls(
            label,
            None,
            points=found,
            losses=of_steps,
            states={},
            diverged_at=_end(found, known, losses is not None, step_of_row),
            rows=None if rows == len(of_steps) else step_of_row,
            spaced=step_of_row[evenly],
            sketches=_sketches(sketches, step_of_row, found.shape[1]),
            evaluations=None if evaluations is None else _evaluations(evaluations, rows),
        )

    def save(self, file: str | Path) -> None:
        """Write its points, losses and sketches as a .json file, which `--track` reads.

        Raises InputError if file does not end in .json, and OptivizError if it cannot be written.
        """
        path = Path(file)
        if path.suffix.lower() != ".json":
            raise InputError(f"{shorten(str(file), quoted=True)} must end in .json")
        record = json.dumps(self.to_dict(), allow_nan=False)
        with atomic_write(path) as temporary:
            temporary.write_text(record + "\n", encoding="utf-8")

    def to_dict(self) -> dict[str, Any]:
        """Return what such a file has, as plain values, None where a number is not finite."""
        losses = self.true_losses_by_step[self.step_of_row]
        return {
            "label": self.label,
            "points": plain_numbers(self.points),
            **({"losses": plain_numbers(losses)} if np.isfinite(losses).any() else {}),
            **({} if self.rows is None else {"steps": self.rows.tolist()}),
            **self.anatomy(),
        }

    def anatomy(self) -> dict[str, Any]:
        """Return what is known of how its steps were found, as plain values."""
        # Those of steps between rows are those of the row before, and not repeated.
        before = ((), *self.sketches)
        own = [
            () if each is last else each for each, last in zip(self.sketches, before, strict=False)
        ]
        sketches, evaluations = plain_sketches(own), self.evaluations
        return {
            **({} if evaluations is None else {"evaluations": evaluations.astype(int).tolist()}),
            **({"sketches": sketches} if sketches else {}),
        }

    @property
    def start(self) -> Array:
        """The starting point, shape (dim,)."""
        first: Array = self.points[0]
        return first

    @property
    def end(self) -> Array:
        """The last finite point that was recorded, shape (dim,)."""
        last: Array = self.finite_points[-1]
        return last

    @property
    def steps(self) -> int:
        """The number of steps requested."""
        return len(self.losses) - 1

    @cached_property
    def last(self) -> int:
        """The last step with a finite point and loss; 0 if not even the starting point has them."""
        whole = np.isfinite(self.losses)
        whole[self.step_of_row] &= np.isfinite(self.points).all(axis=-1)
        return int(np.flatnonzero(whole)[-1]) if whole.any() else 0

    @cached_property
    def step_of_row(self) -> NDArray[np.intp]:
        """The step of each row of points."""
        return np.arange(len(self.points)) if self.rows is None else self.rows

    @cached_property
    def finite_points(self) -> Array:
        """The recorded points up to the last finite step, shape (n, dim)."""
        walked: Array = self.points[: self.row(self.last) + 1]
        return walked

    @cached_property
    def row_of_step(self) -> NDArray[np.intp]:
        """The row of `finite_points` for each step up to the last one, shape (last + 1,)."""
        return _latest(self.step_of_row, np.arange(self.last + 1))

    @cached_property
    def known_steps(self) -> NDArray[np.intp]:
        """The steps up to the last one that have a loss, at least one step."""
        known = np.flatnonzero(np.isfinite(self.losses[: self.last + 1]))
        return known if known.size else np.zeros(1, int)

    @cached_property
    def known_of_step(self) -> NDArray[np.intp]:
        """The index in `known_steps` for each step up to the last one, shape (last + 1,)."""
        return _latest(self.known_steps, np.arange(self.last + 1))

    @property
    def away(self) -> Array:
        """Distance of each of `finite_points` from the plane on which it is drawn, shape (n,)."""
        return self.row_distances[: len(self.finite_points)]

    @property
    def row_distances(self) -> Array:
        """Distance of each point from the plane on which it is drawn, shape (rows,)."""
        return np.zeros(len(self.points)) if self.distances is None else self.distances

    @property
    def stability_limits(self) -> Array:
        """The sharpness beyond which the step from each row is unstable, shape (rows,).

        nan where none is known. At the last row it is that of the last step.
        """
        if self.optimizer is None:
            return np.full(len(self.points), np.nan)
        taken = np.minimum(self.step_of_row, max(self.steps - 1, 0))
        limits = (self.optimizer.stability_limit(int(step)) for step in taken)
        return np.array([np.nan if each is None else each for each in limits])

    @property
    def true_losses_by_step(self) -> Array:
        """The true loss of each step, shape (steps + 1,); nan where it was not evaluated."""
        if self.true_losses is None:
            return self.losses
        losses = np.full(self.steps + 1, np.nan)
        losses[self.step_of_row] = self.true_losses
        return losses

    def row(self, step: int) -> int:
        """Return the row of the last point that was recorded up to a step, else the first."""
        return int(_latest(self.step_of_row, step))

    def loss(self, step: int) -> float:
        """Return the true loss at a step, or at the last one before it that has one."""
        step = min(step, self.last)
        if self.true_losses is not None:
            return float(self.true_losses[self.row(step)])
        return float(self.losses[self.known_steps[self.known_of_step[step]]])

    def evaluated(self, step: int) -> str:
        """Return how often the objective had been evaluated by a step as text, "" if not known."""
        if self.evaluations is None:
            return ""
        return counted(int(self.evaluations[self.row(step)]), "evaluation")

    @property
    def ended_at(self) -> int | None:
        """The step at which the path ended early; None if it did not."""
        ends = (self.diverged_at, self.no_gradient_at, self.stopped_at)
        return next((end for end in ends if end is not None), None)

    @property
    def ending(self) -> str:
        """Why the path ended early, for example "diverged at step 12"; empty if it did not."""
        if self.diverged_at is not None:
            return f"diverged at step {self.diverged_at}"
        if self.no_gradient_at is not None:
            return f"no gradient at step {self.no_gradient_at}"
        if self.stopped_at is not None:
            return f"{self.stopped.partition(':')[0]} at step {self.stopped_at}"
        return ""

    @property
    def ending_detail(self) -> str:
        """Details of why the path ended early, for example ": too steep"; may be empty."""
        if self.no_gradient_at == 0:
            return ": choose another starting point"
        _, colon, said = self.stopped.partition(":")
        return colon + said


def _latest(steps: NDArray[np.intp], wanted: ArrayLike) -> NDArray[np.intp]:
    """Return the index of the last of `steps` up to each wanted one, 0 if there is none."""
    found: NDArray[np.intp] = np.maximum(np.searchsorted(steps, wanted, side="right") - 1, 0)
    return found


def plain_numbers(numbers: Array) -> Any:
    """Return an array as lists, with None for what is not finite."""
    found: Any = numbers.astype(object)
    found[~np.isfinite(numbers)] = None
    return found.tolist()


def _evaluations(given: ArrayLike, rows: int) -> Array:
    """Return the evaluations up to each row; raise InputError unless they can be."""
    found = _numbers(given, "evaluations")
    if found.shape != (rows,):
        raise InputError(f"evaluations must have shape ({rows},), not {found.shape}")
    whole = (found >= 0) & (found <= MAX_EVALUATIONS) & (found == np.floor(found))
    if not whole.all() or (np.diff(found) < 0).any():
        raise InputError("evaluations must be whole numbers that never decrease")
    return found


def _sketches(
    given: Sequence[Sequence[Shape]], step_of_row: NDArray[np.intp], dim: int
) -> tuple[Sketch, ...]:
    """Return the sketches of rows by step; raise InputError if they are invalid."""
    if not any(given):
        return ()
    if len(given) != len(step_of_row):
        raise InputError(
            f"sketches must be {len(step_of_row)}, one for each point, not {len(given)}"
        )
    if dim > DRAWN:
        raise InputError(f"sketches need points of one or two coordinates, not {dim}")
    found: list[Sketch] = [()] * (int(step_of_row[-1]) + 1)
    for step, shapes in zip(step_of_row.tolist(), given, strict=True):
        try:
            found[step] = checked_sketch(shapes, dim)
        except InputError as error:
            raise InputError(f"the sketch of step {step} has {error}") from None
    return tuple(found)


def _check_copies(points: Any) -> None:
    """Raise InputError if two points of a list are the same object or share their memory."""
    listed = points if isinstance(points, list | tuple) else []
    places = [
        each.__array_interface__["data"][0] if isinstance(each, np.ndarray) else id(each)
        for each in listed
        if isinstance(each, np.ndarray | list)
    ]
    if len(set(places)) < len(places):
        raise InputError(f"several points are one object, whose last value they all have: {COPY}")


def _numbers(values: Any, name: str) -> Array:
    """Return values as an array of float64; raise InputError if they are not real numbers."""
    try:
        found = np.asarray(values)
    except Exception as error:  # other libraries' arrays can raise anything
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{name} cannot be read as an array: {said}") from None
    if found.dtype.kind not in "iuf":
        raise InputError(f"{name} must be real numbers, not {found.dtype}")
    return np.array(found, float)


def _steps(steps: ArrayLike, rows: int) -> NDArray[np.intp]:
    """Return the step of each row; raise InputError unless they are whole numbers that increase."""
    given = _numbers(steps, "steps")
    if given.shape != (rows,):
        raise InputError(f"steps must have shape ({rows},), not {given.shape}")
    wrong = ~((given >= 0) & (given <= MAX_STEPS) & (given == np.floor(given)))
    if wrong.any():
        said = shorten(float(given[wrong][0]))
        raise InputError(f"a step must be a whole number from 0 to {MAX_STEPS}, not {said}")
    falls = np.flatnonzero(np.diff(given) <= 0)
    if falls.size:
        first, second = given[falls[0] : falls[0] + 2]
        raise InputError(f"steps must increase, but {second:.0f} follows {first:.0f}")
    return given.astype(int)


def _end(points: Array, losses: Array, recorded: bool, step_of_row: NDArray[np.intp]) -> int | None:
    """Return the step at which a recorded path ends early, None if it does not.

    Raises InputError if the path goes on from there, or does not move.
    """
    finite: Any = np.isfinite(points).all(axis=-1)  # an array of booleans
    whole = finite & np.isfinite(losses) if recorded else finite
    many = len(whole) if whole.all() else int(np.argmin(whole))
    if whole[many:].any():
        what = "the point" if not finite[many] else "the loss"
        raise InputError(
            f"{what} of step {step_of_row[many]} is not finite, but later ones are: only the end "
            "of a path may be"
        )
    if many < 2:
        where = " with a finite loss" if finite[: many + 1].all() else " that are finite"
        raise InputError(f"a path must have at least two points{where}")
    if (points[:many] == points[0]).all():
        raise InputError(f"all {many} points are the same: {COPY}")
    return None if many == len(whole) else int(step_of_row[many])
