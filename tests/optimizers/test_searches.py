"""Methods with models and searches: what scipy and numpy compute, and what sketches tell."""

import itertools
import pickle
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from conftest import Invoke
from scipy.optimize import least_squares, line_search, minimize, newton
from scipy.optimize._linesearch import line_search_armijo

import optiviz
from optiviz.descent.walk import walk
from optiviz.objective import Array
from optiviz.optimizers.line_searches import SearchState
from optiviz.optimizers.spec import parse_spec
from optiviz.shapes import Ellipse, Points, QuadraticModel, Segment, is_finite
from optiviz.surfaces.formulas import Formulas
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


INNER = ["sgd", "newton", "momentum", "adam"]


def searched(
    text: str, surface: Surface, steps: int = 25
) -> Iterator[tuple[Array, Array, SearchState]]:
    """Yield the point that each step left, the one it led to, and the state."""
    method = parse_spec(text).build()
    before = None
    for x, state in walk(surface, method, np.array(surface.start), steps):
        if before is not None:
            yield before, x, state
        before = x


@pytest.mark.sample(5)
@pytest.mark.parametrize("name", ["rosenbrock", "himmelblau", "beale", "wobbly", "cosine"])
@pytest.mark.parametrize("inner", INNER)
def test_searches_accept_what_scipys_do(name: str, inner: str) -> None:
    surface, compared = optiviz.load_surface(name), 0
    for search in ("backtracking", "wolfe"):
        text = f"{search}+{inner}" + (":interpolate=true" if search == "backtracking" else "")
        for before, after, state in searched(text, surface):
            value, g = surface.value_and_gradient(before)
            if np.abs(g).max() < 1e-5:
                break
            with warnings.catch_warnings(action="ignore"):
                if search == "wolfe":
                    length, *_ = line_search(
                        surface.value, surface.gradient, before, state.direction, g, value
                    )
                else:
                    length, *_ = line_search_armijo(
                        surface.value, before, state.direction, g, value
                    )
            if length is not None:  # else scipy gives up
                np.testing.assert_allclose(after, before + length * state.direction, atol=1e-9)
                compared += 1
    assert compared > 5


@pytest.mark.sample(4)
@pytest.mark.parametrize("name", ["rosenbrock", "himmelblau", "beale", "wobbly"])
@pytest.mark.parametrize("inner", [*INNER, "nesterov"])
def test_the_strong_wolfe_conditions_hold_wherever_a_search_accepts(name: str, inner: str) -> None:
    surface = optiviz.load_surface(name)
    for before, after, state in searched(f"wolfe+{inner}", surface):
        (value, g), (lower, there) = map(surface.value_and_gradient, (before, after))
        if np.abs(g).max() < 1e-6:  # up to rounding
            break
        slope = g @ state.direction
        assert lower <= value + 1e-4 * state.length * slope
        assert abs(there @ state.direction) <= 0.9 * abs(slope)


@pytest.mark.parametrize("search", ["exact", "backtracking", "wolfe"])
def test_searches_accept_finite_losses_only(search: str) -> None:
    surface = Surface(formula="log(x) + y**2", domain="0:2,-2:2", start=(1, 1))
    path = optiviz.descend(surface, f"{search}+sgd", steps=1)  # the first trial is at x = 0
    assert path.ended_at is None and path.points[1, 0] > 0


@pytest.mark.sample(6)
@pytest.mark.parametrize("name", ["rosenbrock", "wobbly", "beale"])
@pytest.mark.parametrize("search", ["exact", "backtracking", "wolfe"])
@pytest.mark.parametrize("inner", INNER)
def test_armijos_inequality_holds_where_a_search_accepts(
    name: str, search: str, inner: str
) -> None:
    surface = optiviz.load_surface(name)
    for before, after, state in searched(f"{search}+{inner}", surface):
        value, g = surface.value_and_gradient(before)
        slope = g @ state.direction
        assert slope < 0 or not np.any(g)
        assert state.length >= 0
        tangent = value + 1e-4 * (0 if search == "exact" else state.length) * slope
        assert surface.value(after) <= tangent + 1e-14 * abs(value)
    assert surface.value(after) < surface.value(np.array(surface.start))


