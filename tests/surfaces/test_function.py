"""Python functions as surfaces: exact gradients if symbols can be used, else differences."""

from pathlib import Path

import numpy as np
import pytest
from conftest import Invoke

import optiviz
from optiviz.surfaces.surface import Surface

FILE = """
import math

import numpy as np

def smooth(x, y):
    return np.sin(x) * np.cos(y) + 0.1 * (x**2 + y**2)

def kinked(x, y):
    return np.maximum(np.abs(x), 2 * y) + np.hypot(x, y + 3) - np.sqrt(1 + x**2)

def branching(x, y):
    return np.where(x > 0, x**2, -x) + y**2

def looked_up(x, y):
    return np.interp(y, [-9, 9], [-9, 9]) ** 2 + np.exp(x / 2)

def curve(x):
    return x**3 - 2 * x

def changing(x, y):
    return x**2 if isinstance(x, np.ndarray) else y

def flat(x, y):
    return 3

def scalar(x, y):
    return x if x > 0 else y

def math_only(x, y):
    return math.sin(x)

def wide(x, y):
    return np.zeros(7)

def words(x, y):
    return "deep"

def raising(x, y):
    raise RuntimeError("not here")

def three(x, y, z):
    return x

def nobody(*points):
    return 0

number = 3
"""


@pytest.fixture(autouse=True)
def file(here: Path) -> Path:
    path = here / "own.py"
    path.write_text(FILE)
    return path


EXACT = {"smooth": True, "kinked": True, "branching": False, "looked_up": False, "curve": True}


@pytest.mark.parametrize("name", EXACT)
def test_gradients_are_slopes(name: str) -> None:
    surface = optiviz.load_surface(f"own.py:{name}")
    points = np.random.default_rng(1).uniform(-2.9, 2.9, (50, surface.dim))
    how = "exact gradient" if EXACT[name] else "gradient by differences of order 4"
    assert surface.caption == f"own.py:{name}, {how}"
    value, gradient = surface.value_and_gradient(points)
    np.testing.assert_array_equal(value, surface.value(points))
    for axis in range(surface.dim):
        apart = np.zeros(surface.dim)
        apart[axis] = 1e-6
        slope = (surface.value(points + apart) - surface.value(points - apart)) / 2e-6
        np.testing.assert_allclose(gradient[:, axis], slope, atol=2e-7)
        bend = (surface.gradient(points + apart) - surface.gradient(points - apart)) / 2e-6
        np.testing.assert_allclose(surface.hessian(points)[..., axis], bend, atol=3e-4)
    middle = surface.gradient(np.zeros(surface.dim))
    beside = surface.gradient(np.full(surface.dim, 1e-7))
    assert name == "kinked" or np.allclose(middle, beside, atol=1e-3)
    grid = points.reshape(5, 10, surface.dim)
    np.testing.assert_array_equal(surface.gradient(grid).reshape(points.shape), gradient)
    np.testing.assert_allclose(surface.gradient(points[0]), gradient[0], rtol=1e-12)


def test_differences_are_of_the_order_that_is_said() -> None:
    surface = optiviz.load_surface("own.py:looked_up")
    x = np.array([[1.0, 2.0]])
    np.testing.assert_allclose(
        surface.gradient(x), [[np.exp(0.5) / 2, 4.0]], rtol=1e-11, atol=1e-11
    )


def test_the_same_as_its_formula() -> None:
    formula = "sin(x)*cos(y) + 0.1*(x**2 + y**2)"
    ours = Surface(formula=formula, domain="-3:3,-3:3")
    theirs = optiviz.load_surface("own.py:smooth")
    start = (-2.0, 1.0)
    for word in ("adam:lr=0.1", "newton:damping=3"):
        np.testing.assert_allclose(
            optiviz.descend(theirs, word, start).points,
            optiviz.descend(ours, word, start).points,
            atol=1e-9,
        )


