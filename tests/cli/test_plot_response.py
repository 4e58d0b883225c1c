"""`optiviz plot`, `optiviz response`, and the options of views."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from conftest import FORMULAS, RUN_FORMATS, Invoke, only_file
from PIL import Image

from optiviz import Surface
from optiviz.registry import SIGNALS
from optiviz.surfaces.signal import find_signal

SIZE = ("--size", "360x240")
RESPONSE = ("response", "--signal", "spikes", "--opt", "rmsprop", "--vary", "rho=0.25,0.9,0.975")
RUN = ("run", "--surface", "wobbly", "--steps", 4, *SIZE)


def test_a_response_writes_its_numbers(invoke: Invoke, here: Path) -> None:
    result = invoke(*RESPONSE, "-o", "x.json", "-o", "x.csv")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[2].split() == [
        "optimizer", "hyperparameters", "largest", "update", "last", "update",
    ]  # fmt: skip
    record = json.loads((here / "x.json").read_text())
    assert record["signal"] == "spikes"
    assert record["gradient"] == list(find_signal("spikes").gradient)
    assert record["recipe"]["kind"] == "response"
    labels = [each["label"] for each in record["responses"]]
    assert labels == ["rho 0.25", "rho 0.9", "rho 0.975"]
    for each in record["responses"]:
        assert each["hyperparameters"]["lr"] == 0.25
        assert len(each["update"]) == 300
        assert each["update"][0] > 0
    rows = list(csv.DictReader((here / "x.csv").read_text().splitlines()[1:]))
    assert len(rows) == 900
    assert [float(row["update"]) for row in rows[:300]] == record["responses"][0]["update"]
    assert [float(row["gradient"]) for row in rows[300:600]] == record["gradient"]


@pytest.mark.sample(2)
@pytest.mark.parametrize("suffix", [each for each in RUN_FORMATS if each != ".html"])
def test_a_response_has_every_format(suffix: str, invoke: Invoke, here: Path) -> None:
    result = invoke(*RESPONSE, "-o", f"x{suffix}", "--duration", 1, *SIZE)
    assert (result.exit_code, result.stderr) == (0, "")
    assert (here / f"x{suffix}").stat().st_size > 500


@pytest.mark.sample(3)
@pytest.mark.parametrize("signal", SIGNALS)
def test_every_signal_can_be_answered(signal: str, invoke: Invoke, here: Path) -> None:
    result = invoke("response", "--signal", signal, "--opt", "adam,momentum", "-o", "x.png", *SIZE)
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_users_signal(invoke: Invoke, here: Path) -> None:
    (here / "my steps.csv").write_text("gradient\n1\n1\n0\n-1\n")
    words = ["response", "--signal", "my steps.csv", "--opt", "sgd:lr=0.5", "-o", "x.json"]
    assert invoke(*words).exit_code == 0
    record = json.loads((here / "x.json").read_text())
    assert (record["signal"], record["gradient"]) == ("my steps", [1, 1, 0, -1])
    assert record["responses"][0]["update"] == [0.5, 0.5, 0, -0.5]


def test_a_response_has_a_default_path(invoke: Invoke, here: Path) -> None:
    assert invoke(*RESPONSE[:5], "--duration", 0.5, *SIZE).exit_code == 0
    assert only_file(here) == here / "outputs" / "spikes-rmsprop.gif"


def test_a_plot_is_a_still(invoke: Invoke, here: Path) -> None:
    result = invoke("plot", "logistic,tanh,relu,softplus", "-o", "a.png", "-o", "a.svg", *SIZE)
    assert (result.exit_code, result.stderr, result.stdout) == (0, "", "a.png\na.svg\n")
    with Image.open(here / "a.png") as image:
        assert image.size == (360, 240)
    said = (here / "a.svg").read_text()
    for title in ("Softplus", "derivative"):
        assert f">{title}</text>" in said, "text is text"


def test_axes_have_names_of_ones_own(invoke: Invoke, here: Path) -> None:
    (here / "own.yaml").write_text(
        "own:\n  formula: x**2 + y\n  domain: '-1:1,-1:1'\n  axes: [w, b_0]\n"
    )
    own = ("--surfaces", "own.yaml")
    for words in (
        ("own", *own),
        ("bowl", "--axes", "w,b_0"),
        ("bowl,own", *own, "--axes", "w, b_0"),
    ):
        assert invoke("plot", *words, "-o", "x.svg", *SIZE).exit_code == 0
        texts = (here / "x.svg").read_text()
        assert ">w</text>" in texts and ">b_0</text>" in texts
        assert ">x</text>" not in texts and ">y</text>" not in texts
    written = invoke("inspect", "x.svg").stdout
    assert written.count("axes: [w, b_0]") == 2
    assert invoke("plot", "--formula", "x**3", "--axes", "t", "-o", "x.svg", *SIZE).exit_code == 0
    assert ">t</text>" in (here / "x.svg").read_text()


def test_a_name_of_several_words_is_not_written_in_the_formula(invoke: Invoke, here: Path) -> None:
    assert invoke("plot", "bowl", "--axes", "w 1,bias", "-o", "x.svg", *SIZE).exit_code == 0
    texts = (here / "x.svg").read_text()
    assert ">w 1 (x)</text>" in texts and ">bias (y)</text>" in texts
    surface = Surface(formula="x*y", domain="-1:1,-1:1", axes=["w 1", "bias"])
    assert surface.shown_variables == {"x": "x", "y": "y"}
    assert Surface(formula="x*y", domain="-1:1,-1:1", axes=["w", "b"]).shown_variables == {
        "x": "w", "y": "b",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("surface", "axes", "said"),
    [
        (("bowl",), "w", "--axes: w is 1 name for 2 axes"),
        (("--formula", "x + y"), "w,b,c", "--axes: w,b,c is 3 names for 2 axes"),
        (("--formula", "x"), "w,b", "--axes: w,b is 2 names for one axis"),
        (("bowl",), "sin,b", "--axes: 'sin' is the name of a function: choose another one"),
        (("bowl",), "w,pi", "--axes: 'pi' is the name of a constant: choose another one"),
        (("bowl",), "w,w", "--axes: 'w' is the name of two axes: choose another one"),
        (("bowl",), "w,$b$", "--axes: '$b$' must begin with a letter and consist of"),
        (("bowl",), ",", "--axes: '' must begin with a letter"),
        (("bowl",), f"w,{41 * 'b'}", "is longer than 40 letters"),
    ],
)
def test_names_of_axes_that_mislead_are_refused(
    surface: tuple[str, ...], axes: str, said: str, invoke: Invoke, here: Path
) -> None:
    result = invoke("plot", *surface, "--axes", axes, "-o", "x.svg")
    assert result.exit_code == 2
    assert said in result.stderr and result.stderr.count("\n") == 1
    assert not list(here.iterdir())


def test_a_plot_has_a_default_path(invoke: Invoke, here: Path) -> None:
    assert invoke("plot", "wobbly", "beale", "--view", "relief", *SIZE).exit_code == 0
    assert only_file(here) == here / "outputs" / "wobbly-beale.png"


def test_a_plot_of_a_users_surface(invoke: Invoke, here: Path) -> None:
    (here / "mine.yaml").write_text("own:\n  formula: x*y\n  domain: '-1:1,-1:1'\n")
    words = ["plot", "own,wobbly", "--surfaces", "mine.yaml", "-o", "x.png", *SIZE]
    assert invoke(*words).exit_code == 0


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "options",
    [
        ("--view", "relief", "--orbit", "-45"), ("--view", "loss", "--smooth", "3"),
        ("--view", "contour+state"), ("--layout", "grid"), ("--theme", "dark"),
        ("--theme", "article", "--no-labels"), ("--levels", "9"), ("--levels", "0.5,2,8"),
        ("--levels", "1,"), ("--labels", "--field", "--no-fill"), ("--trail", "2"),
    ],
)  # fmt: skip
def test_every_option_changes_the_picture(
    options: tuple[str, ...], invoke: Invoke, here: Path
) -> None:
    for name, words in (("plain", ()), ("changed", options)):
        result = invoke(*RUN, "--opt", "adam,rmsprop", "-o", f"{name}.png", "-q", *words)
        assert (result.exit_code, result.output) == (0, "")
    plain, changed = (np.asarray(Image.open(here / f"{n}.png")) for n in ("plain", "changed"))
    assert (plain != changed).any()


def test_vary_makes_one_path_a_value_labelled_by_it(invoke: Invoke, here: Path) -> None:
    words = ["--opt", "nesterov:lr=0.01", "--vary", "momentum=0.25,0.9,0.975", "-o", "x.json"]
    result = invoke(*RUN, *words)
    assert result.exit_code == 0
    record = json.loads((here / "x.json").read_text())
    assert record["recipe"]["vary"] == "momentum=0.25,0.9,0.975"
    found = [(path["label"], path["hyperparameters"]) for path in record["trajectories"]]
    assert [label for label, _ in found] == ["momentum 0.25", "momentum 0.9", "momentum 0.975"]
    assert [used["momentum"] for _, used in found] == [0.25, 0.9, 0.975]


def test_a_value_that_is_given_is_told_even_if_it_does_nothing(invoke: Invoke, here: Path) -> None:
    words = ["--opt", "adam", "--vary", "weight_decay=0,0.1", "-o", "x.json"]
    off, on = invoke(*RUN, *words).stdout.splitlines()[2:4]
    assert "  weight_decay 0  " in off and "  weight_decay 0.1  " in on


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("response", "--signal", "spike", "--opt", "adam"), "did you mean 'spikes'"),
        (("response", "--signal", "none.csv", "--opt", "adam"), "none.csv: No such file"),
        (("response", "--signal", "empty.csv", "--opt", "adam"), "empty.csv: contains no numbers"),
        (
            ("response", "--signal", "words.csv", "--opt", "adam"),
            "words.csv:2: must be a finite number, not 'two'",
        ),
        (("response", "--opt", "adam"), "--signal: required, but missing"),
        (("response", "--signal", "spikes"), "--opt: required, but missing"),
        (("response", "--signal", "spikes", "--opt", "newton"), "newton needs second derivatives"),
        ((*RESPONSE, "--theme", "drak"), "--theme: unknown theme 'drak': did you mean 'dark'?"),
        ((*RUN, "--opt", "adam", "--vary", "beta3=1,2"), "'beta3': did you mean 'beta1'"),
        ((*RUN, "--opt", "adam", "--vary", "beta1=1,2"), "--vary: adam: beta1 must lie in [0, 1)"),
        ((*RUN, "--opt", "adam", "--vary", "beta1"), "is not a valid variation: write key="),
        ((*RUN, "--opt", "adam", "--vary", "label=a,b"), "unknown hyperparameter 'label'"),
        ((*RUN, "--opt", "adam", "--vary", "beta1=0.5:lr=1,0.9"), "must be a number"),
        ((*RUN, "--opt", "adam", "--vary", "beta1=0.9,0.90"), "lists a value twice"),
        ((*RUN, "--opt", "adam:lr=1", "--vary", "lr=1,2"), "lr cannot be both set and varied"),
        ((*RUN, "--opt", "adam,sgd", "--vary", "lr=1,2"), "--vary: needs exactly one opt"),
        ((*RUN, "--opt", "adam", "--view", "conture"), "--view: unknown view 'conture': did you"),
        ((*RUN, "--opt", "adam", "--view", "curve"), "--view: curve draws one dimension"),
        ((*RUN, "--opt", "adam", "--view", "loss", "--labels"), "does not use --labels; contour"),
        ((*RUN, "--opt", "adam", "--orbit", "90"), "loss do not use --orbit; relief does"),
        ((*RUN, "--opt", "adam", "--smooth", "0"), "--smooth: must be greater than 0"),
        ((*RUN, "--opt", "adam", "--trail", "-1"), "--trail: must be greater than 0"),
        ((*RUN, "--opt", "adam", "--levels", "a"), "--levels: must be a number of bands or losses"),
        ((*RUN, "--opt", "adam", "--levels", "nan"), "--levels: must be a finite number"),
        ((*RUN, "--opt", "adam", "--levels", "9" * 5000), "must be a finite number"),
        ((*RUN, "--opt", "adam", "--orbit", "nan"), "--orbit: must be a finite number"),
        ((*RUN, "--opt", "adam", "--view", "loss+"), "--view: unknown view ''"),
        ((*RUN, "--opt", "adam", "--levels", "2,1"), "--levels: must increase"),
        ((*RUN, "--opt", "adam", "--levels", "0"), "--levels: must be greater than or equal"),
        ((*RUN, "--opt", "adam", "--layout", "row"), "unknown layout 'row': choose from grid"),
        (("plot",), "NAME: required, but missing: name a surface, or give a"),
        (("plot", "wobly"), "did you mean 'wobbly'"),
        (("plot", "wobbly,tanh", "--view", "contour"), "--view: contour draws two dimensions"),
        (("plot", "wobbly", "--view", "loss"), "--view: loss has no descent to draw"),
        (("plot", "wobbly", "-o", "x.gif"), "x.gif: optiviz plot cannot write .gif files: choose"),
        (("plot", "tanh", "--field"), "curve does not use --field, nor does any other view"),
    ],
    ids=lambda value: " ".join(map(str, value))[-45:] if isinstance(value, tuple) else None,
)  # fmt: skip
def test_a_mistake_is_told_in_one_sentence(
    words: tuple[str, ...], said: str, invoke: Invoke, here: Path
) -> None:
    (here / "empty.csv").write_text("")
    (here / "words.csv").write_text("1\ntwo\n")
    before = set(here.iterdir())
    result = invoke(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.startswith("optiviz: ") and result.stderr.count("\n") == 1
    assert set(here.iterdir()) == before, "nothing is written"


HARD = [
    "run --formula 0x1e*x --opt sgd:lr=0.1",
    f"run --formula {'sqrt(' * 24}x{')' * 24} --opt sgd:lr=0.1",
    "run --surface sphere --opt sgd:lr=0.4 --steps 1000 --view relief",
    "run --surface wobbly --opt adam --labels --levels 1e300,2e300",
    "run --surface wobbly --opt adam --labels --levels 0.5,1e308",
    "run --formula sinh(300*x) --opt sgd:lr=0.1", "run --formula x*exp(x**2*78.7) --opt sgd:lr=0.1",
    "run --formula sinh(236.5*x) --opt sgd:lr=0.1",
    "run --formula sinh(236.5*x)+y --opt sgd:lr=0.1 --view relief",
    "run --formula sqrt(x-2.99)+0*y --opt sgd:lr=0.1 --field",
    "run --formula sqrt(-1-(x*y)**2) --opt sgd:lr=0.1 --field stream --labels",
    "run --formula 1/x --start 0 --opt adam:lr=0.1 --steps 8 --view curve+loss+state",
    "run --surface parabola --start 1e300 --opt adam:lr=0.1 --steps 8 --view curve+loss+state",
    "run --formula abs(x) --opt sgd:lr=1.7e308 --steps 1200 --view state",
    "run --formula abs(x)+abs(y) --opt sgd:lr=1e308 --steps 9 --view relief+loss+state",
    "run --surface wobbly --opt adam --view loss --smooth 100000 --trail 1",
    "response --signal large.csv --opt sgd:lr=1,adam,momentum,radam",
    "response --signal large.csv --opt sgd:lr=1e300",
    "response --signal tiny.csv --opt adadelta", "response --signal one.csv --opt adam",
    f"plot {','.join([*FORMULAS][:24])}",
]  # fmt: skip


@pytest.mark.sample(2)
@pytest.mark.parametrize("words", HARD, ids=lambda each: each[:60])
def test_hard_cases_are_drawn_without_a_word(words: str, invoke: Invoke, here: Path) -> None:
    (here / "large.csv").write_text("1e100\n-1e100\n" * 5)
    (here / "tiny.csv").write_text("5e-324\n" * 10)
    (here / "one.csv").write_text("1\n")
    result = invoke(*words.split(" "), "-o", "x.png", *SIZE)
    assert (result.exit_code, result.stderr) == (0, "")


def test_titles_of_panels_need_letters_too(invoke: Invoke, here: Path) -> None:
    (here / "mine.yaml").write_text(
        "own:\n  formula: x*y\n  domain: '-1:1,-1:1'\n  title: \ufdd0\n"
    )
    result = invoke("plot", "own,own", "--surfaces", "mine.yaml", "-o", "x.png")
    assert result.exit_code == 2
    assert not (here / "x.png").exists()


def test_surfaces_of_one_and_two_dimensions_go_into_one_plot(invoke: Invoke, here: Path) -> None:
    assert invoke("plot", "wobbly,tanh", "-o", "x.png", *SIZE).exit_code == 0


@pytest.mark.slow
def test_a_run_says_when_its_animation_shows_not_all_steps(invoke: Invoke, here: Path) -> None:
    words = ["run", "--surface", "bowl", "--opt", "sgd:lr=0.1", "--steps", 10, "--fps", 2, *SIZE]
    said = "4 frames cover steps 0 to 10: --duration 6 would show every step\n"
    assert invoke(*words, "--duration", 2, "-o", "x.gif").stdout.endswith(said)
    for rest in (["--duration", 6, "-o", "x.gif"], ["--duration", 2, "-o", "x.png"]):
        assert "frames cover" not in invoke(*words, *rest).stdout
