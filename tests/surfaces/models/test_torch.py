"""PyTorch models as problems: the same numbers as torch's own, and models left as they are."""

import copy
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import optiviz
from optiviz.descent.walk import descend
from optiviz.objective import Stream
from optiviz.optimizers.adam import Adam
from optiviz.optimizers.base import Method
from optiviz.optimizers.momentum import SGD, Momentum
from optiviz.surfaces.config import PlaneConfig
from optiviz.surfaces.curvature import largest_eigenvalue
from optiviz.surfaces.directions import random_directions
from optiviz.surfaces.grids import sample_grid
from optiviz.surfaces.models.problem import Setting
from optiviz.surfaces.models.space import ModelPlane, ModelSpace
from optiviz.surfaces.network import Architecture, Batches, Network
from optiviz.system.errors import InputError, OptivizError

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.utils.data import DataLoader, IterableDataset, TensorDataset  # noqa: E402

from optiviz.surfaces.models.torch import TorchProblem  # noqa: E402

pytestmark = pytest.mark.torch
torch.set_num_threads(1)  # tests run on all cores already


class Small(nn.Module):  # type: ignore[misc]
    """A convolution with batch norm, dropout, and a connection around it."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Conv2d(1, 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(3)
        self.drop = nn.Dropout(0.25)
        self.outer = nn.Linear(3 * 16, 4)

    def forward(self, x: Any) -> Any:
        x = self.norm(x + torch.tanh(self.inner(x)))
        return self.outer(self.drop(x).flatten(1))


def data(dtype: Any = None, many: int = 50) -> tuple[Any, Any]:
    drawn = torch.Generator().manual_seed(1)
    inputs = torch.randn(many, 1, 4, 4, generator=drawn, dtype=torch.float64)
    targets = torch.randint(0, 4, (many,), generator=drawn)
    return inputs.to(dtype or torch.float64), targets


def small(dtype: Any = None) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Small().to(dtype or torch.float64)
        with torch.no_grad():  # as trained
            model.norm.running_mean += torch.randn(3)
            model.norm.running_var += torch.rand(3)
    return model


def problem(model: Any = None, **changed: Any) -> TorchProblem:
    model = small() if model is None else model
    fields = {"loss": functional.cross_entropy, "data": data(model.outer.weight.dtype)} | changed
    return TorchProblem(model, **fields)


def direct_loss(model: Any, point: Any, inputs: Any, targets: Any) -> float:
    """Return the loss that torch itself computes at some parameters."""
    moved = copy.deepcopy(model).eval()
    nn.utils.vector_to_parameters(torch.tensor(point).to(inputs.dtype), moved.parameters())
    with torch.no_grad():
        return float(functional.cross_entropy(moved(inputs), targets))


@pytest.mark.parametrize(("dtype", "error"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_a_grid_has_torchs_losses(dtype: Any, error: float) -> None:
    model = small(dtype)
    made = problem(model)
    space = ModelSpace(made, PlaneConfig(kind="random", seed=3))
    axis = np.linspace(-1, 1, 5)
    losses = sample_grid(space.plane, axis, axis)
    directions = filter_normalised(model, 3)
    start = nn.utils.parameters_to_vector(model.parameters()).detach().double().numpy()
    for row, b in enumerate(axis):
        for column, a in enumerate(axis):
            point = start + a * directions[0] + b * directions[1]
            wanted = direct_loss(model, point, *data(dtype))
            assert losses[row, column] == pytest.approx(wanted, rel=error)


def filter_normalised(model: Any, seed: int) -> np.ndarray[Any, Any]:
    """Return Li et al.'s directions: each filter as long as the model's own, biases 0."""
    drawn, directions = np.random.default_rng(seed), []
    for _ in range(2):
        pieces = []
        for each in model.parameters():
            own = each.detach().double().numpy()
            piece = np.zeros(own.shape)
            if own.ndim > 1:
                piece = drawn.normal(size=own.shape)
                for unit, filter_ in zip(piece, own, strict=True):
                    unit *= np.linalg.norm(filter_) / np.linalg.norm(unit)
            pieces.append(piece.ravel())
        directions.append(np.concatenate(pieces))
    return np.stack(directions)


def test_directions_are_normalised_by_filter() -> None:
    made = problem()
    np.testing.assert_allclose(
        random_directions(made.parts, made.initial, 3), filter_normalised(small(), 3), rtol=1e-12
    )


ARCHITECTURE = Architecture((6, 5, 4), ("tanh",), "cross-entropy", bias=True)


def own_and_torchs() -> tuple[Network, np.ndarray[Any, Any], TorchProblem]:
    """Return one network twice: ours with its initial weights, and torch's."""
    drawn = np.random.default_rng(0)
    inputs, targets = drawn.normal(size=(40, 6)), np.eye(4)[drawn.integers(0, 4, 40)]
    network, x = Network(ARCHITECTURE, inputs, targets), ARCHITECTURE.initial("xavier", 0)
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 4)).double()
    nn.utils.vector_to_parameters(torch.tensor(x), model.parameters())
    pair = torch.tensor(inputs), torch.tensor(targets)
    return network, x, TorchProblem(model, functional.cross_entropy, pair, test=pair)


