"""A real browser for the tests of pages, the pages that it opens, and what they say.

Tests are skipped if Chromium and its driver are not installed.
"""

import io
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import optiviz

pytest.importorskip("selenium", reason="selenium is not installed")
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = (shutil.which(name) for name in ("chromium", "chromedriver"))
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
AXE = Path(os.environ.get("NODE_MODULES", ""), "axe-core", "axe.min.js")
DESK, PHONE = (1200, 860), (360, 720)
__all__ = ("ActionChains", "By", "Keys")
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
    "looking": {
        "surface": "himmelblau",
        "optimizers": "newton:damping=5,random-search",
        "steps": 12,
        "where": "x**2 + y**2 < 9",
        "field": "stream",
        "eigenvectors": True,
        "gradients": True,
    },
    "network": {"surface": "spirals", "optimizers": "adam:lr=0.1", "steps": 40},
}


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of pages, one for all modules that test them."""
    folder = tmp_path_factory.getbasetemp() / "pages"
    folder.mkdir(exist_ok=True)
    return folder


def page_of(name: str, pages: Path) -> Path:
    """Return a page in their folder, made where it is first asked for."""
    path = pages / f"{name}.html"
    if path.exists():
        return path
    if name in SCENES:
        optiviz.render(optiviz.Recipe(**SCENES[name]), path)
        return path
    assert name == "thinned"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("optiviz.rendering.page.page.MAX_POINTS", 20)
        optiviz.render(optiviz.Recipe(surface="spirals", optimizers="adam:lr=0.1", steps=50), path)
    return path


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in [*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    if not (CHROMIUM and DRIVER):
        pytest.skip("chromium and chromedriver are not installed")
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser: Browser, pages: Path) -> Iterator[Opened]:
    """Open a page with the settings of a reader's system; the browser must log no errors."""

    def open_(
        name: str,
        size: tuple[int, int] = DESK,
        dark: bool = False,
        calm: bool = True,
        fragment: str = "",
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
        browser.get("about:blank")  # as a change of the fragment alone would load nothing
        browser.get(f"{page_of(name, pages).as_uri()}{fragment}")
        wait(browser, "!image || image.complete")
        return browser

    yield open_
    said = [each["message"] for each in browser.get_log("browser")]
    assert [each for each in said if "WebGL" not in each] == []  # what its driver notes


def serious(browser: Browser) -> list[tuple[str, str]]:
    """Return what axe-core finds serious in a document: its rule, and an element."""
    browser.execute_script(AXE.read_text("utf-8"))
    found = browser.execute_async_script(
        "const done = arguments[0]; axe.run({iframes: false}).then(done)"
    )
    assert found["passes"]
    return [
        (each["id"], each["nodes"][0]["html"])
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]


def wait(browser: Browser, condition: str) -> None:
    WebDriverWait(browser, 30, poll_frequency=0.05).until(
        lambda page: page.execute_script(f"return {condition}")
    )


def run(browser: Browser, script: str, *words: Any) -> Any:
    return browser.execute_script(f"return {script}", *words)


def one(browser: Browser, selector: str) -> Any:
    return browser.find_element(By.CSS_SELECTOR, selector)


def step(browser: Browser) -> int:
    shown = one(browser, "#counter").text
    assert one(browser, "#step").get_attribute("aria-valuetext") == shown
    assert shown == f"step {run(browser, 'step')} of {run(browser, 'state.steps')}"
    return int(shown.split()[1])


def pixels(browser: Browser, selector: str) -> Any:
    with Image.open(io.BytesIO(one(browser, selector).screenshot_as_png)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def rgb(color: str) -> list[int]:
    return [int(color[place : place + 2], 16) for place in (1, 3, 5)]


def has(seen: Any, color: str, least: int = 20) -> bool:
    return int((np.abs(seen - rgb(color)).max(axis=-1) <= 2).sum()) >= least
