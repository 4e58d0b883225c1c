"""Pages that compute, in a real browser: what readers change, and what follows.

What the scripts compute must be what Python does.
"""

import json
import shlex
from pathlib import Path
from typing import Any

import contourpy
import numpy as np
import page_browser
import pytest
from conftest import Invoke
from page_browser import (
    DESK,
    PHONE,
    SCENES,
    ActionChains,
    Browser,
    By,
    Keys,
    Opened,
    has,
    one,
    pixels,
    run,
    wait,
)
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

import optiviz
from optiviz.descent.walk import descend
from optiviz.shapes import plain_sketch
from optiviz.themes import load_theme
from optiviz.views.curve import CurveView
from optiviz.views.eigenvectors import arms
from optiviz.views.gradients import arrow, slopes
from optiviz.views.sampled_surface import SampledSurface
from optiviz.views.scales import Scale
from optiviz.views.settings import drawing_settings

browser, opened, pages = page_browser.browser, page_browser.opened, page_browser.pages
GROUND = ".ground canvas"


def settled(page: Browser) -> None:
    """Wait until what was changed is drawn, and until the address says it."""
    page.execute_script("update(); settle(null)")


def point(page: Browser, x: float, y: float) -> tuple[float, float]:
    """Return where a point of the surface is, from the middle of the picture."""
    size = one(page, GROUND).size
    at = run(page, f"toPixels(main, [{x}, {y}])")
    return round(at[0] - size["width"] / 2), round(at[1] - size["height"] / 2)


def knob(page: Browser, entry: str, name: str) -> Any:
    """Return the field of a hyperparameter, opening its row."""
    toggle = one(page, f'[aria-label="Hyperparameters of {entry}"]')
    if toggle.get_attribute("aria-expanded") == "false":
        toggle.click()
    return one(page, f'[aria-label="{name} of {entry}"]')


def typed(field: Any, text: str) -> None:
    field.send_keys(Keys.CONTROL + "a")
    field.send_keys(text)


def losses(page: Browser) -> list[float]:
    found: list[float] = run(page, "runs.map((run) => run.losses[run.last])")
    return found


# What the scripts compute.


def test_levels_and_lines_are_those_of_the_pictures(opened: Opened) -> None:
    page = opened("race")
    surface = optiviz.load_surface("wobbly")
    surface = surface.model_copy(update={"domain": optiviz.Recipe(**SCENES["race"]).surface.domain})
    sampled = SampledSurface.sample(surface, 97)
    inner = run(page, "levelsOf(sampled(state.window, 97, 97)).inner")
    assert inner == pytest.approx(sampled.inner.tolist(), rel=1e-9)
    for level in sampled.inner[::5]:
        ours = run(page, "isolines(sampled(state.window, 97, 97), arguments[0])", level)
        generator = contourpy.contour_generator(np.arange(97), np.arange(97), sampled.values)
        theirs = generator.lines(level)
        assert len(ours) == len(theirs)

        def length(lines: Any) -> float:
            return sum(
                float(np.hypot(*np.diff(np.reshape(line, (-1, 2)), axis=0).T).sum())
                for line in lines
            )

        assert length(ours) == pytest.approx(length(theirs), rel=1e-9)


VALUES = [
    [1.0, 2.0, 5.0], [1e-3, 1.0, 50.0], [0.0, 1e-9, 3.0], [-1.0, 4.0], [-1.0, 2.0, 3.0, 1e7],
    [3.0, 3.0], [0.0, 0.0], [np.nan, 7.0, 100.0], [1e-300, 1e300], [-5e-4, 1.2e-3], [1e5, 3.2e6],
]  # fmt: skip


@pytest.mark.sample(3)
@pytest.mark.parametrize("values", VALUES, ids=str)
def test_axes_are_those_of_the_pictures(values: list[float], opened: Opened) -> None:
    page = opened("race")
    given = [None if np.isnan(value) else value for value in values]
    for linear, floor in [(False, 0), (True, 0), (False, 1e-14)]:
        script = "scaleFor('loss', [arguments[0].map((each) => each ?? NaN)], ...arguments[1])"
        ours = run(page, script, given, [linear, floor])
        theirs = Scale.for_values(np.array(values), linear, floor)
        assert ours["kind"] == theirs.kind
        assert ours["ends"] == pytest.approx(theirs.limits, rel=1e-9)
        places, labels = theirs.ticks()
        assert [place for place, _ in ours["ticks"]] == pytest.approx(
            [*places], rel=1e-9, abs=1e-12
        )
        assert [said for _, said in ours["ticks"]] == [*labels]


ENDINGS = {
    "sgd:lr=3": "wobbly", "sgd:lr=0.1": "parabola", "adam:lr=9": "wobbly", "sgd:lr=0.001": "saddle",
    "sgd:lr=1.2": "parabola", "momentum:lr=0.4": "wobbly",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("spec", "surface"), ENDINGS.items())
