"""Work that takes too long is interrupted on any thread, and nothing else is."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from optiviz.system.time_limit import TimeLimit


def work(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def endless() -> None:
    while True:
        try:
            work(0.01)
        except Exception:
            raise AssertionError("somebody has caught it") from None


def test_what_is_endless_is_interrupted() -> None:
    patience = TimeLimit(0.2)
    with pytest.raises(TimeoutError), patience.running():
        endless()
    assert patience.left == 0


class Last:
    def __del__(self) -> None:
        work(0.4)


def lost_then_endless() -> None:
    Last()
    endless()


@pytest.mark.slow
def test_it_is_interrupted_again_where_python_ignores_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(TimeoutError), TimeLimit(0.1).running():
        lost_then_endless()
    assert capsys.readouterr().err == ""


def test_it_is_spent_bit_by_bit() -> None:
    patience = TimeLimit(0.5)
    for _ in range(2):
        with patience.running():
            work(0.05)
    assert 0 < patience.left <= 0.4
    with pytest.raises(TimeoutError), patience.running():
        endless()


def test_to_wait_is_not_to_work() -> None:
    with TimeLimit(0.1).running():
        time.sleep(0.4)


def test_errors_pass_and_other_threads_are_left_alone() -> None:
    with pytest.raises(KeyError), TimeLimit(1).running():
        raise KeyError
    with ThreadPoolExecutor(2) as pool:

        def spend(seconds: float) -> None:
            with TimeLimit(seconds).running():
                work(0.5)

        short, long = (pool.submit(spend, seconds) for seconds in (0.1, 60))
        assert isinstance(short.exception(), TimeoutError)
        assert long.exception() is None
