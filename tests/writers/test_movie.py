"""The MovieWriter: its frames are those of a full draw, for any figure."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio.v3
import numpy as np
import pytest
from matplotlib.animation import FuncAnimation, writers
from matplotlib.artist import Artist
from matplotlib.axis import XAxis, YAxis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patheffects import withStroke
from matplotlib.spines import Spine

import optiviz
import optiviz.writers

Update = Callable[[int], list[Artist]]


class Recorder:
    """A stand-in for an encoder that keeps the frames."""

    def __init__(self) -> None:
        self.frames: list[np.ndarray] = []

    def write(self, frame: np.ndarray) -> None:
        self.frames.append(np.array(frame))

    def close(self) -> None:
        pass


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Recorder:
    monkeypatch.chdir(tmp_path)
    recorder = Recorder()
    monkeypatch.setattr(imageio.v3, "imopen", lambda *_, **__: recorder)
    return recorder


def figure() -> Figure:
    made = Figure((3, 2), dpi=80)
    FigureCanvasAgg(made)
    return made


def plain() -> tuple[Figure, Update]:
    made = figure()
    axes = made.add_subplot(xlim=(0, 10), ylim=(-1, 1), title="still")
    (line,) = axes.plot([], [], lw=3, zorder=9)

    def update(frame: int) -> list[Artist]:
        x = np.linspace(0, frame, 50)
        line.set_data(x, np.sin(x))
        return [line]

    return made, update


def beneath_a_legend() -> tuple[Figure, Update]:
    made, update = plain()
    axes = made.axes[0]
    axes.lines[0].set_zorder(1.2)
    axes.plot([0, 10], [-1, 1], color="k", lw=5, label="still", zorder=3)
    axes.legend(loc="upper left")
    return made, update


def with_a_title_that_changes() -> tuple[Figure, Update]:
    made, update = plain()

    def titled(frame: int) -> list[Artist]:
        made.axes[0].set_title(f"frame {frame}")
        return update(frame)

    return made, titled


def with_a_moving_axis() -> tuple[Figure, Update]:
    made, update = plain()

    def scrolled(frame: int) -> list[Artist]:
        made.axes[0].set_xlim(frame, frame + 10)
        return update(frame)

    return made, scrolled


def with_text_over_it() -> tuple[Figure, Update]:
    made, update = plain()
    made.text(0.5, 0.5, "over", fontsize=30, color="red")
    return made, update


def two_panels() -> tuple[Figure, Update]:
    made = figure()
    left, right = made.subplots(1, 2)
    moving = [left.plot([], [], zorder=9)[0], right.text(0.5, 0.5, "", zorder=9)]

    def update(frame: int) -> list[Artist]:
        moving[0].set_data([0, frame], [0, 1])
        moving[1].set_text(str(frame))
        return moving

    return made, update


def between_two_that_move() -> tuple[Figure, Update]:
    made, update = plain()
    axes = made.axes[0]
    axes.plot([0, 10], [0.3, -0.3], color="k", lw=7, zorder=10)
    (above,) = axes.plot([], [], color="r", lw=5, alpha=0.5, zorder=11)
    axes.axhspan(-0.2, 0.2, color="w", alpha=0.7, zorder=12)

    def both(frame: int) -> list[Artist]:
        above.set_data([0, frame], [0.5, -0.5])
        return [*update(frame), above]

    return made, both


def beneath_white_on_white() -> tuple[Figure, Update]:
    made, update = plain()
    made.axes[0].text(
        3, 0, "still", zorder=20, bbox={"facecolor": "w", "edgecolor": "none", "pad": 12}
    )
    return made, update


def beneath_all_sorts() -> tuple[Figure, Update]:
    made, update = plain()
    axes = made.axes[0]
    axes.lines[0].set(zorder=0.5, label="shaded")
    axes.legend(loc="upper right", shadow=True)
    axes.scatter([1, 2, 3], [0.8, 0.9, 0.1], c=[1, 2, 3], s=[90, 40, 200], alpha=0.5)
    axes.fill_between([0, 9], [0.1, 0.2], [-0.5, 0.6], hatch="//", alpha=0.3)
    axes.pcolormesh([4, 5, 6], [-1, -0.8, 0], [[1, 2], [3, 4]], alpha=0.5, zorder=3)
    axes.imshow([[1, 2], [3, 4]], extent=(6, 8, -1, 0.5), alpha=0.5, zorder=3, aspect="auto")
    axes.text(2, -0.8, r"$x^2 + \frac{1}{2}$", rotation=30, fontsize=20)
    around = [withStroke(linewidth=4, foreground="w")]
    axes.text(1, 0.2, "tilted", rotation=70, path_effects=around)
    (filtered,) = axes.plot([0, 9], [0.9, -0.9], "r--o", lw=4, zorder=4)
    filtered.set_agg_filter(lambda image, _: (image * [1, 1, 1, 0.5], 3, 4))
    return made, update


def beneath_another_axes() -> tuple[Figure, Update]:
    made, update = plain()
    over = made.add_axes((0.3, 0.3, 0.4, 0.4))
    over.plot([0, 1], [0, 1])
    over.set_title("over")
    inset = made.axes[0].inset_axes((0.7, 0.6, 0.3, 0.3))
    inset.plot([0, 1], [1, 0])
    return made, update


def beside_a_twin() -> tuple[Figure, Update]:
    made, update = plain()
    twin = made.axes[0].twinx()
    (moving,) = twin.plot([], [], color="r", lw=3)

    def both(frame: int) -> list[Artist]:
        moving.set_data([0, frame], [0, 1])
        return [*update(frame), moving]

    return made, both


def an_image() -> tuple[Figure, Update]:
    made = figure()
    image = made.add_subplot().imshow(np.zeros((9, 9)), vmin=0, vmax=9)

    def update(frame: int) -> list[Artist]:
        image.set_data(np.add.outer(np.arange(9), np.arange(9)) % frame)
        return [image]

    return made, update


def a_part_of_a_legend() -> tuple[Figure, Update]:
    made, update = plain()
    made.axes[0].lines[0].set_label("line")
    (text,) = made.axes[0].legend(loc="upper right").get_texts()

    def both(frame: int) -> list[Artist]:
        text.set_text(f"frame {frame}")
        return [*update(frame), text]

    return made, both


def a_text_of_the_figure() -> tuple[Figure, Update]:
    made, update = plain()
    text = made.text(0.5, 0.02, "")

    def both(frame: int) -> list[Artist]:
        text.set_text(f"frame {frame}")
        return [*update(frame), text]

    return made, both


def subfigures() -> tuple[Figure, Update]:
    made = figure()
    left, right = made.subfigures(1, 2)
    left.suptitle("left")
    lines = [each.add_subplot().plot([0, 1], [0, 1], lw=3)[0] for each in (left, right)]

    def update(frame: int) -> list[Artist]:
        for line in lines:
            line.set_ydata([0, frame / 7])
        return list(lines)

    return made, update


def a_layout_that_is_computed() -> tuple[Figure, Update]:
    made = Figure((3, 2), dpi=80, layout="constrained")
    FigureCanvasAgg(made)
    axes = made.add_subplot(xlim=(0, 10), ylim=(-1, 1), title="still", xlabel="x")
    (line,) = axes.plot([], [], lw=3)
    text = axes.text(5, 0, "")

    def update(frame: int) -> list[Artist]:
        line.set_data([0, frame], [0, 1])
        text.set_text(f"frame {frame}")
        return [line, text]

    return made, update


def a_line_in_space() -> tuple[Figure, Update]:
    made = figure()
    axes = made.add_subplot(projection="3d")
    side = np.linspace(-1, 1, 9)
    x, y = np.meshgrid(side, side)
    axes.plot_surface(x, y, x**2 + y**2, alpha=0.6)
    (line,) = axes.plot([], [], [], "k", lw=3, zorder=99)

    def update(frame: int) -> list[Artist]:
        line.set_data_3d([0, frame / 7], [0, frame / 9], [0, 1])
        return [line]

    return made, update


def a_camera_that_turns() -> tuple[Figure, Update]:
    made, update = a_line_in_space()

    def turned(frame: int) -> list[Artist]:
        made.axes[0].view_init(azim=10 * frame)
        return update(frame)

    return made, turned


def artists_made_anew() -> tuple[Figure, Update]:
    made, _ = plain()

    def update(frame: int) -> list[Artist]:
        for line in made.axes[0].lines:
            line.remove()
        return made.axes[0].plot([0, frame], [0, 1], "r")

    return made, update


LAYERED = [
    plain, beneath_a_legend, with_text_over_it, two_panels, between_two_that_move,
    beneath_white_on_white, beneath_all_sorts, beneath_another_axes, beside_a_twin, an_image,
    a_part_of_a_legend, a_text_of_the_figure, subfigures, a_layout_that_is_computed,
    a_line_in_space, with_a_title_that_changes,
]  # fmt: skip
FULL = [
    with_a_moving_axis, a_camera_that_turns, artists_made_anew,
]  # fmt: skip
FRAMES = [1, 3, 5, 7]

Scene = Callable[[], tuple[Figure, Update]]


@pytest.fixture
def drawn_in_full(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Return a list that grows with each full draw."""
    drawn: list[Figure] = []
    draw = Figure.draw

    def draw_and_tell(self: Figure, renderer: Any) -> None:
        drawn.append(self)
        draw(self, renderer)

    monkeypatch.setattr(Figure, "draw", draw_and_tell)
    return drawn


