"""The interactive page of a run: one HTML file, which loads nothing else.

The page's scripts compute surface and paths with our own formulas and optimizers, written in
JavaScript, and draw them in the look of the pictures. What a page cannot compute is in the file:
the surface as an image, one per theme, and paths as numbers.
"""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from pathlib import Path

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
    parts, blanks = page_parts(scene, recipe, comment, progress)
    text = assembled(shared_parts(page_themes(recipe.theme)) | parts)
    path.write_text(text, encoding="utf-8")
    return blanks


def page_parts(
    scene: RunScene,
    recipe: Recipe,
    comment: str,
    progress: Progress | None = None,
    *,
    framed: bool = False,
    spare: bool = False,
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the parts of a page that are its own, and sentences on what is blank in its picture.

    A page that is `framed` is as tall as what it shows, which it tells the page around it, and its
    heading is for screen readers alone. One that is `spare` has only the optimizers of the recipe,
    no situations and no relief.
    """
    themes = page_themes(recipe.theme)
    programs = page_programs(scene, recipe, spare=spare)
    page = Page(scene, recipe, themes, programs, progress, spare=spare)
    payload = page.payload()
    script, shared = _made(programs), shared_parts(themes)
    title = escape(scene.title or scene.surface.title)
    parts = {
        "place": ' class="framed"' if framed else "",
        "comment": embedded(json.loads(comment)),
        "policy": f"default-src 'none'; img-src data:; style-src '{policy_hash(shared['style'])}'; "
        f"script-src '{policy_hash(script)}' '{policy_hash(shared['script'])}'; worker-src blob:",
        "schemes": color_schemes(themes),
        "title": title,
        "heading": f'<h1 class="unseen">{title}</h1>' if framed else page.heading(),
        "formula": page.formula(),
        "caption": f"<p>{escape(scene.caption)}</p>" if scene.caption else "",
        **page.html_parts(),
        "scene": embedded(payload),
        "recipe": escape(yaml_text(to_dict(recipe))),
        "programs": script,
    }
    return parts, page.blanks


def page_pieces() -> list[str]:
    """Return texts of a page, and between each two of them the name of the part that is there."""
    return re.split(r"\$(\w+)", _read("page.html"))


def assembled(parts: Mapping[str, str]) -> str:
    """Return the HTML of a page from its parts."""
    pieces = enumerate(page_pieces())
    return "".join(parts[piece] if at % 2 else piece for at, piece in pieces)


def shared_parts(themes: Mapping[str, Theme]) -> dict[str, str]:
    """Return the parts that all pages in these themes share."""
    return {"style": theme_rules(themes) + _read("page.css"), "script": _shared_script()}


def page_themes(theme: str | Theme) -> dict[str, Theme]:
    """Return the themes by name that a page in a theme has, the default one first."""
    if not isinstance(theme, str):
        return {"own": theme}
    return {name: load_theme(name) for name in FOLLOWED.get(theme, (theme,))}


@cache
def _shared_script() -> str:
    return '"use strict";\n' + "".join(map(_read, SCRIPTS))


def _made(programs: Programs) -> str:
    """Return the script of a page's own programs; workers get them as the text of a function."""
    return (
        f'"use strict";\nfunction makePrograms(){{{programs.script}return programs;}}\n'
        "const programs=makePrograms(),programsText=`const programs=(${makePrograms})();`;\n"
    )


def color_schemes(themes: Mapping[str, Theme]) -> str:
    """Return the colour schemes of themes, as CSS names them."""
    return " ".join("dark" if theme.is_dark else "light" for theme in themes.values())


def theme_rules(themes: Mapping[str, Theme]) -> str:
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


def policy_hash(text: str) -> str:
    """Return what allows a style or a script in a Content-Security-Policy."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _read(name: str) -> str:
    return files(__name__).joinpath(name).read_text("utf-8")
