"""The shipped lessons, by name; nothing of them is parsed, so that they are listed at once."""

import re
from pathlib import Path

from optiviz.system.files import shipped


def lesson_folder() -> Path:
    """Return the folder of the shipped lessons."""
    return shipped("lessons")


def lesson_names() -> list[str]:
    """Return the names of the shipped lessons, in alphabetical order."""
    return sorted(each.stem for each in lesson_folder().glob("*.yaml") if "." not in each.stem)


def lesson_summary(name: str) -> str:
    """Return what a shipped lesson teaches, in a line, without parsing its YAML."""
    text = (lesson_folder() / f"{name}.yaml").read_text("utf-8")
    found = re.search(r"^summary: (.*)$", text, re.M)
    return "" if found is None else found[1].strip()
