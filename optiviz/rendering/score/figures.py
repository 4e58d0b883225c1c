"""The figures of a score as SVG within the page, whose colours are those of the reader's theme."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from html import escape, unescape
from pathlib import Path
from tempfile import TemporaryDirectory

from optiviz.kinds.score import ScoreRecipe, ScoreScene
from optiviz.kinds.size import Size
from optiviz.rendering.page import page_themes
from optiviz.rendering.render import render_scene
from optiviz.rendering.score.numbers import FIGURES, numbers_of
from optiviz.rendering.score.tables import table_html
from optiviz.themes import Theme

SIZE = Size(480, 320)  # which is legible on a phone, too
SIZES = {"sensitivity": Size(480, 460)}  # of what has several panels
COLOR = re.compile(r"(#[0-9a-fA-F]{6})\b")
LEFT_OUT = re.compile(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", re.S)
STYLE = re.compile(r' style="([^"]*)"')
IDLE = re.compile(r' transform="rotate\(-?0 [^"]*"| (?:xmlns(?::xlink)?|version)="[^"]*"')
PLACES = re.compile(r'(?: (?:d|x|y|points)="|translate\()[^")]*')


@dataclass(frozen=True, eq=False, kw_only=True)
class BareScene(ScoreScene):
    """A score whose figures have no caption above them, as the page has one."""

    @property
    def caption(self) -> str:
        return ""


class Drawings:
    """The colours and the styles of figures, which have a name in CSS each."""

    def __init__(self) -> None:
        self.colors: dict[tuple[str, ...], str] = {}  # by the colour in each theme
        self.classes: dict[str, str] = {}  # by its declarations

    def color(self, *values: str) -> str:
        """Return what stands for a colour, given that in each theme, in CSS."""
        return f"var({self.colors.setdefault(values, f'--f{len(self.colors)}')})"

    def styled(self, declarations: str) -> str:
        """Return the name of a class with these declarations."""
        return self.classes.setdefault(declarations, f"f{len(self.classes)}")

    def rules(self) -> str:
        """Return the CSS rules of all of them."""
        rules = ""
        for at, media in enumerate(("", "@media (prefers-color-scheme: dark)")):
            given = [(name, values) for values, name in self.colors.items() if len(values) > at]
            said = "".join(f"{name}:{values[at]};" for name, values in given)
            rule = f":root{{{said}}}"
            rules += f"{media}{{{rule}}}\n" if media and said else f"{rule}\n" if said else ""
        rules += ".figure svg *{stroke-linejoin:round;stroke-linecap:butt}\n"
        return rules + "".join(f".{name}{{{said}}}\n" for said, name in self.classes.items())


def path_rules(scene: ScoreScene, themes: Mapping[str, Theme]) -> str:
    """Return CSS rules for the colour of each optimizer, as the variables --o0, --o1, ..."""
    rules = ""
    for at, theme in enumerate(themes.values()):
        said = "".join(
            f"--o{entry.number}:{entry.color or theme.paths[entry.number % len(theme.paths)]};"
            for entry in scene.entries
        )
        said += f"--good:{theme.areas[0]};"
        rule = f":root{{{said}}}"
        rules += f"@media (prefers-color-scheme: dark){{{rule}}}\n" if at else f"{rule}\n"
    marks = "".join(
        f".o{entry.number}{{--mark:var(--o{entry.number})}}\n" for entry in scene.entries
    )
    return rules + marks


def figure_html(
    scene: ScoreScene, recipe: ScoreRecipe, name: str, drawings: Drawings, level: int
) -> str:
    """Return a figure with a heading of a level, its caption, and a table that folds out."""
    heading, caption = FIGURES[name]
    heads, rows = numbers_of(name, scene)
    numbers = ""
    if rows:
        table = table_html(heads, rows, f"{heading}: numbers")
        numbers = f"<details><summary>Numbers</summary>{table}</details>"
    return (
        f'<figure class="figure" id="figure-{name}">\n<h{level}>{escape(heading)}</h{level}>\n'
        f"{_drawn(scene, recipe, name, f'{heading}. {caption}', drawings)}\n"
        f"<figcaption>{escape(caption)}</figcaption>\n{numbers}</figure>"
    )


def _drawn(scene: ScoreScene, recipe: ScoreRecipe, name: str, said: str, drawings: Drawings) -> str:
    """Return a figure as SVG: one for all themes if they differ by their colours alone."""
    made = []
    given = {each.name: getattr(scene, each.name) for each in fields(ScoreScene)}
    bare = BareScene(**given | {"title": "", "conditions": ()})
    with TemporaryDirectory(prefix="optiviz-") as folder:
        for key, theme in page_themes(recipe.theme).items():
            path = Path(folder) / f"{key}.svg"
            changes = {"only": name, "title": "", "size": SIZES.get(name, SIZE), "scale": 1.0}
            changes["theme"] = key if key != "own" else theme
            render_scene(recipe.model_copy(update=changes), bare, path)
            made.append(path.read_text("utf-8"))
    found = [_bare(svg, name) for svg in made]
    parts = [COLOR.split(svg) for svg in found]
    if any(each[::2] != parts[0][::2] for each in parts):
        classes = (" in-light", " in-dark") if len(found) > 1 else ("",)
        drawn = [
            _finished(COLOR.sub(lambda color: drawings.color(color[0]), svg), drawings)
            for svg in found
        ]
    else:
        classes = ("",)
        joined = zip(*parts, strict=True)
        svg = "".join(
            drawings.color(*values) if at % 2 else values[0] for at, values in enumerate(joined)
        )
        drawn = [_finished(svg, drawings)]
    label = escape(said)
    return "\n".join(
        svg.replace("<svg ", f'<svg class="drawn{more}" role="img" aria-label="{label}" ', 1)
        for svg, more in zip(drawn, classes, strict=True)
    )


def _bare(svg: str, name: str) -> str:
    """Return an SVG without its metadata, with ids that no other figure has."""
    svg = LEFT_OUT.sub("", svg[svg.index("<svg") :])
    svg = IDLE.sub("", svg)
    view = re.search(r'viewBox="[^"]*"', svg)
    assert view is not None
    svg = re.sub(r"<svg [^>]*>", f"<svg {view[0]}>", svg, count=1)
    svg = svg.replace("xlink:href", "href")
    used = {*re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', svg)}
    kept = {one or other for one, other in used}
    ids: dict[str, str] = {}
    for found in re.findall(r' id="([^"]*)"', svg):
        if found in kept:
            ids.setdefault(found, f"{name}-{len(ids)}")
    svg = re.sub(r' id="([^"]*)"', lambda at: f' id="{ids[at[1]]}"' if at[1] in ids else "", svg)
    svg = re.sub(r'href="#([^"]*)"', lambda at: f'href="#{ids.get(at[1], "")}"', svg)
    svg = re.sub(r"url\(#([^)]*)\)", lambda at: f"url(#{ids.get(at[1], '')})", svg)
    svg = re.sub(r"<[^>]*>", lambda tag: PLACES.sub(_shorter, tag[0]), svg)
    svg = re.sub(r'<(\w+)([^>]*) style="([^"]*)"', _with_all_styles, svg)
    return re.sub(r">\s+<", "><", svg)


def _shorter(found: re.Match[str]) -> str:
    """Return coordinates with two decimals."""
    said = re.sub(r"\d+\.\d{3,}", lambda each: f"{float(each[0]):.2f}", found[0])
    return re.sub(r"\s+", " ", said[:1] + said[1:].rstrip())


def _with_all_styles(found: re.Match[str]) -> str:
    """Return the beginning of a tag with its styles in order, and a colour where that is black.

    The font is left to the page.
    """
    tag, others, style = found[1], found[2], unescape(found[3])
    said = dict(re.split(r":\s*", each.strip(), maxsplit=1) for each in style.split(";") if each)
    said.pop("font-family", None)
    if tag in ("text", "path", "use") and " id=" not in others:  # else what uses it has a colour
        said.setdefault("fill", "#000000")
    return f'<{tag}{others} style="{";".join(f"{key}:{said[key]}" for key in sorted(said))}"'


def _finished(svg: str, drawings: Drawings) -> str:
    """Return an SVG whose styles are classes, since a page allows no others."""

    def tag(found: re.Match[str]) -> str:
        return STYLE.sub(lambda each: f' class="{drawings.styled(each[1])}"', found[0])

    return re.sub(r"<[^>]*>", tag, svg)
