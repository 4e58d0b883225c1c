"""The types of the callbacks through which slow work reports its progress."""

from collections.abc import Callable

Progress = Callable[[int, int], None]  # done, total
TaskProgress = Callable[[str, int, int], None]  # task, done, total
