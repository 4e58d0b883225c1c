"""The bundled catalogue file, surfaces.yaml, read one entry at a time.

The values of an entry are cached, because importing a YAML parser takes longer than reading them.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from optiviz.system.cache import cache_key, cached
from optiviz.system.files import shipped


def catalogue_file() -> Path:
    """Return the path of the bundled catalogue."""
    return shipped("surfaces.yaml")


@cache
def bundled_entry(name: str) -> dict[str, Any] | None:
    """Return the bundled entry of exactly this name as plain values, or None.

    No other entry is parsed.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        return None
    path = catalogue_file()
    entry = re.search(rf"^{name}:.*?(?=^\S|\Z)", path.read_text("utf-8"), re.M | re.S)
    if entry is None:
        return None
    text: str = entry[0]

    def parsed() -> bytes:
        from optiviz.system.yaml import Document

        return json.dumps(Document(text, str(path)).value[name]).encode()

    values: dict[str, Any] = json.loads(cached(f"catalogue/{cache_key(text)}", parsed))
    return values


def is_bundled_formula(name: str, text: str) -> bool:
    """Return whether the surface of this name is bundled and has this formula."""
    entry = bundled_entry(name)
    ours = "" if entry is None else entry.get("formula", "")
    return " ".join(ours.split()) == text
