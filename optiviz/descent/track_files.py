"""Files in which other programs ."""

import io
import math
import re
from array import array
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from optiviz.descent.track_json import read_document
from optiviz.descent.trajectory import Trajectory
from optiviz.optimizers.spec import numbered
from optiviz.surfaces.domain import MAX_STEPS
from optiviz.surfaces.syntax import AXES, vector_names
from optiviz.system.arrays import read_npy, read_npz
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.files import opened_input
from optiviz.system.tables import cell_number, check_separated, table_lines
from optiviz.system.text import counted, shorten

SUFFIXES = ".json", ".csv", ".npz", ".npy"
NAMED = re.compile(rf"(.*?(?:{'|'.join(map(re.escape, SUFFIXES))}))(?::(.*))?", re.I | re.S)
MAX_BYTES, MAX_NUMBERS = 256_000_000, 30_000_000  # of a file
PLURALS = {"steps": "step", "losses": "loss"}
ARRAYS = "points", *AXES, "step", "loss", *PLURALS
NAMES = "label", "optimizer", "start"  # columns that tell several paths apart
COLUMNS = "x, y (or x1, x2, ..., or the names of the variables), step and loss"


class TrackFile(NamedTuple):
    """The SHA-256 of a file, and the paths in it by their names, "" for one without."""

    sha256: str
    paths: dict[str, Trajectory]
    variables: tuple[str, ...]  # names of the coordinates, () if they are x, y or x1, x2, ...


def split_name(text: str) -> tuple[str, str]:
    """Return the file and the label in FILE[:LABEL]; raise InputError for an unknown suffix."""
    found = NAMED.fullmatch(text)
    if found is None:
        raise InputError(f"{shorten(text, quoted=True)} must end in .json, .csv, .npz or .npy")
    return found[1], found[2] or ""


def read_track_file(file: str) -> TrackFile:
    """Return the paths in a file; raise InputError if it cannot be read or is invalid."""
    content = _content(file)
    digest = sha256(content).hexdigest()
    return TrackFile(digest, *_parsed(file, content))


def track_hash(file: str) -> str:
    """Return the SHA-256 of a file; raise InputError if it cannot be read."""
    return sha256(_content(file)).hexdigest()


@lru_cache(maxsize=8)
def known_paths(file: str, digest: str) -> dict[str, Trajectory]:
    """Return the paths in a file by their names; raise InputError for another SHA-256."""
    content = _content(file)
    if sha256(content).hexdigest() != digest:
        raise InputError(f"{file} has changed since the recipe was created")
    return _parsed(file, content)[0]


def named_path(file: str, paths: Mapping[str, Trajectory], label: str) -> Trajectory:
    """Return the path of a label: the only one of a file, else the one with this name."""
    if len(paths) == 1:
        return next(iter(paths.values()))
    if label not in paths:
        raise InputError(f"{file}: {did_you_mean('label', label, paths)}")
    return paths[label]


def _content(file: str) -> bytes:
    with opened_input(file, MAX_BYTES) as opened:
        return opened.read(MAX_BYTES)


def _parsed(file: str, content: bytes) -> "tuple[dict[str, Trajectory], tuple[str, ...]]":
    """Return the paths in a file, and the names of their coordinates unless these are usual."""
    match Path(file).suffix.lower():
        case ".npy":
            found = read_npy(content, file, MAX_NUMBERS)
            return {"": _path(file, found)}, ()
        case ".npz":
            return {"": _of_arrays(file, content)}, ()
        case ".json":
            return read_document(file, content, MAX_NUMBERS), ()
    return _of_table(file, content)


def _path(where: str, points: ArrayLike, **more: Any) -> Trajectory:
    """Return a recorded path; where is put in front of what is wrong with it."""
    try:
        return Trajectory.of(points, **more)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _of_arrays(file: str, content: bytes) -> Trajectory:
    """Return the path in an .npz file: the array points, or x and y."""
    found, names = read_npz(io.BytesIO(content), file, ARRAYS, MAX_NUMBERS)
    for name in names:
        if name not in found:
            raise InputError(f"{file}: {did_you_mean('array', name, ARRAYS)}")
    arrays = {PLURALS.get(name, name): each for name, each in found.items()}
    known = {"steps": arrays.pop("step", None), "losses": arrays.pop("loss", None)}
    axes = [name for name in AXES if name in arrays]
    if ("points" in arrays) == bool(axes) or axes == ["y"]:
        raise InputError(f"{file}: must have either an array points or arrays x and y")
    if not axes:
        return _path(file, arrays["points"], **known)
    shapes = [np.shape(arrays[name]) for name in axes]
    if len(shapes[0]) != 1 or len(set(shapes)) > 1:
        raise InputError(f"{file}: {' and '.join(axes)} must have one shape, (rows,)")
    return _path(file, np.stack([arrays[name] for name in axes], axis=-1), **known)


