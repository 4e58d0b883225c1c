"""The file of the named surfaces, as it is written: what is in it is ours."""

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from optiviz.system.yaml import Document


def catalogue_file() -> Path:
    """Return the file of the named surfaces."""
    # Packed into the wheel beside the code; in a clone it lies at the top, above the package.
    package = Path(str(files("optiviz")))
    packed = package / "surfaces.yaml"
    return packed if packed.exists() else package.parent / packed.name


@cache
def bundled_entry(name: str) -> Document | None:
    """Return the entry of that very name, None if there is none. No other is read."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        return None
    path = catalogue_file()
    entry = re.search(rf"^{name}:.*?(?=^\S|\Z)", path.read_text("utf-8"), re.M | re.S)
    return entry and Document(entry[0], str(path))


def is_bundled_formula(name: str, text: str) -> bool:
    """Return whether the surface of a name is ours, and has this formula."""
    entry = bundled_entry(name)
    ours = "" if entry is None else entry.value[name].get("formula", "")
    return " ".join(ours.split()) == text
