"""Profiles, ranks and bands, against direct computations on the raw table."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from made_scores import made_scene, made_table
from scipy.stats import rankdata

from optiviz.scoring.profiles import (
    RESAMPLES,
    data_profile,
    draw_problems,
    ending_shares,
    mean_ranks,
    order_changes,
    performance_profile,
    problem_ranks,
    problem_shares,
    solved_bands,
    solved_share,
)
from optiviz.scoring.results import ENDINGS

INF = np.inf
TABLE = made_scene(optimizers=4, seed=3).table
TABLE.solved_at[4] = INF  # one that nobody solves

# Times of three solvers of differential equations on six problems: the data of section 22.4 on
# performance profiles in D. J. and N. J. Higham, MATLAB Guide, as quoted, with the definition,
# at https://tex.stackexchange.com/questions/197300/creating-performance-profiles
ODE_TIMES = """
1.26e-2  6.20e-3 1.56e-2
2.41e-1  1.53e-1 1.97e-1
3.74e-2  5.00e-2 6.68e-2
3.37e0   6.45e0  7.86e0
1.44e-1  1.56e-1 3.76e-2
5.06e-1  1.07e0  1.5e0
"""


def test_the_profile_of_a_published_table_is_what_its_definition_says() -> None:
    table = made_table([line.split() for line in ODE_TIMES.strip().splitlines()])
    # its ratios, in order: ode23 1, 1, 1, 1.575, 2.03, 3.83; ode45 1, 1, 1.34, 1.91, 2.11, 4.15;
    # ode113 1, 1.288, 1.79, 2.33, 2.52, 2.96
    profile = performance_profile(table, np.array([1, 1.3, 1.6, 2, 2.4, 3, 3.9, 4.2]))
    assert (profile * 6).round(12).T.tolist() == [
        [3, 3, 4, 4, 5, 5, 6, 6],
        [2, 2, 3, 4, 5, 5, 5, 6],
        [1, 2, 2, 3, 4, 6, 6, 6],
    ]


def test_profiles_are_those_of_a_direct_computation() -> None:
    raw = TABLE.solved_at.tolist()
    ratios = [1.0, 1.0625, 1.5, 2.0, 3.25, 10.0, 1000.0]

    for tau, profile in zip(ratios, performance_profile(TABLE, np.array(ratios)), strict=True):
        for solver, share in enumerate(profile):
            within = [
                Fraction(row[solver]) <= Fraction(tau) * Fraction(min(row))
                for row in raw
                if row[solver] != INF
            ]
            assert share == sum(within) / len(raw)
    kappas = [1.0, 7.0, 33.0, 1e9]
    for kappa, profile in zip(kappas, data_profile(TABLE, np.array(kappas)), strict=True):
        dims = [TABLE.dims[number] for number in TABLE.problem]
        for solver, share in enumerate(profile):
            within = [row[solver] <= kappa * (dim + 1) for row, dim in zip(raw, dims, strict=True)]
            assert share == sum(within) / len(raw)
    budget = TABLE.budgets[0]
    for part, shares in zip(TABLE.shares, solved_share(TABLE), strict=True):
        for solver, share in enumerate(shares):
            assert share == sum(row[solver] / budget <= part for row in raw) / len(raw)


def test_data_profiles_count_simplex_gradients() -> None:
    table = made_table([[3, 11], [11, INF]], dims=[2, 10])
    assert data_profile(table, np.array([0.9, 1, 4])).tolist() == [[0, 0], [1, 0], [1, 0.5]]


def test_ranks_are_midranks_and_failures_are_last() -> None:
    rng = np.random.default_rng(0)
    gaps = rng.choice([1e-12, 1e-10, 1e-3, 0.1, 0.5, INF, np.nan], (12, 4, 4))
    table = replace(made_table(np.full((12, 4), INF), starts=3), gaps=gaps)
    told = np.maximum(np.where(np.isnan(gaps), INF, gaps), 1e-9)  # minima are not known better
    expected = np.array([[rankdata(told[n, :, s]) for s in range(4)] for n in range(12)])
    assert np.allclose(mean_ranks(table), expected.mean(axis=0), atol=1e-12)
    last = expected[:, -1].reshape(4, 3, 4).mean(axis=1)
    assert np.allclose(problem_ranks(table), last, atol=1e-12)


def test_the_order_changes_where_a_fast_starter_is_overtaken() -> None:
    fast, slow = [0.5, 0.3, 0.3, 0.3], [0.9, 0.4, 0.3, 1e-4]
    table = replace(made_table([[INF, 90]] * 3), gaps=np.array([[slow, fast]] * 3))
    assert order_changes(table) == [(0.1, ("sgd", "adam")), (1.0, ("adam", "sgd"))]
    late = replace(table, gaps=np.array([[[1, 1, 1, 0.5], [1, 1, 1, 0.4]]] * 3))
    assert order_changes(late) == [(1.0, ("sgd", "adam"))], "nobody is ahead before"
    assert order_changes(replace(table, gaps=np.ones((3, 2, 4)))) == [(0.1, ("adam", "sgd"))]


def test_shares_of_problems_and_endings_are_counts() -> None:
    table = made_table([[1, INF], [2, INF], [3, 4], [INF, INF]], starts=2)
    assert problem_shares(table).tolist() == [[1, 0], [0.5, 0.5]]
    table.endings[3] = ENDINGS.index("elsewhere"), ENDINGS.index("failed")
    assert ending_shares(table).tolist() == [[0.75, 0.25, 0, 0], [0.25, 0, 0.5, 0.25]]


def test_bands_are_those_of_a_bootstrap_of_whole_problems() -> None:
    low, high = solved_bands(TABLE, seed=5)
    drawn = draw_problems(TABLE, 5)
    assert drawn.shape == (RESAMPLES, len(TABLE.problems))
    assert (drawn.sum(axis=1) == len(TABLE.problems)).all()
    last = []
    for counts in drawn.astype(int):
        chosen = np.repeat(np.arange(len(counts)), counts)
        rows = np.concatenate([np.flatnonzero(TABLE.problem == number) for number in chosen])
        last.append(np.isfinite(TABLE.solved_at[rows]).mean(axis=0))
    assert np.array_equal(low[-1], np.sort(last, axis=0)[int(0.025 * RESAMPLES) - 1])
    assert np.array_equal(high[-1], np.sort(last, axis=0)[int(0.975 * RESAMPLES) - 1])
    assert (low <= solved_share(TABLE)).all() and (solved_share(TABLE) <= high).all()
    alone = TABLE.select(np.arange(len(TABLE.problems)) == 2)
    assert np.array_equal(*solved_bands(alone)), "starts of one problem are no evidence"


@pytest.mark.parametrize("optimizers", [1, 3])
def test_a_table_where_nothing_is_solved_has_profiles(optimizers: int) -> None:
    table = made_table(np.full((4, optimizers), INF), starts=2)
    with np.errstate(all="raise"):
        assert not performance_profile(table, np.array([1.0, INF])).any()
        assert (mean_ranks(table) == (optimizers + 1) / 2).all()
        assert not np.any(solved_bands(table))
