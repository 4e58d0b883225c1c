"""A time limit for work of unknown duration.

For example, sympy's assumptions about nested powers can take for ever. The work is interrupted
between two Python instructions, on any thread. Only the computing time of its own thread counts,
where the system measures it.
"""

import ctypes
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

CHECK_INTERVAL = 0.05  # seconds
RETRY_INTERVAL = 0.5  # seconds; Python ignores exceptions in places such as __del__, so raise again


class _Over(BaseException):
    """The time limit is reached. A BaseException, so that `except Exception` does not catch it."""


class TimeLimit:
    """A number of seconds of computing time, used up over several blocks."""

    def __init__(self, seconds: float) -> None:
        self.seconds = self.left = seconds

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time of the block; raise TimeoutError when none is left. Do not nest."""
        thread, clock, lock = threading.get_ident(), _clock(), threading.Lock()
        end, done = clock() + self.left, threading.Event()

        def watch() -> None:
            wait = CHECK_INTERVAL
            while not done.wait(wait):
                with lock:
                    if not done.is_set() and clock() > end:
                        raised = ctypes.py_object(_Over)
                        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), raised)
                        wait = RETRY_INTERVAL

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            try:
                with _unheard():
                    yield
            finally:
                with lock:  # no interruption from here on
                    done.set()
                watcher.join()
                self.left = end - clock()
        except _Over:
            self.left = 0.0
            raise TimeoutError from None


@contextmanager
def _unheard() -> Iterator[None]:
    """Silence the reports of ignored _Over exceptions, which are raised again."""
    before = sys.unraisablehook

    def hook(lost: Any) -> None:
        if lost.exc_type is not _Over:
            before(lost)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


def _clock() -> Callable[[], float]:
    """Return a clock of this thread's computing time, which any thread can read.

    On systems without one, it is a monotonic clock.
    """
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.monotonic
    number = time.pthread_getcpuclockid(threading.get_ident())
    return lambda: time.clock_gettime(number)
