"""YAML -> jobs: many recipes, each with the paths of its pictures.

A document has `defaults:`, which apply to all jobs, and `jobs:`. One entry can stand for many
jobs: its `matrix:` has lists of values, and placeholders such as `{surface}` in `out:` give each
job its own files.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from optiviz.kinds import load_kind
from optiviz.kinds.base import BaseRecipe, to_dict
from optiviz.optimizers.spec import format_value
from optiviz.recipes import Fields, Keys
from optiviz.recipes.entries import EntryFields, EntryReader, origins_of
from optiviz.recipes.lessons import with_lesson
from optiviz.recipes.provenance import RecipeSource
from optiviz.recipes.reading import (
    allowed_keys,
    check_trusted,
    input_files,
    merge_fields,
    read_recipe,
)
from optiviz.registry import KINDS, format_of
from optiviz.system.errors import REQUIRED, InputError, did_you_mean
from optiviz.system.files import real_path
from optiviz.system.text import key_path, shorten
from optiviz.system.validation import KeyLocator
from optiviz.system.yaml import Document

MAX_JOBS = 10_000
MAX_NAME = 100  # characters of a value in a file name
# Keys of a job beside the fields of its recipe.
JOB_FIELDS = {
    "name": "the name of the job; by default that of its first file",
    "out": "the path or paths to write; {surface} stands for the value of that field",
    "matrix": "lists of values for other fields: every combination of them is a job",
}


class Job(NamedTuple):
    """A recipe, the paths of its pictures, and where each of its fields is written."""

    recipe: BaseRecipe
    paths: tuple[Path, ...]
    name: str
    locate: KeyLocator = key_path


def read_jobs(document: Document, plugins: bool = False) -> list[Job]:
    """Return the jobs of a document; `plugins` allows it to name third-party code.

    Raises InputError with all faults of the document, each with its line and column.
    """
    reader = BatchReader(document, plugins)
    jobs = [job for job_fields in reader.job_fields() if (job := reader.job(job_fields))]
    reader.check_outputs()
    if reader.faults:
        raise InputError("\n".join(dict.fromkeys(reader.faults)))
    return jobs


class BatchReader(EntryReader):
    """Reads a document and collects all of its faults."""

    def __init__(self, document: Document, plugins: bool) -> None:
        self.document = document
        self.plugins = plugins
        self.faults: list[str] = []
        self._outputs: dict[Path, list[tuple[Keys, str]]] = {}  # the keys and text that name each
        self._sources = {real_path(Path(document.name))}  # all files that are read

    def job_fields(self) -> Iterator[EntryFields]:
        """Yield the fields of every job."""
        top = self.document.value
        if not isinstance(top, dict):
            self.wrong((), "a batch must be a mapping with jobs: and, optionally, defaults:")
            return
        self.check_keys((), top, ["defaults", "jobs"])
        fields = {key for kind in KINDS for key in allowed_keys(load_kind(kind))}
        defaults = self.mapping(("defaults",), top.get("defaults") or {})
        self.check_keys(("defaults",), defaults, [*fields, "name", "out"])
        for at, own, choice in self.each_entry("jobs", top.get("jobs"), fields, MAX_JOBS):
            yield self._combine(at, defaults, own, choice)

    def _combine(
        self, at: Keys, defaults: Fields, own: Fields, choice: dict[str, tuple[int, Any]]
    ) -> EntryFields:
        """Return the fields of a job: its own over the defaults, with one choice of its matrix."""
        origins: dict[str, Keys] = {key: ("defaults", key) for key in defaults}
        origins |= origins_of(at, own, choice)
        given = merge_fields(own, {key: value for key, (_, value) in choice.items()})
        kind = given.get("kind", defaults.get("kind", "run"))
        if not isinstance(kind, str) or kind not in KINDS:
            return EntryFields(given, origins, at)
        known = [*allowed_keys(load_kind(kind)), *JOB_FIELDS]
        self.check_keys(at, given, known)
        fields = merge_fields(defaults, given)
        fitting = {key: value for key, value in fields.items() if key in known}
        return EntryFields(fitting, origins, at)

    def job(self, job_fields: EntryFields) -> Job | None:
        """Return the job of its fields, None if anything is wrong with it."""
        before = len(self.faults)
        fields = dict(job_fields.fields)
        name, outs = (fields.pop(key, None) for key in ("name", "out"))
        recipe, locate = self._recipe(job_fields, fields)
        values = None if recipe is None else to_dict(recipe) | fields
        if name is not None:
            name = self._fill(job_fields.keys(("name",)), name, values)
            values = values and values | {"name": name}
        outputs = self._outs(job_fields, outs)
        filled = [(keys, self._fill(keys, out, values)) for keys, out in outputs]
        sound = recipe if len(self.faults) == before else None
        paths = [self._path(keys, text, sound) for keys, text in filled]
        if recipe is None or len(self.faults) > before:
            return None
        try:
            recipe.check_kinds([format_of(path).kind for path in paths])
        except InputError as error:
            self.wrong(job_fields.keys(("out",)), str(error))
            return None
        return Job(recipe, tuple(paths), name or paths[0].stem, locate)

    def _recipe(
        self, job_fields: EntryFields, fields: Fields
    ) -> tuple[BaseRecipe | None, KeyLocator]:
        """Return the recipe of a job's fields, and where each of them is written.

        The recipe is None if it is wrong, with its faults collected.
        """

        def locate(keys: Sequence[Any]) -> str:
            return self.document.locate(job_fields.keys(keys))

        try:
            source = with_lesson(RecipeSource(fields, locate, {}))
            if not self.plugins:
                check_trusted(source.fields, source.locate)
            recipe = read_recipe(source.fields, source.locate)
        except InputError as error:
            self.faults += str(error).splitlines()
            return None, locate
        self._sources |= {real_path(each) for each in input_files(source.fields)}
        return recipe, source.locate

    def _outs(self, job_fields: EntryFields, outs: Any) -> list[tuple[Keys, Any]]:
        keys = job_fields.keys(("out",))
        if isinstance(outs, list) and outs:
            return [((*keys, place), out) for place, out in enumerate(outs)]
        if outs is None or outs == []:
            self.wrong(keys, f"{REQUIRED}: name a file to write")
            return []
        return [(keys, outs)]

    def _path(self, keys: Keys, text: str, recipe: BaseRecipe | None) -> Path:
        """Return the path of an output, and remember which keys name it."""
        path = Path(text)
        with suppress(RuntimeError):  # ~name of no user is a plain name
            path = path.expanduser()
        try:
            format_of(path) if recipe is None else recipe.output_format(path)
        except InputError as error:
            self.wrong(keys, str(error))
        else:
            if recipe is not None:
                self._outputs.setdefault(real_path(path), []).append((keys, text))
        return path

    def _fill(self, keys: Keys, text: Any, values: Fields | None) -> str:
        """Return a text with its placeholders filled in, with "-" if values is None."""
        if not isinstance(text, str) or not text.isprintable():
            self.wrong(keys, f"must be plain text, not {shorten(text, quoted=True)}")
            return ""
        template = OutputTemplate(text)
        if values is None:
            return template.fill({})
        for said in template.faults(values):
            self.wrong(keys, said)
        return template.fill(values)

    def check_outputs(self) -> None:
        """Find the outputs that would be written more than once, or would overwrite inputs."""
        for place, writers in self._outputs.items():
            (first, _), (last, text) = writers[0], writers[-1]
            if place in self._sources:
                self.wrong(last, f"{text} is an input file: write to another file")
            elif first != last:
                self.wrong(last, f"{text} is also written by {key_path(first)}")
            elif len(writers) > 1:
                self.wrong(
                    last,
                    f"{text} would be written {len(writers)} times: add {{surface}} "
                    "or another field that differs",
                )

    def wrong(self, keys: Keys, said: str) -> None:
        """Collect a fault, with its line."""
        self.faults.append(f"{self.document.locate(keys)}: {said}")


class OutputTemplate:
    """The name of an output, with placeholders such as {surface} for the values of a job."""

    PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

    def __init__(self, text: str) -> None:
        self.text = text

    def faults(self, values: Fields) -> Iterator[str]:
        """Yield a message for each wrong placeholder, in order."""
        fields = [*load_kind(values["kind"]).model_fields, "name"]
        for key in self.PLACEHOLDER.findall(self.text):
            if key in fields and values.get(key) is None:
                yield f"{{{key}}} has no value in this job"
            elif key not in values:
                yield did_you_mean("placeholder", key, values)
            elif not _slug(values[key]):
                yield f"{{{key}}} has no characters that are allowed in a file name"

    def fill(self, values: Fields) -> str:
        """Return the name with the values filled in, "-" for missing or unusable ones."""
        return self.PLACEHOLDER.sub(lambda found: self._value(values.get(found[1])), self.text)

    @staticmethod
    def _value(value: Any) -> str:
        return "-" if value is None else _slug(value) or "-"


def _slug(value: Any) -> str:
    """Return a value as text that can be part of a file name, and never names a folder."""
    if isinstance(value, dict):
        value = value.get("name") or value.get("formula", "")
    if isinstance(value, list | tuple):
        return "-".join(_slug(each) for each in value)
    if isinstance(value, bool | int | float):
        return format_value(value)
    text = str(value)
    return re.sub(r"[^\w.+-]+", "-", text[:MAX_NAME]).strip("-.")
