"""What slow work has found so far, offered to whoever follows it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any

EVERY = 3.0  # seconds between snapshots, at least
SHARE = 0.2  # of the time, at most, that is spent on showing them

Show = Callable[[Any, bool], None]  # is told what there is so far, and whether work goes on
Make = Callable[[], Any]  # returns what there is so far, None if that cannot be shown


class Follower:
    """Shows what work has found so far, now and then while it goes on, and where it was stopped.

    show is called with that, and whether work goes on.
    """

    def __init__(self, show: Show) -> None:
        self._show = show
        self._made: Make | None = None  # the latest
        self._next = monotonic() + EVERY

    def take(self, make: Make) -> None:
        """Take notice of what there is, and show it if the last time was long enough ago."""
        self._made = make
        if monotonic() < self._next:
            return
        began = monotonic()
        self.show(goes_on=True)
        now = monotonic()
        self._next = now + max(EVERY, (now - began) * (1 / SHARE - 1))

    def forget(self) -> None:
        """Forget what there was."""
        self._made = None

    def show(self, goes_on: bool) -> None:
        """Show what there is, if there is anything."""
        found = None if self._made is None else self._made()
        if found is not None:
            self._show(found, goes_on)


_follower: ContextVar[Follower | None] = ContextVar("follower", default=None)


def offer(make: Make) -> None:
    """Offer what there is so far, which `make` returns; it is only called now and then."""
    follower = _follower.get()
    if follower is not None:
        follower.take(make)


def settle() -> None:
    """Take notice that all is there, so that nothing is shown any more of what was offered."""
    follower = _follower.get()
    if follower is not None:
        follower.forget()


@contextmanager
def followed(show: Show) -> Iterator[None]:
    """Show what is offered in this context now and then, and the latest if an error ends it."""
    follower = Follower(show)
    token = _follower.set(follower)
    try:
        yield
    except BaseException:
        _follower.reset(token)
        follower.show(goes_on=False)
        raise
    _follower.reset(token)
