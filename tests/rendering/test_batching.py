"""Many recipes on any executor: which are rendered, skipped, lost and reported."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

import optiviz
from optiviz.kinds.size import Size
from optiviz.recipes.jobs import Job
from optiviz.rendering.batch import JobOutput, Result, run_job, run_jobs
from optiviz.rendering.render import render

SMALL: dict[str, Any] = {"size": (240, 160), "steps": 3}
GOOD = optiviz.Recipe(surface="bowl", optimizers="adam:lr=0.1", **SMALL)
OTHER = optiviz.Recipe(surface="wobbly", optimizers="sgd:lr=0.1", **SMALL)
FAILING = optiviz.Recipe(surface="bowl", optimizers="adam:lr=0.1", title="\U0001f9ff", **SMALL)


def statuses(results: Sequence[Result]) -> list[str]:
    return [result.status for result in results]


@pytest.mark.slow
@pytest.mark.parametrize(
    "executor",
    [
        pytest.param(lambda: ThreadPoolExecutor(3), id="threads"),
        pytest.param(
            lambda: ProcessPoolExecutor(2, mp_context=get_context("spawn")), id="processes"
        ),
        pytest.param(lambda: None, id="none"),
    ],
)
def test_any_executor_makes_what_render_makes(
    executor: Callable[[], Executor | None], here: Path
) -> None:
    pool = executor()
    items = [(GOOD, "o/a.gif"), (OTHER, [Path("o/b.png"), "o/b.json"])]
    assert statuses(optiviz.batch(items, pool)) == ["made", "made"]
    for recipe, out in items:
        for path in [out] if isinstance(out, str) else out:
            again = here / f"again{Path(path).suffix}"
            render(recipe, again)
            assert again.read_bytes() == Path(path).read_bytes()
    if pool is not None:
        pool.shutdown()


def test_what_is_up_to_date_is_left(here: Path) -> None:
    items = [(GOOD, ["a.png", "a.csv"]), (OTHER, "b.svg")]
    assert statuses(optiviz.batch(items)) == ["made", "made"]
    (here / "a.csv").unlink()
    before = (here / "b.svg").stat().st_mtime_ns
    assert statuses(optiviz.batch(items)) == ["made", "up to date"]
    assert (here / "b.svg").stat().st_mtime_ns == before
    assert statuses(optiviz.batch(items, force=True)) == ["made", "made"]
    assert statuses(optiviz.batch([(OTHER, "a.png"), (OTHER, "b.svg")])) == ["made", "up to date"]


def test_other_versions_are_not_up_to_date(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    optiviz.batch([(GOOD, "a.json")])
    monkeypatch.setattr("optiviz.recipes.provenance.versions", lambda: {"optiviz": "9"})
    assert statuses(optiviz.batch([(GOOD, "a.json")])) == ["made"]


@pytest.mark.sample(1)
@pytest.mark.parametrize("content", [b"", b"old", None])
def test_what_is_no_file_of_ours_is_made_anew(content: bytes | None, here: Path) -> None:
    if content is not None:
        (here / "a.gif").write_bytes(content)
    assert statuses(optiviz.batch([(GOOD, "a.gif")])) == ["made"]
    assert (here / "a.gif").stat().st_size > 1000


def test_a_failure_stops_no_other_and_is_told(here: Path) -> None:
    (here / "folder.gif").mkdir()
    items = [(FAILING, "a.gif"), (GOOD, "folder.gif"), (GOOD, "b.json"), (GOOD, "b.json/c.json")]
    results = optiviz.batch(items)
    assert statuses(results) == ["failed", "failed", "made", "failed"]
    assert "no font on this machine has" in results[0].cause
    assert results[1].cause == "folder.gif is a directory"
    assert "c.json cannot be written" in results[3].cause
    assert sorted(path.name for path in here.iterdir()) == ["b.json", "folder.gif"]


def test_a_fault_of_ours_fails_its_job_alone(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(recipe: Any, paths: Any) -> None:
        raise ZeroDivisionError("a\nb")

    monkeypatch.setattr("optiviz.rendering.batch.render", broken)
    (result,) = optiviz.batch([(GOOD, "a.gif")])
    assert (result.status, result.cause) == ("failed", "unexpected ZeroDivisionError: a b")
    assert not list(here.iterdir())


def test_the_largest_jobs_begin_first(here: Path) -> None:
    begun: list[str] = []

    class Noting(ThreadPoolExecutor):
        def submit(self, call: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            begun.append(f"{args[0].pixels[0]}{args[1][0]}")
            return super().submit(call, *args, **kwargs)

    large = GOOD.model_copy(update={"size": Size(300, 200)})
    items = [(GOOD, "a.json"), (GOOD, "b.gif"), (large, "c.gif"), (large, "d.png")]
    with Noting(1) as pool:
        results = optiviz.batch(items, pool)
    assert begun == ["300.gif", "240.gif", "240.json", "300.png"]
    assert [result.job.name for result in results] == ["a", "b", "c", "d"]


def test_after_a_failure_no_job_begins_if_that_is_asked(here: Path) -> None:
    items = [(GOOD, "a.gif"), (FAILING, "b.gif"), *((GOOD, f"{n}.gif") for n in range(9))]
    first, second, *others = statuses(optiviz.batch(items, fail_fast=True))
    assert (first, second, others[-1]) == ("made", "failed", "not begun")
    assert set(others) <= {"made", "not begun"}  # one had begun
    assert len([*here.iterdir()]) == 1 + others.count("made")


def test_what_cannot_be_read_is_made_anew(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(path: Path) -> str:
        raise optiviz.InputError(f"{path}: Permission denied")

    monkeypatch.setattr("optiviz.rendering.batch.read_metadata", unreadable)
    (here / "a.json").write_text("{}")
    assert statuses(optiviz.batch([(GOOD, "a.json"), (GOOD, "b.json")])) == ["made", "made"]


class Dying(Executor):
    """An executor that loses every second call, and refuses calls after the fourth."""

    def __init__(self) -> None:
        self.calls = 0

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.calls += 1
        if self.calls > 4:
            raise RuntimeError("is shut down")
        future: Future[Any] = Future()
        if self.calls % 2:
            future.set_result(call(*args, **kwargs))
        else:
            future.set_exception(MemoryError("no more"))
        return future


def test_an_executor_that_loses_calls_loses_only_their_jobs(here: Path) -> None:
    results = optiviz.batch([(GOOD, f"{n}.json") for n in range(6)], Dying())
    assert statuses(results) == ["made", "failed", "made", "failed", "failed", "failed"]
    assert results[1].cause == "not enough memory: no more"
    assert results[5].cause == "is shut down"


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([(GOOD, "a.gif"), (OTHER, ["b.gif", "./a.gif"])], "would be written 2 times"),
        ([(GOOD, "a.gig")], "unknown format '.gig'"),
        ([(GOOD, [])], "needs at least one output path"),
        ([GOOD], "is not a pair of a recipe and its output path"),
        ([("a.gif", GOOD)], "is not a pair of a recipe and its output path"),
        ([(optiviz.PlotRecipe(surfaces="bowl"), "a.gif")], "optiviz plot cannot write .gif files"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(items: list[Any], said: str, here: Path) -> None:
    with pytest.raises(optiviz.InputError, match=said):
        optiviz.batch([(GOOD, "first.gif"), *items])
    assert not list(here.iterdir())


def test_jobs_of_a_yaml_are_batched(here: Path) -> None:
    (here / "jobs.yaml").write_text(
        "jobs: [{surface: bowl, optimizers: 'adam:lr=0.1', out: a.json, name: one}]"
    )
    (result,) = optiviz.batch(optiviz.load_jobs("jobs.yaml"))
    assert (result.job.name, result.status) == ("one", "made")


def test_a_watcher_sees_what_runs_and_what_has_ended(here: Path) -> None:
    seen: list[tuple[list[str], list[str]]] = []
    jobs = [Job(GOOD, (Path(f"{n}.png"),), str(n)) for n in range(3)]
    with ThreadPoolExecutor(1) as pool:
        run_jobs(jobs, pool, progress=lambda ended, running: seen.append(
            (statuses([*ended]), [job.name for job in running])))  # fmt: skip
    assert seen[-1] == (["made"] * 3, [])
    assert all(len(running) <= 1 for _, running in seen)
    assert any(running for _, running in seen)


@pytest.mark.slow
def test_pictures_drawn_in_threads_do_not_meet(here: Path) -> None:
    dark = GOOD.model_copy(update={"theme": "dark"})
    with ThreadPoolExecutor(4) as pool:
        made = [pool.submit(run_job, recipe, [".png"]) for recipe in [GOOD, dark] * 4]
        files = [future.result().files for future in made]
    assert len({files[0], files[2], files[4], files[6]}) == 1
    assert len(set(files)) == 2


@pytest.mark.parametrize(
    "recipe",
    [
        GOOD,
        optiviz.Recipe(surface="wobbly", optimizers="adam:lr=0.1"),
        optiviz.ResponseRecipe(signal="spikes", optimizers="adam"),
        optiviz.ResponseRecipe(signal=optiviz.Signal(gradient=(1, 2)), optimizers="adam"),
    ],
)
def test_frames_are_counted_without_a_descent(recipe: Any) -> None:
    assert recipe.timeline.steps == recipe.frame_steps(recipe.make_scene().steps)


def test_made_is_bytes_and_a_sentence() -> None:
    made = run_job(GOOD, [".json", ".csv"])
    assert [data[:1] for data in made.files] == [b"{", b"#"]
    assert made.cause == ""
    failed = run_job(FAILING, [".png"])
    assert failed.files == () and "no font" in failed.cause
    assert isinstance(failed, JobOutput)
