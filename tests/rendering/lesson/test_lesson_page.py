"""The page of a lesson: its texts, its policy, its frames, its films and stills; in a browser.

The environment variable NODE_MODULES is the folder with axe-core, html-validate and vnu-jar.
"""

import json
import os
import re
import shutil
import subprocess
from base64 import b64decode, b64encode
from functools import cache
from hashlib import sha256
from html import unescape
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

import optiviz
from optiviz.kinds.lesson import LessonRecipe
from optiviz.kinds.mathml import mathml
from optiviz.rendering.lesson.prose import prose_html
from optiviz.rendering.page import assembled, page_pieces
from optiviz.system.errors import InputError

MODULES = Path(os.environ.get("NODE_MODULES", ""))
AXE, JAR = MODULES / "axe-core" / "axe.min.js", MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar"
HOSTILE = '"><script>alert(1)</script><a href="javascript:alert(1)">'
PROSE = {"heading": "A heading", "text": "See $x_{t+1}$.", "question": "Why?", "answer": "`sgd`."}
BOWL = {"formula": "x**2 + k*y**2", "params": {"k": 2}, "domain": "-2:2,-2:2", "start": [1, 1]}
LIVE = {"surface": BOWL, "optimizers": "sgd:lr=0.1", "steps": 3}
FILM = {**LIVE, "vary": "k=1,2"}
STILL = {"kind": "plot", "surfaces": [BOWL]}


def lesson(*pictures: dict[str, Any], **fields: Any) -> LessonRecipe:
    """Return a lesson of these pictures, with hostile texts."""
    sections = [
        {**PROSE, "sources": [f"Me {HOSTILE} https://x.org/a?b&c."], "picture": each}
        for each in pictures
    ]
    fields = {"title": f"A title {HOSTILE}", "summary": HOSTILE, "size": "240x160", **fields}
    return LessonRecipe.model_validate({"sections": sections, **fields})


def made(recipe: LessonRecipe) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "lesson.html"
        optiviz.render(recipe, path)
        return path.read_text("utf-8")


@cache
def of_live() -> str:
    """Return a lesson of two live pages, made once for all tests."""
    return made(lesson(LIVE, {**LIVE, "optimizers": "adam:lr=0.1"}))


def embedded(text: str, name: str) -> Any:
    (found,) = re.findall(rf'<script type="application/json" id="{name}">(.*?)</script>', text)
    return json.loads(found)


def test_no_text_of_a_lesson_is_html() -> None:
    text = of_live()
    assert HOSTILE not in text
    assert text.count("&lt;script&gt;alert(1)") == 1 + 2 + 2 + 1  # title, summary, two sources
    assert '<a href="https://x.org/a?b&amp;c" rel="noopener">x.org/a?b&amp;c</a>.' in text
    assert not re.search(r'(src|href)="(?!data:|#|https://x\.org)', text)


def test_each_link_of_the_contents_leads_to_a_section_of_its_own() -> None:
    text = of_live()
    links = re.findall('<li><a href="#([^"]*)">', text)
    assert links == ["a-heading", "a-heading-2"] == re.findall('<section id="([^"]*)"', text)
    ids = re.findall(' id="([^"]*)"', text)
    assert len(ids) == len(set(ids))


def test_what_pages_share_is_there_once_and_each_is_as_a_page_alone(here: Path) -> None:
    text = of_live()
    assert text.count("function chooseAxes") == 1
    pages = embedded(text, "pages")
    picture = lesson(LIVE).pictures[0]
    optiviz.render(picture, "page.html")
    alone = (here / "page.html").read_text("utf-8")
    assert pages["pieces"] == page_pieces()
    parts = joined(pages["shared"], pages["own"]["0"])
    parts |= {"place": "", "heading": "<h1>A heading</h1>"}
    for name, place in {"scene": "scene", "comment": "made"}.items():
        assert parts[name] == embedded(alone, place)
        (parts[name],) = re.findall(f'id="{place}">(.*?)</', alone)  # perhaps in another order
    assert assembled(parts) == alone


def joined(common: dict[str, Any], mine: dict[str, Any]) -> dict[str, Any]:
    """Return what frames.js makes of what pages have in common and what one has beside it."""
    both = {
        key: joined(common[key], value)
        for key, value in mine.items()
        if isinstance(value, dict) and isinstance(common.get(key), dict)
    }
    return common | mine | both


def test_only_its_own_scripts_and_styles_and_those_of_its_frames_may_run() -> None:
    text = of_live()
    pages = embedded(text, "pages")
    policy = re.findall('http-equiv="Content-Security-Policy" content="([^"]*)"', text)[0]
    for tag, known in ("style", ["style"]), ("script", ["script", "programs"]):
        own = [
            joined(pages["shared"], pages["own"][page])[part]
            for page in ("0", "1")
            for part in known[1:]
        ]
        texts = [*re.findall(f"<{tag}>(.*?)</{tag}>", text, re.S), pages["shared"][tag], *own]
        hashes = {f"'sha256-{b64encode(sha256(each.encode()).digest()).decode()}'"
                  for each in texts}  # fmt: skip
        (allowed,) = re.findall(f"{tag}-src ([^;]*)", policy)
        assert set(allowed.split()) == hashes
    assert policy.startswith("default-src 'none'; img-src data:; media-src data:; worker-src blob:")


