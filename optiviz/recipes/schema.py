"""JSON Schema of what may be written in YAML: a recipe, or a batch of them. For editors.

It is made from the recipes themselves; only what may be written in more ways than they keep is
said here. What it accepts may still be wrong in ways that a schema cannot say.
"""

from collections.abc import Mapping
from typing import Any

from optiviz.kinds import load_kind
from optiviz.recipes.jobs import JOB_WORDS
from optiviz.recipes.reading import SURFACE_WORDS, keys_of
from optiviz.registry import KINDS, SIGNALS, THEMES
from optiviz.surfaces.catalogue import load_catalogue
from optiviz.surfaces.words import ACTIVATIONS

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TEXT: Schema = {"type": "string"}
NUMBERS: Schema = {"type": "array", "items": {"type": "number"}}


def schema(meanings: Mapping[str, str]) -> Schema:
    """Return the schema; `meanings` are sentences about fields, by their names."""
    parts: dict[str, Schema] = {}
    kinds, written = {}, _written()
    for kind in KINDS:
        model = load_kind(kind)
        found = model.model_json_schema(ref_template="#/$defs/{model}")
        parts |= found.pop("$defs", {})
        fields = found["properties"] | dict.fromkeys(SURFACE_WORDS, TEXT)
        kinds[kind] = {key: written.get(key, fields[key]) for key in keys_of(model)}
    parts["Domain"] = _either(TEXT, {"type": "array", "items": NUMBERS}, parts["Domain"])
    parts["PlaneWords"] = _either(TEXT, parts["PlaneWords"])
    network = parts["NetworkWords"]["properties"]
    network["activation"] = _several({"enum": [*ACTIVATIONS]})
    parts["Surface"]["properties"]["learning_rates"] = {
        "type": "object", "additionalProperties": {"type": "number"}
    }  # fmt: skip
    about = SURFACE_WORDS | JOB_WORDS | dict(meanings)
    everything = {key: field for fields in kinds.values() for key, field in fields.items()}
    outputs = {"name": TEXT, "out": _several(TEXT)}
    matrix = _mapping({key: {"type": "array", "minItems": 1} for key in everything}, about)
    for kind, fields in kinds.items():
        parts[kind] = _mapping(fields, about)
        parts[f"{kind}-job"] = _mapping(fields | outputs | {"matrix": matrix}, about)
    everything["kind"] = {"enum": [*KINDS]}
    batch = {
        "defaults": _mapping(everything | outputs, about),
        "jobs": {"type": "array", "minItems": 1, "items": _either(
            *({"$ref": f"#/$defs/{kind}-job"} for kind in KINDS)
        )},
    }  # fmt: skip
    parts["batch"] = _mapping(batch, {}) | {"required": ["jobs"]}
    whole = _either(*({"$ref": f"#/$defs/{name}"} for name in ("batch", *KINDS)))
    return {"$schema": DIALECT, "title": "optiviz"} | whole | {"$defs": parts}


def _written() -> dict[str, Schema]:
    """Return how fields are written that a recipe keeps in another form, or names that it knows."""
    catalogue = load_catalogue()
    surface = _either(
        {"enum": [*catalogue.surfaces, *catalogue.aliases]}, TEXT, {"$ref": "#/$defs/Surface"}
    )
    return {
        "surface": surface,
        "surfaces": _several(surface),
        "formula": _several(TEXT),
        "domain": {"$ref": "#/$defs/Domain"},
        "samples": {"type": "integer", "minimum": 1},
        "plane": {"$ref": "#/$defs/PlaneWords"},
        "signal": _either({"enum": [*SIGNALS]}, TEXT, {"$ref": "#/$defs/Signal"}),
        "optimizers": _several(TEXT),
        "starts": {"type": "array", "items": _either(TEXT, NUMBERS)},
        "size": _either(
            TEXT | {"pattern": "^[0-9]{1,6}[xX][0-9]{1,6}$"},
            NUMBERS | {"minItems": 2, "maxItems": 2},
        ),
        "theme": {"enum": [*THEMES]},
    }


def _either(*schemas: Schema) -> Schema:
    return {"anyOf": [*schemas]}


def _several(schema: Schema) -> Schema:
    return _either(schema, {"type": "array", "items": schema, "minItems": 1})


def _mapping(fields: Mapping[str, Schema], about: Mapping[str, str]) -> Schema:
    described = {
        key: field | ({"description": about[key]} if key in about else {})
        for key, field in fields.items()
    }
    return {"type": "object", "properties": described, "additionalProperties": False}
