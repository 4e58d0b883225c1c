"""What readers of a live page do, and what it says: views, keys, starts, fields, remarks."""

from pathlib import Path
from typing import Any

import page_browser
import pytest
from page_browser import DESK, PHONE, ActionChains, Browser, By, Keys, Opened, one, run, wait

import optiviz

browser, opened, pages = page_browser.browser, page_browser.opened, page_browser.pages
pytestmark = pytest.mark.slow


def typed(page: Browser, selector: str, text: str) -> Any:
    field = one(page, selector)
    field.send_keys(Keys.CONTROL + "a")
    field.send_keys(text)
    return field


def settled(page: Browser) -> None:
    page.execute_script("update(); settle(null)")


def test_the_views_come_back(opened: Opened) -> None:
    page = opened("race", fragment="#tab=relief&camera=20,30,1.5")
    own = run(page, "({distance: 1, ...told.relief.camera})")
    if run(page, "relief !== null"):  # WebGL
        assert run(page, "relief.camera") == {"azimuth": 20, "elevation": 30, "distance": 1.5}
        one(page, "#whole").click()
        settled(page)
        assert run(page, "relief.camera") == own
        assert not one(page, "#whole").is_displayed()
        page.execute_script("location.hash = 'tab=relief&camera=50,40,2'")
        wait(page, "relief.camera.azimuth === 50")
    page.execute_script("location.hash = 'tab=basins&of=3'")
    wait(page, "chosen.value === '3'")
    settled(page)
    assert run(page, "location.hash") == "#tab=basins&of=3"
    one(page, "#over").click()
    assert run(page, "[state.tab, state.camera, state.of]") == ["contour", None, 0]
    if run(page, "relief !== null"):
        assert run(page, "relief.camera") == own
    one(page, "#tab-basins").click()
    wait(page, "chosen.value === '0'")
    wait(page, "basinsFound?.result.columns >= 16 && one('.key .area')")
    assert "ends at (" in one(page, ".key").text
    assert "darker: later" in one(page, ".key").text
    page.execute_script(
        "for (let each = 0; each < 5; each += 1) one('.row [title=Remove]').click()"
    )
    settled(page)
    assert one(page, "#empty").text == "No optimizer: add one"


def test_keys_play_after_clicks(opened: Opened) -> None:
    page = opened("race")
    for selector in ("#closer", ".tune", ".legend .row input", "#tab-contour", "footer summary"):
        one(page, selector).click()
        ActionChains(page).send_keys(" ").perform()
        assert run(page, "playing !== null"), selector
        page.execute_script("play(false); show(5)")
        if selector != "#tab-contour":
            ActionChains(page).send_keys(Keys.ARROW_RIGHT).perform()
            assert run(page, "step") == 6, selector


def test_starts_are_added_apart_and_removed_by_a_click(opened: Opened) -> None:
    page = opened("race")
    for _ in range(3):
        one(page, "#start").click()
    starts = run(page, "state.starts")
    far = [abs(a[0] - b[0]) + abs(a[1] - b[1]) for a in starts for b in starts if a != b]
    assert len(far) == 12
    assert min(far) > 0.5
    ActionChains(page).move_to_element(page.find_elements(By.CSS_SELECTOR, ".handle")[1]).perform()
    page.find_elements(By.CSS_SELECTOR, ".drop")[1].click()
    assert run(page, "state.starts") == [starts[0], *starts[2:]]
    page.execute_script("for (let each = 0; each < 12; each += 1) one('#start').click()")
    assert run(page, "state.starts.length") == 12
    assert one(page, "#notice").text == "No more than 12 starts: remove one first."
    assert "12 starts" in one(page, ".key").text
    page.execute_script("state.starts = [[-2.9, 0]]; makeHandles(); setWindow([[-1, 1], [-1, 1]])")
    settled(page)
    handle = one(page, ".handle")  # at the edge
    assert run(page, "parseFloat(handles[0].style.left) - main.box.left") == pytest.approx(0)
    ActionChains(page).click_and_hold(handle).move_by_offset(90, 0).release().perform()
    assert -1 < run(page, "state.starts[0][0]") < 0


