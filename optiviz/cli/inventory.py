"""What `optiviz list` and `optiviz show` say of everything that has a name.

Each kind of name imports only what it needs: a list of surfaces reads no formula.
"""

import inspect
import re
import warnings
from collections.abc import Collection, Iterable, Sequence
from dataclasses import MISSING
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optiviz.registry import FAMILIES, FORMATS, OPTIMIZERS, SIGNALS, THEMES, VIEWS, WRAPPERS
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.plugins import find_plugin, installed_plugins, is_import_path

if TYPE_CHECKING:
    from optiviz.optimizers.base import Method
    from optiviz.surfaces.index import SurfaceEntry

Row = dict[str, Any]


def list_names(
    kind: str, surfaces: str | Path | None = None, tags: Sequence[str] = ()
) -> list[Row]:
    """Return the name and one-line description of everything of a kind, as plain values.

    kind is "surfaces", "optimizers", "wrappers", "schedules", "signals", "views", "functions" (of
    formulas), "lessons", "suites", "themes" or "formats". surfaces is the path of a YAML file of
    further surfaces. With tags, only surfaces that have all of them are returned.

    Returns a list of dictionaries with "name" and "about"; surfaces, optimizers, which are in the
    order of their families, and formats have more keys.
    Raises InputError for a tag that no surface has, and for a `surfaces` file that is invalid.
    """
    match kind:
        case "surfaces":
            return _list_surfaces(surfaces, tags)
        case "optimizers":
            from optiviz.optimizers.lookup import GROUP

            plugins = _list_plugins(GROUP, "optimizer", OPTIMIZERS)
            return _list_families() + [{**row, "family": "from packages"} for row in plugins]
        case "wrappers":
            return _list_classes(WRAPPERS)
        case "schedules":
            return _rows({each.form: each.about for each in _schedules().values()})
        case "formats":
            return [
                {"name": suffix, "about": form.about, "kind": form.kind}
                for suffix, form in FORMATS.items()
            ]
        case "functions":
            return _list_functions()
        case "lessons" | "suites":
            from optiviz.recipes.shipped_files import LESSONS, SUITES

            files = {"lessons": LESSONS, "suites": SUITES}[kind]
            return _rows({name: files.summary(name) for name in files.names()})
        case "views":
            return _rows({name: entry.about for name, entry in VIEWS.items()})
    return _rows({"signals": SIGNALS, "themes": THEMES}[kind])


def _rows(abouts: dict[str, str]) -> list[Row]:
    return [{"name": name, "about": about} for name, about in abouts.items()]


def _list_functions() -> list[Row]:
    """Return what formulas may hold: functions, with their other spellings, and the rest."""
    from optiviz.surfaces.vocabulary import CONSTANTS, FUNCTIONS, OPERATORS, SPELLINGS

    rows = []
    for name, word in FUNCTIONS.items():
        others = [each for each, meant in SPELLINGS.items() if meant == name]
        also = f", also {', '.join(others)}" if others else ""
        rows.append({"name": word.call, "about": word.about + also, "aliases": others})
    rest = CONSTANTS | OPERATORS
    return rows + [{"name": name, "about": each, "aliases": []} for name, each in rest.items()]


def _list_surfaces(surfaces: str | Path | None, tags: Sequence[str]) -> list[Row]:
    from optiviz.surfaces import GROUP
    from optiviz.surfaces.index import tagged

    known = _index(surfaces)
    rows = [
        {
            "name": each.name,
            "about": each.title
            + (f" [{', '.join(each.tags)}]" if each.tags else "")
            + (f", also {', '.join(each.aliases)}" if each.aliases else ""),
            "dim": each.dim,
            "tags": list(each.tags),
            "aliases": list(each.aliases),
        }
        for each in tagged(known, tags)
    ]
    return rows if tags else rows + _list_plugins(GROUP, "surface", [each.name for each in known])


def _index(surfaces: str | Path | None) -> "list[SurfaceEntry]":
    """Return the bundled surfaces, with those of a user's file on top."""
    from optiviz.surfaces.index import read_index

    known = read_index() if surfaces is None else None
    if known is None:
        from optiviz.surfaces.catalogue import load_catalogue

        path = None if surfaces is None else Path(surfaces)
        known = load_catalogue(path, OPTIMIZERS).entries
    return known


def _list_families() -> list[Row]:
    families: dict[str, list[Row]] = {title: [] for title in FAMILIES.values()}
    for row in _list_classes(OPTIMIZERS):
        title = FAMILIES[OPTIMIZERS[row["name"]].partition(":")[0]]
        families[title].append({**row, "family": title})
    return [row for rows in families.values() for row in rows]


