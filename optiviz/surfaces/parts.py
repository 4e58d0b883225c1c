"""Named parts of a flat vector of parameters: the tensors of a model, one after another."""

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from optiviz.objective import Array
from optiviz.system.errors import InputError


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


def flat_vector(found: Mapping[str, Array], parts: Sequence[Part], file: str) -> Array:
    """Return the parameters in named tensors as one vector, shape (dim,).

    Raises InputError, which begins with the name of the file that they are from and names the first
    key that differs, if a tensor is missing, is left over, or has another shape.
    """
    known = {part.name: part for part in parts}
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
