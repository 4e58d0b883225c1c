"""How values may be written, as JSON Schema, where that is more than what is kept of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBERS: Schema = {"type": "array", "items": {"type": "number"}}


@dataclass(frozen=True)
class MappedSchema:
    """An annotation of a field's type: `schema` makes its schema of that of what is kept."""

    schema: Callable[[Schema], Schema]

    def __get_pydantic_json_schema__(self, core: Any, handler: Callable[[Any], Schema]) -> Schema:
        return self.schema(handler(core))


def any_of(*schemas: Schema) -> Schema:
    """Return the schema of what is one of several."""
    return {"anyOf": [*schemas]}


def one_or_more(schema: Schema) -> Schema:
    """Return the schema of one value, or a list of some."""
    return any_of(schema, {"type": "array", "items": schema, "minItems": 1})
