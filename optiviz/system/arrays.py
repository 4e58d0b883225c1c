"""NumPy arrays in files that anybody may have written: bounded, and without pickled objects."""

import io
import math
import warnings
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any

import numpy as np

from optiviz.system.errors import InputError
from optiviz.system.text import shorten

MAX_HEAD = 100_000  # bytes in front of the numbers of an array, at most


def read_npz(
    source: Path | IO[bytes], name: str, wanted: Collection[str] | None, most: int
) -> tuple[dict[str, Any], list[str]]:
    """Return the wanted arrays of an .npz file, or all, and the names of all arrays in it.

    name is that of the file in messages, and most the largest number of numbers in an array, or in
    all arrays together if all are wanted. Raises InputError if the file is invalid.
    """
    given, found = dict[str, Any](), []
    try:
        with zipfile.ZipFile(source) as file, warnings.catch_warnings(action="ignore"):
            for entry in file.infolist():
                array = entry.filename.removesuffix(".npy")
                found.append(shorten(array))
                if wanted is not None and array not in wanted:
                    continue
                left = most if wanted is not None else most - sum(map(np.size, given.values()))
                if entry.file_size > 8 * left + MAX_HEAD:
                    raise InputError(f"{name}: {found[-1]} has more than {left} numbers")
                given[array] = _npy(file.read(entry), f"{name}: {found[-1]}", left)
    except InputError:
        raise
    except Exception as error:  # a broken or hostile file can make the libraries raise anything
        raise _invalid(name, "npz", error) from None
    return given, found


def read_npy(data: bytes, name: str, most: int) -> Any:
    """Return the array in an .npy file of at most `most` numbers; raise InputError if invalid."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return _npy(data, name, most)
    except InputError:
        raise
    except Exception as error:
        raise _invalid(name, "npy", error) from None


def _invalid(name: str, kind: str, error: Exception) -> InputError:
    said = (str(error).splitlines() or [type(error).__name__])[0]
    return InputError(f"{name}: is not a valid {kind} file: {shorten(said)}")


def _npy(data: bytes, name: str, most: int) -> Any:
    """Read one array in .npy format; reject a header that declares more than there is."""
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    read_head = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
    shape, _, dtype = read_head[min(version[0], 2)](file)
    if dtype.hasobject:
        raise InputError(f"{name} contains pickled objects, which are not read")
    many = math.prod(shape)
    if many > most:
        raise InputError(f"{name} has more than {most} numbers")
    if many * dtype.itemsize > len(data):
        raise InputError(f"{name} contains fewer numbers than its header declares: {many}")
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)
