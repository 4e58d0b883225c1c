"""Methods without a learning rate, and without a schedule: authors' formulas, in plain loops."""

import numpy as np
import pytest
from conftest import Invoke

import optiviz
from optiviz.descent.walk import descend
from optiviz.objective import ShiftedObjective
from optiviz.optimizers.parameter_free import DoG, Prodigy
from optiviz.optimizers.schedule_free import ScheduleFree
from optiviz.optimizers.spec import parse_spec
from optiviz.views.rate import rates_of

wobbly = optiviz.load_surface("wobbly")
START = np.array([-2.8, -2.5])


def test_adgd_is_the_authors_algorithm() -> None:
    path = optiviz.descend(wobbly, "adgd:first=1e-3", START, steps=60)
    rate, growth = 1e-3, float("inf")
    before, x = START, START - 1e-3 * wobbly.gradient(START)
    for row in path.points[1:]:
        np.testing.assert_allclose(row, x, rtol=0, atol=1e-9)
        bend = np.linalg.norm(wobbly.gradient(x) - wobbly.gradient(before))
        local = np.linalg.norm(x - before) / (2 * bend)
        following = min(np.sqrt(1 + growth) * rate, local)
        rate, growth = following, following / rate
        before, x = x, x - rate * wobbly.gradient(x)


@pytest.mark.parametrize("formula", ["3 + 0*x*y", "2*x + y"])
def test_adgd_stays_where_f_is_flat_and_speeds_up_where_it_is_straight(formula: str) -> None:
    surface = optiviz.Surface(formula=formula, domain="-3:3,-3:3")
    path = optiviz.descend(surface, "adgd", (1.0, 2.0), steps=3000 if "0*" in formula else 40)
    ways = np.linalg.norm(np.diff(path.finite_points, axis=0), axis=1)
    if "0*" in formula:
        assert not ways.any()
    else:
        assert (ways[2:] > 1.4 * ways[1:-1]).all()


def test_dog_is_the_authors_formula() -> None:
    path = optiviz.descend(wobbly, "dog:r_eps=1e-3", START, steps=80)
    x, passed, squares = START, [START], 0.0
    for row in path.points:
        np.testing.assert_allclose(row, x, rtol=0, atol=1e-9)
        g = wobbly.gradient(x)
        squares += g @ g
        ways = [np.linalg.norm(each - START) for each in passed]
        x = x - max(1e-3 * (1 + np.linalg.norm(START)), *ways, 0.0) / np.sqrt(squares) * g
        passed.append(x)


def test_the_schedule_of_a_warm_up_weighs_the_average() -> None:
    path = optiviz.descend(wobbly, "schedule-free+sgd:lr=0.1@warmup/5", START, steps=30)
    z = x = START
    total = 0.0
    for step, row in enumerate(path.points):
        np.testing.assert_allclose(row, x, rtol=0, atol=1e-12)
        rate = 0.1 * min(1.0, (step + 1) / 5)
        z = z - rate * wobbly.gradient(0.1 * z + 0.9 * x)
        total += rate**2
        x = x + rate**2 / total * (z - x)


@pytest.mark.slow
@pytest.mark.parametrize(("factor", "stays"), [(0.98, True), (1.02, False)])
def test_schedule_free_is_stable_up_to_the_limit_it_tells(factor: float, stays: bool) -> None:
    method = parse_spec("schedule-free+sgd:lr=0.1:beta=0.8").build()
    limit = method.stability_limit(0)
    assert limit == pytest.approx(100)
    bend = factor * limit
    surface = optiviz.Surface(formula=f"{bend}*x**2/2 + y**2/2", domain="-3:3,-3:3")
    path = descend(surface, method, (1e-6, 1.0), steps=1000)
    (early, late) = (np.abs(path.states["iterate"][step, 0]) for step in (500, 1000))
    assert (late < early) == stays


def test_what_schedule_free_tells_of_stability_is_only_what_is_known() -> None:
    for word in ("schedule-free+momentum:lr=0.1", "schedule-free+sgd:lr=0.1:beta=1"):
        assert parse_spec(word).build().stability_limit(0) is None


def test_a_shifted_objective_shifts_all_that_is_a_function_of_x() -> None:
    surface = optiviz.Surface(residuals="y - x**2, 1 - x", domain="-3:3,-3:3")
    shift, x = np.array([0.5, -0.25]), np.array([0.3, 0.7])
    shifted = ShiftedObjective(surface, shift)
    for name in ("value", "gradient", "hessian", "residuals", "jacobian"):
        theirs = getattr(surface, name)(x + shift)
        np.testing.assert_array_equal(getattr(shifted, name)(x), theirs)
    assert shifted.l1 == surface.l1
    assert not hasattr(shifted, "values")


@pytest.mark.parametrize("method", [DoG(), Prodigy(), Prodigy(lr=0.5, d0=1e-2)])
def test_the_step_is_the_preconditioned_one(method: DoG | Prodigy) -> None:
    x = START
    state = method.init(x)
    for _ in range(20):
        before = state
        g = wobbly.gradient(x)
        moved, state = method.step(wobbly, x, state)
        matrix, mean, lr = method.preconditioner(state), g, 1.0
        if isinstance(method, Prodigy):
            mean, lr = state.mean / before.distance, float(method.lr)
        np.testing.assert_allclose(moved, x - lr * matrix * mean, rtol=1e-13)
        x = moved


@pytest.mark.parametrize("schedule_free", ["frank-wolfe", "projected-gradient:lr=0.1"])
def test_averages_need_a_convex_set(invoke: Invoke, schedule_free: str) -> None:
    words = ["run", "--formula", "x**2 + y**2", "--domain=-3:3,-3:3", "--start=2,2"]
    words += ["--opt", f"schedule-free+{schedule_free}", "--steps", "5", "-o", "a.json"]
    within = invoke(*words, "--constraint", "x**2 + y**2 <= 9")
    assert within.exit_code == 0, within.output
    result = invoke(*words, "--constraint", "x**2 + y**2 >= 1")
    assert result.exit_code == 2
    assert "convex" in result.output


def test_the_average_is_the_path_and_the_other_two_points_are_sketched() -> None:
    path = optiviz.descend(wobbly, "schedule-free+sgd:lr=0.2", START, steps=10)
    assert isinstance(path.optimizer, ScheduleFree)
    iterates = path.states["iterate"][1:]
    np.testing.assert_allclose(path.points[10], iterates.mean(axis=0), atol=1e-12)
    for point, sketch in zip(path.points[1:], path.sketches[1:], strict=True):
        iterate, between = (shape.points[-1] for shape in sketch if len(shape.points) == 2)
        np.testing.assert_allclose(between, 0.1 * iterate + 0.9 * point, atol=1e-12)


@pytest.mark.parametrize("name", ["adgd", "dog", "polyak-averaging+dog"])
def test_the_rate_view_draws_the_rates_that_were_found(name: str) -> None:
    (entry,) = optiviz.Recipe(surface="wobbly", optimizers=name, steps=30).make_scene().entries
    (path,) = entry.trajectories
    ways = np.linalg.norm(np.diff(path.points, axis=0), axis=1)
    slopes = np.linalg.norm(wobbly.gradient(path.points[:-1]), axis=1)
    drawn = rates_of(entry)
    np.testing.assert_allclose(drawn[1:], ways / slopes, rtol=1e-6)
    assert drawn[0] == drawn[1]
