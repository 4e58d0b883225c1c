"""Animations of all kinds that people write, as functions that return a matplotlib animation."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import matplotlib.pyplot as plt  # noqa: TID251  scripts of users
import numpy as np
from matplotlib.animation import Animation, ArtistAnimation, FuncAnimation
from matplotlib.colors import PowerNorm, hsv_to_rgb
from matplotlib.offsetbox import AnchoredText
from matplotlib.patches import Circle, ConnectionPatch, FancyArrowPatch, Rectangle, Shadow
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Affine2D

FRAMES = 6
ANIMATIONS: dict[str, Callable[[], Animation]] = {}

Made = Callable[[], Animation]
T = np.linspace(0, 6, 40)


def kind(make: Made) -> Made:
    ANIMATIONS[make.__name__] = make
    return make


def canvas(**settings: Any) -> tuple[Any, Any]:
    figure, axes = plt.subplots(figsize=(3, 2), dpi=60, **settings)
    return figure, axes


def animated(figure: Any, update: Any, blit: bool = False, frames: Any = FRAMES) -> FuncAnimation:
    return FuncAnimation(figure, update, frames=frames, blit=blit, interval=100)


def wave(frame: int) -> np.ndarray:
    return np.sin(T + frame / 2)


@kind
def line_returned() -> Animation:
    figure, axes = canvas()
    (line,) = axes.plot(T, wave(0), lw=3)

    def update(frame: int) -> Any:
        line.set_ydata(wave(frame))
        return [line]

    return animated(figure, update, blit=True)


@kind
def line_not_returned() -> Animation:
    figure, axes = canvas()
    (line,) = axes.plot(T, wave(0), lw=3)
    axes.legend([line], ["wave"], loc="upper right")
    return animated(figure, lambda frame: line.set_ydata(wave(frame)))


@kind
def line_and_unreturned_title() -> Animation:
    figure, axes = canvas()
    (line,) = axes.plot(T, wave(0))

    def update(frame: int) -> Any:
        line.set_ydata(wave(frame))
        axes.set_title(f"epoch {frame}")
        return [line]

    return animated(figure, update, blit=True)


@kind
def line_that_grows_and_rescales() -> Animation:
    figure, axes = canvas()
    (line,) = axes.plot([], [])

    def update(frame: int) -> None:
        line.set_data(range(frame + 1), np.arange(frame + 1) ** 2)
        axes.relim()
        axes.autoscale_view()

    return animated(figure, update)


@kind
def lines_that_start_late() -> Animation:
    figure, axes = canvas()
    axes.set(xlim=(0, 6), ylim=(-2, 2))
    lines = [axes.plot([], [], lw=3)[0] for _ in range(5)]

    def update(frame: int) -> Any:
        for number, line in enumerate(lines[:frame]):
            line.set_data(T, wave(frame + number))
        return lines[:frame]

    return animated(figure, update, blit=True)


@kind
def limits_that_scroll() -> Animation:
    figure, axes = canvas()
    (line,) = axes.plot([], [])

    def update(frame: int) -> Any:
        line.set_data(T + frame, wave(frame))
        axes.set_xlim(frame, frame + 6)
        return [line]

    return animated(figure, update, blit=True)


@kind
def axis_returned_while_limits_scroll() -> Animation:
    figure, axes = canvas()
    axes.axvspan(2, 4, color="g")
    (line,) = axes.plot([], [])

    def update(frame: int) -> Any:
        line.set_data(T, wave(frame))
        axes.set_xlim(frame, frame + 8)
        return line, axes.xaxis

    return animated(figure, update, blit=True)


@kind
def axes_returned_while_limits_scroll() -> Animation:
    figure, axes = canvas()
    (line,) = axes.plot(T, T)

    def update(frame: int) -> Any:
        line.set_ydata(frame * wave(frame))
        axes.set_ylim(-frame - 1, frame + 1)
        axes.set_facecolor("0.9" if frame % 2 else "w")
        return [axes]

    return animated(figure, update, blit=True)


@kind
def legend_returned_while_limits_scroll() -> Animation:
    figure, axes = canvas()
    (line,) = axes.plot(T, T, label="line")
    legend = axes.legend(loc="lower right")

    def update(frame: int) -> Any:
        axes.set_xlim(0, 1 + frame)
        legend.get_texts()[0].set_text(f"step {frame}")
        return line, legend

    return animated(figure, update, blit=True)


@kind
def cell_of_a_table_returned() -> Animation:
    figure, axes = canvas()
    table = axes.table([["a", "b"], ["c", "d"]], loc="center")
    axes.plot(T, wave(0))

    def update(frame: int) -> Any:
        table[0, 0].get_text().set_text(str(frame))
        axes.set_xlim(0, 4 + frame)
        return [table[0, 0]]

    return animated(figure, update, blit=True)


@kind
def canvas_drawn_in_update() -> Animation:
    figure, axes = canvas()
    (line,) = axes.plot([], [])
    axes.set_ylim(0, 9)

    def update(frame: int) -> Any:
        line.set_data(range(frame + 1), range(frame + 1))
        axes.set_xlim(0, frame + 1)
        axes.set_title(f"epoch {frame}")
        figure.canvas.draw()
        return [line]

    return animated(figure, update, blit=True)


@kind
def drawn_without_rendering_in_update() -> Animation:
    figure, axes = canvas()
    bars = axes.bar(range(3), [1, 2, 3])
    axes.set_ylim(0, 9)
    (line,) = axes.plot([], [])

    def update(frame: int) -> Any:
        bars[frame % 3].set_height(frame + 1)
        line.set_data([0, 2], [frame, 2])
        figure.draw_without_rendering()
        return [line]

    return animated(figure, update, blit=True)


@kind
def paused_in_update() -> Animation:
    figure, axes = canvas()
    (line,) = axes.plot(T, wave(0))

    def update(frame: int) -> Any:
        line.set_ydata(wave(frame))
        figure.suptitle(f"frame {frame}")
        plt.pause(0.001)
        return [line]

    return animated(figure, update, blit=True)


@kind
def measured_in_update() -> Animation:
    figure, axes = canvas()
    text = axes.text(0.1, 0.5, "", fontsize=14)
    box = axes.add_patch(Rectangle((0, 0), 0, 0, transform=None, fill=False))

    def update(frame: int) -> None:
        text.set_text("x" * (frame + 1))
        extent = text.get_window_extent()
        box.set_bounds(*extent.bounds)

    return animated(figure, update)


@kind
def cleared() -> Animation:
    figure, axes = canvas()

    def update(frame: int) -> None:
        axes.clear()
        axes.plot(T, wave(frame), label=f"frame {frame}")
        axes.legend()
        axes.set_title(f"frame {frame}")

    return animated(figure, update)


@kind
def figure_cleared() -> Animation:
    figure, _ = canvas()

    def update(frame: int) -> None:
        figure.clear()
        figure.add_subplot(1, 1 + frame % 2, 1).plot(T, wave(frame))

    return animated(figure, update)


@kind
def sometimes_cleared() -> Animation:
    figure, axes = canvas()
    lines = [axes.plot(T, wave(0))[0]]

    def update(frame: int) -> None:
        if frame == 12:
            axes.clear()
            lines[0] = axes.plot(T, wave(3), "r")[0]
        lines[0].set_ydata(wave(frame))

    return animated(figure, update, frames=20)


@kind
def generator_of_frames() -> Animation:
    figure, axes = canvas()
    axes.set(xlim=(0, 6), ylim=(0, 36))
    x: list[float] = []
    (line,) = axes.plot([], [], "o-")

    def frames() -> Iterator[float]:
        yield from np.linspace(0, 6, FRAMES)

    def init() -> Any:
        x.clear()
        line.set_data([], [])
        return [line]

    def update(value: float) -> Any:
        x.append(value)
        line.set_data(x, np.square(x))
        return [line]

    return FuncAnimation(
        figure, update, frames=frames, init_func=init, blit=True, save_count=99, interval=100
    )


def _artists(blit: bool) -> Animation:
    figure, axes = canvas()
    shown = [
        [*axes.plot(T, wave(frame), "C0"), axes.text(0.5, 0.9, f"frame {frame}")]
        for frame in range(FRAMES)
    ]
    return ArtistAnimation(figure, shown, interval=100, blit=blit)


@kind
def artists_in_turn() -> Animation:
    return _artists(blit=False)


@kind
def artists_in_turn_with_blit() -> Animation:
    return _artists(blit=True)


@kind
def images_in_turn() -> Animation:
    figure, axes = canvas()
    x, y = np.meshgrid(T, T)
    shown = [[axes.imshow(np.sin(x + frame) * np.cos(y), animated=True)] for frame in range(FRAMES)]
    return ArtistAnimation(figure, shown, interval=100, blit=True)


@kind
def artists_added() -> Animation:
    figure, axes = canvas()
    axes.set(xlim=(0, 7), ylim=(0, 7))

    def update(frame: int) -> Any:
        return axes.plot([frame], [frame], "o", ms=12)

    return animated(figure, update, blit=True)


@kind
def artists_removed() -> Animation:
    figure, axes = canvas()
    dots = [axes.plot([at], [at], "o", ms=12)[0] for at in range(12)]

    def update(frame: int) -> None:
        while len(dots) > 12 - frame:
            dots.pop().remove()

    return animated(figure, update)


@kind
def another_artist_each_time() -> Animation:
    figure, axes = canvas()
    bars = axes.bar(range(12), range(1, 13), color="C0")

    def update(frame: int) -> None:
        bars[(frame - 1) % 12].set_color("C0")
        bars[frame].set_color("C1")

    return animated(figure, update, frames=12)


@kind
def visibility() -> Animation:
    figure, axes = canvas()
    line, other = *axes.plot(T, wave(0), lw=4), *axes.plot(T, wave(1), lw=4)

    def update(frame: int) -> None:
        line.set_visible(frame % 2 == 0)
        other.set_alpha(1 - frame / FRAMES)

    return animated(figure, update)


@kind
def late_change() -> Animation:
    figure, axes = canvas()
    line, other = *axes.plot(T, wave(0)), *axes.plot(T, wave(1))

    def update(frame: int) -> Any:
        line.set_ydata(wave(frame))
        if frame > 12:
            other.set_ydata(wave(-frame))
        return [line]

    return animated(figure, update, blit=True, frames=18)


@kind
def image() -> Animation:
    figure, axes = canvas()
    shown = axes.imshow(np.zeros((9, 9)), vmin=0, vmax=9)

    def update(frame: int) -> Any:
        shown.set_data(np.add.outer(np.arange(9), np.arange(9)) % (frame + 1))
        return [shown]

    return animated(figure, update, blit=True)


@kind
def image_with_hues() -> Animation:
    figure, axes = canvas()
    shown = axes.imshow(np.zeros((30, 30, 3)))
    light = np.outer(np.linspace(0.3, 1, 30), np.linspace(0.3, 1, 30))

    def update(frame: int) -> Any:
        shown.set_data(np.multiply.outer(light, hsv_to_rgb((frame / 12, 1, 1))))
        return [shown]

    return animated(figure, update, blit=True, frames=12)


@kind
def image_changed_in_place() -> Animation:
    figure, axes = canvas()
    shown = axes.imshow(np.zeros((9, 9)), vmin=0, vmax=9)

    def update(frame: int) -> None:
        shown.get_array()[frame % 9] = frame

    return animated(figure, update)


@kind
def colour_limits_and_colour_bar() -> Animation:
    figure, axes = canvas()
    shown = axes.imshow(np.outer(T, T))
    figure.colorbar(shown)

    def update(frame: int) -> Any:
        shown.set_clim(0, 4 + 5 * frame)
        return [shown]

    return animated(figure, update, blit=True)


@kind
def colour_map() -> Animation:
    figure, axes = canvas()
    mesh = axes.pcolormesh(np.outer(T[::4], T[::4]))
    names = itertools.cycle(["viridis", "magma", "coolwarm"])
    return animated(figure, lambda _: mesh.set_cmap(next(names)), frames=6)


@kind
def mesh() -> Animation:
    figure, axes = canvas()
    shown = axes.pcolormesh(np.outer(T[::4], T[::4]), vmin=-36, vmax=36)

    def update(frame: int) -> Any:
        shown.set_array(np.outer(T[::4], T[::4]) * np.cos(frame))
        return [shown]

    return animated(figure, update, blit=True)


@kind
def scatter() -> Animation:
    figure, axes = canvas()
    rng = np.random.default_rng(0)
    dots = axes.scatter(*rng.random((2, 30)), c=rng.random(30), s=90)

    def update(frame: int) -> None:
        rng = np.random.default_rng(frame)
        dots.set_offsets(rng.random((30, 2)))
        dots.set_sizes(200 * rng.random(30))
        dots.set_array(rng.random(30))

    return animated(figure, update)


@kind
def offsets_changed_in_place() -> Animation:
    figure, axes = canvas()
    axes.set(xlim=(0, 9), ylim=(0, 9))
    dots = axes.scatter([1, 2, 3], [3, 2, 1], s=80)

    def update(frame: int) -> None:
        dots.get_offsets()[:] = [[frame, 3], [2, frame], [5, 5]]

    return animated(figure, update)


@kind
def arrows() -> Animation:
    figure, axes = canvas()
    x, y = np.meshgrid(range(5), range(4))
    field = axes.quiver(x, y, np.ones_like(x), np.ones_like(y))
    axes.quiverkey(field, 0.5, 1.05, 1, "one")

    def update(frame: int) -> Any:
        field.set_UVC(np.cos(x + frame), np.sin(y + frame))
        return [field]

    return animated(figure, update, blit=True)


@kind
def bars() -> Animation:
    figure, axes = canvas()
    shown = axes.bar(range(5), range(5))
    axes.set_ylim(0, 12)

    def update(frame: int) -> Any:
        for number, bar in enumerate(shown):
            bar.set_height(number + frame)
        return [*shown]

    return animated(figure, update, blit=True)


@kind
def race_of_bars() -> Animation:
    figure, axes = canvas()

    def update(frame: int) -> None:
        axes.clear()
        values = np.random.default_rng(0).random(5) * (1 + np.arange(5) * frame)
        shown = axes.barh(range(5), values)
        axes.bar_label(shown, fmt="%.1f")

    return animated(figure, update)


@kind
def histogram() -> Animation:
    figure, axes = canvas()
    values = np.random.default_rng(0).normal(size=(FRAMES, 50))
    _, _, shown = axes.hist([], np.linspace(-3, 3, 13))
    axes.set_ylim(top=15)

    def update(frame: int) -> Any:
        for bar, height in zip(shown, np.histogram(values[frame], 12)[0], strict=False):
            bar.set_height(height)
        return shown.patches

    return animated(figure, update, blit=True)


@kind
def band_drawn_anew() -> Animation:
    figure, axes = canvas()
    axes.set(xlim=(0, 6), ylim=(-2, 2))
    bands = [axes.fill_between(T, wave(0), 0)]

    def update(frame: int) -> None:
        bands.pop().remove()
        bands.append(axes.fill_between(T, wave(frame), wave(frame) / 2, color="C1"))

    return animated(figure, update)


@kind
def contours_drawn_anew() -> Animation:
    figure, axes = canvas()
    x, y = np.meshgrid(T[::3], T[::3])
    shown = [axes.contourf(x, y, x + y)]

    def update(frame: int) -> None:
        shown.pop().remove()
        shown.append(axes.contourf(x, y, np.sin(x + frame) + y))

    return animated(figure, update)


@kind
def error_bars() -> Animation:
    figure, axes = canvas()
    shown = axes.errorbar(range(4), range(4), yerr=1, capsize=3)
    axes.set_ylim(-3, 12)

    def update(frame: int) -> None:
        line, _, (bars,) = shown
        y = np.arange(4) + frame
        line.set_ydata(y)
        bars.set_segments([[(x, low - 1), (x, low + 1)] for x, low in enumerate(y)])

    return animated(figure, update)


@kind
def segments() -> Animation:
    figure, axes = canvas()
    shown = axes.vlines(range(6), 0, 1)

    def update(frame: int) -> None:
        shown.set_segments([[(x, 0), (x, np.cos(x + frame))] for x in range(6)])
        shown.set_linewidths([frame, 2])

    return animated(figure, update)


@kind
def patches() -> Animation:
    figure, axes = canvas()
    axes.set(xlim=(-2, 8), ylim=(-2, 4), aspect="equal")
    circle = axes.add_patch(Circle((0, 0), 1))
    square = axes.add_patch(Rectangle((0, 2), 1, 1, color="r"))

    def update(frame: int) -> None:
        circle.center = frame, np.sin(frame)
        square.set(angle=10 * frame, x=frame / 2)

    return animated(figure, update)


@kind
def transform_changed_in_place() -> Animation:
    figure, axes = canvas()
    axes.set(xlim=(-3, 3), ylim=(-3, 3))
    turned = Affine2D()
    square = Rectangle((0, 0), 2, 1, transform=turned + axes.transData)
    axes.add_patch(square)
    return animated(figure, lambda frame: turned.clear().rotate(frame / 3) and None)


@kind
def attribute_without_setter() -> Animation:
    figure, (left, right) = canvas(ncols=2)
    both = ConnectionPatch((0, 0), (1, 1), "data", "data", axesA=left, axesB=right)
    figure.add_artist(both)

    def update(frame: int) -> None:
        both.xy1 = frame / FRAMES, 0.5

    return animated(figure, update)


@kind
def connection_while_limits_move() -> Animation:
    figure, (left, right) = canvas(ncols=2)
    both = ConnectionPatch((0.2, 0.2), (0.8, 0.8), "data", "data", axesA=left, axesB=right)
    figure.add_artist(both)
    return animated(figure, lambda frame: right.set_xlim(-frame, 1) and None)


@kind
def annotation() -> Animation:
    figure, axes = canvas()
    axes.set(xlim=(0, 9), ylim=(0, 9))
    note = axes.annotate("here", (0, 0), (6, 7), arrowprops={"arrowstyle": "->"})

    def update(frame: int) -> None:
        note.xy = frame, frame / 2

    return animated(figure, update)


@kind
def annotation_of_an_artist() -> Animation:
    figure, axes = canvas()
    text = axes.text(0.1, 0.5, "x")
    axes.annotate("after", (1, 0), xycoords=text)
    return animated(figure, lambda frame: text.set_text("x" * (1 + 2 * frame)))


@kind
def clip_path_that_moves() -> Animation:
    figure, axes = canvas()
    shown = axes.imshow(np.outer(T, T), extent=(0, 6, 0, 6))
    hole = Circle((0, 3), 2, transform=axes.transData)
    shown.set_clip_path(hole)

    def update(frame: int) -> None:
        hole.center = frame, 3

    return animated(figure, update)


@kind
def legend_at_the_best_place() -> Animation:
    figure, axes = canvas()
    axes.set(xlim=(0, 6), ylim=(-1, 1))
    (line,) = axes.plot([], [], label="line", lw=4)
    axes.legend()

    def update(frame: int) -> Any:
        line.set_data(T[: 6 * frame], np.linspace(1, -1, 40)[: 6 * frame])
        return [line]

    return animated(figure, update, blit=True)


@kind
def legend_labels() -> Animation:
    figure, axes = canvas()
    (line,) = axes.plot(T, wave(0), label="loss")
    legend = axes.legend(loc="lower left")

    def update(frame: int) -> Any:
        line.set_ydata(wave(frame))
        legend.get_texts()[0].set_text(f"loss {frame}")
        return [line]

    return animated(figure, update, blit=True)


@kind
def order() -> Animation:
    figure, axes = canvas()
    axes.set(xlim=(-1, 1), ylim=(-1, 1))
    axes.scatter([0], [0], s=2000, c="gold", zorder=5)
    (dot,) = axes.plot([0], [0], "bo", ms=20)

    def update(frame: int) -> Any:
        dot.set_zorder(9 if frame % 2 else 1)
        return [dot]

    return animated(figure, update, blit=True)


@kind
def order_of_axes() -> Animation:
    figure, axes = canvas()
    over = figure.add_axes((0.3, 0.3, 0.5, 0.5))
    (line,) = axes.plot(T, wave(0))

    def update(frame: int) -> Any:
        line.set_ydata(wave(frame))
        over.set_zorder(1 if frame % 2 else -1)
        return [line]

    return animated(figure, update, blit=True)


@kind
def texts_of_the_figure() -> Animation:
    figure, axes = canvas()
    title = figure.suptitle("frame")
    note = figure.text(0.02, 0.02, "note")
    (line,) = axes.plot(T, wave(0))

    def update(frame: int) -> Any:
        title.set_text(f"frame {frame}")
        note.set_color(f"C{frame}")
        line.set_ydata(wave(frame))
        return [line]

    return animated(figure, update, blit=True)


@kind
def ticks_and_labels() -> Animation:
    figure, axes = canvas()
    axes.plot(T, wave(0))

    def update(frame: int) -> None:
        axes.set_xticks(range(frame + 1))
        axes.set_xlabel(f"x {frame}")
        axes.tick_params(colors=f"C{frame}")

    return animated(figure, update)


@kind
def axis_at_the_top() -> Animation:
    figure, axes = canvas()
    axes.set_title("title")
    axes.xaxis.tick_top()
    labels = itertools.cycle(["1", "1\n2", "1\n2\n3"])
    return animated(figure, lambda _: axes.set_xticks([0.5], [next(labels)]) and None, frames=6)


@kind
def spines_and_grid() -> Animation:
    figure, axes = canvas()
    (line,) = axes.plot(T, wave(0))

    def update(frame: int) -> Any:
        line.set_ydata(wave(frame))
        axes.spines["top"].set_visible(frame % 2 == 0)
        axes.grid(frame > 3)
        axes.spines["left"].set_linewidth(frame)
        return [line]

    return animated(figure, update, blit=True)


@kind
def background() -> Animation:
    figure, axes = canvas()
    (line,) = axes.plot(T, wave(0))

    def update(frame: int) -> None:
        axes.set_facecolor(f"C{frame}")
        figure.set_facecolor(f"{frame / FRAMES:.1f}")
        line.set_ydata(wave(frame))

    return animated(figure, update)


@kind
def polar() -> Animation:
    figure, axes = canvas(subplot_kw={"projection": "polar"})
    (line,) = axes.plot(T, T)
    axes.set_rmax(8)

    def update(frame: int) -> Any:
        line.set_data(T + frame, T)
        return [line]

    return animated(figure, update, blit=True)


@kind
def polar_that_turns() -> Animation:
    figure, axes = canvas(subplot_kw={"projection": "polar"})
    axes.plot(T, T)
    return animated(figure, lambda frame: axes.set_theta_offset(frame / 5))


@kind
def logarithmic() -> Animation:
    figure, axes = canvas()
    axes.set(yscale="log", xlim=(0, 6), ylim=(1e-3, 1e3))
    (line,) = axes.plot([1], [1], "o-")

    def update(frame: int) -> None:
        line.set_data(T, 10 ** wave(frame))

    return animated(figure, update)


@kind
def scale_that_changes() -> Animation:
    figure, axes = canvas()
    axes.plot(T, np.exp(T))
    return animated(figure, lambda frame: axes.set_yscale("log" if frame > 3 else "linear"))


@kind
def twins() -> Animation:
    figure, axes = canvas()
    twin = axes.twinx()
    line, other = *axes.plot(T, wave(0)), *twin.plot(T, wave(1), "r")

    def update(frame: int) -> Any:
        line.set_ydata(wave(frame))
        other.set_ydata(frame * wave(-frame))
        twin.set_ylim(-frame - 1, frame + 1)
        return [line]

    return animated(figure, update, blit=True)


@kind
def inset() -> Animation:
    figure, axes = canvas()
    small = axes.inset_axes((0.6, 0.6, 0.35, 0.35))
    line, other = *axes.plot(T, wave(0)), *small.plot(T, wave(1), "r")

    def update(frame: int) -> Any:
        line.set_ydata(wave(frame))
        other.set_ydata(wave(-frame))
        small.set_xlim(0, 6 - frame / 2)
        return [line]

    return animated(figure, update, blit=True)


@kind
def inset_that_moves() -> Animation:
    figure, axes = canvas()
    small = axes.inset_axes((0.1, 0.6, 0.2, 0.35))
    axes.plot(T, wave(0))
    return animated(figure, lambda frame: small.set_position([0.1 + frame / 10, 0.3, 0.2, 0.3]))


@kind
def shared_axes() -> Animation:
    figure, (left, right) = canvas(ncols=2, sharex=True)
    (line,) = left.plot(T, wave(0))
    right.plot(T, wave(2))

    def update(frame: int) -> Any:
        line.set_ydata(wave(frame))
        left.set_xlim(0, 3 + frame)
        return [line]

    return animated(figure, update, blit=True)


@kind
def subfigures() -> Animation:
    figure = plt.figure(figsize=(3, 2), dpi=60)
    left, right = figure.subfigures(1, 2)
    line, other = (each.add_subplot().plot(T, wave(0))[0] for each in (left, right))

    def update(frame: int) -> Any:
        line.set_ydata(wave(frame))
        other.set_ydata(wave(-frame))
        left.suptitle(f"frame {frame}")
        return [line]

    return animated(figure, update, blit=True)


@kind
def constrained_layout() -> Animation:
    figure, axes = canvas(layout="constrained")
    (line,) = axes.plot(T, wave(0))

    def update(frame: int) -> Any:
        line.set_ydata(wave(frame))
        axes.set_ylabel("y\n" * frame)
        return [line]

    return animated(figure, update, blit=True)


@kind
def layout_around_what_was_returned() -> Animation:
    figure, axes = canvas(layout="tight")
    (line,) = axes.plot(T, wave(0))
    text = axes.text(6.2, 0, "")

    def update(frame: int) -> Any:
        line.set_ydata(wave(frame))
        text.set_text("x" * frame)
        return [line, text]

    return animated(figure, update, blit=True)


@kind
def equal_scales() -> Animation:
    figure, axes = canvas()
    axes.set_aspect("equal")
    (line,) = axes.plot(T, T)

    def update(frame: int) -> Any:
        line.set_data(frame + np.cos(T), np.sin(T))
        figure.canvas.draw()
        return [line]

    return animated(figure, update, blit=True)


@kind
def dates() -> Animation:
    figure, axes = canvas()
    days = np.arange("2026-01-01", "2026-02-10", dtype="datetime64[D]")
    (line,) = axes.plot(days, wave(0))

    def update(frame: int) -> None:
        line.set_data(days[: 5 * frame + 2], wave(frame)[: 5 * frame + 2])

    return animated(figure, update)


def _space() -> tuple[Any, Any]:
    figure = plt.figure(figsize=(3, 2), dpi=60)
    axes = figure.add_subplot(projection="3d")
    axes.set(xlim=(-1, 1), ylim=(-1, 1), zlim=(-1, 1))
    return figure, axes


@kind
def line_in_space() -> Animation:
    figure, axes = _space()
    (line,) = axes.plot([], [], [])

    def update(frame: int) -> None:
        line.set_data_3d(np.cos(T[: 5 * frame]), np.sin(T[: 5 * frame]), T[: 5 * frame] / 6)

    return animated(figure, update)


@kind
def dots_in_space() -> Animation:
    figure, axes = _space()
    axes.scatter([0], [0], [0], s=900, c="gold", depthshade=False)
    dot = axes.scatter([0], [0], [0], s=90, c="b", depthshade=False)

    def update(frame: int) -> Any:
        at = np.array([0.5 if frame % 2 else -0.5])
        dot._offsets3d = at, -at, at / 2
        return [dot]

    return animated(figure, update, blit=True)


@kind
def dots_in_space_not_returned() -> Animation:
    figure, axes = _space()
    rng = np.random.default_rng(0)
    dots = axes.scatter(*rng.random((3, 20)))

    def update(frame: int) -> None:
        dots._offsets3d = tuple(np.random.default_rng(frame).random((3, 20)))

    return animated(figure, update)


@kind
def surface_in_space() -> Animation:
    figure, axes = _space()
    x, y = np.meshgrid(np.linspace(-1, 1, 9), np.linspace(-1, 1, 9))
    shown = [axes.plot_surface(x, y, x * y)]

    def update(frame: int) -> None:
        shown.pop().remove()
        shown.append(axes.plot_surface(x, y, x * y * np.cos(frame), cmap="viridis"))

    return animated(figure, update)


@kind
def camera_that_turns() -> Animation:
    figure, axes = _space()
    axes.plot(np.cos(T), np.sin(T), T / 6)
    return animated(figure, lambda frame: axes.view_init(20, 15 * frame))


@kind
def camera_set_without_a_setter() -> Animation:
    figure, axes = _space()
    (line,) = axes.plot(np.cos(T), np.sin(T), T / 6)

    def update(frame: int) -> Any:
        axes.azim = 15 * frame
        return [line]

    return animated(figure, update, blit=True)


@kind
def arrow() -> Animation:
    figure, axes = canvas()
    shown = axes.add_patch(FancyArrowPatch((0, 0), (1, 1), mutation_scale=20))
    return animated(figure, lambda frame: shown.set_positions((0, 0), (1, frame / FRAMES)))


@kind
def picture_of_the_figure() -> Animation:
    figure, axes = canvas()
    axes.plot(T, wave(0))
    shown = figure.figimage(np.eye(30), 20, 20)
    return animated(figure, lambda frame: shown.set_data(np.eye(30) * frame))


@kind
def nothing_moves() -> Animation:
    figure, axes = canvas()
    axes.plot(T, wave(0))
    return animated(figure, lambda _: None)


@kind
def artists_of_several_axes() -> Animation:
    figure, rows = canvas(nrows=2)
    lines = [axes.plot(T, wave(0))[0] for axes in rows]

    def update(frame: int) -> Iterable[Any]:
        for number, line in enumerate(lines):
            line.set_ydata(wave(frame * (number + 1)))
        rows[1].set_title(f"{frame}")
        return lines

    return animated(figure, update, blit=True)


Changed = Callable[[bool], Any]


def comes_and_goes(make: Callable[[Any, Any], Changed]) -> Callable[[Any, Any], Changed]:
    """Add an animation in which something changes for a while, beside a line that moves."""

    def whole() -> Animation:
        figure, axes = canvas()
        (line,) = axes.plot(T, wave(0))
        axes.set(xlim=(0, 6), ylim=(-1, 1))
        change = make(figure, axes)

        def update(frame: int) -> Any:
            line.set_ydata(wave(frame))
            change(3 <= frame < 5)
            return [line]

        return animated(figure, update, blit=True)

    ANIMATIONS[f"{make.__name__}_for_a_while"] = whole
    return make


@comes_and_goes
def tall_title(figure: Any, axes: Any) -> Changed:
    tall = r"$\sum_{k=0}^{\infty}\frac{\frac{1}{x}}{\frac{\partial u}{\partial t}}$"
    return lambda hot: axes.set_title(tall if hot else "step")


@comes_and_goes
def title_beside_a_factor(figure: Any, axes: Any) -> Changed:
    axes.set_ylim(-1e6, 1e6)
    return lambda hot: axes.set_title("a long title that reaches" if hot else "", loc="left")


@comes_and_goes
def color_of_an_arrow(figure: Any, axes: Any) -> Changed:
    note = axes.annotate("x", (2, 0), (4, 0.5), arrowprops={"arrowstyle": "->"})
    return lambda hot: note.arrow_patch.set_color("r" if hot else "k")


@comes_and_goes
def box_around_a_text(figure: Any, axes: Any) -> Changed:
    text = axes.text(3, 0, "x", bbox={"fc": "w"})
    return lambda hot: text.get_bbox_patch().set_facecolor("r" if hot else "w")


@comes_and_goes
def text_of_a_key(figure: Any, axes: Any) -> Changed:
    key = axes.quiverkey(axes.quiver([1], [0], [1], [1]), 0.5, 0.9, 1, "one")
    return lambda hot: key.text.set_text("two" if hot else "one")


@comes_and_goes
def box_of_an_anchored_text(figure: Any, axes: Any) -> Changed:
    text = axes.add_artist(AnchoredText("x", loc="upper right"))
    return lambda hot: text.patch.set_facecolor("r" if hot else "w")


@comes_and_goes
def end_of_an_arrow(figure: Any, axes: Any) -> Changed:
    circle = axes.add_patch(Circle((4, 0), 0.4))
    axes.add_patch(FancyArrowPatch((1, 0), (4, 0), patchB=circle, mutation_scale=9))
    return lambda hot: circle.set_radius(0.9 if hot else 0.4)


@comes_and_goes
def shadow(figure: Any, axes: Any) -> Changed:
    circle = axes.add_patch(Circle((4, 0), 0.4))
    axes.add_patch(Shadow(circle, 0.1, -0.1))
    return lambda hot: circle.set_radius(0.9 if hot else 0.4)


@comes_and_goes
def labels_that_are_aligned(figure: Any, axes: Any) -> Changed:
    axes.set_position([0.3, 0.55, 0.6, 0.35])
    below = figure.add_axes((0.3, 0.1, 0.6, 0.35))
    below.set_ylabel("below")
    axes.set_ylabel("above")
    figure.align_ylabels()
    return lambda hot: axes.set_yticks([0], ["looong" if hot else "0"])


@comes_and_goes
def format_of_ticks(figure: Any, axes: Any) -> Changed:
    return lambda hot: axes.ticklabel_format(
        axis="x", style="sci" if hot else "plain", scilimits=(0, 0)
    )


@comes_and_goes
def limits_of_a_formatter(figure: Any, axes: Any) -> Changed:
    formatter = axes.xaxis.get_major_formatter()
    return lambda hot: formatter.set_powerlimits((0, 0) if hot else (-5, 6))


@comes_and_goes
def locations_of_ticks(figure: Any, axes: Any) -> Changed:
    locator = MaxNLocator(nbins=3)
    axes.xaxis.set_major_locator(locator)
    return lambda hot: locator.set_params(nbins=8 if hot else 3)


@comes_and_goes
def ticks_from_a_function(figure: Any, axes: Any) -> Changed:
    state = {"unit": "m"}
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0f}{state['unit']}")
    return lambda hot: state.update(unit="km" if hot else "m")


@comes_and_goes
def font_of_a_text(figure: Any, axes: Any) -> Changed:
    font = axes.text(3, 0, "text").get_fontproperties()
    return lambda hot: font.set_size(20 if hot else 9)


@comes_and_goes
def color_of_bad_values(figure: Any, axes: Any) -> Changed:
    colors = plt.get_cmap("viridis").copy()
    axes.pcolormesh(np.ma.masked_less([[0.0, 1.0], [2.0, 3.0]], 1), cmap=colors)
    return lambda hot: setattr(colors, "_rgba_bad", (1.0, 0.0, 0.0, 1.0) if hot else (1.0,) * 4)


@comes_and_goes
def exponent_of_a_norm(figure: Any, axes: Any) -> Changed:
    norm = PowerNorm(1.0, 0, 3)
    axes.pcolormesh(np.array([[0.0, 1.0], [2.0, 3.0]]), norm=norm)
    return lambda hot: setattr(norm, "gamma", 0.3 if hot else 1.0)


@comes_and_goes
def style_of_a_box(figure: Any, axes: Any) -> Changed:
    text = axes.text(3, 0, "x", bbox={"boxstyle": "round,pad=0.2"})
    style = text.get_bbox_patch().get_boxstyle()
    return lambda hot: setattr(style, "pad", 1.0 if hot else 0.2)


@comes_and_goes
def origin_of_polar_axes(figure: Any, axes: Any) -> Changed:
    polar = figure.add_axes((0.6, 0.5, 0.3, 0.4), projection="polar")
    polar.plot(T, T)
    return lambda hot: polar.set_rorigin(-3 if hot else 0)


@comes_and_goes
def listener_to_draws(figure: Any, axes: Any) -> Changed:
    text = axes.text(1, 0, "cold")
    state = {"hot": False}
    figure.canvas.mpl_connect(
        "draw_event", lambda _: text.set_text("hot" if state["hot"] else "cold")
    )
    return lambda hot: state.update(hot=hot)


@comes_and_goes
def padding_of_a_layout(figure: Any, axes: Any) -> Changed:
    figure.set_layout_engine("constrained")
    return lambda hot: figure.get_layout_engine().set(w_pad=0.3 if hot else 0.0)


@comes_and_goes
def mask_that_is_added(figure: Any, axes: Any) -> Changed:
    mesh = axes.pcolormesh(np.ma.array(np.arange(9.0).reshape(3, 3)))

    def change(hot: bool) -> None:
        values = mesh.get_array()
        values.mask = np.ma.nomask
        if hot:
            values[1] = np.ma.masked

    return change
