"""The page of a score: its texts, its numbers, its figures, its live pages."""

import json
import re
from base64 import b64encode
from dataclasses import replace
from functools import cache
from hashlib import sha256
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from made_scores import made_scene

from optiviz.kinds.score import ScoreRecipe, ScoreScene
from optiviz.kinds.suite import Suite
from optiviz.optimizers.spec import parse_spec
from optiviz.rendering.render import render_scene
from optiviz.rendering.score.numbers import FIGURES, numbers_of
from optiviz.rendering.score.problems import STEPS, problem_recipe, problems_told, with_pages
from optiviz.scoring import profiles
from optiviz.scoring.runs import Job, run_job
from optiviz.scoring.setting import Setting
from optiviz.scoring.table import table_of

HOSTILE = '"><script>alert(1)</script><b x=`'
KEPT = "rosenbrock", "himmelblau"
NETWORK = {"name": "spirals", "group": "networks", "surface": "spirals", "batch_size": 32}


def scored(kept: tuple[str, ...] = KEPT) -> ScoreScene:
    """Return a made score of three optimizers on some problems."""
    scene = made_scene(3, starts=2)
    mask = np.array([name in kept for name in scene.table.problems])
    entries = tuple(
        replace(each, results=tuple(np.array(each.results, object)[mask])) for each in scene.entries
    )
    problems = tuple(each for each in scene.suite.problems if each.name in kept)
    suite = scene.suite.model_copy(update={"problems": problems})
    return replace(scene, entries=entries, table=scene.table.select(mask), suite=suite)


def recipe_of(scene: ScoreScene, **fields: Any) -> ScoreRecipe:
    specs = ",".join(each.spec.name for each in scene.entries)
    return ScoreRecipe(optimizers=specs, suite=scene.suite, **fields)


