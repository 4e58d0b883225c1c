"""Every finished file contains its recipe, and can be rendered again from it."""

import importlib.metadata
import json
import os
import shlex
from pathlib import Path

import pytest
from click import Context, Option
from click.testing import CliRunner
from conftest import Invoke
from hypothesis import given, settings
from test_reading import RECIPES as RECIPES_OF_ALL_KINDS

import optiviz
from optiviz.cli import cli
from optiviz.cli.command_line import command_of
from optiviz.kinds import load_kind
from optiviz.kinds.base import BaseRecipe, to_dict
from optiviz.kinds.basins import BasinsRecipe
from optiviz.kinds.lesson import LessonRecipe
from optiviz.kinds.plot import PlotRecipe
from optiviz.kinds.response import ResponseRecipe
from optiviz.kinds.run import Recipe
from optiviz.kinds.score import ScoreRecipe
from optiviz.kinds.tune import TuneRecipe
from optiviz.kinds.types import resolve_surface
from optiviz.recipes.command import arguments_for, command_fields, drawn_command
from optiviz.recipes.provenance import metadata_for, read_metadata, versions
from optiviz.recipes.reading import read_recipe
from optiviz.recipes.surfaces import SURFACE_OPTIONS
from optiviz.registry import FORMATS, KINDS, fits, option_of
from optiviz.rendering.render import render
from optiviz.system.yaml import yaml_text

SMALL = {"size": (300, 200)}
RECIPES: dict[str, BaseRecipe] = {
    "run": Recipe(
        surface=optiviz.Surface(
            formula="max(x, y)**2 + y**2", domain="-3:3,-2:2", title='Größe "<&>" \\ (1) → ½'
        ),
        optimizers="adam:lr=0.1:label=é(,sgd",
        steps=4,
        starts=[[1, 1.5]],
        levels=[0.5, 1],
        **SMALL,
    ),
    "tune": TuneRecipe(
        surface="wobbly",
        optimizers="adam,bfgs",
        over="lr,beta1=0.5:0.9",
        trials=5,
        steps=6,
        **SMALL,
    ),
    "basins": BasinsRecipe(
        surface="bowl", optimizers="sgd:lr=0.2", grid=(5, 4), steps=4, noise=0.1, **SMALL
    ),
    "plot": PlotRecipe(surfaces="wobbly,parabola", theme="dark", **SMALL),
    "response": ResponseRecipe(
        signal=optiviz.Signal(name="mine", gradient=(1, 0.1, -2.5e-7)),
        optimizers="rmsprop",
        **SMALL,
    ),
    "score": ScoreRecipe(
        suite={
            "budget": 20,
            "starts": 1,
            "problems": [{"name": "round", "group": "smooth", "surface": "bowl"}],
        },
        optimizers="sgd:lr=0.1,adam:lr=0.1",
        **SMALL,
    ),
    "lesson": LessonRecipe(
        sections=(
            {
                "heading": "Größe <&>",
                "text": "At {{loss(sgd)}}, $x^2$.",
                "question": "<b>?",
                "answer": "`sgd`",
                "claims": ["loss(sgd) < 1"],
                "picture": {"surface": "bowl", "optimizers": "sgd:lr=0.2", "steps": 4},
            },
        ),
        **SMALL,
    ),
}


def recipe_in(suffix: str) -> BaseRecipe:
    """Return a recipe that can be written with a suffix."""
    return RECIPES["run" if fits(suffix, Recipe.formats) else "lesson"]


OFTEN = (".png", ".json")
CASES = [
    pytest.param(
        *(kind, suffix),
        marks=[] if kind == "run" or suffix in OFTEN else [pytest.mark.slow],
    )
    for kind in KINDS
    for suffix in FORMATS
    if fits(suffix, load_kind(kind).formats)
]


@pytest.mark.sample(2)
@pytest.mark.parametrize(("kind", "suffix"), CASES)
def test_every_file_carries_its_recipe_and_is_made_again_from_it(
    kind: str, suffix: str, invoke: Invoke, here: Path
) -> None:
    recipe = RECIPES[kind]
    path = here / f"x{suffix}"
    render(recipe, path)
    assert read_metadata(path) == metadata_for(recipe)
    assert optiviz.load_recipe(path) == recipe
    result = invoke("run", "--recipe", path, "-o", f"again{suffix}", "-q")
    assert (result.exit_code, result.stderr) == (0, "")
    assert (here / f"again{suffix}").read_bytes() == path.read_bytes()


