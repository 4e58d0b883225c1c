"""Common habits and mistakes at the command line: drafts, last frames, pipes, wrong separators."""

import io
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from commands import OPTIVIZ, assert_told, call
from conftest import Invoke, only_file
from PIL import Image
from test_help import options_of

import optiviz
from optiviz.kinds.fields import AnimationFields

RUN = ("run", "--surface", "bowl", "--opt", "adam:lr=0.1", "--steps", 5, "--size", "300x200")
EVERY = {
    "run": ("--surface", "bowl", "--opt", "adam:lr=0.1", "--steps", 5),
    "plot": ("bowl",),
    "response": ("--signal", "spikes", "--opt", "momentum"),
    "tune": ("--surface", "bowl", "--opt", "sgd", "--trials", 4, "--steps", 5),
    "basins": ("--surface", "himmelblau", "--opt", "sgd:lr=0.01", "--grid", "4x4", "--steps", 5),
}
RECIPES = [
    optiviz.Recipe(surface="bowl", optimizers="adam:lr=0.1"),
    optiviz.Recipe(surface="bowl", optimizers="adam:lr=0.1", steps=1000, fps=10, duration=7),
    optiviz.Recipe(surface="bowl", optimizers="adam:lr=0.1", steps=7, fps=0.02, size=(300, 200)),
    optiviz.Recipe(surface="bowl", optimizers="adam:lr=0.1", steps=90, frames="0:30:1,30:90:5"),
    optiviz.Recipe(surface="bowl", optimizers="adam:lr=0.1", steps=60_000, frames="0:50000:1"),
    optiviz.BasinsRecipe(surface="himmelblau", optimizers="sgd", steps=60),
    optiviz.ResponseRecipe(signal="spikes", optimizers="momentum"),
    optiviz.TuneRecipe(surface="bowl", optimizers="sgd"),
    optiviz.PlotRecipe(surfaces="bowl", size=(1001, 601)),
]


