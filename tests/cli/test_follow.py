"""Searches that are followed: what their files show before all is there."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from commands import OPTIVIZ
from conftest import Invoke

from optiviz.kinds.score import ScoreRecipe, ScoreScene
from optiviz.system import snapshots
from optiviz.system.workers import shared_out

TUNE = ["tune", "--surface", "bowl", "--steps", "2", "--start", "1,1", "--follow"]
# One at a time, and each run notes what the file shows meanwhile.
NOTING = """
import json
from pathlib import Path

class Noting:
    def __init__(self, lr):
        self.lr = float(lr)

    def init(self, x):
        if Path("x.json").exists():
            with Path("seen").open("a") as seen:
                print(json.loads(Path("x.json").read_text())["unfinished"], file=seen)
        return None

    def step(self, objective, x, nothing):
        return x - self.lr * objective.gradient(x), nothing
"""


def test_files_show_what_there_is_so_far(
    invoke: Invoke, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "EVERY", 0.0)
    monkeypatch.setattr(snapshots, "SHARE", 1.0)
    Path("my.py").write_text(NOTING)
    words = [*TUNE, "--opt", "sgd,my.py:Noting", "--trials", "4", "-o", "x.json"]
    result = invoke(*words)
    assert result.exit_code == 0, result.output
    told = [f"{number} of 8 trials" for number in range(4, 9)]
    assert Path("seen").read_text().splitlines() == told[:-1]
    assert result.stderr.splitlines() == told
    finished = Path("x.json").read_bytes()
    assert "unfinished" not in json.loads(finished)
    assert invoke(*words, "--no-overwrite").exit_code == 2
    Path("x.json").unlink()
    assert invoke(*(each for each in words if each != "--follow")).exit_code == 0
    assert Path("x.json").read_bytes() == finished


@pytest.mark.parametrize(("settled", "expected"), [(False, [2]), (True, [])])
def test_what_was_offered_last_is_shown_unless_all_is_there(
    settled: bool, expected: list[int]
) -> None:
    shown: list[int] = []

    def stopped() -> None:
        with snapshots.followed(lambda found, _: shown.append(found)):
            for each in (1, 2):
                snapshots.offer(lambda each=each: each)  # type: ignore[misc]
            if settled:
                snapshots.settle()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    snapshots.offer(lambda: 3)
    assert shown == expected


def test_a_score_shows_the_problems_on_which_all_optimizers_were_run(
    here: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "EVERY", 0.0)
    monkeypatch.setattr(snapshots, "SHARE", 1.0)
    problems = [{"name": each, "group": each, "surface": each} for each in ("bowl", "ellipse")]
    suite = {"budget": 20, "starts": 2, "problems": problems}
    recipe = ScoreRecipe(suite=suite, optimizers=("sgd:lr=0.1", "adam:lr=0.1"))
    shown: list[ScoreScene] = []
    with snapshots.followed(lambda found, _: shown.append(found)), shared_out(1):
        whole = recipe.make_scene()
    # Which job is run first depends on the hashes of our own code.
    first = 7 - len(shown)
    assert [each.unfinished for each in shown] == [
        f"{number} of 6 jobs" for number in range(first, 7)
    ]
    counts = [len(each.suite.problems) for each in shown]
    assert counts == sorted(counts) and (counts[0], counts[-1]) == (1, 2)
    tested = [[bool(each.invariances) for each in scene.entries].count(True) for scene in shown]
    assert tested == sorted(tested) and tested[-1] == 2
    assert shown[-1].to_dict() == whole.to_dict() and not whole.unfinished
    place = ["bowl", "ellipse"].index(shown[0].suite.problems[0].name)
    early, late = (scene.to_dict()["scores"] for scene in (shown[0], whole))
    assert [each["runs"] for each in early] == [[each["runs"][place]] for each in late]
    shown.clear()
    with snapshots.followed(lambda found, _: shown.append(found)), shared_out(1):
        recipe.model_copy(update={"tuned_on": "ellipse", "seed": 1}).make_scene()
    assert all("ellipse" in {each.name for each in scene.suite.problems} for scene in shown)


def test_a_stream_cannot_be_written_again(invoke: Invoke) -> None:
    result = invoke(*TUNE, "--opt", "sgd", "-o", "-", "--format", "json")
    assert result.exit_code == 2
    assert result.stderr == "optiviz: --follow writes a file again and again: -o - is none\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sent", "code", "said"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_search_that_is_stopped_leaves_a_picture_of_what_it_had(
    sent: signal.Signals, code: int, said: str, here: Path
) -> None:
    slow = NOTING.replace("return None", "import time; time.sleep(0.3)")
    Path("my.py").write_text(slow)
    words = [*OPTIVIZ, *TUNE, "--opt", "my.py:Noting", "--trials", "900"]
    outs = ["-o", "x.json", "-o", "x.png"]
    with subprocess.Popen([*words, *outs], stderr=subprocess.PIPE, text=True) as running:
        while not Path("x.png").exists() and running.poll() is None:
            time.sleep(0.05)
        running.send_signal(sent)
        try:
            _, told = running.communicate(timeout=60)
        finally:
            running.kill()
    assert running.returncode == code, told
    found = json.loads(Path("x.json").read_text())
    lines = told.splitlines()
    assert f"x.json, x.png: {found['unfinished']}" in lines
    assert lines[-1] == f"optiviz: {said}"
    (tried,) = found["searches"]
    assert found["unfinished"] == f"{len(tried['median_loss'])} of 900 trials"
    assert not list(here.glob(".optiviz-*"))
    made = subprocess.run([*OPTIVIZ, "inspect", "x.png"], capture_output=True, text=True)
    assert "trials: 900" in made.stdout