def test_backtracking_tries_halves_until_f_falls_enough() -> None:
    surface = optiviz.load_surface("rosenbrock")
    for before, _, state in searched("backtracking+sgd", surface):
        np.testing.assert_array_equal(state.tried, 0.5 ** np.arange(len(state.tried)))
        assert state.length == state.tried[-1]
        value, g = surface.value_and_gradient(before)
        losses = surface.value(before - state.tried[:, None] * g)
        assert (losses[:-1] > value - 1e-4 * state.tried[:-1] * (g @ g)).all()


@pytest.mark.parametrize("inner", INNER)
def test_an_exact_search_finds_the_minimum_along_its_ray(inner: str) -> None:
    for surface in (WELL, STEEP):
        for before, after, state in searched(f"exact+{inner}", surface):
            lengths = state.length * np.concatenate([np.geomspace(1e-3, 1e3, 4001), [0.0]])
            with np.errstate(over="ignore"):
                along = surface.value(before + lengths[:, None] * state.direction)
            assert surface.value(after) <= np.nanmin(along) + 1e-14


def test_exact_gradient_descent_on_a_quadratic_has_the_length_of_textbooks() -> None:
    surface = Surface(formula="x**2 + 8*y**2 + x*y", domain="-3:3,-3:3")
    hessian = surface.hessian(np.zeros(2))
    for before, _, state in searched("exact+sgd", surface, 8):
        g = surface.gradient(before)
        assert state.length == pytest.approx((g @ g) / (g @ hessian @ g), rel=1e-12)


@pytest.mark.parametrize("search", ["exact", "backtracking", "wolfe"])
def test_an_inner_optimizer_keeps_its_state(search: str) -> None:
    surface, velocity = optiviz.load_surface("wobbly"), 0.0
    for before, _, state in searched(f"{search}+momentum", surface):
        velocity = 0.9 * velocity + surface.gradient(before)
        np.testing.assert_allclose(state.inner.velocity, velocity, rtol=1e-12)
        if velocity @ surface.gradient(before) > 0:
            np.testing.assert_allclose(state.direction, -velocity, rtol=1e-9)


def test_a_direction_that_climbs_gives_way_to_the_gradient() -> None:
    path = optiviz.descend("cosine", "wolfe+newton", steps=8)  # newton alone climbs
    assert path.losses[-1] == pytest.approx(-1.0)


def test_the_sketch_of_a_search_is_the_ray_with_what_was_tried() -> None:
    path = optiviz.descend("rosenbrock", "backtracking+newton", steps=8)
    for before, after, sketch in zip(path.points, path.points[1:], path.sketches[1:], strict=False):
        model, ray, tried, accepted = sketch
        assert isinstance(model, QuadraticModel) and isinstance(ray, Segment)
        assert isinstance(tried, Points) and isinstance(accepted, Points)
        np.testing.assert_array_equal(ray.points[0], before)
        np.testing.assert_allclose(accepted.points, [after], rtol=1e-15)
        along = ray.points[1] - before
        for point in (*tried.points, *accepted.points):
            share = (point - before) @ along / (along @ along)
            assert 0 <= share <= 1 + 1e-12
            np.testing.assert_allclose(before + share * along, point, atol=1e-12)
    assert set(path.states) >= {"length"}


def test_a_search_has_no_rate(invoke: Invoke) -> None:
    for text in ("backtracking+sgd:lr=0.1", "wolfe+newton:lr=1", "exact+sgd:lr=@cosine"):
        result = invoke("run", "--surface", "wobbly", "--opt", text, "-o", "a.json")
        assert result.exit_code == 2 and "unknown hyperparameter 'lr'" in result.stderr
    result = invoke("run", "--surface", "wobbly", "--opt", "wolfe+sgd:c1=0.95", "-o", "a.json")
    assert "wolfe+sgd: c1 must be smaller than c2, not 0.95 and 0.9" in result.stderr
    result = invoke("run", "--surface", "wobbly", "--opt", "wolfe+bfgs", "-o", "a.json")
    assert "wolfe cannot wrap bfgs" in result.stderr