@pytest.mark.parametrize("size", [None, 16])
@pytest.mark.parametrize("method", [SGD(lr=0.1), Momentum(lr=0.05), Adam(lr=0.01)])
def test_our_own_network_descends_as_ours(method: Method, size: int | None) -> None:
    network, x, made = own_and_torchs()
    ours = network if size is None else Batches(network, size, 7)
    paths = [descend(each, method, x, 50, rows=range(51)) for each in (ours, made.batches(size, 7))]
    np.testing.assert_allclose(paths[0].points, paths[1].points, atol=1e-10, rtol=0)
    np.testing.assert_allclose(paths[0].losses, paths[1].losses, atol=1e-10, rtol=0)
    assert made.accuracy(paths[1].end) == network.accuracy(paths[0].end)
    assert [part[1:] for part in made.parts] == [part[1:] for part in network.parts]


def test_several_points_at_once_have_the_losses_of_each() -> None:
    _, x, made = own_and_torchs()
    for dtype, error in (("float64", 1e-12), ("float32", 1e-6)):
        made = made.with_setting(Setting(dtype=dtype))
        assert made.points_at_once > made.batches(8, 0).at(0).value(x)  # more than one
        plane = ModelPlane(made, x, np.random.default_rng(0).normal(size=(2, len(x))))
        points = np.random.default_rng(1).normal(size=(70, 2))
        alone = made.value(plane.to_weights(points))
        np.testing.assert_allclose(plane.value(points), alone, rtol=error)


def test_the_model_and_all_generators_are_left_as_they_were_found() -> None:
    model = small().train()
    model(data()[0]).sum().backward()
    held = {key: each.clone() for key, each in model.state_dict().items()}
    slopes = [each.grad.clone() for each in model.parameters()]
    places = [each.data_ptr() for each in model.parameters()]
    states = random.getstate(), str(np.random.get_state()), torch.get_rng_state()
    torch.set_num_threads(2)
    loader = DataLoader(TensorDataset(*data()), 8, shuffle=True)
    for inputs in (data(), loader, lambda seed, step: data(many=5)):
        made = problem(model, data=inputs)
        for each in (made, made.with_setting(Setting(batch_norm="recompute"))):
            descent = each.batches(None, 0)
            assert isinstance(descent, Stream)
            descend(descent, SGD(lr=0.1), each.initial, 3)
            sample_grid(
                ModelSpace(each, PlaneConfig(kind="random")).plane, np.arange(2.0), np.arange(2.0)
            )
            each.hessian_product(each.initial, each.initial)
    assert model.training and model.norm.training and model.norm.track_running_stats
    assert all(torch.equal(each, held[key]) for key, each in model.state_dict().items())
    assert [each.data_ptr() for each in model.parameters()] == places
    assert all(
        torch.equal(each.grad, slope)
        for each, slope in zip(model.parameters(), slopes, strict=True)
    )
    assert states[:2] == (random.getstate(), str(np.random.get_state()))
    assert torch.equal(states[2], torch.get_rng_state())
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)