class _Table:
    """The columns of a .csv file: where the numbers of a row are."""

    def __init__(self, where: str, head: list[str]) -> None:
        names = [PLURALS.get(each.strip().lower(), each.strip().lower()) for each in head]
        if all(cell_number(each) is not None for each in names):
            raise InputError(f"{where}: must name the columns, for example step,x,y,loss")
        check_separated(where, head)
        self.places = {name: place for place, name in enumerate(names)}
        self.columns = len(names)
        if len(self.places) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(f"{where}: has the column {shorten(twice, quoted=True)} twice")
        others = [name for name in names if name not in (*NAMES, "step", "loss")]
        known = AXES[: len(others)], vector_names(len(others))
        self.axes = next((list(each) for each in known if set(others) == set(each)), others)
        own = self.axes not in map(list, known)
        strange = [each for each in others if not re.fullmatch(r"[xy]|x\d+", each)]
        if not others or (own and len(strange) < len(others)):
            said = f"unknown column {shorten(strange[0], quoted=True)}: " if strange else ""
            raise InputError(f"{where}: {said}the columns must be {COLUMNS}")
        self.variables = tuple(each.strip() for each in head if each.strip().lower() in others)
        self.variables = self.variables if own else ()
        self.values = [self.places[name] for name in (*self.axes, "loss") if name in self.places]

    def name(self, row: list[str]) -> tuple[str, ...]:
        """Return what tells the path of a row apart from others: its label and its start."""
        return tuple(row[self.places[name]] for name in NAMES if name in self.places)


class _Rows:
    """The rows of one path in a table: steps, and numbers one after another."""

    def __init__(self) -> None:
        self.steps, self.numbers = array("q"), array("d")
        self.seen = 0  # rows, empty ones included
        self.empty_since: int | None = None  # the first step of the empty rows that come last

    def add(self, step: int, numbers: list[float] | None) -> None:
        """Add a row; an empty one, None, counts only at the end of a path, which it then is."""
        self.seen += 1
        if numbers is None:
            self.empty_since = step if self.empty_since is None else self.empty_since
            return
        self.empty_since = None
        self.steps.append(step)
        self.numbers.extend(numbers)


def _of_table(file: str, content: bytes) -> "tuple[dict[str, Trajectory], tuple[str, ...]]":
    """Return the paths in a .csv file by their names, and the names of their coordinates."""
    table: _Table | None = None
    paths: dict[tuple[str, ...], _Rows] = {}
    for line, row in table_lines(file, content):
        if table is None:
            table = _Table(f"{file}:{line}", row)
            continue
        if len(row) != table.columns:
            many = counted(table.columns, "column")
            raise InputError(f"{file}:{line}: must have {many}, not {len(row)}")
        rows = paths.setdefault(table.name(row), _Rows())
        _add(rows, table, row, f"{file}:{line}")
    if table is None or not paths:
        raise InputError(f"{file}: contains no points")
    found = {}
    for name, rows in zip(_names(list(paths)), paths.values(), strict=True):
        where = f"{file}: {name}" if len(paths) > 1 else file
        found[name] = _of_rows(where, rows, table)
    return found, table.variables


def _add(rows: _Rows, table: _Table, row: list[str], where: str) -> None:
    """Add a row of a table to its path; raise InputError if a cell is no number."""
    cells = [row[place] for place in table.values]
    numbers = []
    for cell in cells:
        number = cell_number(cell) if cell.strip() else math.nan
        if number is None:
            raise InputError(f"{where}: must be a number, not {shorten(cell, quoted=True)}")
        numbers.append(number)
    step: float | None = rows.seen
    if "step" in table.places:
        cell = row[table.places["step"]]
        step = cell_number(cell)
        if step is None or not (0 <= step <= MAX_STEPS and step == int(step)):
            raise InputError(
                f"{where}: a step must be a whole number from 0 to {MAX_STEPS}, "
                f"not {shorten(cell, quoted=True)}"
            )
        if rows.steps and step <= rows.steps[-1]:
            raise InputError(
                f"{where}: steps must increase, but {step:.0f} follows {rows.steps[-1]}"
            )
    assert step is not None
    rows.add(int(step), numbers if any(map(str.strip, cells)) else None)
    if len(rows.numbers) > MAX_NUMBERS:
        raise InputError(f"{where}: more than {MAX_NUMBERS} numbers are not allowed")


def _of_rows(where: str, rows: _Rows, table: _Table) -> Trajectory:
    """Return the path of rows; those without numbers at its end are its end."""
    many = len(table.values)
    numbers = np.array(rows.numbers).reshape(-1, many)
    steps = np.array(rows.steps)
    if rows.empty_since is not None:
        numbers = np.concatenate([numbers, np.full((1, many), np.nan)])
        steps = np.append(steps, rows.empty_since)
    losses = numbers[:, -1] if "loss" in table.places else None
    return _path(where, numbers[:, : len(table.axes)], losses=losses, steps=steps)


def _names(keys: list[tuple[str, ...]]) -> list[str]:
    """Return a unique name of each path: its label, with a number if it has several starts."""
    labels = [key[0] if key else "" for key in keys]
    return numbered([" ".join(each.split()) for each in labels])
