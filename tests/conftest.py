"""Fixtures and helpers that all tests share, and the samples of laws."""

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import settings

from optiviz.cli import cli
from optiviz.objective import Array
from optiviz.optimizers import load_optimizer
from optiviz.optimizers.base import Method, Solver
from optiviz.optimizers.lookup import factory_of
from optiviz.registry import OPTIMIZERS
from optiviz.surfaces.catalogue import load_catalogue
from optiviz.surfaces.formula import formula
from optiviz.surfaces.origins import compiled
from optiviz.surfaces.surface import Surface

settings.register_profile("optiviz", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("optiviz")

Invoke = Callable[..., Result]

if "PYTEST_XDIST_WORKER" not in os.environ:  # all workers share the cache of the tests
    CACHE = TemporaryDirectory(prefix="optiviz-tests-")
    os.environ["XDG_CACHE_HOME"] = CACHE.name

CATALOGUE = load_catalogue().surfaces
FORMULAS = {name: each for name, each in CATALOGUE.items() if each.network is None}
NETWORKS = {name: each for name, each in CATALOGUE.items() if each.network is not None}
SOLVERS = [name for name in OPTIMIZERS if issubclass(load_optimizer(name), Solver)]
FITTING = {
    "residuals": Surface(residuals="x, y, x*y", domain="-3:3,-3:3"),
    "metric": Surface(
        formula="x**2 + y**2 + x**2*y**2", metric="1 + x**2, 0, 0, 1 + y**2", domain="-3:3,-3:3"
    ),
}  # surfaces for methods that need more of their objective than others
FITTED = [name for name in OPTIMIZERS if {*load_optimizer(name).needs} & FITTING.keys()]
STEPPING = [name for name in OPTIMIZERS if name not in [*SOLVERS, *FITTED]]
RATED = [name for name in STEPPING if factory_of(name).rate]
TUNED = [name for name in RATED if factory_of(name).parameters["lr"].default is MISSING]
RECORDED = [name for name in STEPPING if not load_optimizer(name).has_loops]


def fitting_surface(method: Method, usual: Surface) -> Surface:
    """Return a surface that offers what a method needs: the usual one if that is nothing."""
    return next((FITTING[each] for each in method.needs if each in FITTING), usual)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--regenerate",
        action="store_true",
        help="write the golden frames again instead of comparing",
    )
    parser.addoption(
        "--seed",
        type=int,
        help="seed of the samples of laws [default: another one each time]",
    )
    parser.addoption(
        "--share",
        type=int,
        default=1,
        metavar="N",
        help="run every N-th of the cases that are in no sample; which ones depends on the seed",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.option.seed is None:
        of_all_workers = getattr(config, "workerinput", {})
        new = random.SystemRandom().randrange(10_000)
        config.option.seed = of_all_workers.get("seed", new)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give a worker of xdist the seed of all workers."""
    node.workerinput["seed"] = node.config.option.seed


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark all cases of a law but those in its sample as slow, and leave out all but a share."""
    every, left_out = config.option.share, []
    laws: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("sample"):
            laws.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for law, cases in laws.items():
        marker = cases[0].get_closest_marker("sample")
        assert marker is not None
        quick = [case for case in cases if not case.get_closest_marker("slow")]
        chosen = random.Random(f"{config.option.seed} {law}").sample(
            quick, min(*marker.args, len(quick))
        )
        others = [case for case in cases if case not in chosen]
        for number, case in enumerate(others):
            case.add_marker("slow")
            if number % every != config.option.seed % every:
                left_out.append(case)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    terminalreporter.write_line(f"laws were sampled with --seed={config.option.seed}")


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


@pytest.fixture
def closed() -> Iterator[None]:
    """Close the figures that a test has made with pyplot."""
    yield
    from matplotlib import pyplot  # noqa: TID251  only for scripts of users

    pyplot.close("all")


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the full draws with which the writer checks frames, and would mend them."""
    from optiviz.writers.frames import Frames

    monkeypatch.setattr(Frames, "_check", lambda *_, **__: None)
