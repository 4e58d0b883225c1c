"""What text may quote of a run, against the numbers of its paths."""

import numpy as np
import pytest

from optiviz.kinds.facts import evaluate
from optiviz.kinds.run import Recipe
from optiviz.system.errors import InputError


def test_a_mean_loss_is_that_of_all_steps_from_one_on() -> None:
    scene = Recipe(surface="bowl", optimizers="sgd:lr=0.1", noise=1, steps=20).make_scene()
    losses = scene.entry("sgd").trajectories[0].losses
    assert evaluate("mean_loss(sgd, 15)", scene.facts) == pytest.approx(losses[15:].mean())
    assert evaluate("mean_loss(sgd, 20) == loss(sgd)", scene.facts)


def test_a_path_of_many_weights_has_a_loss_of_its_own_and_one_on_the_plane() -> None:
    scene = Recipe(surface="xor", optimizers="adam:lr=0.05", steps=20).make_scene()
    path = scene.entry("adam").trajectories[0]
    assert evaluate("off_plane(adam, 0)", scene.facts) == pytest.approx(0, abs=1e-9)
    assert evaluate("off_plane(adam)", scene.facts) == path.row_distances[-1] > 1
    beside = scene.plane_losses(path)
    assert not np.isclose(beside[-1], path.loss(20), rtol=0.01)
    assert evaluate("plane_loss(adam)", scene.facts) == pytest.approx(beside[-1])
    assert evaluate("plane_loss(adam, 0) - loss(adam, 0)", scene.facts) == pytest.approx(0)


def test_a_rate_is_that_of_a_schedule_or_none() -> None:
    specs = "sgd:lr=0.1@step/2/0.5,coordinate-descent:label=exact"
    facts = Recipe(surface="bowl", optimizers=specs, steps=5).make_scene().facts
    assert [evaluate(f"rate(sgd, {step})", facts) for step in (1, 2, 3, 5)] == [
        0.1,
        0.1,
        0.05,
        0.025,
    ]
    for wrong in ("rate(sgd, 0)", "rate(exact, 1)"):
        with pytest.raises(InputError, match="has no learning rate in step"):
            evaluate(wrong, facts)
