"""Programs of optimizers: what they compute is what `step` does; what cannot be one is told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import LIVE, SOLVERS

import optiviz
from optiviz.optimizers.base import Optimizer, Scheduled, length
from optiviz.optimizers.explanations import ExplainedOptimizer, explained
from optiviz.optimizers.lookup import factory_of
from optiviz.optimizers.momentum import Momentum, Velocity
from optiviz.optimizers.schedules import Schedule
from optiviz.optimizers.spec import parse_spec
from optiviz.registry import EXPLANATIONS, Explanation
from optiviz.shapes import Ellipse, Points, QuadraticModel, Segment, ShapeForm, Sketch
from optiviz.tracing.comparison import check_path
from optiviz.tracing.forms import Form
from optiviz.tracing.graph import Untraceable
from optiviz.tracing.methods import MethodProgram, record
from optiviz.tracing.programs import run

STEPS = 30
WRAPPED = [
    *("lookahead+adam", "sam+momentum", "lookahead+sam+rmsprop"),
    "polyak-averaging+momentum:start=2",
    *("schedule-free+sgd", "schedule-free+sam+adam:beta=0.5", "schedule-free+newton"),
    *("cautious+momentum", "cautious+adam:xi=0", "clip+adam", "cautious+clip+sgd"),
]
SCHEDULED = [
    "adam:lr=0.1@cosine",
    "lookahead+sgd:lr=0.02@warmup/5@step/10/0.5@exp/0.99",
]
SET = [
    "rmsprop:lr=0.02:centered=true:momentum=0.5:weight_decay=0.01",
    "adam:lr=0.1:eps_in_sqrt=true:decoupled_weight_decay=true:weight_decay=0.1",
    "adopt:lr=0.1:nesterov=true:use_clipping=false",
    "smoothed-nesterov:lr=0.01:points=7",
    "newton:damping=3",
]
SURFACES = {
    1: optiviz.load_surface("cosine"),
    2: optiviz.load_surface("wobbly"),
}
OWN = """
import math
import random

import numpy as np
from optiviz.shapes import *


class Heavy:
    def __init__(self, lr, momentum=0.9, nesterov=True):
        if not lr > 0:
            raise ValueError("lr must be positive")
        self.lr, self.kept, self.nesterov = 2 * lr, 1 - momentum, nesterov

    def init(self, x):
        return {"v": np.zeros_like(x), "steps": 0}

    def step(self, objective, x, state):
        g = objective.gradient(x)
        if np.linalg.norm(g) > 2:
            g = 2 * g / np.linalg.norm(g)
        v = (1 - self.kept) * state["v"] + g
        x -= self.lr * (g + 0.5 * v if self.nesterov else v)
        return x, {"v": v, "steps": state["steps"] + 1}


class Attribute:
    def __init__(self, lr):
        self.lr = lr

    def init(self, x):
        self.v = 0 * x
        return None

    def step(self, objective, x, state):
        self.v = 0.9 * self.v + objective.gradient(x)
        return x - self.lr * self.v, None


class Counting(Attribute):
    def init(self, x):
        return None

    def step(self, objective, x, state):
        self.steps = getattr(self, "steps", 0) + 1
        return x - self.lr * objective.gradient(x) / self.steps, None


class Random(Counting):
    def step(self, objective, x, state):
        return x - self.lr * objective.gradient(x) * random.random(), None


class Math(Counting):
    def step(self, objective, x, state):
        return x - self.lr * math.copysign(1.0, x[0]) * objective.gradient(x), None


class Search(Counting):
    def step(self, objective, x, state):
        lr, g = self.lr, objective.gradient(x)
        while objective.value(x - lr * g) > objective.value(x):
            lr = lr / 2
        return x - lr * g, None


class Endless(Counting):
    def step(self, objective, x, state):
        while x[0] > -1e9:
            pass
        return x, None


class Later(Counting):
    def step(self, objective, x, state):
        v = objective.gradient(x) if state is None else 0.5 * state
        return x - self.lr * v, v


class Listed(Counting):
    def __init__(self, lr):
        self.lr, self.seen = lr, []

    def step(self, objective, x, state):
        self.seen.append(1)
        return x - self.lr * objective.gradient(x), None


