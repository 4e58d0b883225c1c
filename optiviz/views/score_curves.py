"""Curves over what was spent: shares solved, performance and data profiles, and mean ranks."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes

from optiviz.objective import Array
from optiviz.scoring.profiles import (
    data_profile,
    mean_ranks,
    performance_profile,
    solved_bands,
    solved_share,
)
from optiviz.views import BoxConstraints
from optiviz.views.axes import (
    LINE,
    constraints_beside,
    set_heading,
    set_limits,
    size_in_inches,
    style_chart,
)
from optiviz.views.legend_entries import LegendEntry
from optiviz.views.paths import path_style
from optiviz.views.score import SHADE, ScoreView, of_shares, set_log_limits
from optiviz.views.ticks import ticks

MOST_BANDS = 4  # optimizers up to which each has its interval, and not only the first
MOST_STEPS = 400  # of a profile; if there are more, they are drawn at so many ratios
UNSEEN = 0.05  # share of instances solved before a data profile begins
AFTER = 1.1  # times the largest ratio, where a performance profile ends
FARTHEST = 1024.0  # ratio beyond which it never goes
LEAD = 5.0  # points of the line along the upper edge
TIE, NOBODY = 1e-9, -1  # difference of mean ranks up to which they are equal; no leader
SOLVED = "instances solved"
BAND = LegendEntry("shaded: 95% intervals", sample=0.0)
LEADER = LegendEntry("top edge: who leads", sample=0.0)


class SolvedView(ScoreView):
    """The share of instances solved against the share of the budget that was spent.

    The shaded area is a 95 % interval over problems, of each optimizer if they are few.
    """

    @property
    def constraints(self) -> BoxConstraints:
        return of_shares()

    @property
    def legend_entries(self) -> Sequence[LegendEntry]:
        return (BAND,)

    def build(self, axes: Axes) -> None:
        self.style_shares(axes, SOLVED, "solved")
        self.style_budget(axes)
        solved, (low, high) = solved_share(self.table), solved_bands(self.table)
        for number, entry in enumerate(self.scene.entries):
            self.draw_line(axes, number, self.table.shares, solved[:, number])
            if number and len(self.scene.entries) > MOST_BANDS:
                continue
            axes.fill_between(
                self.table.shares, low[:, number], high[:, number], linewidth=0, alpha=SHADE,
                color=path_style(self.theme, entry).color, zorder=3,
            )  # fmt: skip


class ProfileView(ScoreView):
    """The performance profile of Dolan and More, 2002.

    It is the share of instances that an optimizer solves within each multiple of the evaluations
    that the best optimizer needs there. Its left end is how often it is the fastest, its right end
    how often it solves a problem at all.
    """

    @property
    def constraints(self) -> BoxConstraints:
        return of_shares()

    def build(self, axes: Axes) -> None:
        solved = self.table.solved_at[np.isfinite(self.table.solved_at).any(axis=1)]
        ratios = solved / solved.min(axis=1, keepdims=True)
        largest = ratios[np.isfinite(ratios)].max(initial=2.0)
        places = steps_of(ratios, 1.0, min(AFTER * float(largest), FARTHEST))
        self.style_shares(axes, SOLVED, "solved")
        names = "times the evaluations of the best", "times the best"
        set_log_limits(axes, 1.0, places[-1], names, base=2)
        draw_steps(self, axes, places, performance_profile(self.table, places))


class DataProfileView(ScoreView):
    """The data profile of More and Wild, 2009.

    It is the share of instances solved within so many evaluations for each variable, and one more.
    """

    @property
    def constraints(self) -> BoxConstraints:
        return of_shares()

    def build(self, axes: Axes) -> None:
        table = self.table
        each = table.dims + 1
        spent = table.solved_at / each[table.problem][:, None]
        last = float((table.budgets / each).max())
        first = np.sort(spent.min(axis=1))  # below which too little is solved to be seen
        least = min(float(first[int(UNSEEN * len(first))]), last / 10)
        places = steps_of(spent, least, last)
        self.style_shares(axes, SOLVED, "solved")
        set_log_limits(axes, least, last, ("evaluations / (variables + 1)", "evals / (dim + 1)"))
        draw_steps(self, axes, places, data_profile(table, places))


class RankView(ScoreView):
    """The mean rank of each optimizer by its lowest loss, against the share of the budget spent.

    1 is the best, on top. The colour of the upper edge is that of the optimizer that leads, and
    thin lines are where another one takes the lead.
    """

    @property
    def constraints(self) -> BoxConstraints:
        return constraints_beside(["10.5"], named=True, names=("x" * 20, ""))

    @property
    def legend_entries(self) -> Sequence[LegendEntry]:
        return (LEADER,) if len(self.scene.entries) > 1 else ()

    def build(self, axes: Axes) -> None:
        ranks = mean_ranks(self.table)
        style_chart(axes, self.theme)
        low, high = float(ranks.min()), float(ranks.max())
        aside = max(0.08 * (high - low), 0.2)
        low, high = low - aside, high + aside
        set_limits(axes, "y", (low, high), partial(ticks, low, high))
        axes.invert_yaxis()
        set_heading(axes, self.theme, "mean rank, 1 is best", "mean rank")
        self.style_budget(axes)
        for number in range(len(self.scene.entries)):
            self.draw_line(axes, number, self.table.shares, ranks[:, number])
        if len(self.scene.entries) > 1:
            self._draw_leaders(axes, ranks)

    def _draw_leaders(self, axes: Axes, ranks: Array) -> None:
        """Draw along the upper edge who leads, where one does; ranks has shape (shares, k)."""
        two = np.sort(ranks, axis=1)[:, :2]
        led = np.where(two[:, 1] - two[:, 0] > TIE, ranks.argmin(axis=1), NOBODY)
        shares = self.table.shares
        changes = np.flatnonzero(np.diff(led)) + 1
        begins = np.array([0, *changes])
        level = 1 - LEAD / 2 / (72 * size_in_inches(axes)[1])
        ends = np.array([*shares[changes], 1.0])
        for begin, end in zip(begins, ends, strict=True):
            if led[begin] == NOBODY:
                continue
            look = path_style(self.theme, self.scene.entries[led[begin]])
            axes.plot(
                [shares[begin], end], [level, level], transform=axes.get_xaxis_transform(),
                color=look.color, linewidth=LEAD, solid_capstyle="butt", clip_on=False,
            )  # fmt: skip
        for change in changes:
            axes.axvline(shares[change], color=self.theme.rule, linewidth=LINE, zorder=2)


def draw_steps(view: ScoreView, axes: Axes, places: Array, solved: Array) -> None:
    """Draw the steps of each optimizer; places has shape (n,), solved shape (n, optimizers)."""
    for number, shares in enumerate(solved.T):
        view.draw_line(axes, number, places, shares, drawstyle="steps-post")


def steps_of(values: Array, least: float, most: float) -> Array:
    """Return where there are steps between two positive numbers, both included, shape (n,).

    values may have any shape; if they are many, places are spread evenly over their logarithms.
    """
    inside = np.unique(values[(values >= least) & (values <= most)])
    if len(inside) > MOST_STEPS:
        inside = np.geomspace(least, most, MOST_STEPS)
    return np.unique([least, *inside, most])
