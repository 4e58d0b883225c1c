"""Frames: their number, their steps and their size."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiviz.kinds.fields import frame_steps
from optiviz.kinds.run import Recipe
from optiviz.rendering.animation import HOLD, PictureAnimation
from optiviz.rendering.render import make_picture


@given(steps=st.integers(1, 5000), most=st.integers(0, 3600))
def test_frames_are_strided_evenly_and_end_at_the_last_step(steps: int, most: int) -> None:
    shown = frame_steps(steps, most)
    assert (shown[0], shown[-1]) == (0, steps)
    assert len(shown) <= max(2, min(steps + 1, most))
    strides = np.diff(shown)
    assert strides.min() >= 1
    assert strides.max() - strides.min() <= 1


def test_few_steps_get_a_frame_each() -> None:
    assert frame_steps(30, 120) == list(range(31))
    assert len(frame_steps(1000, 120)) == 120


@pytest.mark.parametrize(
    ("fields", "fps", "frames"),
    [
        ({"steps": 30}, 12, 31), ({"steps": 125}, 12, 126), ({"steps": 126}, 15, 127),
        ({"steps": 200}, 20, 201), ({"steps": 524}, 50, 525), ({"steps": 525}, 12, 126),
        ({"steps": 200, "fps": 10}, 10, 201), ({"steps": 200, "duration": 5}, 12, 60),
        ({"steps": 200, "duration": 5, "fps": 30}, 30, 150), ({"steps": 600, "fps": 24}, 24, 252),
    ],
)  # fmt: skip
def test_every_step_is_shown_unless_they_are_many(
    fields: dict[str, Any], fps: float, frames: int
) -> None:
    timeline = Recipe(surface="bowl", optimizers="sgd:lr=0.1", **fields).timeline
    assert (timeline.fps, len(timeline.steps)) == (fps, frames)


def test_the_last_frame_is_held() -> None:
    picture = make_picture(Recipe(surface="bowl", optimizers="sgd", steps=9, size=(300, 200)))
    for hold, held in ((HOLD, [9] * round(10 * HOLD)), (0, [])):
        animation = PictureAnimation(picture, range(10), 10, hold)
        assert list(animation.new_frame_seq()) == [*range(10), *held]
        animation._draw_was_started = True


@pytest.mark.sample(2)
@pytest.mark.parametrize("size", [(480, 320), (959, 641), (333, 777), (1200, 800)])
def test_a_picture_has_its_size_to_the_pixel(size: tuple[int, int]) -> None:
    picture = make_picture(Recipe(surface="bowl", optimizers="sgd", size=size))
    picture.figure.canvas.draw()
    assert picture.figure.canvas.get_width_height() == size
