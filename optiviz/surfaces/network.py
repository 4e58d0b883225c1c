"""A multi-layer perceptron's loss as an objective over all of its weights, and its mini-batches.

Parameters are one flat vector: for each layer the matrix of weights, shape (outputs, inputs), row
by row, then the biases, if there are any.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from optiviz.objective import Array
from optiviz.surfaces.batches import samples_of_batch
from optiviz.surfaces.parts import Part, parts_of
from optiviz.surfaces.plane import difference_product

BLOCK = 32_000_000  # bytes of activations held at once
BENT = 1e-8  # relative step of differences, over which few of a network's units have a kink
LARGEST = np.finfo(float).max

Loss = Literal["squared-error", "cross-entropy"]
Init = Literal["normal", "xavier", "he"]
ActivationName = Literal["sigmoid", "tanh", "relu", "softplus"]


class Activation(NamedTuple):
    """An activation: `apply` replaces z by a = f(z) in place, `slope` returns f'(z) from a."""

    apply: Callable[[Array], object]
    slope: Callable[[Array], Array]


def _sigmoid(z: Array) -> None:
    np.negative(z, out=z)
    with np.errstate(over="ignore"):
        np.exp(z, out=z)  # inf where the sigmoid is 0
    z += 1
    np.reciprocal(z, out=z)


def _softplus(z: Array) -> None:
    rest = np.log1p(np.exp(-np.abs(z)))
    np.maximum(z, 0, out=z)
    z += rest


ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": Activation(_sigmoid, lambda a: a * (1 - a)),
    "tanh": Activation(lambda z: np.tanh(z, out=z), lambda a: 1 - a * a),
    "relu": Activation(lambda z: np.maximum(z, 0, out=z), lambda a: (a > 0).astype(float)),
    "softplus": Activation(_softplus, lambda a: -np.expm1(-a)),
}


class Output(NamedTuple):
    """The output of a network: `predict` turns the last z into predictions in place.

    `loss_and_delta` returns the loss of each sample, shape (...), for z and targets of shape
    (..., outputs), and replaces z by the derivative of that loss with respect to z.
    """

    predict: Callable[[Array], None]
    loss_and_delta: Callable[[Array, Array], Array]


def _largest(z: Array) -> Array:
    """Return the largest along the last axis, shape (..., 1), fast also if that is short."""
    found: Array = np.ascontiguousarray(np.moveaxis(z, -1, 0)).max(axis=0)[..., None]
    return found


def _softmax(z: Array) -> None:
    z -= _largest(z)
    np.exp(z, out=z)
    z /= z.sum(axis=-1, keepdims=True)


def _squared_error(z: Array, targets: Array) -> Array:
    _sigmoid(z)
    slope = 2 * ACTIVATIONS["sigmoid"].slope(z)
    z -= targets
    losses: Array = np.einsum("...k,...k->...", z, z)
    z *= slope
    return losses


def _cross_entropy(z: Array, targets: Array) -> Array:
    z -= _largest(z)
    said = np.einsum("...k,...k->...", z, np.broadcast_to(targets, z.shape))
    np.exp(z, out=z)
    total = z.sum(axis=-1)
    z /= total[..., None]
    z -= targets
    losses: Array = np.log(total) - said
    return losses


OUTPUTS: dict[str, Output] = {
    "squared-error": Output(_sigmoid, _squared_error),
    "cross-entropy": Output(_softmax, _cross_entropy),
}


class Weight(NamedTuple):
    """A weight of a network: into unit `row` of layer `layer`, from the unit `column` before."""

    layer: int
    row: int
    column: int


