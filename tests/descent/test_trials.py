"""Runs that are walked as one array, or on all cores, are those that are walked one by one."""

import pickle
import random
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import FORMULAS

import optiviz
from optiviz.descent import problem_of
from optiviz.descent.run_arrays import AloneObjective, Numbers
from optiviz.descent.trials import Trials, walk_trials
from optiviz.objective import Stream
from optiviz.optimizers.spec import parse_spec
from optiviz.surfaces.noise import GradientNoise
from optiviz.system.errors import OptivizError

HILLS = optiviz.load_surface("hills-and-canyon")
STARTS = np.array([(-2.0, 2.0), (1.0, -2.9)])
OWN = """
import math
import random
from dataclasses import dataclass

import numpy as np

from optiviz.optimizers.base import Optimizer, hyper

steps = 0
coin = random.Random(0)


class Momentum:
    def __init__(self, lr, beta=0.9):
        self.lr, self.beta = lr, beta

    def init(self, x):
        return np.zeros_like(x)

    def step(self, objective, x, mean):
        mean = self.beta * mean + objective.gradient(x)
        return x - self.lr * mean, mean


class Lion(Momentum):
    def step(self, objective, x, mean):
        g = objective.gradient(x)
        x = x - self.lr * np.sign(self.beta * mean + (1 - self.beta) * g)
        return x, 0.99 * mean + 0.01 * g


class Adam(Momentum):
    def init(self, x):
        return np.zeros_like(x), np.zeros_like(x), 0

    def step(self, objective, x, state):
        m, v, t = state
        g, t = objective.gradient(x), t + 1
        m, v = self.beta * m + (1 - self.beta) * g, 0.999 * v + 0.001 * g**2
        rate = self.lr / (1 - self.beta**t) * (1 - 0.999**t) ** 0.5
        return x - rate * m / (np.sqrt(v) + 1e-8), (m, v, t)


class InAttributes(Momentum):
    def init(self, x):
        self.mean, self.steps = 0.0, 0

    def step(self, objective, x, nothing):
        self.steps += 1
        self.mean = self.beta * self.mean + objective.gradient(x)
        return x - self.lr * self.mean / self.steps**0.5, nothing


class InPlace(Momentum):
    def step(self, objective, x, mean):
        mean *= self.beta
        mean += objective.gradient(x)
        self.lr *= 0.999
        x -= self.lr * mean
        return x, mean


class RowNorm(Momentum):
    def step(self, objective, x, mean):
        g = objective.gradient(x)
        return x - self.lr * g / (1 + np.linalg.norm(g, axis=-1, keepdims=True)), mean


class Seeded(Momentum):
    def init(self, x):
        return np.random.default_rng(0)

    def step(self, objective, x, rng):
        return x - self.lr * objective.gradient(x) * rng.uniform(0.5, 1.5), rng


@dataclass(frozen=True, eq=False, kw_only=True)
class Derived(Optimizer):
    lr: float = hyper(help="learning rate")

    def init(self, x):
        return ()

    def step(self, objective, x, state):
        return x - self.lr * objective.gradient(x), state


class Norm(Momentum):
    def step(self, objective, x, mean):
        g = objective.gradient(x)
        return x - self.lr * g / (1 + np.linalg.norm(g)), mean


class Patient(Momentum):
    def step(self, objective, x, mean):
        if np.abs(objective.gradient(x)).max() < 0.5:
            return x, mean
        return super().step(objective, x, mean)


class Length(Momentum):
    def step(self, objective, x, mean):
        g = objective.gradient(x)
        length = (g**2).sum(axis=-1) ** 0.5
        return x - self.lr * g / (1 + length[..., None]), mean


class Below(Momentum):
    def step(self, objective, x, mean):
        if objective.value(x) < 3:
            return x, mean
        return super().step(objective, x, mean)


class Steep(Momentum):
    def step(self, objective, x, mean):
        if np.abs(objective.gradient(x)).max() > 20:
            raise ArithmeticError("too steep")
        return super().step(objective, x, mean)


class Root(Momentum):
    def step(self, objective, x, mean):
        return x - math.sqrt(self.lr) * objective.gradient(x), mean


class Timid(Momentum):
    def __init__(self, lr, beta=0.9):
        if lr > 10:
            raise ValueError("too large")
        super().__init__(lr, beta)


class Nan(Momentum):
    def step(self, objective, x, mean):
        x, mean = super().step(objective, x, mean)
        return np.where(np.abs(x) > 3, np.nan, x), mean


class Returning(Momentum):
    def step(self, objective, x, mean):
        x, mean = super().step(objective, x, mean)
        return np.where(np.isfinite(x), np.where(np.abs(x) > 3, np.inf, x), 1.0), mean


class FirstCoordinate(Momentum):
    def step(self, objective, x, mean):
        x[0] -= self.lr * objective.gradient(x)[0]
        return x, mean


class Noisy(Momentum):
    def init(self, x):
        return np.random.default_rng(0)

    def step(self, objective, x, rng):
        return x - self.lr * objective.gradient(x) * rng.uniform(0.5, 1.5, x.shape), rng


class ClassCounter(Momentum):
    steps = 0

    def step(self, objective, x, mean):
        ClassCounter.steps += 1
        return x - self.lr / ClassCounter.steps * objective.gradient(x), mean


class GlobalCounter(Momentum):
    def step(self, objective, x, mean):
        global steps
        steps += 1
        return x - self.lr / steps * objective.gradient(x), mean


class Coin(Momentum):
    def step(self, objective, x, mean):
        return x - self.lr * coin.random() * objective.gradient(x), mean


class Numpy(Momentum):
    def step(self, objective, x, mean):
        return x - self.lr * np.random.random() * objective.gradient(x), mean


def counter():
    count = [0]

    def more():
        count[0] += 1
        return count[0]

    return more


class Hidden(Momentum):
    more = counter()

    def step(self, objective, x, mean):
        return x - self.lr / type(self).more() * objective.gradient(x), mean
"""
HOW = {
    "as an array": "Momentum Lion Adam InAttributes InPlace RowNorm Seeded Derived Nan Returning",
    "one by one": "Norm Patient Length Below Steep Root Timid FirstCoordinate Noisy",
    "in order": "ClassCounter GlobalCounter Coin Numpy",
}
CASES = [(name, how) for how, names in HOW.items() for name in names.split()]


