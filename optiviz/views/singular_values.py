"""The singular values of matrices along each path, against the step."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from optiviz.kinds.run_entries import RunEntry
from optiviz.kinds.run_scene import RunScene
from optiviz.kinds.style import Style
from optiviz.objective import Array
from optiviz.system.errors import InputError
from optiviz.themes import Theme
from optiviz.views import BoxConstraints, View
from optiviz.views.axes import (
    constraints_beside,
    set_heading,
    set_step_limits,
    stacked,
    style_chart,
)
from optiviz.views.paths import LINE_WIDTH, PathArtist, path_style
from optiviz.views.scales import Scale

MAX_LINES, FEW = 8, 4  # of a path, alone and among others; of more, evenly spaced ones are drawn
OTHERS, PALE = 0.6, 0.65  # width and opacity of all lines but that of the largest


class SingularValuesView(View):
    """The singular values of each matrix of weights, at up to 200 evenly spaced steps.

    They are lines in the colour of their path, the largest of them strong. Of several matrices the
    first three are drawn, each in a strip of its own. Muon, whose steps are orthogonal matrices,
    raises all singular values at the same speed; gradient descent raises large ones first (Saxe,
    McClelland and Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear
    neural networks, 2014).
    """

    accompanies = True
    scene: RunScene

    def __init__(self, scene: RunScene, theme: Theme, style: Style) -> None:
        super().__init__(scene, theme, style)
        paths = scene.compared
        self.scales = {
            name: Scale.for_values(
                np.concatenate([path.spectra[name][: len(path.finite_points)] for path in paths]),
                linear=True,
            )
            for name in paths[0].spectra
        }
        if not self.scales:
            raise InputError("singular-values: this model has no matrix of weights")

    @property
    def constraints(self) -> BoxConstraints:
        labels = [said for scale in self.scales.values() for said in scale.ticks()[1]]
        many = len(self.scales)
        return constraints_beside(labels, named=True)._replace(weight=many, strips=many)

    def build(self, axes: Axes) -> None:
        panels = stacked(axes, [1.0] * len(self.scales))
        for panel, (name, scale) in zip(panels, self.scales.items(), strict=True):
            style_chart(panel, self.theme)
            scale.apply(panel, self.labelled)
            shown = self.labelled if panel is panels[-1] else "y"
            set_step_limits(panel, self.scene.steps, shown, self.packed)
            of = f" of {name}" if len(panels) > 1 else ""
            set_heading(panel, self.theme, f"singular values{of}", "singular values")
            for entry in self.scene.entries:
                for start in range(len(entry.trajectories)):
                    self._draw(panel, entry, start, name)

    def _draw(self, axes: Axes, entry: RunEntry, start: int, name: str) -> None:
        path = entry.trajectories[start]
        values: Array = path.spectra[name][: len(path.finite_points)]
        steps = path.step_of_row[: len(values)]
        ends = np.maximum(np.searchsorted(steps, np.arange(path.last + 1), side="right") - 1, 0)
        most = MAX_LINES if len(self.scene.trajectories) == 1 else FEW
        shown = np.linspace(0, values.shape[1] - 1, min(values.shape[1], most)).round()
        for rank in shown.astype(int)[::-1].tolist():
            look: dict[str, Any] = (
                {} if rank == 0 else {"linewidth": OTHERS * LINE_WIDTH, "alpha": PALE}
            )
            self.path_artists.append(
                PathArtist(
                    axes, np.column_stack([steps, values[:, rank]]), ends,
                    path_style(self.theme, entry, start), self.theme, entry.number,
                    self.style.trail, casing=False, head=rank == 0, label=entry.label, **look,
                )
            )  # fmt: skip
