"""A wrapper that shortens long gradients: clip+sgd."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from optiviz.objective import Array, Objective
from optiviz.optimizers.base import Hyper, SameRule, hyper, length
from optiviz.optimizers.wrappers import ChangedGradient, ChangesGradient
from optiviz.shapes import Points, Segment, Sketch


class Clipped(NamedTuple):
    """State of a clipped optimizer."""

    inner: Any  # state of the inner optimizer
    point: Array  # (..., dim), that the step left
    tried: Array  # (..., dim), where it would have led without clipping
    norm: Array  # (..., 1), length of the gradient

    @property
    def recorded(self) -> dict[str, Any]:
        """The numbers that are drawn against the step."""
        return {"inner": self.inner, "norm": self.norm[..., 0]}


@dataclass(frozen=True, eq=False, kw_only=True)
class Clip(SameRule, ChangesGradient):
    """Gradient clipping: a gradient that is longer than a threshold is shortened to it.

        g <- g * min(1, max_norm / |g|)
        x <- one step of the inner optimizer with this gradient

    Paper: Pascanu, Mikolov, Bengio, On the difficulty of training recurrent neural networks, 2013,
    algorithm 1.

    The norm is that of the whole gradient, as in optax.clip_by_global_norm; torch's
    clip_grad_norm_ adds 1e-6 to it. The sketch is the step of the gradient as it was.
    """

    max_norm: Hyper = hyper(1.0, help="length of the longest gradient", within="(0, inf)")

    @property
    def has_sketch(self) -> bool:
        return True

    def init(self, x: Array) -> Clipped:
        none = np.zeros_like(x[..., :1])
        return Clipped(self.inner.init(x), np.copy(x), np.copy(x), none)

    def step(self, objective: Objective, x: Array, state: Clipped) -> tuple[Array, Clipped]:
        tried, _ = self.inner.step(objective, x, state.inner)
        shortened = ChangedGradient(objective, lambda each, at: self._clipped(each.gradient(at)))
        moved, inner = self.inner.step(shortened, x, state.inner)
        return moved, Clipped(inner, x, tried, length(objective.gradient(x)))

    def _clipped(self, g: Array) -> Array:
        size = length(g)
        return np.where(size > self.max_norm, g * (self.max_norm / np.where(size > 0, size, 1)), g)

    def sketch(self, state: Clipped) -> Sketch:
        tried = np.where(state.norm > self.max_norm, state.tried, np.nan)
        return (
            *self.inner.sketch(state.inner),
            Segment(np.stack([state.point, tried])),
            Points(tried[None]),
        )
