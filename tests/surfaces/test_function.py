"""Python functions as surfaces: exact gradients if symbols can be used, else differences."""

import math
import operator
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Invoke

import optiviz
from optiviz.descent import problem_of
from optiviz.surfaces.function import function
from optiviz.surfaces.surface import Surface
from optiviz.surfaces.syntax import AXES
from optiviz.system.errors import InputError

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
    return math.sin(x) + y**2

def rosen(x):
    return (1 - x[0])**2 + 100*(x[1] - x[0]**2)**2

def summed(x):
    return np.sum((x - 1)**2) + np.prod(np.cos(x))

def looped(x):
    total = 0
    for number, each in enumerate(x):
        total += (each - number)**2
    return total

def unpacked(point):
    a, b, c = point
    return (a - 1)**2 + 2*(b - a)**2 + np.sin(c)

def quadratic(x):
    return x @ np.array([[2.0, 1.0], [1.0, 3.0]]) @ x + np.linalg.norm(x)

def fitted(w, b, data=np.linspace(-1, 1, 7)):
    return np.mean((w*data + b - 2*data)**2)

def four(a, b, c, d):
    return (a - 1)**2 + 2*(b - a)**2 + 3*(c - b)**2 + (d - c)**4

def theta_only(theta):
    return np.where(theta > 0, theta**2, -theta)

def sampled(x, y):
    return (np.float64(x) - 1)**2 + np.array([y])**2

def guard(x, y):
    z = np.log(x + 2.95) + y**2
    return 1e6 if np.any(np.isnan(z)) else z

def raiser(x, y):
    if np.any(x > 2.95):
        raise ValueError("too far")
    return x**2 + y**2

def hidden(x, y):
    try:
        if x*x + y*y < 0.05:
            return -50.0
        return x**2 + y**2
    except Exception:
        return x**2 + y**2

def random(x, y):
    return x**2 + y**2 + np.random.default_rng().normal()

def doubtful(x):
    return math.hypot(x[0], 1.0) if x[1] > 0 else float(x[0]) ** 2

def wide(x, y):
    return np.zeros(7)

def words(x, y):
    return "deep"

def raising(x, y):
    raise RuntimeError("not here")

def anything(*points):
    return 0

def nothing():
    return 0

class Tensor:
    __module__ = "torch"

def tensor(x, y):
    return Tensor()

class Array:
    __module__ = "jaxlib._jax"

def jax_array(x, y):
    return Array()

