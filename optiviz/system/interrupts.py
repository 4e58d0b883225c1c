"""Ctrl-C and SIGTERM: the process cleans up, says so and exits.

Both signals raise KeyboardInterrupt, because every library lets it pass. It may still turn into
another exception, for example in a library that is being imported, so the signal is recorded here.
"""

import _thread
import math
import signal
import sys
import time
from typing import Any

OUTCOMES = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
REPEAT_WINDOW = 1.0  # seconds in which further signals are ignored, so that cleaning up continues
RESEND_DELAY = 0.02  # seconds

_received: tuple[signal.Signals, float] | None = None


def install_handlers() -> None:
    """Handle both signals from now on. Only for optiviz's own process, on its main thread."""
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
    """Resend a signal that came where Python ignores exceptions, as in __del__ or import locks.

    Once one is received, objects that it left half made have nothing to say.
    """
    if not _sent_again(lost.exc_value) and not received():
        sys.__unraisablehook__(lost)


def _printed(kind: Any, value: BaseException, trace: Any) -> None:
    """Resend a signal that a compiled library prints and ignores, as callbacks of PyAV do."""
    if not _sent_again(value):
        sys.__excepthook__(kind, value, trace)


def _sent_again(lost: BaseException | None) -> bool:
    """Resend a lost signal once; return whether the exception came from one."""
    global _received
    if _received is None or not isinstance(lost, KeyboardInterrupt):
        return False
    number, when = _received
    if when == -math.inf:  # on its way
        return True
    _received = number, -math.inf
    main = _thread.get_ident()  # the main thread: signals raise only there

    def again() -> None:
        time.sleep(RESEND_DELAY)
        if signal.getsignal(number) is not _stop:
            return
        if hasattr(signal, "pthread_kill"):  # also ends a sleep
            signal.pthread_kill(main, number)
        else:  # Windows
            _thread.interrupt_main(number)

    _thread.start_new_thread(again, ())
    return True


def restore_defaults() -> None:
    """Restore the default handlers of both signals, which end the process."""
    for number in OUTCOMES:
        signal.signal(number, signal.SIG_DFL)


def received() -> bool:
    """Return whether a signal has been received."""
    return _received is not None


def exit_message() -> tuple[str, int]:
    """Return the message for the received signal, and its exit code: 128 plus its number."""
    number = _received[0] if _received else signal.SIGINT
    return OUTCOMES[number], 128 + number
