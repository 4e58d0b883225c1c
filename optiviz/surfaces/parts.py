"""Named parts of a flat vector of parameters: the tensors of a model, one after another."""

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from optiviz.objective import Array
from optiviz.system.errors import InputError

WRAPPERS = "module.", "_orig_mod."  # of DataParallel and AveragedModel, and of torch.compile
COUNT = "n_averaged"  # of AveragedModel, beside the model's own


class Part(NamedTuple):
    """A tensor of parameters: its name, its shape, and where it begins in the flat vector."""

    name: str
    shape: tuple[int, ...]
    offset: int

    @property
    def size(self) -> int:
        """The number of parameters."""
        return prod(self.shape)

    def of(self, x: Array) -> Array:
        """Return its parameters as a view of x, shape (..., dim), in the tensor's shape."""
        cut = x[..., self.offset : self.offset + self.size]
        return cut.reshape(*x.shape[:-1], *self.shape)


def parts_of(shapes: Iterable[tuple[str, tuple[int, ...]]]) -> tuple[Part, ...]:
    """Return the parts of tensors with these names and shapes, one after another."""
    parts, offset = [], 0
    for name, shape in shapes:
        parts.append(Part(name, tuple(shape), offset))
        offset += parts[-1].size
    return tuple(parts)


def bare_names(names: Iterable[str]) -> dict[str, str]:
    """Return the names of tensors by those that they have in a wrapped model, without a prefix.

    >>> bare_names(["n_averaged", "module.fc.weight", "module.fc.bias"])
    {'module.fc.weight': 'fc.weight', 'module.fc.bias': 'fc.bias'}
    """
    bare = {name: name for name in names}
    while True:
        for prefix in WRAPPERS:
            own = {key: each for key, each in bare.items() if each != COUNT}
            if own and all(each.startswith(prefix) for each in own.values()):
                bare = {key: each.removeprefix(prefix) for key, each in own.items()}
                break
        else:
            return bare


def flat_vector(found: Mapping[str, Array], parts: Sequence[Part], file: str) -> Array:
    """Return the parameters in named tensors as one vector, shape (dim,).

    The names may be those of a wrapped model. Raises InputError, which begins with the name of the
    file that they are from and names the first key that differs, if a tensor is missing, is left
    over, or has another shape.
    """
    found = {bare: found[name] for name, bare in bare_names(found).items()}
    bare = bare_names(part.name for part in parts)
    known = {bare.get(part.name, part.name): part for part in parts}
    for name, part in known.items():
        if name not in found:
            raise InputError(f"{file}: is of another model: it has no {name}")
        shape = np.shape(found[name])
        if shape != part.shape:
            raise InputError(
                f"{file}: is of another model: {name} has shape {shape}, not {part.shape}"
            )
    for name in found:
        if name not in known:
            raise InputError(f"{file}: is of another model, which has {name}")
    vectors = [np.asarray(found[name], float).reshape(-1) for name in known]
    return np.concatenate([*vectors, np.zeros(0)])
