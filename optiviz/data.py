"""The numbers of a scene: JSON with everything, CSV with one row a step.

No writer, because whoever wants numbers need not wait for matplotlib.
"""

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from optiviz.descent import Trajectory
from optiviz.scene import Entry, Scene

Recipe = dict[str, Any]


def save_json(recipe: Recipe, scene: Scene, path: Path) -> None:
    """Write the recipe, and every path and loss in full precision; null where not finite."""
    record = {
        "recipe": recipe,
        "trajectories": [
            _trajectory(entry, path) for entry in scene.entries for path in entry.trajectories
        ],
    }
    path.write_text(json.dumps(record, allow_nan=False) + "\n", encoding="utf-8")


def save_csv(recipe: Recipe, scene: Scene, path: Path) -> None:
    """Write a table of label, optimizer, start, step, coordinates and loss; empty if not finite.

    Starts are numbered from 0.
    """
    axes = ("x", "y")[: scene.surface.dim]
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["label", "optimizer", "start", "step", *axes, "loss"])
        for entry in scene.entries:
            for start, trajectory in enumerate(entry.trajectories):
                rows = np.column_stack([trajectory.points, trajectory.losses]).tolist()
                for step, row in enumerate(rows):
                    numbers = (_finite(each) for each in row)
                    table.writerow([entry.label, entry.word.name, start, step, *numbers])


def _trajectory(entry: Entry, path: Trajectory) -> dict[str, Any]:
    return {
        "label": entry.label,
        "optimizer": entry.word.name,
        "hyperparameters": path.optimizer.hyperparameters(),
        "lr_source": entry.choice.source,
        "start": [_finite(each) for each in path.start.tolist()],
        "path": [[_finite(each) for each in point] for point in path.points.tolist()],
        "loss": [_finite(each) for each in path.losses.tolist()],
        "diverged_at": path.diverged_at,
        "no_gradient_at": path.no_gradient_at,
    }


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
