"""The minimum that constraints hold: found, as scipy finds it, and marked."""

import numpy as np
import pytest
from scipy.optimize import minimize

import optiviz
from optiviz.descent.constrained import constrained_minimum
from optiviz.kinds.run import Recipe
from optiviz.objective import scipy_constraints
from optiviz.rendering.render import make_picture
from optiviz.surfaces.surface import Surface
from optiviz.views.contour import ContourView

BOWL = "0.5*(x - 1.4)**2 + 1.5*(y - 0.9)**2 + 0.5*(x - 1.4)*(y - 0.9)"


def bowl(*constraints: str, formula: str = BOWL) -> Surface:
    return Surface(formula=formula, constraints=constraints, domain="-1.6:2.6,-1.4:2")


@pytest.mark.parametrize(
    "constraints",
    [
        ("abs(x) + abs(y) <= 1",),
        ("x**2 + y**2 <= 1",),
        ("x + y == 1",),
        ("x**4 + y**4 <= 1",),
        ("x**2 + y**2 <= 1", "y <= 0.2"),
    ],
)
def test_it_is_the_one_that_scipy_finds(constraints: tuple[str, ...]) -> None:
    surface = bowl(*constraints)
    found, allowed = constrained_minimum(surface), surface.feasible_set
    assert found is not None and allowed is not None
    solved = minimize(
        surface.value,
        found,
        jac=surface.gradient,
        method="SLSQP",
        constraints=scipy_constraints(allowed.edges),
        options={"ftol": 1e-15},
    )
    assert allowed.contains(found)
    np.testing.assert_allclose(found, solved.x, atol=1e-6)
    scene = Recipe(surface=surface, optimizers="projected-gradient:lr=0.1", steps=2).make_scene()
    np.testing.assert_array_equal(scene.minima, [found])
    assert scene.held_level == pytest.approx(solved.fun, abs=1e-9)
    assert "minimum" in scene.legend_entries


def test_without_constraints_there_is_none() -> None:
    scene = Recipe(surface="bowl", optimizers="sgd:lr=0.1", steps=2).make_scene()
    assert constrained_minimum(scene.surface) is None
    assert scene.held_level is None
    np.testing.assert_array_equal(scene.minima, scene.surface.minima)


def test_one_inside_is_held_by_no_constraint() -> None:
    surface = bowl("x**2 + y**2 <= 9")
    scene = Recipe(surface=surface, optimizers="projected-gradient:lr=0.1", steps=2).make_scene()
    np.testing.assert_allclose(scene.minima, [[1.4, 0.9]], atol=1e-6)
    assert scene.held_level is None


def test_a_listed_minimum_that_is_infeasible_is_none() -> None:
    surface = optiviz.load_surface("bowl").model_copy(update={"constraints": ("x >= 1",)})
    scene = Recipe(surface=surface, optimizers="projected-gradient:lr=0.1", steps=2).make_scene()
    np.testing.assert_allclose(scene.minima, [[1, 0]], atol=1e-6)


def test_a_loss_that_falls_on_has_none_in_the_window() -> None:
    assert constrained_minimum(bowl("x >= 0", formula="y - 3*x")) is None


def test_its_isoline_touches_the_set() -> None:
    surface = bowl("x**2 + y**2 <= 1")
    recipe = Recipe(surface=surface, optimizers="projected-gradient:lr=0.1", steps=2)
    picture = make_picture(recipe)
    assert isinstance(picture.cells[0].view, ContourView)
    level = picture.cells[0].view.scene.held_level
    (line,) = (each for each in picture.figure.axes[0].collections if each.get_path_effects())
    vertices = np.concatenate([path.vertices for path in line.get_paths()])
    np.testing.assert_allclose(surface.value(vertices), level, atol=1e-3)
    far = np.hypot(*vertices.T)
    assert far.min() == pytest.approx(1, abs=1e-3)