def test_remarks_are_those_of_the_pictures(
    spec: str, surface: str, opened: Opened, pages: Path
) -> None:
    recipe = optiviz.Recipe(surface=surface, optimizers=f"{spec},newton", steps=60)
    scene = optiviz.render(recipe, pages / "ending.html")
    page = opened("ending")
    said = run(page, "runs.map((run) => run.outcome ? run.outcome.text : '')")
    assert said == [scene.outcome(path) for path in scene.trajectories]
    assert losses(page) == pytest.approx(
        [path.loss(path.last) for path in scene.trajectories], rel=1e-9
    )


def test_options_of_the_drawing_are_followed(opened: Opened, pages: Path) -> None:
    style = {
        "field": "arrows",
        "labels": True,
        "levels": 5,
        "fill": False,
        "trail": 20,
        "smooth": 5,
    }
    optiviz.render(
        optiviz.Recipe(surface="wobbly", optimizers="adam", **style), pages / "drawn.html"
    )
    page = opened("drawn")
    assert run(page, "ground.inner.length") == 4
    seen = pixels(page, GROUND)
    theme = load_theme("light")
    assert has(seen, theme.background, least=50_000)
    page.execute_script("told.surface.field = null; ground = null; draw()")
    assert np.abs(pixels(page, GROUND) - seen).max(axis=-1).astype(bool).sum() > 1000


@pytest.mark.slow
def test_densities_are_those_of_the_pictures(opened: Opened, pages: Path) -> None:
    recipe = optiviz.Recipe(surface="himmelblau", optimizers="hmc:lr=0.04:temperature=20", steps=20)
    optiviz.render(recipe, pages / "density.html")
    page = opened("density")
    surface = optiviz.load_surface("himmelblau")
    sampled = SampledSurface.sample(surface, 97, temperature=20.0)
    page.execute_script("field = drawnField(sampled(state.window, 97, 97))")
    assert run(page, "[...field.values]") == pytest.approx(sampled.values.ravel(), rel=1e-9)
    assert run(page, "levelsOf(field).inner") == pytest.approx(sampled.inner, rel=1e-9)
    assert one(page, ".key .ramp").text.startswith("density")
    assert "T = 20" in one(page, "body").text
    assert "--density 20" in run(page, "commandField.value")
    one(page, "#tab-relief").click()
    wait(page, "!awaited")
    heights = "relief.field.heights"
    assert run(page, f"[{heights}.kind, {heights}.high]") == ["linear", pytest.approx(1, abs=0.01)]
    line = optiviz.Surface(formula="x**4/4 - x**2", domain="-3:3", start=[2])
    recipe = optiviz.Recipe(surface=line, optimizers="sgd:lr=0.02", steps=9, density=0.5)
    optiviz.render(recipe, pages / "density-curve.html")
    page = opened("density-curve")
    with drawing_settings():
        view = CurveView(recipe.make_scene(), load_theme("light"), recipe)
    points = np.reshape(run(page, "[...curve.points]"), (-1, 2))
    np.testing.assert_allclose(points, np.column_stack([view.x, view.value]), atol=1e-9)
    (path,) = view.scene.trajectories
    drawn = run(page, "[0, 4, 9].map((row) => heightAt(runs[0], row))")
    np.testing.assert_allclose(drawn, view.heights(path.true_losses_by_step[[0, 4, 9]]), atol=1e-9)


# Starts.


def test_a_start_is_dragged(opened: Opened) -> None:
    page = opened("race")
    before, seen = losses(page), pixels(page, ".charts canvas")
    handle = one(page, ".handle")
    x, y = run(page, "(([a, b], [c, d]) => [c - a, d - b])(toPixels(main, state.starts[0]), "
                     "toPixels(main, [1, 1]))")  # fmt: skip
    ActionChains(page).click_and_hold(handle).move_by_offset(x, y).release().perform()
    settled(page)
    assert run(page, "state.starts") == [pytest.approx([1, 1], abs=0.02)]
    assert losses(page) != before
    assert np.abs(pixels(page, ".charts canvas") - seen).max() > 50
    assert run(page, "location.hash").startswith("#s=")
    recipe = optiviz.Recipe(**SCENES["race"], starts=run(page, "state.starts"))
    theirs = [path.loss(path.last) for path in recipe.make_scene().trajectories]
    assert losses(page)[:1] == pytest.approx(theirs[:1], rel=1e-6)


