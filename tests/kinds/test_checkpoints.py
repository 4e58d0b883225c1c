"""Trainings: checkpoints of other programs in recipes, scenes and on the command line."""

import glob
import json
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import pytest
from conftest import Invoke

import optiviz
from optiviz import InputError, Recipe
from optiviz.kinds import checkpoints
from optiviz.kinds.base import to_dict
from optiviz.kinds.checkpoints import in_order, thinned
from optiviz.recipes.command import command_fields
from optiviz.recipes.reading import read_recipe
from optiviz.surfaces.checkpoint_files import checkpoint_hash
from optiviz.system.text import key_path

SLOPES = np.array([1.0, 3, 10, 0.5, 2])
MODEL = """
import numpy as np, optiviz
SLOPES = np.array([1.0, 3, 10, 0.5, 2])
def problem():
    return optiviz.PythonProblem(np.ones(5), lambda x: float(SLOPES @ x**2), lambda x: 2*SLOPES*x)
"""
WORDS = ("run", "--surface", "m.py:problem", "--plane", "path", "--checkpoints")


@pytest.fixture
def training(here: Path) -> np.ndarray:  # type: ignore[type-arg]
    """Write a model and the checkpoints of 12 steps; return the points."""
    Path("m.py").write_text(MODEL)
    Path("run").mkdir()
    x, points = np.ones(5), []
    for step in range(13):
        np.savez(f"run/step{10 * step}.npz", x=x)
        points.append(x)
        x = x - 0.04 * 2 * SLOPES * x
    return np.array(points)


def read(**fields: Any) -> Any:
    return read_recipe({"surface": "m.py:problem", "plane": "path"} | fields, key_path)


def test_the_true_loss_of_every_checkpoint(training: Any) -> None:
    recipe = read(checkpoints="run/*.npz")
    (path,) = recipe.make_scene().trajectories
    assert path.step_of_row.tolist() == [*range(0, 130, 10)] and recipe.last_step == 120
    np.testing.assert_array_equal(path.losses[::10], (training**2) @ SLOPES)
    assert path.label == "training"
    (entry,) = recipe.make_scene().entries
    assert entry.detail == "recorded" and entry.notes == ()


def test_the_plane_of_the_path_is_that_of_the_checkpoints(training: Any) -> None:
    scene = read(checkpoints="run/*.npz").make_scene()
    (path,) = scene.trajectories
    away = training - training.mean(axis=0)
    _, strengths, ways = np.linalg.svd(away, full_matrices=False)
    shares = strengths**2 / (strengths**2).sum()
    assert scene.surface.axis_names == tuple(f"PC {n} ({shares[n - 1]:.0%})" for n in (1, 2))
    np.testing.assert_allclose(np.abs(path.points), np.abs(away @ ways[:2].T), atol=1e-12)


def test_beside_optimizers_and_tracks(training: Any) -> None:
    np.savez("other.npz", points=training)
    recipe = read(
        checkpoints=["run/*.npz", "run/step?0.npz:short"], optimizers="sgd:lr=0.01,adam:lr=0.1",
        steps=20, tracks="other.npz:training",
    )  # fmt: skip
    scene = recipe.make_scene()
    labels = ["sgd", "adam", "training", "training (2)", "short"]
    assert [entry.label for entry in scene.entries] == labels
    assert [entry.number for entry in scene.entries] == [0, 1, 2, 3, 4]
    assert [label for label, _ in recipe.path_colors] == labels
    assert scene.entries[4].trajectories[0].steps == 90


@pytest.mark.parametrize("every", [1, 3, 5, 100])
def test_every_nth_is_kept_with_the_first_and_the_last(training: Any, every: int) -> None:
    recipe = read(checkpoints="run/*.npz", every=every)
    (held,) = recipe.checkpoints
    kept = [*range(0, 12, every), 12]
    assert held.steps == tuple(10 * step for step in kept)
    assert held.files == tuple(f"run/step{10 * step}.npz" for step in kept)
    assert held.sha256 == tuple(map(checkpoint_hash, held.files))


