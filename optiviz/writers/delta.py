"""Animations as a stream of changes: of each frame, only the pixels that differ are written.

GIF and APNG share this: it finds the changed pixels and the duration of each frame, and keeps only
one earlier frame in memory.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
from imageio.core.request import Request
from imageio.core.v3_plugin_api import PluginV3
from numpy.typing import NDArray

from optiviz.writers.layers import Pixels, box_of


class FrameRect(NamedTuple):
    """The rectangle of a change in the picture, in pixels."""

    left: int
    top: int
    width: int
    height: int


class DeltaPlugin(PluginV3):
    """imageio plugin that writes an endlessly looping animation, frame by frame.

    Equal consecutive frames become one frame with a longer duration. Durations are whole ticks; the
    rounding error of one is carried over to the next.
    """

    size_step = 1
    ticks: ClassVar[int]  # per second
    shortest: ClassVar[int]  # ticks, the minimum duration of a frame
    longest: ClassVar[int] = 65535

    def __init__(self, request: Request, *, fps: float, metadata: Mapping[str, str]) -> None:
        super().__init__(request)
        self.out = request.get_file()
        self.tags = metadata
        self._fps = fps
        self._frames = 0
        self._closed = False
        self._shown: Pixels | None = None
        self._dropped: Pixels | None = None
        self._waiting = FrameRect(0, 0, 0, 0), b""
        self._since = 0  # the number of the waiting frame

    @abstractmethod
    def begin(self, width: int, height: int) -> None:
        """Write the header of the file."""

    @abstractmethod
    def encode(self, pixels: Pixels, new: NDArray[np.bool_]) -> bytes:
        """Return a box of pixels as bytes of the format; pixels that are not `new` stay."""

    @abstractmethod
    def add(self, rect: FrameRect, data: bytes, ticks: int) -> None:
        """Write the bytes from `encode` as a frame shown for `ticks`."""

    @abstractmethod
    def end(self) -> None:
        """Write the end of the file."""

    def write(self, ndimage: Any) -> None:
        """Add an opaque RGBA frame, uint8 of shape (height, width, 4).

        A frame that would follow sooner than the minimum duration is dropped.
        """
        pixels = np.ascontiguousarray(ndimage).view(np.uint32)[..., 0]
        if self._shown is None:
            height, width = pixels.shape
            self.begin(width, height)
            data = self.encode(pixels, np.ones(pixels.shape, bool))
            self._waiting = FrameRect(0, 0, width, height), data
            self._shown = pixels.copy()
            self._differs = np.empty(pixels.shape, bool)
        elif self._delay() < self.shortest:
            self._dropped = pixels.copy()
        else:
            self._show(pixels)
        self._frames += 1

    def close(self) -> None:
        closed, self._closed = self._closed, True  # imageio may call close again
        try:
            if self._shown is not None and not closed:
                if self._dropped is not None:  # the last frame is always shown
                    self._show(self._dropped)
                    self._frames += 1
                self._flush()
                self.end()
        finally:
            super().close()

    def _show(self, pixels: Pixels) -> None:
        """Write the waiting frame and let this one wait instead, unless they are equal."""
        assert self._shown is not None
        self._dropped = None
        differs = np.not_equal(pixels, self._shown, out=self._differs)
        box = box_of(differs)
        if box is None:
            return
        self._flush()
        rows, columns = box
        new = differs[box]
        rect = FrameRect(columns.start, rows.start, new.shape[1], new.shape[0])
        self._waiting = rect, self.encode(pixels[box], new)
        self._since = self._frames
        self._shown[box] = pixels[box]

    def _delay(self) -> int:
        """Return how many ticks the waiting frame has been shown so far."""
        return self._tick(self._frames) - self._tick(self._since)

    def _tick(self, frame: int) -> int:
        return round(self.ticks * frame / self._fps)

    def _flush(self) -> None:
        """Write the waiting frame, whose duration is now known."""
        delay = self._delay()
        self.add(*self._waiting, min(delay, self.longest))
        while (delay := delay - self.longest) > 0:
            nothing = self.encode(np.zeros((1, 1), np.uint32), np.zeros((1, 1), bool))
            self.add(FrameRect(0, 0, 1, 1), nothing, min(delay, self.longest))
