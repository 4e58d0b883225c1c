"""The files in examples/ run."""

import runpy
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from conftest import FITS, FORMULAS, NETWORKS
from PIL import Image

import optiviz
from optiviz.recipes.jobs import Job
from optiviz.registry import SIGNALS
from optiviz.system.processes import ProcessExecutor

EXAMPLES = Path(__file__).parents[1] / "examples"
NETWORK_JOBS = optiviz.load_jobs(EXAMPLES / "networks.yaml")
ARTICLES = optiviz.load_jobs(EXAMPLES / "articles.yaml")


def drafts(jobs: Iterable[Job], most: int = 100) -> list[Job]:
    """Return the jobs as drafts of at most so many steps."""
    made = []
    for job in jobs:
        recipe = job.recipe
        if isinstance(recipe, optiviz.Recipe):
            steps = min(most, recipe.last_step)
            recipe = recipe.model_copy(update={"steps": steps, "frames": None})
        made.append(job._replace(recipe=recipe.draft()))
    return made


def contact_sheet(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["contact_sheet.py", "sheet.png", "--opt", "adam", *words])
    runpy.run_path(str(EXAMPLES / "contact_sheet.py"), run_name="__main__")


def test_the_contact_sheet_has_a_tile_for_every_surface(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact_sheet(monkeypatch, "--tag", "saddle", "--tag", "unbounded")
    with Image.open(here / "sheet.png") as sheet:
        assert sheet.size == (2 * 480, 320)  # saddle and monkey-saddle


@pytest.mark.parametrize(
    ("tag", "said"), [("valey", "did you mean 'valley'"), ("one-dimension", "no surface in two")]
)
def test_a_contact_sheet_of_nothing_is_refused(
    here: Path, monkeypatch: pytest.MonkeyPatch, tag: str, said: str
) -> None:
    with pytest.raises(SystemExit, match=said):
        contact_sheet(monkeypatch, "--tag", tag)
    assert not list(here.iterdir())


def test_the_catalogue_has_an_animation_of_every_formula_and_fit() -> None:
    jobs = optiviz.load_jobs(EXAMPLES / "catalogue.yaml")
    assert [job.name for job in jobs] == [*FORMULAS, *FITS]
    assert all(path.suffix == ".gif" for job in jobs for path in job.paths)


def test_the_networks_are_all_there() -> None:
    drawn = set()
    for job in NETWORK_JOBS:
        plotted = isinstance(job.recipe, optiviz.PlotRecipe)
        drawn |= set(job.recipe.surfaces if plotted else [job.recipe.surface])
    assert drawn == {*NETWORKS, "hills-and-canyon"}
    assert {job.recipe.batch_size for job in NETWORK_JOBS if job.name == "race"} == {128}


@pytest.mark.slow
def test_the_networks_are_made(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Grids, and rates that are tried, take most of the time.
    monkeypatch.setattr("optiviz.surfaces.config.COARSE_GRID", 11)
    monkeypatch.setattr("optiviz.surfaces.config.FINE_GRID", 11)
    monkeypatch.setattr("optiviz.descent.space_problem.MANY_RATES", 3)
    made = optiviz.batch(drafts(NETWORK_JOBS, most=10))
    assert {result.status for result in made} == {"made"}
    assert not any(result.remarks for result in made)


def test_the_articles_have_all_their_pictures() -> None:
    responses = [job for job in ARTICLES if job.name.startswith("response-")]
    assert len(responses) == 48 == 8 * len(SIGNALS)
    surfaces = {"wobbly", "basins-and-walls", "plateau", "hills-and-canyon", "two-minimums"}
    names = {job.name for job in ARTICLES}
    assert {f"{kind}-{surface}" for kind in ("race", "nesterov") for surface in surfaces} < names
    article_2 = {"newton", "newton-climbs", "newton-damped", "cosine"}
    assert article_2 < names and len([name for name in names if "parabola" in name]) == 3
    assert {"activations", "ellipse-paths", "ellipse-field"} < names


def test_the_articles_give_every_learning_rate() -> None:
    for job in ARTICLES:
        if not isinstance(job.recipe, optiviz.PlotRecipe):
            for word in job.recipe.specs:
                assert "lr" in dict(word.settings) or word.name == "newton"


@pytest.mark.slow
def test_the_articles_are_made_and_then_up_to_date(here: Path) -> None:
    jobs = drafts(ARTICLES)
    with ProcessExecutor(2) as pool:
        made = optiviz.batch(jobs, pool)
        assert {result.status for result in made} == {"made"}
        again = optiviz.batch(jobs, pool)
    assert {result.status for result in again} == {"up to date"}
    for job in jobs:
        for path in job.paths:
            assert optiviz.load_recipe(path) == job.recipe


@pytest.mark.slow
def test_the_catalogue_is_made(here: Path) -> None:
    with ProcessExecutor(2) as pool:
        made = optiviz.batch(drafts(optiviz.load_jobs(EXAMPLES / "catalogue.yaml"))[::3], pool)
    assert {result.status for result in made} == {"made"}
