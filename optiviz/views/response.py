"""The response view: a signal of gradients over time, and the updates that answer it."""

import numpy as np
from matplotlib.axes import Axes

from optiviz.kinds.response import ResponseScene
from optiviz.kinds.style import Style
from optiviz.themes import Theme
from optiviz.views import BoxConstraints, View
from optiviz.views.axes import constraints_beside
from optiviz.views.charts import style_steps
from optiviz.views.legend_entries import GRADIENT
from optiviz.views.paths import PathArtist, path_style
from optiviz.views.scales import Scale


class ResponseView(View):
    """The gradient as a static line, and the growing updates on the same axis."""

    scene: ResponseScene
    legend_entries = (GRADIENT,)

    def __init__(self, scene: ResponseScene, theme: Theme, style: Style) -> None:
        super().__init__(scene, theme, style)
        updates = [entry.update for entry in scene.entries]
        values = np.concatenate([scene.signal.gradient, *updates])
        self.scale = Scale.for_values(values, linear=True)

    @property
    def constraints(self) -> BoxConstraints:
        return constraints_beside(self.scale.ticks()[1], named=True)

    def build(self, axes: Axes) -> None:
        style_steps(axes, self, self.scale, "gradient and update")
        axes.axhline(0, color=self.theme.muted, linewidth=0.8, zorder=1)
        gradient = np.array(self.scene.signal.gradient)
        axes.fill_between(
            range(len(gradient)),
            gradient,
            color=self.theme.muted,
            alpha=0.18,
            linewidth=0,
            zorder=1,
        )
        axes.plot(gradient, color=self.theme.muted, linewidth=1.2, zorder=2)
        # Smaller updates lie on top of larger ones, which would hide them.
        sizes = [float(np.median(np.abs(entry.update))) for entry in self.scene.entries]
        for layer, place in enumerate(np.argsort(sizes)[::-1]):
            entry = self.scene.entries[place]
            known = np.isfinite(entry.update)
            last = len(known) if known.all() else int(np.argmin(known))
            if not last:
                continue
            steps = np.arange(last)
            self.path_artists.append(
                PathArtist(
                    axes, np.column_stack([steps, entry.update[:last]]), steps,
                    path_style(self.theme, entry), self.theme, layer, casing=False,
                    linewidth=1.6, label=entry.label,
                )
            )  # fmt: skip
