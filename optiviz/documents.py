"""A YAML text as plain values, each of which still knows its line.

YAML 1.2, one document, no tags that could build an object. Whoever checks the values asks the
document where a wrong one stands.
"""

import reprlib
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from optiviz.errors import InputError, unknown

if TYPE_CHECKING:
    from pydantic import BaseModel

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
        # The pure loader: the C one crashes the process on deep nesting.
        yaml = YAML(typ="safe", pure=True)
        try:
            with warnings.catch_warnings(action="ignore"):  # an anchor may be used again
                self._node = yaml.compose(text)
            if _expanded(self._node) > MAX_VALUES:
                raise InputError(f"{name}: its aliases expand to more than {MAX_VALUES} values")
            self.value: Any = (
                None if self._node is None else yaml.constructor.construct_document(self._node)
            )
        except InputError:
            raise
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
            said = ", ".join(part for part in (error.context, error.problem) if part)
            raise InputError(f"{place}: {said.splitlines()[0]}") from None
        except (YAMLError, ValueError, TypeError, LookupError) as error:
            said = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(f"{name}: not YAML: {said}") from None
        except RecursionError:
            raise InputError(f"{name}: nested too deeply to be read") from None

    @classmethod
    def read(cls, path: Path) -> "Document":
        """Read a file as UTF-8 YAML."""
        try:
            if path.exists() and not path.is_file():
                raise InputError(f"{path}: is not a file")
            if path.stat().st_size > MAX_BYTES:
                raise InputError(f"{path}: is larger than {MAX_BYTES} bytes")
            return cls(path.read_text(encoding="utf-8-sig"), str(path))
        except InputError:
            raise
        except UnicodeDecodeError:
            raise InputError(f"{path}: not UTF-8 text") from None
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}") from None

    def place(self, keys: Sequence[str | int]) -> str:
        """Return "name:line:column" of the value under `keys`, or of its nearest parent."""
        node, mark = self._node, getattr(self._node, "start_mark", None)
        for key in keys:
            if isinstance(key, int) and node.id == "sequence" and key < len(node.value):
                node = node.value[key]
                mark = node.start_mark
            elif node.id == "mapping":
                found = [(k, v) for k, v in node.value if k.value == str(key)]
                if not found:
                    break
                mark, node = found[0][0].start_mark, found[0][1]
            else:
                break
        return f"{self.name}:{mark.line + 1}:{mark.column + 1}" if mark else self.name


def _expanded(node: Any) -> int:
    """Return how many values a node stands for when all its aliases are written out."""
    sizes: dict[int, int] = {}

    def size(node: Any) -> int:
        if id(node) not in sizes:
            sizes[id(node)] = MAX_VALUES + 1  # what holds itself has no end
            parts = node.value if node.id in ("sequence", "mapping") else ()
            inner = (each for part in parts for each in (part if node.id == "mapping" else [part]))
            sizes[id(node)] = 1 + sum(size(each) for each in inner)
        return sizes[id(node)]

    return 0 if node is None else size(node)


def plain_text(value: str) -> str:
    """Return text on one line; raise ValueError if it holds what is no text."""
    value = " ".join(value.split())
    odd = [letter for letter in value if not letter.isprintable()]
    if odd:
        raise ValueError(f"{odd[0]!a} is not a letter")
    return value


Place = Callable[[Sequence[str | int]], str]
Model = TypeVar("Model", bound="BaseModel")


def validated(model: "type[Model]", value: Any, place: Place, context: Any = None) -> "Model":
    """Return `value` as a model; raise InputError with every fault, each where `place` says.

    `place` is given the keys that lead to a fault and returns how the sentence begins; `context`
    is what the model's validators may ask for.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate(value, context=context)
    except ValidationError as error:
        # A point of two wrong numbers has the same fault twice.
        faults = dict.fromkeys(_sentence(model, each, place) for each in error.errors())
        raise InputError("\n".join(faults)) from None


def _sentence(model: "type[BaseModel]", fault: Any, place: Place) -> str:
    # Pydantic names the branches of a union among the keys, as in "function-plain[...]".
    keys = [key for key in fault["loc"] if isinstance(key, int) or key.isidentifier()]
    if fault["type"] == "extra_forbidden" and len(keys) == 1:
        return f"{place(keys)}: {unknown('key', str(keys[0]), model.model_fields)}"
    if fault["type"] in ("missing", "model_type"):
        return f"{place(keys)}: is {'missing' if fault['type'] == 'missing' else 'no mapping'}"
    if fault["type"] == "value_error":
        return f"{place(keys)}: {fault['msg'].removeprefix('Value error, ')}"
    said = fault["msg"].removeprefix("Input ")
    return f"{place(keys)}: {said[0].lower()}{said[1:]}, not {reprlib.repr(fault['input'])}"
