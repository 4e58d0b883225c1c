"""A wrapper that averages instead of letting the learning rate fall: schedule-free+sgd."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from optiviz.objective import Array, FeasibleSet, Objective, ShiftedObjective
from optiviz.optimizers.base import Hyper, hyper
from optiviz.optimizers.wrappers import Wrapper
from optiviz.shapes import Points, Segment, Sketch
from optiviz.system.errors import InputError


class ThreePoints(NamedTuple):
    """State of schedule-free learning, whose average is the point itself."""

    inner: Any  # state of the inner optimizer
    iterate: Array  # (..., dim), z
    gradient_point: Array  # (..., dim), y, where the next gradient is evaluated
    before: Array  # (..., dim), z before the last step
    used: Array  # (..., dim), y of the last step
    largest: Hyper  # the largest learning rate so far
    weights: Hyper  # the sum of the weights of all iterates

    @property
    def recorded(self) -> dict[str, Any]:
        """The numbers that are drawn against the step."""
        kept = {"iterate": self.iterate, "gradient_point": self.gradient_point}
        return {"inner": self.inner, **kept}


@dataclass(frozen=True, eq=False, kw_only=True)
class ScheduleFree(Wrapper):
    """Schedule-free learning: gradients between a fast iterate and the average of its points.

        y <- z + beta * (x - z)                     (z starts at x)
        z <- one step of the inner optimizer from z with the gradient at y
        w <- (the largest lr so far)**2, W <- W + w (W starts at 0)
        x <- x + w / W * (z - x)

    Paper: Defazio et al., The Road Less Scheduled, 2024, equations 3 to 5, with the weights of the
    authors' code; at a constant lr, x is the mean of all z.

    The path is that of the average x, at which models are evaluated; z and y are drawn as lines of
    their own. With sgd the same as the authors' SGDScheduleFree, and with adam:beta1=0 as their
    AdamWScheduleFree, without weight decay, which is that of the inner optimizer at z and not at y.
    Late, when the average hardly moves, schedule-free+sgd stays stable up to a curvature of
    2 / (lr * (1 - beta)).
    """

    remembers_points = True
    beta: Hyper = hyper(
        0.9, help="how far the gradient is evaluated from iterate to average", within="[0, 1]"
    )

    @property
    def has_sketch(self) -> bool:
        return True

    def check_set(self, allowed: FeasibleSet) -> None:
        super().check_set(allowed)
        if not allowed.convex:
            raise InputError("the set must be convex, so that averages of its points are in it")

    def init(self, x: Array) -> ThreePoints:
        return ThreePoints(self.inner.init(x), x, x, x, x, 0.0, 0.0)

    def step(self, objective: Objective, x: Array, state: ThreePoints) -> tuple[Array, ThreePoints]:
        z, y = state.iterate, state.gradient_point
        after, inner = self.inner.step(ShiftedObjective(objective, y - z), z, state.inner)
        rate = self.inner.hyperparameters()[self.rate] if self.rate else 1.0
        largest = np.maximum(state.largest, rate)
        weights = state.weights + largest**2
        share = np.where(weights > 0, largest**2 / np.where(weights > 0, weights, 1.0), 0.0)
        average = x + share * (after - x)
        ahead = after + self.beta * (average - after)
        return average, ThreePoints(inner, after, ahead, z, y, largest, weights)

    def sketch(self, state: ThreePoints) -> Sketch:
        iterate = np.stack([state.before, state.iterate])
        between = np.stack([state.used, state.gradient_point])
        return (
            *self.inner.sketch(state.inner),
            Segment(iterate, "iterate"),
            Points(iterate[1:], "iterate"),
            Segment(between, "gradient-point"),
            Points(between[1:], "gradient-point"),
        )

    def preconditioner(self, state: ThreePoints) -> Array | None:
        return self.inner.preconditioner(state.inner)

    def stability_limit(self, step: int) -> float | None:
        limit, rate = self.inner.stability_limit(step), self.inner.rate_at(step)
        if limit is None or rate is None or not np.isclose(limit * rate, 2) or self.beta == 1:
            return None  # the iterate remembers more than its place, or never leaves the average
        return float(limit / (1 - self.beta))
