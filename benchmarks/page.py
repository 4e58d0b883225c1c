"""Measure how long a live page takes to follow a drag of the start, against a frame of 16.7 ms.

    python benchmarks/page.py [--optimizers adam,sgd] [--steps 500]

Each move runs every optimizer again, and draws the paths, the losses or the states; a pixel is read
back, so that drawing has ended. Needs Chromium, its driver and selenium.
"""

import argparse
import shutil
import tempfile
from pathlib import Path
from statistics import median, quantiles

from selenium import webdriver

import optiviz

FRAME = 1000 / 60  # milliseconds
MOVES = 80
DRAG = """
const [moves, chart] = arguments;
state.chart = chart;
const [[left, right], [bottom, top]] = state.window;
const taken = [];
for (let move = 0; move < moves; move += 1) {
  const angle = (2 * Math.PI * move) / moves;
  state.starts[0] = [
    (left + right) / 2 + 0.4 * (right - left) * Math.cos(angle),
    (bottom + top) / 2 + 0.4 * (top - bottom) * Math.sin(angle),
  ];
  const began = performance.now();
  update();
  for (const canvas of document.querySelectorAll("canvas")) {
    if (canvas.width) canvas.getContext("2d")?.getImageData(0, 0, 1, 1);
  }
  taken.push(performance.now() - began);
}
return taken;
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--optimizers", default="nesterov,rmsprop,adadelta,adagrad,adam")
    parser.add_argument("--steps", type=int, default=500)
    given = parser.parse_args()
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--window-size=1366,768"):
        options.add_argument(flag)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        recipe = optiviz.Recipe(surface="wobbly", optimizers=given.optimizers, steps=given.steps)
        optiviz.render(recipe, page)
        size = page.stat().st_size / 1000
        browser = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
        browser.get(page.as_uri())
        print(f"{len(recipe.optimizers)} optimizers, {given.steps} steps, {size:.0f} kB")
        for chart in ("loss", "state"):
            browser.execute_script(DRAG, 5, chart)  # until all is compiled
            taken = browser.execute_script(DRAG, MOVES, chart)
            slow = quantiles(taken, n=20)[-1]
            print(
                f"a move, {chart}: median {median(taken):.1f} ms, 95 % within {slow:.1f} ms; "
                f"{median(taken) / FRAME:.2f} and {slow / FRAME:.2f} frames"
            )
        browser.quit()


if __name__ == "__main__":
    main()
