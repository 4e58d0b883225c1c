"""The public Python API."""

import doctest
import importlib
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.animation import FuncAnimation

import optiviz

TOP = Path(__file__).parents[1]
WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(TOP).with_suffix("").parts)
    for path in TOP.glob("optiviz/**/*.py")
    if ">>> " in path.read_text()
)
HEAVY = {"numpy", "matplotlib", "sympy", "imageio", "pydantic", "click", "rich", "ruamel"}


def test_the_exported_names_are_these() -> None:
    assert optiviz.__all__ == [
        "BasinsRecipe", "InputError", "JaxProblem", "LessonRecipe", "OptivizError", "PlotRecipe",
        "PythonProblem", "Recipe", "ResponseRecipe", "ScoreRecipe", "Signal", "SolverRecorder",
        "Surface", "TorchProblem", "Trajectory", "TuneRecipe", "animate", "batch", "descend",
        "draw", "explore", "load_jobs", "load_lesson", "load_recipe",
        "load_suite", "load_surface", "record", "render",
    ]  # fmt: skip
    for name in optiviz.__all__:
        assert getattr(optiviz, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'rendr'"):
        optiviz.rendr  # noqa: B018


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_in_docstrings_print_what_they_say(module: str) -> None:
    tried = doctest.testmod(importlib.import_module(module))
    assert tried.attempted and not tried.failed


def test_importing_it_imports_nothing_heavy() -> None:
    code = "import optiviz, sys; print(*sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert not HEAVY & set(printed.split())


def test_descend_takes_names_surfaces_and_words() -> None:
    by_name = optiviz.descend("wobbly", "adam:lr=0.25")
    by_surface = optiviz.descend(optiviz.load_surface("wobbly"), "adam:lr=0.25", steps=125)
    np.testing.assert_array_equal(by_name.points, by_surface.points)
    with pytest.raises(optiviz.InputError, match="one optimizer, not 2"):
        optiviz.descend("wobbly", "adam,sgd")
    with pytest.raises(optiviz.InputError, match="1 has 1 coordinate, but wobbly has 2"):
        optiviz.descend("wobbly", "adam", start=[1])


@pytest.mark.slow
def test_animate_returns_matplotlibs_own_animation() -> None:
    before = dict(matplotlib.rcParams)
    animation = optiviz.animate("wobbly", "adam,rmsprop", steps=5, size=(300, 200))
    assert isinstance(animation, FuncAnimation)
    html = animation.to_jshtml()
    assert html.count("data:image/png;base64") == 6 + 2 * 12
    assert dict(matplotlib.rcParams) == before


@pytest.mark.slow
def test_it_saves_without_pyplot(here: Path) -> None:
    code = (
        "import optiviz, sys; a = optiviz.animate('bowl', 'sgd', steps=3, size=(300, 200));"
        "a.save('x.gif'); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (here / "x.gif").stat().st_size > 1000
