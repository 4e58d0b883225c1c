"""What all tests share."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import settings

from optiviz.cli import cli

settings.register_profile("optiviz", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("optiviz")

Invoke = Callable[..., Result]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--regenerate",
        action="store_true",
        help="write the golden frames anew instead of comparing",
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty folder the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def invoke(here: Path) -> Invoke:
    """Call the command line in an empty folder."""
    return lambda *words: CliRunner().invoke(cli, [str(word) for word in words])


def only_file(folder: Path) -> Path:
    """Return the one file beneath a folder; hidden ones count."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == 1, files
    return files[0]
