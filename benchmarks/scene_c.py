"""A 3-D surface with a path on it, as a plain matplotlib script.

Usage: scene_c.py WRITER OUT [ORBIT]. The camera turns by ORBIT degrees. Prints how many seconds
saving took.
"""

import sys
import time
from collections.abc import Sequence

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import optiviz.writers  # noqa: F401  registers "imageio"

FRAMES, SAMPLES, FPS = 60, 60, 12


def scene(orbit: float = 0) -> FuncAnimation:
    figure = Figure((9.6, 6.4))
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(projection="3d", computed_zorder=False)
    x, y = np.meshgrid(*[np.linspace(-3, 3, SAMPLES)] * 2)
    axes.plot_surface(x, y, x**2 / 4 + y**2 + np.sin(3 * x), cmap="viridis", rcount=60, ccount=60)
    t = np.linspace(0, 1, FRAMES)
    path = np.array([3 - 3 * t, 2.5 * np.cos(9 * t) * (1 - t)])
    height = path[0] ** 2 / 4 + path[1] ** 2 + np.sin(3 * path[0]) + 0.3
    (line,) = axes.plot([], [], [], color="red", zorder=10, label="path")
    axes.legend(loc="upper left")

    def update(frame: int) -> Sequence[Artist]:
        line.set_data_3d(*path[:, : frame + 1], height[: frame + 1])
        if orbit:
            axes.view_init(azim=-60 + orbit * frame / FRAMES)
        return [line]

    return FuncAnimation(figure, update, frames=FRAMES, blit=True)


if __name__ == "__main__":
    writer, out, *turned = sys.argv[1:]
    animation = scene(float(turned[0]) if turned else 0)
    began = time.perf_counter()
    animation.save(out, writer=writer, fps=FPS)
    print(time.perf_counter() - began)
