"""Sizes: what they are written as, and what pictures measure."""

import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import optiviz
from optiviz.kinds.size import PRINT, Size
from optiviz.rendering.render import make_picture


def recipe(**fields: Any) -> optiviz.Recipe:
    return optiviz.Recipe(surface="bowl", optimizers="sgd:lr=0.1", steps=3, **fields)


@pytest.mark.parametrize(
    ("written", "inches"),
    [
        ("3.25inx2.5in", (3.25, 2.5)), ("3.25x2.5in", (3.25, 2.5)), ("3.25INX2.5", (3.25, 2.5)),
        ("8.255cm x 6.35cm", (3.25, 2.5)), ("82.55mmx63.5mm", (3.25, 2.5)),
        ("234ptx180pt", (3.25, 2.5)), ("312x240", (3.25, 2.5)), ("312pxx240px", (3.25, 2.5)),
        ("312 × 240", (3.25, 2.5)),
    ],
)  # fmt: skip
def test_a_size_is_written_in_many_ways(written: str, inches: tuple[float, float]) -> None:
    size = recipe(size=written).size
    assert size.inches == pytest.approx(inches)
    assert recipe(size=str(size)).size == size


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("3.25inchx2.5inch", "unknown unit 'inch': did you mean 'in'?"),
        ("3furx2fur", "unknown unit 'fur': choose from cm, in, mm, pt, px"),
        ("3inx2cm", "'3inx2cm' has two units: write both sides in one"),
        ("3.5x2.5", "'3.5x2.5' has no unit, and pixels are whole: write, for example, 3.25inx"),
        ("960", "'960' is not a valid size: write, for example, 960x640 or 3.25inx2.5in"),
        ("1inx1in", "must be at least 2.5inx1.9in, not 1inx1in"),
        ("6cmx5cm", "must be at least 6.35cmx4.83cm, not 6cmx5cm"),
        ("100x100", "must be between 240x160 and 16384x16384, not 100x100"),
        ("100inx100in", "at most 16384 pixels a side are allowed, not 20000x20000"),
        ([960], "must be a width and a height in pixels"),
        ([960, True], "must be a width and a height in pixels"),
    ],
)
def test_what_is_no_size_is_refused(written: Any, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        recipe(size=written)


@pytest.mark.parametrize("scale", [0, 0.4, 17, float("nan"), "large"])
def test_what_is_no_scale_is_refused(scale: Any) -> None:
    with pytest.raises(ValueError, match="scale"):
        recipe(scale=scale)
    with pytest.raises(ValueError, match="at most 36000000 pixels are allowed, not 9600x6400"):
        recipe(scale=10)


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("size", "points", "width"),
    [
        ("3.25inx2.5in", (234, 180), "3.25in"),
        ("12cmx9cm", (12 / 2.54 * 72, 9 / 2.54 * 72), f"{12 / 2.54:.10g}in"),
        ("720x480", (540, 360), "7.5in"),
    ],
)
def test_a_page_has_exactly_its_size(
    size: str, points: tuple[float, float], width: str, tmp_path: Path
) -> None:
    optiviz.render(recipe(size=size), [tmp_path / f"a.{form}" for form in ("pdf", "svg", "png")])
    (box,) = re.findall(
        rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", (tmp_path / "a.pdf").read_bytes()
    )
    assert [float(each) for each in box] == pytest.approx(points, abs=1e-3)
    (head,) = re.findall("<svg [^>]*>", (tmp_path / "a.svg").read_text())
    assert f' width="{width}"' in head and "viewBox" in head
    with Image.open(tmp_path / "a.png") as image:
        wide = image.width / float(image.info["dpi"][0]) * 72
        assert wide == pytest.approx(points[0], abs=0.5)


def test_letters_on_paper_have_eight_points(tmp_path: Path) -> None:
    made = recipe(size="3.25inx2.5in")
    drawn = make_picture(made)
    on_page = made.size.inches[0] / drawn.figure.get_size_inches()[0]
    texts = [
        text for axes in drawn.figure.axes for text in (*axes.texts, *axes.get_xticklabels())
        if text.get_text()
    ]  # fmt: skip
    assert {round(text.get_fontsize() * on_page, 6) for text in texts} == {8.0}
    optiviz.render(made, tmp_path / "a.svg")
    written = re.findall(r'<text style="[^"]*?([\d.]+)px', (tmp_path / "a.svg").read_text())
    assert {round(float(each) * on_page, 6) for each in written} == {8.0}


@pytest.mark.parametrize("size", ["480x320", "3.25inx2.5in"])
def test_a_scale_has_the_same_layout_and_more_pixels(size: str) -> None:
    plain, fine = (make_picture(recipe(size=size, scale=scale)) for scale in (1, 2))
    assert plain.figure.get_size_inches() == pytest.approx(fine.figure.get_size_inches(), abs=1e-3)
    assert fine.figure.dpi == pytest.approx(2 * plain.figure.dpi)
    for one, two in zip(plain.figure.axes, fine.figure.axes, strict=True):
        assert one.get_position().bounds == pytest.approx(two.get_position().bounds, abs=0.01)
    width, height = recipe(size=size).pixels
    assert recipe(size=size, scale=2).pixels == (2 * width, 2 * height)


def test_a_draft_on_paper_has_half_the_pixels() -> None:
    made = recipe(size="6inx4in")
    assert made.pixels == (6 * PRINT, 4 * PRINT)
    assert made.draft().pixels == (3 * PRINT, 2 * PRINT)
    assert made.draft().size == made.size == Size(6, 4, "in")


@pytest.mark.parametrize(
    ("size", "views"),
    [("3.25inx2.5in", ["contour"]), ("6.5inx4in", ["contour", "loss"]), ((480, 320), None)],
)
def test_a_small_picture_on_paper_has_one_panel(size: Any, views: list[str] | None) -> None:
    made = recipe(size=size)
    scene = made.make_scene()
    assert made.views(scene) == (views or ["contour", "loss"])
    asked = recipe(size=size, view="contour+loss")
    assert asked.views(scene) == ["contour", "loss"]
    assert recipe(size=size, smooth=3).views(scene) == ["contour", "loss"]


def test_a_page_smaller_than_its_layout_keeps_every_line(tmp_path: Path) -> None:
    made = recipe(size="300x200")
    optiviz.render(made, tmp_path / "a.pdf")
    (stream, *_) = re.findall(rb"stream\n(.*?)\nendstream", (tmp_path / "a.pdf").read_bytes(), re.S)
    ends = re.findall(rb"([\d.]+) ([\d.]+) l\b", zlib.decompress(stream))
    x, y = np.array(ends, float).T
    width, height = np.multiply(made.size.layout, 72)
    assert 0.9 * width < x.max() < width + 0.01 and 0.9 * height < y.max() < height + 0.01
    assert x.max() > 72 * made.size.inches[0], "what is beyond the page is there, too"


def test_a_page_without_room_for_the_names_is_refused() -> None:
    many = ",".join(f"sgd:lr={number / 100}" for number in range(1, 15))
    made = optiviz.Recipe(surface="bowl", optimizers=many, steps=3, size="2.5inx1.9in")
    with pytest.raises(optiviz.InputError, match="size: leaves too little of a panel beside all"):
        make_picture(made)


@pytest.mark.slow
def test_a_page_is_the_same_bytes_after_an_animation(tmp_path: Path) -> None:
    optiviz.render(recipe(size="300x200"), [tmp_path / "a.gif", tmp_path / "a.pdf"])
    optiviz.render(recipe(size="300x200"), tmp_path / "b.pdf")
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
