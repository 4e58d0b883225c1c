"""Steps are steepest in the balls that are drawn, and lead to the minima of the bounds."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Invoke, fitting_surface

import optiviz
from optiviz.descent.walk import descend, walk
from optiviz.objective import Array
from optiviz.optimizers.base import Method
from optiviz.optimizers.explanations import explained
from optiviz.optimizers.lookup import factory_of
from optiviz.optimizers.momentum import SGD
from optiviz.optimizers.spec import parse_spec
from optiviz.registry import OPTIMIZERS
from optiviz.shapes import Ellipse, Polygon, QuadraticModel, is_finite
from optiviz.surfaces.surface import Surface

STEPS = 8
TURN = np.linspace(0, 2 * np.pi, 20_001)
CIRCLE = np.column_stack([np.cos(TURN), np.sin(TURN)])
START = np.array([1.3, -0.7])
wobbly = optiviz.load_surface("wobbly")
curved = Surface(formula="(3*x**2 + x*y + y**2)/2 + x**4/40", domain="-3:3,-3:3")
plane = Surface(formula="2*x - y", domain="-3:3,-3:3")


def make(name: str) -> Method:
    spec = parse_spec(name)
    return spec.build(**({"lr": 0.05} if factory_of(spec.name).rate else {}))


# What a step has multiplied by its preconditioner, or taken the sign of, from the gradient, and the
# states before and after it; of others it is the gradient where that is the same everywhere.
FOLLOWED: dict[str, Any] = {
    **dict.fromkeys(("sgd", "adagrad", "newton", "polyak", "barzilai-borwein"), lambda g, *_: g),
    **dict.fromkeys(("exact+sgd", "backtracking+newton", "bfgs", "l-bfgs"), lambda g, *_: g),
    "sgd:weight_decay=0.3": lambda g, *_: g + 0.3 * START,
    "momentum": lambda g, _, after: after.velocity,
    **dict.fromkeys(("adam", "adamw", "amsgrad", "adamax", "yogi"), lambda g, _, after: after.mean),
    "adam:lr=@exp/0.8": lambda g, _, after: after.inner.mean,
    **dict.fromkeys(
        ("lion", "lion:weight_decay=0.5"), lambda g, last, _: 0.9 * last.mean + 0.1 * g
    ),
    "lion:lr=@exp/0.8": lambda g, last, _: 0.9 * last.inner.mean + 0.1 * g,
    "rprop": lambda g, _, after: after.gradient,
    **dict.fromkeys(("clip+sgd", "flow+sgd", "polyak-averaging+sgd"), lambda g, *_: g),
}
WITH_BALL = [name for name in OPTIMIZERS if make(name).has_ball]
ON_VECTORS = [name for name in WITH_BALL if "matrices" not in make(name).needs]
BALLS = [*dict.fromkeys([*FOLLOWED, *ON_VECTORS])]  # those of matrices have tests of their own
BOUNDS = [name for name in BALLS if make(name).follows_gradient]


def edge(ball: Any) -> tuple[Array, Array]:
    """Return the center of a ball, and points all along its edge."""
    if isinstance(ball, Ellipse):
        return ball.center, ball.center + CIRCLE @ np.linalg.cholesky(ball.matrix).T
    assert isinstance(ball, Polygon)
    share = np.linspace(0, 1, 101)[:, None]
    ends = zip(ball.points, np.roll(ball.points, -1, axis=0), strict=True)
    return ball.points.mean(axis=0), np.concatenate([a + share * (b - a) for a, b in ends])


def outside(ball: Any, x: Array) -> float:
    """Return how long x - center is in the norm of a ball: 1 on the edge."""
    center, points = edge(ball)
    if isinstance(ball, Ellipse):
        return float(np.sqrt((x - center) @ np.linalg.solve(ball.matrix, x - center)))
    return float(np.max(np.abs(x - center) / np.abs(points[0] - center)))


@pytest.mark.parametrize("name", BALLS)
def test_a_step_is_the_steepest_in_its_ball(name: str) -> None:
    """Of all points on the edge, none is lower on the plane that the step follows."""
    surface, seen = fitting_surface(name, curved if name in FOLLOWED else plane), 0
    method = make(name)
    walked = list(walk(surface, method, START, 1 if "weight_decay=0.3" in name else STEPS))
    for (x, state), (after, following) in pairwise(walked):
        if np.abs(after - x).max() < 1e-9:
            continue
        ball = method.ball(following, x, after)
        slope = FOLLOWED.get(name, lambda g, *_: g)(surface.gradient(x), state, following)
        if is_finite(ball) and np.abs(slope).min() > 1e-9:
            center, points = edge(ball)
            lowest, found = ((points - center) @ slope).min(), (after - center) @ slope
            assert found < 0
            assert lowest == pytest.approx(found, rel=1e-6)
            assert outside(ball, after) == pytest.approx(1, abs=1e-9)
            seen += 1
    assert seen


@pytest.mark.parametrize("name", BOUNDS)
def test_a_step_leads_to_the_minimum_of_its_bound(name: str) -> None:
    surface = fitting_surface(name, curved)
    path = descend(surface, make(name), START, STEPS, explain="bound")
    seen = 0
    for x, after, (model,) in zip(path.points, path.points[1:], path.sketches[1:], strict=False):
        assert isinstance(model, QuadraticModel)
        if not is_finite(model) or np.abs(after - x).max() < 1e-6:
            continue
        np.testing.assert_array_equal(model.point, x)
        assert model.at(x) == surface.value(x)
        np.testing.assert_array_equal(model.gradient, surface.gradient(x))
        lowest = x - np.linalg.solve(model.hessian, model.gradient)
        np.testing.assert_allclose(lowest, after, rtol=0, atol=1e-9)
        assert np.linalg.eigvalsh(model.hessian).min() > 0
        seen += 1
    assert seen


def test_the_model_of_gradient_descent_is_a_bound_up_to_the_rate_1_over_l() -> None:
    parabola = Surface(formula="2*x**2", domain="-3:3")
    x = np.linspace(-3, 3, 61)[:, None]
    for lr, bounds in ((0.24, True), (0.25, True), (0.26, False)):
        path = descend(parabola, SGD(lr=lr), [2.0], 1, explain="bound")
        (model,) = path.sketches[1]
        assert bool((model.at(x) >= parabola.value(x) - 1e-12).all()) is bounds


def test_what_explains_steps_changes_none() -> None:
    for name in ("adam", "lion", "exact+sgd", "svrg", "bfgs"):
        surface = fitting_surface(name, wobbly)
        for how in ("ball", "bound"):
            plain = descend(surface, make(name), START, 5)
            told = descend(surface, make(name), START, 5, explain=how)
            np.testing.assert_array_equal(told.points, plain.points)
            assert told.states.keys() - {"value"} == plain.states.keys() - {"value"}
            assert told.optimizer is not None
            assert type(told.optimizer) is type(plain.optimizer)


def test_the_sharpness_along_an_explained_path_is_the_same() -> None:
    fields = {"optimizers": "adam:lr=0.3,bfgs", "steps": 4, "view": "contour+sharpness"}
    plain, told = (
        optiviz.Recipe(surface="himmelblau", explain=how, **fields).make_scene()
        for how in (None, "ball")
    )
    for path, other in zip(plain.trajectories, told.trajectories, strict=True):
        assert path.sharpness is not None
        np.testing.assert_array_equal(path.sharpness, other.sharpness)


def test_a_step_in_no_norm_has_no_ball() -> None:
    """Newton's method uphill, and methods that leave the direction of their preconditioner."""
    saddle = Surface(formula="x**2 - y**2", domain="-3:3,-3:3")
    path = descend(saddle, make("newton"), START, 1, explain="ball")
    assert not is_finite(path.sketches[1][0])
    for name in ("lookahead+sgd", "langevin", "trust-region", "coordinate-descent", "exact+adam"):
        method = make(name)
        assert explained(method, "ball") is method, name
    for name in ("momentum", "adam", "sgd:weight_decay=0.1", "sam+sgd", "lion", "l-bfgs-b"):
        method = make(name)
        assert explained(method, "bound") is method, name


