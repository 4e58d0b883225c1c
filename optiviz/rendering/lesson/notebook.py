"""The notebook of a lesson: its prose, and a cell of code that makes each picture.

Source: the notebook format of Jupyter, nbformat 4.5.
"""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from html import escape
from pathlib import Path
from textwrap import indent
from typing import Any

from pydantic import BaseModel

from optiviz.kinds.base import SHARED, BaseRecipe, to_dict
from optiviz.kinds.lesson import LessonRecipe, LessonScene, Passage
from optiviz.kinds.run import Recipe
from optiviz.rendering.lesson import LINK, is_live
from optiviz.rendering.lesson.prose import TAGS, Part, prose_parts
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import InputError
from optiviz.system.progress import Progress

WIDTH = 88  # letters of a line of code
# What means something in Markdown, in HTML or to what sets formulas, some at the beginning alone.
SIGNS = re.compile(r"[\\`*_\[\]<>&#~|$]|^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)]")
SIGN_OF = {"code": "`", "stressed": "*", "strong": "**"}  # in Markdown
FOUND = {"title", "start"}  # fields of a surface that it finds itself, unless they are given


def save_notebook(
    scene: LessonScene,
    recipe: LessonRecipe,
    path: Path,
    comment: str,
    progress: Progress | None = None,
) -> None:
    """Write the notebook of a lesson to a path, with `comment`, which is JSON, in its metadata."""
    cells = [_cell("markdown", _heading(scene, recipe)), _cell("code", "import optiviz")]
    for passage, picture in zip(scene.passages, recipe.pictures, strict=True):
        cells += [_cell("markdown", _prose(passage)), _cell("code", code_of(picture))]
    for number, cell in enumerate(cells):
        content = f"{number} {cell['source']}".encode()
        cell["id"] = sha256(content).hexdigest()[:8]
    notebook = {
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "optiviz": json.loads(comment),
        },
        "nbformat": 4,
        "nbformat_minor": 5,
        "cells": cells,
    }
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _cell(kind: str, source: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": "", "metadata": {}, "source": source}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _heading(scene: LessonScene, recipe: LessonRecipe) -> str:
    return "\n\n".join(filter(None, [f"# {_plain(scene.title)}", _plain(recipe.summary)]))


def _prose(passage: Passage) -> str:
    """Return a passage as Markdown, which knows the same signs for formulas and code."""
    asked, answer = _markdown(passage.question, html=True), _markdown(passage.answer)
    question = f"<details><summary>{asked}</summary>\n\n{answer}\n\n</details>"
    sources = f"*{'; '.join(map(_source, passage.sources))}*" if passage.sources else ""
    parts = [f"## {_plain(passage.heading)}", _markdown(passage.text), question, sources]
    return "\n\n".join(filter(None, parts))


def _markdown(prose: str, html: bool = False) -> str:
    """Return a prose text as Markdown in which words are nothing but words; in HTML as HTML."""

    def written(part: Part) -> str:
        if part.kind == "words":
            return _plain(part.text)
        if part.kind == "formula":
            return _formula(part.text)
        inner = part.text if part.kind == "code" else _markdown(part.text, html)
        if not html:
            return f"{SIGN_OF[part.kind]}{inner}{SIGN_OF[part.kind]}"
        said = escape(inner) if part.kind == "code" else inner
        return f"<{TAGS[part.kind]}>{said}</{TAGS[part.kind]}>"

    return "".join(map(written, prose_parts(prose)))


def _formula(formula: str) -> str:
    return f"${re.sub('<(?=[A-Za-z/!?])', '< ', formula)}$"  # or it would begin a tag


def _plain(words: str) -> str:
    """Return words as Markdown: its signs, and those of HTML and formulas, by their numbers."""
    return SIGNS.sub(lambda found: "".join(f"&#{ord(sign)};" for sign in found[0]), words)


def _source(source: str) -> str:
    """Return a source as Markdown, with its addresses as links."""
    links = [*LINK.findall(source), ""]
    return "".join(f"{_plain(words)}<{link}>" if link else _plain(words)
                   for words, link in zip(LINK.split(source), links, strict=True))  # fmt: skip


def code_of(picture: BaseRecipe) -> str:
    """Return the Python expression that makes a picture, which a notebook displays."""
    given = {
        key: value
        for key, value in to_dict(picture).items()
        if key not in ("kind", *SHARED) and value != _default(picture, key)
    }
    arguments: list[tuple[str, str]] = []
    for name in ("surface", "surfaces"):
        if given.pop(name, None) is not None:
            codes = [_surface(each) for each in picture.drawn_surfaces]
            arguments.append((name, codes[0] if len(codes) == 1 else _bracketed("[", codes, "]")))
    if "optimizers" in given:
        arguments.append(("optimizers", _code(",".join(given.pop("optimizers")))))
    if "starts" in given:
        given["starts"] = [tuple(each) for each in given["starts"]]
    arguments += [(name, _code(value)) for name, value in given.items()]
    if not isinstance(picture, Recipe):
        return f"optiviz.draw({_call(f'optiviz.{type(picture).__name__}', arguments)})"
    positional = [("", code) if name in ("surface", "optimizers") else (name, code)
                  for name, code in arguments]  # fmt: skip
    return _call(f"optiviz.{'explore' if is_live(picture) else 'animate'}", positional)


def _default(model: BaseModel, field: str) -> Any:
    """Return the default of a field as plain values."""
    known = type(model).model_fields[field].get_default()
    return [*known] if isinstance(known, tuple) else known


def _surface(surface: str | Surface) -> str:
    """Return the code of a surface: its name, or what it is declared by."""
    if isinstance(surface, str):
        return _code(surface)
    values = surface.model_dump(mode="json", exclude_defaults=True)
    for key in FOUND & values.keys():  # if they are found again without being given
        rest = {name: value for name, value in values.items() if name != key}
        with suppress(InputError):
            if Surface(**rest) == surface:
                values = rest
    if "domain" in values:
        sides = values["domain"].values()
        values["domain"] = ",".join(":".join(map(_code, side)) for side in sides)
    order = sorted(values, key=lambda key: key not in ("formula", "residuals", "fit"))
    return _call("optiviz.Surface", [(key, _code(values[key])) for key in order])


def _code(value: Any) -> str:
    """Return the code of a plain value, whole numbers without a point."""
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False)
        case float() if value.is_integer() and abs(value) < 1e15:
            return repr(int(value))
        case tuple():
            return f"({', '.join(map(_code, value))}{',' if len(value) == 1 else ''})"
        case list():
            return _bracketed("[", [_code(each) for each in value], "]")
        case dict():
            pairs = [f"{_code(key)}: {_code(each)}" for key, each in value.items()]
            return _bracketed("{", pairs, "}")
    return repr(value)


def _call(function: str, arguments: Sequence[tuple[str, str]]) -> str:
    given = [f"{name}={code}" if name else code for name, code in arguments]
    return _bracketed(f"{function}(", given, ")")


def _bracketed(begin: str, codes: Sequence[str], end: str) -> str:
    """Return codes between brackets: on one line if they fit, else on one each."""
    line = f"{begin}{', '.join(codes)}{end}"
    if len(line) <= WIDTH and "\n" not in line:
        return line
    return f"{begin}\n" + "".join(f"{indent(each, '    ')},\n" for each in codes) + end
