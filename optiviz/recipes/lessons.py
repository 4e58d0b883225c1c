"""Lessons by name: the YAML files that are shipped, and their texts in other languages.

A lesson is one file, lessons/NAME.yaml, with its pictures and its English texts. Its texts in
another language are one more, NAME.LANG.yaml, with the keys of TRANSLATED alone, as many sections
as the lesson has, and no pictures.
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from optiviz.kinds.lesson import PROSE
from optiviz.recipes.provenance import RecipeSource, read_source
from optiviz.registry import FORMATS
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.yaml import Document, read_text

TRANSLATED = "title", "summary"  # keys of a lesson that a file of texts has beside its sections
LANG = "en"  # of the texts that are in the file of a lesson, unless it says another


def lesson_folder() -> Path:
    """Return the folder of the shipped lessons."""
    # In a wheel it is inside the package; in a clone, next to the package.
    package = Path(str(files("optiviz")))
    packed = package / "lessons"
    return packed if packed.exists() else package.parent / packed.name


def lesson_names() -> list[str]:
    """Return the names of the shipped lessons, in alphabetical order."""
    return sorted(each.stem for each in lesson_folder().glob("*.yaml") if "." not in each.stem)


def lesson_summary(name: str) -> str:
    """Return what a shipped lesson teaches, in a line, without parsing its YAML."""
    text = read_text(lesson_folder() / f"{name}.yaml")
    found = re.search(r"^summary: (.*)$", text, re.M)
    return "" if found is None else found[1].strip()


def read_lesson(name: str, lang: str | None = None) -> RecipeSource:
    """Return the fields of a lesson: a shipped one, or that in a YAML or a finished file.

    With lang, its texts are those of this language, in a file beside it. Raises InputError if there
    is no such lesson, or none in this language.
    """
    path = Path(name)
    shipped = lesson_folder() / f"{name}.yaml"
    is_name = re.fullmatch("[a-z0-9-]+", name) is not None
    if not is_name or not shipped.is_file():
        if is_name and not path.is_file():
            raise InputError(did_you_mean("lesson", name, lesson_names(), "optiviz lesson"))
        source = read_source(path)
    else:
        path, source = shipped, read_source(shipped)
    fields = {"kind": "lesson", **source.fields}
    if fields["kind"] != "lesson":
        raise InputError(f"{source.locate(['kind'])}: is {fields['kind']}, not a lesson")
    fields.setdefault("name", path.name.partition(".")[0])
    source = source._replace(fields=fields)
    if lang is None or lang == fields.get("lang", LANG):
        return source
    if path.suffix.lower() in FORMATS:
        raise InputError(f"{path}: its texts are in {fields.get('lang', LANG)}: --lang needs the "
                         "lesson itself")  # fmt: skip
    return _translated(source, path, lang)


def _translated(source: RecipeSource, path: Path, lang: str) -> RecipeSource:
    """Return a lesson with the texts of another language."""
    place = path.with_name(f"{path.stem}.{lang}.yaml")
    if not place.is_file():
        known = [each.stem.partition(".")[2] for each in path.parent.glob(f"{path.stem}.*.yaml")]
        raise InputError(f"--lang: {did_you_mean('language', lang, [LANG, *known])}")
    texts = Document.read(place)
    given = texts.value if isinstance(texts.value, Mapping) else {}
    sections, own = given.get("sections"), source.fields.get("sections")
    if not isinstance(sections, list) or not isinstance(own, list) or len(sections) != len(own):
        raise InputError(f"{texts.locate(['sections'])}: must be as many as those of {path.name}")
    words = {"heading", *PROSE}
    for at, each in enumerate(sections):
        for key in each if isinstance(each, Mapping) else ():
            if key not in words:
                raise InputError(f"{texts.locate(['sections', at, key])}: "
                                 f"{did_you_mean('key', str(key), words)}")  # fmt: skip
    keys = *TRANSLATED, "sections"
    for key in given:
        if key not in keys:
            raise InputError(f"{texts.locate([key])}: {did_you_mean('key', str(key), keys)}")
    merged: list[Any] = [
        {**section, **each} if isinstance(each, Mapping) and isinstance(section, Mapping) else each
        for section, each in zip(own, sections, strict=True)
    ]
    fields = {**source.fields, **given, "sections": merged, "lang": lang}

    def locate(keys: Any) -> str:
        theirs = keys and (keys[0] in TRANSLATED or (len(keys) > 2 and keys[2] in words))
        return texts.locate(keys) if theirs else source.locate(keys)

    return source._replace(fields=fields, locate=locate)
