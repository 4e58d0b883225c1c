"""The relief of a page, in a real browser: it shows what the relief of a picture shows.

These tests are skipped if Chromium and its driver are not installed, or without WebGL.
"""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_modules import INSTALLED, RELIEF, SIDE, Browser, browser_with_gl, open_page
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

import optiviz
from optiviz.kinds.run_scene import RunScene
from optiviz.relief.camera import PERSPECTIVE, Camera
from optiviz.relief.light import shade
from optiviz.rendering.page.programs import page_programs
from optiviz.rendering.page.relief import relief_told
from optiviz.surfaces.surface import Surface
from optiviz.themes import load_theme
from optiviz.views.ramp import SHADES, ramp
from optiviz.views.relief_surface import COARSE, TALL, ReliefSurface
from optiviz.views.sampled_surface import SampledSurface

pytestmark = [INSTALLED, pytest.mark.slow]
LARGEST = 60_000  # bytes of an image
THEMES = {name: load_theme(name) for name in ("light", "dark")}
SURFACES: dict[str, Any] = {
    "linear": "himmelblau",
    "log": "rosenbrock",
    "pole": Surface(formula="1/((x-0.7)**2+(y+0.4)**2) + x*y/4", domain="-3:3,-3:3"),
    "holes": Surface(formula="(x**2+y**2)/4 + sqrt(4-x**2-y**2+x*y)", domain="-3:3,-3:3"),
}
STARTS: dict[str, Any] = {"pole": {"starts": [(2, 2)]}, "holes": {"starts": [(-1, -1)]}}
MAIN = """
const [canvas] = document.getElementsByTagName("canvas");
const written = (value, digits = 4) => String(Number(value.toPrecision(digits)));
const ticks = (low, high, many) => Array.from({ length: many - 1 }, (_, nth) => {
  const value = low + ((high - low) * (nth + 1)) / many;
  return [value, written(value, 2)];
});
const shape = (pen, name, [x, y], size, fill, edge, width) => {
  pen.beginPath();
  pen.arc(x, y, size, 0, 2 * Math.PI);
  Object.assign(pen, { fillStyle: fill, strokeStyle: edge, lineWidth: width });
  pen.fill();
  pen.stroke();
};
const onchange = () => relief.draw();
const look = { told: told.relief, onchange, ticks, shape, written, quantity: "loss" };
const relief = createRelief(canvas, look);
const ground = {
  ...told.ground,
  values: Float64Array.from(told.ground.values, (each) => each ?? NaN),
  value: programs.objective.value,
};
const style = { color: "#ff0000", casing: "#ffffff", head: "o", dash: [] };
const path = { points: told.points, losses: [], ...style, from: 0 };
const show = (to) => {
  relief.setPaths([{ ...path, to }], { minima: told.minima, starts: [told.points[0]] });
  relief.draw();
};
if (relief) {
  relief.setGround(ground);
  show(told.points.length - 1);
}
"""


def make(name: str) -> tuple[RunScene, dict[str, Any], SampledSurface]:
    """Return a scene, what a page of it is told, and its surface as the page samples it."""
    fields = {"surface": SURFACES[name], "optimizers": "adam:lr=0.05", "steps": 40}
    recipe = optiviz.Recipe(**fields, **STARTS.get(name, {}))
    scene = recipe.make_scene()
    theme = THEMES["light"]
    sampled = SampledSurface.sample(scene.surface, COARSE)
    values = [None if np.isnan(each) else each for each in sampled.values.filled(np.nan).ravel()]
    table = (255 * ramp(theme.ramp)(np.arange(SHADES))[:, :3]).round().astype(int)
    (path,) = scene.trajectories
    told = {
        "relief": relief_told(scene, recipe, THEMES),
        "script": page_programs(scene, recipe).script,
        "main": MAIN,
        "ground": {
            "window": scene.surface.window.intervals,
            "names": scene.surface.axis_names,
            "columns": COARSE,
            "rows": COARSE,
            "values": values,
            "levels": sampled.levels.tolist(),
            "ramp": [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in table],
            "dark": False,
            "aspect": 1.0,
            "colors": theme.model_dump(mode="json"),
        },
        "points": path.finite_points.tolist(),
        "minima": [list(point) for point in scene.surface.minima],
    }
    return scene, told, sampled


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser_with_gl(tmp_path_factory.mktemp("profile")) as driver:
        if not driver.execute_script(
            "return !!document.createElement('canvas').getContext('webgl2')"
        ):
            pytest.skip("there is no WebGL")
        yield driver


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Browser]]:
    def open_(name: str, **changes: Any) -> Browser:
        open_page(browser, tmp_path / "page.html", RELIEF, make(name)[1] | changes)
        return browser

    yield open_
    # Reading pixels back is slow, of which the browser warns.
    assert [each for each in browser.get_log("browser") if "readback" not in each["message"]] == []


