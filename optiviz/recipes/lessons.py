"""Lessons by name: the YAML files that are shipped, and their texts in other languages.

A lesson is one file, lessons/NAME.yaml, with its pictures and its English texts. Its texts in
another language are one more, NAME.LANG.yaml, with as many sections and without pictures.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from optiviz.kinds.lesson import LessonTexts, SectionTexts, language
from optiviz.recipes.lesson_files import lesson_folder, lesson_names
from optiviz.recipes.provenance import RecipeSource, read_source
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
    path = lesson_file(name)
    source = read_source(path)
    fields = {"kind": "lesson", **source.fields}
    if fields["kind"] != "lesson":
        raise InputError(f"{source.locate(['kind'])}: {shorten(fields['kind'])} is no lesson")
    fields.setdefault("name", _name_of(path))
    source = source._replace(fields=fields)
    own = fields.get("lang", LANG)
    if lang is None or language(lang) == own:
        return source
    if path.suffix.lower() in FORMATS:
        raise InputError(f"{path}: its texts are in {own}: name the lesson for another language")
    return _translated(source, path, own, lang)


def lesson_file(name: str) -> Path:
    """Return the file of a lesson, by its name or path; raise InputError if there is none."""
    names, path = lesson_names(), Path(name)
    if name in names:
        return lesson_folder() / f"{name}.yaml"
    if name.isprintable() and not re.fullmatch("[a-z0-9-]+", name):
        return path
    with suppress(OSError, ValueError):  # of a name that no file can have
        if path.is_file():
            return path
    raise InputError(did_you_mean("lesson", name[:60], names, "optiviz lesson"))


def _name_of(path: Path) -> str:
    """Return the name of a lesson: that of its file, in plain lower-case letters and hyphens."""
    plain = unicodedata.normalize("NFKD", path.name.partition(".")[0]).encode("ascii", "ignore")
    return "-".join(re.findall("[a-z0-9]+", plain.decode().lower())) or "lesson"


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
