"""Calls on all cores. Executors of concurrent.futures: on processes, or on a dask cluster.

This module is independent of the rest of optiviz, except for the environment of a process, the type
of a callback, and the wait for calls.
"""

import gc
import logging
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from multiprocessing.resource_tracker import ensure_running
from queue import Empty, SimpleQueue
from threading import Lock
from time import perf_counter
from typing import Any, TypeVar

from optiviz.system.environment import (
    WORTHWHILE,
    configure_process,
    core_count,
    may_use_all_cores,
)
from optiviz.system.progress import Progress
from optiviz.system.workers import as_finished

CONNECT_TIMEOUT = 10  # seconds to wait for a scheduler

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def call_each(
    call: Callable[[Item], Answer],
    items: Sequence[Item],
    in_order: bool = False,
    progress: Progress | None = None,
    watch: Callable[[list[Answer]], None] | None = None,
) -> list[Answer]:
    """Return the answers to calls with each item, in the order of the items.

    All calls are made in this process, one after another, if `in_order` is set. They are made on
    all cores if this process may use them and the calls left after the first take long enough.
    watch is called with the answers so far, whenever there is one more. Raises BrokenExecutor if a
    process dies.
    """
    answers: list[Answer] = []

    def add(answer: Answer) -> None:
        answers.append(answer)
        if progress is not None:
            progress(len(answers), len(items))
        if watch is not None:
            watch(answers)

    processes = 1 if in_order or not may_use_all_cores() else core_count()
    began = perf_counter()
    for item in items[: 1 if processes > 1 else None]:
        add(call(item))
    left = items[len(answers) :]
    if (perf_counter() - began) * len(left) <= WORTHWHILE:
        for item in left:
            add(call(item))
        return answers
    with ProcessExecutor(min(processes, len(left))) as executor:
        calls = [executor.submit(call, item) for item in left]
        for _ in as_finished(calls):
            while calls and calls[0].done():
                add(calls.pop(0).result())
    return answers


class ProcessExecutor(Executor):
    """An executor on spawned processes, in which a process that dies loses only its own call.

    That call raises BrokenExecutor, and another process takes its place. (ProcessPoolExecutor
    abandons all calls.) The processes write temporary files to a folder that is removed with the
    executor, and exit when the process that started them is gone, however it ended.
    """

    def __init__(self, number: int) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._threads = ThreadPoolExecutor(number)
        self._workers: list[Worker] = []
        self._idle: SimpleQueue[Worker] = SimpleQueue()
        self._starting = Lock()
        self._stopped = False

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return self._threads.submit(self._run, call, args, kwargs)

    def _run(self, *call: Any) -> Any:
        worker = self._free()
        try:
            return worker.run(*call)
        finally:
            if worker.process.is_alive():
                self._idle.put(worker)

    def _free(self) -> "Worker":
        with suppress(Empty):
            while worker := self._idle.get_nowait():
                if worker.process.is_alive():
                    return worker
        with self._starting:
            if self._stopped:
                raise BrokenExecutor("the executor was shut down")
            worker = Worker(self._folder.name)
            self._workers.append(worker)
        return worker

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        if wait:
            for worker in self._workers:
                worker.connection.close()
            for worker in self._workers:
                worker.process.join()
            self._folder.cleanup()

    def __exit__(self, *raised: Any) -> None:
        if raised[0] is None:
            self.shutdown()
            return
        # Results of running calls are not needed. Nor are the threads, which end without their
        # processes, unless a signal has left a lock of theirs locked: so they are not waited for.
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._starting:
            self._stopped = True
            for worker in self._workers:
                worker.process.kill()
        for worker in self._workers:
            worker.process.join()
        self._folder.cleanup()


def _ignore_interrupts() -> None:
    """Block SIGINT on this thread, and so in the processes that it starts."""
    if hasattr(signal, "pthread_sigmask"):
        ensure_running()  # starting the resource tracker later would unblock the signal
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


class Worker:
    """A process that answers one call after another."""

    def __init__(self, folder: str) -> None:
        # A fork would copy locks in their current state, and breaks matplotlib and FFmpeg.
        context = get_context("spawn")
        self.connection, there = context.Pipe()
        self.process = context.Process(target=_serve, args=(there, folder), daemon=True)
        _ignore_interrupts()
        self.process.start()
        there.close()

    def run(self, *call: Any) -> Any:
        """Return the result of a call or raise its error; BrokenExecutor if the process dies."""
        try:
            self.connection.send(call)
            result, error = self.connection.recv()
        except (EOFError, ConnectionError):
            self.process.join()
            code = self.process.exitcode or 0
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            raise BrokenExecutor(f"its process died ({how})") from None
        if error is not None:
            raise error
        return result


def _serve(line: "Connection[Any, Any]", folder: str) -> None:
    """Answer calls until the connection closes, as it does when the other process ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    configure_process()
    sys.stdout = sys.stderr  # what third-party code prints is no part of a command's output
    tempfile.tempdir = folder
    with suppress(EOFError, ConnectionError):
        while True:
            call, args, kwargs = line.recv()
            answer: tuple[Any, BaseException | None]
            try:
                answer = call(*args, **kwargs), None
            except BaseException as error:
                answer = None, error
            _send(line, answer)
            del answer, call, args, kwargs
            # Free the garbage of the call, and exclude what it imported from later collections.
            gc.collect()
            gc.freeze()
    parent = parent_process()
    if parent is None or not parent.is_alive():  # else the parent removes it
        shutil.rmtree(folder, ignore_errors=True)


def _send(line: "Connection[Any, Any]", answer: Any) -> None:
    """Send an answer, or a TypeError if it cannot be pickled or its error cannot be unpickled."""
    result, raised = answer
    try:
        pickled = ForkingPickler.dumps(answer)
        if raised is not None:
            ForkingPickler.loads(pickled)
    except Exception as error:
        what = type(result if raised is None else raised).__name__
        said = f"an object of type {what} cannot be sent: {error}"
        pickled = ForkingPickler.dumps((None, TypeError(said)))
    line.send_bytes(pickled)


@contextmanager
def dask_cluster(address: str) -> Iterator[Executor]:
    """Yield an executor on the dask cluster whose scheduler listens at `address`.

    A call whose worker dies is lost once the scheduler's `allowed-failures` are used up. Raises
    ModuleNotFoundError if distributed is not installed, ValueError if the address is not valid, and
    OSError if the scheduler does not answer within CONNECT_TIMEOUT.
    """
    import distributed

    # A lost connection is reported to the waiting caller, so the log is not needed.
    for each in ("client", "batched"):
        logging.getLogger(f"distributed.{each}").setLevel(logging.CRITICAL)
    client: Any = distributed.Client
    with client(address, timeout=CONNECT_TIMEOUT, set_as_default=False) as opened:
        yield opened.get_executor(pure=False, retries=0)
