"""Rows 14 to 25 of docs/reliability.md: what a YAML file may hold."""

from pathlib import Path

import pytest
from commands import assert_told, untouched
from conftest import Invoke

import optiviz

JOB = """\
jobs:
  - out: a.json
    surface: bowl
    optimizers: adam:lr=0.1
    size: 300x200
    steps: 2
"""
AT = "jobs.yaml:7:5: jobs.0."  # the place of a line appended to JOB
BOMB = "a0: &a0 [x]\n" + "".join(
    f"a{number + 1}: &a{number + 1} [{f'*a{number},' * 9}]\n" for number in range(12)
)
SAID = "must be"


def row(number: int, *case: object) -> object:
    return pytest.param(*case, marks=pytest.mark.row(number), id=f"{number}-{case[0]!r:.40}")


def added(key: str, *values: str, said: str = SAID) -> list[object]:
    return [row(25, f"{JOB}    {key}: {each}\n", f"{AT}{key}") for each in values]


def instead(line: str, *values: str) -> list[object]:
    key = line.partition(":")[0]
    number = 1 + next(n for n, each in enumerate(JOB.splitlines()) if each.strip() == line)
    place = f"jobs.yaml:{number}:5: jobs.0.{key}: "
    return [row(25, JOB.replace(line, f"{key}: {each}"), place) for each in values]


@pytest.mark.sample(12)
@pytest.mark.parametrize(
    ("text", "said"),
    [
        row(16, f"{JOB}    steps: 3\n", 'jobs.yaml:7:5: found duplicate key'),
        row(17, f"{JOB}    stpes: 3\n", f"{AT}stpes: unknown key 'stpes': did you mean 'steps'?"),
        row(18, f"{JOB}\ttitle: a\n", "jobs.yaml:7:1: while scanning for the next token, found ch"),
        row(19, f'{JOB}    title: "a\n', "jobs.yaml:7:12: while scanning a quoted scalar, found"),
        row(20, f"{JOB}    title: !!python/object/apply:os.system [ls]", "os.system is not allow"),
        row(20, f"{JOB}    title: !!python/object:os.system x", "jobs.yaml:7:12: the tag python/"),
        row(21, BOMB, "jobs.yaml: more than 100000 values, with aliases expanded"),
        row(21, "jobs: &a [*a]", "jobs.yaml: more than 100000 values, with aliases expanded"),
        row(22, "[" * 200_000, "jobs.yaml: nested too deeply to be read"),
        row(22, "{a: " * 3000, "jobs.yaml: nested too deeply to be read"),
        row(23, JOB.encode("utf-16"), "jobs.yaml: not UTF-8 text"),
        row(23, JOB.encode() + b"    title: \xff\n", "jobs.yaml: not UTF-8 text"),
        row(23, JOB.encode() + b"    title: a\0b\n", "jobs.yaml: not valid YAML: unaccep"),
        row(24, "", "jobs.yaml: a batch must be a mapping with jobs: and, op"),
        row(24, "- a\n", "jobs.yaml:1:1: a batch must be a mapping with jobs: and, op"),
        row(24, f"{JOB}---\n{JOB}", "jobs.yaml:7:1: expected a single document in the stream"),
        row(24, "jobs: []\n", "jobs.yaml:1:1: jobs: must be a list of jobs"),
        *added("lr", ".nan", ".inf", "-.inf", "-1", "0", "-0.0", "1" + "0" * 400, "true"),
        *added("fps", ".nan", ".inf", "-1", "0", "1e300"),
        *added("duration", ".nan", ".inf", "-1", "0", "1e300"),
        *added("seed", ".nan", ".inf", "-1", "0.5", "1e300"),
        row(25, f"{JOB}    starts: [[.nan, 1]]\n", "jobs.yaml:7:15: jobs.0.starts.0.0: must"),
        *added("domain", "-1e300:1e300,-1:1", "1:1,2:3", ".nan:1,1:2", "0:1e-320,0:1", "3"),
        *instead("steps: 2", ".nan", ".inf", "-1", "0", "2.5", "1e9", "1e400"),
        *instead("size: 300x200", "0x0", "-1x5", "1x1", "99999x99999", ".nan", "300"),
        *instead("optimizers: adam:lr=0.1", "adam:lr=nan", "adam:lr=-1", "adam:beta1=1"),
    ],
)  # fmt: skip
def test_a_hostile_batch_is_refused(
    text: str | bytes, said: str, invoke: Invoke, here: Path
) -> None:
    (here / "jobs.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with untouched(here):
        assert_told(invoke("batch", "jobs.yaml"), 2, said)


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        row(14, f"{JOB}    lr: 1e-3\n", "lr", 0.001),
        row(15, f"{JOB}    title: on\n", "title", "on"),
        row(23, b"\xef\xbb\xbf" + JOB.encode(), "steps", 2),
        row(23, JOB.replace("\n", "\r\n"), "steps", 2),
        row(25, f"{JOB}    lr: 5e-324\n", "lr", 5e-324),
        row(25, f"{JOB}    seed: 1{'0' * 400}\n", "seed", 10**400),
    ],
)
def test_what_is_odd_but_right_is_read(
    text: str | bytes, field: str, value: object, here: Path
) -> None:
    (here / "jobs.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    (job,) = optiviz.load_jobs("jobs.yaml")
    assert getattr(job.recipe, field) == value


CATALOGUES = {
    "dip: {formula: x**2": "own.yaml",
    "dip: {formula: x**2, domain: '-1:1', formula: x}": '1:38: found duplicate key "formula"\n',
    "dip: a: b": "1:7: mapping values are not allowed here: put a text that has ': ' in quotation",
    'dip: "\\lambda"': "character 'l': between double quotes, write \\\\ for \\, or",
    "\tdip: 3": "that cannot start any token: indent with spaces",
    "dip: {formula: x**2, domain: '-1:1', domian: 3}": "did you mean 'domain'?",
    "dip: !!python/name:os.system": "os.system is not allowed",
    "- dip": "own.yaml",
    "dip: {formula: 'open(1)', domain: '-1:1'}": "unknown function 'open'",
    "dip: {formula: x**2, domain: '-1:1', steps: .inf}": "own.yaml:1:38: dip.steps: must be",
    "[" * 5000: "nested too deeply",
}


@pytest.mark.sample(4)
@pytest.mark.row(16, 17, 19, 20, 22, 24, 25)
@pytest.mark.parametrize("text", CATALOGUES, ids=lambda text: text[:40])
def test_a_hostile_catalogue_is_refused(text: str, invoke: Invoke, here: Path) -> None:
    (here / "own.yaml").write_text(text)
    with untouched(here):
        result = invoke("run", "--surfaces", "own.yaml", "--surface", "dip", "--opt", "adam")
    assert_told(result, 2, CATALOGUES[text])
    assert "own.yaml" in result.stderr