@pytest.mark.sample(2)
@pytest.mark.parametrize("blit", [True, False])
@pytest.mark.parametrize("scene", LAYERED + FULL)
def test_frames_are_those_of_a_full_draw(
    scene: Scene, blit: bool, recorder: Recorder, unchecked: None
) -> None:
    made, update = scene()
    canvas, size, dpi = made.canvas, made.get_size_inches().copy(), made.dpi
    FuncAnimation(made, update, frames=FRAMES, blit=blit).save("x.gif", writer="imageio")
    assert (made.canvas, made.dpi) == (canvas, dpi)
    np.testing.assert_array_equal(made.get_size_inches(), size)

    again, update = scene()
    for shown, frame in zip(recorder.frames, FRAMES, strict=True):
        update(frame)
        again.canvas.draw()
        np.testing.assert_array_equal(shown, np.asarray(again.canvas.buffer_rgba()))


@pytest.mark.sample(6)
@pytest.mark.parametrize("blit", [True, False])
@pytest.mark.parametrize("scene", LAYERED)
def test_what_stands_still_is_drawn_once(
    scene: Scene, blit: bool, recorder: Recorder, drawn_in_full: list[Figure], unchecked: None
) -> None:
    animation = FuncAnimation(*scene(), frames=FRAMES, blit=blit)
    drawn_in_full.clear()
    animation.save("x.gif", writer="imageio")
    assert len(drawn_in_full) == 1
    assert len(recorder.frames) == len(FRAMES)