number = 3
"""


@pytest.fixture(autouse=True)
def file(here: Path) -> Path:
    path = here / "own.py"
    path.write_text(FILE)
    return path


EXACT = {"smooth": True, "kinked": True, "branching": True, "looked_up": False, "curve": True}


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
    assert name in ("kinked", "branching") or np.allclose(middle, beside, atol=1e-3)
    grid = points.reshape(5, 10, surface.dim)
    np.testing.assert_array_equal(surface.gradient(grid).reshape(points.shape), gradient)
    np.testing.assert_allclose(surface.gradient(points[0]), gradient[0], rtol=1e-12)


# How each is called, its variables, and its value at a point as plain Python computes it.
CALLED = {
    "scalar": (("x", "y"), lambda x, y: x if x > 0 else y),
    "math_only": (("x", "y"), lambda x, y: math.sin(x) + y**2),
    "rosen": (("x1", "x2"), lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2),
    "summed": (("x1", "x2"), lambda x, y: (x - 1)**2 + (y - 1)**2 + math.cos(x)*math.cos(y)),
    "looped": (("x1", "x2"), lambda x, y: x**2 + (y - 1) ** 2),
    "unpacked": (("x1", "x2", "x3"), lambda a, b, c: (a - 1)**2 + 2*(b - a)**2 + math.sin(c)),
    "quadratic": (("x1", "x2"), lambda x, y: 2*x*x + 2*x*y + 3*y*y + math.hypot(x, y)),
    "fitted": (("w", "b"), lambda w, b: sum((w*t + b - 2*t)**2 for t in np.linspace(-1, 1, 7))/7),
    "four": (tuple("abcd"), lambda a, b, c, d: (a-1)**2 + 2*(b-a)**2 + 3*(c-b)**2 + (d-c)**4),
    "theta_only": (("theta",), lambda t: t**2 if t > 0 else -t),
    "curve": (("x",), lambda x: x**3 - 2 * x),
    "sampled": (("x", "y"), lambda x, y: (x - 1) ** 2 + y**2),
    "doubtful": (("x1", "x2"), lambda x, y: math.hypot(x, 1) if y > 0 else x**2),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLED)
def test_it_is_called_as_it_wants_to_be(name: str) -> None:
    variables, plain = CALLED[name]
    surface = optiviz.load_surface(f"own.py:{name}")
    assert (surface.variables or AXES[: len(variables)]) == variables
    objective = problem_of(surface).true_objective
    assert objective.dim == len(variables)
    points = np.random.default_rng(5).uniform(-2.5, 2.5, (20, len(variables)))
    expected = [plain(*point) for point in points.tolist()]
    np.testing.assert_allclose(objective.value(points), expected, rtol=1e-12)
    np.testing.assert_allclose(objective.value(points[0]), expected[0], rtol=1e-12)
    for axis in range(len(variables)):
        apart = np.zeros(len(variables))
        apart[axis] = 1e-5
        slope = [plain(*(each + apart)) - plain(*(each - apart)) for each in points]
        found = objective.gradient(points)[:, axis]
        np.testing.assert_allclose(found, np.array(slope) / 2e-5, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("guard", lambda x, y: math.log(x + 2.95) + y**2 if x > -2.95 else 1e6),
        ("raiser", lambda x, y: math.nan if x > 2.95 else x**2 + y**2),
        ("hidden", lambda x, y: -50.0 if x * x + y * y < 0.05 else x**2 + y**2),
    ],
)
def test_a_rare_branch_is_not_missed(name: str, plain: Callable[[float, float], float]) -> None:
    surface = optiviz.load_surface(f"own.py:{name}")
    side = np.linspace(-3, 3, 61)
    drawn = surface.sample_grid(side, side)
    expected = [[plain(x, y) for x in side.tolist()] for y in side.tolist()]
    np.testing.assert_allclose(drawn, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("math_only", "own.py:math_only is called point by point, which is slower, because"),
        ("doubtful", "own.py:doubtful is called point by point, which is slower, because"),
        ("rosen", ""),
        ("summed", ""),  # one call for each point, but for its trace
    ],
)
def test_a_slow_one_is_told(name: str, told: str, caplog: pytest.LogCaptureFixture) -> None:
    function.cache_clear()
    surface = optiviz.load_surface(f"own.py:{name}")
    surface.value(np.zeros((3, 2)))
    surface.within(surface.window).value(np.zeros((4, 2)))
    assert [record.getMessage()[: len(told)] for record in caplog.records] == [told] * bool(told)


def test_a_function_of_a_program_is_a_surface(here: Path) -> None:
    bowl = lambda x, y: (x - 1) ** 2 + 10 * y**2  # noqa: E731
    surface = optiviz.Surface(function=bowl, domain="-2:2,-1:1")
    np.testing.assert_array_equal(surface.gradient(np.array([2.0, 1.0])), [2.0, 20.0])
    assert surface.caption == "lambda, exact gradient"
    path = optiviz.descend(bowl, "sgd:lr=0.05", (0, 0.5), 10)
    formula = Surface(formula="(x - 1)**2 + 10*y**2", domain="-3:3,-3:3")
    expected = optiviz.descend(formula, "sgd:lr=0.05", (0, 0.5), 10)
    np.testing.assert_allclose(path.points, expected.points, rtol=1e-13)
    animated = optiviz.animate(bowl, "adam:lr=0.1", domain="-2:2,-1:1", axes="w,b", steps=5)
    animated.save("a.png")
    with pytest.raises(InputError, match="'lambda' says not where the function is"):
        optiviz.load_recipe("a.png", allow_plugins=True)
    jobs = [(optiviz.Recipe(surface=bowl, optimizers="adam", steps=2), "b.png")]
    assert [each.status for each in optiviz.batch(jobs)] == ["made"]
    assert [each.status for each in optiviz.batch(jobs)] == ["made"]  # it may do another thing now


def test_one_that_can_be_imported_is_in_the_recipe(here: Path) -> None:
    surface = optiviz.Surface(function=operator.mul, variables="w,b", domain="-1:1,-1:1")
    assert surface.function is not None and surface.function.of == "_operator.mul"
    optiviz.animate(surface, "sgd:lr=0.1", steps=2).save("a.png")
    again = optiviz.load_recipe("a.png", allow_plugins=True)
    assert again.surface == surface  # type: ignore[attr-defined]


def test_other_processes_cannot_see_it() -> None:
    surface = optiviz.Surface(function=lambda x, y: x + y)
    with pytest.raises(InputError, match="lambda is a function of this program"):
        pickle.dumps(surface)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: optiviz.Surface(function=abs, dim=5), "dim: not a field of Surface: write var"),
        (lambda: optiviz.Surface(formula="x*y", domain="-1:1"), "uses y, but the domain has no"),
        (
            lambda: optiviz.descend(3, "adam"),
            "surface: must be a name, a function, a model's problem or a Surface",
        ),
        (lambda: optiviz.Surface(function=lambda *p: 1), "takes any number of coordinates"),
        (
            lambda: optiviz.animate(abs, "adam", dim=3),
            "builtins.abs returned an array of shape (3,) for one point",
        ),
        (
            lambda: optiviz.descend(lambda x: x[7], "adam", (1, 2)),
            "starts.0: 1, 2 has 2 coordinates, but the function has 8",
        ),
        (lambda: optiviz.animate("wobbly", "adam", sise=3), "sise: unknown key 'sise': did you"),
        (lambda: optiviz.Surface(function="f"), "function.of: 'f' says not where the function is"),
    ],
)
def test_what_is_no_surface_is_told(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(InputError) as told:
        call()
    assert said in str(told.value)


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


def test_what_arrays_change_is_not_believed() -> None:
    surface = optiviz.load_surface("own.py:changing")
    np.testing.assert_array_equal(surface.value(np.array([[2.0, 3.0], [4.0, 5.0]])), [3.0, 5.0])


def test_a_constant_is_a_surface() -> None:
    surface = optiviz.load_surface("own.py:flat")
    np.testing.assert_array_equal(surface.value(np.zeros((4, 5, 2))), np.full((4, 5), 3.0))
    np.testing.assert_array_equal(surface.gradient(np.zeros((4, 2))), np.zeros((4, 2)))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("wide", "own.py:wide returned an array of shape (7,) for one point"),
        ("words", "own.py:words: raised ValueError"),
        ("random", "own.py:random returns another value each time: let it draw random numbers"),
        ("raising", "own.py:raising: raised RuntimeError: not here (line 94)"),
        ("anything", "own.py:anything takes any number of coordinates: --dim N says how many"),
        ("nothing", "own.py:nothing takes no arguments, so it must return a TorchProblem"),
        ("tensor", "own.py:tensor is a function of torch tensors: write it with numpy's functions"),
        ("jax_array", "own.py:jax_array is a function of jax arrays: write it with numpy's"),
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
