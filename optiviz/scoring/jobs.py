"""Jobs that are run where work is shared out, and whose results are kept as soon as they are there.

What is kept is not run again, so that a score that was interrupted goes on, and one more optimizer
costs its own jobs alone.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from dataclasses import replace
from functools import cache, partial
from importlib.resources import as_file, files
from time import perf_counter
from typing import Any, NamedTuple

from optiviz.optimizers.lookup import packages_of
from optiviz.optimizers.spec import OptimizerSpec
from optiviz.scoring.invariance import Invariance, invariances
from optiviz.scoring.results import Results
from optiviz.scoring.runs import Job, run_job
from optiviz.scoring.store import FORMAT, current_store
from optiviz.system.cache import cache_key
from optiviz.system.environment import WORTHWHILE, core_count, may_use_all_cores
from optiviz.system.errors import OptivizError, describe_error
from optiviz.system.interrupts import received
from optiviz.system.plugins import script_hash, versions
from optiviz.system.progress import Progress
from optiviz.system.workers import as_finished, started, workers

SOURCES = "objective.py", "shapes.py", "descent", "optimizers", "scoring", "surfaces"
DATA_PACKAGES = "numpy", "scikit-learn", "torch", "jax"  # that the data and models come from


class Task(NamedTuple):
    """Work whose outcome is kept as a file: what it is, its file, and whether it takes long.

    call returns the bytes of the file, in any process, and read what is in them.
    """

    title: str
    file: str
    long: bool
    call: Callable[[], bytes]
    read: Callable[[bytes], Any]


Watch = Callable[[Callable[[], list[Any]]], None]  # is told what returns what is there so far


def run_tasks(
    tasks: Sequence[Task], progress: Progress | None = None, watch: Watch | None = None
) -> list[Any]:
    """Return the outcomes of tasks; those that are kept are not run, the others kept at once.

    Whenever one is finished, watch is called with a function that returns the outcomes so far, None
    for tasks that are not. Raises OptivizError, after all other tasks, for one whose process dies
    or that fails in our own code; failures of optimizers are outcomes.
    """
    store = current_store()
    known = {each.file: each for each in tasks}
    found = {file: store.read(file, each.read) for file, each in known.items()}
    store.begin()

    def outcomes() -> list[Any]:
        return [found[each.file] for each in tasks]

    def tell(left: int) -> None:
        if progress is not None:
            progress(len(known) - left, len(known))
        if watch is not None:
            watch(outcomes)

    left = [each for file, each in known.items() if found[file] is None]
    failures, unfinished = [], len(left)
    tell(unfinished)
    for task, answer in _answers(_begun_in_turn(left)):
        if received():  # it may have become an exception that counts as a failure of an optimizer
            raise KeyboardInterrupt
        if isinstance(answer, bytes):
            store.write(task.file, answer)
            found[task.file] = task.read(answer)
            unfinished -= 1
            tell(unfinished)
        else:
            said = isinstance(answer, OptivizError | BrokenExecutor)
            failures.append(f"{task.title}: {answer if said else describe_error(answer)}")
    if failures:
        others = f", and {len(failures) - 1} more failed" if len(failures) > 1 else ""
        raise OptivizError(f"{failures[0]}{others}: the results of the others are kept")
    return outcomes()


def _begun_in_turn(tasks: Sequence[Task]) -> list[Task]:
    """Return tasks in the order in which they are begun: as given, so that problems are soon whole.

    Long ones are spread over the first half, so that none ends alone, and that those which are
    finished tell how long all take.
    """
    places: dict[str, float] = {}
    for is_long, share in ((True, 0.5), (False, 1.0)):
        kind = [each.file for each in tasks if each.long == is_long]
        places |= {file: share * at / len(kind) for at, file in enumerate(kind)}
    return sorted(tasks, key=lambda each: places[each.file])


def _answers(tasks: Sequence[Task]) -> Iterator[tuple[Task, bytes | Exception]]:
    """Yield what calls of tasks return or raise, in the order in which they end.

    They are made where work is shared out, else on all cores if this process may use them and those
    left after the last take long enough.
    """
    chosen, left = workers(), list(tasks)
    if chosen is None and may_use_all_cores() and core_count() > 1 and left:
        began = perf_counter()
        yield _answer(left.pop())
        if (perf_counter() - began) * len(left) > WORTHWHILE:
            chosen = min(core_count(), len(left))
    with started(chosen) as who:
        yield from _submitted(who, left) if isinstance(who, Executor) else map(_answer, left)


def _answer(task: Task) -> tuple[Task, bytes | Exception]:
    try:
        return task, task.call()
    except Exception as error:
        return task, error


def _submitted(
    executor: Executor, tasks: Sequence[Task]
) -> Iterator[tuple[Task, bytes | Exception]]:
    calls: dict[Future[bytes], Task] = {}
    try:
        for each in tasks:
            calls[executor.submit(each.call)] = each
        for call in as_finished(calls):
            task = calls.pop(call)  # so that what is written is not held, too
            try:
                yield task, call.result()
            except CancelledError:
                yield task, OptivizError("cancelled by its executor, which may have stopped")
            except Exception as error:
                yield task, error
    finally:
        for call in calls:
            call.cancel()


def job_task(job: Job) -> Task:
    """Return the task of a job, whose outcome are its Results.

    Raises InputError if the file of its optimizer cannot be read.
    """
    problem, spec = job
    surface = problem.surface
    conditions = problem._replace(name="", group="")._asdict() | {"surface": ""}
    packages = _versions(*DATA_PACKAGES[: None if surface.learns else 1])
    key = cache_key(
        *_parts(spec),
        repr(sorted(packages.items())),
        surface.with_file_hashes().model_dump_json(exclude_defaults=True),
        repr(sorted(conditions.items())),
    )
    title, file = f"{spec.heading} on {problem.name}", f"{key}.npz"
    return Task(title, file, surface.learns, partial(_run, job, file), Results.from_bytes)


def invariance_task(spec: OptimizerSpec, seed: int) -> Task:
    """Return the task of testing an optimizer for invariance; the outcome is that of all tests."""
    key = cache_key(*_parts(spec), repr(seed))
    call = partial(_test, spec, seed)
    return Task(f"invariance of {spec.heading}", f"{key}.json", False, call, _tested)


def _run(job: Job, file: str) -> bytes:
    if job_task(job).file != file:  # on a cluster, or since the file of an optimizer was edited
        raise OptivizError(
            "the process that runs it has other versions of optiviz, its packages or your files"
        )
    return run_job(job).to_bytes()


def _test(spec: OptimizerSpec, seed: int) -> bytes:
    return json.dumps(invariances(spec, seed)).encode()


def _tested(content: bytes) -> Mapping[str, Invariance]:
    found = {name: Invariance(*each) for name, each in json.loads(content).items()}
    for each in found.values():
        if not (isinstance(each.passes, bool | None) and isinstance(each.cause, str)):
            raise ValueError("no outcome of a test")
        float(each.difference), float(each.lost)
    return found


def _parts(spec: OptimizerSpec) -> list[str]:
    """Return what all outcomes for an optimizer depend on: our code, its own, and its settings."""
    packages = _versions("numpy") | _packages_of(spec.name)
    ours = _versions("optiviz-cli")["optiviz-cli"]
    return [
        repr((FORMAT, ours, _source_hash(), sorted(packages.items()))),
        repr((str(replace(spec, label="", color="")), spec.seed)),
        "" if spec.file is None else script_hash(spec.file),
    ]


# Reading the metadata of packages for each of many jobs would take longer than all the rest.
_versions, _packages_of = cache(versions), cache(packages_of)


@cache
def _source_hash() -> str:
    """Return the hash of the code that outcomes depend on."""
    with as_file(files("optiviz")) as folder:
        found = [path for name in SOURCES for path in (folder / name).rglob("*.py")]
        found += [folder / name for name in SOURCES if name.endswith(".py")]
        return cache_key(*(each.read_bytes() for each in sorted(found)))
