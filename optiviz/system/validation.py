"""Validation of a user's values with pydantic: a model, or every fault and where it is."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_args

from optiviz.system.errors import REQUIRED, InputError, did_you_mean
from optiviz.system.text import shorten

if TYPE_CHECKING:
    from pydantic import BaseModel


KeyLocator = Callable[[Sequence[Any]], str]
Model = TypeVar("Model", bound="BaseModel")


class Fault(NamedTuple):
    """What is wrong, and the keys of the wrong value; None if the message says where itself."""

    keys: tuple[Any, ...] | None
    message: str

    def format(self, locate: KeyLocator) -> str:
        """Return the message, with the place that `locate` returns for the keys before it."""
        return self.message if self.keys is None else f"{locate(self.keys)}: {self.message}"


def validated(model: "type[Model]", value: Any, locate: KeyLocator, context: Any = None) -> "Model":
    """Return `value` as a model; raise InputError that lists every fault, located by `locate`.

    `context` is passed to the model's validators.
    """
    found = checked(model, value, context)
    if isinstance(found, list):
        raise InputError("\n".join(fault.format(locate) for fault in found))
    return found


def checked(model: "type[Model]", value: Any, context: Any = None) -> "Model | list[Fault]":
    """Return `value` as a model, or all its faults."""
    from pydantic import ValidationError

    try:
        return model.model_validate(value, context=context)
    except ValidationError as error:
        # A point with two wrong numbers has the same fault twice.
        errors = error.errors()
        within = {each["loc"][:-1] for each in errors}
        # A list whose values are wrong is not too short as well.
        told = [each for each in errors if each["type"] != "too_short" or each["loc"] not in within]
        return list(dict.fromkeys(_fault(model, each) for each in told))


MESSAGES = {
    "tuple_type": "must be a list",
    "model_type": "must be a mapping",
    "string_type": "must be text",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
}


def _fault(model: "type[BaseModel]", found: Any) -> Fault:
    # Pydantic puts the branches of a union among the keys, for example "function-plain[...]".
    keys = tuple(key for key in found["loc"] if isinstance(key, int) or "[" not in key)
    kind, said = found["type"], found["msg"].removeprefix("Input ")
    if kind == "extra_forbidden":
        return Fault(
            tuple(found["loc"]),
            did_you_mean("key", shorten(found["loc"][-1]), _fields(model, keys[:-1])),
        )
    if kind == "missing":
        return Fault(keys, REQUIRED)
    if kind == "too_long":
        most, number = found["ctx"]["max_length"], found["ctx"]["actual_length"] or "more"
        return Fault(keys, f"at most {most} values are allowed, not {number}")
    if kind == "too_short":
        least, number = found["ctx"]["min_length"], found["ctx"]["actual_length"]
        noun = "value is" if least == 1 else "values are"
        return Fault(keys, f"at least {least} {noun} required, not {number}")
    if kind == "literal_error" and isinstance(found["input"], str):
        choices = re.findall("'([^']*)'", found["ctx"]["expected"])
        return Fault(keys, did_you_mean(str(keys[-1]), shorten(found["input"]), choices))
    if kind == "value_error":
        return Fault(keys, said.removeprefix("Value error, "))
    said = MESSAGES.get(kind, f"{said[0].lower()}{said[1:]}".replace("should ", "must ", 1))
    return Fault(keys, f"{said}, not {shorten(found['input'], quoted=True)}")


def _fields(model: "type[BaseModel]", keys: Sequence[Any]) -> list[str]:
    """Return the names of the fields of a model, or of its submodel under `keys`."""
    for key in keys:
        inner = model.model_fields[key].annotation if key in model.model_fields else None
        choices = [each for each in (inner, *get_args(inner)) if hasattr(each, "model_fields")]
        model = choices[0] if choices else model
    return list(model.model_fields)
