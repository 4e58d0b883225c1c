"""Many jobs -> an executor -> a report.

What runs elsewhere returns bytes, never paths: files are written here, whole or not at all.
"""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from threading import Lock
from time import perf_counter
from typing import Any, Literal, NamedTuple

from optiviz.kinds.base import BaseRecipe
from optiviz.recipes.jobs import Job
from optiviz.recipes.provenance import metadata_for, read_metadata
from optiviz.registry import format_of
from optiviz.rendering.render import render
from optiviz.system.errors import InputError, OptivizError, describe_error
from optiviz.system.files import atomic_write, check_targets

Status = Literal["made", "up to date", "failed", "not begun"]
POLL_INTERVAL = 0.1  # seconds after which a watcher is told what runs

_drawing = Lock()  # matplotlib's settings are one for all threads of a process


class JobOutput(NamedTuple):
    """What a job came to elsewhere: the bytes of its files, or why there are none."""

    files: tuple[bytes, ...]
    seconds: float
    cause: str = ""
    remarks: tuple[str, ...] = ()  # on runs that did not go as one would wish


def run_job(recipe: BaseRecipe, suffixes: Sequence[str]) -> JobOutput:
    """Return a recipe's pictures in the formats of these suffixes. Raises nothing."""
    with _drawing, TemporaryDirectory() as folder:
        began = perf_counter()
        paths = [Path(folder, f"{number}{suffix}") for number, suffix in enumerate(suffixes)]
        files: tuple[bytes, ...] = ()
        cause = ""
        remarks: tuple[str, ...] = ()
        try:
            remarks = render(recipe, paths).remarks
            files = tuple(path.read_bytes() for path in paths)
        except OptivizError as error:
            cause = str(error).replace(f"{folder}/", "a temporary ")
        except Exception as error:
            cause = describe_error(error)
        return JobOutput(files, perf_counter() - began, cause, remarks)


class Result(NamedTuple):
    """What became of a job."""

    job: Job
    status: Status
    seconds: float = 0.0
    cause: str = ""
    remarks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as a report has it."""
        return {
            "name": self.job.name,
            "out": [path.as_posix() for path in self.job.paths],
            "status": self.status,
            "frames": frames(self.job),
            "seconds": round(self.seconds, 3),
            "cause": self.cause or None,
            "remarks": list(self.remarks),
        }


# Told now and then: what has come to an end, and what runs.
BatchProgress = Callable[[Collection[Result], Sequence[Job]], None]


def run_jobs(
    jobs: Sequence[Job],
    executor: Executor,
    *,
    force: bool = False,
    fail_fast: bool = False,
    progress: BatchProgress | None = None,
) -> list[Result]:
    """Make every job whose files are not up to date, and return what became of each.

    A job that fails stops no other; with fail_fast those that have not begun are left. The largest
    begin first, so that no process waits long for the last one.
    """
    results: dict[int, Result] = {}
    pending: dict[Future[JobOutput], int] = {}
    finished: SimpleQueue[Future[JobOutput]] = SimpleQueue()
    stopped = False

    def settle(number: int, result: Result) -> None:
        nonlocal stopped
        results[number] = result
        if fail_fast and result.status == "failed" and not stopped:
            stopped = True
            for future in list(pending):
                future.cancel()

    for number, job in sorted(enumerate(jobs), key=lambda each: -_animated_pixels(each[1])):
        if stopped:
            break
        result = _finished_early(job, force)
        if result is None:
            try:
                future = executor.submit(run_job, job.recipe, [path.suffix for path in job.paths])
            except RuntimeError as error:  # the executor is broken, or shut down
                result = Result(job, "failed", cause=str(error))
            else:
                pending[future] = number
                future.add_done_callback(finished.put)
        if result is not None:
            settle(number, result)
    while pending:
        if progress is not None:
            progress(results.values(), [jobs[pending[each]] for each in pending if each.running()])
        with suppress(Empty):
            future = finished.get(timeout=None if progress is None else POLL_INTERVAL)
            number = pending.pop(future)
            settle(number, _write_files(jobs[number], future, stopped))
            del future  # and with it the bytes
    if progress is not None:
        progress(results.values(), [])
    return [results.get(number, Result(job, "not begun")) for number, job in enumerate(jobs)]


def _finished_early(job: Job, force: bool) -> Result | None:
    """Return the end of a job that needs no work, or cannot be written."""
    try:
        check_targets(job.paths)
    except InputError as error:
        return Result(job, "failed", cause=str(error))
    return None if force or not up_to_date(job) else Result(job, "up to date")


def up_to_date(job: Job) -> bool:
    """Return whether all files of a job are there, made by the same recipe and versions."""
    comment = metadata_for(job.recipe)
    try:
        return all(path.exists() and read_metadata(path) == comment for path in job.paths)
    except (OptivizError, OSError):  # what cannot be read is not
        return False


def _write_files(job: Job, future: Future[JobOutput], stopped: bool) -> Result:
    """Write the files of a job that has come to its end, unless that is our having stopped it."""
    try:
        made = future.result()
    except CancelledError:
        if stopped:
            return Result(job, "not begun")
        return Result(job, "failed", cause="given up by its executor, which may be gone")
    except BrokenExecutor as error:
        return Result(job, "failed", cause=str(error))
    except Exception as error:
        return Result(job, "failed", cause=describe_error(error))
    try:
        if made.cause:
            raise OptivizError(made.cause)
        for path, data in zip(job.paths, made.files, strict=True):
            with atomic_write(path) as temporary:
                temporary.write_bytes(data)
    except OptivizError as error:
        return Result(job, "failed", made.seconds, str(error))
    return Result(job, "made", made.seconds, remarks=made.remarks)


def frames(job: Job) -> int:
    """Return how many frames each animation of a job shows; 0 if it has none."""
    timeline = job.recipe.timeline
    return len(timeline.steps) if timeline and any(map(_is_animated, job.paths)) else 0


class Estimate(NamedTuple):
    """How long jobs take, from one of them that was made for that."""

    measured: Job
    start: float  # seconds until a process has loaded what it needs
    still: float  # that a picture takes
    pixel: float  # more that a pixel of a frame takes

    def seconds(self, jobs: Sequence[Job], processes: int) -> float:
        """Return about how long jobs take on so many processes."""
        work = sum(self.still + self.pixel * _animated_pixels(job) for job in jobs)
        return self.start + work / processes


def estimate(jobs: Sequence[Job]) -> Estimate:
    """Make the smallest of some jobs, once as a still and once as it is, for the time it takes."""
    moving = [job for job in jobs if frames(job)]
    job = min(moving or jobs, key=_pixels)
    first, still = (run_job(job.recipe, [".png"]).seconds for _ in range(2))
    suffixes = [path.suffix for path in job.paths if _is_animated(path)]
    moved = run_job(job.recipe, suffixes).seconds if suffixes else still
    pixel = max(0.0, moved - still) / (_animated_pixels(job) or 1)
    return Estimate(job, max(0.0, first - still), still, pixel)


def _is_animated(path: Path) -> bool:
    return format_of(path).kind == "animation"


def _animated_pixels(job: Job) -> int:
    """Return how many pixels all animations of a job have, over all frames."""
    return sum(map(_is_animated, job.paths)) * _pixels(job)


def _pixels(job: Job) -> int:
    width, height = job.recipe.size
    timeline = job.recipe.timeline
    return width * height * (len(timeline.steps) if timeline else 1)
