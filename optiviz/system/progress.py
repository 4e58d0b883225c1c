"""The types of the callbacks through which slow work reports its progress."""

from collections.abc import Callable
from functools import partial

Progress = Callable[[int, int], None]  # done, total
TaskProgress = Callable[[str, int, int], None]  # task, done, total

SAMPLING = "sampling the plane"  # the name of the task that evaluates it on a grid
SCORING = "scoring"  # the name of the task that runs optimizers on the problems of a suite
TRYING = "trying "  # begins the name of a task that tries values of hyperparameters


def search_progress(label: str, progress: TaskProgress | None) -> Progress | None:
    """Return the callback for the task that tries values of one optimizer's hyperparameters."""
    return None if progress is None else partial(progress, TRYING + label)
