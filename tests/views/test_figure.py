"""Frames: their number, their steps and their size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiviz.kinds.fields import frame_steps
from optiviz.kinds.run import Recipe
from optiviz.rendering.render import make_picture
from optiviz.views.figure import HOLD


@given(steps=st.integers(1, 5000), fps=st.floats(0.5, 60), duration=st.floats(0.5, 60))
def test_frames_are_strided_evenly_and_end_at_the_last_step(
    steps: int, fps: float, duration: float
) -> None:
    shown = frame_steps(steps, fps, duration)
    assert (shown[0], shown[-1]) == (0, steps)
    assert len(shown) <= max(2, min(steps + 1, fps * duration + 1e-6))
    strides = np.diff(shown)
    assert strides.min() >= 1
    assert strides.max() - strides.min() <= 1


def test_few_steps_get_a_frame_each() -> None:
    assert frame_steps(30, 12, 10) == list(range(31))
    assert len(frame_steps(1000, 12, 10)) == 120


def test_the_last_frame_is_held() -> None:
    picture = make_picture(Recipe(surface="bowl", optimizers="sgd", steps=9, size=(300, 200)))
    for hold, held in ((HOLD, [9] * round(10 * HOLD)), (0, [])):
        animation = picture.animation(10, range(10), hold=hold)
        assert list(animation.new_frame_seq()) == [*range(10), *held]
        animation._draw_was_started = True


@pytest.mark.sample(2)
@pytest.mark.parametrize("size", [(480, 320), (959, 641), (333, 777), (1200, 800)])
def test_a_picture_has_its_size_to_the_pixel(size: tuple[int, int]) -> None:
    picture = make_picture(Recipe(surface="bowl", optimizers="sgd", size=size))
    picture.figure.canvas.draw()
    assert picture.figure.canvas.get_width_height() == size
