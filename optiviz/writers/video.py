"""Videos through imageio's PyAV plugin; the same frames give the same bytes."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, cast

import numpy as np
from imageio.core.request import Request

from optiviz.registry import Quality
from optiviz.system.errors import InputError, did_you_mean, require_package

with require_package("a video or a .webp", "PyAV", "av"):
    import av
    from av.error import FFmpegError
    from av.video.reformatter import ColorRange, Colorspace
    from imageio.plugins.pyav import PyAVPlugin

Options = dict[str, str]

CONTAINERS = {
    ".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm", ".avi": "avi"
}  # fmt: skip
PIXELS = "yuv420p"  # the pixel format that every player supports
FULL_RANGE = "yuvj420p", "yuvj422p", "yuvj444p"
BITS: dict[Quality, float] = {"draft": 0.1, "standard": 0.4, "high": 1.6}  # of a pixel


class Encoder(NamedTuple):
    """The options of one of FFmpeg's encoders: always, and of each quality."""

    always: Options
    qualities: dict[Quality, Options]


# The number of threads is small and fixed, because the bytes depend on it.
ENCODERS = {
    "libx264": Encoder(
        {"x264-params": "threads=2:mbtree=0"},  # with mbtree, the same frames give different bytes
        {
            "draft": {"preset": "superfast", "crf": "30"},
            "standard": {"preset": "veryfast", "crf": "20"},
            "high": {"preset": "slow", "crf": "12"},
        },
    ),
    "libx265": Encoder(
        {"x265-params": "pools=none:frame-threads=1:log-level=none"},
        {
            "draft": {"preset": "superfast", "crf": "34"},
            "standard": {"preset": "veryfast", "crf": "24"},
            "high": {"preset": "medium", "crf": "14"},
        },
    ),
    "libvpx-vp9": Encoder(
        {"threads": "2", "row-mt": "0"},
        {
            "draft": {"deadline": "realtime", "cpu-used": "8", "crf": "45", "b": "0"},
            "standard": {"deadline": "realtime", "cpu-used": "5", "crf": "26", "b": "0"},
            "high": {"deadline": "good", "cpu-used": "3", "crf": "12", "b": "0"},
        },
    ),
}
COMMON = {"h264", "hevc", "vp9", "vp8", "av1", "mpeg4", "mjpeg", "ffv1", "prores"}
CONSTANT_QUALITY = {"crf", "b"}  # options that are left out for a given bit rate


class VideoPlugin(PyAVPlugin):
    """imageio plugin that writes RGBA frames with one of FFmpeg's encoders."""

    size_step = 1
    _closed = True  # until it is open

    def __init__(
        self,
        request: Request,
        *,
        fps: float,
        metadata: Mapping[str, str],
        codec: str,
        pixel_format: str,
        muxing: Options,
        container: Any = None,
    ) -> None:
        super().__init__(request, container=container, options=muxing)
        self._closed = False
        opened: Any = self._container
        opened.metadata.update(metadata)
        self.init_video_stream(codec, fps=float(fps), pixel_format=pixel_format)
        self._stream = cast(Any, self._video_stream)

    def write(self, ndimage: Any, **_: Any) -> None:
        """Add an RGBA frame, uint8 of shape (height, width, 4)."""
        with _plain_errors():
            self.write_frame(np.asarray(ndimage), pixel_format="rgba")

    def close(self) -> None:
        # imageio may call close again, for example when it is collected after a failure.
        closed, self._closed = self._closed, True
        if not closed:
            try:
                with _plain_errors():
                    super().close()
            finally:
                self.request.finish()  # even if the last frames cannot be written