def test_the_documentation_has_the_ball_of_every_method() -> None:
    page = Path(__file__).parents[2] / "docs" / "explanation" / "norms.md"
    rows = [line for line in page.read_text("utf-8").splitlines() if line.startswith("|")]
    named = {name for name in OPTIMIZERS if any(f"`{name}`" in row.split("|")[3] for row in rows)}
    assert named == {*WITH_BALL}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("wobbly --opt nelder-mead --explain ball", "explain: no method of this run takes steps"),
        ("wobbly --opt adam:lr=1 --explain bound", "minimum of a quadratic model: choose sgd"),
        ("xor --opt sgd:lr=1 --explain bound", "explain: needs one or two dimensions, but xor is"),
        ("wobbly --opt sgd:lr=1 --explain ball --no-sketch", "is a sketch: omit --no-sketch"),
        ("parabola --opt sgd:lr=1 --explain ball", "in one dimension all norms have the same"),
        ("wobbly --opt sgd:lr=1 --explain disc", "unknown explanation 'disc'"),
        ("wobbly --opt sgd:lr=1 --explain ball --view loss", "loss does not use --explain"),
    ],
)
def test_an_explanation_that_there_is_not_is_refused(invoke: Invoke, words: str, said: str) -> None:
    result = invoke("run", "--steps", 2, "--surface", *words.split())
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
