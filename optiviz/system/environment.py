"""What a process of ours settles before it loads anything heavy, and how many cores there are.

Where there are several cores, numpy's libraries round matrix products in another way. With one
thread the command line, the processes of a batch and machines with more cores agree; what is slow
takes several by itself.
"""

import logging
import os

THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"
)  # fmt: skip


_third_party: set[str] = set()  # whose code has run in this process


def note_third_party(name: str) -> None:
    """Remember that the code of a stranger is to run in this process."""
    _third_party.add(name)


def ran_third_party_code() -> bool:
    """Return whether the code of a stranger has run, which may complain of how a process ends."""
    return bool(_third_party)


def configure_process() -> None:
    """Allow numpy's libraries one thread, unless the user has set how many, and calm matplotlib.

    It would complain of the user's settings, of which we use none, and refuse a backend that it
    does not know, though we show no window.
    """
    for name in THREAD_VARIABLES:
        os.environ.setdefault(name, "1")
    os.environ["MPLBACKEND"] = "agg"
    os.environ.pop("SOURCE_DATE_EPOCH", None)  # our files hold no time
    logging.getLogger("matplotlib").setLevel(logging.CRITICAL)


def core_count() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
