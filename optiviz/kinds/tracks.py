"""Tracks: paths that other programs recorded, as a recipe holds them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from optiviz.descent.track_files import (
    known_paths,
    named_path,
    read_track_file,
    split_name,
    track_hash,
)
from optiviz.descent.track_json import trajectory_of
from optiviz.descent.trajectory import Trajectory
from optiviz.kinds.base import BaseRecipe
from optiviz.objective import Objective
from optiviz.optimizers.spec import MAX_LABEL, labelled, numbered
from optiviz.shapes import ROLES, SHAPES
from optiviz.surfaces.domain import Text
from optiviz.system.errors import InputError
from optiviz.system.json_schema import TEXT, MappedSchema, any_of, one_or_several
from optiviz.system.text import counted, plain_number, plain_text, shorten

MAX_TRACKS = 100
# Numbers that all tracks of a recipe hold: those of files beyond the first limit stay there.
MAX_HELD, MAX_GIVEN = 6_000, 20_000
TOO_MANY = (
    f"a recipe can hold {MAX_GIVEN} recorded numbers: save more of them in a file, "
    "trajectory.save('run.json'), and name it"
)
UNNAMED = "track"
TOLERANCE = 1e-6  # of recorded losses, as a share of the largest one
RECORDED = {"points", "losses", "steps", "evaluations", "sketches"}  # fields with numbers
SHA256 = "^[0-9a-f]{64}$"


def _label(text: str) -> str:
    if not text or len(text) > MAX_LABEL:
        raise ValueError(f"must have from 1 to {MAX_LABEL} characters, not {len(text)}")
    return text


Label = Annotated[Text, AfterValidator(_label)]
MaybeNumber = Annotated[float | None, BeforeValidator(plain_number)]


Number = Annotated[float, BeforeValidator(plain_number)]
Numbers = tuple[Number, ...]


def _one_of(words: Iterable[str]) -> Any:
    return Annotated[str, Field(json_schema_extra={"enum": [*words]})]


class PlainShape(BaseModel):
    """A shape of `optiviz.shapes` as plain values: its kind, its role, and the numbers of both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shape: _one_of(SHAPES)  # type: ignore[valid-type]
    role: _one_of(ROLES)  # type: ignore[valid-type]
    points: tuple[Numbers, ...] | None = None
    center: Numbers | None = None
    matrix: tuple[Numbers, ...] | None = None
    point: Numbers | None = None
    value: Number | None = None
    gradient: Numbers | None = None
    hessian: tuple[Numbers, ...] | None = None


class StepSketch(BaseModel):
    """What another program looked at in one step."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: int
    shapes: tuple[PlainShape, ...]


class Track(BaseModel):
    """A path that another program recorded: its numbers or, if they are many, those of a file.

    points has a row per recorded step, of which steps has the numbers, 0, 1, ... unless specified,
    and losses the losses; None stands for a number that is not finite. evaluations are how often
    the objective had been evaluated by each of these steps, and sketches what the program looked at
    in some of them. A file has the SHA-256 that it had when the recipe was
    created. variables are the names of the coordinates, where these are not called x and y, or x1,
    x2 and so on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: Label
    file: str | None = None
    sha256: Annotated[str, Field(pattern=SHA256)] | None = None
    points: tuple[tuple[MaybeNumber, ...], ...] | None = None
    losses: tuple[MaybeNumber, ...] | None = None
    steps: tuple[int, ...] | None = None
    evaluations: tuple[int, ...] | None = None
    sketches: tuple[StepSketch, ...] | None = None
    variables: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        of_file = [self.file, self.sha256]
        numbers = [getattr(self, name) for name in RECORDED]
        if of_file != [None, None]:
            if None in of_file or any(each is not None for each in numbers):
                raise ValueError("must have either points or a file and its sha256")
            return self
        if self.points is None:
            raise ValueError("must have points or a file")
        try:
            _ = self.trajectory
        except InputError as error:
            raise ValueError(f"{self.label}: {error}") from None
        return self

    @cached_property
    def trajectory(self) -> Trajectory:
        """The recorded path; raises InputError if its file has changed or cannot be read."""
        if self.file is not None:
            return named_path(self.file, known_paths(self.file, str(self.sha256)), self.label)
        given = self.model_dump(include=RECORDED, exclude_none=True, mode="json")
        return replace(trajectory_of(given), label=self.label)

    @property
    def held(self) -> int:
        """How many numbers it holds."""
        return 0 if self.points is None else count_numbers(self.trajectory)

    def check_file(self) -> None:
        """Raise InputError if its file has changed since the recipe was created."""
        if self.file is not None and track_hash(self.file) != self.sha256:
            raise InputError(
                f"{self.file} has changed since the recipe was created: "
                f"to use the new version, pass --track {self.file}"
            )

    @property
    def last_step(self) -> int:
        """The last step that was recorded."""
        return self.steps[-1] if self.steps else self.trajectory.steps


def judged(
    track: Track, label: str, objective: Objective, name: str, variables: Sequence[str]
) -> tuple[Trajectory, float]:
    """Return the path of a track, with the losses of an objective where none was recorded.

    The second value is by how much recorded losses differ from those of the objective, 0 if they
    agree. name and variables are those of the surface. Raises InputError if the path does not fit
    the objective.
    """
    path = track.trajectory
    if track.variables:
        order = _order(label, track.variables, variables)
        path = replace(path, points=path.points[:, order])
    dim, points = objective.dim, path.points
    if points.shape[1] != dim:
        many = counted(points.shape[1], "coordinate")
        raise InputError(f"{label}: has {many}, but {name} is descended in {dim}")
    with np.errstate(all="ignore"):
        losses = np.array([float(objective.value(point)) for point in points])
    known = path.losses[path.step_of_row]
    recorded = np.isfinite(known)
    if not recorded.any():
        try:
            judged_path = Trajectory.of(points, label, losses, path.step_of_row)
        except InputError as error:
            raise InputError(f"{label}: {error}") from None
        return replace(judged_path, sketches=path.sketches, evaluations=path.evaluations), 0.0
    apart = np.nan_to_num(np.abs(known - losses)[recorded], nan=np.inf).max()
    differ = apart > TOLERANCE * np.abs(known[recorded]).max()
    return replace(path, label=label), float(apart) if differ else 0.0


