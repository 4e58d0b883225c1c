"""Values that somebody wrote as a pydantic model, or every fault of them, each where it stands."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_args

from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.text import shorten

if TYPE_CHECKING:
    from pydantic import BaseModel


KeyLocator = Callable[[Sequence[Any]], str]
Model = TypeVar("Model", bound="BaseModel")


class Fault(NamedTuple):
    """What is wrong, and the keys that lead to it; None where the sentence says where itself."""

    keys: tuple[Any, ...] | None
    message: str

    def format(self, locate: KeyLocator) -> str:
        """Return the whole sentence. `locate` returns how it begins for the keys it is given."""
        return self.message if self.keys is None else f"{locate(self.keys)}: {self.message}"


def validated(model: "type[Model]", value: Any, locate: KeyLocator, context: Any = None) -> "Model":
    """Return `value` as a model; raise InputError with every fault, each where `locate` says.

    `context` is what the model's validators may ask for.
    """
    found = checked(model, value, context)
    if isinstance(found, list):
        raise InputError("\n".join(fault.format(locate) for fault in found))
    return found


def checked(model: "type[Model]", value: Any, context: Any = None) -> "Model | list[Fault]":
    """Return `value` as a model, or every fault of it."""
    from pydantic import ValidationError

    try:
        return model.model_validate(value, context=context)
    except ValidationError as error:
        # A point of two wrong numbers has the same fault twice.
        return list(dict.fromkeys(_fault(model, each) for each in error.errors()))


MESSAGES = {
    "tuple_type": "should be a list",
    "string_type": "should be text",
    "float_type": "should be a number",
    "int_type": "should be a whole number",
    "int_from_float": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_parsing_size": "should be a smaller number",
    "float_parsing": "should be a number",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "too_long": "has too many values",
}


def _fault(model: "type[BaseModel]", found: Any) -> Fault:
    # Pydantic names the branches of a union among the keys, as in "function-plain[...]".
    keys = tuple(key for key in found["loc"] if isinstance(key, int) or "[" not in key)
    kind, said = found["type"], found["msg"].removeprefix("Input ")
    if kind == "extra_forbidden":
        return Fault(
            tuple(found["loc"]),
            did_you_mean("key", shorten(found["loc"][-1]), _fields(model, keys[:-1])),
        )
    if kind == "missing":
        return Fault(keys, "is missing")
    if kind == "model_type":
        return Fault(keys, "is no mapping")
    if kind == "value_error":
        return Fault(keys, said.removeprefix("Value error, "))
    said = MESSAGES.get(kind, f"{said[0].lower()}{said[1:]}")
    return Fault(keys, f"{said}, not {shorten(found['input'], quoted=True)}")


def _fields(model: "type[BaseModel]", keys: Sequence[Any]) -> list[str]:
    """Return the names of the fields of a model, or of the one that stands under `keys`."""
    for key in keys:
        inner = model.model_fields[key].annotation if key in model.model_fields else None
        choices = [each for each in (inner, *get_args(inner)) if hasattr(each, "model_fields")]
        model = choices[0] if choices else model
    return list(model.model_fields)
