"""Rows 26 to 35 of docs/reliability.md: extreme numbers."""

import json
import math
from pathlib import Path

import pytest
from commands import SMALL, assert_told, untouched
from conftest import Invoke
from imageio.v3 import imread

WINDOW = "--domain=-3:3,-3:3"
BOWL = "--surface", "bowl", "--opt", "adam:lr=0.1", "--steps", "3"
ANYWHERE = "--formula", "x**2 + y**2", WINDOW


def row(number: int, *case: object) -> object:
    return pytest.param(*case, marks=pytest.mark.row(number))


def path_of(name: str) -> dict[str, object]:
    (path,) = json.loads(Path(name).read_text())["trajectories"]
    found: dict[str, object] = path
    return found


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("words", "said"),
    [
        row(26, (*ANYWHERE, "--opt", "sgd:lr=5", "--steps", "200"), "diverged"),
        row(26, ("--formula", "exp(x**2) + y", "--opt", "sgd:lr=5", "--steps", "9"), "diverged"),
        row(27, ("--formula", "log(x) + y**2", "--start=-1,1", "--opt", "adam"), "no gradient"),
        row(28, (*BOWL, "--start", "1e6,1"), ""),
        row(28, (*BOWL, "--start", "1e300,1"), "diverged"),
        row(29, ("--surface", "bowl", "--opt", "adam", "--steps", "1"), ""),
        row(29, (*BOWL, "--duration", "0.001"), ""),
        row(30, ("--formula", "3", "--opt", "adam,sgd", "--steps", "3"), "never moved"),
        row(30, ("--formula", "3 + 0*x*y", "--opt", "adam", "--view", "relief+loss"), "never"),
        row(31, ("--formula", "log(-1 - x**2) + y", "--opt", "adam"), "no gradient"),
        row(31, ("--formula", "log(-1 - x**2)", "--opt", "adam"), "no gradient"),
        row(34, (*BOWL, "--fps", "0.1"), ""),
        row(35, (*BOWL, "--start=-0.0,5e-324"), ""),
        row(35, (*ANYWHERE, "--opt", "sgd:lr=5e-324", "--steps", "3"), "never moved"),
        row(35, ("--formula", "1e-199*(x**2 + y**2)", "--opt", "adam", "--steps", "3"), "never"),
        row(35, ("--formula", "1e199*(x**2 + y**2)", "--opt", "sgd", "--steps", "3"), "diverged"),
        row(35, ("--formula", "x*y", "--domain=-0.0:1e-12,-1e-12:0", "--opt", "sgd"), ""),
        row(35, ("--formula", "x*y", "--domain", "1e9:1.000001e9,0:1", "--opt", "sgd"), ""),
    ],
)
def test_what_is_odd_is_drawn_and_said(
    words: tuple[str, ...], said: str, invoke: Invoke, here: Path
) -> None:
    result = invoke("run", *words, "--size", "300x200", "-o", "x.gif", "-o", "x.svg")
    assert (result.exit_code, result.stderr) == (0, "")
    assert said in result.stdout
    assert said in (here / "x.svg").read_text()
    assert imread("x.gif", index=0).shape == (200, 300, 3)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        row(27, (*BOWL, "--start", "nan,1"), "--start: must be a finite number, not nan"),
        row(27, (*BOWL, "--start", "inf,1"), "--start: must be a finite number, not inf"),
        row(29, (*BOWL, "--steps", "0"), "--steps: must be greater than or equal to 1, not 0"),
        row(29, (*BOWL, "--steps", "1000000000"), "--steps: must be less than or equal to 1000"),
        row(29, (*BOWL, "--duration", "1e9"), "--duration: must be less than or equal to 3600"),
        row(33, (*BOWL, "--size", "20000x20000"), "--size: must be between 240x160 and"),
        row(33, (*BOWL, "--size", "16384x16384"), "--size: at most 36000000 pixels are"),
        row(33, (*BOWL, "--size", "70000x300"), "--size: must be between 240x160 and"),
        row(33, (*BOWL, "--size", "16384x300", "-o", "x.webp"), "x.webp: width and height must be"),
        row(34, (*BOWL, "--fps", "0"), "--fps: must be greater than or equal to 0.01, not 0"),
        row(34, (*BOWL, "--fps", "1000"), "--fps: must be less than or equal to 100, not 1000"),
        row(29, (*BOWL, "--frames", "9:12:1"), "frames: 9:12:1 starts after the last step, 3"),
        row(34, (*BOWL, "--fps", "nan"), "--fps: must be less than or equal to 100, not nan"),
        row(35, (*BOWL, "--opt", "sgd:lr=-0.0"), "sgd: lr must lie in (0, inf), not -0.0"),
        row(35, (*BOWL, "--domain", "0:1e-320,0:1"), "is too far from 0, too wide or too narrow"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    words: tuple[str, ...], said: str, invoke: Invoke, here: Path
) -> None:
    with untouched(here):
        assert_told(invoke("run", *words), 2, said)


@pytest.mark.row(26)
def test_divergence_is_kept_as_it_was(invoke: Invoke, here: Path) -> None:
    words = (*ANYWHERE, "--opt", "sgd:lr=5", "--steps", "900", "-q", "-o", "x.json")
    assert invoke("run", *words).exit_code == 0
    path = path_of("x.json")
    losses = path["loss"]
    assert isinstance(losses, list)
    last = path["diverged_at"]
    assert isinstance(last, int)
    assert all(math.isfinite(each) for each in losses[:last])
    assert losses[last:] == [None] * (len(losses) - last)


@pytest.mark.sample(1)
@pytest.mark.row(31)
@pytest.mark.parametrize("view", ["contour", "relief"])
def test_a_picture_of_nothing_says_so(view: str, invoke: Invoke, here: Path) -> None:
    words = ("--formula", "log(-1 - x**2 - y**2)", "--view", view, *SMALL, "-o", "x.svg")
    assert invoke("plot", *words).exit_code == 0
    assert "no finite value here" in (here / "x.svg").read_text()
    words = ("--formula", "log(-1 - x**2 - y**2)", "--opt", "adam", "--grid", "4x4", *SMALL)
    assert invoke("basins", *words, "-o", "x.png").exit_code == 0


@pytest.mark.sample(1)
@pytest.mark.row(32)
@pytest.mark.parametrize("suffix", ["gif", "webm", "webp", "mp4", "apng", "png"])
def test_an_odd_size_is_kept_or_rounded_up(suffix: str, invoke: Invoke, here: Path) -> None:
    words = (*BOWL, "--size", "301x201", "-q", "-o", f"x.{suffix}")
    assert invoke("run", *words).exit_code == 0
    video = suffix in ("mp4", "webm")
    frame = imread(f"x.{suffix}", plugin="pyav" if video else "pillow", index=0)
    assert frame.shape[:2] == ((202, 302) if video else (201, 301))


@pytest.mark.row(33)
@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["gif", "mp4", "apng", "png"])
def test_the_longest_side_is_drawn(suffix: str, invoke: Invoke, here: Path) -> None:
    words = (*BOWL, "--size", "16384x160", "-q", "-o", f"x.{suffix}")
    assert invoke("run", *words).exit_code == 0
    plugin = "pyav" if suffix == "mp4" else "pillow"
    assert imread(f"x.{suffix}", plugin=plugin, index=0).shape[:2] == (160, 16384)
