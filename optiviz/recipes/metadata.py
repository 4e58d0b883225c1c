"""Readers of the metadata in finished files, one per format: the text that its writer stored.

They need no other module of optiviz, and load no writer. For a broken file, or one of another
format, a reader raises whatever its library raises. (The reader of videos needs av and is in
writers.)
"""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

MAX_BYTES = 8_000_000  # of text before the drawing
DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"
MADE_TAG = '<script type="application/json" id="made">'  # begins the metadata of a page
METADATA_KEYS = ("recipe", "versions")  # keys of a .json that hold metadata


def read_image(path: Path) -> str | None:
    """Return the comment of a GIF, a PNG or an APNG, or the Exif description of a WebP."""
    from PIL import ExifTags, Image

    with Image.open(path) as image:
        said = image.info.get("comment", image.info.get("Comment"))
        if said is None and image.format == "WEBP":
            said = image.getexif().get(ExifTags.Base.ImageDescription)
            said = said and said.encode("latin-1")  # Exif text is ASCII; the writer stored UTF-8
    return said.decode() if isinstance(said, bytes) else said


def read_svg(path: Path) -> str | None:
    """Return the description in an SVG's metadata."""
    parser: Any = ElementTree.XMLPullParser(["end"])
    with path.open("rb") as file:
        parser.feed(file.read(MAX_BYTES))  # metadata comes first
    said = (element.text for _, element in parser.read_events() if element.tag == DESCRIPTION)
    return next(said, None)


def read_pdf(path: Path) -> str | None:
    """Return the subject in a PDF's information dictionary."""
    from PIL.PdfParser import PdfParser

    with PdfParser(str(path), mode="rb") as parser:
        said = parser.info.get(b"Subject")
    return said.decode("ascii") if isinstance(said, bytes) else None


def read_html(path: Path) -> str | None:
    """Return the content of the metadata element in the head of a page."""
    with path.open(encoding="utf-8") as file:
        _, begun, rest = file.read(MAX_BYTES).partition(MADE_TAG)
    said, ended, _ = rest.partition("</script>")
    # Parsing removes the escapes that protect the element.
    return json.dumps(json.loads(said)) if begun and ended else None


def read_json(path: Path) -> str | None:
    """Return the recipe and the versions in a .json, without its numbers."""
    found = json.loads(path.read_bytes())
    return json.dumps({key: found[key] for key in METADATA_KEYS})


def read_notebook(path: Path) -> str | None:
    """Return what the metadata of a notebook hold of optiviz."""
    found = json.loads(path.read_bytes())["metadata"]["optiviz"]
    return json.dumps(found)


def read_csv(path: Path) -> str | None:
    """Return the comment in the first line."""
    with path.open(encoding="utf-8") as file:
        first = file.readline(MAX_BYTES)
    return first.removeprefix("# ").rstrip("\n") if first.startswith("# ") else None
