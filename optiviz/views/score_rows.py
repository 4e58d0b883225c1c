"""Figures with a row for each optimizer: endings, medians with intervals, invariances."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from optiviz.scoring.invariance import TRANSFORMATIONS, Invariance
from optiviz.scoring.profiles import ending_shares
from optiviz.scoring.results import ENDINGS, FAILED
from optiviz.scoring.statistics import Summary
from optiviz.themes import Theme
from optiviz.views import BoxConstraints
from optiviz.views.axes import (
    LETTER,
    TICK,
    figure_of,
    set_heading,
    set_limits,
    size_in_inches,
    style_chart,
)
from optiviz.views.basins import mixed
from optiviz.views.paths import path_style
from optiviz.views.scales import plain
from optiviz.views.score import (
    MARK,
    ScoreView,
    letters_on,
    percent,
    percents,
    row_letters,
    row_limits,
    ruler_of,
    write_key,
)

BAR, TALLEST_BAR = 0.74, 50.0  # height of a bar, as a share of its row, and in points at most
PALE = 0.45  # share of the muted colour in the bar of runs that still move
BEYOND = 0.06  # share of the axis beyond the budget, where what is not solved stands
LEAST_PANEL = 90.0  # points of the panel of shares solved, without which it is left out
P_VALUES = 58.0  # points for the column of p values
APART = 26.0  # points between two panels
INTERVAL = 4.0  # width of the line of an interval
KEY = "\N{CHECK MARK} same path", "\N{MULTIPLICATION SIGN} change of the final gap"
KEY_LINE = 18.0  # points beneath the rows that the key takes
SMALLEST_P = 0.001  # that is written as a number
HEADS = {
    "rotation": "rotated",
    "translation": "moved",
    "scale-x": "x scaled",
    "scale-f": "f scaled",
    "noise": "noise",
}


def ending_colors(theme: Theme) -> list[str | list[float]]:
    """Return the colours of ENDINGS."""
    return [
        theme.areas[0], theme.minimum, mixed(theme.background, theme.muted, PALE), theme.warning,
    ]  # fmt: skip


class EndingsView(ScoreView):
    """How the runs of each optimizer ended, as shares of all of its runs."""

    @property
    def constraints(self) -> BoxConstraints:
        return self.of_rows._replace(right=LETTER * 2)

    def build(self, axes: Axes) -> None:
        style_chart(axes, self.theme)
        axes.grid(visible=False)
        rows = row_limits(axes, len(self.scene.entries))
        set_limits(axes, "x", (0.0, 1.0), percents, "share of all runs")
        self.name_rows(axes, rows)
        bar = min(BAR, TALLEST_BAR * axes.get_ylim()[0] / (72 * size_in_inches(axes)[1]))
        colors, ruler = ending_colors(self.theme), ruler_of(axes)
        wide, letters = 72 * size_in_inches(axes)[0], row_letters(axes)
        for row, shares in zip(rows, ending_shares(self.table), strict=True):
            left = 0.0
            for ending, (share, color) in enumerate(zip(shares, colors, strict=True)):
                failed = ending == FAILED
                axes.add_patch(
                    Rectangle(
                        (left, row - bar / 2), share, bar, facecolor=color,
                        edgecolor=self.theme.background, linewidth=0.8,
                        hatch="////" if failed and share else None,
                    )
                )  # fmt: skip
                said = percent(share)
                if not failed and ruler.width(said, letters) + 6 <= share * wide:
                    axes.text(
                        left + share / 2, row, said, ha="center", va="center_baseline",
                        fontsize=letters, color=letters_on(color),
                    )  # fmt: skip
                left += share
        write_key(axes, self.theme, list(zip(colors, ENDINGS, strict=True)))


class MediansView(ScoreView):
    """Median evaluations and the share solved, with 95 % intervals, and the p values.

    These are those of a paired test against the first optimizer, after Holm's correction.
    """

    @property
    def constraints(self) -> BoxConstraints:
        return self.of_rows

    def build(self, axes: Axes) -> None:
        found, box = self.scene.summaries, axes.get_position()
        figure, wide = figure_of(axes), 72 * size_in_inches(axes)[0]
        second = (wide - P_VALUES - APART) * 0.42
        both = second >= LEAST_PANEL
        first = wide - P_VALUES - (second + APART if both else 0.0)
        unit = box.width / wide
        axes.set_position((box.x0, box.y0, first * unit, box.height))
        rows = self._style(axes, "median cost, 95% interval", "median")
        self.style_budget(axes)
        low = float(self.table.shares[0])
        end = (1 / low) ** BEYOND
        axes.set_xlim(low, end)
        self.name_rows(axes, rows)
        if math.isfinite(found[0].median):
            axes.axvline(found[0].median, color=self.theme.muted, linewidth=1.0, zorder=2)
        for number, (row, summary) in enumerate(zip(rows, found, strict=True)):
            self._draw(axes, number, row, summary.median, summary.median_interval, (low, end))
        panel = axes
        if both:
            panel = figure.add_axes(
                (box.x0 + (first + APART) * unit, box.y0, second * unit, box.height)
            )
            self._style(panel, "solved, 95% interval", "solved")
            set_limits(panel, "x", (0.0, 1.02), percents, "instances solved")
            for number, (row, summary) in enumerate(zip(rows, found, strict=True)):
                self._draw(panel, number, row, summary.solved, summary.solved_interval, (0.0, 1.0))
        self._write_p_values(panel, rows, found)

    def _style(self, axes: Axes, *names: str) -> list[float]:
        style_chart(axes, self.theme)
        axes.grid(visible=False, axis="y")
        axes.grid(axis="x", color=self.theme.rule, linewidth=0.7)
        set_heading(axes, self.theme, *names)
        return row_limits(axes, len(self.scene.entries))

    def _draw(
        self,
        axes: Axes,
        number: int,
        row: float,
        value: float,
        interval: Sequence[float],
        ends: tuple[float, float],
    ) -> None:
        """Draw a value with its interval; what is inf stands at the end as an arrow."""
        low, high = (min(max(each, ends[0]), ends[1]) for each in interval)
        color = path_style(self.theme, self.scene.entries[number]).color
        axes.plot(
            [low, high], [row, row], color=color, linewidth=INTERVAL, solid_capstyle="butt",
            zorder=3,
        )  # fmt: skip
        place = min(max(value, ends[0]), ends[1])
        arrow: dict[str, Any] = (
            {} if math.isfinite(value) else {"marker": ">", "markersize": 1.3 * MARK}
        )
        self.draw_mark(axes, number, place, row, **arrow)

    def _write_p_values(self, axes: Axes, rows: Sequence[float], found: Sequence[Summary]) -> None:
        if len(rows) < 2:
            return
        look: dict[str, Any] = {
            "xycoords": ("axes fraction", "data"), "textcoords": "offset points", "ha": "left",
            "fontsize": TICK, "annotation_clip": False,
        }  # fmt: skip
        for row, summary in zip(rows, found, strict=True):
            if math.isfinite(summary.adjusted):
                axes.annotate(
                    p_value(summary.adjusted), (1, row), (14, 0), va="center",
                    color=self.theme.muted, **look | {"fontsize": row_letters(axes)},
                )  # fmt: skip
        head = look | {"xycoords": "axes fraction"}
        axes.annotate("p (Holm)", (1, 1), (14, 4.5), color=self.theme.muted, **head)


class InvarianceView(ScoreView):
    """What each transformation of a problem does to each optimizer.

    A tick says that nothing changes, and a number by what factor the final gap becomes larger.
    """

    @property
    def constraints(self) -> BoxConstraints:
        return self.of_rows._replace(bottom=KEY_LINE)

    def build(self, axes: Axes) -> None:
        style_chart(axes, self.theme)
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.xaxis.set_ticks([])
        axes.set_xlim(0, len(TRANSFORMATIONS))
        rows, ruler = row_limits(axes, len(self.scene.entries)), ruler_of(axes)
        self.name_rows(axes, rows)
        axes.annotate(
            ", ".join(KEY), (0, 0), (0, -13), xycoords="axes fraction",
            textcoords="offset points", fontsize=TICK, color=self.theme.muted,
            annotation_clip=False,
        )  # fmt: skip
        wide = 72 * size_in_inches(axes)[0] / len(TRANSFORMATIONS)
        letters = row_letters(axes) * min(
            1.0, (wide - 3) / (LETTER * max(map(len, HEADS.values())))
        )
        for column, name in enumerate(TRANSFORMATIONS):
            axes.annotate(
                HEADS[name], (column + 0.5, 1), (0, 4.5), xycoords=("data", "axes fraction"),
                textcoords="offset points", ha="center", fontsize=letters,
                color=self.theme.muted, annotation_clip=False,
            )  # fmt: skip
            for row, entry in zip(rows, self.scene.entries, strict=True):
                found = entry.invariances.get(name)
                if found is None:
                    continue
                color = self._color(found)
                axes.add_patch(
                    Rectangle(
                        (column, row - 0.5), 1, 1, facecolor=color,
                        edgecolor=self.theme.background, linewidth=1.5,
                    )
                )  # fmt: skip
                said = outcome(name, found)
                size = min(letters, TICK * (wide - 4) / max(ruler.width(said, TICK), 1.0))
                axes.text(
                    column + 0.5, row, said, ha="center", va="center_baseline",
                    fontsize=1.2 * size if found.passes else size,
                    weight="bold" if found.passes else "normal",
                    color=letters_on(color),
                )  # fmt: skip

    def _color(self, found: Invariance) -> str | list[float]:
        solved, elsewhere, moving, _ = ending_colors(self.theme)
        if found.passes is None:
            return moving
        return solved if found.passes else elsewhere


def outcome(name: str, found: Invariance) -> str:
    """Return in a word what a transformation does: a tick, a factor, or that steps are random."""
    if found.passes:
        return "\N{CHECK MARK}"
    if found.passes is None and name != "noise":
        return "random" if math.isfinite(found.lost) else "unknown"
    if not math.isfinite(found.lost):
        return "unknown" if math.isnan(found.lost) else "fails"
    return f"\N{MULTIPLICATION SIGN}{plain(float(f'{found.lost:.2g}'))}"


def p_value(value: float) -> str:
    """Format a p value."""
    return f"< {SMALLEST_P:g}" if value < SMALLEST_P else f"{value:.2g}"
