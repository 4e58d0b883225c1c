"""What noise does to optimizers: averages, reduced variance, samples of a distribution."""

import math
from itertools import islice
from typing import Any

import numpy as np
import pytest
from conftest import Invoke

import optiviz
from optiviz.descent.walk import descend, walk
from optiviz.kinds.run import Recipe
from optiviz.objective import Array, Objective
from optiviz.optimizers.base import Optimizer
from optiviz.optimizers.momentum import SGD, Momentum
from optiviz.optimizers.samplers import HMC, Langevin, Sampler, draws
from optiviz.optimizers.variance import SAGA, SVRG
from optiviz.shapes import Points, Segment, is_finite
from optiviz.surfaces.batches import Residuals, SampleBatches
from optiviz.surfaces.network import Architecture, Batches, Network
from optiviz.surfaces.noise import GradientNoise


@pytest.mark.parametrize("start", [0, 7])
def test_polyak_averaging_is_the_mean_of_a_path_that_it_leaves_alone(start: int) -> None:
    surface = optiviz.load_surface("wobbly")
    plain = optiviz.descend(surface, "adam:lr=0.1", steps=20)
    path = optiviz.descend(surface, f"polyak-averaging+adam:lr=0.1:start={start}", steps=20)
    np.testing.assert_array_equal(path.points, plain.points)
    means = np.array([path.points[start : step + 1].mean(axis=0) for step in range(start, 21)])
    np.testing.assert_allclose(path.states["average"][start:], means, rtol=1e-13)
    line = []
    for step, sketch in enumerate(path.sketches[1:], start=1):
        segment, point = sketch
        assert isinstance(segment, Segment) and isinstance(point, Points)
        assert is_finite(segment) == is_finite(point) == (step > start)
        line += [segment.points[0]] if step > start else []
    np.testing.assert_allclose(line, means[:-1], rtol=1e-13)


class Wells:
    """Many double wells side by side, so that each coordinate is a chain of its own."""

    dim = 1000

    def value(self, x: Array) -> Array:
        wells: Array = ((x * x - 1) ** 2).sum(axis=-1)
        return wells

    def gradient(self, x: Array) -> Array:
        return 4 * x * (x * x - 1)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        return self.value(x), self.gradient(x)


class Valleys(Wells):
    """Many correlated Gaussians in two dimensions, with this inverse of the covariance."""

    inverse = np.array([[2.0, 1.2], [1.2, 1.5]])

    def value(self, x: Array) -> Array:
        return (x * self.gradient(x)).sum(axis=-1) / 2

    def gradient(self, x: Array) -> Array:
        pairs: Array = x.reshape(*x.shape[:-1], -1, 2) @ self.inverse
        return pairs.reshape(x.shape)