def test_the_keyboard_moves_adds_and_removes_starts(opened: Opened) -> None:
    page = opened("race")
    handle = one(page, ".handle")
    before = run(page, "state.starts[0]")
    for key in (Keys.ARROW_RIGHT, Keys.ARROW_UP, Keys.SHIFT + Keys.ARROW_UP):
        handle.send_keys(key)
    assert run(page, "state.starts[0]") == pytest.approx(
        [before[0] + 0.06, before[1] + 0.66], abs=1e-2
    )
    wait(page, "one('#said').textContent.startsWith('Start 1 at (')")
    handle.send_keys(Keys.DELETE)  # the last one stays
    assert run(page, "state.starts.length") == 1
    one(page, "#start").click()
    assert run(page, "document.activeElement === handles[1]")
    page.switch_to.active_element.send_keys(Keys.ARROW_LEFT)
    settled(page)
    assert len(losses(page)) == 10
    assert "2 starts" in one(page, ".key").text
    page.switch_to.active_element.send_keys(Keys.DELETE)
    settled(page)
    assert len(losses(page)) == 5
    assert run(page, "document.activeElement === handles[0]")


def test_a_click_on_the_ground_adds_a_start(opened: Opened) -> None:
    page = opened("race")
    canvas = one(page, GROUND)
    ActionChains(page).move_to_element_with_offset(canvas, *point(page, 1.5, 2)).click().perform()
    settled(page)
    assert run(page, "state.starts[1]") == pytest.approx([1.5, 2], abs=0.02)
    assert len(page.find_elements(By.CSS_SELECTOR, ".handle")) == 2


def touch(page: Browser, kind: str, *points: tuple[float, float]) -> None:
    given = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
    page.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": given})


def test_fingers_drag_a_start_and_pinch_the_ground(opened: Opened) -> None:
    page = opened("race", PHONE)
    page.execute_cdp_cmd(
        "Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2}
    )
    try:
        box = one(page, ".handle").rect
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        before = run(page, "state.starts[0]")
        touch(page, "touchStart", (x, y))
        for share in (0.5, 1.0):
            touch(page, "touchMove", (x + 90 * share, y - 60 * share))
        touch(page, "touchEnd")
        after = run(page, "state.starts[0]")
        assert after[0] > before[0] + 1
        assert after[1] > before[1] + 0.5
        assert run(page, "state.starts.length") == 1
        box = one(page, GROUND).rect
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        touch(page, "touchStart", (x - 20, y), (x + 20, y))
        for far in (40, 60):
            touch(page, "touchMove", (x - far, y), (x + far, y))
        touch(page, "touchEnd")
        (left, right), _ = run(page, "state.window")
        assert right - left == pytest.approx(2, rel=0.1)
        assert run(page, "state.starts.length") == 1
    finally:
        page.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


# The window.


def test_the_wheel_zooms_dragging_pans_and_levels_follow(opened: Opened) -> None:
    page = opened("race")
    canvas = one(page, GROUND)
    x, y = point(page, 1, 1)
    origin = ScrollOrigin.from_element(canvas, x, y)
    ActionChains(page).scroll_from_origin(origin, 0, -300).perform()
    settled(page)
    window = run(page, "state.window")
    assert window[0][1] - window[0][0] == pytest.approx(6 * np.exp(-0.45), rel=0.02)
    shares = [(1 - low) / (high - low) for low, high in window]
    assert shares == pytest.approx([4 / 6, 4 / 6], abs=0.02)  # the place under the pointer stays
    assert run(page, "toPixels(main, [1, 1]).every(Number.isFinite)")
    wait(page, "ground.field.columns === SAMPLES.fine && ground.key.includes(state.window[0][0])")
    assert run(page, "ground.inner.length") > 15
    ActionChains(page).move_to_element_with_offset(canvas, 40, 40).click_and_hold().move_by_offset(
        60, 0
    ).release().perform()
    settled(page)
    panned = run(page, "state.window")
    assert panned[0][0] < window[0][0]
    assert panned[1] == pytest.approx(window[1], abs=0.01)
    assert run(page, "state.starts.length") == 1
    assert "w=" in run(page, "location.hash")
    one(page, "#whole").click()
    settled(page)
    assert run(page, "location.hash") == ""
    assert not one(page, "#whole").is_displayed()
    for button, grows in (("#closer", False), ("#farther", True)):
        before = run(page, "state.window[0][1] - state.window[0][0]")
        one(page, button).click()
        settled(page)
        assert (run(page, "state.window[0][1] - state.window[0][0]") > before) == grows


def test_keys_pan_and_zoom(opened: Opened) -> None:
    page = opened("race")
    canvas = one(page, GROUND)
    for key, wanted in ((Keys.ARROW_RIGHT, [-2.4, 3.6]), ("+", [-1.4, 2.6]), (Keys.HOME, [-3, 3])):
        canvas.send_keys(key)
        assert run(page, "state.window[0]") == pytest.approx(wanted)
    assert run(page, "step") == 125
    canvas.send_keys(" ")
    assert run(page, "playing !== null")
    one(page, ".handle").send_keys(" ")
    assert run(page, "playing") is None


def test_no_window_is_too_small_or_too_large(opened: Opened) -> None:
    page = opened("race")
    for factor in (1e-3, 1e3):
        for _ in range(9):
            page.execute_script(f"zoom({factor}, 300, 300)")
        settled(page)
        assert run(page, "state.window.every(([low, high]) => low < high)")


