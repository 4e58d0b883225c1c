"""Measure what networks cost: against a still, against article 5's loop, against torch.

    python benchmarks/networks.py [--pairs 3] [--docs]

--docs writes the table into docs/networks.md. The rows with torch need torch installed.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from run import HERE, tell
from scipy.special import expit

from optiviz.descent import problem_of
from optiviz.descent.walk import walk
from optiviz.optimizers.spec import parse_spec
from optiviz.surfaces.catalogue import find_surface
from optiviz.surfaces.datasets import load_dataset
from optiviz.surfaces.directions import random_directions
from optiviz.surfaces.network import BLOCK, Architecture, Network, Weight
from optiviz.surfaces.plane import Plane
from optiviz.surfaces.weight_plane import WeightPlane

DOCS = HERE.parent / "docs" / "networks.md"
MARKS = "<!-- benchmarks: python benchmarks/networks.py --docs -->", "<!-- end -->"
OPTIVIZ = str(Path(sys.executable).with_name("optiviz"))
ARTICLE_5 = ["run", "-q", "--surface", "digits-output", "--opt", "sgd"]
ARTICLE_5 += ["--frames", "0:200:20,200:9000:100"]
SIDE, SAMPLES, SIZES = 40, 1000, (64, 50, 500, 10)
PLANES = {
    "two output weights": [(2, 5, 250), (2, 5, 251)],
    "two weights of the layer before": [(1, 200, 30), (1, 200, 31)],
    "two weights of different layers": [(1, 200, 30), (2, 3, 31)],
}
EVERY = 20  # the article's loop evaluates only every 20th point
STEPS, BATCH = 2000, 128
RACE = {"sgd": 0.01, "momentum": 0.01, "adagrad": 0.01, "adam": 0.001}
TORCH = """
import sys, time, torch
torch.set_default_dtype(torch.float64)
torch.set_num_threads(int(sys.argv[2]))
from sklearn.datasets import load_digits
inputs, labels = load_digits(return_X_y=True)
inputs, labels = torch.tensor(inputs[:1438] / 16), torch.tensor(labels[:1438])
sizes = [64, 100, 100, 100, 100, 10]
layers = [part for pair in zip(sizes, sizes[1:])
          for part in (torch.nn.Linear(*pair), torch.nn.ReLU())]
net = torch.nn.Sequential(*layers[:-1])
optimizer = {
    "sgd": lambda: torch.optim.SGD(net.parameters(), lr=0.01),
    "momentum": lambda: torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9),
    "adagrad": lambda: torch.optim.Adagrad(net.parameters(), lr=0.01),
    "adam": lambda: torch.optim.Adam(net.parameters(), lr=0.001),
}[sys.argv[1]]()
judge, losses = torch.nn.CrossEntropyLoss(), []
for step in range(20 + int(sys.argv[3])):
    if step == 20:
        began = time.perf_counter()
    chosen = torch.randperm(1438)[:128]
    optimizer.zero_grad()
    loss = judge(net(inputs[chosen]), labels[chosen])
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print(time.perf_counter() - began)
"""


def seconds(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def made(folder: str, *words: str) -> float:
    """Return the seconds of a whole process that renders a picture with an empty cache."""
    cache = tempfile.mkdtemp(dir=folder)
    command = [OPTIVIZ, *ARTICLE_5, *words]
    environment = os.environ | {"XDG_CACHE_HOME": cache}
    return seconds(lambda: subprocess.run(command, cwd=folder, env=environment, check=True))


def loop(change: Callable[[list[Any], float, float], None], points: Any) -> Any:
    """Evaluate a network as article 5 does: draw its weights and run it again for each point."""
    data = load_dataset("digits")
    inputs, targets = data.inputs[:SAMPLES], data.targets[:SAMPLES].T
    losses = []
    for a, b in points:
        np.random.seed(135)
        weights = [np.random.randn(50, 64), np.random.randn(500, 50), np.random.randn(10, 500)]
        change(weights, a, b)
        first = expit(weights[0] @ inputs.T)
        said = expit(weights[2] @ expit(weights[1] @ first))
        losses.append(np.mean(np.sum((targets - said) ** 2, axis=0)))
    return np.array(losses)


def grids(pairs: int) -> Iterator[tuple[str, str]]:
    data = load_dataset("digits")
    shape = Architecture(SIZES, ("sigmoid", "sigmoid"))
    network = Network(shape, data.inputs[:SAMPLES], data.targets[:SAMPLES])
    x = shape.initial("normal", 135)
    directions = random_directions(network.parts, x, 0)
    apart = [[matrix for matrix, _ in shape.unpacked(each)] for each in directions]

    def moved(weights: list[Any], a: float, b: float) -> None:
        for layer, (one, other) in enumerate(zip(*apart, strict=True)):
            weights[layer] += a * one + b * other

    def placed(pair: list[tuple[int, int, int]]) -> Callable[[list[Any], float, float], None]:
        def change(weights: list[Any], a: float, b: float) -> None:
            for (layer, row, column), value in zip(pair, (a, b), strict=True):
                weights[layer][row][column] = value

        return change

    across, up = np.linspace(-15, 17, SIDE), np.linspace(-15, 18, SIDE)
    near = np.linspace(-1, 1, SIDE)
    sorts: dict[str, tuple[Callable[[], Plane], Any, Any, Any]] = {
        name: (
            lambda pair=pair: WeightPlane.of(network, x, [Weight(*each) for each in pair]),
            placed(pair), across, up,
        )
        for name, pair in PLANES.items()
    }  # fmt: skip
    sorts["random directions"] = (lambda: Plane(network, x, directions), moved, near, near)
    for name, (plane, change, xs, ys) in sorts.items():
        points = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)[::EVERY]
        expected = loop(change, points)
        ours = partial(sampled, plane, xs, ys)
        found = ours().ravel()[::EVERY]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
        theirs = partial(loop, change, points)
        times = [(EVERY * seconds(theirs), seconds(ours)) for _ in range(pairs)]
        yield f"40x40 grid, {name}: article's loop / ours", said(times, 0 if "two" in name else 1)


def sampled(plane: Callable[[], Plane], xs: Any, ys: Any) -> Any:
    """Create a plane and sample it, so that the setup it reuses is timed too."""
    made, points = plane(), np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    losses = [each for _, each in made.sampled(points, made.blocks(len(points)))]
    return np.concatenate(losses).reshape(len(ys), len(xs))


def said(times: list[tuple[float, float]], digits: int = 1) -> str:
    ratios = [slow / fast for slow, fast in times]
    print(f"    {' '.join(f'{ratio:.{digits}f}' for ratio in ratios)}", file=sys.stderr)
    slow, fast = (median(column) for column in zip(*times, strict=True))
    return f"{median(ratios):.{digits}f}x ({slow:.3g} s, {fast:.3g} s)"


def train(name: str) -> float:
    """Return the training time of the race network in seconds, including each batch's loss."""
    surface = find_surface("digits-race")
    stream = problem_of(surface).objective(BATCH)
    optimizer = parse_spec(name).build(lr=RACE[name])
    walked = enumerate(walk(stream, optimizer, surface.origin.network_model.initial, 20 + STEPS))

    def go(steps: int) -> list[float]:
        return [float(stream.at(step).value(x)) for step, (x, _) in islice(walked, steps)]

    go(20)
    return seconds(lambda: go(STEPS))