def test_products_with_the_hessian_are_exact() -> None:
    """Against a full Hessian of a network of 500 weights, in blocks."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Linear(20, 20, bias=False), nn.Tanh(), nn.Linear(20, 5, bias=False)
        )
    model = model.double()
    drawn = np.random.default_rng(0)
    inputs = torch.tensor(drawn.normal(size=(30, 20)))
    targets = torch.tensor(drawn.integers(0, 5, 30))
    made = TorchProblem(model, functional.cross_entropy, (inputs, targets))
    made._most = 7

    def loss(flat: Any) -> Any:
        hidden = torch.tanh(inputs @ flat[:400].view(20, 20).T)
        return functional.cross_entropy(hidden @ flat[400:].view(5, 20).T, targets)

    x = torch.tensor(made.initial, requires_grad=True)
    (slope,) = torch.autograd.grad(loss(x), x, create_graph=True)
    rows = [torch.autograd.grad(each, x, retain_graph=True)[0] for each in slope]
    whole = torch.stack(rows).numpy()
    for v in drawn.normal(size=(3, 500)):
        np.testing.assert_allclose(made.hessian_product(made.initial, v), whole @ v, atol=1e-12)


def test_attention_has_products_with_the_hessian() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 8, dropout=0.0, batch_first=True).double()
    made = TorchProblem(
        layer, lambda model, batch: model(batch).pow(3).mean(), torch.randn(6, 3, 8).double()
    )
    v = np.random.default_rng(0).normal(size=made.dim)
    near = (made.gradient(made.initial + 1e-5 * v) - made.gradient(made.initial - 1e-5 * v)) / 2e-5
    np.testing.assert_allclose(made.hessian_product(made.initial, v), near, atol=1e-6)


def test_batches_have_products_with_their_own_hessian() -> None:
    made = problem()
    stream, x = made.batches(7, 3), made.initial
    v = np.random.default_rng(0).normal(size=made.dim)
    for step in (0, 1):
        here = stream.at(step)
        near = (here.gradient(x + 1e-6 * v) - here.gradient(x - 1e-6 * v)) / 2e-6
        np.testing.assert_allclose(here.hessian_product(x, v), near, atol=1e-7)
        assert not np.allclose(near, made.hessian_product(x, v), atol=1e-3)


def test_blocks_do_not_change_losses_and_gradients() -> None:
    made, summed = problem(), problem(loss=nn.CrossEntropyLoss(reduction="sum"))
    for each in (made, summed):
        whole = each.value_and_gradient(each.initial)
        each._most = 7
        for found, wanted in zip(each.value_and_gradient(each.initial), whole, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)
        assert each.value(each.initial) == pytest.approx(whole[0], rel=1e-12)
    assert summed.value(summed.initial) == pytest.approx(50 * made.value(made.initial))


def test_a_loss_that_does_not_add_up_sees_all_samples() -> None:
    weighted = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 5.0, 0.1, 1.0]).double())
    made = problem(loss=weighted)
    made._most = 7
    with torch.no_grad():
        wanted = float(weighted(small().eval()(data()[0]), data()[1]))
    assert made.value(made.initial) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_rare_class_that_few_samples_miss_shows_a_weighted_mean(
    dtype: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from optiviz.surfaces.models import torch as module

    monkeypatch.setattr(module, "BLOCK", 100_000)
    inputs = torch.linspace(-3, 3, 12_000, dtype=dtype).reshape(-1, 2)
    targets = torch.zeros(len(inputs), dtype=torch.long)
    targets[10:90] = 1
    model = nn.Linear(2, 2).to(dtype)
    with torch.no_grad():
        model.weight[:], model.bias[:] = torch.tensor([[1.0, 0.5], [-0.5, 0.2]]), 0.1
    for loss, sums in (
        (nn.CrossEntropyLoss(weight=torch.tensor([1.0, 50.0])), None),
        (nn.CrossEntropyLoss(ignore_index=1), None),
        (nn.CrossEntropyLoss(), False),
    ):
        made = TorchProblem(model, loss, (inputs, targets))
        wanted = loss.to(dtype)(model(inputs), targets).item()
        assert made._most < 6_000 and made._sums is sums
        value, slope = made.value_and_gradient(made.initial)
        near = 1e-12 if dtype == torch.float64 else 1e-5
        assert value == pytest.approx(wanted, rel=near)
        slopes = torch.autograd.grad(loss(model(inputs), targets), [*model.parameters()])
        flat = np.concatenate([each.reshape(-1).numpy() for each in slopes])
        np.testing.assert_allclose(slope, flat, rtol=100 * near, atol=near)


def test_batch_norm_is_as_trained_or_of_all_samples() -> None:
    model = small()
    made = problem(model).with_setting(Setting(batch_norm="recompute"))
    point = made.initial + 0.1
    moved = copy.deepcopy(model)
    nn.utils.vector_to_parameters(torch.tensor(point), moved.parameters())
    inputs, targets = data()
    moved.norm.reset_running_stats()
    moved.norm.momentum = None
    with torch.no_grad():
        moved.eval()
        moved.norm.train()
        for cut in (slice(0, 25), slice(25, 50)):
            moved(inputs[cut])
        wanted = float(functional.cross_entropy(moved.eval()(inputs), targets))
    made._most = 25
    assert made.value(point) == pytest.approx(wanted, rel=1e-12)
    flat = made.values_on_plane(point, np.zeros((2, made.dim)), np.zeros((1, 2)))
    assert flat == pytest.approx(wanted, rel=1e-12)
    assert problem(model).value(point) == pytest.approx(direct_loss(model, point, *data()))


def test_a_step_in_training_uses_statistics_of_its_batch() -> None:
    model = small().train()
    model.drop.p = 0.0
    made = problem(model)
    step = made.batches(10, 0)
    assert isinstance(step, Stream)
    here = step.at(2)
    chosen = np.random.default_rng([0, 0, 0]).permutation(50)[20:30]
    inputs, targets = (each[torch.tensor(chosen)] for each in data())
    with torch.no_grad():
        wanted = float(functional.cross_entropy(copy.deepcopy(model)(inputs), targets))
    assert here.value(made.initial) == pytest.approx(wanted, rel=1e-12)
    assert made.value(made.initial) == pytest.approx(
        direct_loss(model, made.initial, *data()), rel=1e-12
    )


def test_dropout_depends_on_seed_and_step_alone() -> None:
    made = problem(small().train())
    assert made.is_random and not problem(small().eval()).is_random
    x, first = made.initial, made.batches(None, 1)
    assert isinstance(first, Stream)
    losses = [float(first.at(step).value(x)) for step in range(3)]
    torch.rand(3)
    again = made.thread_copy().batches(None, 1)
    assert isinstance(again, Stream)
    assert losses == [float(again.at(step).value(x)) for step in range(3)]
    assert len({*losses, float(made.batches(None, 2).at(0).value(x))}) == 4  # type: ignore[union-attr]
    assert made.value(x) == made.value(x)
    both = np.stack([x, x])
    assert len(set(first.at(0).value(both))) == 1


def test_loss_and_gradient_of_a_step_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made, calls = problem(), []
    forward = Small.forward
    monkeypatch.setattr(Small, "forward", lambda *args: calls.append(0) or forward(*args))
    path = descend(made.batches(10, 0), SGD(lr=0.1), made.initial, 20, rows=[0])
    kept = len(path.points)
    assert len(calls) == 21 + kept  # a step and the last point, and all samples where it is kept


@pytest.mark.parametrize("shuffle", [False, True])
def test_data_may_be_a_loader_or_a_dataset(shuffle: bool) -> None:
    wanted = problem()
    rows = TensorDataset(*data())
    for given in (rows, DataLoader(rows, 16, shuffle=shuffle)):
        made = problem(data=given)
        assert made.samples == 50
        assert made.value(made.initial) == wanted.value(wanted.initial)
        assert made.fingerprint() == wanted.fingerprint()


def test_a_function_draws_batches_by_seed_and_step() -> None:
    def draw(seed: int, step: int) -> tuple[Any, Any]:
        return tuple(each[step : step + 10] for each in data())  # type: ignore[return-value]

    model = small().eval()
    made = problem(model, data=draw)
    wanted = [direct_loss(model, made.initial, *draw(0, step)) for step in range(16)]
    assert made.samples is None and made.is_random
    assert made.value(made.initial) == pytest.approx(np.mean(wanted), rel=1e-12)
    stream = made.batches(None, 0)
    assert isinstance(stream, Stream)
    assert stream.at(3).value(made.initial) == pytest.approx(wanted[3], rel=1e-12)
    assert made.caption == "Small, mean of 16 batches, 232 parameters"
    with pytest.raises(InputError, match="has no samples for batches"):
        made.batches(10, 0)


def test_a_loss_of_the_model_may_hold_a_penalty() -> None:
    def penalised(model: Any, batch: Any) -> Any:
        inputs, targets = batch
        decay = sum(each.square().sum() for each in model.parameters())
        return functional.cross_entropy(model(inputs), targets) + 0.01 * decay

    plain, made = problem(), problem(loss=penalised)
    x = made.initial
    assert made.value(x) == pytest.approx(plain.value(x) + 0.01 * x @ x, rel=1e-12)
    np.testing.assert_allclose(made.gradient(x), plain.gradient(x) + 0.02 * x, atol=1e-12)


def test_inputs_may_be_a_dictionary_or_several() -> None:
    class Two(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(2))

        def forward(self, a: Any, b: Any) -> Any:
            return self.scale * (a - b)

    pair = torch.ones(3, 2), torch.zeros(3, 2)
    targets = torch.zeros(3, 2)
    for inputs in (pair, {"b": pair[1], "a": pair[0]}):
        made = TorchProblem(Two(), nn.MSELoss(), (inputs, targets))
        assert made.value(np.array([2.0, 0.0])) == 2.0
        assert list(made.values_on_plane(np.zeros(2), np.eye(2), np.eye(2))) == [0.5, 0.5]


def test_tied_and_frozen_parameters() -> None:
    class Tied(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
            self.second.weight = self.first.weight
            self.frozen = nn.Linear(3, 2).requires_grad_(False)

        def forward(self, x: Any) -> Any:
            return self.frozen(self.second(torch.tanh(self.first(x))))

    model, rows = Tied(), (torch.randn(9, 3), torch.randn(9, 2))
    made = TorchProblem(model, nn.MSELoss(), rows)
    assert [part.name for part in made.parts] == ["first.weight"]
    loss = nn.MSELoss()(model(rows[0]), rows[1])
    slope = torch.autograd.grad(loss, model.first.weight)[0]
    np.testing.assert_allclose(made.gradient(made.initial), slope.ravel(), rtol=1e-5)
    vector, other = made.from_tensors({**model.state_dict()}, "a.pt")
    np.testing.assert_array_equal(vector, made.initial)
    assert other.value(vector) == made.value(vector)
    dropped = {key: each for key, each in model.state_dict().items() if key != "second.weight"}
    np.testing.assert_array_equal(made.from_tensors(dropped, "a.safetensors")[0], vector)


def test_a_checkpoint_has_its_own_buffers() -> None:
    model, made = small(), problem()
    with torch.no_grad():
        for each in model.state_dict().values():
            each.add_(torch.ones((), dtype=each.dtype))
    vector, other = made.from_tensors(model.state_dict(), "a.pt")
    assert other.value(vector) == pytest.approx(direct_loss(model, vector, *data()), rel=1e-12)
    assert other.fingerprint() != made.fingerprint()
    arrays = {key: each.numpy() for key, each in model.state_dict().items()}
    for changed, said in (
        ({key: each for key, each in arrays.items() if key != "norm.bias"}, "has no norm.bias"),
        (arrays | {"outer.weight": np.zeros((2, 2))}, "outer.weight has shape (2, 2), not (4, 48)"),
        (arrays | {"more": np.zeros(2)}, "another model, which has more"),
        ({key: each for key, each in arrays.items() if "running_v" not in key}, "norm.running_var"),
    ):
        with pytest.raises(InputError, match=re.escape(said)) as raised:
            made.from_tensors(changed, "a.pt")
        assert str(raised.value).startswith("a.pt: is of another model")


def test_a_setting_converts_a_model_and_its_data() -> None:
    made = problem().with_setting(Setting(device="cpu", dtype="float32"))
    assert made.dtype == torch.float32
    assert made.value(made.initial) == pytest.approx(problem().value(made.initial), rel=1e-6)
    assert made.fingerprint() != problem().fingerprint()
    mixed = small()
    mixed.outer.float()
    assert problem(mixed, data=data(torch.float64)).dtype == torch.float64
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="device: no cuda here, only cpu"):
            made.with_setting(Setting(device="cuda"))
    linear = TorchProblem(nn.Linear(2, 1), nn.MSELoss(), (torch.ones(3, 2), torch.ones(3, 1)))
    with pytest.raises(InputError, match="batch_norm: Linear has no batch norm"):
        linear.with_setting(Setting(batch_norm="recompute"))


def test_less_memory_gives_smaller_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    made, forward, sizes = problem(), Small.forward, list[int]()
    wanted = made.value(made.initial)
    room = 12

    def limited(self: Any, x: Any) -> Any:
        sizes.append(len(x))
        if len(x) > room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return forward(self, x)

    monkeypatch.setattr(Small, "forward", limited)
    assert made.value(made.initial) == pytest.approx(wanted, rel=1e-12)
    assert sizes == [50, 25, 10, 10, 10, 10, 10]
    room = 0
    with pytest.raises(OptivizError, match="Small: not enough memory for one sample") as raised:
        made.value_and_gradient(made.initial)
    assert not isinstance(raised.value, InputError)


class Counting(nn.Module):  # type: ignore[misc]
    """Doubles its inputs in place, and counts its calls in a buffer that its output has."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Any) -> Any:
        self.calls += 1
        return self.layer(x.mul_(2)) * self.calls