def _order(label: str, given: Sequence[str], variables: Sequence[str]) -> list[int]:
    """Return the places of the variables among the names of columns."""
    for each in given:
        if each not in variables:
            meant = f"{', '.join(variables)}, " if len(variables) <= 4 else ""
            raise InputError(
                f"{label}: unknown column {shorten(each, quoted=True)}: the columns must be "
                f"{meant or 'x1, x2, ..., '}step and loss"
            )
    for each in variables:
        if each not in given:
            raise InputError(f"{label}: has no column {each}")
    return [given.index(each) for each in variables]


def track_files(value: Any) -> list[Path]:
    """Return the files named in a field whose content becomes part of the recipe."""
    return [Path(file) for file, known in _named(value) if not known]


def all_track_files(value: Any) -> list[Path]:
    """Return all files named in a field."""
    return [Path(file) for file, _ in _named(value)]


def _named(value: Any) -> Iterator[tuple[str, bool]]:
    """Yield the files named in a field, and whether their SHA-256 is given."""
    for each in value if isinstance(value, list | tuple) else [value]:
        known = isinstance(each, Mapping | Track)
        fields = dict(each) if known else {"file": each}
        file = fields.get("file")
        if isinstance(file, str | Path):
            with suppress(InputError):  # reported elsewhere
                yield (str(file) if known else split_name(str(file))[0]), bool(fields.get("sha256"))


class _Reader:
    """Reads the tracks of a recipe; files' numbers are held as long as they are few."""

    def __init__(self) -> None:
        self.held = 0

    def fields(self, value: Any) -> Iterator[Any]:
        """Yield the fields of the tracks that an item stands for."""
        match value:
            case Trajectory():
                if count_numbers(value) > MAX_GIVEN:
                    raise InputError(f"{shorten(value.label)}: {TOO_MANY}")
                yield value.to_dict()
            case str() | Path():
                yield from self._of_file(*split_name(str(value)))
            case {"file": str() | Path() as file, **rest} if not rest.keys() - {"label"}:
                label = rest.get("label", "")
                if not isinstance(label, str):
                    raise InputError(f"a label must be text, not {shorten(label, quoted=True)}")
                yield from self._of_file(str(file), label)
            case Track() | Mapping():
                yield value
            case _:
                raise InputError(
                    "must be a file or optiviz.Trajectory.of(points), "
                    f"not {shorten(value, quoted=True)}"
                )

    def _of_file(self, file: str, label: str) -> Iterator[dict[str, Any]]:
        """Yield the paths in a file: with a label all of one path, or the one of that name."""
        found = read_track_file(file)
        paths = found.paths
        if label and len(paths) > 1:
            paths = {label: named_path(file, paths, label)}
        for name, path in paths.items():
            named = label or name or _stem(file)
            if self.held + count_numbers(path) > MAX_HELD:
                yield {
                    "label": named,
                    "file": file,
                    "sha256": found.sha256,
                    "variables": found.variables,
                }
                continue
            self.held += count_numbers(path)
            yield path.to_dict() | {"label": named, "variables": found.variables}


def count_numbers(path: Trajectory) -> int:
    """Return how many numbers a track of a path holds."""
    sketched = sum(np.size(part) for each in path.sketches for shape in each for part in shape[:-1])
    recorded = len(path.points) if np.isfinite(path.losses).any() else 0
    counted_at = 0 if path.evaluations is None else len(path.points)
    return path.points.size + recorded + counted_at + sketched


def _stem(file: str) -> str:
    """Return the name of a file without its suffix as a label."""
    try:
        return plain_text(Path(file).stem) or UNNAMED
    except ValueError:
        return UNNAMED


def _read(value: Any) -> Any:
    """Return the tracks in a field, which may be one of them or a list."""
    reader = _Reader()
    items = value if isinstance(value, list | tuple) else [value]
    return tuple(track for each in items for track in reader.fields(each))


def _bounded(tracks: tuple[Track, ...]) -> tuple[Track, ...]:
    if sum(track.held for track in tracks) > MAX_GIVEN:
        raise ValueError(TOO_MANY)
    return tracks


Tracks = Annotated[
    tuple[Track, ...],
    BeforeValidator(_read),
    AfterValidator(_bounded),
    Field(max_length=MAX_TRACKS),
    MappedSchema(lambda kept: one_or_several(any_of(TEXT, kept["items"]))),
]


class TrackFields(BaseRecipe):
    """Paths that other programs recorded, which are drawn beside those of the optimizers.

    tracks are files such as "run.csv", or Trajectories; in a file they may be followed by a label.
    """

    tracks: Tracks = ()

    @property
    def track_labels(self) -> list[str]:
        """The label of each track, which no other entry has."""
        others = [label for _, label in labelled(self.specs)]
        return numbered([*others, *(track.label for track in self.tracks)])[len(others) :]

    @property
    def path_colors(self) -> list[tuple[str, str]]:
        return [*super().path_colors, *((label, "") for label in self.track_labels)]

    def check(self) -> None:
        super().check()
        for track in self.tracks:
            track.check_file()