def run(browser: Browser, script: str, *words: Any) -> Any:
    return browser.execute_script(f"return {script}", *words)


def picture(browser: Browser) -> Any:
    data = browser.find_element(By.TAG_NAME, "canvas").screenshot_as_png
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


@pytest.mark.parametrize("name", SURFACES)
def test_its_heights_and_holes_are_those_of_a_picture(
    name: str, opened: Callable[..., Browser]
) -> None:
    scene, _, sampled = make(name)
    expected = ReliefSurface(scene.surface, sampled, (1.0, 1.0), None)
    page = opened(name)
    heights = run(page, "relief.field.heights")
    assert heights["kind"] == expected.heights.kind
    assert tuple(heights["cut"]) == expected.heights.is_cut
    for bound in ("low", "high", "softness"):
        assert heights[bound] == pytest.approx(getattr(expected.heights, bound), rel=1e-9, abs=1e-9)
    grid, within = expected.grids
    assert np.reshape(run(page, "[...relief.field.grid]"), grid.shape) == pytest.approx(
        grid, abs=1e-5
    )
    found = run(page, "relief.field.within && [...relief.field.within]")
    assert (found is None) == (within is None)
    if within is not None:
        assert found == pytest.approx(within.ravel(), abs=1e-5)
    shown = run(page, "relief.field.shown")
    drawn = range(shown["first"], shown["last"] + 1, shown["stride"])
    assert abs(len(drawn) - len(expected.isolines)) <= 1


def test_its_colours_are_those_of_a_picture(opened: Callable[..., Browser]) -> None:
    scene, _, sampled = make("linear")
    surface = ReliefSurface(scene.surface, sampled, (1.0, 1.0), None)
    grid, shares = np.clip(surface.grids[0], 0, TALL), sampled.shares(sampled.values.data)
    table = ramp(THEMES["light"].ramp)(np.arange(SHADES))[:, :3]
    expected = shade(grid, (1.0, 1.0), shares, table, COARSE - 1)
    page = opened("linear")
    for side, colors in zip(("above", "below"), expected, strict=True):
        seen = np.reshape(run(page, f"[...relief.field.{side}]"), (COARSE, COARSE, 4)).astype(float)
        middles = (seen[:-1, :-1] + seen[1:, :-1] + seen[:-1, 1:] + seen[1:, 1:]) / 4
        apart = np.abs(middles - colors)
        assert apart.mean() < 1
        assert apart.max() < 9


@pytest.mark.parametrize("name", ["linear", "log", "holes"])
def test_it_sees_what_the_camera_of_a_picture_sees(
    name: str, opened: Callable[..., Browser]
) -> None:
    scene, _, sampled = make(name)
    surface = ReliefSurface(scene.surface, sampled, (1.0, 1.0), None)
    low, high = np.transpose(scene.surface.window.intervals)
    points = surface.in_world(np.random.default_rng(1).uniform(low, high, (400, 2)))
    points = points[np.isfinite(points).all(axis=1)]
    page = opened(name)
    for azimuth, elevation in ((-60, 38), (130, 54), (10, 12)):
        camera = Camera(azimuth, elevation, 300.0, 280.0, 160.0)
        shot = surface.field.shot(camera, SIDE, 2, 480)
        seen_from = azimuth, elevation, PERSPECTIVE, 300, 280, SIDE[1] - 160
        made = f"new reliefCamera.Camera{seen_from}"
        places = run(page, f"arguments[0].map((each) => {made}.place(...each))", points.tolist())
        expected = camera.places(points) * [1, -1] + [0, SIDE[1]]
        assert np.array(places) == pytest.approx(expected, abs=1e-6)
        hidden = run(
            page,
            f"arguments[0].map((each) => reliefCamera.isHidden(relief.field, {made}, each, 0.5))",
            points.tolist(),
        )
        assert (np.array(hidden) == ~shot.seen(points, 0.5)).mean() > 0.98


def test_it_draws_the_surface_and_a_path(opened: Callable[..., Browser]) -> None:
    page = opened("linear", minima=[])
    whole = picture(page)
    background = np.abs(whole - 0x77).max(axis=-1) < 3
    assert 0.3 < 1 - background.mean() < 0.9
    red = (whole[..., 0] > 240) & (whole[..., 1:].max(axis=-1) < 30)
    assert red.sum() > 120
    run(page, "show(5)")
    fewer = picture(page)
    assert 50 < ((fewer[..., 0] > 240) & (fewer[..., 1:].max(axis=-1) < 30)).sum() < red.sum()
    x, y = map(round, run(page, "relief.paths.paths[0].placed.at"))
    assert fewer[y, x].tolist() == [255, 0, 0]


