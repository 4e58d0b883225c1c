"""A network's loss: exact gradients, the articles' weights, and batches that depend on the step."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from optiviz.objective import Array
from optiviz.surfaces import network as module
from optiviz.surfaces.network import ACTIVATIONS, OUTPUTS, Architecture, Batches, Network, Weight

SIZES = (5, 7, 6, 4)
LAYERS = [("sigmoid", "tanh"), ("relu", "softplus"), ("softplus", "relu"), ("tanh", "sigmoid")]


def samples(many: int = 11, features: int = 5, classes: int = 4) -> tuple[Array, Array]:
    random = np.random.default_rng(0)
    labels = random.integers(0, classes, many)
    return random.normal(size=(many, features)), np.eye(classes)[labels]


def made(activations: tuple[str, ...], loss: str, bias: bool) -> tuple[Network, Array]:
    network = Network(Architecture(SIZES, activations, loss, bias), *samples())
    x = network.architecture.initial("normal", 3) + 0.1 * np.random.default_rng(1).normal(
        size=network.dim
    )
    return network, x


every_network = pytest.mark.parametrize(
    ("activations", "loss", "bias"),
    [(bends, loss, bias) for bends in LAYERS for loss in OUTPUTS for bias in (False, True)],
)


@every_network
def test_the_gradient_is_the_slope(activations: tuple[str, ...], loss: str, bias: bool) -> None:
    network, x = made(activations, loss, bias)
    batch = Batches(network, 4, seed=2, dropout=0.3).at(5)
    for objective in (network, batch):
        value, gradient = objective.value_and_gradient(x)
        nudges = 1e-6 * np.eye(network.dim)
        slopes = (objective.value(x + nudges) - objective.value(x - nudges)) / 2e-6
        np.testing.assert_allclose(gradient, slopes, atol=2e-9)
        assert objective.value(x) == value
        np.testing.assert_array_equal(objective.gradient(x), gradient)


@pytest.mark.torch
@every_network
def test_the_gradient_is_torchs(activations: tuple[str, ...], loss: str, bias: bool) -> None:
    torch = pytest.importorskip("torch")
    network, x = made(activations, loss, bias)
    weights = torch.tensor(x, requires_grad=True)
    bends = {
        "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu,
        "softplus": torch.nn.functional.softplus,
    }  # fmt: skip
    a, begin = torch.tensor(network.inputs), 0
    for number, (fan_in, fan_out) in enumerate(pairwise(SIZES)):
        middle = begin + fan_in * fan_out
        z = a @ weights[begin:middle].reshape(fan_out, fan_in).T
        begin = middle
        if bias:
            z = z + weights[middle : middle + fan_out]
            begin += fan_out
        a = bends[activations[number]](z) if number < len(activations) else z
    targets = torch.tensor(network.targets)
    if loss == "squared-error":
        total = ((torch.sigmoid(a) - targets) ** 2).sum(1).mean()
    else:
        total = torch.nn.functional.cross_entropy(a, targets)
    total.backward()
    value, gradient = network.value_and_gradient(x)
    np.testing.assert_allclose(value, total.detach().numpy(), rtol=1e-13)
    np.testing.assert_allclose(gradient, weights.grad.numpy(), rtol=1e-11, atol=1e-14)


def test_weights_and_loss_are_article_5s() -> None:
    inputs, targets = samples(30, 64, 10)
    network = Network(Architecture((64, 50, 500, 10), ("sigmoid",) * 2), inputs, targets)
    x = network.architecture.initial("normal", 135)
    np.random.seed(135)
    first, second, third = (np.random.randn(*each) for each in [(50, 64), (500, 50), (10, 500)])
    np.testing.assert_array_equal(x, np.concatenate([first.ravel(), second.ravel(), third.ravel()]))
    x[network.architecture.index(Weight(2, 5, 250))] = third[5][250] = -9
    said = expit(third @ expit(second @ expit(first @ inputs.T)))
    assert network.value(x) == pytest.approx(
        np.mean(np.sum((targets.T - said) ** 2, axis=0)), rel=1e-13
    )
    # The gradient printed in the article lacks the factor 2 of the squared error.
    printed = (said - targets.T) * said * (1 - said) @ expit(second @ expit(first @ inputs.T)).T
    gradient = network.architecture.unpacked(network.gradient(x))[2][0]
    np.testing.assert_allclose(gradient, 2 * printed / 30, rtol=1e-9, atol=1e-15)


def test_the_camera_of_article_3_sees_what_it_saw() -> None:
    """The article's hand-set weights give the outputs that it prints with 8 digits."""
    shape = Architecture((4, 4, 4, 8, 4), ("tanh", "tanh", "relu"), "cross-entropy", bias=True)
    x = np.zeros(shape.dim)
    pairs = np.repeat(np.eye(4), 2, axis=1)
    rows = [
        [[1, 0, 1, 0], [0, 1, 0, 1], [1, 0, -1, 0], [0, 1, 0, -1]],
        [[1, -1, 0, 0], [1, 1, 0, 0], [0, 0, 1, -1], [0, 0, -1, -1]],
        pairs * np.tile([1, -1], 4),
        pairs.T,
    ]
    for (weights, _), row in zip(shape.unpacked(x), rows, strict=True):
        weights[:] = np.transpose(row)  # Keras has inputs in rows
    for target, answer in enumerate([0.17831734, 0.17831734, 0.17831734, 0.46504799]):
        network = Network(shape, np.array([[1.0, 1, -1, -1]]), np.eye(4)[[target]])
        assert np.exp(-network.value(x)) == pytest.approx(answer, abs=1e-7)


