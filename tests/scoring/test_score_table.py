"""Which rate an optimizer uses on each problem, and the table of a score."""

from dataclasses import replace

import numpy as np
import pytest
from made_scores import made_scene

from optiviz.kinds.suite import Suite
from optiviz.scoring.problems import SHARES
from optiviz.scoring.results import Results
from optiviz.scoring.table import best_rate, nearest_rates, read_tuned, table_of
from optiviz.system.errors import InputError

INF = np.inf


def tried(rates: list[float], solved_at: list[list[float]], last: object = 1.0) -> Results:
    solved = np.array(solved_at, float)
    gaps = np.broadcast_to(np.array(last, float)[..., None], (*solved.shape, len(SHARES)))
    return Results(
        rates=np.array(rates),
        gaps=gaps,
        solved_at=solved,
        endings=np.where(np.isfinite(solved), 0, 2).astype(np.int8),
        cost=1.0,
        spent=0,
    )


def test_the_table_has_the_results_at_the_best_rates() -> None:
    scene = made_scene()
    problems = scene.suite.benchmark()
    made = table_of(problems, scene.table.optimizers, [each.results for each in scene.entries])
    own = np.isfinite(scene.table.solved_at)
    assert np.array_equal(made.solved_at[own], scene.table.solved_at[own])
    assert (np.isfinite(made.solved_at).sum(axis=0) >= own.sum(axis=0)).all()
    for name in ("optimizers", "problems", "groups", "dims", "budgets", "problem", "shares"):
        assert np.array_equal(getattr(made, name), getattr(scene.table, name)), name


def test_the_table_needs_the_way_at_the_best_rates_alone() -> None:
    scene = made_scene()
    problems, labels = scene.suite.benchmark(), scene.table.optimizers
    files = [[each.to_bytes() for each in entry.results] for entry in scene.entries]
    whole, little = (
        table_of(problems, labels, [[read(each) for each in row] for row in files])
        for read in (Results.from_bytes, read_tuned)
    )
    for name, value in vars(whole).items():
        assert np.array_equal(value, getattr(little, name), equal_nan=name == "rates"), name
    shown = read_tuned(files[0][0])
    assert sorted(each.shape[-1] for each in shown.gaps)[-2:] == [1, len(SHARES)]
    assert best_rate(shown) == best_rate(scene.entries[0].results[0])


def test_the_best_rate_solves_most_then_is_fast_then_low_then_small() -> None:
    assert best_rate(tried([1, 2, 3], [[9, INF], [50, 60], [5, INF]])) == 1
    assert best_rate(tried([1, 2, 3], [[50, 60], [5, INF], [50, 40]])) == 2
    nobody = [[INF, INF]] * 3
    assert best_rate(tried([1, 2, 3], nobody, [[0.2, 0.2], [0.1, 0.1], [np.nan, INF]])) == 1
    assert best_rate(tried([1, 2, 3], nobody)) == 0
    assert best_rate(tried([np.nan], [[3]])) == 0
    near = nearest_rates(np.array([0.1, 1.0, 10.0]), np.array([0.04, 0.4, 10**0.5, 9.0]))
    assert near.tolist() == [0, 1, 1, 2], "as factors, and the smaller of two"


def test_a_rate_that_is_tuned_elsewhere_is_used_everywhere() -> None:
    names = {"bowl": "smooth", "beale": "smooth", "ackley": "rough"}
    suite = Suite(
        starts=1,
        budget=100,
        problems=[{"name": name, "group": names[name], "surface": name} for name in names],
    )
    problems = suite.benchmark()
    fine, coarse = [0.1, 0.2, 0.4, 0.8], [0.1, 0.4]
    mine = [
        tried(fine, [[90], [10], [20], [INF]]),
        tried(fine, [[INF], [INF], [80], [5]]),
        tried(coarse, [[3], [INF]]),
    ]
    fixed = [tried([np.nan], [[7]])] * 3

    def rates(tuned_on: str | None) -> list[float]:
        table = table_of(problems, ["adam", "set"], [mine, fixed], tuned_on)
        assert np.isnan(table.rates[:, 1]).all() and (table.solved_at[:, 1] == 7).all()
        return list(table.rates[:, 0])

    assert rates(None) == [0.2, 0.8, 0.1]
    assert rates("bowl") == [0.2, 0.2, 0.1]  # 0.1 and 0.4 are as near, of which the smaller one
    assert rates("beale") == [0.8, 0.8, 0.4]
    assert rates("smooth") == [0.4, 0.4, 0.4], "solves both"
    assert rates("all") == [0.2, 0.2, 0.1], "solves two, as 0.4 does, and sooner"
    with pytest.raises(InputError, match="unknown problem or group 'smoth': did you mean 'smooth'"):
        rates("smoth")


def test_an_optimizer_whose_steps_explode_has_a_rate() -> None:
    results = tried([1, 2], [[INF], [INF]], np.nan)
    with np.errstate(all="raise"):
        assert best_rate(replace(results, gaps=np.full((2, 1, len(SHARES)), INF))) == 0
        assert best_rate(results) == 0


def test_dimensions_are_those_that_are_descended() -> None:
    xor = {"name": "xor", "group": "networks", "surface": "xor", "minimum": 0}
    suite = Suite(starts=1, problems=[xor])
    table = table_of(suite.benchmark(), ["adam"], [[tried([0.1], [[3]])]])
    assert table.dims.tolist() == [22]
