"""The data of PyTorch models as batches: tensors in tuples and dictionaries, a row per sample."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optiviz.surfaces.models.steps import check_draws
from optiviz.surfaces.models.torch_state import seeded
from optiviz.system.errors import InputError

READ_AT_ONCE = 256  # samples of a Dataset
MOST, MOST_BYTES = 10_000_000, 64_000_000_000  # samples and bytes that are read
STEPS = 16  # whose batches are evaluated as all data, where a function draws them
FORMS = "tensors, a Dataset, a DataLoader or a function of (seed, step)"


def mapped(batch: Any, change: Callable[[Any], Any]) -> Any:
    """Return a batch with every tensor changed; what else it holds stays."""
    import torch

    if isinstance(batch, torch.Tensor):
        return change(batch)
    if isinstance(batch, dict):
        return {key: mapped(each, change) for key, each in batch.items()}
    if isinstance(batch, tuple | list):
        return tuple(mapped(each, change) for each in batch)
    return batch


def tensors_in(batch: Any) -> list[Any]:
    """Return the tensors of a batch, in order."""
    found: list[Any] = []
    mapped(batch, found.append)
    return found


class Samples:
    """All samples in memory; `many` is their number."""

    def __init__(self, batch: Any) -> None:
        self.batch = _as_tensors(batch)
        counts = [len(each) if each.dim() else 0 for each in tensors_in(self.batch)]
        if not counts or not all(counts):
            raise InputError("data: has no samples")
        if len(set(counts)) > 1:
            said = " and ".join(str(each) for each in counts)
            raise InputError(f"data: its tensors must have as many samples each, not {said}")
        self.many: int = counts[0]

    def chosen(self, places: NDArray[Any]) -> Any:
        """Return the batch of some samples."""
        import torch

        device = tensors_in(self.batch)[0].device
        index = torch.from_numpy(places).to(device)
        return mapped(self.batch, lambda each: each[index])

    def mapped(self, change: Callable[[Any], Any]) -> "Samples":
        """Return the samples with every tensor changed."""
        return Samples(mapped(self.batch, change))

    def digest(self) -> bytes:
        """Return a hash of all samples."""
        return digest(self.batch)


class Drawn:
    """Batches that a function of (seed, step) draws.

    All data are the batches of steps 0 to STEPS - 1 of seed 0.
    """

    def __init__(self, draw: Callable[[int, int], Any], change: Callable[[Any], Any]) -> None:
        self._draw, self._change = draw, change
        self._all: list[Any] = []

    def at(self, seed: int, step: int, device: Any) -> Any:
        """Return the batch of a step; what it draws from global generators is seeded, too."""
        with seeded(device, seed, step):
            batch = mapped(_as_tensors(self._draw(seed, step)), self._change)
        if not all(each.dim() and len(each) for each in tensors_in(batch)) or not tensors_in(batch):
            raise InputError(f"data: returned no samples for seed {seed}, step {step}")
        return batch

    def all(self, device: Any) -> list[Any]:
        """Return the batches of all data."""
        if not self._all:
            self._all = [self.at(0, step, device) for step in range(STEPS)]
        return self._all

    def mapped(self, change: Callable[[Any], Any]) -> "Drawn":
        """Return the function with every tensor that it returns changed."""
        return Drawn(self._draw, lambda each: change(self._change(each)))


def read_data(data: Any, device: Any) -> Samples | Drawn:
    """Return a user's data; raise InputError if they are none that are known."""
    import torch
    from torch.utils.data import DataLoader, Dataset

    arrays = isinstance(data, torch.Tensor | tuple | list | dict) or hasattr(data, "__array__")
    if arrays:
        return Samples(data)
    rows = hasattr(data, "__getitem__") and hasattr(data, "__len__")
    if isinstance(data, DataLoader | Dataset) or rows:
        with seeded(device, 0):
            return Samples(_joined(_read(_in_order(data))))
    if not callable(data):
        raise InputError(f"data must be {FORMS}, not {type(data).__name__}")
    check_draws(data)
    return Drawn(data, lambda each: each)


def _in_order(data: Any) -> Iterator[Any]:
    """Yield the batches of a Dataset or a DataLoader, one that shuffles in the Dataset's order."""
    from torch.utils.data import DataLoader, RandomSampler, SequentialSampler

    if not isinstance(data, DataLoader):
        return iter(DataLoader(data, READ_AT_ONCE))
    if type(data.sampler) in (RandomSampler, SequentialSampler) and data.batch_size:
        return iter(DataLoader(data.dataset, data.batch_size, collate_fn=data.collate_fn))
    return iter(data)


def _read(batches: Iterator[Any]) -> list[Any]:
    """Return all batches; raise InputError if they do not end."""
    read, samples, size = [], 0, 0
    for batch in batches:
        read.append(batch)
        tensors = tensors_in(batch)
        samples += len(tensors[0]) if tensors and tensors[0].dim() else 1
        size += sum(each.numel() * each.element_size() for each in tensors)
        if samples > MOST or size > MOST_BYTES:
            raise InputError(
                f"data: must end after at most {MOST:,} samples and {MOST_BYTES:,} bytes: "
                "use a function of (seed, step)"
            )
    return read


def _joined(batches: list[Any]) -> Any:
    """Return batches as one."""
    import torch

    if not batches:
        raise InputError("data: has no samples")
    first = batches[0]
    if isinstance(first, torch.Tensor):
        if len({each.shape[1:] for each in batches}) > 1:
            raise InputError(
                "data: samples must have one shape in all batches: "
                "pad them, or use a function of (seed, step)"
            )
        return torch.cat(batches)
    if isinstance(first, dict):
        return {key: _joined([each[key] for each in batches]) for key in first}
    if isinstance(first, tuple | list):
        return tuple(_joined(list(each)) for each in zip(*batches, strict=True))
    raise InputError(f"data: a batch must hold tensors alone, not {type(first).__name__}")


def _as_tensors(batch: Any) -> Any:
    """Return a batch of tensors of its own that need no gradient, from tensors or arrays."""
    import torch

    if isinstance(batch, torch.Tensor):
        return batch.detach().clone()
    if isinstance(batch, dict):
        return {key: _as_tensors(each) for key, each in batch.items()}
    if isinstance(batch, tuple | list):
        return tuple(map(_as_tensors, batch))
    if hasattr(batch, "__array__"):
        return torch.from_numpy(np.array(batch))
    raise InputError(f"data: a batch must hold tensors alone, not {type(batch).__name__}")


def digest(batch: Any) -> bytes:
    """Return the SHA-256 of the tensors in a batch, with their shapes and types."""
    import torch

    found = sha256()
    for each in tensors_in(batch):
        found.update(repr((each.dtype, tuple(each.shape))).encode())
        plain = each.detach().cpu().contiguous().reshape(-1)
        found.update(plain.view(torch.uint8).numpy().data if plain.numel() else b"")
    return found.digest()
