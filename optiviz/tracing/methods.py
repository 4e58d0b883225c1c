"""Optimizers as programs: one step, recorded with hyperparameters, point and state as inputs.

Inputs are x/0, x/1 (the point), s/0, s/1 ... (the state, as a flat list), h/0, h/1 ... (the
hyperparameters) and n (the steps of the run). Results are "x" and "s", and of a sketch "shapes".
"""

import pickle
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from optiviz.objective import Array, Objective
from optiviz.optimizers.base import (
    BaseWrapper,
    Method,
    Optimizer,
    Solver,
    offers,
)
from optiviz.optimizers.factory import RATE_NAMES
from optiviz.optimizers.third_party import ThirdPartyOptimizer, UserOptimizer, leftovers
from optiviz.optimizers.wrappers import Wrapper
from optiviz.shapes import ShapeForm, Sketch
from optiviz.system.time_limit import TimeLimit
from optiviz.tracing.arrays import TracedArray, input_array, nodes_of, scalars
from optiviz.tracing.comparison import check_program, for_steps
from optiviz.tracing.forms import Form
from optiviz.tracing.graph import Graph, NeedsValue, Results, Tree, Untraceable
from optiviz.tracing.javascript import method_text
from optiviz.tracing.objectives import TracedObjective
from optiviz.tracing.programs import MethodProgram, SketchProgram

MAX_FORMS = 3  # times that the shapes of a state are adapted to those after a step
MAX_SECONDS = 3.0  # for third-party code
REMEMBERS = "it remembers more than the state that it returns"
Values = Mapping[str, Any]

_compared: set[tuple[Any, int, str]] = set()  # classes, and their programs that do the same


def record(method: Method, dim: int) -> MethodProgram:
    """Return the programs of an optimizer in `dim` coordinates.

    Raises Untraceable if its steps cannot be recorded; the message says why.
    """
    core = _core(method)
    if isinstance(core, Solver):
        raise Untraceable("it runs a loop of its own")
    if method.has_loops:
        raise Untraceable("each step takes as many trials as it needs")
    known = TracedObjective(Graph(), dim)
    for need in method.needs:
        if not offers(known, need):
            raise Untraceable(f"a page does not know the {need.replace('_', ' ')} it needs")
    if isinstance(core, ThirdPartyOptimizer) and not isinstance(core, UserOptimizer):
        raise Untraceable("it is not written with numpy")
    assert isinstance(method, Optimizer)
    if not isinstance(core, UserOptimizer):
        if method.draws(known):
            raise Untraceable("it draws random numbers")
        return replace(_recorded(method, dim, ("seed",)), idle=("seed",))
    before = leftovers(core.found)
    try:
        with TimeLimit(MAX_SECONDS).running():
            program = _recorded(method, dim)
            compared = core.found, dim, method_text(program)
            if compared not in _compared:  # pages of many problems record the same program
                check_program(method, partial(_changed, method), program, dim)
                _compared.add(compared)
    except TimeoutError:
        raise Untraceable(f"it takes longer than {MAX_SECONDS:g} seconds to record") from None
    if leftovers(core.found) != before:
        raise Untraceable(REMEMBERS)
    return program


