"""A long search says how long it takes, and what is quicker."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from commands import SERIAL_OPTIMIZER

from optiviz.cli import options
from optiviz.cli.options import ExpectedTime
from optiviz.kinds.tune import TuneRecipe
from optiviz.system.progress import SAMPLING, TRYING, search_progress


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    hand = Clock()
    monkeypatch.setattr(options, "monotonic", hand)
    return hand


@pytest.mark.parametrize(
    ("pace", "start", "expected"),
    [(0.1, 0.0, 25.6), (0.1, 1.0, 26.6), (7.0, 0.0, 1792.0), (0.01, 0.0, math.nan)],
)
def test_a_long_search_says_once_how_long_it_takes(
    pace: float, start: float, expected: float, clock: Clock
) -> None:
    said: list[str] = []
    progress = search_progress("Lion", ExpectedTime({TRYING: "--trials N is quicker"}, said.append))
    assert progress is not None
    clock.now = pace
    progress(1, 256)
    for done in range(2, 257):
        clock.now = start + done * pace  # processes take a while to start
        progress(done, 256)
    if math.isnan(expected):
        assert said == []
        return
    (sentence,) = said
    assert sentence.startswith("trying Lion takes about ")
    assert sentence.endswith(" s: --trials N is quicker")
    assert float(sentence.split()[4]) == pytest.approx(expected, rel=0.05)


def test_what_is_no_search_says_nothing_and_each_search_is_judged_alone(clock: Clock) -> None:
    said: list[str] = []
    progress = ExpectedTime({TRYING: ""}, said.append)
    for task in ("drawing", "trying A", "trying B", "trying B"):  # B tries more values later
        for done in range(1, 11):
            clock.now += 0.5 if task == "trying A" else 2.0
            progress(task, done, 10)
    assert [sentence.split()[1] for sentence in said] == ["B"]


def test_a_long_grid_says_how_long_it_takes_and_what_is_shorter(clock: Clock) -> None:
    said: list[str] = []
    progress = ExpectedTime({TRYING: "", SAMPLING: "--resolution N is quicker"}, said.append)
    for done in range(1000, 2602, 4):  # the first ones were known
        clock.now += 0.1
        progress(SAMPLING, done, 2601)
    (sentence,) = said
    assert sentence.startswith("sampling the plane takes about 40 s: --resolution N is quicker")


# The command line, to which a second is long.
IMPATIENT = """
from optiviz.__main__ import main
from optiviz.cli import options
options.JUDGED, options.LONG = 0.5, 1.0
main()
"""
SLOW = SERIAL_OPTIMIZER.replace("        return x", "        time.sleep(0.002)\n        return x")


@pytest.mark.slow
def test_a_search_on_all_cores_says_so_and_gives_the_same_bytes(here: Path) -> None:
    (here / "own.py").write_text(SLOW)
    fields = {"surface": "hills-and-canyon", "steps": 60, "trials": 10, "random_starts": 5}
    words = ["tune", "--surface", "hills-and-canyon", "--steps", "60", "--trials", "10"]
    words += ["--opt", "own.py:Plain", "--start", "random:5", "-o", "a.json"]
    ended = subprocess.run(
        [sys.executable, "-c", IMPATIENT, *words], capture_output=True, text=True, check=True
    )
    assert ended.stderr.startswith("trying Plain takes about ")
    assert ended.stderr.endswith(" s: --trials N tries fewer values\n")
    (here / "own.py").write_text(SERIAL_OPTIMIZER)
    scene = TuneRecipe(optimizers="own.py:Plain", **fields).make_scene()
    known = json.loads((here / "a.json").read_text())
    assert known["searches"] == json.loads(json.dumps(scene.to_dict()))["searches"]
