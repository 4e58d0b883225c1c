"""Values that somebody wrote, in sentences: short, on one line, nothing that a terminal obeys."""

import reprlib
from collections.abc import Sequence
from typing import Any


def printable(said: str) -> str:
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
        raise ValueError(f"should be a number, not {shorten(value, quoted=True)}")
    return value


def shorten(value: Any, quoted: bool = False) -> str:
    """Write a value of a document short, on one line, and with nothing that a terminal obeys."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    plain = isinstance(value, str) and len(value) <= 60 and value.isprintable() and value.strip()
    return value if plain and not quoted else reprlib.repr(value)


def key_path(keys: Sequence[Any]) -> str:
    """Write the keys that lead to a value, as in domain.x."""
    return ".".join(shorten(key) for key in keys)
