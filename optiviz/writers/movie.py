"""A matplotlib MovieWriter over imageio that draws still artists once, moving ones per frame."""

import gc
import logging
import sys
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from math import isfinite
from numbers import Real
from pathlib import Path
from types import FrameType
from typing import Any, cast

import matplotlib
import numpy as np
from matplotlib.animation import AbstractMovieWriter, Animation, writers
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure
from numpy.typing import NDArray

from optiviz.registry import FORMATS, QUALITIES, Format, Quality, format_of
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.files import atomic_write, check_targets, is_temporary
from optiviz.writers.arguments import checked_texts, parse_ffmpeg
from optiviz.writers.canvas import Canvas, Color, Look
from optiviz.writers.frames import Frames

log = logging.getLogger(__name__)
settings: dict[str, Any] = matplotlib.rcParams  # type: ignore[assignment]
defaults: dict[str, Any] = matplotlib.rcParamsDefault  # type: ignore[assignment]
ANIMATIONS = [suffix for suffix, form in FORMATS.items() if form.kind == "animation"]
UNASKED = None, 0, -1  # values of arguments; matplotlib has a bit rate of -1
MOST_FPS, MOST_LOOPS = 1000, 65_535
NAMES: dict[str, str] = {"options": "extra_args"}  # of settings, where users call them otherwise
NOT_ALLOWED = "dpi", "bbox_inches", "format"  # as savefig_kwargs, by any MovieWriter

GROWTH = 1.25  # as in Python: collect all objects once there are this many times as many
_objects = 0  # number of objects after the last full collection


def _freeze() -> None:
    """Exclude all current objects from garbage collection, which takes a tenth of the time.

    Python does not collect frozen objects, so closed figures would pile up. A full collection
    therefore runs once there are many more of them.
    """
    global _objects
    gc.freeze()
    frozen = gc.get_freeze_count()  # counts them one by one
    _objects = _objects or frozen
    if frozen > GROWTH * _objects:
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        _objects = gc.get_freeze_count()


class Abandoned(Exception):
    """Raised to remove an unfinished file."""


