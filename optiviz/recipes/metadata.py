"""What a finished file says of itself, one reader a format: the text that its writer put in.

Nothing of ours is needed for that, and no writer is loaded. What is no such file, or a broken one,
makes a reader raise whatever its library raises. (Videos are read where av is known: in writers.)
"""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

MAX_BYTES = 8_000_000  # of a text before what is drawn
DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"
MADE_TAG = '<script type="application/json" id="made">'  # begins what a page says of itself
METADATA_KEYS = ("recipe", "versions")  # what a .json has beside its numbers


def read_image(path: Path) -> str | None:
    """Return the comment of a GIF, a PNG or an APNG, or the Exif description of a WebP."""
    from PIL import ExifTags, Image

    with Image.open(path) as image:
        said = image.info.get("comment", image.info.get("Comment"))
        if said is None and image.format == "WEBP":
            said = image.getexif().get(ExifTags.Base.ImageDescription)
            said = said and said.encode("latin-1")  # Exif knows ASCII; it was written as UTF-8
    return said.decode() if isinstance(said, bytes) else said


def read_svg(path: Path) -> str | None:
    """Return the description in an SVG's metadata."""
    parser: Any = ElementTree.XMLPullParser(["end"])
    with path.open("rb") as file:
        parser.feed(file.read(MAX_BYTES))  # it stands at the top
    said = (element.text for _, element in parser.read_events() if element.tag == DESCRIPTION)
    return next(said, None)


def read_pdf(path: Path) -> str | None:
    """Return the subject in a PDF's information dictionary."""
    from PIL.PdfParser import PdfParser

    with PdfParser(str(path), mode="rb") as parser:
        said = parser.info.get(b"Subject")
    return said.decode("ascii") if isinstance(said, bytes) else None


def read_html(path: Path) -> str | None:
    """Return what the first element of a page of ours holds, which stands at its head."""
    with path.open(encoding="utf-8") as file:
        _, begun, rest = file.read(MAX_BYTES).partition(MADE_TAG)
    said, ended, _ = rest.partition("</script>")
    # Without the escapes that keep its element whole.
    return json.dumps(json.loads(said)) if begun and ended else None


def read_json(path: Path) -> str | None:
    """Return the recipe and the versions that stand before the numbers."""
    found = json.loads(path.read_bytes())
    return json.dumps({key: found[key] for key in METADATA_KEYS})


def read_csv(path: Path) -> str | None:
    """Return the comment in the first line."""
    with path.open(encoding="utf-8") as file:
        first = file.readline(MAX_BYTES)
    return first.removeprefix("# ").rstrip("\n") if first.startswith("# ") else None
