"""Files that are written whole or not at all."""

import os
import re
import reprlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import ELOOP, ENAMETOOLONG, ENOTDIR
from pathlib import Path
from shutil import copymode
from uuid import uuid4

from optiviz.system.errors import InputError, OptivizError

try:
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:  # Windows
    flock = None  # type: ignore[assignment]

UNFINISHED = re.compile(r"\.optiviz-[0-9a-f]{12}\.\w+")  # the name of a file that is being written


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary file beside `path`, which takes its place once it is whole.

    It has the same suffix, because writers go by it. A link stays and its target is replaced. What
    a process that was killed has left there goes. Raises OptivizError for what the system refuses.
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


def real_path(path: Path) -> Path:
    """Return the place that a path leads to, links followed; where it leads nowhere, itself."""
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):  # the folder we are in is gone, a NUL in the name
        return path


def _target(path: Path) -> Path:
    """Return the place that a path leads to; raise OSError if it is a link to itself."""
    place = real_path(path)
    if place.is_symlink():
        raise OSError(ELOOP, os.strerror(ELOOP))
    return place


def _make_folder(folder: Path) -> None:
    """Make a folder, or remove from it the unfinished files that nobody writes any more."""
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
    """Remove a file; raise OSError if somebody has locked it."""
    claim = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        flock(claim, LOCK_EX | LOCK_NB)
        Path(path).unlink()
    finally:
        os.close(claim)


@contextmanager
def _claimed(target: Path) -> Iterator[Path]:
    """Yield the path of a new file, locked while it is written: the dead hold no locks."""
    while True:
        temporary = target.with_name(f".optiviz-{uuid4().hex[:12]}{target.suffix}")
        with temporary.open("xb") as claim:
            if flock is None:
                claim.close()  # what is open cannot be replaced there
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
    """Return what the system said. A library may have wrapped it in an error of its own."""
    said = str(error)
    while error is not None:
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
        error = error.__cause__ or error.__context__
    return said


def check_targets(targets: Sequence[Path], overwrite: bool = True) -> None:
    """Raise InputError if a path cannot be written, or two are the same."""
    places = set()
    for target in targets:
        try:
            if target.is_dir():
                raise InputError(f"{target} is a directory")
            if target.exists() and not target.is_file():
                raise InputError(f"{target} is not a regular file")
            if target.exists() and not overwrite:
                raise InputError(f"{target} exists and is not to be overwritten")
            place = _target(target)
            above = next((each for each in place.parents if each.exists()), place)
            if not above.is_dir():
                raise InputError(f"{target} cannot be written: {above.name} is not a directory")
            places.add(place)
        except OSError as error:  # a name too long, a link to itself
            said = error.strerror
            raise InputError(f"{reprlib.repr(str(target))} cannot be written: {said}") from None
    if len(places) < len(targets):
        raise InputError("two outputs have the same path")
