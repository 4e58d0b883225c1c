"""The search for hyperparameters is fair, reproducible, and reported correctly."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Invoke
from hypothesis import given
from hypothesis import strategies as st
from pictures import assert_tidy, shown

import optiviz
from optiviz import Surface
from optiviz.descent.search import (
    Range,
    SearchResult,
    SearchSetup,
    check_ranges,
    global_minima,
    search,
)
from optiviz.descent.walk import descend
from optiviz.kinds.run import Recipe
from optiviz.kinds.run_scene import RunScene
from optiviz.kinds.tune import TuneRecipe, TuneScene
from optiviz.optimizers.spec import parse_spec
from optiviz.rendering.render import make_picture
from optiviz.system.errors import InputError
from optiviz.system.text import counted

HILLS = optiviz.load_surface("hills-and-canyon")
STARTS = [np.array(each) for each in [(-2.0, 2.0), (1.0, -2.9), (2.5, 1.0)]]


def comparison(*ranges: str, trials: int = 12, seed: int = 0) -> SearchSetup:
    return SearchSetup(
        HILLS, HILLS, STARTS, 40, [Range.read(each) for each in ranges], trials, seed
    )


def tuned(**fields: object) -> TuneScene:
    words = {"surface": "wobbly", "optimizers": "adam,sgd", "trials": 9, "random_starts": 4}
    scene = TuneRecipe(**words | fields).make_scene()
    assert isinstance(scene, TuneScene)
    return scene


@pytest.mark.sample(1)
@pytest.mark.parametrize("word", ["adam", "sgd:lr=@cosine/40", "lookahead+momentum", "newton"])
def test_a_trial_is_what_descending_with_its_values_gives(word: str) -> None:
    found = search(parse_spec(word), comparison("lr"))
    for trial in (0, 5, 11):
        optimizer = found.at(trial).build()
        for start, loss in zip(STARTS, found.losses[trial], strict=True):
            path = descend(HILLS, optimizer, start, 40)
            low, high = np.transpose(HILLS.window.intervals)
            away = np.abs(path.end - (low + high) / 2).max() / (high - low).max()
            if path.ended_at is not None or away > 1:
                assert loss == np.inf
            else:
                assert loss == pytest.approx(path.losses[-1], rel=1e-9)


@pytest.mark.slow
def test_every_optimizer_gets_the_same_rates_starts_and_steps() -> None:
    scene = tuned(optimizers="adam,sgd,sam+sgd,newton")
    first, *others = (entry.search for entry in scene.entries)
    assert first.losses.shape == (9, 4)
    for other in others:
        np.testing.assert_array_equal(other.values["lr"], first.values["lr"])
        assert other.losses.shape == first.losses.shape


def test_the_best_is_the_lowest_median_and_is_what_is_told() -> None:
    scene = tuned()
    for entry in scene.entries:
        found = entry.search
        medians = np.sort(found.losses, axis=1)[:, 2]  # the upper median of four
        np.testing.assert_array_equal(found.medians, medians)
        assert found.medians[found.best] == medians.min()
        assert entry.values(0) == [medians.min()]
        assert entry.configured.optimizer.hyperparameters()["lr"] == found.values["lr"][found.best]
        assert "(tuned)" in entry.detail


@given(
    low=st.floats(1e-6, 1e3), factor=st.floats(1.01, 1e6), trials=st.integers(2, 300),
)  # fmt: skip
def test_trials_lie_in_their_range_and_are_spread_over_it(
    low: float, factor: float, trials: int
) -> None:
    (kind,) = [optiviz.optimizers.lookup.factory_of("adam")]
    found = Range("lr", (low, low * factor)).values(kind, np.linspace(0, 1, trials))
    assert (np.diff(found) >= 0).all()
    assert found[0] == pytest.approx(low, rel=1e-3)
    assert found[-1] == pytest.approx(low * factor, rel=1e-3)


def test_the_spread_is_the_middle_half() -> None:
    losses = np.array([[4.0, 0.0, 3.0, 1.0, 2.0], [np.inf, 5.0, 5.0, 5.0, np.inf]])
    found = SearchResult(parse_spec("sgd"), {}, losses, None)
    np.testing.assert_array_equal(found.spread, [[1.0, 5.0], [3.0, np.inf]])


def test_a_run_is_tuned_from_its_own_random_starts() -> None:
    fields = {"surface": "wobbly", "optimizers": "sgd", "tune": "lr", "steps": 5}
    for settings, starts in [({"random_starts": 3}, 3), ({"starts": [(1.0, 2.0)]}, 1), ({}, 25)]:
        (said,) = [each for each in Recipe(**fields, **settings).conditions() if "tuned" in each]
        assert f"of {counted(starts, 'start')}," in said


def test_several_are_sought_on_a_latin_hypercube_that_goes_by_the_seed() -> None:
    ranges = ("lr=0.01:1", "beta1=0.5:0.9")
    found = search(parse_spec("adam"), comparison(*ranges, trials=16))
    again = search(parse_spec("adam"), comparison(*ranges, trials=16))
    other = search(parse_spec("adam"), comparison(*ranges, trials=16, seed=1))
    np.testing.assert_array_equal(found.losses, again.losses)
    assert not np.array_equal(found.values["lr"], other.values["lr"])
    betas = np.sort(found.values["beta1"])
    np.testing.assert_allclose(betas, 0.5 + 0.4 * (np.arange(16) + 0.5) / 16, rtol=1e-3)


def test_shares_are_of_runs_that_end_at_a_global_minimum_or_nowhere() -> None:
    assert len(global_minima(optiviz.load_surface("himmelblau"))) == 4
    assert len(HILLS.minima) > len(global_minima(HILLS)) == 1
    found = search(parse_spec("sgd"), comparison("lr=1e-6:1000", trials=3))
    assert found.reached is not None
    assert not found.reached[0].any()  # too slow
    assert found.diverged[-1] == 1.0  # too fast
    assert np.isinf(found.medians[-1])


@pytest.mark.slow
def test_run_tune_uses_what_the_search_finds_and_says_so() -> None:
    recipe = Recipe(surface="wobbly", optimizers="adam,rmsprop:lr=0.1,newton", tune="lr", steps=30)
    run = recipe.make_scene()
    search = tuned(optimizers="adam,newton", steps=30, trials=256, random_starts=25)
    assert isinstance(run, RunScene)
    adam, rmsprop, newton = run.entries
    assert adam.configured.optimizer.lr == search.entries[0].configured.optimizer.lr
    assert newton.configured.optimizer.lr == search.entries[1].configured.optimizer.lr
    assert "(tuned)" in adam.detail
    assert rmsprop.detail == "lr 0.1"
    assert "lr tuned for the median final loss of 25 starts, 256 trials each" in run.caption


@pytest.mark.sample(1)
@pytest.mark.parametrize("size", [(480, 320), (960, 640)])
@pytest.mark.parametrize("over", ["lr", "lr,beta1", "beta1=0.1:0.9"])
def test_the_picture_is_tidy(over: str, size: tuple[int, int]) -> None:
    lr = "" if "lr" in over else ":lr=0.1"
    optimizers = f"adam{lr},nadam{lr}" + ("" if lr else ",bfgs")
    recipe = TuneRecipe(
        surface="wobbly", optimizers=optimizers, over=over, trials=30, size=size, random_starts=5
    )
    drawn = make_picture(recipe)
    assert_tidy(drawn)
    words = [text.get_text() for text in shown(drawn)]
    assert {"30 trials each", "final loss", over.partition("=")[0].split(",")[0]} <= set(words)
    axes = drawn.figure.axes[0]
    curves = {line.get_label(): line for line in axes.lines}
    for entry in drawn.scene.entries:
        losses = np.asarray(curves[entry.label].get_ydata(), float)
        low, high = axes.get_ylim()
        assert ((losses >= low) & (losses <= high) | np.isnan(losses)).all()


def test_the_formula_is_set_as_mathematics() -> None:
    surface = Surface(formula="x**2 + 3*y**2", domain="-1:1,-1:1")
    drawn = make_picture(TuneRecipe(surface=surface, optimizers="sgd", trials=3, steps=5))
    said = [text.get_text() for text in shown(drawn)]
    assert {"$x^{2}$", r"${} + 3\,y^{2}$"} <= set(said) and "x**2 + 3*y**2" not in said


def test_numbers_are_those_of_the_search(invoke: Invoke, here: Path) -> None:
    words = ("tune", "--surface", "wobbly", "--opt", "adam,bfgs", "--trials", "5", "--seed", "3")
    result = invoke(*words, "--start", "random:3", "-o", "a.json", "-o", "a.csv", "-o", "a.png")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "best of 5 trials each by the median final loss of 3 starts; seed 3" in result.stdout
    adam, bfgs = json.loads((here / "a.json").read_text())["searches"]
    assert adam["values"]["lr"] == [1e-4, 5.623e-3, 0.3162, 17.78, 1000]
    assert adam["best"]["lr"] in adam["values"]["lr"]
    assert adam["best"]["median_loss"] == min(filter(None, adam["median_loss"]))
    assert len(bfgs["loss"]) == 1
    lines = (here / "a.csv").read_text().splitlines()
    rows = list(csv.DictReader(lines[1:]))
    assert len(rows) == 5 * 3 + 3
    assert [row["lr"] for row in rows[:3]] == ["0.0001"] * 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--over", "rate"), "unknown hyperparameter 'rate'"),
        (("--over", "eps"), "eps has no default range: write eps=LOW:HIGH"),
        (("--over", "lr=2:1"), "is not a valid range: LOW must be below HIGH"),
        (("--over", "lr=a:b"), "is not a valid range: write lr=0.5:0.99"),
        (("--over", "lr,lr=1:2"), "names a hyperparameter twice"),
        (("--over", "lr,beta1=0.5:2"), "beta1 must lie in [0, 1), not 2"),
        (("--over", "lr,eps_in_sqrt"), "eps_in_sqrt cannot be tuned: it is not continuous"),
        (
            ("--opt", "smoothed-nesterov", "--over", "points=2:9"),
            "points cannot be tuned: it is not continuous",
        ),
        (("--trials", "1"), "--trials: "),
        (("-o", "a.gif"), "optiviz tune cannot write .gif files: choose"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(
    words: tuple[str, ...], said: str, invoke: Invoke, here: Path
) -> None:
    result = invoke("tune", "--surface", "wobbly", "--opt", "adam", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not list(here.iterdir())


def test_what_is_given_is_not_sought() -> None:
    with pytest.raises(InputError, match="adam: lr cannot be both set and tuned"):
        check_ranges([parse_spec("adam:lr=1")], [Range("lr")])


def test_a_network_is_tuned_from_its_own_weights() -> None:
    scene = tuned(surface="xor", optimizers="sgd", trials=4, steps=10, random_starts=None)
    (entry,) = scene.entries
    assert entry.search.losses.shape == (4, 1)
    assert entry.search.reached is None


def test_what_is_sought_beside_the_rate_is_shown_and_a_common_rate_counts() -> None:
    recipe = Recipe(
        surface="wobbly", optimizers="adam,newton", tune="beta1=0.5:0.9", lr=0.1, steps=9
    )
    run = recipe.make_scene()
    assert isinstance(run, RunScene)
    adam, newton = run.entries
    beta = adam.configured.optimizer.hyperparameters()["beta1"]
    assert adam.detail == f"lr 0.1  beta1 {beta:g} (tuned)"
    assert adam.configured.source == "given"
    assert newton.detail == "lr 0.1"
    alone = Recipe(surface="bowl", optimizers="newton", tune="damping=0:1", steps=5).make_scene()
    assert alone.entries[0].configured.source == "default"


def test_where_nothing_fits_that_is_said() -> None:
    scene = tuned(surface="bowl", optimizers="sgd", over="lr=500:1000", trials=3)
    assert scene.entries[0].configured.source == "none fits"
    assert scene.entries[0].detail.endswith("(none fits)")
    assert scene.remarks == ("sgd: half diverge in all trials",)


@pytest.mark.parametrize(
    ("word", "over"),
    [
        ("momentum", "momentum=0.1:0.9"),
        ("adam", "beta1"),
        ("lookahead+momentum", "dampening=0.1:0.9"),
        ("sgd,momentum", "momentum=0.1:0.9"),
        ("newton,momentum", "momentum=0.1:0.9"),
        ("sgd:lr=@cosine,adam", "beta2"),
    ],
)
def test_a_rate_that_is_neither_set_nor_tuned_is_that_of_a_run(word: str, over: str) -> None:
    starts = ((-1.0, 1.0), (2.0, 1.5))
    common = {"surface": "rosenbrock", "optimizers": word, "starts": starts, "steps": 30}
    drawn = Recipe(**common).make_scene()
    recipe = TuneRecipe(**common, over=over, trials=5)
    scene = recipe.make_scene()
    assert isinstance(drawn, RunScene) and isinstance(scene, TuneScene)
    tuned_first = []
    for entry, run in zip(scene.entries, drawn.entries, strict=True):
        rate = run.configured.optimizer.hyperparameters()["lr"]
        assert entry.configured.source == run.configured.source
        assert entry.configured.optimizer.hyperparameters()["lr"] == rate
        assert entry.settings[0].startswith(f"lr {rate:g}")
        assert entry.search.trials == (5 if entry.search.values else 1)
        tuned_first += [entry.label] if run.configured.source == "tuned" else []
    assert f"lr chosen before the trials: {', '.join(tuned_first)}" in scene.report(recipe).notes
