"""Methods for matrices against torch and pytorch_optimizer, their formulas, and brute force."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Invoke

import optiviz
from optiviz.descent.problem import Problem
from optiviz.descent.space_problem import SpaceProblem
from optiviz.descent.walk import descend, walk
from optiviz.objective import Array
from optiviz.optimizers.explanations import explained
from optiviz.optimizers.matrices import newton_schulz, orthogonal
from optiviz.optimizers.spec import parse_spec
from optiviz.shapes import Body, Ellipse, Polygon, shadow
from optiviz.surfaces.parts import parts_of

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "matrices.json").read_text())
LAYER, MEMORY = optiviz.load_surface("linear-layer"), optiviz.load_surface("associative-memory")
BALLS = [
    *("sgd:lr=0.4", "lion:lr=0.3", "muon:lr=0.3:momentum=0.5:iterations=0:weight_decay=0.1"),
    *("shampoo:lr=0.5", "soap:lr=0.2", "adam:lr=0.2"),
]


class Waves:
    """The objective of the reference: a quadratic and cosines of tensors of these shapes."""

    def __init__(self, shapes: dict[str, list[int]]) -> None:
        self.parts = parts_of((name, tuple(shape)) for name, shape in shapes.items())
        self.dim = sum(part.size for part in self.parts)
        places = np.arange(self.dim)
        self.bend = 0.6 ** np.abs(places[:, None] - places)
        self.start = 2 * np.sin(3.0 * places)

    def value(self, x: Array) -> Array:
        found: Array = np.einsum("...i,ij,...j->...", x, self.bend, x) / 2 + np.cos(x).sum(axis=-1)
        return found

    def gradient(self, x: Array) -> Array:
        return x @ self.bend - np.sin(x)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        return self.value(x), self.gradient(x)


def points_of(spec: str, waves: Waves, steps: int) -> list[Array]:
    return [x for x, _ in walk(waves, parse_spec(spec).build(), waves.start, steps)]


@pytest.mark.parametrize("run", REFERENCE["runs"], ids=lambda run: run["optimizer"])
def test_points_are_those_of_torch_and_pytorch_optimizer(run: dict[str, Any]) -> None:
    path = points_of(run["optimizer"], Waves(run["shapes"]), REFERENCE["steps"][-1])
    # SOAP divides a gradient that is a rounding error by eps = 1e-8.
    tolerance = 1e-7 if run["optimizer"].startswith("soap") else 1e-11
    found = [path[step] for step in REFERENCE["steps"]]
    np.testing.assert_allclose(found, run["points"], rtol=0, atol=tolerance)


def test_exact_directions_are_orthogonal_and_those_of_newton_schulz_nearly() -> None:
    matrices = np.random.default_rng(0).normal(size=(50, 4, 3))
    left, _, right = np.linalg.svd(matrices, full_matrices=False)
    np.testing.assert_allclose(orthogonal(matrices), left @ right, atol=1e-12)
    values = np.linalg.svd(newton_schulz(matrices, 8), compute_uv=False)
    assert (values > 0.65).all() and (values < 1.25).all()
    rank_one = np.outer([3.0, 4.0], [0.0, 1.0])
    np.testing.assert_allclose(orthogonal(rank_one), rank_one / 5, atol=1e-15)
    assert np.isnan(orthogonal(np.array([[np.inf, 0], [0, 1]]))).all()


def test_shampoo_is_its_formula() -> None:
    waves = Waves({"weight": [3, 2]})
    x, left, right = waves.start, 0.1 * np.eye(3), 0.1 * np.eye(2)

    def root(matrix: Array) -> Array:
        values, vectors = np.linalg.eigh(matrix)
        return np.asarray(vectors @ np.diag(values**-0.25) @ vectors.T)

    for _ in range(5):
        g = waves.gradient(x).reshape(3, 2)
        left, right = left + g @ g.T, right + g.T @ g
        x = x - 0.3 * (root(left) @ g @ root(right)).ravel()
    np.testing.assert_allclose(points_of("shampoo:lr=0.3:eps=0.1", waves, 5)[-1], x, atol=1e-12)


@pytest.mark.parametrize("name", ["shampoo", "soap"])
def test_a_preconditioner_leads_from_the_mean_gradient_to_the_step(name: str) -> None:
    waves = Waves({"weight": [3, 2], "bias": [3]})
    method = parse_spec(f"{name}:lr=0.3").build()
    before, (after, state) = [*walk(waves, method, waves.start, 4)][-2:]
    mean = waves.gradient(before[0]) if name == "shampoo" else state.mean
    matrix = method.preconditioner(state)
    assert matrix is not None
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
    np.testing.assert_allclose(before[0] - 0.3 * matrix @ mean, after, atol=1e-10)


@pytest.mark.parametrize("spec", BALLS)
@pytest.mark.parametrize("surface", [LAYER, MEMORY], ids=lambda surface: surface.name)
def test_steps_are_steepest_in_their_balls(spec: str, surface: optiviz.Surface) -> None:
    """And the shadow of a ball is as wide as the ball along each direction of the plane."""
    problem = SpaceProblem(surface, surface.origin)  # type: ignore[arg-type]
    path = descend(problem.true_objective, parse_spec(spec).build(), problem.start(()), 6)
    method = explained(parse_spec(spec).build(), "ball")
    walked = [*walk(problem.true_objective, method, problem.start(()), 6)]  # type: ignore[arg-type]
    _, (reached, state) = walked[-2:]
    np.testing.assert_array_equal(reached, path.points[-1])
    (ball,) = method.sketch(state)
    assert isinstance(ball, Ellipse | Body)
    step = reached - ball.center
    if isinstance(ball, Body):
        slopes = _slopes(problem, path.optimizer, spec)
        (furthest,) = ball.furthest(-slopes[None])
        assert slopes @ step == pytest.approx(slopes @ furthest, rel=1e-9)
    else:
        matrix = ball.matrix if ball.matrix.ndim == 2 else np.diag(ball.matrix)
        assert step @ np.linalg.solve(matrix, step) == pytest.approx(1, abs=1e-6)
    plane = np.random.default_rng(1).normal(size=(2, len(step)))
    along = np.linalg.qr(plane.T)[0].T
    cast = shadow(ball, along, lambda x: x @ along.T)
    turn = np.linspace(0, 2 * np.pi, 97)[:, None]
    ways = np.hstack([np.cos(turn), np.sin(turn)])
    lifted = ways @ along
    if isinstance(ball, Body):
        far = (ball.furthest(lifted) * lifted).sum(axis=1)
        assert isinstance(cast, Polygon)
        edge = cast.points - along @ ball.center
        np.testing.assert_allclose((ways @ edge.T).max(axis=1), far, rtol=1e-9)
    else:
        far = np.sqrt(np.einsum("ni,ij,nj->n", lifted, matrix, lifted))
        assert isinstance(cast, Ellipse)
        wide = np.sqrt(np.einsum("ni,ij,nj->n", ways, cast.matrix, ways))
        np.testing.assert_allclose(wide, far, rtol=1e-9)
    assert ((along @ step) @ ways.T <= far + 1e-9).all()


def _slopes(problem: Problem, method: Any, spec: str) -> Array:
    """Return the linear model that the sixth step minimises."""
    *_, (before, state), (_, after) = walk(
        problem.true_objective,
        method,
        problem.start(()),
        6,  # type: ignore[arg-type]
    )
    g = problem.true_objective.gradient(before)
    if spec.startswith("lion"):
        return np.asarray(0.9 * state.mean + 0.1 * g)
    return np.asarray(0.5 * after.velocity + 0.5 * g)


def test_balls_of_a_run_are_drawn_in_its_plane(invoke: Invoke) -> None:
    words = ["--explain", "ball", "--steps", 4, "-o", "a.json"]
    result = invoke("run", "--surface", "linear-layer", "--opt", "muon,sgd", *words)
    assert result.exit_code == 0, result.output
    muon, sgd = json.loads(Path("a.json").read_text())["trajectories"]
    for path, shape in ((muon, "polygon"), (sgd, "ellipse")):
        assert [each["step"] for each in path["sketches"]] == [1, 2, 3, 4]
        assert {ball["shape"] for each in path["sketches"] for ball in each["shapes"]} == {shape}
    (ball,) = sgd["sketches"][1]["shapes"]
    np.testing.assert_allclose(ball["center"], sgd["path"][1], atol=1e-12)


@pytest.mark.parametrize("name", ["sam+muon", "lookahead+shampoo", "schedule-free+muon", "muon"])
def test_wrappers_and_noise_leave_a_matrix_as_it_is(name: str) -> None:
    recipe = optiviz.Recipe(
        surface="linear-layer", optimizers=f"{name}:lr=0.05", noise=0.01, steps=20
    )
    (path,) = recipe.make_scene().trajectories
    assert path.losses[-1] < path.losses[0] and not path.ending


@pytest.mark.parametrize("name", ["muon", "shampoo", "soap"])
def test_a_vector_is_refused(name: str, invoke: Invoke) -> None:
    for surface in ("wobbly", "rosenbrock:dim=4", "parabola"):
        result = invoke("run", "--surface", surface, "--opt", name, "-o", "a.png")
        assert result.exit_code == 2
        assert f"{name} needs a matrix" in result.output
    result = invoke("response", "--opt", f"{name}:lr=0.1", "--signal", "spikes", "-o", "a.png")
    assert result.exit_code == 2 and "needs a matrix" in result.output


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"matrix": (2, 3)}, "has 2 * 3 entries, but there are 4 variables"),
        ({"matrix": (1, 2), "formula": "x*y", "variables": (), "domain": "-1:1,-1:1"}, "more than"),
    ],
)
def test_a_matrix_has_as_many_entries_as_variables(given: dict[str, Any], said: str) -> None:
    usual = {"formula": "a**2 + b**2 + c**2 + d**2", "variables": ("a", "b", "c", "d")}
    assert optiviz.Surface(**usual, matrix=(2, 2)).parts is not None
    with pytest.raises(ValueError, match="matrix") as error:
        optiviz.Surface(**usual | given)
    assert said in str(error.value)


def test_singular_values_are_those_of_the_points(invoke: Invoke) -> None:
    recipe = optiviz.Recipe(
        surface="linear-layer", optimizers="muon,sgd", view="contour+singular-values", steps=5
    )
    for path in recipe.make_scene().trajectories:
        assert path.whole is not None
        own = np.linalg.svd(path.whole.reshape(-1, 2, 2), compute_uv=False)
        np.testing.assert_allclose(path.spectra["matrix"], own, atol=1e-12)
    words = ["--opt", "sgd", "--view", "singular-values", "-o", "a.png"]
    result = invoke("run", "--surface", "wobbly", *words)
    assert result.exit_code == 2 and "has no matrices to draw" in result.output