def frames(recipe: optiviz.Recipe) -> int:
    return 1 if recipe.timeline is None else len(recipe.timeline.steps)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_draft_has_half_the_size_and_a_third_of_the_frames(recipe: optiviz.Recipe) -> None:
    draft = recipe.draft()
    width, height = recipe.pixels
    assert draft.pixels == (max(240, width // 2), max(160, height // 2))
    assert draft == type(recipe).model_validate(draft.model_dump())
    if (
        isinstance(recipe, AnimationFields)
        and isinstance(draft, AnimationFields)
        and recipe.timeline.fps > 0.1
    ):
        assert abs(frames(draft) - frames(recipe) / 3) <= 2
        if recipe.frames is None:
            took, takes = (frames(each) / each.timeline.fps for each in (recipe, draft))
            assert takes == pytest.approx(took, rel=0.15)


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_final_frame_is_one(recipe: optiviz.Recipe) -> None:
    final = recipe.last_frame()
    assert frames(final) == 1
    assert final == type(recipe).model_validate(final.model_dump())


@pytest.mark.sample(2)
@pytest.mark.parametrize("name", EVERY)
def test_every_command_has_a_preview(name: str, invoke: Invoke, here: Path) -> None:
    result = invoke(name, *EVERY[name], "--preview")
    assert (result.exit_code, result.stderr) == (0, "")
    path = only_file(here)
    assert path.stem.endswith("-preview")
    assert result.stdout.splitlines()[0] == str(path.relative_to(here))
    with Image.open(path) as image:
        assert image.size == (480, 320)


def test_a_preview_is_told_by_its_own_recipe(invoke: Invoke, here: Path) -> None:
    invoke(*RUN, "--steps", 30, "-o", "a.gif", "--preview")
    made = optiviz.load_recipe(here / "a.gif")
    assert isinstance(made, optiviz.Recipe)
    assert (made.pixels, made.fps) == ((240, 160), 4)
    with Image.open(here / "a.gif") as image:
        assert getattr(image, "n_frames", 1) <= 11
    optiviz.render(made, here / "again.gif")
    assert (here / "again.gif").read_bytes() == (here / "a.gif").read_bytes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("run --surface bowl --opt adam sgd", "unexpected argument 'sgd': write --opt adam,sgd"),
        ("run wobbly --opt adam", "unexpected argument 'wobbly': write --surface wobbly"),
        ("run --surface bowl adam:lr=1", "unexpected argument 'adam:lr=1'\n"),
        ("run adam:lr=1", "unexpected argument 'adam:lr=1': write --opt adam:lr=1"),
        ("run --title My picture", "unexpected argument 'picture': write --title 'My picture'"),
        ("run --formula x**2 + y**2", "write --formula 'x**2 + y**2'"),
        ("run -o a.gif b.gif", "unexpected argument 'b.gif': write -o a.gif -o b.gif"),
        ("inspect a.gif b.gif", "unexpected argument 'b.gif'\n"),
        ("--surface bowl --opt adam", "missing: write optiviz run --surface bowl --opt adam"),
        ("--debug --over lr --opt=adam", "write optiviz tune --debug --over lr --opt=adam"),
        (
            "--fail-fast --view relief",
            "the command is missing: --fail-fast is an option of optiviz batch",
        ),
        ("--foo", "unknown option '--foo': optiviz --help shows all"),
        ("run --lr 0,1", "--lr: must be a number, not '0,1': write 0.1"),
        ("run --steps 0,1", "--steps: must be a whole number, not '0,1'\n"),
        ("run --surface bowl --opt adam,lr=0.1", "'lr=0.1' is a setting: write it after an opti"),
        ("run --surface bowl --opt adam:learning_rate=1", "did you mean 'lr'?"),
        ("run --surface bowl --opt signsgd", "did you mean 'lion:beta1=0:weight_decay=0'?"),
        ("run --surface bowl --opt sgd --explain norm", "did you mean 'ball'?"),
        ("run --surface spirals --opt flow+sgd", "which only formulas of one or two variables"),
        ("run --surface bowl --opt adam --view loss,contour", "write loss+contour"),
        ("run --formula x*y --domain=-5:5 --opt adam", "uses y, but the domain has no interval"),
        ("show relief", "relief is a view, not a surface or optimizer: run optiviz list views"),
        ("show cosine-decay", "did you mean 'cosine'?"),
        ("show qqqqq", "unknown surface or optimizer 'qqqqq': optiviz list shows all"),
        ("inspect mine.py", "mine.py: is neither an optiviz picture nor a"),
    ],
)
def test_what_newcomers_write_is_understood(
    words: str, said: str, invoke: Invoke, here: Path
) -> None:
    (here / "mine.py").write_text("import numpy as np\nx: y: z\n")
    result = invoke(*words.split())
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr
    assert result.stderr.count("\n") == 1


SEPARATED = {
    "--start": ("1,2", "-1,2", "1,-2", "-.5,2e-3"),
    "--domain": ("-3:3,-2:2", "0:1,-1:1"),
    "--size": ("960x640", "20x300"),
    "--camera": ("-60,35", "60,35"),
    "--levels": ("0.1,1", "-1,0,1,10"),
    "--frames": ("0:200:20", "0:10:1,10:20:2"),
    "--axes": ("w,b",),
    "--view": ("contour+loss", "contour+loss+rate"),
    "--vary": ("lr=0.1,0.2", "lr=0.1,0.2,0.3"),
    "--tune": ("lr,beta1",),
    "--over": ("lr,beta1=0.5:0.9", "lr,beta1,beta2"),
    "--grid": ("4x4",),
    "--opt": ("adam,sgd:lr=0.1", "adam,sgd,momentum"),
}


