"""`optiviz batch` and `optiviz schema`, and batches that are interrupted or lose a process."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from commands import OPTIVIZ
from conftest import Invoke
from PIL import Image

import optiviz
from optiviz.cli import cli

SMALL = "defaults: {size: 240x160, steps: 3, optimizers: 'adam:lr=0.1'}\n"
THREE = (
    SMALL
    + """\
jobs:
  - {surface: bowl, out: o/a.gif}
  - {surface: wobbly, out: [o/b.png, o/b.json]}
  - {surface: beale, name: third, out: o/c.svg}
"""
)
FAILING = (
    SMALL
    + """\
jobs:
  - {surface: bowl, out: a.gif}
  - {surface: bowl, title: "\\U0001F9FF", name: odd, out: b.gif}
  - {surface: bowl, out: folder.png}
  - {surface: wobbly, out: d.json}
"""
)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.slow
def test_a_batch_is_made_and_then_up_to_date(invoke: Invoke, here: Path) -> None:
    (here / "jobs.yaml").write_text(THREE)
    result = invoke("batch", "jobs.yaml", "--jobs", "2")
    assert (result.exit_code, result.stdout) == (0, "3 made\n")
    lines = [line.rpartition(" (")[0] for line in result.stderr.splitlines()]
    assert sorted(lines) == ["made o/a.gif", "made o/b.png o/b.json", "made o/c.svg"]
    assert sorted(files(here / "o")) == ["a.gif", "b.json", "b.png", "c.svg"]
    before = files(here / "o")
    result = invoke("batch", "jobs.yaml")
    assert (result.exit_code, result.stdout) == (0, "3 up to date\n")
    assert invoke("batch", "jobs.yaml", "--force", "-q", "-j", "1").output == ""
    assert files(here / "o") == before


def test_a_batch_may_come_from_the_standard_input(here: Path) -> None:
    result = CliRunner().invoke(cli, ["batch", "-", "--only", "third", "-j", "1"], input=THREE)
    assert (result.exit_code, result.stdout) == (0, "1 made\n")
    wrong = CliRunner().invoke(cli, ["batch", "-"], input=THREE.replace("bowl", "bowel"))
    assert (wrong.exit_code, wrong.stderr) == (
        2, "optiviz: stdin:3:6: jobs.0.surface: unknown surface 'bowel': did you mean 'bowl'?\n"
    )  # fmt: skip
    odd = CliRunner().invoke(cli, ["batch", "-"], input=b"\xff\xfe")
    assert (odd.exit_code, odd.stderr) == (2, "optiviz: stdin: not UTF-8 text\n")


@pytest.mark.parametrize(
    ("only", "made"),
    [(["a.json"], "a"), pytest.param(["a,third", "[ab]"], "abc", marks=pytest.mark.slow)],
)
def test_only_some_jobs_are_made(only: list[str], made: str, invoke: Invoke, here: Path) -> None:
    (here / "jobs.yaml").write_text(
        SMALL + "jobs:\n- {matrix: {surface: [bowl]}, name: a, out: a.json}\n"
        "- {surface: bowl, out: b.json}\n- {surface: bowl, name: third, out: c.json}\n"
    )
    words = [word for name in only for word in ("--only", name)]
    assert invoke("batch", "jobs.yaml", *words, "-q", "-j", "1").exit_code == 0
    assert {path.stem for path in here.glob("*.json")} == set(made)


def test_a_run_that_went_wrong_is_remarked_on(invoke: Invoke, here: Path) -> None:
    (here / "jobs.yaml").write_text(
        "jobs:\n- {surface: beale, optimizers: 'sgd:lr=10', out: a.json}\n"
        "- {surface: bowl, optimizers: 'sgd:lr=0.1', out: b.json}\n"
    )
    result = invoke("batch", "jobs.yaml", "--jobs", "1", "--report", "r.json")
    assert result.exit_code == 0
    (line,) = (line for line in result.stderr.splitlines() if ";" in line)
    assert line.startswith("made a.json (") and "; sgd diverged at step " in line
    report = json.loads((here / "r.json").read_text())
    assert [len(each["remarks"]) for each in report] == [1, 0]


def test_a_dry_run_says_what_would_be_made(invoke: Invoke, here: Path) -> None:
    (here / "jobs.yaml").write_text(THREE)
    result = invoke("batch", "jobs.yaml", "--dry-run", "--jobs", "1")
    *lines, last = result.stdout.splitlines()
    assert lines == ["o/a.gif  4 frames", "o/b.png o/b.json", "o/c.svg"]
    assert last.startswith("3 to render, 0 up to date: about ")
    assert last.endswith(" s on 1 process, estimated from a")
    assert list(here.iterdir()) == [here / "jobs.yaml"]
    assert invoke("batch", "jobs.yaml", "-q", "-j", "1").exit_code == 0
    assert invoke("batch", "jobs.yaml", "--dry-run").stdout == "all 3 up to date\n"


def test_a_failure_is_named_and_stops_no_other(invoke: Invoke, here: Path) -> None:
    (here / "jobs.yaml").write_text(FAILING)
    (here / "folder.png").mkdir()
    result = invoke("batch", "jobs.yaml", "-j", "1", "--report", "r/report.json")
    assert (result.exit_code, result.stdout) == (1, "2 made, 2 failed\n")
    assert result.stderr.splitlines()[-3:] == [
        "optiviz: 2 of 4 jobs failed",
        "odd: '\U0001f9ff': no font on this machine has \U0001f9ff",
        "folder: folder.png is a directory",
    ]
    report = json.loads((here / "r" / "report.json").read_text())
    assert [each["status"] for each in report] == ["made", "failed", "failed", "made"]
    assert report[0] == {
        "name": "a", "out": ["a.gif"], "status": "made", "frames": 4,
        "seconds": report[0]["seconds"], "cause": None, "remarks": [],
    }  # fmt: skip
    assert report[0]["seconds"] > 0
    assert report[2]["cause"] == "folder.png is a directory"


@pytest.mark.sample(3)
@pytest.mark.row(55)
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["none.yaml"], 2, "none.yaml: No such file or directory"),
        (["jobs.yaml", "--only", "thrid"], 2, "--only: unknown job 'thrid': did you mean 'third'?"),
        (["jobs.yaml", "--jobs", "0"], 2, "--jobs: must be between 1 and 1024"),
        (
            ["jobs.yaml", "--jobs", "2", "--scheduler", "tcp://a:1"],
            2,
            "--jobs cannot be combined with --scheduler",
        ),
        (["jobs.yaml", "--scheduler", "nowhere"], 2, "--scheduler: 'nowhere': missing port"),
        (["jobs.yaml", "--scheduler", "tcp://127.0.0.1:1"], 1, "no answer from tcp://127"),
        (["jobs.yaml", "--report", "."], 2, "--report: . is a directory"),
        (["jobs.yaml", "--report", "jobs.yaml/x"], 2, "--report: jobs.yaml/x cannot be written: "),
        (["jobs.yaml", "--report", "jobs.yaml"], 2, "--report: jobs.yaml is the batch file or"),
        (["jobs.yaml", "--report", "o/b.json"], 2, "--report: o/b.json is the batch file or"),
        (
            ["jobs.yaml", "--report", "r", "--dry-run"],
            2,
            "--report cannot be combined with --dry-run",
        ),
    ],
)
def test_a_mistake_is_told_in_one_sentence(
    words: list[str],
    code: int,
    said: str,
    invoke: Invoke,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("optiviz.system.processes.CONNECT_TIMEOUT", 0.5)
    (here / "jobs.yaml").write_text(THREE)
    result = invoke("batch", *words)
    assert result.exit_code == code
    assert said in result.stderr and result.stderr.count("\n") == 1
    assert not (here / "o").exists()


MANY = (
    SMALL
    + """\
