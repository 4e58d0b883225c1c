"""Trainings: the checkpoints that another program saved, as a recipe holds them."""

import glob
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

import numpy as np
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from optiviz.descent.problem import Problem
from optiviz.descent.space_problem import SpaceProblem
from optiviz.descent.trajectory import Trajectory
from optiviz.kinds.tracks import SHA256, Label, TrackFields
from optiviz.objective import Array
from optiviz.optimizers.spec import labelled, numbered
from optiviz.surfaces.checkpoint_files import (
    SUFFIXES,
    Recording,
    checkpoint_hash,
    is_recording,
    known_tensors,
    read_recording,
)
from optiviz.surfaces.domain import MAX_STEPS
from optiviz.surfaces.space import Space
from optiviz.system.errors import InputError
from optiviz.system.json_schema import TEXT, MappedSchema, any_of, one_or_several
from optiviz.system.text import counted, shorten

MAX_FILES, MAX_TRAININGS = 10_000, 100
MAX_ENTRIES = 100_000  # files and folders that a pattern is compared with
MAX_BYTES = 1_000_000_000  # of the points of all trainings of a recipe
# Recorded losses that are further from those of the model, as a share of the largest one, differ:
# a program that computes in float32 has them up to rounding.
TOLERANCE = 1e-5
NAMED = re.compile(rf"(.*(?:{'|'.join(map(re.escape, SUFFIXES))}))(?::([^/\\]*))?", re.I | re.S)
NUMBER = re.compile(r"\d+(?:\.\d+)?")
LABEL = "training"


class Training(BaseModel):
    """A training run of another program: the checkpoints that it saved, in order.

    files have the SHA-256 that they had when the recipe was created, and steps are those of the
    checkpoints: one per file, or all of the one file of `optiviz.record`. They are what `of`, a
    pattern such as "run/*.pt" or the name of a file, stood for, of which every `every`-th was kept;
    of is "" for files that were named one by one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: Label = LABEL
    of: str = ""
    every: Annotated[int, Field(ge=1)] = 1
    files: Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_FILES)]
    sha256: tuple[Annotated[str, Field(pattern=SHA256)], ...]
    steps: Annotated[
        tuple[Annotated[int, Field(ge=0, le=MAX_STEPS)], ...],
        Field(min_length=2, max_length=MAX_STEPS),
    ]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.sha256) != len(self.files):
            raise ValueError("must have one sha256 per file")
        if len(self.steps) != len(self.files) != 1:
            raise ValueError("must have one step per file")
        if any(second <= first for first, second in zip(self.steps, self.steps[1:], strict=False)):
            raise ValueError("steps must increase")
        return self

    @property
    def is_recorded(self) -> bool:
        """Whether it is a file of `optiviz.record`, which has several checkpoints."""
        return len(self.files) == 1

    def checkpoints(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the file and the tensors of each checkpoint, in order.

        Raises InputError if a file has changed since the recipe was created, or cannot be read.
        """
        if not self.is_recorded:
            for file, digest in zip(self.files, self.sha256, strict=True):
                yield file, self._unchanged(file, lambda: known_tensors(file, digest))  # noqa: B023
            return
        (file,), found = self.files, self._recording()
        for row in thinned(len(found.steps), self.every):
            yield file, {name: each[row] for name, each in found.tensors.items()}

    def recorded_losses(self) -> Array:
        """Return the loss that was recorded at each checkpoint, shape (steps,), nan for none."""
        if not self.is_recorded:
            return np.full(len(self.steps), np.nan)
        found = self._recording()
        losses: Array = found.losses[thinned(len(found.steps), self.every)]
        return losses

    def _recording(self) -> Recording:
        (file,), (digest,) = self.files, self.sha256
        found: Recording = self._unchanged(file, lambda: read_recording(file, digest))
        if len(thinned(len(found.steps), self.every)) != len(self.steps):
            many = counted(len(self.steps), "checkpoint")
            raise InputError(f"{file}: must hold {many}, as the recipe says")
        return found

    def _unchanged(self, file: str, read: Any) -> Any:
        """Return what `read` returns; say what to pass if the file has changed."""
        try:
            return read()
        except InputError as error:
            if "has changed" not in str(error):
                raise
            passed = " ".join(f"'{each}'" for each in [self.of or file])
            raise InputError(
                f"{error}: to use the new version, pass --checkpoints {passed}"
            ) from None


