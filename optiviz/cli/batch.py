"""`optiviz batch`: many pictures from one YAML file."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optiviz.cli import debug_option
from optiviz.cli.help import Command
from optiviz.cli.options import check_workers, executor_for, plugins_option
from optiviz.system.environment import core_count
from optiviz.system.errors import InputError, OptivizError, did_you_mean

if TYPE_CHECKING:
    from rich.progress import TaskID

    from optiviz.recipes.jobs import Job
    from optiviz.rendering.batch import BatchProgress, Result


@click.command(cls=Command, name="batch", short_help="Render many pictures from one YAML file.")
@click.argument("source", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE")
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="Number of processes.  [default: the number of cores]",
)
@click.option(
    "--scheduler", metavar="tcp://HOST:PORT", help="Use a dask cluster instead of local processes."
)
@click.option(
    "--only",
    multiple=True,
    metavar="NAME[,NAME...]",
    help="Render only these jobs, by name or output; * matches any text; may be repeated.",
)
@click.option("--force", is_flag=True, help="Also render jobs that are up to date.")
@click.option(
    "--dry-run", is_flag=True, help="Print what would be rendered and about how long it would take."
)
@click.option("--fail-fast", is_flag=True, help="Do not start further jobs after one has failed.")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the outcome of each job as JSON.",
)
@plugins_option
@click.option("--quiet", "-q", is_flag=True, help="Do not print progress or a summary.")
@debug_option
def command(
    source: Path,
    jobs: int | None,
    scheduler: str | None,
    only: tuple[str, ...],
    force: bool,
    dry_run: bool,
    fail_fast: bool,
    report: Path | None,
    allow_plugins: bool,
    quiet: bool,
) -> None:
    """Render every picture in a YAML file that is not up to date; - is standard input.

    \b
    optiviz batch examples/articles.yaml
    optiviz batch jobs.yaml --only "wobbly-*" --jobs 4 --report report.json

    A failed job does not stop the others. Run a batch again to continue where it stopped.
    """
    from optiviz.recipes.jobs import read_jobs
    from optiviz.rendering.batch import run_jobs, up_to_date
    from optiviz.system.files import atomic_write
    from optiviz.system.yaml import Document

    check_workers(jobs, scheduler)
    found = read_jobs(Document.read(source), allow_plugins)
    if report is not None:
        _check_report(report, [source, *(path for job in found for path in job.paths)], dry_run)
    chosen = _chosen(found, only)
    processes = min(jobs or core_count(), len(chosen))
    if dry_run:
        left = [job for job in chosen if force or not up_to_date(job)]
        _describe(left, len(chosen) - len(left), processes)
        return
    with executor_for(processes, scheduler) as executor, _progress(len(chosen), quiet) as progress:
        results = run_jobs(chosen, executor, force=force, fail_fast=fail_fast, progress=progress)
    if report is not None:
        with atomic_write(report) as temporary:
            said = json.dumps([result.to_dict() for result in results], indent=1)
            temporary.write_text(said + "\n", encoding="utf-8")
    if not quiet:
        counts = Counter(result.status for result in results)
        click.echo(", ".join(f"{count} {status}" for status, count in counts.items()))
    failed = [result for result in results if result.status == "failed"]
    if failed:
        causes = [f"{result.job.name}: {result.cause}" for result in failed]
        raise OptivizError("\n".join([f"{len(failed)} of {len(results)} jobs failed", *causes]))


def _check_report(path: Path, others: Sequence[Path], dry_run: bool) -> None:
    """Raise InputError if a report cannot be written or would overwrite an input or output."""
    from optiviz.system.files import check_targets, real_path

    if dry_run:
        raise InputError("--report cannot be combined with --dry-run")
    if real_path(path) in {real_path(each) for each in others}:
        raise InputError(f"--report: {path} is the batch file or the output of a job")
    try:
        check_targets([path])
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
    except InputError as error:
        raise InputError(f"--report: {error}") from None
    except OSError as error:
        raise InputError(f"--report: {path} cannot be written: {error.strerror}") from None


def _chosen(jobs: "Sequence[Job]", only: Sequence[str]) -> "list[Job]":
    """Return the jobs with these names, or all if there are no names."""
    names = [name.strip() for text in only for name in text.split(",") if name.strip()]

    def called(job: "Job", name: str) -> bool:
        return any(fnmatchcase(each, name) for each in (job.name, *map(str, job.paths)))

    for name in names:
        if not any(called(job, name) for job in jobs):
            raise InputError(f"--only: {did_you_mean('job', name, {job.name for job in jobs})}")
    return [job for job in jobs if not names or any(called(job, name) for name in names)]


def _describe(jobs: "Sequence[Job]", done: int, processes: int) -> None:
    """Print what would be rendered, and about how long that takes on this machine."""
    from optiviz.rendering.batch import estimate, frames

    for job in jobs:
        moving = f"  {frames(job)} frames" if frames(job) else ""
        click.echo(" ".join(map(str, job.paths)) + moving)
    if not jobs:
        click.echo(f"all {done} up to date")
        return
    found = estimate(jobs)
    seconds = _format_seconds(found.seconds(jobs, processes))
    click.echo(
        f"{len(jobs)} to render, {done} up to date: about {seconds} on {processes} "
        f"process{'es' if processes > 1 else ''}, estimated from {found.measured.name}"
    )


def _format_seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _line(result: "Result") -> str:
    """Return the outcome of a job on one line."""
    if result.status == "failed":
        return f"failed {result.job.name}: {result.cause}"
    took = f" ({result.seconds:.1f} s)" if result.status == "made" else ""
    paths = " ".join(map(str, result.job.paths))
    return f"{result.status} {paths}{took}" + "".join(f"; {each}" for each in result.remarks)


@contextmanager
def _progress(total: int, quiet: bool) -> "Iterator[BatchProgress | None]":
    """Yield a callback that shows progress: bars on a terminal, else one line per job."""
    from rich.console import Console

    console = Console(stderr=True)
    if quiet:
        yield None
    elif not console.is_terminal:
        yield _lines()
    else:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as bars:
            whole = bars.add_task("", total=total)
            tasks: dict[str, TaskID] = {}

            def show(ended: "Collection[Result]", running: "Sequence[Job]") -> None:
                bars.update(whole, completed=len(ended), description=f"{len(ended)} of {total}")
                names = {job.name for job in running}
                for name in tasks.keys() - names:
                    bars.remove_task(tasks.pop(name))
                for name in names - tasks.keys():
                    tasks[name] = bars.add_task(name, total=None)

            yield show


def _lines() -> "BatchProgress":
    """Return a callback that prints one line for each finished job."""
    printed = 0

    def show(ended: "Collection[Result]", running: "Sequence[Job]") -> None:
        nonlocal printed
        for result in islice(ended, printed, None):
            if result.status != "not begun":
                click.echo(_line(result), err=True)
        printed = len(ended)

    return show