def rows(many: int = 40) -> tuple[Any, Any]:
    inputs = torch.sin(torch.arange(3.0 * many)).view(many, 3)
    return inputs, (inputs[:, 0] > 0).long()


@pytest.mark.parametrize("training", [True, False])
def test_a_model_that_changes_inputs_and_buffers_does_not_drift(training: bool) -> None:
    inputs, targets = rows()
    before = inputs.clone()
    model = Counting().train(training)
    with torch.no_grad():
        wanted = functional.cross_entropy(model.layer(2 * inputs), targets).item()
    made = TorchProblem(model, functional.cross_entropy, (inputs, targets), test=(inputs, targets))
    for _ in range(3):
        assert made.value(made.initial) == pytest.approx(wanted, rel=1e-6)
        assert made.value_and_gradient(made.initial)[0] == pytest.approx(wanted, rel=1e-6)
        assert made.accuracy(made.initial) == made.accuracy(made.initial)
        step: Any = made.batches(None, 0)
        assert step.value(made.initial) == pytest.approx(wanted, rel=1e-6)
    assert torch.equal(inputs, before) and model.calls == 0


def test_a_loss_that_differs_from_call_to_call_is_refused() -> None:
    drawn = np.random.default_rng(0)
    with pytest.raises(InputError, match="the loss of Linear is another each time"):
        TorchProblem(
            nn.Linear(3, 2),
            lambda outputs, targets: functional.cross_entropy(outputs, targets) * drawn.random(),
            rows(),
        )


