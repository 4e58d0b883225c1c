"""Live pages at all sizes of windows: nothing is cut or covered, and nothing jumps."""

from pathlib import Path

import page_browser
import pytest
from page_browser import PHONE, Browser, By, Opened, one, run, wait

import optiviz

browser, opened, pages = page_browser.browser, page_browser.opened, page_browser.pages
pytestmark = pytest.mark.slow

SIZES = [
    (320, 560), (360, 720), (740, 360), (620, 800), (819, 640), (820, 640), (900, 800), (1024, 640),
    (1100, 800), (1366, 768), (1920, 1080), (1280, 1440), (2560, 1440),
]  # fmt: skip
SEVEN = "sgd:lr=1e-3,momentum:lr=2e-3,adam:lr=0.6:label=a_rather_long_label_of_adam,rmsprop:lr=0.1,"
SEVEN += "adagrad:lr=0.6,nesterov:lr=0.002:momentum=0.95,adadelta:lr=40"
# Pairs of visible parts that overlap, those that are cut, and rows that do not show all values.
FAULTS = """(() => {
  const parts = [...document.querySelectorAll("h1, header p, .chips button, .controls > *, #step," +
    ".row > *, .named > *, .knob > *, .knobs summary, .add select, #over, .setting > *, .charts," +
    "#charts button, footer summary, #tabs button, #of select, .key li, .frame")];
  const seen = parts
    .filter((part) => part.checkVisibility({visibilityProperty: true}) && !part.closest(".unseen"))
    .map((part) => [part, part.getBoundingClientRect()])
    .filter(([, {width, height}]) => width > 1 && height > 1);
  const said = (part) =>
    `${part.tagName} ${part.id} ${part.className} ${part.textContent.slice(0, 12)}`;
  const faults = [];
  seen.forEach(([one, a], at) => {
    for (const [other, b] of seen.slice(at + 1)) {
      if (one.contains(other) || other.contains(one)) continue;
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 1.5 && high > 1.5) faults.push(["overlap", said(one), said(other)]);
    }
    const {clientWidth, scrollHeight} = document.documentElement;
    const isCut = a.left < -0.5 || a.right > clientWidth + 0.5;
    if (isCut || a.bottom + scrollY > scrollHeight + 0.5) faults.push(["cut", said(one)]);
    const isHidden = getComputedStyle(one).overflowY === "hidden";
    if (isHidden && one.scrollHeight > one.clientHeight + 2) faults.push(["clipped", said(one)]);
    const isWide = one.scrollWidth > one.clientWidth + 1;
    if (one.matches(".detail") && isWide) faults.push(["values", said(one)]);
  });
  return faults;
})()"""


def resize(page: Browser, size: tuple[int, int]) -> None:
    screen = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    page.execute_script("refresh()")


def test_no_size_cuts_or_covers_anything(opened: Opened, pages: Path) -> None:
    recipe = optiviz.Recipe(surface="himmelblau", optimizers=SEVEN)
    optiviz.render(recipe, pages / "seven.html")
    page = opened("seven")
    one(page, ".tune").click()
    for size in SIZES:
        resize(page, size)
        assert run(page, FAULTS) == [], size
        assert run(page, "document.documentElement.scrollWidth") <= size[0]
    one(page, ".tune").click()
    resize(page, (1366, 768))
    assert run(page, "document.documentElement.scrollHeight") <= 768
    assert run(page, "main.box.width * main.box.height") > 0.35 * 1366 * 768


def test_nothing_moves_while_it_plays_or_a_start_is_dragged(opened: Opened) -> None:
    page = opened("race", (1100, 800))
    places = (
        "all('.controls > *, .row, .charts, .frame, #step').map((part) => "
        "Object.values(part.getBoundingClientRect().toJSON()))"
    )
    before = run(page, f"[{places}, chart.box, main.box]")
    for change in ("show(1)", "show(99)", "moveStart(0, [1, 1]); update()", "play(true)"):
        page.execute_script(change)
        assert run(page, places) == before[0], change
    page.execute_script("play(false)")
    one(page, "#over").click()
    assert run(page, f"[{places}, chart.box, main.box]") == before


def test_phones_scroll_the_table_in_its_box(opened: Opened) -> None:
    page = opened("starts", PHONE)
    page.execute_script(
        "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
    )
    wait(page, "all('tbody th')[0].textContent.includes('from (')")
    assert run(page, "document.documentElement.scrollWidth") <= PHONE[0]
    page.find_elements(By.CSS_SELECTOR, ".tune")[0].click()
    page.execute_script("one('.knobs').scrollIntoView({block: 'end'})")
    assert run(page, "one('.frame').getBoundingClientRect().top") >= 0  # the picture stays


def test_without_scripts_there_is_the_table(opened: Opened, pages: Path) -> None:
    page = opened("race")
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page.get((pages / "race.html").as_uri())
        shown = {}
        for selector in ("table", ".controls", "#step", ".seen"):
            script = f"document.querySelector('{selector}').checkVisibility()"
            found = page.execute_cdp_cmd("Runtime.evaluate", {"expression": script})
            shown[selector] = found["result"]["value"]
        assert shown == {"table": True, ".controls": False, "#step": False, ".seen": False}
    finally:
        page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
