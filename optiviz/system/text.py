"""Text safe to print: user values, shortened to one line, without control characters."""

import reprlib
from collections.abc import Sequence
from typing import Any


def printable(said: str) -> str:
    """Return a message with unprintable characters replaced by "?"."""
    return "".join(letter if letter.isprintable() else "?" for letter in said)


def plain_text(value: str) -> str:
    """Return text on one line; raise ValueError if it has unprintable characters."""
    value = " ".join(value.split())
    odd = [letter for letter in value if not letter.isprintable()]
    if odd:
        raise ValueError(f"must not contain the unprintable character {odd[0]!a}")
    return value


def plain_number(value: Any) -> Any:
    """Return `value`; raise ValueError for a boolean or text, which pydantic would convert."""
    if isinstance(value, bool | str):
        raise ValueError(f"must be a number, not {shorten(value, quoted=True)}")
    return value


def shorten(value: Any, quoted: bool = False) -> str:
    """Return a value as short, printable text on one line."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    plain = isinstance(value, str) and len(value) <= 60 and value.isprintable() and value.strip()
    return value if plain and not quoted else reprlib.repr(value)


def counted(number: int, noun: str) -> str:
    """Return a number with a noun whose plural ends in s, as in "1 start" or "25 starts"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def key_path(keys: Sequence[Any]) -> str:
    """Return the keys of a value joined by dots, for example domain.x."""
    return ".".join(shorten(key) for key in keys)


def enumerated(names: Sequence[str]) -> str:
    """Return names as a list in prose, as in "a, b and c"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
