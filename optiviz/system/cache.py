"""The user's cache folder: files that only save time, so any that is not as written is ignored.

A file is named by the hash of all that its content depends on, so that it is never out of date, and
begins with the hash of its content. Only files that belong to the user are read. Why a file was
ignored or not written is logged at level DEBUG.
"""

import logging
import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path

from optiviz.system.errors import OptivizError
from optiviz.system.files import atomic_write

LOG = logging.getLogger("optiviz")
DIGEST_BYTES = 20


def cache_folder() -> Path:
    """Return optiviz's folder in the user's cache folder (XDG base directories)."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(given) if given.startswith("/") else Path("~/.cache")
    with suppress(RuntimeError):  # the user has no home folder
        root = root.expanduser()
    if not root.is_absolute():
        root = Path(tempfile.gettempdir())
    return root / "optiviz"


def cache_key(*parts: str | bytes | memoryview) -> str:
    """Return the hash of all that the content of a cached file depends on."""
    hashed = blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        data = memoryview(part.encode() if isinstance(part, str) else part)
        hashed.update(b"%d:" % data.nbytes)
        hashed.update(data)
    return hashed.hexdigest()


def source_hash(package: str, *names: str) -> str:
    """Return the hash of files of a package, for what depends on the code in them."""
    return cache_key(*((files(package) / name).read_bytes() for name in names))


def cached(name: str, make: Callable[[], bytes]) -> bytes:
    """Return the content of the cached file `name`, which `make` returns if there is none."""
    content = read_cached(name)
    if content is None:
        content = make()
        write_cached(name, content)
    return content


def read_cached(name: str) -> bytes | None:
    """Return the content of the cached file `name`, or None if it is missing or not to be used."""
    path = cache_folder() / name
    try:
        wrong, data = _read(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        wrong, data = str(error), b""
    digest, _, content = data.partition(b"\n")
    if not wrong and digest != _digest(content):
        wrong = "it is damaged"
    if wrong:
        ignore_cached(name, wrong)
        return None
    return content


def write_cached(name: str, content: bytes) -> None:
    """Write a cached file; if that is impossible, only time is lost."""
    path = cache_folder() / name
    try:
        with atomic_write(path) as temporary:
            temporary.write_bytes(_digest(content) + b"\n" + content)
    except OptivizError as error:
        LOG.debug("nothing is cached: %s", error)


def remove_cached(name: str) -> None:
    """Remove a cached file, if there is one."""
    with suppress(OSError):
        (cache_folder() / name).unlink()


def ignore_cached(name: str, why: str) -> None:
    """Log that a cached file is not used."""
    LOG.debug("%s is ignored: %s", cache_folder() / name, why)


def _read(path: Path) -> tuple[str, bytes]:
    """Return what is wrong with a file, "" if nothing is, and what it contains."""
    opened = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # it may be a named pipe
    with os.fdopen(opened, "rb") as file:
        found = os.fstat(opened)
        if not stat.S_ISREG(found.st_mode):
            return "it is not a regular file", b""
        if hasattr(os, "geteuid") and found.st_uid != os.geteuid():
            return "it belongs to another user", b""
        return "", file.read()


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=DIGEST_BYTES).hexdigest().encode()
