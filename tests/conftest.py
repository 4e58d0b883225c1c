"""Fixtures and helpers that all tests share, and the samples of laws."""

import functools
import gc
import os
import random
from collections.abc import Callable, Generator, Iterator
from dataclasses import MISSING, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import settings
from matplotlib.backends import backend_agg

from optiviz.cli import cli
from optiviz.objective import Array
from optiviz.optimizers import load_optimizer
from optiviz.optimizers.base import Solver
from optiviz.optimizers.lookup import factory_of
from optiviz.optimizers.spec import parse_spec
from optiviz.registry import FORMATS, OPTIMIZERS
from optiviz.surfaces.catalogue import load_catalogue
from optiviz.surfaces.formula import formula
from optiviz.surfaces.origins import compiled
from optiviz.surfaces.parts import parts_of
from optiviz.surfaces.surface import Surface

settings.register_profile("optiviz", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("optiviz")

Invoke = Callable[..., Result]

if "PYTEST_XDIST_WORKER" not in os.environ:  # all workers share what is set here
    CACHE = TemporaryDirectory(prefix="optiviz-tests-")
    os.environ["XDG_CACHE_HOME"] = CACHE.name
    # Also for processes with a cache of their own: a list of all fonts takes a second.
    os.environ["MPLCONFIGDIR"] = f"{CACHE.name}/matplotlib"
    # Workers use all cores; threads of each would only wait for those of the others.
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

# Formulas in titles take a third of the time of a picture; this keeps them beyond one picture.
backend_agg.MathTextParser = functools.cache(backend_agg.MathTextParser)

CATALOGUE = load_catalogue().surfaces
FORMULAS = {
    name: each for name, each in CATALOGUE.items() if each.formula and not each.has_many_variables
}
FITS = {name: each for name, each in CATALOGUE.items() if each.fit is not None}
NETWORKS = {name: each for name, each in CATALOGUE.items() if each.network is not None}


def needs_rate(name: str) -> bool:
    """Return whether an optimizer has a learning rate without a default."""
    factory = factory_of(name)
    return bool(factory.rate) and factory.parameters[factory.rate].default is MISSING


RUN_FORMATS = [suffix for suffix, form in FORMATS.items() if form.kind != "notebook"]

SOLVERS = [name for name in OPTIMIZERS if issubclass(load_optimizer(name), Solver)]
STEPPING = [name for name in OPTIMIZERS if name not in SOLVERS]
CONSTRAINED = [name for name in OPTIMIZERS if "feasible_set" in load_optimizer(name).needs]
MEASURED = [name for name in OPTIMIZERS if {*load_optimizer(name).needs} & {"residuals", "metric"}]
SHAPED = [name for name in OPTIMIZERS if "matrices" in load_optimizer(name).needs]
FITTED = [*CONSTRAINED, *MEASURED, *SHAPED]
LOOPING = [name for name in STEPPING if load_optimizer(name).has_loops]
RATED = [name for name in STEPPING if factory_of(name).rate]
RANDOM = [name for name in OPTIMIZERS if parse_spec(name).probe().draws(CATALOGUE["wobbly"])]
SAMPLED = [name for name in OPTIMIZERS if "full_batch" in load_optimizer(name).needs]
REPLAYED = ["nelder-mead", *RANDOM, *SAMPLED, *FITTED, *LOOPING]  # by pages, besides the solvers
TUNED = [name for name in STEPPING if needs_rate(name) and name not in REPLAYED]
LIVE = [name for name in STEPPING if name not in REPLAYED]
# Surfaces for methods that need more of their objective than others.
FITTING: dict[str, Surface] = {
    "feasible_set": Surface(
        formula="(x**2 + y**2 - x*y/2)/20",
        domain="-4:4,-4:4",
        start=(2.5, 1.5),
        constraints=("x >= -4", "y >= -4", "x + y <= 8"),  # all points that laws start at
    ),
    "residuals": Surface(residuals="x, y, x*y", domain="-3:3,-3:3"),
    "metric": Surface(
        formula="x**2 + y**2 + x**2*y**2", metric="1 + x**2, 0, 0, 1 + y**2", domain="-3:3,-3:3"
    ),
}


class Halves:
    """A surface as the mean of two samples, which are in every batch."""

    chosen = np.arange(2)
    shares = np.array([[0.5], [1.5]])

    def __init__(self, surface: Surface) -> None:
        self._surface, self.full_batch = surface, self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._surface, name)

    def sample_gradients(self, x: Array) -> Array:
        return self.shares * self._surface.gradient(x)[..., None, :]


class Row:
    """A surface whose two coordinates are a matrix of one row."""

    parts = parts_of([("row", (1, 2))])

    def __init__(self, surface: Surface) -> None:
        self._surface = surface

    def __getattr__(self, name: str) -> Any:
        return getattr(self._surface, name)


def fitting_surface(name: str, usual: Surface) -> Any:
    """Return a surface that offers what a method needs: the usual one if that is nothing."""
    if name in SAMPLED:
        return Halves(usual)
    if name in SHAPED:
        return Row(usual)
    core = name.partition(":")[0].rpartition("+")[2]
    needs = load_optimizer(core).needs if core in OPTIMIZERS else ()
    return next((FITTING[each] for each in needs if each in FITTING), usual)


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
        help="run every N-th of the slow tests of each file; which ones depends on the seed",
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


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep what was imported and collected, which stays, from being looked through for garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark all cases of a law but those in its sample as slow; keep a share of the slow tests."""
    seed, share = config.option.seed, config.option.share
    laws: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("sample"):
            laws.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for law, cases in laws.items():
        marker = cases[0].get_closest_marker("sample")
        assert marker is not None
        quick = [case for case in cases if not case.get_closest_marker("slow")]
        chosen = random.Random(f"{seed} {law}").sample(quick, min(*marker.args, len(quick)))
        for case in cases:
            if case not in chosen:
                case.add_marker("slow")
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("slow"):
            files.setdefault(item.path, []).append(item)
    left_out = set[pytest.Item]()
    for path, slow in files.items():
        first = random.Random(f"{seed} {path.relative_to(config.rootpath)}").randrange(share)
        left_out |= set(slow) - set(slow[first::share])
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


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
def cluster() -> Iterator[Any]:
    """Start a dask cluster of two processes on this machine."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0",
        silence_logs="ERROR",
    ) as started:  # fmt: skip
        yield started


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
