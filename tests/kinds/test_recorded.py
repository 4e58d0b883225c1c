"""Tracks: recorded paths in recipes and scenes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Invoke

import optiviz
from optiviz import InputError, Recipe, Trajectory
from optiviz.kinds.base import to_dict
from optiviz.kinds.run_scene import RunScene
from optiviz.kinds.tracks import MAX_GIVEN, MAX_HELD
from optiviz.recipes.reading import read_recipe
from optiviz.rendering.api import load_jobs, load_recipe, render
from optiviz.system.text import key_path

SPIRAL = np.array([[2 * 0.9**k * np.cos(k), 2 * 0.9**k * np.sin(k)] for k in range(40)])
WOBBLY = optiviz.load_surface("wobbly")
LOSSES = [float(WOBBLY.value(point)) for point in SPIRAL]


def recorded(**given: Any) -> Trajectory:
    return Trajectory.of(**{"points": SPIRAL, "label": "spiral"} | given)


def scene(*tracks: Any, **fields: Any) -> RunScene:
    return Recipe(**{"surface": "wobbly", "tracks": tracks} | fields).make_scene()


def read(**fields: Any) -> Any:
    return read_recipe({"surface": "wobbly", **fields}, key_path)


def test_losses_that_nobody_recorded_are_those_of_the_surface() -> None:
    (path,) = scene(recorded()).trajectories
    assert path.losses.tolist() == LOSSES
    np.testing.assert_array_equal(path.points, SPIRAL)
    assert path.label == "spiral"


def test_recorded_losses_are_kept_and_compared() -> None:
    shifted = np.add(LOSSES, 0.5)
    shown = scene(recorded(losses=shifted), recorded(losses=LOSSES, label="other"))
    assert shown.trajectories[0].losses.tolist() == shifted.tolist()
    said = "spiral: recorded losses differ from the surface's by up to 0.5"
    assert said in shown.remarks
    assert not any("other" in each and "differ" in each for each in shown.remarks)
    close = np.multiply(LOSSES, 1 + 1e-8)
    assert scene(recorded(losses=close)).entries[0].notes == ()


def test_a_descent_is_the_same_as_a_track() -> None:
    path = optiviz.descend("wobbly", "adam")
    with_losses, without = scene(path, Trajectory.of(path.points)).trajectories
    np.testing.assert_array_equal(with_losses.losses, path.losses)
    np.testing.assert_array_equal(without.losses, path.losses)


def test_tracks_come_after_optimizers() -> None:
    shown = scene(recorded(), recorded(), optimizers="adam,sgd", steps=10)
    assert [entry.label for entry in shown.entries] == ["adam", "sgd", "spiral", "spiral (2)"]
    assert [entry.number for entry in shown.entries] == [0, 1, 2, 3]
    assert [entry.detail for entry in shown.entries[2:]] == ["recorded", "recorded"]
    assert shown.steps == 39 and shown.entries[0].steps == 10
    assert len(shown.starts) == 2 and len(shown.common_starts) == 1


def test_the_picture_lasts_as_long_as_its_longest_path() -> None:
    sparse = recorded(steps=range(0, 400, 10))
    assert Recipe(surface="wobbly", tracks=[sparse]).last_step == 390
    for steps, last in [(20, 390), (1000, 1000)]:
        recipe = Recipe(surface="wobbly", optimizers="adam", tracks=[sparse], steps=steps)
        assert recipe.last_step == recipe.make_scene().steps == last
        assert recipe.timeline.steps[-1] == last
        assert recipe.make_scene().entries[0].steps == steps


def test_conditions_are_varied_beside_a_track() -> None:
    shown = scene(recorded(), optimizers="adam", vary="steps=20,60", random_starts=3)
    assert [len(entry.trajectories) for entry in shown.entries] == [3, 3, 1]
    assert len(shown.starts) == 4


def test_numbers_are_those_that_were_recorded(tmp_path: Path) -> None:
    steps = np.arange(0, 80, 2)
    recipe = Recipe(surface="wobbly", tracks=[recorded(losses=LOSSES, steps=steps)])
    render(recipe, [tmp_path / "a.json", tmp_path / "a.csv"])
    (told,) = json.loads((tmp_path / "a.json").read_text())["trajectories"]
    assert told["path"] == SPIRAL.tolist() and told["path_steps"] == steps.tolist()
    assert told["loss"][::2] == LOSSES and set(told["loss"][1::2]) == {None}
    assert told["optimizer"] is None and told["hyperparameters"] == {}
    # What we write, we read.
    (again,) = scene(tmp_path / "a.csv").trajectories
    assert again.label == "spiral"
    np.testing.assert_array_equal(again.points, SPIRAL)
    np.testing.assert_array_equal(again.step_of_row, steps)
    np.testing.assert_array_equal(again.losses[::2], LOSSES)


def test_a_file_of_ours_has_a_track_for_every_path(here: Path) -> None:
    render(Recipe(surface="wobbly", optimizers="adam,sgd:lr=9", steps=9, random_starts=2), "a.csv")
    labels = [track.label for track in read(tracks="a.csv").tracks]
    assert labels == ["adam", "adam (2)", "sgd", "sgd (2)"]
    (track,) = read(tracks=["a.csv:adam (2)"]).tracks
    assert track.label == "adam (2)"
    with pytest.raises(InputError, match="unknown label 'adm': did you mean 'adam'?"):
        read(tracks=["a.csv:adm"])


def write(rows: int, name: str = "run.csv") -> None:
    lines = [f"{k},{np.cos(k):.17g},{k / rows:.17g}" for k in range(rows)]
    Path(name).write_text("step,x,y\n" + "\n".join(lines) + "\n")


@pytest.mark.sample(1)
@pytest.mark.parametrize("rows", [20, MAX_HELD])
def test_a_recipe_makes_the_same_picture_again(rows: int, here: Path, invoke: Invoke) -> None:
    write(rows)
    words = ["--surface", "wobbly", "--track", "run.csv:mine", "--opt", "adam:lr=0.1", "-q"]
    assert invoke("run", *words, "--steps", "5", "-o", "a.png", "-o", "a.json").exit_code == 0
    (track,) = load_recipe("a.png").tracks
    held = rows < MAX_HELD
    assert (track.file, track.sha256 is None) == ((None, True) if held else ("run.csv", False))
    if held:
        Path("run.csv").unlink()
    assert invoke("run", "--recipe", "a.json", "-q", "-o", "b.png").exit_code == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    said = invoke("inspect", "a.png").stdout
    assert ("--track run.csv:mine" in said) == (not held)
    Path("recipe.yaml").write_text(said)
    assert invoke("run", "--recipe", "recipe.yaml", "-q", "-o", "c.png").exit_code == 0
    assert Path("a.png").read_bytes() == Path("c.png").read_bytes()


def test_a_file_that_has_changed_is_told(here: Path, invoke: Invoke) -> None:
    write(MAX_HELD)
    recipe = Recipe(surface="wobbly", tracks="run.csv", view="contour")
    recipe.make_scene()
    write(MAX_HELD - 1)
    with pytest.raises(InputError, match=r"run\.csv has changed .*: to use the new version, pass"):
        recipe.make_scene()


def test_all_ways_to_write_a_track(here: Path) -> None:
    write(3)
    points = [[1, 0], [np.cos(1), 1 / 3], [np.cos(2), 2 / 3]]
    ways: list[Any] = [
        "run.csv", Path("run.csv"), ["run.csv"], {"file": "run.csv"}, [{"file": Path("run.csv")}],
        [{"label": "run", "points": points}], [{"label": "run", "points": points, "steps": None}],
        Trajectory.of(points, label="run"),
    ]  # fmt: skip
    (track,) = read(tracks="run.csv").tracks
    for way in ways:
        assert Recipe(surface="wobbly", tracks=way).tracks == (track,)
    assert read(tracks=[{"file": "run.csv", "label": "mine"}]).tracks[0].label == "mine"
    assert hash(track) == hash(read(tracks="run.csv").tracks[0])


def test_a_path_that_ends_early_is_kept(tmp_path: Path) -> None:
    recipe = Recipe(surface="wobbly", tracks=[recorded(points=[*SPIRAL[:3], [np.inf, 0]])])
    render(recipe, tmp_path / "a.json")
    again = load_recipe(tmp_path / "a.json")
    assert again == recipe
    assert again.make_scene().trajectories[0].ending == "diverged at step 3"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "optimizers: required, but missing"),
        ({"tracks": []}, "optimizers: required, but missing"),
        ({"tracks": 3}, r"tracks: must be a file or optiviz\.Trajectory\.of\(points\), not 3"),
        ({"tracks": SPIRAL}, r"tracks: must be a file or optiviz\.Trajectory\.of"),
        ({"tracks": [{}]}, "tracks.0.label: required, but missing"),
        ({"tracks": [{"label": "a"}]}, "tracks.0: must have points or a file"),
        ({"tracks": [{"file": "run.csv", "label": 3}]}, "tracks: a label must be text, not 3"),
        ({"tracks": [{"file": "run.csv", "label": "a", "labl": "b"}]}, "unknown key 'labl': did "),
        ({"tracks": [{"file": "no.csv"}]}, "tracks: no.csv: no such file"),
        ({"tracks": [{"label": "a", "sha256": "0"}]}, "tracks.0.sha256: "),
        ({"tracks": [{"label": "a", "file": "run.csv", "sha256": "0" * 64, "steps": [1]}]},
         "tracks.0: must have either points or a file and its sha256"),
        ({"tracks": [{"label": "a", "points": [[1, 2], [3]]}]}, "a: points must have equally many"),
        ({"tracks": [{"label": "a", "points": [[1, True]]}]}, "must be a number, not true"),
        ({"tracks": [{"label": "", "points": [[1, 2], [3, 4]]}]}, "label: must have from 1 to 200"),
        ({"tracks": [{"label": "a", "points": [[1, 2], [1, 2]]}]}, "all 2 points are the same"),
        ({"tracks": [{"label": "a", "points": [[k] for k in range(20_001)]}]}, "a recipe can"),
        ({"tracks": Trajectory.of(np.arange(MAX_GIVEN + 1.0), "big")}, "big: a recipe can"),
        ({"tracks": ["run.csv"] * 101}, "tracks: at most 100 values are allowed, not 101"),
    ],
)  # fmt: skip
def test_what_is_no_track_is_told(fields: dict[str, Any], said: str, here: Path) -> None:
    write(3)
    with pytest.raises(InputError, match=said) as told:
        read(**fields)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"surface": "cosine"}, "spiral: has 2 coordinates, but cosine is descended in 1"),
        (
            {"tracks": {"label": "a", "points": [[1, 2], [3, 4]], "variables": ["w", "lss"]}},
            "a: unknown column 'w': the columns must be x, y, step and loss",
        ),
        ({"surface": "spirals"}, "spiral: has 2 coordinates, but spirals is descended in 354"),
        ({"surface": {"formula": "log(x) + y", "domain": "1:2,1:2"}},
         "spiral: the loss of step 2 is not finite, but later ones are"),
        ({"steps": 9}, "steps: needs an optimizer, but all paths are recorded"),
        ({"starts": [[1, 2]]}, "starts: needs an optimizer"),
        ({"noise": 1}, "noise: needs an optimizer"),
        ({"lr": 1}, "lr: needs an optimizer"),
        ({"tune": "lr"}, "tune: needs an optimizer"),
        ({"pace": "fast"}, "pace: needs an optimizer"),
    ],
)  # fmt: skip
def test_what_does_not_fit_a_track_is_told(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        scene(recorded(), **fields)


def test_a_network_projects_a_track_as_it_does_its_own_paths(here: Path) -> None:
    own = Recipe(surface="spirals", optimizers="adam:lr=0.05", steps=20)
    (path,) = own.full_trajectories()
    assert path.points.shape[1] == 354
    known = Trajectory.of(path.points, steps=path.step_of_row)
    (descended,) = own.make_scene().trajectories
    np.savez("run.npz", points=known.points, step=known.step_of_row)
    (shown,) = scene("run.npz", surface="spirals").trajectories
    np.testing.assert_allclose(shown.points, descended.points, atol=1e-9)
    np.testing.assert_allclose(shown.losses, descended.losses, rtol=1e-12)
    assert shown.accuracy == descended.accuracy


def test_batches_have_tracks(here: Path) -> None:
    write(3)
    jobs = """
    defaults: {surface: wobbly, size: 240x160}
    jobs:
      - {tracks: run.csv, out: a.json}
      - {tracks: [run.csv, {file: run.csv, label: b}], optimizers: adam, steps: 3, out: b.json}
      - {tracks: no.csv, out: c.json}
      - {tracks: run.csv, out: run.csv}
    """
    Path("jobs.yaml").write_text(jobs)
    with pytest.raises(InputError) as told:
        load_jobs("jobs.yaml")
    assert str(told.value).splitlines() == [
        "jobs.yaml:6:10: jobs.2.tracks: no.csv: no such file",
        "jobs.yaml:7:27: jobs.3.out: run.csv is an input file: write to another file",
    ]
    Path("jobs.yaml").write_text("\n".join(jobs.splitlines()[:-3]))
    results = optiviz.batch(load_jobs("jobs.yaml"))
    assert [result.status for result in results] == ["made", "made"]
    again = optiviz.batch(load_jobs("jobs.yaml"))
    assert [result.status for result in again] == ["up to date"] * 2


def test_a_picture_of_a_stranger_names_no_file(here: Path, invoke: Invoke) -> None:
    write(3)
    told = {"recipe": {"surface": "wobbly", "tracks": ["run.csv"]}, "versions": {}}
    Path("a.json").write_text(json.dumps(told))
    result = invoke("run", "--recipe", "a.json", "-o", "b.png")
    assert (result.exit_code, Path("b.png").exists()) == (2, False)
    assert "its recipe names another file, so optiviz did not write it" in result.stderr


def test_the_default_file_is_named_after_the_tracks() -> None:
    recipe = Recipe(surface="wobbly", optimizers="adam", tracks=[recorded(label="my run/2")])
    assert recipe.file_stem == "wobbly-adam-my-run-2"


def test_a_recipe_is_the_same_from_its_own_values() -> None:
    recipe = Recipe(surface="wobbly", tracks=[recorded(losses=LOSSES, steps=range(1, 41))])
    assert read_recipe(to_dict(recipe), key_path) == recipe