calls = []


class Global(Counting):
    def step(self, objective, x, state):
        calls.append(1)
        return x - self.lr * objective.gradient(x) * (1 if len(calls) < 5000 else 2), None


class Class(Counting):
    seen = 0

    def step(self, objective, x, state):
        type(self).seen += 1
        return x - self.lr * objective.gradient(x), None


class Rarely(Counting):
    def __init__(self, lr):
        self.lr, self.random = lr, np.random.default_rng(0)

    def step(self, objective, x, state):
        g = objective.gradient(x)
        if np.linalg.norm(g) < 1e-9:
            g = self.random.normal(size=2)
        return x - self.lr * g, None


class Late(Counting):
    def init(self, x):
        return 0

    def step(self, objective, x, state):
        lr = self.lr if not isinstance(state, int) or state < 80 else 2 * self.lr
        return x - lr * objective.gradient(x), state + 1


class Flag(Counting):
    def __init__(self, lr, twice=False):
        self.lr = 2 * lr if twice is True else lr

    def step(self, objective, x, state):
        return x - self.lr * objective.gradient(x), None


class Typed(Counting):
    def step(self, objective, x, state):
        g = objective.gradient(x)
        return x - self.lr * (np.sign(g) if isinstance(g, np.ndarray) else g), None


class Guarded(Counting):
    def step(self, objective, x, state):
        g = objective.gradient(x)
        try:
            share = min(1.0, 3 / math.sqrt(float(g @ g)))
        except Exception:
            share = 1.0
        return x - self.lr * share * g, None


class Missing(Counting):
    def step(self, objective, x, state):
        g = objective.gradient(x)
        if np.linalg.norm(g) > 5:
            g = g / (1 + g.std())
        return x - self.lr * g, None


class Origin(Counting):
    def step(self, objective, x, state):
        slope = float(objective.gradient(np.zeros(2))[0])
        return x - self.lr * objective.gradient(x) * (1 + slope), None


class Sketching(Counting):
    def init(self, x):
        return {"seen": np.stack([x, x])}

    def step(self, objective, x, state):
        moved = x - self.lr * objective.gradient(x)
        return moved, {"seen": np.stack([x, moved])}

    def sketch(self, state):
        return (Segment(state["seen"]), Points(state["seen"][1:], "accepted"))


class Moody(Sketching):
    def sketch(self, state):
        return (Points(state["seen"] + random.random()),)


class Words(Counting):
    def init(self, x):
        return {"phase": "first"}

    def step(self, objective, x, state):
        return x - self.lr * objective.gradient(x), state
