"""Forty random walks in 3-D, as in matplotlib's gallery: a plain script without blit.

Usage: scene_d.py WRITER OUT. Prints how many seconds saving took.
"""

import sys
import time

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import optiviz.writers  # noqa: F401  registers "imageio"

WALKS, FRAMES, FPS = 40, 60, 10


def scene() -> FuncAnimation:
    rng = np.random.default_rng(0)
    starts = rng.random((WALKS, 1, 3))
    walks = starts + np.cumsum(rng.uniform(-0.05, 0.05, (WALKS, FRAMES, 3)), axis=1)
    figure = Figure()
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(projection="3d", xlabel="x", ylabel="y", zlabel="z")
    axes.set(xlim=(0, 1), ylim=(0, 1), zlim=(0, 1))
    lines = [axes.plot([], [], [])[0] for _ in walks]

    def update(frame: int) -> None:
        for line, walk in zip(lines, walks, strict=True):
            line.set_data_3d(walk[: frame + 1].T)

    return FuncAnimation(figure, update, frames=FRAMES)


if __name__ == "__main__":
    writer, out = sys.argv[1:]
    animation = scene()
    began = time.perf_counter()
    animation.save(out, writer=writer, fps=FPS)
    print(time.perf_counter() - began)
