"""The exceptions a user sees, each one sentence that names what is wrong and where.

Nothing here imports anything of ours: every room may raise these.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches

MOST = 60  # choices that a sentence names


class OptivizError(Exception):
    """A run that could not be finished."""


class InputError(OptivizError, ValueError):
    """A mistake in what the user wrote; mending the words mends the run."""


def describe_error(error: BaseException) -> str:
    """Return one sentence for an error that is none of ours."""
    match error:
        case MemoryError():
            return ": ".join(filter(None, ["not enough memory", *map(str, error.args)]))
        case FileNotFoundError(filename=None, strerror="No such file or directory"):
            return "the folder we are in is gone"  # all else that is sought has a name
        case OSError(strerror=str(why)):
            return f"{error.filename or 'the system refuses'}: {why}"
    return " ".join(f"unexpected {type(error).__name__}: {error}".split())


def did_you_mean(kind: str, word: str, choices: Iterable[str]) -> str:
    """Return the sentence for a word that is none of `choices`, with the nearest right one.

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
        return f"unknown {kind} {word!r}: there is none"
    shown = word if len(word) <= 60 else word[:57] + "..."
    if near:
        return f"unknown {kind} {shown!r}: did you mean {lowered[near[0]]!r}?"
    if len(choices) > MOST:
        return f"unknown {kind} {shown!r}: optiviz list tells all {len(choices)} that there are"
    return f"unknown {kind} {shown!r}: choose from {', '.join(choices)}"


@contextmanager
def require_package(who: str, package: str, install: str) -> Iterator[None]:
    """Say of a package that cannot be imported who needs it, and what installs it or is wrong."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise InputError(f"{who} needs {package}: pip install '{install}'") from error
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        raise OptivizError(f"{who} needs {package}, which cannot be loaded: {said}") from error