"""


def built(text: str) -> tuple[Optimizer, Optimizer]:
    """Return an optimizer for a run of STEPS steps, and for one of any number."""
    spec = parse_spec(text)
    rate = factory_of(spec.name).rate
    rest = {rate: 0.01} if rate and rate not in dict(spec.settings) else {}
    made = [each.build(**rest) for each in (spec.with_total_steps(STEPS), spec)]
    assert all(isinstance(each, Optimizer) for each in made)
    return made[0], made[1]  # type: ignore[return-value]


def inputs(program: MethodProgram, method: Optimizer, x: Any, state: Any = None) -> dict[str, Any]:
    values = method.hyperparameters()
    s = Form.of(state).flat(state)
    return {"x": x.tolist(), "s": s, "h": [values[name] for name in program.variable], "n": [STEPS]}


def check_sketch(program: MethodProgram, method: Optimizer, x: Any, state: Any) -> None:
    """Check that the program of a sketch, if there is one, computes what Python does."""
    if program.sketch is None:
        return
    found = run(program.sketch.tree, inputs(program, method, x, state)).get("shapes", [])
    shapes = method.sketch(state)
    expected = [each for shape in shapes for part in shape[:-1] for each in np.ravel(part)]
    np.testing.assert_allclose(np.array(found, float), expected, rtol=1e-14, atol=1e-300)
    assert not shapes or tuple(map(ShapeForm.of, shapes)) == program.sketch.forms


@dataclass(frozen=True, eq=False, kw_only=True)
class Looking(Momentum):
    """A method with a sketch that has shapes of several kinds, and none of slow steps."""

    def sketch(self, state: Velocity) -> Sketch:
        v = state.velocity
        if length(v) < 1e-3:
            return ()
        bend = np.eye(v.shape[-1]) * v[..., None]
        return (
            Segment(np.stack([v, -self.lr * v])),
            Ellipse(v, bend @ bend),
            QuadraticModel(v, 1.0, 2 * v, np.linalg.solve(bend, bend), "model"),
            Points(np.where(v > 0, v, np.nan)[None], "accepted"),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Blind(Momentum):
    """A method whose sketch cannot be recorded."""

    def sketch(self, state: Velocity) -> Sketch:
        return (Points(np.linalg.qr(state.velocity[:, None])[0].T),)


@pytest.mark.parametrize("dim", SURFACES)
def test_a_sketch_is_recorded(dim: int) -> None:
    method = Looking(lr=0.02)
    program, x = record(method, dim), np.array(SURFACES[dim].start, float)
    assert program.sketch is not None
    state = method.init(x)
    for _ in range(STEPS):
        x, state = method.step(SURFACES[dim], x, state)
        check_sketch(program, method, x, state)
    wrapped = record(Scheduled(inner=method, schedule=Schedule.read("exp/0.9")), dim)
    assert wrapped.sketch is not None
    assert wrapped.sketch.forms == program.sketch.forms


@pytest.mark.sample(8)
@pytest.mark.parametrize("how", EXPLANATIONS)
@pytest.mark.parametrize("text", [*LIVE, *WRAPPED, *SCHEDULED])
def test_what_explains_a_step_is_recorded(text: str, how: Explanation) -> None:
    for dim, surface in SURFACES.items():
        method, general = (explained(each, how) for each in built(text))
        if not isinstance(method, ExplainedOptimizer):
            return
        program, x = record(general, dim), np.array(surface.start, float)
        assert program.sketch is not None
        state = method.init(x)
        for _ in range(4):
            x, state = method.step(surface, x, state)
            with np.errstate(all="ignore"):  # where a step has no length
                check_sketch(program, method, x, state)


def test_a_method_whose_sketch_cannot_be_recorded_is_recorded_without() -> None:
    program = record(Blind(lr=0.1), 2)
    assert program.sketch is None
    assert program.unsketched == "it calls np.qr, which cannot be recorded"


@pytest.mark.sample(30)
@pytest.mark.parametrize("dim", SURFACES)
@pytest.mark.parametrize("text", [*LIVE, *WRAPPED, *SCHEDULED, *SET])
def test_a_program_does_what_the_optimizer_does(text: str, dim: int) -> None:
    method, general = built(text)
    program, surface = record(general, dim), SURFACES[dim]
    x = np.array(surface.start, float)
    state = method.init(x)
    begun = run(program.init, inputs(program, method, x))["s"]
    np.testing.assert_array_equal(np.array(begun, float), inputs(program, method, x, state)["s"])
    for _ in range(STEPS):
        found = run(program.step, inputs(program, method, x, state), surface)
        x, state = method.step(surface, x, state)
        np.testing.assert_allclose(found["x"], x, rtol=1e-14, atol=1e-300)
        after = np.array(inputs(program, method, x, state)["s"], float)
        np.testing.assert_allclose(np.array(found["s"], float), after, rtol=1e-13, atol=1e-300)
        check_sketch(program, method, x, state)
        if np.abs(surface.gradient(x)).max() < 1e-2:
            break  # gradients, and ratios of decreases, are rounding errors


@pytest.mark.parametrize("name", LIVE)
def test_all_hyperparameters_but_lengths_of_loops_and_idle_seeds_are_inputs(name: str) -> None:
    method, _ = built(name)
    known = method.hyperparameters()
    assert record(method, 2).variable == tuple(
        key for key in known if key not in ("points", "seed")
    )


def test_a_cosine_lasts_as_long_as_the_run() -> None:
    method, general = built("sgd:lr=0.1@cosine")
    assert isinstance(general, Scheduled)
    program = record(general, 2)
    given = inputs(program, method, np.ones(2), method.init(np.ones(2)))
    for steps in (10, 20):
        given |= {"s": [9.0], "n": [steps]}
        slope = SURFACES[2].gradient(np.ones(2))
        rate = 0.1 * (1 + np.cos(np.pi * 9 / steps)) / 2
        assert run(program.step, given, SURFACES[2])["x"] == pytest.approx(1 - rate * slope)


@pytest.fixture
def own(here: Path) -> Path:
    path = here / "own.py"
    path.write_text(OWN)
    return path


@pytest.mark.sample(1)
@pytest.mark.parametrize("wrapper", ["", "lookahead+", "sam+"])
def test_an_optimizer_of_ones_own_is_recorded(own: Path, wrapper: str) -> None:
    method, _ = built(f"{wrapper}{own}:Heavy:lr=0.1:momentum=0.5")
    program = record(method, 2)
    assert {"lr", "momentum", "nesterov"} <= {*program.variable}
    for changed in ({}, {"lr": 0.03}, {"momentum": 0.8}, {"nesterov": False}):
        settings = {"lr": 0.1, "momentum": 0.5} | changed
        written = ":".join(f"{key}={str(value).lower()}" for key, value in settings.items())
        other, _ = built(f"{wrapper}{own}:Heavy:{written}")
        x = np.array([2.0, 1.5])
        state = other.init(x)
        for _ in range(STEPS):
            found = run(program.step, inputs(program, other, x, state), SURFACES[2])
            x, state = other.step(SURFACES[2], x, state)
            np.testing.assert_allclose(found["x"], x, rtol=1e-14)


def test_a_cosine_of_ones_own_lasts_as_long_as_the_run(own: Path) -> None:
    _, general = built(f"lookahead+{own}:Heavy:lr=0.1@cosine")
    program = record(general, 2)
    for steps in (10, 20):
        check_path(general, program, SURFACES[2], np.ones(2), steps)


def test_a_sketch_of_ones_own_is_recorded(own: Path) -> None:
    method, _ = built(f"lookahead+{own}:Sketching:lr=0.1")
    program, x = record(method, 2), np.array([2.0, 1.5])
    assert program.sketch is not None
    assert [form.role for form in program.sketch.forms] == ["tried", "accepted"]
    x, state = method.step(SURFACES[2], x, method.init(x))
    check_sketch(program, method, x, state)


def test_what_a_class_refuses_fails_in_its_program(own: Path) -> None:
    method, _ = built(f"{own}:Heavy:lr=0.1")
    program = record(method, 2)
    given = inputs(program, method, np.ones(2), {"v": np.zeros(2), "steps": 0})
    given["h"] = [-1.0, *given["h"][1:]]
    assert run(program.step, given, SURFACES[2]) == {}


@pytest.mark.sample(3)
@pytest.mark.sample(8)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Attribute", "keeps its state in attributes"),
        ("Counting", "keeps its state in attributes"),
        ("Random", "not what it does each time"),
        ("Listed", "keeps its state in attributes"),
        ("Global", "remembers more"),
        ("Class", "remembers more"),
        ("Rarely", "keeps its state in attributes"),
        ("Late", "not what it does each time"),
        ("Flag", "not what it does each time"),
        ("Typed", "not what it does each time"),
        ("Guarded", "as a number"),
        ("Origin", "as a number"),
        ("Missing", r"uses \.std"),
        ("Math", "as a number"),
        ("Search", "too often"),
        ("Endless", "longer than 3 seconds"),
        ("Later", "another form"),
        ("Words", "computes with str"),
        ("Moody", "not what it does each time"),
    ],
)
def test_why_an_optimizer_is_not_recorded_is_told(own: Path, name: str, said: str) -> None:
    method, _ = built(f"{own}:{name}:lr=0.1")
    with pytest.raises(Untraceable, match=said):
        record(method, 2)


@pytest.mark.parametrize("name", SOLVERS)
def test_a_solver_is_not_recorded(name: str) -> None:
    pytest.importorskip("scipy", reason="scipy is not installed")
    with pytest.raises(Untraceable, match="a loop of its own"):
        record(parse_spec(name).build(), 2)
