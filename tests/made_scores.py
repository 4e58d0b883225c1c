"""Scores with made-up numbers, for tests of figures and pages that need no runs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from optiviz.kinds.score import ScoreEntry, ScoreScene
from optiviz.kinds.suite import Suite
from optiviz.optimizers.spec import parse_spec
from optiviz.scoring.invariance import TRANSFORMATIONS, Invariance
from optiviz.scoring.problems import SHARES
from optiviz.scoring.rates import RATES
from optiviz.scoring.results import Results
from optiviz.scoring.table import ScoreTable

SURFACES = ("bowl", "ellipse", "beale", "rosenbrock", "himmelblau", "rastrigin", "ackley")
SPECS = ("adam", "sgd", "momentum", "rmsprop", "lion", "nesterov", "adagrad", "rprop")


def made_scene(optimizers: int = 5, starts: int = 5, seed: int = 0) -> ScoreScene:
    """Return a score of optimizers on a few surfaces, with numbers that look like real ones."""
    rng = np.random.default_rng(seed)
    suite = Suite(
        name="made",
        title="A made-up suite",
        starts=starts,
        problems=[
            {"name": name, "group": ("smooth", "many-minima")[number > 3], "surface": name}
            for number, name in enumerate(SURFACES)
        ],
    )
    n, k = len(SURFACES) * starts, optimizers
    hardness = np.repeat(rng.uniform(1, 3, len(SURFACES)), starts)[:, None]
    solved_at = np.ceil(10 ** (hardness + rng.normal(0, 0.3, (n, k)) + 0.1 * np.arange(k)))
    solved_at = np.where(solved_at > suite.budget, np.inf, solved_at)
    failed = rng.random((n, k)) < 0.03
    solved_at[failed] = np.inf
    speed = rng.uniform(0.5, 6, (n, k))
    gaps = np.exp(-speed[..., None] * np.log1p(suite.budget * SHARES) / 1.5)
    endings = np.where(failed, 3, np.where(np.isfinite(solved_at), 0, rng.integers(1, 3, (n, k))))
    table = ScoreTable(
        optimizers=SPECS[:k],
        problems=SURFACES,
        groups=tuple(each.group for each in suite.problems),
        dims=np.full(len(SURFACES), 2),
        budgets=np.full(len(SURFACES), suite.budget),
        problem=np.repeat(np.arange(len(SURFACES)), starts),
        solved_at=solved_at,
        gaps=gaps,
        shares=SHARES,
        endings=endings.astype(np.int8),
        rates=rng.choice(RATES[16:32], (len(SURFACES), k)),
    )
    return ScoreScene(
        title="A made-up suite",
        suite=suite,
        table=table,
        entries=tuple(_entry(number, table, starts, rng) for number in range(k)),
    )


def _entry(number: int, table: ScoreTable, starts: int, rng: np.random.Generator) -> ScoreEntry:
    results = []
    for place in range(len(table.problems)):
        mine = table.problem == place
        best = int(np.argmin(abs(RATES - table.rates[place, number])))
        away = abs(np.arange(len(RATES)) - best)[:, None]
        reached = table.solved_at[mine, number] * 10 ** (0.15 * away)
        solved_at = np.where(reached > table.budgets[place], np.inf, np.ceil(reached))
        gaps = np.broadcast_to(table.gaps[mine, number], (len(RATES), starts, len(SHARES)))
        shown = np.where(np.isfinite(solved_at), 0, 2).astype(np.int8)
        shown[best] = table.endings[mine, number]
        factors = np.geomspace(0.01, 10, 7)
        results.append(
            Results(
                rates=RATES,
                gaps=gaps.copy(),
                solved_at=solved_at,
                endings=shown,
                cost=1.0,
                spent=len(RATES) * starts * int(table.budgets[place]),
                values={"beta1": 1 - 0.1 * factors},
                factors={"beta1": factors},
                solved_with={
                    "beta1": np.where(rng.random((7, starts)) < 0.5, np.inf, solved_at[best])
                },
                cause="stopped at step 3" if (shown[best] == 3).any() else "",
                seconds=2e-5 * (1 + number),
            )
        )
    passes = [True, False, None]
    invariances = {
        name: Invariance(passes[(number + place) % 3], 10.0 ** -(place + 1), 1.0 + place)
        for place, name in enumerate(TRANSFORMATIONS)
    }
    return ScoreEntry(
        label=SPECS[number],
        number=number,
        spec=parse_spec(SPECS[number]),
        results=tuple(results),
        invariances=invariances,
        solved=float(np.isfinite(table.solved_at[:, number]).mean()),
        rates=table.rates[:, number],
    )


def made_table(
    solved_at: ArrayLike,
    starts: int = 1,
    budget: int = 100,
    gaps: ArrayLike | None = None,
    dims: Sequence[int] = (),
) -> ScoreTable:
    """Return a table of made-up problems with these evaluations until solved, shape (n, k)."""
    solved = np.array(solved_at, float)
    n, k = solved.shape
    p = n // starts
    default = np.broadcast_to(np.where(np.isfinite(solved), 0.0, 0.5)[..., None], (n, k, 4))
    return ScoreTable(
        optimizers=SPECS[:k],
        problems=tuple(f"problem-{number}" for number in range(p)),
        groups=tuple(("even", "odd")[number % 2] for number in range(p)),
        dims=np.array(dims if len(dims) else [2] * p),
        budgets=np.full(p, budget),
        problem=np.repeat(np.arange(p), starts),
        solved_at=solved,
        gaps=np.array(default if gaps is None else gaps, float),
        shares=np.array([0.1, 0.25, 0.5, 1.0]),
        endings=np.where(np.isfinite(solved), 0, 2).astype(np.int8),
        rates=np.full((p, k), 0.1),
    )
