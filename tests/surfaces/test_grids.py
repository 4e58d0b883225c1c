"""Grids: every point once, the same numbers whoever evaluates them, and none of them lost."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from conftest import Invoke, only_file

from optiviz.objective import Array
from optiviz.surfaces import grids
from optiviz.surfaces import plane as planes_module
from optiviz.surfaces import weight_plane as module
from optiviz.surfaces.config import PlaneConfig
from optiviz.surfaces.domain import Domain
from optiviz.surfaces.models.python import PythonProblem
from optiviz.surfaces.models.space import ModelPlane
from optiviz.surfaces.network import Architecture, Network, Weight
from optiviz.surfaces.origins import SpaceOrigin
from optiviz.surfaces.plane import Plane
from optiviz.surfaces.surface import Surface
from optiviz.surfaces.weight_plane import WeightPlane
from optiviz.system.cache import write_cached
from optiviz.system.errors import InputError, OptivizError
from optiviz.system.processes import ProcessExecutor
from optiviz.system.workers import shared_out

X, Y = np.linspace(-1, 1, 7), np.linspace(-2, 2, 5)
SIZES = (5, 4, 6, 3)
Loss = Callable[[Array], float]


def made(*bends: str) -> Network:
    random = np.random.default_rng(0)
    shape = Architecture(SIZES, bends or ("sigmoid", "tanh"), "cross-entropy", True)
    return Network(shape, random.normal(size=(11, 5)), np.eye(3)[random.integers(0, 3, 11)])


def drawn(network: Network) -> tuple[Array, Array]:
    """Return an origin and two directions."""
    random = np.random.default_rng(1)
    return random.normal(size=network.dim), random.normal(size=(2, network.dim))


def planes() -> list[Plane]:
    network = made()
    x, directions = drawn(network)
    return [
        Plane(network, x, directions),
        WeightPlane.of(network, x, (Weight(1, 2, 3), Weight(2, 0, 2))),
        WeightPlane.of(network, x, (Weight(2, 1, 3), Weight(2, 0, 2))),
    ]


def of_loss(loss: Loss, dim: int = 3) -> ModelPlane:
    """Return a plane through a loss in Python."""
    problem = PythonProblem(np.ones(dim), loss, lambda x: 2 * x)
    problem.code = "that of a file"
    return ModelPlane(problem, problem.initial, np.eye(2, dim))


def square(x: Array) -> float:
    return float((x**2).sum())


@pytest.mark.parametrize("plane", planes())
@pytest.mark.parametrize("block", [500, 10**7])
@pytest.mark.parametrize("jobs", [None, 1])
def test_a_grid_is_sampled_point_by_point(
    plane: Plane, block: int, jobs: int | None, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    told: list[tuple[int, int]] = []
    with shared_out(jobs):
        losses = grids.sample_grid(plane, X, Y, lambda *done: told.append(done))
    for row, column in itertools.product(range(5), range(7)):
        assert losses[row, column] == pytest.approx(
            float(plane.value(np.array([X[column], Y[row]]))), rel=1e-13
        )
    assert told[-1] == (35, 35) and told == sorted(told)


# The cache ----------------------------------------------------------------------------------------


def test_a_grid_is_kept_and_read_again(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = grids.sample_grid(planes()[0], X, Y)
    monkeypatch.setattr(Plane, "sampled", lambda *_: pytest.fail("sampled again"))
    again = grids.sample_grid(planes()[0], X, Y)
    np.testing.assert_array_equal(again, losses)
    assert again.flags.writeable
    only_file(own_cache)


@pytest.mark.parametrize("content", [b"", b"123", np.zeros(34).tobytes(), np.zeros(36).tobytes()])
@pytest.mark.parametrize("suffix", ["", ".part"])
def test_a_kept_grid_of_another_length_is_sampled_again(
    content: bytes, suffix: str, own_cache: Path
) -> None:
    losses = grids.sample_grid(planes()[0], X, Y)
    kept = only_file(own_cache)
    name = f"grids/{kept.name}"
    kept.unlink()
    write_cached(name + suffix, content)
    np.testing.assert_array_equal(grids.sample_grid(planes()[0], X, Y), losses)


def test_a_kept_grid_depends_on_all_that_it_is_of(own_cache: Path) -> None:
    network = made()
    x, directions = drawn(network)
    planes_and_grids = [
        (Plane(network, x, directions), X),
        (Plane(network, x + 1e-9, directions), X),
        (Plane(network, x, 2 * directions), X),
        (Plane(network, x, directions), 2 * X),
        (Plane(made("tanh", "tanh"), x, directions), X),
        (Plane(Network(network.architecture, -network.inputs, network.targets), x, directions), X),
        (Plane(Network(network.architecture, network.inputs, -network.targets), x, directions), X),
    ]
    for plane, grid in planes_and_grids:
        grids.sample_grid(plane, grid, Y)
    assert len(list((own_cache / "grids").iterdir())) == len(planes_and_grids)


def test_a_model_that_changed_outside_of_its_file_is_evaluated_again(own_cache: Path) -> None:
    held = {"power": 2}

    def loss(x: Array) -> float:
        return float((x ** held["power"]).sum())

    first = grids.sample_grid(of_loss(loss), X, Y)
    held["power"] = 4
    changed = grids.sample_grid(of_loss(loss), X, Y)
    assert (changed != first).any()
    held["power"] = 2
    np.testing.assert_array_equal(grids.sample_grid(of_loss(loss), X, Y), first)


def test_what_is_known_of_a_grid_is_not_evaluated_again(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grids, "SAVED", 0.0)
    calls, fails = [0], [True]

    def loss(x: Array) -> float:
        calls[0] += 1
        if fails[0] and calls[0] > 25:
            raise KeyboardInterrupt
        return square(x)

    with pytest.raises(KeyboardInterrupt):
        grids.sample_grid(of_loss(loss), X, Y)
    assert only_file(own_cache).name.endswith(".part")
    fails[0], calls[0] = False, 0
    told: list[tuple[int, int]] = []
    again = grids.sample_grid(of_loss(loss), X, Y, lambda *done: told.append(done))
    assert 0 < calls[0] < 30
    assert told[0][0] > 12 and told[-1] == (35, 35)
    assert not list(own_cache.rglob("*.part"))
    only_file(own_cache).unlink()
    np.testing.assert_array_equal(again, grids.sample_grid(of_loss(square), X, Y))


# A model that tells each evaluation to a file, and takes 10 ms for it.
COUNTED = """
import time
import numpy as np
import optiviz

