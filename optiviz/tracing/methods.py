"""Optimizers as programs: one step, recorded with hyperparameters, point and state as inputs.

Inputs are x/0, x/1 (the point), s/0, s/1 ... (the state, as a flat list), h/0, h/1 ... (the
hyperparameters) and n (the steps of the run). Results are "x" and "s".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from optiviz.objective import Array, Objective
from optiviz.optimizers.base import (
    BaseWrapper,
    Method,
    Optimizer,
    OptimizerError,
    Scheduled,
    Solver,
)
from optiviz.optimizers.factory import RATE_NAMES
from optiviz.optimizers.third_party import ThirdPartyOptimizer, UserOptimizer
from optiviz.optimizers.wrappers import Wrapper
from optiviz.system.time_limit import TimeLimit
from optiviz.tracing.arrays import TracedArray, input_array, nodes_of, scalars
from optiviz.tracing.forms import Form, StatePart
from optiviz.tracing.graph import Graph, NeedsValue, Results, Tree, Untraceable
from optiviz.tracing.objectives import TracedObjective
from optiviz.tracing.programs import run

MAX_FORMS = 3  # times that the shapes of a state are adapted to those after a step
# Steps at which the program of third-party code is compared with the code, and the tolerance.
COMPARED, SAME = 60, 1e-9
MAX_SECONDS = 2.0  # for third-party code


@dataclass(frozen=True)
class MethodProgram:
    """An optimizer as programs: `init` returns the first state, `step` the next point and state.

    variable are the names of the hyperparameters that are inputs, in order.
    """

    variable: tuple[str, ...]
    state: tuple[StatePart, ...]
    init: Tree
    step: Tree


def record(method: Method, dim: int) -> MethodProgram:
    """Return the programs of an optimizer in `dim` coordinates.

    Raises Untraceable if its steps cannot be recorded; the message says why.
    """
    core = _core(method)
    if isinstance(core, Solver):
        raise Untraceable("it runs a loop of its own")
    if isinstance(core, ThirdPartyOptimizer) and not isinstance(core, UserOptimizer):
        raise Untraceable("it is not written with numpy")
    assert isinstance(method, Optimizer)
    if not isinstance(core, UserOptimizer):
        return _recorded(method, dim)
    try:
        with TimeLimit(MAX_SECONDS).running():
            program = _recorded(method, dim)
            _compare(method, dim, program)
            return program
    except TimeoutError:
        raise Untraceable(f"it takes longer than {MAX_SECONDS:g} seconds to record") from None
    except OptimizerError as error:
        raise Untraceable(f"it {error}") from None


def _recorded(method: Optimizer, dim: int) -> MethodProgram:
    variable = [
        name
        for name, value in method.hyperparameters().items()
        if isinstance(value, bool | int | float | np.number)
    ]
    while True:
        recorder = _Recorder(method, dim, tuple(variable))
        try:
            return recorder.program()
        except NeedsValue as error:
            fixed = {variable[int(name.partition("/")[2])] for name in error.names}
            variable = [name for name in variable if name not in fixed]


def _core(method: Method) -> Method:
    """Return the optimizer inside of all wrappers."""
    return _core(method.inner) if isinstance(method, BaseWrapper) else method


class _Recorder:
    """Records the programs of one optimizer, of which some hyperparameters are inputs."""

    def __init__(self, method: Optimizer, dim: int, variable: tuple[str, ...]) -> None:
        self._method, self._dim, self._variable = method, dim, variable
        self._settings = [f"h/{place}" for place in range(len(variable))]

    def program(self) -> MethodProgram:
        graph = Graph(self._settings)
        form = Form.of(self._begun(graph))
        for _ in range(MAX_FORMS):
            step, after = self._stepped(form)
            if after.shapes == form.shapes:
                begun = partial(self._first, graph, form)
                init = graph.explore(begun, {"s": [np.nan] * form.size})
                return MethodProgram(self._variable, form.parts, init, step)
            form = after
        raise Untraceable("the shape of its state changes with every step")

    def _first(self, graph: Graph, form: Form) -> Results:
        return {"s": form.flat(self._begun(graph))}

    def _begun(self, graph: Graph) -> Any:
        """Return the first state."""
        return self._traced(graph).init(input_array(graph, "x", (self._dim,)))  # type: ignore[arg-type]

    def _stepped(self, form: "Form") -> "tuple[Tree, Form]":
        """Return the program of a step, and the form of the state after it."""
        graph, after = Graph(self._settings), form

        def step() -> Results:
            nonlocal after
            x, objective = input_array(graph, "x", (self._dim,)), TracedObjective(graph, self._dim)
            moved, state = self._traced(graph).step(objective, x, form.inputs(graph))  # type: ignore[arg-type]
            if np.shape(nodes_of(moved)) != (self._dim,):
                raise Untraceable("it returns a point of another shape")
            after = after.widened(Form.of(state))
            return {"x": scalars(moved), "s": after.flat(state)}

        state = [graph.input(f"s/{place}") for place in range(form.size)]
        return graph.explore(step, {"x": [np.nan] * self._dim, "s": list(state)}), after

    def _traced(self, graph: Graph) -> Optimizer:
        """Return the optimizer with inputs in place of hyperparameters."""
        inputs = {
            name: input_array(graph, setting, ())
            for name, setting in zip(self._variable, self._settings, strict=True)
        }
        return _with_inputs(self._method, inputs, input_array(graph, "n", ()))


def _with_inputs(method: Optimizer, inputs: Mapping[str, Any], steps: TracedArray) -> Optimizer:
    """Return an optimizer with inputs in place of hyperparameters, by their names."""
    if isinstance(method, UserOptimizer):
        return _User(found=method.found, values={**method.values, **inputs})
    if not isinstance(method, BaseWrapper):
        return method.with_fields(**inputs)
    changed: dict[str, Any] = {}
    if isinstance(method, Wrapper):
        written = method.own(list(method.inner.hyperparameters()))
        changed = {own: inputs[name] for name, own in written.items() if name in inputs}
        inputs = {name: value for name, value in inputs.items() if name not in written}
    elif isinstance(method, Scheduled):
        changed["schedule"] = method.schedule.with_total_steps(steps)
    return method.with_fields(inner=_with_inputs(method.inner, inputs, steps), **changed)


@dataclass(frozen=True, eq=False, kw_only=True)
class _User(Optimizer):
    """A user's class, whose code runs unchanged on recording arrays."""

    found: Callable[..., Any]
    values: Mapping[str, Any]

    def scaled(self, factor: Any) -> "_User":
        rate = next(each for each in RATE_NAMES if each in self.values)
        return _User(found=self.found, values={**self.values, rate: self.values[rate] * factor})

    def init(self, x: Array) -> Any:
        return self._called("init", x)

    def step(self, objective: Objective, x: Array, state: Any) -> Any:
        moved = self._called("step", objective, x, state)
        if not (isinstance(moved, tuple) and len(moved) == 2):
            raise Untraceable("it does not return (x, state)")
        return moved

    def _called(self, name: str, *args: Any) -> Any:
        instance = self.found(**self.values)
        before = dict(vars(instance)) if hasattr(instance, "__dict__") else {}
        result = getattr(instance, name)(*args)
        after = dict(vars(instance)) if before or hasattr(instance, "__dict__") else {}
        if before.keys() != after.keys() or any(after[key] is not before[key] for key in before):
            raise Untraceable("it keeps its state in attributes instead of the state it returns")
        return result


