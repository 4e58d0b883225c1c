"""What a page computes: the program and the values of each entry, and what is replayed."""

from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import LIVE, SOLVERS, Invoke

import optiviz
from optiviz.kinds.run_scene import RunScene
from optiviz.rendering.page.programs import (
    BATCHED,
    CONSTRAINED,
    UNMEASURED,
    Programs,
    page_programs,
)
from optiviz.rendering.page.sets import set_programs
from optiviz.surfaces.noise import NoisyObjective
from optiviz.surfaces.region import region_where
from optiviz.system.errors import InputError
from optiviz.tracing.objectives import curve_program, formula_programs
from optiviz.tracing.programs import run

OWN = """
import numpy as np


class Clipped:
    def __init__(self, lr=0.01, clip=None):
        self.lr, self.clip = lr, clip

    def init(self, x):
        return None

    def step(self, objective, x, state):
        g = objective.gradient(x)
        if self.clip is not None:
            g = np.clip(g, -self.clip, self.clip)
        return x - self.lr * g, None


class Fixed(Clipped):
    def __init__(self, lr):
        super().__init__(float(lr))


class Far(Clipped):
    def step(self, objective, x, state):
        far = bool(np.sum(x) > 4) if isinstance(x, np.ndarray) else False
        return x - (2 if far else 1) * self.lr * objective.gradient(x), None
"""


def programs(**fields: Any) -> Programs:
    recipe = optiviz.Recipe(**fields)
    scene = recipe.make_scene()
    assert isinstance(scene, RunScene)
    return page_programs(scene, recipe)


@pytest.mark.parametrize("where", ["x**2 + y**2 < 9 or x > 3", "convex"])
def test_conditions_of_sets_are_programs(where: str) -> None:
    recipe = optiviz.Recipe(surface="himmelblau", optimizers="adam", where=where)
    surface = optiviz.load_surface("himmelblau")
    (program,) = set_programs(surface, recipe)
    points = np.random.default_rng(0).uniform(-5, 5, (200, 2))
    found = [run(program, {"x": point})["value"] for point in points.tolist()]
    expected = region_where(where, surface).contains(points)
    assert found == [[each] for each in expected.tolist()]
    assert 20 < expected.sum() < 180


def test_paths_whose_sharpness_is_drawn_are_replayed() -> None:
    fields: dict[str, Any] = {"surface": "narrowing-valley", "view": "contour+sharpness"}
    found = programs(**fields, optimizers="sgd:lr=0.65", steps=5)
    assert (found.methods, found.live, found.presets) == ({}, "", [])
    assert found.entries == [{"method": None, "values": [], "why": UNMEASURED}]
    with pytest.raises(InputError, match=UNMEASURED):
        programs(**fields, optimizers="sgd:lr=0.65", presets=["fast: sgd:lr=1"])


def test_under_constraints_paths_are_replayed_on_a_ground_that_is_computed() -> None:
    constrained = {"formula": "x**2 + y**2", "domain": "-2:2,-2:2", "constraints": ["x + y <= 1"]}
    fields: dict[str, Any] = {"surface": constrained, "optimizers": "projected-gradient:lr=0.1"}
    found = programs(**fields, steps=5)
    assert (found.methods, found.live) == ({}, "")
    assert found.entries == [{"method": None, "values": [], "why": CONSTRAINED}]
    recipe = optiviz.Recipe(**fields)
    surface: Any = recipe.make_scene().surface
    (program,) = set_programs(surface, recipe)
    points = np.random.default_rng(0).uniform(-2, 2, (50, 2))
    outside = [run(program, {"x": point})["value"][0] for point in points.tolist()]
    assert outside == (~surface.feasible_set.contains(points)).tolist()
    with pytest.raises(InputError, match=CONSTRAINED):
        programs(**fields, presets=["fast: projected-gradient:lr=0.5"])


def test_batches_of_residuals_are_replayed() -> None:
    surface = {"residuals": "x - 1, x + y - 2.2", "domain": "-2:3,-1:2.5"}
    found = programs(surface=surface, optimizers="sgd:lr=0.05", batch_size=1, steps=5)
    assert (found.methods, found.live) == ({}, "")
    assert found.entries == [{"method": None, "values": [], "why": BATCHED}]


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", ["linear-regression", "logistic-regression"])
def test_a_fit_and_its_curve_are_programs(name: str) -> None:
    fit: Any = optiviz.load_surface(name).compiled
    known, curve = formula_programs(fit), curve_program(fit)
    for point in np.random.default_rng(0).normal(size=(20, 2)).tolist():
        x = np.array(point)
        for part in ("value", "gradient", "hessian"):
            found = np.ravel(run(known[part], {"x": x})[part])
            expected = np.ravel(getattr(fit, part)(x))
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
        drawn = [run(curve, {"x": np.append(x, each)})["value"][0] for each in fit.x]
        np.testing.assert_allclose(drawn, fit.curve(x, fit.x), rtol=1e-13)
    found = programs(surface=name, optimizers="adam:lr=0.1,newton", steps=5)
    assert not found.live and "curve:{value:" in found.script
    assert all(each["method"] for each in found.entries)


