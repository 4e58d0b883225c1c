"""A surface of one's own, as in --surface examples/my_surface.py:dunes."""

import numpy as np


def dunes(x, y):
    return np.sin(2 * x + np.cos(y)) + 0.1 * (x**2 + y**2)