@pytest.mark.parametrize("command", ["run", "plot", "tune", "basins"])
def test_what_is_separated_by_spaces_is_joined(command: str, invoke: Invoke) -> None:
    options = {each: SEPARATED[each] for each in SEPARATED.keys() & options_of(command)}
    assert len(options) >= 4
    for option, values in options.items():
        for value in values:
            ways = {value.replace(sign, " ") for sign in ",x+" if sign in value}
            if option in ("--domain", "--frames"):
                ways.add(re.sub("[,:]", " ", value) if value.count(":") == 2 else value)
            for way in ways - {value}:
                words = way.split()
                for ended in (
                    invoke(command, option, *words),
                    invoke(command, f"{option}={words[0]}", *words[1:], "-q"),
                ):
                    if command == "plot" and option in ("--axes", "--view"):
                        assert "unexpected argument" not in ended.stderr  # it is a surface
                        continue
                    said = f"unexpected argument '{words[1]}': write {option} {value}"
                    assert (ended.exit_code, ended.stderr) == (2, f"optiviz: {said}\n")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("adam(lr=0.1)", "adam:lr=0.1"),
        ("adam(lr=0.1,beta1=0.8)", "adam:lr=0.1:beta1=0.8"),
        ("adam( lr = 0.1, beta1=0.8 ),sgd", "adam:lr=0.1:beta1=0.8,sgd"),
        ("sgd,adam(lr=0.1):label=mine", "sgd,adam:lr=0.1:label=mine"),
        ("lookahead+adam()", "lookahead+adam"),
        ("sgd(0.1)", "sgd:KEY=0.1"),
        ("torch.optim.Adam(betas=(0.9, 0.99))", "torch.optim.Adam:betas=0.9/0.99"),
        ("adam:lr=0,1", "adam:lr=0.1"),
        ("adam:lr=0,1:beta1=0,95,sgd:lr=1,5", "adam:lr=0.1:beta1=0.95,sgd:lr=1.5"),
        ("adam:lr=0,1@cosine,sgd", "adam:lr=0.1@cosine,sgd"),
        ("adam(lr=0,1)", "adam:lr=0.1"),
    ],
)
def test_a_spec_in_another_notation_is_rewritten(written: str, meant: str, invoke: Invoke) -> None:
    ended = invoke("run", "--surface", "bowl", "--opt", written)
    assert_told(ended, 2, f"is not a spec: write {meant}\n")
    with pytest.raises(optiviz.InputError, match=f"write {re.escape(meant)}$"):
        optiviz.Recipe(surface="bowl", optimizers=[written])
    if "KEY" not in meant:
        optiviz.Recipe(surface="bowl", optimizers=meant)


@pytest.mark.parametrize(
    "text", ["my(1).py:Lion:lr=0.1", "adam:label=Adam (lr=1)", "sgd:lr=1,adam"]
)
def test_parentheses_and_commas_keep_their_meaning(text: str) -> None:
    assert ",".join(optiviz.Recipe(surface="bowl", optimizers=text).optimizers) == text


def test_an_optimizers_class_is_named_by_its_file() -> None:
    with pytest.raises(optiviz.InputError, match=r"optimizers: must be text, not a class"):
        optiviz.animate("wobbly", Path)  # type: ignore[arg-type]


@pytest.mark.slow
def test_what_an_own_optimizer_raised_is_shown_to_who_debugs(here: Path) -> None:
    (here / "own.py").write_text(
        "class Own:\n    def __init__(self, lr): ...\n    def init(self, x): ...\n"
        "    def step(self, objective, x, state):\n        return self.typo\n"
    )
    words = ["run", "--surface", "bowl", "--opt", "own.py:Own:lr=1", "-o", "x.json", "-q"]
    assert call(*words).stderr == ""
    debugged = call(*words, "--debug")
    assert debugged.exit_code == 0
    assert "return self.typo" in debugged.stderr and "AttributeError" in debugged.stderr


