"""The figures of a score: how each is read, and its numbers."""

from collections.abc import Callable, Sequence

import numpy as np

from optiviz.kinds.score import ScoreScene
from optiviz.objective import Array
from optiviz.optimizers.lookup import factory_of
from optiviz.scoring import profiles
from optiviz.scoring.invariance import TRANSFORMATIONS
from optiviz.scoring.results import ENDINGS

FIGURES = {  # by the name of the view: a heading, and how it is read
    "solved": (
        "Share solved against the budget",
        "Higher and further left is better; the bands are 95 % intervals over the problems.",
    ),
    "rank": (
        "Rank against the budget",
        "1, on top, is the best; where lines cross, a longer run changes the order.",
    ),
    "profile": (
        "Performance profile",
        "The share of instances solved at no more than a multiple of the least cost of any; "
        "at 1 it is how often an optimizer is the cheapest.",
    ),
    "data-profile": (
        "Data profile",
        "The share of instances solved within so many evaluations, in units of the number of "
        "variables plus one.",
    ),
    "medians": (
        "Median cost",
        "Half of the instances are solved within this share of the budget; the bars are 95 % "
        "intervals, and none is drawn where fewer are solved.",
    ),
    "endings": (
        "How runs end",
        "Elsewhere is a point without slope that is no solution; moving is the end of the budget.",
    ),
    "invariance": (
        "Invariance",
        "A tick is a path that stays the same when the problem is changed; a number is how many "
        "times as large the final gap becomes.",
    ),
    "sensitivity": (
        "Sensitivity to hyperparameters",
        "A wide hill forgives a wrong value: a multiple of the rate used on each problem, or of "
        "the default. Bars span the values that solve at least half as many as the best.",
    ),
}
Cells = Sequence[Sequence[str]]
BUDGETS = 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0
RATIOS = 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0
KAPPAS = 1.0, 3.0, 10.0, 30.0, 100.0, 300.0


def percent(share: float) -> str:
    """Format a share in whole per cent."""
    return f"{100 * share:.0f} %" if np.isfinite(share) else "–"


def brief(value: float, digits: int = 3) -> str:
    """Format a number with a few digits, a dash if it is not finite."""
    return f"{value:.{digits}g}" if np.isfinite(value) else "–"


def numbers_of(name: str, scene: ScoreScene) -> tuple[Sequence[str], Cells]:
    """Return the headings and rows of the numbers of a figure, one row per optimizer."""
    heads, columns = TABLES[name](scene)
    rows = [[entry.heading, *cells] for entry, cells in zip(scene.entries, columns, strict=True)]
    return ["optimizer", *heads], rows


def _at_budgets(values: Array, written: Callable[[float], str]) -> tuple[Sequence[str], Cells]:
    """Return the headings of BUDGETS, and values there, shape (budgets, k), for each optimizer."""
    cells = [[written(value) for value in column] for column in values.T]
    return [f"at {percent(each)}" for each in BUDGETS], cells


def _solved(scene: ScoreScene) -> tuple[Sequence[str], Cells]:
    return _at_budgets(profiles.solved_share(scene.table, np.array(BUDGETS)), percent)


def _rank(scene: ScoreScene) -> tuple[Sequence[str], Cells]:
    shares = scene.table.shares
    kept = [int((shares <= each).sum()) - 1 for each in BUDGETS]  # the last that was not beyond
    return _at_budgets(profiles.mean_ranks(scene.table)[kept], brief)


def _profile(scene: ScoreScene) -> tuple[Sequence[str], Cells]:
    found = profiles.performance_profile(scene.table, np.array(RATIOS))
    return [f"{each:g} times" for each in RATIOS], [[*map(percent, each)] for each in found.T]


def _data_profile(scene: ScoreScene) -> tuple[Sequence[str], Cells]:
    found = profiles.data_profile(scene.table, np.array(KAPPAS))
    return [f"{each:g} units" for each in KAPPAS], [[*map(percent, each)] for each in found.T]


def _medians(scene: ScoreScene) -> tuple[Sequence[str], Cells]:
    rows = [[percent(each.median), *map(percent, each.median_interval)] for each in scene.summaries]
    return ["median", "from", "to"], rows


def _endings(scene: ScoreScene) -> tuple[Sequence[str], Cells]:
    return ENDINGS, [[*map(percent, each)] for each in profiles.ending_shares(scene.table)]


def _sensitivity(scene: ScoreScene) -> tuple[Sequence[str], Cells]:
    keys = list(dict.fromkeys(key for each in scene.sensitivities for key in each))
    rows = []
    for entry, found in zip(scene.entries, scene.sensitivities, strict=True):
        widths = [brief(found[key].width) if key in found else "–" for key in keys]
        rate = found.get(factory_of(entry.spec.name).rate)
        at = [
            np.nan if rate is None else np.interp(power, np.log10(rate.factors), rate.solved)
            for power in (-1, 0, 1)
        ]
        rows.append([*widths, *map(percent, at)])
    heads = [f"decades of {key}" for key in keys]
    return [*heads, "a tenth of the rate used", "the rate used", "ten times"], rows


def _invariance(scene: ScoreScene) -> tuple[Sequence[str], Cells]:
    rows = []
    for entry in scene.entries:
        row = []
        for name in TRANSFORMATIONS:
            found = entry.invariances.get(name)
            if found is None or found.passes is None:
                row.append("not known" if found is None or not found.cause else found.cause)
            else:
                row.append("passes" if found.passes else f"gap {brief(found.lost)} times")
        rows.append(row)
    return [*TRANSFORMATIONS], rows


TABLES: dict[str, Callable[[ScoreScene], tuple[Sequence[str], Cells]]] = {
    "solved": _solved,
    "rank": _rank,
    "profile": _profile,
    "data-profile": _data_profile,
    "medians": _medians,
    "endings": _endings,
    "sensitivity": _sensitivity,
    "invariance": _invariance,
}