@dataclass(frozen=True)
class Architecture:
    """A network's structure: units of each layer, inputs first; an activation per hidden layer."""

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str = "squared-error"
    bias: bool = False

    @property
    def layers(self) -> int:
        """The number of layers of weights."""
        return len(self.sizes) - 1

    @cached_property
    def dim(self) -> int:
        """The number of parameters."""
        return sum((fan_in + self.bias) * fan_out for fan_in, fan_out in self._fans)

    @property
    def _fans(self) -> list[tuple[int, int]]:
        return list(zip(self.sizes, self.sizes[1:], strict=False))

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """The index of each layer's first parameter."""
        counts = [(fan_in + self.bias) * fan_out for fan_in, fan_out in self._fans]
        return tuple(sum(counts[:layer]) for layer in range(self.layers))

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The weights and biases of each layer, by names such as layer0.weight."""
        shapes: list[tuple[str, tuple[int, ...]]] = []
        for layer, (fan_in, fan_out) in enumerate(self._fans):
            shapes.append((f"layer{layer}.weight", (fan_out, fan_in)))
            if self.bias:
                shapes.append((f"layer{layer}.bias", (fan_out,)))
        return parts_of(shapes)

    def index(self, weight: Weight) -> int:
        """Return the index of a weight in the parameters."""
        layer, row, column = weight
        return self.offsets[layer] + row * self.sizes[layer] + column

    def unpacked(self, x: Array) -> list[tuple[Array, Array | None]]:
        """Return each layer's weights, shape (outputs, inputs), and biases, as views of x."""
        parts: list[tuple[Array, Array | None]] = []
        for begin, (fan_in, fan_out) in zip(self.offsets, self._fans, strict=True):
            middle = begin + fan_in * fan_out
            weights = x[begin:middle].reshape(fan_out, fan_in)
            parts.append((weights, x[middle : middle + fan_out] if self.bias else None))
        return parts

    def initial(self, init: str, seed: int) -> Array:
        """Draw weights with numpy's RandomState(seed).randn, layer by layer; biases are 0.

        "normal" has a standard deviation of 1, as in article 5; "xavier" has
        sqrt(2 / (inputs + outputs)) (Glorot and Bengio, 2010, equation 16, as torch's
        xavier_normal_); "he" has sqrt(2 / inputs) (He et al., 2015, equation 10, as torch's
        kaiming_normal_ and article 4).
        """
        random, x = np.random.RandomState(seed), np.zeros(self.dim)
        for weights, _ in self.unpacked(x):
            fan_out, fan_in = weights.shape
            scale = {"normal": 1.0, "xavier": 2 / (fan_in + fan_out), "he": 2 / fan_in}[init]
            weights[:] = random.randn(fan_out, fan_in) * math.sqrt(scale)
        return x