# Knobs and entries.


def test_knobs_turn(opened: Opened) -> None:
    page = opened("race")
    before = losses(page)
    field = knob(page, "adam", "lr")
    assert field.get_attribute("value") == "0.25"
    typed(field, "0.01")
    settled(page)
    assert losses(page)[4] != before[4]
    assert losses(page)[:4] == before[:4]
    assert "lr 0.01" in page.find_elements(By.CSS_SELECTOR, ".legend li")[4].text
    assert "adam" in run(page, "commandField.value")
    for wrong in ("-1", "0", "1e999", "x", "1e-3e"):
        typed(field, wrong)
        assert field.get_attribute("aria-invalid") == "true"
        assert run(page, "state.entries[4].values[0]") > 0
    slider = one(page, '[aria-label="lr of adam, slider"]')
    low = run(page, "state.entries[4].values[0]")
    slider.send_keys(Keys.ARROW_RIGHT * 9)
    assert run(page, "state.entries[4].values[0]") > low
    decay = one(page, '[aria-label="beta2 of adam, slider"]')
    decay.send_keys(Keys.ARROW_RIGHT * 9)
    assert 0.999 < run(page, "state.entries[4].values[2]") < 1
    decay.send_keys(Keys.HOME)
    assert run(page, "state.entries[4].values[2]") == 0
    page.execute_script(
        "document.querySelector('[aria-label=\"decoupled_weight_decay of adam\"]').click()"
    )
    assert run(page, "state.entries[4].values.at(-1)") is True
    for name in ("lr", "beta2"):
        one(page, f'[aria-label="Reset {name} of adam"]').click()
    page.execute_script(
        "document.querySelector('[aria-label=\"decoupled_weight_decay of adam\"]').click()"
    )
    settled(page)
    assert losses(page) == before


def test_optimizers_are_added_and_removed(opened: Opened) -> None:
    page = opened("race")
    page.execute_script("menu.value = 'lion'; menu.dispatchEvent(new Event('change'))")
    settled(page)
    assert len(losses(page)) == 6
    row = page.find_elements(By.CSS_SELECTOR, ".legend li")[5]
    assert "of 57 rates, the lowest mean of the lowest loss so far" in row.text
    assert has(pixels(page, GROUND), load_theme("light").paths[5])
    one(page, '[aria-label="Remove adam"]').click()
    settled(page)
    assert len(losses(page)) == 5
    page.execute_script("menu.value = 'adagrad'; menu.dispatchEvent(new Event('change'))")
    settled(page)
    assert run(page, "state.entries.at(-1).values[0]") == 1  # the surface's own
    one(page, "#over").click()
    settled(page)
    assert run(page, "fragmentOf(state, step)") == ""


@pytest.mark.sample(2)
@pytest.mark.parametrize("method", ["newton", "rprop", "lamb", "sgd", "momentum", "yogi"])
def test_any_of_ours_can_be_added(method: str, opened: Opened) -> None:
    page = opened("race")
    page.execute_script(f"addMethod('{method}')")
    settled(page)
    assert np.isfinite(losses(page)[-1])


def test_steps_and_noise_follow_their_sliders(opened: Opened) -> None:
    page = opened("race")
    typed(one(page, "#steps"), "60")
    settled(page)
    assert run(page, "runs.map((run) => run.last)") == [60] * 5
    assert one(page, "#counter").text == "step 60 of 60"
    typed(one(page, "#steps"), "0")
    assert one(page, "#steps").get_attribute("aria-invalid") == "true"
    one(page, "#steps-range").send_keys(Keys.ARROW_RIGHT)
    typed(one(page, "#noise-number"), "0.5")
    settled(page)
    fields = {**SCENES["race"], "noise": 0.5, "steps": run(page, "state.steps")}
    theirs = optiviz.Recipe(**fields, lr=None).make_scene().entries[0].trajectories[0]
    assert losses(page)[0] == pytest.approx(theirs.loss(theirs.last), rel=1e-6)
    assert "--noise 0.5 --seed 0" in run(page, "commandField.value")


def test_presets_are_situations(opened: Opened, pages: Path) -> None:
    preset = "too large: sgd:lr=1.05,momentum:lr=0.1:label=M --start 1,1 --steps 20 --noise 0.1"
    recipe = optiviz.Recipe(surface="wobbly", optimizers="adam", presets=(preset,))
    optiviz.render(recipe, pages / "preset.html")
    page = opened("preset")
    one(page, "#presets button").click()
    settled(page)
    assert run(page, "[state.entries.length, state.steps, state.noise]") == [2, 20, 0.1]
    assert run(page, "state.starts") == [[1, 1]]
    assert [each.text for each in page.find_elements(By.CSS_SELECTOR, ".legend b")] == ["sgd", "M"]
    fragment = run(page, "location.hash")
    assert fragment == "#preset=0"
    assert one(page, "#presets button").get_attribute("aria-pressed") == "true"
    one(page, ".handle").send_keys(Keys.ARROW_UP)
    settled(page)
    assert one(page, "#presets button").get_attribute("aria-pressed") == "false"
    assert run(opened("preset", fragment=fragment), "state.entries.map(({name}) => name)") == [
        "sgd", "M",
    ]  # fmt: skip


