"""The remark about a run that went wrong."""

import warnings
from typing import Any

import pytest

from optiviz import Surface
from optiviz.kinds.run import Recipe


@pytest.mark.parametrize(
    ("formula", "start", "optimizer", "verdict"),
    [
        ("x**2 + y**2", (1, 1), "sgd:lr=0.1", ""),
        ("x**2 + y**2", (0, 0), "sgd", "never moved"),
        ("x**2 + y**2", (0, 0), "newton", "never moved"),
        ("abs(x) + abs(y)", (0, 0), "adam", "never moved"),
        ("3", (1, 1), "adam", "never moved"),
        ("x**2 + y**2", (1, 1), "sgd:lr=3", "growing"),
        ("-cos(x) - cos(y)", (2.5, 2.5), "newton", "ended at a maximum"),
        ("cos(x) - cos(y)", (0.9, 0.1), "newton", "ended at a saddle"),
        ("x**4/4 - x**2/2 + y**2", (0.3, 1), "newton", "ended at a saddle"),
        ("(x - y)**2", (1, 2.7), "newton:damping=0.1", ""),
        ("-3*exp(-(x + 1.5)**2) - exp(-(x - 1.5)**2/2)", (-0.7,), "newton",
         "ended at a minimum no lower"),
        ("-exp(-x**2 - y**2)", (1.5, 1.5), "newton:lr=6", "ended on flat ground"),
        ("-x - y", (2.9, 2.9), "sgd:lr=0.1", "left the window at step 2"),
        ("x**4 + y**4", (2, 2), "sgd:lr=1", "diverged at step 5"),
        ("log(x) + y", (-1, 0), "sgd", "no gradient at step 0"),
    ],
)  # fmt: skip
def test_a_verdict_says_what_went_wrong(
    formula: str, start: tuple[float, ...], optimizer: str, verdict: str
) -> None:
    surface = Surface(formula=formula, domain=",".join(["-3:3"] * len(start)), start=start)
    scene = Recipe(surface=surface, optimizers=optimizer, steps=60).make_scene()
    assert scene.outcome(scene.trajectories[0]) == verdict


@pytest.mark.parametrize(
    ("formula", "start", "domain"),
    [("abs(x)**1.5", 0, "-1:1"), ("cosh(x)", 709, "-1000:1000"), ("1/x", 0, "-1:1")],
)
def test_a_verdict_warns_of_nothing(formula: str, start: float, domain: str) -> None:
    surface = Surface(formula=formula, domain=domain, start=(start,))
    with warnings.catch_warnings(action="error"):
        scene = Recipe(surface=surface, optimizers="adam,sgd,newton").make_scene()
        assert all(isinstance(scene.outcome(path), str) for path in scene.trajectories)


@pytest.mark.parametrize(
    ("settings", "sketched"),
    [
        ({}, [True, False]), ({"sketch": True}, [True, True]), ({"sketch": False}, [False, False]),
        ({"starts": [(1, 2), (3, 4)]}, [True, True]),
    ],
)  # fmt: skip
def test_of_starts_that_nobody_asked_for_the_first_is_sketched(
    settings: dict[str, Any], sketched: list[bool]
) -> None:
    recipe = Recipe(surface="rastrigin", optimizers="nelder-mead,langevin", steps=5, **settings)
    simplex, samples = recipe.make_scene().entries
    assert [any(path.sketches) for path in simplex.trajectories] == sketched
    kept = settings.get("sketch") is not False
    assert [any(path.sketches) for path in samples.trajectories] == [kept, kept]
