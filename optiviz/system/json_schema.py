"""JSON Schemas of fields that can be written in more ways than they are stored."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBERS: Schema = {"type": "array", "items": {"type": "number"}}


@dataclass(frozen=True)
class MappedSchema:
    """An annotation of a type: `schema` maps the schema of stored values to that of the field."""

    schema: Callable[[Schema], Schema]

    def __get_pydantic_json_schema__(self, core: Any, handler: Callable[[Any], Schema]) -> Schema:
        return self.schema(handler(core))


def any_of(*schemas: Schema) -> Schema:
    """Return the schema of a value that matches any of `schemas`."""
    return {"anyOf": [*schemas]}


def one_or_several(schema: Schema) -> Schema:
    """Return the schema of one value, or of a list of them, which may be empty."""
    return any_of(schema, {"type": "array", "items": schema})


def one_or_more(schema: Schema) -> Schema:
    """Return the schema of one value, or of a non-empty list of them."""
    return any_of(schema, {"type": "array", "items": schema, "minItems": 1})
