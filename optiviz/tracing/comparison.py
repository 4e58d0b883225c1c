"""Programs of third-party code, compared with the code.

Code may do more than what was recorded: draw random numbers, remember what its state does not hold,
or ask what type a value has. So each step of a program is compared with that of the code.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from optiviz.objective import Array, Objective, Stream
from optiviz.optimizers.base import BaseWrapper, Optimizer, OptimizerError, Scheduled
from optiviz.shapes import ShapeForm
from optiviz.system.errors import InputError
from optiviz.tracing.forms import Form
from optiviz.tracing.graph import Untraceable
from optiviz.tracing.programs import MethodProgram, SketchProgram, run

# Starts from which a program is compared, as many coordinates as there are, and steps: with the
# hyperparameters that are set, and with each of them changed.
STARTS = (-1.5, 1.0), (2.0, 3.0), (-40.0, -90.0), (2e-3, -1e-3)
LONG, SHORT = 600, 12
FACTORS = 0.5, 2.0  # of hyperparameters that are changed
SAME = 1e-9  # relative tolerance
ANOTHER = "what was recorded of it is not what it does each time"
Changed = Callable[[dict[str, Any]], Optimizer]  # returns the optimizer with other hyperparameters


class Bowl:
    """A smooth function with one minimum, at the origin."""

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def value(self, x: Array) -> Array:
        total: Array = (x * x / 2 + np.cos(x)).sum(axis=-1)
        return total

    def gradient(self, x: Array) -> Array:
        slope: Array = x - np.sin(x)
        return slope

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        return self.value(x), self.gradient(x)

    def hessian(self, x: Array) -> Array:
        bends: Array = np.eye(self.dim) * (1 - np.cos(x))[..., None]
        return bends


def for_steps(method: Any, steps: Any) -> Any:
    """Return an optimizer whose schedules are for a run of `steps` steps, which may be recorded."""
    if not isinstance(method, BaseWrapper):
        return method
    fields: dict[str, Any] = {"inner": for_steps(method.inner, steps)}
    if isinstance(method, Scheduled):
        fields["schedule"] = method.schedule.with_total_steps(steps)
    return method.with_fields(**fields)


def check_program(method: Optimizer, changed: Changed, program: MethodProgram, dim: int) -> None:
    """Raise Untraceable unless a program does what an optimizer does, on a function of its own."""
    bowl = Bowl(dim)
    for number, start in enumerate(STARTS):
        check_path(method, program, bowl, np.array(start[:dim]), SHORT if number else LONG)
    for values in _changes({name: method.hyperparameters()[name] for name in program.variable}):
        try:
            other = changed(values)
        except InputError:  # a value that it refuses
            continue
        for start in STARTS:
            check_path(other, program, bowl, np.array(start[:dim]), SHORT)


def _changes(values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield hyperparameters of which one is changed."""
    for name, value in values.items():
        if isinstance(value, bool):
            others: list[Any] = [not value]
        elif isinstance(value, int):
            others = [value + 1, max(value - 1, 1)]
        else:
            others = [factor * value if value else factor for factor in FACTORS]
        yield from ({**values, name: other} for other in others)


def check_path(
    method: Optimizer,
    program: MethodProgram,
    objective: Objective | Stream,
    x: Array,
    steps: int,
) -> None:
    """Raise Untraceable unless each step of a run of `steps` steps from x is that of a program."""
    values, method = method.hyperparameters(), for_steps(method, steps)
    given: dict[str, Any] = {"h": [values[name] for name in program.variable], "n": [steps]}
    with np.errstate(all="ignore"):
        begun = run(program.init, given | {"x": x.tolist()})
        try:
            state = method.init(x)
        except OptimizerError:
            _check_same(begun, {})
            return
        form = Form.of(state)
        _check_same(begun, {"s": form.flat(state)})
        for step in range(steps):
            here = objective.at(step) if isinstance(objective, Stream) else objective
            found = run(program.step, given | {"x": x.tolist(), "s": form.flat(state)}, here)
            try:
                x, state = method.step(here, x, state)
            except OptimizerError:
                if not np.isnan(found.get("x", [])).any():  # which is refused, too
                    _check_same(found, {})
                return
            _check_same(found, {"x": x.tolist(), "s": form.flat(state)})
            if program.sketch is not None:
                numbers = run(program.sketch.tree, given | {"s": form.flat(state)})
                _check_same(numbers, _sketched(method, program.sketch, state))
            if not np.isfinite(x).all():
                return


def _sketched(method: Optimizer, program: SketchProgram, state: Any) -> dict[str, Any]:
    """Return what the program of a sketch should."""
    try:
        shapes = method.sketch(state)
    except OptimizerError as error:
        raise Untraceable(f"its sketch {error}") from None
    if shapes and tuple(map(ShapeForm.of, shapes)) != program.forms:
        raise Untraceable(ANOTHER)
    numbers = [each for shape in shapes for part in shape[:-1] for each in np.ravel(part)]
    return {"shapes": numbers} if shapes else {}


def _check_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    same = found.keys() == expected.keys() and all(
        np.allclose(np.array(found[name], float), np.array(each, float), SAME, 0, equal_nan=True)
        for name, each in expected.items()
    )
    if not same:
        raise Untraceable(ANOTHER)
