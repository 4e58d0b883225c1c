"""The command line as a real process: what it imports."""

import subprocess
import sys
from pathlib import Path

import pytest
from commands import OPTIVIZ

HEAVY = {"numpy", "matplotlib", "sympy", "imageio", "pydantic", "rich", "ruamel", "PIL", "av"}


def modules_after(words: list[str]) -> tuple[str, set[str]]:
    """Return what a call prints, and the names of all modules that it imports."""
    code = (
        "import sys; from optiviz.cli import cli\n"
        "try: cli(sys.argv[1:])\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
    )
    return result.stdout, set(result.stderr.split())


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    "words", [["--help"], ["run", "--help"], ["list", "--help"], ["--version"]]
)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    printed, loaded = modules_after(words)
    assert printed
    assert not HEAVY & {name.split(".")[0] for name in loaded}


RUN = ["run", "--surface", "bowl", "--opt", "adam", "--steps", "3", "--size", "300x200", "-q", "-o"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "spared"),
    [
        (["list"], {"sympy", "matplotlib", "imageio", "rich"}),
        ([*RUN, "x.json", "-o", "x.csv"], {"matplotlib", "imageio", "PIL", "av"}),
        ([*RUN, "x.png"], {"matplotlib.pyplot", "matplotlib.style", "imageio", "av"}),
        ([*RUN, "x.gif"], {"matplotlib.pyplot", "matplotlib.style", "av"}),
        ([*RUN, "x.mp4"], {"matplotlib.pyplot", "matplotlib.style"}),
    ],
)
def test_a_run_loads_nothing_heavy_that_it_does_not_need(
    words: list[str], spared: set[str], here: Path
) -> None:
    _, loaded = modules_after(words)
    assert not spared & loaded


def test_surfaces_are_listed_from_their_index() -> None:
    first, _ = modules_after(["list", "surfaces"])
    again, loaded = modules_after(["list", "surfaces"])
    assert again == first
    assert not HEAVY & {name.split(".")[0] for name in loaded}


@pytest.mark.slow
def test_it_runs_as_a_module_from_an_empty_folder(here: Path) -> None:
    words = ["run", "--surface", "bowl", "--opt", "sgd", "--steps", "3", "--size", "300x200"]
    result = subprocess.run([*OPTIVIZ, *words], capture_output=True, text=True, check=True)
    assert result.stdout.startswith("outputs/bowl-sgd.gif\n")
    assert result.stderr == ""
    assert (here / "outputs" / "bowl-sgd.gif").stat().st_size > 1000


HELD = """
class Held:
    def __init__(self):
        self.itself = self

    def __del__(self):
        open("let-go", "w").close()

Held()

def f(x):
    return x**2
"""


@pytest.mark.slow
def test_what_an_own_file_holds_is_let_go_at_the_end(here: Path) -> None:
    (here / "own.py").write_text(HELD)
    words = ["run", "--surface", "own.py:f", "--opt", "sgd:lr=0.1", "--steps", "2", "-o", "a.json"]
    result = subprocess.run([*OPTIVIZ, *words], capture_output=True, text=True, check=True)
    assert (here / "let-go").exists(), result.stderr