def test_what_symbols_change_is_not_believed() -> None:
    assert "differences" in optiviz.load_surface("own.py:changing").caption


def test_a_constant_is_a_surface() -> None:
    surface = optiviz.load_surface("own.py:flat")
    np.testing.assert_array_equal(surface.value(np.zeros((4, 5, 2))), np.full((4, 5), 3.0))
    np.testing.assert_array_equal(surface.gradient(np.zeros((4, 2))), np.zeros((4, 2)))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("scalar", "own.py:scalar: raised ValueError: The truth value of an array"),
        ("math_only", "own.py:math_only: raised TypeError"),
        ("wide", "own.py:wide returned an array of shape (7,) for coordinates of shape"),
        ("words", "own.py:words: raised ValueError"),
        ("raising", "own.py:raising: raised RuntimeError: not here (line 40)"),
        ("three", "own.py:three must take one or two coordinates, not 3"),
        ("nobody", "own.py:nobody must take one or two coordinates, not 0"),
        ("number", "own.py: number is not a class or function"),
        ("smoth", "own.py: unknown name 'smoth': did you mean 'smooth'"),
    ],
)
def test_a_wrong_one_is_named(name: str, said: str, invoke: Invoke, here: Path) -> None:
    result = invoke("run", "--surface", f"own.py:{name}", "--opt", "adam", "-o", "a.png")
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (here / "a.png").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["looked_up", "smooth", "curve"])
def test_it_is_drawn_and_made_again(name: str, invoke: Invoke, here: Path, file: Path) -> None:
    made = invoke("run", "--surface", f"own.py:{name}", "--opt", "adam", "-o", "a.png")
    assert made.exit_code == 0, made.stderr
    assert invoke("plot", f"own.py:{name},wobbly" if name != "curve" else f"own.py:{name}")
    assert invoke("inspect", "a.png").exit_code == 0
    refused = invoke("run", "--recipe", "a.png", "-o", "b.png")
    assert f"own.py:{name} runs third-party code" in refused.stderr
    assert invoke("run", "--recipe", "a.png", "--allow-plugins", "-o", "b.png").exit_code == 0
    assert (here / "a.png").read_bytes() == (here / "b.png").read_bytes()
    file.write_text(FILE + "\n")
    changed = invoke("run", "--recipe", "a.png", "--allow-plugins", "-o", "b.png")
    assert "own.py has changed since the recipe was created" in changed.stderr
    domain = "-1:1" if name == "curve" else "-1:1,-2:2"
    assert invoke("run", "--surface", f"own.py:{name}", "--domain", domain, "--opt", "adam")


def test_no_yaml_names_one_unasked(invoke: Invoke, here: Path) -> None:
    (here / "ran.py").write_text("raise SystemExit('it ran')\n")
    declared = "{function: 'ran.py:f', domain: '-1:1,-1:1'}"
    for surface in ("'ran.py:f'", declared):
        (here / "one.yaml").write_text(f"surface: {surface}\noptimizers: [adam]\n")
        result = invoke("run", "--recipe", "one.yaml", "-o", "a.png")
        assert "ran.py:f runs third-party code" in result.stderr
        assert "it ran" not in invoke("inspect", "one.yaml").output
        (here / "plot.yaml").write_text(
            f"jobs: [{{kind: plot, surfaces: [{surface}], out: a.png}}]"
        )
        assert "ran.py:f runs third-party code" in invoke("batch", "plot.yaml").stderr
    (here / "mine.yaml").write_text(f"mine: {declared}\n")
    result = invoke("run", "--surfaces", "mine.yaml", "--surface", "mine", "--opt", "adam")
    assert "mine.function: is not allowed in a catalogue" in result.stderr


def test_a_function_is_alone() -> None:
    with pytest.raises(ValueError, match="cannot be combined with a function"):
        optiviz.Recipe(
            surface={"function": "own.py:smooth", "formula": "x", "domain": "-1:1,-1:1"},
            optimizers="adam",
        )