@pytest.mark.sample(2)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_inspected_is_yaml_of_the_same_recipe(
    kind: str, invoke: Invoke, here: Path
) -> None:
    name = "x.png" if fits(".png", load_kind(kind).formats) else "x.ipynb"
    render(RECIPES[kind], here / name)
    printed = invoke("inspect", name).stdout
    assert all(f"{name} {each}" in printed.splitlines()[0] for name, each in versions().items())
    (here / "x.yaml").write_text(printed, encoding="utf-8")
    assert optiviz.load_recipe(here / "x.yaml") == RECIPES[kind]
    known = printed.partition("\n")[2].replace(" -o x.png", "", 1)
    assert invoke("inspect", "x.yaml").stdout == known


@settings(max_examples=30)
@given(recipe=RECIPES_OF_ALL_KINDS)
def test_a_command_that_is_printed_makes_the_same_recipe(recipe: BaseRecipe) -> None:
    command = command_of(recipe)
    if command is None:
        declared = [getattr(recipe, "surface", 0), *getattr(recipe, "surfaces", ())]
        held = [getattr(recipe, "signal", ""), *declared]
        own_start = recipe.kind == "tune" and not (recipe.starts or recipe.random_starts)
        unsayable = own_start or recipe.kind == "score"  # no option has problems
        assert unsayable or any(isinstance(each, optiviz.Surface | optiviz.Signal) for each in held)
        return
    made: list[BaseRecipe] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "optiviz.rendering.render.render", lambda recipe, *_, **__: made.append(recipe)
        )
        result = CliRunner().invoke(cli, [*shlex.split(command)[1:], "-q"])
    assert (result.exit_code, made) == (0, [recipe])


def test_every_option_of_a_field_is_called_as_commands_call_it() -> None:
    for kind in KINDS:
        fields = [*load_kind(kind).model_fields, *SURFACE_OPTIONS]
        options = {each.name: each for each in cli.get_command(Context(cli), kind).params}
        for name in options.keys() & fields:
            if isinstance(options[name], Option):
                assert option_of(name) in options[name].opts
                for no in options[name].secondary_opts:
                    assert arguments_for(name, False) == [no]


OWN = optiviz.Surface(formula="w**2 + b**2", domain="-1:1,-2:2", axes="weight,bias")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"surface": "wobbly"}, "--surface wobbly"),
        ({"surface": "wobbly", "theme": "dark", "levels": 5}, "--surface wobbly --theme dark "
                                                              "--levels 5"),
        ({"surface": optiviz.load_surface("rosenbrock:dim=5")}, "--surface rosenbrock --dim 5"),
        ({"surface": OWN}, "--formula 'w**2 + b**2' --variables w,b --axes weight,bias"),
        ({"surface": optiviz.Surface(formula="x**2", domain="0:1")}, "--formula 'x**2'"),
        ({"surface": "digits-output", "batch_size": 8}, "--surface digits-output --batch-size 8"),
        ({"surface": OWN.model_copy(update={"start": (1.0, 1.0)})}, None),
        ({"surface": lambda x, y: x + y}, None),
        ({"surface": "wobbly", "theme": optiviz.Recipe(
            surface="bowl", optimizers="sgd", theme={"paths": ["red"]}).theme}, None),
    ],
)  # fmt: skip
def test_what_is_drawn_has_a_command_that_says_nothing_of_the_descent(
    fields: dict[str, object], words: str | None
) -> None:
    descent = {
        "optimizers": "adam:lr=0.1", "steps": 7, "noise": 0.5, "seed": 3, "random_starts": 2,
        "vary": "beta1=0.5,0.9", "presets": "a: sgd", "fps": 5,
    }  # fmt: skip
    found = drawn_command(Recipe(**descent, **fields))
    if words is None:
        assert found is None
        return
    assert found is not None
    said = shlex.split(f"optiviz run {words}")
    both = found.arguments, said
    pairs = [list(zip(each[2::2], each[3::2], strict=True)) for each in both]
    assert (found.arguments[:2], sorted(pairs[0])) == (said[:2], sorted(pairs[1]))
    assert found.needs_window == (not isinstance(fields["surface"], str))