def test_who_has_no_scripts_reads_what_came_out() -> None:
    tables = re.findall("<noscript>(.*?)</noscript>", of_live(), re.S)
    assert [re.findall('scope="row">(.*?)<', each) for each in tables] == [["sgd"], ["adam"]]


@pytest.mark.sample(1)
@pytest.mark.parametrize(("theme", "many"), [("light", 2), ("article", 1), ({"ink": "#112233"}, 1)])
def test_a_still_is_sharp_and_in_the_themes_of_its_page(theme: Any, many: int) -> None:
    text = made(lesson(STILL, theme=theme))
    data = re.findall(r'(?:src|srcset)="data:image/\w+;base64,([^"]*)"', text)
    assert len(data) == many
    for each in data:
        with Image.open(BytesIO(b64decode(each))) as image:
            assert image.size == (480, 320)
    (said,) = re.findall('<img [^>]* alt="([^"]*)"', text)
    assert unescape(said).startswith("A heading")


@pytest.mark.slow
def test_a_film_can_be_stopped_and_has_no_sound() -> None:
    text = made(lesson(FILM))
    films = re.findall("<video ([^>]*)>", text)
    assert len(films) == 2
    for each, name in zip(films, ("in-light", "in-dark"), strict=True):
        assert {f'class="{name}"', "controls", "muted", "playsinline"} <= set(each.split())
        assert b64decode(each.split("base64,")[1].rstrip('"'))[4:8] == b"ftyp"


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        (r"\beta v - \eta", ""),
        (r"x_{t+1} \leq \frac{1}{2} \|x\|_2^2", ""),
        (r"\text{a<b} < c", ""),
        (r"\arg\min_x f(x)", ""),
        (r"\foo x", r"\foo is not known LaTeX"),
        ("x_", "is not known LaTeX: missing super script"),
        (r"\frac{1", "braces do not match"),
        (r"\href{javascript:alert(1)}{x}", "href is no part of a formula"),
        (r"\newcommand{\a}{x}\a", r"\newcommand is no part of a formula"),
        (r"\class{a}{x}", "class is no part of a formula"),
    ],
)
def test_formulas_are_mathml_or_a_sentence(formula: str, said: str) -> None:
    if said:
        with pytest.raises(InputError, match=re.escape(said)):
            mathml(formula)
        with pytest.raises(InputError, match="(?s)sections.0.answer.*" + re.escape(said)):
            LessonRecipe(sections=({**PROSE, "answer": f"${formula}$", "picture": LIVE},))
        return
    root = ElementTree.fromstring(mathml(formula))
    assert root.tag == "math"
    assert root.get("alttext") == formula


def test_no_line_begins_with_a_mark() -> None:
    assert prose_html(". a `b`, c `d` e") == (
        '. a <span class="whole"><code>b</code>,</span> c <code>d</code> e'
    )
    assert prose_html("`a`.`b`") == ('<span class="whole"><code>a</code>.</span><code>b</code>')


def test_words_between_stars_are_stressed_and_no_others() -> None:
    text = "*a `b`* **$c^*$ d**, 2*3*4, 2 * 3, x*, y* and ***z***"
    assert re.sub("<math.*?</math>", "[c]", prose_html(text)) == (
        '<em>a <code>b</code></em> <span class="whole"><strong>[c] d</strong>,</span>'
        " 2*3*4, 2 * 3, x*, y* and ***z***"
    )


def test_signs_are_spaced_as_latex_does() -> None:
    def forms(formula: str) -> list[str | None]:
        return [each.get("form") for each in ElementTree.fromstring(mathml(formula)).iter("mo")
                if each.text == "−"]  # fmt: skip

    assert forms("a - b") == forms("(a) - |b| - c")[:1] == [None]
    assert forms("a = -b") == forms("f(-b)") == ["prefix"]
    assert 'lspace="0" rspace="0">+' in mathml("x_{t+1}")
    assert "lspace" not in mathml("t + 1")


@pytest.mark.slow
@pytest.mark.skipif(
    not (MODULES / "html-validate").is_dir() or not JAR.is_file() or not shutil.which("java"),
    reason="html-validate or vnu-jar is not in NODE_MODULES, or no java",
)
def test_a_lesson_is_valid_html(here: Path) -> None:
    (here / ".htmlvalidate.json").write_text(
        '{"root": true, "extends": ["html-validate:recommended"]}'
    )
    (here / "lesson.html").write_text(made(lesson(LIVE, STILL, FILM, title="A title")), "utf-8")
    newer = ".*(container|CSS|text-wrap).*"
    for command in (
        [MODULES / ".bin" / "html-validate", "lesson.html"],
        ["java", "-jar", JAR, "--errors-only", "--filterpattern", newer, "lesson.html"],
    ):
        found = subprocess.run(command, capture_output=True, text=True)
        assert found.returncode == 0, (found.stdout + found.stderr)[-2000:]
