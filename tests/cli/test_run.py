"""`optiviz run` through Click's runner."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from commands import call
from conftest import Invoke, only_file
from PIL import Image

import optiviz
from optiviz.cli import cli

SMALL = ("--steps", 5, "--size", "300x200")


def test_the_main_job_writes_a_gif_and_tells_the_truth(invoke: Invoke, here: Path) -> None:
    result = invoke("run", "--surface", "wobbly", "--opt", "adam,rmsprop", *SMALL)
    assert (result.exit_code, result.stderr) == (0, "")
    path = only_file(here)
    assert path == here / "outputs" / "wobbly-adam-rmsprop.gif"
    lines = result.stdout.splitlines()
    assert lines[0] == "outputs/wobbly-adam-rmsprop.gif"
    adam = optiviz.descend("wobbly", "adam", steps=5)
    row = next(line for line in lines if line.startswith("adam"))
    assert "lr 0.25 (the surface's)  beta1 0.9  beta2 0.999" in row
    away = optiviz.load_surface("wobbly").distance_to_minimum(adam.points[-1])
    assert row.split()[-3:] == ["5", f"{adam.losses[-1]:.6g}", f"{away:.4g}"]
    assert "rho 0.9  eps 1e-08" in result.stdout
    with Image.open(path) as image:
        assert image.size == (300, 200)


def test_a_tuned_rate_is_told_everywhere(invoke: Invoke, here: Path) -> None:
    words = ("run", "--surface", "rosenbrock", "--opt", "adam,sgd:lr=0.001,newton")
    result = invoke(*words, "--steps", 20, "-o", "x.json", "-o", "x.png")
    adam, *others = json.loads((here / "x.json").read_text())["trajectories"]
    assert adam["lr_source"] == "tuned"
    assert [each["lr_source"] for each in others] == ["given", "default"]
    assert f"lr {adam['hyperparameters']['lr']:g} (tuned)  beta1 0.9" in result.stdout
    assert result.stdout.count("(tuned)") == 1


def test_the_rates_that_were_tried_are_reported(invoke: Invoke, here: Path) -> None:
    words = "sgd,adam,newton,sgd:lr=0.0123456:label=mine"
    result = invoke(
        "run", "--surface", "wobbly", "--opt", words, "--steps", 20, "--lr-report", "-q",
        "-o", "x.json",
    )  # fmt: skip
    assert (result.exit_code, result.stderr) == (0, "")
    runs = json.loads((here / "x.json").read_text())["trajectories"]
    reports = result.stdout.strip().split("\n\n")
    sources = ["(tuned)", "(surface)", "(default)", "(given)"]
    for report, run, source in zip(reports, runs, sources, strict=True):
        first, bounds, measure, heading, *rows = report.splitlines()
        rate = run["hyperparameters"]["lr"]
        assert first.startswith(f"{run['label']}: lr {rate:g} {source}; best of {len(rows)}")
        assert bounds.startswith("sought among rates whose largest step is at most 6 %")
        assert measure.startswith("score: the lowest loss so far, averaged")
        assert heading.split() == ["lr", "score", "largest", "step", "%", "backwards", "%"]
        scores = {row.split()[0]: row.split()[1:] for row in rows}
        assert len(scores) == len(rows) >= 200
        assert f"{rate:g}" in scores
        best = first.split()[-1]
        assert float(scores[best][1]) <= 6 and float(scores[best][2]) <= 15
        kept = {
            lr: float(score)
            for lr, (score, step, backwards) in scores.items()
            if lr == best or (score != "-" and float(step) < 6 and float(backwards) < 15)
        }  # without others at 6.00 %, which may be rounded down
        assert min(kept, key=lambda lr: kept[lr]) == best


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--pace", "slow"], "unknown pace 'slow': choose from calm, fast"),
        (["--pace", "fast", "--tune"], "applies to runs without --tune"),
        (["--surface", "digits-race", "--pace", "fast"], "is descended in all its weights"),
    ],
)
def test_a_pace_without_effect_is_refused(words: list[str], said: str, invoke: Invoke) -> None:
    result = invoke("run", "--surface", "bowl", "--opt", "adam", *words, "-o", "x.json")
    assert result.exit_code == 2
    assert said in result.stderr and result.stderr.count("\n") == 1


def test_the_pace_is_chosen_and_recorded(invoke: Invoke, here: Path) -> None:
    rates = {}
    for pace in ("calm", "fast"):
        for command in ("run", "basins"):
            words = (command, "--surface", "beale", "--opt", "adam", "--pace", pace, "--steps", 40)
            words += ("--grid", "8x8") * (command == "basins")
            assert invoke(*words, "-o", "x.json").exit_code == 0
            made = json.loads((here / "x.json").read_text())
            assert made["recipe"]["pace"] == pace
            (run,) = made["trajectories" if command == "run" else "basins"]
            rates[command, pace] = run["hyperparameters"]["lr"]
    assert rates["run", "calm"] < rates["run", "fast"]
    assert rates["basins", "calm"] < rates["basins", "fast"]


def test_the_report_stands_below_the_table(invoke: Invoke, here: Path) -> None:
    words = ("run", "--formula", "log(x - 9) + y", "--opt", "sgd", "-o", "x.json")
    said = invoke(*words, "--lr-report").stdout
    assert "lr 0.0001 (none fits)" in said
    assert "\n\nsgd: lr 0.0001 (none fits); none of " in said
    assert json.loads((here / "x.json").read_text())["trajectories"][0]["lr_source"] == "none fits"


def test_every_option_reaches_the_recipe(invoke: Invoke, here: Path) -> None:
    result = invoke(
        "run", "--formula", "x**2 + 10*y**2", "--domain", "-4:4,-2:2", "--opt", "sgd:lr=0.02",
        "--opt", "momentum,adam:label=a", "--lr", 0.05, "--start", "-3,1", "--start", "random:2",
        "--seed", 7, "--steps", 9, "--fps", 10, "--duration", 3, "--size", "320x240",
        "--title", "Mine", "-o", "x.json", "-o", "deep/x.csv", "-o", "x.png",
    )  # fmt: skip
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[:3] == ["x.json", "deep/x.csv", "x.png"]
    assert result.stdout.splitlines()[-1] == "seed 7"
    record = json.loads((here / "x.json").read_text())
    recipe = optiviz.Recipe.model_validate(record["recipe"])
    assert recipe == optiviz.Recipe(
        surface=optiviz.Surface(formula="x**2 + 10*y**2", domain="-4:4,-2:2"),
        optimizers="sgd:lr=0.02,momentum,adam:label=a", lr=0.05, starts=[(-3, 1)], random_starts=2,
        seed=7, steps=9, fps=10, duration=3, size=(320, 240), title="Mine",
    )  # fmt: skip
    rates = [each["hyperparameters"]["lr"] for each in record["trajectories"]]
    assert rates == [0.02] * 3 + [0.05] * 6


def test_two_of_one_name_are_told_apart_in_the_data(invoke: Invoke, here: Path) -> None:
    words = "adam,adam,adam:lr=0.1,sgd:label=adam"
    assert invoke("run", "--surface", "bowl", "--opt", words, "-o", "x.json").exit_code == 0
    paths = json.loads((here / "x.json").read_text())["trajectories"]
    labels = [path["label"] for path in paths]
    assert labels == ["adam", "adam (2)", "adam lr 0.1", "adam (3)"]


def test_a_picture_that_cannot_be_is_refused_before_anything_is_written(
    invoke: Invoke, here: Path
) -> None:
    words = ["--opt", "sgd", "--title", "\ufdd0", "-o", "a.json", "-o", "a.png"]
    result = invoke("run", "--surface", "parabola", *words)
    assert result.exit_code == 2
    assert not list(here.iterdir())


@pytest.mark.parametrize("formula", ["x**2 + 0*y", "x + y - y", "x*y/y"])
def test_a_formula_that_speaks_of_y_has_two_dimensions(
    formula: str, invoke: Invoke, here: Path
) -> None:
    result = invoke("run", "--formula", formula, "--opt", "sgd", "-o", "x.json")
    assert (result.exit_code, result.stderr) == (0, "")
    recipe = json.loads((here / "x.json").read_text())["recipe"]
    assert recipe["surface"]["domain"] == {"x": [-3, 3], "y": [-3, 3]}


def test_a_formula_of_x_alone_has_one_dimension(invoke: Invoke, here: Path) -> None:
    assert invoke("run", "--formula", "x**4 - x", "--opt", "sgd", "-o", "x.json").exit_code == 0
    recipe = json.loads((here / "x.json").read_text())["recipe"]
    assert recipe["surface"]["domain"] == {"x": [-3, 3]}


def test_quiet_prints_nothing(invoke: Invoke, here: Path) -> None:
    result = invoke("run", "--surface", "bowl", "--opt", "sgd", "-q", "-o", "x.png", *SMALL)
    assert (result.exit_code, result.output) == (0, "")
    assert only_file(here).name == "x.png"


def test_a_formula_has_a_window_and_a_name_of_its_own(invoke: Invoke, here: Path) -> None:
    assert invoke("run", "--formula", "x**2 + y**4", "--opt", "sgd", *SMALL).exit_code == 0
    assert only_file(here).name == "formula-sgd.gif"


def test_one_dimension_is_a_curve(invoke: Invoke, here: Path) -> None:
    result = invoke("run", "--surface", "parabola", "--opt", "sgd", *SMALL)
    assert (result.exit_code, result.stderr) == (0, "")
    assert only_file(here).name == "parabola-sgd.gif"
    result = invoke("run", "--formula", "x**2", "--domain", "-1:1", "--opt", "newton", *SMALL)
    assert result.exit_code == 0


def test_many_optimizers_have_a_short_name(invoke: Invoke, here: Path) -> None:
    every = ",".join(["sgd", "adam", "smoothed-nesterov"] * 5)
    assert invoke("run", "--surface", "cosine", "--opt", every, *SMALL).exit_code == 0
    assert only_file(here).name == "cosine-15-optimizers.gif"


def test_an_own_catalogue_lies_on_top(invoke: Invoke, here: Path) -> None:
    (here / "mine.yaml").write_text("dent:\n  formula: x**2\n  domain: {x: [-1, 1]}\n")
    own = ("--surfaces", "mine.yaml")
    assert invoke("run", "--surface", "dent", *own, "--opt", "sgd", "-o", "x.json").exit_code == 0
    assert "dent" in invoke("list", "surfaces", *own).stdout
    assert "x**2" in invoke("show", "dent", *own).stdout
    recipe = json.loads((here / "x.json").read_text())["recipe"]
    assert recipe["surface"]["formula"] == "x**2"


def test_a_named_surface_may_be_seen_through_another_window(invoke: Invoke, here: Path) -> None:
    words = ("run", "--surface", "wobbly", "--domain", "-1:1,-2:0", "--opt", "sgd", "-o", "x.json")
    assert invoke(*words).exit_code == 0
    recipe = json.loads((here / "x.json").read_text())["recipe"]
    assert recipe["surface"]["domain"] == {"x": [-1, 1], "y": [-2, 0]}
    assert recipe["surface"]["start"] == [-2.8, -2.5]


def test_a_named_surface_is_embedded_only_if_it_is_not_ours(invoke: Invoke, here: Path) -> None:
    invoke("run", "--surface", "bad-init", "--opt", "sgd", "-o", "x.json")
    assert json.loads((here / "x.json").read_text())["recipe"]["surface"] == "two-minimums"


def test_divergence_stands_in_the_table(invoke: Invoke) -> None:
    result = invoke("run", "--surface", "beale", "--opt", "sgd:lr=10", "-o", "x.json")
    assert result.exit_code == 0
    assert "diverged at step" in " ".join(result.stdout.split())


@pytest.mark.slow
def test_open_opens_the_page_or_else_the_first_file(
    invoke: Invoke, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[str, bool]] = []
    monkeypatch.setattr("click.launch", lambda path: opened.append((path, (here / path).exists())))
    words = ("run", "--surface", "bowl", "--opt", "sgd:lr=0.1", "--steps", "5", "--open", "-q")
    invoke(*words, "-o", "a.json", "-o", "b.csv")
    invoke(*words, "-o", "a.json", "-o", "b.html", "-o", "c.html")
    assert opened == [("a.json", True), ("b.html", True)]


def test_without_anything_to_open_with_the_file_is_still_written(here: Path) -> None:
    words = ("run", "--surface", "bowl", "--opt", "sgd:lr=0.1", "--steps", "5", "-o", "a.json")
    nothing = {"PATH": str(here), "DISPLAY": None, "WAYLAND_DISPLAY": None, "BROWSER": None}
    ended = call(*words, "--open", "-q", settings=nothing)
    assert (ended.exit_code, ended.stdout, ended.stderr) == (0, "", "")
    assert (here / "a.json").exists()


def test_overwrite_is_the_default_and_can_be_refused(invoke: Invoke, here: Path) -> None:
    (here / "x.json").write_text("old")
    words = ("run", "--surface", "bowl", "--opt", "sgd", "-o", "x.json")
    refused = invoke(*words, "--no-overwrite")
    assert refused.exit_code == 2
    assert "x.json exists" in refused.stderr
    assert (here / "x.json").read_text() == "old"
    assert invoke(*words).exit_code == 0
    assert (here / "x.json").read_text() != "old"


WOBBLY = ("run", "--surface", "wobbly", "--opt", "adam")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("bogus",), "unknown command 'bogus'"),
        (("rnu",), "did you mean 'run'"),
        (("--bogus",), "--bogus"),
        (("run", "--surface", "wobbly"), "--opt: required, but missing"),
        (("run", "--opt", "adam"), "--surface: required, but missing: name a surface, or"),
        ((*WOBBLY, "--formula", "x"), "--surface: cannot be combined with a formula"),
        (("run", "--surface", "wobly", "--opt", "adam"), "did you mean 'wobbly'"),
        (("run", "--surface", "wobbly", "--opt", "adm"), "--opt: unknown optimizer 'adm': did you"),
        (("run", "--surface", "wobbly", "--opt", "adam:rl=1"), "did you mean 'lr'"),
        ((*WOBBLY, "--lr", "0"), "--lr: must be greater than 0"),
        ((*WOBBLY, "--lr", "nan"), "--lr: must be a finite number"),
        (
            ("run", "--surface", "wobbly", "--opt", "nelder-mead", "--lr", "0.1"),
            "lr: has no effect: nelder-mead has no learning rate",
        ),
        (
            ("run", "--surface", "wobbly", "--opt", "nelder-mead,backtracking+sgd", "--lr", "1"),
            "lr: has no effect: none of these optimizers has a learning rate",
        ),
        ((*WOBBLY, "--steps", "0"), "--steps: must be greater than or equal to 1"),
        ((*WOBBLY, "--steps", "x"), "--steps"),
        ((*WOBBLY, "--fps", "0"), "--fps: must be greater than or equal to 0.01"),
        ((*WOBBLY, "--size", "9000x9000"), "at most 36000000 pixels are allowed, not 9000x9000"),
        ((*WOBBLY, "--size", "9" * 5000 + "x9"), "is not a valid size: write, for"),
        ((*WOBBLY, "--title", "a\x1b[31mb"), "contain the unprintable character '\\x1b'"),
        (("run", "--surface", "wobbly", "--opt", "sgd:label=\udcff"), "an unprintable char"),
        ((*WOBBLY, "--fps", "1000"), "--fps: must be less than or equal to 100"),
        ((*WOBBLY, "--duration", "0"), "--duration: must be greater than 0"),
        ((*WOBBLY, "--size", "10x10"), "between 240x160 and 16384x16384, not 10x10"),
        ((*WOBBLY, "--size", "big"), "'big' is not a valid size: write, for"),
        ((*WOBBLY, "--start", "1"), "--start: 1 has 1 coordinate, but wobbly has 2"),
        ((*WOBBLY, "--start", "1,b"), "--start: '1,b' is not a valid start: write X,Y"),
        ((*WOBBLY, "--start", "nan,1"), "--start: must be a finite number"),
        ((*WOBBLY, "--start", "random:x"), "--start: 'random:x' is not a valid start"),
        ((*WOBBLY, "--start", "random:-1"), "--start: 'random:-1' is not a valid start"),
        ((*WOBBLY, "--start", "random:0"), "--start: 'random:0' is not a valid start"),
        ((*WOBBLY, "--start", "random:1001"), "--start random:N: must be less"),
        ((*WOBBLY, "-o", ""), "an output needs a file name"),
        (("run", "--surface", "wobbly", "--opt", "sgd:lr=-1"), "--opt: sgd: lr must lie in"),
        ((*WOBBLY, "--seed", "-1"), "--seed: must be greater than or equal to 0"),
        (
            (*WOBBLY, "--domain", "3:1,0:1"),
            "--domain: the interval of x must increase, not go from 3 to 1",
        ),
        ((*WOBBLY, "--domain", "wide"), "--domain: 'wide' is not a valid domain: write -3"),
        ((*WOBBLY, "--domain", "0:1"), "but wobbly has 2 coordinates"),
        ((*WOBBLY, "-o", "x.wmv"), "x.wmv: unknown format '.wmv'"),
        ((*WOBBLY, "-o", "x"), "x has no suffix"),
        ((*WOBBLY, "-o", "x.gif", "-o", "x.gif"), "two outputs have the same path"),
        ((*WOBBLY, "--surfaces", "none.yaml"), "none.yaml: No such file"),
        (("run", "--formula", "x + z", "--opt", "sgd"), "'z' is not a variable beside x and y"),
        (("run", "--formula", "", "--opt", "sgd"), "--formula: required, but missing or empty"),
        (("run", "--formula", "().__class__", "--opt", "sgd"), "is not allowed"),
        (("run", "--formula", "x*y", "--domain", "0:1", "--opt", "sgd"), "no interval for it"),
        (
            ("run", "--surface", "parabola", "--opt", "sgd", "--view", "contour"),
            "--view: contour draws two dimensions, not one dimension: choose from curve, loss",
        ),
        (("show", "wobly"), "did you mean 'wobbly'"),
        (("show", "wobly", "--json"), "did you mean 'wobbly'"),
        (("show",), "NAME"),
        (("list", "surface"), "surface"),
    ],
    ids=lambda value: " ".join(map(str, value))[:50] if isinstance(value, tuple) else None,
)
def test_a_mistake_is_told_in_one_sentence(
    words: tuple[str, ...], said: str, invoke: Invoke, here: Path
) -> None:
    result = invoke(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr
    assert result.stderr.startswith("optiviz: ")
    assert result.stderr.count("\n") == 1
    assert not list(here.iterdir()), "nothing is written"


def test_what_nobody_foresaw_is_told_too(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a\nb")

    monkeypatch.setattr("optiviz.rendering.render.render", fail)
    result = invoke(*WOBBLY)
    assert result.exit_code == 1
    assert result.stderr == "optiviz: unexpected RuntimeError: a b (--debug shows where)\n"
    assert "Traceback" in invoke(*WOBBLY, "--debug").stderr
    assert "Traceback" in invoke("--debug", *WOBBLY).stderr


def test_click_may_be_asked_not_to_exit() -> None:
    with pytest.raises(optiviz.InputError):
        CliRunner().invoke(
            cli, [*WOBBLY, "--lr", "0"], standalone_mode=False, catch_exceptions=False
        )


@pytest.mark.slow
def test_quality_is_that_of_video(invoke: Invoke, here: Path) -> None:
    words = ["run", "--surface", "wobbly", "--opt", "adam", "--steps", "20", "--size", "300x200"]
    for quality in ("draft", "high"):
        outs = [f"-o{quality}.mp4", f"-o{quality}.webm", f"-o{quality}.gif"]
        assert invoke(*words, "--quality", quality, *outs).exit_code == 0
    for suffix in (".mp4", ".webm"):
        draft, high = ((here / f"{each}{suffix}").stat().st_size for each in ("draft", "high"))
        assert draft < high
    with Image.open(here / "draft.gif") as draft, Image.open(here / "high.gif") as high:
        assert draft.tobytes() == high.tobytes()
    refused = invoke(*words, "--quality", "hihg")
    assert refused.exit_code == 2 and "did you mean 'high'" in refused.stderr