@pytest.mark.parametrize(
    ("name", "plane", "expected"),
    [
        ("digits-output", None, {"resolution": 31}),
        ("digits-512", None, {"resolution": 31}),
        ("digits-512", "random:3", {"plane": "random:3", "resolution": 31}),
    ],
)
def test_the_points_per_side_of_a_plane_are_an_option(
    name: str, plane: str | None, expected: dict[str, object]
) -> None:
    given = {"surface": name, "optimizers": "adam", "resolution": 31}
    recipe = read_recipe(given | ({} if plane is None else {"plane": plane}), str)
    assert isinstance(recipe, Recipe)
    drawn, known = resolve_surface(recipe.surface), resolve_surface(name)
    assert drawn.grid_size(641) == 31
    assert plane is not None or drawn.domain == known.domain
    fields = command_fields(recipe)
    assert fields is not None
    assert {key: fields.get(key) for key in expected} == expected


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    "command",
    [
        "optiviz run --surface wobbly --opt adam:lr=0.1,sgd --start -1,2 --start random:3 --seed 4",
        "optiviz run --formula 'x**2 + y**2' --domain -1:1,-2:2 --opt adam --levels 0.5, --labels",
        "optiviz run --surface wobbly --domain -1:1,-2:2 --opt sgd --no-fill --field arrows",
        "optiviz run --formula 'w**2 + b**2' --variables w,b --domain -1:1,-2:2 --axes up,down "
        "--opt adam:lr=0.1",
        "optiviz plot wobbly,beale --theme dark --size 300x200",
        "optiviz plot --formula 'x**2' --formula x --domain -1:2 --title \"it's\"",
        "optiviz response --signal spikes --opt rmsprop --vary rho=0.25,0.9 --fps 5",
    ],
)
def test_a_command_is_printed_as_it_was_written(command: str, invoke: Invoke, here: Path) -> None:
    assert invoke(*shlex.split(command)[1:], "-o", "x.png", "-q").exit_code == 0
    printed = invoke("inspect", "x.png").stdout.splitlines()[1].removeprefix("# ")
    assert sorted(shlex.split(printed)) == sorted(shlex.split(f"{command} -o x.png"))


def test_its_subject_comes_first_and_what_nobody_gave_is_absent() -> None:
    values = to_dict(Recipe(surface="wobbly", optimizers="adam"))
    assert list(values)[:2] == ["kind", "surface"]
    assert "lr" not in values and "title" not in values
    surface = to_dict(RECIPES["run"])["surface"]
    assert set(surface) == {"title", "domain", "formula", "start"}


@pytest.mark.slow
def test_files_of_the_user_are_within_and_no_path_or_time(invoke: Invoke, here: Path) -> None:
    (here / "mine.yaml").write_text("dip: {domain: '-1:1,-1:1', formula: x**2 + y**4}\n")
    (here / "mine.csv").write_text("1\n0\n-1\n")
    small = ("--size", "300x200", "-q")
    words = ["run", "--surface", "dip", "--surfaces", "mine.yaml", "--opt", "adam", *small]
    assert invoke(*words, "-o", "a.gif").exit_code == 0
    words = ["response", "--signal", "mine.csv", "--opt", "adam", *small]
    assert invoke(*words, "-o", "b.png").exit_code == 0
    for name in ("mine.yaml", "mine.csv"):
        (here / name).unlink()
    for name in ("a.gif", "b.png"):
        assert invoke("run", "--recipe", name, "-o", f"again-{name}", "-q").exit_code == 0
        assert (here / f"again-{name}").read_bytes() == (here / name).read_bytes()
        said = read_metadata(here / name) or ""
        assert str(here) not in said and os.sep + "home" not in said and name not in said
        assert "202" not in said.replace(versions()["matplotlib"], "")


