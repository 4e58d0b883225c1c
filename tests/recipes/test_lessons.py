"""Lessons from files: what is read, in which language, and what is refused, where."""

import re
from pathlib import Path

import pytest
from conftest import Invoke

import optiviz
from optiviz.kinds.base import to_dict
from optiviz.kinds.lesson import LessonRecipe

LESSON = """\
kind: lesson
title: Bowls
sections:
  - heading: A bowl
    text: "It ends at {{loss(sgd)}}."
    question: "Why?"
    answer: "It is round."
    claims: ["loss(sgd) < loss(sgd, 0)"]
    picture: {surface: bowl, optimizers: "sgd:lr=0.1", steps: 5}
"""
GERMAN = """\
title: Schüsseln
sections:
  - heading: Eine Schüssel
    text: "Sie endet bei {{loss(sgd)}}."
    question: "Warum?"
    answer: "Sie ist rund."
"""


def written(here: Path, old: str = "", new: str = "", name: str = "bowls.yaml") -> Path:
    """Write the lesson with one change."""
    assert old in LESSON
    (here / name).write_text(LESSON.replace(old, new, 1), "utf-8")
    return here / name


@pytest.mark.parametrize(
    ("old", "new", "where", "said"),
    [
        ("surface: bowl", "surface: bwl", "9:15: sections.0.picture.surface", "'bowl'"),
        ("sgd:lr", "sgdd:lr", "9:30: sections.0.picture.optimizers", "'sgd'"),
        ("steps: 5", "stepz: 5", "9:56: sections.0.picture.stepz", "'steps'"),
        ("{surface", "{kind: plt, surface", "9:15: sections.0.picture.kind", "'plot'"),
        ("{surface", "{kind: lesson, surface", "9:15: sections.0.picture.kind", "in a lesson"),
        ("steps: 5", "theme: dark", "9:56: sections.0.picture.theme", "whole lesson"),
        ("{surface: bowl", "{surface: my.py:f", "9:15: sections.0.picture.surface", "--allow-plug"),
        ("sgd:lr", "my.py:Mine:lr", "9:30: sections.0.picture.optimizers", "--allow-plugins"),
        ('"Why?"', '""', "6:5: sections.0.question", "at least 1 letter is required"),
        ("heading", "heding", "4:5: sections.0.heding", "'heading'"),
        ("sections:", "sektions:", "3:1: sektions", "'sections'"),
        ("loss(sgd) <", "loss(sgd <", "8:14: sections.0.claims.0", "never closed"),
        ("loss(sgd) < ", "", "8:14: sections.0.claims.0", "compares no numbers"),
        ("loss(sgd) <", "loss(sgd) >", "8:14: sections.0.claims.0", "does not hold: loss(sgd) is"),
        ("loss(sgd)}}", "lss(sgd)}}", "5:5: sections.0.text", "'loss'"),
        ("loss(sgd)}}", "loss(sdg)}}", "5:5: sections.0.text", "'sgd'"),
        ("loss(sgd)}}", "loss(sgd)", "5:5: sections.0.text", "{{ without }}"),
        ("loss(sgd)}}", "loss(sgd, 6)}}", "5:5: sections.0.text", "the last one is 5"),
        ("loss(sgd)}}", "loss(sgd):0}}", "5:5: sections.0.text", "number of digits"),
        ("loss(sgd)}}", "__import__('os')}}", "5:5: sections.0.text", "unknown function"),
        ("loss(sgd)}}", "loss.real}}", "5:5: sections.0.text", "not allowed"),
        ("lr=0.1", "lr=0.1,muon", "9:5: sections.0.picture", "muon needs a matrix"),
        ("steps: 5", "presets: ['a: sgd --start 1']", "9:5: sections.0.picture", "1 coordinate"),
        ("round", "$x", "7:5: sections.0.answer", "odd number of $"),
        ("A bowl", "A $x$", "4:5: sections.0.heading", "must be words"),
        ("Bowls", "$x$", "2:1: title", "must be words"),
        ("title: Bowls", "summary: '{{steps}} steps'", "2:1: summary", "must be words"),
        ("round", "$$x$$", "7:5: sections.0.answer", "single dollar signs"),
        ("round", "{steps}", "7:5: sections.0.answer", "'{steps}' in words: a number stands betw"),
        ("round", r"\\eta", "7:5: sections.0.answer", r"has \eta in words: formulas stand betw"),
        ("round", r"\\(x\\)", "7:5: sections.0.answer", r"has \( in words: formulas stand"),
        ("round", r"$\theta$", "7:5: sections.0.answer", "YAML reads \\n, \\t and \\b so"),
        ("round", r"$\nabla f$", "7:5: sections.0.answer", "YAML reads \\n, \\t and \\b so"),
        ("round", r"$\beta$", "7:5: sections.0.answer", "YAML reads \\n, \\t and \\b so"),
        ("loss(sgd) <", "{{loss(sgd)}} <", "8:14: sections.0.claims.0", "without braces"),
        ("loss(sgd) <", "loss(sgd) =", "8:14: sections.0.claims.0", "are compared by =="),
    ],
)
def test_a_fault_is_told_with_its_line_and_what_was_meant(
    old: str, new: str, where: str, said: str, invoke: Invoke, here: Path
) -> None:
    path = written(here, old, new)
    result = invoke("lesson", path, "-o", "x.html")
    assert result.exit_code == 2
    lines = result.stderr.removeprefix("optiviz: ").splitlines()
    (told,) = [line for line in lines if not line.endswith("required, but missing")]
    assert told.startswith(f"{path}:{where}: ")
    assert said in told
    assert [each.name for each in here.iterdir()] == ["bowls.yaml"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nope"], "unknown lesson 'nope': optiviz lesson shows all"),
        (["bowls.yaml", "--only", "9" * 5000], "--only: must be numbers of sections such as"),
        (["x" * 5000], "unknown lesson"),
        (["a\0b"], "unknown lesson"),
        (["--only", "1"], "NAME: required, but missing: optiviz lesson lists all lessons"),
        (["momentum.yaml"], "momentum.yaml: no such file: the shipped lesson is momentum"),
        (["bowls.yaml", "--only", "2"], "--only: there is no section 2: bowls has 1 section"),
        (["bowls.yaml", "--only", "0"], "--only: there is no section 0: bowls has 1 section"),
        (["bowls.yaml", "--only", "a"], "--only: must be numbers of sections such as 2 or 1,3"),
        (["bowls.yaml", "--lang", "fr"], "unknown language 'fr': choose from en"),
        (["bowls.yaml", "--lang", "../x"], "'../x' is no language"),
        (["bowls.yaml", "-o", "bowls.yaml"], "bowls.yaml is an input file"),
        (["bowls.yaml", "--yaml", "--only", "1"], "--yaml prints the file of a lesson as it is"),
        (["bowls.yaml", "-o", "x.csv"], "optiviz lesson cannot write .csv files"),
        (["run.json"], "run.json: kind: run is no lesson"),
        (["."], ".: not a file"),
    ],
)
def test_what_is_no_lesson_is_told(words: list[str], said: str, invoke: Invoke, here: Path) -> None:
    written(here)
    if "run.json" in words:
        optiviz.render(optiviz.Recipe(surface="bowl", optimizers="sgd", steps=2), "run.json")
    before = sorted(here.iterdir())
    result = invoke("lesson", *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert sorted(here.iterdir()) == before


def test_the_file_of_a_lesson_can_be_copied(invoke: Invoke, here: Path) -> None:
    said = invoke("lesson", "momentum", "--yaml").stdout
    (here / "mine.yaml").write_text(said, "utf-8")
    mine, shipped = optiviz.load_lesson("mine.yaml"), optiviz.load_lesson("momentum")
    assert mine == shipped.model_copy(update={"name": "mine"})


def test_a_fault_of_a_chosen_section_is_told_where_it_stands(invoke: Invoke, here: Path) -> None:
    first, second = LESSON[: LESSON.index("  -")], LESSON[LESSON.index("  -") :]
    (here / "two.yaml").write_text(first + second + second.replace("loss(sgd)}}", "lss()}}"))
    assert "two.yaml:11:5: sections.1.text" in invoke("lesson", "two.yaml", "--only", "2").stderr
    assert invoke("lesson", "two.yaml", "--only", "1", "-o", "x.ipynb").exit_code == 0


@pytest.mark.parametrize("name", ["my_bowls.yaml", "My Böwls.yaml"])
def test_a_lesson_is_called_as_its_file(name: str, here: Path) -> None:
    assert optiviz.load_lesson(str(written(here, name=name))).name == "my-bowls"


def test_a_lesson_goes_to_a_recipe_and_back(here: Path) -> None:
    lesson = optiviz.load_lesson(str(written(here)))
    assert lesson.name == "bowls"
    assert LessonRecipe(**to_dict(lesson)) == lesson
    assert hash(LessonRecipe(**to_dict(lesson))) == hash(lesson)
    picture = lesson.sections[0].picture
    assert not {"theme", "size", "title"} & to_dict(lesson)["sections"][0]["picture"].keys()
    (drawn,) = lesson.model_copy(update={"theme": "dark"}).pictures
    assert (drawn.theme, drawn.title) == ("dark", "A bowl")
    assert picture.theme == "light"


def test_numbers_in_texts_are_those_of_the_picture(here: Path) -> None:
    lesson = optiviz.load_lesson(str(written(here, "It is round.", "$10 \\\\cdot {{steps}}$")))
    (passage,) = lesson.make_scene().passages
    path = optiviz.descend("bowl", "sgd:lr=0.1", steps=5)
    assert passage.text == f"It ends at {path.losses[-1]:.2g}."
    assert passage.answer == "$10 \\cdot 5$"


def test_texts_of_another_language_are_one_file_more(invoke: Invoke, here: Path) -> None:
    path = written(here)
    (here / "bowls.de.yaml").write_text(GERMAN, "utf-8")
    assert "--lang de" in invoke("lesson", "bowls.de.yaml", "-o", "x.html").stderr
    lesson = optiviz.load_lesson(str(path), "de")
    assert (lesson.title, lesson.lang) == ("Schüsseln", "de")
    assert lesson.sections[0].question == "Warum?"
    assert lesson.sections[0].picture == optiviz.load_lesson(str(path)).sections[0].picture
    said = invoke("lesson", "bowls.yaml", "--lang", "fr").stderr
    assert "choose from de, en" in said
    wrong = {
        "heading": "3:5: sections.0.heading: required",
        "sgd": r"4:5: sections.0.text: unknown path 'sgdx'",
        "title": "1:1: titlex: unknown key 'titlex': did you mean 'title'",
    }
    for word, place in wrong.items():
        (here / "bowls.de.yaml").write_text(GERMAN.replace(word, f"{word}x", 1), "utf-8")
        said = invoke("lesson", "bowls.yaml", "--lang", "de", "-o", "x.html").stderr
        assert re.search(rf"bowls.de.yaml:{place}", said), said
    (here / "bowls.de.yaml").write_text(GERMAN + GERMAN[GERMAN.index("  -") :], "utf-8")
    said = invoke("lesson", "bowls.yaml", "--lang", "de").stderr
    assert "bowls.de.yaml:2:1: sections: must be as many as those of bowls.yaml" in said


def test_a_batch_names_lessons(invoke: Invoke, here: Path) -> None:
    written(here)
    (here / "batch.yaml").write_text(
        "jobs:\n  - {kind: lesson, lesson: bowls.yaml, theme: dark, out: x.ipynb}\n"
    )
    assert invoke("batch", "batch.yaml").exit_code == 0
    made = optiviz.load_recipe("x.ipynb")
    lesson = optiviz.load_lesson("bowls.yaml")
    assert made == lesson.model_copy(update={"theme": "dark"})
    (here / "batch.yaml").write_text("jobs: [{kind: lesson, lesson: bwls, out: x.html}]\n")
    assert (
        "batch.yaml:1:23: jobs.0.lesson: unknown lesson 'bwls'"
        in invoke("batch", "batch.yaml").stderr
    )


def test_a_false_claim_is_told_with_its_line_wherever_it_is_read(
    invoke: Invoke, here: Path
) -> None:
    written(here, "loss(sgd) <", "loss(sgd) >")
    (here / "batch.yaml").write_text("jobs: [{kind: lesson, lesson: bowls.yaml, out: x.html}]\n")
    where = "bowls.yaml:8:14: sections.0.claims.0: loss(sgd) > loss(sgd, 0) does not hold"
    assert f"failed x: {where}" in invoke("batch", "batch.yaml", "--jobs", "1").stderr
    assert f"optiviz: {where}" in invoke("run", "--recipe", "bowls.yaml", "-o", "x.html").stderr
    assert not (here / "x.html").exists()


def test_code_of_others_runs_only_if_it_is_allowed(invoke: Invoke, here: Path) -> None:
    (here / "mine.py").write_text("raise SystemExit('it ran')\n")
    written(here, "surface: bowl", "surface: mine.py:f")
    assert "it ran" not in invoke("lesson", "bowls.yaml").output
    (here / "batch.yaml").write_text("jobs: [{kind: lesson, lesson: bowls.yaml, out: x.html}]\n")
    said = invoke("batch", "batch.yaml").stderr
    assert "bowls.yaml:9:15" in said
    assert "--allow-plugins" in said
