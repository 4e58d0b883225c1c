"""What text may quote of a run, against the numbers of its paths."""

import re

import numpy as np
import pytest

from optiviz.kinds.facts import as_claim, as_quoting, check_claim, evaluate, filled
from optiviz.kinds.plot import PlotRecipe
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


def test_a_label_is_one_even_if_a_number_or_a_function_is_called_so() -> None:
    labels = "sgd:lr=0.1:label=e,sgd:lr=0.2:label=loss,sgd:lr=0.3:label=lr"
    facts = Recipe(surface="bowl", optimizers=labels, steps=3).make_scene().facts
    assert [evaluate(f"setting({each}, lr)", facts) for each in ("e", "loss", "'lr'")] == [
        0.1, 0.2, 0.3,
    ]  # fmt: skip
    assert evaluate("loss(loss) < loss(e)", facts)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("1" * 400, "has no value: int too large"),
        ("loss(1)", "1 is no name: write one, or text"),
        ("loss(sgd, 'x')", "unknown number 'x': choose from e, pi, steps"),
        ("steps_to(sgd, sgd)", "unknown number 'sgd'"),
        ("round(1, 2.5)", "write round("),
        ("value(1e200, 1e200)", "is not a finite number"),
        ("sgd", "unknown number 'sgd'"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_has_no_number_is_told_in_a_sentence(expression: str, said: str) -> None:
    facts = Recipe(surface="bowl", optimizers="sgd:lr=0.1", steps=3).make_scene().facts
    with pytest.raises(InputError, match=re.escape(said)):
        evaluate(expression, facts)


def test_a_number_in_a_formula_is_one_for_what_is_before_it() -> None:
    def length(path: str) -> float:
        return len(path)

    facts = {"k": 12.0, "n": -5, "length": length}
    assert filled("$x^{{k}}$ {{k}} $\\frac{{n}}{{k}}$", facts) == "$x^{12}$ 12 $\\frac{-5}{12}$"
    assert filled(as_quoting('{{length("$a$")}} `a$b{{n}}`'), facts) == "3 `a$b\N{MINUS SIGN}5`"


def test_a_claim_that_is_false_says_no_more_than_is_known() -> None:
    with pytest.raises(InputError, match="^1 < 0 does not hold$"):
        check_claim("1 < 0", {})
    with pytest.raises(InputError, match="'1 & 2 > 0': 1 & 2 is not allowed"):
        as_claim("1 & 2 > 0")


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


def test_a_plot_has_no_steps() -> None:
    facts = PlotRecipe(surfaces="bowl").make_scene().facts
    assert evaluate("value(0, 0)", facts) == 0
    with pytest.raises(InputError, match="unknown number 'steps'"):
        evaluate("steps", facts)
