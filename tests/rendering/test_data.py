"""JSON and CSV, as a program reads them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLED, SHAPED, fitting_surface

import optiviz
from optiviz.kinds.run import Recipe
from optiviz.registry import OPTIMIZERS


def test_json_has_the_recipe_and_every_number_in_full(tmp_path: Path) -> None:
    recipe = Recipe(surface="wobbly", optimizers="adam,sgd:lr=0.1:label=plain", steps=20)
    scene = optiviz.render(recipe, [tmp_path / "x.json"])
    record = json.loads((tmp_path / "x.json").read_text())
    assert Recipe.model_validate(record["recipe"]) == recipe
    adam, plain = record["trajectories"]
    assert list(adam) == [
        "label", "optimizer", "hyperparameters", "lr_source", "start", "path", "loss",
        "diverged_at", "no_gradient_at", "stopped_at",
    ]  # fmt: skip
    assert (plain["label"], plain["optimizer"]) == ("plain", "sgd")
    assert plain["hyperparameters"] == {"lr": 0.1, "weight_decay": 0.0}
    assert adam["hyperparameters"]["lr"] == 0.25
    assert adam["start"] == [-2.8, -2.5]
    assert adam["diverged_at"] is None
    for written, path in zip(record["trajectories"], scene.trajectories, strict=True):
        np.testing.assert_array_equal(written["path"], path.points)
        np.testing.assert_array_equal(written["loss"], path.losses)


def test_what_is_not_finite_is_null(tmp_path: Path) -> None:
    recipe = Recipe(surface="beale", optimizers="sgd:lr=10", steps=50)
    (path,) = optiviz.render(recipe, [tmp_path / "x.json"]).trajectories
    text = (tmp_path / "x.json").read_text()
    assert "NaN" not in text and "Infinity" not in text
    (written,) = json.loads(text)["trajectories"]
    end = written["diverged_at"]
    assert end == path.diverged_at
    assert len(written["path"]) == len(written["loss"]) == 51
    assert written["loss"][end - 1] == path.losses[end - 1]
    assert written["loss"][end:] == [None] * (51 - end)
    assert written["path"][end + 1 :] == [[None, None]] * (50 - end)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_is_written_with_all_its_hyperparameters(name: str, tmp_path: Path) -> None:
    batch = 16 if name in SAMPLED else None
    surface = fitting_surface(name, optiviz.load_surface("bowl"))
    if batch or name in SHAPED:
        surface = "spirals" if batch else "linear-layer"
    recipe = Recipe(surface=surface, optimizers=name, steps=2, batch_size=batch)
    (path,) = optiviz.render(recipe, [tmp_path / "x.json"]).trajectories
    (written,) = json.loads((tmp_path / "x.json").read_text())["trajectories"]
    assert written["hyperparameters"] == path.optimizer.hyperparameters()


def test_an_own_surface_is_embedded(tmp_path: Path) -> None:
    own = optiviz.Surface(formula="x**2 + y", domain="-1:1,-1:1", learning_rates={"sgd": 0.5})
    recipe = Recipe(surface=own, optimizers="sgd", steps=2)
    optiviz.render(recipe, [tmp_path / "x.json"])
    assert Recipe.model_validate(json.loads((tmp_path / "x.json").read_text())["recipe"]) == recipe


@pytest.mark.parametrize("surface", ["wobbly", "parabola"])
def test_csv_has_a_row_per_optimizer_start_and_step(surface: str, tmp_path: Path) -> None:
    recipe = Recipe(surface=surface, optimizers="adam,sgd:lr=0.1", steps=5, random_starts=2)
    scene = optiviz.render(recipe, [tmp_path / "x.csv"])
    rows = list(csv.DictReader((tmp_path / "x.csv").read_text().splitlines()[1:]))
    axes = "xy"[: scene.surface.dim]
    assert list(rows[0]) == ["label", "optimizer", "start", "step", *axes, "loss"]
    assert len(rows) == 2 * 2 * 6
    for number, path in enumerate(scene.trajectories):
        own = rows[6 * number : 6 * number + 6]
        assert {row["start"] for row in own} == {str(number % 2)}
        assert [int(row["step"]) for row in own] == list(range(6))
        points = [[float(row[axis]) for axis in axes] for row in own]
        np.testing.assert_array_equal(points, path.points)


def test_csv_has_the_losses_of_all_samples_where_batches_are_descended(tmp_path: Path) -> None:
    network = {"hidden": [3], "data": "blobs", "samples": 60}
    recipe = optiviz.Recipe(
        surface={"network": network, "plane": "random"},
        optimizers="sgd:lr=0.5", steps=6, batch_size=5,
    )  # fmt: skip
    scene = optiviz.render(recipe, [tmp_path / "x.csv"])
    rows = list(csv.DictReader((tmp_path / "x.csv").read_text().splitlines()[1:]))
    (path,) = scene.trajectories
    np.testing.assert_array_equal([float(row["loss"]) for row in rows], path.true_losses_by_step)
    assert (path.true_losses_by_step != path.losses).any()


def test_csv_leaves_empty_what_is_not_finite(tmp_path: Path) -> None:
    recipe = Recipe(surface="beale", optimizers="sgd:lr=10", steps=50)
    optiviz.render(recipe, [tmp_path / "x.csv"])
    assert (tmp_path / "x.csv").read_text().splitlines()[-1] == "sgd,sgd,0,50,,,"
