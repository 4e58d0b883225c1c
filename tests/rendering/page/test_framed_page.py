"""Live pages in the frames of a lesson, in a real browser."""

from pathlib import Path

import page_browser
import pytest
from page_browser import AXE, Browser, one, run, serious, wait

import optiviz
from optiviz.kinds.lesson import LessonRecipe
from optiviz.recipes.shipped_files import LESSONS

browser = page_browser.browser
TEXTS = {"heading": "A valley", "text": "See $x^2$.", "question": "Why?", "answer": "So."}
PICTURES = [
    {"surface": "wobbly", "optimizers": "adam"},
    {"surface": "parabola", "optimizers": "sgd:lr=0.1", "view": "loss"},
    {"surface": "himmelblau", "optimizers": "nelder-mead,sgd:lr=0.01", "view": "contour"},
]
RESERVED = """[...document.querySelectorAll('[data-page]')].map((place) => [
    expected(partsOf(place.dataset.page).scene, place.clientWidth), place.clientHeight])"""
HEIGHTS = "[...document.querySelectorAll('iframe')].map((each) => each.style.height)"


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1300, 800), (390, 844)])
def test_frames_are_as_tall_as_their_pages_and_play(
    size: tuple[int, int], browser: Browser, here: Path
) -> None:
    lesson = LessonRecipe(sections=tuple({**TEXTS, "picture": each} for each in PICTURES))
    optiviz.render(lesson, "lesson.html")
    screen = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    media = [{"name": "prefers-reduced-motion", "value": "no-preference"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    browser.get((here / "lesson.html").as_uri())
    wait(browser, f"{HEIGHTS}.length === 3 && {HEIGHTS}.every(Boolean)")
    for reserved, actual in run(browser, RESERVED):
        assert abs(reserved - actual) < 0.2 * actual
    assert run(browser, "document.documentElement.scrollWidth") <= size[0]
    for number in range(3):
        run(browser, f"document.querySelectorAll('iframe')[{number}].scrollIntoView()")
        browser.switch_to.frame(number)
        wait(browser, "playing !== null && step > 0")
        wait(browser, "Math.abs(innerHeight - one('main').getBoundingClientRect().bottom) <= 1")
        assert run(browser, "getComputedStyle(root).overflow") == "hidden"  # nothing scrolls
        assert run(browser, "one('footer').getBoundingClientRect().bottom <= innerHeight")
        assert run(browser, "root.scrollWidth <= innerWidth")
        assert run(browser, "performance.getEntriesByType('resource').length") == 0
        one(browser, "footer details:last-child summary").click()
        wait(browser, "Math.abs(innerHeight - one('main').getBoundingClientRect().bottom) <= 1")
        browser.switch_to.default_content()
    assert run(browser, "performance.getEntriesByType('resource').length") == 0
    if AXE.is_file():
        for number in (None, 0, 1, 2):
            if number is not None:
                browser.switch_to.frame(number)
            assert serious(browser) == []
            browser.switch_to.default_content()
    assert [each["message"] for each in browser.get_log("browser")] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", LESSONS.names())
def test_a_shipped_lesson_is_a_sound_page(name: str, browser: Browser, here: Path) -> None:
    optiviz.render(optiviz.load_lesson(name).draft(), "lesson.html")
    assert (here / "lesson.html").stat().st_size < 3e6
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.get((here / "lesson.html").as_uri())
    wait(browser, f"{HEIGHTS}.length === document.querySelectorAll('[data-page]').length")
    wait(browser, f"{HEIGHTS}.every(Boolean)")
    links = run(browser, "[...document.links].map((each) => each.getAttribute('href'))")
    anchors = [each[1:] for each in links if each.startswith("#")]
    ids = run(browser, "[...document.querySelectorAll('[id]')].map((each) => each.id)")
    assert len(ids) == len({*ids})
    assert {*anchors} == {
        *run(browser, "[...document.querySelectorAll('section')].map((each) => each.id)")
    }
    assert all(each.startswith(("#", "https://")) for each in links)
    assert run(
        browser, "document.images.length === 0 || [...document.images].every((each) => each.alt)"
    )
    if AXE.is_file():
        run(
            browser, "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
        )
        assert serious(browser) == []
        for number in range(len(run(browser, HEIGHTS))):
            browser.switch_to.frame(number)
            assert serious(browser) == []
            browser.switch_to.default_content()
    assert [each["message"] for each in browser.get_log("browser")] == []


@pytest.mark.slow
def test_the_controls_of_a_film_are_beneath_it(browser: Browser, here: Path) -> None:
    surface = {"formula": "x**2 + k*y**2", "params": {"k": 2}, "domain": "-2:2,-2:2"}
    film = {"surface": surface, "optimizers": "sgd:lr=0.1", "vary": "k=1,2", "steps": 3}
    lesson = LessonRecipe(sections=({**TEXTS, "picture": film},), size="240x160")
    optiviz.render(lesson, "lesson.html")
    media = [
        {"name": "prefers-reduced-motion", "value": "reduce"},
        {"name": "prefers-color-scheme", "value": "light"},
    ]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    browser.get((here / "lesson.html").as_uri())
    wait(browser, "document.querySelector('video').currentTime > 0")  # its end
    assert not run(browser, "document.querySelector('video').controls")
    button, time = (one(browser, f".player.in-light {each}") for each in ("button", "input"))
    assert button.rect["y"] >= run(
        browser, "document.querySelector('video').getBoundingClientRect().bottom"
    )
    assert not one(browser, ".player.in-dark").is_displayed()
    wait(browser, "document.querySelector('.player input').value === '1'")
    button.click()
    wait(browser, "document.querySelector('.player button').textContent === 'Pause'")
    run(browser, "(arguments[0].value = 0.5, arguments[0].dispatchEvent(new Event('input')))", time)
    wait(browser, "document.querySelector('.player button').textContent === 'Play'")
    assert run(
        browser,
        "[document.querySelector('video')].every((each) => each.paused && "
        "Math.abs(each.currentTime / each.duration - 0.5) < 0.01)",
    )
