"""The examples of README run. .ci/run runs its first two commands from a fresh clone."""

import re
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import Invoke
from matplotlib.animation import FuncAnimation
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import optiviz
from optiviz.registry import OPTIMIZERS, PACKAGES
from optiviz.surfaces.catalogue import load_catalogue

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
OWN, *PYTHON = [block for kind, block in BLOCKS if kind == "python"]
COMMANDS = [
    re.split(r"\s{3,}", line)[0]
    for kind, block in BLOCKS
    if kind == "text"
    for line in block.splitlines()
    if line.startswith("optiviz ") and "my_" not in line  # files that the reader has
]


def _param(command: str) -> Any:
    """Mark slow commands: an orbiting view, a trained network, a map."""
    long = any(each in command for each in ("--orbit", "spirals", "basins"))
    return pytest.param(command, marks=[pytest.mark.slow] if long else [])


@pytest.mark.sample(1)
@pytest.mark.parametrize("command", [*map(_param, COMMANDS)])
def test_a_command_runs(command: str, invoke: Invoke) -> None:
    result = invoke(*shlex.split(command)[1:])
    assert result.exit_code == 0
    assert "score" in command or result.stderr == ""  # which tells how long it takes


@pytest.mark.slow
def test_the_python_runs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exec(PYTHON[0], {})
    made = {
        "bowl.html",
        "bowl.gif",
        "wobbly.mp4",
        "wobbly.json",
        "two.pdf",
        "spikes.svg",
        "spikes.json",
    }
    assert {path.name for path in here.iterdir()} == made
    assert "0.9155" in capsys.readouterr().out


def test_an_optimizer_of_ones_own_is_the_example(here: Path, invoke: Invoke) -> None:
    (here / "my_optimizer.py").write_text(OWN)
    (here / "example.py").write_text((ROOT / "examples" / "my_optimizer.py").read_text())
    words = ("my_optimizer.py:Lion:lr=0.1", "example.py:Lion:lr=0.1", "lion:weight_decay=0:lr=0.1")
    ours, example, built_in = (optiviz.descend("wobbly", word).points for word in words)
    assert (ours == example).all()
    assert (ours == built_in).all()
    contract = [line for line in OWN[OWN.index("class") :].splitlines() if line.strip()]
    assert len(contract) <= 10


def test_the_number_of_optimizers_is_true() -> None:
    assert f"There are {len(OPTIMIZERS)} optimizers, `lookahead" in README
    homes = Counter(home.partition(":")[0] for home in OPTIMIZERS.values())
    words = {1: "one", 6: "six"}
    scipy, pycma = (words[homes[each]] for each in PACKAGES)
    said = f"{scipy.title()} of the {len(OPTIMIZERS)} come from scipy and {pycma} from pycma"
    assert said in README.replace("\n", " ")


def test_an_animation_of_ones_own_is_saved(here: Path) -> None:
    figure = Figure()
    FigureCanvasAgg(figure)
    (line,) = figure.add_subplot(xlim=(0, 100), ylim=(0, 1)).plot([], [])

    def update(frame: int) -> list[Artist]:
        line.set_data([0, frame], [0, 1])
        return [line]

    exec(PYTHON[1], {"figure": figure, "update": update, "FuncAnimation": FuncAnimation})
    assert (here / "mine.gif").stat().st_size > 1000


def test_the_benchmarks_are_those_of_their_script() -> None:
    begin, end = "<!-- benchmarks: python benchmarks/run.py --readme -->", "<!-- end -->"
    measured = README[README.index(begin) : README.index(end)]
    assert len(re.findall(r"^\| .*\d", measured, re.MULTILINE)) >= 15
    assert re.search(r"Measured on \d{4}-\d\d-\d\d, \d+ cores, \d+ GiB", measured)


def test_there_are_exactly_two_commands_to_begin_with() -> None:
    setups = [block.strip() for kind, block in BLOCKS if kind == "sh"][:2]
    assert all("\n" not in each and each.startswith("python3 -m venv") for each in setups)
    assert README.count("python3 -m venv") == 2


def test_it_begins_with_a_page_whose_picture_is_there_and_small() -> None:
    shown = re.match(r"!\[A live page.+\]\((.+)\)", README)
    assert shown is not None
    assert 10_000 < (ROOT / shown[1]).stat().st_size < 300_000


def test_the_number_of_surfaces_is_true() -> None:
    assert f"There are {len(load_catalogue().surfaces)}: `optiviz list surfaces`" in README


def test_what_is_said_in_passing_is_what_was_measured() -> None:
    faster = re.search(r"A to GIF: writer.*?\| ([\d.]+)x", README)
    smaller = re.search(r"A: size of GIF.*?\| ([\d.]+)x", README)
    assert faster
    assert smaller
    said = f"{float(faster[1]):.0f} times faster and {float(smaller[1]):.0f} times smaller (below)"
    assert said in README


def test_there_are_nine_things_that_people_want_each_with_its_picture() -> None:
    wanted = README[README.index("## Nine things") : README.index("## And more")]
    parts = re.split(r"^\*\*", wanted, flags=re.M)[1:]
    assert len(parts) == 9
    for part in parts:
        assert len(re.findall(r"^optiviz \w+", part, re.M)) == 1
        assert len(re.findall(r"^!\[", part, re.M)) == 1


def test_what_it_shows_needs_no_extra() -> None:
    classics = [name for name, home in OPTIMIZERS.items() if home.partition(":")[0] in PACKAGES]
    shown = [block for kind, block in BLOCKS if kind in ("sh", "text")]
    for name in [*classics, "torch.", "optax.", "digits", "mnist", "--scheduler"]:
        assert not any(re.search(rf"\b{re.escape(name)}\b", block) for block in shown), name


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
