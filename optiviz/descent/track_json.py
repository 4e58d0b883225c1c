"""Recorded paths with what their programs looked at, in .json: documents of objects and lists."""

import json
import math
from collections.abc import Mapping
from typing import Any

from optiviz.descent.trajectory import Trajectory
from optiviz.optimizers.spec import numbered
from optiviz.shapes import Sketch, checked_sketch, from_dict
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.text import plain_text, shorten

KEYS = "label", "points", "losses", "steps", "evaluations", "sketches"
# How files of our own call these: `points` are all variables of a path on a plane.
OWN = {"path": "points", "loss": "losses", "path_steps": "steps"}
# What else files of our own have, of which a recorded path makes no use.
BESIDE = (
    *("optimizer", "hyperparameters", "lr_source", "params", "start", "distance", "accuracy"),
    *("plane_loss", "batch_loss", "diverged_at", "no_gradient_at", "stopped_at"),
)
AROUND = "recipe", "versions", "plane"
EXAMPLE = '{"points": [[1, 2], [0.5, 1]]}'


def read_document(file: str, content: bytes, most: int) -> dict[str, Trajectory]:
    """Return the paths in a .json file of at most `most` numbers by their names.

    Raises InputError, which begins with the file and the place in it, if it is invalid.
    """
    where = file
    try:
        paths = _paths(_parsed(content, most))
        names = numbered([_label(path) for path in paths])
        found = {}
        for name, path in zip(names, paths, strict=True):
            where = f"{file}: {name}" if len(paths) > 1 and name else file
            found[name] = trajectory_of(path)
        return found
    except json.JSONDecodeError as error:
        raise InputError(f"{file}:{error.lineno}: is not valid JSON: {error.msg}") from None
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _parsed(content: bytes, most: int) -> Any:
    """Return what a document says; raise InputError if it says a key twice."""
    if content.count(b",") > most:
        raise InputError(f"more than {most} numbers are not allowed")
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_unique)
    except (InputError, json.JSONDecodeError):
        raise
    except UnicodeDecodeError:
        raise InputError("not UTF-8 text") from None
    except ValueError:  # a whole number of thousands of digits
        raise InputError("a number is too large") from None
    except RecursionError:
        raise InputError("is nested too deeply") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"has the key {shorten(twice, quoted=True)} twice")
    return found


def _paths(document: Any) -> list[Mapping[str, Any]]:
    """Return the paths of a document, which may be one itself."""
    if not isinstance(document, Mapping):
        raise InputError(f"must be an object such as {EXAMPLE}")
    if "trajectories" not in document:
        return [document]
    for key in document:
        if key not in ("trajectories", *AROUND):
            raise InputError(did_you_mean("key", key, ["trajectories", *AROUND]))
    paths = document["trajectories"]
    if not isinstance(paths, list) or not all(isinstance(each, Mapping) for each in paths):
        raise InputError(f"trajectories must be a list of objects such as {EXAMPLE}")
    if not paths:
        raise InputError("contains no trajectories")
    return paths


def _label(path: Mapping[str, Any]) -> str:
    label = path.get("label", "")
    if not isinstance(label, str):
        raise InputError(f"a label must be text, not {shorten(label, quoted=True)}")
    try:
        return plain_text(label)
    except ValueError as error:
        raise InputError(f"label: {error}") from None


def trajectory_of(given: Mapping[str, Any]) -> Trajectory:
    """Return the path of plain values: points, losses, steps, evaluations and sketches.

    Raises InputError if they are invalid.
    """
    for key in given:
        if key not in (*KEYS, *OWN, *BESIDE):
            raise InputError(did_you_mean("key", key, KEYS))
    found = {name: given.get(name, given.get(own)) for own, name in OWN.items()}
    if found["points"] is None:
        raise InputError("has no points")
    points = _rows(found.pop("points"))
    found["evaluations"] = given.get("evaluations")
    losses, steps, evaluations = (
        None if each is None else [_number(one, name) for one in _listed(each, name)]
        for name, each in found.items()
    )
    path = Trajectory.of(points, steps=steps)
    if losses is not None and len(losses) == path.steps + 1:  # those of all steps
        losses = [losses[step] for step in path.step_of_row.tolist()]
    sketches = _sketches(given.get("sketches"), path)
    return Trajectory.of(points, "", losses, steps, sketches, evaluations)


def _sketches(given: Any, path: Trajectory) -> list[Sketch]:
    """Return the sketch of each row of a path."""
    if given is None:
        return []
    known, found = set(path.step_of_row.tolist()), dict[int, Sketch]()
    for each in _listed(given, "sketches"):
        if not isinstance(each, Mapping) or {*each} != {"step", "shapes"}:
            raise InputError("each of sketches must be an object with a step and shapes")
        step = each["step"]
        if type(step) is not int:
            raise InputError(
                f"the step of a sketch must be a whole number, not {shorten(step, quoted=True)}"
            )
        if step not in known:
            raise InputError(f"step {shorten(step)}: has a sketch, but no point")
        if step in found:
            raise InputError(f"step {step}: has two sketches")
        try:
            shapes = map(from_dict, _listed(each["shapes"], "shapes"))
            found[step] = checked_sketch(tuple(shapes), path.points.shape[1])
        except InputError as error:
            raise InputError(f"step {step}: {error}") from None
    return [found.get(step, ()) for step in path.step_of_row.tolist()]


def _rows(given: Any) -> list[list[float]]:
    """Return the coordinates of points, of which one may be a number alone."""
    rows = [each if isinstance(each, list) else [each] for each in _listed(given, "points")]
    if len({len(row) for row in rows}) > 1:
        raise InputError("points must have equally many coordinates")
    return [[_number(each, "points") for each in row] for row in rows]


def _listed(given: Any, name: str) -> list[Any]:
    if not isinstance(given, list):
        raise InputError(f"{name} must be a list, not {shorten(given, quoted=True)}")
    return given


def _number(given: Any, name: str) -> float:
    """Return a number, nan for None; raise InputError if it is neither."""
    if given is None:
        return math.nan
    if type(given) not in (int, float):
        raise InputError(f"{name} must be numbers, not {shorten(given, quoted=True)}")
    try:
        return float(given)
    except OverflowError:
        raise InputError(f"{name}: a number is too large") from None