def written(scene: ScoreScene) -> str:
    """Return the page of a score with a single figure."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "score.html"
        render_scene(recipe_of(scene, only="solved"), scene, path)
        return path.read_text("utf-8")


@cache
def page() -> str:
    """Return the page of a score with hostile texts, made once for all tests."""
    scene = scored()
    first, *others = scene.entries
    endings = scene.table.endings.copy()
    endings[0, 0] = 3
    results = (replace(first.results[0], cause=HOSTILE), *first.results[1:])
    first = replace(first, results=results, spec=replace(first.spec, label=HOSTILE))
    table = replace(scene.table, endings=endings)
    return written(replace(scene, title=HOSTILE, entries=(first, *others), table=table))


def embedded(text: str, name: str) -> Any:
    (found,) = re.findall(rf'<script type="application/json" id="{name}">(.*?)</script>', text)
    return json.loads(found)


def test_no_text_is_html_and_nothing_is_loaded() -> None:
    text = page()
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert(1)") >= 5  # titles, headings, the cause
    assert not re.search(r'(src|href)="(?!data:|#)', text)
    ids = re.findall(r' id="([^"]*)"', text.split('id="score"')[0])
    assert len(ids) == len({*ids})


def test_it_has_the_title_of_its_suite() -> None:
    scene = scored()
    titled = replace(scene, suite=scene.suite.model_copy(update={"title": "Two <valleys>"}))
    assert "Two &lt;valleys&gt;. Each cell" in written(titled)


def test_only_its_own_scripts_and_styles_may_run() -> None:
    text = page()
    pages = embedded(text, "pages")
    (policy,) = re.findall('http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy.startswith("default-src 'none'")
    programs = [each["programs"] for each in pages["own"].values()]
    for tag, own in {"style": [], "script": programs}.items():
        texts = [*re.findall(f"<{tag}>(.*?)</{tag}>", text, re.S), pages["shared"][tag], *own]
        hashes = {f"'sha256-{b64encode(sha256(each.encode()).digest()).decode()}'"
                  for each in texts}  # fmt: skip
        (allowed,) = re.findall(f"{tag}-src ([^;]*)", policy)
        assert {*allowed.split()} == hashes
    assert not re.search(r"<[^>]* style=", text.split('id="score"')[0])  # which it would refuse


def test_the_matrix_has_a_button_for_each_problem_and_optimizer() -> None:
    scene, text = scored(), page()
    cells = re.findall(r'data-problem="(\d+)" aria-label="([^"]*)"><b>([^<]*)</b> ([^<]*)<', text)
    assert [int(each[0]) for each in cells] == [0, 0, 0, 1, 1, 1]
    ranks, shares = profiles.problem_ranks(scene.table), profiles.problem_shares(scene.table)
    assert [float(each[2]) for each in cells] == [float(f"{rank:.3g}") for rank in ranks.ravel()]
    assert [each[3] for each in cells] == [f"{100 * share:.0f} %" for share in shares.ravel()]
    assert unescape(cells[0][1]).startswith(f"rosenbrock, {HOSTILE}: rank")
    assert cells[0][1].endswith(", 1 of 2 failed")


def test_a_figure_has_the_colours_of_both_themes_and_its_numbers() -> None:
    text = page()
    assert re.findall('<figure class="figure" id="([^"]*)"', text) == ["figure-solved"]
    assert text.index("figure-solved") < text.index("What came out")
    assert 'id="figures"' not in text  # as the only one leads
    (svg,) = re.findall('<svg class="drawn".*?</svg>', text, re.S)
    assert not re.search("#[0-9a-f]{6}", svg)
    assert "<metadata" not in svg
    light, dark = (dict(re.findall(r"(--f\d+):(#\w{6})", each)) for each in
                   re.findall(r":root{(--f0:[^}]*)}", text))  # fmt: skip
    assert {*re.findall(r"var\((--f\d+)\)", text)} == light.keys() == dark.keys()
    assert light != dark
    classes = {*re.findall(r"^\.(f\d+){", text, re.M)}
    assert classes == {*re.findall(r'class="(f\d+)"', svg)}
    shares = profiles.solved_share(scored().table)[-1]
    ends = re.findall(r"<td>([^<]*)</td></tr>", text.split("<figcaption>")[1])
    assert ends[:3] == [f"{100 * each:.0f} %" for each in shares]


@pytest.mark.parametrize("name", FIGURES)
def test_each_figure_has_a_row_of_numbers_for_each_optimizer(name: str) -> None:
    heads, rows = numbers_of(name, scored())
    assert [row[0] for row in rows] == ["adam", "sgd", "momentum"]
    assert {len(heads)} == {len(row) for row in rows}


def test_numbers_at_a_budget_count_nothing_that_came_later() -> None:
    scene = scored()
    table = scene.table
    made = {"solved_at": np.full(table.solved_at.shape, np.inf), "gaps": np.ones(table.gaps.shape)}
    made["solved_at"][:, 0] = 0.0501 * table.budgets[table.problem]  # just beyond 5 %
    made["gaps"][:, 0, table.shares > 0.05] = 0.5
    later = replace(scene, table=replace(table, **made))
    _, solved = numbers_of("solved", later)
    assert solved[0] == ["adam", *["0 %"] * 3, *["100 %"] * 4]
    _, ranks = numbers_of("rank", later)
    assert ranks[0] == ["adam", *["2"] * 3, *["1"] * 4]


def test_problems_run_at_the_rates_of_the_score_for_as_long_as_it_takes() -> None:
    scene = scored()
    run = problem_recipe(scene, recipe_of(scene), 1)
    rates = [dict(spec.settings)["lr"] for spec in run.specs]
    assert rates == pytest.approx(scene.table.rates[1], rel=1e-3)
    table = replace(scene.table, solved_at=np.full(scene.table.solved_at.shape, 40.0))
    assert problem_recipe(replace(scene, table=table), recipe_of(scene), 1).steps == 50
    table = replace(scene.table, solved_at=np.full(scene.table.solved_at.shape, np.inf))
    assert problem_recipe(replace(scene, table=table), recipe_of(scene), 1).steps == STEPS[1]


def test_an_animation_shows_the_run_that_was_scored() -> None:
    noisy = {"name": "noisy", "group": "noise", "surface": "rosenbrock", "noise": 0.1}
    plain = {"name": "plain", "group": "valley", "surface": "rosenbrock"}
    suite = Suite(budget=150, starts=1, problems=[plain, noisy])
    spec = parse_spec("adam:lr=0.1")
    problems = suite.benchmark(7)
    found = [run_job(Job(each, spec)) for each in problems]
    scene = made_scene(1)
    entry = replace(scene.entries[0], spec=spec, results=tuple(found))
    table = table_of(problems, ["adam"], [found])
    scene = replace(scene, suite=suite, table=table, entries=(entry,))
    recipe = recipe_of(scene, seed=7)
    (path,) = problem_recipe(scene, recipe, 0).make_scene().trajectories
    losses = np.array([path.loss(step) for step in range(path.steps + 1)]) / path.loss(0)
    assert losses.min() == pytest.approx(found[0].gaps[0, 0, -1], rel=1e-9)
    x = np.array([0.3, 0.7])
    shown = problem_recipe(scene, recipe, 1).objective()
    descended = Setting(problems[1]).groups[0].objective
    assert (shown.at(3).gradient(x) == descended.at(3).gradient(x)).all()


def test_live_pages_share_what_is_equal_in_them() -> None:
    told, pages = embedded(page(), "score")["problems"], embedded(page(), "pages")
    assert [each["page"] for each in told] == [True, True]
    assert pages["shared"]["scene"]["theme"].keys() == {"light", "dark"}
    assert all(len(json.dumps(each)) < 16_000 for each in pages["own"].values())


def test_a_problem_without_a_live_page_has_a_chart_of_its_gaps() -> None:
    scene = scored(KEPT[:1])
    table = replace(scene.table, problems=("spirals",))
    scene = replace(scene, table=table, suite=Suite(starts=2, problems=[NETWORK]))
    recipe = recipe_of(scene)
    assert with_pages(scene, recipe) == {}
    (told,) = problems_told(scene, recipe, {})["problems"]
    assert not told["page"]
    gaps = np.log10(np.median(scored(KEPT[:1]).table.gaps, axis=0))
    np.testing.assert_allclose(np.array(told["gaps"], float), gaps, atol=0.006)
    command = told["command"].split()
    assert command[:4] == ["optiviz", "run", "--surface", "spirals"]
    assert "--batch-size" in command


def test_where_pages_would_be_too_many_the_extremes_have_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("optiviz.rendering.score.problems.MOST_PAGES", 1)
    monkeypatch.setattr("optiviz.rendering.score.problems.extremes", lambda table: ((), (1,)))
    scene = scored()
    assert [*with_pages(scene, recipe_of(scene))] == ["1"]
    assert "Open one to see its gaps, and for 1 of the 2 problems the paths." in written(scene)
    assert with_pages(replace(scene, unfinished="3 of 6 jobs"), recipe_of(scene)) == {}


def test_rates_that_were_given_are_shown_and_not_called_tuned() -> None:
    scene = scored()
    assert "learning rates tuned for each problem" in written(scene)
    entries = tuple(
        replace(
            each,
            spec=parse_spec(f"{each.spec.name}:lr=0.25"),
            results=tuple(
                replace(one, rates=np.full_like(one.rates, np.nan)) for one in each.results
            ),
        )
        for each in scene.entries
    )
    given = written(replace(scene, entries=entries))
    assert "rates tuned" not in given
    assert given.count('<span class="interval">lr 0.25</span>') == len(entries)


def test_only_the_page_of_a_score_that_goes_on_loads_itself_again() -> None:
    scene = scored(KEPT[:1])
    going = written(replace(scene, unfinished="3 of 9 jobs", is_followed=True))
    stopped = written(replace(scene, unfinished="3 of 9 jobs"))
    said = [re.findall(r'"goesOn": ?(\w+)', each) for each in (going, stopped, page())]
    assert said == [["true"], ["false"], ["false"]]
    assert json.loads(re.findall(r'id="made">(.*?)</script>', going)[0])["unfinished"] == (
        "3 of 9 jobs"
    )
    assert '"page": true' not in going and '"page":true' not in going