class _Bowl:
    """A smooth function, at whose points a program is compared with the code."""

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


def _compare(method: Optimizer, dim: int, program: MethodProgram) -> None:
    """Raise Untraceable unless a program does what the code does, step by step.

    Code may depend on more than its arguments: on random numbers, or on what it has stored.
    """
    objective, x = _Bowl(dim), np.linspace(-1.5, 1.0, dim)
    values = method.hyperparameters()
    h = [values[name] for name in program.variable]
    with np.errstate(all="ignore"):
        state = method.init(x)
        form = Form.of(state)
        expected = run(program.init, {"x": x.tolist(), "h": h, "n": [COMPARED]})["s"]
        _check_same(form.flat(state), expected)
        for _ in range(COMPARED):
            inputs = {"x": x.tolist(), "s": form.flat(state), "h": h, "n": [COMPARED]}
            found = run(program.step, inputs, objective)
            x, state = method.step(objective, x, state)
            _check_same(x.tolist(), found.get("x", []))
            _check_same(form.flat(state), found.get("s", []))
            if not np.isfinite(x).all():
                break


def _check_same(values: Any, expected: Any) -> None:
    if len(values) != len(expected) or not np.allclose(
        np.array(values, float), np.array(expected, float), SAME, SAME, equal_nan=True
    ):
        raise Untraceable("what was recorded is not what it does each time")