@pytest.mark.parametrize(
    ("init", "deviation"), [("normal", 1.0), ("xavier", 0.1), ("he", 0.1581139)]
)
def test_weights_begin_as_wide_as_the_papers_say(init: str, deviation: float) -> None:
    shape = Architecture((80, 120, 3), ("relu",), bias=True)
    (weights, bias), _ = shape.unpacked(shape.initial(init, 0))
    assert weights.std() == pytest.approx(deviation, rel=0.02)
    assert bias is not None and not bias.any()


@given(st.integers(1, 3), st.integers(1, 60))
def test_samples_in_parts_give_the_same(runs: int, kilobytes: int) -> None:
    network, x = made(("tanh", "relu"), "cross-entropy", True)
    points = x + 0.1 * np.random.default_rng(2).normal(size=(runs, network.dim))
    value, gradient = network.value_and_gradient(points)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", 100 * kilobytes)
        parts = Network(network.architecture, network.inputs, network.targets)
        again, slopes = parts.value_and_gradient(points)
        right = parts.accuracy(x)
    np.testing.assert_allclose(again, value, rtol=1e-14)
    np.testing.assert_allclose(slopes, gradient, rtol=1e-11, atol=1e-15)
    assert right == network.accuracy(x)


def test_what_it_remembers_is_of_the_very_weights() -> None:
    network, x = made(("tanh", "relu"), "squared-error", False)
    before = network.value(x)
    x[3] += 1  # in place, as a finite difference does
    fresh = Network(network.architecture, network.inputs, network.targets)
    assert network.value(x) == fresh.value(x) != before
    np.testing.assert_array_equal(network.gradient(x), fresh.gradient(x))


def test_leading_axes_are_independent_runs() -> None:
    network, x = made(("softplus", "tanh"), "cross-entropy", True)
    points = x + np.random.default_rng(2).normal(size=(2, 3, network.dim))
    value, gradient = network.value_and_gradient(points)
    assert value.shape == (2, 3) and gradient.shape == points.shape
    for place in np.ndindex(2, 3):
        alone = network.value_and_gradient(points[place])
        assert alone[0] == value[place]
        np.testing.assert_array_equal(alone[1], gradient[place])


def test_hits_are_the_share_of_right_answers() -> None:
    inputs = np.array([[1.0], [2.0], [-1.0], [3.0]])
    network = Network(Architecture((1, 2), ()), inputs, np.eye(2)[[0, 0, 0, 1]])
    assert network.accuracy(np.array([1.0, -1.0])) == 0.5


def test_what_is_too_large_is_no_number() -> None:
    network, x = made(("relu", "relu"), "cross-entropy", False)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        network.value(1e200 * x)
    with np.errstate(over="ignore"):
        assert not np.isfinite(network.value(1e200 * x))


# Batches ------------------------------------------------------------------------------------------


@given(st.integers(1, 11), st.integers(0, 40), st.integers(0, 3))
def test_a_batch_depends_on_seed_and_step_alone(size: int, step: int, seed: int) -> None:
    network, x = made(("tanh", "relu"), "cross-entropy", True)
    stream, other = (Batches(network, size, seed, dropout=0.2) for _ in range(2))
    for before in range(min(step, 3)):
        other.at(before).gradient(x)
    batch = stream.at(step)
    assert batch.samples == size
    np.testing.assert_array_equal(batch.gradient(x), other.at(step).gradient(x))
    assert stream.at(step) is batch
    assert stream.full_batch is network


@given(st.integers(1, 11))
def test_all_samples_come_equally_often(size: int) -> None:
    network = Network(Architecture((1, 2), ()), np.arange(11.0)[:, None], np.eye(2)[[0] * 11])
    stream = Batches(network, size)
    met = np.concatenate([stream.at(step).inputs[:, 0] for step in range(11)])
    assert np.bincount(met.astype(int)).tolist() == [size] * 11


def test_a_batch_of_all_samples_is_batch_descent() -> None:
    network, x = made(("tanh", "relu"), "cross-entropy", True)
    for step in (0, 1, 5):
        batch = Batches(network, network.samples, seed=4).at(step)
        np.testing.assert_allclose(batch.gradient(x), network.gradient(x), rtol=1e-11, atol=1e-15)


def test_dropout_silences_units_and_keeps_the_mean() -> None:
    inputs, targets = samples(400)
    network = Network(Architecture((5, 300, 4), ("relu",)), inputs, targets)
    (mask,) = Batches(network, 400, dropout=0.2).at(3).masks
    assert set(np.unique(mask)) == {0.0, 1.25}
    assert mask.mean() == pytest.approx(1, abs=0.01)
    (other,) = Batches(network, 400, dropout=0.2).at(4).masks
    assert (mask != other).any()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_has_its_slope(name: str) -> None:
    z = np.linspace(-30, 30, 1201) + 0.01
    with np.errstate(over="raise"):
        bent, above, below = z.copy(), z + 1e-6, z - 1e-6
        for each in (bent, above, below):
            ACTIVATIONS[name].apply(each)
    np.testing.assert_allclose(ACTIVATIONS[name].slope(bent), (above - below) / 2e-6, atol=1e-8)


def test_a_shape_pickles_and_counts() -> None:
    shape = Architecture((784, 512, 512, 10), ("relu",) * 2, "cross-entropy", bias=True)
    assert shape.dim == 669_706  # as printed in article 3
    assert pickle.loads(pickle.dumps(shape)) == shape