@pytest.mark.sample(3)
@pytest.mark.parametrize("blit", [True, False])
@pytest.mark.parametrize("scene", FULL)
def test_where_the_background_changes_each_frame_is_drawn_once(
    scene: Scene, blit: bool, recorder: Recorder, drawn_in_full: list[Figure], unchecked: None
) -> None:
    animation = FuncAnimation(*scene(), frames=FRAMES, blit=blit)
    drawn_in_full.clear()
    animation.save("x.gif", writer="imageio")
    assert len(drawn_in_full) == len(recorder.frames) == len(FRAMES)


def test_a_background_that_changes_once_is_drawn_twice_more(
    recorder: Recorder, drawn_in_full: list[Figure], unchecked: None
) -> None:
    made, update = plain()

    def titled(frame: int) -> list[Artist]:
        if frame == 5:
            made.axes[0].set_xlabel("after")
        return update(frame)

    animation = FuncAnimation(made, titled, frames=range(1, 10), blit=True)
    drawn_in_full.clear()
    animation.save("x.gif", writer="imageio")
    assert len(drawn_in_full) == 3  # the first, the changed one, and the new background
    again, update = plain()
    again.axes[0].set_xlabel("after")
    update(9)
    again.canvas.draw()
    np.testing.assert_array_equal(recorder.frames[-1], np.asarray(again.canvas.buffer_rgba()))


