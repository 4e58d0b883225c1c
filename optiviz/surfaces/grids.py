"""Planes sampled on grids, block by block; cached on disk because models take long to evaluate.

A cached grid is named by the hash of all that it depends on, so that it is never out of date. One
that is not finished is cached, too, and goes on where it stopped.
"""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import closing
from importlib.metadata import version
from itertools import islice
from time import monotonic

import numpy as np

from optiviz.objective import Array
from optiviz.surfaces.plane import Plane
from optiviz.system.cache import cache_key, ignore_cached, read_cached, remove_cached, write_cached
from optiviz.system.errors import OptivizError
from optiviz.system.progress import Progress
from optiviz.system.workers import as_finished, workers

LOSS = np.dtype(float)
SAVED = 1.0  # seconds after which what is finished of a grid is cached
PROBES = np.array([[0.5, 0.5], [0.31, 0.73], [0.83, 0.62], [0.12, 0.18]])  # in shares of a window

Block = tuple[slice, Array]  # of the points of a grid, and their losses


def sample_grid(
    plane: Plane,
    x: Array,
    y: Array,
    progress: Progress | None = None,
    remade: Callable[[], Plane] | None = None,
) -> Array:
    """Return a plane's loss on a grid, shape (len(y), len(x)), from the cache if possible.

    A model of this program is not cached: its code can change unseen. remade returns the plane in
    another process, where it is sent pickled; without it, all points are evaluated in this process.
    Raises InputError if third-party code fails at a point, and OptivizError if memory is too short
    for one, or if a process dies. What is finished by then, or by Ctrl-C, is kept.
    """
    if not plane.can_be_cached:
        return _sampled(None, plane, x, y, progress, remade).reshape(len(y), len(x))
    name = f"grids/{_cache_key(plane, x, y)}"
    known = _read(name, len(x) * len(y) * LOSS.itemsize)
    if known is None:
        known = _sampled(name, plane, x, y, progress, remade).tobytes()
        write_cached(name, known)
        remove_cached(_part(name))
    return np.frombuffer(known).reshape(len(y), len(x)).copy()


def _cache_key(plane: Plane, x: Array, y: Array) -> str:
    arrays = plane.origin, plane.directions, x, y
    low, high = np.array([x[0], y[0]]), np.array([x[-1], y[-1]])
    return cache_key(
        repr((version("optiviz-cli"), version("numpy"))),
        *plane.fingerprint((low + PROBES * (high - low))[:, : plane.dim]),
        *(repr(array.shape) for array in arrays),
        *(np.ascontiguousarray(array).data for array in arrays),
    )


def _part(name: str) -> str:
    return f"{name}.part"


def _read(name: str, size: int) -> bytes | None:
    """Return what is cached, None if it is not of so many bytes."""
    content = read_cached(name)
    if content is not None and len(content) != size:
        ignore_cached(name, f"it has {len(content)} bytes, not {size}")
        return None
    return content


class _Unfinished:
    """The losses at the points of a grid, as far as they are known, and in the cache."""

    def __init__(self, name: str | None, size: int) -> None:
        self._name = None if name is None else _part(name)
        self.known, self.losses = np.zeros(size, bool), np.zeros(size)
        whole = size * (1 + LOSS.itemsize)
        content = None if self._name is None else _read(self._name, whole)
        if content is not None:
            self.known[:] = np.frombuffer(content, bool, size)
            self.losses[:] = np.frombuffer(content, float, offset=size)
        self._saved = monotonic()

    def add(self, block: slice, losses: Array) -> None:
        """Keep the losses of a block."""
        self.losses[block], self.known[block] = losses, True
        if monotonic() - self._saved >= SAVED:
            self.save()

    def save(self) -> None:
        """Write what is known to the cache."""
        if self._name is not None and self.known.any():
            write_cached(self._name, self.known.tobytes() + self.losses.tobytes())
        self._saved = monotonic()


def _sampled(
    name: str | None,
    plane: Plane,
    x: Array,
    y: Array,
    progress: Progress | None,
    remade: Callable[[], Plane] | None,
) -> Array:
    """Return the losses at the points of a grid, row by row.

    They are kept under a name if it is interrupted, unless that is None.
    """
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)[:, : plane.dim]
    grid, chosen = _Unfinished(name, len(points)), workers()
    blocks = [block for block in plane.blocks(len(points)) if not grid.known[block].all()]
    if isinstance(chosen, Executor) and remade is not None:
        found = _on_executor(chosen, remade, points, blocks, len(x))
    else:
        found = plane.sampled(points, blocks, chosen if isinstance(chosen, int) else None)
    try:
        with closing(found):
            for block, losses in found:
                grid.add(block, losses)
                if progress is not None:
                    progress(int(grid.known.sum()), len(points))
    except BaseException:
        grid.save()
        raise
    return grid.losses


def _on_executor(
    executor: Executor,
    remade: Callable[[], Plane],
    points: Array,
    blocks: Sequence[slice],
    row: int,
) -> Generator[Block, None, None]:
    """Yield the blocks of points with their losses as they are finished, about a row per call."""
    left, calls = iter(blocks), dict[Future[list[Array]], list[slice]]()
    size = max((block.stop - block.start for block in blocks), default=1)
    try:
        while some := list(islice(left, -(-row // size))):
            calls[executor.submit(_losses, remade, [points[block] for block in some])] = some
        for call in as_finished(calls):
            yield from zip(calls[call], call.result(), strict=True)
    except (BrokenExecutor, CancelledError) as error:
        said = str(error) or "cancelled by its executor, which may have stopped"
        raise OptivizError(f"sampling the plane: {said}") from None
    finally:
        for call in calls:
            call.cancel()


def _losses(remade: Callable[[], Plane], blocks: Sequence[Array]) -> list[Array]:
    """Return the losses at blocks of points of a plane, on the executor."""
    plane = remade().copied()
    return [plane.losses(block) for block in blocks]
