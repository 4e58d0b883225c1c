"""One optimizer under several conditions, with several schedules, and its learning rate drawn."""

import re
from typing import Any

import numpy as np
import pytest
from conftest import Invoke

import optiviz
from optiviz.rendering.render import make_picture
from optiviz.views.rate import rates_of


def run(vary: str | None, optimizer: str = "sgd:lr=0.05", **fields: Any) -> optiviz.Recipe:
    given = {"surface": "wobbly", "optimizers": optimizer, "steps": 12, "vary": vary}
    return optiviz.Recipe(**given | fields)


def headings(recipe: optiviz.Recipe) -> list[str]:
    return [entry.heading for entry in recipe.make_scene().entries]


def test_each_run_has_its_own_noise() -> None:
    made = run("noise=0,1,3")
    scene = made.make_scene()
    assert headings(made) == ["noise 0", "noise 1", "noise 3"]
    assert scene.conditions == ("sgd", "seed 0")
    for path, noise in zip(scene.trajectories, (0, 1, 3), strict=True):
        alone = run(None, noise=noise).make_scene().trajectories[0]
        np.testing.assert_array_equal(path.points, alone.points)


@pytest.mark.slow
def test_each_run_has_its_own_batches() -> None:
    made = run("batch-size=4,all", surface="spirals", steps=4)
    assert made.vary == "batch_size=4,all"
    scene = made.make_scene()
    assert headings(made) == ["batch size 4", "batch size all"]
    for path, size in zip(scene.trajectories, (4, None), strict=True):
        alone = run(None, surface="spirals", steps=4, batch_size=size).make_scene().trajectories[0]
        np.testing.assert_array_equal(path.losses, alone.losses)
    assert make_picture(made, scene).scene is scene


def test_each_run_has_its_own_number_of_steps() -> None:
    made = run("steps=3,7", "sgd:lr=0.05@cosine", steps=None)
    scene = made.make_scene()
    assert [path.steps for path in scene.trajectories] == [3, 7]
    assert (scene.steps, made.last_step, made.timeline.last) == (7, 7, 7)
    methods = [entry.configured.optimizer for entry in scene.entries]
    assert [each.hyperparameters()["schedule"] for each in methods] == ["cosine/3", "cosine/7"]
    short = scene.entries[0]
    assert short.values(7) == short.values(3)
    drawn = make_picture(made, scene)
    drawn.update(7)
    assert drawn.cells[0].view.path_artists[0].head.get_xydata()[0] == pytest.approx(
        scene.trajectories[0].end, abs=0.5
    )


def test_schedules_are_values_of_a_learning_rate() -> None:
    made = run("lr=0.1,0.1@cosine,0.2@step/5/0.5,@exp/0.9", "sgd")
    assert made.vary == "lr=0.1,0.1@cosine,0.2@step/5/0.5,@exp/0.9"
    assert headings(made) == ["lr 0.1", "lr 0.1@cosine", "lr 0.2@step/5/0.5", "lr @exp/0.9"]
    scene = made.make_scene()
    alone = run(None, "sgd:lr=0.1@cosine").make_scene().trajectories[0]
    np.testing.assert_array_equal(scene.trajectories[1].points, alone.points)
    assert optiviz.Recipe.model_validate(made.model_dump()) == made


