"""An index of the bundled catalogue, cached because reading all of its YAML takes half a second."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from optiviz.surfaces.bundled import catalogue_file
from optiviz.system.cache import cache_key, read_cached, source_hash, write_cached
from optiviz.system.errors import InputError, did_you_mean


class SurfaceEntry(NamedTuple):
    """What a list says of a surface."""

    name: str
    title: str
    dim: int
    tags: tuple[str, ...]
    aliases: tuple[str, ...]


def read_index() -> list[SurfaceEntry] | None:
    """Return the entries of the bundled surfaces, in their order; None if they are not cached."""
    known = read_cached(_file())
    if known is None:
        return None
    return [
        SurfaceEntry(name, title, dim, tuple(tags), tuple(aliases))
        for name, title, dim, tags, aliases in json.loads(known)
    ]


def write_index(entries: Sequence[SurfaceEntry]) -> None:
    """Cache the entries of the bundled surfaces."""
    write_cached(_file(), json.dumps(entries).encode())


def _file() -> str:
    code = source_hash("optiviz.surfaces", "index.py", "surface.py")
    return f"catalogue/{cache_key(code, catalogue_file().read_bytes())}"


def tagged(entries: Sequence[SurfaceEntry], tags: Sequence[str]) -> list[SurfaceEntry]:
    """Return the entries that have all of these tags; raise InputError for an unknown tag."""
    known = {tag for entry in entries for tag in entry.tags}
    for tag in tags:
        if tag not in known:
            raise InputError(did_you_mean("tag", tag, known))
    return [entry for entry in entries if set(tags) <= set(entry.tags)]
