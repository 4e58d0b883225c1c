"""Many jobs, run on an executor, and their results.

Calls on the executor return bytes, never paths. Files are written in this process, completely or
not at all.
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
from optiviz.registry import FORMATS, fits, format_of
from optiviz.rendering.render import render
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import FieldError, InputError, OptivizError, describe_error
from optiviz.system.files import atomic_write, check_targets

Status = Literal["made", "up to date", "failed", "not begun"]
POLL_INTERVAL = 0.1  # seconds between calls of progress

_drawing = Lock()  # matplotlib's settings are shared by all threads of a process


class JobOutput(NamedTuple):
    """The output of a job on an executor: the bytes of its files, or the cause of its failure."""

    files: tuple[bytes, ...]
    seconds: float
    cause: str = ""
    keys: tuple[str | int, ...] = ()  # of the part of the recipe that is the cause, if it is known
    remarks: tuple[str, ...] = ()  # on runs that ended badly, and on what is hard to see


def run_job(recipe: BaseRecipe, suffixes: Sequence[str]) -> JobOutput:
    """Return a recipe's files in the formats of these suffixes, such as ".gif".

    Raises nothing: the output holds the cause of a failure. seconds is the time that it took.
    """
    with _drawing, TemporaryDirectory() as folder:
        began = perf_counter()
        paths = [Path(folder, f"{number}{suffix}") for number, suffix in enumerate(suffixes)]
        files: tuple[bytes, ...] = ()
        cause = ""
        keys: tuple[str | int, ...] = ()
        remarks: tuple[str, ...] = ()
        try:
            scene = render(recipe, paths)
            remarks = (*scene.remarks, *scene.blanks, *recipe.hints(paths))
            files = tuple(path.read_bytes() for path in paths)
        except FieldError as error:
            cause, keys = error.message, tuple(error.keys)
        except OptivizError as error:
            cause = str(error).replace(f"{folder}/", "a temporary ")
        except Exception as error:
            cause = describe_error(error)
        return JobOutput(files, perf_counter() - began, cause, keys, remarks)


class Result(NamedTuple):
    """The result of a job.

    status is "made", "up to date", "failed" or "not begun". seconds is the time that rendering
    took, 0 if there was none. cause says why the job failed; otherwise it is empty. remarks are
    sentences on runs that ended badly.
    """

    job: Job
    status: Status
    seconds: float = 0.0
    cause: str = ""
    remarks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values, as in a report."""
        return {
            "name": self.job.name,
            "out": [path.as_posix() for path in self.job.paths],
            "status": self.status,
            "frames": frames(self.job),
            "seconds": round(self.seconds, 3),
            "cause": self.cause or None,
            "remarks": list(self.remarks),
        }


# Called now and then with the results so far, and with the running jobs.
BatchProgress = Callable[[Collection[Result], Sequence[Job]], None]


def run_jobs(
    jobs: Sequence[Job],
    executor: Executor,
    *,
    force: bool = False,
    fail_fast: bool = False,
    progress: BatchProgress | None = None,
) -> list[Result]:
    """Run every job whose files are not up to date, and return the results in order.

    force runs all of them. A failure does not stop other jobs; with fail_fast, jobs that have not
    begun are skipped. The largest jobs begin first, so that the last one does not keep a single
    process busy for long. progress is called about every POLL_INTERVAL seconds.
    """
    results: dict[int, Result] = {}
    pending: dict[Future[JobOutput], int] = {}
    finished: SimpleQueue[Future[JobOutput]] = SimpleQueue()
    stopped = False

    def finish(number: int, result: Result) -> None:
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
            finish(number, result)
    while pending:
        if progress is not None:
            progress(results.values(), [jobs[pending[each]] for each in pending if each.running()])
        with suppress(Empty):
            future = finished.get(timeout=None if progress is None else POLL_INTERVAL)
            number = pending.pop(future)
            finish(number, _write_files(jobs[number], future, stopped))
            del future  # and with it the bytes
    if progress is not None:
        progress(results.values(), [])
    return [results.get(number, Result(job, "not begun")) for number, job in enumerate(jobs)]


