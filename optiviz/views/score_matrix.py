"""The matrix of a score: problems by optimizers, in colours and ranks."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.patches import Rectangle

from optiviz.objective import Array
from optiviz.scoring.profiles import problem_ranks, problem_shares
from optiviz.views import BoxConstraints
from optiviz.views.axes import ABOVE, TICK, size_in_inches
from optiviz.views.paths import head_style, path_style
from optiviz.views.score import MARK, ScoreView, letters_on, percent, ruler_of, write_key

BETWEEN = 16.0  # points between two blocks of rows
LEAST_LETTERS, GOOD_LETTERS = 6.5, 8.0  # font sizes: of names of problems at all, and with ease
LINE = 1.3  # height of a row of letters, relative to their size
HIGHEST, WIDEST = 34.0, 130.0  # points of a cell
NARROWEST = 7.0
NAMES = 0.5  # most of the width of a block that names of problems take
LEAST_NAME = 0.75  # of the width of the longest name that remains at least
HEAD = 15.0  # points above a block, for the optimizers
GROUP_LINES, GROUP_LINE = 4, 12.0  # lines of names of groups beneath a strip, and their height
SPACE = 3.0  # points between two groups in a strip
BEST = 1e-9  # by how much a rank may exceed the best one of its row


class Row(NamedTuple):
    """A row of the matrix: a problem by its index, or the name of a group above its problems."""

    problem: int | None
    name: str


class Blocks(NamedTuple):
    """The rows side by side in blocks, in points: of letters, of a row, of names and of a cell."""

    rows: list[list[Row]]
    letters: float
    row: float
    names: float
    cell: float
    width: float  # of a block


class MatrixView(ScoreView):
    """Problems by optimizers: colour is the share of instances solved, and the number the rank.

    The optimizer that is judged has a frame. If there are too many problems for their names, they
    stand side by side without them, in a strip with a row for each optimizer.
    """

    @property
    def constraints(self) -> BoxConstraints:
        return BoxConstraints(4.0, 4.0, top=ABOVE)

    def build(self, axes: Axes) -> None:
        axes.set_axis_off()
        self.ruler = ruler_of(axes)
        wide, high = (72 * side for side in size_in_inches(axes))
        axes.set(xlim=(0, wide), ylim=(0, high), autoscale_on=False)
        self.shares, self.ranks = problem_shares(self.table), problem_ranks(self.table)
        blocks = self._blocks(wide, high)
        colors = [(self.shade(share), percent(share)) for share in (0.0, 0.5, 1.0)]
        said = [(None, "solved"), (None, "number: mean rank")]
        if blocks is None:
            write_key(axes, self.theme, [*colors, said[0]])
            self._draw_strip(axes, wide, high)
        else:
            self.numbered = self._numbers_fit(blocks)
            write_key(axes, self.theme, [*colors, *(said if self.numbered else said[:1])])
            for place, rows in enumerate(blocks.rows):
                self._draw_block(axes, place * (blocks.width + BETWEEN), high, rows, blocks)

    # With names of problems

    def _rows(self) -> list[Row]:
        rows: list[Row] = []
        groups, named = self.table.groups, len(set(self.table.groups)) > 1
        for problem, name in enumerate(self.table.problems):
            if named and (not problem or groups[problem] != groups[problem - 1]):
                rows.append(Row(None, groups[problem]))
            rows.append(Row(problem, name))
        return rows

    def _blocks(self, wide: float, high: float) -> Blocks | None:
        """Return the fewest blocks with letters that are read with ease, or with the largest."""
        rows, best = self._rows(), None
        for many in range(1, len(rows) + 1):
            found = self._blocks_of(_split(rows, -(-len(rows) // many)), wide, high)
            named = found.names >= LEAST_NAME * self._names_width(found.letters)
            if found.cell < NARROWEST or not named:
                break
            if best is None or found.letters > best.letters:
                best = found
            if found.letters >= GOOD_LETTERS:
                break
        return best if best is not None and best.letters >= LEAST_LETTERS else None

    def _blocks_of(self, rows: list[list[Row]], wide: float, high: float) -> Blocks:
        longest = max(map(len, rows))
        row = min(HIGHEST, (high - HEAD) / longest)
        width = (wide - BETWEEN * (len(rows) - 1)) / len(rows)
        letters = min(TICK, row / LINE)
        names = min(self._names_width(letters), NAMES * width)
        cell = min(WIDEST, (width - names) / len(self.scene.entries))
        return Blocks(rows, letters, row, names, cell, width)

    def _names_width(self, letters: float) -> float:
        """Return the points that the longest name of a problem takes, in letters of a size."""
        longest = max(self.ruler.width(name, TICK) for name in self.table.problems)
        return longest * letters / TICK + 6

    def _numbers_fit(self, blocks: Blocks) -> bool:
        most = f"{self.ranks.max():.1f}"
        return self.ruler.width(most, blocks.letters, "bold") + 2 <= blocks.cell

    def _draw_block(
        self, axes: Axes, left: float, high: float, rows: Sequence[Row], size: Blocks
    ) -> None:
        first = left + size.names
        self._draw_heads(axes, first, high, size.cell)
        corners: list[Array] = []
        colors: list[Array] = []
        for place, (problem, name) in enumerate(rows):
            top = high - HEAD - place * size.row
            middle = top - size.row / 2
            look: dict[str, Any] = {"fontsize": size.letters, "va": "center_baseline"}
            if problem is None:
                said = self.ruler.fitted(name, size.width, size.letters, "bold")
                axes.text(left, middle, said, color=self.theme.muted, weight="bold", **look)
                continue
            said = self.ruler.fitted(name, size.names - 4, size.letters)
            axes.text(left, middle, said, color=self.theme.ink, **look)
            best = self.ranks[problem].min() + BEST if self.shares[problem].any() else -1.0
            for number, (share, rank) in enumerate(
                zip(self.shares[problem], self.ranks[problem], strict=True)
            ):
                x = first + number * size.cell
                corners.append(_corners(x, top - size.row, size.cell, size.row))
                colors.append(self.shade(share))
                if self.numbered:
                    axes.text(
                        x + size.cell / 2, middle, f"{rank:.1f}".removesuffix(".0"),
                        ha="center", color=letters_on(colors[-1]),
                        weight="bold" if rank <= best else "normal", **look,
                    )  # fmt: skip
        edge: dict[str, Any] = {"edgecolors": self.theme.background, "linewidths": 1.0}
        axes.add_collection(PolyCollection(corners, facecolors=colors, **edge), autolim=False)
        for begin, end in _runs(rows):
            self._frame(
                axes, first, high - HEAD - end * size.row, size.cell, (end - begin) * size.row
            )

    def _draw_heads(self, axes: Axes, first: float, high: float, cell: float) -> None:
        """Draw the optimizers above the cells: names if all of them fit, else their markers."""
        headings = [entry.heading for entry in self.scene.entries]
        wide = max(self.ruler.width(each, TICK, "bold") for each in headings)
        named = wide + MARK + 10 <= cell
        for number, entry in enumerate(self.scene.entries):
            x, look = first + (number + 0.5) * cell, path_style(self.theme, entry)
            size = min(MARK, 0.9 * cell)
            if named:
                room = self.ruler.width(entry.heading, TICK) / 2
                axes.text(
                    x + MARK / 2 + 1, high - HEAD + 4, entry.heading, ha="center", fontsize=TICK,
                    color=self.theme.ink, weight="normal" if number else "bold",
                )  # fmt: skip
                x -= room + 3
            axes.plot([x], [high - HEAD + 7.5], clip_on=False, **head_style(self.theme, look, size))

    def _frame(self, axes: Axes, x: float, y: float, width: float, height: float) -> None:
        """Draw a frame around what the judged optimizer did."""
        axes.add_patch(
            Rectangle(
                (x, y), width, height, fill=False, edgecolor=self.theme.ink, linewidth=1.6,
                zorder=5, clip_on=False,
            )
        )  # fmt: skip

    # Without

    def _draw_strip(self, axes: Axes, wide: float, high: float) -> None:
        entries = self.scene.entries
        left = max(self.ruler.width(each.heading, TICK, "bold") for each in entries) + MARK + 10
        left = min(left, 0.3 * wide)
        low = GROUP_LINES * GROUP_LINE + 2
        groups = list(_groups(self.table.groups))
        cell = (wide - left - SPACE * (len(groups) - 1)) / len(self.table.problems)
        row = min(2 * HIGHEST, (high - low) / len(entries))
        for number, entry in enumerate(entries):
            middle, look = high - (number + 0.5) * row, path_style(self.theme, entry)
            letters = min(TICK, row / LINE)
            weight = "normal" if number else "bold"
            if letters >= LEAST_LETTERS:
                axes.text(
                left - MARK - 8, middle,
                self.ruler.fitted(entry.heading, left - MARK - 8, letters, weight), ha="right",
                va="center_baseline", fontsize=letters, color=self.theme.ink, weight=weight,
            )  # fmt: skip
            axes.plot([left - MARK], [middle], **head_style(self.theme, look, min(MARK, 0.8 * row)))
        x, bottom = left, high - row * len(entries)
        ends = [-1.0] * GROUP_LINES  # of the names in each line
        for begin, end in groups:
            width = cell * (end - begin)
            colors = np.array([[self.shade(share) for share in each] for each in self.shares.T])
            axes.imshow(
                colors[:, begin:end], extent=(x, x + width, bottom, high), aspect="auto",
                interpolation="nearest", zorder=1,
            )  # fmt: skip
            self._frame(axes, x, high - row, width, row)
            name = self.table.groups[begin]
            said = self.ruler.width(name, TICK)
            place = x if x + 3 + said <= wide else x - 6 - said  # to the left of its line
            line = next((at for at, used in enumerate(ends) if used + 6 <= place), None)
            if line is not None:
                ends[line] = place + said
                level = bottom - GROUP_LINE * (line + 1)
                axes.plot([x, x], [bottom, level + 2], color=self.theme.muted, linewidth=0.7)
                axes.text(
                    place + 3, level + 1, name, fontsize=TICK, color=self.theme.muted,
                    bbox={"facecolor": self.theme.background, "edgecolor": "none", "pad": 0.5},
                )  # fmt: skip
            x += width + SPACE


def _corners(x: float, y: float, width: float, height: float) -> Array:
    """Return the corners of a rectangle, shape (4, 2)."""
    return np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])


def _split(rows: Sequence[Row], long: int) -> list[list[Row]]:
    """Return rows in blocks of about so many, none of which ends with the name of a group."""
    blocks: list[list[Row]] = [[]]
    for place, row in enumerate(rows):
        last = row.problem is None and len(blocks[-1]) == long - 1 and place < len(rows) - 1
        if blocks[-1] and (len(blocks[-1]) >= long or last):
            blocks.append([])
        blocks[-1].append(row)
    return blocks


def _runs(rows: Sequence[Row]) -> Iterator[tuple[int, int]]:
    """Yield the first row and the one after the last of problems without a name between them."""
    heads = [-1, *(place for place, row in enumerate(rows) if row.problem is None), len(rows)]
    for before, after in pairwise(heads):
        if after > before + 1:
            yield before + 1, after


def _groups(groups: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the first problem and the one after the last of each run of a group."""
    changes = [place for place in range(1, len(groups)) if groups[place] != groups[place - 1]]
    yield from pairwise([0, *changes, len(groups)])
