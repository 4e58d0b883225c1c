"""A YAML text as plain values, each of which still knows its line.

YAML 1.2, one document, no tags that could build an object. Whoever checks the values asks the
document where a wrong one stands.
"""

import reprlib
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_args

from optiviz.errors import InputError, unknown

if TYPE_CHECKING:
    from pydantic import BaseModel

YAML_TAG = "tag:yaml.org,2002:"
PLAIN_TAGS = ("str", "int", "float", "bool", "null", "seq", "map", "timestamp", "merge")
MAX_BYTES = 4_000_000
MAX_VALUES = 100_000


class Document:
    """The value of a YAML text, with the line and column of every key in it.

    `name` is what messages call the text: usually the file's path.
    """

    def __init__(self, text: str, name: str) -> None:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError

        self.name = name
        self._indices: dict[int, dict[str, tuple[Any, Any]]] = {}
        # The pure loader: the C one crashes the process on deep nesting.
        yaml = YAML(typ="safe", pure=True)
        self._constructor = yaml.constructor
        try:
            # To read on would take a minute.
            if sum(map(text.count, ",[{\n")) > 2 * MAX_VALUES:
                raise InputError(f"{name}: more than {MAX_VALUES} values")
            with warnings.catch_warnings(action="ignore"):  # an anchor may be used again
                self._node = yaml.compose(text)
            if _expanded(self._node, name) > MAX_VALUES:
                raise InputError(f"{name}: more than {MAX_VALUES} values, aliases expanded")
            self.value: Any = (
                None if self._node is None else yaml.constructor.construct_document(self._node)
            )
        except InputError:
            raise
        except MarkedYAMLError as error:
            ended = error.problem is not None and "end of stream" in error.problem
            marks = (error.problem_mark, error.context_mark)  # where it was seen, where it began
            mark = next(filter(None, reversed(marks) if ended else marks), None)
            place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
            said = ", ".join(part for part in (error.context, error.problem) if part)
            raise InputError(f"{place}: {_printable(said.splitlines()[0])}") from None
        except (YAMLError, ValueError, TypeError, LookupError, AssertionError) as error:
            said = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(f"{name}: not YAML: {_printable(said)}") from None
        except RecursionError:
            raise InputError(f"{name}: nested too deeply to be read") from None

    @classmethod
    def read(cls, path: Path) -> "Document":
        """Read a file as UTF-8 YAML; "-" is the standard input."""
        if str(path) == "-":
            if sys.stdin is None:
                raise InputError("stdin: is closed")
            return cls(_text(sys.stdin.buffer.read(MAX_BYTES + 1), "stdin"), "stdin")
        return cls(read_text(path), str(path))

    def place(self, keys: Sequence[Any]) -> str:
        """Return "name:line:column" of the value under `keys`, or of its nearest parent."""
        node, mark = self._node, getattr(self._node, "start_mark", None)
        for key in keys:
            if isinstance(key, int) and node.id == "sequence" and key < len(node.value):
                node = node.value[key]
                mark = node.start_mark
            elif node.id == "mapping" and shown(key) in self._index(node):
                found, node = self._index(node)[shown(key)]
                mark = found.start_mark
            else:
                break
        return f"{self.name}:{mark.line + 1}:{mark.column + 1}" if mark else self.name

    def where(self, keys: Sequence[Any]) -> str:
        """Return how a sentence about the value under `keys` begins."""
        return f"{self.place(keys)}: {dotted(keys)}" if keys else self.place(keys)

    def _index(self, node: Any) -> dict[str, tuple[Any, Any]]:
        """Return a mapping's pairs of nodes by how their key is shown."""
        if id(node) not in self._indices:
            build = self._constructor.construct_object
            self._indices[id(node)] = {
                shown(build(key, deep=True)): (key, value) for key, value in node.value
            }
        return self._indices[id(node)]


def yaml_text(value: Any) -> str:
    """Write plain values as YAML: a line a key, in the order that they have."""
    from io import StringIO

    from ruamel.yaml import YAML

    yaml: Any = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None  # lists of plain values on one line
    yaml.sort_base_mapping_type_on_output = False
    yaml.allow_unicode = True
    yaml.width = 100
    written = StringIO()
    yaml.dump(value, written)
    return written.getvalue()


def read_text(path: Path) -> str:
    """Return the UTF-8 text of a file that is one, and not too large; InputError if not."""
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{path}: is not a file")
        with path.open("rb") as file:
            return _text(file.read(MAX_BYTES + 1), str(path))
    except OSError as error:
        raise InputError(f"{shown(str(path))}: {error.strerror or error}") from None


