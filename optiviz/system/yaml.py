"""YAML text as plain values, with the line and column of each.

YAML 1.2, one document, without tags that construct objects. The document locates wrong values for
error messages.
"""

import re
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from optiviz.system.errors import InputError
from optiviz.system.text import key_path, printable, shorten

YAML_TAG = "tag:yaml.org,2002:"
PLAIN_TAGS = ("str", "int", "float", "bool", "null", "seq", "map", "timestamp", "merge")
HINTS = {  # what to write where the parser's words do not tell
    "mapping values are not allowed": ": put a text that has ': ' in quotation marks, or after >-",
    "unknown escape character": ": between double quotes, write \\\\ for \\, or use single ones",
    r"character '\t'": ": indent with spaces",
}
MAX_BYTES = 4_000_000
MAX_VALUES = 100_000


class Document:
    """The value of a YAML text, with the line and column of every key in it.

    `name` is the name of the text in messages, usually the path of the file. Raises InputError if
    the text is not valid YAML, or too large.
    """

    def __init__(self, text: str, name: str) -> None:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError

        self.name = name
        self._indices: dict[int, dict[str, tuple[Any, Any]]] = {}
        # The pure Python loader: the C loader crashes the process on deep nesting.
        yaml = YAML(typ="safe", pure=True)
        self._constructor = yaml.constructor
        try:
            # Parsing it would take a minute.
            if sum(map(text.count, ",[{\n")) > 2 * MAX_VALUES:
                raise InputError(f"{name}: more than {MAX_VALUES} values are not allowed")
            with warnings.catch_warnings(action="ignore"):  # an anchor may be redefined
                self._node = yaml.compose(text)
            if _expanded(self._node, name) > MAX_VALUES:
                said = f"more than {MAX_VALUES} values, with aliases expanded, are not allowed"
                raise InputError(f"{name}: {said}")
            self.value: Any = (
                None if self._node is None else yaml.constructor.construct_document(self._node)
            )
        except InputError:
            raise
        except MarkedYAMLError as error:
            ended = error.problem is not None and "end of stream" in error.problem
            marks = (error.problem_mark, error.context_mark)  # where it was noticed, where it began
            mark = next(filter(None, reversed(marks) if ended else marks), None)
            place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
            said = ", ".join(part for part in (error.context, error.problem) if part)
            said = re.sub(r'^.*(found duplicate key "[^"]*").*$', r"\1", said.splitlines()[0])
            hint = next((hint for found, hint in HINTS.items() if found in said), "")
            raise InputError(f"{place}: {printable(said)}{hint}") from None
        except (YAMLError, ValueError, TypeError, LookupError, AssertionError) as error:
            said = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(f"{name}: not valid YAML: {printable(said)}") from None
        except RecursionError:
            raise InputError(f"{name}: nested too deeply to be read") from None

    @classmethod
    def read(cls, path: Path) -> "Document":
        """Read a UTF-8 YAML file; "-" is standard input. Raises InputError if that fails."""
        if str(path) == "-":
            if sys.stdin is None:
                raise InputError("standard input is closed")
            return cls(_text(sys.stdin.buffer.read(MAX_BYTES + 1), "stdin"), "stdin")
        return cls(read_text(path), str(path))

    def position(self, keys: Sequence[Any]) -> str:
        """Return "name:line:column" of the value under `keys`, or of its nearest parent."""
        node, mark = self._node, getattr(self._node, "start_mark", None)
        for key in keys:
            if isinstance(key, int) and node.id == "sequence" and key < len(node.value):
                node = node.value[key]
                mark = node.start_mark
            elif node.id == "mapping" and shorten(key) in self._index(node):
                found, node = self._index(node)[shorten(key)]
                mark = found.start_mark
            else:
                break
        return f"{self.name}:{mark.line + 1}:{mark.column + 1}" if mark else self.name

    def locate(self, keys: Sequence[Any]) -> str:
        """Return the position and the joined keys of a value, the start of a message about it."""
        return f"{self.position(keys)}: {key_path(keys)}" if keys else self.position(keys)

    def _index(self, node: Any) -> dict[str, tuple[Any, Any]]:
        """Return a mapping's pairs of nodes by the short text of their key."""
        if id(node) not in self._indices:
            build = self._constructor.construct_object
            self._indices[id(node)] = {
                shorten(build(key, deep=True)): (key, value) for key, value in node.value
            }
        return self._indices[id(node)]


def yaml_text(value: Any) -> str:
    """Return plain values as YAML: one line per key, in their order."""
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
    """Return the text of a UTF-8 file of at most MAX_BYTES; raise InputError otherwise."""
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{path}: not a file")
        with path.open("rb") as file:
            return _text(file.read(MAX_BYTES + 1), str(path))
    except OSError as error:
        raise InputError(f"{shorten(str(path))}: {error.strerror or error}") from None


def _text(data: bytes, name: str) -> str:
    if len(data) > MAX_BYTES:
        raise InputError(f"{name}: must be at most {MAX_BYTES} bytes")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        raise InputError(f"{name}: not UTF-8 text") from None


def _expanded(node: Any, name: str) -> int:
    """Return the number of values in a node with all its aliases expanded.

    Raises InputError for a tag that is not in PLAIN_TAGS.
    """
    sizes: dict[int, int] = {}

    def size(node: Any) -> int:
        if id(node) not in sizes:
            tag = str(node.tag).removeprefix(YAML_TAG)
            if tag not in PLAIN_TAGS:
                mark = node.start_mark
                place = f"{name}:{mark.line + 1}:{mark.column + 1}"
                said = f"the tag {printable(tag)} is not allowed: write a plain value"
                raise InputError(f"{place}: {said}")
            sizes[id(node)] = MAX_VALUES + 1  # a value that contains itself is infinite
            parts = node.value if node.id in ("sequence", "mapping") else ()
            inner = (each for part in parts for each in (part if node.id == "mapping" else [part]))
            sizes[id(node)] = 1 + sum(size(each) for each in inner)
        return sizes[id(node)]

    return 0 if node is None else size(node)
