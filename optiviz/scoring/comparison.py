"""Where a score differs from one that was made elsewhere, or before, from their JSON files."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from optiviz.surfaces.domain import Text
from optiviz.system.errors import InputError
from optiviz.system.files import opened_input
from optiviz.system.text import counted

MAX_BYTES = 500_000_000
Gap = float | None  # None where not finite


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Start(_Plain):
    """The run of an optimizer on a problem from one start: its gaps at the shares of the budget."""

    gaps: tuple[Gap, ...]


class _Runs(_Plain):
    """The runs of an optimizer on a problem."""

    problem: Text
    starts: tuple[_Start, ...]


class _Score(_Plain):
    """An optimizer and its runs."""

    label: Text
    runs: tuple[_Runs, ...]


class _Problem(_Plain):
    """A problem and its budget of evaluations."""

    name: Text
    budget: Annotated[int, Field(gt=0)]


class ScoreFile(_Plain):
    """What is compared of the JSON file of a score; a file may hold more."""

    machine: Text = ""
    versions: Mapping[Text, Text] = {}
    shares: tuple[float, ...]
    problems: tuple[_Problem, ...]
    scores: tuple[_Score, ...]


def score_of(numbers: Mapping[str, Any], versions: Mapping[str, str]) -> ScoreFile:
    """Return a score of its numbers as plain values, and the versions of software that made it."""
    return ScoreFile.model_validate({**numbers, "versions": versions})


class Difference(NamedTuple):
    """Where the run of an optimizer on a problem from a start, counted from 0, differs.

    evaluations is after how many the first gaps differ, of those that files have. there and here
    are these gaps, None where one is not finite.
    """

    optimizer: str
    problem: str
    start: int
    evaluations: int
    there: Gap
    here: Gap


def read_score(path: str) -> ScoreFile:
    """Return the score in a JSON file; raise InputError if there is none."""
    with opened_input(path, MAX_BYTES) as file:
        content = file.read()
    try:
        return ScoreFile.model_validate_json(content)
    except ValidationError:
        raise InputError(
            f"{path} is no score: name a file of optiviz score -o score.json"
        ) from None


def differences(there: ScoreFile, here: ScoreFile) -> Iterator[Difference | None]:
    """Yield the first difference of each run that both scores have; None if it has none."""
    budgets = {each.name: each.budget for each in here.problems}
    same = {each.name for each in there.problems if each.budget == budgets.get(each.name)}
    known = dict(_runs(there))
    for place, gaps in _runs(here):
        if place not in known or place[1] not in same:
            continue
        pairs = zip(here.shares, known[place], gaps, strict=False)
        first = next((each for each in pairs if each[1] != each[2]), None)
        if first is None:
            yield None
        else:
            share, before, after = first
            yield Difference(*place, max(1, round(share * budgets[place[1]])), before, after)


def _runs(score: ScoreFile) -> Iterator[tuple[tuple[str, str, int], tuple[Gap, ...]]]:
    """Yield the optimizer, the problem and the start of each run, with its gaps."""
    for optimizer in score.scores:
        for runs in optimizer.runs:
            for start, run in enumerate(runs.starts):
                yield (optimizer.label, runs.problem, start), run.gaps


def comparison(name: str, there: ScoreFile, here: ScoreFile) -> tuple[str, ...]:
    """Return sentences that say where a score differs from that of a file, and what may be why."""
    found = list(differences(there, here))
    if not found:
        return (f"{name} has no run of these optimizers on these problems and budgets",)
    differing = [each for each in found if each is not None]
    many = counted(len(found), "run")
    if not differing:
        return (f"{name} has {many} of these, which are the same",)
    lines = [f"{len(differing)} of {many} differ from {name}, made {_made(there, here)}"]
    for label in dict.fromkeys(each.optimizer for each in differing):
        first = min(
            (each for each in differing if each.optimizer == label),
            key=lambda each: each.evaluations,
        )
        lines.append(
            f"{label}: first after {counted(first.evaluations, 'evaluation')} on {first.problem} "
            f"from start {first.start}: a gap of {_number(first.there)}, here {_number(first.here)}"
        )
    return tuple(lines)


def _made(there: ScoreFile, here: ScoreFile) -> str:
    """Return on which machine and with which versions a score was made, as far as they differ."""
    ours, theirs = dict(here.versions), dict(there.versions)
    other = [
        f"{name} {theirs.get(name, 'unknown')} (here {ours[name]})"
        for name in ours
        if ours[name] != theirs.get(name)
    ]
    where = f"on {there.machine or 'an unknown machine'}"
    if there.machine != here.machine:
        where += f" (here {here.machine})"
    return f"{where} with {', '.join(other) or 'the same versions'}"


def _number(gap: Gap) -> str:
    return "no finite number" if gap is None else repr(gap)