def test_what_cannot_be_computed_is_replayed(opened: Opened, pages: Path) -> None:
    recipe = optiviz.Recipe(surface="wobbly", optimizers="nelder-mead,adam", steps=50)
    scene = optiviz.render(recipe, pages / "mixed.html")
    page = opened("mixed")
    assert "Replayed from its own start" in one(page, ".legend li").text
    assert "--opt nelder-mead,adam:lr=0.25 " in run(page, "commandField.value")
    assert not page.find_elements(By.CSS_SELECTOR, '[aria-label="Hyperparameters of nelder-mead"]')
    assert losses(page) == pytest.approx([path.loss(50) for path in scene.trajectories], rel=1e-5)
    one(page, ".handle").send_keys(Keys.ARROW_UP)
    settled(page)
    assert losses(page)[0] == pytest.approx(scene.trajectories[0].loss(50), rel=1e-5)


def test_a_page_that_computes_nothing_says_so(opened: Opened) -> None:
    page = opened("network")
    assert "because a network would be too much" in one(page, "header").text
    for selector in ("#add", "#tools", "#over", ".tune", ".handle", "#presets"):
        assert not [
            each for each in page.find_elements(By.CSS_SELECTOR, selector) if each.is_displayed()
        ]


# Tabs.


def test_the_state_is_drawn(opened: Opened) -> None:
    page = opened("race")
    one(page, "#tab-state").click()
    settled(page)
    names = ["velocity", "accumulated squares", "effective step"]
    assert run(page, "chart.strips.map(({name}) => name)") == names
    recipe = optiviz.Recipe(**SCENES["race"])
    path = recipe.make_scene().entries[4].trajectories[0]
    ours = run(page, "[...chart.strips[0].lines.find(({run}) => run.entry.name === 'adam').values]")
    assert ours == pytest.approx(path.states["mean"][:, 0].tolist(), rel=1e-9, abs=1e-12)
    assert "chart=state" in run(page, "location.hash")
    page.switch_to.active_element.send_keys(Keys.ARROW_LEFT)
    assert run(page, "state.chart") == "loss"


@pytest.mark.slow
def test_the_relief_and_the_basins_are_drawn(opened: Opened) -> None:
    page = opened("starts", size=PHONE)
    one(page, "#tab-relief").click()
    settled(page)
    wait(page, "Boolean(relief || reliefImage)")
    assert len(np.unique(pixels(page, ".relief").reshape(-1, 3), axis=0)) > 100
    one(page, "#tab-basins").click()
    wait(page, "basinsFound && basinsFound.result.columns >= 32")
    seen = pixels(page, GROUND)
    assert len(np.unique(seen.reshape(-1, 3), axis=0)) > 40
    assert run(page, "document.querySelectorAll('.key .area').length") >= 3
    one(page, "#tab-contour").click()
    settled(page)
    assert run(page, "state.tab") == "contour"
    assert not page.find_elements(By.CSS_SELECTOR, ".key .area")


def test_the_curve_lives(opened: Opened) -> None:
    page = opened("curve")
    one(page, ".handle").send_keys(Keys.ARROW_RIGHT)
    settled(page)
    assert run(page, "state.starts[0][0]") == pytest.approx(-19.6, abs=0.01)
    assert losses(page)[1] == pytest.approx(0, abs=1e-12)
    page.execute_script("show(1)")
    ActionChains(page).move_to_element(one(page, GROUND)).click().perform()
    settled(page)
    assert run(page, "state.starts.length") == 2
    assert run(page, "runs.length") == 6


# The address and the command.

FRAGMENTS = [
    "s=1,1", "s=0.5,-0.25;2,2&n=77", "o=@4:lr=0.01,@0:hidden,lion:lr=0.1", "w=-1:1,-1:1&step=3",
    "noise=0.5&chart=state", "o=@4:decoupled_weight_decay=true,newton:lr=0.5&s=1,1",
]  # fmt: skip


@pytest.mark.sample(2)
@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_the_address_brings_the_state_back(fragment: str, opened: Opened) -> None:
    page = opened("race", fragment=f"#{fragment}")
    assert run(page, "fragmentOf(state, step)") == fragment
    settled(page)
    assert run(page, "location.hash") == f"#{fragment}"
    assert run(page, "linkField.value").endswith(f"#{fragment}")


