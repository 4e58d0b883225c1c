"""`optiviz score`: what it writes and keeps, what it adds, and what it says of bad input."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from commands import OPTIVIZ
from conftest import Invoke

import optiviz
from optiviz.kinds.score import ScoreRecipe
from optiviz.recipes.provenance import versions
from optiviz.scoring.store import FORMAT

SUITE = """\
budget: 20
starts: 2
problems:
  - {surface: bowl, name: round, group: smooth}
  - {surface: ellipse}
"""
FAILING = """\
class Failing:
    def __init__(self, lr):
        self.lr = lr

    def init(self, x):
        return 0

    def step(self, objective, x, state):
        if state == 1:
            raise ArithmeticError("out of luck")
        return x - self.lr * objective.gradient(x), state + 1
"""
SCORE = "score", "sgd:lr=0.1", "--against", "adam:lr=0.1", "--suite", "small.yaml"


@pytest.fixture
def small(here: Path, own_cache: Path) -> Path:
    """Write a suite and an optimizer that fails to an empty folder, with nothing in the cache."""
    (here / "small.yaml").write_text(SUITE)
    (here / "mine.py").write_text(FAILING)
    return here


def runs(path: Path) -> dict[str, Any]:
    """Return what a file says of the runs of each optimizer."""
    return {each["label"]: each["runs"] for each in json.loads(path.read_text())["scores"]}


def kept(folder: Path) -> dict[str, int]:
    """Return when each file of results in a folder was written."""
    paths = [path for path in folder.iterdir() if path.suffix in (".npz", ".json")]
    return {each.name: each.stat().st_mtime_ns for each in paths if each.name != "score.json"}


def test_a_folder_keeps_results_and_one_more_optimizer_costs_its_own_jobs(
    invoke: Invoke, small: Path
) -> None:
    said = invoke(*SCORE, "--results", "kept", "-o", "x.json", "-o", "x.csv")
    assert said.exit_code == 0, said.output
    assert [line.split()[:2] for line in said.stdout.splitlines()[3:5]] == [
        ["sgd", "lr"],
        ["adam", "lr"],
    ]
    assert "2 problems, 4 instances, 20 evaluations each, seed 0" in said.stdout
    assert len((small / "x.csv").read_text().splitlines()) == 2 + 4 * 2
    first = kept(small / "kept")
    assert len(first) == 2 * 2 + 2  # jobs, and tests of invariance
    said = invoke("score", "--results", "kept", "--add", "lion:lr=0.01", "-o", "y.json")
    assert said.exit_code == 0, said.output
    second = kept(small / "kept")
    assert len(second) == len(first) + 2 + 1
    assert second.items() > first.items()
    before, after = runs(small / "x.json"), runs(small / "y.json")
    assert after.items() > before.items()
    assert after.keys() == {"sgd", "adam", "lion"}
    assert invoke("score", "--results", "kept", "-o", "z.json").exit_code == 0
    assert invoke("run", "--recipe", "y.json", "-o", "w.json").exit_code == 0
    made = [(small / name).read_bytes() for name in ("w.json", "y.json", "z.json")]
    assert made[0] == made[1] == made[2]
    assert kept(small / "kept") == second
    recipe = optiviz.load_recipe(small / "kept/score.json")
    assert isinstance(recipe, ScoreRecipe)
    assert recipe.optimizers == ("sgd:lr=0.1", "adam:lr=0.1", "lion:lr=0.01")


def test_options_set_what_all_problems_have(invoke: Invoke, small: Path) -> None:
    words = "--budget", "20", "--starts", "1", "--tolerance", "0.5", "--seed", "3"
    assert invoke(*SCORE, *words, "--tuned-on", "smooth", "-o", "x.json").exit_code == 0
    recipe = optiviz.load_recipe(small / "x.json")
    assert isinstance(recipe, ScoreRecipe)
    assert (recipe.seed, recipe.tuned_on) == (3, "smooth")
    problems = recipe.suite.benchmark()
    assert {(each.budget, each.starts, each.tolerance) for each in problems} == {(20, 1, 0.5)}


def test_one_that_fails_is_named_and_stops_nothing(invoke: Invoke, small: Path) -> None:
    words = "mine.py:Failing", "--against", "sgd:lr=0.1", "--suite", "small.yaml"
    said = invoke("score", *words, "--results", "kept", "-o", "x.json")
    assert said.exit_code == 0, said.output
    (remark,) = [line for line in said.stdout.splitlines() if line.startswith("Failing: ")]
    assert "fails on round, and on 1 other: raised ArithmeticError: out of luck" in remark
    said = invoke("score", "--results", "kept", "-o", "y.json")
    assert (said.exit_code, "mine.py:Failing runs third-party code" in said.stderr) == (2, True)
    assert invoke("score", "--results", "kept", "--allow-plugins", "-o", "y.json").exit_code == 0
    assert (small / "x.json").read_bytes() == (small / "y.json").read_bytes()
    (small / "mine.py").write_text(FAILING.replace("== 1", "== 2"))
    said = invoke("score", "--results", "kept", "--allow-plugins", "-o", "y.json")
    assert said.exit_code == 2
    assert "to use the new version, name mine.py:Failing again" in said.stderr


def test_a_damaged_file_is_told_and_made_again(invoke: Invoke, small: Path) -> None:
    words = *SCORE[:2], *SCORE[4:], "--results", "kept"
    assert invoke(*words, "-o", "x.json").exit_code == 0
    path = min((small / "kept").glob("*.npz"))
    content = path.read_bytes()
    path.write_bytes(content[:-9])
    said = invoke("score", "--results", "kept", "-o", "y.json")
    assert said.stderr == f"kept/{path.name} was damaged, and made again\n"
    assert (small / "x.json").read_bytes() == (small / "y.json").read_bytes()
    assert path.stat().st_size == pytest.approx(len(content), abs=50)  # times differ


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("score", "SPEC: required, but missing: name the optimizer to judge, such as lion"),
        ("score --against sgd", "SPEC: required, but missing"),
        ("score admm", "SPEC: unknown optimizer 'admm': did you mean 'adam'?"),
        ("score sgd --against adm", "--against: unknown optimizer 'adm': did you mean 'adam'?"),
        ("score , --suite small.yaml", "SPEC: '' does not name an optimizer"),
        ("score sgd --suite high.yaml", "round: the loss at its start is not above the minimum"),
        ("score --results run", "score.json is no record of a score: name another folder"),
        ("score sgd --add adam", "--add needs --results DIR"),
        ("score --results new --add adam", "score that it adds to: there is none in new"),
        ("score --results new", "SPEC: required, but missing"),
        ("score sgd --suite smal.yaml", "smal.yaml: No such file"),
        ("score sgd --suite quik", "unknown suite 'quik': did you mean 'quick'?"),
        ("score sgd --suite small.yaml --starts 0", "--starts: must be"),
        ("score sgd --suite small.yaml --tolerance 2", "--tolerance: must be less than 1, not 2"),
        ("score sgd --suite small.yaml --tuned-on rund",
         "--tuned-on: unknown problem or group 'rund': did you mean 'round'?"),
        ("score sgd --suite small.yaml --only profil",
         "--only: unknown view 'profil': did you mean 'profile'?"),
        ("score sgd --suite small.yaml -o x.gif", "optiviz score cannot write .gif files"),
        ("score sgd --suite small.yaml --results mine.py", "mine.py is a file: name a folder"),
        ("score sgd --suite small.yaml --results .", ". holds files, but no results"),
        ("score sgd --suite small.yaml -j 2 --scheduler tcp://a:1", "--jobs cannot be combined"),
        ("score none.py:Lion --suite small.yaml -o x.json", "none.py: no such file"),
        ("score mine.py:Lion --suite small.yaml -o x.json", "mine.py: unknown name 'Lion'"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_sentence_and_writes_nothing(
    words: str, said: str, invoke: Invoke, small: Path
) -> None:
    (small / "high.yaml").write_text(SUITE.replace("name: round", "name: round, minimum: 1e6"))
    (small / "run").mkdir()
    record = {
        "format": FORMAT,
        "versions": versions(),
        "recipe": {"surface": "bowl", "optimizers": ["sgd"]},
    }
    (small / "run/score.json").write_text(json.dumps(record))
    before = {*small.rglob("*")}
    result = invoke(*words.split())
    assert result.exit_code == 2
    assert result.stderr.startswith("optiviz: ")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert {each for each in small.rglob("*") if "cache" not in each.parts} <= before


def test_results_of_another_version_are_not_mixed(invoke: Invoke, small: Path) -> None:
    assert invoke(*SCORE, "--results", "kept", "-o", "x.json").exit_code == 0
    path = small / "kept/score.json"
    record = json.loads(path.read_text())
    record["versions"]["optiviz"] = "0.0.1"
    path.write_text(json.dumps(record))
    before = kept(small / "kept")
    for words in (["score", "--results", "kept"], [*SCORE, "--results", "kept"]):
        said = invoke(*words, "-o", "y.json")
        assert said.exit_code == 2
        assert "kept has results of optiviz 0.0.1, which are not mixed with those of" in said.stderr
    assert kept(small / "kept") == before
    assert not (small / "y.json").exists()


MANY = """\
budget: 300
starts: 3
problems:
  - matrix: {surface: [bowl, ellipse, beale, rosenbrock, himmelblau]}