def races(pairs: int, threads: int) -> Iterator[tuple[str, str]]:
    environment = os.environ | {"OPENBLAS_NUM_THREADS": str(threads)}

    def ran(*command: str) -> float:
        return float(
            subprocess.check_output([sys.executable, *command], env=environment, text=True)
        )

    for name in RACE:
        times = [
            (
                ran("-c", TORCH, name, str(threads), str(STEPS)),
                ran(__file__, "--train", name),
            )
            for _ in range(pairs)
        ]
        cores = f"{threads} thread{'s' if threads > 1 else ''}"
        yield f"{STEPS} batches of the race, {name}, {cores}: torch / ours", said(times, 2)


def memory() -> float:
    """Return the megabytes that a random plane's grid takes on 60,000 samples, without the data."""
    import resource

    random = np.random.default_rng(0)
    inputs = random.random((60000, 784))
    network = Network(
        Architecture((784, 50, 500, 10), ("sigmoid",) * 2),
        inputs,
        np.eye(10)[random.integers(0, 10, 60000)],
    )
    x = network.architecture.initial("normal", 135)
    plane = Plane(network, x, random_directions(network.parts, x, 0))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sampled(lambda: plane, np.linspace(-1, 1, 6), np.linspace(-1, 1, 6))
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def table(pairs: int, folder: str) -> Iterator[tuple[str, str]]:
    """Yield rows: the name of the measurement and its result."""
    for name, view in (("two panels", "contour+loss"), ("relief", "relief")):
        gif, png = (
            partial(made, folder, "--view", view, "-o", f"x.{end}") for end in ("gif", "png")
        )
        times = [(gif(), png()) for _ in range(pairs)]
        yield f"article 5, {name}, 30,000 steps: GIF / PNG", said(times)
    yield from grids(pairs)
    if importlib.util.find_spec("torch") is not None:
        for threads in (1, 2):
            yield from races(pairs, threads)
    grown = subprocess.check_output([sys.executable, __file__, "--memory"], text=True)
    cores = min(os.cpu_count() or 1, 8)
    yield (
        f"memory of a grid on 60,000 samples, blocks of {BLOCK / 1e6:.0f} MB on {cores} cores",
        f"{float(grown):.0f} MB",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--docs", action="store_true", help="write the table into docs/networks.md")
    parser.add_argument("--train", choices=RACE, help=argparse.SUPPRESS)
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.train or options.memory:
        print(train(options.train) if options.train else memory())
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = table(options.pairs, folder)
        tell(rows, options.pairs, "", DOCS if options.docs else None, MARKS)


if __name__ == "__main__":
    main()