BAD = [
    "tab=foo", "tab=curve", "o=@9", "o=nix:lr=1", "n=1e99", "n=2.5", "s=1", "s=1,nan", "s=",
    "w=1:0,2:3", "w=0:1", "o=@0:lr=-1", "o=@0:lr=", "o=@0:nix=1", "x=1", "%", "o=%E0%A4%A",
    "o=@0,@0", "o=sgd",
    "step=500", "step=-1", "noise=-1", "noise=1e400", "preset=9", "o=constructor", "camera=1,2",
    "of=5", "of=-1",
    "s=1,1&s=2,2", "s=" + "1,2;" * 2000, "o=__proto__:lr=1", "<img src=x onerror=alert(1)>",
]  # fmt: skip


@pytest.mark.slow
def test_bad_addresses_are_the_pages_own_state(opened: Opened) -> None:
    page = opened("race", fragment="#s=1,1&n=1e9")
    for fragment in BAD:
        page.execute_script(
            "location.hash = arguments[0]; state = null; takeOver(readFragment())", fragment
        )
        assert run(page, "fragmentOf(state, step)") == "", fragment
        assert run(page, "runs.length") == 5


def test_the_command_makes_what_is_seen(opened: Opened, invoke: Invoke) -> None:
    page = opened(
        "starts", fragment="#o=@0:lr=0.07:beta1=0.8,lion:lr=0.3&s=-1.5,2;1,1&n=40&w=-3:2,-1:4"
    )
    settled(page)
    words = shlex.split(run(page, "commandField.value"))
    assert words[:2] == ["optiviz", "run"]
    assert "--domain=-3:2,-1:4" in words
    result = invoke(*words[1:], "-o", "seen.json")
    assert result.exit_code == 0, result.stderr
    made = json.loads(Path("seen.json").read_text("utf-8"))
    theirs = [each["loss"][-1] for each in made["trajectories"]]
    assert losses(page) == pytest.approx(theirs, rel=1e-9)
    ours = run(page, "runs.map((run) => [...pointOf(run, run.last)])")
    assert np.array(ours) == pytest.approx(
        np.array([each["path"][-1] for each in made["trajectories"]]), rel=1e-9
    )


OWN = """
class Own:
    def __init__(self, lr, beta=0.5):
        if beta > 0.8:
            raise ValueError("too large")
        self.lr = lr

    def init(self, x):
        return None

    def step(self, objective, x, state):
        if x[0] > 2.5:
            raise ValueError("far enough")
        return x - self.lr * objective.gradient(x), None
"""


def test_the_command_says_the_window_and_leaves_out_what_it_would_change(
    opened: Opened, pages: Path
) -> None:
    pytest.importorskip("scipy", reason="scipy is not installed")
    own = pages / "own.py"
    own.write_text(OWN)
    recipe = optiviz.Recipe(
        surface=optiviz.Surface(formula="(x**2+y-11)**2+(x+y**2-7)**2", domain="-1:6,-2:5"),
        optimizers=f"{own}:Own:lr=0.01,bfgs",
        starts=[(0.5, 1.0)],
        steps=50,
    )
    scene = optiviz.render(recipe, pages / "own.html")
    page = opened("own")
    path = scene.trajectories[0]
    assert run(page, "runs.map(({ ending, last }) => [ending, last])")[0] == [
        f"stopped at step {path.stopped_at}",
        path.last,
    ]
    run(page, "writeCommand()")
    said = run(page, "commandField.value")
    assert "--domain=-1:6,-2:5" in said
    assert ",bfgs " in said
    run(page, "setSteps(20)")
    wait(page, "!commandField.value.includes('bfgs')")
    assert run(page, "one('#without').textContent") == "Without bfgs, replayed as it was."
    run(page, "(state.entries[0].values[1] = 0.9, update())")
    assert run(page, "runs[0].ending") == "stopped at step 0"


def test_the_command_can_be_copied(opened: Opened) -> None:
    page = opened("race")
    run(page, "document.querySelector('footer details').open = true")
    one(page, '[data-copies="command"]').click()
    wait(page, "one('[data-copies=command]').textContent !== 'Copy'")
    selected = "commandField.value.slice(commandField.selectionStart, commandField.selectionEnd)"
    assert run(page, selected) == run(page, "commandField.value")


# Pages as a whole.


