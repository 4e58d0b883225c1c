"""The exceptions a user sees: each is one sentence that names what is wrong and where.

This module imports nothing of optiviz, so every package can raise these.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches

REQUIRED = "required, but missing"  # the message for a value that is not there
MAX_CHOICES = 60  # choices that a message lists


class OptivizError(Exception):
    """A run that failed. Its message is for the user."""


class InputError(OptivizError, ValueError):
    """A mistake in the user's input, which the user can correct."""


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


def did_you_mean(kind: str, word: str, choices: Iterable[str]) -> str:
    """Return the message for a word that is not in `choices`, with the nearest valid one.

    >>> did_you_mean("surface", "wobly", ["wobbly", "plateau"])
    "unknown surface 'wobly': did you mean 'wobbly'?"
    """
    choices = sorted(choices)
    lowered = {choice.lower(): choice for choice in choices}
    said = word.lower()
    near = [each for each in lowered if sorted(each) == sorted(said)]
    near += get_close_matches(said, lowered, n=5, cutoff=0.5 if len(said) > 4 else 0.6)
    if said.startswith("."):  # suffixes are short, and have their dot in common
        near = [each for each in near if each[:2] == said[:2]]
    near.sort(key=lambda each: not (said.startswith(each) or each.startswith(said)))
    if not choices:
        return f"unknown {kind} {word!r}: none exist"
    shown = word if len(word) <= 60 else word[:57] + "..."
    if near:
        return f"unknown {kind} {shown!r}: did you mean {lowered[near[0]]!r}?"
    if len(choices) > MAX_CHOICES:
        return f"unknown {kind} {shown!r}: optiviz list shows all {len(choices)}"
    return f"unknown {kind} {shown!r}: choose from {', '.join(choices)}"


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
