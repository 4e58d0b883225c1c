"""MP4 by what a reader of it finds."""

from pathlib import Path

import imageio.v3
import numpy as np
import pytest

from optiviz.writers.video import Mp4Plugin


def frames(count: int) -> list[np.ndarray]:
    made = []
    for number in range(count):
        frame = np.full((64, 96, 4), 255, np.uint8)
        frame[10:30, 2 * number : 2 * number + 20, :3] = (200, 40, 40)
        made.append(frame)
    return made


def write(path: Path, count: int, fps: float = 12) -> Path:
    with imageio.v3.imopen(path, "w", plugin=Mp4Plugin, fps=fps) as file:
        for frame in frames(count):
            file.write(frame)
    return path


def test_every_frame_comes_back(tmp_path: Path) -> None:
    video = imageio.v3.imread(write(tmp_path / "x.mp4", 15), plugin="pyav")
    assert video.shape == (15, 64, 96, 3)
    for shown, original in zip(video, frames(15), strict=True):
        error = shown.astype(float) - original[..., :3]
        assert np.sqrt((error**2).mean()) < 12


@pytest.mark.parametrize("fps", [7.5, 12, 30])
def test_it_plays_at_the_rate_that_was_asked_for(tmp_path: Path, fps: float) -> None:
    known = imageio.v3.immeta(write(tmp_path / "x.mp4", 15, fps), plugin="pyav")
    assert known["fps"] == pytest.approx(fps)
    assert known["duration"] == pytest.approx(15 / fps, abs=1.01 / fps)
    assert known["codec"] == "h264"


def test_it_can_play_before_it_is_whole(tmp_path: Path) -> None:
    data = write(tmp_path / "x.mp4", 5).read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_the_same_frames_give_the_same_bytes(tmp_path: Path) -> None:
    made = {write(tmp_path / f"{number}.mp4", 40).read_bytes() for number in range(4)}
    assert len(made) == 1
