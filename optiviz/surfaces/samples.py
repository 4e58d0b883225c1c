"""Samples that a curve is fitted to: columns of numbers, given, or in a .csv, .npz or .npy file."""

import io
import math
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from optiviz.objective import Array
from optiviz.surfaces.syntax import AXES
from optiviz.system.arrays import read_npy, read_npz
from optiviz.system.errors import InputError
from optiviz.system.files import opened_input
from optiviz.system.tables import cell_number, check_separated, table_lines
from optiviz.system.text import counted, shorten

MAX_BYTES, MAX_NUMBERS = 16_000_000, 1_000_000  # of a file
MAX_SAMPLES = 10_000
SUFFIXES = ".csv", ".npz", ".npy"

Columns = tuple[tuple[str, tuple[float, ...]], ...]  # names, each with a number per sample


def file_of_samples(name: str) -> str:
    """Return the name of a file; raise InputError if its suffix is not one of SUFFIXES."""
    if Path(name).suffix.lower() not in SUFFIXES:
        raise InputError(f"{shorten(name, quoted=True)} must end in .csv, .npz or .npy")
    return name


def samples_hash(file: str) -> str:
    """Return the SHA-256 of a file; raise InputError if it cannot be read."""
    return sha256(_content(file)).hexdigest()


def column_names(file: str) -> tuple[str, ...]:
    """Return the names of the columns of a file; raise InputError if it is not valid."""
    return tuple(_columns(file, _content(file)))


def read_columns(file: str, names: Sequence[str], expected: str = "") -> dict[str, Array]:
    """Return some columns of a file by their names, each of shape (samples,).

    Raises InputError if the file has another SHA-256 than expected, or if what it has in these
    columns are not finite numbers.
    """
    content = _content(file)
    if expected and sha256(content).hexdigest() != expected:
        raise InputError(f"{file}: has changed: its SHA-256 is not the expected one")
    columns = _columns(file, content)
    found = {name: _numbers(file, name, columns[name]) for name in names}
    check_lengths(found, f"{file}: ")
    return found


def given_columns(value: Any) -> Columns:
    """Return the columns in a mapping from names to numbers, or in pairs of x and y.

    Raises ValueError if there are none.
    """
    if not isinstance(value, Mapping):
        rows = value if isinstance(value, list | tuple | np.ndarray) else ()
        if not len(rows) or any(np.shape(row) != (len(AXES),) for row in rows):
            raise ValueError("must be a file, or points such as [[0, 1.5], [1, 2.1]]")
        value = dict(zip(AXES, zip(*rows, strict=True), strict=True))
    columns: list[tuple[str, tuple[float, ...]]] = []
    for name, numbers in value.items():
        if not isinstance(name, str) or not isinstance(numbers, list | tuple | np.ndarray):
            raise ValueError(f"{shorten(name)} must be a list of numbers")
        for each in numbers:
            real = isinstance(each, int | float | np.number) and not isinstance(each, bool)
            if not real or not math.isfinite(each):
                said = shorten(each, quoted=True)
                raise ValueError(f"{shorten(name)} must contain finite numbers, not {said}")
        columns.append((name, tuple(map(float, numbers))))
    check_lengths(dict(columns))
    return tuple(columns)


def check_lengths(columns: Mapping[str, Sequence[float] | Array], where: str = "") -> None:
    """Raise InputError unless all columns have as many numbers, some but not too many."""
    lengths = {name: len(each) for name, each in columns.items()}
    if not lengths or not max(lengths.values()):
        raise InputError(f"{where}there are no samples")
    if len(set(lengths.values())) > 1:
        (one, less), *_, (other, more) = sorted(lengths.items(), key=lambda each: each[1])
        raise InputError(f"{where}{one} and {other} differ in length: {less} and {more}")
    if max(lengths.values()) > MAX_SAMPLES:
        raise InputError(f"{where}more than {MAX_SAMPLES} samples are not allowed")


def _content(file: str) -> bytes:
    with opened_input(file_of_samples(file), MAX_BYTES) as opened:
        return opened.read(MAX_BYTES)


def _columns(file: str, content: bytes) -> Mapping[str, Any]:
    """Return the columns of a file: arrays, or the cells of a table with the numbers of lines."""
    match Path(file).suffix.lower():
        case ".csv":
            return _of_table(file, content)
        case ".npy":
            found = np.asarray(read_npy(content, file, MAX_NUMBERS))
            if found.ndim != len(AXES) or found.shape[1] != len(AXES):
                shape = " x ".join(map(str, found.shape))
                raise InputError(f"{file}: must have two columns, x and y, but is {shape}")
            return dict(zip(AXES, found.T, strict=True))
    return read_npz(io.BytesIO(content), file, None, MAX_NUMBERS)[0]


def _of_table(file: str, content: bytes) -> dict[str, list[tuple[int, str]]]:
    """Return the columns of a table, whose first line names them: each cell with its line."""
    columns: dict[str, list[tuple[int, str]]] = {}
    for line, cells in table_lines(file, content):
        where = f"{file}:{line}"
        if not columns:
            names = [each.strip() for each in cells]
            if all(cell_number(each) is not None for each in names):
                raise InputError(f"{where}: must name the columns, for example x,y")
            check_separated(where, cells)
            columns = {name: [] for name in names}
            if len(columns) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise InputError(f"{where}: has the column {shorten(twice, quoted=True)} twice")
        elif len(cells) != len(columns):
            many = counted(len(columns), "column")
            raise InputError(f"{where}: must have {many}, not {len(cells)}")
        else:
            for column, cell in zip(columns.values(), cells, strict=True):
                column.append((line, cell))
    return columns


def _numbers(file: str, name: str, column: Any) -> Array:
    """Return the numbers in a column, shape (samples,); raise InputError for anything else."""
    if isinstance(column, list):
        numbers = [cell_number(cell) for _, cell in column]
        for (line, cell), number in zip(column, numbers, strict=True):
            if number is None or not math.isfinite(number):
                said = shorten(cell, quoted=True)
                raise InputError(f"{file}:{line}: {name} must be a finite number, not {said}")
        return np.array(numbers, float)
    array = np.asarray(column)
    if array.dtype.kind not in "buif" or array.ndim != 1 or not np.isfinite(array).all():
        raise InputError(f"{file}: {shorten(name)} must be one list of finite numbers")
    return array.astype(float)
