"""Where results are kept, each in a file whose name is the hash of all that it depends on.

That is the user's cache folder, or a folder of results that somebody chose, which also has a record
of the last score: its recipe and versions.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from optiviz.system.cache import ignore_cached, read_cached, write_cached
from optiviz.system.errors import InputError
from optiviz.system.files import atomic_write
from optiviz.system.text import shorten

FORMAT = 1  # of results, and of the folders that they are in
RECORD = "score.json"

Kept = TypeVar("Kept")


class Store:
    """Files of results: in the cache, or in a folder, whose damaged files are listed.

    record is the text of the record that the folder gets with the first results.
    """

    def __init__(self, folder: Path | None = None, record: str = "") -> None:
        self.folder = folder
        self.damaged: list[Path] = []
        self._record = record

    def read(self, name: str, read: Callable[[bytes], Kept]) -> Kept | None:
        """Return what `read` finds in a file, None if that is not there, or damaged: a ValueError.

        Raises InputError if the file cannot be read.
        """
        content = read_cached(_cached(name)) if self.folder is None else self._content(name)
        if content is None:
            return None
        try:
            return read(content)
        except (ValueError, TypeError, OSError) as error:
            if self.folder is None:
                ignore_cached(_cached(name), str(error))
            else:
                self.damaged.append(self.folder / name)
            return None

    def write(self, name: str, content: bytes) -> None:
        """Keep the bytes of a file; raise OptivizError if a folder cannot be written."""
        if self.folder is None:
            write_cached(_cached(name), content)
            return
        with atomic_write(self.folder / name) as temporary:
            temporary.write_bytes(content)

    def begin(self) -> None:
        """Write the record of a folder; raise OptivizError if that is impossible."""
        if self.folder is not None and self._record:
            text = json.dumps({"format": FORMAT, **json.loads(self._record)}, indent=1)
            with atomic_write(self.folder / RECORD) as temporary:
                temporary.write_text(text + "\n", encoding="utf-8")

    def _content(self, name: str) -> bytes | None:
        assert self.folder is not None
        path = self.folder / name
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}") from None


def _cached(name: str) -> str:
    return f"scores/{name}"


_store: ContextVar[Store | None] = ContextVar("store", default=None)


@contextmanager
def results_in(folder: Path, record: str) -> Iterator[Store]:
    """Keep results in a folder, which is created, instead of the cache.

    record is JSON with the recipe and the versions of the score, which the folder gets. Raises
    InputError, before anything is written, if the folder holds anything but results of this
    version.
    """
    read_record(folder)
    store = Store(folder, record)
    token = _store.set(store)
    try:
        yield store
    finally:
        _store.reset(token)


def current_store() -> Store:
    """Return where results are kept now."""
    return _store.get() or Store()


def read_record(folder: Path) -> Path | None:
    """Return the record in a folder of results, None if there is no such folder yet.

    Raises InputError if it is no folder of results of this version.
    """
    path = folder / RECORD
    try:
        if not folder.exists() or not any(folder.iterdir()):
            return None
        said = path.read_text("utf-8")
    except FileNotFoundError:
        raise InputError(f"{folder} holds files, but no results: name another folder") from None
    except NotADirectoryError:
        raise InputError(f"{folder} is a file: name a folder of results") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    found: dict[str, Any] = {}
    with suppress(ValueError, TypeError):
        found |= json.loads(said)
    known = found.get("versions")
    if "format" not in found or not isinstance(known, dict):
        raise InputError(f"{path} is no record of a score: name another folder of results")
    theirs, ours = str(known.get("optiviz")), version("optiviz-cli")
    if theirs == ours and found["format"] != FORMAT:
        theirs, ours = (f"{theirs}, format {each}" for each in (found["format"], FORMAT))
    if theirs != ours:
        raise InputError(
            f"{folder} has results of optiviz {shorten(theirs)}, which are not mixed with those of "
            f"{ours}: name another folder"
        )
    return path