def test_a_page_may_begin_with_many_starts(opened: Opened, pages: Path) -> None:
    recipe = optiviz.Recipe(surface="wobbly", optimizers="adam", steps=9, random_starts=20)
    optiviz.render(recipe, pages / "many.html")
    page = opened("many")
    one(page, ".handle").send_keys(Keys.ARROW_RIGHT)
    settled(page)
    fragment = run(page, "location.hash")
    assert len(run(opened("many", fragment=fragment), "state.starts")) == 20
    assert run(page, "location.hash") == fragment


def test_fields_say_what_to_write(opened: Opened) -> None:
    page = opened("race")
    hint = "#{} + .hint"
    typed(page, "#steps", "5000")
    assert one(page, hint.format("steps")).text == "a whole number from 1 to 500"
    typed(page, "#noise-number", "0,5")
    assert one(page, hint.format("noise-number")).text == "write 0.5"
    one(page, '[aria-label="Hyperparameters of adam"]').click()
    typed(page, '[aria-label="lr of adam"]', "-1")
    assert one(page, ".knob .hint").text == "a number above 0"
    typed(page, '[aria-label="beta2 of adam"]', "0.99999")
    one(page, ".knobs summary").click()
    field = one(page, '[aria-label="eps of adam"]')
    assert field.get_attribute("value") == "1e-8"
    slider = one(page, '[aria-label="weight_decay of adam, slider"]')
    slider.send_keys(Keys.HOME + Keys.ARROW_RIGHT)
    decay = "specOf(state.entries[4]).match(/weight_decay=([^:]+)/)?.[1]"
    assert 0 < float(run(page, decay)) < 1e-5
    slider.send_keys(Keys.HOME)
    assert run(page, decay) is None
    settled(page)
    assert "beta2 0.99999" in page.find_elements(By.CSS_SELECTOR, ".detail")[4].text


def test_what_is_said_does_not_depend_on_the_zoom(opened: Opened) -> None:
    page = opened("race")
    said = "all('.remark').map((each) => each.textContent)"
    before = run(page, said)
    page.execute_script("setWindow([[2, 3], [2, 3]]); update()")
    assert run(page, said) == before
    assert one(page, ".key .away").is_displayed()
    ActionChains(page).move_to_element(one(page, ".ground canvas")).perform()
    assert one(page, "#tip").text.startswith("x 2.")


def test_a_run_that_diverges_leaves_the_chart_to_the_others(opened: Opened) -> None:
    page = opened("race", fragment="#o=@4,sgd:lr=3")
    low, high = run(page, "chart.strips[0].y.ends")
    assert run(page, "runs[1].losses.at(-1)") > 1e9
    assert high < 1e5
    assert low > 1e-14
    assert run(page, "comparable([[-1, -5e3, -1e6]], 2)")[0][:1] == [-1]


def test_one_finger_scrolls_the_page(opened: Opened) -> None:
    page = opened("race", PHONE)
    page.execute_cdp_cmd(
        "Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2}
    )
    try:
        box = one(page, ".frame").rect
        x, y = box["x"] + box["width"] / 2, box["y"] + 250
        for kind, far in [
            ("Start", 0),
            *(("Move", 20 * each) for each in range(1, 12)),
            ("End", None),
        ]:
            points = [] if far is None else [{"x": x, "y": y - far, "id": 0}]
            touched = {"type": f"touch{kind}", "touchPoints": points}
            page.execute_cdp_cmd("Input.dispatchTouchEvent", touched)
        wait(page, "scrollY > 100")
        assert run(page, "state.window[1]") == [-3, 3]
        assert run(page, "state.starts.length") == 1
    finally:
        page.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
        page.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": DESK[0], "height": DESK[1], "deviceScaleFactor": 1, "mobile": False},
        )
