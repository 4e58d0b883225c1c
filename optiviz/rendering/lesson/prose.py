"""The prose of lessons: words, formulas between dollar signs, code between backticks."""

import re
from collections.abc import Iterator
from html import escape
from typing import Literal, NamedTuple

from optiviz.kinds.mathml import mathml

PARTS = re.compile(r"\$([^$]+)\$|`([^`]+)`")


class Part(NamedTuple):
    """A part of a prose text. A formula is written in LaTeX."""

    kind: Literal["words", "formula", "code"]
    text: str


def prose_parts(text: str) -> Iterator[Part]:
    """Yield the parts of a prose text, in order."""
    end = 0
    for found in PARTS.finditer(text):
        if found.start() > end:
            yield Part("words", text[end : found.start()])
        yield Part("formula", found[1]) if found[1] else Part("code", found[2])
        end = found.end()
    if end < len(text):
        yield Part("words", text[end:])


def prose_html(text: str) -> str:
    """Return a prose text as HTML, with formulas as MathML."""
    return "".join(map(_html, prose_parts(text)))


def _html(part: Part) -> str:
    if part.kind == "formula":
        return mathml(part.text)
    said = escape(part.text)
    return f"<code>{said}</code>" if part.kind == "code" else said
