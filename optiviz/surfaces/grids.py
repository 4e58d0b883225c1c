"""Planes sampled on grids, which are cached on disk because networks take long to evaluate.

A cached grid is named by the hash of all that it depends on, so that it is never out of date.
"""

from importlib.metadata import version

import numpy as np

from optiviz.objective import Array
from optiviz.surfaces.plane import Plane
from optiviz.system.cache import cache_key, cached
from optiviz.system.progress import Progress


def sample_grid(plane: Plane, x: Array, y: Array, progress: Progress | None = None) -> Array:
    """Return a plane's loss on a grid, shape (len(y), len(x)), from the cache if possible."""

    def sampled() -> bytes:
        with np.errstate(all="ignore"):
            return plane.sample_grid(x, y, progress).tobytes()

    losses = np.frombuffer(cached(f"grids/{_cache_key(plane, x, y)}", sampled))
    return losses.reshape(len(y), len(x)).copy()


def _cache_key(plane: Plane, x: Array, y: Array) -> str:
    arrays = plane.origin, plane.directions, x, y
    known: tuple[bytes, ...] = plane.objective.fingerprint()  # type: ignore[attr-defined]
    return cache_key(
        repr((version("optiviz-cli"), version("numpy"))),
        *known,
        *(repr(array.shape) for array in arrays),
        *(np.ascontiguousarray(array).data for array in arrays),
    )
