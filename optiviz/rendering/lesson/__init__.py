"""The page of a lesson: one HTML file with live pages and prose, which loads nothing else.

What all live pages share is in it once, and its script assembles each of them in a frame.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from itertools import count
from pathlib import Path
from string import Template
from typing import NamedTuple

from optiviz.kinds.base import BaseRecipe
from optiviz.kinds.lesson import LessonRecipe, LessonScene, Passage
from optiviz.kinds.run import Recipe
from optiviz.kinds.run_scene import RunScene
from optiviz.recipes.provenance import metadata_for
from optiviz.rendering.lesson.pictures import shown_picture
from optiviz.rendering.lesson.prose import prose_html
from optiviz.rendering.page import (
    color_schemes,
    page_parts,
    page_themes,
    theme_rules,
)
from optiviz.rendering.page.frames import embedded_pages, framed_policy, frames_script
from optiviz.rendering.page.text import embedded
from optiviz.system.errors import InputError
from optiviz.system.progress import Progress

LINK = re.compile(r"https://[^\s<>\"']*[^\s<>\"'.,;:!?)\]]")
TAKEN = "top", "made", "pages"  # ids in lesson.html


class Shown(NamedTuple):
    """A picture in a lesson: its HTML, the parts of its live page if it has one, its blanks."""

    html: str
    parts: dict[str, str] | None
    blanks: Sequence[str]


def save_lesson(
    scene: LessonScene,
    recipe: LessonRecipe,
    path: Path,
    comment: str,
    progress: Progress | None = None,
) -> tuple[str, ...]:
    """Write the page of a lesson to a path, with `comment`, which is JSON, at its head.

    Returns sentences on what is blank in its pictures.
    """
    pictures = [
        _shown(number, passage, picture, progress)
        for number, (passage, picture) in enumerate(
            zip(scene.passages, recipe.pictures, strict=True)
        )
    ]
    themes = page_themes(recipe.theme)
    own = {str(at): each.parts for at, each in enumerate(pictures) if each.parts is not None}
    style, script = theme_rules(themes) + _read("lesson.css"), frames_script() + _read("lesson.js")
    anchors = _anchors([passage.heading for passage in scene.passages])
    sections = [
        _section(number, anchor, passage, shown.html)
        for number, (anchor, passage, shown) in enumerate(
            zip(anchors, scene.passages, pictures, strict=True), 1
        )
    ]
    contents = [
        f'<li><a href="#{anchor}"><span>{number}</span>{escape(passage.heading)}</a></li>'
        for number, (anchor, passage) in enumerate(zip(anchors, scene.passages, strict=True), 1)
    ]
    summary = escape(recipe.summary)
    text = Template(_read("lesson.html")).substitute(
        comment=embedded(json.loads(comment)),
        lang=recipe.lang,
        policy=framed_policy([style], [script], own.values(), themes),
        schemes=color_schemes(themes),
        description=f'<meta name="description" content="{summary}">\n' if summary else "",
        title=escape(scene.title),
        summary=f'<p class="summary">{summary}</p>' if summary else "",
        contents="\n".join(contents),
        sections="\n".join(sections),
        pages=embedded_pages(own, themes),
        style=style,
        script=script,
    )
    path.write_text(text, encoding="utf-8")
    return tuple(dict.fromkeys(blank for each in pictures for blank in each.blanks))


def _shown(number: int, passage: Passage, picture: BaseRecipe, progress: Progress | None) -> Shown:
    """Return a picture: its live page, or else a film or a still."""
    if not is_live(picture):
        return Shown(*shown_picture(passage, picture))
    assert isinstance(picture, Recipe)
    assert isinstance(passage.scene, RunScene)
    comment = metadata_for(picture)
    parts, blanks = page_parts(passage.scene, picture, comment, progress, framed=True)
    html = f'<div class="picture" data-page="{number}" data-title="{parts["title"]}"></div>'
    return Shown(f"{html}\n{_without_scripts(parts)}", parts, blanks)


def is_live(picture: BaseRecipe) -> bool:
    """Return whether a picture has a page of its own."""
    try:
        picture.output_format(Path("x.html"))
    except InputError:
        return False
    return True


def _without_scripts(parts: Mapping[str, str]) -> str:
    """Return what a reader without scripts has of a live page: what came out."""
    heads = f'<th scope="col">optimizer</th><th scope="col">step</th>{parts["axes"]}'
    heads += '<th scope="col">loss</th><th scope="col">remark</th>'
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{parts['rows']}</tbody></table>"
    return f'<noscript><div class="picture" lang="en">{table}</div></noscript>'


def _section(number: int, anchor: str, passage: Passage, shown: str) -> str:
    sources = "".join(f"<li>{_linked(each)}</li>" for each in passage.sources)
    return f"""<section id="{anchor}">
<div class="prose">
<h2><a href="#{anchor}" aria-hidden="true" tabindex="-1">{number}</a>\
<span>{escape(passage.heading)}</span></h2>
<p>{prose_html(passage.text)}</p>
<details><summary>{prose_html(passage.question)}</summary>
<p>{prose_html(passage.answer)}</p></details>
{f'<ul class="sources">{sources}</ul>' if sources else ""}
</div>
{shown}
</section>"""


def _linked(source: str) -> str:
    """Return a source as HTML, with its addresses as links."""
    parts, end = [], 0
    for found in LINK.finditer(source):
        address = escape(found[0])
        said = address.removeprefix("https://").removesuffix("/")
        parts += [escape(source[end : found.start()])]
        parts += [f'<a href="{address}" rel="noopener">{said}</a>']
        end = found.end()
    return "".join([*parts, escape(source[end:])])


def _anchors(headings: Iterable[str]) -> list[str]:
    """Return an id for each heading: its words, and a number where these are taken."""
    anchors: list[str] = []
    for heading in headings:
        words = "-".join(re.findall(r"\w+", heading.lower())) or "section"
        names = (f"{words}-{each}" if each > 1 else words for each in count(1))
        anchors.append(next(name for name in names if name not in {*TAKEN, *anchors}))
    return anchors


def _read(name: str) -> str:
    return files(__name__).joinpath(name).read_text("utf-8")
