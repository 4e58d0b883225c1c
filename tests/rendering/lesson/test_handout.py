"""The handout of a lesson: a page for each picture, as PDF."""

import re
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import Invoke
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfFile
from matplotlib.figure import Figure

import optiviz
from optiviz.kinds.lesson import LessonRecipe
from optiviz.rendering.lesson.handout import (
    BOLD,
    CODE,
    MATH,
    PAGE,
    SYNONYMS,
    check_formula,
    known_formula,
    set_prose,
)
from optiviz.rendering.lesson.prose import prose_parts
from optiviz.system.errors import FieldError, InputError
from optiviz.views.words import Ruler

RUN = {"surface": "parabola", "optimizers": "sgd:lr=0.1", "steps": 3, "view": "curve"}
STILL = {"kind": "plot", "surfaces": ["softplus"]}
PROSE = {
    "text": r"A step goes against $\nabla f(x)$, as `sgd` does.",
    "question": "How far does it go?",
    "answer": "Not far.",
    "sources": ["Cauchy 1847, Méthode générale"],
}


def lesson(*pictures: dict[str, Any], **given: Any) -> LessonRecipe:
    sections = [
        {"heading": f"Section {'AB'[number]}", **PROSE, **given, "picture": picture}
        for number, picture in enumerate(pictures)
    ]
    return LessonRecipe.model_validate(
        {"title": "On steps", "sections": sections, "size": [240, 160]}
    )


def pages(path: Path) -> list[bytes]:
    """Return what each page of a PDF draws."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", path.read_bytes(), re.S)
    opened = [zlib.decompress(each) for each in streams if each[:1] == b"x"]
    return [each for each in opened if b"/DeviceRGB CS" in each[:40]]


def words(page: bytes) -> str:
    """Return the text of a page, in the order in which it is drawn."""
    strings = re.findall(rb"\(((?:[^()\\]|\\.)*)\)", page)
    return b"".join(strings).replace(b"\0", b"").decode("latin-1")


@pytest.fixture
def no_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave fonts out of files, which take most of the time."""
    monkeypatch.setattr(PdfFile, "writeFonts", lambda self: self.writeObject(self.fontObject, {}))


@pytest.mark.slow
def test_it_is_the_same_bytes_again_with_its_recipe(here: Path) -> None:
    made = lesson(RUN, STILL)
    optiviz.render(made, ["x.gif", "a.pdf"])
    optiviz.render(made, "b.pdf")
    assert (here / "a.pdf").read_bytes() == (here / "b.pdf").read_bytes()
    assert optiviz.load_recipe("a.pdf") == made


def test_it_has_a_page_for_each_picture_with_all_texts(here: Path, no_fonts: None) -> None:
    optiviz.render(lesson(RUN, STILL), "a.pdf")
    box = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", (here / "a.pdf").read_bytes())
    assert [[float(side) for side in each] for each in box] == [pytest.approx(PAGE, abs=0.1)] * 2
    drawn = pages(here / "a.pdf")
    assert len(drawn) == 2
    for number, page in enumerate(drawn):
        said = words(page)
        places = [
            said.index(each)
            for each in (
                f"{number + 1}  Section {'AB'[number]}", "A step goes against", "sgd", "does.",
                "How far does it go?", "Cauchy 1847, Méthode générale", "Not far.", "On steps",
                f"{number + 1} / 2",
            )
        ]  # fmt: skip
        assert places == sorted(places), "words are read in the order of the page"
        assert said.count("Section") == 1, "the title of the picture is its heading"
        state = re.findall(rb"(?<![^\s])([qQ])(?![^\s])", page)
        assert state.count(b"q") == state.count(b"Q")


def test_a_formula_that_would_be_cut_is_left_out(here: Path, no_fonts: None) -> None:
    short = "x**2 + y**2"
    for formula in (short, " + ".join([short] * 9)):
        surface = {"formula": formula, "domain": "-1:1,-1:1", "title": "A bowl"}
        optiviz.render(lesson({"kind": "plot", "surfaces": [surface]}), "a.pdf", overwrite=True)
        (page,) = pages(here / "a.pdf")
        assert "x, y" not in words(page)


