"""The numbers of a scene: JSON with everything, CSV with one row a step.

No writer, because whoever wants numbers need not wait for matplotlib.
"""

import csv
import json
from pathlib import Path
from typing import Any

from optiviz.kinds.base import Scene, finite_or_none


def save_json(scene: Scene[Any], path: Path, comment: str) -> None:
    """Write what the comment holds, which is JSON, and every number of a scene.

    Numbers are in full precision, null where not finite.
    """
    record = json.loads(comment) | scene.to_dict()
    path.write_text(json.dumps(record, allow_nan=False) + "\n", encoding="utf-8")


def save_csv(scene: Scene[Any], path: Path, comment: str) -> None:
    """Write a comment, then a table of one row a step; empty where not finite.

    Starts are numbered from 0.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# {comment}\n")
        table = csv.writer(file, lineterminator="\n")
        for row in scene.rows():
            table.writerow(
                finite_or_none(each) if isinstance(each, float) else each for each in row
            )
