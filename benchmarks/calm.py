"""Measure how calm default paths are: all tuned optimizers on all two-dimensional formulas.

    python benchmarks/calm.py [calm|fast]

Prints quantiles of the largest step and of backward walking, as shares of the window's diagonal,
how many paths end lower than they began, and the share of steps that move at all.
"""

import sys

import numpy as np

import optiviz
from optiviz.cli.inventory import list_names
from optiviz.descent.learning_rate import strides
from optiviz.optimizers import load_optimizer
from optiviz.optimizers.base import Solver
from optiviz.registry import OPTIMIZERS

MOVES = 0.0005  # share of the diagonal that a step must be long to count as one that moves


def main(pace: str = "calm") -> None:
    """Measure one pace and print the figures."""
    optimizers = [name for name in OPTIMIZERS if not issubclass(load_optimizer(name), Solver)]
    walked, lower, moving = [], [], []
    for each in list_names("surfaces", tags=[]):
        surface = optiviz.load_surface(each["name"])
        if surface.dim != 2 or not surface.formula:
            continue
        recipe = optiviz.Recipe(surface=surface, optimizers=",".join(optimizers), pace=pace)
        diagonal = surface.window.diagonal
        for entry in recipe.make_scene().entries:
            if entry.configured.source != "tuned":
                continue
            for path in entry.trajectories:
                walked.append([stride / diagonal for stride in strides(path.points)])
                lower.append(path.losses[-1] < path.losses[0])
                lengths = np.linalg.norm(np.diff(path.points, axis=0), axis=-1)
                moving.append((lengths > MOVES * diagonal).mean())
    print(f"{len(walked)} paths, {sum(lower)} end lower")
    for name, shares in zip(
        ("largest step", "backward walking"), np.transpose(walked), strict=True
    ):
        middle, high, most = np.percentile(shares, (50, 95, 100))
        print(f"{name}: median {middle:.1%}, 95th percentile {high:.1%}, largest {most:.1%}")
    print(f"steps that move: median {np.median(moving):.0%}")


if __name__ == "__main__":
    main(*sys.argv[1:])
