"""`--track`: recorded paths on the command line."""

from pathlib import Path

import numpy as np
import pytest
from conftest import RUN_FORMATS, Invoke

ANGLE = np.arange(30) / 4
POINTS = np.column_stack([2 * np.cos(ANGLE), 2 * np.sin(ANGLE)]) * 0.95 ** np.arange(30)[:, None]
RUN = ("run", "--surface", "wobbly", "--size", "240x160")


@pytest.fixture
def spiral(here: Path) -> str:
    """Return a file with a path of 30 points."""
    np.savez("spiral.npz", points=POINTS)
    return "spiral.npz"


@pytest.mark.parametrize("suffix", RUN_FORMATS)
@pytest.mark.sample(1)
def test_every_format_shows_a_track(suffix: str, spiral: str, invoke: Invoke) -> None:
    result = invoke(*RUN, "--track", f"{spiral}:my <loop>", "--preview", "-o", f"a{suffix}")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "my <loop>" in result.stdout and "recorded" in result.stdout
    said = invoke("inspect", f"a{suffix}")
    assert "label: my <loop>" in said.stdout


def test_tracks_are_repeated_and_told(spiral: str, invoke: Invoke) -> None:
    Path("run.csv").write_text("step,x,y,loss\n0,1,1,9\n10,0,0,8\n")
    result = invoke(*RUN, "--track", spiral, "--track", "run.csv", "-o", "a.csv")
    rows = [line.split() for line in result.stdout.splitlines()[2:4]]
    assert [(row[0], row[2], row[3]) for row in rows] == [
        ("spiral", "recorded", "29"), ("run", "recorded", "10"),
    ]  # fmt: skip
    assert result.stdout.count("run: recorded losses differ from the surface's by up to") == 1
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--track", "no.csv"], "--track: no.csv: no such file"),
        (["--track", "run.txt"], "--track: 'run.txt' must end in .json, .csv, .npz or .npy"),
        (["--track", "-o"], "--track: the value is missing before -o"),
        (["--track", "bad.csv"], "--track: bad.csv:3: must be a number, not 'one'"),
        (["--track", "spiral.npz", "--surface", "cosine"],
         "spiral: has 2 coordinates, but cosine is descended in 1"),
        (["--track", "spiral.npz", "--view", "rate"], "has a learning rate to draw"),
        (["--track", "spiral.npz", "-o", "spiral.npz"], "spiral.npz is an input file: write to"),
        (["--track", "good.csv", "-o", "good.csv"], "good.csv is an input file: write to another"),
        (["--track", "spiral.npz", "--vary", "lr=1,2"], "--vary: needs exactly one optimizer, not"),
    ],
)  # fmt: skip
def test_a_wrong_track_is_told_and_nothing_is_written(
    words: list[str], said: str, spiral: str, invoke: Invoke
) -> None:
    Path("bad.csv").write_text("x,y\n1,2\none,2\n")
    Path("good.csv").write_text("x,y\n1,2\n2,2\n")
    before = {path.name: path.read_bytes() for path in Path().iterdir()}
    result = invoke(*RUN, *words)
    assert result.exit_code == 2
    assert said in result.stderr and result.stderr.count("\n") == 1
    assert {path.name: path.read_bytes() for path in Path().iterdir()} == before


def test_rates_are_reported_of_optimizers_alone(spiral: str, invoke: Invoke) -> None:
    words = ("--track", spiral, "--opt", "sgd:lr=0.1", "--steps", "5", "-o", "a.json")
    result = invoke(*RUN, *words, "--lr-report")
    assert "sgd: lr 0.1 (given)" in result.stdout
    assert "spiral has no learning rate" in result.stdout