@pytest.mark.parametrize(
    ("files", "ordered", "steps"),
    [
        (["a10.pt", "a9.pt", "a1.pt"], ["a1.pt", "a9.pt", "a10.pt"], [1, 9, 10]),
        (["v2/e1_lr0.1.pt", "v2/e0_lr0.1.pt"], ["v2/e0_lr0.1.pt", "v2/e1_lr0.1.pt"], [0, 1]),
        (["c-20/m.pt", "c-3/m.pt"], ["c-3/m.pt", "c-20/m.pt"], [3, 20]),
        (["e1-s50-l0.51.pt", "e0-s40-l0.7.pt"], ["e0-s40-l0.7.pt", "e1-s50-l0.51.pt"], [40, 50]),
        (["b.pt", "a.pt"], ["a.pt", "b.pt"], [0, 1]),
        (["last.pt", "e5.pt", "e4.pt"], ["e4.pt", "e5.pt", "last.pt"], [0, 1, 2]),
        (["e3000000.pt", "e2000000.pt"], ["e2000000.pt", "e3000000.pt"], [0, 1]),
        (["a/1.pt", "b/1.pt"], ["a/1.pt", "b/1.pt"], [0, 1]),
    ],
)
def test_files_are_ordered_by_number(
    files: list[str], ordered: list[str], steps: list[int]
) -> None:
    assert in_order(files) == (ordered, steps)


def test_all_of_few_are_kept() -> None:
    assert thinned(2, 5).tolist() == [0, 1] and thinned(7, 2).tolist() == [0, 2, 4, 6]


def test_all_ways_to_write_checkpoints(training: Any) -> None:
    first, second = "run/step0.npz", "run/step90.npz"
    for way in (
        [first, second], (Path(first), Path(second)), {"files": [first, second]},
        [{"files": [first, Path(second)], "label": "training"}],
    ):  # fmt: skip
        (held,) = read(checkpoints=way).checkpoints
        assert (held.files, held.steps, held.label) == ((first, second), (0, 90), "training")
    (held,) = read(checkpoints={"files": "run/*.npz", "label": "mine"}).checkpoints
    assert (len(held.files), held.of, held.label) == (13, "run/*.npz", "mine")
    (held,) = read(checkpoints=[second, first]).checkpoints  # as a shell may sort them
    assert (held.files, held.steps) == ((first, second), (0, 90))


def test_a_recipe_makes_the_same_picture_again(training: Any, invoke: Invoke) -> None:
    words = [*WORDS, "run/*.npz:mine", "--every", "2", "--opt", "sgd:lr=0.01", "--steps", "9"]
    assert invoke(*words, "-q", "-o", "a.png", "-o", "a.json").exit_code == 0
    again = ["run", "--allow-plugins", "-q", "--recipe"]
    assert invoke(*again, "a.json", "-o", "b.png").exit_code == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    Path("recipe.yaml").write_text(invoke("inspect", "--allow-plugins", "a.png").stdout)
    assert invoke(*again, "recipe.yaml", "-o", "c.png").exit_code == 0
    assert Path("a.png").read_bytes() == Path("c.png").read_bytes()


@pytest.mark.parametrize(
    "written",
    [
        {"checkpoints": ["run/*.npz"]},
        {"checkpoints": ["run/*.npz:mine", "run/step1*.npz"], "every": 3},
        {"checkpoints": ["run/step0.npz", "run/step10.npz"]},
        {"checkpoints": ["run/step0.npz:a", "run/step10.npz:a"]},
    ],
)
def test_a_recipe_is_a_command(here: Path, written: Any) -> None:
    Path("run").mkdir()
    for step in (0, 10, 12):
        np.savez(f"run/step{step}.npz", w=np.ones(2) * step)
    recipe = read_recipe({"surface": "digits-race", "plane": "path"} | written, key_path)
    fields = command_fields(recipe)
    assert fields is not None
    assert fields["checkpoints"] == written["checkpoints"]
    assert fields.get("every", 1) == written.get("every", 1)


def test_a_recipe_survives_json(training: Any) -> None:
    recipe = read(checkpoints="run/*.npz", every=4)
    again = read_recipe(json.loads(json.dumps(to_dict(recipe))), key_path)
    assert again == recipe and hash(again) == hash(recipe)


