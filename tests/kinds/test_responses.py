"""Responses of optimizers to a signal of gradients, against article 1's own functions."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import TUNED

from optiviz import InputError, ResponseRecipe
from optiviz.descent.walk import respond
from optiviz.kinds.response import ResponseScene
from optiviz.objective import Array, Stream
from optiviz.optimizers import load_optimizer
from optiviz.optimizers.spec import parse_spec
from optiviz.registry import SIGNALS
from optiviz.surfaces.signal import DEFAULT_RATE, DEFAULT_RATES, Signal, find_signal

RESPONSES = Path(__file__).parents[1] / "reference" / "responses"
RECORDED: dict[str, list[float]] = json.loads((RESPONSES / "signals.json").read_text())
# The article's functions as specs, with its names for their hyperparameters.
METHODS: dict[str, tuple[str, dict[str, str]]] = {
    "GRAD_Simple_Momentum": ("momentum", {"gamma": "momentum"}),
    "GRAD_Adagrad": ("adagrad:eps_in_sqrt=true", {}),
    "GRAD_RMSProp": ("rmsprop:eps_in_sqrt=true", {"gamma": "rho"}),
    "GRAD_AdadeltaZeroStart": ("adadelta:lr=1", {"gamma": "rho", "lr": "initial_update"}),
    "GRAD_AdadeltaBigStart": ("adadelta:lr=1", {"gamma": "rho", "lr": "initial_update"}),
    "GRAD_Adam": ("adam:eps_in_sqrt=true", {}),
}
every_signal = pytest.mark.parametrize("name", SIGNALS)


def article(name: str) -> str:
    """Return the built-in name of a signal of the article."""
    return name.replace("sin", "sine").replace(" ", "-") if "noisy" in name else name


def answers(word: str, signal: Signal) -> Array:
    return respond(signal, parse_spec(word).build(), len(signal.gradient))[0]


def test_our_signals_are_the_articles() -> None:
    assert [article(name).replace(" ", "-") for name in RECORDED] == list(SIGNALS)
    for name, numbers in RECORDED.items():
        ours = find_signal(article(name).replace(" ", "-"))
        np.testing.assert_array_equal(ours.gradient, numbers)
        assert len(ours.gradient) == 300


@pytest.mark.parametrize(
    "run", sorted(RESPONSES.glob("*__*.json")), ids=lambda run: run.stem.replace("__", "-")
)
def test_response_agrees(run: Path) -> None:
    record: dict[str, Any] = json.loads(run.read_text())
    base, names = METHODS[record["method"]]
    settings = [
        f"{names.get(key, key)}={value}" for key, value in record["hyperparameters"].items()
    ]
    found = answers(":".join([base, *settings]), find_signal(article(record["signal"])))
    np.testing.assert_allclose(found, record["response"], rtol=1e-9, atol=1e-12)


def interpolated(signal: Array, time: float) -> float:
    """Return a signal at a time, linearly interpolated, 0 outside: article 1 corrected."""
    below = int(np.floor(time))
    if time < 0 or time > len(signal) - 1:
        return 0.0
    share = time - below
    return float(
        signal[below] if share == 0 else (1 - share) * signal[below] + share * signal[below + 1]
    )


def test_fista_keeps_its_momentum_where_each_step_begins_at_0() -> None:
    found, t, expected = answers("fista:lr=0.1", Signal(gradient=(1.0,) * 50)), 1.0, [0.1]
    for _ in range(9):
        after = (1 + np.sqrt(1 + 4 * t**2)) / 2
        expected.append(0.1 + (t - 1) / after * expected[-1])
        t = after
    np.testing.assert_allclose(found[:10], expected)


@pytest.mark.parametrize(("name", "what"), [("gauss-newton", "residuals"), ("svrg", "samples")])
def test_a_method_that_needs_more_than_gradients_says_so(name: str, what: str) -> None:
    recipe = ResponseRecipe(optimizers=name, signal="spikes")
    with pytest.raises(InputError, match=f"{name} cannot respond to a signal: it needs {what}"):
        recipe.make_scene()


def test_methods_that_remember_points_answer_on_their_way() -> None:
    constant = Signal(gradient=(2.0,) * 60)
    np.testing.assert_allclose(answers("lookahead+sgd:lr=1", constant)[4:6], [-3.0, 2.0])
    dog = answers("dog", constant)
    np.testing.assert_allclose(dog[:3], 1e-6 / np.sqrt([1, 2, 3]) * [1, 1, 1 + 2**-0.5])
    assert dog[-1] > 1000 * dog[0]
    free = answers("schedule-free+sgd:lr=1", constant)
    np.testing.assert_allclose(free[:30], [2.0, *[1.0] * 29])  # the mean of 2, 4, 6 ...


@every_signal
@pytest.mark.parametrize("momentum", [0.25, 0.9, 0.975])
@pytest.mark.parametrize("points", [1, 4])
def test_nesterov_meets_what_is_to_come(points: int, momentum: float, name: str) -> None:
    signal = find_signal(name)
    gradient, lr, v, expected = np.array(signal.gradient), 0.25, 0.0, []
    for time in range(len(gradient)):
        ahead = [
            interpolated(gradient, time + momentum * v * k / points) for k in range(1, points + 1)
        ]
        v = momentum * v + lr * float(np.mean(ahead))
        expected.append(v)
    word = f"smoothed-nesterov:lr={lr}:momentum={momentum}:points={points}"
    np.testing.assert_allclose(answers(word, signal), expected, rtol=1e-12, atol=1e-15)


@every_signal
def test_a_signal_is_a_pure_stream_whose_value_has_its_gradient(name: str) -> None:
    signal = find_signal(name)
    assert isinstance(signal, Stream)
    rng = np.random.default_rng(0)
    for step in (0, 7, 150, 299):
        here = signal.at(step)
        x = rng.uniform(step - 310, step + 10, (200, 1))
        value, slope = here.value_and_gradient(x)
        np.testing.assert_array_equal(here.gradient(x), signal.at(step).gradient(x))
        np.testing.assert_array_equal(value, here.value(x))
        assert value.shape == (200,) and slope.shape == (200, 1)
        inside = ((x > step - 299) & (x < step))[:, 0]
        h = 1e-6
        slopes = (here.value(x + h) - here.value(x - h)) / (2 * h)
        np.testing.assert_allclose(slopes[inside], slope[inside, 0], atol=1e-4)
        assert (here.gradient(x[~inside]) == 0).all()


def test_weight_decay_has_nothing_to_pull_at() -> None:
    signal = find_signal("rectangles")
    with_decay = answers("adamw:lr=0.1", signal)
    np.testing.assert_array_equal(with_decay, answers("adam:lr=0.1", signal))


@pytest.mark.parametrize("name", [each for each in TUNED if not load_optimizer(each).needs])
def test_a_positive_gradient_is_answered_by_a_positive_update(name: str) -> None:
    scene = ResponseRecipe(signal="saturation", optimizers=name).make_scene()
    assert isinstance(scene, ResponseScene)
    (entry,) = scene.entries
    assert entry.update[2] > 0  # the first step of adopt does not move
    assert np.isfinite(entry.update).all()
    assert entry.configured.source == "signal"
    assert entry.configured.optimizer.hyperparameters()["lr"] == DEFAULT_RATES.get(
        name, DEFAULT_RATE
    )


def test_rates_are_the_words_then_the_common_one() -> None:
    recipe = ResponseRecipe(signal="spikes", optimizers="adam:lr=0.5,momentum", lr=0.125)
    rates = [entry.configured.optimizer.lr for entry in recipe.make_scene().entries]
    assert rates == [0.5, 0.125]


def test_newton_needs_second_derivatives() -> None:
    with pytest.raises(ValueError, match="newton needs second derivatives"):
        ResponseRecipe(signal="spikes", optimizers="newton").make_scene()
