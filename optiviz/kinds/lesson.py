"""`lesson`: pictures of any kind, each with a paragraph, a question and its answer.

What a text says of numbers is computed when the lesson is made, and what it claims is checked.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
)

from optiviz.kinds import load_kind
from optiviz.kinds.base import SHARED, BaseRecipe, Card, Clip, Scene, Timeline, to_dict
from optiviz.kinds.facts import QUOTED, as_claim, as_quoting, check_claim, filled, formulas
from optiviz.kinds.mathml import mathml
from optiviz.optimizers.spec import OptimizerSpec
from optiviz.registry import KINDS, QUALITIES
from optiviz.surfaces.domain import Kebab, Text
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import FieldError, InputError, did_you_mean
from optiviz.system.progress import TaskProgress
from optiviz.system.text import counted, shorten
from optiviz.system.validation import Model

MAX_SECTIONS, MAX_LETTERS = 30, 4000
READ = 2.0  # seconds that a picture of a film takes at least to be read, before it is held
SLOWEST = 12.0  # frames per second of a film, at least
PROSE = "text", "question", "answer"
PICTURES = [kind for kind in KINDS if kind != "lesson"]


def _picture(value: Any, info: ValidationInfo) -> BaseRecipe:
    """Return the recipe of a picture, with the defaults of what the lesson decides."""
    if isinstance(value, BaseRecipe):
        value = {name: getattr(value, name) for name in value.model_fields_set}
    if not isinstance(value, Mapping):
        raise ValueError("must be a recipe: map fields to values")
    kind = value.get("kind", "run")
    if kind not in PICTURES:
        raise ValueError(did_you_mean("kind", str(kind), PICTURES))
    if given := [key for key in SHARED if key in value]:
        raise ValueError(f"{given[0]} is that of the whole lesson: set it there")
    return load_kind(kind).model_validate(value, context=info.context)


def _written(picture: BaseRecipe) -> dict[str, Any]:
    return {key: value for key, value in to_dict(picture).items() if key not in SHARED}


def _as_prose(text: str) -> str:
    """Return a prose text; raise InputError if a number or a formula in it can be none."""
    for formula in formulas(as_quoting(text)):
        mathml(formula)
    return text


def _as_plain(text: str) -> str:
    """Return a text of words; raise InputError if it has a formula or a number to compute."""
    if QUOTED.search(text) or formulas(text):
        raise InputError("must be words: formulas and numbers stand in text, question and answer")
    return text


def _unescaped(value: Any) -> Any:
    """Return a value; raise InputError if it is text with a formula whose commands YAML read."""
    if isinstance(value, str) and any(re.search(r"[\a-\r\x1b]", each) for each in formulas(value)):
        said = r"YAML reads \n, \t and \b so between double quotes: use single ones, or >-"
        raise InputError(f"has a formula with the end of a line, a tab or the like in it: {said}")
    return value


def language(text: str) -> str:
    """Return a language; raise InputError unless it is written as in BCP 47, such as "en"."""
    if not re.fullmatch("[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", text):
        raise InputError(f"{shorten(text, quoted=True)} is no language: write, for example, en")
    return text


Language = Annotated[str, AfterValidator(language)]
Prose = Annotated[
    Text,
    Field(min_length=1, max_length=MAX_LETTERS),
    AfterValidator(_as_prose),
    BeforeValidator(_unescaped),
]
Plain = Annotated[Text, AfterValidator(_as_plain)]
Heading = Annotated[Plain, Field(min_length=1)]
Claim = Annotated[Text, AfterValidator(as_claim)]
Picture = Annotated[
    BaseRecipe,
    BeforeValidator(_picture),
    PlainSerializer(_written),
    WithJsonSchema({"type": "object"}),  # the whole schema names the kinds
]


class SectionTexts(Model):
    """What is said of a picture.

    text, question and answer are prose, with formulas of LaTeX between dollar signs, names of code
    between backticks and, in double braces, expressions of the picture's numbers, such as
    {{loss(adam)}}.
    """

    heading: Heading
    text: Prose
    question: Prose
    answer: Prose


class LessonTexts(Model):
    """What is said in a lesson."""

    title: Plain | None = None
    summary: Plain = ""
    sections: tuple[SectionTexts, ...]


class Section(SectionTexts):
    """One picture, and what is said of it.

    claims are comparisons of the picture's numbers that must be true, sources are what it is based
    on, and picture is a recipe of any other kind, without what the lesson decides.
    """

    claims: tuple[Claim, ...] = ()
    sources: tuple[Text, ...] = ()
    picture: Picture


class LessonRecipe(BaseRecipe):
    """Pictures with paragraphs: a page, a handout, a film or a notebook.

    name is what files are called, summary says in a line what is taught, and lang is the language
    of the texts, such as "en".
    """

    formats: ClassVar = ("page", "animation", ".pdf", "notebook")
    default_suffix: ClassVar = ".html"
    kind: Literal["lesson"] = "lesson"
    title: Plain | None = None
    name: Kebab = "lesson"
    summary: Plain = ""
    lang: Language = "en"
    sections: Annotated[tuple[Section, ...], Field(min_length=1, max_length=MAX_SECTIONS)]

    @property
    def pictures(self) -> tuple[BaseRecipe, ...]:
        """The recipe of each picture, with the theme and the size of the lesson."""
        shared = {"theme": self.theme, "size": self.size, "scale": self.scale}
        return tuple(
            each.picture.model_copy(update=shared | {"title": each.heading})
            for each in self.sections
        )

    @property
    def drawn_surfaces(self) -> tuple[str | Surface, ...]:
        return tuple(each for picture in self.pictures for each in picture.drawn_surfaces)

    @property
    def specs(self) -> tuple[OptimizerSpec, ...]:
        return tuple(spec for picture in self.pictures for spec in picture.specs)

    @property
    def named_specs(self) -> tuple[OptimizerSpec, ...]:
        return tuple(spec for picture in self.pictures for spec in picture.named_specs)

    @property
    def timeline(self) -> Timeline:
        """That of its film, which is as fast as the fastest picture, and counts frames as steps."""
        moving = [each.timeline for each in self.pictures if each.timeline is not None]
        fps = max([SLOWEST, *(each.fps for each in moving)])
        counts = [1 + len(_shown(each.timeline, fps)) for each in self.pictures]
        best = max((QUALITIES.index(each.quality) for each in moving), default=1)
        return Timeline(fps, range(sum(counts)), sum(counts) - 1, True, QUALITIES[best])

    def clips(self, scene: "LessonScene") -> tuple[Clip, ...]:
        """Return its pictures, each after a card, with frames repeated so that all keep time."""
        fps = self.timeline.fps
        return tuple(
            Clip(
                picture,
                passage.scene,
                _shown(picture.timeline, fps, passage.scene.steps),
                Card(str(number), passage.heading, scene.title),
            )
            for number, (picture, passage) in enumerate(
                zip(self.pictures, scene.passages, strict=True), start=1
            )
        )

    @property
    def file_stem(self) -> str:
        return self.name

    def only(self, numbers: Sequence[int]) -> Self:
        """Return the lesson of some of its sections, by their numbers, the first of which is 1."""
        for number in numbers:
            if not 1 <= number <= len(self.sections):
                many = counted(len(self.sections), "section")
                raise InputError(f"there is no section {number}: {self.name} has {many}")
        return self.model_copy(
            update={"sections": tuple(self.sections[number - 1] for number in numbers)}
        )

    def check(self) -> None:
        for number, picture in enumerate(self.pictures):
            with located("sections", number, "picture"):
                picture.check()

    def draft(self) -> Self:
        small = super().draft()
        drafts = (
            each.model_copy(update={"picture": each.picture.draft()}) for each in self.sections
        )
        return small.model_copy(update={"sections": tuple(drafts)})

    def hints(self, paths: Sequence[Any] = ()) -> tuple[str, ...]:
        return tuple(dict.fromkeys(hint for each in self.pictures for hint in each.hints(paths)))

    def make_scene(self, progress: TaskProgress | None = None) -> "LessonScene":
        self.check()
        passages = []
        for number, picture in enumerate(self.pictures):
            with located("sections", number, "picture"):
                scene = picture.make_scene(progress)
            passages.append(_passage(number, self.sections[number], scene))
        return LessonScene(title=self.title or self.name, passages=tuple(passages))


def _shown(timeline: Timeline | None, fps: float, last: int = 0) -> list[int]:
    """Return the step that each frame of a film shows of a picture, the last one until READ.

    last is the step that a still picture shows.
    """
    steps, speed = ([last], fps) if timeline is None else (timeline.steps, timeline.fps)
    count = max(round(len(steps) * fps / speed), round(READ * fps))
    return [steps[min(int(frame * speed / fps + 1e-9), len(steps) - 1)] for frame in range(count)]


@dataclass(frozen=True, eq=False)
class Passage:
    """A section whose picture is computed: what it says, with all numbers."""

    heading: str
    text: str
    question: str
    answer: str
    sources: tuple[str, ...]
    scene: Scene[Any]


@dataclass(frozen=True, eq=False, kw_only=True)
class LessonScene(Scene[Any]):
    """The passages of a lesson."""

    passages: tuple[Passage, ...]

    @property
    def description(self) -> str:
        return ", ".join(each.heading for each in self.passages)

    @property
    def remarks(self) -> tuple[str, ...]:
        return tuple(remark for each in self.passages for remark in each.scene.remarks)


def _passage(number: int, section: Section, scene: Scene[Any]) -> Passage:
    """Return a section with the numbers of its scene; raise FieldError if a claim is false."""
    facts = scene.facts
    for place, claim in enumerate(section.claims):
        with located("sections", number, "claims", place):
            check_claim(claim, facts)
    texts = {}
    for key in PROSE:
        with located("sections", number, key):
            texts[key] = filled(getattr(section, key), facts)
    return Passage(heading=section.heading, sources=section.sources, scene=scene, **texts)


@contextmanager
def located(*keys: str | int) -> Iterator[None]:
    """Raise what is wrong within it as a FieldError."""
    try:
        yield
    except InputError as error:
        raise FieldError(keys, str(error)) from None
