"""The prose of lessons: words, formulas between dollar signs, code between backticks."""

from collections.abc import Iterator
from html import escape
from typing import Literal, NamedTuple

from optiviz.kinds.facts import PARTS
from optiviz.kinds.mathml import mathml

MARKS = ".,;:!?)"  # no line begins with one


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
        yield Part("code", found[2]) if found[1] is None else Part("formula", found[1])
        end = found.end()
    if end < len(text):
        yield Part("words", text[end:])


def prose_html(text: str) -> str:
    """Return a prose text as HTML, with formulas as MathML; a comma stays beside its formula."""
    said = ""
    parts = [*prose_parts(text)]
    for part, after in zip(parts, [*parts[1:], Part("words", "")], strict=True):
        if part.kind == "words":
            words = part.text.lstrip(MARKS) if said else part.text
            said += escape(words.replace(" × 10", "\xa0×\xa010"))
            continue
        marks = after.text[: len(after.text) - len(after.text.lstrip(MARKS))]
        joined = marks and after.kind == "words"
        shown = _html(part)
        said += f'<span class="whole">{shown}{escape(marks)}</span>' if joined else shown
    return said


def _html(part: Part) -> str:
    if part.kind == "formula":
        return mathml(part.text)
    said = escape(part.text)
    return f"<code>{said}</code>" if part.kind == "code" else said
