"""Networks from recipe to picture: the descent, its projection on a plane, and the remarks."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import NETWORKS, TUNED, Invoke
from hypothesis import given
from hypothesis import strategies as st

import optiviz
from optiviz.descent import problem_of
from optiviz.descent.learning_rate import tune
from optiviz.descent.walk import descend
from optiviz.kinds.run import Recipe
from optiviz.kinds.run_scene import RunScene
from optiviz.optimizers.spec import parse_spec
from optiviz.rendering.render import make_picture, render
from optiviz.surfaces.datasets import load_dataset
from optiviz.surfaces.network_model import network_model
from optiviz.surfaces.noise import GradientNoise
from optiviz.surfaces.surface import Surface
from optiviz.surfaces.windows import bounding_window
from optiviz.views.contour import ContourView
from optiviz.views.loss import LossView
from optiviz.views.paths import MIN_OPACITY

CLOUDS = {"hidden": [3], "activation": "tanh", "data": "blobs", "samples": 60, "seed": 5}
WEIGHTS = {"weights": ["layer0.weight[1,0]", "layer1.weight[2,1]"]}


def surface(plane: Any, **settings: Any) -> Surface:
    domain = {"domain": "-4:4,-3:3"} if plane == WEIGHTS else {}
    return Surface.model_validate({"network": CLOUDS, "plane": plane, **domain, **settings})


def run(plane: Any, **settings: Any) -> RunScene:
    words = {"optimizers": "sgd:lr=0.5,adam:lr=0.1", "steps": 30, **settings}
    return Recipe(surface=surface(plane), **words).make_scene()


PLANES = [WEIGHTS, WEIGHTS | {"descent": "whole"}, "random", {"kind": "random", "descent": "plane"}]
every_plane = pytest.mark.parametrize("plane", [*PLANES, "path"], ids=str)


@every_plane
@pytest.mark.parametrize("batch_size", [None, 7])
def test_what_is_descended_is_the_network(plane: Any, batch_size: int | None) -> None:
    """The losses are the network's at the true weights of each path."""
    declared = surface(plane)
    recipe = Recipe(
        surface=declared, optimizers="adam:lr=0.1", steps=12, batch_size=batch_size, seed=3
    )
    (path,) = recipe.full_trajectories()
    network = declared.origin.space.network
    x = path.points
    if declared.origin.plane.descends_in_plane:
        assert path.points.shape == (13, 2)
        x = declared.origin.space.plane.to_weights(path.points)
    truth = network.value(x)
    if batch_size is None:
        np.testing.assert_allclose(path.losses[path.step_of_row], truth, rtol=1e-12)
        assert path.true_losses is None
    else:
        np.testing.assert_allclose(path.true_losses, truth, rtol=1e-12)
        objective = problem_of(declared).objective(batch_size, seed=3)
        for step, point in zip(path.step_of_row, path.points, strict=True):
            assert path.losses[step] == pytest.approx(float(objective.at(step).value(point)))


@every_plane
def test_all_optimizers_meet_the_same_batches(plane: Any) -> None:
    one = run(plane, optimizers="sgd:lr=0.5,adam:lr=0.1", batch_size=5)
    other = run(plane, optimizers="adam:lr=0.1,sgd:lr=0.5", batch_size=5)
    for first, second in ((0, 1), (1, 0)):
        np.testing.assert_array_equal(
            one.trajectories[first].losses, other.trajectories[second].losses
        )
    assert one.trajectories[0].losses[0] == one.trajectories[1].losses[0]
    assert (run(plane, batch_size=5, seed=1).trajectories[0].losses != one.trajectories[0].losses)[
        1:
    ].any()


@pytest.mark.parametrize("plane", ["random", "path", PLANES[1]], ids=str)
def test_paths_are_seen_where_the_plane_is_nearest(plane: Any) -> None:
    recipe = Recipe(surface=surface(plane), optimizers="sgd:lr=0.5,adam:lr=0.1", steps=30)
    scene, walked = recipe.make_scene(), recipe.full_trajectories()
    shown = scene.surface.compiled
    for path, flat in zip(walked, scene.trajectories, strict=True):
        away = np.linalg.norm(path.points - shown.to_weights(flat.points), axis=1)
        np.testing.assert_allclose(flat.distances, away, atol=1e-12)
        assert scene.in_window(flat.points).shape == flat.points.shape  # all in the window
        np.testing.assert_array_equal(flat.losses, path.losses)
    assert scene.max_plane_distance == pytest.approx(
        max(each.distances.max() for each in scene.trajectories)
    )