def loss(x):
    with open("count", "a") as file:
        file.write(".")
    time.sleep(0.01)
    return float(np.cos(x).sum())

def problem():
    return optiviz.PythonProblem(np.linspace(-1, 1, 6), loss, lambda x: -np.sin(x))
"""
DILIGENT = """
from optiviz.__main__ import main
from optiviz.surfaces import grids
grids.SAVED = 0.05
main()
"""
PLOT = ["plot", "model.py:problem", "--plane", "random", "--resolution", "11", "--size", "300x200"]
PLOT += ["--domain", "-1:1,-1:1"]


def evaluations(folder: Path) -> int:
    count = folder / "count"
    return count.stat().st_size if count.exists() else 0


@pytest.mark.row(49, 51)
@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals as Unix has them")
@pytest.mark.parametrize(
    "jobs", [[], pytest.param(["--jobs", "2"], marks=pytest.mark.slow)], ids=["here", "processes"]
)
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_a_grid_goes_on_where_a_signal_stopped_it(
    sent: signal.Signals,
    jobs: list[str],
    invoke: Invoke,
    here: Path,
    own_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (here / "model.py").write_text(COUNTED)
    running = subprocess.Popen(
        [sys.executable, "-c", DILIGENT, *PLOT, *jobs, "-o", "a.png"], stderr=subprocess.DEVNULL
    )
    while evaluations(here) < 60:
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(sent)
    running.wait(60)
    time.sleep(0.5 if jobs else 0)  # for processes to notice
    assert not (here / "a.png").exists()
    (part,) = own_cache.rglob("*.part")
    many = []
    for name in ("a.png", "b.png"):
        (here / "count").unlink()
        assert invoke(*PLOT, "-o", name).exit_code == 0
        many.append(evaluations(here))
        assert not part.exists()
        monkeypatch.setenv("XDG_CACHE_HOME", str(here / "other"))
    assert 0 < many[0] < many[1]  # what was saved is not evaluated again
    assert 121 < many[1] < 140
    assert (here / "a.png").read_bytes() == (here / "b.png").read_bytes()


# Who evaluates ------------------------------------------------------------------------------------

MODEL = """
import multiprocessing, os
import numpy as np
import optiviz

