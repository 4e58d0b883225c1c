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
REFINED, WALKED, POLISHED = 12, 60, 60  # points that are polished, and steps of both ways


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
    """Return the lowest loss that is found from points of a grid three times as wide as the box.

    The lowest are refined by Newton's method, damped until the loss falls.
    """
    low, high = box(surface).T
    of, dim = objective(surface), len(low)
    middle, half = (low + high) / 2, (high - low) / 2
    if dim <= 2:
        sides = [np.linspace(-1, 1, SIDE)] * dim
        shares = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, dim)
    else:
        shares = np.random.default_rng(0).uniform(-1, 1, (SIDE, dim))
    points = np.concatenate([middle + wide * half * shares for wide in (1, 3)])
    known = [each for each in surface.minima if len(each) == dim]
    with np.errstate(all="ignore"):
        values = np.nan_to_num(of.value(points), nan=np.inf, posinf=np.inf)
        x = np.concatenate([points[np.argsort(values)[:REFINED]], *(np.array([p]) for p in known)])
        value = of.value(x)
        for _ in range(POLISHED):
            slope, bend = of.gradient(x), np.nan_to_num(of.hessian(x))
            size, turned = np.linalg.eigh(bend)
            size = np.maximum(abs(size), 1e-12 * abs(size).max(axis=-1, keepdims=True) + 1e-300)
            along = np.einsum("nij,ni->nj", turned, slope) / size
            step = -np.einsum("nij,nj->ni", turned, along)
            for share in 2.0 ** -np.arange(0, 30, 3):
                tried = of.value(x + share * step)
                x = np.where((tried < value)[:, None], x + share * step, x)
                value = np.fmin(value, tried)
        return float(min(values.min(), np.nanmin(value)))


@pytest.mark.parametrize("name", [name for name in surfaces()])
def test_no_loss_is_below_the_known_minimum(name: str) -> None:
    surface, minimum = surfaces()[name]
    assert lowest(surface) >= minimum - CLOSE * max(1.0, abs(minimum))


@pytest.mark.parametrize("name", [name for name in surfaces()])
def test_the_known_minimum_is_reached(name: str) -> None:
    surface, minimum = surfaces()[name]
    assert reached(surface, name) == pytest.approx(minimum, rel=CLOSE, abs=CLOSE)


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
