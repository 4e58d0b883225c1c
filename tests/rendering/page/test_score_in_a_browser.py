"""The page of a score in a real browser."""

from pathlib import Path

import page_browser
import pytest
from made_scores import made_scene
from page_browser import AXE, Browser, Keys, one, run, serious, wait

from optiviz.kinds.score import ScoreRecipe
from optiviz.rendering.render import render_scene

browser = page_browser.browser
FOCUSED = "document.activeElement.dataset.problem"
OPEN = "document.querySelector('dialog').open"
TALL = "document.querySelector('dialog iframe')?.style.height"


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_cells_open_problems_that_play_and_close_by_escape(
    size: tuple[int, int], browser: Browser, here: Path
) -> None:
    scene = made_scene(3, starts=2)
    specs = ",".join(str(each.spec) for each in scene.entries)
    render_scene(ScoreRecipe(optimizers=specs, suite=scene.suite), scene, here / "score.html")
    screen = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    media = [{"name": "prefers-reduced-motion", "value": "no-preference"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    browser.get((here / "score.html").as_uri())
    assert run(browser, "document.documentElement.scrollWidth") <= size[0]
    if AXE.is_file():
        assert serious(browser) == []

    first = one(browser, "#matrix button")
    run(browser, "arguments[0].focus()", first)
    for key, problem in (Keys.ARROW_DOWN, "1"), (Keys.ARROW_RIGHT, "1"), (Keys.ARROW_UP, "0"):
        browser.switch_to.active_element.send_keys(key)
        assert run(browser, FOCUSED) == problem
    assert run(browser, "document.querySelectorAll('#matrix button[tabindex=\"0\"]').length") == 1
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    wait(browser, f"{OPEN} && {TALL}")
    assert run(browser, "document.querySelector('dialog').scrollWidth") <= size[0]
    if AXE.is_file():
        assert serious(browser) == []
    browser.switch_to.frame(one(browser, "dialog iframe"))
    wait(browser, "playing !== null && step > 0")
    assert run(browser, "all('#tabs button').map((each) => each.textContent).join()") == (
        "contour,basins"
    )
    one(browser, "#play").send_keys(Keys.ESCAPE)
    browser.switch_to.default_content()
    wait(browser, f"!{OPEN}")
    assert run(browser, FOCUSED) == "0"  # where the reader was

    best = one(browser, "details.extreme")
    assert not best.get_attribute("open")
    run(browser, "arguments[0].scrollIntoView()", best)
    wait(browser, "document.querySelector('details.extreme iframe')?.style.height")
    assert run(browser, "performance.getEntriesByType('resource').length") == 0
    assert [each["message"] for each in browser.get_log("browser")] == []