@pytest.mark.sample(2)
@pytest.mark.parametrize("size", [(1366, 768), (1100, 800)])
@pytest.mark.parametrize("name", SCENES)
def test_nothing_needs_scrolling(name: str, size: tuple[int, int], opened: Opened) -> None:
    page = opened(name, size)
    wide, high = run(
        page, "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    assert (wide, high) <= size
    box = run(page, "main.box")
    assert max(box["width"] / size[0], box["height"] / size[1]) > 0.5  # it is large


def test_it_lives_in_a_sandboxed_frame(opened: Opened, pages: Path) -> None:
    page = opened("race")
    page.get("about:blank")
    text = (pages / "race.html").read_text("utf-8")
    page.execute_script(
        "const frame = document.createElement('iframe'); frame.sandbox = 'allow-scripts';"
        "frame.width = 900; frame.height = 700; frame.srcdoc = arguments[0];"
        "document.body.replaceChildren(frame)",
        text,
    )
    page.switch_to.frame(page.find_element(By.TAG_NAME, "iframe"))
    wait(page, "typeof runs !== 'undefined' && runs.length === 5")
    one(page, ".handle").send_keys(Keys.ARROW_UP)
    settled(page)
    assert run(page, "commandField.value").startswith("optiviz run")
    page.switch_to.default_content()


@pytest.mark.slow
def test_all_follows_a_drag_within_a_frame(opened: Opened) -> None:
    page = opened("race", DESK)
    took = run(
        page,
        "(() => { setSteps(500); const took = []; for (let each = 0; each < 40; each += 1) {"
        "state.starts[0] = [-2.8 + 0.03 * each, -2.5 + 0.05 * each];"
        "const begun = performance.now(); update(); took.push(performance.now() - begun);"
        "} return took.sort((one, other) => one - other)[20]; })()",
    )
    assert took < 16


@pytest.mark.slow
def test_sketches_follow_the_start_and_can_be_left_out(opened: Opened) -> None:
    page = opened("looking", fragment="#step=4")
    recipe = optiviz.Recipe(**SCENES["looking"])
    newton, search = (entry.trajectories[0] for entry in recipe.make_scene().entries)
    moved = descend(optiviz.load_surface("himmelblau"), newton.optimizer, [1.0, -2.0], 12)

    def drawn(name: str, step: int) -> Any:
        shapes = "shapesOf(runs.find(({entry}) => entry.name === arguments[0]), arguments[1])"
        return run(page, shapes, name, step)

    def check(name: str, path: optiviz.Trajectory) -> None:
        assert drawn(name, 0) == []
        for step in (1, 4, 12):
            found, expected = drawn(name, step), plain_sketch(path.sketches[step])
            for shape, known in zip(found, expected, strict=True):
                assert shape.pop("kind") == known.pop("shape")
                assert shape.pop("role") == known.pop("role")
                for part, numbers in known.items():
                    np.testing.assert_allclose(shape[part], numbers, rtol=1e-5, atol=1e-6)

    check("newton", newton)
    check("random-search", search)
    marks = page.find_elements("css selector", ".key .sketch")
    assert [each.text for each in marks] == ["model", "looked at"]
    page.execute_script("state.starts = [[1, -2]]; update(); settle(null)")
    check("newton", moved)
    with_sketches = pixels(page, ".ground canvas")
    one(page, "#sketch input").click()
    wait(page, "location.hash.includes('sketch=0')")
    assert (pixels(page, ".ground canvas") != with_sketches).any(axis=-1).sum() > 200
    assert "--no-sketch" in run(page, "commandField.value")
    one(page, "#tab-relief").click()
    wait(page, "!awaited")
    one(page, "#sketch input").click()
    wait(page, "!awaited")


def test_what_explains_a_step_follows_the_start(opened: Opened, pages: Path) -> None:
    names = ("sgd", "lion", "newton")
    fields = {"optimizers": "sgd:lr=0.01,lion:lr=0.3,newton:damping=80", "steps": 3}
    recipe = optiviz.Recipe(surface="himmelblau", explain="ball", **fields)
    optiviz.render(recipe, pages / "explained.html")
    page = opened("explained")
    paths = [entry.trajectories[0] for entry in recipe.make_scene().entries]
    assert [each.text for each in page.find_elements("css selector", ".key .sketch")][:1] == [
        "norm ball"
    ]
    for start in (paths[0].start.tolist(), [1.0, -2.0]):
        page.execute_script("state.starts = [arguments[0]]; update(); settle(null)", start)
        for name, path in zip(names, paths, strict=True):
            moved = descend(
                optiviz.load_surface("himmelblau"), path.optimizer, start, 3, explain="ball"
            )
            number = names.index(name)
            for step in (1, 3):
                (shape,) = run(page, "shapesOf(runs[arguments[0]], arguments[1])", number, step)
                (known,) = plain_sketch(moved.sketches[step])
                assert (shape.pop("kind"), shape.pop("role")) == (known.pop("shape"), "ball")
                for part in known.keys() - {"role"}:
                    np.testing.assert_allclose(shape[part], known[part], rtol=1e-5, atol=1e-6)
    assert "--explain ball" in run(page, "commandField.value")


@pytest.mark.slow
def test_the_ball_of_noise_is_drawn_until_its_path_is_another(opened: Opened, pages: Path) -> None:
    recipe = optiviz.Recipe(surface="bowl", optimizers="sgd:lr=0.1", noise=2.0, steps=30)
    optiviz.render(recipe, pages / "ball.html")
    page, shapes = opened("ball"), "shapesOf(runs[0], 0)"
    ((ball,),) = [path.sketches[0] for path in recipe.make_scene().entries[0].trajectories]
    (found,) = run(page, shapes)
    assert found["role"] == "spread"
    np.testing.assert_allclose(found["matrix"], ball.matrix, rtol=1e-5)
    assert [each.text for each in page.find_elements("css selector", ".key .sketch")][:1] == [
        "noise ball"
    ]
    with_ball = pixels(page, GROUND)
    typed(one(page, "#noise-number"), "1")
    settled(page)
    assert run(page, shapes) == []
    typed(one(page, "#noise-number"), "2")
    settled(page)
    assert (pixels(page, GROUND) == with_ball).all()


def test_streamlines_go_down(opened: Opened) -> None:
    page = opened("looking")
    flow = "(...x) => programs.objective.gradient(x).map((each) => -each)"
    lines = f"streamlines({flow}, [3, 2], 0.2)"
    ends = "(line) => [line.slice(0, 2), line.slice(-2)].map(programs.objective.value)"
    downhill = run(page, f"{lines}.map({ends})")
    assert len(downhill) > 10
    assert all(first > last for first, last in downhill)


def test_eigenvectors_are_those_of_the_pictures(opened: Opened) -> None:
    page = opened("looking")
    surface, units = optiviz.load_surface("himmelblau"), np.array([2.0, 3.0])
    for x in ([0.5, -1.0], [3.0, 2.0], [-4.0, 0.3]):
        found = run(page, f"armsAt({x}, {units.tolist()}, 7)")
        expected = arms(surface.hessian(np.array([x])), units, 7.0)
        assert [each["down"] for each in found] == expected.down[0].tolist()
        for each, way in zip(found, expected.ways[0], strict=True):
            sign = np.sign(np.dot(each["way"], way))
            np.testing.assert_allclose(sign * np.array(each["way"]), way, rtol=1e-9, atol=1e-9)
    assert one(page, ".key .bends").text == "curves down"
    one(page, "#tab-relief").click()
    wait(page, "!awaited")


def test_gradients_are_those_of_the_pictures(opened: Opened) -> None:
    page = opened("looking")
    surface = optiviz.load_surface("himmelblau")
    for start in (None, [-3.0, 1.0]):
        if start:  # the second path is replayed from its own
            page.execute_script("state.starts = [arguments[0]]; update()", start)
        for number, tolerance in enumerate((1e-9, 1e-5)):
            points = run(page, f"[...runs[{number}].x]")
            found = run(page, f"slopesOf(runs[{number}])")
            expected = slopes(surface, np.reshape(points, (-1, 2))).down
            flat = [[[np.nan, np.nan] if way is None else way for way in row] for row in found]
            np.testing.assert_allclose(flat, expected[:, None], rtol=tolerance, atol=1e-4)
    units, way = np.array([40.0, 10.0]), [3.0, 4.0]
    shaft, tip = run(page, f"gradientArrow([5, 7], {way}, {(units * 4 / 3).tolist()}, 30)")
    for ours, theirs in zip(
        (shaft, tip), arrow(np.zeros(2), np.array(way), units, 30), strict=True
    ):
        pixels_of = np.array([5, 7]) + theirs * units * (1, -1) * 4 / 3
        np.testing.assert_allclose(sorted(ours), sorted(pixels_of.tolist()), atol=1e-9)
    assert one(page, ".key .down").text == "\N{MINUS SIGN}\N{NABLA}f"
    assert not page.find_elements("css selector", ".key .out")
    drawn = pixels(page, GROUND)
    page.execute_script("told.gradients = null; draw()")
    assert (pixels(page, GROUND) != drawn).any(axis=-1).sum() > 100


@pytest.mark.slow
def test_gradients_of_active_constraints_are_in_the_file(opened: Opened, pages: Path) -> None:
    surface = optiviz.Surface(
        formula="(x - 2)**2 + (y - 1)**2", constraints=("x + y <= 1",), domain="-2:2,-2:2"
    )
    recipe = optiviz.Recipe(
        surface=surface, optimizers="projected-gradient:lr=0.1", starts=[(-1, -1)], steps=20,
        gradients=True,
    )  # fmt: skip
    optiviz.render(recipe, pages / "held.html")
    page = opened("held")
    (path,) = recipe.make_scene().trajectories
    rows = run(page, "slopesOf(runs[0])")
    assert [len(row) for row in (rows[0], rows[-1])] == [1, 2]
    down, out = rows[-1]
    np.testing.assert_allclose(down, -surface.gradient(path.end), rtol=1e-6)
    np.testing.assert_allclose(np.divide(out, np.hypot(*out)), [0.5**0.5] * 2, rtol=1e-6)
    assert one(page, ".key .out").text == "\N{NABLA}g"
    both = pixels(page, GROUND)
    page.execute_script("runs[0].slopes.at(-1).pop(); draw()")
    assert (pixels(page, GROUND) != both).any(axis=-1).sum() > 50