def test_the_colour_behind_the_figure_can_be_chosen(recorder: Recorder) -> None:
    made, update = plain()
    before = made.get_facecolor()
    FuncAnimation(made, update, frames=FRAMES, blit=True).save(
        "x.gif", writer="imageio", savefig_kwargs={"facecolor": "#204060"}
    )
    for frame in recorder.frames:
        assert frame[0, 0].tolist() == [0x20, 0x40, 0x60, 255]
    assert made.get_facecolor() == before


def test_the_last_frame_is_held(recorder: Recorder) -> None:
    writer = optiviz.writers.ImageioWriter(fps=10, hold=0.7)
    FuncAnimation(*plain(), frames=FRAMES, blit=True).save("x.gif", writer=writer)
    assert len(recorder.frames) == len(FRAMES) + 7
    np.testing.assert_array_equal(recorder.frames[-1], recorder.frames[len(FRAMES) - 1])


def test_a_file_that_cannot_be_opened_leaves_the_figure_as_it_was(tmp_path: Path) -> None:
    made, update = plain()
    canvas, dpi = made.canvas, made.dpi
    animation = FuncAnimation(made, update, frames=FRAMES, blit=True)
    with pytest.raises(OSError, match="none"):
        animation.save(tmp_path / "none" / "x.gif", writer="imageio", dpi=50)
    assert (made.canvas, made.dpi) == (canvas, dpi)
    animation._draw_was_started = True


@pytest.mark.slow
def test_two_writers_may_save_a_figure_at_once(tmp_path: Path) -> None:
    for nested in (True, False):
        made, update = plain()
        canvas = made.canvas
        callbacks = [artist.stale_callback for artist in made.findobj()]
        one, other = optiviz.writers.ImageioWriter(), optiviz.writers.ImageioWriter()
        one.setup(made, tmp_path / "one.apng", 80)
        other.setup(made, tmp_path / "other.apng", 80)
        for frame in range(6):
            update(frame)
            one.grab_frame()
            other.grab_frame()
        for writer in (other, one) if nested else (one, other):
            writer.finish()
        assert made.canvas is canvas
        assert [artist.stale_callback for artist in made.findobj()] == callbacks
        assert (tmp_path / "one.apng").read_bytes() == (tmp_path / "other.apng").read_bytes()


def test_a_draw_of_ones_own_is_used_and_kept(recorder: Recorder) -> None:
    made, update = plain()
    (hidden,) = made.axes[0].plot([0, 10], [-1, 1], "r", lw=9)
    hidden.draw = own = lambda *_: None  # type: ignore[method-assign]
    FuncAnimation(made, update, frames=4).save("x.gif", writer="imageio")
    assert hidden.draw is own
    assert all((frame[..., :3] != (255, 0, 0)).any(-1).all() for frame in recorder.frames)


PILE = """
import gc
from matplotlib.animation import FuncAnimation
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
import optiviz.writers

most = 0
for _ in range(30):
    figure = Figure((2, 2))
    FigureCanvasAgg(figure)
    (line,) = figure.add_subplot().plot([0, 1])
    FuncAnimation(figure, lambda frame: [line], frames=2, blit=True).save("x.gif", writer="imageio")
    most = max(most, sum(isinstance(each, Figure) for each in gc.get_objects()))
print(most)
"""


