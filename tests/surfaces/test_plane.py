"""Planes through a network: the same numbers as in the whole space, despite reuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiviz.objective import Array
from optiviz.surfaces import weight_plane as module
from optiviz.surfaces.directions import random_directions
from optiviz.surfaces.network import ACTIVATIONS, OUTPUTS, Architecture, Network, Weight
from optiviz.surfaces.plane import Plane, pca_plane
from optiviz.surfaces.weight_plane import WeightPlane
from optiviz.system.errors import InputError

SIZES = (5, 4, 6, 3)


def made(loss: str = "squared-error", bias: bool = False, bends: tuple[str, ...] = ()) -> Network:
    random = np.random.default_rng(0)
    shape = Architecture(SIZES, bends or ("sigmoid", "tanh"), loss, bias)
    return Network(shape, random.normal(size=(11, 5)), np.eye(3)[random.integers(0, 3, 11)])


def origin(network: Network) -> Array:
    drawn: Array = network.architecture.initial("normal", 1)
    return drawn + 0.1 * np.random.default_rng(1).normal(size=network.dim)


@st.composite
def weights(draw: st.DrawFn) -> tuple[Weight, Weight]:
    """Draw two weights, which often share a unit or are in consecutive layers."""

    def one() -> Weight:
        layer = draw(st.integers(0, 2))
        row = draw(st.integers(0, min(SIZES[layer + 1], 3) - 1))
        return Weight(layer, row, draw(st.integers(0, 2)))

    first, second = one(), one()
    if first == second:
        second = Weight(first.layer, first.row, 3)
    return first, second


@given(
    weights(),
    st.sampled_from([*OUTPUTS]),
    st.booleans(),
    st.tuples(st.sampled_from([*ACTIVATIONS]), st.sampled_from([*ACTIVATIONS])),
    st.sampled_from([1, 1000, 10**9]),  # bytes: one sample at a time, some, all
)
def test_two_weights_give_what_the_whole_network_gives(
    pair: tuple[Weight, Weight], loss: str, bias: bool, bends: tuple[str, str], block: int
) -> None:
    network = made(loss, bias, bends)
    plane = WeightPlane.of(network, origin(network), pair)
    points = 3 * np.random.default_rng(2).normal(size=(3, 2, 2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        value, slopes = plane.value_and_gradient(points)
        again = plane.value(points)
    whole, gradient = network.value_and_gradient(plane.to_weights(points))
    np.testing.assert_allclose(value, whole, rtol=1e-12)
    np.testing.assert_allclose(again, whole, rtol=1e-12)
    expected = gradient[..., [network.architecture.index(each) for each in pair]]
    np.testing.assert_allclose(slopes, expected, rtol=1e-10, atol=1e-14)


def test_coordinates_are_the_weights_themselves() -> None:
    network = made()
    x, pair = origin(network), (Weight(2, 0, 4), Weight(1, 3, 2))
    plane = WeightPlane.of(network, x, pair)
    own = x[[network.architecture.index(each) for each in pair]]
    np.testing.assert_array_equal(plane.to_weights(own), x)
    coordinates, distances = plane.projected(x[None])
    np.testing.assert_allclose(coordinates[0], own)
    assert distances[0] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("of_weights", [True, False])
def test_the_gradient_and_the_hessian_are_slopes(of_weights: bool) -> None:
    network = made("cross-entropy", True)
    x = origin(network)
    plane = Plane(network, x, random_directions(network.architecture.parts, x, 0))
    if of_weights:
        plane = WeightPlane.of(network, x, (Weight(1, 2, 3), Weight(2, 0, 2)))
    points, nudges = np.array([[0.3, -0.2], [1.0, 2.0]]), 1e-5 * np.eye(2)[:, None]
    slopes = (plane.value(points + nudges) - plane.value(points - nudges)) / 2e-5
    np.testing.assert_allclose(plane.gradient(points), slopes.T, atol=1e-8)
    bends = (plane.gradient(points + nudges) - plane.gradient(points - nudges)) / 2e-5
    np.testing.assert_allclose(plane.hessian(points), np.swapaxes(bends, 0, 1), atol=1e-7)


def test_random_directions_have_the_lengths_of_filters() -> None:
    network = made(bias=True)
    x = origin(network)
    directions = random_directions(network.architecture.parts, x, 5)
    for direction in directions:
        for (drawn, shift), (own, _) in zip(
            network.architecture.unpacked(direction), network.architecture.unpacked(x), strict=True
        ):
            np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), np.linalg.norm(own, axis=1))
            assert shift is not None and not shift.any()
    np.testing.assert_array_equal(directions, random_directions(network.architecture.parts, x, 5))
    assert (directions != random_directions(network.architecture.parts, x, 6)).any()


@given(st.integers(1, 9), st.integers(2, 30), st.integers(0, 99))
def test_principal_components_are_those_of_the_covariance(many: int, dim: int, seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(many, dim))
    spread = pca_plane(points)
    np.testing.assert_allclose(spread.directions @ spread.directions.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(spread.origin, points.mean(axis=0))
    strengths = np.linalg.svd(points - points.mean(axis=0), compute_uv=False) ** 2
    total = strengths.sum() or 1.0
    expected = np.pad(strengths, (0, 2))[:2] / total
    np.testing.assert_allclose(spread.shares, np.where(many > 1, expected, 0), atol=1e-9)
    along = (points - spread.origin) @ spread.directions.T
    np.testing.assert_allclose((along**2).sum(axis=0) / total, spread.shares, atol=1e-9)


def test_points_on_a_line_span_a_plane_all_the_same() -> None:
    for points in (np.ones((4, 3)), np.outer(np.arange(4), [0.0, 2.0, 0.0])):
        directions = pca_plane(points).directions
        np.testing.assert_allclose(directions @ directions.T, np.eye(2), atol=1e-15)


@given(st.integers(0, 99))
def test_a_projection_is_the_nearest_point(seed: int) -> None:
    network = made()
    random = np.random.default_rng(seed)
    plane = Plane(network, random.normal(size=network.dim), random.normal(size=(2, network.dim)))
    points = random.normal(size=(4, network.dim))
    nearest, distances = plane.projected(points)
    away = points - plane.to_weights(nearest)
    np.testing.assert_allclose(np.linalg.norm(away, axis=1), distances)
    np.testing.assert_allclose(plane.directions @ away.T, 0, atol=1e-10)


def test_parallel_directions_are_drawn_anew() -> None:
    network = Network(Architecture((1, 2, 2), ("tanh",)), np.ones((3, 1)), np.eye(2)[[0, 1, 1]])
    x = network.architecture.initial("normal", 0)
    for seed in range(20):
        first, second = random_directions(network.architecture.parts, x, seed)
        assert abs(first @ second) < 0.999 * np.linalg.norm(first) * np.linalg.norm(second)
    single = Network(Architecture((1, 1), ()), np.ones((3, 1)), np.ones((3, 1)))
    with pytest.raises(InputError, match="need a network with more weights"):
        random_directions(single.architecture.parts, np.ones(1), 0)