def test_the_plane_of_paths_holds_most_of_their_variance() -> None:
    scene = run("path")
    names = " ".join(scene.surface.axis_names)
    shares = [int(found) for found in re.findall(r"(\d+)%", names)]
    assert shares[0] >= shares[1] and 90 < sum(shares) <= 100
    assert scene.surface.origin.space.network.dim == 15
    given = Recipe(surface=surface("path", domain="-1:1,-2:2"), optimizers="sgd:lr=1", steps=2)
    assert given.make_scene().surface.window.intervals == ((-1, 1), (-2, 2))


def test_a_plane_of_one_point_can_be_drawn() -> None:
    scene = run("path", optimizers="sgd:lr=1e-300", steps=3)
    assert scene.remarks == ("sgd never moved",)
    assert np.isfinite(scene.surface.window.intervals).all()


def test_who_leaves_all_numbers_does_not_hide_the_others() -> None:
    words = {"data": "blobs", "hidden": [3], "activation": "relu", "loss": "cross-entropy"}
    declared = surface("path", network=words)
    recipe = Recipe(surface=declared, optimizers="adam:lr=0.05,sgd:lr=1e150", steps=20)
    scene = recipe.make_scene()
    assert scene.trajectories[1].diverged_at is not None
    (low, high), _ = scene.surface.window.intervals
    assert high - low < 10
    assert scene.remarks == (f"sgd {scene.trajectories[1].ending}",)
    assert "diverged" in scene.remarks[0]


@pytest.mark.sample(3)
@pytest.mark.parametrize("words", ["sgd:lr=1e200", "sgd:lr=1e90,adam:lr=1e160", "adam:lr=1e101"])
@pytest.mark.parametrize("plane", ["path", "random"])
def test_paths_that_lead_far_are_drawn_or_refused(words: str, plane: str) -> None:
    declared = surface(plane, network=CLOUDS | {"activation": "sigmoid"})
    recipe = Recipe(surface=declared, optimizers=words, steps=5)
    make_picture(recipe)
    if plane == "random":
        with pytest.raises(optiviz.InputError, match="the paths extend too far"):
            recipe.model_copy(update={"starts": ((1e300, 2.0),)}).make_scene()


def test_few_points_are_kept_of_many_weights() -> None:
    recipe = Recipe(surface="spirals", optimizers="sgd:lr=0.1", steps=300, frames="0:300:50")
    (path,) = recipe.full_trajectories()
    spaced = path.spaced
    assert len(spaced) == 200
    assert path.step_of_row.tolist() == sorted({*spaced.tolist(), 50, 100, 150, 200, 250})
    assert len(path.points) == len(path.step_of_row) and not path.states
    assert path.losses.shape == (301,) and path.last == 300
    for step in range(301):
        assert path.step_of_row[path.row_of_step[step]] == max(
            kept for kept in path.step_of_row if kept <= step
        )
    network, sgd = (
        problem_of(optiviz.load_surface("spirals")).objective(),
        parse_spec("sgd:lr=0.1").build(),
    )
    few = descend(network, sgd, path.points[0], 300, rows=range(301), max_bytes=8 * network.dim * 5)
    assert few.step_of_row.tolist() == [0, 75, 150, 225, 300]


def test_frames_make_no_difference_to_what_is_seen() -> None:
    recipe = Recipe(surface="clouds", optimizers="adam:lr=0.1", steps=400)
    scenes = [recipe.model_copy(update={"duration": each}).make_scene() for each in (10.0, 2.0)]
    assert scenes[0].surface.window == scenes[1].surface.window
    np.testing.assert_array_equal(
        scenes[0].surface.compiled.directions, scenes[1].surface.compiled.directions
    )


