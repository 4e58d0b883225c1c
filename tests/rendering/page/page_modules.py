"""Pages with only some of the scripts of a page, for tests of the relief and of the basins."""

import shutil
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from optiviz.rendering.page.text import embedded

pytest.importorskip("selenium", reason="selenium is not installed")
from selenium import webdriver

CHROMIUM, DRIVER = (shutil.which(name) for name in ("chromium", "chromedriver"))
FLAGS = [
    "--headless", "--no-sandbox", "--disable-quic", "--no-first-run", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
INSTALLED = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed"
)
RELIEF = [
    "relief_light.js", "relief_camera.js", "relief_field.js", "relief_mesh.js", "relief_box.js",
    "relief_paths.js", "relief.js",
]  # fmt: skip
SIDE = 560, 448  # pixels
Browser = Any


@contextmanager
def browser_with_gl(profile: Path) -> Iterator[Browser]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in [*FLAGS, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def open_page(browser: Browser, path: Path, scripts: list[str], told: Any) -> None:
    """Open a page with a canvas, which the policy of the pages allows no more than those."""
    read = [files("optiviz.rendering.page").joinpath(name).read_text("utf-8") for name in scripts]
    script = (
        '"use strict";\nconst told = JSON.parse(document.querySelector("#told").textContent);\n'
    )
    script += "\n".join([told.get("script", ""), *read, told["main"]])
    style = f"body{{margin:0;background:#777}}canvas{{width:{SIDE[0]}px;height:{SIDE[1]}px}}"
    path.write_text(
        "<!doctype html><meta charset=utf-8><title>test</title>"
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"script-src '{_hash(script)}'; style-src '{_hash(style)}'; worker-src blob:\">"
        f"<style>{style}</style><canvas tabindex=0></canvas>"
        f'<script type="application/json" id=told>{embedded(told)}'
        f"</script><script>{script}</script>",
        encoding="utf-8",
    )
    screen = {"width": SIDE[0], "height": SIDE[1], "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.get(path.as_uri())


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
