"""Quadratics: their curvatures, their minimum, and what is said of them."""

import numpy as np
import pytest

from optiviz.kinds.run import Recipe
from optiviz.surfaces.config import QuadraticConfig
from optiviz.surfaces.quadratic import quadratic
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import InputError


@pytest.mark.parametrize("rotated", [False, True])
@pytest.mark.parametrize("dim", [1, 2, 3, 100])
def test_its_hessian_has_the_curvatures_and_its_minimum_is_0(dim: int, rotated: bool) -> None:
    made = quadratic(QuadraticConfig(condition=1e4, rotated=rotated), dim)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 3, dim))
    hessian = made.hessian(x)[0, 0]
    assert np.allclose(np.linalg.eigvalsh(hessian), np.geomspace(1, 1e4, dim), rtol=1e-9)
    value, slope = made.value_and_gradient(x)
    assert np.allclose(slope, (x - 1) @ hessian, rtol=1e-9, atol=1e-9)
    assert np.allclose(value, ((x - 1) * slope).sum(axis=-1) / 2, rtol=1e-9)
    assert (value[1, 2], *slope[1, 2]) == (made.value(x[1, 2]), *made.gradient(x[1, 2]))
    least, flat = made.value_and_gradient(np.ones(dim))
    assert least == 0 and (flat == 0).all()


@pytest.mark.parametrize("dim", [10, 100])
def test_no_scaling_of_variables_takes_the_condition_of_a_rotated_one_away(dim: int) -> None:
    hessian = quadratic(QuadraticConfig(condition=1e6, rotated=True), dim).hessian(np.ones(dim))
    scale = 1 / np.sqrt(np.diag(hessian))
    assert np.linalg.cond(hessian * scale * scale[:, None]) > 1e4


def test_it_is_drawn_and_descended_as_formulas_are() -> None:
    runs = Recipe(
        surface={"quadratic": {"condition": 10}, "variables": 5}, optimizers="sgd:lr=0.1", steps=400
    )
    scene = runs.make_scene()
    assert scene.entries[0].values(400)[0] < 1e-12
    drawn = Surface(quadratic={"condition": 10, "rotated": True})
    assert drawn.minima == ((1, 1),) and drawn.dim == 2
    assert drawn.origin.caption == "condition number 10"
    assert Surface(**drawn.model_dump(mode="json", exclude_defaults=True)) == drawn


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"quadratic": {"condition": 0.5}}, "greater than or equal to 1"),
        ({"quadratic": {"condition": 2}, "formula": "x**2"}, "cannot be combined with a quadratic"),
        ({"quadratic": {"condition": 2}, "l1": 1}, "is added to a formula"),
        ({"quadratic": {"condition": 2}, "variables": 2, "residuals": "x1"}, "there is a quadr"),
    ],
)
def test_what_does_not_fit_together_is_told(fields: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Surface(**fields)
