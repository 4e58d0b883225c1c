"""What is solved at multiples of the best values, and how wide the good region is."""

from collections.abc import Mapping

import numpy as np
import pytest
from made_scores import RATES, made_scene

from optiviz.scoring.results import Results
from optiviz.scoring.sensitivity import (
    FACTORS,
    rate_sensitivity,
    sensitivities,
    value_sensitivity,
)

INF = np.inf
TENTHS = 10.0 ** np.arange(-2, 2.5, 0.5)


def hill(
    best: int,
    reach: int,
    rates: np.ndarray = RATES,
    factors: Mapping[str, np.ndarray] | None = None,
) -> Results:
    """Return results of two starts: one is solved up to `reach` rates away, the other half so."""
    away = abs(np.arange(len(rates)) - best)[:, None]
    solved_at = np.where(away <= [reach, reach // 2], 10.0 + away, INF)
    factors = factors or {}
    return Results(
        rates=rates,
        gaps=np.zeros((len(rates), 2, 1)),
        solved_at=solved_at,
        endings=np.zeros(solved_at.shape, np.int8),
        cost=1.0,
        spent=0,
        factors=factors,
        solved_with={key: np.full((len(each), 2), 10.0) for key, each in factors.items()},
    )


def at(factor: float) -> int:
    return int(np.argmin(abs(FACTORS - factor)))


def test_rates_are_compared_as_factors_of_the_best_one() -> None:
    results = [hill(20, 4), hill(24, 4)]
    found = rate_sensitivity(results, RATES[[20, 24]])
    assert found.solved[[at(0.01), at(0.1), at(0.3), at(1), at(10), at(100)]].tolist() == [
        0, 0.5, 1, 1, 0.5, 0,
    ]  # fmt: skip
    assert found.region == pytest.approx((0.1, 10)) and found.width == pytest.approx(2)
    elsewhere = rate_sensitivity(results, RATES[[22, 22]])
    assert elsewhere.solved[[at(0.3), at(1), at(10)]].tolist() == [0.75, 1, 0.5]


def test_coarse_grids_are_interpolated_and_their_ends_left_out() -> None:
    coarse = np.array([0.1, 1.0, 10.0])
    found = rate_sensitivity([hill(1, 1, coarse)], np.array([1.0]))
    assert found.factors.tolist() == pytest.approx(FACTORS[at(0.1) : at(10) + 1].tolist())
    assert found.solved.tolist() == pytest.approx(
        [0.5, 0.625, 0.75, 0.875, 1, 0.875, 0.75, 0.625, 0.5]
    )
    both = rate_sensitivity([hill(1, 1, coarse), hill(20, 4)], np.array([1.0, RATES[20]]))
    assert both.solved[at(0.01)] == 0 and both.solved[at(0.1)] == 0.5


def test_the_good_region_is_that_around_the_best_factor() -> None:
    results = hill(20, 4)
    results.solved_at[0:12] = 5.0  # more is solved far below
    used = rate_sensitivity([results], RATES[[20]])
    assert used.region == pytest.approx((0.1, 10))


def test_other_hyperparameters_are_factors_of_their_defaults() -> None:
    results = hill(20, 4, factors={"eps": TENTHS, "power": TENTHS[3:]})
    for key, default in (("eps", 4), ("power", 1)):
        solved = results.solved_with[key]
        solved[:] = INF
        solved[default] = 10.0
        solved[default - 1, 0] = 10.0
        found = value_sensitivity([results, hill(20, 4)], key)
        assert found.solved[[default - 1, default]].tolist() == [0.5, 1]
        assert found.factors[default] == 1
        assert found.region == pytest.approx((10**-0.5, 1)), key


def test_values_that_are_not_possible_everywhere_count_where_they_are() -> None:
    all_of, few = hill(20, 4, factors={"eps": TENTHS}), hill(20, 4, factors={"eps": TENTHS[3:6]})
    few.solved_with["eps"][:] = INF
    found = value_sensitivity([all_of, few, hill(20, 4)], "eps")
    assert found.factors.tolist() == TENTHS.tolist()
    assert found.solved.tolist() == [1, 1, 1, 0.5, 0.5, 0.5, 1, 1, 1]


def test_nothing_is_said_of_what_was_not_searched_or_not_solved() -> None:
    fixed = hill(0, 0, np.array([np.nan]))
    found = rate_sensitivity([fixed], np.array([np.nan]))
    assert np.isnan(found.solved).all() and np.isnan(found.width)
    assert len(found.factors) == len(found.solved)
    unsolved = hill(20, -9)
    assert np.isnan(rate_sensitivity([unsolved], RATES[[20]]).width)


def test_made_scores_have_a_hill_around_the_best_rate() -> None:
    scene = made_scene()
    found = rate_sensitivity(scene.entries[0].results, scene.table.rates[:, 0])
    assert found.solved.argmax() == at(1) and 0.5 < found.width < 6
    assert value_sensitivity(scene.entries[0].results, "beta1").factors == pytest.approx(
        np.geomspace(0.01, 10, 7)
    )


def test_the_numbers_of_a_score_have_each_width() -> None:
    scene = made_scene()
    entry, rates = scene.entries[0], scene.table.rates[:, 0]
    told = scene.to_dict()["scores"][0]["sensitivity"]
    assert list(told) == ["lr", "beta1"]
    for name, found in sensitivities(entry.results, "lr", rates).items():
        assert told[name]["width"] == found.width == np.log10(np.divide(*found.region[::-1]))
        assert told[name]["solved"] == found.solved.tolist()
    assert list(sensitivities(entry.results, "lr", np.full(len(rates), np.nan))) == ["beta1"]