@given(st.integers(0, 50), st.integers(1, 9))
def test_a_window_holds_all_paths(seed: int, many: int) -> None:
    points = np.random.default_rng(seed).normal(size=(many, 2)) * [1, 100]
    for (low, high), column in zip(bounding_window(points).intervals, points.T, strict=True):
        assert low < column.min() and column.max() < high


# Planes and starts --------------------------------------------------------------------------------


@pytest.mark.slow
def test_article_5s_descent_is_of_two_weights() -> None:
    """It has three starts, and follows the rule printed in the article with twice its rate."""
    model = NETWORKS["digits-output"].origin.space
    inputs, targets = model.network.inputs, model.network.targets
    (path, *_) = Recipe(surface="digits-output", optimizers="sgd", steps=40).full_trajectories()
    matrices = [weights for weights, _ in model.network.architecture.unpacked(model.initial)]
    below = inputs.T
    for weights in matrices[:2]:
        below = 1 / (1 + np.exp(-weights @ below))
    last = matrices[2].copy()
    last[5, [250, 251]] = -9, 15
    for step in range(41):
        np.testing.assert_allclose(path.points[step], last[5, [250, 251]], rtol=1e-10)
        said = 1 / (1 + np.exp(-last @ below))
        assert path.losses[step] == pytest.approx(((said - targets.T) ** 2).sum(axis=0).mean())
        slope = (said - targets.T) * said * (1 - said) @ below.T / len(inputs)
        last[5, [250, 251]] -= 10 * slope[5, [250, 251]]
    starts = [
        path.start.tolist()
        for path in Recipe(surface="digits-output", optimizers="sgd", steps=1)
        .make_scene()
        .trajectories
    ]
    assert starts == [[-9, 15], [-10.1, 15], [-11, 15]]


def test_a_whole_descent_begins_at_the_networks_own_weights_or_where_one_says() -> None:
    declared = surface(WEIGHTS | {"descent": "whole"})
    model = declared.origin.space
    np.testing.assert_array_equal(problem_of(declared).start(()), model.initial)
    lifted = problem_of(declared).start((1.5, -2.0))
    changed = np.flatnonzero(lifted != model.initial)
    assert set(lifted[changed]) == {1.5, -2.0}


def test_a_network_on_a_plane_is_a_surface_like_any_other() -> None:
    declared = surface(WEIGHTS)
    own = declared.origin.space.initial
    assert declared.dim == 2 and set(problem_of(declared).start(())) < set(own)
    x = np.array([[0.5, 1.0], [-1.0, 2.0]])
    value, gradient = declared.value_and_gradient(x)
    assert value.shape == (2,) and gradient.shape == (2, 2)
    assert np.isfinite(declared.hessian(x)).all()
    newton = optiviz.descend(declared, "newton:damping=1", steps=20)
    assert newton.losses[-1] < newton.losses[0]


@pytest.mark.sample(4)
@pytest.mark.parametrize("name", TUNED)
def test_every_optimizer_learns(name: str) -> None:
    recipe = Recipe(surface=surface("path"), optimizers=name, steps=25, batch_size=20)
    (path,) = recipe.make_scene().trajectories
    assert path.loss(25) < path.loss(0)


def test_networks_are_tuned_on_twelve_rates() -> None:
    for plane, lowest in ((WEIGHTS, 0.01), ("path", 1e-4)):
        declared = surface(plane)
        problem = problem_of(declared)
        objective, start = problem.objective(), problem.start(declared.default_starts[0])
        tuning = tune(parse_spec("sgd"), declared, [start], 400, objective=objective)
        assert len(tuning.rates) == 12 and tuning.rates[0] == lowest
        paths = [
            descend(objective, parse_spec("sgd").build(lr=float(rate)), start, 100)
            for rate in tuning.rates
        ]
        assert ("the lowest loss so far" in tuning.table()) == (plane == WEIGHTS)
        if plane == "path":
            best = min(paths, key=lambda path: path.losses.mean())
            assert best is paths[int(np.argmin(tuning.scores))]


