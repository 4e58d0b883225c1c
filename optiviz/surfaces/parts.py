"""Named parts of a flat vector of parameters: the tensors of a model, one after another."""

import re
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from optiviz.objective import Array
from optiviz.system.errors import InputError, did_you_mean

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
        return cut.reshape((*x.shape[:-1], *self.shape))


def singular_values(part: Part, x: Array) -> Array:
    """Return the singular values of a part in points of shape (n, dim), shape (n, k).

    The largest is the first. A part of more than two axes is the matrix of the first by all others;
    nan where a point is not finite.
    """
    matrices = part.of(x).reshape(len(x), part.shape[0], -1)
    finite = np.isfinite(matrices).all(axis=(1, 2))
    found = np.full((len(x), min(matrices.shape[1:])), np.nan)
    found[finite] = np.linalg.svd(matrices[finite], compute_uv=False)
    return found


def parts_of(shapes: Iterable[tuple[str, tuple[int, ...]]]) -> tuple[Part, ...]:
    """Return the parts of tensors with these names and shapes, one after another."""
    parts, offset = [], 0
    for name, shape in shapes:
        parts.append(Part(name, tuple(shape), offset))
        offset += parts[-1].size
    return tuple(parts)


def matrix_parts(shape: tuple[int, int]) -> tuple[Part, ...]:
    """Return the only part of a vector that is one matrix, row by row."""
    return parts_of([("matrix", shape)])


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


def entry_name(text: str) -> str:
    """Return the name of one parameter, such as fc2.weight[5,250], without spaces.

    Raises ValueError if it is none.
    """
    name = "".join(text.split())
    tensor, _, index = name.partition("[")
    if not name.isprintable() or not (tensor or index):
        raise ValueError(f"{text!r} is not a valid weight: write fc2.weight[5,250]")
    return name


def place_of(name: str, parts: Sequence[Part]) -> int:
    """Return where a parameter such as fc2.weight[5,250] is in the flat vector.

    That is the name of a part and an index from 0, or the name alone of a part with one number.
    Raises InputError with the nearest name, or with the indices that there are.
    """
    known = {part.name: part for part in parts}
    indexed = re.fullmatch(r"(.+)\[(\d+(?:,\d+)*)\]", name)
    tensor, index = name, tuple[int, ...]()
    if indexed and name not in known:
        tensor, index = indexed[1], tuple(map(int, indexed[2].split(",")))
    if tensor not in known:
        said = did_you_mean("weight", tensor, known)
        if not index and parts[0].shape:
            said += (
                f" (with an index, as in {parts[0].name}[{','.join('0' * len(parts[0].shape))}])"
            )
        raise InputError(said)
    shape = known[tensor].shape
    if len(index) != len(shape) or any(at >= side for at, side in zip(index, shape, strict=True)):
        first, last = (",".join(map(str, each)) for each in ([0] * len(shape), _last(shape)))
        span = f"{tensor}[{first}] to {tensor}[{last}]" if shape else f"{tensor}, one number"
        raise InputError(f"there is no {name}, only {span}")
    inside = int(np.ravel_multi_index(index, shape)) if shape else 0
    return known[tensor].offset + inside


def _last(shape: tuple[int, ...]) -> list[int]:
    return [side - 1 for side in shape]


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
