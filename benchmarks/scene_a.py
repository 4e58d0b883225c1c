"""Article 1's wobbly picture as a matplotlib user writes it: 1200x800, five lines, a legend.

    python benchmarks/scene_a.py WRITER OUT [FRAMES] [noblit]

WRITER is any writer that matplotlib knows: pillow, ffmpeg, or imageio, which is optiviz's. With
"noblit", the animation has matplotlib's default, blit=False. As a module it provides `figure`,
`update` and `steps`, so that exact frames can be drawn.
"""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: TID251  a user's script
import numpy as np
from matplotlib.animation import FuncAnimation

START, H = (-2.8, -2.5), 1e-6
LEVELS = [*np.arange(-2, 6, 0.25), 6.25, 6.5, 6.75, 7, *range(8, 20)]


def wobbly(x, y):
    bump = 8 * np.exp(-2 * ((x + 1) ** 2 + (y + 2) ** 2))
    crease = np.abs(x) * np.sqrt(np.abs(x) + 0.1)
    return (x**2 + y**2) / 3 + crease + 3 * np.sin(x + y) + 3 + bump


def slope(point):
    x, y = point
    across = wobbly(x + H, y) - wobbly(x - H, y), wobbly(x, y + H) - wobbly(x, y - H)
    return np.array(across) / (2 * H)


def nesterov(momentum):
    velocity = np.zeros(2)

    def move(slope, _):
        velocity[:] = momentum * velocity - 0.01 * slope
        return momentum * velocity - 0.01 * slope

    return move


def rmsprop():
    mean = np.zeros(2)

    def move(slope, _):
        mean[:] = 0.9 * mean + 0.1 * slope**2
        return -0.25 * slope / np.sqrt(mean + 1e-6)

    return move


def adagrad():
    total = np.zeros(2)

    def move(slope, _):
        total[:] += slope**2
        return -slope / np.sqrt(total + 1e-6)

    return move


def adam():
    first, second = np.zeros(2), np.zeros(2)

    def move(slope, step):
        first[:] = 0.9 * first + 0.1 * slope
        second[:] = 0.999 * second + 0.001 * slope**2
        rate = 0.25 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        return -rate * first / (np.sqrt(second) + 1e-8)

    return move


def path(move, steps):
    points = [np.array(START)]
    for step in range(1, steps + 1):
        points.append(points[-1] + move(slope(points[-1]), step))
    return np.array(points)


frames = int(sys.argv[3]) if len(sys.argv) > 3 else 119
steps = range(1, frames + 1)
movers = {
    "nesterov 0.9": nesterov(0.9),
    "nesterov 0.5": nesterov(0.5),
    "rmsprop": rmsprop(),
    "adagrad": adagrad(),
    "adam": adam(),
}
paths = {name: path(move, frames) for name, move in movers.items()}

figure, axes = plt.subplots(figsize=(12, 8), dpi=100)
side = np.arange(-3, 3, 0.05)
x, y = np.meshgrid(side, side)
axes.clabel(axes.contour(x, y, wobbly(x, y), levels=LEVELS), inline=True, fontsize=10)
axes.set_title("Wobbly")
axes.set_xlim(-3, 3)
axes.set_ylim(-3.5, 3)
lines = [axes.plot([], [], label=name)[0] for name in paths]
axes.legend(loc="lower right")


def update(step):
    for line, points in zip(lines, paths.values(), strict=True):
        line.set_data(*points[: step + 1].T)
    return lines


if __name__ == "__main__":
    if sys.argv[1] == "imageio":
        import optiviz.writers  # noqa: F401  the one line that makes it fast
    blit = "noblit" not in sys.argv
    FuncAnimation(
        figure, update, frames=steps, init_func=lambda: lines, interval=200, blit=blit
    ).save(sys.argv[2], writer=sys.argv[1], fps=5, dpi=100)
