"""The arguments that people give when they save an animation."""

import logging
import os
import re
import warnings
from pathlib import Path
from typing import Any

import av
import matplotlib.pyplot as plt  # noqa: TID251  scripts of users
import numpy as np
import pytest
from animations import animated, canvas
from matplotlib.animation import FuncAnimation
from PIL import Image

import optiviz
from optiviz.registry import FORMATS
from optiviz.writers import ImageioWriter
from optiviz.writers.arguments import parse_ffmpeg

VIDEOS = [".mp4", ".m4v", ".mov", ".mkv", ".avi", ".webm"]
pytestmark = pytest.mark.usefixtures("closed")


def moving(frames: int = 6, **settings: Any) -> FuncAnimation:
    figure, axes = canvas()
    (line,) = axes.plot([0, 1], [0, 1], lw=3)
    made = animated(figure, lambda frame: line.set_ydata([0, frame]), frames=frames)
    made._repeat_delay = settings.pop("repeat_delay", 0)
    return made


def codec_of(path: Path) -> str:
    with av.open(path) as film:
        return film.streams.video[0].codec_context.codec.canonical_name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "codec", "found"),
    [
        (".mp4", "h264", "h264"), (".mp4", "libx264", "h264"), (".mp4", "mpeg4", "mpeg4"),
        (".mp4", "hevc", "hevc"), (".webm", "vp9", "vp9"), (".webm", "libvpx", "vp8"),
        (".mov", "prores", "prores"), (".avi", "mjpeg", "mjpeg"), (".mkv", "ffv1", "ffv1"),
        (".mkv", "av1", "av1"),
    ],
)  # fmt: skip
def test_a_codec_is_the_one_that_was_asked_for(
    suffix: str, codec: str, found: str, tmp_path: Path
) -> None:
    path = tmp_path / f"x{suffix}"
    moving().save(path, writer="imageio", codec=codec)
    assert codec_of(path) == found
    made = {path.read_bytes()}
    moving().save(path, writer="imageio", codec=codec)
    assert {path.read_bytes()} == made
    moving().save(path, writer="imageio", extra_args=["-vcodec", codec])
    assert codec_of(path) == found


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="the system has no policies")
def test_an_encoder_leaves_the_scheduling_of_the_process(tmp_path: Path) -> None:
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    moving().save(tmp_path / "x.mkv", writer="imageio", codec="av1")
    assert (os.sched_getscheduler(0), os.sched_getparam(0)) == before


def test_settings_that_an_encoder_refuses_are_told(tmp_path: Path) -> None:
    path = tmp_path / "x.mp4"
    path.write_text("kept")
    with pytest.raises(optiviz.InputError, match="the encoder libx264 refuses its settings"):
        moving().save(path, writer="imageio", extra_args=["-preset", "hurry"])
    assert path.read_text() == "kept"
    assert [each.name for each in tmp_path.iterdir()] == ["x.mp4"]