jobs:
  - matrix: {seed: [0, 1, 2, 3, 4, 5, 6, 7], surface: [bowl, wobbly]}
    steps: 60
    out: o/{surface}-{seed}.gif
"""
)


def children(process: int) -> list[int]:
    """Return the child processes that draw."""
    found = Path(f"/proc/{process}/task").glob("*/children")
    numbers = [int(each) for path in found for each in path.read_text().split()]
    return [each for each in numbers if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]


@pytest.fixture
def running(here: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start a batch of 16 jobs on two processes, and wait until the first files are written."""
    (here / "many.yaml").write_text(MANY)
    with subprocess.Popen(
        [*OPTIVIZ, "batch", "many.yaml", "--jobs", "2"], text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as batch:  # fmt: skip
        while not (here / "o").exists() or len([*(here / "o").glob("[a-z]*.gif")]) < 3:
            assert batch.poll() is None
            time.sleep(0.02)
        yield batch


def assert_whole(folder: Path) -> int:
    """Assert that all files in a folder are complete and have a recipe; return their number."""
    paths = [*folder.iterdir()]
    for path in paths:
        optiviz.load_recipe(path)
        with Image.open(path) as image:
            for number in range(image.n_frames):
                image.seek(number)
                image.load()
    return len(paths)


needs_proc = pytest.mark.skipif(not Path("/proc").exists(), reason="looks into /proc")


@pytest.mark.row(53)
@pytest.mark.slow
@needs_proc
def test_a_killed_process_loses_its_job_alone(
    running: "subprocess.Popen[str]", invoke: Invoke, here: Path
) -> None:
    worker = children(running.pid)[0]
    os.kill(worker, signal.SIGKILL)
    stdout, stderr = running.communicate(timeout=120)
    lost = stderr.count(": its process died (SIGKILL)") // 2  # reported at once, and at the end
    assert lost <= 1  # 0 if the process was between two jobs
    assert running.returncode == lost
    assert stdout == ("15 made, 1 failed\n" if lost else "16 made\n")
    assert assert_whole(here / "o") == 16 - lost
    again = invoke("batch", "many.yaml", "-q")
    assert again.exit_code == 0
    assert assert_whole(here / "o") == 16


@pytest.mark.row(51)
@pytest.mark.slow
@needs_proc
def test_a_killed_batch_goes_on_where_it_stopped(
    running: "subprocess.Popen[str]", invoke: Invoke, here: Path
) -> None:
    workers = children(running.pid)
    running.kill()
    running.communicate()
    made = assert_whole(here / "o")
    assert 3 <= made < 16
    result = invoke("batch", "many.yaml")
    assert result.stdout == f"{made} up to date, {16 - made} made\n"
    assert assert_whole(here / "o") == 16
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


@pytest.mark.slow
def test_a_cluster_makes_the_same_bytes(cluster: Any, invoke: Invoke, here: Path) -> None:
    (here / "jobs.yaml").write_text(
        SMALL + "jobs:\n- matrix: {surface: [bowl, wobbly]}\n"
        "  out: ['o/{surface}.gif', 'o/{surface}.mp4', 'o/{surface}.json']\n"
        "- {kind: response, signal: spikes, optimizers: adam, out: o/r.pdf}\n"
        '- {surface: bowl, title: "\\U0001F9FF", name: odd, out: o/x.gif}\n'
    )
    result = invoke("batch", "jobs.yaml", "--scheduler", cluster.scheduler_address)
    assert (result.exit_code, result.stdout) == (1, "3 made, 1 failed\n")
    assert "odd: '\U0001f9ff': no font" in result.stderr
    there = files(here / "o")
    assert len(there) == 7
    assert invoke("batch", "jobs.yaml", "--force", "-q").exit_code == 1
    assert files(here / "o") == there
    assert invoke("batch", "jobs.yaml", "--scheduler", cluster.scheduler_address).stdout == (
        "3 up to date, 1 failed\n"
    )


def test_the_schema_is_one_and_says_what_fields_are(invoke: Invoke) -> None:
    schema = json.loads(invoke("schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    run = schema["$defs"]["run"]["properties"]
    assert "orbit" in run and run["fps"]["description"].startswith("Frames per second.")
    assert run["theme"]["anyOf"][0]["enum"] == ["light", "dark", "article"]
    undescribed = {name for name, field in run.items() if "description" not in field}
    assert undescribed <= {"kind", "random_starts"}
