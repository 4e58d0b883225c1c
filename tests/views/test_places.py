"""Where a legend stands, whether x and y have the same scale, and heads that are set apart."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from conftest import Invoke
from matplotlib.axes import Axes
from pictures import assert_tidy, shown

import optiviz
from optiviz.kinds.base import BaseRecipe
from optiviz.registry import LEGEND_PLACES
from optiviz.rendering.render import make_picture
from optiviz.views.figure import Picture
from optiviz.views.paths import HEAD_SIZE, PathArtist

THREE = "sgd:lr=0.05,momentum:lr=0.02,adam:lr=0.25"
RAVINE = {
    "surface": {"formula": "0.5*(x**2 + 100*y**2)", "domain": "-7:7,-1.5:1.5", "start": [-6, 1.2]},
    "optimizers": "sgd:lr=0.018,momentum:lr=0.005,adam:lr=0.3",
}


def run(**fields: Any) -> optiviz.Recipe:
    return optiviz.Recipe(**{"surface": "wobbly", "optimizers": THREE, "steps": 20} | fields)


def main(drawn: Picture) -> Axes:
    return next(axes for axes in drawn.figure.axes if axes.axison)


def ratio(drawn: Picture) -> float:
    """Return the length on the screen of a unit of x over that of a unit of y."""
    axes = main(drawn)
    box, (across, up) = axes.get_position(), drawn.figure.get_size_inches()
    width, height = np.diff(axes.get_xlim())[0], np.diff(axes.get_ylim())[0]
    return float(box.width * across / width / (box.height * up / height))


# Scales


@pytest.mark.sample(2)
@pytest.mark.parametrize("size", [(960, 640), (480, 320), (640, 640), (1200, 400), (600, 800)])
def test_a_long_window_has_equal_scales_where_there_is_room(size: tuple[int, int]) -> None:
    drawn = make_picture(run(**RAVINE, size=size))
    assert ratio(drawn) == pytest.approx(1, abs=1e-3)
    assert_tidy(drawn)
    stretched = make_picture(run(**RAVINE, size=size, aspect="auto"))
    assert ratio(stretched) < 0.7


def test_a_window_too_long_for_equal_scales_is_stretched_unless_that_is_asked() -> None:
    long = {
        **RAVINE,
        "surface": {"formula": "x**2 + y**2", "domain": "0:20,0:1", "start": [9, 0.5]},
    }
    assert ratio(make_picture(run(**long))) < 0.5
    assert ratio(make_picture(run(**long, aspect="equal"))) == pytest.approx(1, abs=1e-3)
    longer = long | {"surface": long["surface"] | {"domain": "0:1000,0:1"}}
    with pytest.raises(optiviz.InputError, match="aspect: equal leaves too little of a panel"):
        make_picture(run(**longer, aspect="equal"))


def test_an_entry_has_an_aspect_which_a_recipe_overrides(here: Any, invoke: Invoke) -> None:
    declared = RAVINE["surface"] | {"aspect": "auto"}
    assert ratio(make_picture(run(**RAVINE | {"surface": declared}))) < 0.7
    equal = run(**RAVINE | {"surface": declared}, aspect="equal")
    assert ratio(make_picture(equal)) == pytest.approx(1, abs=1e-3)
    (here / "own.yaml").write_text(
        "ravine: {formula: x**2 + 9*y**2, domain: '-7:7,-2:2', start: [-6, 1], aspect: auto}\n"
        "line: {formula: x**2, domain: '-1:1', aspect: equal}\n"
    )
    result = invoke("run", "--surfaces", "own.yaml", "--surface", "ravine", "--opt", "sgd")
    assert "own.yaml:2:39: line.aspect: needs two dimensions, but there is one" in result.stderr


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "fields",
    [
        {"layout": "grid"},
        {"view": "contour"},
        {"view": "contour+loss+state", "size": (1200, 800)},
    ],
)
def test_an_aspect_holds_in_every_arrangement(fields: dict[str, Any]) -> None:
    drawn = make_picture(run(**RAVINE, **fields, aspect="equal"))
    assert ratio(drawn) == pytest.approx(1, abs=1e-3)


@pytest.mark.slow
def test_an_aspect_holds_for_basins_reliefs_and_plots() -> None:
    surface = RAVINE["surface"]
    basins = optiviz.BasinsRecipe(
        surface=surface, optimizers="sgd:lr=0.01", grid=(6, 6), steps=9, aspect="auto"
    )
    assert ratio(make_picture(basins)) < 0.7
    plot = optiviz.PlotRecipe(surfaces=[surface], aspect="auto")
    assert ratio(make_picture(plot)) < 0.7
    for aspect, sides in (("equal", (1, 3 / 14)), ("auto", (1, 1)), (None, (1, 1))):
        view: Any = make_picture(run(**RAVINE, view="relief", aspect=aspect)).cells[0].view
        assert view.sides == pytest.approx(sides, rel=1e-3)


# Legends


def rows(drawn: Picture) -> dict[str, tuple[float, float]]:
    """Return where the names of entries are, in shares of the picture."""
    width, height = 72 * drawn.figure.get_size_inches()
    names = {entry.heading for entry in drawn.scene.entries}
    places = {text.get_text(): text.get_position() for text in shown(drawn)}
    return {name: (x / width, y / height) for name, (x, y) in places.items() if name in names}


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("size", "theme"),
    [
        ((960, 640), "light"), ((480, 320), "dark"), ((300, 240), "light"), ((640, 640), "light"),
        ((540, 800), "dark"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", LEGEND_PLACES)
def test_a_legend_stands_where_it_is_asked_to(
    place: Any, size: tuple[int, int], theme: str
) -> None:
    drawn = make_picture(run(legend=place, size=size, theme=theme))
    assert_tidy_but(drawn, place)
    box = main(drawn).get_position()
    found = rows(drawn)
    assert len(found) == (0 if place == "none" else 3)
    for x, y in found.values():
        inside = box.x0 < x < box.x1 and box.y0 < y < box.y1
        assert inside == (place == "inside")
        assert place != "right" or x > box.x1
        assert place != "below" or y < box.y0
    keys = {"start", "minimum"} & {text.get_text() for text in shown(drawn)}
    assert not (place == "none" and keys)


def assert_tidy_but(drawn: Picture, place: str) -> None:
    """Assert that no text overlaps another, labels of contour lines beneath a legend aside."""
    if place != "inside" or drawn.theme.fill:
        assert_tidy(drawn)


@pytest.mark.slow
def test_without_a_legend_the_panel_is_no_smaller() -> None:
    def area(place: Any) -> float:
        box = main(make_picture(run(legend=place, size=(300, 240)))).get_position()
        return float(box.width * box.height)

    default = area(None)
    assert area("none") >= default - 1e-6 and area("inside") >= default - 1e-6
    assert default >= 0.95 * area("right")


def test_a_legend_inside_takes_the_corner_that_shows_least() -> None:
    for starts, corner in (
        ([(-2.5, 2.5)], (True, True)),
        ([(2.5, 2.5)], (True, False)),
        ([(2.5, 2.5), (2.5, -2.5)], (False, True)),
        ([(2.5, 2.5), (2.5, -2.5), (-2.5, 2.5)], (False, False)),
    ):
        drawn = make_picture(run(surface="bowl", starts=starts, legend="inside", view="contour"))
        box = main(drawn).get_position()
        for x, y in rows(drawn).values():
            assert (x > (box.x0 + box.x1) / 2, y > (box.y0 + box.y1) / 2) == corner


def test_a_legend_that_would_hide_the_panel_is_refused() -> None:
    many = ",".join(f"sgd:lr={number / 100}" for number in range(1, 15))
    with pytest.raises(optiviz.InputError, match="legend: the names of 14 optimizers leave too"):
        make_picture(run(optimizers=many, legend="inside", size=(480, 320)))


@pytest.mark.parametrize("place", LEGEND_PLACES)
@pytest.mark.parametrize("kind", ["one", "tune", "response", "loss", "relief", "paper"])
@pytest.mark.sample(2)
def test_every_kind_with_a_legend_can_move_it(kind: str, place: Any) -> None:
    made: dict[str, BaseRecipe] = {
        "one": run(surface="cosine", legend=place),
        "tune": optiviz.TuneRecipe(
            surface="bowl", optimizers="sgd,adam", trials=4, steps=5, legend=place
        ),
        "response": optiviz.ResponseRecipe(
            signal="rectangles", optimizers="momentum,adam", legend=place
        ),
        "loss": run(view="loss", legend=place),
        "relief": run(view="relief", legend=place),
        "paper": run(size="4inx3in", legend=place),
    }
    drawn = make_picture(made[kind])
    assert_tidy(drawn)
    assert bool(rows(drawn)) == (place != "none")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"legend": "insid"}, "legend"),
        ({"legend": "below", "layout": "grid"}, "has names above its panels instead of a legend"),
    ],
)
def test_what_is_no_place_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        run(**fields)


def test_a_page_has_its_own_legend(tmp_path: Any) -> None:
    with pytest.raises(optiviz.InputError, match="a page has a legend of its own"):
        optiviz.render(run(legend="below"), tmp_path / "a.html")


# Heads


def heads(drawn: Picture) -> list[Any]:
    """Return where the heads on the first panel are, in points."""
    axes = main(drawn)
    return [
        axes.transData.transform(each.head.get_xydata()[0]) * 72 / drawn.figure.dpi
        for each in drawn.cells[0].view.path_artists
        if isinstance(each, PathArtist) and each.head is not None
    ]


@pytest.mark.sample(1)
@pytest.mark.parametrize("many", [2, 3, 7])
def test_heads_that_end_at_the_same_place_are_set_apart(many: int) -> None:
    words = ",".join(["sgd:lr=0.1"] * many)
    drawn = make_picture(run(surface="bowl", optimizers=words, steps=60))
    for one, other in combinations(heads(drawn), 2):
        assert np.hypot(*(one - other)) >= 0.9 * HEAD_SIZE
    ends = [each.strokes.drawn.get_segments()[0][-1] for each in drawn.cells[0].view.path_artists]
    np.testing.assert_array_equal(ends, [path.end for path in drawn.scene.trajectories])
    drawn.update(0)
    for one, other in combinations(heads(drawn), 2):
        assert np.hypot(*(one - other)) < 0.1


def test_a_head_moves_aside_without_a_jump() -> None:
    drawn = make_picture(run(surface="bowl", optimizers="sgd:lr=0.02,sgd:lr=0.021", steps=200))
    paths = [path.points for path in drawn.scene.trajectories]
    axes = main(drawn)
    places = []
    for step in range(201):
        drawn.update(step)
        places.append(np.array(heads(drawn)))
    walked = [axes.transData.transform(points) * 72 / drawn.figure.dpi for points in paths]
    moved = np.linalg.norm(np.diff(np.array(places), axis=0), axis=-1)
    steps = np.linalg.norm(np.diff(np.array(walked), axis=1), axis=-1).T
    assert (moved <= 1.5 * steps + 0.05).all()


def test_starts_of_one_optimizer_are_not_set_apart() -> None:
    drawn = make_picture(
        run(surface="bowl", optimizers="sgd:lr=0.1", starts=[(1, 1), (-1, 2)], steps=90)
    )
    one, other = heads(drawn)
    assert np.hypot(*(one - other)) < 0.1
