"""Validation of a user's values with pydantic: a model, or every fault and where it is."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    NamedTuple,
    TypeVar,
    cast,
    dataclass_transform,
    get_args,
)

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from optiviz.system.errors import REQUIRED, InputError, did_you_mean
from optiviz.system.text import shorten

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)

KeyLocator = Callable[[Sequence[Any]], str]
Validated = TypeVar("Validated", bound=BaseModel)


class Fault(NamedTuple):
    """What is wrong, and the keys of the wrong value; None if the message says where itself."""

    keys: tuple[Any, ...] | None
    message: str

    def format(self, locate: KeyLocator) -> str:
        """Return the message, with the place that `locate` returns for the keys before it."""
        return self.message if self.keys is None else f"{locate(self.keys)}: {self.message}"


def validated(
    model: type[Validated], value: Any, locate: KeyLocator, context: Any = None
) -> Validated:
    """Return `value` as a model; raise InputError that lists every fault, located by `locate`.

    `context` is passed to the model's validators.
    """
    found = checked(model, value, context)
    if isinstance(found, list):
        raise InputError("\n".join(fault.format(locate) for fault in found))
    return found


def checked(model: type[Validated], value: Any, context: Any = None) -> Validated | list[Fault]:
    """Return `value` as a model, or all its faults."""
    try:
        return model.model_validate(value, context=context)
    except ValidationError as error:
        return _faults(model, error)


@dataclass_transform(kw_only_default=True, field_specifiers=(Field,))
class ModelType(ModelMetaclass):
    """The type of models that a user calls: what is wrong is raised as InputError.

    Validating a value does not call a model, so that a fault within another model keeps its place.
    """

    def __call__(cls, *values: Any, **fields: Any) -> Any:
        model = cast("type[BaseModel]", cls)
        if values:
            required = [name for name, each in model.model_fields.items() if each.is_required()]
            said = "".join(f"{name}=..., " for name in required)
            raise InputError(f"fields need their names, as in {cls.__name__}({said}...)")
        try:
            return super().__call__(**fields)
        except ValidationError as error:
            faults = _faults(model, error)
            said = "\n".join(
                each.format(lambda keys: dotted(keys) or cls.__name__) for each in faults
            )
            raise InputError(said) from None


class Model(BaseModel, metaclass=ModelType):
    """A model whose values are fixed, and that a user can call.

    elsewhere maps words that users expect to be fields to what to write instead. Calling it raises
    InputError that lists every fault, each after the field's name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    elsewhere: ClassVar[Mapping[str, str]] = {}


def dotted(keys: Sequence[Any]) -> str:
    """Return the place of a value in Python, for example surface.domain."""
    return ".".join(map(str, keys))


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


def _faults(model: type[BaseModel], error: ValidationError) -> list[Fault]:
    """Return all faults of a value that is not a model."""
    # A point with two wrong numbers has the same fault twice.
    errors = error.errors()
    within = {each["loc"][:depth] for each in errors for depth in range(len(each["loc"]))}
    # A list whose values are wrong is not too short as well.
    told = [each for each in errors if each["type"] != "too_short" or each["loc"] not in within]
    return list(dict.fromkeys(_fault(model, each) for each in told))


def _fault(model: type[BaseModel], found: Any) -> Fault:
    # Pydantic puts the branches of a union among the keys, for example "function-plain[...]".
    keys = tuple(key for key in found["loc"] if isinstance(key, int) or "[" not in key)
    kind, said = found["type"], found["msg"].removeprefix("Input ")
    if kind == "extra_forbidden":
        return Fault(tuple(found["loc"]), _unknown_key(_model_at(model, keys[:-1]), keys[-1]))
    if kind == "missing":
        return Fault(keys, REQUIRED)
    noun = "letter" if isinstance(found["input"], str) else "value"
    if kind == "too_long":
        most, number = found["ctx"]["max_length"], found["ctx"]["actual_length"] or "more"
        return Fault(keys, f"at most {most} {noun}s are allowed, not {number}")
    if kind == "too_short":
        least, number = found["ctx"]["min_length"], found["ctx"]["actual_length"]
        many = f"{noun} is" if least == 1 else f"{noun}s are"
        return Fault(keys, f"at least {least} {many} required, not {number}")
    if kind == "literal_error" and isinstance(found["input"], str):
        choices = re.findall("'([^']*)'", found["ctx"]["expected"])
        return Fault(keys, did_you_mean(str(keys[-1]), shorten(found["input"]), choices))
    if kind == "value_error":
        return Fault(keys, said.removeprefix("Value error, "))
    said = re.sub(r"\d{16,}", lambda digits: f"{float(digits[0]):g}", said)  # a limit
    said = MESSAGES.get(kind, f"{said[0].lower()}{said[1:]}".replace("should ", "must ", 1))
    return Fault(keys, f"{said}, not {shorten(found['input'], quoted=True)}")


def _unknown_key(model: type[BaseModel], key: Any) -> str:
    """Return the message for a key that a model does not have."""
    elsewhere: Mapping[str, str] = getattr(model, "elsewhere", {})
    if key in elsewhere:
        return f"not a field of {model.__name__}: write {elsewhere[key]}"
    return did_you_mean("key", shorten(key), model.model_fields)


def _model_at(model: type[BaseModel], keys: Sequence[Any]) -> type[BaseModel]:
    """Return a model, or its submodel under `keys`."""
    for key in keys:
        inner = model.model_fields[key].annotation if key in model.model_fields else None
        choices = [each for each in (inner, *get_args(inner)) if hasattr(each, "model_fields")]
        model = choices[0] if choices else model
    return model
