"""Animated WebP, lossless: for plain pictures it is smaller than lossy WebP.

FFmpeg writes no metadata to it, so an Exif chunk is added to the finished file. See the WebP
Container Specification, Google, 2025.
"""

from collections.abc import Mapping
from pathlib import Path
from struct import pack
from typing import Any

from imageio.core.request import Request
from PIL import ExifTags, Image

from optiviz.writers.video import VideoPlugin

BEFORE_CHUNKS = 12  # bytes: RIFF, size, WEBP
FLAGS_AT = 8  # in the first chunk
EXIF_FLAG = 0x08


class WebpPlugin(VideoPlugin):
    """imageio plugin that writes an animated WebP. Of the metadata, only the comment is kept."""

    accepts = ("loop",)
    keeps_alpha = True

    def __init__(
        self, request: Request, *, metadata: Mapping[str, str], loop: int = 0, **settings: Any
    ) -> None:
        self._comment = metadata.get("comment", "")
        self._path = Path(request.get_local_filename())
        super().__init__(
            request,
            metadata=metadata,
            codec="libwebp_anim",
            pixel_format="bgra",
            muxing={"loop": str(loop)},
            **settings,
        )
        self._stream.options = {"lossless": "1"}

    def close(self) -> None:
        comment = "" if self._closed else self._comment
        super().close()
        if comment:
            _add_comment(self._path, comment)


def _add_comment(path: Path, text: str) -> None:
    """Add an Exif chunk to the end of a finished file, and set its flag in the header."""
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = text.encode()
    chunks = path.read_bytes()[BEFORE_CHUNKS:]
    if not chunks.startswith(b"VP8X"):  # a still picture
        with Image.open(path) as image:
            sides = (pack("<I", side - 1)[:3] for side in image.size)
            chunks = _chunk(b"VP8X", bytes(4) + b"".join(sides)) + chunks
    flags = bytes([chunks[FLAGS_AT] | EXIF_FLAG])
    chunks = chunks[:FLAGS_AT] + flags + chunks[FLAGS_AT + 1 :]
    chunks += _chunk(b"EXIF", exif.tobytes().removeprefix(b"Exif\0\0"))
    path.write_bytes(_chunk(b"RIFF", b"WEBP" + chunks))


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + pack("<I", len(data)) + data + bytes(len(data) % 2)
