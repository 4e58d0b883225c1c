"""A small network written in JAX that tells two spirals apart.

optiviz run --surface examples/models/jax_spirals.py:problem --opt sgd,momentum,optax.lion
"""

import jax
import jax.numpy as jnp
import numpy as np

import optiviz

SIZES, SAMPLES = (2, 16, 16, 1), 400


def spirals() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    angle = 3 * np.pi * np.sqrt(random.random(SAMPLES))
    label = np.arange(SAMPLES) % 2
    points = np.stack([np.cos(angle + np.pi * label), np.sin(angle + np.pi * label)], axis=-1)
    return points * angle[:, None] / 5 + random.normal(scale=0.05, size=(SAMPLES, 2)), label


def initial() -> list[dict[str, jax.Array]]:
    keys = jax.random.split(jax.random.key(0), len(SIZES) - 1)
    return [
        {
            "weight": jax.random.normal(key, (many, units)) / jnp.sqrt(many),
            "bias": jnp.zeros(units),
        }
        for key, many, units in zip(keys, SIZES, SIZES[1:], strict=False)
    ]


def loss(params: list[dict[str, jax.Array]], batch: tuple[jax.Array, jax.Array]) -> jax.Array:
    x, label = batch
    *hidden, last = params
    for layer in hidden:
        x = jnp.tanh(x @ layer["weight"] + layer["bias"])
    score = (x @ last["weight"] + last["bias"])[:, 0]
    return jnp.mean(jax.nn.softplus(score) - label * score)


def problem() -> optiviz.JaxProblem:
    return optiviz.JaxProblem(initial(), loss, spirals(), name="two spirals in JAX")
