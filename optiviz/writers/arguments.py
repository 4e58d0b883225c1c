"""The arguments of an encoder, also as matplotlib users write them for ffmpeg: as extra_args."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from optiviz.system.errors import InputError

CODEC = "-vcodec", "-codec:v", "-codec", "-c:v", "-c"
BITRATE = "-b:v", "-b"
OPTIONS = "-crf", "-preset", "-tune", "-pix_fmt", "-profile:v", "-profile", "-g"
DONE = {("-movflags", "+faststart"), ("-movflags", "faststart"), ("-an", None), ("-y", None)}
KILOBITS = {"": 1e-3, "k": 1, "m": 1e3}  # in each unit of bits


def parse_ffmpeg(arguments: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Return the settings of plugins that arguments of ffmpeg ask for, and the words left over.

    Raises InputError if they are not a list, or a number is invalid.
    """
    if isinstance(arguments, str):
        raise InputError(f"extra_args: {arguments!r} must be a list of words")
    settings: dict[str, Any] = {}
    options: dict[str, str] = {}
    unused: list[str] = []
    words = [str(word) for word in arguments]
    while words:
        name, value = words.pop(0), None
        if words and not re.match(r"-[a-z]", words[0]):
            value = words.pop(0)
        if (name, value) in DONE:
            continue
        if value is None:
            unused.append(name)
        elif name in CODEC:
            settings["codec"] = value
        elif name in BITRATE:
            settings["bitrate"] = _kilobits(value)
        elif name == "-loop" and re.fullmatch(r"-?[0-9]{1,5}", value):
            # ffmpeg counts repetitions; 0 stands for endless ones, and -1 for none.
            settings["loop"] = max(int(value), 0) + 1 if int(value) else 0
        elif name in OPTIONS:
            options[name[1:].removesuffix(":v")] = value
        else:
            unused.append(f"{name} {value}")
    return settings | ({"options": options} if options else {}), unused


def checked_texts(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Return metadata as texts, for example the year 2026 as "2026"."""
    if not isinstance(metadata, Mapping):
        raise InputError(f"metadata: {metadata!r} must map names to texts")
    texts = {str(name): str(text) for name, text in metadata.items()}
    for name, text in texts.items():
        try:
            f"{name}{text}".encode()
        except UnicodeEncodeError:
            raise InputError(f"metadata: {name!r} has letters that cannot be written") from None
    return texts


def _kilobits(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]+)?)([kKmM]?)", text)
    rate = round(float(match[1]) * KILOBITS[match[2].lower()]) if match else 0
    if rate < 1:
        raise InputError(f"extra_args: {text!r} is not a bit rate: write, for example, 2000k")
    return rate
