"""Directions of planes through a point of many dimensions."""

from collections.abc import Sequence

import numpy as np

from optiviz.objective import Array
from optiviz.surfaces.parts import Part
from optiviz.system.errors import InputError

TRIES, PARALLEL = 100, 0.999  # to draw directions, and the cosine from which they are parallel


def random_directions(parts: Sequence[Part], origin: Array, seed: int) -> Array:
    """Draw two directions with filter normalisation, shape (2, dim).

    The part of a direction that belongs to the weights into one unit is scaled to the length of
    these weights; biases do not change (Li et al., Visualizing the Loss Landscape of Neural Nets,
    2018, section 4). If there are vectors alone, each is scaled to its length, or to length 1 if
    all parameters are 0. Parallel directions, likely with few weights, are drawn again; raises
    InputError after TRIES times.
    """
    random = np.random.default_rng(seed)
    if all(len(part.shape) < 2 for part in parts):
        parts = [Part(part.name, (1, part.size), part.offset) for part in parts]
        origin = origin if origin.any() else np.full(len(origin), len(origin) ** -0.5)
    for _ in range(TRIES):
        directions = np.zeros((2, len(origin)))
        for direction in directions:
            _draw(direction, parts, origin, random)
        first, second = directions
        lengths = np.sqrt((first @ first) * (second @ second))
        if lengths and abs(first @ second) / lengths < PARALLEL:
            return directions
    raise InputError("random directions need a network with more weights")


def _draw(
    direction: Array, parts: Sequence[Part], origin: Array, random: np.random.Generator
) -> None:
    """Draw a direction in place."""
    for part in parts:
        if len(part.shape) < 2:  # a bias, or the scale of a norm
            continue
        filters = (part.shape[0], -1)
        drawn = random.normal(size=part.shape).reshape(filters)
        own = np.linalg.norm(part.of(origin).reshape(filters), axis=1, keepdims=True)
        drawn *= own / np.linalg.norm(drawn, axis=1, keepdims=True)
        part.of(direction)[...] = drawn.reshape(part.shape)
