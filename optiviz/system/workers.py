"""Who does slow work that can be shared: this process, processes that it starts, or an executor."""

from collections.abc import Collection, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from queue import Empty, SimpleQueue
from typing import TypeVar

Jobs = int | Executor | None  # processes, an executor, or None: this process with its threads
Answer = TypeVar("Answer")
ATTENTION = 0.2  # seconds after which a signal is noticed that came just before a wait

_workers: ContextVar[Jobs] = ContextVar("workers", default=None)


@contextmanager
def shared_out(jobs: Jobs) -> Iterator[None]:
    """Do slow work on so many processes, or on an executor; as if there were no choice if None.

    They give the same numbers, to the last bit. A single process has a single thread.
    """
    with started(jobs) as chosen:
        token = _workers.set(chosen)
        try:
            yield
        finally:
            _workers.reset(token)


@contextmanager
def started(jobs: Jobs) -> Iterator[Jobs]:
    """Yield an executor on so many processes, if they are several, else what is given."""
    if not isinstance(jobs, int) or jobs == 1:
        yield jobs
        return
    # Imports multiprocessing, which most runs do not need.
    from optiviz.system.processes import ProcessExecutor

    with ProcessExecutor(jobs) as executor:
        yield executor


def workers() -> Jobs:
    """Return who does slow work now: one process, an executor, or None if nobody chose."""
    return _workers.get()


def as_finished(calls: Collection[Future[Answer]]) -> Iterator[Future[Answer]]:
    """Yield calls on an executor as they finish, or are cancelled.

    concurrent.futures.as_completed does so too, but a signal that raises in it may leave a lock
    locked, for which a thread of the executor waits with the lock of a call that is then cancelled.
    """
    number, finished = len(calls), SimpleQueue[Future[Answer]]()
    for call in calls:
        call.add_done_callback(finished.put)
    while number:
        with suppress(Empty):
            yield finished.get(timeout=ATTENTION)
            number -= 1
