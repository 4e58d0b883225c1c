"""Measure what comparing optimizers costs: basins against torch, and a search against a still.

    python benchmarks/comparing.py --pairs 5

The map of basins has 512x512 starts and 200 steps of Adam on hills-and-canyon. torch runs the same
starts as one batched float64 tensor with torch.optim.Adam and autograd. Each runs in its own
process, alternating, and imports are not counted. The search has 6 optimizers, 256 rates, 25
starts and 125 steps.
"""

import argparse
import subprocess
import sys
from statistics import median

OURS = """
import resource, time
import numpy as np
from optiviz.descent.basins import ground, map_basins
from optiviz.optimizers.spec import parse_word
from optiviz.surfaces.catalogue import find_surface
surface = find_surface("hills-and-canyon")
surface.value_and_gradient(np.zeros((2, 2)))
place = ground(surface, surface, (512, 512), 200)
began = time.perf_counter()
map_basins([parse_word("adam:lr=0.25").build()], place)
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
"""

TORCH = """
import time, torch
from torch import exp
middles = (torch.arange(512, dtype=torch.float64) + 0.5) * 6 / 512 - 3
y, x = torch.meshgrid(middles, middles, indexing="ij")
points = torch.stack([x.ravel(), y.ravel()]).requires_grad_()
def f(x, y):
    return ((x**2 + y**2)/3 + 3*exp(-((x + 1)**2 + (y + 2)**2))
            + exp(-1.5*(2*(x + 2)**2 + (y - 0.5)**2))
            + 3*exp(-1.5*((x - 1)**2 + 2*(y + 1.5)**2))
            + 1.5*exp(-((x + 1.5)**2 + 3*(y + 0.5)**2)) + 4*(1 - exp(-(x + y)**2)))
adam = torch.optim.Adam([points], lr=0.25)
f(*points).sum().backward()
began = time.perf_counter()
for _ in range(200):
    adam.zero_grad()
    f(*points).sum().backward()
    adam.step()
print(time.perf_counter() - began, 0)
"""

SEARCH = """
import time
import numpy as np
from optiviz.optimizers.spec import parse
from optiviz.descent.search import Comparison, Range, search
from optiviz.surfaces.catalogue import find_surface
surface = find_surface("hills-and-canyon")
surface.value_and_gradient(np.zeros((2, 2)))
starts = list(np.random.default_rng(0).uniform(-3, 3, (25, 2)))
fair = Comparison(surface, surface, starts, 125, [Range("lr")], 256, 0)
words = parse("adam,momentum,rmsprop,sgd,adagrad,nesterov")
began = time.perf_counter()
for word in words:
    search(word, fair)
print(time.perf_counter() - began, 0)
"""

STILL = """
import tempfile, time
began = time.perf_counter()
from optiviz.kinds.run import Recipe
from optiviz.rendering.render import render
with tempfile.TemporaryDirectory() as folder:
    render(Recipe(surface="hills-and-canyon", optimizers="adam"), folder + "/still.png")
print(time.perf_counter() - began, 0)
"""


def timed(code: str) -> tuple[float, float]:
    """Return the seconds and the peak megabytes that a script prints."""
    seconds, memory = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    return float(seconds), float(memory)


def compare(what: str, ours: str, other: str, pairs: int) -> None:
    runs = [(timed(ours), timed(other)) for _ in range(pairs)]
    ratios = [ran[0] / against[0] for ran, against in runs]
    seconds = [median(each[side][0] for each in runs) for side in (0, 1)]
    memory = max(ran[1] for ran, _ in runs)
    peak = f", {memory:.0f} MB" if memory else ""
    print(
        f"{what}: {median(ratios):.2f}x ({seconds[0]:.2f} s{peak}; {seconds[1]:.2f} s); pairs "
        + " ".join(f"{ratio:.2f}" for ratio in ratios)
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    pairs = parser.parse_args().pairs
    compare("search / still", SEARCH, STILL, pairs)
    compare("map of basins / torch", OURS, TORCH, pairs)
