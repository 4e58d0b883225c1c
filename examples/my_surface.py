"""Surfaces of one's own, as in --surface examples/my_surface.py:dunes."""

import numpy as np


def dunes(x, y):
    return np.sin(2 * x + np.cos(y)) + 0.1 * (x**2 + y**2)


def chain(x):
    """Beads on a wavy line that springs hold one apart, in any number."""
    return np.sum((x[1:] - x[:-1] - 1) ** 2) + np.sum(np.cos(2 * x))
