"""Lessons by name: the YAML files that are shipped, and their texts in other languages.

A lesson is one file, lessons/NAME.yaml, with its pictures and its English texts. Its texts in
another language are one more, NAME.LANG.yaml, with as many sections and without pictures.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from optiviz.kinds.lesson import LessonTexts, SectionTexts, language
from optiviz.recipes.provenance import RecipeSource, read_source
from optiviz.recipes.shipped_files import LESSONS, plain_name
from optiviz.registry import FORMATS
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.text import shorten
from optiviz.system.validation import validated
from optiviz.system.yaml import Document

LANG = "en"  # of the texts that are in the file of a lesson, unless it says another


def read_lesson(name: str, lang: str | None = None) -> RecipeSource:
    """Return the fields of a lesson: a shipped one, or that in a YAML or a finished file.

    With lang, its texts are those of this language, in a file beside it. Raises InputError if there
    is no such lesson, or none in this language.
    """
    path = LESSONS.file(name)
    source = read_source(path)
    fields = {"kind": "lesson", **source.fields}
    if fields["kind"] != "lesson":
        raise InputError(f"{source.locate(['kind'])}: {shorten(fields['kind'])} is no lesson")
    fields.setdefault("name", plain_name(path, "lesson"))
    source = source._replace(fields=fields)
    _check_whole(path, fields.get("sections"))
    own = fields.get("lang", LANG)
    if lang is None or language(lang) == own:
        return source
    if path.suffix.lower() in FORMATS:
        raise InputError(f"{path}: its texts are in {own}: name the lesson for another language")
    return _translated(source, path, own, lang)


def _check_whole(path: Path, sections: Any) -> None:
    """Raise InputError if a file has only the texts of a lesson, which is beside it."""
    base, _, lang = path.stem.rpartition(".")
    parts = sections if isinstance(sections, list) else []
    drawn = any(not isinstance(each, Mapping) or "picture" in each for each in parts)
    if not drawn and base and path.with_name(f"{base}.yaml").is_file():
        raise InputError(f"{path} has texts alone: optiviz lesson {base}.yaml --lang {lang}")


def with_lesson(source: RecipeSource) -> RecipeSource:
    """Return a recipe in which `lesson` stands for the fields of a lesson in a file.

    Its other fields take precedence. Raises InputError if there is no such lesson.
    """
    fields, locate = source.fields, source.locate
    if fields.get("kind") != "lesson" or "lesson" not in fields:
        return source
    given = {key: value for key, value in fields.items() if key not in ("lesson", "lang")}
    name, lang = fields["lesson"], fields.get("lang")
    try:
        if not isinstance(name, str):
            raise InputError(f"must be the name of a lesson, not {shorten(name, quoted=True)}")
        found = read_lesson(name, None if lang is None else str(lang))
    except InputError as error:
        raise InputError(f"{locate(['lesson'])}: {error}") from None

    def located(keys: Sequence[Any]) -> str:
        return (locate if keys and keys[0] in given else found.locate)(keys)

    return found._replace(fields={**found.fields, **given}, locate=located)


def _translated(source: RecipeSource, path: Path, own: str, lang: str) -> RecipeSource:
    """Return a lesson with the texts of another language."""
    place = path.with_name(f"{path.stem}.{lang}.yaml")
    if not place.is_file():
        known = [each.stem.partition(".")[2] for each in path.parent.glob(f"{path.stem}.*.yaml")]
        raise InputError(did_you_mean("language", lang, [own, *known]))
    document = Document.read(place)
    texts = validated(LessonTexts, document.value, document.locate).model_dump(exclude_unset=True)
    sections = source.fields.get("sections")
    if not isinstance(sections, list) or len(texts["sections"]) != len(sections):
        raise InputError(
            f"{document.locate(['sections'])}: must be as many as those of {path.name}"
        )
    merged = [
        {**section, **said} if isinstance(section, Mapping) else section
        for section, said in zip(sections, texts["sections"], strict=True)
    ]
    fields = {**source.fields, **texts, "sections": merged, "lang": lang}

    def locate(keys: Sequence[Any]) -> str:
        said = keys[2:3] if keys[:1] == ("sections",) else keys[:1]
        in_texts = {*LessonTexts.model_fields, *SectionTexts.model_fields} & {*said}
        return (document if in_texts else source).locate(keys)

    return source._replace(fields=fields, locate=locate)
