"""Every frame of any animation is that of a full draw, and if that can't be known, it is told."""

import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from animations import ANIMATIONS, FRAMES, animated, canvas
from imageio.v3 import imopen
from matplotlib.animation import AbstractMovieWriter, Animation
from matplotlib.colors import to_rgb
from matplotlib.ticker import Formatter
from PIL import Image, ImageSequence

import optiviz.writers  # noqa: F401  registers "imageio"
from optiviz.writers.frames import Frames
from optiviz.writers.gif import GifPlugin

FPS = 10
WORST = 40.0  # dB
pytestmark = pytest.mark.usefixtures("closed")


class FullDraws(AbstractMovieWriter):
    """Keeps all frames as `savefig` gives them, with animated texts of figures, and settled."""

    def __init__(self) -> None:
        super().__init__(fps=FPS)
        self.frames: list[np.ndarray] = []

    def setup(self, *args: Any, **settings: Any) -> None:
        super().setup(*args, **settings)
        self.fig.canvas.draw_idle = lambda: None  # which would draw each frame once more

    def _supports_transparency(self) -> bool:
        return True

    def grab_frame(self, **savefig_kwargs: Any) -> None:
        file = BytesIO()
        if engine := self.fig.get_layout_engine():
            for _ in range(12):
                engine.execute(self.fig)
        moving = self.fig.findobj(lambda each: each.get_animated())
        for artist in moving:
            artist.set_animated(False)
        self.fig.savefig(file, format="rgba", dpi=self.dpi, **savefig_kwargs)
        for artist in moving:
            artist.set_animated(True)
        width, height = self.frame_size
        self.frames.append(np.frombuffer(file.getvalue(), np.uint8).reshape(height, width, 4))

    def finish(self) -> None:
        pass


def drawn_in_full(animation: Animation, **settings: Any) -> list[np.ndarray]:
    full = FullDraws()
    animation.save("full", writer=full, **settings)
    return full.frames


def played(path: Path) -> Iterator[np.ndarray]:
    """Yield the picture at the time of each frame."""
    with Image.open(path) as image:
        for each in ImageSequence.Iterator(image):
            shown = np.asarray(each.convert("RGBA"))
            for _ in range(round(each.info["duration"] * FPS / 1000)):
                yield shown


def save(animation: Animation, path: Path, **settings: Any) -> list[np.ndarray]:
    animation.save(path, writer="imageio", fps=FPS, **settings)
    return list(played(path))


