"""What optimizers answer to a signal of gradients, against article 1's own functions."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optiviz.objective import Array
from optiviz.optimizers.words import parse_word

RESPONSES = Path(__file__).parent / "reference" / "responses"
SIGNALS = json.loads((RESPONSES / "signals.json").read_text())
# The article's functions in our words, with its names for their hyperparameters.
METHODS: dict[str, tuple[str, dict[str, str]]] = {
    "GRAD_Simple_Momentum": ("momentum", {"gamma": "momentum"}),
    "GRAD_Adagrad": ("adagrad:eps_in_sqrt=true", {}),
    "GRAD_RMSProp": ("rmsprop:eps_in_sqrt=true", {"gamma": "rho"}),
    "GRAD_AdadeltaZeroStart": ("adadelta:lr=1", {"gamma": "rho", "lr": "initial_update"}),
    "GRAD_AdadeltaBigStart": ("adadelta:lr=1", {"gamma": "rho", "lr": "initial_update"}),
    "GRAD_Adam": ("adam:eps_in_sqrt=true", {}),
}


class Slope:
    """An objective whose gradient is the same everywhere."""

    dim = 1

    def __init__(self, slope: float) -> None:
        self.slope = slope

    def value(self, x: Array) -> Array:
        return self.slope * x[..., 0]

    def gradient(self, x: Array) -> Array:
        return np.full_like(x, self.slope)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        return self.value(x), self.gradient(x)


@pytest.mark.parametrize(
    "run", sorted(RESPONSES.glob("*__*.json")), ids=lambda run: run.stem.replace("__", "-")
)
def test_response_agrees(run: Path) -> None:
    record: dict[str, Any] = json.loads(run.read_text())
    base, names = METHODS[record["method"]]
    settings = [
        f"{names.get(key, key)}={value}" for key, value in record["hyperparameters"].items()
    ]
    optimizer = parse_word(":".join([base, *settings])).build()
    here = np.zeros(1)
    state = optimizer.init(here)
    answers = []
    for slope in SIGNALS[record["signal"]]:
        moved, state = optimizer.step(Slope(slope), here, state)
        answers.append(-moved[0])
    np.testing.assert_allclose(answers, record["response"], rtol=1e-9, atol=1e-12)
