"""Torch optimizers on the parameters of models, as their authors' own loops use them."""

import inspect
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import optiviz
from optiviz.descent.walk import descend
from optiviz.optimizers.base import Method
from optiviz.optimizers.lookup import factory_of
from optiviz.surfaces.network import Architecture, Batches, Network
from optiviz.surfaces.noise import GradientNoise
from optiviz.system.errors import InputError

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from optiviz.surfaces.models.torch import TorchProblem  # noqa: E402

pytestmark = pytest.mark.torch
torch.set_num_threads(1)  # tests run on all cores already

DRAWN = np.random.default_rng(0)
INPUTS, TARGETS = DRAWN.normal(size=(40, 6)), np.eye(4)[DRAWN.integers(0, 4, 40)]


def net(dtype: Any = None) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 4)).to(dtype or torch.float64)


def problem(dtype: Any = None) -> TorchProblem:
    model = net(dtype)
    pair = (torch.tensor(each, dtype=model[0].weight.dtype) for each in (INPUTS, TARGETS))
    return TorchProblem(model, functional.cross_entropy, tuple(pair))


def bare_loop(make: Callable[[Any], Any], steps: int, dtype: Any = None) -> list[float]:
    """Return the parameters after a loop as everyone writes it."""
    model = net(dtype)
    optimizer = make(model)
    inputs, targets = (
        torch.tensor(each, dtype=model[0].weight.dtype) for each in (INPUTS, TARGETS)
    )
    for _ in range(steps):
        optimizer.zero_grad()
        functional.cross_entropy(model(inputs), targets).backward()
        optimizer.step()
    found: list[float] = nn.utils.parameters_to_vector(model.parameters()).double().tolist()
    return found


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", ["Adam", "Adafactor", "SGD", "RMSprop"])
def test_they_get_matrices_in_the_models_numbers(name: str, dtype: Any) -> None:
    """Adafactor keeps less for a matrix than for a vector."""
    made = problem(dtype)
    path = descend(made, factory_of(f"torch.optim.{name}").make(lr=0.05), made.initial, 20)
    cls = getattr(torch.optim, name)
    wanted = bare_loop(lambda model: cls(model.parameters(), lr=0.05), 20, dtype)
    np.testing.assert_allclose(path.end, wanted, atol=1e-12 if dtype == torch.float64 else 1e-6)


SEEN = """
import torch

class Seen(torch.optim.SGD):
    def __init__(self, {first}, lr=0.1):
        given = {first}
        if isinstance(given, torch.nn.Module):
            given = given.named_parameters()
        given = list(given)
        seen.append([(each[0], tuple(each[1].shape)) if isinstance(each, tuple)
                     else tuple(each.shape) for each in given])
        super().__init__([each[1] if isinstance(each, tuple) else each for each in given], lr=lr)

seen = []
"""


@pytest.mark.parametrize("first", ["params", "named_parameters", "model"])
def test_they_get_what_they_ask_for(first: str, here: Path) -> None:
    (here / "own.py").write_text(SEEN.format(first=first))
    network = Network(Architecture((6, 8, 4), ("tanh",), "cross-entropy", True), INPUTS, TARGETS)
    x = network.architecture.initial("xavier", 0)
    method = factory_of("own.py:Seen").make()
    seen = method.found.__init__.__globals__["seen"]  # type: ignore[attr-defined]
    shapes = [(8, 6), (8,), (4, 8), (4,)]
    names = ["layer0.weight", "layer0.bias", "layer1.weight", "layer1.bias"]
    for each in (network, Batches(network, 8), GradientNoise(Batches(network, 8), 0.1)):
        descend(each, method, x, 2)
        assert seen[-1] == (shapes if first == "params" else list(zip(names, shapes, strict=True)))
    optiviz.descend("bowl", "own.py:Seen", steps=2)
    assert seen[-1] == ([(2,)] if first == "params" else [("x", (2,))])


FACTORIES = """
import torch

def one(parameters, lr=0.1):
    return torch.optim.SGD([{"params": [each]} for each in parameters], lr=lr)

def two(named_parameters, lr=0.1):
    pairs = list(named_parameters)
    matrices = [each for name, each in pairs if name.endswith("weight")]
    others = [each for name, each in pairs if not name.endswith("weight")]
    if not matrices or not others:
        return one([each for _, each in pairs], lr)
    return [torch.optim.SGD(matrices, lr=lr), torch.optim.SGD(others, lr=lr)]

def nothing(params):
    return 3

def muon(params, lr=0.1):
    matrices = [each for each in params if each.dim() == 2]
    if len(matrices) == len(params):
        return torch.optim.Muon(matrices, lr=lr)
    others = [each for each in params if each.dim() != 2]
    return ([torch.optim.Muon(matrices, lr=lr)] if matrices else []) + [torch.optim.Adam(others)]
"""