def test_of_a_networks_rates_those_that_end_lower_are_usable() -> None:
    declared = surface("path")
    objective, begin = problem_of(declared).objective(), problem_of(declared).start(())
    trained = descend(objective, parse_spec("sgd").build(lr=1.0), begin, 300).end
    tuning = tune(parse_spec("adam"), declared, [trained], 30, objective=objective)
    paths = [
        descend(objective, parse_spec("adam").build(lr=float(rate)), trained, 30)
        for rate in tuning.rates
    ]
    lower = [path.ended_at is None and path.loss(30) < path.loss(0) for path in paths]
    assert {True, False} == {*lower}
    np.testing.assert_array_equal(np.isfinite(tuning.scores), lower)


# Noise --------------------------------------------------------------------------------------------


def test_noise_is_the_same_for_all_and_leaves_losses_true() -> None:
    recipe = Recipe(surface="bowl", optimizers="sgd:lr=0.01", steps=400, noise=3, seed=2)
    (path,) = recipe.full_trajectories()
    bowl = optiviz.load_surface("bowl")
    np.testing.assert_array_equal(path.losses, bowl.value(path.points))
    noise = (path.points[:-1] - path.points[1:]) / 0.01 - bowl.gradient(path.points[:-1])
    assert noise.std() == pytest.approx(3, rel=0.1)
    other = recipe.model_copy(update={"optimizers": ("sgd:lr=0.02",)}).full_trajectories()[0]
    again = (other.points[:-1] - other.points[1:]) / 0.02 - bowl.gradient(other.points[:-1])
    np.testing.assert_allclose(again, noise, atol=1e-9)
    assert path.true_losses is None


def test_noise_keeps_second_derivatives() -> None:
    bowl = optiviz.load_surface("bowl")
    noisy = GradientNoise(bowl, 0.1, 4)
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(noisy.at(3).hessian(x), bowl.hessian(x))
    slopes = noisy.at(3).gradient(x) - bowl.gradient(x)
    np.testing.assert_allclose(slopes[0], slopes[1])
    np.testing.assert_array_equal(noisy.at(3).gradient(x), noisy.at(3).gradient(x))
    assert (noisy.at(4).noise != noisy.at(3).noise).all()
    (path,) = Recipe(surface="bowl", optimizers="newton", steps=2, noise=0.1).full_trajectories()
    assert path.losses[-1] < 0.1


# Remarks and pictures -----------------------------------------------------------------------------


def test_heads_are_paler_the_farther_they_are() -> None:
    recipe = Recipe(
        surface=surface("random"), optimizers="adam:lr=0.1", steps=30, view="contour+loss"
    )
    scene = recipe.make_scene()
    picture = make_picture(recipe, scene)
    contour, loss = (cell.view for cell in picture.cells)
    assert isinstance(contour, ContourView) and isinstance(loss, LossView)
    (path,) = scene.trajectories
    diagonal = np.hypot(*np.diff(scene.surface.window.intervals))
    for step in (0, 7, 30):
        picture.update(step)
        alpha = contour.path_artists[0].head.get_alpha()
        expected = 1 - (1 - MIN_OPACITY) * min(1, path.away[path.row_of_step[step]] / diagonal)
        assert alpha == pytest.approx(expected)
        assert loss.path_artists[0].strokes.line.get_alpha() is None
    said = [text.get_text() for axes in picture.figure.axes for text in axes.texts]
    assert f"up to {scene.max_plane_distance:.3g} off the plane" in said


def test_the_loss_panel_shows_the_true_loss_and_that_of_batches() -> None:
    recipe = Recipe(
        surface=surface("path"), optimizers="adam:lr=0.1", steps=30, batch_size=6, view="loss"
    )
    scene = recipe.make_scene()
    picture = make_picture(recipe, scene)
    (path,) = scene.trajectories
    faint, strong = picture.cells[0].view.path_artists
    picture.update(30)
    np.testing.assert_array_equal(faint.strokes.line.get_ydata(), path.losses)
    np.testing.assert_array_equal(strong.strokes.line.get_ydata(), path.true_losses)
    assert "batches of 6, seed 0" in scene.caption and "60 samples" in scene.caption
    smooth = make_picture(recipe.model_copy(update={"smooth": 11}), scene)
    smooth.update(30)
    mean = path.losses[20:31].mean()
    assert smooth.cells[0].view.path_artists[1].strokes.line.get_ydata()[-1] == pytest.approx(mean)


