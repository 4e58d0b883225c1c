"""The interactive page of a run: one HTML file, which loads nothing else.

The page's scripts compute surface and paths with our own formulas and optimizers, written in
JavaScript, and draw them in the look of the pictures. What a page cannot compute is in the file:
the surface as an image, one per theme, and paths as numbers.
"""

import json
from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from optiviz.kinds.base import to_dict
from optiviz.kinds.run import Recipe
from optiviz.kinds.run_scene import RunScene
from optiviz.rendering.page.page import Page
from optiviz.rendering.page.programs import Programs, page_programs
from optiviz.rendering.page.text import embedded
from optiviz.system.progress import Progress
from optiviz.system.yaml import yaml_text
from optiviz.themes import Theme, load_theme

# Joined into one script, after the programs.
SCRIPTS = (
    *("told.js", "scales.js", "outcome.js", "runs.js", "state.js", "pen.js", "axes.js"),
    *("sketches.js", "plane.js", "eigenvectors.js", "gradients.js"),
    *(
        "curve.js",
        "charts.js",
        "data.js",
        "field.js",
        "sets.js",
        "streamlines.js",
        "ground.js",
        "stage.js",
    ),
    *("relief_camera.js", "relief_light.js", "relief_field.js", "relief_mesh.js", "relief_box.js"),
    *("relief_paths.js", "relief.js", "basins.js"),
    *("player.js", "knobs.js", "legend.js", "handles.js", "pointer.js", "share.js", "tabs.js"),
    "start.js",
)
FOCUS = "#0a74da", "#7cc0ff"  # of the focus ring, light and dark: no path has such a blue
FOLLOWED = {"light": ("light", "dark")}  # themes by that of the recipe; the reader's system selects


def save_page(
    scene: RunScene, recipe: Recipe, path: Path, comment: str, progress: Progress | None = None
) -> tuple[str, ...]:
    """Write the page of a run to a path, with `comment`, which is JSON, at its head.

    Returns sentences on what is blank in its picture.
    """
    text, blanks = page_text(scene, recipe, comment, progress)
    path.write_text(text, encoding="utf-8")
    return blanks


def page_text(
    scene: RunScene, recipe: Recipe, comment: str, progress: Progress | None = None
) -> tuple[str, tuple[str, ...]]:
    """Return the HTML of the page of a run, and sentences on what is blank in its picture."""
    themes = {"own": load_theme(recipe.theme)}
    if isinstance(recipe.theme, str):
        names = FOLLOWED.get(recipe.theme, (recipe.theme,))
        themes = {name: load_theme(name) for name in names}
    programs = page_programs(scene, recipe)
    page = Page(scene, recipe, themes, programs, progress)
    style = _colors(themes) + _read("page.css")
    script = _script(programs)
    payload = page.payload()
    text = Template(_read("page.html")).substitute(
        comment=embedded(json.loads(comment)),
        policy=f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; worker-src blob:",
        schemes=" ".join("dark" if theme.is_dark else "light" for theme in themes.values()),
        title=escape(scene.title or scene.surface.title),
        heading=page.heading(),
        formula=page.formula(),
        caption=f"<p>{escape(scene.caption)}</p>" if scene.caption else "",
        style=style,
        script=script,
        **page.html_parts(),
        scene=embedded(payload),
        recipe=escape(yaml_text(to_dict(recipe))),
    )
    return text, page.blanks


def _script(programs: Programs) -> str:
    """Return the page's script; workers get the programs as the text of a function."""
    made = (
        f"function makePrograms(){{{programs.script}return programs;}}\n"
        "const programs=makePrograms(),programsText=`const programs=(${makePrograms})();`;\n"
    )
    return '"use strict";\n' + made + "".join(map(_read, SCRIPTS))


def _colors(themes: dict[str, Theme]) -> str:
    """Return CSS rules that define the colours of the themes as variables."""
    theme, *others = themes.values()
    rules = f":root{{{_variables(theme)}}}\n"
    for other in others:
        rules += f"@media (prefers-color-scheme: dark){{:root{{{_variables(other)}}}}}\n"
    return rules


def _variables(theme: Theme) -> str:
    named = {
        name: getattr(theme, name)
        for name in ("background", "ink", "edge", "muted", "warning", "casing", "rule", "minimum")
    }
    named["focus"] = FOCUS[theme.is_dark]
    return "".join(f"--{name}:{color};" for name, color in named.items())


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _read(name: str) -> str:
    return files(__name__).joinpath(name).read_text("utf-8")
