"""The exceptions a user sees: each is one sentence that names what is wrong and where.

Every package can raise these.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import SequenceMatcher

from optiviz.system.synonyms import meanings, squashed
from optiviz.system.text import key_path

REQUIRED = "required, but missing"  # the message for a value that is not there
MAX_CHOICES = 60  # choices that a message lists
SHORT, BEGINNING = 4, 3  # letters of short words, and of a beginning that two words share
SIMILAR = 0.75  # least similarity of a slip of the pen, of 1 for the same word


class OptivizError(Exception):
    """A run that failed. Its message is for the user."""


class InputError(OptivizError, ValueError):
    """A mistake in the user's input, which the user can correct."""


class FieldError(InputError):
    """A mistake in a field of a recipe that is found when its picture is made; keys lead to it."""

    def __init__(self, keys: Sequence[str | int], message: str) -> None:
        super().__init__(f"{key_path(keys)}: {message}")
        self.keys, self.message = keys, message


def describe_error(error: BaseException) -> str:
    """Return one sentence for an error that is not an OptivizError."""
    match error:
        case MemoryError():
            return ": ".join(filter(None, ["not enough memory", *map(str, error.args)]))
        case FileNotFoundError(filename=None, strerror="No such file or directory"):
            return "the current directory no longer exists"  # other errors have a file name
        case OSError(strerror=str(why)):
            return f"{error.filename or 'operating system error'}: {why}"
    return " ".join(f"unexpected {type(error).__name__}: {error}".split())


def did_you_mean(kind: str, word: str, choices: Iterable[str], listed_by: str = "") -> str:
    """Return the message for a word that is not in `choices`, with what it may have meant.

    That is what it is called here, if the word comes from elsewhere, else the nearest choice, if
    that may be a slip of the pen. `listed_by` is the command that lists all choices; the message
    lists a few of them itself unless it is specified.

    >>> did_you_mean("surface", "wobly", ["wobbly", "plateau"])
    "unknown surface 'wobly': did you mean 'wobbly'?"
    >>> did_you_mean("option", "--epochs", ["--steps", "--seed"])
    "unknown option '--epochs': did you mean '--steps'?"
    """
    choices = sorted(choices)
    shown = word if len(word) <= 60 else word[:57] + "..."
    if not choices:
        return f"unknown {kind} {word!r}: none exist"
    meant = _known_otherwise(word, choices) or _nearest(word, choices)[:1]
    if meant:
        return f"unknown {kind} {shown!r}: did you mean {' or '.join(map(repr, meant))}?"
    if len(choices) > MAX_CHOICES:
        listed_by = listed_by or "optiviz list"
    if listed_by:
        return f"unknown {kind} {shown!r}: {listed_by} shows all"
    return f"unknown {kind} {shown!r}: choose from {', '.join(choices)}"


def is_typo(word: str, meant: str) -> bool:
    """Return whether a word of three letters or more is another one with a single slip.

    That is a letter after the first too many, too few or wrong, two neighbours swapped, or
    capitals. Digits are no slips.

    >>> is_typo("expp", "exp"), is_typo("sni", "sin"), is_typo("asin", "cosine")
    (True, True, False)
    """
    said, meant = word.lower(), meant.lower()
    if len(said) < 3 or abs(len(said) - len(meant)) > 1 or said[0] not in meant[:2]:
        return False
    if re.sub(r"\D", "", said) != re.sub(r"\D", "", meant):  # log3 is not log2
        return False
    begin = next(
        (at for at, pair in enumerate(zip(said, meant, strict=False)) if pair[0] != pair[1]), None
    )
    if begin is None:
        return True
    rest, other = said[begin:], meant[begin:]
    swapped = rest[:2] == other[1::-1] and rest[2:] == other[2:]
    return rest[1:] == other[1:] or rest[1:] == other or rest == other[1:] or swapped


def _known_otherwise(word: str, choices: Iterable[str]) -> list[str]:
    """Return the choices that people from elsewhere call `word`, with what follows them."""
    named = {squashed(choice): choice for choice in choices}
    found = []
    for meaning in meanings(word):
        name, *rest = re.split(r"(?=[ =:(])", meaning, maxsplit=1)
        if squashed(name) in named:
            found.append(named[squashed(name)] + "".join(rest))
    return found


def _nearest(word: str, choices: Iterable[str]) -> list[str]:
    """Return the choices of which `word` may be a slip of the pen, the nearest first.

    Those are choices with the same letters, the same beginning or most letters in common. Short
    words have letters in common by accident, unless they also begin alike and are as long.
    """
    said = _plain(word)
    near = []
    for choice in choices:
        each = _plain(choice)
        same, begins = sorted(each) == sorted(said), _begins(each, said)
        alike = SequenceMatcher(None, each, said).ratio()
        enough = 2 / 3 if len(said) == 3 else SIMILAR  # one letter of three may be wrong
        accident = len(said) <= SHORT and (each[:1] != said[:1] or abs(len(each) - len(said)) > 1)
        if same or begins or (alike >= enough and not accident):
            near.append((not same, not begins, -alike, choice))
    return [choice for *_, choice in sorted(near)]


def _plain(word: str) -> str:
    """Return a word in small letters, with one hyphen for each separator, and none at its ends."""
    return re.sub(r"[\W_]+", "-", word.lower()).strip("-")


def _begins(choice: str, said: str) -> bool:
    """Return whether one is the beginning of the other; what is said may not add a whole word."""
    shorter, longer = sorted((choice, said), key=len)
    rest = longer.removeprefix(shorter)
    return len(shorter) >= BEGINNING and rest != longer and not (longer is said and "-" in rest)


@contextmanager
def require_package(who: str, package: str, install: str) -> Iterator[None]:
    """Turn a failed import of a package into an error that says who needs it and what to do.

    Raises InputError with the pip command if the package is not installed, and OptivizError if it
    is installed but cannot be imported.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise InputError(f"{who} needs {package}: pip install '{install}'") from error
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        raise OptivizError(f"{who} needs {package}, which cannot be loaded: {said}") from error
