"""Whether the path of an optimizer stays the same when the problem is rotated, moved or scaled."""

from typing import NamedTuple

TRANSFORMATIONS = {
    "rotation": "the variables are rotated",
    "translation": "the minimum is moved, and the start with it",
    "scale-x": "each variable is measured in another unit",
    "scale-f": "the loss is a thousand times as large",
    "noise": "Gaussian noise is added to each gradient",
}


class Invariance(NamedTuple):
    """What a transformation of a problem does to an optimizer with the same hyperparameters.

    difference is the largest difference of its losses from those on the problem as it was, as a
    fraction of the loss at the start, and lost is by what factor its final gap is larger. passes is
    whether the difference is only one of rounding; it is None if the steps are random, or if
    nothing can be said.
    """

    passes: bool | None
    difference: float
    lost: float
    cause: str = ""
