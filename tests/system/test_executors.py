"""Calls on processes: no call affects another."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest

from optiviz.system import processes
from optiviz.system.environment import THREAD_VARIABLES
from optiviz.system.processes import ProcessExecutor, call_each


def test_results_and_errors_come_back() -> None:
    with ProcessExecutor(2) as pool:
        assert [future.result() for future in [pool.submit(pow, n, 2) for n in range(5)]] == [
            0, 1, 4, 9, 16,
        ]  # fmt: skip
        with pytest.raises(ZeroDivisionError):
            pool.submit(divmod, 1, 0).result()
        with pytest.raises(AttributeError):
            pool.submit(lambda: 1).result()  # cannot be pickled
        assert pool.submit(pow, 2, 3).result() == 8
        assert pool.submit(os.getpid).result() != os.getpid()


@pytest.mark.row(53)
def test_a_death_loses_its_own_call_alone() -> None:
    with ProcessExecutor(2) as pool:
        before = [pool.submit(time.sleep, 0.2) for _ in range(3)]
        dead = pool.submit(os._exit, 3)
        killed = pool.submit(signal.raise_signal, signal.SIGKILL)
        after = [pool.submit(pow, n, 1) for n in range(8)]
        with pytest.raises(BrokenExecutor, match=r"^its process died \(exit code 3\)$"):
            dead.result()
        with pytest.raises(BrokenExecutor, match=r"^its process died \(SIGKILL\)$"):
            killed.result()
        assert [future.result() for future in before + after] == [None] * 3 + [*range(8)]


def test_a_death_between_calls_loses_nothing() -> None:
    with ProcessExecutor(1) as pool:
        process = pool.submit(os.getpid).result()
        os.kill(process, signal.SIGKILL)
        time.sleep(0.5)  # for it to die
        assert pool.submit(os.getpid).result() != process


def test_each_process_computes_on_one_core_and_writes_to_a_folder_that_goes() -> None:
    with ProcessExecutor(1) as pool:
        assert {pool.submit(os.getenv, name).result() for name in THREAD_VARIABLES} == {"1"}
        folder = Path(pool.submit(tempfile.mkdtemp).result())
        assert folder.exists()
    assert not folder.parent.exists()


def test_what_has_begun_is_not_waited_for_after_an_error() -> None:
    held, ended = Event(), Event()  # a signal can leave a lock locked, and a thread waiting for it
    with suppress(KeyError), ProcessExecutor(1) as pool:
        slow = pool.submit(time.sleep, 600)
        slow.add_done_callback(lambda _: held.wait(5) or ended.set())
        waiting = pool.submit(time.sleep, 600)
        while not slow.running():
            time.sleep(0.01)
        raise KeyError
    assert not ended.is_set()
    held.set()
    assert isinstance(slow.exception(), BrokenExecutor)
    assert waiting.cancelled()


ORPHANS = """
import os, time
from optiviz.system.processes import ProcessExecutor

if __name__ == "__main__":
    pool = ProcessExecutor(2)
    workers = [pool.submit(os.getpid) for _ in range(2)]
    print(*(future.result() for future in workers), flush=True)
    pool.submit(time.sleep, 1)
    time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks into /proc")
def test_processes_leave_when_their_parent_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "orphans.py"
    script.write_text(ORPHANS)
    folder = tmp_path / "temporary"
    folder.mkdir()
    with subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    ) as parent:
        assert parent.stdout is not None
        workers = [Path("/proc", number) for number in parent.stdout.readline().split()]
        assert any(folder.iterdir())
        parent.kill()
    for _ in range(600):
        if not any(folder.iterdir()) and not any(worker.exists() for worker in workers):
            return
        time.sleep(0.1)
    pytest.fail("they are still there")


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process use two cores, however short the calls are."""
    monkeypatch.setattr(processes, "may_use_all_cores", lambda: True)
    monkeypatch.setattr(processes, "core_count", lambda: 2)
    monkeypatch.setattr(processes, "WORTHWHILE", 0.0)


PROCESS = "__import__('os').getpid()"


@pytest.mark.usefixtures("two_cores")
def test_long_calls_are_made_on_all_cores_and_answered_in_order() -> None:
    seen = []
    answers = call_each(
        eval, [PROCESS, "1", "2", "3", PROCESS], progress=lambda *counts: seen.append(counts)
    )
    assert answers[0] == os.getpid() != answers[4]
    assert answers[1:4] == [1, 2, 3]
    assert seen == [(done, 5) for done in range(1, 6)]
    with pytest.raises(BrokenExecutor, match="exit code 3"):
        call_each(eval, ["1", "__import__('os')._exit(3)"])


def test_other_calls_are_made_here(two_cores: None, monkeypatch: pytest.MonkeyPatch) -> None:
    here = [os.getpid()] * 3
    assert call_each(eval, [PROCESS] * 3, in_order=True) == here
    monkeypatch.setattr(processes, "WORTHWHILE", 60.0)
    assert call_each(eval, [PROCESS] * 3) == here
    monkeypatch.undo()
    monkeypatch.setattr(processes, "WORTHWHILE", 0.0)
    assert call_each(eval, [PROCESS] * 3) == here  # pytest did not allow others
    assert call_each(eval, []) == []
