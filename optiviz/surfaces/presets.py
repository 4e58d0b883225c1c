"""Presets as text: the named situations that a page offers as buttons.

"trapped: sgd:lr=0.1 --start 1,2 --steps 60" is a name, optimizers, and optional conditions. What it
means is judged where optimizers are known.
"""

from collections.abc import Mapping
from typing import Any

from optiviz.system.errors import did_you_mean
from optiviz.system.json_schema import NUMBERS, TEXT, Schema, any_of, one_or_more
from optiviz.system.text import shorten

OPTIONS = {"starts": "--start", "steps": "--steps", "noise": "--noise"}  # by key in YAML
EXAMPLE = '"too large: sgd:lr=1.05"'
MAX_PRESETS = 20


def preset_texts(value: Any) -> Any:
    """Return presets as texts, also from a mapping of names to optimizers, or to their keys.

    A list may hold texts and mappings, as YAML reads `- NAME: SPEC` without quotes. Raises
    ValueError for anything else.
    """
    given = [value] if isinstance(value, str | Mapping) else value
    if not isinstance(given, list | tuple):
        raise ValueError(f"must be a list or a mapping, not {shorten(value, quoted=True)}")
    texts: list[str] = []
    for each in given:
        if isinstance(each, str):
            texts.append(each)
        elif isinstance(each, Mapping) and each:
            texts += [f"{_named(name)}: {_written(name, about)}" for name, about in each.items()]
        else:
            said = f"{shorten(each, quoted=True)} is not a preset"
            raise ValueError(f"{said}: write NAME: OPTIMIZERS, as in {EXAMPLE}")
    return tuple(texts)


def _named(name: Any) -> str:
    if not isinstance(name, str) or ":" in name:
        raise ValueError(f"{shorten(name, quoted=True)} is not a name: write text without a colon")
    return name


def _written(name: Any, about: Any) -> str:
    """Return what follows the name of a preset, as one writes it on the command line."""
    if not isinstance(about, Mapping):
        return ",".join(map(str, about)) if isinstance(about, list | tuple) else str(about)
    for key in about:
        if key not in ("optimizers", *OPTIONS):
            said = did_you_mean("key", shorten(key), ["optimizers", *OPTIONS])
            raise ValueError(f"{shorten(name)}: {said}")
    words = [_written(name, about.get("optimizers", ""))]
    for key, option in OPTIONS.items():
        values = about.get(key, [])
        for each in values if isinstance(values, list | tuple) else [values]:
            point = isinstance(each, list | tuple)
            words += [option, ",".join(map(str, each)) if point else str(each)]
    return " ".join(words)


def preset_schema(kept: Schema) -> Schema:
    """Return the schema of presets in YAML."""
    number: Schema = {"type": "number"}
    keys: dict[str, Schema] = {
        "optimizers": one_or_more(TEXT),
        "starts": any_of(TEXT, {"type": "array", "items": any_of(TEXT, NUMBERS)}),
        "steps": {"type": "integer"},
        "noise": number,
    }
    whole: Schema = {
        "type": "object",
        "properties": keys,
        "required": ["optimizers"],
        "additionalProperties": False,
    }
    named: Schema = {"type": "object", "additionalProperties": any_of(one_or_more(TEXT), whole)}
    return any_of(TEXT, named, {"type": "array", "items": any_of(TEXT, named)})
