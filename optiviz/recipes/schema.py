"""JSON Schema, for editors, of the YAML of a recipe or a batch.

It is generated from the recipe classes, whose types know the ways to write them. What it accepts
may still be invalid in ways that a schema cannot express.
"""

from collections.abc import Mapping

from optiviz.kinds import load_kind
from optiviz.kinds.lesson import PICTURES
from optiviz.recipes.jobs import JOB_FIELDS
from optiviz.recipes.reading import LESSON, allowed_keys
from optiviz.recipes.surfaces import SurfaceOptions
from optiviz.registry import KINDS
from optiviz.system.json_schema import TEXT, Schema, any_of, one_or_more

DIALECT = "https://json-schema.org/draft/2020-12/schema"
REFERENCE = "#/$defs/{model}"


def schema(descriptions: Mapping[str, str]) -> Schema:
    """Return the schema; `descriptions` maps the names of fields to sentences about them."""
    written = SurfaceOptions.model_json_schema(ref_template=REFERENCE)
    parts: dict[str, Schema] = written.pop("$defs")
    kinds = {}
    for kind in KINDS:
        model = load_kind(kind)
        found = model.model_json_schema(ref_template=REFERENCE)
        parts |= found.pop("$defs", {})
        fields = written["properties"] | found["properties"] | dict.fromkeys(LESSON, TEXT)
        kinds[kind] = {key: fields[key] for key in allowed_keys(model)}
    descriptions = JOB_FIELDS | LESSON | dict(descriptions)
    everything = {key: field for fields in kinds.values() for key, field in fields.items()}
    outputs = {"name": TEXT, "out": one_or_more(TEXT)}
    matrix = _object_schema(
        {key: {"type": "array", "minItems": 1} for key in everything}, descriptions
    )
    for kind, fields in kinds.items():
        parts[kind] = _object_schema(fields, descriptions)
        parts[f"{kind}-job"] = _object_schema(fields | outputs | {"matrix": matrix}, descriptions)
    parts["Section"]["properties"]["picture"] = any_of(
        *({"$ref": f"#/$defs/{kind}"} for kind in PICTURES)
    )
    suite = parts["SuiteProblem"]
    suite["properties"] |= written["properties"] | {
        "tags": one_or_more(TEXT),
        "matrix": {"type": "object", "additionalProperties": {"type": "array", "minItems": 1}},
    }
    del suite["required"]
    parts["Suite"]["required"] = ["problems"]
    everything["kind"] = {"enum": [*KINDS]}
    batch = {
        "defaults": _object_schema(everything | outputs, descriptions),
        "jobs": {"type": "array", "minItems": 1, "items": any_of(
            *({"$ref": f"#/$defs/{kind}-job"} for kind in KINDS)
        )},
    }  # fmt: skip
    parts["batch"] = _object_schema(batch, {}) | {"required": ["jobs"]}
    whole = any_of(*({"$ref": f"#/$defs/{name}"} for name in ("batch", *KINDS)))
    return {"$schema": DIALECT, "title": "optiviz"} | whole | {"$defs": parts}


def _object_schema(fields: Mapping[str, Schema], descriptions: Mapping[str, str]) -> Schema:
    described = {
        key: field | ({"description": descriptions[key]} if key in descriptions else {})
        for key, field in fields.items()
    }
    return {"type": "object", "properties": described, "additionalProperties": False}
