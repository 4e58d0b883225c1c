"""Methods with models and searches: what scipy and numpy compute, and what sketches tell."""

import numpy as np
import pytest
from scipy.optimize import minimize

import optiviz
from optiviz.shapes import Ellipse, Points, QuadraticModel, Segment, is_finite
from optiviz.surfaces.surface import Surface

WELL = Surface(formula="x**4 + 3*y**4 + x**2*y**2 + x**2 - x*y + y**2 + 2*x", domain="-3:3,-3:3")
STEEP = Surface(formula="exp(2*x - y) + exp(y - x) + exp(-x) + y**2", domain="-3:3,-3:3")
LINE = Surface(formula="x**2 + exp(-2*x)", domain="-3:3")


def test_newtons_sketch_is_the_model_whose_minimum_it_steps_to() -> None:
    path = optiviz.descend("rosenbrock", "newton:damping=0.5", steps=6)
    surface = optiviz.load_surface("rosenbrock")
    for before, after, sketch in zip(path.points, path.points[1:], path.sketches[1:], strict=False):
        (model,) = sketch
        assert isinstance(model, QuadraticModel)
        np.testing.assert_array_equal(model.point, before)
        assert model.value == surface.value(before)
        np.testing.assert_allclose(model.hessian, surface.hessian(before) + 0.5 * np.eye(2))
        beside = model.at(after + 1e-3 * np.array([[1, 0], [0, 1], [-1, 0], [0, -1]]))
        assert (beside > model.at(after)).all()


@pytest.mark.parametrize(
    ("surface", "start"),
    [
        ("rosenbrock", (-1.2, 1.0)),
        (WELL, (2.8, -2.9)),
        (WELL, (-1.5, 2.5)),
        (STEEP, (2.9, -2.8)),
        (STEEP, (-2.5, 1.0)),
        (LINE, (-2.5,)),
    ],
)
@pytest.mark.parametrize("radius", [0.1, 1.0])
def test_trust_region_steps_as_scipys_dogleg(
    surface: Surface, start: tuple[float, ...], radius: float
) -> None:
    if isinstance(surface, str):
        surface = optiviz.load_surface(surface)
    points = [np.array(start)]
    minimize(
        lambda x: float(surface.value(x)),
        points[0],
        jac=surface.gradient,
        hess=surface.hessian,
        method="dogleg",
        callback=lambda xk: points.append(np.array(xk)),
        options={"initial_trust_radius": radius},
    )
    path = optiviz.descend(surface, f"trust-region:radius={radius}", start, len(points) - 1)
    assert len(points) > 6
    np.testing.assert_allclose(path.points, points, rtol=0, atol=1e-9)


def test_a_trust_region_is_descended_where_newton_climbs() -> None:
    for start in [(1.5, -2.0), (0.3, 0.9), (-2.8, -2.5)]:
        path = optiviz.descend("wobbly", "trust-region", start, steps=40)
        assert (np.diff(path.losses) <= 1e-15).all()
        assert path.losses[-1] < path.losses[0]
    np.testing.assert_allclose(
        optiviz.load_surface("wobbly").gradient(path.points[-1]), 0, atol=1e-9
    )


def test_the_sketch_of_a_trust_region_tells_of_its_step() -> None:
    path = optiviz.descend("rosenbrock", "trust-region", steps=12)
    rejected = 0
    for step, (model, region, dogleg, tried) in enumerate(path.sketches[1:], start=1):  # type: ignore[misc]
        assert isinstance(model, QuadraticModel) and isinstance(region, Ellipse)
        assert isinstance(dogleg, Segment) and isinstance(tried, Points)
        before, after = path.points[step - 1 : step + 1]
        radius = path.states["radius"][step - 1]
        np.testing.assert_array_equal(region.center, before)
        np.testing.assert_allclose(region.matrix, radius**2 * np.eye(2))
        np.testing.assert_array_equal(dogleg.points[0], before)
        assert is_finite(tried) == (after == before).all() == (path.states["ratio"][step] <= 0.15)
        at = tried.points[0] if is_finite(tried) else after
        assert np.linalg.norm(at - before) <= radius * (1 + 1e-12)
        assert model.at(at) < model.value
        rejected += is_finite(tried)
    assert rejected
