"""The trials view: final loss against a hyperparameter, with the spread over starts shaded."""

from functools import partial
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from optiviz.descent.search import DECADE
from optiviz.kinds.style import Style
from optiviz.kinds.tune import TuneEntry, TuneScene
from optiviz.objective import Array
from optiviz.themes import Theme
from optiviz.views import BoxConstraints, View
from optiviz.views.axes import constraints_beside, set_heading, set_limits, style_chart
from optiviz.views.paths import HEAD_ZORDER, LINE_WIDTH, PATH_ZORDER, head_style, path_style
from optiviz.views.scales import Scale
from optiviz.views.ticks import ticks

SHADE = 0.16  # opacity of the spread over starts
DIMENSIONS = 2  # hyperparameters from which on only the best trial of each band is drawn
BANDS = 24  # number of these bands


class TrialCurve(NamedTuple):
    """The curve of an optimizer, in arrays of shape (n,): values, losses and their spread."""

    values: Array
    medians: Array
    low: Array
    high: Array


class TrialsView(View):
    """The median final loss of every trial against the first tuned hyperparameter, usually lr.

    The shaded area holds the middle half of the runs. The curve has a gap where half of the runs
    diverge. If more than one hyperparameter is tuned, the curve joins the best trial of each band
    of values. An optimizer without this hyperparameter has a horizontal line.
    """

    scene: TuneScene

    def __init__(self, scene: TuneScene, theme: Theme, style: Style) -> None:
        super().__init__(scene, theme, style)
        self.key = next(key for entry in scene.entries for key in entry.search.values)
        self.curves = [self._curve(entry) for entry in scene.entries]
        drawn = [each for curve in self.curves for each in curve[1:]]
        self.scale = Scale.for_values(np.concatenate(drawn))

    def _curve(self, entry: TuneEntry) -> TrialCurve:
        found = entry.search
        losses = np.stack([found.medians, *found.spread])
        if self.key not in found.values:
            return TrialCurve(np.full(2, np.nan), *losses[:, [found.best, found.best]])
        values = found.values[self.key]
        order = np.argsort(values, kind="stable")
        if len(found.values) >= DIMENSIONS:
            bands = np.array_split(order, min(BANDS, len(order)))
            order = np.array([band[np.argmin(found.medians[band])] for band in bands])
        return TrialCurve(values[order], *losses[:, order])

    @property
    def ends(self) -> tuple[float, float]:
        """The limits of the x axis, from the smallest and the largest value tried."""
        values = np.concatenate([curve.values for curve in self.curves])
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        return (low, high) if low < high else (low / 2, high * 2)

    @property
    def constraints(self) -> BoxConstraints:
        return constraints_beside(self.scale.ticks()[1], named=True, names=(self.key, ""))

    def build(self, axes: Axes) -> None:
        style_chart(axes, self.theme)
        set_heading(axes, self.theme, "final loss")
        low, high = self.ends
        if low > 0 and high / low >= DECADE:
            axes.set_xscale("log")
            axes.xaxis.set_minor_locator(NullLocator())
            decades = Scale("log", (low, high))
            set_limits(axes, "x", (low, high), decades.ticks, self.key)
        else:
            set_limits(axes, "x", (low, high), partial(ticks, low, high), self.key)
        self.scale.apply(axes)
        for entry, curve in zip(self.scene.entries, self.curves, strict=True):
            style, above = path_style(self.theme, entry), PATH_ZORDER + entry.number
            level = self.key not in entry.search.values
            values = np.array(self.ends) if level else curve.values
            known = np.isfinite(curve.medians)
            top = np.minimum(curve.high, self.scale.limits[1])
            axes.fill_between(
                values, curve.low, top, where=known, color=style.color, alpha=SHADE, linewidth=0,
                zorder=above - PATH_ZORDER,
            )  # fmt: skip
            axes.plot(
                values, np.where(known, curve.medians, np.nan), color=style.color,
                linestyle=style.dash, linewidth=LINE_WIDTH, zorder=above, label=entry.label,
            )  # fmt: skip
            found = entry.search
            if found.any_usable and self.key in found.values:
                axes.plot(
                    found.values[self.key][found.best], found.medians[found.best],
                    **head_style(self.theme, style), clip_on=False,
                    zorder=HEAD_ZORDER + entry.number,
                )  # fmt: skip