@pytest.mark.filterwarnings("ignore:.*torch.jit")
@pytest.mark.parametrize("how", ["script", "trace"])
def test_torchscript_has_the_gradients_of_its_model(how: str) -> None:
    plain = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    compiled = torch.jit.script(plain) if how == "script" else torch.jit.trace(plain, rows()[0])
    wanted, found = (
        TorchProblem(each, functional.cross_entropy, rows()) for each in (plain, compiled)
    )
    slope = wanted.gradient(wanted.initial)
    assert np.abs(slope).max() > 0.01
    np.testing.assert_allclose(found.gradient(found.initial), slope, atol=1e-6)
    copied = found.thread_copy()
    np.testing.assert_allclose(copied.gradient(found.initial), slope, atol=1e-6)


def test_a_loss_may_reset_gradients() -> None:
    def reset(model: Any, batch: Any) -> Any:
        model.zero_grad()
        return functional.cross_entropy(model(batch[0]), batch[1])

    model = nn.Linear(3, 2)
    wanted, found = (
        TorchProblem(model, loss, rows()) for loss in (functional.cross_entropy, reset)
    )
    slope = wanted.gradient(wanted.initial)
    assert np.abs(slope).max() > 0.01
    np.testing.assert_allclose(found.gradient(found.initial), slope, atol=1e-6)


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (rows()[0], "test: must be (inputs, targets)"),
        ((rows()[0], rows()[1][:3]), "test: its tensors must have as many samples each"),
        ((rows()[0][:, :2], rows()[1]), "test: Linear: raised RuntimeError"),
        ((rows()[0], rows()[1][:, None]), "test: targets of shape (32, 1) are no classes of"),
        ("words", "test: a batch must hold tensors alone, not str"),
    ],
)
def test_test_samples_are_tried_at_once(test: Any, said: str) -> None:
    with pytest.raises(InputError, match="^" + re.escape(said)):
        TorchProblem(nn.Linear(3, 2), functional.cross_entropy, rows(), test=test)