class FilmPlugin(VideoPlugin):
    """imageio plugin that writes a video without transparency, in one of three qualities.

    codec is a name that FFmpeg knows, such as "h264" or "libx265". bitrate is in kbit/s; without
    one, the quality is constant, for encoders that can do that. options are those of the encoder;
    "pix_fmt" is the pixel format.
    """

    accepts = "quality", "codec", "bitrate", "options"
    keeps_alpha = False
    size_step = 2  # yuv420p halves both sides of the colour planes
    codec: ClassVar[str] = "libx264"
    muxing: ClassVar[Options] = {}

    def __init__(
        self,
        request: Request,
        *,
        quality: Quality = "standard",
        codec: str | None = None,
        bitrate: int | None = None,
        options: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> None:
        suffix = Path(request.filename).suffix.lower()
        options = dict(options or {})
        found = _codec(codec or self.codec, suffix)
        pixel_format = _pixel_format(found, options.pop("pix_fmt", None))
        super().__init__(
            request,
            codec=found.name,
            pixel_format=pixel_format,
            muxing=self.muxing,
            container=CONTAINERS[suffix],
            **settings,
        )
        os.environ.setdefault("SVT_LOG", "1")  # or AV1's encoder prints twenty lines
        always, qualities = ENCODERS.get(found.name, ({"threads": "1"}, {}))
        chosen = qualities.get(quality, {})
        self._rate = None if bitrate is None else round(1000 * bitrate)
        self._bits = 0.0 if chosen else BITS[quality]
        if bitrate is not None:
            chosen = {name: each for name, each in chosen.items() if name not in CONSTANT_QUALITY}
        self._stream.options = always | chosen | options
        context = self._stream.codec_context
        context.colorspace = Colorspace.ITU601  # as swscale converts; otherwise players guess
        context.color_range = ColorRange.JPEG if pixel_format in FULL_RANGE else ColorRange.MPEG

    def write(self, ndimage: Any, **_: Any) -> None:
        """Add an opaque RGBA frame, uint8 of shape (height, width, 4)."""
        if not self.frames_written:
            height, width = np.shape(ndimage)[:2]
            per_second = self._bits * height * width * float(self._stream.average_rate)
            rate = self._rate or round(per_second)
            if rate:
                self._stream.bit_rate = rate
        try:
            with _own_scheduling():
                super().write(ndimage)
        except EncoderError:
            if self.frames_written > 1:
                raise
            raise InputError(
                f"the encoder {self._stream.codec_context.name} refuses its settings: leave out "
                "codec, bitrate or extra_args"
            ) from None


class Mp4Plugin(FilmPlugin):
    """H.264 in MP4 or MOV, playable while it is still downloading."""

    muxing: ClassVar[Options] = {"movflags": "+faststart"}


class MkvPlugin(FilmPlugin):
    """H.264 in Matroska."""

    muxing: ClassVar[Options] = {"fflags": "+bitexact"}  # otherwise the file gets a random id


class WebmPlugin(MkvPlugin):
    """VP9 in WebM."""

    codec = "libvpx-vp9"


def _codec(name: str, suffix: str) -> Any:
    """Return an encoder by one of its names, if files of a suffix can contain what it writes."""
    with av.open(BytesIO(), "w", format=CONTAINERS[suffix]) as container:
        fitting = container.supported_codecs
    try:
        found = av.codec.Codec(name, "w")
    except ValueError:  # av knows none
        raise InputError(did_you_mean("codec", name, fitting & COMMON)) from None
    if found.name not in fitting or found.type != "video":
        choices = ", ".join(sorted(fitting & COMMON))
        raise InputError(f"codec: a {suffix} cannot contain {name!r}: choose from {choices}")
    return found


def _pixel_format(codec: Any, asked: str | None) -> str:
    """Return the pixel format that is asked for, or the most common one of an encoder."""
    known = [each.name for each in codec.video_formats or ()]
    if asked is not None and known and asked not in known:
        raise InputError(f"extra_args: {did_you_mean('-pix_fmt', asked, known)}")
    usual = not known or (PIXELS in known and known[0] not in FULL_RANGE)
    return asked or (PIXELS if usual else known[0])


def read_video(path: Path) -> str | None:
    """Return the comment of a video file, None if it has none or is not a video."""
    # As an open file of a fixed format: FFmpeg would open other files for some names and contents.
    try:
        with (
            path.open("rb") as file,
            av.open(file, format=CONTAINERS[path.suffix.lower()]) as container,
        ):
            tags = {key.lower(): value for key, value in container.metadata.items()}
    except FFmpegError:
        return None
    return tags.get("comment")


class EncoderError(OSError):
    """An error of FFmpeg, which none of the operating system has caused."""


@contextmanager
def _own_scheduling() -> Iterator[None]:
    """Give a thread its scheduling back: SVT-AV1 makes it a real-time one where it may."""
    if not hasattr(os, "sched_getscheduler"):  # as on macOS and Windows
        yield
        return
    policy, parameter = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        if os.sched_getscheduler(0) != policy:
            os.sched_setscheduler(0, policy, parameter)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Raise the OSError that av has wrapped in its own errors."""
    try:
        yield
    except FFmpegError as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, OSError):
            cause = cause.__cause__ or cause.__context__
        raise cause or EncoderError(str(error)) from error