def _text(data: bytes, name: str) -> str:
    if len(data) > MAX_BYTES:
        raise InputError(f"{name}: is larger than {MAX_BYTES} bytes")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        raise InputError(f"{name}: not UTF-8 text") from None


def _expanded(node: Any, name: str) -> int:
    """Return how many values a node stands for when all its aliases are written out.

    Raises InputError for a value that is no list, mapping, text, number or truth value.
    """
    sizes: dict[int, int] = {}

    def size(node: Any) -> int:
        if id(node) not in sizes:
            tag = str(node.tag).removeprefix(YAML_TAG)
            if tag not in PLAIN_TAGS:
                mark = node.start_mark
                place = f"{name}:{mark.line + 1}:{mark.column + 1}"
                raise InputError(f"{place}: {_printable(tag)} is no plain value")
            sizes[id(node)] = MAX_VALUES + 1  # what holds itself has no end
            parts = node.value if node.id in ("sequence", "mapping") else ()
            inner = (each for part in parts for each in (part if node.id == "mapping" else [part]))
            sizes[id(node)] = 1 + sum(size(each) for each in inner)
        return sizes[id(node)]

    return 0 if node is None else size(node)


def _printable(said: str) -> str:
    """Return a sentence without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in said)


def plain_text(value: str) -> str:
    """Return text on one line; raise ValueError if it holds what is no text."""
    value = " ".join(value.split())
    odd = [letter for letter in value if not letter.isprintable()]
    if odd:
        raise ValueError(f"{odd[0]!a} is not a letter")
    return value


def plain_number(value: Any) -> Any:
    """Raise ValueError for what Python would take for a number and YAML does not."""
    if isinstance(value, bool | str):
        raise ValueError(f"should be a number, not {shown(value, quoted=True)}")
    return value


def shown(value: Any, quoted: bool = False) -> str:
    """Write a value of a document short, on one line, and with nothing that a terminal obeys."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    plain = isinstance(value, str) and len(value) <= 60 and value.isprintable() and value.strip()
    return value if plain and not quoted else reprlib.repr(value)


def dotted(keys: Sequence[Any]) -> str:
    """Write the keys that lead to a value, as in domain.x."""
    return ".".join(shown(key) for key in keys)


Place = Callable[[Sequence[Any]], str]
Model = TypeVar("Model", bound="BaseModel")


class Fault(NamedTuple):
    """What is wrong, and the keys that lead to it; None where the sentence says where itself."""

    keys: tuple[Any, ...] | None
    said: str

    def told(self, place: Place) -> str:
        """Return the whole sentence. `place` returns how it begins for the keys it is given."""
        return self.said if self.keys is None else f"{place(self.keys)}: {self.said}"


def validated(model: "type[Model]", value: Any, place: Place, context: Any = None) -> "Model":
    """Return `value` as a model; raise InputError with every fault, each where `place` says.

    `context` is what the model's validators may ask for.
    """
    found = checked(model, value, context)
    if isinstance(found, list):
        raise InputError("\n".join(fault.told(place) for fault in found))
    return found


def checked(model: "type[Model]", value: Any, context: Any = None) -> "Model | list[Fault]":
    """Return `value` as a model, or every fault of it."""
    from pydantic import ValidationError

    try:
        return model.model_validate(value, context=context)
    except ValidationError as error:
        # A point of two wrong numbers has the same fault twice.
        return list(dict.fromkeys(_fault(model, each) for each in error.errors()))


WORDINGS = {
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
            unknown("key", shown(found["loc"][-1]), _fields(model, keys[:-1])),
        )
    if kind == "missing":
        return Fault(keys, "is missing")
    if kind == "model_type":
        return Fault(keys, "is no mapping")
    if kind == "value_error":
        return Fault(keys, said.removeprefix("Value error, "))
    said = WORDINGS.get(kind, f"{said[0].lower()}{said[1:]}")
    return Fault(keys, f"{said}, not {shown(found['input'], quoted=True)}")


def _fields(model: "type[BaseModel]", keys: Sequence[Any]) -> list[str]:
    """Return the names of the fields of a model, or of the one that stands under `keys`."""
    for key in keys:
        inner = model.model_fields[key].annotation if key in model.model_fields else None
        choices = [each for each in (inner, *get_args(inner)) if hasattr(each, "model_fields")]
        model = choices[0] if choices else model
    return list(model.model_fields)
