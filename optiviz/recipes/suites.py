"""Suites by name: the YAML files that are shipped, and a user's own.

An entry of `problems:` has the keys of a surface in a recipe, with `dim:`, `formula:`, `params:`
and the like, the conditions of its runs, and what counts as solved. One entry stands for many
problems by its `matrix:`, as in a batch, or by `tags:` of the catalogue.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from optiviz.kinds.suite import MAX_PROBLEMS, Suite, SuiteProblem, known_minimum
from optiviz.kinds.types import resolve_surface
from optiviz.recipes import Fields, Keys
from optiviz.recipes.entries import EntryFields, EntryReader, origins_of
from optiviz.recipes.reading import boolean_faults, check_trusted
from optiviz.recipes.shipped_files import SUITES, plain_name
from optiviz.recipes.surfaces import SURFACE_OPTIONS, read_surfaces
from optiviz.registry import OPTIMIZERS
from optiviz.surfaces.catalogue import load_catalogue
from optiviz.surfaces.domain import ValidationContext
from optiviz.surfaces.index import tagged
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.text import shorten
from optiviz.system.validation import Fault, checked
from optiviz.system.yaml import Document

OTHERS = "others"  # the group of a problem without one, whose surface has no tags
VARIED = (*SuiteProblem.model_fields, *SURFACE_OPTIONS)  # what a matrix may have
KEYS = (*VARIED, "tags", "matrix")  # of an entry


def read_suite(name: str, plugins: bool = False) -> Suite:
    """Return a shipped suite by its name, or that in a YAML file.

    `plugins` allows it to name third-party code. Raises InputError with every fault of the file,
    each with its line and column.
    """
    path = SUITES.file(name)
    document = Document.read(path)
    if not plugins:
        check_trusted({"suite": document.value}, lambda at: document.locate(at[1:]))
    found = checked_suite(document.value, plain_name(path, "suite"))
    if isinstance(found, list):
        raise InputError("\n".join(dict.fromkeys(each.format(document.locate) for each in found)))
    return found


def checked_suite(fields: Any, name: str = "suite") -> Suite | list[Fault]:
    """Return the suite of fields, called `name` unless they say, or all that is wrong with them."""
    if not isinstance(fields, Mapping):
        return [Fault((), "a suite must be a mapping with problems:")]
    reader = SuiteReader(fields.get("problems"))
    problems = reader.problems()
    rest = {key: value for key, value in fields.items() if key in Suite.model_fields}
    faults = [
        Fault((key,), did_you_mean("key", shorten(key), Suite.model_fields))
        for key in fields
        if key not in rest
    ]
    faults += boolean_faults(Suite, rest)
    suite = checked(Suite, {"name": name, **rest, "problems": problems or [EXAMPLE]})
    faults += suite if isinstance(suite, list) else []
    faults += reader.faults
    if faults or isinstance(suite, list):
        return faults
    return suite


EXAMPLE = SuiteProblem(name="example", group=OTHERS, surface="bowl")  # where all others are wrong


class SuiteReader(EntryReader):
    """Reads the problems of a suite and collects their faults."""

    def __init__(self, entries: Any) -> None:
        self.entries = entries
        self.faults: list[Fault] = []
        self._named: dict[str, Keys] = {}  # where the problem of each name is

    def wrong(self, keys: Keys, said: str) -> None:
        """Collect a fault."""
        self.faults.append(Fault(keys, said))

    def problems(self) -> list[SuiteProblem]:
        """Return the problems that are right."""
        listed = list(self.entries) if isinstance(self.entries, tuple) else self.entries
        found = []
        for at, own, choice in self.each_entry("problems", listed, VARIED, MAX_PROBLEMS):
            self.check_keys(at, own, KEYS)
            fields = own | {key: value for key, (_, value) in choice.items()}
            entry = EntryFields(fields, origins_of(at, own, choice), at)
            for each in self._tagged(entry) if "tags" in own else [entry]:
                if (problem := self._problem(each)) is not None:
                    found.append(problem)
        return found

    def _tagged(self, entry: EntryFields) -> Iterator[EntryFields]:
        """Yield an entry for each surface of the catalogue that has the tags of one.

        These have two variables and known minima.
        """
        fields = {key: value for key, value in entry.fields.items() if key != "tags"}
        tags = entry.fields["tags"]
        tags = [tags] if isinstance(tags, str) else tags
        if not (isinstance(tags, list) and tags and all(isinstance(tag, str) for tag in tags)):
            self.wrong(entry.keys(("tags",)), "must be a list of tags")
            return
        for key in ("surface", "formula", "residuals", "fit"):
            if key in fields:
                self.wrong(entry.keys((key,)), "cannot be combined with tags: give only one")
                return
        catalogue = load_catalogue()
        try:
            known = tagged(catalogue.entries, tags)
        except InputError as error:
            self.wrong(entry.keys(("tags",)), str(error))
            return
        origins = entry.origins | {"surface": entry.keys(("tags",))}
        for each in known:
            surface = catalogue[each.name]
            if surface.dim == 2 and surface.minima and not surface.has_many_variables:
                given: Fields = {"group": tags[0], **fields, "surface": each.name}
                yield EntryFields(given, origins, entry.at)

    def _problem(self, entry: EntryFields) -> SuiteProblem | None:
        """Return the problem of an entry, None if anything is wrong with it."""
        before = len(self.faults)
        drawn = {key: value for key, value in entry.fields.items() if key in SURFACE_OPTIONS}
        drawn |= {"kind": "score", "surface": entry.fields.get("surface")}
        rest = {key: each for key, each in entry.fields.items() if key in SuiteProblem.model_fields}
        faults = read_surfaces(drawn, "surface") + boolean_faults(SuiteProblem, rest)
        named: Fields = {"name": "example", "group": OTHERS}
        surface = "bowl" if faults else drawn["surface"]
        found = checked(
            SuiteProblem, named | rest | {"surface": surface}, ValidationContext(OPTIMIZERS)
        )
        faults += found if isinstance(found, list) else []
        for fault in faults:
            keys = None if fault.keys is None else entry.keys(fault.keys)
            self.faults.append(Fault(keys, fault.message))
        if isinstance(found, list) or len(self.faults) > before:
            return None
        told = {"name": default_name(found), "group": default_group(found)}
        problem = found.model_copy(
            update={key: each for key, each in told.items() if key not in rest}
        )
        return problem if self._is_sound(problem, entry) else None

    def _is_sound(self, problem: SuiteProblem, entry: EntryFields) -> bool:
        """Return whether a problem has a minimum and a name of its own, else collect the fault."""
        at = entry.keys(("surface",)) if "surface" in entry.origins else entry.at
        if problem.name in self._named:
            self.wrong(
                entry.keys(("name",)) if "name" in entry.origins else at,
                f"another problem is called {problem.name}, too: give each its own name",
            )
            return False
        self._named[problem.name] = entry.at
        try:
            known_minimum(problem)
        except ValueError as error:  # an InputError, or none is known
            self.wrong(at, str(error))
            return False
        return True


def default_name(problem: SuiteProblem) -> str:
    """Return the name of a problem unless it has one: its surface and the conditions of runs."""
    surface = resolve_surface(problem.surface)
    words = [surface.name or surface.origin.file_name]
    if surface.has_many_variables and not surface.name:
        words.append(f"{len(surface.variables)}d")
    if problem.noise:
        words.append("noise" if problem.noise_kind == "gaussian" else problem.noise_kind)
    if problem.batch_size is not None:
        words.append(f"batch-{problem.batch_size}")
    return plain_name(Path(re.sub(r"[^\w-]+", "-", "-".join(words))), "problem")


def default_group(problem: SuiteProblem) -> str:
    """Return the group of a problem unless it has one: the first tag of its surface."""
    surface: Surface = resolve_surface(problem.surface)
    return next(iter(surface.tags), OTHERS)