def test_a_file_that_has_changed_is_told(training: Any) -> None:
    recipe = read(checkpoints="run/*.npz")
    np.savez("run/step50.npz", x=np.zeros(5))
    with pytest.raises(InputError) as raised:
        recipe.make_scene()
    assert str(raised.value) == (
        "run/step50.npz has changed since the recipe was created: "
        "to use the new version, pass --checkpoints 'run/*.npz'"
    )
    Path("run/step50.npz").unlink()
    with pytest.raises(InputError, match=r"run/step50\.npz: no such file"):
        recipe.make_scene()


def test_another_every_needs_the_files_again(training: Any, invoke: Invoke) -> None:
    assert invoke(*WORDS, "run/*.npz", "--every", "3", "-q", "-o", "a.json").exit_code == 0
    again = ["run", "--recipe", "a.json", "--allow-plugins", "-q", "-o", "b.json", "--every", "2"]
    said = invoke(*again)
    assert said.exit_code == 2
    assert "every 3 of them is held: pass --checkpoints 'run/*.npz', too" in said.stderr
    assert invoke(*again, "--checkpoints", "run/*.npz").exit_code == 0


@pytest.mark.sample(6)
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run/*.pt"], "--checkpoints: no checkpoint matches 'run/*.pt': they end in .pt, .pth,"),
        ([""], "--checkpoints: must be a file or a pattern, not ''"),
        (["run"], "--checkpoints: run: is a folder: write a pattern, such as 'run/*.pt'"),
        (["run/step0.npz"], "run/step0.npz: is one checkpoint, but a path needs two"),
        (["run/step0*.npz"], "--checkpoints: run/step0*.npz: is one checkpoint, but a path needs"),
        (["no.npz", "--checkpoints", "run/step0.npz"], "--checkpoints: no.npz: no such file"),
        (["m.py", "--checkpoints", "m.py"], "--checkpoints: 'm.py' must end in .pt, .pth,"),
        (["run/*.npz", "--every", "0"], "--every: "),
        (["run/*.npz", "-o", "run/step0.npz"], "run/step0.npz is an input file: write to another"),
        (["run/*.npz", "--steps", "9"], "steps: needs an optimizer, but all paths are recorded"),
        (["run/*.npz", "--surface", "wobbly"], "wobbly is none"),
        (["run/*.npz", "--surface", "digits-output"], "is descended on its plane alone"),
        (["run/*.npz", "--surface", "digits-race"], "is of another model: it has no layer0.weight"),
        (["bad/*.npz"], "bad/1.npz: is of another model: x has shape (4,), not (5,)"),
        (["more/*.npz"], "more/1.npz: is of another model, which has y"),
        (["same/*.npz"], "training: all 3 checkpoints are the same"),
        (["nan/*.npz"], "the point of step 1 is not finite, but later ones are"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(training: Any, words: list[str], said: str, invoke: Invoke) -> None:
    for number in range(3):
        for folder, numbers in (
            ("bad", {"x": np.ones(5 - number)}), ("same", {"x": np.ones(5)}),
            ("more", {"x": np.ones(5) * number} | ({"y": np.ones(1)} if number else {})),
            ("nan", {"x": np.full(5, np.nan if number == 1 else number)}),
        ):  # fmt: skip
            Path(folder).mkdir(exist_ok=True)
            np.savez(f"{folder}/{number}.npz", **numbers)
    plane = ["--plane", "path"] * ("--surface" not in words)
    surface = ["--surface", "m.py:problem"] * ("--surface" not in words)
    output = ["-o", "a.csv"] * ("-o" not in words)
    result = invoke("run", *surface, *plane, "--checkpoints", *words, *output)
    assert result.exit_code == 2 and said in result.stderr, result.stderr
    assert result.stderr.count("\n") == 1 and not Path("a.csv").exists()


@pytest.mark.parametrize(
    "pattern",
    ["run/*.npz", "*/step?0.npz", "**/*.npz", "run/**", "./r*n/step[01].npz", "**/.*/*", ".*/*"],
)
def test_patterns_match_as_in_the_standard_library(training: Any, pattern: str) -> None:
    Path(".hidden").mkdir()
    np.savez(".hidden/1.npz", x=np.ones(5))
    found = glob.glob(str(Path(pattern)), recursive=True)  # noqa: PTH207
    assert checkpoints._matching(pattern) == sorted(each for each in found if each[-4:] == ".npz")


