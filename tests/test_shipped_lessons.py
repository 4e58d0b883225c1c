"""Laws that every shipped lesson keeps, and the figures that courses draw."""

import ast
import json
import math
import re
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

import optiviz
from optiviz.kinds.facts import DIGITS, FUNCTIONS, PARTS, QUOTED
from optiviz.kinds.lesson import PROSE, LessonRecipe, Passage
from optiviz.recipes.shipped_files import LESSONS
from optiviz.rendering.lesson import is_live
from optiviz.surfaces.syntax import parse_text
from optiviz.system.yaml import Document

NAMES = LESSONS.names()
# Each figure that courses draw: a lesson, a section, and what its picture must hold.
FIGURES = {
    "zigzag on a ravine": ("conditioning", "Down is not ahead", "sgd"),
    "rates too small, right, too large": ("learning-rates", "The slope times the rate", "sgd"),
    "a loss curve per rate": ("learning-rates", "What the losses tell", "vary", "loss"),
    "the long valley": ("saddles", "Small slopes in a long valley", "momentum", "rmsprop"),
    "the saddle": ("saddles", "A saddle holds descent up", "x**2/2 - y**2/2", "sgd"),
    "momentum against descent": ("momentum", "A heavy ball", "sgd", "momentum"),
    "the plane of rate and momentum": ("momentum", "The plane of rate and momentum", "factor"),
    "Newton in one dimension": ("newton", "A parabola at a time", "newton", "curve"),
    "Newton in x and in Ax": ("newton", "In x and in Ax", "newton"),
    "noise of batches": ("batches", "One sample, four, all", "batch_size"),
    "decay": ("schedules", "A rate that falls", "@cosine"),
    "starts and minima": ("starts-and-minima", "The start decides", "starts"),
    "backtracking": ("line-search", "Try, then shorten", "backtracking+"),
    "Wolfe's conditions": ("line-search", "Not too short, either", "wolfe+"),
    "the trust region": ("newton", "A circle of trust", "trust-region"),
    "conjugate gradients": (
        "conjugate-gradients", "Two variables, two steps", "exact+sgd", "conjugate-gradient",
    ),
    "moves of the simplex": ("without-gradients", "A triangle feels its way", "nelder-mead"),
    "coordinate descent": ("without-gradients", "Stairs in a turned valley", "coordinate-descent"),
    "projection": ("constraints", "Step, then back", "projected-gradient"),
    "Frank-Wolfe": ("constraints", "Only towards corners", "frank-wolfe"),
    "l1 diamond and l2 disc": ("sparsity", "A diamond has corners", "abs(x)**p", "[1, 2]"),
    "the central path": ("constraints", "The central path", "log-barrier"),
    "sharpness against 2/lr": ("sharpness", "A valley that narrows", "sharpness"),
    "the ball of a norm": ("norms", "The steepest step in a disc", "ball"),
}  # fmt: skip
NAMED = re.compile(r"\bl[12]\b|\b(1[6-9]|20)\d\d\b")  # what may hold digits: l1, l2 and years


def _param(name: str) -> Any:
    """Mark lessons that take seconds as slow."""
    long = "conditioning", "conjugate", "sharpness", "starts", "without"
    return pytest.param(name, marks=[pytest.mark.slow] if name.startswith(long) else [])


@cache
def document(name: str) -> dict[str, Any]:
    """Return a lesson as its file has it."""
    found = Document.read(LESSONS.folder / f"{name}.yaml").value
    assert isinstance(found, dict)
    return found


@cache
def lesson(name: str) -> LessonRecipe:
    return optiviz.load_lesson(name)


def words(text: str) -> int:
    """Count words; a formula, a number and a name of code are one each."""
    return len(PARTS.sub("x", QUOTED.sub("x", text)).split())


def test_there_are_lessons_and_each_says_what_it_teaches() -> None:
    assert len(NAMES) >= 14
    for name in NAMES:
        assert 20 < len(LESSONS.summary(name)) < 110, name
        assert document(name)["title"]


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_is_short_and_types_no_number(name: str) -> None:
    sections = document(name)["sections"]
    assert 3 <= len(sections) <= 6
    headings = [each["heading"] for each in sections]
    assert len({*headings}) == len(headings)
    for each in sections:
        assert len(each["heading"].split()) <= 6, each["heading"]
        assert words(each["text"]) <= 90, each["heading"]
        assert words(each["answer"]) <= 60, each["heading"]
        assert "?" in each["question"], each["heading"]
        for text in [each["heading"], *(each[key] for key in PROSE)]:
            said = PARTS.sub("", QUOTED.sub("", text))
            assert not re.search(r"\d", NAMED.sub("", said)), said


@pytest.mark.parametrize("name", NAMES)
def test_each_section_claims_something_and_names_its_sources(name: str) -> None:
    for each in document(name)["sections"]:
        assert each.get("claims"), each["heading"]
        assert each.get("sources"), each["heading"]
        for source in each["sources"]:
            assert re.search(r"\b(1[6-9]|20)\d\d\b", source), source
            assert "http:" not in source
            assert "](" not in source


