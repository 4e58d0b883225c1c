"""The shipped suites: what is in them, and that no loss is below the known minimum of a problem."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from optiviz.kinds.suite import known_minimum
from optiviz.kinds.types import resolve_surface
from optiviz.objective import Array
from optiviz.recipes.shipped_files import SUITES
from optiviz.recipes.suites import read_suite
from optiviz.registry import NOISE_KINDS
from optiviz.surfaces.surface import Surface

CLOSE = 1e-9  # of a minimum, relative to its size where that is above 1
SIDE = 121  # points per side of a grid, or as many in all in more variables
DESCENTS, STEPS = 12, 100
PARTS = 80  # of the surfaces, each of which is a test


@cache
def surfaces() -> dict[str, tuple[Surface, float]]:
    """Return the surfaces of all suites but networks, each with its minimum."""
    found = {}
    for name in SUITES.names():
        for problem in read_suite(name).problems:
            surface = resolve_surface(problem.surface)
            if not surface.learns:
                key = surface.name or f"{surface.origin.file_name}-{len(surface.variables)}d"
                found[key] = surface, known_minimum(problem)
    return found


def objective(surface: Surface) -> Any:
    """Return what is descended, in all of its variables."""
    origin: Any = surface.origin
    return origin.space.objective if surface.has_many_variables else surface


def box(surface: Surface) -> Array:
    """Return the interval of each variable from which starts are drawn, shape (dim, 2)."""
    origin: Any = surface.origin
    return np.array(origin.box if surface.has_many_variables else surface.window.intervals)


def lowest(surface: Surface) -> float:
    """Return the lowest loss that descent finds from its minima and from the lowest of points.

    These are in a box three times as wide as that of the starts. A step doubles after one that
    leads down, and else shrinks.
    """
    low, high = box(surface).T
    of, dim = objective(surface), len(low)
    if dim <= 2:
        sides = [np.linspace(-1, 1, SIDE)] * dim
        shares = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, dim)
    else:
        shares = np.random.default_rng(0).uniform(-1, 1, (SIDE, dim))
    points = np.concatenate(
        [(low + high) / 2 + wide * (high - low) / 2 * shares for wide in (1, 3)]
    )
    known = [np.array([each]) for each in surface.minima if len(each) == dim]
    with np.errstate(all="ignore"):
        values = np.nan_to_num(of.value(points), nan=np.inf, posinf=np.inf)
        x = np.concatenate([points[np.argsort(values)[:DESCENTS]], *known])
        value, slope = of.value_and_gradient(x)
        share = np.full((len(x), 1), 1e-3)
        for _ in range(STEPS):
            tried = x - share * slope
            value_there, slope_there = of.value_and_gradient(tried)
            down = (value_there < value)[:, None]
            x, slope = np.where(down, tried, x), np.where(down, slope_there, slope)
            value, share = np.fmin(value, value_there), np.where(down, 2, 0.3) * share
    return float(min(values.min(), np.nanmin(value)))


@pytest.mark.sample(2)
@pytest.mark.parametrize("part", range(PARTS))
def test_no_loss_is_below_the_known_minimum(part: int) -> None:
    for surface, minimum in [*surfaces().values()][part::PARTS]:
        if not surface.quadratic:  # half a sum of squares
            assert lowest(surface) >= minimum - CLOSE * max(1.0, abs(minimum)), surface.name


def test_the_known_minimum_is_reached() -> None:
    for name, (surface, minimum) in surfaces().items():
        assert reached(surface, name) == pytest.approx(minimum, rel=CLOSE, abs=CLOSE), name


def reached(surface: Surface, name: str) -> float:
    """Return the loss at the minimum, where the literature has it in more variables."""
    if not surface.has_many_variables:
        return float(surface.value(np.array(surface.minima, float)).min())
    dim = len(surface.variables)
    coordinate = np.arange(1, dim + 1)
    places = {
        "trid": coordinate * (dim + 1 - coordinate),
        "dixon-price": 2.0 ** -(1 - 2.0 ** (1 - coordinate)),
        "styblinski-tang": np.full(dim, -2.9035340277711783),
        **dict.fromkeys(("rosenbrock", "levy"), np.ones(dim)),
    }
    place = np.ones(dim) if surface.quadratic else places.get(name.rpartition("-")[0])
    return float(objective(surface).value(np.zeros(dim) if place is None else place))


@pytest.mark.parametrize("name", SUITES.names())
def test_a_suite_covers_what_is_hard(name: str) -> None:
    suite = read_suite(name)
    assert suite.name == name and 30 < len(suite.title) < 100
    assert suite.title == SUITES.summary(name)
    groups = {each.group for each in suite.problems}
    assert groups >= {"convex", "valley", "saddle", "many-minima", "plateau", "kinked", "quadratic",
                      "ten-variables", "noise", "shapes", "batches", "networks"}  # fmt: skip
    assert {each.noise_kind for each in suite.problems if each.noise} == {*NOISE_KINDS}
    quadratics = [
        each for problem in suite.problems if (each := resolve_surface(problem.surface)).quadratic
    ]
    conditions = {each.quadratic.condition for each in quadratics if each.quadratic}
    assert min(conditions) == 1 and max(conditions) == 1e6
    assert max(len(each.variables) for each in quadratics) == 100


def test_the_suites_are_as_long_as_they_are_said_to_be() -> None:
    assert len(read_suite("quick").problems) == 40
    assert 150 <= len(read_suite("full").problems) <= 200


def test_every_network_learns_and_its_bound_is_no_loss() -> None:
    for problem in read_suite("full").problems + read_suite("quick").problems:
        surface = resolve_surface(problem.surface)
        if surface.learns:
            assert surface.network is not None and surface.network.loss == "cross-entropy"
            assert problem.minimum == 0