def test_a_pattern_does_not_search_a_whole_disk(
    training: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "MAX_ENTRIES", 12)
    for pattern in ("run/*.npz", "**/*.pt", "*/*.pt"):
        with pytest.raises(InputError, match="is compared with more than 12 files and folders"):
            read(checkpoints=pattern)
    monkeypatch.setattr(checkpoints, "MAX_ENTRIES", 20)
    monkeypatch.setattr(checkpoints, "MAX_FILES", 12)
    with pytest.raises(InputError, match="matches more than 12 checkpoints"):
        read(checkpoints="*/*.npz")


def digits(folder: Path) -> None:
    """Write checkpoints of one of our own networks, which needs no third-party code."""
    network = optiviz.load_surface("digits-race").origin.space  # type: ignore[union-attr]
    folder.mkdir()
    for step in range(2):
        x = network.initial + np.cos((1 + step) * np.arange(len(network.initial)))
        np.savez(folder / f"{step}.npz", **{part.name: part.of(x) for part in network.parts})


@pytest.mark.parametrize(
    "written", ["/**/*.npz", "../*.npz", "a/**/*.npz", "~/*.npz", {"files": ["b/../*.npz:c"]}]
)
def test_patterns_in_files_of_others_stay_here(
    here: Path, written: Any, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "_matching", lambda text: pytest.fail(f"searched {text}"))
    job = {"surface": "digits-race", "plane": "path", "checkpoints": written}
    Path("one.yaml").write_text(json.dumps(job))
    Path("all.yaml").write_text(json.dumps({"jobs": [job | {"out": "a.csv"}]}))
    for words in (["run", "--recipe", "one.yaml", "-o", "a.csv"], ["batch", "all.yaml"]):
        result = invoke(*words)
        assert result.exit_code == 2 and "may search the whole disk" in result.stderr
        assert result.stderr.count("\n") == 1


def test_a_pattern_in_a_yaml_file(here: Path, invoke: Invoke) -> None:
    digits(Path("run"))
    job = {"surface": "digits-race", "plane": "path", "checkpoints": "run/*.npz"}
    Path("one.yaml").write_text(json.dumps(job))
    result = invoke("run", "--recipe", "one.yaml", "-q", "-o", "a.json")
    assert result.exit_code == 0, result.stderr
    far = str(here / "run" / "*.npz")
    result = invoke("run", "--recipe", "one.yaml", "-q", "-o", "b.csv", "--checkpoints", far)
    assert result.exit_code == 0, result.stderr


def test_inspect_reads_no_checkpoints(here: Path, invoke: Invoke) -> None:
    digits(Path("run"))
    words = ["--surface", "digits-race", "--plane", "through:start,run/0.npz,run/1.npz"]
    words += ["--checkpoints", "run/*.npz"]
    assert invoke("run", *words, "--resolution", "11", "-q", "-o", "a.json").exit_code == 0
    rmtree("run")
    result = invoke("inspect", "a.json")
    assert result.exit_code == 0, result.stderr
    assert "--checkpoints 'run/*.npz'" in result.stdout and "through:start,run/0" in result.stdout
    for key, value in (("checkpoints", "run/*.npz"), ("plane", "between:run/0.npz,run/1.npz")):
        Path("one.yaml").write_text(json.dumps({"surface": "digits-race", key: value}))
        result = invoke("inspect", "one.yaml")
        assert result.exit_code == 2 and "would be read: allow it with" in result.stderr
        content = json.loads(Path("a.json").read_text())
        content["recipe"][key] = value
        Path("b.json").write_text(json.dumps(content))
        assert "its recipe names another file" in invoke("inspect", "b.json").stderr