def _recorded(method: Optimizer, dim: int, idle: Sequence[str] = ()) -> MethodProgram:
    variable = [
        name
        for name, value in method.hyperparameters().items()
        if isinstance(value, bool | int | float | np.number) and name not in idle
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
        _, form = self._begun(None)
        for _ in range(MAX_FORMS):
            step, after = self._stepped(form)
            if after.shapes == form.shapes:
                sketch, unsketched = self._sketched(form)
                begun = self._begun(form)[0]
                return MethodProgram(self._variable, form.parts, begun, step, sketch, unsketched)
            form = after
        raise Untraceable("the shape of its state changes with every step")

    def _begun(self, form: Form | None) -> tuple[Tree, Form]:
        """Return the program of the first state, and its form, which is this one if there is."""
        graph, forms = Graph(self._settings), [] if form is None else [form]

        def begin() -> Results:
            state = self._traced(graph).init(input_array(graph, "x", (self._dim,)))  # type: ignore[arg-type]
            forms.append(forms[-1].widened(Form.of(state)) if forms else Form.of(state))
            return {"s": forms[-1].flat(state)}

        return graph.explore(begin), forms[-1]

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

        return graph.explore(step), after

    def _sketched(self, form: Form) -> tuple[SketchProgram | None, str]:
        """Return the program of the sketch of a state; None, and why, if it cannot be recorded."""
        if not self._method.has_sketch:
            return None, ""
        graph, found = Graph(self._settings), set[tuple[ShapeForm, ...]]()

        def sketch() -> Results:
            shapes = self._traced(graph).sketch(form.inputs(graph))
            if not shapes:
                return {}
            found.add(tuple(map(ShapeForm.of, shapes)))
            if len(found) > 1:
                raise Untraceable("it has other shapes in some steps than in others")
            numbers = [each for shape in shapes for part in shape[:-1] for each in scalars(part)]
            return {"shapes": numbers}

        try:
            tree = graph.explore(sketch)
        except Untraceable as error:
            return None, str(error)
        return (SketchProgram(found.pop(), tree), "") if found else (None, "")

    def _traced(self, graph: Graph) -> Optimizer:
        """Return the optimizer with inputs in place of hyperparameters."""
        inputs = {
            name: input_array(graph, setting, ())
            for name, setting in zip(self._variable, self._settings, strict=True)
        }
        method = for_steps(self._method, input_array(graph, "n", ()))
        return _changed(method, inputs, _recorded_user)


def _replaced(method: UserOptimizer, values: Values) -> UserOptimizer:
    return replace(method, values={**method.values, **values})


def _changed(
    method: Optimizer,
    values: Values,
    user: Callable[[UserOptimizer, Values], Optimizer] = _replaced,
) -> Optimizer:
    """Return an optimizer with other hyperparameters, which are not checked if they are ours.

    user changes a user's optimizer.
    """
    if isinstance(method, UserOptimizer):
        return user(method, values)
    if not isinstance(method, BaseWrapper):
        return method.with_fields(**values)
    fields: dict[str, Any] = {}
    if isinstance(method, Wrapper):
        written = method.own(list(method.inner.hyperparameters()))
        fields = {own: values[name] for name, own in written.items() if name in values}
        values = {name: value for name, value in values.items() if name not in written}
    return method.with_fields(inner=_changed(method.inner, values, user), **fields)


def _recorded_user(method: UserOptimizer, values: Values) -> "_User":
    return _User(found=method.found, values={**method.values, **values})


@dataclass(frozen=True, eq=False, kw_only=True)
class _User(Optimizer):
    """A user's class, whose code runs unchanged on recording arrays."""

    found: Callable[..., Any]
    values: Mapping[str, Any]

    def scaled(self, factor: Any) -> "_User":
        rate = next(each for each in RATE_NAMES if each in self.values)
        return self.with_fields(values={**self.values, rate: self.values[rate] * factor})

    def init(self, x: Array) -> Any:
        return self._called("init", x)

    def step(self, objective: Objective, x: Array, state: Any) -> Any:
        moved = self._called("step", objective, x, state)
        if not (isinstance(moved, tuple) and len(moved) == 2):
            raise Untraceable("it does not return (x, state)")
        return moved

    def sketch(self, state: Any) -> Sketch:
        shapes: Sketch = self._called("sketch", state)
        return shapes

    def _called(self, name: str, *args: Any) -> Any:
        instance = self.found(**self.values)
        before = _attributes(instance)
        result = getattr(instance, name)(*args)
        if _attributes(instance) != before:
            raise Untraceable("it keeps its state in attributes instead of the state it returns")
        return result


def _attributes(instance: Any) -> dict[str, Any]:
    """Return what is in the attributes of an object, to be compared before and after a call."""
    found: dict[str, Any] = {}
    for name, value in getattr(instance, "__dict__", {}).items():
        found[name] = id(value)
        with suppress(Exception):
            if not isinstance(value, TracedArray):
                found[name] = id(value), pickle.dumps(value)
    return found
