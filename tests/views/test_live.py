"""Live text looks like other text, and is text in vector formats."""

from io import StringIO
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from optiviz.views.live import LiveText

SAID = ["3.512", "3.12e-5", "step 12 of 119", "-24777", "–", "", "ended at a maximum  lr 0.01"]


def drawn(kind: type[Text], said: str, dpi: float = 100, **look: object) -> np.ndarray:
    figure = Figure((3, 0.5), dpi=dpi)
    canvas = FigureCanvasAgg(figure)
    x = 0.95 if look.get("ha") == "right" else 0.05
    figure.add_artist(kind(x, 0.5, said, fontsize=12, **look))  # type: ignore[arg-type]
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(float)


@pytest.mark.sample(30)
@pytest.mark.parametrize("dpi", [70, 100, 133])
@pytest.mark.parametrize("look", [{}, {"ha": "right"}, {"weight": "bold", "color": "#a32014"}])
@pytest.mark.parametrize("said", SAID)
def test_it_looks_as_text_does(said: str, look: dict[str, object], dpi: float) -> None:
    live, text = (drawn(kind, said, dpi, **look) for kind in (LiveText, Text))
    # Live letters are placed at whole pixels: as much ink, and at most one pixel off. Before 3.11,
    # matplotlib rounds the width of each text, and so of each piece.
    away = 1 if matplotlib.__version_info__ >= (3, 11) else 3
    assert (255 - live).sum() == pytest.approx((255 - text).sum(), rel=0.06)
    inked = [np.argwhere((each < 200).any(axis=-1)) for each in (live, text)]
    assert all(len(each) == 0 for each in inked) or all(
        np.abs(end(inked[0], axis=0) - end(inked[1], axis=0)).max() <= away
        for end in (np.min, np.max)
    )


def test_digits_are_set_once(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = Figure((3, 0.5))
    canvas = FigureCanvasAgg(figure)
    text = figure.add_artist(LiveText(0.05, 0.5, "9876543210."))
    canvas.draw()
    said: list[str] = []
    draw_text = RendererAgg.draw_text

    def watched(self: RendererAgg, *given: Any) -> None:
        said.append(given[3])
        draw_text(self, *given)

    monkeypatch.setattr(RendererAgg, "draw_text", watched)
    for text_is, is_set in (("3.1415", []), ("3.1415e", ["e"])):
        text.set_text(text_is)
        canvas.draw()
        assert said == is_set


def test_another_size_or_colour_is_drawn_anew() -> None:
    figure = Figure((3, 0.5))
    canvas = FigureCanvasAgg(figure)
    text = figure.add_artist(LiveText(0.05, 0.5, "123"))
    canvas.draw()
    for change in ({"color": "red"}, {"fontsize": 20}, {"visible": False}):
        before = np.array(canvas.buffer_rgba())
        text.set(**change)
        canvas.draw()
        assert not np.array_equal(before, np.asarray(canvas.buffer_rgba()))


def test_in_vector_formats_it_is_text() -> None:
    figure = Figure((3, 0.5))
    figure.add_artist(LiveText(0.05, 0.5, "step 12"))
    with matplotlib.rc_context({"svg.fonttype": "none"}), StringIO() as file:
        figure.savefig(file, format="svg")
        assert ">step 12</text>" in file.getvalue()