@pytest.mark.slow
@pytest.mark.parametrize("title", ["", " "])
def test_an_empty_title_leaves_title_and_formula_away(
    title: str, invoke: Invoke, here: Path
) -> None:
    for words in (RUN, ("plot", "bowl", "--size", "300x200")):
        assert invoke(*words, "--title", title, "-o", "x.svg").exit_code == 0
        said = (here / "x.svg").read_text().partition("</metadata>")[2]
        assert "Bowl" not in said and "^" not in said
    assert invoke(*RUN, "--title", title, "-o", "x.html").exit_code == 0
    header = (here / "x.html").read_text().partition("<header>")[2].partition("</header>")[0]
    assert header.split() == ["<h1", 'class="unseen">Bowl</h1>']


def test_conditions_are_said_without_a_title(invoke: Invoke, here: Path) -> None:
    assert invoke(*RUN, "--title", "", "--noise", "0.5", "-o", "x.svg").exit_code == 0
    assert "gradient noise 0.5, seed 0" in (here / "x.svg").read_text()


@pytest.mark.slow
def test_the_last_frame_is_that_of_the_animation(invoke: Invoke, here: Path) -> None:
    assert invoke(*RUN, "--last-frame").stdout.splitlines()[0] == "outputs/bowl-adam.png"
    invoke(*RUN, "-o", "whole.apng", "-o", "still.png")
    invoke(*RUN, "-o", "last.apng", "--last-frame", "-q")
    with Image.open(here / "last.apng") as last, Image.open(here / "whole.apng") as whole:
        assert getattr(last, "n_frames", 1) == 1
        whole.seek(getattr(whole, "n_frames", 1) - 1)
        assert last.convert("RGB").tobytes() == whole.convert("RGB").tobytes()
    still = (here / "still.png").read_bytes()
    assert (here / "outputs" / "bowl-adam.png").read_bytes() == still


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".gif", ".mp4", ".svg", ".html", ".csv"])  # of each kind
def test_the_standard_output_is_a_target(suffix: str, here: Path) -> None:
    name = suffix.removeprefix(".")
    words = [*OPTIVIZ, *map(str, RUN)]
    ended = subprocess.run(
        [*words, "-o", "-", "--format", name, "-o", f"beside{suffix}"], capture_output=True,
        check=True, timeout=120,
    )  # fmt: skip
    assert ended.stdout == (here / f"beside{suffix}").read_bytes()
    assert b"beside" in ended.stderr
    assert b"lr 0.1" in ended.stderr
    assert only_file(here) == here / f"beside{suffix}"
    quiet = subprocess.run(
        [*words, "-o", "-", "--format", name, "-q"], capture_output=True, check=True, timeout=120
    )
    assert quiet.stdout == ended.stdout
    assert quiet.stderr == b""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("run --surface bowl --steps -o x.gif", "--steps: the value is missing before -o"),
        ("tune --over --trials 3", "--over: the value is missing before --trials"),
        ("run --surface bowl --opt adam --steps", "--steps: the value is missing"),
        ("run --steps 1.5", "--steps: must be a whole number, not '1.5'"),
        ("run --fps fast", "--fps: must be a number, not 'fast'"),
        ("run --fill=3", "--fill does not take a value"),
        ("batch jobs.yaml --jobs 2000", "--jobs: must be between 1 and 1024, not 2000"),
        ("batch", "FILE: required, but missing"),
        ("completion", "SHELL: required, but missing"),
    ],
)
def test_what_click_rejects_is_said_as_all_else(
    words: str, said: str, invoke: Invoke, here: Path
) -> None:
    ended = invoke(*shlex.split(words))
    assert (ended.exit_code, ended.stderr) == (2, f"optiviz: {said}\n")
    assert not any(here.iterdir())


def test_an_optional_value_may_be_left_out_before_another_option(invoke: Invoke) -> None:
    ended = invoke(*RUN, "--tune", "--steps", "3", "-o", "x.json")
    assert ended.exit_code == 0, ended.stderr


def test_words_about_rates_leave_the_standard_output_alone(here: Path) -> None:
    ended = call(*RUN, "-o", "-", "--format", "json", "--lr-report")
    assert json.loads(ended.stdout)["recipe"]["surface"] == "bowl"
    assert "score" in ended.stderr


