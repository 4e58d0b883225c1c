"""The figures of a score: what they draw is what is computed, and nothing overlaps."""

from dataclasses import replace
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from made_scores import made_scene
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from pictures import assert_tidy, shown

from optiviz import InputError
from optiviz.kinds.score import ScoreRecipe, ScoreScene
from optiviz.kinds.size import Size
from optiviz.kinds.style import Style
from optiviz.registry import THEMES, VIEWS
from optiviz.scoring.profiles import (
    data_profile,
    ending_shares,
    mean_ranks,
    performance_profile,
    problem_shares,
    solved_bands,
    solved_share,
)
from optiviz.scoring.results import ENDINGS
from optiviz.scoring.sensitivity import rate_sensitivity
from optiviz.scoring.statistics import summaries
from optiviz.themes import load_theme
from optiviz.themes.colors import SIGHT, distance, rgb, seen
from optiviz.themes.contrast import APART
from optiviz.views.figure import Picture
from optiviz.views.score import percent
from optiviz.views.score_rows import INTERVAL, ending_colors, p_value
from optiviz.views.settings import drawing_settings

FIGURES = [name for name, entry in VIEWS.items() if entry.requires == "score"]
SMALL, USUAL = Size(480, 320), Size(960, 640)
SUITE = {"problems": [{"name": "bowl", "group": "smooth", "surface": "bowl"}]}


def draw(
    names: str, scene: ScoreScene, size: Size = USUAL, theme: str = "light", **look: Any
) -> Picture:
    with drawing_settings():
        panels = [(scene, names.split("+"))]
        drawn = Picture(scene, load_theme(theme), panels, Style(), size, **look)
    drawn.figure.draw_without_rendering()
    return drawn


def axes_of(names: str, scene: ScoreScene) -> list[Axes]:
    return [axes for axes in draw(names, scene).figure.axes if axes.get_zorder() == 0]


def lines(axes: Axes, scene: ScoreScene) -> list[Line2D]:
    """Return the lines of the optimizers, in their order."""
    named = {line.get_label(): line for line in axes.lines}
    return [named[entry.label] for entry in scene.entries]


def unlike(scene: ScoreScene, **changed: Any) -> ScoreScene:
    return replace(scene, table=replace(scene.table, **changed))


def crossing() -> ScoreScene:
    """Return a score in which one optimizer is fast at first and another one at last."""
    scene = made_scene(3)
    shares, gaps = scene.table.shares, np.empty_like(scene.table.gaps)
    gaps[:] = np.stack([np.exp(-9 * shares), 0.5 * np.exp(-4 * shares), np.exp(-3 * shares)])
    return unlike(scene, gaps=gaps)


def blank() -> ScoreScene:
    """Return a score in which all runs fail, of optimizers without a rate."""
    scene = made_scene(3)
    found = unlike(
        scene,
        solved_at=np.full_like(scene.table.solved_at, np.inf),
        gaps=np.full_like(scene.table.gaps, np.inf),
        endings=np.full_like(scene.table.endings, 3),
        rates=np.full_like(scene.table.rates, np.nan),
    )
    entries = [
        replace(
            each,
            invariances={},
            results=tuple(
                replace(one, values={}, factors={}, solved_with={}) for one in each.results
            ),
        )
        for each in scene.entries
    ]
    return replace(found, entries=tuple(entries))


def many_problems(problems: int, optimizers: int = 5) -> ScoreScene:
    """Return a score on copies of its problems, in four groups."""
    scene = made_scene(optimizers)
    table = scene.table
    kept = np.arange(problems) % len(table.problems)
    rows = (5 * kept[:, None] + np.arange(5)).ravel()
    entries = tuple(
        replace(each, results=tuple(each.results[number] for number in kept))
        for each in scene.entries
    )
    return replace(
        scene,
        entries=entries,
        table=replace(
            table,
            problems=tuple(f"{table.problems[each]}-{n}" for n, each in enumerate(kept)),
            groups=tuple(f"group-{4 * n // problems}" for n in range(problems)),
            dims=table.dims[kept], budgets=table.budgets[kept], rates=table.rates[kept],
            problem=np.repeat(np.arange(problems), 5), solved_at=table.solved_at[rows],
            gaps=table.gaps[rows], endings=table.endings[rows],
        ),
    )  # fmt: skip


def test_curves_are_the_shares_solved_with_their_bands() -> None:
    scene = made_scene(2)
    (axes,) = axes_of("solved", scene)
    solved, (low, high) = solved_share(scene.table), solved_bands(scene.table)
    for number, line in enumerate(lines(axes, scene)):
        assert line.get_xydata().tolist() == [
            list(each) for each in zip(scene.table.shares, solved[:, number], strict=True)
        ]
        corners = axes.collections[number].get_paths()[0].vertices[:, 1]
        assert corners.max() == high[:, number].max() and corners.min() == low[:, number].min()
    assert axes.get_xscale() == "log"
    assert "share of the budget of 1,000 evaluations" in [text.get_text() for text in axes.texts]


