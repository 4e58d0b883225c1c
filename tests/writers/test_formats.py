"""Properties of every animated format, checked by reading the files."""

import tracemalloc
from pathlib import Path
from typing import Any

import av
import imageio.v3
import numpy as np
import pytest
from PIL import Image, ImageSequence

from optiviz.registry import FORMATS, QUALITIES

ANIMATED = [suffix for suffix, form in FORMATS.items() if form.kind == "animation"]
EXACT = [".webp", ".apng"]
FILMS = [".mp4", ".m4v", ".mov", ".mkv", ".avi", ".webm"]

Frame = np.ndarray[Any, np.dtype[np.uint8]]


def frames(count: int) -> list[Frame]:
    """Return frames in which a soft square moves over a static ramp."""
    ramp = np.linspace(120, 250, 96).astype(np.uint8)
    made = []
    for number in range(count):
        frame = np.full((64, 96, 4), 255, np.uint8)
        frame[..., :3] = ramp[None, :, None]
        left = 2 * (number % 30)
        frame[10:30, left : left + 20, :3] = (200, 40, 40)
        frame[9, left : left + 20, :3] = (220, 140, 140)
        made.append(frame)
    return made


def write(path: Path, shown: list[Frame], fps: float = 12, **settings: Any) -> Path:
    plugin = FORMATS[path.suffix].load()
    settings = {"fps": fps, "metadata": {}} | settings
    if hasattr(plugin, "qualities"):
        settings.setdefault("quality", "standard")
    with imageio.v3.imopen(path, "w", plugin=plugin, **settings) as file:
        for frame in shown:
            file.write(frame)
    return path


def read(path: Path) -> tuple[list[Frame], float]:
    """Return all frames, equal neighbours merged except in videos, and the duration in seconds."""
    if path.suffix in FILMS:
        with av.open(path) as film:
            seconds = film.duration / av.time_base
        return list(imageio.v3.imread(path, plugin="pyav")), seconds
    with Image.open(path) as image:
        parts = [
            (np.array(each.convert("RGB")), each.info["duration"])
            for each in ImageSequence.Iterator(image)
        ]
    return [frame for frame, _ in parts], sum(duration for _, duration in parts) / 1000


@pytest.mark.sample(2)
@pytest.mark.parametrize("suffix", ANIMATED)
def test_every_frame_comes_back(suffix: str, tmp_path: Path) -> None:
    made = frames(9)
    shown, _ = read(write(tmp_path / f"x{suffix}", made))
    for frame, original in zip(shown, made, strict=True):
        error = frame.astype(float) - original[..., :3]
        assert np.sqrt((error**2).mean()) <= (0 if suffix in EXACT else 12)


@pytest.mark.sample(1)
@pytest.mark.parametrize("fps", [12, 7.5, 30, 50])
@pytest.mark.parametrize("suffix", ANIMATED)
def test_it_plays_as_long_as_was_asked_for(suffix: str, fps: float, tmp_path: Path) -> None:
    _, seconds = read(write(tmp_path / f"x{suffix}", frames(24), fps))
    assert seconds == pytest.approx(24 / fps, abs=1 / fps + 1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ANIMATED)
def test_a_last_frame_that_stays_is_there_all_the_time(suffix: str, tmp_path: Path) -> None:
    made = frames(6)
    path = write(tmp_path / f"x{suffix}", made + made[-1:] * 12)
    assert read(path)[1] == pytest.approx(18 / 12, abs=1 / 12 + 1e-3)
    held = path.stat().st_size - write(path, made).stat().st_size
    assert held < 2000


@pytest.mark.parametrize("suffix", [".gif", *EXACT])
def test_images_play_for_ever(suffix: str, tmp_path: Path) -> None:
    with Image.open(write(tmp_path / f"x{suffix}", frames(4))) as image:
        assert image.info["loop"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ANIMATED)
def test_the_same_frames_give_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    made = {write(tmp_path / f"{number}{suffix}", frames(12)).read_bytes() for number in range(3)}
    assert len(made) == 1


@pytest.mark.slow
@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_every_quality_gives_the_same_bytes_again(
    suffix: str, quality: str, tmp_path: Path
) -> None:
    made = {
        write(tmp_path / f"{number}{suffix}", frames(40), quality=quality).read_bytes()
        for number in range(2)
    }
    assert len(made) == 1


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_a_higher_quality_is_nearer_and_larger(suffix: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 60, (64, 96, 1)).astype(np.uint8)
    made = [np.where([True, True, True, False], frame - noise, frame) for frame in frames(20)]
    errors, sizes = [], []
    for quality in QUALITIES:
        path = write(tmp_path / f"x{suffix}", made, quality=quality)
        errors.append(
            np.square(np.subtract(read(path)[0], [f[..., :3] for f in made], dtype=float)).mean()
        )
        sizes.append(path.stat().st_size)
    assert errors == sorted(errors, reverse=True)
    assert sizes == sorted(sizes)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".gif", ".apng", *FILMS])
def test_what_is_said_of_it_is_in_the_file(suffix: str, tmp_path: Path) -> None:
    said = "how it was made: ü " + "x" * 400
    path = write(tmp_path / f"x{suffix}", frames(3), metadata={"comment": said, "title": "T"})
    if suffix in FILMS:
        known = {key.lower(): each for key, each in imageio.v3.immeta(path, plugin="pyav").items()}
        assert (known["comment"], known["title"]) == (said, "T")
        return
    with Image.open(path) as image:
        if suffix == ".apng":
            assert (image.text["Comment"], image.text["Title"]) == (said, "T")
    assert said.encode()[:200] in path.read_bytes()
    assert read(path)[0][0].shape == (64, 96, 3)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", FILMS)
def test_colours_are_those_that_were_drawn(suffix: str, tmp_path: Path) -> None:
    colors = [(255, 255, 255), (0, 104, 181), (213, 94, 0), (32, 36, 42)]
    stripes = np.repeat(np.array([(*color, 255) for color in colors], np.uint8), 32, axis=0)
    frame = np.ascontiguousarray(np.broadcast_to(stripes, (64, *stripes.shape)))
    shown = read(write(tmp_path / f"x{suffix}", [frame] * 3, quality="high"))[0][-1]
    for number, color in enumerate(colors):
        inside = shown[:, 32 * number + 8 : 32 * number + 24]  # away from the edges, which blur
        assert np.abs(inside.mean((0, 1)) - color).max() < 5


@pytest.mark.parametrize("suffix", [".gif", ".apng"])
def test_a_long_animation_is_not_kept_in_memory(suffix: str, tmp_path: Path) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        write(tmp_path / f"x{suffix}", frames(30) * (count // 30))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(600) - peak(60) < 1_000_000


@pytest.mark.sample(3)
@pytest.mark.parametrize("size", [(1, 1), (7, 3), (301, 203)])
@pytest.mark.parametrize("suffix", [".gif", *EXACT])
def test_images_may_have_any_size(suffix: str, size: tuple[int, int], tmp_path: Path) -> None:
    made = [
        np.full((size[1], size[0], 4), value, np.uint8) | np.uint8([0, 0, 0, 255])
        for value in (9, 200)
    ]
    shown, _ = read(write(tmp_path / f"x{suffix}", made))
    np.testing.assert_array_equal(shown[1], made[1][..., :3])


def test_a_video_can_play_before_it_is_whole(tmp_path: Path) -> None:
    data = write(tmp_path / "x.mp4", frames(5)).read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
