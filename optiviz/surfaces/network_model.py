"""A declared network on its data, with its initial weights and the plane through them."""

from functools import cached_property, lru_cache

import numpy as np

from optiviz.objective import Array, Objective, Stream
from optiviz.surfaces.batches import check_batch_size
from optiviz.surfaces.config import NetworkConfig, PlaneConfig
from optiviz.surfaces.datasets import load_dataset
from optiviz.surfaces.network import Architecture, Batches, Network, Weight
from optiviz.surfaces.parts import place_of
from optiviz.surfaces.plane import Plane
from optiviz.surfaces.space import Space
from optiviz.surfaces.weight_plane import WeightPlane
from optiviz.system.errors import InputError
from optiviz.system.text import counted

MAX_PARAMETERS = 20_000_000
MAX_MASKED = 50_000_000  # units times samples that dropout may mask in a step


class NetworkModel(Space):
    """A declared network on its data, with initial weights, and with its plane if known."""

    def __init__(self, config: NetworkConfig, plane: PlaneConfig) -> None:
        data = load_dataset(config.data, config.seed, config.sha256)
        many = len(data.inputs)
        if config.samples is not None and config.samples > many:
            raise InputError(
                f"samples must be at most {many} for {config.data}, not {config.samples}"
            )
        sizes = (data.inputs.shape[1], *config.hidden, data.targets.shape[1])
        self.config, self.plane_config = config, plane
        self.architecture = Architecture(sizes, config.activations, config.loss, config.bias)
        if self.architecture.dim > MAX_PARAMETERS:
            raise InputError(
                f"at most {MAX_PARAMETERS} weights are allowed, not {self.architecture.dim}"
            )
        self.parts = self.architecture.parts
        for name in plane.weights:
            place_of(name, self.parts)
        kept = slice(config.samples)
        self.network = Network(self.architecture, data.inputs[kept], data.targets[kept])
        self.objective = self.network
        self.initial = self.architecture.initial(config.init, config.seed)
        self.held_out = (
            Network(self.architecture, data.test_inputs, data.test_targets)
            if len(data.test_inputs)
            else None
        )

    @cached_property
    def plane(self) -> Plane:
        """The plane; raises InputError if it is known only after a descent."""
        pair = self._pair
        return super().plane if pair is None else WeightPlane.of(self.network, self.initial, pair)

    @property
    def _pair(self) -> list[Weight] | None:
        """The two weights that the plane varies; None if it has others, or biases."""
        places = [place_of(name, self.parts) for name in self.plane_config.weights]
        pair = []
        for number, part in enumerate(self.parts):
            for place in places if len(part.shape) > 1 else ():
                if 0 <= place - part.offset < part.size:
                    row, column = divmod(place - part.offset, part.shape[1])
                    layer = number // (1 + self.architecture.bias)
                    pair.append((places.index(place), Weight(layer, row, column)))
        return [weight for _, weight in sorted(pair)] if len(pair) == 2 else None

    @property
    def caption(self) -> str:
        """A description of the network in one line."""
        config = self.config
        activations = "-".join(dict.fromkeys(config.activations))
        parts = [
            config.data.partition(":")[2].rpartition("/")[2] or config.data,
            counted(self.network.samples, "sample"),
            f"{'-'.join(map(str, self.architecture.sizes))} {activations}".strip(),
            config.loss.replace("-", " "),
        ]
        return ", ".join(parts + ([f"dropout {config.dropout:g}"] if config.dropout else []))

    def batches(self, size: int | None, seed: int) -> Objective | Stream:
        network, dropout = self.network, self.config.dropout
        many = size or network.samples
        check_batch_size(many, network.samples, "network")
        if size is None and not dropout:
            return network
        units = sum(network.architecture.sizes[1:-1])
        if dropout and many * units > MAX_MASKED:
            raise InputError(
                f"dropout of {units} units in batches of {many} takes too much memory: "
                "use smaller batches"
            )
        return Batches(network, many, seed, dropout)

    def hessian_product(self, x: Array, v: Array) -> Array:
        return self.network.hessian_product(x, v)

    def accuracy(self, x: Array) -> float | None:
        """Return the share of test samples classified correctly at weights x, or None.

        It is None if there are no test samples or x is not finite.
        """
        if self.held_out is None or not np.isfinite(x).all():
            return None
        return self.held_out.accuracy(x)


@lru_cache(maxsize=8)
def network_model(config: NetworkConfig, plane: PlaneConfig) -> NetworkModel:
    """Return the model of a network and plane; equal declarations share one."""
    return NetworkModel(config, plane)
