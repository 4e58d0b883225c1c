"""A wrapper that leaves out the coordinates in which a step would climb: cautious+adam."""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from optiviz.objective import Array, Objective
from optiviz.optimizers.base import Hyper, hyper
from optiviz.optimizers.wrappers import Wrapper
from optiviz.shapes import Points, Segment, Sketch


class Masked(NamedTuple):
    """State of a cautious optimizer."""

    inner: Any  # state of the inner optimizer
    point: Array  # (..., dim), that the step left
    masked: Array  # (..., dim), what was left out of the step; 0 in coordinates that were kept

    @property
    def recorded(self) -> dict[str, Any]:
        """The numbers that are drawn against the step."""
        return {"inner": self.inner, "masked": self.masked}


@dataclass(frozen=True, eq=False, kw_only=True)
class Cautious(Wrapper):
    """Cautious steps: a coordinate moves only where it goes against the gradient.

        u <- the step of the inner optimizer, as x - u
        m <- 1 where u * g > 0, else 0              for each coordinate, g at x
        x <- x - dim / (sum of m + xi) * m * u

    Paper: Liang, Chen, Liu, Liu, Cautious Optimizers: Improving Training with One Line of Code,
    2024, algorithm 1 and equation 3.

    The same as the cautious optimizers of pytorch_optimizer; with xi=0, as the authors' later code.
    Those mask a step without its decoupled weight decay, here it is a part of u. The inner
    optimizer's state knows nothing of the mask. The sketch is what was left out.
    """

    respects: ClassVar = ()  # a part of a step may lead out of a set

    xi: Hyper = hyper(1.0, help="added to the number of coordinates that are kept")

    @property
    def uses_gradient(self) -> bool:  # type: ignore[override]
        return True

    @property
    def has_sketch(self) -> bool:
        return True

    def init(self, x: Array) -> Masked:
        return Masked(self.inner.init(x), np.copy(x), np.zeros_like(x))

    def step(self, objective: Objective, x: Array, state: Masked) -> tuple[Array, Masked]:
        moved, inner = self.inner.step(objective, x, state.inner)
        u = x - moved
        kept = u * objective.gradient(x) > 0
        mask = np.where(kept, 1.0, 0.0)
        many = mask.sum(axis=-1, keepdims=True) + self.xi
        scale = x.shape[-1] / np.where(many > 0, many, 1.0)
        return x - scale * mask * u, Masked(inner, x, np.where(kept, 0.0, -u))

    def sketch(self, state: Masked) -> Sketch:
        left_out = np.where(state.masked != 0, state.masked, np.nan)
        ends = state.point + np.eye(len(state.point)) * state.masked
        ends = np.where(left_out[:, None] == left_out[:, None], ends, np.nan)
        lines = [Segment(np.stack([state.point, end]), "masked") for end in ends]
        return (
            *self.inner.sketch(state.inner),
            *lines,
            *(Points(end[None], "masked") for end in ends),
        )
