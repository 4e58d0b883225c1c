"""MP4 and WebM through imageio's PyAV plugin; the same frames give the same bytes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
from imageio.core.request import Request

from optiviz.registry import Quality
from optiviz.system.errors import require_package

with require_package("a video or a .webp", "PyAV", "av"):
    import av
    from av.error import FFmpegError
    from av.video.reformatter import ColorRange, Colorspace
    from imageio.plugins.pyav import PyAVPlugin

Options = dict[str, str]

DEMUXERS = {".mp4": "mp4", ".webm": "webm"}


class VideoPlugin(PyAVPlugin):
    """imageio plugin that writes RGBA frames with one of FFmpeg's encoders.

    The number of threads is small and fixed, because the bytes depend on it.
    """

    size_step = 1
    codec: ClassVar[str]
    pixel_format: ClassVar[str]
    muxing: ClassVar[Options] = {}
    encoding: ClassVar[Options] = {}

    def __init__(self, request: Request, *, fps: float, metadata: Mapping[str, str]) -> None:
        self._closed = False
        super().__init__(request, options=self.muxing)
        container: Any = self._container
        container.metadata.update(metadata)
        self.init_video_stream(self.codec, fps=float(fps), pixel_format=self.pixel_format)
        self._stream = cast(Any, self._video_stream)
        self._stream.options = self.encoding

    def write(self, ndimage: Any, **_: Any) -> None:
        """Add an opaque RGBA frame, uint8 of shape (height, width, 4)."""
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
    """Lossy video in one of three qualities, in a pixel format that every player supports."""

    size_step = 2  # yuv420p halves both sides of the colour planes
    pixel_format = "yuv420p"
    qualities: ClassVar[dict[Quality, Options]]

    def __init__(self, request: Request, *, quality: Quality, **settings: Any) -> None:
        super().__init__(request, **settings)
        self._stream.options = self.encoding | self.qualities[quality]
        context = self._stream.codec_context
        context.colorspace = Colorspace.ITU601  # as swscale converts; otherwise players guess
        context.color_range = ColorRange.MPEG


class Mp4Plugin(FilmPlugin):
    """H.264 in MP4, playable while it is still downloading."""

    codec = "libx264"
    muxing: ClassVar[Options] = {"movflags": "+faststart"}
    # With mbtree, the same frames give different bytes.
    encoding: ClassVar[Options] = {"x264-params": "threads=2:mbtree=0"}
    qualities: ClassVar[dict[Quality, Options]] = {
        "draft": {"preset": "superfast", "crf": "30"},
        "standard": {"preset": "veryfast", "crf": "20"},
        "high": {"preset": "slow", "crf": "12"},
    }


class WebmPlugin(FilmPlugin):
    """VP9 in WebM."""

    codec = "libvpx-vp9"
    muxing: ClassVar[Options] = {"fflags": "+bitexact"}  # otherwise the file gets a random id
    encoding: ClassVar[Options] = {"b": "0", "threads": "2", "row-mt": "0"}
    qualities: ClassVar[dict[Quality, Options]] = {
        "draft": {"deadline": "realtime", "cpu-used": "8", "crf": "45"},
        "standard": {"deadline": "realtime", "cpu-used": "5", "crf": "26"},
        "high": {"deadline": "good", "cpu-used": "3", "crf": "12"},
    }


def read_video(path: Path) -> str | None:
    """Return the comment of a video file, None if it has none or is not a video."""
    # As an open file of a fixed format: FFmpeg would open other files for some names and contents.
    try:
        with (
            path.open("rb") as file,
            av.open(file, format=DEMUXERS[path.suffix.lower()]) as container,
        ):
            tags = {key.lower(): value for key, value in container.metadata.items()}
    except FFmpegError:
        return None
    return tags.get("comment")


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Raise the OSError that av has wrapped in its own errors."""
    try:
        yield
    except FFmpegError as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, OSError):
            cause = cause.__cause__ or cause.__context__
        raise cause or OSError(str(error)) from error
