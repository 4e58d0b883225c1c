"""Ctrl-C and SIGTERM: whoever is told to leave does so tidily, and says so.

Both arrive as a KeyboardInterrupt, because every library lets that one through. It may still come
out as something else, as from a library that is being loaded, so what has come is remembered here.
"""

import _thread
import math
import signal
import sys
import time
from typing import Any

OUTCOMES = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
REPEAT_WINDOW = 1.0  # seconds in which a second signal counts as the first, so tidying goes on
RESEND_DELAY = 0.02  # seconds

_received: tuple[signal.Signals, float] | None = None


def install_handlers() -> None:
    """Take both signals from now on. Only for a process that is ours, on its main thread."""
    for number in OUTCOMES:
        signal.signal(number, _stop)
    sys.unraisablehook = _unraisable
    sys.excepthook = _printed


def _stop(number: int, _: Any) -> None:
    global _received
    now = time.monotonic()
    if _received is None or now - _received[1] > REPEAT_WINDOW:
        _received = _received[0] if _received else signal.Signals(number), now
        raise KeyboardInterrupt


def _unraisable(lost: Any) -> None:
    """Send again what came while Python ignores errors, as in __del__ or where imports wait."""
    if not _sent_again(lost.exc_value):
        sys.__unraisablehook__(lost)


def _printed(kind: Any, value: BaseException, trace: Any) -> None:
    """Send again what a compiled library prints and then ignores, as a callback of PyAV does."""
    if not _sent_again(value):
        sys.__excepthook__(kind, value, trace)


def _sent_again(lost: BaseException | None) -> bool:
    """Send a signal that was lost again, once; tell whether it was one."""
    global _received
    if _received is None or not isinstance(lost, KeyboardInterrupt):
        return False
    number, when = _received
    if when == -math.inf:  # on its way
        return True
    _received = number, -math.inf
    main = _thread.get_ident()  # signals raise nothing on other threads

    def again() -> None:
        time.sleep(RESEND_DELAY)
        if signal.getsignal(number) is not _stop:
            return
        if hasattr(signal, "pthread_kill"):  # ends a sleep, too
            signal.pthread_kill(main, number)
        else:  # Windows
            _thread.interrupt_main(number)

    _thread.start_new_thread(again, ())
    return True


def restore_defaults() -> None:
    """Leave them to the system, which ends the process: what there was to do is done."""
    for number in OUTCOMES:
        signal.signal(number, signal.SIG_DFL)


def received() -> bool:
    """Tell whether one has come."""
    return _received is not None


def exit_message() -> tuple[str, int]:
    """Return what is said of it, and the exit code that shells have for it."""
    number = _received[0] if _received else signal.SIGINT
    return OUTCOMES[number], 128 + number