def trials_of(name: str, here: Path, copy: str, keys: Sequence[str] = ("lr",)) -> Trials:
    """Return trials of a class in a module of its own."""
    (here / f"{copy}.py").write_text(OWN)
    random.seed(0)
    np.random.seed(0)
    spread = {"lr": np.geomspace(1e-3, 30, 7), "beta": 1 - np.geomspace(0.5, 0.01, 7)}
    spec = parse_spec(name.replace("own.py", f"{copy}.py"))
    values = {key: spread[key] for key in keys}
    return Trials(spec, values, HILLS, problem_of(HILLS).objective(), STARTS, 20, 21)


def one_by_one(many: Trials) -> np.ndarray:
    return np.stack([many.walk_one(trial) for trial in range(many.number)], axis=1)


@pytest.fixture
def how(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record how runs are walked, if not as an array."""
    seen: list[str] = []

    def call_each(
        call: Callable[[int], Any], items: Sequence[int], in_order: bool, *_: Any
    ) -> list[Any]:
        seen.append("in order" if in_order else "one by one")
        return [call(each) for each in items]

    monkeypatch.setattr("optiviz.system.processes.call_each", call_each)
    return seen


@pytest.mark.sample(2)
@pytest.mark.parametrize(("name", "expected"), CASES)
def test_all_runs_are_those_walked_one_by_one(
    name: str, expected: str, here: Path, how: list[str]
) -> None:
    points = walk_trials(trials_of(f"own.py:{name}", here, "a"))
    assert (how or ["as an array"]) == [expected]
    np.testing.assert_array_equal(points, one_by_one(trials_of(f"own.py:{name}", here, "b")))
    assert np.isfinite(points[-1]).any()


@pytest.mark.slow
@pytest.mark.parametrize(
    "word", ["lookahead+own.py:Adam", "sam+own.py:Adam", "own.py:Adam:lr=@exp/0.9"]
)
def test_so_are_those_of_wrappers_schedules_and_several_hyperparameters(
    word: str, here: Path, how: list[str]
) -> None:
    many = trials_of(word, here, "a", ("lr", "beta"))
    many = many._replace(objective=GradientNoise(HILLS, 0.1))
    np.testing.assert_array_equal(walk_trials(many), one_by_one(many))
    assert not how
    ends = walk_trials(many._replace(kept=1))
    np.testing.assert_array_equal(ends, one_by_one(many)[-1:])


def test_what_counts_runs_out_of_sight_is_walked_in_order(here: Path, how: list[str]) -> None:
    walk_trials(trials_of("own.py:Hidden", here, "a"))
    assert how == ["in order"]


def test_a_surface_that_may_compute_other_bits_for_arrays_is_not_given_one(
    here: Path, how: list[str]
) -> None:
    (here / "hill.py").write_text("def hill(x, y):\n    return (x + y) ** 2 + (x - 1) ** 4\n")
    many = trials_of("own.py:Momentum", here, "a")._replace(
        surface=optiviz.load_surface("hill.py:hill")
    )
    walk_trials(many)
    assert how == ["one by one"]


def test_a_built_in_optimizer_walks_arrays_and_a_solver_does_not(how: list[str]) -> None:
    rates = np.geomspace(0.01, 1, 5)
    walk_trials(Trials(parse_spec("adam"), {"lr": rates}, HILLS, HILLS, STARTS, 5, 6))
    assert how == []
    pytest.importorskip("scipy")
    walk_trials(Trials(parse_spec("bfgs"), {}, HILLS, HILLS, STARTS, 5, 1))
    assert how == ["one by one"]


def test_a_process_that_dies_is_reported(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def call_each(*_: Any) -> list[Any]:
        raise BrokenExecutor("its process died (SIGKILL)")

    monkeypatch.setattr("optiviz.system.processes.call_each", call_each)
    with pytest.raises(OptivizError, match=r"^Norm: its process died \(SIGKILL\)$"):
        walk_trials(trials_of("own.py:Norm", here, "a"))


@pytest.mark.sample(6)
@pytest.mark.parametrize("name", FORMULAS)
def test_an_array_of_points_gets_the_bits_of_each_point_alone(name: str) -> None:
    surface = FORMULAS[name]
    low, high = np.transpose(surface.window.intervals)
    points = np.random.default_rng(0).uniform(low, high, (200, surface.dim))
    points[::2] *= 1000
    with np.errstate(all="ignore"):
        for part in ("value", "gradient"):
            together = np.asarray(getattr(AloneObjective(surface), part)(points))
            alone = [getattr(surface, part)(point) for point in points]
            np.testing.assert_array_equal(together, alone)


def test_an_array_of_numbers_computes_as_each_number_does() -> None:
    numbers = np.random.default_rng(0).uniform(0, 2, 1000)
    rules: list[Callable[[Any], Any]] = [
        lambda b: 1 - b**2, lambda b: (0.5 + b) ** 0.5, lambda b: 0.9**b, lambda b: b**7 / (1 + b)
    ]  # fmt: skip
    for rule in rules:
        together = rule(numbers.view(Numbers))
        assert isinstance(together, Numbers)
        np.testing.assert_array_equal(together, [rule(each) for each in numbers.tolist()])
    mixed = numbers[:, None].view(Numbers) * np.ones(2)
    assert type(mixed) is np.ndarray


PLANE = {"domain": "-2:2,-2:2"}
SAMPLES = {"x": [1.0, 2.0, 4.0], "y": [0.0, 1.0, 1.0]}


@pytest.mark.parametrize("batch_size", [None, 2])
@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize(
    "declared",
    [
        {"formula": "x**2 + sin(y)", **PLANE},
        {"formula": "x**2 + y**2", "constraints": "x + y >= 1", **PLANE},
        {"residuals": "y - x**2, 1 - x, x*y", **PLANE},
        {"fit": {"model": "a*x + b", "data": SAMPLES}},
        {"fit": {"model": "a*x + b", "data": SAMPLES, "loss": "logistic"}},
    ],
    ids=str,
)
def test_what_is_descended_is_the_same_in_another_process(
    declared: dict[str, Any], noise: float, batch_size: int | None
) -> None:
    problem = problem_of(optiviz.Surface.model_validate(declared))
    here: Any = problem.objective(batch_size if problem.has_samples else None, noise)
    before, x = pickle.dumps(here), np.array([0.3, 0.7])
    one: Any = here.at(1) if isinstance(here, Stream) else here
    found = one.gradient(x)
    assert pickle.dumps(here) == before  # without what was compiled
    there: Any = pickle.loads(before)
    other = there.at(1) if isinstance(there, Stream) else there
    assert (other.gradient(x) == found).all()
    assert vars(there).keys() == vars(here).keys()
