"""The page of a score: one HTML file with figures, tables and live pages, which loads nothing else.

All of it can be read without scripts but the animations, each of which a script assembles in a
frame when the reader asks for it.
"""

import json
import re
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from optiviz.kinds.base import to_dict
from optiviz.kinds.score import ScoreRecipe, ScoreScene
from optiviz.rendering.page import color_schemes, page_themes, theme_rules
from optiviz.rendering.page.frames import embedded_pages, framed_policy, frames_script
from optiviz.rendering.page.text import embedded
from optiviz.rendering.score.figures import Drawings, figure_html, path_rules
from optiviz.rendering.score.numbers import FIGURES
from optiviz.rendering.score.problems import problems_told, with_pages
from optiviz.rendering.score.tables import (
    extremes_html,
    failures_html,
    matrix_html,
    summary_html,
)
from optiviz.scoring.words import cautions, conclusions
from optiviz.system.progress import Progress
from optiviz.system.text import counted, enumerated
from optiviz.system.yaml import yaml_text


def save_score(
    scene: ScoreScene,
    recipe: ScoreRecipe,
    path: Path,
    comment: str,
    progress: Progress | None = None,
) -> tuple[str, ...]:
    """Write the page of a score to a path, with `comment`, which is JSON, at its head.

    One that is unfinished has no animations, and loads itself again as long as work goes on.
    """
    themes = page_themes(recipe.theme)
    drawings = Drawings()
    shown = [name for name in FIGURES if recipe.only is None or name in recipe.views(scene)]
    figures = [
        figure_html(scene, recipe, name, drawings, level=3 if number else 2)
        for number, name in enumerate(shown)
    ]
    pages = with_pages(scene, recipe)
    told = problems_told(scene, recipe, pages)
    rules = theme_rules(themes) + path_rules(scene, themes) + drawings.rules()
    style = rules + _read("score.css")
    script = frames_script() + _read("score.js")
    title = scene.title or scene.suite.title or "Score"
    said = conclusions(scene)
    text = Template(_read("score.html")).substitute(
        comment=embedded(json.loads(comment)),
        policy=framed_policy([style], [script], pages.values(), themes),
        schemes=color_schemes(themes),
        title=escape(title),
        subtitle=escape(_compared(scene, recipe)),
        conclusions=_list(said),
        cautions=_list(cautions(scene)),
        summary=summary_html(scene, recipe),
        suite=escape(f"{scene.suite.title}. " if scene.suite.title else ""),
        paths=_paths(scene, len(pages)),
        matrix=matrix_html(scene),
        leading="".join(figures[:1]),
        figures=_figures(figures[1:]),
        extremes=extremes_html(scene),
        failures=failures_html(scene),
        recipe=escape(yaml_text(to_dict(recipe))),
        score=embedded(told),
        pages=embedded_pages(pages, themes),
        style=style,
        script=script,
    )
    path.write_text(text, encoding="utf-8")
    return ()


def _compared(scene: ScoreScene, recipe: ScoreRecipe) -> str:
    """Return a sentence on what was compared, on what, and for how long."""
    first, *others = (entry.heading for entry in scene.entries)
    against = f" against {enumerated(others)}" if others else ""
    table = scene.table
    starts = len(table.problem)
    budgets = sorted({*table.budgets.tolist()})
    most = f"{budgets[0]:,}" if len(budgets) == 1 else f"{budgets[0]:,} to {budgets[-1]:,}"
    where = {None: "for each problem", "all": "for the whole suite"}.get(
        recipe.tuned_on, f"on {recipe.tuned_on}"
    )
    searched = any(entry.is_tuned for entry in scene.entries)
    rates = f" learning rates tuned {where}," if searched else ""
    return (
        f"{first}{against}, on the suite {scene.suite.name}: "
        f"{counted(len(table.problems), 'problem')} with {counted(starts, 'start')} in all, "
        f"{most} evaluations a run,{rates} seed {recipe.seed}."
    )


def _paths(scene: ScoreScene, shown: int) -> str:
    """Return a sentence on how many problems have live pages with the paths."""
    many = len(scene.table.problems)
    if shown == many:
        return "Open one to see the paths."
    paths = f", and for {shown} of the {many} problems the paths" if shown else ""
    return f"Open one to see its gaps{paths}."


def _figures(drawn: list[str]) -> str:
    """Return a section of all figures but the one that leads; empty if there are no others."""
    if not drawn:
        return ""
    joined = "\n".join(drawn)
    return f'<section id="figures"><h2>Figures</h2>\n<div class="figures">{joined}</div></section>'


def _list(sentences: tuple[str, ...]) -> str:
    """Return the items of a list, in which no line begins with a sign, such as that of per cent."""
    kept = (re.sub(r" (?=[%=<])|(?<=[=<]) ", "\N{NO-BREAK SPACE}", each) for each in sentences)
    return "".join(f"<li>{escape(each)}</li>" for each in kept)


def _read(name: str) -> str:
    return files(__name__).joinpath(name).read_text("utf-8")