@pytest.mark.parametrize(
    ("vary", "fields", "said"),
    [
        ("noise=-1", {}, "noise: must be greater than or equal to 0, not -1"),
        ("noise=a", {}, "noise: must be a number, not 'a'"),
        ("noise=1,1.0", {}, "lists a value twice"),
        ("noise=nan", {}, "noise: must be a finite number"),
        ("noise=1e400", {}, "noise: must be a finite number"),
        ("steps=1e400,3", {}, "steps: must be a finite number"),
        ("nois=1", {}, "unknown hyperparameter 'nois': did you mean 'noise'?"),
        ("batch_size=0", {}, "batch_size: must be greater than or equal to 1, not 0"),
        ("batch_size=few", {}, "batch_size: must be a whole number, not 'few'"),
        ("steps=1.5", {}, "steps: must be a whole number, not 1.5"),
        ("steps=all", {}, "steps: must be a number, not 'all'"),
        ("lr=0.1@cosin", {"optimizers": "sgd"}, "unknown schedule 'cosin': did you mean 'cosine'"),
        ("lr=0.1", {"optimizers": "sgd:lr=@cosine"}, "sgd: lr cannot be both set and varied"),
        ("lr=0.1@cosine,0.1@cosine", {"optimizers": "sgd"}, "lists a value twice"),
    ],
)
def test_what_cannot_vary_is_refused(vary: str, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        run(vary, **fields)


@pytest.mark.parametrize(
    ("vary", "fields", "said"),
    [
        ("noise=0,1", {"noise": 2}, "vary: noise cannot be both set and varied"),
        ("steps=5,9", {}, "vary: steps cannot be both set and varied"),
        ("batch_size=1,all", {}, "vary: wobbly has no samples for batches"),
    ],
)
def test_what_does_not_fit_the_run_is_refused(vary: str, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(optiviz.InputError, match=said):
        run(vary, **fields).make_scene()


def test_a_rate_that_nobody_gives_is_that_of_the_first_condition() -> None:
    rates = [
        [
            entry.configured.optimizer.hyperparameters()["lr"]
            for entry in run(vary, "sgd").make_scene().entries
        ]
        for vary in ("noise=0,3", "noise=3,0")
    ]
    alone = run(None, "sgd").make_scene().entries[0].configured.optimizer.hyperparameters()["lr"]
    assert rates[0] == [alone, alone]
    assert rates[1][0] == rates[1][1] != alone


def test_only_a_run_has_conditions_to_vary() -> None:
    with pytest.raises(ValueError, match="only a run has noise to vary"):
        optiviz.ResponseRecipe(signal="spikes", optimizers="sgd", vary="noise=0,1")
    with pytest.raises(ValueError, match="only a run has steps to vary"):
        optiviz.BasinsRecipe(surface="himmelblau", optimizers="sgd", vary="steps=5,9")


def test_it_is_written_on_the_command_line_and_told(here: Any, invoke: Invoke) -> None:
    words = (
        "run",
        "--surface",
        "bowl",
        "--opt",
        "sgd:lr=0.1",
        "--vary",
        "noise=0,1",
        "--steps",
        "6",
    )
    result = invoke(*words, "-o", "a.json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "noise 1" in result.stdout and "seed 0" in result.stdout
    assert "--vary noise=0,1" in invoke("inspect", "a.json").stdout
    report = invoke(*words, "-o", "b.json", "--lr-report").stdout
    assert "noise 0: lr 0.1 (given)" in report and "noise 1: lr 0.1 (given)" in report


# The rate


def test_a_rate_is_that_of_the_step_before() -> None:
    scene = run(None, "sgd:lr=0.1,sgd:lr=0.1@cosine,nelder-mead", steps=10).make_scene()
    constant, cosine, none = (rates_of(entry) for entry in scene.entries)
    np.testing.assert_array_equal(constant, [0.1] * 11)
    steps = np.array([0, *range(10)])
    np.testing.assert_allclose(cosine, 0.1 * (1 + np.cos(np.pi * steps / 10)) / 2)
    assert not none.size
    points = scene.trajectories[1].points
    gradient = scene.surface.gradient(points[:-1])
    np.testing.assert_allclose(np.diff(points, axis=0), -cosine[1:, None] * gradient, atol=1e-12)


def test_rates_are_drawn_beside_the_surface() -> None:
    made = run(None, "sgd:lr=0.1,adam:lr=0.1@warmup/5@cosine", view="contour+rate")
    drawn = make_picture(made)
    lines = [each.strokes.line for each in drawn.cells[1].view.path_artists]
    for line, entry in zip(lines, drawn.scene.entries, strict=True):
        np.testing.assert_array_equal(line.get_ydata()[::2], rates_of(entry))
        assert (np.diff(line.get_xdata()) * np.diff(line.get_ydata()) == 0).all(), "no slopes"


def test_a_rate_that_nobody_has_is_not_drawn() -> None:
    with pytest.raises(optiviz.InputError, match="rate: none of these optimizers has a learning"):
        make_picture(run(None, "nelder-mead", view="rate"))