def test_a_model_is_tried_on_fewer_samples_in_little_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forward, room = nn.Linear.forward, 5

    def limited(self: Any, x: Any) -> Any:
        if len(x) > room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return forward(self, x)

    model = nn.Linear(3, 2)
    wanted = functional.cross_entropy(model(rows()[0]), rows()[1]).item()
    monkeypatch.setattr(nn.Linear, "forward", limited)
    made = TorchProblem(model, functional.cross_entropy, rows())
    assert made.value(made.initial) == pytest.approx(wanted, rel=1e-6)
    room = 0
    with pytest.raises(OptivizError, match="Linear: not enough memory for one sample") as raised:
        TorchProblem(nn.Linear(3, 2), functional.cross_entropy, rows())
    assert not isinstance(raised.value, InputError)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "model": ({"model": 3}, "model must be a torch.nn.Module, not int"),
    "no parameters": ({"model": nn.ReLU()}, "ReLU has no parameters that require a gradient"),
    "loss": ({"loss": 3}, "loss must be a function, not int"),
    "arity": ({"loss": lambda outputs: 0}, "loss must take (outputs, targets) or (model, batch)"),
    "no scalar": (
        {"loss": lambda outputs, targets: outputs},
        "loss must return one number, not a tensor of shape (32, 4): take its mean",
    ),
    "no tensor": ({"loss": lambda outputs, targets: 1.0}, "loss must return a tensor, not float"),
    "constant": (
        {"loss": lambda outputs, targets: torch.zeros(())},
        "the loss of Small does not depend on its parameters",
    ),
    "nan": (
        {"loss": lambda outputs, targets: outputs.sum() * torch.nan},
        "the loss of Small is nan",
    ),
    "no pair": ({"data": data()[0]}, "data must be (inputs, targets)"),
    "empty": ({"data": data(many=0)}, "data: has no samples"),
    "uneven": ({"data": (data()[0], data()[1][:9])}, "as many samples each, not 50 and 9"),
    "type": ({"data": 3}, "data must be tensors, a Dataset, a DataLoader or a function"),
    "words": ({"data": (data()[0], "abc")}, "a batch must hold tensors alone, not str"),
    "draws": ({"data": lambda seed: data()}, "data: a function must take (seed, step)"),
    "name": ({"name": 3}, "name must be text, not int"),
    "bell": ({"name": "a\x07b"}, "name must not contain the unprintable character '\\x07'"),
    "raises": ({"data": (data()[0][:, :, :2], data()[1])}, "Small: raised RuntimeError"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_sentence(name: str) -> None:
    changed, said = BAD[name]
    with pytest.raises(InputError, match=re.escape(said)) as raised:
        TorchProblem(
            **{"model": small(), "loss": functional.cross_entropy, "data": data()} | changed
        )
    assert "\n" not in str(raised.value)


class Endless(IterableDataset):  # type: ignore[misc]
    """Samples without end."""

    def __iter__(self) -> Any:
        while True:
            yield torch.ones(3), torch.zeros((), dtype=torch.long)


def test_data_without_an_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from optiviz.surfaces.models import torch_data

    monkeypatch.setattr(torch_data, "MOST", 1_000)
    with pytest.raises(InputError, match="data: must end after at most 1,000 samples"):
        TorchProblem(nn.Linear(3, 2), functional.cross_entropy, Endless())


MODEL = """
import torch
import optiviz

def problem():
    model = torch.nn.Linear(3, 2)
    inputs = torch.linspace(-1, 1, 30).view(10, 3)
    return optiviz.TorchProblem(model, torch.nn.MSELoss(), (inputs, torch.ones(10, 2)))
"""


def test_the_command_line_draws_a_model(here: Path, invoke: Any) -> None:
    Path("my_model.py").write_text(MODEL)
    assert issubclass(optiviz.TorchProblem, TorchProblem)
    words = "--plane random:0 --opt sgd:lr=0.1 --batch-size 4 --steps 5"
    ran = invoke("run", "--surface", "my_model.py:problem", *words.split(), "-o", "run.json")
    assert ran.exit_code == 0, ran.output
    drawn = invoke("plot", "my_model.py:problem", "--plane", "random:0", "-o", "plot.png")
    assert drawn.exit_code == 0, drawn.output


def test_the_lanczos_method_finds_the_largest_eigenvalue_of_a_model() -> None:
    made = problem()
    x = np.asarray(made.initial, float)
    rows = np.array([made.hessian_product(x, unit) for unit in np.eye(len(x))])
    found = largest_eigenvalue(lambda v: made.hessian_product(x, v), len(x))
    assert found == pytest.approx(np.linalg.eigvalsh((rows + rows.T) / 2)[-1], rel=1e-6)
