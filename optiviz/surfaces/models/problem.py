"""The contract of people's own models: a loss over a flat vector of all parameters."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from optiviz.objective import Array, Objective, Stream
from optiviz.registry import BatchNorm, Device, DType
from optiviz.surfaces.parts import Part, flat_vector
from optiviz.surfaces.plane import difference_product
from optiviz.system.errors import InputError
from optiviz.system.text import plain_text


@dataclass(frozen=True)
class Setting:
    """How a model is evaluated, where it has a choice; None leaves it as the model is."""

    device: Device = "auto"
    dtype: DType | None = None
    batch_norm: BatchNorm = "trained"


def name_of(given: str, otherwise: str) -> str:
    """Return the name of a problem on one line; raise InputError if it is no printable text."""
    if not isinstance(given, str):
        raise InputError(f"name must be text, not {type(given).__name__}")
    try:
        return plain_text(given) or otherwise
    except ValueError as error:
        raise InputError(f"name {error}") from None


class ModelProblem(ABC):
    """The loss of a model over one flat vector of float64, an Objective, and its mini-batches.

    parts are the model's tensors within the vector, initial is where it stands, shape (dim,), and
    samples the number of samples that it learns, None if batches of any size cannot be drawn.
    """

    initial: Array
    parts: tuple[Part, ...]
    samples: int | None = None
    is_random: bool = False  # whether steps depend on a seed even without batches
    caption: str = ""  # a description in one line
    code: str = ""  # the hash of the files that it is written in, "" if these are not known

    @property
    def dim(self) -> int:
        """The number of parameters."""
        return len(self.initial)

    @abstractmethod
    def value(self, x: Array) -> Array:
        """Return the loss of all samples, shape (...), for x of shape (..., dim)."""

    @abstractmethod
    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return value and gradient, shapes (...) and (..., dim)."""

    def gradient(self, x: Array) -> Array:
        """Return the gradient, shape (..., dim)."""
        return self.value_and_gradient(x)[1]

    def hessian_product(self, x: Array, v: Array) -> Array:
        """Return the Hessian at x times v, both of shape (dim,).

        By central differences of the gradient, unless the model knows better.
        """
        return difference_product(self.gradient, x, v)

    def values_on_plane(self, origin: Array, directions: Array, points: Array) -> Array:
        """Return the losses at origin + points @ directions, shape (n,).

        directions have shape (k, dim) and points (n, k). Safe in several threads at once on
        different `thread_copy`s.
        """
        return np.array([float(self.value(origin + point @ directions)) for point in points])

    @property
    def points_at_once(self) -> int:
        """The number of points of a plane that are best evaluated in one call."""
        return 4

    def batches(self, size: int | None, seed: int) -> Objective | Stream:
        """Return what is descended: batches of `size` samples, or all at every step if None.

        Raises InputError if there are no batches of this size.
        """
        if size is not None:
            raise InputError("has no samples for batches")
        return self

    def accuracy(self, x: Array) -> float | None:
        """Return the share of test samples classified correctly, None if there are none."""
        return None

    def thread_copy(self) -> "Self | None":
        """Return the same problem, to be evaluated in another thread at the same time.

        None if it must not be.
        """
        return self

    def with_setting(self, setting: Setting) -> "ModelProblem":
        """Return the problem on a device, in a dtype; raise InputError if it cannot be."""
        for name in ("device", "dtype", "batch_norm"):
            if getattr(setting, name) != getattr(Setting, name):
                raise InputError(f"{name}: is for models of PyTorch and JAX")
        return self

    def from_tensors(self, found: Mapping[str, Any], file: str) -> "tuple[Array, Self]":
        """Return the parameters in a checkpoint, shape (dim,), and the problem with its buffers.

        Raises InputError that begins with the name of the file and names the first key that
        differs, if it is of another model.
        """
        return flat_vector(found, self.parts, file), self

    @abstractmethod
    def fingerprint(self) -> tuple[bytes, ...]:
        """Return what its losses depend on beside the parameters, as far as that can be known.

        Cached losses are kept by it, and by the losses at some points.
        """