def _list_classes(names: Iterable[str]) -> list[Row]:
    from optiviz.optimizers.describe import describe

    return [{"name": name, "about": describe(_class(name)).summary} for name in names]


def _list_plugins(group: str, kind: str, ours: Iterable[str]) -> list[Row]:
    """Return the name and one-line description of each plugin of the installed packages.

    Loads them, and warns of those that fail to load. Raises InputError if two have the same name.
    """
    rows = []
    for each in installed_plugins(group):
        find_plugin(group, kind, each.name, list(ours))
        try:
            found = each.load()
        except InputError as error:
            warnings.warn(str(error), stacklevel=3)
            continue
        about = (inspect.getdoc(found) or "").partition("\n")[0]
        rows.append({"name": each.name, "about": about or f"from the package {each.package}"})
    return rows


def _class(name: str) -> "type[Method]":
    from optiviz.optimizers import load_optimizer, load_wrapper

    return load_optimizer(name) if name in OPTIMIZERS else load_wrapper(name)


def _schedules() -> dict[str, Any]:
    from optiviz.optimizers.schedules import SCHEDULES

    return SCHEDULES


def describe(name: str, surfaces: str | Path | None = None) -> dict[str, Any]:
    """Return the description of a surface or an optimizer, as plain values.

    name is that of a surface, an optimizer or a wrapper, or an import path of third-party code,
    which is then run. surfaces is the path of a YAML file of further surfaces.

    A model has "parameters", the shapes of its tensors by name, and "loss", where it stands. An
    optimizer has "summary", "rule", "hyperparameters" with defaults, "paper" and "notes". A
    surface has the fields of its declaration. Raises InputError for an unknown name.
    """
    if name in OPTIMIZERS or name in WRAPPERS:
        return _describe_class(name)
    from optiviz.surfaces.catalogue import code_surface, find_surface, returns_a_model

    if is_import_path(name) or "+" in name:
        if "+" not in name and returns_a_model(name):
            return code_surface(name).to_dict()
        return _describe_factory(name)

    entries = _index(surfaces)
    known = [each.name for each in entries] + [word for each in entries for word in each.aliases]
    if re.sub(r":dim=\d+$", "", name) not in known:
        others: dict[str, Collection[str]] = {
            "view": VIEWS, "theme": THEMES, "schedule": _schedules(), "signal": SIGNALS,
            "format": FORMATS,
        }  # fmt: skip
        for kind, table in others.items():
            if name in table:
                raise InputError(
                    f"{name} is a {kind}, not a surface or optimizer: run optiviz list {kind}s"
                )
        words = [*OPTIMIZERS, *WRAPPERS, *known]
        raise InputError(did_you_mean("surface or optimizer", name, words))
    path = None if surfaces is None else Path(surfaces)
    return find_surface(name, path, OPTIMIZERS).to_dict()


def _describe_class(name: str) -> dict[str, Any]:
    """Return the description of an optimizer or a wrapper of ours."""
    from optiviz.optimizers.describe import describe

    known = describe(_class(name))
    return {
        "name": name,
        "summary": known.summary,
        "rule": known.rule,
        "hyperparameters": [
            {"name": key, "default": default, "meaning": meaning}
            for key, default, meaning in known.hyperparameters
        ],
        "paper": known.paper,
        "notes": known.notes,
    }


def _describe_factory(name: str) -> dict[str, Any]:
    """Return the description of a wrapped or third-party optimizer, whose code is run.

    What classes of ours say is in their order, the outermost wrapper first.
    """
    from optiviz.optimizers.base import Method
    from optiviz.optimizers.describe import describe
    from optiviz.optimizers.lookup import factory_of
    from optiviz.optimizers.third_party import plain_value

    factory = factory_of(name)
    ours = [
        describe(each)
        for each in factory.sources
        if inspect.isclass(each) and issubclass(each, Method)
    ]
    return {
        "name": name,
        "summary": " ".join(filter(None, map(_summary, factory.sources))),
        "rule": "\n\n".join(each.rule for each in ours if each.rule),
        "hyperparameters": [
            {
                "name": key,
                "default": None if each.default is MISSING else plain_value(each.default),
                "meaning": each.help,
            }
            for key, each in factory.parameters.items()
        ],
        "paper": "\n".join(each.paper for each in ours if each.paper),
        "notes": "\n".join(each.notes for each in ours if each.notes),
        "learning rate": factory.rate,
    }


def _summary(found: object) -> str:
    """Return the first paragraph of a docstring; "" without one or if a dataclass generated it."""
    said = " ".join((inspect.getdoc(found) or "").partition("\n\n")[0].split())
    return "" if said.startswith(f"{getattr(found, '__name__', '')}(") else said