def samples_of(objective: Objective, method: Sampler, kept: int, apart: int) -> Array:
    """Return `kept` points of a chain, so many steps apart, after it has forgotten its start."""
    x = np.tile([-1.0, 1.0], objective.dim // 2)
    early = method.scaled(0.25)  # as every coordinate is in the same place
    *_, (settled, _) = walk(objective, early, x, 100)
    walked = walk(objective, method, settled, kept * apart)
    return np.array([x for x, _ in islice(walked, apart, None, apart)])


def chi_square(uniform: Array, bins: int) -> float:
    """Return the statistic of Pearson's test, whose mean is bins - 1 if values are uniform."""
    counts, _ = np.histogram(uniform, bins, (0, 1))
    expected = uniform.size / bins
    return float(((counts - expected) ** 2 / expected).sum())


BINS = 40
LIKELY = BINS - 1 + 4 * np.sqrt(2 * (BINS - 1))  # four standard deviations above the mean


def test_samples_of_hmc_meet_the_density_of_double_wells() -> None:
    temperature = 0.5
    method = HMC(lr=0.12, leapfrog_steps=15, temperature=temperature)
    found = samples_of(Wells(), method, kept=100, apart=10)
    grid = np.linspace(-3, 3, 20001)
    density = np.exp(-((grid**2 - 1) ** 2) / temperature)
    below = np.cumsum(density) / density.sum()
    assert found.size == 100_000
    assert chi_square(np.interp(found, grid, below), BINS) < LIKELY


def test_samples_of_hmc_meet_a_gaussian_in_two_dimensions() -> None:
    found = samples_of(Valleys(), HMC(lr=0.15, temperature=3.0), kept=200, apart=5)
    pairs = found.reshape(-1, 2)
    radii = np.einsum("...i,ij,...j->...", pairs, Valleys.inverse, pairs) / 3.0
    assert len(pairs) == 100_000
    assert chi_square(np.exp(-radii / 2), BINS) < LIKELY
    angles = np.arctan2(*(pairs @ np.linalg.cholesky(Valleys.inverse)).T)
    assert chi_square(angles / (2 * np.pi) + 0.5, BINS) < LIKELY


def test_langevin_has_the_variance_of_its_discrete_steps_on_a_quadratic() -> None:
    lr, temperature = 0.4, 2.0
    found = samples_of(Valleys(), Langevin(lr=lr, temperature=temperature), kept=200, apart=10)
    values, vectors = np.linalg.eigh(Valleys.inverse)
    along = found.reshape(-1, 2) @ vectors
    expected = temperature / values / (1 - lr * values / 2)
    np.testing.assert_allclose(along.var(axis=0), expected, rtol=0.02)
    spread = along / np.sqrt(expected)
    assert (
        chi_square(np.array([math.erf(each / np.sqrt(2)) for each in spread.flat]) / 2 + 0.5, BINS)
        < LIKELY
    )


def test_hmc_keeps_what_it_draws_or_stays_and_shows_its_way() -> None:
    path = optiviz.descend("himmelblau", "hmc:lr=0.06:temperature=20", steps=60)
    for before, x, sketch in zip(path.points[:-1], path.points[1:], path.sketches[1:], strict=True):
        way, refused, accepted, sample = sketch
        assert isinstance(way, Segment) and way.points.shape == (11, 2)
        np.testing.assert_array_equal(way.points[0], before)
        stays = is_finite(refused)
        assert stays != is_finite(accepted)
        np.testing.assert_array_equal(x, before if stays else way.points[-1])
        np.testing.assert_array_equal(sample[0], [x])
    assert 0 < sum(is_finite(sketch[1]) for sketch in path.sketches[1:]) < 60


@pytest.mark.parametrize("surface", ["himmelblau", "bowl", "wobbly", "rosenbrock"])
def test_samplers_move_without_a_rate_and_stay_in_the_window(surface: str) -> None:
    recipe = optiviz.Recipe(surface=surface, optimizers="hmc,langevin", steps=200)
    entries = recipe.make_scene().entries
    assert {entry.rate_source for entry in entries} == {"default"}
    for entry in entries[: 1 if surface == "rosenbrock" else 2]:  # too steep for langevin
        (path,) = entry.trajectories
        moved = np.any(np.diff(path.points, axis=0), axis=1)
        assert path.last == 200 and moved.mean() > 0.7
        assert optiviz.load_surface(surface).window.contains(path.points).mean() > 0.7


def test_each_step_has_random_numbers_of_its_own() -> None:
    normal = np.array([draws(1, step, 2)[0] for step in range(5000)])
    again = np.array([draws(1, step, 2)[0] for step in range(5000)])
    np.testing.assert_array_equal(normal, again)
    assert len(np.unique(normal)) == normal.size
    assert not np.isin(normal, [draws(2, step, 2)[0] for step in range(5000)]).any()
    assert len({draws(1, step, 2)[1] for step in range(5000)}) == 5000


def network(samples: int = 12, bias: bool = True) -> tuple[Network, Array]:
    """Return a small network and its weights."""
    architecture = Architecture((2, 3, 2), ("tanh",), "cross-entropy", bias)
    random = np.random.default_rng(3)
    targets = np.eye(2)[random.integers(0, 2, samples)]
    return Network(architecture, random.normal(size=(samples, 2)), targets), architecture.initial(
        "normal", 1
    )


@pytest.mark.parametrize("bias", [True, False])
def test_gradients_of_samples_are_those_of_batches_of_one(bias: bool) -> None:
    whole, x = network(bias=bias)
    for step in range(12):
        one = Batches(whole, 1, seed=2).at(step)
        np.testing.assert_allclose(
            whole.sample_gradients(x)[one.chosen[0]], one.gradient(x), rtol=1e-12, atol=1e-15
        )
        np.testing.assert_array_equal(
            one.sample_gradients(np.stack([x, 2 * x]))[0, 0], one.sample_gradients(x)[0]
        )


REDUCED = [SVRG(lr=0.3, period=5), SAGA(lr=0.3)]


@pytest.mark.parametrize("method", REDUCED, ids=lambda each: type(each).__name__)
def test_with_all_samples_in_each_batch_it_is_gradient_descent(method: Optimizer) -> None:
    whole, x = network()
    ends = [
        [point for point, _ in walk(Batches(whole, 12), each, x, 30)]
        for each in (method, SGD(lr=0.3))
    ]
    np.testing.assert_allclose(*ends, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("method", REDUCED, ids=lambda each: type(each).__name__)
def test_the_mean_of_its_gradients_over_an_epoch_is_the_gradient_of_all(method: Optimizer) -> None:
    whole, x = network()
    stream = Batches(whole, 3, seed=1)
    *_, (x, state) = walk(stream, method, x, 7)
    assert state.step % 5  # no snapshot is taken here
    steps = [x - method.step(stream.at(place), x, state)[0] for place in range(8, 12)]
    np.testing.assert_allclose(np.mean(steps, axis=0) / 0.3, whole.gradient(x), atol=1e-12)
    plain = [stream.at(place).gradient(x) for place in range(8, 12)]
    assert np.var(steps, axis=0).sum() < 0.3**2 * np.var(plain, axis=0).sum() / 4


def test_saga_keeps_the_last_gradient_of_each_sample() -> None:
    whole, x = network()
    stream = Batches(whole, 3, seed=1)
    table = whole.sample_gradients(x)
    points = [x]
    for step, (point, state) in enumerate(walk(stream, SAGA(lr=0.3), x, 9)):
        if step:
            rows, before = stream.at(step - 1).chosen, points[-1]
            g = stream.at(step - 1).gradient(before) - table[rows].mean(axis=0) + table.mean(axis=0)
            np.testing.assert_allclose(point, before - 0.3 * g, rtol=1e-12)
            table[rows] = whole.sample_gradients(before)[rows]
            np.testing.assert_allclose(state.table, table, rtol=1e-12, atol=1e-15)
        points.append(point)


def test_svrg_and_saga_say_what_they_need(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("svrg", "saga"):
        said = invoke("run", "--surface", "wobbly", "--opt", f"{name}:lr=0.1", "-o", "x.json")
        assert said.exit_code == 2
        assert f"{name} needs samples: give a network" in said.stderr
    monkeypatch.setattr("optiviz.optimizers.variance.MAX_TABLE", 100_000)
    words = "run", "--surface", "xor", "--opt", "saga:lr=0.1", "--batch-size", 16
    said = invoke(*words, "--steps", 2, "-o", "x.json")
    assert said.exit_code == 2
    assert "saga keeps 800 gradients of 22 coordinates, which take" in said.stderr


@pytest.mark.parametrize(
    "method", [SGD(lr=0.4), Momentum(lr=0.2, momentum=0.8, dampening=0.3)], ids=["sgd", "momentum"]
)
def test_noise_leaves_the_stationary_covariance(method: Optimizer) -> None:
    valleys, noise = Valleys(), 0.7
    expected = method.stationary_covariance(Valleys.inverse, noise)
    x = np.zeros(valleys.dim)
    points = []
    for step, (point, _) in enumerate(walk(GradientNoise(valleys, noise), method, x, 1300)):
        points += [point.reshape(-1, 2)] if step > 100 and step % 6 == 0 else []
    assert np.concatenate(points).size >= 200_000
    found = np.cov(np.concatenate(points).T)
    np.testing.assert_allclose(found, expected, rtol=0.03)


def test_no_ball_where_a_method_does_not_stay() -> None:
    bends = np.diag([1.0, 4.0])
    assert SGD(lr=0.6).stationary_covariance(bends, 1.0) is None  # lr * 4 > 2
    assert SGD(lr=0.1).stationary_covariance(-bends, 1.0) is None
    assert SGD(lr=0.1, weight_decay=0.1).stationary_covariance(bends, 1.0) is None
    assert Momentum(lr=0.1, momentum=1.0).stationary_covariance(bends, 1.0) is None


@pytest.mark.parametrize(
    ("formula", "minimum"),
    [
        ("(x - 1)**2 + 3*y**2 + cosh(y)", [1.0, 0.0]),
        ("exp(x - 1) - x", [1.0]),
        ("x - y", None),
        ("abs(x) + abs(y)", None),
    ],
)
def test_the_minimum_of_a_ball_is_found_where_none_is_known(
    formula: str, minimum: list[float] | None
) -> None:
    surface = optiviz.Surface(formula=formula, domain=[[-3, 3]] * (1 + ("y" in formula)))
    recipe = Recipe(surface=surface, optimizers="sgd:lr=0.1", noise=0.5, steps=60)
    (path,) = recipe.make_scene().trajectories
    found = [shape for sketch in path.sketches for shape in sketch]
    assert len(found) == (minimum is not None)
    for ball in found:
        np.testing.assert_allclose(ball.center, minimum, atol=1e-8)
        covariance = SGD(lr=0.1).stationary_covariance(surface.hessian(ball.center), 0.5)
        np.testing.assert_array_equal(ball.matrix, covariance)


def test_the_ball_is_drawn_about_the_nearest_minimum() -> None:
    recipe: dict[str, Any] = {"surface": "himmelblau", "noise": 3.0, "steps": 30}
    (path,) = Recipe(optimizers="sgd:lr=0.01", **recipe).make_scene().trajectories
    (ball,), *others = path.sketches
    assert len(others) == 30 and not any(others)  # what is drawn once stays
    surface = optiviz.load_surface("himmelblau")
    away = surface.distance_to_minimum(path.end.tolist())
    assert np.linalg.norm(ball.center - path.end) == pytest.approx(away)
    covariance = SGD(lr=0.01).stationary_covariance(surface.hessian(ball.center), 3.0)
    np.testing.assert_array_equal(ball.matrix, covariance)
    for words in ({"optimizers": "sgd:lr=0.01@cosine"}, {"optimizers": "adam:lr=0.01"}):
        (path,) = Recipe(**words, **recipe).make_scene().trajectories
        assert not any(path.sketches)
    (path,) = Recipe(optimizers="sgd:lr=0.01", sketch=False, **recipe).make_scene().trajectories
    assert not any(path.sketches)


class Line:
    """Least squares of a straight line through points: one residual for each."""

    dim = 2
    x = np.linspace(-1, 1, 7)
    y = np.array([0.1, 0.4, -0.2, 0.9, 0.7, 1.6, 1.2])

    def residuals(self, x: Array) -> Array:
        return x[..., :1] + x[..., 1:] * self.x - self.y

    def jacobian(self, x: Array) -> Array:
        rows = np.column_stack([np.ones(7), self.x])
        return np.broadcast_to(rows, (*x.shape[:-1], 7, 2))

    def value(self, x: Array) -> Array:
        return np.asarray((self.residuals(x) ** 2).sum(axis=-1) / 2)

    def gradient(self, x: Array) -> Array:
        return np.asarray(np.einsum("...m,...md->...d", self.residuals(x), self.jacobian(x)))

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        return self.value(x), self.gradient(x)


def test_the_mean_over_batches_of_residuals_is_the_sum_of_squares() -> None:
    line, x = Line(), np.array([[0.3, -2.0], [1.0, 1.0]])
    stream = SampleBatches(line, Residuals(line), 1, seed=4)
    batches = [stream.at(step) for step in range(7)]
    for name in ("value", "gradient"):
        mean = np.mean([getattr(each, name)(x) for each in batches], axis=0)
        np.testing.assert_allclose(mean, getattr(line, name)(x), rtol=1e-12)
        np.testing.assert_allclose(getattr(stream.full_batch, name)(x), mean, rtol=1e-12)
    with pytest.raises(optiviz.InputError, match="cannot have 8 residuals: there are 7"):
        SampleBatches(line, Residuals(line), 8)


@pytest.mark.parametrize("method", [SVRG(lr=0.02, period=14), SAGA(lr=0.02)])
def test_reduced_variance_reaches_the_least_squares_that_batches_only_surround(
    method: Optimizer,
) -> None:
    line, start = Line(), np.array([3.0, -3.0])
    best = np.linalg.lstsq(line.jacobian(start), line.y, rcond=None)[0]
    path = descend(SampleBatches(line, Residuals(line), 1), method, start, 800)
    np.testing.assert_allclose(path.end, best, atol=1e-9)
    plain = descend(SampleBatches(line, Residuals(line), 1), SGD(lr=0.02), start, 800)
    assert np.linalg.norm(plain.points[-50:] - best, axis=-1).max() > 0.01
    assert all(is_finite(shape) for sketch in path.sketches[1:] for shape in sketch)