def test_a_start_on_a_line_of_a_model(training: Any, invoke: Invoke) -> None:
    words = ["run", "--surface", "m.py:problem", "--plane", "between:run/step0.npz,run/step90.npz"]
    said = invoke(*words, "--opt", "sgd:lr=0.1", "--start", "0.5,0.5", "-o", "a.csv").stderr
    assert "0.5, 0.5 has 2 coordinates, but the line has 1" in said, said
    with pytest.raises(InputError, match=r"or Surface\(model=\.\.\., plane=\.\.\.\)"):
        Recipe(surface="m.py:problem", plane="path")


def test_every_without_checkpoints(training: Any) -> None:
    with pytest.raises(InputError, match="every: needs checkpoints, but there are none"):
        read(optimizers="sgd:lr=0.01", every=2).make_scene()


def test_a_training_that_diverges(training: Any) -> None:
    np.savez("run/step130.npz", x=np.full(5, np.inf))
    scene = read(checkpoints="run/*.npz").make_scene()
    assert any("training diverged at step 130" in each for each in scene.remarks)


def test_memory_is_bounded(training: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "MAX_BYTES", 8 * 5 * 6)
    with pytest.raises(InputError, match="13 checkpoints of 5 parameters take too much memory"):
        read(checkpoints="run/*.npz").make_scene()
    with pytest.raises(InputError, match="keep fewer, with --every 3"):
        read(checkpoints="run/*.npz").make_scene()
    assert len(read(checkpoints="run/*.npz", every=3).make_scene().trajectories[0].points) == 5


def test_our_own_network(here: Path) -> None:
    network = optiviz.load_surface("digits-race").origin.space  # type: ignore[union-attr]
    slope = network.network.gradient(network.initial)
    for step in range(3):
        x = network.initial - 0.5 * step * slope
        np.savez(f"{step}.npz", **{part.name: part.of(x) for part in network.parts})
    recipe = Recipe(surface="digits-race", checkpoints="*.npz", optimizers="sgd:lr=0.5", steps=2)
    sgd, training = recipe.make_scene().trajectories
    np.testing.assert_allclose(training.losses[:2], sgd.losses[:2], rtol=1e-12)
    assert training.accuracy == network.accuracy(x)


@pytest.mark.sample(1)
@pytest.mark.parametrize("view", ["contour+loss", "relief"])
def test_views_and_formats(training: Any, view: str, invoke: Invoke) -> None:
    words = [*WORDS, "run/*.npz", "--every", "4", "--view", view, "--size", "240x160", "--preview"]
    suffixes = ["gif", "csv", *(["html"] * (view != "relief"))]  # a page replays on flat ground
    result = invoke(*words, *(word for each in suffixes for word in ("-o", f"a.{each}")))
    assert result.exit_code == 0, result.stderr
    for suffix in suffixes:
        assert "label: training" in invoke("inspect", f"a.{suffix}").stdout


@pytest.mark.torch
def test_a_torch_model_with_its_buffers(here: Path) -> None:
    torch = pytest.importorskip("torch")
    nn, inputs = torch.nn, torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    targets = (inputs.sum(1) > 0).long()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2))
    problem = optiviz.TorchProblem(model, nn.CrossEntropyLoss(), (inputs, targets))
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=0.5), []
    with optiviz.record(model, "run.npz") as recording:
        for step in range(6):
            if step % 2 == 0:
                model.eval()
                with torch.no_grad():
                    losses.append(float(nn.functional.cross_entropy(model(inputs), targets)))
                torch.save({"model": model.state_dict(), "epoch": step}, f"e{step}.pt")
                model.train()
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(inputs), targets)
            loss.backward()
            optimizer.step()
            recording.step(loss)
    fields = {"surface": problem, "plane": "path"}
    scene = read(**fields, checkpoints=["e*.pt", "run.npz:recorded"]).make_scene()
    saved, recorded = scene.trajectories
    np.testing.assert_allclose(saved.losses[::2], losses, rtol=1e-6)
    np.testing.assert_allclose(recorded.losses[:5:2], losses, rtol=1e-6)
    assert any(
        "recorded: recorded losses, perhaps of batches, differ" in each for each in scene.remarks
    )
