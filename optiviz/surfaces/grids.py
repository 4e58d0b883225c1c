"""Planes sampled on grids, which are cached on disk because networks take long to evaluate.

A cached grid is named by the hash of all that it depends on, so that it is never out of date.
"""

import hashlib
import os
import tempfile
import warnings
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import numpy as np

from optiviz.objective import Array
from optiviz.surfaces.network import Network
from optiviz.surfaces.plane import Plane
from optiviz.system.errors import OptivizError
from optiviz.system.files import atomic_write
from optiviz.system.progress import Progress

MAX_HEAD = 1000  # bytes of a cached file apart from its numbers


def sample_grid(plane: Plane, x: Array, y: Array, progress: Progress | None = None) -> Array:
    """Return a plane's loss on a grid, shape (len(y), len(x)), from the cache if possible."""
    path = cache_folder() / f"{_cache_key(plane, x, y)}.npy"
    shape = len(y), len(x)
    known = _read(path, shape)
    if known is not None:
        return known
    with np.errstate(all="ignore"):
        losses = plane.sample_grid(x, y, progress)
    # If the cache cannot be written, only time is lost.
    with suppress(OptivizError), atomic_write(path) as temporary:
        np.save(temporary, losses, allow_pickle=False)
    return losses


def cache_folder() -> Path:
    """Return the folder of cached grids, in the user's cache folder (XDG base directories)."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(given) if given.startswith("/") else Path("~/.cache")
    with suppress(RuntimeError):  # the user has no home folder
        root = root.expanduser()
    if not root.is_absolute():
        root = Path(tempfile.gettempdir())
    return root / "optiviz" / "grids"


def _read(path: Path, shape: tuple[int, int]) -> Array | None:
    """Return a cached grid, or None if it is missing or broken."""
    # However the file is broken, the grid can be computed again.
    with suppress(Exception), warnings.catch_warnings(action="ignore"):
        if not path.is_file() or path.stat().st_size > 8 * shape[0] * shape[1] + MAX_HEAD:
            return None
        kept = np.load(path, allow_pickle=False)
        if kept.shape == shape and kept.dtype == np.float64:
            found: Array = kept
            return found
    return None


def _cache_key(plane: Plane, x: Array, y: Array) -> str:
    network = plane.objective
    assert isinstance(network, Network)
    hashed = hashlib.blake2b(digest_size=20)
    hashed.update(repr((version("optiviz-cli"), version("numpy"), network.architecture)).encode())
    for array in (network.inputs, network.targets, plane.origin, plane.directions, x, y):
        hashed.update(repr(array.shape).encode())
        hashed.update(np.ascontiguousarray(array).data)
    return hashed.hexdigest()
