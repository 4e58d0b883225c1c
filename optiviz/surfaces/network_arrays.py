"""A network's loss at many points at once, by products of arrays."""

import numpy as np

from optiviz.objective import Array, pass_on
from optiviz.surfaces.network import ACTIVATIONS, OUTPUTS, Batches, Network

BLOCK = 4_000_000  # bytes of activations held at once


class NetworkArrays:
    """A network that is evaluated at all points of an array together: an Objective.

    For a small network that is many times as fast as one after another, but last bits may differ.
    One point alone gives what the network gives. At most about BLOCK bytes are held at once.
    """

    def __init__(self, network: Network) -> None:
        pass_on(network, self)
        self.network, self.dim = network, network.dim
        whole = network.full_batch
        self.full_batch = None if whole is None else NetworkArrays(whole)
        numbers = network.samples * sum(network.architecture.sizes) + network.dim
        self._points = max(1, BLOCK // (8 * numbers))  # at once

    def value(self, x: Array) -> Array:
        """Return the loss, shape (...), for x of shape (..., dim)."""
        return self._evaluated(x, None)

    def gradient(self, x: Array) -> Array:
        """Return its gradient, shape (..., dim)."""
        return self.value_and_gradient(x)[1]

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return value and gradient."""
        gradient = np.empty(np.shape(x))
        return self._evaluated(x, gradient.reshape(-1, self.dim)), gradient

    def _evaluated(self, x: Array, gradient: Array | None) -> Array:
        """Return the losses, and write gradients into an array of shape (n, dim) unless None."""
        points = np.reshape(x, (-1, self.dim))
        losses = np.empty(len(points))
        with np.errstate(over="ignore", invalid="ignore"):
            for begin in range(0, len(points), self._points):
                part = slice(begin, begin + self._points)
                slopes = None if gradient is None else gradient[part]
                losses[part] = self._block(points[part], slopes)
        return losses.reshape(np.shape(x)[:-1])

    def _block(self, x: Array, gradient: Array | None) -> Array:
        network, many = self.network, len(x)
        if many <= 1 or self._points <= 1:
            if gradient is None:
                return network.value(x)
            value, gradient[:] = network.value_and_gradient(x)
            return value
        layout = network.architecture
        weights, entered, held = [], [], network.inputs
        for number, begin in enumerate(layout.offsets):
            inputs, outputs = layout.sizes[number : number + 2]
            middle = begin + inputs * outputs
            weights.append(x[:, begin:middle].reshape(many, outputs, inputs))
            if number and network.masks:
                held = held * network.masks[number - 1]
            entered.append(held)
            held = np.matmul(held, weights[-1].transpose(0, 2, 1))
            if layout.bias:
                held += x[:, None, middle : middle + outputs]
            if number < len(layout.activations):
                ACTIVATIONS[layout.activations[number]].apply(held)
        losses = OUTPUTS[layout.loss].loss_and_delta(held, network.targets)
        if gradient is not None:
            self._backward(weights, entered, held / network.samples, gradient)
        found: Array = losses.sum(axis=-1) / network.samples
        return found

    def _backward(
        self, weights: list[Array], entered: list[Array], delta: Array, gradient: Array
    ) -> None:
        """Write gradients of shape (n, dim); delta is dloss/dz of the last layer."""
        network = self.network
        layout = network.architecture
        for number in reversed(range(layout.layers)):
            begin, (_, outputs, inputs) = layout.offsets[number], weights[number].shape
            middle = begin + inputs * outputs
            slopes = np.matmul(delta.transpose(0, 2, 1), entered[number])
            gradient[:, begin:middle] = slopes.reshape(len(gradient), -1)
            if layout.bias:
                gradient[:, middle : middle + outputs] = delta.sum(axis=1)
            if number:
                before = entered[number]
                delta = np.matmul(delta, weights[number])
                if network.masks:
                    mask = network.masks[number - 1]
                    delta = delta * mask
                    before = np.divide(before, mask, out=np.zeros_like(before), where=mask != 0)
                delta *= ACTIVATIONS[layout.activations[number - 1]].slope(before)


class NetworkArrayBatches:
    """A network on mini-batches, each evaluated at all points of an array together: a Stream."""

    def __init__(self, batches: Batches) -> None:
        pass_on(batches, self)
        self._batches, self.dim = batches, batches.dim

    def at(self, step: int) -> NetworkArrays:
        """Return the network on the batch of step number `step`."""
        return NetworkArrays(self._batches.at(step))
