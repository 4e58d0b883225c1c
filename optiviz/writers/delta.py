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

from optiviz.writers.canvas import Box, Pixels, box_of

OPAQUE = np.uint32(0xFF000000)
CLEAR = np.uint32(0x00FFFFFF)  # of a new sheet of matplotlib
NOTHING = np.s_[0:1, 0:1]


class FrameRect(NamedTuple):
    """The rectangle of a change in the picture, in pixels."""

    left: int
    top: int
    width: int
    height: int

    @classmethod
    def of(cls, box: Box) -> "FrameRect":
        rows, columns = box
        size = columns.stop - columns.start, rows.stop - rows.start
        return cls(columns.start, rows.start, *size)


class Block(NamedTuple):
    """A rectangle of a frame, encoded; flags are those of the format."""

    rect: FrameRect
    data: bytes
    flags: int = 0


class DeltaPlugin(PluginV3):
    """imageio plugin that writes an animation, frame by frame.

    It is played `loop` times, 0 for ever. Equal consecutive frames become one frame with a longer
    duration. Durations are whole ticks; the rounding error of one is carried over to the next.
    """

    accepts = ("loop",)
    keeps_alpha = True
    size_step = 1
    _closed = True  # until it is open
    ticks: ClassVar[int]  # per second
    shortest: ClassVar[int]  # ticks, the minimum duration of a frame
    longest: ClassVar[int] = 65535

    def __init__(
        self, request: Request, *, fps: float, metadata: Mapping[str, str], loop: int = 0
    ) -> None:
        super().__init__(request)
        self.out = request.get_file()
        self.tags = metadata
        self.loop = loop
        self._fps = fps
        self.is_opaque = True  # all pixels of all frames so far
        self._frames = 0
        self._shown: Pixels | None = None
        self._dropped: Pixels | None = None
        self._waiting = Block(FrameRect(0, 0, 0, 0), b"")
        self._since = 0  # the number of the waiting frame
        self._closed = False

    @abstractmethod
    def begin(self, width: int, height: int) -> None:
        """Write the header of the file."""

    @abstractmethod
    def encode(self, pixels: Pixels, box: Box, new: NDArray[np.bool_]) -> Block:
        """Return a box of a frame in the format; pixels in it that are not `new` stay."""

    @abstractmethod
    def add(self, block: Block, ticks: int, clear: bool) -> None:
        """Write a block from `encode` as a frame shown for `ticks`, then clear its rectangle."""

    @abstractmethod
    def end(self) -> None:
        """Write the end of the file."""

    def vanishing(self, pixels: Pixels, shown: Pixels) -> NDArray[np.bool_] | None:
        """Return which pixels can only become what they are by clearing them, None if none.

        This is only asked if there have been transparent pixels.
        """
        return None

    def write(self, ndimage: Any) -> None:
        """Add an RGBA frame, uint8 of shape (height, width, 4).

        A frame that would follow sooner than the minimum duration is dropped.
        """
        pixels = np.ascontiguousarray(ndimage).view(np.uint32)[..., 0]
        if self._shown is None:
            height, width = pixels.shape
            self.begin(width, height)
            self.is_opaque = bool((pixels >= OPAQUE).all())
            self._waiting = self.encode(
                pixels, np.s_[0:height, 0:width], np.ones_like(pixels, bool)
            )
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
        self.is_opaque = self.is_opaque and bool((pixels[box] >= OPAQUE).all())
        vanishing = None if self.is_opaque else self.vanishing(pixels[box], self._shown[box])
        if vanishing is None:
            self._flush()
        else:
            self._clear(vanishing, box)
            differs = np.not_equal(pixels, self._shown, out=self._differs)
            box = box_of(differs) or NOTHING
        self._waiting = self.encode(pixels, box, differs[box])
        self._since = self._frames
        self._shown[box] = pixels[box]

    def _clear(self, vanishing: NDArray[np.bool_], box: Box) -> None:
        """Write the waiting frame, large enough for what vanishes, and clear all of it."""
        assert self._shown is not None
        cleared = np.zeros(self._shown.shape, bool)
        cleared[box] = vanishing
        left, top, width, height = self._waiting.rect
        cleared[top : top + height, left : left + width] = True
        box = box_of(cleared) or NOTHING
        self._flush(self.encode(self._shown, box, np.ones_like(cleared[box])))
        self._shown[box] = CLEAR

    def _delay(self) -> int:
        """Return how many ticks the waiting frame has been shown so far."""
        return self._tick(self._frames) - self._tick(self._since)

    def _tick(self, frame: int) -> int:
        return round(self.ticks * frame / self._fps)

    def _flush(self, cleared: Block | None = None) -> None:
        """Write the waiting frame, whose duration is now known.

        cleared is a larger block of the same frame, which is cleared at its end.
        """
        delay, block = self._delay(), self._waiting
        while delay > self.longest:
            self.add(block, self.longest, False)
            delay -= self.longest
            block = self.encode(np.zeros((1, 1), np.uint32), NOTHING, np.zeros((1, 1), bool))
        self.add(cleared or block, delay, cleared is not None)
