"""The documentation: commands run as printed, and each picture comes from one of them."""

import json
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Invoke

from optiviz import BasinsRecipe, InputError, Recipe, TuneRecipe, load_lesson, load_recipe
from optiviz.descent.track_files import read_track_file
from optiviz.descent.track_json import KEYS
from optiviz.kinds.facts import FUNCTIONS, call_of
from optiviz.recipes.suites import read_suite
from optiviz.shapes import ROLES, SHAPES

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs"))

from shown import blocks, commands, documents, live_page, pictures  # noqa: E402

COMMANDS = commands()
MODELS = "examples/models/"
PICTURES = pictures()


def _param(command: str) -> Any:
    """Mark slow commands: trained networks, large maps, videos, repeated cases."""
    long = (
        "digits-", "512x512", "--orbit", "schedule", "around", "tuned", ".mp4", "--batch-size",
        "--plane", "tune ", "basins ", "batch ", "vary.gif", "knob.gif", "mine.gif", "bowl.gif",
        "spirals", "lesson ",
    )  # fmt: skip
    slow = [pytest.mark.slow] if any(each in command for each in (*long, MODELS)) else []
    torch = [pytest.mark.torch] if MODELS in command else []
    return pytest.param(command, marks=slow + torch)


def _train(words: list[str]) -> None:
    """Train the models of examples that are named in a command, unless they are."""
    pytest.importorskip("torch")
    for example in {each.partition(":")[0] for each in " ".join(words).replace(",", " ").split()}:
        weights = "plain.pt" if "skip" in example else "run.npz"
        if example.startswith(MODELS) and not (ROOT / MODELS / "trained" / weights).exists():
            subprocess.run([sys.executable, example], cwd=ROOT, check=True)


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "command", list(map(_param, COMMANDS)), ids=lambda each: each.rpartition("/")[2]
)
def test_a_command_runs_as_it_is_printed(
    command: str, invoke: Invoke, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The steps and the grid of a large network take minutes.
    for grid in ("config.COARSE_GRID", "origins.MODEL_GRID"):
        monkeypatch.setattr(f"optiviz.surfaces.{grid}", 15)
    program, *words = shlex.split(command)
    assert program == "optiviz"
    (here / "examples").symlink_to(ROOT / "examples")
    if MODELS in command:
        _train(words)
    result = invoke(*words, *(["--steps", "30"] if "--batch-size" in words else []))
    assert result.exit_code == 0
    if words[0] != "batch":
        assert MODELS in command or result.stderr == ""  # which tells how long a grid takes
        assert (here / words[words.index("-o") + 1]).stat().st_size > 1000


BATCHES = (ROOT / "docs" / "batches.md").read_text("utf-8")


@pytest.mark.slow
def test_batches_run_as_they_are_printed(invoke: Invoke, here: Path) -> None:
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", BATCHES, re.M | re.S)
    for kind, block in blocks:
        if kind == "yaml":
            (here / block.split()[1]).write_text(block, "utf-8")
        for line in block.splitlines() if kind == "console" else ():
            result = invoke(*shlex.split(line.removeprefix("$ optiviz ")))
            assert (line, result.exit_code) == (line, 0)
    assert (here / "again.gif").read_bytes() == (here / "race.gif").read_bytes()
    assert len([*(here / "pictures").iterdir()]) == 10


@pytest.mark.slow
def test_the_python_of_batches_runs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```", BATCHES, re.M | re.S)
    exec(block, {})
    assert capsys.readouterr().out == "[('a', 'made'), ('b', 'made')]\n"


def test_batches_name_every_key_and_format() -> None:
    from optiviz.recipes.jobs import JOB_FIELDS
    from optiviz.recipes.surfaces import SURFACE_OPTIONS
    from optiviz.registry import FORMATS

    for word in [*JOB_FIELDS, *SURFACE_OPTIONS, *FORMATS]:
        assert f"`{word}`" in BATCHES


def test_every_picture_is_there_and_small_and_no_other_is_kept() -> None:
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == PICTURES
    for picture in PICTURES:
        assert (ROOT / picture).stat().st_size < 300_000, picture


def test_every_picture_is_one_that_a_command_makes() -> None:
    made = {shlex.split(command)[-1] for command in COMMANDS}
    assert {picture for picture in PICTURES if picture not in made} == {
        "outputs/explore.png",  # the page that the README's first command writes
        "outputs/lesson.png",  # that of optiviz lesson momentum
        "outputs/score.png",  # of optiviz score, which takes a minute
        "outputs/lecture-momentum.gif",  # from examples/lecture.yaml, which is also run
    }


def test_the_documents_name_every_view_and_option() -> None:
    from optiviz.registry import THEMES, VIEWS

    text = "".join(path.read_text("utf-8") for path in documents())
    for name, entry in VIEWS.items():
        assert f"`{name}`" in text or f"optiviz {name}" in text
        for option in entry.options:
            assert f"--{option}" in text or f"--no-{option}" in text
    assert all(theme in text for theme in THEMES)


def test_every_key_of_a_theme_is_named() -> None:
    from optiviz.themes import Theme

    text = (ROOT / "docs" / "how-to" / "lecture-recipes.md").read_text("utf-8")
    for key in Theme.model_fields:
        assert f"`{key}`" in text or f"    {key}: " in text


def test_every_row_of_the_fault_table_is_tried() -> None:
    table = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    rows = [int(row) for row in re.findall(r"^\| (\d+) \|", table, re.M)]
    assert rows == [*range(1, len(rows) + 1)]
    tests = [path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    marks = [each for text in tests for each in re.findall(r"\brow\(([\d, ]+)", text)]
    tried = {int(row) for mark in marks for row in mark.replace(" ", "").split(",") if row}
    tried |= {int(row) for row in re.findall(r"row (\d+)", (ROOT / ".ci" / "run").read_text())}
    assert tried == {*rows}


def test_help_that_is_shown_is_what_is_said(invoke: Invoke) -> None:
    for path in documents():
        for block in [*blocks(path, "text"), *blocks(path, "console")]:
            if found := re.match(r"Usage: optiviz ?(\w*)", block):
                said = invoke(*filter(None, [found[1]]), "--help").stdout
                assert block == said.replace("cli", "optiviz", 1)


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_what_is_said_after_a_command_is_what_it_says(path: Path, invoke: Invoke) -> None:
    for block in blocks(path, "console"):
        for command, said in re.findall(r"^\$ optiviz (.*)\n((?:optiviz: .*\n)+)", block, re.M):
            assert invoke(*shlex.split(command)).stderr == said


def test_every_page_is_in_the_site() -> None:
    site = (ROOT / "mkdocs.yml").read_text("utf-8")
    for path in documents():
        if path.name != "README.md":
            assert f": {path.relative_to(ROOT / 'docs')}" in site


def test_links_lead_somewhere() -> None:
    for path in [*documents(), ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\(([^)#:\s]+)[)#]", path.read_text("utf-8")):
            assert (path.parent / target).exists(), (path, target)


def test_the_surface_of_ones_own_is_drawn(invoke: Invoke, here: Path) -> None:
    guide = ROOT / "docs" / "how-to" / "own-surface.md"
    (block,) = blocks(guide, "yaml")
    (here / "mine.yaml").write_text(block, "utf-8")
    (said,) = re.findall(r"`optiviz (run --surfaces .*?)`", guide.read_text("utf-8"))
    result = invoke(*shlex.split(said), "-o", "x.json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "lr 0.09" in result.stdout


@pytest.mark.slow
def test_recorded_paths_are_drawn_as_the_guide_says(invoke: Invoke, here: Path) -> None:
    guide = ROOT / "docs" / "how-to" / "recorded-paths.md"
    descends, draws = blocks(guide, "python")
    exec(descends, {})
    (block,) = blocks(guide, "console")
    for line in block.splitlines()[1:]:
        result = invoke(*shlex.split(line)[2:])
        assert (result.exit_code, result.stderr) == (0, "")
        assert "differ" not in result.stdout
    exec(draws, {})
    made = {"mine.npz", "mine.gif", "both.png", "all.png"}
    assert {path.name for path in here.iterdir()} == made
    with pytest.raises(InputError, match=r"path\.append\(vector\.copy\(\)\)"):
        exec(descends.replace(".copy()", "") + "\nimport optiviz\noptiviz.Trajectory.of(path)", {})


@pytest.mark.slow
def test_solvers_are_recorded_as_the_guide_says(here: Path) -> None:
    pytest.importorskip("cma")
    for block in blocks(ROOT / "docs" / "how-to" / "anatomy.md", "python"):
        exec(block, {})
    for path in here.iterdir():
        example = ROOT / "examples" / "solvers" / path.name
        found, known = (read_track_file(str(each)).paths for each in (path, example))
        ((label, one),), ((name, other),) = found.items(), known.items()
        assert (label, one.steps, len(one.sketches)) == (name, other.steps, len(other.sketches))
        np.testing.assert_allclose(one.points, other.points, atol=1e-6)
        np.testing.assert_array_equal(one.evaluations, other.evaluations)


def test_the_file_of_the_guide_is_read(here: Path) -> None:
    (block,) = blocks(ROOT / "docs" / "how-to" / "anatomy.md", "json")
    (here / "run.json").write_text(block, "utf-8")
    ((label, path),) = read_track_file("run.json").paths.items()
    assert (label, path.steps, len(path.sketches[1])) == ("mine", 2, 2)
    text = (ROOT / "docs" / "how-to" / "anatomy.md").read_text("utf-8")
    assert all(f"`{word}`" in text for word in (*SHAPES, *ROLES, *KEYS))


@pytest.mark.slow
def test_a_training_run_is_drawn_as_the_guide_says(
    invoke: Invoke, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = ROOT / "docs" / "how-to" / "checkpoints.md"
    for block in blocks(guide, "python"):
        (here / block.split()[1]).write_text(block)
    monkeypatch.syspath_prepend(here)
    exec((here / "train.py").read_text(), {})
    (block,) = blocks(guide, "console")
    for line in block.splitlines()[1:]:
        result = invoke(*shlex.split(line)[2:], "--preview")
        assert (result.exit_code, result.stderr) == (0, "")
        assert "differ" not in result.stdout


@pytest.mark.slow
def test_the_notebooks_cells_show_a_page_and_a_picture() -> None:
    cells = blocks(ROOT / "docs" / "how-to" / "notebook.md", "python")
    for cell, shown in zip(cells, ["<iframe ", "<img "], strict=True):
        names: dict[str, Any] = {}
        *before, last = cell.strip().splitlines()
        exec("\n".join(before), names)
        assert eval(last, names)._repr_html_().startswith(shown)


LESSON = ROOT / "docs" / "how-to" / "lesson.md"


def test_the_lesson_of_the_guide_is_one_and_has_two_languages(here: Path) -> None:
    for block in blocks(LESSON, "yaml"):
        (here / block.split()[1]).write_text(block, "utf-8")
    (passage,) = load_lesson("rates.yaml").make_scene().passages
    (german,) = load_lesson("rates.yaml", "de").make_scene().passages
    assert "Here $h$ is 2. After 15 steps, a rate of 0.3 has a loss of" in passage.text
    assert german.answer == "Ab $2/h$, hier 1."


def test_the_guide_names_every_number_that_texts_may_quote() -> None:
    bowl: dict[str, Any] = {"surface": "himmelblau", "optimizers": "sgd", "steps": 2}
    pictures = Recipe(**bowl), BasinsRecipe(**bowl, grid=(3, 3)), TuneRecipe(**bowl, trials=2)
    told = set()
    for picture in pictures:
        begin = "" if picture.kind == "run" else f"| `{picture.kind}` "
        for name, fact in picture.make_scene().facts.items():
            if callable(fact):
                about = (fact.__doc__ or "").removeprefix("Return ").removesuffix(".")
                told.add(f"{begin}| `{call_of(name, fact)}` | {about} |")
    text = LESSON.read_text("utf-8")
    assert told == {*re.findall(r"^\| (?:`\w+` \| )?`\w+\(.* \|$", text, re.M)}
    (listed,) = re.findall(r"functions `([a-z0-9\s]+)`, `pi` and `e`", text)
    assert {*listed.split(), "pi", "e"} == {*FUNCTIONS}


def test_the_site_begins_with_a_live_page_and_the_tutorial_too() -> None:
    for name in ("index.md", "tutorial.md", "how-to/page.md"):
        first, *_ = blocks(ROOT / "docs" / name, "sh")
        assert live_page(first) is not None


def test_the_suite_of_the_guide_is_one(here: Path) -> None:
    (block,) = blocks(ROOT / "docs/how-to/score.md", "yaml")
    (here / "valleys.yaml").write_text(block, "utf-8")
    problems = {each.name for each in read_suite("valleys.yaml").problems}
    assert {"rosenbrock", "my-valley", "ellipse-cauchy", "quadratic-1e4-rotated-100d"} <= problems


def test_the_yaml_of_presets_is_a_recipe(here: Path) -> None:
    guide = (ROOT / "docs" / "how-to" / "page.md").read_text("utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", guide, re.S)
    (here / "x.yaml").write_text(textwrap.dedent(block), "utf-8")
    recipe = load_recipe(here / "x.yaml")
    assert isinstance(recipe, Recipe)
    assert [preset.name for preset in recipe.page_presets] == ["on the ridge", "beside it"]


@pytest.mark.slow
def test_a_function_of_ones_own_is_descended_as_the_guide_says(here: Path) -> None:
    (block,) = blocks(ROOT / "docs" / "how-to" / "own-surface.md", "python")
    names: dict[str, Any] = {}
    exec(block, names)
    assert (here / "fit.gif").stat().st_size > 1000
    assert names["path"].losses[-1] < 0.01 * names["path"].losses[0]


def test_the_sketch_of_the_docs_is_drawn(invoke: Invoke, here: Path) -> None:
    text = (ROOT / "docs" / "optimizers.md").read_text("utf-8")
    (code,) = [
        each
        for each in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
        if "def sketch" in each
    ]
    (here / "compass.py").write_text(code, "utf-8")
    (command,) = re.findall(r"^optiviz (.* -o compass.gif)$", text, re.M)
    words = command.replace("compass.gif", "compass.json")
    assert invoke(*shlex.split(words), "--steps", "9", "--sketch").exit_code == 0
    (path,) = json.loads((here / "compass.json").read_text("utf-8"))["trajectories"]
    assert [each["step"] for each in path["sketches"]] == [*range(1, 10)]


def test_the_class_of_the_docs_is_explained(invoke: Invoke, here: Path) -> None:
    text = (ROOT / "docs" / "optimizers.md").read_text("utf-8")
    (code,) = re.findall(r"^```python\n(# diagonal.py\n.*?)^```", text, re.M | re.S)
    (here / "diagonal.py").write_text(code, "utf-8")
    (command,) = re.findall(r"^optiviz (.* -o why.png)$", text, re.M)
    assert invoke(*shlex.split(command.replace("why.png", "why.json"))).exit_code == 0
    (path,) = json.loads((here / "why.json").read_text("utf-8"))["trajectories"]
    assert [each["shapes"][0]["role"] for each in path["sketches"]] == ["ball"] * 5
    assert path["stability_limit"] == [20] * 6
