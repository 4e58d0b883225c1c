"""The error view: the loss of the plane beside the true one, and how far from it paths are."""

from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from optiviz.descent.trajectory import Trajectory
from optiviz.kinds.run_entries import RunEntry
from optiviz.kinds.run_scene import RunScene
from optiviz.kinds.style import Style
from optiviz.objective import Array
from optiviz.themes import Theme
from optiviz.views import BoxConstraints, View
from optiviz.views.axes import (
    constraints_beside,
    set_heading,
    set_step_limits,
    stacked,
    style_chart,
)
from optiviz.views.paths import PathArtist, path_style
from optiviz.views.scales import Scale

DOTTED = (0, (0.1, 2.0))  # with round ends
DOTTED_WIDTH = 1.7
HEIGHTS = 1.6, 1.0  # of the losses and of the distance


class ErrorView(View):
    """What the drawn plane hides, at up to 200 evenly spaced steps of each path.

    Above, the true loss of a path is a line, and the loss of the plane at the nearest point, which
    is the height of the ground under the path, is dotted in the same colour. Below is the distance
    between the two points, in all dimensions.
    """

    accompanies = True
    scene: RunScene

    def __init__(self, scene: RunScene, theme: Theme, style: Style) -> None:
        super().__init__(scene, theme, style)
        found = [self._at_steps(path) for path in scene.compared]
        losses = np.concatenate([each for _, true, planes, _ in found for each in (true, planes)])
        self.scales = (
            Scale.for_values(losses[np.isfinite(losses)]),
            Scale.for_values(np.concatenate([away for *_, away in found]), linear=True),
        )

    @property
    def constraints(self) -> BoxConstraints:
        labels = [said for scale in self.scales for said in scale.ticks()[1]]
        return constraints_beside(labels, named=True)._replace(weight=sum(HEIGHTS), strips=2)

    def build(self, axes: Axes) -> None:
        panels = stacked(axes, HEIGHTS)
        for panel, scale in zip(panels, self.scales, strict=True):
            style_chart(panel, self.theme)
            scale.apply(panel, self.labelled)
            shown = self.labelled if panel is panels[-1] else "y"
            set_step_limits(panel, self.scene.steps, shown, self.packed)
        what = "plane" if self.scene.surface.dim > 1 else "line"
        losses, distance = panels
        ways = f"true loss, and the {what}'s dotted", f"loss, the {what}'s dotted", f"{what} dotted"
        set_heading(losses, self.theme, *ways)
        set_heading(distance, self.theme, f"distance from the {what}", "distance")
        for entry in self.scene.entries:
            for start, path in enumerate(entry.trajectories):
                self._draw(panels, entry, start, path)

    def _draw(self, panels: list[Axes], entry: RunEntry, start: int, path: Trajectory) -> None:
        steps, true, planes, away = self._at_steps(path)
        style = path_style(self.theme, entry, start)
        ends = np.maximum(np.searchsorted(steps, np.arange(path.last + 1), side="right") - 1, 0)
        dotted = replace(style, dash=DOTTED)
        for panel, values, look in (
            (panels[0], planes, {"head": False, "linewidth": DOTTED_WIDTH}),
            (panels[0], true, {}),
            (panels[1], away, {}),
        ):
            settings = {"dash_capstyle": "round", **look} if values is planes else look
            self.path_artists.append(
                PathArtist(
                    panel, np.column_stack([steps, values]), ends,
                    dotted if values is planes else style, self.theme, entry.number,
                    self.style.trail, casing=False, label=entry.label, **settings,
                )
            )  # fmt: skip

    def _at_steps(self, path: Trajectory) -> tuple[NDArray[np.intp], Array, Array, Array]:
        """Return the steps at which the plane's loss is known, the true loss, it and the distance.

        Each has shape (n,), with at least the start.
        """
        rows = self.scene.judged_rows(path)
        steps = path.step_of_row[rows]
        planes = self.scene.plane_losses(path)[rows]
        return steps, path.true_losses_by_step[steps], planes, path.row_distances[rows]
