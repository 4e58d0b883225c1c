"""The numbers of a scene: JSON with everything, CSV with one row a step.

No writer, because whoever wants numbers need not wait for matplotlib.
"""

import csv
import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from optiviz.descent.trajectory import Trajectory
from optiviz.objective import Array
from optiviz.scene import Basin, Descent, Response, Run, Scene, Tried, Tuned
from optiviz.surfaces.surface import AXES


def save_json(scene: Scene, path: Path, comment: str) -> None:
    """Write what the comment holds, which is JSON, and every number of a scene.

    Numbers are in full precision, null where not finite.
    """
    tell, _ = _tellers(scene)
    record = json.loads(comment) | tell(scene)
    path.write_text(json.dumps(record, allow_nan=False) + "\n", encoding="utf-8")


def save_csv(scene: Scene, path: Path, comment: str) -> None:
    """Write a comment, then a table of one row a step; empty where not finite.

    Starts are numbered from 0.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# {comment}\n")
        table = csv.writer(file, lineterminator="\n")
        _, rows = _tellers(scene)
        for row in rows(scene):
            table.writerow(_finite(each) if isinstance(each, float) else each for each in row)


Row = Iterator[Sequence[str | int | float]]


def _tellers(scene: Scene) -> tuple[Callable[[Any], dict[str, Any]], Callable[[Any], Row]]:
    """Return what tells the numbers of a scene as a mapping, and what tells them as rows."""
    tellers: dict[type[Scene], Any] = {
        Run: (_run, _run_rows),
        Response: (_response, _response_rows),
        Tuned: (_tuned, _tuned_rows),
        Basin: (_basins, _basins_rows),
    }
    found: tuple[Callable[[Any], dict[str, Any]], Callable[[Any], Row]] = tellers[type(scene)]
    return found


def _run(scene: Run) -> dict[str, Any]:
    learned = scene.surface.network is not None
    trajectories = [
        _trajectory(entry, path, learned) for entry in scene.entries for path in entry.trajectories
    ]
    if not learned:
        return {"trajectories": trajectories}
    window = scene.surface.window.model_dump(mode="json")
    plane = {"axes": scene.surface.axes, "domain": window}
    return {"plane": plane, "trajectories": trajectories}


def _run_rows(scene: Run) -> Row:
    added = []
    if scene.surface.network is not None:
        batches = any(path.true_losses is not None for path in scene.trajectories)
        added = ["distance", *(["batch_loss"] if batches else [])]
    yield ["label", "optimizer", "start", "step", *AXES[: scene.surface.dim], "loss", *added]
    for entry in scene.entries:
        for start, path in enumerate(entry.trajectories):
            table = np.full((path.steps + 1, scene.surface.dim + 1 + len(added)), np.nan)
            table[path.kept, : scene.surface.dim] = path.points
            table[:, scene.surface.dim] = _losses(path)
            for column, name in enumerate(added, start=scene.surface.dim + 1):
                if name == "distance":
                    table[path.kept, column] = _distances(path)
                else:
                    table[:, column] = path.losses
            for step, row in enumerate(table.tolist()):
                yield [entry.label, entry.word.name, start, step, *row]


def _response(scene: Scene) -> dict[str, Any]:
    assert isinstance(scene, Response)
    return {
        "signal": scene.signal.name,
        "gradient": list(scene.signal.gradient),
        "responses": [
            {
                "label": entry.label,
                "optimizer": entry.word.name,
                "hyperparameters": entry.choice.optimizer.hyperparameters(),
                "lr_source": entry.choice.source,
                "update": [_finite(each) for each in entry.update.tolist()],
            }
            for entry in scene.entries
        ],
    }


def _response_rows(scene: Scene) -> Row:
    assert isinstance(scene, Response)
    yield ["label", "optimizer", "step", "gradient", "update"]
    for entry in scene.entries:
        rows = zip(scene.signal.gradient, entry.update.tolist(), strict=True)
        for step, row in enumerate(rows):
            yield [entry.label, entry.word.name, step, *row]


def _tuned(scene: Tuned) -> dict[str, Any]:
    return {"searches": [_search(entry) for entry in scene.entries]}


def _search(entry: Tried) -> dict[str, Any]:
    found = entry.search
    best = {key: values[found.best] for key, values in found.values.items()}
    reached = None if found.reached is None else found.reached.mean(axis=1)
    return {
        "label": entry.label,
        "optimizer": entry.word.name,
        "hyperparameters": entry.choice.optimizer.hyperparameters(),
        "best": {
            **best,
            "loss": _finite(float(found.losses[found.best].min())),
            "median_loss": _finite(float(found.medians[found.best])),
            "reached": None if reached is None else float(reached[found.best]),
            "diverged": float(found.diverged[found.best]),
        },
        "values": {key: values.tolist() for key, values in found.values.items()},
        "median_loss": [_finite(each) for each in found.medians.tolist()],
        "reached": None if reached is None else reached.tolist(),
        "diverged": found.diverged.tolist(),
        "loss": [[_finite(each) for each in row] for row in found.losses.tolist()],
    }


def _tuned_rows(scene: Tuned) -> Row:
    keys = list(dict.fromkeys(key for entry in scene.entries for key in entry.search.values))
    yield ["label", "optimizer", "trial", *keys, "start", "loss", "reached"]
    for entry in scene.entries:
        found = entry.search
        for trial, losses in enumerate(found.losses.tolist()):
            tried = [float(found.values[key][trial]) if key in found.values else "" for key in keys]
            for start, loss in enumerate(losses):
                reached = "" if found.reached is None else int(found.reached[trial, start])
                yield [entry.label, entry.word.name, trial, *tried, start, loss, reached]


def _basins(scene: Basin) -> dict[str, Any]:
    """Return the minima, and of each optimizer the grid of their numbers, null where none is."""
    maps = [
        {
            "label": entry.label,
            "optimizer": entry.word.name,
            "hyperparameters": entry.choice.optimizer.hyperparameters(),
            "lr_source": entry.choice.source,
            "reached": [_known(row) for row in entry.basins.reached.tolist()],
            "arrived": [_known(row) for row in entry.basins.arrived.tolist()],
        }
        for entry in scene.entries
    ]
    window = scene.surface.window.model_dump(mode="json")
    return {"domain": window, "minima": scene.minima.tolist(), "basins": maps}


def _known(numbers: Sequence[int]) -> list[int | None]:
    return [None if number < 0 else number for number in numbers]


def _basins_rows(scene: Basin) -> Row:
    yield ["label", "optimizer", "row", "column", "minimum", "arrived"]
    for entry in scene.entries:
        found = entry.basins
        for (row, column), reached in np.ndenumerate(found.reached):
            known = [int(reached), int(found.arrived[row, column])] if reached >= 0 else ["", ""]
            yield [entry.label, entry.word.name, row, column, *known]


def _trajectory(entry: Descent, path: Trajectory, learned: bool) -> dict[str, Any]:
    return {
        "label": entry.label,
        "optimizer": entry.word.name,
        "hyperparameters": path.optimizer.hyperparameters(),
        "lr_source": entry.choice.source,
        "start": [_finite(each) for each in path.start.tolist()],
        "path": [[_finite(each) for each in point] for point in path.points.tolist()],
        "loss": [_finite(each) for each in _losses(path).tolist()],
        "diverged_at": path.diverged_at,
        "no_gradient_at": path.no_gradient_at,
        "stopped_at": path.stopped_at,
    } | (_learned(path) if learned else {})


def _learned(path: Trajectory) -> dict[str, Any]:
    """Return what there is of a network's path alone: its points are not those of all steps."""
    batches = {} if path.true_losses is None else {"batch_loss": path.losses}
    numbers = {"distance": _distances(path), **batches}
    return {
        "path_steps": path.kept.tolist(),
        **{key: [_finite(each) for each in row.tolist()] for key, row in numbers.items()},
        "accuracy": path.accuracy,
    }


def _losses(path: Trajectory) -> Array:
    """Return the true losses, one a step; nan where there are batches and nobody measured it."""
    if path.true_losses is None:
        return path.losses
    losses = np.full(path.steps + 1, np.nan)
    losses[path.kept] = path.true_losses
    return losses


def _distances(path: Trajectory) -> Array:
    return np.zeros(len(path.points)) if path.distances is None else path.distances


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
