"""Rows 49 to 55 of docs/reliability.md: signals, and processes that die."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from commands import OPTIVIZ, RUN, SERIAL_OPTIMIZER, call
from conftest import Invoke

import optiviz
from optiviz.system.processes import ProcessExecutor

SELDOM = pytest.mark.slow
posix = pytest.mark.skipif(os.name != "posix", reason="signals as Unix has them")
WOBBLY = ["run", "--surface", "wobbly", "-q"]
LONG = ["--opt", "adam:lr=0.1", "--steps", "9000", "--duration", "900"]
BATCH = "defaults: {optimizers: adam, surface: wobbly, steps: 90}\njobs:\n" + "".join(
    f"- {{seed: {number}, out: made/{number}.gif}}\n" for number in range(12)
)


def drawing(here: Path) -> bool:
    return any(each.stat().st_size for each in here.glob(".optiviz-*"))


# Activities: the arguments, and a function that returns whether it has begun.
DOING: dict[str, tuple[list[str], Callable[[Path], bool]]] = {
    "tuning": ([*WOBBLY, "--opt", "adam", "--steps", "300000", "-o", "x.gif"], lambda _: True),
    "searching": ([*WOBBLY, "--opt", "own.py:Plain", "--tune", "-o", "x.gif"], lambda _: True),
    "drawing": ([*WOBBLY, *LONG, "-o", "x.gif"], drawing),
    "encoding": ([*WOBBLY, *LONG, "--size", "1600x1200", "-o", "x.mp4"], drawing),
    "batch": (["batch", "jobs.yaml", "-q"], lambda here: any(here.glob("made/*.gif"))),
}


@contextmanager
def doing(what: str, here: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start an activity in a folder with old outputs, and wait until it has begun."""
    words, begun = DOING[what]
    (here / "jobs.yaml").write_text(BATCH)
    (here / "own.py").write_text(SERIAL_OPTIMIZER)
    for name in ("x.gif", "x.mp4"):
        (here / name).write_text("old")
    with subprocess.Popen(
        [*OPTIVIZ, *words], stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        time.sleep({"tuning": 2.0, "searching": 4.0}.get(what, 0.0))
        while not begun(here):
            assert running.poll() is None
            time.sleep(0.01)
        yield running


def assert_tidy(here: Path) -> None:
    """Assert that old outputs are unchanged, new ones are whole, and no other files exist."""
    assert {path.name for path in here.iterdir()} <= {
        *("x.gif", "x.mp4", "jobs.yaml", "own.py", "made")
    }
    assert (here / "x.gif").read_text() == (here / "x.mp4").read_text() == "old"
    for path in here.glob("made/*"):
        assert optiviz.load_recipe(path)


@pytest.mark.row(49, 50)
@posix
@pytest.mark.parametrize(
    "what", [pytest.param(each, marks=[] if each == "drawing" else SELDOM) for each in DOING]
)
@pytest.mark.parametrize(
    ("sent", "code", "said"),
    [
        (signal.SIGINT, 130, "interrupted"),
        pytest.param(signal.SIGTERM, 143, "terminated", marks=SELDOM),
    ],
)
def test_a_signal_ends_it_tidily(
    what: str, sent: signal.Signals, code: int, said: str, here: Path
) -> None:
    with doing(what, here) as running:
        os.killpg(running.pid, sent)  # as a terminal does
        _, stderr = running.communicate(timeout=60)
    assert (running.returncode, stderr.strip()) == (code, f"optiviz: {said}")
    assert_tidy(here)


# What Python says of a signal before it runs any program.
STARTING = "Fatal Python error: init_import_site", "Could not import runpy module"


@pytest.mark.row(49, 50)
@posix
@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_time_ends_it_tidily(sent: signal.Signals, here: Path) -> None:
    for delay in range(60, 1600, 110):  # milliseconds
        running = subprocess.Popen(
            [*OPTIVIZ, *RUN, "-o", "x.gif"], stderr=subprocess.PIPE, text=True
        )
        time.sleep(delay / 1000)
        running.send_signal(sent)
        _, stderr = running.communicate(timeout=60)
        starting = running.returncode == -sent or any(said in stderr for said in STARTING)
        if not starting:
            assert running.returncode in (0, 128 + sent), (delay, stderr)
            assert stderr.count("\n") <= 2 and "Traceback" not in stderr, (delay, stderr)
        assert {path.name for path in here.iterdir()} <= {"x.gif"}


IGNORES = """
class Last:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)

def ignoring():
    Last()
"""
# A callback in Cython, such as those of PyAV, prints the error, then reports it as unraisable.
PRINTS = """
def ignoring():
    try:
        signal.raise_signal(signal.SIGTERM)
    except KeyboardInterrupt as error:
        sys.excepthook(type(error), error, error.__traceback__)
        sys.unraisablehook(types.SimpleNamespace(exc_value=error))
"""
LOST = """
import signal, sys, time, types
from optiviz.system import interrupts
{ignoring}
interrupts.install_handlers()
try:
    ignoring()
    time.sleep(30)
except KeyboardInterrupt:
    time.sleep(0.1)  # tidying is not disturbed
    print(*interrupts.exit_message())
"""


@pytest.mark.row(49, 50)
@pytest.mark.parametrize("ignoring", [IGNORES, PRINTS], ids=["ignores", "prints"])
def test_a_signal_is_not_lost_where_errors_are_ignored(ignoring: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LOST.format(ignoring=ignoring)],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert (ended.stdout, ended.stderr) == ("terminated 143\n", "")


@pytest.mark.slow
@pytest.mark.row(52)
@posix
@pytest.mark.parametrize("what", ["drawing", "batch"])
def test_a_second_ctrl_c_disturbs_nothing(what: str, here: Path) -> None:
    with doing(what, here) as running:
        for _ in range(5):
            os.killpg(running.pid, signal.SIGINT)
            time.sleep(0.01)
        _, stderr = running.communicate(timeout=60)
    assert (running.returncode, stderr.strip()) == (130, "optiviz: interrupted")
    assert_tidy(here)


@pytest.mark.slow
@pytest.mark.row(51)
@posix
def test_what_a_killed_run_left_goes_with_the_next(invoke: Invoke, here: Path) -> None:
    with doing("drawing", here) as running:
        running.kill()
        running.communicate()
    (left,) = here.glob(".optiviz-*")
    assert (here / "x.gif").read_text() == "old"
    assert invoke(*RUN, "-o", "x.gif").exit_code == 0
    assert not left.exists()
    assert optiviz.load_recipe(here / "x.gif")


class Unpicklable(Exception):
    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("it holds a lock")


class Unreadable(Exception):
    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


def fail(which: int) -> None:
    raise [Unpicklable("never told"), Unreadable(1, 2)][which]


@pytest.mark.slow
@pytest.mark.row(54)
def test_an_exception_that_does_not_pickle_is_told_and_kills_nobody() -> None:
    with ProcessExecutor(1) as pool:
        process = pool.submit(os.getpid).result()
        with pytest.raises(TypeError, match="of type Unpicklable cannot be sent: it holds a lock$"):
            pool.submit(fail, 0).result()
        with pytest.raises(TypeError, match="^an object of type Unreadable cannot be sent: "):
            pool.submit(fail, 1).result()
        with pytest.raises(TypeError, match="^an object of type .* cannot be sent: "):
            pool.submit(open, os.devnull).result()
        assert pool.submit(os.getpid).result() == process


SCHEDULER = """
import sys, time
from distributed import LocalCluster

if __name__ == "__main__":
    with LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, silence_logs="CRITICAL"
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        time.sleep(600)
"""


@pytest.fixture
def scheduler(here: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start a dask cluster of one process that prints its address."""
    (here / "scheduler.py").write_text(SCHEDULER)
    with subprocess.Popen(
        [sys.executable, "scheduler.py"], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as started:
        yield started
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)


@pytest.mark.row(55)
@pytest.mark.slow
@posix
def test_a_scheduler_that_is_gone_fails_what_is_left(
    scheduler: "subprocess.Popen[str]", here: Path
) -> None:
    (here / "jobs.yaml").write_text(BATCH)
    assert scheduler.stdout is not None
    address = scheduler.stdout.readline().strip()
    with subprocess.Popen(
        [*OPTIVIZ, "batch", "jobs.yaml", "--scheduler", address, "-q"],
        stderr=subprocess.PIPE, text=True,
    ) as batch:  # fmt: skip
        while not any(here.glob("made/*.gif")):
            assert batch.poll() is None
            time.sleep(0.05)
        os.killpg(scheduler.pid, signal.SIGKILL)
        _, stderr = batch.communicate(timeout=120)
    made = [*(here / "made").iterdir()]
    assert batch.returncode == 1
    assert stderr.startswith(f"optiviz: {12 - len(made)} of 12 jobs failed\n")
    assert stderr.count(": cancelled by its executor, which may have stopped\n") == 12 - len(made)
    assert all(optiviz.load_recipe(path) for path in made)


MODEL = """
import numpy as np
import optiviz

def problem():
    return optiviz.PythonProblem(np.ones(5), lambda x: np.cos(x).sum(), lambda x: -np.sin(x))
"""


@pytest.mark.slow
@posix
def test_a_grid_on_a_cluster_gives_the_same_bytes(
    scheduler: "subprocess.Popen[str]", here: Path
) -> None:
    (here / "model.py").write_text(MODEL)
    assert scheduler.stdout is not None
    address = scheduler.stdout.readline().strip()
    plot = ["plot", "model.py:problem", "--plane", "random", "--resolution", "11", "-q"]
    for name, options in (("a.png", ["--scheduler", address]), ("b.png", [])):
        ended = call(*plot, *options, "-o", name, settings={"XDG_CACHE_HOME": str(here / name[0])})
        assert ended.exit_code == 0, ended.stderr
    assert (here / "a.png").read_bytes() == (here / "b.png").read_bytes()
