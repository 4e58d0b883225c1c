"""Generate the parts of the site that are not written by hand: reference, gallery, lessons.

This is an mkdocs hook. It also lets pages show files outside docs, such as the pictures in outputs,
and shows the live page beneath each command that writes one.
"""

import inspect
import json
import os
import posixpath
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import cache, partial
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))

from shown import ROOT, commands, live_page, pictures

import optiviz
from optiviz.cli import COMMANDS
from optiviz.cli.inventory import describe, list_names
from optiviz.kinds.base import BaseRecipe, to_dict
from optiviz.kinds.run import Recipe
from optiviz.kinds.types import resolve_surface
from optiviz.recipes.shipped_files import LESSONS
from optiviz.surfaces.catalogue import load_catalogue
from optiviz.surfaces.origins import NetworkOrigin, SpaceOrigin

LINK = re.compile(r"(\]\()((?:\.\./)+)([^)#\s]+)")
BLOCK = re.compile(r"^```sh\n(.*?)^```\n", re.M | re.S)
THUMBNAIL = (480, 360)
ROWS = "domain", "start", "steps", "minima", "learning_rates", "presets", "tags", "source"
COMPARED = "sgd,momentum,adam"  # on the live page of each surface
HEIGHT = 760  # pixels of a live page within another
_drawn = TemporaryDirectory(prefix="optiviz-")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages, what is drawn for them, and linked files outside docs."""
    add = partial(File.generated, config)
    for name, write in PAGES.items():
        files.append(add(name, content="\n".join(write()) + "\n"))
    for name in [*drawings(), *shown_pages()]:
        files.append(add(name, abs_src_path=str(Path(_drawn.name) / name)))
    outside = {posixpath.normpath(each) for file in list(files) for each in _outside(file)}
    for each in sorted(outside | pictures()):
        if files.get_file_from_path(each) is None:
            files.append(add(each, abs_src_path=str(ROOT / each)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Redirect links to files above docs into the site, and show live pages."""
    depth = page.file.src_uri.count("/") + 1

    def inside(found: re.Match[str]) -> str:
        ups = found[2].count("../")
        return found[1] + "../" * (ups - 1 if ups >= depth else ups) + found[3]

    def shown(found: re.Match[str]) -> str:
        name = live_page(found[1])
        if name is None:
            return found[0]
        address = posixpath.relpath(f"pages/{name}", page.url or ".")
        style = f'width="100%" height="{HEIGHT}" style="border: 0" loading="lazy"'
        return f'{found[0]}\n<iframe src="{address}" title="The page {name}" {style}></iframe>\n'

    return BLOCK.sub(shown, LINK.sub(inside, markdown))


def _outside(file: File) -> Iterator[str]:
    """Yield the files above docs that a page links to, relative to the project root."""
    if not file.src_uri.endswith(".md") or file.generated_by:
        return
    depth = file.src_uri.count("/") + 1
    for _, ups, rest in LINK.findall(file.content_string):
        if ups.count("../") == depth:
            yield rest


@cache
def drawings() -> Mapping[str, BaseRecipe]:
    """Draw the gallery and make the lessons, on all cores; return the recipes by name of file.

    With SHARE=N and SEED in the environment only every N-th, beginning with that of the seed, but
    the notebooks of all lessons, which check what lessons say. A surface has no picture if its
    data must be downloaded first or its plane is that of the paths, and no live page if it has
    many dimensions.
    """
    lessons = {name: optiviz.load_lesson(name) for name in LESSONS.names()}
    recipes: dict[str, BaseRecipe] = {
        f"pages/lessons/{name}.html": each for name, each in lessons.items()
    }
    for name, surface in load_catalogue().surfaces.items():
        origin = surface.origin
        network = origin if isinstance(origin, NetworkOrigin) else None
        needs_paths = isinstance(origin, SpaceOrigin) and origin.plane.kind == "path"
        if not needs_paths and (network is None or network.network.data != "mnist"):
            recipes[f"surfaces/{name}.png"] = optiviz.PlotRecipe(surfaces=name, size=THUMBNAIL)
        if not isinstance(origin, SpaceOrigin):
            recipes[f"pages/surfaces/{name}.html"] = Recipe(surface=name, optimizers=COMPARED)
    for each in pictures():
        if (recipe := page_recipe(ROOT / each)) is not None:
            recipes[f"pages/pictures/{Path(each).stem}.html"] = recipe
    share, seed = (int(os.environ.get(key, value)) for key, value in (("SHARE", 1), ("SEED", 0)))
    recipes = dict(list(recipes.items())[seed % share :: share])
    recipes |= {f"pages/lessons/{name}.ipynb": each for name, each in lessons.items()}
    files: dict[BaseRecipe, list[Path]] = {}
    for name, recipe in recipes.items():
        files.setdefault(recipe, []).append(Path(_drawn.name) / name)
    jobs = list(files.items())
    with ProcessPoolExecutor() as executor:
        failed = [each for each in optiviz.batch(jobs, executor) if each.status != "made"]
    assert not failed, failed
    return recipes


def page_recipe(picture: Path) -> Recipe | None:
    """Return the recipe of the live page of a picture, or None if it has none."""
    with suppress(optiviz.InputError):  # it was not made by optiviz
        made = optiviz.load_recipe(picture, allow_plugins=True)
        if (
            isinstance(made, Recipe)
            and not made.varied_param
            and not any(surface.learns for surface in map(resolve_surface, made.drawn_surfaces))
        ):
            return Recipe(**to_dict(made) | {"view": None, "legend": None, "layout": "panels"})
    return None


@cache
def shown_pages() -> list[str]:
    """Run each command on the site that writes a live page; return the names of the pages."""
    folder = Path(_drawn.name) / "pages"
    folder.mkdir(exist_ok=True)
    (folder / "examples").symlink_to(ROOT / "examples")
    names = []
    for command in commands():
        if (name := live_page(command)) is not None:
            words = [sys.executable, "-m", *shlex.split(command), "-q"]
            subprocess.run(words, cwd=folder, check=True, timeout=120)
            names.append(f"pages/{name}")
    return names


def command_line() -> Iterator[str]:
    """Write the help of every command."""
    yield "# Command line\n"
    yield "`--help` prints the same text for each command.\n"
    for words in ([], *([name] for name in COMMANDS)):
        yield f"## {' '.join(['optiviz', *words])}\n"
        yield f"```text\n{_help(words)}```\n"


def _help(words: list[str]) -> str:
    asked = [sys.executable, "-m", "optiviz", *words, "--help"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60).stdout
    return said.replace("python -m optiviz", "optiviz", 1)


def optimizers() -> Iterator[str]:
    """Write each optimizer's rule, hyperparameters and paper."""
    yield "# Optimizers\n"
    yield (
        "Names and hyperparameters follow PyTorch or, failing that, optax. `optiviz show NAME` "
        "prints the same details. [Optimizers](../optimizers.md) covers schedules and your own.\n"
    )
    for kind in ("optimizers", "wrappers"):
        if kind == "wrappers":
            yield "# Wrappers\n"
        family = None
        for row in list_names(kind):
            if row.get("family") != family:
                family = row["family"]
                yield f"# {family[0].upper()}{family[1:]}\n"
            known = describe(row["name"])
            yield f"## {known['name']}\n"
            yield f"{known['summary']}\n"
            yield f"```text\n{known['rule']}\n```\n"
            yield "| hyperparameter | default | |\n|---|---|---|"
            for each in known["hyperparameters"]:
                default = "" if each["default"] is None else _value(each["default"])
                yield f"| `{each['name']}` | {default} | {_cell(each['meaning'])} |"
            yield f"\n{known['paper']}\n"
            if known["notes"]:
                yield f"{known['notes']}\n"
    yield "# Schedules\n\n| schedule | learning rate |\n|---|---|"
    for row in list_names("schedules"):
        yield f"| `lr=0.1@{row['name']}` | {_cell(row['about'])} |"


def surfaces() -> Iterator[str]:
    """Write each surface's formula, window, start and minima, with its picture."""
    yield "# Surfaces\n"
    yield (
        "`optiviz list surfaces --tag valley` finds them by tag, and `optiviz show NAME` shows all "
        "details.\n"
    )
    for name, surface in load_catalogue().surfaces.items():
        known = describe(name)
        yield f"## {name}\n"
        yield (
            f"{surface.title}"
            + (f", also {', '.join(surface.aliases)}" if surface.aliases else "")
            + "\n"
        )
        if f"surfaces/{name}.png" in drawings():
            image = f"![{escape(surface.title)}](../surfaces/{name}.png){{ width=480 }}"
            yield _linked(image, f"pages/surfaces/{name}.html", "../") + "\n"
        if "formula" in known:
            yield f"```text\n{known['formula']}\n```\n"
        else:
            declared = known["network" if "network" in known else "fit"]
            yield f"```text\n{json.dumps(declared)}\n```\n"
        yield "| | |\n|---|---|"
        for key in (
            "domain",
            "start",
            "steps",
            "minima",
            "learning_rates",
            "presets",
            "tags",
            "source",
        ):
            if known.get(key):
                yield f"| {key.replace('_', ' ')} | {_cell(_value(known[key]))} |"
        yield ""


def keys() -> Iterator[str]:
    """Write every key of a recipe or a batch in YAML."""
    said = subprocess.run(
        [sys.executable, "-m", "optiviz", "schema"],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    schema = json.loads(said)
    parts = schema["$defs"]
    yield "# YAML, key by key\n"
    yield (
        "A recipe is a mapping of these keys. A batch has `jobs`, each a recipe with `out`, and "
        "optionally `defaults` ([recipes and batches](../batches.md)). `optiviz schema` prints the "
        "JSON Schema of both for editors.\n"
    )
    for kind in ("run", "plot", "response", "tune", "basins", "score", "lesson"):
        yield f"## kind: {kind}\n\n| key | value | |\n|---|---|---|"
        for key, field in parts[kind]["properties"].items():
            about = _cell(field.get("description", ""))
            yield f"| `{key}` | {_cell(_takes(field, parts))} | {about} |"
        yield ""
    titles = {"A section": "Section", "A surface": "Surface", "Its network": "NetworkConfig"}
    for title, part in titles.items():
        yield f"## {title}\n\n| key | value |\n|---|---|"
        for key, field in parts[part]["properties"].items():
            yield f"| `{key}` | {_cell(_takes(field, parts))} |"
        yield ""


def _takes(field: Mapping[str, Any], parts: Mapping[str, Any]) -> str:
    """Describe the values that a field of a schema accepts, in a few words."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return {"Surface": "a surface", "Domain": "x and y, each two numbers"}.get(
            name, name.lower()
        )
    if "anyOf" in field:
        given = [each for each in field["anyOf"] if each.get("type") != "null"]
        said = [_takes(each, parts) for each in given]
        return " or ".join(dict.fromkeys(said))
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        names = field["enum"]
        return "a name" if len(names) > 8 else ", ".join(f"`{each}`" for each in names)
    names = {
        "string": "text",
        "number": "a number",
        "integer": "a whole number",
        "boolean": "true or false",
    }
    if field.get("type") == "array":
        items = field.get("items")
        return (
            f"a list of {_takes(items, parts)}" if isinstance(items, dict) and items else "a list"
        )
    said = names.get(str(field.get("type")), "a mapping")
    bounds = {"minimum": "from {}", "exclusiveMinimum": "above {}", "maximum": "up to {}"}
    return " ".join(
        [said, *(each.format(field[key]) for key, each in bounds.items() if key in field)]
    )


def python() -> Iterator[str]:
    """Write the signature and docstring of everything that optiviz exports."""
    yield "# Python\n"
    yield f"```python\n{_first_paragraphs(optiviz)}\n```\n"
    for name in optiviz.__all__:
        value = getattr(optiviz, name)
        yield f"## optiviz.{name}\n"
        yield f"```python\n{_signature(name, value)}\n```\n"
        yield f"{_text(inspect.getdoc(value) or '')}\n"
        for key, each in sorted(vars(value).items()) if inspect.isclass(value) else ():
            public = not key.startswith("_") and each.__doc__ and isinstance(each, property)
            if public and value.__module__.startswith("optiviz"):
                yield f"- `{key}`: {' '.join((inspect.getdoc(each) or '').split())}"
        yield ""


def _first_paragraphs(module: Any) -> str:
    doc = inspect.getdoc(module) or ""
    return "\n".join(line[4:] for line in doc.splitlines() if line.startswith("    "))


def _signature(name: str, value: Any) -> str:
    fields = getattr(value, "model_fields", None)
    if fields is not None:
        lines = [
            f"    {key}" + ("" if each.is_required() else f" = {each.default!r}")
            for key, each in fields.items()
        ]
        return f"class {name}:\n" + "\n".join(lines)
    if inspect.isclass(value):
        return f"class {name}"
    return f"{name}{inspect.signature(value)}".replace("'", "").replace('"', "")


def _text(doc: str) -> str:
    """Return a docstring with its examples as code blocks."""
    lines = [re.sub(r"^(>>> .*|\S+)$", r"\1", line) for line in doc.splitlines()]
    text = "\n".join(lines)
    return re.sub(r"((?:^>>> .*\n?(?:^(?!>>>).+\n?)*)+)", r"```pycon\n\1\n```", text, flags=re.M)


def gallery() -> Iterator[str]:
    """Show the pictures of README and docs, and every surface of the catalogue."""
    yield "# Gallery\n"
    yield "A click on a picture of a formula opens its live page: drag the start, turn the knobs.\n"
    yield "## Pictures, each from one command on these pages\n"
    for each in sorted(pictures()):
        image = f"![{Path(each).stem}]({each}){{ width=420 loading=lazy }}"
        yield _linked(image, f"pages/pictures/{Path(each).stem}.html")
    yield "\n## Every surface\n"
    for name, surface in load_catalogue().surfaces.items():
        if f"surfaces/{name}.png" in drawings():
            image = f"![{escape(surface.title)}](surfaces/{name}.png){{ width=300 loading=lazy }}"
            yield _linked(image, f"pages/surfaces/{name}.html")


def lessons() -> Iterator[str]:
    """List all lessons, with what they teach, their pages and their notebooks."""
    yield "# Lessons\n"
    yield (
        "Each is a lecture page of live pictures, with a paragraph and a question beside each of "
        "them: drag a start, turn a knob, and see whether what is said remains true. All numbers "
        "in the texts are computed when a lesson is made.\n"
    )
    yield (
        "```text\noptiviz lesson momentum -o momentum.html\n```\n\n"
        "[Write a lesson](how-to/lesson.md) tells how to copy one and change it.\n"
    )
    for name in LESSONS.names():
        lesson = optiviz.load_lesson(name)
        yield f"## {lesson.title}\n"
        yield f"{lesson.summary}.\n"
        yield from (f"{number}. {each.heading}" for number, each in enumerate(lesson.sections, 1))
        page = _linked("Its page", f"pages/lessons/{name}.html")
        yield f"\n{page}, [its notebook](pages/lessons/{name}.ipynb), or `optiviz lesson {name}`\n"


def _linked(image: str, page: str, root: str = "") -> str:
    """Return an image or a text that opens a page, if there is one."""
    return f"[{image}]({root}{page})" if page in drawings() else image


def _value(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float():
            return f"{value:.12g}"
        case dict():
            return ", ".join(f"{key} {_value(each)}" for key, each in value.items())
        case [[*_], *_]:
            return "; ".join(_value(each) for each in value)
        case list() | tuple():
            return ", ".join(_value(each) for each in value)
    return str(value)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "reference/command-line.md": command_line,
    "reference/optimizers.md": optimizers,
    "reference/surfaces.md": surfaces,
    "reference/yaml.md": keys,
    "reference/python.md": python,
    "gallery.md": gallery,
    "lessons.md": lessons,
}
