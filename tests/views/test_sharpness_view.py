"""The sharpness view: limits, their name, and what leaves the chart."""

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.text import Text

from optiviz.kinds.run import Recipe
from optiviz.rendering.render import make_picture
from optiviz.views.paths import FADED_OPACITY
from optiviz.views.sharpness import THIN
from optiviz.views.sketches import LOOKS

PART = "sharpness, in part preconditioned"


def chart(words: str, **settings: Any) -> Axes:
    given = {"surface": "narrowing-valley", "view": "sharpness", "steps": 40} | settings
    drawn = make_picture(Recipe(optimizers=words, **given))
    drawn.update(drawn.scene.steps)
    drawn.figure.canvas.draw()
    return drawn.figure.axes[0]


def dashed(axes: Axes) -> list[Any]:
    return [line for line in axes.lines if line.get_linewidth() == THIN]


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("words", "said", "limits", "heading"),
    [
        ("sgd:lr=0.3,sgd:lr=0.2", "2/lr", [2 / 0.3, 10], "sharpness"),
        ("sgd:lr=0.3,adam:lr=0.1", "stability limit", [2 / 0.3, 380], PART),
        ("momentum:lr=0.1:momentum=0.5", "stability limit", [30], "sharpness"),
        ("sgd:lr=0.1,newton", "2/lr", [20, 2], PART),
        ("adam:lr=0.1", "stability limit", [380], "preconditioned sharpness"),
        ("nelder-mead", "", [], "sharpness"),
    ],
)
def test_limits_are_dashed_and_named(
    words: str, said: str, limits: list[float], heading: str
) -> None:
    axes = chart(words)
    assert axes.get_title(loc="left") == heading
    assert [line.get_ydata()[0] for line in dashed(axes)] == pytest.approx(limits)
    assert [text.get_text() for text in axes.texts if text.get_text() == said] == [said] * bool(
        said
    )


def test_the_flows_beside_a_path_are_smooth_lines_of_their_own() -> None:
    axes = chart("flow+sgd:lr=0.5", surface="tightening-ring", steps=90)
    wide = {role: LOOKS[role].width for role in ("gradient-flow", "central-flow")}
    plain, central = (
        next(line.get_ydata() for line in axes.lines if line.get_linewidth() == width)
        for width in wide.values()
    )
    (limit,) = dashed(axes)
    bound = limit.get_ydata()[0]
    np.testing.assert_allclose(central[40:], bound, rtol=5e-3)
    assert plain[-1] > 1.2 * bound and (np.diff(plain[40:]) > 0).all()
    assert plain[0] == central[0]
    said = {each.get_text() for each in axes.figure.findobj(Text)}
    assert {"central flow", "gradient flow"} <= said


def test_one_limit_of_all_is_a_line_in_the_ink() -> None:
    axes = chart("sgd:lr=0.3", random_starts=2)
    (line,) = dashed(axes)
    assert len(axes.lines) == 3  # with the paths
    assert line.get_color() not in {each.get_color() for each in axes.lines if each is not line}


def test_a_limit_follows_the_schedule() -> None:
    (line,) = dashed(chart("sgd:lr=0.1@step/10/0.5"))
    assert line.get_ydata()[[0, 9, 10, 20, -1]] == pytest.approx([20, 20, 40, 80, 160])


def test_a_path_that_diverges_leaves_the_chart() -> None:
    axes = chart("sgd:lr=0.1,adam:lr=0.1", surface="rosenbrock")
    assert axes.get_ylim()[1] < 1e7
    assert max(np.nanmax(line.get_ydata()) for line in axes.lines if len(line.get_ydata())) > 1e9


def test_each_panel_of_a_grid_says_what_its_own_path_has() -> None:
    drawn = make_picture(
        Recipe(
            surface="narrowing-valley", optimizers="sgd:lr=0.3,adam:lr=0.1", steps=9,
            view="sharpness", layout="grid",
        )
    )  # fmt: skip
    headings = [axes.get_title(loc="left") for axes in drawn.figure.axes[:2]]
    assert headings == ["sharpness", "preconditioned sharpness"]


def test_a_trail_fades_earlier_sharpness() -> None:
    faded, path = chart("sgd:lr=0.3", trail=10).lines[:2]
    assert faded.get_alpha() == FADED_OPACITY
    assert (faded.get_xdata()[-1], path.get_xdata()[0]) == (30, 30)
