"""The sentences about a score say what its numbers support, and no more."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from made_scores import made_scene, made_table

from optiviz.scoring.results import ENDINGS, Results
from optiviz.scoring.statistics import summaries
from optiviz.scoring.table import ScoreTable
from optiviz.scoring.words import cautions, conclusions

INF = np.inf


def scored(table: ScoreTable, cost: tuple[float, ...] = (), spent: tuple[int, ...] = ()):  # type: ignore[no-untyped-def]
    """Return a score whose optimizers were tried at the rates of the table alone."""
    entries = [
        SimpleNamespace(
            label=label,
            spent=len(table.problems) * spent[number] if spent else 0,
            results=tuple(
                Results(
                    rates=table.rates[[place], number],
                    gaps=table.gaps[None, table.problem == place, number],
                    solved_at=table.solved_at[None, table.problem == place, number],
                    endings=table.endings[None, table.problem == place, number],
                    cost=cost[number] if cost else 1.0,
                    spent=spent[number] if spent else 0,
                )
                for place in range(len(table.problems))
            ),
        )
        for number, label in enumerate(table.optimizers)
    ]
    return SimpleNamespace(table=table, entries=entries, summaries=summaries(table))


def test_a_clear_winner_is_called_significantly_better_with_numbers() -> None:
    solved_at = np.arange(1.0, 13)[:, None] * [1, 2, 7]
    solved_at[-1, 2] = INF
    solved, median, compared = conclusions(scored(made_table(solved_at)))[:3]
    assert solved == (
        "adam solves 100 % of 12 instances of 12 problems, as does sgd, and none more."
    )
    assert median.startswith("It solves half of them within 6 % of the budget (")
    assert compared == (
        "adam needs significantly fewer evaluations than sgd (on 12 problems against 0, p < 0.001) "
        "and momentum (on 12 problems against 0, p < 0.001) after Holm's correction for 2 "
        "comparisons."
    )
    behind = made_table(solved_at[:, [2, 0]])
    assert "adam needs significantly more evaluations than sgd (on 12 problems" in " ".join(
        conclusions(scored(behind))
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("optimizers", [2, 6])
def test_nobody_is_called_better_unless_that_is_significant(optimizers: int, seed: int) -> None:
    scene = made_scene(optimizers, seed=seed)
    said = conclusions(scene)
    (differs,) = [each for each in said if each.startswith("No significant difference")]
    for each in summaries(scene.table)[1:]:
        assert each.adjusted > 0.05 and f"{each.label} (p = {each.adjusted:.2g})" in differs
    assert differs.endswith("which does not say that there is none.")
    assert not re.search(r"better than|worse than|significantly", " ".join(said))


def test_too_few_problems_are_told() -> None:
    faster = np.tile([10.0, 20.0], (5, 1))
    (told,) = [each for each in cautions(scored(made_table(faster))) if "significant" in each]
    assert told == (
        "With 5 problems and 1 comparison no difference can be significant: the lowest p-value "
        "that is possible is 0.062."
    )
    assert summaries(made_table(faster))[1].adjusted == pytest.approx(0.0625)
    enough = cautions(scored(made_table(np.tile([10.0, 20.0], (6, 1)))))
    assert not any("significant" in each for each in enough)


def test_an_order_that_depends_on_the_budget_is_told() -> None:
    fast, slow = [0.5, 0.3, 0.3, 0.3], [0.9, 0.4, 0.35, 1e-4]
    table = made_table([[90, INF]] * 3, gaps=[[slow, fast]] * 3)
    said = conclusions(scored(table))
    assert (
        "Who is ahead depends on the budget: by mean rank it is sgd at first, then adam from 100 % "
        "of it on." in said
    )
    assert "At 10 % of the budget adam is number 2 of 2, at its end number 1." in said


def test_strengths_are_told_by_group() -> None:
    table = made_table([[1, INF], [INF, 1]] * 4)
    assert (
        "Compared with the others, adam does best in even (100 % solved, 0 % on average by the "
        "others) and worst in odd (0 % solved, 100 % on average by the others)."
    ) in conclusions(scored(table))


def test_what_failed_is_named_with_its_cause() -> None:
    table = made_table([[1, INF], [2, 5]])
    table.endings[0, 1] = ENDINGS.index("failed")
    scene = scored(table)
    results = scene.entries[1].results
    scene.entries[1].results = (replace(results[0], cause="ZeroDivisionError"), results[1])
    assert conclusions(scene)[-1] == (
        "Of the 2 runs of each optimizer, these failed, and count as unsolved: 1 of sgd "
        "(ZeroDivisionError)."
    )


def test_what_a_rate_from_elsewhere_costs_is_told() -> None:
    scene = made_scene(2)
    used = scene.table.solved_at.copy()
    used[: len(used) // 2, 0] = INF
    share = np.isfinite(used[:, 0]).mean()
    scene = replace(scene, table=replace(scene.table, solved_at=used))
    (told,) = [each for each in conclusions(scene) if "rate that is best" in each]
    assert told.endswith(f"adam would solve 86 % instead of {100 * share:.0f} %.")


def test_cautions_name_what_was_not_counted_and_what_tells_nothing() -> None:
    table = made_table([[1, 2, 3], [INF, INF, INF], [1, INF, 5]], dims=[2, 10, 100])
    said = cautions(scored(table, cost=(1.0, 2.0, 1.0), spent=(100, 300, 0)))
    assert said[0].startswith(
        "Intervals and p-values are about problems like the 3 of this suite, which have 2 to 100 "
        "variables and budgets of 100 evaluations"
    )
    assert any(each.startswith("All problems had only 1 start,") for each in said)
    assert any(
        each.startswith("Nobody solves any instance of 1 problem (problem-1)") for each in said
    )
    assert any("solve all instances of 1 problem (problem-0)" in each for each in said)
    assert any(
        "cost adam 1 and sgd 3 times" in each and "momentum had none" in each for each in said
    )
    assert any("a step takes 1 for adam and momentum and 2 for sgd" in each for each in said)
    assert not any("smallest or largest" in each for each in said)


def test_problems_on_which_no_step_was_taken_do_not_lower_its_cost() -> None:
    scene = scored(made_table([[1, 2], [1, 2]]), cost=(3.0, 2.0))
    stuck = replace(scene.entries[0].results[0], cost=0.0)
    scene.entries[0].results = stuck, scene.entries[0].results[1]
    assert any("a step takes 3 for adam and 2 for sgd" in each for each in cautions(scene))
    scene.entries[0].results = stuck, stuck
    assert any("a step takes 2;" in each for each in cautions(scene)), "of sgd, which took some"


def test_a_minimum_that_runs_fall_below_is_told() -> None:
    table = made_table([[1, 2], [3, 4]], gaps=[[[0.5, 0.0]] * 2, [[0.5, 0.0], [0.5, -0.1]]])
    assert [each for each in cautions(scored(table)) if "below" in each] == [
        "Runs fall below the minimum of 1 problem (problem-1), which is too high: "
        "what counts as solved there is wrong."
    ]


def test_rates_at_an_end_of_those_tried_are_told() -> None:
    scene = made_scene(2)
    results = scene.entries[0].results
    rates = results[0].rates
    rate = scene.table.rates[0, 0]
    cut = rates >= rate
    first = replace(
        results[0],
        rates=rates[cut],
        gaps=results[0].gaps[cut],
        solved_at=results[0].solved_at[cut],
        endings=results[0].endings[cut],
    )
    entry = replace(scene.entries[0], results=(first, *results[1:]))
    scene = replace(scene, entries=(entry, scene.entries[1]))
    (told,) = [each for each in cautions(scene) if "smallest or largest" in each]
    assert told.endswith("for adam on 1 problem.")
    assert not any("smallest or largest" in each for each in cautions(made_scene(2)))


@pytest.mark.parametrize("optimizers", [1, 8])
def test_all_sentences_are_plain(optimizers: int) -> None:
    scene = made_scene(optimizers, seed=2)
    unsolved = replace(scene.table, solved_at=np.full_like(scene.table.solved_at, INF))
    for each in (scene, replace(scene, table=unsolved)):
        for sentence in conclusions(each) + cautions(each):
            assert sentence.endswith(".") and ".." not in sentence, sentence
            assert not re.search(r"\b(nan|inf)\b|\[|\(\)|  ", sentence), sentence
