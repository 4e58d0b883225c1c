"""The bundled catalogue file, surfaces.yaml, read one entry at a time."""

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from optiviz.system.yaml import Document


def catalogue_file() -> Path:
    """Return the path of the bundled catalogue."""
    # In a wheel it is inside the package; in a clone, next to the package.
    package = Path(str(files("optiviz")))
    packed = package / "surfaces.yaml"
    return packed if packed.exists() else package.parent / packed.name


@cache
def bundled_entry(name: str) -> Document | None:
    """Return the bundled entry of exactly this name, or None; no other entry is parsed."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        return None
    path = catalogue_file()
    entry = re.search(rf"^{name}:.*?(?=^\S|\Z)", path.read_text("utf-8"), re.M | re.S)
    return entry and Document(entry[0], str(path))


def is_bundled_formula(name: str, text: str) -> bool:
    """Return whether the surface of this name is bundled and has this formula."""
    entry = bundled_entry(name)
    ours = "" if entry is None else entry.value[name].get("formula", "")
    return " ".join(ours.split()) == text
