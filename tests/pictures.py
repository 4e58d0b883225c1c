"""Checks of the texts in any picture."""

from itertools import combinations

from matplotlib.text import Text

from optiviz.views.figure import Picture


def shown(drawn: Picture) -> list[Text]:
    """Return all texts that are drawn."""
    texts = drawn.figure.findobj(lambda each: isinstance(each, Text) and each.get_visible())
    labels, drawn_labels = set(), set()
    for axes in drawn.figure.axes:
        for axis in axes._axis_map.values():
            labels |= {each for tick in axis.majorTicks for each in (tick.label1, tick.label2)}
            # Only ticks inside the window are drawn.
            drawn_labels |= {tick.label1 for tick in axis._update_ticks() if axes.axison}
    return [
        text for text in texts if text.get_text() and (text not in labels or text in drawn_labels)
    ]


def assert_tidy(drawn: Picture) -> None:
    """Assert that in up to three of its frames no text overlaps another or leaves the picture."""
    width, height = drawn.figure.bbox.size
    for step in sorted({0, drawn.scene.steps // 2, drawn.scene.steps}):
        drawn.update(step)
        drawn.figure.draw_without_rendering()
        texts = shown(drawn)
        boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
        for said, box in boxes:
            assert box.x0 >= 0 and box.y0 >= 0, said
            assert box.x1 <= width and box.y1 <= height, said
        # A slanted text, such as a long name of an axis of a relief, does not fill its box.
        upright = [text.get_rotation() % 90 == 0 for text in texts]
        boxes = [box for box, fills in zip(boxes, upright, strict=True) if fills]
        for (one, a), (other, b) in combinations(boxes, 2):
            overlap = (
                min(a.x1, b.x1) - max(a.x0, b.x0) > 0.5 and min(a.y1, b.y1) - max(a.y0, b.y0) > 0.5
            )
            assert not overlap, (step, one, other)
