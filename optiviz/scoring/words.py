"""What can and what cannot be concluded from a score, in plain sentences with its numbers."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from optiviz.scoring.profiles import (
    CONFIDENCE,
    instance_counts,
    order_changes,
    problem_shares,
    sum_by_problem,
)
from optiviz.scoring.results import FAILED, Results
from optiviz.scoring.statistics import Summary, cost_differences, signed_ranks
from optiviz.scoring.table import ScoreTable, best_rate
from optiviz.system.text import counted, enumerated

LEVEL = 0.05  # of significance
FEW_STARTS = 5  # from which on the share solved of a problem is known well enough
MOST_LEADS = 4  # changes of the lead that are told one by one
EARLY = 0.1  # share of the budget at which the place of an optimizer is compared with its last
NAMED = 3  # problems that are listed by name


class ScoredEntry(Protocol):
    """An optimizer with its results on each problem."""

    @property
    def label(self) -> str: ...

    @property
    def results(self) -> Sequence[Results]: ...

    @property
    def spent(self) -> int: ...


class Scored(Protocol):
    """Optimizers, the first of which is judged, and the table of what they did."""

    @property
    def table(self) -> ScoreTable: ...

    @property
    def entries(self) -> Sequence[ScoredEntry]: ...

    @property
    def summaries(self) -> Sequence[Summary]: ...


def conclusions(scene: Scored) -> tuple[str, ...]:
    """Return what the numbers of a score say of its first optimizer, compared with the others."""
    found = scene.summaries
    return tuple(
        sentence
        for sentences in (
            _solved(scene.table, found),
            _compared(scene.table, found),
            _groups(scene.table),
            _horizon(scene.table),
            _tuned_elsewhere(scene),
            _failed(scene),
        )
        for sentence in sentences
    )


def cautions(scene: Scored) -> tuple[str, ...]:
    """Return what the numbers of a score do not say, and why."""
    return tuple(
        sentence
        for sentences in (
            _reach(scene.table),
            _power(scene.table),
            _starts(scene.table),
            _below(scene.table),
            _alike(scene.table),
            _rates_at_ends(scene),
            _tuning(scene),
            _costs(scene),
        )
        for sentence in sentences
    )


def _solved(table: ScoreTable, found: Sequence[Summary]) -> Iterable[str]:
    first, others = found[0], found[1:]
    number = f"{len(table.solved_at)} instances of {counted(len(table.problems), 'problem')}"
    told = f"{first.label} solves {_share(first.solved)} of {number}{_between(first)}"
    if others:
        most = max(others, key=lambda each: each.solved)
        equal = [each.label for each in others if each.solved == most.solved]
        if first.solved > most.solved:
            told += f", more than any other; next {_verb(equal, 'is', 'are')} {enumerated(equal)}"
        elif first.solved == most.solved:
            told += f", as {_verb(equal, 'does', 'do')} {enumerated(equal)}, and none more"
        else:
            told += f"; {enumerated(equal)} {_verb(equal, 'solves', 'solve')} most"
        if first.solved != most.solved:
            told += f", {_share(most.solved)}{_between(most)}"
    yield told + "."
    if np.isfinite(first.median):
        low, high = first.median_interval
        upto = (
            f"{_share(low)} to {_share(high)}" if np.isfinite(high) else f"at least {_share(low)}"
        )
        yield f"It solves half of them within {_share(first.median)} of the budget ({upto})."


def _compared(table: ScoreTable, found: Sequence[Summary]) -> Iterable[str]:
    differences = cost_differences(table)
    fewer, more, equal = list[str](), list[str](), list[str]()
    for number, each in enumerate(found[1:], 1):
        chance = f"p {_p_value(each.adjusted)}"
        if each.adjusted > LEVEL:
            equal.append(f"{each.label} ({chance})")
            continue
        slower = signed_ranks(differences[:, number]).sum() > 0
        kept, lost = (each.losses, each.wins) if slower else (each.wins, each.losses)
        told = f"{each.label} (on {kept} problems against {lost}, {chance})"
        (fewer if slower else more).append(told)
    first = found[0].label
    comparisons = counted(len(found) - 1, "comparison")
    corrected = f" after Holm's correction for {comparisons}" if len(found) > 2 else ""
    for names, word in ((fewer, "fewer"), (more, "more")):
        if names:
            told = f"{first} needs significantly {word} evaluations than"
            yield f"{told} {enumerated(names)}{corrected}."
    if equal:
        yield (
            f"No significant difference was found between {first} and {enumerated(equal)}"
            f"{corrected}, which does not say that there is none."
        )


def _groups(table: ScoreTable) -> Iterable[str]:
    names = list(dict.fromkeys(table.groups))
    if len(names) < 2 or len(table.optimizers) < 2:
        return
    groups = np.array(table.groups)[:, None] == names  # (p, groups)
    solved = groups.T @ sum_by_problem(table, np.isfinite(table.solved_at))
    shares = solved / (groups.T @ instance_counts(table))[:, None]
    ahead = (shares[:, 0] - shares[:, 1:].mean(axis=1)).round(9)
    told = [
        f"{word} in {names[place]} ({_share(shares[place, 0])} solved, "
        f"{_share(float(shares[place, 1:].mean()))} on average by the others)"
        for word, place in (("best", ahead.argmax()), ("worst", ahead.argmin()))
        if (ahead[place] > 0 if word == "best" else ahead[place] < 0)
    ]
    if told:
        yield f"Compared with the others, {table.optimizers[0]} does {' and '.join(told)}."


def _horizon(table: ScoreTable) -> Iterable[str]:
    if len(table.optimizers) < 2:
        return
    changes = order_changes(table)
    leads = [next(same) for _, same in groupby(changes, key=lambda each: each[1][0])]
    if len(leads) == 1:
        yield f"{leads[0][1][0]} has the best mean rank at each share of the budget that was kept."
    elif len(leads) - 1 <= MOST_LEADS:
        later = [f"{order[0]} from {_share(share)}" for share, order in leads[1:]]
        yield (
            f"Who is ahead depends on the budget: by mean rank it is {leads[0][1][0]} at first, "
            f"then {enumerated(later)} of it on."
        )
    else:
        share, order = leads[-1]
        yield (
            f"Who is ahead depends on the budget: by mean rank the lead changes {len(leads) - 1} "
            f"times, for the last time at {_share(share)} of it, to {order[0]}."
        )
    first = table.optimizers[0]
    soon = [changes[0], *(each for each in changes if each[0] <= EARLY)]
    early, last = (order.index(first) + 1 for _, order in (soon[-1], changes[-1]))
    if early != last:
        yield (
            f"At {_share(EARLY)} of the budget {first} is number {early} of "
            f"{len(table.optimizers)}, at its end number {last}."
        )


def _tuned_elsewhere(scene: Scored) -> Iterable[str]:
    told: list[str] = []
    for number, entry in enumerate(scene.entries):
        best = [np.isfinite(each.solved_at[best_rate(each)]) for each in entry.results]
        own = float(np.concatenate(best).mean())
        used = float(np.isfinite(scene.table.solved_at[:, number]).mean())
        if own != used:
            would = " would solve" if not told else ""
            told.append(f"{entry.label}{would} {_share(own)} instead of {_share(used)}")
    if told:
        yield f"At the rate that is best for each problem, {enumerated(told)}."


def _failed(scene: Scored) -> Iterable[str]:
    failed = (scene.table.endings == FAILED).sum(axis=0)
    told = []
    for number, entry in zip(failed, scene.entries, strict=True):
        causes = [each.cause for each in entry.results if each.cause]
        if number:
            told.append(f"{number} of {entry.label}" + (f" ({causes[0]})" if causes else ""))
    if told:
        each = f"the {len(scene.table.solved_at)} runs of each"
        yield f"Of {each} optimizer, these failed, and count as unsolved: {enumerated(told)}."


def _reach(table: ScoreTable) -> Iterable[str]:
    what = "Intervals and p-values" if len(table.optimizers) > 1 else "Intervals"
    yield (
        f"{what} are about problems like the {len(table.problems)} of this suite, "
        f"which have {_range(table.dims, 'variable')} and budgets of "
        f"{_range(table.budgets, 'evaluation')}: yours may be of another kind."
    )


def _power(table: ScoreTable) -> Iterable[str]:
    problems, others = len(table.problems), len(table.optimizers) - 1
    least = min(others * 2.0 ** (1 - problems), 1.0)
    if others and least > LEVEL:
        yield (
            f"With {counted(problems, 'problem')} and {counted(others, 'comparison')} no "
            f"difference can be significant: the lowest p-value that is possible is {least:.2g}."
        )


def _starts(table: ScoreTable) -> Iterable[str]:
    counts = instance_counts(table).astype(int)
    few = int((counts < FEW_STARTS).sum())
    if few:
        which = "All problems" if few == len(counts) else counted(few, "problem")
        yield (
            f"{which} had only {_range(counts[counts < FEW_STARTS], 'start')}, so that a lucky "
            "start weighs much there."
        )


def _below(table: ScoreTable) -> Iterable[str]:
    low = sum_by_problem(table, table.gaps < 0)
    wrong = [name for name, each in zip(table.problems, low, strict=True) if each.any()]
    if wrong:
        yield (
            f"Runs fall below the minimum of {_some(wrong)}, which is too high: what counts as "
            "solved there is wrong."
        )


def _alike(table: ScoreTable) -> Iterable[str]:
    shares = problem_shares(table)
    nobody = [name for name, each in zip(table.problems, shares, strict=True) if not each.any()]
    if nobody:
        yield (
            f"Nobody solves any instance of {_some(nobody)}: too hard on this budget at these "
            "rates, or of a minimum that is known only as a bound."
        )
    alike = [name for name, each in zip(table.problems, shares, strict=True) if (each == 1).all()]
    if alike and len(table.optimizers) > 1:
        told = f"All optimizers solve all instances of {_some(alike)}"
        yield f"{told}, where they differ only in speed."


def _rates_at_ends(scene: Scored) -> Iterable[str]:
    told = []
    for number, entry in enumerate(scene.entries):
        moved = scene.table.endings[:, number] != FAILED
        ran = sum_by_problem(scene.table, moved) > 0
        at_end = [
            len(each.rates) > 1 and rate in (each.rates.min(), each.rates.max()) and bool(some)
            for each, rate, some in zip(
                entry.results, scene.table.rates[:, number], ran, strict=True
            )
        ]
        if any(at_end):
            told.append(f"{entry.label} on {counted(sum(at_end), 'problem')}")
    if told:
        yield (
            "The rate used is the smallest or largest that was tried, so that another might be "
            f"better, for {enumerated(told)}."
        )


def _tuning(scene: Scored) -> Iterable[str]:
    runs = float(scene.table.budgets @ instance_counts(scene.table))
    times = dict[int, list[str]]()
    for entry in scene.entries:
        times.setdefault(round(entry.spent / runs), []).append(entry.label)
    untuned = times.pop(0, [])
    if times:
        alike = len(scene.entries) > 1 and len(times) == 1 and not untuned
        told = [
            f"{'each optimizer' if alike else enumerated(names)} {each}"
            for each, names in sorted(times.items())
        ]
        besides = f"; {enumerated(untuned)} had none" if untuned else ""
        yield (
            f"The search for rates, which no figure counts, cost {enumerated(told)} times the "
            f"budget of the runs that are compared{besides}."
        )


def _costs(scene: Scored) -> Iterable[str]:
    names = dict[str, list[str]]()
    for entry in scene.entries:
        costs = [each.cost for each in entry.results if each.cost]
        if costs:
            names.setdefault(f"{np.mean(costs):.2g}", []).append(entry.label)
    if not names:
        return
    told = [f"{cost} for {enumerated(each)}" for cost, each in names.items()]
    taken = next(iter(names)) if len(names) == 1 else f"{enumerated(told)} on average"
    yield (
        f"Cost is counted in evaluations, of which a step takes {taken}; what else a step "
        "computes, and how long it takes, is not counted."
    )


def _between(found: Summary) -> str:
    """Return an interval in parentheses, unless all problems are alike, so that there is none."""
    low, high = found.solved_interval
    return f" ({_share(CONFIDENCE)} interval {_share(low)} to {_share(high)})" if low < high else ""


def _share(share: float) -> str:
    """Return a share in percent, with a digit after the point if it is below one."""
    percent = 100 * share
    return f"{percent:.1f} %" if 0 < percent < 1 else f"{percent:.0f} %"


def _p_value(p_value: float) -> str:
    return "< 0.001" if p_value < 0.001 else f"= {p_value:.2g}"


def _range(numbers: NDArray[np.intp], word: str) -> str:
    low, high = int(min(numbers)), int(max(numbers))
    return counted(low, word) if low == high else f"{low} to {counted(high, word)}"


def _some(names: Sequence[str]) -> str:
    """Return the number of problems, with the names of the first ones."""
    shown = enumerated(names) if len(names) <= NAMED else ", ".join(names[:NAMED]) + " and others"
    return f"{counted(len(names), 'problem')} ({shown})"


def _verb(names: Sequence[str], one: str, many: str) -> str:
    return one if len(names) == 1 else many
