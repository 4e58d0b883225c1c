"""The plane of two weights of a network: only what depends on them is computed per point."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from optiviz.objective import Array
from optiviz.surfaces.network import ACTIVATIONS, OUTPUTS, Network, Weight
from optiviz.surfaces.plane import Plane

BLOCK = 3_000_000  # bytes of activations of several points held at once, to fit a CPU cache


@dataclass(frozen=True, eq=False)
class WeightPlane(Plane):
    """The plane of two weights of a network, whose coordinates are the weights themselves.

    Everything before the first layer with one of the weights is computed once. In that layer, only
    the units change that the weights lead to; in the next one, their changes are added to the known
    activations. origin has 0 at both weights.
    """

    objective: Network
    weights: tuple[Weight, Weight]
    _known: "list[_Known]" = field(default_factory=list, repr=False)

    @classmethod
    def of(cls, network: Network, x: Array, weights: Sequence[Weight]) -> "WeightPlane":
        """Return the plane of two different weights through a network with parameters x."""
        first, second = weights
        places = [network.architecture.index(each) for each in (first, second)]
        origin = x.copy()
        origin[places] = 0
        directions = np.zeros((2, len(x)))
        directions[[0, 1], places] = 1
        return cls(network, origin, directions, (first, second))

    def value(self, x: Array) -> Array:
        return self._evaluated(np.asarray(x, float), slopes=None)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        slopes = np.zeros(np.shape(x))
        return self._evaluated(np.asarray(x, float), slopes), slopes

    @property
    def known(self) -> "_Known":
        """The parts that are the same on the whole plane, computed when first used."""
        if not self._known:
            self._known.append(_Known.of(self.objective, self.origin, self.weights))
        return self._known[0]

    def _many(self) -> int:
        return max(1, BLOCK // (8 * self.known.widths * self.objective.samples))

    def _thread_copy(self) -> Plane:
        return self  # its known parts do not change

    def _evaluated(self, x: Array, slopes: Array | None) -> Array:
        points = x.reshape(-1, 2)
        losses = np.zeros(len(points))
        found = np.zeros((len(points), 2)) if slopes is not None else None
        with np.errstate(over="ignore", invalid="ignore"):
            for some, samples in self._blocks(len(points)):
                within = None if found is None else found[some]
                losses[some] += self.known.loss_and_slopes(points[some], samples, within)
        if slopes is not None and found is not None:
            slopes[...] = found.reshape(slopes.shape)
        if not np.isfinite(losses).all():
            np.multiply(np.finfo(float).max, 2.0)  # an overflow, as in a network
        return losses.reshape(x.shape[:-1])

    def _blocks(self, points: int) -> Iterator[tuple[slice, slice]]:
        """Yield slices of points and samples whose activations fit into BLOCK bytes."""
        many, samples = self._many(), self.objective.samples
        few = samples if many > 1 else max(1, BLOCK // (8 * self.known.widths))
        for begin in range(0, points, many):
            for first in range(0, samples, few):
                yield slice(begin, begin + many), slice(first, min(first + few, samples))


@dataclass(frozen=True, eq=False)
class _Known:
    """The parts of a network that do not change with the two weights of a plane.

    rows are the units of layer `first` that the weights lead to. Arrays of shape (rows, ...) belong
    to these units, those of shape (2, samples) to the units that the weights come from, if these do
    not change.
    """

    network: Network
    weights: Sequence[Weight]
    layers: Sequence[tuple[Array, Array | None]]
    first: int
    rows: list[int]
    mixes: Array  # (rows, 2, samples): derivatives of the units' z by the weights
    z: Array  # (rows, samples), with both weights 0
    activated: Array  # (rows, samples), the activations of z
    entering: dict[int, Array]  # by weight of the next layer, (samples,): its constant input
    after: Array  # (samples, units): z of the next layer, or of outputs if there is none
    targets: Array  # (samples, outputs), for the outputs in `after`
    rest: Array  # (samples,): loss of the outputs left out of `after`

    @classmethod
    def of(cls, network: Network, origin: Array, weights: Sequence[Weight]) -> "_Known":
        """Return the constant parts, computed at the origin, where both weights are 0."""
        shape, layers = network.architecture, network.architecture.unpacked(origin)
        first = min(weight.layer for weight in weights)
        rows = sorted({weight.row for weight in weights if weight.layer == first})
        many, last = network.samples, first == shape.layers - 1
        mixes, z = np.zeros((len(rows), 2, many)), np.empty((len(rows), many))
        entering: dict[int, Array] = {
            number: np.empty(many)
            for number, weight in enumerate(weights)
            if weight.layer == first + 1 and weight.column not in rows
        }
        after = np.empty((many, shape.sizes[first + 1 if last else first + 2]))
        matrix, bias = layers[first]
        for part, held in network.activations(origin, first):
            own = held @ matrix.T
            own += 0 if bias is None else bias
            for number, weight in enumerate(weights):
                if weight.layer == first:
                    mixes[rows.index(weight.row), number, part] = held[:, weight.column]
            z[:, part] = own[:, rows].T
            if last:
                after[part] = own
                continue
            ACTIVATIONS[shape.activations[first]].apply(own)
            for number, column in entering.items():
                column[part] = own[:, weights[number].column]
            further, shift = layers[first + 1]
            np.matmul(own, further.T, out=after[part])
            after[part] += 0 if shift is None else shift
        activated, targets, rest = z.copy(), network.targets, np.zeros(many)
        if last:
            after, targets, rest = _left_out(network, after, rows)
        else:
            ACTIVATIONS[shape.activations[first]].apply(activated)
        return cls(
            network,
            weights,
            layers,
            first,
            rows,
            mixes,
            z,
            activated,
            entering,
            after,
            targets,
            rest,
        )

    @property
    def widths(self) -> int:
        """The number of values held per sample and point."""
        further = self.network.architecture.sizes[self.first + 2 :]
        return 4 * (len(self.rows) + int(self.after.shape[1])) + 3 * sum(further)

    def loss_and_slopes(self, points: Array, samples: slice, slopes: Array | None) -> Array:
        """Return the samples' share of the loss at points, shape (points,); add to the slopes."""
        loss_and_delta, number = (
            OUTPUTS[self.network.architecture.loss].loss_and_delta,
            self.network.samples,
        )
        own = np.matmul(points, self.mixes[..., samples])  # (rows, points, samples)
        own += self.z[:, None, samples]
        if self.first == self.network.architecture.layers - 1:
            outputs = self._outputs(own, samples)
            losses = loss_and_delta(outputs, self.targets[samples]) + self.rest[samples]
            if slopes is not None:
                delta = np.moveaxis(outputs[..., : len(self.rows)], -1, 0)
                self._add(slopes, delta / number, samples)
            total: Array = losses.sum(axis=-1) / number
            return total
        ACTIVATIONS[self.network.architecture.activations[self.first]].apply(own)
        held, z = self._forward(points, own, samples)
        total = loss_and_delta(z, self.targets[samples]).sum(axis=-1) / number
        if slopes is not None:
            z /= number
            self._add(slopes, self._backward(points, own, held, z, samples, slopes), samples)
        return total

    def _outputs(self, own: Array, samples: slice) -> Array:
        """Return z of the outputs that change, and of one output for all others of a softmax."""
        left = self.after[samples, len(self.rows) :]
        if not left.shape[1] and len(own) == 1:
            alone: Array = own[0][..., None]
            return alone
        outputs = np.empty((*own.shape[1:], len(own) + left.shape[1]))
        outputs[..., : len(own)] = np.moveaxis(own, 0, -1)
        outputs[..., len(own) :] = left
        return outputs

    def _forward(self, points: Array, own: Array, samples: slice) -> tuple[list[Array], Array]:
        """Return what enters each layer from first + 2 on, and the last z.

        own are the activations of the units that change, (rows, points, samples).
        """
        held: list[Array] = []
        moved = np.moveaxis(own - self.activated[:, None, samples], 0, -1)
        z = np.matmul(moved, self.layers[self.first + 1][0][:, self.rows].T)
        z += self.after[samples]
        for layer in range(self.first + 1, len(self.layers)):
            if layer > self.first + 1:
                ACTIVATIONS[self.network.architecture.activations[layer - 1]].apply(z)
                held.append(z)
                matrix, bias = self.layers[layer]
                z = np.matmul(z, matrix.T)
                z += 0 if bias is None else bias
            for number, weight in self._in(layer):
                column = self._column(number, layer, own, held, samples)
                z[..., weight.row] += points[:, number, None] * column
        return held, z

    def _backward(
        self,
        points: Array,
        own: Array,
        held: list[Array],
        delta: Array,
        samples: slice,
        slopes: Array,
    ) -> Array:
        """Return dloss/dz of the units that change, (rows, points, samples).

        delta is that of the last layer. Slopes along weights of later layers are added to `slopes`.
        """
        for layer in range(len(self.layers) - 1, self.first, -1):
            for number, weight in self._in(layer):
                column = self._column(number, layer, own, held, samples)
                slopes[:, number] += (delta[..., weight.row] * column).sum(axis=-1)
            matrix = self.layers[layer][0]
            wanted = self.rows if layer == self.first + 1 else range(matrix.shape[1])
            before = delta @ matrix[:, wanted]
            for number, weight in self._in(layer):
                if weight.column in wanted:
                    place = list(wanted).index(weight.column)
                    before[..., place] += points[:, number, None] * delta[..., weight.row]
            if layer > self.first + 1:
                slope = ACTIVATIONS[self.network.architecture.activations[layer - 1]].slope
                before *= slope(held[layer - self.first - 2])
            delta = before
        activated = np.moveaxis(delta, -1, 0)
        return activated * ACTIVATIONS[self.network.architecture.activations[self.first]].slope(own)

    def _in(self, layer: int) -> list[tuple[int, Weight]]:
        return [each for each in enumerate(self.weights) if each[1].layer == layer]

    def _column(
        self, number: int, layer: int, own: Array, held: list[Array], samples: slice
    ) -> Array:
        """Return the activations of the unit that a weight of a later layer comes from."""
        unit = self.weights[number].column
        column: Array
        if layer > self.first + 1:
            column = held[layer - self.first - 2][..., unit]
        elif number in self.entering:
            column = self.entering[number][samples]
        else:
            column = own[self.rows.index(unit)]
        return column

    def _add(self, slopes: Array, delta: Array, samples: slice) -> None:
        """Add the slopes along the weights of the first layer; delta is (rows, points, samples)."""
        slopes += np.einsum("rps,ris->pi", delta, self.mixes[..., samples])


def _left_out(network: Network, z: Array, rows: list[int]) -> tuple[Array, Array, Array]:
    """Return z, targets and the loss of outputs that do not change, as in `_Known`.

    The first columns belong to outputs that change. All other outputs of a softmax act like one
    output; sigmoids are independent of each other.
    """
    others = [unit for unit in range(z.shape[1]) if unit not in rows]
    kept, left = network.targets[:, rows], network.targets[:, others]
    if network.architecture.loss == "squared-error":
        losses = OUTPUTS["squared-error"].loss_and_delta(z[:, others].copy(), left)
        return z[:, rows], kept, losses
    if not others:
        return z[:, rows], kept, np.zeros(len(z))
    top = z[:, others].max(axis=1)
    shared = top + np.log(np.exp(z[:, others] - top[:, None]).sum(axis=1))
    share = left.sum(axis=1)
    rest = share * shared - (left * z[:, others]).sum(axis=1)
    return np.column_stack([z[:, rows], shared]), np.column_stack([kept, share]), rest