def trained(training: Training, label: str, problem: Problem) -> tuple[Trajectory, float]:
    """Return the path of a training with the true losses of its checkpoints.

    The loss of a checkpoint is that of all samples, with the buffers that the checkpoint has. The
    second value is by how much recorded losses differ, 0 if they agree or there are none. Raises
    InputError if the checkpoints are of another model.
    """
    name = problem.surface.name or "the formula"
    if not isinstance(problem, SpaceProblem):
        raise InputError(f"{label}: checkpoints are those of a model, and {name} is none")
    if problem.in_plane:
        raise InputError(
            f"{label}: checkpoints have all weights, but {name} is descended on its plane alone: "
            "pass --plane path or --plane random:0"
        )
    rows = len(training.steps)
    space: Space = problem.origin.space
    dim = len(space.initial)
    if 8 * rows * dim > MAX_BYTES:
        kept = max(2, MAX_BYTES // (8 * dim) - 1)
        raise InputError(
            f"{label}: {rows} checkpoints of {dim} parameters take too much memory: "
            f"keep fewer, with --every {training.every * -(-rows // kept)}"
        )
    points, losses, accuracy = np.empty((rows, dim)), np.empty(rows), None
    for row, (file, tensors) in enumerate(training.checkpoints()):
        points[row], at = space.from_tensors(tensors, file)
        with np.errstate(all="ignore"):
            losses[row] = at.objective.value(points[row])
            if row == rows - 1:
                accuracy = at.accuracy(points[row])
    if (points == points[0]).all():
        raise InputError(
            f"{label}: all {rows} checkpoints are the same"
            + (": pass the parameters, recording.step(loss, x), unless they change in place")
            * training.is_recorded
        )
    try:
        path = Trajectory.of(points, label, losses, training.steps)
    except InputError as error:
        raise InputError(f"{label}: {error}") from None
    known = training.recorded_losses()
    recorded = np.isfinite(known) & np.isfinite(losses)
    apart = float(np.abs(known - losses)[recorded].max(initial=0.0))
    differ = apart > TOLERANCE * float(np.abs(known[recorded]).max(initial=0.0))
    return replace(path, accuracy=accuracy), apart if differ else 0.0


def thinned(many: int, every: int) -> Array:
    """Return the indices of every `every`-th of many things, first and last included.

    >>> thinned(8, 3).tolist()
    [0, 3, 6, 7]
    """
    kept: Array = np.unique([*range(0, many, every), many - 1])
    return kept


def in_order(files: Sequence[str]) -> tuple[list[str], list[int]]:
    """Return files in the order of the numbers in their names, and the steps of these.

    A file's number is the last whole one in its path that is not the same in all; files without
    one follow by name. The steps are these numbers if all files have different ones, up to a
    million, else 0, 1, ...

    >>> in_order(["e10-loss0.2.pt", "e9-loss0.3.pt"])
    (['e9-loss0.3.pt', 'e10-loss0.2.pt'], [9, 10])
    """
    numbers = [
        [int(each) for each in NUMBER.findall(str(Path(file).with_suffix(""))) if "." not in each]
        for file in files
    ]
    if len({len(each) for each in numbers}) == 1:
        telling = [place for place in zip(*numbers, strict=True) if len(set(place)) > 1]
        numbers = [[place[row] for place in telling] for row in range(len(files))]
    last = {file: each[-1] if each else None for file, each in zip(files, numbers, strict=True)}
    ordered = sorted(files, key=lambda file: (last[file] is None, last[file] or 0, file))
    steps = [last[file] for file in ordered]
    known = [step for step in steps if step is not None]
    if len(known) < len(files) or len(set(known)) < len(known) or max(known) > MAX_STEPS:
        return ordered, list(range(len(files)))
    return ordered, known


class _Written(NamedTuple):
    """Files, as they were written, that are one training."""

    label: str
    of: str
    files: list[str]


def _split(text: str) -> tuple[str, str]:
    """Return the pattern or file, and the label, in PATTERN[:LABEL]."""
    found = NAMED.fullmatch(text)
    return (found[1], found[2] or "") if found else (text, "")


def _matching(text: str) -> list[str] | None:
    """Return the checkpoints that a pattern matches, None if it is the name of a file."""
    try:
        path = Path(text).expanduser()
        if path.is_dir():
            raise InputError(f"{text}: is a folder: write a pattern, such as '{text}/*.pt'")
        if not glob.has_magic(text) or path.exists():
            return None
        found = [
            each
            for each in _searched(text, path)
            if each.lower().endswith(SUFFIXES) and Path(each).is_file()
        ]
    except InputError:
        raise
    except (OSError, ValueError, RuntimeError, re.error) as error:
        raise InputError(f"{shorten(text)}: {error}") from None
    if len(found) > MAX_FILES:
        raise InputError(f"{shorten(text)}: matches more than {MAX_FILES} checkpoints")
    return sorted(found)


def _searched(text: str, pattern: Path) -> Iterable[str]:
    """Return what a pattern matches, as glob.glob does, but links to folders are not under **.

    Raises InputError after MAX_ENTRIES files and folders, so that no pattern walks a whole disk.
    """
    seen = 0

    def entries(folder: str, hidden: bool) -> Iterator[os.DirEntry[str]]:
        nonlocal seen
        unread = suppress(NotADirectoryError, FileNotFoundError, PermissionError)
        with unread, os.scandir(folder or ".") as listed:
            for each in listed:
                seen += 1
                if seen > MAX_ENTRIES:
                    raise InputError(
                        f"{shorten(text)}: is compared with more than {MAX_ENTRIES} files and "
                        "folders: write a narrower pattern"
                    )
                if hidden or not each.name.startswith("."):
                    yield each

    def below(folder: str) -> Iterator[str]:
        yield folder
        left = [folder]
        while left:
            inside = left.pop()
            for each in entries(inside, hidden=False):
                yield os.path.join(inside, each.name)  # noqa: PTH118
                if each.is_dir(follow_symlinks=False):
                    left.append(os.path.join(inside, each.name))  # noqa: PTH118

    found: Iterable[str] = [pattern.anchor]
    for part in pattern.parts[bool(pattern.anchor) :]:
        if part == "**":
            found = [place for folder in found for place in below(folder)]
        elif glob.has_magic(part):
            found = [
                os.path.join(folder, each.name)  # noqa: PTH118
                for folder in found
                for each in entries(folder, hidden=part.startswith("."))
                if fnmatch(each.name, part)
            ]
        else:
            found = [os.path.join(folder, part) for folder in found]  # noqa: PTH118
    return dict.fromkeys(found)


def _written(value: Any, label: str = "") -> Iterator[_Written | Mapping[str, Any] | Training]:
    """Yield the trainings that are named in a field: patterns, or files together."""
    together: dict[str, list[str]] = {}
    for each in value if isinstance(value, list | tuple) else [value]:
        match each:
            case str() | Path():
                text, own = _split(str(each))
                if not text:
                    raise InputError("must be a file or a pattern, not ''")
                named, found = own or label or LABEL, _matching(text)
                if found is None and not (text.lower().endswith(".npz") and is_recording(text)):
                    together.setdefault(named, []).append(text)
                    continue
                if found == []:
                    raise InputError(
                        f"no checkpoint matches {shorten(text, quoted=True)}: "
                        f"they end in {', '.join(SUFFIXES)}"
                    )
                kept = (
                    [text] if found is None else [file for file in found if not is_recording(file)]
                )
                if kept:
                    yield _Written(named, text, kept)
                for file in found or ():
                    if file not in kept:
                        yield _Written(named, file, [file])
            case {"files": list() | tuple() | str() | Path() as files, **rest} if (
                not rest.keys() - {"label"} and isinstance(rest.get("label", ""), str)
            ):
                yield from _written(files, str(rest.get("label", "")))
            case Training() | Mapping():
                yield each
            case _:
                raise InputError(f"must be a file or a pattern, not {shorten(each, quoted=True)}")
    for named, files in together.items():
        yield _Written(named, "", files)


def _fields(written: _Written, every: int) -> dict[str, Any]:
    """Return the fields of a training; raise InputError if its files cannot be read."""
    if len(written.files) > MAX_FILES:
        raise InputError(f"more than {MAX_FILES} checkpoints are not allowed: write fewer files")
    fields = {"label": written.label, "of": written.of, "every": every}
    first = written.files[0]
    if len(written.files) == 1:
        digest = checkpoint_hash(first)
        if not is_recording(first):
            raise InputError(f"{written.of or first}: is one checkpoint, but a path needs two")
        steps = read_recording(first, digest).steps
        if steps[-1] > MAX_STEPS:
            steps = np.arange(len(steps))
        kept = steps[thinned(len(steps), every)].tolist()
        return fields | {"files": (first,), "sha256": (digest,), "steps": kept}
    files, numbers = in_order(written.files)
    places = thinned(len(files), every).tolist()
    return fields | {
        "files": tuple(files[place] for place in places),
        "sha256": tuple(checkpoint_hash(files[place]) for place in places),
        "steps": tuple(numbers[place] for place in places),
    }


def _read(value: Any, info: ValidationInfo) -> Any:
    """Return the trainings in a field: patterns, files or what a recipe holds."""
    every, found = info.data.get("every", 1), list[Any]()
    for each in _written(value):
        if isinstance(each, _Written):
            found.append(_fields(each, every))
            continue
        held = each.every if isinstance(each, Training) else each.get("every", 1)
        if held != every:
            of = (each.of if isinstance(each, Training) else each.get("of")) or "run/*.pt"
            raise InputError(
                f"every {held} of them is held: pass --checkpoints {shorten(of, quoted=True)}, too"
            )
        found.append(each)
    return tuple(found)


def named_checkpoints(value: Any) -> Iterator[str]:
    """Yield the files and patterns in a field that are held without a hash, and read none."""
    for each in value if isinstance(value, list | tuple) else [value]:
        if isinstance(each, str | Path):
            yield _split(str(each))[0]
        elif isinstance(each, Mapping) and "sha256" not in each:
            yield from named_checkpoints(each.get("files"))


def searches_far(text: str) -> bool:
    """Return whether a pattern searches folders that are not right below this one."""
    far = Path(text).is_absolute() or text.startswith(("~", "/", "\\"))
    return glob.has_magic(text) and (far or bool({"**", ".."} & {*Path(text).parts}))


def as_texts(trainings: Sequence[Training]) -> list[str] | None:
    """Return trainings as on a command line, None if that would be read as others.

    No file is read: patterns are taken to match what they did.
    """
    texts, together = list[str](), list[str]()
    for each in trainings:
        label = "" if each.label == LABEL else each.label
        if not each.of:
            together.append(each.label)
            thinned_again = len(thinned(len(each.files), each.every)) < len(each.files)
            if each.is_recorded or thinned_again or each.label in together[:-1]:
                return None
        elif together:  # files that are named one by one come last
            return None
        kept = [*each.files], [*each.steps]
        if not each.is_recorded and each.every == 1 and in_order(each.files) != kept:
            return None
        for named in [each.of] if each.of else each.files:
            texts.append(f"{named}:{label}" if label else named)
            if _split(texts[-1]) != (named, label):
                return None
    return texts


def checkpoint_files(value: Any) -> list[Path]:
    """Return all files named in a field."""
    named = list[str]()
    try:
        for each in _written(value):
            fields = each._asdict() if isinstance(each, _Written) else dict(each)
            files = fields.get("files")
            named += [file for file in files or () if isinstance(file, str)]
    except InputError:  # reported elsewhere
        return []
    return [Path(file).expanduser() for file in named]


Trainings = Annotated[
    tuple[Training, ...],
    BeforeValidator(_read),
    Field(max_length=MAX_TRAININGS),
    MappedSchema(lambda kept: one_or_several(any_of(TEXT, _WRITTEN, kept["items"]))),
]
_WRITTEN = {
    "type": "object",
    "properties": {"files": one_or_several(TEXT), "label": TEXT},
    "required": ["files"],
    "additionalProperties": False,
}


class CheckpointFields(TrackFields):
    """Training runs of other programs, drawn beside optimizers and tracks from their checkpoints.

    checkpoints are patterns, such as "run/*.pt", or files; every=N keeps every N-th checkpoint, the
    first and the last included.
    """

    every: Annotated[int, Field(ge=1)] = 1
    checkpoints: Trainings = ()

    @property
    def training_labels(self) -> list[str]:
        """The label of each training, which no other entry has."""
        others = [label for _, label in labelled(self.specs)] + self.track_labels
        return numbered([*others, *(each.label for each in self.checkpoints)])[len(others) :]

    @property
    def path_colors(self) -> list[tuple[str, str]]:
        return [*super().path_colors, *((label, "") for label in self.training_labels)]

    def check(self) -> None:
        super().check()
        if self.every > 1 and not self.checkpoints:
            raise InputError("every: needs checkpoints, but there are none")