@every_plane
def test_numbers_say_where_each_path_was(plane: Any, tmp_path: Path) -> None:
    recipe = Recipe(surface=surface(plane), optimizers="adam:lr=0.1", steps=30, batch_size=6, fps=1)
    render(recipe, [tmp_path / "x.json", tmp_path / "x.csv"])
    scene = recipe.make_scene()
    (path,) = scene.trajectories
    record = json.loads((tmp_path / "x.json").read_text())
    (told,) = record["trajectories"]
    assert told["path"] == path.points.tolist() and told["path_steps"] == path.step_of_row.tolist()
    assert told["batch_loss"] == path.losses.tolist() and len(told["batch_loss"]) == 31
    assert [told["loss"][step] for step in path.step_of_row] == path.true_losses.tolist()
    assert sum(loss is not None for loss in told["loss"]) == len(path.step_of_row)
    assert told["distance"] == path.away.tolist()
    assert told["accuracy"] == path.accuracy and 0 <= path.accuracy <= 1
    assert record["plane"]["axes"] == list(scene.surface.axis_names)
    lines = (tmp_path / "x.csv").read_text().splitlines()
    rows = list(csv.DictReader(lines[1:]))
    assert len(rows) == 31
    for row in rows:
        kept = int(row["step"]) in path.step_of_row
        assert (row["x"] != "", row["loss"] != "", row["distance"] != "") == (kept,) * 3
        assert float(row["batch_loss"]) == path.losses[int(row["step"])]


@pytest.mark.slow
def test_the_recipe_of_a_network_makes_the_same_file(invoke: Invoke, here: Path) -> None:
    words = [
        "run",
        "--surface",
        "clouds",
        "--samples",
        "50",
        "--plane",
        "random:3",
        "--opt",
        "adam,sgd",
        "--batch-size",
        "8",
        "--steps",
        "20",
        "--noise",
        "0.01",
        "--seed",
        "4",
        "--frames",
        "0:10:2",
        "--size",
        "480x320",
    ]
    assert invoke(*words, "-o", "a.gif", "-o", "a.json").exit_code == 0
    assert invoke("run", "--recipe", "a.gif", "-o", "b.gif", "-o", "b.json").exit_code == 0
    assert Path("a.gif").read_bytes() == Path("b.gif").read_bytes()
    assert Path("a.json").read_bytes() == Path("b.json").read_bytes()
    said = invoke("inspect", "a.gif").stdout
    command = next(line for line in said.splitlines() if "optiviz run" in line)
    for word in ("--samples 50", "--plane random:3", "--batch-size 8", "--noise 0.01", "--frames"):
        assert word in command


def test_a_recipe_knows_the_file_that_its_data_came_from(invoke: Invoke, here: Path) -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 40)
    np.savez("own.npz", x_train=random.normal(size=(40, 2)), y_train=labels)
    words = [
        "run",
        "--surface",
        "clouds",
        "--data",
        "npz:own.npz",
        "--opt",
        "adam",
        "--steps",
        "5",
        "--view",
        "loss",
    ]
    result = invoke(*words, "-o", "a.json")
    assert (result.exit_code, result.stderr) == (0, "")
    recipe = optiviz.load_recipe("a.json")
    assert len(recipe.surface.network.sha256) == 64
    assert invoke("run", "--recipe", "a.json", "-o", "b.json").exit_code == 0
    np.savez("own.npz", x_train=random.normal(size=(40, 2)), y_train=labels)
    for cached in (network_model, load_dataset):
        cached.cache_clear()  # as in a new process
    result = invoke("run", "--recipe", "a.json", "-o", "c.json")
    assert result.exit_code == 2 and "has changed: its SHA-256" in result.stderr


