"""Figures without a background: what is seen through them, in each format."""

import warnings
from pathlib import Path
from typing import Any

import imageio.v3
import matplotlib.pyplot as plt  # noqa: TID251  scripts of users
import numpy as np
import pytest
from animations import animated, canvas
from matplotlib.animation import FuncAnimation
from matplotlib.colors import to_rgb
from PIL import Image, ImageSequence
from test_animations import drawn_in_full, played

from optiviz.writers import ImageioWriter
from optiviz.writers.canvas import Canvas

FRAMES = 6
pytestmark = pytest.mark.usefixtures("closed")


def dot_that_moves(**look: Any) -> FuncAnimation:
    figure, axes = canvas()
    figure.patch.set(**look)
    axes.patch.set(**look)
    axes.plot([0, 5], [0.5, -0.5], alpha=0.5, lw=5)
    axes.set(xlim=(0, 6), ylim=(-1, 1))
    (dot,) = axes.plot([], [], "ro", ms=20)
    return animated(figure, lambda frame: dot.set_data([frame], [0]), frames=FRAMES)


@pytest.mark.sample(2)
@pytest.mark.parametrize("suffix", [".apng", ".webp"])
@pytest.mark.parametrize("look", [{"alpha": 0}, {"alpha": 0.5}, {"facecolor": "none"}])
def test_lossless_formats_keep_all_of_it(suffix: str, look: dict[str, Any], tmp_path: Path) -> None:
    full = drawn_in_full(dot_that_moves(**look))
    dot_that_moves(**look).save(tmp_path / f"x{suffix}", writer="imageio", fps=10)
    for shown, drawn in zip(played(tmp_path / f"x{suffix}"), full, strict=True):
        np.testing.assert_array_equal(shown[..., 3], drawn[..., 3])
        seen = drawn[..., 3] > 0
        np.testing.assert_array_equal(shown[seen], drawn[seen])


def test_a_gif_is_transparent_where_more_is_seen_through_than_not(tmp_path: Path) -> None:
    full = drawn_in_full(dot_that_moves(alpha=0))
    dot_that_moves(alpha=0).save(tmp_path / "x.gif", writer="imageio", fps=10)
    for shown, drawn in zip(played(tmp_path / "x.gif"), full, strict=True):
        np.testing.assert_array_equal(shown[..., 3] == 255, drawn[..., 3] >= 128)
        solid = drawn[..., 3] == 255
        off = shown[solid][:, :3].astype(int) - drawn[solid][:, :3]
        assert np.square(off).mean() < 10


def test_arguments_of_savefig_make_it_transparent(tmp_path: Path) -> None:
    settings = {"savefig_kwargs": {"transparent": True}}
    full = drawn_in_full(dot_that_moves(), **settings)
    dot_that_moves().save(tmp_path / "x.apng", writer="imageio", fps=10, **settings)
    for shown, drawn in zip(played(tmp_path / "x.apng"), full, strict=True):
        np.testing.assert_array_equal(shown, drawn)
        assert (shown[..., 3] == 0).any()
    with plt.rc_context({"savefig.transparent": True}):
        dot_that_moves().save(tmp_path / "y.apng", writer="imageio", fps=10)
    assert (tmp_path / "y.apng").read_bytes() == (tmp_path / "x.apng").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("look", "color"),
    [
        ({"facecolor": "navy", "alpha": 0}, "navy"),
        ({"facecolor": "navy", "alpha": 0.5}, "navy"),
        ({"facecolor": "none"}, "white"),
        ({"facecolor": "navy", "visible": False}, "navy"),
    ],
)
def test_a_video_is_drawn_on_the_figures_colour(
    look: dict[str, Any], color: str, tmp_path: Path
) -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        dot_that_moves(**look).save(tmp_path / "x.mp4", writer="imageio", fps=10)
    (said,) = [str(each.message) for each in warned]
    assert "a .mp4 is not transparent: it is drawn on #" in said
    for frame in imageio.v3.imread(tmp_path / "x.mp4", plugin="pyav"):
        assert np.abs(frame[:4, :4] - 255 * np.array(to_rgb(color))).max() < 4


def test_a_video_of_an_opaque_figure_says_nothing(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dot_that_moves().save(tmp_path / "x.mp4", writer="imageio", fps=10)


def test_a_look_is_taken_off_again(tmp_path: Path) -> None:
    made = dot_that_moves(facecolor="navy", alpha=0.5)
    patches = [made._fig.patch, made._fig.axes[0].patch]
    before = [vars(patch).copy() for patch in patches]
    settings: dict[str, Any] = {"transparent": True, "facecolor": "red", "edgecolor": "blue"}
    made.save(tmp_path / "x.apng", writer="imageio", savefig_kwargs=settings)
    for patch, was in zip(patches, before, strict=True):
        assert {k: v for k, v in vars(patch).items() if k != "_stale"} == {
            k: v for k, v in was.items() if k != "_stale"
        }


def test_what_vanishes_leaves_no_trace_in_a_gif(tmp_path: Path) -> None:
    figure, axes = canvas()
    figure.patch.set_alpha(0)
    axes.set_axis_off()
    (line,) = axes.plot([0, 1], [0, 1], lw=9)
    made = animated(figure, lambda frame: line.set_visible(frame % 3 == 0), frames=9)
    made.save(tmp_path / "x.gif", writer="imageio", fps=10)
    with Image.open(tmp_path / "x.gif") as image:
        shown = [
            (np.asarray(each.convert("RGBA"))[..., 3].any(), each.info["duration"])
            for each in ImageSequence.Iterator(image)
        ]
    assert [bool(seen) for seen, _ in shown] == [True, False] * 3
    assert [duration for _, duration in shown] == [100, 200] * 3


def test_a_background_may_differ_from_frame_to_frame(tmp_path: Path) -> None:
    figure, axes = canvas()
    (line,) = axes.plot([0, 1], [0, 1])
    writer = ImageioWriter(fps=10)
    colors = ["red", "red", "blue", "red", "red"]
    with writer.saving(figure, tmp_path / "x.apng", 60):
        for number, color in enumerate(colors):
            line.set_ydata([0, number])
            writer.grab_frame(facecolor=color)
    for shown, color in zip(played(tmp_path / "x.apng"), colors, strict=True):
        assert shown[0, 0].tolist() == [*(255 * np.array(to_rgb(color))), 255]


def test_a_background_that_stays_is_drawn_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unchecked: None
) -> None:
    drawn: list[Canvas] = []
    draw = Canvas.draw
    monkeypatch.setattr(Canvas, "draw", lambda self: (drawn.append(self), draw(self))[1])
    with pytest.warns(UserWarning, match="not transparent"):
        dot_that_moves(alpha=0).save(tmp_path / "x.mp4", writer="imageio", fps=10)
    assert len(drawn) == 1