@writers.register("imageio")
class ImageioWriter(AbstractMovieWriter):
    """Save a matplotlib animation in any animation format of `optiviz.registry`, chosen by suffix.

    Frames are those of a full draw, but artists that stand still are drawn once, whatever the
    animation returns. This is checked against full draws, unless `check` is false: if a frame
    differs, all later ones are drawn in full, and a warning names the earlier ones that may be
    wrong. A layout that each draw computes is computed until it is settled.

    fps is in frames per second. codec, bitrate (kbit/s), extra_args and quality ("draft",
    "standard" or "high") are for videos: codec is any encoder of FFmpeg that the format can
    contain, and of extra_args those are used that choose a codec, a bit rate, a pixel format or an
    option of the encoder. metadata is written into the file; a .webp keeps only its "comment". The
    last frame is held for `hold` seconds, which are the animation's repeat_delay unless specified.
    A .gif, .webp or .apng is played `loop` times, 0 for ever. Formats without transparency are
    drawn on the figure's colour, or white if it has none. A file that exists is replaced once the
    new one is whole. `turn_to` goes on in the same file with another figure.

    Raises InputError for an argument that is invalid, or a suffix that is not of an animation; what
    is valid but cannot be done is warned of.
    """

    def __init__(
        self,
        fps: float = 5,
        codec: str | None = None,
        bitrate: int | None = None,
        extra_args: Sequence[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        quality: Quality = "standard",
        hold: float | None = None,
        loop: int = 0,
        check: bool = True,
    ) -> None:
        if not (_is_number(fps) and 0 < fps <= MOST_FPS):
            raise InputError(f"fps: {fps!r} must be a number above 0, {MOST_FPS} at most")
        if quality not in QUALITIES:
            raise InputError(did_you_mean("quality", str(quality), QUALITIES))
        if hold is not None and not (_is_number(hold) and hold >= 0):
            raise InputError(f"hold: {hold!r} must be a number of seconds, 0 at least")
        if type(loop) is not int or not 0 <= loop <= MOST_LOOPS:
            raise InputError(
                f"loop: {loop!r} must be a whole number up to {MOST_LOOPS}, 0 for ever"
            )
        if bitrate not in UNASKED and not (_is_number(bitrate) and bitrate >= 1):
            raise InputError(f"bitrate: {bitrate!r} must be a number of kbit/s, for example 2000")
        super().__init__(cast(int, fps), checked_texts(metadata or {}), codec, bitrate)
        self.hold = hold
        self.check = check
        self.told: set[str] = set()  # what has been warned of, or need not be
        self._unused: list[str]
        asked, self._unused = parse_ffmpeg(extra_args or ())
        given = {"codec": codec, "bitrate": bitrate, "loop": loop}
        self._asked: dict[str, Any] = {
            name: each for name, each in given.items() if each not in UNASKED
        } | asked
        # matplotlib's settings are not asked of formats without them, and quality is always set.
        self._preferred = {"quality": quality} | {
            name: settings[f"animation.{name}"]
            for name in ("codec", "bitrate")
            if settings[f"animation.{name}"] != defaults[f"animation.{name}"]
        }

    @classmethod
    def isAvailable(cls) -> bool:
        return True

    def setup(self, fig: Figure, outfile: str | Path, dpi: float | None = None) -> None:
        super().setup(fig, outfile, dpi)
        path = Path(outfile)
        self._form = _animation_format(path)
        check_targets([path])
        plugin = self._form.load()
        self._handled = sys.exc_info()[1]  # what someone handles by saving an animation
        with ExitStack() as stack:
            if not is_temporary(path):
                path = stack.enter_context(atomic_write(path))
            self._file = self._open(plugin, path)
            self._is_whole = False
            stack.callback(self._close)
            self._keeps_alpha = plugin.keeps_alpha
            self._seconds_held = _repeat_delay() if self.hold is None else self.hold
            self._before = 0  # frames of the figures before this one
            self._doubtful = range(0)
            self._bound = stack.enter_context(ExitStack())
            width, height = fig.get_size_inches()
            step = plugin.size_step
            if any(side % step for side in self.frame_size):
                # 1e-6 keeps int(inches * dpi) from falling one pixel short.
                width, height = (
                    (side + (-side) % step + 1e-6) / self.dpi for side in self.frame_size
                )
            self._bind(fig, (float(width), float(height)))
            if not gc.get_freeze_count():  # else the caller froze objects
                _freeze()
                stack.callback(gc.unfreeze)
            self._stack = stack.pop_all()

    def _bind(self, figure: Figure, size: tuple[float, float]) -> None:
        """Draw a figure from now on, at a size in inches."""
        stack = self._bound
        stack.callback(figure.set_size_inches, *figure.get_size_inches())
        stack.callback(setattr, figure, "dpi", figure.dpi)
        self.fig, figure.dpi = figure, self.dpi
        figure.set_size_inches(size)
        self._size = size
        self._canvas = Canvas(figure)
        stack.callback(self._canvas.give_back)
        self._canvas.before_use = self._let_draw
        self._pending: NDArray[np.uint8] | None = None
        self._again = 0  # how often the pending frame is repeated
        self._frames = Frames(self._canvas, self.check)
        stack.callback(self._frames.close)

    def turn_to(self, figure: Figure) -> None:
        """Hold the last frame of the present figure, and draw another one from now on.

        It is given the size of the first one.
        """
        self._end_figure()
        self._bound.close()
        self._before = self._drawn
        self._bind(figure, self._size)

    def repeat(self, count: int) -> None:
        """Show the frame that was drawn last for `count` more frames."""
        if self._pending is None:
            for _ in range(count):
                self._file.write(self._last)
        else:
            self._again += count

    def _supports_transparency(self) -> bool:
        return True  # otherwise matplotlib would choose a background

    def grab_frame(self, **savefig_kwargs: Any) -> None:
        """Draw the figure as it is now and add it.

        Of the arguments of `Figure.savefig`, facecolor, edgecolor and transparent are used. Raises
        TypeError for those that would change the size of a frame.
        """
        for name in NOT_ALLOWED:
            if name in savefig_kwargs:
                raise TypeError(f"grab_frame got an unexpected keyword argument {name!r}")
        self._write_pending()
        self._keep_size()
        self._frames.draw(self._look(savefig_kwargs))
        frame = self._canvas.frame
        self._pending = frame.copy() if self._canvas.is_lent else frame

    def finish(self) -> None:
        """Write what is left; remove the file if there are no frames, or drawing has failed."""
        failed = sys.exc_info()[1] is not self._handled
        with suppress(Abandoned), self._stack:
            if failed or not self._drawn:
                raise Abandoned
            self._end_figure()
            self._is_whole = True
        if not failed and not self._drawn:
            self._warn("frames", "there are no frames, so nothing is written")
        if doubtful := self._doubtful or self._numbered(self._frames.doubtful):
            self._warn(
                "doubtful",
                f"frames {doubtful[0]} to {doubtful[-1]}, counted from 1, may miss a change of "
                "which matplotlib was not told: after such a change, set artist.stale = True",
            )

    @property
    def _drawn(self) -> int:
        """The number of frames that were drawn, of all figures."""
        return self._before + self._frames.drawn

    def _numbered(self, frames: range) -> range:
        """Return frames of the present figure, counted as those of the file."""
        return range(frames.start + self._before, frames.stop + self._before) if frames else frames

    def _end_figure(self) -> None:
        """Write the last frame of the present figure, and hold it."""
        if not self._frames.drawn:
            return
        if self._pending is not None:
            last, self._pending = self._pending, None  # or else `end` would write it
            self._pending = self._canvas.frame if self._frames.end() else last
        self._doubtful = self._doubtful or self._numbered(self._frames.doubtful)
        self.repeat(round(self._seconds_held * self.fps))
        self._write_pending()

    def _close(self) -> None:
        """Close the file; what is not whole cannot always be closed well, and is removed."""
        with suppress(*() if self._is_whole else (Exception,)):
            self._file.close()

    def _open(self, plugin: Any, path: Path) -> Any:
        """Open the file with the settings that its format uses, and tell of the others."""
        from imageio.v3 import imopen

        wanted: dict[str, Any] = self._preferred | self._asked
        used = {name: each for name, each in wanted.items() if name in plugin.accepts}
        try:
            file = imopen(path, "w", plugin=plugin, fps=self.fps, metadata=self.metadata, **used)
        except OSError as error:  # imageio wraps what plugins raise
            raise error.__cause__ or error from None
        suffix = path.suffix.lower()
        if self._unused:
            self._warn("extra_args", f"extra_args: {' '.join(self._unused)} is not used")
        names = [NAMES.get(name, name) for name in self._asked if name not in plugin.accepts]
        if names:
            # As matplotlib does with arguments that a writer cannot use.
            log.warning("%s: a %s is written without %s", self.outfile, suffix, " and ".join(names))
        if self.fps > self._form.max_fps:
            self._warn(
                "fps",
                f"a {suffix} shows at most {self._form.max_fps:g} of {self.fps:g} frames a second",
            )
        return file

    def _look(self, savefig_kwargs: Mapping[str, Any]) -> Look:
        """Return the background of a frame, as `Figure.savefig` would draw it."""
        transparent = savefig_kwargs.get("transparent")
        if transparent is None:
            transparent = settings["savefig.transparent"]
        face, edge = (
            savefig_kwargs.get(name, "none" if transparent else settings[f"savefig.{name}"])
            for name in ("facecolor", "edgecolor")
        )
        look = Look(_color(face), _color(edge), bool(transparent))
        if self._keeps_alpha:
            return look
        solid = look.made_solid(self.fig)
        if solid is None:
            return look
        suffix = Path(self.outfile).suffix.lower()
        self._warn(
            "transparent",
            f"a {suffix} is not transparent: it is drawn on {to_hex(solid.facecolor or 'white')}; "
            ".apng, .webp and .gif are transparent",
        )
        return solid

    def _keep_size(self) -> None:
        """Undo a change of the figure's size, because all frames have the same one."""
        size = tuple(self.fig.get_size_inches())
        if size != self._size or self.fig.dpi != self.dpi:
            self.fig.dpi = self.dpi
            self.fig.set_size_inches(self._size)
            self._warn("size", "the figure's size changes: all frames keep that of the first")

    def _write_pending(self) -> None:
        """Write the last frame; until then, a full draw may still replace it."""
        frame, self._pending = self._pending, None
        count, self._again = self._again, 0
        if frame is not None:
            for _ in range(1 + count):
                self._file.write(frame)

    def _let_draw(self) -> None:
        """Write the last frame before someone draws over it."""
        if self._pending is not None:
            self._last = self._pending.copy()
            self._write_pending()

    def _warn(self, topic: str, text: str) -> None:
        """Warn, once for each topic."""
        if topic not in self.told:
            self.told.add(topic)
            warnings.warn(f"{self.outfile}: {text}", stacklevel=2)


def _animation_format(path: Path) -> Format:
    """Return the format of an animation; raise InputError if a suffix stands for none."""
    suffix = path.suffix.lower()
    if not suffix or suffix in ANIMATIONS:
        return format_of(path)
    if suffix not in FORMATS:
        raise InputError(f"{path}: {did_you_mean('format', suffix, ANIMATIONS)}")
    raise InputError(
        f"{path}: a {suffix} is not an animation: choose from {', '.join(ANIMATIONS)}, or save one "
        "frame with figure.savefig"
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and isfinite(value)


def _color(value: Any) -> Color | None:
    """Return a colour of `Figure.savefig`, None for "auto", which is the figure's own."""
    return None if isinstance(value, str) and value == "auto" else to_rgba(value)


def _repeat_delay() -> float:
    """Return the seconds for which the animation that is being saved waits before it repeats.

    matplotlib does not tell a writer which animation that is, so it is found among the callers.
    """
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code is Animation.save.__code__:
            animation = frame.f_locals["self"]
            repeats = getattr(animation, "_repeat", False)
            return getattr(animation, "_repeat_delay", 0) / 1000 if repeats else 0.0
        frame = frame.f_back
    return 0.0