@pytest.mark.parametrize("surface", ["clouds", {"network": CLOUDS | {"data": "npz:own.json"}}])
def test_an_output_does_not_replace_what_is_learned(
    surface: Any, invoke: Invoke, here: Path
) -> None:
    np.savez(here / "own", x_train=np.eye(2), y_train=[0, 1])
    Path("own.npz").rename("own.json")
    before = Path("own.json").read_bytes()
    job = {"surface": surface, "optimizers": "adam", "steps": 3, "out": "own.json"}
    if surface == "clouds":
        job["data"] = "npz:own.json"
    Path("jobs.yaml").write_text(json.dumps({"jobs": [job]}))
    result = invoke("batch", "jobs.yaml")
    assert result.exit_code == 2 and "own.json is an input file" in result.stderr
    words = ("--surface", "clouds", "--data", "npz:own.json", "--opt", "adam", "-o", "own.json")
    result = invoke("run", *words)
    assert result.exit_code == 2 and "own.json is an input file" in result.stderr
    assert Path("own.json").read_bytes() == before


@pytest.mark.slow
def test_the_table_tells_accuracy_and_seed(invoke: Invoke) -> None:
    said = invoke(
        "run", "--surface", "clouds", "--opt", "adam", "--batch-size", 10, "-o", "x.png"
    ).stdout
    assert re.search(r"adam .* 400 +0\.\d+ +9\d\.\d%", said) and "seed 0" in said
    assert "final loss" in said and "accuracy" in said and "to minimum" not in said


MISTAKES = {
    "--surface wobbly --opt adam --batch-size 3": "--batch-size: wobbly has no samples",
    "--surface clouds --opt adam --batch-size 0": "--batch-size: must be greater",
    "--surface clouds --opt adam --batch-size 900": "a batch cannot have 900 samples: the",
    "--surface clouds --opt adam --noise -1": "--noise: must be greater",
    "--surface clouds --opt adam --samples 900": "clouds: samples must be at most 800 for blobs",
    "--surface clouds --opt adam --samples 0": "--samples: must be greater",
    "--surface clouds --opt adam --data digit": "--data: unknown data set 'digit': did you mean",
    "--surface clouds --opt adam --data npz:none.npz": "optiviz: --data: none.npz: no such file",
    "--surface wobbly --opt adam --data digits": "--data: needs a network or a --fit, but there",
    "--surface clouds --opt adam --plane paths": "--plane: unknown plane 'paths': did you mean",
    "--surface clouds --opt adam --plane random:x": "--plane: unknown plane 'random:x'",
    "--surface clouds --opt adam --plane layer0.weight[1,2]": "--plane: must be two different",
    "--surface clouds --opt adam --plane layer0.weight[1],layer0.weight[2,0]": (
        "clouds: there is no layer0.weight[1], only layer0.weight[0,0] to layer0.weight[15,1]"
    ),
    "--surface clouds --opt adam --plane a,b": "are variables, but a network has weights: write",
    "--surface clouds --opt adam --plane layer0.weight[1,7],layer0.weight[2,0]": (
        "clouds: there is no layer0.weight[1,7], only layer0.weight[0,0] to layer0.weight[15,1]"
    ),
    "--surface clouds --opt adam --plane layer5.weight[1,7],layer0.weight[2,0]": (
        "clouds: unknown weight 'layer5.weight': did you mean 'layer"
    ),
    "--surface clouds --opt adam --plane random --normalize filters": (
        "--normalize: unknown normalization 'filters': did you mean 'filter'?"
    ),
    "--surface clouds --opt adam --normalize layer": (
        "--normalize: is for random planes: write random:0"
    ),
    "--surface rosenbrock:dim=4 --opt adam --plane random --biases keep": (
        "--plane: directions through variables are orthonormal"
    ),
    "--surface clouds --opt adam --domain -1:1": "but clouds has 2 coordinates",
    "--surface clouds --opt adam --start 1,2": "a start cannot be set in a path plane",
    "--surface clouds --opt adam --start random:3": "known only after a descent",
    "--surface clouds --opt adam --view state": "state draws one dimension or two dimensions, not",
    "--surface clouds --opt adam --view curve": "curve draws one dimension, not two dimensions",
    "--surface clouds --opt newton": "newton needs second derivatives",
    "--surface clouds --opt adam --frames 5:2:1": "'5:2:1' has no steps: STOP must be above START",
    "--surface clouds --opt adam --frames 0:9999999:1": "exceeds the limit of 1000000 steps",
    "--surface clouds --opt adam --frames 0:5": "'0:5' is not a valid range: write START:STOP:STEP",
    f"--surface clouds --opt adam --frames {','.join(['0:9999999:1'] * 101)}": "than 100 ranges",
    "--surface clouds --opt adam --data npz:a\x1b[31mb": "unprintable",
    "--surface clouds --opt adam --frames 0:5:0": "--frames: '0:5:0' has no step",
}  # fmt: skip


