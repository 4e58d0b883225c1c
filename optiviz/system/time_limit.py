"""A bound on the time of work that no bound of its own is known for.

sympy asks what is known of nested powers, and some answers take for ever. The work is interrupted
between two instructions of Python, so that it may be on any thread, and time that other threads or
programs take does not count.
"""

import ctypes
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

CHECK_INTERVAL = 0.05  # seconds
RETRY_INTERVAL = 0.5  # seconds: where Python ignores exceptions, as in __del__, the first is lost


class _Over(BaseException):
    """Nobody waits any longer. No `except Exception` stops it."""


class TimeLimit:
    """So many seconds of computing, spent bit by bit."""

    def __init__(self, seconds: float) -> None:
        self.seconds = self.left = seconds

    @contextmanager
    def running(self) -> Iterator[None]:
        """Spend on what is in the block; raise TimeoutError when nothing is left. Do not nest."""
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
                with lock:  # from here on nobody interrupts
                    done.set()
                watcher.join()
                self.left = end - clock()
        except _Over:
            self.left = 0.0
            raise TimeoutError from None


@contextmanager
def _unheard() -> Iterator[None]:
    """Let nothing be said of what was raised in vain: it is raised again."""
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
    """Return what tells how long this thread has computed, to any thread."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.monotonic
    number = time.pthread_getcpuclockid(threading.get_ident())
    return lambda: time.clock_gettime(number)
