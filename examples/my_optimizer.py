"""An optimizer of one's own, as in --opt adam,examples/my_optimizer.py:Lion."""

import numpy as np


class Lion:
    def __init__(self, lr, beta1=0.9, beta2=0.99):
        self.lr, self.beta1, self.beta2 = lr, beta1, beta2

    def init(self, x):
        return np.zeros_like(x)  # what it remembers

    def step(self, objective, x, mean):
        g = objective.gradient(x)
        x = x - self.lr * np.sign(self.beta1 * mean + (1 - self.beta1) * g)
        return x, self.beta2 * mean + (1 - self.beta2) * g
