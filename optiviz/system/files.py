"""Atomic writing of files: a file is written completely or not at all."""

import os
import re
import reprlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import EACCES, ELOOP, ENAMETOOLONG, ENOTDIR
from importlib.resources import files
from io import BufferedReader
from pathlib import Path
from shutil import copymode
from uuid import uuid4

from optiviz.system.errors import InputError, OptivizError
from optiviz.system.text import shorten

try:
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:  # Windows
    flock = None  # type: ignore[assignment]

UNFINISHED = re.compile(r"\.optiviz-[0-9a-f]{12}\.\w+")  # names of temporary files


def shipped(name: str) -> Path:
    """Return the path of a file or a folder that comes with optiviz."""
    # In a wheel it is inside the package; in a clone, next to the package.
    package = Path(str(files("optiviz")))
    packed = package / name
    return packed if packed.exists() else package.parent / name


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary file beside `path`, which replaces it when the block succeeds.

    The temporary file has the same suffix, because writers choose the format by it. If `path` is
    a link, the link stays and its target is replaced. Temporary files left in the folder by killed
    processes are removed. Raises OptivizError if the file cannot be written.
    """
    try:
        target = _target(path)
        _make_folder(target.parent)
        with _claimed(target) as temporary:
            yield temporary
            if target.exists():
                copymode(target, temporary)
            temporary.replace(target)
    except OSError as error:
        raise OptivizError(f"{path} cannot be written: {_reason(error)}") from error


@contextmanager
def opened_input(file: str, max_bytes: int) -> Iterator[BufferedReader]:
    """Yield a user's file, opened; raise InputError if it cannot be read, is empty or too large."""
    try:
        path = Path(file).expanduser()
        if path.exists() and not path.is_file():
            raise InputError(f"{file}: not a file")
        with path.open("rb") as opened:
            size = path.stat().st_size
            if size > max_bytes:
                raise InputError(f"{file}: must be at most {max_bytes} bytes")
            if not size:
                raise InputError(f"{file}: is empty")
            yield opened
    except OptivizError:
        raise
    except FileNotFoundError:
        raise InputError(f"{shorten(file)}: no such file") from None
    except (OSError, ValueError, RuntimeError) as error:
        said = getattr(error, "strerror", None) or error
        raise InputError(f"{shorten(file)}: {said}") from None


def is_temporary(path: Path) -> bool:
    """Return whether a path is that of a temporary file of `atomic_write`."""
    return bool(UNFINISHED.fullmatch(path.name))


def real_path(path: Path) -> Path:
    """Return a path with its links resolved, or the path itself if that fails."""
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):  # no current directory, or a NUL in the name
        return path


def _target(path: Path) -> Path:
    """Return a path with its links resolved; raise OSError if it is a link to itself."""
    place = real_path(path)
    if place.is_symlink():
        raise OSError(ELOOP, os.strerror(ELOOP))
    return place


def _make_folder(folder: Path) -> None:
    """Create a folder if it does not exist, and remove abandoned temporary files from it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except RecursionError:
        raise OSError(ENAMETOOLONG, os.strerror(ENAMETOOLONG)) from None
    except FileExistsError:
        raise OSError(ENOTDIR, os.strerror(ENOTDIR)) from None
    if flock is None:
        return
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if UNFINISHED.fullmatch(entry.name):
                with suppress(OSError):
                    _remove(entry.path)


def _remove(path: str) -> None:
    """Remove a file; raise OSError if it is locked."""
    claim = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        flock(claim, LOCK_EX | LOCK_NB)
        Path(path).unlink()
    finally:
        os.close(claim)


@contextmanager
def _claimed(target: Path) -> Iterator[Path]:
    """Yield the path of a new file, locked while it is written.

    A process that dies loses its locks, so its file is recognised as abandoned.
    """
    while True:
        temporary = target.with_name(f".optiviz-{uuid4().hex[:12]}{target.suffix}")
        with temporary.open("xb") as claim:
            if flock is None:
                claim.close()  # an open file cannot be replaced on Windows
            else:
                with suppress(OSError):  # some file systems have no locks
                    flock(claim, LOCK_EX)
                if not os.fstat(claim.fileno()).st_nlink:  # removed before it was locked
                    continue
            try:
                yield temporary
            finally:
                with suppress(OSError):
                    temporary.unlink()
            return


def _reason(error: BaseException | None) -> str:
    """Return the operating system's message, even if a library has wrapped its error."""
    said = str(error)
    while error is not None:
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
        error = error.__cause__ or error.__context__
    return said


def check_writable(path: Path) -> None:
    """Raise InputError if a file cannot be written, before there is anything to write."""
    check_targets([path])
    place = real_path(path)
    above = next((each for each in place.parents if each.exists()), place)
    if not os.access(above, os.W_OK | os.X_OK):
        raise InputError(f"{path} cannot be written: {os.strerror(EACCES)}")


def check_targets(targets: Sequence[Path], overwrite: bool = True) -> None:
    """Raise InputError if a path cannot be written, or two paths are the same.

    Without `overwrite`, existing files are rejected too.
    """
    places = set()
    for target in targets:
        try:
            if target.is_dir():
                raise InputError(f"{target} is a directory")
            if target.exists() and not target.is_file():
                raise InputError(f"{target} is not a regular file")
            if target.exists() and not overwrite:
                raise InputError(f"{target} exists, and overwriting is off")
            place = _target(target)
            above = next((each for each in place.parents if each.exists()), place)
            if not above.is_dir():
                raise InputError(f"{target} cannot be written: {above.name} is not a directory")
            places.add(place)
        except OSError as error:  # for example a name too long, or a link to itself
            said = error.strerror
            raise InputError(f"{reprlib.repr(str(target))} cannot be written: {said}") from None
    if len(places) < len(targets):
        raise InputError("two outputs have the same path")