def _finished_early(job: Job, force: bool) -> Result | None:
    """Return the result of a job that is up to date or cannot be written, otherwise None."""
    try:
        check_targets(job.paths)
    except InputError as error:
        return Result(job, "failed", cause=str(error))
    return None if force or not up_to_date(job) else Result(job, "up to date")


def up_to_date(job: Job) -> bool:
    """Return whether all files of a job exist, from the same recipe and versions."""
    surfaces = [each for each in job.recipe.drawn_surfaces if isinstance(each, Surface)]
    codes = [code for each in surfaces for code in (each.function, each.model) if code is not None]
    if any(code.call for code in codes):
        return False  # what a function of this program does is not in its metadata
    comment = metadata_for(job.recipe)
    try:
        return all(path.exists() and read_metadata(path) == comment for path in job.paths)
    except (OptivizError, OSError):  # an unreadable file is not up to date
        return False


def _write_files(job: Job, future: Future[JobOutput], stopped: bool) -> Result:
    """Return the result of a job that has ended, after its files are written."""
    try:
        made = future.result()
    except CancelledError:
        if stopped:
            return Result(job, "not begun")
        return Result(job, "failed", cause="cancelled by its executor, which may have stopped")
    except BrokenExecutor as error:
        return Result(job, "failed", cause=str(error))
    except Exception as error:
        return Result(job, "failed", cause=describe_error(error))
    try:
        if made.cause:
            where = f"{job.locate(made.keys)}: " if made.keys else ""
            raise OptivizError(f"{where}{made.cause}")
        for path, data in zip(job.paths, made.files, strict=True):
            with atomic_write(path) as temporary:
                temporary.write_bytes(data)
    except OptivizError as error:
        return Result(job, "failed", made.seconds, str(error))
    return Result(job, "made", made.seconds, remarks=made.remarks)


def frames(job: Job) -> int:
    """Return the number of frames of each animation of a job; 0 if it has none."""
    timeline = job.recipe.timeline
    return len(timeline.steps) if timeline and any(map(_is_animated, job.paths)) else 0


class Estimate(NamedTuple):
    """An estimate of how long jobs take, from one of them that was measured."""

    measured: Job
    start: float  # seconds until a process has loaded its modules
    still: float  # seconds per still picture
    pixel: float  # further seconds per pixel of a frame

    def seconds(self, jobs: Sequence[Job], processes: int) -> float:
        """Return about how many seconds jobs take on this number of processes."""
        work = sum(self.still + self.pixel * _animated_pixels(job) for job in jobs)
        return self.start + work / processes


def estimate(jobs: Sequence[Job]) -> Estimate:
    """Return an estimate, from timing the smallest job as a still and as it is."""
    moving = [job for job in jobs if frames(job)]
    job = min(moving or jobs, key=_pixels)
    stills = [suffix for suffix in FORMATS if FORMATS[suffix].kind == "still"]
    drawn = [suffix for suffix in stills if fits(suffix, job.recipe.formats)][:1]
    first, still = (run_job(job.recipe, drawn).seconds for _ in range(2))
    suffixes = [path.suffix for path in job.paths if _is_animated(path)]
    moved = run_job(job.recipe, suffixes).seconds if suffixes else still
    pixel = max(0.0, moved - still) / (_animated_pixels(job) or 1)
    return Estimate(job, max(0.0, first - still), still, pixel)


def _is_animated(path: Path) -> bool:
    return format_of(path).kind == "animation"


def _animated_pixels(job: Job) -> int:
    """Return the number of pixels of all animations of a job, over all frames."""
    return sum(map(_is_animated, job.paths)) * _pixels(job)


def _pixels(job: Job) -> int:
    width, height = job.recipe.pixels
    timeline = job.recipe.timeline
    return width * height * (len(timeline.steps) if timeline else 1)
