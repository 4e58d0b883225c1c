"""The rate view: the learning rate against the step."""

import numpy as np
from matplotlib.axes import Axes

from optiviz.kinds.run_entries import RunEntry
from optiviz.kinds.run_scene import RunScene
from optiviz.kinds.style import Style
from optiviz.objective import Array
from optiviz.system.errors import InputError
from optiviz.themes import Theme
from optiviz.views import BoxConstraints, View
from optiviz.views.axes import constraints_beside
from optiviz.views.charts import style_steps
from optiviz.views.paths import PathArtist, path_style
from optiviz.views.scales import Scale

APART = 100.0  # ratio of two optimizers' largest rates from which the axis is logarithmic


class RateView(View):
    """The learning rate with which each step was taken, as its schedule has it, or as it was found.

    The first one is shown at step 0, too. What has no learning rate has no line. Raises
    InputError if nothing has one.
    """

    accompanies = True
    scene: RunScene

    def __init__(self, scene: RunScene, theme: Theme, style: Style) -> None:
        super().__init__(scene, theme, style)
        entries = scene.siblings or scene.entries
        largest = [float(rates.max()) for each in entries if (rates := rates_of(each)).size]
        if not largest:
            raise InputError("rate: none of these optimizers has a learning rate to draw")
        found = np.concatenate([rates_of(entry) for entry in entries])
        self.scale = Scale.for_values(found, linear=max(largest) < APART * min(largest))

    @property
    def constraints(self) -> BoxConstraints:
        return constraints_beside(self.scale.ticks()[1], named=True)

    def build(self, axes: Axes) -> None:
        style_steps(axes, self, self.scale, "learning rate", "rate")
        for entry in self.scene.entries:
            rates = rates_of(entry)
            if rates.size:
                steps = np.arange(len(rates))
                # From each step to the next a level line, which ends at vertex 2k for step k.
                stairs = np.column_stack([np.repeat(steps, 2)[:-1], np.repeat(rates, 2)[1:]])
                self.path_artists.append(
                    PathArtist(
                        axes, stairs, 2 * steps, path_style(self.theme, entry), self.theme,
                        entry.number, self.style.trail, casing=False, label=entry.label,
                    )
                )  # fmt: skip


def rates_of(entry: RunEntry) -> Array:
    """Return the learning rate of the step that leads to each step, shape (last + 1,).

    That of step 0 is the first one. A method that finds its rate on its way records it in its
    states; then it is that from the first start. Empty if there is no learning rate.
    """
    last = max(path.last for path in entry.trajectories)
    found_on_way = entry.trajectories[0].states.get("rate")
    if found_on_way is not None and found_on_way.ndim == 1 and last:
        return np.concatenate([found_on_way[1:2], found_on_way[1 : entry.trajectories[0].last + 1]])
    found = [entry.rate_at(max(step - 1, 0)) for step in range(last + 1)]
    return np.array([rate for rate in found if rate is not None])
