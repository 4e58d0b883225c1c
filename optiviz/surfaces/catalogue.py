"""The catalogue of named surfaces: bundled ones, and those of a user's file on top."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from inspect import signature
from pathlib import Path
from typing import Any

from optiviz.surfaces import GROUP
from optiviz.surfaces.bundled import bundled_entry, catalogue_file
from optiviz.surfaces.domain import ValidationContext, variable_names
from optiviz.surfaces.index import SurfaceEntry, read_index, write_index
from optiviz.surfaces.models.problem import ModelProblem
from optiviz.surfaces.surface import Surface
from optiviz.surfaces.syntax import AXES
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.plugins import find_plugin, installed_plugins, is_import_path, load
from optiviz.system.text import key_path, shorten
from optiviz.system.validation import validated
from optiviz.system.yaml import Document


@dataclass
class Catalogue:
    """Surfaces by name, and names by alias."""

    surfaces: dict[str, Surface] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Surface:
        """Return the surface of a name or alias; raise InputError with the closest name."""
        core, dim = _sized(name)
        core = self.aliases.get(core, core)
        if core not in self.surfaces:
            raise _unknown(core, [*self.surfaces, *self.aliases])
        return _in_dimensions(self.surfaces[core], name, dim)

    @property
    def entries(self) -> list[SurfaceEntry]:
        """What a list says of each surface."""
        return [
            SurfaceEntry(each.name, each.title, each.dim, each.tags, each.aliases)
            for each in self.surfaces.values()
        ]

    def add(self, document: Document, context: ValidationContext | None = None) -> None:
        """Add the surfaces of a document, replacing those of the same name.

        Raises InputError with every fault of the document, each with its line.
        """
        entries = document.value
        if not isinstance(entries, dict):
            raise InputError(f"{document.name}: a catalogue must map names to surfaces")
        faults = []
        self.aliases = {
            alias: name
            for alias, name in self.aliases.items()
            if alias not in entries and name not in entries
        }
        for name, entry in entries.items():

            def locate(keys: Sequence[Any], name: Any = name) -> str:
                return document.locate([name, *keys])

            named = {**entry, "name": name} if isinstance(entry, dict) else entry
            if isinstance(entry, dict) and "name" in entry:
                faults.append(f"{locate(['name'])}: is not allowed: the entry's key is its name")
            elif not name:
                faults.append(f"{locate([])}: the surface has no name")
            code = {"function", "model"} & entry.keys() if isinstance(entry, dict) else ()
            for key in code:
                faults.append(
                    f"{locate([key])}: is not allowed in a catalogue: "
                    f"name the {key} where a surface is expected"
                )
            if code:
                continue
            entry_context = context and replace(context, axes=_number_of_axes(entry))
            try:
                self.surfaces[name] = validated(Surface, named, locate, entry_context)
            except InputError as error:
                faults.append(str(error))
            for number, alias in enumerate(_aliases(entry)):
                if alias in self.surfaces or alias in entries:
                    owner = alias
                elif alias in self.aliases:
                    owner = self.aliases[alias]
                else:
                    self.aliases[alias] = name
                    continue
                why = "used twice in this entry" if owner == name else f"taken by {shorten(owner)}"
                faults.append(
                    f"{locate(['aliases', number])}: {shorten(alias, quoted=True)} is {why}"
                )
        if faults:
            raise InputError("\n".join(faults))


def _number_of_axes(entry: Any) -> int | None:
    """Return the number of axes in the domain of an entry that may be invalid otherwise."""
    domain = entry.get("domain") if isinstance(entry, dict) else None
    sides = domain.split(",") if isinstance(domain, str) else domain
    axes = len(sides) if isinstance(sides, dict | list) else 0
    return axes if 1 <= axes <= len(AXES) else None


def _aliases(entry: Any) -> list[str]:
    """Return the aliases of an entry that may be invalid otherwise."""
    aliases = entry.get("aliases") if isinstance(entry, dict) else None
    return [each for each in aliases if isinstance(each, str)] if isinstance(aliases, list) else []


def load_catalogue(
    path: Path | None = None, optimizers: Collection[str] | None = None
) -> Catalogue:
    """Return the bundled catalogue, with the surfaces of a user's file on top.

    optimizers are the valid keys of learning_rates in that file; None allows any. Raises
    InputError if the file is invalid.
    """
    ours = _bundled_catalogue()
    catalogue = Catalogue(dict(ours.surfaces), dict(ours.aliases))
    if path is not None:
        catalogue.add(Document.read(path), ValidationContext(optimizers))
    return catalogue


def find_surface(
    name: str, path: Path | None = None, optimizers: Collection[str] | None = None
) -> Surface:
    """Return a surface of the catalogue, as from `load_catalogue`, or one of third-party code.

    Third-party code is run. Raises InputError if there is no such surface.
    """
    core, dim = _sized(name)
    if is_import_path(core):
        return code_surface(core, () if dim is None else variable_names(dim))
    return _in_dimensions(_find(core, path, optimizers), name, dim)


def _sized(name: str) -> tuple[str, int | None]:
    """Return the name in NAME:dim=N, and the number of variables if there is one."""
    sized = re.fullmatch(r"(.+):dim=(\d{1,4})", name)
    return (name, None) if sized is None else (sized[1], int(sized[2]))


def _in_dimensions(surface: Surface, name: str, dim: int | None) -> Surface:
    """Return a surface in so many variables, unless None; name is how it was asked for."""
    if dim is None:
        return surface
    try:
        return surface.with_variables(variable_names(dim))
    except ValueError as error:
        raise InputError(f"{name}: {error}") from None


def _find(name: str, path: Path | None, optimizers: Collection[str] | None) -> Surface:
    ours = bundled_surface(name) if path is None else None
    offered = find_plugin(GROUP, "surface", name, [ours.name] if ours else [])
    if offered is None:
        return ours or (
            _bundled_alias(name) if path is None else load_catalogue(path, optimizers)[name]
        )
    found = offered.load()
    if isinstance(found, Surface):
        return found
    if not callable(found):
        raise InputError(f"{name} from the package {offered.package} is not a function or Surface")
    return code_surface(f"{offered.point.module}.{offered.point.attr}")


def is_third_party_surface(name: str) -> bool:
    """Return whether a name stands for third-party code; nothing is run."""
    name, _ = _sized(name)
    return is_import_path(name) or name in {each.name for each in installed_plugins(GROUP)}


def code_surface(code: Any, variables: tuple[str, ...] = ()) -> Surface:
    """Return the surface of a Python function, or of its name, in the default window.

    A function without parameters returns a model's problem, which may also be given itself. The
    code is run. variables are those of a function, found by calling it unless specified.
    """
    shown = code if isinstance(code, str) else getattr(code, "__name__", "the function")
    declared: dict[str, Any] = {"model": code}
    if not returns_a_model(code):
        from optiviz.surfaces.function import declaration

        declared = declaration(code, variables)
    return validated(Surface, declared, lambda keys: shown).with_file_hashes()


def returns_a_model(code: Any) -> bool:
    """Return whether code is a problem, or a function without parameters, which returns one."""
    found = load(code) if isinstance(code, str) else code
    if isinstance(found, ModelProblem):
        return True
    try:
        return not signature(found).parameters
    except (TypeError, ValueError):
        return False


@cache
def bundled_surface(name: str) -> Surface | None:
    """Return the bundled surface of exactly this name, or None if there is none.

    Only its own entry is parsed: parsing all of them takes half as long as a picture.
    """
    entry = bundled_entry(name)
    if entry is None:
        return None
    return validated(Surface, {**entry, "name": name}, lambda keys: key_path([name, *keys]))


def _bundled_alias(name: str) -> Surface:
    """Return the bundled surface of an alias; raise InputError if there is none."""
    entries = read_index() or _bundled_catalogue().entries
    for entry in entries:
        if name in entry.aliases:
            surface = bundled_surface(entry.name)
            assert surface is not None
            return surface
    names = [each.name for each in entries]
    raise _unknown(name, names + [alias for each in entries for alias in each.aliases])


def _unknown(name: str, names: Sequence[str]) -> InputError:
    if re.search(r"[*/^+() ]", name):
        return InputError(
            f"{shorten(name, quoted=True)} is a formula, not the name of a surface: write "
            "--formula, or Surface(formula=..., domain=...)"
        )
    offered = [each.name for each in installed_plugins(GROUP)]
    return InputError(did_you_mean("surface", name, [*names, *offered]))


@cache
def _bundled_catalogue() -> Catalogue:
    catalogue = Catalogue()
    catalogue.add(Document.read(catalogue_file()))
    if read_index() is None:
        write_index(catalogue.entries)
    return catalogue
