"""The interactive page in a real browser: playing, looks, numbers, tooltips, accessibility.

The environment variable NODE_MODULES is the folder with the npm package axe-core.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import page_browser
import pytest
from matplotlib.figure import Figure
from page_browser import (
    AXE,
    DESK,
    PHONE,
    SCENES,
    ActionChains,
    By,
    Keys,
    Opened,
    has,
    one,
    pixels,
    rgb,
    run,
    serious,
    step,
    wait,
)

import optiviz
from optiviz.themes import load_theme
from optiviz.views.legend import number
from optiviz.views.scales import Scale
from optiviz.views.sharpness import limit_line, sharpness_line

browser, opened, pages = page_browser.browser, page_browser.opened, page_browser.pages


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
    run(page, "show(state.steps - 2)")
    one(page, "#play").click()
    wait(page, "playing === null")
    assert step(page) == run(page, "state.steps") > stopped
    one(page, "#play").click()
    wait(page, "step < state.steps")
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
    assert not one(page, ".key .away").is_displayed()
    run(page, "show(1)")
    assert "out of view" in one(page, ".key").text
    rmsprop = run(page, "[...pointOf(runs[1], 1)]")
    assert rmsprop[1] < -3 < rmsprop[0]
    x, y = run(page, f"toPixels(main, [{rmsprop[0]}, -3])")
    seen = pixels(page, ".ground canvas")[round(y) - 1, round(x)]
    assert np.abs(seen - rgb(load_theme("light").paths[1])).max() <= 2


def test_it_is_laid_out_again_where_the_height_alone_changes(opened: Opened) -> None:
    page = opened("race")
    before = run(page, "panels[0].box.width")
    screen = {"width": DESK[0], "height": 600, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    wait(page, f"panels[0].box.width < {before}")
    assert run(
        page,
        "panels.every(({canvas, box}) => "
        "Math.abs(canvas.clientWidth - box.left - box.width - box.right) < 1.5 && "
        "Math.abs(canvas.width - canvas.clientWidth) <= 1)",
    )


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", SCENES)
def test_scrubbing_shows_the_numbers_of_the_step(name: str, opened: Opened) -> None:
    page = opened(name)
    run(page, "document.querySelector('#values').open = true")
    for wanted in (0, 3, 30):
        run(page, f"show({wanted})")
        rows = page.find_elements(By.CSS_SELECTOR, "tbody tr")
        paths = run(
            page,
            "runs.map((run) => [run, rowIn(run, step)]).map(([run, row]) => "
            "[stepOf(run, row), ...pointOf(run, row), run.losses[row]])",
        )
        for row, told in zip(rows, paths, strict=True):
            cells = [cell.text for cell in row.find_elements(By.CSS_SELECTOR, "td")]
            numbers = [float(cell.replace("\N{MINUS SIGN}", "-")) for cell in cells[:-1]]
            assert numbers == pytest.approx(told, rel=1e-2)


def test_the_legend_hides_and_shows(opened: Opened) -> None:
    page = opened("race")
    green = load_theme("light").paths[2]
    boxes = page.find_elements(By.CSS_SELECTOR, ".legend .row input")
    assert len(boxes) == 5
    for panel in (".ground canvas", ".charts canvas"):
        assert has(pixels(page, panel), green)
    boxes[2].click()
    wait(page, "shown.length === 4")
    for panel in (".ground canvas", ".charts canvas"):
        assert not has(pixels(page, panel), green, least=1)
    assert run(page, "[runs.length, shown.length]") == [5, 4]
    boxes[2].send_keys(" ")
    wait(page, "shown.length === 5")
    assert has(pixels(page, ".ground canvas"), green)


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", SCENES)
def test_the_pointer_is_told_step_point_and_loss(name: str, opened: Opened) -> None:
    page = opened(name)
    for panel, selector in (("main", ".ground canvas"), ("chart", ".charts canvas")):
        canvas = one(page, selector)
        page.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
        x, y = run(
            page,
            "main && toPixels(main, spotOf(runs[0], 0))"
            if panel == "main"
            else "((line) => toPixels(chart, [line.steps ? line.steps[2] : 2, line.values[2]]))"
            "(chart.strips[0].lines[0])",
        )
        if panel == "main":  # beside the handle of the start
            x, y = x + 23, y - 2
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
    seen = pixels(page, ".ground canvas")
    assert has(seen, theme.paths[0])
    low, high = rgb(theme.ramp[0]), rgb(theme.ramp[-1])
    assert min(low[0], high[0]) - 8 <= seen[60, 200][0] <= max(low[0], high[0]) + 8
    features = [{"name": "prefers-color-scheme", "value": "light" if dark else "dark"}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    other = load_theme("light" if dark else "dark")
    assert has(pixels(page, "main"), other.background, least=10_000)
    assert has(pixels(page, ".ground canvas"), other.paths[0])


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", SCENES)
def test_it_fits_a_phone(name: str, opened: Opened) -> None:
    page = opened(name, PHONE)
    assert run(page, "document.documentElement.scrollWidth") <= PHONE[0]
    run(page, "document.querySelectorAll('details, button.tune').forEach((each) => each.click())")
    assert run(page, "document.documentElement.scrollWidth") <= PHONE[0]
    for button in page.find_elements(By.CSS_SELECTOR, "#play, #step"):
        assert button.size["height"] >= 40
    assert one(page, "#counter").is_displayed()


def test_it_fetches_nothing(opened: Opened) -> None:
    page = opened("race")
    fetched = run(page, "performance.getEntriesByType('resource').map((each) => each.name)")
    assert [each for each in fetched if not each.startswith("data:")] == []


@pytest.mark.sample(2)
@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not in NODE_MODULES")
@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("look", [{}, {"dark": True}, {"size": PHONE}])
def test_axe_finds_nothing_serious(name: str, look: dict[str, Any], opened: Opened) -> None:
    page = opened(name, **look)
    run(page, "document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert serious(page) == []


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


@pytest.mark.slow
def test_sharpness_and_its_limits_are_those_of_the_paths(opened: Opened, pages: Path) -> None:
    surface = "rosenbrock:dim=3"

    def shown(optimizers: str) -> Any:
        recipe = optiviz.Recipe(surface=surface, optimizers=optimizers, steps=30, view="sharpness")
        optiviz.render(recipe, pages / "sharp.html")
        page, paths = opened("sharp"), recipe.make_scene().trajectories
        strip = run(page, "(({ y, lines, limits }) => ({ y, lines, limits }))(chart.strips[0])")
        for drawn, path in zip(strip["lines"], paths, strict=True):
            line = np.column_stack([drawn["steps"], drawn["values"]])
            np.testing.assert_allclose(line, sharpness_line(path), rtol=1e-6)
        return page, paths, strip

    page, paths, strip = shown("sgd:lr=0.0005,rmsprop:lr=0.01")
    assert strip["y"]["name"] == "in part preconditioned, dashed: 2/lr"
    for drawn, path in zip(strip["limits"], paths, strict=True):
        assert drawn["values"] == pytest.approx(limit_line(path)[:, 1].tolist())
    assert [tab.text for tab in page.find_elements(By.CSS_SELECTOR, "#charts button")] == [
        "loss", "sharpness"
    ]  # fmt: skip
    assert "limits of stability" in one(page, ".charts canvas").get_attribute("aria-label")
    drawn, bare = ".charts canvas", "chart.strips[0].limits = []; draw()"
    before = pixels(page, drawn)
    page.execute_script(bare)
    assert (pixels(page, drawn) != before).any(axis=-1).sum() > 100
    one(page, "#tab-loss").click()
    wait(page, "state.chart === 'loss' && !awaited")
    assert one(page, drawn).get_attribute("aria-label") == "The loss of each path against the step."
    assert run(page, "chart.strips[0].lines.length") == 2
    assert run(page, "ownRuns.every(({ sharpness }) => sharpness.limit)")

    page, _, strip = shown("sgd:lr=0.0005")
    assert strip["y"]["name"] == "dashed: 2/lr"
    (limit,) = strip["limits"]
    assert "run" not in limit and set(limit["values"]) == {4000.0}