@pytest.mark.parametrize(
    ("suffix", "codec", "said"),
    [
        (".mp4", "h256", "unknown codec 'h256': did you mean 'h264'?"),
        (".webm", "h264", "codec: a .webm cannot contain 'h264': choose from av1, vp8, vp9"),
        (".mp4", "aac", "codec: a .mp4 cannot contain 'aac'"),
    ],
)
def test_a_codec_that_cannot_be_is_refused_before_anything_is_written(
    suffix: str, codec: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_text("kept")
    with pytest.raises(optiviz.InputError, match=f"^{re.escape(said)}"):
        moving().save(path, writer="imageio", codec=codec)
    assert path.read_text() == "kept"


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["h264", "mpeg4", "hevc"])
def test_a_bit_rate_makes_a_file_larger_or_smaller(codec: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(0)

    def noisy() -> FuncAnimation:
        figure, axes = canvas()
        image = axes.imshow(noise.random((60, 90)))
        return animated(figure, lambda _: image.set_data(noise.random((60, 90))), frames=30)

    sizes = []
    for rate in (100, 2000):
        path = tmp_path / f"{rate}.mp4"
        noisy().save(path, writer="imageio", codec=codec, bitrate=rate)
        sizes.append(path.stat().st_size)
    assert sizes[1] > 2 * sizes[0]


@pytest.mark.slow
def test_arguments_of_ffmpeg_are_used_or_told(tmp_path: Path) -> None:
    assert parse_ffmpeg(["-vcodec", "libx264", "-crf", "18", "-pix_fmt", "yuv444p"]) == (
        {"codec": "libx264", "options": {"crf": "18", "pix_fmt": "yuv444p"}},
        [],
    )
    assert parse_ffmpeg(["-b:v", "2.5M", "-loop", "-1", "-an"]) == (
        {"bitrate": 2500, "loop": 1},
        [],
    )
    assert parse_ffmpeg(["-vf", "pad=2:2", "-nostats"]) == ({}, ["-vf pad=2:2", "-nostats"])
    moving().save(tmp_path / "x.mp4", writer="imageio", extra_args=["-pix_fmt", "yuv444p"])
    with av.open(tmp_path / "x.mp4") as film:
        assert film.streams.video[0].codec_context.pix_fmt == "yuv444p"
    with pytest.warns(UserWarning, match=r"extra_args: -vf pad=2:2 is not used"):
        moving().save(tmp_path / "x.mp4", writer="imageio", extra_args=["-vf", "pad=2:2"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"fps": 0}, "fps: 0 must be a number above 0, 1000 at most"),
        ({"fps": "10"}, "fps: '10' must be a number above 0"),
        ({"fps": float("nan")}, "fps: nan must be a number above 0"),
        ({"hold": -1}, "hold: -1 must be a number of seconds, 0 at least"),
        ({"loop": -1}, "loop: -1 must be a whole number up to 65535, 0 for ever"),
        ({"loop": True}, "loop: True must be a whole number"),
        ({"bitrate": "2000k"}, "bitrate: '2000k' must be a number of kbit/s"),
        ({"metadata": {"title": "\ud800"}}, "metadata: 'title' has letters that cannot be written"),
        ({"quality": "hihg"}, "unknown quality 'hihg': did you mean 'high'?"),
        ({"extra_args": "-crf 18"}, "extra_args: '-crf 18' must be a list of words"),
        ({"extra_args": ["-b:v", "much"]}, "extra_args: 'much' is not a bit rate"),
        ({"metadata": "mine"}, "metadata: 'mine' must map names to texts"),
    ],
)
def test_a_bad_argument_is_one_sentence(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(optiviz.InputError, match=f"^{re.escape(said)}"):
        ImageioWriter(**arguments)


@pytest.mark.sample(1)
@pytest.mark.parametrize("suffix", [".gif", ".webp", ".apng"])
def test_what_an_image_does_not_have_is_told(
    suffix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    moving().save(tmp_path / f"x{suffix}", writer="imageio", codec="h264", bitrate=500)
    (record,) = caplog.records
    assert (
        record.getMessage()
        == f"{tmp_path}/x{suffix}: a {suffix} is written without codec and bitrate"
    )
    assert record.levelno == logging.WARNING


@pytest.mark.sample(1)
@pytest.mark.parametrize("suffix", [*VIDEOS, ".gif", ".webp", ".apng"])
def test_metadata_may_be_anything_that_has_a_text(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    moving().save(path, writer="imageio", metadata={"year": 2024, "comment": "mine", "artist": 1})
    assert "mine" in FORMATS[suffix].load_reader()(path).splitlines()


@pytest.mark.sample(2)
@pytest.mark.parametrize("suffix", [".gif", ".webp", ".apng"])
@pytest.mark.parametrize("loop", [0, 1, 3])
def test_images_are_played_as_often_as_was_asked_for(
    suffix: str, loop: int, tmp_path: Path
) -> None:
    path = tmp_path / f"x{suffix}"
    moving().save(path, writer=ImageioWriter(fps=10, loop=loop))
    with Image.open(path) as image:
        if suffix == ".gif":  # the number of repetitions, none if it is played once
            assert image.info.get("loop") == {0: 0, 1: None, 3: 2}[loop]
        else:
            assert image.info["loop"] == loop


@pytest.mark.parametrize(("repeat", "held"), [(True, 1.5), (False, 0.0)])
def test_the_delay_before_an_animation_repeats_is_that_of_its_last_frame(
    repeat: bool, held: float, tmp_path: Path
) -> None:
    made = moving(repeat_delay=1500)
    made._repeat = repeat
    made.save(tmp_path / "x.gif", writer="imageio", fps=10)
    with Image.open(tmp_path / "x.gif") as image:
        image.seek(image.n_frames - 1)
        assert image.info["duration"] == pytest.approx(100 + 1000 * held)


def test_a_notebook_shows_a_video(tmp_path: Path) -> None:
    with plt.rc_context({"animation.writer": "imageio", "animation.html": "html5"}):
        shown = moving()._repr_html_()
    assert shown.startswith('<video width="180" height="120" controls autoplay loop>')


def test_settings_of_matplotlib_are_used_where_they_can_be(tmp_path: Path) -> None:
    with plt.rc_context({"animation.codec": "mpeg4", "animation.bitrate": 300}):
        moving().save(tmp_path / "x.mp4", writer="imageio")
        moving().save(tmp_path / "x.gif", writer="imageio")
    assert codec_of(tmp_path / "x.mp4") == "mpeg4"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x.png", "a .png is not an animation: choose from .gif, .mp4,"),
        ("x.html", "a .html is not an animation"),
        ("x.gfi", "unknown format '.gfi': did you mean '.gif'?"),
        ("x.wmv", "unknown format '.wmv'"),
        ("x", "x has no suffix"),
    ],
)
def test_a_suffix_that_is_no_animation_is_refused(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(optiviz.InputError, match=re.escape(said)):
        moving().save(tmp_path / name, writer="imageio")
    assert not list(tmp_path.iterdir())


def test_frames_that_a_format_cannot_show_are_told(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"a \.gif shows at most 50 of 80 frames a second"):
        moving().save(tmp_path / "x.gif", writer="imageio", fps=80)


def test_a_size_that_changes_is_undone_and_told_once(tmp_path: Path) -> None:
    figure, axes = canvas()
    (line,) = axes.plot([0, 1], [0, 1])

    def update(frame: int) -> None:
        figure.set_size_inches(3 + frame, 2)
        line.set_ydata([0, frame])

    made = animated(figure, update)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        made.save(tmp_path / "x.apng", writer="imageio")
    assert [str(each.message).split(": ", 1)[1] for each in warned] == [
        "the figure's size changes: all frames keep that of the first"
    ]
    with Image.open(tmp_path / "x.apng") as image:
        assert image.size == (180, 120)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "x.gif"
    path.write_text("kept")
    figure, axes = canvas()
    (line,) = axes.plot([0, 1], [0, 1])

    def update(frame: int) -> None:
        line.set_ydata([0, frame])
        if frame == 3:
            raise FileNotFoundError("mine")

    with pytest.raises(FileNotFoundError, match="mine"):
        animated(figure, update).save(path, writer="imageio")
    assert path.read_text() == "kept"
    (tmp_path / "y.gif").mkdir()
    with pytest.raises(optiviz.InputError, match=r"y\.gif is a directory"):
        moving().save(tmp_path / "y.gif", writer="imageio")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["x.gif", "y.gif"]


def test_it_is_saved_where_an_exception_is_handled(tmp_path: Path) -> None:
    try:
        raise RuntimeError("another writer failed")
    except RuntimeError:
        moving().save(tmp_path / "x.gif", writer="imageio")
    assert (tmp_path / "x.gif").stat().st_size > 1000


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".mp4"])
def test_an_animation_without_frames_is_told(suffix: str, tmp_path: Path) -> None:
    figure, _ = canvas()
    writer = ImageioWriter()
    with (
        pytest.warns(UserWarning, match="there are no frames, so nothing is written"),
        writer.saving(figure, tmp_path / f"x{suffix}", 60),
    ):
        pass
    assert not list(tmp_path.iterdir())
