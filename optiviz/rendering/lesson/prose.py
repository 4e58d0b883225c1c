"""The prose of lessons: words, formulas between dollar signs, code between backticks.

Words between asterisks are *stressed*, or **strong**, and may have formulas and code in them.
"""

import re
from collections.abc import Callable, Iterator
from html import escape
from typing import Literal, NamedTuple

from optiviz.kinds.mathml import mathml

MARKS = ".,;:!?)"  # no line begins with one
PARTS = re.compile(
    r"\$(?P<formula>[^$]+)\$|`(?P<code>[^`]+)`"
    r"|(?<![\w*])(?P<stars>\*\*?)(?=[^\s*])(?P<marked>(?:\$[^$]+\$|`[^`]+`|[^*$`])+)"
    r"(?<!\s)(?P=stars)(?![\w*])"
)
TAGS = {"code": "code", "stressed": "em", "strong": "strong"}


class Part(NamedTuple):
    """A part of a prose text. A formula is in LaTeX; what is stressed or strong is prose, too."""

    kind: Literal["words", "formula", "code", "stressed", "strong"]
    text: str


def prose_parts(text: str) -> Iterator[Part]:
    """Yield the parts of a prose text, in order."""
    end = 0
    for found in PARTS.finditer(text):
        if found.start() > end:
            yield Part("words", text[end : found.start()])
        if found["formula"]:
            yield Part("formula", found["formula"])
        elif found["code"]:
            yield Part("code", found["code"])
        else:
            yield Part("stressed" if found["stars"] == "*" else "strong", found["marked"])
        end = found.end()
    if end < len(text):
        yield Part("words", text[end:])


def prose_html(text: str, formula: Callable[[str], str] = mathml) -> str:
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
        shown = _html(part, formula)
        said += f'<span class="whole">{shown}{escape(marks)}</span>' if joined else shown
    return said


def _html(part: Part, formula: Callable[[str], str]) -> str:
    if part.kind == "formula":
        return formula(part.text)
    said = escape(part.text) if part.kind == "code" else prose_html(part.text, formula)
    return f"<{TAGS[part.kind]}>{said}</{TAGS[part.kind]}>"


def prose_markdown(text: str) -> str:
    """Return a prose text as Markdown; what else Markdown knows is shown as it is written."""

    def said(part: Part) -> str:
        match part.kind:
            case "words":
                return re.sub(r"([\\\[\]<>_~#|*])", r"\\\1", part.text)
            case "formula":
                return f"${part.text}$"
            case "code":
                return f"`{part.text}`"
        stars = "*" if part.kind == "stressed" else "**"
        return f"{stars}{prose_markdown(part.text)}{stars}"

    return "".join(map(said, prose_parts(text)))
