"""The environment of a process, set before anything heavy is imported, and the number of cores.

With several threads, numpy's libraries round matrix products differently. With one thread, the
command line, the processes of a batch and machines with more cores give the same numbers. Slow
work uses several cores in its own way.
"""

import logging
import os

THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"
)  # fmt: skip
WORTHWHILE = 2.0  # seconds of work for which it pays to start processes


_third_party: set[str] = set()  # names whose code has run in this process
_all_cores = False  # whether this process may start others


def use_all_cores() -> None:
    """Let slow work start processes from now on. Only for optiviz's own process.

    A program that uses optiviz may not bear being imported by other processes, and the processes of
    a batch share the cores among them.
    """
    global _all_cores
    _all_cores = True


def may_use_all_cores() -> bool:
    """Return whether slow work may start processes."""
    return _all_cores


def note_third_party(name: str) -> None:
    """Record that third-party code is about to run in this process."""
    _third_party.add(name)


def ran_third_party_code() -> bool:
    """Return whether third-party code has run, which may complain when the process exits."""
    return bool(_third_party)


def configure_process() -> None:
    """Limit numpy's libraries to one thread, unless the user has set a number; quiet matplotlib.

    matplotlib would warn about the user's settings, which optiviz does not use, and reject an
    unknown backend, although optiviz opens no window.
    """
    for name in THREAD_VARIABLES:
        os.environ.setdefault(name, "1")
    os.environ["MPLBACKEND"] = "agg"
    os.environ.pop("SOURCE_DATE_EPOCH", None)  # written files have no timestamps
    logging.getLogger("matplotlib").setLevel(logging.CRITICAL)


def core_count() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