@pytest.mark.parametrize("name", NAMES)
def test_what_a_text_computes_depends_on_its_picture_or_is_claimed(name: str) -> None:
    for each in document(name)["sections"]:
        claims = "".join("".join(each["claims"]).split())
        for inside in QUOTED.findall("".join(each[key] for key in PROSE)):
            expression = (inside.rpartition(":")[0] or inside).strip()
            names = {node.id for node in ast.walk(parse_text(expression)) if type(node) is ast.Name}
            assert names - {*FUNCTIONS} or "".join(expression.split()) in claims, expression


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_that_courses_draw_has_its_section(figure: str) -> None:
    name, heading, *held = FIGURES[figure]
    (section,) = [each for each in document(name)["sections"] if each["heading"] == heading]
    picture = json.dumps(section["picture"])
    assert all(each in picture for each in held)


def until(values: dict[int, Any], step: float) -> Any:
    """Return the value of the last step that is no later than this."""
    return values[max(each for each in values if each <= step)]


class Told:
    """What the JSON file of a run tells, in plain Python: the functions that texts call most."""

    def __init__(self, scene: Any) -> None:
        paths = json.loads(json.dumps(scene.to_dict()))["trajectories"]
        self.paths: dict[str, list[dict[str, Any]]] = {}
        for each in paths:
            self.paths.setdefault(each["label"], []).append(each)
        self.steps = max((len(each["loss"]) - 1 for each in paths), default=0)

    def functions(self) -> dict[str, Callable[..., float]]:
        own = self.loss, self.coordinate, self.steps_to, self.turns, self.highest, self.lowest
        return {each.__name__: each for each in (*own, self.setting)}

    def _path(self, path: str, start: int) -> dict[str, Any]:
        return self.paths[path][start - 1]

    def _losses(self, path: str, start: int) -> dict[int, float]:
        losses = self._path(path, start)["loss"]
        return {step: each for step, each in enumerate(losses) if each is not None}

    def _points(self, path: str, start: int) -> dict[int, list[float]]:
        found = self._path(path, start)
        steps = found.get("path_steps", range(len(found["path"])))
        rows = zip(steps, found["path"], strict=True)
        return {step: each for step, each in rows if None not in each}

    def loss(self, path: str, step: float = math.inf, start: int = 1) -> float:
        return until(self._losses(path, start), step)

    def coordinate(self, path: str, number: int, step: float = math.inf, start: int = 1) -> float:
        return until(self._points(path, start), step)[number - 1]

    def steps_to(self, path: str, loss: float, start: int = 1) -> int:
        return min(step for step, each in self._losses(path, start).items() if each <= loss)

    def turns(self, path: str, number: int, start: int = 1) -> int:
        line = [each[number - 1] for each in self._points(path, start).values()]
        least = 1e-9 * (max(line) - min(line))
        moves = [after - before for before, after in pairwise(line)]
        signs = [each > 0 for each in moves if abs(each) > least]
        return sum(before != after for before, after in pairwise(signs))

    def highest(self, path: str, start: int = 1) -> float:
        return max(self._losses(path, start).values())

    def lowest(self, path: str, start: int = 1) -> float:
        return min(self._losses(path, start).values())

    def setting(self, path: str, name: str) -> float:
        return float(self._path(path, 1)["hyperparameters"][name])


class Labels(dict[str, Any]):
    """Names, of which those that stand for nothing are labels."""

    def __missing__(self, name: str) -> str:
        return name


def numbers(raw: str, finished: str) -> list[tuple[str, int, float]]:
    """Return each expression of a text, how many digits it has, and the number in its place."""
    plain = re.split(r"\{\{.*?\}\}", raw)
    found = re.fullmatch("(.*?)".join(map(re.escape, plain)), finished, re.S)
    assert found, finished
    numbers = []
    for inside, said in zip(QUOTED.findall(raw), found.groups(), strict=True):
        expression, colon, digits = inside.rpartition(":")
        said = said.replace("\N{MINUS SIGN}", "-").replace(" \\times 10^{", "e").replace("}", "")
        said = re.sub(
            " × 10([⁻⁰-⁹¹²³]+)",
            lambda power: "e" + power[1].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")),
            said,
        )
        numbers.append((expression or inside, int(digits) if colon else DIGITS, float(said)))
    return numbers


PLAIN = {name: getattr(math, name) for name in ("sqrt", "exp", "log", "log10", "sin", "cos", "pi")}
PLAIN |= {"abs": abs, "min": min, "max": max, "round": round}


def check_numbers(section: Any, passage: Passage) -> int:
    """Check the numbers in finished texts that the JSON of the picture tells; count them."""
    scene: Any = passage.scene
    if "trajectories" not in scene.to_dict():
        return 0
    told, checked = Told(scene), 0
    known = {**PLAIN, **dict(scene.surface.params), "steps": told.steps, **told.functions()}
    for key in PROSE:
        raw = getattr(section, key)
        for expression, digits, said in numbers(raw, getattr(passage, key)):
            if {*re.findall(r"([a-z_]\w*)\(", expression)} <= {*known}:
                value = eval(expression.strip(), {"__builtins__": {}}, Labels(known))
                assert said == value or said == float(f"{value:.{digits}g}"), expression
                checked += 1
    return checked


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", list(map(_param, NAMES)))
def test_what_a_lesson_says_is_what_its_pictures_tell(name: str) -> None:
    found = lesson(name)
    assert sum(map(is_live, found.pictures)) >= 2
    passages = found.make_scene().passages  # which checks all claims
    for section, passage in zip(found.sections, passages, strict=True):
        check_numbers(section, passage)
        assert "{{" not in passage.text + passage.question + passage.answer
