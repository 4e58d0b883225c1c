"""How much it matters to find the best value: of the rate, and of each other hyperparameter."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from optiviz.scoring.sensitivity import Sensitivity, rate_sensitivity, value_sensitivity
from optiviz.views import BoxConstraints
from optiviz.views.axes import (
    ABOVE,
    BENEATH,
    BESIDE,
    LETTER,
    LINE,
    NAME,
    TICK,
    annotate_empty,
    figure_of,
    set_heading,
    set_limits,
    size_in_inches,
    style_chart,
)
from optiviz.views.legend_entries import LegendEntry
from optiviz.views.paths import path_style
from optiviz.views.score import AHEAD, ScoreView, of_shares, percents, set_log_limits

SMALL_PANEL = 190.0, 150.0  # points of width and height that a further panel takes at least
LEAST_MAIN = 230.0  # points of width that others leave to the panel of rates
SHARE = 0.6  # of the width, for the panel of rates
MOST_PANELS = 3  # beside it
ROW, BAR = 10.0, 0.5  # points of a row of widths, and the share of it that a bar takes
MOST_OF_ROWS = 0.3  # most of the height for all rows
BETWEEN = 4.0  # points between curves and bars
BARS = LegendEntry("bars: decades where at least half as many are solved", sample=0.0)


class Varied(NamedTuple):
    """What was varied: its name, and the optimizers that have it with what came of it."""

    name: str
    found: dict[int, Sensitivity]  # by number of the optimizer


class SensitivityView(ScoreView):
    """The share of instances solved at multiples of the rate used, and of other values.

    Bars beneath show where at least half as many are solved as at the best, with their width in
    decades.
    """

    @property
    def constraints(self) -> BoxConstraints:
        return of_shares()

    @property
    def legend_entries(self) -> Sequence[LegendEntry]:
        return (BARS,)

    def build(self, axes: Axes) -> None:
        others = self._others()
        wide, high = (72 * side for side in size_in_inches(axes))
        fitting = min(int((high + ABOVE) // SMALL_PANEL[1]), MOST_PANELS, len(others))
        if fitting and wide - LEAST_MAIN >= SMALL_PANEL[0]:
            for panel, varied in zip(_beside(axes, fitting), others[:fitting], strict=True):
                self._draw(panel, varied, self._names(varied.name), "solved")
        self._draw(axes, self._rates(), ("times the rate used", "of the rate"), "instances solved")

    def _names(self, key: str) -> tuple[str, ...]:
        """Return the names of the axis of a hyperparameter, the longest first."""
        tried = [each.values for entry in self.scene.entries for each in entry.results]
        values = next(each[key] for each in tried if key in each)
        said = f"1 \N{MINUS SIGN} {key}" if values[0] > values[-1] else key
        return f"{said}, times its default", f"times {said}", key

    def _rates(self) -> Varied:
        """Return what came of other rates; optimizers without a rate do not take part."""
        rates = self.table.rates
        found = {
            number: rate_sensitivity(entry.results, rates[:, number])
            for number, entry in enumerate(self.scene.entries)
            if np.isfinite(rates[:, number]).any()
        }
        return Varied("lr", found)

    def _others(self) -> list[Varied]:
        """Return the other hyperparameters: first those of the judged one, and of most others."""
        found: dict[str, dict[int, Sensitivity]] = {}
        for number, entry in enumerate(self.scene.entries):
            for key in dict.fromkeys(key for each in entry.results for key in each.values):
                found.setdefault(key, {})[number] = value_sensitivity(entry.results, key)
        varied = [Varied(key, each) for key, each in found.items()]
        return sorted(varied, key=lambda each: (0 not in each.found, -len(each.found)))

    def _draw(self, axes: Axes, varied: Varied, names: Sequence[str], heading: str) -> None:
        """Draw the curves of what was varied, with bars beneath them."""
        style_chart(axes, self.theme)
        set_heading(axes, self.theme, heading, "solved")
        if not varied.found:
            annotate_empty(axes, self.theme, "nothing was varied")
            axes.set(xticks=[], yticks=[])
            return
        high, many = 72 * size_in_inches(axes)[1], len(varied.found)
        row = min(ROW, MOST_OF_ROWS * high / many)
        unit = (1 + AHEAD) / (high - many * row - BETWEEN)  # of shares, in a point
        low = -(many * row + BETWEEN) * unit
        set_limits(axes, "y", (low, 1 + AHEAD), percents)
        axes.axhline(0.0, color=self.theme.muted, linewidth=LINE, zorder=2)
        factors = np.concatenate([each.factors for each in varied.found.values()])
        ends = float(factors.min()), float(factors.max())
        set_log_limits(axes, *ends, names)
        for place, (number, found) in enumerate(varied.found.items()):
            self.draw_line(axes, number, found.factors, found.solved)
            begin, end = found.region
            if np.isnan(begin):
                continue
            y = -(BETWEEN + (place + 0.5) * row) * unit
            look = path_style(self.theme, self.scene.entries[number])
            axes.plot(
                [begin, end], [y, y], color=look.color, linewidth=BAR * row, zorder=3,
                solid_capstyle="butt",
            )  # fmt: skip
            if row < ROW:
                continue
            axes.annotate(
                f"{found.width:.1f}", (end, y), (3, 0), textcoords="offset points",
                va="center_baseline", fontsize=0.8 * TICK, color=self.theme.ink,
            )  # fmt: skip


def _beside(axes: Axes, many: int) -> list[Axes]:
    """Make room beside Axes for so many smaller ones, one below the other, and return them."""
    box, figure = axes.get_position(), figure_of(axes)
    wide, high = (72 * side for side in size_in_inches(axes))
    main = max(LEAST_MAIN, SHARE * wide)
    left, apart = main + BESIDE + LETTER * len("100%") + 14, BENEATH + NAME + ABOVE
    each = (high - apart * (many - 1)) / many
    across, up = box.width / wide, box.height / high
    axes.set_position((box.x0, box.y0, main * across, box.height))
    lows = [high - each * (place + 1) - apart * place for place in range(many)]
    return [
        figure.add_axes(
            (box.x0 + left * across, box.y0 + low * up, (wide - left) * across, each * up)
        )
        for low in lows
    ]
