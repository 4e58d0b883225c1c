"""Running an optimizer on an objective, and recording its path.

`walk` is the loop; `descend` records its points and detects an early end.
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import count, islice, repeat
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optiviz.descent.trajectory import Trajectory
from optiviz.objective import Array, Objective, ShiftedObjective, Stream, pass_on
from optiviz.optimizers.base import (
    IDENTITY,
    NEEDED,
    Method,
    Optimizer,
    OptimizerError,
    Solver,
    check_noise,
    check_offered,
)
from optiviz.optimizers.explanations import REASONS, explained
from optiviz.registry import Explanation
from optiviz.shapes import Role, Sketch
from optiviz.surfaces.noise import GradientNoise
from optiviz.system.errors import InputError, did_you_mean

LOG = logging.getLogger("optiviz")
DEEPEST = 8  # nesting of states
ALL = 2  # coordinates up to which every point of a path is kept
OFFERED = ("dim", "value", "gradient", "value_and_gradient", "hessian")  # by an objective
MAX_ROWS, MAX_BYTES = 200, 512_000_000  # points kept per path beyond that, and their bytes
Sharpness = Callable[[Array, Array], float]


def walk(
    objective: Objective | Stream, method: Method, x: Array, steps: int
) -> Iterator[tuple[Array, Any]]:
    """Yield (x, state) of steps 0, 1, ... `steps`.

    x has shape (..., dim); leading axes are independent runs. It must have shape (dim,) for a
    solver and for an optimizer that is not `vectorized`. A solver that has converged stays where
    it is.
    """
    if isinstance(method, Solver):
        last: tuple[Array, Any] = (x, None)
        yield last
        passed = islice(method.run(objective, x, steps), steps)
        for _ in range(steps):
            last = next(passed, last)
            yield last
        return
    assert isinstance(method, Optimizer)
    objectives = map(objective.at, count()) if isinstance(objective, Stream) else repeat(objective)
    state = method.init(x)
    yield x, state
    for here in islice(objectives, steps):
        x, state = method.step(here, x, state)
        yield x, state


def descend(
    objective: Objective | Stream,
    optimizer: Method,
    start: ArrayLike,
    steps: int,
    label: str = "",
    rows: Sequence[int] = (),
    max_bytes: int = MAX_BYTES,
    sketch: bool = True,
    sharpness: Sharpness | None = None,
    explain: Explanation | None = None,
) -> Trajectory:
    """Run an optimizer for `steps` steps from `start`, shape (dim,), and record its path.

    In more than two dimensions only some points are kept: evenly spaced ones, in at most about
    `max_bytes` bytes, and those of the step numbers in `rows`, unless there are too many. `sketch`
    is whether what the method looks at is recorded, and `explain` what is recorded in its place of
    a method whose steps it explains. sharpness(x, P) gives that of the loss at a point, of shape
    (dim,), with a preconditioner; without it, none is recorded. Raises InputError if a solver needs
    a fixed objective and `objective` is a stream, if the objective lacks what the optimizer needs,
    or has constraints or noise of which it takes no notice.
    """
    check_offered(optimizer, objective, label or type(optimizer).__name__)
    if isinstance(objective, GradientNoise):
        check_noise(optimizer, label or type(optimizer).__name__)
    watched = _Watched(objective)
    has_batches = (
        isinstance(objective, Stream) and getattr(objective, "full_batch", None) is not None
    )
    reason = REASONS[explain] if sketch and explain else None
    shadowed = watched.dim > ALL and reason is not None and reason.has_shadow
    vectors = 1 + (reason.rows if reason and shadowed else 0)  # that are kept of each row
    most = max(2, min(MAX_ROWS, max_bytes // (8 * watched.dim * vectors)))
    spaced = np.linspace(0, steps, min(most, steps + 1)).round().astype(int)
    kept = _rows_to_keep(watched.dim, spaced, rows, 2 * most)
    drawn = sketch and (kept is None or shadowed)
    walked = explained(optimizer, explain if drawn else None)
    sketching = drawn and walked.has_sketch and (kept is None or walked is not optimizer)
    recorder = _Recorder(watched, has_batches, kept, walked if sketching else None)
    if sharpness is not None:
        recorder.sharpness = _SharpnessRecorder(walked, sharpness)
    x = np.array(start, float)
    with np.errstate(all="ignore"):
        end = recorder.follow(walk(watched, walked, x, steps), x, steps, label)
    many = steps if kept is None else len(kept) - 1
    return Trajectory(
        label,
        optimizer,
        points=_column(recorder.points, many),
        losses=_column(recorder.losses, steps),
        states=_columns(recorder.states, steps),
        rows=kept,
        spaced=spaced,
        true_losses=_column(recorder.truths, many) if has_batches else None,
        sketches=tuple(recorder.sketches),
        **({} if recorder.sharpness is None else recorder.sharpness.fields(many)),
        **end,
    )


End = dict[str, Any]  # fields of a Trajectory: at which step it ended, and why


class _Recorder:
    """Records the points, losses and states of a path, step by step."""

    def __init__(
        self,
        watched: "_Watched",
        has_batches: bool,
        kept: NDArray[np.intp] | None,
        sketching: Method | None,
    ) -> None:
        self.watched, self.has_batches, self.sketching = watched, has_batches, sketching
        self.sketches: list[Sketch] = []
        self.points: list[Array] = []
        self.losses: list[float] = []
        self.truths: list[Array] = []
        self.states: list[dict[str, Array]] = []
        self.sharpness: _SharpnessRecorder | None = None
        self._wanted = None if kept is None else set(kept.tolist())

    def follow(self, walked: Iterator[tuple[Array, Any]], x: Array, steps: int, label: str) -> End:
        """Record a path that starts at x; return why it ends early, {} if it does not."""
        state, stopped = None, End()
        sketch: Sketch = ()
        for step in range(steps + 1):
            try:
                x, state = next(walked)
                if self._wanted is None or step in self._wanted:
                    sketch = self.sketched(step, x, state)
                if self.sharpness is not None:
                    self.sharpness.take(step, state)
            except OptimizerError as error:
                if self.watched.undefined:
                    return {"no_gradient_at": step - 1}
                stopped = {"stopped_at": step, "stopped": str(error)}
                LOG.debug("%s at step %s", label, step, exc_info=error.__cause__ or error)
                if step:
                    return stopped
            if self.watched.undefined and not np.isfinite(x).all():
                return {"no_gradient_at": step - 1}
            end = self.see(step, x, state, sketch) | stopped
            if end:
                return end
        return {}

    def sketched(self, step: int, x: Array, state: Any) -> Sketch:
        """Return what the method looked at in a step, or begins with."""
        if self.sketching is None:
            return ()
        if not step:
            return self.sketching.first_sketch(self.watched, x)
        # A solver that has converged at its start has no state.
        return () if state is None else self.sketching.sketch(state)

    def see(self, step: int, x: Array, state: Any, sketch: Sketch) -> End:
        """Record a step; return why it has to be the last one, {} if it does not."""
        here = self.watched.at(step)
        loss = here.value(x)
        self.losses.append(float(loss))
        wanted = self._wanted is None or step in self._wanted
        if self.sharpness is not None:
            self.sharpness.see(x if wanted else None)
        if wanted:
            self.points.append(x)
            self.truths += [here.full_batch.value(x)] if self.has_batches else []
        if self._wanted is None:
            self.states.append(_recorded(state, x.shape))
        if self.sketching is not None:
            self.sketches.append(sketch)
        finite = np.isfinite(x).all()
        if finite and np.isfinite(loss):
            return {}
        undefined = finite and not here.overflows(x)
        return {"no_gradient_at" if undefined else "diverged_at": step}


class _SharpnessRecorder:
    """Records the sharpness at the points that are kept, with the steps that are taken there."""

    def __init__(self, method: Method, sharpness: Sharpness) -> None:
        self._method, self._sharpness = method, sharpness
        self._values: list[float] = []
        self._point: Array | None = None  # the one that the next step leaves, if it is kept
        self._last = IDENTITY  # preconditioner
        self._is_preconditioned = False
        self._beside: Mapping[Role, tuple[Array, Array]] = {}
        self._companions: dict[Role, list[float]] = {}

    def take(self, step: int, state: Any) -> None:
        """Take notice of how a step was preconditioned."""
        known = step and state is not None
        found = self._method.preconditioner(state) if known else None
        self._beside = self._method.companions(state) if known else {}
        if found is not None:
            self._last, self._is_preconditioned = found, self._is_preconditioned or found.ndim > 0
        self._measure()

    def see(self, x: Array | None) -> None:
        """Take notice of the point that the step reached, if it is kept."""
        self._point = x
        for role, placed in self._beside.items() if x is not None else ():
            self._companions.setdefault(role, []).append(self._sharpness(*placed))

    def _measure(self) -> None:
        if self._point is not None:
            self._values.append(self._sharpness(self._point, self._last))
        self._point = None

    def fields(self, steps: int) -> dict[str, Any]:
        """Return the fields of a Trajectory, after the last step."""
        self._measure()
        values = _column(self._values, steps)
        beside = {
            role: _column([values[0], *of_steps], steps)  # all begin at the start
            for role, of_steps in self._companions.items()
        }
        return {
            "sharpness": values,
            "companions_sharpness": beside,
            "is_preconditioned": self._is_preconditioned,
        }


def _rows_to_keep(
    dim: int, spaced: NDArray[np.intp], rows: Sequence[int], most: int
) -> NDArray[np.intp] | None:
    """Return the steps whose points are kept, None for all."""
    if dim <= ALL:
        return None
    both: NDArray[np.intp] = np.union1d(spaced, np.array(rows, int))
    return both if len(both) <= most else spaced


def respond(signal: Stream, optimizer: Method, steps: int, label: str = "") -> tuple[Array, str]:
    """Return an optimizer's updates for a signal of gradients, shape (steps,).

    The second value is the reason why third-party code failed, from where updates are nan; it is
    empty if none did.

    An update is what is subtracted from x, so it is positive for a positive gradient. Every step
    starts at x = 0, so that no digit of a small update is lost next to a large x; that of a solver,
    or of a method that remembers points, starts where its last step ended. Raises InputError if a
    solver cannot follow a signal, or if a method needs more than gradients.
    """
    x, updates = np.zeros(signal.dim), np.full(steps, np.nan)
    name = label or type(optimizer).__name__
    for each in optimizer.needs:
        what = re.split("[,:]", NEEDED[each])[0]
        raise InputError(f"{name} cannot respond to a signal: it needs {what}")
    if optimizer.needs_fixed_objective:
        raise InputError(f"{name} needs a fixed objective: it cannot follow a signal")
    try:
        with np.errstate(all="ignore"):
            if not isinstance(optimizer, Optimizer):
                before = x
                for step, (here, _) in enumerate(walk(signal, optimizer, x, steps)):
                    if step:
                        updates[step - 1] = (before - here)[0]
                    before = here
                return updates, ""
            state = optimizer.init(x)
            for step in range(steps):
                moved, state = optimizer.step(ShiftedObjective(signal.at(step), -x), x, state)
                updates[step] = (x - moved)[0]
                x = moved if optimizer.remembers_points else x
    except OptimizerError as error:
        return updates, str(error)
    return updates, ""


def _recorded(state: Any, shape: tuple[int, ...], deep: int = 0) -> dict[str, Array]:
    """Return the numbers in a state by name: those with one value, or one per coordinate."""
    if state is None or deep > DEEPEST:
        return {}
    state = getattr(state, "recorded", state)
    if isinstance(state, Mapping):
        parts = dict(state)
    elif hasattr(state, "_asdict"):
        parts = state._asdict()
    elif isinstance(state, tuple | list):
        parts = dict(enumerate(state))
    else:
        parts = {"state": state}
    found: dict[str, Array] = {}
    for name, part in parts.items():
        if isinstance(part, Mapping | tuple | list):
            found = _recorded(part, shape, deep + 1) | found
            continue
        with suppress(Exception):  # the state of third-party code may be anything
            if np.iscomplexobj(part):
                continue
            number = np.array(part, float)
            if isinstance(name, str) and number.shape in ((), shape):
                found[name] = number
    return found


def _columns(states: Sequence[Mapping[str, Array]], steps: int) -> dict[str, Array]:
    """Return recorded states by name, one row per step; 0 where there is none yet."""
    largest = {
        name: max((state[name].shape for state in states if name in state), key=len)
        for name in dict.fromkeys(name for state in states for name in state)
    }
    return {
        name: _column(
            [np.broadcast_to(state.get(name, np.zeros(())), shape) for state in states], steps
        )
        for name, shape in largest.items()
    }


def _column(rows: Sequence[Any], steps: int) -> Array:
    """Stack rows and append nan, to steps + 1 rows."""
    stacked = np.array(rows, float)
    missing = np.full((steps + 1 - len(rows), *stacked.shape[1:]), np.nan)
    return np.concatenate([stacked, missing])


class _Watched:
    """A stream that records whether a gradient was undefined at a finite point."""

    def __init__(self, objective: Objective | Stream) -> None:
        self._stream = objective if isinstance(objective, Stream) else None
        self.undefined = False
        self._meet(objective)

    def __getattr__(self, name: str) -> Any:  # misspelled in third-party code
        raise AttributeError(did_you_mean("attribute of the objective", name, OFFERED))

    @property
    def dim(self) -> int:
        return int(self._here.dim)

    def at(self, step: int) -> "_Watched":
        if self._stream is not None:
            self._meet(self._stream.at(step))
        return self

    def _meet(self, objective: Any) -> None:
        """Delegate to an objective, including its Hessian if it has one."""
        self._here = objective
        pass_on(objective, self)

    def value(self, x: Array) -> Array:
        value: Array = self._here.value(x)
        return value

    def gradient(self, x: Array) -> Array:
        gradient: Array = self._here.gradient(x)
        self._look(x, gradient)
        return gradient

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        value, gradient = self._here.value_and_gradient(x)
        self._look(x, gradient)
        return value, gradient

    def overflows(self, x: Array) -> bool:
        """Return whether x gives numbers too large for float64, rather than undefined ones."""
        try:
            with np.errstate(over="raise"):
                self._here.value_and_gradient(x)
        except FloatingPointError:
            return True
        return False

    def _look(self, x: Array, gradient: Array) -> None:
        if not np.isfinite(gradient).all() and np.isfinite(x).all():
            self.undefined = not self.overflows(x)
