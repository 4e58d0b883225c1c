"""The interactive page in a real browser: playing, scrubbing, toggling, tooltips, accessibility.

These tests are skipped if Chromium and its driver are not installed. The environment variable
AXE_CORE is the path of axe.min.js from the package axe-core.
"""

import io
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

import optiviz
from optiviz.themes import load_theme
from optiviz.views.legend import number
from optiviz.views.scales import Scale

pytest.importorskip("selenium", reason="selenium is not installed")
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = (shutil.which(name) for name in ("chromium", "chromedriver"))
AXE = os.environ.get("AXE_CORE", "")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed"
)
DESK, PHONE = (1200, 860), (375, 720)
Browser = Any
Opened = Callable[..., Browser]

# In this window rmsprop leaves the view.
WOBBLY = optiviz.load_surface("wobbly").model_dump(mode="json", exclude_defaults=True)
SCENES: dict[str, dict[str, Any]] = {
    "race": {
        "surface": {**WOBBLY, "domain": "-3:3,-3:3"},
        "optimizers": "nesterov,rmsprop,adadelta,adagrad,adam",
    },
    "curve": {"surface": "parabola", "optimizers": "sgd:lr=0.1,newton,sgd:lr=1.2", "steps": 30},
    "starts": {"surface": "himmelblau", "optimizers": "adam:lr=0.1,sgd:lr=0.5", "random_starts": 3},
    "tracks": {
        "surface": "wobbly",
        "optimizers": "adam",
        "steps": 20,
        "tracks": [
            optiviz.Trajectory.of([[2, 1], [1, 1], [1, 0], [0, 0]], "mine", steps=[2, 5, 9, 30])
        ],
    },
    "network": {"surface": "spirals", "optimizers": "adam:lr=0.1", "steps": 40},
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    for name, fields in SCENES.items():
        optiviz.render(optiviz.Recipe(**fields), folder / f"{name}.html")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("optiviz.rendering.page.page.MAX_POINTS", 20)
        recipe = optiviz.Recipe(surface="bowl", optimizers="adam:lr=0.1", steps=50)
        optiviz.render(recipe, folder / "thinned.html")
    return folder


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in [*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser: Browser, pages: Path) -> Iterator[Opened]:
    """Open a page with the settings of a reader's system; the browser must log no errors."""

    def open_(
        name: str, size: tuple[int, int] = DESK, dark: bool = False, calm: bool = True
    ) -> Browser:
        media = {
            "prefers-color-scheme": "dark" if dark else "light",
            "prefers-reduced-motion": "reduce" if calm else "no-preference",
        }
        features = [{"name": key, "value": value} for key, value in media.items()]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        screen = {
            "width": size[0],
            "height": size[1],
            "deviceScaleFactor": 1,
            "mobile": size == PHONE,
        }
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        browser.get((pages / f"{name}.html").as_uri())
        wait(browser, "panels.every((panel) => !panel.image || panel.image.complete)")
        return browser

    yield open_
    assert browser.get_log("browser") == []


def wait(browser: Browser, condition: str) -> None:
    WebDriverWait(browser, 30).until(lambda page: page.execute_script(f"return {condition}"))


def run(browser: Browser, script: str, *words: Any) -> Any:
    return browser.execute_script(f"return {script}", *words)


def one(browser: Browser, selector: str) -> Any:
    return browser.find_element(By.CSS_SELECTOR, selector)


def step(browser: Browser) -> int:
    shown = one(browser, "#counter").text
    assert one(browser, "#step").get_attribute("aria-valuetext") == shown
    assert shown == f"step {run(browser, 'step')} of {run(browser, 'told.steps')}"
    return int(shown.split()[1])


def pixels(browser: Browser, selector: str) -> Any:
    with Image.open(io.BytesIO(one(browser, selector).screenshot_as_png)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def rgb(color: str) -> list[int]:
    return [int(color[place : place + 2], 16) for place in (1, 3, 5)]


def has(seen: Any, color: str, least: int = 20) -> bool:
    return int((np.abs(seen - rgb(color)).max(axis=-1) <= 2).sum()) >= least


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENES)
def test_it_plays_to_its_end_and_again(name: str, opened: Opened) -> None:
    page = opened(name, calm=False)
    wait(page, "step > 2 && playing !== null")
    assert one(page, "#play").text == "Pause"
    one(page, "#play").click()
    stopped = step(page)
    assert one(page, "#play").text == "Play"
    assert run(page, "playing") is None
    run(page, "show(told.steps - 2)")
    one(page, "#play").click()
    wait(page, "playing === null")
    assert step(page) == run(page, "told.steps") > stopped
    one(page, "#play").click()
    wait(page, "step < told.steps")
    one(page, "#play").click()


@pytest.mark.slow
def test_it_takes_the_time_that_the_recipe_says(opened: Opened) -> None:
    page = opened("race", calm=False)
    wait(page, "step > 0")
    took = page.execute_async_script(
        "const done = arguments[0], from = step, begun = performance.now();"
        "setTimeout(() => done([step - from, performance.now() - begun]), 1500)"
    )
    assert took[0] == pytest.approx(12 * took[1] / 1000, abs=3)


def test_who_wants_no_motion_sees_the_end(opened: Opened) -> None:
    page = opened("race", calm=True)
    assert step(page) == 125
    assert run(page, "playing") is None


def test_the_keyboard_moves_it(opened: Opened) -> None:
    page = opened("race")
    body = one(page, "body")
    for key, wanted in [
        (Keys.HOME, 0), (Keys.ARROW_RIGHT, 1), (Keys.ARROW_RIGHT, 2), (Keys.ARROW_LEFT, 1),
        (Keys.END, 125), (Keys.ARROW_RIGHT, 125),
    ]:  # fmt: skip
        body.send_keys(key)
        assert step(page) == wanted
    slider = one(page, "#step")
    slider.send_keys(Keys.HOME)
    assert step(page) == 0
    slider.send_keys(Keys.ARROW_RIGHT)
    assert step(page) == 1
    body.send_keys(" ")
    wait(page, "playing !== null && step > 2")
    body.send_keys(" ")
    assert run(page, "playing") is None


def test_steps_that_are_left_out_are_not_counted(opened: Opened) -> None:
    page = opened("thinned")
    assert "Every third step is kept, with straight lines between." in one(page, "header").text
    body = one(page, "body")
    for key, wanted in [
        (Keys.HOME, 0), (Keys.ARROW_RIGHT, 3), (Keys.ARROW_RIGHT, 6), (Keys.ARROW_LEFT, 3),
        (Keys.END, 50), (Keys.ARROW_LEFT, 48),
    ]:  # fmt: skip
        body.send_keys(key)
        assert step(page) == wanted
    run(page, "show(7)")
    assert step(page) == 6


def test_who_is_out_of_view_is_a_triangle_at_the_edge(opened: Opened) -> None:
    page = opened("race")
    assert "out of view" in one(page, ".key").text
    run(page, "show(1)")
    rmsprop = run(page, "told.paths[1].points[1]")
    assert rmsprop[1] < -3 < rmsprop[0]
    x, y = run(page, f"toPixels(panels[0], [{rmsprop[0]}, -3])")
    seen = pixels(page, ".contour canvas")[round(y) - 1, round(x)]
    assert np.abs(seen - rgb(load_theme("light").paths[1])).max() <= 2


def test_it_is_laid_out_again_where_the_height_alone_changes(opened: Opened) -> None:
    page = opened("race")
    before = run(page, "panels[0].box.width")
    screen = {"width": DESK[0], "height": 500, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    wait(page, f"panels[0].box.width < {before}")
    assert run(
        page,
        "panels.every(({canvas, box}) => "
        "Math.abs(canvas.clientWidth - box.left - box.width - box.right) < 1 && "
        "canvas.width === canvas.clientWidth)",
    )


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", SCENES)
def test_scrubbing_shows_the_numbers_of_the_step(name: str, opened: Opened) -> None:
    page = opened(name)
    paths = run(page, "told.paths")
    for wanted in (0, 3, 30):
        run(page, f"show({wanted})")
        rows = page.find_elements(By.CSS_SELECTOR, "tbody tr")
        run(page, "document.querySelector('details').open = true")
        for row, path in zip(rows, paths, strict=True):
            seen = [each for each in path["steps"] if each <= min(wanted, path["last"])]
            here = max(len(seen) - 1, 0)
            cells = [cell.text for cell in row.find_elements(By.CSS_SELECTOR, "td")]
            assert cells[0] == str(path["steps"][here])
            numbers = [float(cell.replace("\N{MINUS SIGN}", "-")) for cell in cells[1:-1]]
            assert numbers == pytest.approx([*path["points"][here], path["losses"][here]], rel=1e-2)


def test_the_legend_hides_and_shows(opened: Opened) -> None:
    page = opened("race")
    green = load_theme("light").paths[2]
    boxes = page.find_elements(By.CSS_SELECTOR, ".legend input")
    assert len(boxes) == 5
    for panel in (".contour canvas", ".loss canvas"):
        assert has(pixels(page, panel), green)
    boxes[2].click()
    for panel in (".contour canvas", ".loss canvas"):
        assert not has(pixels(page, panel), green, least=1)
    assert run(page, "cells[2].hidden")
    boxes[2].send_keys(" ")
    assert has(pixels(page, ".contour canvas"), green)


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", SCENES)
def test_the_pointer_is_told_step_point_and_loss(name: str, opened: Opened) -> None:
    page = opened(name)
    for panel in run(page, "panels.map((panel) => panel.kind)"):
        canvas = one(page, f".{panel} canvas")
        page.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
        x, y = run(
            page,
            "((panel) => toPixels(panel, panel.kind === 'loss' ? "
            "[panel.lines.at(-1).steps[2], panel.lines.at(-1).values[2]] : "
            "spot(panel, told.paths[0], 0)))(panels.find((each) => each.kind === arguments[0]))",
            panel,
        )
        middle = canvas.size["width"] / 2, canvas.size["height"] / 2
        ActionChains(page).move_to_element_with_offset(
            canvas, round(x - middle[0]), round(y - middle[1])
        ).perform()
        said = one(page, "#tip").text
        assert "step" in said
        assert "loss" in said
        assert "(" in said
        tip = one(page, "#tip").rect
        assert tip["x"] >= 0
        assert tip["x"] + tip["width"] <= DESK[0]
        ActionChains(page).move_to_element(one(page, "h1")).perform()
        assert run(page, "tip.hidden")


@pytest.mark.sample(1)
@pytest.mark.parametrize("dark", [False, True])
def test_it_follows_the_readers_system(dark: bool, opened: Opened) -> None:
    page = opened("race", dark=dark)
    theme = load_theme("dark" if dark else "light")
    assert has(pixels(page, "main"), theme.background, least=10_000)
    seen = pixels(page, ".contour canvas")
    assert has(seen, theme.paths[0])
    low, high = rgb(theme.ramp[0]), rgb(theme.ramp[-1])
    assert min(low[0], high[0]) - 8 <= seen[60, 200][0] <= max(low[0], high[0]) + 8
    features = [{"name": "prefers-color-scheme", "value": "light" if dark else "dark"}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    other = load_theme("light" if dark else "dark")
    wait(page, "panels[0].image.complete")
    assert has(pixels(page, "main"), other.background, least=10_000)
    assert has(pixels(page, ".contour canvas"), other.paths[0])


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", SCENES)
def test_it_fits_a_phone(name: str, opened: Opened) -> None:
    page = opened(name, PHONE)
    assert run(page, "document.documentElement.scrollWidth") <= PHONE[0]
    for button in page.find_elements(By.CSS_SELECTOR, "#play, #step"):
        assert button.size["height"] >= 40
    assert one(page, "#counter").is_displayed()


def test_it_fetches_nothing(opened: Opened) -> None:
    page = opened("race")
    fetched = run(page, "performance.getEntriesByType('resource').map((each) => each.name)")
    assert [each for each in fetched if not each.startswith("data:")] == []


@pytest.mark.sample(2)
@pytest.mark.skipif(not Path(AXE).is_file(), reason="AXE_CORE is not the path of axe.min.js")
@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("look", [{}, {"dark": True}, {"size": PHONE}])
def test_axe_finds_nothing_serious(name: str, look: dict[str, Any], opened: Opened) -> None:
    page = opened(name, **look)
    run(page, "document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    page.execute_script(Path(AXE).read_text("utf-8"))
    found = page.execute_async_script("const done = arguments[0]; axe.run().then(done)")
    assert found["passes"]
    said = [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]
            if each["impact"] in ("serious", "critical")]  # fmt: skip
    assert said == []


SCALES = [
    Scale("linear", (-3.0, 5.0)), Scale("log", (1e-7, 1e3)),
    Scale("symlog", (-1e9, 2e9), 10.0), Scale("symlog", (0.0, 2e5), 1.0),
]  # fmt: skip


@pytest.mark.sample(2)
@pytest.mark.parametrize("scale", SCALES)
def test_scales_are_those_of_the_pictures(scale: Scale, opened: Opened) -> None:
    page = opened("race")
    axes = Figure().add_axes((0, 0, 1, 1))
    scale.apply(axes)
    low, high = scale.limits
    values = np.geomspace(low, high, 9) if scale.kind == "log" else np.linspace(low, high, 9)
    ends = axes.transData.transform(np.column_stack([np.zeros(9), values]))[:, 1] / axes.bbox.height
    axis = {"kind": scale.kind, "ends": scale.limits, "threshold": scale.threshold}
    ours = run(
        page, "arguments[1].map((value) => onAxis(arguments[0], value))", axis, values.tolist()
    )
    assert ours == pytest.approx(ends, abs=1e-9)


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    "value", [0.0, 1.0, -0.25, 12345.6, 99999.4, 123456.0, 1e-4, 3.2e-5, 9999.9, -7e-12, 1e100]
)
def test_numbers_are_written_as_in_the_pictures(value: float, opened: Opened) -> None:
    said = run(opened("race"), "written(arguments[0])", value)
    assert said == re.sub("^-", "\N{MINUS SIGN}", number(value, 4))
