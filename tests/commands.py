"""The command line as a real process, and what all its error messages have in common."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

OPTIVIZ = [sys.executable, "-m", "optiviz"]
SMALL = ["--size", "300x200", "-q"]
RUN = ["run", "--surface", "bowl", "--opt", "adam:lr=0.1", "--steps", "5", *SMALL]

# An optimizer of a user that cannot walk arrays of runs.
SERIAL_OPTIMIZER = """
import math
import time

class Plain:
    def __init__(self, lr):
        self.lr = math.sqrt(lr)

    def init(self, x):
        return None

    def step(self, objective, x, nothing):
        return x - self.lr * objective.gradient(x), nothing
"""

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")

# Root can write anywhere, unless these capabilities are dropped.
POWERLESS = (
    ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    if hasattr(os, "geteuid") and os.geteuid() == 0
    else []
)
needs_powerless = pytest.mark.skipif(
    bool(POWERLESS) and shutil.which("setpriv") is None, reason="runs as root without setpriv"
)


@dataclass(frozen=True)
class Ended:
    """The result of a process, with the names of the results of Click's runner."""

    exit_code: int
    stdout: str
    stderr: str


def call(
    *words: object,
    within: Sequence[str] = (),
    settings: Mapping[str, str | None] | None = None,
    **more: Any,
) -> Ended:
    """Run the command line as a process, optionally wrapped in another program.

    settings are environment variables; None removes one.
    """
    changed = os.environ | {"PYTHONUNBUFFERED": None} | (settings or {})  # as for users
    ended = subprocess.run(
        [*within, *OPTIVIZ, *map(str, words)],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 120} | more,
        env={key: value for key, value in changed.items() if value is not None},
    )
    stdout, stderr = (
        (each or b"").decode(errors="replace") for each in (ended.stdout, ended.stderr)
    )
    return Ended(ended.returncode, stdout, stderr)


def assert_told(ended: Ended | Result, code: int, said: str) -> None:
    """Assert that a call ended with this exit code and a single sentence that contains `said`."""
    assert ended.exit_code == code, ended.stderr
    assert ended.stderr.startswith("optiviz: ")
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1, "one sentence, and no traceback"
    assert ended.stderr[:-1].isprintable()
    assert "--debug" not in ended.stderr, "an expected error"


@contextmanager
def untouched(folder: Path) -> Iterator[None]:
    """Assert that the files in a folder are the same afterwards."""
    before = _content(folder)
    yield
    assert _content(folder) == before


def _content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