def test_polyak_steps_to_where_the_tangent_reaches_the_minimum() -> None:
    surface = Surface(formula="(x - 1)**2 + 4*y**2 + 3", domain="-3:3,-3:3")
    path = optiviz.descend(surface, "polyak:f_star=3", (-2.0, 1.5), steps=30)
    for before, after in itertools.pairwise(path.points[:10]):
        value, g = surface.value_and_gradient(before)
        assert value + g @ (after - before) == pytest.approx(3)
        assert np.linalg.norm(np.cross([*g, 0], [*(after - before), 0])) < 1e-9
    assert path.losses[-1] == pytest.approx(3, abs=1e-3)
    stays = optiviz.descend(surface, "polyak:f_star=90", (-2.0, 1.5), steps=3)
    np.testing.assert_array_equal(stays.points, [(-2.0, 1.5)] * 4)


@pytest.mark.parametrize("short", ["true", "false"])
def test_barzilai_and_borwein_is_the_secant_method_in_one_dimension(short: str) -> None:
    path = optiviz.descend(LINE, f"barzilai-borwein:lr=0.1:short={short}", (2.0,), steps=5)

    def slope(x: float) -> float:
        return float(LINE.gradient(np.array([x]))[0])

    for x0, x1, x2 in zip(path.points, path.points[1:], path.points[2:], strict=False):
        found, _ = newton(slope, *x0, x1=x1.item(), maxiter=1, full_output=True, disp=False)
        assert x2.item() == pytest.approx(found, abs=1e-12)


def test_both_steps_of_barzilai_and_borwein_lie_between_the_inverse_curvatures() -> None:
    surface = Surface(formula="x**2 + 10*y**2 + x*y", domain="-3:3,-3:3")
    low, high = np.linalg.eigvalsh(surface.hessian(np.zeros(2)))
    rates = []
    for short in ("false", "true"):
        path = optiviz.descend(surface, f"barzilai-borwein:lr=0.01:short={short}", (2.0, 2.5), 60)
        assert path.losses[-1] < 1e-20
        g = surface.gradient(path.points)
        moves = np.diff(path.points, axis=0)[1:12]
        rates.append(np.linalg.norm(moves, axis=1) / np.linalg.norm(g[1:12], axis=1))
    assert ((1 / high - 1e-9 <= np.array(rates)) & (np.array(rates) <= 1 / low + 1e-9)).all()
    assert rates[1][0] < rates[0][0]  # from the same points


def test_coordinate_descent_is_gauss_and_seidels_method_on_a_quadratic() -> None:
    surface = Surface(formula="x**2 + 8*y**2 + 3*x*y - x", domain="-3:3,-3:3")
    path = optiviz.descend(surface, "coordinate-descent", (2.5, -2.0), steps=20)
    matrix, right = surface.hessian(np.zeros(2)), -surface.gradient(np.zeros(2))
    x = np.array([2.5, -2.0])
    for step in range(20):
        axis = step % 2
        x[axis] += (right[axis] - matrix[axis] @ x) / matrix[axis, axis]
        np.testing.assert_allclose(path.points[step + 1], x, atol=1e-9)
        (stair,) = path.sketches[step + 1]
        before, after = path.points[step : step + 2]
        np.testing.assert_array_equal(stair[0], [before, 2 * after - before])
        heights = surface.value(np.array(stair[0]))  # equal, as it is as far beyond the minimum
        np.testing.assert_allclose(*heights, atol=1e-9)


PARABOLA = Surface(residuals="10*(y - x**2), 1 - x", domain="-2:2,-1:3", start=(-1.2, 1.0))
FIT = Surface(
    residuals=", ".join(f"x*exp(y*{t}) - {v}" for t, v in enumerate([2, 1.2, 0.7, 0.5])),
    domain="0:4,-2:1",
    start=(3.5, -1.5),
)


