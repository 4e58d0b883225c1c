"""The loss view: loss against step."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from optiviz.descent.trajectory import Trajectory
from optiviz.kinds.run_scene import RunScene
from optiviz.kinds.style import Style
from optiviz.objective import Array
from optiviz.themes import Theme
from optiviz.views import BoxConstraints, View
from optiviz.views.axes import constraints_beside
from optiviz.views.charts import style_steps
from optiviz.views.paths import FADED_OPACITY, PathArtist, path_style
from optiviz.views.scales import Scale, power_above

LEAST = 1e-16  # share of the largest first loss, about the precision of float64
FAINT: dict[str, Any] = {"head": False, "linewidth": 1.0, "alpha": FADED_OPACITY}


class LossView(View):
    """The loss of each path against the step, growing with the animation.

    The axis is logarithmic if losses are positive and differ by a factor of 10 or more. Losses
    below 1e-16 of the largest first one, about the precision of float64, are drawn at its lower
    end: there is nothing to see in them, and they would hide what is. With `smooth`, each point
    is the mean of that many steps up to it, and the losses themselves are faint in the background.
    So are the losses of batches behind the loss of all samples.
    """

    accompanies = True
    scene: RunScene

    def __init__(self, scene: RunScene, theme: Theme, style: Style) -> None:
        super().__init__(scene, theme, style)
        self.has_batches = any(path.true_losses is not None for path in scene.compared)
        losses = [path.losses[path.known_steps] for path in scene.compared]
        losses += [true_losses(path) for path in scene.compared]
        first = [abs(loss) for each in losses for loss in each[:1] if np.isfinite(loss)]
        floor = float(LEAST * max(first, default=0.0))
        self.scale = Scale.for_values(np.concatenate(losses), floor=power_above(floor))

    @property
    def constraints(self) -> BoxConstraints:
        return constraints_beside(self.scale.ticks()[1], named=True)

    def build(self, axes: Axes) -> None:
        style_steps(axes, self, self.scale, *self.names)
        for entry in self.scene.entries:
            for start, path in enumerate(entry.trajectories):
                style = path_style(self.theme, entry, start)
                for line in self.lines(path):
                    settings = FAINT if line.faint else {}
                    self.path_artists.append(
                        PathArtist(
                            axes, np.column_stack([line.steps, self.scale.raised(line.values)]),
                            line.row_of_step,
                            style, self.theme, entry.number, self.style.trail, casing=False,
                            label=entry.label, **settings,
                        )
                    )  # fmt: skip

    @property
    def names(self) -> list[str]:
        """Names of what is drawn, the longest first."""
        many = self.style.smooth
        if many > 1:
            what = "each step's loss" if self.has_batches else "loss"
            return [f"{what}, mean of {many} steps", f"loss, mean of {many}", f"mean of {many}"]
        return ["loss, each step's own faint", "loss"] if self.has_batches else ["loss"]

    def lines(self, path: Trajectory) -> "Iterator[Line]":
        """Yield the lines of a path; the last one carries the head."""
        many, losses = self.style.smooth, path.losses[: path.last + 1]
        steps, latest = path.known_steps, path.known_of_step
        of_batches = path.true_losses is not None
        if many > 1 or of_batches:
            yield Line(steps, losses[steps], latest, faint=True)
        if many > 1 or not of_batches:
            yield Line(steps, trailing_mean(losses, many)[steps], latest)
        else:
            yield Line(
                path.step_of_row[: len(path.finite_points)], true_losses(path), path.row_of_step
            )


class Line(NamedTuple):
    """Values at some steps, and for each step of the path the index of its latest value."""

    steps: NDArray[np.intp]
    values: Array
    row_of_step: NDArray[np.intp]
    faint: bool = False


def true_losses(path: Trajectory) -> Array:
    """Return the losses over all samples at a path's kept finite points, shape (n,).

    Empty if every step has the same objective.
    """
    return (
        path.losses[:0] if path.true_losses is None else path.true_losses[: len(path.finite_points)]
    )


def trailing_mean(values: Array, many: int) -> Array:
    """Return the mean of each value and those before it: `many` values, fewer at the beginning.

    values and the result have shape (n,). Values that are nan are left out.
    """
    known = ~np.isnan(values)
    counted = np.where(known, values, 0.0)
    total = np.zeros(len(values))  # cumulative sums would lose small values
    number = np.zeros(len(values))
    for back in range(min(many, len(values))):
        total[back:] += counted[: len(values) - back]
        number[back:] += known[: len(values) - back]
    with np.errstate(invalid="ignore"):
        return total / number
