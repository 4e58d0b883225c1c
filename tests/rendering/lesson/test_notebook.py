"""The notebook of a lesson: its cells make the pictures of the lesson."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import Invoke

import optiviz
from optiviz.kinds.base import BaseRecipe
from optiviz.kinds.lesson import LessonRecipe
from optiviz.recipes.shipped_files import LESSONS
from optiviz.rendering.api import _recipe
from optiviz.rendering.lesson.notebook import code_of

QUESTION = "Is `a` *less* than **$b$**?"
TEXTS = {"heading": "It", "text": "A $x^2$.", "question": QUESTION, "answer": "A **so**."}
BOWL = {"formula": "x**2 + k*y**2", "params": {"k": 2}, "domain": "-1:1,-1:2", "start": [0.5, 1]}
PICTURES: list[dict[str, Any]] = [
    {"surface": "bowl", "optimizers": "sgd:lr=0.1:label=a b,adam:lr=1", "starts": [[1, 2]]},
    {"surface": BOWL, "optimizers": "sgd:lr=0.1", "steps": 4, "presets": "x: adam --steps 3"},
    {"surface": "softplus", "optimizers": "sgd:lr=0.1", "starts": [[1]], "explain": "bound"},
    {"surface": BOWL, "optimizers": "sgd:lr=0.1", "steps": 4, "vary": "k=1,2"},
    {"kind": "tune", "surface": BOWL, "optimizers": "sgd,adam", "trials": 3, "over": "lr=0.1:1"},
    {"kind": "plot", "surfaces": ["bowl", BOWL], "where": "x > 0"},
    {"kind": "basins", "surface": "two-minimums", "optimizers": "sgd:lr=0.1", "grid": [9, 8]},
    {"kind": "response", "signal": "spikes", "optimizers": "adam,rmsprop"},
]


def lesson_of(*pictures: dict[str, Any], **fields: Any) -> LessonRecipe:
    return LessonRecipe(sections=tuple({**TEXTS, "picture": each} for each in pictures), **fields)


def recipe_of(surface: Any, optimizers: str = "", **settings: Any) -> BaseRecipe:
    return _recipe(surface=surface, optimizers=optimizers, **settings)


CALLED = {name: getattr(optiviz, name) for name in optiviz.__all__ if name[0].isupper()}
RECIPES = SimpleNamespace(explore=recipe_of, animate=recipe_of, draw=lambda made: made, **CALLED)


@pytest.mark.parametrize("picture", PICTURES)
def test_a_cell_makes_the_recipe_of_its_picture(picture: dict[str, Any]) -> None:
    (section,) = lesson_of(picture).sections
    assert eval(code_of(section.picture), {"optiviz": RECIPES}) == section.picture


@pytest.mark.sample(5)
@pytest.mark.parametrize("name", LESSONS.names())
def test_cells_of_each_lesson_make_the_recipes_of_its_pictures(name: str) -> None:
    for section in optiviz.load_lesson(name).sections:
        assert eval(code_of(section.picture), {"optiviz": RECIPES}) == section.picture


def test_it_is_a_notebook_that_runs_and_holds_its_recipe(invoke: Invoke, here: Path) -> None:
    lesson = lesson_of(PICTURES[1], PICTURES[3], PICTURES[5], size=(240, 160))
    optiviz.render(lesson, ["x.ipynb", "y.ipynb"])
    text = Path("x.ipynb").read_text("utf-8")
    assert text == Path("y.ipynb").read_text("utf-8")
    notebook = json.loads(text)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    said = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    assert "## It\n\nA $x^2$." in said[1]
    asked = "Is <code>a</code> <em>less</em> than <strong>$b$</strong>?"
    assert f"<summary>{asked}</summary>\n\nA **so**." in said[1]
    space: dict[str, Any] = {}
    first, *cells = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    exec(first, space)
    shown = [eval(cell, space)._repr_html_() for cell in cells]
    begins = "<iframe", '<img src="data:image/gif', '<img src="data:image/png'
    assert all(html.startswith(begin) for html, begin in zip(shown, begins, strict=True))
    assert optiviz.load_recipe("x.ipynb") == lesson
    assert "kind: lesson" in invoke("inspect", here / "x.ipynb").stdout


def test_no_text_is_more_than_words(here: Path) -> None:
    prose = "<b> </details> [a](javascript:b) ![c](d) **<u>** # g"
    hostile, prose = rf"{prose} *e* \\(f\\)", f"{prose} `<i>` $x<y$"
    texts = {"heading": hostile, "text": prose, "question": prose, "answer": prose}
    address = "https://x.org/a_b"
    section = {**texts, "sources": [f"{hostile} {address}."], "picture": PICTURES[0]}
    optiviz.render(LessonRecipe(title=hostile, summary=hostile, sections=(section,)), "x.ipynb")
    cells = json.loads(Path("x.ipynb").read_text("utf-8"))["cells"]
    said = "\n".join(f"{cell['source']}\n" for cell in cells if cell["cell_type"] == "markdown")
    assert said.count(f"<{address}>") == 1
    assert said.count("$x< y$") == 3
    question = re.search("<details><summary>(.*)</summary>", said)
    assert question is not None
    assert "<code>&lt;i&gt;</code> $x< y$" in question[1]
    known = ("`<i>`", f"<{address}>", "<details><summary>", "</summary>", "<code>", "</code>",
             "<strong>", "</strong>")  # fmt: skip
    assert re.findall(r"<\S+", re.sub("|".join(known), "", said)) == ["</details>"]
    assert not re.search(r"[\[\]\\]", said)


def test_a_picture_that_stands_still_is_drawn(here: Path) -> None:
    still = optiviz.draw(optiviz.PlotRecipe(surfaces="bowl", size=(300, 200)))
    still.save("x.png")
    assert optiviz.load_recipe("x.png") == optiviz.PlotRecipe(surfaces="bowl", size=(300, 200))
    with pytest.raises(optiviz.InputError, match="a picture is no page"):
        still.save("x.html")
    moving = optiviz.draw(optiviz.Recipe(surface="bowl", optimizers="sgd", steps=3))
    assert type(moving).__name__ == "Animation"
    with pytest.raises(optiviz.InputError, match=r"draw one, as lesson\.sections\[0\]\.picture"):
        optiviz.draw(lesson_of(PICTURES[0]))
    with pytest.raises(optiviz.InputError, match="bowl is not a recipe"):
        optiviz.draw("bowl")  # type: ignore[arg-type]
