"""GIF files, checked by reading them."""

from pathlib import Path

import imageio.v3
import numpy as np
import pytest
from PIL import Image, ImageSequence

from optiviz.writers.gif import GifPlugin
from optiviz.writers.palette import Palette


def write(path: Path, frames: list[np.ndarray], fps: float = 10) -> Path:
    with imageio.v3.imopen(path, "w", plugin=GifPlugin, fps=fps, metadata={}) as file:
        for frame in frames:
            file.write(frame)
    return path


def read(path: Path) -> tuple[list[np.ndarray], list[int]]:
    with Image.open(path) as image:
        pairs = [
            (np.array(each.convert("RGB")), each.info["duration"])
            for each in ImageSequence.Iterator(image)
        ]
    return [frame for frame, _ in pairs], [duration for _, duration in pairs]


def flat(color: tuple[int, int, int], size: tuple[int, int] = (40, 30)) -> np.ndarray:
    frame = np.full((size[1], size[0], 4), 255, np.uint8)
    frame[..., :3] = color
    return frame


def dotted(at: int) -> np.ndarray:
    frame = flat((250, 250, 250))
    frame[5 + at, 3 + 2 * at : 9 + 2 * at, :3] = (200, 30, 30)
    return frame


def test_flat_colours_and_paths_keep_theirs_exactly(tmp_path: Path) -> None:
    frames = [dotted(at) for at in range(8)]
    shown, _ = read(write(tmp_path / "x.gif", frames))
    for frame, original in zip(shown, frames, strict=True):
        np.testing.assert_array_equal(frame, original[..., :3])


def test_frames_that_are_alike_become_one_long_one(tmp_path: Path) -> None:
    frames = [dotted(0), dotted(1), dotted(1), dotted(1), dotted(2), dotted(2)]
    shown, durations = read(write(tmp_path / "x.gif", frames, fps=10))
    assert durations == [100, 300, 200]
    assert len(shown) == 3


@pytest.mark.parametrize("fps", [1, 7.5, 12, 24, 30, 50])
def test_it_plays_as_long_as_was_asked_for(tmp_path: Path, fps: float) -> None:
    frames = [dotted(at % 8) for at in range(60)]
    _, durations = read(write(tmp_path / "x.gif", frames, fps))
    assert sum(durations) / 1000 == pytest.approx(60 / fps, abs=0.011)
    assert max(durations) - min(durations) <= 10


@pytest.mark.parametrize("fps", [60, 75, 100])
def test_above_50_frames_a_second_some_are_dropped_but_not_the_last(
    tmp_path: Path, fps: float
) -> None:
    for count in (59, 60, 61):
        frames = [dotted(at % 8) for at in range(count)]
        shown, durations = read(write(tmp_path / "x.gif", frames, fps))
        assert min(durations[:-1]) >= 20
        assert sum(durations) / 1000 == pytest.approx(count / fps, abs=0.021)
        np.testing.assert_array_equal(shown[-1], frames[-1][..., :3])


def test_a_hold_longer_than_a_delay_can_be_is_split(tmp_path: Path) -> None:
    _, durations = read(write(tmp_path / "x.gif", [dotted(0)] * 2, fps=0.002))
    assert sum(durations) == 1_000_000


def test_more_colours_than_a_palette_has_are_shown_by_the_nearest(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 90 * 60).reshape(60, 90)
    first = np.stack([ramp, ramp[::-1], np.full_like(ramp, 90), np.full_like(ramp, 255)], -1)
    second = np.roll(first, 30, axis=1)
    frames = [first.astype(np.uint8), second.astype(np.uint8)]
    shown, _ = read(write(tmp_path / "x.gif", frames))
    for frame, original in zip(shown, frames, strict=True):
        error = frame.astype(float) - original[..., :3]
        assert np.sqrt((error**2).mean()) < 8


def test_random_noise_survives(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (3, 50, 70, 4)).astype(np.uint8)
    shown, _ = read(write(tmp_path / "x.gif", list(noise)))
    assert len(shown) == 3


def test_a_palette_has_256_colours_however_many_appear() -> None:
    palette, rng = Palette(), np.random.default_rng(0)
    for _ in range(30):
        shown = palette.show(rng.integers(0, 2**24, 500).astype(np.uint32))
        assert len(palette.table()) == 3 * 256
    assert shown.indices.min() > 0