@pytest.mark.slow
def test_a_fit_to_many_samples_is_replayed(here: Path, invoke: Invoke) -> None:
    x = np.linspace(0, 1, 101)
    surface = {"fit": {"model": "w*x + b", "data": {"x": x, "y": x**2}}}
    assert "more than 100 samples" in programs(surface=surface, optimizers="adam", steps=5).live
    np.savez(here / "p.npz", x=x, y=x**2)
    words = ["run", "--fit", "w*x + b", "--data", "p.npz", "--opt", "adam:lr=0.1", "--steps", "5"]
    assert invoke(*words, "-o", "x.html", "-q").exit_code == 0
    result = invoke(*words, "--view", "contour+data", "-o", "x.html")
    assert result.exit_code == 2 and "this page cannot show data" in result.stderr


@pytest.fixture
def own(here: Path) -> str:
    (here / "own.py").write_text(OWN)
    return "own.py"


def test_every_built_in_optimizer_without_a_loop_of_its_own_is_offered() -> None:
    found = programs(surface="wobbly", optimizers="adam", steps=5)
    assert {*found.methods} == {*LIVE}
    for name, method in found.methods.items():
        assert method["spec"] == name
        kinds = {each["name"]: each["kind"] for each in method["parameters"]}
        assert kinds.get(method["rate"], "rate") == "rate"


def test_values_are_those_that_were_used() -> None:
    found = programs(surface="wobbly", optimizers="adam:lr=0.1:beta1=0.8,sgd", steps=9)
    names = [each["name"] for each in found.methods["adam"]["parameters"]]
    assert dict(zip(names, found.entries[0]["values"], strict=True)) == {
        "lr": 0.1, "beta1": 0.8, "beta2": 0.999, "eps": 1e-8, "eps_in_sqrt": False,
        "weight_decay": 0.0, "decoupled_weight_decay": False,
    }  # fmt: skip


def test_optimizers_of_one_class_may_have_several_programs(own: str) -> None:
    specs = [f"{own}:Clipped", f"{own}:Clipped:clip=3", f"{own}:Fixed:lr=0.02", f"{own}:Clipped"]
    found = programs(surface="himmelblau", optimizers=specs, steps=9)
    keys = [entry["method"] for entry in found.entries]
    assert keys == [specs[0], f"{specs[0]} (2)", specs[2], specs[0]]
    assert [entry["values"] for entry in found.entries] == [[0.01], [0.01, 3], [], [0.01]]
    assert found.methods[specs[2]]["spec"] == specs[2]
    assert found.methods[keys[1]]["parameters"][1]["default"] is None


def test_a_path_that_the_program_does_not_walk_is_replayed(own: str) -> None:
    found = programs(surface="himmelblau", optimizers=f"{own}:Far:lr=0.01", starts=[(3.5, 2.5)])
    assert found.entries[0]["method"] is None
    assert "not what it does" in found.entries[0]["why"]


@pytest.mark.parametrize("name", SOLVERS)
def test_a_loop_of_its_own_is_replayed(name: str) -> None:
    pytest.importorskip("scipy", reason="scipy is not installed")
    found = programs(surface="wobbly", optimizers=name, steps=5)
    assert found.entries[0] == {"method": None, "values": [], "why": "it runs a loop of its own"}


def test_varied_conditions_are_replayed() -> None:
    found = programs(surface="wobbly", optimizers="adam:lr=0.1", vary="noise=0,1", steps=5)
    assert {entry["why"] for entry in found.entries} == {"its noise is not that of the others"}


def test_the_noise_is_that_of_python() -> None:
    recipe = optiviz.Recipe(surface="wobbly", optimizers="adam", noise=0.7, seed=3, steps=20)
    found = programs(**{name: getattr(recipe, name) for name in recipe.model_fields_set})
    assert found.noise is not None
    numbers = np.frombuffer(b64decode(found.noise["normals"]), "<f8").reshape(-1, 2)
    stream: Any = recipe.objective()
    for step in range(20):
        here = stream.at(step)
        assert isinstance(here, NoisyObjective)
        np.testing.assert_array_equal(found.noise["sigma"] * numbers[step], here.noise)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--surface wobbly --preset a:bfgs", "'a': a page cannot run bfgs: it runs a loop"),
        ("--surface spirals --steps 2 --preset a:sgd:lr=1", "because a network would be too much"),
        ("--surface rosenbrock:dim=3 --steps 2 --preset a:sgd", "because many variables would"),
    ],
)
def test_a_preset_that_a_page_cannot_run_is_told(words: str, said: str, invoke: Invoke) -> None:
    result = invoke("run", *words.split(), "--opt", "adam:lr=0.1", "-o", "x.html")
    assert result.exit_code == 2
    assert said in result.stderr
    assert not Path("x.html").exists()


@pytest.mark.parametrize("fields", [{"explain": "bound"}, {"sketch": True}])
def test_presets_are_offered_whatever_their_methods_look_at(fields: dict[str, Any]) -> None:
    recipe = optiviz.Recipe(surface="wobbly", optimizers="newton:damping=5", steps=3, **fields)
    found = page_programs(recipe.make_scene(), recipe)
    assert found.presets
    roles = {each[1] for each in found.methods["newton"]["sketch"]}
    assert roles == {"bound" if recipe.explain else "model"}
    assert bool(found.methods["sgd"]["sketch"]) is bool(recipe.explain)