@pytest.mark.parametrize(
    ("count", "fits"), [(90, True), (180, True), (600, False)], ids=["usual", "long", "too-long"]
)
def test_long_texts_are_set_smaller_or_refused(
    count: int, fits: bool, here: Path, no_fonts: None
) -> None:
    made = lesson(STILL, text="words " * count)
    if fits:
        optiviz.render(made, "x.pdf")
        assert words(pages(here / "x.pdf")[0]).count("words") == count
        return
    with pytest.raises(FieldError, match=r"sections.0: its texts are too long for one page"):
        optiviz.render(made, "x.pdf")
    assert not [*here.iterdir()]


def test_a_formula_that_cannot_be_set_is_told_with_its_place(invoke: Invoke, here: Path) -> None:
    (here / "x.yaml").write_text(
        "sections:\n"
        "- heading: A\n"
        "  text: A\n"
        "  question: So $\\sqrt[3]{x}$?\n"
        "  answer: $x$ and $\\begin{pmatrix}1\\end{pmatrix}$\n"
        "  picture: {kind: plot, surfaces: [softplus]}\n"
    )
    result = invoke("lesson", "x.yaml", "-o", "x.pdf")
    assert result.exit_code == 2 and len(result.stderr.splitlines()) == 1
    assert "x.yaml:5:" in result.stderr
    assert "{pmatrix}$ cannot be set in a .pdf: Unknown symbol: \\begin" in result.stderr
    assert [each.name for each in here.iterdir()] == ["x.yaml"]


def test_a_formula_that_is_nested_too_deeply_is_told() -> None:
    with pytest.raises(InputError, match="cannot be set in a .pdf: it is nested too deeply"):
        check_formula("x_{" * 300 + "y" + "}" * 300)


def test_lines_of_prose_are_broken_between_words_alone() -> None:
    figure = Figure(dpi=200)
    FigureCanvasAgg(figure)
    ruler = Ruler(figure)
    text = r"In `a-b c`, $x_{t+1} = x_t - \frac{\eta}{2} \nabla f(x_t)$, and so on: see"
    text = f"{text} https://example.org/{'long' * 40}."
    for room in range(160, 500, 20):
        block = set_prose(prose_parts(text), room, 11, ruler)
        assert block is not None
        runs = [run for _, line in block.lines for run in line]
        assert [run.said for run in runs if run.look is MATH] == [f"${text.split('$')[1]}$"]
        written = "".join(run.said for run in runs).replace(" ", "")
        assert written == text.replace("`", "").replace(" ", "")
        assert all(run.x + ruler.extent(run.said, 11, **run.look).width <= room for run in runs)
        depths = [depth for depth, _ in block.lines]
        assert min(after - before for before, after in pairwise(depths)) > 11
    assert set_prose(prose_parts(text), 100, 11, ruler) is None, "the formula is wider"


def test_words_between_stars_are_slanted_or_bold() -> None:
    figure = Figure(dpi=200)
    FigureCanvasAgg(figure)
    block = set_prose(prose_parts("*a $b$ c d* **e `f`**."), 300, 11, Ruler(figure))
    assert block is not None
    ((_, line),) = block.lines
    slanted = {"style": "italic"}
    assert [(run.said, run.look) for run in line] == [
        *(("a", slanted), ("$b$", MATH), ("c d", slanted), ("e", BOLD), ("f", CODE), (".", {}))
    ]


@pytest.mark.parametrize("formula", [r"\frac12 x", r"\operatorname*{argmin}_x f"])
def test_short_fractions_and_starred_operators_are_set(formula: str) -> None:
    check_formula(formula)


@pytest.mark.parametrize("name", SYNONYMS)
def test_names_of_latex_that_matplotlib_lacks_are_set(name: str) -> None:
    argument = {"tfrac": "{a}{b}", "stackrel": "{a}{b}"}.get(name, "{a}")
    check_formula(rf"x \{name}{argument} y")
    with pytest.raises(optiviz.InputError, match=r"cannot be set in a \.pdf: (Unknown|Exp)"):
        check_formula(rf"x \{name}x y")
    assert known_formula(rf"\{name}x") == rf"$\{name}x$"
