"""The formats that can be written, by suffix: strings only, so that help stays light.

The table stands outside `writers`, whose import registers a writer with matplotlib.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from optiviz.system.errors import InputError, unknown

Quality = Literal["draft", "standard", "high"]  # of video; the other formats have only one
QUALITIES: tuple[Quality, ...] = get_args(Quality)


class Format(NamedTuple):
    """What a suffix stands for. `writer` and `reader` are "module:name" in `optiviz`.

    A writer is an imageio plugin for animations, else a function; a reader returns the text that
    a file carries about how it was made, None if it carries none.
    """

    kind: Literal["animation", "still", "data", "page"]
    writer: str
    reader: str
    about: str
    side: int = 65_535  # the longest that it can have, in pixels

    def load(self) -> Any:
        """Return the writer."""
        return _load(self.writer)

    def load_reader(self) -> Callable[[Path], str | None]:
        """Return the reader."""
        reader: Callable[[Path], str | None] = _load(self.reader)
        return reader


def _load(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(import_module(f"optiviz.{module}"), name)


FORMATS = {
    ".gif": Format(
        "animation", "writers.gif:GifPlugin", "recipes.metadata:read_image",
        "animation that plays everywhere",
    ),
    ".mp4": Format(
        "animation", "writers.video:Mp4Plugin", "writers.video:read_video",
        "animation as H.264 video", 16_384,
    ),
    ".webm": Format(
        "animation", "writers.video:WebmPlugin", "writers.video:read_video",
        "animation as VP9 video",
    ),
    ".webp": Format(
        "animation", "writers.webp:WebpPlugin", "recipes.metadata:read_image",
        "animation without loss, small", 16_383,
    ),
    ".apng": Format(
        "animation", "writers.apng:ApngPlugin", "recipes.metadata:read_image",
        "animation without loss, as PNG",
    ),
    ".png": Format(
        "still", "writers.still:save_png", "recipes.metadata:read_image", "the final picture"
    ),
    ".svg": Format(
        "still", "writers.still:save_svg", "recipes.metadata:read_svg",
        "the final picture as vectors, for the web",
    ),
    ".pdf": Format(
        "still", "writers.still:save_pdf", "recipes.metadata:read_pdf",
        "the final picture as vectors, for papers",
    ),
    ".html": Format(
        "page", "rendering.page:save_page", "recipes.metadata:read_html",
        "interactive page for a browser, all in one file",
    ),
    ".json": Format(
        "data", "rendering.data:save_json", "recipes.metadata:read_json",
        "recipe, paths and losses in full precision",
    ),
    ".csv": Format(
        "data", "rendering.data:save_csv", "recipes.metadata:read_csv",
        "one row per optimizer, start and step",
    ),
}  # fmt: skip


def format_of(path: Path) -> Format:
    """Return the format that a path's suffix stands for."""
    suffix = path.suffix.lower()
    if not path.name:
        raise InputError("an output has no name: write for example out.gif")
    if not suffix:
        raise InputError(f"{path} has no suffix: write for example {path}.gif")
    if suffix not in FORMATS:
        raise InputError(f"{path}: {unknown('format', suffix, FORMATS)}")
    return FORMATS[suffix]