def parts(surface: Surface) -> tuple[Formulas, Callable[[Array], Array]]:
    """Return the residuals of a surface and their Jacobian."""
    assert surface.residuals is not None and surface.jacobian is not None
    return surface.residuals, surface.jacobian


@pytest.mark.parametrize("surface", [PARABOLA, FIT])
def test_residuals_are_those_of_the_formula(surface: Surface) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (9, 2))
    r, jacobian = (each(x) for each in parts(surface))
    np.testing.assert_allclose(surface.value(x), (r**2).sum(-1) / 2, rtol=1e-12)
    slope = np.einsum("...m,...mi->...i", r, jacobian)
    np.testing.assert_allclose(surface.gradient(x), slope, rtol=1e-12, atol=1e-12)
    assert pickle.loads(pickle.dumps(surface)) == surface
    assert Surface.model_validate(surface.model_dump(mode="json")) == surface


@pytest.mark.parametrize("surface", [PARABOLA, FIT])
def test_gauss_newton_solves_the_linear_least_squares_problem(surface: Surface) -> None:
    residuals, jacobian = parts(surface)
    path = optiviz.descend(surface, "gauss-newton", steps=12)
    for before, after in itertools.pairwise(path.points):
        solved, *_ = np.linalg.lstsq(jacobian(before), -residuals(before))
        np.testing.assert_allclose(after - before, solved, atol=1e-9)
    found = least_squares(residuals, surface.start, jacobian)
    np.testing.assert_allclose(path.points[-1], found.x, atol=1e-5)


@pytest.mark.parametrize("surface", [PARABOLA, FIT])
def test_levenberg_and_marquardt_damp_the_linear_least_squares_problem(surface: Surface) -> None:
    residuals, jacobian = parts(surface)
    path = optiviz.descend(surface, "levenberg-marquardt", steps=60)
    first = 1e-3 * (jacobian(path.points[0]) ** 2).sum(0).max()
    used = [first, *path.states["damping"][1:]]
    for step, (model, tried) in enumerate(path.sketches[1:25]):  # type: ignore[misc]
        before, after = path.points[step : step + 2]
        rows = np.concatenate([jacobian(before), np.sqrt(used[step]) * np.eye(2)])
        r = residuals(before)
        solved, *_ = np.linalg.lstsq(rows, np.concatenate([-r, np.zeros(2)]))
        rejected = is_finite(tried)
        at = tried.points[0] if rejected else after
        np.testing.assert_allclose(at - before, solved, atol=1e-9)
        expected = ((jacobian(before) @ solved + r) ** 2).sum() / 2
        assert model.at(before + solved) == pytest.approx(expected, abs=1e-9)
        assert rejected == (path.states["gain"][step + 1] <= 0)
        # Nielsen's rule, from Madsen, Nielsen and Tingleff, equation 2.21.
        if not rejected:
            share = max(1 / 3, 1 - (2 * path.states["gain"][step + 1] - 1) ** 3)
            assert used[step + 1] == pytest.approx(share * used[step])
    assert (np.diff(path.losses) <= 1e-15).all()
    found = least_squares(residuals, surface.start, jacobian, method="lm")
    np.testing.assert_allclose(path.points[-1], found.x, atol=1e-5)


