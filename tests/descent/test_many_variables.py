"""Formulas and functions of many variables: descended whole, drawn on a plane."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Invoke

import optiviz
from optiviz.descent import problem_of
from optiviz.kinds.run import Recipe
from optiviz.recipes.reading import read_recipe
from optiviz.surfaces.catalogue import load_catalogue
from optiviz.surfaces.formula import formula
from optiviz.surfaces.surface import Surface
from optiviz.surfaces.syntax import vector_names
from optiviz.system.errors import InputError

ROSENBROCK = "sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)"
GENERAL = {name: each for name, each in load_catalogue().surfaces.items() if each.general}
PLANES = ["path", "random", "random:3", "x1,x3", "x[0],x[2]"]
every_plane = pytest.mark.parametrize("plane", PLANES)


def recipe(**fields: object) -> Recipe:
    found = read_recipe({"formula": ROSENBROCK, "dim": 5, "steps": 30, **fields}, str)
    assert isinstance(found, Recipe)
    return found


def rosenbrock(x: np.ndarray) -> float:
    return float(np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2))


@every_plane
def test_it_is_descended_whole_with_its_true_loss(plane: str) -> None:
    made = recipe(optimizers="adam:lr=0.1,sgd:lr=1e-4", plane=plane, starts=[[1, 2, 0, -1, 1]])
    for path in made.full_trajectories():
        assert path.points.shape == (31, 5)
        np.testing.assert_array_equal(path.start, [1, 2, 0, -1, 1])
        np.testing.assert_allclose(path.losses, [rosenbrock(each) for each in path.points])
    scene = made.make_scene()
    assert scene.surface.dim == 2
    for drawn, whole in zip(scene.trajectories, made.full_trajectories(), strict=True):
        np.testing.assert_array_equal(drawn.losses, whole.losses)
        assert drawn.points.shape == (31, 2)
        lifted = scene.surface.compiled.to_weights(drawn.points)  # type: ignore[union-attr]
        apart = np.linalg.norm(whole.points - lifted, axis=1)
        np.testing.assert_allclose(drawn.row_distances, apart, atol=1e-9)


@every_plane
def test_the_plane_is_that_of_the_objective(plane: str) -> None:
    made = recipe(optimizers="adam:lr=0.1", plane=plane)
    surface = made.make_scene().surface
    compiled = surface.compiled
    points = np.random.default_rng(0).uniform(-1, 1, (3, 4, 2))
    lifted = compiled.to_weights(points)  # type: ignore[union-attr]
    expected = [[rosenbrock(each) for each in row] for row in lifted]
    np.testing.assert_allclose(surface.value(points), expected)
    grid = surface.sample_grid(points[0, :, 0], points[1, :3, 1])
    assert grid.shape == (3, 4)
    apart = 1e-6
    for axis, unit in enumerate(np.eye(2)):
        slope = (surface.value(points + apart * unit) - surface.value(points - apart * unit)) / 2e-6
        np.testing.assert_allclose(surface.gradient(points)[..., axis], slope, rtol=1e-5, atol=1e-3)
        ends = surface.gradient(points + apart * unit), surface.gradient(points - apart * unit)
        bend = (ends[0] - ends[1]) / (2 * apart)
        np.testing.assert_allclose(surface.hessian(points)[..., axis], bend, rtol=1e-5, atol=1e-2)


@pytest.mark.parametrize("plane", ["random", "x1,x3"])
def test_the_plane_goes_through_the_start(plane: str) -> None:
    one = recipe(optimizers="adam:lr=0.1,sgd:lr=1e-4", plane=plane, starts=[[1, 2, 0, -1, 1]])
    for path in one.make_scene().trajectories:
        assert path.row_distances[0] == pytest.approx(0, abs=1e-12)
    flat = recipe(optimizers="adam:lr=0.1", plane=plane, starts=[[0.5, -0.5]])
    (path,) = flat.make_scene().trajectories
    np.testing.assert_allclose(path.start, [0.5, -0.5], atol=1e-12)
    assert path.row_distances[0] == pytest.approx(0, abs=1e-12)


def test_a_start_beside_the_plane_of_a_descent_is_refused() -> None:
    plane = {"coordinates": ["x1", "x2"], "descent": "plane"}
    with pytest.raises(InputError, match="starts on it: give its two coordinates"):
        recipe(optimizers="adam:lr=0.1", plane=plane, starts=[[1, 2, 0, -1, 1]]).make_scene()
    assert len(recipe(optimizers="adam:lr=0.1", plane=plane).make_scene().trajectories) == 1


def test_a_plane_of_coordinates_has_their_values() -> None:
    made = recipe(optimizers="adam:lr=0.1", plane="x2,x4")
    (drawn,), (whole,) = made.make_scene().trajectories, made.full_trajectories()
    assert made.make_scene().surface.axis_names == ("x2", "x4")
    np.testing.assert_allclose(drawn.points, whole.points[:, [1, 3]], atol=1e-12)


def test_descent_may_stay_on_the_plane() -> None:
    plane = {"coordinates": ["x1", "x2"], "descent": "plane"}
    made = recipe(optimizers="adam:lr=0.1", plane=plane, starts=[[0.5, 0.5]])
    (path,) = made.full_trajectories()
    assert path.points.shape == (31, 2)
    rest = problem_of(made.surface).origin.space.initial[2:]  # type: ignore[arg-type,attr-defined]
    np.testing.assert_allclose(
        path.losses, [rosenbrock(np.concatenate([each, rest])) for each in path.points]
    )


def test_starts_have_all_coordinates_or_those_of_the_plane() -> None:
    starts = [[1, 1, 1, 1, 1], [0.5, -0.5]]
    (whole, flat) = recipe(optimizers="sgd:lr=1e-4", plane="x1,x2", starts=starts).start_points()
    np.testing.assert_array_equal(whole, [1, 1, 1, 1, 1])
    np.testing.assert_allclose(flat[:2], [0.5, -0.5])
    drawn = recipe(optimizers="sgd:lr=1e-4", starts="random:9", domain="2:3").start_points()
    assert len(drawn) == 9 and all(each.shape == (5,) for each in drawn)
    assert all((each >= 2).all() and (each <= 3).all() for each in drawn)


def test_rates_are_chosen_as_in_two_dimensions() -> None:
    whole = recipe(formula="sum(x**2)", optimizers="sgd,adam", steps=40).make_scene()
    flat = recipe(formula="x**2 + y**2", dim=None, optimizers="sgd,adam", steps=40).make_scene()
    for many, two in zip(whole.entries, flat.entries, strict=True):
        (one,), (other,) = many.trajectories, two.trajectories
        assert one.loss(40) < 1e-2 * one.loss(0)
        rates = [each.optimizer.hyperparameters()["lr"] for each in (one, other)]
        assert rates[0] == pytest.approx(rates[1], rel=0.5)


@pytest.mark.sample(6)
@pytest.mark.parametrize("name", GENERAL)
def test_a_general_form_is_that_of_two_variables(name: str) -> None:
    declared = GENERAL[name]
    points = np.random.default_rng(0).uniform(*np.transpose(declared.window.intervals), (50, 2))
    general = formula(declared.general, vector_names(2))
    scale = np.abs(declared.value(points)).max()
    np.testing.assert_allclose(
        general.value(points), declared.value(points), rtol=1e-12, atol=1e-13 * scale
    )
    slopes, expected = general.gradient(points), declared.gradient(points)
    np.testing.assert_allclose(slopes, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())
    many = optiviz.load_surface(f"{name}:dim=7")
    assert (many.name, len(many.variables), len(many.start)) == (f"{name}-7d", 7, 7)
    objective = problem_of(many).true_objective
    x = np.array(many.start)
    value, slope = objective.value_and_gradient(x)
    apart = 1e-6 * float(np.ptp(declared.window.intervals[0]))
    for axis, unit in enumerate(np.eye(7)):
        ends = objective.value(x + apart * unit) - objective.value(x - apart * unit)
        assert slope[axis] == pytest.approx(ends / (2 * apart), rel=1e-4, abs=1e-4 * abs(value))


@pytest.mark.slow
def test_one_of_the_catalogue_is_written_both_ways(invoke: Invoke, here: Path) -> None:
    first = invoke("run", "--surface", "rastrigin:dim=6", "--opt", "adam:lr=0.1", "-o", "a.png")
    second = invoke(
        "run", "--surface", "rastrigin", "--dim", "6", "--opt", "adam:lr=0.1", "-o", "b.png"
    )
    assert (first.exit_code, first.stderr, second.stderr) == (0, "", "")
    assert (here / "a.png").read_bytes() == (here / "b.png").read_bytes()


@pytest.mark.sample(2)
@pytest.mark.parametrize("view", ["contour+loss", "relief", "loss", "grid", "page", "data"])
def test_it_is_drawn_and_made_again(view: str, invoke: Invoke, here: Path) -> None:
    words = ["run", "--formula", ROSENBROCK, "--dim", "4", "--opt", "adam:lr=0.1,sgd:lr=1e-4"]
    words += ["--steps", "12", "--size", "480x320"]
    suffix = {"page": ".html", "data": ".csv"}.get(view, ".png")
    if view == "grid":
        words += ["--layout", "grid", "--plane", "x1,x2"]
    elif suffix == ".png":
        words += ["--view", view]
    made = invoke(*words, "-o", f"a{suffix}", "-o", "a.json")
    assert (made.exit_code, made.stderr) == (0, "")
    again = invoke("run", "--recipe", f"a{suffix}", "-o", f"b{suffix}")
    assert (again.exit_code, again.stderr) == (0, "")
    assert (here / f"a{suffix}").read_bytes() == (here / f"b{suffix}").read_bytes()
    told = json.loads((here / "a.json").read_text())
    assert len(told["plane"]["axes"]) == 2
    (first, *_) = told["trajectories"]
    assert (len(first["start"]), len(first["points"]), len(first["points"][0])) == (4, 13, 4)
    if view == "data":
        head = (here / "a.csv").read_text().splitlines()[1]
        assert head == "label,optimizer,start,step,x1,x2,x3,x4,loss"
        tracked = invoke(*words[:5], "--track", "a.csv", "-o", "c.json")
        assert (tracked.exit_code, tracked.stderr) == (0, "")


def test_variables_of_ones_own_name_axes_and_columns(invoke: Invoke, here: Path) -> None:
    words = [
        "run",
        "--formula",
        "(w - 1)**2 + 2*(b + w)**2",
        "--opt",
        "adam:lr=0.1",
        "--steps",
        "9",
    ]
    told = invoke(*words, "-o", "a.csv", "-o", "a.json", "-o", "a.html")
    assert told.stderr == "w and b are the two variables\n"
    rows = list(csv.reader((here / "a.csv").read_text().splitlines()[1:]))
    assert rows[0] == ["label", "optimizer", "start", "step", "w", "b", "loss"]
    same = invoke(*words, "--variables", "w,b", "-o", "b.csv")
    assert (same.exit_code, same.stderr) == (0, "")
    assert (here / "a.csv").read_bytes() == (here / "b.csv").read_bytes()
    swapped = invoke(*words, "--variables", "b,w", "-o", "c.csv")
    assert (swapped.exit_code, swapped.stderr) == (0, "")
    assert "label,optimizer,start,step,b,w,loss" in (here / "c.csv").read_text()
    assert invoke(*words, "-q", "-o", "d.csv").stderr == ""


def test_values_may_be_given_by_variable() -> None:
    named = Surface(
        formula="(w - 1)**2 + b**2",
        domain={"b": [-1, 2], "w": [-3, 3]},
        start={"b": 1, "w": 2},
        minima=[{"w": 1, "b": 0}],
    )
    placed = Surface(formula="(w - 1)**2 + b**2", domain="-3:3,-1:2", start=(2, 1), minima=[(1, 0)])
    assert named == placed and named.variables == ("w", "b")
    assert named.axis_names == ("w", "b")
    np.testing.assert_array_equal(named.gradient(np.array([2.0, 1.0])), [2.0, 2.0])


MISTAKES = {
    "--formula a*b*c": "--formula: formula 'a*b*c': has 3 variables, a, b and c: name them in",
    "--formula a*b*c --variables a,b": "formula 'a*b*c': 'c' is not one of the variables a and b",
    "--formula w*b --domain -1:1": "--domain: has 1 interval, but w and b are the two variables",
    "--formula x+y --plane path": "--plane: needs a network or more than two variables",
    "--formula x[0]*x[4] --plane x1,x9": "--plane: unknown variable 'x9'",
    "--formula x[0]*x[4] --plane x1,x1": "must be two different variables, not x1,x1",
    "--formula x[0]*x[4] --start 1,2,3": "1, 2, 3 has 3 coordinates, but the formula has 5",
    "--formula x[0]*x[4] --start 1,2": "1, 2 has 2 coordinates, but the formula has 5",
    "--formula x*y --dim 0": "--dim: must be greater than or equal to 1, not 0",
    "--formula x*y --dim 101": "--dim: must be less than or equal to 100, not 101",
    "--formula x*y --dim 3 --variables a,b,c": "--dim: cannot be combined with variables",
    "--formula w*b --variables w,sin": "--variables: 'sin' is the name of a function",
    "--formula w*b --variables w,w": "--variables: 'w' is the name of two axes",
    "--formula w*b --variables w,2b": "--variables: '2b' must be letters, digits and underscores",
    "--surface himmelblau --dim 3": "--dim: himmelblau has no form in 3 variables",
    "--surface himmelblau:dim=3": "himmelblau:dim=3: himmelblau has no form in 3",
    "--surface sphere:dim=101": "sphere:dim=101: there can be 1 to 100 variables, not 101",
    "--surface clouds --dim 3": "--dim: clouds, a network, has no form in 3 variables",
    "--surface clouds --plane w1,w2": "--plane: w1,w2 are variables, but a network has weights",
    "--formula x[0]*x[4] --plane w[1],w[2]": "are weights, but there is no network: write x1,x2",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_a_mistake_is_one_sentence(words: str, invoke: Invoke, here: Path) -> None:
    told = invoke("run", *words.split(), "--opt", "adam", "-o", "a.png")
    assert (told.exit_code, told.stdout) == (2, "")
    assert MISTAKES[words] in told.stderr and told.stderr.count("\n") == 1
    assert not list(here.iterdir())


def test_basins_need_a_plane(invoke: Invoke) -> None:
    told = invoke("basins", "--formula", "sum(x**2)", "--dim", "3", "--opt", "sgd")
    assert told.exit_code == 2 and told.stderr.count("\n") == 1


def test_a_plane_is_drawn_without_a_descent(invoke: Invoke) -> None:
    words = ["plot", "--formula", "sum(x**2)", "--dim", "3"]
    assert invoke(*words, "--plane", "x1,x2", "-o", "a.png").exit_code == 0
    assert "known only after a descent" in invoke(*words, "-o", "b.png").stderr


def test_hyperparameters_are_sought(invoke: Invoke) -> None:
    words = ["tune", "--formula", "sum((x - 1)**2)", "--dim", "3", "--opt", "sgd"]
    told = invoke(*words, "--over", "lr=0.01:1", "--trials", "8", "--steps", "20", "-o", "a.json")
    assert (told.exit_code, told.stderr) == (0, "")