@pytest.mark.slow
def test_figures_that_are_gone_do_not_pile_up(tmp_path: Path) -> None:
    printed = subprocess.check_output([sys.executable, "-c", PILE], cwd=tmp_path, text=True)
    assert 0 < int(printed) < 20


@pytest.mark.slow
def test_frames_of_ours_are_those_of_a_full_draw(recorder: Recorder) -> None:
    recipe = optiviz.Recipe(surface="wobbly", optimizers="adam,sgd:lr=9", steps=9, size=(300, 200))
    from optiviz.rendering.animation import PictureAnimation
    from optiviz.rendering.render import make_picture

    PictureAnimation(make_picture(recipe), range(10), 12).save("x.gif", writer="imageio")
    again = make_picture(recipe)
    for step, shown in enumerate(recorder.frames[:10]):
        again.update(step)
        again.figure.canvas.draw()
        np.testing.assert_array_equal(shown, np.asarray(again.figure.canvas.buffer_rgba()))
    assert len(recorder.frames) == 10 + 24


def test_no_frame_draws_the_still_part_of_ours_again(
    recorder: Recorder,
    drawn_in_full: list[Figure],
    monkeypatch: pytest.MonkeyPatch,
    unchecked: None,
) -> None:
    drawn: Counter[int] = Counter()
    for still in (AxesImage, ContourSet, Spine, XAxis, YAxis):
        draw = still.draw

        def counted(self: Artist, renderer: Any, draw: Any = draw) -> None:
            drawn[id(self)] += 1
            draw(self, renderer)

        monkeypatch.setattr(still, "draw", counted)
    animation = optiviz.animate("wobbly", "adam", steps=9, size=(300, 200))
    drawn_in_full.clear()
    drawn.clear()
    animation.save("x.gif", writer="imageio", metadata={})
    assert len(drawn_in_full) == 1
    assert max(drawn.values()) <= 2, "once, and again to find what lies above the moving parts"
    assert len(recorder.frames) > 9


def test_it_is_registered() -> None:
    assert writers["imageio"] is optiviz.writers.ImageioWriter


@pytest.mark.slow
def test_a_stranger_can_save_odd_sizes_as_video(tmp_path: Path) -> None:
    made, update = plain()
    made.set_size_inches(301 / 80, 203 / 80)
    FuncAnimation(made, update, frames=3, blit=True).save(tmp_path / "x.mp4", writer="imageio")
    video: Any = imageio.v3.imread(tmp_path / "x.mp4", plugin="pyav")
    assert video.shape == (3, 204, 302, 3)


def test_a_file_can_hold_several_figures_one_after_another(recorder: Recorder) -> None:
    (first, move), (second, move_other) = plain(), beneath_a_legend()
    second.set_size_inches(5, 5)
    canvases = first.canvas, second.canvas
    writer = optiviz.writers.ImageioWriter(fps=2, hold=1)
    with writer.saving(first, "x.gif", 80):
        for frame in range(3):
            move(frame)
            writer.grab_frame()
        writer.repeat(3)
        writer.turn_to(second)
        assert first.canvas is canvases[0]
        for frame in range(2):
            move_other(frame)
            writer.grab_frame()
            writer.repeat(frame)
    assert second.canvas is canvases[1] and [*second.get_size_inches()] == [5, 5]
    second.set_size_inches(3, 2)
    drawn = []
    for made, update, count in ((first, move, 3), (second, move_other, 2)):
        for frame in range(count):
            update(frame)
            made.canvas.draw()
            drawn.append(np.array(made.canvas.buffer_rgba()))  # type: ignore[attr-defined]
    expected = [0, 1, 2, *[2] * (3 + 2), 3, 4, *[4] * (1 + 2)]
    assert len(recorder.frames) == len(expected)
    for shown, number in zip(recorder.frames, expected, strict=True):
        np.testing.assert_array_equal(shown, drawn[number])
