"""Schedules: the factor of each step, compared with torch's schedulers, and their syntax."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import optiviz
from optiviz.kinds.run import Recipe
from optiviz.optimizers.schedules import SCHEDULES, Schedule
from optiviz.optimizers.spec import parse_spec
from optiviz.system.errors import InputError

numbers = st.floats(0.01, 1).map(lambda number: f"{number:.3g}")
written = st.one_of(
    st.just("cosine"),
    st.integers(1, 500).map("cosine/{}".format),
    st.builds("step/{}/{}".format, st.integers(1, 500), numbers),
    st.integers(1, 500).map("warmup/{}".format),
    numbers.map("exp/{}".format),
)


@given(st.lists(written, min_size=1, max_size=3).map("@".join), st.integers(0, 1000))
def test_a_schedule_reads_back_and_multiplies_its_parts(text: str, step: int) -> None:
    schedule = Schedule.read(text)
    assert Schedule.read(str(schedule)) == schedule
    whole = schedule.with_total_steps(700)
    assert whole.with_total_steps(9) == whole
    parts = [Schedule.read(part).with_total_steps(700).factor(step) for part in text.split("@")]
    assert whole.factor(step) == pytest.approx(math.prod(parts))
    assert 0 <= whole.factor(step) <= 1


@pytest.mark.parametrize(
    ("text", "factors"),
    [
        ("cosine/4", [1, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2, 0, 0]),
        ("step/2/0.5", [1, 1, 0.5, 0.5, 0.25, 0.25]),
        ("warmup/4", [0.25, 0.5, 0.75, 1, 1, 1]),
        ("exp/0.5", [1, 0.5, 0.25, 0.125, 0.0625, 0.03125]),
        ("warmup/2@exp/0.5", [0.5, 0.5, 0.25, 0.125, 0.0625, 0.03125]),
    ],
)
def test_factors_are_those_of_the_formula(text: str, factors: list[float]) -> None:
    schedule = Schedule.read(text)
    np.testing.assert_allclose([schedule.factor(step) for step in range(6)], factors, atol=1e-15)


@pytest.mark.torch
@pytest.mark.parametrize("name", SCHEDULES)
def test_torch_has_the_same(name: str) -> None:
    torch = pytest.importorskip("torch")
    from torch.optim import lr_scheduler

    made = {
        "cosine/40": lambda each: lr_scheduler.CosineAnnealingLR(each, 40),
        "step/7/0.5": lambda each: lr_scheduler.StepLR(each, 7, 0.5),
        "warmup/20": lambda each: lr_scheduler.LinearLR(each, 1 / 20, total_iters=19),
        "exp/0.9": lambda each: lr_scheduler.ExponentialLR(each, 0.9),
    }
    (text,) = (each for each in made if each.startswith(name))
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler, rates = made[text](optimizer), []
    for _ in range(40):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    ours = [Schedule.read(text).factor(step) for step in range(40)]
    np.testing.assert_allclose(ours, rates, atol=1e-12)


def test_a_step_is_taken_at_the_rate_of_its_schedule() -> None:
    path = optiviz.descend("bowl", "sgd:lr=0.3@step/2/0.1", start=(1.0, 2.0), steps=4)
    x, rows = np.array([1.0, 2.0]), []
    bowl = optiviz.load_surface("bowl")
    for rate in (0.3, 0.3, 0.03, 0.03):
        rows.append(x)
        x = x - rate * bowl.gradient(x)
    np.testing.assert_allclose(path.points, [*rows, x], atol=1e-15)


def test_the_label_says_the_schedule_and_how_long_it_is() -> None:
    recipe = Recipe(surface="wobbly", optimizers="adam:lr=0.1@cosine,sgd:lr=@exp/0.99", steps=80)
    first, second = recipe.make_scene().entries
    assert first.detail == "lr 0.1@cosine/80"
    assert second.detail.startswith("lr ")
    assert second.detail.endswith("@exp/0.99 (tuned)")
    used = first.configured.optimizer.hyperparameters()
    assert (used["lr"], used["schedule"]) == (0.1, "cosine/80")
    assert str(parse_spec("sgd:lr=@exp/0.99")) == "sgd:lr=@exp/0.99"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cosin", "unknown schedule 'cosin': did you mean 'cosine'"),
        ("step/50", "is not a valid schedule: write step/N/FACTOR"),
        ("step/0/0.5", "N must be a whole number between 1 and 1e9, not 0"),
        ("warmup/2.5", "N must be a whole number between 1 and 1e9, not 2.5"),
        ("exp/-1", "FACTOR must be above 0 and at most 10"),
        ("exp/0", "FACTOR must be above 0 and at most 10"),
        ("exp/nan", "FACTOR must be above 0 and at most 10"),
        ("exp/fast", "is not a valid schedule: write exp/FACTOR"),
        ("warmup", "is not a valid schedule: write warmup/N"),
        ("cosine@", "unknown schedule ''"),
    ],
)
def test_a_wrong_one_is_named(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_spec(f"adam:lr=0.1@{text}")