@pytest.mark.parametrize(
    ("name", "compute"), [("profile", performance_profile), ("data-profile", data_profile)]
)
def test_profiles_have_a_step_wherever_the_share_changes(name: str, compute: Any) -> None:
    scene = made_scene(3)
    (axes,) = axes_of(name, scene)
    for number, line in enumerate(lines(axes, scene)):
        places, shares = line.get_data()
        assert line.get_drawstyle() == "steps-post"
        between = np.sqrt(places[1:] * places[:-1])
        assert np.array_equal(shares, compute(scene.table, places)[:, number])
        assert np.array_equal(shares[:-1], compute(scene.table, between)[:, number])


def test_ranks_are_best_on_top_and_the_edge_says_who_leads() -> None:
    scene = crossing()
    (axes,) = axes_of("rank", scene)
    assert axes.yaxis_inverted()
    ranks = mean_ranks(scene.table)
    assert np.array_equal(np.stack([each.get_ydata() for each in lines(axes, scene)], 1), ranks)
    first, second = (each.get_color() for each in lines(axes, scene)[:2])
    edge = [line for line in axes.lines if line.get_linewidth() == 5]
    assert [line.get_color() for line in edge] == [second, first]
    change = scene.table.shares[ranks.argmin(axis=1) == 0][0]
    assert [line.get_xdata()[1] for line in edge] == [change, 1.0]
    (tied,) = axes_of("rank", unlike(scene, gaps=np.ones_like(scene.table.gaps)))
    assert not [line for line in tied.lines if line.get_linewidth() == 5]


def test_the_matrix_has_a_colour_for_each_share_and_the_rank_in_it() -> None:
    scene = made_scene(3)
    (axes,) = axes_of("matrix", scene)
    shares = problem_shares(scene.table)
    cells = axes.collections[0].get_facecolor().tolist()
    by_share: dict[float, set[Any]] = {}
    for color, share in zip(cells, shares.ravel(), strict=True):
        by_share.setdefault(share, set()).add(tuple(color))
    assert [len(each) for each in by_share.values()] == [1] * len(np.unique(shares))
    assert len(set.union(*by_share.values())) == len(by_share)
    said = [text.get_text() for text in axes.texts]
    assert {*scene.table.problems, *scene.table.groups, "adam"} <= {*said}


@pytest.mark.parametrize(("problems", "named"), [(24, True), (250, False)])
def test_many_problems_stand_in_blocks_or_without_their_names(problems: int, named: bool) -> None:
    scene = many_problems(problems)
    drawn = draw("matrix", scene, SMALL)
    assert_tidy(drawn)
    said = [text.get_text() for text in shown(drawn)]
    assert all((name in said) == named for name in scene.table.problems)
    assert {*scene.table.groups} <= {*said}


def test_bars_are_the_shares_of_each_ending() -> None:
    scene = made_scene(4)
    (axes,) = axes_of("endings", scene)
    bars = [each for each in axes.patches if isinstance(each, Rectangle) and each.get_clip_on()]
    widths = np.reshape([bar.get_width() for bar in bars], (4, 4))
    assert np.array_equal(widths, ending_shares(scene.table))
    assert len({bar.get_facecolor() for bar in bars}) == 4


def test_medians_stand_on_their_intervals_and_what_is_unsolved_at_an_arrow() -> None:
    scene = made_scene(3)
    solved_at = scene.table.solved_at.copy()
    solved_at[:, 2] = np.inf
    scene = unlike(scene, solved_at=solved_at)
    medians, solved = axes_of("medians", scene)
    found = summaries(scene.table)
    for axes, values in (
        (medians, [(each.median, each.median_interval) for each in found]),
        (solved, [(each.solved, each.solved_interval) for each in found]),
    ):
        bars = [line for line in axes.lines if line.get_linewidth() == INTERVAL]
        for bar, (value, interval) in zip(bars, values, strict=True):
            row = bar.get_ydata()[0]
            marks = [each for each in axes.lines if [*each.get_ydata()] == [row]]
            mark = next(each for each in marks if each.get_transform() == axes.transData)
            if np.isfinite(value):
                assert mark.get_xdata() == [value] and bar.get_xdata()[0] == interval[0]
            else:
                assert mark.get_marker() == ">" and mark.get_xdata()[0] > 1
    said = [text.get_text() for text in solved.texts]
    assert p_value(found[1].adjusted) in said


