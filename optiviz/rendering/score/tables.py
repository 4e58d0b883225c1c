"""The tables of a score's page: medians, the matrix of problems, best and worst, failures."""

from collections.abc import Sequence
from html import escape
from itertools import groupby

import numpy as np

from optiviz.kinds.score import ScoreRecipe, ScoreScene
from optiviz.rendering.score.numbers import brief, percent
from optiviz.scoring import profiles
from optiviz.scoring.results import FAILED
from optiviz.scoring.statistics import extremes

LEVELS = 5  # of the colour of a cell, by the share that is solved


def table_html(heads: Sequence[str], rows: Sequence[Sequence[str]], label: str) -> str:
    """Return a table of texts, whose first column has the headings of its rows."""
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(each)}</td>" for each in others)
        + "</tr>"
        for first, *others in rows
    )
    return (
        f'<div class="wide" role="region" aria-label="{escape(label)}" tabindex="0"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def summary_html(scene: ScoreScene, recipe: ScoreRecipe) -> str:
    """Return the table of what each optimizer solves, and how it compares with the first one."""
    heads = [
        "optimizer",
        "solved",
        "median cost",
        "mean rank",
        "wins–ties–losses",
        "p",
        "adjusted p",
    ]
    heads += ["search"] + (["time a step"] if recipe.timing else [])
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    rows = []
    for entry, each in zip(scene.entries, scene.summaries, strict=True):
        first = entry.number == 0
        cells = [
            f"{percent(each.solved)} {_interval(each.solved_interval)}",
            f"{percent(each.median)} {_interval(each.median_interval)}",
            brief(each.rank),
            "–" if first else f"{each.wins}–{each.ties}–{each.losses}",
            "–" if first else brief(each.p_value, 2),
            "–" if first else brief(each.adjusted, 2),
            f"{entry.spent:,}" if entry.spent else "–",
        ]
        if recipe.timing:
            cells.append(f"{1e6 * entry.seconds:.3g} µs" if np.isfinite(entry.seconds) else "–")
        rows.append(
            f"<tr>{_optimizer(scene, entry.number, 'row', entry.detail)}"
            + "".join(f"<td>{cell}</td>" for cell in cells)
            + "</tr>"
        )
    return (
        '<div class="wide" role="region" aria-label="Summary" tabindex="0"><table class="summary">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _interval(ends: tuple[float, float]) -> str:
    """Return an interval of shares as HTML."""
    if not np.isfinite(ends[0]):
        return ""
    upto = f"to {100 * ends[1]:.0f}" if np.isfinite(ends[1]) else "or more"
    return f'<span class="interval">{100 * ends[0]:.0f} {upto}</span>'


def _optimizer(scene: ScoreScene, number: int, scope: str, detail: str = "") -> str:
    heading = escape(scene.entries[number].heading)
    more = f' <span class="interval">{escape(detail)}</span>' if detail else ""
    return f'<th scope="{scope}"><i class="dot o{number}"></i>{heading}{more}</th>'


def matrix_html(scene: ScoreScene) -> str:
    """Return the matrix of problems, in their groups, and optimizers; each cell is a button."""
    table = scene.table
    ranks, shares = profiles.problem_ranks(table), profiles.problem_shares(table)
    heads = "".join(_optimizer(scene, number, "col") for number in range(len(scene.entries)))
    bodies = []
    order = sorted(range(len(table.problems)), key=lambda at: _group_order(table.groups, at))
    for group, members in groupby(order, key=lambda at: table.groups[at]):
        head = f'<th colspan="{len(scene.entries) + 1}" scope="rowgroup">{escape(group)}</th>'
        rows = "".join(_row(scene, at, ranks[at], shares[at]) for at in members)
        bodies.append(f'<tbody><tr class="group">{head}</tr>{rows}</tbody>')
    return (
        '<div class="wide" role="region" aria-label="Problems and optimizers" tabindex="0">'
        f'<table id="matrix"><thead><tr><th scope="col">problem</th>{heads}</tr></thead>'
        f"{''.join(bodies)}</table></div>"
    )


def _group_order(groups: Sequence[str], at: int) -> tuple[int, int]:
    return groups.index(groups[at]), at


def _row(scene: ScoreScene, at: int, ranks: Sequence[float], shares: Sequence[float]) -> str:
    table = scene.table
    endings = table.endings[table.problem == at]
    name, cells = table.problems[at], []
    for number, entry in enumerate(scene.entries):
        rank, share = float(ranks[number]), float(shares[number])
        failed = int((endings[:, number] == FAILED).sum())
        said = f"{name}, {entry.heading}: rank {rank:.3g}, {percent(share)} solved"
        said += f", {failed} of {len(endings)} failed" if failed else ""
        level = f"s{round(LEVELS * share)}" + (" first" if rank == min(ranks) else "")
        mark = '<b class="failed" aria-hidden="true">×</b>' if failed else ""
        cells.append(
            f'<td class="{level}"><button type="button" data-problem="{at}" '
            f'aria-label="{escape(said)}"><b>{rank:.3g}</b> {percent(share)}{mark}</button></td>'
        )
    return f'<tr><th scope="row">{escape(name)}</th>{"".join(cells)}</tr>'


def extremes_html(scene: ScoreScene) -> str:
    """Return the problems where the first optimizer does best and worst, which fold out."""
    if len(scene.entries) < 2:
        return ""
    ranks, shares = profiles.problem_ranks(scene.table), profiles.problem_shares(scene.table)
    parts = []
    for heading, problems in zip(("Best", "Worst"), extremes(scene.table), strict=True):
        items = "".join(
            f'<details class="extreme" data-problem="{at}"><summary>'
            f"{escape(scene.table.problems[at])} "
            f"<span>rank {ranks[at][0]:.3g} of {len(scene.entries)}, "
            f"{percent(shares[at][0])} solved</span></summary></details>"
            for at in problems
        )
        parts += [f"<div><h3>{heading}</h3>{items}</div>"] if items else []
    if not parts:
        return ""
    first = escape(scene.entries[0].heading)
    return (
        f'<section id="extremes"><h2>Where {first} does best and worst</h2>\n'
        '<p class="note">By its evaluations compared with the mean of the others; an instance that '
        "is left unsolved counts as two budgets. Ranks are by the lowest loss.</p>\n"
        f"{''.join(parts)}</section>"
    )


def failures_html(scene: ScoreScene) -> str:
    """Return a section on the runs that failed, with what is known of the cause; empty if none."""
    table, rows = scene.table, []
    for number, entry in enumerate(scene.entries):
        for at, name in enumerate(table.problems):
            endings = table.endings[table.problem == at, number]
            if failed := int((endings == FAILED).sum()):
                cause = entry.results[at].cause or "its numbers were not finite"
                rows.append([entry.heading, name, f"{failed} of {len(endings)}", cause])
    if not rows:
        return ""
    made = table_html(["optimizer", "problem", "runs", "cause"], rows, "Failures")
    return f'<section id="failures"><h2>What failed</h2>\n{made}</section>'
