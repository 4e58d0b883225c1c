"""Completions of command-line arguments, computed without running third-party code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from optiviz.system.errors import InputError, OptivizError

if TYPE_CHECKING:
    Items = list[CompletionItem[str]]

MAX_LETTERS = 1_000_000  # that are read of a file of surfaces


def surfaces(ctx: click.Context, incomplete: str) -> Items:
    """Complete the name of one surface."""
    return _among(_surfaces(ctx), incomplete) or _files(incomplete)


def listed_surfaces(ctx: click.Context, incomplete: str) -> Items:
    """Complete the last of several names of surfaces."""
    before, begun = _last(incomplete, ",")
    return _among(_surfaces(ctx), begun, before)


def lessons(ctx: click.Context, incomplete: str) -> Items:
    """Complete the name of a lesson."""
    from optiviz.recipes.shipped_files import LESSONS

    known = {name: LESSONS.summary(name) for name in LESSONS.names()}
    return _among(known, incomplete) or _files(incomplete)


def suites(ctx: click.Context, incomplete: str) -> Items:
    """Complete the name of a suite."""
    from optiviz.recipes.shipped_files import SUITES

    known = {name: SUITES.summary(name) for name in SUITES.names()}
    return _among(known, incomplete) or _files(incomplete)


def names(ctx: click.Context, incomplete: str) -> Items:
    """Complete the name of a surface or an optimizer."""
    return _among(_surfaces(ctx) | _optimizers(), incomplete)


def optimizers(ctx: click.Context, incomplete: str) -> Items:
    """Complete the last of several optimizers such as adam:lr=0.1, settings included."""
    before, word = _last(incomplete, ",")
    name, colon, _ = word.partition(":")
    if colon:
        inside, setting = _last(word, ":")
        return _settings(name, setting, before + inside, set(_keys(inside)))
    around, begun = _last(word, "+")
    found = _among(_optimizers(), begun, before + around)
    return found or ([] if before else _files(incomplete))


def presets(ctx: click.Context, incomplete: str) -> Items:
    """Complete the optimizers and options of a preset, which follow its name."""
    from optiviz.surfaces.presets import OPTIONS

    name, colon, rest = incomplete.partition(":")
    before = name + colon + rest[: len(rest) - len(rest.lstrip())]
    begun, option = _last(rest, " ")
    if option.startswith("-") and begun.strip():
        return _among(dict.fromkeys(OPTIONS.values(), ""), option, name + colon + begun)
    found = optimizers(ctx, rest.lstrip()) if colon else []
    return [CompletionItem(before + each.value, each.type, each.help) for each in found]


def varied(ctx: click.Context, incomplete: str) -> Items:
    """Complete the hyperparameter of --vary."""
    return _among(dict.fromkeys(_hyperparameters(ctx), ""), incomplete, after="=")


def params(ctx: click.Context, incomplete: str) -> Items:
    """Complete the parameter of --param: those of a surface, or the other names in a formula."""
    from optiviz.surfaces.syntax import AXES, free_names, parse_text

    formula, known = ctx.params.get("formula"), set[str]()
    if isinstance(formula, str):
        with suppress(InputError):
            known = free_names(parse_text(formula)) - {*AXES}
    entry = _declared().get(str(ctx.params.get("surface")))
    if entry is not None:
        inside = re.search(r"^  params: \{(.*?)\}", entry, re.M)
        known |= {*re.findall(r"(\w+):", inside[1] if inside else "")}
    return _among(dict.fromkeys(sorted(known), ""), incomplete, after="=")


def tunable(ctx: click.Context, incomplete: str) -> Items:
    """Complete the last of several hyperparameters to tune."""
    before, begun = _last(incomplete, ",")
    return _among(dict.fromkeys(_hyperparameters(ctx), ""), begun, before)


def views(ctx: click.Context, incomplete: str) -> Items:
    """Complete the last of several views of the command."""
    from optiviz.registry import KINDS, VIEWS

    provided = KINDS[str(ctx.info_name)].provides
    before, begun = _last(incomplete, "+")
    used = before.split("+")
    known = {
        name: entry.about
        for name, entry in VIEWS.items()
        if entry.requires in provided and name not in used
    }
    return _among(known, begun, before)


def themes(ctx: click.Context, incomplete: str) -> Items:
    """Complete a theme or the path of a file."""
    from optiviz.registry import THEMES

    return _among(THEMES, incomplete) or _files(incomplete)


def tracks(ctx: click.Context, incomplete: str) -> Items:
    """Complete the path of a file."""
    return _files(incomplete)


def checkpoints(ctx: click.Context, incomplete: str) -> Items:
    """Complete the path of a file."""
    return _files(incomplete)


def signals(ctx: click.Context, incomplete: str) -> Items:
    """Complete a signal or the path of a file."""
    from optiviz.registry import SIGNALS

    return _among(SIGNALS, incomplete) or _files(incomplete)


def noise_kinds(ctx: click.Context, incomplete: str) -> Items:
    """Complete a kind of noise."""
    from optiviz.registry import NOISE_KINDS

    return _among(dict(NOISE_KINDS.items()), incomplete)


def data(ctx: click.Context, incomplete: str) -> Items:
    """Complete a data set."""
    from optiviz.surfaces.datasets import DATASETS

    known = {
        name.partition(":")[0] + ":" * (":" in name): about for name, about in DATASETS.items()
    }
    return _among(known, incomplete)


def planes(ctx: click.Context, incomplete: str) -> Items:
    """Complete a plane, or the path of its last checkpoint."""
    known = {
        "path": "through the paths",
        "random:": "followed by a seed",
        "hessian": "where the loss bends most",
        "between:": "a line, followed by two checkpoints",
        "through:": "followed by three checkpoints",
    }
    kind, colon, files = incomplete.partition(":")
    if colon and f"{kind}:" in known and kind != "random":
        before, begun = _last(files, ",")
        return (
            []
            if before.count(",") > 1
            else _among({"start": "where runs begin"}, begun, f"{kind}:{before}")
        )
    return _among(known, incomplete)


def starts(ctx: click.Context, incomplete: str) -> Items:
    """Complete random starts."""
    return _among({"random:": "followed by a number"}, incomplete)


def tags(ctx: click.Context, incomplete: str) -> Items:
    """Complete the last of several tags of surfaces."""
    before, begun = _last(incomplete, ",")
    found = {tag for entry in _declared().values() for tag in _listed(entry, "tags")}
    return _among(dict.fromkeys(sorted(found), ""), begun, before)


def _last(text: str, between: str) -> tuple[str, str]:
    """Split text after the last occurrence of a separator."""
    at = text.rfind(between) + 1
    return text[:at], text[at:]


def _among(known: Mapping[str, str], begun: str, before: str = "", after: str = "") -> Items:
    """Return completions of `begun`, prefixed with `before`; "part" means that more may follow."""
    items = []
    for name, about in known.items():
        if name.startswith(begun):
            word = before + name + after
            kind = "part" if word[-1] in ":=+" else "plain"
            items.append(CompletionItem(word, kind, about))
    return items


def _files(incomplete: str) -> Items:
    return [CompletionItem(incomplete or ".", "file")]


def _surfaces(ctx: click.Context) -> dict[str, str]:
    """Return all surfaces with their titles, including those of the file in --surfaces."""
    from optiviz.surfaces import GROUP
    from optiviz.system.plugins import installed_plugins

    known: dict[str, str] = {}
    for name, entry in _declared(ctx.params.get("catalogue")).items():
        title = re.search(r"^ +title: (.*)", entry, re.M)
        known |= dict.fromkeys([name, *_listed(entry, "aliases")], title[1] if title else "")
    return known | {each.name: f"from {each.package}" for each in installed_plugins(GROUP)}


def _declared(own: Path | None = None) -> dict[str, str]:
    """Return the entries of the built-in catalogue and of a user's file as raw text.

    Parsing them as YAML would take as long as drawing a picture, and an unknown file may be huge.
    """
    from optiviz.surfaces.bundled import catalogue_file

    found: dict[str, str] = {}
    for path in filter(None, (catalogue_file(), own)):
        with suppress(OSError, ValueError), path.open(encoding="utf-8") as file:
            text = file.read(MAX_LETTERS) if path.is_file() else ""
            found |= dict(re.findall(r"^([\w-]+):(.*?)(?=^\S|\Z)", text, re.M | re.S))
    return found


def _listed(entry: str, key: str) -> list[str]:
    found = re.search(rf"^ +{key}: \[(.*)\]", entry, re.M)
    return [each.strip() for each in found[1].split(",")] if found else []


def _optimizers() -> dict[str, str]:
    from optiviz.optimizers.lookup import GROUP
    from optiviz.registry import OPTIMIZERS, WRAPPERS
    from optiviz.system.plugins import installed_plugins

    known = dict.fromkeys(OPTIMIZERS, "") | {
        f"{name}+": "wraps another optimizer" for name in WRAPPERS
    }
    return known | {each.name: f"from {each.package}" for each in installed_plugins(GROUP)}


def _settings(name: str, setting: str, before: str, given: Iterable[str]) -> Items:
    """Complete a setting of an optimizer: its key, a schedule after @, or true and false."""
    from optiviz.optimizers.schedules import SCHEDULES

    key, equals, value = setting.partition("=")
    if not equals:
        known = dict.fromkeys([*_parameters(name), "label"], "")
        left = {each: about for each, about in known.items() if each not in given}
        return _among(left, setting, before, "=")
    if "@" in value:
        inside, begun = _last(setting, "@")
        known = {each.form.partition("/")[0]: each.about for each in SCHEDULES.values()}
        return _among(known, begun, before + inside)
    if isinstance(_parameters(name).get(key), bool):
        return _among({"true": "", "false": ""}, value, f"{before}{key}=")
    return []


def _keys(settings: str) -> Iterable[str]:
    return (each.partition("=")[0] for each in settings.split(":")[1:])


def _parameters(name: str) -> dict[str, Any]:
    """Return the hyperparameters of a built-in optimizer with their defaults."""
    from optiviz.optimizers.lookup import factory_of, is_third_party_optimizer

    with suppress(OptivizError):
        if not is_third_party_optimizer(name):
            return {key: each.default for key, each in factory_of(name).parameters.items()}
    return {}


def _hyperparameters(ctx: click.Context) -> list[str]:
    """Return the hyperparameters of all optimizers on the command line, or else lr."""
    words = [word for text in ctx.params.get("optimizers") or () for word in text.split(",")]
    found = [key for word in words for key in _parameters(word.partition(":")[0])]
    return list(dict.fromkeys(found or ["lr"]))
