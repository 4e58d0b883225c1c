"""The MovieWriter: its frames are those of a full draw, whoever made the figure."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio.v3
import numpy as np
import pytest
from matplotlib.animation import FuncAnimation, writers
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import optiviz
import optiviz.writers

Update = Callable[[int], list[Artist]]


class Recorder:
    """Takes the place of an encoder and keeps the frames."""

    def __init__(self) -> None:
        self.frames: list[np.ndarray] = []

    def write(self, frame: np.ndarray) -> None:
        self.frames.append(np.array(frame))

    def close(self) -> None:
        pass


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
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


SCENES = [
    plain, beneath_a_legend, with_a_title_that_changes, with_a_moving_axis, with_text_over_it,
    two_panels,
]  # fmt: skip


@pytest.mark.parametrize("blit", [True, False])
@pytest.mark.parametrize("scene", SCENES)
def test_frames_are_those_of_a_full_draw(
    scene: Callable[[], tuple[Figure, Update]], blit: bool, recorder: Recorder
) -> None:
    made, update = scene()
    canvas, size, dpi = made.canvas, made.get_size_inches().copy(), made.dpi
    FuncAnimation(made, update, frames=[1, 3, 5, 7], blit=blit).save("x.gif", writer="imageio")
    assert (made.canvas, made.dpi) == (canvas, dpi)
    np.testing.assert_array_equal(made.get_size_inches(), size)

    again, update = scene()
    for shown, frame in zip(recorder.frames, [1, 3, 5, 7], strict=True):
        update(frame)
        again.canvas.draw()
        np.testing.assert_array_equal(shown, np.asarray(again.canvas.buffer_rgba()))


def test_frames_of_ours_are_those_of_a_full_draw(recorder: Recorder) -> None:
    recipe = optiviz.Recipe(surface="wobbly", optimizers="adam,sgd:lr=9", steps=9, size=(300, 200))
    from optiviz.rendering import make_picture

    make_picture(recipe).animation(fps=12, duration=10).save("x.gif", writer="imageio")
    again = make_picture(recipe)
    for step, shown in enumerate(recorder.frames[:10]):
        again.update(step)
        again.figure.canvas.draw()
        np.testing.assert_array_equal(shown, np.asarray(again.figure.canvas.buffer_rgba()))
    assert len(recorder.frames) == 10 + 24


def test_the_still_part_of_ours_is_drawn_once(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    draw = Figure.draw
    monkeypatch.setattr(Figure, "draw", lambda *a, **k: (drawn.append(1), draw(*a, **k))[1])
    animation = optiviz.animate("wobbly", "adam", steps=9, size=(300, 200))
    drawn.clear()
    animation.save("x.gif", writer="imageio")
    assert len(drawn) == 1


@pytest.mark.parametrize("scene", [plain, with_a_moving_axis])
def test_without_blit_each_frame_is_drawn_once(
    scene: Callable[[], tuple[Figure, Update]], recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    animation = FuncAnimation(*scene(), frames=[1, 3, 5, 7], blit=False)
    drawn = []
    draw = Figure.draw
    monkeypatch.setattr(Figure, "draw", lambda *a, **k: (drawn.append(1), draw(*a, **k))[1])
    animation.save("x.gif", writer="imageio")
    assert len(drawn) == len(recorder.frames) == 4


def test_it_is_registered_and_refuses_what_it_would_ignore() -> None:
    assert writers["imageio"] is optiviz.writers.ImageioWriter
    for setting in ({"codec": "h264"}, {"bitrate": 100}, {"extra_args": ["-x"]}):
        with pytest.raises(ValueError, match="chooses its own"):
            optiviz.writers.ImageioWriter(**setting)


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    animation = FuncAnimation(*plain(), frames=2)
    with pytest.raises(optiviz.InputError, match="unknown format '.avi'"):
        animation.save(tmp_path / "x.avi", writer="imageio")
    animation._draw_was_started = True


def test_a_stranger_can_save_odd_sizes_as_video(tmp_path: Path) -> None:
    made, update = plain()
    made.set_size_inches(301 / 80, 203 / 80)
    FuncAnimation(made, update, frames=3, blit=True).save(tmp_path / "x.mp4", writer="imageio")
    video: Any = imageio.v3.imread(tmp_path / "x.mp4", plugin="pyav")
    assert video.shape == (3, 204, 302, 3)