@pytest.mark.parametrize("words", MISTAKES)
def test_a_mistake_is_one_sentence(words: str, invoke: Invoke, here: Path) -> None:
    result = invoke("run", *words.split(), "-o", "x.png")
    assert (result.exit_code, result.stdout) == (2, "")
    assert MISTAKES[words] in result.stderr and result.stderr.count("\n") == 1
    assert not list(here.iterdir())


def test_a_path_has_no_plane_without_a_descent(invoke: Invoke) -> None:
    result = invoke("plot", "clouds", "-o", "x.png")
    assert result.exit_code == 2 and "clouds: a path plane is known only" in result.stderr
    assert invoke("plot", "clouds", "--plane", "random", "-o", "x.png").exit_code == 0


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ("network: {hidden: [3]}", "a.network.data: required, but missing"),
        ("network: {hidden: [0], data: xor}", "a.network.hidden.0: must be greater than or"),
        ("network: {hidden: [3], data: xr}", "a.network.data: unknown data set 'xr': did you"),
        ("network: {hiden: [3], data: xor}", "a.network.hiden: unknown key 'hiden': did you mean"),
        (
            "network: {hidden: [3], data: xor, activation: [tanh, relu]}",
            "a.network: needs one activation or one per hidden layer (1), not 2",
        ),
        (
            "network: {hidden: [3], data: xor, activation: tan}",
            "a.network.activation: unknown activation 'tan': did you mean 'tanh'",
        ),
        ("network: {hidden: [3], data: xor, dropout: 1}", "a.network.dropout: must be less"),
        ("network: {hidden: [3], data: xor}\n  formula: x", "a.formula: cannot be combined with a"),
        (
            "formula: x\n  domain: {x: [0, 1]}\n  plane: path",
            "a.plane: needs a network or more than two",
        ),
        (
            "network: {hidden: [3], data: xor}\n  plane: layer0.weight[0,0]",
            "must be two",
        ),
        (
            "network: {hidden: [3], data: xor}\n  plane: {kind: path, descent: plane}",
            "a.plane: a path plane is known only after the descent",
        ),
        ("network: {hidden: [3], data: xor}\n  domain: {x: [0, 1]}", "a.domain: must have two i"),
        (
            "network: {hidden: [3], data: xor}\n  plane: {kind: paths}",
            "a.plane.kind: unknown kind 'paths': did you mean 'path'?",
        ),
        ("network: {hidden: [3], data: xor}\n  plane: {grid: 5}", "a.plane.grid: must be great"),
        (
            "network: {hidden: [3], data: xor}\n  starts: [[]]",
            "a.starts.0: an empty point has 0 coordinates, but the domain has 2",
        ),
        (
            f"network: {{hidden: [3], data: xor, sha256: '{64 * 'a'}'}}",
            "a.network.sha256: is not allowed: xor is not read from a file",
        ),
        ("network: 3", "a.network: must be a mapping, not 3"),
        ("network: {hidden: 3, data: xor}", "a.network.hidden: must be a list, not 3"),
    ],
)
def test_a_wrong_declaration_is_told(declared: str, said: str, here: Path, invoke: Invoke) -> None:
    Path("own.yaml").write_text(f"a:\n  {declared}\n")
    result = invoke("list", "surfaces", "--surfaces", "own.yaml")
    assert result.exit_code == 2 and said in result.stderr, result.stderr


def test_seen_says_nothing_new_of_a_formula() -> None:
    bowl = optiviz.load_surface("bowl")
    path = optiviz.descend(bowl, "sgd:lr=0.1", steps=3)
    assert problem_of(bowl).project([path]) == (bowl, [path])