def test_format_names_the_file_that_nobody_names(invoke: Invoke, here: Path) -> None:
    assert invoke(*RUN, "--format", "svg").stdout.splitlines()[0] == "outputs/bowl-adam.svg"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("-o -", "-o - has no suffix: set its format, for example --format png"),
        (
            "-o a.gif --format gif",
            "--format applies to -o - or the default file: a.gif already has a suffix",
        ),
        ("-o - -o - --format gif", "two outputs have the same path"),
        ("-o - --format gif --open", "--open cannot be combined with -o -"),
        ("-o - --format jpeg", "--format: unknown format 'jpeg'"),
    ],
)
def test_what_contradicts_itself_is_told(words: str, said: str, invoke: Invoke, here: Path) -> None:
    assert_told(invoke(*RUN, *shlex.split(words)), 2, said)
    assert not any(here.iterdir())


@pytest.mark.row(67)
@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo terminals")
def test_a_terminal_gets_no_bytes(here: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    ended = call(*RUN, "-o", "-", "--format", "gif", stdout=theirs)
    assert_told(ended, 2, "-o -: a terminal cannot show gif")
    os.close(theirs)
    os.close(ours)


@pytest.mark.row(67)
@pytest.mark.skipif(sys.platform == "win32", reason="there is no shell that closes it")
def test_a_closed_standard_output_is_told(here: Path) -> None:
    words = " ".join([*OPTIVIZ, *map(str, RUN), "-q", "-o", "-", "--format", "png", ">&-"])
    ended = subprocess.run(["sh", "-c", words], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert ended.stderr == "optiviz: -o -: standard output is closed\n"


def test_only_a_bare_dash_is_the_standard_output(invoke: Invoke, here: Path) -> None:
    result = invoke(*RUN, "-o", "./-", "--format", "png")
    assert result.exit_code == 2
    assert "has a suffix" in result.stderr


@pytest.mark.slow
def test_a_preview_goes_to_the_standard_output_as_well(here: Path) -> None:
    ended = subprocess.run(
        [*OPTIVIZ, *map(str, RUN), "-o", "-", "--format", "png", "--preview", "-q"],
        capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    with Image.open(io.BytesIO(ended.stdout)) as image:
        assert image.size == (240, 160)


@pytest.mark.sample(1)
@pytest.mark.parametrize("settings", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_what_is_read_by_a_program_has_no_colours(settings: dict[str, str], here: Path) -> None:
    ended = call(*RUN, "-o", "a.json", settings=settings)
    assert "\x1b" not in ended.stdout + ended.stderr


@pytest.mark.slow
def test_a_notebook_shows_the_gif_that_would_be_saved(here: Path) -> None:
    from base64 import b64decode

    animation = optiviz.animate("bowl", "adam:lr=0.1", steps=5, size=(300, 200), title="<1>")
    shown = animation._repr_html_()
    head, _, rest = shown.partition('src="data:image/gif;base64,')
    data, _, tail = rest.partition('"')
    assert (head, tail) == ("<img ", ' alt="&lt;1&gt;: adam lr 0.1">')
    animation.save("a.gif", writer="imageio")
    assert (here / "a.gif").read_bytes() == b64decode(data)
    assert animation._repr_html_() is shown


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".gif", ".mp4", ".webp"])
def test_what_is_animated_says_how_it_was_made(suffix: str, here: Path) -> None:
    fields = {"steps": 5, "size": (300, 200)}
    animation = optiviz.animate("bowl", "adam:lr=0.1", **fields)
    animation.save(f"a{suffix}")
    recipe = optiviz.Recipe(surface="bowl", optimizers="adam:lr=0.1", **fields)
    assert optiviz.load_recipe(f"a{suffix}") == recipe
    animation.save("own.gif", writer="imageio", metadata={"comment": "mine"})
    with Image.open("own.gif") as image:
        assert image.info["comment"] == b"mine"
