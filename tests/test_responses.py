"""What optimizers answer to a signal of gradients, against article 1's own functions."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Slope

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