def test_natural_gradient_divides_by_the_metric() -> None:
    surface = Surface(
        formula="log(y) + (x**2 + 1)/(2*y**2)", metric="1/y**2, 0, 0, 2/y**2", domain="-3:3,0.2:4"
    )
    path = optiviz.descend(surface, "natural-gradient:lr=0.1", (2.0, 3.0), steps=60)
    for before, after, sketch in zip(path.points, path.points[1:], path.sketches[1:], strict=False):
        metric = np.diag([1, 2]) / before[1] ** 2  # Fisher's, of a normal distribution
        move = -0.1 * np.linalg.solve(metric, surface.gradient(before))
        np.testing.assert_allclose(after - before, move, rtol=1e-12)
        (ellipse,) = sketch
        assert isinstance(ellipse, Ellipse)
        far = move @ metric @ move
        np.testing.assert_allclose(ellipse.matrix, far * np.linalg.inv(metric), rtol=1e-12)
    np.testing.assert_allclose(path.points[-1], [0, 1], atol=0.02)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--surface", "bowl", "--opt", "gauss-newton"), "gauss-newton needs residuals: write"),
        (("--surface", "bowl", "--opt", "natural-gradient:lr=1"), "needs a metric: write"),
        (("--residuals", "y - , 1"), "--residuals: formula 'y -' is not an expression"),
        (("--residuals", "x, y", "--formula", "x*y"), "--residuals: cannot be combined with"),
        (("--residuals", "x, y", "--dim", "3"), "one or two variables, but there are more"),
        (
            ("--surface", "bowl", "--metric", "1, 0, 0, 1", "--opt", "adam"),
            "no method here uses it",
        ),
        (("--residuals", "x, y", "--l1", "1", "--opt", "gauss-newton"), "sees residuals, not a"),
        (("--residuals", "x, y", "--l1", "1", "--batch-size", "1"), "not of a penalty"),
        (("--surface", "bowl", "--metric", "1, 0, 0"), "has 3 formulas, but 2 variables need 4"),
        (("--surface", "bowl", "--metric", "1, x, y, 1"), "is not symmetric: x and y must be"),
        (("--surface", "bowl", "--metric", "1,0,0,z"), "unknown variable 'z': choose from x, y"),
        (
            ("--residuals", "x, y", "--opt", "gauss-newton", "--batch-size", "1"),
            "gauss-newton takes no batches: omit --batch-size",
        ),
        (
            ("--surface", "bowl", "--opt", "trust-region:radius=10:max_radius=1"),
            "radius must be at most max_radius, not 10.0 and 1.0",
        ),
        (("--surface", "xor", "--metric", "1, x, y, 1"), "but there is a network"),
    ],
)
def test_bad_residuals_and_metrics_are_told(
    words: tuple[str, ...], said: str, invoke: Invoke
) -> None:
    opt = () if "--opt" in words else ("--opt", "sgd:lr=0.1")
    result = invoke("run", *words, *opt, "--steps", 2, "-o", "a.json")
    assert result.exit_code == 2 and said in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("surface", "opt", "said"),
    [
        ({"residuals": "x + y, x + y - 1"}, "gauss-newton", "J'J is singular at 0.5, 1"),
        (
            {"formula": "x**2 + y**2", "metric": "1, 0, 0, -1"},
            "natural-gradient:lr=0.1",
            "the metric is not positive definite at 0.5, 1",
        ),
    ],
)
def test_a_path_stops_where_there_is_no_step(surface: dict[str, str], opt: str, said: str) -> None:
    made = Surface(**surface, domain="-1:1,-1:1")
    path = optiviz.descend(made, opt, start=(0.5, 1), steps=3)
    assert (path.ending, path.ending_detail) == ("stopped at step 1", f": {said}")


def test_residuals_and_a_metric_come_back_as_a_command(invoke: Invoke) -> None:
    words = ("--residuals", "y - x**2, 1 - x", "--metric", "1, 0, 0, 2", "--domain", "-2:2,-1:3")
    result = invoke("run", *words, "--opt", "natural-gradient:lr=0.1", "--steps", 2, "-o", "a.json")
    assert result.exit_code == 0
    said = invoke("inspect", "a.json").stdout
    assert "--residuals 'y - x**2, 1 - x'" in said and "--metric '1, 0, 0, 2'" in said
    assert "--formula" not in said


def test_residuals_are_a_text_or_a_list() -> None:
    window = "-2:2,-1:3"
    listed = ["10*(y - x**2)", "1 - x"], ["2", "0", "0", "x**2 + 1"]
    surface = Surface(residuals=listed[0], metric=listed[1], domain=window)
    assert surface.residuals == PARABOLA.residuals
    assert surface.formula == PARABOLA.formula
    assert (
        surface.metric == Surface(formula="x*y", metric=", ".join(listed[1]), domain=window).metric
    )
    wrong: list[object]
    for wrong in ([], [1, "x"]):
        with pytest.raises(optiviz.InputError, match="must be formulas"):
            Surface(residuals=wrong, domain=window)