def test_options_change_a_recipe(invoke: Invoke, here: Path) -> None:
    render(RECIPES["run"], here / "x.png")
    words = ("run", "--recipe", "x.png", "--theme", "dark", "--start", "random:2", "--seed", "7")
    assert invoke(*words, "-o", "y.json", "-q").exit_code == 0
    changed = optiviz.load_recipe(here / "y.json")
    expected = {**to_dict(RECIPES["run"]), "theme": "dark", "starts": (), "random_starts": 2}
    assert to_dict(changed) == to_dict(Recipe(**{**expected, "seed": 7}))
    assert invoke("run", "--recipe", "x.png", "--surface", "beale", "-o", "z.json").exit_code == 0
    other = optiviz.load_recipe(here / "z.json")
    assert isinstance(other, Recipe)
    assert other.surface == "beale"


def test_another_kind_is_made_again_to_its_own_place(invoke: Invoke, here: Path) -> None:
    render(RECIPES["plot"], here / "x.svg")
    result = invoke("run", "--recipe", "x.svg")
    assert result.stdout == "outputs/wobbly-parabola.png\n"
    refused = invoke("run", "--recipe", "x.svg", "--lr-report")
    assert (refused.exit_code, refused.stderr) == (
        2, "optiviz: --lr-report applies to recipes of kind 'run', not 'plot'\n",
    )  # fmt: skip


def test_other_versions_are_told(invoke: Invoke, here: Path) -> None:
    recipe = Recipe(surface="bowl", optimizers="adam", steps=2)
    made = {"recipe": to_dict(recipe), "versions": versions() | {"numpy": "1.0", "sympy": "0.1"}}
    (here / "old.json").write_text(json.dumps(made))
    result = invoke("run", "--recipe", "old.json", "-o", "x.json")
    assert result.stderr == (
        "old.json was written with numpy 1.0, sympy 0.1: the bytes may differ\n"
    )
    assert invoke("run", "--recipe", "x.json", "-o", "y.json").stderr == ""


@pytest.mark.sample(8)
@pytest.mark.row(47)
@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(
    "content", [b"", b"\0" * 4000, b"GIF89a", b"# {", b'{"recipe": 3}', b"%PDF-1.4\n", None]
)
def test_what_carries_no_recipe_is_told_in_a_sentence(
    suffix: str, content: bytes | None, invoke: Invoke, here: Path
) -> None:
    path = here / f"x{suffix}"
    if content is None:
        render(recipe_in(suffix), path)
        content = path.read_bytes()[:60]
    path.write_bytes(content)
    for words in (("inspect", path.name), ("run", "--recipe", path.name)):
        result = invoke(*words)
        assert (result.exit_code, result.stderr) == (
            2, f"optiviz: {path.name}: contains no optiviz recipe\n",
        )  # fmt: skip


def test_a_video_is_read_as_one_whatever_its_name_or_text_says(invoke: Invoke, here: Path) -> None:
    render(RECIPES["run"], here / "x.mp4")
    (here / "http:127.0.0.1:1.mp4").write_bytes((here / "x.mp4").read_bytes())
    assert optiviz.load_recipe("http:127.0.0.1:1.mp4") == RECIPES["run"]
    os.mkfifo(here / "pipe")
    (here / "orders.mp4").write_text("ffconcat version 1.0\nfile pipe\n")
    assert "contains no optiviz recipe" in invoke("inspect", "orders.mp4").stderr


@pytest.mark.sample(3)
@pytest.mark.row(47)
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_that_is_cut_says_its_recipe_or_nothing(suffix: str, here: Path) -> None:
    path = here / f"x{suffix}"
    render(recipe_in(suffix), path)
    whole = path.read_bytes()
    for part in (0.2, 0.5, 0.7, 0.9, 0.99):
        path.write_bytes(whole[: int(part * len(whole))])
        try:
            assert optiviz.load_recipe(path) == recipe_in(suffix)
        except optiviz.InputError as error:
            assert str(error).endswith("contains no optiviz recipe")


def test_what_is_read_is_not_overwritten(invoke: Invoke, here: Path) -> None:
    (here / "s.csv").write_text("1\n2\n")
    (here / "c.json").write_text("dip: {domain: '-1:1,-1:1', formula: x**2 + y**4}\n")
    for words in (
        ("response", "--signal", "s.csv", "--opt", "adam", "-o", "s.csv"),
        ("run", "--surface", "dip", "--surfaces", "c.json", "--opt", "adam", "-o", "./c.json"),
    ):
        result = invoke(*words)
        assert result.exit_code == 2
        assert "is an input file: write to another file" in result.stderr
    assert (here / "s.csv").read_text() == "1\n2\n"


