"""The cache folder: whatever is wrong with a file in it costs nothing but time."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from commands import call
from conftest import FORMULAS, Invoke

from optiviz.objective import Array
from optiviz.surfaces import grids
from optiviz.surfaces.code import compile_code
from optiviz.surfaces.formula import formula
from optiviz.surfaces.network import Architecture, Network
from optiviz.surfaces.origins import compiled
from optiviz.surfaces.plane import Plane
from optiviz.surfaces.syntax import AXES
from optiviz.system.cache import read_cached, write_cached

X, Y = np.linspace(-1, 1, 7), np.linspace(-2, 2, 5)


def grid() -> Array:
    """Return the values of a network on a grid."""
    network = Network(Architecture((2, 3, 1), ("tanh",)), np.eye(2), np.ones((2, 1)))
    at = network.architecture.initial("normal", 0)
    plane = Plane(network, at, np.eye(2, len(at)))
    return grids.sample_grid(plane, X, Y)


def slopes() -> Array:
    """Return the values of a formula that has not been compiled yet."""
    formula.cache_clear()
    return formula("x*y**2 + max(x, sin(y))", AXES).gradient(np.array([[1.0, 2.0], [3.0, -1.0]]))


CACHED = [grid, slopes]


def flipped(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


def as_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def as_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def of_another_user(file: Path) -> None:
    try:
        os.chown(file, 12345, -1)
    except PermissionError:
        pytest.skip("only root can give a file away")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "it is damaged": flipped,
    "it is damaged ": lambda file: file.write_bytes(b""),
    "it is damaged  ": lambda file: file.write_bytes(file.read_bytes()[:-3]),
    "it is not a regular file": as_pipe,
    "directory": as_folder,
    "it belongs to another user": of_another_user,
}


@pytest.mark.row(56)
@pytest.mark.sample(6)
@pytest.mark.parametrize("made", CACHED)
@pytest.mark.parametrize("why", DAMAGES)
def test_a_file_that_is_not_as_it_was_written_is_ignored(
    why: str, made: Callable[[], Array], own_cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = made()
    files = list(own_cache.rglob("*/*"))
    assert files
    for file in files:
        DAMAGES[why](file)
    with caplog.at_level("DEBUG"):
        np.testing.assert_array_equal(made(), expected)
    assert why.strip() in caplog.text
    assert all(str(file) in caplog.text for file in files)
    caplog.clear()
    if why != "directory":  # which no file can replace
        np.testing.assert_array_equal(made(), expected)
        assert not caplog.text


@pytest.mark.parametrize("made", CACHED)
def test_a_folder_that_cannot_be_written_is_told_to_who_debugs(
    made: Callable[[], Array],
    own_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    expected = made()
    file = own_cache / "file"
    file.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    with caplog.at_level("DEBUG"):
        np.testing.assert_array_equal(made(), expected)
    assert "nothing is cached: " in caplog.text


HOSTILE = [
    "", "[", "x", "x; [y]", "[x] + [y]", "y0 = x\n[y0]", "[x0]", "x = 2\n[x]", "sin = x\n[x]",
    "import os\n[x]", "[__import__('os')]", "[x.real]", "[().__class__]", "[(lambda: x)()]",
    "[x for x in y]", "['a']", "[f'{x}']", "[x[0]]", "[sin(x, out=y)]", "[sin(*x)]", "[open(x)]",
    "[maximum.reduce(x)]", "[(z := x)]", "x0 = x1 = x\n[x0]", "x0: int = x\n[x0]",
    "[x if y else x]", "[x @ y]", "[x % y]", "[x < y]", "[x and y]", "def f(): ...\n[x]",
    "[yield x]", "[...]", "[None]", "x0 += x\n[x0]", "[*x]", "while x: pass\n[x]", "[not x]",
    "(" * 400 + "x" + ")" * 400,
]  # fmt: skip


@pytest.mark.parametrize("code", HOSTILE)
def test_only_code_that_a_formula_can_have_is_compiled(code: str, own_cache: Path) -> None:
    with pytest.raises(ValueError, match="not valid code"):
        compile_code(code, 2)
    expected = slopes()
    (file,) = [each for each in own_cache.rglob("*/*") if b"not_below" in each.read_bytes()]
    name = f"formulas/{file.name}"
    whole = read_cached(name)
    write_cached(name, code.encode())  # with the right digest
    np.testing.assert_array_equal(slopes(), expected)
    assert read_cached(name) == whole


def test_a_long_sum_is_compiled_again(own_cache: Path) -> None:
    text = " + ".join(["sin(x*y)*x"] + [f"x**{number % 9}*y/{number + 1}" for number in range(100)])
    expected = formula(text, AXES).gradient(np.ones(2))
    formula.cache_clear()
    np.testing.assert_array_equal(formula(text, AXES).gradient(np.ones(2)), expected)


def test_a_formula_is_parsed_and_differentiated_once(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, results = np.array([[0.3, 1.2]]), []
    for _ in range(2):
        formula.cache_clear()
        compiled.cache_clear()
        wobbly = FORMULAS["wobbly"]
        found = [wobbly.value(at), wobbly.gradient(at), wobbly.hessian(at)]
        results.append([*found, *wobbly.value_and_gradient(at), wobbly.to_dict()["gradient"]])
        monkeypatch.setattr(
            "optiviz.surfaces.derivation.derive", lambda *_: pytest.fail("derived again")
        )
    for first, second in zip(*results, strict=True):
        np.testing.assert_array_equal(first, second)


def test_what_a_formula_cannot_be_is_refused_each_time(own_cache: Path) -> None:
    for _ in range(2):
        formula.cache_clear()
        with pytest.raises(ValueError, match="'z' is not a variable"):
            formula("x + z", AXES)
        with pytest.raises(ValueError, match="derivatives are too long"):
            formula("*".join(f"sin(x + {n}*y)" for n in range(100)), AXES).hessian(np.ones(2))
    assert all(read_cached(f"formulas/{each.name}") for each in own_cache.rglob("*/*"))


@pytest.mark.slow
def test_who_debugs_is_told_and_others_are_not(invoke: Invoke, here: Path, own_cache: Path) -> None:
    words = ["run", "--surface", "bowl", "--opt", "adam", "--steps", "3", "-o", "a.json"]
    first = invoke(*words)
    for debugging in ([], ["--debug"]):
        for file in own_cache.rglob("*/*"):
            flipped(file)
        ended = call(*words, *debugging)
        assert (ended.exit_code, ended.stdout) == (0, first.stdout)
        assert (f"{own_cache}/formulas/" in ended.stderr) == bool(debugging)
        assert ended.stderr.count("is ignored: it is damaged\n") == ended.stderr.count("\n")
