"""The numbers of a scene: JSON with everything, CSV with one row per step.

This is apart from `optiviz.writers`, so that writing numbers does not import matplotlib.
"""

import csv
import json
from pathlib import Path
from typing import Any

from optiviz.kinds.base import Scene, finite_or_none


def save_json(scene: Scene[Any], path: Path, comment: str) -> None:
    """Write the comment, which is a JSON object, merged with every number of a scene.

    Numbers are in full precision, null where not finite.
    """
    record = json.loads(comment) | scene.to_dict()
    path.write_text(json.dumps(record, allow_nan=False) + "\n", encoding="utf-8")


def save_csv(scene: Scene[Any], path: Path, comment: str) -> None:
    """Write the comment on a line of its own, then a table with one row per step.

    Numbers that are not finite are left empty. Starts are numbered from 0.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# {comment}\n")
        table = csv.writer(file, lineterminator="\n")
        for row in scene.rows():
            table.writerow(
                finite_or_none(each) if isinstance(each, float) else each for each in row
            )
