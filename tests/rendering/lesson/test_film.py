"""The film of a lesson: a card, then the picture, for each section."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Invoke
from PIL import Image, ImageSequence

import optiviz
from optiviz.kinds.base import Card
from optiviz.kinds.lesson import LessonRecipe
from optiviz.registry import FORMATS
from optiviz.rendering.animation import HOLD
from optiviz.rendering.render import make_card

PROSE = {"text": "So.", "question": "Why?", "answer": "Thus."}
RUN = {"surface": "parabola", "optimizers": "sgd:lr=0.1", "steps": 3, "view": "curve"}
STILL = {"kind": "plot", "surfaces": ["softplus"]}
CARDS, READ = 2, 2.0


def lesson(*pictures: dict[str, Any], **given: Any) -> LessonRecipe:
    sections = [
        {"heading": f"Section {number}", **PROSE, "picture": picture}
        for number, picture in enumerate(pictures)
    ]
    return LessonRecipe.model_validate({"sections": sections, "size": [240, 160], **given})


def frames(path: Path) -> list[tuple[Any, float]]:
    """Return the frames of an animation, each with how long it is shown, in seconds."""
    with Image.open(path) as image:
        return [
            (np.asarray(each.convert("RGB")), each.info["duration"] / 1000)
            for each in ImageSequence.Iterator(image)
        ]


def test_it_shows_cards_and_the_frames_of_each_picture_in_order(here: Path) -> None:
    made, calls = lesson(RUN, STILL), list[tuple[str, int, int]]()
    optiviz.render(made, "film.apng", progress=lambda *call: calls.append(call))
    moving, still = made.pictures
    optiviz.render(moving, "moving.apng")
    optiviz.render(still, "still.png")
    shown, alone = frames(here / "film.apng"), frames(here / "moving.apng")
    fps, steps = made.timeline.fps, len(alone)
    assert fps == moving.timeline.fps == 12 and len(shown) == CARDS + steps + 1  # type: ignore[union-attr]
    for (film, _), (picture, _) in zip(shown[1 : 1 + steps], alone, strict=True):
        np.testing.assert_array_equal(film, picture)
    with Image.open(here / "still.png") as image:
        np.testing.assert_array_equal(shown[-1][0], np.asarray(image.convert("RGB")))
    assert not np.array_equal(shown[0][0], shown[1 + steps][0]), "cards say what follows"
    seconds = [duration for _, duration in shown]
    assert [seconds[0], seconds[1 + steps]] == pytest.approx([HOLD + 1 / fps] * 2, abs=0.01)
    assert seconds[1] == pytest.approx(1 / fps, abs=0.011)
    assert sum(seconds[1 : 1 + steps]) == pytest.approx(READ + HOLD, abs=0.01)
    assert seconds[-1] == pytest.approx(READ + HOLD, abs=0.01)
    drawn = [call for call in calls if call[0] == "drawing"]
    assert drawn[-1] == ("drawing", len(made.timeline.steps), len(made.timeline.steps))


def test_each_picture_keeps_its_own_speed() -> None:
    made = lesson(RUN | {"steps": 39, "fps": 10}, RUN | {"steps": 44, "fps": 15}, STILL)
    slow, fast, still = (clip.steps for clip in made.clips(made.make_scene()))
    assert made.timeline.fps == 15
    assert [*fast] == [*range(45)]
    assert len(slow) == 40 * 15 / 10 and sorted({*slow}) == [*range(40)]
    assert [slow[frame] for frame in (0, 2, 3, 30, 59)] == [0, 1, 2, 20, 39]
    assert {*still} == {0} and len(still) == READ * 15
    assert len(made.timeline.steps) == 3 + len(slow) + len(fast) + len(still)
    assert made.draft().timeline.quality == "draft" and made.draft().timeline.fps == 12


@pytest.mark.sample(1)
@pytest.mark.parametrize("suffix", [each for each in FORMATS if FORMATS[each].kind == "animation"])
def test_every_format_of_animations_is_the_same_bytes_again(suffix: str, here: Path) -> None:
    made = lesson(RUN, STILL)
    optiviz.render(made, [f"a{suffix}", f"b{suffix}"])
    assert (here / f"a{suffix}").read_bytes() == (here / f"b{suffix}").read_bytes()
    assert optiviz.load_recipe(f"a{suffix}") == made


@pytest.mark.parametrize("size", ["240x160", "480x320", "1600x240", "300x900", "3inx2in"])
def test_the_words_of_a_card_fit(size: str) -> None:
    heading = "Why a heavy ball that rolls through a long and narrow valley swings, and how long"
    (picture,) = lesson(STILL, size=size).pictures
    drawn = make_card(Card("12", heading, "Momentum " * 20), picture).figure
    canvas: Any = drawn.canvas
    texts = [text for axes in drawn.axes for text in axes.texts]
    boxes = [text.get_window_extent(canvas.get_renderer()) for text in texts]
    width, height = drawn.bbox.size
    assert min(min(box.x0, box.y0) for box in boxes) > 0
    assert max(box.x1 for box in boxes) < width and max(box.y1 for box in boxes) < height
    heights = sorted((box.y0, box.y1) for box in boxes)
    assert all(
        below[1] < above[0] + 0.2 * (above[1] - above[0]) for below, above in pairwise(heights)
    )


def test_a_lesson_has_no_last_frame(invoke: Invoke, here: Path) -> None:
    result = invoke("lesson", "momentum", "--last-frame")
    assert result.exit_code == 2 and "--last-frame" in result.stderr
    result = invoke("lesson", "momentum", "-o", "x.png")
    assert result.exit_code == 2 and "x.png: optiviz lesson cannot write .png" in result.stderr
    assert not [*here.iterdir()]
