"""The callbacks through which slow work reports how far it is."""

from collections.abc import Callable

Progress = Callable[[int, int], None]  # done, total
TaskProgress = Callable[[str, int, int], None]  # task, done, total
