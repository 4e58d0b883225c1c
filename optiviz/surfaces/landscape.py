"""A declared network on its data, where its weights begin, and the plane through them."""

from functools import cached_property, lru_cache

import numpy as np

from optiviz.objective import Array
from optiviz.surfaces.datasets import load_dataset
from optiviz.surfaces.network import Network, Shape, Weight
from optiviz.surfaces.plane import Plane, random_directions
from optiviz.surfaces.weight_plane import WeightPlane
from optiviz.surfaces.words import NetworkWords, PlaneWords
from optiviz.system.errors import InputError

MOST_PARAMETERS = 20_000_000


class Landscape:
    """A declared network on its data, where its weights begin, and the plane if it is known."""

    def __init__(self, words: NetworkWords, plane: PlaneWords) -> None:
        data = load_dataset(words.data, words.seed, words.sha256)
        many = len(data.inputs)
        if words.samples is not None and words.samples > many:
            raise InputError(f"samples {words.samples}: {words.data} has {many}")
        sizes = (data.inputs.shape[1], *words.hidden, data.targets.shape[1])
        self.words, self.plane_words = words, plane
        self.shape = Shape(sizes, words.activations, words.loss, words.bias)
        if self.shape.dim > MOST_PARAMETERS:
            raise InputError(
                f"a network of {self.shape.dim} weights is too large: {MOST_PARAMETERS} at most"
            )
        self._check_weights()
        kept = slice(words.samples)
        self.network = Network(self.shape, data.inputs[kept], data.targets[kept])
        self.held_out = (
            Network(self.shape, data.test_inputs, data.test_targets)
            if len(data.test_inputs)
            else None
        )

    def _check_weights(self) -> None:
        for weight in self.plane_words.weights:
            sizes = self.shape.sizes
            said = "/".join(map(str, weight))
            if weight[0] >= self.shape.layers:
                raise InputError(
                    f"weight {said}: the network has layers 0 to {self.shape.layers - 1}"
                )
            rows, columns = sizes[weight[0] + 1], sizes[weight[0]]
            if weight[1] >= rows or weight[2] >= columns:
                raise InputError(
                    f"weight {said}: layer {weight[0]} has rows 0 to {rows - 1} "
                    f"and columns 0 to {columns - 1}"
                )

    @cached_property
    def initial(self) -> Array:
        """The weights before the first step, shape (dim,)."""
        return self.shape.initial(self.words.init, self.words.seed)

    @cached_property
    def plane(self) -> Plane:
        """The plane; raises InputError if it is known only after a descent."""
        words = self.plane_words
        if words.kind == "path":
            raise InputError("the plane of the paths is known only after a descent")
        if words.kind == "weights":
            pair = [Weight(*each) for each in words.weights]
            return WeightPlane.of(self.network, self.initial, pair)
        directions = random_directions(self.network, self.initial, words.seed)
        return Plane(self.network, self.initial, directions)

    @property
    def caption(self) -> str:
        """What the network is, in one line."""
        words, many = self.words, self.network.samples
        bends = "-".join(dict.fromkeys(words.activation))
        parts = [
            words.data.partition(":")[2].rpartition("/")[2] or words.data,
            f"{many} sample{'s' if many > 1 else ''}",
            f"{'-'.join(map(str, self.shape.sizes))} {bends}",
            words.loss.replace("-", " "),
        ]
        return ", ".join(parts + ([f"dropout {words.dropout:g}"] if words.dropout else []))

    @property
    def axes(self) -> tuple[str, str]:
        """The names of the plane's coordinates, if it is known before a descent."""
        words = self.plane_words
        if words.kind == "weights":
            first, second = (f"w{layer}[{row}, {column}]" for layer, row, column in words.weights)
            return first, second
        return "direction 1", "direction 2"

    def accuracy(self, x: Array) -> float | None:
        """Return the share of held-out samples that weights x get right; None if there are none."""
        if self.held_out is None or not np.isfinite(x).all():
            return None
        return self.held_out.hits(x)


@lru_cache(maxsize=8)
def landscape(words: NetworkWords, plane: PlaneWords) -> Landscape:
    """Return the landscape of these words; the same words share one."""
    return Landscape(words, plane)