def test_a_function_of_parameters_returns_optimizers(here: Path) -> None:
    (here / "own.py").write_text(FACTORIES)
    made = problem()
    plain = descend(made, factory_of("sgd").make(lr=0.05), made.initial, 5)
    for name in ("one", "two"):
        path = descend(made, factory_of(f"own.py:{name}").make(lr=0.05), made.initial, 5)
        np.testing.assert_allclose(path.end, plain.end, atol=1e-12)
        factory_of(f"own.py:{name}").make().with_rate(0.2)  # type: ignore[attr-defined]
    ours = optiviz.descend("bowl", "own.py:one:lr=0.2@cosine", steps=9)
    np.testing.assert_allclose(
        ours.points, optiviz.descend("bowl", "sgd:lr=0.2@cosine", steps=9).points
    )
    assert descend(made, factory_of("own.py:muon").make(), made.initial, 5).ended_at is None
    with pytest.raises(InputError, match="nothing must return a torch optimizer of its parameters"):
        factory_of("own.py:nothing").make()


FAILING = """
import torch

def failing(params, lr=0.1):
    first = list(params)[0]
    first.dim()
    raise RuntimeError("the real error")
"""


def test_the_error_of_a_function_is_its_first(here: Path) -> None:
    (here / "own.py").write_text(FAILING)
    with pytest.raises(InputError, match="the real error"):
        factory_of("own.py:failing").make()


AVERAGING = """
import torch

class Averaging(torch.optim.SGD):
    shown = False

    def train(self):
        if self.shown:
            self.param_groups[0]["params"][0].data.sub_(1)
        self.shown = False

    def eval(self):
        self.param_groups[0]["params"][0].data.add_(1)
        self.shown = True
"""


def test_one_that_averages_is_shown_where_it_is_evaluated(here: Path) -> None:
    (here / "own.py").write_text(AVERAGING)
    steps = optiviz.descend("bowl", "torch.optim.SGD:lr=0.1", steps=9)
    shown = optiviz.descend("bowl", "own.py:Averaging:lr=0.1", steps=9)
    np.testing.assert_array_equal(shown.points[1:], steps.points[1:] + 1)


NOISY = """
import torch

class Noisy(torch.optim.SGD):
    def step(self):
        super().step()
        for each in self.param_groups[0]["params"]:
            each.data += 0.01 * torch.randn_like(each)
"""


def test_one_that_draws_random_numbers_draws_the_same_in_each_run(here: Path) -> None:
    (here / "own.py").write_text(NOISY)
    before = torch.get_rng_state()
    first, second = (optiviz.descend("bowl", "own.py:Noisy:lr=0.1", steps=9) for _ in range(2))
    np.testing.assert_array_equal(first.points, second.points)
    assert torch.equal(before, torch.get_rng_state())


# What pytorch_optimizer 4.1 needs beside parameters: a count of steps or samples.
COUNTS = {"bsam": {"num_data": 40}, "ranger21": {"num_iterations": 5}}
UNSAID = {  # what ends the others on a network, in their words
    "demo": "einops",
    "distributedmuon": "process group",
    "spectralsphere": "2D parameters",
}


@pytest.fixture(scope="module")
def package() -> Any:
    return pytest.importorskip("pytorch_optimizer")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_optimizers_of_pytorch_optimizer_run_on_a_network(package: Any) -> None:
    made, failed = problem(torch.float32), dict[str, str]()
    names = package.get_supported_optimizers()
    for name in names:
        try:
            path = descend(made.batches(16, 0), method_of(package, name), made.initial, 5)
            if path.stopped:
                failed[name] = path.stopped
        except InputError as error:
            failed[name] = str(error)
    assert len(names) - len(failed) >= 124, failed
    for name, said in failed.items():
        assert UNSAID[name] in said and "\n" not in said


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_optimizers_of_pytorch_optimizer_run_on_a_point_as_in_a_loop(package: Any) -> None:
    rosenbrock = optiviz.load_surface("rosenbrock")
    ran, loops, same = 0, 0, 0
    for name in package.get_supported_optimizers():
        try:
            method = method_of(package, name)
        except InputError:
            continue
        path = descend(rosenbrock, method, rosenbrock.start, 5)
        ran += not path.stopped
        wanted = looped(package, name, rosenbrock, 5)
        if wanted is not None and len(path.points) == 6:
            loops += 1
            same += bool(np.allclose(path.points[5], wanted, rtol=1e-9, atol=1e-9, equal_nan=True))
    assert ran >= 115
    assert same >= 108
    assert loops - same <= 2


def method_of(package: Any, name: str) -> Method:
    cls = package.load_optimizer(name)
    module = "pytorch_optimizer" if hasattr(package, cls.__name__) else cls.__module__
    with warnings.catch_warnings(action="ignore"):
        return factory_of(f"{module}.{cls.__name__}").make(**COUNTS.get(name, {}))


def looped(package: Any, name: str, surface: Any, steps: int) -> Any:
    """Return where a loop by hand ends, None if there cannot be one."""
    cls = package.load_optimizer(name)
    if next(iter(inspect.signature(cls).parameters)) != "params":
        return None
    parameter = nn.Parameter(torch.tensor(surface.start, dtype=torch.float64))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        try:
            optimizer = cls([parameter], **COUNTS.get(name, {}))
            averages = hasattr(optimizer, "train") and hasattr(optimizer, "eval")
            if averages:
                optimizer.train()
            for _ in range(steps):
                slope = surface.gradient(parameter.detach().numpy().copy())
                parameter.grad = torch.tensor(slope)
                optimizer.step()
            if averages:
                optimizer.eval()
        except Exception:
            return None
    return parameter.detach().numpy().copy()
