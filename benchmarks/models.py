"""Measure what people's own PyTorch models cost: grids, races and memory.

    python benchmarks/models.py [--pairs 3] [--side 51] [--one]

Grids are compared with loss-landscape-3d 0.1.3, which computes --points points of the grid, since
all cost it the same; if it is not installed, with its loop (load_state_dict, and a pass of a
DataLoader a point). Races are compared with a bare loop of torch. Both sides take turns. Grids of
ours are computed on all cores, as in a run; with --one, everything has one thread, and seconds are
those of the processor, which other programs on the machine disturb less.
"""

import argparse
import copy
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from optiviz.descent.walk import descend, walk
from optiviz.optimizers.lookup import factory_of
from optiviz.surfaces.batches import samples_of_batch
from optiviz.surfaces.directions import random_directions
from optiviz.surfaces.models.space import ModelPlane
from optiviz.surfaces.models.torch import BLOCK, TorchProblem
from optiviz.surfaces.plane import MAX_THREADS

LOADED = 128  # samples of a DataLoader's batch
STEPS, SIZE, RATE = 1000, 128, 0.01
ONE = "--one" in sys.argv


class Convolutional(nn.Module):
    """Three convolutions, with a connection around two of them."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 8, 3, padding=1)
        self.second = nn.Conv2d(8, 8, 3, padding=1)
        self.third = nn.Conv2d(8, 8, 3, padding=1)
        self.last = nn.Linear(8 * 16, 10)

    def forward(self, x: Any) -> Any:
        x = functional.relu(self.first(x))
        x = functional.relu(x + self.third(functional.relu(self.second(x))))
        return self.last(functional.max_pool2d(x, 2).flatten(1))


class Transformer(nn.Module):
    """Two layers, which predict the next letter of short texts."""

    def __init__(self, letters: int = 27, width: int = 16, length: int = 8) -> None:
        super().__init__()
        self.letters = nn.Embedding(letters, width)
        self.places = nn.Parameter(torch.randn(length, width) / 10)
        layer = nn.TransformerEncoderLayer(width, 2, 2 * width, dropout=0.0, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2)
        self.last = nn.Linear(width, letters)

    def forward(self, x: Any) -> Any:
        return self.last(self.layers(self.letters(x) + self.places)).transpose(1, 2)


def digits() -> tuple[Any, Any]:
    from sklearn.datasets import load_digits

    inputs, labels = load_digits(return_X_y=True)
    return torch.tensor(inputs / 16, dtype=torch.float32), torch.tensor(labels)


def cases() -> dict[str, tuple[Any, tuple[Any, Any]]]:
    torch.manual_seed(0)
    inputs, labels = digits()
    text = torch.randint(0, 27, (2000, 9))
    dense = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    return {
        "convolutions with a skip connection": (
            Convolutional(),
            (inputs.view(-1, 1, 8, 8), labels),
        ),
        "a dense net": (dense, (inputs, labels)),
        "a transformer of two layers": (Transformer(), (text[:, :-1], text[:, 1:])),
    }


def theirs(
    model: Any, loader: Any, start: dict[str, Any], ways: list[dict[str, Any]], x: Any, y: Any
) -> Any:
    """Return the losses at pairs of coordinates, shape (len(y), len(x)), their way."""
    try:
        from loss_landscape_3d.calculator import LossLandscapeCalculator
    except ModuleNotFoundError:
        losses = np.empty((len(x), len(y)))
        model.eval()
        for column, a in enumerate(x):
            for row, b in enumerate(y):
                state = {key: start[key] + a * ways[0][key] + b * ways[1][key] for key in start}
                model.load_state_dict(state)
                total = 0.0
                with torch.no_grad():
                    for inputs, targets in loader:
                        loss = functional.cross_entropy(model(inputs), targets)
                        total += loss.item() * len(inputs)
                losses[column, row] = total / len(loader.dataset)
        return losses.T
    calculator = LossLandscapeCalculator(model, loader, functional.cross_entropy)
    return calculator.calculate(x, y, *ways, start).T


def seconds(run: Callable[[], Any]) -> tuple[float, Any]:
    clock = time.process_time if ONE else time.perf_counter
    begun = clock()
    found = run()
    return clock() - begun, found


def ours(plane: ModelPlane, axis: Any) -> Any:
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    sampled = plane.sampled(points, plane.blocks(len(points)), 1 if ONE else None)
    return np.concatenate([losses for _, losses in sampled]).reshape(len(axis), len(axis))


def grid(name: str, model: Any, data: tuple[Any, Any], pairs: int, side: int, points: int) -> None:
    problem = TorchProblem(model, functional.cross_entropy, data)
    directions = random_directions(problem.parts, problem.initial, 0)
    axis = np.linspace(-1, 1, side)
    start = copy.deepcopy(model.state_dict())
    ways = [
        {part.name: torch.tensor(part.of(way), dtype=torch.float32) for part in problem.parts}
        for way in directions
    ]
    loader = DataLoader(TensorDataset(*data), LOADED)
    plane, few = ModelPlane(problem, problem.initial, directions), axis[:: side // points][:points]
    ratios, apart = [], 0.0
    for _ in range(pairs):
        slow, wanted = seconds(
            lambda: theirs(copy.deepcopy(model), loader, start, ways, few, axis[:1])
        )
        quick, found = seconds(lambda: ours(plane, axis))
        each, mine = slow / len(few), quick / side**2
        ratios.append(each / mine)
        same = found[:1, :: side // points][:, :points]
        apart = max(apart, float(np.abs(same / wanted - 1).max()))
    print(
        f"{side}x{side} grid of {name}, {problem.caption}: theirs / ours {median(ratios):.2f}x "
        f"({1e3 * each:.1f} ms, {1e3 * mine:.2f} ms a point; {min(ratios):.2f}x or more), "
        f"losses within {apart:.1e}",
        flush=True,
    )


def race(pairs: int) -> None:
    inputs, labels = digits()
    inputs = inputs.view(-1, 1, 8, 8)
    model = cases()["convolutions with a skip connection"][0]
    problem = TorchProblem(model, functional.cross_entropy, (inputs, labels))

    def bare() -> Any:
        moved = copy.deepcopy(model)
        optimizer = torch.optim.Adam(moved.parameters(), lr=RATE)
        losses = []
        for step in range(STEPS):
            chosen = torch.from_numpy(samples_of_batch(len(labels), SIZE, 0, step))
            optimizer.zero_grad()
            loss = functional.cross_entropy(moved(inputs[chosen]), labels[chosen])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    for name in ("adam", "torch.optim.Adam"):
        method = factory_of(name).make(lr=RATE)

        def alone(method: Any = method) -> Any:
            stream = problem.batches(SIZE, 0)
            losses = []
            for step, (x, _) in enumerate(walk(stream, method, problem.initial, STEPS)):
                losses.append(float(stream.at(step).value(x)))
            return losses

        def recorded(method: Any = method) -> Any:
            return descend(problem.batches(SIZE, 0), method, problem.initial, STEPS)

        ratios, whole = [], []
        for _ in range(pairs):
            loop, wanted = seconds(bare)
            own, found = seconds(alone)
            full, path = seconds(recorded)
            ratios.append(own / loop)
            whole.append(full / loop)
        first = np.abs(np.array(found[:20]) / wanted[:20] - 1).max()
        print(
            f"{STEPS} batches of {SIZE}, {name}: ours / a bare loop {median(ratios):.2f}x "
            f"({own:.2f} s, {loop:.2f} s); with the loss of all samples at {len(path.points)} "
            f"steps {median(whole):.2f}x; first losses within {first:.0e}",
            flush=True,
        )


def memory() -> None:
    """Print how much more memory a grid of many samples takes, in a process of its own."""
    torch.manual_seed(0)
    data = torch.randn(40_000, 1, 8, 8), torch.randint(0, 10, (40_000,))
    problem = TorchProblem(Convolutional(), functional.cross_entropy, data)
    plane = ModelPlane(
        problem, problem.initial, random_directions(problem.parts, problem.initial, 0)
    )
    problem.values_on_plane(plane.origin, plane.directions, np.zeros((1, 2)))
    threads = min(MAX_THREADS, torch.get_num_threads())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    problem.thread_copy()
    ours(plane, np.linspace(-1, 1, 4))
    problem.value_and_gradient(problem.initial)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"a grid and a gradient of 40,000 samples: {(after - before) / 1e3:.0f} MB more than one "
        f"point, of blocks of {BLOCK / 1e6:.0f} MB on {threads} threads"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--side", type=int, default=51)
    parser.add_argument("--points", type=int, default=10)
    parser.add_argument("--one", action="store_true")
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        memory()
        return
    if ONE:
        torch.set_num_threads(1)
    for name, (model, data) in cases().items():
        grid(name, model, data, options.pairs, options.side, options.points)
    race(options.pairs)
    subprocess.run([sys.executable, __file__, "--memory"], check=True)


if __name__ == "__main__":
    main()
