"""Parameters of formulas: numbers for names, one or several."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Invoke

from optiviz.kinds.run import Recipe
from optiviz.surfaces.surface import Surface
from optiviz.surfaces.syntax import with_params

BOWL = "x**2 + k*y**2"


def test_a_parameter_is_its_number() -> None:
    surface = Surface(formula=BOWL, params={"k": 10}, domain="-3:3,-3:3")
    points = np.array([[1.0, 2.0], [-0.5, 0.1]])
    plain = Surface(formula="x**2 + 10*y**2", domain="-3:3,-3:3")
    np.testing.assert_array_equal(surface.value(points), plain.value(points))
    np.testing.assert_array_equal(surface.gradient(points), plain.gradient(points))
    assert (surface.title, surface.params_told) == (BOWL, ("k = 10",))
    assert with_params("k**2 - k*x", {"k": -3.0}) == "(-3.0) ** 2 - -3.0 * x"
    named = Surface(formula="a*w**2 + b**2", params={"a": 2}, domain="-1:1,-1:1")
    assert named.variables == ("w", "b")


def test_another_value_forgets_what_was_known_of_the_former() -> None:
    declared = Surface(
        formula=BOWL, params={"k": 10}, domain="-3:3,-3:3", minima=[[0, 0]], levels=[1, 2]
    )
    assert declared.with_params({"k": 10.0}) is declared
    changed = declared.with_params({"k": 3.0})
    assert (changed.params, changed.minima, changed.levels) == ((("k", 3.0),), (), ())


def test_several_values_have_surfaces_and_panels_of_their_own(invoke: Invoke, here: Path) -> None:
    words = ["run", "--formula", BOWL, "--opt", "sgd", "--steps", "8", "--size", "480x320", "-q"]
    result = invoke(*words, "--param", "k=1,10", "-o", "x.json", "-o", "x.png")
    assert (result.exit_code, result.stderr) == (0, "")
    several = json.loads((here / "x.json").read_text())["trajectories"]
    assert [each["params"] for each in several] == [{"k": 1.0}, {"k": 10.0}]
    for number, each in zip((1, 10), several, strict=True):
        assert invoke(*words, "--param", f"k={number}", "-o", "y.json").exit_code == 0
        (alone,) = json.loads((here / "y.json").read_text())["trajectories"]
        assert (alone["path"], alone["loss"]) == (each["path"], each["loss"])
    assert invoke("run", "--recipe", "x.png", "-o", "again.png", "-q").exit_code == 0
    assert (here / "again.png").read_bytes() == (here / "x.png").read_bytes()


def test_panels_are_drawn_over_the_surface_of_their_value() -> None:
    surface = Surface(formula=BOWL, params={"k": 1}, domain="-3:3,-3:3")
    scene = Recipe(surface=surface, optimizers="sgd:lr=0.01", vary="k=1,10", steps=3).make_scene()
    parts = scene.parts()
    assert [part.surface.params for part in parts] == [(("k", 1.0),), (("k", 10.0),)]
    assert [part.title for part in parts] == ["k 1", "k 10"]
    assert "k = " not in scene.caption


def test_parameters_are_in_residuals_and_metrics_too() -> None:
    declared = {"residuals": "y - k*x**2, k - x", "metric": "k, 0, 0, 1", "domain": "-3:3,-3:3"}
    surface = Surface(**declared, params={"k": 10}).with_params({"k": 2.0})
    plain = Surface(
        residuals="y - 2*x**2, 2 - x", metric="2, 0, 0, 1", domain="-3:3,-3:3"
    )  # fmt: skip
    points = np.array([[1.0, 2.0], [-0.5, 0.1]])
    for name in ("value", "gradient", "residuals", "jacobian", "metric"):
        found, expected = (getattr(each, name)(points) for each in (surface, plain))
        np.testing.assert_array_equal(found, expected, name)
    assert surface.formula == "((y - k*x**2)**2 + (k - x)**2)/2"
    again = Surface.model_validate(surface.model_dump(mode="json"))
    assert again == surface


def test_parameters_are_in_constraints_too(invoke: Invoke, here: Path) -> None:
    surface = Surface(
        formula=BOWL, params={"k": 2}, domain="-3:3,-3:3", constraints=["x + k*y <= -k"]
    )
    assert surface.feasible_set is not None
    found = surface.feasible_set.contains(np.array([[0.0, -1.0], [0.0, -0.9], [1.0, -1.5]]))
    assert found.tolist() == [True, False, True]
    words = ["run", "--formula", BOWL, "--opt", "projected-gradient:lr=0.02", "--steps", "200"]
    words += ["--constraint", "x + k*y <= -k", "--start=-1,2"]
    assert invoke(*words, "--param", "k=1,3", "-o", "x.json", "-q").exit_code == 0
    for each in json.loads((here / "x.json").read_text())["trajectories"]:
        k = each["params"]["k"]
        for x, y in each["path"]:  # from the start on, which differs
            assert x + k * y <= -k + 1e-9
        expected = np.array([-k, -k]) / (1 + k)  # where (2x, 2ky) is along (1, k)
        np.testing.assert_allclose(each["path"][-1], expected, atol=1e-3)
    assert invoke(*words, "--param", "k=1", "-o", "x.html", "-q").exit_code == 0
    words = ["run", "--formula", "x**2 + y**2", "--constraint", "x + y <= c", "--param", "c=-2,-1"]
    words += ["--opt", "projected-gradient:lr=0.2", "--steps", "40", "--start=2,1"]
    result = invoke(*words, "-o", "x.json")
    assert "start 2, 1 violates the constraints: each run begins at the near" in result.output
    several = json.loads((here / "x.json").read_text())["trajectories"]
    for c, each in zip((-2, -1), several, strict=True):
        np.testing.assert_allclose(each["start"], np.array([2, 1]) + (c - 3) / 2, atol=1e-9)
        np.testing.assert_allclose(each["path"][-1], [c / 2, c / 2], atol=1e-6)


def test_a_value_replaces_those_that_vary_in_the_file_but_not_beside_it(
    invoke: Invoke, here: Path
) -> None:
    text = f"formula: {BOWL}\nparams: {{k: 2}}\nvary: k=1,3\noptimizers: sgd:lr=0.1\nsteps: 2\n"
    (here / "two.yaml").write_text(text)
    for words, ran in (((), [1, 3]), (("--param", "k=5"), None), (("--param", "k=5,6"), [5, 6])):
        done = invoke("run", "--recipe", "two.yaml", *words, "-o", "x.json", "-q")
        assert done.exit_code == 0, done.output
        paths = json.loads((here / "x.json").read_text())["trajectories"]
        assert [each.get("params", {}).get("k") for each in paths] == (ran or [None])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--residuals y-k*x**2,1-x", "or set it with --param k=1"),
        ("--residuals y-k*x**2,1-x --param q=1", "--param: unknown parameter 'q'"),
        ("--formula x**2+k*y**2 --param k=1 --constraint x<=q", "unknown variable 'q'"),
        ("--formula x**2 --param k=1 --constraint x<=c", "--param: unknown parameter 'k'"),
        ("--formula x**2+k*y**2", "or set it with --param k=1"),
        ("--formula x**2+kappa*y**2 --param kapa=3", "--param: unknown parameter 'kapa': did you"),
        ("--formula x**2 --param k=3", "--param: k is not in formula 'x**2'"),
        ("--formula x**2+k --param x=3", "--param: x is a variable"),
        ("--formula x**2+k --param pi=3", "--param: pi is a constant"),
        ("--formula x**2+k --param k=abc", "--param: k must be a number, not 'abc'"),
        ("--formula x**2+k --param k=1e300", "--param: k must lie in [-1e100, 1e100], not 1e+300"),
        ("--formula x**2+k --param k", "--param: 'k' is not the value of a parameter"),
        ("--formula x**2+k --param k=1 --param k=2", "--param: k is set twice"),
        ("--formula x**2+k --param k=1,2 --opt adam", "--param: needs exactly one optimizer"),
        ("--formula x**2+k --param k=1,1", "--param: k=1,1 lists a value twice"),
        ("--formula x**2+k --param k=1,2 --vary lr=1,2", "--param: only one thing can vary"),
        ("--formula x**2+k --param k=1,2 -o x.html", "a page shows one surface: give k one value"),
        ("--formula x**2+k --param k=1,2 --legend right", "--legend does not fit several values"),
        ("--formula x**2+lr --param lr=1,2", "lr is a parameter of the surface and"),
        ("--surface wobbly --param k=1", "--param: wobbly has no parameters"),
    ],
)  # fmt: skip
def test_what_is_no_parameter_is_told(words: str, said: str, invoke: Invoke, here: Path) -> None:
    result = invoke("run", *words.split(), "--opt", "sgd", "--steps", "2", "-o", "x.png")
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr
