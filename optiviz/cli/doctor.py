"""`optiviz doctor`: whether everything that pictures need is installed and works."""

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile, gettempdir
from typing import Literal, NamedTuple

import click
from packaging.requirements import Requirement

from optiviz.cli import debug_option
from optiviz.cli.help import Command
from optiviz.registry import FORMATS, fits
from optiviz.system.errors import OptivizError, describe_error
from optiviz.system.text import counted

NAME = "optiviz-cli"
DEVELOPERS = ("test", "dev", "docs")  # extras for developers only
SCRIPTS = {
    "Chinese": "优化",
    "Japanese": "さいてきか",
    "Korean": "최적화",
}  # that the bundled font lacks


class Finding(NamedTuple):
    """One line of output: "ok", "no" if pictures fail, "-" if only an optional feature does."""

    state: Literal["ok", "no", "-"]
    what: str
    said: str


@click.command(cls=Command, name="doctor", short_help="Check the installation.")
@debug_option
def command() -> None:
    """Check libraries, formats, fonts, extras and caches, and say what to install.

    \b
    optiviz doctor
    optiviz doctor && optiviz run --surface wobbly --opt adam

    Each format is written and read once. "no" marks what is broken, "-" what is missing but
    needed only by some pictures. The exit code is 1 if anything is broken.
    """
    broken = 0
    for findings in (_libraries(), _formats(), _fonts(), _extras(), _folders()):
        for finding in findings:
            broken += finding.state == "no"
            click.echo(f"{finding.state:<3} {finding.what:<20} {finding.said}".rstrip())
    if broken:
        raise OptivizError(f"{counted(broken, 'check')} failed")


def _libraries() -> Iterator[Finding]:
    """Check Python and every required library."""
    yield Finding("ok", "optiviz", version(NAME))
    yield Finding("ok", "python", f"{platform.python_version()} at {sys.executable}")
    for name, wrong in _required(NAME):
        yield Finding("no", name, wrong) if wrong else Finding("ok", name, version(name))


def _extras() -> Iterator[Finding]:
    """Check the libraries of every extra."""
    for extra in metadata(NAME).get_all("Provides-Extra") or ():
        if extra in DEVELOPERS:
            continue
        found = _required(NAME, extra)
        wrong = next((wrong for _, wrong in found if wrong), "")
        if wrong:
            yield Finding("-", extra, f"{wrong}: pip install '{NAME}[{extra}]'")
        else:
            yield Finding("ok", extra, ", ".join(f"{name} {version(name)}" for name, _ in found))


def _required(package: str, extra: str = "") -> list[tuple[str, str]]:
    """Return what a package, or one of its extras, requires, and what is wrong with each."""
    found = []
    for wanted in map(Requirement, requires(package) or ()):
        if _applies(wanted, extra) and not (extra and _applies(wanted, "")):
            wrong = _wrong(wanted)
            found.append((wanted.name, wrong))
            for each in wanted.extras if not wrong else ():
                found += _required(wanted.name, each)
    return found


def _applies(wanted: Requirement, extra: str) -> bool:
    return wanted.marker is None or wanted.marker.evaluate({"extra": extra})


def _wrong(wanted: Requirement) -> str:
    try:
        here = version(wanted.name)
    except PackageNotFoundError:
        return f"{wanted.name} is not installed"
    fits = wanted.specifier.contains(here, prereleases=True)
    return "" if fits else f"{wanted.name} {here} is installed, but {wanted.specifier} is required"


def _formats() -> Iterator[Finding]:
    """Write and read a small picture in every format."""
    from optiviz import LessonRecipe, Recipe, load_recipe, render
    from optiviz.kinds.lesson import Section
    from optiviz.kinds.size import Size

    drawn = Recipe(surface="wobbly", optimizers=("adam",), steps=2)
    run = drawn.model_copy(update={"size": Size(240, 160)})
    section = Section(heading="One", text="Two.", question="Three?", answer="Four.", picture=drawn)
    lesson = LessonRecipe(sections=(section,))
    with TemporaryDirectory(prefix="optiviz-") as folder:
        for suffix, form in FORMATS.items():
            path = Path(folder) / f"picture{suffix}"
            recipe = run if fits(suffix, run.formats) else lesson
            try:
                render(recipe, path)
                same = load_recipe(path) == recipe
            except OptivizError as error:
                yield Finding("no", suffix, str(error))
            except Exception as error:
                yield Finding("no", suffix, describe_error(error))
            else:
                said = form.about if same else "written, but cannot be read back"
                yield Finding("ok" if same else "no", suffix, said)


def _fonts() -> Iterator[Finding]:
    """Check which scripts the fonts cover."""
    from optiviz.views.fonts import families, undrawable

    own, *others = families()
    yield Finding("ok", "font", own)
    for script, letters in SCRIPTS.items():
        if undrawable(letters):
            yield Finding("-", script, "no font covers it: install one such as Noto Sans CJK")
        else:
            yield Finding("ok", script, "covered" if others else own)


def _folders() -> Iterator[Finding]:
    """Check the folders of the caches."""
    import matplotlib

    from optiviz.system.cache import cache_folder

    for what, path in {
        "cache": cache_folder(),
        "font cache": Path(matplotlib.get_cachedir()),
    }.items():
        try:
            path.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=path):
                pass
        except OSError as error:
            wrong = describe_error(error)
        else:
            wrong = "the folder is temporary" if Path(gettempdir()) in path.parents else ""
        lost = f"nothing is cached, so some runs take longer: {wrong}"
        yield Finding("-", what, lost) if wrong else Finding("ok", what, str(path))
