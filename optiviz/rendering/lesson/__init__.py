"""The page of a lesson: one HTML file with live pages and prose, which loads nothing else."""

import json
from base64 import b64encode
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from typing import TypeGuard

from optiviz.kinds.base import BaseRecipe
from optiviz.kinds.lesson import LessonRecipe, LessonScene, Passage
from optiviz.kinds.run import Recipe
from optiviz.kinds.run_scene import RunScene
from optiviz.recipes.provenance import metadata_for
from optiviz.registry import FORMATS
from optiviz.rendering.lesson.prose import prose_html
from optiviz.rendering.page import page_text
from optiviz.rendering.page.text import embedded
from optiviz.system.errors import InputError
from optiviz.system.progress import Progress


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
    sections, blanks = [], list[str]()
    for passage, picture in zip(scene.passages, recipe.pictures, strict=True):
        shown, blank = _picture(passage, picture, progress)
        blanks += blank
        sections.append(_section(passage, shown))
    page = Template(files(__name__).joinpath("lesson.html").read_text("utf-8"))
    text = page.substitute(
        comment=embedded(json.loads(comment)),
        lang=recipe.lang,
        title=escape(scene.title),
        sections="\n".join(sections),
    )
    path.write_text(text, encoding="utf-8")
    return tuple(dict.fromkeys(blanks))


def is_live(picture: BaseRecipe) -> TypeGuard[Recipe]:
    """Return whether a picture has a page of its own."""
    try:
        picture.output_format(Path("x.html"))
    except InputError:
        return False
    return True


def _section(passage: Passage, shown: str) -> str:
    sources = "".join(f"<li>{escape(each)}</li>" for each in passage.sources)
    return f"""<section>
<h2>{escape(passage.heading)}</h2>
<p>{prose_html(passage.text)}</p>
<details><summary>{prose_html(passage.question)}</summary>{prose_html(passage.answer)}</details>
<ul>{sources}</ul>
{shown}
</section>"""


def _picture(
    passage: Passage, picture: BaseRecipe, progress: Progress | None
) -> tuple[str, tuple[str, ...]]:
    """Return the HTML of a picture, and sentences on what is blank in it."""
    from optiviz.rendering.render import make_picture

    if is_live(picture):
        assert isinstance(passage.scene, RunScene)
        text, blanks = page_text(passage.scene, picture, metadata_for(picture), progress)
        said = f'title="{escape(passage.heading)}" sandbox="allow-scripts" loading="lazy"'
        return f'<iframe srcdoc="{escape(text)}" {said}></iframe>', blanks
    drawn = make_picture(picture, passage.scene)
    with TemporaryDirectory(prefix="optiviz-") as folder:
        still = Path(folder) / "still.png"
        drawn.update(passage.scene.steps)
        FORMATS[".png"].load()(drawn.figure, still, "", picture.size.inches)
        data = b64encode(still.read_bytes()).decode()
    said = escape(f"{passage.heading}: {passage.scene.description}")
    return f'<img src="data:image/png;base64,{data}" alt="{said}">', drawn.remarks