class Network:
    """The mean loss of a perceptron over samples: an Objective over its parameters.

    inputs has shape (samples, features), targets (samples, outputs). With the squared error the
    outputs are sigmoids and the loss of a sample is the sum of (output - target)**2; with the
    cross-entropy they are a softmax and the loss is -sum(target * log(output)). Gradients are
    exact, by back-propagation (Rumelhart, Hinton and Williams, 1986); the slope of a relu at 0 is
    0. masks, one of shape (samples, units) per hidden layer, multiply its activations (dropout).
    At most BLOCK bytes of activations are held at once.
    """

    def __init__(
        self, architecture: Architecture, inputs: Array, targets: Array, masks: Sequence[Array] = ()
    ) -> None:
        self.architecture, self.inputs, self.targets, self.masks = (
            architecture,
            inputs,
            targets,
            masks,
        )
        self._room: list[Array] = []  # buffers of activations, reused by each call
        self._known: Array | None = None  # the parameters whose activations are in the buffers
        self._losses = math.nan
        self.full_batch: Network | None = None  # of which these samples are a batch
        self.chosen = np.arange(len(inputs))  # which of its samples they are

    @property
    def dim(self) -> int:
        """The number of parameters."""
        return self.architecture.dim

    @property
    def parts(self) -> tuple[Part, ...]:
        """The weights and biases of each layer."""
        return self.architecture.parts

    @property
    def samples(self) -> int:
        """The number of samples."""
        return len(self.inputs)

    def value(self, x: Array) -> Array:
        """Return the loss, shape (...), for x of shape (..., dim)."""
        return self._each(x, lambda point: self._value(point, None))

    def gradient(self, x: Array) -> Array:
        """Return its gradient, shape (..., dim)."""
        return self.value_and_gradient(x)[1]

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return loss and gradient from one forward and one backward pass."""
        gradient = np.empty(np.shape(x))
        rows = iter(gradient.reshape(-1, self.dim))
        return self._each(x, lambda point: self._value(point, next(rows))), gradient

    def sample_gradients(self, x: Array) -> Array:
        """Return the gradient of the loss of each sample, shape (..., samples, dim)."""
        gradients = np.empty((*np.shape(x)[:-1], self.samples, self.dim))
        rows = gradients.reshape(-1, self.samples, self.dim)
        self._known = None
        for point, row in zip(np.reshape(x, (-1, self.dim)), rows, strict=True):
            layers = self.architecture.unpacked(point)
            for part in self._parts():
                with np.errstate(over="ignore", invalid="ignore"):
                    self._lose(layers, part)
                for number, entering, delta in self._deltas(layers, part):
                    begin, many = self.architecture.offsets[number], layers[number][0].size
                    products = delta[:, :, None] * entering[:, None, :]
                    row[part, begin : begin + many] = products.reshape(len(delta), many)
                    if self.architecture.bias:
                        row[part, begin + many : begin + many + delta.shape[1]] = delta
        return gradients

    def hessian_product(self, x: Array, v: Array) -> Array:
        """Return the Hessian at x times v, both of shape (dim,), by central differences."""
        return difference_product(self.gradient, x, v, BENT)

    def thread_copy(self) -> "Network":
        """Return the same network with buffers of its own, for another thread."""
        return Network(self.architecture, self.inputs, self.targets, self.masks)

    def fingerprint(self) -> tuple[bytes, ...]:
        """Return what its losses depend on beside the parameters."""
        arrays = self.inputs, self.targets
        shapes = repr((self.architecture, *(array.shape for array in arrays))).encode()
        return (shapes, *(np.ascontiguousarray(array).tobytes() for array in arrays))

    def accuracy(self, x: Array) -> float:
        """Return the share of samples whose largest output is the target's."""
        right = 0
        for part, held in self.activations(x):
            right += int((held.argmax(-1) == self.targets[part].argmax(-1)).sum())
        return right / self.samples

    def activations(self, x: Array, layer: int | None = None) -> Iterator[tuple[slice, Array]]:
        """Yield slices of samples and what enters a layer for them, shape (samples, units).

        If layer is None, yield the last z, before the output activation.
        """
        self._known = None
        for part in self._parts():
            with np.errstate(over="ignore", invalid="ignore"):
                held = self._forward(self.architecture.unpacked(x), part, layer)
            yield part, held[-1]

    def _each(self, x: Array, loss: Callable[[Array], float]) -> Array:
        points = np.reshape(x, (-1, self.dim))
        with np.errstate(over="ignore", invalid="ignore"):
            losses: Array = np.array([loss(point) for point in points])
        if not np.isfinite(losses).all():
            np.multiply(LARGEST, 2.0)  # signals an overflow, which matrix products do not
        return losses.reshape(np.shape(x)[:-1])

    def _parts(self) -> Iterator[slice]:
        """Yield slices of samples whose activations fit into BLOCK bytes."""
        widths = sum(self.architecture.sizes[1:]) * (2 if self.masks else 1) + 2 * max(
            self.architecture.sizes
        )
        many = max(1, BLOCK // (8 * widths))
        for begin in range(0, self.samples, many):
            yield slice(begin, min(begin + many, self.samples))

    def _value(self, x: Array, gradient: Array | None) -> float:
        """Return the loss at one point; write its gradient into `gradient` unless it is None."""
        parts = list(self._parts())
        layers, slopes = self.architecture.unpacked(x), None
        if gradient is not None:
            slopes = self.architecture.unpacked(gradient)
            if len(parts) > 1:
                gradient[:] = 0
        elif len(parts) == 1 and self._holds(x):
            return self._losses / self.samples
        total = 0.0
        for part in parts:
            if not (len(parts) == 1 and self._holds(x)):
                self._losses = self._lose(layers, part)
                self._known = x.copy() if len(parts) == 1 else None
            total += self._losses
            if slopes is not None:
                self._backward(layers, part, slopes)
                self._known = None
        return total / self.samples

    def _lose(self, layers: Sequence[tuple[Array, Array | None]], part: slice) -> float:
        """Return the sum of the losses of a part, and leave dloss/dz instead of the last z."""
        z = self._forward(layers, part)[-1]
        output = OUTPUTS[self.architecture.loss]
        return float(output.loss_and_delta(z, self.targets[part]).sum())

    def _holds(self, x: Array) -> bool:
        """Return whether the buffers hold the activations of x, as after computing its loss."""
        return self._known is not None and np.array_equal(self._known, x)

    def _forward(
        self, layers: Sequence[tuple[Array, Array | None]], part: slice, until: int | None = None
    ) -> list[Array]:
        """Return the activations of each layer, inputs first; the last are z, not activated."""
        held = [self.inputs[part]]
        room = self._rooms(part.stop - part.start)
        for number, (weights, bias) in enumerate(layers[:until]):
            entering = held[-1]
            if number and self.masks:
                entering = np.multiply(entering, self.masks[number - 1][part])
            z = np.matmul(entering, weights.T, out=room[number])
            if bias is not None:
                z += bias
            if number < len(self.architecture.activations):
                ACTIVATIONS[self.architecture.activations[number]].apply(z)
            held.append(z)
        return held

    def _backward(
        self,
        layers: Sequence[tuple[Array, Array | None]],
        part: slice,
        slopes: Sequence[tuple[Array, Array | None]],
    ) -> None:
        """Write the gradient by all parameters, from activations whose last are dloss/dz.

        If the part is not all samples, add to the gradient instead.
        """
        last = self._rooms(part.stop - part.start)[-1]
        last /= self.samples
        alone = part.stop - part.start == self.samples
        for number, entering, delta in self._deltas(layers, part):
            weights, bias = slopes[number]
            if alone:
                np.matmul(delta.T, entering, out=weights)
            else:
                weights += delta.T @ entering
            if bias is not None and alone:
                delta.sum(axis=0, out=bias)
            elif bias is not None:
                bias += delta.sum(axis=0)

    def _deltas(
        self, layers: Sequence[tuple[Array, Array | None]], part: slice
    ) -> Iterator[tuple[int, Array, Array]]:
        """Yield each layer's number, what enters it and dloss/dz, from the last layer on."""
        held = [self.inputs[part], *self._rooms(part.stop - part.start)]
        delta = held[-1]
        for number in reversed(range(len(layers))):
            mask = self.masks[number - 1][part] if number and self.masks else None
            yield number, held[number] if mask is None else held[number] * mask, delta
            if number:
                delta = delta @ layers[number][0]
                if mask is not None:
                    delta *= mask
                delta *= ACTIVATIONS[self.architecture.activations[number - 1]].slope(held[number])

    def _rooms(self, samples: int) -> list[Array]:
        if not self._room or len(self._room[0]) < samples:
            self._room = [np.empty((samples, units)) for units in self.architecture.sizes[1:]]
        return [room[:samples] for room in self._room]


@dataclass(eq=False)
class Batches:
    """A network on mini-batches: a Stream of its loss on each batch.

    Each epoch goes through all samples in a new random order, `size` of them per step; with
    size = samples, each batch is all of them. dropout is the probability that a hidden unit is
    dropped in a step; the activations of the others are divided by 1 - dropout (Srivastava et al.,
    2014, as in Keras and torch). Both depend only on (seed, step).
    """

    network: Network
    size: int
    seed: int = 0
    dropout: float = 0.0
    _last: tuple[int, Network] | None = field(default=None, repr=False)

    @property
    def dim(self) -> int:
        """The number of parameters."""
        return self.network.dim

    @property
    def parts(self) -> tuple[Part, ...]:
        """The weights and biases of each layer."""
        return self.network.parts

    @property
    def full_batch(self) -> Network:
        """The network on all samples, without dropout."""
        return self.network

    def hessian_product(self, x: Array, v: Array) -> Array:
        """Return the Hessian of the loss of all samples at x times v, both of shape (dim,)."""
        return self.network.hessian_product(x, v)

    def sample_gradients(self, x: Array) -> Array:
        """Return the gradient of the loss of each sample, shape (..., samples, dim)."""
        return self.network.sample_gradients(x)

    def at(self, step: int) -> Network:
        """Return the network on the batch of step number `step`."""
        if self._last is not None and self._last[0] == step:
            return self._last[1]
        chosen = samples_of_batch(self.network.samples, self.size, self.seed, step)
        batch = Network(
            self.network.architecture,
            self.network.inputs[chosen],
            self.network.targets[chosen],
            self._masks(step),
        )
        batch.full_batch, batch.chosen = self.network, chosen
        if self._last is not None:
            batch._room = self._last[1]._room
            self._last[1]._room = []
            self._last[1]._known = None
        self._last = step, batch
        return batch

    def _masks(self, step: int) -> list[Array]:
        if not self.dropout:
            return []
        random, keep = np.random.default_rng([self.seed, step, 1]), 1 - self.dropout
        return [
            (random.random((self.size, units)) < keep) / keep
            for units in self.network.architecture.sizes[1:-1]
        ]