def decibels(shown: np.ndarray, drawn: np.ndarray) -> float:
    error = np.mean((shown[..., :3].astype(float) - drawn[..., :3]) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


@pytest.mark.sample(4)
@pytest.mark.parametrize("name", ANIMATIONS)
def test_every_frame_is_that_of_a_full_draw(name: str, tmp_path: Path, unchecked: None) -> None:
    full = drawn_in_full(ANIMATIONS[name]())
    exact = save(ANIMATIONS[name](), tmp_path / "x.apng")
    with imopen(tmp_path / "x.gif", "w", plugin=GifPlugin, fps=FPS, metadata={}) as file:
        for frame in exact:
            file.write(frame)
    near = list(played(tmp_path / "x.gif"))
    for number, drawn in enumerate(full):
        # A layout is only computed up to a ten-millionth of the figure.
        off = np.abs(exact[number].astype(int) - drawn).max()
        assert off <= ("layout" in name), f"frame {number}"
        assert decibels(near[number], drawn) > WORST, f"frame {number}"
    assert len(exact) == len(near) == len(full)


class Hidden(Formatter):
    """Writes ticks that depend on something else, of which it says nothing."""

    def __init__(self, state: dict[str, int]) -> None:
        self.read = lambda: state["value"]

    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{x + self.read():.1f}"


def unknowable(first: int, frames: int) -> Animation:
    """Return an animation in which something changes from a frame on, and nobody is told."""
    figure, axes = canvas()
    axes.set(xlim=(0, 1), ylim=(-1, 200))
    (line,) = axes.plot([], [])
    state = {"value": 0}
    axes.xaxis.set_major_formatter(Hidden(state))

    def update(frame: int) -> Any:
        line.set_data([0, 1], [0, frame])
        state["value"] = max(0, frame - first)
        return [line]

    return animated(figure, update, blit=True, frames=frames)


def test_a_change_that_cannot_be_known_is_found_by_the_first_checks(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shown = save(unknowable(0, FRAMES), tmp_path / "x.apng")
    for frame, drawn in zip(shown, drawn_in_full(unknowable(0, FRAMES)), strict=True):
        np.testing.assert_array_equal(frame, drawn)


def test_frames_that_may_miss_a_change_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("optiviz.writers.frames.BUDGET", 0)
    with pytest.warns(UserWarning, match="frames 3 to 19, counted from 1, may miss a change"):
        shown = save(unknowable(10, 20), tmp_path / "x.apng")
    full = drawn_in_full(unknowable(10, 20))
    for number in (0, 1, 5, 19):
        np.testing.assert_array_equal(shown[number], full[number])


def test_checks_take_a_share_of_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checks: list[int] = []
    check = Frames._check
    monkeypatch.setattr(
        Frames, "_check", lambda self, **last: (checks.append(self.drawn), check(self, **last))[-1]
    )
    monkeypatch.setattr("optiviz.writers.frames.BUDGET", 1e9)
    save(ANIMATIONS["line_returned"](), tmp_path / "x.apng")
    assert checks == [2, 3, 4, 5, 6]
    checks.clear()
    monkeypatch.setattr("optiviz.writers.frames.BUDGET", 0)
    save(ANIMATIONS["line_returned"](), tmp_path / "x.apng")
    assert checks == [2, 6]


@pytest.mark.slow
def test_a_failure_in_update_is_not_taken_for_a_missed_change(tmp_path: Path) -> None:
    figure, axes = canvas()
    (line,) = axes.plot([0, 1], [0, 1])

    def update(frame: int) -> Any:
        line.set_ydata([0, frame])
        if frame == 5:
            raise RuntimeError("mine")
        return [line]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeError, match="mine"):
            save(animated(figure, update, blit=True), tmp_path / "x.apng")


def test_what_listened_to_artists_listens_again(tmp_path: Path) -> None:
    figure, axes = canvas()
    (line,) = axes.plot([0, 1], [0, 1])
    artists = figure.findobj()
    before = [artist.stale_callback for artist in artists]
    save(animated(figure, lambda frame: line.set_ydata([0, frame])), tmp_path / "x.apng")
    assert [artist.stale_callback for artist in artists] == before


LATE = "C0", "C1", "C2", "C3", "C4"


def late_lines() -> Animation:
    figure, axes = canvas()
    side = np.linspace(-3, 3, 60)
    axes.contourf(side, side, side[:, None] ** 2 + 3 * side**2, 25)
    lines = [axes.plot([], [], lw=4, color=color)[0] for color in LATE]

    def update(frame: int) -> Any:
        for number, line in enumerate(lines):
            t = np.arange(max(0, frame - 6 * number))
            line.set_data(
                3 * 0.85**t * np.cos(1.256 * number), 3 * 0.85**t * np.sin(1.256 * number)
            )
        return lines

    return animated(figure, update, blit=True, frames=40)


@pytest.mark.slow
def test_colours_that_come_late_are_those_that_were_drawn(tmp_path: Path) -> None:
    full = drawn_in_full(late_lines())
    for frame, drawn in zip(save(late_lines(), tmp_path / "x.gif"), full, strict=True):
        assert decibels(frame, drawn) > WORST
        for color in LATE:
            flat = (drawn[..., :3] == np.rint(255 * np.array(to_rgb(color)))).all(-1)
            off = frame[flat][..., :3].astype(int) - drawn[flat][..., :3]
            assert np.abs(off).max(initial=0) <= 2


def test_a_local_palette_is_only_used_where_it_is_needed(tmp_path: Path) -> None:
    save(ANIMATIONS["line_returned"](), tmp_path / "plain.gif")
    with Image.open(tmp_path / "plain.gif") as image:
        tables = [each.palette.palette for each in ImageSequence.Iterator(image)]
    assert len(set(tables)) == 1
