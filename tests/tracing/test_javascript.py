"""Programs as JavaScript, in Node: they compute what Python does.

Rounding differs between the two in functions such as exp and power, and some paths amplify it.
How much is measured with Python alone: it descends again with each gradient, and each point at
which it is computed, changed by a few units in the last place. A row that this leaves where it was
must be within TIGHT of Python's; where it does not, the row may be AMPLIFIED times as far from it
as this has moved any row so far.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from conftest import FITS, FORMULAS, LIVE

import optiviz
from optiviz.descent.walk import descend
from optiviz.objective import Array
from optiviz.optimizers.lookup import factory_of
from optiviz.optimizers.spec import parse_spec
from optiviz.shapes import Sketch
from optiviz.surfaces.surface import Surface
from optiviz.tracing.arrays import input_array
from optiviz.tracing.graph import Graph
from optiviz.tracing.javascript import method_text, objective_text, script
from optiviz.tracing.methods import record
from optiviz.tracing.objectives import formula_programs
from optiviz.tracing.operations import OPERATIONS

NODE = shutil.which("node") or ""
pytestmark = pytest.mark.skipif(not NODE, reason="node is not installed")
STEPS, RATES = 125, (0.003, 0.05)
SPECS = [
    *LIVE,
    "lookahead+adam",
    "polyak-averaging+adam:start=3",
    "sam+momentum",
    "cautious+momentum",
    "clip+sgd",
    "adam:lr=@cosine",
    "sgd:lr=@warmup/20@exp/0.99",
]
PARTS = 5  # of all formulas, each for one start of Node
TIGHT, AMPLIFIED = 1e-12, 1e4  # shares of the size of the path; see above
SURFACES = [
    *("wobbly", "plateau", "hills-and-canyon", "basins-and-walls", "two-minimums"),
    *("rosenbrock", "himmelblau", "beale", "rastrigin", "cosine"),
]


def in_node(text: str) -> Any:
    """Return what JavaScript writes as `result`, in which numbers may not be finite."""
    written = (
        "const text=(v)=>typeof v==='number'&&!Number.isFinite(v)?String(v):v;"
        "console.log(JSON.stringify(result,(_,v)=>text(v)));"
    )
    found = subprocess.run([NODE, "-"], input=text + written, capture_output=True, text=True)
    assert not found.returncode, found.stderr[-500:]
    return json.loads(found.stdout)


SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -3.0, 1e-300, 1e300, np.inf, -np.inf, np.nan]


def test_every_operation_computes_what_numpys_does() -> None:
    random = np.random.default_rng(0).normal(0, 3, (60, 3))
    points = np.concatenate([random, [(a, b, 0.5) for a in SPECIAL for b in SPECIAL]])
    texts, expected = {}, {}
    for name, function in OPERATIONS.items():
        takes = 3 if name == "where" else getattr(function, "nin", 1)
        graph = Graph()

        def call(graph: Graph = graph, name: str = name, takes: int = takes) -> Any:
            nodes = input_array(graph, "x", (3,)).nodes[:takes]
            return {"gradient": [graph.apply(name, *nodes)]}

        texts[name] = objective_text({"gradient": graph.explore(call)})
        with np.errstate(all="ignore"):
            expected[name] = [float(function(*each[:takes])) for each in points]
    declared = script("{}", texts)
    pairs = json.dumps([[repr(float(each)) for each in point] for point in points])
    found = in_node(
        f"{declared}const points={pairs}.map(p=>p.map(v=>Number(v.replace('inf','Infinity'))));"
        "const result={};for(const k in programs.methods)"
        "result[k]=points.map(p=>Number(programs.methods[k].gradient(p)[0]));"
    )
    for name, values in expected.items():
        here = np.array(found[name], float)
        if name == "power":  # numpy takes the square root, of -inf too, or does not, by its version
            here = np.where((points[:, 0] == -np.inf) & (points[:, 1] == 0.5), values, here)
        np.testing.assert_allclose(here, values, rtol=4e-15, atol=1e-300, err_msg=name)


def formula_text(surface: Surface) -> str:
    compiled: Any = surface.origin.compiled
    return objective_text(formula_programs(compiled))


@pytest.mark.sample(1)
@pytest.mark.parametrize("first", range(PARTS))
def test_every_formula_is_what_python_computes(first: int) -> None:
    surfaces = dict(list((FORMULAS | FITS).items())[first::PARTS])
    points = {
        name: np.random.default_rng(0).uniform(
            *np.transpose(each.window.intervals), (100, each.dim)
        )
        for name, each in surfaces.items()
    }
    declared = script("{}", {name: formula_text(each) for name, each in surfaces.items()})
    given = json.dumps({name: each.tolist() for name, each in points.items()})
    found = in_node(
        f"{declared}const given={given},result={{}};for(const k in given)result[k]="
        "given[k].map(p=>['value','gradient','hessian'].map(f=>programs.methods[k][f](p)).flat(3));"
    )
    for name, surface in surfaces.items():
        x = points[name]
        with np.errstate(all="ignore"):
            parts = surface.value(x), surface.gradient(x), surface.hessian(x)
        expected = np.concatenate([part.reshape(len(x), -1) for part in parts], axis=1)
        here = np.array(found[name], float)
        size = np.abs(np.where(np.isfinite(expected), expected, 0)).max(axis=0)
        assert (np.isfinite(here) == np.isfinite(expected)).all(), name
        known = np.isfinite(expected)
        assert (np.abs(here - expected) <= 1e-13 * (np.abs(expected) + 0.01 * size))[known].all()


@dataclass
class Shaken:
    """A surface whose gradients, and the points they are of, are changed in the last digits."""

    surface: Surface

    def __post_init__(self) -> None:
        self.dim, self._random = self.surface.dim, np.random.default_rng(0)

    def _changed(self, values: Array) -> Array:
        return values * (1 + 1e-15 * self._random.choice([-1, 1], np.shape(values)))

    def value(self, x: Array) -> Array:
        return self.surface.value(x)

    def gradient(self, x: Array) -> Array:
        return self._changed(self.surface.gradient(self._changed(x)))

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        return self.value(x), self.gradient(x)

    def hessian(self, x: Array) -> Array:
        return self._changed(self.surface.hessian(self._changed(x)))


@pytest.fixture(scope="module")
def methods() -> Mapping[int, Mapping[str, tuple[tuple[str, ...], str]]]:
    """Return by dimension and spec the inputs and the text of each optimizer."""
    found: dict[int, dict[str, tuple[tuple[str, ...], str]]] = {1: {}, 2: {}}
    for dim, known in found.items():
        for text in SPECS:
            spec = parse_spec(text)
            rate = factory_of(spec.name).rate
            program = record(spec.build(**({rate: 1.0} if rate else {})), dim)
            known[text] = program.variable, method_text(program)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", SURFACES)
def test_paths_are_those_of_python(name: str, methods: Any) -> None:
    surface = optiviz.load_surface(name)
    known = methods[surface.dim]
    begin = list(surface.start)
    jobs, expected = [], []
    for text in SPECS:
        spec = parse_spec(text).with_total_steps(STEPS)
        rate = factory_of(spec.name).rate
        for value in RATES if rate else RATES[:1]:
            method = spec.build(**({rate: value} if rate else {}))
            values = method.hyperparameters()
            jobs.append([text, [values[key] for key in known[text][0]]])
            expected.append(
                [descend(each, method, begin, STEPS) for each in (surface, Shaken(surface))]
            )
    declared = script(formula_text(surface), {text: known[text][1] for text in SPECS})
    found = in_node(
        f"{declared}const jobs={json.dumps(jobs)},f=programs.objective,n={STEPS};"
        f"const result=jobs.map(([name,h])=>{{let x={json.dumps(begin)};"
        "const {init,step,sketch}=programs.methods[name];let s=init(x,h,n);"
        "const rows=[x],shapes=[];for(let k=0;k<n;k++){[x,s]=step(f,x,s,h,n);rows.push(x);"
        "if(sketch)shapes.push(sketch(s,h,n)??[])}return [rows,shapes];});"
    )
    tight, sketched = 0, set()
    for (text, _), (rows, shapes), (path, shaken) in zip(jobs, found, expected, strict=True):
        last = min(path.last, shaken.last) + 1
        tight += steady_rows(rows[:last], path.points[:last], shaken.points[:last], text)
        if shapes:
            sketched.add(text)
            known = [numbers_of(each.sketches[1:last]) for each in (path, shaken)]
            steady_rows(shapes[: last - 1], *known, text)
    assert tight > 0.5 * STEPS * len(jobs)
    assert "newton" in sketched


def steady_rows(rows: Any, expected: Array, shaken: Array, text: str) -> int:
    """Check rows of numbers; return how many of them must be as Python has them."""
    here, known, moved = (np.nan_to_num(np.array(each, float)) for each in (rows, expected, shaken))
    size = np.maximum.accumulate(np.abs(known).max(axis=1)) + 1
    moves = np.maximum.accumulate(np.abs(moved - known).max(axis=1)) / size
    away = np.abs(here - known).max(axis=1) / size
    steady = moves <= TIGHT / 10
    assert (away[steady] <= TIGHT).all(), text
    assert (away[~steady] <= AMPLIFIED * moves[~steady]).all(), text
    return int(steady.sum())


def numbers_of(sketches: Sequence[Sketch]) -> Array:
    """Return the numbers of the shapes of each step, as many in all."""
    flat = [[np.ravel(part) for shape in each for part in shape[:-1]] for each in sketches]
    return np.array([np.concatenate(each) for each in flat])
