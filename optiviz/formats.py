"""The formats that can be written, by suffix: strings only, so that help stays light.

The table stands outside `writers`, whose import registers a writer with matplotlib.
"""

from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from optiviz.errors import InputError, unknown

Quality = Literal["draft", "standard", "high"]  # of video; the other formats have only one
QUALITIES: tuple[Quality, ...] = get_args(Quality)


class Format(NamedTuple):
    """What a suffix stands for. `target` is "module:name" in `optiviz`."""

    kind: Literal["animation", "still", "data"]
    target: str
    about: str

    def load(self) -> Any:
        """Return what `target` names: an imageio plugin for animations, else a function."""
        module, _, name = self.target.partition(":")
        return getattr(import_module(f"optiviz.{module}"), name)


FORMATS = {
    ".gif": Format("animation", "writers.gif:GifPlugin", "animation that plays everywhere"),
    ".mp4": Format("animation", "writers.video:Mp4Plugin", "animation as H.264 video"),
    ".webm": Format("animation", "writers.video:WebmPlugin", "animation as VP9 video"),
    ".webp": Format("animation", "writers.video:WebpPlugin", "animation without loss, small"),
    ".apng": Format("animation", "writers.apng:ApngPlugin", "animation without loss, as PNG"),
    ".png": Format("still", "writers.still:save_png", "the final picture"),
    ".svg": Format("still", "writers.still:save_svg", "the final picture as vectors, for the web"),
    ".pdf": Format("still", "writers.still:save_pdf", "the final picture as vectors, for papers"),
    ".json": Format("data", "data:save_json", "recipe, paths and losses in full precision"),
    ".csv": Format("data", "data:save_csv", "one row per optimizer, start and step"),
}


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