def test_the_sensitivity_to_rates_is_drawn_with_its_width() -> None:
    scene = made_scene(3)
    rates, beta = axes_of("sensitivity", scene)
    for number, (entry, line) in enumerate(zip(scene.entries, lines(rates, scene), strict=True)):
        found = rate_sensitivity(entry.results, scene.table.rates[:, number])
        assert line.get_data()[1].tolist() == found.solved.tolist()
        bars = [each for each in rates.lines if [*each.get_xdata()] == [*found.region]]
        assert line.get_color() in [bar.get_color() for bar in bars]
        assert f"{found.width:.1f}" in [text.get_text() for text in rates.texts]
    assert any("1 \N{MINUS SIGN} beta1" in text.get_text() for text in beta.texts)


def test_hyperparameters_of_the_judged_optimizer_come_first() -> None:
    scene = made_scene(4)
    first, *others = scene.entries
    renamed = tuple(
        replace(
            each,
            **{
                name: {"kick": next(iter(getattr(each, name).values()))}
                for name in ("values", "factors", "solved_with")
            },
        )
        for each in first.results
    )
    judged = replace(scene, entries=(replace(first, results=renamed), *others))
    _, panel, *_ = axes_of("sensitivity", judged)
    assert any("kick" in text.get_text() for text in panel.texts)


def test_invariances_are_ticks_factors_or_random() -> None:
    (axes,) = axes_of("invariance", made_scene(1))
    said = [text.get_text() for text in axes.texts]
    assert said.count("\N{CHECK MARK}") == 2
    assert {"random", "\N{MULTIPLICATION SIGN}2", "adam", "rotated"} <= {*said}


@pytest.mark.sample(4)
@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize(
    ("case", "size", "theme"),
    [
        ("made", SMALL, "dark"),
        ("made", Size(3.25, 2.5, "in"), "article"),
        ("many", USUAL, "light"),
        ("blank", SMALL, "light"),
        ("one", USUAL, "dark"),
    ],
)
def test_every_figure_is_tidy(name: str, case: str, size: Size, theme: str) -> None:
    one = unlike(made_scene(1))
    scenes = {
        "made": made_scene,
        "many": lambda: many_problems(14, 8),
        "blank": blank,
        "one": lambda: replace(one, table=one.table.select(np.arange(7) == 2)),
    }
    scene = scenes[case]()
    if case == "one":
        scene = replace(
            scene, entries=tuple(replace(e, results=e.results[2:3]) for e in scene.entries)
        )
    assert_tidy(draw(name, scene, size, theme, legend="none" if VIEWS[name].named else None))


def test_four_figures_stand_in_a_square() -> None:
    drawn = draw("solved+profile+rank+data-profile", crossing())
    assert_tidy(drawn)
    places = [each.get_position() for each in drawn.figure.axes if each.get_zorder() == 0]
    assert len({round(each.x0, 3) for each in places}) == 2
    assert len({round(each.y0, 3) for each in places}) == 2


def test_names_of_rows_are_whole_and_the_last_row_is_full() -> None:
    drawn = draw("solved+rank+medians", made_scene())
    assert_tidy(drawn)
    solved, rank, medians = (axes.get_position() for axes in drawn.figure.axes[:3])
    assert solved.x0 == pytest.approx(medians.x0)
    assert max(axes.get_position().x1 for axes in drawn.figure.axes[2:4]) > rank.x0 + 0.2


def test_figures_are_chosen_by_name() -> None:
    given: dict[str, Any] = {"optimizers": "adam,sgd", "suite": SUITE}
    scene = made_scene()
    assert ScoreRecipe(**given).views(scene) == ["solved"]
    assert ScoreRecipe(**given, only="rank+endings").views(scene) == ["rank", "endings"]
    assert ScoreRecipe(**given, only="endings+medians").legend_place == "none"
    assert ScoreRecipe(**given, only="endings", legend="below").legend_place == "below"
    assert ScoreRecipe(**given, only="endings+rank").legend_place is None
    with pytest.raises(InputError, match="unknown view 'ranks': did you mean 'rank'"):
        ScoreRecipe(**given, only="ranks")
    with pytest.raises(InputError, match="contour has no surface to draw"):
        ScoreRecipe(**given, only="contour")


def test_a_percentage_is_whole_only_if_the_share_is() -> None:
    assert [percent(each) for each in (0.0, 0.001, 0.5, 0.999, 1.0)] == [
        "0%", "<1%", "50%", ">99%", "100%",
    ]  # fmt: skip


@pytest.mark.parametrize("theme", THEMES)
def test_all_eyes_tell_endings_apart(theme: str) -> None:
    colors = rgb([to_hex(each) for each in ending_colors(load_theme(theme))])
    for sight, (one, other) in product(SIGHT, combinations(range(len(ENDINGS)), 2)):
        assert distance(*seen(colors[[one, other]], sight)) > APART, (sight, one, other)
