"""The frames of an animated figure: those of full draws, but mostly drawn in layers."""

import time

import numpy as np

from optiviz.writers.canvas import Canvas, Look
from optiviz.writers.changes import Watch
from optiviz.writers.layers import Layers, find_layers

EARLY = 2  # frames that are checked after layers are found
BUDGET = 0.1  # share of all time that further checks may take
WORTH = 3  # frames that layers must serve to be worth the time that finding them takes
REST = 32  # frames, the most that are drawn in full before layers are sought again


class Frames:
    """Draws one frame after another onto a canvas.

    Frames drawn in layers are checked against full draws: the first ones, as many others as a tenth
    of the time allows, and the last one, when `end` is called. If a frame differs, the full draw
    stays on the canvas, and all later frames are drawn in full; `doubtful` are the frames before
    it, counted from 1, of which the first was drawn in layers and not checked. None is checked if
    `check` is false.
    """

    def __init__(self, canvas: Canvas, check: bool = True) -> None:
        self._canvas = canvas
        self._checked = check
        self._watch = Watch(canvas)
        self.drawn = 0
        self.doubtful = range(0)
        self._layers: Layers | None = None
        self._trusted = True  # whether layers may be used at all
        self._served = 0  # frames drawn with the present layers
        self._pause = 0  # frames drawn in full after layers have not been worth their time
        self._paused = 0  # the rest of them
        self._right = 0  # up to this frame, all are right
        self._began = time.perf_counter()
        self._checks, self._checking = 0, 0.0  # their number, and the seconds that they took
        if isinstance(canvas.before, Canvas):  # another writer saves this figure, and watches it
            self._watch.close()
            self._trusted = False

    def draw(self, look: Look) -> None:
        """Draw the figure as it is now, with a background."""
        self.drawn += 1
        other_look, self._canvas.look = look != self._canvas.look, look
        if not self._trusted or self._canvas.is_listened_to():
            self._draw_in_full()
        elif self._paused:
            self._paused -= 1
            self._draw_in_full()
        else:
            changes = self._watch.changes()
            first = self.drawn == 1
            if (changes.rest or other_look) and not first:
                self._pause = 0 if self._served >= WORTH else min(2 * self._pause + 1, REST)
                self._paused = self._pause
                self._draw_in_full()
            elif changes.artists and not first:
                self._draw_in_full()
            else:
                self._draw_in_layers()

    def end(self) -> bool:
        """Check the last frame, unless the figure has changed since; return whether it is drawn."""
        if not self._checked or self._layers is None or self._right == self.drawn:
            return False
        changes = self._watch.changes()
        if changes.rest or changes.artists:
            return False
        self._check(is_last=True)
        return True

    def close(self) -> None:
        """Leave the figure alone."""
        self._watch.close()

    def _draw_in_full(self) -> None:
        self._canvas.draw()
        self._layers, self._served = None, 0
        if self._right == self.drawn - 1:
            self._right = self.drawn
        if self._trusted and not self._paused:  # else nobody will ask what has changed
            self._watch.renew()

    def _draw_in_layers(self) -> None:
        if self._layers is not None:
            self._layers.draw()
            self._served += 1
            self._watch.settle()
            if self._checked and self._is_due():
                self._check()
            return
        self._layers = find_layers(self._canvas, self._watch.moving)
        self._trusted = self._layers is not None
        if self._right == self.drawn - 1:
            self._right = self.drawn
        self._watch.renew()

    def _is_due(self) -> bool:
        """Return whether a frame drawn in layers is to be checked.

        One early check is enough where the animation itself has said what moves.
        """
        said = all(artist.get_animated() for artist in self._watch.moving)
        if self._served <= (1 if said else EARLY):
            return True
        one_more = self._checking * (1 + 1 / max(self._checks, 1))
        return one_more < BUDGET * (time.perf_counter() - self._began)

    def _check(self, is_last: bool = False) -> None:
        """Draw the present frame in full, and use no more layers if it differs."""
        began = time.perf_counter()
        layered = self._canvas.pixels.copy()
        self._canvas.draw()
        if np.array_equal(layered, self._canvas.pixels):
            if not is_last:
                self._watch.renew()
        else:
            self.doubtful = range(self._right + 1, self.drawn)
            self._layers, self._trusted = None, False
        self._right = self.drawn
        self._checks += 1
        self._checking += time.perf_counter() - began
