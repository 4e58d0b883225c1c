"""The shipped lessons, by name; nothing of them is parsed, so that they are listed at once."""

import re
from importlib.resources import files
from pathlib import Path


def lesson_folder() -> Path:
    """Return the folder of the shipped lessons."""
    # In a wheel it is inside the package; in a clone, next to the package.
    package = Path(str(files("optiviz")))
    packed = package / "lessons"
    return packed if packed.exists() else package.parent / packed.name


def lesson_names() -> list[str]:
    """Return the names of the shipped lessons, in alphabetical order."""
    return sorted(each.stem for each in lesson_folder().glob("*.yaml") if "." not in each.stem)


def lesson_summary(name: str) -> str:
    """Return what a shipped lesson teaches, in a line, without parsing its YAML."""
    text = (lesson_folder() / f"{name}.yaml").read_text("utf-8")
    found = re.search(r"^summary: (.*)$", text, re.M)
    return "" if found is None else found[1].strip()
