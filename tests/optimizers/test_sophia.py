"""Sophia where only products with the Hessian are known: Hutchinson's estimate of its diagonal."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Invoke

import optiviz
from optiviz.descent.walk import descend, walk
from optiviz.objective import Array, ShiftedObjective
from optiviz.optimizers.spec import parse_spec
from optiviz.optimizers.successors import Sophia
from optiviz.recipes.reading import read_recipe
from optiviz.surfaces.network import Architecture, Batches, Network

wobbly = optiviz.load_surface("wobbly")
REFERENCE = json.loads((Path(__file__).parents[1] / "reference/sophia_h.json").read_text())
DRAWN = np.random.default_rng(0)
NETWORK = Network(
    Architecture((2, 3, 2), ("tanh",), "cross-entropy", bias=True),
    DRAWN.normal(size=(12, 2)),
    np.eye(2)[DRAWN.integers(0, 2, 12)],
)


class Products:
    """A surface whose Hessian is known by its products alone."""

    dim = 2
    value, gradient = wobbly.value, wobbly.gradient
    value_and_gradient = wobbly.value_and_gradient

    def hessian_product(self, x: Array, v: Array) -> Array:
        assert x.shape == v.shape == (2,)
        return np.asarray(wobbly.hessian(x) @ v)


def test_it_is_sophia_h_of_pytorch_optimizer_with_the_same_numbers() -> None:
    method, path = parse_spec(REFERENCE["optimizer"]).build(), np.array(REFERENCE["path"])
    found = descend(Products(), method, path[0], steps=len(path) - 1)
    np.testing.assert_allclose(found.points, path, rtol=0, atol=1e-9)


def test_the_mean_over_seeds_is_the_diagonal() -> None:
    x, many = np.array([-0.7, 0.4]), 2000
    method, bowl, hessian = Sophia(lr=0.1, beta2=0.0), Products(), wobbly.hessian(x)
    bowl.gradient = bowl.hessian_product = lambda *given: hessian @ given[-1]
    estimates = [
        method.with_fields(seed=seed).step(bowl, x, method.init(x))[1].curvature
        for seed in range(many)
    ]
    mean, deviation = np.mean(estimates, axis=0), np.std(estimates, axis=0)
    # Var(u_i * sum_j H_ij u_j), of independent standard normal numbers
    known = np.sqrt((hessian**2).sum(axis=1) + np.diagonal(hessian) ** 2)
    np.testing.assert_allclose(deviation, known, rtol=0.1)
    assert (np.abs(mean - np.diagonal(hessian)) < 4 * known / np.sqrt(many)).all()
    exact = method.step(wobbly, x, method.init(x))[1].curvature
    np.testing.assert_array_equal(exact, np.diagonal(hessian))


@pytest.mark.parametrize("met", [NETWORK, Batches(NETWORK, 4, seed=5, dropout=0.3)])
def test_on_a_network_it_is_the_authors_algorithm(met: Any) -> None:
    method = parse_spec("sophia:lr=0.02:period=3:seed=7:weight_decay=0.1").build()
    x = start = NETWORK.architecture.initial("xavier", 1)
    m = h = np.zeros_like(x)
    for step, (found, _) in enumerate(walk(met, method, start, 12)):
        np.testing.assert_allclose(found, x, rtol=0, atol=1e-9)
        here = met.at(step) if isinstance(met, Batches) else met
        m = 0.96 * m + 0.04 * here.gradient(x)
        if step % 3 == 0:
            u = np.random.default_rng([7, step, 3]).standard_normal(len(x))
            ahead, behind = (here.gradient(x + way * u) for way in (1e-7, -1e-7))
            h = 0.99 * h + 0.01 * u * (ahead - behind) / 2e-7
        x = x - 0.02 * (np.clip(m / np.maximum(h, 1e-12), -1, 1) + 0.1 * x)


def test_products_are_taken_run_by_run_and_shifted_with_their_objective() -> None:
    method, starts = Sophia(lr=0.1, seed=2), np.array([[0.3, 0.7], [-1.0, 2.0]])
    together = [x for x, _ in walk(Products(), method, starts, 25)][-1]
    for start, end in zip(starts, together, strict=True):
        np.testing.assert_array_equal([x for x, _ in walk(Products(), method, start, 25)][-1], end)
    shifted = ShiftedObjective(Products(), starts[0])
    x, _ = method.step(shifted, starts[1] - starts[0], method.init(starts[0]))
    same, _ = method.step(Products(), starts[1], method.init(starts[1]))
    np.testing.assert_allclose(x + starts[0], same, rtol=1e-12)


@pytest.mark.parametrize(
    ("words", "drawn"),
    [
        ({"surface": "wobbly"}, False),
        ({"surface": "spirals"}, True),
        ({"surface": "spirals", "plane": {"kind": "random", "descent": "plane"}}, False),
    ],
)
def test_the_seed_is_told_where_numbers_are_drawn(words: dict[str, Any], drawn: bool) -> None:
    recipe = read_recipe({"steps": 2, "seed": 7, "optimizers": "sophia:lr=0.01", **words}, str)
    assert ("seed 7" in recipe.make_scene().conditions) == drawn


def test_what_has_no_second_derivatives_is_refused(invoke: Invoke) -> None:
    words = ["--residuals", "x, y", "--domain=-3:3,-3:3", "--start=2,2", "--batch-size", "1"]
    result = invoke("run", *words, "--opt", "sophia:lr=0.1", "-o", "a.json")
    assert result.exit_code == 2
    assert "sophia takes no batches: omit --batch-size" in result.output
    result = invoke("response", "--signal", "spikes", "--opt", "sophia:lr=0.1", "-o", "a.png")
    assert result.exit_code == 2
    assert "sophia cannot respond to a signal: it needs second derivatives" in result.output