def problem():
    return optiviz.PythonProblem(np.linspace(-1, 1, 6), loss, np.sin)

def loss(x):
    return np.cos(x).sum()

def dying():
    return optiviz.PythonProblem(np.ones(6), lambda x: os._exit(3) if elsewhere() else 1, np.sin)

def raising():
    return optiviz.PythonProblem(np.ones(6), failing, np.sin)

def failing(x):
    return 1 if (x == 1).all() else int(not elsewhere()) // int(not elsewhere())

def elsewhere():
    return multiprocessing.parent_process() is not None
"""
RANDOM = {"kind": "random", "grid": 15}


def surfaces() -> list[Surface]:
    """Return a model, a network, both on a plane found after a descent, and one of two weights."""
    model = Surface.model_validate({"model": "model.py:problem", "plane": RANDOM})
    declared = {"hidden": [5], "bias": True, "data": "xor"}
    network = Surface.model_validate({"network": declared, "plane": RANDOM})
    weights = network.model_copy(
        update={
            "plane": PlaneConfig.model_validate("layer0.weight[1,1],layer1.weight[0,0]"),
            "domain": None,
        }
    )
    found = []
    for each in (model, network):
        origin = each.origin
        assert isinstance(origin, SpaceOrigin)
        space = origin.space
        directions = np.eye(2, len(space.initial))
        plane = space.plane_through(space.initial + 0.1, directions)
        found.append(each.on_plane(plane, ("a", "b"), each.window))
    return [model, network, *found, weights]


@pytest.mark.slow
def test_processes_give_the_same_bits(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "model.py").write_text(MODEL)
    with ProcessExecutor(2) as processes, ThreadPoolExecutor(2) as threads:
        for number, surface in enumerate(surfaces()):
            found = set()
            for name, jobs in enumerate((1, None, processes, threads)):
                monkeypatch.setenv("XDG_CACHE_HOME", str(here / f"{number}-{name}"))
                with shared_out(jobs):
                    found.add(surface.sample_grid(X, Y).tobytes())
            assert len(found) == 1
        assert processes.submit(len, sys.argv).result()  # it is still open


def test_rows_are_evaluated_by_several_processes(here: Path, own_cache: Path) -> None:
    (here / "model.py").write_text(
        COUNTED.replace('"."', 'f"{os.getpid()} "').replace("import time", "import os, time")
    )
    surface = Surface.model_validate({"model": "model.py:problem", "plane": RANDOM})
    origin = surface.origin
    (here / "count").unlink(missing_ok=True)
    with shared_out(2):
        told: list[tuple[int, int]] = []
        surface.sample_grid(np.linspace(-1, 1, 12), Y, lambda *done: told.append(done))
    assert origin.file_name == "model"
    seen = Counter((here / "count").read_text().split())
    del seen[str(os.getpid())]  # the probes
    assert len(seen) == 2
    assert sum(seen.values()) == 60 + 4  # each process evaluates the start twice
    assert told[-1] == (60, 60) and told == sorted(told)


@pytest.mark.slow
def test_a_process_that_dies_and_a_problem_of_this_program_are_told(
    here: Path, own_cache: Path
) -> None:
    (here / "model.py").write_text(MODEL)
    own = Surface.model_validate({"model": PythonProblem([1.0, 2.0], square, np.sin)})
    x = np.linspace(-0.5, 0.5, 12)
    with shared_out(2):
        with pytest.raises(InputError, match="is a model of this program, which other processes"):
            own.on_plane(
                of_loss(square, 2), ("a", "b"), Domain.model_validate("-1:1,-1:1")
            ).sample_grid(X, Y)
        dying = Surface.model_validate({"model": "model.py:dying", "plane": RANDOM})
        with pytest.raises(
            OptivizError, match=r"^sampling the plane: its process died \(exit code"
        ):
            dying.sample_grid(x, x)
        raising = Surface.model_validate({"model": "model.py:raising", "plane": RANDOM})
        with pytest.raises(InputError, match=r"ZeroDivisionError.*, at \(.*, .*\) of the plane$"):
            raising.sample_grid(x, x)


def test_a_program_that_may_not_bear_threads_is_evaluated_in_one(own_cache: Path) -> None:
    seen = set()

    def loss(x: Array) -> float:
        seen.add(threading.get_ident())
        return square(x)

    grids.sample_grid(of_loss(loss), X, Y)
    assert seen == {threading.get_ident()}


# Memory, and errors -------------------------------------------------------------------------------


def test_a_block_that_memory_is_too_short_for_is_halved(own_cache: Path) -> None:
    class Greedy(ModelPlane):
        def value(self, x: Array) -> Array:
            if len(x) > 1:
                raise MemoryError
            return super().value(x)

    plane = of_loss(square)
    greedy = Greedy(plane.objective, plane.origin, plane.directions)
    expected = grids.sample_grid(plane, X, Y)
    only_file(own_cache).unlink()
    np.testing.assert_array_equal(grids.sample_grid(greedy, X, Y), expected)

    class Hungry(ModelPlane):
        def value(self, x: Array) -> Array:
            raise MemoryError

    hungry = Hungry(plane.objective, plane.origin, plane.directions)
    with pytest.raises(OptivizError, match=r"^memory is too short for the loss at \(0, 0\) of the"):
        grids.sample_grid(hungry, X, Y)


@pytest.mark.parametrize(("dim", "many"), [(10, 4), (16, 2), (40, 1)])
def test_points_of_a_block_take_at_most_so_many_bytes(
    dim: int, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planes_module, "BLOCK", 320)
    blocks = of_loss(square, dim).blocks(9)
    assert blocks[0].stop == many
    assert [place for block in blocks for place in range(9)[block]] == [*range(9)]


def test_the_point_where_a_loss_raises_is_told_and_the_others_are_kept(own_cache: Path) -> None:
    def loss(x: Array) -> float:
        if x[1] > 2.9:
            raise ValueError("too far")
        return square(x)

    with pytest.raises(InputError, match=r"^loss: raised ValueError: too far, at \(-1, 2\) of the"):
        grids.sample_grid(of_loss(loss), X, Y)
    assert only_file(own_cache).name.endswith(".part")


def test_a_model_of_a_changed_file_is_evaluated_again(here: Path, own_cache: Path) -> None:
    capped = "import optiviz\nfrom helping import CAP\ndef problem():\n    return optiviz."
    capped += "PythonProblem([1.0, 1.0], lambda x: min(float(x @ x), CAP), lambda x: 2 * x)\n"
    grids_of = []
    for cap in (1e9, 11.0):  # which none of the probes reaches
        (here / "model.py").write_text(f"# {cap}\n{capped}")
        (here / "helping.py").write_text(f"CAP = {cap}\n")
        sys.modules.pop("helping", None)
        declared = {"model": "model.py:problem", "plane": RANDOM, "domain": "-1:1,-1:1"}
        surface = Surface.model_validate(declared).with_file_hashes()
        grids_of.append(surface.sample_grid(np.linspace(-1, 1, 11), np.linspace(-1, 1, 11)))
    assert grids_of[0].max() > 11
    assert grids_of[1].max() == 11


def test_a_model_of_this_program_is_not_cached(own_cache: Path) -> None:
    problem = PythonProblem([1.0, 2.0], square, np.sin)
    grids.sample_grid(ModelPlane(problem, problem.initial, np.eye(2)), X, Y)
    assert not list(own_cache.rglob("*grids*/*"))
