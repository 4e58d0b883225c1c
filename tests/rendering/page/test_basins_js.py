"""The basins of a page, in a real browser: they are those that `optiviz basins` maps.

These tests are skipped if Chromium and its driver are not installed.
"""

from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_modules import INSTALLED, Browser, browser_with_gl, open_page
from selenium.webdriver.support.ui import WebDriverWait

import optiviz
from optiviz.kinds.basins import BasinsRecipe
from optiviz.rendering.page.basins import basins_told
from optiviz.rendering.page.programs import page_programs
from optiviz.surfaces.surface import Surface
from optiviz.themes import load_theme
from optiviz.views.basins import BasinsView

pytestmark = [INSTALLED, pytest.mark.slow]
CELLS = 40  # per side of the last grid
# Its minima are not listed, and some runs diverge.
UNLISTED = Surface(formula="sin(3*x)*cos(2*y) + (x**2+y**2)/9 - x**4/90", domain="-3:3,-2:2")
CASES: dict[str, dict[str, Any]] = {
    "adam": {"surface": "himmelblau", "optimizers": "adam:lr=0.1"},
    "scattered": {"surface": "himmelblau", "optimizers": "momentum:lr=0.02"},
    "wobbly": {"surface": "wobbly", "optimizers": "adam:lr=0.25"},
    "unlisted": {"surface": UNLISTED, "optimizers": "sgd:lr=0.1"},
    "noisy": {"surface": "himmelblau", "optimizers": "adam:lr=0.1", "noise": 2.0, "seed": 3},
}
MAIN = """
const results = [];
if (told.noWorkers) window.Worker = class { constructor() { throw new Error("not here"); } };
const basins = createBasins({
  script: told.script, programs, told: told.basins, paint: (result) => results.push(result),
});
const question = { ...told.question, noise: told.question.noise && {
  ...told.question.noise, normals: Float64Array.from(told.question.noise.normals),
} };
"""


def make(name: str, steps: int = 60) -> dict[str, Any]:
    """Return what a page is told."""
    recipe = optiviz.Recipe(**CASES[name], steps=steps, starts=[(1, 1)])
    scene = recipe.make_scene()
    programs = page_programs(scene, recipe)
    noise = None
    if recipe.noise:
        assert programs.noise is not None
        normals = np.frombuffer(b64decode(programs.noise["normals"]))
        noise = {"sigma": recipe.noise, "normals": normals.tolist()}
    (entry,) = programs.entries
    question = {
        "method": entry["method"],
        "values": entry["values"],
        "steps": steps,
        "noise": noise,
        "window": scene.surface.window.intervals,
        "minima": [list(point) for point in scene.surface.minima],
        "side": CELLS,
    }
    return {
        "script": programs.script, "basins": basins_told(), "question": question, "main": MAIN,
    }  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser_with_gl(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Browser]]:
    def open_(name: str, **changes: Any) -> Browser:
        open_page(browser, tmp_path / "page.html", ["basins.js"], make(name) | changes)
        return browser

    yield open_
    assert browser.get_log("browser") == []


def run(browser: Browser, script: str, *words: Any) -> Any:
    return browser.execute_script(f"return {script}", *words)


def wait(browser: Browser, condition: str) -> None:
    WebDriverWait(browser, 60, 0.05).until(lambda page: run(page, condition))


@pytest.mark.parametrize("workers", [True, False], ids=["worker", "no worker"])
@pytest.mark.parametrize("name", CASES)
def test_they_are_those_of_a_picture(
    name: str, workers: bool, opened: Callable[..., Browser]
) -> None:
    scene = BasinsRecipe(**CASES[name], steps=60, grid=(CELLS, CELLS)).make_scene()
    (entry,) = scene.entries
    page = opened(name, noWorkers=not workers)
    run(page, "basins.ask(question)")
    wait(page, "results.some(({done}) => done)")
    assert run(page, "results.map(({columns}) => columns)") == [16, 32, CELLS]
    assert run(page, "Boolean(basins.worker)") == workers
    found = {
        part: run(page, f"[...results.at(-1).{part}]")
        for part in ("areas", "arrived", "centres", "shares", "ends")
    }
    assert np.reshape(found["centres"], (-1, 2)) == pytest.approx(scene.minima, abs=1e-9)
    # Rounding decides where runs at a border between two basins go.
    reached, arrived = entry.basins.reached.ravel(), entry.basins.arrived.ravel()
    assert (np.array(found["areas"]) == reached).mean() > 0.99
    assert (np.array(found["arrived"]) == arrived).mean() > 0.99
    counted = [(np.array(found["areas"]) == number).mean() for number in range(len(scene.minima))]
    assert found["shares"] == pytest.approx(counted)
    assert len(found["ends"]) == 2 * CELLS**2
    assert run(page, "results.at(-1).latest") == max(found["arrived"])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_their_colours_are_those_of_a_picture(theme: str, opened: Callable[..., Browser]) -> None:
    scene = BasinsRecipe(**CASES["adam"], steps=60, grid=(CELLS, CELLS)).make_scene()
    look = load_theme(theme)
    view = BasinsView(scene, look, optiviz.Recipe(surface="bowl", optimizers="sgd"))
    view.colors = view._colors()
    view.empty = np.array(
        [
            a + told * (b - a)
            for told in [basins_told()["nowhere"]]
            for a, b in zip(rgb(look.background), rgb(look.muted), strict=True)
        ]
    )
    expected = view._picture(scene.latest)
    page = opened("adam")
    run(page, "basins.ask(question)")
    wait(page, "results.some(({done}) => done)")
    colors = {"areas": look.areas, "background": look.background, "muted": look.muted}
    picture = run(
        page, "[...basinsPicture(results.at(-1), arguments[0], told.basins).data]", colors
    )
    seen = np.reshape(picture, (CELLS, CELLS, 4))[::-1, :, :3].astype(int)
    assert np.abs(seen - expected).max() <= 1


def rgb(color: str) -> list[float]:
    return [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]


@pytest.mark.parametrize("workers", [True, False], ids=["worker", "no worker"])
def test_a_new_question_cancels_the_one_before(
    workers: bool, opened: Callable[..., Browser]
) -> None:
    page = opened("adam", noWorkers=not workers)
    run(page, "basins.ask({...question, side: 1024, steps: 400})")
    wait(page, "results.length > 0")
    run(page, "(results.length = 0, basins.ask({...question, side: 20}))")
    wait(page, "results.some(({done}) => done)")
    assert run(page, "results.map(({columns}) => columns)") == [16, 20]
    run(page, "(results.length = 0, basins.ask({...question, side: 1024}), basins.stop())")
    run(page, "basins.ask({...question, side: 16})")
    wait(page, "results.some(({done}) => done)")
    assert run(page, "results.map(({columns}) => columns)") == [16]
    run(page, "basins.dispose()")


def test_where_no_worker_starts_the_page_works_itself(opened: Callable[..., Browser]) -> None:
    failing = (
        "window.Worker = class { postMessage() {} terminate() {} constructor() "
        "{ setTimeout(() => this.onerror()); } };"
    )
    page = opened("adam", main=failing + MAIN + "basins.ask(question);")
    wait(page, "results.some(({done}) => done)")
    assert run(page, "basins.worker") is None
