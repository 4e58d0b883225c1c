"""What stays the same when a problem is rotated, moved or scaled, and what does not."""

import re
from pathlib import Path

import numpy as np
import pytest

from optiviz.optimizers.spec import parse_spec
from optiviz.registry import OPTIMIZERS
from optiviz.scoring.invariance import (
    TRANSFORMATIONS,
    Transformed,
    Valley,
    invariances,
)
from optiviz.surfaces.surface import Surface

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "invariance.md"
ROW = re.compile(r"^\| (\S+) \| (\S+) \| (\S+) \| (\S+) \| (`.*`) \|$", re.M)
DOCUMENTED = {
    name: row[:4] for row in ROW.findall(PAGE.read_text()) for name in re.findall("`(.*?)`", row[4])
}
SAID = {True: "same", False: "differs", None: "random"}
HEAVY = {"coordinate-descent", "proximal-gradient", "fista", "hmc", "cma-es"}
HEAVY |= {name for name, where in OPTIMIZERS.items() if where.startswith("classical:")}  # scipy


@pytest.mark.parametrize(
    ("name", "marks"), [("sgd", "yynn"), ("adagrad", "nyny"), ("newton", "yyyy")]
)
def test_methods_keep_what_their_steps_are_invariant_to(name: str, marks: str) -> None:
    *found, noise = invariances(parse_spec(name)).values()
    assert "".join("ny"[bool(each.passes)] for each in found) == marks
    assert noise.passes is None and noise.lost > 1


def test_the_problem_and_what_is_made_of_it_agree_with_formulas() -> None:
    u, v = "(x - 1)", "(y + 0.5)"
    plain = f"{u} + {v}/2 + {u}**2/8, 2*{v} - 1.2*{u} + {v}**3/12"
    factor, shift = 4.0, (0.3, -0.2)
    matrix = np.array([[0.8, -0.6], [1.2, 0.5]])
    there = [f"({a}*x + {b}*y + {c})" for (a, b), c in zip(matrix.tolist(), shift, strict=True)]
    moved = plain.replace("x", "X").replace("y", "Y").replace("X", there[0]).replace("Y", there[1])
    scaled = ", ".join(f"2*({each})" for each in moved.split(", "))
    points = np.random.default_rng(0).uniform(-2, 2, (20, 2))
    for formulas, made in (
        (plain, Valley()),
        (scaled, Transformed(Valley(), matrix, np.array(shift), factor)),
    ):
        exact = Surface(residuals=formulas, domain="-4:4,-4:4")
        for name in ("value", "gradient", "hessian", "third_derivatives", "residuals", "jacobian"):
            expected, found = (getattr(each, name)(points) for each in (exact, made))
            np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10, err_msg=name)
    metric = Valley().metric(points @ matrix.T + shift)
    np.testing.assert_allclose(made.metric(points), matrix.T @ metric @ matrix)
    assert Valley().value(np.array([1.0, -0.5])) == 0


def test_noise_costs_more_without_a_rate_that_falls() -> None:
    still, falling = (
        invariances(parse_spec(spec), seed=4)["noise"] for spec in ("sgd", "sgd:lr=0.1@cosine")
    )
    assert still.passes is None and still.lost > 2 > falling.lost >= 1
    assert invariances(parse_spec("sgd"), seed=4)["noise"] == still
    assert invariances(parse_spec("sgd"), seed=5)["noise"] != still


def test_code_that_fails_is_the_cause(here: Path) -> None:
    Path("my.py").write_text(
        "class Steep:\n"
        "    def __init__(self, lr): self.lr = lr\n"
        "    def init(self, x): return None\n"
        "    def step(self, objective, x, state): raise ValueError('too steep')\n"
        "class Plain(Steep):\n"
        "    def step(self, objective, x, state):\n"
        "        return x - self.lr * objective.gradient(x), None\n"
    )
    for each in invariances(parse_spec("my.py:Steep")).values():
        assert (each.passes, each.cause) == (None, "raised ValueError: too steep (line 4)")
    own, built_in = (invariances(parse_spec(each)) for each in ("my.py:Plain", "sgd"))
    assert own == built_in


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    "name",
    [pytest.param(each, marks=pytest.mark.slow if each in HEAVY else ()) for each in OPTIMIZERS],
)
def test_each_optimizer_keeps_what_the_documentation_says(name: str) -> None:
    found = invariances(parse_spec(name))
    assert list(found) == list(TRANSFORMATIONS)
    for each in found.values():
        assert np.isnan([each.difference, each.lost]).any() <= bool(each.cause)
        assert each.passes is None or not each.cause
    *kept, _ = found.values()
    said = ["-" if np.isnan(each.lost) else SAID[each.passes] for each in kept]
    assert said == list(DOCUMENTED[name])
