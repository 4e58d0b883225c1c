"""Where each start of a grid ends, and after how many steps."""

import csv
import json
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from conftest import Invoke
from pictures import assert_tidy, shown

import optiviz
from optiviz.descent import basins
from optiviz.descent.basins import map_basins, start_grid
from optiviz.descent.walk import descend
from optiviz.kinds.basins import BasinsRecipe, BasinsScene
from optiviz.optimizers.spec import parse_spec
from optiviz.rendering.render import make_picture
from optiviz.surfaces.surface import Surface

HILLS = optiviz.load_surface("hills-and-canyon")


def mapped(surface: Surface, word: str, sides: tuple[int, int] = (9, 7), steps: int = 60):  # type: ignore[no-untyped-def]
    place = start_grid(surface, surface, sides, steps)
    minima, (found,) = map_basins([parse_spec(word).build()], place)
    return place, minima, found


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "word", ["adam:lr=0.25", "momentum:lr=0.05", "lookahead+sgd:lr=0.05", "bfgs"]
)
@pytest.mark.parametrize("block", [64, 16_384])
def test_each_cell_is_what_its_own_descent_says(
    word: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(basins, "MAX_BLOCK", block)
    monkeypatch.setattr(basins, "MIN_BLOCK", min(block, 64))
    place, minima, found = mapped(HILLS, word)
    assert found.reached.shape == (7, 9)
    radius = 0.01 * np.hypot(6, 6)
    assert place.surface.minimum_radius == pytest.approx(radius)
    optimizer = parse_spec(word).build()
    for start, reached, arrived in zip(
        place.starts, found.reached.ravel(), found.arrived.ravel(), strict=True
    ):
        path = descend(HILLS, optimizer, start, 60).points
        apart = np.linalg.norm(path[-1] - minima, axis=1)
        if apart.min() > radius:
            assert (reached, arrived) == (-1, -1)
            continue
        assert reached == apart.argmin()
        outside = np.flatnonzero(np.linalg.norm(path - minima[reached], axis=1) > radius)
        assert arrived == (outside.max() + 1 if outside.size else 0)


def test_minima_that_nobody_lists_are_found_and_saddles_are_not() -> None:
    bare = HILLS.model_copy(update={"minima": ()})
    _, minima, found = mapped(bare, "adam:lr=0.25", (40, 40), 200)
    listed = np.array(HILLS.minima)
    for point in minima:
        assert np.linalg.norm(listed - point, axis=1).min() < 1e-4
    _, known, same = mapped(HILLS, "adam:lr=0.25", (40, 40), 200)
    np.testing.assert_allclose(minima[found.reached], known[same.reached], atol=1e-4)
    np.testing.assert_array_equal(found.arrived, same.arrived)
    saddle = Surface(formula="x**2 - y**2 + y**4", domain="-2:2,-2:2")
    _, minima, _ = mapped(saddle, "newton", (31, 31))
    assert sorted(minima[:, 1]) == pytest.approx([-(0.5**0.5), 0.5**0.5], abs=1e-6)


def test_minima_on_the_edge_of_constraints_are_found() -> None:
    saddle = Surface(formula="x**2 - y**2", domain="-2:2,-2:2", bounds="-1:1,:1")
    _, minima, found = mapped(saddle, "projected-gradient:lr=0.1", (8, 8))
    assert minima == pytest.approx(np.array([[0, 1]]), abs=1e-6)  # no minimum at y -> -inf
    assert (found.reached == 0).mean() == 0.5
    level = Surface(formula="x**2 + y**2", domain="-2:2,-2:2", constraints=("x**2 + y**2 >= 1",))
    assert not len(mapped(level, "projected-gradient:lr=0.1", (8, 8))[1])


def test_what_reaches_none_or_leaves_is_nowhere() -> None:
    slope = Surface(formula="x + y", domain="-1:1,-1:1")
    _, minima, found = mapped(slope, "sgd:lr=0.1")
    assert len(minima) == 0
    assert (found.reached == -1).all()
    bowl = optiviz.load_surface("bowl")
    _, _, found = mapped(bowl, "sgd:lr=1000", (8, 6))
    assert (found.arrived == -1).all()
    assert found.share(60) == 0


def test_its_frames_are_the_grid_after_so_many_steps() -> None:
    recipe = BasinsRecipe(
        surface="hills-and-canyon", optimizers="adam:lr=0.25,sgd:lr=0.1", grid=(20, 10), steps=40
    )
    drawn = make_picture(recipe)
    scene = drawn.scene
    assert isinstance(scene, BasinsScene)
    images = [axes.images[0] for axes in drawn.figure.axes if axes.images]
    for step in (0, 15, 40):
        drawn.update(step)
        for entry, image in zip(scene.entries, images, strict=True):
            picture = np.asarray(image.get_array())
            arrived = entry.basins.arrived
            there = (arrived >= 0) & (arrived <= step)
            nowhere = np.unique(picture[~there].reshape(-1, 3), axis=0)
            assert len(nowhere) <= 1
            assert not (picture[there][:, None] == nowhere).all(axis=-1).any()
            share = f"{entry.basins.share(step):.1%}"
            assert share in [text.get_text() for text in shown(drawn)]


@pytest.mark.sample(1)
@pytest.mark.parametrize("size", [(480, 320), (960, 640)])
@pytest.mark.parametrize("optimizers", ["adam:lr=0.25", "adam,momentum,sgd,newton"])
def test_the_picture_is_tidy(optimizers: str, size: tuple[int, int]) -> None:
    recipe = BasinsRecipe(surface="himmelblau", optimizers=optimizers, grid=(12, 12), size=size)
    drawn = make_picture(recipe)
    assert_tidy(drawn)
    assert {"minimum", "brighter: sooner", "none"} <= {text.get_text() for text in shown(drawn)}


def test_rates_are_tuned_from_all_over_the_window() -> None:
    recipe = BasinsRecipe(surface="himmelblau", optimizers="sgd", grid=(4, 4), steps=30)
    scene = recipe.make_scene()
    (entry,) = scene.entries
    assert entry.configured.source == "tuned"
    lr = entry.configured.optimizer.hyperparameters()["lr"]
    place = start_grid(optiviz.load_surface("himmelblau"), scene.surface, (3, 3), 30)
    for start in place.starts:
        assert (
            descend(scene.surface, parse_spec(f"sgd:lr={lr}").build(), start, 30).ended_at is None
        )


@pytest.mark.slow
def test_files_and_numbers(invoke: Invoke, here: Path) -> None:
    words = ("basins", "--surface", "hills-and-canyon", "--opt", "adam,sgd", "--grid", "8x6")
    outs = ("-o", "a.gif", "-o", "a.json", "-o", "a.csv", "-o", "a.png")
    result = invoke(*words, *outs, "--steps", "12", "--size", "480x320")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "median step" in result.stdout
    assert len(iio.imread(here / "a.gif", index=None)) >= 13
    record = json.loads((here / "a.json").read_text())
    assert len(record["minima"]) == len(HILLS.minima)
    adam, _ = record["basins"]
    assert np.shape(adam["reached"]) == (6, 8)
    rows = list(csv.DictReader((here / "a.csv").read_text().splitlines()[1:]))
    assert len(rows) == 2 * 48
    told = [None if row["minimum"] == "" else int(row["minimum"]) for row in rows[:48]]
    assert told == [each for row in adam["reached"] for each in row]
    cells = [(int(row["row"]), int(row["column"])) for row in rows[:48]]
    assert cells == [*np.ndindex(6, 8)]
    assert invoke("run", "--recipe", "a.gif", "-o", "b.gif").exit_code == 0
    assert (here / "a.gif").read_bytes() == (here / "b.gif").read_bytes()


def test_what_settles_sooner_is_brighter() -> None:
    recipe = BasinsRecipe(surface="hills-and-canyon", optimizers="adam", grid=(12, 12), steps=60)
    drawn = make_picture(recipe)
    view = drawn.cells[0].view
    basins, colors = view.entry.basins, view.colors.mean(axis=-1)
    for minimum in range(len(drawn.scene.minima)):
        here = basins.reached == minimum
        order = np.argsort(basins.arrived[here], kind="stable")
        assert (np.diff(colors[here][order]) <= 1e-12).all()
        assert np.ptp(colors[here]) > 0.1 or here.sum() < 12


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--surface", "parabola"), "basins need two dimensions, but parabola is descended in"),
        (("--surface", "spirals"), "but spirals is descended in many dimensions"),
        (("--surface", "bowl", "--grid", "1x1"), "--grid: must be between 2x2 and 2048x2048, not"),
        (("--surface", "bowl", "--start", "1,1"), "unknown option '--start'"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(
    words: tuple[str, ...], said: str, invoke: Invoke
) -> None:
    result = invoke("basins", "--opt", "sgd", *words)
    assert result.exit_code == 2
    assert said in result.stderr
