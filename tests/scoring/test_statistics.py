"""Intervals and paired tests, against enumeration, scipy and examples by hand."""

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from made_scores import made_scene, made_table
from scipy.stats import wilcoxon

from optiviz.scoring import statistics
from optiviz.scoring.profiles import draw_problems
from optiviz.scoring.statistics import extremes, holm, signed_rank, summaries

INF = np.inf


@pytest.mark.parametrize("number", [5, 12, 40])
def test_a_signed_rank_test_is_that_of_scipy(number: int) -> None:
    rng = np.random.default_rng(number)
    for shift in (0.0, 0.3, 1.0):
        differences = rng.normal(shift, 1, number)
        expected = wilcoxon(differences, method="exact").pvalue
        assert signed_rank(differences) == pytest.approx(expected, rel=1e-12)


def test_ties_and_zeros_are_as_in_all_assignments_of_signs() -> None:
    rng = np.random.default_rng(1)
    for _ in range(10):
        differences = rng.integers(-3, 5, 8)
        sizes = abs(differences[differences != 0])
        ranks = [(sizes < each).sum() + ((sizes == each).sum() + 1) / 2 for each in sizes]
        sums = [
            sum(r for r, up in zip(ranks, signs, strict=True) if up)
            for signs in product([0, 1], repeat=len(ranks))
        ]
        seen = sum(r for r, d in zip(ranks, differences[differences != 0], strict=True) if d > 0)
        middle = sum(ranks) / 2
        extreme = np.mean([abs(each - middle) >= abs(seen - middle) for each in sums])
        assert signed_rank(differences) == pytest.approx(extreme, rel=1e-12)
    assert signed_rank([0, 0]) == signed_rank([]) == 1


def test_many_differences_are_tested_by_a_normal_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    families = [rng.normal(shift, 1, 200).round(1) for shift in (0.0, 0.1, 0.2)]
    exact = [signed_rank(each) for each in families]
    monkeypatch.setattr(statistics, "EXACT", 100)
    assert [signed_rank(each) for each in families] == pytest.approx(exact, rel=0.02)


def test_holms_correction_is_that_of_its_definition() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0] and holm([]) == []
    p_values = [0.001, 0.013, 0.02, 0.04, 0.3]
    for order in permutations(p_values):  # reject, from the smallest, while p <= level / left
        for adjusted, p_value in zip(holm(order), order, strict=True):
            smaller = [each for each in p_values if each <= p_value]
            assert adjusted == max(min(each * (5 - place), 1) for place, each in enumerate(smaller))


def test_summaries_are_those_of_the_raw_table() -> None:
    table = made_scene(optimizers=3, seed=3).table
    table.solved_at[:, 2] = table.solved_at[:, 0]
    table = replace(table, solved_at=table.solved_at.copy())
    first, second, third = summaries(table, seed=4)
    share = table.solved_at / table.budgets[0]
    drawn = draw_problems(table, 4).astype(int)
    for number, each in enumerate((first, second, third)):
        medians, solved = [], []
        for counts in drawn:
            rows = np.repeat(share[:, number], counts[table.problem])
            medians.append(np.sort(rows)[(len(rows) - 1) // 2])
            solved.append(np.isfinite(rows).mean())
        for values, interval in ((medians, each.median_interval), (solved, each.solved_interval)):
            assert interval == (np.sort(values)[49], np.sort(values)[1949])
        assert each.median == np.sort(share[:, number])[(len(share) - 1) // 2]
        assert each.solved == np.isfinite(share[:, number]).mean()
    assert (third.wins, third.ties, third.losses) == (0, len(table.problems), 0)
    assert np.isnan(first.p_value) and third.adjusted == 1
    assert second.wins + second.ties + second.losses == len(table.problems)
    assert second.adjusted == min(2 * second.p_value, 1)


def test_an_unsolved_instance_loses_against_the_slowest_solved_one_alone() -> None:
    table = made_table([[100, INF], [INF, INF], [30, 20]], budget=100)
    _, second = summaries(table)
    assert (second.wins, second.ties, second.losses) == (1, 1, 1)
    assert summaries(made_table([[INF], [INF], [1]]))[0].median == INF
    assert summaries(made_table([[INF], [1]]))[0].median == 0.01


def test_extremes_are_where_an_optimizer_differs_most_from_the_others() -> None:
    table = made_table([[10, 20, 20], [10, 90, 90], [50, 10, 10], [INF, 9, 9], [5, 5, 5]])
    assert extremes(table) == ((1, 0), (3, 2))
    assert extremes(table, number=1) == ((1,), (3,))
    assert extremes(table, optimizer=1) == ((3, 2), (1, 0))
    assert extremes(made_table([[10], [INF], [1]])) == ((2, 0), (1,)), "alone"
