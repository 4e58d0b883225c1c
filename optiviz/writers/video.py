"""Video through imageio's PyAV plugin, made so that the same frames give the same bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
from av.error import FFmpegError
from imageio.core.request import Request
from imageio.plugins.pyav import PyAVPlugin


class Mp4Plugin(PyAVPlugin):
    """H.264 in MP4, in colours that every player knows, playable before it is whole."""

    size_step = 2  # yuv420p halves both sides

    # Without fixed threads and with mbtree the same frames give different bytes.
    options: ClassVar[dict[str, str]] = {
        "crf": "18",
        "preset": "medium",
        "x264-params": "threads=2:mbtree=0",
    }

    def __init__(self, request: Request, *, fps: float) -> None:
        self._closed = False
        super().__init__(request, options={"movflags": "+faststart"})
        self.init_video_stream("libx264", fps=float(fps), pixel_format="yuv420p")
        stream: Any = self._video_stream
        stream.options = self.options

    def write(self, ndimage: Any, **_: Any) -> None:
        """Add an RGBA frame, uint8 of shape (height, width, 4), of even sides."""
        with _plain_errors():
            self.write_frame(np.asarray(ndimage)[..., :3])

    def close(self) -> None:
        # imageio may close it again, as when it is collected after a failure.
        closed, self._closed = self._closed, True
        if not closed:
            with _plain_errors():
                super().close()


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Raise what the operating system said, which av wraps in errors of its own."""
    try:
        yield
    except FFmpegError as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, OSError):
            cause = cause.__cause__ or cause.__context__
        raise cause or OSError(str(error)) from error
