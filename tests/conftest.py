"""Fixtures and helpers that all tests share."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import settings

from optiviz.cli import cli
from optiviz.objective import Array
from optiviz.optimizers import load_optimizer
from optiviz.optimizers.base import Solver
from optiviz.registry import OPTIMIZERS
from optiviz.surfaces.catalogue import load_catalogue
from optiviz.surfaces.formula import formula
from optiviz.surfaces.origins import compiled

settings.register_profile("optiviz", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("optiviz")

Invoke = Callable[..., Result]

CATALOGUE = load_catalogue().surfaces
FORMULAS = {name: each for name, each in CATALOGUE.items() if each.network is None}
NETWORKS = {name: each for name, each in CATALOGUE.items() if each.network is not None}
SOLVERS = [name for name in OPTIMIZERS if issubclass(load_optimizer(name), Solver)]
STEPPING = [name for name in OPTIMIZERS if name not in SOLVERS]
TUNED = [name for name in STEPPING if name != "newton"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--regenerate",
        action="store_true",
        help="write the golden frames again instead of comparing",
    )


def some(cases: Iterable[Any], each: int) -> list[Any]:
    """Return parameters of which all but every `each`-th one are marked slow."""
    made = [case if hasattr(case, "marks") else pytest.param(case) for case in cases]
    return [
        pytest.param(
            *case.values,
            marks=[*case.marks, pytest.mark.slow] if number % each else case.marks,
            id=case.id,
        )
        for number, case in enumerate(made)
    ]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the cache of tests out of the user's cache folder."""
    folder = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a test its own, empty cache folder, and forget the formulas that were compiled."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    formula.cache_clear()
    compiled.cache_clear()
    return tmp_path / "cache" / "optiviz"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def invoke(here: Path) -> Invoke:
    """Return a function that calls the command line in an empty folder."""
    return lambda *words: CliRunner().invoke(cli, [str(word) for word in words])


def only_file(folder: Path) -> Path:
    """Return the only file in a folder and its subfolders, hidden files included."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == 1, files
    return files[0]


@dataclass
class Slope:
    """A one-dimensional objective with a constant gradient."""

    slope: float
    dim = 1

    def value(self, x: Array) -> Array:
        return self.slope * x[..., 0]

    def gradient(self, x: Array) -> Array:
        return np.full_like(x, self.slope)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        return self.value(x), self.gradient(x)