"""


@pytest.mark.slow
def test_whoever_runs_jobs_changes_no_byte(cluster: Any, invoke: Invoke, small: Path) -> None:
    (small / "many.yaml").write_text(MANY)
    words = "score", "lion", "--against", "adam,newton", "--suite", "many.yaml"
    shared = ["-j", "1"], ["-j", "2"], ["--scheduler", cluster.scheduler_address]
    for name, options in zip("abc", shared, strict=True):
        made = invoke(*words, *options, "--results", f"kept-{name}", "-o", f"{name}.json")
        assert made.exit_code == 0, made.output
    assert len({(small / f"{name}.json").read_bytes() for name in "abc"}) == 1
    assert len({tuple(sorted(kept(small / f"kept-{name}"))) for name in "abc"}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_stopped_goes_on(sent: signal.Signals, small: Path) -> None:
    (small / "many.yaml").write_text(MANY)
    words = [*OPTIVIZ, "score", "lion", "--against", "adam,sgd", "--suite", "many.yaml", "-q"]
    command = [*words, "-j", "2", "--results", "kept", "-o", "x.json"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as running:
        until = time.monotonic() + 60
        while len(list((small / "kept").glob("*.npz"))) < 3 and time.monotonic() < until:
            time.sleep(0.02)
        os.killpg(running.pid, sent)
    before = kept(small / "kept")
    assert 3 <= len(before) < 15 + 3
    assert not (small / "x.json").exists()
    subprocess.run(command, check=True, timeout=120)
    after = kept(small / "kept")
    assert len(after) == 15 + 3
    assert after.items() > before.items()
    subprocess.run([*words, "-o", "y.json"], check=True, timeout=120)
    assert (small / "x.json").read_bytes() == (small / "y.json").read_bytes()


def test_a_score_is_compared_with_another(small: Path, invoke: Invoke) -> None:
    assert invoke(*SCORE, "-q", "-o", "x.json").exit_code == 0
    again = invoke(*SCORE, "-o", "y.json", "--compare", "x.json")
    assert again.stdout.splitlines()[-1] == "x.json has 8 runs of these, which are the same"
    record = json.loads(Path("x.json").read_text())
    record["scores"][1]["runs"][0]["starts"][1]["gaps"][-1] = 0.5
    record["versions"]["numpy"] = "1.0"
    Path("x.json").write_text(json.dumps(record))
    found = invoke(*SCORE, "-o", "y.json", "--compare", "x.json").stdout
    assert "1 of 8 runs differ from x.json, made on " in found
    assert "with numpy 1.0 (here " in found
    assert "adam: first after 20 evaluations on round from start 1: a gap of 0.5, here " in found
    refused = invoke(*SCORE, "-o", "z.json", "--compare", "small.yaml")
    assert refused.exit_code == 2 and refused.stderr.startswith("optiviz: small.yaml is no score")
    assert not Path("z.json").exists()
