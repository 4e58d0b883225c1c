"""CONTRIBUTING: the code blocks of each example, used verbatim, add one thing to a copy."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from optiviz.optimizers.base import Method

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
ADDING = TEXT[TEXT.index("## Add one thing") : TEXT.index("## Principles")]
WALKS: dict[str, str] = dict(
    re.findall(r"^\*\*(An? \w+)[\w ]*\*\*(.*?)(?=^\*\*|\Z)", ADDING, re.M | re.S)
)
PLACE = re.compile(r"# (\S+)(?:, in (\w+))?\n(.*)", re.S)


def add(folder: Path, block: str) -> None:
    """Apply a code block: a new file, text at the end of a file, or a line of a table."""
    found = PLACE.match(block)
    assert found, block
    path, table, text = folder / found[1], found[2], found[3]
    if table:
        before = path.read_text("utf-8")
        begin = f"{table} = {{\n"
        assert before.count(begin) == 1
        path.write_text(before.replace(begin, begin + text), "utf-8")
    else:
        path.write_text((path.read_text("utf-8") if path.exists() else "") + text, "utf-8")


def call(house: Path, work: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the command line of a copy of the package."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "optiviz", *words],
        env=os.environ | {"PYTHONPATH": str(house)},
        **{"cwd": work, "capture_output": True, "text": True, "timeout": 120},
    )


# What follows from the others, or from the fields of a method.
DERIVED = {"rate", "hyperparameters", "rate_at", "settings", "with_schedule", "check_set"}
DERIVED |= {"has_sketch", "has_ball"}


def test_the_table_has_all_that_a_method_may_say_of_itself() -> None:
    rows = [line.split("|")[1] for line in WALKS["An optimizer"].splitlines() if "|" in line]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == {name for name in vars(Method) if name[0] != "_"} - DERIVED


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", WALKS)
def test_a_walk_adds_one_thing(name: str, tmp_path: Path) -> None:
    house = tmp_path / "house"
    shutil.copytree(ROOT / "optiviz", house / "optiviz")
    shutil.copy(ROOT / "surfaces.yaml", house)
    shutil.copytree(ROOT / "lessons", house / "lessons")
    shutil.copytree(ROOT / "suites", house / "suites")
    work = tmp_path / "work"
    work.mkdir()
    for kind, block in re.findall(r"```(\w+)\n(.*?)```", WALKS[name], re.S):
        if kind != "sh":
            add(house, block)
            continue
        program, *words = shlex.split(block)
        assert program == "optiviz"
        ended = call(house, work, *words)
        assert (ended.returncode, ended.stderr) == (0, "")
        if "-o" in words:
            assert (work / words[-1]).stat().st_size > 100
            assert call(house, work, "inspect", words[-1]).stdout.count(f"kind: {words[0]}") == 1
        else:
            assert ended.stdout


def test_there_is_a_walk_for_each_kind() -> None:
    kinds = {
        "surface",
        "optimizer",
        "theme",
        "view",
        "kind",
        "format",
        "command",
        "lesson",
        "suite",
    }
    assert {name.split()[1] for name in WALKS} == kinds


def test_the_map_names_every_room() -> None:
    house = ROOT / "optiviz"
    rooms = {f"{each.parent.name}/" for each in house.glob("*/__init__.py")}
    rooms |= {each.name for each in house.glob("*.py") if not each.name.startswith("__")}
    told = {
        each
        for row in re.findall(r"^\| (`.*?) \|", TEXT, re.M)
        for each in re.findall(r"`([^`]+)`", row)
    }
    assert rooms <= told


def test_every_script_is_told_and_is_one_verb() -> None:
    scripts = {each.name for each in (ROOT / "scripts").iterdir()}
    assert scripts == set(re.findall(r"^\| `scripts/(\w+)`", TEXT, re.M))
    for name in scripts:
        text = (ROOT / "scripts" / name).read_text("utf-8")
        assert text.startswith("#!/usr/bin/env ")
        assert os.access(ROOT / "scripts" / name, os.X_OK)
