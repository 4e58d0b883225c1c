"""Runs on every kind of plane: what is drawn, told and stored, and how far it is from the truth."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Invoke

import optiviz
from optiviz.kinds.plot import PlotRecipe
from optiviz.kinds.run import Recipe
from optiviz.kinds.run_scene import RunScene
from optiviz.recipes.command import command_fields
from optiviz.recipes.reading import read_recipe
from optiviz.rendering.render import make_picture
from optiviz.surfaces.config import PlaneConfig
from optiviz.surfaces.plane import Plane
from optiviz.surfaces.surface import Surface

CLOUDS = {"hidden": [3], "activation": "tanh", "data": "blobs", "samples": 60, "seed": 5}
MODEL = """\
import numpy as np
from optiviz.surfaces.models.python import PythonProblem

SLOPES = np.linspace(1, 9, 6)


def problem():
    return PythonProblem(
        np.ones(6), lambda x: float(SLOPES @ x**2) / 2, lambda x: SLOPES * x, name="bowl"
    )
"""
PLANES = ["path", "random:2", "hessian", "between:start,b.npz", "through:start,b.npz,c.npz"]
every_plane = pytest.mark.parametrize("plane", PLANES)
KINDS: dict[str, dict[str, Any]] = {
    "network": {"surface": {"network": CLOUDS}},
    "model": {"surface": "own.py:problem"},
    "variables": {"formula": "sum(x**2)", "dim": 6},
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def fields(kind: str, plane: str, **more: Any) -> dict[str, Any]:
    """Return the fields of a recipe, whose files are written into the current folder."""
    Path("own.py").write_text(MODEL)
    coarse = {**PlaneConfig.model_validate(plane).model_dump(mode="json"), "grid": 11}
    found = {**KINDS[kind], "plane": coarse, "optimizers": "sgd:lr=0.05,adam:lr=0.1", "steps": 30}
    space = read_recipe(found | {"plane": "random"}, str).drawn_surfaces[0].origin.space  # type: ignore[union-attr]
    random = np.random.default_rng(1)
    for name in ("b", "c"):
        x = space.initial + random.normal(size=len(space.initial))
        np.savez(f"{name}.npz", **{each.name: each.of(x) for each in space.parts})
    return found | more


def scene_of(kind: str, plane: str, **more: Any) -> RunScene:
    recipe = read_recipe(fields(kind, plane, **more), str)
    assert isinstance(recipe, Recipe)
    return recipe.make_scene()


@pytest.mark.sample(4)
@every_kind
@every_plane
def test_the_loss_of_the_plane_stands_beside_the_true_one(
    kind: str, plane: str, here: Path
) -> None:
    scene = scene_of(kind, plane)
    drawn = scene.surface.compiled
    assert isinstance(drawn, Plane) and drawn.dim == scene.surface.dim
    told = scene.to_dict()["trajectories"]
    for path, said in zip(scene.trajectories, told, strict=True):
        lifted = drawn.to_weights(path.points)
        losses = [float(drawn.objective.value(each)) for each in lifted]
        np.testing.assert_allclose(said["plane_loss"], losses, rtol=1e-9)
        assert said["distance"] == path.row_distances.tolist()
    start, *_ = scene.trajectories
    if plane not in ("path", "between:start,b.npz"):  # these may leave the start beside them
        assert start.row_distances[0] == pytest.approx(0, abs=1e-9)
        assert told[0]["plane_loss"][0] == pytest.approx(start.losses[0])
    make_picture(read_recipe(fields(kind, plane), str))


@pytest.mark.sample(1)
@every_kind
def test_losses_of_the_plane_are_computed_only_where_they_are_asked_for(
    kind: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    own = RunScene.plane_losses
    monkeypatch.setattr(
        RunScene, "plane_losses", lambda self, path: asked.append(1) or own(self, path)
    )
    make_picture(read_recipe(fields(kind, "random"), str))
    assert not asked
    make_picture(read_recipe(fields(kind, "random", view="contour+error"), str))
    assert asked


def test_at_most_200_points_of_a_path_are_judged(here: Path) -> None:
    track = optiviz.Trajectory.of(np.linspace(1, 0, 350)[:, None] * np.arange(1, 7))
    scene = scene_of("variables", "random", tracks=track)
    *_, path = scene.trajectories
    rows = scene.judged_rows(path)
    assert 150 < len(rows) <= 200 < len(path.points)
    assert np.flatnonzero(np.isfinite(scene.plane_losses(path))).tolist() == rows.tolist()


@every_kind
def test_a_table_has_distance_and_loss_of_the_plane(kind: str, here: Path) -> None:
    recipe = read_recipe(fields(kind, "random"), str)
    optiviz.render(recipe, ["a.csv", "a.json"])
    with Path("a.csv").open(newline="") as file:
        file.readline()
        rows = list(csv.DictReader(file))
    (first, *_) = json.loads(Path("a.json").read_text())["trajectories"]
    assert len(first["plane_loss"]) == len(first["distance"])
    if kind == "variables":  # whose table has all of a point, and can be read again as a track
        assert "plane_loss" not in rows[0]
        return
    told = [float(row["plane_loss"]) for row in rows if row["label"] == "sgd"]
    assert told == first["plane_loss"]


@pytest.mark.sample(1)
@every_plane
def test_a_recipe_draws_the_same_again(plane: str, invoke: Invoke, here: Path) -> None:
    made = fields("network", plane)
    Path("own.yaml").write_text(json.dumps({"own": {"network": CLOUDS}}))
    words = ["--surfaces", "own.yaml", "--surface", "own", "--plane", plane, "--steps", 30]
    result = invoke("run", *words, "--opt", made["optimizers"], "-o", "a.png", "-o", "a.json")
    assert result.exit_code == 0, result.stderr
    result = invoke("run", "--recipe", "a.json", "-o", "b.png", "-o", "b.json")
    assert result.exit_code == 0, result.stderr
    for suffix in ("png", "json"):
        assert Path(f"a.{suffix}").read_bytes() == Path(f"b.{suffix}").read_bytes()


@pytest.mark.parametrize(
    "words",
    [
        {"plane": "random:3", "normalize": "layer", "biases": "keep"},
        *({"plane": plane} for plane in ("random:3", "hessian", *PLANES[3:])),
        {"plane": "layer0.weight[1,0],layer1.weight[2,1]"},
        {"plane": "layer0.bias[1],layer1.weight[2,1]"},
    ],
)
def test_the_command_of_a_plane_is_told(words: dict[str, str], here: Path) -> None:
    for name in ("b", "c"):
        np.savez(f"{name}.npz", x=np.ones(3))
    recipe = read_recipe({"surface": "clouds", "optimizers": "sgd", **words}, str)
    told = command_fields(recipe)
    assert told is not None and {key: told[key] for key in told if key in words} == words
    assert read_recipe(told, str) == recipe


def test_a_changed_checkpoint_is_noticed(invoke: Invoke, here: Path) -> None:
    fields("model", "between:start,b.npz")
    words = ("--surface", "own.py:problem", "--plane", "between:start,b.npz", "--opt", "adam")
    assert invoke("run", *words, "-o", "a.json").exit_code == 0
    assert len(optiviz.load_recipe("a.json", allow_plugins=True).surface.plane.sha256[1]) == 64
    again = ("run", "--recipe", "a.json", "--allow-plugins")
    assert invoke(*again, "-o", "b.json").exit_code == 0
    np.savez("b.npz", x=np.zeros(6))
    result = invoke(*again, "-o", "c.json")
    assert (
        result.exit_code == 2 and "b.npz has changed since the recipe was created" in result.stderr
    )
    result = invoke("run", *words, "-o", "b.npz")
    assert result.exit_code == 2 and "b.npz" in result.stderr


def test_two_numbers_of_a_program_are_named(invoke: Invoke, here: Path) -> None:
    fields("model", "path")
    words = ("run", "--surface", "own.py:problem", "--opt", "sgd:lr=0.1", "--steps", 5)
    assert invoke(*words, "--plane", "x[0],x[5]", "-o", "a.json").exit_code == 0
    told = json.loads(Path("a.json").read_text())
    assert told["plane"]["axes"] == ["x[0]", "x[5]"]
    x, y = np.transpose(told["trajectories"][0]["path"])
    np.testing.assert_allclose(x, 0.9 ** np.arange(6))  # only these two are descended
    np.testing.assert_allclose(y, 0.1 ** np.arange(6))


def test_how_a_window_was_found_is_told(invoke: Invoke, here: Path) -> None:
    fields("model", "random")
    words = (
        "--surface",
        "own.py:problem",
        "--plane",
        "random:1",
        "--opt",
        "sgd:lr=0.01",
        "--steps",
        3,
    )
    result = invoke("run", *words, "-o", "a.json")
    told = json.loads(Path("a.json").read_text())["plane"]
    assert told["directions"] == "random directions"
    assert re.fullmatch(r"window ±\S+: the median loss at its edge is 10 times.*", told["window"])
    assert told["window"] in result.stdout
    side = float(re.search(r"±([\d.]+)", told["window"])[1])  # type: ignore[index]
    assert told["domain"] == {"x": [-side, side], "y": [-side, side]}
    assert (
        told["window"]
        in invoke("plot", "own.py:problem", "--plane", "random:1", "-o", "p.png").stdout
    )
    result = invoke("run", *words, "--domain", "-1:1,-1:1", "-o", "a.json")
    assert "window" not in json.loads(Path("a.json").read_text())["plane"]
    assert "window" not in result.stdout


def test_a_window_that_the_paths_leave_is_wider() -> None:
    declared = Surface.model_validate({"network": CLOUDS, "plane": "random:2"})
    scene = Recipe(surface=declared, optimizers="sgd:lr=900", steps=3).make_scene()
    assert scene.window_told.endswith("wider here, to fit the paths")
    assert scene.surface.window.diagonal > declared.window.diagonal


@pytest.mark.sample(1)
@every_kind
@pytest.mark.parametrize("plane", ["random:1", "hessian", "through:start,b.npz,c.npz"])
def test_surfaces_are_drawn_without_a_descent(kind: str, plane: str, here: Path) -> None:
    surface = read_recipe(fields(kind, plane), str).surface  # type: ignore[attr-defined]
    make_picture(PlotRecipe(surfaces=[surface], view="relief+contour", size="480x320"))


@pytest.mark.sample(1)
@every_kind
def test_a_line_is_drawn_as_a_curve(kind: str, here: Path) -> None:
    scene = scene_of(kind, "between:start,b.npz")
    assert scene.surface.window.intervals[0][0] <= -0.25
    assert scene.surface.window.intervals[0][1] >= 1.25
    x, losses, slopes = scene.surface.sample_line(2001)
    assert len(x) == (11 if kind != "variables" else 2001)
    compiled: Any = scene.surface.compiled
    whole = compiled.objective.value(compiled.to_weights(x[:, None]))
    np.testing.assert_allclose(losses, whole, rtol=1e-9)
    np.testing.assert_allclose(slopes, np.gradient(whole, x, edge_order=2), rtol=1e-9)


@pytest.mark.sample(1)
@every_kind
def test_a_page_draws_projected_paths_on_the_curve(kind: str, here: Path) -> None:
    recipe = read_recipe(fields(kind, "between:start,b.npz"), str)
    scene = recipe.make_scene()
    optiviz.render(recipe, ["a.html"])
    found = re.findall(r'"heights": ?(\[[^]]*\])', Path("a.html").read_text())
    x, losses, _ = scene.surface.sample_line(2001)
    for path, heights in zip(scene.trajectories, found, strict=True):
        expected = np.interp(path.points[:, 0], x, losses)
        np.testing.assert_allclose(json.loads(heights), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.sample(1)
@every_kind
def test_the_checkpoints_are_marked(kind: str, here: Path) -> None:
    scene = scene_of(kind, "through:start,b.npz,c.npz")
    assert scene.anchors_in_window[0] == ["start", "b", "c"]
    assert "checkpoint" in scene.legend_entries
    figure = make_picture(read_recipe(fields(kind, "through:start,b.npz,c.npz"), str)).figure
    written = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert {"start", "b", "c"} <= {*written}
    told = scene.to_dict()["plane"]["checkpoints"]
    assert told["start"] == [0, 0] and told["b"][1] == 0 < told["c"][1]


@pytest.mark.slow
def test_weight_decay_is_said_to_be_outside_of_the_ground(invoke: Invoke, here: Path) -> None:
    words = ("run", "--surface", "clouds", "--steps", 3, "-o", "a.png", "--opt")
    said = invoke(*words, "adamw:lr=0.1,adam:lr=0.1").stdout
    assert "adamw: its weight decay of 0.01 is not in the loss that is drawn" in said
    assert "adam: its weight decay" not in said
    assert "weight decay" not in invoke(*words, "adamw:lr=0.1:weight_decay=0").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--plane between:b.npz,none.npz", "--plane: none.npz: no such file"),
        ("--plane between:b.npz", "--plane: between needs two different checkpoints"),
        ("--plane x[0],x[9]", "there is no x[9], only x[0] to x[5]"),
        ("--plane y[0],x[5]", "unknown weight 'y'"),
        ("--plane between:start,b.npz --view relief", "--view: relief draws two dimensions"),
        ("--plane between:start,b.npz --domain -1:1,-1:1", "must have one interval for a line"),
        ("--plane random --domain -1:1", "must have two intervals for a plane"),
        ("--plane path --start 1,2", "a start cannot be set in a path plane"),
        ("--plane random --device cpu", "device: is for models of PyTorch and JAX"),
    ],
)
def test_a_mistake_is_one_sentence(words: str, said: str, invoke: Invoke, here: Path) -> None:
    fields("model", "path")
    result = invoke(
        "run", "--surface", "own.py:problem", "--opt", "adam:lr=0.1", *words.split(), "-o", "a.png"
    )
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr and result.stderr.count("\n") == 1


def test_a_path_plane_is_refused_without_a_descent(invoke: Invoke, here: Path) -> None:
    fields("model", "path")
    result = invoke("plot", "own.py:problem", "--plane", "path", "-o", "a.png")
    assert (
        result.exit_code == 2
        and "a path plane is known only after a descent: choose another" in result.stderr
    )