def test_a_head_behind_a_hill_is_pale(opened: Callable[..., Browser]) -> None:
    page = opened("log")
    run(page, "(relief.camera = {azimuth: 150, elevation: 10}, relief.draw())")
    hidden = run(page, "relief.paths.paths[0].route.visible.filter((each) => each === null).length")
    assert hidden > 0
    assert run(page, "relief.paths.placed.minima[0].opacity") == run(page, "told.relief.paths.pale")


def test_it_turns_by_drag_keys_and_wheel(opened: Callable[..., Browser]) -> None:
    page = opened("linear")
    canvas = page.find_element(By.TAG_NAME, "canvas")
    before, first = run(page, "relief.camera"), picture(page)
    ActionChains(page).drag_and_drop_by_offset(canvas, 60, 25).perform()
    turned = run(page, "relief.camera")
    assert (turned["azimuth"] - before["azimuth"]) % 360 == pytest.approx(360 - 24, abs=0.5)
    assert turned["elevation"] == pytest.approx(before["elevation"] + 10, abs=0.5)
    assert (picture(page) != first).mean() > 0.1
    WebDriverWait(page, 10).until(lambda _: run(page, "!relief.isMoving"))
    canvas.send_keys(Keys.ARROW_RIGHT)
    assert (run(page, "relief.camera.azimuth") - turned["azimuth"]) % 360 == pytest.approx(5)
    canvas.send_keys("+")
    assert run(page, "relief.camera.distance") < 1
    canvas.send_keys(Keys.HOME)
    assert run(page, "relief.camera") == before
    page.execute_script(
        "canvas.dispatchEvent(new WheelEvent('wheel', {deltaY: 120, cancelable: true}))"
    )
    assert run(page, "relief.camera.distance") > 1
    run(page, "(relief.camera = {elevation: 200, distance: NaN})")
    assert run(page, "relief.camera.distance") > 1  # a wrong number changes nothing
    run(page, "(relief.camera = {elevation: 200})")
    assert run(page, "relief.camera.elevation") == 85
    WebDriverWait(page, 10).until(lambda _: run(page, "!relief.isMoving"))


def test_two_fingers_zoom(opened: Callable[..., Browser]) -> None:
    page = opened("linear")
    touch = (
        "canvas.dispatchEvent(new PointerEvent('{}', {{pointerId: {}, clientX: {}, clientY: 9}}))"
    )
    page.execute_script("canvas.setPointerCapture = () => {}")  # of made up fingers
    for kind, finger, x in (
        ("pointerdown", 1, 100), ("pointerdown", 2, 200), ("pointermove", 2, 300),
        ("pointerup", 1, 100), ("pointerup", 2, 300),
    ):  # fmt: skip
        page.execute_script(touch.format(kind, finger, x))
    assert run(page, "relief.camera.distance") == pytest.approx(0.5)
    assert run(page, "relief.pointers.size") == 0


def test_it_is_drawn_again_after_its_context_was_lost(opened: Callable[..., Browser]) -> None:
    page = opened("linear")
    before = picture(page)
    page.execute_async_script(
        "const done = arguments[0], surface = relief.surface.canvas;"
        "window.lost = relief.surface.gl.getExtension('WEBGL_lose_context');"
        "surface.addEventListener('webglcontextlost', () => setTimeout(done)); lost.loseContext()"
    )
    run(page, "relief.draw()")
    page.execute_async_script(
        "const done = arguments[0], surface = relief.surface.canvas;"
        "surface.addEventListener('webglcontextrestored', () => setTimeout(done));"
        "lost.restoreContext()"
    )
    assert (np.abs(picture(page) - before).max(axis=-1) > 8).mean() < 0.001
    run(page, "relief.dispose()")


def test_a_hole_shows_what_is_behind(opened: Callable[..., Browser]) -> None:
    page = opened("holes", minima=[])
    run(page, "(relief.camera = {azimuth: -90, elevation: 85}, show(0))")
    seen = picture(page)
    x, y = map(round, run(page, "relief.fitted.place(-0.45, 0.45, -told.relief.box.depth)"))
    floor = seen[y - 3 : y + 4, x - 3 : x + 4]
    assert floor.min() > 215  # the pale tint of the floor


def test_without_webgl_there_is_none(opened: Callable[..., Browser]) -> None:
    nothing = "HTMLCanvasElement.prototype.getContext = () => null;"
    page = opened("linear", main=nothing + MAIN)
    assert run(page, "relief") is None


@pytest.mark.parametrize("name", ["linear", "holes"])
def test_a_page_is_told_plain_values_and_small_images(name: str) -> None:
    _, told, _ = make(name)
    assert json.loads(json.dumps(told["relief"]))
    assert set(told["relief"]["images"]) == {"light", "dark"}
    for image in told["relief"]["images"].values():
        assert image.startswith("data:image/webp;base64,")
        assert len(image) < LARGEST
