"""What is run is kept at once, whoever runs it, and a failure stops nothing else."""

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from optiviz.kinds.score import ScoreRecipe
from optiviz.optimizers.spec import parse_spec
from optiviz.scoring import jobs as module
from optiviz.scoring.jobs import Task, invariance_task, job_task, run_tasks
from optiviz.scoring.results import Results
from optiviz.scoring.runs import Job
from optiviz.scoring.store import results_in
from optiviz.system.errors import OptivizError
from optiviz.system.workers import Jobs, shared_out

SUITE = {
    "name": "small",
    "starts": 2,
    "budget": 40,
    "problems": [
        {"name": "bowl", "group": "smooth", "surface": "bowl"},
        {"name": "noisy", "group": "noise", "surface": "ellipse", "noise": 0.1},
    ],
}
RECIPE = ScoreRecipe(optimizers="sgd:lr=0.1,adam:lr=0.1", suite=SUITE)
RECORD = '{"recipe": {}, "versions": {}}'


def tasks_of(recipe: ScoreRecipe = RECIPE) -> list[Task]:
    """Return the tasks of the jobs of a recipe."""
    problems = recipe.suite.benchmark(recipe.seed)
    return [job_task(Job(problem, spec)) for spec in recipe.specs for problem in problems]


def files_in(folder: Path) -> list[str]:
    """Return the names of the files of results in a folder."""
    return sorted(each.name for each in folder.glob("*.npz"))


class Told(NamedTuple):
    """Progress that is noted, out of a total."""

    counts: list[int]
    total: int

    def __call__(self, done: int, total: int) -> None:
        assert total == self.total
        self.counts.append(done)


@pytest.fixture
def ran(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of jobs that are run from now on, with nothing kept."""
    names: list[str] = []
    run_job = module.run_job

    def noted(job: Job) -> Results:
        names.append(f"{job.spec} {job.problem.name}")
        return run_job(job)

    monkeypatch.setattr(module, "run_job", noted)
    return names


def test_whoever_runs_jobs_the_outcomes_are_the_same(own_cache: Path, here: Path) -> None:
    found = []
    workers: list[Jobs] = [1, ThreadPoolExecutor(2)]
    for number, jobs in enumerate(workers):
        told = list[int]()
        with shared_out(jobs), results_in(here / str(number), RECORD):
            results = run_tasks(tasks_of(), Told(told, 4))
        found.append([(each.gaps.tobytes(), each.solved_at.tobytes()) for each in results])
        assert told == [0, 1, 2, 3, 4]
    assert found[0] == found[1]
    assert files_in(here / "0") == files_in(here / "1") == sorted(each.file for each in tasks_of())


def test_what_is_kept_is_not_run_again(ran: list[str], here: Path) -> None:
    first = run_tasks(tasks_of())
    specs, problems = ["adam:lr=0.1", "sgd:lr=0.1"], ["bowl", "noisy"]
    assert sorted(ran) == [f"{spec} {name}" for spec in specs for name in problems]
    ran.clear()
    again = run_tasks(tasks_of())
    assert not ran
    assert [each.to_bytes() for each in again] == [each.to_bytes() for each in first]
    more = RECIPE.model_copy(
        update={"optimizers": ("sgd:lr=0.1", "sgd:lr=0.1:label=mine", "lion:lr=0.1")}
    )
    partial: list[list[Any]] = []
    results = run_tasks(tasks_of(more), watch=lambda so_far: partial.append(so_far()))
    assert sorted(ran) == ["lion:lr=0.1 bowl", "lion:lr=0.1 noisy"]
    assert results[0] is results[2]
    assert [sum(each is not None for each in seen) for seen in partial] == [4, 5, 6]


def test_a_failure_of_ours_is_told_after_all_others(
    ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_job = module.run_job

    def failing(job: Job) -> Results:
        if job.problem.name == "bowl" and job.spec.name == "sgd":
            raise ZeroDivisionError("by zero")
        return run_job(job)

    monkeypatch.setattr(module, "run_job", failing)
    said = "^sgd on bowl: unexpected ZeroDivisionError: by zero: the results of the others are kept"
    with pytest.raises(OptivizError, match=said):
        run_tasks(tasks_of())
    assert len(ran) == 3
    with pytest.raises(OptivizError, match=said):
        run_tasks(tasks_of())
    assert len(ran) == 3


class Dying(Executor):
    """An executor whose processes die with each job of a problem."""

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        made = Future[Any]()
        if call.args[0].problem.name == "noisy":  # type: ignore[attr-defined]
            made.set_exception(BrokenExecutor("its process died (SIGKILL)"))
        else:
            made.set_result(call())
        return made


def test_a_process_that_dies_loses_its_own_job(ran: list[str]) -> None:
    said = r"on noisy: its process died \(SIGKILL\), and 1 more failed: the results of the others"
    with pytest.raises(OptivizError, match=said), shared_out(Dying()):
        run_tasks(tasks_of())
    assert len(ran) == 2
    run_tasks(tasks_of())
    assert len(ran) == 4


def key_of(spec: str = "sgd", seed: int = 0, **changed: Any) -> str:
    """Return the file of a job on the first problem, with changes."""
    problem = {**SUITE["problems"][0], **changed}  # type: ignore[dict-item]
    recipe = ScoreRecipe(optimizers=spec, suite={**SUITE, "problems": [problem]}, seed=seed)
    return tasks_of(recipe)[0].file


@pytest.mark.parametrize(
    "changed",
    [
        {"spec": "adam"},
        {"spec": "sgd:lr=0.1"},
        {"spec": "lookahead+sgd"},
        {"spec": "momentum:lr=@cosine"},
        {"seed": 1},
        {"surface": "ellipse"},
        {"surface": {"formula": "x**2 + y**2", "domain": "-3:3,-3:3"}, "minimum": 0},
        {"noise": 0.1},
        {"budget": 41},
        {"starts": 3},
        {"tolerance": 0.1},
        {"minimum": -1},
    ],
    ids=str,
)
def test_results_are_of_what_they_depend_on(changed: dict[str, Any]) -> None:
    assert key_of(**changed) != key_of()


def test_results_do_not_depend_on_names(monkeypatch: pytest.MonkeyPatch) -> None:
    first = key_of()
    assert first == key_of(spec="sgd:label=mine:color=red") == key_of(name="other", group="others")
    monkeypatch.setattr(module, "_source_hash", lambda: "another version")
    assert key_of() != first


def test_a_process_with_other_code_gives_no_results(monkeypatch: pytest.MonkeyPatch) -> None:
    task = tasks_of()[0]
    monkeypatch.setattr(module, "_source_hash", lambda: "another version")
    with pytest.raises(OptivizError, match="the process that runs it has other versions of opt"):
        task.call()


def test_results_depend_on_the_file_of_an_optimizer(here: Path) -> None:
    (here / "mine.py").write_text("from helper import C")
    (here / "helper.py").write_text("C = 1")
    spec = "mine.py:Mine"
    first = key_of(spec), invariance_task(parse_spec(spec), 0).file
    (here / "helper.py").write_text("C = 2")
    assert first[0] != key_of(spec)
    assert first[1] != invariance_task(parse_spec(spec), 0).file


def test_tests_of_invariance_are_kept(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [invariance_task(parse_spec("sgd:lr=0.1"), 0)]
    first = run_tasks(tasks)
    monkeypatch.delattr(module, "invariances")
    assert run_tasks(tasks) == first
    assert first[0]["rotation"].passes
