"""The loss of any program as a model: its pictures, and what is wrong with its code."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import assert_told, call
from conftest import Invoke

import optiviz
from optiviz.objective import Array
from optiviz.surfaces.models.python import PythonProblem
from optiviz.system.errors import InputError

MODEL = """
import sys
import numpy as np
import optiviz

def loss(x):
    return (x**2).sum() + np.cos(3 * x).sum()

def gradient(x):
    return 2 * x - 3 * np.sin(3 * x)

def of(many):
    return optiviz.PythonProblem(np.linspace(-1, 1, many) + 0.1, loss, gradient)

def one(): return of(1)
def two(): return of(2)
def ten(): return of(10)
def thousand(): return of(1000)

def undefined():
    start = np.full(4, 0.5)
    return optiviz.PythonProblem(start, lambda x: np.log(x).sum(), lambda x: 1 / x)

def loud():
    print("loud")
    return optiviz.PythonProblem(np.ones(4), lambda x: print("louder") or loss(x), gradient)

def raising(): raise RuntimeError("no data")
def leaving(): sys.exit(3)
def nothing(): return None
def asking(data): return of(10)

number = 3
"""
RUN = ["--opt", "adam:lr=0.1", "--steps", "4", "--size", "300x200", "--resolution", "11"]
RANDOM = ["--plane", "random"]


@pytest.fixture
def model(here: Path) -> Path:
    path = here / "model.py"
    path.write_text(MODEL)
    return path


@pytest.mark.sample(3)
@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("plane", ["random", "path"])
@pytest.mark.parametrize(("name", "many"), [("two", 2), ("ten", 10), ("thousand", 1000)])
def test_a_model_of_any_size_is_descended_and_drawn(
    name: str, many: int, plane: str, invoke: Invoke
) -> None:
    outs = [word for suffix in ("png", "json") for word in ("-o", f"x.{suffix}")]
    ended = invoke("run", "--surface", f"model.py:{name}", "--plane", plane, *RUN, *outs)
    assert ended.exit_code == 0, ended.output
    assert Path("x.png").stat().st_size > 3000
    (path,) = json.loads(Path("x.json").read_text())["trajectories"]
    start = np.linspace(-1, 1, many) + 0.1
    assert path["loss"][0] == pytest.approx((start**2 + np.cos(3 * start)).sum(), rel=1e-12)
    assert path["loss"][-1] < path["loss"][0]


@pytest.mark.sample(1)
@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("suffix", ["gif", "html", "svg"])
def test_a_model_is_drawn_in_other_formats(suffix: str, invoke: Invoke) -> None:
    words = ["run", "--surface", "model.py:ten", *RANDOM, *RUN, "-o", f"x.{suffix}"]
    assert invoke(*words).exit_code == 0
    assert optiviz.load_recipe(f"x.{suffix}", allow_plugins=True).kind == "run"


@pytest.mark.usefixtures("model")
def test_views_and_commands_of_a_surface_take_a_model(invoke: Invoke) -> None:
    named = ["model.py:ten", *RANDOM, "--size", "300x200"]
    relief = invoke("plot", *named, "--resolution", "11", "--view", "relief", "-o", "x.png")
    assert relief.exit_code == 0
    tuned = invoke(
        "tune", "--surface", *named, "--opt", "sgd", "--steps", "3", "--trials", "4", "-o", "t.json"
    )
    assert tuned.exit_code == 0
    assert_told(
        invoke("basins", "--surface", *named, "--opt", "sgd:lr=0.1", "-o", "b.png"),
        2,
        "basins need two dimensions, but the model is descended in many dimensions",
    )


@pytest.mark.slow
@pytest.mark.usefixtures("model")
def test_the_part_of_a_plane_without_a_loss_is_told_and_left_blank(invoke: Invoke) -> None:
    words = ["--surface", "model.py:undefined", *RANDOM, *RUN, "--view", "contour+relief"]
    said = "of 121 points of the plane have no finite loss: left blank\n"
    ended = invoke("run", *words, "--domain", "-2:2,-2:2", "-o", "x.png")
    assert ended.exit_code == 0 and ended.stdout.endswith(said) and ended.stdout.count(said) == 1
    page = invoke("run", *words[:-2], "--domain", "-2:2,-2:2", "-o", "x.html")
    assert page.stdout.endswith(said)
    assert said.strip() in Path("x.html").read_text()
    away = invoke("run", *words, "--domain", "40:41,40:41", "-o", "x.png")
    assert "none of 121 points of the plane has a finite loss: choose a smaller" in away.stdout
    batch = f"jobs: [{{surface: {words[1]}, plane: random, resolution: 11, domain: '-2:2,-2:2'"
    Path("jobs.yaml").write_text(batch + ", optimizers: 'adam:lr=0.1', steps: 4, out: y.png}]")
    jobs = invoke("batch", "jobs.yaml", "--allow-plugins", "--jobs", "1")
    assert jobs.exit_code == 0 and said.strip() in jobs.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("model")
def test_processes_and_previews_sample_the_same_plane(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["plot", "model.py:ten", *RANDOM, "--size", "300x200", "--resolution", "22"]
    assert invoke(*words, "--preview", "-o", "draft.png").exit_code == 0
    assert "grid: 12" in invoke("inspect", "draft.png").stdout
    for name, jobs in (("a.png", ["--jobs", "2"]), ("b.png", ["--jobs", "1"]), ("c.png", [])):
        monkeypatch.setenv("XDG_CACHE_HOME", str(Path(f"cache-{name}").absolute()))
        assert invoke(*words, *jobs, "-o", name).exit_code == 0
    assert len({Path(name).read_bytes() for name in ("a.png", "b.png", "c.png")}) == 1
    recipe = optiviz.load_recipe("a.png", allow_plugins=True)
    optiviz.render(recipe, "d.png", jobs=1)
    assert Path("d.png").read_bytes() == Path("a.png").read_bytes()


WRONG = {
    "one": "model.py:one has one parameter, but a plane needs two: write it as a function of one",
    "raising": "model.py:raising: raised RuntimeError: no data (line ",
    "leaving": "model.py:leaving: raised SystemExit: 3 (line ",
    "nothing": "model.py:nothing takes no arguments, so it must return a TorchProblem",
    "asking": "model.py:asking returns a model's problem, so it must take no arguments",
    "number": "model.py: number is not a class or function",
    "tne": "model.py: unknown name 'tne': did you mean",
}


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_model_is_told_in_one_sentence(name: str, invoke: Invoke) -> None:
    ended = invoke("run", "--surface", f"model.py:{name}", "--opt", "sgd:lr=0.1", "-o", "x.png")
    assert_told(ended, 2, WRONG[name])
    assert not Path("x.png").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--surface", "gone.py:problem"], "gone.py: no such file"),
        (["--surface", "wobbly", "--jobs", "2"], "--jobs: needs a network or a model, but there"),
        (["--surface", "wobbly", "--resolution", "51"], "--resolution: needs a network or a model"),
        (["--surface", "model.py:ten", "--resolution", "3"], "--resolution: must be greater than"),
        (["--surface", "model.py:ten", "--batch-size", "3"], "the model has no samples for batch"),
        (
            ["--surface", "model.py:ten", "--jobs", "2", "--scheduler", "tcp://localhost:1"],
            "--jobs cannot be combined with --scheduler",
        ),
    ],
)
def test_an_option_without_effect_is_refused(
    words: list[str], said: str, model: Path, invoke: Invoke
) -> None:
    assert_told(invoke("run", *words, "--opt", "sgd:lr=0.1", "-o", "x.png"), 2, said)


def test_what_a_model_prints_is_no_part_of_a_picture(model: Path) -> None:
    words = ["run", "--surface", "model.py:loud", *RANDOM, *RUN, "-q", "--format", "json"]
    ended = call(*words, "-o", "-")
    assert json.loads(ended.stdout)["trajectories"]
    assert ended.stderr.startswith("loud\nlouder\n")


def test_a_model_that_changed_is_told(model: Path, invoke: Invoke) -> None:
    words = ["run", "--surface", "model.py:ten", *RANDOM, *RUN, "-o", "x.png"]
    assert invoke(*words).exit_code == 0
    again = ["run", "--recipe", "x.png", "-o", "y.png"]
    assert_told(invoke(*again), 2, "model.py:ten runs third-party code: allow it with --allow-plu")
    assert invoke(*again, "--allow-plugins").exit_code == 0
    assert Path("x.png").read_bytes() == Path("y.png").read_bytes()
    model.write_text(MODEL.replace("cos(3", "cos(2"))
    assert_told(invoke(*again, "--allow-plugins"), 2, "model.py has changed since the recipe was")
    assert invoke(*words).exit_code == 0
    assert Path("x.png").read_bytes() != Path("y.png").read_bytes()


RANDOM_NUMBERS = np.random.default_rng(0)


def square(x: Array) -> Any:
    return (x**2).sum()


def double(x: Array) -> Array:
    return 2 * x


@pytest.mark.parametrize(
    ("start", "value", "gradient", "said"),
    [
        ([[1.0]], square, double, r"x0 must have shape \(dim,\), not \(1, 1\)"),
        ([], square, double, r"x0 must have shape \(dim,\), not \(0,\)"),
        ("one", square, double, "x0 must be a vector of numbers"),
        ([np.nan], square, double, "x0 must be finite"),
        ([1.0, 2.0], 3, double, "value must be a function of x, not int"),
        ([1.0, 2.0], square, None, "gradient must be a function of x, not NoneType"),
        ([1.0, 2.0], double, double, "double must return one number, not an array of float64"),
        ([1.0, 2.0], str, double, "str must return one number, not an array of <U"),
        ([1.0, 2.0], square, square, r"the gradient of square must be numbers of shape \(2,\)"),
        ([1.0, 2.0], lambda x: np.inf, double, "lambda is inf at x0, which must be finite"),
        ([1.0], lambda x: RANDOM_NUMBERS.random(), double, "lambda returns another value each"),
    ],
)
def test_what_is_wrong_with_a_problem_is_told(
    start: Any, value: Any, gradient: Any, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        PythonProblem(start, value, gradient)


@pytest.mark.parametrize(
    ("name", "said"),
    [(3, "name must be text, not int"), ("a\x07b", "name must not contain the unprintable")],
)
def test_a_name_is_printable_text(name: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        PythonProblem([1.0], square, double, name=name)


def test_a_program_cannot_change_the_vector_that_it_is_given() -> None:
    def greedy(found: Callable[[Array], Any]) -> Callable[[Array], Any]:
        def changing(x: Array) -> Any:
            answer = found(x)
            x[:] = 0
            return answer

        return changing

    problem, x = PythonProblem([1.0, 2.0], greedy(square), greedy(double)), np.array([3.0, 4.0])
    value, slope = problem.value_and_gradient(x)
    assert value == 25
    np.testing.assert_array_equal(slope, [6, 8])
    np.testing.assert_array_equal(x, [3, 4])


@pytest.mark.usefixtures("model")
def test_show_names_the_parameters_of_a_model(invoke: Invoke) -> None:
    shown = invoke("show", "model.py:ten")
    assert shown.exit_code == 0
    assert "parameters  x 10" in shown.stdout and "loss" in shown.stdout
