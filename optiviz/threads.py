"""How many cores there are, and what tells numpy's libraries how many threads they may start.

On several cores they round matrix products in another way. With one thread the command line, the
processes of a batch and machines with more cores agree; what is slow takes several by itself.
"""

import os
from collections.abc import MutableMapping

VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"
)  # fmt: skip


def pin(environment: MutableMapping[str, str] = os.environ) -> None:
    """Allow numpy's libraries one thread, unless the user has set how many."""
    for name in VARIABLES:
        environment.setdefault(name, "1")


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