COMMENTS = {
    "deep": "[" * 100_000,
    "deep recipe": '{"versions": {}, "recipe": ' + '{"a": ' * 3000 + "1" + "}" * 3001,
    "a list": "[1, 2]",
    "no versions": '{"recipe": {"surface": "wobbly", "optimizers": ["adam"]}}',
    "bell": '{"recipe": {}, "versions": {"numpy": "\\u001b[2J"}}',
    "long number": '{"versions": {}, "recipe": {"seed": ' + "9" * 5000 + "}}",
}


@pytest.mark.row(47)
@pytest.mark.parametrize("comment", COMMENTS.values(), ids=COMMENTS)
def test_a_hostile_comment_is_refused(comment: str, invoke: Invoke, here: Path) -> None:
    (here / "x.csv").write_text(f"# {comment}\nlabel\n")
    result = invoke("inspect", "x.csv")
    assert result.exit_code == 2
    assert result.stderr.isprintable() or result.stderr.count("\n") == 1
    assert "\x1b" not in result.stderr


@pytest.mark.row(47)
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"surface": "wobly"}, "surface: unknown surface 'wobly': did you mean 'wobbly'?"),
        ({"colour": 1}, "colour: unknown key 'colour'"),
        ({"kind": "rum"}, "kind: unknown kind 'rum': did you mean 'run'?"),
        (
            {"surface": {"formula": "open(x)", "domain": "0:1"}},
            "surface.formula: formula 'open(x)': unknown function",
        ),
        ({"catalogue": "/etc/passwd"}, "its recipe names another file"),
        ({"kind": "response", "signal": "/tmp/x.csv"}, "its recipe names another file"),
    ],
)
def test_a_wrong_recipe_is_told(
    changed: dict[str, object], said: str, invoke: Invoke, here: Path
) -> None:
    fields = {"kind": "run", "surface": "wobbly", "optimizers": ["adam"], **changed}
    (here / "x.json").write_text(json.dumps({"recipe": fields, "versions": {}}))
    result = invoke("run", "--recipe", "x.json")
    assert result.exit_code == 2
    assert result.stderr.startswith("optiviz: x.json: ") and said in result.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.gif", "none.gif: no such file"),
        ("none.yaml", "none.yaml: No such file or directory"),
        ("folder.gif", "folder.gif: not a file"),
        ("batch.yaml", "batch.yaml: contains several jobs: render them with optiviz batch"),
        ("list.yaml", "list.yaml: a recipe must map fields to values"),
        ("wrong.yaml", "wrong.yaml:2:1: optimisers: unknown key 'optimisers': did you mean 'opti"),
    ],
)
def test_what_is_no_recipe_is_told(name: str, said: str, invoke: Invoke, here: Path) -> None:
    (here / "folder.gif").mkdir()
    (here / "batch.yaml").write_text("jobs: []\n")
    (here / "list.yaml").write_text("- 1\n")
    (here / "wrong.yaml").write_text("surface: wobbly\noptimisers: adam\n")
    result = invoke("run", "--recipe", name)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"optiviz: {said}")


def test_a_recipe_may_come_from_the_standard_input(invoke: Invoke, here: Path) -> None:
    text = yaml_text(to_dict(RECIPES["plot"]))
    result = CliRunner().invoke(cli, ["run", "--recipe", "-", "-o", "x.png"], input=text)
    assert (result.exit_code, result.stdout) == (0, "x.png\n")
    assert optiviz.load_recipe(here / "x.png") == RECIPES["plot"]


@pytest.mark.parametrize("kind", ["run", "tune", "basins"])
def test_every_kind_says_the_versions_of_what_its_optimizers_need(kind: str) -> None:
    pytest.importorskip("scipy")
    said = json.loads(metadata_for(load_kind(kind)(surface="wobbly", optimizers="bfgs")))
    assert said["versions"]["scipy"] == importlib.metadata.version("scipy")
